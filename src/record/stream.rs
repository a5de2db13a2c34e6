//! Records of a batch read one by one from plain bytes that come in portions: what splits a batch and
//! cannot have all of it in memory. Holds one record at a time; the bytes are checked as the reader's are.

use std::io::{ErrorKind, Read};

use super::batch_header::BatchHeader;
use super::format::Magic;
use super::legacy::LOG_OVERHEAD;
use super::legacy_reader::MessageView;
use super::reader::{invalid, read_record, RecordView};
use super::varint::read_varint;
use crate::error::{Error, ErrorCode, Result};

/// The longest varint of 32 bits.
const LENGTH_BYTES_MAX: usize = 5;

/// Reads the records of a batch of the producer's own: with create times, offsets counting from 0.
#[derive(Debug)]
pub struct RecordStream<R: Read> {
    plain: R,
    magic: Magic,
    header: BatchHeader,
    /// One record, its length in front.
    record: Vec<u8>,
}

impl<R: Read> RecordStream<R> {
    /// Reads from `plain`, the decompressed records of a batch of format v2 with this base timestamp.
    pub fn new(plain: R, base_timestamp_ms: i64) -> RecordStream<R> {
        RecordStream::of_format(plain, Magic::V2, base_timestamp_ms)
    }

    /// The same of any format; messages of the old ones need no base timestamp.
    pub fn of_format(plain: R, magic: Magic, base_timestamp_ms: i64) -> RecordStream<R> {
        let header = BatchHeader { base_timestamp_ms, ..BatchHeader::default() };
        RecordStream { plain, magic, header, record: Vec::new() }
    }

    /// The next record; `None` at the end.
    ///
    /// Errors: `INVALID_RECORD` for a malformed record or one that is cut off, `CORRUPT_MESSAGE` when the
    /// bytes cannot be read.
    pub fn read_next(&mut self) -> Result<Option<RecordView<'_>>> {
        if self.magic != Magic::V2 {
            return self.read_message();
        }
        let Some(length) = self.read_length()? else { return Ok(None) };
        let begin = self.record.len();
        // It grows with what is really there.
        let body = (&mut self.plain).take(length as u64).read_to_end(&mut self.record);
        if body.map_err(unreadable)? < length {
            return Err(invalid("a record that is cut off"));
        }
        debug_assert_eq!(self.record.len(), begin + length);
        let mut rest = &self.record[..];
        let record = read_record(&mut rest, &self.header);
        record.map(Some).ok_or_else(|| invalid("malformed record"))
    }

    fn read_message(&mut self) -> Result<Option<RecordView<'_>>> {
        self.record.clear();
        let front = LOG_OVERHEAD as u64;
        (&mut self.plain).take(front).read_to_end(&mut self.record).map_err(unreadable)?;
        if self.record.is_empty() {
            return Ok(None);
        }
        let size: Option<[u8; 4]> =
            self.record.get(8..LOG_OVERHEAD).and_then(|s| s.try_into().ok());
        let size = size.map(i32::from_be_bytes).and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| invalid("malformed size of a message"))?;
        (&mut self.plain).take(size).read_to_end(&mut self.record).map_err(unreadable)?;
        Ok(Some(MessageView::first_of(&self.record)?.as_view()))
    }

    /// The length in front of a record, which stays in the buffer; `None` when there is no byte more.
    fn read_length(&mut self) -> Result<Option<usize>> {
        self.record.clear();
        for _ in 0..LENGTH_BYTES_MAX {
            let mut byte = [0];
            match self.plain.read_exact(&mut byte) {
                Ok(()) => self.record.push(byte[0]),
                Err(end) if end.kind() == ErrorKind::UnexpectedEof && self.record.is_empty() => {
                    return Ok(None);
                }
                Err(cause) => return Err(unreadable(cause)),
            }
            if byte[0] < 0x80 {
                break;
            }
        }
        let length = read_varint(&mut &self.record[..]).and_then(|len| usize::try_from(len).ok());
        length.map(Some).ok_or_else(|| invalid("malformed length of a record"))
    }
}

#[cold]
fn unreadable(cause: std::io::Error) -> Error {
    Error::new(ErrorCode::CORRUPT_MESSAGE, cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{any_record, batch, OwnedRecord};
    use super::super::BATCH_HEADER_BYTES;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Gives bytes in portions of a size.
    struct Portions<'a>(&'a [u8], usize);

    impl Read for Portions<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    proptest! {
        #[test]
        fn records_in_portions_are_the_records(
            records in vec(any_record(), 1..10),
            portion in 1usize..50,
            cut in any::<proptest::sample::Index>(),
        ) {
            let headers: Vec<_> = records.iter().map(OwnedRecord::headers).collect();
            let all: Vec<_> = records.iter().zip(&headers).map(|(r, h)| r.record(h)).collect();
            let bytes = batch(&all);
            let payload = &bytes[BATCH_HEADER_BYTES..];
            let mut stream = RecordStream::new(Portions(payload, portion), all[0].timestamp_ms);
            for (index, sent) in all.iter().enumerate() {
                let record = stream.read_next().unwrap().unwrap();
                prop_assert_eq!(&record.as_record(), sent);
                prop_assert_eq!(record.offset, index as i64);
            }
            prop_assert!(stream.read_next().unwrap().is_none());
            // Cut anywhere, it ends with an error or between two records.
            let cut = cut.index(payload.len());
            let mut stream = RecordStream::new(&payload[..cut], all[0].timestamp_ms);
            let mut whole = 0;
            while let Ok(Some(_)) = stream.read_next() {
                whole += 1;
            }
            prop_assert!(whole < all.len());
        }

        #[test]
        fn any_bytes_end_without_panic(bytes in vec(any::<u8>(), 0..200)) {
            let mut stream = RecordStream::new(&bytes[..], 0);
            while let Ok(Some(_)) = stream.read_next() {}
        }
    }
}
