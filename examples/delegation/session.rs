//! One engine among several: answers what it is asked, line by line.

use crate::engine::{DelegationEngine, Told, apply, delegate};
use crate::policy::PolicyEvent;
use crate::request::{Permissions, Request, TypeFingerprint};
use std::io;
use tokio::io::{AsyncBufReadExt, BufReader};

const USAGE: &str = "\
decide SYMBOL none|local|all | policy-updated | capability-added SYMBOL | stats";

/// Answers lines from the standard input until that ends.
pub(crate) async fn answer(engine: &dyn DelegationEngine) -> io::Result<()> {
    println!("{USAGE}");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<_> = line.split_whitespace().collect();
        let answer = match words[..] {
            [] => continue,
            ["decide", symbol, "none"] => decide(engine, symbol, Permissions::NONE).await,
            ["decide", symbol, "local"] => decide(engine, symbol, Permissions::LOCAL).await,
            ["decide", symbol, "all"] => decide(engine, symbol, Permissions::ALL).await,
            ["stats"] => stats(engine),
            _ => match line.parse() {
                Ok(event) => tell(engine, &event).await,
                Err(()) => format!("not understood; take {USAGE}"),
            },
        };
        println!("{answer}");
    }
    Ok(())
}

async fn decide(engine: &dyn DelegationEngine, symbol: &str, permissions: Permissions) -> String {
    let (symbol, argument_types) = (symbol.to_owned(), TypeFingerprint(0));
    match delegate(engine, &Request { symbol, argument_types, permissions }).await {
        Ok(decision) => {
            let basis = decision.basis;
            let (policy, capability) = (basis.policy, basis.capability);
            format!("{:?} by policy {policy}, capability {capability}", decision.target)
        }
        Err(error) => format!("no decision: {error}"),
    }
}

async fn tell(engine: &dyn DelegationEngine, event: &PolicyEvent) -> String {
    match apply(engine, event).await {
        Ok(Told::Everybody) => format!("{event}: everybody knows"),
        Ok(Told::Oneself(why)) => format!("{event}: others have yet to be told: {why}"),
        Err(error) => format!("{event}: not taken into account: {error}"),
    }
}

fn stats(engine: &dyn DelegationEngine) -> String {
    let stats = larder::stats();
    let Some(it) = stats.functions.iter().find(|it| it.name == engine.name()) else {
        return "nothing was decided".to_owned();
    };
    let memory = it.hits - it.hits_l3;
    format!("from memory {memory}, from Redis {}, decided {}", it.hits_l3, it.computations)
}
