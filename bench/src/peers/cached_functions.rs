//! Functions cached by `cached`, with a size and a time to live: `plain` behind one lock, and
//! `concurrent` in its sharded store.

pub(crate) mod plain {
    //! `#[cached]`.

    use crate::peers::Directory;
    use crate::truth::{self, compute};
    use std::future::ready;
    use std::sync::Arc;

    #[cached::macros::cached(max_size = 200_000, ttl_secs = 3_600)]
    pub(crate) fn number(id: u64) -> u64 {
        compute(truth::number(id))
    }

    #[cached::macros::cached(
        max_size = 200_000,
        ttl_secs = 3_600,
        key = "String",
        convert = { id.to_owned() }
    )]
    pub(crate) fn string(id: &str) -> String {
        compute(truth::string(id))
    }

    #[cached::macros::cached(
        max_size = 200_000,
        ttl_secs = 3_600,
        key = "String",
        convert = { id.to_owned() }
    )]
    pub(crate) fn shared(id: &str) -> Arc<str> {
        compute(truth::shared(id))
    }

    #[cached::macros::cached(max_size = 200_000, ttl_secs = 3_600)]
    pub(crate) async fn number_async(id: u64) -> u64 {
        compute(ready(truth::number(id)).await)
    }

    impl Directory {
        #[cached::macros::cached(
            in_impl = true,
            max_size = 200_000,
            ttl_secs = 3_600,
            key = "(u64, u64)",
            convert = { (self.tenant, id) }
        )]
        pub(crate) fn by_cached(&self, id: u64) -> u64 {
            compute(truth::number(self.tenant ^ id))
        }
    }
}

pub(crate) mod concurrent {
    //! `#[concurrent_cached]`.

    use crate::peers::Directory;
    use crate::truth::{self, compute};
    use std::future::ready;
    use std::sync::Arc;

    #[cached::macros::concurrent_cached(max_size = 200_000, ttl_secs = 3_600)]
    pub(crate) fn number(id: u64) -> u64 {
        compute(truth::number(id))
    }

    #[cached::macros::concurrent_cached(
        max_size = 200_000,
        ttl_secs = 3_600,
        key = "String",
        convert = { id.to_owned() }
    )]
    pub(crate) fn string(id: &str) -> String {
        compute(truth::string(id))
    }

    #[cached::macros::concurrent_cached(
        max_size = 200_000,
        ttl_secs = 3_600,
        key = "String",
        convert = { id.to_owned() }
    )]
    pub(crate) fn shared(id: &str) -> Arc<str> {
        compute(truth::shared(id))
    }

    #[cached::macros::concurrent_cached(max_size = 200_000, ttl_secs = 3_600)]
    pub(crate) async fn number_async(id: u64) -> u64 {
        compute(ready(truth::number(id)).await)
    }

    impl Directory {
        #[cached::macros::concurrent_cached(
            in_impl = true,
            max_size = 200_000,
            ttl_secs = 3_600,
            key = "(u64, u64)",
            convert = { (self.tenant, id) }
        )]
        pub(crate) fn by_concurrent_cached(&self, id: u64) -> u64 {
            compute(truth::number(self.tenant ^ id))
        }
    }
}
