//! The builder's promises: what it refuses, when it is full, that its sizes are exact.

use proptest::collection::vec;
use proptest::prelude::*;

use super::fixture::*;
use super::*;
use crate::error::ErrorCode;

const EMPTY: Record<'_> = Record { timestamp_ms: 0, key: None, value: None, headers: &[] };

/// Counts puts, and holds what was put.
#[derive(Default)]
struct CountingSink {
    bytes: Vec<u8>,
    puts: usize,
}

impl RecordSink for CountingSink {
    fn put(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        self.bytes.extend_from_slice(bytes);
        self.puts += 1;
    }
}

#[test]
fn zstd_is_refused_before_the_newest_format() {
    let build = |magic, codec| BatchBuilder::new(magic, codec, TimestampType::CreateTime, 1000);
    for magic in [Magic::V0, Magic::V1, Magic::V2] {
        for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
            assert!(build(magic, codec).is_ok());
        }
    }
    for magic in [Magic::V0, Magic::V1] {
        let code = build(magic, Codec::Zstd).unwrap_err().code();
        assert_eq!(code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
    assert!(build(Magic::V2, Codec::Zstd).is_ok());
}

#[test]
fn headers_are_refused_before_the_newest_format() {
    let headers = [Header { key: "h", value: None }];
    let record = Record { headers: &headers, ..EMPTY };
    for magic in [Magic::V0, Magic::V1] {
        let mut builder =
            BatchBuilder::new(magic, Codec::None, TimestampType::CreateTime, 1000).unwrap();
        assert_eq!(builder.check(&record).unwrap_err().code(), ErrorCode::UNSUPPORTED);
        let refused = builder.append_with_offset(0, &record, &mut Vec::new());
        assert_eq!(refused.unwrap_err().code(), ErrorCode::UNSUPPORTED);
        assert_eq!(builder.count(), 0);
        assert!(builder.check(&EMPTY).is_ok());
    }
}

#[test]
fn a_compressed_batch_is_full_by_estimate() {
    let compressed = |ratio| {
        let create_time = TimestampType::CreateTime;
        BatchBuilder::new(Magic::V2, Codec::Lz4, create_time, 10_000).unwrap().expecting(ratio)
    };
    let record = plain(0, &[7; 991]);
    let held = |mut builder: BatchBuilder| {
        let mut payload = Vec::new();
        while builder.has_room_for(builder.size_of(&record)) {
            append(&mut builder, &record, &mut payload);
        }
        assert!(builder.estimated_bytes() <= 10_000 || builder.count() == 1);
        (builder.count(), payload.len())
    };
    // Each takes about 1,000 bytes; the one that is added counts plain (Java `hasRoomFor`).
    assert_eq!(held(compressed(1.0)).0, 9);
    assert_eq!(held(compressed(0.5)).0, 18);
    // However small they become, the plain bytes keep within sixteen times the limit.
    assert!((155_000..160_000).contains(&held(compressed(0.001)).1));
    assert!((155_000..160_000).contains(&held(compressed(f32::NAN)).1));
    // Growing: the estimate is over the limit after few records, but the first is always in.
    assert_eq!(held(compressed(f32::MAX)).0, 1);
}

#[test]
fn a_batch_without_records_is_not_sent() {
    let builder = builder(1000);
    assert_eq!((builder.count(), builder.bytes()), (0, BATCH_HEADER_BYTES));
    assert!(!builder.is_full());
    let header = encode_batch_header(&builder.summary(), &ProducerIdentity::NONE, 0, 0);
    assert_eq!(header.unwrap_err().code(), ErrorCode::STATE);
}

#[test]
fn the_first_record_ignores_the_write_limit() {
    for limit in [0, 60, 61, 62, 100] {
        let (mut builder, mut payload) = (builder(limit), Vec::new());
        let record = plain(0, &[7; 1000]);
        assert!(!builder.is_full());
        assert!(builder.has_room_for(builder.size_of(&record)));
        append(&mut builder, &record, &mut payload);
        assert!(builder.is_full());
        assert!(!builder.has_room_for(builder.size_of(&EMPTY)));
        // Past the limit is past the limit, but nothing breaks.
        append(&mut builder, &EMPTY, &mut payload);
        assert_eq!(builder.count(), 2);
    }
}

#[test]
fn room_ends_exactly_at_the_write_limit() {
    let headers = [Header { key: "header", value: Some(b"value") }];
    let record = Record { timestamp_ms: 5, key: Some(b"k"), value: Some(b"v"), headers: &headers };
    let size = builder(0).size_of(&record);
    for (limit, room, full) in [
        (BATCH_HEADER_BYTES + 2 * size, true, true),
        (BATCH_HEADER_BYTES + 2 * size - 1, false, true),
        (BATCH_HEADER_BYTES + 2 * size + 1, true, false),
    ] {
        let (mut builder, mut payload) = (builder(limit), Vec::new());
        append(&mut builder, &record, &mut payload);
        assert!(!builder.is_full());
        assert_eq!(builder.has_room_for(builder.size_of(&record)), room);
        append(&mut builder, &record, &mut payload);
        assert_eq!(builder.is_full(), full);
        assert!(!builder.has_room_for(size));
    }
}

#[test]
fn closing_ends_appends_even_of_the_first_record() {
    let (mut builder, mut payload) = (builder(1000), Vec::new());
    builder.close_for_appends();
    assert!(builder.is_full());
    assert!(!builder.has_room_for(7));
    let refused = builder.append_with_offset(0, &EMPTY, &mut payload);
    assert_eq!(refused.unwrap_err().code(), ErrorCode::STATE);
    assert!(payload.is_empty());
}

#[test]
fn timestamps_make_base_and_maximum() {
    let (mut builder, mut payload) = (builder(1000), Vec::new());
    for timestamp_ms in [50, NO_TIMESTAMP, 70, 60] {
        append(&mut builder, &plain(timestamp_ms, b""), &mut payload);
    }
    let summary = builder.summary();
    assert_eq!((summary.base_timestamp_ms, summary.max_timestamp_ms), (50, 70));
    let bytes = finish(&builder, &ProducerIdentity::NONE, &payload);
    let times: Vec<_> = read(&bytes).iter().map(|record| record.timestamp_ms).collect();
    assert_eq!(times, [50, -1, 70, 60]);
}

#[test]
fn the_ends_of_time_wrap_around_and_back() {
    let bytes = batch(&[plain(NO_TIMESTAMP, b""), plain(i64::MAX, b""), plain(0, b"")]);
    let times: Vec<_> = read(&bytes).iter().map(|record| record.timestamp_ms).collect();
    assert_eq!(times, [NO_TIMESTAMP, i64::MAX, 0]);
}

#[test]
fn timestamps_below_minus_one_are_refused() {
    for timestamp_ms in [-2, i64::MIN] {
        let (mut builder, mut payload) = (builder(1000), Vec::new());
        let record = plain(timestamp_ms, b"");
        assert_eq!(builder.check(&record).unwrap_err().code(), ErrorCode::ARGUMENT);
        let refused = builder.append_with_offset(0, &record, &mut payload);
        assert_eq!(refused.unwrap_err().code(), ErrorCode::ARGUMENT);
        let refused = BatchBuilder::new_control().append_control(&record, &mut payload);
        assert_eq!(refused.unwrap_err().code(), ErrorCode::ARGUMENT);
        assert!(payload.is_empty());
    }
}

#[test]
fn log_append_time_is_the_batchs() {
    let log_append = TimestampType::LogAppendTime;
    let mut builder = BatchBuilder::new(Magic::V2, Codec::None, log_append, 1000).unwrap();
    let mut payload = Vec::new();
    append(&mut builder, &plain(3, b"a"), &mut payload);
    append(&mut builder, &plain(9, b"b"), &mut payload);
    let bytes = finish(&builder, &ProducerIdentity::NONE, &payload);
    assert_eq!(only(&bytes).header().timestamp_type(), log_append);
    assert!(read(&bytes).iter().all(|record| record.timestamp_ms == 9));
}

#[test]
fn offsets_only_rise_and_may_leave_gaps() {
    let (mut builder, mut payload) = (builder(1000), Vec::new());
    builder.append_with_offset(5, &plain(0, b"a"), &mut payload).unwrap();
    let before = payload.len();
    for offset in [0, 4, 5, i32::MAX as u32 + 1, u32::MAX] {
        let refused = builder.append_with_offset(offset, &EMPTY, &mut payload);
        assert_eq!(refused.unwrap_err().code(), ErrorCode::ARGUMENT, "{offset}");
    }
    assert_eq!((payload.len(), builder.count()), (before, 1));
    let size = builder.size_of(&EMPTY);
    assert_eq!(builder.append(&EMPTY, size, &mut payload), 6);
    assert_eq!(builder.summary().last_offset_delta, 6);

    builder.append_with_offset(i32::MAX as u32, &EMPTY, &mut payload).unwrap();
    assert!(builder.is_full());
    assert!(!builder.has_room_for(7));
    let bytes = finish(&builder, &ProducerIdentity::NONE, &payload);
    let offsets: Vec<_> = read(&bytes).iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [5, 6, i64::from(i32::MAX)]);
}

