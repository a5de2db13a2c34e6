//! What becomes of a sealed batch of a compressed topic, or of one whose leader takes only another format,
//! before it can go: its chunks in, encoded pieces and their checksum out, each input chunk given back as
//! soon as it is consumed. Owns no thread and no queue; whoever runs a job does so outside of every lock.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use crate::accumulator::chain::{ChunkReader, Payload};
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::{Needs, Pool, Taker};
use crate::accumulator::ratio::RatioEstimate;
use crate::accumulator::topic::Slot;
use crate::accumulator::Accumulator;
use crate::delivery::Lease;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::frame::Pieces;
use crate::record::compress::{Compression, Decoder, Encoder};
use crate::record::{
    crc32c, BatchBuilder, BatchSummary, Codec, Magic, RecordStream, TimestampType,
};
use crate::sync::atomic::Ordering;
use crate::time::Time;

/// Output is cut into pieces of about this size.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// How the batches of a topic are compressed, and how well.
#[derive(Clone, Debug)]
pub struct TopicCompression {
    /// Codec and level.
    pub compression: Compression,
    /// What they make of this topic's records.
    pub ratio: Arc<RatioEstimate>,
}

impl TopicCompression {
    /// Of a topic of which nothing is known yet.
    pub fn new(compression: Compression) -> TopicCompression {
        TopicCompression { compression, ratio: Arc::default() }
    }
}

/// A batch's plain payload on its way through a codec. The batch itself stays in its queue.
#[derive(Debug)]
pub struct EncodeJob {
    /// The partition.
    pub slot: Slot,
    /// Which batch of the partition.
    pub ordinal: u64,
    /// What the payload is now, its codec included.
    pub from: BatchSummary,
    /// The format that it is to have.
    pub magic: Magic,
    /// The bytes; nobody else has them.
    pub payload: Arc<Payload>,
    /// Codec, level and ratio.
    pub compression: TopicCompression,
}

/// What came of it.
#[derive(Debug)]
pub struct Encoded {
    /// What goes on the wire behind the header.
    pub payload: Arc<Payload>,
    /// Its checksum, of the sort that its format has.
    pub crc: u32,
    /// What its header says.
    pub summary: BatchSummary,
    /// Bytes of the records before they were compressed.
    pub plain_bytes: usize,
    /// Record headers that the new format has no place for.
    pub headers_dropped: usize,
}

/// Runs jobs. The result is told to the sender as [`Command::Encoded`], by way of
/// [`Accumulator::run_encode_job`].
pub trait Encoding: Send {
    /// Takes a job; it is done in its own time, in any order.
    fn submit(&mut self, job: EncodeJob);
}

/// What a thread that encodes keeps between jobs.
#[derive(Debug, Default)]
pub struct Workbench {
    pub(super) encoder: Encoder,
    pub(super) scratch: Vec<u8>,
}

/// Runs each job at once, on the thread that submits it: for the simulator, and where no thread is to be had.
#[derive(Debug)]
pub struct InlineEncoding {
    accumulator: Arc<Accumulator>,
    bench: Workbench,
}

impl InlineEncoding {
    /// For the batches of `accumulator`.
    pub fn new(accumulator: Arc<Accumulator>) -> InlineEncoding {
        InlineEncoding { accumulator, bench: Workbench::default() }
    }

    /// The same, for those to whom all ways are alike.
    pub fn boxed(accumulator: Arc<Accumulator>) -> Box<dyn Encoding> {
        Box::new(InlineEncoding::new(accumulator))
    }
}

impl Encoding for InlineEncoding {
    fn submit(&mut self, job: EncodeJob) {
        self.accumulator.run_encode_job(job, &mut self.bench);
    }
}

