//! A record as the application gives it, and where its encoded bytes go. Owns no bytes.

use super::header::Header;

/// The timestamp of a record that has none.
pub const NO_TIMESTAMP: i64 = -1;

/// What is sent: borrowed from the caller until it has been encoded.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Milliseconds since the Unix epoch, or [`NO_TIMESTAMP`].
    pub timestamp_ms: i64,
    /// `None` is null, which readers tell from empty.
    pub key: Option<&'a [u8]>,
    /// `None` is null (a tombstone in a compacted topic), which readers tell from empty.
    pub value: Option<&'a [u8]>,
    /// In the order in which they were given; keys may repeat.
    pub headers: &'a [Header<'a>],
}

impl<'a> Record<'a> {
    /// A record with a value alone, stamped when it is sent.
    pub const fn value(value: &'a [u8]) -> Record<'a> {
        Record { timestamp_ms: NO_TIMESTAMP, key: None, value: Some(value), headers: &[] }
    }

    /// A record with key and value, stamped when it is sent.
    pub const fn keyed(key: &'a [u8], value: &'a [u8]) -> Record<'a> {
        Record { timestamp_ms: NO_TIMESTAMP, key: Some(key), value: Some(value), headers: &[] }
    }
}

/// Takes encoded bytes in order. It cannot fail: whoever appends has reserved the room before.
pub trait RecordSink {
    /// Takes the next bytes; never empty.
    fn put(&mut self, bytes: &[u8]);
}

impl RecordSink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
