//! Tests of Produce.

use super::*;
use crate::mock::cluster::Reply;
use crate::mock::testing::{batch, with_right_crc, Tester};
use crate::mock::OwnedRecord;
use crate::protocol::ApiKey;
use crate::record::compress::{Compression, Encoder};
use crate::record::{assemble_records, Codec, Magic, Record};

fn ab() -> Vec<u8> {
    batch(&[(Some("a"), "1"), (None, "2")])
}

#[test]
fn every_version_appends_and_the_records_can_be_read_back() {
    for version in 3..=13 {
        let mut tester = Tester::with_topic();
        let first = tester.produce(2, version, 1, &ab());
        let second = tester.produce(2, version, 1, &batch(&[(None, "3")]));
        assert_eq!((first.error_code, first.base_offset), (0, 0), "v{version}");
        assert_eq!((second.error_code, second.base_offset), (0, 2), "v{version}");
        assert_eq!(second.log_append_time_ms, -1);
        assert_eq!(second.log_start_offset, if version >= 5 { 0 } else { -1 });
        assert_eq!(tester.cluster.log_end_offset("t", 1).unwrap(), 3);
        let records = tester.cluster.records("t", 1).unwrap();
        let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
        assert_eq!(offsets, [0, 1, 2]);
        let first = OwnedRecord {
            offset: 0,
            timestamp_ms: 100,
            key: Some(b"a".to_vec()),
            value: Some(b"1".to_vec()),
            headers: Vec::new(),
        };
        assert_eq!(records[0], first);
    }
}

#[test]
fn another_broker_refuses_and_names_the_leader() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_leader("t", 0, Some(3)).unwrap();
    let old = tester.produce_response(1, 9, 0, &ab());
    assert_eq!(old.partitions[0].error_code, 6);
    assert_eq!((old.partitions[0].current_leader, old.node_endpoints.len()), (None, 0));
    let new = tester.produce_response(1, 10, 0, &ab());
    assert_eq!(new.partitions[0].error_code, 6);
    assert_eq!(new.partitions[0].current_leader, Some((3, 1)));
    let endpoint = &new.node_endpoints[0];
    assert_eq!((endpoint.node_id, endpoint.port), (3, 9094));
    assert_eq!(tester.produce(3, 10, 0, &ab()).error_code, 0);
    tester.cluster.set_leader("t", 0, None).unwrap();
    let leaderless = tester.produce_response(3, 10, 0, &ab());
    assert_eq!(leaderless.partitions[0].error_code, 6);
    assert_eq!(leaderless.partitions[0].current_leader, None);
}

#[test]
fn unknown_topics_ids_and_partitions() {
    let mut tester = Tester::with_topic();
    assert_eq!(tester.produce(1, 9, 3, &ab()).error_code, 3);
    assert_eq!(tester.produce(1, 9, -1, &ab()).error_code, 3);
    let by_old_id = tester.produce_frame(13, -1, 0, &ab());
    tester.cluster.recreate_topic("t").unwrap();
    let reply = tester.send(1, &by_old_id);
    let body = crate::mock::testing::body_of(ApiKey::Produce, 13, reply);
    let response = crate::protocol::produce::decode_response(13, &body).unwrap();
    assert_eq!(response.partitions[0].error_code, 100);
    assert_eq!(tester.produce(1, 13, 0, &ab()).error_code, 0);
    tester.cluster.delete_topic("t").unwrap();
    assert_eq!(tester.produce(1, 12, 0, &ab()).error_code, 3);
}

