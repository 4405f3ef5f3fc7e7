//! What there is in one file, found out at most once for each revision of the file.

use crate::nesting::{self, MOST_NESTING};
use larder::cached;
use proc_macro2::TokenStream;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use syn::visit::{self, Visit};

/// Beyond this it is data, not a program, and would be read into memory whole.
const MOST_BYTES: u64 = 64 << 20;

/// How much of what there is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FileIndex {
    pub(crate) lines: usize,
    /// With a body or without, free or in an `impl` or `trait`.
    pub(crate) functions: usize,
    pub(crate) structs: usize,
    pub(crate) enums: usize,
    pub(crate) traits: usize,
}

impl AddAssign for FileIndex {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.functions += other.functions;
        self.structs += other.structs;
        self.enums += other.enums;
        self.traits += other.traits;
    }
}

/// Why a file could not be indexed.
#[derive(Clone, Debug)]
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

/// Tells the contents of a file apart without reading them.
///
/// An edit that keeps the length, within one tick of the file system's clock, goes unnoticed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Revision {
    bytes: u64,
    /// Not every file system knows.
    modified: Option<SystemTime>,
}

impl Revision {
    pub(crate) fn of(path: &Path) -> Result<Self, IndexError> {
        let metadata = path.metadata()?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// Indexes one revision of a file.
///
/// The revision is read before the file is, so what is found in a file that changes meanwhile is
/// kept under a revision that nobody asks for again.
#[cached(capacity = 200_000, negative = "1h", cache_if = is_settled)]
pub(crate) fn index_file(path: &Path, revision: Revision) -> Result<Arc<FileIndex>, IndexError> {
    if revision.bytes > MOST_BYTES {
        return Err(IndexError::TooLarge(revision.bytes));
    }
    let mut bytes = Vec::new();
    // The file may have grown since.
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    let source = String::from_utf8(bytes).map_err(|_| IndexError::NotUtf8)?;
    let mut counts = Counts(FileIndex { lines: source.lines().count(), ..FileIndex::default() });
    counts.visit_file(&parse(&source)?);
    Ok(Arc::new(counts.0))
}

/// What a file contains does not change with its revision; whether it can be read may.
fn is_settled(index: &Result<Arc<FileIndex>, IndexError>) -> bool {
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
