//! Many threads on one producer, with a cluster that misbehaves: what is accepted is reported exactly once,
//! what is refused never, and all memory comes home. Short in `cargo test`; step tsan runs it longer and
//! watches every memory access.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ottla::delivery::{Persistence, Report};
use ottla::error::{Error, ErrorCode};
use ottla::mock::Fault;
use ottla::producer::intercept::{Interceptor, OwnedRecord};
use ottla::producer::{Outgoing, Producer, ProducerBuilder, Purge, TopicId, Wait, ANY_PARTITION};
use ottla::protocol::ApiKey;
use ottla::record::{Header, Record};

const SENDERS: u64 = 8;
const LIMIT: Duration = Duration::from_secs(60);

/// How long the senders work.
fn duration() -> Duration {
    let seconds = std::env::var("OTTLA_STRESS_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(0.5))
}

fn builder() -> ProducerBuilder {
    let settings = [
        ("test.mock.num.brokers", "3"),
        // Little memory, small batches: waits, seals and evictions all the time.
        ("buffer.memory", "262144"),
        ("batch.size", "2048"),
        ("linger.ms", "2"),
        ("max.block.ms", "2000"),
        ("queue.buffering.max.messages", "1500"),
        ("retry.backoff.ms", "5"),
        ("retry.backoff.max.ms", "20"),
        ("reconnect.backoff.ms", "2"),
        ("reconnect.backoff.max.ms", "10"),
        ("request.timeout.ms", "500"),
        ("delivery.timeout.ms", "5000"),
    ];
    settings.iter().fold(Producer::builder(), |builder, (name, value)| {
        builder.set(name, value).expect("a setting that exists")
    })
}

/// As `builder`, with threads that compress, and an interceptor at both ends.
fn packing_builder(counter: &Arc<Counter>) -> ProducerBuilder {
    let builder = builder().set("compression.type", "lz4").expect("a codec that was built");
    builder.interceptor(Counter(counter.0.clone()))
}

/// Counts the records that have ended, and touches some on their way out.
#[derive(Default)]
struct Counter(Arc<AtomicU64>);

impl Interceptor for Counter {
    fn on_send(&self, topic: &str, record: &mut OwnedRecord) {
        if topic == "shared" {
            record.headers.push(("seen".to_string(), None));
        }
    }

    fn on_acknowledgement(&self, report: &Report) {
        self.0.fetch_add(report.tokens.len() as u64, Ordering::Relaxed);
    }
}

/// How often each token was reported, and with what.
#[derive(Default)]
struct Ledger {
    reports: Mutex<HashMap<u64, (u32, ErrorCode)>>,
}

impl Ledger {
    fn enter(&self, report: &Report, from: usize) {
        let stored = report.persistence == Persistence::Persisted;
        assert_eq!(stored, report.code == ErrorCode::NONE);
        let mut reports = self.reports.lock().unwrap();
        for &token in &report.tokens[from..] {
            let entry = reports.entry(token).or_insert((0, report.code));
            entry.0 += 1;
        }
    }
}

/// What the sending threads did.
#[derive(Default)]
struct Work {
    accepted: Mutex<Vec<u64>>,
    refused: AtomicU64,
    /// The cluster behaves from now on.
    calm: AtomicBool,
    stop: AtomicBool,
}

impl Work {
    /// Notes that a record was refused; false when there is no sense in going on.
    fn goes_on(&self, error: &Error) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let expected = [
            ErrorCode::QUEUE_FULL,
            ErrorCode::TIMED_OUT,
            ErrorCode::CLOSED,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ];
        assert!(expected.contains(&error.code()), "{error:?}");
        error.code() != ErrorCode::CLOSED
    }
}

/// The same record many times in one call.
struct Batch<'a> {
    topic: TopicId,
    partition: i32,
    record: Record<'a>,
    token: u64,
    wait: Wait,
}

impl Batch<'_> {
    /// Adds the tokens of what was accepted; false when the producer is closed.
    fn send(&self, producer: &Producer, work: &Work, accepted: &mut Vec<u64>) -> bool {
        let &Batch { topic, partition, record, wait, .. } = self;
        let token = |n: usize| self.token | (n as u64 + 1) << 32;
        let all = (0..40).map(|n| Outgoing { topic, partition, record, token: token(n) });
        let mut all: Vec<_> = all.collect();
        let (mut refused, mut closed, mut end) = (Vec::new(), false, all.len());
        let count = producer.send_batch_tokens(&mut all, wait, &mut |at, error| {
            refused.push(at);
            closed |= !work.goes_on(&error);
            // Half of the batches give up at the first record that is refused.
            let gives_up = closed || self.token % 2 == 1;
            end = if gives_up { at } else { end };
            !gives_up
        });
        let before = accepted.len();
        accepted.extend((0..end).filter(|at| !refused.contains(at)).map(token));
        assert_eq!(accepted.len() - before, count, "{refused:?}");
        !closed
    }
}

