//! What the command line and the environment ask for.

use larder::{Error, Runtime};
use std::env;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "usage: delegation [--redis URL] [--quick | --book FILE]";

pub(crate) struct Settings {
    /// Where decisions are shared, if they are.
    pub(crate) redis: Option<String>,
    pub(crate) task: Task,
}

pub(crate) enum Task {
    /// Carries out the workload, or a tenth of it.
    Work { is_quick: bool },
    /// Answers the standard input, by a book that others may read and write as well.
    Answer { book: PathBuf },
}

impl Settings {
    /// # Errors
    ///
    /// What makes no sense.
    pub(crate) fn read() -> Result<Self, String> {
        let mut redis = env::var("LARDER_REDIS_URL").ok().filter(|url| !url.is_empty());
        redis = redis.filter(|_| cfg!(feature = "redis"));
        let mut task = Task::Work { is_quick: false };
        let mut arguments = env::args().skip(1);
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{option} what?\n{USAGE}"));
            match &option[..] {
                "--quick" => task = Task::Work { is_quick: true },
                "--book" => task = Task::Answer { book: value()?.into() },
                "--redis" if cfg!(feature = "redis") => redis = Some(value()?),
                "--redis" => {
                    return Err("--redis takes a program built with `--features redis`".to_owned());
                }
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(Self { redis, task })
    }

    pub(crate) fn runtime(&self) -> Result<Runtime, Error> {
        let builder = Runtime::builder().namespace("delegation");
        match &self.redis {
            #[cfg(feature = "redis")]
            Some(url) => builder.redis(url).build(),
            _ => builder.build(),
        }
    }
}
