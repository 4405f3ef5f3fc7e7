//! Calls with each of many arguments, several at a time.

use crate::ask::{Ran, Wish};
use crate::calling;
use crate::context;
use crate::site::Site;
use crate::warm::{Ended, Failed, Tally, Warmed, Warming};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;

/// Whether a call that returned this has failed, and its error, if that prints.
type Fails<Out> = fn(&Out) -> Result<(), Option<String>>;

/// Makes one call.
fn make<A, Out>(
    (site, fails): (&'static Site, Fails<Out>),
    call: &impl Fn(A) -> Out,
    (position, arguments): (u64, A),
) -> Ended {
    let ran = Arc::new(Ran::default());
    let wish = Wish::Warm(Arc::clone(&ran));
    let made = || calling::ask(site, None, wish, || call(arguments));
    let out = catch_unwind(AssertUnwindSafe(made));
    ended(position, &ran, out.as_ref().map(|out| asked(fails, out)).map_err(|panic| &**panic))
}

/// Whether a call has failed. Of what panics as it prints it is known that there is something to say.
fn asked<Out>(fails: Fails<Out>, out: &Out) -> Result<(), Option<String>> {
    catch_unwind(AssertUnwindSafe(|| fails(out))).unwrap_or(Err(None))
}

/// What has come of a call that returned or panicked.
fn ended(
    position: u64,
    ran: &Ran,
    returned: Result<Result<(), Option<String>>, &(dyn Any + Send)>,
) -> Ended {
    let failed = match returned {
        Ok(Ok(())) => ran.has_failed().then_some((false, None)),
        Ok(Err(error)) => Some((false, error)),
        Err(panic) => Some((true, said(panic))),
    };
    let failed = failed.map(|(panicked, error)| Failed { position, panicked, error });
    Ended { ran: ran.has_begun(), failed }
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

fn numbered<A>(arguments: impl IntoIterator<Item = A>) -> impl Iterator<Item = (u64, A)> {
    (0..).zip(arguments)
}

/// Calls a function with each of many arguments, one after the other. A failure does not stop it.
pub fn warm<A, Out>(
    site: &'static Site,
    fails: Fails<Out>,
    arguments: impl IntoIterator<Item = A>,
    call: impl Fn(A) -> Out,
) -> Warmed {
    let arguments = arguments.into_iter();
    let mut tally = Tally::new(arguments.size_hint(), None);
    numbered(arguments).for_each(|one| tally.note(make((site, fails), &call, one)));
    tally.end()
}

/// The same on several threads.
pub fn warm_with<A: Send, Out>(
    site: &'static Site,
    fails: Fails<Out>,
    warming: Warming<'_>,
    arguments: impl IntoIterator<Item = A>,
    call: impl Fn(A) -> Out + Sync,
) -> Warmed {
    let arguments = arguments.into_iter();
    let Warming { concurrency, progress } = warming;
    let mut tally = Tally::new(arguments.size_hint(), progress);
    let around = context::current();
    thread::scope(|scope| {
        let ((give, taken), (tell, ended)) = (sync_channel(0), channel());
        let taken = Arc::new(Mutex::new(taken));
        let mut threads = 0;
        for one in numbered(arguments) {
            if threads < concurrency.get() {
                let (taken, tell, call) = (Arc::clone(&taken), tell.clone(), &call);
                let around = around.clone();
                let work = move || {
                    let next = || taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    while let Ok(one) = next() {
                        let make = || make((site, fails), call, one);
                        let ended = match around.clone() {
                            Some(around) => context::inside(around, make),
                            None => make(),
                        };
                        let _ = tell.send(ended);
                    }
                };
                threads += usize::from(thread::Builder::new().spawn_scoped(scope, work).is_ok());
            }
            if threads == 0 {
                tally.note(make((site, fails), &call, one));
            } else if give.send(one).is_err() {
                break;
            }
            for ended in ended.try_iter() {
                tally.note(ended);
            }
        }
        drop((give, tell));
        for ended in ended {
            tally.note(ended);
        }
    });
    tally.end()
}

/// A call under way.
struct Under<F> {
    position: u64,
    ran: Arc<Ran>,
    call: Pin<Box<F>>,
}

impl<F: Future> Under<F> {
    /// Goes on, and says what came of it.
    fn poll(&mut self, fails: Fails<F::Output>, task: &mut Context<'_>) -> Poll<Ended> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.call.as_mut().poll(task)));
        let returned = match &polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(out)) => Ok(asked(fails, out)),
            Err(panic) => Err(&**panic),
        };
        Poll::Ready(ended(self.position, &self.ran, returned))
    }
}

