//! Tests of the shared metadata: interest, partial updates, failures, versions, threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use crate::config::BootstrapServer;
use crate::error::ErrorCode;
use crate::protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{BrokerId, MetadataResponse};
use crate::protocol::StrBytes;
use crate::time::Time;

use super::{LeaderHint, Metadata, MetadataSettings, NodeId, UpdateRequest};

const MAX_AGE_MS: u64 = 60_000;
const MAX_IDLE_MS: u64 = 10_000;

fn metadata() -> Metadata {
    let settings = MetadataSettings {
        max_age_ms: MAX_AGE_MS,
        max_idle_ms: MAX_IDLE_MS,
        retry_backoff_ms: 100,
        retry_backoff_max_ms: 1_000,
        allow_auto_topic_creation: true,
    };
    Metadata::new(settings, BootstrapServer::parse_list("", "seed:9092").unwrap(), 5)
}

/// An answer to `request` in which broker 0 leads the only partition of every topic.
fn answer(request: &UpdateRequest, epoch: i32) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(0))
        .with_host(StrBytes::from_static_str("host"))
        .with_port(9092);
    let topic = |name: &Arc<str>| {
        let partition = MetadataResponsePartition::default().with_leader_epoch(epoch);
        MetadataResponseTopic::default()
            .with_name(Some(StrBytes::from_string(name.to_string()).into()))
            .with_partitions(vec![partition])
    };
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_topics(request.topics().iter().map(topic).collect())
}

fn update(metadata: &Metadata, now: Time) -> UpdateRequest {
    assert!(metadata.next_update() <= now, "not due");
    let request = metadata.begin_update(now);
    metadata.apply(&request, answer(&request, 1), 13, now).unwrap();
    request
}

fn names(request: &UpdateRequest) -> Vec<&str> {
    request.topics().iter().map(|name| &**name).collect()
}

#[test]
fn a_new_topic_is_asked_for_alone_and_at_once() {
    let metadata = metadata();
    let now = Time::from_ms(100);
    assert!(metadata.want_topic("a", now), "the driver is to be woken");
    assert!(update(&metadata, now).is_full(), "the very first one");
    assert!(metadata.want_topic("b", now));
    assert!(!metadata.want_topic("b", now));
    assert!(!metadata.want_topic("a", now));
    let request = update(&metadata, now);
    assert!(!request.is_full());
    assert_eq!(names(&request), ["b"]);
    assert_eq!(metadata.snapshot().topics.len(), 2, "merged into what is known");
    assert_eq!(metadata.next_update(), now.plus_ms(MAX_AGE_MS));
    let request = update(&metadata, now.plus_ms(MAX_AGE_MS - 1).plus_ms(1));
    assert!(request.is_full());
}

#[test]
fn an_answer_that_predates_a_new_topic_leaves_it_due() {
    let metadata = metadata();
    let now = Time::from_ms(100);
    metadata.want_topic("a", now);
    let request = metadata.begin_update(now);
    metadata.want_topic("b", now);
    assert_eq!(metadata.next_update(), Time::NEVER, "one is in flight");
    metadata.apply(&request, answer(&request, 1), 13, now).unwrap();
    assert_eq!(names(&update(&metadata, now)), ["b"]);
}

#[test]
fn a_failed_update_is_due_again_after_the_backoff_and_keeps_the_snapshot() {
    let metadata = metadata();
    let now = Time::from_ms(100);
    metadata.want_topic("a", now);
    let request = metadata.begin_update(now);
    metadata.fail(&request, now);
    assert!(metadata.next_update() >= now.plus_ms(80));
    assert!(metadata.next_update() <= now.plus_ms(120));
    let later = now.plus_ms(120);
    let request = metadata.begin_update(later);
    assert_eq!(names(&request), ["a"]);
    let error = metadata.apply(&request, MetadataResponse::default(), 13, later).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BROKER_NOT_AVAILABLE);
    assert!(metadata.next_update() >= later.plus_ms(160), "the second failure waits longer");
    assert_eq!(metadata.version(), 0);
    assert!(metadata.snapshot().is_bootstrap());
    assert!(metadata.want_topic("b", later));
    assert_eq!(metadata.next_update(), Time::ZERO, "new topics beat the backoff");
}

#[test]
fn an_error_for_the_whole_request_is_a_failed_update() {
    let metadata = metadata();
    let request = metadata.begin_update(Time::ZERO);
    let refused = answer(&request, 1).with_error_code(129);
    let error = metadata.apply(&request, refused, 13, Time::ZERO).unwrap_err();
    assert_eq!(error.code(), ErrorCode::REBOOTSTRAP_REQUIRED);
    assert_eq!(metadata.version(), 0);
}

