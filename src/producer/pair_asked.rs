//! A Produce request in the scripted world of `pair_support.rs`, and the answers that a test may give it.

use crate::client::network::ConnectionId;
use crate::error::ErrorCode;
use crate::protocol::produce::{NodeEndpoint, PartitionResponse, ProduceResponse, TopicRef};
use crate::protocol::RequestHeader;
use crate::record::ProducerIdentity;

/// A Produce request that the test has to answer.
pub struct Asked {
    pub node: i32,
    pub(super) connection: ConnectionId,
    pub(super) header: RequestHeader,
    pub acks: i16,
    /// Topic, partition, values of the records.
    pub batches: Vec<(TopicRef, i32, Vec<String>)>,
    /// Who each batch says it is from.
    pub identities: Vec<ProducerIdentity>,
}

impl Asked {
    /// The partitions in it.
    pub fn partitions(&self) -> Vec<i32> {
        self.batches.iter().map(|(_, partition, _)| *partition).collect()
    }

    /// The values in it, in order.
    pub fn values(&self) -> Vec<&str> {
        self.batches.iter().flat_map(|(_, _, values)| values).map(String::as_str).collect()
    }

    /// Epoch and first number of the only batch.
    pub fn numbers(&self) -> (i16, i32) {
        let [identity] = self.identities[..] else { panic!("{} batches", self.batches.len()) };
        (identity.producer_epoch, identity.base_sequence)
    }

    /// An answer with this code for every partition.
    pub fn answer(&self, code: ErrorCode) -> ProduceResponse {
        let partition = |(topic, partition, _): &(TopicRef, i32, Vec<String>)| PartitionResponse {
            topic: topic.clone(),
            partition: *partition,
            error_code: code.value() as i16,
            base_offset: if code == ErrorCode::NONE { 100 } else { -1 },
            log_append_time_ms: -1,
            log_start_offset: 0,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: None,
        };
        let partitions = self.batches.iter().map(partition).collect();
        ProduceResponse { throttle_time_ms: 0, partitions, node_endpoints: Vec::new() }
    }

    /// An error of a leader that has the batches in its log.
    pub fn answer_after_append(&self, code: ErrorCode) -> ProduceResponse {
        let mut response = self.answer(code);
        response.partitions.iter_mut().for_each(|partition| partition.base_offset = 100);
        response
    }

    /// The same, saying who leads now.
    pub fn moved(&self, leader: i32, epoch: i32) -> ProduceResponse {
        let mut response = self.answer(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        for partition in &mut response.partitions {
            partition.current_leader = Some((leader, epoch));
        }
        let host = format!("10.0.0.{leader}");
        response.node_endpoints =
            vec![NodeEndpoint { node_id: leader, host, port: 9092, rack: None }];
        response
    }
}
