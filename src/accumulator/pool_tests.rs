//! Tests of the memory pool: amounts, order of those who wait, ends.

use super::*;
use std::thread;

const KIB: usize = 1 << 10;

fn counted(bytes: usize) -> Needs {
    Needs { counted_bytes: bytes, ..Needs::default() }
}

fn take(pool: &Pool, needs: &Needs) -> Option<Vec<Vec<u8>>> {
    let mut chunks = Vec::new();
    pool.try_take(needs, Taker::Caller, &mut chunks).then_some(chunks)
}

#[test]
fn needs_take_one_chunk_of_the_class_or_the_largest_that_fit() {
    assert_eq!(Needs::for_bytes(0, 2).bytes(), 0);
    assert_eq!(Needs::for_bytes(100, 0).chunks, [1, 0, 0, 0]);
    assert_eq!(Needs::for_bytes(100, 3).chunks, [0, 0, 0, 1]);
    assert_eq!(Needs::for_bytes(20 * KIB, 0).chunks, [0, 1, 1, 0]);
    assert_eq!(Needs::for_bytes(20 * KIB + 1, 0).chunks, [1, 1, 1, 0]);
    assert_eq!(Needs::for_bytes(200 * KIB, 1).chunks, [0, 2, 0, 3]);
    let step = if cfg!(miri) { 3701 } else { 37 };
    for bytes in (0..300_000).step_by(step) {
        let needs = Needs::for_bytes(bytes, 0).bytes();
        assert!(needs >= bytes && needs < bytes + KIB, "{bytes} bytes take {needs}");
    }
}

#[test]
fn chunks_are_used_again_and_every_byte_is_counted() {
    let pool = Pool::new(64 * KIB);
    let mut first = take(&pool, &Needs::for_bytes(4 * KIB, 1)).unwrap();
    first[0].extend_from_slice(b"old");
    let address = first[0].as_ptr();
    assert_eq!(pool.available_bytes(), 60 * KIB);
    pool.release(&mut first, 0);
    assert_eq!(pool.available_bytes(), 64 * KIB);
    let mut again = take(&pool, &Needs::for_bytes(4 * KIB, 1)).unwrap();
    assert_eq!((again[0].as_ptr(), again[0].len()), (address, 0));
    pool.release(&mut again, 0);
}

#[test]
fn what_is_pooled_in_one_size_serves_another() {
    let pool = Pool::new(64 * KIB);
    let mut small: Vec<_> =
        (0..56).flat_map(|_| take(&pool, &Needs::for_bytes(KIB, 0)).unwrap()).collect();
    assert!(take(&pool, &Needs::for_bytes(KIB, 0)).is_none(), "only the reserve is left");
    pool.release(&mut small, 0);
    let mut large = take(&pool, &Needs::for_bytes(48 * KIB, 0)).unwrap();
    let state = pool.lock();
    assert!(state.lent + state.pooled <= 64 * KIB);
    drop(state);
    pool.release(&mut large, 0);
    assert_eq!(pool.available_bytes(), 64 * KIB);
}

#[test]
fn callers_never_reach_the_senders_reserve() {
    let pool = Pool::new(64 * KIB);
    assert_eq!(pool.caller_limit_bytes(), 56 * KIB);
    assert!(take(&pool, &counted(56 * KIB)).is_some());
    assert!(take(&pool, &counted(1)).is_none());
    assert!(pool.take_pressure());
    assert!(!pool.take_pressure());
    assert!(pool.try_take(&counted(8 * KIB), Taker::Sender, &mut Vec::new()));
    assert!(!pool.try_take(&counted(1), Taker::Sender, &mut Vec::new()));
    let mut held = Lease::new(pool.clone(), KIB);
    assert!(!pool.try_take(&counted(KIB + 1), Taker::Exchange(&mut held), &mut Vec::new()));
    assert_eq!(held.bytes(), KIB);
    assert!(pool.try_take(&counted(KIB), Taker::Exchange(&mut held), &mut Vec::new()));
    assert_eq!(held.bytes(), 0);
}

#[test]
fn more_than_there_can_be_is_refused_at_once() {
    let pool = Pool::new(64 * KIB);
    let failure = pool.wait(57 * KIB, Duration::from_secs(60), || {}).unwrap_err();
    assert_eq!(failure, WaitFailure::TooLarge);
}

#[test]
fn sizes_beyond_32_bits_do_not_overflow() {
    let pool = Pool::new(1 << 40);
    assert!(take(&pool, &counted(6 << 30)).is_some());
    assert_eq!(pool.available_bytes(), (1 << 40) - (6 << 30));
}

#[test]
fn a_waiter_times_out_leaves_the_line_and_returns_its_part() {
    let pool = Pool::new(64 * KIB);
    assert!(take(&pool, &counted(50 * KIB)).is_some());
    let failure = pool.wait(20 * KIB, Duration::from_millis(5), || {}).unwrap_err();
    assert_eq!(failure, WaitFailure::TimedOut);
    assert_eq!((pool.waiting_threads(), pool.exhausted_total()), (0, 1));
    assert_eq!(pool.available_bytes(), 14 * KIB);
    assert!(take(&pool, &counted(6 * KIB)).is_some());
}

