//! Tests of transactions through requests, in both generations of the protocol: with
//! `transaction.version` 1 (partitions and offsets are added by request, epochs last) and 2.

use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, EndTxnRequest,
    EndTxnResponse, FindCoordinatorRequest, FindCoordinatorResponse, GroupId,
    InitProducerIdRequest, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};

use super::testing::{text, Bench, ID, OLD, V1, V2};
use super::transaction::Identity;
use super::{CoordinatorKind, TransactionState};
use crate::error::ErrorCode;
use crate::mock::cluster::{PeerId, Reply};
use crate::mock::testing::{sequenced, transactional};
use crate::protocol::{encode_request, ApiKey};
use crate::time::Time;

#[test]
fn committed_records_appear_together_and_aborted_ones_never() {
    for client in [OLD, V1, V2] {
        let mut bench = Bench::ready(client);
        for (round, commit) in [true, false, true].into_iter().enumerate() {
            let before = (bench.committed(0), bench.committed(1));
            bench.add(&[0, 1]);
            let first = match client.transaction_version {
                2 => 0,
                _ => round as i32,
            };
            assert_eq!(bench.write(0, first, 1).error_code, 0, "{client:?} {round}");
            assert_eq!(bench.write(1, first, 1).error_code, 0);
            assert_eq!((bench.committed(0), bench.committed(1)), before, "not decided yet");
            assert_eq!(bench.state(), TransactionState::Ongoing);
            bench.end(commit).unwrap();
            let more = usize::from(commit);
            assert_eq!(
                (bench.committed(0), bench.committed(1)),
                (before.0 + more, before.1 + more)
            );
        }
        assert_eq!(bench.state(), TransactionState::CompleteCommit);
        assert_eq!(bench.tester.cluster.records("t", 0).unwrap().len(), 3);
        assert_eq!(bench.tester.cluster.log_end_offset("t", 0).unwrap(), 6, "three markers");
        let epochs = if client.transaction_version == 2 { 3 } else { 0 };
        assert_eq!(bench.held.epoch, epochs);
    }
}

#[test]
fn markers_carry_the_epoch_of_their_generation() {
    for (client, epoch) in [(V1, 0), (V2, 1)] {
        let mut bench = Bench::ongoing(client);
        bench.tester.cluster.set_coordinator(CoordinatorKind::Transaction, ID, Some(2)).unwrap();
        bench.end(false).unwrap();
        let bytes = bench.tester.cluster.log_bytes("t", 0).unwrap();
        let marker = crate::record::batches(&bytes).last().unwrap().unwrap();
        assert!(marker.verify_crc().is_ok());
        let header = marker.header();
        assert!(header.is_control() && header.is_transactional());
        assert_eq!((header.base_offset, header.producer_epoch), (2, epoch));
        let record = marker.records().next().unwrap().unwrap();
        assert_eq!(record.key.unwrap(), [0, 0, 0, 0]);
        assert_eq!(record.value.unwrap(), [0, 0, 0, 0, 0, 1], "the coordinator's epoch");
    }
}

#[test]
fn a_batch_outside_of_its_transaction_is_refused_in_words_its_client_knows() {
    for (version, expected) in [(3, 48), (8, 48), (10, 48), (11, 120)] {
        let mut bench = Bench::ready(V1);
        let answer = bench.write_at(version, bench.held, 0, 0, 1);
        assert_eq!((answer.error_code, answer.log_start_offset), (expected, -1), "v{version}");
        bench.add(&[1]);
        assert_eq!(bench.write_at(version, bench.held, 0, 0, 1).error_code, expected);
        bench.add(&[0]);
        assert_eq!(bench.write_at(version, bench.held, 0, 0, 1).error_code, 0);
        bench.end(true).unwrap();
        assert_eq!(bench.write_at(version, bench.held, 0, 1, 1).error_code, expected, "no more");
    }
    let mut bench = Bench::ready(OLD);
    assert_eq!(bench.write(0, 0, 1).error_code, 0, "before KIP-890 nobody asks");
    assert_eq!(bench.tester.cluster.last_stable_offset("t", 0).unwrap(), 0, "and it hangs");
}

