//! Appends a record to a topic: finds the partition (the sticky one may move under our feet), appends, and
//! says what the sender must be told. Used by application threads and for records that were parked.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::accumulator::batch::AppendContext;
use crate::accumulator::inbox::Command;
use crate::accumulator::partition::{Appended, Chosen, Opened, Partition};
use crate::accumulator::pool::{Taker, Ticket, WaitFailure};
use crate::accumulator::sticky::{mix, Loads, Sticky};
use crate::accumulator::topic::Topic;
use crate::accumulator::Accumulator;
use crate::partitioner::Choice;
use crate::record::Record;
use crate::time::Time;

/// Why a record was not appended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AppendFailure {
    /// The pool has no room; this many bytes are the most that the record can need.
    NoMemory(usize),
    /// The topic has no such partition (or none at all) now.
    NoPartition(i32),
    /// The partitioner of the application refused with this number.
    Refused(i32),
    /// The partitioner of the application panicked.
    Panicked,
    /// The producer is closed.
    Closed,
}

/// The sticky choice as the partition it fell on sees it.
struct StickyChoice<'a> {
    sticky: &'a Sticky,
    partition: i32,
    batch_size_bytes: usize,
    /// Time to choose again.
    over: Cell<bool>,
}

impl Chosen for StickyChoice<'_> {
    #[inline]
    fn still(&self) -> bool {
        self.sticky.current() == Some(self.partition)
    }

    #[inline]
    fn took(&self, bytes: usize, partial: bool) {
        self.over.set(self.sticky.appended(bytes, partial, self.batch_size_bytes));
    }
}

impl Accumulator {
    /// Appends `record` where `choice` says and tells the sender. `now` is asked when a batch is opened.
    #[inline]
    pub fn append(
        &self,
        topic: &Arc<Topic>,
        choice: Choice,
        record: &Record<'_>,
        token: u64,
        taker: Taker<'_>,
        now: &dyn Fn() -> Time,
    ) -> Result<(), AppendFailure> {
        self.append_in(&self.append_context(), topic, choice, record, token, taker, now)
    }

