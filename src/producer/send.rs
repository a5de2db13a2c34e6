//! `send` in its forms. The order of a record's checks is the order of this file's `accept`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accumulator::append::{AppendFailure, Outgoing};
use crate::accumulator::batch::size_upper_bound;
use crate::accumulator::inbox::Command;
use crate::accumulator::parked::{ParkedRecord, Parking};
use crate::accumulator::pool::{Needs, Taker};
use crate::accumulator::topic::{Topic, TopicId, TopicState};
use crate::delivery::future::DeliveryFuture;
use crate::delivery::{Lease, Promises};
use crate::error::{Error, ErrorCode, Result};
use crate::partitioner::Choice;
use crate::producer::{Producer, Shared};
use crate::record::{Magic, Record, NO_TIMESTAMP};
use crate::time::Time;

/// Let the partitioner choose.
pub const ANY_PARTITION: i32 = -1;

/// How long a send may wait for memory or for the topic's metadata.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Not at all: without memory the send fails with `QUEUE_FULL`; a record of a topic that is not known
    /// yet is parked.
    Never,
    /// At most this long.
    UpTo(Duration),
}

impl Producer {
    /// Registers a topic name, or finds it again. Cheap; the metadata is fetched in the background.
    ///
    /// # Errors
    /// `ARGUMENT` for a name that is empty, longer than 249 bytes, `.`, `..`, or with characters other than
    /// ASCII letters, digits, `.`, `_` and `-`.
    pub fn topic(&self, name: &str) -> Result<TopicId> {
        self.shared.check_open()?;
        check_topic_name(name)?;
        let accumulator = &self.shared.accumulator;
        let seed = accumulator.settings.seed;
        let (topic, new) = accumulator.topics.register(name, seed).ok_or_else(|| {
            Error::new(ErrorCode::ARGUMENT, "too many topics are registered with this producer")
        })?;
        if new {
            accumulator.inbox.send(Command::WantTopic(topic.id), Time::ZERO);
        }
        Ok(TopicId(topic.id))
    }

    /// Sends a record to a topic, partition left to the partitioner. See [`Producer::send_to`].
    ///
    /// # Errors
    /// As [`Producer::send_to`].
    pub fn send(&self, topic: TopicId, record: &Record<'_>) -> Result<DeliveryFuture> {
        self.send_to(topic, ANY_PARTITION, record)
    }

    /// Sends a record; its fate comes through the future. Waits up to `max.block.ms` for memory and, at
    /// first, for the topic's metadata, unless `send.wait=false`. The record's bytes are copied; a
    /// timestamp of
    /// -1 means now.
    ///
    /// # Errors
    /// What was wrong with the record or the producer; the record then was not accepted: `CLOSED`,
    /// `FORKED`, `ARGUMENT`, `RECORD_TOO_LARGE`, `QUEUE_FULL`, `TIMED_OUT`, `UNKNOWN_PARTITION`, the
    /// topic's error from the cluster, or `STATE` when reports leave by callback or poll.
    pub fn send_to(
        &self,
        topic: TopicId,
        partition: i32,
        record: &Record<'_>,
    ) -> Result<DeliveryFuture> {
        let Some(futures) = &self.shared.futures else {
            let text =
                "this producer reports by callback or poll: use send_token, or build it without";
            return Err(Error::new(ErrorCode::STATE, text));
        };
        let promise = futures.promise();
        let mut outgoing = Outgoing { topic, partition, record: *record, token: promise.token() };
        match self.shared.accept(&mut outgoing, self.default_wait()) {
            Ok(()) => Ok(promise),
            Err(error) => {
                promise.cancel();
                Err(error)
            }
        }
    }

    /// Sends a record whose report will carry `token`. For producers that report by callback or poll.
    ///
    /// # Errors
    /// As [`Producer::send_to`]; `STATE` when reports leave through futures.
    #[inline]
    pub fn send_token(
        &self,
        topic: TopicId,
        partition: i32,
        record: &Record<'_>,
        token: u64,
        wait: Wait,
    ) -> Result<()> {
        if self.shared.futures.is_some() {
            let text = "this producer reports through futures: use send, or build it with a callback or poll";
            return Err(Error::new(ErrorCode::STATE, text));
        }
        self.shared.accept(&mut Outgoing { topic, partition, record: *record, token }, wait)
    }

    /// The time of day in milliseconds since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.shared.clock.wall_ms()
    }

    /// What `send.wait` and `max.block.ms` say.
    #[inline]
    pub fn default_wait(&self) -> Wait {
        let memory = &self.shared.config.memory;
        match memory.send_wait {
            true => Wait::UpTo(Duration::from_millis(memory.max_block_ms)),
            false => Wait::Never,
        }
    }
}

