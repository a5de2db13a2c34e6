//! Exactly once, as values: who the producer is to the brokers, where each partition stands in its sequence,
//! and what may be sent next. Pure: time is an argument, requests and answers are values. Never sends,
//! never holds a record. The reasons are in ARCHITECTURE.md, section 8.

pub mod identity;
pub mod sequences;

pub use identity::ProducerId;
