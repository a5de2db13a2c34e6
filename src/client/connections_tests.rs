//! Tests of connections: look-ups, addresses, patience, backoff, ApiVersions.

use crate::error::ErrorCode;
use crate::metadata::NodeId;
use crate::protocol::age::AGE_VERSION;
use crate::protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use crate::protocol::{decode_request, encode_response, ApiKey};
use crate::time::Time;

use super::event::ClientEvent;
use super::network::{DisconnectCause, NetworkEvent};
use super::tests_support::{Bench, Cluster, Sent};

const NAMED: &str = "kafka:9092";
const LITERAL: &str = "10.0.0.1:9092";
const NODE: (i32, &str, i32) = (0, "10.0.0.1", 9092);

fn near(time: Time, from: Time, nominal_ms: u64) {
    let (low, high) = (from.plus_ms(nominal_ms * 8 / 10), from.plus_ms(nominal_ms * 12 / 10));
    assert!(time >= low && time <= high, "{time:?} is not about {nominal_ms} ms after {from:?}");
}

/// A client whose bootstrap connection stands and has asked for versions.
fn asking() -> (Bench, Sent) {
    let mut bench = Bench::new(LITERAL, Cluster::of(&[NODE]));
    bench.turn();
    let (id, _) = bench.attempts()[0];
    bench.push(NetworkEvent::Connected(id));
    bench.turn();
    let frame = bench.frames().remove(0);
    bench.turn();
    (bench, frame)
}

#[test]
fn names_are_looked_up_and_literal_addresses_are_not() {
    let mut bench = Bench::new("kafka:9092", Cluster::of(&[NODE]));
    bench.turn();
    assert_eq!(bench.lookups()[0].1, "kafka");
    assert!(bench.attempts().is_empty());
    let mut bench = Bench::new("[::1]:9092", Cluster::of(&[NODE]));
    bench.turn();
    assert!(bench.lookups().is_empty());
    assert_eq!(bench.attempts()[0].1, "[::1]:9092".parse().unwrap());
}

#[test]
fn dns_lookup_failure_backs_off_and_is_tried_again() {
    let mut bench = Bench::new(NAMED, Cluster::of(&[NODE]));
    bench.turn();
    let (lookup, _) = bench.lookups()[0];
    bench.push(NetworkEvent::Resolved { lookup, result: Err("no such host".to_owned()) });
    bench.turn();
    let (code, message) = bench.ends().remove(0);
    assert_eq!(code, ErrorCode::RESOLVE);
    assert!(message.contains("bootstrap server kafka:9092"), "{message}");
    assert!(message.contains("no such host"), "{message}");
    bench.pass_ms(100);
    let (lookup, _) = bench.lookups()[0];
    bench.resolved(lookup, &[]);
    bench.turn();
    assert!(bench.ends()[1].1.contains("no address"));
}

#[test]
fn every_address_is_tried_at_once_and_then_the_name_is_looked_up_again() {
    let mut bench = Bench::new(NAMED, Cluster::of(&[NODE]));
    bench.turn();
    let (lookup, _) = bench.lookups()[0];
    bench.resolved(lookup, &["[::1]:9092", "127.0.0.1:9092"]);
    bench.turn();
    let began = bench.now();
    let (first, address) = bench.attempts()[0];
    assert_eq!(address, "[::1]:9092".parse().unwrap());
    bench.refuse(first);
    bench.turn();
    let (second, address) = bench.attempts()[0];
    assert_eq!(address, "127.0.0.1:9092".parse().unwrap());
    assert_eq!(bench.now(), began, "no backoff between the addresses of a name");
    assert!(bench.ends().is_empty(), "nothing is lost yet");
    bench.refuse(second);
    bench.turn();
    assert!(bench.ends()[0].1.contains("connection refused"));
    assert!(bench.lookups().is_empty(), "backing off");
    bench.pass_ms(60);
    assert_eq!(bench.lookups().len(), 1);
}

