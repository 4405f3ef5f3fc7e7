use larder::cached;
use std::path::{Path, PathBuf};

#[cached(files(path), skip(path))]
fn named(id: u64, path: &str) -> u64 {
    id + path.len() as u64
}

#[cached(files, key(id))]
fn found(id: u64, path: &Path) -> u64 {
    id + path.as_os_str().len() as u64
}

#[cached(files(path), key(id))]
fn in_one_pattern((id, path): (u64, &Path)) -> u64 {
    id + path.as_os_str().len() as u64
}

struct Engine {
    root: PathBuf,
}

impl Engine {
    #[cached(files(self.root), skip(self))]
    fn of_self(&self, id: u64) -> u64 {
        id + self.root.as_os_str().len() as u64
    }
}

fn main() {}
