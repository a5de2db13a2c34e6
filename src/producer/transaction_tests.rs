//! Transactions against the embedded cluster, over real sockets, as brokers of both generations and old
//! ones do them. What needs exact times is in `pair_transaction_tests.rs`.

use std::time::Duration;

use crate::error::{Error, ErrorCode, Result};
use crate::mock::{CoordinatorKind, Isolation, MockCluster, TransactionState};
use crate::producer::{GroupMetadata, GroupOffset, Producer, ProducerBuilder, TopicId};
use crate::protocol::ApiKey;
use crate::record::Record;

const SOON: Duration = Duration::from_secs(20);

/// Kafka's release and the finalized transaction.version: both generations, and brokers that give no epochs
/// on demand.
const GENERATIONS: [(&str, i16); 3] = [("4.1", 2), ("3.9", 1), ("2.1", 1)];

fn cluster((release, level): (&str, i16)) -> MockCluster {
    let cluster = MockCluster::start(3).unwrap();
    cluster.set_kafka_version(release).unwrap();
    if level == 2 {
        cluster.set_transaction_version(Some(2));
    }
    cluster.create_topic("t", 2, 1).unwrap();
    cluster.create_topic("in", 6, 1).unwrap();
    cluster
}

fn builder(cluster: &MockCluster) -> ProducerBuilder {
    Producer::builder()
        .set("bootstrap.servers", &cluster.bootstrap_servers())
        .and_then(|builder| builder.set("transactional.id", "shipper"))
        .and_then(|builder| builder.set("retry.backoff.ms", "10"))
        .unwrap()
}

/// An initialized producer and the topic.
fn ready(cluster: &MockCluster) -> (Producer, TopicId) {
    let producer = builder(cluster).build().unwrap();
    producer.init_transactions(SOON).unwrap();
    let topic = producer.topic("t").unwrap();
    (producer, topic)
}

fn values(cluster: &MockCluster, isolation: Isolation) -> Vec<String> {
    let read = |partition| cluster.records_isolated("t", partition, isolation).unwrap();
    let records = (0..2).flat_map(read);
    records.map(|record| String::from_utf8(record.value.unwrap()).unwrap()).collect()
}

fn committed(cluster: &MockCluster) -> Vec<String> {
    values(cluster, Isolation::ReadCommitted)
}

fn state(cluster: &MockCluster) -> Option<TransactionState> {
    cluster.transaction("shipper").map(|known| known.state)
}

fn send(producer: &Producer, topic: TopicId, partition: i32, value: &str) -> Result<()> {
    producer.send_to(topic, partition, &Record::value(value.as_bytes())).map(drop)
}

#[test]
fn what_is_committed_is_seen_and_what_is_aborted_is_not() {
    for generation in GENERATIONS {
        let cluster = cluster(generation);
        let (producer, topic) = ready(&cluster);
        for round in 0..3 {
            producer.begin_transaction().unwrap();
            send(&producer, topic, 0, &format!("kept {round}")).unwrap();
            send(&producer, topic, 1, &format!("kept {round}")).unwrap();
            producer.commit_transaction(SOON).unwrap();
            producer.begin_transaction().unwrap();
            send(&producer, topic, 0, "lost").unwrap();
            producer.flush(SOON).unwrap();
            send(&producer, topic, 1, "never sent").unwrap();
            producer.abort_transaction(SOON).unwrap();
        }
        let metrics = producer.metrics();
        for call in ["init", "begin", "commit", "abort"] {
            let name = format!("txn-{call}-time-ns-total");
            assert!(metrics.get(&name).unwrap() > 0.0, "{name}");
        }
        assert_eq!(metrics.get("txn-send-offsets-time-ns-total"), Some(0.0));
        let kept: Vec<String> = (0..3).map(|round| format!("kept {round}")).collect();
        assert_eq!(committed(&cluster), [&kept[..], &kept[..]].concat(), "{generation:?}");
        let all = values(&cluster, Isolation::ReadUncommitted);
        assert_eq!(all.iter().filter(|value| *value == "lost").count(), 3);
        producer.close(SOON).unwrap();
    }
}

