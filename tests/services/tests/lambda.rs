//! The environment of a Lambda function, and the pump that feeds it from a queue.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autopr_services::{InvokeError, Pump, Pumped, Rie};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A function that answers with its event, unless the event has it do something else.
const ECHO: &str = r#"#!/bin/sh
base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "started by $GREETING in ${DEVELOPER:-a clean environment}" >&2
while curl -sS -D "$folder/head" -o "$folder/event" "$base/invocation/next"; do
    id=$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: *//Ip' "$folder/head" | tr -d '\r')
    case $(cat "$folder/event") in
        *exit*) exit 3 ;;
        *hang*) echo hanging; sleep 60 ;;
        *slow*) sleep 0.3 ;;
        *fail*)
            curl -sS -o /dev/null -d '{"errorType":"Broken","errorMessage":"it broke"}' "$base/invocation/$id/error"
            continue
            ;;
    esac
    curl -sS -o /dev/null --data-binary "@$folder/event" "$base/invocation/$id/response"
done
"#;

struct Function {
    _folder: tempfile::TempDir,
    bootstrap: PathBuf,
}

fn echo() -> Function {
    let folder = tempfile::tempdir().expect("a folder");
    let bootstrap = folder.path().join("bootstrap");
    std::fs::write(&bootstrap, ECHO).expect("written");
    std::fs::set_permissions(&bootstrap, PermissionsExt::from_mode(0o755)).expect("its mode");
    Function { _folder: folder, bootstrap }
}

fn start(bootstrap: &Path, timeout: &str) -> Rie {
    Rie::start(bootstrap, &[("GREETING", "a test".to_owned()), ("AWS_LAMBDA_FUNCTION_TIMEOUT", timeout.to_owned())])
}

/// Waits for what is about to be.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_answers_fails_crashes_and_runs_out_of_time() {
    let function = echo();
    let rie = start(&function.bootstrap, "1");
    assert!(rie.init_times().is_empty(), "it starts when it is needed");
    assert_eq!(rie.invoke(&json!({ "a": 1 })).await, Ok(json!({ "a": 1 })));
    assert!(rie.log().contains("started by a test in a clean environment"), "{}", rie.log());
    assert!(rie.peak_memory().expect("it runs") > 100_000);

    let broken = InvokeError::Failed { kind: "Broken".to_owned(), message: "it broke".to_owned() };
    assert_eq!(rie.invoke(&json!("fail")).await, Err(broken));
    assert_eq!(rie.invoke(&json!(2)).await, Ok(json!(2)));
    assert_eq!(rie.init_times().len(), 1, "a failure is no reason to start again");
    assert_eq!(rie.invoke_times().len(), 3);

    let late = rie.invoke(&json!("hang")).await;
    assert!(matches!(&late, Err(InvokeError::TimedOut(text)) if text.contains("1.00 seconds")), "{late:?}");
    assert_eq!(rie.invoke(&json!(3)).await, Ok(json!(3)));
    let gone = rie.invoke(&json!("exit")).await;
    assert!(matches!(&gone, Err(InvokeError::Crashed(text)) if text.contains("exit status 3")), "{gone:?}");
    assert_eq!(rie.invoke(&json!(4)).await, Ok(json!(4)));
    assert_eq!(rie.init_times().len(), 3, "{}", rie.log());
    assert!(rie.init_times().iter().all(|time| (1..5000).contains(&time.as_millis())), "{:?}", rie.init_times());
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_of_one_environment_wait_for_each_other() {
    let function = echo();
    let rie = Arc::new(start(&function.bootstrap, "10"));
    let first = {
        let rie = Arc::clone(&rie);
        tokio::spawn(async move { rie.invoke(&json!("slow")).await })
    };
    until("the first is under way", || rie.log().contains("INVOKE START"));
    // Nobody waits for the first one any more; the emulator is still at it.
    first.abort();
    let all = futures(&rie, &[json!(1), json!("slow"), json!(2)]).await;
    assert_eq!(all, [Ok(json!(1)), Ok(json!("slow")), Ok(json!(2))]);
}

