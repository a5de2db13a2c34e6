//! Owns the time type of the core and the clock that production code reads.
//! The core never reads a clock itself: `now` is always an argument.

use std::ops::{Add, Sub};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point on a monotonic clock, in nanoseconds since an origin that only the clock knows.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Time(u64);

impl Time {
    /// The origin of the clock.
    pub const ZERO: Time = Time(0);
    /// Later than every other time: a deadline that never comes.
    pub const NEVER: Time = Time(u64::MAX);

    /// The time `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// The time `ms` milliseconds after the origin.
    pub const fn from_ms(ms: u64) -> Time {
        Time(ms.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1_000_000
    }

    /// This time plus `ms` milliseconds; saturates at [`Time::NEVER`].
    pub const fn plus_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_add(ms.saturating_mul(1_000_000)))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// How long until this time from `now`; `None` when this is [`Time::NEVER`].
    pub const fn until(self, now: Time) -> Option<Duration> {
        if self.0 == u64::MAX {
            None
        } else {
            Some(Duration::from_nanos(self.0.saturating_sub(now.0)))
        }
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, delta: Duration) -> Time {
        let nanos = u64::try_from(delta.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(nanos))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}

/// Where application threads and the sender thread read time.
pub trait Clock: Send + Sync {
    /// The monotonic time.
    fn now(&self) -> Time;
    /// Milliseconds since the Unix epoch, for record timestamps.
    fn wall_ms(&self) -> i64;
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is one second ago, so that "long before now" can be expressed.
    pub fn new() -> SystemClock {
        let now = Instant::now();
        SystemClock { origin: now.checked_sub(Duration::from_secs(1)).unwrap_or(now) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::ZERO + self.origin.elapsed()
    }

    fn wall_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Time::NEVER.plus_ms(5), Time::NEVER);
        assert_eq!(Time::ZERO.since(Time::from_ms(3)), Duration::ZERO);
        assert_eq!(Time::from_ms(5) - Time::from_ms(3), Duration::from_millis(2));
        assert_eq!(Time::NEVER.until(Time::ZERO), None);
        assert_eq!(Time::from_ms(1).until(Time::from_ms(2)), Some(Duration::ZERO));
    }
}
