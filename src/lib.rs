//! ottla: a Kafka producer.
//!
//! The modules stand in the order in which a record meets them; read them top to bottom.
//! ARCHITECTURE.md walks one record through them with file names.

// The road of a record, outward.
// pub mod capi;
pub mod producer;
pub mod accumulator;
pub mod driver;
pub mod sender;
pub mod client;
pub mod protocol;
pub mod net;
// The way home.
pub mod delivery;

// What the road stands on.
pub mod backoff;
pub mod config;
pub mod error;
pub mod metadata;
pub mod metrics;
pub mod partitioner;
pub mod record;
pub mod time;

// A broker to test against, and the seeded world that proves the core.
pub mod mock;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
