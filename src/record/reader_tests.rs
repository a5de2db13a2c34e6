//! The reader against bytes that nobody honest wrote: an error each time, never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::fixture::*;
use super::*;
use crate::error::ErrorCode;

/// Reads everything there is; returns how many batches and records came out whole.
fn read_all(bytes: &[u8]) -> (usize, usize) {
    let (mut whole_batches, mut whole_records) = (0, 0);
    for batch in batches(bytes).flatten() {
        whole_batches += 1;
        let _ = batch.verify_crc();
        whole_records += batch.records().flatten().count();
    }
    (whole_batches, whole_records)
}

fn first_error(bytes: &[u8]) -> ErrorCode {
    batches(bytes).find_map(Result::err).unwrap().code()
}

/// The code of the error in the records of one batch, which must be the last item.
fn records_error(bytes: &[u8]) -> ErrorCode {
    let batch = only(bytes);
    batch.verify_crc().unwrap();
    let items: Vec<_> = batch.records().collect();
    let errors = items.iter().filter(|item| item.is_err()).count();
    assert_eq!(errors, 1);
    items.into_iter().next_back().unwrap().unwrap_err().code()
}

#[test]
fn several_batches_in_a_row() {
    let (one, two) = (batch(&[plain(0, b"a")]), batch(&[plain(0, b"b"), plain(1, b"c")]));
    let both = [&one[..], &two].concat();
    let views: Vec<_> = batches(&both).map(Result::unwrap).collect();
    assert_eq!(views.len(), 2);
    assert_eq!((views[0].bytes(), views[1].bytes()), (&one[..], &two[..]));
    assert_eq!(views[1].records().count(), 2);
    assert!(batches(&[]).next().is_none());
}

