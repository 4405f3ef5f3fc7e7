//! A call, as the layers above the tier carry it out.

use super::super::planted::{self, Bug};
use super::super::{
    Claimed, Fault, Lease, OnPartition, Outcome, Patience, Place, Redis, Sound, Wanted,
};
use super::machine::Copy;
use super::oracle::{From, Served};
use super::process::{Near, Process, stand_in};
use super::promise::promise;
use super::values::{Call, Function, Value, tag};
use super::world::CALM;
use crate::captured::Captured;
use crate::clock::Moment;
use crate::codec::envelope::Header;
use crate::entry::{About, Marks, Stamp};
use crate::outward::{self, outward, vouched};
use crate::sync::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// How long a wait for another process lasts if nothing is heard of it.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a call waits for another process at most.
const WAIT: Duration = Duration::from_secs(30);
const SHAPE: [u8; 16] = [9; 16];

/// A running computation.
#[derive(Default)]
pub(super) struct Frame<'a> {
    caller: Option<&'a Frame<'a>>,
    is_shared: AtomicBool,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    tags: Marks,
    inherited: Vec<Arc<About>>,
    expires: Option<Duration>,
    /// Something was used that no server vouched for.
    is_doubtful: bool,
}

impl Frame<'_> {
    fn is_shared(&self) -> bool {
        let mut frames = std::iter::successors(Some(self), |it| it.caller);
        frames.any(|it| it.is_shared.load(Relaxed))
    }

    fn inherit(&self, about: &Arc<About>, expires: Duration, is_vouched: bool) {
        let mut found = self.found.lock();
        found.is_doubtful |= !is_vouched;
        for one in std::iter::once(about).chain(&about.inherited) {
            if !found.inherited.iter().any(|it| Arc::ptr_eq(it, one)) {
                found.inherited.push(Arc::clone(one));
            }
        }
        found.expires = Some(found.expires.map_or(expires, |it| it.min(expires)));
    }
}

/// What a computation has to do with the shared tier.
enum Fleet {
    NotAsked,
    Down,
    Barred,
    /// With what is left of the time that the call may wait.
    Granted(Lease, Captured, Patience),
    Witnessed(Captured),
}

/// One call under way.
struct Work<'a> {
    process: &'a Process,
    call: Call,
    begun: Duration,
    caller: Option<&'a Frame<'a>>,
    fleet: Fleet,
    stamp: Stamp,
    /// The machine's clock before anything was asked for.
    heard: Stamp,
    /// How often the process had been disturbed when it asked for the right to compute.
    disturbances: usize,
    /// What it took to ask for that, unless another process was waited for.
    asked_for: Option<Duration>,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Arc<Value>> + Send + 'a>>;

