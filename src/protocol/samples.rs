//! One filled message of every API and version that the shape tables describe, for the tests:
//! every array has elements, every field that the version has is set, and where there are tagged
//! fields there is an unknown one. Used by unit tests and by `tests/protocol_hostile.rs`.

use std::fmt::Debug;

use bytes::Bytes;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use uuid::Uuid;

/// Takes the samples one by one.
pub trait Visit {
    /// One message of `key` in `version`.
    fn visit<M>(&mut self, key: ApiKey, version: i16, message: M)
    where
        M: Encodable + Decodable + PartialEq + Debug;
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn topic(name: &'static str) -> TopicName {
    TopicName(text(name))
}

fn nodes(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().map(|id| BrokerId(*id)).collect()
}

/// `value` where `has` says that the version has the field, else what the field is without.
fn if_has<T>(has: bool, value: T, without: T) -> T {
    if has {
        value
    } else {
        without
    }
}

const ID: Uuid = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
const NOTHING: i32 = i32::MIN;

/// Adds an unknown tagged field from version `$since` on.
macro_rules! tag {
    ($message:expr, $version:expr, $since:expr) => {{
        let mut message = $message;
        if $version >= $since {
            message.unknown_tagged_fields.insert(77, Bytes::from_static(b"later"));
        }
        message
    }};
}

/// Every response.
pub fn responses(visitor: &mut impl Visit) {
    (0..=13).for_each(|v| visitor.visit(ApiKey::Metadata, v, metadata_response(v)));
    (0..=4).for_each(|v| visitor.visit(ApiKey::ApiVersions, v, api_versions_response(v)));
    (0..=6).for_each(|v| visitor.visit(ApiKey::FindCoordinator, v, find_coordinator_response(v)));
    for v in 0..=5 {
        let message = InitProducerIdResponse::default().with_throttle_time_ms(1);
        let message = message.with_error_code(2).with_producer_id(ProducerId(3));
        let message = tag!(message.with_producer_epoch(4), v, 2);
        visitor.visit(ApiKey::InitProducerId, v, message);
    }
    for v in 0..=5 {
        visitor.visit(ApiKey::AddPartitionsToTxn, v, add_partitions_response(v));
    }
    for v in 0..=4 {
        let message = AddOffsetsToTxnResponse::default().with_throttle_time_ms(1);
        visitor.visit(ApiKey::AddOffsetsToTxn, v, tag!(message.with_error_code(53), v, 3));
    }
    for v in 0..=5 {
        let message = EndTxnResponse::default().with_throttle_time_ms(1).with_error_code(53);
        let message = message.with_producer_id(ProducerId(if_has(v >= 5, 9, -1)));
        let message = message.with_producer_epoch(if_has(v >= 5, 2, -1));
        visitor.visit(ApiKey::EndTxn, v, tag!(message, v, 3));
    }
    (0..=5).for_each(|v| visitor.visit(ApiKey::TxnOffsetCommit, v, txn_offset_response(v)));
    for v in 0..=1 {
        let message = SaslHandshakeResponse::default().with_error_code(33);
        let message = message.with_mechanisms(vec![text("PLAIN"), text("SCRAM-SHA-512")]);
        visitor.visit(ApiKey::SaslHandshake, v, message);
    }
    for v in 0..=2 {
        let message = SaslAuthenticateResponse::default().with_error_code(58);
        let message = message.with_error_message(Some(text("no")));
        let message = message.with_auth_bytes(Bytes::from_static(b"v=abc"));
        let message = message.with_session_lifetime_ms(if_has(v >= 1, 3_600_000, 0));
        visitor.visit(ApiKey::SaslAuthenticate, v, tag!(message, v, 2));
    }
    (2..=7).for_each(|v| visitor.visit(ApiKey::CreateTopics, v, create_topics_response(v)));
    (1..=10).for_each(|v| visitor.visit(ApiKey::ListOffsets, v, list_offsets_response(v)));
    (4..=17).for_each(|v| visitor.visit(ApiKey::Fetch, v, fetch_response(v)));
}

/// Every request.
pub fn requests(visitor: &mut impl Visit) {
    (0..=13).for_each(|v| visitor.visit(ApiKey::Metadata, v, metadata_request(v)));
    for v in 0..=4 {
        let message = ApiVersionsRequest::default();
        let message = message.with_client_software_name(text(if_has(v >= 3, "ottla", "")));
        let message = message.with_client_software_version(text(if_has(v >= 3, "1.2", "")));
        visitor.visit(ApiKey::ApiVersions, v, tag!(message, v, 3));
    }
    for v in 0..=6 {
        let message = FindCoordinatorRequest::default();
        let message = message.with_key(text(if_has(v <= 3, "key", "")));
        let message = message.with_key_type(if_has(v >= 1, 1, 0));
        let keys = if_has(v >= 4, vec![text("one"), text("two")], Vec::new());
        let message = message.with_coordinator_keys(keys);
        visitor.visit(ApiKey::FindCoordinator, v, tag!(message, v, 3));
    }
    for v in 0..=5 {
        let message = InitProducerIdRequest::default().with_transaction_timeout_ms(60_000);
        let message = message.with_transactional_id(Some(TransactionalId(text("t"))));
        let message = message.with_producer_id(ProducerId(if_has(v >= 3, 7, -1)));
        let message = message.with_producer_epoch(if_has(v >= 3, 8, -1));
        visitor.visit(ApiKey::InitProducerId, v, tag!(message, v, 2));
    }
    (0..=5).for_each(|v| visitor.visit(ApiKey::AddPartitionsToTxn, v, add_partitions_request(v)));
    for v in 0..=4 {
        let message = AddOffsetsToTxnRequest::default().with_producer_id(ProducerId(7));
        let message = message.with_transactional_id(TransactionalId(text("t")));
        let message = message.with_producer_epoch(1).with_group_id(GroupId(text("g")));
        visitor.visit(ApiKey::AddOffsetsToTxn, v, tag!(message, v, 3));
    }
    for v in 0..=5 {
        let message = EndTxnRequest::default().with_producer_id(ProducerId(7));
        let message = message.with_transactional_id(TransactionalId(text("t")));
        let message = message.with_producer_epoch(1).with_committed(true);
        visitor.visit(ApiKey::EndTxn, v, tag!(message, v, 3));
    }
    (0..=5).for_each(|v| visitor.visit(ApiKey::TxnOffsetCommit, v, txn_offset_request(v)));
    for v in 0..=1 {
        let message = SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
        visitor.visit(ApiKey::SaslHandshake, v, message);
    }
    for v in 0..=2 {
        let message = SaslAuthenticateRequest::default();
        let message = message.with_auth_bytes(Bytes::from_static(b"n,,n=u"));
        visitor.visit(ApiKey::SaslAuthenticate, v, tag!(message, v, 2));
    }
    (2..=7).for_each(|v| visitor.visit(ApiKey::CreateTopics, v, create_topics_request(v)));
    (1..=10).for_each(|v| visitor.visit(ApiKey::ListOffsets, v, list_offsets_request(v)));
    (4..=17).for_each(|v| visitor.visit(ApiKey::Fetch, v, fetch_request(v)));
}

fn metadata_response(v: i16) -> MetadataResponse {
    use metadata_response::*;
    let broker = |id: i32| {
        let broker = MetadataResponseBroker::default().with_node_id(BrokerId(id));
        let broker = broker.with_host(text("broker.example")).with_port(9092);
        tag!(broker.with_rack(if_has(v >= 1, Some(text("r1")), None)), v, 9)
    };
    let partition = |index: i32| {
        let partition = MetadataResponsePartition::default().with_partition_index(index);
        let partition = partition.with_error_code(5).with_leader_id(BrokerId(1));
        let partition = partition.with_leader_epoch(if_has(v >= 7, 3, -1));
        let partition = partition.with_replica_nodes(nodes(&[1, 2, 3]));
        let partition = partition.with_isr_nodes(nodes(&[1, 2]));
        let offline = if_has(v >= 5, nodes(&[3]), Vec::new());
        tag!(partition.with_offline_replicas(offline), v, 9)
    };
    let topic = |name: &'static str| {
        let topic = MetadataResponseTopic::default().with_name(Some(topic(name)));
        let topic = topic.with_topic_id(if_has(v >= 10, ID, Uuid::nil()));
        let topic = topic.with_error_code(3).with_is_internal(v >= 1);
        let topic = topic.with_topic_authorized_operations(if_has(v >= 8, 1, NOTHING));
        tag!(topic.with_partitions(vec![partition(0), partition(1)]), v, 9)
    };
    let message = MetadataResponse::default().with_throttle_time_ms(if_has(v >= 3, 5, 0));
    let message = message.with_brokers(vec![broker(1), broker(2)]);
    let message = message.with_cluster_id(if_has(v >= 2, Some(text("cluster")), None));
    let message = message.with_controller_id(BrokerId(if_has(v >= 1, 2, -1)));
    let operations = if_has((8..=10).contains(&v), 7, NOTHING);
    let message = message.with_cluster_authorized_operations(operations);
    let message = message.with_error_code(if_has(v >= 13, 41, 0));
    tag!(message.with_topics(vec![topic("orders"), topic("")]), v, 9)
}

