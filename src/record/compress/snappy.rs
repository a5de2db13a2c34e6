//! Snappy in the framing of the Java client (xerial's): a header, then blocks, each with its length.
//! Reads also what has no framing, as librdkafka writes it.

use std::io::{self, Read};

use super::decoder::{invalid, read_into};
use super::encoder::failed;
use crate::error::Result;
use crate::record::format::Codec;

/// Name, version 1, readable since version 1.
const HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const NAME_BYTES: usize = 8;
/// Plain bytes of a block: those of Kafka's Java client.
const BLOCK_BYTES: usize = 32 << 10;
/// A copy of three bytes yields 64, which is the most that snappy makes of anything.
const EXPANSION_MAX: usize = 22;

pub(super) struct SnappyEncoder {
    context: snap::raw::Encoder,
    /// Plain bytes that do not fill a block yet.
    block: Vec<u8>,
}

impl Default for SnappyEncoder {
    fn default() -> Self {
        SnappyEncoder { context: snap::raw::Encoder::new(), block: Vec::new() }
    }
}

impl SnappyEncoder {
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        self.block.clear();
        out.extend_from_slice(&HEADER);
    }

    pub(super) fn write(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut rest = plain;
        while self.block.len() + rest.len() >= BLOCK_BYTES {
            let (here, later) = rest.split_at(BLOCK_BYTES - self.block.len());
            rest = later;
            if self.block.is_empty() {
                put_block(&mut self.context, here, out)?;
            } else {
                self.block.extend_from_slice(here);
                put_block(&mut self.context, &self.block, out)?;
                self.block.clear();
            }
        }
        self.block.extend_from_slice(rest);
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if !self.block.is_empty() {
            put_block(&mut self.context, &self.block, out)?;
            self.block.clear();
        }
        Ok(())
    }
}

fn put_block(context: &mut snap::raw::Encoder, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let length_at = out.len();
    let begin = length_at + 4;
    out.resize(begin + snap::raw::max_compress_len(plain.len()), 0);
    let written =
        context.compress(plain, &mut out[begin..]).map_err(|cause| failed(Codec::Snappy, cause))?;
    out.truncate(begin + written);
    out[length_at..begin].copy_from_slice(&(written as u32).to_be_bytes());
    Ok(())
}

/// Reads blocks one by one; what does not begin with the framing's name is one block.
pub(super) struct SnappyReader<R: Read> {
    compressed: R,
    framed: Option<bool>,
    block: Vec<u8>,
    plain: Vec<u8>,
    taken: usize,
}

impl<R: Read> SnappyReader<R> {
    pub(super) fn new(compressed: R) -> SnappyReader<R> {
        SnappyReader { compressed, framed: None, block: Vec::new(), plain: Vec::new(), taken: 0 }
    }

    /// Reads the next block; false at the end.
    fn next_block(&mut self) -> io::Result<bool> {
        self.block.clear();
        match self.framed {
            None => {
                (&mut self.compressed).take(NAME_BYTES as u64).read_to_end(&mut self.block)?;
                self.framed = Some(self.block[..] == HEADER[..NAME_BYTES]);
                if self.block.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if self.framed == Some(true) {
                    self.block.clear();
                    // Versions: the blocks have been the same in all of them.
                    read_into(&mut self.compressed, HEADER.len() - NAME_BYTES, &mut self.block)?;
                    return self.next_block();
                }
                self.compressed.read_to_end(&mut self.block)?;
            }
            Some(false) => return Ok(false),
            Some(true) => {
                let mut length = Vec::with_capacity(4);
                (&mut self.compressed).take(4).read_to_end(&mut length)?;
                if length.is_empty() {
                    return Ok(false);
                }
                let length: [u8; 4] =
                    length.try_into().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
                read_into(
                    &mut self.compressed,
                    u32::from_be_bytes(length) as usize,
                    &mut self.block,
                )?;
            }
        }
        self.unpack()?;
        Ok(true)
    }

    fn unpack(&mut self) -> io::Result<()> {
        let claimed = snap::raw::decompress_len(&self.block).map_err(invalid)?;
        if claimed > self.block.len().saturating_mul(EXPANSION_MAX) {
            return Err(invalid("a block claims more than snappy can make of its bytes"));
        }
        self.plain.clear();
        self.plain.resize(claimed, 0);
        self.taken = 0;
        snap::raw::Decoder::new().decompress(&self.block, &mut self.plain).map_err(invalid)?;
        Ok(())
    }
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.plain.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.plain.len() - self.taken);
        buffer[..count].copy_from_slice(&self.plain[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
