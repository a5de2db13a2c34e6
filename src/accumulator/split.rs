//! Cuts a batch that a broker found too large into smaller ones (KIP-126): same records, order, timestamps,
//! deadline and promises. Streams from chunk to chunk, paying for output with the input it has
//! consumed, so it never waits for memory.

use std::sync::Arc;

use crate::accumulator::batch::{Batch, BatchName, BATCH_OVERHEAD_BYTES};
use crate::accumulator::chain::Chain;
use crate::accumulator::pool::{class_for, Needs, Pool, Taker};
use crate::delivery::Lease;
use crate::record::{read_record_of, BatchBuilder, RecordView};
use crate::time::Time;

/// Why a batch could not be split.
#[derive(Debug)]
pub enum SplitFailure {
    /// A request still reads the batch: try again later. The batch comes back whole.
    StillShared(Box<Batch>),
    /// It holds a single record, or memory or its bytes do not allow it. Its promises come back.
    Impossible(Box<Batch>),
}

struct Part {
    builder: BatchBuilder,
    chain: Chain,
}

/// The writing side: parts so far, and counted bytes that consumed input has left over.
struct Parts<'a> {
    pool: &'a Arc<Pool>,
    target_bytes: usize,
    held: Lease,
    parts: Vec<Part>,
}

impl Parts<'_> {
    /// The held bytes pay, as far as they go.
    fn take(&mut self, needs: &Needs, chain: &mut Chain) -> bool {
        chain.take(needs, self.pool, Taker::Exchange(&mut self.held))
    }

    fn open(&mut self) -> bool {
        let builder = BatchBuilder::plain(self.target_bytes);
        let mut chain = Chain::new(class_for(self.target_bytes / 4));
        let counted = Needs { counted_bytes: BATCH_OVERHEAD_BYTES, ..Needs::default() };
        if !self.take(&counted, &mut chain) {
            return false;
        }
        self.parts.push(Part { builder, chain });
        true
    }

    fn append(&mut self, record: &RecordView<'_>) -> bool {
        let record = record.as_record();
        let fits = self
            .parts
            .last()
            .is_some_and(|part| part.builder.has_room_for(part.builder.size_of(&record)));
        if !fits && !self.open() {
            return false;
        }
        let Some(mut part) = self.parts.pop() else { return false };
        let size = part.builder.size_of(&record);
        let needs = part.chain.needs(size, false);
        let room = part.chain.room() >= size || self.take(&needs, &mut part.chain);
        if room {
            part.builder.append(&record, size, &mut part.chain);
        }
        self.parts.push(part);
        room
    }

    fn discard(self) {
        for part in self.parts {
            part.chain.discard(self.pool);
            self.pool.release(&mut Vec::new(), BATCH_OVERHEAD_BYTES);
        }
    }
}

/// Splits `batch` into batches of about half its size; records larger than that go alone.
pub fn split(mut batch: Batch, pool: &Arc<Pool>) -> Result<Vec<Batch>, SplitFailure> {
    if batch.count() < 2 {
        return Err(SplitFailure::Impossible(Box::new(batch)));
    }
    let target_bytes = batch.bytes().div_ceil(2);
    let payload = match Arc::try_unwrap(batch.payload) {
        Ok(payload) => payload,
        Err(shared) => {
            batch.payload = shared;
            return Err(SplitFailure::StillShared(Box::new(batch)));
        }
    };
    let (chunks, counted_bytes) = payload.into_chunks();
    let held = Lease::new(pool.clone(), counted_bytes);
    let mut parts = Parts { pool, target_bytes, held, parts: Vec::new() };
    let complete = rewrite(chunks, batch.summary.base_timestamp_ms, &mut parts);
    let records: u32 = parts.parts.iter().map(|part| part.builder.count()).sum();
    batch.payload = Arc::new(Chain::new(0).seal(pool.clone(), 0));
    if !complete || records != batch.count() || parts.parts.len() < 2 {
        parts.discard();
        return Err(SplitFailure::Impossible(Box::new(batch)));
    }
    Ok(seal_parts(batch, parts))
}

/// Copies every record of `chunks` into the parts; false if memory or the bytes gave out.
fn rewrite(chunks: Vec<Vec<u8>>, base_timestamp_ms: i64, parts: &mut Parts<'_>) -> bool {
    let mut carry: Vec<u8> = Vec::new();
    let last = chunks.len().saturating_sub(1);
    let mut complete = true;
    for (index, chunk) in chunks.into_iter().enumerate() {
        let size = chunk.capacity();
        if complete {
            let joined = !carry.is_empty();
            if joined {
                carry.extend_from_slice(&chunk);
            }
            let mut rest: &[u8] = if joined { &carry } else { &chunk };
            while complete && !rest.is_empty() {
                let Some(record) = read_record_of(&mut rest, base_timestamp_ms) else { break };
                complete = parts.append(&record);
            }
            let left = rest.to_vec();
            complete = complete && (index < last || left.is_empty());
            carry = left;
        }
        drop(chunk);
        parts.held.grow(size);
    }
    complete
}

fn seal_parts(mut batch: Batch, parts: Parts<'_>) -> Vec<Batch> {
    let pool = parts.pool.clone();
    let mut promises = batch.promises.take();
    let mut first_record = 0u64;
    let mut made = Vec::with_capacity(parts.parts.len());
    for mut part in parts.parts {
        part.builder.close_for_appends();
        let summary = part.builder.summary();
        let mut own = promises.take();
        promises = own.as_mut().map(|all| all.split_off(summary.count as usize));
        made.push(Batch {
            name: BatchName { ordinal: batch.name.ordinal + first_record, ..batch.name },
            summary,
            payload: Arc::new(part.chain.seal(pool.clone(), BATCH_OVERHEAD_BYTES)),
            payload_crc: None,
            promises: own,
            created: batch.created,
            attempts: batch.attempts,
            last_attempt: batch.last_attempt,
            drained: batch.drained,
            retry_at: Time::ZERO,
            last_node: None,
            maybe_stored: batch.maybe_stored,
        });
        first_record += u64::from(summary.count);
    }
    made
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
