//! Models of the few structures at which threads meet: loom runs each through every order of steps (up to a
//! number of forced switches) and every outcome that the memory model allows. Never looks at what one
//! thread alone can get wrong.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --lib races::` runs them; a lost wake-up ends in loom's "deadlock".
//! Each model was seen to fail once with the fault that its comment names.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::Notify;
use loom::thread;

use crate::accumulator::append::{AppendFailure, Outgoing};
use crate::accumulator::batch::{Batch, BatchLimits};
use crate::accumulator::inbox::{Command, Inbox, Wake};
use crate::accumulator::partition::Partition;
use crate::accumulator::pool::{Needs, Pool, Taker, WaitFailure};
use crate::accumulator::sticky::StickySettings;
use crate::accumulator::topic::{Slot, Topic, TopicId};
use crate::accumulator::{Accumulator, AccumulatorSettings};
use crate::delivery::promises::Outcome;
use crate::delivery::{Delivery, Door, Lease, Outstanding, Promises};
use crate::error::ErrorCode;
use crate::partitioner::Choice;
use crate::record::Record;
use crate::time::Time;

/// No model may end because a timeout passed.
const FOREVER: Duration = Duration::MAX;
const KIB: usize = 1 << 10;

fn explore(forced_switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(forced_switches);
    builder.check(model);
}

/// A sleeping sender, woken as the network's poll is.
struct Bed(Arc<Notify>);

impl Wake for Bed {
    fn wake(&self) {
        self.0.notify();
    }
}

struct World {
    accumulator: Arc<Accumulator>,
    topic: Arc<Topic>,
    bed: Arc<Notify>,
}

impl World {
    /// One topic with one partition; batches linger for an hour.
    fn new(buffer_memory_bytes: usize, records_max: Option<i64>, batch_records: u32) -> World {
        let limits = BatchLimits {
            batch_size_bytes: 16 * KIB,
            batch_records_max: batch_records,
            timed: false,
        };
        let sticky =
            StickySettings { batch_size_bytes: 16 * KIB, adaptive: false, rack_aware: false };
        let linger = Duration::from_secs(3600);
        let settings = AccumulatorSettings {
            compression: crate::record::compress::Compression::NONE,
            limits,
            sticky,
            linger,
            buffer_memory_bytes,
            records_max,
            seed: 1,
        };
        let bed = Arc::new(Notify::new());
        let delivery = Delivery::open(Door::Poll, "model").unwrap();
        let accumulator = Accumulator::new(settings, delivery, Box::new(Bed(bed.clone())));
        let (topic, _) = accumulator.topics.register("t", 1).unwrap();
        let topic = topic.clone();
        accumulator.topics.grow(&topic, 1);
        topic.set_partition_count(1);
        World { accumulator, topic, bed }
    }

    fn share(&self) -> World {
        let (accumulator, topic) = (self.accumulator.clone(), self.topic.clone());
        World { accumulator, topic, bed: self.bed.clone() }
    }

    fn partition(&self) -> &Arc<Partition> {
        self.topic.partition(0).unwrap()
    }

    fn append(&self, token: u64, taker: Taker<'_>) -> Result<(), AppendFailure> {
        let record = Record { timestamp_ms: 1, ..Record::value(b"value") };
        let now = || Time::from_ms(1);
        let outgoing = Outgoing { topic: TopicId(0), partition: 0, record, token };
        let context = self.accumulator.append_context(&now);
        self.accumulator.append(&context, &self.topic, Choice::Partition(0), &outgoing, taker)
    }

    /// As the driver: asleep until a command or the end of time.
    fn sleep(&self) {
        if self.accumulator.inbox.may_sleep(Time::from_ms(1_000_000)) {
            self.bed.wait();
        }
        self.accumulator.inbox.awake();
    }

    /// Everything came back: no memory lent, nothing owed.
    fn assert_whole(&self) {
        let pool = &self.accumulator.pool;
        assert_eq!(pool.available_bytes(), pool.total_bytes());
        assert_eq!(self.accumulator.delivery.outstanding().count(), 0);
    }
}

/// The tokens of a batch, which is reported and forgotten with this.
fn tokens(mut batch: Batch) -> Vec<u64> {
    let outcome = Outcome::failed(ErrorCode::ABORTED, "", false);
    batch.promises.take().unwrap().report(outcome).tokens.clone()
}

