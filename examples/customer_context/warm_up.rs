//! Looking up a list before anybody asks.

use crate::database::Database;
use crate::list::List;
use crate::lookup::context;
use crate::meter::Meter;
use larder::Warming;

/// How many are looked up at a time.
const CONCURRENCY: usize = 16;

/// Looks up all of a list, and says on standard error how far it is, what came of it, and of which lines
/// nothing did.
///
/// # Cancellation
///
/// What has been looked up stays, what is being looked up is given up.
pub(crate) async fn of(list: &List, database: &Database) {
    let mut meter = Meter::of(list.calls.len());
    // Gone, with its bar, before anything else is said.
    let warming = Warming::new().concurrency(CONCURRENCY).progress(move |it| meter.show(it));
    let calls = list.calls.iter().map(|call| (database, &call.customer[..], call.agent));
    let warmed = context::warm_with(warming, calls).await;
    eprintln!("warmed: {warmed}");
    for failure in &warmed.failures {
        let position = usize::try_from(failure.position);
        let Some(call) = position.ok().and_then(|it| list.calls.get(it)) else { continue };
        let (place, customer, agent) = (list.place(call), &call.customer, call.agent);
        eprintln!("not looked up: {place}: {customer} for {agent}: {failure}");
    }
}
