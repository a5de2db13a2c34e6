//! Tests of metadata updates by the client: priority, failures, choice of the node, rebootstrap.

use crate::error::ErrorCode;
use crate::metadata::{LeaderHint, NodeId};
use crate::protocol::messages::{MetadataRequest, MetadataResponse};
use crate::protocol::{decode_request, ApiKey};
use crate::time::Time;

use super::event::ClientEvent;
use super::network::NetworkEvent;
use super::tests_support::{Bench, Cluster, Sent};

const BOOTSTRAP: &str = "10.0.0.9:9092";
const THREE: [(i32, &str, i32); 3] =
    [(0, "10.0.0.1", 9092), (1, "10.0.0.2", 9092), (2, "10.0.0.3", 9092)];

fn updated(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::MetadataUpdated)
}

fn failures(bench: &Bench) -> Vec<(ErrorCode, String)> {
    let failed = |event: &ClientEvent| match event {
        ClientEvent::MetadataFailed(error) => Some((error.code(), error.message().to_owned())),
        _ => None,
    };
    bench.events.iter().filter_map(failed).collect()
}

/// Nodes 0 and so on are ready, and a Metadata request went to one of them.
fn updating(nodes: usize) -> (Bench, Sent) {
    let indices: Vec<i32> = (0..nodes as i32).collect();
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE[..nodes]), &indices);
    bench.pass_ms(150);
    bench.metadata.request_update();
    bench.turn();
    let frame = bench.frames().remove(0);
    assert_eq!(frame.header.key, ApiKey::Metadata);
    bench.turn();
    (bench, frame)
}

#[test]
fn the_request_names_the_wanted_topics_and_may_create_them() {
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE[..1]), &[0]);
    for (topic, create) in [("a", true), ("b", true)] {
        bench.metadata.want_topic(topic, bench.now());
        bench.turn();
        let frame = bench.frames().remove(0);
        assert_eq!(frame.header.version, 13);
        let request: MetadataRequest =
            decode_request(ApiKey::Metadata, 13, frame.header.body.clone()).unwrap();
        let names: Vec<_> =
            request.topics.iter().flatten().filter_map(|topic| topic.name.clone()).collect();
        assert_eq!(names.len(), 1, "new topics alone");
        assert_eq!(names[0].as_str(), topic);
        assert_eq!(request.allow_auto_topic_creation, create);
        bench.respond(&frame, &bench.cluster.metadata(&request));
        bench.turn();
    }
}

#[test]
fn without_auto_creation_a_broker_without_metadata_v4_is_not_asked() {
    let mut cluster = Cluster::of(&THREE[..1]);
    cluster.ranges = vec![(ApiKey::Metadata, 0, 3), (ApiKey::ApiVersions, 0, 3)];
    let mut bench = Bench::with(BOOTSTRAP, cluster, |_, metadata| {
        metadata.allow_auto_topic_creation = false;
    });
    bench.serve();
    assert_eq!(failures(&bench)[0].0, ErrorCode::UNSUPPORTED_VERSION);
    assert_eq!(bench.client.total_in_flight(), 0);
    bench.pass_ms(10_000);
    assert!(bench.world.lock().polls < 60, "the failures back off");
}

#[test]
fn old_versions_of_metadata_work() {
    for newest in 0..=13 {
        let mut cluster = Cluster::of(&THREE[..1]);
        cluster.ranges = vec![(ApiKey::Metadata, 0, newest), (ApiKey::ApiVersions, 0, 0)];
        cluster.topics.push(("orders", vec![0]));
        let mut bench = Bench::new(BOOTSTRAP, cluster);
        bench.metadata.want_topic("orders", bench.now());
        bench.serve();
        let leader = bench.metadata.snapshot().partition("orders", 0).unwrap().leader;
        assert_eq!(leader, Some(NodeId(0)), "v{newest}");
    }
}

