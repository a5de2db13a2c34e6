//! What happened besides reports, in C's form: log lines, errors that no record stands for, throttling.
//! `events.rs` keeps them for who polls, `callbacks.rs` gives them to who is called.

use std::mem::size_of;

use crate::log::{Event, EventKind};

/// There is no event.
pub const OTTLA_EVENT_NONE: i32 = 0;
/// A line of the log.
pub const OTTLA_EVENT_LOG: i32 = 1;
/// An error that no call and no report stands for: a broker that cannot be reached, say.
pub const OTTLA_EVENT_ERROR: i32 = 2;
/// A broker holds this client back because of a quota.
pub const OTTLA_EVENT_THROTTLE: i32 = 3;

/// Something that happened, as on_event and ottla_producer_next_event() tell it. Set `size` first; fields are
/// only ever appended.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_event_t {
    /// sizeof(ottla_event_t).
    pub size: u32,
    /// OTTLA_EVENT_...
    pub kind: i32,
    /// OTTLA_LOG_...
    pub level: i32,
    /// An OTTLA_ERROR_... value for errors, else 0.
    pub status: i32,
    /// The broker's id for throttling, else -1.
    pub broker: i32,
    /// Milliseconds for which the broker holds this client back, else 0.
    pub throttle_ms: u32,
    /// Bytes of the whole text.
    pub text_len: usize,
    /// Events that were given up since the last call, because nobody took them.
    pub dropped: u64,
}

impl ottla_event_t {
    /// No event.
    pub(super) const NONE: ottla_event_t = ottla_event_t {
        size: size_of::<ottla_event_t>() as u32,
        kind: OTTLA_EVENT_NONE,
        level: 0,
        status: 0,
        broker: -1,
        throttle_ms: 0,
        text_len: 0,
        dropped: 0,
    };

    /// The core's event in C's form.
    pub(super) fn of(event: &Event<'_>) -> ottla_event_t {
        let kind = match event.kind {
            EventKind::Line => OTTLA_EVENT_LOG,
            EventKind::Error => OTTLA_EVENT_ERROR,
            EventKind::Throttled => OTTLA_EVENT_THROTTLE,
        };
        ottla_event_t {
            kind,
            level: event.level as i32,
            status: event.code.value(),
            broker: event.broker,
            throttle_ms: event.throttle_ms,
            text_len: event.text.len(),
            ..ottla_event_t::NONE
        }
    }
}
