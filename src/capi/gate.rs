//! The gate: the only place where what C passed becomes a Rust reference. Every function checks what can be
//! checked (null, absurd lengths, UTF-8); the rest is the caller's promise, written in the header.
//! Knows no noun of the interface but its two plain structs.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::slice;

use crate::error::{Error, ErrorCode, Result};

/// Longest byte string that is looked at; Kafka's own fields end here.
const LEN_MAX: usize = i32::MAX as usize;

#[cold]
fn null(name: &str) -> Error {
    Error::new(ErrorCode::ARGUMENT, format!("{name} must not be NULL"))
}

#[cold]
fn absurd(name: &str, len: usize) -> Error {
    Error::new(ErrorCode::ARGUMENT, format!("{name}: a length of {len} is not possible"))
}

/// Bytes of a record's field: NULL is null, anything else with length 0 is empty.
///
/// # Safety
/// `bytes` is NULL or readable for `len` bytes for as long as `'a`.
#[inline]
pub(super) unsafe fn field<'a>(
    name: &str,
    bytes: *const c_void,
    len: usize,
) -> Result<Option<&'a [u8]>> {
    if len > LEN_MAX {
        return Err(Error::new(
            ErrorCode::RECORD_TOO_LARGE,
            format!("{name}: {len} bytes do not fit into a record"),
        ));
    }
    if bytes.is_null() {
        return if len == 0 { Ok(None) } else { Err(null(name)) };
    }
    // SAFETY: not null, and the caller promises that it is readable for `len` bytes.
    Ok(Some(unsafe { slice::from_raw_parts(bytes.cast(), len) }))
}

/// An array of plain values; NULL is fine when it is empty.
///
/// # Safety
/// `items` is aligned and readable for `count` values of T, all valid, for as long as `'a`, unless
/// `count` is 0.
pub(super) unsafe fn array<'a, T: Copy>(
    name: &str,
    items: *const T,
    count: usize,
) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if count > LEN_MAX / size_of::<T>().max(1) {
        return Err(absurd(name, count));
    }
    if items.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, and the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts(items, count) })
}

/// Bytes of which single records' fields are cut: not limited by what one field may hold.
///
/// # Safety
/// As [`array()`].
pub(super) unsafe fn memory<'a>(name: &str, bytes: *const u8, len: usize) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if len > isize::MAX as usize {
        return Err(absurd(name, len));
    }
    if bytes.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, of a length that memory can have, and the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts(bytes, len) })
}

/// Text: UTF-8 by pointer and length; NULL is fine when it is empty.
///
/// # Safety
/// As [`array()`].
pub(super) unsafe fn text<'a>(name: &str, text: *const c_char, len: usize) -> Result<&'a str> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { array(name, text.cast::<u8>(), len) }?;
    std::str::from_utf8(bytes).map_err(|bad| {
        let at = bad.valid_up_to();
        Error::new(ErrorCode::ARGUMENT, format!("{name} is not UTF-8 from byte {at} on"))
    })
}

/// A place for a result.
///
/// # Safety
/// `place` is NULL or aligned and writable for a T, and nobody else uses it during `'a`.
pub(super) unsafe fn out<'a, T>(name: &str, place: *mut T) -> Result<&'a mut MaybeUninit<T>> {
    // SAFETY: the caller's promise is the same.
    unsafe { out_optional(place) }.ok_or_else(|| null(name))
}

/// A place for a result that C may not want.
///
/// # Safety
/// As [`out`].
pub(super) unsafe fn out_optional<'a, T>(place: *mut T) -> Option<&'a mut MaybeUninit<T>> {
    // SAFETY: the caller promises that it is null or writable and ours; MaybeUninit asks for nothing in it.
    unsafe { place.cast::<MaybeUninit<T>>().as_mut() }
}

/// Places for several results; NULL is fine when there are none.
///
/// # Safety
/// `places` is aligned and writable for `count` values of T, and nobody else uses it during `'a`, unless
/// `count` is 0.
pub(super) unsafe fn array_out<'a, T>(
    name: &str,
    places: *mut T,
    count: usize,
) -> Result<&'a mut [MaybeUninit<T>]> {
    if count == 0 {
        return Ok(&mut []);
    }
    if count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(absurd(name, count));
    }
    if places.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, and the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts_mut(places.cast(), count) })
}

/// A C caller's buffer for a text.
pub(super) struct TextOut<'a> {
    buffer: &'a mut [MaybeUninit<u8>],
    len: Option<&'a mut MaybeUninit<usize>>,
}

