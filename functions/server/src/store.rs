//! The store that the settings name.

use std::path::PathBuf;
use std::sync::Arc;

use autopr_core::ports::Operations;
use autopr_core::ports::schema::{Migration, Schema};
use autopr_runtime::settings::{Connection, Database};
use autopr_store_postgres::PostgresStore;
use autopr_store_sqlite::SqliteStore;
use autopr_wiring::{NotMigrated, NotOpened};

/// A store of either kind.
pub enum AnyStore {
    /// In a file of SQLite.
    Sqlite(Arc<SqliteStore>),
    /// In a database of PostgreSQL.
    Postgres(Arc<PostgresStore>),
}

impl AnyStore {
    /// Opens the store with its tables up to date, which it brings about itself unless the settings say otherwise.
    ///
    /// # Errors
    /// When it can't be reached, or its tables are not up to date.
    pub async fn open(settings: &Database) -> Result<Self, NotOpened> {
        let (store, before) = match settings.connection() {
            Connection::Postgres(url) => {
                let options = autopr_wiring::postgres(settings, &url);
                let (store, before) = autopr_wiring::open_postgres(&options, settings.migrate_on_start).await?;
                (Self::Postgres(Arc::new(store)), before)
            }
            Connection::Sqlite(_) if settings.migrate_on_start => Self::migrated(settings, "engine", "start").await?,
            // Without a statement that changes tables: the user may not be allowed to.
            Connection::Sqlite(path) => {
                let schema = schema(settings).await?;
                match schema.pending.len() {
                    0 => (Self::Sqlite(Arc::new(SqliteStore::open(&path).await?)), schema),
                    pending => return Err(NotMigrated { pending }.into()),
                }
            }
        };
        autopr_wiring::tell(&before);
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
        autopr_wiring::note_migrations(store.port().as_ref(), &before, actor, origin).await?;
        Ok((store, before))
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
