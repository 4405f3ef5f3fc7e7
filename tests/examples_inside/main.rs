//! What the examples are made of, as far as running them does not show it.

#![cfg(feature = "disk")]
#![expect(dead_code, reason = "a test takes from a file what it is about")]

// Under the names that these files know each other by.
#[path = "../../examples/embeddings/diff.rs"]
mod diff;
#[path = "../../examples/code_index/file_index.rs"]
mod file_index;
#[path = "../../examples/code_index/nesting.rs"]
mod nesting;
#[path = "../../examples/embeddings/plugin.rs"]
mod plugin;
#[path = "../../examples/embeddings/settings.rs"]
mod settings;
#[path = "../../examples/embeddings/vector.rs"]
mod vector;

use diff::Change;
use plugin::State;
use vector::Vector;

#[test]
fn an_index_is_of_the_text_of_the_function_that_made_it() {
    let options = file_index::index_file::stats().options;
    assert!(options.tokens.is_some(), "`version = auto` is what tells it: {options:?}");
    assert!(options.files, "{options:?}");
}

#[test]
fn a_vector_has_384_dimensions_whatever_the_text() {
    for text in ["", "?!", "disk", "container 102 ran out of memory", &"word ".repeat(10_000)] {
        let floats: Vec<f32> = Vector::of(text).into();
        assert_eq!(floats.len(), 384, "of {text:.20?}");
    }
}

fn state(value: &str) -> State {
    let values = [("name".to_owned(), value.to_owned())];
    State::from(std::collections::BTreeMap::from(values))
}

/// What the difference says of the one name there is.
fn set(from: &str, to: &str) -> Vec<Change> {
    let name = "name".to_owned();
    vec![Change::Set { name, from: from.to_owned(), to: to.to_owned() }]
}

#[test]
fn a_difference_is_kept_by_both_of_the_states_it_lies_between() {
    settings::Settings::read().expect("nothing is set");
    for _ in 0..2 {
        for (from, to) in [("a", "b"), ("a", "c"), ("b", "c")] {
            assert_eq!(diff::diff(&state(from), &state(to)), set(from, to));
        }
        assert_eq!(diff::diff(&state("a"), &state("a")), []);
    }
    let stats = diff::diff::stats();
    assert_eq!((stats.computations, stats.hits), (4, 4));
}
