//! Writes records into a batch: Java's `MemoryRecordsBuilder` without the buffer. Owns what the
//! next record's bytes depend on; never owns the bytes, which go to a [`RecordSink`].

use super::batch_header::{BatchSummary, BATCH_HEADER_BYTES};
use super::format::{Codec, Magic, TimestampType};
use super::header::Header;
use super::legacy::{message_size, put_message, wrapper_overhead};
use super::record::{Record, RecordSink, NO_TIMESTAMP};
use super::size::{body_of, record_size};
use super::varint::{VarintBuffer, VARINT_BUFFER_BYTES};
use crate::error::{Error, ErrorCode, Result};

/// The longest batch: its length is 32 bits wide.
const MAX_BATCH_BYTES: usize = i32::MAX as usize;
/// The highest relative offset, for the same reason.
const MAX_OFFSET_DELTA: u32 = i32::MAX as u32;
/// The plain bytes of a batch keep within this multiple of its write limit, however well they compress:
/// more would gain little, and cost memory here and wherever the batch is read.
const PLAIN_FACTOR_MAX: usize = 16;

/// A null key, value or header value: length -1.
const NULL: u8 = 0x01;
/// No header follows.
const NO_HEADERS: u8 = 0x00;

/// The writing state of one batch, from its first record until it is sealed. Records are written plain;
/// a batch with a codec is compressed when it is sealed, so it is full by an estimate of that.
#[derive(Debug)]
pub struct BatchBuilder {
    magic: Magic,
    codec: Codec,
    timestamp_type: TimestampType,
    control: bool,
    closed: bool,
    count: u32,
    /// One more than the last offset.
    next_offset: u32,
    /// Plain bytes of the records.
    plain: usize,
    /// Bytes in front of the records.
    header: usize,
    write_limit: usize,
    plain_limit: usize,
    /// Expected bytes on the wire for each plain byte, in units of 2^-16.
    factor: u32,
    base_timestamp_ms: i64,
    max_timestamp_ms: i64,
}

/// One plain byte is one byte on the wire.
const FACTOR_ONE: u32 = 1 << 16;

impl BatchBuilder {
    /// An empty batch that is full at `write_limit_bytes`, its header included; with a codec, see
    /// [`BatchBuilder::expecting`].
    ///
    /// A batch with `LogAppendTime` is what a broker makes: readers take its max timestamp for
    /// every record.
    ///
    /// Errors: `UNSUPPORTED_COMPRESSION_TYPE` for zstd in a format before v2 (KIP-110).
    pub fn new(
        magic: Magic,
        codec: Codec,
        timestamp_type: TimestampType,
        write_limit_bytes: usize,
    ) -> Result<BatchBuilder> {
        if !codec.fits(magic) {
            let message = "zstd needs message format v2 (KIP-110)";
            return Err(Error::new(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, message));
        }
        let mut builder = BatchBuilder::empty(timestamp_type, false, write_limit_bytes);
        builder.magic = magic;
        builder.codec = codec;
        builder.header = match (magic, codec) {
            (Magic::V2, _) => BATCH_HEADER_BYTES,
            (_, Codec::None) => 0,
            _ => wrapper_overhead(magic),
        };
        Ok(builder.expecting(1.0))
    }

    /// The same, to be compressed by `codec`; for the newest format.
    pub fn compressed(mut self, codec: Codec) -> BatchBuilder {
        debug_assert!(self.magic == Magic::V2 && self.count == 0);
        self.codec = codec;
        self
    }

    /// Expects a batch with a codec to be compressed to `ratio` of its plain bytes: it is full when
    /// those, and a twentieth more, reach the write limit.
    pub fn expecting(mut self, ratio: f32) -> BatchBuilder {
        if self.codec != Codec::None {
            // Cast: what is not a number becomes 0, what is too large the largest.
            self.factor = (ratio * 1.05 * FACTOR_ONE as f32) as u32;
            self.plain_limit =
                self.write_limit.saturating_mul(PLAIN_FACTOR_MAX).min(MAX_BATCH_BYTES);
        }
        self
    }

