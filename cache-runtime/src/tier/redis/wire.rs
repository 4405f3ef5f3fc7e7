//! Commands as Redis has them, and its answers.

use super::names::{Named, Names};
use super::server::{Bytes, Command, Refusal, Reply, Run};
use crate::codec::envelope::Header;
use redis::{Cmd, Pipeline, ServerError, ServerErrorKind, Value, cmd};
use std::ops::Range;
use std::time::Duration;

const RENEW: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
     return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";

const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
     return redis.call('UNLINK', KEYS[1]) end return 0";

/// What is written is read at once, so that the server tells of its end: a write alone is forgotten.
const STORE: &str = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) \
     redis.call('UNLINK', KEYS[2]) \
     redis.call('STRLEN', KEYS[1]) \
     return 1";

/// A list that was there before the ledger began is of another, as its entries say.
const ANNOUNCE: &str = "local epoch, position \
     local ledger = redis.call('GET', KEYS[1]) \
     if ledger then epoch, position = string.match(ledger, '^(%x+):(%d+)$') end \
     if not epoch then epoch = ARGV[1]; position = '0' end \
     if position == '0' then redis.call('UNLINK', KEYS[2]) end \
     position = string.format('%d', position + 1) \
     redis.call('RPUSH', KEYS[2], position .. ':' .. epoch .. ':' .. ARGV[2]) \
     redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1) \
     redis.call('SET', KEYS[1], epoch .. ':' .. position) \
     return 1";

/// How many of the ledger's entries are kept.
pub(super) const RECENT: usize = 1_024;

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX.cast_unsigned())
}

/// A ledger that nothing was added to yet.
pub(super) fn beginning(epoch: [u8; 16]) -> Vec<u8> {
    let mut text = hex(&epoch);
    text.extend_from_slice(b":0");
    text
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |it: u8| b"0123456789abcdef"[usize::from(it)];
    bytes.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]).collect()
}

/// One trip's commands.
pub(super) fn pipeline(commands: &[Command]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    for command in commands {
        pipeline.add_command(encoded(command));
    }
    pipeline
}

/// One command, to be sent by itself.
pub(super) fn encoded(command: &Command) -> Cmd {
    match command {
        Command::Read(keys) => {
            let length = keys.iter().map(Vec::len).sum::<usize>() + "MGET".len();
            let mut read = Cmd::with_capacity(keys.len() + 1, length);
            read.arg("MGET").arg(keys);
            read
        }
        Command::Create { key, bytes, ttl } => {
            let mut create = cmd("SET");
            create.arg(&key[..]).arg(&bytes[..]).arg("NX");
            if let Some(ttl) = ttl {
                create.arg("PX").arg(millis(*ttl));
            }
            create
        }
        Command::Settle { key, bytes, ttl } => {
            let mut settle = cmd("SET");
            settle.arg(&key[..]).arg(&bytes[..]).arg("NX").arg("GET").arg("PX").arg(millis(*ttl));
            settle
        }
        Command::Identify(key) => {
            let Range { start, end } = Header::IDENTITY;
            cmd("GETRANGE").arg(&key[..]).arg(start).arg(end - 1).clone()
        }
        Command::Remaining(key) => cmd("PTTL").arg(&key[..]).clone(),
        Command::Prolong { key, ttl } => cmd("PEXPIRE").arg(&key[..]).arg(millis(*ttl)).clone(),
        Command::Lease { key, token, ttl, seize } => {
            let mut lease = cmd("SET");
            lease.arg(&key[..]).arg(&token[..]).arg("PX").arg(millis(*ttl));
            if !seize {
                lease.arg("NX");
            }
            lease
        }
        Command::Renew { key, token, ttl } => {
            cmd("EVAL").arg(RENEW).arg(1).arg(&key[..]).arg(&token[..]).arg(millis(*ttl)).clone()
        }
        Command::Release { key, token } => {
            cmd("EVAL").arg(RELEASE).arg(1).arg(&key[..]).arg(&token[..]).clone()
        }
        Command::Store { key, lease, token, bytes, ttl } => {
            let mut store = cmd("EVAL");
            store.arg(STORE).arg(2).arg(&key[..]).arg(&lease[..]);
            store.arg(&token[..]).arg(&bytes[..]).arg(millis(*ttl));
            store
        }
        Command::Unlink(keys) => {
            let mut unlink = cmd("UNLINK");
            unlink.arg(keys);
            unlink
        }
        Command::Announce { ledger, recent, epoch, entry } => {
            let mut announce = cmd("EVAL");
            announce.arg(ANNOUNCE).arg(2).arg(&ledger[..]).arg(&recent[..]);
            announce.arg(hex(epoch)).arg(&entry[..]).arg(RECENT);
            announce
        }
        Command::Slots => cmd("CLUSTER").arg("SLOTS").clone(),
        Command::Asking => cmd("ASKING"),
        Command::Recent { key, count } => {
            let first = -i64::try_from(*count).unwrap_or(i64::MAX);
            cmd("LRANGE").arg(&key[..]).arg(first).arg(-1).clone()
        }
    }
}

