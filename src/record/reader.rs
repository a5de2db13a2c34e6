//! Reads batches and records back from bytes that may be hostile: every length is checked before
//! it is used, and nothing is allocated that the bytes at hand do not account for. Never panics,
//! never copies keys or values.

use super::batch_header::{
    BatchHeader, ATTRIBUTES_OFFSET, BATCH_HEADER_BYTES, LENGTH_END, LENGTH_OFFSET, MAGIC_OFFSET,
};
use super::crc32c;
use super::format::{Codec, Magic, TimestampType};
use super::header::Header;
use super::record::Record;
use super::varint::{read_varint, read_varlong};
use crate::error::{Error, ErrorCode, Result};

/// The batches of a record set, in order. Ends after the first error, since what follows a broken
/// length cannot be found; a batch that is cut off is an error.
pub fn batches(bytes: &[u8]) -> Batches<'_> {
    Batches { rest: bytes }
}

/// See [`batches`].
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<BatchView<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let batch = BatchView::first_of(self.rest);
        self.rest = match &batch {
            Ok(batch) => &self.rest[batch.bytes.len()..],
            Err(_) => &[],
        };
        Some(batch)
    }
}

impl std::iter::FusedIterator for Batches<'_> {}

/// A v2 batch in borrowed bytes. Its length is known to be right; its checksum and its records are
/// looked at only when asked for.
#[derive(Copy, Clone, Debug)]
pub struct BatchView<'a> {
    header: BatchHeader,
    bytes: &'a [u8],
}

impl<'a> BatchView<'a> {
    /// The batch at the front of `bytes`.
    pub(super) fn first_of(bytes: &'a [u8]) -> Result<BatchView<'a>> {
        let Some((_, length)) = bytes
            .get(..LENGTH_END)
            .and_then(|front| front[LENGTH_OFFSET..].split_last_chunk::<4>())
        else {
            return Err(corrupt("cut off in a batch's length"));
        };
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            return Err(corrupt("negative batch length"));
        };
        let Some(after) = bytes[LENGTH_END..].get(..length) else {
            return Err(corrupt("cut off in a batch"));
        };
        match after.get(MAGIC_OFFSET - LENGTH_END).copied().map(Magic::from_id) {
            Some(Some(Magic::V2)) if LENGTH_END + length >= BATCH_HEADER_BYTES => {}
            Some(Some(Magic::V0 | Magic::V1)) => {
                let message = "a message of a format before v2";
                return Err(Error::new(ErrorCode::UNSUPPORTED, message));
            }
            Some(None) => return Err(corrupt("unknown magic")),
            Some(Some(Magic::V2)) | None => {
                return Err(corrupt("batch shorter than its header"));
            }
        }
        let bytes = &bytes[..LENGTH_END + length];
        Ok(BatchView { header: BatchHeader::decode(bytes)?, bytes })
    }

    /// The header's fields.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records' bytes, compressed as the header says.
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[BATCH_HEADER_BYTES..]
    }

    /// Whether the bytes are those that were written. Not covered: base offset, length, leader
    /// epoch and magic.
    /// Errors: `CORRUPT_MESSAGE`.
    pub fn verify_crc(&self) -> Result<()> {
        if crc32c::checksum(&self.bytes[ATTRIBUTES_OFFSET..]) == self.header.crc32c {
            Ok(())
        } else {
            Err(corrupt("checksum does not match"))
        }
    }

    /// The records of an uncompressed batch in order; [`Entry::unpack`](super::Entry::unpack) is for
    /// every batch. Ends after the first error: `INVALID_RECORD` for a malformed record or when there
    /// are not exactly as many as the header says, `STATE` when they are compressed.
    pub fn records(&self) -> Records<'a> {
        let failure = match self.header.codec() {
            Some(Codec::None) => return self.records_in(self.payload()),
            Some(_) => Error::new(ErrorCode::STATE, "the records are compressed"),
            None => invalid("unknown compression codec"),
        };
        Records { header: self.header, state: State::Failed(failure) }
    }

    /// The records in `plain`, to which the payload was decompressed.
    pub(super) fn records_in<'b>(&self, plain: &'b [u8]) -> Records<'b> {
        let state = match usize::try_from(self.header.count) {
            Ok(left) => State::Reading { rest: plain, left },
            Err(_) => State::Failed(invalid("negative record count")),
        };
        Records { header: self.header, state }
    }
}

