//! What one task waits for and something else brings.

use crate::sync::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What is waited for. Nothing is what comes first.
pub(super) struct Promise<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

/// The way to keep it. Kept twice, what came first counts.
pub(super) struct Keeper<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

pub(super) fn promise<T>() -> (Promise<T>, Keeper<T>) {
    let place = Arc::new(Mutex::new((None, None)));
    (Promise(Arc::clone(&place)), Keeper(place))
}

impl<T> Clone for Keeper<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Keeper<T> {
    pub(super) fn keep(&self, what: T) {
        let mut place = self.0.lock();
        place.0.get_or_insert(what);
        let waker = place.1.take();
        drop(place);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl<T> Future for Promise<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T> {
        let mut place = self.0.lock();
        if let Some(what) = place.0.take() {
            return Poll::Ready(what);
        }
        place.1 = Some(task.waker().clone());
        Poll::Pending
    }
}