/// Where a text goes: `buffer` of `capacity` bytes, NULL to ask for the length alone.
///
/// # Safety
/// `buffer` is NULL or writable for `capacity` bytes, `len_out` is NULL or writable, both ours during `'a`.
pub(super) unsafe fn text_out<'a>(
    buffer: *mut c_char,
    capacity: usize,
    len_out: *mut usize,
) -> Result<TextOut<'a>> {
    let capacity = if buffer.is_null() { 0 } else { capacity };
    // SAFETY: the caller promises both.
    unsafe {
        let buffer = array_out("buffer", buffer.cast::<u8>(), capacity)?;
        Ok(TextOut { buffer, len: out_optional(len_out) })
    }
}

impl TextOut<'_> {
    /// Copies the text, cut at a character if need be, and ends it with a NUL.
    pub(super) fn write(self, text: &str) -> Result<()> {
        if let Some(len) = self.len {
            len.write(text.len());
        }
        let Some(room) = self.buffer.len().checked_sub(1) else { return Ok(()) };
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for (place, byte) in self.buffer.iter_mut().zip(text.as_bytes()[..end].iter().chain(&[0])) {
            place.write(*byte);
        }
        if end < text.len() {
            return Err(ErrorCode::TRUNCATED.into());
        }
        Ok(())
    }
}

/// A struct that begins with its size in bytes (`uint32_t`). C code compiled against an older header passes a
/// shorter one: what it does not have keeps the value in `default`. What it has beyond ours must be zero.
///
/// # Safety
/// `given` is NULL or readable for the size that it begins with, and holds valid values.
pub(super) unsafe fn sized<T: Copy>(name: &str, given: *const T, default: T) -> Result<T> {
    if given.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, and every sized struct begins with its size.
    let size = check_size(name, unsafe { given.cast::<u32>().read_unaligned() })?;
    if size == size_of::<T>() {
        // SAFETY: not null, and readable for its size, which is that of a T.
        return Ok(unsafe { given.read_unaligned() });
    }
    let known = size.min(size_of::<T>());
    let mut value = default;
    // SAFETY: `given` is readable for `size` bytes and T is plain, so the first `known` bytes of it are
    // valid.
    unsafe {
        given.cast::<u8>().copy_to_nonoverlapping((&raw mut value).cast::<u8>(), known);
        let beyond = slice::from_raw_parts(given.cast::<u8>().add(known), size - known);
        if beyond.iter().any(|&byte| byte != 0) {
            let text =
                format!("{name}: uses fields that this version of the library does not know");
            return Err(Error::new(ErrorCode::ARGUMENT, text));
        }
    }
    Ok(value)
}

/// A place for a struct that begins with its size, which the caller has set.
pub(super) struct SizedOut<'a, T> {
    bytes: &'a mut [MaybeUninit<u8>],
    kind: std::marker::PhantomData<T>,
}

/// A place for a struct that begins with its size in bytes: no more than that is written.
///
/// # Safety
/// `place` is NULL, or readable for a `uint32_t` and writable for as many bytes as that says, ours
/// during `'a`.
pub(super) unsafe fn sized_out<'a, T: Copy>(name: &str, place: *mut T) -> Result<SizedOut<'a, T>> {
    if place.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, and every sized struct begins with its size.
    let size = check_size(name, unsafe { place.cast::<u32>().read_unaligned() })?;
    // SAFETY: the caller promises that so many bytes are writable.
    let bytes = unsafe { slice::from_raw_parts_mut(place.cast(), size.min(size_of::<T>())) };
    Ok(SizedOut { bytes, kind: std::marker::PhantomData })
}

impl<T: Copy> SizedOut<'_, T> {
    /// Writes what fits; the size stays as the caller set it.
    pub(super) fn write(self, value: T) {
        let from = (&raw const value).cast::<MaybeUninit<u8>>();
        let skip = size_of::<u32>();
        // SAFETY: a T can be read as bytes that may be uninitialised, and `bytes` is no longer than one.
        let source = unsafe { slice::from_raw_parts(from, self.bytes.len()) };
        self.bytes[skip..].copy_from_slice(&source[skip..]);
    }
}

fn check_size(name: &str, size: u32) -> Result<usize> {
    if (size_of::<u32>()..=4096).contains(&(size as usize)) {
        return Ok(size as usize);
    }
    let text = format!("{name}: size is {size}; set it to sizeof of the struct");
    Err(Error::new(ErrorCode::ARGUMENT, text))
}

/// The `index`-th element of an array whose elements are `stride` bytes apart.
///
/// # Safety
/// The element lies inside the array that the caller was given.
pub(super) unsafe fn strided<T>(first: *const T, stride: usize, index: usize) -> *const T {
    // SAFETY: the caller promises that the result lies in the same array.
    unsafe { first.byte_add(stride * index) }
}
