//! Counts what has been accepted and not yet reported, by epochs, so that a flush waits for exactly what
//! was accepted before it. Touched once per batch, never per record.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex, MutexGuard};

/// The counter. See the head of the file.
#[derive(Debug, Default)]
pub struct Outstanding {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Epoch of the first element of `counts`.
    first: u64,
    /// Open tickets per epoch; the last element is the current epoch.
    counts: VecDeque<usize>,
}

/// One thing that is not reported yet (a batch, a parked record). Counted until dropped.
pub struct Ticket {
    home: Arc<Outstanding>,
    epoch: u64,
}

impl Outstanding {
    /// Nothing outstanding.
    pub fn new() -> Arc<Outstanding> {
        let state = State { first: 0, counts: VecDeque::from([0]) };
        Arc::new(Outstanding { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more thing in the current epoch.
    pub fn enter(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        let epoch = state.first + state.counts.len() as u64 - 1;
        if let Some(count) = state.counts.back_mut() {
            *count += 1;
        }
        Ticket { home: self.clone(), epoch }
    }

    /// The current epoch: that of the last [`begin_flush`](Outstanding::begin_flush) plus one.
    pub fn epoch(&self) -> u64 {
        let state = self.lock();
        state.first + state.counts.len() as u64 - 1
    }

    /// Ends the current epoch and returns it: what is accepted from now on is not waited for.
    pub fn begin_flush(&self) -> u64 {
        let mut state = self.lock();
        let epoch = state.first + state.counts.len() as u64 - 1;
        state.counts.push_back(0);
        Self::trim(&mut state);
        epoch
    }

    /// Whether everything of `epoch` and before is reported.
    pub fn is_flushed(&self, epoch: u64) -> bool {
        let state = self.lock();
        Self::flushed(&state, epoch)
    }

    fn flushed(state: &State, epoch: u64) -> bool {
        let up_to = (epoch + 1).saturating_sub(state.first) as usize;
        state.counts.iter().take(up_to).all(|&count| count == 0)
    }

    fn trim(state: &mut State) {
        while state.counts.len() > 1 && state.counts[0] == 0 {
            state.counts.pop_front();
            state.first += 1;
        }
    }

    /// Waits until everything of `epoch` and before is reported; false when `timeout` passed first.
    pub fn wait(&self, epoch: u64, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        loop {
            if Self::flushed(&state, epoch) {
                return true;
            }
            let left = match deadline {
                Some(at) => at.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if left.is_zero() {
                return false;
            }
            state = match deadline {
                Some(_) => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Number of tickets in all epochs.
    pub fn count(&self) -> usize {
        self.lock().counts.iter().sum()
    }
}

impl Ticket {
    /// The epoch it is counted in.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A second thing of the same epoch: the child of a batch that was split.
    pub fn fork(&self) -> Ticket {
        let mut state = self.home.lock();
        let at = (self.epoch - state.first) as usize;
        state.counts[at] += 1;
        Ticket { home: self.home.clone(), epoch: self.epoch }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.home.lock();
        // The epoch is still there: it is trimmed only when its count is zero.
        let at = (self.epoch - state.first) as usize;
        state.counts[at] -= 1;
        if state.counts[at] == 0 {
            Outstanding::trim(&mut state);
            self.home.changed.notify_all();
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket(epoch {})", self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_waits_for_what_came_before_it_and_for_its_children_only() {
        let outstanding = Outstanding::new();
        let before = outstanding.enter();
        let epoch = outstanding.begin_flush();
        let after = outstanding.enter();
        assert!(!outstanding.is_flushed(epoch));
        let child = before.fork();
        drop(before);
        assert!(!outstanding.is_flushed(epoch));
        assert!(!outstanding.wait(epoch, Duration::from_millis(1)));
        drop(child);
        assert!(outstanding.is_flushed(epoch));
        assert!(outstanding.wait(epoch, Duration::ZERO));
        assert_eq!(outstanding.count(), 1);
        let second = outstanding.begin_flush();
        assert!(!outstanding.is_flushed(second));
        drop(after);
        assert!(outstanding.is_flushed(second));
    }

    #[test]
    fn a_waiting_flush_wakes_when_the_last_ticket_goes() {
        let outstanding = Outstanding::new();
        let ticket = outstanding.enter();
        let epoch = outstanding.begin_flush();
        let waiter = outstanding.clone();
        let thread = std::thread::spawn(move || waiter.wait(epoch, Duration::from_secs(30)));
        drop(ticket);
        assert!(thread.join().unwrap());
    }
}
