//! One instantiation of one cached function in one runtime or scope.

use crate::attempts::{Backoff, Elsewhere};
use crate::clock::{Moment, TimeSource};
use crate::context::Surroundings;
use crate::counters::{Counters, Shares};
use crate::entry::{About, Entry, Marks, Stamp};
use crate::errand::Executor;
use crate::error::Level;
use crate::frame::{Frame, Keyed};
use crate::hash::Seed;
use crate::key::OwnedKey;
use crate::lookup::Served;
use crate::mark::{Mark, SEEDS};
use crate::outcome::Kind;
use crate::renewal::Renewal;
use crate::runtime::{Inner, Runtime};
use crate::shelf::{Kept, Place};
use crate::site::Site;
use crate::stored::{self, Address, Beyond, Glanced, Loaded, Stored};
use crate::tier::Miss;
use crate::tier::memory::{AnyMemory, Capacity, Memory, Probe};
use crate::versions::Versions;
use crate::view::View;
use std::any::{Any, TypeId};
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Which instantiation of which function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instance {
    pub(crate) site: &'static Site,
    /// The type of something declared inside the function: it contains every type and constant
    /// that the body can see (K3).
    pub(crate) body: TypeId,
    /// Tells those instantiations apart that a companion can name.
    pub(crate) family: TypeId,
    /// The names of these types.
    pub(crate) printed: Printed,
}

/// The names of types that tell instantiations apart, as they print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printed {
    /// Of something declared inside the function.
    pub(crate) body: &'static str,
    /// Of what a companion can name.
    #[cfg_attr(not(feature = "beyond"), expect(dead_code, reason = "a name beyond this process"))]
    pub(crate) family: &'static str,
}

/// The runtime a function is kept in, which must not be kept by what it keeps.
pub(crate) struct Home {
    pub(crate) id: u64,
    pub(crate) versions: Arc<Versions>,
    pub(crate) time: TimeSource,
    pub(crate) backoff: Backoff,
    pub(crate) executor: Executor,
    runtime: Weak<Inner>,
}

impl Home {
    /// The tier that machines share, if there is one.
    #[cfg(feature = "redis")]
    pub(crate) fn fleet(&self) -> Option<Arc<crate::tier::redis::Redis>> {
        let inner = self.runtime.upgrade()?;
        Runtime { inner }.redis().cloned()
    }

    /// The reading of the clock before which what machines share was forgotten, whether or not it was
    /// invalid.
    #[cfg(feature = "redis")]
    pub(crate) fn lost(&self) -> Stamp {
        let inner = self.runtime.upgrade();
        inner.map_or_else(Stamp::default, |inner| Runtime { inner }.lost())
    }

    /// Whether a value may be a part of what machines share.
    fn may_share(&self, about: &About) -> bool {
        self.runtime.upgrade().is_some_and(|inner| Runtime { inner }.may_share(about))
    }

    /// Records the invalidation of keys. What is kept in a runtime that is gone is, too.
    pub(crate) async fn record_key(&self, site: &'static Site, keys: &[Mark], beyond: &[Mark]) {
        if let Some(inner) = self.runtime.upgrade() {
            // Where it can't be heard now, nothing is served until it is.
            let _ = Runtime { inner }.record_key(site, keys, beyond).await;
        }
    }
}

/// What every call of one instantiation needs, in one place.
pub(crate) struct Function<K, V, S> {
    pub(crate) site: &'static Site,
    pub(crate) home: Home,
    pub(crate) memory: Arc<Memory<K, V, S>>,
    pub(crate) counters: Arc<Counters>,
    /// The mark that `invalidate_function` and the companion's `invalidate_all` record.
    pub(crate) mark: Mark,
    /// What the marks of its keys are made from.
    pub(crate) keys: Mark,
    pub(crate) family: TypeId,
    /// Whether values are kept in memory.
    pub(crate) in_memory: bool,
    /// What is known of attempts to replace values that are not.
    pub(crate) elsewhere: Elsewhere,
    /// How values are kept beyond memory, if they are.
    pub(crate) stored: Option<Stored<V>>,
    /// What stands for key and function beyond this process.
    pub(crate) stand_in: Option<Arc<[Mark; 2]>>,
}

/// The hits of a tier beyond memory.
pub(crate) type TierHits = fn(&Counters) -> &Shares;

pub(crate) type FunctionFor<K, Kd> = Function<K, <Kd as Kind>::Kept, <Kd as Kind>::Shared>;

pub(crate) type FunctionOf<W, Kd> = FunctionFor<<W as View>::Owned, Kd>;

