//! What is known of one type, and of the places in it.

/// What a type asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) parts: Parts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Leaf,
    Unit,
    Option,
    Seq,
    Map,
    Tuple,
    Newtype,
    Struct,
    Enum,
}

/// The places of a type, by name if they have any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Parts {
    Numbered(usize),
    Named(&'static [&'static str]),
}

impl Parts {
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Numbered(count) => *count,
            Self::Named(names) => names.len(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) usize);

impl NodeId {
    /// Not a type: its one place holds the type that is traced.
    pub(super) const ROOT: Self = Self(0);
}

/// A place of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) node: NodeId,
    pub(super) index: usize,
}

impl Place {
    /// Where the type is that is traced.
    pub(super) const ROOT: Self = Self { node: NodeId::ROOT, index: 0 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing was asked for here.
    Unseen,
    Seen,
    /// A value of it could be made.
    Built,
    /// The type has no such part, though it names it: another name of one that it has.
    Absent,
    /// It can't be come by.
    GivenUp,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) known: Known,
    /// More than one if what is here depends on what is elsewhere.
    pub(super) types: Vec<NodeId>,
    /// How far below it the next unseen place is; none if there is none.
    pub(super) distance: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) head: Head,
    pub(super) slots: Vec<Slot>,
    /// The first part that a value could be made of. To follow it always ends: what it is made of
    /// had its own before.
    pub(super) easy: Option<usize>,
    /// Its fields can only be had in order.
    pub(super) in_order: bool,
}

impl Node {
    pub(super) fn new(head: Head) -> Self {
        let slot = || Slot { known: Known::Unseen, types: Vec::new(), distance: None };
        let slots = std::iter::repeat_with(slot).take(head.parts.count()).collect();
        Self { head, slots, easy: None, in_order: false }
    }
}