#[test]
fn who_writes_for_somebody_else_is_refused() {
    use ErrorCode as E;
    for client in [V1, V2] {
        let mut bench = Bench::ready(client);
        let Identity { id, epoch } = bench.held;
        let mut code = |records: &[u8], transactional_id: Option<&str>| {
            let answer = bench.tester.produce_in(transactional_id, client.produce, 0, records);
            ErrorCode::from_broker(answer.error_code)
        };
        let right = transactional(id, epoch, 0, 1);
        assert_eq!(code(&right, None), E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
        assert_eq!(code(&right, Some("unknown")), E::INVALID_PRODUCER_ID_MAPPING);
        let other = transactional(id + 1, epoch, 0, 1);
        assert_eq!(code(&other, Some(ID)), E::INVALID_PRODUCER_ID_MAPPING);
        let ahead = transactional(id, epoch + 1, 0, 1);
        assert_eq!(code(&ahead, Some(ID)), E::INVALID_PRODUCER_EPOCH);
        assert_eq!(bench.tester.cluster.log_end_offset("t", 0).unwrap(), 0);
    }
}

#[test]
fn a_record_outside_of_the_open_transaction_is_refused() {
    let mut bench = Bench::ongoing(V1);
    let plain = sequenced(bench.held.id, bench.held.epoch, 2, 1);
    assert_eq!(bench.tester.produce(1, 11, 0, &plain).error_code, 48);
    bench.end(true).unwrap();
    assert_eq!(bench.tester.produce(1, 11, 0, &plain).error_code, 0);
}

#[test]
fn the_first_batch_of_a_new_transaction_has_sequence_0_since_version_2() {
    let mut bench = Bench::ready(V2);
    assert_eq!(bench.write(0, 5, 1).error_code, 45, "though the partition knows nothing");
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    bench.end(true).unwrap();
    assert_eq!(bench.write(0, 1, 1).error_code, 45);
    assert_eq!(bench.write(0, 0, 1).error_code, 0);

    let mut bench = Bench::ready(V1);
    bench.add(&[0]);
    assert_eq!(bench.write(0, 5, 1).error_code, 0);
}

#[test]
fn a_batch_does_not_overtake_one_that_could_not_be_verified() {
    let mut bench = Bench::ready(V1);
    bench.tester.cluster.set_coordinator(CoordinatorKind::Transaction, ID, None).unwrap();
    assert_eq!(bench.write(0, 0, 1).error_code, 19, "a retriable error that older clients know");
    bench.tester.cluster.set_coordinator(CoordinatorKind::Transaction, ID, Some(1)).unwrap();
    bench.add(&[0]);
    assert_eq!(bench.write(0, 1, 1).error_code, 45);
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    assert_eq!(bench.write(0, 1, 1).error_code, 0);
}

#[test]
fn while_markers_are_on_their_way_everything_has_to_wait() {
    for client in [V1, V2] {
        let mut bench = Bench::ongoing(client);
        bench.tester.cluster.set_marker_delay_ms(30);
        let before = bench.held;
        bench.end(true).unwrap();
        let after = bench.held;
        assert_eq!(bench.state(), TransactionState::PrepareCommit);
        assert_eq!(bench.committed(0), 0);
        assert_eq!(bench.add_at(3, after, "t", &[1]), [51]);
        assert_eq!(bench.add_offsets(3, after), 51);
        let expected = if client.produce >= 12 { 51 } else { 19 };
        assert_eq!(bench.write(1, 0, 1).error_code, expected);
        assert_eq!(bench.init(None), Err(ErrorCode::CONCURRENT_TRANSACTIONS));
        let again = bench.end_at(client.end, before, true);
        assert_eq!(again, Err(ErrorCode::CONCURRENT_TRANSACTIONS));
        let other = bench.end_at(client.end, before, false);
        assert_eq!(other, Err(ErrorCode::INVALID_TXN_STATE));

        bench.advance_ms(29);
        assert_eq!(bench.state(), TransactionState::PrepareCommit);
        assert_eq!(bench.tester.cluster.next_due(), bench.tester.now.plus_ms(1));
        bench.advance_ms(1);
        assert_eq!((bench.state(), bench.committed(0)), (TransactionState::CompleteCommit, 2));
        assert_eq!(bench.tester.cluster.next_due(), Time::NEVER);
        assert_eq!(bench.end_at(client.end, before, true), Ok(after), "it was done before");
        assert_eq!(bench.init(None).unwrap(), Bench::bumped(after, 1));
    }
}

#[test]
fn markers_wait_for_a_leader() {
    for client in [V1, V2] {
        let mut bench = Bench::ready(client);
        bench.add(&[0, 1]);
        assert_eq!(bench.write(0, 0, 1).error_code, 0);
        assert_eq!(bench.write(1, 0, 1).error_code, 0);
        bench.tester.cluster.set_leader("t", 0, None).unwrap();
        bench.end(true).unwrap();
        bench.advance_ms(1000);
        assert_eq!((bench.committed(0), bench.committed(1)), (0, 1));
        assert_eq!(bench.state(), TransactionState::PrepareCommit);
        let left = bench.tester.cluster.transaction(ID).unwrap().partitions;
        assert_eq!(left.into_iter().collect::<Vec<_>>(), [("t".to_owned(), 0)]);
        let next = bench.tester.cluster.next_due();
        assert!(
            next > bench.tester.now && next < Time::NEVER,
            "nobody looks without end: {next:?}"
        );
        bench.tester.cluster.set_leader("t", 0, Some(3)).unwrap();
        bench.advance_ms(0);
        assert_eq!((bench.committed(0), bench.state()), (1, TransactionState::CompleteCommit));
    }
}

#[test]
fn a_topic_that_is_gone_needs_no_marker() {
    let mut bench = Bench::ongoing(V2);
    bench.tester.cluster.delete_topic("t").unwrap();
    bench.end(true).unwrap();
    assert_eq!(bench.state(), TransactionState::CompleteCommit);
}

#[test]
fn a_second_producer_fences_the_first() {
    for client in [OLD, V1, V2] {
        let mut bench = Bench::ongoing(client);
        let old = bench.held;
        assert_eq!(bench.init(None), Err(ErrorCode::CONCURRENT_TRANSACTIONS), "abort comes first");
        let new = bench.init(None).unwrap();
        assert_eq!(new, Bench::bumped(old, 2));
        assert_eq!((bench.committed(0), bench.state()), (0, TransactionState::Empty));
        let codes = |bench: &mut Bench, add, end| {
            let add = bench.add_at(add, old, "t", &[1])[0];
            (add, bench.end_at(end, old, true).unwrap_err().value())
        };
        assert_eq!(codes(&mut bench, 3, 3), (90, 90));
        assert_eq!(codes(&mut bench, 1, 1), (47, 47), "older clients do not know 90");
        assert_eq!((bench.add_offsets(3, old), bench.add_offsets(1, old)), (90, 47));
        assert_eq!(bench.write(0, 2, 1).error_code, 47);
        let elsewhere = bench.write(1, 0, 1).error_code;
        assert_eq!(elsewhere, if client.produce < 11 { 0 } else { 47 }, "nobody asks in 2.8");
        let fenced = bench.init(Some(old));
        assert_eq!(fenced, Err(ErrorCode::PRODUCER_FENCED));
        let fenced = bench.init_at(3, Some(old), 60_000);
        assert_eq!(fenced, Err(ErrorCode::INVALID_PRODUCER_EPOCH));
        bench.held = new;
        bench.add(&[0]);
        assert_eq!(bench.write(0, 0, 1).error_code, 0);
        bench.end(true).unwrap();
        assert_eq!(bench.committed(0), 1);
    }
}

#[test]
fn a_producer_bumps_its_own_epoch() {
    for client in [V1, V2] {
        let mut bench = Bench::ready(client);
        let held = bench.held;
        assert_eq!(bench.init(Some(held)), Ok(Bench::bumped(held, 1)));
        assert_eq!(bench.init(Some(held)), Ok(Bench::bumped(held, 1)), "its answer was lost");
        let other = Identity { id: held.id + 7, epoch: 0 };
        assert_eq!(bench.init(Some(other)), Err(ErrorCode::PRODUCER_FENCED));
        let half = Identity { epoch: -1, ..held };
        assert_eq!(bench.init(Some(half)), Err(ErrorCode::INVALID_REQUEST));
    }
}

#[test]
fn every_version_of_init_producer_id_gives_epochs() {
    for version in 0..=5 {
        let mut bench = Bench::new(V2);
        let first = bench.init_at(version, None, 1000).unwrap();
        let second = bench.init_at(version, None, 900_000).unwrap();
        assert_eq!((first.epoch, second), (0, Bench::bumped(first, 1)), "v{version}");
        for timeout_ms in [0, -1, 900_001] {
            let refused = bench.init_at(version, None, timeout_ms);
            assert_eq!(refused, Err(ErrorCode::INVALID_TRANSACTION_TIMEOUT));
        }
    }
}

#[test]
fn a_transaction_that_takes_too_long_is_given_up() {
    for client in [OLD, V1, V2] {
        let mut bench = Bench::new(client);
        bench.held = bench.init_at(client.init, None, 1000).unwrap();
        let held = bench.held;
        bench.add(&[0]);
        assert_eq!(bench.write(0, 0, 1).error_code, 0);
        bench.advance_ms(600);
        bench.add(&[1]);
        assert_eq!(bench.write(1, 0, 1).error_code, 0, "which does not extend it");
        bench.advance_ms(399);
        assert_eq!(bench.state(), TransactionState::Ongoing);
        bench.advance_ms(1);
        assert_eq!((bench.state(), bench.committed(0)), (TransactionState::CompleteAbort, 0));
        assert_eq!(bench.tester.cluster.last_stable_offset("t", 0).unwrap(), 2);

        assert_eq!(bench.write(0, 1, 1).error_code, 47);
        let ends = [true, false].map(|commit| bench.end_at(client.end, held, commit));
        let back = bench.init(Some(held));
        if client.end >= 5 {
            let next = Bench::bumped(held, 1);
            assert_eq!(ends, [Err(ErrorCode::INVALID_TXN_STATE), Ok(next)]);
            assert_eq!(back, Ok(next), "KIP-588");
        } else {
            assert_eq!(ends, [Err(ErrorCode::PRODUCER_FENCED); 2]);
            assert_eq!(back, Err(ErrorCode::PRODUCER_FENCED));
        }
    }
}

#[test]
fn an_end_without_a_transaction() {
    let mut bench = Bench::ready(V1);
    for commit in [true, false] {
        assert_eq!(bench.end(commit), Err(ErrorCode::INVALID_TXN_STATE));
    }
    let mut bench = Bench::ready(V2);
    let held = bench.held;
    assert_eq!(bench.end(true), Err(ErrorCode::INVALID_TXN_STATE));
    assert_eq!(
        bench.end(false),
        Ok(Bench::bumped(held, 1)),
        "an abort bumps the epoch all the same"
    );
    assert_eq!(bench.end(false), Ok(Bench::bumped(held, 2)));
    assert_eq!(bench.tester.cluster.log_end_offset("t", 0).unwrap(), 0);
}

#[test]
fn generations_change_between_two_transactions() {
    let mut bench = Bench::ongoing(V1);
    bench.end(true).unwrap();
    bench.client = V2;
    let held = bench.held;
    assert_eq!(bench.write(0, 2, 1).error_code, 0, "the sequence of the same epoch goes on");
    assert_eq!(bench.end(true), Ok(Bench::bumped(held, 1)));
    bench.client = V1;
    bench.add(&[0]);
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    bench.end(true).unwrap();
    assert_eq!((bench.held, bench.committed(0)), (Bench::bumped(held, 1), 4));
}

#[test]
fn epochs_run_out_and_the_answer_names_the_next_producer() {
    let mut bench = Bench::new(V2);
    let id = bench.tester.cluster.set_transactional_epoch(ID, i16::MAX - 2);
    bench.held = bench.init(None).unwrap();
    assert_eq!(bench.held, Identity { id, epoch: i16::MAX - 1 });
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    let last = bench.held;
    let next = bench.end(true).unwrap();
    assert_eq!((next.epoch, next.id > id), (0, true));
    assert_eq!(bench.end_at(5, last, true), Ok(next), "asked again");
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    bench.end(true).unwrap();
    assert_eq!(bench.committed(0), 2);

    let mut bench = Bench::new(V1);
    let id = bench.tester.cluster.set_transactional_epoch(ID, i16::MAX - 1);
    let next = bench.init(None).unwrap();
    assert_eq!((next.epoch, next.id > id), (0, true));
}

#[test]
fn partitions_are_added_all_or_none() {
    for version in 0..=3 {
        let mut bench = Bench::ready(V1);
        let held = bench.held;
        assert_eq!(bench.add_at(version, held, "t", &[0, 9, 1]), [55, 3, 55]);
        assert_eq!(bench.add_at(version, held, "unknown", &[0]), [3]);
        let denied = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
        bench.tester.cluster.set_topic_error("t", Some(denied));
        assert_eq!(bench.add_at(version, held, "t", &[0]), [29]);
        bench.tester.cluster.set_topic_error("t", None);
        assert_eq!(bench.state(), TransactionState::Empty);
        assert_eq!(bench.add_at(version, held, "t", &[0, 1]), [0, 0]);
        assert_eq!(bench.add_at(version, held, "t", &[0]), [0], "known already");
        let other = Identity { id: held.id + 1, ..held };
        assert_eq!(bench.add_at(version, other, "t", &[0]), [49]);
    }
}

#[test]
fn brokers_ask_for_several_transactions_at_once() {
    for version in 4..=5 {
        let mut bench = Bench::ready(V1);
        let held = bench.held;
        let ask = |bench: &mut Bench, id: &str, verify_only| {
            let topic = AddPartitionsToTxnTopic::default()
                .with_name(TopicName(text("t")))
                .with_partitions(vec![0]);
            let one = AddPartitionsToTxnTransaction::default()
                .with_transactional_id(TransactionalId(text(id)))
                .with_producer_id(ProducerId(held.id))
                .with_producer_epoch(held.epoch)
                .with_verify_only(verify_only)
                .with_topics(vec![topic]);
            let request = AddPartitionsToTxnRequest::default().with_transactions(vec![one]);
            let broker = bench.coordinator();
            let answer: AddPartitionsToTxnResponse =
                bench.tester.call(broker, ApiKey::AddPartitionsToTxn, version, &request);
            let result = &answer.results_by_transaction[0];
            assert_eq!(result.transactional_id.0.as_str(), id);
            result.topic_results[0].results_by_partition[0].partition_error_code
        };
        assert_eq!(ask(&mut bench, ID, true), 120);
        assert_eq!(bench.state(), TransactionState::Empty);
        assert_eq!(ask(&mut bench, ID, false), 0);
        assert_eq!(ask(&mut bench, ID, true), 0);
    }
}

#[test]
fn only_the_coordinator_answers() {
    for client in [V1, V2] {
        let mut bench = Bench::ongoing(client);
        let first = bench.coordinator();
        let next = first % 3 + 1;
        bench.tester.cluster.set_coordinator_load_ms(100);
        bench.tester.cluster.broker_down(first).unwrap();
        let held = bench.held;
        let moved = bench.coordinator();
        assert_ne!(moved, first);
        assert_eq!(
            bench.end_at(client.end, held, true),
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)
        );
        assert_eq!(bench.add_at(3, held, "t", &[1]), [14]);
        bench.advance_ms(100);
        assert_eq!(bench.init(Some(Identity { id: 1, epoch: 1 })), Err(ErrorCode::PRODUCER_FENCED));

        bench.tester.cluster.broker_up(first).unwrap();
        assert_eq!(bench.coordinator(), moved, "it does not come back by itself");
        let ask_first = |bench: &mut Bench| {
            let request = EndTxnRequest::default().with_transactional_id(TransactionalId(text(ID)));
            let answer: EndTxnResponse =
                bench.tester.call(first, ApiKey::EndTxn, client.end, &request);
            answer.error_code
        };
        assert_eq!(ask_first(&mut bench), 16, "{next}");
        bench.end(true).unwrap();
        assert_eq!(bench.committed(0), 2);
    }
}

