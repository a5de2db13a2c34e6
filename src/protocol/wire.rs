//! The primitive types of the protocol, read from a slice and appended to a `Vec<u8>`.
//! Every read is checked against the bytes left; nothing here allocates for what it reads.

use std::ops::Range;

use bytes::BufMut;
use kafka_protocol::messages::ApiKey;
use uuid::Uuid;

use crate::error::{Error, ErrorCode};

/// Why bytes are not the message they should be.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Malformed {
    /// What is wrong.
    pub reason: &'static str,
    /// The field that was being read.
    pub field: &'static str,
    /// How many bytes had been read.
    pub at: usize,
}

impl Malformed {
    /// The error that callers of this module see. `what` is "request" or "response".
    pub fn into_error(self, key: ApiKey, version: i16, what: &str) -> Error {
        let Malformed { reason, field, at } = self;
        let message = format!("{key:?} {what} v{version}: {reason} in {field} at byte {at}");
        Error::new(ErrorCode::PROTOCOL, message)
    }
}

/// What reading gives.
pub(super) type Read<T> = std::result::Result<T, Malformed>;

/// Reads primitive types one after the other.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    field: &'static str,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0, field: "header" }
    }

    /// Names the field that is read next, for the error that may come.
    pub fn field(&mut self, name: &'static str) -> &mut Reader<'a> {
        self.field = name;
        self
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn fail<T>(&self, reason: &'static str) -> Read<T> {
        Err(Malformed { reason, field: self.field, at: self.at })
    }

    /// The range of the next `count` bytes, which are passed over.
    pub fn range(&mut self, count: usize) -> Read<Range<usize>> {
        if count > self.left() {
            return self.fail("too few bytes");
        }
        let start = self.at;
        self.at += count;
        Ok(start..self.at)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let range = self.range(count)?;
        Ok(&self.bytes[range])
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn i16(&mut self) -> Read<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Read<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Read<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub fn uuid(&mut self) -> Read<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    /// An unsigned varint of at most 32 bits.
    pub fn uvarint(&mut self) -> Read<u32> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            if shift == 28 && byte > 0x0f {
                return self.fail("varint longer than 32 bits");
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    /// What is put before strings, bytes and arrays: `None` is null.
    fn length(
        &mut self,
        flexible: bool,
        classic: fn(&mut Self) -> Read<i32>,
    ) -> Read<Option<usize>> {
        if flexible {
            return Ok((self.uvarint()? as usize).checked_sub(1));
        }
        match classic(self)? {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(length) => Ok(Some(length)),
                Err(_) => self.fail("negative length"),
            },
        }
    }

    fn short_length(&mut self) -> Read<i32> {
        self.i16().map(i32::from)
    }

    /// A string's bytes.
    pub fn text_bytes(&mut self, flexible: bool) -> Read<Option<&'a [u8]>> {
        match self.length(flexible, Self::short_length)? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// A string that may be null.
    pub fn nullable_text(&mut self, flexible: bool) -> Read<Option<&'a str>> {
        match self.text_bytes(flexible)? {
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => self.fail("not UTF-8"),
            },
            None => Ok(None),
        }
    }

    /// A string that may not be null.
    pub fn text(&mut self, flexible: bool) -> Read<&'a str> {
        match self.nullable_text(flexible)? {
            Some(text) => Ok(text),
            None => self.fail("null"),
        }
    }

    /// A string for people that may be null; what is not UTF-8 in it is replaced, because an
    /// unreadable explanation must not make the answer it explains unreadable.
    pub fn message(&mut self, flexible: bool) -> Read<Option<String>> {
        let bytes = self.text_bytes(flexible)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Where the content of a byte string lies; `None` is null.
    pub fn blob(&mut self, flexible: bool) -> Read<Option<Range<usize>>> {
        match self.length(flexible, Self::i32)? {
            Some(length) => self.range(length).map(Some),
            None => Ok(None),
        }
    }

    /// The number of elements of an array, each of which takes at least `element` bytes (at least
    /// one): never more than the bytes that are left can hold. `None` is null.
    pub fn count(&mut self, flexible: bool, element: usize) -> Read<Option<usize>> {
        let count = self.length(flexible, Self::i32)?;
        if count.is_some_and(|count| count > self.left() / element.max(1)) {
            return self.fail("more elements than bytes");
        }
        Ok(count)
    }

    /// The number of elements of an array that may not be null.
    pub fn count_not_null(&mut self, flexible: bool, element: usize) -> Read<usize> {
        match self.count(flexible, element)? {
            Some(count) => Ok(count),
            None => self.fail("null"),
        }
    }

    /// Reads tagged fields: `known` is given each tag with a reader that must consume exactly the
    /// field's bytes, and answers false for a tag that it does not know.
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(u32, &mut Reader<'a>) -> Read<bool>,
    ) -> Read<()> {
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let size = self.uvarint()? as usize;
            let end = self.range(size)?.end;
            let mut inside =
                Reader { bytes: &self.bytes[..end], at: end - size, field: self.field };
            if known(tag, &mut inside)? && inside.left() > 0 {
                return inside.fail("bytes left over in a tagged field");
            }
        }
        Ok(())
    }

    /// Passes over tagged fields.
    pub fn skip_tagged_fields(&mut self) -> Read<()> {
        self.tagged_fields(|_, _| Ok(false))
    }
}

