//! Which servers, and how patient with them. Nothing here prints what authenticates.

use crate::error::{Error, ErrorKind};
use redis::{ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisConnectionInfo};
use std::env;
use std::fmt;
use std::time::Duration;

/// The environment variable that names the servers.
pub(crate) const VARIABLE: &str = "LARDER_REDIS_URL";

/// What is served while the shared tier can't be heard (C4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnPartition {
    /// This machine's own entries, until they expire.
    #[default]
    Serve,
    /// Nothing that was not vouched for within the coherence bound.
    Compute,
}

/// What becomes of a server's entries when another takes its place, or it starts anew (C3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailover {
    /// They are misses: what was invalidated last may not have reached it.
    #[default]
    Cold,
    /// They are served, though an invalidation may have been lost.
    Trust,
}

/// All that is said of the tier.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(super) servers: Servers,
    /// How long one call may wait for the tier.
    pub(crate) deadline: Duration,
    /// How long a copy may be served after it was invalidated elsewhere.
    pub(crate) bound: Duration,
    pub(crate) on_partition: OnPartition,
    pub(crate) on_failover: OnFailover,
}

/// Where the servers are.
#[derive(Clone)]
pub(super) enum Servers {
    Single(ConnectionInfo),
    /// Sentinels, the name they know the servers by, and what is like for all of these.
    Sentinels {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        server: ConnectionInfo,
    },
    /// Some of a cluster's.
    Cluster(Vec<ConnectionInfo>),
}

impl Settings {
    /// What a URL says, which comes from `source`.
    pub(crate) fn parse(url: &str, source: &str) -> Result<Self, Error> {
        let fault = |why: &str| {
            Error::new(ErrorKind::Configuration, format!("{source} can't be used: {why}"))
        };
        // The library's own message would do, but what it says of a URL is not promised.
        let known = ["redis://", "rediss://", "valkey://", "valkeys://", "unix://"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(fault(
                "it has to begin with `redis://`, `rediss://`, `valkey://` or `unix://`",
            ));
        }
        let is_secret = url.starts_with("rediss://") || url.starts_with("valkeys://");
        if is_secret && cfg!(not(feature = "redis-tls")) {
            return Err(fault(
                "TLS needs the feature `redis-tls` of larder; write `larder = { .., features = \
                 [\"redis-tls\"] }` in Cargo.toml",
            ));
        }
        let url = Parts::of(url);
        let mut servers = Vec::new();
        for host in &url.hosts {
            let one = url.with(host);
            let info = one.parse::<ConnectionInfo>();
            let info =
                info.map_err(|_| fault("it is no URL like `redis://user:password@host:6379/0`"))?;
            let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            servers.push(info.set_redis_settings(settings));
        }
        let servers = match (&url.kind, servers) {
            (Kind::Unknown(option), _) => {
                return Err(fault(&format!(
                    "`{option}` is no option of it, or not beside the others; there are \
                     `cluster=true`, and `sentinel=name` with `sentinel_username` and \
                     `sentinel_password`"
                )));
            }
            (Kind::Cluster, servers) if servers.iter().any(|it| it.redis_settings().db() != 0) => {
                return Err(fault("a cluster has no other database than 0"));
            }
            (Kind::Cluster, servers) => Servers::Cluster(servers),
            (Kind::Sentinels { name, username, password }, servers) => {
                let server = servers.first().cloned().ok_or_else(|| fault("it names no host"))?;
                let meant = |part: &str| {
                    decoded(part).ok_or_else(|| {
                        fault("`%` in `sentinel_username` or `sentinel_password` is no UTF-8")
                    })
                };
                // What stands before the hosts is meant for the servers, and so is the database.
                let mut settings = RedisConnectionInfo::default();
                if let Some(username) = username {
                    settings = settings.set_username(meant(username)?);
                }
                if let Some(password) = password {
                    settings = settings.set_password(meant(password)?);
                }
                let alone = |it: ConnectionInfo| it.set_redis_settings(settings.clone());
                let sentinels = servers.into_iter().map(alone).collect();
                Servers::Sentinels { sentinels, name: (*name).to_owned(), server }
            }
            (Kind::Single, servers) => match <[_; 1]>::try_from(servers) {
                Ok([server]) => Servers::Single(server),
                Err(_) => {
                    return Err(fault("several hosts need `?cluster=true` or `?sentinel=name`"));
                }
            },
        };
        let settings = Self {
            servers,
            deadline: duration("LARDER_REDIS_DEADLINE")?.unwrap_or(Duration::from_millis(100)),
            bound: duration("LARDER_COHERENCE_BOUND")?.unwrap_or(Duration::from_secs(1)),
            on_partition: word("LARDER_ON_PARTITION", &ON_PARTITION)?.unwrap_or_default(),
            on_failover: word("LARDER_ON_FAILOVER", &ON_FAILOVER)?.unwrap_or_default(),
        };
        settings.check()?;
        Ok(settings)
    }

