//! A record set of any format, entry by entry: v2 batches, and messages of v0 and v1. Owns what they have
//! in common; their bytes are `reader.rs`'s and `legacy_reader.rs`'s.

use std::borrow::Cow;

use super::batch_header::LENGTH_END;
use super::compress::decompress;
use super::format::{Codec, Magic};
use super::legacy::MAGIC_OFFSET;
use super::legacy_reader::{MessageView, Messages};
use super::reader::{invalid, BatchView, RecordView, Records};
use crate::error::Result;

/// The entries of a record set, in order. Ends after the first error, since what follows a broken
/// length cannot be found; an entry that is cut off is an error.
pub fn entries(bytes: &[u8]) -> Entries<'_> {
    Entries { rest: bytes }
}

/// See [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let legacy = [Magic::V0 as u8, Magic::V1 as u8];
        let entry = match self.rest.get(MAGIC_OFFSET) {
            Some(magic) if legacy.contains(magic) => {
                MessageView::first_of(self.rest).map(Entry::Message)
            }
            _ => BatchView::first_of(self.rest).map(Entry::Batch),
        };
        self.rest = match &entry {
            Ok(entry) => &self.rest[entry.bytes().len()..],
            Err(_) => &[],
        };
        Some(entry)
    }
}

impl std::iter::FusedIterator for Entries<'_> {}

/// One entry of a record set.
#[derive(Copy, Clone, Debug)]
pub enum Entry<'a> {
    /// A batch of format v2.
    Batch(BatchView<'a>),
    /// A message of format v0 or v1.
    Message(MessageView<'a>),
}

impl<'a> Entry<'a> {
    /// The whole entry.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Entry::Batch(batch) => batch.bytes(),
            Entry::Message(message) => message.bytes(),
        }
    }

    /// Its format.
    pub fn magic(&self) -> Magic {
        match self {
            Entry::Batch(_) => Magic::V2,
            Entry::Message(message) => message.magic,
        }
    }

    /// How its records are compressed; `None` for a number that nobody has defined.
    pub fn codec(&self) -> Option<Codec> {
        match self {
            Entry::Batch(batch) => batch.header().codec(),
            Entry::Message(message) => message.codec(),
        }
    }

    /// Whether the bytes are those that were written.
    /// Errors: `CORRUPT_MESSAGE`.
    pub fn verify_crc(&self) -> Result<()> {
        match self {
            Entry::Batch(batch) => batch.verify_crc(),
            Entry::Message(message) => message.verify_crc(),
        }
    }

    /// The records, decompressed to at most `most_bytes` if they are compressed.
    ///
    /// Errors: `INVALID_RECORD` for an unknown codec or a wrapper without value, and those of
    /// [`decompress`].
    pub fn unpack(&self, most_bytes: usize) -> Result<Unpacked<'a>> {
        let Some(codec) = self.codec() else {
            return Err(invalid("unknown compression codec"));
        };
        let packed = match self {
            Entry::Batch(batch) => batch.payload(),
            Entry::Message(message) if codec == Codec::None => message.bytes(),
            Entry::Message(message) => {
                message.value.ok_or_else(|| invalid("a wrapper without a value"))?
            }
        };
        let plain = match codec {
            Codec::None => Cow::Borrowed(packed),
            codec => Cow::Owned(decompress(codec, self.magic(), packed, most_bytes)?),
        };
        Ok(Unpacked { entry: *self, plain })
    }
}

/// An entry whose records are there in plain bytes.
#[derive(Clone, Debug)]
pub struct Unpacked<'a> {
    entry: Entry<'a>,
    plain: Cow<'a, [u8]>,
}

impl Unpacked<'_> {
    /// The plain bytes: the records of a batch, or the messages of a set.
    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// The records in order. Ends after the first error: `INVALID_RECORD` or `CORRUPT_MESSAGE` for what
    /// is malformed or may not stand there.
    pub fn records(&self) -> EntryRecords<'_> {
        EntryRecords(match &self.entry {
            Entry::Batch(batch) => Inside::Batch(batch.records_in(&self.plain)),
            Entry::Message(message) => Inside::Messages(match message.codec() {
                Some(Codec::None) => Messages::of_record(message),
                _ => Messages::of_wrapper(message, &self.plain),
            }),
        })
    }
}

/// See [`Unpacked::records`].
#[derive(Clone, Debug)]
pub struct EntryRecords<'a>(Inside<'a>);

#[derive(Clone, Debug)]
enum Inside<'a> {
    Batch(Records<'a>),
    Messages(Messages<'a>),
}

impl<'a> Iterator for EntryRecords<'a> {
    type Item = Result<RecordView<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inside::Batch(records) => records.next(),
            Inside::Messages(messages) => messages.next(),
        }
    }
}

impl std::iter::FusedIterator for EntryRecords<'_> {}

const _: () =
    assert!(MAGIC_OFFSET > LENGTH_END, "every format says its length first, then its magic");
