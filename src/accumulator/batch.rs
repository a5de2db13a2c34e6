//! One batch of records of one partition, in its two lives: open (application threads append under the
//! partition lock) and sealed (its bytes never change). Never decides when it is sent.

use std::sync::Arc;

use crate::accumulator::admission::Admission;
use crate::accumulator::chain::{Chain, Payload};
use crate::accumulator::encode::TopicCompression;
use crate::accumulator::pool::{Needs, Pool, Taker, CHUNK_SIZES};
use crate::accumulator::topic::Slot;
use crate::delivery::{Delivery, Lease, Promises};
use crate::metadata::NodeId;
use crate::record::compress::Compression;
use crate::record::{
    estimate_size_upper_bound, BatchBuilder, BatchSummary, Codec, Magic, ProducerIdentity, Record,
    BATCH_HEADER_BYTES,
};
use crate::time::Time;

/// What a batch costs beside its records: this struct, queue entries, the in-flight entry.
pub const BATCH_OVERHEAD_BYTES: usize = 384;

/// What all batches of a producer have in common.
#[derive(Copy, Clone, Debug)]
pub struct BatchLimits {
    /// `batch.size`: bytes after which a batch is full.
    pub batch_size_bytes: usize,
    /// `batch.num.messages`: records after which a batch is full.
    pub batch_records_max: u32,
    /// Whether reports carry the timestamp of each record.
    pub timed: bool,
}

/// What an append needs beside the record.
pub struct AppendContext<'a> {
    /// Limits of a batch.
    pub limits: &'a BatchLimits,
    /// Where memory comes from.
    pub pool: &'a Arc<Pool>,
    /// Where reports go.
    pub delivery: &'a Arc<Delivery>,
    /// The promise that the record had while it was parked, if it was: a batch opened for it counts in the
    /// same flush epoch.
    pub parked: Option<&'a Promises>,
    /// Whether records are taken; asked under the partition lock.
    pub admission: &'a Admission,
    /// Asked when a batch is opened.
    pub now: &'a dyn Fn() -> Time,
}

/// Who a batch is.
#[derive(Copy, Clone, Debug)]
pub struct BatchName {
    /// Topic id as registered.
    pub topic: u32,
    /// Partition.
    pub partition: i32,
    /// The partition's place in the tables.
    pub slot: Slot,
    /// Number of its first record in the partition's order: what retries and splits go back by.
    pub ordinal: u64,
}

/// A batch that still takes records.
#[derive(Debug)]
pub struct OpenBatch {
    name: BatchName,
    builder: BatchBuilder,
    chain: Chain,
    promises: Promises,
    created: Time,
    records_max: u32,
    compression: Compression,
    /// Counted bytes for what the compressed form can need beyond the plain one.
    growth_bytes: usize,
}

/// How an attempt to append ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// Appended.
    Appended,
    /// The batch is full: open another.
    Full,
    /// The pool gave nothing.
    NoMemory,
}

impl OpenBatch {
    /// An empty batch that has taken no memory yet.
    pub fn new(
        name: BatchName,
        context: &AppendContext<'_>,
        compression: &TopicCompression,
        class: usize,
    ) -> OpenBatch {
        let AppendContext { limits, pool, delivery, parked, now, .. } = *context;
        let lease = Lease::new(pool.clone(), 0);
        let ticket = match parked {
            Some(promise) => promise.fork_ticket(),
            None => delivery.outstanding().enter(),
        };
        let home = delivery.clone();
        let promises = Promises::new(name.topic, name.partition, limits.timed, lease, ticket, home);
        OpenBatch {
            name,
            builder: BatchBuilder::plain(limits.batch_size_bytes)
                .compressed(compression.compression.codec())
                .expecting(compression.ratio.get()),
            chain: Chain::new(class),
            promises,
            created: now(),
            records_max: limits.batch_records_max,
            compression: compression.compression,
            growth_bytes: 0,
        }
    }

    /// The most that appending `record` to a new batch can need.
    pub fn worst_case_bytes(record: &Record<'_>, compression: Compression) -> usize {
        let bytes = size_upper_bound(record);
        let chunk_bytes = Needs::for_bytes(bytes, 0).bytes() + CHUNK_SIZES[0];
        let growth_bytes = compression.growth_max(chunk_bytes);
        chunk_bytes + growth_bytes + BATCH_OVERHEAD_BYTES + 16 * 8
    }

    /// Appends if there is room in the batch and memory in the pool; touches nothing otherwise.
    #[inline]
    pub fn append(
        &mut self,
        record: &Record<'_>,
        token: u64,
        pool: &Pool,
        taker: Taker<'_>,
    ) -> Room {
        let size = self.builder.size_of(record);
        if !self.builder.has_room_for(size) {
            return Room::Full;
        }
        let promise_bytes = self.promises.needs();
        if promise_bytes > 0 || self.chain.room() < size {
            let mut needs = self.chain.needs(size, matches!(taker, Taker::Holder(_)));
            let growth_bytes = match needs.bytes() {
                0 => 0,
                chunk_bytes => self.compression.growth_max(chunk_bytes),
            };
            needs.counted_bytes += growth_bytes;
            // All at once, so that a refusal leaves nothing half taken.
            needs.counted_bytes += promise_bytes;
            if self.builder.count() == 0 {
                needs.counted_bytes += BATCH_OVERHEAD_BYTES;
            }
            if !self.chain.take(&needs, pool, taker) {
                return Room::NoMemory;
            }
            self.growth_bytes += growth_bytes;
            if promise_bytes > 0 {
                self.promises.grow();
            }
        }
        self.builder.append(record, size, &mut self.chain);
        self.promises.push(token, record.timestamp_ms);
        Room::Appended
    }

