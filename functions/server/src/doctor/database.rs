//! The database: whether it can be reached and is new enough, its tables, its latency, its connections and its clock.

use autopr_core::ports::schema::Schema;
use autopr_core::yaml::Diagnostic;
use autopr_runtime::settings::{Connection, Database, Pooler};
use autopr_store_postgres::{Inspector, Options, Server};
use autopr_wiring::MOST_APART;

use super::report::{Check, milliseconds};
use super::{sqlite, stored, told, unclear, within};

/// What names the database. A mistake in one of them leaves nothing to look at.
const KEYS: [&str; 7] = [
    "database.url",
    "database.host",
    "database.port",
    "database.username",
    "database.password",
    "database.name",
    "database.pooler",
];

/// The oldest version of PostgreSQL that is tested.
const OLDEST: i32 = 150_000;

/// From this round trip on every step of an execution feels it, in milliseconds.
pub(super) const SLOW: f64 = 20.0;

/// From how many seconds on clocks that differ are told of.
const NOTED_APART: u64 = 2;

const UNREACHED: &str = "correct database.url (DATABASE_URL), and see that the server runs and lets this machine in";

pub(super) async fn checks(database: &Database, mistakes: &[Diagnostic]) -> Vec<Check> {
    if let Some(check) = unclear("database.server", mistakes, &KEYS) {
        return vec![check];
    }
    match database.connection() {
        Connection::Sqlite(path) => sqlite::checks(database, &path).await,
        Connection::Postgres(url) => {
            let place = url.masked();
            let options = autopr_wiring::postgres(database, &url);
            postgres(database, &options, &place).await
        }
    }
}

async fn postgres(database: &Database, options: &Options, place: &str) -> Vec<Check> {
    const NAME: &str = "database.server";
    let unreached = |fault| Check::failed(NAME, format!("{place} can't be used: {}", told(&fault)), UNREACHED);
    let connected = within(NAME, UNREACHED, Inspector::connect(options)).await;
    let mut inspector = match connected.and_then(|connected| connected.map_err(unreached)) {
        Ok(inspector) => inspector,
        Err(check) => return vec![check],
    };
    let asked = within(NAME, UNREACHED, inspector.server()).await;
    let server = match asked.and_then(|server| server.map_err(unreached)) {
        Ok(server) => server,
        Err(check) => return vec![check],
    };
    let mut checks = vec![
        version(&server, place),
        migrations(&server.schema, database.migrate_on_start),
        latency(&server),
        pool(&server, database),
        clock(&server),
    ];
    let queue = inspector.queue();
    checks.extend(stored::checks(&server.schema, queue).await);
    inspector.close().await;
    checks
}

fn version(server: &Server, place: &str) -> Check {
    const NAME: &str = "database.server";
    let Server { version, number, read_only, .. } = server;
    let found = format!("PostgreSQL {version} at {place}");
    let check = if *number < OLDEST {
        let fix = "upgrade the server to PostgreSQL 15 or newer";
        Check::failed(NAME, format!("{found} is older than 15"), fix)
    } else if *read_only {
        Check::failed(NAME, format!("{found} takes no writes"), "set database.url to the primary, not to a standby")
    } else {
        Check::ok(NAME, found)
    };
    check.value("version", version.as_str())
}

/// How far the tables are.
pub(super) fn migrations(schema: &Schema, migrates: bool) -> Check {
    const NAME: &str = "database.migrations";
    const FIX: &str = "run `autopr migrate`";
    let list = |versions: Vec<String>| versions.join(", ");
    let pending = schema.pending.iter().map(|migration| format!("{} {}", migration.version, migration.name)).collect();
    let newer = schema.newer.iter().map(ToString::to_string).collect();
    let check = match (schema.pending.len(), schema.newer.len()) {
        (0, 0) => Check::ok(NAME, "the tables are up to date"),
        (0, _) => {
            let found = format!("a newer version has applied {}, which this one does not know", list(newer));
            Check::warning(NAME, found, "end the upgrade: run the newer version everywhere")
        }
        (_, _) if migrates => Check::warning(NAME, format!("{} will be applied at the next start", list(pending)), FIX),
        (_, _) => {
            let found = format!("{} not applied, and database.migrate_on_start is off", list(pending));
            Check::failed(NAME, found, FIX)
        }
    };
    check.value("pending", schema.pending.len()).value("unknown", schema.newer.len())
}

fn latency(server: &Server) -> Check {
    const NAME: &str = "database.latency";
    let milliseconds = milliseconds(server.latency);
    let found = format!("{milliseconds} ms for a round trip");
    let check = match milliseconds > SLOW {
        true => {
            let fix = "run this process in the database's own zone, or see what slows the network or the server";
            Check::warning(NAME, format!("{found}, more than {SLOW} ms"), fix)
        }
        false => Check::ok(NAME, found),
    };
    check.value("latency_ms", milliseconds)
}

/// Beside its pool a process has a connection for putting messages on the queue and one for hearing of them.
const BESIDE: u32 = 2;

fn pool(server: &Server, database: &Database) -> Check {
    const NAME: &str = "database.pool";
    let Server { max_connections, reserved, in_use, .. } = server;
    let most = database.pool_size.saturating_add(database.max_overflow).saturating_add(BESIDE);
    let given = max_connections.saturating_sub(*reserved);
    let check = if database.pooler != Pooler::None {
        Check::ok(NAME, format!("{most} connections at most, to a pooler; {in_use} of the server's {given} are in use"))
    } else if most > given {
        let found = format!("a process may open {most} connections, and the server gives out {given}");
        let fix = format!(
            "lower database.pool_size and database.max_overflow to {} together, or raise the server's max_connections",
            given.saturating_sub(BESIDE)
        );
        Check::failed(NAME, found, fix)
    } else {
        let fit = given / most.max(1);
        let replicas = super::count(u64::from(fit), "process");
        let replicas = if fit == 1 { replicas } else { format!("{fit} processes") };
        Check::ok(NAME, format!("a process opens {most} connections at most; the server's {given} do for {replicas}"))
    };
    check.value("pool", most).value("server", given).value("in_use", *in_use)
}

fn clock(server: &Server) -> Check {
    const NAME: &str = "database.clock";
    const FIX: &str = "set the clocks of both machines by NTP";
    let apart = server.clocks_apart.as_secs();
    let found = format!("{:.1} s apart from this machine's", server.clocks_apart.as_secs_f64());
    let check = match apart {
        0..NOTED_APART => Check::ok(NAME, found),
        NOTED_APART..=MOST_APART => Check::warning(NAME, found, FIX),
        _ => Check::failed(NAME, format!("{found}; no process starts from {MOST_APART} s on"), FIX),
    };
    check.value("apart_s", (server.clocks_apart.as_secs_f64() * 1000.0).round() / 1000.0)
}