/// Calls an async function with each of many arguments, eight at a time. A failure does not stop it.
///
/// # Cancellation
///
/// What was computed until then stays cached.
pub async fn warm_async<A, Fut: Future>(
    site: &'static Site,
    fails: Fails<Fut::Output>,
    arguments: impl IntoIterator<Item = A>,
    call: impl Fn(A) -> Fut,
) -> Warmed {
    warm_with_async(site, fails, Warming::new(), arguments, call).await
}

/// The same, so many at a time as it is said.
///
/// # Cancellation
///
/// What was computed until then stays cached.
pub async fn warm_with_async<A, Fut: Future>(
    site: &'static Site,
    fails: Fails<Fut::Output>,
    warming: Warming<'_>,
    arguments: impl IntoIterator<Item = A>,
    call: impl Fn(A) -> Fut,
) -> Warmed {
    let arguments = arguments.into_iter();
    let Warming { concurrency, progress } = warming;
    let mut tally = Tally::new(arguments.size_hint(), progress);
    let mut arguments = numbered(arguments);
    let mut under_way: Vec<Under<_>> = Vec::new();
    let begin = |(position, arguments)| {
        let ran = Arc::new(Ran::default());
        let wish = Arc::clone(&ran);
        let call = calling::ask_async(site, None, || Wish::Warm(wish), call(arguments));
        Under { position, ran, call: Box::pin(call) }
    };
    poll_fn(|task| {
        let mut is_over = false;
        loop {
            let before = under_way.len();
            under_way.retain_mut(|it| match it.poll(fails, task) {
                Poll::Pending => true,
                Poll::Ready(ended) => {
                    tally.note(ended);
                    false
                }
            });
            let is_stuck = under_way.len() == before;
            while !is_over && under_way.len() < concurrency.get() {
                match arguments.next() {
                    Some(one) => under_way.push(begin(one)),
                    None => is_over = true,
                }
            }
            if under_way.is_empty() {
                return Poll::Ready(());
            }
            // Those that were begun just now have not been polled yet.
            if is_stuck && under_way.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    tally.end()
}

/// A function that says what it is to be warmed with.
pub struct Warmable {
    site: fn() -> &'static Site,
    warm: fn() -> Begun,
}

/// A function being warmed.
type Begun = Pin<Box<dyn Future<Output = Warmed>>>;

inventory::collect!(Warmable);

impl Warmable {
    /// A function, and how it is warmed.
    pub const fn new(site: fn() -> &'static Site, warm: fn() -> Begun) -> Self {
        Self { site, warm }
    }
}

/// Warms every function that says `warm = path`, one after the other, and returns what came of each by its
/// name: of one whose list can't be had for a panic, that its first call has panicked. To be awaited as the
/// program starts.
///
/// ```
/// fn primes() -> Vec<u64> {
///     vec![2, 3, 5, 7]
/// }
///
/// #[larder::cached(warm = primes)]
/// fn cube(number: u64) -> u64 {
///     number * number * number
/// }
///
/// let warmed = larder::blocking::warm_all();
/// assert!(warmed.iter().any(|(name, it)| name.ends_with("cube") && it.calls == 4));
/// assert_eq!(cube::peek(7), Some(343));
/// ```
///
/// # Cancellation
///
/// What was computed until then stays cached.
pub async fn warm_all() -> Vec<(String, Warmed)> {
    let mut all = Vec::new();
    for Warmable { site, warm } in inventory::iter::<Warmable> {
        let mut begun = None;
        let warmed = poll_fn(|task| {
            // What it is warmed with is the program's to say.
            let mut poll = || begun.get_or_insert_with(warm).as_mut().poll(task);
            let polled = catch_unwind(AssertUnwindSafe(&mut poll));
            polled.unwrap_or_else(|panic| Poll::Ready(panicked(&*panic)))
        });
        let warmed = warmed.await;
        all.push((site().name(), warmed));
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// A function whose list of arguments can't be had.
fn panicked(panic: &(dyn Any + Send)) -> Warmed {
    let mut tally = Tally::new((0, None), None);
    tally.note(ended(0, &Ran::default(), Err(panic)));
    tally.end()
}

/// For code that is not async.
pub(crate) mod blocking {
    use super::Warmed;
    use crate::sync;

    /// As [`warm_all`](super::warm_all). Async functions are warmed on this thread, outside of any executor:
    /// those that need theirs are to be awaited there.
    pub fn warm_all() -> Vec<(String, Warmed)> {
        sync::block_on(super::warm_all())
    }
}
