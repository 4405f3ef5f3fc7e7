//! What stands for the tiers beyond this process in a program without any: types that have no
//! values, so that whoever asks for one compiles to nothing.

#![expect(dead_code, reason = "of what can't be made, not every part is asked for")]

use crate::clock::Moment;
use crate::entry::About;
use crate::lookup::Miss;
use crate::mark::Mark;
use std::convert::Infallible;
use std::future::Ready;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

pub(crate) type Address = Nothing;
pub(crate) type Ear = Nothing;
pub(crate) type Lease = Nothing;
pub(crate) type MachineStamp = Infallible;
pub(crate) type Delivery = Ready<()>;

#[derive(Debug)]
pub(crate) struct Nothing(Infallible);

pub(crate) struct Beyond<'a, V>(Infallible, PhantomData<&'a V>);

pub(crate) struct Stored<V>(Infallible, PhantomData<fn() -> V>);

pub(crate) struct Loaded<V> {
    pub(crate) value: V,
    pub(crate) about: About,
    pub(crate) expires: Moment,
    pub(crate) packed: Option<Packed>,
}

pub(crate) struct Glanced<V> {
    pub(crate) value: V,
    pub(crate) age: Duration,
}

pub(crate) struct Packed(Infallible);

pub(crate) struct Keep<'a> {
    pub(crate) address: &'a Address,
    pub(crate) packed: &'a Packed,
    pub(crate) about: &'a About,
    pub(crate) expires: Moment,
    pub(crate) stamp: MachineStamp,
    pub(crate) lease: Option<Lease>,
}

/// Reads that are made together.
pub(crate) struct Together;

impl Together {
    pub(crate) fn begin() -> Self {
        Self
    }
}

pub(crate) struct Outside<V>(Infallible, PhantomData<fn() -> V>);

pub(crate) enum Consignment {}

/// What a computation heard of the machine as it began.
#[derive(Clone, Copy)]
pub(crate) enum Heard {
    NotAsked,
    Nothing,
    Clock(MachineStamp),
}

pub(crate) enum Leased {
    Taken(Lease),
    Held,
    Unavailable,
}

/// What stands for key and function beyond this process.
pub(crate) fn stand_in(_: &str) -> Option<Arc<[Mark; 2]>> {
    None
}

impl Nothing {
    pub(crate) fn hear(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn mark(&self) -> Mark {
        match self.0 {}
    }
}

impl<V> Outside<V> {
    pub(crate) fn mark(&self) -> Mark {
        match self.0 {}
    }
}

impl<V> Beyond<'_, V> {
    pub(crate) fn never<T>(&self) -> T {
        match self.0 {}
    }
}

impl<V> Stored<V> {
    pub(crate) fn ear(&self) -> Option<Ear> {
        match self.0 {}
    }

    pub(crate) fn hear(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn address(&self, _: &Beyond<'_, V>) -> Option<Address> {
        match self.0 {}
    }

    pub(crate) fn find(&self, _: &Address) -> Result<Loaded<V>, Miss> {
        match self.0 {}
    }

    pub(crate) fn find_latest(&self, _: &Address, _: Duration) -> Result<Loaded<V>, Miss> {
        match self.0 {}
    }

    pub(crate) fn glance(&self, _: &Address) -> Result<Glanced<V>, Miss> {
        match self.0 {}
    }

    pub(crate) fn heard(&self) -> Heard {
        match self.0 {}
    }

    pub(crate) fn lease(&self, _: &Address) -> Leased {
        match self.0 {}
    }

    pub(crate) fn is_on_fleet(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn pack(&self, _: &V) -> Option<Packed> {
        match self.0 {}
    }

    pub(crate) fn keep(&self, _: Keep<'_>) -> Option<Delivery> {
        match self.0 {}
    }
}
