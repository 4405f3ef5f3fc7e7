use larder::cached;

macro_rules! lookups {
    ($($name:ident($argument:ident: $kind:ty) -> $out:ty = $ttl:literal, $capacity:expr, $keep:path, $body:expr;)*) => { $(
        #[cached(ttl = $ttl, capacity = $capacity, tags("x:{id}"), key($argument, id), cache_if = $keep)]
        fn $name($argument: $kind, id: u64) -> $out {
            let local = id;
            ($body)(local, $argument)
        }
    )* };
}

fn any<T>(_: &T) -> bool {
    true
}

lookups! {
    first(name: &str) -> usize = "1h", 10, any, |id: u64, name: &str| name.len() + id as usize;
    second(pair: (u64, u64)) -> Option<u64> = "1m", 5 + 5, Option::is_some, |id, pair: (u64, u64)| Some(pair.0 + id);
}

macro_rules! plain {
    ($name:ident, $kind:ty) => {
        #[cached]
        fn $name(value: $kind, more: ($kind, $kind)) -> String {
            format!("{value:?}{more:?}")
        }
    };
}

plain!(of_numbers, u64);
plain!(of_strings, &str);

#[doc(hidden)]
pub mod __larder {
    pub use larder::__private;
    pub use larder::{
        CallContext, Entry, Error, Explanation, FunctionStats, Runtime, Warmed, blocking,
    };
}

#[macro_export]
macro_rules! through_dollar_crate {
    ($name:ident) => {
        #[larder::cached(crate = $crate::__larder)]
        fn $name(id: u64) -> u64 {
            id
        }
    };
}

through_dollar_crate!(dollar);

fn main() {
    assert_eq!(first("abc", 1), 4);
    assert_eq!(first::peek("abc", 1), Some(4));
    assert_eq!(second((1, 2), 3), Some(4));
    assert_eq!(of_numbers(1, (2, 3)), "1(2, 3)");
    assert_eq!(of_strings("a", ("b", "c")), "\"a\"(\"b\", \"c\")");
    assert_eq!(dollar(1), 1);
    assert_eq!(dollar::refresh(1), 1);
}
