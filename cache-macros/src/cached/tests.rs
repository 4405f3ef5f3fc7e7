//! Snapshots of expansions. `UPDATE_EXPECT=1 cargo test -p cache-macros` writes them anew; read
//! every line of the difference.

use super::expand;
use expect_test::{ExpectFile, expect_file};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

/// Expands `item` under `#[cached(options)]`, as it stands in `around`.
fn check(
    options: TokenStream,
    item: &TokenStream,
    around: impl Fn(TokenStream) -> TokenStream,
    expected: &ExpectFile,
) {
    let once = expand(options.clone(), item);
    let again = expand(options, item);
    assert_eq!(once.to_string(), again.to_string(), "the same input makes the same tokens");
    let file = syn::parse2(around(once)).expect("an expansion is well-formed");
    expected.assert_eq(&prettyplease::unparse(&file));
}

fn in_a_module(expansion: TokenStream) -> TokenStream {
    expansion
}

fn in_braces(head: TokenStream, expansion: TokenStream) -> TokenStream {
    let body = Group::new(Delimiter::Brace, expansion);
    head.into_iter().chain([TokenTree::from(body)]).collect()
}

#[test]
fn a_plain_function_is_a_look_up_and_a_companion() {
    check(
        quote!(),
        &quote! {
            /// Documented.
            pub fn plain(id: u64, name: &str) -> String {
                format!("{id}{name}")
            }
        },
        in_a_module,
        &expect_file!["snapshots/plain.rs"],
    );
}

#[test]
fn an_async_function_boxes_its_body_on_a_miss() {
    check(
        quote!(ttl = "1h"),
        &quote! {
            async fn later(mut id: u64) -> Result<u64, String> {
                id += 1;
                fetch(id).await?;
                Ok(id)
            }
        },
        in_a_module,
        &expect_file!["snapshots/async.rs"],
    );
}

#[test]
fn a_method_of_async_trait_looks_up_inside_its_future() {
    check(
        quote!(key(self.tenant, id), tags("tenant:{self.tenant}")),
        &quote! {
            fn decide<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> ::core::pin::Pin<
                Box<dyn ::core::future::Future<Output = Option<u64>> + ::core::marker::Send + 'async_trait>,
            >
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    let __self = self;
                    let __ret: Option<u64> = { __self.decided(id).await };
                    __ret
                })
            }
        },
        |expansion| in_braces(quote!(impl Decides for Engine), expansion),
        &expect_file!["snapshots/boxed.rs"],
    );
}

#[test]
fn type_parameters_are_passed_on_in_their_order() {
    check(
        quote!(skip(db)),
        &quote! {
            pub(crate) fn generic<'a, const N: usize, D, T>(
                db: &'a D,
                ids: [u64; N],
                pair: (T, &'a str),
            ) -> D::Out
            where
                D: Reads,
                T: Clone + Hash + Eq + Send + Sync + 'static,
            {
                db.read(ids, pair)
            }
        },
        in_a_module,
        &expect_file!["snapshots/generic.rs"],
    );
}

#[test]
fn a_method_gets_its_companion_by_name() {
    check(
        quote!(key(self.tenant, id), handle = decide_entry),
        &quote! {
            #[cfg(feature = "decisions")]
            #[must_use]
            pub fn decide(&self, id: u64, db: &Db) -> Option<u64> {
                db.decide(self.tenant, id)
            }
        },
        |expansion| in_braces(quote!(impl Engine), expansion),
        &expect_file!["snapshots/method.rs"],
    );
}

#[test]
fn every_option_leaves_its_trace() {
    check(
        quote!(
            tier = "l1",
            ttl = "1h",
            capacity = LIMIT,
            weigh = weight,
            tags("user:{id}", "name:{name.len()}", "{{policy}}"),
            key = "user:{id}:{name}",
            context,
            scope = "session",
            version = 2,
            name = "every",
            when = id > 0,
            stale = "10m",
            grace = "1d",
            jitter = "12.5%",
            negative = "5s",
            ttl_for = ttl,
            cache_if = Result::is_ok,
            tags_for = tags,
            wait = "1500ms",
            handle = Every,
            runtime = shared.runtime(),
            crate = crate::cache
        ),
        &quote! {
            fn every(id: u64, name: &str, shared: &Shared) -> Result<u64, String> {
                Ok(id)
            }
        },
        in_a_module,
        &expect_file!["snapshots/options.rs"],
    );
}