#[test]
fn corrupt_bytes_are_told_from_invalid_records() {
    let mut tester = Tester::with_topic();
    let mut flipped = ab();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(tester.produce_code(&flipped), ErrorCode::CORRUPT_MESSAGE);
    let cut = &ab()[..70];
    assert_eq!(tester.produce_code(cut), ErrorCode::CORRUPT_MESSAGE);
    let two = [ab(), ab()].concat();
    assert_eq!(tester.produce_code(&two), ErrorCode::INVALID_RECORD);
    assert_eq!(tester.produce_code(&[]), ErrorCode::INVALID_RECORD);
    let mut old_format = ab();
    old_format[16] = 1;
    assert_eq!(tester.produce_code(&old_format), ErrorCode::INVALID_RECORD);
    // Record counts, base offset, control bit, timestamp type: right checksum, wrong header.
    for (at, value) in [(60, 3), (26, 4), (22, 0x20), (7, 1)] {
        let mut wrong = ab();
        wrong[at] = value;
        let code = tester.produce_code(&with_right_crc(wrong));
        assert_eq!(code, ErrorCode::INVALID_RECORD, "byte {at}");
    }
    let mut stamped = ab();
    stamped[22] |= 8;
    assert_eq!(tester.produce_code(&with_right_crc(stamped)), ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 0);

    tester.cluster.set_verify(false);
    assert_eq!(tester.produce_code(&flipped), ErrorCode::NONE);
}

fn set(magic: Magic, codec: Codec, values: &[&str]) -> Vec<u8> {
    let records = values.iter().map(|value| Record {
        timestamp_ms: 100,
        key: Some(b"k"),
        value: Some(value.as_bytes()),
        headers: &[],
    });
    assemble_records(magic, Compression::new(codec), records, &mut Encoder::new()).unwrap()
}

#[test]
fn zstd_needs_a_version_whose_clients_know_it() {
    let mut tester = Tester::with_topic();
    let zstd = set(Magic::V2, Codec::Zstd, &["a"]);
    assert_eq!(tester.produce(1, 6, 0, &zstd).error_code, 76);
    assert_eq!(tester.produce(1, 7, 0, &zstd).error_code, 0);
}

#[test]
fn compressed_batches_are_read_and_given_back() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut tester = Tester::with_topic();
        let bytes = set(Magic::V2, codec, &["a", "b"]);
        assert_eq!(tester.produce_code(&bytes), ErrorCode::NONE, "{codec}");
        let values: Vec<_> =
            tester.cluster.records("t", 0).unwrap().into_iter().map(|r| r.value.unwrap()).collect();
        assert_eq!(values, [b"a", b"b"]);
        assert_eq!(tester.cluster.log_bytes("t", 0).unwrap()[61..], bytes[61..], "as they came");
        // Behind a right checksum, bytes that the codec did not write.
        let mut broken = bytes;
        broken.truncate(64);
        let length = broken.len() as u32 - 12;
        broken[8..12].copy_from_slice(&length.to_be_bytes());
        let code = tester.produce_code(&with_right_crc(broken));
        assert_eq!(code, ErrorCode::CORRUPT_MESSAGE, "{codec}");
    }
}

fn old_tester(produce_max: i16) -> Tester {
    let mut tester = Tester::with_topic();
    tester.cluster.set_api_versions(ApiKey::Produce, 0, produce_max);
    tester
}

#[test]
fn message_sets_of_old_clients_are_stored_as_batches() {
    let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4];
    let formats = [(Magic::V0, 0), (Magic::V0, 1), (Magic::V0, 2), (Magic::V1, 2)];
    for (magic, version) in formats {
        for codec in codecs {
            let mut tester = old_tester(2);
            let bytes = set(magic, codec, &["a", "b"]);
            let two = [bytes.clone(), bytes].concat();
            let answer = tester.produce(1, version, 0, &two);
            assert_eq!((answer.error_code, answer.base_offset), (0, 0), "v{version} {codec}");
            let records = tester.cluster.records("t", 0).unwrap();
            let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
            assert_eq!(offsets, [0, 1, 2, 3]);
            let time = if magic == Magic::V1 { 100 } else { -1 };
            assert!(records.iter().all(|record| record.timestamp_ms == time));
            assert_eq!(records[1].value.as_deref(), Some(&b"b"[..]));
            let log = tester.cluster.log_bytes("t", 0).unwrap();
            let entry = crate::record::entries(&log).next().unwrap().unwrap();
            assert_eq!((entry.magic(), entry.codec()), (Magic::V2, Some(codec)));
        }
    }
}

