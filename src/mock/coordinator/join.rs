//! Owns the answers to AddPartitionsToTxn and AddOffsetsToTxn: what becomes part of a transaction
//! by request.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse,
};

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;

use super::super::answer::{read, wire, Answer, Call};
use super::super::cluster::Cluster;
use super::init::fenced_for;
use super::seats::{seat_of, CoordinatorKind, OFFSETS_TOPIC};
use super::transaction::{Identity, TopicPartition};

/// The version since which clients know PRODUCER_FENCED (KIP-588).
const FENCED_SINCE: i16 = 2;

/// One transaction that wants to grow.
struct Joining<'a> {
    transactional_id: &'a str,
    held: Identity,
    verify_only: bool,
    topics: &'a [AddPartitionsToTxnTopic],
}

impl Cluster {
    pub(in crate::mock) fn add_partitions_to_txn(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: AddPartitionsToTxnRequest = read(request)?;
        let mut response =
            AddPartitionsToTxnResponse::default().with_throttle_time_ms(call.throttle_ms);
        if request.version < 4 {
            let joining = Joining {
                transactional_id: &asked.v3_and_below_transactional_id.0,
                held: Identity {
                    id: asked.v3_and_below_producer_id.0,
                    epoch: asked.v3_and_below_producer_epoch,
                },
                verify_only: false,
                topics: &asked.v3_and_below_topics,
            };
            response.results_by_topic_v3_and_below = self.join(call, request.version, &joining);
            return Answer::of(request, &response);
        }
        // From v4 on brokers ask, for several transactions at once.
        response.error_code = call.error.map_or(0, wire);
        for one in asked.transactions.iter().filter(|_| call.error.is_none()) {
            let joining = Joining {
                transactional_id: &one.transactional_id.0,
                held: Identity { id: one.producer_id.0, epoch: one.producer_epoch },
                verify_only: one.verify_only,
                topics: &one.topics,
            };
            let result = AddPartitionsToTxnResult::default()
                .with_transactional_id(one.transactional_id.clone())
                .with_topic_results(self.join(call, request.version, &joining));
            response.results_by_transaction.push(result);
        }
        Answer::of(request, &response)
    }

    /// Adds the partitions, all or none.
    fn join(
        &mut self,
        call: &Call,
        version: i16,
        joining: &Joining<'_>,
    ) -> Vec<AddPartitionsToTxnTopicResult> {
        let missing = |cluster: &Cluster, name: &str, index| {
            let error = cluster.topic_errors.get(name).copied();
            error.or_else(|| cluster.check_partition(call, name, index).err())
        };
        let all = joining
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |index| (&topic.name, *index)));
        let any_missing = all.clone().any(|(name, index)| missing(self, name, index).is_some());
        let together = match call.error {
            Some(code) => Err(code),
            None if any_missing => Ok(()),
            None => {
                let partitions = all.map(|(name, index)| (name.to_string(), index)).collect();
                self.join_all(call, joining, partitions)
            }
        };
        let code_of = |name: &str, index| match together {
            Err(code) => wire(fenced_for(code, version, FENCED_SINCE)),
            Ok(()) if any_missing => {
                wire(missing(self, name, index).unwrap_or(ErrorCode::OPERATION_NOT_ATTEMPTED))
            }
            Ok(()) => 0,
        };
        let row = |topic: &AddPartitionsToTxnTopic| {
            let partition = |index: &i32| {
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(*index)
                    .with_partition_error_code(code_of(&topic.name, *index))
            };
            AddPartitionsToTxnTopicResult::default()
                .with_name(topic.name.clone())
                .with_results_by_partition(topic.partitions.iter().map(partition).collect())
        };
        joining.topics.iter().map(row).collect()
    }

    fn join_all(
        &mut self,
        call: &Call,
        joining: &Joining<'_>,
        partitions: Vec<TopicPartition>,
    ) -> Result<(), ErrorCode> {
        let (id, held) = (joining.transactional_id, joining.held);
        if id.is_empty() {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        self.check_coordinator(call, CoordinatorKind::Transaction, id)?;
        if joining.verify_only {
            return partitions.iter().try_for_each(|partition| self.verify(id, held, partition));
        }
        self.add_to_transaction(call, id, held, partitions)
    }

    pub(in crate::mock) fn add_offsets_to_txn(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: AddOffsetsToTxnRequest = read(request)?;
        let done = call.error.map_or_else(|| self.join_offsets(call, &asked), Err);
        let code = done.err().map(|code| fenced_for(code, request.version, FENCED_SINCE));
        let response = AddOffsetsToTxnResponse::default()
            .with_throttle_time_ms(call.throttle_ms)
            .with_error_code(code.map_or(0, wire));
        Answer::of(request, &response)
    }

    fn join_offsets(
        &mut self,
        call: &Call,
        asked: &AddOffsetsToTxnRequest,
    ) -> Result<(), ErrorCode> {
        let id = &asked.transactional_id.0;
        if id.is_empty() {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        self.check_coordinator(call, CoordinatorKind::Transaction, id)?;
        let held = Identity { id: asked.producer_id.0, epoch: asked.producer_epoch };
        self.add_to_transaction(call, id, held, [offsets_partition(&asked.group_id.0)])
    }

    /// Makes partitions part of a transaction, which begins with the first.
    pub(super) fn add_to_transaction(
        &mut self,
        call: &Call,
        transactional_id: &str,
        held: Identity,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) -> Result<(), ErrorCode> {
        let Some(transaction) = self.transactions.get_mut(transactional_id) else {
            return Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
        };
        if transaction.add(held, partitions)? {
            let deadline = transaction.deadline(call.now);
            self.transactions.set_due(transactional_id, deadline);
        }
        Ok(())
    }
}

/// The partition of `__consumer_offsets` that keeps a group's offsets.
pub(super) fn offsets_partition(group: &str) -> TopicPartition {
    (OFFSETS_TOPIC.to_owned(), seat_of(group) as i32)
}
