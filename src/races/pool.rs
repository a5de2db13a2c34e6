//! The memory pool: who waits is served in order, and nobody sleeps over memory that is there.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Mutex, Notify};
use loom::thread;

use super::{explore, Bed, Size, World, FOREVER, KIB};
use crate::accumulator::append::AppendFailure;
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::{Needs, Pool, Taker, WaitFailure};
use crate::accumulator::topic::Slot;
use crate::delivery::Lease;
use crate::time::Time;

fn take_plain(pool: &Pool, bytes: usize, taker: Taker<'_>) -> bool {
    let needs = Needs { counted_bytes: bytes, ..Needs::default() };
    pool.try_take(&needs, taker, &mut Vec::new())
}

/// A pool that has lent all that callers may have.
fn lent_out() -> (Arc<Pool>, usize) {
    let pool = Pool::new(8 * KIB);
    let limit = pool.caller_limit_bytes();
    assert!(take_plain(&pool, limit, Taker::Caller));
    (pool, limit)
}

/// Caught: `credit-without-notice`, `line-not-served`, `callers-pass-the-line`.
#[test]
fn memory_comes_to_all_who_wait_and_nobody_passes_them() {
    explore(3, || {
        let (pool, limit) = lent_out();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || {
                    let in_line = || assert!(!take_plain(&pool, 1, Taker::Caller), "passed");
                    pool.wait(limit / 2, FOREVER, in_line).unwrap()
                })
            })
            .collect();
        drop(Lease::new(pool.clone(), limit));
        // Each keeps what it got until both have it.
        let tickets: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        drop(tickets);
        assert_eq!(pool.available_bytes(), pool.total_bytes());
        assert_eq!(pool.waiting_threads(), 0);
    });
}

/// Caught: `last-come-first-served`.
#[test]
fn who_came_first_is_served_first() {
    explore(3, || {
        let (pool, limit) = lent_out();
        let served = Arc::new(Mutex::new(Vec::new()));
        let wait = |name: u32, in_line: Box<dyn FnOnce() + Send>| {
            let (pool, served) = (pool.clone(), served.clone());
            move || {
                // All there is: only one can have it at a time.
                let ticket = pool.wait(limit, FOREVER, in_line).unwrap();
                served.lock().unwrap().push(name);
                drop(ticket);
            }
        };
        let second = wait(2, Box::new(|| {}));
        // Comes when the first stands in line.
        let second = Box::new(|| drop(thread::spawn(second)));
        let first = thread::spawn(wait(1, second));
        drop(Lease::new(pool.clone(), limit));
        first.join().unwrap();
        drop(pool.wait(limit, FOREVER, || {}).unwrap());
        let served = served.lock().unwrap();
        assert!(!served.starts_with(&[2]), "{served:?}");
    });
}

/// Caught: `close-without-notice`, `closed-behind-notice`, `closed-asked-once`.
#[test]
fn a_close_wakes_all_who_wait_for_memory() {
    explore(3, || {
        let (pool, limit) = lent_out();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || match pool.wait(limit, FOREVER, || {}) {
                    Ok(ticket) => drop(ticket),
                    Err(failure) => assert_eq!(failure, WaitFailure::Closed),
                })
            })
            .collect();
        pool.close();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drop(Lease::new(pool.clone(), limit));
        assert_eq!(pool.available_bytes(), pool.total_bytes());
    });
}

/// Caught: `sender-forgotten`, `sender-noted-late`.
#[test]
fn a_sender_that_went_without_is_woken_when_memory_comes_back() {
    explore(3, || {
        let (pool, limit) = lent_out();
        let bed = Arc::new(Notify::new());
        pool.wakes(Arc::new(Bed(bed.clone())));
        // A parked record, which needs more in a batch than it is counted for.
        assert!(take_plain(&pool, KIB, Taker::Sender));
        let mut held = Lease::new(pool.clone(), KIB);
        let back = Lease::new(pool.clone(), limit);
        let back = thread::spawn(move || drop(back));
        while !take_plain(&pool, 2 * KIB, Taker::Exchange(&mut held)) {
            bed.wait();
        }
        back.join().unwrap();
        drop(Lease::new(pool.clone(), 2 * KIB));
        assert_eq!(pool.available_bytes(), pool.total_bytes());
    });
}

/// Caught: `pressure-before-line`, `linger-through-pressure`.
#[test]
fn a_lingering_batch_never_keeps_the_memory_that_somebody_waits_for() {
    explore(2, || {
        // Room for one batch; two partitions, so that the one who finds none does not seal it.
        let (buffer_memory_bytes, partitions) = (3 * KIB, 2);
        let world = World::new(Size { buffer_memory_bytes, partitions, ..Size::default() });
        let (quick, patient) = (world.share(), world.share());
        let ended = Arc::new(AtomicBool::new(false));
        let over = ended.clone();
        let quick = thread::spawn(move || quick.append(1, Taker::Caller).is_ok());
        let patient = thread::spawn(move || {
            if let Err(AppendFailure::NoMemory(bytes)) = patient.append_to(1, 2, Taker::Caller) {
                let mut ticket = patient.accumulator.wait_for_memory(bytes, FOREVER).unwrap();
                patient.append_to(1, 2, Taker::Holder(&mut ticket)).unwrap();
            }
            over.store(true, Ordering::Release);
            patient.accumulator.inbox.send(Command::RefreshMetadata, Time::ZERO);
        });
        let (mut known, mut drained) = (false, Vec::new());
        while !ended.load(Ordering::Acquire) {
            world.sleep();
            while let Some(command) = world.accumulator.inbox.next() {
                known |= matches!(command, Command::Opened(Slot(0)));
            }
            // As `Sender::relieve_pressure`, and the broker answers at once.
            if world.accumulator.pool.take_pressure() && known {
                drained.extend(world.drain());
            }
        }
        let quick = quick.join().unwrap();
        patient.join().unwrap();
        drained.extend(world.drain_all());
        drained.sort_unstable();
        assert_eq!(drained, if quick { vec![1, 2] } else { vec![2] });
        world.assert_whole();
    });
}