    /// As `append`, in a context of the caller's.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub fn append_in(
        &self,
        context: &AppendContext<'_>,
        topic: &Arc<Topic>,
        choice: Choice,
        record: &Record<'_>,
        token: u64,
        taker: Taker<'_>,
        now: &dyn Fn() -> Time,
    ) -> Result<(), AppendFailure> {
        let partition = match choice {
            Choice::Partition(partition) => partition,
            Choice::Sticky => {
                return self.append_sticky(context, topic, record, token, taker, now);
            }
            Choice::Random => self.random_partition(topic, token),
            Choice::Refused(number) => return Err(AppendFailure::Refused(number)),
            Choice::Panicked => return Err(AppendFailure::Panicked),
        };
        let found = topic.partition(partition).ok_or(AppendFailure::NoPartition(partition))?;
        match found.append(record, token, context, taker, &(), now) {
            Appended::Done { opened, sealed } => {
                self.tell_sender(found, opened, sealed);
                Ok(())
            }
            Appended::NoMemory { sealed, wanted_bytes } => {
                self.tell_sender(found, None, sealed);
                Err(AppendFailure::NoMemory(wanted_bytes))
            }
            Appended::Moved | Appended::Closed => Err(AppendFailure::Closed),
        }
    }

    fn append_sticky(
        &self,
        context: &AppendContext<'_>,
        topic: &Arc<Topic>,
        record: &Record<'_>,
        token: u64,
        mut taker: Taker<'_>,
        now: &dyn Fn() -> Time,
    ) -> Result<(), AppendFailure> {
        loop {
            let current = topic.sticky.current();
            let found = current.and_then(|partition| topic.partition(partition));
            let (Some(chosen), Some(found)) = (current, found) else {
                self.switch_sticky(topic, current)?;
                continue;
            };
            let batch_size_bytes = self.settings.sticky.batch_size_bytes;
            let choice = StickyChoice {
                sticky: &topic.sticky,
                partition: chosen,
                batch_size_bytes,
                over: Cell::new(false),
            };
            let borrowed = taker.reborrow();
            match found.append(record, token, context, borrowed, &choice, now) {
                Appended::Moved => continue,
                Appended::Closed => return Err(AppendFailure::Closed),
                Appended::NoMemory { sealed, wanted_bytes } => {
                    self.tell_sender(found, None, sealed);
                    return Err(AppendFailure::NoMemory(wanted_bytes));
                }
                Appended::Done { opened, sealed } => {
                    self.tell_sender(found, opened, sealed);
                    if choice.over.get() {
                        // The record is in, whatever becomes of the next choice.
                        let _ = self.switch_sticky(topic, Some(chosen));
                    }
                    return Ok(());
                }
            }
        }
    }

    #[inline]
    fn tell_sender(&self, partition: &Arc<Partition>, opened: Option<Opened>, sealed: bool) {
        if let Some(opened) = opened {
            // A flush or a wait for memory that began meanwhile may have been dealt with before the sender
            // knew of this batch: then it must not linger.
            let hurry = || {
                self.pool.waiting_threads() > 0
                    || self.delivery.outstanding().epoch() != opened.epoch
            };
            let by = || if hurry() { Time::ZERO } else { opened.created + self.settings.linger };
            self.inbox.send_by(Command::Opened(partition.slot), by);
        }
        if sealed {
            self.inbox.send(Command::Sealed(partition.slot), Time::ZERO);
        }
    }

    /// Waits in line for memory, at most `limit`, and has the sender send what lingers.
    ///
    /// # Errors
    /// As [`Pool::wait`](crate::accumulator::pool::Pool::wait).
    pub fn wait_for_memory(&self, bytes: usize, limit: Duration) -> Result<Ticket, WaitFailure> {
        // Told only when this thread counts as waiting: a batch opened later sees that and does not linger.
        self.pool.wait(bytes, limit, || self.inbox.send(Command::Pressure, Time::ZERO))
    }

    /// Chooses the next sticky partition among those with a leader (all, if none has), nearest first.
    #[cold]
    fn switch_sticky(&self, topic: &Arc<Topic>, from: Option<i32>) -> Result<(), AppendFailure> {
        let count = topic.partition_count();
        if count == 0 {
            return Err(AppendFailure::NoPartition(-1));
        }
        let view = topic.view();
        let all = 0..count as i32;
        let led =
            |&partition: &i32| view.leaders.get(partition as usize).is_some_and(|l| l.is_some());
        let unavailable = self.unavailable();
        let usable = |&partition: &i32| {
            let leader = view.leaders.get(partition as usize).copied().flatten();
            leader.is_some_and(|node| !unavailable.contains(&node))
        };
        let near = |&partition: &i32| view.same_rack.get(partition as usize) == Some(&true);
        let mut candidates: Vec<i32> = all.clone().filter(usable).collect();
        if candidates.is_empty() {
            candidates = all.clone().filter(led).collect();
        }
        if candidates.is_empty() {
            candidates = all.collect();
        }
        if self.settings.sticky.rack_aware && candidates.iter().any(near) {
            candidates.retain(near);
        }
        // The lengths of thousands of queues tell little and cost much: then all count alike.
        let weigh = self.settings.sticky.adaptive && candidates.len() <= WEIGHED_PARTITIONS_MAX;
        let queued = if weigh {
            let length = |&at: &i32| topic.partition(at).map_or(0, |found| found.queued_batches());
            candidates.iter().map(length).collect()
        } else {
            Vec::new()
        };
        topic.sticky.switch(from, &Loads { candidates, queued });
        Ok(())
    }

    fn random_partition(&self, topic: &Arc<Topic>, token: u64) -> i32 {
        let count = u64::from(topic.partition_count().max(1));
        (mix(topic.sticky.draw() ^ token) % count) as i32
    }
}

/// Above this number of candidates the choice of a sticky partition ignores queue lengths.
const WEIGHED_PARTITIONS_MAX: usize = 1024;

#[cfg(test)]
#[path = "append_tests.rs"]
mod tests;
