//! Tests of the queue of one partition.

use super::*;
use crate::accumulator::admission::Admission;
use crate::accumulator::batch::BatchLimits;
use crate::accumulator::pool::{Needs, WaitFailure};
use crate::accumulator::topic::TopicId;
use crate::delivery::{Delivery, Door, Lease, Promises, Report};
use crate::error::ErrorCode;
use crate::record::{batches, encode_batch_header, ProducerIdentity, Record};
use crate::sync::atomic::AtomicBool;
use std::time::Duration;

const MS: fn(u64) -> Time = Time::from_ms;

/// A batch opened at this time, before any flush.
fn opened_at(ms: u64) -> Option<Opened> {
    Some(Opened { created: MS(ms), epoch: 0 })
}

struct Bench {
    pool: Arc<Pool>,
    delivery: Arc<Delivery>,
    limits: BatchLimits,
    admission: Admission,
    partition: Partition,
}

impl Bench {
    fn new(memory: usize, batch_size_bytes: usize) -> Bench {
        let limits = BatchLimits { batch_size_bytes, batch_records_max: u32::MAX, timed: false };
        Bench {
            pool: Pool::new(memory),
            delivery: Delivery::open(Door::Poll, "test").unwrap(),
            limits,
            admission: Admission::default(),
            partition: Partition::new(7, 3, Slot(9)),
        }
    }

    fn context<'a>(&'a self, now: &'a dyn Fn() -> Time) -> AppendContext<'a> {
        AppendContext {
            limits: &self.limits,
            pool: &self.pool,
            delivery: &self.delivery,
            parked: None,
            admission: &self.admission,
            now,
        }
    }

    fn append_as(&self, value: &[u8], token: u64, taker: Taker<'_>, now: Time) -> Appended {
        self.partition.append(&outgoing(value, token), &self.context(&|| now), taker, &())
    }

    fn append(&self, value: &[u8], token: u64, now: Time) -> Appended {
        self.append_as(value, token, Taker::Caller, now)
    }

    fn take(&self) -> Option<Batch> {
        self.partition.take(&self.pool, usize::MAX, false)
    }

    /// Ends a batch and gives back everything that it held.
    fn finish(&self, mut batch: Batch) -> Vec<u64> {
        let promises = batch.promises.take().unwrap();
        let tokens = promises.tokens().to_vec();
        promises.hand_over();
        tokens
    }

    fn free_bytes(&self) -> usize {
        self.pool.available_bytes()
    }
}

fn outgoing(value: &[u8], token: u64) -> Outgoing<'_> {
    let record = Record { timestamp_ms: 5, ..Record::value(value) };
    Outgoing { topic: TopicId(7), partition: 3, record, token }
}

fn tokens(batch: &Batch) -> Vec<u64> {
    batch.promises.as_ref().unwrap().tokens().to_vec()
}

fn values(batch: &Batch) -> Vec<Vec<u8>> {
    let payload = batch.payload.to_vec();
    let crc = batch.payload.crc32c();
    let identity = ProducerIdentity::NONE;
    let header = encode_batch_header(&batch.summary, &identity, payload.len(), crc).unwrap();
    let bytes = [&header[..], &payload].concat();
    let view = batches(&bytes).next().unwrap().unwrap();
    view.verify_crc().unwrap();
    view.records().map(|record| record.unwrap().value.unwrap().to_vec()).collect()
}

