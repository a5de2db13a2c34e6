//! Tests of what a partition remembers of its producers. What is expected of current brokers was
//! compared with Kafka 4.4.0 and 2.8.2.

use super::*;
use crate::mock::cluster::Reply;
use crate::mock::testing::{body_of, sequenced, Tester};
use crate::protocol::produce::{decode_response, PartitionResponse};

/// InitProducerId of Kafka 2.3, 2.4 and 4.x.
const GENERATIONS: [i16; 3] = [1, 2, 5];

fn of_generation(init_producer_id: i16) -> Tester {
    let mut tester = Tester::with_topic();
    tester.cluster.set_api_versions(ApiKey::InitProducerId, 0, init_producer_id);
    tester
}

/// Sends `count` records of producer 7 to partition 0.
fn send(tester: &mut Tester, epoch: i16, first: i32, count: usize) -> PartitionResponse {
    tester.produce(1, 9, 0, &sequenced(7, epoch, first, count))
}

fn code(tester: &mut Tester, epoch: i16, first: i32, count: usize) -> i16 {
    send(tester, epoch, first, count).error_code
}

#[test]
fn sequences_follow_each_other_without_a_gap() {
    for generation in GENERATIONS {
        let mut tester = of_generation(generation);
        assert_eq!(code(&mut tester, 0, 0, 3), 0);
        assert_eq!(code(&mut tester, 0, 3, 1), 0);
        let gap = send(&mut tester, 0, 5, 1);
        assert_eq!((gap.error_code, gap.base_offset, gap.log_start_offset), (45, -1, 0));
        assert_eq!(code(&mut tester, 0, 4, 2), 0);
        assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 6);
        assert_eq!(tester.cluster.producer_state("t", 0, 7).unwrap(), Some((0, Some(5))));
        assert_eq!(tester.cluster.producer_state("t", 0, 8).unwrap(), None);
    }
}

#[test]
fn a_repeated_batch_among_the_last_five_succeeds_with_its_old_offset() {
    for generation in GENERATIONS {
        let mut tester = of_generation(generation);
        for first in [0, 2, 4, 6, 8, 10] {
            assert_eq!(code(&mut tester, 0, first, 2), 0);
        }
        for first in [2, 10] {
            let again = send(&mut tester, 0, first, 2);
            assert_eq!((again.error_code, again.base_offset), (0, i64::from(first)));
            assert_eq!(again.log_append_time_ms, 101, "a duplicate tells the batch's time");
        }
        assert_eq!(code(&mut tester, 0, 0, 2), 45, "older than the last five");
        assert_eq!(code(&mut tester, 0, 10, 1), 45, "another count is another batch");
        assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 12);
        assert_eq!(tester.cluster.records("t", 0).unwrap().len(), 12);
    }
}

#[test]
fn a_new_epoch_begins_with_sequence_0_and_fences_the_old_one() {
    for generation in GENERATIONS {
        let mut tester = of_generation(generation);
        assert_eq!(code(&mut tester, 3, 0, 2), 0);
        assert_eq!(code(&mut tester, 4, 2, 1), 45);
        assert_eq!(code(&mut tester, 9, 0, 2), 0);
        assert_eq!(code(&mut tester, 3, 2, 1), 47);
        assert_eq!(code(&mut tester, 3, 0, 2), 47, "not even a duplicate");
        let again = send(&mut tester, 9, 0, 2);
        assert_eq!((again.error_code, again.base_offset), (0, 2));
        assert_eq!(code(&mut tester, 9, 2, 1), 0);
    }
}

#[test]
fn sequences_wrap_around() {
    for generation in GENERATIONS {
        let mut tester = of_generation(generation);
        tester.cluster.set_producer_state("t", 0, 7, (0, i32::MAX - 2)).unwrap();
        assert_eq!(code(&mut tester, 0, i32::MAX - 1, 1), 0);
        assert_eq!(send(&mut tester, 0, i32::MAX, 3).base_offset, 1);
        assert_eq!(code(&mut tester, 0, i32::MAX, 4), 45);
        assert_eq!(code(&mut tester, 0, 0, 1), 45);
        assert_eq!(code(&mut tester, 0, 2, 1), 0);
        let again = send(&mut tester, 0, i32::MAX, 3);
        assert_eq!((again.error_code, again.base_offset), (0, 1));
        tester.cluster.set_producer_state("t", 0, 7, (1, i32::MAX)).unwrap();
        assert_eq!(code(&mut tester, 1, 0, 1), 0);
    }
}

#[test]
fn an_unknown_producer_may_begin_anywhere_since_2_5() {
    for (generation, expected) in [(1, 59), (2, 59), (3, 0), (5, 0)] {
        let mut tester = of_generation(generation);
        let first = send(&mut tester, 0, 7, 2);
        assert_eq!((first.error_code, first.log_start_offset), (expected, 0), "v{generation}");
        if expected == 0 {
            assert_eq!(code(&mut tester, 0, 9, 1), 0);
            assert_eq!(code(&mut tester, 0, 11, 1), 45);
        }
        assert_eq!(tester.produce(2, 9, 1, &sequenced(7, 2, 0, 1)).error_code, 0);
    }
}

#[test]
fn deleted_records_take_their_producer_along_only_until_2_3() {
    for (generation, expected) in [(1, 59), (2, 0), (5, 0)] {
        let mut tester = of_generation(generation);
        assert_eq!(code(&mut tester, 0, 0, 2), 0);
        tester.cluster.delete_records("t", 0, 1).unwrap();
        assert_eq!(code(&mut tester, 0, 2, 2), 0, "a record is left");
        tester.cluster.delete_records("t", 0, 4).unwrap();
        let next = send(&mut tester, 0, 4, 1);
        assert_eq!((next.error_code, next.log_start_offset), (expected, 4), "v{generation}");
    }
}

