//! The store that the settings name.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use autopr_core::clock::{Clock, between};
use autopr_core::fault::Fault;
use autopr_core::ports::Operations;
use autopr_core::ports::schema::{Migration, Schema};
use autopr_core::ports::store::AuditEntry;
use autopr_runtime::settings::{Connection, Database};
use autopr_store_postgres::PostgresStore;
use autopr_store_sqlite::SqliteStore;
use uuid::Uuid;

/// A store of either kind.
pub enum AnyStore {
    /// In a file of SQLite.
    Sqlite(Arc<SqliteStore>),
    /// In a database of PostgreSQL.
    Postgres(Arc<PostgresStore>),
}

/// The tables are not up to date, and the settings leave that to `autopr migrate`.
#[derive(Debug, thiserror::Error)]
#[error("the database lacks {pending} of its migrations; run `autopr migrate`, or set database.migrate_on_start")]
pub struct NotMigrated {
    pending: usize,
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
const MOST_APART: u64 = 15;

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

/// A fault with everything that led to it: whoever sets up a database has to know why it can't be reached.
struct Causes<'f>(&'f Fault);

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

impl AnyStore {
    /// Opens the store with its tables up to date, which it brings about itself unless the settings say otherwise.
    ///
    /// # Errors
    /// When it can't be reached, or its tables are not up to date.
    pub async fn open(settings: &Database) -> Result<Self, NotOpened> {
        let (store, before) = match settings.migrate_on_start {
            true => Self::migrated(settings, "engine", "start").await?,
            // Without a statement that changes tables: the user may not be allowed to.
            false => {
                let schema = schema(settings).await?;
                match schema.pending.len() {
                    0 => (Self::as_it_is(settings).await?, schema),
                    pending => return Err(NotMigrated { pending }.into()),
                }
            }
        };
        if let Self::Postgres(store) = &store {
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
        }
        for migration in &before.pending {
            tracing::info!(version = migration.version, name = migration.name, "the database was migrated");
        }
        if !before.newer.is_empty() {
            tracing::info!(versions = ?before.newer, "a newer version has migrated the database");
        }
        Ok(store)
    }

    /// Opens the store and brings its tables up to date, which the audit log tells of; tells how far they were before.
    /// `actor` and `origin` say on whose behalf.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn migrated(settings: &Database, actor: &str, origin: &str) -> Result<(Self, Schema), NotOpened> {
        let (store, before) = match settings.connection() {
            Connection::Sqlite(path) => {
                let before = SqliteStore::schema(&path).await?;
                (Self::Sqlite(Arc::new(SqliteStore::open(&path).await?)), before)
            }
            Connection::Postgres(url) => {
                let store = PostgresStore::new(&autopr_wiring::postgres(settings, &url))?;
                let before = store.migrate().await?;
                (Self::Postgres(Arc::new(store)), before)
            }
        };
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
            store.port().audit(&entry).await?;
        }
        Ok((store, before))
    }

    /// Opens the store with the tables it has.
    async fn as_it_is(settings: &Database) -> Result<Self, NotOpened> {
        Ok(match settings.connection() {
            Connection::Sqlite(path) => Self::Sqlite(Arc::new(SqliteStore::open(&path).await?)),
            Connection::Postgres(url) => {
                Self::Postgres(Arc::new(PostgresStore::new(&autopr_wiring::postgres(settings, &url))?))
            }
        })
    }

    /// The store behind its port.
    pub fn port(&self) -> Arc<dyn Operations> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
        }
    }

    /// Ends what is under way and closes it.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// How far the tables are. Changes nothing.
///
/// # Errors
/// When the database can't be reached.
pub async fn schema(settings: &Database) -> Result<Schema, NotOpened> {
    Ok(match settings.connection() {
        Connection::Sqlite(path) => SqliteStore::schema(&path).await?,
        Connection::Postgres(url) => PostgresStore::new(&autopr_wiring::postgres(settings, &url))?.schema().await?,
    })
}

/// Where the database is, for people: without a password.
pub fn place(settings: &Database) -> String {
    match settings.connection() {
        Connection::Sqlite(path) => absolute(path).display().to_string(),
        Connection::Postgres(url) => url.masked(),
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// All migrations of the kind of database that the settings name.
pub fn migrations(settings: &Database) -> &'static [Migration] {
    match settings.connection() {
        Connection::Sqlite(_) => SqliteStore::migrations(),
        Connection::Postgres(_) => PostgresStore::migrations(),
    }
}