/// A record in the bytes of its batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordView<'a> {
    /// The batch's base offset plus the record's own.
    pub offset: i64,
    /// Milliseconds since the epoch or -1; the broker's when the batch says so.
    pub timestamp_ms: i64,
    /// `None` is null.
    pub key: Option<&'a [u8]>,
    /// `None` is null.
    pub value: Option<&'a [u8]>,
    /// In order.
    pub headers: Vec<Header<'a>>,
}

impl RecordView<'_> {
    /// The record to be written again, as a split does.
    pub fn as_record(&self) -> Record<'_> {
        Record {
            timestamp_ms: self.timestamp_ms,
            key: self.key,
            value: self.value,
            headers: &self.headers,
        }
    }
}

/// See [`BatchView::records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    header: BatchHeader,
    state: State<'a>,
}

#[derive(Clone, Debug)]
enum State<'a> {
    /// `left` records are announced, `rest` is what they are read from.
    Reading {
        rest: &'a [u8],
        left: usize,
    },
    /// Says this next, and then nothing more.
    Failed(Error),
    Done,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordView<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => None,
            State::Failed(error) => Some(Err(error)),
            State::Reading { rest: &[], left: 0 } => None,
            State::Reading { left: 0, .. } => Some(Err(invalid("bytes behind the last record"))),
            State::Reading { mut rest, left } => Some(match read_record(&mut rest, &self.header) {
                Some(record) => {
                    self.state = State::Reading { rest, left: left - 1 };
                    Ok(record)
                }
                None => Err(invalid("malformed or missing record")),
            }),
        }
    }
}

impl std::iter::FusedIterator for Records<'_> {}

/// Takes one record off the front of `rest`; `None` when anything in it is malformed.
pub(super) fn read_record<'a>(rest: &mut &'a [u8], header: &BatchHeader) -> Option<RecordView<'a>> {
    let length = read_varint(rest)?;
    let mut body = take(rest, usize::try_from(length).ok()?)?;
    // Attributes: no bit has a meaning.
    take(&mut body, 1)?;
    let timestamp_delta = read_varlong(&mut body)?;
    let offset_delta = read_varint(&mut body)?;
    let key = read_nullable(&mut body)?;
    let value = read_nullable(&mut body)?;
    let headers = read_headers(&mut body)?;
    let timestamp_ms = match header.timestamp_type() {
        TimestampType::CreateTime => header.base_timestamp_ms.wrapping_add(timestamp_delta),
        TimestampType::LogAppendTime => header.max_timestamp_ms,
    };
    let offset = header.base_offset.wrapping_add(i64::from(offset_delta));
    body.is_empty().then_some(RecordView { offset, timestamp_ms, key, value, headers })
}

fn read_headers<'a>(body: &mut &'a [u8]) -> Option<Vec<Header<'a>>> {
    let count = usize::try_from(read_varint(body)?).ok()?;
    // The vector grows with what is really there: each header takes two bytes or more.
    let mut headers = Vec::new();
    for _ in 0..count {
        let key = std::str::from_utf8(read_nullable(body)??).ok()?;
        headers.push(Header { key, value: read_nullable(body)? });
    }
    Some(headers)
}

/// A length and its bytes: `Some(None)` is null, `None` malformed.
fn read_nullable<'a>(body: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match read_varint(body)? {
        -1 => Some(None),
        length => take(body, usize::try_from(length).ok()?).map(Some),
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

#[cold]
pub(super) fn corrupt(message: &'static str) -> Error {
    Error::new(ErrorCode::CORRUPT_MESSAGE, message)
}

#[cold]
pub(super) fn invalid(message: &'static str) -> Error {
    Error::new(ErrorCode::INVALID_RECORD, message)
}
