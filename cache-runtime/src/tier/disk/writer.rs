//! The one thread of a runtime that writes to the store, and keeps the house in between.
//!
//! 1. What is queued is written in one transaction, as much of it as there is.
//! 2. A parcel can be read by this process from when it is sent, and by others before its lease is
//!    let go.
//! 3. The thread ends only when the queue is empty.

use super::Core;
use super::fault::guarded;
use super::housekeeping::House;
use super::opened::Opened;
use super::opened::cut_short;
use super::parcel::{Arrival, Parcel};
use super::shared::at_exit;
use super::store::{Batch, Fault};
use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Once};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the house is looked after when nothing is to be written, and when there is more to do.
const TICK: Duration = Duration::from_millis(50);
const NEXT_STEP: Duration = Duration::from_millis(1);
/// The same while there are reads that others may have to wait for.
const READING: Duration = Duration::from_millis(5);
/// Parcels written in one transaction.
const MOST_AT_ONCE: usize = 256;
/// Bytes on their way to the disk. While it can't keep up, what comes then is not stored.
const MOST_PENDING: usize = 64 << 20;
/// The longest that the end of a program waits for its disk.
const LAST_WAIT: Duration = Duration::from_secs(10);

enum Job {
    Store(Arc<Parcel>, Arrival),
    Discard(Arc<Opened>, u64),
    /// Everything before it is written; and, if nobody else uses the tier, it is closed cleanly.
    Flush(Arrival),
}

pub(super) struct Writer {
    core: Arc<Core>,
    number: u64,
    /// Nothing if there can be no thread.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// The number of the next writer.
static NEXT: AtomicU64 = AtomicU64::new(0);
static AT_EXIT: Once = Once::new();

/// The queues of all writers, for the end of the program.
static QUEUES: Mutex<BTreeMap<u64, Sender<Job>>> = Mutex::new(BTreeMap::new());

impl Writer {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let (jobs, inbox) = mpsc::channel();
        let at_work = Arc::clone(&core);
        let begun = thread::Builder::new()
            .name("larder-disk".to_owned())
            .spawn(move || work(&at_work, &inbox));
        let Ok(thread) = begun else {
            log::warn!("the disk tier stores nothing: there can be no thread for it");
            return Self { core, number: 0, jobs: None, thread: None };
        };
        core.has_house.store(true, Ordering::Relaxed);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        QUEUES.lock().insert(number, jobs.clone());
        AT_EXIT.call_once(|| {
            if at_exit(finish_all).is_err() {
                log::warn!(
                    "what is computed last may not be stored: the end of the program can't be seen"
                );
            }
        });
        Self { core, number, jobs: Some(jobs), thread: Some(thread) }
    }

    pub(super) fn store(&self, parcel: Parcel) -> Arrival {
        let arrival = Arrival::default();
        let parcel = Arc::new(parcel);
        let jobs = self.jobs.as_ref().filter(|_| self.core.pending.bytes() < MOST_PENDING);
        let Some(jobs) = jobs else {
            parcel.counters.degraded.add(1);
            return Arrival::now();
        };
        self.core.pending.add(&parcel);
        let sent = jobs.send(Job::Store(Arc::clone(&parcel), arrival.clone()));
        if sent.is_err() {
            self.core.pending.remove(&parcel);
            return Arrival::now();
        }
        arrival
    }

    /// Removes what can't be read.
    pub(super) fn discard(&self, opened: &Arc<Opened>, id: u64) {
        if let Some(jobs) = &self.jobs {
            // Who can't be told any more will not be asked for it either.
            let _ = jobs.send(Job::Discard(Arc::clone(opened), id));
        }
    }

    pub(super) fn flush(&self) -> Arrival {
        self.jobs.as_ref().map_or_else(Arrival::now, flush)
    }
}

fn flush(jobs: &Sender<Job>) -> Arrival {
    let arrival = Arrival::default();
    match jobs.send(Job::Flush(arrival.clone())) {
        Ok(()) => arrival,
        Err(_) => Arrival::now(),
    }
}

/// Waits for all queues when the program ends.
fn finish_all() {
    let arrivals: Vec<_> = QUEUES.lock().values().map(flush).collect();
    let begun = Instant::now();
    while !arrivals.iter().all(Arrival::is_over) && begun.elapsed() < LAST_WAIT {
        thread::sleep(NEXT_STEP);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(jobs) = self.jobs.take() else { return };
        QUEUES.lock().remove(&self.number);
        let arrival = flush(&jobs);
        drop(jobs);
        let Some(thread) = self.thread.take() else { return };
        // The last user of the tier may be the thread itself, as it tells what it has heard.
        if thread.thread().id() != thread::current().id() {
            drop(arrival);
            // It panics only where the program's own code does, of which it runs none.
            let _ = thread.join();
        }
    }
}

