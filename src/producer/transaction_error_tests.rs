//! What becomes of errors in transactions, from the answer of a broker to what an application is told,
//! against the embedded cluster in virtual time.

use super::embedded_support::*;
use crate::error::{Error, ErrorCode as E, Result};
use crate::mock::Fault;
use crate::protocol::ApiKey;

#[derive(Copy, Clone, PartialEq, Debug)]
enum Fate {
    /// It is repeated until it is done.
    Done,
    /// Abort, then go on.
    Abortable,
    /// Close.
    Fatal,
    /// Fatal, as fenced.
    Fenced,
}

fn fate(outcome: &Result<()>) -> Fate {
    match outcome {
        Ok(()) => Fate::Done,
        Err(error) if error.code() == E::PRODUCER_FENCED && error.is_fatal() => Fate::Fenced,
        Err(error) if error.is_fatal() => Fate::Fatal,
        Err(error) if error.is_abortable() => Fate::Abortable,
        Err(error) => panic!("{error:?}"),
    }
}

type Row = (E, Fate);

const RETRIED: [E; 6] = [
    E::COORDINATOR_NOT_AVAILABLE,
    E::NOT_COORDINATOR,
    E::COORDINATOR_LOAD_IN_PROGRESS,
    E::CONCURRENT_TRANSACTIONS,
    E::REQUEST_TIMED_OUT,
    E::UNKNOWN_TOPIC_OR_PARTITION,
];

const COMMON: [Row; 6] = [
    (E::INVALID_PRODUCER_EPOCH, Fate::Fenced),
    (E::PRODUCER_FENCED, Fate::Fenced),
    (E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, Fate::Fatal),
    (E::INVALID_TXN_STATE, Fate::Fatal),
    (E::INVALID_PRODUCER_ID_MAPPING, Fate::Fatal),
    (E::TRANSACTION_ABORTABLE, Fate::Abortable),
];

/// Request, who sends it, and what is its own besides what is common to all.
type Own = (ApiKey, &'static [(&'static str, i16)], Vec<Row>);

fn table() -> [Own; 5] {
    use Fate::*;
    [
        (
            ApiKey::AddPartitionsToTxn,
            &[V1, OLD],
            vec![
                (E::TOPIC_AUTHORIZATION_FAILED, Abortable),
                (E::UNKNOWN_SERVER_ERROR, Abortable),
                (E::OPERATION_NOT_ATTEMPTED, Abortable),
            ],
        ),
        (
            ApiKey::AddOffsetsToTxn,
            &[V1, OLD],
            vec![(E::GROUP_AUTHORIZATION_FAILED, Abortable), (E::UNKNOWN_SERVER_ERROR, Fatal)],
        ),
        (
            ApiKey::TxnOffsetCommit,
            &ALL,
            vec![
                (E::GROUP_AUTHORIZATION_FAILED, Abortable),
                (E::ILLEGAL_GENERATION, Abortable),
                (E::UNKNOWN_MEMBER_ID, Abortable),
                (E::FENCED_INSTANCE_ID, Abortable),
                (E::UNSUPPORTED_FOR_MESSAGE_FORMAT, Fatal),
                (E::UNKNOWN_SERVER_ERROR, Fatal),
            ],
        ),
        (ApiKey::EndTxn, &ALL, vec![(E::UNKNOWN_SERVER_ERROR, Fatal)]),
        (ApiKey::FindCoordinator, &ALL, vec![(E::GROUP_AUTHORIZATION_FAILED, Abortable)]),
    ]
}

/// Request by request, as an application sees it.
#[test]
fn each_error_of_each_request_has_its_fate() {
    for (api, generations, own) in table() {
        let mut codes: Vec<Row> = RETRIED.iter().map(|code| (*code, Fate::Done)).collect();
        if api != ApiKey::FindCoordinator {
            codes.extend(COMMON);
        }
        codes.extend(own);
        for (code, expected) in codes {
            for &generation in generations {
                let (mut rig, topic) = ready(generation);
                push(&rig.stage, api, &[Fault::Error(code)]);
                let outcome = transact(&mut rig, topic, "x");
                assert_eq!(fate(&outcome), expected, "{api:?} {code:?} {generation:?}");
                let what = format!("{api:?} {code:?} {generation:?}");
                match expected {
                    Fate::Done => {}
                    Fate::Abortable => {
                        rig.abort().unwrap();
                        transact(&mut rig, topic, "x").unwrap_or_else(|e| panic!("{what}: {e:?}"));
                    }
                    Fate::Fatal | Fate::Fenced => {
                        assert!(rig.abort().unwrap_err().is_fatal(), "{what}");
                        assert!(rig.send(topic, 0, "x").unwrap_err().is_fatal(), "{what}");
                        assert!(rig.close(10_000, 20_000), "{what}: the close hangs");
                        continue;
                    }
                }
                rig.run_ms(1_000);
                assert_eq!(all(&rig), ["x"], "{what}");
            }
        }
    }
}

