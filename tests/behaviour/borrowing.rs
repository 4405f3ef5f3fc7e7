//! K1: a hit borrows its arguments; it clones none of them, formats nothing, and allocates nothing
//! beyond the clone of the value.

use crate::support::{Calls, everywhere_alone};
use larder::cached;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What a hit allocates on this thread, once the thread knows the way. To be asked alone: whoever
/// waits for a lock may allocate.
fn allocations<R>(call: impl Fn() -> R) -> u64 {
    for _ in 0..100 {
        call();
    }
    let most = (0..100).map(|_| allocation_counter::measure(|| drop(call())).count_total);
    most.max().unwrap()
}

/// The outcome of a future that has nothing to wait for.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(out) => out,
        Poll::Pending => panic!("a hit waits for nothing"),
    }
}

#[test]
fn a_hit_from_number_to_number_allocates_nothing() {
    #[cached(tags("k1-number:{id}"))]
    fn doubled(id: u64) -> u64 {
        id * 2
    }
    everywhere_alone(|_| {
        assert_eq!(doubled(4), 8);
        assert_eq!(allocations(|| doubled(4)), 0);
    });
}

#[test]
fn a_hit_from_str_to_string_allocates_the_string_alone() {
    #[cached]
    fn upper(name: &str) -> String {
        name.to_uppercase()
    }
    everywhere_alone(|_| assert_eq!(allocations(|| upper("larder")), 1));
}

#[test]
fn a_hit_from_str_to_shared_str_allocates_nothing() {
    #[cached(key = "k1:{name}", tags("k1-str:{name}"))]
    fn shared(name: &str) -> Arc<str> {
        name.into()
    }
    everywhere_alone(|_| assert_eq!(allocations(|| shared("larder")), 0));
}

#[test]
fn a_hit_of_an_async_function_allocates_nothing() {
    #[cached(tags("k1-async:{id}"))]
    async fn doubled(id: u64) -> u64 {
        id * 2
    }
    everywhere_alone(|_| assert_eq!(allocations(|| at_once(doubled(4))), 0));
}

#[test]
fn a_hit_of_a_method_with_a_keyed_field_allocates_nothing() {
    struct Shop {
        tenant: String,
    }
    impl Shop {
        #[cached(key(self.tenant, id))]
        fn price(&self, id: u64) -> u64 {
            id + self.tenant.len() as u64
        }
    }
    everywhere_alone(|_| {
        let shop = Shop { tenant: "here".to_owned() };
        assert_eq!(allocations(|| shop.price(4)), 0);
    });
}

#[test]
fn a_hit_by_a_method_call_in_the_key_borrows_too() {
    #[cached(key(name.as_str(), *rank))]
    fn length(name: &String, rank: &u32) -> usize {
        name.len() + *rank as usize
    }
    everywhere_alone(|_| {
        let name = "larder".to_owned();
        assert_eq!(allocations(|| length(&name, &1)), 0);
    });
}

#[test]
fn a_hit_by_a_tuple_of_references_allocates_nothing() {
    #[cached]
    fn length(pair: (&str, u64), more: &[u32]) -> usize {
        pair.0.len() + more.len()
    }
    everywhere_alone(|_| assert_eq!(allocations(|| length(("larder", 1), &[1, 2])), 0));
}

#[test]
fn a_hit_by_an_optional_reference_allocates_nothing() {
    #[cached]
    fn length(name: Option<&str>) -> usize {
        name.map_or(0, str::len)
    }
    everywhere_alone(|_| {
        assert_eq!(allocations(|| length(Some("larder"))), 0);
        assert_eq!(allocations(|| length(None)), 0);
    });
}

#[test]
fn a_hit_by_a_cow_allocates_nothing() {
    #[cached]
    fn length(name: Cow<'_, str>) -> usize {
        name.len()
    }
    everywhere_alone(|_| assert_eq!(allocations(|| length(Cow::Borrowed("larder"))), 0));
}

#[test]
fn a_hit_of_a_generic_function_allocates_nothing() {
    #[cached]
    fn size<T: AsRef<str> + ?Sized + std::hash::Hash + Eq + ToOwned<Owned = String>>(
        text: &T,
    ) -> usize {
        text.as_ref().len()
    }
    everywhere_alone(|_| assert_eq!(allocations(|| size::<str>("larder")), 0));
}

#[test]
fn a_hit_with_many_arguments_allocates_nothing() {
    #[cached]
    #[expect(clippy::too_many_arguments, reason = "more than one tuple of the runtime takes")]
    fn sum(a: &str, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: &str) -> usize {
        a.len() + j.len() + usize::from(b + c + d + e + f + g + h + i)
    }
    everywhere_alone(|_| assert_eq!(allocations(|| sum("a", 1, 2, 3, 4, 5, 6, 7, 8, "j")), 0));
}

#[test]
fn a_hit_keyed_by_the_ambient_context_allocates_nothing() {
    #[cached(context)]
    fn doubled(id: u64) -> u64 {
        id * 2
    }
    everywhere_alone(|_| {
        larder::ambient::with("tenant".to_owned(), || {
            assert_eq!(allocations(|| doubled(4)), 0);
        });
    });
}

#[test]
fn a_hit_clones_no_argument_and_formats_none() {
    static CLONED: Calls = Calls::new();
    static FORMATTED: Calls = Calls::new();

    #[derive(PartialEq, Eq, Hash)]
    struct Id(String);

    impl Clone for Id {
        fn clone(&self) -> Self {
            CLONED.note();
            Self(self.0.clone())
        }
    }

    impl fmt::Display for Id {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            FORMATTED.note();
            f.write_str(&self.0)
        }
    }

    #[cached(key = "k1-id:{id}", tags("k1-id:{id}"))]
    fn length(id: &Id) -> usize {
        id.0.len()
    }

    everywhere_alone(|_| {
        let id = Id("larder".to_owned());
        length(&id);
        assert!(CLONED.taken() > 0, "the owned key is made on the miss");
        assert!(FORMATTED.taken() > 0, "tag and readable key are made on the miss");
        for _ in 0..100 {
            length(&id);
        }
        assert_eq!((CLONED.taken(), FORMATTED.taken()), (0, 0));
    });
}
