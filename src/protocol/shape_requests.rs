//! The requests that the mock broker accepts, as tables for `shape`. The layouts are those of
//! Apache Kafka's message definitions; versions that ottla never speaks are left out.

use super::shape::Kind::{Array, Blob, Struct, Text, TextArray};
use super::shape::{field, Field, BOOLEAN, INT16, INT32, INT32_ARRAY, INT64, INT8, UUID};

const METADATA_TOPIC: &[Field] = &[field("topic_id", UUID).since(10), field("name", Text)];

pub(super) const METADATA: &[Field] = &[
    field("topics", Array(METADATA_TOPIC)),
    field("allow_auto_topic_creation", BOOLEAN).since(4),
    field("include_cluster_authorized_operations", BOOLEAN).since(8).until(10),
    field("include_topic_authorized_operations", BOOLEAN).since(8),
];

pub(super) const API_VERSIONS: &[Field] = &[
    field("client_software_name", Text).since(3),
    field("client_software_version", Text).since(3),
];

pub(super) const FIND_COORDINATOR: &[Field] = &[
    field("key", Text).until(3),
    field("key_type", INT8).since(1),
    field("coordinator_keys", TextArray).since(4),
];

pub(super) const INIT_PRODUCER_ID: &[Field] = &[
    field("transactional_id", Text),
    field("transaction_timeout_ms", INT32),
    field("producer_id", INT64).since(3),
    field("producer_epoch", INT16).since(3),
];

const ADD_PARTITIONS_TOPIC: &[Field] = &[field("name", Text), field("partitions", INT32_ARRAY)];

const ADD_PARTITIONS_TRANSACTION: &[Field] = &[
    field("transactional_id", Text),
    field("producer_id", INT64),
    field("producer_epoch", INT16),
    field("verify_only", BOOLEAN),
    field("topics", Array(ADD_PARTITIONS_TOPIC)),
];

pub(super) const ADD_PARTITIONS_TO_TXN: &[Field] = &[
    field("transactions", Array(ADD_PARTITIONS_TRANSACTION)).since(4),
    field("transactional_id", Text).until(3),
    field("producer_id", INT64).until(3),
    field("producer_epoch", INT16).until(3),
    field("topics", Array(ADD_PARTITIONS_TOPIC)).until(3),
];

pub(super) const ADD_OFFSETS_TO_TXN: &[Field] = &[
    field("transactional_id", Text),
    field("producer_id", INT64),
    field("producer_epoch", INT16),
    field("group_id", Text),
];

pub(super) const END_TXN: &[Field] = &[
    field("transactional_id", Text),
    field("producer_id", INT64),
    field("producer_epoch", INT16),
    field("committed", BOOLEAN),
];

const TXN_OFFSET_PARTITION: &[Field] = &[
    field("partition_index", INT32),
    field("committed_offset", INT64),
    field("committed_leader_epoch", INT32).since(2),
    field("committed_metadata", Text),
];

const TXN_OFFSET_TOPIC: &[Field] =
    &[field("name", Text), field("partitions", Array(TXN_OFFSET_PARTITION))];

pub(super) const TXN_OFFSET_COMMIT: &[Field] = &[
    field("transactional_id", Text),
    field("group_id", Text),
    field("producer_id", INT64),
    field("producer_epoch", INT16),
    field("generation_id", INT32).since(3),
    field("member_id", Text).since(3),
    field("group_instance_id", Text).since(3),
    field("topics", Array(TXN_OFFSET_TOPIC)),
];

pub(super) const SASL_HANDSHAKE: &[Field] = &[field("mechanism", Text)];

pub(super) const SASL_AUTHENTICATE: &[Field] = &[field("auth_bytes", Blob)];

const CREATE_ASSIGNMENT: &[Field] =
    &[field("partition_index", INT32), field("broker_ids", INT32_ARRAY)];

const CREATE_CONFIG: &[Field] = &[field("name", Text), field("value", Text)];

const CREATE_TOPIC: &[Field] = &[
    field("name", Text),
    field("num_partitions", INT32),
    field("replication_factor", INT16),
    field("assignments", Array(CREATE_ASSIGNMENT)),
    field("configs", Array(CREATE_CONFIG)),
];

pub(super) const CREATE_TOPICS: &[Field] = &[
    field("topics", Array(CREATE_TOPIC)),
    field("timeout_ms", INT32),
    field("validate_only", BOOLEAN),
];

const LIST_OFFSETS_PARTITION: &[Field] = &[
    field("partition_index", INT32),
    field("current_leader_epoch", INT32).since(4),
    field("timestamp", INT64),
];

const LIST_OFFSETS_TOPIC: &[Field] =
    &[field("name", Text), field("partitions", Array(LIST_OFFSETS_PARTITION))];

pub(super) const LIST_OFFSETS: &[Field] = &[
    field("replica_id", INT32),
    field("isolation_level", INT8).since(2),
    field("topics", Array(LIST_OFFSETS_TOPIC)),
    field("timeout_ms", INT32).since(10),
];

const FETCH_PARTITION: &[Field] = &[
    field("partition", INT32),
    field("current_leader_epoch", INT32).since(9),
    field("fetch_offset", INT64),
    field("last_fetched_epoch", INT32).since(12),
    field("log_start_offset", INT64).since(5),
    field("partition_max_bytes", INT32),
    field("replica_directory_id", UUID).since(17).tagged(0),
];

const FETCH_TOPIC: &[Field] = &[
    field("topic", Text).until(12),
    field("topic_id", UUID).since(13),
    field("partitions", Array(FETCH_PARTITION)),
];

const FETCH_FORGOTTEN: &[Field] = &[
    field("topic", Text).until(12),
    field("topic_id", UUID).since(13),
    field("partitions", INT32_ARRAY),
];

const FETCH_REPLICA_STATE: &[Field] = &[field("replica_id", INT32), field("replica_epoch", INT64)];

pub(super) const FETCH: &[Field] = &[
    field("replica_id", INT32).until(14),
    field("max_wait_ms", INT32),
    field("min_bytes", INT32),
    field("max_bytes", INT32),
    field("isolation_level", INT8),
    field("session_id", INT32).since(7),
    field("session_epoch", INT32).since(7),
    field("topics", Array(FETCH_TOPIC)),
    field("forgotten_topics_data", Array(FETCH_FORGOTTEN)).since(7),
    field("rack_id", Text).since(11),
    field("cluster_id", Text).since(12).tagged(0),
    field("replica_state", Struct(FETCH_REPLICA_STATE)).since(15).tagged(1),
];
