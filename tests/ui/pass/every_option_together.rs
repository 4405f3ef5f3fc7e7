#![forbid(unsafe_code)]

use larder::cached;
use std::collections::HashMap;
use std::time::Duration;

fn positive(out: &Result<u64, String>) -> bool {
    out.is_err() || out == &Ok(0) || out.is_ok()
}

fn short(_: &Result<u64, String>) -> Option<Duration> {
    Some(Duration::from_secs(60))
}

fn more_tags(_: &Result<u64, String>) -> Vec<&'static str> {
    vec!["more"]
}

fn weight(_: &Result<u64, String>) -> usize {
    3
}

fn instead(id: u64, _: &str, _: &larder::Runtime) -> Result<u64, String> {
    Ok(id)
}

#[cached(
    tier = "l1",
    ttl = "1h",
    capacity = 1_000,
    weigh = weight,
    tags("user:{id}", "name:{name.len()}", "{{braces}}"),
    key = "user:{id}:{name}",
    context,
    scope = "request",
    version = 2,
    name = "everything",
    when = id > 0,
    stale = "10m",
    grace = "1d",
    jitter = "10%",
    negative = "5s",
    ttl_for = short,
    cache_if = positive,
    tags_for = more_tags,
    wait = "1s",
    refresh = "5m",
    timeout = "50ms",
    deadline = "2s",
    fallback = instead,
    handle = Everything,
    runtime = runtime.clone(),
    crate = larder,
)]
fn everything(id: u64, name: &str, runtime: &larder::Runtime) -> Result<u64, String> {
    let functions = runtime.stats().functions.len() as u64;
    if name.is_empty() { Err("no name".to_owned()) } else { Ok(id + functions) }
}

fn few() -> Vec<Vec<u64>> {
    vec![vec![1]]
}

fn none(_: Vec<u64>) -> HashMap<u64, u64> {
    HashMap::new()
}

fn lasts(_: &u64) -> Duration {
    Duration::from_secs(60)
}

#[cached(
    batch = ids,
    ttl = "1h",
    tags("user:{id}"),
    stale = "10m",
    grace = "1d",
    refresh = "auto",
    timeout = "50ms",
    deadline = "2s",
    fallback = none,
    jitter = "10%",
    negative = "5s",
    ttl_for = lasts,
    warm = few,
    wait = "1s",
)]
fn of_many(ids: Vec<u64>) -> HashMap<u64, u64> {
    ids.into_iter().map(|id| (id, id)).collect()
}

fn main() {
    let runtime = larder::Runtime::builder().build().expect("a runtime");
    let first = larder::ambient::with(7_u64, || everything(1, "a", &runtime));
    assert!(first.is_ok());
    assert_eq!(everything(0, "", &runtime), Err("no name".to_owned()));
    Everything::invalidate(1, "a", &runtime).expect("l1 alone never fails");
    assert_eq!(of_many(vec![1, 2]).len(), 2);
    assert_eq!(of_many::warm([vec![1, 2], vec![3]]).calls, 2);
}