/// Seen to fail when `Partition::take` seals under one lock and takes the batch out under a second one
/// although it was not sealed (a record appended in between was in no batch).
#[test]
fn a_record_is_drained_exactly_once_and_in_order() {
    explore(2, || {
        let world = World::new(64 * KIB, None, 2);
        let (one, two) = (world.share(), world.share());
        let first = thread::spawn(move || {
            one.append(1, Taker::Caller).unwrap();
            one.append(2, Taker::Caller).unwrap();
        });
        let second = thread::spawn(move || two.append(10, Taker::Caller).unwrap());
        let pool = &world.accumulator.pool;
        let mut drained = Vec::new();
        drained.extend(world.partition().take(pool, 0, true).map(tokens));
        world.partition().seal_open(pool);
        drained.extend(world.partition().take(pool, 0, true).map(tokens));
        first.join().unwrap();
        second.join().unwrap();
        drained.extend(world.partition().take_all(pool).into_iter().map(tokens));
        let mut all = drained.concat();
        assert_eq!(all.iter().filter(|&&token| token < 10).copied().collect::<Vec<_>>(), [1, 2]);
        all.sort_unstable();
        assert_eq!(all, [1, 2, 10]);
        assert_eq!(world.partition().queued_batches(), 0);
        world.assert_whole();
    });
}

