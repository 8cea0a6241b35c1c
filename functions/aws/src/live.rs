//! Settings whose secrets change while a function lives, and what is built from them.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::Clock;
use autopr_core::secrets::{Reference, Values};
use autopr_runtime::settings::{Needs, Settings, Source};
use autopr_secrets_aws::Cached;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::aws;
use crate::failed::Failed;
use crate::start::Function;

/// How old a secret may become before it is fetched again: what a rotation takes to be noticed, for one request a secret
/// and environment in that time.
const TIME_TO_LIVE: Duration = Duration::from_secs(5 * 60);

/// Settings, with the secrets that they name.
pub(crate) struct Configured {
    source: Source,
    needs: Needs,
    references: Vec<Reference>,
    secrets: Option<Cached>,
}

impl Configured {
    /// Fetches the secrets and loads the settings. Without any secret nobody is asked.
    pub(crate) async fn start(source: Source, needs: Needs, clock: Clock) -> Result<(Self, Settings), Failed> {
        let references = source.references();
        let secrets = match references.is_empty() {
            true => None,
            false => {
                let manager = aws::secrets_manager(&source.env);
                let cached = Cached::start(manager, references.clone(), TIME_TO_LIVE, clock).await;
                Some(cached.map_err(Failed::Settings)?)
            }
        };
        let configured = Self { source, needs, references, secrets };
        let settings = match &configured.secrets {
            Some(cached) => configured.load(&cached.current().await.values)?,
            None => configured.load(&Values::default())?,
        };
        Ok((configured, settings))
    }

    fn load(&self, secrets: &Values) -> Result<Settings, Failed> {
        Ok(Settings::load_for(&self.source.resolved(secrets), self.needs)?.settings)
    }
}

type Build<T> = Box<dyn Fn(Settings) -> BoxFuture<'static, Result<T, Failed>> + Send + Sync>;

/// What is built from the settings, and built again once a secret in them has changed.
pub struct Live<T> {
    name: &'static str,
    configured: Arc<Configured>,
    build: Build<T>,
    built: Mutex<Built<T>>,
}

struct Built<T> {
    value: Arc<T>,
    /// That of the secrets it was built with.
    version: u64,
}

impl<T> Live<T> {
    /// Builds it for the first time.
    ///
    /// # Errors
    /// Those of `build`.
    pub async fn start<F>(
        function: &Function,
        build: impl Fn(Settings) -> F + Send + Sync + 'static,
    ) -> Result<Self, Failed>
    where
        F: Future<Output = Result<T, Failed>> + Send + 'static,
    {
        let build: Build<T> = Box::new(move |settings| Box::pin(build(settings)));
        let built = build(function.settings.clone()).await;
        let value = Arc::new(built.map_err(|failed| failed.located(&function.configured.references))?);
        // A change between the start and here counts as one.
        let built = Mutex::new(Built { value, version: 1 });
        Ok(Self { name: function.kind.name, configured: function.configured.clone(), build, built })
    }

    /// What it is now. To be asked for at the beginning of an invocation: secrets that have become too old are fetched
    /// then. The old one stays, and that is logged, when a new one can't be built; the next call tries again.
    pub async fn current(&self) -> Arc<T> {
        let Some(cached) = &self.configured.secrets else { return self.built.lock().await.value.clone() };
        let snapshot = cached.current().await;
        let mut built = self.built.lock().await;
        if snapshot.version != built.version {
            let new = match self.configured.load(&snapshot.values) {
                Ok(settings) => (self.build)(settings).await,
                Err(failed) => Err(failed),
            };
            match new {
                Ok(value) => *built = Built { value: Arc::new(value), version: snapshot.version },
                Err(failed) => {
                    let failed = failed.located(&self.configured.references);
                    failed.log(self.name, "secrets that have changed can't be used: the old ones stay in use")
                }
            }
        }
        built.value.clone()
    }

    /// What it was when it was last asked for.
    pub async fn last(&self) -> Arc<T> {
        self.built.lock().await.value.clone()
    }
}
