//! The locks, atomics, threads and the queue at which threads of a producer meet. They are the standard
//! library's and crossbeam's; the models of `races` put loom's in their place. Adds nothing of its own.

#[cfg(not(all(test, loom)))]
mod real {
    pub use crossbeam::queue::SegQueue;
    pub use std::sync::{atomic, Condvar, Mutex, MutexGuard};
    pub use std::thread;
}

#[cfg(all(test, loom))]
#[allow(missing_docs)]
mod model {
    use std::collections::VecDeque;

    pub use loom::sync::{atomic, Condvar, Mutex, MutexGuard};
    pub use loom::thread;

    /// What ottla relies on of crossbeam's queue, and no more: elements come out in the order they went in,
    /// a push happens before the pop that takes its element, and whether the queue is empty is
    /// an ordinary acquiring load that orders nothing else.
    #[derive(Debug)]
    pub struct SegQueue<T> {
        elements: Mutex<VecDeque<T>>,
        length: atomic::AtomicUsize,
    }

    impl<T> SegQueue<T> {
        pub fn new() -> SegQueue<T> {
            SegQueue { elements: Mutex::default(), length: atomic::AtomicUsize::new(0) }
        }

        pub fn push(&self, element: T) {
            let mut elements = self.elements.lock().unwrap();
            elements.push_back(element);
            self.length.fetch_add(1, atomic::Ordering::Release);
        }

        pub fn pop(&self) -> Option<T> {
            if self.is_empty() {
                return None;
            }
            let mut elements = self.elements.lock().unwrap();
            self.length.fetch_sub(1, atomic::Ordering::Relaxed);
            elements.pop_front()
        }

        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        pub fn len(&self) -> usize {
            self.length.load(atomic::Ordering::Acquire)
        }
    }
}

#[cfg(all(test, loom))]
pub use model::*;
#[cfg(not(all(test, loom)))]
pub use real::*;
