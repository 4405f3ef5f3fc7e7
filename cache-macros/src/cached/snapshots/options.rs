/**

# Cache

This function is cached. `Every::invalidate`, `Every::peek` and `Every::explain` take what makes its key, and the last of them what `when` mentions; `Every::refresh`, `Every::put`, `Every::uncached` take all arguments, `Every::with` takes options before them, `Every::warm` and `Every::warm_with` take them many times over; `Every::invalidate_all` and `Every::stats` are about all calls.*/
fn every(id: u64, name: &str, shared: &Shared) -> Result<u64, String> {
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use crate::cache::__private::methods::*;
        let __larder_runtime: &crate::cache::Runtime = &shared.runtime();
        let __larder_declare = |
            __larder_declared: &mut crate::cache::__private::Declared|
        {
            __larder_declared.tag(::core::format_args!("user:{}", id));
            __larder_declared.tag(::core::format_args!("name:{}", name.len()));
            __larder_declared.tag(::core::format_args!("{{policy}}"));
            __larder_declared
                .key(
                    ::core::format_args!(
                        "user:{}:{}", crate ::cache::__private::Escaped(& id), crate
                        ::cache::__private::Escaped(& name)
                    ),
                );
        };
        let __larder_call = crate::cache::__private::Call::new(
                Every::__larder_site(),
                &|| {},
                &Every::__larder_family,
                crate::cache::__private::Probe::checked(
                    crate::cache::__private::Negative::of(
                        (&&&&crate::cache::__private::Probe::<
                            Result<u64, String>,
                        >::new())
                            .__larder_kind(),
                    ),
                ),
            )
            .on(__larder_runtime);
        let __larder_when: ::core::primitive::bool = id > 0;
        if __larder_when {
            crate::cache::__private::look_up(
                __larder_call,
                &(
                    crate::cache::__private::Arg::checked(
                        crate::cache::__private::Arg(&id).__larder_part(),
                    ),
                    crate::cache::__private::Arg::checked(
                        crate::cache::__private::Arg(&name).__larder_part(),
                    ),
                    crate::cache::__private::AmbientPart::current(),
                ),
                __larder_declare,
            )
        } else {
            crate::cache::__private::pass(&__larder_call, __larder_declare)
        }
    };
    match __larder_found {
        crate::cache::__private::Found::Hit(__larder_out) => __larder_out,
        crate::cache::__private::Found::Miss(__larder_miss) => {
            __larder_miss
                .compute(
                    || -> Result<u64, String> { Ok(id) },
                    |__larder_out: &Result<u64, String>| {
                        crate::cache::__private::Verdict::new()
                            .keep_if(Result::is_ok(__larder_out))
                            .ttl(ttl(__larder_out))
                            .tags(tags(__larder_out))
                            .weight(weight(__larder_out))
                    },
                )
        }
    }
}
#[allow(
    dead_code,
    missing_copy_implementations,
    missing_debug_implementations,
    non_camel_case_types,
    unreachable_pub
)]
#[doc(hidden)]
enum Every {}
#[allow(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    dead_code,
    deprecated,
    non_snake_case,
    single_use_lifetimes,
    unreachable_pub,
    unused_lifetimes,
    unused_variables
)]
#[doc(hidden)]
impl Every {
    #[inline]
    fn __larder_site() -> &'static crate::cache::__private::Site {
        static __LARDER_SITE: crate::cache::__private::Site = crate::cache::__private::Site::new({
            let mut __larder_options = crate::cache::__private::FunctionOptions::new(
                ::core::module_path!(),
                "every",
            );
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            __larder_options.signature = 6283769576587100833;
            __larder_options.name = ::core::option::Option::Some("every");
            __larder_options.version = 2;
            __larder_options.tiers = &[crate::cache::Level::L1];
            __larder_options.ttl = ::core::option::Option::Some(
                ::core::time::Duration::new(3600, 0),
            );
            __larder_options.stale = ::core::time::Duration::new(600, 0);
            __larder_options.grace = ::core::time::Duration::new(86400, 0);
            __larder_options.jitter = 125;
            __larder_options.negative = ::core::option::Option::Some(
                ::core::time::Duration::new(5, 0),
            );
            __larder_options.wait = ::core::time::Duration::new(1, 500000000);
            __larder_options.capacity = {
                let __larder_capacity = (LIMIT) as ::core::primitive::i128;
                ::core::assert!(
                    __larder_capacity > 0,
                    "a capacity of less than 1 keeps nothing; write at least 1"
                );
                __larder_capacity as ::core::primitive::u64
            };
            __larder_options.tags = &["user:{id}", "name:{name.len()}", "{{policy}}"];
            __larder_options.key = ::core::option::Option::Some("user:{id}:{name}");
            __larder_options.weigh = ::core::option::Option::Some("weight");
            __larder_options.when = ::core::option::Option::Some("id > 0");
            __larder_options.ttl_for = ::core::option::Option::Some("ttl");
            __larder_options.cache_if = ::core::option::Option::Some("Result::is_ok");
            __larder_options.tags_for = ::core::option::Option::Some("tags");
            __larder_options.runtime = ::core::option::Option::Some("shared.runtime()");
            __larder_options.keyed = __larder_options
                .keyed
                .and(crate::cache::__private::Keyed::CONTEXT);
            __larder_options.keyed = __larder_options
                .keyed
                .and(crate::cache::__private::Keyed::SESSION);
            __larder_options
        });
        crate::cache::__private::submit! {
            crate ::cache::__private::Linked(& __LARDER_SITE)
        }
        &__LARDER_SITE
    }
    fn __larder_family() {}
    fn __larder_entry(
        id: u64,
        name: &str,
        shared: &Shared,
    ) -> crate::cache::blocking::Entry<Result<u64, String>> {
        #[allow(unused_imports)]
        use crate::cache::__private::methods::*;
        let __larder_runtime: &crate::cache::Runtime = &shared.runtime();
        crate::cache::__private::blocking_entry(
            Every::__larder_site(),
            &Every::__larder_family,
            crate::cache::__private::Probe::checked(
                crate::cache::__private::Negative::of(
                    (&&&&crate::cache::__private::Probe::<Result<u64, String>>::new())
                        .__larder_kind(),
                ),
            ),
            ::core::option::Option::Some(__larder_runtime),
            &(
                crate::cache::__private::Arg::checked(
                    crate::cache::__private::Arg(&id).__larder_part(),
                ),
                crate::cache::__private::Arg::checked(
                    crate::cache::__private::Arg(&name).__larder_part(),
                ),
                crate::cache::__private::AmbientPart::current(),
            ),
        )
    }
    fn __larder_explained(
        id: u64,
        name: &str,
        shared: &Shared,
    ) -> crate::cache::blocking::Entry<Result<u64, String>> {
        #[allow(unused_imports)]
        use crate::cache::__private::methods::*;
        let __larder_runtime: &crate::cache::Runtime = &shared.runtime();
        let __larder_when: ::core::primitive::bool = id > 0;
        crate::cache::__private::blocking_entry(
                Every::__larder_site(),
                &Every::__larder_family,
                crate::cache::__private::Probe::checked(
                    crate::cache::__private::Negative::of(
                        (&&&&crate::cache::__private::Probe::<
                            Result<u64, String>,
                        >::new())
                            .__larder_kind(),
                    ),
                ),
                ::core::option::Option::Some(__larder_runtime),
                &(
                    crate::cache::__private::Arg::checked(
                        crate::cache::__private::Arg(&id).__larder_part(),
                    ),
                    crate::cache::__private::Arg::checked(
                        crate::cache::__private::Arg(&name).__larder_part(),
                    ),
                    crate::cache::__private::AmbientPart::current(),
                ),
            )
            .__larder_when(__larder_when)
    }
    fn invalidate(
        id: u64,
        name: &str,
        shared: &Shared,
    ) -> ::core::result::Result<(), crate::cache::Error> {
        let __larder_entry = Self::__larder_entry(id, name, shared);
        crate::cache::blocking::Entry::invalidate(&__larder_entry)
    }
    fn peek(
        id: u64,
        name: &str,
        shared: &Shared,
    ) -> ::core::option::Option<Result<u64, String>> {
        let __larder_entry = Self::__larder_entry(id, name, shared);
        crate::cache::blocking::Entry::peek(&__larder_entry)
    }
    fn explain(id: u64, name: &str, shared: &Shared) -> crate::cache::Explanation {
        let __larder_entry = Self::__larder_explained(id, name, shared);
        crate::cache::blocking::Entry::explain(&__larder_entry)
    }
    fn call_context(id: u64, name: &str, shared: &Shared) -> crate::cache::CallContext {
        let __larder_entry = Self::__larder_entry(id, name, shared);
        crate::cache::blocking::Entry::call_context(&__larder_entry)
    }
    fn refresh(id: u64, name: &str, shared: &Shared) -> Result<u64, String> {
        crate::cache::__private::refresh(
            Every::__larder_site(),
            || every(id, name, shared),
        )
    }
    fn uncached(id: u64, name: &str, shared: &Shared) -> Result<u64, String> {
        crate::cache::__private::uncached(
            Every::__larder_site(),
            || every(id, name, shared),
        )
    }
    fn with(
        __larder_options: crate::cache::__private::Options,
        id: u64,
        name: &str,
        shared: &Shared,
    ) -> Result<u64, String> {
        crate::cache::__private::with(__larder_options, || every(id, name, shared))
    }
    fn put(id: u64, name: &str, shared: &Shared, __larder_value: Result<u64, String>) {
        crate::cache::__private::put(
            Every::__larder_site(),
            __larder_value,
            || every(id, name, shared),
        )
    }
    fn warm<__Larder0, __Larder1, __Larder2>(
        __larder_calls: impl ::core::iter::IntoIterator<
            Item = (__Larder0, __Larder1, __Larder2),
        >,
    ) -> crate::cache::Warmed
    where
        (fn(
            u64,
            &str,
            &Shared,
        ) -> Result<
            u64,
            String,
        >): ::core::ops::Fn(__Larder0, __Larder1, __Larder2) -> Result<u64, String>,
    {
        #[allow(unused_imports)]
        use crate::cache::__private::methods::*;
        fn __larder_spread<__LarderOut, __Larder0, __Larder1, __Larder2>(
            __larder_call: impl ::core::ops::Fn(
                __Larder0,
                __Larder1,
                __Larder2,
            ) -> __LarderOut,
        ) -> impl ::core::ops::Fn((__Larder0, __Larder1, __Larder2)) -> __LarderOut {
            move |(id, name, shared)| __larder_call(id, name, shared)
        }
        crate::cache::__private::warm(
            Every::__larder_site(),
            |__larder_out: &Result<u64, String>| {
                if (&crate::cache::__private::Success::of(__larder_out))
                    .__larder_succeeded()
                {
                    ::core::result::Result::Ok(())
                } else {
                    ::core::result::Result::Err(
                        (&&&crate::cache::__private::Success::of(__larder_out))
                            .__larder_error(),
                    )
                }
            },
            __larder_calls,
            __larder_spread(every as fn(u64, &str, &Shared) -> Result<u64, String>),
        )
    }
    fn warm_with<__Larder0, __Larder1, __Larder2>(
        __larder_warming: crate::cache::__private::Warming<'_>,
        __larder_calls: impl ::core::iter::IntoIterator<
            Item = (__Larder0, __Larder1, __Larder2),
        >,
    ) -> crate::cache::Warmed
    where
        (fn(
            u64,
            &str,
            &Shared,
        ) -> Result<
            u64,
            String,
        >): ::core::ops::Fn(__Larder0, __Larder1, __Larder2) -> Result<u64, String>,
        __Larder0: ::core::marker::Send,
        __Larder1: ::core::marker::Send,
        __Larder2: ::core::marker::Send,
    {
        #[allow(unused_imports)]
        use crate::cache::__private::methods::*;
        fn __larder_spread<__LarderOut, __Larder0, __Larder1, __Larder2>(
            __larder_call: impl ::core::ops::Fn(
                __Larder0,
                __Larder1,
                __Larder2,
            ) -> __LarderOut,
        ) -> impl ::core::ops::Fn((__Larder0, __Larder1, __Larder2)) -> __LarderOut {
            move |(id, name, shared)| __larder_call(id, name, shared)
        }
        crate::cache::__private::warm_with(
            Every::__larder_site(),
            |__larder_out: &Result<u64, String>| {
                if (&crate::cache::__private::Success::of(__larder_out))
                    .__larder_succeeded()
                {
                    ::core::result::Result::Ok(())
                } else {
                    ::core::result::Result::Err(
                        (&&&crate::cache::__private::Success::of(__larder_out))
                            .__larder_error(),
                    )
                }
            },
            __larder_warming,
            __larder_calls,
            __larder_spread(every as fn(u64, &str, &Shared) -> Result<u64, String>),
        )
    }
    #[doc(hidden)]
    fn __larder_runtime(
        shared: &Shared,
    ) -> ::core::option::Option<crate::cache::Runtime> {
        let __larder_runtime: &crate::cache::Runtime = &shared.runtime();
        let __larder_found: ::core::option::Option<&crate::cache::Runtime> = ::core::option::Option::Some(
            __larder_runtime,
        );
        __larder_found.cloned()
    }
    fn invalidate_all(
        shared: &Shared,
    ) -> ::core::result::Result<(), crate::cache::Error> {
        let __larder_runtime: &crate::cache::Runtime = &shared.runtime();
        crate::cache::__private::invalidate_all(
            Every::__larder_site(),
            ::core::option::Option::Some(__larder_runtime),
        )
    }
    fn stats(shared: &Shared) -> crate::cache::FunctionStats {
        let __larder_runtime: &crate::cache::Runtime = &shared.runtime();
        crate::cache::__private::stats(
            Every::__larder_site(),
            ::core::option::Option::Some(__larder_runtime),
        )
    }
}
