//! Cuts a batch that a broker found too large into smaller ones (KIP-126): same records, order, timestamps,
//! deadline and promises. Streams from chunk to chunk, through the codec on both sides, and pays for output
//! with the input that it has consumed. What the parts may take more than the whole is taken beforehand, from
//! the sender's reserve too; if that is not to be had the batch stays whole and is tried again later, so
//! nobody ever waits for memory here. Only parts that compress much worse than the whole can fail for want
//! of it.

use std::cell::Cell;
use std::sync::Arc;

use crate::accumulator::batch::{Batch, Form, BATCH_OVERHEAD_BYTES};
use crate::accumulator::chain::{Chain, ChunkReader};
use crate::accumulator::encode::{Output, TopicCompression, Workbench, PIECE_BYTES};
use crate::accumulator::pool::{class_for, Needs, Pool, Taker, CHUNK_SIZES};
use crate::delivery::Lease;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::frame::Pieces;
use crate::record::compress::Decoder;
use crate::record::{
    BatchBuilder, BatchSummary, Codec, Magic, RecordStream, RecordView, TimestampType,
};

/// Why a batch could not be split.
#[derive(Debug)]
pub enum SplitFailure {
    /// A request still reads the batch, or there is no memory for parts: try again later. The batch comes
    /// back whole.
    NotNow(Box<Batch>),
    /// It holds a single record, or its bytes do not allow it. Its promises come back.
    Impossible(Box<Batch>),
}

/// So many parts there are at most: of two in a row, the records are more than half of the whole.
const PARTS_MAX: usize = 5;

/// Parts are measured in plain bytes: 1, less the margin that a builder adds.
const PLAIN: f32 = 1.0 / 1.05;

/// The part being written.
struct Part<'a> {
    builder: BatchBuilder,
    /// Counted bytes that stay its own.
    overhead: Lease,
    body: Body<'a>,
}

/// What its records are written to.
enum Body<'a> {
    Plain(Chain),
    /// Through the codec; plain bytes so far.
    Compressed(Output<'a>, usize),
}

/// The writing side: parts so far, and counted bytes that consumed input has left over.
struct Parts<'a> {
    pool: &'a Arc<Pool>,
    magic: Magic,
    compression: &'a TopicCompression,
    bench: &'a mut Workbench,
    target_bytes: usize,
    held: Lease,
    /// Bytes of input chunks that were consumed, and how many of them count as held.
    consumed: &'a Cell<usize>,
    credited: usize,
    open: Option<Part<'a>>,
    done: Vec<Form>,
}

fn no_memory() -> Error {
    Error::new(ErrorCode::STATE, "buffer.memory has no room for the parts of a batch")
}

impl Parts<'_> {
    /// What was consumed since pays from now on.
    fn credit(&mut self) {
        self.held.grow(self.consumed.get() - self.credited);
        self.credited = self.consumed.get();
    }

    /// The held bytes pay, as far as they go.
    fn take(&mut self, needs: &Needs, chain: &mut Chain) -> bool {
        self.credit();
        let mut pays = self.held.split_off(needs.bytes());
        let taken = chain.take(needs, self.pool, Taker::Exchange(&mut pays));
        self.held.grow(pays.use_up());
        taken
    }

    fn begin(&mut self) -> Result<()> {
        let compression = self.compression.compression;
        let create_time = TimestampType::CreateTime;
        let (magic, target) = (self.magic, self.target_bytes);
        let builder = BatchBuilder::new(magic, compression.codec(), create_time, target)?;
        let counted = Needs { counted_bytes: BATCH_OVERHEAD_BYTES, ..Needs::default() };
        let mut chain = Chain::new(class_for(target / 4));
        if !self.take(&counted, &mut chain) {
            return Err(no_memory());
        }
        let body = if compression.is_some() {
            let Workbench { encoder, scratch } = &mut *self.bench;
            scratch.clear();
            encoder.begin(compression, magic, 0, scratch)?;
            Body::Compressed(Output::new(self.pool, Lease::new(self.pool.clone(), 0), magic), 0)
        } else {
            Body::Plain(chain)
        };
        let overhead = Lease::new(self.pool.clone(), BATCH_OVERHEAD_BYTES);
        self.open = Some(Part { builder: builder.expecting(PLAIN), overhead, body });
        Ok(())
    }

    fn append(&mut self, record: &RecordView<'_>) -> Result<()> {
        let record = record.as_record();
        let fits =
            self.open.as_ref().is_some_and(|p| p.builder.has_room_for(p.builder.size_of(&record)));
        if !fits {
            self.end()?;
            self.begin()?;
        }
        let Some(mut part) = self.open.take() else { return Err(no_memory()) };
        let size = part.builder.size_of(&record);
        match &mut part.body {
            Body::Plain(chain) => {
                if chain.room() < size && !self.make_room(chain, size) {
                    return Err(no_memory());
                }
                part.builder.append(&record, size, chain);
            }
            Body::Compressed(output, plain_bytes) => {
                let mut plain = Vec::with_capacity(size);
                part.builder.append(&record, size, &mut plain);
                *plain_bytes += plain.len();
                self.bench.encoder.write(&plain, &mut self.bench.scratch)?;
                if self.bench.scratch.len() >= PIECE_BYTES {
                    self.cut(output)?;
                }
            }
        }
        self.open = Some(part);
        Ok(())
    }

    /// Where memory is short, chunks are taken no larger than necessary.
    fn make_room(&mut self, chain: &mut Chain, size: usize) -> bool {
        let short = self.pool.available_bytes() < self.pool.total_bytes() / 4;
        let needs = chain.needs(size, short);
        self.take(&needs, chain) || self.take(&chain.needs(size, true), chain)
    }

    fn cut(&mut self, output: &mut Output<'_>) -> Result<()> {
        self.credit();
        output.held.grow(self.held.split_off(self.bench.scratch.len()).use_up());
        output.cut(&mut self.bench.scratch)
    }

    /// Ends the part being written, if there is one.
    fn end(&mut self) -> Result<()> {
        let Some(mut part) = self.open.take() else { return Ok(()) };
        part.builder.close_for_appends();
        let summary = part.builder.summary();
        let done = match part.body {
            Body::Plain(chain) => {
                let payload = chain.seal(self.pool.clone(), part.overhead.use_up(), 0);
                let plain_bytes = payload.bytes();
                Form { summary, plain_bytes, payload: Arc::new(payload), crc: None }
            }
            Body::Compressed(mut output, plain_bytes) => {
                self.bench.encoder.finish(&mut self.bench.scratch)?;
                self.cut(&mut output)?;
                let ratio = output.bytes as f32 / plain_bytes.max(1) as f32;
                self.compression.ratio.observe(ratio);
                let (payload, crc) = output.finish(part.overhead.use_up());
                Form { summary, plain_bytes, payload: Arc::new(payload), crc: Some(crc) }
            }
        };
        self.done.push(done);
        Ok(())
    }

    fn discard(self) {
        if let Some(Part { body: Body::Plain(chain), .. }) = self.open {
            chain.discard(self.pool);
        }
    }
}