impl Process {
    /// Calls a function, perhaps inside a computation.
    pub(super) fn call<'a>(&'a self, call: Call, caller: Option<&'a Frame<'a>>) -> Answer<'a> {
        Box::pin(async move {
            let begun = self.time.now();
            let number = self.oracle.called(self.owner, call, begun);
            let value = self.answer(call, begun, caller).await;
            self.oracle.ended(number);
            value
        })
    }

    async fn answer(&self, call: Call, begun: Duration, caller: Option<&Frame<'_>>) -> Arc<Value> {
        loop {
            self.dawdle().await;
            if let Some(value) = self.near(call, begun, caller) {
                return value;
            }
            let landed = match self.flights.lock().entry(call) {
                std::collections::btree_map::Entry::Occupied(mut flight) => {
                    let (landed, keeper) = promise();
                    flight.get_mut().push(keeper);
                    Some(landed)
                }
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(Vec::new());
                    None
                }
            };
            match landed {
                Some(landed) => landed.await,
                None => break,
            }
        }
        let (fleet, stamp) = (Fleet::NotAsked, self.versions.now());
        let heard = self.machine.now();
        let (process, disturbances, asked_for) = (self, 0, None);
        let work =
            Work { process, call, begun, caller, fleet, stamp, heard, disturbances, asked_for };
        let value = work.carry_out().await;
        let waiting = self.flights.lock().remove(&call);
        waiting.into_iter().flatten().for_each(|it| it.keep(()));
        value
    }

    /// Serves from memory what may be served.
    fn near(&self, call: Call, begun: Duration, frame: Option<&Frame<'_>>) -> Option<Arc<Value>> {
        let is_vouched = self.redis.vouches();
        if call.function.is_shared() && self.is_jealous() && !is_vouched {
            return None;
        }
        let mut memory = self.memory.lock();
        let near = memory.get_mut(&call).filter(|it| it.expires > self.time.now())?;
        near.valid_at = self.versions.check(&near.about, near.valid_at)?;
        let has_versions =
            self.redis.may_share(&near.about) || planted::is(Bug::NearCopyWithoutVersions);
        if let Some(frame) = frame {
            if frame.is_shared() && !has_versions {
                return None;
            }
            frame.inherit(&near.about, near.expires, is_vouched);
        }
        let near = near.clone();
        drop(memory);
        self.serve(call, begun, &near.value, (From::Memory, is_vouched));
        Some(near.value)
    }

    /// What is in memory, valid or not.
    fn suspect(&self, call: Call) -> Option<Copy> {
        let near = self.memory.lock().get(&call).cloned()?;
        let Near { value, about, expires, .. } = near;
        let heard = self.machine.now();
        (expires > self.time.now()).then_some(Copy { value, about, heard, expires })
    }

    fn serve(&self, call: Call, begun: Duration, value: &Value, (from, is_vouched): (From, bool)) {
        let by = self.owner;
        let served = Served { call, by, begun, value, from, is_vouched };
        self.oracle.served(served, self.time.now());
    }
}

