//! How a connection is made: what it is set to, and what a server says of itself and of what it
//! refuses.

use super::server::Run;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, Value};
use std::time::Duration;

/// How long it may take to connect.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// What `INFO` is asked for.
pub(super) const SECTIONS: &[&str] = &["server", "replication", "stats"];
/// Requests handed to the connection and not written yet.
const BUFFER: usize = 1_024;

pub(super) fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(None)
        .set_pipeline_buffer_size(BUFFER)
}

/// Connects, in the executor of who calls.
pub(super) async fn dial(
    info: ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, String> {
    let info = info.set_tcp_settings(tcp());
    let client = Client::open(info).map_err(|error| said(&error))?;
    let connecting = client.get_multiplexed_async_connection_with_config(config);
    connecting.await.map_err(|error| said(&error))
}

/// How a connection is kept alive, and found to be dead.
fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(30));
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(Duration::from_secs(10));
    tcp
}

/// What `INFO` says of something.
fn said_of<'a>(info: &'a Value, of: &str) -> Option<&'a str> {
    let text = match info {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?,
        Value::VerbatimString { text, .. } => text,
        _ => return None,
    };
    text.lines().find_map(|line| line.trim().strip_prefix(of))
}

/// How many keys the server has evicted. Nothing if it does not say.
pub(super) fn evicted(info: &Value) -> Option<u64> {
    said_of(info, "evicted_keys:")?.parse().ok()
}

/// Which life of which server it is: who was demoted meanwhile and is a primary again may lack what was
/// invalidated last, and has what was valid before that.
pub(super) fn life_of(info: &Value) -> Option<Run> {
    let mut digest = blake3::Hasher::new();
    for id in ["run_id:", "master_replid:"] {
        // Of all its lives it would be the same.
        let id = said_of(info, id).filter(|id| !id.is_empty())?;
        digest.update(id.as_bytes());
    }
    digest.finalize().as_bytes().first_chunk().copied()
}

/// What an error says, as far as it says nothing of what authenticates.
pub(super) fn said(error: &redis::RedisError) -> String {
    match error.code() {
        Some(code) => format!("it answers {code}"),
        None => error.category().to_owned(),
    }
}

/// What a server says that would not be set up.
pub(super) fn refused(answers: &[Value]) -> String {
    let codes = answers.iter().filter_map(|answer| match answer {
        Value::ServerError(error) => Some(error.code()),
        _ => None,
    });
    let codes: Vec<_> = codes.collect();
    format!("`CLIENT TRACKING`, `INFO` and `TIME` are needed; it answers {}", codes.join(", "))
}
