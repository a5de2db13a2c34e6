//! Whole batches byte for byte, derived by hand from the format's description; the checksums come
//! from a bitwise CRC-32C written for this purpose. One more is Java's own.

use super::fixture::{append, batch, builder, finish, plain, read};
use super::*;

/// 2020-09-13T12:26:40Z.
const T: i64 = 1_600_000_000_000;

#[test]
fn a_plain_record() {
    let expected: &[&[u8]] = &[
        &[0; 8],                                           // base offset
        &[0x00, 0x00, 0x00, 0x3d],                         // length: 49 + 12
        &[0xff; 4],                                        // partition leader epoch
        &[0x02],                                           // magic
        &[0x2b, 0x96, 0xc4, 0x58],                         // CRC-32C
        &[0x00, 0x00],                                     // attributes
        &[0x00, 0x00, 0x00, 0x00],                         // last offset delta
        &[0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x00], // base timestamp
        &[0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x00], // max timestamp
        &[0xff; 8],                                        // producer id
        &[0xff; 2],                                        // producer epoch
        &[0xff; 4],                                        // base sequence
        &[0x00, 0x00, 0x00, 0x01],                         // count
        &[0x16, 0x00, 0x00, 0x00], // 11 bytes, attributes, timestamp, offset
        &[0x01],                   // null key
        &[0x0a, b'h', b'e', b'l', b'l', b'o'], // value
        &[0x00],                   // no headers
    ];
    assert_eq!(batch(&[plain(T, b"hello")]), expected.concat());
}

#[test]
fn keys_headers_nulls_and_an_identity() {
    let headers = [
        Header { key: "h", value: Some(b"v") },
        Header { key: "", value: None },
        Header { key: "e", value: Some(b"") },
    ];
    let (mut builder, mut payload) = (builder(16_384), Vec::new());
    let tombstone = Record { timestamp_ms: T, key: Some(b"k"), value: None, headers: &headers };
    append(&mut builder, &tombstone, &mut payload);
    let empty = Record { timestamp_ms: T + 64, key: Some(b""), value: Some(b""), headers: &[] };
    append(&mut builder, &empty, &mut payload);
    let identity = ProducerIdentity {
        producer_id: 4711,
        producer_epoch: 3,
        base_sequence: 7,
        transactional: true,
    };

    let expected: &[&[u8]] = &[
        &[0; 8],
        &[0x00, 0x00, 0x00, 0x4a], // length: 49 + 25
        &[0xff; 4],
        &[0x02],
        &[0x91, 0x3a, 0x69, 0x8f], // CRC-32C
        &[0x00, 0x10],             // transactional
        &[0x00, 0x00, 0x00, 0x01], // last offset delta
        &[0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x00],
        &[0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x40],
        &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x12, 0x67], // producer id
        &[0x00, 0x03],                                     // producer epoch
        &[0x00, 0x00, 0x00, 0x07],                         // base sequence
        &[0x00, 0x00, 0x00, 0x02],                         // count
        &[0x20, 0x00, 0x00, 0x00],                         // 16 bytes
        &[0x02, b'k'],                                     // key
        &[0x01],                                           // null value
        &[0x06],                                           // three headers
        &[0x02, b'h', 0x02, b'v'],
        &[0x00, 0x01],       // empty key, null value
        &[0x02, b'e', 0x00], // empty value
        &[0x0e, 0x00],       // 7 bytes
        &[0x80, 0x01],       // 64 ms later
        &[0x02],             // offset 1
        &[0x00, 0x00, 0x00], // empty key, empty value, no headers
    ];
    assert_eq!(finish(&builder, &identity, &payload), expected.concat());
}

#[test]
fn older_timestamps_and_a_gap_in_the_offsets() {
    let (mut builder, mut payload) = (builder(16_384), Vec::new());
    append(&mut builder, &plain(1000, b"a"), &mut payload);
    append(&mut builder, &plain(936, b"b"), &mut payload);
    builder.append_with_offset(300, &plain(935, b"c"), &mut payload).unwrap();

    let expected: &[&[u8]] = &[
        &[0; 8],
        &[0x00, 0x00, 0x00, 0x4b], // length: 49 + 26
        &[0xff; 4],
        &[0x02],
        &[0x4a, 0x11, 0xaf, 0x16], // CRC-32C
        &[0x00, 0x00],
        &[0x00, 0x00, 0x01, 0x2c], // last offset delta: 300
        &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xe8],
        &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xe8],
        &[0xff; 14],
        &[0x00, 0x00, 0x00, 0x03],
        &[0x0e, 0x00, 0x00, 0x00, 0x01, 0x02, b'a', 0x00],
        &[0x0e, 0x00, 0x7f, 0x02, 0x01, 0x02, b'b', 0x00], // 64 ms before
        &[0x12, 0x00, 0x81, 0x01, 0xd8, 0x04, 0x01, 0x02, b'c', 0x00], // 65 ms before, offset 300
    ];
    let bytes = finish(&builder, &ProducerIdentity::NONE, &payload);
    assert_eq!(bytes, expected.concat());
    let seen: Vec<_> = read(&bytes).iter().map(|it| (it.offset, it.timestamp_ms)).collect();
    assert_eq!(seen, [(0, 1000), (1, 936), (300, 935)]);
}

#[test]
fn a_batch_with_the_brokers_time() {
    let record = Record { timestamp_ms: NO_TIMESTAMP, key: None, value: None, headers: &[] };
    let mut header = BatchHeader::decode(&batch(&[record])).unwrap();
    header.set_log_append_time(T);
    let payload = [0x0c, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00];
    header.renew_crc(crc32c::checksum(&payload));
    let expected: &[&[u8]] = &[
        &[0; 8],
        &[0x00, 0x00, 0x00, 0x38],
        &[0xff; 4],
        &[0x02],
        &[0x04, 0x7f, 0x17, 0x15], // CRC-32C
        &[0x00, 0x08],             // log append time
        &[0x00; 4],
        &[0xff; 8], // no base timestamp
        &[0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x00],
        &[0xff; 14],
        &[0x00, 0x00, 0x00, 0x01],
        &payload,
    ];
    let bytes = [&header.encode()[..], &payload].concat();
    assert_eq!(bytes, expected.concat());
    assert_eq!(read(&bytes)[0].timestamp_ms, T);
}

#[test]
fn the_checksum_that_java_expects() {
    // MemoryRecordsTest.testChecksum, magic 2 without compression.
    let record = |timestamp_ms, key, value| Record { timestamp_ms, key, value, headers: &[] };
    let bytes = batch(&[
        record(283_843, Some(&b"key1"[..]), Some(&b"value1"[..])),
        record(1234, Some(b"key2"), Some(b"value2")),
    ]);
    assert_eq!(BatchHeader::decode(&bytes).unwrap().crc32c, 3_851_219_455);
}
