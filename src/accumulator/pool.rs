//! Owns the memory of unsent records: a fixed amount (`buffer.memory`) lent out in chunks of a few
//! sizes, first come first served. Never blocks the sender, which has a small reserve of its own, and never
//! lends more than the amount, bookkeeping and free lists included.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::accumulator::inbox::Wake;
use crate::delivery::lease::{Lease, MemoryHome};
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// Sizes of chunks in bytes, smallest first. A quiet partition costs one small chunk; a busy one soon
/// works in large ones.
pub const CHUNK_SIZES: [usize; 4] = [1 << 10, 4 << 10, 16 << 10, 64 << 10];
const LARGEST: usize = CHUNK_SIZES.len() - 1;
/// What the sender may use when callers have used up everything else: room to rewrite one batch.
const RESERVE_MAX: usize = 256 << 10;

/// Chunks and plain bytes that are taken together or not at all.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Number of chunks of each size.
    pub chunks: [u32; CHUNK_SIZES.len()],
    /// Bytes of bookkeeping that are only counted.
    pub counted_bytes: usize,
}

impl Needs {
    /// Chunks for `bytes` more bytes: one of `class` if that is enough, else the largest that fit.
    pub fn for_bytes(bytes: usize, class: usize) -> Needs {
        let mut needs = Needs::default();
        let mut rest = bytes;
        if rest > 0 && rest <= CHUNK_SIZES[class] {
            needs.chunks[class] = 1;
            return needs;
        }
        for at in (0..=LARGEST).rev() {
            needs.chunks[at] = (rest / CHUNK_SIZES[at]) as u32;
            rest %= CHUNK_SIZES[at];
        }
        needs.chunks[0] += u32::from(rest > 0);
        needs
    }

    /// Total bytes.
    pub fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().zip(CHUNK_SIZES).map(|(&n, size)| n as usize * size);
        chunks.sum::<usize>() + self.counted_bytes
    }
}

/// The class of chunk that suits a batch that is expected to reach `bytes`.
pub fn class_for(bytes: usize) -> usize {
    CHUNK_SIZES.iter().rposition(|&size| size <= bytes / 2).unwrap_or(0)
}

/// On whose behalf memory is taken.
#[derive(Debug)]
pub enum Taker<'a> {
    /// An application thread: has to stand in line behind those who wait.
    Caller,
    /// An application thread that stood in line and got this.
    Holder(&'a mut Ticket),
    /// The sender thread: may use the reserve.
    Sender,
    /// The sender thread, paying with counted bytes that it holds: a parked record's, or those of the
    /// part of a batch that was rewritten already. They are used up if the taking succeeds.
    Exchange(&'a mut Lease),
}

impl Taker<'_> {
    /// Whether the sender thread takes.
    pub fn is_sender(&self) -> bool {
        matches!(self, Taker::Sender | Taker::Exchange(_))
    }

    /// The same taker again; what is paid with is only paid once.
    pub fn reborrow(&mut self) -> Taker<'_> {
        match self {
            Taker::Caller => Taker::Caller,
            Taker::Holder(ticket) => Taker::Holder(ticket),
            Taker::Sender => Taker::Sender,
            Taker::Exchange(held) => Taker::Exchange(held),
        }
    }
}

/// Why a wait for memory ended without any.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum WaitFailure {
    /// `max.block.ms` passed.
    TimedOut,
    /// The producer was closed.
    Closed,
    /// More than callers can ever have.
    TooLarge,
}

/// Memory that somebody waited for; what is not used goes back when it is dropped.
#[derive(Debug)]
pub struct Ticket {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pool.give_back(self.bytes);
    }
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    wanted: usize,
    granted: usize,
    woken: Arc<Condvar>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes lent out.
    lent: usize,
    /// Bytes in the free lists: nobody's, but the process holds them.
    pooled: usize,
    free: [Vec<Vec<u8>>; CHUNK_SIZES.len()],
    waiters: VecDeque<Waiter>,
    next_waiter: u64,
    closed: bool,
    /// The sender went without memory and is to be told when some comes back.
    sender_waits: bool,
}

/// The pool. See the head of the file.
pub struct Pool {
    state: Mutex<State>,
    /// Wakes the sender.
    wake: OnceCell<Arc<dyn Wake>>,
    total: usize,
    reserve: usize,
    waiting: AtomicUsize,
    /// Somebody was refused since the sender last looked: time to send what lingers.
    pressed: AtomicBool,
    exhausted: AtomicUsize,
}

