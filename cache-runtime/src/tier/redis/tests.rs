//! What becomes of what nobody waits for any more.

use super::server::{Command, Fault, Key, Replies, Reply, Server, Task, Timed, Work};
use super::{Listener, Patience, Place, Redis, Settings, Shared, Wanted};
use crate::entry::{Marks, Stamp};
use crate::mark::Mark;
use crate::sync::Mutex;
use crate::target::Target;
use crate::tier::redis::statistics::RedisStats;
use futures_lite::future::{block_on, poll_once};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A server that answers when it is told to, and runs tasks then.
#[derive(Default)]
struct Puppet {
    asked: Mutex<Vec<Asked>>,
    tasks: Mutex<Vec<Task>>,
}

type Asked = (Vec<Command>, oneshot::Sender<Result<Vec<Reply>, Fault>>);

struct Handle(Arc<Puppet>);

impl Server for Handle {
    fn send(&self, commands: Vec<Command>, _: Duration) -> Replies {
        let (replies, received) = oneshot::channel();
        self.0.asked.lock().push((commands, replies));
        Box::pin(async { received.await.unwrap_or(Err(Fault::Down)) })
    }

    fn is_up(&self) -> bool {
        true
    }

    fn vouches(&self) -> bool {
        true
    }

    fn stats(&self) -> RedisStats {
        RedisStats::NONE
    }

    fn time(&self, _: &dyn Fn() -> Key) -> Option<Timed> {
        None
    }

    fn spawn(&self, task: Task) {
        self.0.tasks.lock().push(task);
    }

    fn aside(&self, work: Work) {
        work();
    }
}

/// What was heard, in its order.
#[derive(Default)]
struct Notes(Mutex<Vec<&'static str>>);

impl Notes {
    fn note(&self, what: &'static str) {
        self.0.lock().push(what);
    }
}

impl Listener for Arc<Notes> {
    fn hear(&self, _: &Target) {
        self.note("heard");
    }

    fn lose(&self) {}

    fn settle(&self) {}

    fn deliver(&self, _: &Target) {
        self.note("recorded");
    }

    fn postpone(&self, _: &Target) -> bool {
        self.note("postponed");
        true
    }

    fn postponed(&self) -> Vec<(u64, Target)> {
        Vec::new()
    }

    fn forget(&self, _: &[u64]) {}

    fn is_overtaken(&self, _: &Marks, _: Stamp) -> bool {
        false
    }
}

fn tier() -> (Redis, Arc<Puppet>, Arc<Notes>) {
    let (puppet, notes) = (Arc::new(Puppet::default()), Arc::new(Notes::default()));
    let settings = Settings::parse("redis://nowhere", "a test").unwrap();
    let link = Box::new(Handle(Arc::clone(&puppet)));
    let shared = Shared::new("tests", settings, link, Arc::new(Arc::clone(&notes)));
    (Redis { shared: Arc::new(shared) }, puppet, notes)
}

impl Puppet {
    /// Answers what was asked last.
    fn answer(&self, answer: Result<Vec<Reply>, Fault>) {
        let (_, replies) = self.asked.lock().pop().expect("something was asked");
        let _ = replies.send(answer);
    }

    /// Runs what was to be run, while somebody does something.
    fn run(&self, meanwhile: impl FnOnce()) {
        let tasks = std::mem::take(&mut *self.tasks.lock());
        let mut tasks = pin!(async {
            for task in tasks {
                task.await;
            }
        });
        assert!(block_on(poll_once(&mut tasks)).is_none(), "it waits for an answer");
        meanwhile();
        block_on(tasks);
    }
}

fn target() -> Target {
    Target::Any(vec![Mark::tag("a")])
}

#[test]
fn an_invalidation_that_nobody_waits_for_is_recorded_once_the_servers_have_answered() {
    for (answer, heard) in [
        (Ok(vec![Reply::Done(true)]), &["recorded"][..]),
        (Err(Fault::Late), &["postponed", "recorded"]),
    ] {
        let (redis, puppet, notes) = tier();
        drop(redis.invalidate(target()));
        puppet.run(|| {
            assert!(notes.0.lock().is_empty(), "they have not answered");
            puppet.answer(answer);
        });
        assert_eq!(*notes.0.lock(), heard);
    }
}

#[test]
fn an_invalidation_that_is_waited_for_is_recorded_by_who_waits() {
    let (redis, puppet, notes) = tier();
    let told = redis.invalidate(target());
    puppet.run(|| puppet.answer(Ok(vec![Reply::Done(true)])));
    block_on(told).unwrap();
    assert!(notes.0.lock().is_empty());
}

/// Has a version found to end too early, and leaves while it is made to last longer.
fn leaves_while_a_version_is_prolonged(answer: Option<Fault>) {
    let (redis, puppet, notes) = tier();
    let place = Place { mark: Mark::tag("key"), id: 1 };
    let marks = [place.mark];
    let (key, shape) = (&b"key"[..], [0; 16]);
    let (is_part, is_awaited, linger) = (false, false, Duration::ZERO);
    let blame = None;
    let wanted =
        Wanted { place: &place, marks: &marks, key, shape, is_part, is_awaited, linger, blame };
    let mut patience = Patience::new(Duration::from_secs(1));
    let asking = (Duration::from_secs(60), false);
    {
        let mut claiming = pin!(redis.claim(&wanted, Stamp(1), asking, &mut patience));
        assert!(block_on(poll_once(&mut claiming)).is_none());
        let short = Reply::Remaining(Some(Duration::from_secs(1)));
        let (done, found) = (Reply::Done(true), Reply::Found(vec![None, None]));
        let lease = short.clone();
        puppet.answer(Ok(vec![done.clone(), done.clone(), done, lease, short, found]));
        assert!(block_on(poll_once(&mut claiming)).is_none());
        let is_prolonging = matches!(puppet.asked.lock()[0].0[0], Command::Prolong { .. });
        assert!(is_prolonging);
        assert!(notes.0.lock().is_empty());
        if let Some(fault) = answer {
            puppet.answer(Err(fault));
            assert!(block_on(poll_once(&mut claiming)).is_some());
        }
    }
    assert_eq!(*notes.0.lock(), ["heard"]);
}

#[test]
fn a_version_that_was_prolonged_and_not_read_again_is_heard_to_have_changed() {
    leaves_while_a_version_is_prolonged(None);
    leaves_while_a_version_is_prolonged(Some(Fault::Late));
}