    /// An empty, uncompressed batch of the newest format with create times, full at
    /// `write_limit_bytes`: what every broker since 0.11 takes.
    pub fn plain(write_limit_bytes: usize) -> BatchBuilder {
        BatchBuilder::empty(TimestampType::CreateTime, false, write_limit_bytes)
    }

    /// An empty batch of transaction markers, as a transaction coordinator writes them; it takes
    /// records through [`BatchBuilder::append_control`] only.
    pub fn new_control() -> BatchBuilder {
        BatchBuilder::empty(TimestampType::CreateTime, true, MAX_BATCH_BYTES)
    }

    fn empty(timestamp_type: TimestampType, control: bool, write_limit: usize) -> BatchBuilder {
        let write_limit = write_limit.min(MAX_BATCH_BYTES);
        BatchBuilder {
            magic: Magic::V2,
            codec: Codec::None,
            timestamp_type,
            control,
            closed: false,
            count: 0,
            next_offset: 0,
            plain: 0,
            header: BATCH_HEADER_BYTES,
            write_limit,
            plain_limit: write_limit,
            factor: FACTOR_ONE,
            base_timestamp_ms: NO_TIMESTAMP,
            max_timestamp_ms: NO_TIMESTAMP,
        }
    }

    /// Whether this record may ever be sent; if so, the bytes it takes as the next one. It judges
    /// the record, not the batch: whether there is room is [`BatchBuilder::has_room_for`]'s.
    ///
    /// Errors: `ARGUMENT` for a timestamp below -1, `RECORD_TOO_LARGE` when no batch can hold it,
    /// `UNSUPPORTED` for headers in a format before v2, `STATE` for a record among transaction markers.
    #[inline]
    pub fn check(&self, record: &Record<'_>) -> Result<usize> {
        let size = self.size_of(record);
        if self.control {
            return Err(mixed("a batch of transaction markers takes no other records"));
        }
        if !self.may_write(record, size, MAX_BATCH_BYTES - BATCH_HEADER_BYTES) {
            return Err(self.refusal(record));
        }
        Ok(size)
    }

    /// Exact bytes that `record` takes as the next one of this batch. The next record's offset and
    /// the batch's first timestamp are part of the answer: it holds until the next append.
    #[inline]
    pub fn size_of(&self, record: &Record<'_>) -> usize {
        self.size_at(self.next_offset, record)
    }

    #[inline]
    fn may_write(&self, record: &Record<'_>, size: usize, most: usize) -> bool {
        let headers_fit = self.magic == Magic::V2 || record.headers.is_empty();
        record.timestamp_ms >= NO_TIMESTAMP && size <= most && headers_fit
    }

    #[cold]
    fn refusal(&self, record: &Record<'_>) -> Error {
        if record.timestamp_ms < NO_TIMESTAMP {
            let message = format!("timestamp {} is below -1", record.timestamp_ms);
            Error::new(ErrorCode::ARGUMENT, message)
        } else if self.magic != Magic::V2 && !record.headers.is_empty() {
            let message = "record headers need message format v2 (brokers since 0.11)";
            Error::new(ErrorCode::UNSUPPORTED, message)
        } else {
            Error::new(ErrorCode::RECORD_TOO_LARGE, "a batch and its records are limited to 2 GiB")
        }
    }

    #[inline]
    fn size_at(&self, offset: u32, record: &Record<'_>) -> usize {
        if self.magic != Magic::V2 {
            return legacy_record_size(self.magic, record);
        }
        record_size(
            self.timestamp_delta(record),
            offset as i32,
            record.key.map(<[u8]>::len),
            record.value.map(<[u8]>::len),
            record.headers,
        )
    }