async fn futures(rie: &Arc<Rie>, events: &[Value]) -> Vec<Result<Value, InvokeError>> {
    let tasks: Vec<_> = events
        .iter()
        .map(|event| {
            let (rie, event) = (Arc::clone(rie), event.clone());
            tokio::spawn(async move { rie.invoke(&event).await })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("an invocation"));
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_killed_in_the_middle_and_leaves_nothing() {
    let function = echo();
    let rie = Arc::new(start(&function.bootstrap, "60"));
    let hanging = {
        let rie = Arc::clone(&rie);
        tokio::spawn(async move { rie.invoke(&json!("hang")).await })
    };
    until("it hangs", || rie.log().contains("hanging"));
    let program = rie.program().expect("it runs");
    rie.crash();
    let crashed = hanging.await.expect("an invocation");
    assert!(matches!(&crashed, Err(InvokeError::Crashed(_))), "{crashed:?}");

    let hanging = {
        let rie = Arc::clone(&rie);
        tokio::spawn(async move { rie.invoke(&json!("hang")).await })
    };
    until("it hangs again", || rie.log().matches("hanging").count() == 2);
    let second = rie.program().expect("it runs");
    assert_ne!(program, second);
    rie.kill();
    let killed = hanging.await.expect("an invocation");
    assert!(matches!(&killed, Err(InvokeError::Gone(_))), "{killed:?}");
    assert!(!runs(second), "the program is left");
    assert_eq!(rie.program(), None);

    rie.restart();
    assert_eq!(rie.invoke(&json!(1)).await, Ok(json!(1)));
    let third = rie.program().expect("it runs");
    drop(rie);
    assert!(!runs(third), "the program is left");
}

/// Whether a process runs: one that has ended may keep its number until somebody asks for its end.
fn runs(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z') && !line.contains('X'))
}

/// As much of a queue as the pump needs. What was received stays hidden until the test shows it again.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<BTreeMap<String, Message>>>);

#[derive(Default)]
struct Message {
    body: String,
    hidden: bool,
    receives: u32,
}

impl Queue {
    fn put(&self, id: &str, body: &str) {
        self.0.lock().expect("a lock").insert(id.to_owned(), Message { body: body.to_owned(), ..Message::default() });
    }

    fn show(&self) {
        self.0.lock().expect("a lock").values_mut().for_each(|message| message.hidden = false);
    }

    fn ids(&self) -> Vec<String> {
        self.0.lock().expect("a lock").keys().cloned().collect()
    }

    /// Serves it on a port of its own; the queue's URL.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/123456789012/reviews", listener.local_addr().expect("an address"));
        let (queue, expected) = (self.clone(), url.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (queue, expected) = (queue.clone(), expected.clone());
                std::thread::spawn(move || queue.converse(connection.expect("a connection"), &expected));
            }
        });
        url
    }

    fn converse(&self, mut connection: TcpStream, url: &str) {
        while let Some((action, request)) = read(&mut connection) {
            assert_eq!(request["QueueUrl"], url);
            let answer = match action.as_str() {
                "AmazonSQS.ReceiveMessage" => self.receive(request["MaxNumberOfMessages"].as_u64().expect("a number")),
                "AmazonSQS.DeleteMessage" => self.delete(request["ReceiptHandle"].as_str().expect("a handle")),
                other => panic!("{other}"),
            };
            let text = answer.to_string();
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()).expect("answered");
        }
    }

    fn receive(&self, most: u64) -> Value {
        let mut queue = self.0.lock().expect("a lock");
        let free = queue.iter_mut().filter(|(_, message)| !message.hidden).take(usize::try_from(most).expect("few"));
        let messages: Vec<Value> = free
            .map(|(id, message)| {
                message.hidden = true;
                message.receives += 1;
                json!({
                    "MessageId": id,
                    "ReceiptHandle": format!("handle-{id}"),
                    "Body": message.body,
                    "MD5OfBody": "md5",
                    "Attributes": { "ApproximateReceiveCount": message.receives.to_string() },
                    "MessageAttributes": { "traceparent": { "DataType": "String", "StringValue": "00-1-2-01" } },
                })
            })
            .collect();
        if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) }
    }

    fn delete(&self, handle: &str) -> Value {
        let id = handle.strip_prefix("handle-").expect("a handle");
        assert!(self.0.lock().expect("a lock").remove(id).is_some(), "{id} is not there");
        json!({})
    }
}

fn read(connection: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if connection.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).expect("text").to_lowercase();
    let header =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    let mut body = vec![0; header("content-length:").expect("a length").parse().expect("a number")];
    connection.read_exact(&mut body).expect("a body");
    let action = header("x-amz-target:").expect("an action");
    let action = action.replace("amazonsqs.receivemessage", "AmazonSQS.ReceiveMessage");
    let action = action.replace("amazonsqs.deletemessage", "AmazonSQS.DeleteMessage");
    Some((action, serde_json::from_slice(&body).expect("JSON")))
}

/// Pumps until the function was invoked so often; it answers each time what `answers` has next. What was done, and the
/// events it got.
async fn pump(pump: Pump, answers: Vec<Result<Value, String>>) -> (Pumped, Vec<Value>) {
    let stop = CancellationToken::new();
    let seen: Mutex<Vec<Value>> = Mutex::default();
    let invoke = |event: Value| {
        let mut seen = seen.lock().expect("a lock");
        let answer = answers[seen.len()].clone();
        seen.push(event);
        if seen.len() == answers.len() {
            stop.cancel();
        }
        async move { answer }
    };
    let pumped = pump.run(invoke, stop.clone()).await;
    (pumped, seen.into_inner().expect("a lock"))
}

fn failures(ids: &[&str]) -> Result<Value, String> {
    let failures: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    Ok(json!({ "batchItemFailures": failures }))
}

