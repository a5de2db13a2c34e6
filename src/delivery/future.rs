//! Reports as futures, for the Rust face: a slab of slots whose index is the record's token.
//! Needs no runtime; a future that is dropped only gives its slot back when the report has come.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::delivery::report::{Persistence, Report};
use crate::error::{Error, ErrorCode};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::thread::{self, Thread};
use crate::sync::{Mutex, MutexGuard};

const SHARDS: usize = 16;

/// Where one record was stored.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RecordMetadata {
    /// Topic id as registered with the producer.
    pub topic: u32,
    /// Partition.
    pub partition: i32,
    /// Offset, or -1 when the broker did not say (acks=0).
    pub offset: i64,
    /// The record's own CRC-32 in formats v0 and v1; v2 has none per record (Java:
    /// `RecordMetadata.checksum`).
    pub checksum: Option<u32>,
    /// The broker's log-append time, or the record's own when `report.timestamps` is on, else -1.
    pub timestamp_ms: i64,
}

/// Why one record failed, and whether it can be in the log all the same.
#[derive(Clone, Debug)]
pub struct DeliveryError {
    /// What went wrong.
    pub error: Error,
    /// Whether sending it again could duplicate it.
    pub persistence: Persistence,
}

impl std::fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl std::error::Error for DeliveryError {}

/// The fate of one record.
pub type DeliveryResult = Result<RecordMetadata, DeliveryError>;

enum Slot {
    Free,
    Waiting(Option<Waker>),
    Done(DeliveryResult),
    /// The future was dropped before the report came.
    Abandoned,
}

#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

/// The slab. See the head of the file.
#[derive(Default)]
pub struct Futures {
    shards: [Mutex<Shard>; SHARDS],
    next: AtomicUsize,
}

impl Futures {
    /// An empty slab.
    pub fn new() -> Arc<Futures> {
        Arc::default()
    }

    fn shard(&self, at: usize) -> MutexGuard<'_, Shard> {
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A future and the token that completes it.
    pub fn promise(self: &Arc<Self>) -> DeliveryFuture {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut shard = self.shard(at);
        let index = match shard.free.pop() {
            Some(index) => {
                shard.slots[index] = Slot::Waiting(None);
                index
            }
            None => {
                shard.slots.push(Slot::Waiting(None));
                shard.slots.len() - 1
            }
        };
        drop(shard);
        DeliveryFuture { futures: self.clone(), token: (index * SHARDS + at) as u64, taken: false }
    }

    /// Completes the futures of all records of a report.
    pub fn complete(&self, report: &Report) {
        for (index, &token) in report.tokens.iter().enumerate() {
            self.complete_one(token, || result_of(report, index));
        }
    }

