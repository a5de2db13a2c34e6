//! Which library this is. The numbers come from Cargo; nobody types them twice.
#![allow(unsafe_code)]

use std::ffi::{c_char, CStr};

/// Reads a decimal number at compile time.
const fn number(text: &str) -> u32 {
    let digits = text.as_bytes();
    let (mut value, mut at) = (0, 0);
    while at < digits.len() {
        value = value * 10 + (digits[at] - b'0') as u32;
        at += 1;
    }
    value
}

const VERSION_NUMBER: u32 = (number(env!("CARGO_PKG_VERSION_MAJOR")) << 24)
    | (number(env!("CARGO_PKG_VERSION_MINOR")) << 16)
    | (number(env!("CARGO_PKG_VERSION_PATCH")) << 8);

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("Cargo's version holds a NUL"),
    };

/// The version of the library that is loaded, as text; compare with OTTLA_VERSION of the header.
/// Static; any thread.
///
/// # Safety
/// Nothing is asked of the caller.
#[no_mangle]
pub unsafe extern "C" fn ottla_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The version of the library that is loaded: major << 24 | minor << 16 | patch << 8.
///
/// # Safety
/// Nothing is asked of the caller.
#[no_mangle]
pub unsafe extern "C" fn ottla_version_number() -> u32 {
    VERSION_NUMBER
}
