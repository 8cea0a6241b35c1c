//! The service of Google Cloud Run as its built program, behind a push subscription of Pub/Sub's emulator, with a PostgreSQL
//! database and the fake GitHub.

mod proxy;

use std::sync::Arc;

use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use autopr_fakes::google::FakeGoogle;
use autopr_services::{Postgres, PubSub};
use jiff::Timestamp;
use serde_json::{Value, json};

pub use proxy::{Breakage, PushProxy};

use crate::built;
use crate::server::{SECRET, Server, Setup};
use crate::world::{NAME, OWNER};

/// The audience of good tokens.
pub const AUDIENCE: &str = "https://gcp-service-xyz.a.run.app";

/// The account that good tokens speak for.
pub const ACCOUNT: &str = "pusher@acme-prod.iam.gserviceaccount.com";

/// The project of all names.
const PROJECT: &str = "projects/acme-prod";

/// How many times as fast as the machine's the clock of [`Gcp::fast`] runs.
const TIMES: u32 = 20;

/// What a test of the service needs.
pub struct Gcp {
    /// GitHub.
    pub github: FakeGitHub,
    /// Who signs tokens.
    pub google: Arc<FakeGoogle>,
    /// Pub/Sub.
    pub pubsub: PubSub,
    /// What pushes come through.
    pub proxy: PushProxy,
    /// The database's address.
    pub database: String,
    setup: Setup,
    http: reqwest::Client,
    begun: Timestamp,
}

impl Gcp {
    /// Everything but the service; none where there is no emulator of Pub/Sub, which is said on standard error. A message is
    /// delivered five times before it becomes a dead letter.
    pub async fn new(setup: impl FnOnce(Setup) -> Setup) -> Option<Self> {
        let pubsub = PubSub::start()?;
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
        );
        let app = github.install_app(OWNER);
        let google = Arc::new(FakeGoogle::start());
        let proxy = PushProxy::start(google.clone()).await;
        let begun = Timestamp::now();
        let database = Postgres::shared().create_database(&format!("gcp_{}", begun.as_nanosecond()));
        let setup = setup(Setup::app(&github, &app))
            .binary(built("gcp-service"))
            .set("DATABASE_URL", &database)
            .set("PUBSUB_EMULATOR_HOST", &pubsub.address())
            .set("AUTOPR_QUEUE_URL", &format!("{PROJECT}/topics/reviews"))
            .set("AUTOPR_PUSH_AUDIENCE", AUDIENCE)
            .set("AUTOPR_PUSH_SERVICE_ACCOUNT", ACCOUNT)
            .set("AUTOPR_PUSH_KEYS_URL", google.keys_url());
        let http = reqwest::Client::new();
        let gcp = Self { github, google, pubsub, proxy, database, setup, http, begun };
        gcp.put("topics/reviews", &json!({})).await;
        gcp.put("topics/dead", &json!({})).await;
        gcp.put("subscriptions/dead-letters", &json!({ "topic": format!("{PROJECT}/topics/dead") })).await;
        let subscription = json!({
            "topic": format!("{PROJECT}/topics/reviews"),
            "pushConfig": { "pushEndpoint": gcp.proxy.address() },
            "ackDeadlineSeconds": 600,
            "deadLetterPolicy": { "deadLetterTopic": format!("{PROJECT}/topics/dead"), "maxDeliveryAttempts": 5 },
            "retryPolicy": { "minimumBackoff": "0s", "maximumBackoff": "1s" },
        });
        gcp.put("subscriptions/reviews", &subscription).await;
        Some(gcp)
    }

    /// What the service is started with.
    pub fn setup(&self) -> Setup {
        self.setup.clone()
    }

    /// A service by a clock that runs faster than the machine's, so that a lease is over in seconds.
    pub fn fast(&self) -> Setup {
        let (start, times) = (self.begun.to_string(), TIMES.to_string());
        let fast = self.setup().binary(built("autopr-fast-gcp"));
        fast.set("AUTOPR_FAST_START", &start).set("AUTOPR_FAST_TIMES", &times).set("AUTOPR_FAST_AHEAD", "0")
    }

    /// Starts a service, which GitHub and the subscription are told of.
    pub fn start(&self, setup: Setup) -> Server {
        let server = tokio::task::block_in_place(|| Server::start(setup));
        self.attach(&server);
        server
    }

    /// Tells GitHub and the subscription where a service is.
    pub fn attach(&self, server: &Server) {
        self.github.send_webhooks_to(&server.webhook(), SECRET);
        self.proxy.target(server.url("/pubsub/push"));
    }

    /// Opens a pull request with this diff and delivers that; its number.
    pub async fn open(&self, diff: &str) -> u64 {
        let pull = NewPull::new("Count the totals", diff.to_owned()).author("dev");
        let number = self.github.open_pull(OWNER, NAME, pull);
        let delivery = self.github.deliver_pull_request(OWNER, NAME, number, "opened").await;
        assert_eq!(delivery.status_code, 202, "{delivery:?}");
        number
    }

    /// How many reviews a pull request has.
    pub fn reviews(&self, number: u64) -> usize {
        self.github.reviews(OWNER, NAME, number).len()
    }

    /// Executions by their states, such as `succeeded 2`.
    pub fn executions(&self) -> Vec<String> {
        let sql = "SELECT status || ' ' || count(*) FROM workflow_executions GROUP BY status ORDER BY status";
        let told = autopr_services::psql(&self.database, sql).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    /// A good token.
    pub fn token(&self) -> String {
        self.google.sign(&FakeGoogle::claims(AUDIENCE, ACCOUNT))
    }

    /// Posts to a service, with an `Authorization` header if one is given; the status and the body of the answer.
    pub async fn post(&self, url: &str, authorization: Option<&str>, body: String) -> (u16, Value) {
        let mut request = self.http.post(url).header("content-type", "application/json").body(body);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Has a service sweep, as Cloud Scheduler does.
    pub async fn sweep(&self, server: &Server) {
        let bearer = format!("Bearer {}", self.token());
        let (status, told) = self.post(&server.url("/sweep"), Some(&bearer), String::new()).await;
        assert_eq!(status, 204, "{told}");
    }

    /// Publishes a message of any text.
    pub async fn publish(&self, body: &str) {
        let data = data_encoding::BASE64.encode(body.as_bytes());
        self.call("topics/reviews:publish", &json!({ "messages": [{ "data": data }] })).await;
    }

    /// Takes the dead letters that are there; their texts.
    pub async fn dead_letters(&self) -> Vec<String> {
        let wanted = json!({ "maxMessages": 10, "returnImmediately": true });
        let told = self.call("subscriptions/dead-letters:pull", &wanted).await;
        let messages = told["receivedMessages"].as_array().cloned().unwrap_or_default();
        let text = |message: &Value| {
            let data = message["message"]["data"].as_str().unwrap_or_default();
            String::from_utf8(data_encoding::BASE64.decode(data.as_bytes()).expect("base64")).expect("text")
        };
        messages.iter().map(text).collect()
    }

    async fn put(&self, name: &str, body: &Value) {
        let answer = self.http.put(self.address(name)).json(body).send().await.expect("an answer");
        let (status, told) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success(), "{name}: {told}");
    }

    async fn call(&self, name: &str, body: &Value) -> Value {
        let answer = self.http.post(self.address(name)).json(body).send().await.expect("an answer");
        let (status, told) = (answer.status(), answer.json().await.unwrap_or_default());
        assert!(status.is_success(), "{name}: {told}");
        told
    }

    fn address(&self, name: &str) -> String {
        format!("{}/{PROJECT}/{name}", self.pubsub.rest())
    }
}
