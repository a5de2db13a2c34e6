//! A payload in another message format: every record read and written again. What the old formats take more
//! than the new one is taken from the pool before a batch goes through here; where only a part of that is to
//! be had, as many records as it is enough for become a batch of their own, and the rest keeps its format
//! until its turn comes. So nobody waits here when callers have filled the pool. (How much a codec writes is
//! estimated: a batch beyond that fails.)

use std::cell::Cell;
use std::io::Read;
use std::sync::Arc;

use crate::accumulator::batch::{Form, BATCH_OVERHEAD_BYTES};
use crate::accumulator::chain::ChunkReader;
use crate::accumulator::encode::{sole, EncodeJob, Encoded, Output, Workbench, PIECE_BYTES};
use crate::accumulator::pool::{Needs, Pool, Taker};
use crate::delivery::Lease;
use crate::error::{Error, ErrorCode, Result};
use crate::record::compress::{Compression, Decoder};
use crate::record::{BatchBuilder, BatchSummary, Codec, Magic, RecordStream, TimestampType};

/// What the end of one compressed stream and the beginning of another take.
const STREAM_BYTES: usize = 256;

/// What a codec of the old formats looks back at most.
const WINDOW_BYTES: usize = 64 << 10;

/// Memory that a conversion may need beyond that of its input.
#[derive(Debug)]
pub struct Growth {
    /// So many records are to be converted; those behind them are to be written again as they are.
    pub records: u32,
    held: Lease,
}

impl Growth {
    /// What converting a batch like `from` can take. The first of a queue has a claim to the sender's
    /// reserve, and goes in parts if it must; those behind it only get what callers could have. `None`:
    /// there is not enough now.
    pub fn take(
        pool: &Arc<Pool>,
        from: &BatchSummary,
        to: Magic,
        compressed: bool,
        first: bool,
        from_bytes: usize,
    ) -> Option<Growth> {
        let through_codec = compressed || from.codec != Codec::None;
        let (each, fixed) = sizes(from.magic, to, through_codec);
        let whole = fixed + each * from.count as usize;
        let needs = Needs { counted_bytes: whole, ..Needs::default() };
        let taker = if first { Taker::Sender } else { Taker::Caller };
        if whole == 0 || pool.try_take(&needs, taker, &mut Vec::new()) {
            let held = Lease::new(pool.clone(), whole);
            return Some(Growth { records: from.count, held });
        }
        if !first {
            return None;
        }
        // A compressed rest begins a stream of its own, in which the text that both parts share stands again.
        let again = if through_codec { from_bytes.min(WINDOW_BYTES) } else { 0 };
        let fixed = fixed + BATCH_OVERHEAD_BYTES + again.min(pool.reserve_bytes() / 8);
        match pool.take_for_some(fixed, each, from.count as usize) {
            0 => None,
            some => Some(Growth {
                records: some as u32,
                held: Lease::new(pool.clone(), fixed + some * each),
            }),
        }
    }
}

/// The most that a record, and a batch as such, take more in another format.
fn sizes(from: Magic, to: Magic, through_codec: bool) -> (usize, usize) {
    if from == to {
        return (0, 0);
    }
    // At least 7 bytes of a v2 record are not its key or value; of v0 and v1 26 and 34 are.
    let plain = match to {
        Magic::V0 => 19,
        Magic::V1 => 27,
        Magic::V2 => 0,
    };
    match through_codec {
        false => (plain, 0),
        // A codec that found everything repeated before finds new bytes between: those, and an end of what
        // is repeated and a new beginning.
        true => (plain + 8, STREAM_BYTES),
    }
}

/// The records of a batch on their way into another format.
struct Conversion<'a, R: Read> {
    pool: &'a Arc<Pool>,
    compression: Compression,
    bench: &'a mut Workbench,
    records: RecordStream<R>,
    /// Counted bytes that pay for output.
    held: &'a mut Lease,
    /// Bytes of input chunks that were consumed, and how many of them count as held.
    consumed: &'a Cell<usize>,
    credited: &'a Cell<usize>,
    headers_dropped: usize,
}

