//! The bytes of one batch: a chain of chunks from the pool, written once by application threads under
//! the partition lock, then sealed and only read. Never grows by itself: room is taken before writing.

use std::sync::Arc;

use crate::accumulator::pool::{Needs, Pool, Taker, CHUNK_SIZES};
use crate::net::frame::Pieces;
use crate::record::RecordSink;

/// Chunks being written.
#[derive(Debug)]
pub struct Chain {
    chunks: Vec<Vec<u8>>,
    current: usize,
    bytes: usize,
    /// Class of the next chunk to take.
    class: usize,
}

impl Chain {
    /// An empty chain whose first chunk will be of `class`.
    pub fn new(class: usize) -> Chain {
        Chain { chunks: Vec::new(), current: 0, bytes: 0, class }
    }

    /// Bytes written.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that can be written without taking a chunk.
    #[inline]
    pub fn room(&self) -> usize {
        match self.chunks.get(self.current) {
            Some(chunk) => {
                let later = self.chunks[self.current + 1..].iter().map(Vec::capacity);
                chunk.capacity() - chunk.len() + later.sum::<usize>()
            }
            None => 0,
        }
    }

    /// What must be taken so that `bytes` more fit: a chunk of the next size, or no more than necessary
    /// (`sparing`) for those who had to wait for memory.
    pub fn needs(&self, bytes: usize, sparing: bool) -> Needs {
        let class = if sparing { 0 } else { self.class };
        Needs::for_bytes(bytes.saturating_sub(self.room()), class)
    }

    /// Takes `needs`; the counted bytes in it are the caller's to keep track of.
    pub fn take(&mut self, needs: &Needs, pool: &Pool, taker: Taker<'_>) -> bool {
        let before = self.chunks.len();
        if !pool.try_take(needs, taker, &mut self.chunks) {
            return false;
        }
        if self.chunks.len() > before {
            self.class = (self.class + 1).min(CHUNK_SIZES.len() - 1);
        }
        true
    }

    #[cold]
    fn put_across(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let chunk = &mut self.chunks[self.current];
            let room = chunk.capacity() - chunk.len();
            if room == 0 {
                self.current += 1;
                continue;
            }
            let (here, rest) = bytes.split_at(room.min(bytes.len()));
            chunk.extend_from_slice(here);
            bytes = rest;
        }
    }

    /// Seals the chain: its bytes never change again, and go home when the last holder drops them.
    pub fn seal(self, pool: Arc<Pool>, counted_bytes: usize) -> Payload {
        let mut chunks = self.chunks;
        let used = chunks.iter().rposition(|chunk| !chunk.is_empty()).map_or(0, |at| at + 1);
        if used < chunks.len() {
            let mut unused = chunks.split_off(used);
            pool.release(&mut unused, 0);
        }
        Payload { chunks, bytes: self.bytes, counted_bytes, pool }
    }

    /// Returns everything to the pool unsealed.
    pub fn discard(mut self, pool: &Pool) {
        pool.release(&mut self.chunks, 0);
    }
}

impl RecordSink for Chain {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        let chunk = &mut self.chunks[self.current];
        if chunk.capacity() - chunk.len() >= bytes.len() {
            chunk.extend_from_slice(bytes);
        } else {
            self.put_across(bytes);
        }
    }
}

/// The sealed bytes of a batch. Shared by the batch and the request that carries it, so neither the end
/// of a promise nor a retry can pull memory from under a socket (KAFKA-19012).
#[derive(Debug)]
pub struct Payload {
    chunks: Vec<Vec<u8>>,
    bytes: usize,
    counted_bytes: usize,
    pool: Arc<Pool>,
}

impl Payload {
    /// CRC-32C over all bytes.
    pub fn crc32c(&self) -> u32 {
        self.chunks.iter().fold(0, |crc, chunk| crate::record::crc32c::append(crc, chunk))
    }

    /// A copy in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    /// The chunks and the counted bytes, which the caller must give back to the pool.
    pub(super) fn into_chunks(mut self) -> (Vec<Vec<u8>>, usize) {
        (std::mem::take(&mut self.chunks), std::mem::take(&mut self.counted_bytes))
    }
}

impl Pieces for Payload {
    fn count(&self) -> usize {
        self.chunks.len()
    }
    fn piece(&self, index: usize) -> &[u8] {
        &self.chunks[index]
    }
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.pool.release(&mut self.chunks, self.counted_bytes);
    }
}
