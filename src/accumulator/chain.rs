//! The bytes of one batch: a chain of chunks from the pool, written once by application threads under
//! the partition lock, then sealed and only read. Never grows by itself: room is taken before writing.

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::Arc;

use crate::accumulator::pool::{Needs, Pool, Taker, CHUNK_SIZES};
use crate::protocol::frame::Pieces;
use crate::record::RecordSink;

/// Chunks being written. Most batches fit into one chunk, so that one lies in here and not behind a
/// further pointer: with thousands of partitions each pointer is a cache miss per record.
#[derive(Debug)]
pub struct Chain {
    /// Chunks without room, in order.
    full: Vec<Vec<u8>>,
    /// The chunk being written; without capacity before the first is taken.
    current: Vec<u8>,
    /// Chunks taken for what comes after it.
    spare: Vec<Vec<u8>>,
    bytes: usize,
    /// Class of the next chunk to take.
    class: usize,
}

impl Chain {
    /// An empty chain whose first chunk will be of `class`.
    pub fn new(class: usize) -> Chain {
        Chain { full: Vec::new(), current: Vec::new(), spare: Vec::new(), bytes: 0, class }
    }

    /// Bytes written.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that can be written without taking a chunk.
    #[inline]
    pub fn room(&self) -> usize {
        let here = self.current.capacity() - self.current.len();
        if self.spare.is_empty() {
            return here;
        }
        here + self.spare.iter().map(Vec::capacity).sum::<usize>()
    }

    /// What must be taken so that `bytes` more fit: a chunk of the next size, or no more than necessary
    /// (`sparing`) for those who had to wait for memory.
    pub fn needs(&self, bytes: usize, sparing: bool) -> Needs {
        let class = if sparing { 0 } else { self.class };
        Needs::for_bytes(bytes.saturating_sub(self.room()), class)
    }

    /// Takes `needs`; the counted bytes in it are the caller's to keep track of.
    pub fn take(&mut self, needs: &Needs, pool: &Pool, taker: Taker<'_>) -> bool {
        if !pool.try_take(needs, taker, self) {
            return false;
        }
        if needs.chunks.iter().any(|&count| count > 0) {
            self.class = (self.class + 1).min(CHUNK_SIZES.len() - 1);
        }
        true
    }

    #[cold]
    fn put_across(&mut self, mut bytes: &[u8]) {
        loop {
            let room = self.current.capacity() - self.current.len();
            let (here, rest) = bytes.split_at(room.min(bytes.len()));
            self.current.extend_from_slice(here);
            bytes = rest;
            if bytes.is_empty() {
                return;
            }
            let next = self.spare.remove(0);
            self.full.push(std::mem::replace(&mut self.current, next));
        }
    }

    /// Seals the chain: its bytes never change again, and go home when the last holder drops them, with
    /// `overhead_bytes` and `growth_bytes` that were counted beside them: the latter only until the
    /// batch is compressed.
    pub fn seal(mut self, pool: Arc<Pool>, overhead_bytes: usize, growth_bytes: usize) -> Payload {
        if self.current.is_empty() && self.current.capacity() > 0 {
            self.spare.push(std::mem::take(&mut self.current));
        }
        if !self.spare.is_empty() {
            pool.release(&mut self.spare, 0);
        }
        Payload {
            full: self.full,
            last: self.current,
            bytes: self.bytes,
            counted_bytes: overhead_bytes + growth_bytes,
            overhead_bytes,
            pool,
        }
    }

    /// Returns everything to the pool unsealed.
    pub fn discard(self, pool: &Pool) {
        let Chain { full, current, spare, .. } = self;
        pool.recycle(full.into_iter().chain(spare).chain(allocated(current)), 0);
    }
}

/// A chunk, unless it is only the place of one.
fn allocated(chunk: Vec<u8>) -> Option<Vec<u8>> {
    (chunk.capacity() > 0).then_some(chunk)
}

