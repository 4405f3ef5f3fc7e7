//! Free functions.

use larder::cached;
use std::borrow::Cow;

/// Without options.
#[cached]
#[must_use]
pub fn plain(id: u64, name: &str) -> String {
    format!("{id}{name}")
}

/// Without arguments.
#[cached]
#[must_use]
pub fn nothing() -> u64 {
    7
}

/// Without a value.
#[cached]
pub fn unit(_id: u64) {}

/// With arguments that are borrowed in every way there is.
#[cached]
#[must_use]
pub fn borrowed(name: &str, bytes: Option<&[u8]>, cow: Cow<'_, str>, pair: (u64, &str)) -> usize {
    name.len() + bytes.map_or(0, <[u8]>::len) + cow.into_owned().len() + pair.1.len()
}

/// With lifetimes of their own.
#[cached]
#[must_use]
pub fn named<'a, 'b: 'a>(one: &'a str, other: &'b str, again: &'a str, more: &'b str) -> usize {
    one.len() + other.len() + again.len() + more.len()
}

/// With patterns.
#[cached]
#[must_use]
pub fn patterns((a, mut b): (u64, u64), [c, _]: [u64; 2]) -> u64 {
    b += a;
    b + c
}

/// With arguments that the body consumes.
#[cached]
#[must_use]
pub fn consumed(name: String, mut list: Vec<u64>) -> (String, Vec<u64>) {
    list.push(1);
    (name, list)
}

/// With a body that leaves early.
///
/// # Errors
///
/// When the text is no number.
#[cached]
pub fn early(text: &str) -> Result<u64, std::num::ParseIntError> {
    if text.is_empty() {
        return Ok(0);
    }
    let number: u64 = text.parse()?;
    Ok(number)
}

/// With a body that never comes back.
#[cached]
#[must_use]
pub fn ends_the_process(code: u8) -> u64 {
    std::process::exit(code.into())
}

/// With names that must not warn.
#[cached(key(_one, other))]
#[must_use]
pub fn underscored(_one: u64, other: u64) -> u64 {
    other
}

/// Of old.
#[cached]
#[deprecated = "there is a better one"]
#[must_use]
pub fn deprecated(id: u64) -> u64 {
    id
}

/// With raw identifiers.
#[cached(tags("type:{type}"))]
#[must_use]
pub fn r#match(r#type: u64) -> u64 {
    r#type
}

/// That calls itself.
#[cached]
#[must_use]
pub fn recursive(id: u64) -> u64 {
    if id < 2 { id } else { recursive(id - 1) + recursive(id - 2) }
}

/// That stands around another.
#[must_use]
pub fn around(id: u64) -> u64 {
    #[cached]
    fn inside(id: u64) -> u64 {
        id
    }

    inside(id)
}