impl Shared {
    /// Checks and appends one record, whose time of sending is filled in. An error means that it was not
    /// accepted and will not be reported.
    #[inline]
    pub(super) fn accept(&self, outgoing: &mut Outgoing<'_>, wait: Wait) -> Result<()> {
        self.check_taking()?;
        let Some(topic) = self.accumulator.topics.get(outgoing.topic.0) else {
            return Err(Error::new(
                ErrorCode::ARGUMENT,
                format!("topic id {} was not registered with this producer", outgoing.topic.0),
            ));
        };
        if self.interceptors.is_empty() {
            return self.accept_on(topic, outgoing, wait);
        }
        let changed = self.interceptors.on_send(&topic.name, &outgoing.record);
        changed.with_record(|&record| {
            self.accept_on(topic, &mut Outgoing { record, ..*outgoing }, wait)
        })
    }

    #[inline]
    fn accept_on(&self, topic: &Arc<Topic>, outgoing: &mut Outgoing<'_>, wait: Wait) -> Result<()> {
        self.check_record(outgoing)?;
        if outgoing.record.timestamp_ms == NO_TIMESTAMP {
            outgoing.record.timestamp_ms = self.clock.wall_ms();
        }
        self.counted(wait, |wait| match topic.state() {
            TopicState::Known => self.append(topic, outgoing, wait),
            _ => self.accept_unknown(topic, outgoing, wait),
        })
    }

    /// Counts a record in, has `append` accept it in what is left of the wait, and counts it out again if
    /// that fails.
    #[inline]
    pub(super) fn counted(
        &self,
        wait: Wait,
        append: impl FnOnce(Wait) -> Result<()>,
    ) -> Result<()> {
        let mut wait = wait;
        if !self.accumulator.count_in(1) {
            wait = self.count_in_slowly(wait)?;
        }
        let accepted = append(wait);
        if accepted.is_err() {
            self.not_accepted();
        }
        accepted
    }

    /// A record that was counted in is refused after all.
    #[cold]
    pub(super) fn not_accepted(&self) {
        self.accumulator.count_out(1);
        self.metrics.append.records_refused.increment();
    }

    #[inline]
    pub(super) fn check_record(&self, outgoing: &Outgoing<'_>) -> Result<()> {
        let &Outgoing { partition, ref record, .. } = outgoing;
        let size = size_upper_bound(record);
        let limit = self.config.batching.max_request_size_bytes;
        let memory = self.accumulator.pool.caller_limit_bytes() / 2;
        // Looked at once: brokers may be upgraded before the text is written.
        let usable = self.accumulator.usable_magic();
        if size > limit
            || size > memory
            || partition < ANY_PARTITION
            || record.timestamp_ms < NO_TIMESTAMP
            || (!record.headers.is_empty() && usable < Magic::V2)
        {
            return Err(self.why_refused(size, partition, record, usable));
        }
        Ok(())
    }

    #[cold]
    pub(super) fn why_refused(
        &self,
        size: usize,
        partition: i32,
        record: &Record<'_>,
        usable: Magic,
    ) -> Error {
        let limit = self.config.batching.max_request_size_bytes;
        if partition < ANY_PARTITION {
            let text = format!("partition {partition}: give a partition number, or -1 for any");
            return Error::new(ErrorCode::ARGUMENT, text);
        }
        if record.timestamp_ms < NO_TIMESTAMP {
            let text = format!(
                "timestamp {}: give milliseconds since 1970, or -1 for now",
                record.timestamp_ms
            );
            return Error::new(ErrorCode::ARGUMENT, text);
        }
        let memory = self.accumulator.pool.caller_limit_bytes() / 2;
        let fits = size <= limit && size <= memory;
        if fits && !record.headers.is_empty() && usable < Magic::V2 {
            let text = "record headers need brokers from Kafka 0.11 on, and these are older";
            return Error::new(ErrorCode::UNSUPPORTED, text);
        }
        let text = if size > limit {
            format!("the record takes up to {size} bytes, more than max.request.size ({limit})")
        } else {
            let memory = self.accumulator.pool.total_bytes();
            format!("the record takes up to {size} bytes, too much for buffer.memory ({memory})")
        };
        Error::new(ErrorCode::RECORD_TOO_LARGE, text)
    }

    /// Appends a record of a known topic, waiting for memory if it may.
    #[inline]
    fn append(&self, topic: &Arc<Topic>, outgoing: &Outgoing<'_>, wait: Wait) -> Result<()> {
        self.append_to(topic, self.choose(topic, outgoing), outgoing, wait)
    }

    /// Where a record goes.
    #[inline]
    pub(super) fn choose(&self, topic: &Topic, outgoing: &Outgoing<'_>) -> Choice {
        match outgoing.partition {
            ANY_PARTITION => {
                self.partitioner.choose(&topic.name, &outgoing.record, topic.partition_count())
            }
            partition => Choice::Partition(partition),
        }
    }