#[test]
fn after_an_established_connection_the_address_just_used_comes_last() {
    let mut bench = Bench::new(NAMED, Cluster::of(&[(0, "kafka", 9092)]));
    bench.serve();
    assert!(!bench.is_ready(0));
    let (lookup, _) = bench.lookups()[0];
    bench.resolved(lookup, &["10.0.0.1:9092", "10.0.0.2:9092"]);
    bench.turn();
    let (id, address) = bench.attempts()[0];
    assert_eq!(address, "10.0.0.1:9092".parse().unwrap());
    bench.push(NetworkEvent::Connected(id));
    bench.serve();
    assert!(bench.is_ready(0));
    bench.drop_connection(id, &[]);
    bench.turn();
    bench.pass_ms(60);
    bench.serve();
    bench.is_ready(0);
    let (lookup, _) = bench.lookups()[0];
    bench.resolved(lookup, &["10.0.0.1:9092", "10.0.0.2:9092"]);
    bench.turn();
    assert_eq!(bench.attempts()[0].1, "10.0.0.2:9092".parse().unwrap());
}

#[test]
fn a_node_with_a_new_hostname_is_connected_there_next_time() {
    let mut bench = Bench::ready(LITERAL, Cluster::of(&[NODE]), &[0]);
    bench.cluster.brokers[0].1 = "10.0.0.9";
    bench.metadata.request_update();
    bench.pass_ms(200);
    bench.serve();
    let id = *bench.world.lock().open.keys().next_back().unwrap();
    bench.drop_connection(id, &[]);
    bench.turn();
    bench.pass_ms(60);
    bench.attempts();
    bench.is_ready(0);
    let reached = bench.attempts();
    assert!(reached.iter().any(|(_, to)| *to == "10.0.0.9:9092".parse().unwrap()), "{reached:?}");
}

#[test]
fn exponential_reconnect_backoff_up_to_its_maximum() {
    let mut bench = Bench::new(LITERAL, Cluster::of(&[NODE]));
    for nominal in [50, 100, 200, 400, 800] {
        bench.turn();
        let attempts = bench.attempts();
        assert_eq!(attempts.len(), 1);
        bench.refuse(attempts[0].0);
        bench.turn();
        let now = bench.now();
        let next = bench.client.poll_delay(NodeId(-1), now);
        near(next, now, nominal);
        assert_eq!(bench.client.next_deadline(now), next, "metadata waits for it");
        bench.wait();
        assert_eq!(bench.now(), next);
    }
    for _ in 0..5 {
        bench.turn();
        bench.refuse(bench.attempts()[0].0);
        bench.turn();
        let now = bench.now();
        assert!(bench.client.poll_delay(NodeId(-1), now) <= now.plus_ms(1_000));
        bench.wait();
    }
}

#[test]
fn reconnect_backoff_without_growth_is_constant_and_ready_resets_it() {
    let mut bench = Bench::with(LITERAL, Cluster::of(&[NODE]), |settings, _| {
        settings.reconnect_backoff_ms = 70;
        settings.reconnect_backoff_max_ms = 70;
    });
    for _ in 0..3 {
        bench.turn();
        bench.refuse(bench.attempts()[0].0);
        bench.turn();
        let now = bench.now();
        assert_eq!(bench.client.poll_delay(NodeId(-1), now), now.plus_ms(70));
        bench.wait();
    }
    assert_eq!(bench.client.peers[&NodeId(-1)].failures, 3);
    bench.serve();
    assert_eq!(bench.client.peers[&NodeId(-1)].failures, 0);
}

#[test]
fn connection_setup_timeout_grows_and_a_connection_resets_it() {
    let mut bench = Bench::new(LITERAL, Cluster::of(&[NODE]));
    for nominal in [10_000, 20_000, 30_000] {
        bench.turn();
        assert_eq!(bench.attempts().len(), 1);
        let began = bench.client.peers[&NodeId(-1)].last_attempt;
        bench.wait();
        assert!(bench.now() >= began.plus_ms(nominal * 8 / 10));
        assert!(bench.now() <= began.plus_ms((nominal * 12 / 10).min(30_000)));
        let (code, message) = bench.ends().pop().unwrap();
        assert_eq!(code, ErrorCode::TRANSPORT);
        assert!(message.contains("no connection within"), "{message}");
        bench.pass_ms(1_000);
    }
    assert_eq!(bench.client.peers[&NodeId(-1)].setup_failures, 3);
    bench.push(NetworkEvent::Connected(bench.attempts().pop().unwrap().0));
    bench.turn();
    assert_eq!(bench.client.peers[&NodeId(-1)].setup_failures, 0);
}

