//! Owns the judgement on message sets of formats v0 and v1, which Produce v0 to v2 carry, and their
//! conversion to the format of the log, as brokers since 0.11 store them. Never appends.

use bytes::Bytes;

use crate::error::{Error, ErrorCode};
use crate::record::compress::{Compression, Encoder};
use crate::record::{
    assemble, entries, BatchBuilder, BatchHeader, Codec, Entry, Magic, ProducerIdentity,
    RecordView, TimestampType, BATCH_HEADER_BYTES,
};

use super::batch_check::{refuse_without_key, Refusal, UNPACKED_BYTES_MAX};
use super::partition_log::LogBatch;
use super::topic::TopicSettings;

/// The first version of Produce that carries messages with timestamps (KIP-32).
const TIMESTAMPS_SINCE: i16 = 2;

/// The messages of a set as one batch of format v2, compressed as they were, if the broker may take
/// them.
pub(super) fn check(
    records: &[u8],
    version: i16,
    settings: &TopicSettings,
) -> Result<LogBatch, Refusal> {
    let newest = if version < TIMESTAMPS_SINCE { Magic::V0 } else { Magic::V1 };
    let create_time = TimestampType::CreateTime;
    let mut codec = Codec::None;
    let mut log = BatchBuilder::new(Magic::V2, codec, create_time, usize::MAX)?;
    let (mut plain, mut without_key) = (Vec::new(), Vec::new());
    for entry in entries(records) {
        let entry = entry?;
        check_entry(&entry, newest, settings)?;
        codec = codec.max(entry.codec().unwrap_or(Codec::None));
        let unpacked = entry.unpack(UNPACKED_BYTES_MAX)?;
        for record in unpacked.records() {
            let index = log.count() as i32;
            let record: RecordView<'_> =
                record.map_err(|error| Refusal::of_records(error.message(), vec![index]))?;
            if settings.compacted && record.key.is_none() {
                without_key.push(index);
            }
            log.append_with_offset(log.count(), &record.as_record(), &mut plain)?;
        }
    }
    if log.count() == 0 {
        return Err(Refusal::new(ErrorCode::INVALID_RECORD, "no messages"));
    }
    refuse_without_key(without_key)?;
    let compression = Compression::new(codec);
    let none = ProducerIdentity::NONE;
    let batch = assemble(&log.summary(), &none, &plain, compression, &mut Encoder::new())?;
    let header = BatchHeader::decode(&batch)?;
    Ok(LogBatch { header, payload: Bytes::from(batch).slice(BATCH_HEADER_BYTES..) })
}

fn check_entry(entry: &Entry<'_>, newest: Magic, settings: &TopicSettings) -> Result<(), Error> {
    if entry.magic() > newest {
        let message = "this version of Produce takes only older messages";
        return Err(Error::new(ErrorCode::INVALID_RECORD, message));
    }
    if entry.bytes().len() > settings.max_message_bytes {
        let code = ErrorCode::MESSAGE_TOO_LARGE;
        return Err(Error::new(code, code.description()));
    }
    entry.verify_crc()
}
