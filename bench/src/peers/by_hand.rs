//! What a program does by hand: a client of Redis, a connection, and commands.

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client, RedisResult, cmd};
use std::collections::HashMap;

const LIFETIME: u64 = 3_600;

/// Values, each with two shorter ones beside it.
#[derive(Clone)]
pub(crate) struct ByHand {
    connection: MultiplexedConnection,
}

impl ByHand {
    /// Connects, in the runtime in which it is used.
    pub(crate) async fn connect(url: &str) -> RedisResult<Self> {
        let connection = Client::open(url)?.get_multiplexed_async_connection().await?;
        Ok(Self { connection })
    }

    pub(crate) async fn put(&self, id: u64, value: &str) -> RedisResult<()> {
        let mut connection = self.connection.clone();
        let [first, second, third] = names(id);
        () = connection.set_ex(first, value, LIFETIME).await?;
        () = connection.set_ex(second, id.to_le_bytes().repeat(2), LIFETIME).await?;
        connection.set_ex(third, id.to_be_bytes().repeat(2), LIFETIME).await
    }

    /// A value by itself.
    pub(crate) async fn get(&self, id: u64) -> String {
        let [name, ..] = names(id);
        self.connection.clone().get(name).await.expect("put before")
    }

    /// A value with those beside it.
    pub(crate) async fn get_three(&self, id: u64) -> String {
        let read = self.connection.clone().mget(&names(id)).await;
        let (value, second, third): (String, Vec<u8>, Vec<u8>) = read.expect("put before");
        assert_eq!((second.len(), third.len()), (16, 16));
        value
    }

    /// Values by themselves, all at once.
    pub(crate) async fn get_all(&self, ids: &[u64]) -> HashMap<u64, String> {
        let names: Vec<_> = ids.iter().map(|id| names(*id)[0].clone()).collect();
        let values: Vec<String> = self.connection.clone().mget(&names).await.expect("put before");
        ids.iter().copied().zip(values).collect()
    }

    /// Values with those beside them, all at once.
    pub(crate) async fn get_all_three(&self, ids: &[u64]) -> HashMap<u64, String> {
        let names: Vec<_> = ids.iter().flat_map(|id| names(*id)).collect();
        let values: Vec<Vec<u8>> = self.connection.clone().mget(&names).await.expect("put before");
        let text = |value: &[Vec<u8>]| String::from_utf8(value[0].clone()).expect("put as text");
        ids.iter().copied().zip(values.chunks(3).map(text)).collect()
    }

    /// How often the server has been sent a command, by anyone.
    pub(crate) async fn count_of(&self, command: &str) -> RedisResult<u64> {
        let name = format!("cmdstat_{command}:calls=");
        let said: String =
            cmd("INFO").arg("commandstats").query_async(&mut self.connection.clone()).await?;
        let calls = said.lines().find_map(|line| line.strip_prefix(&name)?.split(',').next());
        Ok(calls.map_or(0, |calls| calls.parse().expect("a count is a number")))
    }
}

fn names(id: u64) -> [String; 3] {
    ["value", "first", "second"].map(|kind| format!("by-hand:{kind}:{id:016x}"))
}
