//! Appends a record to a topic: finds the partition (the sticky one may move under our feet), appends, and
//! says what the sender must be told. Used by application threads and for records that were parked.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::accumulator::batch::AppendContext;
use crate::accumulator::inbox::Command;
use crate::accumulator::partition::{Appended, AppendedRun, Chosen, Opened, Partition};
use crate::accumulator::pool::{Taker, Ticket, WaitFailure};
use crate::accumulator::sticky::{mix, Loads, Sticky};
use crate::accumulator::topic::{Topic, TopicId};
use crate::accumulator::Accumulator;
use crate::partitioner::Choice;
use crate::record::Record;
use crate::time::Time;

/// A record to send, where to, and what its report will carry.
#[derive(Copy, Clone, Debug)]
pub struct Outgoing<'a> {
    /// From [`Producer::topic`](crate::producer::Producer::topic).
    pub topic: TopicId,
    /// A partition, or -1 for any.
    pub partition: i32,
    /// The record.
    pub record: Record<'a>,
    /// Comes back in the report; any number.
    pub token: u64,
}

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

    #[inline]
    fn is_over(&self) -> bool {
        self.over.get()
    }
}

impl Accumulator {
    /// Appends a record where `choice` says and tells the sender.
    ///
    /// # Errors
    /// Why it was not appended.
    #[inline]
    pub fn append(
        &self,
        context: &AppendContext<'_>,
        topic: &Arc<Topic>,
        choice: Choice,
        outgoing: &Outgoing<'_>,
        taker: Taker<'_>,
    ) -> Result<(), AppendFailure> {
        let partition = match choice {
            Choice::Partition(partition) => partition,
            Choice::Sticky => return self.append_sticky(context, topic, outgoing, taker),
            Choice::Random => self.random_partition(topic, outgoing.token),
            Choice::Refused(number) => return Err(AppendFailure::Refused(number)),
            Choice::Panicked => return Err(AppendFailure::Panicked),
        };
        let found = topic.partition(partition).ok_or(AppendFailure::NoPartition(partition))?;
        match found.append(outgoing, context, taker, &()) {
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
        outgoing: &Outgoing<'_>,
        mut taker: Taker<'_>,
    ) -> Result<(), AppendFailure> {
        loop {
            let (chosen, found) = self.sticky_partition(topic)?;
            let choice = self.sticky_choice(topic, chosen);
            let borrowed = taker.reborrow();
            match found.append(outgoing, context, borrowed, &choice) {
                Appended::Moved => continue,
                Appended::Closed => return Err(AppendFailure::Closed),
                Appended::NoMemory { sealed, wanted_bytes } => {
                    self.tell_sender(found, None, sealed);
                    return Err(AppendFailure::NoMemory(wanted_bytes));
                }
                Appended::Done { opened, sealed } => {
                    self.tell_sender(found, opened, sealed);
                    if choice.is_over() {
                        // The record is in, whatever becomes of the next choice.
                        let _ = self.switch_sticky(topic, Some(chosen));
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Appends records of one topic that follow each other and all go where `choice` says: to one partition,
    /// or sticky. Returns how many are in, and why the next one is not if not all are.
    pub fn append_run(
        &self,
        context: &AppendContext<'_>,
        topic: &Arc<Topic>,
        choice: Choice,
        run: &[Outgoing<'_>],
    ) -> (usize, Option<AppendFailure>) {
        let mut count = 0;
        while count < run.len() {
            let rest = &run[count..];
            let done = match choice {
                Choice::Sticky => self.append_run_sticky(context, topic, rest),
                Choice::Partition(partition) => match topic.partition(partition) {
                    Some(found) => Ok((found, found.append_run(rest, context, &()))),
                    None => Err(AppendFailure::NoPartition(partition)),
                },
                // Where each record goes for itself there is no run.
                _ => {
                    let appended = self.append(context, topic, choice, &rest[0], Taker::Caller);
                    count += usize::from(appended.is_ok());
                    match appended {
                        Ok(()) => continue,
                        Err(failure) => return (count, Some(failure)),
                    }
                }
            };
            let (found, done) = match done {
                Ok(done) => done,
                Err(failure) => return (count, Some(failure)),
            };
            count += done.count;
            self.tell_sender(found, done.opened, done.sealed);
            match done.stopped {
                Some(Appended::Closed) => return (count, Some(AppendFailure::Closed)),
                Some(Appended::NoMemory { wanted_bytes, .. }) => {
                    return (count, Some(AppendFailure::NoMemory(wanted_bytes)));
                }
                Some(Appended::Moved | Appended::Done { .. }) | None => {}
            }
        }
        (count, None)
    }

    /// Appends as many of `run` as belong to the sticky partition of now, which is chosen anew if they fill
    /// it.
    fn append_run_sticky<'a>(
        &self,
        context: &AppendContext<'_>,
        topic: &'a Arc<Topic>,
        run: &[Outgoing<'_>],
    ) -> Result<(&'a Arc<Partition>, AppendedRun), AppendFailure> {
        let (chosen, found) = self.sticky_partition(topic)?;
        let choice = self.sticky_choice(topic, chosen);
        let done = found.append_run(run, context, &choice);
        if choice.is_over() {
            // What was appended is in, whatever becomes of the next choice.
            let _ = self.switch_sticky(topic, Some(chosen));
        }
        Ok((found, done))
    }

    /// Where records without key go now.
    #[inline]
    fn sticky_partition<'a>(
        &self,
        topic: &'a Arc<Topic>,
    ) -> Result<(i32, &'a Arc<Partition>), AppendFailure> {
        loop {
            let current = topic.sticky.current();
            let found = current.and_then(|partition| topic.partition(partition));
            if let (Some(chosen), Some(found)) = (current, found) {
                return Ok((chosen, found));
            }
            self.switch_sticky(topic, current)?;
        }
    }

    #[inline]
    fn sticky_choice<'a>(&self, topic: &'a Topic, partition: i32) -> StickyChoice<'a> {
        let batch_size_bytes = self.settings.sticky.batch_size_bytes;
        StickyChoice { sticky: &topic.sticky, partition, batch_size_bytes, over: Cell::new(false) }
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