fn metadata_request(v: i16) -> MetadataRequest {
    use metadata_request::*;
    let topic = |name: &'static str| {
        let one = MetadataRequestTopic::default().with_name(Some(topic(name)));
        tag!(one.with_topic_id(if_has(v >= 10, ID, Uuid::nil())), v, 9)
    };
    let message = MetadataRequest::default().with_topics(Some(vec![topic("a"), topic("b")]));
    let message = message.with_allow_auto_topic_creation(v < 4);
    let message = message.with_include_cluster_authorized_operations((8..=10).contains(&v));
    tag!(message.with_include_topic_authorized_operations(v >= 8), v, 9)
}

fn api_versions_response(v: i16) -> ApiVersionsResponse {
    use api_versions_response::*;
    let key = |key: i16| {
        let key = ApiVersion::default().with_api_key(key);
        tag!(key.with_min_version(1).with_max_version(9), v, 3)
    };
    let message = ApiVersionsResponse::default().with_api_keys(vec![key(0), key(3), key(18)]);
    let mut message = message.with_throttle_time_ms(if_has(v >= 1, 8, 0));
    if v >= 3 {
        let feature = SupportedFeatureKey::default().with_name(text("transaction.version"));
        let feature = tag!(feature.with_max_version(2), v, 3);
        message.supported_features = vec![feature.clone(), feature];
        let feature = FinalizedFeatureKey::default().with_name(text("transaction.version"));
        let feature = tag!(feature.with_max_version_level(2), v, 3);
        message.finalized_features = vec![feature.clone(), feature];
        message.finalized_features_epoch = 12;
        message.zk_migration_ready = true;
    }
    tag!(message, v, 3)
}

