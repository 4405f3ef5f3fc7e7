//! What a thread asks servers for while it goes on with several calls: sent, to each server as one, once it
//! has gone on with all of them.
//!
//! 1. What is asked for within another wait of the thread is sent at once: else it would wait for itself.

use super::requests::Request;
use crate::sync;
use smallvec::{SmallVec, smallvec};
use std::cell::RefCell;
use std::marker::PhantomData;
use tokio::sync::mpsc::UnboundedSender;

/// Requests that are sent to a server as one.
pub(super) type Letter = SmallVec<[Request; 1]>;

struct Outbox {
    /// The wait of the thread that it goes on with calls in.
    wait: u64,
    letters: Vec<(UnboundedSender<Letter>, Letter)>,
}

thread_local! {
    static OUTBOX: RefCell<Option<Outbox>> = const { RefCell::new(None) };
}

/// Sends a request, now or with others. False if nobody would get it.
pub(super) fn send(to: &UnboundedSender<Letter>, request: Request) -> bool {
    let mut request = Some(request);
    // A thread that ends has none any more.
    let _ = OUTBOX.try_with(|outbox| {
        let mut outbox = outbox.borrow_mut();
        let Some(outbox) = outbox.as_mut().filter(|it| it.wait == sync::innermost_wait()) else {
            return;
        };
        match outbox.letters.iter_mut().find(|(it, _)| it.same_channel(to)) {
            Some((_, letter)) => letter.extend(request.take()),
            None => outbox.letters.push((to.clone(), request.take().into_iter().collect())),
        }
    });
    match request {
        Some(request) => to.send(smallvec![request]).is_ok(),
        None => !to.is_closed(),
    }
}

/// As long as it lasts, this thread sends nothing: what is asked for goes together when it ends.
pub(crate) struct Collecting {
    /// Whether there was none before.
    is_own: bool,
    /// Of the thread that began it.
    _here: PhantomData<*const ()>,
}

impl Collecting {
    pub(crate) fn begin() -> Self {
        let begin = |outbox: &RefCell<Option<Outbox>>| {
            let mut outbox = outbox.borrow_mut();
            let is_own = outbox.is_none();
            let begun = || Outbox { wait: sync::innermost_wait(), letters: Vec::new() };
            outbox.get_or_insert_with(begun);
            is_own
        };
        Self { is_own: OUTBOX.try_with(begin).unwrap_or(false), _here: PhantomData }
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        if !self.is_own {
            return;
        }
        let outbox = OUTBOX.try_with(RefCell::take).ok().flatten();
        for (to, letter) in outbox.into_iter().flat_map(|it| it.letters) {
            // Who is gone answers nobody, and whoever asked learns that.
            let _ = to.send(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Collecting, Letter, send};
    use crate::sync;
    use crate::tier::redis::batch::Term;
    use crate::tier::redis::requests::Request;
    use std::time::Duration;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::sync::oneshot;

    fn request() -> Request {
        let term = Term::new(Duration::from_secs(1));
        Request { commands: Vec::new(), term, replies: oneshot::channel().0 }
    }

    /// How many requests came at once, each time.
    fn came(received: &mut UnboundedReceiver<Letter>) -> Vec<usize> {
        std::iter::from_fn(|| received.try_recv().ok()).map(|letter| letter.len()).collect()
    }

    #[test]
    fn what_is_asked_for_meanwhile_goes_together_to_each() {
        let ((one, mut ones), (other, mut others)) = (unbounded_channel(), unbounded_channel());
        let collecting = Collecting::begin();
        let inner = Collecting::begin();
        for to in [&one, &other, &one, &one] {
            assert!(send(to, request()));
        }
        drop(inner);
        assert_eq!((came(&mut ones), came(&mut others)), (vec![], vec![]));
        drop(collecting);
        assert_eq!((came(&mut ones), came(&mut others)), (vec![3], vec![1]));
        assert!(send(&one, request()) && send(&one, request()));
        assert_eq!(came(&mut ones), [1, 1]);
        drop(ones);
        let _collecting = Collecting::begin();
        assert!(!send(&one, request()));
    }

    #[test]
    fn what_is_waited_for_meanwhile_is_sent_at_once() {
        let (to, mut received) = unbounded_channel();
        let _collecting = Collecting::begin();
        sync::block_on(async {
            assert!(send(&to, request()));
            let _within = Collecting::begin();
            assert!(send(&to, request()));
        });
        assert!(send(&to, request()));
        assert_eq!(came(&mut received), [1, 1]);
    }
}
