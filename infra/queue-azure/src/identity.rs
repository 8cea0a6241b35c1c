//! The tokens of a managed identity.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// How long a request waits for a token at most. Tokens are renewed five minutes before their time is over, and the client
/// goes on with the one that it has when there is no newer one yet.
const WAIT: Duration = Duration::from_millis(500);

/// What the tokens are for, as the queue's client names it.
const SCOPE: &str = "https://storage.azure.com/.default";

/// A managed identity whose tokens are fetched apart from the requests that they are for: a request does not wait long, and
/// what is fetched meanwhile does for the next one.
#[derive(Debug)]
pub(crate) struct Identity {
    credential: Arc<dyn TokenCredential>,
    under_way: Mutex<Option<Fetch>>,
}

#[derive(Debug)]
struct Fetch {
    begun: Instant,
    token: JoinHandle<azure_core::Result<AccessToken>>,
}

impl Identity {
    pub(crate) fn new(credential: Arc<dyn TokenCredential>) -> Self {
        Self { credential, under_way: Mutex::default() }
    }

    /// Waits for as long as the identity itself does until there is a token, which the credential keeps.
    pub(crate) async fn ready(&self) -> azure_core::Result<()> {
        self.credential.get_token(&[SCOPE], None).await.map(drop)
    }
}

#[async_trait::async_trait]
impl TokenCredential for Identity {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let mut under_way = self.under_way.lock().await;
        let fetch = under_way.get_or_insert_with(|| {
            let (credential, scopes) = (self.credential.clone(), scopes.iter().copied().map(str::to_owned).collect());
            Fetch { begun: Instant::now(), token: tokio::spawn(fetch(credential, scopes)) }
        });
        match timeout_at(fetch.begun + WAIT, &mut fetch.token).await {
            Ok(ended) => {
                *under_way = None;
                ended.unwrap_or_else(|_| Err(none("fetching the token was given up")))
            }
            Err(_) => Err(none("the token is still being fetched")),
        }
    }
}

async fn fetch(credential: Arc<dyn TokenCredential>, scopes: Vec<String>) -> azure_core::Result<AccessToken> {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    credential.get_token(&scopes, None).await
}

fn none(why: &'static str) -> Error {
    Error::with_message(ErrorKind::Credential, why)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use azure_core::time::OffsetDateTime;
    use tokio::sync::Semaphore;

    use super::*;

    /// Has a token for each permit.
    #[derive(Debug)]
    struct Slow {
        asked: AtomicUsize,
        permits: Semaphore,
    }

    #[async_trait::async_trait]
    impl TokenCredential for Slow {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.permits.acquire().await.expect("it stays").forget();
            Ok(AccessToken::new("a token", OffsetDateTime::now_utc()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_a_token_once_and_shortly_and_the_next_one_has_it() {
        let slow = Arc::new(Slow { asked: AtomicUsize::default(), permits: Semaphore::new(0) });
        let identity = Identity::new(slow.clone());
        let begun = Instant::now();
        let get = || identity.get_token(&[SCOPE], None);
        let (one, two, three) = tokio::join!(get(), get(), get());
        assert!(one.is_err() && two.is_err() && three.is_err());
        assert_eq!((begun.elapsed().as_millis() / 10, slow.asked.load(Ordering::SeqCst)), (50, 1), "all wait together");
        slow.permits.add_permits(1);
        // The clock goes on once the fetch has nothing to do any more.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(get().await.is_ok());
        assert_eq!(slow.asked.load(Ordering::SeqCst), 1);
        slow.permits.add_permits(1);
        assert!(get().await.is_ok());
        assert_eq!(slow.asked.load(Ordering::SeqCst), 2);
    }
}