#[test]
fn retention_takes_producers_along_only_until_2_3() {
    for (generation, expected) in [(1, 59), (5, 0)] {
        let mut tester = of_generation(generation);
        tester.cluster.retain(1);
        assert_eq!(code(&mut tester, 0, 0, 2), 0);
        let other = tester.produce(1, 9, 0, &sequenced(8, 0, 0, 1));
        assert_eq!((other.error_code, other.log_start_offset), (0, 2));
        assert_eq!(code(&mut tester, 0, 2, 1), expected, "v{generation}");
    }
}

#[test]
fn producers_expire() {
    for (generation, expected) in [(1, 59), (5, 0)] {
        let mut tester = of_generation(generation);
        tester.cluster.set_producer_id_expiration_ms(500);
        assert_eq!(code(&mut tester, 4, 0, 2), 0);
        tester.now = tester.now.plus_ms(499);
        assert_eq!(code(&mut tester, 4, 2, 1), 0, "and that counts as a sign of life");
        tester.now = tester.now.plus_ms(499);
        assert_eq!(code(&mut tester, 4, 5, 1), 45);
        tester.now = tester.now.plus_ms(1);
        assert_eq!(code(&mut tester, 4, 5, 1), expected, "v{generation}");

        tester.cluster.forget_producers("t", 0).unwrap();
        assert_eq!(code(&mut tester, 4, 9, 1), expected);
        assert_eq!(code(&mut tester, 0, 0, 1), if expected == 0 { 47 } else { 0 });
    }
}

#[test]
fn another_leader_knows_the_same() {
    let mut tester = Tester::with_topic();
    assert_eq!(code(&mut tester, 0, 0, 2), 0);
    tester.cluster.broker_down(1).unwrap();
    let again = tester.produce(2, 9, 0, &sequenced(7, 0, 0, 2));
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    assert_eq!(tester.produce(2, 9, 0, &sequenced(7, 0, 3, 1)).error_code, 45);
    assert_eq!(tester.produce(2, 9, 0, &sequenced(7, 0, 2, 1)).error_code, 0);
    tester.cluster.recreate_topic("t").unwrap();
    let leader = tester.cluster.leader("t", 0).unwrap().0.unwrap();
    let fresh = tester.produce(leader, 9, 0, &sequenced(7, 0, 0, 2));
    assert_eq!((fresh.error_code, fresh.base_offset), (0, 0), "a new topic knows nobody");
}

#[test]
fn a_batch_stored_behind_an_error_is_found_again() {
    let mut tester = Tester::with_topic();
    let codes = [ErrorCode::REQUEST_TIMED_OUT, ErrorCode::NOT_ENOUGH_REPLICAS];
    tester.cluster.push_partition_errors("t", 0, &codes);
    assert_eq!(code(&mut tester, 0, 0, 2), 7);
    assert_eq!(code(&mut tester, 0, 2, 1), 19);
    let again = send(&mut tester, 0, 0, 2);
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    assert_eq!(code(&mut tester, 0, 2, 1), 0);
    assert_eq!(tester.cluster.log_end_offset("t", 0).unwrap(), 3);

    tester.cluster.fail_append_after_write();
    let frame = tester.produce_frame(9, -1, 0, &sequenced(7, 0, 3, 1));
    assert_eq!(tester.send(1, &frame), Reply::CloseConnection);
    let body = body_of(ApiKey::Produce, 9, tester.send(1, &frame));
    assert_eq!(decode_response(9, &body).unwrap().partitions[0].base_offset, 3);
}

#[test]
fn nothing_is_remembered_of_what_was_refused() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_max_message_bytes("t", 10).unwrap();
    assert_eq!(code(&mut tester, 0, 0, 1), 10);
    assert_eq!(tester.cluster.producer_state("t", 0, 7).unwrap(), None);
}

#[test]
fn the_brokers_time_is_kept_for_duplicates() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_log_append_time("t", true).unwrap();
    assert_eq!(send(&mut tester, 0, 0, 1).log_append_time_ms, 1000);
    tester.now = tester.now.plus_ms(70);
    assert_eq!(send(&mut tester, 0, 0, 1).log_append_time_ms, 1000);
}

#[test]
fn a_first_epoch_on_order_counts_once() {
    use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
    let mut tester = Tester::new(1);
    tester.cluster.set_next_epoch(i16::MAX - 1);
    let request = InitProducerIdRequest::default().with_transactional_id(None);
    let mut epoch = || -> i16 {
        let answer: InitProducerIdResponse = tester.call(1, ApiKey::InitProducerId, 4, &request);
        answer.producer_epoch
    };
    assert_eq!((epoch(), epoch()), (i16::MAX - 1, 0));
}

#[test]
fn whoever_has_an_open_transaction_is_not_forgotten() {
    use crate::mock::testing::transactional;
    let mut tester = Tester::with_topic();
    tester.cluster.set_kafka_version("2.8").unwrap();
    tester.cluster.set_producer_id_expiration_ms(500);
    let write = |tester: &mut Tester, first| {
        tester.produce_in(Some("x"), 9, 0, &transactional(7, 0, first, 1)).error_code
    };
    assert_eq!(write(&mut tester, 0), 0);
    tester.now = tester.now.plus_ms(10_000);
    assert_eq!(write(&mut tester, 5), 45, "it did not expire");
    tester.cluster.forget_producers("t", 0).unwrap();
    assert_eq!(write(&mut tester, 5), 45);
    assert_eq!(write(&mut tester, 1), 0);
}
