//! Who judges what happened.

mod applied;
mod backwards;
mod stale;
mod twice;

use crate::journal::Account;
use crate::verdict::{Trial, Window};

/// What must not have happened, in words; and how many bodies could have been seen to run beside
/// others.
pub(crate) struct Judgement {
    pub(crate) faults: Vec<String>,
    pub(crate) compared: usize,
}

/// Judges what all processes wrote.
pub(crate) fn judge(mut accounts: Vec<Account>, trial: &Trial) -> Judgement {
    for account in &mut accounts {
        leave_out(account, &trial.contested);
    }
    let applied = applied::all(&accounts, &trial.contested);
    let mut faults: Vec<_> = stale::judge(&accounts, &applied).iter().map(said).collect();
    faults.extend(backwards::judge(&accounts).iter().map(said));
    let (twice, compared) = twice::judge(&accounts, &applied, &trial.forgotten);
    faults.extend(twice.iter().map(said));
    Judgement { faults, compared }
}

/// A primary that is in charge no more and does not know it is outside of the promise (C3): what it
/// said is left out, and so is what it may have been told.
fn leave_out(account: &mut Account, contested: &[Window]) {
    let is_free = |from: u64, to: u64| contested.iter().all(|it| to < it.0 || it.1 < from);
    account.calls.retain(|it| is_free(it.first.0, it.first.1) && is_free(it.last, it.last));
}

fn said(fault: &impl std::fmt::Debug) -> String {
    format!("{fault:?}")
}
