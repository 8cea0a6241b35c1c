//! SQS, with what stands between it and the worker's function at AWS.

use std::sync::Arc;

use async_trait::async_trait;
use autopr_core::clock::{Clock, after};
use autopr_core::engine::Engine;
use autopr_core::ports::Store;
use autopr_queue_sqs::batch::{records, response};
use autopr_queue_sqs::{SqsQueue, TraceHeader, traced};
use autopr_services::{Moto, Pump};
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Adapter, Plug, RECEIVES, Shop, VISIBILITY};
use crate::aws::{client, create};

const TRACE: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";

/// How many batches are dealt with at once, of how many messages each.
const AT_ONCE: usize = 10;

/// A queue of Moto and the one for its dead letters.
pub async fn sqs(_: &Shop) -> Option<Arc<dyn Plug>> {
    let moto = Moto::start();
    let sqs = client(&moto);
    let dead = create(&sqs, "dead", &[]).await;
    let arn = "arn:aws:sqs:us-east-1:123456789012:dead";
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES }).to_string();
    let attributes = [
        (QueueAttributeName::VisibilityTimeout, VISIBILITY.as_secs().to_string()),
        (QueueAttributeName::RedrivePolicy, redrive),
    ];
    let queue = create(&sqs, "reviews", &attributes).await;
    Some(Arc::new(OfMoto { moto, sqs, queue, dead }))
}

struct OfMoto {
    moto: Moto,
    sqs: Client,
    queue: String,
    dead: String,
}

impl OfMoto {
    async fn receive(&self, queue: &str) -> Vec<Message> {
        let all = MessageSystemAttributeName::All;
        let request = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        let answer = request.visibility_timeout(0).message_system_attribute_names(all).send().await;
        answer.expect("an answer").messages.unwrap_or_default()
    }
}

#[async_trait]
impl Plug for OfMoto {
    async fn open(&self, _: Arc<dyn Store>, clock: Clock) -> Adapter {
        let pump = Pump::new(&self.queue).batch(1).at_once(AT_ONCE);
        Adapter {
            queue: Arc::new(SqsQueue::new(client(&self.moto), self.queue.clone())),
            consumer: Box::new(move |engine, shutdown, time| {
                Box::pin(async move {
                    let end = || time.map(|time| after(clock.now(), time));
                    let invoke = |event: Value| invocation(engine.clone(), event, end());
                    pump.run(invoke, shutdown).await;
                })
            }),
        }
    }

    fn traced<'f>(&self, publishing: BoxFuture<'f, ()>) -> BoxFuture<'f, ()> {
        Box::pin(traced(TraceHeader::parse(TRACE), publishing))
    }

    fn trace(&self) -> Option<&'static str> {
        Some(TRACE)
    }

    async fn traces(&self) -> Vec<Option<String>> {
        let told = self.receive(&self.queue).await;
        let of =
            |message: &Message| message.attributes.as_ref()?.get(&MessageSystemAttributeName::AwsTraceHeader).cloned();
        told.iter().map(of).collect()
    }

    async fn put(&self, body: &str) {
        self.sqs.send_message().queue_url(&self.queue).message_body(body).send().await.expect("it is taken");
    }

    async fn messages(&self) -> usize {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = self.sqs.get_queue_attributes().queue_url(&self.queue).set_attribute_names(Some(wanted.to_vec()));
        let told = asked.send().await.expect("an answer");
        let number = |name| told.attributes().and_then(|told| told.get(name)).and_then(|text| text.parse().ok());
        wanted.iter().map(|name| number(name).unwrap_or(0_usize)).sum()
    }

    async fn set_aside(&self) -> Vec<String> {
        self.receive(&self.dead).await.into_iter().filter_map(|message| message.body).collect()
    }
}

/// What the worker's function does with a batch.
async fn invocation(engine: Engine, event: Value, end: Option<Timestamp>) -> Result<Value, String> {
    let event: SqsEvent = serde_json::from_value(event).map_err(|error| error.to_string())?;
    let records = records(event);
    let handled = records.iter().map(|record| traced(record.trace_header.clone(), engine.handle(&record.body, end)));
    let results = join_all(handled).await;
    serde_json::to_value(response(&records, &results)).map_err(|error| error.to_string())
}
