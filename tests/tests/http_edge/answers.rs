//! What each request is answered with.

use autopr_runtime::http::Dependency;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::*;

/// A server in this process, asked without a network.
struct Asked {
    router: TowerToHyperService<axum::Router>,
    queue: Arc<TestQueue>,
    shutdown: CancellationToken,
}

impl Asked {
    fn new(edge: Edge) -> Self {
        let shutdown = CancellationToken::new();
        let (router, queue) = edge.router(&shutdown);
        Self { router: TowerToHyperService::new(router), queue, shutdown }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.router.call(request).await.expect("an answer");
        let mut head = format!("HTTP/1.1 {} -\r\n", answer.status().as_u16());
        for (name, value) in answer.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
        }
        Answer::new(&head, &answer.into_body().collect().await.expect("a body").to_bytes())
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// A signed delivery with some headers changed: an empty value leaves one out.
    async fn deliver(&self, secret: &str, changed: &[(&str, &str)]) -> Answer {
        let body = opened();
        let signature = sign(secret, &body);
        let mut request = Request::post("/webhooks/github");
        let usual = [
            ("x-github-event", "pull_request"),
            ("x-github-delivery", "d-1"),
            ("content-type", "application/json"),
            ("x-hub-signature-256", &signature),
        ];
        let is_changed = |name: &str| changed.iter().any(|(changed, _)| *changed == name);
        let kept = usual.iter().filter(|(name, _)| !is_changed(name));
        for (name, value) in kept.chain(changed).filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::from(body)).expect("a request")).await
    }

    fn taken(&self) -> usize {
        self.queue.taken.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_delivery_is_told_its_id_and_what_became_of_it() {
    let edge = Asked::new(Edge::default());
    let first = edge.deliver(SECRET, &[]).await;
    assert_eq!((first.status, first.body), (202, serde_json::json!({ "delivery": "d-1", "status": "queued" })));
    let second = edge.deliver(SECRET, &[]).await;
    assert_eq!((second.status, second.body), (202, serde_json::json!({ "delivery": "d-1", "status": "duplicate" })));
    let ping = edge.deliver(SECRET, &[("x-github-event", "ping")]).await;
    let expect = serde_json::json!({ "delivery": "d-1", "status": "ignored", "reason": "the webhook is set up" });
    assert_eq!((ping.status, ping.body), (202, expect));
    assert_eq!(edge.taken(), 1);
}

#[tokio::test]
async fn what_is_malformed_is_told_where_once_it_is_known_to_be_githubs() {
    let edge = Asked::new(Edge::default());
    for (changed, told) in [
        (("x-github-delivery", ""), "the header X-GitHub-Delivery is missing"),
        (("x-github-event", ""), "the header X-GitHub-Event is missing"),
        (
            ("content-type", "text/plain"),
            "the content type is neither application/json nor application/x-www-form-urlencoded",
        ),
        (("content-type", "application/x-www-form-urlencoded"), "the form has no field `payload`"),
    ] {
        assert_eq!(edge.deliver(SECRET, &[changed]).await.problem(400), told);
        // Who has not signed hears nothing of it.
        let told = edge.deliver("another", &[changed]).await.problem(401).to_owned();
        assert_eq!(told, "the signature does not match the body: is the secret the same on both sides?");
    }
    // GitHub's first message tells of a wrong content type too.
    edge.deliver(SECRET, &[("x-github-event", "ping"), ("content-type", "text/plain")]).await.problem(400);
    edge.deliver(SECRET, &[("x-github-delivery", "two words")]).await.problem(400);
    // Without a content type, or with parameters, it is JSON.
    assert_eq!(edge.deliver(SECRET, &[("content-type", "")]).await.status, 202);
    assert_eq!(edge.deliver(SECRET, &[("content-type", "Application/JSON; charset=utf-8")]).await.status, 202);
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_are_good() {
    let edge = Asked::new(Edge { secrets: vec!["new", "old"], ..Edge::default() });
    for (secret, status) in [("new", 202), ("old", 202), ("older", 401)] {
        assert_eq!(edge.deliver(secret, &[("x-github-delivery", secret)]).await.status, status);
    }
    assert_eq!(edge.taken(), 2);
    let none = Asked::new(Edge { secrets: vec![], ..Edge::default() });
    let told = none.deliver("", &[]).await;
    assert!(told.problem(401).contains("set GITHUB_WEBHOOK_SECRET"), "{told:?}");
}

#[tokio::test]
async fn a_queue_that_is_down_means_come_back_later() {
    let edge = Asked::new(Edge { taking: Taking::Fails, ..Edge::default() });
    let answer = edge.deliver(SECRET, &[]).await;
    let told = answer.problem(503);
    assert_eq!(told, "the queue can't be reached; the delivery was not accepted, send it again");
    assert_eq!(answer.header("retry-after"), Some("30"));
    // It was not accepted, so the next one is no duplicate.
    edge.deliver(SECRET, &[]).await.problem(503);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_answer_is_not_waited_for_longer_than_github_waits() {
    let edge = Asked::new(Edge { taking: Taking::Waits, ..Edge::default() });
    let begun = tokio::time::Instant::now();
    edge.deliver(SECRET, &[]).await.problem(503);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_mistake_in_the_program_is_an_answer_too_and_the_last_one_for_nobody() {
    let edge = Asked::new(Edge { taking: Taking::Panics, ..Edge::default() });
    for _ in 0..2 {
        assert_eq!(edge.deliver(SECRET, &[]).await.problem(500), "the server made a mistake");
    }
    assert_eq!(edge.get("/api/health").await.status, 200);
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems_too() {
    let edge = Asked::new(Edge::default());
    assert_eq!(edge.get("/api/nothing").await.problem(404), "there is nothing at /api/nothing");
    let answer = edge.get("/webhooks/github").await;
    assert_eq!(answer.problem(405), "this address does not take that method");
    assert_eq!(answer.header("allow"), Some("POST"));
    let post = Request::post("/api/health").body(Body::empty()).expect("a request");
    let answer = edge.ask(post).await;
    answer.problem(405);
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn a_request_keeps_the_id_it_came_with_unless_that_may_not_stand_in_a_log() {
    let edge = Asked::new(Edge::default());
    let with = |id: &str| Request::get("/nothing").header("x-request-id", id).body(Body::empty()).expect("a request");
    assert_eq!(edge.ask(with("proxy-1:2.3_4")).await.body["request_id"], "proxy-1:2.3_4");
    for hostile in ["", "two words", "{\"level\":\"error\"}", &"x".repeat(65)] {
        let answer = edge.ask(with(hostile)).await;
        answer.problem(404);
        let given = answer.header("x-request-id").expect("an id");
        assert!(given != hostile && given.len() == 36, "{given}");
    }
}

fn dependency(name: &'static str, required: bool, check: fn() -> Taking) -> Dependency {
    let check = move || -> futures_util::future::BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move {
            match check() {
                Taking::Takes => Ok(()),
                Taking::Waits => std::future::pending().await,
                _ => Err(Fault::unavailable("it is gone: password hunter2")),
            }
        })
    };
    Dependency { name, required, check: Box::new(check) }
}

#[tokio::test]
async fn health_is_of_the_process_and_in_detail_of_what_it_depends_on() {
    let dependencies =
        vec![dependency("database", true, || Taking::Takes), dependency("cache", false, || Taking::Fails)];
    let edge = Asked::new(Edge { dependencies, ..Edge::default() });
    let brief = edge.get("/api/health").await;
    let expect = serde_json::json!({ "status": "healthy", "version": "1.2.3", "uptime_seconds": 0 });
    assert_eq!((brief.status, brief.body), (200, expect));
    let head = edge.ask(Request::head("/api/health").body(Body::empty()).expect("a request")).await;
    assert_eq!((head.status, head.body), (200, Value::Null));
    for query in ["detailed=true", "detailed=1", "detailed", "x=y&detailed=true"] {
        let detail = edge.get(&format!("/api/health?{query}")).await;
        assert_eq!((detail.status, &detail.body["status"]), (200, &"degraded".into()), "{query}");
        assert_eq!(detail.body["dependencies"]["database"]["status"], "healthy");
        assert_eq!(detail.body["dependencies"]["cache"]["status"], "unhealthy");
        assert!(detail.body["dependencies"]["database"]["latency_ms"].as_f64().is_some_and(|ms| ms >= 0.0));
        assert!(!detail.body.to_string().contains("hunter2"), "{}", detail.body);
    }
    // What a monitor adds of its own does not make the process ill.
    for query in ["detailed=false", "detailed=perhaps", "cache_buster=%%%", "&&="] {
        let answer = edge.get(&format!("/api/health?{query}")).await;
        assert_eq!((answer.status, answer.body.get("dependencies")), (200, None), "{query}");
    }
    // What can be done without does not keep traffic away.
    assert_eq!(edge.get("/api/ready").await.status, 200);
}

#[tokio::test]
async fn no_traffic_is_wanted_without_the_database() {
    let dependencies = vec![dependency("database", true, || Taking::Fails)];
    let edge = Asked::new(Edge { dependencies, ..Edge::default() });
    let answer = edge.get("/api/ready").await;
    assert_eq!(answer.problem(503), "database can't be reached");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(edge.get("/api/health").await.status, 200);
    assert_eq!(edge.get("/api/health?detailed=true").await.body["status"], "unhealthy");
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_does_not_answer_is_not_waited_for() {
    let dependencies = vec![dependency("database", true, || Taking::Waits)];
    let edge = Asked::new(Edge { dependencies, ..Edge::default() });
    let begun = tokio::time::Instant::now();
    edge.get("/api/ready").await.problem(503);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn no_traffic_is_wanted_during_the_shutdown() {
    let edge = Asked::new(Edge::default());
    assert_eq!(edge.get("/api/ready").await.status, 200);
    edge.shutdown.cancel();
    assert_eq!(edge.get("/api/ready").await.problem(503), "the process is shutting down");
    assert_eq!(edge.get("/api/health").await.status, 200);
}
