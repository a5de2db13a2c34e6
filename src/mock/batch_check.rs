//! Owns the judgement on the bytes that a producer wants in the log, in the order of a broker's
//! own checks. Never appends.

use bytes::Bytes;

use crate::error::{Error, ErrorCode};
use crate::record::{
    batches, BatchHeader, BatchView, Codec, Entry, TimestampType, BATCH_HEADER_BYTES,
};

use super::message_set;
use super::partition_log::LogBatch;
use super::topic::TopicSettings;

/// Compressed records are read up to this many plain bytes; a batch of more is refused.
pub(super) const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// The first version of Produce that carries record batches of format v2, and nothing else (KIP-98).
const BATCHES_SINCE: i16 = 3;

/// Why a batch does not get into the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: Option<String>,
    /// The records at fault, by their index in the batch (KIP-467).
    pub(super) record_errors: Vec<(i32, Option<String>)>,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: &str) -> Refusal {
        Refusal { code, message: Some(message.to_owned()), record_errors: Vec::new() }
    }

    pub(super) fn of_records(message: &str, records: Vec<i32>) -> Refusal {
        let record_errors = records.into_iter().map(|i| (i, Some(message.to_owned()))).collect();
        Refusal { record_errors, ..Refusal::new(ErrorCode::INVALID_RECORD, message) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::new(error.code(), error.message())
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Refusal {
        Refusal::new(code, code.description())
    }
}

/// The one batch in a partition's records, if the broker may take it. Without `verify`, checksum
/// and records are not looked at.
pub(super) fn check(
    records: Option<Bytes>,
    version: i16,
    settings: &TopicSettings,
    verify: bool,
) -> Result<LogBatch, Refusal> {
    let records = records.unwrap_or_default();
    if version < BATCHES_SINCE {
        return message_set::check(&records, version, settings);
    }
    let batch = only_batch(&records)?;
    let header = batch.header();
    check_header(header, version)?;
    if records.len() > settings.max_message_bytes {
        return Err(ErrorCode::MESSAGE_TOO_LARGE.into());
    }
    if verify {
        batch.verify_crc()?;
        check_records(&batch, settings)?;
    }
    let header = *header;
    Ok(LogBatch { header, payload: records.slice(BATCH_HEADER_BYTES..) })
}

/// Produce v3 and later carry exactly one batch of format v2 per partition.
fn only_batch(records: &Bytes) -> Result<BatchView<'_>, Refusal> {
    let invalid = |message| Err(Refusal::new(ErrorCode::INVALID_RECORD, message));
    let mut all = batches(records);
    match all.next() {
        None => invalid("no record batch"),
        Some(Err(error)) if error.code() == ErrorCode::UNSUPPORTED => {
            invalid("this version of Produce takes only record batches of format v2")
        }
        Some(Err(error)) => Err(Refusal::new(ErrorCode::CORRUPT_MESSAGE, error.message())),
        Some(Ok(_)) if all.next().is_some() => invalid("more than one record batch"),
        Some(Ok(batch)) => Ok(batch),
    }
}

fn check_header(header: &BatchHeader, version: i16) -> Result<(), Refusal> {
    /// The first version of Produce whose clients are known to read zstd (KIP-110).
    const ZSTD_SINCE: i16 = 7;
    if header.codec() == Some(Codec::Zstd) && version < ZSTD_SINCE {
        return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE.into());
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        let message = "a producer may not set the timestamp type to LogAppendTime";
        return Err(Refusal::new(ErrorCode::INVALID_TIMESTAMP, message));
    }
    let wrong = if header.base_offset != 0 {
        "the base offset is not 0"
    } else if header.count < 1 || header.last_offset_delta != header.count - 1 {
        "the record count does not fit the last offset"
    } else if header.is_control() {
        "clients may not write control batches"
    } else if header.has_producer_id() && header.base_sequence < 0 {
        "a producer id without a sequence"
    } else if header.is_transactional() && !header.has_producer_id() {
        "a transactional batch without a producer id"
    } else if header.codec().is_none() {
        "an unknown compression codec"
    } else {
        return Ok(());
    };
    Err(Refusal::new(ErrorCode::INVALID_RECORD, wrong))
}

/// Reads every record. What is compressed by a codec that this build lacks is believed.
fn check_records(batch: &BatchView<'_>, settings: &TopicSettings) -> Result<(), Refusal> {
    if !batch.header().codec().is_some_and(Codec::is_built) {
        return Ok(());
    }
    let unpacked = Entry::Batch(*batch).unpack(UNPACKED_BYTES_MAX)?;
    let mut without_key = Vec::new();
    for (record, index) in unpacked.records().zip(0..) {
        match record {
            Err(error) => return Err(Refusal::of_records(error.message(), vec![index])),
            Ok(record) if record.offset != i64::from(index) => {
                let message = "the record's offset does not follow the one before";
                return Err(Refusal::of_records(message, vec![index]));
            }
            Ok(record) if settings.compacted && record.key.is_none() => without_key.push(index),
            Ok(_) => {}
        }
    }
    refuse_without_key(without_key)
}

pub(super) fn refuse_without_key(records: Vec<i32>) -> Result<(), Refusal> {
    if records.is_empty() {
        return Ok(());
    }
    Err(Refusal::of_records("a compacted topic takes no record without a key", records))
}