    /// Appends a record where `choice` says, waiting for memory if it may.
    #[inline]
    pub(super) fn append_to(
        &self,
        topic: &Arc<Topic>,
        choice: Choice,
        outgoing: &Outgoing<'_>,
        wait: Wait,
    ) -> Result<()> {
        let now = || self.clock.now();
        let context = self.accumulator.append_context(&now);
        match self.accumulator.append(&context, topic, choice, outgoing, Taker::Caller) {
            Ok(()) => Ok(()),
            Err(failure) => self.append_slowly(topic, choice, outgoing, wait, failure),
        }
    }

    /// Parks a record of a topic that is not known yet, or waits until it is.
    #[cold]
    fn accept_unknown(
        &self,
        topic: &Arc<Topic>,
        outgoing: &Outgoing<'_>,
        wait: Wait,
    ) -> Result<()> {
        match wait {
            Wait::UpTo(limit) if !limit.is_zero() && !self.in_callback() => {
                let begun = Instant::now();
                self.wait_for_topic(topic, limit)?;
                let left = Wait::UpTo(limit.saturating_sub(begun.elapsed()));
                self.append(topic, outgoing, left)
            }
            _ => self.park(topic, outgoing),
        }
    }

    fn park(&self, topic: &Arc<Topic>, outgoing: &Outgoing<'_>) -> Result<()> {
        let &Outgoing { partition, ref record, token, .. } = outgoing;
        let cost = ParkedRecord::cost_bytes(record);
        let needs = Needs { counted_bytes: cost, ..Needs::default() };
        let pool = &self.accumulator.pool;
        if !pool.try_take(&needs, Taker::Caller, &mut Vec::new()) {
            self.press();
            return Err(self.queue_full());
        }
        let lease = Lease::new(pool.clone(), cost);
        let make = || {
            let home = self.delivery.clone();
            let promise = Promises::of_one(topic.id, partition, token, lease, home);
            ParkedRecord::new(record, partition, promise, self.clock.now())
        };
        match self.accumulator.park(topic, make) {
            Parking::Parked { first } => {
                self.metrics.append.records_parked.increment();
                if first {
                    self.accumulator.inbox.send(Command::Parked(topic.id), Time::ZERO);
                }
                Ok(())
            }
            Parking::Open => self.append(topic, outgoing, Wait::Never),
            Parking::Closed => Err(self.why_not_taken()),
        }
    }

    /// What is said when a record is refused for want of room.
    pub(super) fn queue_full(&self) -> Error {
        let total = self.accumulator.pool.total_bytes();
        let text = format!(
            "no room for the record now: buffer.memory ({total} bytes) or queue.buffering.max.messages is \
             used up by records that are not reported yet"
        );
        Error::new(ErrorCode::QUEUE_FULL, text)
    }

    /// Says why an append failed that waiting cannot mend.
    pub(super) fn append_error(&self, topic: &Topic, failure: AppendFailure) -> Error {
        let count = topic.partition_count();
        match failure {
            AppendFailure::NoMemory(_) => self.queue_full(),
            AppendFailure::NoPartition(partition) => {
                Error::new(ErrorCode::UNKNOWN_PARTITION, topic.lacks(partition))
            }
            AppendFailure::Refused(number) => {
                let text = format!(
                    "the partitioner returned {number} for topic {} with {count} partitions",
                    topic.name
                );
                Error::new(ErrorCode::ARGUMENT, text)
            }
            AppendFailure::Panicked => {
                Error::new(ErrorCode::PANIC, "the application's partitioner panicked")
            }
            AppendFailure::Closed => self.why_not_taken(),
        }
    }
}

fn check_topic_name(name: &str) -> Result<()> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let wrong = if name.is_empty() {
        "it is empty".to_string()
    } else if name.len() > 249 {
        format!("it has {} bytes, at most 249 are allowed", name.len())
    } else if name == "." || name == ".." {
        "`.` and `..` are not allowed".to_string()
    } else if let Some(bad) = name.chars().find(|&c| !legal(c)) {
        format!("it holds {bad:?}; ASCII letters, digits, `.`, `_` and `-` are allowed")
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(60).collect();
    Err(Error::new(ErrorCode::ARGUMENT, format!("topic name {shown:?}: {wrong}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_are_kafkas() {
        for good in ["a", "A.b_c-9", "__consumer_offsets", &"x".repeat(249)] {
            assert!(check_topic_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a b", "ä", "a/b", "a\0", &"x".repeat(250)] {
            let error = check_topic_name(bad).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ARGUMENT, "{bad}");
        }
    }
}