/// Takes in empty chunks.
impl Extend<Vec<u8>> for Chain {
    fn extend<I: IntoIterator<Item = Vec<u8>>>(&mut self, chunks: I) {
        for chunk in chunks {
            if self.current.capacity() == 0 {
                self.current = chunk;
            } else {
                self.spare.push(chunk);
            }
        }
    }
}

impl RecordSink for Chain {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.current.capacity() - self.current.len() >= bytes.len() {
            self.current.extend_from_slice(bytes);
        } else {
            self.put_across(bytes);
        }
    }
}

/// The sealed bytes of a batch, plain as they were written or compressed. Shared by the batch and the request
/// that carries it, so neither the end of a promise nor a retry can pull memory from under a socket
/// (KAFKA-19012).
#[derive(Debug)]
pub struct Payload {
    full: Vec<Vec<u8>>,
    /// The last chunk; without capacity in a payload of nothing.
    last: Vec<u8>,
    bytes: usize,
    counted_bytes: usize,
    /// Of the counted bytes, those that are the batch's whatever its form.
    overhead_bytes: usize,
    pool: Arc<Pool>,
}

impl Payload {
    /// Compressed bytes, in pieces that are counted as lent with the other `counted_bytes`.
    pub(super) fn of_pieces(
        mut pieces: Vec<Vec<u8>>,
        bytes: usize,
        counted_bytes: usize,
        pool: Arc<Pool>,
    ) -> Payload {
        let last = pieces.pop().unwrap_or_default();
        Payload { full: pieces, last, bytes, counted_bytes, overhead_bytes: counted_bytes, pool }
    }

    /// Of the counted bytes, those that stay the batch's when it is compressed.
    pub(super) fn overhead_bytes(&self) -> usize {
        self.overhead_bytes
    }

    fn pieces(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.full.iter().chain((self.last.capacity() > 0).then_some(&self.last))
    }

    /// CRC-32C over all bytes.
    pub fn crc32c(&self) -> u32 {
        self.pieces().fold(0, |crc, chunk| crate::record::crc32c::append(crc, chunk))
    }

    /// A copy in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        self.pieces().flatten().copied().collect()
    }

    /// The chunks and the counted bytes, which the caller must give back to the pool.
    pub(super) fn into_chunks(mut self) -> (Vec<Vec<u8>>, usize) {
        let mut chunks = std::mem::take(&mut self.full);
        chunks.extend(allocated(std::mem::take(&mut self.last)));
        (chunks, std::mem::take(&mut self.counted_bytes))
    }
}

/// The bytes of a payload's chunks, each freed once it is read; their sizes add up in `consumed`. The one
/// that is being read counts as consumed already: it is the reader's, beside all counted memory.
pub(super) struct ChunkReader<'a> {
    chunks: std::vec::IntoIter<Vec<u8>>,
    current: Vec<u8>,
    taken: usize,
    consumed: &'a Cell<usize>,
}

impl ChunkReader<'_> {
    pub(super) fn new(chunks: Vec<Vec<u8>>, consumed: &Cell<usize>) -> ChunkReader<'_> {
        ChunkReader { chunks: chunks.into_iter(), current: Vec::new(), taken: 0, consumed }
    }
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.current.len() {
            let Some(next) = self.chunks.next() else { return Ok(0) };
            self.consumed.set(self.consumed.get() + next.capacity());
            self.current = next;
            self.taken = 0;
        }
        let count = buffer.len().min(self.current.len() - self.taken);
        buffer[..count].copy_from_slice(&self.current[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

impl Pieces for Payload {
    fn count(&self) -> usize {
        self.full.len() + usize::from(self.last.capacity() > 0)
    }
    fn piece(&self, index: usize) -> &[u8] {
        self.full.get(index).unwrap_or(&self.last)
    }
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let chunks = self.full.drain(..).chain(allocated(std::mem::take(&mut self.last)));
        self.pool.recycle(chunks, self.counted_bytes);
    }
}
