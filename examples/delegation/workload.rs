//! The calls: which, how many, and what happens meanwhile. The same in every run.

use crate::bulletin::Bulletin;
use crate::core_time;
use crate::engine::{DelegationEngine, delegate};
use crate::latency::{Latencies, Source};
use crate::policy::PolicyEvent;
use crate::request::{Permissions, Request, TypeFingerprint};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use tokio::sync::mpsc::Sender;

const SEED: u64 = 42;
const ZIPF: f64 = 0.99;
const TYPES: u64 = 4;
const PERMISSIONS: [Permissions; 2] = [Permissions::LOCAL, Permissions::ALL];

/// A symbol that no call is drawn from.
pub(crate) const WITNESS: &str = "witness";

pub(crate) struct Workload {
    pub(crate) tasks: u64,
    calls: u64,
    calls_per_capability: u64,
    calls_per_policy: u64,
    symbols: Vec<String>,
    /// Every call context once, the most frequent first.
    requests: Vec<Request>,
    /// The share of calls that go to this request or one before it.
    shares: Vec<f64>,
    called: AtomicU64,
}

impl Workload {
    pub(crate) fn full() -> Self {
        Self::new(200_000, 250, 80_000)
    }

    pub(crate) fn quick() -> Self {
        Self::new(20_000, 25, 8_000)
    }

    fn new(calls: u64, symbols: usize, calls_per_policy: u64) -> Self {
        let symbols: Vec<_> = (0..symbols).map(|at| format!("tool.{at}")).collect();
        let mut requests: Vec<_> = symbols.iter().flat_map(|symbol| contexts(symbol)).collect();
        fastrand::Rng::with_seed(SEED).shuffle(&mut requests);
        Self {
            tasks: 4,
            calls,
            calls_per_capability: 1_000,
            calls_per_policy,
            shares: zipf(requests.len()),
            symbols,
            requests,
            called: AtomicU64::new(0),
        }
    }

    pub(crate) fn symbols(&self) -> impl Iterator<Item = String> {
        self.symbols.iter().cloned().chain([WITNESS.to_owned()])
    }

    /// A request to show.
    pub(crate) fn sample(&self) -> Request {
        self.requests[0].clone()
    }

    /// Makes one task's calls, and sends the events that are due after them.
    ///
    /// # Panics
    ///
    /// If a decision is older than an event that was known before it was asked for.
    pub(crate) async fn call(
        self: Arc<Self>,
        task: u64,
        engine: Arc<dyn DelegationEngine>,
        bulletin: Arc<Bulletin>,
        events: Sender<PolicyEvent>,
    ) -> Latencies {
        let mut random = fastrand::Rng::with_seed(SEED + 1 + task);
        let mut latencies = Latencies::default();
        for _ in 0..self.calls / self.tasks {
            let request = self.draw(&mut random);
            let floor = bulletin.floor(&request.symbol);
            let decided = engine.deliberation().decisions();
            let begun = Instant::now();
            let (decision, core) = core_time::measured(delegate(&*engine, request)).await;
            let time = begun.elapsed();
            let decision = decision.expect("every symbol that is drawn is known");
            assert!(
                decision.basis.covers(floor),
                "{decision:?} for {request:?} is older than {floor:?}",
            );
            let source = match core {
                Some(core) => Source::Computed { core },
                None if decision.serial > decided => Source::Joined,
                None => Source::Hit,
            };
            latencies.record(&source, time);
            if let Some(event) = self.event_after(self.called.fetch_add(1, Relaxed) + 1) {
                events.send(event).await.expect("the listener stays as long as anyone sends");
            }
            // Hits never wait, so nothing else would make room for the other tasks.
            tokio::task::coop::consume_budget().await;
        }
        latencies
    }

    fn draw(&self, random: &mut fastrand::Rng) -> &Request {
        let share = random.f64();
        let rank = self.shares.partition_point(|it| *it <= share);
        &self.requests[rank.min(self.requests.len() - 1)]
    }

    fn event_after(&self, call: u64) -> Option<PolicyEvent> {
        if call.is_multiple_of(self.calls_per_policy) {
            Some(PolicyEvent::PolicyUpdated)
        } else if call.is_multiple_of(self.calls_per_capability) {
            let symbol = fastrand::Rng::with_seed(SEED ^ call).choice(&self.symbols)?.clone();
            Some(PolicyEvent::CapabilityAdded { symbol })
        } else {
            None
        }
    }
}

/// Every way a symbol is called.
fn contexts(symbol: &str) -> impl Iterator<Item = Request> {
    let types = (0..TYPES).map(TypeFingerprint);
    types.flat_map(move |argument_types| {
        PERMISSIONS.map(|permissions| Request {
            symbol: symbol.to_owned(),
            argument_types,
            permissions,
        })
    })
}

/// The cumulative distribution of Zipf's law over so many ranks.
fn zipf(ranks: usize) -> Vec<f64> {
    let mut sum = 0.0;
    #[expect(clippy::cast_precision_loss, reason = "ranks are few")]
    let weights = (1..=ranks).map(|rank| (rank as f64).powf(-ZIPF));
    let sums: Vec<f64> = weights
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    sums.iter().map(|it| it / sum).collect()
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls by {} tasks over {} call contexts (Zipf {ZIPF}, seed {SEED}); \
             a capability added every {} calls, the policy updated every {}",
            self.calls,
            self.tasks,
            self.requests.len(),
            self.calls_per_capability,
            self.calls_per_policy,
        )
    }
}
