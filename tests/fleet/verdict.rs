//! What a trial came to.

use crate::journal::{Account, Outcome};
use crate::oracle::{self, Judgement};
use crate::party::Served;

/// From when to when something was so.
pub(crate) type Window = (u64, u64);

/// What was done to the servers, and when.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// They did not remember all that they had been told.
    pub(crate) forgotten: Vec<Window>,
    /// One of them was in charge no more, and did not know it.
    pub(crate) contested: Vec<Window>,
}

/// Sees that nothing bad happened, and that enough did to prove it.
pub(crate) fn check(accounts: Vec<Account>, served: Served, trial: &Trial) {
    let all = || accounts.iter().flat_map(|it| &it.invalidations);
    let with = |outcome| all().filter(|it| it.end.is_some_and(|it| it.1 == outcome)).count();
    let (told, waited) = (with(Outcome::Told), with(Outcome::Pending));
    let count = |of: fn(&Account) -> usize| accounts.iter().map(of).sum::<usize>();
    let (calls, bodies) = (count(|it| it.calls.len()), count(|it| it.bodies.len()));
    let processes = accounts.len();
    let Judgement { faults, compared } = oracle::judge(accounts, trial);
    println!(
        "{processes} processes, {calls} values, {told} invalidations and {waited} that waited, \
         {bodies} bodies of which {compared} were to run alone; {served:?}",
    );
    let some = &faults[..faults.len().min(4)];
    assert!(faults.is_empty(), "{} faults, as\n{}\nin {trial:?}", faults.len(), some.join("\n"));
    assert!(served.from_memory > 500 && served.from_redis > 500, "little was shared");
    assert!(told > 50 && waited > 0 && compared > 5, "little is proved");
}
