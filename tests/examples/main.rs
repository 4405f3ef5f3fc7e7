//! Every example, run as a program of its own, on what it is made for and on what it is not.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

#[cfg(all(feature = "disk", feature = "watch"))]
mod code_index;
#[cfg(feature = "disk")]
mod embeddings;
mod program;

use program::run;

#[test]
fn quickstart_computes_twice_for_three_calls() {
    let run = run::<&str>("quickstart", []);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.reports("hello, user 7, from the cache"), "{}", run.out);
    assert_eq!(run.line("calls:"), ["calls:", "3,", "computed:", "2"]);
}

#[test]
fn delegation_hits_for_more_than_95_per_cent_and_is_never_stale() {
    let run = run("delegation", ["--quick"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.out, run.err);
    let rate: f64 = run.line("hit rate")[2].parse().unwrap();
    assert!(rate > 95.0, "{}", run.out);
    assert!(
        run.reports("18 capabilities added, 2 policies updated; no decision older"),
        "{}",
        run.out
    );
    for line in
        ["nothing -> LocalPure", "without permissions set: 1 computed", "an error, not cached"]
    {
        let spaces_aside = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(spaces_aside.contains(line), "no `{line}` in:\n{}", run.out);
    }
    assert!(run.reports("hash64 0x"), "{}", run.out);
    let calls = |line| run.line(line).iter().find_map(|word| word.parse::<u64>().ok()).unwrap();
    assert_eq!(calls("hits") + calls("waited") + calls("misses"), 20_000);
    assert_eq!(calls("misses"), calls("misses without"));
}

#[test]
fn delegation_says_how_it_is_used() {
    let run = run("delegation", ["--slow"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("usage: delegation"), "{}", run.err);
}
