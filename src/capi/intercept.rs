//! Interceptors in C: a record on its way out, which a callback may look at and change, and the reports
//! on their way home. The record is lent by thread and number, so a handle that outlives its call is noticed.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{c_char, c_void, CString};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::capi::callbacks::Env;
use crate::capi::error::c_text;
use crate::capi::gate;
use crate::capi::guard::{self, Callback};
use crate::capi::record::{ottla_header_t, ottla_record_t};
use crate::capi::report::ottla_report_t;
use crate::delivery::Report;
use crate::error::{Error, ErrorCode, Result};
use crate::producer::intercept::{Interceptor, OwnedRecord};
use crate::record::NO_TIMESTAMP;

/// A record that is being sent, as an interceptor sees it. Lent for the call of on_send and good only on
/// its thread; afterwards it answers OTTLA_ERROR_HANDLE.
pub struct ottla_intercepted_t {
    _opaque: [u8; 0],
}

/// May look at a record and change it before it is checked and gets its partition. Called on the thread that
/// sends, several at a time if several send. Must be quick. What may be called inside: see Callbacks at the
/// head of this header. Must not throw or longjmp.
pub type ottla_send_fn =
    Option<unsafe extern "C" fn(record: *mut ottla_intercepted_t, env: *mut c_void)>;

/// Sees a report before the application does; it is lent for the call. Called on the sender
/// thread, which waits for it. What may be called inside: see Callbacks at the head of this header. Must
/// not throw or longjmp.
pub type ottla_acknowledgement_fn =
    Option<unsafe extern "C" fn(report: *const ottla_report_t, env: *mut c_void)>;

/// The record that a callback on this thread has in its hands.
struct Lent {
    number: usize,
    topic: CString,
    record: OwnedRecord,
    /// The headers as C wants them, made when they are first looked at after a change; they point into
    /// `record`.
    headers: Option<Vec<ottla_header_t>>,
}

thread_local! {
    static LENT: RefCell<Option<Lent>> = const { RefCell::new(None) };
}

/// The interceptor of a producer.
pub(super) struct CInterceptor {
    pub(super) identity: u64,
    pub(super) on_send: ottla_send_fn,
    pub(super) on_acknowledgement: ottla_acknowledgement_fn,
    pub(super) env: Env,
}

impl Interceptor for CInterceptor {
    fn on_send(&self, topic: &str, record: &mut OwnedRecord) {
        static NUMBERS: AtomicUsize = AtomicUsize::new(1);
        let Some(callback) = self.on_send else { return };
        // Odd, so that it can be no address of anything.
        let number = NUMBERS.fetch_add(2, Ordering::Relaxed);
        let nothing =
            OwnedRecord { timestamp_ms: NO_TIMESTAMP, key: None, value: None, headers: Vec::new() };
        let record_in = std::mem::replace(record, nothing);
        let lent = Lent { number, topic: c_text(topic), record: record_in, headers: None };
        // A callback that sends with another producer comes here again: its record waits outside.
        let outer = LENT.replace(Some(lent));
        guard::in_callback_of(self.identity, Callback::Other, || {
            // SAFETY: the handle is checked at every use; the rest is the header's contract.
            unsafe { callback(ptr::without_provenance_mut(number), self.env.get()) };
        });
        if let Some(lent) = LENT.replace(outer) {
            *record = lent.record;
        }
    }

    fn on_acknowledgement(&self, report: &Report) {
        let Some(callback) = self.on_acknowledgement else { return };
        let view = ottla_report_t::of(report);
        guard::in_callback_of(self.identity, Callback::Other, || {
            // SAFETY: the view and the report behind it live through the call; the rest is the contract.
            unsafe { callback(&view, self.env.get()) };
        });
    }
}

/// Calls `body` with the record of a handle.
fn on_lent(handle: *const ottla_intercepted_t, body: impl FnOnce(&mut Lent) -> Result<()>) -> i32 {
    guard::answer(guard::free_standing(|| {
        LENT.with_borrow_mut(|lent| match lent {
            Some(lent) if lent.number == handle.addr() => body(lent),
            _ => Err(ErrorCode::HANDLE.into()),
        })
    }))
}