#[test]
fn topic_expiry_when_an_answer_comes_after_it() {
    let metadata = metadata();
    let start = Time::from_ms(100);
    metadata.want_topic("idle", start);
    metadata.want_topic("busy", start);
    update(&metadata, start);
    let expired = start.plus_ms(MAX_IDLE_MS);
    metadata.want_topic("busy", expired);
    assert!(metadata.wants("idle"), "no answer yet");
    metadata.request_update();
    assert_eq!(names(&update(&metadata, expired)), ["busy", "idle"]);
    assert!(!metadata.wants("idle"));
    assert!(metadata.snapshot().topic("idle").is_none());
    assert!(metadata.snapshot().topic("busy").is_some());
    assert!(metadata.want_topic("idle", expired), "new again");
}

#[test]
fn a_topic_that_was_never_answered_does_not_expire() {
    let metadata = metadata();
    metadata.want_topic("slow", Time::ZERO);
    let request = metadata.begin_update(Time::ZERO);
    let late = Time::from_ms(MAX_IDLE_MS + 1);
    metadata.apply(&request, answer(&request, 1), 13, late).unwrap();
    assert!(metadata.wants("slow"));
}

#[test]
fn a_topic_with_an_open_error_is_asked_for_again_and_a_forbidden_one_is_not() {
    for (code, again) in [(3, true), (5, true), (17, false), (29, false)] {
        let metadata = metadata();
        let now = Time::from_ms(100);
        metadata.want_topic("a", now);
        let request = metadata.begin_update(now);
        let mut told = answer(&request, 1);
        told.topics[0].error_code = code;
        metadata.apply(&request, told, 13, now).unwrap();
        let error = metadata.snapshot().topic("a").unwrap().error;
        assert_eq!(error, ErrorCode::from_broker(code));
        assert_eq!(metadata.next_update() <= now.plus_ms(120), again, "{code}");
        assert!(metadata.next_update() > now, "{code}: never without backoff");
    }
}

#[test]
fn versions_grow_with_every_snapshot() {
    let metadata = metadata();
    let mut seen = vec![metadata.version()];
    metadata.want_topic("a", Time::ZERO);
    update(&metadata, Time::ZERO);
    seen.push(metadata.version());
    let hint = LeaderHint { topic: "a", partition: 0, leader: NodeId(0), leader_epoch: 5 };
    assert!(metadata.update_leadership(&[hint], &[]));
    assert!(!metadata.update_leadership(&[hint], &[]), "known by now");
    seen.push(metadata.version());
    metadata.rebootstrap();
    seen.push(metadata.version());
    assert_eq!(seen, [0, 1, 2, 3]);
    assert_eq!(metadata.snapshot().version, 3);
}

#[test]
fn rebootstrap_keeps_partitions_and_forgets_leaders_and_epochs() {
    let metadata = metadata();
    metadata.want_topic("a", Time::ZERO);
    let request = metadata.begin_update(Time::ZERO);
    metadata.apply(&request, answer(&request, 9), 13, Time::ZERO).unwrap();
    metadata.rebootstrap();
    let snapshot = metadata.snapshot();
    assert!(snapshot.is_bootstrap());
    let partition = snapshot.partition("a", 0).unwrap();
    assert_eq!((partition.leader, partition.leader_epoch), (None, -1));
    assert!(metadata.next_update() <= Time::from_ms(120));
    let now = Time::from_ms(120);
    let request = metadata.begin_update(now);
    metadata.apply(&request, answer(&request, 2), 13, now).unwrap();
    assert_eq!(metadata.snapshot().partition("a", 0).unwrap().leader, Some(NodeId(0)));
}

#[test]
fn nodes_say_who_they_are() {
    let metadata = metadata();
    let seed = metadata.snapshot().nodes[&NodeId(-1)].to_string();
    assert_eq!(seed, "bootstrap server seed:9092");
    update(&metadata, Time::ZERO);
    assert_eq!(metadata.snapshot().nodes[&NodeId(0)].to_string(), "broker 0 (host:9092)");
}

#[test]
fn snapshots_are_never_torn_and_never_go_back_between_threads() {
    let metadata = Arc::new(metadata());
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|reader| {
            let (metadata, done) = (Arc::clone(&metadata), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let version = metadata.version();
                    let snapshot = metadata.snapshot();
                    assert!(snapshot.version >= version && version >= last);
                    last = version;
                    for topic in snapshot.topics.values() {
                        // Every answer gives the version's own epoch to all topics it covers.
                        assert!(topic.partitions[0].leader_epoch as u64 <= snapshot.version);
                    }
                    metadata.want_topic(&format!("topic-{reader}"), Time::from_ms(version));
                }
            })
        })
        .collect();
    for round in 1..500u64 {
        let now = Time::from_ms(round * 1_000);
        metadata.request_update();
        let request = metadata.begin_update(now);
        metadata.apply(&request, answer(&request, round as i32), 13, now).unwrap();
    }
    done.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert_eq!(metadata.version(), 499);
}
