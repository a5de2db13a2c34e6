//! Tests of requests: the gate, the round trip, time, throttling, and broken responses.

use bytes::Bytes;

use crate::error::ErrorCode;
use crate::metadata::NodeId;
use crate::protocol::ApiKey;
use crate::time::Time;

use super::event::ClientEvent;
use super::network::{DisconnectCause, NetworkEvent};
use super::tests_support::{Bench, Cluster, MAX_AGE_MS};

const BOOTSTRAP: &str = "10.0.0.1:9092";
const NODE: (i32, &str, i32) = (0, "10.0.0.1", 9092);
const OTHER: (i32, &str, i32) = (1, "10.0.0.2", 9092);

fn one() -> Bench {
    Bench::ready(BOOTSTRAP, Cluster::of(&[NODE]), &[0])
}

#[test]
fn from_bootstrap_over_versions_and_metadata_to_a_response() {
    let mut bench = Bench::new(BOOTSTRAP, Cluster::of(&[NODE]));
    bench.metadata.want_topic("orders", bench.now());
    bench.cluster.topics.push(("orders", vec![0, 0]));
    assert!(!bench.is_ready(0), "not even known");
    bench.serve();
    assert_eq!(bench.count(|event| matches!(event, ClientEvent::MetadataUpdated)), 1);
    let leader = bench.metadata.snapshot().partition("orders", 1).unwrap().leader;
    assert_eq!(leader, Some(NodeId(0)));
    assert!(!bench.is_ready(0), "not connected");
    bench.serve();
    assert!(bench.is_ready(0));
    assert_eq!(bench.client.produce_version(NodeId(0)), Some(11));
    let now = bench.now();
    bench.send(0, 77, 500);
    assert!(!bench.is_ready(0), "its frame is not flushed yet");
    bench.serve();
    let frame = bench.inbox.pop().unwrap();
    bench.respond_raw(&frame, frame.header.correlation_id, b"body");
    bench.turn();
    let response = bench.events.iter().find_map(|event| match event {
        ClientEvent::Response { tag: 77, node, api, version: 4, outcome, sent_at } => {
            Some((*node, *api, outcome.clone(), *sent_at))
        }
        _ => None,
    });
    let body = Ok(Bytes::from_static(b"body"));
    assert_eq!(response, Some((NodeId(0), ApiKey::InitProducerId, body, now)));
    assert_eq!(bench.client.total_in_flight(), 0);
}

#[test]
fn send_to_unready_node() {
    let mut bench = Bench::new(BOOTSTRAP, Cluster::of(&[NODE]));
    bench.send(0, 1, 500);
    bench.turn();
    assert_eq!(bench.outcomes(), [(1, "unwritten")]);
    assert!(bench.frames().is_empty());
}

#[test]
fn an_unsupported_version_is_answered_without_the_wire() {
    let mut bench = one();
    bench.send_as(0, 1, 500, 6, true);
    bench.turn();
    assert_eq!(bench.outcomes(), [(1, "unsupported")]);
    assert!(bench.frames().is_empty());
    assert!(bench.is_ready(0));
}

#[test]
fn close_cancels_what_is_in_flight() {
    let mut bench = one();
    bench.send(0, 1, 500);
    let now = bench.now();
    let mut events = Vec::new();
    bench.client.close(now, &mut events);
    bench.events.append(&mut events);
    assert_eq!(bench.outcomes(), [(1, "lost")]);
    assert!(bench.world.lock().open.is_empty());
    assert_eq!(bench.client.total_in_flight(), 0);
}

#[test]
fn max_in_flight_is_kept() {
    let mut bench = one();
    for tag in 0..5 {
        assert!(bench.is_ready(0));
        bench.send(0, tag, 500);
        bench.serve();
    }
    assert!(!bench.is_ready(0));
    assert_eq!(bench.client.poll_delay(NodeId(0), bench.now()), Time::NEVER);
    assert_eq!(bench.client.in_flight(NodeId(0)), 5);
    let frame = bench.inbox.remove(0);
    bench.respond_raw(&frame, frame.header.correlation_id, b"");
    bench.turn();
    assert!(bench.is_ready(0));
}

