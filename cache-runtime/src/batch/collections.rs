//! The collections that batches come and go in: of ids, and of values.

use std::borrow::Borrow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::mem;

/// A collection of ids, as an argument of a cached function.
#[diagnostic::on_unimplemented(
    message = "`batch` needs a collection of ids, and `{Self}` is none",
    note = "take a slice, a `Vec`, a `HashSet` or a `BTreeSet`, or a reference to one of these"
)]
pub trait Ids {
    /// One of them.
    type Id: Clone;
    /// The collection, owned.
    type Own: Borrow<Self>;
    /// Whether those who go through it meet the ids in the order in which they were put in.
    const IS_ORDERED: bool;

    #[doc(hidden)]
    fn each(&self) -> impl Iterator<Item = &Self::Id>;
    #[doc(hidden)]
    fn of(ids: Vec<Self::Id>) -> Self::Own;
}

impl<T: Clone> Ids for [T] {
    type Id = T;
    type Own = Vec<T>;
    const IS_ORDERED: bool = true;

    fn each(&self) -> impl Iterator<Item = &T> {
        self.iter()
    }

    fn of(ids: Vec<T>) -> Vec<T> {
        ids
    }
}

impl<T: Clone> Ids for Vec<T> {
    type Id = T;
    type Own = Self;
    const IS_ORDERED: bool = true;

    fn each(&self) -> impl Iterator<Item = &T> {
        self.iter()
    }

    fn of(ids: Vec<T>) -> Self {
        ids
    }
}

impl<T: Clone + Eq + Hash, S: BuildHasher + Default> Ids for HashSet<T, S> {
    type Id = T;
    type Own = Self;
    const IS_ORDERED: bool = false;

    fn each(&self) -> impl Iterator<Item = &T> {
        self.iter()
    }

    fn of(ids: Vec<T>) -> Self {
        ids.into_iter().collect()
    }
}

impl<T: Clone + Ord> Ids for BTreeSet<T> {
    type Id = T;
    type Own = Self;
    // What is missing is in its order already.
    const IS_ORDERED: bool = true;

    fn each(&self) -> impl Iterator<Item = &T> {
        self.iter()
    }

    fn of(ids: Vec<T>) -> Self {
        ids.into_iter().collect()
    }
}

/// The values of some ids, in their order, and those of others.
pub type Parts<K, V> = (Vec<Option<V>>, Vec<(K, V)>);

/// A collection of values by id.
pub trait Values<Id: ?Sized>: Sized {
    /// One of them.
    type Value;
    /// What an id is in here.
    type Key: Borrow<Id>;
    /// Whether values belong to ids by their place alone.
    const IS_BY_PLACE: bool = false;

    /// The values of some ids, in their order, and those of others.
    #[doc(hidden)]
    fn part(self, ids: &[&Id]) -> Parts<Self::Key, Self::Value>;
    /// The collection of these, which are in the order of the ids.
    #[doc(hidden)]
    fn join<'i>(parts: impl Iterator<Item = (&'i Id, Option<Self::Value>)>) -> Self
    where
        Id: 'i;
}

/// What a function returns for a batch.
#[diagnostic::on_unimplemented(
    message = "`batch` needs a function that returns values by id, and `{Self}` is none for ids of type `{Id}`",
    note = "return a `HashMap`, a `BTreeMap`, a `Vec<(Id, Value)>`, or a `Vec<Option<Value>>` in the order of the ids; or a `Result` of one of these"
)]
pub trait Answer<Id: ?Sized>: Sized {
    /// The values, where there are any.
    type Values: Values<Id, Value = Self::Value>;
    /// One of them.
    type Value;

    /// The values, or the failure of all.
    #[doc(hidden)]
    fn open(self) -> Result<Self::Values, Self>;
    #[doc(hidden)]
    fn of(values: Self::Values) -> Self;
}

macro_rules! answers {
    ($([$($param:tt)*] $collection:ty, $id:ty, $value:ty;)*) => { $(
        impl<$($param)*> Answer<$id> for $collection
        where
            Self: Values<$id, Value = $value>,
        {
            type Values = Self;
            type Value = $value;

            fn open(self) -> Result<Self, Self> {
                Ok(self)
            }

            fn of(values: Self) -> Self {
                values
            }
        }
    )* };
}