fn find_coordinator_response(v: i16) -> FindCoordinatorResponse {
    use find_coordinator_response::*;
    let message = FindCoordinatorResponse::default();
    let mut message = message.with_throttle_time_ms(if_has(v >= 1, 8, 0));
    if v >= 4 {
        let one = Coordinator::default().with_key(text("t")).with_node_id(BrokerId(3));
        let one = one.with_host(text("broker")).with_port(9092).with_error_code(15);
        let one = tag!(one.with_error_message(Some(text("loading"))), v, 3);
        message.coordinators = vec![one.clone(), one];
    } else {
        message = message.with_error_code(15).with_node_id(BrokerId(3));
        message = message.with_host(text("broker")).with_port(9092);
        message.error_message = if_has(v >= 1, Some(text("loading")), Some(text("")));
    }
    tag!(message, v, 3)
}

fn add_partitions_response(v: i16) -> AddPartitionsToTxnResponse {
    use add_partitions_to_txn_response::*;
    let partition = |index: i32| {
        let partition = AddPartitionsToTxnPartitionResult::default().with_partition_index(index);
        tag!(partition.with_partition_error_code(55), v, 3)
    };
    let one = AddPartitionsToTxnTopicResult::default().with_name(topic("orders"));
    let one = tag!(one.with_results_by_partition(vec![partition(0), partition(1)]), v, 3);
    let message = AddPartitionsToTxnResponse::default().with_throttle_time_ms(4);
    if v < 4 {
        return tag!(message.with_results_by_topic_v3_and_below(vec![one.clone(), one]), v, 3);
    }
    let whole = AddPartitionsToTxnResult::default();
    let whole = whole.with_transactional_id(TransactionalId(text("t")));
    let whole = tag!(whole.with_topic_results(vec![one.clone(), one]), v, 3);
    let message = message.with_results_by_transaction(vec![whole.clone(), whole]);
    tag!(message.with_error_code(31), v, 3)
}

