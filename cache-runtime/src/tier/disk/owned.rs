//! A folder of this user's alone, and whether one is.
//!
//! 1. It belongs to this user, has mode 0700 at most, and was reached by its own name, not by a
//!    symlink.
//! 2. No stranger can put another in its place: a folder on the way that everybody may write to has
//!    its sticky bit, and what is passed in it is this user's or root's. Other owners are trusted.
//! 3. It is on a file system where locks and shared mappings work: on no network, and not in FUSE.
//! 4. A refusal by these rules is an error of configuration, with the path and the way out. What the
//!    system refuses is not: it may pass.

use crate::error::{Error, ErrorKind};
use rustix::fs::{self, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// Names the folder where it is not given.
pub(super) const VARIABLE: &str = "LARDER_DIR";

/// As many symlinks as the kernel follows.
const LINKS: u32 = 40;

/// Where locks or shared mappings can't be relied on, by the number that `statfs` gives.
const REMOTE: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0102_1997, "9p"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x6573_5546, "FUSE"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0xAAD7_AAEA, "PanFS"),
    (0x7375_7245, "Coda"),
    (0x0000_564C, "NCP"),
    (0x786F_4256, "VirtualBox's shared folders"),
];

/// A folder that is this user's alone, by its real path.
#[derive(Debug)]
pub(crate) struct OwnedDir {
    path: PathBuf,
}

/// Why a folder can't be used.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It must not be. Stays so until somebody changes the configuration or the folder.
    Rule(Error),
    /// The system did not let us, with what was tried on which path.
    Io(String, io::Error),
}

/// Who asks, and on what, as the system says or a test does.
struct Judge {
    user: u32,
    file_system: fn(BorrowedFd<'_>) -> rustix::io::Result<u32>,
}

impl OwnedDir {
    /// Makes what is missing, with mode 0700, and refuses what is not safe to use. The path of the
    /// parent is absolute.
    pub(super) fn prepare(parent: &Path, name: &OsStr) -> Result<Self, Refusal> {
        let user = rustix::process::geteuid().as_raw();
        Self::prepare_by(&Judge { user, file_system }, parent, name)
    }

    fn prepare_by(judge: &Judge, parent: &Path, name: &OsStr) -> Result<Self, Refusal> {
        let mut walk = Walk::from_root(judge)?;
        walk.go(parent)?;
        walk.enter_own(name)?;
        Ok(Self { path: walk.at.path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(error) => error.fmt(f),
            Self::Io(tried, error) => write!(f, "can't {tried}: {error}"),
        }
    }
}

/// A way down from the root, one name at a time, so that each folder is judged before a name is
/// looked up in it. What is open can't be exchanged any more.
struct Walk<'a> {
    judge: &'a Judge,
    at: Opened,
}

/// Whatever a name stands for, a symlink too.
struct Opened {
    file: OwnedFd,
    stat: Stat,
    path: PathBuf,
}

/// A name still to be passed.
struct Step {
    name: OsString,
    /// It is in the path as given, not in a symlink's target. Only these are made where missing.
    given: bool,
}

impl<'a> Walk<'a> {
    fn from_root(judge: &'a Judge) -> Result<Self, Refusal> {
        Ok(Self { judge, at: Opened::open(fs::CWD, OsStr::new("/"), "/".into())? })
    }

    /// Passes every name of an absolute path, following symlinks but the last name's.
    fn go(&mut self, path: &Path) -> Result<(), Refusal> {
        let mut links = 0;
        let mut ahead = steps(path, true);
        while let Some(step) = ahead.pop() {
            let next = self.look_up(&step)?;
            if next.file_type() != FileType::Symlink {
                self.at = next;
                continue;
            }
            links += 1;
            if step.given && ahead.is_empty() {
                return Err(next.refused("is a symlink; name the folder that it points to instead"));
            }
            if links > LINKS {
                return Err(next.refused("is one of too many symlinks; choose another folder"));
            }
            let target = next.target()?;
            if target.is_absolute() {
                self.at = Self::from_root(self.judge)?.at;
            }
            ahead.extend(steps(&target, false));
        }
        Ok(())
    }

    /// Enters the folder that has to be this user's alone, and makes it so.
    fn enter_own(&mut self, name: &OsStr) -> Result<(), Refusal> {
        let own = self.look_up(&Step { name: name.to_owned(), given: true })?;
        if own.file_type() == FileType::Symlink {
            return Err(own.refused("is a symlink; remove it, or choose another folder"));
        }
        if own.stat.st_uid != self.judge.user {
            return Err(own.refused("belongs to another user; choose another folder"));
        }
        own.restrict()?;
        let kind = (self.judge.file_system)(own.file.as_fd()).map_err(own.failed("ask about"))?;
        if let Some((_, name)) = REMOTE.iter().find(|(number, _)| *number == kind) {
            let what =
                format!("is on {name}, where locks are not dependable; choose a local folder");
            return Err(own.refused(&what));
        }
        self.at = own;
        Ok(())
    }