#[test]
fn each_error_of_the_first_call_has_its_fate() {
    for generation in ALL {
        for (code, expected) in [
            (E::COORDINATOR_LOAD_IN_PROGRESS, None),
            (E::NOT_COORDINATOR, None),
            (E::CONCURRENT_TRANSACTIONS, None),
            (E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, Some(false)),
            (E::CLUSTER_AUTHORIZATION_FAILED, Some(false)),
            (E::INVALID_TRANSACTION_TIMEOUT, Some(true)),
            (E::PRODUCER_FENCED, Some(true)),
            (E::UNKNOWN_SERVER_ERROR, Some(true)),
        ] {
            let mut rig = Rig::new(&stage(generation, 7), &[], 7);
            push(&rig.stage, ApiKey::InitProducerId, &[Fault::Error(code)]);
            let outcome = rig.init();
            match expected {
                None => outcome.unwrap(),
                Some(fatal) => {
                    let error = outcome.unwrap_err();
                    assert_eq!((error.code(), error.is_fatal()), (code, fatal));
                    assert!(!error.is_abortable() && error.is_retriable() != fatal);
                    // What is not fatal can be asked again.
                    assert_eq!(rig.init().is_err(), fatal, "{code:?}");
                }
            }
        }
        let mut rig = Rig::new(&stage(generation, 7), &[], 7);
        rig.stage.lock().cluster.remove_api(ApiKey::FindCoordinator);
        let error: Error = rig.init().unwrap_err();
        assert!(error.code() == E::UNSUPPORTED_VERSION && error.is_fatal());
    }
}

#[test]
fn a_record_that_expires_makes_the_commit_fail() {
    for generation in ALL {
        let settings = [("delivery.timeout.ms", "31000"), ("request.timeout.ms", "30000")];
        let (mut rig, topic) = Rig::ready(&stage(generation, 7), &settings);
        transact(&mut rig, topic, "a").unwrap();
        rig.producer.begin_transaction().unwrap();
        rig.stage.lock().cluster.set_leader("t", 0, None).unwrap();
        rig.send(topic, 0, "lost").unwrap();
        let error = rig.commit().unwrap_err();
        assert!(error.code() == E::EXPIRED && error.is_abortable(), "{generation:?} {error:?}");
        rig.stage.lock().cluster.set_leader("t", 0, Some(1)).unwrap();
        rig.abort().unwrap();
        transact(&mut rig, topic, "b").unwrap();
        rig.run_ms(1_000);
        assert_eq!(all(&rig), ["a", "b"]);
    }
}

/// What may be stored must be known to be, or not, for numbers to go on; epochs end such questions.
#[test]
fn what_is_in_doubt_is_fatal_only_where_brokers_give_no_epochs() {
    for (generation, fatal) in [(V2, false), (V1, false), (OLD, true)] {
        let settings = [
            ("delivery.timeout.ms", "31000"),
            ("request.timeout.ms", "30000"),
            ("transaction.timeout.ms", "600000"),
        ];
        let (mut rig, topic) = Rig::ready(&stage(generation, 7), &settings);
        transact(&mut rig, topic, "a").unwrap();
        rig.producer.begin_transaction().unwrap();
        push(&rig.stage, ApiKey::Produce, &[Fault::Silence, Fault::Silence, Fault::Silence]);
        rig.send(topic, 0, "lost").unwrap();
        let error = rig.commit().unwrap_err();
        assert!(error.is_abortable(), "{generation:?} {error:?}");
        let aborted = rig.abort();
        assert_eq!(aborted.is_err_and(|error| error.is_fatal()), fatal, "{generation:?}");
        if !fatal {
            transact(&mut rig, topic, "b").unwrap();
            assert_eq!(all(&rig), ["a", "b"]);
        }
    }
}

