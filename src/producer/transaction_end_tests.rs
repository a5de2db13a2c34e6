//! Ends of transactions against the embedded cluster in virtual time, where something else comes in between:
//! a failure, a close, an answer that is late. What the calls demand of brokers is in
//! `transaction_case_tests.rs`.

use std::time::Duration;

use super::embedded_support::*;
use crate::error::ErrorCode as E;
use crate::mock::{CoordinatorKind, Fault};
use crate::producer::{GroupMetadata, GroupOffset, Producer};
use crate::protocol::ApiKey;

/// Records got numbers, and no broker took one: nobody need be told of an end, and the numbers that fell out
/// do not hold up the next transaction.
#[test]
fn an_abort_before_any_record_was_taken_leaves_no_gap() {
    let (mut rig, topic) = ready(V2);
    rig.stage.lock().cluster.set_marker_delay_ms(1_500);
    transact(&mut rig, topic, "a").unwrap();
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "lost").unwrap();
    rig.run_ms(10);
    keys(&rig);
    rig.abort().unwrap();
    assert!(!keys(&rig).contains(&ApiKey::EndTxn));
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "b").unwrap();
    rig.commit().unwrap();
    rig.run_ms(2_000);
    assert_eq!(all(&rig), ["a", "b"]);
}

/// Every instant at which the answer to offsets and an abort can cross: the abort ends when the transaction
/// does.
#[test]
fn the_answer_to_offsets_is_not_taken_for_that_to_an_abort() {
    for generation in ALL {
        for ms in 0..20 {
            let (mut rig, topic) = ready(generation);
            rig.producer.begin_transaction().unwrap();
            let group = GroupMetadata::new("g", -1, "", None).unwrap();
            let given = [GroupOffset::new("in", 0, 1)];
            let call = rig.producer.send_offsets_to_transaction(&given, &group, Duration::ZERO);
            assert_eq!(call.unwrap_err().code(), E::TIMED_OUT);
            rig.run_ms(ms);
            let early = rig.producer.abort_transaction(Duration::ZERO);
            assert_eq!(early.unwrap_err().code(), E::TIMED_OUT, "the sender has not seen it");
            // The sender finds the answer and the call when it wakes up, in this order.
            let now = rig.stage.lock().now;
            rig.stage.lock().now = now.plus_ms(2);
            rig.abort().unwrap();
            transact(&mut rig, topic, "b").unwrap_or_else(|e| panic!("{generation:?} {ms}: {e:?}"));
            assert_eq!(all(&rig), ["b"]);
        }
    }
}

/// `TIMED_OUT` of a call says that it goes on: a record that ended so must not make it one without end.
#[test]
fn a_commit_that_failed_for_a_request_without_answer_does_not_look_unfinished() {
    for generation in [V2, V1] {
        let settings = [("retries", "1"), ("request.timeout.ms", "300")];
        let (mut rig, topic) = Rig::ready(&stage(generation, 7), &settings);
        transact(&mut rig, topic, "a").unwrap();
        rig.codes();
        rig.producer.begin_transaction().unwrap();
        push(&rig.stage, ApiKey::Produce, &[Fault::Silence, Fault::Silence]);
        rig.send(topic, 0, "lost").unwrap();
        let error = rig.commit().unwrap_err();
        assert_eq!(error.code(), E::REQUEST_TIMED_OUT, "{generation:?} {error:?}");
        assert!(error.is_abortable());
        assert_eq!(rig.codes(), [E::TIMED_OUT], "the record's own");
        rig.abort().unwrap();
        transact(&mut rig, topic, "b").unwrap();
        assert_eq!(all(&rig), ["a", "b"]);
    }
}

/// The commit that a close waits for fails: what is left is an abort, and then the close ends.
#[test]
fn a_close_aborts_what_fails_while_it_waits() {
    for generation in ALL {
        let settings = [("delivery.timeout.ms", "1000"), ("request.timeout.ms", "900")];
        let (mut rig, topic) = Rig::ready(&stage(generation, 7), &settings);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 1, "lost").unwrap();
        rig.run_ms(50);
        push(&rig.stage, ApiKey::Produce, &[Fault::Silence, Fault::Silence]);
        rig.send(topic, 0, "lost").unwrap();
        let call = rig.producer.commit_transaction(Duration::ZERO);
        assert_eq!(call.unwrap_err().code(), E::TIMED_OUT);
        rig.run_ms(20);
        assert!(rig.close(60_000, 3_000), "{generation:?}");
        assert_eq!(all(&rig), Vec::<String>::new());
    }
}