impl Accumulator {
    /// Does a job and tells the sender.
    pub fn run_encode_job(&self, job: EncodeJob, bench: &mut Workbench) {
        let (slot, ordinal) = (job.slot, job.ordinal);
        let Some(partition) = self.topics.partition(slot) else { return };
        let work = AssertUnwindSafe(|| encode(job, &self.pool, bench));
        let result = catch_unwind(work).unwrap_or_else(|_| {
            *bench = Workbench::default();
            Err(Error::new(ErrorCode::PANIC, "a fault inside a codec ended this batch"))
        });
        if let Ok(encoded) = &result {
            self.headers_dropped.fetch_add(encoded.headers_dropped, Ordering::Relaxed);
        }
        let command = match result.map(|encoded| partition.finish_encoding(ordinal, encoded)) {
            Ok(true) => Command::Encoded(slot),
            // The batch was failed meanwhile; what was made of it went back to the pool.
            Ok(false) => return,
            // The batch stays in its queue until the sender takes it: a close waits for it there.
            Err(error) => Command::EncodingFailed(slot, ordinal, error),
        };
        self.inbox.send(command, Time::ZERO);
    }
}

/// Compresses a payload, or makes it one of another format. For the former its counted bytes cover whatever
/// the compressed form can grow by, and each consumed chunk pays for output, so it takes no memory that is
/// not accounted for already. Old formats take more bytes for each record: that comes from the pool, the
/// sender's reserve included.
///
/// Errors: `STATE` when the codec fails or there is no memory for a larger format,
/// `UNSUPPORTED_COMPRESSION_TYPE` when the format does not know the codec.
pub fn encode(job: EncodeJob, pool: &Arc<Pool>, bench: &mut Workbench) -> Result<Encoded> {
    let EncodeJob { from, magic, payload, compression, .. } = job;
    let payload = Arc::try_unwrap(payload)
        .map_err(|_| Error::new(ErrorCode::STATE, "a batch was read before it was encoded"))?;
    let (plain_bytes, overhead_bytes) = (payload.bytes(), payload.overhead_bytes());
    let (chunks, counted_bytes) = payload.into_chunks();
    let held = Lease::new(pool.clone(), counted_bytes - overhead_bytes);
    let mut output = Output::new(pool, held, magic);
    let mut kept = Lease::new(pool.clone(), overhead_bytes);
    bench.scratch.clear();
    let codec = compression.compression.codec();
    let (summary, plain_bytes) = if from.codec == Codec::None && from.magic == magic {
        compress(chunks, plain_bytes, magic, compression.compression, bench, &mut output)?;
        (BatchSummary { codec, ..from }, plain_bytes)
    } else {
        convert(chunks, &from, magic, compression.compression, bench, &mut output)?
    };
    if codec != Codec::None {
        compression.ratio.observe(output.bytes as f32 / plain_bytes.max(1) as f32);
    }
    let (payload, crc) = output.finish(kept.use_up());
    let headers_dropped = output.headers_dropped;
    Ok(Encoded { payload: Arc::new(payload), crc, summary, plain_bytes, headers_dropped })
}

/// Plain bytes through the codec.
fn compress(
    chunks: Vec<Vec<u8>>,
    plain_bytes: usize,
    magic: Magic,
    compression: Compression,
    bench: &mut Workbench,
    output: &mut Output<'_>,
) -> Result<()> {
    let Workbench { encoder, scratch } = bench;
    let mut begun = encoder.begin(compression, magic, plain_bytes, scratch);
    for chunk in chunks {
        if begun.is_ok() {
            begun = encoder.write(&chunk, scratch);
        }
        // Also after an error: every chunk goes back to the pool.
        output.held.grow(chunk.capacity());
        output.pool.recycle_held(chunk);
        if begun.is_ok() && scratch.len() >= PIECE_BYTES {
            begun = output.cut(scratch);
        }
    }
    begun?;
    encoder.finish(scratch)?;
    output.cut(scratch)
}

