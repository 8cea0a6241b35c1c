//! The queue: its clients, and what publishes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_core::trace;
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use azure_storage_queue::models::{QueueClientSendMessageOptions, QueueMessage};
use azure_storage_queue::{QueueClient, QueueClientOptions};
use tokio::sync::Notify;

use crate::address::QueueAddress;
use crate::envelope;
use crate::fault::Trouble;
use crate::identity::Identity;
use crate::inbox::{Inbox, in_time};

/// How long publishing a message takes at most: GitHub waits for it, and whoever takes its webhook in gives up at 1.8 s.
const PATIENCE: Duration = Duration::from_millis(1500);

const _: () = assert!(PATIENCE.as_millis() < 1800, "whoever takes the webhook in has given up by then");

/// How long one attempt takes at most, a new connection included.
const ATTEMPT: Duration = Duration::from_millis(700);

/// How long a connection takes at most to be made.
const CONNECT: Duration = Duration::from_millis(500);

/// How often a request is tried again.
const RETRIES: u32 = 2;

/// The wait after the first attempt; it doubles.
const WAIT: Duration = Duration::from_millis(50);

/// How long a request of the consumer's takes at most, the wait for a token included. Several fit into what a process is
/// given to end.
pub(crate) const REQUEST: Duration = Duration::from_secs(3);

/// How long the first token may take: the platform makes it while the process starts.
const START: Duration = Duration::from_secs(20);

/// How long one attempt to get a token takes at most.
const TOKEN: Duration = Duration::from_secs(5);

/// The wait after the first attempt to get one; it doubles. All attempts and waits fit into [`START`].
const TOKEN_WAIT: Duration = Duration::from_secs(1);

/// A message stays until somebody has dealt with it; by default the service would forget it after seven days ("Put
/// Message" of the REST API's reference).
const FOR_EVER: i32 = -1;

/// A queue of Azure Storage. Cloning shares it.
#[derive(Clone)]
pub struct AzureQueue {
    address: QueueAddress,
    /// What gives access, unless that is a signature.
    identity: Option<Arc<Identity>>,
    publisher: Arc<QueueClient>,
    /// Of the same queue and of the one beside it, with more time and without another try: whoever takes messages tries
    /// again by itself.
    consumer: Arc<QueueClient>,
    poison: Arc<QueueClient>,
    published: Arc<Notify>,
}

impl AzureQueue {
    /// The queue at that address. Access to one without a signature is given by the managed identity of the machine; by
    /// the one that `client_id` names when it has several. Nothing is connected yet.
    ///
    /// # Errors
    /// When no client can be made, or the machine can't have a managed identity.
    pub fn new(address: QueueAddress, client_id: Option<String>) -> Result<Self, Fault> {
        let quick = client(ATTEMPT)?;
        let patient = client(REQUEST)?;
        let identity = match address.is_signed() {
            true => None,
            false => Some(Arc::new(managed(client_id)?)),
        };
        let open = |address: &QueueAddress, http: &reqwest::Client, retry: RetryOptions| {
            let client_options = options(http.clone(), retry);
            let options = QueueClientOptions { client_options, ..QueueClientOptions::default() };
            let credential = identity.clone().map(|identity| identity as Arc<dyn TokenCredential>);
            let opened = QueueClient::new(address.expose(), credential, Some(options));
            opened
                .map(Arc::new)
                .map_err(|error| Trouble::of(&error).fault(format!("the queue {} can't be used", address.name())))
        };
        Ok(Self {
            publisher: open(&address, &quick, retries(WAIT, PATIENCE))?,
            consumer: open(&address, &patient, RetryOptions::none())?,
            poison: open(&address.poison(), &patient, RetryOptions::none())?,
            address,
            identity,
            published: Arc::default(),
        })
    }

    /// Looks whether the queue and the one beside it are there and may be read, and has a token for what follows: the
    /// first one takes longer than whoever sends a webhook waits. Whether an identity may add, renew and remove messages too
    /// is not known before that is tried: the service tells nobody without changing something. What a signature allows was
    /// looked at when the address was read.
    ///
    /// # Errors
    /// The fault of the first that is not there or may not be read, or that does not answer.
    pub async fn check(&self) -> Result<(), Fault> {
        let unusable = |address: &QueueAddress| format!("the queue {} can't be used", address.name());
        if let Some(identity) = &self.identity {
            let ready = in_time(START, identity.ready()).await;
            ready.map_err(|trouble| trouble.fault(unusable(&self.address)))?;
        }
        for (client, address) in [(&self.consumer, &self.address), (&self.poison, &self.address.poison())] {
            let looked = in_time(REQUEST, client.peek_messages(None)).await;
            looked.map_err(|trouble| trouble.fault(unusable(address)))?;
        }
        Ok(())
    }

    /// Returns after a message was published through this queue, also if that was before the call.
    pub async fn published(&self) {
        self.published.notified().await;
    }

    /// The queue's name, for people.
    pub fn name(&self) -> &str {
        self.address.name()
    }

    pub(crate) fn inbox(&self) -> Inbox {
        Inbox::new(self.consumer.clone(), self.poison.clone())
    }
}

#[async_trait]
impl Queue for AzureQueue {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        let text = envelope::close(message, trace::current().as_ref());
        let sent = tokio::time::timeout(PATIENCE, send(&self.publisher, text)).await;
        let sent = sent.unwrap_or_else(|_| Err(Trouble::timeout()));
        sent.map_err(|trouble| trouble.fault(format!("could not publish to the queue {}", self.name())))?;
        self.published.notify_one();
        Ok(())
    }
}

/// Puts a text on a queue.
pub(crate) async fn send(client: &QueueClient, text: String) -> Result<(), Trouble> {
    let message = QueueMessage { message_text: Some(text) };
    let message = message.try_into().map_err(|error| Trouble::of(&error))?;
    let options = QueueClientSendMessageOptions { message_time_to_live: Some(FOR_EVER), ..Default::default() };
    client.send_message(message, Some(options)).await.map(drop).map_err(|error| Trouble::of(&error))
}

fn client(most: Duration) -> Result<reqwest::Client, Fault> {
    let builder = reqwest::Client::builder().connect_timeout(CONNECT).timeout(most);
    let built = builder.redirect(reqwest::redirect::Policy::none()).build();
    built.map_err(|error| Fault::invalid("no client of Azure can be made").source(error))
}

fn options(http: reqwest::Client, retry: RetryOptions) -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(Arc::new(http))), retry, ..ClientOptions::default() }
}

fn retries(wait: Duration, longest: Duration) -> RetryOptions {
    RetryOptions::exponential(ExponentialRetryOptions {
        initial_delay: duration(wait),
        max_retries: RETRIES,
        max_total_elapsed: duration(longest),
        max_delay: duration(4 * wait),
    })
}

fn managed(client_id: Option<String>) -> Result<Identity, Fault> {
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client_id.map(UserAssignedId::ClientId),
        client_options: options(client(TOKEN)?, retries(TOKEN_WAIT, START)),
    };
    let made = ManagedIdentityCredential::new(Some(options));
    // The client's own text names variables of the platform, and no more.
    made.map(|credential| Identity::new(credential))
        .map_err(|error| Fault::invalid("this machine can't have a managed identity").source(error))
}

fn duration(duration: Duration) -> azure_core::time::Duration {
    azure_core::time::Duration::try_from(duration).unwrap_or(azure_core::time::Duration::MAX)
}