    fn complete_one(&self, token: u64, result: impl FnOnce() -> DeliveryResult) {
        let (index, at) = (token as usize / SHARDS, token as usize % SHARDS);
        let mut shard = self.shard(at);
        let Some(slot) = shard.slots.get_mut(index) else { return };
        match std::mem::replace(slot, Slot::Free) {
            Slot::Waiting(waker) => {
                *slot = Slot::Done(result());
                drop(shard);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Slot::Abandoned => shard.free.push(index),
            other => *slot = other,
        }
    }
}

fn result_of(report: &Report, index: usize) -> DeliveryResult {
    if report.code == ErrorCode::NONE {
        return Ok(RecordMetadata {
            topic: report.topic,
            partition: report.partition,
            offset: report.offset(index),
            checksum: None,
            timestamp_ms: report.timestamp_ms(index),
        });
    }
    let message = match &report.message {
        Some(text) => text.to_string(),
        None => report.code.description().to_string(),
    };
    Err(DeliveryError { error: Error::new(report.code, message), persistence: report.persistence })
}

/// Resolves when the record's report comes. Dropping it does not take the record back.
#[must_use = "the outcome of the record comes through this future"]
pub struct DeliveryFuture {
    futures: Arc<Futures>,
    token: u64,
    taken: bool,
}

impl DeliveryFuture {
    /// The token to send the record with.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Blocks the calling thread until the report comes.
    pub fn wait(mut self) -> DeliveryResult {
        let waker = Waker::from(Arc::new(Unparker(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }
}

struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Future for DeliveryFuture {
    type Output = DeliveryResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<DeliveryResult> {
        if self.taken {
            // Polled after its end, against the contract: the slot belongs to another record by now.
            return Poll::Pending;
        }
        let (index, at) = (self.token as usize / SHARDS, self.token as usize % SHARDS);
        let futures = self.futures.clone();
        let waker = context.waker().clone();
        let mut shard = futures.shard(at);
        match std::mem::replace(&mut shard.slots[index], Slot::Free) {
            Slot::Done(result) => {
                shard.free.push(index);
                self.taken = true;
                Poll::Ready(result)
            }
            before => {
                shard.slots[index] = Slot::Waiting(Some(waker));
                drop(shard);
                // Dropping a waker can drop a task and with it other futures: not under the lock.
                drop(before);
                Poll::Pending
            }
        }
    }
}

impl std::fmt::Debug for DeliveryFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeliveryFuture({})", self.token)
    }
}

impl Drop for DeliveryFuture {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let (index, at) = (self.token as usize / SHARDS, self.token as usize % SHARDS);
        let mut shard = self.futures.shard(at);
        let done = matches!(shard.slots[index], Slot::Done(_));
        let after = if done { Slot::Free } else { Slot::Abandoned };
        let before = std::mem::replace(&mut shard.slots[index], after);
        if done {
            shard.free.push(index);
        }
        drop(shard);
        // What a waker holds may be dropped with it: not under the lock.
        drop(before);
    }
}

impl DeliveryFuture {
    /// Gives the slot back at once: the record was refused, so no report will come.
    pub fn cancel(mut self) {
        let (index, at) = (self.token as usize / SHARDS, self.token as usize % SHARDS);
        let futures = self.futures.clone();
        let mut shard = futures.shard(at);
        shard.slots[index] = Slot::Free;
        shard.free.push(index);
        self.taken = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::lease::Lease;

    fn report(tokens: Vec<u64>, code: ErrorCode) -> Report {
        Report {
            topic: 1,
            partition: 2,
            code,
            message: None,
            persistence: Persistence::Persisted,
            base_offset: 40,
            log_append_time_ms: -1,
            latency_ns: 0,
            tokens,
            timestamps_ms: Some(vec![7, 8]),
            lease: Lease::nothing(),
            ticket: None,
            taken: 0,
        }
    }

    #[test]
    fn each_record_gets_its_own_offset_and_slots_are_used_again() {
        let futures = Futures::new();
        let (first, second) = (futures.promise(), futures.promise());
        futures.complete(&report(vec![first.token(), second.token()], ErrorCode::NONE));
        assert_eq!(first.wait().unwrap().offset, 40);
        let metadata = second.wait().unwrap();
        assert_eq!((metadata.offset, metadata.timestamp_ms, metadata.partition), (41, 8, 2));
        let abandoned = futures.promise();
        let token = abandoned.token();
        drop(abandoned);
        futures.complete(&report(vec![token], ErrorCode::NONE));
        for _ in 0..100 {
            futures.promise().cancel();
        }
        let slots: usize = (0..SHARDS).map(|at| futures.shard(at).slots.len()).sum();
        assert!(slots <= SHARDS + 3, "{slots} slots for at most one promise at a time");
    }

    #[test]
    fn a_future_polled_after_its_end_does_not_touch_the_next_user_of_its_slot() {
        let futures = Futures::new();
        let mut first = futures.promise();
        futures.complete(&report(vec![first.token()], ErrorCode::NONE));
        let waker = Waker::from(Arc::new(Unparker(thread::current())));
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut first).poll(&mut context).is_ready());
        let others: Vec<DeliveryFuture> = (0..SHARDS).map(|_| futures.promise()).collect();
        let tokens: Vec<u64> = others.iter().map(DeliveryFuture::token).collect();
        assert!(tokens.contains(&first.token()), "the slot is used again");
        futures.complete(&report(tokens, ErrorCode::NONE));
        assert!(Pin::new(&mut first).poll(&mut context).is_pending());
        drop(first);
        for other in others {
            assert!(other.wait().is_ok());
        }
    }

    #[test]
    fn a_future_dropped_after_the_report_gives_its_slot_back_once() {
        let futures = Futures::new();
        let promise = futures.promise();
        futures.complete(&report(vec![promise.token()], ErrorCode::NONE));
        // A report for the same token again finds nobody.
        futures.complete(&report(vec![promise.token()], ErrorCode::MESSAGE_TOO_LARGE));
        drop(promise);
        let free: usize = (0..SHARDS).map(|at| futures.shard(at).free.len()).sum();
        assert_eq!(free, 1);
        futures.complete(&report(vec![1 << 40], ErrorCode::NONE));
    }

    #[test]
    fn a_waiting_thread_is_woken_with_the_error() {
        let futures = Futures::new();
        let promise = futures.promise();
        let token = promise.token();
        let thread = thread::spawn(move || promise.wait());
        futures.complete(&report(vec![token], ErrorCode::MESSAGE_TOO_LARGE));
        let failure = thread.join().unwrap().unwrap_err();
        assert_eq!(failure.error.code(), ErrorCode::MESSAGE_TOO_LARGE);
    }
}
