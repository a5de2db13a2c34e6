//! The command line tool as its users meet it: the built program, its output and its exit codes.
#![cfg(feature = "cli")]

#[path = "cli/help.rs"]
mod help;
#[path = "cli/metadata.rs"]
mod metadata;
#[path = "cli/mock.rs"]
mod mock;
#[path = "cli/perf.rs"]
mod perf;
#[path = "cli/produce.rs"]
mod produce;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/transaction.rs"]
mod transaction;
