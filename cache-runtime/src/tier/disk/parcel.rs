//! Entries on their way to the disk, and what is asked for on the way back.

use super::lease::Lease;
use super::machine::MachineStamp;
use super::store::Fault;
use crate::codec::envelope::{self, Envelope, Head};
use crate::counters::Counters;
use crate::culprit::Blame;
use crate::entry::About;
use crate::files::Files;
use crate::mark::Mark;
use crate::outward;
use crate::sync::Mutex;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a reader asks for.
pub(crate) struct Wanted<'a> {
    pub(crate) id: u64,
    /// The canonical key, behind its function's identity.
    pub(crate) key: &'a [u8],
    pub(crate) shape: [u8; 16],
    /// For how long its time may be over.
    pub(crate) linger: Duration,
    /// Where to say what overtook it.
    pub(crate) blame: Option<&'a Blame>,
}

/// An entry that is whole, of the key and shape that were asked for, and not expired for too long.
pub(crate) struct Sound<'a> {
    pub(crate) envelope: Envelope<'a>,
    /// What it depends on of the file system.
    pub(crate) files: Option<Arc<Files>>,
    /// The time of day at which it was looked at.
    pub(crate) wall: Duration,
}

impl Sound<'_> {
    /// What is known of its value. That takes some making, and a value that goes no further than to
    /// its caller needs none.
    pub(crate) fn about(&self) -> About {
        let about = outward::about(&self.envelope.header, self.envelope.names.clone());
        About { files: self.files.clone(), ..about }
    }

    /// Every name that it depends on.
    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        self.envelope.names.clone().flat_map(|group| group.marks).map(Mark::from_words)
    }
}

/// One entry to be stored.
pub(crate) struct Parcel {
    pub(crate) id: u64,
    pub(crate) created: u64,
    pub(crate) expires: u64,
    pub(crate) stamp: MachineStamp,
    pub(crate) envelope: Vec<u8>,
    /// In names that leave the process.
    pub(crate) about: About,
    pub(crate) counters: Arc<Counters>,
    /// Let go once the entry can be read by others, or never will be.
    pub(crate) lease: Mutex<Option<Lease>>,
}

/// Parcels that have not arrived yet, for readers of this process.
#[derive(Default)]
pub(super) struct Pending {
    parcels: Mutex<HashMap<u64, Arc<Parcel>>>,
    count: AtomicUsize,
    bytes: AtomicUsize,
}

impl Pending {
    pub(super) fn get(&self, id: u64) -> Option<Arc<Parcel>> {
        // Acquire: meets the Release in `remove`; who sees none sees that the store has changed. Who
        // has sent a parcel sees its own.
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.parcels.lock().get(&id).cloned()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, parcel: &Arc<Parcel>) {
        let mut parcels = self.parcels.lock();
        parcels.insert(parcel.id, Arc::clone(parcel));
        self.count.store(parcels.len(), Ordering::Relaxed);
        self.bytes.fetch_add(parcel.envelope.len(), Ordering::Relaxed);
    }

    /// Forgets a parcel; a later one for the same id stays.
    pub(super) fn remove(&self, parcel: &Arc<Parcel>) {
        let mut parcels = self.parcels.lock();
        if parcels.get(&parcel.id).is_some_and(|it| Arc::ptr_eq(it, parcel)) {
            parcels.remove(&parcel.id);
        }
        self.count.store(parcels.len(), Ordering::Release);
        self.bytes.fetch_sub(parcel.envelope.len(), Ordering::Relaxed);
    }
}

/// Ends when something that was sent has arrived, or is known not to.
#[derive(Clone, Default)]
pub(crate) struct Arrival(Arc<Mutex<(bool, Option<Waker>)>>);

impl Arrival {
    /// One that has ended.
    pub(crate) fn now() -> Self {
        Self(Arc::new(Mutex::new((true, None))))
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.lock().0
    }

    pub(super) fn end(&self) {
        let mut state = self.0.lock();
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Future for Arrival {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The stamp and the names at the beginning of an envelope, of which `more` reads as much as is
/// asked for. Nothing if it is damaged.
pub(super) fn head(
    prefix: &[u8],
    more: impl FnOnce(usize) -> Result<Vec<u8>, Fault>,
) -> Result<Option<(u64, About)>, Fault> {
    let longer = match envelope::parse_head(prefix) {
        Ok((header, Head::Whole(names))) => {
            return Ok(Some((header.stamp, outward::about(&header, names))));
        }
        Ok((_, Head::Longer(length))) => more(length)?,
        Err(_) => return Ok(None),
    };
    Ok(match envelope::parse_head(&longer) {
        Ok((header, Head::Whole(names))) => Some((header.stamp, outward::about(&header, names))),
        _ => None,
    })
}