    /// Judges what is said in numbers.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (name, span, least) in [
            ("redis_deadline", self.deadline, Duration::from_millis(1)),
            ("coherence_bound", self.bound, Duration::from_millis(50)),
        ] {
            if span < least {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!("{name} {span:?} is too short; take at least {least:?}"),
                ));
            }
        }
        Ok(())
    }

    /// What the environment says, if it says anything.
    pub(crate) fn from_environment() -> Option<Result<Self, Error>> {
        let url = env::var_os(VARIABLE).filter(|url| !url.is_empty())?;
        let fault = || Error::new(ErrorKind::Configuration, format!("{VARIABLE} is not UTF-8"));
        Some(url.to_str().ok_or_else(fault).and_then(|url| Self::parse(url, VARIABLE)))
    }
}

const ON_PARTITION: [(&str, OnPartition); 2] =
    [("serve", OnPartition::Serve), ("compute", OnPartition::Compute)];
const ON_FAILOVER: [(&str, OnFailover); 2] =
    [("cold", OnFailover::Cold), ("trust", OnFailover::Trust)];

fn set(variable: &str) -> Option<String> {
    env::var_os(variable).filter(|it| !it.is_empty()).map(|it| it.to_string_lossy().into_owned())
}

/// One of several words, if a variable is set.
fn word<T: Copy>(variable: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
    let Some(said) = set(variable) else { return Ok(None) };
    let found = words.iter().find(|(word, _)| *word == said).map(|(_, meant)| *meant);
    let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    let fault = || format!("{variable} {said:?} can't be used; take {}", known.join(" or "));
    found.map(Some).ok_or_else(|| Error::new(ErrorKind::Configuration, fault()))
}

/// A whole number and `ms` or `s`, if a variable is set.
fn duration(variable: &str) -> Result<Option<Duration>, Error> {
    let Some(said) = set(variable) else { return Ok(None) };
    let number = |unit: &str| said.strip_suffix(unit)?.trim_end().parse::<u32>().ok();
    let millis = number("ms").map(|it| Duration::from_millis(it.into()));
    let span = millis.or_else(|| number("s").map(|it| Duration::from_secs(it.into())));
    let fault = || format!("{variable} {said:?} can't be used; take a time like `250ms` or `2s`");
    span.map(Some).ok_or_else(|| Error::new(ErrorKind::Configuration, fault()))
}

/// A URL that may name several hosts.
struct Parts<'a> {
    /// What stands before the hosts.
    front: &'a str,
    hosts: Vec<&'a str>,
    /// What stands behind them, the options aside.
    path: &'a str,
    kind: Kind<'a>,
}

/// What the options of a URL say.
enum Kind<'a> {
    Single,
    Cluster,
    Sentinels { name: &'a str, username: Option<&'a str>, password: Option<&'a str> },
    Unknown(&'a str),
}

impl<'a> Kind<'a> {
    fn of(options: &'a str) -> Self {
        let (mut kind, mut username, mut password) = (None, None, None);
        for option in options.split('&').filter(|it| !it.is_empty()) {
            let unknown = Self::Unknown(option.split('=').next().unwrap_or_default());
            let is_first = kind.is_none();
            match option.split_once('=') {
                Some(("cluster", "true")) if is_first => kind = Some(Self::Cluster),
                Some(("cluster", "false")) if is_first => kind = Some(Self::Single),
                Some(("sentinel", name)) if is_first && !name.is_empty() => {
                    kind = Some(Self::Sentinels { name, username: None, password: None });
                }
                Some(("sentinel_username", said)) => username = Some(said),
                Some(("sentinel_password", said)) => password = Some(said),
                _ => return unknown,
            }
        }
        match kind {
            Some(Self::Sentinels { name, .. }) => Self::Sentinels { name, username, password },
            _ if username.is_some() => Self::Unknown("sentinel_username"),
            _ if password.is_some() => Self::Unknown("sentinel_password"),
            kind => kind.unwrap_or(Self::Single),
        }
    }
}

/// What a part of a URL means, in which `%` and two digits stand for a byte.
fn decoded(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|it| it.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        if url.starts_with("unix://") {
            return Self { front: "", hosts: vec![url], path: "", kind: Kind::Single };
        }
        let (url, options) = url.split_once('?').unwrap_or((url, ""));
        let kind = Kind::of(options);
        let begin = url.find("://").map_or(0, |at| at + 3);
        let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
        let hosts = url[begin..end].rfind('@').map_or(begin, |at| begin + at + 1);
        let (front, path) = (&url[..hosts], &url[end..]);
        Self { front, hosts: url[hosts..end].split(',').collect(), path, kind }
    }

    /// The URL of one of the hosts.
    fn with(&self, host: &str) -> String {
        format!("{}{host}{}", self.front, self.path)
    }
}

