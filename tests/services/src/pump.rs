//! What stands between SQS and a Lambda function at AWS, where it is called an event source mapping.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Carries messages from a queue to a function, as AWS does for a function with `ReportBatchItemFailures`: a batch is one
/// invocation, what it handled is deleted, and what it failed at is left alone, so that it appears again once it has been
/// hidden for the queue's visibility time-out, and reaches the dead letters when the queue says so.
#[derive(Debug, Clone)]
pub struct Pump {
    queue_url: String,
    endpoint: String,
    batch: usize,
    window: Duration,
    at_once: usize,
    client: reqwest::Client,
}

/// What a pump has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pumped {
    /// How often the function was invoked.
    pub invocations: usize,
    /// Invocations that had no result, of which no message was deleted.
    pub failed_invocations: usize,
    /// Messages received, each as often as it was.
    pub received: usize,
    /// Messages deleted.
    pub deleted: usize,
}

#[derive(Default)]
struct Counts {
    invocations: AtomicUsize,
    failed_invocations: AtomicUsize,
    received: AtomicUsize,
    deleted: AtomicUsize,
}

impl Pump {
    /// A pump for the queue of this URL, which is asked at the URL's own host and port: batches of up to ten, one after
    /// the other, without waiting for more messages than there are.
    ///
    /// # Panics
    ///
    /// When the URL has no host.
    pub fn new(queue_url: &str) -> Self {
        let (scheme, rest) = queue_url.split_once("://").expect("the address of a queue");
        let host = rest.split('/').next().expect("a host");
        Self {
            queue_url: queue_url.to_owned(),
            endpoint: format!("{scheme}://{host}/"),
            batch: 10,
            window: Duration::ZERO,
            at_once: 1,
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        }
    }

    /// How many messages a batch has at most (`BatchSize`).
    #[must_use]
    pub fn batch(mut self, messages: usize) -> Self {
        self.batch = messages;
        self
    }

    /// How long messages are gathered before a batch is handed on that is not full (`MaximumBatchingWindowInSeconds`).
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How many invocations there are at once (`MaximumConcurrency`).
    #[must_use]
    pub fn at_once(mut self, invocations: usize) -> Self {
        self.at_once = invocations;
        self
    }

    /// Pumps until it is told to stop; then it receives no more and waits for the invocations under way.
    ///
    /// # Panics
    ///
    /// When the queue can't be reached or refuses a request.
    pub async fn run<F, R, E>(&self, invoke: F, stop: CancellationToken) -> Pumped
    where
        F: Fn(Value) -> R,
        R: Future<Output = Result<Value, E>> + Send + 'static,
        E: Display,
    {
        let counts = Arc::new(Counts::default());
        let free = Arc::new(Semaphore::new(self.at_once));
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            let place = tokio::select! {
                place = Arc::clone(&free).acquire_owned() => place.expect("it is never closed"),
                () = stop.cancelled() => break,
            };
            // To its end in any case: what is received and not handed on would stay hidden for long.
            let messages = self.receive().await;
            if messages.is_empty() {
                continue;
            }
            counts.received.fetch_add(messages.len(), Ordering::Relaxed);
            counts.invocations.fetch_add(1, Ordering::Relaxed);
            let result = invoke(event(&self.queue_url, &messages));
            let (pump, counts) = (self.clone(), Arc::clone(&counts));
            running.spawn(async move {
                let done = match result.await {
                    Ok(answer) => handled(&messages, &answer),
                    Err(error) => {
                        eprintln!("the function failed: {error}");
                        counts.failed_invocations.fetch_add(1, Ordering::Relaxed);
                        Vec::new()
                    }
                };
                for message in done {
                    let handle = json!({ "QueueUrl": pump.queue_url, "ReceiptHandle": message["ReceiptHandle"] });
                    pump.call("DeleteMessage", handle).await;
                    counts.deleted.fetch_add(1, Ordering::Relaxed);
                }
                drop(place);
            });
            while let Some(ended) = running.try_join_next() {
                ended.expect("an invocation");
            }
        }
        while let Some(ended) = running.join_next().await {
            ended.expect("an invocation");
        }
        counts.read()
    }

    /// The messages of the next batch.
    async fn receive(&self) -> Vec<Value> {
        // A long poll, but short enough to hear soon that the pump is to stop.
        let mut messages = self.receive_some(self.batch, 1).await;
        let begun = Instant::now();
        while !messages.is_empty() && messages.len() < self.batch && begun.elapsed() < self.window {
            messages.extend(self.receive_some(self.batch - messages.len(), 1).await);
        }
        messages
    }

    async fn receive_some(&self, most: usize, seconds: u64) -> Vec<Value> {
        let request = json!({
            "QueueUrl": self.queue_url,
            "MaxNumberOfMessages": most.min(10),
            "WaitTimeSeconds": seconds,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let answer = self.call("ReceiveMessage", request).await;
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// SQS's JSON protocol.
    async fn call(&self, action: &str, body: Value) -> Value {
        let request = self
            .client
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            // Emulators look at the service in it, not at the signature.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00",
            )
            .body(body.to_string());
        let response = request.send().await.unwrap_or_else(|error| panic!("{action}: {error}"));
        let status = response.status();
        let text = response.text().await.unwrap_or_else(|error| panic!("{action}: {error}"));
        assert!(status.is_success(), "{action}: {status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
    }
}

impl Counts {
    fn read(&self) -> Pumped {
        Pumped {
            invocations: self.invocations.load(Ordering::Relaxed),
            failed_invocations: self.failed_invocations.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
            deleted: self.deleted.load(Ordering::Relaxed),
        }
    }
}

/// The event that a function gets
/// (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).
fn event(queue_url: &str, messages: &[Value]) -> Value {
    let mut parts = queue_url.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let account = parts.next().unwrap_or_default();
    let arn = format!("arn:aws:sqs:us-east-1:{account}:{name}");
    let records: Vec<Value> = messages.iter().map(|message| record(message, &arn)).collect();
    json!({ "Records": records })
}

fn record(message: &Value, arn: &str) -> Value {
    let attributes: Map<String, Value> = message["MessageAttributes"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let mut attribute = json!({
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
            });
            for (theirs, ours) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
                if let Some(text) = value.get(theirs) {
                    attribute[ours] = text.clone();
                }
            }
            (name.clone(), attribute)
        })
        .collect();
    json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes").cloned().unwrap_or_else(|| json!({})),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-east-1",
    })
}

/// The messages that are to be deleted by the function's answer. One that names an unknown message or none has the whole
/// batch come again, as at AWS (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).
fn handled(messages: &[Value], answer: &Value) -> Vec<Value> {
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) if answer.is_null() || answer.is_object() => return messages.to_vec(),
        Some(Value::Array(failures)) => failures,
        _ => return Vec::new(),
    };
    let failed: Vec<&Value> = failures.iter().map(|failure| &failure["itemIdentifier"]).collect();
    if failed.iter().any(|id| messages.iter().all(|message| message["MessageId"] != **id)) {
        return Vec::new();
    }
    messages.iter().filter(|message| !failed.contains(&&message["MessageId"])).cloned().collect()
}
