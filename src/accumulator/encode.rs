//! What becomes of a sealed batch of a compressed topic, or of one whose leader takes only another format,
//! before it can go: its chunks in, encoded pieces and their checksum out, each input chunk given back as
//! soon as it is consumed. Owns no thread and no queue; whoever runs a job does so outside of every lock.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use crate::accumulator::batch::Form;
use crate::accumulator::chain::Payload;
use crate::accumulator::convert::{convert, Growth};
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::{Needs, Pool, Taker};
use crate::accumulator::ratio::RatioEstimate;
use crate::accumulator::topic::Slot;
use crate::accumulator::Accumulator;
use crate::delivery::Lease;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::frame::Pieces;
use crate::record::compress::{Compression, Encoder};
use crate::record::{crc32c, BatchSummary, Codec, Magic};
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
    /// What the format may take more.
    pub growth: Growth,
}

/// What came of it.
#[derive(Debug)]
pub struct Encoded {
    /// What goes on the wire behind the header.
    pub form: Form,
    /// Records for whose new format there was no memory, in the old one: a batch of their own from now on.
    pub rest: Option<Form>,
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
        if let (Ok(encoded), Some(topic)) = (&result, self.topics.get(partition.topic)) {
            topic.headers_dropped.fetch_add(encoded.headers_dropped, Ordering::Relaxed);
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
/// the compressed form can grow by, for the latter the job brings what it takes, and each consumed chunk pays
/// for output: so it takes no memory that is not accounted for already.
///
/// Errors: `STATE` when the codec fails or writes more than was taken for it, `UNSUPPORTED_COMPRESSION_TYPE`
/// when the format does not know it.
pub fn encode(job: EncodeJob, pool: &Arc<Pool>, bench: &mut Workbench) -> Result<Encoded> {
    let compression = job.compression.clone();
    let encoded = if job.from.codec == Codec::None && job.from.magic == job.magic {
        compress(job, pool, bench)?
    } else {
        convert(job, pool, bench)?
    };
    if compression.compression.is_some() {
        let Form { ref payload, plain_bytes, .. } = encoded.form;
        compression.ratio.observe(payload.bytes() as f32 / plain_bytes.max(1) as f32);
    }
    Ok(encoded)
}

/// The payload, which nobody else reads.
pub(super) fn sole(payload: Arc<Payload>) -> Result<Payload> {
    Arc::try_unwrap(payload)
        .map_err(|_| Error::new(ErrorCode::STATE, "a batch was read before it was encoded"))
}

/// Plain bytes through the codec.
fn compress(job: EncodeJob, pool: &Arc<Pool>, bench: &mut Workbench) -> Result<Encoded> {
    let EncodeJob { from, magic, payload, compression, .. } = job;
    let payload = sole(payload)?;
    let (plain_bytes, overhead_bytes) = (payload.bytes(), payload.overhead_bytes());
    let (chunks, counted_bytes) = payload.into_chunks();
    let held = Lease::new(pool.clone(), counted_bytes - overhead_bytes);
    let mut output = Output::new(pool, held, magic);
    let mut kept = Lease::new(pool.clone(), overhead_bytes);
    let Workbench { encoder, scratch } = bench;
    scratch.clear();
    let mut begun = encoder.begin(compression.compression, magic, plain_bytes, scratch);
    for chunk in chunks {
        if begun.is_ok() {
            begun = encoder.write(&chunk, scratch);
        }
        // Also after an error: every chunk goes back to the pool.
        output.held.grow(chunk.capacity());
        pool.recycle_held(chunk);
        if begun.is_ok() && scratch.len() >= PIECE_BYTES {
            begun = output.cut(scratch);
        }
    }
    begun?;
    encoder.finish(scratch)?;
    output.cut(scratch)?;
    let (payload, crc) = output.finish(kept.use_up());
    let summary = BatchSummary { codec: compression.compression.codec(), ..from };
    let form = Form { summary, plain_bytes, payload: Arc::new(payload), crc: Some(crc) };
    Ok(Encoded { form, rest: None, headers_dropped: 0 })
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
}

impl<'a> Output<'a> {
    /// Nothing yet; `held` pays for what comes.
    pub(super) fn new(pool: &'a Arc<Pool>, held: Lease, magic: Magic) -> Output<'a> {
        let crc = Crc::new(magic);
        Output { pool, held, pieces: Vec::new(), bytes: 0, crc }
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
pub(super) mod tests;
