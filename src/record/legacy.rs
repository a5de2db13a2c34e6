//! Message formats v0 and v1 as bytes (Java's `LegacyRecord` and the log entry around it): one message
//! after the other, or, compressed, one wrapper message whose value holds them. Owns their layout and
//! checksum; never decides which format is used.
//!
//! ```text
//! offset i64, size i32 | CRC-32 u32 | magic i8, attributes i8, timestamp i64 (v1), key, value
//! ```
//! Key and value are a length (i32, -1: null) and bytes. The checksum covers what stands behind it.

use bytes::BufMut;

use super::batch_header::BatchSummary;
use super::format::{Codec, Magic, TimestampType};
use super::record::{Record, RecordSink};
use crate::error::{Error, ErrorCode, Result};

/// Offset and size in front of every message (`Records.LOG_OVERHEAD`).
pub(super) const LOG_OVERHEAD: usize = 12;
/// Where the checksum ends and what it covers begins.
pub(super) const CRC_END: usize = LOG_OVERHEAD + 4;
/// Where a message says of which format it is; a v2 batch says so at the same place.
pub(super) const MAGIC_OFFSET: usize = CRC_END;

pub(super) const CODEC_MASK: u8 = 0x07;
pub(super) const LOG_APPEND_TIME_BIT: u8 = 1 << 3;

/// Bytes of a message besides its key and its value, from the checksum on.
pub(super) const fn overhead(magic: Magic) -> usize {
    // Checksum, magic, attributes, two lengths.
    match magic {
        Magic::V0 => 4 + 1 + 1 + 4 + 4,
        Magic::V1 | Magic::V2 => 4 + 1 + 1 + 8 + 4 + 4,
    }
}

/// Exact bytes of a message in a set, its offset and size included.
#[inline]
pub(super) fn message_size(magic: Magic, key: Option<usize>, value: Option<usize>) -> u64 {
    (LOG_OVERHEAD + overhead(magic)) as u64 + key.unwrap_or(0) as u64 + value.unwrap_or(0) as u64
}

/// What a message says of itself, and its value's length; its key follows, then its value.
struct Front {
    bytes: [u8; FRONT_MAX],
    len: usize,
}

/// The longest front: v1's, up to the length of the key.
const FRONT_MAX: usize = LOG_OVERHEAD + 4 + 1 + 1 + 8 + 4;

struct Fields {
    magic: Magic,
    attributes: u8,
    offset: i64,
    timestamp_ms: i64,
}

impl Front {
    /// Without the checksum, which comes when it is known.
    fn new(fields: &Fields, size: usize, key: Option<usize>) -> Front {
        let mut bytes = [0; FRONT_MAX];
        let mut at = &mut bytes[..];
        at.put_i64(fields.offset);
        at.put_i32((size - LOG_OVERHEAD) as i32);
        at.put_u32(0);
        at.put_u8(fields.magic as u8);
        at.put_u8(fields.attributes);
        if fields.magic != Magic::V0 {
            at.put_i64(fields.timestamp_ms);
        }
        at.put_i32(key.map_or(-1, |len| len as i32));
        let len = FRONT_MAX - at.len();
        Front { bytes, len }
    }

    fn set_crc(&mut self, crc: u32) {
        self.bytes[LOG_OVERHEAD..CRC_END].copy_from_slice(&crc.to_be_bytes());
    }

    fn covered(&self) -> &[u8] {
        &self.bytes[CRC_END..self.len]
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Writes `record`, uncompressed, as the message at `offset`; `size` is its [`message_size`].
pub(super) fn put_message<S: RecordSink>(
    magic: Magic,
    timestamp_type: TimestampType,
    offset: u32,
    record: &Record<'_>,
    size: usize,
    sink: &mut S,
) {
    let fields = Fields {
        magic,
        attributes: attributes(magic, Codec::None, timestamp_type),
        offset: i64::from(offset),
        timestamp_ms: record.timestamp_ms,
    };
    let mut front = Front::new(&fields, size, record.key.map(<[u8]>::len));
    let value_len = record.value.map_or(-1, |value| value.len() as i32).to_be_bytes();
    let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
    let mut crc = crc32fast::Hasher::new();
    for covered in [front.covered(), key, &value_len, value] {
        crc.update(covered);
    }
    front.set_crc(crc.finalize());
    sink.put(front.as_slice());
    if !key.is_empty() {
        sink.put(key);
    }
    sink.put(&value_len);
    if !value.is_empty() {
        sink.put(value);
    }
}

fn attributes(magic: Magic, codec: Codec, timestamp_type: TimestampType) -> u8 {
    let log_append_time = magic != Magic::V0 && timestamp_type == TimestampType::LogAppendTime;
    codec as u8 | if log_append_time { LOG_APPEND_TIME_BIT } else { 0 }
}

/// Bytes in front of the compressed messages of a wrapper, its value's length the last of them.
pub const fn wrapper_overhead(magic: Magic) -> usize {
    LOG_OVERHEAD + overhead(magic)
}

/// The bytes of a wrapper message in front of its value.
#[derive(Copy, Clone, Debug)]
pub struct WrapperHeader {
    bytes: [u8; FRONT_MAX + 4],
    len: usize,
}

impl AsRef<[u8]> for WrapperHeader {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The front of the wrapper message around `payload_len` bytes of compressed messages whose CRC-32 is
/// `payload_crc32`; the payload itself is not read. Its offset is that of the last message inside, its
/// timestamp the highest one (KIP-31, KIP-32).
///
/// Errors: `STATE` for an empty batch or one that is not compressed, `UNSUPPORTED` for format v2,
/// `RECORD_TOO_LARGE` when the payload does not fit a 32-bit length.
pub fn encode_wrapper_header(
    summary: &BatchSummary,
    payload_len: usize,
    payload_crc32: u32,
) -> Result<WrapperHeader> {
    if summary.magic == Magic::V2 {
        return Err(Error::new(ErrorCode::UNSUPPORTED, "v2 batches have no wrapper"));
    }
    if summary.count == 0 || summary.codec == Codec::None {
        return Err(Error::new(ErrorCode::STATE, "only compressed messages are wrapped"));
    }
    let size = wrapper_overhead(summary.magic) + payload_len;
    let value_len = i32::try_from(size)
        .map_err(|_| Error::new(ErrorCode::RECORD_TOO_LARGE, "a batch is limited to 2 GiB"))?;
    let value_len = (value_len - wrapper_overhead(summary.magic) as i32).to_be_bytes();
    let fields = Fields {
        magic: summary.magic,
        attributes: attributes(summary.magic, summary.codec, summary.timestamp_type),
        offset: i64::from(summary.last_offset_delta),
        timestamp_ms: summary.max_timestamp_ms,
    };
    let mut front = Front::new(&fields, size, None);
    let mut crc = crc32fast::Hasher::new();
    crc.update(front.covered());
    crc.update(&value_len);
    crc.combine(&crc32fast::Hasher::new_with_initial_len(payload_crc32, payload_len as u64));
    front.set_crc(crc.finalize());
    let mut header = WrapperHeader { bytes: [0; FRONT_MAX + 4], len: front.len + 4 };
    header.bytes[..front.len].copy_from_slice(front.as_slice());
    header.bytes[front.len..header.len].copy_from_slice(&value_len);
    Ok(header)
}
