//! What the attribute accepts, and what it says of what it doesn't: one file for each rule.
//!
//! The messages are those of the compiler in use. `TRYBUILD=overwrite cargo test --test ui` writes
//! them anew; read every line of the difference.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn everything_that_the_attribute_accepts_compiles_and_runs() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    #[cfg(all(feature = "disk", feature = "redis", feature = "postcard", feature = "zstd"))]
    cases.pass("tests/ui/pass_with_features/*.rs");
}

#[test]
fn every_fault_has_its_message() {
    let cases = trybuild::TestCases::new();
    // They are the same with all features, and take a second each.
    #[cfg(not(all(feature = "disk", feature = "redis", feature = "postcard", feature = "zstd")))]
    cases.compile_fail("tests/ui/fail/*.rs");
    #[cfg(not(any(
        feature = "disk",
        feature = "redis",
        feature = "files",
        feature = "postcard",
        feature = "zstd"
    )))]
    cases.compile_fail("tests/ui/without_features/*.rs");
    #[cfg(all(feature = "disk", feature = "redis", feature = "postcard", feature = "zstd"))]
    cases.compile_fail("tests/ui/with_features/*.rs");
}

#[test]
fn a_crate_of_another_edition_may_know_larder_by_another_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let written = root.join("tests/ui/elsewhere");
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere");
    fs::create_dir_all(project.join("src")).expect("a folder for the project");
    let manifest = fs::read_to_string(written.join("Cargo.toml")).expect("a manifest");
    let manifest = manifest.replace("LARDER", &root.display().to_string());
    fs::write(project.join("Cargo.toml"), manifest).expect("the manifest in place");
    fs::copy(written.join("main.rs"), project.join("src/main.rs")).expect("the source in place");
    // The versions that are there already, so that nothing needs to be fetched.
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).expect("the lock in place");
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--quiet", "--manifest-path"])
        .arg(project.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(project.join("target"))
        .output()
        .expect("cargo");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
}