/// The record as it is now, and the name of its topic (which may be NULL if it is not wanted). Set
/// `record_out->size` first, as OTTLA_RECORD_INIT does. What it points to is good until the record is
/// changed or the call of on_send ends; topic and token are 0, the partition is OTTLA_PARTITION_ANY.
///
/// # Safety
/// `record_out` is writable for the size that it begins with; `topic_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_intercepted_get(
    record: *mut ottla_intercepted_t,
    record_out: *mut ottla_record_t,
    topic_out: *mut *const c_char,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (place, topic) =
        unsafe { (gate::sized_out("record_out", record_out), gate::out_optional(topic_out)) };
    on_lent(record, |lent| {
        let place = place?;
        let Lent { topic: name, record, headers, .. } = lent;
        // A second look must not take away what the first one showed.
        let headers = headers.get_or_insert_with(|| ottla_header_t::views(&record.headers));
        if let Some(topic) = topic {
            topic.write(name.as_ptr());
        }
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        place.write(ottla_record_t::view(record.timestamp_ms, key, value, headers));
        Ok(())
    })
}

/// Replaces the key; NULL is null. The bytes are copied.
///
/// # Safety
/// `key` is NULL or readable for its length.
#[no_mangle]
pub unsafe extern "C" fn ottla_intercepted_set_key(
    record: *mut ottla_intercepted_t,
    key: *const c_void,
    key_len: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let key = unsafe { gate::field("key", key, key_len) };
    on_lent(record, |lent| {
        lent.record.key = key?.map(<[u8]>::to_vec);
        Ok(())
    })
}

/// Replaces the value; NULL is null. The bytes are copied.
///
/// # Safety
/// `value` is NULL or readable for its length.
#[no_mangle]
pub unsafe extern "C" fn ottla_intercepted_set_value(
    record: *mut ottla_intercepted_t,
    value: *const c_void,
    value_len: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let value = unsafe { gate::field("value", value, value_len) };
    on_lent(record, |lent| {
        lent.record.value = value?.map(<[u8]>::to_vec);
        Ok(())
    })
}

/// Replaces the time: milliseconds since 1970, or OTTLA_TIMESTAMP_NOW.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_intercepted_set_timestamp(
    record: *mut ottla_intercepted_t,
    timestamp_ms: i64,
) -> i32 {
    on_lent(record, |lent| {
        lent.record.timestamp_ms = timestamp_ms;
        Ok(())
    })
}

/// Adds a header behind the others. The bytes are copied.
///
/// # Safety
/// `key` and `value` are NULL or readable for their lengths.
#[no_mangle]
pub unsafe extern "C" fn ottla_intercepted_add_header(
    record: *mut ottla_intercepted_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (key, value) = unsafe {
        (gate::text("header key", key, key_len), gate::field("header value", value, value_len))
    };
    on_lent(record, |lent| {
        lent.record.headers.push((key?.to_string(), value?.map(<[u8]>::to_vec)));
        lent.headers = None;
        Ok(())
    })
}

/// Removes every header of this name. OTTLA_ERROR_ARGUMENT: there is none.
///
/// # Safety
/// `key` is NULL or readable for its length.
#[no_mangle]
pub unsafe extern "C" fn ottla_intercepted_remove_headers(
    record: *mut ottla_intercepted_t,
    key: *const c_char,
    key_len: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let key = unsafe { gate::text("header key", key, key_len) };
    on_lent(record, |lent| {
        // It may be one of the names that go.
        let (key, before) = (key?.to_string(), lent.record.headers.len());
        lent.record.headers.retain(|(name, _)| *name != key);
        lent.headers = None;
        if lent.record.headers.len() == before {
            let text = format!("the record has no header {key:?}");
            return Err(Error::new(ErrorCode::ARGUMENT, text));
        }
        Ok(())
    })
}
