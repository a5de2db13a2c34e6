//! Transactions against the embedded cluster in virtual time, case by case: what the Java producer's tests
//! of its TransactionManager demand, and where this producer does better. What errors lead to is in
//! `transaction_error_tests.rs`.

use std::time::Duration;

use super::embedded_support::*;
use crate::error::ErrorCode as E;
use crate::mock::{CoordinatorKind, Fault};
use crate::producer::{GroupMetadata, GroupOffset, TopicId};
use crate::protocol::ApiKey;

/// Lost requests and answers, silence, another coordinator: everything is asked again where it must be.
#[test]
fn lost_requests_and_moved_coordinators_are_got_over() {
    for generation in ALL {
        for api in [
            ApiKey::FindCoordinator,
            ApiKey::AddPartitionsToTxn,
            ApiKey::AddOffsetsToTxn,
            ApiKey::TxnOffsetCommit,
            ApiKey::EndTxn,
            ApiKey::Produce,
        ] {
            for fault in [Fault::DropRequest, Fault::DropResponse, Fault::Silence] {
                let (mut rig, topic) = ready(generation);
                push(&rig.stage, api, std::slice::from_ref(&fault));
                transact(&mut rig, topic, "a").unwrap();
                for (kind, key) in
                    [(CoordinatorKind::Transaction, "shipper"), (CoordinatorKind::Group, "g")]
                {
                    let mut stage = rig.stage.lock();
                    let seat = stage.cluster.coordinator(kind, key).unwrap();
                    stage.cluster.set_coordinator(kind, key, Some(seat % 3 + 1)).unwrap();
                }
                transact(&mut rig, topic, "b").unwrap();
                rig.run_ms(1_000);
                assert_eq!(all(&rig), ["a", "b"], "{generation:?} {api:?} {fault:?}");
            }
        }
    }
}

#[test]
fn a_coordinator_that_is_gone_is_looked_for_and_nothing_turns_meanwhile() {
    let (mut rig, topic) = ready(V2);
    let coordinator = rig.stage.lock().cluster.coordinator(CoordinatorKind::Transaction, "shipper");
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "x").unwrap();
    rig.run_ms(100);
    rig.stage.lock().down(coordinator.unwrap());
    rig.commit().unwrap();
    assert_eq!(all(&rig), ["x"]);
}

/// V1: records wait for their partition to join, and nothing else does.
#[test]
fn records_wait_for_their_own_partition_only() {
    let (mut rig, topic) = ready(V1);
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "a").unwrap();
    rig.run_ms(20);
    assert_eq!(keys(&rig).last(), Some(&ApiKey::Produce));
    rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::AddPartitionsToTxn), 500);
    rig.send(topic, 1, "b").unwrap();
    rig.run_ms(20);
    rig.send(topic, 0, "c").unwrap();
    rig.run_ms(100);
    assert_eq!(keys(&rig), [ApiKey::AddPartitionsToTxn, ApiKey::Produce], "of partition 0");
    // A slow group coordinator holds up no joining either.
    rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::AddPartitionsToTxn), 0);
    rig.run_ms(500);
    assert_eq!(keys(&rig), [ApiKey::Produce], "of partition 1");
    rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::AddOffsetsToTxn), 500);
    let group = GroupMetadata::new("g", -1, "", None).unwrap();
    let given = [GroupOffset::new("in", 0, 1)];
    let call = rig.producer.send_offsets_to_transaction(&given, &group, Duration::ZERO);
    assert_eq!(call.unwrap_err().code(), E::TIMED_OUT);
    rig.send(topic, 2, "d").unwrap();
    rig.run_ms(50);
    let asked = keys(&rig);
    assert!(asked.contains(&ApiKey::AddOffsetsToTxn) && asked.contains(&ApiKey::Produce));
    let busy = rig.producer.commit_transaction(Duration::ZERO).unwrap_err();
    assert!(busy.code() == E::STATE && busy.message().contains("send_offsets_to_transaction"));
    rig.wait(10_000, |p| p.send_offsets_to_transaction(&given, &group, Duration::ZERO)).unwrap();
    rig.commit().unwrap();
    assert_eq!(all(&rig), ["a", "c", "b", "d"]);
}