#[test]
fn records_that_brokers_refuse_leave_no_gap_in_the_next_transaction() {
    for generation in ALL {
        for code in [
            E::INVALID_RECORD,
            E::TOPIC_AUTHORIZATION_FAILED,
            E::INVALID_PRODUCER_EPOCH,
            E::INVALID_TXN_STATE,
            E::TRANSACTION_ABORTABLE,
            E::OUT_OF_ORDER_SEQUENCE_NUMBER,
            E::UNSUPPORTED_FOR_MESSAGE_FORMAT,
        ] {
            let (mut rig, topic) = ready(generation);
            transact(&mut rig, topic, "a").unwrap();
            rig.producer.begin_transaction().unwrap();
            rig.stage.lock().cluster.push_partition_errors("t", 0, &[code]);
            rig.send(topic, 0, "lost").unwrap();
            for _ in 0..3 {
                rig.run_ms(6);
                // Refused once the first has failed.
                let _ = rig.send(topic, 0, "lost");
            }
            let error = rig.commit().unwrap_err();
            assert_eq!(error.code(), code, "{generation:?}");
            assert!(error.is_abortable() && !error.is_fatal(), "{generation:?} {error:?}");
            rig.abort().unwrap();
            rig.producer.begin_transaction().unwrap();
            rig.send(topic, 0, "b").unwrap();
            rig.run_ms(10);
            rig.send(topic, 0, "c").unwrap();
            rig.commit().unwrap_or_else(|e| panic!("{generation:?} after {code:?}: {e:?}"));
            assert_eq!(all(&rig), ["a", "b", "c"], "{generation:?} {code:?}");
        }
        for code in [
            E::PRODUCER_FENCED,
            E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            E::INVALID_PRODUCER_ID_MAPPING,
            E::CLUSTER_AUTHORIZATION_FAILED,
        ] {
            let (mut rig, topic) = ready(generation);
            rig.producer.begin_transaction().unwrap();
            rig.stage.lock().cluster.push_partition_errors("t", 0, &[code]);
            rig.send(topic, 0, "lost").unwrap();
            let error = rig.commit().unwrap_err();
            assert!(error.code() == code && error.is_fatal(), "{generation:?} {error:?}");
            assert!(rig.close(1_000, 2_000));
        }
    }
}

/// A broker before 2.4 forgets a producer with its records (KAFKA-7190): what comes next begins at 0.
#[test]
fn a_producer_that_was_forgotten_begins_anew() {
    for generation in ALL {
        let (mut rig, topic) = ready(generation);
        transact(&mut rig, topic, "a").unwrap();
        rig.stage.lock().cluster.forget_producers("t", 0).unwrap();
        let mut tries = 0;
        while let Err(error) = transact(&mut rig, topic, "b") {
            assert!(error.is_abortable(), "{generation:?} {error:?}");
            rig.abort().unwrap();
            tries += 1;
            assert!(tries < 3, "{generation:?}");
        }
        assert_eq!(all(&rig), ["a", "b"]);
    }
}

/// A request to join that got no answer may have begun the transaction, whatever the next one is
/// refused for: the abort tells the coordinator, or the transaction would stay open until its
/// timeout and fence the producer.
#[test]
fn a_refusal_does_not_hide_that_the_transaction_may_have_begun() {
    for generation in [V1, OLD] {
        let (mut rig, topic) = ready(generation);
        for (api, refusal) in [
            (ApiKey::AddPartitionsToTxn, E::TOPIC_AUTHORIZATION_FAILED),
            (ApiKey::AddOffsetsToTxn, E::GROUP_AUTHORIZATION_FAILED),
        ] {
            push(&rig.stage, api, &[Fault::DropResponse, Fault::Error(refusal)]);
            rig.producer.begin_transaction().unwrap();
            let outcome = match api {
                ApiKey::AddPartitionsToTxn => rig.send(topic, 0, "lost").and_then(|_| rig.commit()),
                _ => offsets(&mut rig, 1),
            };
            assert_eq!(fate(&outcome), Fate::Abortable, "{generation:?} {api:?}");
            keys(&rig);
            rig.abort().unwrap();
            assert!(keys(&rig).contains(&ApiKey::EndTxn), "{generation:?} {api:?}");
            rig.run_ms(120_000);
            transact(&mut rig, topic, "kept").unwrap();
        }
        assert_eq!(all(&rig), ["kept", "kept"], "{generation:?}");
    }
}
