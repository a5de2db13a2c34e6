//! Sending many records from C as columns: the keys of all in one place, the values in another, as staging
//! wrappers and columnar data (Arrow, numpy) have them. Borrows everything for the length of the call.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use crate::capi::producer::{ottla_producer_t, ProducerObject};
use crate::capi::send::{send_all, wait_of, Outcome};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{Outgoing, TopicId};
use crate::record::{Header, Record, NO_TIMESTAMP};

/// Byte strings, one per record: keys, values, or the parts of headers. Where they are is said by
/// `lengths`, else by `offsets`, else by `width`; all zero: every string is null. This struct never
/// changes.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_column_t {
    /// The bytes of the strings.
    pub data: *const c_void,
    /// Bytes at data: no string may end behind them.
    pub data_len: usize,
    /// Length of each string, -1 for null; each begins where the one before it ends. Or NULL.
    pub lengths: *const i32,
    /// Where each string begins in data, and one entry more: where the last one ends. As in Arrow's binary
    /// and string arrays: int32_t, or int64_t if offset_bits is 64. Or NULL.
    pub offsets: *const c_void,
    /// A bitmap whose 0 bits are null strings, lowest bit first, as in Arrow; with lengths, those of -1 are
    /// null beside. NULL: no other string is null.
    pub validity: *const u8,
    /// Number of the first string in offsets, validity and, with width, data (Arrow's offset). Lengths and
    /// their data begin at their first entry whatever it is.
    pub first: usize,
    /// 0, 32 or 64: bits of an entry of offsets; 0 is 32.
    pub offset_bits: u32,
    /// Bytes of every string, if all are equally long and neither lengths nor offsets are given.
    pub width: u32,
}

/// Many records as columns. Start from OTTLA_COLUMNS_INIT; fields are only ever appended. Arrays have
/// `count` entries; where one is NULL, the single value counts for all records. The library copies what it
/// needs: everything may be freed when the call returns.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_columns_t {
    /// sizeof(ottla_columns_t).
    pub size: u32,
    /// From ottla_producer_topic().
    pub topic: u32,
    /// A partition, or OTTLA_PARTITION_ANY.
    pub partition: i32,
    /// Must be 0.
    pub reserved: u32,
    /// Milliseconds since 1970, or OTTLA_TIMESTAMP_NOW: the time of the call, the same for all.
    pub timestamp_ms: i64,
    /// Comes back in the report of the first record.
    pub token: u64,
    /// What each record's token is above that of the one before it: 0 or 1, say.
    pub token_step: u64,
    /// Number of records.
    pub count: usize,
    /// Each record's topic, or NULL.
    pub topics: *const u32,
    /// Each record's partition, or NULL.
    pub partitions: *const i32,
    /// Each record's time, or NULL.
    pub timestamps_ms: *const i64,
    /// Each record's number of headers, or NULL: none has any.
    pub header_counts: *const u32,
    /// Keys.
    pub key: ottla_column_t,
    /// Values.
    pub value: ottla_column_t,
    /// Names of the headers of all records, one record's behind another's; UTF-8, none may be null.
    pub header_key: ottla_column_t,
    /// Values of the headers of all records.
    pub header_value: ottla_column_t,
}

const NO_COLUMN: ottla_column_t = ottla_column_t {
    data: ptr::null(),
    data_len: 0,
    lengths: ptr::null(),
    offsets: ptr::null(),
    validity: ptr::null(),
    first: 0,
    offset_bits: 0,
    width: 0,
};

impl ottla_columns_t {
    /// What OTTLA_COLUMNS_INIT gives.
    pub(super) const INIT: ottla_columns_t = ottla_columns_t {
        size: size_of::<ottla_columns_t>() as u32,
        topic: 0,
        partition: crate::capi::record::OTTLA_PARTITION_ANY,
        reserved: 0,
        timestamp_ms: NO_TIMESTAMP,
        token: 0,
        token_step: 0,
        count: 0,
        topics: ptr::null(),
        partitions: ptr::null(),
        timestamps_ms: ptr::null(),
        header_counts: ptr::null(),
        key: NO_COLUMN,
        value: NO_COLUMN,
        header_key: NO_COLUMN,
        header_value: NO_COLUMN,
    };
}

