//! Whom to look up before anybody asks, as a file says it: `CUSTOMER` or `CUSTOMER AGENT` on each line. What
//! is empty or begins with `#` says nothing.

use crate::agent::{Agent, UnknownAgent};
use std::path::{Path, PathBuf};
use std::{fs, str};

pub(crate) struct List {
    pub(crate) file: PathBuf,
    pub(crate) calls: Vec<Call>,
}

/// One that the file asks for.
pub(crate) struct Call {
    /// Where it does, from 1 on.
    pub(crate) line: usize,
    pub(crate) customer: String,
    pub(crate) agent: Agent,
}

impl List {
    /// # Errors
    ///
    /// If it can't be read, or at its first line that makes no sense. Whether there is such a customer only
    /// the database knows.
    pub(crate) fn read(file: PathBuf) -> Result<Self, String> {
        let text = fs::read(&file);
        let text = text.map_err(|error| format!("can't read {}: {error}", file.display()))?;
        let mut calls = Vec::new();
        for (line, text) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let (customer, agents) = match asked(text) {
                Ok(Some(asked)) => asked,
                Ok(None) => continue,
                Err(why) => return Err(format!("{}: {why}", place(&file, line))),
            };
            let call = |agent: &Agent| Call { line, customer: customer.to_owned(), agent: *agent };
            calls.extend(agents.iter().map(call));
        }
        Ok(Self { file, calls })
    }

    /// Where the list asks for a call.
    pub(crate) fn place(&self, call: &Call) -> String {
        place(&self.file, call.line)
    }
}

fn place(file: &Path, line: usize) -> String {
    format!("{}:{line}", file.display())
}

/// What a line asks for; nothing if it says nothing.
fn asked(line: &[u8]) -> Result<Option<(&str, Vec<Agent>)>, String> {
    let line = str::from_utf8(line).map_err(|_| "this is not UTF-8".to_owned())?;
    if line.trim_start().starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let Some(customer) = words.next() else { return Ok(None) };
    let agents = match words.next() {
        Some(agent) => vec![agent.parse().map_err(|it: UnknownAgent| it.to_string())?],
        None => Agent::ALL.to_vec(),
    };
    match words.next() {
        Some(word) => Err(format!("{word:?} is too much; write CUSTOMER or CUSTOMER AGENT")),
        None => Ok(Some((customer, agents))),
    }
}
