//! Cuts a batch that a broker found too large into smaller ones (KIP-126): same records, order, timestamps,
//! deadline and promises. Streams from chunk to chunk, paying for output with the input it has
//! consumed, so it never waits for memory. A compressed batch is read through its codec, and each part is
//! compressed again before the next one is begun.

use std::cell::Cell;
use std::sync::Arc;

use crate::accumulator::batch::{Batch, BatchName, BATCH_OVERHEAD_BYTES};
use crate::accumulator::chain::{Chain, ChunkReader, Payload};
use crate::accumulator::encode::{encode, EncodeJob, TopicCompression, Workbench};
use crate::accumulator::pool::{class_for, Needs, Pool, Taker};
use crate::delivery::Lease;
use crate::protocol::frame::Pieces;
use crate::record::compress::Decoder;
use crate::record::{
    BatchBuilder, BatchSummary, Codec, Magic, RecordStream, RecordView, TimestampType,
};
use crate::time::Time;

/// Why a batch could not be split.
#[derive(Debug)]
pub enum SplitFailure {
    /// A request still reads the batch: try again later. The batch comes back whole.
    StillShared(Box<Batch>),
    /// It holds a single record, or memory or its bytes do not allow it. Its promises come back.
    Impossible(Box<Batch>),
}

/// Parts are measured in plain bytes: 1, less the margin that a builder adds.
const PLAIN: f32 = 1.0 / 1.05;

/// The part being written.
struct Part {
    builder: BatchBuilder,
    chain: Chain,
    growth_bytes: usize,
}

/// A part that is written.
struct Done {
    summary: BatchSummary,
    plain_bytes: usize,
    payload: Arc<Payload>,
    crc: Option<u32>,
}

/// The writing side: parts so far, and counted bytes that consumed input has left over.
struct Parts<'a> {
    pool: &'a Arc<Pool>,
    name: BatchName,
    magic: Magic,
    compression: &'a TopicCompression,
    bench: &'a mut Workbench,
    target_bytes: usize,
    held: Lease,
    /// Bytes of input chunks that were consumed, and how many of them count as held.
    consumed: &'a Cell<usize>,
    credited: usize,
    open: Option<Part>,
    done: Vec<Done>,
}

impl Parts<'_> {
    /// The held bytes pay, as far as they go.
    fn take(&mut self, needs: &Needs, chain: &mut Chain) -> bool {
        self.held.grow(self.consumed.get() - self.credited);
        self.credited = self.consumed.get();
        chain.take(needs, self.pool, Taker::Exchange(&mut self.held))
    }

    fn begin(&mut self) -> bool {
        let codec = self.compression.compression.codec();
        let create_time = TimestampType::CreateTime;
        let Ok(builder) = BatchBuilder::new(self.magic, codec, create_time, self.target_bytes)
        else {
            return false;
        };
        let builder = builder.expecting(PLAIN);
        let mut chain = Chain::new(class_for(self.target_bytes / 4));
        let counted = Needs { counted_bytes: BATCH_OVERHEAD_BYTES, ..Needs::default() };
        if !self.take(&counted, &mut chain) {
            return false;
        }
        self.open = Some(Part { builder, chain, growth_bytes: 0 });
        true
    }

    fn append(&mut self, record: &RecordView<'_>) -> bool {
        let record = record.as_record();
        let fits =
            self.open.as_ref().is_some_and(|p| p.builder.has_room_for(p.builder.size_of(&record)));
        let ready = fits || self.end() && self.begin();
        if !ready {
            return false;
        }
        let Some(mut part) = self.open.take() else { return false };
        let size = part.builder.size_of(&record);
        let room = part.chain.room() >= size || self.make_room(&mut part, size);
        if room {
            part.builder.append(&record, size, &mut part.chain);
        }
        self.open = Some(part);
        room
    }

    fn make_room(&mut self, part: &mut Part, size: usize) -> bool {
        let mut needs = part.chain.needs(size, false);
        let growth_bytes = self.compression.compression.growth_max(needs.bytes());
        needs.counted_bytes += growth_bytes;
        let taken = self.take(&needs, &mut part.chain);
        part.growth_bytes += if taken { growth_bytes } else { 0 };
        taken
    }

    /// Ends the part being written, if there is one; false when it could not be compressed.
    fn end(&mut self) -> bool {
        let Some(mut part) = self.open.take() else { return true };
        part.builder.close_for_appends();
        let summary = part.builder.summary();
        let payload = part.chain.seal(self.pool.clone(), BATCH_OVERHEAD_BYTES, part.growth_bytes);
        let plain_bytes = payload.bytes();
        let mut done = Done { summary, plain_bytes, payload: Arc::new(payload), crc: None };
        if summary.codec != Codec::None {
            let job = EncodeJob {
                slot: self.name.slot,
                ordinal: self.name.ordinal,
                from: BatchSummary { codec: Codec::None, ..summary },
                magic: summary.magic,
                payload: done.payload,
                compression: self.compression.clone(),
            };
            let Ok(encoded) = encode(job, self.pool, self.bench) else { return false };
            (done.payload, done.crc) = (encoded.payload, Some(encoded.crc));
        }
        self.done.push(done);
        true
    }

    fn discard(self) {
        // Sealed, it goes home by itself.
        if let Some(part) = self.open {
            drop(part.chain.seal(self.pool.clone(), BATCH_OVERHEAD_BYTES, part.growth_bytes));
        }
    }
}