#[test]
fn request_timeout_closes_the_node_exactly_then() {
    let mut bench = one();
    bench.send(0, 1, 5_000);
    bench.serve();
    bench.send(0, 2, 700);
    bench.serve();
    let sent_at = bench.now();
    let connection = bench.inbox[0].connection;
    bench.wait();
    assert_eq!(bench.now(), sent_at.plus_ms(700));
    assert_eq!(bench.ends()[0].0, ErrorCode::TIMED_OUT);
    assert_eq!(bench.outcomes(), [(1, "lost"), (2, "timed out")]);
    assert!(bench.world.lock().closed.contains(&connection));
    assert!(!bench.is_ready(0));
}

#[test]
fn throttle_time_does_not_count_against_the_request_timeout() {
    let mut bench = one();
    bench.send(0, 1, 700);
    bench.serve();
    let now = bench.now();
    bench.client.throttle(NodeId(0), ApiKey::Produce, 8, 1_000, now);
    assert!(!bench.is_ready(0), "muted");
    assert_eq!(bench.client.poll_delay(NodeId(0), now), now.plus_ms(1_000));
    bench.pass_ms(1_000);
    assert_eq!(bench.count(|event| matches!(event, ClientEvent::Throttled { ms: 1_000, .. })), 1);
    assert!(bench.is_ready(0), "the throttle time is over");
    bench.wait();
    assert_eq!(bench.now(), now.plus_ms(1_700));
    assert_eq!(bench.outcomes(), [(1, "timed out")]);
}

#[test]
fn throttling_by_a_broker_that_delays_by_itself_is_ignored() {
    let mut bench = one();
    let now = bench.now();
    bench.client.throttle(NodeId(0), ApiKey::Produce, 5, 1_000, now);
    bench.client.throttle(NodeId(0), ApiKey::Produce, 8, 0, now);
    bench.client.throttle(NodeId(0), ApiKey::Produce, 8, -5, now);
    assert!(bench.is_ready(0));
    bench.client.throttle(NodeId(0), ApiKey::Produce, 8, 300, now);
    bench.client.throttle(NodeId(0), ApiKey::Produce, 8, 100, now);
    assert_eq!(bench.client.poll_delay(NodeId(0), now), now.plus_ms(300), "the longer one");
}

#[test]
fn without_acks_a_request_is_complete_when_flushed() {
    let mut bench = one();
    bench.world.lock().hold = true;
    bench.send_as(0, 1, 500, 4, false);
    bench.turn();
    assert_eq!(bench.outcomes(), []);
    let frame = bench.frames().remove(0);
    bench.push(NetworkEvent::Sent { id: frame.connection, tag: frame.tag });
    bench.turn();
    assert_eq!(bench.outcomes(), [(1, "ok")]);
    assert!(bench.is_ready(0));
}

#[test]
fn without_acks_a_request_that_cannot_be_flushed_times_out() {
    let mut bench = one();
    bench.world.lock().hold = true;
    bench.send_as(0, 1, 500, 4, false);
    let frame = bench.frames().remove(0);
    bench.world.lock().unsent = vec![frame.tag];
    bench.pass_ms(500);
    assert_eq!(bench.outcomes(), [(1, "never left")]);
}

#[test]
fn what_the_client_closes_tells_which_requests_never_left() {
    let mut bench = one();
    bench.send(0, 1, 500);
    bench.send(0, 2, 500);
    let frame = bench.frames().remove(1);
    bench.world.lock().unsent = vec![frame.tag];
    let now = bench.now();
    bench.client.protocol_failure(NodeId(0), "the produce response lies", now);
    bench.turn();
    assert_eq!(bench.outcomes(), [(1, "lost"), (2, "unwritten")]);
}

#[test]
fn disconnect_with_multiple_in_flights_tells_each_once_and_in_order() {
    let mut bench = one();
    for tag in [1, 2, 3] {
        bench.send(0, tag, 500);
    }
    let frames = bench.frames();
    bench.drop_connection(frames[0].connection, &[frames[2].tag]);
    bench.turn();
    let labels = bench.ends();
    let text = "broker 0 (10.0.0.1:9092): the broker closed the connection";
    assert_eq!(labels, [(ErrorCode::TRANSPORT, text.to_owned())]);
    assert_eq!(bench.outcomes(), [(1, "lost"), (2, "lost"), (3, "unwritten")]);
    bench.pass_ms(20);
    assert_eq!(bench.outcomes(), []);
}

