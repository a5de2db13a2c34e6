//! Tests of the report queue and its doors.

use super::*;
use crate::delivery::lease::MemoryHome;
use crate::delivery::promises::{Outcome, Promises};
use crate::delivery::Lease;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Counts what comes home.
#[derive(Default)]
struct Memory(AtomicUsize);

impl MemoryHome for Memory {
    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::SeqCst);
    }
}

fn open(door: Door) -> Arc<Delivery> {
    Delivery::open(door, "test").unwrap()
}

/// A report of one record per token, which holds 8 bytes for each.
fn report(home: &Arc<Delivery>, memory: &Arc<Memory>, tokens: &[u64]) -> Report {
    let lease = Lease::new(memory.clone(), 0);
    let mut promises = Promises::new(1, 2, false, lease, home.outstanding().enter(), home.clone());
    for &token in tokens {
        if promises.needs() > 0 {
            promises.grow();
        }
        promises.push(token, 0);
    }
    promises.report(Outcome::failed(ErrorCode::TIMED_OUT, "late", true))
}

fn poll_tokens(home: &Delivery, room: usize) -> Vec<u64> {
    let mut tokens = Vec::new();
    let taken = home.poll(Duration::ZERO, &mut |report, from| {
        let count = (report.count() - from).min(room - tokens.len());
        tokens.extend_from_slice(&report.tokens[from..from + count]);
        count
    });
    assert_eq!(taken, tokens.len());
    tokens
}

#[test]
fn small_polls_take_reports_apart_and_memory_goes_home_with_the_last_record() {
    let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
    home.deliver([report(&home, &memory, &[1, 2, 3, 4, 5]), report(&home, &memory, &[6, 7])]);
    assert_eq!(home.waiting_records(), 7);
    assert_eq!(poll_tokens(&home, 2), [1, 2]);
    assert_eq!(poll_tokens(&home, 2), [3, 4]);
    assert_eq!((home.waiting_records(), memory.0.load(Ordering::SeqCst)), (3, 0));
    assert_eq!(poll_tokens(&home, 0), []);
    assert_eq!(poll_tokens(&home, 2), [5, 6]);
    assert_eq!(memory.0.load(Ordering::SeqCst), 64);
    assert_eq!(poll_tokens(&home, 9), [7]);
    assert_eq!(poll_tokens(&home, 9), []);
    assert_eq!((home.waiting_records(), memory.0.load(Ordering::SeqCst)), (0, 128));
}

#[test]
fn a_poll_may_call_the_queue_and_claims_no_more_than_there_is() {
    let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
    home.deliver([report(&home, &memory, &[1, 2])]);
    let taken = home.poll(Duration::ZERO, &mut |report, _| {
        assert_eq!(home.waiting_records(), 2);
        report.count() + 100
    });
    assert_eq!((taken, home.waiting_records()), (2, 0));
}

#[test]
fn a_panic_in_a_poll_loses_no_report() {
    let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
    home.deliver([report(&home, &memory, &[1, 2]), report(&home, &memory, &[3])]);
    let call = std::panic::AssertUnwindSafe(|| {
        home.poll(Duration::ZERO, &mut |_, _| panic!("the application's"))
    });
    assert!(std::panic::catch_unwind(call).is_err());
    assert_eq!(home.waiting_records(), 3);
    assert_eq!(poll_tokens(&home, 9), [1, 2, 3]);
}

#[test]
fn a_poll_waits_for_a_report_and_no_longer_than_it_was_told() {
    let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
    let begun = Instant::now();
    assert_eq!(home.poll(Duration::from_millis(20), &mut |_, _| 1), 0);
    assert!(begun.elapsed() >= Duration::from_millis(20));
    let waiter = home.clone();
    let thread = thread::spawn(move || waiter.poll(Duration::MAX, &mut |report, _| report.count()));
    home.deliver([report(&home, &memory, &[1, 2, 3])]);
    assert_eq!(thread.join().unwrap(), 3);
    let waiter = home.clone();
    let thread = thread::spawn(move || waiter.poll(Duration::MAX, &mut |_, _| 1));
    home.close();
    assert_eq!(thread.join().unwrap(), 0);
    home.deliver([report(&home, &memory, &[4])]);
    assert_eq!(poll_tokens(&home, 9), [4], "what came late can still be taken");
}

#[test]
fn with_polling_a_flush_waits_until_reports_can_be_taken_and_with_a_callback_until_they_were() {
    let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
    let polled = report(&home, &memory, &[1]);
    assert_eq!(home.outstanding().count(), 1);
    home.deliver([polled]);
    assert_eq!(home.outstanding().count(), 0);

    let (go, wait) = std::sync::mpsc::channel::<()>();
    let home = open(Door::Callback(Box::new(move |_| wait.recv().unwrap())));
    home.deliver([report(&home, &memory, &[1])]);
    let epoch = home.outstanding().begin_flush();
    assert!(!home.outstanding().wait(epoch, Duration::from_millis(20)));
    assert_eq!(home.waiting_records(), 1);
    assert!(!home.waiting().reports(), "nothing to poll for");
    go.send(()).unwrap();
    assert!(home.outstanding().wait(epoch, Duration::from_secs(20)));
    home.close();
    assert_eq!(home.waiting_records(), 0);
}

