//! The thread that keeps one directory watched.
//!
//! 1. A directory that appeared is listened to, and searched for what is opaque, before what
//!    happened to it is settled.
//! 2. Whatever is lost, and another directory in place of the root, is answered by a new watcher.
//! 3. What changed is reported before it is settled.
//! 4. When it ends, for whatever reason, nothing is vouched for on its word.

use super::Changed;
use super::coverage::{Coverage, RootId};
use super::ground::{self, Found, Place};
use super::listener::Listener;
use super::root::Work;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often the root is compared with what it was. No watcher tells of a directory above it that
/// is renamed, or of a file system that is mounted over it.
const PULSE: Duration = Duration::from_millis(100);

/// How long to wait before another attempt at what failed: each may walk the whole tree.
const RETRY: Duration = Duration::from_secs(1);

pub(super) enum Message {
    /// There is something to do.
    Noted,
    Debounce(Duration),
    Stop,
}

pub(super) type Report = Box<dyn Fn(Changed<'_>) + Send>;

pub(super) struct Keeper {
    coverage: Arc<Coverage>,
    id: RootId,
    root: PathBuf,
    bell: Sender<Message>,
    report: Report,
    debounce: Duration,
    /// `None` as long as there is nothing to watch, or no way to.
    standing: Option<(Listener, Place)>,
}

impl Keeper {
    pub(super) fn new(
        coverage: &Arc<Coverage>,
        root: &Path,
        bell: Sender<Message>,
        report: Report,
    ) -> Self {
        let id = coverage.open(root.to_owned());
        Self {
            coverage: Arc::clone(coverage),
            id,
            root: root.to_owned(),
            bell,
            report,
            debounce: Duration::from_millis(100),
            standing: None,
        }
    }

    pub(super) fn id(&self) -> RootId {
        self.id
    }

    /// Watches the root as if nothing was known of it.
    pub(super) fn establish(&mut self) -> Result<(), String> {
        self.standing = None;
        let epoch = self.coverage.begin(self.id);
        let place = Place::at(&self.root).ok_or("it is no directory")?;
        if !ground::tells_of_changes(&self.root) {
            return Err("its file system does not tell of all changes".into());
        }
        let (coverage, id, bell) = (Arc::clone(&self.coverage), self.id, self.bell.clone());
        let listener = Listener::start(&self.root, move |notice| {
            if coverage.note(id, epoch, notice) {
                // Nobody hears it when this keeper is about to end.
                let _ = bell.send(Message::Noted);
            }
        })?;
        let opaque = ground::opaque_in(&self.root, place);
        if Place::at(&self.root) != Some(place) {
            return Err("it was replaced meanwhile".into());
        }
        self.coverage.stand(self.id, opaque);
        self.standing = Some((listener, place));
        Ok(())
    }

    pub(super) fn run(mut self, mailbox: &Receiver<Message>) {
        let mut pulse = Instant::now() + PULSE;
        let mut window: Option<Instant> = None;
        loop {
            let next = window.map_or(pulse, |end| end.min(pulse));
            match mailbox.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Message::Noted) => window = Some(Instant::now() + self.debounce),
                Ok(Message::Debounce(debounce)) => {
                    self.debounce = debounce;
                    window = window.map(|end| end.min(Instant::now() + debounce));
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if window.is_some_and(|end| end <= now) {
                window = None;
                self.work();
            }
            if pulse <= now {
                pulse = Instant::now() + self.feel();
            }
        }
    }

    /// Looks whether the root is the one that is watched, and returns when to do so again.
    fn feel(&mut self) -> Duration {
        let there = Place::at(&self.root);
        let watched = self.standing.as_ref().map(|(_, place)| *place);
        if there.is_some() && watched == there || there.is_none() && watched.is_none() {
            return PULSE;
        }
        self.coverage.lose(self.id);
        self.work();
        if there.is_some() && self.standing.is_none() { RETRY } else { PULSE }
    }

    fn work(&mut self) {
        let Work { upto, mut lost, looks } = self.coverage.take(self.id);
        lost |= !looks.iter().all(|(path, anew)| self.look(path, *anew));
        if lost {
            let stood = self.standing.is_some();
            let stands = self.establish().is_ok();
            // Once when it ends, once when it begins again.
            if stood || stands {
                (self.report)(Changed::Below(&self.root));
            }
        } else if !looks.is_empty() {
            let paths: Vec<_> = looks.into_iter().map(|(path, _)| path).collect();
            (self.report)(Changed::Paths(&paths));
            self.coverage.settle(self.id, upto);
        }
    }

    /// Whether everything below the path is listened to.
    fn look(&mut self, path: &Path, anew: bool) -> bool {
        let Some((listener, place)) = &mut self.standing else { return false };
        let opaque = match ground::look(path, *place) {
            Found::Directory if !anew => return true,
            Found::Directory => {
                if listener.add(path).is_err() {
                    return Place::at(path).is_none();
                }
                ground::opaque_in(path, *place)
            }
            Found::Opaque => vec![path.to_owned()],
            Found::Other => Vec::new(),
        };
        self.coverage.found(self.id, path, opaque);
        true
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.coverage.close(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn changes_are_collected_for_100_ms_unless_another_time_is_said() {
        let (bell, _mailbox) = mpsc::channel();
        let coverage = Arc::<Coverage>::default();
        let keeper = Keeper::new(&coverage, Path::new("/"), bell, Box::new(|_| {}));
        assert_eq!(keeper.debounce, Duration::from_millis(100));
    }
}
