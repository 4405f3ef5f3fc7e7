//! The command line.

use lexopt::prelude::*;
use std::path::PathBuf;

/// What `--help` says.
pub(crate) const USAGE: &str = "\
cache-bench SUITE [--json FILE] [--quick]

suites:
  hit          a call whose value is cached
  miss         a call whose value is not
  stampede     many callers of one key that nobody has computed
  trace PATH.. recorded requests: xz, big-endian 32-bit keys
  disk         a call whose value is in the disk tier, invalidations by other processes,
               and a program that is run again
  redis        a call whose value is in the Redis tier, or could be, and invalidations by other
               processes; starts a redis-server of its own
  batch        a call for 100 ids, of which memory has 90, or Redis; starts a redis-server of its own
  compile      build time and size of annotated functions

options:
  --json FILE  write the rows as a JSON array
  --quick      fewer and shorter rounds: for a look, not for a figure to quote
";

/// What is to be done.
pub(crate) struct Command {
    pub(crate) suite: Suite,
    pub(crate) effort: Effort,
    pub(crate) json: Option<PathBuf>,
}

/// What is measured.
pub(crate) enum Suite {
    Hit,
    Miss,
    Stampede,
    Trace(Vec<PathBuf>),
    Disk,
    Redis,
    Batch,
    Compile,
}

/// How much work goes into a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    Quick,
    Full,
}

impl Effort {
    /// Picks by effort.
    pub(crate) fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

impl Command {
    /// Reads the command line; `None` if it asks for help.
    pub(crate) fn read() -> Result<Option<Self>, lexopt::Error> {
        Self::parse(lexopt::Parser::from_env())
    }

    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut suite = None;
        let mut effort = Effort::Full;
        let mut json = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("quick") => effort = Effort::Quick,
                Long("json") => json = Some(parser.value()?.into()),
                Value(value) => match &mut suite {
                    None => suite = Some(Suite::read(&value.string()?)?),
                    Some(Suite::Trace(paths)) => paths.push(value.into()),
                    Some(_) => return Err(Value(value).unexpected()),
                },
                _ => return Err(argument.unexpected()),
            }
        }
        match suite {
            None => Err("name a suite".into()),
            Some(Suite::Trace(paths)) if paths.is_empty() => Err("`trace` needs a path".into()),
            Some(suite) => Ok(Some(Self { suite, effort, json })),
        }
    }
}

impl Suite {
    fn read(name: &str) -> Result<Self, lexopt::Error> {
        match name {
            "hit" => Ok(Self::Hit),
            "miss" => Ok(Self::Miss),
            "stampede" => Ok(Self::Stampede),
            "trace" => Ok(Self::Trace(Vec::new())),
            "disk" => Ok(Self::Disk),
            "redis" => Ok(Self::Redis),
            "batch" => Ok(Self::Batch),
            "compile" => Ok(Self::Compile),
            other => Err(format!("unknown suite `{other}`").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Option<Command>, lexopt::Error> {
        Command::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn options_may_stand_anywhere() {
        let command = parse(&["--quick", "trace", "a.xz", "--json", "out", "b.xz"]);
        let command = command.expect("well-formed").expect("not a call for help");
        assert_eq!(command.effort, Effort::Quick);
        assert_eq!(command.json, Some(PathBuf::from("out")));
        assert!(matches!(command.suite, Suite::Trace(paths) if paths.len() == 2));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for words in [&[][..], &["trace"], &["hit", "path"], &["hits"], &["hit", "--fast"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
