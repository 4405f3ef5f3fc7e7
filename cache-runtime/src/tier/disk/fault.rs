//! What happens when a mapped file does not hold what it is asked for: it was cut short, or its
//! device fails, and the thread that reads or writes the page gets SIGBUS. It owns the handler.
//!
//! 1. The handler neither locks nor allocates, and keeps `errno`. All it reads are atomics.
//! 2. A watched range becomes zeros as a whole, for all threads; the thread goes on.
//! 3. Within `guarded`, the page becomes zeros; the thread goes on, and what it did is thrown away.
//! 4. Any other SIGBUS is handled as if the handler were not there: by whoever had it before.
//! 5. Who replaced the handler and calls it in turn does not make it call back for ever.
//! 6. A place of the table is one word, so that half a range is never seen.

#![expect(unsafe_code, reason = "a signal handler, and the pages that it mends")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
};
use std::sync::{Mutex, PoisonError};
use std::{fmt, io, mem, ptr};

/// How many ranges can be watched at once.
const PLACES: usize = 1024;

/// The watched ranges: start and length in one word (6), or zero for a place that is free.
static WATCHED: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];

/// What starts and lengths are multiples of, whatever the size of a page is.
const UNIT: usize = 4096;

/// Addresses of programs have at most 57 bits (32 on small machines), 12 of them zero by `UNIT`.
const LENGTH_BITS: u32 = if usize::BITS == 64 { 19 } else { 12 };

/// How often somebody else may put a handler before ours.
const PREVIOUS: usize = 16;

/// The handlers that were there before ours each time it was installed, oldest first.
static CHAIN: [Previous; PREVIOUS] = [const { Previous::nobody() }; PREVIOUS];

/// How many of `CHAIN` there are. Release, when it grows, meets the handler's Acquire: it sees the
/// ones counted as they were written.
static CHAINED: AtomicUsize = AtomicUsize::new(0);

static PAGE: AtomicUsize = AtomicUsize::new(0);

/// Faults in guarded sections of all threads.
static FAULTS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Made without code and dropped without code: to touch them in a handler runs nothing of std's.
    static DEPTH: AtomicU32 = const { AtomicU32::new(0) };
    static OWN_FAULTS: AtomicU64 = const { AtomicU64::new(0) };
    static PASSING: Cell<Passing> = const { Cell::new(Passing { context: 0, frame: 0, level: 0 }) };
}

struct Previous {
    handler: AtomicUsize,
    /// Whether it takes three arguments.
    informed: AtomicBool,
}

/// A signal that this thread is passing on.
#[derive(Clone, Copy)]
struct Passing {
    context: usize,
    frame: usize,
    level: usize,
}

/// A guarded section met a page that its file does not hold. What it did is worth nothing, and what
/// it has mapped must be mapped anew before it is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Faulted;

impl fmt::Display for Faulted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapped file was cut short, or its device failed")
    }
}

impl std::error::Error for Faulted {}

/// Runs code that reads and writes files mapped by others, such as a database's.
///
/// Sections may nest; a fault in an inner one is a fault of the outer ones too. A thread that blocks
/// SIGBUS is not helped: the kernel ends a process that can't be told.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, Faulted> {
    let installed = CHAINED.load(Ordering::Relaxed) > 0 || install().is_ok();
    if !installed {
        return Err(Faulted);
    }
    let section = Section::enter();
    let result = work();
    // The result is dropped inside of the section too: what drops may look at the mapping again.
    if section.is_clean() { Ok(result) } else { Err(Faulted) }
}

/// Faults in guarded sections of this process so far. A page made zeros in one thread is zeros to all:
/// who mapped the file at another count than this may be reading zeros.
pub(crate) fn faults() -> u64 {
    // Keeps this behind the reads before it: the handler counts first, so who has read zeros of its
    // making, and then asks, hears of it.
    fence(Ordering::Acquire);
    FAULTS.load(Ordering::Relaxed)
}

/// The thread is within `guarded`.
struct Section {
    faults: u64,
}