#[test]
fn a_due_update_takes_the_last_room_before_produce() {
    let mut bench = Bench::with(BOOTSTRAP, Cluster::of(&THREE[..1]), |settings, _| {
        settings.max_in_flight = 1;
    });
    bench.serve();
    bench.make_ready(0);
    bench.pass_ms(150);
    bench.metadata.request_update();
    assert!(!bench.is_ready(0), "the update took the place");
    assert_eq!(bench.frames()[0].header.key, ApiKey::Metadata);
}

#[test]
fn a_due_update_takes_the_first_room_that_a_response_makes() {
    let mut bench = Bench::with(BOOTSTRAP, Cluster::of(&THREE[..1]), |settings, _| {
        settings.max_in_flight = 1;
    });
    bench.serve();
    bench.make_ready(0);
    bench.pass_ms(150);
    bench.send(0, 1, 10_000);
    bench.metadata.request_update();
    bench.serve();
    assert_eq!(bench.client.in_flight(NodeId(0)), 1, "no room for the update");
    let frame = bench.inbox.pop().unwrap();
    bench.respond_raw(&frame, frame.header.correlation_id, b"");
    bench.turn();
    assert!(!bench.is_ready(0));
    assert_eq!(bench.frames()[0].header.key, ApiKey::Metadata);
}

#[test]
fn an_update_that_can_go_nowhere_does_not_block_produce() {
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE[..2]), &[0]);
    bench.pass_ms(150);
    bench.turn();
    // The update is due, and the attempt to connect elsewhere that it waits for hangs.
    for tag in 0..5 {
        bench.send(0, tag, 60_000);
        bench.serve();
    }
    bench.metadata.request_update();
    bench.turn();
    bench.attempts();
    let frame = bench.inbox.remove(0);
    bench.respond_raw(&frame, frame.header.correlation_id, b"");
    bench.turn();
    assert_eq!(bench.frames().pop().unwrap().header.key, ApiKey::Metadata, "room: it goes first");
    let frame = bench.inbox.remove(0);
    bench.respond_raw(&frame, frame.header.correlation_id, b"");
    bench.turn();
    assert!(bench.is_ready(0), "the unanswered update keeps nobody from sending");
}

#[test]
fn produce_goes_on_while_the_update_waits_for_a_connection() {
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE[..2]), &[0]);
    bench.pass_ms(150);
    bench.world.lock().hold = true;
    bench.send(0, 1, 60_000);
    bench.metadata.request_update();
    bench.turn();
    assert_eq!(bench.attempts().len(), 1, "the busy broker may be stuck: another is tried");
    let frame = bench.frames().remove(0);
    bench.push(NetworkEvent::Sent { id: frame.connection, tag: frame.tag });
    bench.turn();
    assert_eq!(bench.frames().remove(0).header.key, ApiKey::Metadata);
    assert_eq!(bench.client.total_in_flight(), 2);
}

#[test]
fn only_one_update_is_in_flight() {
    let (mut bench, _) = updating(2);
    bench.metadata.want_topic("new", bench.now());
    bench.metadata.request_update();
    bench.pass_ms(5_000);
    assert!(bench.frames().is_empty());
}

#[test]
fn disconnect_during_a_metadata_request_fails_it_and_another_node_is_asked() {
    let (mut bench, frame) = updating(2);
    bench.drop_connection(frame.connection, &[]);
    bench.turn();
    assert_eq!(failures(&bench)[0].0, ErrorCode::TRANSPORT);
    bench.pass_ms(130);
    let next = bench.frames().remove(0);
    assert_eq!(next.header.key, ApiKey::Metadata);
    assert_ne!(next.connection, frame.connection);
}

#[test]
fn a_metadata_request_that_times_out_closes_its_node() {
    let (mut bench, _) = updating(2);
    bench.pass_ms(30_000);
    assert_eq!(failures(&bench)[0].0, ErrorCode::TIMED_OUT);
    assert_eq!(bench.ends().len(), 1);
}

