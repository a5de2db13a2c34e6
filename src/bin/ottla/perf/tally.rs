//! What came back: counted and timed per report, on the library's thread. One lock per call of it, none per
//! record.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hdrhistogram::Histogram;
use ottla::delivery::Report;
use ottla::error::{Error, ErrorCode};

/// As many different payloads as a token can tell apart.
pub const PAYLOADS_MAX: usize = 1 << 24;

const TIME_BITS: u32 = 40;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;

/// The time of a record whose latency is not taken.
pub const NOT_SAMPLED: u64 = 0;

/// An hour, in microseconds: no record is on its way for longer.
const LONGEST_US: u64 = 3_600_000_000;

/// What a record carries there and back: which payload it has, and when it was sent.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// The number of the payload, below [`PAYLOADS_MAX`].
    pub payload: usize,
    /// From [`Tally::now`], or [`NOT_SAMPLED`].
    pub sent_at: u64,
}

impl Token {
    /// As a number.
    #[inline]
    pub fn pack(self) -> u64 {
        (self.payload as u64) << TIME_BITS | self.sent_at
    }

    fn unpack(number: u64) -> Token {
        Token { payload: (number >> TIME_BITS) as usize, sent_at: number & TIME_MASK }
    }
}

/// The size of each payload.
#[derive(Clone, Debug)]
pub enum Sizes {
    /// All have this one.
    Same(u64),
    /// By the payload's number.
    Each(Vec<u64>),
}

/// Records so far.
#[derive(Copy, Clone, Debug, Default)]
pub struct Counts {
    /// Acknowledged.
    pub acked: u64,
    /// Refused by `send`, or reported as failed.
    pub failed: u64,
    /// Bytes of the values of those acknowledged.
    pub bytes: u64,
}

/// Latencies, in microseconds.
pub type Latency = Histogram<u64>;

/// Failed records by error: how many, and the first message.
type Failures = BTreeMap<ErrorCode, (u64, String)>;

/// All that came back.
pub struct Tally {
    origin: Instant,
    sizes: Sizes,
    acked: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    latency: Mutex<Latencies>,
    failures: Mutex<Failures>,
}

struct Latencies {
    /// Since the last look of `take_recent`.
    recent: Latency,
    /// Before.
    earlier: Latency,
}

impl Tally {
    /// Nothing yet.
    pub fn new(sizes: Sizes) -> Tally {
        Tally {
            origin: Instant::now(),
            sizes,
            acked: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            latency: Mutex::new(Latencies { recent: histogram(), earlier: histogram() }),
            failures: Mutex::new(BTreeMap::new()),
        }
    }

    /// The time for a token, in microseconds; never [`NOT_SAMPLED`] (once in 13 days by a microsecond off).
    #[inline]
    pub fn now(&self) -> u64 {
        (self.origin.elapsed().as_micros() as u64 & TIME_MASK).max(1)
    }

    /// The library reports.
    pub fn reported(&self, reports: &[Report]) {
        let now = self.now();
        let (mut acked, mut bytes) = (0, 0);
        let mut latency = self.latency();
        for report in reports {
            if report.code != ErrorCode::NONE {
                let why = report.message.as_deref().unwrap_or_else(|| report.code.description());
                self.fail(report.code, why, report.count() as u64);
                continue;
            }
            acked += report.count() as u64;
            for token in report.tokens.iter().map(|&number| Token::unpack(number)) {
                if let Sizes::Each(sizes) = &self.sizes {
                    bytes += sizes[token.payload];
                }
                if token.sent_at != NOT_SAMPLED {
                    latency.recent.saturating_record(now.wrapping_sub(token.sent_at) & TIME_MASK);
                }
            }
        }
        drop(latency);
        if let Sizes::Same(size) = self.sizes {
            bytes = acked * size;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.acked.fetch_add(acked, Ordering::Relaxed);
    }

    /// A record was not accepted.
    pub fn refused(&self, error: &Error) {
        self.fail(error.code(), error.message(), 1);
    }

    fn fail(&self, code: ErrorCode, why: &str, count: u64) {
        self.failed.fetch_add(count, Ordering::Relaxed);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.entry(code).or_insert_with(|| (0, why.to_owned())).0 += count;
    }

    /// Forgets everything (after a warm-up).
    pub fn reset(&self) {
        for counter in [&self.acked, &self.failed, &self.bytes] {
            counter.store(0, Ordering::Relaxed);
        }
        let mut latency = self.latency();
        latency.recent.reset();
        latency.earlier.reset();
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        Counts {
            acked: self.acked.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// The failures so far.
    pub fn failures(&self) -> Failures {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The median and the 99th percentile, in microseconds, since the last call.
    pub fn take_recent(&self) -> (u64, u64) {
        let mut latency = self.latency();
        let Latencies { recent, earlier } = &mut *latency;
        let percentiles = (recent.value_at_quantile(0.5), recent.value_at_quantile(0.99));
        merge(earlier, recent);
        percentiles
    }

    /// All latencies.
    pub fn latency_us(&self) -> Latency {
        let mut latency = self.latency();
        let Latencies { recent, earlier } = &mut *latency;
        merge(earlier, recent);
        earlier.clone()
    }

    fn latency(&self) -> MutexGuard<'_, Latencies> {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn histogram() -> Latency {
    let digits = 3;
    // Fails only for bounds or digits that make no sense, which these do.
    Histogram::new_with_bounds(1, LONGEST_US, digits).expect("bounds are in order")
}

fn merge(all: &mut Latency, recent: &mut Latency) {
    // Fails only when the bounds differ, and both come from `histogram`.
    let _ = all.add(&*recent);
    recent.reset();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_payload_and_time() {
        for (payload, sent_at) in [(0, 0), (PAYLOADS_MAX - 1, TIME_MASK), (5, 123_456)] {
            let token = Token { payload, sent_at };
            assert_eq!(Token::unpack(token.pack()), token);
        }
    }

    #[test]
    fn recent_latencies_end_up_among_all() {
        let tally = Tally::new(Sizes::Same(1));
        tally.latency().recent.saturating_record(1000);
        assert_eq!(tally.take_recent().0, 1000);
        tally.latency().recent.saturating_record(3000);
        let all = tally.latency_us();
        assert_eq!((all.len(), all.min()), (2, 1000));
        assert!(all.max() >= 3000);
        tally.reset();
        assert_eq!(tally.latency_us().len(), 0);
    }

    #[test]
    fn failures_are_gathered_by_their_code() {
        let tally = Tally::new(Sizes::Same(1));
        for text in ["first", "second"] {
            tally.refused(&Error::new(ErrorCode::QUEUE_FULL, text));
        }
        assert_eq!(tally.counts().failed, 2);
        assert_eq!(tally.failures()[&ErrorCode::QUEUE_FULL], (2, "first".to_owned()));
    }
}
