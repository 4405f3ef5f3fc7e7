use larder::cached;

use std::borrow::Cow;

type Name<'a> = Cow<'a, str>;

#[cached]
#[allow(mismatched_lifetime_syntaxes)]
fn elided(name: &str) -> Name {
    name.into()
}

fn main() {}