answers! {
    [Id: ?Sized, K, V, S] HashMap<K, V, S>, Id, V;
    [Id: ?Sized, K, V] BTreeMap<K, V>, Id, V;
    [Id: ?Sized, K, V] Vec<(K, V)>, Id, V;
    [Id: ?Sized, V] Vec<Option<V>>, Id, V;
}

impl<Id: ?Sized, A: Answer<Id>, E> Answer<Id> for Result<A, E> {
    type Values = A::Values;
    type Value = A::Value;

    fn open(self) -> Result<A::Values, Self> {
        match self {
            Ok(answer) => answer.open().map_err(Ok),
            Err(error) => Err(Err(error)),
        }
    }

    fn of(values: A::Values) -> Self {
        Ok(A::of(values))
    }
}

impl<Id, K, V, S> Values<Id> for HashMap<K, V, S>
where
    Id: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    K: Eq + Hash + Borrow<Id>,
    S: BuildHasher + Default,
{
    type Value = V;
    type Key = K;

    fn part(mut self, ids: &[&Id]) -> Parts<K, V> {
        let parts = ids.iter().map(|id| self.remove(*id)).collect();
        (parts, self.into_iter().collect())
    }

    fn join<'i>(parts: impl Iterator<Item = (&'i Id, Option<V>)>) -> Self
    where
        Id: 'i,
    {
        let mut joined = Self::with_capacity_and_hasher(parts.size_hint().0, S::default());
        joined.extend(parts.filter_map(|(id, value)| Some((id.to_owned(), value?))));
        joined
    }
}

impl<Id, K, V> Values<Id> for BTreeMap<K, V>
where
    Id: Ord + ToOwned<Owned = K> + ?Sized,
    K: Ord + Borrow<Id>,
{
    type Value = V;
    type Key = K;

    fn part(mut self, ids: &[&Id]) -> Parts<K, V> {
        let parts = ids.iter().map(|id| self.remove(*id)).collect();
        (parts, self.into_iter().collect())
    }

    fn join<'i>(parts: impl Iterator<Item = (&'i Id, Option<V>)>) -> Self
    where
        Id: 'i,
    {
        parts.filter_map(|(id, value)| Some((id.to_owned(), value?))).collect()
    }
}

impl<Id, K, V> Values<Id> for Vec<(K, V)>
where
    Id: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    K: Eq + Hash + Borrow<Id>,
{
    type Value = V;
    type Key = K;

    fn part(self, ids: &[&Id]) -> Parts<K, V> {
        // Who was asked for one more than once, past the cache, may have answered as often.
        let mut by_id: HashMap<K, (V, Vec<V>)> = HashMap::with_capacity(self.len());
        for (id, value) in self {
            match by_id.entry(id) {
                Entry::Vacant(place) => drop(place.insert_entry((value, Vec::new()))),
                Entry::Occupied(mut place) => {
                    let (last, former) = place.get_mut();
                    former.push(mem::replace(last, value));
                }
            }
        }
        let take = |id: &&Id| {
            let (last, former) = by_id.get_mut(*id)?;
            match former.pop() {
                Some(other) => Some(mem::replace(last, other)),
                None => by_id.remove(*id).map(|(last, _)| last),
            }
        };
        let parts = ids.iter().map(take).collect();
        for id in ids {
            by_id.remove(*id);
        }
        (parts, by_id.into_iter().map(|(id, (value, _))| (id, value)).collect())
    }

    fn join<'i>(parts: impl Iterator<Item = (&'i Id, Option<V>)>) -> Self
    where
        Id: 'i,
    {
        parts.filter_map(|(id, value)| Some((id.to_owned(), value?))).collect()
    }
}

impl<Id, V> Values<Id> for Vec<Option<V>>
where
    Id: ToOwned + ?Sized,
{
    type Value = V;
    type Key = Id::Owned;
    const IS_BY_PLACE: bool = true;

    fn part(mut self, ids: &[&Id]) -> Parts<Id::Owned, V> {
        self.resize_with(ids.len(), || None);
        (self, Vec::new())
    }

    fn join<'i>(parts: impl Iterator<Item = (&'i Id, Option<V>)>) -> Self
    where
        Id: 'i,
    {
        parts.map(|(_, value)| value).collect()
    }
}
