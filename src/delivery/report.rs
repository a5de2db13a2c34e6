//! What became of records: one report per outcome of a batch or of a part of it.
//! A report owns the memory that its records are still counted for; dropping it gives that back.

use std::sync::Arc;

use crate::delivery::lease::Lease;
use crate::delivery::outstanding::Ticket;
use crate::error::ErrorCode;

/// Whether the records can be in the log (librdkafka's message status).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Persistence {
    /// Surely not: never sent, or refused. Sending again cannot duplicate.
    NotPersisted = 0,
    /// Sent, and the answer is not known (with acks=0 there never is one). Sending again may duplicate.
    PossiblyPersisted = 1,
    /// The broker said so.
    Persisted = 2,
}

/// The outcome of records that share it.
#[derive(Debug)]
pub struct Report {
    /// Topic id as registered with this producer.
    pub topic: u32,
    /// Partition, or -1 when none had been chosen.
    pub partition: i32,
    /// [`ErrorCode::NONE`] when the records are stored; with acks=0, when their bytes left this process.
    pub code: ErrorCode,
    /// What went wrong, at which stage and after how long; for people.
    pub message: Option<Arc<str>>,
    /// Whether the records can be in the log.
    pub persistence: Persistence,
    /// Offset of the first record, or -1 when unknown.
    pub base_offset: i64,
    /// The broker's log-append time in milliseconds since 1970, or -1 when records keep their own.
    pub log_append_time_ms: i64,
    /// Nanoseconds from the creation of the batch to this report.
    pub latency_ns: u64,
    /// The caller's token of each record, in the order of their offsets.
    pub tokens: Vec<u64>,
    /// Timestamp of each record in milliseconds since 1970, when `report.timestamps` is on.
    pub timestamps_ms: Option<Vec<i64>>,
    /// Memory that these records are counted for until the report is dropped.
    pub lease: Lease,
    /// Holds up `flush` until it is dropped.
    pub ticket: Option<Ticket>,
    /// Records that a poll has already taken.
    pub(super) taken: usize,
}

impl Report {
    /// Records that polls have taken so far.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.taken += count;
    }

    /// Number of records.
    pub fn count(&self) -> usize {
        self.tokens.len()
    }

    /// Offset of the `index`-th record, or -1 when unknown.
    pub fn offset(&self, index: usize) -> i64 {
        if self.base_offset < 0 {
            -1
        } else {
            self.base_offset + index as i64
        }
    }

    /// Timestamp of the `index`-th record, or -1 when neither the broker nor the settings give one.
    pub fn timestamp_ms(&self, index: usize) -> i64 {
        if self.log_append_time_ms >= 0 {
            return self.log_append_time_ms;
        }
        self.timestamps_ms.as_ref().and_then(|all| all.get(index)).copied().unwrap_or(-1)
    }
}