    /// Opens what is under a name in the current folder: a folder, or a symlink.
    fn look_up(&self, step: &Step) -> Result<Opened, Refusal> {
        let open_to_all = self.at.stat.st_mode & 0o002 != 0;
        if open_to_all && self.at.stat.st_mode & 0o1000 == 0 {
            let what = "lets everybody replace what is in it; take that away with `chmod o-w`, \
                        or choose another folder";
            return Err(self.at.refused(what));
        }
        let found = self.open(step)?;
        if !matches!(found.file_type(), FileType::Directory | FileType::Symlink) {
            return Err(found.refused("is not a folder; remove it, or choose another folder"));
        }
        if open_to_all && found.stat.st_uid != self.judge.user && found.stat.st_uid != 0 {
            let what = "belongs to another user, in a folder that everybody may write to; \
                        choose another folder";
            return Err(found.refused(what));
        }
        Ok(found)
    }

    fn open(&self, step: &Step) -> Result<Opened, Refusal> {
        let mut path = self.at.path.clone();
        if step.name == ".." {
            path.pop();
        } else {
            path.push(&step.name);
        }
        match Opened::open(self.at.file.as_fd(), &step.name, path.clone()) {
            Err(Refusal::Io(_, error)) if step.given && error.kind() == io::ErrorKind::NotFound => {
                self.make(&step.name, path)
            }
            opened => opened,
        }
    }

    fn make(&self, name: &OsStr, path: PathBuf) -> Result<Opened, Refusal> {
        match fs::mkdirat(&self.at.file, name, Mode::RWXU) {
            // Another process may have been first.
            Ok(()) | Err(Errno::EXIST) => Opened::open(self.at.file.as_fd(), name, path),
            Err(errno) => Err(failed("create", &path)(errno)),
        }
    }
}

impl Opened {
    fn open(folder: BorrowedFd<'_>, name: &OsStr, path: PathBuf) -> Result<Self, Refusal> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(folder, name, flags, Mode::empty()).map_err(failed("open", &path))?;
        let stat = fs::fstat(&file).map_err(failed("ask about", &path))?;
        Ok(Self { file, stat, path })
    }

    fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// Where a symlink points to.
    fn target(&self) -> Result<PathBuf, Refusal> {
        let target = fs::readlinkat(&self.file, "", Vec::new()).map_err(self.failed("read"))?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }

    /// Takes from all others what they may do with it.
    fn restrict(&self) -> Result<(), Refusal> {
        let others = Mode::RWXG | Mode::RWXO;
        let mode = Mode::from_raw_mode(self.stat.st_mode);
        if !mode.intersects(others) {
            return Ok(());
        }
        // What is opened as a path only can't be changed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder =
            fs::openat(&self.file, ".", flags, Mode::empty()).map_err(self.failed("open"))?;
        fs::fchmod(&folder, mode - others).map_err(self.failed("restrict"))?;
        let stat = fs::fstat(&folder).map_err(self.failed("ask about"))?;
        // Some file systems have modes for show only.
        if Mode::from_raw_mode(stat.st_mode).intersects(others) {
            return Err(self.refused("is open to others whatever its mode; choose another folder"));
        }
        Ok(())
    }

    fn refused(&self, what: &str) -> Refusal {
        Refusal::Rule(rule(format!(
            "the disk tier can't be in `{}`, which {what}, by `.dir(..)` or {VARIABLE}",
            self.path.display()
        )))
    }

    fn failed(&self, tried: &str) -> impl FnOnce(Errno) -> Refusal {
        failed(tried, &self.path)
    }
}

/// The names of a path, the first one last.
fn steps(path: &Path, given: bool) -> Vec<Step> {
    let names =
        path.components().filter(|it| *it != Component::RootDir && *it != Component::CurDir);
    names.rev().map(|it| Step { name: it.as_os_str().to_owned(), given }).collect()
}

fn file_system(folder: BorrowedFd<'_>) -> rustix::io::Result<u32> {
    let stat = fs::fstatfs(folder)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number has 32 bits, in a wider or signed type on some machines"
    )]
    Ok(stat.f_type as u32)
}

fn failed(tried: &str, path: &Path) -> impl FnOnce(Errno) -> Refusal {
    let tried = format!("{tried} `{}`", path.display());
    move |errno| Refusal::Io(tried, errno.into())
}

