//! What the tiers have for a key, and what a call would make of that, without one being made.

use super::Typed;
use crate::clock::Moment;
#[cfg(feature = "beyond")]
use crate::culprit::Culprit;
use crate::entry::About;
use crate::error::Level;
use crate::explanation::{Age, Cause, Held, State};
use crate::invalidation;
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::options::Options;
use crate::outcome::Kind;
use crate::runtime::Runtime;
#[cfg(feature = "beyond")]
use crate::stored::{Loaded, Looked};
use crate::tier::memory::Examined;
use std::sync::Arc;
use std::time::Duration;

/// What the tiers have for a key.
pub(super) struct Surveyed {
    pub(super) state: State,
    pub(super) tiers: Vec<Held>,
    pub(super) cause: Option<Cause>,
    pub(super) key: Option<String>,
}

/// What memory has for a key.
pub(super) struct Near {
    entry: Result<Entry, Miss>,
    cause: Option<Cause>,
    /// Whether a call of this process computes it.
    is_flying: bool,
}

/// What one tier has, or why it has nothing, and what overtook that.
type Found = (Level, Result<Entry, Miss>, Option<Cause>);

/// An entry that nothing ended but, maybe, its time.
struct Entry {
    born: Moment,
    expires: Moment,
    /// Whether it may be served after its time.
    may_linger: bool,
    /// Whether a call would have it computed anew before its time is over.
    is_due: bool,
    /// How long the next attempt to compute it anew is put off, after some that failed.
    retry: Duration,
    key: Option<String>,
}

impl Surveyed {
    /// Of a call that no tier is asked for.
    pub(super) fn nothing(state: State) -> Self {
        Self { state, tiers: Vec::new(), cause: None, key: None }
    }
}

impl Entry {
    fn age(&self, now: Moment) -> Age {
        let left = (self.expires != Moment::NEVER).then(|| self.expires.since(now));
        Age { age: now.since(self.born), left }
    }

    fn is_fresh(&self, now: Moment) -> bool {
        now < self.expires
    }
}

/// Why there is nothing to serve, as the nearest tier says that has anything to say.
fn missing(tiers: &[Held]) -> Miss {
    let reasons = tiers.iter().map(|it| it.entry.err().unwrap_or(Miss::Expired));
    let mut told = reasons.clone().filter(|it| *it != Miss::Absent);
    told.next().or_else(|| reasons.clone().next()).unwrap_or(Miss::Absent)
}

impl<K: OwnedKey, Kd: Kind> Typed<K, Kd> {
    /// Looks at memory.
    pub(super) fn survey_memory(&self, runtime: &Runtime, options: Options) -> Near {
        let mut near = Near { entry: Err(Miss::Absent), cause: None, is_flying: false };
        let may_serve = self.hear(runtime);
        let Some(function) = self.only(runtime) else { return near };
        near.is_flying = function.memory.is_flying(self.hash, &self.key);
        if !may_serve || !options.reaches(Level::L1) {
            near.entry = Err(if may_serve { Miss::Absent } else { Miss::Unavailable });
            return near;
        }
        let examined = function.memory.examine(self.hash, &self.key, |entry, examined| {
            let may_linger = function.may_linger(self.kind, &entry.value);
            (Arc::clone(&entry.about), (entry.expires, entry.due), may_linger, examined)
        });
        let Some((about, (expires, due), may_linger, examined)) = examined else { return near };
        if !examined.is_valid || !about.files_hold() {
            near.cause = Some(cause(&about, examined, runtime));
            near.entry = Err(Miss::Invalidated);
            return near;
        }
        let now = runtime.inner.time.now();
        near.entry = Ok(Entry {
            born: about.born,
            expires,
            may_linger: may_linger && about.files.is_none(),
            is_due: due <= now && about.attempts.is_due(now),
            retry: about.attempts.put_off(now),
            key: about.readable.as_deref().map(str::to_owned),
        });
        near
    }

    /// Looks at the other tiers, too, and says what a call would make of all.
    pub(super) async fn survey_all(
        &self,
        runtime: &Runtime,
        options: Options,
        near: Near,
    ) -> Surveyed {
        let Near { entry, cause, is_flying } = near;
        let mut found = Vec::new();
        if self.site.options.reaches(Level::L1) && options.reaches(Level::L1) {
            found.push((Level::L1, entry, cause));
        }
        let outside = self.survey_outside(runtime).await;
        found.extend(outside.into_iter().filter(|(tier, ..)| options.reaches(*tier)));
        let now = runtime.inner.time.now();
        let tiers: Vec<Held> = found.iter().map(|it| self.held(it, now)).collect();
        let entries = || found.iter().filter_map(|(tier, it, _)| Some((*tier, it.as_ref().ok()?)));
        let key = entries().find_map(|(_, it)| it.key.clone());
        let fresh = entries().find(|(_, it)| it.is_fresh(now));
        let lasting = entries().map(|(_, it)| it).filter(|it| self.lasts(it, now));
        let state = match (fresh, lasting.max_by_key(|it| it.expires)) {
            (Some((tier, it)), _) => {
                let Age { age, left } = it.age(now);
                State::Fresh { tier, age, left, is_due: it.is_due && !is_flying }
            }
            (None, Some(overdue)) => self.overdue(overdue, now, is_flying),
            (None, None) if is_flying => State::InFlight,
            (None, None) => State::Missing(missing(&tiers)),
        };
        let nearest = || tiers.iter().find(|it| it.entry == Err(Miss::Invalidated));
        let is_overtaken = state == State::Missing(Miss::Invalidated);
        let cause = is_overtaken.then(nearest).flatten().and_then(|it| it.cause.clone());
        Surveyed { state, tiers, cause, key }
    }

