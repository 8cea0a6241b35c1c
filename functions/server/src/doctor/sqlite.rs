//! A database in a file of SQLite.

use std::path::{Path, PathBuf};

use autopr_runtime::settings::Database;
use autopr_store_sqlite::{FileState, Inspector, SqliteStore};

use super::database::{SLOW, migrations};
use super::report::{Check, milliseconds};
use super::{stored, told, within};

const NAME: &str = "database.server";
const FIX: &str = "set database.url (DATABASE_URL) to sqlite://PATH in a folder that this user may write to";

pub(super) async fn checks(database: &Database, path: &Path) -> Vec<Check> {
    let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = place.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from("."));
    // The file has two others beside it while it is in use.
    if let Err(error) = tempfile::tempfile_in(&folder) {
        return vec![Check::failed(NAME, format!("the folder {} can't be written to: {error}", folder.display()), FIX)];
    }
    if !place.exists() {
        let found = format!("{} is not there yet", place.display());
        return vec![match database.migrate_on_start {
            true => Check::ok(NAME, format!("{found}; the first start makes it")),
            false => {
                Check::failed(NAME, format!("{found}, and database.migrate_on_start is off"), "run `autopr migrate`")
            }
        }];
    }
    let failed = |fault| Check::failed(NAME, told(&fault), FIX);
    let looked = within(NAME, FIX, async {
        let schema = SqliteStore::schema(&place).await?;
        let mut inspector = Inspector::open(&place).await?;
        let file = inspector.file().await?;
        Ok((schema, inspector, file))
    });
    let (schema, mut inspector, file) = match looked.await.and_then(|looked| looked.map_err(failed)) {
        Ok(found) => found,
        Err(check) => return vec![check],
    };
    let mut checks = vec![
        Check::ok(NAME, format!("SQLite {} in {}, {} KiB", file.version, place.display(), file.bytes.div_ceil(1024)))
            .value("version", file.version.as_str())
            .value("bytes", file.bytes),
        migrations(&schema, database.migrate_on_start),
        journal(&file),
        latency(&file),
    ];
    checks.extend(stored::checks(&schema, inspector.queue()).await);
    inspector.close().await;
    checks
}

fn journal(file: &FileState) -> Check {
    const NAME: &str = "database.journal";
    match file.journal.as_str() {
        "wal" => Check::ok(NAME, "reads and writes go side by side (WAL)"),
        other => {
            let found = format!("the journal's mode is {other}, so that reads wait for writes");
            Check::warning(
                NAME,
                found,
                "start `autopr serve` once on this file, on a disk of this machine, which sets WAL",
            )
        }
    }
}

fn latency(file: &FileState) -> Check {
    const NAME: &str = "database.latency";
    let milliseconds = milliseconds(file.latency);
    let found = format!("{milliseconds} ms for a read");
    let check = match milliseconds > SLOW {
        true => Check::warning(NAME, found, "put the file on a quicker disk, which is this machine's own"),
        false => Check::ok(NAME, found),
    };
    check.value("latency_ms", milliseconds)
}
