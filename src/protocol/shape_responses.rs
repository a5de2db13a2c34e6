//! The responses that ottla, its tests and its tools receive, as tables for `shape`. The layouts are those of
//! Apache Kafka's message definitions; versions that ottla never speaks are left out.

use super::shape::Kind::{Array, Blob, Struct, Text, TextArray};
use super::shape::{field, Field, BOOLEAN, INT16, INT32, INT32_ARRAY, INT64, INT8, UUID};

const METADATA_BROKER: &[Field] = &[
    field("node_id", INT32),
    field("host", Text),
    field("port", INT32),
    field("rack", Text).since(1),
];

const METADATA_PARTITION: &[Field] = &[
    field("error_code", INT16),
    field("partition_index", INT32),
    field("leader_id", INT32),
    field("leader_epoch", INT32).since(7),
    field("replica_nodes", INT32_ARRAY),
    field("isr_nodes", INT32_ARRAY),
    field("offline_replicas", INT32_ARRAY).since(5),
];

const METADATA_TOPIC: &[Field] = &[
    field("error_code", INT16),
    field("name", Text),
    field("topic_id", UUID).since(10),
    field("is_internal", BOOLEAN).since(1),
    field("partitions", Array(METADATA_PARTITION)),
    field("topic_authorized_operations", INT32).since(8),
];

pub(super) const METADATA: &[Field] = &[
    field("throttle_time_ms", INT32).since(3),
    field("brokers", Array(METADATA_BROKER)),
    field("cluster_id", Text).since(2),
    field("controller_id", INT32).since(1),
    field("topics", Array(METADATA_TOPIC)),
    field("cluster_authorized_operations", INT32).since(8).until(10),
    field("error_code", INT16).since(13),
];

const API_VERSION: &[Field] =
    &[field("api_key", INT16), field("min_version", INT16), field("max_version", INT16)];

const FEATURE: &[Field] =
    &[field("name", Text), field("one_version", INT16), field("other_version", INT16)];

pub(super) const API_VERSIONS: &[Field] = &[
    field("error_code", INT16),
    field("api_keys", Array(API_VERSION)),
    field("throttle_time_ms", INT32).since(1),
    field("supported_features", Array(FEATURE)).since(3).tagged(0),
    field("finalized_features_epoch", INT64).since(3).tagged(1),
    field("finalized_features", Array(FEATURE)).since(3).tagged(2),
    field("zk_migration_ready", BOOLEAN).since(3).tagged(3),
];

const COORDINATOR: &[Field] = &[
    field("key", Text),
    field("node_id", INT32),
    field("host", Text),
    field("port", INT32),
    field("error_code", INT16),
    field("error_message", Text),
];

pub(super) const FIND_COORDINATOR: &[Field] = &[
    field("throttle_time_ms", INT32).since(1),
    field("error_code", INT16).until(3),
    field("error_message", Text).since(1).until(3),
    field("node_id", INT32).until(3),
    field("host", Text).until(3),
    field("port", INT32).until(3),
    field("coordinators", Array(COORDINATOR)).since(4),
];

pub(super) const INIT_PRODUCER_ID: &[Field] = &[
    field("throttle_time_ms", INT32),
    field("error_code", INT16),
    field("producer_id", INT64),
    field("producer_epoch", INT16),
];

const ADD_PARTITIONS_PARTITION: &[Field] =
    &[field("partition_index", INT32), field("partition_error_code", INT16)];

const ADD_PARTITIONS_TOPIC: &[Field] =
    &[field("name", Text), field("results_by_partition", Array(ADD_PARTITIONS_PARTITION))];

const ADD_PARTITIONS_TRANSACTION: &[Field] =
    &[field("transactional_id", Text), field("topic_results", Array(ADD_PARTITIONS_TOPIC))];

pub(super) const ADD_PARTITIONS_TO_TXN: &[Field] = &[
    field("throttle_time_ms", INT32),
    field("error_code", INT16).since(4),
    field("results_by_transaction", Array(ADD_PARTITIONS_TRANSACTION)).since(4),
    field("results_by_topic", Array(ADD_PARTITIONS_TOPIC)).until(3),
];

pub(super) const ADD_OFFSETS_TO_TXN: &[Field] =
    &[field("throttle_time_ms", INT32), field("error_code", INT16)];

