//! The functions of AWS Lambda as their built programs, in AWS's emulator of their environment, around a queue and secrets of
//! Moto, a PostgreSQL database, the fake GitHub and what stands in for API Gateway.

mod gateway;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use autopr_services::{InvokeError, Moto, Postgres, Pump, Pumped, Rie};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub use gateway::{TRACE, gateway};

use crate::built;
use crate::server::{PATIENCE, SECRET, Setup};
use crate::world::{NAME, OWNER};

/// How many times as fast as the machine's the clock of [`Aws::fast_function`] runs.
const TIMES: u32 = 20;

/// What a test of the functions needs.
pub struct Aws {
    /// GitHub.
    pub github: FakeGitHub,
    /// SQS and Secrets Manager.
    pub moto: Moto,
    /// The queue.
    pub queue: String,
    /// Where messages go that were handed out too often.
    pub dead: String,
    /// A client of both.
    pub sqs: Client,
    /// The database's address.
    pub database: String,
    setup: Setup,
    folder: TempDir,
    begun: Timestamp,
}

impl Aws {
    /// Everything but the functions. A message is hidden for `visibility` seconds and handed out `receives` times at most.
    pub async fn new(visibility: u32, receives: u32, setup: impl FnOnce(Setup) -> Setup) -> Self {
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
        );
        let app = github.install_app(OWNER);
        let setup = setup(Setup::app(&github, &app));
        let moto = Moto::start();
        let sqs = client(&moto);
        let dead = create(&sqs, "dead", &[]).await;
        let arn = "arn:aws:sqs:us-east-1:123456789012:dead";
        let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": receives }).to_string();
        let attributes = [
            (QueueAttributeName::VisibilityTimeout, visibility.to_string()),
            (QueueAttributeName::RedrivePolicy, redrive),
        ];
        let queue = create(&sqs, "reviews", &attributes).await;
        let begun = Timestamp::now();
        let name = format!("aws_{}", begun.as_nanosecond());
        let database = Postgres::shared().create_database(&name);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("configs")).expect("a folder");
        let file = folder.path().join("configs/development.yaml");
        std::fs::write(file, setup.file()).expect("the settings are written");
        Self { github, moto, queue, dead, sqs, database, setup, folder, begun }
    }

    /// An environment of a function, with these variables besides.
    pub fn function(&self, name: &str, variables: &[(&str, &str)]) -> Arc<Rie> {
        self.environment(built(name), variables)
    }

    /// An environment of a function whose clock runs faster than the machine's, so that a lease is over in seconds.
    pub fn fast_function(&self, name: &str, variables: &[(&str, &str)]) -> Arc<Rie> {
        let (times, start) = (TIMES.to_string(), self.begun.to_string());
        let fast = [
            ("AUTOPR_FAST_FUNCTION", name),
            ("AUTOPR_FAST_START", &start),
            ("AUTOPR_FAST_TIMES", &times),
            ("AUTOPR_FAST_AHEAD", "0"),
        ];
        self.environment(built("autopr-fast-lambda"), &[&fast, variables].concat())
    }

    fn environment(&self, program: PathBuf, variables: &[(&str, &str)]) -> Arc<Rie> {
        let own = |(name, value): (&'static str, &str)| (name, value.to_owned());
        let folder = self.folder.path().to_string_lossy();
        let mut env: Vec<(&str, String)> = [
            ("AUTOPR_QUEUE_URL", self.queue.as_str()),
            ("AWS_ENDPOINT_URL", &self.moto.endpoint()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("DATABASE_URL", &self.database),
            ("LAMBDA_TASK_ROOT", &folder),
        ]
        .map(own)
        .to_vec();
        env.extend(self.setup.env().map(|(name, value)| (name, value.to_owned())));
        env.retain(|(name, _)| !variables.iter().any(|(other, _)| other == name));
        env.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Arc::new(Rie::start(&program, &env))
    }

    /// The webhook function behind an API of API Gateway, which GitHub is told of.
    pub async fn webhook(&self) -> Arc<Rie> {
        let webhook = self.function("aws-webhook", &[]);
        let url = gateway(webhook.clone()).await;
        self.github.send_webhooks_to(&format!("{url}/webhooks/github"), SECRET);
        webhook
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

    /// Executions by their states, such as `succeeded 2`; none before a function has made the tables.
    pub fn executions(&self) -> Vec<String> {
        let sql = "SELECT status || ' ' || count(*) FROM workflow_executions GROUP BY status ORDER BY status";
        let told = autopr_services::psql(&self.database, sql).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    /// The numbers of the sessions that functions have with the database.
    pub fn sessions(&self) -> Vec<String> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'autopr'";
        let told = autopr_services::psql(&self.database, sql).expect("an answer");
        told.lines().map(str::to_owned).collect()
    }

    /// Keeps a secret in Secrets Manager.
    pub async fn secret(&self, name: &str, value: &str) {
        let secrets = self.secrets();
        secrets.create_secret().name(name).secret_string(value).send().await.expect("a secret");
    }

    /// Gives a secret another value.
    pub async fn change_secret(&self, name: &str, value: &str) {
        let secrets = self.secrets();
        secrets.put_secret_value().secret_id(name).secret_string(value).send().await.expect("its value");
    }

    fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(self.moto.endpoint());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    /// Puts a message on the queue.
    pub async fn send(&self, body: &str) {
        self.sqs.send_message().queue_url(&self.queue).message_body(body).send().await.expect("it is taken");
    }

    /// How many messages a queue has, hidden ones among them.
    pub async fn messages(&self, queue: &str) -> u32 {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = self.sqs.get_queue_attributes().queue_url(queue).set_attribute_names(Some(wanted.to_vec()));
        let told = asked.send().await.expect("an answer");
        let number = |name| told.attributes().and_then(|told| told.get(name)).and_then(|text| text.parse::<u32>().ok());
        wanted.iter().map(|name| number(name).expect("a number")).sum()
    }

    /// Pumps messages to the function until `done`, then lets what is under way end.
    pub async fn pump_until<F: Future<Output = bool>>(
        &self,
        function: &Arc<Rie>,
        pump: Pump,
        what: &str,
        done: impl Fn() -> F,
    ) -> Pumped {
        let stop = CancellationToken::new();
        let invoke = |event: Value| {
            let function = function.clone();
            async move { function.invoke(&event).await.map_err(|error: InvokeError| format!("{error:?}")) }
        };
        let wait = async {
            eventually(what, done).await;
            stop.cancel();
        };
        tokio::select! {
            (pumped, ()) = async { tokio::join!(pump.run(invoke, stop.clone()), wait) } => pumped,
            () = tokio::time::sleep(2 * PATIENCE) => panic!("{what}\n{}", function.log()),
        }
    }
}

/// Waits until something holds, for as long as a failing test may take.
pub async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A client of Moto.
pub(crate) fn client(moto: &Moto) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(moto.endpoint());
    Client::from_conf(config.build())
}

/// Makes a queue; its URL.
pub(crate) async fn create(sqs: &Client, name: &str, attributes: &[(QueueAttributeName, String)]) -> String {
    let attributes = attributes.iter().cloned().collect();
    let made = sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await.expect("a queue");
    made.queue_url().expect("its URL").to_owned()
}
