//! C functions that the library calls. Owns their `env` from the moment a producer exists, and frees each
//! exactly once, after the last call. Never lets a callback outlive its producer.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::capi::event::ottla_event_t;
use crate::capi::guard::{self, Callback};
use crate::capi::intercept::{ottla_acknowledgement_fn, ottla_send_fn, CInterceptor};
use crate::capi::partitioner::ottla_partitioner_fn;
use crate::capi::report::ottla_report_t;
use crate::delivery::Report;
use crate::log::{Event, Level};

/// Frees the `env` of a callback.
pub type ottla_env_free_fn = Option<unsafe extern "C" fn(env: *mut c_void)>;

/// Gets `count` reports, which lie `stride` bytes apart. They and everything they point to are lent for
/// the call. Called on one thread of the library, which is always the same, and different from
/// the sender thread. May send (a send then never waits), but neither flush, close nor free its producer:
/// see Callbacks at the head of this header. Must not throw or longjmp.
pub type ottla_delivery_fn = Option<
    unsafe extern "C" fn(
        reports: *const ottla_report_t,
        count: usize,
        stride: usize,
        env: *mut c_void,
    ),
>;

/// The producer cannot go on, or something was given up.
pub const OTTLA_LOG_ERROR: i32 = 3;
/// Something is wrong that the library works around.
pub const OTTLA_LOG_WARNING: i32 = 4;
/// Worth knowing.
pub const OTTLA_LOG_INFO: i32 = 6;

/// Gets a line of the log: UTF-8, not NUL-terminated, lent for the call; `level` is an OTTLA_LOG_...
/// value, which are syslog's. Called one call at a time, on threads of the library and inside
/// ottla_producer_new(), and must be quick: the sender waits for it. What may be called inside: see
/// Callbacks at the head of this header. Must not throw or longjmp.
pub type ottla_log_fn = Option<
    unsafe extern "C" fn(level: i32, text: *const c_char, text_len: usize, env: *mut c_void),
>;

/// Gets something that happened: the lines of the log, and whatever log_level is, throttling and errors that
/// no call and no report stands for. `event` and `text`, which has event->text_len bytes of UTF-8 and no
/// NUL at its end, are lent for the call. Called as an ottla_log_fn is.
pub type ottla_event_fn = Option<
    unsafe extern "C" fn(event: *const ottla_event_t, text: *const c_char, env: *mut c_void),
>;

/// The functions that a producer calls. Start from OTTLA_CALLBACKS_INIT; fields are only ever
/// appended. Each `env` goes back to its function untouched, and to its `env_free` (if there is
/// one) exactly once, after the last call: before ottla_producer_free() returns at the latest. When
/// ottla_producer_new() fails, nothing is freed: everything still belongs to the caller. Where the
/// function is NULL, its `env` and `env_free` are not looked at.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ottla_callbacks_t {
    /// sizeof(ottla_callbacks_t).
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Takes the reports. NULL: they wait for ottla_producer_poll().
    pub on_delivery: ottla_delivery_fn,
    /// For on_delivery.
    pub delivery_env: *mut c_void,
    /// Frees delivery_env; may be NULL.
    pub delivery_env_free: ottla_env_free_fn,
    /// Takes the log. NULL: there is none.
    pub on_log: ottla_log_fn,
    /// For on_log.
    pub log_env: *mut c_void,
    /// Frees log_env; may be NULL.
    pub log_env_free: ottla_env_free_fn,
    /// Sees and may change every record that is sent; may be NULL.
    pub on_send: ottla_send_fn,
    /// Sees every report; may be NULL.
    pub on_acknowledgement: ottla_acknowledgement_fn,
    /// For on_send and on_acknowledgement.
    pub interceptor_env: *mut c_void,
    /// Frees interceptor_env; may be NULL.
    pub interceptor_env_free: ottla_env_free_fn,
    /// Chooses partitions instead of the setting `partitioner`; may be NULL.
    pub partitioner: ottla_partitioner_fn,
    /// For partitioner.
    pub partitioner_env: *mut c_void,
    /// Frees partitioner_env; may be NULL.
    pub partitioner_env_free: ottla_env_free_fn,
    /// Takes events, which then do not wait for ottla_producer_next_event(); may be NULL.
    pub on_event: ottla_event_fn,
    /// For on_event.
    pub event_env: *mut c_void,
    /// Frees event_env; may be NULL.
    pub event_env_free: ottla_env_free_fn,
}

impl ottla_callbacks_t {
    /// What OTTLA_CALLBACKS_INIT gives.
    pub(super) const INIT: ottla_callbacks_t = ottla_callbacks_t {
        size: size_of::<ottla_callbacks_t>() as u32,
        reserved: 0,
        on_delivery: None,
        delivery_env: ptr::null_mut(),
        delivery_env_free: None,
        on_log: None,
        log_env: ptr::null_mut(),
        log_env_free: None,
        on_send: None,
        on_acknowledgement: None,
        interceptor_env: ptr::null_mut(),
        interceptor_env_free: None,
        partitioner: None,
        partitioner_env: ptr::null_mut(),
        partitioner_env_free: None,
        on_event: None,
        event_env: ptr::null_mut(),
        event_env_free: None,
    };