/// Sends until told to stop or the producer is closed: to its own topic, to a shared one, and to topics that
/// nobody has used before.
fn send_all(producer: &Producer, work: &Work, thread: u64) {
    let mut random = fastrand::Rng::with_seed(thread);
    let own = producer.topic(&format!("own-{}", thread % 3));
    let shared = producer.topic("shared");
    let (Ok(own), Ok(shared)) = (own, shared) else { return };
    let mut accepted = Vec::new();
    let body = vec![7u8; 3000];
    for n in 0.. {
        if work.stop.load(Ordering::Relaxed) {
            break;
        }
        let token = thread << 40 | n;
        let topic: TopicId = match random.u32(..100) {
            0 if n % 8 == 0 => match producer.topic(&format!("new-{thread}-{n}")) {
                Ok(topic) => topic,
                Err(_) => break,
            },
            1..=49 => own,
            _ => shared,
        };
        let key = token.to_le_bytes();
        let headers = [Header { key: "h", value: Some(&key) }];
        let mut record =
            Record::value(&body[..random.usize(..if n % 50 == 0 { 3000 } else { 60 })]);
        if random.bool() {
            record.key = Some(&key);
        }
        if random.u8(..) < 20 {
            record.headers = &headers;
        }
        let partition = if random.u8(..) < 50 { random.i32(0..4) } else { ANY_PARTITION };
        let wait = match random.u8(..10) {
            0 => Wait::Never,
            1 => Wait::UpTo(Duration::from_millis(random.u64(..3))),
            _ => producer.default_wait(),
        };
        if random.u8(..) < 10 {
            let batch = Batch { topic, partition, record, token, wait };
            if batch.send(producer, work, &mut accepted) {
                continue;
            }
            break;
        }
        match producer.send_token(topic, partition, &record, token, wait) {
            Ok(()) => accepted.push(token),
            Err(error) if work.goes_on(&error) => {}
            Err(_) => break,
        }
    }
    work.accepted.lock().unwrap().extend(accepted);
}

/// Everything else that an application may call, and what a cluster may do, at the same time.
fn disturb(producer: &Producer, work: &Work) {
    let mock = producer.mock_cluster().unwrap();
    let mut random = fastrand::Rng::with_seed(99);
    let topic = producer.topic("shared").unwrap();
    while !work.calm.load(Ordering::Relaxed) {
        match random.u8(..24) {
            0 => drop(producer.flush(Duration::from_millis(random.u64(..20)))),
            1 => drop(producer.metrics().get("record-ack-total")),
            2 => drop(producer.topic_metadata(topic, Duration::from_millis(5))),
            3 => drop(format!("{producer:?} {}", producer.outstanding_records())),
            4 => drop(producer.purge(Purge::Queued)),
            5 => drop(producer.purge(Purge::InFlight)),
            6 => mock.push_errors(
                ApiKey::Produce,
                &[ErrorCode::NOT_LEADER_OR_FOLLOWER, ErrorCode::REQUEST_TIMED_OUT],
            ),
            7 => mock.push_faults(None, ApiKey::Produce, &[Fault::DropRequest]),
            8 => mock.push_faults(None, ApiKey::Produce, &[Fault::DropResponse, Fault::Garbage]),
            9 => mock.push_faults(None, ApiKey::Metadata, &[Fault::Truncated]),
            10 => drop(mock.drop_connections(random.i32(1..=3))),
            11 => drop(mock.set_leader("shared", random.i32(0..4), Some(random.i32(1..=3)))),
            12 => mock.push_errors(ApiKey::Produce, &[ErrorCode::MESSAGE_TOO_LARGE]),
            13 => drop(producer.wait_ready(Duration::from_millis(5))),
            _ => drop(producer.flush(Duration::from_millis(20))),
        }
        std::thread::sleep(Duration::from_millis(random.u64(..12)));
    }
}

/// Trouble, then calm in which records get through; the producer is closed in the middle of the sending.
fn work_for_a_while(producer: &Producer, work: &Work) {
    std::thread::sleep(duration());
    work.calm.store(true, Ordering::Relaxed);
    producer.mock_cluster().unwrap().clear_faults();
    std::thread::sleep(duration());
}