impl Section {
    fn enter() -> Self {
        DEPTH.with(|depth| depth.fetch_add(1, Ordering::Relaxed));
        let faults = OWN_FAULTS.with(|faults| faults.load(Ordering::Relaxed));
        // Keeps the work behind the store, as the handler sees it in this same thread.
        compiler_fence(Ordering::SeqCst);
        Self { faults }
    }

    fn is_clean(&self) -> bool {
        compiler_fence(Ordering::SeqCst);
        OWN_FAULTS.with(|faults| faults.load(Ordering::Relaxed)) == self.faults
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        DEPTH.with(|depth| depth.fetch_sub(1, Ordering::Relaxed));
    }
}

/// A range that becomes zeros when a file mapped into it fails.
pub(super) struct Watched {
    place: &'static AtomicUsize,
}

impl Watched {
    /// # Safety
    ///
    /// Until this is dropped, the range is mapped, in whole pages, and may become zeros at any time.
    pub(super) unsafe fn new(start: usize, length: usize) -> io::Result<Self> {
        let range = packed(start, length)?;
        for place in &WATCHED {
            // Release meets the handler's Acquire, though only this thread's own handing over of the
            // range lets others touch it.
            let taken = place.compare_exchange(0, range, Ordering::Release, Ordering::Relaxed);
            if taken.is_ok() {
                return Ok(Self { place });
            }
        }
        Err(io::Error::other(format!("more than {PLACES} shared mappings in one process")))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.place.store(0, Ordering::Release);
    }
}

fn packed(start: usize, length: usize) -> io::Result<usize> {
    let units = length / UNIT;
    if units == 0 || units >> LENGTH_BITS != 0 || !start.is_multiple_of(UNIT) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a shared mapping can't have {length} bytes"),
        ));
    }
    Ok((start / UNIT) << LENGTH_BITS | units)
}

fn unpacked(range: usize) -> (usize, usize) {
    let units = range & ((1 << LENGTH_BITS) - 1);
    ((range >> LENGTH_BITS) * UNIT, units * UNIT)
}

/// The size of a page.
pub(super) fn page() -> usize {
    // SAFETY: it takes a name and gives a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("a page has a size")
}

/// Replaces what is mapped there by zeros of this process's own, in one step. Fit for a handler.
///
/// # Safety
///
/// The range is whole pages that may be replaced.
pub(super) unsafe fn put_zeros(start: usize, length: usize) -> bool {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
    let start = ptr::without_provenance_mut(start);
    // SAFETY: the caller vouches for the range.
    let at = unsafe { libc::mmap(start, length, protection, flags, -1, 0) };
    at != libc::MAP_FAILED
}

impl Previous {
    const fn nobody() -> Self {
        Self { handler: AtomicUsize::new(libc::SIG_DFL), informed: AtomicBool::new(false) }
    }
}

/// Puts our handler first, if it is not. One system call when it is.
pub(super) fn install() -> io::Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    if is_ours(&exchanged(None)?) {
        return Ok(());
    }
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let found = exchanged(None)?;
    if is_ours(&found) {
        return Ok(());
    }
    PAGE.store(page(), Ordering::Relaxed);
    // Written down first: from its first instant on, the handler knows whom to pass a signal to.
    remember(&found)?;
    // SAFETY: all zeros is a disposition: the default one, with nothing blocked.
    let mut ours: libc::sigaction = unsafe { mem::zeroed() };
    ours.sa_sigaction = address_of_handler();
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    let replaced = exchanged(Some(&ours))?;
    if replaced.sa_sigaction == found.sa_sigaction || is_ours(&replaced) {
        return Ok(());
    }
    remember(&replaced)
}

fn address_of_handler() -> usize {
    handle as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize
}

fn is_ours(found: &libc::sigaction) -> bool {
    found.sa_sigaction == address_of_handler()
}