/// Appends an unsigned varint.
#[inline]
pub(super) fn put_uvarint(buffer: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.push(value as u8);
}

/// Appends the length of a byte string or the count of an array. Frames are shorter than 2 GiB,
/// which their writers check at the end, so a length that does not fit never leaves.
#[inline]
pub(super) fn put_length(buffer: &mut Vec<u8>, flexible: bool, length: usize) {
    if flexible {
        put_uvarint(buffer, (length as u32).wrapping_add(1));
    } else {
        buffer.put_i32(length as i32);
    }
}

/// A string longer than 32767 bytes, which the protocol cannot say.
#[derive(Debug)]
pub(super) struct TooLong;

impl From<TooLong> for Error {
    fn from(_: TooLong) -> Error {
        Error::new(ErrorCode::ARGUMENT, "a string longer than 32767 bytes")
    }
}

/// Appends a string; `None` is null.
pub(super) fn put_text(
    buffer: &mut Vec<u8>,
    flexible: bool,
    text: Option<&str>,
) -> Result<(), TooLong> {
    let length = match text {
        Some(text) => i16::try_from(text.len()).map_err(|_| TooLong)?,
        None => -1,
    };
    if flexible {
        put_uvarint(buffer, (i32::from(length) + 1) as u32);
    } else {
        buffer.put_i16(length);
    }
    buffer.extend_from_slice(text.unwrap_or_default().as_bytes());
    Ok(())
}

/// Writes the length of a frame into its first four bytes. `elsewhere` bytes of it are not in
/// `buffer`.
pub(super) fn put_frame_length(buffer: &mut [u8], elsewhere: usize) -> Result<(), TooLong> {
    let length = buffer.len().checked_add(elsewhere).and_then(|whole| whole.checked_sub(4));
    let length = length.and_then(|length| i32::try_from(length).ok()).ok_or(TooLong)?;
    buffer[..4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back() {
        for bit in 0..32 {
            for value in [(1u32 << bit) - 1, 1 << bit, (1 << bit) | 1, u32::MAX] {
                let mut bytes = Vec::new();
                put_uvarint(&mut bytes, value);
                assert_eq!(bytes.len(), (32 - value.leading_zeros()).max(1).div_ceil(7) as usize);
                let mut reader = Reader::new(&bytes);
                assert_eq!(reader.uvarint(), Ok(value));
                assert_eq!(reader.left(), 0);
                assert!(Reader::new(&bytes[1..]).uvarint() != Ok(value) || value < 0x80);
            }
        }
    }

    #[test]
    fn a_varint_beyond_32_bits_is_refused() {
        for last in [0x10, 0x7f, 0x80, 0x8f] {
            let bytes = [0xff, 0xff, 0xff, 0xff, last, 0];
            assert_eq!(Reader::new(&bytes).uvarint().unwrap_err().at, 5);
        }
        assert_eq!(Reader::new(&[0x80; 3]).uvarint().unwrap_err().reason, "too few bytes");
    }

    #[test]
    fn lengths_below_null_are_refused() {
        assert_eq!(Reader::new(&[0xff; 4]).blob(false), Ok(None));
        let minus_two = [0xff, 0xff, 0xff, 0xfe];
        assert_eq!(Reader::new(&minus_two).blob(false).unwrap_err().reason, "negative length");
        assert_eq!(Reader::new(&[0]).blob(true), Ok(None));
        assert_eq!(Reader::new(&[0]).text(true).unwrap_err().reason, "null");
    }

    #[test]
    fn a_count_is_at_most_what_the_rest_can_hold() {
        let bytes = [0, 0, 0, 3, 1, 1, 2, 2, 3, 3];
        assert_eq!(Reader::new(&bytes).count(false, 2), Ok(Some(3)));
        assert!(Reader::new(&bytes[..9]).count(false, 2).is_err());
        assert!(Reader::new(&bytes).count(false, 3).is_err());
    }

    #[test]
    fn an_error_says_what_where_and_why() {
        let mut reader = Reader::new(&[0, 1]);
        reader.field("port").i16().unwrap();
        let found = reader.field("rack").i32().unwrap_err();
        let error = found.into_error(ApiKey::Metadata, 5, "response");
        assert_eq!(error.message(), "Metadata response v5: too few bytes in rack at byte 2");
    }
}
