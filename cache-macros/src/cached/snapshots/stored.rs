/**

# Cache

This function is cached. `Stored::invalidate`, `Stored::peek` and `Stored::explain` take what makes its key; `Stored::refresh`, `Stored::put`, `Stored::uncached` take all arguments, `Stored::with` takes options before them, `Stored::warm` and `Stored::warm_with` take them many times over; `Stored::invalidate_all` and `Stored::stats` are about all calls.*/
async fn stored(roots: &[PathBuf], id: Id, shared: &Shared) -> io::Result<u64> {
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_runtime: &::larder::Runtime = &shared.runtime();
        let __larder_declare = |__larder_declared: &mut ::larder::__private::Declared| {
            __larder_declared.files(&roots);
            __larder_declared.files(&id.file());
        };
        let __larder_kind = ::larder::__private::Probe::checked(
            (&&&&::larder::__private::Probe::<io::Result<u64>>::new()).__larder_kind(),
        );
        let __larder_call = ::larder::__private::Call::new(
                Stored::__larder_site(),
                &|| {},
                &Stored::__larder_family,
                __larder_kind,
            )
            .on(__larder_runtime)
            .stored(::larder::__private::Format::postcard(__larder_kind));
        ::larder::__private::look_up_stored(
            __larder_call,
            &(
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&roots.to_vec()).__larder_part(),
                    ),
                ),
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&id).__larder_part(),
                    ),
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
                            io::Result<u64>,
                        > {
                            return __larder_out;
                        }
                        read(roots, id).await
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
enum Stored {}
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
impl Stored {
    #[inline]
    fn __larder_site() -> &'static ::larder::__private::Site {
        static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
            let mut __larder_options = ::larder::__private::FunctionOptions::new(
                ::core::module_path!(),
                "stored",
            );
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            __larder_options.signature = 6669946299711269586;
            __larder_options.tiers = &[::larder::Level::L1, ::larder::Level::L2];
            __larder_options.ttl = ::core::option::Option::Some(
                ::core::time::Duration::new(30, 0),
            );
            __larder_options.codec = "postcard";
            __larder_options.compress = "zstd";
            __larder_options.write_through = true;
            __larder_options.ttl_stored = ::core::option::Option::Some(
                ::core::time::Duration::new(300, 0),
            );
            __larder_options.files = true;
            __larder_options.runtime = ::core::option::Option::Some("shared.runtime()");
            __larder_options
        });
        ::larder::__private::submit! {
            ::larder::__private::Linked(& __LARDER_SITE)
        }
        &__LARDER_SITE
    }
    fn __larder_family() {}
    fn __larder_entry(
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
    ) -> ::larder::Entry<io::Result<u64>> {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_runtime: &::larder::Runtime = &shared.runtime();
        let __larder_kind = ::larder::__private::Probe::checked(
            (&&&&::larder::__private::Probe::<io::Result<u64>>::new()).__larder_kind(),
        );
        ::larder::__private::entry_stored(
            Stored::__larder_site(),
            &Stored::__larder_family,
            __larder_kind,
            ::core::option::Option::Some(__larder_runtime),
            &(
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&roots.to_vec()).__larder_part(),
                    ),
                ),
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&id).__larder_part(),
                    ),
                ),
            ),
            ::larder::__private::Format::postcard(__larder_kind),
        )
    }
    async fn invalidate(
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
    ) -> ::core::result::Result<(), ::larder::Error> {
        let __larder_entry = Self::__larder_entry(roots, id, shared);
        ::larder::Entry::invalidate(&__larder_entry).await
    }
    async fn peek(
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
    ) -> ::core::option::Option<io::Result<u64>> {
        let __larder_entry = Self::__larder_entry(roots, id, shared);
        ::larder::Entry::peek(&__larder_entry).await
    }
    async fn explain(
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
    ) -> ::larder::Explanation {
        let __larder_entry = Self::__larder_entry(roots, id, shared);
        ::larder::Entry::explain(&__larder_entry).await
    }
    fn call_context(
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
    ) -> ::larder::CallContext {
        let __larder_entry = Self::__larder_entry(roots, id, shared);
        ::larder::Entry::call_context(&__larder_entry)
    }
    async fn refresh(roots: &[PathBuf], id: Id, shared: &Shared) -> io::Result<u64> {
        ::larder::__private::refresh_async(
                Stored::__larder_site(),
                stored(roots, id, shared),
            )
            .await
    }
    async fn uncached(roots: &[PathBuf], id: Id, shared: &Shared) -> io::Result<u64> {
        ::larder::__private::uncached_async(
                Stored::__larder_site(),
                stored(roots, id, shared),
            )
            .await
    }
    async fn with(
        __larder_options: ::larder::__private::Options,
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
    ) -> io::Result<u64> {
        ::larder::__private::scope(__larder_options, stored(roots, id, shared)).await
    }
    async fn put(
        roots: &[PathBuf],
        id: Id,
        shared: &Shared,
        __larder_value: io::Result<u64>,
    ) {
        ::larder::__private::put_async(
                Stored::__larder_site(),
                __larder_value,
                stored(roots, id, shared),
            )
            .await
    }
    async fn warm<'__larder>(
        __larder_calls: impl ::core::iter::IntoIterator<
            Item = (&'__larder [PathBuf], Id, &'__larder Shared),
        >,
    ) -> ::larder::Warmed
    where
        [PathBuf]: '__larder,
        Shared: '__larder,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::warm_async(
                Stored::__larder_site(),
                |__larder_out: &io::Result<u64>| {
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
                |(roots, id, shared)| stored(roots, id, shared),
            )
            .await
    }
    async fn warm_with<'__larder>(
        __larder_warming: ::larder::__private::Warming<'_>,
        __larder_calls: impl ::core::iter::IntoIterator<
            Item = (&'__larder [PathBuf], Id, &'__larder Shared),
        >,
    ) -> ::larder::Warmed
    where
        [PathBuf]: '__larder,
        Shared: '__larder,
    {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::warm_with_async(
                Stored::__larder_site(),
                |__larder_out: &io::Result<u64>| {
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
                |(roots, id, shared)| stored(roots, id, shared),
            )
            .await
    }
    #[doc(hidden)]
    fn __larder_runtime(shared: &Shared) -> ::core::option::Option<::larder::Runtime> {
        let __larder_runtime: &::larder::Runtime = &shared.runtime();
        let __larder_found: ::core::option::Option<&::larder::Runtime> = ::core::option::Option::Some(
            __larder_runtime,
        );
        __larder_found.cloned()
    }
    async fn invalidate_all(
        shared: &Shared,
    ) -> ::core::result::Result<(), ::larder::Error> {
        let __larder_runtime: &::larder::Runtime = &shared.runtime();
        ::larder::__private::invalidate_all_async(
                Stored::__larder_site(),
                ::core::option::Option::Some(__larder_runtime),
            )
            .await
    }
    fn stats(shared: &Shared) -> ::larder::FunctionStats {
        let __larder_runtime: &::larder::Runtime = &shared.runtime();
        ::larder::__private::stats(
            Stored::__larder_site(),
            ::core::option::Option::Some(__larder_runtime),
        )
    }
}
