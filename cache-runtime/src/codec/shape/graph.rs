//! What is known of a type: a node for each type in it, a place for each type in a node.
//!
//! 1. A node is one type in this process, whatever its name: two types of one name are two nodes.
//! 2. Nodes are numbered as they are found. What decides where to look next is what was found, so the
//!    numbers are the same wherever the type is.

use super::node::{Head, Kind, Known, Node, NodeId, Parts, Place, Slot};
use std::any::TypeId;
use std::collections::HashMap;
use std::fmt::Write;

/// All runs together ask for no more than this many values.
const MOST_STEPS: usize = 100_000;

/// No node has more places: a tuple may be announced with any length.
const MOST_PLACES: usize = 4_096;

/// What runs have found so far.
#[derive(Debug)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<(TypeId, Head), NodeId>,
    steps: usize,
    partial: bool,
    /// This run found something that the next ones can use.
    progress: bool,
    /// This run was ended on purpose: its failure says nothing of the type.
    abandoned: bool,
}

impl Graph {
    pub(super) fn new() -> Self {
        let head = Head { kind: Kind::Newtype, name: "", parts: Parts::Numbered(1) };
        Self {
            nodes: vec![Node::new(head)],
            known: HashMap::new(),
            steps: 0,
            partial: false,
            progress: false,
            abandoned: false,
        }
    }

    pub(super) fn partial(&self) -> bool {
        self.partial
    }

    /// Makes ready for a run, if there is something left to be seen.
    pub(super) fn prepare(&mut self) -> bool {
        self.progress = false;
        self.abandoned = false;
        self.measure();
        self.steps < MOST_STEPS && self.distance(NodeId::ROOT).is_some()
    }

    /// Takes note of how a run ended.
    pub(super) fn conclude(&mut self, built: bool) {
        if built {
            self.built(Place::ROOT);
        }
        self.partial |= !built && !self.abandoned;
        if !self.progress {
            let place = self.nearest();
            self.slot(place).known = Known::GivenUp;
            self.partial = true;
        }
    }

    /// Takes note that a type is not asked for in a way that tells what it is.
    pub(super) fn blur(&mut self) {
        self.partial = true;
    }

