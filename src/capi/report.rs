//! What became of records, in the three shapes that C can have it: lent to a callback, one entry per record,
//! or one entry per run of records. Copies or lends what the core's report holds.
#![allow(unsafe_code)]

use std::ffi::c_char;
use std::ptr;

use crate::delivery::Report;

/// The record is surely not in the log: sending it again cannot duplicate it.
pub const OTTLA_PERSISTENCE_NOT_PERSISTED: u32 = 0;
/// The record was sent and the answer is not known (with acks=0 there never is one): sending it again may
/// duplicate it.
pub const OTTLA_PERSISTENCE_POSSIBLY_PERSISTED: u32 = 1;
/// The broker said that the record is in the log.
pub const OTTLA_PERSISTENCE_PERSISTED: u32 = 2;

/// The outcome of `count` records of one partition that share it: mostly a whole batch. Lent to the
/// delivery callback for the length of the call, with everything that it points to. Fields are
/// only ever appended: step through an array of them by the `stride` that comes with it.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_report_t {
    /// Bytes of this struct as the library knows it.
    pub size: u32,
    /// From ottla_producer_topic().
    pub topic: u32,
    /// The partition, or -1 when none had been chosen.
    pub partition: i32,
    /// 0: the records are stored (with acks=0: their bytes left this process). Else an OTTLA_ERROR_... value.
    pub status: i32,
    /// OTTLA_PERSISTENCE_...
    pub persistence: u32,
    /// 0.
    pub reserved: u32,
    /// Offset of the first record, the others follow; -1 when unknown.
    pub base_offset: i64,
    /// The broker's time of the append in milliseconds since 1970, or -1 when records keep their own.
    pub log_append_time_ms: i64,
    /// Microseconds from the creation of the batch to this report.
    pub latency_us: u64,
    /// Number of records.
    pub count: usize,
    /// The token of each record, in the order of their offsets.
    pub tokens: *const u64,
    /// The time of each record in milliseconds since 1970, when report.timestamps is on; else NULL.
    pub timestamps_ms: *const i64,
    /// What went wrong, for people: UTF-8, not NUL-terminated; NULL when there is nothing to say.
    pub message: *const c_char,
    /// Bytes of the message.
    pub message_len: usize,
}

impl ottla_report_t {
    /// A view of a report, valid as long as that stays where it is.
    pub(super) fn of(report: &Report) -> ottla_report_t {
        let message = report.message.as_deref().unwrap_or_default();
        let timestamps = report.timestamps_ms.as_ref();
        ottla_report_t {
            size: size_of::<ottla_report_t>() as u32,
            topic: report.topic,
            partition: report.partition,
            status: report.code.value(),
            persistence: report.persistence as u32,
            reserved: 0,
            base_offset: report.base_offset,
            log_append_time_ms: report.log_append_time_ms,
            latency_us: report.latency_ns / 1000,
            count: report.count(),
            tokens: report.tokens.as_ptr(),
            timestamps_ms: timestamps.map_or(ptr::null(), |all| all.as_ptr()),
            message: if message.is_empty() { ptr::null() } else { message.as_ptr().cast() },
            message_len: message.len(),
        }
    }
}

/// The outcome of one record, as ottla_producer_poll() copies it. This struct never changes.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_delivery_t {
    /// The record's token.
    pub token: u64,
    /// Its offset, or -1 when unknown.
    pub offset: i64,
    /// Its time in milliseconds since 1970: the broker's, or its own when report.timestamps is on; else -1.
    pub timestamp_ms: i64,
    /// From ottla_producer_topic().
    pub topic: u32,
    /// The partition, or -1 when none had been chosen.
    pub partition: i32,
    /// 0: the record is stored. Else an OTTLA_ERROR_... value.
    pub status: i32,
    /// OTTLA_PERSISTENCE_...
    pub persistence: u32,
    /// Microseconds from the creation of the record's batch to the report, at most UINT32_MAX.
    pub latency_us: u32,
    /// Number of the error text for ottla_producer_message(), or 0 when there is none.
    pub message: u32,
}

impl ottla_delivery_t {
    pub(super) fn of(report: &Report, index: usize, message: u32) -> ottla_delivery_t {
        ottla_delivery_t {
            token: report.tokens[index],
            offset: report.offset(index),
            timestamp_ms: report.timestamp_ms(index),
            topic: report.topic,
            partition: report.partition,
            status: report.code.value(),
            persistence: report.persistence as u32,
            latency_us: u32::try_from(report.latency_ns / 1000).unwrap_or(u32::MAX),
            message,
        }
    }
}

/// The outcome of several records that share it, as ottla_producer_poll_runs() copies it. The records'
/// tokens are `count` entries of the token array from `first` on. This struct never changes.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_run_t {
    /// Index of the first token in the array that was filled by the same call.
    pub first: usize,
    /// Number of records.
    pub count: usize,
    /// Offset of the first record, the others follow; -1 when unknown.
    pub base_offset: i64,
    /// The broker's time of the append in milliseconds since 1970, or -1 when records keep their own.
    pub log_append_time_ms: i64,
    /// From ottla_producer_topic().
    pub topic: u32,
    /// The partition, or -1 when none had been chosen.
    pub partition: i32,
    /// 0: the records are stored. Else an OTTLA_ERROR_... value.
    pub status: i32,
    /// OTTLA_PERSISTENCE_...
    pub persistence: u32,
    /// Microseconds from the creation of the batch to the report, at most UINT32_MAX.
    pub latency_us: u32,
    /// Number of the error text for ottla_producer_message(), or 0 when there is none.
    pub message: u32,
}

impl ottla_run_t {
    pub(super) fn of(
        report: &Report,
        from: usize,
        count: usize,
        first: usize,
        message: u32,
    ) -> ottla_run_t {
        ottla_run_t {
            first,
            count,
            base_offset: report.offset(from),
            log_append_time_ms: report.log_append_time_ms,
            topic: report.topic,
            partition: report.partition,
            status: report.code.value(),
            persistence: report.persistence as u32,
            latency_us: u32::try_from(report.latency_ns / 1000).unwrap_or(u32::MAX),
            message,
        }
    }
}
