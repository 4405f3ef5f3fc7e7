impl Decides for Engine {
    fn decide<'life0, 'async_trait>(
        &'life0 self,
        id: u64,
    ) -> ::core::pin::Pin<
        Box<
            dyn ::core::future::Future<
                Output = Option<u64>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        ::std::boxed::Box::pin(async move {
            static __LARDER_SITE: ::larder::__private::Site = ::larder::__private::Site::new({
                let mut __larder_options = ::larder::__private::FunctionOptions::new(
                    ::core::module_path!(),
                    "decide",
                );
                __larder_options.file = ::core::file!();
                __larder_options.line = ::core::line!();
                __larder_options.signature = 3687596729097578914;
                __larder_options.tags = &["tenant:{self.tenant}"];
                __larder_options
            });
            ::larder::__private::submit! {
                ::larder::__private::Linked(& __LARDER_SITE)
            }
            #[allow(clippy::used_underscore_binding)]
            let __larder_found = {
                #[allow(unused_imports)]
                use ::larder::__private::methods::*;
                let __larder_declare = |
                    __larder_declared: &mut ::larder::__private::Declared|
                {
                    __larder_declared
                        .tag(::core::format_args!("tenant:{}", self.tenant));
                };
                let __larder_call = ::larder::__private::Call::new(
                    &__LARDER_SITE,
                    &|| {},
                    &(),
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
                        .compute_async(
                            move || async move {
                                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                                if let ::core::option::Option::Some(__larder_out) = ::core::option::Option::None::<
                                    Option<u64>,
                                > {
                                    return __larder_out;
                                }
                                let __self = self;
                                let __ret: Option<u64> = { __self.decided(id).await };
                                __ret
                            },
                            |_| ::larder::__private::Verdict::new(),
                        )
                        .await
                }
            }
        })
    }
}