/// Until something has joined, the transaction before may still be ending: 20 ms, not a whole pause.
#[test]
fn the_first_partition_is_asked_for_again_soon() {
    for (others, expected) in [(false, 5), (true, 1)] {
        let (mut rig, topic) = ready(V1);
        rig.producer.begin_transaction().unwrap();
        if others {
            rig.send(topic, 1, "a").unwrap();
            rig.run_ms(50);
        }
        keys(&rig);
        let busy = vec![Fault::Error(E::CONCURRENT_TRANSACTIONS); 20];
        push(&rig.stage, ApiKey::AddPartitionsToTxn, &busy);
        rig.send(topic, 0, "b").unwrap();
        rig.run_ms(96);
        let asked = keys(&rig).into_iter().filter(|key| *key == ApiKey::AddPartitionsToTxn);
        assert_eq!(asked.count(), expected, "in 96 ms");
    }
}

#[test]
fn the_end_waits_for_every_record_and_ends_lingering() {
    for generation in ALL {
        let stage = stage(generation, 7);
        let (mut rig, topic) = Rig::ready(&stage, &[("linger.ms", "10000")]);
        rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::Produce), 700);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "a").unwrap();
        rig.send(topic, 1, "b").unwrap();
        let call = rig.producer.commit_transaction(Duration::ZERO);
        assert_eq!(call.unwrap_err().code(), E::TIMED_OUT);
        rig.run_ms(600);
        let asked = keys(&rig);
        assert!(asked.contains(&ApiKey::Produce) && !asked.contains(&ApiKey::EndTxn));
        assert_eq!(rig.codes(), []);
        rig.commit().unwrap();
        assert_eq!(rig.codes(), [E::NONE, E::NONE]);
        assert_eq!(all(&rig), ["a", "b"]);
    }
}

#[test]
fn an_abort_gives_up_what_was_not_sent_and_asks_only_about_what_may_exist() {
    for generation in ALL {
        let stage = stage(generation, 7);
        let (mut rig, topic) = Rig::ready(&stage, &[("linger.ms", "10000")]);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "never sent").unwrap();
        rig.abort().unwrap();
        assert_eq!(rig.codes(), [E::ABORTED]);
        let asked = keys(&rig);
        assert!(!asked.contains(&ApiKey::Produce), "{generation:?}");
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "kept").unwrap();
        rig.commit().unwrap();
        assert_eq!(all(&rig), ["kept"], "{generation:?}");
    }
}

/// A request that may have been carried out must be answered before EndTxn, which would otherwise be
/// refused for want of a transaction.
#[test]
fn an_abort_asks_again_for_what_may_have_joined() {
    for fault in [Fault::DropRequest, Fault::DropResponse] {
        let (mut rig, topic) = ready(V1);
        rig.producer.begin_transaction().unwrap();
        push(&rig.stage, ApiKey::AddPartitionsToTxn, std::slice::from_ref(&fault));
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(4);
        rig.abort().unwrap();
        let asked = keys(&rig);
        let adds = asked.iter().filter(|key| **key == ApiKey::AddPartitionsToTxn).count();
        assert_eq!(adds, 2, "{fault:?}: {asked:?}");
        transact(&mut rig, topic, "kept").unwrap();
        assert_eq!(all(&rig), ["kept"]);
    }
    // What was refused for now has not joined: nobody need be told of an end.
    let (mut rig, topic) = ready(V1);
    rig.producer.begin_transaction().unwrap();
    push(&rig.stage, ApiKey::AddPartitionsToTxn, &[Fault::Error(E::COORDINATOR_LOAD_IN_PROGRESS)]);
    rig.send(topic, 0, "lost").unwrap();
    rig.run_ms(10);
    keys(&rig);
    rig.abort().unwrap();
    assert_eq!(keys(&rig), []);
}