#[test]
fn what_is_cut_off_is_an_error_and_the_end() {
    let whole = batch(&[plain(0, b"value")]);
    for cut in 1..whole.len() {
        let bytes = [&whole[..], &whole[..cut]].concat();
        let mut all = batches(&bytes);
        assert!(all.next().unwrap().is_ok());
        assert_eq!(all.next().unwrap().unwrap_err().code(), ErrorCode::CORRUPT_MESSAGE);
        assert!(all.next().is_none());
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    let whole = batch(&[plain(0, b"value")]);
    for length in [-1, i32::MIN, 0, 4, 5, 48, i32::MAX] {
        let mut bytes = whole.clone();
        bytes[8..12].copy_from_slice(&i32::to_be_bytes(length));
        assert_eq!(first_error(&bytes), ErrorCode::CORRUPT_MESSAGE, "{length}");
    }
}

#[test]
fn other_formats_are_told_apart() {
    for (magic, code) in [
        (0, ErrorCode::UNSUPPORTED),
        (1, ErrorCode::UNSUPPORTED),
        (3, ErrorCode::CORRUPT_MESSAGE),
        (0xff, ErrorCode::CORRUPT_MESSAGE),
    ] {
        let mut bytes = batch(&[plain(0, b"value")]);
        bytes[16] = magic;
        assert_eq!(first_error(&bytes), code, "{magic}");
    }
    assert!(BatchHeader::decode(&[2; 60]).is_err());
    assert!(BatchHeader::decode(&[1; 61]).is_err());
}

#[test]
fn offset_and_leader_epoch_may_change_under_the_checksum() {
    let mut bytes = batch(&[plain(7, b"value")]);
    let mut header = BatchHeader::decode(&bytes).unwrap();
    header.base_offset = 1 << 40;
    header.partition_leader_epoch = 12;
    bytes[..BATCH_HEADER_BYTES].copy_from_slice(&header.encode());
    assert_eq!(read(&bytes)[0].offset, 1 << 40);
}

#[test]
fn compressed_batches_are_unpacked_first() {
    for attributes in 1..=4 {
        let bytes = batch_with_header(b"compressed", |header| header.attributes = attributes);
        assert_eq!(records_error(&bytes), ErrorCode::STATE);
        let entry = entries(&bytes).next().unwrap().unwrap();
        let built = Codec::from_id(attributes as u8).unwrap().is_built();
        let code = if built { ErrorCode::CORRUPT_MESSAGE } else { ErrorCode::UNSUPPORTED };
        assert_eq!(entry.unpack(1000).unwrap_err().code(), code);
    }
    for attributes in 5..=7 {
        let bytes = batch_with_header(b"compressed", |header| header.attributes = attributes);
        assert_eq!(records_error(&bytes), ErrorCode::INVALID_RECORD);
        let entry = entries(&bytes).next().unwrap().unwrap();
        assert_eq!(entry.unpack(1000).unwrap_err().code(), ErrorCode::INVALID_RECORD);
    }
}

#[test]
fn attribute_bits_without_a_meaning_are_kept_and_ignored() {
    let record = [0x0c, 0xff, 0x00, 0x00, 0x01, 0x01, 0x00];
    let bytes = batch_with_header(&record, |header| header.attributes = !0x7f);
    assert_eq!(read(&bytes).len(), 1);
    assert_eq!(only(&bytes).header().attributes, !0x7f);
}

#[test]
fn the_count_must_match() {
    let two = batch(&[plain(0, b"a"), plain(0, b"b")]);
    let payload = &two[BATCH_HEADER_BYTES..];
    for count in [-1, i32::MIN, 0, 1, 3, i32::MAX] {
        let bytes = batch_with_header(payload, |header| header.count = count);
        assert_eq!(records_error(&bytes), ErrorCode::INVALID_RECORD, "{count}");
    }
    assert_eq!(read(&batch_with_header(payload, |header| header.count = 2)).len(), 2);
    assert!(read(&batch_with_header(&[], |header| header.count = 0)).is_empty());
}

#[test]
fn malformed_records_are_refused() {
    // The whole one: length, attributes, timestamp, offset, key, value, one header.
    let whole: &[u8] = &[0x16, 0, 0, 0, 0x02, b'k', 0x02, b'v', 0x02, 0x02, b'h', 0x01];
    assert_eq!(read(&batch_with_header(whole, |_| ())).len(), 1);
    for cut in 0..whole.len() {
        let bytes = batch_with_header(&whole[..cut], |_| ());
        assert_eq!(records_error(&bytes), ErrorCode::INVALID_RECORD, "cut at {cut}");
    }
    let table: [(&str, usize, u8); 14] = [
        ("longer than the batch", 0, 0x18),
        ("shorter than its fields", 0, 0x14),
        ("negative length", 0, 0x01),
        ("endless length", 0, 0x80),
        ("endless timestamp", 2, 0x80),
        ("endless offset", 3, 0x80),
        ("key beyond the record", 4, 0x7e),
        ("key length -2", 4, 0x03),
        ("value beyond the record", 6, 0x7e),
        ("value length -2", 6, 0x03),
        ("negative header count", 8, 0x01),
        ("more headers than there are", 8, 0x04),
        ("null header key", 9, 0x01),
        ("header key that is not UTF-8", 10, 0xff),
    ];
    for (what, at, byte) in table {
        let mut record = whole.to_vec();
        record[at] = byte;
        let bytes = batch_with_header(&record, |_| ());
        assert_eq!(records_error(&bytes), ErrorCode::INVALID_RECORD, "{what}");
    }
}

#[test]
fn a_huge_header_count_allocates_nothing() {
    let record = [0x14, 0, 0, 0, 0x01, 0x01, 0xfe, 0xff, 0xff, 0xff, 0x0f];
    let bytes = batch_with_header(&record, |_| ());
    assert_eq!(records_error(&bytes), ErrorCode::INVALID_RECORD);
}

/// One to three records, written.
fn any_batch() -> impl Strategy<Value = Vec<u8>> {
    vec(any_record(), 1..4).prop_map(|records| {
        let (mut builder, mut payload) = (builder(usize::MAX), Vec::new());
        for record in &records {
            append(&mut builder, &record.record(&record.headers()), &mut payload);
        }
        finish(&builder, &ProducerIdentity::NONE, &payload)
    })
}

proptest! {
    #[test]
    fn headers_survive_decoding(mut bytes in vec(any::<u8>(), BATCH_HEADER_BYTES)) {
        bytes[16] = 2;
        let header = BatchHeader::decode(&bytes).unwrap();
        prop_assert_eq!(&header.encode()[..], &bytes[..]);
        let _ = (header.codec(), header.identity(), header.payload_len());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn any_payload_is_read_without_panic(
        payload in vec(prop_oneof![any::<u8>(), 0u8..8], 0..if cfg!(miri) { 40 } else { 300 }),
        count: i32,
    ) {
        let bytes = batch_with_header(&payload, |header| header.count = count);
        let (whole_batches, whole_records) = read_all(&bytes);
        prop_assert_eq!(whole_batches, 1);
        // Seven bytes is the shortest record.
        prop_assert!(whole_records * 7 <= payload.len());
    }

    #[test]
    fn mutated_batches_are_read_without_panic(
        mut bytes in any_batch(),
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
        cut in any::<Index>(),
    ) {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(&bytes);
        read_all(&bytes[cut.index(bytes.len())..]);
        bytes.truncate(cut.index(bytes.len()));
        read_all(&bytes);
    }

    #[test]
    fn a_flipped_bit_is_found_or_lies_outside_the_checksum(
        bytes in any_batch(),
        at in any::<Index>(),
        bit in 0..8,
    ) {
        let at = at.index(bytes.len());
        let mut flipped = bytes.clone();
        flipped[at] ^= 1u8 << bit;
        let batch = batches(&flipped).next().unwrap();
        match at {
            // Base offset and leader epoch: brokers write them.
            0..8 | 12..16 => prop_assert!(batch.unwrap().verify_crc().is_ok()),
            // Length and magic: the batch is not found, or too short for its checksum.
            8..12 | 16 => prop_assert!(batch.and_then(|batch| batch.verify_crc()).is_err()),
            _ => prop_assert!(batch.unwrap().verify_crc().is_err()),
        }
    }
}
