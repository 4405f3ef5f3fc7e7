//! What keeps one program's entries apart from others' beyond its process.

use crate::error::{Error, ErrorKind};
use std::env;

/// The namespace unless another is given.
const DEFAULT: &str = "larder";

/// The environment variable that gives one.
const VARIABLE: &str = "LARDER_NAMESPACE";

/// The namespace given, or the one in the environment, or `larder`.
pub(crate) fn find(given: Option<String>) -> Result<String, Error> {
    if let Some(given) = given {
        return check(given, "namespace");
    }
    match env::var(VARIABLE) {
        Ok(named) if !named.is_empty() => check(named, VARIABLE),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Error::new(ErrorKind::Configuration, format!("{VARIABLE} is not UTF-8")))
        }
        _ => Ok(DEFAULT.to_owned()),
    }
}

/// The namespace of a program that says nothing in its code: a bad one in the environment is done
/// without.
pub(crate) fn of_environment() -> String {
    find(None).unwrap_or_else(|error| {
        #[cfg(feature = "beyond")]
        log::warn!("`{DEFAULT}` is the namespace: {error}");
        #[cfg(not(feature = "beyond"))]
        drop(error);
        DEFAULT.to_owned()
    })
}

fn check(namespace: String, setting: &str) -> Result<String, Error> {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    let special = matches!(&*namespace, "" | "." | "..");
    if !special && namespace.len() <= 64 && namespace.chars().all(allowed) {
        return Ok(namespace);
    }
    Err(Error::new(
        ErrorKind::Configuration,
        format!(
            "{setting} {namespace:?} can't be used; \
             take 1 to 64 letters, digits, `_`, `-` and `.`, but neither `.` nor `..`"
        ),
    ))
}
