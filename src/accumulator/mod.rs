//! Owns records from the call that sends them until they are drained into a request: memory, queues,
//! and the rule that says when a partition is due. Never does I/O and never decides about errors.

pub mod append;
pub mod batch;
pub mod bulletin;
pub mod chain;
pub mod inbox;
pub mod parked;
pub mod partition;
pub mod pool;
pub mod schedule;
pub mod split;
pub mod standing;
pub mod sticky;
pub mod topic;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::accumulator::batch::BatchLimits;
use crate::accumulator::bulletin::Bulletin;
use crate::accumulator::inbox::{Inbox, Wake};
use crate::accumulator::partition::AppendContext;
use crate::accumulator::pool::Pool;
use crate::accumulator::sticky::StickySettings;
use crate::accumulator::topic::Topics;
use crate::delivery::Outstanding;

/// Settings of the accumulator.
#[derive(Copy, Clone, Debug)]
pub struct AccumulatorSettings {
    /// Limits of a batch.
    pub limits: BatchLimits,
    /// How records without a key are spread.
    pub sticky: StickySettings,
    /// `linger.ms`.
    pub linger: Duration,
    /// `buffer.memory`.
    pub buffer_memory_bytes: usize,
    /// `queue.buffering.max.messages`; `None`: not limited.
    pub records_max: Option<i64>,
    /// Where choices that need chance begin.
    pub seed: u64,
}

/// What application threads and the sender share.
pub struct Accumulator {
    /// Settings.
    pub settings: AccumulatorSettings,
    /// Memory.
    pub pool: Arc<Pool>,
    /// Topics and partitions.
    pub topics: Topics,
    /// What a flush waits for.
    pub outstanding: Arc<Outstanding>,
    /// The sender's mail.
    pub inbox: Inbox,
    /// News that application threads wait for.
    pub bulletin: Bulletin,
    /// No more records are taken.
    pub closed: AtomicBool,
    /// Records accepted and not reported, counted only when `records_max` limits them.
    records: AtomicI64,
}

impl Accumulator {
    /// An empty accumulator whose sender is woken by `wake`.
    pub fn new(settings: AccumulatorSettings, wake: Box<dyn Wake>) -> Arc<Accumulator> {
        Arc::new(Accumulator {
            settings,
            pool: Pool::new(settings.buffer_memory_bytes),
            topics: Topics::default(),
            outstanding: Outstanding::new(),
            inbox: Inbox::new(wake),
            bulletin: Bulletin::default(),
            closed: AtomicBool::new(false),
            records: AtomicI64::new(0),
        })
    }

    /// What an append to a partition needs.
    #[inline]
    pub fn append_context(&self) -> AppendContext<'_> {
        AppendContext {
            limits: &self.settings.limits,
            pool: &self.pool,
            outstanding: &self.outstanding,
            closed: &self.closed,
        }
    }

    /// Whether the producer takes no more records.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Counts `count` more records; false (and none counted) when the limit would be passed.
    #[inline]
    pub fn count_in(&self, count: i64) -> bool {
        let Some(most) = self.settings.records_max else { return true };
        if self.records.fetch_add(count, Ordering::Relaxed) + count > most {
            self.records.fetch_sub(count, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Counts records as reported.
    pub fn count_out(&self, count: i64) {
        if self.settings.records_max.is_some() {
            self.records.fetch_sub(count, Ordering::Relaxed);
        }
    }

    /// Records in the queues and behind the gates (not those in flight).
    pub fn queued_records(&self) -> usize {
        let parked = self.topics.iter().map(|topic| topic.gate.lock().len()).sum::<usize>();
        let queued = self.topics.iter().flat_map(|topic| topic.partitions().iter());
        parked + queued.map(|partition| partition.queued_records()).sum::<usize>()
    }
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accumulator({} topics, {:?})", self.topics.iter().count(), self.inbox)
    }
}
