//! The self-hosted shape of production: `autopr` on PostgreSQL, which stops and comes back, and what operators do there.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use autopr_e2e::autopr;
use autopr_e2e::server::{SECRET, Server, Setup, block_on, scripted_model};
use autopr_fakes::github::{Delivery, FakeGitHub, Installed, NewPull, NewRepository, Permission};
use autopr_fakes::model::{Reply, Vendor};
use autopr_services::{Postgres, Stop};

/// A change without anything to find.
const HARMLESS: &str = "diff --git a/a.txt b/a.txt\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n\
                        +++ b/a.txt\n@@ -0,0 +1 @@\n+hello\n";

/// How long the database stays away: half a minute in a measurement, less among the other tests.
fn outage() -> Duration {
    Duration::from_secs(if std::env::var_os("AUTOPR_TEST_STRICT").is_some() { 30 } else { 6 })
}

fn github() -> (FakeGitHub, Installed) {
    let github = FakeGitHub::start();
    github.add_repository(NewRepository::new("acme", "shop").collaborator("dev", Permission::Write));
    let app = github.install_app("acme");
    (github, app)
}

fn open_pull(github: &FakeGitHub) -> u64 {
    github.open_pull("acme", "shop", NewPull::new("Say hello", HARMLESS).author("dev"))
}

/// A delivery that was tried: GitHub's number for it, the answer, and how long that took.
struct Tried {
    id: u64,
    status: u16,
    took: Duration,
}

/// Delivers the opening of a pull request.
fn deliver(github: &FakeGitHub, number: u64) -> Tried {
    tried(github.deliver_pull_request("acme", "shop", number, "opened"))
}

/// Delivers the same once more.
fn again(github: &FakeGitHub, id: u64) -> Tried {
    tried(github.redeliver(id))
}

fn tried(delivery: impl Future<Output = Delivery>) -> Tried {
    let begun = Instant::now();
    let Delivery { id, status_code, .. } = block_on(delivery);
    Tried { id, status: status_code, took: begun.elapsed() }
}

#[test]
fn what_is_in_flight_at_a_termination_is_handed_over_in_time() {
    let postgres = Postgres::shared();
    let url = postgres.create_database(&format!("handed_over_{}", std::process::id()));
    let (github, app) = github();
    let model = scripted_model();
    model.by_default(Reply::answer(r#"{"findings":[]}"#));
    let setup = Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]).set("DATABASE_URL", &url);
    let mut first = Server::start(setup.clone());
    github.send_webhooks_to(&first.webhook(), SECRET);
    assert_eq!(first.get("/api/health").0, 200);
    let held = model.hold();
    let number = open_pull(&github);
    assert_eq!(deliver(&github, number).status, 202);
    block_on(held.arrived());
    let begun = Instant::now();
    assert_eq!(first.stop().code(), Some(0), "{}", first.log());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(github.reviews("acme", "shop", number).len(), 0);
    held.release();
    let second = Server::start(setup);
    second.finished(1);
    assert_eq!(github.reviews("acme", "shop", number).len(), 1);
}

#[test]
fn postgres_goes_away_and_comes_back() {
    let mut postgres = Postgres::start();
    let url = postgres.create_database("autopr");
    let (github, app) = github();
    let server = Server::start(Setup::app(&github, &app).set("DATABASE_URL", &url));
    github.send_webhooks_to(&server.webhook(), SECRET);
    let first = open_pull(&github);
    assert_eq!(deliver(&github, first).status, 202);
    server.finished(1);

    // It ends, and later it hangs: the webhook is refused at once, or after a moment.
    let second = open_pull(&github);
    let mut last = None;
    for hangs in [false, true] {
        let begun = Instant::now();
        if hangs {
            postgres.pause()
        } else {
            postgres.stop(Stop::Fast)
        }
        let mut refused = 0;
        while refused < 3 || begun.elapsed() < outage() {
            let Tried { id, status, took } = last.map_or_else(|| deliver(&github, second), |id| again(&github, id));
            assert_eq!(status, 503, "hangs: {hangs}");
            assert!(took < Duration::from_secs(2), "{took:?}, hangs: {hangs}");
            last = Some(id);
            refused += 1;
        }
        assert_eq!(server.get("/api/health").0, 200, "it lives");
        if hangs { postgres.resume() } else { postgres.restart() }
    }

    // By itself it takes up again: the same delivery is taken now, once.
    let begun = Instant::now();
    while again(&github, last.expect("it was refused")).status != 202 {
        assert!(begun.elapsed() < autopr_e2e::server::PATIENCE, "it does not come back");
    }
    server.finished(2);
    assert_eq!(github.reviews("acme", "shop", first).len(), 1);
    assert_eq!(github.reviews("acme", "shop", second).len(), 1);
    let open = "SELECT (SELECT count(*) FROM workflow_executions WHERE status IN ('queued', 'running', 'parked'))
        || ' ' || (SELECT count(*) FROM workflow_executions) || ' ' || (SELECT count(*) FROM messages WHERE dead_reason IS NOT NULL)";
    assert_eq!(postgres.psql("autopr", open), "0 2 0", "nothing half written");
}

