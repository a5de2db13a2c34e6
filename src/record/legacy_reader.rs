//! Reads messages of formats v0 and v1 back from bytes that may be hostile. Never copies a key or a
//! value; what a wrapper holds is decompressed by whoever asks for it.

use bytes::Buf;

use super::format::{Codec, Magic, TimestampType};
use super::legacy::{
    overhead, CODEC_MASK, CRC_END, LOG_APPEND_TIME_BIT, LOG_OVERHEAD, MAGIC_OFFSET,
};
use super::reader::{corrupt, invalid, RecordView};
use super::record::NO_TIMESTAMP;
use crate::error::Result;

/// A message of format v0 or v1 in borrowed bytes: a record, or a wrapper around compressed ones.
/// Its lengths are known to be right; its checksum is looked at only when asked for.
#[derive(Copy, Clone, Debug)]
pub struct MessageView<'a> {
    /// Offset of the message, of the last one inside for a wrapper. Not under the checksum.
    pub offset: i64,
    /// The format.
    pub magic: Magic,
    attributes: u8,
    crc32: u32,
    /// Milliseconds since the epoch; -1 in v0, which has none.
    pub timestamp_ms: i64,
    /// `None` is null.
    pub key: Option<&'a [u8]>,
    /// `None` is null. Of a wrapper: the compressed messages.
    pub value: Option<&'a [u8]>,
    bytes: &'a [u8],
}

impl<'a> MessageView<'a> {
    /// The message at the front of `bytes`.
    pub(super) fn first_of(bytes: &'a [u8]) -> Result<MessageView<'a>> {
        let Some(front) = bytes.get(..LOG_OVERHEAD) else {
            return Err(corrupt("cut off in a message's size"));
        };
        let mut at = front;
        let (offset, size) = (at.get_i64(), at.get_i32());
        let Ok(size) = usize::try_from(size) else {
            return Err(corrupt("negative message size"));
        };
        let Some(body) = bytes[LOG_OVERHEAD..].get(..size) else {
            return Err(corrupt("cut off in a message"));
        };
        let magic = match body.get(MAGIC_OFFSET - LOG_OVERHEAD).copied().map(Magic::from_id) {
            Some(Some(magic @ (Magic::V0 | Magic::V1))) => magic,
            Some(Some(Magic::V2)) => return Err(corrupt("a v2 batch among messages")),
            Some(None) => return Err(corrupt("unknown magic")),
            None => return Err(corrupt("message shorter than its header")),
        };
        if size < overhead(magic) {
            return Err(corrupt("message shorter than its header"));
        }
        let mut rest = body;
        let crc32 = rest.get_u32();
        rest.advance(1);
        let attributes = rest.get_u8();
        let timestamp_ms = if magic == Magic::V0 { NO_TIMESTAMP } else { rest.get_i64() };
        let key = field(&mut rest)?;
        let value = field(&mut rest)?;
        if !rest.is_empty() {
            return Err(corrupt("a message larger than its fields"));
        }
        let bytes = &bytes[..LOG_OVERHEAD + size];
        Ok(MessageView { offset, magic, attributes, crc32, timestamp_ms, key, value, bytes })
    }

    /// The whole message.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The codec of a wrapper, [`Codec::None`] for a record; `None` for a number that nobody has
    /// defined.
    pub fn codec(&self) -> Option<Codec> {
        Codec::from_id(self.attributes & CODEC_MASK)
    }

    /// Whose clock the timestamp is from.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.magic != Magic::V0 && self.attributes & LOG_APPEND_TIME_BIT != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// Whether the bytes are those that were written. Not covered: offset and size.
    /// Errors: `CORRUPT_MESSAGE`.
    pub fn verify_crc(&self) -> Result<()> {
        if crc32fast::hash(&self.bytes[CRC_END..]) == self.crc32 {
            Ok(())
        } else {
            Err(corrupt("checksum does not match"))
        }
    }

    /// The record that a message which is no wrapper is.
    pub(super) fn as_view(&self) -> RecordView<'a> {
        RecordView {
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key,
            value: self.value,
            headers: Vec::new(),
        }
    }
}

