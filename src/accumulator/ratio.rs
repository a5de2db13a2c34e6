//! How well records of one topic compress, learnt from its batches: what an open batch goes by when it asks
//! whether there is room. One estimate for each topic of each producer; never shared with another producer.

use crate::sync::atomic::{AtomicU32, Ordering};

/// A batch that compressed better lowers the estimate by this much (Java
/// `COMPRESSION_RATIO_IMPROVING_STEP`), one that compressed worse raises it at least by that.
const IMPROVING_STEP: f32 = 0.005;
const DETERIORATING_STEP: f32 = 0.05;

/// Compressed bytes for each plain byte, as expected of the next batch.
#[derive(Debug)]
pub struct RatioEstimate {
    bits: AtomicU32,
}

impl Default for RatioEstimate {
    fn default() -> Self {
        RatioEstimate { bits: AtomicU32::new(1.0f32.to_bits()) }
    }
}

impl RatioEstimate {
    /// The estimate; 1 until something is known.
    pub fn get(&self) -> f32 {
        f32::from_bits(self.bits.load(Ordering::Relaxed))
    }

    /// Learns what became of a batch.
    pub fn observe(&self, observed: f32) {
        let next = |estimate: f32| {
            if observed > estimate {
                (estimate + DETERIORATING_STEP).max(observed)
            } else {
                (estimate - IMPROVING_STEP).max(observed)
            }
        };
        self.change(next);
    }

    /// A broker found a batch too large that compressed to `observed`: the next ones are not to count on
    /// compression.
    pub fn reset(&self, observed: f32) {
        self.change(|_| observed.max(1.0));
    }

    fn change(&self, next: impl Fn(f32) -> f32) {
        let changed = |bits| Some(next(f32::from_bits(bits)).to_bits());
        // It never refuses, so there is nothing to be told.
        let _ = self.bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_trusts_slowly_and_distrusts_at_once() {
        let estimate = RatioEstimate::default();
        assert_eq!(estimate.get(), 1.0);
        estimate.observe(0.3);
        assert!((estimate.get() - 0.995).abs() < 1e-6);
        for _ in 0..1000 {
            estimate.observe(0.3);
        }
        assert_eq!(estimate.get(), 0.3);
        estimate.observe(0.31);
        assert!((estimate.get() - 0.35).abs() < 1e-6, "one step at least");
        estimate.observe(0.9);
        assert_eq!(estimate.get(), 0.9);
        estimate.reset(0.4);
        assert_eq!(estimate.get(), 1.0);
        estimate.reset(1.2);
        assert_eq!(estimate.get(), 1.2);
    }
}
