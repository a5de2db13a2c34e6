//! The record formats: records into batches on the way out, batches into records on the way in.
//! Owns every byte inside a record set; never does I/O, holds a clock or owns batch memory.
//!
//! One record is written once: [`BatchBuilder::check`] says whether it may be and how long it is,
//! the caller reserves that many bytes, [`BatchBuilder::append`] puts them into a [`RecordSink`].
//! The 61 bytes in front come last, per attempt, from [`encode_batch_header`].

pub mod compress;
pub mod crc32c;
pub mod varint;

mod assemble;
mod batch_header;
mod builder;
mod entry;
mod format;
mod header;
mod legacy;
mod legacy_reader;
mod reader;
#[allow(clippy::module_inception)]
mod record;
mod size;
mod stream;

#[cfg(test)]
mod builder_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod formats_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod reader_tests;

pub use assemble::{assemble, assemble_records};
pub use batch_header::{
    encode_batch_header, BatchHeader, BatchSummary, ProducerIdentity, BATCH_HEADER_BYTES,
    NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE,
};
pub use builder::BatchBuilder;
pub use entry::{entries, Entries, Entry, EntryRecords, Unpacked};
pub use format::{Codec, Magic, TimestampType};
pub use header::Header;
pub use legacy::{encode_wrapper_header, wrapper_overhead, WrapperHeader};
pub use legacy_reader::MessageView;
pub use reader::{batches, BatchView, Batches, RecordView, Records};
pub use record::{Record, RecordSink, NO_TIMESTAMP};
pub use size::estimate_size_upper_bound;
pub use stream::RecordStream;
