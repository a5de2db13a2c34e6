//! Where records without a key go: uniform sticky partitioning by bytes, with weights from queue lengths
//! (KIP-794) and preference for the own rack (KIP-1123). Never locks: one atomic word per topic.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The current choice of one topic.
#[derive(Debug)]
pub struct Sticky {
    /// Low half: partition + 1, or 0 for none. High half: a count of switches.
    current: AtomicU64,
    /// Bytes appended since the last switch. Only written under the lock of the current partition.
    bytes: AtomicUsize,
    draws: AtomicU64,
    seed: u64,
}

/// What the choice of the next partition goes by.
#[derive(Clone, Debug, Default)]
pub struct Loads {
    /// Partitions that may be chosen.
    pub candidates: Vec<i32>,
    /// Batches queued for each candidate; empty: all alike.
    pub queued: Vec<u32>,
}

/// `partitioner.*` settings for records without a key.
#[derive(Copy, Clone, Debug)]
pub struct StickySettings {
    /// `batch.size`: bytes after which the choice may change.
    pub batch_size_bytes: usize,
    /// `partitioner.adaptive.partitioning.enable`.
    pub adaptive: bool,
    /// `partitioner.rack.aware`.
    pub rack_aware: bool,
}

impl Sticky {
    /// No choice yet.
    pub fn new(seed: u64) -> Sticky {
        let (current, bytes, draws) = Default::default();
        Sticky { current, bytes, draws, seed }
    }

    /// The next word of this topic's own sequence of chance.
    pub fn draw(&self) -> u64 {
        mix(self.seed.wrapping_add(self.draws.fetch_add(1, Ordering::Relaxed)))
    }

    /// The partition chosen now, if any.
    #[inline]
    pub fn current(&self) -> Option<i32> {
        match self.current.load(Ordering::Acquire) as u32 {
            0 => None,
            partition => Some(partition as i32 - 1),
        }
    }

    /// Counts appended bytes, under the lock of the current partition. True when it is time to
    /// switch: a batch's worth went there and no partial batch is left behind, or two batches' worth did.
    #[inline]
    pub fn appended(&self, bytes: usize, partial_batch: bool, batch_size_bytes: usize) -> bool {
        let total = self.bytes.load(Ordering::Relaxed) + bytes;
        self.bytes.store(total, Ordering::Relaxed);
        total >= batch_size_bytes && (!partial_batch || total >= 2 * batch_size_bytes)
    }

    /// Chooses again, if the choice is still `from` (another thread may have chosen meanwhile).
    pub fn switch(&self, from: Option<i32>, loads: &Loads) {
        let word = self.current.load(Ordering::Acquire);
        let seen = match word as u32 {
            0 => None,
            partition => Some(partition as i32 - 1),
        };
        if seen != from || loads.candidates.is_empty() {
            return;
        }
        let switches = (word >> 32) as u32;
        let chosen = choose(loads, mix(self.seed ^ u64::from(switches)));
        let next = u64::from(switches.wrapping_add(1)) << 32 | u64::from(chosen as u32 + 1);
        self.bytes.store(0, Ordering::Relaxed);
        // If another thread was faster, its choice is as good.
        let _ = self.current.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// Uniform without queue lengths; else each candidate weighs (longest queue + 1 − its own).
fn choose(loads: &Loads, random: u64) -> i32 {
    let Loads { candidates, queued } = loads;
    let weights_matter = queued.len() == candidates.len()
        && candidates.len() >= 2
        && queued.iter().any(|&length| length != queued[0]);
    if !weights_matter {
        return candidates[(random % candidates.len() as u64) as usize];
    }
    let longest = queued.iter().copied().max().unwrap_or(0);
    let weight = |length: u32| u64::from(longest - length) + 1;
    let total: u64 = queued.iter().map(|&length| weight(length)).sum();
    let mut left = random % total;
    for (candidate, &length) in candidates.iter().zip(queued) {
        if left < weight(length) {
            return *candidate;
        }
        left -= weight(length);
    }
    candidates[0]
}

/// A well-mixed word from a counter (the finalizer of SplitMix64).
pub fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_lengths_1_7_2_weigh_7_1_6() {
        let loads = Loads { candidates: vec![0, 1, 2], queued: vec![1, 7, 2] };
        let mut hits = [0u32; 3];
        // Miri takes a thousand times as long: fewer, and not so exact.
        let (share, tolerance) = if cfg!(miri) { (100, 40) } else { (10_000, 1500) };
        for n in 0..14 * u64::from(share) {
            hits[choose(&loads, mix(n)) as usize] += 1;
        }
        for (hit, expected) in hits.iter().zip([7 * share, share, 6 * share]) {
            assert!(hit.abs_diff(expected) < tolerance, "{hits:?}");
        }
    }

    #[test]
    fn equal_queues_are_chosen_evenly_and_only_candidates_are() {
        let loads = Loads { candidates: vec![3, 5], queued: vec![4, 4] };
        let draws = if cfg!(miri) { 1_000 } else { 10_000 };
        let fives = (0..draws).filter(|&n| choose(&loads, mix(n)) == 5).count() as u64;
        assert!(fives.abs_diff(draws / 2) < draws / 20, "{fives} of {draws}");
    }

    #[test]
    fn it_sticks_until_a_batch_is_full_and_waits_for_its_end() {
        let sticky = Sticky::new(1);
        let loads = Loads { candidates: (0..100).collect(), queued: Vec::new() };
        sticky.switch(None, &loads);
        let first = sticky.current();
        assert!(first.is_some());
        assert!(!sticky.appended(60, false, 100));
        assert!(!sticky.appended(60, true, 100));
        assert!(sticky.appended(100, true, 100));
        sticky.switch(Some(-5), &loads);
        assert_eq!(sticky.current(), first);
        sticky.switch(first, &loads);
        assert!(!sticky.appended(60, false, 100));
    }
}
