//! Calls with something said around them, by the program or by a companion.

use crate::ask::{Ask, Wish};
use crate::context::{self, Changed, Surroundings};
use crate::mark::Mark;
use crate::options::Options;
use crate::site::Site;
use std::future::{Future, poll_fn};
use std::pin::pin;

/// Runs `f`, whose calls of cached functions go by `options`.
///
/// ```
/// use larder::Options;
/// use std::time::Duration;
///
/// #[larder::cached(ttl = "1h")]
/// fn answer(question: &str) -> usize {
///     question.len()
/// }
///
/// larder::with(Options::new().ttl(Duration::from_secs(60)), || answer("how long?"));
/// larder::with(Options::new().skip_read(), || answer("how long?")); // computed once more
/// ```
pub fn with<R>(options: Options, f: impl FnOnce() -> R) -> R {
    context::with(|surroundings| add(surroundings, options), f)
}

/// Returns a future that runs `future`, whose calls of cached functions go by `options`, across every
/// `.await` in it.
///
/// # Cancellation
///
/// As safe to drop as `future` itself.
pub fn scope<F: Future>(options: Options, future: F) -> impl Future<Output = F::Output> + use<F> {
    Changed::new(future, move |surroundings: &mut Surroundings| add(surroundings, options))
}

fn add(surroundings: &mut Surroundings, options: Options) {
    surroundings.options = options.inside(surroundings.options);
}

/// Runs a call with a wish.
pub(crate) fn ask<R>(
    site: &'static Site,
    key: Option<Mark>,
    wish: Wish,
    call: impl FnOnce() -> R,
) -> R {
    context::asking(Ask { site: site.place(), key, wish }, call)
}

/// Polls a call for the first time with a wish: that is when it looks its entry up.
///
/// # Cancellation
///
/// As safe to drop as the call itself.
pub(crate) async fn ask_async<Fut: Future>(
    site: &'static Site,
    key: Option<Mark>,
    wish: impl FnOnce() -> Wish,
    call: Fut,
) -> Fut::Output {
    let mut call = pin!(call);
    let mut wish = Some(wish);
    poll_fn(|task| match wish.take() {
        Some(wish) => ask(site, key, wish(), || call.as_mut().poll(task)),
        None => call.as_mut().poll(task),
    })
    .await
}
