//! What is said of the tiers beyond L1, where values are bytes.

use super::model::Stored;
use super::parse::{Options, Scope};
use super::tier::Tier;
use crate::diagnostics::{Errors, needs_feature, unknown};
use crate::options::Written;
use proc_macro2::Ident;

/// Reads `codec = ..`.
pub(crate) fn codec(option: &Written) -> syn::Result<&'static str> {
    let example = "`codec = \"bincode\"` or `codec = \"postcard\"`";
    let codecs = [("bincode", true), ("postcard", cfg!(feature = "postcard"))];
    one_of(option, "codec", example, &codecs)
}

/// Reads `compress = ..`.
pub(crate) fn compress(option: &Written) -> syn::Result<&'static str> {
    let example = "`compress = \"auto\"`, with `none`, `lz4`, `zstd` or `auto`";
    let compressions =
        [("none", true), ("lz4", true), ("zstd", cfg!(feature = "zstd")), ("auto", true)];
    one_of(option, "compression", example, &compressions)
}

/// Reads `write = ..`.
pub(crate) fn write(option: &Written) -> syn::Result<&'static str> {
    let example = "`write = \"through\"` or `write = \"behind\"`";
    one_of(option, "write mode", example, &[("through", true), ("behind", true)])
}

/// One of several words. Where one is not there, a feature of its name is missing.
fn one_of(
    option: &Written,
    what: &str,
    example: &str,
    words: &[(&'static str, bool)],
) -> syn::Result<&'static str> {
    let literal = option.string(example)?;
    let written = literal.value();
    let message = match words.iter().find(|(word, _)| *word == written) {
        Some((word, true)) => return Ok(word),
        Some((word, false)) => needs_feature(&format!("{what} `{word}`"), word),
        None => {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            unknown(what, &written, &words)
        }
    };
    Err(syn::Error::new_spanned(literal, message))
}

/// Finds what is said of the tiers beyond L1, if the function has one, and reports what only makes
/// sense with one, or without.
pub(crate) fn stored(options: &Options, tiers: &[Tier], errors: &mut Errors) -> Option<Stored> {
    if let Some(farthest) = tiers.iter().copied().max().filter(|tier| *tier > Tier::L1) {
        let own = options.ttl.as_ref().map(|ttl| &ttl.value);
        check_scope(options, errors);
        return Some(Stored {
            codec: options.codec.as_ref().map(|codec| codec.value),
            compress: options.compress.as_ref().map(|compress| compress.value),
            write_through: options.write.as_ref().is_some_and(|write| write.value == "through"),
            ttl: own.and_then(|ttl| ttl.of(farthest)),
            ttl_disk: own.and_then(|ttl| ttl.of(Tier::L2)).filter(|_| farthest > Tier::L2),
        });
    }
    let names = [
        options.codec.as_ref().map(|codec| &codec.name),
        options.compress.as_ref().map(|compress| &compress.name),
        options.write.as_ref().map(|write| &write.name),
    ];
    names.into_iter().flatten().for_each(|name| needs_tier(name, errors));
    None
}

fn needs_tier(name: &Ident, errors: &mut Errors) {
    let message = format!(
        "`{name}` needs a tier beyond `l1`; write `tier = \"l1,l2\"`, or leave `{name}` out"
    );
    errors.add(name, message);
}

fn check_scope(options: &Options, errors: &mut Errors) {
    if let Some(scope) = &options.scope
        && scope.value != Scope::Global
    {
        errors.add(
            &scope.name,
            "`scope` keeps to `l1`: what a session or request keeps ends with it, and the tiers \
             beyond outlive both; write `tier = \"l1\"`, or leave `scope` out",
        );
    }
}