#[test]
fn markers_and_records_do_not_mix() {
    let (mut markers, mut payload) = (BatchBuilder::new_control(), Vec::new());
    let commit = Record { key: Some(&[0, 0, 0, 1]), value: Some(&[0; 6]), ..EMPTY };
    assert_eq!(markers.check(&EMPTY).unwrap_err().code(), ErrorCode::STATE);
    let refused = markers.append_with_offset(0, &EMPTY, &mut payload);
    assert_eq!(refused.unwrap_err().code(), ErrorCode::STATE);
    let refused = builder(1000).append_control(&commit, &mut payload);
    assert_eq!(refused.unwrap_err().code(), ErrorCode::STATE);
    assert!(payload.is_empty());

    assert_eq!(markers.append_control(&commit, &mut payload).unwrap(), 0);
    // Markers belong to a transaction but have no sequence.
    let identity = ProducerIdentity {
        producer_id: 9,
        producer_epoch: 1,
        base_sequence: -1,
        transactional: true,
    };
    let bytes = finish(&markers, &identity, &payload);
    let header = *only(&bytes).header();
    assert!(header.is_control() && header.is_transactional() && header.has_producer_id());
    assert_eq!(header.identity(), identity);
    assert_eq!(read(&bytes)[0].key, commit.key);
}