fn add_partitions_request(v: i16) -> AddPartitionsToTxnRequest {
    use add_partitions_to_txn_request::*;
    let one = AddPartitionsToTxnTopic::default().with_name(topic("orders"));
    let one = tag!(one.with_partitions(vec![0, 1, 2]), v, 3);
    let message = AddPartitionsToTxnRequest::default();
    if v >= 4 {
        let whole = AddPartitionsToTxnTransaction::default().with_producer_epoch(1);
        let whole = whole.with_transactional_id(TransactionalId(text("t")));
        let whole = whole.with_producer_id(ProducerId(7)).with_verify_only(true);
        let whole = tag!(whole.with_topics(vec![one.clone(), one]), v, 3);
        return tag!(message.with_transactions(vec![whole.clone(), whole]), v, 3);
    }
    let message = message.with_v3_and_below_transactional_id(TransactionalId(text("t")));
    let message = message.with_v3_and_below_producer_id(ProducerId(7));
    let message = message.with_v3_and_below_producer_epoch(1);
    tag!(message.with_v3_and_below_topics(vec![one.clone(), one]), v, 3)
}

fn txn_offset_response(v: i16) -> TxnOffsetCommitResponse {
    use txn_offset_commit_response::*;
    let partition = TxnOffsetCommitResponsePartition::default().with_partition_index(1);
    let partition = tag!(partition.with_error_code(25), v, 3);
    let one = TxnOffsetCommitResponseTopic::default().with_name(topic("orders"));
    let one = tag!(one.with_partitions(vec![partition.clone(), partition]), v, 3);
    let message = TxnOffsetCommitResponse::default().with_throttle_time_ms(4);
    tag!(message.with_topics(vec![one.clone(), one]), v, 3)
}

fn txn_offset_request(v: i16) -> TxnOffsetCommitRequest {
    use txn_offset_commit_request::*;
    let partition = TxnOffsetCommitRequestPartition::default().with_partition_index(1);
    let partition = partition.with_committed_offset(100);
    let partition = partition.with_committed_leader_epoch(if_has(v >= 2, 3, -1));
    let partition = tag!(partition.with_committed_metadata(Some(text("m"))), v, 3);
    let one = TxnOffsetCommitRequestTopic::default().with_name(topic("orders"));
    let one = tag!(one.with_partitions(vec![partition.clone(), partition]), v, 3);
    let message = TxnOffsetCommitRequest::default().with_group_id(GroupId(text("g")));
    let message = message.with_transactional_id(TransactionalId(text("t")));
    let message = message.with_producer_id(ProducerId(7)).with_producer_epoch(1);
    let message = message.with_generation_id(if_has(v >= 3, 4, -1));
    let message = message.with_member_id(text(if_has(v >= 3, "member", "")));
    let instance = if_has(v >= 3, Some(text("instance")), None);
    let message = message.with_group_instance_id(instance);
    tag!(message.with_topics(vec![one.clone(), one]), v, 3)
}

