//! Backups of a real PostgreSQL: they come back whole and the engine runs on them, what is damaged is found out, and the archived
//! log brings back any moment. The figures that the drill measures are printed.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use autopr_e2e::server::{PATIENCE, block_on, scripted_model};
use autopr_e2e::world::{CLEAN, NAME, NOTHING, OWNER, World, risky};
use autopr_e2e::{autopr, binary, workspace};
use autopr_fakes::github::NewPull;
use autopr_fakes::model::{Reply, Vendor};
use autopr_services::{Moto, Postgres, PostgresOptions};
use jiff::Timestamp;
use tempfile::TempDir;

/// The scripts, and the folder that they put backups into, where the server's own user can reach both.
struct Backups {
    folder: TempDir,
    env: Vec<(String, String)>,
}

impl Backups {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let open =
            |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode is set");
        open(folder.path(), 0o755);
        let tools = folder.path().join("tools");
        fs::create_dir(&tools).expect("a folder");
        open(&tools, 0o755);
        for file in fs::read_dir(workspace().join("deploy/backup")).expect("the scripts") {
            let file = file.expect("a script").path();
            let to = tools.join(file.file_name().expect("a name"));
            fs::copy(&file, &to).expect("it is copied");
            open(&to, 0o755);
        }
        for name in ["kept", "work"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
            // As /tmp is: the server's user writes there too.
            open(&folder.path().join(name), 0o1777);
        }
        let mut backups = Self { folder, env: Vec::new() };
        let kept = backups.path("kept");
        backups.set("BACKUP_TARGET", &kept);
        let work = backups.path("work");
        backups.set("BACKUP_WORK", &work);
        backups
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).into_os_string().into_string().expect("a path in UTF-8")
    }

    /// Keys of age, with which dumps are encrypted.
    fn encrypted(mut self) -> Self {
        let identity = self.path("identity");
        said(Command::new("age-keygen").args(["-o", &identity]));
        let recipient = said(Command::new("age-keygen").args(["-y", &identity]));
        let recipients = self.path("recipients");
        fs::write(&recipients, recipient).expect("written");
        self.set("BACKUP_AGE_RECIPIENTS", &recipients).set("BACKUP_AGE_IDENTITY", &identity);
        self
    }

    /// A pair of keys, with which they are signed.
    fn signed(mut self) -> Self {
        let (private, public) = (self.path("signing.pem"), self.path("verify.pem"));
        said(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out", &private]));
        said(Command::new("openssl").args(["pkey", "-in", &private, "-pubout", "-out", &public]));
        self.set("BACKUP_SIGNING_KEY", &private).set("BACKUP_VERIFY_KEY", &public);
        self
    }

    /// One of the scripts.
    fn tool(&self, name: &str) -> Command {
        self.command(&self.path(&format!("tools/{name}")))
    }

    fn drill(&self) -> Command {
        let mut drill = self.command(workspace().join("scripts/restore-drill").to_str().expect("a path in UTF-8"));
        drill.env("AUTOPR_BACKUP_TOOLS", self.path("tools")).env("AUTOPR_BIN", binary());
        drill
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.folder.path());
        command
    }

    /// Dumps a database; the backup's stamp.
    fn dump(&self, url: &str) -> String {
        said(self.tool("backup").env("DATABASE_URL", url)).trim().to_owned()
    }

    /// The file of a backup with that end.
    fn file(&self, kind: &str, stamp: &str, end: &str) -> PathBuf {
        self.folder.path().join(format!("kept/{kind}/{stamp}{end}"))
    }

    /// Makes the sums of a backup those of its files again.
    fn sum_again(&self, stamp: &str) {
        let folder = self.folder.path().join("kept/dump");
        let names: Vec<String> = [".dump", ".manifest"].iter().map(|end| format!("{stamp}{end}")).collect();
        let sums = said(Command::new("sha256sum").args(&names).current_dir(&folder));
        fs::write(folder.join(format!("{stamp}.sums")), sums).expect("written");
    }
}

