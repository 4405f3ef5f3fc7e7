//! The synchronization primitives everything here is built on, in one place, so that one switch
//! (`--cfg larder_model`) puts the whole crate under a model checker.

#[cfg(not(larder_model))]
pub(crate) use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
#[cfg(not(larder_model))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(larder_model))]
pub(crate) use std::thread_local;

#[cfg(larder_model)]
pub(crate) use self::model::{Mutex, RwLock};
#[cfg(larder_model)]
pub(crate) use shuttle::sync::RwLockWriteGuard;
#[cfg(larder_model)]
pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};

#[cfg(larder_model)]
pub(crate) use shuttle::thread_local;

/// Runs a future to its end on this thread, parking it meanwhile.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    #[cfg(feature = "redis")]
    let _waits = waits::Waits::begin();
    #[cfg(not(larder_model))]
    return parked::block_on(future);
    #[cfg(larder_model)]
    return shuttle::future::block_on(future);
}

/// Runs code of the user's that is reached by way of [`block_on`], and is no part of the wait.
#[cfg(feature = "redis")]
pub(crate) use self::waits::apart;

#[cfg(not(feature = "redis"))]
pub(crate) fn apart<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(feature = "redis")]
pub(crate) use self::waits::{innermost as innermost_wait, is_parked};

/// Which threads do nothing but wait.
#[cfg(feature = "redis")]
mod waits {
    use std::cell::Cell;

    std::thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        /// The last that was begun, and which of those that last is the innermost. 0 if none is.
        static LAST: Cell<u64> = const { Cell::new(0) };
        static INNERMOST: Cell<u64> = const { Cell::new(0) };
    }

    /// A wait of this thread. Meanwhile it runs no executor.
    pub(super) struct Waits {
        outer: u64,
    }

    impl Waits {
        pub(super) fn begin() -> Self {
            let _ = DEPTH.try_with(|depth| depth.set(depth.get() + 1));
            let number = LAST.try_with(|last| last.replace(last.get() + 1)).map_or(0, |it| it + 1);
            Self { outer: INNERMOST.try_with(|it| it.replace(number)).unwrap_or(0) }
        }
    }

    impl Drop for Waits {
        fn drop(&mut self) {
            let _ = INNERMOST.try_with(|it| it.set(self.outer));
            let _ = DEPTH.try_with(|depth| depth.set(depth.get() - 1));
        }
    }

    /// Tells the wait that this thread is in from all others of it.
    pub(crate) fn innermost() -> u64 {
        INNERMOST.try_with(Cell::get).unwrap_or(0)
    }

    pub(crate) fn apart<R>(f: impl FnOnce() -> R) -> R {
        struct Restore(u32);
        impl Drop for Restore {
            fn drop(&mut self) {
                let _ = DEPTH.try_with(|depth| depth.set(self.0));
            }
        }
        let _restore = Restore(DEPTH.try_with(|depth| depth.replace(0)).unwrap_or_default());
        f()
    }

    /// Whether this thread runs nothing but what [`block_on`](super::block_on) waits for.
    pub(crate) fn is_parked() -> bool {
        DEPTH.try_with(Cell::get).map_or(true, |depth| depth > 0)
    }
}

#[cfg(not(larder_model))]
mod parked {
    use parking_lot::{Condvar, Mutex};
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};

    /// What one wait of a thread is woken by. It is no thread-local value, which would be gone when
    /// a thread that ends has to wait.
    #[derive(Default)]
    struct Bell {
        rung: Mutex<bool>,
        ring: Condvar,
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            *self.rung.lock() = true;
            self.ring.notify_one();
        }
    }

    pub(super) fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        // Most need not wait, and nothing to be woken by.
        let mut unheard = Context::from_waker(Waker::noop());
        if let Poll::Ready(out) = future.as_mut().poll(&mut unheard) {
            return out;
        }
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        loop {
            if let Poll::Ready(out) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return out;
            }
            let mut rung = bell.rung.lock();
            while !*rung {
                bell.ring.wait(&mut rung);
            }
            *rung = false;
        }
    }
}

#[cfg(larder_model)]
mod model {
    use shuttle::sync;

    /// The checker's mutex behind the interface used here: no poisoning.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> sync::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(sync::PoisonError::into_inner)
        }

        pub(crate) fn try_lock(&self) -> Option<sync::MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }
    }

    /// The checker's reader-writer lock, likewise.
    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> sync::RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(sync::PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> sync::RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(sync::PoisonError::into_inner)
        }
    }
}