#[tokio::test]
async fn the_function_gets_an_event_as_from_sqs() {
    let queue = Queue::default();
    queue.put("m-1", "{\"v\":1}");
    let (pumped, events) = pump(Pump::new(&queue.serve()), vec![Ok(Value::Null)]).await;
    assert_eq!(pumped, Pumped { invocations: 1, failed_invocations: 0, received: 1, deleted: 1 });
    let record = json!({
        "messageId": "m-1",
        "receiptHandle": "handle-m-1",
        "body": "{\"v\":1}",
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": {
            "traceparent": {
                "stringValue": "00-1-2-01",
                "dataType": "String",
                "stringListValues": [],
                "binaryListValues": [],
            },
        },
        "md5OfBody": "md5",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:reviews",
        "awsRegion": "us-east-1",
    });
    assert_eq!(events, [json!({ "Records": [record] })]);
}

#[tokio::test]
async fn what_fails_stays_and_comes_again_alone() {
    let queue = Queue::default();
    ["a", "b", "c"].iter().for_each(|id| queue.put(id, id));
    let url = queue.serve();
    let (pumped, events) = pump(Pump::new(&url), vec![failures(&["b"])]).await;
    assert_eq!((pumped.received, pumped.deleted), (3, 2));
    assert_eq!(events[0]["Records"].as_array().map(Vec::len), Some(3), "one batch");
    assert_eq!(queue.ids(), ["b"]);

    queue.show();
    let (pumped, events) = pump(Pump::new(&url), vec![failures(&[])]).await;
    assert_eq!((pumped.received, pumped.deleted), (1, 1));
    assert_eq!(events[0]["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
    assert_eq!(queue.ids(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_deleted_without_a_clear_answer() {
    let unclear = [
        Err("it crashed".to_owned()),
        failures(&["a", "never-sent"]),
        failures(&[""]),
        Ok(json!({ "batchItemFailures": [{}] })),
        Ok(json!({ "batchItemFailures": "a" })),
        Ok(json!("done")),
    ];
    for answer in unclear {
        let queue = Queue::default();
        ["a", "b"].iter().for_each(|id| queue.put(id, id));
        let (pumped, _) = pump(Pump::new(&queue.serve()), vec![answer.clone()]).await;
        assert_eq!(pumped.deleted, 0, "{answer:?}");
        assert_eq!(pumped.failed_invocations, usize::from(answer.is_err()));
        assert_eq!(queue.ids(), ["a", "b"], "{answer:?}");
    }
}

#[tokio::test]
async fn batches_are_no_larger_and_no_more_at_once_than_they_may_be() {
    let queue = Queue::default();
    for number in 0..9 {
        queue.put(&format!("m{number}"), "");
    }
    let answers = vec![Ok(json!({})); 3];
    let (pumped, events) = pump(Pump::new(&queue.serve()).batch(3), answers).await;
    assert_eq!(pumped, Pumped { invocations: 3, failed_invocations: 0, received: 9, deleted: 9 });
    assert!(events.iter().all(|event| event["Records"].as_array().map(Vec::len) == Some(3)));

    // Two that wait for each other only end if both are under way.
    ["a", "b"].iter().for_each(|id| queue.put(id, id));
    let meeting = Arc::new(tokio::sync::Barrier::new(2));
    let stop = CancellationToken::new();
    let invoke = |_| {
        let (meeting, stop) = (Arc::clone(&meeting), stop.clone());
        async move {
            meeting.wait().await;
            stop.cancel();
            Ok::<_, String>(Value::Null)
        }
    };
    let pumped = Pump::new(&queue.serve()).batch(1).at_once(2).run(invoke, stop.clone()).await;
    assert_eq!(pumped, Pumped { invocations: 2, failed_invocations: 0, received: 2, deleted: 2 });
}

#[tokio::test]
async fn messages_are_gathered_while_the_window_is_open() {
    let queue = Queue::default();
    let url = queue.serve();
    queue.put("a", "");
    let late = {
        let queue = queue.clone();
        move || queue.put("b", "")
    };
    let stop = CancellationToken::new();
    let sizes: Mutex<Vec<usize>> = Mutex::default();
    let invoke = |event: Value| {
        sizes.lock().expect("a lock").push(event["Records"].as_array().map_or(0, Vec::len));
        stop.cancel();
        async { Ok::<_, String>(Value::Null) }
    };
    // The batch is full with the second one, so that the window never has to pass.
    let pump = Pump::new(&url).batch(2).window(Duration::from_secs(30));
    let pumping = pump.run(invoke, stop.clone());
    let (pumped, ()) = tokio::join!(pumping, async { tokio::task::spawn_blocking(late).await.expect("put") });
    assert_eq!((pumped.received, pumped.deleted), (2, 2));
    assert_eq!(*sizes.lock().expect("a lock"), [2]);
}
