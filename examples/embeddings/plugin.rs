//! Plugins, each of which reads some state of this machine.

use crate::settings::Settings;
use larder::cached;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

/// The plugins there are.
pub(crate) const PLUGINS: &[&str] = &["kernel", "mounts", "net"];

/// What a plugin found, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) values: BTreeMap<String, String>,
    /// Of all values.
    pub(crate) hash: String,
}

/// Why there is no state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum PluginError {
    Unknown(String),
    Unreadable(String),
}

impl From<io::Error> for PluginError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(plugin) => {
                write!(f, "there is no plugin {plugin:?}; take one of {}", PLUGINS.join(", "))
            }
            Self::Unreadable(error) => write!(f, "the state can't be read: {error}"),
        }
    }
}

impl std::error::Error for PluginError {}

/// Asks a plugin for its state. On disk, too: each run of a command is another process.
#[cached(name = "state", tier = "l1,l2", ttl = "5s", ttl_for = ttl, capacity = 1_000)]
pub(crate) fn state(plugin: &str) -> Result<State, PluginError> {
    let values = match plugin {
        "kernel" => kernel()?,
        "mounts" => mounts()?,
        "net" => net()?,
        unknown => return Err(PluginError::Unknown(unknown.to_owned())),
    };
    Ok(values.into())
}

/// What the environment says; nothing leaves it to the attribute.
fn ttl(_: &Result<State, PluginError>) -> Option<Duration> {
    Settings::get().state_ttl
}

impl From<BTreeMap<String, String>> for State {
    fn from(values: BTreeMap<String, String>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (name, value) in &values {
            // With their lengths: no two states run together alike.
            for text in [name, value] {
                hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
            }
        }
        Self { hash: hasher.finalize().to_hex().to_string(), values }
    }
}

fn kernel() -> io::Result<BTreeMap<String, String>> {
    let read = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/kernel/{name}"))?;
        Ok((name.to_owned(), text.trim().to_owned()))
    };
    ["ostype", "osrelease", "pid_max", "threads-max"].into_iter().map(read).collect()
}

/// Which file system is mounted where.
fn mounts() -> io::Result<BTreeMap<String, String>> {
    let table = fs::read_to_string("/proc/self/mounts")?;
    let rows = table.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mounts = rows.filter_map(|row| match &row[..] {
        [_, target, kind, ..] => Some(((*target).to_owned(), (*kind).to_owned())),
        _ => None,
    });
    Ok(mounts.collect())
}

/// The network interfaces, and the largest packet each takes.
fn net() -> io::Result<BTreeMap<String, String>> {
    let interfaces = fs::read_dir("/sys/class/net")?;
    let mtus = interfaces.map(|interface| {
        let interface = interface?;
        let mtu = fs::read_to_string(interface.path().join("mtu"))?;
        Ok((interface.file_name().to_string_lossy().into_owned(), mtu.trim().to_owned()))
    });
    mtus.collect()
}
