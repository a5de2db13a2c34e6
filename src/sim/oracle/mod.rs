//! What must be true of every run, one rule a file. Each looks at the world and says what is wrong.

pub(super) mod atomic;
pub(super) mod deadlines;
pub(super) mod duplicates;
pub(super) mod exactly_once;
pub(super) mod in_flight;
pub(super) mod memory;
pub(super) mod numbers;
pub(super) mod order;
pub(super) mod progress;
pub(super) mod reports;
pub(super) mod schedule;
pub(super) mod stored;
pub(super) mod unacknowledged;
