//! C6: values that don't come back from their bytes stay in memory, and that is said once.

use crate::child::{Test, folder, hear, install, say};
use larder::cached;
use serde::{Deserialize, Serialize};

/// What decides by what it reads can't be read from bytes that don't say what they are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u64),
    Text(String),
}

#[cached(tier = "l1,l2", write = "through")]
fn either(id: u64) -> Either {
    if id.is_multiple_of(2) { Either::Number(id) } else { Either::Text(id.to_string()) }
}

#[cached(tier = "l1,l2", write = "through")]
fn fit(id: u64) -> u64 {
    id
}

#[test]
fn a_function_with_values_that_do_not_come_back_is_warned_of_once() {
    let Some(test) = Test::new(|inside| {
        install(&inside.directory);
        let stored = || [either::stats().stores_l2, fit::stats().stores_l2];
        for id in 0..10 {
            either(id);
            fit(id);
        }
        say(&format!("{:?}", stored()));
        assert!(hear().is_none());
    }) else {
        return;
    };
    let folder = folder();
    let mut child = test.start("", folder.path());
    child.expect("[0, 10]");
    let warnings = child.end();
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.contains("either` stay in memory"), "{warning}");
}