#[test]
fn markers_wait_for_their_coordinator() {
    let mut bench = Bench::ongoing(V2);
    bench.tester.cluster.set_marker_delay_ms(10);
    bench.end(true).unwrap();
    let kind = CoordinatorKind::Transaction;
    bench.tester.cluster.set_coordinator(kind, ID, None).unwrap();
    bench.advance_ms(1000);
    assert_eq!(bench.committed(0), 0);
    bench.tester.cluster.set_coordinator(kind, ID, Some(3)).unwrap();
    bench.advance_ms(0);
    assert_eq!(bench.committed(0), 2);
}

#[test]
fn coordinators_are_found_by_kind_and_move_with_their_brokers() {
    for version in 0..=6 {
        let mut bench = Bench::new(V2);
        let ask = |bench: &mut Bench, broker: i32, key_type: i8| {
            let mut request = FindCoordinatorRequest::default();
            if version >= 1 {
                request.key_type = key_type;
            }
            if version >= 4 {
                request.coordinator_keys = vec![text(ID)];
            } else {
                request.key = text(ID);
            }
            let answer: FindCoordinatorResponse =
                bench.tester.call(broker, ApiKey::FindCoordinator, version, &request);
            match answer.coordinators.first() {
                Some(row) => (row.error_code, row.node_id.0),
                None => (answer.error_code, answer.node_id.0),
            }
        };
        let kind = if version == 0 { CoordinatorKind::Group } else { CoordinatorKind::Transaction };
        let first = bench.tester.cluster.coordinator(kind, ID).unwrap();
        assert_eq!(ask(&mut bench, first, 1), (0, first), "v{version}");
        bench.tester.cluster.broker_down(first).unwrap();
        let second = bench.tester.cluster.coordinator(kind, ID).unwrap();
        let alive = first % 3 + 1;
        assert_eq!(ask(&mut bench, alive, 1), (0, second));
        bench.tester.cluster.set_coordinator(kind, ID, None).unwrap();
        assert_eq!(ask(&mut bench, alive, 1), (15, -1));
        if version >= 1 {
            assert_eq!(ask(&mut bench, alive, 9), (42, -1));
        }
    }
}

