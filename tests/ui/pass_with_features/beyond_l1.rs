#![forbid(unsafe_code)]
#![deny(warnings)]

use larder::cached;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

#[cached(tier = "l1,l2")]
fn plain(id: u64) -> User {
    User { id, name: id.to_string() }
}

#[cached(tier(l2), ttl = "1h", codec = "postcard", compress = "zstd", write = "through")]
async fn later(user: &User) -> Result<User, String> {
    Ok(user.clone())
}

#[cached(tier = ["l1", "l2"], ttl(l1 = "30s", l2 = "5m"), codec = "bincode", compress = "auto")]
fn with_tiers(a: u8, (b, c): (&str, Option<&[u8]>), x: f64) -> Option<(u8, String)> {
    c.map(|c| (a + c[0] + x as u8, b.to_owned()))
}

#[cached(tier = "l2", ttl(l2 = "5m"), compress = "lz4", write = "behind", negative = "1s", context)]
fn negative(id: u64) -> Result<u64, String> {
    id.checked_sub(1).ok_or_else(|| "none".to_owned())
}

#[cached(tier = "l1,l3", ttl(l1 = "30s", l3 = "5m"), name = "of_the_fleet", tags("user:{id}"))]
fn of_the_fleet(id: u64) -> User {
    User { id, name: id.to_string() }
}

#[cached(tier(l3), key = "of_all:{id}", codec = "postcard", compress = "zstd")]
async fn of_the_fleet_alone(id: u64) -> Option<User> {
    Some(User { id, name: id.to_string() })
}

#[cached(tier = "l1,l2,l3", ttl = "1h")]
fn in_every_tier(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cached(tier = "l1,l2", scope = "global", compress = "none", when = id > 0, version = auto)]
fn under_a_condition(id: u64) -> u64 {
    id
}

#[cached(tier = "l1,l2", capacity = 2, weigh = String::len, skip(runtime), runtime = runtime.clone())]
fn elsewhere(id: u64, runtime: &larder::Runtime) -> String {
    format!("{id}{}", runtime.stats().functions.len())
}

#[cached(tier = "l1,l2", skip(make))]
fn generic<T: Clone + Send + Sync + Serialize + serde::de::DeserializeOwned + 'static>(
    id: u64,
    make: impl Fn(u64) -> T,
) -> T {
    make(id)
}

struct Engine {
    tenant: u64,
}

impl Engine {
    #[cached(tier = "l1,l2", key(self.tenant, id), handle = decide_entry)]
    fn decide(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cached(tier = "l1,l2", key(self.tenant, id), handle = decide_later_entry)]
    async fn decide_later(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

#[cached(tier = "l1,l2")]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> u8 {
    a + b + c + d + e + f + g + h + i
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    assert_eq!(plain(1), plain(1));
    drop(is_send(later(&plain(1))));
    assert_eq!(with_tiers(1, ("a", None), 1.0), None);
    assert_eq!(larder::ambient::with(1_u64, || negative(0)), Err("none".to_owned()));
    assert_eq!(of_the_fleet(1), of_the_fleet(1));
    drop(is_send(of_the_fleet_alone(1)));
    assert_eq!(in_every_tier(1), Ok(1));
    assert_eq!(under_a_condition(0), 0);
    let runtime = larder::Runtime::builder().build().expect("a runtime");
    assert!(elsewhere(1, &runtime).starts_with('1'));
    assert_eq!(generic(1, |id| id.to_string()), "1");
    let engine = Engine { tenant: 1 };
    assert_eq!(engine.decide(1), 2);
    engine.decide_entry(1).invalidate().expect("nothing is in the way");
    drop(is_send(engine.decide_later(1)));
    drop(engine.decide_later_entry(1));
    assert_eq!(many(1, 1, 1, 1, 1, 1, 1, 1, 1), 9);
}