/// Every accepted token once, none of the refused, nothing left.
fn settle(producer: &Producer, work: &Work, ledger: &Ledger) {
    let accepted = work.accepted.lock().unwrap();
    let reports = ledger.reports.lock().unwrap();
    for token in accepted.iter() {
        let times = reports.get(token).map_or(0, |entry| entry.0);
        assert_eq!(times, 1, "token {token:#x} was reported {times} times");
    }
    assert_eq!(reports.len(), accepted.len(), "a refused record was reported");
    let stored = reports.values().filter(|entry| entry.1 == ErrorCode::NONE).count();
    assert!(stored > 0, "not one of {} records was stored", accepted.len());
    assert_eq!(producer.outstanding_records(), 0);
    let metrics = producer.metrics();
    assert_eq!(metrics.get("buffer-available-bytes"), metrics.get("buffer-total-bytes"));
    println!("{} accepted, {stored} stored, {:?} refused", accepted.len(), work.refused);
}

#[test]
fn threads_that_poll() {
    let producer = builder().poll_reports().build().unwrap();
    let (work, ledger) = (Work::default(), Ledger::default());
    let closed = AtomicBool::new(false);
    let fd = producer.event_fd();
    std::thread::scope(|scope| {
        for thread in 0..SENDERS {
            let (producer, work) = (&producer, &work);
            scope.spawn(move || send_all(producer, work, thread));
        }
        for poller in 0..2 {
            let (producer, ledger, closed) = (&producer, &ledger, &closed);
            scope.spawn(move || {
                // One takes a few records at a time, the other whatever there is.
                let mut left = usize::MAX;
                let mut take = |report: &Report, from: usize| {
                    if left >= report.count() - from {
                        left -= report.count() - from;
                        ledger.enter(report, from);
                        return report.count() - from;
                    }
                    0
                };
                loop {
                    let over = closed.load(Ordering::Acquire);
                    let taken = producer.poll(Duration::from_millis(3), &mut take).unwrap();
                    if over && taken == 0 {
                        return;
                    }
                    if poller == 1 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
        scope.spawn(|| disturb(&producer, &work));
        work_for_a_while(&producer, &work);
        producer.close(LIMIT).unwrap();
        work.stop.store(true, Ordering::Relaxed);
        closed.store(true, Ordering::Release);
    });
    assert!(fd.is_ok() || cfg!(not(unix)));
    settle(&producer, &work, &ledger);
}

#[test]
fn a_callback_while_several_threads_close() {
    let ledger = Arc::new(Ledger::default());
    let seen = ledger.clone();
    let callback = move |reports: &[Report]| {
        reports.iter().for_each(|report| seen.enter(report, 0));
    };
    let ended = Arc::new(Counter::default());
    let producer = packing_builder(&ended).on_delivery(callback).build().unwrap();
    let work = Work::default();
    std::thread::scope(|scope| {
        for thread in 0..SENDERS {
            let (producer, work) = (&producer, &work);
            scope.spawn(move || send_all(producer, work, thread));
        }
        scope.spawn(|| disturb(&producer, &work));
        work_for_a_while(&producer, &work);
        // Several at once: none may end the way home of the others' reports.
        for _ in 0..3 {
            scope.spawn(|| producer.close(LIMIT).unwrap());
        }
        let begun = Instant::now();
        producer.close(LIMIT).unwrap();
        assert!(begun.elapsed() < LIMIT);
        work.stop.store(true, Ordering::Relaxed);
    });
    settle(&producer, &work, &ledger);
    assert_eq!(ended.0.load(Ordering::Relaxed), work.accepted.lock().unwrap().len() as u64);
}

#[test]
fn futures_that_are_awaited_dropped_and_waited_for() {
    let producer = builder().set("compression.type", "gzip").unwrap().build().unwrap();
    let ended = Instant::now() + duration();
    let topic = producer.topic("futures").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let producer = &producer;
            scope.spawn(move || {
                let mut kept = Vec::new();
                for n in 0u64.. {
                    let body = n.to_le_bytes();
                    if Instant::now() > ended {
                        break;
                    }
                    if n % 64 == 0 {
                        let futures = producer.send_batch(topic, &[Record::value(&body); 40]);
                        kept.extend(futures.into_iter().flatten());
                    }
                    let Ok(future) = producer.send(topic, &Record::value(&body)) else { continue };
                    match (n + thread) % 3 {
                        0 => drop(future),
                        1 if n % 100 == 1 => {
                            future.wait().unwrap();
                        }
                        _ => kept.push(future),
                    }
                    if kept.len() > 200 {
                        for future in kept.drain(..) {
                            future.wait().unwrap();
                        }
                    }
                }
                for future in kept {
                    future.wait().unwrap();
                }
            });
        }
    });
    producer.close(LIMIT).unwrap();
    let metrics = producer.metrics();
    assert_eq!(metrics.get("buffer-available-bytes"), metrics.get("buffer-total-bytes"));
}
