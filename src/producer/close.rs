//! The ends: taking reports, flushing, purging, closing. Every wait here has a limit and returns.

use std::sync::atomic::Ordering;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::accumulator::inbox::Command;
use crate::delivery::waiting::Words;
use crate::delivery::Report;
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{Producer, Shared};
use crate::time::Time;

/// The longest that dropping a producer waits: the default of `delivery.timeout.ms`. Whoever sets that to
/// more, or to no limit, asks for patience with brokers, not for a program that cannot end.
const DROP_LIMIT: Duration = Duration::from_secs(120);

/// What [`Producer::purge`] fails.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Purge {
    /// Records that are not in flight.
    Queued,
    /// Records in flight: whether they are stored stays unknown.
    InFlight,
    /// Both.
    All,
}

impl Producer {
    /// Waits up to `timeout` for reports and hands them to `take`, which gets a report and the index of its
    /// first record not taken yet and says how many it took; it is called until it takes less than there is.
    /// Returns the number of records taken.
    ///
    /// # Errors
    /// `STATE` when reports leave by callback or futures; `FORKED` in a forked child.
    pub fn poll(
        &self,
        timeout: Duration,
        take: &mut dyn FnMut(&Report, usize) -> usize,
    ) -> Result<usize> {
        let shared = &self.shared;
        if shared.fork.is_child() {
            return Err(shared.why_not_open());
        }
        if shared.futures.is_some() || shared.delivery.has_callback() {
            let text = "reports leave by callback or futures here: there is nothing to poll";
            return Err(Error::new(ErrorCode::STATE, text));
        }
        Ok(shared.delivery.poll(timeout, take))
    }

    /// Whether the producer is closed and every report taken: a poll would find nothing, ever.
    pub fn is_finished(&self) -> bool {
        self.shared.delivery.is_finished()
    }

    /// A descriptor that is readable while reports wait for [`Producer::poll`]. It belongs to the producer.
    ///
    /// # Errors
    /// `UNSUPPORTED` on systems without such descriptors.
    pub fn event_fd(&self) -> Result<i32> {
        self.shared.delivery.wake_fd()
    }

    /// Words that say without a call whether reports wait, and whether events do.
    pub(crate) fn waiting(&self) -> &'static Words {
        self.shared.delivery.waiting()
    }

    /// Sends what lingers and waits until every record accepted before this call is reported (with
    /// polling: its report can be taken). Records sent meanwhile by others are not waited for.
    ///
    /// # Errors
    /// `TIMED_OUT` after `timeout`; `IN_CALLBACK` from a callback of this producer; `CLOSED`, `FORKED`.
    pub fn flush(&self, timeout: Duration) -> Result<()> {
        let shared = &self.shared;
        if shared.fork.is_child() {
            return Err(shared.why_not_open());
        }
        shared.refuse_in_callback("flush")?;
        let begun = Instant::now();
        let outstanding = shared.delivery.outstanding();
        let epoch = outstanding.begin_flush();
        shared.accumulator.inbox.send(Command::Flush(epoch), Time::ZERO);
        let flushed = outstanding.wait(epoch, timeout);
        shared.metrics.append.flush_ns.add_time(begun.elapsed());
        if flushed {
            return Ok(());
        }
        let left = outstanding.count();
        let text = format!(
            "flush: after {} ms {left} batches (or parked records) are not reported yet; they stay on \
             their way",
            begun.elapsed().as_millis()
        );
        Err(Error::new(ErrorCode::TIMED_OUT, text))
    }

    /// Fails records instead of waiting for them. Returns at once; the reports follow.
    ///
    /// # Errors
    /// `CLOSED`, `FORKED`.
    pub fn purge(&self, what: Purge) -> Result<()> {
        self.shared.check_open()?;
        let command =
            Command::Purge { queued: what != Purge::InFlight, in_flight: what != Purge::Queued };
        self.shared.accumulator.inbox.send(command, Time::ZERO);
        Ok(())
    }

    /// Takes no more records, waits up to `timeout` for the rest to be reported, fails what is left then,
    /// and ends the producer's threads. Reports can still be polled afterwards. A second call changes
    /// nothing.
    ///
    /// # Errors
    /// `IN_CALLBACK` from a callback of this producer; `FORKED` in a forked child; `TIMED_OUT` when
    /// records had to be failed (the producer is closed all the same).
    pub fn close(&self, timeout: Duration) -> Result<()> {
        let shared = &self.shared;
        if shared.fork.is_child() {
            return Err(shared.why_not_open());
        }
        shared.refuse_in_callback("close")?;
        self.begin_close(timeout);
        let mut slot = shared.sender_thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = slot.take() {
            // It catches its own panics; what it has to say is in `fault`.
            let _ = thread.join();
        }
        // Still holding the slot: a second call returns after the last callback, too.
        shared.delivery.close();
        drop(slot);
        match shared.accumulator.cut_off.load(Ordering::Relaxed) {
            0 => Ok(()),
            count => {
                let text = format!("close: {count} records were not reported in time and failed");
                Err(Error::new(ErrorCode::TIMED_OUT, text))
            }
        }
    }

    /// The first half of [`Producer::close`]: takes no more records, and has the sender end by itself once
    /// the rest are reported or `timeout` has passed. Does not wait.
    pub fn begin_close(&self, timeout: Duration) {
        let shared = &self.shared;
        shared.accumulator.admission.close();
        shared.accumulator.pool.close();
        shared.accumulator.bulletin.post(|news| news.closed = true);
        shared.close_begun.store(true, Ordering::Relaxed);
        let deadline = shared.clock.now() + timeout;
        shared.accumulator.inbox.send(Command::Close(deadline), Time::ZERO);
    }
}

impl Shared {
    pub(super) fn refuse_in_callback(&self, call: &str) -> Result<()> {
        if self.in_callback() {
            let text = format!(
                "{call} was called from a callback of this producer: it would wait for itself"
            );
            return Err(Error::new(ErrorCode::IN_CALLBACK, text));
        }
        Ok(())
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if self.shared.fork.is_child() {
            // Its threads and locks belong to the parent: ending them here would wait for ever.
            std::mem::forget(self.shared.clone());
            return;
        }
        if self.shared.in_callback() {
            // The thread that runs this callback cannot wait for itself; the sender ends on its own.
            self.begin_close(Duration::ZERO);
            return;
        }
        let patience = Duration::from_millis(self.shared.config.delivery.delivery_timeout_ms);
        // What was failed for want of time was reported so.
        let _ = self.close(patience.min(DROP_LIMIT));
    }
}