#[test]
fn offsets_count_when_their_transaction_is_committed() {
    for generation in GENERATIONS {
        let cluster = cluster(generation);
        let (producer, topic) = ready(&cluster);
        let group = match generation.0 {
            "2.1" => GroupMetadata::new("g", -1, "", None).unwrap(),
            _ => {
                cluster.set_group_members("g", 3, &[("m", None)]);
                GroupMetadata::new("g", 3, "m", None).unwrap()
            }
        };
        for (offset, commits) in [(5, true), (9, false), (7, true)] {
            producer.begin_transaction().unwrap();
            send(&producer, topic, 0, "x").unwrap();
            let offsets = [GroupOffset::new("in", 4, offset), GroupOffset::new("in", 5, 1)];
            producer.send_offsets_to_transaction(&offsets, &group, SOON).unwrap();
            match commits {
                true => producer.commit_transaction(SOON).unwrap(),
                false => producer.abort_transaction(SOON).unwrap(),
            }
            let found = cluster.committed_offset("g", "in", 4).unwrap().offset;
            assert_eq!(found, if commits { offset } else { 5 }, "{generation:?}");
        }
        // Offsets alone make a transaction, too.
        producer.begin_transaction().unwrap();
        let offsets = [GroupOffset::new("in", 4, 20)];
        producer.send_offsets_to_transaction(&offsets, &group, SOON).unwrap();
        producer.commit_transaction(SOON).unwrap();
        assert_eq!(cluster.committed_offset("g", "in", 4).unwrap().offset, 20);
    }
}

#[test]
fn the_older_of_two_producers_is_fenced() {
    for generation in GENERATIONS {
        let cluster = cluster(generation);
        let (older, topic) = ready(&cluster);
        older.begin_transaction().unwrap();
        send(&older, topic, 0, "older").unwrap();
        older.flush(SOON).unwrap();
        let (newer, its_topic) = ready(&cluster);
        newer.begin_transaction().unwrap();
        send(&newer, its_topic, 0, "newer").unwrap();
        newer.commit_transaction(SOON).unwrap();
        let error = older.commit_transaction(SOON).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PRODUCER_FENCED, "{generation:?} {error}");
        assert!(error.is_fatal() && !error.is_abortable() && !error.is_retriable());
        for later in [
            older.begin_transaction(),
            older.abort_transaction(SOON),
            send(&older, topic, 0, "later"),
        ] {
            assert_eq!(later.unwrap_err().code(), ErrorCode::PRODUCER_FENCED);
        }
        older.close(SOON).unwrap();
        assert_eq!(committed(&cluster), ["newer"]);
    }
}

#[test]
fn an_empty_transaction_asks_nobody() {
    for generation in GENERATIONS {
        let cluster = cluster(generation);
        let (producer, topic) = ready(&cluster);
        for _ in 0..2 {
            producer.begin_transaction().unwrap();
            producer.commit_transaction(SOON).unwrap();
            producer.begin_transaction().unwrap();
            producer.abort_transaction(SOON).unwrap();
        }
        assert_eq!(cluster.request_count(None, ApiKey::EndTxn), 0);
        producer.begin_transaction().unwrap();
        send(&producer, topic, 0, "x").unwrap();
        producer.commit_transaction(SOON).unwrap();
        assert_eq!(committed(&cluster), ["x"]);
    }
}

#[test]
fn a_close_aborts_what_is_open_and_commits_what_is_being_committed() {
    for generation in GENERATIONS {
        let cluster = cluster(generation);
        let (producer, topic) = ready(&cluster);
        producer.begin_transaction().unwrap();
        send(&producer, topic, 0, "lost").unwrap();
        producer.flush(SOON).unwrap();
        producer.close(SOON).unwrap();
        assert_eq!(state(&cluster), Some(TransactionState::CompleteAbort), "{generation:?}");
        let error = producer.commit_transaction(SOON).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CLOSED);

        let (producer, topic) = ready(&cluster);
        producer.begin_transaction().unwrap();
        send(&producer, topic, 0, "kept").unwrap();
        cluster.set_delay_ms(None, Some(ApiKey::EndTxn), 200);
        let error = producer.commit_transaction(Duration::ZERO).unwrap_err();
        assert!(error.code() == ErrorCode::TIMED_OUT && error.is_retriable());
        producer.close(SOON).unwrap();
        assert_eq!(committed(&cluster), ["kept"]);
    }
}