/// Every record read and written again in another format. Headers are left out where that has none, and
/// zstd is refused there. Gives what the header will say and the plain bytes.
fn convert(
    chunks: Vec<Vec<u8>>,
    from: &BatchSummary,
    magic: Magic,
    compression: Compression,
    bench: &mut Workbench,
    output: &mut Output<'_>,
) -> Result<(BatchSummary, usize)> {
    let Workbench { encoder, scratch } = bench;
    let input_bytes: usize = chunks.iter().map(Vec::capacity).sum();
    let (consumed, mut credited) = (Cell::new(0), 0);
    let written: Result<(BatchSummary, usize)> = (|| {
        let plain = Decoder::new(from.codec, from.magic, ChunkReader::new(chunks, &consumed))?;
        let mut records = RecordStream::of_format(plain, from.magic, from.base_timestamp_ms);
        let codec = compression.codec();
        let mut builder = BatchBuilder::new(magic, codec, TimestampType::CreateTime, usize::MAX)?;
        let (mut plain, mut plain_bytes) = (Vec::new(), 0);
        encoder.begin(compression, magic, 0, scratch)?;
        while let Some(record) = records.read_next()? {
            let mut record = record.as_record();
            if magic != Magic::V2 {
                output.headers_dropped += record.headers.len();
                record.headers = &[];
            }
            plain.clear();
            builder.append_with_offset(builder.count(), &record, &mut plain)?;
            plain_bytes += plain.len();
            encoder.write(&plain, scratch)?;
            if scratch.len() >= PIECE_BYTES {
                output.held.grow(consumed.get() - credited);
                credited = consumed.get();
                output.cut(scratch)?;
            }
        }
        encoder.finish(scratch)?;
        Ok((builder.summary(), plain_bytes))
    })();
    // The input is gone by now, read or not.
    output.held.grow(input_bytes - credited);
    let (summary, plain_bytes) = written?;
    output.cut(scratch)?;
    if summary.count != from.count {
        return Err(Error::new(ErrorCode::STATE, "a batch lost records when it was converted"));
    }
    Ok((summary, plain_bytes))
}

/// The pieces so far, and the counted bytes that pay for more.
pub(super) struct Output<'a> {
    pool: &'a Arc<Pool>,
    /// What pays first.
    pub(super) held: Lease,
    pieces: Vec<Vec<u8>>,
    /// Bytes in the pieces.
    pub(super) bytes: usize,
    crc: Crc,
    headers_dropped: usize,
}

impl<'a> Output<'a> {
    /// Nothing yet; `held` pays for what comes.
    pub(super) fn new(pool: &'a Arc<Pool>, held: Lease, magic: Magic) -> Output<'a> {
        let crc = Crc::new(magic);
        Output { pool, held, pieces: Vec::new(), bytes: 0, crc, headers_dropped: 0 }
    }

    /// What was written, as a payload that keeps `counted_bytes` besides, and its checksum.
    pub(super) fn finish(&mut self, counted_bytes: usize) -> (Payload, u32) {
        let pieces = std::mem::take(&mut self.pieces);
        let payload = Payload::of_pieces(pieces, self.bytes, counted_bytes, self.pool.clone());
        (payload, self.crc.finish())
    }

    /// Makes a piece of what a codec has written so far.
    ///
    /// Errors: `STATE` when there is no memory for it.
    pub(super) fn cut(&mut self, scratch: &mut Vec<u8>) -> Result<()> {
        let wanted = scratch.len();
        let missing =
            Needs { counted_bytes: wanted.saturating_sub(self.held.bytes()), ..Needs::default() };
        if missing.counted_bytes > 0 {
            if !self.pool.try_take(&missing, Taker::Sender, &mut Vec::new()) {
                let message =
                    "buffer.memory has no room for the batch in the broker's message format";
                return Err(Error::new(ErrorCode::STATE, message));
            }
            self.held.grow(missing.counted_bytes);
        }
        if wanted > 0 {
            // Counted as the piece's own from here on.
            self.held.split_off(wanted).use_up();
            self.crc.add(scratch);
            self.bytes += wanted;
            self.pieces.push(scratch.as_slice().into());
            scratch.clear();
        }
        Ok(())
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        // Only when something failed is there any left.
        self.pool.recycle(self.pieces.drain(..), 0);
    }
}

/// The checksum of a payload: CRC-32C in a v2 batch, CRC-32 in a wrapper message.
enum Crc {
    Castagnoli(u32),
    Iso(crc32fast::Hasher),
}

impl Crc {
    fn new(magic: Magic) -> Crc {
        match magic {
            Magic::V2 => Crc::Castagnoli(0),
            Magic::V0 | Magic::V1 => Crc::Iso(crc32fast::Hasher::new()),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        match self {
            Crc::Castagnoli(crc) => *crc = crc32c::append(*crc, bytes),
            Crc::Iso(hasher) => hasher.update(bytes),
        }
    }

    fn finish(&self) -> u32 {
        match self {
            Crc::Castagnoli(crc) => *crc,
            Crc::Iso(hasher) => hasher.clone().finalize(),
        }
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
