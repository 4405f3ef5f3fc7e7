use larder::cached;

type Name<'a> = std::borrow::Cow<'a, [&'a str]>;

#[cached]
#[allow(mismatched_lifetime_syntaxes)]
fn elided(name: Name) -> usize {
    name.len()
}

fn main() {}
