//! The transactional requests and their answers as values: what goes into each message, and what is read out
//! of it. Never decides what an answer means.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, ErrorCode, Result};
use crate::metadata::Node;
use crate::protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use crate::protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use crate::protocol::messages::{
    self, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, EndTxnRequest, EndTxnResponse, FindCoordinatorRequest,
    FindCoordinatorResponse, GroupId, InitProducerIdRequest, InitProducerIdResponse, TopicName,
    TransactionalId, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};
use crate::protocol::{decode_response, encode_request, ApiKey, Encodable, StrBytes};
use crate::txn::group::{GroupOffsets, Position};
use crate::txn::identity::ProducerId;
use crate::txn::rules::Rpc;

impl Rpc {
    /// The request's key in the protocol.
    pub fn api(self) -> ApiKey {
        match self {
            Rpc::Find => ApiKey::FindCoordinator,
            Rpc::Initialize => ApiKey::InitProducerId,
            Rpc::AddPartitions => ApiKey::AddPartitionsToTxn,
            Rpc::AddOffsets => ApiKey::AddOffsetsToTxn,
            Rpc::CommitOffsets => ApiKey::TxnOffsetCommit,
            Rpc::End => ApiKey::EndTxn,
        }
    }
}

/// What stands around every message.
#[derive(Copy, Clone, Debug)]
pub struct Envelope<'a> {
    /// The API's version.
    pub version: i16,
    /// Of the header.
    pub correlation_id: i32,
    /// `client.id`.
    pub client_id: &'a str,
}

impl Envelope<'_> {
    fn seal<M: Encodable>(&self, api: ApiKey, message: &M) -> Result<Bytes> {
        encode_request(api, self.version, self.correlation_id, self.client_id, message)
    }
}

/// Who sends.
#[derive(Copy, Clone, Debug)]
pub(super) struct Signature<'a> {
    pub(super) transactional_id: &'a str,
    pub(super) id: ProducerId,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

impl Signature<'_> {
    fn name(&self) -> TransactionalId {
        TransactionalId(text(self.transactional_id))
    }

    fn number(&self) -> messages::ProducerId {
        messages::ProducerId(self.id.id)
    }

    pub(super) fn add_partitions(
        &self,
        envelope: &Envelope<'_>,
        partitions: Vec<(Arc<str>, i32)>,
    ) -> Result<Bytes> {
        let mut topics: Vec<AddPartitionsToTxnTopic> = Vec::new();
        let mut sorted = partitions;
        sorted.sort_unstable();
        for (topic, partition) in sorted {
            match topics.last_mut().filter(|last| last.name.as_str() == &*topic) {
                Some(last) => last.partitions.push(partition),
                None => {
                    let named =
                        AddPartitionsToTxnTopic::default().with_name(TopicName(text(&topic)));
                    topics.push(named.with_partitions(vec![partition]));
                }
            }
        }
        let message = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.name())
            .with_v3_and_below_producer_id(self.number())
            .with_v3_and_below_producer_epoch(self.id.epoch)
            .with_v3_and_below_topics(topics);
        envelope.seal(ApiKey::AddPartitionsToTxn, &message)
    }

    pub(super) fn add_offsets(&self, envelope: &Envelope<'_>, group_id: &str) -> Result<Bytes> {
        let message = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.name())
            .with_producer_id(self.number())
            .with_producer_epoch(self.id.epoch)
            .with_group_id(GroupId(text(group_id)));
        envelope.seal(ApiKey::AddOffsetsToTxn, &message)
    }

    pub(super) fn commit_offsets(
        &self,
        envelope: &Envelope<'_>,
        offsets: &GroupOffsets,
    ) -> Result<Bytes> {
        let group = &offsets.group;
        let mut message = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.name())
            .with_group_id(GroupId(text(&group.group_id)))
            .with_producer_id(self.number())
            .with_producer_epoch(self.id.epoch)
            .with_group_instance_id(None)
            .with_topics(topics_of(offsets, envelope.version));
        if envelope.version >= 3 {
            message = message
                .with_generation_id(group.generation_id)
                .with_member_id(text(&group.member_id))
                .with_group_instance_id(group.group_instance_id.as_deref().map(text));
        } else if group.has_member() {
            let text =
                "the brokers cannot check the consumer of a group (TxnOffsetCommit v3, Kafka 2.5, \
                        KIP-447); give the group's name alone";
            return Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, text));
        }
        envelope.seal(ApiKey::TxnOffsetCommit, &message)
    }

    pub(super) fn end(&self, envelope: &Envelope<'_>, commit: bool) -> Result<Bytes> {
        let message = EndTxnRequest::default()
            .with_transactional_id(self.name())
            .with_producer_id(self.number())
            .with_producer_epoch(self.id.epoch)
            .with_committed(commit);
        envelope.seal(ApiKey::EndTxn, &message)
    }
}

fn topics_of(offsets: &GroupOffsets, version: i16) -> Vec<TxnOffsetCommitRequestTopic> {
    let mut topics: Vec<TxnOffsetCommitRequestTopic> = Vec::new();
    for ((topic, partition), position) in &offsets.positions {
        let Position { offset, leader_epoch, metadata } = position;
        let mut row = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            // Brokers refuse none at all here.
            .with_committed_metadata(Some(text(metadata.as_deref().unwrap_or_default())));
        if version >= 2 {
            row = row.with_committed_leader_epoch(leader_epoch.unwrap_or(-1));
        }
        match topics.last_mut().filter(|last| last.name.as_str() == &**topic) {
            Some(last) => last.partitions.push(row),
            None => {
                let named =
                    TxnOffsetCommitRequestTopic::default().with_name(TopicName(text(topic)));
                topics.push(named.with_partitions(vec![row]));
            }
        }
    }
    topics
}