#[test]
fn an_attempt_that_cannot_begin_is_a_failed_one() {
    let mut bench = Bench::new(LITERAL, Cluster::of(&[NODE]));
    bench.world.lock().no_descriptors = true;
    bench.turn();
    assert!(bench.ends()[0].1.contains("no descriptors"));
    bench.pass_ms(10_000);
    let polls = bench.world.lock().polls;
    assert!(polls < 40, "{polls} polls: the client spins");
    bench.world.lock().no_descriptors = false;
    bench.pass_ms(1_000);
    bench.serve();
    bench.make_ready(0);
}

#[test]
fn api_versions_carries_the_software_name_in_the_newest_version() {
    let (_, frame) = asking();
    assert_eq!((frame.header.key, frame.header.version), (ApiKey::ApiVersions, 4));
    let request: ApiVersionsRequest =
        decode_request(ApiKey::ApiVersions, 4, frame.header.body).unwrap();
    assert_eq!(request.client_software_name.as_str(), "ottla");
    assert_eq!(request.client_software_version.as_str(), env!("CARGO_PKG_VERSION"));
}

/// Answers as a broker does that does not know the version: in the form of v0.
fn refuse_version(bench: &Bench, frame: &Sent, response: &ApiVersionsResponse) {
    let id = frame.header.correlation_id;
    let bytes = encode_response(ApiKey::ApiVersions, 0, id, response).unwrap().slice(4..);
    bench.push(NetworkEvent::Received { id: frame.connection, bytes });
}

#[test]
fn unsupported_api_versions_with_version_provided_by_the_broker() {
    let (mut bench, frame) = asking();
    bench.cluster.ranges = vec![(ApiKey::ApiVersions, 0, 2)];
    refuse_version(&bench, &frame, &bench.cluster.versions().with_error_code(35));
    bench.turn();
    assert_eq!(bench.frames()[0].header.version, 2);
    assert!(bench.ends().is_empty());
}

#[test]
fn unsupported_api_versions_without_version_provided_by_the_broker() {
    let (mut bench, frame) = asking();
    refuse_version(&bench, &frame, &ApiVersionsResponse::default().with_error_code(35));
    bench.turn();
    let next = bench.frames().remove(0);
    assert_eq!(next.header.version, 0);
    bench.respond(&next, &bench.cluster.versions());
    bench.serve();
    bench.make_ready(0);
}

#[test]
fn unsupported_api_versions_with_nothing_readable_falls_back_to_version_0() {
    let (mut bench, frame) = asking();
    bench.respond_raw(&frame, frame.header.correlation_id, &[0, 35, 9]);
    bench.turn();
    assert_eq!(bench.frames()[0].header.version, 0);
}

#[test]
fn a_broker_that_refuses_what_it_lists_is_asked_with_version_0_and_then_left() {
    let (mut bench, frame) = asking();
    let refusal = bench.cluster.versions().with_error_code(35);
    refuse_version(&bench, &frame, &refusal);
    bench.turn();
    let next = bench.frames().remove(0);
    assert_eq!(next.header.version, 0, "it lists version 4, which it refused");
    refuse_version(&bench, &next, &refusal);
    bench.turn();
    assert!(bench.frames().is_empty());
    assert_eq!(bench.ends().len(), 1);
}

#[test]
fn any_other_error_of_api_versions_disconnects() {
    let (mut bench, frame) = asking();
    bench.respond(&frame, &ApiVersionsResponse::default().with_error_code(58));
    bench.turn();
    assert!(bench.ends()[0].1.contains("ApiVersions failed"));
    assert!(bench.world.lock().open.is_empty());
}

