//! The table of handles. A handle that C holds is no address but a number: slot, generation and kind,
//! with the lowest bit set so that no real pointer looks like one. Looking it up costs two atomic additions
//! and never touches memory of a freed object, whatever number C passes.
//!
//! A slot counts the calls that are inside its object (spread over cache lines by thread), so freeing
//! waits until the last call of another thread has left and then destroys the object, there and then.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorCode, Result};
use crate::producer::fork::ForkGuard;

/// Slots in a chunk; chunks are made when needed and stay for the life of the process.
const CHUNK: usize = 32;
const CHUNKS: usize = 4096;
/// Cache lines over which the calls inside an object are counted.
const SHARDS: usize = 8;

const KIND_SHIFT: u32 = 1;
const INDEX_SHIFT: u32 = 5;
const GENERATION_SHIFT: u32 = 22;
const NO_SLOT: u32 = u32::MAX;

/// What a handle is a handle of: the type in the header and the object behind it.
pub(super) trait Kind: Send + Sync + 'static {
    /// The opaque type in the header.
    type Opaque;
    /// A number of its own, below 16.
    const NUMBER: usize;
}

/// An object and what every object needs.
pub(super) struct Held<T> {
    pub(super) value: T,
    pub(super) fork: ForkGuard,
    pub(super) poisoned: AtomicBool,
}

#[repr(align(64))]
#[derive(Default)]
struct Line(AtomicUsize);

/// One place for an object. The memory of slots is never given back.
struct Slot {
    /// The handle of the object that lives here; 0 while there is none.
    handle: AtomicUsize,
    object: AtomicPtr<()>,
    generation: AtomicUsize,
    next_free: AtomicU32,
    users: [Line; SHARDS],
}

impl Default for Slot {
    fn default() -> Slot {
        Slot {
            handle: AtomicUsize::new(0),
            object: AtomicPtr::new(ptr::null_mut()),
            generation: AtomicUsize::new(0),
            next_free: AtomicU32::new(NO_SLOT),
            users: Default::default(),
        }
    }
}

static SLOTS: [AtomicPtr<[Slot; CHUNK]>; CHUNKS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
/// Slots ever used.
static USED: AtomicU32 = AtomicU32::new(0);
/// A stack of free slots: count of changes in the upper half, index in the lower. Lock-free, because a
/// lock held by another thread at a fork would hang the child.
static FREE: AtomicU64 = AtomicU64::new(NO_SLOT as u64);

fn slot(index: usize) -> Option<&'static Slot> {
    let chunk = SLOTS.get(index / CHUNK)?.load(Ordering::Acquire);
    // SAFETY: a chunk pointer is null or comes from `Box::into_raw` in `new_slot`, and is never freed.
    let chunk = unsafe { chunk.as_ref() }?;
    chunk.get(index % CHUNK)
}

fn new_slot() -> Option<u32> {
    let index = USED.fetch_add(1, Ordering::Relaxed);
    let Some(place) = SLOTS.get(index as usize / CHUNK) else {
        USED.fetch_sub(1, Ordering::Relaxed);
        return None;
    };
    if place.load(Ordering::Acquire).is_null() {
        let chunk = Box::into_raw(Box::<[Slot; CHUNK]>::default());
        let order = (Ordering::AcqRel, Ordering::Acquire);
        if place.compare_exchange(ptr::null_mut(), chunk, order.0, order.1).is_err() {
            // SAFETY: another thread was first; this chunk is still ours alone.
            drop(unsafe { Box::from_raw(chunk) });
        }
    }
    Some(index)
}

fn pop_free() -> Option<u32> {
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        let index = head as u32;
        let next = slot(index as usize)?.next_free.load(Ordering::Relaxed);
        let new = ((head >> 32).wrapping_add(1) << 32) | u64::from(next);
        match FREE.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(index),
            Err(now) => head = now,
        }
    }
}

fn push_free(index: u32, slot: &Slot) {
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        slot.next_free.store(head as u32, Ordering::Relaxed);
        let new = ((head >> 32).wrapping_add(1) << 32) | u64::from(index);
        match FREE.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

/// Gives an object a handle.
pub(super) fn insert<T: Kind>(value: T) -> Result<*mut T::Opaque> {
    let index = pop_free().or_else(new_slot).ok_or_else(|| {
        Error::new(ErrorCode::STATE, "too many handles are in use: is every one freed?")
    })?;
    let Some(slot) = slot(index as usize) else {
        return Err(Error::new(ErrorCode::STATE, "a slot without memory"));
    };
    let held = Held { value, fork: ForkGuard::new(), poisoned: AtomicBool::new(false) };
    let generation = slot.generation.load(Ordering::Relaxed);
    let handle = (generation << GENERATION_SHIFT)
        | ((index as usize) << INDEX_SHIFT)
        | (T::NUMBER << KIND_SHIFT)
        | 1;
    slot.object.store(Box::into_raw(Box::new(held)).cast(), Ordering::Relaxed);
    slot.handle.store(handle, Ordering::SeqCst);
    Ok(ptr::without_provenance_mut(handle))
}

/// The slot that a handle names, if it can be a handle of this kind at all.
#[inline]
fn slot_of<T: Kind>(handle: usize) -> Option<&'static Slot> {
    if handle & ((1 << INDEX_SHIFT) - 1) != (T::NUMBER << KIND_SHIFT) | 1 {
        return None;
    }
    slot((handle >> INDEX_SHIFT) & (CHUNK * CHUNKS - 1))
}

