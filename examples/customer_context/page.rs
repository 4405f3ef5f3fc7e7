//! The statistics for a person: one document of HTML that needs nothing else, and comes anew by itself.

use crate::function::{Function, rate};
use crate::statistics::{Redis, Statistics};
use crate::table::{Cell, Table};
use std::fmt;
use std::time::Duration;

pub(crate) struct Page<'a>(pub(crate) &'a Statistics);

const HEAD: &str = concat!(
    r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Customer context: what the cache does</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<style>
"#,
    include_str!("page.css"),
    r#"</style>
</head>
<body>
<header>
<h1>Customer context: what the cache does</h1>
<p>In this process, since it started. Comes anew every 5 seconds.</p>
</header>
<main>
"#
);

const FOOT: &str = r#"</main>
<footer><p>The same for programs: <a href="stats">stats</a></p></footer>
</body>
</html>
"#;

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(statistics) = self;
        f.write_str(HEAD)?;
        write!(f, "{}{}", rates(statistics), origins(statistics))?;
        write!(f, "{}{}", functions(&statistics.functions), counts(statistics))?;
        write!(f, "{}", redis(&statistics.redis))?;
        f.write_str(FOOT)
    }
}

fn rates(it: &Statistics) -> Table {
    let row = |name: &str, cells: [Cell; 3]| (name.to_owned(), Vec::from(cells));
    let memory = [
        Cell::rate(it.l1_hit_rate, "memory").named("l1_hit_rate"),
        Cell::count(it.l1_hits).named("l1_hits"),
        Cell::count(it.l1_misses).named("l1_misses"),
    ];
    let redis = [
        Cell::rate(it.l2_hit_rate, "redis").named("l2_hit_rate"),
        Cell::count(it.l2_hits).named("l2_hits"),
        Cell::count(it.l2_misses).named("l2_misses"),
    ];
    let both = [
        Cell::rate(it.overall_hit_rate, "both").named("overall_hit_rate"),
        Cell::count(it.l1_hits + it.l2_hits),
        Cell::count(it.l2_misses),
    ];
    Table {
        heading: "Hit rates",
        caption: "How many look-ups found what they were for. Redis is asked for what memory lacks.",
        columns: &["Where", "Rate", "Hits", "Misses"],
        rows: vec![row("Memory", memory), row("Redis", redis), row("Both together", both)],
    }
}

fn origins(it: &Statistics) -> Table {
    let all = it.l1_hits + it.l1_misses;
    let row = |name: &str, count, class| {
        let share = Cell::rate(rate(count, all - count), class);
        (name.to_owned(), vec![share, Cell::count(count)])
    };
    Table {
        heading: "Where values came from",
        caption: "Of all look-ups. What neither has is computed, by this process or by another.",
        columns: &["From", "Share", "Look-ups"],
        rows: vec![
            row("Memory", it.l1_hits, "memory"),
            row("Redis", it.l2_hits, "redis"),
            row("Neither", it.l2_misses, "neither"),
        ],
    }
}

fn functions(all: &[Function]) -> Table {
    let time = |milliseconds: f64| format!("{:.1?}", Duration::from_secs_f64(milliseconds / 1e3));
    let row = |it: &Function| {
        let counts = [it.l1_hits, it.l2_hits, it.misses, it.computations, it.failures, it.entries];
        let mut cells = vec![Cell::rate(it.hit_rate, "both")];
        cells.extend(counts.map(Cell::count));
        cells.extend(
            [it.p50_ms, it.p99_ms].map(|it| Cell::text(it.map_or("none".to_owned(), time))),
        );
        (it.name.clone(), cells)
    };
    Table {
        heading: "Functions",
        caption: "Half of the computations took p50 at most, 99 in 100 took p99 at most.",
        columns: &[
            "Function", "Hit rate", "Memory", "Redis", "Misses", "Computed", "Failed", "Kept",
            "p50", "p99",
        ],
        rows: all.iter().map(row).collect(),
    }
}

fn counts(it: &Statistics) -> Table {
    let row = |name: &str, id, count: u64| (name.to_owned(), vec![Cell::count(count).named(id)]);
    Table {
        heading: "Counts",
        caption: "What look-ups led to.",
        columns: &["What", "How often"],
        rows: vec![
            row("Computed", "computations", it.computations),
            row("Waited for another of the same", "joins", it.joins),
            row("Asked the database", "source_queries", it.source_queries),
            row("Served stale, while computed anew", "stale_hits", it.stale_hits),
            row("Served in grace, after a failure", "grace_hits", it.grace_hits),
            row("Did without Redis", "degraded", it.degraded),
        ],
    }
}

fn redis(it: &Redis) -> Table {
    let row = |name: &str, id, cell: Cell| (name.to_owned(), vec![cell.named(id)]);
    let state = match it.state {
        "unreachable" => Cell::text(it.state).alarming(),
        _ => Cell::text(it.state),
    };
    let pending = Cell::count(it.pending_invalidations);
    Table {
        heading: "Redis",
        caption: "What has yet to be invalidated there is delivered when it can be reached.",
        columns: &["What", "Now"],
        rows: vec![
            row("State", "redis_state", state),
            row("Servers", "redis_servers", Cell::text(it.servers.join(", "))),
            row("Connections made", "redis_connections", Cell::count(it.connections)),
            row("Pending invalidations", "redis_pending_invalidations", pending),
        ],
    }
}
