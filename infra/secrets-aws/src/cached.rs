//! Secrets that are fetched again after a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autopr_core::clock::{Clock, after};
use autopr_core::secrets::{Reference, Values};
use autopr_core::yaml::Diagnostic;
use jiff::Timestamp;

use crate::fetch::SecretsManager;

/// How long the service is left alone after secrets could not be fetched again.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the call that finds secrets too old waits for new ones.
const REFRESH: Duration = Duration::from_secs(1);

/// The secrets that settings name. They are fetched again once they are older than their time to live: by the call that
/// finds them so, because a frozen function of Lambda has nobody else who would.
pub struct Cached {
    manager: SecretsManager,
    references: Vec<Reference>,
    time_to_live: Duration,
    clock: Clock,
    state: Mutex<State>,
    refreshing: tokio::sync::Mutex<()>,
}

/// The secrets at one time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What they hold.
    pub values: Arc<Values>,
    /// Another number once any of them has changed: it tells whether what was made of them has to be made anew.
    pub version: u64,
}

struct State {
    snapshot: Snapshot,
    due: Timestamp,
}

impl Cached {
    /// Fetches the secrets for the first time.
    ///
    /// # Errors
    /// A mistake for every setting whose secret can't be had.
    pub async fn start(
        manager: SecretsManager,
        references: Vec<Reference>,
        time_to_live: Duration,
        clock: Clock,
    ) -> Result<Self, Vec<Diagnostic>> {
        let values = Arc::new(manager.fetch(&references).await?);
        let state = State { snapshot: Snapshot { values, version: 1 }, due: after(clock.now(), time_to_live) };
        let (state, refreshing) = (Mutex::new(state), tokio::sync::Mutex::default());
        Ok(Self { manager, references, time_to_live, clock, state, refreshing })
    }

    /// The secrets as they are now, or as they were when the service could last be asked, after a second at the latest.
    /// While one caller asks, others get what there is.
    pub async fn current(&self) -> Snapshot {
        let snapshot = {
            let state = self.state();
            if self.clock.now() < state.due || self.references.is_empty() {
                return state.snapshot.clone();
            }
            state.snapshot.clone()
        };
        let Ok(_only) = self.refreshing.try_lock() else { return snapshot };
        let fetched = self.clock.timeout(REFRESH, self.manager.fetch(&self.references)).await;
        let now = self.clock.now();
        let mut state = self.state();
        match fetched {
            Some(Ok(values)) => {
                if values != *state.snapshot.values {
                    let version = state.snapshot.version + 1;
                    tracing::info!(version, "secrets have changed");
                    state.snapshot = Snapshot { values: Arc::new(values), version };
                }
                state.due = after(now, self.time_to_live);
            }
            failed => {
                let seconds = REFRESH.as_secs();
                match failed {
                    Some(Err(mistakes)) => mistakes.iter().for_each(|mistake| {
                        let (setting, why) = (&mistake.path, &mistake.message);
                        tracing::warn!(setting, why, "a secret could not be fetched again: the old one stays");
                    }),
                    _ => tracing::warn!(seconds, "secrets could not be fetched again in time: the old ones stay"),
                }
                state.due = after(now, self.time_to_live.min(PAUSE));
            }
        }
        state.snapshot.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
