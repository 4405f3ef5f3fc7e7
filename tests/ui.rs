//! What the attribute accepts, and what it says of what it doesn't: one file for each rule.
//!
//! The messages are those of the compiler in use. `TRYBUILD=overwrite cargo test --test ui` writes
//! them anew; read every line of the difference.

#[test]
fn everything_that_the_attribute_accepts_compiles_and_runs() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[test]
fn every_fault_has_its_message() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    #[cfg(not(any(feature = "disk", feature = "redis")))]
    cases.compile_fail("tests/ui/without_features/*.rs");
    #[cfg(all(feature = "disk", feature = "redis"))]
    cases.compile_fail("tests/ui/with_features/*.rs");
}
