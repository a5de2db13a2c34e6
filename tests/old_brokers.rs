//! The Rust face against embedded clusters that are as old as they come, and that are upgraded meanwhile.

use std::time::{Duration, Instant};

use ottla::error::ErrorCode;
use ottla::mock::{Cluster, MockCluster};
use ottla::producer::{Producer, ProducerBuilder, ANY_PARTITION};
use ottla::record::{entries, Codec, Header, Record};

const SOON: Duration = Duration::from_secs(30);

fn cluster(release: &str) -> MockCluster {
    let mut cluster = Cluster::new(2, 5);
    cluster.create_topic("t", 2, 2).unwrap();
    cluster.set_kafka_version(release).unwrap();
    MockCluster::serve(cluster).unwrap()
}

fn builder(mock: &MockCluster, codec: &str) -> ProducerBuilder {
    let builder = Producer::builder()
        .set("bootstrap.servers", &mock.bootstrap_servers())
        .and_then(|builder| builder.set("compression.type", codec))
        .and_then(|builder| builder.set("retry.backoff.ms", "20"));
    builder.unwrap()
}

fn producer(mock: &MockCluster, codec: &str) -> Producer {
    builder(mock, codec).build().unwrap()
}

fn values(mock: &MockCluster) -> Vec<Vec<u8>> {
    let records = (0..2).flat_map(|partition| mock.read(|c| c.records("t", partition).unwrap()));
    let mut values: Vec<Vec<u8>> = records.map(|record| record.value.unwrap().to_vec()).collect();
    values.sort_unstable();
    values
}

fn send(producer: &Producer, numbers: std::ops::Range<u32>) {
    let topic = producer.topic("t").unwrap();
    let futures: Vec<_> = numbers
        .map(|n| {
            let value = n.to_be_bytes().repeat(20);
            producer.send(topic, &Record { timestamp_ms: 7, ..Record::value(&value) }).unwrap()
        })
        .collect();
    producer.flush(SOON).unwrap();
    for future in futures {
        future.wait().unwrap();
    }
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    numbers.map(|n| n.to_be_bytes().repeat(20)).collect()
}

#[test]
fn every_age_takes_every_codec_that_it_knows() {
    for age in ["0.8", "0.9", "0.10", "0.11"] {
        for codec in ["none", "gzip", "snappy", "lz4"] {
            let mock = cluster(age);
            let producer = producer(&mock, codec);
            send(&producer, 0..500);
            assert!(values(&mock) == numbered(0..500), "{codec}");
            producer.close(SOON).unwrap();
        }
    }
}

#[test]
fn a_broker_that_cannot_be_asked_for_its_versions_is_ready_in_no_time() {
    for release in ["0.8", "0.9"] {
        let mock = cluster(release);
        let begun = Instant::now();
        let producer = producer(&mock, "none");
        send(&producer, 0..1);
        assert!(begun.elapsed() < Duration::from_secs(8), "{release}: {:?}", begun.elapsed());
        producer.close(SOON).unwrap();
    }
}

#[test]
fn headers_and_zstd_are_clear_errors_where_no_format_has_them() {
    let mock = cluster("0.10");
    let producer = producer(&mock, "zstd");
    producer.wait_ready(SOON).unwrap();
    let topic = producer.topic("t").unwrap();
    let headers = [Header { key: "h", value: None }];
    let refused = producer.send(topic, &Record { headers: &headers, ..Record::value(b"v") });
    let error = refused.map(|_| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UNSUPPORTED);
    assert!(error.message().contains("0.11"), "{error}");
    let failed = producer.send(topic, &Record::value(b"v")).unwrap().wait().unwrap_err();
    assert_eq!(failed.error.code(), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, "{failed:?}");
    producer.close(SOON).unwrap();
    assert!(values(&mock).is_empty());
}