#[test]
fn a_forgotten_id_begins_anew() {
    let mut bench = Bench::ongoing(V2);
    assert!(!bench.tester.cluster.forget_transactional_id(ID), "it has a transaction");
    bench.end(true).unwrap();
    assert!(bench.tester.cluster.forget_transactional_id(ID));
    assert!(!bench.tester.cluster.forget_transactional_id(ID));
    assert_eq!(bench.write(0, 0, 1).error_code, 49);
    let ended = bench.end_at(5, bench.held, false);
    assert_eq!(ended, Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
    let before = bench.held;
    let next = bench.init(Some(before)).unwrap();
    assert_eq!((next.epoch, next.id != before.id), (0, true));
}

#[test]
fn every_transactional_api_can_be_made_to_fail_and_to_lose_its_answer() {
    let mut bench = Bench::ready(V1);
    let held = bench.held;
    for api in [
        ApiKey::InitProducerId,
        ApiKey::AddPartitionsToTxn,
        ApiKey::AddOffsetsToTxn,
        ApiKey::EndTxn,
    ] {
        bench.tester.cluster.push_errors(api, &[ErrorCode::COORDINATOR_LOAD_IN_PROGRESS]);
    }
    assert_eq!(bench.init(None), Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS));
    assert_eq!(bench.add_at(3, held, "t", &[0, 1]), [14, 14]);
    assert_eq!(bench.add_offsets(3, held), 14);
    assert_eq!(bench.end(true), Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS));
    assert_eq!(bench.state(), TransactionState::Empty);

    let mut bench = Bench::ongoing(V2);
    bench.tester.cluster.push_faults(None, ApiKey::EndTxn, &[crate::mock::Fault::DropResponse]);
    let request = EndTxnRequest::default()
        .with_transactional_id(TransactionalId(text(ID)))
        .with_producer_id(ProducerId(bench.held.id))
        .with_producer_epoch(bench.held.epoch)
        .with_committed(true);
    let coordinator = bench.coordinator();
    let reply = bench.tester.ask(coordinator, ApiKey::EndTxn, 5, &request);
    assert_eq!(reply, Reply::CloseConnection);
    assert_eq!(bench.committed(0), 2, "but it was done");
    let held = bench.held;
    assert_eq!(bench.end(true), Ok(Bench::bumped(held, 1)));
}