/// Runs a program that must end well; its standard output.
fn said(command: &mut Command) -> String {
    let (ok, out) = ran(command);
    assert!(ok, "{command:?}\n{out}");
    out
}

/// Runs a program that must fail; what it says.
fn refused(command: &mut Command) -> String {
    let (ok, out) = ran(command);
    assert!(!ok, "{command:?} should fail\n{out}");
    out
}

/// Whether a program ended well, and its standard output then, or all that it says.
fn ran(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match status.success() {
        true => (true, text(stdout)),
        false => (false, text(stdout) + &text(stderr)),
    }
}

/// A figure of the drill's.
fn figure(told: &str, name: &str) -> f64 {
    let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{told}"))
}

/// An empty database with the engine's tables.
fn migrated(postgres: &Postgres, name: &str) -> String {
    let url = postgres.create_database(name);
    let folder = tempfile::tempdir().expect("a folder");
    said(autopr().arg("migrate").env("DATABASE_URL", &url).current_dir(folder.path()));
    url
}

#[test]
fn a_dump_comes_back_and_the_engine_runs_on_it() {
    let postgres = Postgres::shared();
    let url = postgres.create_database("lived_in");
    let model = scripted_model();
    model.by_default(Reply::answer(NOTHING));
    let world = World::new(&risky(), |setup| setup.models(&model, &[Vendor::OpenAi]).set("DATABASE_URL", &url));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    let second = world.github.open_pull(OWNER, NAME, NewPull::new("Count again", CLEAN.to_owned()).author("dev"));
    assert_eq!(block_on(world.github.deliver_pull_request(OWNER, NAME, second, "opened")).status_code, 202);
    world.server.finished(2);

    // It is taken while the engine works, and with a password in the address, which a process's arguments must not show.
    let backups = Backups::new().encrypted().signed();
    let secret = url.replace("autopr@", "autopr:hunter%202@");
    let stamp = backups.dump(&secret);
    for entry in fs::read_dir(backups.path("kept/dump")).expect("the backup") {
        let path = entry.expect("a file").path();
        let content = fs::read(&path).expect("its content");
        assert!(!content.windows(6).any(|bytes| bytes == b"PGDMP\x01"), "{} is not encrypted", path.display());
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o077, 0, "{}", path.display());
    }
    said(&mut backups.tool("check"));

    let told = said(backups.drill().arg("--dump").arg(&stamp));
    println!("{told}");
    assert!(told.contains("tables have the rows they had"), "{told}");
    assert!(told.contains("checks of what belongs together, nothing is wrong"), "{told}");
    assert!(told.contains("engine: ready, shows 2 of the newest executions"), "{told}");
    // What was written since the dump is lost: seconds here, up to a day where one is made a day.
    assert!(figure(&told, "rpo_seconds") < 120.0 && figure(&told, "rto_seconds") < 300.0, "{told}");

    // The drill fails when it takes longer than is allowed, or when more is lost.
    let late = refused(backups.drill().args(["--dump", "--max-rto", "0"]));
    assert!(late.contains("0 are allowed"), "{late}");
    let lost = refused(backups.drill().args(["--disaster", "2099-01-01T00:00:00Z"]));
    assert!(lost.contains("seconds of work are lost, 90000 are allowed"), "{lost}");
    // A database that holds something is not written over.
    let kept = refused(backups.tool("restore").env("RESTORE_URL", &url));
    assert!(kept.contains("tables already: restore into an empty one"), "{kept}");
}

