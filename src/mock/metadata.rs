//! Owns the answers to Metadata and ApiVersions: what the cluster looks like and what it speaks.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiVersionsRequest, BrokerId, MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;

use super::answer::{read, wire, Answer, Call};
use super::cluster::Cluster;
use super::topic::{is_valid_name, Partition, Topic};

/// The field for authorized operations when nobody asked for them.
const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

impl Cluster {
    pub(super) fn api_versions(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        let asked: ApiVersionsRequest = read(request)?;
        let error = if request.version >= 3 && !is_valid_software(&asked) {
            ErrorCode::INVALID_REQUEST
        } else {
            call.error.unwrap_or(ErrorCode::NONE)
        };
        let mut response =
            self.versions_of(call.broker).list(error).with_throttle_time_ms(call.throttle_ms);
        if request.version >= 3 {
            self.features.tell(call.broker, &mut response);
        }
        Answer::of(request, &response)
    }

    pub(super) fn metadata(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        let asked: MetadataRequest = read(request)?;
        let version = request.version;
        let everything = match &asked.topics {
            None => true,
            Some(topics) => version == 0 && topics.is_empty(),
        };
        let may_create = version < 4 || asked.allow_auto_topic_creation;
        let topics: Vec<MetadataResponseTopic> = if everything {
            self.topics.iter().map(|(name, topic)| self.topic_row(call, name, topic)).collect()
        } else {
            let rows = asked.topics.unwrap_or_default();
            rows.iter().map(|topic| self.asked_topic(call, topic, may_create)).collect()
        };
        let brokers = self.live_brokers().map(|broker| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(broker.id))
                .with_host(StrBytes::from_string(broker.host.clone()))
                .with_port(i32::from(broker.port))
                .with_rack(broker.rack.clone().filter(|_| version >= 1).map(StrBytes::from_string))
        });
        let mut response =
            MetadataResponse::default().with_brokers(brokers.collect()).with_topics(topics);
        if version >= 1 {
            let controller = self.live_brokers().next().map_or(-1, |broker| broker.id);
            response.controller_id = BrokerId(controller);
        }
        if version >= 2 {
            response.cluster_id = Some(StrBytes::from_string(self.cluster_id.clone()));
        }
        if version >= 3 {
            response.throttle_time_ms = call.throttle_ms;
        }
        if version >= 13 {
            response.error_code = call.error.map_or(0, wire);
        }
        Answer::of(request, &response)
    }

    /// One topic that was asked for, by name or (from version 12 on) by id.
    fn asked_topic(
        &mut self,
        call: &Call,
        asked: &MetadataRequestTopic,
        may_create: bool,
    ) -> MetadataResponseTopic {
        let Some(name) = &asked.name else {
            return match self.topic_names.get(&asked.topic_id) {
                Some(name) => self.topic_row(call, name, &self.topics[name]),
                None => MetadataResponseTopic::default()
                    .with_topic_id(asked.topic_id)
                    .with_name(None)
                    .with_error_code(wire(ErrorCode::UNKNOWN_TOPIC_ID)),
            };
        };
        let refused = call.error.is_some() || self.topic_errors.contains_key(name.as_str());
        let missing = !refused && !self.topics.contains_key(name.as_str());
        if missing && may_create && self.defaults.auto_create {
            let (partitions, replication) = (self.defaults.partitions, self.defaults.replication);
            let ready_at = call.now.plus_ms(self.defaults.creation_ms);
            if let Err(error) = self.create_topic_at(name, partitions, replication, ready_at) {
                return failed_topic(name, error.code());
            }
        }
        match self.topics.get(name.as_str()) {
            Some(topic) => self.topic_row(call, name, topic),
            None => {
                let code = self.topic_errors.get(name.as_str()).copied().or(call.error);
                let unknown = match is_valid_name(name) {
                    true => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    false => ErrorCode::INVALID_TOPIC_EXCEPTION,
                };
                failed_topic(name, code.unwrap_or(unknown))
            }
        }
    }

    fn topic_row(&self, call: &Call, name: &str, topic: &Topic) -> MetadataResponseTopic {
        if let Some(code) = self.topic_errors.get(name).copied().or(call.error) {
            return failed_topic(name, code);
        }
        if topic.ready_at > call.now {
            return failed_topic(name, ErrorCode::LEADER_NOT_AVAILABLE);
        }
        let partitions = topic.partitions.iter().zip(0..);
        failed_topic(name, ErrorCode::NONE).with_topic_id(topic.id).with_partitions(
            partitions.map(|(partition, index)| self.partition_row(partition, index)).collect(),
        )
    }

    fn partition_row(&self, partition: &Partition, index: i32) -> MetadataResponsePartition {
        let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect::<Vec<_>>();
        let offline: Vec<i32> =
            partition.replicas.iter().copied().filter(|id| !self.is_up(*id)).collect();
        let error = match partition.leader {
            Some(_) => ErrorCode::NONE,
            None => ErrorCode::LEADER_NOT_AVAILABLE,
        };
        MetadataResponsePartition::default()
            .with_error_code(wire(error))
            .with_partition_index(index)
            .with_leader_id(BrokerId(partition.leader.unwrap_or(-1)))
            .with_leader_epoch(partition.leader_epoch)
            .with_replica_nodes(ids(&partition.replicas))
            .with_isr_nodes(ids(&partition.in_sync))
            .with_offline_replicas(ids(&offline))
    }
}

/// A topic without partitions: what a refusal looks like.
fn failed_topic(name: &str, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(name.to_owned()))))
        .with_error_code(wire(code))
        .with_topic_authorized_operations(OPERATIONS_NOT_ASKED)
}

/// The broker's demand on client software names and versions (KIP-511): letters and digits, with
/// `-` and `.` only between them.
fn is_valid_software(request: &ApiVersionsRequest) -> bool {
    let valid = |text: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(inner)
    };
    valid(&request.client_software_name) && valid(&request.client_software_version)
}
