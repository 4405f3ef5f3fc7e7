//! Who may know whom in the runtime, and which crate of others is known where.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `cache-runtime`, from the bottom up. Each may import from the lines above its own
/// (that is, from the layers below it), and from nothing else: neither upwards nor sideways, so tiers
/// never import each other.
const LAYERS: &[&[&str]] = &[
    // Leaves.
    &["clock", "codec", "error", "hash", "lookup", "planted", "short", "sync", "typed"],
    &["fileless", "files", "key", "mark", "namespace", "options", "uncaptured"],
    &["attempts", "captured", "culprit", "errand", "renewal"],
    // What is said of a value, and what is counted.
    &[
        "ambience", "ask", "counters", "entry", "held", "outcome", "pattern", "testing", "tier",
        "view",
    ],
    // The core.
    &["target", "verdict", "warm"],
    &["recent", "records"],
    &["versions"],
    &["flight", "news"],
    // Tiers, and computations under way.
    &["frame", "outward", "tier::memory", "waits"],
    &["tier::disk", "tier::redis"],
    &["copies"],
    // Where functions and their entries are found.
    &["shelf", "site"],
    &["stored", "unstored"],
    &["runtime", "scope"],
    &["config", "context"],
    // A call.
    &[
        "ambient",
        "call_context",
        "calling",
        "executor",
        "function",
        "invalidation",
        "limit",
        "scoped",
        "stats",
    ],
    &["background", "desk", "explanation", "export", "work"],
    &["handle", "quest"],
    &["glance"],
    &["companion", "miss", "warmer"],
    &["call"],
    &["batch"],
    // Faces: to users, to the macro, to the model checker.
    &["lib"],
    &["private"],
    &["model"],
];

/// The crates of others, and the only files that name them: to replace one is a local change.
const OTHERS: &[(&str, &[&str])] = &[
    ("ahash", &["hash.rs"]),
    ("bincode", &["codec/bincode.rs"]),
    ("blake3", &["files/", "mark.rs", "stored/", "tier/redis/dial.rs"]),
    ("crc16", &["tier/redis/cluster.rs"]),
    (
        "fastrand",
        &[
            "codec/canonical/tests.rs",
            "codec/envelope/tests.rs",
            "renewal.rs",
            "site.rs",
            "tier/redis/simulation/",
        ],
    ),
    ("futures_timer", &["clock.rs"]),
    ("getrandom", &["tier/redis/mod.rs"]),
    ("hashbrown", &["tier/memory/mod.rs"]),
    ("indexmap", &["tier/redis/batch.rs"]),
    ("inventory", &["private.rs", "site.rs", "warmer.rs"]),
    ("libc", &["tier/disk/fault.rs", "tier/disk/kernel_lock.rs", "tier/disk/shared.rs"]),
    (
        "log",
        &[
            "background.rs",
            "function.rs",
            "namespace.rs",
            "runtime/disk.rs",
            "runtime/redis.rs",
            "stored/bytes.rs",
            "tier/disk/",
            "tier/redis/complaints.rs",
            "tier/redis/link.rs",
        ],
    ),
    ("lz4_flex", &["codec/compress.rs"]),
    ("metrics", &["export.rs"]),
    ("nix", &["tier/disk/kernel_lock.rs"]),
    ("notify", &["files/watch/listener.rs"]),
    ("parking_lot", &["sync.rs"]),
    ("pin_project_lite", &["context.rs"]),
    ("postcard", &["codec/postcard.rs"]),
    ("quick_cache", &["tier/memory/"]),
    (
        "redis",
        &[
            "tier/redis/cluster.rs",
            "tier/redis/dial.rs",
            "tier/redis/link.rs",
            "tier/redis/near.rs",
            "tier/redis/origin.rs",
            "tier/redis/settings.rs",
            "tier/redis/wire.rs",
        ],
    ),
    ("rusqlite", &["tier/disk/store/"]),
    ("rustls", &["tier/redis/secrecy.rs"]),
    ("rustix", &["clock.rs", "files/", "tier/disk/", "tier/redis/link.rs"]),
    ("serde", &["codec/", "stored/"]),
    ("shuttle", &["model/", "sync.rs"]),
    (
        "smallvec",
        &[
            "entry.rs",
            "frame.rs",
            "tier/redis/batch.rs",
            "tier/redis/outbox.rs",
            "tier/redis/server.rs",
            "tier/redis/versions.rs",
        ],
    ),
    (
        "tokio",
        &[
            "errand.rs",
            "tier/redis/batch.rs",
            "tier/redis/cluster.rs",
            "tier/redis/held.rs",
            "tier/redis/link.rs",
            "tier/redis/mod.rs",
            "tier/redis/near.rs",
            "tier/redis/nears.rs",
            "tier/redis/origin.rs",
            "tier/redis/outbox.rs",
            "tier/redis/pending.rs",
            "tier/redis/queue.rs",
            "tier/redis/requests.rs",
            "tier/redis/tests.rs",
            "tier/redis/thread.rs",
            "tier/redis/ticks.rs",
            "tier/redis/waiters.rs",
        ],
    ),
    ("typeid", &["call.rs", "codec/shape/", "handle/mod.rs"]),
    ("xxhash_rust", &["codec/", "tier/disk/journal.rs"]),
    ("zstd", &["codec/compress.rs"]),
];

