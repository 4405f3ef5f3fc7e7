//! Tiers, as attributes name them, and the times to live that may differ between them.

use super::parse::Tier;
use crate::diagnostics::{Errors, unknown};
use crate::duration;
use crate::options::{self, Names, Value, Written};
use proc_macro2::TokenStream;
use quote::ToTokens;
use std::time::Duration;

const TIERS: &[&str] = &["l1", "l2", "l3"];

/// Reads `tier = ..`.
pub(crate) fn tier(option: &Written) -> syn::Result<Vec<Tier>> {
    let mut errors = Errors::default();
    let mut seen: Vec<Tier> = Vec::new();
    for (at, word) in named(option)? {
        let tier = known(&word);
        if tier.is_some_and(|tier| seen.contains(&tier)) {
            errors.add(&at, format!("tier `{word}` is named twice; leave one of them out"));
        } else if tier.is_some() && tier.as_ref() < seen.iter().max() {
            errors.add(&at, "tiers are named from the nearest to the farthest: `l1`, `l2`, `l3`");
        } else if let Err(message) = check(&word) {
            errors.add(&at, message);
        }
        seen.extend(tier);
    }
    errors.instead_of(seen)
}

fn known(word: &str) -> Option<Tier> {
    match word {
        "l1" => Some(Tier::L1),
        "l2" => Some(Tier::L2),
        "l3" => Some(Tier::L3),
        _ => None,
    }
}

fn named(option: &Written) -> syn::Result<Vec<(TokenStream, String)>> {
    let example = "`tier = \"l1\"` or `tier(l1)`";
    if matches!(option.value, Value::Listed(_))
        && let Ok(words) = option.words(example)
    {
        return Ok(words.iter().map(|word| (word.to_token_stream(), word.to_string())).collect());
    }
    let strings = option.strings(example)?;
    Ok(strings.into_iter().map(|(literal, word)| (literal.to_token_stream(), word)).collect())
}

/// Whether a tier can be used.
fn check(word: &str) -> Result<(), String> {
    let (feature, enabled) = match known(word) {
        Some(Tier::L1) => return Ok(()),
        Some(Tier::L2) => ("disk", cfg!(feature = "disk")),
        Some(Tier::L3) => ("redis", cfg!(feature = "redis")),
        None => return Err(unknown("tier", word, TIERS)),
    };
    Err(if enabled {
        format!("tier `{word}` is not there yet; use `l1`")
    } else {
        format!(
            "tier `{word}` needs the feature `{feature}` of larder; \
             write `larder = {{ .., features = [\"{feature}\"] }}` in Cargo.toml"
        )
    })
}

/// Reads `ttl = "1h"` or `ttl(l1 = "30s")`.
pub(crate) fn ttl(option: &Written) -> syn::Result<Duration> {
    let example = "`ttl = \"1h\"` or `ttl(l1 = \"30s\")`";
    let Value::Listed(tokens) = &option.value else {
        return duration::read(option.string(example)?);
    };
    let mut errors = Errors::default();
    let one = "`l1 = \"30s\"`";
    let names = Names { what: "tier", example: one, known: TIERS, reserved: &[] };
    let mut ttl = None;
    for tier in options::read(tokens.clone(), &names, &mut errors).options {
        if let Err(message) = check(&tier.name.to_string()) {
            errors.add(&tier.name, message);
        } else {
            let read = tier.string(one).and_then(duration::read);
            ttl = errors.take(read).or(ttl);
        }
    }
    errors.instead_of(ttl)?.ok_or_else(|| option.fault(example))
}
