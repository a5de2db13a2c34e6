//! LZ4 frames as Kafka's clients write them: independent blocks of 64 KiB, a checksum over the header
//! alone. Owns the framing, format v0's wrong header checksum included; the blocks are lz4_flex's and,
//! at other levels than the fast one, `lz4_high`'s.

use std::io::{self, Read};

use lz4_flex::block::{
    compress_into_with_table, decompress_into, get_maximum_output_size, CompressTable,
};
use twox_hash::XxHash32;

use super::decoder::{invalid, read_into};
use super::encoder::failed;
use super::lz4_high::HighCompressor;
use super::LZ4_FAST_LEVEL;
use crate::error::Result;
use crate::record::format::{Codec, Magic};

const FRAME_MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
const BLOCK_BYTES: usize = 64 << 10;
/// Version 1, independent blocks.
const OUR_FLAGS: u8 = 0b0110_0000;
/// Blocks of at most 64 KiB.
const OUR_BLOCK_SIZE: u8 = 4 << 4;
/// Set in the length of a block that is stored as it was.
const STORED: u32 = 1 << 31;

/// The header's checksum: the second byte of its hash. Clients for format v0 hashed the frame's magic
/// number too, and so do brokers that read it (KAFKA-3160).
fn header_checksum(magic: Magic, descriptor: &[u8]) -> u8 {
    let hash = if magic == Magic::V0 {
        XxHash32::oneshot(0, &[&FRAME_MAGIC, descriptor].concat())
    } else {
        XxHash32::oneshot(0, descriptor)
    };
    (hash >> 8) as u8
}

#[derive(Default)]
pub(super) struct Lz4Encoder {
    level: i32,
    fast: Option<CompressTable>,
    high: Option<Box<HighCompressor>>,
    /// Plain bytes that do not fill a block yet.
    block: Vec<u8>,
}

impl Lz4Encoder {
    pub(super) fn begin(&mut self, level: i32, magic: Magic, out: &mut Vec<u8>) {
        self.level = level;
        self.block.clear();
        let descriptor = [OUR_FLAGS, OUR_BLOCK_SIZE];
        out.extend_from_slice(&FRAME_MAGIC);
        out.extend_from_slice(&descriptor);
        out.push(header_checksum(magic, &descriptor));
    }

    pub(super) fn write(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut rest = plain;
        while self.block.len() + rest.len() >= BLOCK_BYTES {
            let (here, later) = rest.split_at(BLOCK_BYTES - self.block.len());
            rest = later;
            if self.block.is_empty() {
                self.put_block(here, out)?;
            } else {
                self.block.extend_from_slice(here);
                self.put_gathered(out)?;
            }
        }
        self.block.extend_from_slice(rest);
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if !self.block.is_empty() {
            self.put_gathered(out)?;
        }
        out.extend_from_slice(&[0; 4]);
        Ok(())
    }

    fn put_gathered(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut block = std::mem::take(&mut self.block);
        let put = self.put_block(&block, out);
        block.clear();
        self.block = block;
        put
    }

    fn put_block(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let length_at = out.len();
        let begin = length_at + 4;
        out.resize(begin + get_maximum_output_size(plain.len()), 0);
        let packed = &mut out[begin..];
        let written = if self.level == LZ4_FAST_LEVEL {
            // The large table finds more than the one meant for short inputs, in less time.
            let table = self.fast.get_or_insert_with(CompressTable::large);
            compress_into_with_table(plain, packed, table)
                .map_err(|cause| failed(Codec::Lz4, cause))?
        } else {
            let high = self.high.get_or_insert_with(Box::default);
            high.compress(plain, self.level, packed)
        };
        let mut length = written as u32;
        if written >= plain.len() {
            out[begin..begin + plain.len()].copy_from_slice(plain);
            length = plain.len() as u32 | STORED;
        }
        out.truncate(begin + (length & !STORED) as usize);
        out[length_at..begin].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }
}

/// Reads frames block by block. Blocks that refer to earlier ones are refused, as Kafka does.
pub(super) struct Lz4Reader<R: Read> {
    compressed: R,
    magic: Magic,
    frame: Option<Frame>,
    begun: bool,
    packed: Vec<u8>,
    plain: Vec<u8>,
    taken: usize,
}