/// Sends the records of columns in order. Waits, stops and answers as ottla_producer_send_batch(); flags
/// are 0 or OTTLA_SEND_NO_WAIT. OTTLA_ERROR_ARGUMENT, before the first record is sent: a column is malformed.
///
/// # Safety
/// What `columns` says is true: its arrays are readable for their lengths; `statuses_out` is NULL or has
/// room for `count` statuses; `accepted_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_send_columns(
    producer: *mut ottla_producer_t,
    columns: *const ottla_columns_t,
    flags: u32,
    accepted_out: *mut usize,
    statuses_out: *mut i32,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (accepted_place, given) = unsafe {
        (gate::out_optional(accepted_out), gate::sized("columns", columns, ottla_columns_t::INIT))
    };
    let mut accepted = 0;
    let done = guard::on_producer(producer, guard::SEND_COLUMNS, |object| {
        let wait = wait_of(object, flags)?;
        let given = given?;
        // SAFETY: as the function's own Safety section says.
        let (mut columns, statuses) = unsafe {
            let wanted = if statuses_out.is_null() { 0 } else { given.count };
            let statuses = gate::array_out("statuses_out", statuses_out, wanted)?;
            (Columns::of(&given, object)?, statuses)
        };
        let next = |index, headers: &mut _| columns.next(index, headers);
        send_all(object, given.count, wait, next, Outcome::new(statuses, &mut accepted))
    });
    if let Some(place) = accepted_place {
        place.write(accepted);
    }
    guard::answer(done)
}

fn malformed(name: &str, what: &str) -> Error {
    Error::new(ErrorCode::ARGUMENT, format!("{name} column: {what}"))
}

/// Where the strings of a column are.
enum Layout<'a> {
    Null,
    Lengths(&'a [i32]),
    Offsets32(&'a [i32]),
    Offsets64(&'a [i64]),
    Width(usize),
}

/// A column of byte strings, checked, read from front to back.
struct Strings<'a> {
    data: &'a [u8],
    layout: Layout<'a>,
    validity: Option<&'a [u8]>,
    first: usize,
    next: usize,
    /// Where the next string begins, with lengths.
    at: usize,
}

impl<'a> Strings<'a> {
    /// # Safety
    /// The arrays of `given` are NULL or readable as the struct says, for `count` strings.
    unsafe fn of(name: &str, given: &ottla_column_t, count: usize) -> Result<Strings<'a>> {
        let end = given
            .first
            .checked_add(count)
            .and_then(|end| end.checked_add(1))
            .ok_or_else(|| malformed(name, "first is too large"))?;
        // SAFETY: the caller's promise is the same.
        let (data, layout, validity) = unsafe {
            let data = gate::memory(name, given.data.cast::<u8>(), given.data_len)?;
            let layout = match (given.lengths.is_null(), given.offsets.is_null()) {
                (false, _) => Layout::Lengths(gate::array(name, given.lengths, count)?),
                (true, true) if given.width == 0 => Layout::Null,
                (true, true) => Layout::Width(given.width as usize),
                (true, false) => offsets(name, given, end)?,
            };
            let bits = if given.validity.is_null() { 0 } else { (end - 1).div_ceil(8) };
            (data, layout, gate::array(name, given.validity, bits)?)
        };
        let validity = Some(validity).filter(|bits| !bits.is_empty());
        let strings = Strings { data, layout, validity, first: given.first, next: 0, at: 0 };
        strings.check(name, count)?;
        Ok(strings)
    }

    /// Whether every string lies inside the data.
    fn check(&self, name: &str, count: usize) -> Result<()> {
        let inside = match &self.layout {
            Layout::Null => true,
            Layout::Lengths(lengths) => {
                let total: u64 = lengths.iter().map(|&len| u64::from(len.max(0) as u32)).sum();
                lengths.iter().all(|&len| len >= -1) && total <= self.data.len() as u64
            }
            Layout::Offsets32(offsets) => {
                rises(offsets[self.first..].iter().map(|&at| i64::from(at)), self.data.len())
            }
            Layout::Offsets64(offsets) => {
                rises(offsets[self.first..].iter().copied(), self.data.len())
            }
            Layout::Width(width) => {
                (self.first + count).checked_mul(*width).is_some_and(|end| end <= self.data.len())
            }
        };
        inside.then_some(()).ok_or_else(|| malformed(name, "a string lies outside of its data"))
    }

    /// The next string; the caller asks for no more than there are.
    #[inline]
    fn take(&mut self) -> Option<&'a [u8]> {
        let index = self.first + self.next;
        self.next += 1;
        let (begin, end) = match &self.layout {
            Layout::Null => return None,
            Layout::Lengths(lengths) => {
                let len = usize::try_from(*lengths.get(index - self.first)?).ok()?;
                let begin = self.at;
                self.at += len;
                (begin, self.at)
            }
            Layout::Offsets32(offsets) => {
                (*offsets.get(index)? as usize, *offsets.get(index + 1)? as usize)
            }
            Layout::Offsets64(offsets) => {
                (*offsets.get(index)? as usize, *offsets.get(index + 1)? as usize)
            }
            Layout::Width(width) => (index * width, (index + 1) * width),
        };
        if self.validity.is_some_and(|bits| bits[index / 8] >> (index % 8) & 1 == 0) {
            return None;
        }
        // `check` has seen that it lies inside.
        self.data.get(begin..end)
    }
}

