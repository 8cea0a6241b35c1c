//! Where executions are recorded, and the shared cache.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use super::quantity::Seconds;
use super::secret::{MASK, Secret};

/// Where executions are recorded: one `url`, or the parts of a PostgreSQL connection.
///
/// The pool's settings count for PostgreSQL; SQLite has one writer and its own few readers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://PATH` (`sqlite:///PATH` for an absolute path) or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.
    /// Environment variable `DATABASE_URL`, which may also hold a JSON object with the parts, as cloud secret stores
    /// keep it.
    #[schemars(
        regex(pattern = r"^(sqlite://[^?]|postgres(ql)?://)"),
        extend("x-fix" = "write sqlite://PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME")
    )]
    pub url: Option<ConnectionUrl>,
    /// The PostgreSQL server, instead of `url`.
    #[schemars(length(min = 1))]
    pub host: Option<String>,
    /// The PostgreSQL server's port; 5432 when not set.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The PostgreSQL user.
    #[schemars(length(min = 1))]
    pub username: Option<String>,
    /// The PostgreSQL user's password.
    pub password: Option<Secret>,
    /// The PostgreSQL database.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// The connections of one process; with `max_overflow` the most it opens. One that is idle for a minute is closed.
    #[schemars(range(min = 1, max = 1000))]
    pub pool_size: u32,
    /// The connections beyond those.
    #[schemars(range(min = 0, max = 1000))]
    pub max_overflow: u32,
    /// The seconds to wait for a free connection; a query as a whole takes 10 at most, this waiting included.
    #[schemars(range(min = 1, max = 3600))]
    pub pool_timeout: Seconds,
    /// The seconds after which a connection is replaced.
    #[schemars(range(min = 1, max = 86400))]
    pub pool_recycle: Seconds,
    /// Whether statements are logged, without their values.
    pub echo: bool,
    /// What stands between this program and PostgreSQL: `none`, or `transaction` for a pooler that hands out connections
    /// by transaction, such as PgBouncer, or `rds-proxy`. Environment variable `DATABASE_POOLER`.
    pub pooler: Pooler,
    /// Whether the tables are brought up to date when a process starts; otherwise `autopr migrate` must have been run.
    pub migrate_on_start: bool,
}

/// What stands between this program and its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pooler {
    /// Nothing, or what hands out connections by session.
    #[default]
    None,
    /// What hands out connections by transaction.
    Transaction,
    /// Amazon RDS Proxy.
    RdsProxy,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: Some(ConnectionUrl::new("sqlite://autopr.db")),
            host: None,
            port: None,
            username: None,
            password: None,
            name: None,
            pool_size: 20,
            max_overflow: 40,
            pool_timeout: Seconds(30),
            pool_recycle: Seconds(3600),
            echo: false,
            pooler: Pooler::None,
            migrate_on_start: true,
        }
    }
}

/// Which database is meant.
#[derive(Debug, Clone)]
pub enum Connection {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(ConnectionUrl),
}

impl Database {
    /// Which database is meant. Without `url` and `host`, which loading refuses, the default one.
    pub fn connection(&self) -> Connection {
        match (&self.url, &self.host) {
            (Some(url), _) => match url.expose().strip_prefix("sqlite://") {
                Some(path) => Connection::Sqlite(PathBuf::from(path.split('?').next().unwrap_or(path))),
                None => Connection::Postgres(url.clone()),
            },
            (None, Some(host)) => Connection::Postgres(self.url_from_parts(host)),
            (None, None) => Connection::Sqlite(PathBuf::from("autopr.db")),
        }
    }

    fn url_from_parts(&self, host: &str) -> ConnectionUrl {
        let mut url = "postgresql://".to_owned();
        if let Some(username) = &self.username {
            url.push_str(&percent_encode(username));
            if let Some(password) = &self.password {
                url.push(':');
                url.push_str(&percent_encode(password.expose()));
            }
            url.push('@');
        }
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let name = percent_encode(self.name.as_deref().unwrap_or_default());
        url.push_str(&format!("{host}:{}/{name}", self.port.unwrap_or(5432)));
        ConnectionUrl::new(url)
    }
}

/// The cache shared by several processes: what GitHub told, and models' answers. It is not needed: while it can't be
/// reached, work is done again. It holds file contents in the clear, so that it must be as private as the database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://USER:PASSWORD@HOST:PORT/NUMBER`, or `rediss://` with TLS; the user may be left out. With
    /// `?sslrootcert=FILE` the certificates in that file are trusted instead of the system's. Environment variable
    /// `REDIS_URL`. Without it each process keeps its own cache.
    #[schemars(
        regex(pattern = "^rediss?://[^/]"),
        extend("x-fix" = "write redis://:PASSWORD@HOST:PORT/NUMBER or rediss://…")
    )]
    pub url: Option<ConnectionUrl>,
    /// The seconds an answer may take. After one that did not come Redis is left alone for a few seconds.
    #[schemars(range(min = 1, max = 60))]
    pub timeout: Seconds,
    /// The most connections. A process shares a few among all that it does and never opens more than four.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_connections: u32,
    /// Whether TLS is used even if the address begins with `redis://`.
    pub ssl: bool,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, timeout: Seconds(5), max_connections: 50, ssl: false }
    }
}

/// An address that may hold a password, which is never shown; the rest of it is.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ConnectionUrl(Secret);

impl ConnectionUrl {
    /// Wraps an address.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url))
    }

    /// The whole address, for the one call that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The address with the password and the values of all parameters masked.
    pub fn masked(&self) -> String {
        let (address, query) = match self.expose().split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (self.expose(), None),
        };
        let Some((scheme, rest)) = address.split_once("://") else { return MASK.to_owned() };
        // The last @: a password that was not encoded may hold others.
        let mut masked = match rest.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:{MASK}@{host}"),
                None => format!("{scheme}://{user}@{host}"),
            },
            None => format!("{scheme}://{rest}"),
        };
        if let Some(query) = query {
            // A question mark in a password that was not encoded ends up here, with the host behind it.
            let parameters: Vec<String> = match query.contains('@') {
                true => return format!("{scheme}://{MASK}"),
                false => query.split('&').map(|pair| pair.split('=').next().unwrap_or_default().to_owned()).collect(),
            };
            let parameters: Vec<String> = parameters.iter().map(|name| format!("{name}={MASK}")).collect();
            masked.push_str(&format!("?{}", parameters.join("&")));
        }
        masked
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for ConnectionUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

impl JsonSchema for ConnectionUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ConnectionUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

/// Encodes what has a meaning of its own in an address (RFC 3986, section 2.3).
fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
