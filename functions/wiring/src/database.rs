//! From settings to a PostgreSQL store that can be worked with: its tables are up to date and its clock is right.

use std::fmt;
use std::sync::Arc;

use autopr_core::clock::{Clock, between};
use autopr_core::fault::Fault;
use autopr_core::ports::Store;
use autopr_core::ports::schema::Schema;
use autopr_core::ports::store::AuditEntry;
use autopr_runtime::settings::{self, Connection, ConnectionUrl, Database};
use autopr_store_postgres::{Options, Pooler, PostgresStore};
use secrecy::SecretString;
use uuid::Uuid;

/// The tables are not up to date, and the settings leave that to `autopr migrate`.
#[derive(Debug, thiserror::Error)]
#[error("the database lacks {pending} of its migrations; run `autopr migrate`, or set database.migrate_on_start")]
pub struct NotMigrated {
    /// How many.
    pub pending: usize,
}

/// The clock of this machine and that of the database's are so far apart that processes would take each other's work.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine's clock is {apart} s apart from that of the database's; set both by NTP (at most {MOST_APART} s are allowed)"
)]
pub struct ClocksDiffer {
    apart: u64,
}

/// How far clocks may be apart, in seconds: well below the time for which an execution or a message is a process's own.
pub const MOST_APART: u64 = 15;

/// From how many seconds on a warning is logged.
const NOTED_APART: u64 = 2;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// Its tables are not up to date.
    #[error(transparent)]
    NotMigrated(#[from] NotMigrated),
    /// It would not know whose turn it is.
    #[error(transparent)]
    ClocksDiffer(#[from] ClocksDiffer),
    /// It can't be reached, or can't be used.
    #[error("{}", Causes(.0))]
    Fault(#[from] Fault),
}

/// A database can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the database {place} can't be used: {error}")]
pub struct Unusable {
    place: String,
    error: NotOpened,
}

impl Unusable {
    /// The database there can't be used, for that reason. `place` is for people: without a password.
    pub fn new(place: String, error: NotOpened) -> Self {
        Self { place, error }
    }
}

/// A fault with everything that led to it: whoever sets up a database has to know why it can't be reached.
pub struct Causes<'f>(pub &'f Fault);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// How to reach the PostgreSQL database at `url` as the settings want it.
pub fn postgres(database: &Database, url: &ConnectionUrl) -> Options {
    Options {
        url: SecretString::from(url.expose()),
        most_connections: database.pool_size.saturating_add(database.max_overflow),
        wait: database.pool_timeout.duration(),
        recycle: database.pool_recycle.duration(),
        log_statements: database.echo,
        pooler: match database.pooler {
            settings::Pooler::None => Pooler::None,
            settings::Pooler::Transaction => Pooler::Transaction,
            settings::Pooler::RdsProxy => Pooler::RdsProxy,
        },
        hears: true,
        asks: false,
    }
}

/// Opens the store. Its tables are brought up to date if that is wanted and needed, which one query tells: most starts
/// find nothing to do, and the user may not be allowed to change tables.
///
/// # Errors
/// When it can't be reached, its tables are not up to date, or its clock and this machine's differ.
pub async fn open_postgres(options: &Options, migrates: bool) -> Result<(PostgresStore, Schema), NotOpened> {
    let store = PostgresStore::new(options)?;
    let mut schema = store.schema().await?;
    match schema.pending.len() {
        0 => {}
        _ if migrates => {
            schema = store.migrate().await?;
            note_migrations(&store, &schema, "engine", "start").await?;
        }
        pending => return Err(NotMigrated { pending }.into()),
    }
    let asked = Clock::System.now();
    let theirs = store.now().await?;
    let answered = Clock::System.now();
    // The answer is as old as its way was long, at most.
    let apart = between(theirs, asked).max(between(answered, theirs)).as_secs();
    match apart {
        0..NOTED_APART => {}
        NOTED_APART..=MOST_APART => tracing::warn!(apart, "this machine's clock and the database's differ"),
        _ => return Err(ClocksDiffer { apart }.into()),
    }
    Ok((store, schema))
}

/// [`open_postgres`] for a process of which there may be many, which is frozen while it has nothing to do, and which nobody's
/// messages are for: with few connections, which are asked for life, and none to hear of messages.
///
/// # Errors
/// The same, with the address of the database.
pub async fn open_few(database: &Database, most_connections: u32) -> Result<Arc<PostgresStore>, Unusable> {
    let Connection::Postgres(url) = database.connection() else {
        let error = Fault::invalid("this program uses PostgreSQL only").into();
        return Err(Unusable { place: "of SQLite".to_owned(), error });
    };
    let options = postgres(database, &url);
    let most_connections = options.most_connections.min(most_connections);
    let options = Options { most_connections, hears: false, asks: true, ..options };
    match open_postgres(&options, database.migrate_on_start).await {
        Ok((store, before)) => {
            tell(&before);
            Ok(Arc::new(store))
        }
        Err(error) => Err(Unusable { place: url.masked(), error }),
    }
}

/// Writes into the audit log which migrations were applied; `before` is how far the tables were. `actor` and `origin` say on
/// whose behalf.
///
/// # Errors
/// When the store can't be reached.
pub async fn note_migrations(store: &dyn Store, before: &Schema, actor: &str, origin: &str) -> Result<(), Fault> {
    let now = Clock::System.now();
    for migration in &before.pending {
        let entry = AuditEntry {
            key: format!("migrate/{}/{}", migration.version, Uuid::now_v7()),
            at: now,
            actor: actor.to_owned(),
            origin: origin.to_owned(),
            action: "schema.migrate".to_owned(),
            subject: format!("{} {}", migration.version, migration.name),
            detail: None,
        };
        store.audit(&entry).await?;
    }
    Ok(())
}

/// Logs what was found out about the tables when the store was opened.
pub fn tell(before: &Schema) {
    for migration in &before.pending {
        tracing::info!(version = migration.version, name = migration.name, "the database was migrated");
    }
    if !before.newer.is_empty() {
        tracing::info!(versions = ?before.newer, "a newer version has migrated the database");
    }
}
