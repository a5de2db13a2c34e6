//! Owns the control methods of `MockCluster`: those of `Cluster`, under its lock. Never does more
//! than to pass a call on.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::error::{ErrorCode, Result};
use crate::protocol::ApiKey;

use super::cluster::ReceivedRequest;
use super::coordinator::{CommittedOffset, CoordinatorKind, TransactionDescription};
use super::faults::Fault;
use super::partition_log::Retention;
use super::read_back::{Isolation, OwnedRecord};
use super::server::MockCluster;
use super::topic::TopicSettings;

/// Methods of the same name and meaning as the cluster's: `with` for those that change something,
/// `read` for those that only look.
macro_rules! forward {
    ($($by:ident fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        impl MockCluster {
            $(
                #[doc = concat!("See [`Cluster::", stringify!($name), "`](super::Cluster::",
                    stringify!($name), ").")]
                pub fn $name(&self, $($arg: $type),*) $(-> $result)? {
                    self.$by(|cluster| cluster.$name($($arg),*))
                }
            )*
        }
    };
}

// Topics and partitions.
forward! {
    with fn create_topic(name: &str, partitions: usize, replication: usize) -> Result<()>;
    with fn delete_topic(name: &str) -> Result<()>;
    with fn recreate_topic(name: &str) -> Result<()>;
    with fn grow_partitions(name: &str, count: usize) -> Result<()>;
    with fn set_auto_create(on: bool, partitions: usize);
    with fn set_topic_creation_ms(ms: u64);
    with fn set_default_topic_settings(settings: TopicSettings);
    with fn set_topic_settings(name: &str, settings: TopicSettings) -> Result<()>;
    with fn set_log_append_time(name: &str, on: bool) -> Result<()>;
    with fn set_max_message_bytes(name: &str, bytes: usize) -> Result<()>;
    with fn set_min_insync_replicas(name: &str, replicas: usize) -> Result<()>;
    with fn set_topic_error(name: &str, code: Option<ErrorCode>);
    with fn set_leader(name: &str, partition: i32, leader: Option<i32>) -> Result<()>;
    with fn set_in_sync(name: &str, partition: i32, in_sync: &[i32]) -> Result<()>;
    with fn delete_records(name: &str, partition: i32, offset: i64) -> Result<()>;
    read fn topic_names() -> Vec<String>;
    read fn topic_id(name: &str) -> Result<Uuid>;
    read fn topic_settings(name: &str) -> Result<TopicSettings>;
    read fn partition_count(name: &str) -> Result<usize>;
    read fn leader(name: &str, partition: i32) -> Result<(Option<i32>, i32)>;
    read fn log_start_offset(name: &str, partition: i32) -> Result<i64>;
    read fn log_end_offset(name: &str, partition: i32) -> Result<i64>;
    read fn log_bytes(name: &str, partition: i32) -> Result<bytes::Bytes>;
    read fn last_stable_offset(name: &str, partition: i32) -> Result<i64>;
    read fn records(name: &str, partition: i32) -> Result<Vec<OwnedRecord>>;
    read fn records_isolated(
        name: &str, partition: i32, isolation: Isolation
    ) -> Result<Vec<OwnedRecord>>;
}

// Brokers, versions, logs.
forward! {
    with fn broker_down(broker: i32) -> Result<()>;
    with fn broker_up(broker: i32) -> Result<()>;
    with fn drop_connections(broker: i32) -> Result<()>;
    with fn set_broker_address(broker: i32, host: &str, port: u16) -> Result<()>;
    with fn set_rack(broker: i32, rack: Option<&str>) -> Result<()>;
    with fn set_api_versions(api: ApiKey, min: i16, max: i16);
    with fn remove_api(api: ApiKey);
    with fn set_kafka_version(release: &str) -> Result<()>;
    with fn set_broker_kafka_version(broker: i32, release: &str) -> Result<()>;
    with fn set_verify(on: bool);
    with fn set_retention(retention: Retention);
    with fn retain(bytes: u64);
    with fn discard();
    with fn track_requests(on: bool);
    with fn take_requests() -> Vec<ReceivedRequest>;
    read fn broker_ids() -> Vec<i32>;
    read fn is_up(broker: i32) -> bool;
    read fn request_count(broker: Option<i32>, api: ApiKey) -> u64;
}

// Producers, transactions, groups.
forward! {
    with fn forget_producers(name: &str, partition: i32) -> Result<()>;
    with fn set_producer_state(
        name: &str, partition: i32, producer_id: i64, last: (i16, i32)
    ) -> Result<()>;
    with fn set_next_epoch(epoch: i16);
    with fn set_producer_id_expiration_ms(ms: u64);
    with fn set_transaction_version(level: Option<i16>);
    with fn set_features_stale(broker: i32, on: bool);
    with fn set_transactional_epoch(transactional_id: &str, epoch: i16) -> i64;
    with fn forget_transactional_id(transactional_id: &str) -> bool;
    with fn set_marker_delay_ms(ms: u64);
    with fn set_coordinator(
        kind: CoordinatorKind, key: &str, broker: Option<i32>
    ) -> Result<()>;
    with fn set_coordinator_load_ms(ms: u64);
    with fn set_group_members(
        group: &str, generation: i32, members: &[(&str, Option<&str>)]
    );
    read fn producer_state(
        name: &str, partition: i32, producer_id: i64
    ) -> Result<Option<(i16, Option<i32>)>>;
    read fn transaction(transactional_id: &str) -> Option<TransactionDescription>;
    read fn coordinator(kind: CoordinatorKind, key: &str) -> Option<i32>;
    read fn committed_offset(group: &str, topic: &str, partition: i32) -> Option<CommittedOffset>;
    read fn committed_offsets(group: &str) -> BTreeMap<(String, i32), CommittedOffset>;
    read fn has_unstable_offset(group: &str, topic: &str, partition: i32) -> bool;
}

// Faults.
forward! {
    with fn push_faults(broker: Option<i32>, api: ApiKey, faults: &[Fault]);
    with fn push_errors(api: ApiKey, codes: &[ErrorCode]);
    with fn push_broker_errors(broker: Option<i32>, api: ApiKey, codes: &[ErrorCode]);
    with fn push_partition_errors(topic: &str, partition: i32, codes: &[ErrorCode]);
    with fn drop_connection_on_next(api: ApiKey);
    with fn fail_append_after_write();
    with fn throttle_next(api: ApiKey, count: usize, throttle_ms: i32);
    with fn set_delay_ms(broker: Option<i32>, api: Option<ApiKey>, ms: u64);
    with fn set_round_trip_ms(broker: i32, ms: u64);
    with fn clear_faults();
}