/// A record that fails while it is being sent: the commit hears of it at once.
#[test]
fn a_record_that_cannot_be_sent_fails_the_commit_at_once() {
    let settings = [("compression.type", "zstd"), ("linger.ms", "10000")];
    let (mut rig, topic) = Rig::ready(&stage(("2.0", 1), 7), &settings);
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "lost").unwrap();
    rig.run_ms(50);
    let begun = rig.stage.lock().now;
    assert!(rig.producer.commit_transaction(Duration::ZERO).is_err());
    let failed = |producer: &Producer| producer.metrics().get("record-error-total") > Some(0.0);
    assert!(rig.run_until(5_000, failed));
    assert!(rig.turns_at_once(), "nothing else would tell the commit of it");
    let error = rig.commit().unwrap_err();
    assert_eq!(error.code(), E::UNSUPPORTED_COMPRESSION_TYPE);
    assert!(error.is_abortable());
    let took_ms = (rig.stage.lock().now - begun).as_millis();
    assert!(took_ms < 100, "{took_ms} ms");
    rig.abort().unwrap();
}

/// One partition that the coordinator does not know yet has the others left out, which is no failure.
#[test]
fn a_partition_that_is_not_known_yet_is_waited_for() {
    let (mut rig, topic) = ready(V1);
    rig.stage.lock().cluster.create_topic("u", 1, 3).unwrap();
    let late = rig.producer.topic("u").unwrap();
    transact(&mut rig, topic, "a").unwrap();
    rig.run_ms(500);
    rig.producer.begin_transaction().unwrap();
    let unknown = Some(E::UNKNOWN_TOPIC_OR_PARTITION);
    rig.stage.lock().cluster.set_topic_error("u", unknown);
    rig.send(topic, 0, "b").unwrap();
    rig.send(late, 0, "b").unwrap();
    rig.run_ms(200);
    rig.stage.lock().cluster.set_topic_error("u", None);
    rig.commit().unwrap();
    assert_eq!(all(&rig), ["a", "b"]);
}

/// Waiting for the end of the transaction before is no failed attempt, and is not done every 20 ms for ever.
#[test]
fn markers_that_take_long_use_up_no_retries_and_no_processor() {
    let stage = stage(V2, 1);
    let (mut rig, topic) = Rig::ready(&stage, &[("retries", "5"), ("retry.backoff.ms", "100")]);
    rig.stage.lock().cluster.set_marker_delay_ms(10_000);
    transact(&mut rig, topic, "a").unwrap();
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "b").unwrap();
    keys(&rig);
    rig.run_ms(9_000);
    let tries = keys(&rig).iter().filter(|&&key| key == ApiKey::Produce).count();
    assert!((10..60).contains(&tries), "{tries}");
    rig.commit().unwrap();
    rig.run_ms(11_000);
    assert_eq!(all(&rig), ["a", "b"]);
}

/// An abort that the coordinator answers with "unknown producer" is tried again with pauses.
#[test]
fn an_abort_that_meets_an_unknown_producer_does_not_spin() {
    let (mut rig, topic) = ready(V2);
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "lost").unwrap();
    rig.run_ms(50);
    let codes = [E::UNKNOWN_PRODUCER_ID; 3];
    rig.stage.lock().cluster.push_errors(ApiKey::EndTxn, &codes);
    keys(&rig);
    let begun = rig.stage.lock().now;
    rig.abort().unwrap();
    let ends = keys(&rig).iter().filter(|&&key| key == ApiKey::EndTxn).count();
    assert_eq!(ends, 4);
    let now = rig.stage.lock().now;
    assert!(now.since(begun) > Duration::from_millis(100), "{:?}", now.since(begun));
    transact(&mut rig, topic, "b").unwrap();
    assert_eq!(all(&rig), ["b"]);
}

/// The request had no answer and the topic is gone (KAFKA-20077): whether the partition has joined nobody
/// will say, but the end says whether there was anything to end.
#[test]
fn an_abort_ends_where_a_partition_may_have_joined_whose_topic_is_gone() {
    for generation in [V1, OLD] {
        for fault in [Fault::DropRequest, Fault::DropResponse] {
            for before in [None, Some(true), Some(false)] {
                let (mut rig, topic) = ready(generation);
                rig.stage.lock().cluster.create_topic("gone", 1, 3).unwrap();
                let gone = rig.producer.topic("gone").unwrap();
                rig.run_ms(500);
                // What an end without a transaction is told differs by what was before.
                if let Some(commits) = before {
                    rig.producer.begin_transaction().unwrap();
                    rig.send(topic, 0, "a").unwrap();
                    let ended = if commits { rig.commit() } else { rig.abort() };
                    ended.unwrap();
                }
                rig.producer.begin_transaction().unwrap();
                push(&rig.stage, ApiKey::AddPartitionsToTxn, std::slice::from_ref(&fault));
                rig.send(gone, 0, "lost").unwrap();
                rig.run_ms(5);
                rig.stage.lock().cluster.delete_topic("gone").unwrap();
                let what = format!("{generation:?} {fault:?} {before:?}");
                let begun = rig.stage.lock().now;
                rig.abort().unwrap_or_else(|error| panic!("{what}: {error:?}"));
                let took_ms = (rig.stage.lock().now - begun).as_millis();
                assert!(took_ms < 3_000, "{what}: {took_ms} ms");
                transact(&mut rig, topic, "b").unwrap_or_else(|error| panic!("{what}: {error:?}"));
                rig.run_ms(1_000);
                let expected = if before == Some(true) { vec!["a", "b"] } else { vec!["b"] };
                assert_eq!(all(&rig), expected, "{what}");
            }
        }
    }
}

