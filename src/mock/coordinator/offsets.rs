//! Owns the answer to TxnOffsetCommit, and the reading back of what groups committed.

use std::collections::BTreeMap;

use kafka_protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestPartition;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;

use super::super::answer::{read, wire, Answer, Call};
use super::super::cluster::Cluster;
use super::group::{CommittedOffset, Committer};
use super::join::offsets_partition;
use super::seats::{seat_of, CoordinatorKind};
use super::transaction::{Identity, TopicPartition};

impl Cluster {
    pub(in crate::mock) fn txn_offset_commit(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: TxnOffsetCommitRequest = read(request)?;
        let together = call.error.map_or_else(|| self.admit(call, request.version, &asked), Err);
        let mut topics = Vec::with_capacity(asked.topics.len());
        for topic in &asked.topics {
            let mut rows = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let at = (topic.name.to_string(), partition.partition_index);
                let done = match (self.topic_errors.get(&at.0).copied(), together) {
                    (Some(code), _) | (None, Err(code)) => Err(code),
                    (None, Ok(())) => self.hold_offset(call, &asked, at, partition),
                };
                let row = TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(done.err().map_or(0, wire));
                rows.push(row);
            }
            let topic = TxnOffsetCommitResponseTopic::default().with_name(topic.name.clone());
            topics.push(topic.with_partitions(rows));
        }
        let response = TxnOffsetCommitResponse::default()
            .with_throttle_time_ms(call.throttle_ms)
            .with_topics(topics);
        Answer::of(request, &response)
    }

    /// Whether offsets are taken at all from this producer for this group.
    fn admit(
        &mut self,
        call: &Call,
        version: i16,
        asked: &TxnOffsetCommitRequest,
    ) -> Result<(), ErrorCode> {
        let group = &asked.group_id.0;
        if group.is_empty() {
            return Err(ErrorCode::INVALID_GROUP_ID);
        }
        self.check_coordinator(call, CoordinatorKind::Group, group)?;
        let held = Identity { id: asked.producer_id.0, epoch: asked.producer_epoch };
        let partition = offsets_partition(group);
        self.admit_offsets(call, version, &asked.transactional_id.0, held, &partition)?;
        let committer = Committer {
            generation: asked.generation_id,
            member: asked.member_id.to_string(),
            instance: asked.group_instance_id.as_ref().map(ToString::to_string),
        };
        if let Some(group) = self.groups.get(group.as_str()) {
            group.check(&committer)?;
        }
        match self.seats.offsets_partition(partition.1) {
            Some(found) => found.producers.join(held, found.log.end_offset(), call.now),
            None => Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        }
    }

    fn hold_offset(
        &mut self,
        call: &Call,
        asked: &TxnOffsetCommitRequest,
        at: TopicPartition,
        partition: &TxnOffsetCommitRequestPartition,
    ) -> Result<(), ErrorCode> {
        self.check_partition(call, &at.0, at.1)?;
        let offset = CommittedOffset {
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_ref().map(ToString::to_string),
        };
        let group = self.groups.entry(asked.group_id.to_string()).or_default();
        group.hold(asked.producer_id.0, at, offset);
        Ok(())
    }

    /// A marker has reached a partition of `__consumer_offsets`: the offsets of every group there
    /// that the producer's transaction holds are committed or forgotten.
    pub(super) fn end_offsets(&mut self, offsets_partition: i32, producer_id: i64, commit: bool) {
        let here = |name: &str| seat_of(name) as i32 == offsets_partition;
        for (_, group) in self.groups.iter_mut().filter(|(name, _)| here(name)) {
            group.end(producer_id, commit);
        }
    }

    /// The offset that a group has committed for a partition, as a new consumer of the group would
    /// find it; `None` when there is none. Offsets of transactions that are not committed, markers
    /// included, do not count.
    pub fn committed_offset(
        &self,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> Option<CommittedOffset> {
        self.groups.get(group)?.committed().get(&(topic.to_owned(), partition)).cloned()
    }

    /// Every offset that a group has committed, by topic and partition.
    pub fn committed_offsets(&self, group: &str) -> BTreeMap<(String, i32), CommittedOffset> {
        self.groups.get(group).map(|group| group.committed().clone()).unwrap_or_default()
    }

    /// Whether a transaction that has not ended holds an offset of a group for a partition: a
    /// consumer that asks for stable offsets would get UNSTABLE_OFFSET_COMMIT (KIP-447).
    pub fn has_unstable_offset(&self, group: &str, topic: &str, partition: i32) -> bool {
        let group = self.groups.get(group);
        group.is_some_and(|group| group.is_pending(&(topic.to_owned(), partition)))
    }

    /// Says who is in a group: from now on TxnOffsetCommit of others gets UNKNOWN_MEMBER_ID,
    /// ILLEGAL_GENERATION or FENCED_INSTANCE_ID, as a broker would answer. Members are ids, static
    /// ones (KIP-345) with their instance id. A group of which nothing was said takes offsets from
    /// everybody.
    pub fn set_group_members(
        &mut self,
        group: &str,
        generation: i32,
        members: &[(&str, Option<&str>)],
    ) {
        self.groups.entry(group.to_owned()).or_default().set_members(generation, members);
    }
}