fn create_topics_response(v: i16) -> CreateTopicsResponse {
    use create_topics_response::*;
    let config = CreatableTopicConfigs::default().with_name(text("retention.ms"));
    let config = config.with_value(Some(text("1"))).with_read_only(true).with_config_source(5);
    let config = tag!(config.with_is_sensitive(true), v, 5);
    let one = CreatableTopicResult::default().with_name(topic("orders")).with_error_code(36);
    let one = one.with_topic_id(if_has(v >= 7, ID, Uuid::nil()));
    let mut one = one.with_error_message(Some(text("exists")));
    if v >= 5 {
        one = one.with_num_partitions(3).with_replication_factor(2);
        one = one.with_configs(Some(vec![config.clone(), config]));
        one = one.with_topic_config_error_code(29);
    }
    let one = tag!(one, v, 5);
    let message = CreateTopicsResponse::default().with_throttle_time_ms(4);
    tag!(message.with_topics(vec![one.clone(), one]), v, 5)
}

fn create_topics_request(v: i16) -> CreateTopicsRequest {
    use create_topics_request::*;
    let assignment = CreatableReplicaAssignment::default().with_partition_index(1);
    let assignment = tag!(assignment.with_broker_ids(nodes(&[1, 2])), v, 5);
    let config = CreatableTopicConfig::default().with_name(text("retention.ms"));
    let config = tag!(config.with_value(Some(text("1"))), v, 5);
    let one = CreatableTopic::default().with_name(topic("orders")).with_num_partitions(3);
    let one = one.with_replication_factor(1).with_configs(vec![config.clone(), config]);
    let one = tag!(one.with_assignments(vec![assignment.clone(), assignment]), v, 5);
    let message = CreateTopicsRequest::default().with_timeout_ms(9).with_validate_only(true);
    tag!(message.with_topics(vec![one.clone(), one]), v, 5)
}

fn list_offsets_response(v: i16) -> ListOffsetsResponse {
    use list_offsets_response::*;
    let partition = ListOffsetsPartitionResponse::default().with_partition_index(1);
    let partition = partition.with_error_code(6).with_timestamp(11).with_offset(12);
    let partition = tag!(partition.with_leader_epoch(if_has(v >= 4, 3, -1)), v, 6);
    let one = ListOffsetsTopicResponse::default().with_name(topic("orders"));
    let one = tag!(one.with_partitions(vec![partition.clone(), partition]), v, 6);
    let message = ListOffsetsResponse::default();
    let message = message.with_throttle_time_ms(if_has(v >= 2, 4, 0));
    tag!(message.with_topics(vec![one.clone(), one]), v, 6)
}

fn list_offsets_request(v: i16) -> ListOffsetsRequest {
    use list_offsets_request::*;
    let partition = ListOffsetsPartition::default().with_partition_index(1).with_timestamp(-1);
    let partition = partition.with_current_leader_epoch(if_has(v >= 4, 3, -1));
    let partition = tag!(partition, v, 6);
    let one = ListOffsetsTopic::default().with_name(topic("orders"));
    let one = tag!(one.with_partitions(vec![partition.clone(), partition]), v, 6);
    let message = ListOffsetsRequest::default().with_replica_id(BrokerId(-1));
    let message = message.with_isolation_level(if_has(v >= 2, 1, 0));
    let message = message.with_timeout_ms(if_has(v >= 10, 500, 0));
    tag!(message.with_topics(vec![one.clone(), one]), v, 6)
}