    fn held(&self, (tier, entry, cause): &Found, now: Moment) -> Held {
        let entry = entry.as_ref().map_err(|why| *why);
        let is_of_use = |it: &&Entry| it.is_fresh(now) || self.lasts(it, now);
        let entry = entry.and_then(|it| Some(it).filter(is_of_use).ok_or(Miss::Expired));
        Held { tier: *tier, entry: entry.map(|it| it.age(now)), cause: cause.clone() }
    }

    /// Whether an entry may be served although its time is over.
    fn lasts(&self, entry: &Entry, now: Moment) -> bool {
        let late = now.since(entry.expires);
        entry.may_linger && !entry.is_fresh(now) && late < self.site.options.linger()
    }

    /// What is made of such an entry.
    fn overdue(&self, entry: &Entry, now: Moment, is_computed: bool) -> State {
        let options = &self.site.options;
        let (age, late) = (now.since(entry.born), now.since(entry.expires));
        let retry = Some(entry.retry).filter(|it| !it.is_zero());
        let (stale, grace) =
            (options.stale.saturating_sub(late), options.grace.saturating_sub(late));
        if stale.is_zero() || retry.is_some() && !grace.is_zero() {
            State::Grace { age, left: grace, retry }
        } else {
            State::Stale { age, left: stale, is_computed }
        }
    }
}

/// What has ended an entry that is valid no more.
fn cause(about: &About, examined: Examined, runtime: &Runtime) -> Cause {
    if examined.is_valid {
        return Cause::File;
    }
    let tag =
        |about: &About, at: usize| about.marks.get(at).and_then(|it| invalidation::called(*it));
    match examined.culprit {
        Some(0) => Cause::Key,
        Some(1) => Cause::Function,
        Some(at) => Cause::Tag(tag(about, at)),
        None => {
            let versions = &runtime.inner.versions;
            let culprit =
                |it: &Arc<About>| Some((Arc::clone(it), versions.culprit(it, about.since)?));
            match about.inherited.iter().find_map(culprit) {
                Some((callee, at)) => Cause::Callee(tag(&callee, at)),
                None => Cause::Other,
            }
        }
    }
}

#[cfg(feature = "beyond")]
impl<K: OwnedKey, Kd: Kind> Typed<K, Kd> {
    /// What each tier beyond memory has.
    async fn survey_outside(&self, runtime: &Runtime) -> Vec<Found> {
        let Some(outside) = &self.outside else { return Vec::new() };
        let counters = runtime.counters(self.site.place());
        let Some(kept) = runtime.kept_by(self.site, &counters) else { return Vec::new() };
        let found = outside.survey(self.site, kept).await;
        let function = self.only(runtime);
        let now = runtime.inner.time.now();
        let entry = |Loaded { value, about, expires, .. }: Loaded<Kd::Kept>| {
            let attempts = function.as_ref().filter(|it| !it.in_memory);
            let attempts = attempts.and_then(|it| it.elsewhere.find(outside.mark(), about.born));
            let is_positive =
                self.site.options.negative.is_none() || !self.kind.keeps_negative(&value);
            let renewal = function.as_ref().filter(|it| !it.in_memory);
            let renewal = renewal.map(|it| it.renewal(&about, expires, None));
            Entry {
                born: about.born,
                expires,
                may_linger: is_positive && about.files.is_none(),
                // What goes to memory first is looked at there.
                is_due: attempts.as_ref().is_none_or(|it| it.is_due(now))
                    && renewal.is_some_and(|it| it.from <= now),
                retry: attempts.map_or(Duration::ZERO, |it| it.put_off(now)),
                key: about.readable.as_deref().map(str::to_owned),
            }
        };
        let cause = |culprit| match culprit {
            #[cfg(feature = "disk")]
            Some(Culprit::File) => Cause::File,
            Some(Culprit::Name(mark)) if mark == outside.mark() => Cause::Key,
            Some(Culprit::Name(mark)) if runtime.marks_of_site(self.site).contains(&mark) => {
                Cause::Function
            }
            Some(Culprit::Name(mark)) => {
                invalidation::called(mark).map_or(Cause::Dependency, |name| Cause::Tag(Some(name)))
            }
            None => Cause::Other,
        };
        let of_tier = |(tier, found, culprit): Looked<Kd::Kept>| {
            let is_overtaken = found.as_ref().err() == Some(&Miss::Invalidated);
            (tier, found.map(entry), is_overtaken.then(|| cause(culprit)))
        };
        found.into_iter().map(of_tier).collect()
    }
}

#[cfg(not(feature = "beyond"))]
impl<K: OwnedKey, Kd: Kind> Typed<K, Kd> {
    #[expect(clippy::unused_async, reason = "the same where there are tiers")]
    async fn survey_outside(&self, _: &Runtime) -> Vec<Found> {
        Vec::new()
    }
}
