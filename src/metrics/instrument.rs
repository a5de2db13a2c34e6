//! Owns the instruments that events are counted with: relaxed atomics, no locks, no clock, no
//! allocation. Readers may see one event's parts at slightly different times; nothing is lost.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::time::Time;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// Counts the nanoseconds of `time`.
    #[inline]
    pub fn add_time(&self, time: Duration) {
        self.add(nanos(time));
    }

    /// Takes over a total that its only writer keeps elsewhere.
    #[inline]
    pub fn raise_to(&self, total: u64) {
        self.0.store(total, Relaxed);
    }

    /// The count since creation.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Replaces the number.
    #[inline]
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    /// Adds `delta`, which may be negative.
    #[inline]
    pub fn add(&self, delta: i64) {
        self.0.fetch_add(delta, Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// Values of which average and maximum matter, since creation. For the average of a window, take
/// the difference of sum and count between two snapshots.
#[derive(Debug, Default)]
pub struct Distribution {
    sum: AtomicU64,
    count: AtomicU64,
    max: AtomicU64,
}

impl Distribution {
    /// Records one value.
    #[inline]
    pub fn record(&self, value: u64) {
        self.sum.fetch_add(value, Relaxed);
        self.count.fetch_add(1, Relaxed);
        // A new maximum is rare; a load does not take the cache line from other threads.
        if value > self.max.load(Relaxed) {
            self.max.fetch_max(value, Relaxed);
        }
    }

    /// The sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum.load(Relaxed)
    }

    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// The largest value; 0 without any.
    pub fn max(&self) -> u64 {
        self.max.load(Relaxed)
    }
}

/// A [`Distribution`] of times: kept in nanoseconds, shown in milliseconds.
#[derive(Debug, Default)]
pub struct Timer(Distribution);

impl Timer {
    /// Records one time.
    #[inline]
    pub fn record(&self, time: Duration) {
        self.0.record(nanos(time));
    }

    /// The times in nanoseconds.
    pub fn nanos(&self) -> &Distribution {
        &self.0
    }
}

/// The time of the last event of a kind; shown as its age in seconds.
#[derive(Debug)]
pub struct LastTime(AtomicU64);

impl Default for LastTime {
    fn default() -> LastTime {
        LastTime(AtomicU64::new(Time::NEVER.as_nanos()))
    }
}

impl LastTime {
    /// The event happened at `now`.
    pub fn set(&self, now: Time) {
        self.0.store(now.as_nanos(), Relaxed);
    }

    /// When it last happened; [`Time::NEVER`] before the first time.
    pub fn get(&self) -> Time {
        Time::from_nanos(self.0.load(Relaxed))
    }
}

/// The names under which one instrument may appear in a snapshot.
#[derive(Copy, Clone)]
pub(super) struct Names {
    pub(super) plain: &'static str,
    pub(super) average: &'static str,
    pub(super) max: &'static str,
    pub(super) sum: &'static str,
    pub(super) count: &'static str,
}

/// What a snapshot reads of an instrument.
pub(super) trait Instrument {
    /// Appends each number with its name. `now` is what ages are measured from.
    fn read(&self, names: Names, now: Time, out: &mut Vec<(&'static str, f64)>);
}

impl Instrument for Counter {
    fn read(&self, names: Names, _now: Time, out: &mut Vec<(&'static str, f64)>) {
        out.push((names.plain, self.get() as f64));
    }
}

impl Instrument for Gauge {
    fn read(&self, names: Names, _now: Time, out: &mut Vec<(&'static str, f64)>) {
        out.push((names.plain, self.get() as f64));
    }
}

impl Instrument for Distribution {
    fn read(&self, names: Names, _now: Time, out: &mut Vec<(&'static str, f64)>) {
        read_scaled(self, 1.0, names, out);
    }
}

impl Instrument for Timer {
    fn read(&self, names: Names, _now: Time, out: &mut Vec<(&'static str, f64)>) {
        read_scaled(&self.0, 1e-6, names, out);
    }
}

impl Instrument for LastTime {
    fn read(&self, names: Names, now: Time, out: &mut Vec<(&'static str, f64)>) {
        let last = self.get();
        let age = if last == Time::NEVER { f64::NAN } else { now.since(last).as_secs_f64() };
        out.push((names.plain, age));
    }
}

/// Average and maximum are NaN without values, as in Java.
fn read_scaled(
    values: &Distribution,
    scale: f64,
    names: Names,
    out: &mut Vec<(&'static str, f64)>,
) {
    let (sum, count) = (values.sum() as f64 * scale, values.count() as f64);
    let max = if count == 0.0 { f64::NAN } else { values.max() as f64 * scale };
    out.push((names.average, sum / count));
    out.push((names.max, max));
    out.push((names.sum, sum));
    out.push((names.count, count));
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