    /// Whether no further record will be taken.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.builder.is_full() || self.builder.count() >= self.records_max
    }

    /// Number of records.
    pub fn count(&self) -> u32 {
        self.builder.count()
    }

    /// Bytes so far, before compression.
    pub fn bytes(&self) -> usize {
        self.builder.bytes()
    }

    /// Bytes on the wire so far, as expected: exact without compression.
    pub fn estimated_bytes(&self) -> usize {
        self.builder.estimated_bytes()
    }

    /// When it was opened.
    pub fn created(&self) -> Time {
        self.created
    }

    /// The flush epoch it was opened in.
    pub fn epoch(&self) -> u64 {
        self.promises.epoch()
    }

    /// Ends its open life.
    pub fn seal(mut self, pool: &Arc<Pool>) -> Batch {
        self.builder.close_for_appends();
        let summary = self.builder.summary();
        Batch {
            name: self.name,
            summary,
            plain_bytes: self.chain.bytes(),
            payload: Arc::new(self.chain.seal(
                pool.clone(),
                BATCH_OVERHEAD_BYTES,
                self.growth_bytes,
            )),
            payload_crc: None,
            encoding: false,
            stale: false,
            promises: Some(self.promises),
            created: self.created,
            attempts: 0,
            last_attempt: self.created,
            drained: Time::ZERO,
            retry_at: Time::ZERO,
            last_node: None,
            maybe_stored: false,
            doubtful_since: Time::ZERO,
            identity: ProducerIdentity::NONE,
        }
    }
}

/// The most bytes that `record` takes as the only one of a batch.
pub fn size_upper_bound(record: &Record<'_>) -> usize {
    estimate_size_upper_bound(
        Magic::V2,
        Codec::None,
        record.key.map(<[u8]>::len),
        record.value.map(<[u8]>::len),
        record.headers,
    )
}

/// A sealed batch. Its promises are taken out when they are kept or broken, which happens once; the
/// payload stays until nobody reads it any more.
#[derive(Debug)]
pub struct Batch {
    /// Who it is.
    pub name: BatchName,
    /// What its header will say.
    pub summary: BatchSummary,
    /// Bytes of the records before they were compressed.
    pub plain_bytes: usize,
    /// The records, encoded.
    pub payload: Arc<Payload>,
    /// CRC-32C of the payload once encoded; `None`: sealed, not yet encoded.
    pub payload_crc: Option<u32>,
    /// The payload is away to be compressed; an empty one stands in its place.
    pub encoding: bool,
    /// Its form is one that its leader does not take: it has to be encoded anew.
    pub stale: bool,
    /// What is owed; `None` once reported.
    pub promises: Option<Promises>,
    /// When the first record was appended: the delivery deadline counts from here.
    pub created: Time,
    /// How often it was put back after an error.
    pub attempts: u32,
    /// When it was last put back.
    pub last_attempt: Time,
    /// When it was last taken for sending.
    pub drained: Time,
    /// Not before this time, after an error.
    pub retry_at: Time,
    /// Where it was last sent.
    pub last_node: Option<NodeId>,
    /// An earlier attempt ended without telling whether the records were stored.
    pub maybe_stored: bool,
    /// When the last attempt of that sort ended.
    pub doubtful_since: Time,
    /// Who the brokers take it from and where it stands in the sequence; given when it is first drained.
    pub identity: ProducerIdentity,
}

/// What a batch's records are written in.
#[derive(Debug)]
pub struct Form {
    /// What the header will say.
    pub summary: BatchSummary,
    /// Bytes of the records before they were compressed.
    pub plain_bytes: usize,
    /// The records.
    pub payload: Arc<Payload>,
    /// Checksum of the payload, of the sort that its format has, if it is known.
    pub crc: Option<u32>,
}

impl Batch {
    /// A batch of some of these records, in the form that is given; `first` is how many come before them.
    pub fn part(&self, first: u32, promises: Option<Promises>, form: Form) -> Batch {
        Batch {
            name: BatchName { ordinal: self.name.ordinal + u64::from(first), ..self.name },
            summary: form.summary,
            plain_bytes: form.plain_bytes,
            payload: form.payload,
            payload_crc: form.crc,
            encoding: false,
            stale: false,
            promises,
            created: self.created,
            attempts: self.attempts,
            last_attempt: self.last_attempt,
            drained: self.drained,
            retry_at: Time::ZERO,
            last_node: None,
            maybe_stored: self.maybe_stored,
            doubtful_since: self.doubtful_since,
            identity: self.identity.after(first),
        }
    }

    /// Bytes on the wire.
    pub fn bytes(&self) -> usize {
        use crate::protocol::frame::Pieces;
        BATCH_HEADER_BYTES + self.payload.bytes()
    }

    /// Number of records.
    pub fn count(&self) -> u32 {
        self.summary.count
    }

    /// Whether it has a place in the producer's sequence.
    pub fn is_numbered(&self) -> bool {
        self.identity != ProducerIdentity::NONE
    }
}