    /// Wraps around at the far ends of time, and back when read.
    #[inline]
    fn timestamp_delta(&self, record: &Record<'_>) -> i64 {
        if self.count == 0 {
            0
        } else {
            record.timestamp_ms.wrapping_sub(self.base_timestamp_ms)
        }
    }

    /// Whether a record of `size` bytes may be appended: never when closed or full, always when it
    /// is the first, else while the write limit is kept.
    #[inline]
    pub fn has_room_for(&self, size: usize) -> bool {
        let fits = size <= self.write_limit.saturating_sub(self.estimated_bytes())
            && size <= self.plain_limit.saturating_sub(self.header + self.plain);
        !self.closed && (fits || self.count == 0)
    }

    /// Whether no further record may be appended: closed, or at the write limit with a record in.
    #[inline]
    pub fn is_full(&self) -> bool {
        let reached = self.write_limit <= self.estimated_bytes()
            || self.plain_limit <= self.header + self.plain;
        self.closed || (self.count > 0 && reached)
    }

    /// Makes the batch full, whatever room it has.
    pub fn close_for_appends(&mut self) {
        self.closed = true;
    }

    /// Writes `record` as the next one and returns its offset relative to the batch. The caller
    /// has asked [`BatchBuilder::check`] and [`BatchBuilder::has_room_for`], hands in the size that
    /// this batch gave for this record, and has reserved that many bytes in `sink`.
    #[inline]
    pub fn append<S: RecordSink>(&mut self, record: &Record<'_>, size: usize, sink: &mut S) -> u32 {
        let offset = self.next_offset;
        self.write(offset, record, size, sink);
        offset
    }

    /// Writes `record` at `offset` relative to the batch, which may leave a gap, with every check;
    /// the write limit is not one of them. `sink` grows or has room. Closes the batch when no
    /// offset is left.
    ///
    /// Errors: as [`BatchBuilder::check`]; `STATE` when the batch is closed, `ARGUMENT` when the
    /// offset is not above the last one or beyond 31 bits.
    pub fn append_with_offset<S: RecordSink>(
        &mut self,
        offset: u32,
        record: &Record<'_>,
        sink: &mut S,
    ) -> Result<()> {
        if self.control {
            return Err(mixed("a batch of transaction markers takes no other records"));
        }
        self.append_checked(offset, record, sink)
    }

    /// Writes a transaction marker as the next record, with every check.
    ///
    /// Errors: as [`BatchBuilder::append_with_offset`]; `STATE` when this is not a batch of
    /// markers.
    pub fn append_control<S: RecordSink>(
        &mut self,
        record: &Record<'_>,
        sink: &mut S,
    ) -> Result<u32> {
        if !self.control {
            return Err(mixed("a batch of records takes no transaction markers"));
        }
        let offset = self.next_offset;
        self.append_checked(offset, record, sink)?;
        Ok(offset)
    }

    fn append_checked<S: RecordSink>(
        &mut self,
        offset: u32,
        record: &Record<'_>,
        sink: &mut S,
    ) -> Result<()> {
        if self.closed {
            return Err(Error::new(ErrorCode::STATE, "the batch is closed for appends"));
        }
        if offset < self.next_offset || offset > MAX_OFFSET_DELTA {
            let message = format!("offset {offset} does not follow {}", self.next_offset);
            return Err(Error::new(ErrorCode::ARGUMENT, message));
        }
        let size = self.size_at(offset, record);
        if !self.may_write(record, size, MAX_BATCH_BYTES.saturating_sub(self.bytes())) {
            return Err(self.refusal(record));
        }
        self.write(offset, record, size, sink);
        // The hot path need not look: records of one batch run out of bytes before offsets.
        self.closed = offset == MAX_OFFSET_DELTA;
        Ok(())
    }

