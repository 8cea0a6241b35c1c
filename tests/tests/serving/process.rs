//! How `autopr serve` starts, and how it ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use autopr_e2e::autopr;
use autopr_e2e::server::{PATIENCE, block_on, scripted_model, signal};
use autopr_fakes::model::{Reply, Vendor};

use super::*;

/// Runs `autopr serve` on settings that it must refuse; its exit code and what it says.
fn refused(settings: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("settings.yaml"), settings).expect("the settings are written");
    let mut command = autopr();
    command.current_dir(folder.path()).args(["serve", "--config", "settings.yaml"]).envs(env.iter().copied());
    let output = command.output().expect("autopr runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn every_mistake_in_the_settings_is_named_before_anything_starts() {
    let (code, told) = refused(
        "environment: production\nserver: { port: 80800 }\nworkflow: { timeout: soon }\n",
        &[("OPENAI_API_KEY", "key"), ("GITHUB_APP_ID", "seven")],
    );
    assert_eq!(code, Some(2), "{told}");
    for place in ["settings.yaml:2:17", "settings.yaml:3:22", "GITHUB_APP_ID"] {
        assert!(told.contains(place), "{place} is not in:\n{told}");
    }
    for fix in ["65535", "write a whole number", "set GITHUB_WEBHOOK_SECRET", "name it in llm.providers.openai.model"] {
        assert!(told.contains(fix), "{fix} is not in:\n{told}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let free = "server: { host: 127.0.0.1, port: 0 }\nmonitoring: { metrics_port: 0 }\n";
    for (server, metrics, setting) in [(port, 0, "server.port (AUTOPR_PORT)"), (0, port, "monitoring.metrics_port")] {
        let settings = free.replace("port: 0 }\nm", &format!("port: {server} }}\nm"));
        let settings = settings.replace("metrics_port: 0", &format!("metrics_port: {metrics}"));
        let (code, told) = refused(&settings, &[("GITHUB_TOKEN", "t"), ("GITHUB_WEBHOOK_SECRET", "s")]);
        let expect = format!(
            "autopr: can't listen on 127.0.0.1:{port}: Address already in use (os error 98); choose another port with \
             {setting}\n"
        );
        // What stands before it is about the database, which is opened first.
        assert!(code == Some(2) && told.ends_with(&expect), "{told}");
    }
}

#[test]
fn a_database_that_can_not_be_opened_is_named_with_the_reason() {
    let settings = "server: { host: 127.0.0.1, port: 0 }\nmonitoring: { metrics_port: 0 }\n\
                    database: { url: \"sqlite://nowhere/autopr.db\" }\n";
    let (code, told) = refused(settings, &[("GITHUB_TOKEN", "t"), ("GITHUB_WEBHOOK_SECRET", "s")]);
    assert_eq!(code, Some(2));
    assert!(told.contains("can't open the database nowhere/autopr.db: "), "{told}");
    assert!(told.contains("unable to open database file"), "{told}");
}

fn connect(server: &Server) -> TcpStream {
    let address = server.url("");
    let stream = TcpStream::connect(address.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

#[test]
fn a_termination_ends_it_in_time_whatever_clients_do() {
    let (_github, mut server) = server();
    let silent = connect(&server);
    let mut half = connect(&server);
    half.write_all(b"POST /webhooks/github HTTP/1.1\r\nHost: t").expect("half a head");
    let mut idle: Vec<_> = (0..50).map(|_| connect(&server)).collect();
    for idle in &mut idle {
        idle.write_all(b"GET /api/ready HTTP/1.1\r\nHost: test\r\n\r\n").expect("a request");
        idle.read_exact(&mut [0; 12]).expect("an answer");
    }
    let mut stalling = connect(&server);
    let head = "POST /webhooks/github HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{";
    stalling.write_all(head.as_bytes()).expect("half a body");
    let begun = Instant::now();
    let status = server.stop();
    assert_eq!(status.code(), Some(0), "{status}");
    // A body that is being sent has ten seconds at most; idle clients have none.
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    drop((silent, half, idle));
}

#[test]
fn keep_alive_connections_do_not_hold_it_up() {
    let (_github, mut server) = server();
    let mut idle: Vec<_> = (0..20).map(|_| connect(&server)).collect();
    for idle in &mut idle {
        idle.write_all(b"GET /api/ready HTTP/1.1\r\nHost: test\r\n\r\n").expect("a request");
        idle.read_exact(&mut [0; 12]).expect("an answer");
    }
    let begun = Instant::now();
    assert_eq!(server.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn an_interrupt_is_told_apart() {
    let (_github, mut server) = server();
    signal(server.pid(), "INT");
    assert_eq!(server.wait().code(), Some(130));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (github, app) = github();
    let model = scripted_model();
    model.by_default(Reply::answer(r#"{"findings":[]}"#));
    let number = open_pull(&github);
    let mut server = Server::start(Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]));
    github.send_webhooks_to(&server.webhook(), SECRET);
    let held = model.hold();
    assert_eq!(block_on(github.deliver_pull_request("acme", "shop", number, "opened")).status_code, 202);
    block_on(held.arrived());
    signal(server.pid(), "TERM");
    server.logged("stopping", |line| (line["message"].as_str()?.starts_with("stopping")).then_some(()));
    let begun = Instant::now();
    signal(server.pid(), "TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(server.log().contains("stopped at once by a second signal"), "{}", server.log());
}

#[test]
fn a_worker_tells_of_its_health_beside_its_metrics() {
    let (github, app) = github();
    let folder = tempfile::tempdir().expect("a folder");
    let settings = format!(
        "server: {{ host: 127.0.0.1, port: 1 }}\nmonitoring: {{ metrics_port: 0 }}\nlogging: {{ format: json }}\n\
         github: {{ base_url: \"{}\" }}\n",
        github.url()
    );
    std::fs::write(folder.path().join("settings.yaml"), settings).expect("the settings are written");
    let mut child = autopr()
        .current_dir(folder.path())
        .args(["worker", "--config", "settings.yaml"])
        .envs([("GITHUB_APP_ID", &*app.app_id.to_string()), ("GITHUB_APP_PRIVATE_KEY", &*app.private_key)])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("autopr starts");
    let mut log = std::io::BufReader::new(child.stderr.take().expect("its log"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut log, &mut line).expect("a line");
    while !line.contains("\"metrics\"") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut log, &mut line).expect("a line") > 0, "the worker ended");
    }
    let told: Value = serde_json::from_str(&line).expect("JSON");
    let url = |path: &str| format!("http://{}{path}", told["address"].as_str().expect("an address"));
    let http = reqwest::blocking::Client::new();
    for path in ["/api/health", "/api/ready", "/metrics"] {
        assert_eq!(http.get(url(path)).send().expect("an answer").status(), 200, "{path}");
    }
    assert_eq!(http.post(url("/webhooks/github")).send().expect("an answer").status(), 404);
    signal(child.id(), "TERM");
    // The log is read to its end, so that the worker can write it.
    drop(log.read_to_string(&mut line));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
