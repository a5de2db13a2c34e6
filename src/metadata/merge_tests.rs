//! Tests of the merge rules: epochs, ids, errors, broken answers, leader hints.

use std::sync::Arc;

use uuid::Uuid;

use crate::error::{ErrorCode, Result};
use crate::protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{BrokerId, MetadataResponse, TopicName};
use crate::protocol::StrBytes;

use super::cluster::{ClusterSnapshot, Node, NodeId};
use super::merge::{merge_answer, merge_leadership, LeaderHint, Merged};
use crate::config::BootstrapServer;

const NEWEST: i16 = 13;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// An answer with these brokers, all on port 9092.
fn answer(brokers: &[i32]) -> MetadataResponse {
    let broker = |&id: &i32| {
        let broker = MetadataResponseBroker::default().with_node_id(BrokerId(id));
        broker.with_host(text(&format!("host-{id}"))).with_port(9092)
    };
    MetadataResponse::default().with_brokers(brokers.iter().map(broker).collect())
}

/// A topic whose partitions have these indexes, leaders and epochs.
fn topic(name: &str, id: u128, partitions: &[(i32, i32, i32)]) -> MetadataResponseTopic {
    let partition = |&(index, leader, epoch): &(i32, i32, i32)| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(leader))
            .with_leader_epoch(epoch)
            .with_replica_nodes(vec![BrokerId(leader)])
    };
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_topic_id(Uuid::from_u128(id))
        .with_partitions(partitions.iter().map(partition).collect())
}

fn failed(name: &str, code: i16) -> MetadataResponseTopic {
    topic(name, 0, &[]).with_error_code(code)
}

fn start() -> ClusterSnapshot {
    ClusterSnapshot::bootstrap(&BootstrapServer::parse_list("", "seed:9092").unwrap())
}

fn merge_as(
    old: &ClusterSnapshot,
    version: i16,
    topics: Vec<MetadataResponseTopic>,
) -> Result<Merged> {
    let answer = answer(&[0, 1, 2]).with_topics(topics);
    merge_answer(old, answer, version, &[], |name| Some(name.into()))
}

fn merge(old: &ClusterSnapshot, topics: Vec<MetadataResponseTopic>) -> Merged {
    merge_as(old, NEWEST, topics).unwrap()
}

/// Leader and epoch of `orders`-0.
fn leader(snapshot: &ClusterSnapshot) -> (Option<i32>, i32) {
    let partition = snapshot.partition("orders", 0).unwrap();
    (partition.leader.map(|leader| leader.0), partition.leader_epoch)
}

#[test]
fn reject_old_metadata_and_keep_the_cached_entry() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    let stale = merge(&first, vec![topic("orders", 1, &[(0, 2, 9)])]);
    assert_eq!(leader(&stale.snapshot), (Some(1), 10));
    assert!(!stale.changed);
    let same = merge(&first, vec![topic("orders", 1, &[(0, 2, 10)])]);
    assert_eq!(leader(&same.snapshot), (Some(2), 10), "an equal epoch is accepted");
    let newer = merge(&first, vec![topic("orders", 1, &[(0, 0, 11)])]);
    assert_eq!(leader(&newer.snapshot), (Some(0), 11));
}

#[test]
fn a_stale_entry_keeps_no_leader_that_is_gone() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    let stale = answer(&[0, 2]).with_topics(vec![topic("orders", 1, &[(0, 2, 9)])]);
    let merged = merge_answer(&first, stale, NEWEST, &[], |name| Some(name.into())).unwrap();
    assert_eq!(leader(&merged.snapshot), (None, 10));
    assert!(merged.incomplete);
}

