//! Hears from other processes that there are new messages. It only saves waiting: whoever hears nothing looks by himself.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::messages::CHANNEL;

/// How long to wait before another try to listen.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells `heard` of messages that other processes than `process` announced. Never comes to an end.
pub(crate) async fn listen(options: PgConnectOptions, process: Uuid, heard: Arc<Notify>) {
    let own = process.to_string();
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).connect_lazy_with(options);
    loop {
        if let Err(error) = hear(&pool, &own, &heard).await {
            tracing::debug!(%error, "not listening for messages; looking for them instead");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear(pool: &sqlx::PgPool, own: &str, heard: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        if listener.recv().await?.payload() != own {
            heard.notify_one();
        }
    }
}
