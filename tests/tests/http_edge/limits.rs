//! Clients who are slow, silent, too large or too many.

use super::*;

const HEALTH: &str = "GET /api/health HTTP/1.1\r\nHost: test\r\n\r\n";

fn bodies(bytes: usize, time: Duration, all: usize) -> Edge {
    Edge { bodies: BodyLimits::new(bytes, time, all), ..Edge::default() }
}

fn limits(change: impl FnOnce(&mut ServeLimits)) -> Edge {
    let mut edge = Edge::default();
    change(&mut edge.limits);
    edge
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_before_it_is_read() {
    let serving = bodies(1000, PATIENCE, 10_000).serve();
    let mut client = serving.connect();
    // With `Expect`, a client sends the body only when it is asked to.
    client.send(format!("{}Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", head("d", b"")));
    let answer = client.answer();
    assert_eq!(answer.problem(413), "the body has more than 1000 bytes");
}

#[test]
fn a_body_that_grows_too_large_is_refused_and_the_client_still_hears_it() {
    let serving = bodies(1000, PATIENCE, 10_000).serve();
    let mut client = serving.connect();
    client.send(format!("{}Transfer-Encoding: chunked\r\n\r\n", head("d", b"")));
    // Far more than the server reads: that it closes must not break the sending before the answer is read.
    client.send(format!("400\r\n{}\r\n", "x".repeat(1024)).repeat(16 * 1024));
    assert_eq!(client.answer().problem(413), "the body has more than 1000 bytes");
    assert_eq!(client.rest(), "");
    assert_eq!(serving.taken(), 0);
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let body = opened();
    let serving = bodies(body.len(), PATIENCE, 10_000).serve();
    assert_eq!(serving.connect().send(delivery("d")).answer().status, 202);
    let serving = bodies(body.len() - 1, PATIENCE, 10_000).serve();
    assert_eq!(serving.connect().send(delivery("d")).answer().status, 413);
}

#[test]
fn a_body_that_stalls_is_given_up_and_its_memory_is_free_again() {
    const LARGE: usize = 900 * 1024;
    let serving = bodies(1 << 20, Duration::from_secs(1), 1 << 20).serve();
    let mut stalling = serving.connect();
    stalling.send(format!("{}Content-Length: {}\r\n\r\n", head("d", b""), LARGE + 1)).send(vec![b'x'; LARGE]);
    let mut body = opened();
    body.resize(LARGE, b' ');
    let large = |delivery: &str| {
        let mut request = format!("{}Content-Length: {LARGE}\r\n\r\n", head(delivery, &body)).into_bytes();
        request.extend_from_slice(&body);
        serving.connect().send(request).answer()
    };
    // There is no room for a second large one while the first is held, but always for a usual one.
    let begun = std::time::Instant::now();
    while large("second").status != 503 {
        assert!(begun.elapsed() < Duration::from_secs(1), "the memory of the first is not counted");
    }
    let refused = large("third");
    refused.problem(503);
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(serving.connect().send(delivery("small")).answer().status, 202);
    let answer = stalling.answer();
    assert_eq!(answer.problem(408), "the body did not arrive within 1 s");
    assert_eq!(large("fourth").status, 202);
}

#[test]
fn a_client_that_says_nothing_or_never_ends_its_head_is_shown_the_door() {
    let serving = limits(|limits| limits.head = SOON).serve();
    assert_eq!(serving.connect().rest(), "");
    let mut drip = serving.connect();
    drip.send("GET /api/health HTTP/1.1\r\nHost: test\r\nX-Slow: ");
    assert!(!drip.rest().contains(" 200 "));
    // So is one that has been answered and says nothing more.
    let mut idle = serving.connect();
    assert_eq!(idle.send(HEALTH).answer().status, 200);
    assert_eq!(idle.rest(), "");
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let serving = Edge::default().serve();
    let mut client = serving.connect();
    client.send(format!("GET /api/health HTTP/1.1\r\nHost: test\r\nX-Large: {}\r\n\r\n", "x".repeat(100 * 1024)));
    assert_eq!(client.answer().status, 431);
}

#[test]
fn more_connections_than_the_limit_wait_and_are_served() {
    let serving = limits(|limits| limits.connections = 2).serve();
    let mut first = serving.connect();
    let mut second = serving.connect();
    assert_eq!(first.send(HEALTH).answer().status, 200);
    assert_eq!(second.send(HEALTH).answer().status, 200);
    let mut waiting: Vec<_> = (0..20).map(|_| serving.connect()).collect();
    for client in &mut waiting {
        client.send("GET /api/health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    }
    // The two that have a place are served before any that waits.
    assert_eq!(first.send(HEALTH).answer().status, 200);
    waiting[0].0.set_read_timeout(Some(SOON)).expect("a time-out");
    waiting[0].0.read_exact(&mut [0]).expect_err("nobody answers while both places are taken");
    waiting[0].0.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    drop(first);
    for client in &mut waiting {
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(second.send(HEALTH).answer().status, 200);
}

#[test]
fn a_client_that_never_reads_is_cut_off() {
    let serving = limits(|limits| limits.unread = SOON).serve();
    let mut client = serving.connect();
    let many = HEALTH.repeat(100);
    // Its answers fill the buffers of the system, then the server waits, and then no more.
    let cut = (0..100_000).find_map(|_| client.0.write_all(many.as_bytes()).err());
    let kind = cut.expect("the server reads without end").kind();
    assert!(matches!(kind, std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe), "{kind}");
}

#[test]
fn a_shutdown_waits_for_requests_and_not_for_idle_clients() {
    let mut edge = Edge { taking: Taking::Waits, ..Edge::default() };
    edge.limits.head = PATIENCE;
    let mut serving = edge.serve();
    let _silent = serving.connect();
    let mut idle = serving.connect();
    assert_eq!(idle.send(HEALTH).answer().status, 200);
    let mut half = serving.connect();
    half.send("GET /api/health HTTP/1.1\r\nHost: te");
    let mut asking = serving.connect();
    asking.send(delivery("d"));
    block_on(serving.queue.arrived.acquire()).expect("the delivery is under way").forget();
    let begun = std::time::Instant::now();
    serving.shutdown.cancel();
    assert_eq!(idle.rest(), "");
    assert_eq!(half.rest(), "");
    assert!(begun.elapsed() < Duration::from_secs(5), "idle clients are waited for: {:?}", begun.elapsed());
    assert!(!serving.serving.is_finished(), "the delivery is not waited for");
    serving.queue.open.add_permits(1);
    assert_eq!(asking.answer().status, 202);
    block_on(&mut serving.serving).expect("the server ends");
    TcpStream::connect(serving.address).expect_err("nobody listens any more");
}
