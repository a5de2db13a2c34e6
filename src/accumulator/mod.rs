//! Owns records from the call that sends them until they are drained into a request: memory, queues,
//! and the rule that says when a partition is due. Never does I/O and never decides about errors.

pub mod admission;
pub mod append;
pub mod batch;
pub mod bulletin;
pub mod chain;
pub mod convert;
pub mod encode;
pub mod inbox;
pub mod parked;
pub mod partition;
pub mod pool;
pub mod ratio;
pub mod schedule;
pub mod split;
pub mod standing;
pub mod sticky;
pub mod topic;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::accumulator::admission::Admission;
use crate::accumulator::batch::{AppendContext, BatchLimits};
use crate::accumulator::bulletin::Bulletin;
use crate::accumulator::inbox::{Inbox, Wake};
use crate::accumulator::pool::Pool;
use crate::accumulator::sticky::StickySettings;
use crate::accumulator::topic::Topics;
use crate::delivery::Delivery;
use crate::metadata::NodeId;
use crate::record::compress::Compression;
use crate::record::Magic;
use crate::sync::atomic::{fence, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use crate::time::Time;

/// Settings of the accumulator.
#[derive(Clone, Debug)]
pub struct AccumulatorSettings {
    /// Limits of a batch.
    pub limits: BatchLimits,
    /// How batches are compressed.
    pub compression: Compression,
    /// Of topics that have their own.
    pub topic_compression: HashMap<String, Compression>,
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
    /// The way home.
    pub delivery: Arc<Delivery>,
    /// The sender's mail.
    pub inbox: Inbox,
    /// News that application threads wait for.
    pub bulletin: Bulletin,
    /// Whether records are taken.
    pub admission: Admission,
    /// Records that the end of `close`'s patience failed.
    pub cut_off: AtomicUsize,
    /// Records accepted and not reported, counted only when `records_max` limits them.
    records: AtomicI64,
    /// Nodes that do not take what is due for them (KIP-794); sorted.
    unavailable: RwLock<Arc<Vec<NodeId>>>,
    /// Threads that wait for `records` to fall.
    records_waiters: AtomicUsize,
    /// Records accepted behind a gate of which no partition knows (yet).
    gated: AtomicU64,
    /// The newest message format that every broker takes, as far as they were heard.
    usable_magic: AtomicUsize,
    /// Requests without answer; only the sender writes it.
    pub requests: AtomicUsize,
}

impl Accumulator {
    /// An empty accumulator whose sender is woken by `wake`.
    pub fn new(
        settings: AccumulatorSettings,
        delivery: Arc<Delivery>,
        wake: Box<dyn Wake>,
    ) -> Arc<Accumulator> {
        let wake: Arc<dyn Wake> = wake.into();
        let pool = Pool::new(settings.buffer_memory_bytes);
        pool.wakes(wake.clone());
        Arc::new(Accumulator {
            topics: Topics::new(settings.compression, settings.topic_compression.clone()),
            settings,
            pool,
            delivery,
            inbox: Inbox::new(wake),
            bulletin: Bulletin::default(),
            admission: Admission::default(),
            cut_off: AtomicUsize::new(0),
            records: AtomicI64::new(0),
            unavailable: RwLock::default(),
            records_waiters: AtomicUsize::new(0),
            gated: AtomicU64::new(0),
            usable_magic: AtomicUsize::new(Magic::V2 as usize),
            requests: AtomicUsize::new(0),
        })
    }

    /// What an append to a partition needs; `now` is asked when a batch is opened.
    #[inline]
    pub fn append_context<'a>(&'a self, now: &'a dyn Fn() -> Time) -> AppendContext<'a> {
        AppendContext {
            limits: &self.settings.limits,
            pool: &self.pool,
            delivery: &self.delivery,
            parked: None,
            admission: &self.admission,
            now,
        }
    }

    /// The newest message format that every broker takes, as far as they were heard.
    pub fn usable_magic(&self) -> Magic {
        let id = self.usable_magic.load(Ordering::Relaxed) as u8;
        Magic::from_id(id).unwrap_or(Magic::V2)
    }

    /// Publishes the newest message format that every broker takes.
    pub fn set_usable_magic(&self, magic: Magic) {
        self.usable_magic.store(magic as usize, Ordering::Relaxed);
    }

    /// Whether the producer takes no more records.
    pub fn is_closed(&self) -> bool {
        self.admission.is_closed()
    }

    /// Counts `count` more records; false (and none counted) when the limit would be passed.
    #[inline]
    pub fn count_in(&self, count: i64) -> bool {
        let Some(most) = self.settings.records_max else { return true };
        // Never above the limit, not even for a moment: that moment would refuse others who have room, and
        // nobody would wake them when it is over.
        let counted = |now: i64| Some(now + count).filter(|&then| then <= most);
        self.records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).is_ok()
    }

    /// Counts records as reported.
    pub fn count_out(&self, count: i64) {
        if self.settings.records_max.is_some() {
            self.records.fetch_sub(count, Ordering::Relaxed);
            // Pairs with the fence in `count_in_waiting`: either we see who waits or they see the room.
            fence(Ordering::SeqCst);
            if self.records_waiters.load(Ordering::Relaxed) > 0 {
                self.bulletin.post(|_| {});
            }
        }
    }

    /// As `count_in`, but waits up to `limit`; false when that passed or the producer was closed.
    pub fn count_in_waiting(&self, count: i64, limit: Duration) -> bool {
        let begun = Instant::now();
        self.records_waiters.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let mut news = self.bulletin.read();
        let counted = loop {
            if self.count_in(count) {
                break true;
            }
            let waited = begun.elapsed();
            if news.closed || waited >= limit {
                break false;
            }
            news = self.bulletin.wait(news, limit - waited);
        };
        drop(news);
        self.records_waiters.fetch_sub(1, Ordering::Relaxed);
        counted
    }

    /// Nodes that do not take what is due for them.
    pub fn unavailable(&self) -> Arc<Vec<NodeId>> {
        self.unavailable.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes the nodes that do not take what is due for them.
    pub fn set_unavailable(&self, nodes: Vec<NodeId>) {
        if *self.unavailable() != nodes {
            let shared = Arc::new(nodes);
            *self.unavailable.write().unwrap_or_else(PoisonError::into_inner) = shared;
        }
    }

    /// Records accepted, ever. Looks at every partition, so that no send has to count. What was reported
    /// before the call is in it, so it is never below a number of reported records that was read before.
    pub fn accepted_records(&self) -> u64 {
        // The gates first: who passes one is counted by the partition before the gate forgets it.
        let gated = self.gated.load(Ordering::Acquire);
        let partitions = self.topics.iter().flat_map(|topic| topic.partitions().iter());
        gated + partitions.map(|partition| partition.appended_records()).sum::<u64>()
    }

    /// A record that came through a gate was appended to its partition.
    pub fn passed_gate(&self) {
        self.gated.fetch_sub(1, Ordering::Release);
    }
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accumulator({} topics, {:?})", self.topics.iter().count(), self.inbox)
    }
}
