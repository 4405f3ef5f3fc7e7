//! Servers that share the keys by slot: one connection to each primary, and commands taken apart so
//! that none crosses slots.
//!
//! 1. Every command goes to who has the slot of its key, as far as is known, and to whom that one
//!    refers to.
//! 2. Who is out of reach is so for the keys of that one's slots, and for no others.
//! 3. When somebody else has a slot than before, everything is forgotten: what the former told of is
//!    not all that happened.

use super::link::{Ear, Link};
use super::origin::Origin;
use super::server::{Command, Fault, Key, Refusal, Replies, Reply, Server, Timed};
use super::settings;
use super::statistics::RedisStats;
use super::thread;
use crate::sync::RwLock;
use redis::ConnectionInfo;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time;

const SLOTS: u16 = 16_384;
/// How often it is asked who has which slot, at the least.
const ROUND: Duration = Duration::from_secs(1);
/// How soon it may be asked again.
const PAUSE: Duration = Duration::from_millis(50);
/// How often a command is sent on to somebody else.
const MOST_HOPS: usize = 4;

pub(super) struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    /// Of the first server; the others have the same settings.
    seeds: Vec<ConnectionInfo>,
    bound: Duration,
    trusts: bool,
    ear: Weak<dyn Ear>,
    nodes: RwLock<Nodes>,
    /// Whether it has been tried to learn who has which slot.
    is_tried: watch::Sender<bool>,
    /// Asked for when a server says that it has not got a slot.
    outdated: Notify,
}

#[derive(Default)]
struct Nodes {
    links: HashMap<String, Arc<Link>>,
    /// The first slot of each range, and who has it: its last, and an address.
    ranges: BTreeMap<u16, (u16, String)>,
}

/// A part of a trip: commands for one server, and where in the trip each belongs.
#[derive(Default)]
struct Part {
    commands: Vec<Command>,
    places: Vec<Share>,
}

/// Where a command comes from: which one of the trip, and which of its keys.
struct Share {
    command: usize,
    keys: Vec<usize>,
}

impl Cluster {
    pub(super) fn new(
        seeds: Vec<ConnectionInfo>,
        bound: Duration,
        trusts: bool,
        ear: Weak<dyn Ear>,
    ) -> Self {
        let (nodes, outdated) = (RwLock::default(), Notify::new());
        let is_tried = watch::Sender::new(false);
        let shared = Arc::new(Shared { seeds, bound, trusts, ear, nodes, is_tried, outdated });
        for seed in &shared.seeds {
            shared.link(&settings::address(seed));
        }
        thread::spawn(keep(Arc::downgrade(&shared)));
        Self { shared }
    }
}

impl Server for Cluster {
    fn send(&self, commands: Vec<Command>, patience: Duration) -> Replies {
        let shared = Arc::clone(&self.shared);
        if !shared.is_new() {
            return Box::pin(async move { shared.send(&commands, patience).await });
        }
        let (replies, received) = oneshot::channel();
        thread::spawn(async move {
            let _ = replies.send(shared.send_first(&commands, patience).await);
        });
        Box::pin(async { received.await.unwrap_or(Err(Fault::Down)) })
    }

    fn is_up(&self) -> bool {
        let nodes = self.shared.nodes.read();
        nodes.primaries().flatten().any(|link| link.is_up()) || self.shared.is_new()
    }

    fn is_up_for(&self, keys: &mut dyn Iterator<Item = Key>) -> bool {
        let nodes = self.shared.nodes.read();
        let is_up = |key: Key| nodes.of(slot(&key)).is_some_and(|link| link.is_up());
        std::iter::from_fn(|| keys.next()).all(is_up) || self.shared.is_new()
    }

    fn vouches(&self) -> bool {
        let nodes = self.shared.nodes.read();
        let mut primaries = nodes.primaries();
        !nodes.ranges.is_empty() && primaries.all(|link| link.is_some_and(|it| it.vouches()))
    }

    fn stats(&self) -> RedisStats {
        let nodes = self.shared.nodes.read();
        let (mut primaries, mut others): (Vec<_>, Vec<_>) =
            nodes.links.iter().partition(|(address, _)| nodes.is_primary(address));
        if primaries.is_empty() {
            // Those that are asked who they are.
            primaries.append(&mut others);
        }
        let each = primaries.into_iter().map(|(_, link)| link.stats());
        let all = each.fold(RedisStats::NONE, |all, one| RedisStats {
            servers: all.servers.into_iter().chain(one.servers).collect(),
            breaker: all.breaker.max(one.breaker),
            breaker_openings: all.breaker_openings + one.breaker_openings,
            connections: all.connections + one.connections,
            late: all.late + one.late,
            changes: all.changes + one.changes,
            ..RedisStats::NONE
        });
        let mut servers = all.servers;
        servers.sort();
        RedisStats { servers, ..all }
    }

    fn time(&self, key: &dyn Fn() -> Key) -> Option<Timed> {
        self.shared.nodes.read().of(slot(&key()))?.time(key)
    }
}

