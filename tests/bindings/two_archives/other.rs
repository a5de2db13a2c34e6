//! Another Rust library, with a whole standard library in its archive as ottla has one in its.

/// Counts words, and panics on the way, so that the machinery of panics of both archives is needed.
#[no_mangle]
pub extern "C" fn other_words(text: *const std::ffi::c_char) -> usize {
    // SAFETY: the caller gives a text.
    let text = unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let caught = std::panic::catch_unwind(|| panic!("caught"));
    std::thread::spawn(move || text.split_whitespace().count() + usize::from(caught.is_ok())).join().unwrap()
}