fn fetch_response(v: i16) -> FetchResponse {
    use fetch_response::*;
    let aborted = AbortedTransaction::default().with_producer_id(ProducerId(7));
    let aborted = tag!(aborted.with_first_offset(3), v, 12);
    let partition = PartitionData::default().with_partition_index(1).with_error_code(6);
    let partition = partition.with_high_watermark(9).with_last_stable_offset(8);
    let partition = partition.with_log_start_offset(if_has(v >= 5, 2, -1));
    let partition = partition.with_aborted_transactions(Some(vec![aborted.clone(), aborted]));
    let partition = partition.with_preferred_read_replica(BrokerId(if_has(v >= 11, 2, -1)));
    let mut partition = partition.with_records(Some(Bytes::from_static(b"records")));
    if v >= 12 {
        let epoch = tag!(EpochEndOffset::default().with_epoch(4), v, 12);
        partition.diverging_epoch = epoch.with_end_offset(5);
        let leader = LeaderIdAndEpoch::default().with_leader_id(BrokerId(3));
        partition.current_leader = tag!(leader.with_leader_epoch(6), v, 12);
        partition.snapshot_id = tag!(SnapshotId::default().with_epoch(2), v, 12);
    }
    let partition = tag!(partition, v, 12);
    let one = FetchableTopicResponse::default();
    let one = one.with_topic(topic(if_has(v <= 12, "orders", "")));
    let one = one.with_topic_id(if_has(v >= 13, ID, Uuid::nil()));
    let one = tag!(one.with_partitions(vec![partition.clone(), partition]), v, 12);
    let endpoint = NodeEndpoint::default().with_node_id(BrokerId(3)).with_host(text("broker"));
    let endpoint = tag!(endpoint.with_port(9092).with_rack(Some(text("r"))), v, 12);
    let message = FetchResponse::default().with_throttle_time_ms(4);
    let message = message.with_error_code(if_has(v >= 7, 70, 0));
    let message = message.with_session_id(if_has(v >= 7, 71, 0));
    let endpoints = if_has(v >= 16, vec![endpoint.clone(), endpoint], Vec::new());
    let message = message.with_node_endpoints(endpoints);
    tag!(message.with_responses(vec![one.clone(), one]), v, 12)
}

fn fetch_request(v: i16) -> FetchRequest {
    use fetch_request::*;
    let partition = FetchPartition::default().with_partition(1).with_fetch_offset(9);
    let partition = partition.with_current_leader_epoch(if_has(v >= 9, 3, -1));
    let partition = partition.with_last_fetched_epoch(if_has(v >= 12, 2, -1));
    let partition = partition.with_log_start_offset(if_has(v >= 5, 1, -1));
    let partition = partition.with_partition_max_bytes(1000);
    let partition = partition.with_replica_directory_id(if_has(v >= 17, ID, Uuid::nil()));
    let partition = tag!(partition, v, 12);
    let name = topic(if_has(v <= 12, "orders", ""));
    let id = if_has(v >= 13, ID, Uuid::nil());
    let one = FetchTopic::default().with_topic(name.clone()).with_topic_id(id);
    let one = tag!(one.with_partitions(vec![partition.clone(), partition]), v, 12);
    let forgotten = ForgottenTopic::default().with_topic(name).with_topic_id(id);
    let forgotten = tag!(forgotten.with_partitions(vec![4, 5]), v, 12);
    let message = FetchRequest::default().with_max_wait_ms(500).with_min_bytes(1);
    let message = message.with_max_bytes(1 << 20).with_isolation_level(1);
    let message = message.with_replica_id(BrokerId(if_has(v <= 14, -2, -1)));
    let message = message.with_session_id(if_has(v >= 7, 71, 0));
    let message = message.with_session_epoch(if_has(v >= 7, 1, -1));
    let message = message.with_rack_id(text(if_has(v >= 11, "r", "")));
    let gone = if_has(v >= 7, vec![forgotten.clone(), forgotten], Vec::new());
    let mut message = message.with_forgotten_topics_data(gone);
    message.cluster_id = if_has(v >= 12, Some(text("cluster")), None);
    if v >= 15 {
        let state = ReplicaState::default().with_replica_id(BrokerId(5));
        message.replica_state = tag!(state.with_replica_epoch(6), v, 12);
    }
    tag!(message.with_topics(vec![one.clone(), one]), v, 12)
}
