//! The queue against Moto, and against a service that fails in ways Moto does not.

mod service;

use autopr_core::event::{Event, EventKind, PullRequestAction, Sender};
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::{DeliveryId, ExecutionId, PrNumber, RepoName};
use autopr_core::message::{CUT, Message, V1};
use autopr_core::ports::Queue;
use autopr_queue_sqs::{MAX_BYTES, SqsQueue, TraceHeader, traced};
use autopr_services::{Fault, FaultProxy, Moto};
use aws_sdk_sqs::types::{Message as Received, MessageSystemAttributeName, QueueAttributeName};
use jiff::Timestamp;
use std::time::{Duration, Instant};

use service::{Answer, Service, client};

const TRACE: &str = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";

fn event(delivery: &str, repository: &str, kind: EventKind) -> Event {
    Event {
        delivery: DeliveryId::new(delivery).unwrap(),
        at: Timestamp::UNIX_EPOCH,
        kind,
        repository: RepoName::new(repository).unwrap(),
        number: PrNumber(7),
        base: None,
        head: None,
        draft: false,
        labels: vec!["needs review".to_owned()],
        sender: Sender { login: "dev".to_owned(), bot: false },
        installation: None,
    }
}

fn opened(delivery: &str, repository: &str) -> Message {
    Message::event(event(delivery, repository, EventKind::PullRequest { action: PullRequestAction::Opened }))
}

fn advance(execution: ExecutionId) -> Message {
    Message::advance(execution, RepoName::new("acme/shop").unwrap())
}

fn command(delivery: &str, arguments: String) -> Message {
    let kind = EventKind::Command { name: "review".to_owned(), arguments, comment: None };
    Message::event(event(delivery, "acme/shop", kind))
}

/// A queue of Moto, and what a consumer does with it.
struct Consumer {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Consumer {
    async fn create(moto: &Moto, name: &str, attributes: &[(QueueAttributeName, &str)]) -> Self {
        let client = client(&moto.endpoint());
        let mut request = client.create_queue().queue_name(name);
        for (name, value) in attributes {
            request = request.attributes(name.clone(), *value);
        }
        let url = request.send().await.unwrap().queue_url.unwrap();
        Self { client, url }
    }

    fn queue(&self) -> SqsQueue {
        SqsQueue::new(self.client.clone(), self.url.clone())
    }

    async fn receive(&self) -> Vec<Received> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let request =
            request.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All);
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    async fn count(&self) -> usize {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let answer = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone()).send().await;
        answer.unwrap().attributes.unwrap()[&name].parse().unwrap()
    }
}

fn attribute<'m>(message: &'m Received, name: &str) -> Option<&'m str> {
    message.message_attributes.as_ref()?.get(name)?.string_value()
}

fn system(message: &Received, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes.as_ref()?.get(&name).map(String::as_str)
}

#[tokio::test]
async fn what_is_published_arrives_with_what_it_is_about() {
    let moto = Moto::start();
    let consumer = Consumer::create(&moto, "autopr", &[]).await;
    let queue = consumer.queue();
    let execution = ExecutionId::new();
    queue.publish(&opened("d-1", "acme/shop")).await.unwrap();
    traced(TraceHeader::parse(TRACE), queue.publish(&advance(execution))).await.unwrap();

    let mut received = consumer.receive().await;
    received.sort_by_key(|message| attribute(message, "type").map(str::to_owned));
    let [going_on, event] = &received[..] else { panic!("{received:?}") };
    assert_eq!(Message::decode(event.body().unwrap()).unwrap(), opened("d-1", "acme/shop"));
    assert_eq!([attribute(event, "type"), attribute(event, "delivery")], [Some("event"), Some("d-1")]);
    assert_eq!(system(event, MessageSystemAttributeName::AwsTraceHeader), None);
    // Repositories get their turns on a standard queue too.
    assert_eq!(system(event, MessageSystemAttributeName::MessageGroupId), Some("acme/shop"));
    assert_eq!(Message::decode(going_on.body().unwrap()).unwrap(), advance(execution));
    let execution = execution.to_string();
    assert_eq!([attribute(going_on, "type"), attribute(going_on, "execution")], [Some("advance"), Some(&*execution)]);
    assert_eq!(system(going_on, MessageSystemAttributeName::AwsTraceHeader), Some(TRACE));
    assert_eq!(system(going_on, MessageSystemAttributeName::MessageGroupId), Some("acme/shop"));
}