#[test]
fn an_answer_without_brokers_is_a_failed_update() {
    let (mut bench, frame) = updating(1);
    let before = bench.metadata.version();
    bench.respond(&frame, &MetadataResponse::default());
    bench.turn();
    assert_eq!(failures(&bench)[0].0, ErrorCode::BROKER_NOT_AVAILABLE);
    assert_eq!(bench.metadata.version(), before);
    assert!(bench.is_ready(0), "no reason to disconnect");
    bench.pass_ms(130);
    assert_eq!(bench.frames().len(), 1, "tried again");
}

#[test]
fn broken_metadata_closes_the_connection_with_a_protocol_error() {
    for breakage in 0..2 {
        let (mut bench, frame) = updating(2);
        if breakage == 0 {
            bench.respond_raw(&frame, frame.header.correlation_id, &[0, 0, 0, 0, 255]);
        } else {
            let impossible = Cluster::of(&[(-3, "10.0.0.1", 9092)]);
            bench.respond(&frame, &impossible.metadata(&MetadataRequest::default()));
        }
        bench.turn();
        assert_eq!(failures(&bench)[0].0, ErrorCode::PROTOCOL);
        assert_eq!(bench.ends().len(), 1);
        assert_eq!(bench.ends()[0].0, ErrorCode::PROTOCOL);
        bench.pass_ms(130);
        assert_eq!(bench.frames().len(), 1, "tried elsewhere");
    }
}

#[test]
fn throttling_in_metadata_mutes_the_node() {
    let (mut bench, frame) = updating(1);
    let answer = bench.cluster.metadata(&MetadataRequest::default());
    bench.respond(&frame, &answer.with_throttle_time_ms(400));
    bench.turn();
    assert!(!bench.is_ready(0));
    let now = bench.now();
    assert_eq!(bench.client.poll_delay(NodeId(0), now), now.plus_ms(400));
}

#[test]
fn bootstrap_connections_are_left_when_brokers_are_known() {
    let mut bench = Bench::new(BOOTSTRAP, Cluster::of(&THREE));
    bench.serve();
    assert!(bench.world.lock().open.is_empty());
    assert_eq!(bench.count(|event| matches!(event, ClientEvent::Disconnected { .. })), 0);
}

#[test]
fn a_broker_that_leaves_the_cluster_is_left_when_its_requests_are_done() {
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE[..2]), &[0, 1]);
    bench.send(1, 7, 10_000);
    bench.serve();
    bench.cluster.brokers.pop();
    bench.pass_ms(150);
    bench.metadata.request_update();
    bench.serve();
    assert!(!bench.is_ready(1));
    assert_eq!(bench.client.in_flight(NodeId(1)), 1);
    let frame = bench.inbox.pop().unwrap();
    bench.respond_raw(&frame, frame.header.correlation_id, b"");
    bench.turn();
    assert_eq!(bench.outcomes(), [(7, "ok")]);
    assert!(bench.world.lock().closed.contains(&frame.connection));
    assert!(!bench.client.peers.contains_key(&NodeId(1)));
}

/// Found by the simulator: such a node was not ready, and nothing said when to ask again but at once.
#[test]
fn a_broker_that_left_with_requests_in_flight_is_back_when_a_response_names_it_as_leader() {
    let mut cluster = Cluster::of(&THREE[..2]);
    cluster.topics.push(("t", vec![0]));
    let mut bench = Bench::ready(BOOTSTRAP, cluster, &[0, 1]);
    let now = bench.now();
    bench.metadata.want_topic("t", now);
    bench.serve();
    bench.send(1, 7, 10_000);
    bench.serve();
    let back = bench.metadata.snapshot().nodes[&NodeId(1)].clone();
    bench.cluster.brokers.pop();
    bench.pass_ms(150);
    bench.metadata.request_update();
    bench.serve();
    assert!(!bench.is_ready(1));
    assert_eq!(bench.client.poll_delay(NodeId(1), bench.now()), Time::NEVER, "it left");
    let hint = LeaderHint { topic: "t", partition: 0, leader: NodeId(1), leader_epoch: 9 };
    assert!(bench.metadata.update_leadership(&[hint], &[back]));
    assert_eq!(bench.client.poll_delay(NodeId(1), bench.now()), bench.now());
    assert!(bench.is_ready(1));
}