#[test]
fn calls_in_the_wrong_state_say_so_and_change_nothing() {
    let cluster = cluster(GENERATIONS[0]);
    let producer = builder(&cluster).build().unwrap();
    let topic = producer.topic("t").unwrap();
    let refused = |result: Result<()>, words: &str| {
        let error: Error = result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::STATE);
        assert!(error.message().contains(words), "{error}");
        assert!(!error.is_abortable() && !error.is_fatal() && !error.is_retriable());
    };
    refused(producer.begin_transaction(), "init_transactions was not called");
    refused(send(&producer, topic, 0, "x"), "init_transactions was not called");
    producer.init_transactions(SOON).unwrap();
    refused(producer.init_transactions(SOON), "init_transactions");
    refused(send(&producer, topic, 0, "x"), "begin_transaction");
    refused(producer.commit_transaction(SOON), "begin_transaction");
    refused(producer.abort_transaction(SOON), "begin_transaction");
    let group = GroupMetadata::new("g", -1, "", None).unwrap();
    let offsets = [GroupOffset::new("in", 0, 1)];
    refused(producer.send_offsets_to_transaction(&offsets, &group, SOON), "begin_transaction");
    producer.begin_transaction().unwrap();
    refused(producer.begin_transaction(), "a transaction is open");
    producer.send_offsets_to_transaction(&[], &group, SOON).unwrap();
    send(&producer, topic, 0, "x").unwrap();
    producer.commit_transaction(SOON).unwrap();
    assert_eq!(committed(&cluster), ["x"]);

    let plain = Producer::builder().set("test.mock.num.brokers", "1").unwrap().build().unwrap();
    refused(plain.init_transactions(SOON), "transactional.id");
    refused(plain.begin_transaction(), "transactional.id");
}

#[test]
fn a_record_that_fails_makes_the_commit_fail_and_an_abort_mends_it() {
    for generation in GENERATIONS {
        let cluster = cluster(generation);
        cluster.set_max_message_bytes("t", 1000).unwrap();
        let (producer, topic) = ready(&cluster);
        for _ in 0..2 {
            producer.begin_transaction().unwrap();
            send(&producer, topic, 0, "lost").unwrap();
            let large = producer.send_to(topic, 1, &Record::value(&[b'x'; 2000])).unwrap();
            let error = producer.commit_transaction(SOON).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MESSAGE_TOO_LARGE, "{generation:?} {error}");
            assert!(error.is_abortable() && !error.is_fatal());
            assert_eq!(large.wait().unwrap_err().error.code(), ErrorCode::MESSAGE_TOO_LARGE);
            let error = send(&producer, topic, 0, "more").unwrap_err();
            assert!(error.is_abortable() && error.message().contains("must be aborted"), "{error}");
            assert!(producer.begin_transaction().unwrap_err().is_abortable());
            assert!(producer.commit_transaction(SOON).unwrap_err().is_abortable());
            producer.abort_transaction(SOON).unwrap();
            producer.begin_transaction().unwrap();
            send(&producer, topic, 1, "kept").unwrap();
            producer.commit_transaction(SOON).unwrap();
        }
        assert_eq!(committed(&cluster), ["kept", "kept"], "{generation:?}");
    }
}

#[test]
fn what_belongs_to_a_transaction_is_never_made_a_plain_message_for_an_old_leader() {
    for codec in ["none", "gzip"] {
        let cluster = cluster(GENERATIONS[1]);
        // One leader goes back to a release without transactions; the coordinator does not.
        let coordinator = cluster.coordinator(CoordinatorKind::Transaction, "shipper").unwrap();
        let old = coordinator % 3 + 1;
        cluster.set_leader("t", 0, Some(coordinator)).unwrap();
        cluster.set_leader("t", 1, Some(old)).unwrap();
        let builder = builder(&cluster).set("compression.type", codec).unwrap();
        let producer = builder.build().unwrap();
        producer.init_transactions(SOON).unwrap();
        cluster.with(|cluster| {
            cluster.set_broker_kafka_version(old, "0.10").unwrap();
            cluster.drop_connections(old).unwrap();
        });
        let topic = producer.topic("t").unwrap();
        producer.begin_transaction().unwrap();
        let doubtful = producer.send_to(topic, 1, &Record::value(b"never")).unwrap();
        let failure = doubtful.wait().unwrap_err();
        assert_eq!(failure.error.code(), ErrorCode::UNSUPPORTED_VERSION, "{codec}");
        // As in Java there is no way on: the next transaction would meet the same broker.
        assert!(producer.commit_transaction(SOON).unwrap_err().is_fatal());
        producer.close(SOON).unwrap();
        assert_eq!(values(&cluster, Isolation::ReadUncommitted), [""; 0]);
    }
}
