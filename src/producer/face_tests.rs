//! What only threads, real time and real sockets show of the Rust face.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};

use super::*;
use crate::producer::intercept::{Interceptor, OwnedRecord};
use crate::record::{Header, Record};

const SOON: Duration = Duration::from_secs(20);

fn embedded() -> ProducerBuilder {
    Producer::builder().set("test.mock.num.brokers", "1").unwrap()
}

/// On a port where nobody listens.
fn refused() -> ProducerBuilder {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    Producer::builder().set("bootstrap.servers", &address).unwrap()
}

#[test]
fn a_refused_port_fails_fast_and_says_where() {
    let producer = refused().poll_reports().build().unwrap();
    let begun = Instant::now();
    let error = producer.wait_ready(SOON).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(error.message().contains("127.0.0.1"), "{error}");
    producer.close(Duration::ZERO).unwrap();
}

#[test]
fn a_send_waits_no_longer_than_max_block_and_says_why() {
    let producer = refused().set("max.block.ms", "200").unwrap().build().unwrap();
    let topic = producer.topic("t").unwrap();
    let begun = Instant::now();
    let error = producer.send(topic, &Record::value(b"x")).unwrap_err();
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(200) && waited < SOON);
    assert_eq!(error.code(), ErrorCode::TIMED_OUT);
    let text = error.message();
    assert!(text.contains("no metadata for topic t") && text.contains("127.0.0.1"), "{text}");
    assert_eq!(producer.outstanding_records(), 0);
    producer.close(Duration::ZERO).unwrap();
}

#[test]
fn a_record_whose_time_is_over_says_that_nobody_could_be_reached() {
    let settings = [("delivery.timeout.ms", "2500"), ("request.timeout.ms", "2000")];
    let of = |builder: ProducerBuilder| {
        settings.iter().fold(builder, |builder, (name, value)| builder.set(name, value).unwrap())
    };
    let is_told = |producer: &Producer, topic: TopicId, begin: &str| {
        let record = Record::value(b"x");
        let sent = producer.send(topic, &record).unwrap().wait().unwrap_err().error;
        assert_eq!(sent.code(), ErrorCode::EXPIRED);
        let text = sent.message();
        assert!(text.contains(begin) && text.contains("no broker can be reached"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
    };
    let producer = of(refused()).set("send.wait", "false").unwrap().build().unwrap();
    is_told(&producer, producer.topic("t").unwrap(), "no metadata for topic t within");
    // The topic known, and its broker gone.
    let producer = of(embedded()).build().unwrap();
    let topic = producer.topic("t").unwrap();
    producer.send(topic, &Record::value(b"x")).unwrap().wait().unwrap();
    producer.mock_cluster().unwrap().broker_down(1).unwrap();
    is_told(&producer, topic, "delivery.timeout.ms passed");
}

#[test]
fn futures_complete_also_when_only_errors_are_to_be_reported() {
    let builder = embedded().set("delivery.report.only.error", "true").unwrap();
    let producer = builder.build().unwrap();
    let topic = producer.topic("t").unwrap();
    let (done, outcome) = mpsc::channel();
    let future = producer.send(topic, &Record::value(b"x")).unwrap();
    std::thread::spawn(move || done.send(future.wait()));
    assert!(outcome.recv_timeout(SOON).unwrap().is_ok());
}

#[test]
fn with_report_only_error_a_poll_sees_failures_and_a_flush_still_ends() {
    let builder = embedded().set("delivery.report.only.error", "true").unwrap();
    let producer = builder.poll_reports().build().unwrap();
    let topic = producer.topic("t").unwrap();
    producer.send_token(topic, 0, &Record::value(b"x"), 1, Wait::UpTo(SOON)).unwrap();
    producer.flush(SOON).unwrap();
    assert_eq!(producer.poll(Duration::ZERO, &mut |report, _| report.count()).unwrap(), 0);
    assert_eq!(producer.outstanding_records(), 0);
}

#[test]
fn the_number_of_records_on_their_way_never_misses_one() {
    // Records go through the gate of an unknown topic, the queues, requests and the report queue meanwhile.
    let producer = embedded().set("linger.ms", "0").unwrap().poll_reports().build().unwrap();
    let topic = producer.topic("t").unwrap();
    for sent in 1..=3000 {
        producer.send_token(topic, -1, &Record::value(b"x"), 1, Wait::Never).unwrap();
        for _ in 0..20 {
            assert!(producer.outstanding_records() >= sent);
        }
    }
    producer.flush(SOON).unwrap();
    assert_eq!(producer.outstanding_records(), 3000);
    while producer.poll(Duration::ZERO, &mut |report, _| report.count()).unwrap() > 0 {}
    assert_eq!(producer.outstanding_records(), 0);
}

#[test]
fn reports_carry_timestamps_when_asked_to() {
    let producer = embedded().set("report.timestamps", "true").unwrap().build().unwrap();
    let topic = producer.topic("t").unwrap();
    let record = Record { timestamp_ms: 1234, ..Record::value(b"x") };
    assert_eq!(producer.send(topic, &record).unwrap().wait().unwrap().timestamp_ms, 1234);
}

#[test]
fn two_closes_at_once_both_return_after_the_last_callback() {
    for _ in 0..20 {
        let seen = Arc::new(AtomicUsize::new(0));
        let sink = seen.clone();
        let builder = embedded().on_delivery(move |reports| {
            sink.fetch_add(reports.iter().map(|report| report.count()).sum(), Ordering::SeqCst);
        });
        let producer = builder.build().unwrap();
        let topic = producer.topic("t").unwrap();
        for token in 0..100 {
            producer.send_token(topic, 0, &Record::value(b"x"), token, Wait::Never).unwrap();
        }
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    producer.close(SOON).unwrap();
                    assert_eq!(seen.load(Ordering::SeqCst), 100);
                });
            }
        });
    }
}

