//! Calls with something said around them.

use crate::context::{self, Changed, Surroundings};
use crate::options::Options;
use std::future::Future;

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
