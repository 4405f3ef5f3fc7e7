//! Leases: of all processes of this machine, one computes a value. A lease is the kernel's lock on
//! one byte of a file; this module keeps who holds which within the process.
//!
//! 1. A lease is held by one computation at a time, in all processes that opened the file.
//! 2. It ends with its guard, or with its process in whatever way that ends.
//! 3. The kernel grants an opening what it has already. So the table, not the kernel, says no to a
//!    second taker here, and the kernel's lock is given back before the table forgets it.
//! 4. Digests that share a byte share a lease: too much waiting at worst, never two holders.

use super::kernel_lock::{self, Mode};
use crate::sync::Mutex;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// All leases of a file. Two of these on one file exclude each other as two processes do.
pub(crate) struct Leases {
    inner: Arc<Inner>,
}

struct Inner {
    file: File,
    /// The bytes held by this opening. Locked around every call to the kernel (3), none of which
    /// waits.
    held: Mutex<HashSet<u64>>,
}

/// What came of asking for a lease.
#[derive(Debug)]
pub(crate) enum Taken {
    Lease(Lease),
    /// Somebody else computes, here or in another process.
    Held,
    /// The kernel gives no locks now, or not on this file.
    Unavailable(io::Error),
}

/// The right to compute, until dropped.
#[must_use = "a lease that is dropped is given back"]
pub(crate) struct Lease {
    leases: Arc<Inner>,
    byte: u64,
}

impl Leases {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = kernel_lock::open(path)?;
        Ok(Self { inner: Arc::new(Inner { file, held: Mutex::default() }) })
    }

    /// Takes the lease if nobody has it. Never waits.
    pub(crate) fn try_take(&self, digest: u64) -> Taken {
        let byte = byte(digest);
        let mut held = self.inner.held.lock();
        if held.contains(&byte) {
            return Taken::Held;
        }
        match kernel_lock::try_lock(&self.inner.file, byte, Mode::Exclusive) {
            Ok(true) => {
                held.insert(byte);
                Taken::Lease(Lease { leases: Arc::clone(&self.inner), byte })
            }
            Ok(false) => Taken::Held,
            Err(error) => Taken::Unavailable(error),
        }
    }

    /// Whether the lease is held through this opening.
    #[cfg(test)]
    pub(crate) fn is_ours(&self, digest: u64) -> bool {
        self.inner.held.lock().contains(&byte(digest))
    }
}