#[test]
fn least_loaded_node_is_the_ready_one_with_the_fewest_in_flight() {
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE), &[0, 1, 2]);
    bench.send(0, 1, 10_000);
    bench.send(1, 2, 10_000);
    bench.serve();
    bench.send(1, 3, 10_000);
    bench.serve();
    for _ in 0..20 {
        assert_eq!(bench.client.least_loaded(bench.now()), Some(NodeId(2)));
    }
    bench.client.throttle(NodeId(2), ApiKey::Produce, 8, 1_000, bench.now());
    for _ in 0..20 {
        assert_eq!(bench.client.least_loaded(bench.now()), Some(NodeId(0)), "2 is throttled");
    }
}

#[test]
fn least_loaded_node_prefers_the_oldest_attempt_among_the_disconnected() {
    let mut bench = Bench::new("10.0.0.1:1,10.0.0.2:1,10.0.0.3:1", Cluster::of(&THREE));
    let mut tried = std::collections::BTreeSet::new();
    for _ in 0..3 {
        bench.turn();
        let (id, address) = bench.attempts()[0];
        assert!(bench.client.least_loaded(bench.now()).is_none(), "one is under way");
        tried.insert(address);
        bench.pass_ms(1);
        bench.refuse(id);
        bench.turn();
        if tried.len() < 3 {
            assert_eq!(bench.world.lock().attempts.len(), 1, "the next one at once");
        }
    }
    assert_eq!(tried.len(), 3);
}

#[test]
fn least_loaded_nodes_are_spread_over_the_brokers() {
    let mut bench = Bench::ready(BOOTSTRAP, Cluster::of(&THREE), &[0, 1, 2]);
    let now = bench.now();
    let seen: std::collections::BTreeSet<_> =
        (0..50).filter_map(|_| bench.client.least_loaded(now)).collect();
    assert_eq!(seen.len(), 3);
}

/// All connections break and every further attempt is refused, for `ms`.
fn outage(bench: &mut Bench, ms: u64) {
    let open: Vec<_> = bench.world.lock().open.keys().copied().collect();
    open.into_iter().for_each(|id| bench.drop_connection(id, &[]));
    let end = bench.now().plus_ms(ms);
    while bench.now() < end {
        bench.turn();
        bench.attempts().into_iter().for_each(|(id, _)| bench.refuse(id));
        bench.pass_ms(5);
    }
}

#[test]
fn when_no_known_broker_can_be_reached_the_bootstrap_servers_are_asked_again() {
    let mut cluster = Cluster::of(&THREE);
    cluster.topics.push(("orders", vec![0, 1, 2]));
    let mut bench = Bench::ready(BOOTSTRAP, cluster, &[0, 1, 2]);
    bench.metadata.want_topic("orders", bench.now());
    bench.serve();
    outage(&mut bench, 300);
    let snapshot = bench.metadata.snapshot();
    assert!(snapshot.is_bootstrap());
    assert_eq!(snapshot.topic("orders").unwrap().partitions.len(), 3, "still known");
    assert_eq!(snapshot.partition("orders", 1).unwrap().leader, None);
    bench.cluster.brokers = vec![(7, "10.0.0.7", 9092)];
    bench.cluster.topics = vec![("orders", vec![7, 7, 7])];
    bench.pass_ms(1_000);
    bench.serve();
    bench.pass_ms(1_000);
    bench.serve();
    let leader = bench.metadata.snapshot().partition("orders", 2).unwrap().leader;
    assert_eq!(leader, Some(NodeId(7)));
    bench.make_ready(7);
}

