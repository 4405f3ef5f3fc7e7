//! Tiers, as attributes name them, and the times to live that may differ between them.

use crate::diagnostics::{Errors, listed, needs_feature, unknown};
use crate::duration;
use crate::options::{self, Names, Value, Written};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use std::time::Duration;

const TIERS: &[&str] = &["l1", "l2", "l3"];

/// From the nearest to the farthest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    L1,
    L2,
    L3,
}

/// How long a value is fresh.
pub(crate) enum Ttl {
    Everywhere(Duration),
    /// In each of these tiers.
    In(Vec<(Ident, Tier, Duration)>),
}

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
    [Tier::L1, Tier::L2, Tier::L3].into_iter().find(|tier| tier.word() == word)
}

impl Tier {
    fn word(self) -> &'static str {
        TIERS[self as usize]
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

/// The tier of that name, if it can be used.
fn check(word: &str) -> Result<Tier, String> {
    let needs = |feature| Err(needs_feature(&format!("tier `{word}`"), feature));
    match known(word) {
        None => Err(unknown("tier", word, TIERS)),
        Some(Tier::L2) if cfg!(not(feature = "disk")) => needs("disk"),
        Some(Tier::L3) if cfg!(not(feature = "redis")) => needs("redis"),
        Some(tier) => Ok(tier),
    }
}

/// Reads `ttl = "1h"` or `ttl(l1 = "30s", l2 = "5m")`.
pub(crate) fn ttl(option: &Written) -> syn::Result<Ttl> {
    let example = "`ttl = \"1h\"` or `ttl(l1 = \"30s\", l2 = \"5m\")`";
    let Value::Listed(tokens) = &option.value else {
        return duration::read(option.string(example)?).map(Ttl::Everywhere);
    };
    let mut errors = Errors::default();
    let one = "`l1 = \"30s\"`";
    let names = Names { what: "tier", example: one, known: TIERS };
    let mut each = Vec::new();
    for option in options::read(tokens.clone(), &names, &mut errors).options {
        match check(&option.name.to_string()) {
            Err(message) => errors.add(&option.name, message),
            Ok(tier) => {
                let ttl = errors.take(option.string(one).and_then(duration::read));
                each.extend(ttl.map(|ttl| (option.name, tier, ttl)));
            }
        }
    }
    match errors.instead_of(each)? {
        each if each.is_empty() => Err(option.fault(example)),
        each => Ok(Ttl::In(each)),
    }
}

impl Ttl {
    /// How long a value is fresh in one tier, if it is said.
    pub(crate) fn of(&self, tier: Tier) -> Option<Duration> {
        match self {
            Self::Everywhere(ttl) => Some(*ttl),
            Self::In(each) => each.iter().find(|(_, it, _)| *it == tier).map(|(_, _, ttl)| *ttl),
        }
    }

    /// Reports tiers that the function has not.
    pub(crate) fn check(&self, tiers: &[Tier], errors: &mut Errors) {
        let Self::In(each) = self else { return };
        for (name, _, _) in each.iter().filter(|(_, tier, _)| !tiers.contains(tier)) {
            let own = listed(tiers.iter().map(|tier| tier.word()));
            let message = format!("`ttl` names `{name}`, and this function has {own} only");
            errors.add(name, format!("{message}; leave it out, or add `{name}` to `tier`"));
        }
    }
}
