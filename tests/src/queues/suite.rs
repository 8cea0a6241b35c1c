//! What holds of every queue.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::message::Message;
use autopr_core::testkit::crash::{Crasher, Mishap};

use super::process::{Process, briefly};
use super::{Plug, Shop};
use crate::aws::eventually;
use crate::world::CLEAN;

/// What a version that nobody knows has written.
const POISON: &str = r#"{"v":"9","of":"a version that nobody knows"}"#;

/// Publishes a message through the adapter, in a process that dies as soon as the queue has said that it is safe.
async fn publish(shop: &Arc<Shop>, plug: &Arc<dyn Plug>, message: Message) {
    let (shop, plug) = (shop.clone(), plug.clone());
    briefly(async move {
        let queue = plug.open(shop.store().await, shop.clock()).await.queue;
        plug.traced(Box::pin(async { queue.publish(&message).await.expect("it is published") })).await;
    })
    .await;
}

/// Waits until nothing is left to do: so many executions have succeeded, and no message is there.
async fn at_rest(shop: &Shop, plug: &Arc<dyn Plug>, executions: usize) {
    let wanted = [format!("succeeded {executions}")];
    let rest = async || shop.executions() == wanted && plug.messages().await == 0;
    eventually("everything comes to rest", rest).await;
}

/// What is published is done, once, although whoever published it died when the queue had said that it is safe.
pub async fn what_is_published_is_done_although_the_publisher_dies(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let number = shop.open(CLEAN);
    publish(&shop, &plug, shop.opened("d-1", number)).await;
    assert_eq!(plug.messages().await, 1);
    let process = Process::of_messages(&shop, &plug);
    at_rest(&shop, &plug, 1).await;
    assert_eq!((shop.reviews(number), plug.set_aside().await), (1, Vec::new()));
    process.stop().await;
    shop.github.assert_clean();
}

/// A delivery that comes several times, as any queue may bring it, has one execution and one review.
pub async fn a_delivery_that_comes_twice_is_done_once(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let number = shop.open(CLEAN);
    let first = Process::of_messages(&shop, &plug);
    let second = Process::of_messages(&shop, &plug);
    for _ in 0..3 {
        publish(&shop, &plug, shop.opened("d-1", number)).await;
    }
    at_rest(&shop, &plug, 1).await;
    publish(&shop, &plug, shop.opened("d-1", number)).await;
    at_rest(&shop, &plug, 1).await;
    assert_eq!((shop.reviews(number), shop.model.count()), (1, 1));
    first.stop().await;
    second.stop().await;
    shop.github.assert_clean();
}

/// A message that nobody understands is set aside in the end, as it was, and the others are done meanwhile.
pub async fn what_nobody_understands_is_set_aside_and_harms_no_other(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let numbers = [shop.open(CLEAN), shop.open(CLEAN)];
    publish(&shop, &plug, shop.opened("d-1", numbers[0])).await;
    plug.put(POISON).await;
    publish(&shop, &plug, shop.opened("d-2", numbers[1])).await;
    let process = Process::of_messages(&shop, &plug);
    eventually("it is set aside", async || plug.set_aside().await == [POISON]).await;
    at_rest(&shop, &plug, 2).await;
    assert_eq!(numbers.map(|number| shop.reviews(number)), [1, 1]);
    process.stop().await;
    shop.github.assert_clean();
}

/// A message that a process took and did nothing with before it died is handed out again, and nothing but the queue does
/// that here.
pub async fn what_a_dead_process_had_taken_is_handed_out_again(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let number = shop.open(CLEAN);
    let crasher = Crasher::at("before accept", Mishap::Crash);
    let doomed = Process::doomed(&shop, &plug, &crasher);
    publish(&shop, &plug, shop.opened("d-1", number)).await;
    crasher.happened.cancelled().await;
    doomed.kill();
    assert_eq!((plug.messages().await, shop.executions()), (1, Vec::new()));
    let process = Process::of_messages(&shop, &plug);
    at_rest(&shop, &plug, 1).await;
    assert_eq!((shop.reviews(number), plug.set_aside().await), (1, Vec::new()));
    process.stop().await;
    shop.github.assert_clean();
}

/// What a process was at when it died is ended by another, and is done once.
pub async fn what_a_dead_process_was_at_is_ended_by_another(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let number = shop.open(CLEAN);
    let held = shop.model.hold();
    let doomed = Process::start(&shop, &plug);
    publish(&shop, &plug, shop.opened("d-1", number)).await;
    held.arrived().await;
    doomed.kill();
    held.release();
    let process = Process::start(&shop, &plug);
    at_rest(&shop, &plug, 1).await;
    assert_eq!((shop.reviews(number), plug.set_aside().await), (1, Vec::new()));
    process.stop().await;
    shop.github.assert_clean();
}

/// What a process can't end when it is told to stop it gives back: another goes on at once, by a message in the same trace.
pub async fn what_can_not_be_ended_is_given_back_in_its_trace(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let number = shop.open(CLEAN);
    let held = shop.model.hold();
    let first = Process::of_messages(&shop, &plug);
    publish(&shop, &plug, shop.opened("d-1", number)).await;
    held.arrived().await;
    first.stop().await;
    held.release();
    assert_eq!(shop.reviews(number), 0);
    let trace = plug.trace().map(str::to_owned);
    assert_eq!(plug.traces().await, [trace], "one message, which can be had at once");
    let second = Process::of_messages(&shop, &plug);
    at_rest(&shop, &plug, 1).await;
    assert_eq!((shop.reviews(number), plug.set_aside().await), (1, Vec::new()));
    second.stop().await;
    shop.github.assert_clean();
}

/// What is not done when the time of its message is over is given back: it goes on by another message at once, and is done
/// once. For queues that hand a message out for a fixed time; the others keep it as long as somebody works on it.
pub async fn what_is_not_done_at_its_deadline_goes_on_by_another_message(shop: Arc<Shop>, plug: Arc<dyn Plug>) {
    let number = shop.open(CLEAN);
    // It is never answered.
    let held = shop.model.hold();
    let process = Process::limited(&shop, &plug, Duration::from_secs(10));
    publish(&shop, &plug, shop.opened("d-1", number)).await;
    held.arrived().await;
    at_rest(&shop, &plug, 1).await;
    assert_eq!((shop.reviews(number), plug.set_aside().await), (1, Vec::new()));
    let claims = shop.sql("SELECT attempt > 1 FROM workflow_executions");
    assert_eq!((claims.trim(), shop.model.count()), ("t", 2), "the model is asked again by whoever goes on");
    process.stop().await;
    shop.github.assert_clean();
}