#[test]
fn with_recovery_strategy_none_the_known_brokers_are_kept() {
    let mut bench = Bench::with(BOOTSTRAP, Cluster::of(&THREE), |settings, _| {
        settings.rebootstrap = false;
    });
    bench.serve();
    bench.make_ready(0);
    outage(&mut bench, 2_000);
    assert!(!bench.metadata.snapshot().is_bootstrap());
}

#[test]
fn updates_that_fail_for_the_trigger_time_rebootstrap_once_and_fail_what_is_in_flight() {
    let mut bench = Bench::with(BOOTSTRAP, Cluster::of(&THREE[..1]), |settings, _| {
        settings.rebootstrap_trigger_ms = 2_000;
    });
    bench.serve();
    bench.make_ready(0);
    bench.send(0, 1, 600_000);
    bench.serve();
    bench.pass_ms(150);
    bench.metadata.request_update();
    let since = bench.now();
    bench.events.clear();
    // The broker answers, but never with a cluster.
    while !bench.metadata.snapshot().is_bootstrap() {
        bench.wait();
        for frame in bench.frames() {
            bench.respond(&frame, &MetadataResponse::default());
        }
    }
    assert_eq!(bench.now(), since.plus_ms(2_000), "exactly then");
    assert_eq!(bench.count(updated), 1);
    assert_eq!(bench.outcomes(), [(1, "lost")]);
    bench.pass_ms(10_000);
    assert_eq!(bench.count(updated), 0, "the bootstrap servers are in use already");
    bench.serve();
    bench.make_ready(0);
}

/// Found by the simulator: a large request on a slow connection was cut off for want of metadata.
#[test]
fn a_busy_connection_is_not_given_up_for_an_update_that_nobody_could_send() {
    let mut bench = Bench::with(BOOTSTRAP, Cluster::of(&THREE[..1]), |settings, _| {
        settings.rebootstrap_trigger_ms = 2_000;
        settings.max_in_flight = 1;
    });
    bench.serve();
    bench.make_ready(0);
    bench.send(0, 1, 600_000);
    let frame = bench.frames().remove(0);
    bench.metadata.request_update();
    bench.pass_ms(10_000);
    assert_eq!(bench.outcomes(), [], "it goes on");
    bench.respond_raw(&frame, frame.header.correlation_id, b"");
    bench.serve();
    assert_eq!(bench.outcomes(), [(1, "ok")]);
    assert!(!bench.metadata.snapshot().is_bootstrap());
    assert!(bench.metadata.next_update() > bench.now(), "the update found its room");
}

#[test]
fn rebootstrap_required_by_a_broker_is_done_at_once_but_not_in_a_loop() {
    let (mut bench, frame) = updating(2);
    bench.cluster.metadata_error = 129;
    bench.respond(&frame, &bench.cluster.metadata(&MetadataRequest::default()));
    bench.turn();
    assert!(bench.metadata.snapshot().is_bootstrap());
    assert_eq!(failures(&bench)[0].0, ErrorCode::REBOOTSTRAP_REQUIRED);
    let mut asked = 0;
    for _ in 0..1_000 {
        bench.pass_ms(10);
        asked += bench.world.lock().frames.len();
        bench.serve();
    }
    assert!(asked < 30, "{asked} requests in 10 s");
    bench.cluster.metadata_error = 0;
    bench.pass_ms(1_000);
    bench.serve();
    bench.make_ready(0);
}

#[test]
fn the_deadline_of_an_update_is_exact() {
    let (mut bench, frame) = updating(1);
    let now = bench.now();
    assert_eq!(bench.client.next_deadline(now), now.plus_ms(30_000), "the request's timeout");
    bench.respond(&frame, &bench.cluster.metadata(&MetadataRequest::default()));
    bench.turn();
    bench.metadata.request_update();
    let due = bench.metadata.next_update();
    assert_eq!(bench.client.next_deadline(bench.now()), due);
    assert!(due > bench.now() && due < Time::NEVER);
    bench.wait();
    assert_eq!(bench.now(), due);
    assert_eq!(bench.frames().len(), 1);
}
