//! All formats and codecs together: bytes by hand, there and back, bytes that were changed on the way.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::compress::{Compression, Encoder};
use super::fixture::*;
use super::*;
use crate::error::{ErrorCode, Result};

const MOST: usize = 1 << 24;
const T: i64 = 1_600_000_000_000;

/// Every format with every codec that it knows, of those built in.
fn formats() -> Vec<(Magic, Codec)> {
    let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let magics = [Magic::V0, Magic::V1, Magic::V2];
    let all = magics.into_iter().flat_map(|magic| codecs.map(|codec| (magic, codec)));
    all.filter(|&(magic, codec)| codec.fits(magic) && codec.is_built()).collect()
}

fn keyed<'a>(timestamp_ms: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
    Record { timestamp_ms, key, value, headers: &[] }
}

fn record_set(magic: Magic, codec: Codec, records: &[Record<'_>]) -> Vec<u8> {
    let compression = Compression::new(codec);
    assemble_records(magic, compression, records.iter().copied(), &mut Encoder::new()).unwrap()
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Read {
    offset: i64,
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Every record of every entry, checksums verified.
fn read_set(bytes: &[u8]) -> Result<Vec<Read>> {
    let mut read = Vec::new();
    for entry in entries(bytes) {
        let entry = entry?;
        entry.verify_crc()?;
        for record in entry.unpack(MOST)?.records() {
            let record = record?;
            let headers = record.headers.iter();
            read.push(Read {
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
                headers: headers.map(|h| (h.key.into(), h.value.map(<[u8]>::to_vec))).collect(),
            });
        }
    }
    Ok(read)
}

#[test]
fn messages_of_the_oldest_format_by_hand() {
    let bytes =
        record_set(Magic::V0, Codec::None, &[keyed(T, Some(b"k"), None), plain(T, b"hello")]);
    let expected: &[&[u8]] = &[
        &[0; 8],                   // offset 0
        &[0x00, 0x00, 0x00, 0x0f], // 15 bytes
        &[0x4c, 0xd2, 0x98, 0x0b], // CRC-32
        &[0x00, 0x00],             // magic, attributes
        &[0x00, 0x00, 0x00, 0x01, b'k'],
        &[0xff, 0xff, 0xff, 0xff], // null value
        &[0, 0, 0, 0, 0, 0, 0, 1], // offset 1
        &[0x00, 0x00, 0x00, 0x13], // 19 bytes
        &[0x9d, 0x60, 0x2d, 0x61],
        &[0x00, 0x00],
        &[0xff, 0xff, 0xff, 0xff], // null key
        &[0x00, 0x00, 0x00, 0x05],
        b"hello",
    ];
    let mut expected = expected.concat();
    // Both checksums, bit by bit.
    for (at, end) in [(12, 27), (39, bytes.len())] {
        let crc = bitwise_crc32(&expected[at + 4..end]);
        expected[at..at + 4].copy_from_slice(&crc.to_be_bytes());
    }
    assert_eq!(bytes, expected);
}

#[test]
fn messages_with_a_timestamp_by_hand() {
    let bytes = record_set(Magic::V1, Codec::None, &[keyed(T, Some(b""), Some(b"v"))]);
    let expected: &[&[u8]] = &[
        &[0; 8],
        &[0x00, 0x00, 0x00, 0x17], // 23 bytes
        &[0; 4],
        &[0x01, 0x00],
        &[0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x00], // timestamp
        &[0x00, 0x00, 0x00, 0x00],                         // empty key
        &[0x00, 0x00, 0x00, 0x01, b'v'],
    ];
    let mut expected = expected.concat();
    let crc = bitwise_crc32(&expected[16..]);
    expected[12..16].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(bytes, expected);
}

/// CRC-32 (ISO-HDLC) as its definition says it.
fn bitwise_crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn the_checksums_that_java_expects() {
    // MemoryRecordsTest.testChecksum, without compression; of messages it looks at the first.
    let records = [
        keyed(283_843, Some(b"key1"), Some(b"value1")),
        keyed(1234, Some(b"key2"), Some(b"value2")),
    ];
    for (magic, crc) in [(Magic::V0, 1_978_725_405), (Magic::V1, 109_425_508)] {
        let bytes = record_set(magic, Codec::None, &records);
        assert_eq!(u32::from_be_bytes(bytes[12..16].try_into().unwrap()), crc);
    }
}

#[test]
fn wrappers_have_the_last_offset_and_the_highest_time() {
    for (magic, codec) in formats().into_iter().filter(|f| f.0 != Magic::V2 && f.1 != Codec::None) {
        let records = [plain(T, b"a"), plain(T + 9, b"b"), plain(T + 3, b"c")];
        let bytes = record_set(magic, codec, &records);
        let all: Vec<_> = entries(&bytes).map(Result::unwrap).collect();
        let [Entry::Message(wrapper)] = &all[..] else { panic!("{all:?}") };
        assert_eq!((wrapper.offset, wrapper.key), (2, None));
        assert_eq!(wrapper.timestamp_ms, if magic == Magic::V1 { T + 9 } else { -1 });
        assert_eq!(wrapper.codec(), Some(codec));
        assert_eq!(wrapper_overhead(magic) + wrapper.value.unwrap().len(), bytes.len());
    }
}

/// A wrapper around whatever bytes, with a right checksum.
fn wrapper(magic: Magic, attributes: u8, offset: i64, inside: Option<&[u8]>) -> Vec<u8> {
    let codec = Codec::from_id(attributes & 7).filter(|codec| codec.fits(magic));
    let codec = codec.unwrap_or(Codec::None);
    let value = inside
        .map(|inside| Encoder::new().compress(Compression::new(codec), magic, inside).unwrap());
    let record = keyed(T, None, value.as_deref());
    let mut bytes = record_set(magic, Codec::None, &[record]);
    bytes[..8].copy_from_slice(&offset.to_be_bytes());
    bytes[17] = attributes;
    let crc = bitwise_crc32(&bytes[16..]);
    bytes[12..16].copy_from_slice(&crc.to_be_bytes());
    bytes
}

#[test]
fn offsets_inside_a_wrapper_are_relative_since_v1_and_the_brokers_time_counts_for_all() {
    let inside = |magic| record_set(magic, Codec::None, &[plain(T, b"a"), plain(T + 1, b"b")]);
    let offsets = |bytes: &[u8]| -> Vec<(i64, i64)> {
        read_set(bytes).unwrap().iter().map(|r| (r.offset, r.timestamp_ms)).collect()
    };
    let v1 = inside(Magic::V1);
    assert_eq!(offsets(&wrapper(Magic::V1, 1, 101, Some(&v1))), [(100, T), (101, T + 1)]);
    assert_eq!(offsets(&wrapper(Magic::V1, 1 | 8, 101, Some(&v1))), [(100, T), (101, T)]);
    let v0 = inside(Magic::V0);
    assert_eq!(offsets(&wrapper(Magic::V0, 2, 101, Some(&v0))), [(0, -1), (1, -1)]);
}

#[test]
fn wrappers_that_lie_are_refused() {
    let code = |bytes: &[u8]| read_set(bytes).unwrap_err().code();
    let v1 = record_set(Magic::V1, Codec::None, &[plain(T, b"a")]);
    let v0 = record_set(Magic::V0, Codec::None, &[plain(T, b"a")]);
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, None)), ErrorCode::INVALID_RECORD, "null");
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, Some(b""))), ErrorCode::INVALID_RECORD, "empty");
    assert_eq!(code(&wrapper(Magic::V1, 5, 0, Some(&v1))), ErrorCode::INVALID_RECORD, "no codec");
    assert_eq!(
        code(&wrapper(Magic::V1, 4, 0, Some(&v1))),
        ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        "zstd"
    );
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, Some(&v0))), ErrorCode::INVALID_RECORD, "mixed");
    let nested = wrapper(Magic::V1, 2, 0, Some(&v1));
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, Some(&nested))), ErrorCode::INVALID_RECORD, "nested");
    let mut broken = v1.clone();
    broken[20] ^= 1;
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, Some(&broken))), ErrorCode::CORRUPT_MESSAGE);
    let mut cut = v1.clone();
    cut.pop();
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, Some(&cut))), ErrorCode::CORRUPT_MESSAGE);
    let batch = record_set(Magic::V2, Codec::None, &[plain(T, b"a")]);
    assert_eq!(code(&wrapper(Magic::V1, 1, 0, Some(&batch))), ErrorCode::CORRUPT_MESSAGE);
    let mut far = v1;
    far[..8].copy_from_slice(&i64::MAX.to_be_bytes());
    assert_eq!(code(&wrapper(Magic::V1, 1, i64::MIN, Some(&far))), ErrorCode::INVALID_RECORD);
}

