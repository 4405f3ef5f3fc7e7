//! What there is in one file, found out once for all runs and processes, until the file changes.

use crate::nesting::{self, MOST_NESTING};
use larder::cached;
use proc_macro2::TokenStream;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use syn::visit::{self, Visit};

/// Beyond this it is data, not a program, and would be read into memory whole.
const MOST_BYTES: u64 = 64 << 20;

/// How much of what there is. Twenty bytes on disk: no file that is read has more of anything than
/// fits.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FileIndex {
    pub(crate) lines: u32,
    /// With a body or without, free or in an `impl` or `trait`.
    pub(crate) functions: u32,
    pub(crate) structs: u32,
    pub(crate) enums: u32,
    pub(crate) traits: u32,
}

/// Why a file could not be indexed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum IndexError {
    Unreadable(String),
    TooLarge(u64),
    NotUtf8,
    TooNested,
    Syntax(String),
    ParserPanicked,
}

impl From<io::Error> for IndexError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "can't be read: {error}"),
            Self::TooLarge(bytes) => {
                write!(f, "{bytes} bytes are too many; at most {MOST_BYTES} are read")
            }
            Self::NotUtf8 => f.write_str("is not UTF-8"),
            Self::TooNested => write!(f, "is nested more than {MOST_NESTING} deep"),
            Self::Syntax(error) => write!(f, "can't be parsed: {error}"),
            Self::ParserPanicked => f.write_str("made the parser panic"),
        }
    }
}

/// Indexes one file.
///
/// The entry depends on the file, so that it lasts until the file changes, and on the text of this
/// function. It does not depend on what this function calls: whoever changes how things are counted
/// clears the cache, or gives the function another `name`.
///
/// A path has to be absolute: the working directory is not part of the key.
#[cached(
    tier = "l1,l2",
    files(path),
    version = auto,
    capacity = 200_000,
    ttl = "30d",
    negative = "30d",
    cache_if = is_settled
)]
pub(crate) fn index_file(path: &Path) -> Result<FileIndex, IndexError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MOST_BYTES {
        return Err(IndexError::TooLarge(size));
    }
    let mut bytes = Vec::new();
    // The file may have grown since.
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    let source = String::from_utf8(bytes).map_err(|_| IndexError::NotUtf8)?;
    let mut counts = Counts::default();
    counts.visit_file(&parse(&source)?);
    let lines = u32::try_from(source.lines().count()).expect("no more than there are bytes");
    Ok(FileIndex { lines, ..counts.0 })
}

/// What a file contains changes with the file alone; whether it can be read may change without it.
fn is_settled(index: &Result<FileIndex, IndexError>) -> bool {
    !matches!(index, Err(IndexError::Unreadable(_)))
}

fn parse(source: &str) -> Result<syn::File, IndexError> {
    let syntax = |error: syn::Error| IndexError::Syntax(error.to_string());
    let tokens: TokenStream =
        without_shebang(source).parse().map_err(|error| syntax(syn::Error::from(error)))?;
    if nesting::bound(tokens.clone()) > MOST_NESTING {
        return Err(IndexError::TooNested);
    }
    syn::parse2(tokens).map_err(syntax)
}

fn without_shebang(source: &str) -> &str {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    match source.strip_prefix("#!") {
        Some(rest) if !rest.trim_start().starts_with('[') => {
            source.find('\n').map_or("", |end| &source[end..])
        }
        _ => source,
    }
}

#[derive(Default)]
struct Counts(FileIndex);

impl<'ast> Visit<'ast> for Counts {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.0.functions += 1;
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.0.functions += 1;
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.0.functions += 1;
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.0.structs += 1;
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.0.enums += 1;
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.0.traits += 1;
        visit::visit_item_trait(self, item);
    }
}
