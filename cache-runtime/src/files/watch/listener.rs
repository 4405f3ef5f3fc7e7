//! What the system tells of a directory, as notices.
//!
//! 1. What is not understood is `Lost`, never nothing.
//! 2. `add` returns once the directory is listened to.

use super::root::Notice;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::Path;

pub(super) struct Listener {
    watcher: RecommendedWatcher,
}

impl Listener {
    /// Hears of everything below a directory, on a thread of the watcher's. `hear` must neither
    /// panic nor wait for this listener.
    pub(super) fn start(
        root: &Path,
        mut hear: impl FnMut(Notice) + Send + 'static,
    ) -> Result<Self, String> {
        let handler = move |event| notices(event).into_iter().for_each(&mut hear);
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(handler, config).map_err(|it| it.to_string())?;
        let mut listener = Self { watcher };
        listener.add(root)?;
        Ok(listener)
    }

    /// Makes sure that a directory that appeared is listened to. The watcher does so by itself, but
    /// says neither when nor whether.
    pub(super) fn add(&mut self, directory: &Path) -> Result<(), String> {
        self.watcher.watch(directory, RecursiveMode::Recursive).map_err(|it| it.to_string())
    }
}

fn notices(event: notify::Result<Event>) -> Vec<Notice> {
    let Ok(event) = event else { return vec![Notice::Lost] };
    let anew = match event.kind {
        _ if event.need_rescan() => return vec![Notice::Lost],
        // One that wrote through a memory map may have been heard of only now.
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => false,
        EventKind::Access(_) => return Vec::new(),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    if event.paths.is_empty() {
        return vec![Notice::Lost];
    }
    event.paths.into_iter().map(|path| Notice::Touched { path, anew }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, Flag, RemoveKind, RenameMode};
    use std::path::PathBuf;

    fn of(kind: EventKind) -> Vec<Notice> {
        notices(Ok(Event::new(kind).add_path("/r/a".into())))
    }

    fn touched(anew: bool) -> Vec<Notice> {
        vec![Notice::Touched { path: PathBuf::from("/r/a"), anew }]
    }

    #[test]
    fn an_overflow_an_error_and_an_event_without_a_path_are_lost() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(notices(Ok(overflow)), [Notice::Lost]);
        let told = Event::new(EventKind::Any).add_path("/r/a".into()).set_flag(Flag::Rescan);
        assert_eq!(notices(Ok(told)), [Notice::Lost]);
        assert_eq!(notices(Err(notify::Error::generic("limit"))), [Notice::Lost]);
        assert_eq!(notices(Ok(Event::new(EventKind::Any))), [Notice::Lost]);
    }

    #[test]
    fn to_read_a_file_is_no_change() {
        assert_eq!(of(EventKind::Access(AccessKind::Open(AccessMode::Any))), []);
        assert_eq!(of(EventKind::Access(AccessKind::Close(AccessMode::Read))), []);
    }

    #[test]
    fn an_edit_leaves_a_path_what_it_was() {
        assert_eq!(of(EventKind::Modify(ModifyKind::Data(DataChange::Any))), touched(false));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert_eq!(of(closed), touched(false));
    }

    #[test]
    fn what_is_made_removed_or_renamed_may_be_something_else() {
        assert_eq!(of(EventKind::Create(CreateKind::Any)), touched(true));
        assert_eq!(of(EventKind::Remove(RemoveKind::Any)), touched(true));
        assert_eq!(of(EventKind::Modify(ModifyKind::Name(RenameMode::From))), touched(true));
        assert_eq!(of(EventKind::Any), touched(true));
    }
}