impl Pool {
    /// A pool that lends at most `total` bytes.
    pub fn new(total: usize) -> Arc<Pool> {
        Arc::new(Pool {
            state: Mutex::new(State::default()),
            wake: OnceCell::new(),
            total,
            reserve: RESERVE_MAX.min(total / 8),
            waiting: AtomicUsize::new(0),
            pressed: AtomicBool::new(false),
            exhausted: AtomicUsize::new(0),
        })
    }

    /// Says who is to be woken when the sender went without memory and some came back. Once.
    pub fn wakes(&self, wake: Arc<dyn Wake>) {
        // A second waker would be for a second sender, which no pool has.
        let _ = self.wake.set(wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change; a poisoned lock still guards whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configured amount.
    pub fn total_bytes(&self) -> usize {
        self.total
    }

    /// What only the sender may take.
    pub fn reserve_bytes(&self) -> usize {
        self.reserve
    }

    /// The most that one record may ever need: all but the sender's reserve.
    pub fn caller_limit_bytes(&self) -> usize {
        self.total - self.reserve
    }

    /// Bytes not lent to anybody.
    pub fn available_bytes(&self) -> usize {
        self.total - self.lock().lent
    }

    /// Application threads that wait in line.
    pub fn waiting_threads(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits that ended with [`WaitFailure::TimedOut`], ever.
    pub fn exhausted_total(&self) -> usize {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// Notes that somebody was refused.
    pub fn press(&self) {
        self.pressed.store(true, Ordering::Relaxed);
    }

    /// Whether somebody is short of memory. Clears the note about those who did not wait.
    pub fn take_pressure(&self) -> bool {
        let pressed =
            self.pressed.load(Ordering::Relaxed) && self.pressed.swap(false, Ordering::Relaxed);
        pressed || self.waiting_threads() > 0
    }

    /// Takes all of `needs`, giving the chunks (empty, smallest first) to `chunks`; or nothing.
    pub fn try_take(
        &self,
        needs: &Needs,
        taker: Taker<'_>,
        chunks: &mut impl Extend<Vec<u8>>,
    ) -> bool {
        let bytes = needs.bytes();
        let mut state = self.lock();
        let exchanged = matches!(taker, Taker::Exchange(_));
        let from_ticket = match taker {
            Taker::Holder(ticket) if ticket.bytes >= bytes => {
                ticket.bytes -= bytes;
                true
            }
            Taker::Holder(_) => return false,
            Taker::Sender => false,
            Taker::Exchange(held) => {
                if state.lent - held.bytes() + bytes > self.total {
                    // What lingers is to go, and what comes back is to be told.
                    self.pressed.store(true, Ordering::Relaxed);
                    state.sender_waits = true;
                    return false;
                }
                state.lent -= held.use_up();
                false
            }
            Taker::Caller => {
                let limit = self.total - self.reserve;
                if state.lent + bytes > limit || !state.waiters.is_empty() || state.closed {
                    self.pressed.store(true, Ordering::Relaxed);
                    return false;
                }
                false
            }
        };
        if !from_ticket {
            if state.lent + bytes > self.total {
                return false;
            }
            state.lent += bytes;
        }
        self.hand_out(&mut state, needs, chunks);
        if exchanged {
            // What was paid with can be more than what was taken.
            self.credit(&mut state, 0);
        }
        true
    }

    /// For the sender: counts `fixed_bytes` and `each_bytes` for as many of `count` as half of what is left
    /// is enough for, so that there is something for the next. 0: not even one, and nothing was taken; the
    /// sender is woken when memory comes back.
    pub fn take_for_some(&self, fixed_bytes: usize, each_bytes: usize, count: usize) -> usize {
        let mut state = self.lock();
        let room = ((self.total - state.lent) / 2).saturating_sub(fixed_bytes);
        let some = count.min(room / each_bytes.max(1));
        if some == 0 {
            self.pressed.store(true, Ordering::Relaxed);
            state.sender_waits = true;
            return 0;
        }
        state.lent += fixed_bytes + some * each_bytes;
        self.evict(&mut state);
        some
    }

    /// The bytes are already counted as lent: finds the chunks, making room among the free ones.
    fn hand_out(&self, state: &mut State, needs: &Needs, chunks: &mut impl Extend<Vec<u8>>) {
        let mut fresh = [0u32; CHUNK_SIZES.len()];
        for (class, &count) in needs.chunks.iter().enumerate() {
            for _ in 0..count {
                match state.free[class].pop() {
                    Some(chunk) => {
                        state.pooled -= CHUNK_SIZES[class];
                        chunks.extend([chunk]);
                    }
                    None => fresh[class] += 1,
                }
            }
        }
        self.evict(state);
        for (class, &count) in fresh.iter().enumerate() {
            chunks.extend((0..count).map(|_| Vec::with_capacity(CHUNK_SIZES[class])));
        }
    }

    /// Frees pooled chunks until lent and pooled bytes together keep within the total.
    fn evict(&self, state: &mut State) {
        let mut class = LARGEST + 1;
        while state.lent + state.pooled > self.total && class > 0 {
            if state.free[class - 1].pop().is_some() {
                state.pooled -= CHUNK_SIZES[class - 1];
            } else {
                class -= 1;
            }
        }
    }

    /// Takes chunks back (and recycles them) together with `counted_bytes`.
    pub fn release(&self, chunks: &mut Vec<Vec<u8>>, counted_bytes: usize) {
        self.recycle(chunks.drain(..), counted_bytes);
    }

    /// As [`Pool::release`], wherever the chunks come from.
    pub fn recycle(&self, chunks: impl IntoIterator<Item = Vec<u8>>, counted_bytes: usize) {
        let mut state = self.lock();
        let mut bytes = counted_bytes;
        for mut chunk in chunks {
            let size = chunk.capacity();
            bytes += size;
            if let Some(class) = CHUNK_SIZES.iter().position(|&known| known == size) {
                chunk.clear();
                state.free[class].push(chunk);
                state.pooled += size;
            }
        }
        self.credit(&mut state, bytes);
    }

    /// Keeps a chunk for the next who needs one of its size while its bytes stay counted as lent, to whoever
    /// pays with them for something else.
    pub fn recycle_held(&self, mut chunk: Vec<u8>) {
        let size = chunk.capacity();
        let Some(class) = CHUNK_SIZES.iter().position(|&known| known == size) else { return };
        chunk.clear();
        let mut state = self.lock();
        state.free[class].push(chunk);
        state.pooled += size;
        self.evict(&mut state);
    }

    /// Counts `bytes` as free again and serves those who wait, in order.
    fn credit(&self, state: &mut State, bytes: usize) {
        debug_assert!(state.lent >= bytes, "more memory came back than was lent");
        state.lent -= bytes;
        let limit = self.total - self.reserve;
        // Only the head of the line is served; it moves up when that waiter removes itself.
        if let Some(first) = state.waiters.front_mut() {
            let free = limit.saturating_sub(state.lent);
            let grant = free.min(first.wanted - first.granted);
            first.granted += grant;
            state.lent += grant;
            if first.granted == first.wanted {
                first.woken.notify_one();
            }
        }
        self.evict(state);
        if bytes > 0 && std::mem::take(&mut state.sender_waits) {
            if let Some(wake) = self.wake.get() {
                wake.wake();
            }
        }
    }

    /// Waits in line for `bytes`, at most `timeout`; calls `in_line` once it stands there, when
    /// [`Pool::waiting_threads`] counts it. Wakes with an error when the pool is closed.
    pub fn wait(
        self: &Arc<Pool>,
        bytes: usize,
        timeout: Duration,
        in_line: impl FnOnce(),
    ) -> Result<Ticket, WaitFailure> {
        if bytes > self.caller_limit_bytes() {
            return Err(WaitFailure::TooLarge);
        }
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        let id = state.next_waiter;
        state.next_waiter += 1;
        let woken = Arc::new(Condvar::new());
        state.waiters.push_back(Waiter { id, wanted: bytes, granted: 0, woken: woken.clone() });
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.credit(&mut state, 0);
        drop(state);
        in_line();
        let mut state = self.lock();
        let failure = loop {
            if state.closed {
                break Some(WaitFailure::Closed);
            }
            if state.waiters.iter().any(|w| w.id == id && w.granted == w.wanted) {
                break None;
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break Some(WaitFailure::TimedOut);
            }
            state = match left {
                Some(left) => {
                    woken.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => woken.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let granted = match state.waiters.iter().position(|waiter| waiter.id == id) {
            Some(at) => state.waiters.remove(at).map_or(0, |waiter| waiter.granted),
            None => 0,
        };
        // The line moved up: whoever is first now may be served from what is left.
        match failure {
            None => {
                self.credit(&mut state, 0);
                Ok(Ticket { pool: self.clone(), bytes: granted })
            }
            Some(failure) => {
                if failure == WaitFailure::TimedOut {
                    self.exhausted.fetch_add(1, Ordering::Relaxed);
                }
                self.credit(&mut state, granted);
                Err(failure)
            }
        }
    }

    /// Refuses callers from now on and wakes all who wait. Memory still comes back as before.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for waiter in &state.waiters {
            waiter.woken.notify_one();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} of {} bytes available)", self.available_bytes(), self.total)
    }
}

impl MemoryHome for Pool {
    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            let mut state = self.lock();
            self.credit(&mut state, bytes);
        }
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
