//! A process that takes messages, in a runtime of its own: when that ends, everything of the process does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use autopr_core::testkit::crash::Crasher;
use autopr_runtime::Upkeep;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Adapter, Plug, Shop};
use crate::server::PATIENCE;

/// A process that takes messages. It is killed when dropped.
pub struct Process {
    runtime: Option<Runtime>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Process {
    /// Starts a process that also looks for executions that nobody is at.
    pub fn start(shop: &Arc<Shop>, plug: &Arc<dyn Plug>) -> Self {
        Self::with(shop, plug, None, true, None)
    }

    /// Starts a process that has messages only: nothing else brings it work.
    pub fn of_messages(shop: &Arc<Shop>, plug: &Arc<dyn Plug>) -> Self {
        Self::with(shop, plug, None, false, None)
    }

    /// The same where a message may be worked on for so long, by the shop's clock.
    pub fn limited(shop: &Arc<Shop>, plug: &Arc<dyn Plug>, time: Duration) -> Self {
        Self::with(shop, plug, None, false, Some(time))
    }

    /// The same with a mishap before it.
    pub fn doomed(shop: &Arc<Shop>, plug: &Arc<dyn Plug>, crasher: &Arc<Crasher>) -> Self {
        Self::with(shop, plug, Some(crasher.clone()), false, None)
    }

    fn with(
        shop: &Arc<Shop>,
        plug: &Arc<dyn Plug>,
        crasher: Option<Arc<Crasher>>,
        sweeps: bool,
        time: Option<Duration>,
    ) -> Self {
        let runtime = runtime();
        let shutdown = CancellationToken::new();
        let (shop, plug, stopping) = (shop.clone(), plug.clone(), shutdown.clone());
        let task = runtime.spawn(async move {
            let store = shop.store().await;
            let Adapter { queue, consumer } = plug.open(store.clone(), shop.clock()).await;
            let engine = shop.engine(store.clone(), queue, crasher.as_ref(), stopping.clone()).await;
            let upkeep = Upkeep::new(engine.clone(), shop.clock(), stopping.clone(), autopr_core::engine::PATIENCE);
            let swept = async {
                if sweeps {
                    upkeep.sweep().await;
                }
            };
            tokio::join!(consumer(engine, stopping, time), swept);
            store.close().await;
        });
        Self { runtime: Some(runtime), shutdown, task }
    }

    /// Kills it: whatever it does is left as it is.
    pub fn kill(self) {
        drop(self);
    }

    /// Asks it to end, and waits for that.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(PATIENCE, &mut self.task).await;
        ended.expect("the process ends").expect("it does not panic");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does something in a process of its own, which is killed at once when it is done.
pub(super) async fn briefly<F>(what: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let runtime = runtime();
    let done = runtime.spawn(what).await;
    runtime.shutdown_background();
    done.expect("it does not panic")
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}
