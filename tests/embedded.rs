//! The Rust face against the embedded cluster: every door, from the call to the stored record.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ottla::delivery::Persistence;
use ottla::error::ErrorCode;
use ottla::producer::{Producer, ProducerBuilder, Wait, ANY_PARTITION};
use ottla::record::{Header, Record};

const SOON: Duration = Duration::from_secs(20);

fn builder() -> ProducerBuilder {
    Producer::builder().set("test.mock.num.brokers", "3").unwrap()
}

#[test]
fn a_record_comes_back_byte_for_byte_with_the_offset_the_future_told() {
    let producer = builder().build().unwrap();
    producer.wait_ready(SOON).unwrap();
    let topic = producer.topic("first").unwrap();
    let headers = [Header { key: "h", value: Some(b"x") }, Header { key: "null", value: None }];
    let record =
        Record { timestamp_ms: 1234, key: Some(b"k"), value: Some(b"v"), headers: &headers };
    let stored = producer.send(topic, &record).unwrap().wait().unwrap();
    let mock = producer.mock_cluster().unwrap();
    let back = mock.records("first", stored.partition).unwrap();
    let same = back.iter().find(|record| record.offset == stored.offset).unwrap();
    assert_eq!(same.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(same.value.as_deref(), Some(&b"v"[..]));
    assert_eq!(same.timestamp_ms, 1234);
    producer.close(SOON).unwrap();
    assert_eq!(producer.send(topic, &record).unwrap_err().code(), ErrorCode::CLOSED);
}

#[test]
fn a_send_that_never_waits_is_parked_until_the_topic_is_known() {
    let producer = builder().poll_reports().build().unwrap();
    let topic = producer.topic("parked").unwrap();
    for token in 0..1000 {
        let value = token.to_string();
        let record = Record::value(value.as_bytes());
        producer.send_token(topic, 0, &record, token, Wait::Never).unwrap();
    }
    producer.flush(SOON).unwrap();
    let mut tokens = Vec::new();
    producer
        .poll(Duration::ZERO, &mut |report, from| {
            assert_eq!(report.code, ErrorCode::NONE, "{:?}", report.message);
            assert_eq!(report.persistence, Persistence::Persisted);
            tokens.extend_from_slice(&report.tokens[from..]);
            report.count()
        })
        .unwrap();
    assert_eq!(tokens, (0..1000).collect::<Vec<u64>>());
    let back = producer.mock_cluster().unwrap().records("parked", 0).unwrap();
    let values: Vec<String> =
        back.into_iter().map(|r| String::from_utf8(r.value.unwrap().to_vec()).unwrap()).collect();
    assert_eq!(values, (0..1000).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(producer.outstanding_records(), 0);
}

#[test]
fn every_codec_is_read_back_from_many_threads() {
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let producer = builder()
            .set("compression.type", codec)
            .unwrap()
            .set("queue.buffering.max.messages", "0")
            .unwrap()
            .on_delivery(|reports| {
                assert!(reports.iter().all(|report| report.code == ErrorCode::NONE));
            })
            .build()
            .unwrap();
        let topic = producer.topic("packed").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let producer = &producer;
                scope.spawn(move || {
                    for n in 0..5000 {
                        let value = format!("{thread} {n} {}", "words that come again ".repeat(4));
                        let record = Record::value(value.as_bytes());
                        let wait = producer.default_wait();
                        producer.send_token(topic, ANY_PARTITION, &record, 0, wait).unwrap();
                    }
                });
            }
        });
        producer.flush(SOON).unwrap();
        let mock = producer.mock_cluster().unwrap();
        let count = mock.partition_count("packed").unwrap();
        let mut stored: Vec<Vec<u8>> = (0..count)
            .flat_map(|p| mock.records("packed", p as i32).unwrap())
            .map(|record| record.value.unwrap().to_vec())
            .collect();
        stored.sort_unstable();
        stored.dedup();
        assert_eq!(stored.len(), 20_000, "{codec}");
        let metrics = producer.metrics();
        assert_eq!(metrics.get("record-ack-total"), Some(20_000.0));
        producer.close(SOON).unwrap();
        let metrics = producer.metrics();
        assert_eq!(metrics.get("buffer-available-bytes"), metrics.get("buffer-total-bytes"));
    }
}

#[test]
fn a_callback_gets_every_token_once_from_many_threads() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let producer = builder()
        .on_delivery(move |reports| {
            let mut seen = sink.lock().unwrap();
            for report in reports {
                assert_eq!(report.code, ErrorCode::NONE);
                seen.extend_from_slice(&report.tokens);
            }
        })
        .build()
        .unwrap();
    let topic = producer.topic("threads").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let producer = &producer;
            scope.spawn(move || {
                for n in 0..5000 {
                    let token = thread * 5000 + n;
                    let value = token.to_le_bytes();
                    let record = Record::value(&value);
                    let wait = producer.default_wait();
                    producer.send_token(topic, ANY_PARTITION, &record, token, wait).unwrap();
                }
            });
        }
    });
    producer.close(SOON).unwrap();
    let mut tokens = std::mem::take(&mut *seen.lock().unwrap());
    tokens.sort_unstable();
    assert_eq!(tokens, (0..40_000).collect::<Vec<u64>>());
    let mock = producer.mock_cluster().unwrap();
    let count = mock.partition_count("threads").unwrap();
    let stored: usize = (0..count).map(|p| mock.records("threads", p as i32).unwrap().len()).sum();
    assert_eq!(stored, 40_000);
    let metrics = producer.metrics();
    assert_eq!(metrics.get("record-ack-total"), Some(40_000.0));
    assert_eq!(metrics.get("buffer-available-bytes"), metrics.get("buffer-total-bytes"));
}
