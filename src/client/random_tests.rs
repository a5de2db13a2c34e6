//! Random worlds: whatever brokers and networks do in whatever order, nothing panics, every request
//! ends exactly once, and the client never polls without end.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::metadata::NodeId;
use crate::protocol::ApiKey;

use super::network::{DisconnectCause, NetworkEvent};
use super::tests_support::{Bench, Cluster, Sent};

const BROKERS: [(i32, &str, i32); 3] =
    [(0, "10.0.0.1", 9092), (1, "10.0.0.2", 9092), (2, "kafka-2", 9092)];

struct Chaos {
    bench: Bench,
    random: fastrand::Rng,
    frames: Vec<Sent>,
    next_tag: u64,
    open: BTreeSet<u64>,
}

impl Chaos {
    fn new(seed: u64) -> Chaos {
        let mut cluster = Cluster::of(&BROKERS);
        cluster.topics.push(("orders", vec![0, 1, 2]));
        let bench = Bench::with("10.0.0.9:9092,kafka:9092", cluster, |settings, metadata| {
            settings.rebootstrap_trigger_ms = 3_000;
            settings.request_timeout_ms = 2_000;
            metadata.max_age_ms = 1_500;
        });
        bench.metadata.want_topic("orders", bench.now());
        let random = fastrand::Rng::with_seed(seed);
        Chaos { bench, random, frames: Vec::new(), next_tag: 0, open: BTreeSet::new() }
    }

    fn settle_outcomes(&mut self) {
        for (tag, _) in self.bench.outcomes() {
            assert!(self.open.remove(&tag), "request {tag} ended twice");
        }
    }

    /// One thing that brokers, the network or the sender do.
    fn act(&mut self) {
        let bench = &mut self.bench;
        self.frames.extend(bench.frames());
        self.frames.retain(|frame| bench.world.lock().open.contains_key(&frame.connection));
        match self.random.u8(..13) {
            0 | 1 => {
                for (id, _) in bench.attempts() {
                    match self.random.u8(..4) {
                        0 => bench.refuse(id),
                        1 => {}
                        _ => bench.push(NetworkEvent::Connected(id)),
                    }
                }
            }
            2 => {
                for (lookup, _) in bench.lookups() {
                    match self.random.u8(..3) {
                        0 => {
                            let result = Err("no such host".to_owned());
                            bench.push(NetworkEvent::Resolved { lookup, result });
                        }
                        _ => bench.resolved(lookup, &["10.0.0.5:9092", "[::1]:9092"]),
                    }
                }
            }
            3..=7 if !self.frames.is_empty() => self.answer(),
            8 => {
                let open: Vec<_> = bench.world.lock().open.keys().copied().collect();
                if let Some(&id) = self.random.choice(&open) {
                    let cause = match self.random.u8(..3) {
                        0 => DisconnectCause::Idle,
                        1 => DisconnectCause::ClosedByPeer,
                        _ => DisconnectCause::Io("connection reset".to_owned()),
                    };
                    let unsent = self.frames.iter().map(|frame| frame.tag).take(1).collect();
                    bench.push(NetworkEvent::Disconnected { id, cause, unsent });
                }
            }
            9 => {
                let _ = bench.metadata.request_update();
                let name = format!("topic-{}", self.random.u8(..20));
                bench.metadata.want_topic(&name, bench.now());
            }
            10 => {
                let node = NodeId(self.random.i32(-2..4));
                let now = bench.now();
                match self.random.u8(..4) {
                    0 => bench.client.disconnect(node, "random", now),
                    1 => bench.client.throttle(node, ApiKey::Produce, 9, 300, now),
                    2 => bench.world.lock().hold ^= true,
                    _ => bench.cluster.brokers = BROKERS[..self.random.usize(..4)].to_vec(),
                }
            }
            _ => self.send(),
        }
    }

    fn send(&mut self) {
        for node in 0..3 {
            if self.bench.is_ready(node) || self.random.u8(..10) == 0 {
                let version = if self.random.u8(..10) == 0 { 9 } else { 4 };
                let timeout_ms = self.random.u32(1..3_000);
                let reply = self.random.bool();
                self.bench.send_as(node, self.next_tag, timeout_ms, version, reply);
                self.open.insert(self.next_tag);
                self.next_tag += 1;
            }
        }
    }

    /// Answers a frame, mostly the oldest of its connection, mostly well.
    fn answer(&mut self) {
        let connection = self.random.choice(&self.frames).map(|frame| frame.connection);
        let index = self.frames.iter().position(|frame| Some(frame.connection) == connection);
        let Some(index) = index else { return };
        let frame = self.frames.remove(index);
        let id = frame.connection;
        if self.bench.world.lock().hold {
            self.bench.push(NetworkEvent::Sent { id, tag: frame.tag });
        }
        let correlation_id = frame.header.correlation_id;
        match (self.random.u8(..20), frame.header.key) {
            (0, _) => self.bench.respond_raw(&frame, correlation_id ^ 1, b""),
            (1, _) => {
                let junk: Vec<u8> =
                    (0..self.random.usize(..60)).map(|_| self.random.u8(..)).collect();
                self.bench.respond_raw(&frame, correlation_id, &junk);
            }
            (2, _) => {
                let bytes = Bytes::from_static(b"\0");
                self.bench.push(NetworkEvent::Received { id, bytes });
            }
            (_, ApiKey::ApiVersions | ApiKey::Metadata) => self.bench.answer_by_itself(frame),
            _ => self.bench.respond_raw(&frame, correlation_id, b"fine"),
        }
    }
}

#[test]
fn every_request_ends_exactly_once_whatever_happens() {
    for seed in 0..150 {
        let mut chaos = Chaos::new(seed);
        for _ in 0..250 {
            chaos.act();
            let step_ms = chaos.random.u64(..200);
            // Panics when the client polls without end.
            chaos.bench.pass_ms(step_ms);
            chaos.settle_outcomes();
        }
        // Then the brokers fall silent: time alone ends what is left.
        chaos.bench.pass_ms(60_000);
        chaos.settle_outcomes();
        assert!(chaos.open.is_empty(), "seed {seed}: {:?} never ended", chaos.open);
    }
}

#[test]
fn after_any_trouble_a_healthy_cluster_is_reached_again() {
    for seed in 1000..1040 {
        let mut chaos = Chaos::new(seed);
        for _ in 0..200 {
            chaos.act();
            chaos.bench.pass_ms(20);
        }
        let bench = &mut chaos.bench;
        bench.world.lock().hold = false;
        bench.cluster.brokers = BROKERS.to_vec();
        for _ in 0..100 {
            bench.serve();
            bench.pass_ms(1_000);
            bench.serve();
            if (0..3).all(|node| bench.is_ready(node)) {
                break;
            }
        }
        assert!((0..3).all(|node| bench.is_ready(node)), "seed {seed}: {:#?}", bench.client.peers);
    }
}