/// A file's last byte is `i64::MAX`, hence half of what a digest can name.
fn byte(digest: u64) -> u64 {
    digest >> 1
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = self.leases.held.lock();
        // Where the kernel lacks the memory to split a range, others wait in vain until this process
        // takes this byte again or ends. Their waits are bounded.
        let _ = kernel_lock::unlock(&self.leases.file, self.byte);
        held.remove(&self.byte);
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("byte", &self.byte).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::{Child, Folder, role};
    use std::collections::BTreeSet;
    use std::process::Command;

    const DIGEST: u64 = 0xFEDC_BA98_7654_3210;

    impl Taken {
        fn lease(self) -> Lease {
            match self {
                Self::Lease(lease) => lease,
                other => panic!("a lease, not {other:?}"),
            }
        }

        fn is_held(&self) -> bool {
            matches!(self, Self::Held)
        }
    }

    fn leases(folder: &Folder) -> Leases {
        Leases::open(&folder.path().join("leases")).unwrap()
    }

    #[test]
    fn a_second_taker_of_this_process_is_told_that_it_is_held_here() {
        let folder = Folder::new();
        let leases = leases(&folder);
        assert!(!leases.is_ours(DIGEST));
        let lease = leases.try_take(DIGEST).lease();
        assert!(leases.try_take(DIGEST).is_held());
        assert!(leases.is_ours(DIGEST));
        drop(lease);
        assert!(!leases.is_ours(DIGEST));
        drop(leases.try_take(DIGEST).lease());
    }

    #[test]
    fn a_refused_taker_gives_nothing_back() {
        let folder = Folder::new();
        let (here, there) = (leases(&folder), leases(&folder));
        let _lease = here.try_take(DIGEST).lease();
        drop(here.try_take(DIGEST));
        assert!(there.try_take(DIGEST).is_held());
        assert!(here.is_ours(DIGEST));
    }

    #[test]
    fn two_openings_of_one_file_exclude_each_other() {
        let folder = Folder::new();
        let (here, there) = (leases(&folder), leases(&folder));
        let lease = here.try_take(DIGEST).lease();
        assert!(there.try_take(DIGEST).is_held());
        assert!(!there.is_ours(DIGEST));
        drop(lease);
        drop(there.try_take(DIGEST).lease());
    }

    #[test]
    fn digests_that_share_a_byte_share_a_lease() {
        let folder = Folder::new();
        let leases = leases(&folder);
        let lease = leases.try_take(DIGEST).lease();
        assert!(leases.try_take(DIGEST ^ 1).is_held());
        drop(leases.try_take(DIGEST ^ 2).lease());
        drop(lease);
        drop(leases.try_take(DIGEST ^ 1).lease());
    }

    #[test]
    fn the_smallest_and_the_greatest_digest_have_a_lease() {
        let folder = Folder::new();
        let leases = leases(&folder);
        let both = [leases.try_take(0).lease(), leases.try_take(u64::MAX).lease()];
        assert_eq!(both.map(|lease| lease.byte), [0, u64::MAX >> 1]);
    }

    #[test]
    fn a_lease_given_back_leaves_its_neighbours_held() {
        let folder = Folder::new();
        let (here, there) = (leases(&folder), leases(&folder));
        let [_before, between, _behind] = [0, 2, 4].map(|digest| here.try_take(digest).lease());
        drop(between);
        assert!(there.try_take(0).is_held());
        assert!(there.try_take(4).is_held());
        drop(there.try_take(2).lease());
    }

    #[test]
    fn a_thousand_leases_are_held_at_once() {
        let folder = Folder::new();
        let (here, there) = (leases(&folder), leases(&folder));
        let digests: Vec<u64> =
            (1..=1_000_u64).map(|it| it.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        assert_eq!(digests.iter().map(|it| it >> 1).collect::<BTreeSet<_>>().len(), 1_000);
        let held: Vec<_> = digests.iter().map(|it| here.try_take(*it).lease()).collect();
        assert!(digests.iter().all(|it| there.try_take(*it).is_held()));
        drop(held);
        assert!(digests.iter().all(|it| matches!(there.try_take(*it), Taken::Lease(_))));
    }

    #[test]
    fn of_many_threads_one_at_a_time_holds_a_lease() {
        let folder = Folder::new();
        let leases = leases(&folder);
        let [inside, had] = [(); 2].map(|()| std::sync::atomic::AtomicU32::new(0));
        let order = std::sync::atomic::Ordering::SeqCst;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let taken = leases.try_take(DIGEST);
                        if let Taken::Lease(_) = taken {
                            assert_eq!(inside.fetch_add(1, order), 0);
                            had.fetch_add(1, order);
                            std::thread::yield_now();
                            assert_eq!(inside.fetch_sub(1, order), 1);
                        }
                    }
                });
            }
        });
        assert!(had.into_inner() > 1, "it was given back and taken again");
    }

    #[test]
    fn a_file_that_takes_no_locks_is_unavailable_and_not_held() {
        let folder = Folder::new();
        let path = folder.path().join("leases");
        std::fs::write(&path, "").unwrap();
        let file = File::open(&path).unwrap();
        let leases = Leases { inner: Arc::new(Inner { file, held: Mutex::default() }) };
        // An exclusive lock asks for a file open for writing.
        let Taken::Unavailable(error) = leases.try_take(DIGEST) else { panic!("no lease") };
        assert_eq!(error.raw_os_error(), Some(nix::libc::EBADF));
        assert!(!leases.is_ours(DIGEST));
    }

    /// Holds the lease until it is killed, or told to end.
    fn hold_in_child() -> bool {
        let Some(path) = role() else { return false };
        let leases = Leases::open(&path.join("leases")).unwrap();
        let _lease = leases.try_take(DIGEST).lease();
        Child::say("held");
        Child::await_end();
        true
    }

    #[test]
    fn two_processes_exclude_each_other() {
        if hold_in_child() {
            return;
        }
        let folder = Folder::new();
        let leases = leases(&folder);
        let mut child = Child::start(module_path!(), "two_processes_exclude_each_other", &folder);
        child.hear("held");
        assert!(leases.try_take(DIGEST).is_held());
        assert!(!leases.is_ours(DIGEST));
        child.end();
        drop(leases.try_take(DIGEST).lease());
    }

    #[test]
    fn a_killed_holder_is_taken_over_from_at_once() {
        if hold_in_child() {
            return;
        }
        let folder = Folder::new();
        let leases = leases(&folder);
        let mut child =
            Child::start(module_path!(), "a_killed_holder_is_taken_over_from_at_once", &folder);
        child.hear("held");
        assert!(leases.try_take(DIGEST).is_held());
        child.kill();
        drop(leases.try_take(DIGEST).lease());
    }

    #[test]
    fn a_program_started_by_the_holder_does_not_keep_its_lease() {
        if let Some(path) = role() {
            let leases = Leases::open(&path.join("leases")).unwrap();
            let _lease = leases.try_take(DIGEST).lease();
            // It ends when its input does, which it has from this process's parent.
            let mut program = Command::new("cat").spawn().unwrap();
            Child::say("held");
            program.wait().unwrap();
            return;
        }
        let folder = Folder::new();
        let leases = leases(&folder);
        let name = "a_program_started_by_the_holder_does_not_keep_its_lease";
        let mut child = Child::start(module_path!(), name, &folder);
        child.hear("held");
        child.kill();
        drop(leases.try_take(DIGEST).lease());
    }
}
