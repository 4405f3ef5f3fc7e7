//! What is warned of.

use crate::hearing;
use log::LevelFilter;
use std::path::Path;

/// To be called before anything can be warned of.
pub(crate) fn listen(tell: fn(&str)) {
    hearing::listen(LevelFilter::Warn, tell);
}

/// What this process was warned of that has to do with a directory.
pub(crate) fn about(directory: &Path) -> Vec<String> {
    hearing::said(&[directory.to_str().expect("the tests' own directories are text")])
}
