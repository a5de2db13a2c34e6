//! A record as C gives it. One of the two plain structs of the interface; begins with its size.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::capi::gate;
use crate::error::{Error, ErrorCode, Result};
use crate::record::{Header, Record, NO_TIMESTAMP};

/// Let the partitioner choose the partition.
pub const OTTLA_PARTITION_ANY: i32 = -1;
/// The record's time is the time of the send.
pub const OTTLA_TIMESTAMP_NOW: i64 = -1;

/// A name and a value that travel with a record (KIP-82). This struct never changes.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_header_t {
    /// UTF-8; may be empty, and may occur more than once in a record.
    pub key: *const c_char,
    /// Bytes of the key.
    pub key_len: usize,
    /// NULL is a null value; any other pointer with length 0 an empty one.
    pub value: *const c_void,
    /// Bytes of the value.
    pub value_len: usize,
}

/// A record. Start from OTTLA_RECORD_INIT, which sets `size` and the defaults; fields are only ever
/// appended. The library copies what it needs: everything may be freed when the call returns.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_record_t {
    /// sizeof(ottla_record_t), so that a newer library knows what an older program does not set.
    pub size: u32,
    /// From ottla_producer_topic().
    pub topic: u32,
    /// A partition, or OTTLA_PARTITION_ANY.
    pub partition: i32,
    /// Must be 0.
    pub reserved: u32,
    /// NULL is a null key; any other pointer with length 0 an empty one.
    pub key: *const c_void,
    /// Bytes of the key.
    pub key_len: usize,
    /// NULL is a null value (a tombstone in a compacted topic); any other pointer with length 0 an empty one.
    pub value: *const c_void,
    /// Bytes of the value.
    pub value_len: usize,
    /// Headers in order.
    pub headers: *const ottla_header_t,
    /// Number of headers.
    pub header_count: usize,
    /// Milliseconds since 1970, or OTTLA_TIMESTAMP_NOW.
    pub timestamp_ms: i64,
    /// Comes back in the report of this record; any number.
    pub token: u64,
}

impl ottla_record_t {
    /// What OTTLA_RECORD_INIT gives.
    pub(super) const INIT: ottla_record_t = ottla_record_t {
        size: size_of::<ottla_record_t>() as u32,
        topic: 0,
        partition: OTTLA_PARTITION_ANY,
        reserved: 0,
        key: ptr::null(),
        key_len: 0,
        value: ptr::null(),
        value_len: 0,
        headers: ptr::null(),
        header_count: 0,
        timestamp_ms: NO_TIMESTAMP,
        token: 0,
    };
}

/// NULL for null; not NULL for empty.
pub(super) fn parts(bytes: Option<&[u8]>) -> (*const c_void, usize) {
    bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr().cast(), bytes.len()))
}

impl ottla_header_t {
    /// Views of headers, good as long as those stay as they are.
    pub(super) fn views(headers: &[(String, Option<Vec<u8>>)]) -> Vec<ottla_header_t> {
        let view = |(key, value): &(String, Option<Vec<u8>>)| {
            let (value, value_len) = parts(value.as_deref());
            ottla_header_t { key: key.as_ptr().cast(), key_len: key.len(), value, value_len }
        };
        headers.iter().map(view).collect()
    }
}

impl ottla_record_t {
    /// A view of a record, good as long as its parts stay as they are.
    pub(super) fn view(
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[ottla_header_t],
    ) -> ottla_record_t {
        let ((key, key_len), (value, value_len)) = (parts(key), parts(value));
        ottla_record_t {
            key,
            key_len,
            value,
            value_len,
            headers: headers.as_ptr(),
            header_count: headers.len(),
            timestamp_ms,
            ..ottla_record_t::INIT
        }
    }
}

/// Headers that fit on the stack.
const FEW: usize = 16;
const NO_HEADER: Header<'static> = Header { key: "", value: None };

/// Gives `use_it` the record as the core wants it.
///
/// # Safety
/// The pointers in `given` are NULL or readable for their lengths.
pub(super) unsafe fn with_record(
    given: &ottla_record_t,
    use_it: impl FnOnce(&Record<'_>) -> Result<()>,
) -> Result<()> {
    // SAFETY: the caller's promise is the same.
    let (record, headers) = unsafe { parts_of(given)? };
    let mut few = [NO_HEADER; FEW];
    let mut many = Vec::new();
    let borrowed = match headers.len() {
        count @ 0..=FEW => &mut few[..count],
        count => {
            many.resize(count, NO_HEADER);
            &mut many[..]
        }
    };
    for (place, header) in borrowed.iter_mut().zip(headers) {
        // SAFETY: the caller's promise is the same.
        *place = unsafe { header_of(header)? };
    }
    use_it(&Record { headers: borrowed, ..record })
}

/// The record as the core wants it but for its headers, which go behind those in `headers`.
///
/// # Safety
/// The pointers in `given` are NULL or readable for their lengths for as long as `'r` and `'h`.
pub(super) unsafe fn record_and_headers<'r, 'h>(
    given: &ottla_record_t,
    headers: &mut Vec<Header<'h>>,
) -> Result<Record<'r>> {
    // SAFETY: the caller's promise is the same.
    let (record, given) = unsafe { parts_of(given)? };
    for header in given {
        // SAFETY: the caller's promise is the same.
        headers.push(unsafe { header_of(header)? });
    }
    Ok(record)
}

/// The record without its headers, and those.
///
/// # Safety
/// The pointers in `given` are NULL or readable for their lengths for as long as `'a`.
unsafe fn parts_of<'a>(given: &ottla_record_t) -> Result<(Record<'a>, &'a [ottla_header_t])> {
    if given.reserved != 0 {
        return Err(Error::new(ErrorCode::ARGUMENT, "record: reserved must be 0"));
    }
    // SAFETY: the caller's promise is the same.
    unsafe {
        let key = gate::field("key", given.key, given.key_len)?;
        let value = gate::field("value", given.value, given.value_len)?;
        let headers = gate::array("headers", given.headers, given.header_count)?;
        Ok((Record { timestamp_ms: given.timestamp_ms, key, value, headers: &[] }, headers))
    }
}

/// # Safety
/// The pointers in `given` are NULL or readable for their lengths for as long as `'a`.
unsafe fn header_of<'a>(given: &ottla_header_t) -> Result<Header<'a>> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        Ok(Header {
            key: gate::text("header key", given.key, given.key_len)?,
            value: gate::field("header value", given.value, given.value_len)?,
        })
    }
}