#[test]
fn a_dump_that_is_cut_off_or_changed_is_found_out() {
    let postgres = Postgres::shared();
    let url = migrated(postgres, "tampered");
    // Rows enough that they are a part of the dump that its list does not show.
    postgres.psql(
        "tampered",
        "INSERT INTO audit_log (key, at, actor, origin, action, subject)
        SELECT md5(n::text), now(), md5(random()::text), 'test', 'test', md5(random()::text) FROM generate_series(1, 5000) n",
    );

    let plain = Backups::new();
    let stamp = plain.dump(&url);
    let dump = plain.file("dump", &stamp, ".dump");
    let manifest = plain.file("dump", &stamp, ".manifest");
    let whole = fs::read(&dump).expect("the dump");
    let rows = fs::read_to_string(&manifest).expect("the manifest");
    let check = || refused(&mut plain.tool("check"));
    let restored = || {
        fs::write(&dump, &whole).expect("restored");
        fs::write(&manifest, &rows).expect("restored");
        plain.sum_again(&stamp);
        said(&mut plain.tool("check"));
    };

    File::options().write(true).open(&dump).expect("the dump").set_len(whole.len() as u64 / 2).expect("cut off");
    assert!(check().contains("is not what was put there"));
    // Whoever cuts it off may also make the sums right; then its rows end too early.
    plain.sum_again(&stamp);
    assert!(check().contains("is cut off or damaged"), "{}", check());
    restored();

    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(&dump, &flipped).expect("changed");
    assert!(check().contains("is not what was put there"));
    plain.sum_again(&stamp);
    assert!(check().contains("is cut off or damaged"), "{}", check());
    restored();

    // A row less than there were: the dump is fine in itself.
    fs::write(&manifest, rows.replace("audit_log 500", "audit_log 501")).expect("changed");
    plain.sum_again(&stamp);
    let empty = postgres.create_database("tampered_back");
    let told = refused(plain.tool("restore").env("RESTORE_URL", &empty));
    assert!(
        told.contains("there were: rows audit_log 501") && told.contains("there are: rows audit_log 500"),
        "{told}"
    );
    restored();

    fs::remove_file(&dump).expect("removed");
    assert!(check().contains("is missing"));
    fs::write(&dump, &whole).expect("restored");
    // What has no sums was not finished.
    fs::remove_file(plain.file("dump", &stamp, ".sums")).expect("removed");
    assert!(check().contains("there is no backup"));
    restored();
    let old = refused(plain.tool("check").args(["--max-age", "-1"]));
    assert!(old.contains("seconds old"), "{old}");

    // With a signature even right sums do not help.
    let signed = Backups::new().signed();
    let stamp = signed.dump(&url);
    said(&mut signed.tool("check"));
    let dump = signed.file("dump", &stamp, ".dump");
    let other = plain.file("dump", &fs_stamp(&plain), ".dump");
    fs::copy(other, &dump).expect("another dump in its place");
    signed.sum_again(&stamp);
    let told = refused(&mut signed.tool("check"));
    assert!(told.contains("is not signed by the key"), "{told}");
    fs::remove_file(signed.file("dump", &stamp, ".sig")).expect("removed");
    let told = refused(&mut signed.tool("check"));
    assert!(told.contains("is not signed"), "{told}");

    // With another key nothing can be read.
    let sealed = Backups::new().encrypted();
    sealed.dump(&url);
    let told = refused(sealed.tool("check").env("BACKUP_AGE_IDENTITY", Backups::new().encrypted().path("identity")));
    assert!(told.contains("can't be decrypted"), "{told}");
}

/// The stamp of the newest dump.
fn fs_stamp(backups: &Backups) -> String {
    said(backups.tool("newest").arg("dump")).trim().to_owned()
}