#[test]
fn epoch_update_on_changed_topic_ids() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10), (1, 1, 10)])]).snapshot;
    let recreated = merge(&first, vec![topic("orders", 2, &[(0, 2, 0)])]);
    assert_eq!(leader(&recreated.snapshot), (Some(2), 0));
    let now = recreated.snapshot.topic("orders").unwrap();
    assert_eq!(now.partitions.len(), 1, "the other partition was of the old topic");
    assert_eq!(now.id, Uuid::from_u128(2));
    assert!(recreated.changed);
    let learned = merge(
        &merge(&start(), vec![topic("orders", 0, &[(0, 1, 10)])]).snapshot,
        vec![topic("orders", 1, &[(0, 2, 3)])],
    );
    assert_eq!(leader(&learned.snapshot), (Some(2), 3), "an id where none was known is new, too");
}

#[test]
fn metadata_merge_on_id_downgrade() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    let stale = merge_as(&first, 9, vec![topic("orders", 0, &[(0, 2, 9)])]).unwrap().snapshot;
    assert_eq!(leader(&stale), (Some(1), 10), "without an id the epochs still count");
    assert!(stale.topic("orders").unwrap().id.is_nil());
}

#[test]
fn epoch_update_after_topic_deletion() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    let deleted = merge(&first, vec![failed("orders", 3)]);
    let gone = deleted.snapshot.topic("orders").unwrap();
    assert_eq!(gone.error, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(gone.partitions.is_empty());
    assert!(deleted.changed && deleted.incomplete);
    let again = merge(&deleted.snapshot, vec![topic("orders", 2, &[(0, 2, 0)])]).snapshot;
    assert_eq!(leader(&again), (Some(2), 0));
}

#[test]
fn no_epoch_before_reliable_versions_and_none_forgets_it() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    let old = merge_as(&first, 8, vec![topic("orders", 1, &[(0, 2, 3)])]).unwrap().snapshot;
    assert_eq!(leader(&old), (Some(2), -1));
    let none = merge(&first, vec![topic("orders", 1, &[(0, 2, -1)])]).snapshot;
    assert_eq!(leader(&none), (Some(2), -1));
    let next = merge(&none, vec![topic("orders", 1, &[(0, 0, 2)])]).snapshot;
    assert_eq!(leader(&next), (Some(0), 2), "nothing to compare with");
}

#[test]
fn a_leader_that_is_not_among_the_brokers_is_none() {
    let merged = merge(&start(), vec![topic("orders", 1, &[(0, 7, 1), (1, -1, 1), (2, 2, 1)])]);
    let partitions = &merged.snapshot.topic("orders").unwrap().partitions;
    let leaders: Vec<_> = partitions.iter().map(|partition| partition.leader).collect();
    assert_eq!(leaders, [None, None, Some(NodeId(2))]);
    assert!(merged.incomplete);
}

#[test]
fn a_broker_that_leaves_takes_its_leaderships_along() {
    let both = vec![topic("orders", 1, &[(0, 1, 1)]), topic("other", 2, &[(0, 0, 1)])];
    let first = merge(&start(), both).snapshot;
    let partial = answer(&[0]).with_topics(vec![topic("new", 3, &[(0, 0, 1)])]);
    let merged = merge_answer(&first, partial, NEWEST, &[], |name| Some(name.into())).unwrap();
    assert_eq!(leader(&merged.snapshot), (None, 1));
    assert_eq!(merged.snapshot.partition("other", 0).unwrap().leader, Some(NodeId(0)));
    assert!(merged.incomplete, "somebody else may lead it now");
}

#[test]
fn metadata_topic_errors_are_kept_per_topic() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    for (code, kept, again) in [(29, 0, false), (17, 0, false), (3, 0, true), (5, 1, true)] {
        let merged = merge(&first, vec![failed("orders", code), topic("x", 9, &[(0, 0, 0)])]);
        let now = merged.snapshot.topic("orders").unwrap();
        assert_eq!(now.error, ErrorCode::from_broker(code));
        assert_eq!(now.partitions.len(), kept, "{code}");
        assert_eq!(merged.incomplete, again, "{code}");
        assert_eq!(merged.snapshot.topic("x").unwrap().error, ErrorCode::NONE);
    }
}