#[test]
fn the_longest_waiter_is_served_first_even_if_a_later_one_wants_less() {
    let pool = Pool::new(64 * KIB);
    assert!(take(&pool, &counted(56 * KIB)).is_some());
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut threads = Vec::new();
    for (name, bytes) in [("large", 32 * KIB), ("small", KIB)] {
        let (waiting, order) = (pool.clone(), order.clone());
        threads.push(thread::spawn(move || {
            let ticket = waiting.wait(bytes, Duration::from_secs(60), || {}).unwrap();
            order.lock().unwrap().push(name);
            drop(ticket);
        }));
        while pool.waiting_threads() < threads.len() {
            thread::yield_now();
        }
    }
    pool.give_back(KIB);
    assert!(take(&pool, &counted(1)).is_none(), "nobody overtakes those who wait");
    pool.give_back(31 * KIB);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["large", "small"]);
    assert_eq!(pool.available_bytes(), 40 * KIB);
}

#[test]
fn a_ticket_pays_exactly_once() {
    let pool = Pool::new(64 * KIB);
    let mut ticket = pool.wait(10 * KIB, Duration::ZERO, || {}).unwrap();
    let mut chunks = Vec::new();
    assert!(pool.try_take(&Needs::for_bytes(4 * KIB, 0), Taker::Holder(&mut ticket), &mut chunks));
    assert!(!pool.try_take(&counted(7 * KIB), Taker::Holder(&mut ticket), &mut chunks));
    assert_eq!(pool.available_bytes(), 54 * KIB);
    drop(ticket);
    assert_eq!(pool.available_bytes(), 60 * KIB);
    pool.release(&mut chunks, 0);
    assert_eq!(pool.available_bytes(), 64 * KIB);
}

#[test]
fn close_wakes_everybody_and_refuses_newcomers() {
    let pool = Pool::new(64 * KIB);
    assert!(take(&pool, &counted(56 * KIB)).is_some());
    let waiting = pool.clone();
    let thread =
        thread::spawn(move || waiting.wait(KIB, Duration::from_secs(60), || {}).unwrap_err());
    while pool.waiting_threads() == 0 {
        thread::yield_now();
    }
    pool.close();
    assert_eq!(thread.join().unwrap(), WaitFailure::Closed);
    pool.give_back(56 * KIB);
    assert!(take(&pool, &counted(1)).is_none());
    assert_eq!(pool.wait(1, Duration::from_secs(60), || {}).unwrap_err(), WaitFailure::Closed);
    assert_eq!(pool.available_bytes(), 64 * KIB);
}

#[test]
fn the_sender_is_woken_once_when_memory_comes_back_after_it_went_without() {
    let pool = Pool::new(64 * KIB);
    let woken = Arc::new(AtomicUsize::new(0));
    let count = woken.clone();
    pool.wakes(Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    assert!(take(&pool, &counted(56 * KIB)).is_some());
    pool.give_back(KIB);
    assert_eq!(woken.load(Ordering::Relaxed), 0, "nobody went without");
    let mut held = Lease::new(pool.clone(), 0);
    let too_much = counted(10 * KIB);
    assert!(!pool.try_take(&too_much, Taker::Exchange(&mut held), &mut Vec::new()));
    assert!(pool.take_pressure(), "what lingers must go to free some");
    pool.give_back(KIB);
    pool.give_back(KIB);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
}

#[test]
fn many_threads_and_all_memory_back_at_the_end() {
    let pool = Pool::new(64 * KIB);
    let threads: Vec<_> = (0..6u64)
        .map(|seed| {
            let pool = pool.clone();
            thread::spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..if cfg!(miri) { 20 } else { 2000 } {
                    let bytes = random.usize(1..30 * KIB);
                    let needs = Needs::for_bytes(bytes, 0);
                    let mut chunks = Vec::new();
                    if random.bool() && pool.try_take(&needs, Taker::Caller, &mut chunks) {
                        pool.release(&mut chunks, 0);
                        continue;
                    }
                    let wait = pool.wait(needs.bytes(), Duration::from_secs(60), || {});
                    let mut ticket = wait.unwrap();
                    assert!(pool.try_take(&needs, Taker::Holder(&mut ticket), &mut chunks));
                    drop(ticket);
                    pool.release(&mut chunks, 0);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(pool.available_bytes(), 64 * KIB);
    let state = pool.lock();
    assert!(state.pooled <= 64 * KIB && state.waiters.is_empty());
}

#[test]
fn what_an_exchange_leaves_over_goes_to_those_who_wait() {
    let pool = Pool::new(64 * KIB);
    assert!(take(&pool, &counted(56 * KIB)).is_some());
    let mut held = Lease::new(pool.clone(), 40 * KIB);
    let waiter = pool.clone();
    let thread =
        thread::spawn(move || waiter.wait(16 * KIB, Duration::from_secs(20), || {}).map(drop));
    while pool.waiting_threads() == 0 {
        thread::yield_now();
    }
    assert!(pool.try_take(&counted(KIB), Taker::Exchange(&mut held), &mut Vec::new()));
    assert_eq!(thread.join().unwrap(), Ok(()));
    assert_eq!(pool.available_bytes(), 47 * KIB);
    pool.release(&mut Vec::new(), 17 * KIB);
}