#[derive(Copy, Clone)]
struct Frame {
    block_bytes_max: usize,
    block_checksums: bool,
    content_checksum: bool,
}

impl<R: Read> Lz4Reader<R> {
    pub(super) fn new(magic: Magic, compressed: R) -> Lz4Reader<R> {
        Lz4Reader {
            compressed,
            magic,
            frame: None,
            begun: false,
            packed: Vec::new(),
            plain: Vec::new(),
            taken: 0,
        }
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.compressed.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The header of the next frame; `None` at the end, before which there must be one.
    fn begin_frame(&mut self) -> io::Result<Option<Frame>> {
        let mut number = Vec::with_capacity(4);
        (&mut self.compressed).take(4).read_to_end(&mut number)?;
        if number.is_empty() && self.begun {
            return Ok(None);
        }
        if number[..] != FRAME_MAGIC {
            let cut_off = FRAME_MAGIC.starts_with(&number);
            let kind =
                if cut_off { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
            return Err(kind.into());
        }
        self.begun = true;
        let [flags, block_size] = self.array()?;
        let mut descriptor = vec![flags, block_size];
        if flags & 0b1000 != 0 {
            descriptor.extend_from_slice(&self.array::<8>()?);
        }
        let [checksum] = self.array()?;
        if flags >> 6 != 1 || flags & 0b11 != 0 || block_size & 0b1000_1111 != 0 {
            return Err(invalid("an unknown sort of frame"));
        }
        if flags & 0b10_0000 == 0 {
            return Err(invalid("blocks that depend on each other"));
        }
        // Of format v0 both are about: the right one, and the one that it was first written with.
        let right = checksum == header_checksum(Magic::V2, &descriptor);
        let v0 = self.magic == Magic::V0 && checksum == header_checksum(Magic::V0, &descriptor);
        if !right && !v0 {
            return Err(invalid("the header's checksum does not match"));
        }
        let block_bytes_max = match block_size >> 4 {
            size @ 4..=7 => 1 << (8 + 2 * size),
            _ => return Err(invalid("an unknown size of blocks")),
        };
        Ok(Some(Frame {
            block_bytes_max,
            block_checksums: flags & 0b1_0000 != 0,
            content_checksum: flags & 0b100 != 0,
        }))
    }

    /// Reads the next block; false at the end of the last frame.
    fn next_block(&mut self) -> io::Result<bool> {
        let frame = match self.frame {
            Some(frame) => frame,
            None => match self.begin_frame()? {
                Some(frame) => frame,
                None => return Ok(false),
            },
        };
        self.frame = Some(frame);
        self.plain.clear();
        self.taken = 0;
        let length = u32::from_le_bytes(self.array()?);
        if length == 0 {
            if frame.content_checksum {
                // Not verified: the batch's own checksum covers these bytes, and Java does not either.
                self.array::<4>()?;
            }
            self.frame = None;
            return Ok(true);
        }
        let packed_bytes = (length & !STORED) as usize;
        if packed_bytes > frame.block_bytes_max {
            return Err(invalid("a block larger than the frame allows"));
        }
        self.packed.clear();
        read_into(&mut self.compressed, packed_bytes, &mut self.packed)?;
        if frame.block_checksums {
            let checksum = u32::from_le_bytes(self.array()?);
            if checksum != XxHash32::oneshot(0, &self.packed) {
                return Err(invalid("a block's checksum does not match"));
            }
        }
        if length & STORED != 0 {
            std::mem::swap(&mut self.packed, &mut self.plain);
            return Ok(true);
        }
        // No byte of a block yields more than 255.
        let room = frame.block_bytes_max.min(packed_bytes.saturating_mul(255));
        self.plain.resize(room, 0);
        let count = decompress_into(&self.packed, &mut self.plain)
            .map_err(|cause| invalid(cause.to_string()))?;
        self.plain.truncate(count);
        Ok(true)
    }
}

impl<R: Read> Read for Lz4Reader<R> {
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
