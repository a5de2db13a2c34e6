//! Errors as C sees them: numbers with names, and objects with a text. Owns no error; copies those of
//! the core.
#![allow(unsafe_code)]

use std::ffi::{c_char, CString};

use once_cell::sync::OnceCell;

use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode};

/// Why a set-up call failed. Made by a call with an `error_out`; freed by the caller with
/// ottla_error_free(), once, on any thread. Never changes, so any number of threads may read it.
pub struct ottla_error_t {
    _opaque: [u8; 0],
}

pub(super) struct ErrorObject {
    error: Error,
    message: CString,
}

impl Kind for ErrorObject {
    type Opaque = ottla_error_t;
    const NUMBER: usize = 1;
}

/// Text for C: a NUL inside would end it early, so it is left out.
pub(super) fn c_text(text: &str) -> CString {
    let bytes: Vec<u8> = text.bytes().filter(|&byte| byte != 0).collect();
    CString::new(bytes).unwrap_or_default() // cannot fail: the NULs were just left out
}

/// Gives C an error object, if it wants one.
///
/// # Safety
/// `error_out` is NULL or writable.
pub(super) unsafe fn give(error: &Error, error_out: *mut *mut ottla_error_t) {
    // SAFETY: the caller's promise is the same.
    let Some(place) = (unsafe { gate::out_optional(error_out) }) else { return };
    let object = ErrorObject { error: error.clone(), message: c_text(error.message()) };
    // Without a free handle the status alone must do.
    place.write(registry::insert(object).unwrap_or(std::ptr::null_mut()));
}

/// Names and descriptions with the NUL that C wants.
struct CodeTexts {
    value: i32,
    name: CString,
    description: CString,
}

fn texts(code: i32) -> &'static CodeTexts {
    static TEXTS: OnceCell<Vec<CodeTexts>> = OnceCell::new();
    static UNKNOWN: OnceCell<CodeTexts> = OnceCell::new();
    let of = |code: ErrorCode| CodeTexts {
        value: code.value(),
        name: c_text(code.name()),
        description: c_text(code.description()),
    };
    let texts = TEXTS.get_or_init(|| ErrorCode::known().map(of).collect());
    match texts.binary_search_by_key(&code, |texts| texts.value) {
        Ok(at) => &texts[at],
        Err(_) => UNKNOWN.get_or_init(|| of(ErrorCode::from_value(i32::MIN))),
    }
}

/// The name of a status, "NOT_LEADER_OR_FOLLOWER" for 6; "UNKNOWN" for a number that has none. Static text;
/// any thread.
///
/// # Safety
/// Nothing is asked of the caller.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_name(status: i32) -> *const c_char {
    texts(status).name.as_ptr()
}

/// One sentence that says what a status means. Static text; any thread.
///
/// # Safety
/// Nothing is asked of the caller.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_description(status: i32) -> *const c_char {
    texts(status).description.as_ptr()
}

/// The same attempt may succeed later.
pub const OTTLA_ERROR_FLAG_RETRIABLE: u32 = 1;
/// The transaction must be aborted; the producer can go on.
pub const OTTLA_ERROR_FLAG_ABORTABLE: u32 = 2;
/// The producer must be closed.
pub const OTTLA_ERROR_FLAG_FATAL: u32 = 4;
/// A setting or a permission must be changed first.
pub const OTTLA_ERROR_FLAG_CONFIGURATION: u32 = 8;

/// What can be done about a status: OTTLA_ERROR_FLAG_... values, added up. Any thread.
///
/// # Safety
/// Nothing is asked of the caller.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_flags(status: i32) -> u32 {
    let code = ErrorCode::from_value(status);
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    flag(code.is_retriable(), OTTLA_ERROR_FLAG_RETRIABLE)
        | flag(code.is_abortable(), OTTLA_ERROR_FLAG_ABORTABLE)
        | flag(code.is_fatal(), OTTLA_ERROR_FLAG_FATAL)
        | flag(code.is_invalid_configuration(), OTTLA_ERROR_FLAG_CONFIGURATION)
}

/// Copies the text of the last error that a call on this thread returned, for calls without an
/// `error_out`. At most `capacity` bytes are written, the last one a NUL. Returns the length of the
/// whole text; `buffer` NULL asks for that alone. Calls that succeed leave the text as it is.
///
/// # Safety
/// `buffer` is NULL or has room for `capacity` bytes.
#[no_mangle]
pub unsafe extern "C" fn ottla_last_error_message(buffer: *mut c_char, capacity: usize) -> usize {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::text_out(buffer, capacity, std::ptr::null_mut()) };
    guard::last_message(|text| {
        if let Ok(place) = place {
            // Cutting is what was asked for; the length returned tells.
            let _ = place.write(text);
        }
        text.len()
    })
}

/// The status of an error; OTTLA_ERROR_HANDLE if `error` is none.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_code(error: *const ottla_error_t) -> i32 {
    guard::look::<ErrorObject, _>(error, ErrorCode::HANDLE.value(), |e| e.error.code().value())
}

/// What happened, for people. Belongs to the error, valid until it is freed; "" if `error` is none.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_message(error: *const ottla_error_t) -> *const c_char {
    guard::look::<ErrorObject, _>(error, c"".as_ptr(), |e| e.message.as_ptr())
}

/// Whether the same call may succeed later.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_is_retriable(error: *const ottla_error_t) -> bool {
    guard::look::<ErrorObject, _>(error, false, |e| e.error.is_retriable())
}

/// Whether the transaction must be aborted, after which the producer can go on.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_is_abortable(error: *const ottla_error_t) -> bool {
    guard::look::<ErrorObject, _>(error, false, |e| e.error.is_abortable())
}

/// Whether the producer must be closed.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_is_fatal(error: *const ottla_error_t) -> bool {
    guard::look::<ErrorObject, _>(error, false, |e| e.error.is_fatal())
}

/// Frees an error. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
///
/// # Safety
/// Texts of the error are not used any more.
#[no_mangle]
pub unsafe extern "C" fn ottla_error_free(error: *mut ottla_error_t) -> i32 {
    guard::free::<ErrorObject>(error)
}
