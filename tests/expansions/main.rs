//! Functions of every kind, in a crate that denies every lint it can: what the attribute makes of
//! them gives none of them a reason. `cargo clippy` is the test; that it runs is a bonus.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    clippy::clone_on_ref_ptr,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::missing_assert_message,
    clippy::panic,
    clippy::str_to_string,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
#![deny(
    deprecated_safe,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    future_incompatible,
    keyword_idents,
    let_underscore,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    nonstandard_style,
    redundant_imports,
    redundant_lifetimes,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]

pub mod associated;
pub mod functions;
pub mod futures;
pub mod generics;
pub mod options;
#[cfg(all(feature = "disk", feature = "postcard", feature = "zstd"))]
pub mod stored;

#[test]
fn what_gives_no_lint_a_reason_runs() {
    assert_eq!(functions::plain(1, "a"), "1a", "a function without options");
    assert_eq!(options::every(1, "a"), Ok(2), "a function with all of them");
    assert_eq!(generics::printed(&7_u64), "7", "a generic function");
    assert_eq!(associated::Engine::new(1).decide(2), 3, "a method");
    #[cfg(all(feature = "disk", feature = "postcard", feature = "zstd"))]
    assert_eq!(stored::found(&[], "a".to_owned()), 1, "a function that depends on files");
    let later = futures_lite::future::block_on(futures::plain(1, "a"));
    assert_eq!(later, "1a", "a function that is async");
}
