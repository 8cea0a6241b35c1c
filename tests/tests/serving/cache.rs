//! Replicas that share a Redis, and what its end means for them: more work, nothing else.

use std::time::Instant;

use autopr_e2e::server::{PATIENCE, block_on, scripted_model};
use autopr_fakes::model::{Reply, Vendor};
use autopr_services::{Redis, RedisOptions, free_port};

use super::*;

/// What the server says of its health as a whole, and of Redis.
fn health(server: &Server) -> (String, String) {
    let (status, told) = server.get("/api/health?detailed=true");
    assert_eq!((status, server.get("/api/ready").0), (200, 200), "Redis is nothing a process needs");
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    (text(&told["status"]), text(&told["dependencies"]["redis"]["status"]))
}

fn words(health: (&str, &str)) -> (String, String) {
    (health.0.to_owned(), health.1.to_owned())
}

#[test]
fn replicas_share_a_cache_and_lose_nothing_with_it() {
    let (github, app) = github();
    let model = scripted_model();
    model.by_default(Reply::answer(r#"{"findings":[]}"#));
    let mut redis = Redis::start(RedisOptions::default());
    // Each has a database of its own here, so that nothing but the cache is shared.
    let setup = Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]).set("REDIS_URL", &redis.url());
    let mut servers = [Server::start(setup.clone()), Server::start(setup)];
    let number = open_pull(&github);
    let reviewed_by = |server: &Server, count: usize| {
        github.forget_requests();
        github.send_webhooks_to(&server.webhook(), SECRET);
        block_on(github.deliver_pull_request("acme", "shop", number, "reopened"));
        server.finished(count);
        github.requests().iter().filter(|request| request.path.contains("/contents/")).count()
    };
    assert_eq!((reviewed_by(&servers[0], 1), model.count()), (1, 1));
    assert_eq!((reviewed_by(&servers[1], 1), model.count()), (0, 1), "what one has read and was told, the other knows");
    assert_eq!(health(&servers[1]), words(("healthy", "healthy")));
    assert_eq!(redis.run(&["--raw", "dbsize"]), "3", "the pull request, the file that is absent, the answer");
    for key in redis.run(&["--raw", "keys", "*"]).lines() {
        let value = redis.run(&["--no-raw", "get", key]);
        assert!(!value.contains("ghs_") && !value.contains("PRIVATE KEY"), "a credential is under {key}");
    }

    redis.kill();
    assert_eq!(health(&servers[0]), words(("degraded", "unhealthy")));
    assert_eq!((reviewed_by(&servers[0], 2), model.count()), (1, 2), "done again, and done");
    servers[1].stop();
    servers[1].restart(|setup| setup);
    assert_eq!((reviewed_by(&servers[1], 1), model.count()), (1, 3), "a process starts without Redis");
    assert_eq!(github.reviews("acme", "shop", number).len(), 4);

    redis.restart();
    let begun = Instant::now();
    while health(&servers[0]) != words(("healthy", "healthy")) {
        assert!(begun.elapsed() < PATIENCE, "Redis is back and nobody notices");
        std::thread::sleep(Duration::from_millis(10));
    }
    reviewed_by(&servers[0], 3);
    assert_ne!(redis.run(&["--raw", "dbsize"]), "0", "it is used again");
    for server in &servers {
        let said = server.log().matches("Redis can't be reached").count();
        assert!(said <= 1, "said once for each outage, not {said} times");
    }
}

#[test]
fn an_address_of_redis_that_can_not_be_used_is_named() {
    let (github, app) = github();
    let url = format!("rediss://:hunter2@127.0.0.1:{}/0?sslrootcert=/nowhere.pem", free_port());
    let mut server = Server::launch(Setup::app(&github, &app).set("REDIS_URL", &url));
    assert!(!server.listens());
    assert_eq!(server.wait().code(), Some(2));
    let log = server.log();
    assert!(log.contains("redis.url (REDIS_URL) can't be used: sslrootcert: can't read /nowhere.pem"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}
