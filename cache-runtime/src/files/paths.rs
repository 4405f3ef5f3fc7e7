//! Which files an argument names.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// Names files: paths, strings, and collections and pointers to them.
///
/// Not implemented for anything else by users: what a function's `files(..)` lists is an expression
/// of one of these types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no files",
    label = "neither a path nor a collection of paths",
    note = "files are named by `Path`, `str` and their owned forms, and by options, slices, `Vec`, \
            `VecDeque` and sets of these; write `files(config.path)` to name a part of an argument"
)]
pub trait Paths {
    /// Calls `f` with the path of each file.
    fn each(&self, f: &mut dyn FnMut(&Path));
}

macro_rules! one_path {
    ($($type:ty),*) => {$(
        impl Paths for $type {
            fn each(&self, f: &mut dyn FnMut(&Path)) {
                f(self.as_ref());
            }
        }
    )*};
}

one_path!(Path, PathBuf, str, String, OsStr, OsString);

macro_rules! pointer {
    ($($type:ty),*) => {$(
        impl<T: Paths + ?Sized> Paths for $type {
            fn each(&self, f: &mut dyn FnMut(&Path)) {
                (**self).each(f);
            }
        }
    )*};
}

pointer!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<B: Paths + ToOwned + ?Sized> Paths for Cow<'_, B> {
    fn each(&self, f: &mut dyn FnMut(&Path)) {
        (**self).each(f);
    }
}

macro_rules! collection {
    ($($type:ty $(, $extra:ident)*;)*) => {$(
        impl<T: Paths $(, $extra)*> Paths for $type {
            fn each(&self, f: &mut dyn FnMut(&Path)) {
                for path in self {
                    path.each(f);
                }
            }
        }
    )*};
}

collection! {
    [T];
    Vec<T>;
    VecDeque<T>;
    BTreeSet<T>;
    HashSet<T, S>, S;
}

impl<T: Paths> Paths for Option<T> {
    fn each(&self, f: &mut dyn FnMut(&Path)) {
        if let Some(path) = self {
            path.each(f);
        }
    }
}

impl<T: Paths, const N: usize> Paths for [T; N] {
    fn each(&self, f: &mut dyn FnMut(&Path)) {
        self.as_slice().each(f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &(impl Paths + ?Sized)) -> Vec<PathBuf> {
        let mut named = Vec::new();
        paths.each(&mut |path| named.push(path.to_owned()));
        named
    }

    #[test]
    fn paths_and_strings_name_one_file() {
        let a = [PathBuf::from("a")];
        assert_eq!(named(Path::new("a")), a);
        assert_eq!(named(&a[0]), a);
        assert_eq!(named("a"), a);
        assert_eq!(named(&String::from("a")), a);
        assert_eq!(named(OsStr::new("a")), a);
        assert_eq!(named(&OsString::from("a")), a);
    }

    #[test]
    fn pointers_name_what_they_point_to() {
        let a = [PathBuf::from("a")];
        assert_eq!(named(&&&"a"), a);
        assert_eq!(named(&&mut String::from("a")), a);
        assert_eq!(named(&Box::<Path>::from(Path::new("a"))), a);
        assert_eq!(named(&Arc::<Path>::from(Path::new("a"))), a);
        assert_eq!(named(&Rc::<str>::from("a")), a);
        assert_eq!(named(&Cow::Borrowed(Path::new("a"))), a);
    }

    #[test]
    fn collections_name_all_in_them() {
        let ab = [PathBuf::from("a"), PathBuf::from("b")];
        assert_eq!(named(&["a", "b"]), ab);
        assert_eq!(named(["a", "b"].as_slice()), ab);
        assert_eq!(named(&vec!["a", "b"]), ab);
        assert_eq!(named(&VecDeque::from(["a", "b"])), ab);
        assert_eq!(named(&BTreeSet::from(["a", "b"])), ab);
        assert_eq!(named(&HashSet::from(["a"])), ab[..1]);
        assert_eq!(named(&Some("a")), ab[..1]);
        assert_eq!(named(&None::<PathBuf>), ab[..0]);
        assert_eq!(named(&vec![Some(vec!["a"]), None, Some(vec!["b"])]), ab);
    }

    #[test]
    fn arguments_of_several_types_are_named_together() {
        let (path, many) = (Path::new("a"), vec!["b"]);
        assert_eq!(named(&[&path as &dyn Paths, &many]), [Path::new("a"), Path::new("b")]);
    }
}