#[test]
fn truncated_api_versions_disconnects_with_a_protocol_error() {
    let (mut bench, frame) = asking();
    bench.respond_raw(&frame, frame.header.correlation_id, &[0, 0, 200]);
    bench.turn();
    assert_eq!(bench.ends()[0].0, ErrorCode::PROTOCOL);
}

#[test]
fn a_server_that_disconnects_at_api_versions_is_named() {
    let (mut bench, frame) = asking();
    bench.drop_connection(frame.connection, &[]);
    bench.turn();
    assert!(bench.ends()[0].1.contains("before it told what it speaks"));
    assert_eq!(bench.client.total_in_flight(), 0);
}

#[test]
fn silence_at_api_versions_is_short_only_as_long_as_nobody_answered_anything() {
    let (mut bench, _) = asking();
    // Each question in turn, in vain.
    for patience_ms in [1_000, 5_000, 30_000, 5_000, 30_000] {
        let (began, ends) = (bench.now(), bench.ends().len());
        while bench.ends().len() == ends {
            bench.wait();
        }
        assert_eq!(bench.now(), began.plus_ms(patience_ms));
        assert_eq!(bench.ends()[ends].0, ErrorCode::TIMED_OUT);
        next_frame(&mut bench);
    }
}

/// Turns until the client sends something, or has made an attempt that is answered.
fn next_frame(bench: &mut Bench) -> Sent {
    for _ in 0..60 {
        let attempts: Vec<_> = bench.attempts();
        for (connection, _) in attempts {
            bench.push(NetworkEvent::Connected(connection));
        }
        bench.turn();
        if let Some(frame) = bench.frames().pop() {
            return frame;
        }
        bench.pass_ms(50);
    }
    panic!("the client sends nothing");
}

#[test]
fn no_number_of_broken_connections_makes_a_broker_old() {
    let (mut bench, mut frame) = asking();
    for n in 0..20 {
        let asked = (frame.header.key, frame.header.version);
        let expected =
            if n % 2 == 0 { (ApiKey::ApiVersions, 4) } else { (ApiKey::Produce, AGE_VERSION) };
        assert_eq!(asked, expected, "{n}");
        bench.drop_connection(frame.connection, &[]);
        frame = next_frame(&mut bench);
    }
    assert_eq!(bench.count(|event| matches!(event, ClientEvent::Ready(_))), 0);
}

#[test]
fn an_answer_to_the_question_of_age_makes_a_broker_old_for_that_connection() {
    let (mut bench, first) = asking();
    bench.drop_connection(first.connection, &[]);
    let second = next_frame(&mut bench);
    assert_eq!(bench.count(|event| matches!(event, ClientEvent::BrokersUnreachable(_))), 0);
    answer_age(&bench, &second, &[0; 4]);
    let third = next_frame(&mut bench);
    assert_eq!((third.header.key, third.header.version), (ApiKey::Metadata, 0));
    assert_eq!(third.connection, second.connection);
    // The next connection is asked the same; if it was upgraded meanwhile, it closes that one.
    bench.drop_connection(third.connection, &[]);
    let fourth = next_frame(&mut bench);
    assert_eq!((fourth.header.key, fourth.header.version), (ApiKey::Produce, AGE_VERSION));
    bench.drop_connection(fourth.connection, &[]);
    assert_eq!(next_frame(&mut bench).header.key, ApiKey::ApiVersions);
}

/// What a broker before 0.10 says to Produce has the oldest header.
fn answer_age(bench: &Bench, to: &Sent, body: &[u8]) {
    let mut bytes = to.header.correlation_id.to_be_bytes().to_vec();
    bytes.extend(body);
    bench.push(NetworkEvent::Received { id: to.connection, bytes: bytes.into() });
}