#[test]
fn a_panicking_callback_is_counted_and_the_next_reports_still_come() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let home = open(Door::Callback(Box::new(move |reports| {
        for report in reports {
            sink.lock().unwrap_or_else(PoisonError::into_inner).extend(report.tokens.clone());
        }
        panic!("the application's");
    })));
    let memory = Arc::new(Memory::default());
    home.deliver([report(&home, &memory, &[1])]);
    while home.callback_stats().0 == 0 {
        thread::yield_now();
    }
    home.deliver([report(&home, &memory, &[2])]);
    home.close();
    assert_eq!(*seen.lock().unwrap_or_else(PoisonError::into_inner), [1, 2]);
    assert_eq!(home.callback_stats().0, 2);
    assert_eq!(memory.0.load(Ordering::SeqCst), 128);
}

#[test]
fn close_hands_out_what_there_is_and_may_be_called_by_the_callback_and_twice() {
    let seen = Arc::new(AtomicUsize::new(0));
    let slot: Arc<OnceCell<Arc<Delivery>>> = Arc::default();
    let (sink, own) = (seen.clone(), slot.clone());
    let home = open(Door::Callback(Box::new(move |reports| {
        if let Some(home) = own.get() {
            assert!(home.on_dispatcher());
            home.close();
        }
        sink.fetch_add(reports.iter().map(Report::count).sum(), Ordering::SeqCst);
    })));
    assert!(home.has_callback() && !home.on_dispatcher());
    slot.set(home.clone()).unwrap();
    let memory = Arc::new(Memory::default());
    // At once: the callback closes in its first call, and nothing may come after that.
    home.deliver((0..100).map(|token| report(&home, &memory, &[token])));
    home.close();
    home.close();
    assert_eq!(seen.load(Ordering::SeqCst), 100);
}

#[test]
fn each_of_several_closes_returns_after_the_last_callback() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let done = Arc::new(AtomicUsize::new(0));
    let over = done.clone();
    let home = open(Door::Callback(Box::new(move |_| {
        wait.recv().unwrap();
        over.fetch_add(1, Ordering::SeqCst);
    })));
    let memory = Arc::new(Memory::default());
    home.deliver([report(&home, &memory, &[1])]);
    thread::scope(|scope| {
        let closes: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    home.close();
                    done.load(Ordering::SeqCst)
                })
            })
            .collect();
        // Time to return too early in; with luck all of them are in `close` by then.
        thread::sleep(Duration::from_millis(20));
        go.send(()).unwrap();
        for close in closes {
            assert_eq!(close.join().unwrap(), 1);
        }
    });
}

#[test]
fn the_dispatcher_ends_without_anybody_waiting_for_it() {
    let (gone, ended) = std::sync::mpsc::channel::<()>();
    let home = open(Door::Callback(Box::new(move |_| {
        let _alive_as_long_as_the_dispatcher = &gone;
    })));
    home.end();
    let disconnected = ended.recv_timeout(Duration::from_secs(20));
    assert_eq!(disconnected, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn an_inline_sink_gets_reports_at_once_and_its_panic_goes_no_further() {
    let home = open(Door::Inline(Box::new(|report| assert_eq!(report.tokens, [1]))));
    let memory = Arc::new(Memory::default());
    home.deliver([report(&home, &memory, &[2]), report(&home, &memory, &[1])]);
    assert_eq!(home.callback_stats().0, 1);
    assert_eq!((memory.0.load(Ordering::SeqCst), home.outstanding().count()), (128, 0));
}

#[test]
fn promises_that_are_dropped_report_their_records_as_failed() {
    let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
    let (lease, ticket) = (Lease::new(memory.clone(), 0), home.outstanding().enter());
    let mut promises = Promises::new(1, 2, true, lease, ticket, home.clone());
    assert_eq!(promises.needs(), 8 * 16);
    promises.grow();
    (0..5).for_each(|token| promises.push(token, 10 + token as i64));
    let tail = promises.split_off(3);
    assert_eq!((promises.count(), tail.count(), home.outstanding().count()), (3, 2, 2));
    tail.hand_over();
    drop(promises);
    let mut seen = Vec::new();
    home.poll(Duration::ZERO, &mut |report, _| {
        assert_eq!(report.code, ErrorCode::PANIC);
        assert_eq!(report.persistence, crate::delivery::Persistence::PossiblyPersisted);
        assert_eq!((report.timestamp_ms(2), report.offset(2)), (12, -1));
        seen.extend_from_slice(&report.tokens);
        report.count()
    });
    assert_eq!(seen, [0, 1, 2]);
    assert_eq!((memory.0.load(Ordering::SeqCst), home.outstanding().count()), (128, 0));
}

#[cfg(unix)]
mod descriptor {
    use super::*;

    /// Whether an event loop would wake.
    fn readable(fd: i32) -> bool {
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid pollfd, no waiting.
        #[allow(unsafe_code)]
        let ready = unsafe { libc::poll(&mut poll, 1, 0) };
        ready == 1 && poll.revents & libc::POLLIN != 0
    }

    #[test]
    fn it_is_readable_exactly_while_reports_wait() {
        let (home, memory) = (open(Door::Poll), Arc::new(Memory::default()));
        home.deliver([report(&home, &memory, &[1, 2])]);
        let fd = home.wake_fd().unwrap();
        assert_eq!(home.wake_fd().unwrap(), fd);
        assert!(readable(fd), "made while reports wait");
        assert_eq!(poll_tokens(&home, 1), [1]);
        assert!(readable(fd), "one record is left");
        assert_eq!(poll_tokens(&home, 1), [2]);
        assert!(!readable(fd));
        for token in 0..300 {
            home.deliver([report(&home, &memory, &[token])]);
        }
        assert!(readable(fd));
        assert_eq!(poll_tokens(&home, 1000).len(), 300);
        assert!(!readable(fd));
    }
}
