use larder::invalidates;

#[invalidates]
fn says_nothing(id: u64) {
    let _ = id;
}

#[invalidates(tags("{"), on = 7)]
fn names_nothing(id: u64) {
    let _ = id;
}

#[invalidates(tags("user:{uid}"))]
fn names_no_argument(id: u64) {
    let _ = id;
}

#[invalidates(tag = "user:{id}")]
fn is_misspelled(id: u64) {
    let _ = id;
}

#[invalidates(tags("a"))]
const fn is_const() -> u64 {
    7
}

#[invalidates(tags("a"))]
fn is_opaque() -> impl Iterator<Item = u64> {
    [1, 2].into_iter()
}

#[invalidates(tags("a"))]
struct NoFunction;

fn main() {}
