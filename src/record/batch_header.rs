//! The 61 bytes in front of a v2 batch's records. Owns their layout and what the checksum covers;
//! never touches the payload, of which it needs only length and checksum.

use bytes::{Buf, BufMut};

use super::crc32c;
use super::format::{Codec, Magic, TimestampType};
use crate::error::{Error, ErrorCode, Result};

/// Bytes of a v2 batch header (Java `DefaultRecordBatch.RECORD_BATCH_OVERHEAD`).
pub const BATCH_HEADER_BYTES: usize = 61;
/// The producer id of a batch without identity.
pub const NO_PRODUCER_ID: i64 = -1;
/// The producer epoch of a batch without identity.
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// The base sequence of a batch without identity.
pub const NO_SEQUENCE: i32 = -1;
/// The leader epoch that only brokers know.
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

/// Base offset and length: what stands before the part that the length counts.
pub(super) const LENGTH_END: usize = 12;
pub(super) const LENGTH_OFFSET: usize = 8;
pub(super) const MAGIC_OFFSET: usize = 16;
/// The checksum covers everything from the attributes to the end of the batch.
pub(super) const ATTRIBUTES_OFFSET: usize = 21;

const CODEC_MASK: i16 = 0x07;
const LOG_APPEND_TIME_BIT: i16 = 1 << 3;
const TRANSACTIONAL_BIT: i16 = 1 << 4;
const CONTROL_BIT: i16 = 1 << 5;

/// What a closed batch says about its records.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct BatchSummary {
    /// The format of the payload.
    pub magic: Magic,
    /// How the payload is compressed.
    pub codec: Codec,
    /// Whose clock the timestamps are from.
    pub timestamp_type: TimestampType,
    /// Whether the records are transaction markers, which only brokers write.
    pub control: bool,
    /// Number of records.
    pub count: u32,
    /// Offset of the last record relative to the batch's; `count - 1` unless offsets have gaps.
    pub last_offset_delta: u32,
    /// Timestamp of the first record, milliseconds since the epoch or -1.
    pub base_timestamp_ms: i64,
    /// The highest timestamp, milliseconds since the epoch or -1.
    pub max_timestamp_ms: i64,
}

/// Who sends a batch and where it stands in the sender's sequence; given at drain, per attempt.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ProducerIdentity {
    /// From InitProducerId.
    pub producer_id: i64,
    /// From InitProducerId.
    pub producer_epoch: i16,
    /// Sequence of the batch's first record in its partition.
    pub base_sequence: i32,
    /// Whether the batch belongs to a transaction.
    pub transactional: bool,
}

impl ProducerIdentity {
    /// Of a producer without idempotence.
    pub const NONE: ProducerIdentity = ProducerIdentity {
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        base_sequence: NO_SEQUENCE,
        transactional: false,
    };

    /// Of the records from the `records`-th on: sequences go from `i32::MAX` to 0.
    #[must_use]
    pub fn after(self, records: u32) -> ProducerIdentity {
        if self.base_sequence == NO_SEQUENCE {
            return self;
        }
        let base_sequence = (self.base_sequence as u32).wrapping_add(records) as i32 & i32::MAX;
        ProducerIdentity { base_sequence, ..self }
    }

    /// Refuses what brokers would take for a batch of somebody else (Java
    /// `MemoryRecordsBuilder.validateProducerState`). Markers carry no sequence.
    fn check(&self, control: bool) -> Result<()> {
        let refusal = if self.producer_id == NO_PRODUCER_ID {
            if !self.transactional {
                return Ok(());
            }
            "a transactional batch needs a producer id"
        } else if self.producer_epoch < 0 {
            "a batch with a producer id needs a producer epoch"
        } else if self.base_sequence < 0 && !control {
            "a batch with a producer id needs a base sequence"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorCode::STATE, refusal))
    }
}

/// The header of a batch of `payload_len` record bytes whose CRC-32C is `payload_crc32c`; the
/// payload itself is not read. Base offset is 0 and the leader epoch unknown: the broker fills them
/// in, and the checksum does not cover them.
///
/// Errors: `STATE` for an empty batch or an identity with holes, `RECORD_TOO_LARGE` when the batch
/// does not fit its 32-bit length, `UNSUPPORTED` for formats other than v2.
pub fn encode_batch_header(
    summary: &BatchSummary,
    identity: &ProducerIdentity,
    payload_len: usize,
    payload_crc32c: u32,
) -> Result<[u8; BATCH_HEADER_BYTES]> {
    if summary.magic != Magic::V2 {
        return Err(Error::new(ErrorCode::UNSUPPORTED, "only v2 batches have a batch header"));
    }
    if summary.count == 0 {
        return Err(Error::new(ErrorCode::STATE, "a batch without records is not sent"));
    }
    identity.check(summary.control)?;
    let length = i32::try_from(BATCH_HEADER_BYTES - LENGTH_END + payload_len)
        .map_err(|_| Error::new(ErrorCode::RECORD_TOO_LARGE, "a batch is limited to 2 GiB"))?;
    let mut header = BatchHeader {
        base_offset: 0,
        length,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        crc32c: 0,
        attributes: attributes(summary, identity.transactional),
        last_offset_delta: summary.last_offset_delta as i32,
        base_timestamp_ms: summary.base_timestamp_ms,
        max_timestamp_ms: summary.max_timestamp_ms,
        producer_id: identity.producer_id,
        producer_epoch: identity.producer_epoch,
        base_sequence: identity.base_sequence,
        count: summary.count as i32,
    };
    header.renew_crc(payload_crc32c);
    Ok(header.encode())
}

