//! What the attribute costs at build time: crates of the same functions with larder, with `cached`,
//! and bare.
//!
//! Dependencies are built beforehand; a build is that of the one crate, linking included, without
//! incremental compilation.

mod kind;
mod source;
mod workspace;

use crate::cli::Effort;
use crate::report::{Report, Setting};
use crate::rounds::{Times, count, nanoseconds};
use crate::table::Table;
use kind::Kind;
use std::io;
use std::time::Instant;
use workspace::{Profile, Workspace};

/// Larder first: the others are what it is compared with.
const KINDS: [Kind; 3] = [Kind::Larder, Kind::Cached, Kind::Bare];

/// Runs the suite.
///
/// # Errors
///
/// If a build fails, or its folder can't be written.
pub(crate) fn run(effort: Effort) -> io::Result<Report> {
    let functions = effort.pick(60, 300);
    let rounds = effort.pick(1, 3);
    // A look is over before a release build of the dependencies would be.
    let profiles: &[Profile] = effort.pick(&[Profile::Debug], &[Profile::Debug, Profile::Release]);
    let workspace = Workspace::new()?;
    let mut report = Report::new("compile");
    let mut sizes = Table::new(&["binary", "size", "more than bare", "for each function"]);
    for profile in profiles.iter().copied() {
        eprintln!("compile: dependencies, {profile}");
        for kind in KINDS {
            workspace.write(kind, 0)?;
            workspace.build(kind, profile)?;
            workspace.write(kind, functions)?;
        }
        let times = builds(&workspace, profile, rounds)?;
        let setting = Setting { case: profile.to_string(), keys: functions, threads: 1 };
        for (at, kind) in KINDS.iter().enumerate().skip(1) {
            report.row(&setting, kind.name(), times.compare(0, at, 1));
        }
        let bare = workspace.size(Kind::Bare, profile)?;
        for kind in KINDS {
            let size = workspace.size(kind, profile)?;
            let more = count(size) - count(bare);
            sizes.row(vec![
                format!("{profile} {}", kind.name()),
                kibibytes(count(size)),
                kibibytes(more),
                kibibytes(more / count(functions)),
            ]);
        }
    }
    report.note(format_args!("times are of one build of a crate of {functions} functions"));
    report.note(sizes);
    Ok(report)
}

fn builds(workspace: &Workspace, profile: Profile, rounds: usize) -> io::Result<Times> {
    let mut all = Vec::new();
    for round in 0..rounds {
        eprintln!("compile: {profile}, round {} of {rounds}", round + 1);
        let mut times = vec![0.0; KINDS.len()];
        for turn in 0..KINDS.len() {
            let at = (turn + round) % KINDS.len();
            workspace.touch(KINDS[at])?;
            let began = Instant::now();
            workspace.build(KINDS[at], profile)?;
            times[at] = nanoseconds(began.elapsed());
        }
        all.push(times);
    }
    Ok(Times::of(all))
}

fn kibibytes(bytes: f64) -> String {
    format!("{:.1} KiB", bytes / 1024.0)
}
