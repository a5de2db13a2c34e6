//! Settings by name, on their way to a producer. The table of settings is the core's.
#![allow(unsafe_code)]

use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use crate::capi::error::{c_text, ottla_error_t};
use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::config::{reference, ConfigMap};

/// Settings for producers. Made by ottla_config_new(), freed by the caller with
/// ottla_config_free(), at any time: producers copy it. Any thread may use it.
pub struct ottla_config_t {
    _opaque: [u8; 0],
}

pub(super) struct ConfigObject(Mutex<ConfigMap>);

impl Kind for ConfigObject {
    type Opaque = ottla_config_t;
    const NUMBER: usize = 2;
}

impl ConfigObject {
    /// The settings as they are now.
    pub(super) fn copy(&self) -> ConfigMap {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes settings that all have their defaults.
///
/// # Safety
/// `config_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_config_new(config_out: *mut *mut ottla_config_t) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::out("config_out", config_out) };
    guard::answer(guard::free_standing(|| {
        place?.write(registry::insert(ConfigObject(Mutex::default()))?);
        Ok(())
    }))
}

/// Sets one setting by its name in Kafka's or librdkafka's spelling; both texts are UTF-8.
/// OTTLA_ERROR_CONFIG: unknown name (the error suggests the nearest one) or a value out of range.
/// OTTLA_ERROR_UNSUPPORTED: known, but not built into this version.
///
/// # Safety
/// `key` and `value` are readable for their lengths; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_config_set(
    config: *mut ottla_config_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let (key, value) = (gate::text("key", key, key_len), gate::text("value", value, value_len));
        let done = guard::on::<ConfigObject>(config, |object| {
            let mut map = object.0.lock().unwrap_or_else(PoisonError::into_inner);
            map.set(key?, value?)
        });
        guard::answer_with(done, error_out)
    }
}

/// Copies the value of a setting, or its default; secrets read `[hidden]`. At most `capacity` bytes
/// are written, the last one a NUL; `buffer` NULL asks for the length alone. `*len_out` is the length of the
/// whole value without the NUL.
/// OTTLA_ERROR_CONFIG: unknown name. OTTLA_ERROR_TRUNCATED: `buffer` holds only the beginning.
///
/// # Safety
/// `key` is readable for its length; `buffer` is NULL or has room for `capacity` bytes; `len_out` is
/// NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_config_get(
    config: *const ottla_config_t,
    key: *const c_char,
    key_len: usize,
    buffer: *mut c_char,
    capacity: usize,
    len_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (key, place) =
        unsafe { (gate::text("key", key, key_len), gate::text_out(buffer, capacity, len_out)) };
    guard::answer(guard::on::<ConfigObject>(config, |object| {
        let text = object.0.lock().unwrap_or_else(PoisonError::into_inner).get(key?)?;
        place?.write(&text)
    }))
}

/// Frees settings. NULL is fine. OTTLA_ERROR_HANDLE if they were freed before.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_config_free(config: *mut ottla_config_t) -> i32 {
    guard::free::<ConfigObject>(config)
}

/// Every setting with its type, default and meaning, in Markdown. Static text; any thread.
///
/// # Safety
/// Nothing is asked of the caller.
#[no_mangle]
pub unsafe extern "C" fn ottla_config_reference() -> *const c_char {
    static REFERENCE: once_cell::sync::OnceCell<std::ffi::CString> =
        once_cell::sync::OnceCell::new();
    REFERENCE.get_or_init(|| c_text(&reference::markdown())).as_ptr()
}