/// What parts may take more than the whole: their bookkeeping, the rest of a chunk each, and compressed ones
/// a little for what they have no longer in common.
fn margin(batch: &Batch) -> Needs {
    let rest = match batch.summary.codec {
        Codec::None => CHUNK_SIZES[0] * PARTS_MAX,
        _ => batch.payload.bytes() / 16,
    };
    Needs { counted_bytes: rest + PARTS_MAX * BATCH_OVERHEAD_BYTES, ..Needs::default() }
}

/// Splits `batch` into batches of about half its plain size; records larger than that go alone.
/// `compression` is that of its topic.
pub fn split(
    mut batch: Batch,
    pool: &Arc<Pool>,
    compression: &TopicCompression,
    bench: &mut Workbench,
) -> std::result::Result<Vec<Batch>, SplitFailure> {
    if batch.count() < 2 {
        return Err(SplitFailure::Impossible(Box::new(batch)));
    }
    let margin = margin(&batch);
    if !pool.try_take(&margin, Taker::Sender, &mut Vec::new()) {
        pool.press();
        return Err(SplitFailure::NotNow(Box::new(batch)));
    }
    let mut held = Lease::new(pool.clone(), margin.bytes());
    let wire_bytes = batch.payload.bytes();
    let payload = match Arc::try_unwrap(batch.payload) {
        Ok(payload) => payload,
        Err(shared) => {
            batch.payload = shared;
            return Err(SplitFailure::NotNow(Box::new(batch)));
        }
    };
    if batch.summary.codec != Codec::None {
        compression.ratio.reset(wire_bytes as f32 / batch.plain_bytes.max(1) as f32);
    }
    let (chunks, counted_bytes) = payload.into_chunks();
    held.grow(counted_bytes);
    let input_bytes: usize = chunks.iter().map(Vec::capacity).sum();
    let consumed = Cell::new(0);
    let mut parts = Parts {
        pool,
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
    let complete = rewrite(ChunkReader::new(chunks, &consumed), &batch.summary, &mut parts);
    // The input is gone by now, read or not.
    parts.held.grow(input_bytes - parts.credited);
    let records: u32 = parts.done.iter().map(|part| part.summary.count).sum();
    batch.payload = Arc::new(Chain::new(0).seal(pool.clone(), 0, 0));
    if complete.is_err() || records != batch.count() || parts.done.len() < 2 {
        parts.discard();
        return Err(SplitFailure::Impossible(Box::new(batch)));
    }
    let done = std::mem::take(&mut parts.done);
    drop(parts);
    Ok(seal_parts(batch, done))
}

/// Copies every record of `chunks` into the parts.
///
/// Errors: `STATE` if memory gave out, others if the bytes are not what they should be.
fn rewrite(chunks: ChunkReader<'_>, summary: &BatchSummary, parts: &mut Parts<'_>) -> Result<()> {
    let plain = Decoder::new(summary.codec, summary.magic, chunks)?;
    let mut records = RecordStream::of_format(plain, summary.magic, summary.base_timestamp_ms);
    while let Some(record) = records.read_next()? {
        parts.append(&record)?;
    }
    parts.end()
}

fn seal_parts(mut batch: Batch, parts: Vec<Form>) -> Vec<Batch> {
    let mut promises = batch.promises.take();
    let mut first = 0;
    let mut made = Vec::with_capacity(parts.len());
    for form in parts {
        let count = form.summary.count;
        let mut own = promises.take();
        promises = own.as_mut().map(|all| all.split_off(count as usize));
        made.push(batch.part(first, own, form));
        first += count;
    }
    made
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