fn rule(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::Folder;
    use std::fs as files;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    const STRANGER: u32 = 4_242;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn prepare(parent: &Path) -> Result<OwnedDir, Refusal> {
        OwnedDir::prepare(parent, OsStr::new("shop"))
    }

    fn prepared(parent: &Path) -> PathBuf {
        prepare(parent).unwrap().path
    }

    fn prepared_by(user: u32, parent: &Path) -> Result<OwnedDir, Refusal> {
        OwnedDir::prepare_by(&Judge { user, file_system }, parent, OsStr::new("shop"))
    }

    /// The message of a refusal by rule.
    fn refusal(result: Result<OwnedDir, Refusal>) -> String {
        match result {
            Err(Refusal::Rule(error)) => {
                assert_eq!(error.kind(), ErrorKind::Configuration);
                error.to_string()
            }
            other => panic!("a refusal by rule, not {other:?}"),
        }
    }

    fn refused(parent: &Path, path: &Path, why: &str) {
        let message = refusal(prepare(parent));
        assert!(message.contains(&format!("`{}`", path.display())), "{message}");
        assert!(message.contains(why), "{message}");
        assert!(message.contains("LARDER_DIR"), "{message}");
    }

    fn mode(path: &Path) -> u32 {
        files::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        files::set_permissions(path, files::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn missing_folders_are_made_for_this_user_alone() {
        let folder = Folder::new();
        let parent = folder.path().join("a/b");
        let own = prepared(&parent);
        assert_eq!(own, parent.join("shop"));
        for made in [&folder.path().join("a"), &parent, &own] {
            assert_eq!(mode(made), 0o700, "{}", made.display());
            assert_eq!(files::metadata(made).unwrap().uid(), me());
        }
    }

    #[test]
    fn a_folder_that_is_there_is_taken_as_it_is() {
        let folder = Folder::new();
        let before = mode(folder.path());
        let own = prepared(folder.path());
        files::write(own.join("store"), "kept").unwrap();
        assert_eq!(prepared(folder.path()), own);
        assert_eq!(files::read(own.join("store")).unwrap(), b"kept");
        assert_eq!(mode(folder.path()), before, "what was given is not ours to restrict");
    }

    #[test]
    fn many_prepare_one_folder_at_once() {
        let folder = Folder::new();
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..20 {
                        let parent = folder.path().join(format!("{round}/a/b"));
                        start.wait();
                        assert_eq!(prepared(&parent), parent.join("shop"));
                    }
                });
            }
        });
    }

    #[test]
    fn what_another_has_made_meanwhile_is_taken() {
        let folder = Folder::new();
        let judge = Judge { user: me(), file_system };
        let mut walk = Walk::from_root(&judge).unwrap();
        walk.go(folder.path()).unwrap();
        let made = [(); 2].map(|()| walk.make(OsStr::new("a"), "a".into()).unwrap());
        assert_eq!(made[0].stat.st_ino, made[1].stat.st_ino);
    }

    #[test]
    fn what_is_open_to_others_is_closed_to_them() {
        let folder = Folder::new();
        let own = prepared(folder.path());
        for wide in [0o777, 0o755, 0o710, 0o701] {
            set_mode(&own, wide);
            prepared(folder.path());
            assert_eq!(mode(&own), 0o700);
        }
        set_mode(&own, 0o555);
        prepared(folder.path());
        assert_eq!(mode(&own), 0o500, "nothing is given to anybody");
    }

    #[test]
    fn another_users_folder_is_refused_and_left_alone() {
        let folder = Folder::new();
        let own = prepared(folder.path());
        set_mode(&own, 0o755);
        let message = refusal(prepared_by(STRANGER, folder.path()));
        assert!(message.contains(own.to_str().unwrap()), "{message}");
        assert!(message.contains("another user"), "{message}");
        assert_eq!(mode(&own), 0o755);
    }

    #[test]
    fn a_folder_given_to_another_user_is_refused() {
        if me() != 0 {
            // Only root can give a folder away. Others have one of root's to look at.
            return refused(Path::new("/"), Path::new("/usr"), "another user");
        }
        let folder = Folder::new();
        let own = prepared(folder.path());
        std::os::unix::fs::chown(&own, Some(STRANGER), None).unwrap();
        refused(folder.path(), &own, "another user");
    }

    #[test]
    fn a_symlink_in_the_place_of_the_folder_is_refused() {
        let folder = Folder::new();
        let elsewhere = folder.path().join("elsewhere");
        files::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, folder.path().join("shop")).unwrap();
        refused(folder.path(), &folder.path().join("shop"), "symlink");
    }

    #[test]
    fn a_symlink_in_the_place_of_the_given_folder_is_refused() {
        let folder = Folder::new();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        files::create_dir(&real).unwrap();
        symlink("real", &link).unwrap();
        refused(&link, &link, "symlink");
        assert!(!real.join("shop").exists());
    }

    #[test]
    fn symlinks_above_the_given_folder_are_followed_to_the_real_one() {
        let folder = Folder::new();
        let real = folder.path().join("real");
        files::create_dir(&real).unwrap();
        symlink("real", folder.path().join("relative")).unwrap();
        symlink(folder.path().join("relative"), folder.path().join("absolute")).unwrap();
        symlink("../absolute/.", real.join("back")).unwrap();
        for way in ["relative", "absolute", "real/back", "real/back/back/../real"] {
            let own = prepared(&folder.path().join(way).join("given"));
            assert_eq!(own, real.join("given/shop"), "{way}");
        }
    }

    #[test]
    fn what_a_symlink_points_to_is_not_made() {
        let folder = Folder::new();
        symlink("gone", folder.path().join("link")).unwrap();
        let Err(Refusal::Io(tried, error)) = prepare(&folder.path().join("link/given")) else {
            panic!("a fault of the system's")
        };
        assert!(tried.contains("gone"), "{tried}");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!folder.path().join("gone").exists());
    }

    #[test]
    fn symlinks_that_lead_in_circles_are_refused() {
        let folder = Folder::new();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        let message = refusal(prepare(&folder.path().join("a/given")));
        assert!(message.contains("too many symlinks"), "{message}");
    }

    #[test]
    fn a_folder_that_everybody_may_change_is_refused_on_the_way() {
        let folder = Folder::new();
        let open = folder.path().join("open");
        files::create_dir_all(open.join("a")).unwrap();
        set_mode(&open, 0o777);
        refused(&open, &open, "everybody");
        refused(&open.join("a"), &open, "everybody");
        symlink(open.join("a"), folder.path().join("link")).unwrap();
        refused(&folder.path().join("link/b"), &open, "everybody");
        set_mode(&open, 0o1777);
        assert_eq!(prepared(&open), open.join("shop"));
    }

    #[test]
    fn in_a_folder_for_everybody_a_strangers_way_is_not_taken() {
        let folder = Folder::new();
        let open = folder.path().join("open");
        files::create_dir_all(open.join("a")).unwrap();
        set_mode(&open, 0o1777);
        symlink("a", open.join("link")).unwrap();
        // Root's are trusted by all, so another user is asked for by name.
        let judged = |parent: &Path| {
            let mut walk = Walk::from_root(&Judge { user: STRANGER, file_system })?;
            walk.at = Opened::open(fs::CWD, open.as_os_str(), open.clone())?;
            walk.go(parent)
        };
        for way in ["link/x", "a/x"] {
            let outcome = judged(Path::new(way));
            if me() == 0 {
                outcome.unwrap();
                std::os::unix::fs::lchown(
                    open.join(way).parent().unwrap(),
                    Some(STRANGER + 1),
                    None,
                )
                .unwrap();
            }
            let Err(Refusal::Rule(error)) = judged(Path::new(way)) else { panic!("a refusal") };
            assert!(error.to_string().contains("belongs to another user"), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_folder_is_refused() {
        let folder = Folder::new();
        let file = folder.path().join("shop");
        files::write(&file, "").unwrap();
        refused(folder.path(), &file, "not a folder");
        refused(&file.join("given"), &file, "not a folder");
        assert!(file.is_file());
    }

    #[test]
    fn a_file_system_of_another_machine_is_refused() {
        let folder = Folder::new();
        let judge = Judge { user: me(), file_system: |_| Ok(0x6969) };
        let message = refusal(OwnedDir::prepare_by(&judge, folder.path(), OsStr::new("shop")));
        assert!(message.contains("is on NFS"), "{message}");
        assert!(message.contains(folder.path().join("shop").to_str().unwrap()), "{message}");
    }

    #[test]
    fn local_file_systems_are_not_taken_for_remote_ones() {
        // ext, xfs, btrfs, tmpfs, overlayfs, zfs, f2fs.
        for local in
            [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010]
        {
            assert!(!REMOTE.iter().any(|(number, _)| *number == local), "{local:#x}");
        }
        let root = files::File::open("/").unwrap();
        assert_ne!(file_system(root.as_fd()).unwrap(), 0);
    }

    #[test]
    fn memory_is_a_place_too() {
        let memory = Path::new("/dev/shm");
        let folder = Folder::within(memory);
        let shm = files::File::open(memory).unwrap();
        assert_eq!(file_system(shm.as_fd()).unwrap(), 0x0102_1994, "it is a tmpfs");
        assert_eq!(prepared(folder.path()), folder.path().join("shop"));
    }

    #[test]
    fn what_the_system_refuses_is_no_rule_of_ours() {
        // Nobody makes a folder in there, root neither.
        let outcome = prepare(Path::new("/proc/larder"));
        let Err(refusal @ Refusal::Io(..)) = outcome else { panic!("a fault of the system's") };
        assert!(refusal.to_string().starts_with("can't create `/proc/larder`: "), "{refusal}");
    }
}
