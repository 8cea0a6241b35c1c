//! What is kept between two flushes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Counter, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// Labels, by name.
pub(super) type Labels = BTreeMap<String, String>;

/// The name of a metric and its values since the last time.
pub(super) type Sample = (String, Vec<f64>);

/// The most values of one distribution that are kept until they are written. An invocation is far from it; without a bound
/// one that is never flushed would grow.
const MOST_VALUES: usize = 10_000;

/// Every metric that was recorded in this process, by its labels and its name.
#[derive(Default)]
pub struct Gathered(Mutex<BTreeMap<Labels, BTreeMap<String, Kept>>>);

enum Kept {
    Counter { now: Arc<AtomicU64>, told: u64 },
    Level { now: Arc<Level>, told: f64 },
    Values(Arc<Values>),
}

/// A gauge, and whether it was touched since it was read.
#[derive(Default)]
struct Level {
    bits: AtomicU64,
    touched: AtomicBool,
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl Gathered {
    /// Takes out what has changed since the last time.
    pub(super) fn take(&self) -> Vec<(Labels, Vec<Sample>)> {
        let mut taken = Vec::new();
        for (labels, metrics) in lock(&self.0).iter_mut() {
            let samples: Vec<Sample> = metrics
                .iter_mut()
                .map(|(name, kept)| (name.clone(), kept.take(name)))
                .filter(|(_, values)| !values.is_empty())
                .collect();
            if !samples.is_empty() {
                taken.push((labels.clone(), samples));
            }
        }
        taken
    }

    /// What is kept for a metric, if it is of the kind that `pick` looks for; made when it is new.
    fn kept<T>(&self, key: &Key, new: fn() -> Kept, pick: fn(&Kept) -> Option<&Arc<T>>) -> Option<Arc<T>> {
        let labels = key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
        let mut metrics = lock(&self.0);
        let kept = metrics.entry(labels).or_default().entry(key.name().to_owned()).or_insert_with(new);
        pick(kept).map(Arc::clone)
    }
}

impl Kept {
    fn take(&mut self, name: &str) -> Vec<f64> {
        match self {
            Self::Counter { now, told } => {
                let seen = now.load(Ordering::Relaxed);
                let change = seen.saturating_sub(std::mem::replace(told, seen));
                #[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53 within an invocation")]
                if change == 0 { Vec::new() } else { vec![change as f64] }
            }
            Self::Level { now, told } => {
                if !now.touched.swap(false, Ordering::Relaxed) {
                    return Vec::new();
                }
                let seen = f64::from_bits(now.bits.load(Ordering::Relaxed));
                if !seen.is_finite() {
                    return Vec::new();
                }
                let before = std::mem::replace(told, seen);
                // By its name it counts: a gauge only because counters know no fractions.
                vec![if name.ends_with("_total") { seen - before } else { seen }]
            }
            Self::Values(values) => std::mem::take(&mut *lock(&values.0)),
        }
    }
}

impl Recorder for Gathered {
    // Units follow from the names, and there is no place for help texts.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.kept(
            key,
            || Kept::Counter { now: Arc::default(), told: 0 },
            |kept| if let Kept::Counter { now, .. } = kept { Some(now) } else { None },
        )
        .map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.kept(
            key,
            || Kept::Level { now: Arc::default(), told: 0.0 },
            |kept| if let Kept::Level { now, .. } = kept { Some(now) } else { None },
        )
        .map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.kept(
            key,
            || Kept::Values(Arc::default()),
            |kept| if let Kept::Values(values) = kept { Some(values) } else { None },
        )
        .map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

impl Level {
    fn change(&self, new: impl Fn(f64) -> f64) {
        let change = |bits| Some(new(f64::from_bits(bits)).to_bits());
        // It always has a new value, and so never fails.
        let _ = self.bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
        self.touched.store(true, Ordering::Relaxed);
    }
}

impl GaugeFn for Level {
    fn increment(&self, value: f64) {
        self.change(|now| now + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|now| now - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        let mut values = lock(&self.0);
        if values.len() < MOST_VALUES && value.is_finite() {
            values.push(value);
        }
    }
}

/// Whoever panicked while holding the lock left whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
