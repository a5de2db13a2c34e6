//! Tests of offsets that are committed in transactions.

use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    GroupId, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
};

use super::testing::{text, Bench, ID, OLD, V1, V2};
use super::transaction::Identity;
use super::{CommittedOffset, CoordinatorKind, TransactionState};
use crate::error::ErrorCode;
use crate::mock::Cluster;
use crate::protocol::ApiKey;

/// TxnOffsetCommit as a client sends it for group `g` and topic `t`.
#[derive(Clone)]
struct Offsets {
    version: i16,
    held: Identity,
    offsets: Vec<(i32, i64)>,
    generation: i32,
    member: &'static str,
    instance: Option<&'static str>,
}

fn offsets(version: i16, held: Identity, offsets: &[(i32, i64)]) -> Offsets {
    let offsets = offsets.to_vec();
    Offsets { version, held, offsets, generation: -1, member: "", instance: None }
}

fn request(asked: &Offsets) -> TxnOffsetCommitRequest {
    let partition = |(index, offset): &(i32, i64)| {
        let row = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(*index)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(text("m")));
        if asked.version >= 2 {
            row.with_committed_leader_epoch(4)
        } else {
            row
        }
    };
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(TopicName(text("t")))
        .with_partitions(asked.offsets.iter().map(partition).collect());
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text(ID)))
        .with_group_id(GroupId(text("g")))
        .with_producer_id(ProducerId(asked.held.id))
        .with_producer_epoch(asked.held.epoch)
        .with_topics(vec![topic]);
    if asked.version < 3 {
        return request;
    }
    request
        .with_generation_id(asked.generation)
        .with_member_id(text(asked.member))
        .with_group_instance_id(asked.instance.map(text))
}

impl Bench {
    fn group_coordinator(&self) -> i32 {
        self.tester.cluster.coordinator(CoordinatorKind::Group, "g").unwrap()
    }

    fn send_offsets(&mut self, asked: &Offsets) -> Vec<i16> {
        let broker = self.group_coordinator();
        let answer: TxnOffsetCommitResponse =
            self.tester.call(broker, ApiKey::TxnOffsetCommit, asked.version, &request(asked));
        let rows = &answer.topics[0].partitions;
        rows.iter().map(|row| row.error_code).collect()
    }

    /// In the manner of the client's generation.
    fn commit_offset(&mut self, partition: i32, offset: i64) {
        let version = match self.client.transaction_version {
            2 => 5,
            _ => {
                assert_eq!(self.add_offsets(3, self.held), 0);
                3
            }
        };
        let asked = offsets(version, self.held, &[(partition, offset)]);
        assert_eq!(self.send_offsets(&asked), [0]);
    }

    fn committed_offset(&self, partition: i32) -> Option<i64> {
        let found = self.tester.cluster.committed_offset("g", "t", partition);
        found.map(|found| found.offset)
    }
}

/// See `mock::testing::cluster_with_transactions`.
pub(in crate::mock) fn with_transactions() -> Cluster {
    let mut bench = Bench::ready(V2);
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    bench.commit_offset(0, 11);
    bench.end(true).unwrap();
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    bench.commit_offset(0, 99);
    bench.end(false).unwrap();
    assert_eq!(bench.write(0, 0, 1).error_code, 0);
    bench.commit_offset(0, 100);
    bench.tester.cluster
}

#[test]
fn offsets_count_when_the_transaction_does() {
    for client in [OLD, V1, V2] {
        let mut bench = Bench::ready(client);
        bench.commit_offset(0, 10);
        assert_eq!(bench.committed_offset(0), None);
        assert!(bench.tester.cluster.has_unstable_offset("g", "t", 0));
        assert_eq!(bench.state(), TransactionState::Ongoing);
        bench.end(true).unwrap();
        assert_eq!(bench.committed_offset(0), Some(10), "{client:?}");
        assert!(!bench.tester.cluster.has_unstable_offset("g", "t", 0));

        bench.commit_offset(0, 20);
        bench.commit_offset(1, 5);
        bench.end(false).unwrap();
        assert_eq!((bench.committed_offset(0), bench.committed_offset(1)), (Some(10), None));

        bench.tester.cluster.set_marker_delay_ms(10);
        bench.commit_offset(0, 21);
        bench.end(true).unwrap();
        assert_eq!(bench.committed_offset(0), Some(10), "its marker is on its way");
        bench.advance_ms(10);
        assert_eq!(bench.committed_offset(0), Some(21));
        assert_eq!(bench.tester.cluster.committed_offset("other", "t", 0), None);
    }
}

#[test]
fn every_version_keeps_what_it_says() {
    for version in 0..=5 {
        let mut bench = Bench::ready(V1);
        assert_eq!(bench.add_offsets(version.min(4), bench.held), 0);
        let asked = offsets(version, bench.held, &[(0, 7), (2, 8), (9, 1)]);
        assert_eq!(bench.send_offsets(&asked), [0, 0, 3], "v{version}");
        bench.end(true).unwrap();
        let leader_epoch = if version >= 2 { 4 } else { -1 };
        let at = |offset| CommittedOffset { offset, leader_epoch, metadata: Some("m".into()) };
        let all = bench.tester.cluster.committed_offsets("g");
        let all: Vec<_> = all.into_iter().map(|(at, offset)| (at.1, offset)).collect();
        assert_eq!(all, [(0, at(7)), (2, at(8))]);
    }
}