    /// Counts a value that is asked for; false if there were too many.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        self.partial |= self.steps >= MOST_STEPS;
        self.steps < MOST_STEPS
    }

    /// Takes note of what is asked for at a place. Nothing if it is too much.
    pub(super) fn announce(&mut self, place: Place, id: TypeId, head: Head) -> Option<NodeId> {
        if head.parts.count() > MOST_PLACES {
            self.partial = true;
            return None;
        }
        let node = *self.known.entry((id, head.clone())).or_insert_with(|| {
            self.nodes.push(Node::new(head));
            NodeId(self.nodes.len() - 1)
        });
        let slot = self.slot(place);
        let mut progress = false;
        if matches!(slot.known, Known::Unseen | Known::GivenUp) {
            slot.known = Known::Seen;
            progress = true;
        }
        if !slot.types.contains(&node) {
            slot.types.push(node);
            progress = true;
        }
        // What depends on something else is seen in some of its forms only.
        let ambiguous = slot.types.len() > 1;
        self.partial |= ambiguous;
        self.progress |= progress;
        Some(node)
    }

    /// Takes note that a value was made for a place.
    pub(super) fn built(&mut self, place: Place) {
        let slot = self.slot(place);
        let progress = slot.known != Known::Built;
        slot.known = Known::Built;
        self.progress |= progress;
        self.nodes[place.node.0].easy.get_or_insert(place.index);
    }

    /// Ends the run, which went too deep: what it came to see is left to the next ones.
    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Takes note that a type doesn't have a part that it names, and ends the run.
    pub(super) fn absent(&mut self, place: Place) {
        self.slot(place).known = Known::Absent;
        self.progress = true;
        self.abandoned = true;
    }

    /// Takes note that a type doesn't take its fields by name, and ends the run.
    pub(super) fn in_order(&mut self, node: NodeId) {
        self.nodes[node.0].in_order = true;
        self.progress = true;
        self.abandoned = true;
    }

    /// The order in which the parts of a node are best asked for; `led` if the nearest unseen place
    /// is looked for below it, and then it is below the first. Only its first variant matters of an
    /// enum, and of others those that aren't needed are left out.
    pub(super) fn order(&self, node: NodeId, led: bool) -> Vec<usize> {
        let goal = if led { self.next(node) } else { None };
        let node = &self.nodes[node.0];
        let unseen = |index: &usize| node.slots[*index].known == Known::Unseen;
        let all = 0..node.slots.len();
        match node.head.kind {
            Kind::Leaf | Kind::Unit | Kind::Newtype | Kind::Tuple => all.collect(),
            Kind::Struct if node.in_order => all.collect(),
            Kind::Option | Kind::Seq | Kind::Map => {
                let wanted = goal.is_some() || unseen(&0);
                all.filter(|_| wanted).collect()
            }
            Kind::Enum => {
                let first = all.clone().find(unseen).or(goal).or(node.easy);
                let some = || all.clone().find(|index| node.slots[*index].known == Known::Seen);
                first.or_else(some).into_iter().collect()
            }
            Kind::Struct => {
                let mut order: Vec<_> =
                    all.filter(|index| node.slots[*index].known != Known::Absent).collect();
                // What is known already comes last: it may be what can't be made.
                order.sort_by_key(|index| (Some(*index) != goal, !unseen(index)));
                order
            }
        }
    }

    /// Whether the nearest unseen place is at or below this one, seen from its node.
    pub(super) fn leads(&self, place: Place) -> bool {
        self.next(place.node) == Some(place.index)
    }

    pub(super) fn takes_fields_in_order(&self, node: NodeId) -> bool {
        self.nodes[node.0].in_order
    }

    /// What is known, as a text that is the same for the same shapes only.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("1\n");
        for node in &self.nodes {
            let _ = write!(text, "{:?} {:?}", node.head.kind, node.head.name);
            for (index, slot) in node.slots.iter().enumerate() {
                if let Parts::Named(names) = node.head.parts {
                    let _ = write!(text, " {:?}", names[index]);
                }
                let _ = match slot.known {
                    Known::Absent => write!(text, " -"),
                    Known::Unseen | Known::GivenUp => write!(text, " ?"),
                    Known::Seen | Known::Built => {
                        slot.types.iter().try_for_each(|NodeId(number)| write!(text, " {number}"))
                    }
                };
                text.push(',');
            }
            text.push('\n');
        }
        text
    }

    fn slot(&mut self, place: Place) -> &mut Slot {
        &mut self.nodes[place.node.0].slots[place.index]
    }

    /// How far from a node the nearest unseen place is.
    fn distance(&self, node: NodeId) -> Option<usize> {
        self.nodes[node.0].slots.iter().filter_map(|slot| slot.distance).min()
    }

    /// The part of a node below which the nearest unseen place is.
    fn next(&self, node: NodeId) -> Option<usize> {
        let slots = self.nodes[node.0].slots.iter().enumerate();
        let far = slots.filter_map(|(index, slot)| Some((slot.distance?, index)));
        far.min().map(|(_, index)| index)
    }

    fn nearest(&self) -> Place {
        let mut node = NodeId::ROOT;
        loop {
            let index = self.next(node).expect("a run is made only if there is an unseen place");
            let slot = &self.nodes[node.0].slots[index];
            let below = slot.types.iter().copied().filter(|_| slot.known != Known::Unseen);
            match below.min_by_key(|below| self.distance(*below).unwrap_or(usize::MAX)) {
                Some(below) => node = below,
                None => return Place { node, index },
            }
        }
    }

    /// Finds all distances anew. Types found later are mostly the deeper ones, so going backwards
    /// takes few rounds.
    fn measure(&mut self) {
        self.nodes.iter_mut().flat_map(|node| &mut node.slots).for_each(|slot| {
            slot.distance = (slot.known == Known::Unseen).then_some(0);
        });
        let mut changed = true;
        while changed {
            changed = false;
            for node in (0..self.nodes.len()).rev() {
                for index in 0..self.nodes[node].slots.len() {
                    let slot = &self.nodes[node].slots[index];
                    if !matches!(slot.known, Known::Seen | Known::Built) {
                        continue;
                    }
                    let below = slot.types.iter().filter_map(|below| self.distance(*below));
                    let distance = below.min().map(|below| below + 1);
                    if distance.is_some() && slot.distance.is_none_or(|old| Some(old) > distance) {
                        self.nodes[node].slots[index].distance = distance;
                        changed = true;
                    }
                }
            }
        }
    }
}
