//! Two words that tell an application without a call whether something waits for it: reports, events. They
//! outlive their producer, since whoever looks may be late; the next producer uses them again.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use crossbeam::queue::SegQueue;

/// 0 or 1 each. The layout is C's; whoever wants reads both as one word of 64 bits.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct Words {
    reports: AtomicU32,
    events: AtomicU32,
}

impl Words {
    /// Says whether reports wait.
    pub fn set_reports(&self, wait: bool) {
        self.reports.store(u32::from(wait), Ordering::Release);
    }

    /// Says whether events wait.
    pub fn set_events(&self, wait: bool) {
        self.events.store(u32::from(wait), Ordering::Release);
    }

    /// Whether reports wait.
    #[cfg(test)]
    pub fn reports(&self) -> bool {
        self.reports.load(Ordering::Acquire) != 0
    }

    /// Where the word for reports is, with the one for events behind it; readable for ever.
    pub fn address(&'static self) -> *const u32 {
        self.reports.as_ptr().cast_const()
    }
}

/// Words that nobody uses. Lock-free, because a lock held at a fork would hang the child.
static UNUSED: SegQueue<&'static Words> = SegQueue::new();

/// The words of one producer.
#[derive(Debug)]
pub struct Waiting(&'static Words);

impl Waiting {
    /// Words that both say no. At most as many exist as ever producers did at one time.
    pub fn new() -> Waiting {
        Waiting(UNUSED.pop().unwrap_or_else(|| Box::leak(Box::default())))
    }

    /// The words themselves.
    pub fn words(&self) -> &'static Words {
        self.0
    }
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting::new()
    }
}

impl Deref for Waiting {
    type Target = Words;
    fn deref(&self) -> &Words {
        self.0
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.set_reports(false);
        self.set_events(false);
        UNUSED.push(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::mem::{align_of, size_of};

    use super::*;

    #[test]
    fn words_are_used_again_and_begin_with_no() {
        let first = Waiting::new();
        first.set_reports(true);
        first.set_events(true);
        let words = first.words();
        drop(first);
        assert_eq!(
            (words.reports.load(Ordering::Relaxed), words.events.load(Ordering::Relaxed)),
            (0, 0)
        );
        assert_eq!(std::mem::offset_of!(Words, events), 4);
        assert_eq!((size_of::<Words>(), align_of::<Words>()), (8, 8));
    }
}