#[test]
fn a_callback_may_drop_its_producer_and_no_thread_is_left_behind() {
    let slot: Arc<Mutex<Option<Producer>>> = Arc::default();
    let (gone, ended) = mpsc::channel::<()>();
    let (own, gone) = (slot.clone(), Mutex::new(gone));
    let builder = embedded().on_delivery(move |_| {
        let _alive_as_long_as_the_dispatcher = &gone;
        if let Ok(mut own) = own.lock() {
            if let Some(producer) = own.as_ref() {
                let error = producer.close(SOON).unwrap_err();
                assert_eq!(error.code(), ErrorCode::IN_CALLBACK);
                assert_eq!(producer.flush(SOON).unwrap_err().code(), ErrorCode::IN_CALLBACK);
            }
            own.take();
        }
    });
    let producer = builder.build().unwrap();
    let topic = producer.topic("t").unwrap();
    let mut own = slot.lock().unwrap();
    producer.send_token(topic, 0, &Record::value(b"x"), 1, Wait::Never).unwrap();
    *own = Some(producer);
    drop(own);
    assert_eq!(ended.recv_timeout(SOON), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn wrong_records_are_refused_with_a_reason_and_cost_nothing() {
    let producer = embedded().set("max.request.size", "2000").unwrap();
    let producer = producer.set("queue.buffering.max.messages", "1").unwrap();
    let producer = producer.poll_reports().build().unwrap();
    let topic = producer.topic("t").unwrap();
    let send = |partition, record: &Record<'_>| {
        producer.send_token(topic, partition, record, 1, Wait::UpTo(SOON)).unwrap_err()
    };
    let large = vec![0; 2000];
    assert_eq!(send(0, &Record::value(&large)).code(), ErrorCode::RECORD_TOO_LARGE);
    let headers = [Header { key: "k", value: Some(&large) }];
    let record = Record { headers: &headers, ..Record::value(b"") };
    assert_eq!(send(0, &record).code(), ErrorCode::RECORD_TOO_LARGE);
    assert_eq!(send(-2, &Record::value(b"")).code(), ErrorCode::ARGUMENT);
    let record = Record { timestamp_ms: -2, ..Record::value(b"") };
    assert_eq!(send(0, &record).code(), ErrorCode::ARGUMENT);
    let unknown = producer.send_token(TopicId(9), 0, &Record::value(b""), 1, Wait::Never);
    assert_eq!(unknown.unwrap_err().code(), ErrorCode::ARGUMENT);
    let error = producer.send(topic, &Record::value(b"")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::STATE);
    // Refused ones do not count against the limit of one.
    producer.send_token(topic, 0, &Record::value(b"x"), 7, Wait::UpTo(SOON)).unwrap();
    producer.flush(SOON).unwrap();
    assert_eq!(producer.poll(SOON, &mut |report, _| report.count()).unwrap(), 1);
    producer.close(SOON).unwrap();
    for error in [
        producer.flush(Duration::ZERO).err(),
        producer.topic("u").err(),
        producer.wait_ready(SOON).err(),
    ] {
        assert!(error.is_none_or(|error| error.code() == ErrorCode::CLOSED));
    }
    producer.close(SOON).unwrap();
}

#[test]
fn interceptors_change_records_in_turn_and_a_panicking_one_is_skipped() {
    struct Adds(&'static [u8]);
    impl Interceptor for Adds {
        fn on_send(&self, _topic: &str, record: &mut OwnedRecord) {
            record.value.get_or_insert_with(Vec::new).extend_from_slice(self.0);
        }
        fn on_acknowledgement(&self, _report: &crate::delivery::Report) {
            panic!("own");
        }
    }
    struct Panics;
    impl Interceptor for Panics {
        fn on_send(&self, _topic: &str, record: &mut OwnedRecord) {
            record.value = None;
            panic!("own");
        }
    }
    let builder = embedded().interceptor(Adds(b"1")).interceptor(Panics).interceptor(Adds(b"2"));
    let producer = builder.build().unwrap();
    let topic = producer.topic("t").unwrap();
    let stored = producer.send(topic, &Record::value(b"v")).unwrap().wait().unwrap();
    let records = producer.mock_cluster().unwrap().records("t", stored.partition).unwrap();
    assert_eq!(records[0].value.as_deref(), Some(&b"v12"[..]));
    producer.close(SOON).unwrap();
    assert_eq!(producer.shared.interceptors.panics(), 3);
}

#[test]
fn a_send_refused_for_memory_makes_room_for_the_next_one_at_once() {
    let producer = Producer::builder()
        .set("test.mock.num.brokers", "1")
        .and_then(|builder| builder.set("buffer.memory", "65536"))
        .and_then(|builder| builder.set("batch.size", "16384"))
        .and_then(|builder| builder.set("linger.ms", "60000"))
        .map(|builder| builder.poll_reports())
        .and_then(|builder| builder.build())
        .unwrap();
    let topic = producer.topic("pressed").unwrap();
    producer.topic_metadata(topic, Duration::from_secs(20)).unwrap();
    let value = vec![7u8; 900];
    let begun = std::time::Instant::now();
    let (mut accepted, mut taken) = (0, 0);
    // Many times what the memory holds: with nobody pressing it would take a minute of lingering each time.
    while accepted < 500 {
        let record = Record::value(&value);
        match producer.send_token(topic, (accepted % 4) as i32, &record, accepted, Wait::Never) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::QUEUE_FULL);
                taken += producer
                    .poll(Duration::from_millis(5), &mut |report, from| report.count() - from)
                    .unwrap();
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{accepted} accepted, {taken} taken");
    }
}
