//! The queue of one partition: at most one open batch that application threads append to, and the
//! sealed ones in front of it in send order. One short lock; no I/O, no compression, no waiting under it.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::accumulator::append::Outgoing;
use crate::accumulator::batch::{AppendContext, Batch, BatchName, Form, OpenBatch, Room};
use crate::accumulator::chain::Chain;
use crate::accumulator::convert::Growth;
use crate::accumulator::encode::{EncodeJob, Encoded, TopicCompression};
use crate::accumulator::pool::{class_for, Pool, Taker};
use crate::accumulator::topic::Slot;
use crate::metadata::NodeId;
use crate::record::compress::Compression;
use crate::record::{BatchSummary, Codec, Magic, ProducerIdentity, Record};
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::time::Time;

/// One partition of a topic.
#[derive(Debug)]
pub struct Partition {
    /// Topic id as registered.
    pub topic: u32,
    /// Number of the partition in the topic.
    pub id: i32,
    /// Its place in the sender's tables.
    pub slot: Slot,
    /// How its batches are compressed, as the topic's.
    pub compression: TopicCompression,
    queue: Mutex<Queue>,
    /// Batches in the queue, for adaptive partitioning.
    queued: AtomicU32,
}

#[derive(Debug, Default)]
struct Queue {
    open: Option<OpenBatch>,
    sealed: VecDeque<Batch>,
    next_ordinal: u64,
    /// Bytes of the last sealed batch: a hint for the first chunk of the next.
    last_bytes: usize,
}

/// Why a record came to this partition, asked and told under its lock. `()` when it may not be moved.
pub trait Chosen {
    /// Whether the choice still stands.
    fn still(&self) -> bool {
        true
    }

    /// The record took `bytes`; `partial`: an open batch is left behind.
    fn took(&self, bytes: usize, partial: bool) {
        let _ = (bytes, partial);
    }

    /// Whether the next record is to go elsewhere.
    fn is_over(&self) -> bool {
        false
    }
}

impl Chosen for () {}

/// What begins to be encoded.
#[derive(Debug, Default)]
pub struct EncodingStart {
    /// In order.
    pub jobs: Vec<EncodeJob>,
    /// There was no memory for the first of the queue. The sender is woken when some comes back.
    pub short_of_memory: bool,
}

/// How an append ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The record is in a batch.
    Done {
        /// A batch was opened: the sender must learn of its deadline.
        opened: Option<Opened>,
        /// A batch became full: the sender can have it now.
        sealed: bool,
    },
    /// No memory. The open batch was sealed so that it can go and free some.
    NoMemory {
        /// A batch was sealed.
        sealed: bool,
        /// The most that the record can need.
        wanted_bytes: usize,
    },
    /// The choice of partition changed meanwhile: choose again.
    Moved,
    /// The producer is closed.
    Closed,
}

/// How far the append of a run came.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendedRun {
    /// Records that are in.
    pub count: usize,
    /// A batch was opened for them.
    pub opened: Option<Opened>,
    /// A batch became full, or was sealed for want of memory.
    pub sealed: bool,
    /// Why the first record that is not in is not; `None`: nothing speaks against going on with it.
    pub stopped: Option<Appended>,
}

/// When a batch was opened.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The time.
    pub created: Time,
    /// The flush epoch.
    pub epoch: u64,
}

/// What the scheduling rule must know of the first batch in the queue.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// It takes no more records.
    pub sealed: bool,
    /// Its payload checksum (and compressed form) is ready.
    pub encoded: bool,
    /// It has to be encoded anew, for a leader that does not take its form, or is being encoded.
    pub stale: bool,
    /// When it was opened.
    pub created: Time,
    /// Not before this time, after an error.
    pub retry_at: Time,
    /// Epoch in which it was opened: a flush of that epoch ends its lingering.
    pub epoch: u64,
    /// Number of its first record in the partition.
    pub ordinal: u64,
    /// It has a place in the producer's sequence.
    pub numbered: bool,
}

