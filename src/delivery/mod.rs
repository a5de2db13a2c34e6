//! The way home of a record: one report per outcome, exactly once, through a callback or a poll.
//! Depends on nothing above it, so anything may hold a promise.

pub mod future;
pub mod lease;
pub mod outstanding;
pub mod promises;
pub mod queue;
pub mod report;
pub mod waiting;
mod wake_fd;

pub use lease::Lease;
pub use outstanding::Outstanding;
pub use promises::Promises;
pub use queue::{Delivery, Door, InlineSink, ReportSink};
pub use report::{Persistence, Report};
