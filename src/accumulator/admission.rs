//! Whether records are taken: not after the close, and not outside of a transaction where there are
//! transactions. Read under the lock of the queue or gate that a record would enter, so that one pass over
//! all of them, after the answer became no, has seen every record. Never says why; its owner knows.

use crate::sync::atomic::{AtomicU8, Ordering};

const CLOSED: u8 = 1;
const OUTSIDE: u8 = 2;

/// The answer. By default yes.
#[derive(Debug)]
pub struct Admission(AtomicU8);

impl Default for Admission {
    fn default() -> Admission {
        Admission(AtomicU8::new(0))
    }
}

impl Admission {
    /// Whether no record is taken. To be asked under the lock of where it would go.
    #[inline]
    pub fn is_refused(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    /// The same as a first look, without order to anything else.
    #[inline]
    pub fn seems_refused(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether no record will be taken any more.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// No record is taken from now on, for ever.
    pub fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::SeqCst);
    }

    /// Begins or ends the time in which records have a transaction to belong to.
    pub fn set_inside(&self, inside: bool) {
        match inside {
            true => self.0.fetch_and(!OUTSIDE, Ordering::SeqCst),
            false => self.0.fetch_or(OUTSIDE, Ordering::SeqCst),
        };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_begins_does_not_open_a_closed_producer() {
        let admission = Admission::default();
        assert!(!admission.is_refused() && !admission.is_closed());
        admission.set_inside(false);
        assert!(admission.is_refused() && !admission.is_closed());
        admission.set_inside(true);
        assert!(!admission.is_refused() && !admission.seems_refused());
        admission.close();
        admission.set_inside(true);
        assert!(admission.is_refused() && admission.is_closed());
    }
}
