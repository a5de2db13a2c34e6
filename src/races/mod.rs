//! Models of the structures at which threads meet, a file for each: loom runs every model through every order
//! of its steps (up to a number of forced switches) and every outcome that the memory model allows. Never
//! looks at what one thread alone can get wrong.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --lib races::` runs them; a lost wake-up ends in loom's "deadlock".
//! Each model names the faults that it was seen to catch; `tests/sanitize/faults` plants them again, one at
//! a time, and tells of each that is not caught any more.

mod close;
mod delivery;
mod desk;
mod drain;
mod flush;
mod futures;
mod gate;
mod inbox;
mod pool;
mod records;
mod runs;

use std::sync::Arc;
use std::time::Duration;

use loom::sync::Notify;

use crate::accumulator::append::{AppendFailure, Outgoing};
use crate::accumulator::batch::{Batch, BatchLimits};
use crate::accumulator::inbox::Wake;
use crate::accumulator::partition::Partition;
use crate::accumulator::pool::Taker;
use crate::accumulator::sticky::StickySettings;
use crate::accumulator::topic::{Topic, TopicId};
use crate::accumulator::{Accumulator, AccumulatorSettings};
use crate::delivery::promises::Outcome;
use crate::delivery::{Delivery, Door, Lease, Promises, Report};
use crate::error::ErrorCode;
use crate::partitioner::Choice;
use crate::record::compress::Compression;
use crate::record::Record;
use crate::time::Time;

/// No model may end because a timeout passed.
const FOREVER: Duration = Duration::MAX;
const KIB: usize = 1 << 10;

fn explore(forced_switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(forced_switches);
    builder.check(model);
}

/// A sleeping sender, woken as the network's poll is.
struct Bed(Arc<Notify>);

impl Wake for Bed {
    fn wake(&self) {
        self.0.notify();
    }
}

struct World {
    accumulator: Arc<Accumulator>,
    topic: Arc<Topic>,
    bed: Arc<Notify>,
}

/// What of a world can be chosen.
struct Size {
    buffer_memory_bytes: usize,
    /// `queue.buffering.max.messages`.
    records_max: Option<i64>,
    batch_records: u32,
    partitions: u32,
}

impl Default for Size {
    fn default() -> Size {
        Size { buffer_memory_bytes: 64 * KIB, records_max: None, batch_records: 100, partitions: 1 }
    }
}

impl World {
    /// One topic; batches linger for an hour.
    fn new(size: Size) -> World {
        let limits = BatchLimits {
            batch_size_bytes: 16 * KIB,
            batch_records_max: size.batch_records,
            timed: false,
        };
        let sticky =
            StickySettings { batch_size_bytes: 16 * KIB, adaptive: false, rack_aware: false };
        let settings = AccumulatorSettings {
            compression: Compression::NONE,
            topic_compression: Default::default(),
            limits,
            sticky,
            linger: Duration::from_secs(3600),
            buffer_memory_bytes: size.buffer_memory_bytes,
            records_max: size.records_max,
            seed: 1,
        };
        let bed = Arc::new(Notify::new());
        let delivery = Delivery::open(Door::Poll, "model").unwrap();
        let accumulator = Accumulator::new(settings, delivery, Box::new(Bed(bed.clone())));
        let (topic, _) = accumulator.topics.register("t", 1).unwrap();
        let topic = topic.clone();
        accumulator.topics.grow(&topic, size.partitions);
        topic.set_partition_count(size.partitions);
        World { accumulator, topic, bed }
    }

    fn share(&self) -> World {
        let (accumulator, topic) = (self.accumulator.clone(), self.topic.clone());
        World { accumulator, topic, bed: self.bed.clone() }
    }

    /// Partition 0.
    fn partition(&self) -> &Arc<Partition> {
        self.topic.partition(0).unwrap()
    }

    /// To partition 0.
    fn append(&self, token: u64, taker: Taker<'_>) -> Result<(), AppendFailure> {
        self.append_to(0, token, taker)
    }

    fn append_to(&self, partition: i32, token: u64, taker: Taker<'_>) -> Result<(), AppendFailure> {
        let record = Record { timestamp_ms: 1, ..Record::value(b"value") };
        let now = || Time::from_ms(1);
        let outgoing = Outgoing { topic: TopicId(self.topic.id), partition, record, token };
        let (choice, context) =
            (Choice::Partition(partition), self.accumulator.append_context(&now));
        self.accumulator.append(&context, &self.topic, choice, &outgoing, taker)
    }

    /// As the driver: asleep until a command or the end of time.
    fn sleep(&self) {
        if self.accumulator.inbox.may_sleep(Time::from_ms(1_000_000)) {
            self.bed.wait();
        }
        self.accumulator.inbox.awake();
    }

    /// Takes and reports the first batch of partition 0; its tokens.
    fn drain(&self) -> Vec<u64> {
        let batch = self.partition().take(&self.accumulator.pool, 0, true);
        batch.map(tokens).unwrap_or_default()
    }

    /// Takes and reports everything; the tokens.
    fn drain_all(&self) -> Vec<u64> {
        let take = |partition: &Arc<Partition>| partition.take_all(&self.accumulator.pool);
        self.topic.partitions().iter().flat_map(take).flat_map(tokens).collect()
    }

    /// Everything came back: no memory lent, nothing owed.
    fn assert_whole(&self) {
        let pool = &self.accumulator.pool;
        assert_eq!(pool.available_bytes(), pool.total_bytes());
        assert_eq!(self.accumulator.delivery.outstanding().count(), 0);
    }
}

/// How every record of a model ends.
fn outcome() -> Outcome {
    Outcome::failed(ErrorCode::ABORTED, "", false)
}

/// The tokens of a batch, which is reported and forgotten with this.
fn tokens(mut batch: Batch) -> Vec<u64> {
    batch.promises.take().unwrap().report(outcome()).tokens.clone()
}

/// The report of a record that belongs to no batch.
fn report(home: &Arc<Delivery>, token: u64) -> Report {
    Promises::of_one(0, 0, token, Lease::nothing(), home.clone()).report(outcome())
}
