//! The same edges at the real binary, with the limits that ship.

use autopr_e2e::server::{Server, Setup};
use autopr_fakes::github::FakeGitHub;

use super::*;

/// What GitHub sends at most.
const MOST: usize = 25 * 1024 * 1024;

fn server() -> (FakeGitHub, Server) {
    let github = FakeGitHub::start();
    let server = Server::start(Setup::token(&github, &github.token("dev")));
    (github, server)
}

fn connect(server: &Server) -> Client {
    let address = server.url("");
    Client::connect(address.trim_start_matches("http://").parse().expect("an address"))
}

#[test]
fn more_than_25_mib_is_refused_whether_announced_or_not() {
    let (_github, server) = server();
    let mut announced = connect(&server);
    announced.send(format!("{}Content-Length: {}\r\n\r\n", head("d", b""), MOST + 1));
    assert_eq!(announced.answer().problem(413), "the body has more than 26214400 bytes");
    let mut grown = connect(&server);
    grown.send(format!("{}Transfer-Encoding: chunked\r\n\r\n", head("d", b"")));
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    for _ in 0..25 {
        grown.send(&chunk);
    }
    grown.send("1\r\nx\r\n");
    assert_eq!(grown.answer().problem(413), "the body has more than 26214400 bytes");
}

#[test]
fn twenty_five_mib_are_read() {
    let (_github, server) = server();
    let body = vec![b' '; MOST];
    let mut client = connect(&server);
    client.send(format!("{}Content-Length: {MOST}\r\n\r\n", head("d", &body))).send(&body);
    // Nothing but spaces is no event; that this is said means that all of them were read and the signature is right.
    let told = "the body is not a `pull_request` event: it ends too early at line 1, column 26214400";
    assert_eq!(client.answer().problem(400), told);
}

#[test]
fn problems_and_health_are_those_of_the_contract() {
    let (_github, server) = server();
    let mut client = connect(&server);
    client.send("GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n");
    client.answer().problem(404);
    client.send("DELETE /webhooks/github HTTP/1.1\r\nHost: test\r\n\r\n");
    client.answer().problem(405);
    client.send("GET /api/health?detailed=true HTTP/1.1\r\nHost: test\r\n\r\n");
    let health = client.answer();
    assert_eq!((health.status, &health.body["dependencies"]["database"]["status"]), (200, &"healthy".into()));
    assert!(health.body["version"].as_str().is_some_and(|version| version.starts_with("0.")), "{health:?}");
    client.send("GET /api/ready HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    client.send("not http at all\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    assert_eq!(client.rest(), "");
}