#[test]
fn what_does_not_belong_together_is_found_out() {
    let postgres = Postgres::shared();
    let url = migrated(postgres, "torn");
    let backups = Backups::new();
    let compare = || ran(backups.tool("compare").arg(&url));
    assert!(compare().0, "{}", compare().1);
    let execution = "INSERT INTO workflow_executions (id, workflow_id, execution_id, status, completed_at, definition_digest,
            delivery_id, repository, pull_request, event, event_at, created_at, updated_at)
        VALUES ('00000000-0000-7000-8000-000000000001', NULL, 'e', 'cancelled', now(), 'd', 'd', 'r', 1, '{}', now(), now(), now())";
    for (tear, name, mend) in [
        (
            "SET session_replication_role = replica;
            INSERT INTO execution_memos VALUES ('00000000-0000-7000-8000-000000000009', 'k', '')",
            "execution_memos.execution_memos_execution_id_fkey: 1 rows",
            "DELETE FROM execution_memos",
        ),
        (execution, "executions_without_workflow: 1 rows", "SELECT 1"),
        (
            "UPDATE workflow_executions SET completed_at = NULL",
            "executions_ended_without_a_time: 1 rows",
            "DELETE FROM workflow_executions",
        ),
        (
            "INSERT INTO messages (body, turn, available_at) VALUES ('', 0, now()), ('', 0, now());
            SELECT setval(pg_get_serial_sequence('messages', 'id'), 1)",
            "messages.id_sequence: too low",
            "DELETE FROM messages",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_messages_turn'::regclass",
            "indexes_not_valid: 1 rows",
            "UPDATE pg_index SET indisvalid = true",
        ),
        (
            "INSERT INTO budget_reservations (scope, reserved, updated_at) VALUES ('day', -1, now())",
            "budgets_below_zero: 1 rows",
            "DELETE FROM budget_reservations",
        ),
    ] {
        postgres.psql("torn", tear);
        let (sound, told) = compare();
        assert!(!sound && told.contains(name), "{name} is not in\n{told}");
        postgres.psql("torn", mend);
    }
    assert!(compare().0, "{}", compare().1);
}

#[test]
fn old_backups_go_and_the_newest_stays() {
    let postgres = Postgres::shared();
    let url = migrated(postgres, "aged");
    let mut backups = Backups::new();
    let text = backups.path("metrics");
    backups.set("BACKUP_METRICS", &text);
    let first = backups.dump(&url);
    let aged = |days: i64| {
        (Timestamp::now() - Duration::from_hours(24 * days.unsigned_abs())).strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    let (old, young) = (aged(31), aged(29));
    for stamp in [&old, &young] {
        for end in [".dump", ".manifest"] {
            fs::copy(backups.file("dump", &first, end), backups.file("dump", stamp, end)).expect("copied");
        }
        backups.sum_again(stamp);
    }
    let kept = || {
        let files = fs::read_dir(backups.path("kept/dump")).expect("the backups");
        let mut names: Vec<String> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect();
        names.retain(|name| name.ends_with(".dump"));
        names.sort();
        names
    };
    std::thread::sleep(Duration::from_millis(1100)); // stamps are whole seconds
    let second = backups.dump(&url);
    assert_eq!(kept(), [format!("{young}.dump"), format!("{first}.dump"), format!("{second}.dump")]);

    // A dump that can't be made removes nothing, and tells no success.
    let before = fs::read_to_string(format!("{text}-dump.prom")).expect("the metrics");
    assert!(before.contains("\nautopr_backup_last_success_timestamp_seconds 1"), "{before}");
    refused(backups.tool("backup").env("DATABASE_URL", postgres.url("nowhere")).env("BACKUP_KEEP_DAYS", "0"));
    let nothing = postgres.create_database("without_tables");
    let told = refused(backups.tool("backup").env("DATABASE_URL", nothing).env("BACKUP_KEEP_DAYS", "0"));
    assert!(told.contains("the database has no tables"), "{told}");
    assert_eq!(kept().len(), 3);
    assert_eq!(fs::read_to_string(format!("{text}-dump.prom")).expect("the metrics"), before);
}

#[test]
fn backups_are_kept_in_the_storage_of_a_cloud() {
    let moto = Moto::start();
    let postgres = Postgres::shared();
    let url = migrated(postgres, "in_the_cloud");
    let mut backups = Backups::new().encrypted();
    for (name, value) in [
        ("BACKUP_TARGET", "rclone:store:backups/autopr"),
        ("RCLONE_CONFIG_STORE_TYPE", "s3"),
        ("RCLONE_CONFIG_STORE_PROVIDER", "Other"),
        ("RCLONE_CONFIG_STORE_ENDPOINT", &moto.endpoint()),
        ("RCLONE_CONFIG_STORE_REGION", "us-east-1"),
        ("RCLONE_CONFIG_STORE_ACCESS_KEY_ID", "test"),
        ("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", "test"),
        ("RCLONE_CONFIG_STORE_FORCE_PATH_STYLE", "true"),
    ] {
        backups.set(name, value);
    }
    said(backups.command("rclone").args(["--config", "/dev/null", "mkdir", "store:backups"]));
    assert!(refused(&mut backups.tool("check")).contains("there is no backup"));
    let stamp = backups.dump(&url);
    said(&mut backups.tool("check"));
    // A server whose statements are to be short, as the engine's are, lets a backup and a restore take their time.
    let empty = postgres.create_database("from_the_cloud");
    for database in ["from_the_cloud", "in_the_cloud"] {
        postgres.psql("postgres", &format!("ALTER DATABASE {database} SET statement_timeout = '1ms'"));
    }
    said(backups.tool("restore").env("RESTORE_URL", &empty));
    said(backups.tool("compare").arg(&url));
    let files = said(backups.command("rclone").args(["--config", "/dev/null", "lsf", "store:backups/autopr/dump"]));
    assert_eq!(files, format!("{stamp}.dump.age\n{stamp}.manifest\n{stamp}.sums\n"));
    // A place that is away is no empty place.
    drop(moto);
    refused(&mut backups.tool("check"));
}

/// The archived log, piece by piece.
fn archived_files(backups: &Backups) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = fs::read_dir(backups.path("kept/wal")).expect("the archive");
    let files = folders.flat_map(|folder| fs::read_dir(folder.expect("a folder").path()).expect("it is read"));
    let whole = files
        .map(|file| file.expect("a piece").path())
        .filter(|path| path.extension().is_none_or(|end| end != "partial"));
    whole.map(|path| (path.clone(), fs::read(path).expect("a piece"))).collect()
}

