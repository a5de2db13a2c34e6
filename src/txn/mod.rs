//! Exactly once, as values: who the producer is to the brokers, where each partition stands in its sequence,
//! what may be sent next, and how a transaction goes from begin to end. Pure: time is an argument, requests
//! and answers are values. Never sends, never holds a record. The reasons are in ARCHITECTURE.md, section
//! 8.

mod answers;
pub mod desk;
pub mod group;
pub mod identity;
mod lane;
mod members;
mod messages;
mod rules;
pub mod sequences;
pub mod state;
pub mod transaction;

pub use answers::{Moment, ENDING_RETRY_MS};
pub use group::{GroupMetadata, GroupOffset};
pub use identity::ProducerId;
pub use messages::Envelope;