#[test]
fn a_full_batch_is_sealed_and_the_next_record_opens_another() {
    let bench = Bench::new(1 << 20, 1000);
    let mut token = 0;
    let mut sealed = false;
    while !sealed {
        sealed = matches!(
            bench.append(&[1; 100], token, MS(token)),
            Appended::Done { sealed: true, .. }
        );
        token += 1;
    }
    let head = bench.partition.head().unwrap();
    assert_eq!((head.sealed, head.created), (true, MS(0)));
    assert_eq!(bench.partition.queued_records(), token as usize);
    let first = bench.take().unwrap();
    assert!(first.bytes() <= 1000 && first.bytes() > 850, "{}", first.bytes());
    assert_eq!(values(&first).len(), tokens(&first).len());
    let second = bench.take();
    let mut all = bench.finish(first);
    all.extend(second.into_iter().flat_map(|batch| bench.finish(batch)));
    assert_eq!(all, (0..token).collect::<Vec<_>>());
    assert_eq!((bench.partition.queued_batches(), bench.free_bytes()), (0, 1 << 20));
    assert_eq!(bench.delivery.outstanding().count(), 0);
}

#[test]
fn the_first_record_always_fits_and_the_second_does_not() {
    let bench = Bench::new(1 << 20, 100);
    let large = vec![7; if cfg!(miri) { 5_000 } else { 50_000 }];
    assert_eq!(
        bench.append(&large, 1, MS(1)),
        Appended::Done { opened: opened_at(1), sealed: true }
    );
    assert_eq!(
        bench.append(b"small", 2, MS(2)),
        Appended::Done { opened: opened_at(2), sealed: false }
    );
    let first = bench.partition.take(&bench.pool, 10, true).unwrap();
    assert_eq!(values(&first), [large]);
    assert!(bench.partition.take(&bench.pool, 10, false).is_none(), "it does not fit");
    assert_eq!(values(&bench.take().unwrap()), [b"small".to_vec()]);
}

#[test]
fn the_number_of_records_limits_a_batch_too() {
    let mut bench = Bench::new(1 << 20, 100_000);
    bench.limits.batch_records_max = 3;
    for token in 0..7 {
        let done = Appended::Done {
            opened: opened_at(token).filter(|_| token % 3 == 0),
            sealed: token % 3 == 2,
        };
        assert_eq!(bench.append(b"x", token, MS(token)), done);
    }
    assert_eq!(bench.partition.queued_batches(), 3);
    for expected in [vec![0, 1, 2], vec![3, 4, 5], vec![6]] {
        assert_eq!(tokens(&bench.take().unwrap()), expected);
    }
}

#[test]
fn a_refusal_for_memory_seals_what_is_open_and_takes_nothing() {
    let bench = Bench::new(64 << 10, 1 << 20);
    assert!(matches!(bench.append(b"first", 0, MS(0)), Appended::Done { .. }));
    let before = bench.free_bytes();
    let too_much = vec![1; 60_000];
    let Appended::NoMemory { sealed, wanted_bytes } = bench.append(&too_much, 1, MS(1)) else {
        panic!("60,000 bytes fit");
    };
    assert!(sealed && wanted_bytes > 60_000);
    assert!(bench.free_bytes() >= before, "unused chunks may have come home");
    let before = bench.free_bytes();
    assert_eq!(
        bench.append(&too_much, 1, MS(2)),
        Appended::NoMemory { sealed: false, wanted_bytes }
    );
    assert_eq!((bench.free_bytes(), bench.partition.queued_batches()), (before, 1));
    assert_eq!(bench.delivery.outstanding().count(), 1);
    let only = bench.take().unwrap();
    assert_eq!(bench.finish(only), [0]);
    assert_eq!(bench.free_bytes(), 64 << 10);
}

