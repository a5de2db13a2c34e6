//! The seeded world that proves the core: the real producer, driver, client, selector and frame reader on
//! simulated sockets, brokers and time. One seed decides everything; the same seed gives the same trace.
//! Never part of the shipped library (feature `sim`).
//!
//! A run: seed → options (printed) → safety phase, in which anything may fail → everything is healed →
//! liveness phase, in which every record must be reported in time and the producer must close → oracles
//! that look at the whole → a hash of all that happened.

mod brokers;
mod faults;
mod ledger;
mod network;
pub mod options;
mod oracle;
mod run;
mod scenario;
mod trace;
pub mod transaction_plan;
mod transactions;
mod wire;
mod workload;
mod world;

pub use faults::Trouble;
pub use options::Options;
pub use run::{run, Outcome};
