//! C1, C3, C4, C5, F3: four processes over one server that is killed, set back, paused, flushed, too
//! small, and out of reach in one direction.

use crate::child::Test;
use crate::faults::Trouble;
use crate::party::Party;
use crate::verdict;
use crate::worker;
use std::thread;

#[test]
fn no_process_is_served_what_was_invalidated_whatever_becomes_of_the_server() {
    let Some(test) = Test::new(|inside| worker::work(&inside)) else { return };
    let _turn = crate::turn();
    let mut trouble = Trouble::new();
    let mut party = Party::start(&test, trouble.urls());
    while !party.is_over() {
        thread::sleep(party.span(300, 800));
        trouble.heal(false, &party);
        trouble.make(&mut party);
    }
    trouble.heal(true, &party);
    let (accounts, served) = party.end();
    println!("{:?}", trouble.done);
    verdict::check(accounts, served, &trouble.trial);
    assert_eq!(trouble.done.len(), 8, "each kind of fault is made");
    assert!(trouble.evicted > 100, "nothing made room");
}