impl<K, V, S> Function<K, V, S>
where
    K: OwnedKey,
    V: Send + Sync + 'static,
    S: Send + Sync + 'static,
{
    /// Finds the function's place in what surrounds a call; `None` outside of the scope it asks for.
    pub(crate) fn find(
        instance: &Instance,
        runtime: &Runtime,
        surroundings: Option<&Surroundings>,
        beyond: Option<&Beyond<'_, V>>,
    ) -> Option<Arc<Self>> {
        let site = instance.site.place();
        let place = Place { runtime: runtime.inner.id, site, instance: instance.body };
        let make = || Self::make(instance, runtime, beyond);
        let keyed = instance.site.options.keyed;
        let scope = if keyed.covers(Keyed::REQUEST) {
            surroundings?.request.as_ref()?
        } else if keyed.covers(Keyed::SESSION) {
            surroundings?.session.as_ref()?
        } else {
            return runtime.inner.shelf.get_or_insert(place, make);
        };
        scope.shelf.get_or_insert(place, || {
            let function = make();
            let memory: Arc<dyn AnyMemory> = function.memory.clone();
            runtime.adopt(&memory);
            function
        })
    }

    fn make(instance: &Instance, runtime: &Runtime, beyond: Option<&Beyond<'_, V>>) -> Arc<Self> {
        let Instance { site, family, printed, .. } = *instance;
        let name = site.learn(printed.body);
        runtime.enlist(site.place(), &name);
        let counters = runtime.counters(site.place());
        let weighed = site.options.weigh.is_some();
        let capacity = Capacity { limit: site.options.capacity, weighed };
        let versions = Arc::clone(&runtime.inner.versions);
        let stored = beyond.and_then(|beyond| store(instance, runtime, beyond, &counters));
        let stand_in = stored::stand_in(&name);
        let mark = match (&stored, &stand_in) {
            (Some(_), Some(stand_in)) => stand_in[1],
            _ => Mark::function(site.place(), &name),
        };
        Arc::new(Self {
            site,
            home: Home {
                id: runtime.inner.id,
                versions: Arc::clone(&versions),
                time: runtime.inner.time.clone(),
                backoff: runtime.inner.backoff,
                executor: runtime.inner.executor.clone(),
                runtime: Arc::downgrade(&runtime.inner),
            },
            memory: Arc::new(Memory::new(capacity, versions, Arc::clone(&counters))),
            counters,
            mark,
            keys: Mark::keys(site.place(), family, TypeId::of::<K>()),
            family,
            in_memory: site.options.reaches(Level::L1),
            elsewhere: Elsewhere::default(),
            stored,
            stand_in,
        })
    }

    /// Whether values are kept where machines share them.
    pub(crate) fn is_on_fleet(&self) -> bool {
        self.stored.as_ref().is_some_and(Stored::is_on_fleet)
    }

    /// Whether what is on the fleet is kept nearer, too.
    #[cfg(feature = "redis")]
    pub(crate) fn is_kept_near(&self, stored: &Stored<V>) -> bool {
        self.in_memory || stored.is_on_disk()
    }

    /// Serves a hit to a call that has surroundings.
    pub(crate) fn serve<W, Kd>(
        &self,
        kind: Kd,
        probe: Probe<'_, W>,
        frame: Option<&Frame>,
    ) -> Result<Kd::Out, Miss>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let time = &self.home.time;
        let mut why = Miss::Absent;
        let found = self.memory.get(probe, time, &mut why, |entry| {
            self.suits(&entry.about, frame).then(|| self.hand_out(kind, entry, frame))
        });
        found.ok_or(why)?.ok_or(Miss::Invalidated)
    }

    /// Serves what is fresh and near the end of its time, and says whether the call is to see to another.
    pub(crate) fn serve_near_end<W, Kd>(
        &self,
        kind: Kd,
        probe: Probe<'_, W>,
        frame: Option<&Frame>,
    ) -> Option<(Kd::Out, bool)>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        self.memory.get_near_end(probe, &self.home.time, |entry| {
            self.suits(&entry.about, frame).then(|| self.hand_out(kind, entry, frame))
        })
    }

    /// When a value is to be computed anew. What computing it took is known of those that this process
    /// computed; of others it is what it takes here as a rule. What depends on files is left alone: they
    /// tell by themselves.
    pub(crate) fn renewal(
        &self,
        about: &About,
        expires: Moment,
        cost: Option<Duration>,
    ) -> Renewal {
        if about.files.is_some() {
            return Renewal::default();
        }
        self.renewal_within((about.born, expires), cost)
    }

    fn renewal_within(&self, (born, expires): (Moment, Moment), cost: Option<Duration>) -> Renewal {
        let options = &self.site.options;
        if !options.renews() {
            return Renewal::default();
        }
        if let Some(distance) = options.refresh {
            return Renewal::before_end(born, expires, distance);
        }
        let usual = || self.counters.computation_time.snapshot().quantile(0.5);
        let cost = cost.or_else(usual).unwrap_or_default();
        Renewal::by_chance(born, expires, cost)
    }

    /// Whether a value that memory does not keep is to be computed anew before its time is over.
    pub(crate) fn is_due_elsewhere(&self, key: Mark, (born, expires): (Moment, Moment)) -> bool {
        if self.in_memory || !self.site.options.renews() {
            return false;
        }
        let now = self.home.time.now();
        let attempts = self.elsewhere.find(key, born);
        self.renewal_within((born, expires), None).is_due(now)
            && attempts.is_none_or(|attempts| attempts.is_due(now))
    }

    /// Whether a value that stays in this process may be used where it is asked for. What other
    /// processes have invalidated may be served here, but nothing that leaves is made of it; and what
    /// other machines may have, of nothing but what has the versions that they would look at.
    pub(crate) fn suits(&self, about: &About, frame: Option<&Frame>) -> bool {
        let Some(frame) = frame else { return true };
        (!frame.leaves() || self.home.versions.vouch_beyond(about))
            && (!frame.is_shared() || self.home.may_share(about))
    }

    /// Looks at the entry of a copy that was served: records its age, and shows that it is used.
    #[cold]
    #[inline(never)]
    pub(crate) fn sample<W: View<Owned = K>>(&self, probe: Probe<'_, W>) {
        let time = &self.home.time;
        let born = self.memory.get(probe, time, &mut Miss::Absent, |entry| entry.about.born);
        if let Some(born) = born {
            self.counters.age_at_serve.record(time.now().since(born));
        }
    }

    /// What a caller gets for an entry that may be served. Its computation inherits (V7).
    pub(crate) fn hand_out<Kd: Kind<Kept = V>>(
        &self,
        kind: Kd,
        entry: &Entry<V>,
        frame: Option<&Frame>,
    ) -> Kd::Out {
        let out = self.lend(kind, entry, frame);
        self.counters.hits.add(1);
        if kind.is_negative(&out) {
            self.counters.negative_hits.add(1);
        }
        out
    }

    /// Whether a value may be served after its time. What is negative may not: how long it counts is said
    /// apart.
    pub(crate) fn may_linger<Kd: Kind<Kept = V>>(&self, kind: Kd, value: &V) -> bool {
        self.site.options.negative.is_none() || !kind.keeps_negative(value)
    }

    /// Counts a value that was served after its time.
    pub(crate) fn count_overdue<Kd: Kind<Kept = V>>(&self, kind: Kd, why: Served, out: &Kd::Out) {
        let counters = &self.counters;
        counters.hits.add(1);
        counters.overdue(why);
        if kind.is_negative(out) {
            counters.negative_hits.add(1);
        }
    }

    /// The same as `hand_out`, uncounted.
    pub(crate) fn lend<Kd: Kind<Kept = V>>(
        &self,
        kind: Kd,
        entry: &Entry<V>,
        frame: Option<&Frame>,
    ) -> Kd::Out {
        if let Some(frame) = frame {
            let keyed = self.site.options.keyed;
            frame.inherit(self.home.id, &entry.about, entry.expires, keyed);
        }
        kind.serve(&entry.value)
    }

    /// What an entry is known by, whatever its computation finds: first its key and its function.
    ///
    /// What has an address is known by its key's mark beyond this process, once more at the end: in
    /// a thread's copies, the place of a tag tells of it.
    pub(crate) fn marks<W: View<Owned = K>>(
        &self,
        probe: Probe<'_, W>,
        address: Option<&Address>,
        tags: &[Mark],
    ) -> Marks {
        let key = address.map_or_else(|| self.keys.key(hashes(probe)), Address::mark);
        let mut marks = Marks::from_slice(&[key, self.mark]);
        let any_key = self.stand_in.as_deref().map(|[any_key, _]| *any_key);
        if let Some(any_key) = any_key.filter(|_| self.stored.is_some() && address.is_none()) {
            marks.push(any_key);
        }
        for tag in tags {
            marks.push(*tag);
        }
        if address.is_some() {
            marks.push(key);
        }
        marks
    }

    /// The marks of a value that was read, in the order that `marks` has.
    pub(crate) fn reorder(&self, address: &Address, known: &Marks) -> Marks {
        let key = address.mark();
        let mut marks = Marks::from_slice(&[key, self.mark]);
        marks.extend(known.iter().copied().filter(|it| *it != key && *it != self.mark));
        marks.push(key);
        marks
    }

    /// When an entry in memory expires, of a value that does then at the latest.
    pub(crate) fn expires_in_memory(&self, expires: Moment) -> Moment {
        let options = &self.site.options;
        let own = options.ttl.filter(|_| options.is_stored() && options.ttl != options.ttl_stored);
        let end = |ttl| self.home.time.now().after(options.spread(ttl));
        own.map_or(expires, |ttl| end(ttl).min(expires))
    }

    /// Serves a value that was read in a tier beyond memory for its caller alone.
    pub(crate) fn pass_on<Kd: Kind<Kept = V>>(
        &self,
        kind: Kd,
        (tier, glanced): (TierHits, Glanced<V>),
    ) -> Kd::Out {
        let Glanced { value, age, .. } = glanced;
        self.count_read(kind, tier, &value, age);
        kind.release(value)
    }

    /// Counts a call as a hit in a tier beyond memory.
    pub(crate) fn count_read<Kd: Kind<Kept = V>>(
        &self,
        kind: Kd,
        tier: TierHits,
        value: &V,
        age: Duration,
    ) {
        self.counters.hits.add(1);
        tier(&self.counters).add(1);
        if kind.keeps_negative(value) {
            self.counters.negative_hits.add(1);
        }
        self.counters.age_at_serve.record(age);
    }

    /// Serves a value that was read beyond memory, and keeps it there if it may. `stamp` was read before.
    pub(crate) fn promote<W, Kd>(
        &self,
        kind: Kd,
        probe: Probe<'_, W>,
        stamp: Stamp,
        (address, loaded): (&Address, Loaded<V>),
        (frame, is_kept): (Option<&Frame>, bool),
    ) -> Kd::Out
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let Loaded { value, mut about, expires, .. } = loaded;
        let age = self.home.time.now().since(about.born);
        self.count_read(kind, |counters| &counters.hits_l2, &value, age);
        let is_kept = self.in_memory && is_kept;
        if is_kept {
            about.marks = self.reorder(address, &about.marks);
        }
        about.renewal = self.renewal(&about, expires, None);
        let about = Arc::new(about);
        if let Some(frame) = frame {
            frame.inherit(self.home.id, &about, expires, self.site.options.keyed);
        }
        if !is_kept {
            return kind.release(value);
        }
        let out = kind.serve(&value);
        let expires = self.expires_in_memory(expires);
        self.memory.promote(
            probe.hash,
            probe.view.own(),
            stamp,
            &about,
            (value, expires),
            &self.home.time,
        );
        out
    }
}

