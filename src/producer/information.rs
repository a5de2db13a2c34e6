//! What a producer can be asked: whether it is ready, the cluster's metadata, its metrics, what is
//! outstanding.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::accumulator::inbox::Command;
use crate::accumulator::topic::{TopicId, TopicState};
use crate::error::{Error, ErrorCode, Result};
use crate::metadata::ClusterSnapshot;
use crate::metrics::MetricsSnapshot;
use crate::producer::Producer;
use crate::time::Time;

impl Producer {
    /// Waits until a broker has answered. Fails at once when every configured broker has refused, so
    /// that wrong addresses or settings show before the first record.
    ///
    /// # Errors
    /// Why no broker can be used; `TIMED_OUT` after `timeout`; `CLOSED`, `FORKED`.
    pub fn wait_ready(&self, timeout: Duration) -> Result<()> {
        let shared = &self.shared;
        shared.check_open()?;
        let begun = Instant::now();
        let bulletin = &shared.accumulator.bulletin;
        let mut news = bulletin.read();
        loop {
            if !shared.metadata.snapshot().is_bootstrap() {
                return Ok(());
            }
            if news.closed {
                return Err(shared.why_not_open());
            }
            if let Some(error) = &news.unreachable {
                return Err(error.clone());
            }
            let waited = begun.elapsed();
            if waited >= timeout {
                let servers = shared.config.bootstrap.servers.iter().map(|s| s.to_string());
                let servers = servers.collect::<Vec<_>>().join(",");
                let text = format!("no answer from {servers} within {} ms", waited.as_millis());
                return Err(Error::new(ErrorCode::TIMED_OUT, text));
            }
            news = bulletin.wait(news, timeout - waited);
        }
    }

    /// The cluster as this producer knows it now; only topics that it uses.
    pub fn cluster(&self) -> Arc<ClusterSnapshot> {
        self.shared.metadata.snapshot()
    }

    /// Waits until the topic's partitions are known and returns the cluster's metadata.
    ///
    /// # Errors
    /// The topic's error from the cluster; `TIMED_OUT`; `ARGUMENT` for an unregistered id; `CLOSED`,
    /// `FORKED`.
    pub fn topic_metadata(
        &self,
        topic: TopicId,
        timeout: Duration,
    ) -> Result<Arc<ClusterSnapshot>> {
        let shared = &self.shared;
        shared.check_open()?;
        let Some(known) = shared.accumulator.topics.get(topic.0) else {
            let text = format!("topic id {} was not registered with this producer", topic.0);
            return Err(Error::new(ErrorCode::ARGUMENT, text));
        };
        if known.state() != TopicState::Known {
            shared.wait_for_topic(known, timeout)?;
        }
        Ok(shared.metadata.snapshot())
    }

    /// Asks for fresh metadata in the background.
    pub fn refresh_metadata(&self) {
        self.shared.accumulator.inbox.send(Command::RefreshMetadata, Time::ZERO);
    }

    /// Name of a registered topic.
    pub fn topic_name(&self, topic: TopicId) -> Option<Arc<str>> {
        self.shared.accumulator.topics.get(topic.0).map(|topic| topic.name.clone())
    }

    /// Records accepted whose reports have not been taken (librdkafka: `rd_kafka_outq_len`). Looks at every
    /// partition: not for every record.
    pub fn outstanding_records(&self) -> usize {
        // In this order it may count a record that is reported just now, but never misses one.
        let ended = self.shared.delivery.ended_records();
        self.shared.accumulator.accepted_records().saturating_sub(ended) as usize
    }

    /// All metrics now.
    pub fn metrics(&self) -> MetricsSnapshot {
        let shared = &self.shared;
        let pool = &shared.accumulator.pool;
        let buffer = &shared.metrics.buffer;
        buffer.total_bytes.set(pool.total_bytes() as i64);
        buffer.available_bytes.set(pool.available_bytes() as i64);
        buffer.waiting_threads.set(pool.waiting_threads() as i64);
        // Counting each record as it comes would cost every send what one sum here does not.
        shared.metrics.append.records.raise_to(shared.accumulator.accepted_records());
        shared.metrics.request.in_flight.set(shared.accumulator.requests.load(Relaxed) as i64);
        shared.metrics.snapshot(shared.clock.now())
    }
}