/// The only files with unsafe code in them.
const UNSAFE: &[&str] =
    &["tier/disk/fault.rs", "tier/disk/shared.rs", "tier/disk/store/index.rs", "typed.rs"];

#[test]
fn unsafe_code_is_where_it_is_said_to_be() {
    let unsafes = sources().into_iter().filter(|it| has_unsafe(it.tokens.clone()));
    let unsafes: BTreeSet<_> = unsafes.map(|it| it.file).collect();
    assert_eq!(unsafes, UNSAFE.iter().map(|&file| file.to_owned()).collect());
}

#[test]
fn imports_point_downwards_only() {
    let rank = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut faults = Vec::new();
    for source in sources() {
        let module = source.module();
        let Some(own) = rank(&module) else {
            faults.push(format!("`{module}` has no layer; give it one in tests/layering.rs"));
            continue;
        };
        for imported in source.imports() {
            match rank(&imported) {
                Some(other) if other < own => {}
                Some(_) => faults.push(format!("`{module}` imports `{imported}`, not below it")),
                None => faults.push(format!("`{module}` imports `{imported}`, which has no layer")),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_layer_is_made_of_modules_that_exist() {
    let modules: BTreeSet<_> = sources().iter().map(Source::module).collect();
    for module in LAYERS.iter().copied().flatten() {
        assert!(modules.contains(*module), "there is no module `{module}`");
    }
}

#[test]
fn each_crate_of_others_is_named_in_its_own_files_only() {
    let others: BTreeMap<_, _> = OTHERS.iter().copied().collect();
    let mut faults = Vec::new();
    for source in sources() {
        for (name, files) in &others {
            let allowed = files.iter().any(|file| source.file.starts_with(file));
            if !allowed && source.names_crate(name) {
                faults.push(format!("`{}` names `{name}`", source.file));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_file_that_may_name_a_crate_does() {
    for (name, files) in OTHERS {
        for file in *files {
            let named =
                sources().iter().any(|it| it.file.starts_with(file) && it.names_crate(name));
            assert!(named, "`{file}` does not name `{name}`");
        }
    }
}

#[test]
fn every_dependency_has_its_files() {
    let manifest = fs::read_to_string(runtime().join("Cargo.toml")).expect("a manifest");
    let sections = manifest.split("\n[").filter(|section| {
        let head = section.lines().next().unwrap_or_default();
        head.ends_with("dependencies]") && !head.contains("dev-")
    });
    let listed = sections.flat_map(|section| section.lines().skip(1));
    let names: Vec<_> = listed
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim().replace('-', "_")))
        .collect();
    assert!(!names.is_empty(), "dependencies are found in the manifest");
    for name in names {
        let known = OTHERS.iter().any(|(other, _)| *other == name);
        assert!(known, "`{name}` has no files; give it some in tests/layering.rs");
    }
}

#[test]
fn the_macro_knows_the_runtime_by_path_only() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("cache-macros/Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("a manifest");
    assert!(!manifest.contains("cache-runtime"), "cache-macros depends on cache-runtime");
}

#[test]
fn the_reader_of_imports_misses_none() {
    let source = Source {
        file: "tier/memory/mod.rs".to_owned(),
        tokens: "
            use crate::{clock::{Clock, Sleep}, entry, tier::disk::Disk};
            use crate::Runtime;
            use super::Backend;
            fn f() -> crate::error::Error { vec![crate::site::name()]; typeid::of::<u8>() }
            #[cfg(test)]
            mod tests { use crate::private; use quick_cache::Weighter; }
        "
        .parse()
        .expect("tokens"),
    };
    let imports: Vec<_> = source.imports().into_iter().collect();
    assert_eq!(imports, ["clock", "entry", "error", "lib", "site", "tier", "tier::disk"]);
    assert!(source.names_crate("typeid"));
    assert!(!source.names_crate("quick_cache"));
}

/// One file of the runtime.
struct Source {
    /// Its path below `src`.
    file: String,
    tokens: TokenStream,
}

impl Source {
    /// The module that the file belongs to: a folder is one, and so is each tier.
    fn module(&self) -> String {
        let path = self.file.trim_end_matches(".rs").trim_end_matches("/mod");
        let depth = if path.starts_with("tier/") { 2 } else { 1 };
        path.split('/').take(depth).collect::<Vec<_>>().join("::")
    }

    /// The modules it names.
    fn imports(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let parent = self.file.starts_with("tier/").then_some("tier");
        imports(&self.tokens, parent, &mut found);
        found.remove(&self.module());
        found
    }

    fn names_crate(&self, name: &str) -> bool {
        names(&self.tokens, name)
    }
}

fn has_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "unsafe",
        TokenTree::Group(group) => has_unsafe(group.stream()),
        _ => false,
    })
}

/// Collects the heads of all paths that begin with `crate` or, in a file of a tier, `super`.
fn imports(tokens: &TokenStream, parent: Option<&str>, found: &mut BTreeSet<String>) {
    let tokens = without_tests(tokens);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == "crate" && is_path(&tokens[at + 1..]) => {
                heads(&tokens[at + 3..], found);
            }
            TokenTree::Ident(ident) if ident == "super" && is_path(&tokens[at + 1..]) => {
                found.extend(parent.map(str::to_owned));
            }
            TokenTree::Group(group) => imports(&group.stream(), parent, found),
            _ => {}
        }
    }
}

/// The modules that the rest of a path, or of several in braces, begins with.
fn heads(rest: &[TokenTree], found: &mut BTreeSet<String>) {
    match rest {
        [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace => {
            let inside: Vec<_> = group.stream().into_iter().collect();
            let is_comma = |token: &TokenTree| token.to_string() == ",";
            inside.split(is_comma).for_each(|path| heads(path, found));
        }
        [TokenTree::Ident(head), rest @ ..] => {
            let head = head.to_string();
            let next = rest.get(2).map(ToString::to_string).unwrap_or_default();
            found.insert(match head.as_str() {
                "tier" if is_path(rest) && is_module(&format!("tier::{next}")) => {
                    format!("tier::{next}")
                }
                // What the root exports again.
                _ if !is_module(&head) => "lib".to_owned(),
                _ => head,
            });
        }
        _ => {}
    }
}

fn is_module(name: &str) -> bool {
    let path = runtime().join("src").join(name.replace("::", "/"));
    path.is_dir() || path.with_extension("rs").is_file()
}

fn is_path(rest: &[TokenTree]) -> bool {
    matches!(rest, [TokenTree::Punct(one), TokenTree::Punct(two), ..]
        if one.as_char() == ':' && two.as_char() == ':')
}

/// Whether a path begins with the name of a crate.
fn names(tokens: &TokenStream, name: &str) -> bool {
    let tokens = without_tests(tokens);
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(ident) => {
            let inside = at > 0 && tokens[at - 1].to_string() == ":";
            *ident == name && !inside && is_path(&tokens[at + 1..])
        }
        TokenTree::Group(group) => names(&group.stream(), name),
        _ => false,
    })
}

/// Leaves out `#[cfg(test)] mod .. { .. }`: tests may know everybody.
fn without_tests(tokens: &TokenStream) -> Vec<TokenTree> {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.clone().into_iter();
    while let Some(token) = tokens.next() {
        let is_test = token.to_string().replace(' ', "") == "[cfg(test)]";
        if is_test && kept.last().is_some_and(|token| token.to_string() == "#") {
            kept.pop();
            tokens.find(|token| {
                let end = token.to_string();
                end == ";" || end.starts_with('{')
            });
        } else {
            kept.push(token);
        }
    }
    kept
}

fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cache-runtime")
}

fn sources() -> Vec<Source> {
    fn read(folder: &Path, root: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, root, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let below = path.strip_prefix(root).expect("a file below the root");
                let text = fs::read_to_string(&path).expect("a source");
                found.push(Source {
                    file: below.to_string_lossy().replace('\\', "/"),
                    tokens: text.parse().expect("tokens"),
                });
            }
        }
    }
    let root = runtime().join("src");
    let mut found = Vec::new();
    read(&root, &root, &mut found);
    assert!(!found.is_empty(), "sources are found");
    found
}