#[test]
fn identities_with_holes_are_refused() {
    let (mut builder, mut payload) = (builder(1000), Vec::new());
    append(&mut builder, &EMPTY, &mut payload);
    let whole = ProducerIdentity {
        producer_id: 0,
        producer_epoch: 0,
        base_sequence: 0,
        transactional: true,
    };
    let encode = |identity| encode_batch_header(&builder.summary(), &identity, payload.len(), 0);
    assert!(encode(whole).is_ok());
    assert!(encode(ProducerIdentity { transactional: false, ..whole }).is_ok());
    assert!(encode(ProducerIdentity::NONE).is_ok());
    for identity in [
        ProducerIdentity { transactional: true, ..ProducerIdentity::NONE },
        ProducerIdentity { producer_epoch: NO_PRODUCER_EPOCH, ..whole },
        ProducerIdentity { base_sequence: NO_SEQUENCE, ..whole },
    ] {
        assert_eq!(encode(identity).unwrap_err().code(), ErrorCode::STATE);
    }
}

#[test]
fn only_v2_has_a_batch_header() {
    let (mut builder, mut payload) = (builder(1000), Vec::new());
    append(&mut builder, &EMPTY, &mut payload);
    let summary = BatchSummary { magic: Magic::V1, ..builder.summary() };
    let header = encode_batch_header(&summary, &ProducerIdentity::NONE, payload.len(), 0);
    assert_eq!(header.unwrap_err().code(), ErrorCode::UNSUPPORTED);
}

#[test]
fn a_header_names_the_codec_of_its_payload() {
    // The payload may be compressed by somebody else; the header only needs its checksum.
    let (mut builder, mut payload) = (builder(1000), Vec::new());
    append(&mut builder, &EMPTY, &mut payload);
    let summary = BatchSummary { codec: Codec::Zstd, ..builder.summary() };
    let header = encode_batch_header(&summary, &ProducerIdentity::NONE, 4, 0).unwrap();
    assert_eq!(BatchHeader::decode(&header).unwrap().codec(), Some(Codec::Zstd));
}

#[test]
fn what_does_not_fit_32_bits_is_refused() {
    // Untouched zero pages: the memory is never there.
    let gigabyte = vec![0; 1 << 30];
    let record = Record { key: Some(&gigabyte), value: Some(&gigabyte), ..EMPTY };
    let (mut empty, mut payload) = (builder(usize::MAX), Vec::new());
    assert_eq!(empty.check(&record).unwrap_err().code(), ErrorCode::RECORD_TOO_LARGE);
    let refused = empty.append_with_offset(0, &record, &mut payload);
    assert_eq!(refused.unwrap_err().code(), ErrorCode::RECORD_TOO_LARGE);
    assert!(payload.is_empty());
    let key = &gigabyte[1..];
    assert!(empty.check(&Record { key: Some(key), value: Some(&key[100..]), ..EMPTY }).is_ok());

    append(&mut empty, &EMPTY, &mut payload);
    assert!(empty.has_room_for(i32::MAX as usize - empty.bytes()));
    assert!(!empty.has_room_for(i32::MAX as usize - empty.bytes() + 1));
    let none = ProducerIdentity::NONE;
    let most = i32::MAX as usize - 49;
    assert!(encode_batch_header(&empty.summary(), &none, most, 0).is_ok());
    let refused = encode_batch_header(&empty.summary(), &none, most + 1, 0);
    assert_eq!(refused.unwrap_err().code(), ErrorCode::RECORD_TOO_LARGE);
}

