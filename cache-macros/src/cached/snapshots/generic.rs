/**

# Cache

This function is cached. `generic::invalidate`, `generic::peek` and `generic::explain` take what makes its key; `generic::refresh`, `generic::put`, `generic::uncached` take all arguments, `generic::with` takes options before them, `generic::warm` and `generic::warm_with` take them many times over; `generic::invalidate_all` and `generic::stats` are about all calls.*/
pub(crate) fn generic<'a, const N: usize, D, T>(
    db: &'a D,
    ids: [u64; N],
    pair: (T, &'a str),
) -> D::Out
where
    D: Reads,
    T: Clone + Hash + Eq + Send + Sync + 'static,
{
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_declare = |_: &mut ::larder::__private::Declared| {};
        let __larder_call = ::larder::__private::Call::new(
            generic::__larder_site(),
            &|| {},
            &generic::__larder_family::<N, D, T>,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<D::Out>::new()).__larder_kind(),
            ),
        );
        ::larder::__private::look_up(
            __larder_call,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&ids).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&pair.0).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&pair.1).__larder_part(),
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
                    || -> D::Out { db.read(ids, pair) },
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
pub(crate) enum generic {}
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
impl generic {
    #[inline]
    fn __larder_site() -> &'static ::larder::__private::Site {
        static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
            let mut __larder_options = ::larder::__private::FunctionOptions::new(
                ::core::module_path!(),
                "generic",
            );
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            __larder_options.signature = 12635868821820026663;
            __larder_options
        });
        ::larder::__private::submit! {
            ::larder::__private::Linked(& __LARDER_SITE)
        }
        &__LARDER_SITE
    }
    fn __larder_family<'a, const N: usize, D, T>()
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {}
    fn __larder_entry<'a, const N: usize, D, T>(
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> ::larder::blocking::Entry<D::Out>
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::blocking_entry(
            generic::__larder_site(),
            &generic::__larder_family::<N, D, T>,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<D::Out>::new()).__larder_kind(),
            ),
            ::core::option::Option::None,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&ids).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&pair.0).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&pair.1).__larder_part(),
                ),
            ),
        )
    }
    pub(crate) fn invalidate<'a, const N: usize, D, T>(
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> ::core::result::Result<(), ::larder::Error>
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        let __larder_entry = Self::__larder_entry::<N, D, T>(ids, pair);
        ::larder::blocking::Entry::invalidate(&__larder_entry)
    }
    pub(crate) fn peek<'a, const N: usize, D, T>(
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> ::core::option::Option<D::Out>
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        let __larder_entry = Self::__larder_entry::<N, D, T>(ids, pair);
        ::larder::blocking::Entry::peek(&__larder_entry)
    }
    pub(crate) fn explain<'a, const N: usize, D, T>(
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> ::larder::Explanation
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        let __larder_entry = Self::__larder_entry::<N, D, T>(ids, pair);
        ::larder::blocking::Entry::explain(&__larder_entry)
    }
    pub(crate) fn call_context<'a, const N: usize, D, T>(
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> ::larder::CallContext
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        let __larder_entry = Self::__larder_entry::<N, D, T>(ids, pair);
        ::larder::blocking::Entry::call_context(&__larder_entry)
    }
    pub(crate) fn refresh<'a, const N: usize, D, T>(
        db: &'a D,
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> D::Out
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        ::larder::__private::refresh(
            generic::__larder_site(),
            || generic::<N, D, T>(db, ids, pair),
        )
    }
    pub(crate) fn uncached<'a, const N: usize, D, T>(
        db: &'a D,
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> D::Out
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        ::larder::__private::uncached(
            generic::__larder_site(),
            || generic::<N, D, T>(db, ids, pair),
        )
    }
    pub(crate) fn with<'a, const N: usize, D, T>(
        __larder_options: ::larder::__private::Options,
        db: &'a D,
        ids: [u64; N],
        pair: (T, &'a str),
    ) -> D::Out
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        ::larder::__private::with(__larder_options, || generic::<N, D, T>(db, ids, pair))
    }
    pub(crate) fn put<'a, const N: usize, D, T>(
        db: &'a D,
        ids: [u64; N],
        pair: (T, &'a str),
        __larder_value: D::Out,
    )
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
    {
        ::larder::__private::put(
            generic::__larder_site(),
            __larder_value,
            || generic::<N, D, T>(db, ids, pair),
        )
    }
    pub(crate) fn warm<const N: usize, D, T, __Larder0, __Larder1, __Larder2>(
        __larder_calls: impl ::core::iter::IntoIterator<
            Item = (__Larder0, __Larder1, __Larder2),
        >,
    ) -> ::larder::Warmed
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
        (for<'a> fn(
            &'a D,
            [u64; N],
            (T, &'a str),
        ) -> D::Out): ::core::ops::Fn(__Larder0, __Larder1, __Larder2) -> D::Out,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        fn __larder_spread<__LarderOut, __Larder0, __Larder1, __Larder2>(
            __larder_call: impl ::core::ops::Fn(
                __Larder0,
                __Larder1,
                __Larder2,
            ) -> __LarderOut,
        ) -> impl ::core::ops::Fn((__Larder0, __Larder1, __Larder2)) -> __LarderOut {
            move |(db, ids, pair)| __larder_call(db, ids, pair)
        }
        ::larder::__private::warm(
            generic::__larder_site(),
            |__larder_out: &D::Out| {
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
            __larder_spread(
                generic::<N, D, T> as for<'a> fn(&'a D, [u64; N], (T, &'a str)) -> D::Out,
            ),
        )
    }
    pub(crate) fn warm_with<const N: usize, D, T, __Larder0, __Larder1, __Larder2>(
        __larder_warming: ::larder::__private::Warming<'_>,
        __larder_calls: impl ::core::iter::IntoIterator<
            Item = (__Larder0, __Larder1, __Larder2),
        >,
    ) -> ::larder::Warmed
    where
        D: Reads,
        T: Clone + Hash + Eq + Send + Sync + 'static,
        (for<'a> fn(
            &'a D,
            [u64; N],
            (T, &'a str),
        ) -> D::Out): ::core::ops::Fn(__Larder0, __Larder1, __Larder2) -> D::Out,
        __Larder0: ::core::marker::Send,
        __Larder1: ::core::marker::Send,
        __Larder2: ::core::marker::Send,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        fn __larder_spread<__LarderOut, __Larder0, __Larder1, __Larder2>(
            __larder_call: impl ::core::ops::Fn(
                __Larder0,
                __Larder1,
                __Larder2,
            ) -> __LarderOut,
        ) -> impl ::core::ops::Fn((__Larder0, __Larder1, __Larder2)) -> __LarderOut {
            move |(db, ids, pair)| __larder_call(db, ids, pair)
        }
        ::larder::__private::warm_with(
            generic::__larder_site(),
            |__larder_out: &D::Out| {
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
            __larder_spread(
                generic::<N, D, T> as for<'a> fn(&'a D, [u64; N], (T, &'a str)) -> D::Out,
            ),
        )
    }
    #[doc(hidden)]
    pub(crate) fn __larder_runtime() -> ::core::option::Option<::larder::Runtime> {
        let __larder_found: ::core::option::Option<&::larder::Runtime> = ::core::option::Option::None;
        __larder_found.cloned()
    }
    pub(crate) fn invalidate_all() -> ::core::result::Result<(), ::larder::Error> {
        ::larder::__private::invalidate_all(
            generic::__larder_site(),
            ::core::option::Option::None,
        )
    }
    pub(crate) fn stats() -> ::larder::FunctionStats {
        ::larder::__private::stats(
            generic::__larder_site(),
            ::core::option::Option::None,
        )
    }
}