#[test]
fn the_protocol_follows_the_brokers_between_transactions_and_never_inside_one() {
    let (mut rig, topic) = ready((V2.0, 1));
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "a").unwrap();
    rig.run_ms(50);
    rig.stage.lock().cluster.set_transaction_version(Some(2));
    (1..=3).for_each(|broker| rig.stage.lock().drop_connections(broker));
    seen(&rig);
    rig.send(topic, 1, "b").unwrap();
    rig.run_ms(500);
    rig.commit().unwrap();
    let asked = seen(&rig);
    let newest = |of: ApiKey| asked.iter().filter(|(key, _)| *key == of).map(|(_, v)| *v).max();
    assert_eq!(newest(ApiKey::Produce), Some(11));
    assert_eq!(newest(ApiKey::EndTxn), Some(4));
    assert!(newest(ApiKey::AddPartitionsToTxn).is_some());
    assert!(newest(ApiKey::InitProducerId).is_some(), "the new protocol begins with a new epoch");
    transact(&mut rig, topic, "c").unwrap();
    let asked = seen(&rig);
    let newest = |of: ApiKey| asked.iter().filter(|(key, _)| *key == of).map(|(_, v)| *v).max();
    assert!(newest(ApiKey::Produce) >= Some(12));
    assert_eq!(newest(ApiKey::EndTxn), Some(5));
    assert_eq!(newest(ApiKey::TxnOffsetCommit), Some(5));
    assert_eq!(newest(ApiKey::AddPartitionsToTxn), None);
    assert_eq!(newest(ApiKey::AddOffsetsToTxn), None);
    assert_eq!(newest(ApiKey::InitProducerId), None);
    rig.stage.lock().cluster.set_transaction_version(Some(1));
    (1..=3).for_each(|broker| rig.stage.lock().drop_connections(broker));
    rig.run_ms(500);
    transact(&mut rig, topic, "d").unwrap();
    seen(&rig);
    transact(&mut rig, topic, "e").unwrap();
    assert!(keys(&rig).contains(&ApiKey::AddPartitionsToTxn), "and back");
    assert_eq!(all(&rig), ["a", "c", "d", "e", "b"]);
}

/// A producer outlives a cluster that gave no epochs on demand: it begins the newer protocol with a
/// new one all the same. Else its first records would join the transaction before, for which the
/// markers are still on their way.
#[test]
fn brokers_that_gave_no_epochs_do_so_once_they_are_upgraded() {
    let (mut rig, topic) = ready(OLD);
    transact(&mut rig, topic, "a").unwrap();
    {
        let mut stage = rig.stage.lock();
        stage.cluster.set_kafka_version(V2.0).unwrap();
        stage.cluster.set_transaction_version(Some(2));
        stage.cluster.set_marker_delay_ms(300);
        (1..=3).for_each(|broker| stage.drop_connections(broker));
    }
    rig.run_ms(500);
    transact(&mut rig, topic, "b").unwrap();
    assert!(keys(&rig).contains(&ApiKey::InitProducerId));
    transact(&mut rig, topic, "c").unwrap();
    let asked = keys(&rig);
    assert!(
        !asked.contains(&ApiKey::AddPartitionsToTxn) && !asked.contains(&ApiKey::InitProducerId)
    );
    rig.run_ms(1_000);
    assert_eq!(all(&rig), ["a", "b", "c"]);
}

/// Epochs near their last: the coordinator gives another producer id, and numbers begin anew under it.
#[test]
fn after_the_last_epoch_transactions_go_on_under_another_id() {
    for generation in ALL {
        let stage = stage(generation, 7);
        stage.lock().cluster.set_transactional_epoch("shipper", i16::MAX - 4);
        let (mut rig, topic) = Rig::ready(&stage, &[]);
        for round in 0..8 {
            transact(&mut rig, topic, &round.to_string())
                .unwrap_or_else(|e| panic!("{generation:?} {round}: {e:?}"));
            rig.producer.begin_transaction().unwrap();
            rig.send(topic, 0, "lost").unwrap();
            rig.run_ms(20);
            rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::INVALID_RECORD]);
            rig.send(topic, 0, "lost").unwrap();
            rig.run_ms(20);
            rig.abort().unwrap_or_else(|e| panic!("{generation:?} {round}: {e:?}"));
        }
        let expected: Vec<String> = (0..8).map(|round| round.to_string()).collect();
        assert_eq!(all(&rig), expected, "{generation:?}");
    }
}

/// After an abort with losses, or a request without an answer, the next transaction has another epoch where
/// brokers give one.
#[test]
fn the_epoch_changes_where_something_of_the_old_one_may_still_come() {
    let refused = |rig: &mut Rig, topic| {
        rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::INVALID_RECORD]);
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(20);
    };
    let (mut rig, topic) = ready(V1);
    rig.producer.begin_transaction().unwrap();
    refused(&mut rig, topic);
    keys(&rig);
    rig.abort().unwrap();
    assert_eq!(keys(&rig), [ApiKey::EndTxn, ApiKey::InitProducerId]);
    // A clean abort needs none.
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "given up").unwrap();
    rig.run_ms(20);
    keys(&rig);
    rig.abort().unwrap();
    assert_eq!(keys(&rig), [ApiKey::EndTxn]);
    // An EndTxn without answer does, also to commit: a copy of it could end the next transaction.
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "kept").unwrap();
    rig.run_ms(20);
    keys(&rig);
    push(&rig.stage, ApiKey::EndTxn, &[Fault::DropResponse]);
    rig.commit().unwrap();
    assert_eq!(keys(&rig).last(), Some(&ApiKey::InitProducerId));
    // Since KIP-890 every end brings one.
    let (mut rig, topic) = ready(V2);
    rig.producer.begin_transaction().unwrap();
    refused(&mut rig, topic);
    keys(&rig);
    rig.abort().unwrap();
    assert_eq!(keys(&rig), [ApiKey::EndTxn]);
}

