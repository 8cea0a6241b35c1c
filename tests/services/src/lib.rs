//! Real servers for tests: PostgreSQL, PgBouncer, Redis, Prometheus, Moto for the services of AWS and its emulator of Lambda,
//! Azurite for Azure Storage Queue, Google's emulator of Pub/Sub, each on 127.0.0.1 with a port and a folder of its own, a proxy
//! that breaks the connections to them, and a pump from SQS to Lambda.
//! They can be killed, paused and started again on the same port. Everything
//! here panics where a test should fail, and says what to install where a program is missing.
//!
//! Nothing is left behind: a server ends and its folder goes when its value is dropped, and also when the process of the
//! test ends in any other way, be it killed.

mod azurite;
mod certificate;
mod folder;
mod moto;
mod pgbouncer;
mod port;
mod postgres;
mod process;
mod program;
mod prometheus;
mod proxy;
mod pubsub;
mod pump;
mod redis;
mod rie;

pub use azurite::{Azurite, Peeked};
pub use certificate::Certificate;
pub use moto::Moto;
pub use pgbouncer::PgBouncer;
pub use port::free_port;
pub use postgres::{Postgres, PostgresOptions, Stop, pg_dump, psql};
pub use prometheus::Prometheus;
pub use proxy::{Fault, FaultProxy};
pub use pubsub::PubSub;
pub use pump::{Pump, Pumped};
pub use redis::{Redis, RedisOptions};
pub use rie::{InvokeError, Rie};