#[test]
fn each_version_of_produce_takes_its_formats_only() {
    let mut tester = old_tester(13);
    for (magic, version, code) in [
        (Magic::V1, 0, 87),
        (Magic::V1, 1, 87),
        (Magic::V2, 2, 87),
        (Magic::V0, 3, 87),
        (Magic::V1, 9, 87),
        (Magic::V1, 2, 0),
    ] {
        let bytes = set(magic, Codec::None, &["a"]);
        let answer = tester.produce(1, version, 0, &bytes);
        assert_eq!(answer.error_code, code, "{magic:?} in Produce v{version}");
    }
}

#[test]
fn message_sets_are_checked_like_batches() {
    let mut tester = old_tester(2);
    let good = set(Magic::V1, Codec::None, &["a", "b"]);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(tester.produce(1, 2, 0, &flipped).error_code, 2);
    assert_eq!(tester.produce(1, 2, 0, &good[..good.len() - 1]).error_code, 2);
    assert_eq!(tester.produce(1, 2, 0, &[]).error_code, 87);
    // Each message, not the set, has to keep within the limit.
    tester.cluster.set_max_message_bytes("t", good.len() - 1).unwrap();
    assert_eq!(tester.produce(1, 2, 0, &good).error_code, 0);
    tester.cluster.set_max_message_bytes("t", good.len() / 2 - 1).unwrap();
    assert_eq!(tester.produce(1, 2, 0, &good).error_code, 10);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 2);
}

#[test]
fn the_record_at_fault_is_named() {
    let mut tester = Tester::with_topic();
    // The second record's length, made one too short.
    let mut bad = ab();
    let second = 61 + 1 + (bad[61] / 2) as usize;
    bad[second] -= 2;
    let answer = tester.produce(1, 8, 0, &with_right_crc(bad));
    assert_eq!(answer.error_code, 87);
    assert_eq!(answer.record_errors.len(), 1);
    assert_eq!(answer.record_errors[0].0, 1);
    assert!(answer.error_message.is_some());
    assert_eq!(answer.base_offset, -1);
}

#[test]
fn a_compacted_topic_names_every_record_without_a_key() {
    let mut tester = Tester::with_topic();
    let settings = crate::mock::TopicSettings { compacted: true, ..Default::default() };
    tester.cluster.set_topic_settings("t", settings).unwrap();
    let mixed = batch(&[(None, "1"), (Some("k"), "2"), (None, "3")]);
    let answer = tester.produce(1, 9, 0, &mixed);
    assert_eq!(answer.error_code, 87);
    let indexes: Vec<i32> = answer.record_errors.iter().map(|error| error.0).collect();
    assert_eq!(indexes, [0, 2]);
    assert_eq!(tester.produce_code(&batch(&[(Some("k"), "2")])), ErrorCode::NONE);
}

#[test]
fn too_large_is_counted_in_bytes_of_the_batch() {
    let mut tester = Tester::with_topic();
    let bytes = ab();
    tester.cluster.set_max_message_bytes("t", bytes.len() - 1).unwrap();
    assert_eq!(tester.produce_code(&bytes), ErrorCode::MESSAGE_TOO_LARGE);
    tester.cluster.set_max_message_bytes("t", bytes.len()).unwrap();
    assert_eq!(tester.produce_code(&bytes), ErrorCode::NONE);
}