    #[inline]
    fn write<S: RecordSink>(
        &mut self,
        offset: u32,
        record: &Record<'_>,
        size: usize,
        sink: &mut S,
    ) {
        debug_assert!(!self.closed);
        debug_assert_eq!(size, self.size_at(offset, record));
        let timestamp_delta = self.timestamp_delta(record);
        if self.count == 0 {
            self.base_timestamp_ms = record.timestamp_ms;
        }
        self.max_timestamp_ms = self.max_timestamp_ms.max(record.timestamp_ms);
        self.count += 1;
        self.next_offset = offset + 1;
        self.plain += size;
        if self.magic != Magic::V2 {
            put_message(self.magic, self.timestamp_type, offset, record, size, sink);
            return;
        }
        let mut fields = VarintBuffer::new();
        fields.push_varint(body_of(size) as i32);
        // No attribute of a record has been defined.
        fields.push_byte(0);
        fields.push_varlong(timestamp_delta);
        fields.push_varint(offset as i32);
        put_nullable(record.key, &mut fields, sink);
        put_nullable(record.value, &mut fields, sink);
        if record.headers.is_empty() {
            fields.push_byte(NO_HEADERS);
        } else {
            put_headers(record.headers, &mut fields, sink);
        }
        flush(&mut fields, sink);
    }

    /// Records appended.
    #[inline]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Plain bytes of the batch so far, its header included.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.header + self.plain
    }

    /// Bytes that the batch so far is expected to take on the wire: exact without a codec.
    #[inline]
    pub fn estimated_bytes(&self) -> usize {
        // Both are below 2^32: the product fits, and what it is divided by makes it small again.
        self.header + ((self.plain as u64 * u64::from(self.factor)) >> 16) as usize
    }

    /// The format.
    pub fn magic(&self) -> Magic {
        self.magic
    }

    /// What the batch header will say about the records.
    pub fn summary(&self) -> BatchSummary {
        BatchSummary {
            magic: self.magic,
            codec: self.codec,
            timestamp_type: self.timestamp_type,
            control: self.control,
            count: self.count,
            last_offset_delta: self.next_offset.saturating_sub(1),
            base_timestamp_ms: self.base_timestamp_ms,
            max_timestamp_ms: self.max_timestamp_ms,
        }
    }
}

/// A length and its bytes; short fields stay in `fields` until something long follows.
#[inline]
fn put_nullable<S: RecordSink>(field: Option<&[u8]>, fields: &mut VarintBuffer, sink: &mut S) {
    match field {
        None => fields.push_byte(NULL),
        Some(bytes) => put_bytes(bytes, fields, sink),
    }
}

#[inline]
fn put_bytes<S: RecordSink>(bytes: &[u8], fields: &mut VarintBuffer, sink: &mut S) {
    fields.push_varint(bytes.len() as i32);
    if !bytes.is_empty() {
        flush(fields, sink);
        sink.put(bytes);
    }
}

fn put_headers<S: RecordSink>(headers: &[Header<'_>], fields: &mut VarintBuffer, sink: &mut S) {
    fields.push_varint(headers.len() as i32);
    for header in headers {
        // Empty keys and null values need no put, so many of them could fill the buffer.
        if fields.as_slice().len() > VARINT_BUFFER_BYTES / 2 {
            flush(fields, sink);
        }
        put_bytes(header.key.as_bytes(), fields, sink);
        put_nullable(header.value, fields, sink);
    }
}

#[inline]
fn flush<S: RecordSink>(fields: &mut VarintBuffer, sink: &mut S) {
    if !fields.as_slice().is_empty() {
        sink.put(fields.as_slice());
        fields.clear();
    }
}

fn legacy_record_size(magic: Magic, record: &Record<'_>) -> usize {
    let (key, value) = (record.key.map(<[u8]>::len), record.value.map(<[u8]>::len));
    usize::try_from(message_size(magic, key, value)).unwrap_or(usize::MAX)
}

#[cold]
fn mixed(message: &'static str) -> Error {
    Error::new(ErrorCode::STATE, message)
}