/// Sets the disposition of SIGBUS, if one is given, and returns the one before.
fn exchanged(new: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    // SAFETY: all zeros is a disposition.
    let mut old: libc::sigaction = unsafe { mem::zeroed() };
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both point to dispositions or nowhere, and a handler in one is ours.
    match unsafe { libc::sigaction(libc::SIGBUS, new, &raw mut old) } {
        0 => Ok(old),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Adds the handler that was found to the chain, unless it is the last one there already.
fn remember(found: &libc::sigaction) -> io::Result<()> {
    let count = CHAINED.load(Ordering::Relaxed);
    let last = count.checked_sub(1).map(|last| CHAIN[last].handler.load(Ordering::Relaxed));
    if last == Some(found.sa_sigaction) {
        return Ok(());
    }
    let Some(place) = CHAIN.get(count) else {
        return Err(io::Error::other("the handler of SIGBUS was replaced too often"));
    };
    place.handler.store(found.sa_sigaction, Ordering::Relaxed);
    place.informed.store(found.sa_flags & libc::SA_SIGINFO != 0, Ordering::Relaxed);
    CHAINED.store(count + 1, Ordering::Release);
    Ok(())
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: it points to this thread's own `errno`.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let kept = unsafe { *errno };
    // SAFETY: the kernel, or a handler that passes it on, gives what SA_SIGINFO says.
    let (code, at) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    // Others are a misaligned access, which zeros don't mend, or a signal sent by somebody.
    let missing = matches!(code, libc::BUS_ADRERR | libc::BUS_OBJERR | libc::BUS_MCEERR_AR);
    if !missing || !mended(at) {
        pass_on(signal, info, context, code > 0);
    }
    // SAFETY: as above.
    unsafe { *errno = kept };
}

/// Puts zeros where the fault was, if it was in a place of ours.
fn mended(at: usize) -> bool {
    for place in &WATCHED {
        let (start, length) = unpacked(place.load(Ordering::Acquire));
        if at.wrapping_sub(start) < length {
            // SAFETY: whoever watches the range allows it at any time. It still does: the thread that
            // faulted is using the range, and will when it goes on.
            return unsafe { put_zeros(start, length) };
        }
    }
    if DEPTH.with(|depth| depth.load(Ordering::Relaxed)) == 0 {
        return false;
    }
    OWN_FAULTS.with(|faults| faults.fetch_add(1, Ordering::Relaxed));
    // SeqCst, and before the zeros are there, for `faults`. One too many where they can't be had does
    // no harm.
    FAULTS.fetch_add(1, Ordering::SeqCst);
    let page = PAGE.load(Ordering::Relaxed);
    // SAFETY: the page is still mapped by who is being guarded here, and can't be read as it is, so to
    // nobody do zeros take anything away. What comes of reading them is thrown away by `guarded`.
    unsafe { put_zeros(at & !(page - 1), page) }
}

/// Leaves the signal to the handler before ours.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, forced: bool) {
    let outer = PASSING.get();
    let frame = ptr::from_ref(&outer) as usize;
    // One that came after us and calls us in turn hands on its context, from deeper in the stack. A
    // handler that was left by a jump has left its level behind, but a new signal is never deeper
    // than the last one with the same context.
    let comes_back = outer.context == context as usize && frame < outer.frame;
    let level = if comes_back { outer.level } else { CHAINED.load(Ordering::Acquire) };
    let previous = level.checked_sub(1).and_then(|level| CHAIN.get(level));
    let handler = previous.map_or(libc::SIG_DFL, |it| it.handler.load(Ordering::Relaxed));
    let informed = previous.is_some_and(|it| it.informed.load(Ordering::Relaxed));
    match handler {
        libc::SIG_IGN if !forced => {}
        // The kernel does not let a fault be ignored.
        libc::SIG_DFL | libc::SIG_IGN => die_of(signal, forced),
        handler => {
            PASSING.set(Passing { context: context as usize, frame, level: level - 1 });
            if informed {
                // SAFETY: it was installed as a handler that takes these three.
                let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                    unsafe { mem::transmute(handler) };
                handler(signal, info, context);
            } else {
                // SAFETY: it was installed as a handler that takes the signal's number.
                let handler: extern "C" fn(c_int) = unsafe { mem::transmute(handler) };
                handler(signal);
            }
            PASSING.set(outer);
        }
    }
}

/// Lets the default happen as soon as the handler returns: what faulted faults again, and what was
/// sent is sent again.
fn die_of(signal: c_int, forced: bool) {
    // SAFETY: all zeros is the default disposition.
    let default: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: it points to a disposition, and the old one is not asked for.
    unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) };
    if !forced {
        // SAFETY: it takes a number. The signal waits until the handler has returned.
        unsafe { libc::raise(signal) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::{Child, Folder, role};
    use std::fs::{File, OpenOptions};
    use std::os::fd::AsRawFd;
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::ExitStatus;

    /// Two pages of a file, mapped by somebody who knows nothing of handlers.
    struct Foreign {
        file: File,
        at: *const u8,
    }

    impl Foreign {
        fn new(folder: &Path) -> Self {
            let path = folder.join("foreign");
            std::fs::write(&path, vec![7; 2 * page()]).unwrap();
            let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
            let flags = libc::MAP_SHARED;
            // SAFETY: the kernel chooses a free range, which is never given back.
            let at = unsafe {
                let protection = libc::PROT_READ;
                libc::mmap(ptr::null_mut(), 2 * page(), protection, flags, file.as_raw_fd(), 0)
            };
            assert_ne!(at, libc::MAP_FAILED);
            Self { file, at: at.cast() }
        }

        /// Cuts the second page off.
        fn cut(&self) {
            self.file.set_len(u64::try_from(page()).unwrap()).unwrap();
        }

        fn byte(&self, at: usize) -> u8 {
            assert!(at < 2 * page());
            // SAFETY: it is mapped. If the file does not hold it, that is what is tested.
            unsafe { self.at.add(at).read_volatile() }
        }
    }

    fn child(test: &str) -> (ExitStatus, String) {
        Child::start(module_path!(), test, &Folder::new()).outcome()
    }

    fn succeeds(test: &str) {
        let (status, complaint) = child(test);
        assert!(status.success(), "{status}: {complaint}");
    }

    fn dies_of_it(test: &str) -> String {
        let (status, complaint) = child(test);
        assert_eq!(status.signal(), Some(libc::SIGBUS), "{status}: {complaint}");
        complaint
    }

    type Informed = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

    /// Puts another handler in the place of ours, or takes all away.
    fn put(handler: usize, flags: c_int) -> libc::sigaction {
        // SAFETY: all zeros is a disposition.
        let mut new: libc::sigaction = unsafe { mem::zeroed() };
        new.sa_sigaction = handler;
        new.sa_flags = flags;
        exchanged(Some(&new)).unwrap()
    }

    fn say(what: &str) {
        // SAFETY: it reads as many bytes as there are.
        unsafe { libc::write(2, what.as_ptr().cast(), what.len()) };
    }

    extern "C" fn informed(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        // SAFETY: the handler before gives what it was given.
        let code = unsafe { (*info).si_code };
        if signal == libc::SIGBUS && code == libc::BUS_ADRERR && !context.is_null() {
            say("informed\n");
        }
        // SAFETY: it takes a number, and does not come back.
        unsafe { libc::_exit(0) };
    }

    extern "C" fn plain(signal: c_int) {
        if signal == libc::SIGBUS {
            say("plain\n");
        }
        // SAFETY: it points to this thread's own `errno`.
        unsafe { *libc::__errno_location() = libc::ENOTTY };
    }

    #[test]
    fn what_meets_no_fault_is_given_back() {
        assert_eq!(guarded(|| 7), Ok(7));
    }

    #[test]
    fn a_fault_under_guard_makes_the_page_zeros_and_the_result_void() {
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            let before = faults();
            let mut seen = None;
            let outcome = guarded(|| seen = Some((foreign.byte(0), foreign.byte(page()))));
            assert_eq!(outcome, Err(Faulted));
            assert_eq!(seen, Some((7, 0)), "the thread went on");
            assert_eq!(faults(), before + 1);
            assert_eq!(guarded(|| foreign.byte(page())), Ok(0), "a new section begins clean");
            return;
        }
        succeeds("a_fault_under_guard_makes_the_page_zeros_and_the_result_void");
    }

    #[test]
    fn a_fault_in_an_inner_section_is_one_of_the_outer_too() {
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            let mut inner = None;
            let outer = guarded(|| inner = Some(guarded(|| foreign.byte(page()))));
            assert_eq!((inner, outer), (Some(Err(Faulted)), Err(Faulted)));
            return;
        }
        succeeds("a_fault_in_an_inner_section_is_one_of_the_outer_too");
    }

    #[test]
    fn the_guard_stands_again_after_an_inner_section() {
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            let outer = guarded(|| {
                assert_eq!(guarded(|| ()), Ok(()));
                foreign.byte(page())
            });
            assert_eq!(outer, Err(Faulted));
            return;
        }
        succeeds("the_guard_stands_again_after_an_inner_section");
    }

    #[test]
    fn what_a_void_result_drops_is_under_guard_too() {
        struct Reads(Foreign);
        impl Drop for Reads {
            fn drop(&mut self) {
                assert_eq!(self.0.byte(page() + 1), 0);
            }
        }
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            let void = guarded(|| {
                foreign.byte(page());
                let other = path.join("other");
                std::fs::create_dir(&other).unwrap();
                let other = Foreign::new(&other);
                other.cut();
                Reads(other)
            });
            assert!(void.is_err());
            return;
        }
        succeeds("what_a_void_result_drops_is_under_guard_too");
    }

    #[test]
    fn a_fault_of_one_thread_is_none_of_another() {
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            let file = &foreign.file;
            let at = foreign.at as usize;
            let outcome = guarded(|| {
                std::thread::scope(|scope| {
                    let other = scope.spawn(|| {
                        let file = file.try_clone().unwrap();
                        let foreign = Foreign { file, at: ptr::with_exposed_provenance(at) };
                        guarded(|| foreign.byte(page()))
                    });
                    other.join().unwrap()
                })
            });
            assert_eq!(outcome, Ok(Err(Faulted)));
            return;
        }
        succeeds("a_fault_of_one_thread_is_none_of_another");
    }

    #[test]
    fn a_panic_ends_the_section() {
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            let panic = std::panic::catch_unwind(|| guarded(|| panic!("through the section")));
            assert!(panic.is_err());
            foreign.byte(page());
            return;
        }
        dies_of_it("a_panic_ends_the_section");
    }

    #[test]
    fn a_fault_elsewhere_still_kills() {
        if let Some(path) = role() {
            let foreign = Foreign::new(&path);
            foreign.cut();
            guarded(|| ()).unwrap();
            foreign.byte(page());
            return;
        }
        dies_of_it("a_fault_elsewhere_still_kills");
    }

    #[test]
    fn a_fault_that_others_ignored_still_kills() {
        if let Some(path) = role() {
            put(libc::SIG_IGN, 0);
            let foreign = Foreign::new(&path);
            foreign.cut();
            install().unwrap();
            // SAFETY: it takes a number.
            unsafe { libc::raise(libc::SIGBUS) };
            say("ignored\n");
            foreign.byte(page());
            return;
        }
        let complaint = dies_of_it("a_fault_that_others_ignored_still_kills");
        assert!(complaint.contains("ignored"), "{complaint}");
    }

    #[test]
    fn a_signal_that_was_sent_is_no_fault_and_kills() {
        if role().is_some() {
            put(libc::SIG_DFL, 0);
            // SAFETY: it takes a number.
            let _ = guarded(|| unsafe { libc::raise(libc::SIGBUS) });
            return;
        }
        dies_of_it("a_signal_that_was_sent_is_no_fault_and_kills");
    }

    #[test]
    fn the_handler_before_ours_gets_what_is_not_ours_with_all_there_is_to_know() {
        if let Some(path) = role() {
            put(informed as Informed as usize, libc::SA_SIGINFO);
            let foreign = Foreign::new(&path);
            foreign.cut();
            assert_eq!(guarded(|| foreign.byte(page())), Err(Faulted));
            foreign.cut();
            let another = Foreign::new(&path);
            another.cut();
            another.byte(page());
            unreachable!("it ends the process");
        }
        let name = "the_handler_before_ours_gets_what_is_not_ours_with_all_there_is_to_know";
        let (status, complaint) = child(name);
        assert!(status.success(), "{status}: {complaint}");
        assert!(complaint.contains("informed"), "{complaint}");
    }

    #[test]
    fn a_plain_handler_gets_it_too_and_errno_is_kept() {
        if role().is_some() {
            put(plain as extern "C" fn(c_int) as usize, 0);
            install().unwrap();
            // SAFETY: it points to this thread's own `errno`; what is raised has a handler.
            let errno = unsafe {
                *libc::__errno_location() = libc::EXDEV;
                libc::raise(libc::SIGBUS);
                *libc::__errno_location()
            };
            assert_eq!(errno, libc::EXDEV);
            return;
        }
        let (status, complaint) = child("a_plain_handler_gets_it_too_and_errno_is_kept");
        assert!(status.success(), "{status}: {complaint}");
        assert_eq!(complaint.matches("plain").count(), 1, "{complaint}");
    }

    static BEFORE: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn calls_the_one_before(
        signal: c_int,
        info: *mut libc::siginfo_t,
        context: *mut c_void,
    ) {
        say("later\n");
        // SAFETY: what was there before takes three arguments, as it is ours.
        let before: Informed = unsafe { mem::transmute(BEFORE.load(Ordering::SeqCst)) };
        before(signal, info, context);
    }

    #[test]
    fn who_came_later_and_calls_us_in_turn_is_called_once() {
        if let Some(path) = role() {
            put(informed as Informed as usize, libc::SA_SIGINFO);
            install().unwrap();
            let ours = put(calls_the_one_before as Informed as usize, libc::SA_SIGINFO);
            assert!(is_ours(&ours));
            BEFORE.store(ours.sa_sigaction, Ordering::SeqCst);
            install().unwrap();
            assert!(is_ours(&exchanged(None).unwrap()), "ours is first again");
            let foreign = Foreign::new(&path);
            foreign.cut();
            foreign.byte(page());
            unreachable!("it ends the process");
        }
        let (status, complaint) = child("who_came_later_and_calls_us_in_turn_is_called_once");
        assert!(status.success(), "{status}: {complaint}");
        assert_eq!(complaint.matches("later").count(), 1, "{complaint}");
        assert_eq!(complaint.matches("informed").count(), 1, "{complaint}");
    }

    #[test]
    fn who_replaced_ours_is_behind_it_again_once_something_is_attached() {
        if let Some(path) = role() {
            let shared = crate::tier::disk::shared::Shared::new(1).unwrap();
            put(plain as extern "C" fn(c_int) as usize, 0);
            let foreign = Foreign::new(&path);
            shared.attach(&foreign.file).unwrap();
            foreign.cut();
            assert_eq!(guarded(|| foreign.byte(page())), Err(Faulted));
            return;
        }
        succeeds("who_replaced_ours_is_behind_it_again_once_something_is_attached");
    }

    static FOREIGN: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn faults_itself(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let at = FOREIGN.swap(0, Ordering::SeqCst);
        if at == 0 {
            return informed(signal, info, context);
        }
        say("faults\n");
        // SAFETY: the signal may come again; the page is mapped, and what comes of it is tested.
        unsafe {
            let mut signals = mem::zeroed();
            libc::sigemptyset(&raw mut signals);
            libc::sigaddset(&raw mut signals, signal);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const signals, ptr::null_mut());
            ptr::with_exposed_provenance::<u8>(at).read_volatile();
        }
    }

    #[test]
    fn a_fault_within_another_handler_is_passed_on_from_the_start() {
        if let Some(path) = role() {
            put(faults_itself as Informed as usize, libc::SA_SIGINFO);
            install().unwrap();
            let foreign = Foreign::new(&path);
            foreign.cut();
            FOREIGN.store(foreign.at as usize + page(), Ordering::SeqCst);
            // Handlers have a stack of their own, too small for two signals.
            // SAFETY: this thread is in no handler, and all zeros but for the flag gives no stack.
            unsafe {
                let mut none: libc::stack_t = mem::zeroed();
                none.ss_flags = libc::SS_DISABLE;
                assert_eq!(libc::sigaltstack(&raw const none, ptr::null_mut()), 0);
            }
            foreign.byte(page());
            unreachable!("it ends the process");
        }
        let name = "a_fault_within_another_handler_is_passed_on_from_the_start";
        let (status, complaint) = child(name);
        assert!(status.success(), "{status}: {complaint}");
        assert!(complaint.contains("faults\ninformed"), "{complaint}");
    }

    extern "C" fn jumps(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
        say("jumps\n");
        JUMPED.set(Some(PASSING.get()));
    }

    thread_local! {
        static JUMPED: Cell<Option<Passing>> = const { Cell::new(None) };
    }

    #[test]
    fn a_handler_left_by_a_jump_gets_the_next_signal_too() {
        if role().is_some() {
            put(jumps as Informed as usize, libc::SA_SIGINFO);
            install().unwrap();
            // SAFETY: all zeros is information of a signal sent by somebody.
            let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
            for _ in 0..2 {
                handle(libc::SIGBUS, &raw mut info, (&raw mut info).cast());
                // A jump would have left this as it was within the handler.
                PASSING.set(JUMPED.take().expect("it was called"));
            }
            return;
        }
        succeeds("a_handler_left_by_a_jump_gets_the_next_signal_too");
    }

    #[test]
    fn a_handler_put_before_ours_again_and_again_is_one_and_many_are_an_error() {
        if role().is_some() {
            let one = plain as extern "C" fn(c_int) as usize;
            for _ in 0..40 {
                put(one, 0);
                install().unwrap();
            }
            let mut both = [informed as Informed as usize, one].into_iter().cycle();
            let refused = (0..40).find_map(|_| {
                put(both.next().unwrap(), 0);
                install().err()
            });
            assert!(refused.unwrap().to_string().contains("too often"));
            return;
        }
        let name = "a_handler_put_before_ours_again_and_again_is_one_and_many_are_an_error";
        succeeds(name);
    }

    #[test]
    fn an_overflow_of_the_stack_is_told_as_before() {
        #[expect(unconditional_recursion, reason = "to overflow the stack")]
        fn dig(deep: &[u8; 1024]) -> u8 {
            let mut deeper = std::hint::black_box(*deep);
            deeper[1] = dig(&deeper);
            deeper[0]
        }
        if role().is_some() {
            guarded(|| ()).unwrap();
            dig(&[0; 1024]);
            return;
        }
        let (status, complaint) = child("an_overflow_of_the_stack_is_told_as_before");
        assert_eq!(status.signal(), Some(libc::SIGABRT), "{complaint}");
        assert!(complaint.contains("has overflowed its stack"), "{complaint}");
    }

    #[test]
    fn a_range_is_had_back_from_its_word() {
        let greatest = ((1 << (LENGTH_BITS - 1)) - 1) * UNIT;
        for (start, length) in [(UNIT, UNIT), (0x7FFF_FFFF_F000, 3 * UNIT), (UNIT * 9, greatest)] {
            assert_eq!(unpacked(packed(start, length).unwrap()), (start, length));
        }
        for (start, length) in [(UNIT, 0), (UNIT + 1, UNIT), (UNIT, UNIT << LENGTH_BITS)] {
            assert!(packed(start, length).is_err(), "{start} {length}");
        }
    }
}