/// No group's offsets are sent to the coordinator of another one.
#[test]
fn each_group_is_asked_at_its_own_coordinator() {
    let (mut rig, topic) = ready(V2);
    let seat = |rig: &Rig, group: &str| {
        rig.stage.lock().cluster.coordinator(CoordinatorKind::Group, group).unwrap()
    };
    let names: Vec<String> = (0..20).map(|n| format!("group-{n}")).collect();
    let first = &names[0];
    let second = names.iter().find(|name| seat(&rig, name) != seat(&rig, first)).unwrap();
    let commit = |rig: &mut Rig, name: &str, ms: u64| {
        let group = GroupMetadata::new(name, -1, "", None).unwrap();
        let given = [GroupOffset::new("in", 0, 1)];
        rig.wait(ms, |producer| {
            producer.send_offsets_to_transaction(&given, &group, Duration::ZERO)
        })
    };
    rig.producer.begin_transaction().unwrap();
    rig.send(topic, 0, "a").unwrap();
    commit(&mut rig, first, 10_000).unwrap();
    keys(&rig);
    commit(&mut rig, second, 10_000).unwrap();
    let count =
        |keys: &[ApiKey]| keys.iter().filter(|&&key| key == ApiKey::TxnOffsetCommit).count();
    assert_eq!(count(&keys(&rig)), 1, "in the same transaction");
    rig.commit().unwrap();
    // The answer that names one coordinator comes when another one is being looked for.
    rig.producer.begin_transaction().unwrap();
    rig.stage.lock().cluster.set_delay_ms(None, Some(ApiKey::FindCoordinator), 100);
    assert_eq!(commit(&mut rig, first, 20).unwrap_err().code(), E::TIMED_OUT);
    rig.abort().unwrap();
    rig.producer.begin_transaction().unwrap();
    keys(&rig);
    commit(&mut rig, second, 10_000).unwrap();
    assert_eq!(count(&keys(&rig)), 1, "with an answer under way");
    rig.commit().unwrap();
}

/// As `an_abort_before_any_record_was_taken_leaves_no_gap`, for records that have not left the process.
#[test]
fn an_abort_of_records_that_were_not_written_leaves_no_gap() {
    for generation in ALL {
        let (mut rig, topic) = ready(generation);
        transact(&mut rig, topic, "a").unwrap();
        rig.producer.begin_transaction().unwrap();
        rig.stage.lock().cuts_produce = true;
        rig.send(topic, 0, "lost").unwrap();
        rig.run_ms(60);
        rig.abort().unwrap();
        rig.stage.lock().cuts_produce = false;
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, 0, "b").unwrap();
        rig.commit().unwrap_or_else(|error| panic!("{generation:?}: {error:?}"));
        assert_eq!(all(&rig), ["a", "b"], "{generation:?}");
    }
}

/// Numbers go from the largest to 0 inside of a transaction, at its edge and in what is sent again.
#[test]
fn numbers_start_anew_behind_the_largest() {
    // An epoch that spans transactions; other brokers take no unknown producer in the middle of its numbers.
    // Where its begin is verified (KIP-890), the embedded ones look for the lowest number that tried, and
    // count no further than the largest: there nothing is refused on purpose.
    for (generation, refused) in [(("2.8", 1), true), (V1, false)] {
        for first in i32::MAX - 4..=i32::MAX {
            let settings = [("batch.num.messages", "1"), ("retry.backoff.ms", "20")];
            let mut rig = Rig::new(&stage(generation, 7), &settings, 7);
            rig.init().unwrap();
            let topic = rig.producer.topic("t").unwrap();
            rig.run_ms(500);
            rig.go_on_at(first);
            let mut expected = Vec::new();
            for transaction in 0..3 {
                rig.producer.begin_transaction().unwrap();
                for n in 0..4 {
                    expected.push(format!("{transaction}-{n}"));
                    rig.send(topic, 0, &expected[expected.len() - 1]).unwrap();
                }
                if refused && transaction < 2 {
                    let codes =
                        [E::NOT_ENOUGH_REPLICAS, E::NONE, E::NOT_ENOUGH_REPLICAS_AFTER_APPEND];
                    rig.stage.lock().cluster.push_partition_errors("t", 0, &codes);
                }
                rig.commit().unwrap_or_else(|error| panic!("{generation:?} {first}: {error:?}"));
            }
            rig.run_ms(1_000);
            assert_eq!(all(&rig), expected, "{generation:?} {first}");
        }
    }
}
