/// Documented.
/**

# Cache

This function is cached. `plain::invalidate`, `plain::peek` and `plain::explain` take what makes its key; `plain::refresh`, `plain::put`, `plain::uncached` take all arguments, `plain::with` takes options before them, `plain::warm` and `plain::warm_with` take them many times over; `plain::invalidate_all` and `plain::stats` are about all calls.*/
pub fn plain(id: u64, name: &str) -> String {
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_declare = |_: &mut ::larder::__private::Declared| {};
        let __larder_call = ::larder::__private::Call::new(
            plain::__larder_site(),
            &|| {},
            &plain::__larder_family,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<String>::new()).__larder_kind(),
            ),
        );
        ::larder::__private::look_up(
            __larder_call,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&id).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&name).__larder_part(),
                ),
            ),
            __larder_declare,
        )
    };
    match __larder_found {
        ::larder::__private::Found::Hit(__larder_out) => __larder_out,
        ::larder::__private::Found::Miss(__larder_miss) => {
            __larder_miss
                .compute(
                    || -> String { format!("{id}{name}") },
                    |_| ::larder::__private::Verdict::new(),
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
pub enum plain {}
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
impl plain {
    #[inline]
    fn __larder_site() -> &'static ::larder::__private::Site {
        static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
            let mut __larder_options = ::larder::__private::FunctionOptions::new(
                ::core::module_path!(),
                "plain",
            );
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            __larder_options.signature = 13117954306068814340;
            __larder_options
        });
        ::larder::__private::submit! {
            ::larder::__private::Linked(& __LARDER_SITE)
        }
        &__LARDER_SITE
    }
    fn __larder_family() {}
    fn __larder_entry(id: u64, name: &str) -> ::larder::blocking::Entry<String> {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::blocking_entry(
            plain::__larder_site(),
            &plain::__larder_family,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<String>::new()).__larder_kind(),
            ),
            ::core::option::Option::None,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&id).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&name).__larder_part(),
                ),
            ),
        )
    }
    pub fn invalidate(
        id: u64,
        name: &str,
    ) -> ::core::result::Result<(), ::larder::Error> {
        let __larder_entry = Self::__larder_entry(id, name);
        ::larder::blocking::Entry::invalidate(&__larder_entry)
    }
    pub fn peek(id: u64, name: &str) -> ::core::option::Option<String> {
        let __larder_entry = Self::__larder_entry(id, name);
        ::larder::blocking::Entry::peek(&__larder_entry)
    }
    pub fn explain(id: u64, name: &str) -> ::larder::Explanation {
        let __larder_entry = Self::__larder_entry(id, name);
        ::larder::blocking::Entry::explain(&__larder_entry)
    }
    pub fn call_context(id: u64, name: &str) -> ::larder::CallContext {
        let __larder_entry = Self::__larder_entry(id, name);
        ::larder::blocking::Entry::call_context(&__larder_entry)
    }
    pub fn refresh(id: u64, name: &str) -> String {
        ::larder::__private::refresh(plain::__larder_site(), || plain(id, name))
    }
    pub fn uncached(id: u64, name: &str) -> String {
        ::larder::__private::uncached(plain::__larder_site(), || plain(id, name))
    }
    pub fn with(
        __larder_options: ::larder::__private::Options,
        id: u64,
        name: &str,
    ) -> String {
        ::larder::__private::with(__larder_options, || plain(id, name))
    }
    pub fn put(id: u64, name: &str, __larder_value: String) {
        ::larder::__private::put(
            plain::__larder_site(),
            __larder_value,
            || plain(id, name),
        )
    }
    pub fn warm<__Larder0, __Larder1>(
        __larder_calls: impl ::core::iter::IntoIterator<Item = (__Larder0, __Larder1)>,
    ) -> ::larder::Warmed
    where
        (fn(u64, &str) -> String): ::core::ops::Fn(__Larder0, __Larder1) -> String,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        fn __larder_spread<__LarderOut, __Larder0, __Larder1>(
            __larder_call: impl ::core::ops::Fn(__Larder0, __Larder1) -> __LarderOut,
        ) -> impl ::core::ops::Fn((__Larder0, __Larder1)) -> __LarderOut {
            move |(id, name)| __larder_call(id, name)
        }
        ::larder::__private::warm(
            plain::__larder_site(),
            |__larder_out: &String| {
                if (&::larder::__private::Success::of(__larder_out)).__larder_succeeded()
                {
                    ::core::result::Result::Ok(())
                } else {
                    ::core::result::Result::Err(
                        (&&&::larder::__private::Success::of(__larder_out))
                            .__larder_error(),
                    )
                }
            },
            __larder_calls,
            __larder_spread(plain as fn(u64, &str) -> String),
        )
    }
    pub fn warm_with<__Larder0, __Larder1>(
        __larder_warming: ::larder::__private::Warming<'_>,
        __larder_calls: impl ::core::iter::IntoIterator<Item = (__Larder0, __Larder1)>,
    ) -> ::larder::Warmed
    where
        (fn(u64, &str) -> String): ::core::ops::Fn(__Larder0, __Larder1) -> String,
        __Larder0: ::core::marker::Send,
        __Larder1: ::core::marker::Send,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        fn __larder_spread<__LarderOut, __Larder0, __Larder1>(
            __larder_call: impl ::core::ops::Fn(__Larder0, __Larder1) -> __LarderOut,
        ) -> impl ::core::ops::Fn((__Larder0, __Larder1)) -> __LarderOut {
            move |(id, name)| __larder_call(id, name)
        }
        ::larder::__private::warm_with(
            plain::__larder_site(),
            |__larder_out: &String| {
                if (&::larder::__private::Success::of(__larder_out)).__larder_succeeded()
                {
                    ::core::result::Result::Ok(())
                } else {
                    ::core::result::Result::Err(
                        (&&&::larder::__private::Success::of(__larder_out))
                            .__larder_error(),
                    )
                }
            },
            __larder_warming,
            __larder_calls,
            __larder_spread(plain as fn(u64, &str) -> String),
        )
    }
    #[doc(hidden)]
    pub fn __larder_runtime() -> ::core::option::Option<::larder::Runtime> {
        let __larder_found: ::core::option::Option<&::larder::Runtime> = ::core::option::Option::None;
        __larder_found.cloned()
    }
    pub fn invalidate_all() -> ::core::result::Result<(), ::larder::Error> {
        ::larder::__private::invalidate_all(
            plain::__larder_site(),
            ::core::option::Option::None,
        )
    }
    pub fn stats() -> ::larder::FunctionStats {
        ::larder::__private::stats(plain::__larder_site(), ::core::option::Option::None)
    }
}
