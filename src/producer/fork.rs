//! Notices that the process was forked: a child has none of the parent's threads, so every call on a
//! producer that it inherited must be refused instead of waiting for ever.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use once_cell::sync::OnceCell;

static GENERATION: AtomicU32 = AtomicU32::new(0);

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

fn watch_forks() {
    static WATCHED: OnceCell<()> = OnceCell::new();
    WATCHED.get_or_init(|| {
        #[cfg(unix)]
        // SAFETY: the handler only adds to an atomic, which is allowed in a child of a threaded process;
        // it is a function of this library and lives as long as the library is loaded.
        unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        }
    });
}

/// Remembers in which process it was made.
#[derive(Debug)]
pub struct ForkGuard {
    generation: u32,
}

impl ForkGuard {
    /// A guard of the current process.
    pub fn new() -> ForkGuard {
        watch_forks();
        ForkGuard { generation: GENERATION.load(Ordering::Relaxed) }
    }

    /// Whether this is another process than the one the guard was made in.
    #[inline]
    pub fn is_child(&self) -> bool {
        GENERATION.load(Ordering::Relaxed) != self.generation
    }
}

impl Default for ForkGuard {
    fn default() -> Self {
        ForkGuard::new()
    }
}
