fn many(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    (j, k): (u8, u8),
) {
    static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
        let mut __larder_options = ::larder::__private::FunctionOptions::new(
            ::core::module_path!(),
            "many",
        );
        __larder_options.file = ::core::file!();
        __larder_options.line = ::core::line!();
        __larder_options.signature = 5677736858367541334;
        __larder_options
    });
    ::larder::__private::submit! {
        ::larder::__private::Linked(& __LARDER_SITE)
    }
    #[allow(clippy::used_underscore_binding)]
    let __larder_found = {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        let __larder_declare = |_: &mut ::larder::__private::Declared| {};
        let __larder_call = ::larder::__private::Call::new(
            &__LARDER_SITE,
            &|| {},
            &(),
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<()>::new()).__larder_kind(),
            ),
        );
        ::larder::__private::look_up(
            __larder_call,
            &(
                ::larder::__private::Nested((
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&a).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&b).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&c).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&d).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&e).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&f).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&g).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&h).__larder_part(),
                    ),
                )),
                ::larder::__private::Nested((
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&i).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&j).__larder_part(),
                    ),
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&k).__larder_part(),
                    ),
                )),
            ),
            __larder_declare,
        )
    };
    match __larder_found {
        ::larder::__private::Found::Hit(__larder_out) => __larder_out,
        ::larder::__private::Found::Miss(__larder_miss) => {
            __larder_miss.compute(|| -> () {}, |_| ::larder::__private::Verdict::new())
        }
    }
}
