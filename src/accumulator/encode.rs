//! What becomes of a sealed batch of a compressed topic before it can go: its plain chunks in, compressed
//! pieces and their checksum out, each input chunk given back as soon as it is consumed. Owns no thread and
//! no queue; whoever runs a job does so outside of every lock.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use crate::accumulator::chain::Payload;
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::Pool;
use crate::accumulator::ratio::RatioEstimate;
use crate::accumulator::topic::Slot;
use crate::accumulator::Accumulator;
use crate::delivery::Lease;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::frame::Pieces;
use crate::record::compress::{Compression, Encoder};
use crate::record::{crc32c, Magic};
use crate::time::Time;

/// Output is cut into pieces of about this size.
const PIECE_BYTES: usize = 64 << 10;

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
    /// Its format.
    pub magic: Magic,
    /// The plain bytes; nobody else has them.
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
    encoder: Encoder,
    scratch: Vec<u8>,
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

/// Compresses a payload. Its counted bytes cover whatever the compressed form can grow by, and each consumed
/// chunk pays for output, so this takes no memory that is not accounted for already.
///
/// Errors: `STATE` when the codec fails.
pub fn encode(job: EncodeJob, pool: &Arc<Pool>, bench: &mut Workbench) -> Result<Encoded> {
    let EncodeJob { magic, payload, compression, .. } = job;
    let TopicCompression { compression, ratio } = compression;
    let plain_bytes = payload.bytes();
    let payload = Arc::try_unwrap(payload)
        .map_err(|_| Error::new(ErrorCode::STATE, "a batch was read before it was compressed"))?;
    let overhead_bytes = payload.overhead_bytes();
    let (chunks, counted_bytes) = payload.into_chunks();
    let mut output = Output {
        pool,
        held: Lease::new(pool.clone(), counted_bytes),
        pieces: Vec::new(),
        bytes: 0,
        crc: Crc::new(magic),
    };
    let Workbench { encoder, scratch } = bench;
    scratch.clear();
    let mut begun = encoder.begin(compression, magic, plain_bytes, scratch);
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
    ratio.observe(output.bytes as f32 / plain_bytes.max(1) as f32);
    let kept_bytes = output.held.split_off(overhead_bytes).use_up();
    let (crc, bytes) = (output.crc.finish(), output.bytes);
    let pieces = std::mem::take(&mut output.pieces);
    let payload = Payload::of_pieces(pieces, bytes, kept_bytes, pool.clone());
    Ok(Encoded { payload: Arc::new(payload), crc })
}

/// The pieces so far, and the counted bytes that pay for more.
struct Output<'a> {
    pool: &'a Arc<Pool>,
    held: Lease,
    pieces: Vec<Vec<u8>>,
    bytes: usize,
    crc: Crc,
}

impl Output<'_> {
    fn cut(&mut self, scratch: &mut Vec<u8>) -> Result<()> {
        let wanted = scratch.len();
        if self.held.bytes() < wanted {
            return Err(Error::new(ErrorCode::STATE, "a codec made more of a batch than it may"));
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