/// How the values of a function are kept beyond memory, if there is a tier for it.
#[cfg(feature = "beyond")]
fn store<V>(
    instance: &Instance,
    runtime: &Runtime,
    beyond: &Beyond<'_, V>,
    counters: &Arc<Counters>,
) -> Option<Stored<V>> {
    let Instance { site, body, printed, .. } = *instance;
    let kept = runtime.kept_by(site, counters)?;
    let identity = stored::Identity::of(&site.options, printed.body, printed.family);
    let stays = !runtime.claim(identity.values, body);
    if stays {
        log::warn!(
            "`{}` stays in memory: another function has the same name beyond this process; \
             give one of the two a `name = ..`",
            site.name()
        );
    }
    Some(Stored::new(site, identity, beyond.format, stays, kept))
}

#[cfg(not(feature = "beyond"))]
fn store<V>(
    _: &Instance,
    _: &Runtime,
    beyond: &Beyond<'_, V>,
    _: &Arc<Counters>,
) -> Option<Stored<V>> {
    beyond.never()
}

/// The mark that `invalidate(key)` records: for every scope and runtime, and for every
/// instantiation that the key's own types don't tell apart.
pub(crate) fn key_mark<W: View>(site: &'static Site, family: TypeId, probe: Probe<'_, W>) -> Mark {
    Mark::keys(site.place(), family, TypeId::of::<W::Owned>()).key(hashes(probe))
}

/// What a key's mark is made from, beside its function's.
fn hashes<W: View>(probe: Probe<'_, W>) -> [u64; 2] {
    [probe.hash, hash(&SEEDS[1], probe.view)]
}

/// A view with the hash that L1 finds it by.
#[inline]
pub(crate) fn probe<W: View>(view: &W) -> Probe<'_, W> {
    Probe { hash: hash(&SEEDS[0], view), view }
}

/// What a view is hashed to.
#[inline]
pub(crate) fn hash<W: View>(seed: &Seed, view: &W) -> u64 {
    let mut state = seed.build_hasher();
    view.hash_into(&mut state);
    state.finish()
}

impl<K, V, S> Kept for Function<K, V, S>
where
    K: OwnedKey,
    V: Send + Sync + 'static,
    S: Send + Sync + 'static,
{
    fn memory(&self) -> Arc<dyn AnyMemory> {
        self.memory.clone()
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
