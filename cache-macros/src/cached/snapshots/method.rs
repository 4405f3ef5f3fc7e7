impl Engine {
    #[cfg(feature = "decisions")]
    #[must_use]
    /**

# Cache

This method is cached. `decide_entry` takes what makes its key and returns the entry, to invalidate it, look at it, or replace it.*/
    pub fn decide(&self, id: u64, db: &Db) -> Option<u64> {
        #[allow(clippy::used_underscore_binding)]
        let __larder_found = {
            #[allow(unused_imports)]
            use ::larder::__private::methods::*;
            let __larder_declare = |_: &mut ::larder::__private::Declared| {};
            let __larder_call = ::larder::__private::Call::new(
                Self::__larder_decide_entry(),
                &|| {},
                &Self::__larder_decide_entry,
                ::larder::__private::Probe::checked(
                    (&&&&::larder::__private::Probe::<Option<u64>>::new())
                        .__larder_kind(),
                ),
            );
            ::larder::__private::look_up(
                __larder_call,
                &(
                    ::larder::__private::Arg::checked(
                        ::larder::__private::Arg(&self.tenant).__larder_part(),
                    ),
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
                    .compute(
                        || -> Option<u64> { db.decide(self.tenant, id) },
                        |_| ::larder::__private::Verdict::new(),
                    )
            }
        }
    }
    #[cfg(feature = "decisions")]
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
    ///The cache entry of a call of `decide`.
    pub fn decide_entry(&self, id: u64) -> ::larder::blocking::Entry<Option<u64>> {
        #[allow(unused_imports)]
        use ::larder::__private::methods::*;
        ::larder::__private::blocking_entry(
            Self::__larder_decide_entry(),
            &Self::__larder_decide_entry,
            ::larder::__private::Probe::checked(
                (&&&&::larder::__private::Probe::<Option<u64>>::new()).__larder_kind(),
            ),
            ::core::option::Option::None,
            &(
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&self.tenant).__larder_part(),
                ),
                ::larder::__private::Arg::checked(
                    ::larder::__private::Arg(&id).__larder_part(),
                ),
            ),
        )
    }
    #[cfg(feature = "decisions")]
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
    #[inline]
    fn __larder_decide_entry() -> &'static ::larder::__private::Site {
        static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
            let mut __larder_options = ::larder::__private::FunctionOptions::new(
                ::core::module_path!(),
                "decide",
            );
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            __larder_options.signature = 17425740784467732802;
            __larder_options
        });
        ::larder::__private::submit! {
            ::larder::__private::Linked(& __LARDER_SITE)
        }
        &__LARDER_SITE
    }
}