    /// Whether there are callbacks besides the one for reports.
    pub(super) fn has_others(&self) -> bool {
        self.on_log.is_some()
            || self.on_send.is_some()
            || self.on_acknowledgement.is_some()
            || self.partitioner.is_some()
            || self.on_event.is_some()
    }
}

/// Says that the producer exists: from now on the envs are the library's.
#[derive(Clone, Default)]
pub(super) struct Armed(Arc<AtomicBool>);

impl Armed {
    pub(super) fn arm(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The `env` of one callback.
pub(super) struct Env {
    env: *mut c_void,
    free: ottla_env_free_fn,
    armed: Armed,
}

// SAFETY: the header says on which threads the callback, and so its env, is used.
unsafe impl Send for Env {}
// SAFETY: the library never looks into it; the header says which callbacks run several at a time.
unsafe impl Sync for Env {}

impl Env {
    pub(super) fn new(env: *mut c_void, free: ottla_env_free_fn, armed: &Armed) -> Env {
        Env { env, free, armed: armed.clone() }
    }

    pub(super) fn get(&self) -> *mut c_void {
        self.env
    }
}

impl Drop for Env {
    fn drop(&mut self) {
        if let Some(free) = self.free.filter(|_| self.armed.0.load(Ordering::Acquire)) {
            // SAFETY: the producer exists, so the header's promise holds: env belongs to free, and this
            // is the only drop.
            unsafe { free(self.env) };
        }
    }
}

/// Reports in one call of a callback.
const REPORTS_PER_CALL: usize = 1024;

impl ottla_callbacks_t {
    /// The log callback as the core wants it.
    pub(super) fn log_sink(
        &self,
        identity: u64,
        armed: &Armed,
    ) -> Option<impl Fn(Level, &str) + Send + Sync + 'static> {
        let callback = self.on_log?;
        let env = Env::new(self.log_env, self.log_env_free, armed);
        // Lines come from several threads; the header promises one call at a time.
        let env = Mutex::new(env);
        Some(move |level: Level, text: &str| {
            let env = env.lock().unwrap_or_else(PoisonError::into_inner);
            guard::in_callback_of(identity, Callback::Other, || {
                // SAFETY: the text lives through the call; the rest is the header's contract.
                unsafe { callback(level as i32, text.as_ptr().cast(), text.len(), env.env) };
            });
        })
    }

    /// The event callback as the core wants it.
    pub(super) fn event_sink(
        &self,
        identity: u64,
        armed: &Armed,
    ) -> Option<impl Fn(&Event<'_>) + Send + Sync + 'static> {
        let callback = self.on_event?;
        let env = Mutex::new(Env::new(self.event_env, self.event_env_free, armed));
        Some(move |event: &Event<'_>| {
            let env = env.lock().unwrap_or_else(PoisonError::into_inner);
            guard::in_callback_of(identity, Callback::Other, || {
                let given = ottla_event_t::of(event);
                // SAFETY: event and text live through the call; the rest is the header's contract.
                unsafe { callback(&given, event.text.as_ptr().cast(), env.env) };
            });
        })
    }

    /// The interceptor, if there is one.
    pub(super) fn interceptor(&self, identity: u64, armed: &Armed) -> Option<CInterceptor> {
        if self.on_send.is_none() && self.on_acknowledgement.is_none() {
            return None;
        }
        let env = Env::new(self.interceptor_env, self.interceptor_env_free, armed);
        let (on_send, on_acknowledgement) = (self.on_send, self.on_acknowledgement);
        Some(CInterceptor { identity, on_send, on_acknowledgement, env })
    }

    /// The delivery callback as the core wants it; `None` when reports are polled.
    pub(super) fn delivery_sink(
        &self,
        identity: u64,
        armed: &Armed,
    ) -> Option<impl FnMut(&[Report]) + Send + 'static> {
        let callback = self.on_delivery?;
        let env = Env::new(self.delivery_env, self.delivery_env_free, armed);
        Some(move |reports: &[Report]| {
            let env = &env;
            for some in reports.chunks(REPORTS_PER_CALL) {
                let views: Vec<ottla_report_t> = some.iter().map(ottla_report_t::of).collect();
                guard::in_callback_of(identity, Callback::Delivery, || {
                    let stride = size_of::<ottla_report_t>();
                    // SAFETY: `views` and the reports behind it live through the call; the rest is the
                    // header's contract.
                    unsafe { callback(views.as_ptr(), views.len(), stride, env.env) };
                });
            }
        })
    }
}