impl Partition {
    /// An empty queue.
    pub fn new(topic: u32, id: i32, slot: Slot) -> Partition {
        let compression = TopicCompression::new(Compression::NONE);
        let (queue, queued) = (Mutex::default(), AtomicU32::new(0));
        Partition { topic, id, slot, compression, queue, queued }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a record to the open batch, opening one if there is none or it is full.
    #[inline]
    pub fn append(
        &self,
        outgoing: &Outgoing<'_>,
        context: &AppendContext<'_>,
        taker: Taker<'_>,
        chosen: &impl Chosen,
    ) -> Appended {
        let mut queue = self.lock();
        // What was parked before the close may still come in.
        if context.admission.is_refused() && !taker.is_sender() {
            return Appended::Closed;
        }
        if !chosen.still() {
            return Appended::Moved;
        }
        self.append_locked(&mut queue, outgoing, context, taker, chosen)
    }

    /// Appends records in order as long as nothing is to be told: one lock for up to a batch of them. For
    /// application threads.
    pub fn append_run(
        &self,
        run: &[Outgoing<'_>],
        context: &AppendContext<'_>,
        chosen: &impl Chosen,
    ) -> AppendedRun {
        let mut done = AppendedRun::default();
        let mut queue = self.lock();
        // Once for the whole run: whoever closes looks at every queue afterwards, and waits for this lock.
        if context.admission.is_refused() {
            return AppendedRun { stopped: Some(Appended::Closed), ..done };
        }
        for outgoing in run {
            if !chosen.still() {
                done.stopped = Some(Appended::Moved);
                break;
            }
            match self.append_locked(&mut queue, outgoing, context, Taker::Caller, chosen) {
                Appended::Done { opened, sealed } => {
                    done.count += 1;
                    done.opened = done.opened.or(opened);
                    done.sealed = sealed;
                }
                other => {
                    done.sealed = matches!(other, Appended::NoMemory { sealed: true, .. });
                    done.stopped = Some(other);
                    break;
                }
            }
            // The sender can have what is full, and the next one may go elsewhere.
            if done.sealed || chosen.is_over() {
                break;
            }
        }
        done
    }

    // Always: once per record, and called with each kind of choice from a run and from a single record.
    #[inline(always)]
    fn append_locked(
        &self,
        queue: &mut Queue,
        outgoing: &Outgoing<'_>,
        context: &AppendContext<'_>,
        mut taker: Taker<'_>,
        chosen: &impl Chosen,
    ) -> Appended {
        let &Outgoing { ref record, token, .. } = outgoing;
        let mut sealed = false;
        if let Some(open) = &mut queue.open {
            let before = open.estimated_bytes();
            match open.append(record, token, context.pool, taker.reborrow()) {
                Room::Appended => {
                    let bytes = open.estimated_bytes() - before;
                    let full = open.is_full();
                    if full {
                        self.seal(queue, context.pool);
                    }
                    chosen.took(bytes, !full);
                    return Appended::Done { opened: None, sealed: full };
                }
                Room::Full => {
                    self.seal(queue, context.pool);
                    sealed = true;
                }
                Room::NoMemory => {
                    // What somebody waited for is enough for a batch of its own.
                    let holds = matches!(taker, Taker::Holder(_));
                    // Behind others it could not go before they have freed memory, with which it can grow on:
                    // else batches stay as small as the memory that one of them frees.
                    if holds || queue.sealed.is_empty() {
                        self.seal(queue, context.pool);
                        sealed = true;
                    }
                    if !holds {
                        let wanted_bytes = self.worst_case_bytes(record);
                        return Appended::NoMemory { sealed, wanted_bytes };
                    }
                }
            }
        }
        match self.append_to_new(queue, outgoing, context, taker, chosen) {
            Appended::Done { opened, sealed: full } => {
                Appended::Done { opened, sealed: sealed || full }
            }
            Appended::NoMemory { wanted_bytes, .. } => Appended::NoMemory { sealed, wanted_bytes },
            other => other,
        }
    }

    fn append_to_new(
        &self,
        queue: &mut Queue,
        outgoing: &Outgoing<'_>,
        context: &AppendContext<'_>,
        taker: Taker<'_>,
        chosen: &impl Chosen,
    ) -> Appended {
        let &Outgoing { ref record, token, .. } = outgoing;
        let name = BatchName {
            topic: self.topic,
            partition: self.id,
            slot: self.slot,
            ordinal: queue.next_ordinal,
        };
        let class = class_for(queue.last_bytes);
        let mut open = OpenBatch::new(name, context, &self.compression, class);
        if open.append(record, token, context.pool, taker) != Room::Appended {
            // The first record always has room, so it was memory, and none was taken.
            let wanted_bytes = self.worst_case_bytes(record);
            return Appended::NoMemory { sealed: false, wanted_bytes };
        }
        let (bytes, full) = (open.estimated_bytes(), open.is_full());
        let opened = Some(Opened { created: open.created(), epoch: open.epoch() });
        queue.open = Some(open);
        self.queued.fetch_add(1, Ordering::Relaxed);
        if full {
            self.seal(queue, context.pool);
        }
        chosen.took(bytes, !full);
        Appended::Done { opened, sealed: full }
    }

    fn worst_case_bytes(&self, record: &Record<'_>) -> usize {
        OpenBatch::worst_case_bytes(record, self.compression.compression)
    }

    /// Whether batches have to be compressed before they can go.
    pub fn is_compressed(&self) -> bool {
        self.compression.compression.is_some()
    }

    /// Takes the payloads of all sealed batches that are not compressed yet or stale, in order, to be made
    /// ones of format `magic`, as far as there is memory for what it takes more: for the first of the queue
    /// from the sender's reserve, too, so that it never waits for one behind it. With `whole`, the open batch
    /// is sealed first if there is no other.
    pub fn start_encoding(&self, pool: &Arc<Pool>, whole: bool, magic: Magic) -> EncodingStart {
        let mut queue = self.lock();
        if whole && queue.sealed.is_empty() {
            self.seal(&mut queue, pool);
        }
        let compressed = self.is_compressed();
        let mut start = EncodingStart::default();
        for (index, batch) in queue.sealed.iter_mut().enumerate() {
            let plain = batch.payload_crc.is_none();
            if batch.encoding || !(batch.stale || plain && compressed) {
                continue;
            }
            let codec = if plain { Codec::None } else { batch.summary.codec };
            let from = BatchSummary { codec, ..batch.summary };
            let Some(growth) =
                Growth::take(pool, &from, magic, compressed, index == 0, batch.bytes())
            else {
                start.short_of_memory = index == 0;
                break;
            };
            (batch.encoding, batch.stale, batch.payload_crc) = (true, false, None);
            let nothing = Arc::new(Chain::new(0).seal(pool.clone(), 0, 0));
            start.jobs.push(EncodeJob {
                slot: self.slot,
                ordinal: batch.name.ordinal,
                from,
                magic,
                payload: std::mem::replace(&mut batch.payload, nothing),
                compression: self.compression.clone(),
                growth,
            });
        }
        start
    }

    /// Gives a batch its new payload, and what is left of its records a batch of their own; false when it is
    /// not there any more.
    pub fn finish_encoding(&self, ordinal: u64, encoded: Encoded) -> bool {
        let mut queue = self.lock();
        let mut sealed = queue.sealed.iter();
        let Some(at) = sealed.position(|b| b.name.ordinal == ordinal && b.encoding) else {
            return false;
        };
        let batch = &mut queue.sealed[at];
        let count = encoded.form.summary.count;
        let rest = encoded.rest.map(|form| {
            let promises = batch.promises.as_mut().map(|all| all.split_off(count as usize));
            batch.part(count, promises, form)
        });
        let Form { summary, plain_bytes, payload, crc } = encoded.form;
        batch.encoding = false;
        (batch.summary, batch.plain_bytes) = (summary, plain_bytes);
        (batch.payload, batch.payload_crc) = (payload, crc);
        if let Some(rest) = rest {
            queue.sealed.insert(at + 1, rest);
            self.queued.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    /// Takes a batch that could not be compressed; `None` when it is not there any more.
    pub fn take_unencoded(&self, ordinal: u64) -> Option<Batch> {
        let mut queue = self.lock();
        let at = queue.sealed.iter().position(|b| b.name.ordinal == ordinal && b.encoding)?;
        self.queued.fetch_sub(1, Ordering::Relaxed);
        queue.sealed.remove(at)
    }

    fn seal(&self, queue: &mut Queue, pool: &Arc<Pool>) {
        let sealed = Self::end_open(queue, pool);
        queue.sealed.extend(sealed);
    }

    /// Seals the open batch without queueing it.
    fn end_open(queue: &mut Queue, pool: &Arc<Pool>) -> Option<Batch> {
        let open = queue.open.take()?;
        queue.last_bytes = open.bytes();
        queue.next_ordinal += u64::from(open.count());
        Some(open.seal(pool))
    }

    /// Seals the open batch, if any, so that it goes without waiting longer. True if there was one.
    pub fn seal_open(&self, pool: &Arc<Pool>) -> bool {
        let mut queue = self.lock();
        let had_one = queue.open.is_some();
        self.seal(&mut queue, pool);
        had_one
    }

    /// What is first in the queue.
    pub fn head(&self) -> Option<Head> {
        let queue = self.lock();
        if let Some(batch) = queue.sealed.front() {
            return Some(Head {
                sealed: true,
                encoded: batch.payload_crc.is_some(),
                stale: batch.stale || batch.encoding,
                created: batch.created,
                retry_at: batch.retry_at,
                epoch: 0,
                ordinal: batch.name.ordinal,
                numbered: batch.is_numbered(),
            });
        }
        queue.open.as_ref().map(|open| Head {
            sealed: false,
            encoded: false,
            stale: false,
            created: open.created(),
            retry_at: Time::ZERO,
            epoch: open.epoch(),
            ordinal: queue.next_ordinal,
            numbered: false,
        })
    }

    /// Takes the first batch if it is not larger than `bytes_max` (or `force`), sealing it if it is open.
    pub fn take(&self, pool: &Arc<Pool>, bytes_max: usize, force: bool) -> Option<Batch> {
        let mut queue = self.lock();
        // An open batch that can go never enters the queue, so partitions that are never behind keep none.
        let first = match queue.sealed.pop_front() {
            Some(batch) => batch,
            None => Self::end_open(&mut queue, pool)?,
        };
        debug_assert!(!first.encoding, "a batch is due before it is compressed");
        if !force && first.bytes() > bytes_max {
            queue.sealed.push_front(first);
            return None;
        }
        self.queued.fetch_sub(1, Ordering::Relaxed);
        Some(first)
    }

    /// Puts a batch back where its ordinal belongs.
    pub fn put_back(&self, batch: Batch) {
        let mut queue = self.lock();
        let at = queue.sealed.partition_point(|other| other.name.ordinal < batch.name.ordinal);
        queue.sealed.insert(at, batch);
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts the parts of a split batch back in their order, at the place of the whole.
    pub fn put_back_parts(&self, parts: Vec<Batch>) {
        let mut queue = self.lock();
        let Some(first) = parts.first() else { return };
        let at = queue.sealed.partition_point(|other| other.name.ordinal < first.name.ordinal);
        self.queued.fetch_add(parts.len() as u32, Ordering::Relaxed);
        for (index, part) in parts.into_iter().enumerate() {
            queue.sealed.insert(at + index, part);
        }
    }

    /// Takes from the front all batches whose time since creation has reached `timeout`.
    pub fn take_expired(&self, pool: &Arc<Pool>, timeout: Duration, now: Time) -> Vec<Batch> {
        let mut queue = self.lock();
        let mut taken = Vec::new();
        if queue.open.as_ref().is_some_and(|open| open.created() + timeout <= now) {
            self.seal(&mut queue, pool);
        }
        while queue.sealed.front().is_some_and(|batch| batch.created + timeout <= now) {
            taken.extend(queue.sealed.pop_front());
        }
        self.queued.fetch_sub(taken.len() as u32, Ordering::Relaxed);
        taken
    }

    /// Takes what has a place in the producer's sequence and may be stored.
    pub fn take_doubtful(&self) -> Vec<Batch> {
        let doubtful = |batch: &Batch| batch.is_numbered() && batch.maybe_stored;
        let mut queue = self.lock();
        if !queue.sealed.iter().any(doubtful) {
            return Vec::new();
        }
        let all = std::mem::take(&mut queue.sealed);
        let (taken, kept): (Vec<Batch>, Vec<Batch>) = all.into_iter().partition(doubtful);
        queue.sealed = kept.into();
        self.queued.fetch_sub(taken.len() as u32, Ordering::Relaxed);
        taken
    }

    /// Takes what `wanted` picks, the open batch included.
    pub fn take_where(&self, pool: &Arc<Pool>, wanted: impl Fn(&Batch) -> bool) -> Vec<Batch> {
        let mut queue = self.lock();
        self.seal(&mut queue, pool);
        let all = std::mem::take(&mut queue.sealed);
        let (taken, kept): (Vec<Batch>, Vec<Batch>) = all.into_iter().partition(wanted);
        queue.sealed = kept.into();
        self.queued.fetch_sub(taken.len() as u32, Ordering::Relaxed);
        taken
    }

    /// Takes the queued batches' places in the producer's sequence away.
    pub fn forget_identities(&self) {
        for batch in &mut self.lock().sealed {
            batch.identity = ProducerIdentity::NONE;
        }
    }

    /// When the oldest batch in the queue was created.
    pub fn oldest(&self) -> Option<Time> {
        let queue = self.lock();
        let sealed = queue.sealed.iter().map(|batch| batch.created).min();
        let open = queue.open.as_ref().map(OpenBatch::created);
        sealed.into_iter().chain(open).min()
    }

    /// Lets batches that wait after an error go at once if `leader` is not where they failed (KIP-951).
    pub fn expedite(&self, leader: NodeId) {
        for batch in &mut self.lock().sealed {
            if batch.last_node.is_some_and(|last| last != leader) {
                batch.retry_at = Time::ZERO;
            }
        }
    }

    /// Takes everything (purge, forced close).
    pub fn take_all(&self, pool: &Arc<Pool>) -> Vec<Batch> {
        let mut queue = self.lock();
        self.seal(&mut queue, pool);
        self.queued.store(0, Ordering::Relaxed);
        queue.sealed.drain(..).collect()
    }

    /// Batches in the queue.
    pub fn queued_batches(&self) -> u32 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Records in the queue.
    #[cfg(test)]
    pub fn queued_records(&self) -> usize {
        let queue = self.lock();
        let sealed: usize = queue.sealed.iter().map(|batch| batch.count() as usize).sum();
        sealed + queue.open.as_ref().map_or(0, |open| open.count() as usize)
    }

    /// Records appended, ever.
    pub fn appended_records(&self) -> u64 {
        let queue = self.lock();
        queue.next_ordinal + queue.open.as_ref().map_or(0, |open| u64::from(open.count()))
    }
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;
