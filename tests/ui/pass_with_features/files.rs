#![forbid(unsafe_code)]
#![deny(warnings)]

use larder::cached;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cached(files)]
fn by_type(root: &Path, others: Vec<PathBuf>, one: Option<&Path>, shared: Arc<[PathBuf]>) -> usize {
    root.components().count() + others.len() + one.iter().count() + shared.len()
}

#[cached(files)]
fn by_name(path: &str, dirs: &[String], r#file: String, directory: Option<Box<OsStr>>) -> usize {
    path.len() + dirs.len() + file.len() + directory.iter().count()
}

#[cached(files(source), ttl = "1h")]
fn by_word(id: u64, source: &str) -> u64 {
    id + source.len() as u64
}

#[cached(files(Path::new(root).join(name), [root, name]), key(root.to_owned(), name.to_owned()))]
async fn by_expression(root: &str, name: &str) -> usize {
    root.len() + name.len()
}

#[cached(files(path), key = "lines:{path}")]
fn by_readable_key(path: String) -> usize {
    path.len()
}

#[cached(files, skip(log))]
fn in_a_pattern((path, line): (&str, usize), mut dir: String, log: &dyn Fn(&str)) -> usize {
    dir.push('/');
    log(&dir);
    path.len() + line
}

#[cached(files(unordered.iter().collect::<Vec<_>>()), key(unordered.len()))]
fn of_a_set(unordered: &HashSet<PathBuf>) -> usize {
    unordered.len()
}

struct Tree {
    root: PathBuf,
}

impl Tree {
    #[cached(files(self.root, self.root.join(name)), key(self.root, name))]
    fn of_self(&self, name: &str) -> usize {
        self.root.join(name).components().count()
    }
}

fn main() {
    let some = || Path::new("a");
    assert_eq!(by_type(some(), vec![], None, Arc::new([])), 1);
    assert_eq!(by_name("a", &[], String::new(), None), 1);
    assert_eq!(by_word(1, "a"), 2);
    drop(by_expression("a", "b"));
    assert_eq!(by_readable_key("a/b".to_owned()), 3);
    assert_eq!(in_a_pattern(("a", 1), "b".to_owned(), &|_| {}), 2);
    assert_eq!(of_a_set(&HashSet::new()), 0);
    assert_eq!(Tree { root: PathBuf::from("a") }.of_self("b"), 2);
}