/// How often the server archives what it has, in seconds.
const ARCHIVE_TIMEOUT: u32 = 2;

#[test]
fn the_archived_log_brings_back_any_moment() {
    let backups = Backups::new().encrypted();
    // The server's user encrypts and does not decrypt. In the drill it does, with a key that only we may read.
    fs::set_permissions(backups.path("recipients"), Permissions::from_mode(0o644)).expect("its mode is set");
    let config: String = backups.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(backups.path("backup.env"), config).expect("written");
    fs::set_permissions(backups.path("backup.env"), Permissions::from_mode(0o644)).expect("its mode is set");
    let archive = format!(
        "BACKUP_CONFIG=\"{}\" \"{}\" \"%p\" \"%f\"",
        backups.path("backup.env"),
        backups.path("tools/archive-wal")
    );
    // Set where a copy of the files takes them along: the drill's own server must not heed them.
    let mut postgres = Postgres::start_with(&PostgresOptions::default());
    for (name, value) in [
        ("archive_mode", "on"),
        ("archive_timeout", &ARCHIVE_TIMEOUT.to_string()),
        ("archive_command", &archive),
        ("port", &postgres.port().to_string()),
        ("listen_addresses", "127.0.0.1"),
        ("lc_messages", "C"),
    ] {
        postgres.psql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
    }
    postgres.restart();
    let url = migrated(&postgres, "autopr");
    said(backups.tool("base-backup").env("DATABASE_URL", &url));
    // A copy knows the second in which it was whole, and counts from the next one on.
    std::thread::sleep(Duration::from_millis(1100));
    let note = |count: u32, action: &str| {
        postgres.psql(
            "autopr",
            &format!(
                "INSERT INTO audit_log (key, at, actor, origin, action, subject)
                SELECT gen_random_uuid(), now(), 'test', 'test', '{action}', n::text FROM generate_series(1, {count}) n"
            ),
        );
    };
    let rows = || {
        let counts = fs::read_to_string(workspace().join("deploy/backup/counts.sql")).expect("the counts");
        let file = backups.path("counts.sql");
        fs::write(&file, counts).expect("written");
        let told = said(Command::new("psql").args(["-X", "-q", "-A", "-t", "-F", " ", "-f", &file, &url]));
        told.lines()
            .map(|line| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number"))
            .sum::<u64>()
    };

    // Somebody removes everything; a moment later they notice.
    note(100, "before");
    let at_the_moment = rows();
    let moment = postgres.psql("autopr", "SELECT clock_timestamp() AT TIME ZONE 'UTC'").replace(' ', "T") + "Z";
    std::thread::sleep(Duration::from_millis(50));
    postgres.psql("autopr", "TRUNCATE audit_log, workflows CASCADE");
    note(1, "after");
    assert_ne!(rows(), at_the_moment);
    let archived = postgres.psql("autopr", "SELECT pg_walfile_name(pg_switch_wal())");
    let begun = Instant::now();
    while postgres.psql("autopr", &format!("SELECT last_archived_wal >= '{archived}' FROM pg_stat_archiver")) != "t" {
        assert!(begun.elapsed() < PATIENCE, "{archived} is not archived\n{}", postgres.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = said(backups.drill().args(["--time", &moment]).env("BACKUP_DATABASE", "autopr"));
    println!("to a moment:\n{told}");
    assert!(told.contains(&format!("rows: {at_the_moment} in ")), "{at_the_moment} rows, {told}");
    // The drill's server became one of its own, on the next timeline, of which the archive must not hear.
    let foreign = |archived: &BTreeMap<PathBuf, Vec<u8>>| {
        let names = archived.keys().filter_map(|path| path.file_name()?.to_str());
        names.filter(|name| !name.starts_with("00000001")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(foreign(&archived_files(&backups)), Vec::<String>::new(), "the drill writes to the archive");

    // The machine is lost with its disk while it writes: only the archive is left.
    let stop = AtomicBool::new(false);
    let disaster = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                note(10, "work");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        std::thread::sleep(Duration::from_secs(3 * u64::from(ARCHIVE_TIMEOUT)));
        let disaster = Timestamp::now();
        stop.store(true, Ordering::Relaxed);
        disaster
    });
    postgres.kill();
    // What it was just archiving comes to its end by itself.
    let mut before = archived_files(&backups);
    let begun = Instant::now();
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = archived_files(&backups);
        if now == before {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the archive grows without a server");
        before = now;
    }
    let drill = |backups: &Backups| {
        let mut drill = backups.drill();
        drill.arg("--latest").args(["--disaster", &disaster.to_string()]).env("BACKUP_DATABASE", "autopr");
        drill
    };
    let told = said(&mut drill(&backups));
    println!("to the end of the archive, archive_timeout = {ARCHIVE_TIMEOUT}:\n{told}");
    // Not less than nothing and not more than a few pieces of the log that were on their way.
    let lost = figure(&told, "rpo_seconds");
    assert!(lost > 0.0 && lost < 30.0, "{told}");
    assert!(
        archived_files(&backups) == before,
        "the drill changes the archive: {:?}",
        foreign(&archived_files(&backups))
    );
    let late = refused(drill(&backups).args(["--max-rpo", "0"]));
    assert!(late.contains("seconds of work are lost, 0 are allowed"), "{late}");

    // A piece that was changed stops the recovery: the server must not open with less than there is.
    let pieces = fs::read_dir(backups.path("kept/wal"))
        .expect("the archive")
        .flat_map(|folder| fs::read_dir(folder.expect("a folder").path()).expect("it is read"));
    let mut pieces: Vec<PathBuf> = pieces
        .map(|file| file.expect("a piece").path())
        .filter(|path| !path.to_string_lossy().contains(".backup-"))
        .collect();
    pieces.sort();
    let piece = pieces.get(pieces.len() - 2).expect("several pieces");
    let mut content = fs::read(piece).expect("a piece");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(piece, content).expect("changed");
    let told = refused(&mut drill(&backups));
    assert!(told.contains("PostgreSQL does not start on the copy"), "{told}");
}
