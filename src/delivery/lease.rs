//! A claim on counted memory that travels with what it pays for. Owns nothing but the duty to give the
//! bytes back exactly once.

use std::fmt;
use std::sync::Arc;

/// Where counted bytes go back to: the buffer pool.
pub trait MemoryHome: Send + Sync {
    /// Counts `bytes` as free again.
    fn give_back(&self, bytes: usize);
}

/// Counted bytes; given back when dropped.
pub struct Lease {
    home: Option<Arc<dyn MemoryHome>>,
    bytes: usize,
}

impl Lease {
    /// A lease of `bytes` that `home` has already counted as lent.
    pub fn new(home: Arc<dyn MemoryHome>, bytes: usize) -> Lease {
        Lease { home: Some(home), bytes }
    }

    /// A lease of nothing.
    pub const fn nothing() -> Lease {
        Lease { home: None, bytes: 0 }
    }

    /// The bytes counted.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds bytes that the home has already counted as lent.
    pub fn grow(&mut self, bytes: usize) {
        debug_assert!(self.home.is_some(), "a lease of nothing cannot grow");
        self.bytes += bytes;
    }

    /// The bytes become the duty of whoever calls this; the lease is empty then.
    pub fn use_up(&mut self) -> usize {
        std::mem::take(&mut self.bytes)
    }

    /// Splits `bytes` off into a lease of its own.
    pub fn split_off(&mut self, bytes: usize) -> Lease {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Lease { home: self.home.clone(), bytes }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            home.give_back(self.bytes);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({} bytes)", self.bytes)
    }
}