#[test]
fn messages_that_lie_are_refused() {
    let whole = record_set(Magic::V1, Codec::None, &[keyed(T, Some(b"key"), Some(b"value"))]);
    for cut in 1..whole.len() {
        assert_eq!(read_set(&whole[..cut]).unwrap_err().code(), ErrorCode::CORRUPT_MESSAGE);
    }
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        let crc = bitwise_crc32(&changed[16..]);
        changed[12..16].copy_from_slice(&crc.to_be_bytes());
        read_set(&changed).map(|read| read.len())
    };
    assert_eq!(with(0, &[]).unwrap(), 1);
    for (what, at, bytes) in [
        ("negative size", 8, -1i32),
        ("size without header", 8, 13),
        ("endless size", 8, i32::MAX),
        ("key length -2", 26, -2),
        ("key beyond the message", 26, 13),
        ("value length -2", 33, -2),
        ("value beyond the message", 33, 6),
        ("bytes behind the value", 33, 4),
    ] {
        let code = with(at, &bytes.to_be_bytes()).unwrap_err().code();
        assert_eq!(code, ErrorCode::CORRUPT_MESSAGE, "{what}");
    }
    assert_eq!(with(16, &[3]).unwrap_err().code(), ErrorCode::CORRUPT_MESSAGE, "magic");
}

