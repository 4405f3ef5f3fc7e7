//! What an executor of the program may have of its own.

use crate::context;

/// Gives the tokio runtime that this is called in a connection to Redis of its own, for as long as
/// that runs.
///
/// Without it, every call asks on a thread of Larder's own, whatever it is called from. With it, a
/// call that is awaited in this tokio runtime asks in there, and changes no threads, if it is of a
/// function whose values are kept in L3 alone and no other cached function is being computed around
/// it. Calls that come together are asked for together; a hit is its caller's own. Everything else is as it was: what is stored,
/// invalidated, heard or kept nearer goes by the tier's own connection, and so does every call while
/// this one can't be used. Whether the deadline is over is looked at every 10 ms.
///
/// It returns at once; the connection is made, and made anew, beside what goes on. To be called once,
/// as the program starts; more often does no harm. Nothing happens where no server is configured, and
/// for now where it is a cluster.
///
/// ```no_run
/// #[larder::cached(tier = "l3", ttl = "1h")]
/// async fn price(item: u64) -> u64 {
///     item * 2
/// }
///
/// #[tokio::main]
/// async fn main() {
///     larder::attach_executor();
///     price(7).await;
/// }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, and in one without I/O or timers. `#[tokio::main]` has both, and so
/// has whatever says `enable_all`.
pub fn attach_executor() {
    if let Some(redis) = context::runtime().redis() {
        redis.attach_executor();
    }
}