impl Work<'_> {
    fn known(&self) -> Marks {
        let mut marks = Marks::from_slice(&[self.call.mark(), self.call.function.mark()]);
        marks.extend(self.call.declared().into_iter().map(tag));
        marks
    }

    fn marks(&self) -> Marks {
        let mut marks = self.known();
        let remembered = self.process.remembered.lock();
        for mark in remembered.get(&self.call).into_iter().flatten() {
            if !marks.contains(mark) {
                marks.push(*mark);
            }
        }
        marks
    }

    async fn carry_out(mut self) -> Arc<Value> {
        let process = self.process;
        if self.call.function.is_shared() {
            if !process.redis.is_up() {
                self.fleet = Fleet::Down;
                if let Some(value) = self.do_without() {
                    return value;
                }
            } else if let Some(value) = self.ask().await.unwrap_or_else(|_| {
                self.fleet = Fleet::Barred;
                None
            }) {
                return value;
            }
        } else if self.caller.is_some_and(Frame::is_shared) {
            let marks = outward::marks(&self.known(), stand_in(self.call).as_ref());
            let captured = process.redis.witness(&marks, &mut process.redis.patience()).await;
            if let Ok(Some(captured)) = captured {
                self.fleet = Fleet::Witnessed(captured);
            }
        }
        let number = matches!(self.fleet, Fleet::Granted(..)).then(|| {
            let (by, since) = ((process.owner, self.disturbances), (self.marks(), self.stamp));
            process.oracle.granted(self.call, by, &process.versions, since)
        });
        let frame = Frame { caller: self.caller, ..Frame::default() };
        frame.is_shared.store(matches!(self.fleet, Fleet::Granted(..)), Relaxed);
        let value = self.body(&frame).await;
        if let Some(number) = number {
            process.oracle.computed(number);
        }
        self.finish(value, &frame).await
    }

    async fn ask(&mut self) -> Result<Option<Arc<Value>>, Fault> {
        let (process, call) = (self.process, self.call);
        let redis = &process.redis;
        let begun = process.time.now();
        let place = Place { mark: call.mark(), id: call.id() };
        let key = call.bytes();
        let mut patience = redis.patience();
        let mut waiter = None;
        loop {
            let stamp = process.versions.now();
            let marks = self.marks();
            let is_part = self.caller.is_some_and(Frame::is_shared);
            let (key, is_awaited) = (&key, waiter.is_some());
            let (place, marks, linger) = (&place, &marks, Duration::ZERO);
            let blame = None;
            let wanted =
                Wanted { place, marks, key, shape: SHAPE, is_part, is_awaited, linger, blame };
            self.heard = process.machine.now();
            if waiter.is_none()
                && let Some(value) = self.copy(&wanted, stamp, &mut patience).await?
            {
                return Ok(Some(value));
            }
            if let Some(loaded) = read(redis, &wanted, &mut patience).await? {
                self.stamp = stamp;
                return Ok(Some(self.adopt(loaded, From::Server)));
            }
            self.disturbances = process.oracle.disturbances(process.owner);
            let ttl = (call.function.lifetime(), false);
            match redis.claim(&wanted, stamp, ttl, &mut patience).await? {
                Claimed::Granted(lease, captured) => {
                    self.stamp = stamp;
                    if let Some(loaded) = read(redis, &wanted, &mut patience).await? {
                        return Ok(Some(self.adopt(loaded, From::Server)));
                    }
                    let spent = process.time.now().saturating_sub(begun);
                    self.asked_for = waiter.is_none().then_some(spent);
                    self.fleet = Fleet::Granted(lease, captured, patience);
                    return Ok(None);
                }
                Claimed::Held => {}
                Claimed::Unfit => return Err(Fault::Foreign),
            }
            if self.caller.is_some() || process.time.now() >= begun + WAIT {
                self.fleet = Fleet::Barred;
                return Ok(None);
            }
            match &waiter {
                None => waiter = Some(redis.join(place)),
                Some(waiter) => waiter.wait(process.time.sleep(PAUSE)).await,
            }
            patience = redis.patience();
        }
    }

    /// Takes a copy from memory or disk, if the server says that it may be served. That in memory need
    /// not be valid here: this process may have been told less than there is to know, or more.
    async fn copy(
        &mut self,
        wanted: &Wanted<'_>,
        stamp: Stamp,
        patience: &mut Patience,
    ) -> Result<Option<Arc<Value>>, Fault> {
        let process = self.process;
        let suspect = process.suspect(self.call);
        let Some(copy) = suspect.or_else(|| process.machine.copy(self.call)) else {
            return Ok(None);
        };
        let Some(captured) = copy.about.captured.as_deref() else { return Ok(None) };
        if !wanted.marks.iter().all(|mark| captured.get(*mark).is_some()) {
            return Ok(None);
        }
        let left = copy.expires.saturating_sub(process.time.now());
        let found = if planted::is(Bug::CopyNotCompared) {
            Some((captured.clone(), left))
        } else {
            process.redis.check(wanted, (captured, &copy.about), patience).await?
        };
        let Some((captured, lasting)) = found else { return Ok(None) };
        self.stamp = stamp;
        let about = outward(&copy.about);
        let about = About { captured: Some(Arc::new(captured)), ..about };
        let left = copy.expires.saturating_sub(process.time.now()).min(lasting);
        Ok(Some(self.adopt(((*copy.value).clone(), about, left), From::Copy)))
    }

    /// Takes a copy from the disk while no server can be asked, if that may be served.
    fn do_without(&self) -> Option<Arc<Value>> {
        let process = self.process;
        let copy = process.machine.copy(self.call)?;
        let may_serve = process.redis.settings().on_partition == OnPartition::Serve
            && process.versions.never_heard_of(&copy.about);
        if !may_serve {
            return None;
        }
        if let Some(caller) = self.caller {
            caller.inherit(&copy.about, copy.expires, false);
        }
        process.serve(self.call, self.begun, &copy.value, (From::Copy, false));
        Some(copy.value)
    }

    /// Takes what another process computed.
    fn adopt(&self, (value, about, left): (Value, About, Duration), from: From) -> Arc<Value> {
        let (process, call) = (self.process, self.call);
        let left =
            if planted::is(Bug::CopyOutlivesEntry) { call.function.lifetime() } else { left };
        let (value, about) = (Arc::new(value), Arc::new(about));
        let expires = process.time.now() + left;
        self.land(&value, &about, expires);
        if from == From::Server {
            self.keep(&value, &about, expires);
        }
        if let Some(caller) = self.caller {
            caller.inherit(&about, expires, true);
        }
        process.serve(call, self.begun, &value, (from, true));
        value
    }

    fn keep(&self, value: &Arc<Value>, about: &Arc<About>, expires: Duration) {
        let (value, about, heard) = (Arc::clone(value), Arc::clone(about), self.heard);
        self.process.machine.keep(self.call, Copy { value, about, heard, expires });
    }

    fn land(&self, value: &Arc<Value>, about: &Arc<About>, expires: Duration) {
        let process = self.process;
        if let (true, Some(valid_at)) =
            (self.call.function.is_in_memory(), process.versions.check(about, self.stamp))
        {
            let (value, about) = (Arc::clone(value), Arc::clone(about));
            process.memory.lock().insert(self.call, Near { value, valid_at, expires, about });
        }
    }

    async fn body(&mut self, frame: &Frame<'_>) -> Value {
        let (process, call) = (self.process, self.call);
        let id = process.oracle.number();
        let mut value = Value { id, call: call.id(), read: [].into(), near: Vec::new() };
        let think = async || {
            let is_long = process.time.now() < CALM && process.time.chance(5);
            let longest = if is_long { 2_000_000 } else { 40_000 };
            process.time.sleep(process.time.micros(0..longest)).await;
        };
        for source in call.ahead() {
            value.read.insert(source, process.oracle.look(source));
            think().await;
        }
        for callee in call.callees() {
            let part = process.call(callee, Some(frame)).await;
            value.take(&part, callee.function == Function::Inner);
        }
        think().await;
        for source in call.declared() {
            value.read.insert(source, process.oracle.look(source));
        }
        for source in call.found() {
            think().await;
            value.read.insert(source, process.oracle.look(source));
            think().await;
            frame.found.lock().tags.push(tag(source));
            if planted::is(Bug::CapturedWhenFound) {
                self.capture(&[tag(source)]).await;
            }
        }
        think().await;
        value
    }

    /// The naive way: captures what the computation has begun without.
    async fn capture(&mut self, marks: &[crate::mark::Mark]) {
        let redis = &self.process.redis;
        if let Fleet::Granted(_, captured, _) = &mut self.fleet
            && let Ok(Some(now)) = redis.witness(marks, &mut redis.patience()).await
        {
            let known: Vec<_> = captured.versions().collect();
            let more = now.versions().filter(|(mark, _)| captured.get(*mark).is_none());
            *captured = Captured::new(captured.ledger, known.into_iter().chain(more));
        }
    }

    async fn finish(mut self, value: Value, frame: &Frame<'_>) -> Arc<Value> {
        let (process, call) = (self.process, self.call);
        let found = std::mem::take(&mut *frame.found.lock());
        let lasting = process.time.now() + call.function.lifetime();
        let expires = found.expires.map_or(lasting, |it| it.min(lasting));
        let is_doubtful = found.is_doubtful;
        let mut about = self.about(found);
        let value = Arc::new(value);
        let mut is_delivered = false;
        match std::mem::replace(&mut self.fleet, Fleet::NotAsked) {
            Fleet::Granted(lease, captured, patience) => {
                self.fleet = Fleet::Barred;
                let (right, begun) = ((lease, captured, patience), process.time.now());
                is_delivered = self.deliver(&value, right, &mut about, expires).await;
                if let Some(asked_for) = self.asked_for {
                    let waited = asked_for + process.time.now().saturating_sub(begun);
                    let deadline = process.redis.settings().deadline;
                    process.oracle.waited(
                        call,
                        (process.owner, self.disturbances),
                        waited,
                        deadline,
                    );
                }
            }
            Fleet::Witnessed(captured) => {
                let captured = process.redis.ending(captured);
                let captured = vouched(captured, &about, &outward(&about));
                about.captured = captured.map(Arc::new);
            }
            other => self.fleet = other,
        }
        let about = Arc::new(about);
        let is_permitted = !call.function.is_shared()
            || is_delivered
            || (matches!(self.fleet, Fleet::Down)
                && !process.redis.is_up()
                && process.redis.settings().on_partition == OnPartition::Serve);
        if is_permitted {
            self.land(&value, &about, expires);
        }
        if is_delivered {
            self.keep(&value, &about, expires);
        }
        // Of what it is made of, too.
        let is_vouched = !is_doubtful && process.redis.vouches();
        if let Some(caller) = self.caller {
            caller.inherit(&about, expires, is_vouched);
        }
        process.serve(call, self.begun, &value, (From::Body, is_vouched));
        value
    }

    fn about(&self, found: Found) -> About {
        let (call, mut marks) = (self.call, self.known());
        marks.extend(found.tags);
        if call.function.is_shared() {
            let callees = found.inherited.iter().filter_map(|it| it.stand_in.as_deref());
            marks.extend(callees.flatten().copied().collect::<Vec<_>>());
        }
        let about = About::of_bypassed(marks, Some(call.readable().into()), Moment::NEVER);
        let (stand_in, since, inherited) = (stand_in(call), self.stamp, found.inherited);
        About { stand_in, since, inherited, ..about }
    }

    /// Stores a value in the shared tier; true if it is there.
    async fn deliver(
        &self,
        value: &Value,
        (lease, captured, mut patience): (Lease, Captured, Patience),
        about: &mut About,
        expires: Duration,
    ) -> bool {
        let (process, call) = (self.process, self.call);
        let redis = &process.redis;
        let outward = outward(about);
        let mut captured = vouched(redis.ending(captured), about, &outward);
        if planted::is(Bug::CapturedAtStore) {
            let now = redis.witness(&outward.marks, &mut redis.patience()).await;
            captured = now.ok().flatten();
        }
        let Some(mut captured) = captured else {
            process.remembered.lock().insert(call, outward.marks.clone());
            return false;
        };
        captured.origin = lease.token();
        let Some(clock) = redis.time(lease.place()) else { return false };
        let earliest = clock.earliest;
        let ttl = expires.saturating_sub(process.time.now());
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let payload = value.write();
        let header = Header {
            codec: 0,
            compression: 0,
            shape: SHAPE,
            incarnation: captured.origin,
            stamp: 0,
            created: nanos(earliest),
            expires: nanos(earliest + ttl),
            weight: 1,
            unpacked: 0,
        };
        let (key, versions) = (call.bytes(), captured.write());
        let parts = [&[], &key[..], &payload[..], &versions[..]];
        let bytes = outward::envelope(header, &outward, parts).expect("an envelope");
        about.captured = Some(Arc::new(captured));
        let stored = redis.store(lease, bytes, ttl, &mut patience).await;
        stored == Outcome::Kept
    }
}

/// What is kept for a call, if it may be served.
async fn read(
    redis: &Redis,
    wanted: &Wanted<'_>,
    patience: &mut Patience,
) -> Result<Option<(Value, About, Duration)>, Fault> {
    let mut loaded = None;
    let mut take = |sound: &Sound<'_>| {
        loaded =
            Value::parse(sound.envelope.payload).map(|value| (value, sound.about(), sound.left));
        loaded.is_some()
    };
    redis.read(wanted, patience, &mut take).await?;
    Ok(loaded)
}