#[test]
#[cfg(all(feature = "disk", feature = "postcard", feature = "zstd"))]
fn beyond_l1_a_call_says_what_its_value_is_in_bytes() {
    check(
        quote!(
            tier = "l1,l2",
            ttl(l1 = "30s", l2 = "5m"),
            key(roots.to_vec(), id),
            files(roots, id.file()),
            codec = "postcard",
            compress = "zstd",
            write = "through",
            runtime = shared.runtime(),
            handle = Stored
        ),
        &quote! {
            async fn stored(roots: &[PathBuf], id: Id, shared: &Shared) -> io::Result<u64> {
                read(roots, id).await
            }
        },
        in_a_module,
        &expect_file!["snapshots/stored.rs"],
    );
}

#[test]
#[cfg(feature = "redis")]
fn what_is_kept_on_other_machines_alone_is_looked_for_before_there_is_room_for_a_computation() {
    check(
        quote!(tier = "l3", ttl = "1h", tags("user:{id}"), handle = none),
        &quote! {
            async fn far(id: u64) -> String {
                read(id).await
            }
        },
        in_a_module,
        &expect_file!["snapshots/far.rs"],
    );
}

#[test]
#[cfg(feature = "disk")]
fn files_are_found_by_type_and_by_name() {
    check(
        quote!(tier = "l2", ttl = "1h", version = auto, files, handle = none),
        &quote! {
            fn found(root: &Path, dir: String, id: u64, (file, line): (&str, u32)) -> String {
                String::new()
            }
        },
        in_a_module,
        &expect_file!["snapshots/files.rs"],
    );
}

#[test]
fn a_version_by_tokens_changes_with_the_function_and_with_its_attribute() {
    let tokens = |options: TokenStream, item: TokenStream| {
        let expansion = expand(options, &item).to_string();
        let (_, behind) = expansion.split_once("tokens = ").expect("a fingerprint");
        behind.split_once(';').expect("an end").0.to_owned()
    };
    let auto = || quote!(version = auto, skip(b));
    let first = tokens(
        auto(),
        quote!(
            pub fn f(a: u8, b: u8) -> u8 {
                a
            }
        ),
    );
    let documented = quote! {
        /// Documented.
        pub fn f(a: u8, b: u8,) -> u8 { a }
    };
    assert_eq!(first, tokens(auto(), documented), "documentation and layout say nothing");
    let others = [
        tokens(
            auto(),
            quote!(
                pub fn f(a: u8, b: u8) -> u8 {
                    a + 1
                }
            ),
        ),
        tokens(
            auto(),
            quote!(
                pub fn f(a: u8, b: u16) -> u8 {
                    a
                }
            ),
        ),
        tokens(
            auto(),
            quote!(
                #[inline]
                pub fn f(a: u8, b: u8) -> u8 {
                    a
                }
            ),
        ),
        tokens(
            quote!(version = auto, skip(a)),
            quote!(
                pub fn f(a: u8, b: u8) -> u8 {
                    a
                }
            ),
        ),
    ];
    for other in others {
        assert_ne!(first, other);
    }
}

#[test]
fn more_parts_than_a_tuple_takes_are_nested() {
    check(
        quote!(handle = none),
        &quote! {
            fn many(
                a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, (j, k): (u8, u8),
            ) {}
        },
        in_a_module,
        &expect_file!["snapshots/many.rs"],
    );
}

#[test]
fn on_a_fault_the_function_stays_as_it_was() {
    check(
        quote!(tll = "1h", capacity = 0),
        &quote! {
            fn faulty(id: u64) -> u64 {
                id
            }
        },
        in_a_module,
        &expect_file!["snapshots/faulty.rs"],
    );
}
