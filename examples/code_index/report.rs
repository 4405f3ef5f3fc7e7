//! What is printed of passes.

use crate::pass::Pass;
use std::fmt;

/// How many reasons are listed; the others are counted.
const MOST_REASONS: usize = 5;

/// What each pass found, and where its answers came from. The last pass says what was left out.
pub(crate) struct Report<'a>(pub(crate) &'a [Pass]);

impl Report<'_> {
    fn reasons(&self) -> Vec<String> {
        let Some(pass) = self.0.last() else { return Vec::new() };
        let files = pass.failures.iter().map(|(at, error)| {
            // A file's name may hold what a terminal would obey.
            let name = pass.tree.files[*at].to_string_lossy();
            format!("{name:?} {error}")
        });
        pass.tree.unreadable.iter().cloned().chain(files).collect()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<6} {:>7} {:>7} {:>9} {:>8} {:>7} {:>7} {:>9} {:>9} {:>7} {:>9} {:>9} {:>10}",
            "pass",
            "files",
            "failed",
            "functions",
            "structs",
            "enums",
            "traits",
            "lines",
            "computed",
            "joined",
            "from disk",
            "memory",
            "time",
        )?;
        for pass in self.0 {
            let (total, from) = (&pass.total, &pass.sources);
            writeln!(
                f,
                "{:<6} {:>7} {:>7} {:>9} {:>8} {:>7} {:>7} {:>9} {:>9} {:>7} {:>9} {:>9} {:>10}",
                pass.name,
                pass.indexed,
                pass.failures.len() + pass.tree.unreadable.len(),
                total.functions,
                total.structs,
                total.enums,
                total.traits,
                total.lines,
                from.computed,
                from.joined,
                from.disk,
                from.memory,
                format!("{:.2?}", pass.time),
            )?;
        }
        let reasons = self.reasons();
        for reason in reasons.iter().take(MOST_REASONS) {
            writeln!(f, "left out: {reason}")?;
        }
        if reasons.len() > MOST_REASONS {
            writeln!(f, "left out: {} more", reasons.len() - MOST_REASONS)?;
        }
        Ok(())
    }
}
