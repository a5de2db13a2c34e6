//! A hash of everything that happened in a run, so that two runs can be compared, and the same as text for
//! people. Never influences a run.

use crate::time::Time;

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The trace of one run.
#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    steps: u64,
    printed: bool,
}

impl Trace {
    /// An empty trace; `printed`: it also goes to standard error.
    pub(super) fn new(printed: bool) -> Trace {
        Trace { hash: BASIS, steps: 0, printed }
    }

    /// Notes something that happened: what, and the numbers that tell it from others of its kind.
    pub(super) fn note(&mut self, now: Time, what: &str, numbers: &[u64]) {
        self.steps += 1;
        self.mix(now.as_nanos());
        self.hash = fold(self.hash, what.as_bytes());
        for &number in numbers {
            self.mix(number);
        }
        if self.printed {
            eprintln!("{:>14.6} ms  {what} {numbers:?}", now.as_nanos() as f64 / 1e6);
        }
    }

    /// A line for people only.
    pub(super) fn say(&self, now: Time, text: impl FnOnce() -> String) {
        if self.printed {
            eprintln!("{:>14.6} ms  {}", now.as_nanos() as f64 / 1e6, text());
        }
    }

    fn mix(&mut self, number: u64) {
        self.hash = fold(self.hash, &number.to_le_bytes());
    }

    /// The hash so far.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Notes so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }
}

/// Goes on with an FNV-1a hash.
fn fold(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// A hash of some bytes.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    fold(BASIS, bytes)
}