impl Nodes {
    fn of(&self, slot: u16) -> Option<&Arc<Link>> {
        let (_, (last, address)) = self.ranges.range(..=slot).next_back()?;
        self.links.get(address).filter(|_| slot <= *last)
    }

    fn is_primary(&self, address: &str) -> bool {
        self.ranges.values().any(|(_, it)| it == address)
    }

    fn primaries(&self) -> impl Iterator<Item = Option<&Arc<Link>>> {
        self.ranges.values().map(|(_, address)| self.links.get(address))
    }
}

impl Shared {
    /// The way to a server, made now if there is none.
    fn link(&self, address: &str) -> Option<Arc<Link>> {
        if let Some(link) = self.nodes.read().links.get(address) {
            return Some(Arc::clone(link));
        }
        let (host, port) = address.rsplit_once(':')?;
        let port = port.parse().ok()?;
        let seed = self.seeds.first()?;
        let info = seed.clone().set_addr(settings::beside(seed.addr(), host.to_owned(), port));
        let origin = Origin::Fixed(info);
        let made =
            Arc::new(Link::new(origin, self.bound, self.trusts, Weak::clone(&self.ear), false));
        let mut nodes = self.nodes.write();
        Some(Arc::clone(nodes.links.entry(address.to_owned()).or_insert(made)))
    }

    fn is_new(&self) -> bool {
        !*self.is_tried.borrow()
    }

    /// Sends what was asked before it was known who has which slot. It waits for that, for no longer
    /// than for an answer.
    async fn send_first(
        &self,
        commands: &[Command],
        patience: Duration,
    ) -> Result<Vec<Reply>, Fault> {
        let begun = Instant::now();
        let mut tried = self.is_tried.subscribe();
        let is_tried = time::timeout(patience, tried.wait_for(|it| *it)).await.is_ok();
        if !is_tried {
            return Err(Fault::Late);
        }
        self.send(commands, patience.saturating_sub(begun.elapsed())).await
    }

    async fn send(&self, commands: &[Command], patience: Duration) -> Result<Vec<Reply>, Fault> {
        let until = Instant::now() + patience;
        let mut replies: Vec<Option<Reply>> = commands.iter().map(|_| None).collect();
        let mut parts = self.apart(commands)?;
        for _ in 0..MOST_HOPS {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Late);
            }
            let sent: Vec<_> = parts
                .into_iter()
                .map(|(link, part)| (link.send(part.commands.clone(), left), part))
                .collect();
            let mut again = Vec::new();
            for (answer, part) in sent {
                let answers = answer.await?;
                again.extend(self.take_in(commands, &part, answers, &mut replies)?);
            }
            if again.is_empty() {
                return replies.into_iter().collect::<Option<_>>().ok_or(Fault::Foreign);
            }
            parts = again;
        }
        Err(Fault::Foreign)
    }

    /// Takes commands apart by who has their keys.
    fn apart(&self, commands: &[Command]) -> Result<Vec<(Arc<Link>, Part)>, Fault> {
        let nodes = self.nodes.read();
        let mut parts: Vec<(Arc<Link>, Part)> = Vec::new();
        for (number, command) in commands.iter().enumerate() {
            for (slot, keys) in by_slot(command) {
                let Some(link) = nodes.of(slot) else {
                    self.outdated.notify_one();
                    return Err(Fault::Down);
                };
                let at = parts.iter().position(|(it, _)| Arc::ptr_eq(it, link));
                let at = at.unwrap_or_else(|| {
                    parts.push((Arc::clone(link), Part::default()));
                    parts.len() - 1
                });
                let part = &mut parts[at].1;
                part.commands.push(command.only(&keys));
                part.places.push(Share { command: number, keys });
            }
        }
        Ok(parts)
    }

    /// Puts answers where they belong, and says what has to be asked of somebody else.
    fn take_in(
        &self,
        commands: &[Command],
        part: &Part,
        answers: Vec<Reply>,
        replies: &mut [Option<Reply>],
    ) -> Result<Vec<(Arc<Link>, Part)>, Fault> {
        let mut again = Vec::new();
        let mut answers = answers.into_iter();
        for (sent, origin) in part.commands.iter().zip(&part.places) {
            let answer = answers.next().ok_or(Fault::Foreign)?;
            let (address, is_asking) = match &answer {
                Reply::Refused(Refusal::Moved(address)) => (address, false),
                Reply::Refused(Refusal::Ask(address)) => (address, true),
                _ => {
                    let place = &mut replies[origin.command];
                    join(&commands[origin.command], place, &origin.keys, answer);
                    continue;
                }
            };
            if !is_asking {
                self.outdated.notify_one();
            }
            let link = self.link(address).ok_or(Fault::Foreign)?;
            let mut part = Part::default();
            if is_asking {
                part.commands.push(Command::Asking);
                part.places.push(Share { command: origin.command, keys: Vec::new() });
            }
            part.commands.push(sent.clone());
            part.places.push(Share { command: origin.command, keys: origin.keys.clone() });
            again.push((link, part));
        }
        Ok(again)
    }

    /// Asks who has which slot; false if nobody knows.
    async fn look_around(&self) -> bool {
        let links: Vec<_> = self.nodes.read().links.values().cloned().collect();
        for link in links.iter().filter(|link| link.is_up()) {
            let replies = link.send(vec![Command::Slots], self.bound).await;
            if let Ok([Reply::Slots(ranges)]) = replies.as_deref()
                && !ranges.is_empty()
            {
                self.take_over(ranges);
                return true;
            }
        }
        false
    }

    fn take_over(&self, ranges: &[(u16, u16, String)]) {
        for (_, _, address) in ranges {
            self.link(address);
        }
        let ranges: BTreeMap<_, _> = ranges
            .iter()
            .map(|(first, last, address)| (*first, (*last, address.clone())))
            .collect();
        let mut nodes = self.nodes.write();
        if nodes.ranges == ranges {
            return;
        }
        nodes.ranges = ranges;
        // Who has no slot is not asked, and need not be listened to.
        let seeds: Vec<_> = self.seeds.iter().map(settings::address).collect();
        let primaries: Vec<_> = nodes.ranges.values().map(|(_, it)| it.clone()).collect();
        nodes.links.retain(|address, _| primaries.contains(address) || seeds.contains(address));
        drop(nodes);
        if let Some(ear) = self.ear.upgrade() {
            ear.lost();
        }
    }
}