#[test]
fn responses_before_a_disconnect_in_the_same_poll_count() {
    let mut bench = one();
    bench.send(0, 1, 500);
    bench.send(0, 2, 500);
    let frames = bench.frames();
    bench.respond_raw(&frames[0], frames[0].header.correlation_id, b"");
    bench.drop_connection(frames[0].connection, &[]);
    bench.turn();
    assert_eq!(bench.outcomes(), [(1, "ok"), (2, "lost")]);
}

#[test]
fn broken_responses_close_their_connection_and_nothing_else() {
    type Breakage = fn(&Bench, &super::tests_support::Sent);
    let breakages: [(&str, Breakage); 4] = [
        ("correlation id", |bench, frame| {
            bench.respond_raw(frame, frame.header.correlation_id + 1, b"");
        }),
        ("no header", |bench, frame| {
            let bytes = Bytes::from_static(b"\0\0");
            bench.push(NetworkEvent::Received { id: frame.connection, bytes });
        }),
        ("InitProducerId response v4", |bench, frame| {
            let id = frame.header.correlation_id.to_be_bytes();
            // A header that announces tagged fields which are not there.
            let bytes = Bytes::from([&id[..], &[5]].concat());
            bench.push(NetworkEvent::Received { id: frame.connection, bytes });
        }),
        ("a frame of -1 bytes", |bench, frame| {
            let cause = DisconnectCause::InvalidFrame("a frame of -1 bytes".to_owned());
            let id = frame.connection;
            bench.push(NetworkEvent::Disconnected { id, cause, unsent: vec![] });
        }),
    ];
    for (what, breakage) in breakages {
        let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&[NODE, OTHER]), &[0, 1]);
        bench.send(0, 1, 500);
        bench.send(0, 2, 500);
        bench.send(1, 3, 500);
        let frame = bench.frames().remove(0);
        breakage(&bench, &frame);
        bench.turn();
        let ends = bench.ends();
        assert_eq!(ends.len(), 1, "{what}");
        let (code, message) = &ends[0];
        assert_eq!(*code, ErrorCode::PROTOCOL, "{what}");
        assert!(message.starts_with("broker 0 (10.0.0.1:9092): "), "{message}");
        assert!(message.contains(what), "{message}");
        assert_eq!(bench.outcomes(), [(1, "lost"), (2, "lost")], "{what}");
        assert!(bench.is_ready(1) || bench.client.in_flight(NodeId(1)) == 1);
        bench.pass_ms(100);
        bench.serve();
        bench.make_ready(0);
    }
}

#[test]
fn a_response_that_nobody_asked_for_closes_the_connection() {
    let mut bench = one();
    let id = *bench.world.lock().open.keys().next_back().unwrap();
    bench.push(NetworkEvent::Received { id, bytes: Bytes::from_static(&[0; 20]) });
    bench.turn();
    assert_eq!(bench.ends()[0].0, ErrorCode::PROTOCOL);
}

#[test]
fn the_user_of_a_body_can_reject_it() {
    let mut bench = one();
    bench.send(0, 1, 500);
    let now = bench.now();
    bench.client.protocol_failure(NodeId(0), "the produce response lies", now);
    bench.client.protocol_failure(NodeId(9), "unknown node", now);
    bench.turn();
    assert_eq!(bench.ends()[0].0, ErrorCode::PROTOCOL);
    assert_eq!(bench.outcomes(), [(1, "lost")]);
    bench.client.disconnect(NodeId(0), "no connection any more", now);
    bench.turn();
    assert!(bench.ends().is_empty());
}

#[test]
fn correlation_ids_grow_and_leave_the_last_eight_to_sasl() {
    let mut bench = one();
    let first = bench.client.next_correlation_id();
    assert_eq!(bench.client.next_correlation_id(), first + 1);
    bench.client.next_correlation_id = i32::MAX - 8;
    assert_eq!(bench.client.next_correlation_id(), i32::MAX - 8);
    assert_eq!(bench.client.next_correlation_id(), 0);
}

#[test]
fn an_idle_client_sleeps_until_the_metadata_gets_old() {
    let mut bench = one();
    let now = bench.now();
    let deadline = bench.client.next_deadline(now);
    assert!(deadline <= now.plus_ms(MAX_AGE_MS));
    assert!(deadline >= now.plus_ms(MAX_AGE_MS - 2_000), "{deadline:?}");
    let polls = bench.world.lock().polls;
    bench.wait();
    assert_eq!(bench.now(), deadline);
    assert_eq!(bench.world.lock().polls, polls + 1);
    assert_eq!(bench.frames()[0].header.key, ApiKey::Metadata);
}
