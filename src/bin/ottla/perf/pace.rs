//! When each record is due, on a schedule fixed at the start: a thread that was held up catches up,
//! and the rate stays the one asked for.

use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;

/// Shorter waits are left out: a sleep takes about this long anyway.
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);

/// The longest sleep before Ctrl-C is looked at again.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);

/// The schedule of one thread.
pub struct Pace {
    begun: Instant,
    /// Seconds from the start to this thread's first record, and between two of its records;
    /// `None`: no limit.
    schedule: Option<(f64, f64)>,
    sent: u64,
}

impl Pace {
    /// The schedule of thread number `thread` of `threads` that send `per_second` records together; 0 or less
    /// sets no limit.
    pub fn new(per_second: f64, threads: u64, thread: u64, begun: Instant) -> Pace {
        let schedule =
            (per_second > 0.0).then(|| (thread as f64 / per_second, threads as f64 / per_second));
        Pace { begun, schedule, sent: 0 }
    }

    /// Waits until the next record is due, or a signal came.
    #[inline]
    pub fn wait(&mut self, interrupt: &Interrupt) {
        let Some((first, between)) = self.schedule else { return };
        let due = Duration::from_secs_f64(first + between * self.sent as f64);
        self.sent += 1;
        loop {
            let left = due.saturating_sub(self.begun.elapsed());
            if left < SHORTEST_SLEEP || interrupt.is_asked() {
                return;
            }
            thread::sleep(left.min(LONGEST_SLEEP));
        }
    }
}