/// The coordinator ends a transaction that takes too long, and shuts its producer out.
#[test]
fn a_transaction_that_takes_too_long_is_aborted_by_the_coordinator() {
    for generation in ALL {
        let settings = [("transaction.timeout.ms", "2000")];
        let (mut rig, topic) = Rig::ready(&stage(generation, 7), &settings);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "late").unwrap();
        rig.run_ms(5_000);
        let error = rig.commit().unwrap_err();
        assert!(error.is_fatal(), "{generation:?} {error:?}");
        assert_eq!(all(&rig), Vec::<String>::new());
    }
}

#[test]
fn a_close_does_not_wait_for_what_nobody_waits_for() {
    for api in [ApiKey::FindCoordinator, ApiKey::InitProducerId] {
        let mut rig = Rig::new(&stage(V2, 7), &[], 7);
        push(&rig.stage, api, &[Fault::Silence]);
        assert_eq!(
            rig.producer.init_transactions(Duration::ZERO).unwrap_err().code(),
            E::TIMED_OUT
        );
        rig.run_ms(50);
        assert!(rig.close(60_000, 100), "{api:?}");
        let error = rig.producer.init_transactions(Duration::ZERO).unwrap_err();
        assert_eq!(error.code(), E::CLOSED);
    }
    // An abort that does not come through is waited for as long as the close may take, and no longer.
    let (mut rig, topic) = ready(V2);
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "x").unwrap();
    rig.run_ms(50);
    push(&rig.stage, ApiKey::EndTxn, &[Fault::Silence, Fault::Silence]);
    assert!(!rig.close(5_000, 4_900));
    assert!(rig.close(5_000, 200));
}

/// A broker that wants to be left alone holds up joining, and only that long.
#[test]
fn a_throttled_coordinator_is_left_alone_and_asked_again() {
    let (mut rig, topic) = ready(V1);
    push(&rig.stage, ApiKey::AddPartitionsToTxn, &[Fault::ThrottleMs(400)]);
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "a").unwrap();
    rig.run_ms(50);
    rig.send(topic, 1, "b").unwrap();
    rig.run_ms(200);
    rig.commit().unwrap();
    assert_eq!(all(&rig), ["a", "b"]);
}

/// What has surely not joined needs no end: EndTxn without a transaction would be refused.
#[test]
fn where_nothing_joined_an_abort_asks_nobody() {
    for (api, code) in [
        (ApiKey::AddPartitionsToTxn, E::TOPIC_AUTHORIZATION_FAILED),
        (ApiKey::AddOffsetsToTxn, E::GROUP_AUTHORIZATION_FAILED),
    ] {
        let (mut rig, topic) = ready(V1);
        rig.producer.begin_transaction().unwrap();
        push(&rig.stage, api, &[Fault::Error(code)]);
        let outcome = match api {
            ApiKey::AddPartitionsToTxn => rig.send(topic, 0, "lost").and_then(|()| rig.commit()),
            _ => offsets(&mut rig, 1),
        };
        assert_eq!(outcome.unwrap_err().code(), code);
        keys(&rig);
        rig.abort().unwrap();
        assert_eq!(keys(&rig), [], "{api:?}");
        transact(&mut rig, topic, "kept").unwrap();
        assert_eq!(all(&rig), ["kept"]);
    }
}

