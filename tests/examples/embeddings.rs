//! The four caches of `embeddings`, across processes.

use crate::program::{Run, empty_directory, program};
use std::fs;
use std::path::PathBuf;

/// A cache and a chain of its own.
struct Ground {
    all: PathBuf,
}

impl Ground {
    fn new(name: &str) -> Self {
        Self { all: empty_directory(&format!("embeddings_{name}")) }
    }

    fn try_run(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Run {
        let chain = self.all.join("chain");
        let mut command = program("embeddings", ["--chain".as_ref(), chain.as_os_str()]);
        command.args(arguments).env("OPDBUS_CACHE_DIR", self.all.join("cache"));
        // Longer than any test takes.
        command.env("OPDBUS_QUERY_CACHE_TTL", "86400");
        command.envs(settings.iter().copied()).output().expect("it was built").into()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.try_run(&[], arguments).well()
    }
}

/// What a line of the table says: entries, room, computed, from disk, from memory.
fn row(run: &Run, cache: &str) -> [u64; 5] {
    let line = run.line(cache);
    [1, 3, 7, 8, 9].map(|at| line[at].parse().unwrap())
}

#[test]
fn a_second_process_computes_no_vector() {
    let ground = Ground::new("second");
    let texts = ground.all.join("texts");
    fs::write(&texts, "bread and butter\n\nbutter\nbread\na bicycle\nbutter and bread\n").unwrap();
    let search = ["search", "the bread and the butter", texts.to_str().unwrap()];
    let first = ground.run(&search);
    assert_eq!(row(&first, "embeddings"), [6, 10_000, 6, 0, 0]);
    let second = ground.run(&search);
    assert_eq!(row(&second, "embeddings"), [6, 10_000, 0, 6, 0]);
    let found = |run: &Run| run.out.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(found(&first), found(&second));
    let texts: Vec<_> = found(&first).iter().map(|line| line[8..].to_owned()).collect();
    assert_eq!(texts[0], "bread and butter");
    assert!(!texts.contains(&"a bicycle".to_owned()), "{texts:?}");
}

#[test]
fn vectors_find_what_shares_words_or_parts_of_words() {
    let ground = Ground::new("near");
    for (wanted, found) in [
        ("memory of a container", "container 102 ran out of memory and was restarted"),
        ("who logs in", "user alice logged in with a key"),
        ("Certificates!", "certificate of the web server renewed for ninety days"),
    ] {
        let run = ground.run(&["search", wanted]);
        let nearest = run.out.lines().next().unwrap();
        assert!(nearest.ends_with(found), "{}", run.out);
    }
    let same = ground.run(&["search", "Started container 100"]);
    assert_eq!(same.line("1.000")[1..], ["started", "container", "100"]);
    assert_eq!(ground.run(&["search", "?!"]).line("0.000")[0], "0.000");
}

#[test]
fn what_was_cleared_is_computed_again_and_nothing_else() {
    let ground = Ground::new("clear");
    let computed = |run: &Run| ["embeddings", "blocks", "state"].map(|cache| row(run, cache)[2]);
    let first = computed(&ground.run(&["stats"]));
    assert!(first.iter().all(|computed| *computed > 0), "{first:?}");
    assert_eq!(computed(&ground.run(&["stats"])), [0, 0, 0]);
    for (at, cache) in ["embeddings", "blocks", "state"].into_iter().enumerate() {
        assert_eq!(ground.run(&["clear", cache]).out, format!("cleared {cache}\n"));
        let mut wanted = [0; 3];
        wanted[at] = first[at];
        assert_eq!(computed(&ground.run(&["stats"])), wanted, "after `clear {cache}`");
    }
    ground.run(&["clear", "diffs"]);
    assert_eq!(computed(&ground.run(&["stats"])), [0, 0, 0]);
    ground.run(&["clear", "all"]);
    assert_eq!(computed(&ground.run(&["stats"])), first);
}

#[test]
fn the_table_counts_what_was_computed_read_and_remembered() {
    let ground = Ground::new("table");
    let first = ground.run(&["stats"]);
    // Four searches among 24 events, two of them for the same; 200 reads of blocks.
    assert_eq!(row(&first, "embeddings"), [27, 10_000, 27, 0, 73]);
    let [blocks, room, computed, from_disk, memory] = row(&first, "blocks");
    assert_eq!((room, from_disk, memory), (1_000, 0, 200 - computed));
    assert_eq!(blocks, computed);
    // There need not be every kind of state on every machine.
    let [states, room, computed, _, memory] = row(&first, "state");
    assert_eq!((room, computed, memory), (1_000, states, 2 * states));
    let [_, room, computed, from_disk, memory] = row(&first, "diffs");
    assert_eq!((room, from_disk, computed + memory), (100, 0, 3 * states));
    assert_eq!(first.line("cache")[1..6], ["entries", "/", "room", "full", "ttl"]);
    // Full, time to live, hit rate.
    assert_eq!(first.line("embeddings")[4..7], ["0%", "30d", "73%"]);
    assert_eq!(first.line("state")[5], "1d", "as the environment says");
    assert_eq!(first.line("diffs")[4..6], [&format!("{states}%"), "60s"]);

    let second = ground.run(&["stats"]);
    assert_eq!(row(&second, "embeddings"), [27, 10_000, 0, 27, 73]);
    assert_eq!(row(&second, "blocks"), [blocks, 1_000, 0, blocks, 200 - blocks]);
    assert_eq!(second.line("blocks")[6], "100%");
    assert_eq!(row(&second, "state"), [states, 1_000, 0, states, 2 * states]);
}

#[test]
fn the_environment_says_how_much_is_kept_and_where() {
    let ground = Ground::new("sizes");
    ground.run(&["stats"]);
    let sizes = [
        ("OPDBUS_EMBEDDING_CACHE_SIZE", "10"),
        ("OPDBUS_BLOCK_CACHE_SIZE", "5"),
        ("OPDBUS_DIFF_CACHE_SIZE", "1"),
    ];
    let small = ground.try_run(&sizes, &["stats"]).well();
    assert_eq!(row(&small, "embeddings")[..3], [10, 10, 0]);
    assert_eq!(row(&small, "blocks")[..3], [5, 5, 0]);
    assert_eq!(row(&small, "diffs")[..2], [1, 1]);
    assert_eq!(small.line("blocks")[4], "100%");

    let in_memory = [("OPDBUS_EMBEDDING_DISK_CACHE", "false")];
    let in_memory = ground.try_run(&in_memory, &["stats"]).well();
    assert_eq!(row(&in_memory, "embeddings")[2..], [27, 0, 73]);

    let elsewhere = ground.all.join("elsewhere");
    let elsewhere = [("OPDBUS_CACHE_DIR", elsewhere.to_str().unwrap())];
    assert_eq!(row(&ground.try_run(&elsewhere, &["stats"]).well(), "embeddings")[2], 27);
}

#[test]
fn the_environment_says_how_long_states_are_kept() {
    let ground = Ground::new("ttl");
    let kept_for = |ttl| {
        let run = ground.try_run(&[("OPDBUS_QUERY_CACHE_TTL", ttl)], &["query", "kernel"]).well();
        let (_, left) = run.out.rsplit_once("fresh for ").unwrap();
        // Behind it stands what each tier has.
        left.split_once("; ").unwrap().0.to_owned()
    };
    // Not set, it is for the attribute to say.
    let short = kept_for("");
    assert!(short.strip_suffix('s').unwrap().parse::<f64>().unwrap() <= 5.0, "{short}");
    ground.run(&["clear", "state"]);
    let long = kept_for("9000");
    assert!(long == "2 h 30 min" || long.starts_with("2 h 29 min"), "{long}");
}

#[test]
fn a_setting_that_makes_no_sense_is_an_error_that_says_what_would() {
    let ground = Ground::new("settings");
    for (name, value, expected) in [
        ("OPDBUS_EMBEDDING_CACHE_SIZE", "many", "take a whole number of entries from 1 to 524288"),
        ("OPDBUS_BLOCK_CACHE_SIZE", "0", "take a whole number of entries from 1 to 524288"),
        ("OPDBUS_DIFF_CACHE_SIZE", "-1", "take a whole number of entries from 1 to 524288"),
        ("OPDBUS_QUERY_CACHE_TTL", "5s", "take a whole number of seconds from 1 to 86400"),
        ("OPDBUS_EMBEDDING_DISK_CACHE", "yes", "take `true` or `false`"),
    ] {
        let run = ground.try_run(&[(name, value)], &["stats"]);
        let error = format!("embeddings: {name}={value:?} can't be used; {expected}\n");
        assert_eq!((run.code, run.err), (Some(2), error));
    }
    // Empty is as good as not set.
    ground.try_run(&[("OPDBUS_BLOCK_CACHE_SIZE", "")], &["stats"]).well();
}

#[test]
fn a_block_that_was_asked_for_too_early_is_found_once_it_is_there() {
    let ground = Ground::new("append");
    assert_eq!(ground.run(&["block", "24"]).out, "24 is not there yet\n");
    assert_eq!(ground.run(&["block", "24"]).out, "24 is not there yet\n");
    let added = ground.run(&["append", "power came\nback"]).out;
    assert!(added.ends_with(" power came back\n"), "{added}");
    assert_eq!(ground.run(&["block", "24"]).out, added);
    let next = ground.run(&["append", "all is well"]).out;
    assert!(next.starts_with("25 "), "{next}");
}

#[test]
fn a_damaged_chain_is_an_error_and_what_was_read_of_it_is_still_there() {
    let ground = Ground::new("damaged");
    let third = ground.run(&["block", "3"]).out;
    let chain = ground.all.join("chain");
    let text = fs::read_to_string(&chain).unwrap();
    fs::write(&chain, text.replacen("102", "103", 1)).unwrap();
    let fourth = ground.try_run(&[], &["block", "4"]);
    assert_eq!(fourth.code, Some(1));
    assert_eq!(fourth.err, "embeddings: block 2 of the chain is damaged\n");
    assert_eq!(ground.run(&["block", "3"]).out, third);
}

#[test]
fn what_makes_no_sense_is_said() {
    let ground = Ground::new("usage");
    for arguments in [&[][..], &["dance"], &["search"], &["clear"], &["block"]] {
        let run = ground.try_run(&[], arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(run.err.contains("usage: embeddings"), "{}", run.err);
    }
    let block = ground.try_run(&[], &["block", "last"]);
    assert_eq!((block.code, block.err.contains("\"last\"")), (Some(2), true), "{}", block.err);
    let cache = ground.try_run(&[], &["clear", "everything"]);
    assert_eq!((cache.code, cache.err.contains("no cache \"everything\"")), (Some(2), true));
    let plugin = ground.try_run(&[], &["query", "disks"]);
    assert_eq!(plugin.code, Some(1));
    assert!(plugin.err.contains("take one of kernel, mounts, net"), "{}", plugin.err);
    assert!(ground.run(&["query", "kernel"]).reports("ostype = "));
    assert!(ground.run(&["--help"]).reports("usage:"));
}
