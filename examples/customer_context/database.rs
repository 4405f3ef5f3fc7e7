//! Stands for the expensive source: a thousand customers, the same in every process, whom it takes a
//! while to look up.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How many customers there are: `cust_1` and so on.
const CUSTOMERS: u64 = 1_000;

/// How many conversations each customer has had: `conv_1` and so on.
const CONVERSATIONS: u64 = 3;

const NAMES: [&str; 8] = [
    "Acme Corporation",
    "Borealis Shipping",
    "Cobalt Mining",
    "Delta Bakeries",
    "Elm Street Books",
    "Fjord Fisheries",
    "Granite Insurance",
    "Harbour Coffee",
];
const PROBLEMS: [&str; 5] = [
    "can't sign in since the update",
    "export ends before the last page",
    "asks for an invoice by post",
    "webhook is called twice",
    "wants to move to another region",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Plan {
    Free,
    Business,
    Enterprise,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

pub(crate) struct Database {
    latency: Duration,
    queries: AtomicU64,
}

impl Database {
    pub(crate) fn new(latency: Duration) -> Self {
        Self { latency, queries: AtomicU64::new(0) }
    }

    /// How often it has been asked.
    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Relaxed)
    }

    pub(crate) async fn profile(&self, customer: &str) -> Option<Profile> {
        self.query().await;
        number(customer).map(profile)
    }

    pub(crate) async fn customers_of(&self, plan: Plan) -> Vec<String> {
        self.query().await;
        let of_plan = (1..=CUSTOMERS).filter(|number| profile(*number).plan == plan);
        of_plan.map(|number| format!("cust_{number}")).collect()
    }

    pub(crate) async fn tickets(&self, customer: &str) -> Vec<String> {
        self.query().await;
        let Some(number) = number(customer) else { return Vec::new() };
        let mut draw = fastrand::Rng::with_seed(number);
        let tickets = PROBLEMS.iter().filter(|_| draw.bool());
        (1..).zip(tickets).map(|(at, problem)| format!("ticket {number}-{at}: {problem}")).collect()
    }

    pub(crate) async fn invoices(&self, customer: &str) -> Vec<String> {
        self.query().await;
        let Some(number) = number(customer) else { return Vec::new() };
        let price = match profile(number).plan {
            Plan::Free => return Vec::new(),
            Plan::Business => 49,
            Plan::Enterprise => 990,
        };
        let mut draw = fastrand::Rng::with_seed(number);
        let paid = |month| if month < 3 || draw.bool() { "paid" } else { "open" };
        let states = (1..=3).map(paid);
        (1..)
            .zip(states)
            .map(|(at, state)| format!("invoice {number}-{at}: {price}, {state}"))
            .collect()
    }

    /// What was said in a conversation, if there was one.
    pub(crate) async fn messages(&self, customer: &str, conversation: &str) -> Option<Vec<String>> {
        self.query().await;
        let customer = number(customer)?;
        let conversation = conversation.strip_prefix("conv_")?.parse().ok()?;
        if !(1..=CONVERSATIONS).contains(&conversation) {
            return None;
        }
        let mut draw = fastrand::Rng::with_seed(customer * CONVERSATIONS + conversation);
        let problem = draw.choice(PROBLEMS)?;
        Some(vec![format!("customer: {problem}"), "agent: let me see".to_owned()])
    }

    async fn query(&self) {
        self.queries.fetch_add(1, Relaxed);
        tokio::time::sleep(self.latency).await;
    }
}

/// The number of a customer, if there is one.
fn number(customer: &str) -> Option<u64> {
    let number = customer.strip_prefix("cust_")?.parse().ok()?;
    // Not `cust_007`: a customer has one name.
    ((1..=CUSTOMERS).contains(&number) && customer == format!("cust_{number}")).then_some(number)
}

fn profile(number: u64) -> Profile {
    let plan = match number % 20 {
        0 => Plan::Enterprise,
        1..=6 => Plan::Business,
        _ => Plan::Free,
    };
    let name = fastrand::Rng::with_seed(number).choice(NAMES).unwrap_or_default();
    Profile { name: format!("{name} {number}"), plan }
}
