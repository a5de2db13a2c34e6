//! An embedded Kafka cluster to test against. [`Cluster`] is the brokers as one deterministic
//! state machine: bytes and the time in, bytes out, faults on order. [`BrokerConnection`] cuts a
//! byte stream into its requests; [`MockCluster`] serves it over TCP on loopback. Never used by
//! the producer itself.

mod answer;
mod batch_check;
mod broker;
mod cluster;
mod connection;
mod control;
mod coordinator;
mod create_topics;
mod faults;
mod features;
mod fetch;
mod marker;
mod message_set;
mod metadata;
mod partition_log;
mod produce;
mod producer_state;
mod read_back;
mod releases;
mod server;
mod server_loop;
#[cfg(test)]
pub(crate) mod testing;
mod topic;
mod topology;
mod versions;

pub use cluster::{Cluster, PeerId, ReceivedRequest, Reply};
pub use connection::{BrokerConnection, MAX_REQUEST_BYTES};
#[cfg(any(test, feature = "sim"))]
pub(crate) use coordinator::APIS as TRANSACTION_APIS;
pub use coordinator::{CommittedOffset, CoordinatorKind, TransactionDescription, TransactionState};
pub use faults::Fault;
pub use partition_log::Retention;
pub use read_back::{Isolation, OwnedRecord};
pub use server::MockCluster;
pub use topic::{TopicSettings, DEFAULT_MAX_MESSAGE_BYTES};
pub use versions::served;