#[test]
fn acks_are_checked_against_the_replicas_in_sync() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_min_insync_replicas("t", 2).unwrap();
    tester.cluster.set_in_sync("t", 0, &[1]).unwrap();
    assert_eq!(tester.produce_code(&ab()), ErrorCode::NOT_ENOUGH_REPLICAS);
    let only_leader = tester.produce_frame(9, 1, 0, &ab());
    assert!(matches!(tester.send(1, &only_leader), Reply::Respond { .. }));
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 2);
    let two = tester.produce_frame(9, 2, 0, &ab());
    let body = crate::mock::testing::body_of(ApiKey::Produce, 9, tester.send(1, &two));
    let response = crate::protocol::produce::decode_response(9, &body).unwrap();
    assert_eq!(response.partitions[0].error_code, 21);
}

#[test]
fn without_acks_success_is_silent_and_an_error_closes() {
    let mut tester = Tester::with_topic();
    let frame = tester.produce_frame(9, 0, 0, &ab());
    assert_eq!(tester.send(1, &frame), Reply::None);
    assert_eq!(tester.send(2, &frame), Reply::CloseConnection);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 2);
}

#[test]
fn the_brokers_time_goes_into_answer_and_log() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_log_append_time("t", true).unwrap();
    tester.cluster.set_wall_origin_ms(1_700_000_000_000);
    let answer = tester.produce(1, 9, 0, &ab());
    assert_eq!(answer.log_append_time_ms, 1_700_000_001_000);
    let records = tester.cluster.records("t", 0).unwrap();
    assert!(records.iter().all(|record| record.timestamp_ms == 1_700_000_001_000));
    let bytes = tester.cluster.log_bytes("t", 0).unwrap();
    let stored = crate::record::batches(&bytes).next().unwrap().unwrap();
    assert!(stored.verify_crc().is_ok());
}

#[test]
fn errors_on_order_come_before_or_after_the_append_as_a_broker_has_them() {
    let mut tester = Tester::with_topic();
    let codes = [ErrorCode::KAFKA_STORAGE_ERROR, ErrorCode::NONE, ErrorCode::REQUEST_TIMED_OUT];
    tester.cluster.push_partition_errors("t", 0, &codes);
    let mut answers = Vec::new();
    for round in 0..5 {
        if round == 1 {
            let codes = [ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode::NONE];
            tester.cluster.push_errors(ApiKey::Produce, &codes);
        }
        let answer = tester.produce(1, 9, 0, &ab());
        answers.push((answer.error_code, answer.base_offset));
    }
    assert_eq!(answers, [(56, -1), (20, 0), (7, 2), (0, 4), (0, 6)]);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 8);
}

#[test]
fn a_topic_error_lasts_until_it_is_taken_back() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_topic_error("t", Some(ErrorCode::TOPIC_AUTHORIZATION_FAILED));
    assert_eq!(tester.produce_code(&ab()), ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    assert_eq!(tester.produce_code(&ab()), ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    tester.cluster.set_topic_error("t", None);
    assert_eq!(tester.produce_code(&ab()), ErrorCode::NONE);
}

#[test]
fn a_lost_answer_leaves_the_batch_in_the_log() {
    let mut tester = Tester::with_topic();
    tester.cluster.fail_append_after_write();
    let frame = tester.produce_frame(9, -1, 0, &ab());
    assert_eq!(tester.send(1, &frame), Reply::CloseConnection);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 2);
    tester.cluster.drop_connection_on_next(ApiKey::Produce);
    assert_eq!(tester.send(1, &frame), Reply::CloseConnection);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 2);
    tester.cluster.push_errors(ApiKey::Produce, &[ErrorCode::TRANSPORT]);
    assert_eq!(tester.send(1, &frame), Reply::CloseConnection);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 2);
}

#[test]
fn nothing_is_kept_when_discarding() {
    let mut tester = Tester::with_topic();
    tester.cluster.discard();
    assert_eq!(tester.produce(1, 9, 0, &ab()).base_offset, 0);
    let second = tester.produce(1, 9, 0, &ab());
    assert_eq!((second.base_offset, second.log_start_offset), (2, 4));
    assert!(tester.cluster.records("t", 0).unwrap().is_empty());
}