/// Splits `batch` into batches of about half its plain size; records larger than that go alone.
/// `compression` is that of its topic.
pub fn split(
    mut batch: Batch,
    pool: &Arc<Pool>,
    compression: &TopicCompression,
    bench: &mut Workbench,
) -> Result<Vec<Batch>, SplitFailure> {
    if batch.count() < 2 {
        return Err(SplitFailure::Impossible(Box::new(batch)));
    }
    let wire_bytes = batch.payload.bytes();
    let payload = match Arc::try_unwrap(batch.payload) {
        Ok(payload) => payload,
        Err(shared) => {
            batch.payload = shared;
            return Err(SplitFailure::StillShared(Box::new(batch)));
        }
    };
    if batch.summary.codec != Codec::None {
        compression.ratio.reset(wire_bytes as f32 / batch.plain_bytes.max(1) as f32);
    }
    let (chunks, counted_bytes) = payload.into_chunks();
    let input_bytes: usize = chunks.iter().map(Vec::capacity).sum();
    let consumed = Cell::new(0);
    let held = Lease::new(pool.clone(), counted_bytes);
    let mut parts = Parts {
        pool,
        name: batch.name,
        magic: batch.summary.magic,
        compression,
        bench,
        target_bytes: (crate::record::BATCH_HEADER_BYTES + batch.plain_bytes).div_ceil(2),
        held,
        consumed: &consumed,
        credited: 0,
        open: None,
        done: Vec::new(),
    };
    let chunks = ChunkReader::new(chunks, &consumed);
    let complete = rewrite(chunks, &batch.summary, &mut parts);
    // The input is gone by now, read or not.
    parts.held.grow(input_bytes - parts.credited);
    let records: u32 = parts.done.iter().map(|part| part.summary.count).sum();
    batch.payload = Arc::new(Chain::new(0).seal(pool.clone(), 0, 0));
    if !complete || records != batch.count() || parts.done.len() < 2 {
        parts.discard();
        return Err(SplitFailure::Impossible(Box::new(batch)));
    }
    let done = std::mem::take(&mut parts.done);
    drop(parts);
    Ok(seal_parts(batch, done))
}

/// Copies every record of `chunks` into the parts; false if memory or the bytes gave out.
fn rewrite(chunks: ChunkReader<'_>, summary: &BatchSummary, parts: &mut Parts<'_>) -> bool {
    let Ok(plain) = Decoder::new(summary.codec, summary.magic, chunks) else { return false };
    let mut records = RecordStream::of_format(plain, summary.magic, summary.base_timestamp_ms);
    loop {
        match records.read_next() {
            Ok(Some(record)) if parts.append(&record) => {}
            Ok(None) => return parts.end(),
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

fn seal_parts(mut batch: Batch, parts: Vec<Done>) -> Vec<Batch> {
    let mut promises = batch.promises.take();
    let mut first_record = 0u64;
    let mut made = Vec::with_capacity(parts.len());
    for Done { summary, plain_bytes, payload, crc } in parts {
        let mut own = promises.take();
        promises = own.as_mut().map(|all| all.split_off(summary.count as usize));
        made.push(Batch {
            name: BatchName { ordinal: batch.name.ordinal + first_record, ..batch.name },
            summary,
            plain_bytes,
            payload,
            payload_crc: crc,
            encoding: false,
            stale: false,
            promises: own,
            created: batch.created,
            attempts: batch.attempts,
            last_attempt: batch.last_attempt,
            drained: batch.drained,
            retry_at: Time::ZERO,
            last_node: None,
            maybe_stored: batch.maybe_stored,
            doubtful_since: batch.doubtful_since,
            identity: batch.identity.after(first_record as u32),
        });
        first_record += u64::from(summary.count);
    }
    made
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
