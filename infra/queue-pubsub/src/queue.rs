//! The queue: publishes.

use std::time::Duration;

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_core::trace;
use google_cloud_auth::credentials::{self, Credentials, anonymous};
use google_cloud_gax::retry_policy::RetryPolicyExt;
use google_cloud_pubsub::client::Publisher;
use google_cloud_pubsub::retry_policy::RetryableErrors;
use http::Extensions;

use crate::fault::{late, unpublished};
use crate::outgoing::outgoing;
use crate::topic::Topic;

/// How long publishing a message takes at most, all attempts together: GitHub waits for it, and whoever takes its webhook in
/// gives up at 1.8 s.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a message waits for others that go in the same request.
const TOGETHER: Duration = Duration::from_millis(1);

/// A topic of Pub/Sub.
pub struct PubSubQueue {
    publisher: Publisher,
    topic: Topic,
}

impl PubSubQueue {
    /// The topic, with the credentials of the environment ("Application Default Credentials"); at `emulator`, such as
    /// `127.0.0.1:8085`, without any. Nothing is connected yet. To be called in a runtime of Tokio, which must live as long
    /// as the queue.
    ///
    /// # Errors
    /// When there are no credentials, or the address can't be used.
    pub async fn new(topic: Topic, emulator: Option<&str>) -> Result<Self, Fault> {
        let builder = Publisher::builder(topic.as_str())
            .with_retry_policy(RetryableErrors.with_time_limit(PATIENCE))
            .set_delay_threshold(TOGETHER);
        let builder = match emulator {
            Some(address) => {
                builder.with_endpoint(format!("http://{address}")).with_credentials(anonymous::Builder::new().build())
            }
            None => {
                let found = credentials::Builder::default().build();
                let unusable = |error| Fault::invalid("there are no credentials of Google Cloud").source(error);
                let credentials = found.map_err(unusable)?;
                warm_up(&credentials);
                builder.with_credentials(credentials)
            }
        };
        let unusable = |error| Fault::invalid(format!("the topic {topic} can't be published to")).source(error);
        let publisher = builder.build().await.map_err(unusable)?;
        Ok(Self { publisher, topic })
    }
}

/// Fetches the first access token before the first message wants it.
fn warm_up(credentials: &Credentials) {
    let credentials = credentials.clone();
    tokio::spawn(async move {
        if credentials.headers(Extensions::new()).await.is_err() {
            // Whatever the library says of it may quote an answer.
            tracing::warn!("there is no access token for Pub/Sub yet");
        }
    });
}

#[async_trait]
impl Queue for PubSubQueue {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        let published = self.publisher.publish(outgoing(message, trace::current()));
        match tokio::time::timeout(PATIENCE, published).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(unpublished(&self.topic, &error)),
            Err(_) => Err(late(&self.topic)),
        }
    }
}
