//! The producer among brokers before 0.11, in virtual time: batches take another format, and lose no more
//! than that format has no place for, whatever memory is left.

use std::time::Duration;

use super::embedded_support::*;
use crate::error::ErrorCode;
use crate::log::Level;
use crate::mock::{Fault, OwnedRecord};
use crate::producer::{TopicId, Wait};
use crate::protocol::ApiKey;
use crate::record::{Header, Magic, Record};

/// Brokers of this release; nothing gives records an identity.
fn plain(release: &str, settings: &[(&str, &str)]) -> (Rig, TopicId) {
    let stage = stage((release, 0), 7);
    let mut all = vec![("bootstrap.servers", BOOTSTRAP), ("enable.idempotence", "false")];
    all.extend(settings);
    let mut rig = Rig::plain(&stage, &all, 7);
    let topic = rig.producer.topic("t").unwrap();
    rig.run_ms(2_000);
    (rig, topic)
}

/// All brokers come back as those of another release.
fn become_release(rig: &Rig, release: &str) {
    let mut stage = rig.stage.lock();
    stage.cluster.set_kafka_version(release).unwrap();
    (1..=3).for_each(|broker| stage.drop_connections(broker));
}

fn stored(rig: &Rig, partition: i32) -> Vec<OwnedRecord> {
    rig.stage.lock().cluster.records("t", partition).unwrap()
}

/// Fills the pool with batches of tiny records, which double their size in the old format, for three leaders
/// that turn out to be old; whatever room appears is filled again.
fn convert_beside_a_full_pool(memory: &str, codec: &str, release: &str) {
    let (mut rig, topic) = plain(
        "2.8",
        &[
            ("buffer.memory", memory),
            ("batch.size", memory),
            ("linger.ms", "10000"),
            ("compression.type", codec),
            ("delivery.timeout.ms", "60000"),
            ("request.timeout.ms", "5000"),
        ],
    );
    let (mut sent, mut reported) = (0u32, 0);
    let fill = |rig: &Rig, sent: &mut u32| loop {
        let value = (*sent / 3).to_be_bytes();
        let record = Record { timestamp_ms: 5, ..Record::value(&value) };
        let partition = (*sent % 3) as i32;
        match rig.producer.send_token(topic, partition, &record, 1, Wait::Never) {
            Ok(()) => *sent += 1,
            Err(error) => return assert_eq!(error.code(), ErrorCode::QUEUE_FULL),
        }
    };
    (1..=3).for_each(|broker| rig.stage.lock().pause(broker, 300));
    fill(&rig, &mut sent);
    become_release(&rig, release);
    for _ in 0..200 {
        rig.run_ms(50);
        let codes = rig.codes();
        assert!(codes.iter().all(|&code| code == ErrorCode::NONE), "{codes:?}");
        reported += codes.len() as u32;
        match reported {
            ..20_000 => fill(&rig, &mut sent),
            // Nobody waits for what is not full.
            _ => drop(rig.producer.flush(Duration::ZERO)),
        }
    }
    assert!(reported >= 20_000 && reported == sent, "{reported} of {sent} in 10 s");
    for partition in 0..3 {
        let found = stored(&rig, partition).into_iter().map(|record| record.value.unwrap());
        let count = (sent + 2 - partition as u32) / 3;
        assert!(found.eq((0..count).map(|n| n.to_be_bytes().to_vec())), "{partition}");
    }
    assert!(rig.close(1_000, 2_000));
}

#[test]
fn a_format_that_takes_more_memory_than_there_is_loses_nothing() {
    for memory in ["65536", "1000000"] {
        for (codec, release) in [("none", "0.10"), ("lz4", "0.10"), ("none", "0.8")] {
            convert_beside_a_full_pool(memory, codec, release);
        }
    }
}

/// The lines of a log that speak of this.
fn lines(rig: &Rig, of: &str) -> Vec<String> {
    let stage = rig.stage.lock();
    let warnings = stage.lines.iter().filter(|(level, _)| *level <= Level::Warning);
    warnings.map(|(_, text)| text.clone()).filter(|text| text.contains(of)).collect()
}

fn send_with_headers(rig: &Rig, topic: TopicId, partition: i32) {
    let headers = [Header { key: "a", value: None }, Header { key: "b", value: Some(b"x") }];
    let record = Record { timestamp_ms: 5, headers: &headers, ..Record::value(b"v") };
    rig.producer.send_token(topic, partition, &record, 1, Wait::Never).unwrap();
}

/// Converted for an old leader and refused by it for the moment, a batch goes to the upgraded one with what
/// the old format has kept.
#[test]
fn what_an_old_format_has_lost_does_not_come_back_with_an_upgrade() {
    for (old, timestamp_ms) in [("0.10", 5), ("0.8", -1)] {
        let (mut rig, topic) = plain("2.8", &[("linger.ms", "0"), ("request.timeout.ms", "1000")]);
        (1..=3).for_each(|broker| rig.stage.lock().pause(broker, 500));
        become_release(&rig, old);
        send_with_headers(&rig, topic, 0);
        push(&rig.stage, ApiKey::Produce, &[Fault::Error(ErrorCode::NOT_ENOUGH_REPLICAS)]);
        let refused = |rig: &Rig| {
            rig.stage.lock().seen.iter().any(|seen| seen.0 == ApiKey::Produce && seen.1 < 3)
        };
        for _ in 0..1000 {
            rig.run_ms(5);
            if refused(&rig) {
                break;
            }
        }
        assert!(refused(&rig) && stored(&rig, 0).is_empty(), "{old}");
        become_release(&rig, "4.0");
        rig.run_ms(3_000);
        assert_eq!(rig.codes(), [ErrorCode::NONE], "{old}");
        let found = stored(&rig, 0).remove(0);
        assert_eq!((found.timestamp_ms, found.headers.len()), (timestamp_ms, 0), "{old}");
        assert_eq!(lines(&rig, "headers").len(), 1);
    }
}

#[test]
fn lost_headers_are_told_of_once_for_each_topic_and_counted() {
    let (mut rig, t) = plain("2.8", &[("linger.ms", "0"), ("batch.num.messages", "1")]);
    let other = rig.producer.topic("in").unwrap();
    rig.run_ms(1_000);
    (1..=3).for_each(|broker| rig.stage.lock().pause(broker, 500));
    become_release(&rig, "0.10");
    [(t, 0), (t, 0), (t, 1), (other, 0), (other, 1)]
        .into_iter()
        .for_each(|(topic, partition)| send_with_headers(&rig, topic, partition));
    rig.run_ms(5_000);
    assert_eq!(rig.codes(), [ErrorCode::NONE; 5]);
    let told = lines(&rig, "headers");
    let of = |topic: &str| told.iter().filter(|line| line.contains(topic)).count();
    assert_eq!((told.len(), of("topic t: 2 "), of("topic in: 2 ")), (2, 1, 1), "{told:?}");
}

/// Brokers may be upgraded between the look that refuses a record and the text.
#[test]
fn the_text_of_a_refusal_is_about_what_was_looked_at() {
    let (rig, _) = plain("2.8", &[]);
    let headers = [Header { key: "a", value: None }];
    let record = Record { headers: &headers, ..Record::value(b"v") };
    let error = rig.producer.shared.why_refused(100, 0, &record, Magic::V1);
    assert_eq!(error.code(), ErrorCode::UNSUPPORTED, "{error}");
    assert!(error.message().contains("headers"), "{error}");
    let large = rig.producer.shared.why_refused(40_000_000, 0, &record, Magic::V2);
    assert_eq!(large.code(), ErrorCode::RECORD_TOO_LARGE, "{large}");
}