fn run(folder: &tempfile::TempDir, url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command: Command = autopr();
    let Output { status, stdout, stderr } =
        command.current_dir(folder.path()).env("DATABASE_URL", url).args(arguments).output().expect("autopr runs");
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

#[test]
fn operators_migrate_look_and_redrive() {
    let postgres = Postgres::shared();
    let url = postgres.create_database("operators");
    let folder = tempfile::tempdir().expect("a folder");
    let check = run(&folder, &url, &["migrate", "--check"]);
    assert_eq!((check.0, check.1.as_str()), (Some(1), "pending 1 initial\npending 2 operations\npending 3 heads\n"));
    let dry = run(&folder, &url, &["migrate", "--dry-run"]);
    assert!(dry.0 == Some(0) && dry.1.contains("CREATE TABLE workflow_executions"), "{}", dry.1);
    assert_eq!(run(&folder, &url, &["migrate", "--check"]).0, Some(1), "neither changed anything");
    let done = run(&folder, &url, &["migrate"]);
    assert!(
        done.0 == Some(0) && done.1.starts_with("applied 1 initial\napplied 2 operations\napplied 3 heads\n"),
        "{}",
        done.1
    );
    assert_eq!(run(&folder, &url, &["migrate", "--check"]), (Some(0), "up to date\n".to_owned()));

    assert_eq!(run(&folder, &url, &["messages", "list"]), (Some(0), "no message is set aside\n".to_owned()));
    let advance = r#"{"v":"1","type":"advance","execution":"00000000-0000-7000-8000-000000000001"}"#;
    let put = format!(
        "INSERT INTO messages (body, turn, available_at, receive_count, dead_reason)
        VALUES ('{advance}', 0, now(), 21, 'given back 20 times'), ('poison', 1, now(), 21, 'given back 20 times')"
    );
    postgres.psql("operators", &put);
    let listed = run(&folder, &url, &["messages", "list"]);
    assert_eq!(
        listed.1,
        "1  execution 00000000-0000-7000-8000-000000000001  taken 21 times, given back 20 times\n\
         2  6 bytes of another version  taken 21 times, given back 20 times\n"
    );
    assert_eq!(run(&folder, &url, &["messages", "show", "1"]), (Some(0), format!("{advance}\n")));
    assert_eq!(
        run(&folder, &url, &["messages", "redrive", "1"]),
        (Some(0), "message 1 is on the queue again\n".to_owned())
    );
    assert_eq!(run(&folder, &url, &["messages", "discard", "--all"]), (Some(0), "message 2 is gone\n".to_owned()));
    let missing = run(&folder, &url, &["messages", "redrive", "2"]);
    assert_eq!(missing.0, Some(1));
    assert_eq!(postgres.psql("operators", "SELECT count(*) FROM messages WHERE dead_reason IS NULL"), "1");
    let audit = run(&folder, &url, &["audit", "--json"]);
    let log: serde_json::Value = serde_json::from_str(&audit.1).expect("JSON");
    let actions: Vec<_> = log.as_array().expect("a list").iter().map(|entry| entry["action"].as_str()).collect();
    let wanted = ["message.discard", "message.redrive", "schema.migrate", "schema.migrate", "schema.migrate"];
    assert_eq!(actions, wanted.map(Some));
    assert_eq!(run(&folder, &url, &["executions"]), (Some(0), String::new()));
}

#[test]
fn a_server_refuses_tables_that_are_behind_when_it_may_not_migrate() {
    let url = Postgres::shared().create_database("behind");
    let (github, app) = github();
    let setup = Setup::app(&github, &app).set("DATABASE_URL", &url);
    let mut server = Server::launch(setup.settings("database:\n  migrate_on_start: false\n"));
    assert!(!server.listens());
    let log = server.log();
    assert!(log.contains("run `autopr migrate`"), "{log}");
}

#[test]
fn a_server_that_may_not_change_tables_works_on_those_there_are() {
    let postgres = Postgres::shared();
    let url = postgres.create_database("least");
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(run(&folder, &url, &["migrate"]).0, Some(0));
    let rights = "CREATE ROLE least LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO least;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO least";
    postgres.psql("least", rights);
    let (github, app) = github();
    let setup = Setup::app(&github, &app).set("DATABASE_URL", &url.replace("autopr@", "least@"));
    let server = Server::start(setup.settings("database:\n  migrate_on_start: false\n"));
    github.send_webhooks_to(&server.webhook(), SECRET);
    let number = open_pull(&github);
    assert_eq!(deliver(&github, number).status, 202);
    server.finished(1);
    assert_eq!(github.reviews("acme", "shop", number).len(), 1);
}