#[test]
fn a_commit_has_partitions_join_before_the_end_and_fails_with_them() {
    let (mut rig, topic) = ready(V1);
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "a").unwrap();
    rig.send(topic, 1, "b").unwrap();
    rig.commit().unwrap();
    let asked = keys(&rig);
    let at = |key| asked.iter().position(|asked| *asked == key).unwrap();
    assert!(at(ApiKey::AddPartitionsToTxn) < at(ApiKey::Produce), "{asked:?}");
    assert!(at(ApiKey::Produce) < at(ApiKey::EndTxn), "{asked:?}");

    rig.producer.begin_transaction().unwrap();
    rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::AddPartitionsToTxn), 300);
    push(&rig.stage, ApiKey::AddPartitionsToTxn, &[Fault::Error(E::TOPIC_AUTHORIZATION_FAILED)]);
    rig.send(topic, 0, "lost").unwrap();
    rig.run_ms(20);
    let error = rig.commit().unwrap_err();
    assert!(error.code() == E::TOPIC_AUTHORIZATION_FAILED && error.is_abortable(), "{error:?}");
    assert!(error.message().contains("t-0"), "{error}");
    rig.abort().unwrap();
    assert_eq!(all(&rig), ["a", "b"]);
}

/// While it is being aborted nothing makes it worse, but a coordinator that wants it aborted has no way out.
#[test]
fn an_abort_takes_no_notice_of_records_and_dies_of_its_own_refusal() {
    for generation in ALL {
        let (mut rig, topic) = ready(generation);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(50);
        rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::INVALID_RECORD]);
        rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::Produce), 200);
        rig.send(topic, 0, "refused").unwrap();
        rig.run_ms(50);
        rig.abort().unwrap();
        assert_eq!(rig.codes(), [E::NONE, E::INVALID_RECORD], "{generation:?}");
        transact(&mut rig, topic, "kept").unwrap();

        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(300);
        push(&rig.stage, ApiKey::EndTxn, &[Fault::Error(E::TRANSACTION_ABORTABLE)]);
        assert!(rig.abort().unwrap_err().is_fatal(), "{generation:?}");
        assert_eq!(all(&rig), ["kept"]);
    }
}

/// A failed transaction's coordinator may have moved, and may be out of reach when the next epoch is needed.
#[test]
fn an_abort_finds_its_coordinator_and_still_knows_that_it_gives_epochs() {
    for generation in [V1, V2] {
        let (mut rig, topic) = ready(generation);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(50);
        rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::INVALID_RECORD]);
        rig.send(topic, 0, "refused").unwrap();
        rig.run_ms(50);
        {
            let mut stage = rig.stage.lock();
            let kind = CoordinatorKind::Transaction;
            let seat = stage.cluster.coordinator(kind, "shipper").unwrap();
            stage.cluster.set_coordinator(kind, "shipper", Some(seat % 3 + 1)).unwrap();
            (1..=3).for_each(|broker| stage.drop_connections(broker));
        }
        rig.abort().unwrap();
        transact(&mut rig, topic, "kept").unwrap();
        assert_eq!(all(&rig), ["kept"], "{generation:?}");
    }
}

#[test]
fn a_batch_too_large_is_split_inside_its_transaction() {
    for generation in ALL {
        let (mut rig, topic) = ready(generation);
        transact(&mut rig, topic, "a").unwrap();
        rig.producer.begin_transaction().unwrap();
        rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::MESSAGE_TOO_LARGE]);
        for value in ["b", "c", "d", "e"] {
            rig.send(topic, 0, value).unwrap();
        }
        rig.commit().unwrap();
        assert_eq!(all(&rig), ["a", "b", "c", "d", "e"], "{generation:?}");
    }
}

/// The answer for records that have expired comes late: they are not reported again, and the end waits for
/// it.
#[test]
fn a_late_answer_changes_nothing_and_is_waited_for() {
    for generation in ALL {
        let settings = [("delivery.timeout.ms", "1000"), ("request.timeout.ms", "900")];
        let stage = stage(generation, 7);
        let (mut rig, topic) = Rig::ready(&stage, &settings);
        transact(&mut rig, topic, "a").unwrap();
        rig.codes();
        rig.producer.begin_transaction().unwrap();
        rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::AddPartitionsToTxn), 500);
        rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::Produce), 800);
        rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::INVALID_RECORD]);
        rig.stage.lock().cluster.set_leader("t", 0, None).unwrap();
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(510);
        rig.stage.lock().cluster.set_leader("t", 0, Some(1)).unwrap();
        let error = rig.commit().unwrap_err();
        assert!(error.is_abortable(), "{generation:?} {error:?}");
        assert_eq!(rig.codes().len(), 1);
        rig.abort().unwrap();
        assert_eq!(rig.codes(), []);
        rig.stage.lock().cluster.clear_faults();
        transact(&mut rig, topic, "b").unwrap();
        assert_eq!(all(&rig), ["a", "b"], "{generation:?}");
    }
}