/// A line that threads seldom share: stacks of different threads lie apart.
#[inline]
fn shard() -> usize {
    let marker = 0u8;
    let page = (ptr::from_ref(&marker).addr() >> 16) as u64;
    (page.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61) as usize
}

/// A call inside an object; the object stays until this is dropped.
pub(super) struct Visit<T: 'static> {
    users: &'static AtomicUsize,
    held: &'static Held<T>,
}

impl<T> Deref for Visit<T> {
    type Target = Held<T>;
    #[inline]
    fn deref(&self) -> &Held<T> {
        self.held
    }
}

impl<T> Drop for Visit<T> {
    #[inline]
    fn drop(&mut self) {
        leave(self.users);
    }
}

/// Counts a call out. Release would be enough: whoever sees the line at 0 sees what the call did. But where
/// some changes of a line are not SeqCst, Miri lets a SeqCst load pass those that are (unlike C++20), and
/// takes the object for freed under a call. On x86 it is the same instruction.
#[inline]
fn leave(users: &AtomicUsize) {
    users.fetch_sub(1, Ordering::SeqCst);
}

/// Enters the object of a handle; `None` when there is no such object of this kind (any more).
#[inline]
pub(super) fn enter<T: Kind>(handle: *const T::Opaque) -> Option<Visit<T>> {
    let handle = handle.addr();
    let slot = slot_of::<T>(handle)?;
    let users = &slot.users[shard()].0;
    // Counted first, looked second; `retire` does it the other way round: one of the two sees the other.
    users.fetch_add(1, Ordering::SeqCst);
    if slot.handle.load(Ordering::SeqCst) != handle {
        leave(users);
        return None;
    }
    let object = slot.object.load(Ordering::Relaxed).cast::<Held<T>>();
    // SAFETY: the handle is live, so `object` is the box that `insert` made, of type T because the kind
    // is a part of the handle; `retire` frees it only after this visit is counted out.
    Some(Visit { users, held: unsafe { &*object } })
}

/// Ends a handle: no call finds it from now on; waits for the calls inside it, then drops its object. Of
/// several threads that try, one is told true. Must not be called from inside a visit.
pub(super) fn retire<T: Kind>(handle: *const T::Opaque) -> bool {
    take::<T>(handle).is_some()
}

fn take<T: Kind>(handle: *const T::Opaque) -> Option<()> {
    let handle = handle.addr();
    let slot = slot_of::<T>(handle)?;
    slot.handle.compare_exchange(handle, 0, Ordering::SeqCst, Ordering::SeqCst).ok()?;
    let object = slot.object.load(Ordering::Relaxed).cast::<Held<T>>();
    // SAFETY: the exchange above succeeds once per object, so nobody else frees it while we look.
    let of_parent = unsafe { &*object }.fork.is_child();
    if of_parent {
        // Calls that were inside at the fork will never leave: the object is given up, not freed.
        return Some(());
    }
    slot.users.iter().for_each(|line| wait_until_left(&line.0));
    // SAFETY: made by `Box::into_raw` in `insert`, taken out once, and nobody is inside.
    let held = unsafe { Box::from_raw(object) };
    slot.object.store(ptr::null_mut(), Ordering::Relaxed);
    slot.generation.fetch_add(1, Ordering::Relaxed);
    push_free(((handle >> INDEX_SHIFT) & (CHUNK * CHUNKS - 1)) as u32, slot);
    drop(held);
    Some(())
}

/// Waits for calls of other threads. They are short, or on their way out because the object was closed.
fn wait_until_left(users: &AtomicUsize) {
    let mut looks = 0u32;
    while users.load(Ordering::SeqCst) != 0 {
        looks += 1;
        match looks {
            0..=100 => std::hint::spin_loop(),
            101..=1000 => std::thread::yield_now(),
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Objects that have a handle now; for the tests of this module and for leak checks.
pub fn live_handles() -> usize {
    let used = USED.load(Ordering::Relaxed) as usize;
    (0..used).filter_map(slot).filter(|slot| slot.handle.load(Ordering::Relaxed) != 0).count()
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
