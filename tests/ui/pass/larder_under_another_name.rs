extern crate larder as cache;

mod outer {
    pub mod inner {
        #[doc(hidden)]
        pub use larder::__private;
        pub use larder::*;
    }
}

#[cache::cached(crate = cache, tags("a:{id}"))]
fn renamed(id: u64) -> u64 {
    id
}

#[outer::inner::cached(crate = crate::outer::inner, negative = "1s", context)]
async fn exported_again(id: u64) -> Option<u64> {
    Some(id)
}

struct Engine;

impl Engine {
    #[larder::cached(crate = ::larder, skip(self), handle = entry)]
    fn decide(&self, id: u64) -> u64 {
        id
    }
}

fn main() {
    assert_eq!(renamed(1), 1);
    assert_eq!(renamed::peek(1), Some(1));
    drop(exported_again(1));
    assert_eq!(Engine.decide(1), 1);
    assert_eq!(Engine.entry(1).peek(), Some(1));
}