/// Seen to fail without the fence in `Inbox::send`, and without the one in `may_sleep`.
#[test]
fn a_command_never_lies_before_a_sleeping_sender() {
    explore(3, || {
        let bed = Arc::new(Notify::new());
        let inbox = Arc::new(Inbox::new(std::sync::Arc::new(Bed(bed.clone()))));
        let threads: Vec<_> = (0..2)
            .map(|slot| {
                let inbox = inbox.clone();
                thread::spawn(move || inbox.send(Command::Sealed(Slot(slot)), Time::ZERO))
            })
            .collect();
        let mut seen = 0;
        while seen < 2 {
            if inbox.may_sleep(Time::from_ms(1000)) {
                bed.wait();
            }
            inbox.awake();
            while inbox.next().is_some() {
                seen += 1;
            }
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Seen to fail when the sender is told `created + linger` for a new batch whatever happened meanwhile: the
/// flush is dealt with before the sender knows of the batch, and then both sleep.
#[test]
fn a_flush_ends_the_lingering_of_a_batch_that_is_being_opened() {
    explore(3, || {
        let world = World::new(64 * KIB, None, 100);
        let (sending, flushing) = (world.share(), world.share());
        let send = thread::spawn(move || sending.append(1, Taker::Caller).unwrap());
        let flush = thread::spawn(move || {
            let outstanding = flushing.accumulator.delivery.outstanding();
            let epoch = outstanding.begin_flush();
            flushing.accumulator.inbox.send(Command::Flush(epoch), Time::ZERO);
            assert!(outstanding.wait(epoch, FOREVER));
            flushing.accumulator.inbox.send(Command::Close(Time::ZERO), Time::ZERO);
        });
        let (mut known, mut flushed, mut closing) = (false, None, false);
        while !closing {
            world.sleep();
            while let Some(command) = world.accumulator.inbox.next() {
                match command {
                    Command::Opened(_) => known = true,
                    Command::Flush(epoch) => flushed = flushed.max(Some(epoch)),
                    _ => closing = true,
                }
            }
            // The rule of `standing`, for the one partition there is.
            let head = world.partition().head().filter(|_| known);
            if head.is_some_and(|head| flushed.is_some_and(|epoch| head.epoch <= epoch)) {
                let batch = world.partition().take(&world.accumulator.pool, 0, true);
                assert_eq!(batch.map(tokens), Some(vec![1]));
            }
        }
        send.join().unwrap();
        flush.join().unwrap();
        world
            .partition()
            .take_all(&world.accumulator.pool)
            .into_iter()
            .for_each(|b| drop(tokens(b)));
        world.assert_whole();
    });
}

/// Seen to fail when the sender is told of the pressure before the thread stands in line, and when a
/// batch that is opened while somebody waits is allowed to linger.
#[test]
fn a_lingering_batch_never_keeps_the_memory_that_somebody_waits_for() {
    explore(2, || {
        // Room for one batch.
        let world = World::new(3 * KIB, None, 100);
        let (quick, patient) = (world.share(), world.share());
        let ended = Arc::new(AtomicBool::new(false));
        let over = ended.clone();
        let quick = thread::spawn(move || quick.append(1, Taker::Caller).is_ok());
        let patient = thread::spawn(move || {
            if let Err(AppendFailure::NoMemory(bytes)) = patient.append(2, Taker::Caller) {
                let mut ticket = patient.accumulator.wait_for_memory(bytes, FOREVER).unwrap();
                patient.append(2, Taker::Holder(&mut ticket)).unwrap();
            }
            over.store(true, Ordering::Release);
            patient.accumulator.inbox.send(Command::RefreshMetadata, Time::ZERO);
        });
        let (mut known, mut drained) = (false, Vec::new());
        while !ended.load(Ordering::Acquire) {
            world.sleep();
            while let Some(command) = world.accumulator.inbox.next() {
                known |= matches!(command, Command::Opened(_) | Command::Sealed(_));
            }
            // As `Sender::relieve_pressure`, and the broker answers at once.
            if world.accumulator.pool.take_pressure() && known {
                drained
                    .extend(world.partition().take(&world.accumulator.pool, 0, true).map(tokens));
            }
        }
        let quick = quick.join().unwrap();
        patient.join().unwrap();
        drained.extend(world.partition().take_all(&world.accumulator.pool).into_iter().map(tokens));
        let mut all = drained.concat();
        all.sort_unstable();
        assert_eq!(all, if quick { vec![1, 2] } else { vec![2] });
        world.assert_whole();
    });
}

/// Seen to fail when the flag is read before the partition is locked.
#[test]
fn nothing_is_appended_behind_the_sweep_of_a_close() {
    explore(3, || {
        let world = World::new(64 * KIB, None, 2);
        let (sending, closing) = (world.share(), world.share());
        let send = thread::spawn(move || {
            let taken = (1..=2).filter(|&token| sending.append(token, Taker::Caller).is_ok());
            taken.collect::<Vec<u64>>()
        });
        let close = thread::spawn(move || {
            closing.accumulator.closed.store(true, Ordering::SeqCst);
            closing.accumulator.inbox.send(Command::Close(Time::ZERO), Time::ZERO);
        });
        let mut closed = false;
        while !closed {
            world.sleep();
            while let Some(command) = world.accumulator.inbox.next() {
                closed |= matches!(command, Command::Close(_));
            }
        }
        let swept = world.partition().take_all(&world.accumulator.pool).into_iter().map(tokens);
        let swept = swept.collect::<Vec<_>>().concat();
        let accepted = send.join().unwrap();
        close.join().unwrap();
        assert_eq!(swept, accepted, "each accepted record is in the sweep");
        world.assert_whole();
    });
}

fn take_plain(pool: &Pool, bytes: usize, taker: Taker<'_>) -> bool {
    let needs = Needs { counted_bytes: bytes, ..Needs::default() };
    pool.try_take(&needs, taker, &mut Vec::new())
}

/// Seen to fail when `credit` does not notify, when `wait` does not serve the next in line as it leaves, and
/// when `try_take` lets callers pass those who wait.
#[test]
fn memory_goes_to_those_who_wait_in_their_order() {
    explore(2, || {
        let pool = Pool::new(8 * KIB);
        let limit = pool.caller_limit_bytes();
        assert!(take_plain(&pool, limit, Taker::Caller));
        let threads: Vec<_> = [limit, limit / 2]
            .into_iter()
            .map(|bytes| {
                let pool = pool.clone();
                thread::spawn(move || drop(pool.wait(bytes, FOREVER, || {}).unwrap()))
            })
            .collect();
        let half = Lease::new(pool.clone(), limit / 2);
        let rest = Lease::new(pool.clone(), limit - limit / 2);
        drop(half);
        let waiting = pool.waiting_threads() == 2;
        if take_plain(&pool, KIB, Taker::Caller) {
            drop(Lease::new(pool.clone(), KIB));
            assert!(!waiting, "passed by those in line");
        }
        drop(rest);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(pool.available_bytes(), pool.total_bytes());
        assert_eq!(pool.waiting_threads(), 0);
    });
}

/// Seen to fail when `close` does not notify, and when it sets the flag after it has.
#[test]
fn a_close_wakes_all_who_wait_for_memory() {
    explore(3, || {
        let pool = Pool::new(8 * KIB);
        let limit = pool.caller_limit_bytes();
        assert!(take_plain(&pool, limit, Taker::Caller));
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
        drop(Lease::new(pool.clone(), limit));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(pool.available_bytes(), pool.total_bytes());
    });
}

/// Seen to fail when `count_in` adds first and takes back what was too much.
#[test]
fn a_record_that_finds_no_room_keeps_nobody_else_out() {
    explore(3, || {
        let world = World::new(64 * KIB, Some(1), 100);
        assert!(world.accumulator.count_in(1));
        let (waiting, trying) = (world.share(), world.share());
        let wait = thread::spawn(move || {
            assert!(waiting.accumulator.count_in_waiting(1, FOREVER));
            waiting.accumulator.count_out(1);
        });
        let attempt = thread::spawn(move || {
            if trying.accumulator.count_in(1) {
                trying.accumulator.count_out(1);
            }
        });
        world.accumulator.count_out(1);
        wait.join().unwrap();
        attempt.join().unwrap();
        assert!(world.accumulator.count_in(1), "the count came back to nothing");
    });
}

fn deliver_one(delivery: &Arc<Delivery>, token: u64) {
    let promise = Promises::of_one(0, 0, token, Lease::nothing(), delivery.clone());
    let outcome = Outcome::failed(ErrorCode::ABORTED, "", false);
    delivery.deliver([promise.report(outcome)]);
}

/// Seen to fail when `deliver` notifies only one of those who poll, and when `close` notifies before it sets
/// its flag.
#[test]
fn every_report_is_polled_once_and_a_close_ends_the_wait() {
    explore(2, || {
        let delivery = Delivery::open(Door::Poll, "model").unwrap();
        let polled = Arc::new(AtomicUsize::new(0));
        let pollers: Vec<_> = (0..2)
            .map(|_| {
                let (delivery, polled) = (delivery.clone(), polled.clone());
                // One record at a time; a close ends a wait that brings nothing.
                thread::spawn(move || {
                    let mut left = 1;
                    delivery.poll(FOREVER, &mut |report, from| {
                        let count = (report.count() - from).min(left);
                        left -= count;
                        polled.fetch_add(count, Ordering::Relaxed);
                        count
                    });
                })
            })
            .collect();
        deliver_one(&delivery, 1);
        deliver_one(&delivery, 2);
        for poller in pollers {
            poller.join().unwrap();
        }
        assert_eq!(polled.load(Ordering::Relaxed), 2);
        assert_eq!(delivery.waiting_records(), 0);
        let late = delivery.clone();
        let late = thread::spawn(move || late.poll(FOREVER, &mut |_, _| 0));
        delivery.close();
        assert_eq!(late.join().unwrap(), 0);
        assert_eq!(delivery.outstanding().count(), 0);
    });
}

fn is_readable(fd: i32) -> bool {
    let mut poll = mio::Poll::new().unwrap();
    let mut events = mio::Events::with_capacity(1);
    let mut source = mio::unix::SourceFd(&fd);
    poll.registry().register(&mut source, mio::Token(0), mio::Interest::READABLE).unwrap();
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    !events.is_empty()
}

/// Seen to fail when `wake_fd` does not look at the queue, and when `poll` lowers the descriptor after it has
/// let go of the queue.
#[test]
fn the_descriptor_is_readable_while_reports_wait() {
    explore(3, || {
        let delivery = Delivery::open(Door::Poll, "model").unwrap();
        let (delivering, polling) = (delivery.clone(), delivery.clone());
        let deliver = thread::spawn(move || deliver_one(&delivering, 1));
        let poll = thread::spawn(move || {
            polling.poll(Duration::ZERO, &mut |report, _| report.count());
        });
        let fd = delivery.wake_fd().unwrap();
        deliver.join().unwrap();
        poll.join().unwrap();
        assert!(delivery.waiting_records() == 0 || is_readable(fd));
        delivery.poll(Duration::ZERO, &mut |report, _| report.count());
        assert!(!is_readable(fd), "nothing waits");
    });
}

/// Seen to fail when a ticket that is dropped does not notify, and when epochs are trimmed without a look at
/// their counts.
#[test]
fn a_flush_sees_the_last_ticket_go() {
    explore(3, || {
        let outstanding = Outstanding::new();
        let before = outstanding.enter();
        let (one, two) = (outstanding.clone(), outstanding.clone());
        let done = Arc::new(AtomicBool::new(false));
        let finished = done.clone();
        let split = thread::spawn(move || {
            let child = before.fork();
            drop(before);
            finished.store(true, Ordering::Relaxed);
            drop(child);
        });
        let other = thread::spawn(move || drop(two.enter()));
        let epoch = one.begin_flush();
        assert!(one.wait(epoch, FOREVER));
        assert!(done.load(Ordering::Relaxed), "flushed with a ticket open");
        split.join().unwrap();
        other.join().unwrap();
        assert_eq!(outstanding.count(), 0);
    });
}
