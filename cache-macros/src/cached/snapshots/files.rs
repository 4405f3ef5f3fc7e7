fn found(root: &Path, dir: String, id: u64, (file, line): (&str, u32)) -> String {
    static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
        let mut __larder_options = ::larder::__private::FunctionOptions::new(
            ::core::module_path!(),
            "found",
        );
        __larder_options.file = ::core::file!();
        __larder_options.line = ::core::line!();
        __larder_options.signature = 10303320325161588516;
        __larder_options.tokens = ::core::option::Option::Some(9491172411560554892);
        __larder_options.tiers = &[::larder::Level::L2];
        __larder_options.ttl = ::core::option::Option::Some(
            ::core::time::Duration::new(3600, 0),
        );
        __larder_options.ttl_stored = ::core::option::Option::Some(
            ::core::time::Duration::new(3600, 0),
        );
        __larder_options.files = true;
        __larder_options
    });
    ::larder::__private::submit! {
        ::larder::__private::Linked(& __LARDER_SITE)
    }
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_declare = |__larder_declared: &mut ::larder::__private::Declared| {
            __larder_declared.files(&root);
            __larder_declared.files(&dir);
            __larder_declared.files(&file);
        };
        let __larder_kind = ::larder::__private::Probe::checked(
            (&&&&::larder::__private::Probe::<String>::new()).__larder_kind(),
        );
        let __larder_call = ::larder::__private::Call::new(
                &__LARDER_SITE,
                &|| {},
                &(),
                __larder_kind,
            )
            .stored(::larder::__private::Format::bincode(__larder_kind));
        ::larder::__private::look_up_stored(
            __larder_call,
            &(
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&root).__larder_part(),
                    ),
                ),
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&dir).__larder_part(),
                    ),
                ),
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&id).__larder_part(),
                    ),
                ),
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&file).__larder_part(),
                    ),
                ),
                ::larder::__private::Arg::storable(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&line).__larder_part(),
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
                .compute(
                    || -> String { String::new() },
                    |_| ::larder::__private::Verdict::new(),
                )
        }
    }
}
