//! Where a server is: said once for all, or known to sentinels.

use super::settings;
use redis::{Client, ConnectionInfo, Value, cmd};
use std::time::Duration;
use tokio::time;

/// How long one sentinel may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a server is.
#[derive(Clone)]
pub(super) enum Origin {
    Fixed(ConnectionInfo),
    /// The primary of a name, as sentinels know it.
    Watched {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        server: ConnectionInfo,
        /// A key that is written to see whether it still may be.
        heartbeat: Vec<u8>,
    },
}

impl Origin {
    /// Where the server is now.
    pub(super) async fn find(&self) -> Result<ConnectionInfo, String> {
        let (sentinels, name, server) = match self {
            Self::Fixed(info) => return Ok(info.clone()),
            Self::Watched { sentinels, name, server, .. } => (sentinels, name, server),
        };
        let mut why = String::new();
        for sentinel in sentinels {
            match time::timeout(PATIENCE, ask(sentinel, name)).await {
                Ok(Ok((host, port))) => {
                    let address = settings::beside(server.addr(), host, port);
                    return Ok(server.clone().set_addr(address));
                }
                Ok(Err(fault)) => why = format!("{}: {fault}", settings::address(sentinel)),
                Err(_) => {
                    why = format!("{}: it does not answer in time", settings::address(sentinel));
                }
            }
        }
        Err(format!("no sentinel knows the primary of `{name}`; {why}"))
    }

    /// The key to be written with each heartbeat, where another server may take this one's place without a
    /// word to those connected to it.
    pub(super) fn heartbeat(&self) -> Option<&[u8]> {
        match self {
            Self::Fixed(_) => None,
            Self::Watched { heartbeat, .. } => Some(heartbeat),
        }
    }

    /// What it is called in messages.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Fixed(info) => settings::address(info),
            Self::Watched { name, .. } => format!("the primary of `{name}`"),
        }
    }
}

async fn ask(sentinel: &ConnectionInfo, name: &str) -> Result<(String, u16), String> {
    let said = |error: redis::RedisError| error.category().to_owned();
    let client = Client::open(sentinel.clone()).map_err(said)?;
    let mut connection = client.get_multiplexed_async_connection().await.map_err(said)?;
    let mut question = cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let answer = connection.send_packed_command(&question).await.map_err(said)?;
    let unknown = || "it does not know the name".to_owned();
    let Value::Array(parts) = answer else { return Err(unknown()) };
    let [Value::BulkString(host), Value::BulkString(port)] = &parts[..] else {
        return Err(unknown());
    };
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| unknown());
    Ok((text(host)?, text(port)?.parse().map_err(|_| unknown())?))
}

#[cfg(test)]
mod tests {
    use super::settings::beside;
    use redis::ConnectionAddr;

    #[test]
    fn a_server_elsewhere_is_spoken_to_in_the_same_way() {
        let plain = ConnectionAddr::Tcp("one".to_owned(), 1);
        assert_eq!(beside(&plain, "two".to_owned(), 2), ConnectionAddr::Tcp("two".to_owned(), 2));
    }
}
