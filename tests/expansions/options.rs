//! Options.

use larder::{Runtime, cached};
use std::sync::LazyLock;
use std::time::Duration;

const LIMIT: usize = 128;

const fn is_kept(out: &Result<u64, String>) -> bool {
    out.is_ok()
}

const fn ttl(_: &Result<u64, String>) -> Duration {
    Duration::from_secs(1)
}

fn tags(out: &Result<u64, String>) -> Vec<String> {
    out.iter().map(u64::to_string).collect()
}

const fn weight(_: &Result<u64, String>) -> usize {
    1
}

fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Runtime::builder().build().unwrap_or_else(|_| std::process::abort()));
    &RUNTIME
}

/// With all of them.
///
/// # Errors
///
/// Without a name.
#[cached(
    tier = "l1",
    ttl = "1h",
    capacity = LIMIT,
    weigh = weight,
    tags("user:{id}", "name:{name.len()}", "policy"),
    key = "user:{id}:{name}",
    context,
    scope = "session",
    version = 2,
    name = "every",
    when = id > 0,
    negative = "5s",
    ttl_for = ttl,
    cache_if = is_kept,
    tags_for = tags,
    wait = "1s",
    handle = Every,
    runtime = runtime(),
    crate = larder
)]
pub fn every(id: u64, name: &str) -> Result<u64, String> {
    if name.is_empty() { Err("no name".to_owned()) } else { Ok(id + name.len() as u64) }
}

/// With a key of expressions.
#[cached(key(xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), left + right, u8::from(flag)))]
#[must_use]
pub fn expressions(xs: &[f64], left: u64, right: u64, flag: bool) -> usize {
    xs.len() + usize::from(flag) + usize::try_from(left + right).unwrap_or(usize::MAX)
}

/// With a condition and a runtime, and with a capacity that is computed.
#[cached(when = !name.is_empty(), runtime = runtime().clone(), capacity = 2 * 64)]
pub async fn under_a_condition(name: &str) -> usize {
    std::future::ready(()).await;
    name.len()
}

/// With a capacity that is a number.
#[cached(capacity = 10_000, tier(l1), ttl(l1 = "1500ms"), version = auto)]
#[must_use]
pub fn numbers(x: f64, y: f32) -> bool {
    x > f64::from(y)
}