impl<R: Read> Conversion<'_, R> {
    /// Writes `count` records in the format `magic`: headers are left out where it has none, and zstd is
    /// refused there. The payload keeps `overhead` besides.
    fn write(&mut self, count: u32, magic: Magic, mut overhead: Lease) -> Result<Form> {
        let codec = self.compression.codec();
        let mut builder = BatchBuilder::new(magic, codec, TimestampType::CreateTime, usize::MAX)?;
        let mut output = Output::new(self.pool, Lease::new(self.pool.clone(), 0), magic);
        let (mut plain, mut plain_bytes) = (Vec::new(), 0);
        self.bench.scratch.clear();
        self.bench.encoder.begin(self.compression, magic, 0, &mut self.bench.scratch)?;
        for _ in 0..count {
            let Some(record) = self.records.read_next()? else { return Err(lost()) };
            let mut record = record.as_record();
            if magic != Magic::V2 {
                self.headers_dropped += record.headers.len();
                record.headers = &[];
            }
            plain.clear();
            builder.append_with_offset(builder.count(), &record, &mut plain)?;
            plain_bytes += plain.len();
            self.bench.encoder.write(&plain, &mut self.bench.scratch)?;
            if self.bench.scratch.len() >= PIECE_BYTES {
                self.cut(&mut output)?;
            }
        }
        self.bench.encoder.finish(&mut self.bench.scratch)?;
        self.cut(&mut output)?;
        let (payload, crc) = output.finish(overhead.use_up());
        let summary = builder.summary();
        Ok(Form { summary, plain_bytes, payload: Arc::new(payload), crc: Some(crc) })
    }

    fn cut(&mut self, output: &mut Output<'_>) -> Result<()> {
        self.held.grow(self.consumed.get() - self.credited.replace(self.consumed.get()));
        output.held.grow(self.held.split_off(self.bench.scratch.len()).use_up());
        output.cut(&mut self.bench.scratch)
    }
}

fn lost() -> Error {
    Error::new(ErrorCode::STATE, "a batch lost records when it was converted")
}

/// Writes the records of a job anew: as many as its growth says in the format that it is to have, what is
/// left as it was.
pub(super) fn convert(job: EncodeJob, pool: &Arc<Pool>, bench: &mut Workbench) -> Result<Encoded> {
    let EncodeJob { from, magic, payload, compression, growth, .. } = job;
    let payload = sole(payload)?;
    let overhead_bytes = payload.overhead_bytes();
    let (chunks, counted_bytes) = payload.into_chunks();
    let input_bytes: usize = chunks.iter().map(Vec::capacity).sum();
    let (consumed, credited) = (Cell::new(0), Cell::new(0));
    let Growth { records: count, mut held } = growth;
    held.grow(counted_bytes);
    let plain = Decoder::new(from.codec, from.magic, ChunkReader::new(chunks, &consumed));
    let written = plain.and_then(|plain| {
        let mut conversion = Conversion {
            pool,
            compression: compression.compression,
            bench,
            records: RecordStream::of_format(plain, from.magic, from.base_timestamp_ms),
            held: &mut held,
            consumed: &consumed,
            credited: &credited,
            headers_dropped: 0,
        };
        let left = from.count - count;
        let overhead = conversion.held.split_off(overhead_bytes);
        let overhead_left = match left {
            0 => Lease::nothing(),
            _ => conversion.held.split_off(BATCH_OVERHEAD_BYTES),
        };
        let form = conversion.write(count, magic, overhead)?;
        let rest = match left {
            0 if conversion.records.read_next()?.is_some() => return Err(lost()),
            0 => None,
            _ => Some(conversion.write(left, from.magic, overhead_left)?),
        };
        Ok(Encoded { form, rest, headers_dropped: conversion.headers_dropped })
    });
    // The input is gone by now, read or not.
    held.grow(input_bytes - credited.get());
    written
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
