//! What a function is called beyond this process.

use crate::mark::{Mark, beyond};
use crate::site::{FunctionOptions, generic_arguments};
use std::sync::Arc;

/// One function, or one instantiation of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// What values are stored under: another version of the function is another.
    pub(crate) values: [u8; 32],
    /// What keys are invalidated under, whatever the version.
    pub(crate) keys: [u8; 32],
}

impl Identity {
    /// By the names of something declared inside the function, and of what a companion can name. The
    /// first tells those instantiations apart, too, that a companion can't.
    pub(crate) fn of(options: &FunctionOptions, body: &str, family: &str) -> Self {
        Self { values: values(options, body, family), keys: named(options, family, &[]) }
    }
}

fn values(options: &FunctionOptions, body: &str, family: &str) -> [u8; 32] {
    let FunctionOptions { version, signature, tokens, codec, .. } = options;
    let tokens = tokens.map_or([0; 9], |tokens| {
        let mut told = [1; 9];
        told[1..].copy_from_slice(&tokens.to_le_bytes());
        told
    });
    let (version, signature) = (version.to_le_bytes(), signature.to_le_bytes());
    let told_apart = generic_arguments(body);
    let parts = [&version[..], &signature, &tokens, codec.as_bytes(), b"/", told_apart.as_bytes()];
    named(options, family, &parts.concat())
}

fn named(options: &FunctionOptions, printed: &str, more: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("larder function identity 1");
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    // With a name of its own, whatever module it stands in.
    let printed = options.name.map_or(printed.to_owned(), |_| generic_arguments(printed));
    part(options.name.unwrap_or_default().as_bytes());
    part(printed.as_bytes());
    part(more);
    *hasher.finalize().as_bytes()
}

/// What every invalidation of a key of a function of this name records, and that of the function.
#[expect(clippy::unnecessary_wraps, reason = "nothing where there is nothing beyond")]
pub(crate) fn stand_in(name: &str) -> Option<Arc<[Mark; 2]>> {
    Some(Arc::new([beyond::any_key(name), beyond::function(name)]))
}