pub(super) const END_TXN: &[Field] = &[
    field("throttle_time_ms", INT32),
    field("error_code", INT16),
    field("producer_id", INT64).since(5),
    field("producer_epoch", INT16).since(5),
];

const TXN_OFFSET_PARTITION: &[Field] =
    &[field("partition_index", INT32), field("error_code", INT16)];

const TXN_OFFSET_TOPIC: &[Field] =
    &[field("name", Text), field("partitions", Array(TXN_OFFSET_PARTITION))];

pub(super) const TXN_OFFSET_COMMIT: &[Field] =
    &[field("throttle_time_ms", INT32), field("topics", Array(TXN_OFFSET_TOPIC))];

pub(super) const SASL_HANDSHAKE: &[Field] =
    &[field("error_code", INT16), field("mechanisms", TextArray)];

pub(super) const SASL_AUTHENTICATE: &[Field] = &[
    field("error_code", INT16),
    field("error_message", Text),
    field("auth_bytes", Blob),
    field("session_lifetime_ms", INT64).since(1),
];

const CREATED_CONFIG: &[Field] = &[
    field("name", Text),
    field("value", Text),
    field("read_only", BOOLEAN),
    field("config_source", INT8),
    field("is_sensitive", BOOLEAN),
];

const CREATED_TOPIC: &[Field] = &[
    field("name", Text),
    field("topic_id", UUID).since(7),
    field("error_code", INT16),
    field("error_message", Text),
    field("num_partitions", INT32).since(5),
    field("replication_factor", INT16).since(5),
    field("configs", Array(CREATED_CONFIG)).since(5),
    field("topic_config_error_code", INT16).since(5).tagged(0),
];

pub(super) const CREATE_TOPICS: &[Field] =
    &[field("throttle_time_ms", INT32), field("topics", Array(CREATED_TOPIC))];

const LIST_OFFSETS_PARTITION: &[Field] = &[
    field("partition_index", INT32),
    field("error_code", INT16),
    field("timestamp", INT64),
    field("offset", INT64),
    field("leader_epoch", INT32).since(4),
];

const LIST_OFFSETS_TOPIC: &[Field] =
    &[field("name", Text), field("partitions", Array(LIST_OFFSETS_PARTITION))];

pub(super) const LIST_OFFSETS: &[Field] =
    &[field("throttle_time_ms", INT32).since(2), field("topics", Array(LIST_OFFSETS_TOPIC))];

const FETCH_EPOCH_END: &[Field] = &[field("epoch", INT32), field("end_offset", INT64)];

const FETCH_LEADER: &[Field] = &[field("leader_id", INT32), field("leader_epoch", INT32)];

const FETCH_SNAPSHOT: &[Field] = &[field("end_offset", INT64), field("epoch", INT32)];

const FETCH_ABORTED: &[Field] = &[field("producer_id", INT64), field("first_offset", INT64)];

const FETCH_PARTITION: &[Field] = &[
    field("partition_index", INT32),
    field("error_code", INT16),
    field("high_watermark", INT64),
    field("last_stable_offset", INT64),
    field("log_start_offset", INT64).since(5),
    field("aborted_transactions", Array(FETCH_ABORTED)),
    field("preferred_read_replica", INT32).since(11),
    field("records", Blob),
    field("diverging_epoch", Struct(FETCH_EPOCH_END)).since(12).tagged(0),
    field("current_leader", Struct(FETCH_LEADER)).since(12).tagged(1),
    field("snapshot_id", Struct(FETCH_SNAPSHOT)).since(12).tagged(2),
];

const FETCH_TOPIC: &[Field] = &[
    field("topic", Text).until(12),
    field("topic_id", UUID).since(13),
    field("partitions", Array(FETCH_PARTITION)),
];

const FETCH_ENDPOINT: &[Field] =
    &[field("node_id", INT32), field("host", Text), field("port", INT32), field("rack", Text)];

pub(super) const FETCH: &[Field] = &[
    field("throttle_time_ms", INT32),
    field("error_code", INT16).since(7),
    field("session_id", INT32).since(7),
    field("responses", Array(FETCH_TOPIC)),
    field("node_endpoints", Array(FETCH_ENDPOINT)).since(16).tagged(0),
];