#[test]
fn offsets_outside_of_their_transaction_are_refused_in_words_their_client_knows() {
    for (version, expected) in [(0, 48), (3, 48), (4, 120), (5, 0)] {
        let mut bench = Bench::ready(V1);
        let asked = offsets(version, bench.held, &[(0, 7), (1, 8)]);
        assert_eq!(bench.send_offsets(&asked), [expected; 2], "v{version}");
    }
    let mut bench = Bench::ready(OLD);
    let asked = offsets(3, bench.held, &[(0, 7)]);
    assert_eq!(bench.send_offsets(&asked), [0], "before KIP-890 nobody asks");
    assert_eq!(bench.state(), TransactionState::Empty);
}

#[test]
fn only_the_producer_that_holds_the_id_commits() {
    for client in [V1, V2] {
        let version = if client.end >= 5 { 5 } else { 4 };
        let mut bench = Bench::ready(client);
        let held = bench.held;
        let mut code = |held| bench.send_offsets(&offsets(version, held, &[(0, 1)]))[0];
        assert_eq!(code(Identity { id: held.id + 1, ..held }), 49);
        assert_eq!(code(Bench::bumped(held, 1)), 47);
        bench.commit_offset(0, 1);
        bench.init(None).unwrap_err();
        let new = bench.init(None).unwrap();
        let late = offsets(version, held, &[(0, 99)]);
        assert_eq!(bench.send_offsets(&late), [47]);
        bench.held = new;
        bench.commit_offset(0, 2);
        bench.end(true).unwrap();
        assert_eq!(bench.committed_offset(0), Some(2));
    }
    // Where nobody asks the transaction's coordinator, the marker fences.
    let mut bench = Bench::ready(OLD);
    let held = bench.held;
    bench.commit_offset(0, 1);
    bench.init(None).unwrap_err();
    assert_eq!(bench.send_offsets(&offsets(3, held, &[(0, 99)])), [47]);
}

#[test]
fn membership_is_checked_once_it_is_known() {
    let mut bench = Bench::ready(V2);
    let asked = Offsets { generation: 3, member: "m", ..offsets(5, bench.held, &[(0, 1)]) };
    assert_eq!(bench.send_offsets(&asked), [0], "nothing was said of this group");
    let members = [("m", None), ("s", Some("i"))];
    bench.tester.cluster.set_group_members("g", 3, &members);
    assert_eq!(bench.send_offsets(&asked), [0]);
    let mut code = |asked: Offsets| bench.send_offsets(&asked)[0];
    assert_eq!(code(Offsets { generation: 2, ..asked.clone() }), 22);
    assert_eq!(code(Offsets { member: "x", ..asked.clone() }), 25);
    assert_eq!(code(Offsets { instance: Some("i"), ..asked.clone() }), 82);
    assert_eq!(code(Offsets { member: "s", instance: Some("i"), ..asked.clone() }), 0);
    let old_client = Offsets { version: 2, ..asked };
    assert_eq!(code(old_client), 0, "it cannot say who it is");
}

#[test]
fn only_the_groups_coordinator_takes_offsets() {
    let mut bench = Bench::ready(V2);
    let asked = offsets(5, bench.held, &[(0, 1)]);
    let first = bench.group_coordinator();
    bench.tester.cluster.set_coordinator_load_ms(50);
    bench.tester.cluster.broker_down(first).unwrap();
    assert_ne!(bench.group_coordinator(), first);
    assert_eq!(bench.send_offsets(&asked), [14]);
    bench.advance_ms(50);
    // The transaction's coordinator may have moved, too, and is asked for the first time now.
    let _ = bench.send_offsets(&asked);
    bench.advance_ms(50);
    assert_eq!(bench.send_offsets(&asked), [0]);
    bench.tester.cluster.broker_up(first).unwrap();
    let answer: TxnOffsetCommitResponse =
        bench.tester.call(first, ApiKey::TxnOffsetCommit, 5, &request(&asked));
    assert_eq!(answer.topics[0].partitions[0].error_code, 16);
    bench
        .tester
        .cluster
        .push_errors(ApiKey::TxnOffsetCommit, &[ErrorCode::GROUP_AUTHORIZATION_FAILED]);
    assert_eq!(bench.send_offsets(&asked), [30]);
    let denied = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
    bench.tester.cluster.set_topic_error("t", Some(denied));
    assert_eq!(bench.send_offsets(&asked), [29]);
}

#[test]
fn offsets_wait_for_the_transaction_before() {
    let mut bench = Bench::ready(V2);
    bench.commit_offset(0, 1);
    bench.tester.cluster.set_marker_delay_ms(10);
    bench.end(true).unwrap();
    let asked = offsets(5, bench.held, &[(0, 2)]);
    assert_eq!(bench.send_offsets(&asked), [51]);
    bench.advance_ms(10);
    assert_eq!(bench.send_offsets(&asked), [0]);
}