fn attributes(summary: &BatchSummary, transactional: bool) -> i16 {
    let mut attributes = summary.codec as i16;
    if summary.timestamp_type == TimestampType::LogAppendTime {
        attributes |= LOG_APPEND_TIME_BIT;
    }
    if transactional {
        attributes |= TRANSACTIONAL_BIT;
    }
    if summary.control {
        attributes |= CONTROL_BIT;
    }
    attributes
}

/// A v2 batch header as it stands in the bytes; nothing but its layout has been checked.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct BatchHeader {
    /// Offset of the first record; 0 from a producer. Not under the checksum.
    pub base_offset: i64,
    /// Bytes of the batch after this field. Not under the checksum.
    pub length: i32,
    /// Epoch of the leader that appended the batch. Not under the checksum.
    pub partition_leader_epoch: i32,
    /// CRC-32C from the attributes to the end of the batch.
    pub crc32c: u32,
    /// Codec, timestamp type and flags; bits without a meaning are kept.
    pub attributes: i16,
    /// Offset of the last record relative to the base offset.
    pub last_offset_delta: i32,
    /// Timestamp that the records' deltas count from.
    pub base_timestamp_ms: i64,
    /// The highest timestamp, or the broker's when the attributes say so.
    pub max_timestamp_ms: i64,
    /// The producer's id or -1.
    pub producer_id: i64,
    /// The producer's epoch or -1.
    pub producer_epoch: i16,
    /// Sequence of the first record or -1.
    pub base_sequence: i32,
    /// Number of records.
    pub count: i32,
}

impl BatchHeader {
    /// The header at the front of a v2 batch; what follows is not looked at.
    /// Errors: `CORRUPT_MESSAGE` when there are too few bytes or the magic is another.
    pub fn decode(bytes: &[u8]) -> Result<BatchHeader> {
        if bytes.len() < BATCH_HEADER_BYTES || bytes[MAGIC_OFFSET] != Magic::V2 as u8 {
            return Err(Error::new(ErrorCode::CORRUPT_MESSAGE, "not a v2 batch header"));
        }
        let mut at = bytes;
        let (base_offset, length, partition_leader_epoch) =
            (at.get_i64(), at.get_i32(), at.get_i32());
        at.advance(1);
        Ok(BatchHeader {
            base_offset,
            length,
            partition_leader_epoch,
            crc32c: at.get_u32(),
            attributes: at.get_i16(),
            last_offset_delta: at.get_i32(),
            base_timestamp_ms: at.get_i64(),
            max_timestamp_ms: at.get_i64(),
            producer_id: at.get_i64(),
            producer_epoch: at.get_i16(),
            base_sequence: at.get_i32(),
            count: at.get_i32(),
        })
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; BATCH_HEADER_BYTES] {
        let mut bytes = [0; BATCH_HEADER_BYTES];
        let mut at = &mut bytes[..];
        at.put_i64(self.base_offset);
        at.put_i32(self.length);
        at.put_i32(self.partition_leader_epoch);
        at.put_u8(Magic::V2 as u8);
        at.put_u32(self.crc32c);
        at.put_i16(self.attributes);
        at.put_i32(self.last_offset_delta);
        at.put_i64(self.base_timestamp_ms);
        at.put_i64(self.max_timestamp_ms);
        at.put_i64(self.producer_id);
        at.put_i16(self.producer_epoch);
        at.put_i32(self.base_sequence);
        at.put_i32(self.count);
        bytes
    }

    /// Makes the checksum right again after a field under it has changed, given the payload's.
    pub fn renew_crc(&mut self, payload_crc32c: u32) {
        let fields = crc32c::checksum(&self.encode()[ATTRIBUTES_OFFSET..]);
        self.crc32c = crc32c::combine(fields, payload_crc32c, self.payload_len());
    }

    /// Bytes of records after the header, by the length field.
    pub fn payload_len(&self) -> usize {
        let header = BATCH_HEADER_BYTES - LENGTH_END;
        usize::try_from(self.length).unwrap_or(0).saturating_sub(header)
    }

    /// The codec; `None` for a number that nobody has defined.
    pub fn codec(&self) -> Option<Codec> {
        Codec::from_id((self.attributes & CODEC_MASK) as u8)
    }

    /// Whose clock the timestamps are from.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & LOG_APPEND_TIME_BIT != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// What a broker does to a batch of a topic with `message.timestamp.type=LogAppendTime`.
    /// The checksum has to be renewed after it.
    pub fn set_log_append_time(&mut self, timestamp_ms: i64) {
        self.attributes |= LOG_APPEND_TIME_BIT;
        self.max_timestamp_ms = timestamp_ms;
    }

    /// Whether the batch belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Whether the records are transaction markers.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// Whether the batch says who sent it.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// Who sent the batch.
    pub fn identity(&self) -> ProducerIdentity {
        ProducerIdentity {
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            transactional: self.is_transactional(),
        }
    }
}