#[test]
fn hostile_requests_close_or_are_answered_and_never_panic() {
    let mut bench = Bench::ongoing(V2);
    let Identity { id, epoch } = bench.held;
    let (pid, tid) = (ProducerId(id), TransactionalId(text(ID)));
    let mut frames = Vec::new();
    for version in 0..=5 {
        let request = EndTxnRequest::default()
            .with_transactional_id(tid.clone())
            .with_producer_id(pid)
            .with_producer_epoch(epoch);
        frames.push(encode_request(ApiKey::EndTxn, version, 1, "x", &request));
        let mut request = InitProducerIdRequest::default()
            .with_transactional_id(Some(tid.clone()))
            .with_transaction_timeout_ms(1000);
        if version >= 3 {
            request = request.with_producer_id(pid).with_producer_epoch(epoch);
        }
        frames.push(encode_request(ApiKey::InitProducerId, version, 1, "x", &request));
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(tid.clone())
            .with_group_id(GroupId(text("g")))
            .with_producer_id(pid)
            .with_producer_epoch(epoch);
        frames.push(encode_request(ApiKey::TxnOffsetCommit, version, 1, "x", &request));
    }
    for version in 0..=3 {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text("t")))
            .with_partitions(vec![0, 1]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(tid.clone())
            .with_v3_and_below_producer_id(pid)
            .with_v3_and_below_producer_epoch(epoch)
            .with_v3_and_below_topics(vec![topic]);
        frames.push(encode_request(ApiKey::AddPartitionsToTxn, version, 1, "x", &request));
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(tid.clone())
            .with_group_id(GroupId(text("g")))
            .with_producer_id(pid)
            .with_producer_epoch(epoch);
        frames.push(encode_request(ApiKey::AddOffsetsToTxn, version, 1, "x", &request));
    }
    let mut rng = fastrand::Rng::with_seed(11);
    let mut answered = 0;
    for _ in 0..20_000 {
        let frame = frames[rng.usize(..frames.len())].as_ref().unwrap();
        let mut bytes = frame.slice(4..).to_vec();
        for _ in 0..rng.usize(0..4) {
            // Behind key and version, so that a handler is reached.
            let at = rng.usize(4..bytes.len());
            bytes[at] = if rng.bool() { 0xff } else { rng.u8(..) };
        }
        let broker = rng.i32(1..=3);
        let now = bench.tester.now.plus_ms(rng.u64(0..50));
        bench.tester.now = now;
        let reply = bench.tester.cluster.handle_request(broker, PeerId(1), bytes.into(), now);
        answered += usize::from(matches!(reply, Reply::Respond { .. }));
    }
    assert!(answered > 5_000, "{answered} of 20,000 reached a handler");
}
