//! What the command line and the environment say; the command line goes first.

use crate::list::List;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
usage: customer_context [--port PORT] [--redis URL] [--namespace NAME] [--latency MILLISECONDS]
                        [--warm FILE]

FILE lists whom to look up at start: CUSTOMER or CUSTOMER AGENT on each line";

pub(crate) struct Settings {
    /// 0 for any that is free.
    pub(crate) port: u16,
    /// Otherwise `LARDER_REDIS_URL` has its say.
    pub(crate) redis: Option<String>,
    pub(crate) namespace: String,
    /// How long the database takes to answer.
    pub(crate) latency: Duration,
    /// Whom to look up before anybody asks.
    pub(crate) warm: Option<List>,
}

impl Settings {
    /// What was said; nothing if it was asked how to say it.
    ///
    /// # Errors
    ///
    /// What makes no sense, and what would.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        let mut port = given("CONTEXT_PORT", PORT)?.unwrap_or(8_000);
        let mut latency = given("CONTEXT_LATENCY", LATENCY)?.unwrap_or(20_u16);
        let mut namespace =
            given("CONTEXT_NAMESPACE", NAMESPACE)?.unwrap_or_else(|| "customer_context".to_owned());
        let mut warm = given::<PathBuf>("CONTEXT_WARM", FILE)?;
        let mut redis = None;
        let mut arguments = arguments.into_iter().map(|it| it.to_string_lossy().into_owned());
        while let Some(option) = arguments.next() {
            if option == "--help" {
                return Ok(None);
            }
            let mut value = || arguments.next().ok_or_else(|| format!("{option} what?\n{USAGE}"));
            match &option[..] {
                "--port" => port = parse(&option, &value()?, PORT)?,
                "--latency" => latency = parse(&option, &value()?, LATENCY)?,
                "--namespace" => namespace = value()?,
                "--redis" => redis = Some(value()?),
                "--warm" => warm = Some(value()?.into()),
                _ => return Err(format!("there is no option {option:?}\n{USAGE}")),
            }
        }
        let latency = Duration::from_millis(u64::from(latency));
        let warm = warm.map(List::read).transpose()?;
        Ok(Some(Self { port, redis, namespace, latency, warm }))
    }
}

const PORT: &str = "take a number from 0 to 65535";
const LATENCY: &str = "take a whole number of milliseconds, at most 65535";
const NAMESPACE: &str = "take letters and digits";
const FILE: &str = "take the path of a file";

/// A variable's value; nothing if it is not set, or empty.
fn given<T: FromStr>(name: &str, expected: &str) -> Result<Option<T>, String> {
    let Some(text) = env::var_os(name).filter(|it| !it.is_empty()) else { return Ok(None) };
    parse(name, &text.to_string_lossy(), expected).map(Some)
}

fn parse<T: FromStr>(name: &str, text: &str, expected: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name} {text:?} can't be used; {expected}"))
}