#[test]
fn what_a_broker_takes_is_forgotten_when_it_has_left() {
    let mock = cluster("4.0");
    mock.with(|cluster| cluster.set_broker_kafka_version(1, "0.10")).unwrap();
    let settings = builder(&mock, "none").set("enable.idempotence", "false").unwrap();
    let producer = settings.set("metadata.max.age.ms", "100").unwrap().build().unwrap();
    let topic = producer.topic("t").unwrap();
    for partition in 0..2 {
        producer.send_to(topic, partition, &Record::value(b"v")).unwrap().wait().unwrap();
    }
    let headers = [Header { key: "h", value: None }];
    let record = Record { headers: &headers, ..Record::value(b"v") };
    assert_eq!(producer.send(topic, &record).map(drop).unwrap_err().code(), ErrorCode::UNSUPPORTED);
    mock.with(|cluster| cluster.broker_down(1)).unwrap();
    let deadline = Instant::now() + SOON;
    while let Err(error) = producer.send(topic, &record).map(drop) {
        assert!(Instant::now() < deadline, "{error}");
        std::thread::sleep(Duration::from_millis(10));
    }
    producer.close(SOON).unwrap();
    let stored = (0..2).flat_map(|n| mock.read(|cluster| cluster.records("t", n).unwrap()));
    assert_eq!(stored.filter(|record| record.headers.len() == 1).count(), 1);
}

#[test]
fn an_upgrade_and_a_downgrade_broker_by_broker_lose_nothing() {
    for codec in ["none", "lz4"] {
        let mock = cluster("0.8");
        let producer = producer(&mock, codec);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for release in ["0.10", "4.0", "0.10", "0.8"] {
                    for broker in [1, 2] {
                        std::thread::sleep(Duration::from_millis(150));
                        mock.with(|cluster| {
                            cluster.set_broker_kafka_version(broker, release).unwrap();
                            cluster.drop_connections(broker).unwrap();
                        });
                    }
                }
            });
            let topic = producer.topic("t").unwrap();
            let futures: Vec<_> = (0..2000u32)
                .map(|n| {
                    std::thread::sleep(Duration::from_millis(1));
                    let value = n.to_be_bytes().repeat(20);
                    let record = Record { timestamp_ms: 7, ..Record::value(&value) };
                    producer.send_to(topic, ANY_PARTITION, &record).unwrap()
                })
                .collect();
            producer.flush(SOON).unwrap();
            for future in futures {
                future.wait().unwrap();
            }
        });
        // Without idempotence what was in doubt may be there twice.
        let mut stored = values(&mock);
        stored.dedup();
        assert!(stored == numbered(0..2000), "{codec}: {} of 2000", stored.len());
        producer.close(SOON).unwrap();
    }
}

#[test]
fn idempotence_gives_way_only_where_nobody_asked_for_it() {
    for release in ["0.8", "0.9", "0.10"] {
        let mock = cluster(release);
        let by_default = producer(&mock, "none");
        send(&by_default, 0..100);
        by_default.close(SOON).unwrap();
        assert!(values(&mock) == numbered(0..100), "{release}");

        let asked = builder(&mock, "none").set("enable.idempotence", "true").unwrap();
        let asked = asked.build().unwrap();
        let topic = asked.topic("t").unwrap();
        // Refused, or failed if it came before that was known.
        let sent = asked.send(topic, &Record::value(b"v"));
        let error = sent.map_or_else(|refused| refused, |sent| sent.wait().unwrap_err().error);
        assert_eq!(error.code(), ErrorCode::UNSUPPORTED_VERSION, "{release}: {error}");
        assert!(error.message().contains("enable.idempotence=false"), "{error}");
        asked.close(SOON).unwrap();
        assert_eq!(values(&mock).len(), 100, "{release}: nothing more");
    }
}

#[test]
fn a_topic_takes_its_own_codec_and_the_others_that_of_all() {
    let mut cluster = Cluster::new(1, 5);
    let codecs = [("own", Codec::Snappy), ("plain", Codec::None), ("other", Codec::Gzip)];
    for (topic, _) in codecs {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    let mock = MockCluster::serve(cluster).unwrap();
    let builder = builder(&mock, "gzip").set("compression.topics", "own=snappy,plain=none");
    let producer = builder.unwrap().build().unwrap();
    for (topic, _) in codecs {
        let id = producer.topic(topic).unwrap();
        producer.send(id, &Record::value(&[7; 500])).unwrap().wait().unwrap();
    }
    producer.close(SOON).unwrap();
    for (topic, codec) in codecs {
        let log = mock.read(|cluster| cluster.log_bytes(topic, 0).unwrap());
        assert_eq!(entries(&log).next().unwrap().unwrap().codec(), Some(codec), "{topic}");
    }
}