/// A length and its bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>> {
    if rest.len() < 4 {
        return Err(corrupt("message shorter than its header"));
    }
    let length = rest.get_i32();
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| corrupt("negative length of a field"))?;
    let Some((taken, behind)) = rest.split_at_checked(length) else {
        return Err(corrupt("a field larger than its message"));
    };
    *rest = behind;
    Ok(Some(taken))
}

/// The records of one message: itself, or what its wrapper holds. Ends after the first error:
/// `CORRUPT_MESSAGE` for messages that are broken, `INVALID_RECORD` for those that may not be in there.
#[derive(Clone, Debug)]
pub(super) struct Messages<'a> {
    /// The magic that all must have.
    magic: Magic,
    /// Of a wrapper: what is added to the offsets inside, and the time that counts for all, if one does.
    wrapper: Option<(i64, Option<i64>)>,
    rest: &'a [u8],
    /// Said next, and then nothing more.
    failure: Option<crate::error::Error>,
}

impl<'a> Messages<'a> {
    /// The record that `message` is.
    pub(super) fn of_record(message: &MessageView<'a>) -> Messages<'a> {
        Messages { magic: message.magic, wrapper: None, rest: message.bytes, failure: None }
    }

    /// The records whose plain bytes, `inside`, the wrapper `message` holds.
    pub(super) fn of_wrapper<'b>(message: &MessageView<'_>, inside: &'b [u8]) -> Messages<'b> {
        let broker_time = message.timestamp_type() == TimestampType::LogAppendTime;
        let time = broker_time.then_some(message.timestamp_ms);
        let mut messages = Messages {
            magic: message.magic,
            wrapper: Some((0, time)),
            rest: inside,
            failure: None,
        };
        if inside.is_empty() {
            messages.failure = Some(invalid("a wrapper without messages"));
        }
        // Offsets inside v1 count from the first message (KIP-31), the wrapper has the last one's.
        if message.magic == Magic::V1 {
            let last = last_offset(inside);
            let base = message.offset.checked_sub(last).filter(|_| last >= 0);
            match base {
                Some(base) => messages.wrapper = Some((base, time)),
                None => messages.failure = Some(invalid("relative offsets beyond 64 bits")),
            }
        }
        messages
    }

    fn read(&mut self) -> Result<RecordView<'a>> {
        let message = MessageView::first_of(self.rest)?;
        self.rest = &self.rest[message.bytes.len()..];
        let mut record = message.as_view();
        let Some((base, time)) = self.wrapper else { return Ok(record) };
        // What the checksum of the wrapper covers was one whole; this one is of the message alone.
        message.verify_crc()?;
        if message.magic != self.magic {
            return Err(invalid("a message of another format than its wrapper"));
        }
        if message.codec() != Some(Codec::None) {
            return Err(invalid("a wrapper inside a wrapper"));
        }
        record.offset = record.offset.wrapping_add(base);
        record.timestamp_ms = time.unwrap_or(record.timestamp_ms);
        Ok(record)
    }
}

/// The offset of the last message, as far as they can be read.
fn last_offset(mut bytes: &[u8]) -> i64 {
    let mut last = 0;
    while let Some(front) = bytes.get(..LOG_OVERHEAD) {
        let mut at = front;
        let (offset, size) = (at.get_i64(), at.get_i32());
        let Ok(size) = usize::try_from(size) else { break };
        let Some(behind) = bytes[LOG_OVERHEAD..].get(size..) else { break };
        last = offset;
        bytes = behind;
    }
    last
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<RecordView<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.failure.take() {
            self.rest = &[];
            return Some(Err(failure));
        }
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

impl std::iter::FusedIterator for Messages<'_> {}
