//! Every queue does what the engine relies on, and leaves the same behind.

use std::sync::Arc;

use autopr_e2e::queues::{Plug, Shop, azure, pubsub, rows, sqs, store, suite};

/// The behaviours, each as a test of its own, of a queue.
macro_rules! every_behaviour {
    ($queue:ident: $($behaviour:ident),+ $(,)?) => {
        mod $queue {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $behaviour() {
                    let shop = Shop::new().await;
                    if let Some(plug) = autopr_e2e::queues::$queue(&shop).await {
                        suite::$behaviour(shop, plug).await;
                    }
                }
            )+
        }
    };
    ($($queue:ident),+ $(,)?) => {
        $(every_behaviour! {
            $queue:
            what_is_published_is_done_although_the_publisher_dies,
            a_delivery_that_comes_twice_is_done_once,
            what_nobody_understands_is_set_aside_and_harms_no_other,
            what_a_dead_process_had_taken_is_handed_out_again,
            what_a_dead_process_was_at_is_ended_by_another,
            what_can_not_be_ended_is_given_back_in_its_trace,
        })+
    };
}

every_behaviour!(store, sqs, pubsub, azure);

mod deadline {
    use super::*;

    every_behaviour!(sqs: what_is_not_done_at_its_deadline_goes_on_by_another_message);
    every_behaviour!(pubsub: what_is_not_done_at_its_deadline_goes_on_by_another_message);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_execution_leaves_the_same_behind_on_every_queue() {
    let mut first = None;
    for name in ["store", "sqs", "pubsub", "azure"] {
        let shop = Shop::new().await;
        let plug: Option<Arc<dyn Plug>> = match name {
            "store" => store(&shop).await,
            "sqs" => sqs(&shop).await,
            "pubsub" => pubsub(&shop).await,
            _ => azure(&shop).await,
        };
        let Some(plug) = plug else { continue };
        let left = rows::left_behind(shop, plug).await;
        assert!(left.page.contains("src/config.py"), "{}", left.page);
        assert!(left.rows.contains(r#""status": "succeeded""#) && left.rows.contains("<id 1>"), "{}", left.rows);
        let first = first.get_or_insert_with(|| left.clone());
        // Line by line, so that what differs is seen.
        for (here, there) in left.rows.lines().zip(first.rows.lines()) {
            assert_eq!(here, there, "{name} leaves other rows");
        }
        assert_eq!(left.rows, first.rows, "{name}");
        assert_eq!(left.page, first.page, "{name}");
    }
}
