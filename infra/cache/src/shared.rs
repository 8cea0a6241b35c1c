//! The cache that processes share, in Redis.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use autopr_core::fault::Fault;
use redis::{Cmd, Value};

use crate::envelope::{self, OVERHEAD};
use crate::key::in_redis;
use crate::line::{Failure, Line};
use crate::outage::Outage;
use crate::settings::RedisSettings;

/// The most connections that are opened: one carries what many ask, a few keep a large value from holding up the rest.
const LINES: usize = 4;

/// The largest value that is kept, in bytes.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// The longest a value is kept: a bound that nobody needs, so that every duration can be told to Redis.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// How often refusals are logged.
const SELDOM: Duration = Duration::from_secs(60);

/// Values in Redis. Each command names one key, so that a cluster behind one address serves as well.
pub(crate) struct Shared {
    lines: Vec<Line>,
    turn: AtomicUsize,
    timeout: Duration,
    outage: Outage,
    /// When a refusal was logged last.
    told: Mutex<Option<Instant>>,
}

/// What a look-up came to.
pub(crate) enum Looked {
    /// The value that was put.
    Found(Vec<u8>),
    /// There is none.
    Nothing,
    /// Nobody knows, or what is there was not put by us.
    Failed,
}

impl Shared {
    /// Prepares connections; none is made yet.
    pub(crate) fn new(settings: &RedisSettings) -> Result<Self, Fault> {
        let client = settings.client()?;
        let count = usize::try_from(settings.max_connections).unwrap_or(LINES).clamp(1, LINES);
        Ok(Self {
            lines: (0..count).map(|_| Line::new(client.clone())).collect(),
            turn: AtomicUsize::new(0),
            timeout: settings.timeout,
            outage: Outage::new(settings.pause),
            told: Mutex::default(),
        })
    }

    pub(crate) async fn get(&self, key: &str) -> Looked {
        // `GETRANGE` reads no more than could be ours, however much somebody else put there.
        let mut command = redis::cmd("GETRANGE");
        command.arg(in_redis(key)).arg(0).arg(LARGEST + OVERHEAD);
        match self.ask(&command).await {
            Some(Value::BulkString(sealed)) if sealed.is_empty() => Looked::Nothing,
            Some(Value::BulkString(sealed)) => match envelope::open(key, sealed) {
                Some(value) => Looked::Found(value),
                None => {
                    self.seldom("the cache holds something that was not put there");
                    Looked::Failed
                }
            },
            _ => Looked::Failed,
        }
    }

    /// Returns whether Redis took it.
    pub(crate) async fn put(&self, key: &str, value: &[u8], keep: Duration) -> bool {
        let keep = u64::try_from(keep.min(LONGEST).as_millis()).unwrap_or_default();
        if keep == 0 || value.len() > LARGEST {
            // An older value must not outlive it.
            return self.remove(key).await;
        }
        let mut command = redis::cmd("SET");
        command.arg(in_redis(key)).arg(envelope::seal(key, value)).arg("PX").arg(keep);
        self.ask(&command).await.is_some()
    }

    /// Returns whether Redis did it.
    pub(crate) async fn remove(&self, key: &str) -> bool {
        let mut command = redis::cmd("DEL");
        command.arg(in_redis(key));
        self.ask(&command).await.is_some()
    }

    /// Whether Redis answers, asked whatever was found out before.
    pub(crate) async fn check(&self) -> Result<(), Fault> {
        match self.tried(&redis::cmd("PING")).await {
            Ok(_) => Ok(()),
            Err(Failure::Silent(why)) => Err(Fault::unavailable(format!("asking Redis: {why}"))),
            Err(Failure::Refused(code)) => Err(Fault::unavailable(format!("asking Redis: it answers {code}"))),
        }
    }

    /// The answer to a command; none when there is none, or an error.
    async fn ask(&self, command: &Cmd) -> Option<Value> {
        if !self.outage.admits(Instant::now(), self.timeout) {
            return None;
        }
        match self.tried(command).await {
            Ok(answer) => Some(answer),
            Err(Failure::Silent(_)) => None,
            Err(Failure::Refused(code)) => {
                self.seldom(&format!("Redis answers {code}"));
                None
            }
        }
    }

    async fn tried(&self, command: &Cmd) -> Result<Value, Failure> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.lines.len();
        let answer = self.lines[turn].ask(command, self.timeout).await;
        match &answer {
            Err(Failure::Silent(why)) => {
                if self.outage.failed(Instant::now()) {
                    tracing::warn!(why, "Redis can't be reached: work that it would save is done again until it can");
                }
            }
            Ok(_) | Err(Failure::Refused(_)) => {
                if self.outage.answered() {
                    tracing::info!("Redis can be reached again");
                }
            }
        }
        answer
    }

    /// Logs what may come with each command, but not each time.
    fn seldom(&self, what: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if told.is_none_or(|told| now.duration_since(told) >= SELDOM) {
            *told = Some(now);
            tracing::warn!("{what}: it counts as not being there");
        }
    }
}
