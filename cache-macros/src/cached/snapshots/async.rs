/**

# Cache

This function is cached. `later::invalidate`, `later::peek` and `later::explain` take what makes its key; `later::refresh`, `later::put`, `later::uncached` take all arguments, `later::with` takes options before them, `later::warm` and `later::warm_with` take them many times over; `later::invalidate_all` and `later::stats` are about all calls.*/
async fn later(mut id: u64) -> Result<u64, String> {
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_declare = |_: &mut ::larder::__private::Declared| {};
        let __larder_call = ::larder::__private::Call::new(
            later::__larder_site(),
            &|| {},
            &later::__larder_family,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<Result<u64, String>>::new())
                    .__larder_kind(),
            ),
        );
        ::larder::__private::look_up(
            __larder_call,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&id).__larder_part(),
                ),
            ),
            __larder_declare,
        )
    };
    match __larder_found {
        ::larder::__private::Found::Hit(__larder_out) => __larder_out,
        ::larder::__private::Found::Miss(__larder_miss) => {
            __larder_miss
                .compute_async(
                    move || async move {
                        #[allow(unreachable_code, clippy::diverging_sub_expression)]
                        if let ::core::option::Option::Some(__larder_out) = ::core::option::Option::None::<
                            Result<u64, String>,
                        > {
                            return __larder_out;
                        }
                        id += 1;
                        fetch(id).await?;
                        Ok(id)
                    },
                    |_| ::larder::__private::Verdict::new(),
                )
                .await
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
enum later {}
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
impl later {
    #[inline]
    fn __larder_site() -> &'static ::larder::__private::Site {
        static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
            let mut __larder_options = ::larder::__private::FunctionOptions::new(
                ::core::module_path!(),
                "later",
            );
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            __larder_options.signature = 13380485222413273060;
            __larder_options.ttl = ::core::option::Option::Some(
                ::core::time::Duration::new(3600, 0),
            );
            __larder_options
        });
        ::larder::__private::submit! {
            ::larder::__private::Linked(& __LARDER_SITE)
        }
        &__LARDER_SITE
    }
    fn __larder_family() {}
    fn __larder_entry(id: u64) -> ::larder::Entry<Result<u64, String>> {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::entry(
            later::__larder_site(),
            &later::__larder_family,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<Result<u64, String>>::new())
                    .__larder_kind(),
            ),
            ::core::option::Option::None,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&id).__larder_part(),
                ),
            ),
        )
    }
    async fn invalidate(id: u64) -> ::core::result::Result<(), ::larder::Error> {
        let __larder_entry = Self::__larder_entry(id);
        ::larder::Entry::invalidate(&__larder_entry).await
    }
    async fn peek(id: u64) -> ::core::option::Option<Result<u64, String>> {
        let __larder_entry = Self::__larder_entry(id);
        ::larder::Entry::peek(&__larder_entry).await
    }
    async fn explain(id: u64) -> ::larder::Explanation {
        let __larder_entry = Self::__larder_entry(id);
        ::larder::Entry::explain(&__larder_entry).await
    }
    fn call_context(id: u64) -> ::larder::CallContext {
        let __larder_entry = Self::__larder_entry(id);
        ::larder::Entry::call_context(&__larder_entry)
    }
    async fn refresh(id: u64) -> Result<u64, String> {
        ::larder::__private::refresh_async(later::__larder_site(), later(id)).await
    }
    async fn uncached(id: u64) -> Result<u64, String> {
        ::larder::__private::uncached_async(later::__larder_site(), later(id)).await
    }
    async fn with(
        __larder_options: ::larder::__private::Options,
        id: u64,
    ) -> Result<u64, String> {
        ::larder::__private::scope(__larder_options, later(id)).await
    }
    async fn put(id: u64, __larder_value: Result<u64, String>) {
        ::larder::__private::put_async(later::__larder_site(), __larder_value, later(id))
            .await
    }
    async fn warm(
        __larder_calls: impl ::core::iter::IntoIterator<Item = u64>,
    ) -> ::larder::Warmed {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::warm_async(
                later::__larder_site(),
                |__larder_out: &Result<u64, String>| {
                    if (&::larder::__private::Success::of(__larder_out))
                        .__larder_succeeded()
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
                |id| later(id),
            )
            .await
    }
    async fn warm_with(
        __larder_warming: ::larder::__private::Warming<'_>,
        __larder_calls: impl ::core::iter::IntoIterator<Item = u64>,
    ) -> ::larder::Warmed {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::warm_with_async(
                later::__larder_site(),
                |__larder_out: &Result<u64, String>| {
                    if (&::larder::__private::Success::of(__larder_out))
                        .__larder_succeeded()
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
                |id| later(id),
            )
            .await
    }
    #[doc(hidden)]
    fn __larder_runtime() -> ::core::option::Option<::larder::Runtime> {
        let __larder_found: ::core::option::Option<&::larder::Runtime> = ::core::option::Option::None;
        __larder_found.cloned()
    }
    async fn invalidate_all() -> ::core::result::Result<(), ::larder::Error> {
        ::larder::__private::invalidate_all_async(
                later::__larder_site(),
                ::core::option::Option::None,
            )
            .await
    }
    fn stats() -> ::larder::FunctionStats {
        ::larder::__private::stats(later::__larder_site(), ::core::option::Option::None)
    }
}
