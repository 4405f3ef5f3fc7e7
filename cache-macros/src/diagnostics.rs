//! Faults, collected so that one attribute reports all of its own at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds a fault at the place of some tokens.
    pub(crate) fn add(&mut self, at: impl ToTokens, message: impl std::fmt::Display) {
        self.combine(Error::new_spanned(at, message));
    }

    pub(crate) fn combine(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Takes the value, or the fault in its place.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.combine(error)).ok()
    }

    /// The value, unless there are faults.
    pub(crate) fn instead_of<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The faults as tokens; nothing if there are none.
    pub(crate) fn into_compile_error(self) -> Option<TokenStream> {
        self.0.map(Error::into_compile_error)
    }
}

/// Names for a message: each in backticks, with commas between.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// "unknown .. `word`; did you mean ..? .. are ..", for a word that is none of those known.
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let guess =
        closest(word, known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    format!("unknown {what} `{word}`; {guess}{what}s are {}", listed(known.iter().copied()))
}

/// "`l2` needs the feature ..", for what is there with a feature only.
pub(crate) fn needs_feature(what: &str, feature: &str) -> String {
    format!(
        "{what} needs the feature `{feature}` of larder; \
         write `larder = {{ .., features = [\"{feature}\"] }}` in Cargo.toml"
    )
}

/// The known word that somebody who wrote `word` may have meant.
pub(crate) fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), *name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_close_to_a_known_one_is_taken_for_it() {
        let known = ["ttl", "tags", "tags_for", "capacity"];
        assert_eq!(closest("tll", &known), Some("ttl"));
        assert_eq!(closest("tag", &known), Some("tags"));
        assert_eq!(closest("capasity", &known), Some("capacity"));
        assert_eq!(closest("size", &known), None);
        assert_eq!(closest("", &known), None);
    }

    #[test]
    fn faults_are_reported_together() {
        let mut errors = Errors::default();
        errors.add(quote::quote!(a), "one");
        errors.add(quote::quote!(b), "two");
        let tokens = errors.into_compile_error().expect("two faults").to_string();
        assert!(tokens.contains("one") && tokens.contains("two"), "{tokens}");
    }
}