#[test]
fn sets_of_several_formats_are_read_in_a_row() {
    let parts: Vec<Vec<u8>> = formats()
        .into_iter()
        .map(|(magic, codec)| record_set(magic, codec, &[plain(T, b"a"), plain(T, b"b")]))
        .collect();
    assert_eq!(read_set(&parts.concat()).unwrap().len(), 2 * formats().len());
}

#[test]
fn what_may_not_be_wrapped_is_refused() {
    let summary = BatchSummary {
        magic: Magic::V1,
        codec: Codec::Gzip,
        timestamp_type: TimestampType::CreateTime,
        control: false,
        count: 1,
        last_offset_delta: 0,
        base_timestamp_ms: T,
        max_timestamp_ms: T,
    };
    let code = |summary: BatchSummary, len| {
        encode_wrapper_header(&summary, len, 0).err().map(|error| error.code())
    };
    assert_eq!(code(summary, 10), None);
    assert_eq!(code(BatchSummary { count: 0, ..summary }, 10), Some(ErrorCode::STATE));
    assert_eq!(code(BatchSummary { codec: Codec::None, ..summary }, 10), Some(ErrorCode::STATE));
    assert_eq!(
        code(BatchSummary { magic: Magic::V2, ..summary }, 10),
        Some(ErrorCode::UNSUPPORTED)
    );
    let most = i32::MAX as usize;
    assert_eq!(code(summary, most), Some(ErrorCode::RECORD_TOO_LARGE));
}

/// What of a record survives a format.
fn expected(record: &OwnedRecord, magic: Magic, index: usize) -> Read {
    Read {
        offset: index as i64,
        timestamp_ms: if magic == Magic::V0 { NO_TIMESTAMP } else { record.timestamp_ms },
        key: record.key.clone(),
        value: record.value.clone(),
        headers: if magic == Magic::V2 { record.headers.clone() } else { vec![] },
    }
}

fn set_of(magic: Magic, codec: Codec, records: &[OwnedRecord]) -> Vec<u8> {
    let headers: Vec<_> = records
        .iter()
        .map(|record| if magic == Magic::V2 { record.headers() } else { vec![] })
        .collect();
    let records: Vec<_> = records.iter().zip(&headers).map(|(r, h)| r.record(h)).collect();
    record_set(magic, codec, &records)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 100 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_written_is_read_in_every_format(records in vec(any_record(), 1..20)) {
        for (magic, codec) in formats() {
            let bytes = set_of(magic, codec, &records);
            let back = read_set(&bytes).unwrap();
            prop_assert_eq!(back.len(), records.len());
            for (index, (back, record)) in back.iter().zip(&records).enumerate() {
                prop_assert_eq!(back, &expected(record, magic, index), "{:?} {}", magic, codec);
            }
        }
    }

    #[test]
    fn the_estimate_is_never_below_the_bytes(record in any_record()) {
        for (magic, codec) in formats() {
            let headers = if magic == Magic::V2 { record.headers() } else { vec![] };
            let record = record.record(&headers);
            let (key, value) = (record.key.map(<[u8]>::len), record.value.map(<[u8]>::len));
            let bound = estimate_size_upper_bound(magic, codec, key, value, &headers);
            let growth = Compression::new(codec).growth_max(bound);
            let bytes = record_set(magic, codec, &[record]).len();
            prop_assert!(bytes <= bound + growth, "{:?} {}: {} > {}", magic, codec, bytes, bound);
        }
    }

    #[test]
    fn a_flipped_bit_is_found_or_harmless(
        records in vec(any_record(), 1..4),
        at in any::<Index>(),
        bit in 0..8,
    ) {
        for (magic, codec) in formats() {
            let bytes = set_of(magic, codec, &records);
            let at = at.index(bytes.len());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1u8 << bit;
            let Ok(read) = read_set(&flipped) else { continue };
            // Only offsets and the leader epoch are not covered: the broker writes them.
            let whole = read_set(&bytes).unwrap();
            let placed = |read: &Read| Read { offset: 0, ..read.clone() };
            let same = |a: &Read, b: &Read| placed(a) == placed(b);
            prop_assert!(read.len() == whole.len() && read.iter().zip(&whole).all(|(a, b)| same(a, b)),
                "{:?} {}: byte {} changed unnoticed", magic, codec, at);
        }
    }

    #[test]
    fn any_changes_are_read_without_panic(
        records in vec(any_record(), 1..4),
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
        cut in any::<Index>(),
    ) {
        for (magic, codec) in formats() {
            let mut bytes = set_of(magic, codec, &records);
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            // Also behind checksums that do not match.
            for part in [&bytes[..], &bytes[cut.index(bytes.len())..], &bytes[..cut.index(bytes.len())]] {
                for entry in entries(part).flatten() {
                    if let Ok(unpacked) = entry.unpack(MOST) {
                        unpacked.records().for_each(drop);
                    }
                }
            }
        }
    }
}
