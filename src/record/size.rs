//! How many bytes records take. Pure arithmetic: exact for the next record of a v2 batch, an upper
//! bound for admission. Never looks into keys or values.

use super::batch_header::BATCH_HEADER_BYTES;
use super::format::{Codec, Magic};
use super::header::Header;
use super::varint::{size_of_varint, size_of_varlong};

/// Most bytes of a v2 record that are not key, value or headers (`DefaultRecord.MAX_RECORD_OVERHEAD`):
/// length 5, attributes 1, timestamp delta 10, offset delta 5.
const MAX_RECORD_OVERHEAD: usize = 21;

/// Offset and size in front of a v0 or v1 record (`Records.LOG_OVERHEAD`).
const LOG_OVERHEAD: usize = 12;

/// What one length-prefixed nullable field takes. 64 bits wide so that no two fields overflow the
/// sum where `usize` is 32; a length beyond `i32` is refused by its sum and may be sized roughly.
#[inline]
fn nullable(len: Option<usize>) -> u64 {
    match len {
        None => 1,
        Some(len) => len as u64 + size_of_varlong(len as i64) as u64,
    }
}

/// Key, value and headers of a v2 record with their lengths and the header count.
#[inline]
fn contents(key: Option<usize>, value: Option<usize>, headers: &[Header<'_>]) -> u64 {
    let fields = nullable(key) + nullable(value);
    if headers.is_empty() {
        // The header count is one byte.
        return fields + 1;
    }
    fields + size_of_headers(headers)
}

fn size_of_headers(headers: &[Header<'_>]) -> u64 {
    let mut size = size_of_varlong(headers.len() as i64) as u64;
    for header in headers {
        size += nullable(Some(header.key.len())) + nullable(header.value.map(<[u8]>::len));
    }
    size
}

/// Exact bytes of a v2 record, its own length included.
#[inline]
pub(super) fn record_size(
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<usize>,
    value: Option<usize>,
    headers: &[Header<'_>],
) -> usize {
    let deltas = size_of_varlong(timestamp_delta) + size_of_varint(offset_delta);
    let body = 1 + deltas as u64 + contents(key, value, headers);
    narrow(body + size_of_varlong(body as i64) as u64)
}

/// The length field of a record of `size` bytes, so that nobody has to carry both. Taking the
/// field's own width off can shorten the number by one width, so the width is asked for again.
#[inline]
pub(super) fn body_of(size: usize) -> usize {
    let roughly = size - size_of_varlong(size as i64);
    size - size_of_varlong(roughly as i64)
}

/// The most a record can take as the only one of a batch, the batch's own bytes included: what
/// `max.request.size` and `buffer.memory` are compared with
/// (Java `AbstractRecords.estimateSizeInBytesUpperBound`).
pub fn estimate_size_upper_bound(
    magic: Magic,
    codec: Codec,
    key_len: Option<usize>,
    value_len: Option<usize>,
    headers: &[Header<'_>],
) -> usize {
    // CRC, magic, attributes, timestamp where there is one, two lengths.
    let legacy_overhead = match magic {
        Magic::V2 => {
            let overhead = (BATCH_HEADER_BYTES + MAX_RECORD_OVERHEAD) as u64;
            return narrow(overhead + contents(key_len, value_len, headers));
        }
        Magic::V1 => 22,
        Magic::V0 => 14,
    };
    // Old formats know no headers; compressed, the record is the value of a wrapper record.
    let wrapper = if codec == Codec::None { 0 } else { legacy_overhead };
    let fields = key_len.unwrap_or(0) as u64 + value_len.unwrap_or(0) as u64;
    narrow((LOG_OVERHEAD + wrapper + legacy_overhead) as u64 + fields)
}

#[inline]
fn narrow(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_smallest_record_by_hand() {
        // Length, attributes, timestamp delta, offset delta, null key, null value, no headers.
        assert_eq!(record_size(0, 0, None, None, &[]), 7);
        assert_eq!(record_size(0, 0, Some(0), Some(0), &[]), 7);
        assert_eq!(record_size(64, 64, Some(64), None, &[]), 7 + 1 + 1 + 64 + 1 + 1);
        let headers = [Header { key: "k", value: None }, Header { key: "", value: Some(b"vv") }];
        assert_eq!(record_size(0, 0, None, None, &headers), 7 + (1 + 1 + 1) + (1 + 1 + 2));
    }

    #[test]
    fn upper_bounds_by_hand() {
        let bound = |magic, codec| estimate_size_upper_bound(magic, codec, Some(3), Some(100), &[]);
        assert_eq!(bound(Magic::V2, Codec::None), 61 + 21 + (1 + 3) + (2 + 100) + 1);
        assert_eq!(bound(Magic::V2, Codec::Zstd), bound(Magic::V2, Codec::None));
        assert_eq!(bound(Magic::V1, Codec::None), 12 + 22 + 103);
        assert_eq!(bound(Magic::V1, Codec::Gzip), 12 + 22 + 22 + 103);
        assert_eq!(bound(Magic::V0, Codec::None), 12 + 14 + 103);
        assert_eq!(bound(Magic::V0, Codec::Snappy), 12 + 14 + 14 + 103);
    }

    #[test]
    fn body_lengths_at_every_change_of_width() {
        for edge in [64, 8192, 1 << 20, 1 << 27] {
            for body in edge - 3..edge + 3 {
                assert_eq!(body_of(body + size_of_varint(body as i32)), body);
            }
        }
    }

    proptest! {
        #[test]
        fn the_body_is_found_again(body in 6usize..0x7fff_fff0) {
            prop_assert_eq!(body_of(body + size_of_varint(body as i32)), body);
        }

        #[test]
        fn the_bound_holds(
            timestamp_delta: i64,
            offset_delta in 0..=i32::MAX,
            key in proptest::option::of(0usize..1 << 28),
            value in proptest::option::of(0usize..1 << 28),
        ) {
            let exact = record_size(timestamp_delta, offset_delta, key, value, &[]);
            let bound = estimate_size_upper_bound(Magic::V2, Codec::None, key, value, &[]);
            prop_assert!(61 + exact <= bound);
            prop_assert!(bound <= 61 + exact + 17);
        }
    }
}
