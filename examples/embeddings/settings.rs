//! What the environment says of the caches.
//!
//! The variables are those of the daemon whose caches these are modelled on. An attribute takes
//! constants only, so what is read here takes effect through functions that are asked about each
//! value: `weigh` for a number of entries, `ttl_for` for a time to live.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

/// The capacity, in weight, of a cache whose number of entries the environment says.
pub(crate) const ROOM: u64 = 1 << 40;

/// The largest number of entries; up to here, rounding does not matter.
const MOST_ENTRIES: u64 = 1 << 19;

/// The longest time to live, a day.
const MOST_SECONDS: u64 = 86_400;

pub(crate) struct Settings {
    /// `OPDBUS_EMBEDDING_CACHE_SIZE`
    pub(crate) embeddings: u64,
    /// `OPDBUS_EMBEDDING_DISK_CACHE`
    pub(crate) embeddings_on_disk: bool,
    /// `OPDBUS_BLOCK_CACHE_SIZE`
    pub(crate) blocks: u64,
    /// `OPDBUS_QUERY_CACHE_TTL`, if it is set; otherwise the attribute says.
    pub(crate) state_ttl: Option<Duration>,
    /// `OPDBUS_DIFF_CACHE_SIZE`
    pub(crate) diffs: u64,
    /// `OPDBUS_CACHE_DIR`, if it is set; otherwise `LARDER_DIR` and the platform have their say.
    pub(crate) dir: Option<PathBuf>,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// What is wrong with a variable, and what may stand there.
    pub(crate) fn read() -> Result<&'static Self, String> {
        let state_ttl = number("OPDBUS_QUERY_CACHE_TTL", "seconds", MOST_SECONDS)?;
        let settings = Self {
            embeddings: entries("OPDBUS_EMBEDDING_CACHE_SIZE", 10_000)?,
            embeddings_on_disk: switch("OPDBUS_EMBEDDING_DISK_CACHE", true)?,
            blocks: entries("OPDBUS_BLOCK_CACHE_SIZE", 1_000)?,
            state_ttl: state_ttl.map(Duration::from_secs),
            diffs: entries("OPDBUS_DIFF_CACHE_SIZE", 100)?,
            dir: env::var_os("OPDBUS_CACHE_DIR").filter(|it| !it.is_empty()).map(PathBuf::from),
        };
        Ok(SETTINGS.get_or_init(|| settings))
    }

    /// What was read.
    pub(crate) fn get() -> &'static Self {
        SETTINGS.get().expect("the program reads its settings before anything else")
    }
}

/// What each entry weighs, so that there is room for so many and no more.
///
/// Less than that part of the room: what takes up nearly all of it is not kept.
pub(crate) fn weight(entries: u64) -> u64 {
    2 * ROOM / (2 * entries + 1)
}

fn entries(name: &str, default: u64) -> Result<u64, String> {
    number(name, "entries", MOST_ENTRIES).map(|given| given.unwrap_or(default))
}

fn number(name: &str, of: &str, most: u64) -> Result<Option<u64>, String> {
    let expected = format!("take a whole number of {of} from 1 to {most}");
    given::<u64>(name, &expected, |it| (1..=most).contains(it))
}

fn switch(name: &str, default: bool) -> Result<bool, String> {
    let given = given::<bool>(name, "take `true` or `false`", |_| true)?;
    Ok(given.unwrap_or(default))
}

/// A variable's value; nothing if it is not set, or empty.
fn given<T: FromStr>(
    name: &str,
    expected: &str,
    fits: impl Fn(&T) -> bool,
) -> Result<Option<T>, String> {
    let Some(text) = env::var_os(name).filter(|it| !it.is_empty()) else { return Ok(None) };
    let value = text.to_str().and_then(|it| it.parse().ok()).filter(fits);
    value.map(Some).ok_or_else(|| {
        let text = text.to_string_lossy();
        format!("{name}={text:?} can't be used; {expected}")
    })
}