/// # Safety
/// `given.offsets` is readable for `end` entries.
unsafe fn offsets<'a>(name: &str, given: &ottla_column_t, end: usize) -> Result<Layout<'a>> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        match given.offset_bits {
            0 | 32 => Ok(Layout::Offsets32(gate::array(name, given.offsets.cast(), end)?)),
            64 => Ok(Layout::Offsets64(gate::array(name, given.offsets.cast(), end)?)),
            _ => Err(malformed(name, "offset_bits must be 0, 32 or 64")),
        }
    }
}

/// Whether offsets never go back and stay within `len`.
fn rises(mut offsets: impl Iterator<Item = i64>, len: usize) -> bool {
    let mut last = 0;
    offsets.all(|at| {
        let fine = at >= last && at as u64 <= len as u64;
        last = at;
        fine
    })
}

/// All columns of a call, checked, read from front to back.
struct Columns<'a> {
    given: ottla_columns_t,
    timestamp_ms: i64,
    topics: Option<&'a [u32]>,
    partitions: Option<&'a [i32]>,
    timestamps_ms: Option<&'a [i64]>,
    header_counts: Option<&'a [u32]>,
    key: Strings<'a>,
    value: Strings<'a>,
    header_key: Strings<'a>,
    header_value: Strings<'a>,
}

impl<'a> Columns<'a> {
    /// # Safety
    /// What `given` says is true.
    unsafe fn of(given: &ottla_columns_t, object: &ProducerObject) -> Result<Columns<'a>> {
        if given.reserved != 0 {
            return Err(Error::new(ErrorCode::ARGUMENT, "columns: reserved must be 0"));
        }
        // Each would ask the clock by itself.
        let timestamp_ms = match given.timestamp_ms {
            NO_TIMESTAMP => object.producer.wall_ms(),
            given => given,
        };
        // SAFETY: the caller's promise is the same.
        unsafe {
            let header_counts = optional("header_counts", given.header_counts, given.count)?;
            let headers = header_counts.map_or(0, |counts| {
                counts.iter().fold(0usize, |sum, &count| sum.saturating_add(count as usize))
            });
            Ok(Columns {
                given: *given,
                timestamp_ms,
                topics: optional("topics", given.topics, given.count)?,
                partitions: optional("partitions", given.partitions, given.count)?,
                timestamps_ms: optional("timestamps_ms", given.timestamps_ms, given.count)?,
                header_counts,
                key: Strings::of("key", &given.key, given.count)?,
                value: Strings::of("value", &given.value, given.count)?,
                header_key: Strings::of("header key", &given.header_key, headers)?,
                header_value: Strings::of("header value", &given.header_value, headers)?,
            })
        }
    }

    /// The next record, whose number is `index`; its headers go behind those in `headers`.
    #[inline]
    fn next(&mut self, index: usize, headers: &mut Vec<Header<'a>>) -> Result<Outgoing<'a>> {
        let (key, value) = (self.key.take(), self.value.take());
        let mut named = Ok(());
        if let Some(counts) = self.header_counts {
            for _ in 0..counts[index] {
                let (key, value) = (self.header_key.take(), self.header_value.take());
                match key.map(std::str::from_utf8) {
                    Some(Ok(key)) => headers.push(Header { key, value }),
                    _ => named = Err(malformed("header key", "a name is null or not UTF-8")),
                }
            }
        }
        named?;
        let timestamp_ms = match self.timestamps_ms.map_or(NO_TIMESTAMP, |times| times[index]) {
            NO_TIMESTAMP => self.timestamp_ms,
            given => given,
        };
        let record = Record { timestamp_ms, key, value, headers: &[] };
        let topic = self.topics.map_or(self.given.topic, |topics| topics[index]);
        let partition = self.partitions.map_or(self.given.partition, |some| some[index]);
        let above = self.given.token_step.wrapping_mul(index as u64);
        let token = self.given.token.wrapping_add(above);
        Ok(Outgoing { topic: TopicId(topic), partition, record, token })
    }
}

/// # Safety
/// `items` is NULL or readable for `count` values.
unsafe fn optional<'a, T: Copy>(
    name: &str,
    items: *const T,
    count: usize,
) -> Result<Option<&'a [T]>> {
    if items.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise is the same.
    unsafe { gate::array(name, items, count) }.map(Some)
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