/// The same kind of address elsewhere.
pub(super) fn beside(address: &ConnectionAddr, host: String, port: u16) -> ConnectionAddr {
    match address {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    }
}

/// A server's address, without what authenticates.
pub(super) fn address(info: &ConnectionInfo) -> String {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            format!("{host}:{port}")
        }
        ConnectionAddr::Unix(path) => path.display().to_string(),
        _ => "a server".to_owned(),
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = match &self.servers {
            Servers::Single(server) => std::slice::from_ref(server),
            Servers::Sentinels { sentinels: servers, .. } | Servers::Cluster(servers) => servers,
        };
        let servers: Vec<_> = servers.iter().map(address).collect();
        f.debug_struct("Settings").field("servers", &servers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Servers, Settings, address};

    fn servers(url: &str) -> Vec<String> {
        match Settings::parse(url, "redis").unwrap().servers {
            Servers::Single(server) => vec![address(&server)],
            Servers::Sentinels { sentinels: servers, .. } | Servers::Cluster(servers) => {
                servers.iter().map(address).collect()
            }
        }
    }

    #[test]
    fn a_url_names_one_server_or_some_of_a_cluster() {
        assert_eq!(servers("redis://u:p@host:7000/2"), ["host:7000"]);
        assert_eq!(servers("valkey://host"), ["host:6379"]);
        assert_eq!(servers("unix:///run/redis.sock?db=2"), ["/run/redis.sock"]);
        let cluster = "redis://u:p%40@one:7000,two:7001,three?cluster=true";
        assert_eq!(servers(cluster), ["one:7000", "two:7001", "three:6379"]);
        assert_eq!(servers("redis://one:7000/?cluster=true"), ["one:7000"]);
    }

    #[test]
    fn a_url_names_sentinels_and_the_servers_they_watch() {
        let url = "redis://user:secret@one:26379,two:26379/2?sentinel=main";
        let Servers::Sentinels { sentinels, name, server } =
            Settings::parse(url, "redis").unwrap().servers
        else {
            panic!("it names sentinels");
        };
        assert_eq!(sentinels.iter().map(address).collect::<Vec<_>>(), ["one:26379", "two:26379"]);
        assert_eq!((&*name, server.redis_settings().db()), ("main", 2));
        assert!(sentinels.iter().all(|it| it.redis_settings().password().is_none()));
        assert_eq!(server.redis_settings().password(), Some("secret"));
    }

    #[test]
    fn sentinels_may_be_told_something_else_than_servers() {
        let url = "redis://user:secret@one,two/2?sentinel_password=a%26%25b&sentinel=main";
        for (url, username) in
            [(url.to_owned(), None), (format!("{url}&sentinel_username=w%20"), Some("w "))]
        {
            let settings = Settings::parse(&url, "redis").unwrap();
            let Servers::Sentinels { sentinels, server, .. } = &settings.servers else {
                panic!("it names sentinels");
            };
            for sentinel in sentinels {
                let said = sentinel.redis_settings();
                assert_eq!(
                    (said.username(), said.password(), said.db()),
                    (username, Some("a&%b"), 0)
                );
            }
            assert_eq!(server.redis_settings().password(), Some("secret"));
            assert!(!format!("{settings:?}").contains("a&%b"));
        }
    }

    #[test]
    fn what_can_not_be_used_is_said_without_what_authenticates() {
        for (url, why) in [
            ("localhost:6379", "begin with"),
            ("redis://user:secret@one,two", "cluster=true"),
            ("redis://user:secret@one:7000/x", "no URL"),
            ("redis://user:secret@one:seven", "no URL"),
            ("redis://user:secret@one/3?cluster=true", "database"),
            ("redis://user:secret@one?retries=3", "`retries`"),
            ("redis://one?cluster=true&sentinel_password=secret", "`sentinel_password`"),
            ("redis://one?sentinel_username=secret", "`sentinel_username`"),
            ("redis://one?sentinel=main&cluster=true", "`cluster`"),
            ("redis://one?sentinel=main&sentinel_password=secret%f", "UTF-8"),
            ("redis://one?sentinel=main&sentinel_password=secret%ff", "UTF-8"),
            ("redis://one?sentinel=main&sentinel_password=secret%+f", "UTF-8"),
        ] {
            let error = Settings::parse(url, "LARDER_REDIS_URL").unwrap_err().to_string();
            assert!(error.starts_with("LARDER_REDIS_URL can't be used: "), "{error}");
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn nothing_that_authenticates_is_printed() {
        let settings = Settings::parse("redis://user:secret@one:7000", "redis").unwrap();
        let printed = format!("{settings:?}");
        assert!(printed.contains("one:7000") && !printed.contains("secret"), "{printed}");
    }
}