/// The end of a transaction takes its time at the coordinator; the next one waits for that, and no whole
/// pause more.
#[test]
fn the_next_transaction_waits_for_the_end_of_the_one_before_and_no_longer() {
    for generation in [V2, V1] {
        for lost in [false, true] {
            let (mut rig, topic) = ready(generation);
            rig.stage.lock().cluster.set_marker_delay_ms(50);
            transact(&mut rig, topic, "a").unwrap();
            let begun = rig.stage.lock().now;
            if lost {
                rig.producer.begin_transaction().unwrap();
                rig.stage.lock().cluster.push_partition_errors("t", 0, &[E::INVALID_RECORD]);
                rig.send(topic, 0, "lost").unwrap();
                rig.commit().unwrap_err();
                rig.abort().unwrap();
            }
            transact(&mut rig, topic, "b").unwrap();
            let took_ms = (rig.stage.lock().now - begun).as_millis();
            let most_ms = if lost { 250 } else { 100 };
            assert!((50..most_ms).contains(&took_ms), "{generation:?} {lost}: {took_ms} ms");
        }
    }
}

/// A transaction whose first record has been sent, and will not be answered.
fn begin_with_a_lost_record(rig: &mut Rig, topic: TopicId) {
    rig.producer.begin_transaction().unwrap();
    push(&rig.stage, ApiKey::Produce, &[Fault::DropRequest]);
    rig.send(topic, 0, "lost").unwrap();
    rig.run_ms(7);
}

/// KIP-890: a producer that aborts before its first record was answered may be taken for a fenced one, as
/// long as the transaction before is not over. It waits for that; one that is fenced is told so in the end.
#[test]
fn an_abort_that_comes_too_early_is_not_taken_for_a_fence_nor_a_fence_for_that() {
    let (mut rig, topic) = ready(V2);
    rig.stage.lock().cluster.set_marker_delay_ms(1_500);
    transact(&mut rig, topic, "a").unwrap();
    begin_with_a_lost_record(&mut rig, topic);
    rig.abort().unwrap();
    transact(&mut rig, topic, "b").unwrap();

    begin_with_a_lost_record(&mut rig, topic);
    let mut newer = Rig::new(&rig.stage, &[], 8);
    newer.init().unwrap();
    drop(newer);
    let error = rig.abort().unwrap_err();
    assert_eq!(error.code(), E::PRODUCER_FENCED);
    assert!(error.is_fatal());
}

/// However short the pauses are, markers get their time before an early abort is taken for that of a fenced
/// producer.
#[test]
fn an_abort_that_comes_too_early_is_patient_also_with_short_pauses() {
    let shared = stage(V2, 7);
    let settings = [("retry.backoff.ms", "1"), ("retry.backoff.max.ms", "1")];
    let (mut rig, topic) = Rig::ready(&shared, &settings);
    rig.stage.lock().cluster.set_marker_delay_ms(4_000);
    transact(&mut rig, topic, "a").unwrap();
    begin_with_a_lost_record(&mut rig, topic);
    rig.abort().unwrap();
    transact(&mut rig, topic, "b").unwrap();
    rig.run_ms(5_000);
    assert_eq!(all(&rig), ["a", "b"]);
}

/// What else was asked for in vain does not count among the tries of an early abort.
#[test]
fn an_abort_that_comes_too_early_is_patient_whatever_was_tried_before() {
    let shared = stage(V2, 7);
    let settings = [("retry.backoff.ms", "1"), ("retry.backoff.max.ms", "1")];
    let (mut rig, topic) = Rig::ready(&shared, &settings);
    rig.stage.lock().cluster.set_marker_delay_ms(2_000);
    transact(&mut rig, topic, "a").unwrap();
    rig.producer.begin_transaction().unwrap();
    let busy = vec![Fault::Error(E::COORDINATOR_LOAD_IN_PROGRESS); 60];
    push(&rig.stage, ApiKey::TxnOffsetCommit, &busy);
    let group = GroupMetadata::new("g", -1, "", None).unwrap();
    let given = [GroupOffset::new("in", 0, 1)];
    let call = rig.producer.send_offsets_to_transaction(&given, &group, Duration::ZERO);
    assert_eq!(call.unwrap_err().code(), E::TIMED_OUT);
    rig.run_ms(300);
    rig.abort().unwrap();
    transact(&mut rig, topic, "b").unwrap();
    rig.run_ms(3_000);
    assert_eq!(all(&rig), ["a", "b"]);
}
