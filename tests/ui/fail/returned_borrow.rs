use larder::cached;

use std::borrow::Cow;

#[cached]
fn elided(name: &str) -> &str {
    name
}

#[cached]
fn named<'a>(name: &'a str) -> Cow<'a, str> {
    name.into()
}

#[cached]
fn anonymous(name: &str) -> Vec<Cow<'_, str>> {
    vec![name.into()]
}

#[cached]
async fn by_future(name: &str) -> Option<&str> {
    Some(name)
}

fn main() {}
