//! What is printed in the end.

use crate::pass::Pass;
use crate::source_tree::SourceTree;
use std::fmt;

/// How many reasons are listed; the others are counted.
const MOST_REASONS: usize = 5;

/// The tree, what each pass found in it, and what the cache counted meanwhile.
pub(crate) struct Report<'a> {
    pub(crate) tree: &'a SourceTree,
    pub(crate) passes: &'a [Pass],
}

impl Report<'_> {
    fn reasons(&self) -> Vec<String> {
        let failures = self.passes.first().map_or(&[][..], |pass| &pass.failures);
        let files = failures.iter().map(|(path, error)| {
            // A file's name may hold what a terminal would obey.
            let name = path.to_string_lossy();
            format!("{name:?} {error}")
        });
        self.tree.unreadable.iter().cloned().chain(files).collect()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<6} {:>7} {:>7} {:>9} {:>8} {:>7} {:>7} {:>9} {:>10}",
            "pass", "files", "failed", "functions", "structs", "enums", "traits", "lines", "time",
        )?;
        for pass in self.passes {
            let total = &pass.total;
            writeln!(
                f,
                "{:<6} {:>7} {:>7} {:>9} {:>8} {:>7} {:>7} {:>9} {:>10}",
                pass.name,
                pass.indexed,
                pass.failures.len() + self.tree.unreadable.len(),
                total.functions,
                total.structs,
                total.enums,
                total.traits,
                total.lines,
                format!("{:.1?}", pass.time),
            )?;
        }
        let reasons = self.reasons();
        for reason in reasons.iter().take(MOST_REASONS) {
            writeln!(f, "left out: {reason}")?;
        }
        if reasons.len() > MOST_REASONS {
            writeln!(f, "left out: {} more", reasons.len() - MOST_REASONS)?;
        }
        write!(f, "\n{}", larder::stats())
    }
}
