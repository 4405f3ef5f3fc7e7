//! Which folder the disk tier lives in. Whether it may be used is for `owned` to judge.

use super::owned::{OwnedDir, Refusal, VARIABLE};
use crate::error::{Error, ErrorKind};
use std::env;
use std::ffi::OsString;
use std::path::{self, Component, Path, PathBuf};

/// What a disk that is full may still have: a store that meets its end writes in steps.
const LITTLE: u64 = 4 << 20;

/// A folder that may not be there yet, nor be fit for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Absolute.
    parent: PathBuf,
    namespace: OsString,
}

/// What the environment says, and tests say in its stead.
struct Surroundings<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
}

impl Place {
    /// The folder given, or the one named by `LARDER_DIR`, or the user's cache folder; and in it the
    /// namespace's.
    pub(crate) fn find(explicit: Option<&Path>, namespace: &str) -> Result<Self, Error> {
        let variable = |name: &str| env::var_os(name);
        let surroundings = Surroundings { variable: &variable, home: env::home_dir() };
        Self::find_in(&surroundings, explicit, namespace)
    }

    /// Whether `LARDER_DIR` names a folder.
    pub(crate) fn is_in_environment() -> bool {
        env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
    }

    fn find_in(
        surroundings: &Surroundings<'_>,
        explicit: Option<&Path>,
        namespace: &str,
    ) -> Result<Self, Error> {
        let mut components = Path::new(namespace).components();
        let name = match (components.next(), components.next()) {
            (Some(Component::Normal(name)), None) if name == namespace => name.to_owned(),
            _ => return Err(rule(format!("namespace {namespace:?} can't be a folder's name"))),
        };
        let named = || surroundings.set(VARIABLE).map(PathBuf::from);
        let found = explicit.map(Path::to_owned).or_else(named).or_else(|| surroundings.cache());
        let found = found.ok_or_else(|| {
            rule(format!(
                "no cache folder is known, as HOME is not set; set {VARIABLE} to a folder"
            ))
        })?;
        let parent = path::absolute(&found).map_err(|error| {
            rule(format!("`{}` can't be the cache folder: {error}", found.display()))
        })?;
        Ok(Self { parent, namespace: name })
    }

    /// Where it is, or would be.
    pub(crate) fn path(&self) -> PathBuf {
        self.parent.join(&self.namespace)
    }

    /// Whether its disk has more room than for a few entries. Where that can't be told, it has.
    pub(crate) fn has_room(&self) -> bool {
        rustix::fs::statvfs(self.path())
            .map_or(true, |it| it.f_bavail.saturating_mul(it.f_frsize) > LITTLE)
    }

    /// Makes what is missing, and refuses what is not safe to use.
    pub(crate) fn prepare(&self) -> Result<OwnedDir, Refusal> {
        OwnedDir::prepare(&self.parent, &self.namespace)
    }
}

impl Surroundings<'_> {
    /// A variable, unless it is empty.
    fn set(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn cache(&self) -> Option<PathBuf> {
        // A relative one is to be ignored, says the XDG specification.
        let xdg = self.set("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || Some(self.home.as_ref().filter(|it| it.is_absolute())?.join(".cache"));
        Some(xdg.or_else(home)?.join("larder"))
    }
}

fn rule(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::Folder;

    fn found(variables: &[(&str, &str)], explicit: Option<&str>) -> Result<Place, Error> {
        let variable = |name: &str| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| OsString::from(value))
        };
        let home = variable("HOME").map(PathBuf::from);
        let surroundings = Surroundings { variable: &variable, home };
        Place::find_in(&surroundings, explicit.map(Path::new), "shop")
    }

    fn found_in(variables: &[(&str, &str)], explicit: Option<&str>) -> PathBuf {
        found(variables, explicit).unwrap().parent
    }

    #[test]
    fn a_given_folder_goes_before_the_variable_and_that_before_the_users_cache() {
        let all = [("LARDER_DIR", "/named"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/me")];
        assert_eq!(found_in(&all, Some("/given")), Path::new("/given"));
        assert_eq!(found_in(&all, None), Path::new("/named"));
        assert_eq!(found_in(&all[1..], None), Path::new("/xdg/larder"));
        assert_eq!(found_in(&all[2..], None), Path::new("/home/me/.cache/larder"));
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let empty = [("LARDER_DIR", ""), ("XDG_CACHE_HOME", ""), ("HOME", "/home/me")];
        assert_eq!(found_in(&empty, None), Path::new("/home/me/.cache/larder"));
    }

    #[test]
    fn a_relative_folder_is_one_of_the_working_directory() {
        let here = env::current_dir().unwrap();
        assert_eq!(found_in(&[("LARDER_DIR", "named")], None), here.join("named"));
        assert_eq!(found_in(&[], Some("given")), here.join("given"));
        let relative = [("XDG_CACHE_HOME", "xdg"), ("HOME", "/home/me")];
        assert_eq!(found_in(&relative, None), Path::new("/home/me/.cache/larder"));
    }

    #[test]
    fn without_a_home_the_way_out_is_said() {
        for variables in [&[][..], &[("HOME", "home")]] {
            let error = found(variables, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("LARDER_DIR"), "{error}");
        }
        assert_eq!(found(&[], Some("")).unwrap_err().kind(), ErrorKind::Configuration);
    }

    #[test]
    fn a_namespace_that_would_lead_elsewhere_is_refused() {
        for namespace in ["", ".", "..", "a/b", "/a", "a/", "../a"] {
            let error = Place::find(Some(Path::new("/given")), namespace).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{namespace}");
        }
        let place = Place::find(Some(Path::new("/given")), "shop").unwrap();
        assert_eq!(
            (place.parent.as_path(), place.namespace.to_str()),
            (Path::new("/given"), Some("shop"))
        );
    }

    #[test]
    fn what_was_found_is_prepared() {
        let folder = Folder::new();
        let place = Place::find(Some(folder.path()), "shop").unwrap();
        assert_eq!(place.prepare().unwrap().path(), folder.path().join("shop"));
    }
}