/// Keeps track of who has which slot, for as long as there is a cluster to be asked.
async fn keep(shared: Weak<Shared>) {
    loop {
        let Some(cluster) = shared.upgrade() else { return };
        let is_known = cluster.look_around().await;
        cluster.is_tried.send_replace(true);
        let is_whole = cluster.nodes.read().primaries().all(|it| it.is_some_and(|it| it.is_up()));
        let pause = if is_known && is_whole { ROUND } else { PAUSE };
        let _ = time::timeout(pause, cluster.outdated.notified()).await;
        drop(cluster);
        time::sleep(PAUSE).await;
    }
}

/// The slot of a key: that of what stands in its first braces, if anything does.
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|it| *it == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|it| *it == b'}').filter(|close| *close > 0)?;
        Some(&rest[..close])
    });
    crc16::State::<crc16::XMODEM>::calculate(tag.unwrap_or(key)) % SLOTS
}

/// The keys of a command, by slot: which of them each has.
fn by_slot(command: &Command) -> BTreeMap<u16, Vec<usize>> {
    let mut slots: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (number, key) in command.keys().iter().enumerate() {
        slots.entry(slot(key)).or_default().push(number);
    }
    slots
}

/// Puts a part of a command's answer to the others.
fn join(command: &Command, place: &mut Option<Reply>, keys: &[usize], answer: Reply) {
    match (&mut *place, answer) {
        // What one of them refused was not done.
        (Some(Reply::Refused(_)), _) => {}
        (Some(Reply::Found(all)), Reply::Found(some)) => {
            keys.iter().zip(some).for_each(|(key, found)| all[*key] = found);
        }
        (None, Reply::Found(some)) => {
            let mut all = vec![None; command.keys().len()];
            keys.iter().zip(some).for_each(|(key, found)| all[*key] = found);
            *place = Some(Reply::Found(all));
        }
        // An introduction to what follows has no answer of its own.
        (_, Reply::Done(_)) if keys.is_empty() => {}
        (Some(Reply::Done(all)), Reply::Done(one)) => *all &= one,
        (place, answer) => *place = Some(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::{by_slot, join, slot};
    use crate::tier::redis::server::{Bytes, Command, Refusal, Reply};

    #[test]
    fn a_key_has_the_slot_that_redis_says() {
        assert_eq!(slot(b"123456789"), 12_739);
        assert_eq!(slot(b"a"), 15_495);
        assert_eq!(slot(b"x{a}y"), 15_495);
        assert_eq!(slot(b"x{a}{b}"), 15_495);
        assert_eq!(slot(b"{}a"), slot(b"{}a"));
        assert_ne!(slot(b"{}a"), slot(b""));
    }

    #[test]
    fn a_read_is_taken_apart_and_put_together_again() {
        let keys = [&b"a"[..], b"b", b"{a}c"].map(<[u8]>::to_vec);
        let read = Command::Read(keys.to_vec());
        let parts = by_slot(&read);
        assert_eq!(parts.values().cloned().collect::<Vec<_>>(), [vec![1], vec![0, 2]]);
        let found = |it: u8| Some(Bytes { bytes: [it][..].into(), run: [0; 16] });
        let mut place = None;
        join(&read, &mut place, &[0, 2], Reply::Found(vec![found(0), found(2)]));
        join(&read, &mut place, &[1], Reply::Found(vec![found(1)]));
        assert_eq!(place, Some(Reply::Found(vec![found(0), found(1), found(2)])));
        join(&read, &mut place, &[1], Reply::Refused(Refusal::Other));
        join(&read, &mut place, &[1], Reply::Found(vec![found(1)]));
        assert_eq!(place, Some(Reply::Refused(Refusal::Other)));
    }
}
