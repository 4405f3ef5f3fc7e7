//! The counters as the `metrics` facade sees them.
#![cfg(feature = "metrics")]

use larder::{Runtime, cached};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

#[cached(name = "exported")]
fn double(number: u64) -> u64 {
    number * 2
}

#[test]
fn exported_counters_are_those_of_the_statistics() {
    let runtime = Runtime::builder().build().expect("no setting is given");
    runtime.with(|| {
        for number in 0..5 {
            assert_eq!(double(number), double(number));
        }
    });
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || runtime.stats().export());
    let hits = snapshotter.snapshot().into_vec().into_iter().find_map(|(key, _, _, value)| {
        let key = key.key();
        let ours = key.labels().any(|label| label.value() == "exported");
        (key.name() == "larder_hits_total" && ours).then_some(value)
    });
    assert_eq!(hits, Some(DebugValue::Counter(5)));
}
