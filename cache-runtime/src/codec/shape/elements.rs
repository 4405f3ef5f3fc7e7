//! The parts of a type, handed out one after the other.

use super::graph::Graph;
use super::node::{NodeId, Place};
use super::tracer::{Refusal, Traced, Tracer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

/// The parts of a node, in the order that suits the run.
pub(super) struct Elements<'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) node: NodeId,
    pub(super) led: bool,
    pub(super) depth: usize,
    pub(super) order: std::vec::IntoIter<usize>,
}

impl Elements<'_> {
    // Not generic, as `built` isn't: what a type's values go through is instantiated once for each
    // type inside it, one within the other, and rustc follows that only so far.
    pub(super) fn at(&mut self, index: usize) -> Tracer<'_> {
        let place = Place { node: self.node, index };
        let led = self.led && self.graph.leads(place);
        Tracer { graph: &mut *self.graph, place, led, depth: self.depth + 1 }
    }

    pub(super) fn built(&mut self, index: usize) {
        self.graph.built(Place { node: self.node, index });
    }

    fn next<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        let Some(index) = self.order.next() else { return Ok(None) };
        let value = seed.deserialize(self.at(index))?;
        self.built(index);
        Ok(Some(value))
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        self.next(seed)
    }
}

impl<'de> MapAccess<'de> for Elements<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<S::Value> {
        self.next(seed)?.ok_or(Refusal::Other)
    }
}

/// Fields by name.
pub(super) struct Fields<'g> {
    pub(super) elements: Elements<'g>,
    pub(super) names: &'static [&'static str],
    /// Told to whoever handed this out: a visitor keeps what it is given.
    pub(super) heard: &'g mut Heard,
}

/// What a visitor of fields did.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) asked: bool,
    pub(super) last: Option<usize>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        self.heard.asked = true;
        self.heard.last = self.elements.order.next();
        let Some(index) = self.heard.last else { return Ok(None) };
        seed.deserialize(self.names[index].into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<S::Value> {
        let index = self.heard.last.ok_or(Refusal::Other)?;
        let value = seed.deserialize(self.elements.at(index))?;
        self.elements.built(index);
        Ok(value)
    }
}