#[test]
fn null_and_empty_stay_apart() {
    let fields = [None, Some(&b""[..]), Some(&b"x"[..])];
    for key in fields {
        for value in fields {
            for header_value in fields {
                let headers = [Header { key: "", value: header_value }];
                let record = Record { timestamp_ms: 0, key, value, headers: &headers };
                let bytes = batch(&[record]);
                assert_eq!(read(&bytes)[0].as_record(), record);
            }
        }
    }
}

#[test]
fn a_record_without_headers_takes_few_puts() {
    let value = [1; 100];
    for (record, puts) in [
        (EMPTY, 1),
        (Record { key: Some(b""), value: Some(b""), ..EMPTY }, 1),
        (Record { value: Some(&value), ..EMPTY }, 3),
        (Record { key: Some(b"key"), value: Some(&value), ..EMPTY }, 5),
    ] {
        let (mut builder, mut sink) = (builder(1000), CountingSink::default());
        let size = builder.size_of(&record);
        builder.append(&record, size, &mut sink);
        assert_eq!((sink.bytes.len(), sink.puts), (size, puts));
    }
}

#[test]
fn any_number_of_empty_headers_passes_the_stack_buffer() {
    let headers = [Header { key: "", value: None }; 1000];
    let record = Record { headers: &headers, ..EMPTY };
    let bytes = batch(&[record]);
    assert_eq!(read(&bytes)[0].headers, headers);
}

proptest! {
    #[test]
    fn what_was_written_is_read(records in vec(any_record(), 1..20)) {
        let headers: Vec<_> = records.iter().map(OwnedRecord::headers).collect();
        let records: Vec<_> =
            records.iter().zip(&headers).map(|(record, headers)| record.record(headers)).collect();
        let bytes = batch(&records);
        let back = read(&bytes);
        prop_assert_eq!(back.len(), records.len());
        for (index, (record, back)) in records.iter().zip(&back).enumerate() {
            prop_assert_eq!(&back.as_record(), record);
            prop_assert_eq!(back.offset, index as i64);
        }
        let header = *only(&bytes).header();
        prop_assert_eq!(header.count as usize, records.len());
        prop_assert_eq!(header.last_offset_delta as usize, records.len() - 1);
        prop_assert_eq!(header.base_timestamp_ms, records[0].timestamp_ms);
        let max = records.iter().map(|record| record.timestamp_ms).max();
        prop_assert_eq!(Some(header.max_timestamp_ms), max);
    }

    #[test]
    fn sizes_are_exact_at_any_offset(
        record in any_record(),
        first in any_record(),
        offset in 1..=i32::MAX as u32,
    ) {
        let (headers, first_headers) = (record.headers(), first.headers());
        let (record, first) = (record.record(&headers), first.record(&first_headers));
        let (mut builder, mut payload) = (builder(usize::MAX), Vec::new());
        append(&mut builder, &first, &mut payload);
        builder.append_with_offset(offset, &record, &mut payload).unwrap();
        prop_assert_eq!(builder.bytes(), BATCH_HEADER_BYTES + payload.len());
        let bytes = finish(&builder, &ProducerIdentity::NONE, &payload);
        let back = read(&bytes);
        prop_assert_eq!(back[1].as_record(), record);
        prop_assert_eq!(back[1].offset, i64::from(offset));
    }

    #[test]
    fn the_upper_bound_covers_a_batch_of_one(record in any_record()) {
        let headers = record.headers();
        let record = record.record(&headers);
        let (key, value) = (record.key.map(<[u8]>::len), record.value.map(<[u8]>::len));
        let bound = estimate_size_upper_bound(Magic::V2, Codec::None, key, value, &headers);
        prop_assert!(batch(&[record]).len() <= bound);
    }
}
