//! What an agent has to know of a customer, and how it is remembered.

use crate::agent::Agent;
use crate::database::{Database, Profile};
use larder::cached;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Context {
    pub(crate) customer: String,
    pub(crate) agent: Agent,
    pub(crate) profile: Profile,
    pub(crate) tickets: Vec<String>,
    pub(crate) invoices: Vec<String>,
}

/// A context, and what was said in one conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) context: Context,
    pub(crate) messages: Vec<String>,
}

/// What there is nothing of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Unknown {
    Customer(String),
    Conversation(String),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(customer) => write!(f, "there is no customer {customer:?}"),
            Self::Conversation(name) => write!(f, "the customer has no conversation {name:?}"),
        }
    }
}

/// The tag of all that is known of a customer.
pub(crate) fn tag(customer: &str) -> String {
    format!("customer:{customer}")
}

/// Gathers what an agent has to know of a customer.
#[cached(
    name = "context",
    tier = "l1,l3",
    ttl(l1 = "30s", l3 = "5m"),
    capacity = 1_000,
    key = "context:{customer}:{agent}",
    tags("customer:{customer}", "agent:{agent}")
)]
pub(crate) async fn context(
    database: &Database,
    customer: &str,
    agent: Agent,
) -> Result<Context, Unknown> {
    let profile = database.profile(customer).await;
    let profile = profile.ok_or_else(|| Unknown::Customer(customer.to_owned()))?;
    let (tickets, invoices) = match agent {
        Agent::Support => (database.tickets(customer).await, Vec::new()),
        Agent::Billing => (Vec::new(), database.invoices(customer).await),
        Agent::Sales => tokio::join!(database.tickets(customer), database.invoices(customer)),
    };
    Ok(Context { customer: customer.to_owned(), agent, profile, tickets, invoices })
}

/// Adds what was said in one conversation.
///
/// No tags: it is made of the context, and so is forgotten with it, whatever that is forgotten by.
#[cached(
    name = "conversation",
    tier = "l1,l3",
    ttl(l1 = "30s", l3 = "5m"),
    capacity = 1_000,
    key = "context:{customer}:{agent}:{conversation}"
)]
pub(crate) async fn conversation(
    database: &Database,
    customer: &str,
    agent: Agent,
    conversation: &str,
) -> Result<Conversation, Unknown> {
    let context = context(database, customer, agent).await?;
    let messages = database.messages(customer, conversation).await;
    let messages = messages.ok_or_else(|| Unknown::Conversation(conversation.to_owned()))?;
    Ok(Conversation { context, messages })
}