fn work(core: &Core, inbox: &Receiver<Job>) {
    let mut house = House::default();
    let (mut looked_after, mut closed) = (Instant::now(), Instant::now());
    loop {
        let pause = match &house {
            house if house.is_busy() => NEXT_STEP,
            house if house.is_read() => READING,
            _ => TICK,
        };
        match inbox.recv_timeout(pause) {
            Ok(first) => {
                let more = std::iter::from_fn(|| inbox.try_recv().ok());
                let jobs: Vec<_> = std::iter::once(first).chain(more.take(MOST_AT_ONCE)).collect();
                carry_out(core, jobs);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if closed.elapsed() >= pause {
            house.close_reads(core);
            closed = Instant::now();
        }
        if house.is_busy() || looked_after.elapsed() >= TICK {
            house.look_after(core);
            looked_after = Instant::now();
        }
    }
}

fn carry_out(core: &Core, jobs: Vec<Job>) {
    let (mut parcels, mut rest) = (Vec::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Store(parcel, arrival) => parcels.push((parcel, arrival)),
            other => rest.push(other),
        }
    }
    if !parcels.is_empty() {
        write(core, &parcels);
    }
    for (parcel, arrival) in parcels {
        core.pending.remove(&parcel);
        drop(parcel.lease.lock().take());
        arrival.end();
    }
    for job in rest {
        match job {
            Job::Discard(opened, id) => {
                let _ = guarded(|| opened.store.batch(|batch| batch.remove(id)));
            }
            Job::Flush(arrival) => {
                core.finish();
                arrival.end();
            }
            Job::Store(..) => unreachable!("they have been carried out"),
        }
    }
}

/// Writes parcels, as many in one transaction as it has room for, each only if it is still valid.
fn write(core: &Core, parcels: &[(Arc<Parcel>, Arrival)]) {
    let mut rest = parcels;
    while !rest.is_empty() {
        let Some(opened) = core.opened() else { break };
        let written = guarded(|| {
            let put_some = |batch: &Batch<'_>| put(core, batch, rest);
            match opened.store.batch(put_some)? {
                0 => match opened.store.alone(|batch| put_large(core, batch, &rest[0].0)) {
                    Err(fault @ Fault::Busy(_)) => {
                        // The others need less room.
                        core.fail(&opened, &fault);
                        rest[0].0.counters.degraded.add(1);
                        Ok(1)
                    }
                    put => put,
                },
                done => Ok(done),
            }
        });
        let fault = match written {
            Ok(Ok(done)) => {
                rest = &rest[done..];
                continue;
            }
            Ok(Err(fault)) => fault,
            Err(_) => cut_short(),
        };
        core.fail(&opened, &fault);
        break;
    }
    for (parcel, _) in rest {
        parcel.counters.degraded.add(1);
    }
}

/// Puts parcels into a transaction until it is full, and says how many there was room for.
fn put(core: &Core, batch: &Batch<'_>, parcels: &[(Arc<Parcel>, Arrival)]) -> Result<usize, Fault> {
    // The clock as of this transaction: a sweep that follows it sees what it stores.
    core.catch_up();
    let mut done = 0;
    for (parcel, _) in parcels {
        if !batch.fits(parcel.envelope.len()) {
            break;
        }
        put_one(core, batch, parcel)?;
        done += 1;
    }
    Ok(done)
}

/// Puts a parcel that takes a transaction of its own, if it is not too large even for that.
fn put_large(core: &Core, batch: &Batch<'_>, parcel: &Parcel) -> Result<usize, Fault> {
    core.catch_up();
    if batch.fits(parcel.envelope.len()) {
        put_one(core, batch, parcel)?;
    } else {
        parcel.counters.evictions_oversized.add(1);
    }
    Ok(1)
}

fn put_one(core: &Core, batch: &Batch<'_>, parcel: &Parcel) -> Result<(), Fault> {
    let Parcel { id, expires, created, stamp, envelope, about, counters, .. } = parcel;
    let stored = core.machine.vouches_for(about, *stamp)
        && batch.put(*id, *expires, *created, stamp.at.0, envelope)?;
    let count = if stored { &counters.stores_l2 } else { &counters.fenced_stores_l2 };
    count.add(1);
    Ok(())
}