#[test]
fn what_somebody_waited_for_is_enough_whatever_batch_is_open_by_then() {
    // Many small records, so that the open batch's tokens are about to double.
    let most = if cfg!(miri) { 8 } else { 2048 };
    for filled in [0, 1, 8, 64, 512, 1024, 2048].into_iter().filter(|&filled| filled <= most) {
        let bench = Bench::new(256 << 10, 1 << 20);
        for token in 0..filled {
            assert!(matches!(bench.append(b"", token, MS(0)), Appended::Done { .. }), "{filled}");
        }
        let record = Record::value(&[1; 3000]);
        let wanted = OpenBatch::worst_case_bytes(&record, Compression::NONE);
        let rest =
            bench.pool.caller_limit_bytes() - (bench.pool.total_bytes() - bench.free_bytes());
        let hog = Needs { counted_bytes: rest - wanted, ..Needs::default() };
        assert!(bench.pool.try_take(&hog, Taker::Caller, &mut Vec::new()));
        let mut ticket = bench.pool.wait(wanted, Duration::ZERO, || {}).unwrap();
        let taker = Taker::Holder(&mut ticket);
        let appended = bench.append_as(&[1; 3000], 9, taker, MS(1));
        assert!(matches!(appended, Appended::Done { .. }), "{filled}: {appended:?}");
    }
}

/// A choice that changes while a run goes in: after so many records it moves, or is over, or the producer
/// closes.
struct Script<'a> {
    took: std::cell::Cell<u64>,
    moves_after: u64,
    over_after: u64,
    closes_after: Option<(u64, &'a Admission)>,
}

impl Script<'_> {
    fn new(moves_after: u64, over_after: u64) -> Self {
        Script { took: Default::default(), moves_after, over_after, closes_after: None }
    }
}

impl Chosen for Script<'_> {
    fn still(&self) -> bool {
        self.took.get() < self.moves_after
    }
    fn took(&self, _: usize, _: bool) {
        self.took.set(self.took.get() + 1);
        if let Some((_, closed)) = self.closes_after.filter(|(after, _)| *after == self.took.get())
        {
            closed.close();
        }
    }
    fn is_over(&self) -> bool {
        self.took.get() >= self.over_after
    }
}