#[test]
fn any_other_answer_to_the_question_of_age_proves_nothing() {
    for body in [&[0u8, 35][..], &[0, 0, 0, 1], &[0; 10]] {
        let (mut bench, first) = asking();
        bench.drop_connection(first.connection, &[]);
        let second = next_frame(&mut bench);
        answer_age(&bench, &second, body);
        assert_eq!(next_frame(&mut bench).header.key, ApiKey::ApiVersions, "the turns go on");
        assert_eq!(bench.count(|event| matches!(event, ClientEvent::Ready(_))), 0, "{body:?}");
    }
}

#[test]
fn throttling_in_api_versions_mutes_the_new_connection() {
    let (mut bench, frame) = asking();
    bench.respond(&frame, &bench.cluster.versions().with_throttle_time_ms(500));
    bench.turn();
    assert!(bench.frames().is_empty(), "no metadata request yet");
    let now = bench.now();
    assert_eq!(bench.client.next_deadline(now), now.plus_ms(500));
    bench.wait();
    assert_eq!(bench.frames()[0].header.key, ApiKey::Metadata);
}

#[test]
fn an_idle_connection_ends_without_backoff_event_or_update() {
    let mut bench = Bench::ready(LITERAL, Cluster::of(&[NODE]), &[0]);
    let id = *bench.world.lock().open.keys().next_back().unwrap();
    bench.push(NetworkEvent::Disconnected { id, cause: DisconnectCause::Idle, unsent: vec![] });
    bench.pass_ms(1);
    assert!(bench.events.is_empty());
    bench.pass_ms(1_000);
    assert!(bench.attempts().is_empty(), "no metadata update");
    assert!(!bench.is_ready(0));
    assert_eq!(bench.attempts().len(), 1, "at once");
}

#[test]
fn connection_delay_in_each_phase() {
    let mut bench = Bench::new(LITERAL, Cluster::of(&[(0, "kafka", 9092)]));
    let delay = |bench: &Bench| bench.client.poll_delay(NodeId(0), bench.now());
    assert_eq!(delay(&bench), Time::NEVER, "not in the metadata");
    bench.serve();
    assert_eq!(delay(&bench), bench.now(), "disconnected");
    bench.is_ready(0);
    assert_eq!(delay(&bench), Time::NEVER, "resolving");
    let (lookup, _) = bench.lookups()[0];
    bench.resolved(lookup, &["10.0.0.3:9092"]);
    bench.turn();
    assert_eq!(delay(&bench), Time::NEVER, "connecting");
    let (id, _) = bench.attempts()[0];
    bench.push(NetworkEvent::Connected(id));
    bench.turn();
    assert_eq!(delay(&bench), Time::NEVER, "checking versions");
    let frame = bench.frames().pop().unwrap();
    bench.respond(&frame, &bench.cluster.versions());
    bench.turn();
    assert_eq!(delay(&bench), bench.now(), "ready");
    bench.drop_connection(id, &[]);
    bench.turn();
    near(delay(&bench), bench.now(), 50);
}

#[test]
fn brokers_unreachable_is_told_once_until_one_is_reached() {
    let unreachable = |event: &ClientEvent| matches!(event, ClientEvent::BrokersUnreachable(_));
    let mut bench = Bench::new("10.0.0.1:9092,10.0.0.2:9092", Cluster::of(&[NODE]));
    for _ in 0..6 {
        bench.turn();
        bench.attempts().into_iter().for_each(|(id, _)| bench.refuse(id));
        bench.turn();
        bench.wait();
    }
    assert_eq!(bench.count(unreachable), 1);
    let told = bench.events.iter().find_map(|event| match event {
        ClientEvent::BrokersUnreachable(error) => Some(error.message().to_owned()),
        _ => None,
    });
    assert!(told.unwrap().contains("no broker can be reached (2 tried); last: bootstrap server"));
    bench.serve();
    bench.make_ready(0);
    bench.events.clear();
    let (ids, _): (Vec<_>, Vec<_>) = bench.world.lock().open.clone().into_iter().unzip();
    ids.into_iter().for_each(|id| bench.drop_connection(id, &[]));
    bench.turn();
    assert_eq!(bench.count(unreachable), 1, "again, after one was reached");
}