/// Reads what these are called, as `Command::Read` does.
pub(super) fn read(names: &Names, wanted: impl ExactSizeIterator<Item = Named>) -> Cmd {
    let mut name = Vec::with_capacity(names.longest());
    let mut read = Cmd::with_capacity(wanted.len() + 1, (wanted.len() + 1) * names.longest());
    read.arg("MGET");
    for it in wanted {
        name.clear();
        names.write(it, &mut name);
        read.arg(&name[..]);
    }
    read
}

/// What so many keys have, if that is what the server answers.
pub(super) fn found(count: usize, answer: Value, run: Run) -> Option<Vec<Option<Bytes>>> {
    let Value::Array(values) = answer else { return None };
    if values.len() != count {
        return None;
    }
    let mut found = Vec::with_capacity(count);
    for value in values {
        found.push(match value {
            Value::BulkString(bytes) => Some(Bytes { bytes: bytes.into(), run }),
            Value::Nil => None,
            _ => return None,
        });
    }
    Some(found)
}

/// What a server's answer to a command means. What makes no sense is a refusal.
pub(super) fn reply(command: &Command, answer: Value, run: Run) -> Reply {
    let nonsense = Reply::Refused(Refusal::Other);
    match (command, answer) {
        (_, Value::ServerError(error)) => Reply::Refused(match error.kind() {
            Some(ServerErrorKind::NoPerm) => Refusal::Forbidden,
            Some(ServerErrorKind::ReadOnly) => Refusal::ReadOnly,
            Some(ServerErrorKind::Moved) => referred(&error).map_or(Refusal::Other, Refusal::Moved),
            Some(ServerErrorKind::Ask) => referred(&error).map_or(Refusal::Other, Refusal::Ask),
            _ if error.code() == "OOM" => Refusal::Full,
            _ => Refusal::Other,
        }),
        (Command::Read(keys), answer) => {
            found(keys.len(), answer, run).map_or(nonsense, Reply::Found)
        }
        (Command::Settle { bytes, .. }, Value::Nil) => {
            Reply::Found(vec![Some(Bytes { bytes: bytes[..].into(), run })])
        }
        (Command::Settle { .. }, Value::BulkString(bytes)) => {
            Reply::Found(vec![Some(Bytes { bytes: bytes.into(), run })])
        }
        (Command::Identify(_), Value::BulkString(bytes)) => {
            let found = Some(bytes).filter(|bytes| !bytes.is_empty());
            Reply::Found(vec![found.map(|bytes| Bytes { bytes: bytes.into(), run })])
        }
        (Command::Remaining(_), Value::Int(left)) => {
            // What is not there has no time left; what never ends is less than that to the server.
            let left = if left == -2 { Some(0) } else { u64::try_from(left).ok() };
            Reply::Remaining(left.map(Duration::from_millis))
        }
        (Command::Recent { .. }, Value::Array(values)) => {
            let entries = values.into_iter().map(|value| match value {
                Value::BulkString(bytes) => Some(bytes),
                _ => None,
            });
            let entries = entries.collect::<Option<_>>();
            entries.map_or(nonsense, |entries| Reply::Recent(entries, run))
        }
        (Command::Slots, Value::Array(ranges)) => {
            ranges.iter().map(range).collect::<Option<_>>().map_or(nonsense, Reply::Slots)
        }
        (
            Command::Settle { .. }
            | Command::Identify(_)
            | Command::Remaining(_)
            | Command::Recent { .. }
            | Command::Slots,
            _,
        ) => nonsense,
        (Command::Unlink(_), Value::Int(_)) | (_, Value::Okay) => Reply::Done(true),
        (_, Value::Nil) => Reply::Done(false),
        (_, Value::Int(count)) => Reply::Done(count > 0),
        _ => nonsense,
    }
}

/// Who has a slot, as a server says that has not got it.
fn referred(error: &ServerError) -> Option<String> {
    let (_, address) = error.details()?.split_once(' ')?;
    // Without a host, it is the one that was asked: then the list of all slots says more.
    address.split(':').next().filter(|host| !host.is_empty())?;
    Some(address.to_owned())
}

/// A range of slots, and who has it.
fn range(range: &Value) -> Option<(u16, u16, String)> {
    let Value::Array(parts) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = &parts[..] else {
        return None;
    };
    let [Value::BulkString(host), Value::Int(port), ..] = &primary[..] else { return None };
    let host = std::str::from_utf8(host).ok().filter(|host| !host.is_empty())?;
    let slot = |it: i64| u16::try_from(it).ok();
    Some((slot(*first)?, slot(*last)?, format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::{encoded, read};
    use crate::mark::Mark;
    use crate::tier::redis::names::{Named, Names};
    use crate::tier::redis::server::Command;

    #[test]
    fn what_is_read_by_name_is_read_as_by_key() {
        let names = Names::new("shop");
        let all = [Named::Ledger, Named::Version(Mark::tag("a"))];
        let keys = all.into_iter().map(|it| names.of(it)).collect();
        let by_name = read(&names, all.into_iter()).get_packed_command();
        assert_eq!(by_name, encoded(&Command::Read(keys)).get_packed_command());
    }
}