#[test]
fn partition_errors_ask_for_another_update() {
    let mut leaderless = topic("orders", 1, &[(0, 1, 1)]);
    leaderless.partitions[0].error_code = 5;
    assert!(merge(&start(), vec![leaderless]).incomplete);
    let mut degraded = topic("orders", 1, &[(0, 1, 1)]);
    degraded.partitions[0].error_code = 9;
    let merged = merge(&start(), vec![degraded]);
    assert_eq!(leader(&merged.snapshot), (Some(1), 1));
}

#[test]
fn an_equivalent_answer_changes_nothing_but_the_version() {
    let topics = || vec![topic("orders", 1, &[(0, 1, 10), (1, 2, 4)])];
    let first = merge(&start(), topics());
    assert!(first.changed);
    let second = merge(&first.snapshot, topics());
    assert!(!second.changed && !second.incomplete);
    assert_eq!(second.snapshot.version, first.snapshot.version + 1);
    let shared = |snapshot: &ClusterSnapshot| Arc::as_ptr(snapshot.topic("orders").unwrap());
    assert_eq!(shared(&second.snapshot), shared(&first.snapshot));
    let moved = merge(&first.snapshot, vec![topic("orders", 1, &[(0, 1, 10), (1, 0, 5)])]);
    assert!(moved.changed);
}

#[test]
fn a_topic_never_loses_partitions_while_its_id_stays() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 1), (1, 2, 1)])]).snapshot;
    let lagging = merge(&first, vec![topic("orders", 1, &[(0, 1, 1)])]).snapshot;
    assert_eq!(lagging.partition("orders", 1).unwrap().leader, Some(NodeId(2)));
    let nameless = merge_as(&start(), 8, vec![topic("orders", 0, &[(0, 1, 1), (1, 2, 1)])]);
    let smaller = merge_as(&nameless.unwrap().snapshot, 8, vec![topic("orders", 0, &[(0, 1, 1)])]);
    let smaller = smaller.unwrap().snapshot;
    assert_eq!(smaller.topic("orders").unwrap().partitions.len(), 1, "no id: maybe another topic");
}

#[test]
fn partitions_come_in_any_order_and_gaps_have_no_leader() {
    let merged = merge(&start(), vec![topic("orders", 1, &[(3, 1, 1), (0, 2, 1), (1, 0, 1)])]);
    let partitions = &merged.snapshot.topic("orders").unwrap().partitions;
    let leaders: Vec<_> = partitions.iter().map(|p| p.leader.map(|leader| leader.0)).collect();
    assert_eq!(leaders, [Some(2), Some(0), None, Some(1)]);
    assert!(merged.incomplete);
}

#[test]
fn a_topic_without_partitions_has_no_leader_yet() {
    let merged = merge(&start(), vec![topic("orders", 1, &[])]);
    let error = merged.snapshot.topic("orders").unwrap().error;
    assert_eq!(error, ErrorCode::LEADER_NOT_AVAILABLE);
    assert!(merged.incomplete);
}

#[test]
fn impossible_answers_are_protocol_errors() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 1)])]).snapshot;
    let mut broken: Vec<(&str, MetadataResponse)> = Vec::new();
    for index in [-1, i32::MIN, i32::MAX, 1_002] {
        let topics = vec![topic("orders", 1, &[(index, 0, 2)])];
        broken.push(("impossible partition: orders-", answer(&[0]).with_topics(topics)));
    }
    let twice = vec![topic("orders", 1, &[(0, 0, 2), (0, 0, 2)])];
    broken.push(("partition orders-0 twice", answer(&[0]).with_topics(twice)));
    broken.push(("broker 0 twice", answer(&[0, 0])));
    broken.push(("impossible broker: id -1", answer(&[-1])));
    for port in [0, -1, 65_536, i32::MIN] {
        let mut bad_port = answer(&[0]);
        bad_port.brokers[0].port = port;
        broken.push(("impossible broker", bad_port));
    }
    let mut no_host = answer(&[0]);
    no_host.brokers[0].host = text("");
    broken.push(("impossible broker", no_host));
    for (what, answer) in broken {
        let merged = merge_answer(&first, answer, NEWEST, &[], |name| Some(name.into()));
        let error = merged.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PROTOCOL, "{what}");
        assert!(error.message().contains(what), "{what}: {}", error.message());
    }
}

