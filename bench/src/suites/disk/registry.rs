//! Real sources: of the packages that cargo has unpacked on this machine.

use crate::cli::Effort;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io, thread};

/// With fewer files, what is measured is the start of a program.
pub(super) const FEWEST: usize = 2_000;

/// A file's times say nothing certain until they are this old.
const SETTLED: Duration = Duration::from_secs(3);

/// A folder of sources, all of it in the system's page cache.
pub(super) struct Sources {
    pub(super) folder: PathBuf,
    /// How many of its files are Rust.
    pub(super) files: usize,
}

impl Sources {
    /// All there are; for a look, the first packages by name, copied to `scratch`.
    pub(super) fn find(effort: Effort, scratch: &Path) -> io::Result<Self> {
        let home = env::var_os("CARGO_HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
        let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
        let folder = home.ok_or(io::ErrorKind::NotFound)?.join("registry").join("src");
        match effort {
            Effort::Full => Self::read(folder),
            Effort::Quick => Self::copy(&folder, scratch),
        }
    }

    fn read(folder: PathBuf) -> io::Result<Self> {
        let mut files = Vec::new();
        add_below(&folder, &mut files)?;
        files.iter().try_for_each(|file| fs::read(file).map(drop))?;
        Ok(Self { folder, files: files.len() })
    }

    /// Copies rather than links: a link would change the time of the file it leads to.
    fn copy(folder: &Path, scratch: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for registry in entries(folder)? {
            for package in entries(&registry)? {
                if files.len() < FEWEST {
                    add_below(&package, &mut files)?;
                }
            }
        }
        for file in &files {
            let copy = scratch.join(file.strip_prefix(folder).expect("it was found there"));
            fs::create_dir_all(copy.parent().expect("it lies in a package"))?;
            fs::copy(file, copy)?;
        }
        thread::sleep(SETTLED);
        Ok(Self { folder: scratch.to_owned(), files: files.len() })
    }
}

/// What is in a folder, by name; nothing if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?.map(|it| Ok(it?.path())),
    };
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable();
    Ok(entries)
}

/// Adds what the example looks at: no links, nor what they lead to.
fn add_below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in entries(folder)? {
        let kind = entry.symlink_metadata()?.file_type();
        if kind.is_dir() {
            add_below(&entry, files)?;
        } else if kind.is_file() && entry.extension().is_some_and(|it| it == "rs") {
            files.push(entry);
        }
    }
    Ok(())
}
