async fn far(id: u64) -> String {
    static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
        let mut __larder_options = ::larder::__private::FunctionOptions::new(
            ::core::module_path!(),
            "far",
        );
        __larder_options.file = ::core::file!();
        __larder_options.line = ::core::line!();
        __larder_options.signature = 13385962053792501124;
        __larder_options.tiers = &[::larder::Level::L3];
        __larder_options.ttl = ::core::option::Option::Some(
            ::core::time::Duration::new(3600, 0),
        );
        __larder_options.tags = &["user:{id}"];
        __larder_options.ttl_stored = ::core::option::Option::Some(
            ::core::time::Duration::new(3600, 0),
        );
        __larder_options.ttl_disk = ::core::option::Option::Some(
            ::core::time::Duration::new(3600, 0),
        );
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
            __larder_declared.tag(::core::format_args!("user:{}", id));
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
            ::std::boxed::Box::pin(
                    __larder_miss
                        .glance_or_compute(
                            move || async move {
                                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                                if let ::core::option::Option::Some(__larder_out) = ::core::option::Option::None::<
                                    String,
                                > {
                                    return __larder_out;
                                }
                                read(id).await
                            },
                            |_| ::larder::__private::Verdict::new(),
                        ),
                )
                .await
        }
    }
}
