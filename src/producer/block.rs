//! Every wait of an application thread inside a send: for metadata, for memory, for a partition to appear.
//! Each is bounded by the caller's limit and ends early when the producer is closed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accumulator::append::{AppendFailure, Outgoing};
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::{Taker, WaitFailure};
use crate::accumulator::topic::{Topic, TopicState};
use crate::error::{Error, ErrorCode, Result};
use crate::partitioner::Choice;
use crate::producer::send::Wait;
use crate::producer::Shared;
use crate::time::Time;

impl Shared {
    /// Waits until the topic is known and its gate open.
    pub(super) fn wait_for_topic(&self, topic: &Topic, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        let asked_at = self.clock.now();
        let mut news = self.accumulator.bulletin.read();
        self.accumulator.inbox.send(Command::WantTopic(topic.id), Time::ZERO);
        let outcome = loop {
            if topic.state() == TopicState::Known {
                break Ok(());
            }
            if news.closed {
                break Err(self.why_not_open());
            }
            let answer = news.topic_errors.get(&topic.id);
            // An error of before may have been mended: only the answer to a new question ends this wait.
            let current = answer.filter(|answer| answer.1 >= asked_at).map(|answer| &answer.0);
            if let Some(error) = current.filter(|error| !error.is_retriable()) {
                break Err(error.clone());
            }
            let waited = begun.elapsed();
            if waited >= limit {
                break Err(Error::new(ErrorCode::TIMED_OUT, news.no_metadata(topic, waited)));
            }
            news = self.accumulator.bulletin.wait(news, limit - waited);
        };
        drop(news);
        self.metrics.append.metadata_wait_ns.add_time(begun.elapsed());
        outcome
    }

    /// Goes on after a first append failed: waits for what was missing, if the caller may wait.
    #[cold]
    pub(super) fn append_slowly(
        &self,
        topic: &Arc<Topic>,
        choice: Choice,
        outgoing: &Outgoing<'_>,
        wait: Wait,
        mut failure: AppendFailure,
    ) -> Result<()> {
        let limit = match wait {
            Wait::UpTo(limit) if !limit.is_zero() && !self.in_callback() => limit,
            _ => {
                if matches!(failure, AppendFailure::NoMemory(_)) {
                    self.press();
                }
                return Err(self.append_error(topic, failure));
            }
        };
        let begun = Instant::now();
        let now = || self.clock.now();
        let context = self.accumulator.append_context(&now);
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            let result = match failure {
                AppendFailure::NoMemory(bytes) => {
                    let mut ticket = self.wait_for_memory(bytes, left)?;
                    let taker = Taker::Holder(&mut ticket);
                    self.accumulator.append(&context, topic, choice, outgoing, taker)
                }
                AppendFailure::NoPartition(_) if !left.is_zero() => {
                    self.wait_for_metadata(left);
                    self.check_taking()?;
                    self.accumulator.append(&context, topic, choice, outgoing, Taker::Caller)
                }
                failure => return Err(self.append_error(topic, failure)),
            };
            match result {
                Ok(()) => return Ok(()),
                Err(next) => failure = next,
            }
        }
    }

    fn wait_for_memory(
        &self,
        bytes: usize,
        limit: Duration,
    ) -> Result<crate::accumulator::pool::Ticket> {
        let begun = Instant::now();
        let ticket = self.accumulator.wait_for_memory(bytes, limit);
        let waited = begun.elapsed();
        self.metrics.buffer.wait_ns.add_time(waited);
        ticket.map_err(|failure| match failure {
            WaitFailure::Closed => self.why_not_open(),
            WaitFailure::TooLarge => self.queue_full(),
            WaitFailure::TimedOut => {
                self.metrics.buffer.exhausted.increment();
                let text = format!(
                    "no memory within {} ms (max.block.ms): all {} bytes of buffer.memory hold records \
                     that are not reported yet",
                    waited.as_millis(),
                    self.accumulator.pool.total_bytes()
                );
                Error::new(ErrorCode::TIMED_OUT, text)
            }
        })
    }

    /// Waits for one more metadata update.
    fn wait_for_metadata(&self, limit: Duration) {
        let begun = Instant::now();
        let mut news = self.accumulator.bulletin.read();
        let seen = news.metadata_updates;
        self.accumulator.inbox.send(Command::RefreshMetadata, Time::ZERO);
        while news.metadata_updates == seen && !news.closed && begun.elapsed() < limit {
            news = self.accumulator.bulletin.wait(news, limit - begun.elapsed().min(limit));
        }
    }

    /// Somebody finds no room: the sender sends what lingers, so that there is some soon.
    pub(super) fn press(&self) {
        self.accumulator.pool.press();
        self.accumulator.inbox.send(Command::Pressure, Time::ZERO);
    }

    /// Waits until `queue.buffering.max.messages` allows one more record; gives what is left of the wait.
    #[cold]
    pub(super) fn count_in_slowly(&self, wait: Wait) -> Result<Wait> {
        self.press();
        let limit = match wait {
            Wait::UpTo(limit) if !limit.is_zero() && !self.in_callback() => limit,
            _ => return Err(self.queue_full()),
        };
        let begun = Instant::now();
        let counted = self.accumulator.count_in_waiting(1, limit);
        let waited = begun.elapsed();
        if let Err(closed) = self.check_taking() {
            self.accumulator.count_out(i64::from(counted));
            return Err(closed);
        }
        if counted {
            return Ok(Wait::UpTo(limit.saturating_sub(waited)));
        }
        let text = format!(
            "no room within {} ms (max.block.ms): queue.buffering.max.messages records are not reported yet",
            waited.as_millis()
        );
        Err(Error::new(ErrorCode::TIMED_OUT, text))
    }
}