#[test]
fn an_answer_without_brokers_is_no_answer() {
    let merged = merge_answer(&start(), answer(&[]), NEWEST, &[], |name| Some(name.into()));
    assert_eq!(merged.unwrap_err().code(), ErrorCode::BROKER_NOT_AVAILABLE);
}

#[test]
fn topics_nobody_wants_are_dropped_and_those_left_out_are_unknown() {
    let first = merge(&start(), vec![topic("old", 1, &[(0, 1, 1)])]).snapshot;
    let names: [Arc<str>; 1] = ["orders".into()];
    let mut nameless = topic("?", 3, &[(0, 1, 1)]);
    nameless.name = None;
    let answer = answer(&[0, 1, 2]).with_topics(vec![topic("all", 2, &[(0, 1, 1)]), nameless]);
    let wanted = |name: &str| (name == "orders").then(|| name.into());
    let merged = merge_answer(&first, answer, 0, &names, wanted).unwrap();
    assert_eq!(merged.snapshot.topics.len(), 1);
    let left_out = merged.snapshot.topic("orders").unwrap();
    assert_eq!(left_out.error, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(merged.incomplete);
}

#[test]
fn cluster_id_and_controller() {
    let told = answer(&[0, 1]).with_cluster_id(Some(text("abc"))).with_controller_id(BrokerId(1));
    let first = merge_answer(&start(), told, NEWEST, &[], |_| None).unwrap().snapshot;
    assert_eq!(first.cluster_id.as_deref(), Some("abc"));
    assert_eq!(first.controller, Some(NodeId(1)));
    let silent = answer(&[0]).with_controller_id(BrokerId(1));
    let second = merge_answer(&first, silent, 0, &[], |_| None).unwrap().snapshot;
    assert_eq!(second.cluster_id.as_deref(), Some("abc"), "v0 does not tell it");
    assert_eq!(second.controller, None, "not among the brokers");
}

fn hint(topic: &str, partition: i32, leader: i32, leader_epoch: i32) -> LeaderHint<'_> {
    LeaderHint { topic, partition, leader: NodeId(leader), leader_epoch }
}

#[test]
fn topic_metadata_on_update_partition_leadership() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10), (1, 1, 10)])]).snapshot;
    let newcomer = Node::from_answer(9, "host-9", 9092, None).unwrap();
    let hints = [hint("orders", 0, 9, 11), hint("orders", 1, 2, 12)];
    let after = merge_leadership(&first, &hints, std::slice::from_ref(&newcomer)).unwrap();
    assert_eq!(after.version, first.version + 1);
    assert_eq!(leader(&after), (Some(9), 11));
    assert_eq!(after.partition("orders", 1).unwrap().leader, Some(NodeId(2)));
    assert_eq!(after.nodes[&NodeId(9)], newcomer);
    assert_eq!(leader(&first), (Some(1), 10), "who holds the old snapshot sees the old one");
}

#[test]
fn leader_hints_that_are_not_newer_or_not_known_do_not_count() {
    let first = merge(&start(), vec![topic("orders", 1, &[(0, 1, 10)])]).snapshot;
    for (what, hint) in [
        ("the same epoch", hint("orders", 0, 2, 10)),
        ("an older epoch", hint("orders", 0, 2, 9)),
        ("an unknown node", hint("orders", 0, 9, 11)),
        ("no leader", hint("orders", 0, -1, 11)),
        ("an unknown partition", hint("orders", 1, 2, 11)),
        ("a negative partition", hint("orders", -1, 2, 11)),
        ("an unknown topic", hint("other", 0, 2, 11)),
    ] {
        assert!(merge_leadership(&first, &[hint], &[]).is_none(), "{what}");
    }
}