#[tokio::test]
async fn many_messages_go_in_few_requests() {
    let moto = Moto::start();
    let consumer = Consumer::create(&moto, "autopr", &[]).await;
    // The third and the fourth do not fit into one batch of 1 MiB.
    let text = |bytes: usize| "x".repeat(bytes);
    let mut messages: Vec<_> = (0..23).map(|number| opened(&format!("d-{number}"), "acme/shop")).collect();
    messages[2] = command("d-2", text(700_000));
    messages[3] = command("d-3", text(700_000));
    consumer.queue().publish_batches(&messages).await.unwrap();
    // Where the answer comes too late for the queue's patience, messages are sent once more.
    assert!(consumer.count().await >= 23);
    let mut arrived = Vec::new();
    loop {
        let received = consumer.receive().await;
        if received.is_empty() {
            break;
        }
        arrived.extend(received.iter().map(|message| attribute(message, "delivery").unwrap().to_owned()));
    }
    arrived.sort();
    arrived.dedup();
    let mut expected: Vec<_> = (0..23).map(|number| format!("d-{number}")).collect();
    expected.sort();
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_cut_and_taken() {
    let moto = Moto::start();
    let consumer = Consumer::create(&moto, "autopr", &[]).await;
    let long = command("d-1", "ü".repeat(MAX_BYTES));
    consumer.queue().publish(&long).await.unwrap();
    consumer.queue().publish_batches(std::slice::from_ref(&long)).await.unwrap();
    assert!(consumer.count().await >= 2);
    for _ in 0..2 {
        let received = consumer.receive().await;
        for message in &received {
            let body = message.body().unwrap();
            assert!((MAX_BYTES - 100..MAX_BYTES).contains(&body.len()), "{}", body.len());
            let Message::V1(V1::Event { event }) = Message::decode(body).unwrap() else { panic!("an event") };
            assert_eq!(event.delivery.as_str(), "d-1");
            assert!(matches!(event.kind, EventKind::Command { arguments, .. } if arguments.ends_with(CUT)));
        }
    }
}

#[tokio::test]
async fn a_fifo_queue_takes_a_delivery_once_and_an_execution_each_time() {
    let moto = Moto::start();
    let consumer = Consumer::create(&moto, "autopr.fifo", &[(QueueAttributeName::FifoQueue, "true")]).await;
    let queue = consumer.queue();
    let execution = ExecutionId::new();
    let unusual = format!("acme/{}", "ü".repeat(100));
    for _ in 0..2 {
        queue.publish(&opened("d-1", "acme/shop")).await.unwrap();
        queue.publish_batches(&[opened("d-2", &unusual), advance(execution)]).await.unwrap();
    }
    assert_eq!(consumer.count().await, 4);
    let mut groups: Vec<_> = consumer
        .receive()
        .await
        .iter()
        .map(|message| system(message, MessageSystemAttributeName::MessageGroupId).unwrap().to_owned())
        .collect();
    groups.sort_by_key(String::len);
    groups.dedup();
    assert_eq!(groups[..2], ["acme/shop".to_owned(), execution.to_string()]);
    assert_eq!(groups[2].len(), 64, "a digest");
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letters() {
    let moto = Moto::start();
    let dead = Consumer::create(&moto, "dead", &[]).await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":"2"}"#;
    let attributes = [(QueueAttributeName::RedrivePolicy, policy), (QueueAttributeName::VisibilityTimeout, "0")];
    let consumer = Consumer::create(&moto, "autopr", &attributes).await;
    consumer.queue().publish(&opened("d-1", "acme/shop")).await.unwrap();
    for count in ["1", "2"] {
        let received = consumer.receive().await;
        assert_eq!(system(&received[0], MessageSystemAttributeName::ApproximateReceiveCount), Some(count));
    }
    assert!(consumer.receive().await.is_empty());
    let received = dead.receive().await;
    assert_eq!(received.iter().map(|message| attribute(message, "delivery")).collect::<Vec<_>>(), [Some("d-1")]);
}

#[tokio::test]
async fn a_queue_that_cannot_be_used_is_given_up_in_time() {
    let moto = Moto::start();
    let proxy = FaultProxy::start(&moto.address());
    let consumer = Consumer::create(&moto, "autopr", &[]).await;
    let queue = SqsQueue::new(client(&format!("http://{}", proxy.address())), consumer.url.clone());
    queue.publish(&opened("d-1", "acme/shop")).await.unwrap();
    for (fault, kind) in [
        (Fault::Refuse, FaultKind::Unavailable),
        (Fault::Reset, FaultKind::Unavailable),
        (Fault::Blackhole, FaultKind::Timeout),
    ] {
        proxy.set(fault);
        let begun = Instant::now();
        let failed = queue.publish(&opened("d-2", "acme/shop")).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(1800), "{fault:?}: {:?}", begun.elapsed());
        assert_eq!((failed.kind, failed.retry), (kind, Retry::Backoff), "{fault:?}: {failed}");
        assert!(failed.to_string().starts_with("could not publish to the queue autopr: "), "{failed}");
    }
    proxy.set(Fault::Pass);
    queue.publish(&opened("d-3", "acme/shop")).await.unwrap();

    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(aws_sdk_sqs::config::Region::new("eu-west-1"))
        .endpoint_url(moto.endpoint());
    let nobody = SqsQueue::new(aws_sdk_sqs::Client::from_conf(config.build()), consumer.url.clone());
    let failed = nobody.publish(&opened("d-4", "acme/shop")).await.unwrap_err();
    assert_eq!((failed.kind, failed.retry), (FaultKind::Unavailable, Retry::Backoff), "{failed}");
    assert!(failed.to_string().ends_with("are there credentials?"), "{failed}");

    let missing = SqsQueue::new(client(&moto.endpoint()), format!("{}-missing", consumer.url));
    let failed = missing.publish(&opened("d-4", "acme/shop")).await.unwrap_err();
    assert_eq!((failed.kind, failed.retry), (FaultKind::NotFound, Retry::Never), "{failed}");
}

#[tokio::test]
async fn a_short_failure_is_not_noticed() {
    let service = Service::start(vec![Answer::error(503, "ServiceUnavailable"), Answer::taken()]).await;
    service.queue().publish(&opened("d-1", "acme/shop")).await.unwrap();
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn what_the_service_refuses_is_told_by_its_code_and_not_tried_again() {
    for (code, status, kind) in
        [("AccessDenied", 403, FaultKind::Denied), ("InvalidMessageContents", 400, FaultKind::Invalid)]
    {
        let service = Service::start(vec![Answer::error(status, code)]).await;
        let failed = service.queue().publish(&opened("d-1", "acme/shop")).await.unwrap_err();
        assert_eq!((failed.kind, failed.retry), (kind, Retry::Never));
        let text = format!("{failed} {failed:?}");
        assert!(text.contains(&format!("{code} (HTTP {status}")), "{text}");
        assert!(!text.contains("hunter2"), "the service's own words are kept out: {text}");
        assert_eq!(service.requests().len(), 1);
    }
}

#[tokio::test]
async fn only_what_failed_of_a_batch_is_published_again() {
    let service = Service::start(vec![
        Answer::batch(&["0", "3"], &[("1", "InternalError", false), ("2", "InvalidMessageContents", true)]),
        Answer::batch(&["1"], &[]),
    ])
    .await;
    let messages: Vec<_> = (0..4).map(|number| opened(&format!("d-{number}"), "acme/shop")).collect();
    let unpublished = service.queue().publish_batches(&messages).await.unwrap_err();
    let told: Vec<_> = unpublished.iter().map(|message| (message.index, message.fault.kind)).collect();
    assert_eq!(told, [(2, FaultKind::Invalid)]);
    let requests = service.requests();
    assert_eq!(requests.len(), 2);
    let ids = |request: &serde_json::Value| {
        let entries = request["Entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (ids(&requests[0]), ids(&requests[1])),
        (["0", "1", "2", "3"].map(String::from).to_vec(), vec!["1".into()])
    );
}

#[tokio::test]
async fn a_message_the_answer_does_not_mention_is_not_taken_for_safe() {
    let silent = || Answer::batch(&["1"], &[]);
    let service = Service::start(vec![silent(), silent(), silent()]).await;
    let messages = [opened("d-0", "acme/shop"), opened("d-1", "acme/shop")];
    let unpublished = service.queue().publish_batches(&messages).await.unwrap_err();
    assert_eq!(unpublished.iter().map(|message| message.index).collect::<Vec<_>>(), [0]);
    assert_eq!((unpublished[0].fault.kind, unpublished[0].fault.retry), (FaultKind::Unknown, Retry::Backoff));
}

#[tokio::test]
async fn after_a_batch_that_could_not_be_sent_the_rest_is_not_tried() {
    let service = Service::start(vec![Answer::error(403, "AccessDenied")]).await;
    let messages: Vec<_> = (0..25).map(|number| opened(&format!("d-{number}"), "acme/shop")).collect();
    let unpublished = service.queue().publish_batches(&messages).await.unwrap_err();
    assert_eq!(unpublished.len(), 25);
    assert!(unpublished.iter().all(|message| message.fault.kind == FaultKind::Denied));
    assert_eq!(service.requests().len(), 1);
}
