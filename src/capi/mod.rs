//! The C face: what `include/ottla.h` declares, noun by noun in the order of the header. Converts, checks and
//! calls the Rust face; decides nothing about records.
//!
//! `registry` holds the handles, `gate` turns C's pointers into references, `guard` surrounds every
//! call. Each exported function has one unsafe block, which takes its pointers through the gate.
#![allow(non_camel_case_types)]
#![deny(unsafe_op_in_unsafe_fn)]

mod gate;
mod guard;
mod layout;
mod registry;

pub mod version;
pub mod error;
pub mod config;
pub mod record;
pub mod report;
pub mod intercept;
pub mod partitioner;
pub mod event;
pub mod callbacks;
pub mod producer;
pub mod send;
pub mod columns;
pub mod poll;
pub mod events;
pub mod transactions;
pub mod metadata;
pub mod metrics;
pub mod mock;
pub mod mock_transactions;

pub use guard::{Callback, Inside, Rule, RULES};
pub use registry::live_handles;
