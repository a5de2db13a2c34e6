//! Memory for responses: a limit over all frames that are being received or were handed out and
//! not dropped yet. Never waits and never allocates what it counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use bytes::Bytes;

/// A limit in bytes, shared by the channels of a selector (Java's `MemoryPool` for receives).
///
/// A frame is counted in full once its length is known, so that a frame that was begun can always
/// be finished and two half-received frames can never wait for each other. A frame larger than the
/// whole limit is let in when nothing else is counted.
///
/// Frames are counted until the last share of their `Bytes` is dropped. The selector looks at
/// the budget when it is polled: who drops them on another thread wakes the polling thread.
#[derive(Clone, Debug)]
pub struct ReceiveBudget {
    limit: usize,
    used: Arc<AtomicUsize>,
}

impl ReceiveBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> ReceiveBudget {
        ReceiveBudget { limit, used: Arc::new(AtomicUsize::new(0)) }
    }

    /// Bytes counted now.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    fn reserve(&self, bytes: usize) -> Option<Reservation> {
        // One thread reserves (the selector's), others only give back: no race can pass the limit.
        let used = self.used();
        if bytes > 0 && used > 0 && used.saturating_add(bytes) > self.limit {
            return None;
        }
        self.used.fetch_add(bytes, Ordering::AcqRel);
        Some(Reservation { counted: Some((self.used.clone(), bytes)) })
    }
}

/// What a frame reader may ask for memory.
#[derive(Copy, Clone, Debug)]
pub struct Memory<'a> {
    /// `None`: without limit.
    pub budget: Option<&'a ReceiveBudget>,
    /// Whether others already wait: then only frames without bytes pass, lest small frames keep a
    /// large one waiting for ever.
    pub others_wait: bool,
}

impl Memory<'_> {
    /// Counts `bytes`, or says that they must wait.
    pub fn reserve(&self, bytes: usize) -> Option<Reservation> {
        match self.budget {
            None => Some(Reservation { counted: None }),
            Some(_) if self.others_wait && bytes > 0 => None,
            Some(budget) => budget.reserve(bytes),
        }
    }
}

/// Bytes counted against a budget until dropped.
#[derive(Debug)]
pub struct Reservation {
    counted: Option<(Arc<AtomicUsize>, usize)>,
}

impl Reservation {
    /// Bytes that stay counted until their last share is dropped.
    pub fn attach(self, bytes: Vec<u8>) -> Bytes {
        if self.counted.is_none() || bytes.is_empty() {
            return Bytes::from(bytes);
        }
        Bytes::from_owner(Held { bytes, _reservation: self })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some((used, bytes)) = &self.counted {
            used.fetch_sub(*bytes, Ordering::AcqRel);
        }
    }
}

struct Held {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(budget: &ReceiveBudget) -> Memory<'_> {
        Memory { budget: Some(budget), others_wait: false }
    }

    #[test]
    fn frames_count_until_their_last_share_is_dropped() {
        let budget = ReceiveBudget::new(10);
        let bytes = memory(&budget).reserve(6).unwrap().attach(vec![1; 6]);
        let share = bytes.slice(2..4);
        assert!(memory(&budget).reserve(5).is_none());
        drop(bytes);
        assert_eq!(budget.used(), 6);
        drop(share);
        assert_eq!(budget.used(), 0);
        assert!(memory(&budget).reserve(5).is_some());
    }

    #[test]
    fn a_frame_above_the_limit_passes_alone() {
        let budget = ReceiveBudget::new(10);
        let small = memory(&budget).reserve(1).unwrap();
        assert!(memory(&budget).reserve(1000).is_none());
        drop(small);
        let large = memory(&budget).reserve(1000).unwrap();
        assert!(memory(&budget).reserve(1).is_none());
        assert!(memory(&budget).reserve(0).is_some(), "an empty frame needs no memory");
        drop(large);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn later_frames_do_not_overtake_a_waiting_one() {
        let budget = ReceiveBudget::new(10);
        let late = Memory { budget: Some(&budget), others_wait: true };
        assert!(late.reserve(1).is_none());
        assert!(late.reserve(0).is_some());
    }
}