#[test]
fn a_run_ends_where_its_choice_does() {
    let bench = Bench::new(1 << 20, 100_000);
    let run: Vec<_> = (0..10).map(|token| outgoing(b"x", token)).collect();
    let append = |chosen: &Script<'_>, from: usize| {
        bench.partition.append_run(&run[from..], &bench.context(&|| MS(1)), chosen)
    };
    let none = AppendedRun::default();
    let opened = AppendedRun { count: 3, opened: opened_at(1), ..none };
    assert_eq!(append(&Script::new(9, 3), 0), opened);
    let moved = AppendedRun { count: 2, stopped: Some(Appended::Moved), ..none };
    assert_eq!(append(&Script::new(2, 9), 3), moved);
    assert_eq!(append(&Script::new(0, 9), 5), AppendedRun { count: 0, ..moved });
    assert_eq!(append(&Script::new(99, 99), 5), AppendedRun { count: 5, ..none });
    assert_eq!(tokens(&bench.take().unwrap()), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_run_stops_at_each_full_batch_so_that_the_sender_has_it_at_once() {
    let mut bench = Bench::new(1 << 20, 100_000);
    bench.limits.batch_records_max = 4;
    let run: Vec<_> = (0..10).map(|token| outgoing(b"x", token)).collect();
    let append = |from: usize| {
        bench.partition.append_run(&run[from..], &bench.context(&|| MS(from as u64)), &())
    };
    let full = AppendedRun { count: 4, opened: opened_at(0), sealed: true, stopped: None };
    assert_eq!(append(0), full);
    assert_eq!(append(4), AppendedRun { opened: opened_at(4), ..full });
    assert_eq!(append(8), AppendedRun { count: 2, opened: opened_at(8), sealed: false, ..full });
    assert_eq!(bench.partition.queued_batches(), 3);
    // One that does not fit behind the others: they are sealed, it is in the next, and the run stops.
    bench.limits.batch_records_max = u32::MAX;
    bench.limits.batch_size_bytes = 300;
    let large = [outgoing(&[1; 20], 10), outgoing(&[1; 250], 11), outgoing(&[1; 20], 12)];
    bench.partition.seal_open(&bench.pool);
    let done = bench.partition.append_run(&large, &bench.context(&|| MS(9)), &());
    let expected = AppendedRun { count: 2, opened: opened_at(9), sealed: true, stopped: None };
    assert_eq!(done, expected);
}

#[test]
fn a_run_that_is_in_when_the_producer_closes_is_in_whole_and_the_next_is_not() {
    let bench = Bench::new(1 << 20, 100_000);
    let run: Vec<_> = (0..6).map(|token| outgoing(b"x", token)).collect();
    let chosen = Script { closes_after: Some((2, &bench.admission)), ..Script::new(99, 99) };
    let done = bench.partition.append_run(&run, &bench.context(&|| MS(1)), &chosen);
    assert_eq!((done.count, done.stopped), (6, None));
    let done = bench.partition.append_run(&run, &bench.context(&|| MS(1)), &());
    let closed = AppendedRun { stopped: Some(Appended::Closed), ..AppendedRun::default() };
    assert_eq!(done, closed);
    assert_eq!(bench.partition.queued_records(), 6);
}

#[test]
fn memory_that_runs_out_inside_a_run_seals_what_is_in() {
    let bench = Bench::new(64 << 10, 1 << 20);
    let value = vec![1; 9_000];
    let run: Vec<_> = (0..20).map(|token| outgoing(&value, token)).collect();
    let done = bench.partition.append_run(&run, &bench.context(&|| MS(1)), &());
    let wanted_bytes = OpenBatch::worst_case_bytes(&run[0].record, Compression::NONE);
    assert_eq!(done.stopped, Some(Appended::NoMemory { sealed: true, wanted_bytes }));
    assert!(done.sealed && done.opened == opened_at(1) && (1..7).contains(&done.count), "{done:?}");
    let batch = bench.take().unwrap();
    assert_eq!(tokens(&batch), (0..done.count as u64).collect::<Vec<_>>());
    bench.finish(batch);
    assert_eq!((bench.free_bytes(), bench.partition.queued_batches()), (64 << 10, 0));
}

#[test]
fn nothing_comes_in_after_close_but_what_was_parked_before() {
    let bench = Bench::new(1 << 20, 1000);
    bench.admission.close();
    assert_eq!(bench.append(b"x", 1, MS(1)), Appended::Closed);
    assert!(bench.partition.head().is_none());
    let mut held = Lease::new(bench.pool.clone(), 0);
    let taker = Taker::Exchange(&mut held);
    assert!(matches!(bench.append_as(b"x", 1, taker, MS(1)), Appended::Done { .. }));
    bench.pool.close();
    assert_eq!(bench.pool.wait(1, Duration::ZERO, || {}).unwrap_err(), WaitFailure::Closed);
}

#[test]
fn a_choice_that_moved_leaves_the_record_outside_and_one_that_stands_is_told() {
    struct Choice(bool, std::cell::Cell<(usize, bool)>);
    impl Chosen for Choice {
        fn still(&self) -> bool {
            self.0
        }
        fn took(&self, bytes: usize, partial: bool) {
            self.1.set((bytes, partial));
        }
    }
    let mut bench = Bench::new(1 << 20, 1000);
    bench.limits.batch_records_max = 2;
    let append = |choice: &Choice| {
        bench.partition.append(
            &outgoing(&[1; 10], 1),
            &bench.context(&|| MS(1)),
            Taker::Caller,
            choice,
        )
    };
    assert_eq!(append(&Choice(false, Default::default())), Appended::Moved);
    assert!(bench.partition.head().is_none());
    let choice = Choice(true, Default::default());
    append(&choice);
    let (first, partial) = choice.1.get();
    assert!(partial && first > 61, "the batch's header counts with its first record");
    append(&choice);
    let (second, partial) = choice.1.get();
    assert!(!partial && (10..30).contains(&second));
}

#[test]
fn batches_go_back_by_ordinal_whatever_order_they_fail_in() {
    let mut bench = Bench::new(1 << 20, 1000);
    bench.limits.batch_records_max = 2;
    (0..9).for_each(|token| {
        bench.append(b"x", token, MS(token));
    });
    let mut taken: Vec<Batch> = (0..4).map(|_| bench.take().unwrap()).collect();
    assert_eq!(bench.partition.queued_batches(), 1);
    for at in [2, 0, 1, 0] {
        bench.partition.put_back(taken.remove(at));
    }
    let mut back = Vec::new();
    while let Some(batch) = bench.take() {
        back.extend(bench.finish(batch));
    }
    assert_eq!(back, (0..9).collect::<Vec<_>>());
    assert_eq!(bench.free_bytes(), 1 << 20);
}

#[test]
fn a_batch_expires_exactly_at_its_time_from_its_creation_also_after_going_back() {
    let mut bench = Bench::new(1 << 20, 1000);
    bench.limits.batch_records_max = 1;
    (0..3).for_each(|token| {
        bench.append(b"x", token, MS(100 * token));
    });
    let mut first = bench.take().unwrap();
    first.attempts = 3;
    first.last_attempt = MS(999);
    bench.partition.put_back(first);
    let timeout = Duration::from_millis(1000);
    let expired = |now| bench.partition.take_expired(&bench.pool, timeout, now);
    assert!(expired(Time::from_nanos(MS(1000).as_nanos() - 1)).is_empty());
    assert_eq!(bench.partition.oldest(), Some(MS(0)));
    let batches = expired(MS(1100));
    assert_eq!(batches.iter().map(tokens).collect::<Vec<_>>(), [[0], [1]]);
    assert_eq!((bench.partition.queued_batches(), bench.partition.oldest()), (1, Some(MS(200))));
    batches.into_iter().for_each(|batch| drop(bench.finish(batch)));
}

#[test]
fn an_open_batch_expires_too_and_a_timeout_without_end_never() {
    let bench = Bench::new(1 << 20, 1000);
    bench.append(b"x", 1, MS(5));
    let far = Time::from_nanos(u64::MAX - 1);
    assert!(bench.partition.take_expired(&bench.pool, Duration::MAX, far).is_empty());
    assert!(!bench.partition.head().unwrap().sealed);
    let timeout = Duration::from_millis(10);
    assert!(bench.partition.take_expired(&bench.pool, timeout, MS(14)).is_empty());
    assert!(!bench.partition.head().unwrap().sealed, "looking does not seal");
    let batches = bench.partition.take_expired(&bench.pool, timeout, MS(15));
    assert_eq!(batches.len(), 1);
    assert!(bench.partition.head().is_none());
}

#[test]
fn a_new_leader_ends_the_wait_of_every_batch_that_failed_elsewhere() {
    let mut bench = Bench::new(1 << 20, 1000);
    bench.limits.batch_records_max = 1;
    (0..3).for_each(|token| {
        bench.append(b"x", token, MS(0));
    });
    let taken: Vec<Batch> = (0..3).map(|_| bench.take().unwrap()).collect();
    for (mut batch, node) in taken.into_iter().zip([1, 1, 2]) {
        batch.retry_at = MS(500);
        batch.last_node = Some(NodeId(node));
        bench.partition.put_back(batch);
    }
    bench.partition.expedite(NodeId(1));
    assert_eq!(bench.partition.head().unwrap().retry_at, MS(500), "it failed there");
    bench.partition.expedite(NodeId(2));
    let waits: Vec<Time> = (0..3).map(|_| bench.take().unwrap().retry_at).collect();
    assert_eq!(waits, [Time::ZERO, Time::ZERO, Time::ZERO]);
}

#[test]
fn a_batch_opened_for_a_parked_record_belongs_to_the_epoch_of_that_record() {
    let bench = Bench::new(1 << 20, 1000);
    let outstanding = bench.delivery.outstanding().clone();
    let parked = Promises::of_one(7, -1, 1, Lease::nothing(), bench.delivery.clone());
    let epoch = outstanding.begin_flush();
    let context = AppendContext { parked: Some(&parked), ..bench.context(&|| MS(1)) };
    let mut held = Lease::new(bench.pool.clone(), 0);
    let taker = Taker::Exchange(&mut held);
    bench.partition.append(&outgoing(b"x", 1), &context, taker, &());
    parked.hand_over();
    assert!(!outstanding.is_flushed(epoch), "the record is not reported yet");
    assert_eq!(bench.partition.head().unwrap().epoch, epoch);
    let batch = bench.take().unwrap();
    bench.finish(batch);
    assert!(outstanding.is_flushed(epoch));
}

#[test]
fn everything_can_be_taken_at_once_and_what_is_left_behind_is_reported() {
    let mut bench = Bench::new(1 << 20, 1000);
    bench.limits.batch_records_max = 2;
    (0..5).for_each(|token| {
        bench.append(b"x", token, MS(0));
    });
    assert!(bench.partition.seal_open(&bench.pool));
    assert!(!bench.partition.seal_open(&bench.pool));
    let all = bench.partition.take_all(&bench.pool);
    assert_eq!((all.len(), bench.partition.queued_batches()), (3, 0));
    assert_eq!((bench.partition.queued_records(), bench.partition.oldest()), (0, None));
    drop(all);
    let mut failed = Vec::new();
    bench.delivery.poll(Duration::ZERO, &mut |report: &Report, _| {
        assert_eq!(report.code, ErrorCode::PANIC);
        failed.extend_from_slice(&report.tokens);
        report.count()
    });
    assert_eq!(failed, [0, 1, 2, 3, 4]);
    assert_eq!(bench.free_bytes(), 1 << 20);
}

#[test]
fn many_threads_append_while_another_drains_and_each_record_comes_out_once_in_order() {
    let each = if cfg!(miri) { 20 } else { 2000 };
    let bench = Bench::new(1 << 20, 2000);
    let done = AtomicBool::new(false);
    let mut seen: Vec<u64> = Vec::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4u64)
            .map(|thread| {
                let bench = &bench;
                scope.spawn(move || {
                    for n in 0..each {
                        let token = thread << 32 | n;
                        while !matches!(bench.append(&[0; 40], token, MS(n)), Appended::Done { .. })
                        {
                            std::thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let drainer = scope.spawn(|| {
            let mut seen = Vec::new();
            loop {
                let last = done.load(Ordering::SeqCst);
                while let Some(batch) = bench.take() {
                    assert_eq!(values(&batch).len(), batch.count() as usize);
                    seen.extend(bench.finish(batch));
                }
                if last {
                    return seen;
                }
            }
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        done.store(true, Ordering::SeqCst);
        seen = drainer.join().unwrap();
    });
    for thread in 0..4 {
        let own: Vec<u64> =
            seen.iter().filter(|t| *t >> 32 == thread).map(|t| t & 0xffff).collect();
        assert_eq!(own, (0..each).collect::<Vec<_>>());
    }
    assert_eq!(bench.free_bytes(), 1 << 20);
}

#[test]
fn beside_a_full_buffer_batches_do_not_become_smaller() {
    let (memory, size, rounds) =
        if cfg!(miri) { (1 << 17, 10_000, 8) } else { (1 << 20, 100_000, 50) };
    let bench = Bench::new(memory, size);
    let (value, mut token) = ([b'x'; 100], 0);
    let mut fill = || {
        while matches!(bench.append(&value, token, Time::ZERO), Appended::Done { .. }) {
            token += 1;
        }
    };
    fill();
    // Each batch that goes frees its memory in the end, and what comes in is as much again.
    for round in 0..rounds {
        let batch = bench.take().unwrap();
        assert!(batch.bytes() > size / 10 * 9, "round {round}: {} bytes", batch.bytes());
        bench.finish(batch);
        fill();
    }
}
