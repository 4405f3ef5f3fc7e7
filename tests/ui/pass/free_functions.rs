use larder::cached;
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

#[cached]
fn nothing() -> u64 {
    CALLS.fetch_add(1, Ordering::Relaxed)
}

#[cached]
fn unit(_id: u64) {}

#[cached]
fn borrowed(name: &str, bytes: &[u8], optional: Option<&str>, cow: Cow<'_, str>) -> usize {
    name.len() + bytes.len() + optional.map_or(0, str::len) + cow.len()
}

#[cached]
fn named_lifetimes<'a, 'b: 'a>(one: &'a str, other: Option<&'b [u8]>) -> usize {
    one.len() + other.map_or(0, <[u8]>::len)
}

#[cached]
fn floats(x: f64, y: f32) -> u64 {
    (x + f64::from(y)) as u64
}

#[cached]
fn for_good(name: &'static str, list: Vec<&'static str>) -> &'static str {
    if list.is_empty() { name } else { list[0] }
}

fn main() {
    assert_eq!(nothing(), nothing());
    unit(1);
    assert_eq!(borrowed("ab", &[1], Some("c"), "d".into()), 5);
    assert_eq!(borrowed("ab", &[1], None, String::from("d").into()), 4);
    assert_eq!(named_lifetimes("a", Some(&[1])), 2);
    assert_eq!(floats(1.5, 1.5), 3);
    assert_eq!(for_good("a", vec!["b"]), "b");
}