/// FindCoordinator; `key_type` 0 is a group's, 1 a transactional id's.
pub(super) fn find(envelope: &Envelope<'_>, key: &str, key_type: i8) -> Result<Bytes> {
    let message = FindCoordinatorRequest::default();
    let message = match envelope.version {
        0 => message.with_key(text(key)),
        1..=3 => message.with_key(text(key)).with_key_type(key_type),
        _ => message.with_coordinator_keys(vec![text(key)]).with_key_type(key_type),
    };
    envelope.seal(ApiKey::FindCoordinator, &message)
}

/// InitProducerId; with the id that is held, for its next epoch (KIP-360).
pub(super) fn initialize(
    envelope: &Envelope<'_>,
    transactional_id: &str,
    timeout_ms: i32,
    held: Option<ProducerId>,
) -> Result<Bytes> {
    let mut message = InitProducerIdRequest::default()
        .with_transactional_id(Some(TransactionalId(text(transactional_id))))
        .with_transaction_timeout_ms(timeout_ms);
    if let Some(held) = held.filter(|_| envelope.version >= 3) {
        message =
            message.with_producer_id(messages::ProducerId(held.id)).with_producer_epoch(held.epoch);
    }
    envelope.seal(ApiKey::InitProducerId, &message)
}

/// What an answer says.
#[derive(Debug)]
pub(super) enum Answer {
    /// Where the coordinator is.
    Coordinator(Result<Node>),
    /// The id that was given.
    Identity(ErrorCode, ProducerId),
    /// Of each partition.
    Partitions(Vec<(Arc<str>, i32, ErrorCode)>),
    /// Of the whole request.
    Whole(ErrorCode),
    /// The transaction's end; from EndTxn v5 on with the id of the next one (KIP-890).
    End(ErrorCode, Option<ProducerId>),
}

/// Reads an answer; also for how long the broker wants to be left alone.
pub(super) fn read(rpc: Rpc, version: i16, body: Bytes) -> Result<(Answer, i32)> {
    let api = rpc.api();
    Ok(match rpc {
        Rpc::Find => {
            let response: FindCoordinatorResponse = decode_response(api, version, body)?;
            let throttle_ms = response.throttle_time_ms;
            (Answer::Coordinator(coordinator(response, version)), throttle_ms)
        }
        Rpc::Initialize => {
            let response: InitProducerIdResponse = decode_response(api, version, body)?;
            let id = ProducerId { id: response.producer_id.0, epoch: response.producer_epoch };
            let code = ErrorCode::from_broker(response.error_code);
            (Answer::Identity(code, id), response.throttle_time_ms)
        }
        Rpc::AddPartitions => {
            let response: AddPartitionsToTxnResponse = decode_response(api, version, body)?;
            let topics = response.results_by_topic_v3_and_below.into_iter();
            let rows = topics.flat_map(|topic| {
                let name: Arc<str> = topic.name.as_str().into();
                topic.results_by_partition.into_iter().map(move |row| {
                    let code = ErrorCode::from_broker(row.partition_error_code);
                    (name.clone(), row.partition_index, code)
                })
            });
            (Answer::Partitions(rows.collect()), response.throttle_time_ms)
        }
        Rpc::AddOffsets => {
            let response: AddOffsetsToTxnResponse = decode_response(api, version, body)?;
            let code = ErrorCode::from_broker(response.error_code);
            (Answer::Whole(code), response.throttle_time_ms)
        }
        Rpc::CommitOffsets => {
            let response: TxnOffsetCommitResponse = decode_response(api, version, body)?;
            let rows = response.topics.into_iter().flat_map(|topic| {
                let name: Arc<str> = topic.name.as_str().into();
                topic.partitions.into_iter().map(move |row| {
                    let code = ErrorCode::from_broker(row.error_code);
                    (name.clone(), row.partition_index, code)
                })
            });
            (Answer::Partitions(rows.collect()), response.throttle_time_ms)
        }
        Rpc::End => {
            let response: EndTxnResponse = decode_response(api, version, body)?;
            let next = ProducerId { id: response.producer_id.0, epoch: response.producer_epoch };
            let next = Some(next).filter(|next| version >= 5 && next.id >= 0 && next.epoch >= 0);
            let code = ErrorCode::from_broker(response.error_code);
            (Answer::End(code, next), response.throttle_time_ms)
        }
    })
}

fn coordinator(response: FindCoordinatorResponse, version: i16) -> Result<Node> {
    let (code, words, id, host, port) = if version >= 4 {
        let mut rows = response.coordinators.into_iter();
        let (Some(row), None) = (rows.next(), rows.next()) else {
            let text = "FindCoordinator gave another number of coordinators than one";
            return Err(Error::new(ErrorCode::PROTOCOL, text));
        };
        (row.error_code, row.error_message, row.node_id.0, row.host, row.port)
    } else {
        let FindCoordinatorResponse { error_code, error_message, node_id, host, port, .. } =
            response;
        (error_code, error_message, node_id.0, host, port)
    };
    match ErrorCode::from_broker(code) {
        ErrorCode::NONE => Node::from_answer(id, &host, port, None),
        code => {
            let words = words.map(|words| words.to_string()).filter(|words| !words.is_empty());
            Err(Error::new(code, words.unwrap_or_else(|| code.description().to_owned())))
        }
    }
}
