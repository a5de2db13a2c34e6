//! The brokers' ends of the simulated connections: hands whole requests to the embedded cluster, sends its
//! answers, and keeps the books that the oracles read: what was appended, and which answers say so.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::error::ErrorCode;
use crate::mock::{BrokerConnection, PeerId};
use crate::protocol::produce::{decode_response, TopicRef};
use crate::protocol::{strip_response_header, ApiKey};
use crate::sim::ledger::Append;
use crate::sim::oracle;
use crate::sim::wire::{Answer, End, Link, Phase, Waiting};
use crate::sim::world::{Event, World, WALL_ORIGIN_MS};
use crate::time::Time;

/// `producer.id.expiration.ms`: a day by default (KIP-854); the producer counts with ten minutes.
const PRODUCER_ID_EXPIRATION_MS: u64 = 660_000;

impl World {
    /// Gives the cluster the shape that the options say.
    pub(super) fn set_up_cluster(&mut self) {
        let options = &self.options;
        let cluster = &mut self.cluster;
        cluster.set_wall_origin_ms(WALL_ORIGIN_MS);
        cluster.set_auto_create(options.auto_create, 3);
        cluster.set_topic_creation_ms(options.topic_creation_ms);
        if options.transactions.is_none() {
            cluster.set_api_versions(ApiKey::Produce, 3, options.produce_version_max);
            cluster.set_api_versions(ApiKey::Metadata, 0, options.metadata_version_max);
            cluster.set_api_versions(ApiKey::ApiVersions, 0, options.api_versions_max);
        }
        cluster.set_next_epoch(options.first_epoch);
        cluster.set_producer_id_expiration_ms(PRODUCER_ID_EXPIRATION_MS);
        cluster.track_requests(true);
        for broker in cluster.broker_ids() {
            let rack = format!("rack-{}", broker % 2);
            let named = options.network.names;
            let host = if named { format!("broker-{broker}.sim") } else { "127.0.0.1".to_owned() };
            let port = 9091 + broker as u16;
            // Each broker exists: the ids are the cluster's own.
            let _ = cluster.set_rack(broker, Some(&rack));
            let _ = cluster.set_broker_address(broker, &host, port);
        }
    }

    /// Makes a topic, unless a producer's question has made it already, and gives it its settings.
    pub(super) fn create_topic(&mut self, index: usize) {
        let plan = self.options.topics[index].clone();
        let made = self.cluster.create_topic(&plan.name, plan.partitions, self.options.replication);
        self.trace.note(self.now(), "create topic", &[index as u64, u64::from(made.is_ok())]);
        // It exists now, whoever made it.
        let _ = self.cluster.set_log_append_time(&plan.name, plan.log_append_time);
        let _ = self.cluster.set_max_message_bytes(&plan.name, plan.max_message_bytes);
    }

    /// The broker takes a connection, if it is there.
    pub(super) fn accept(&mut self, id: u64) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        let Some(broker) = link.broker else { return false };
        link.server = BrokerConnection::new(&self.cluster, broker, PeerId(id));
        let accepted = link.server.is_some();
        if accepted {
            link.phase = Phase::Open;
        }
        accepted
    }

    /// Bytes reach the broker.
    pub(super) fn reach_broker(&mut self, id: u64, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.silent {
            if self.healed {
                // The network works again, and the peer knows nothing of this connection.
                link.silent = false;
                self.end_soon(id, End::Reset);
            }
            return;
        }
        if link.server.is_none() {
            return self.end_soon(id, End::Reset);
        }
        link.frames.extend_from_slice(bytes);
        let at = self.arrival();
        self.at(at, Event::Drained(id, bytes.len()));
        self.serve(id);
    }

    fn serve(&mut self, id: u64) {
        let Some(mut link) = self.links.remove(&id) else { return };
        while let Some((frame, asked_at)) = link.next_frame() {
            self.serve_one(id, &mut link, &frame, asked_at);
        }
        self.links.insert(id, link);
        self.broker_output(id);
    }

    fn serve_one(&mut self, id: u64, link: &mut Link, frame: &[u8], asked_at: Time) {
        let Some(server) = &mut link.server else { return };
        let now = self.now();
        // Markers that are due now are not this request's doing.
        self.cluster.advance(now);
        let is_produce = frame.get(4..6) == Some(&(ApiKey::Produce as i16).to_be_bytes()[..]);
        let before = if is_produce { self.log_ends() } else { BTreeMap::new() };
        server.feed(frame, &mut self.cluster, now);
        let broker = link.broker.unwrap_or(-1);
        let appends = match is_produce {
            true => self.note_appends(&before, broker, asked_at),
            false => Vec::new(),
        };
        for request in self.cluster.take_requests() {
            let numbers = [id, request.api as u64, request.correlation_id as u64, now.as_nanos()];
            self.trace.note(now, "request", &numbers);
            let answered = request.api != ApiKey::Produce as i16 || self.options.acks != 0;
            if answered {
                link.waiting.push_back(Waiting {
                    correlation_id: request.correlation_id,
                    api: request.api,
                    version: request.version,
                    appends: appends.clone(),
                });
            }
        }
        let result = oracle::in_flight::check(link, self.options.max_in_flight);
        self.check(result);
    }

    /// Where each log ends, by topic of the plan and partition.
    fn log_ends(&self) -> BTreeMap<(usize, i32), i64> {
        let mut ends = BTreeMap::new();
        for (index, topic) in self.options.topics.iter().enumerate() {
            let count = self.cluster.partition_count(&topic.name).unwrap_or(0);
            for partition in 0..count as i32 {
                let end = self.cluster.log_end_offset(&topic.name, partition).unwrap_or(0);
                ends.insert((index, partition), end);
            }
        }
        ends
    }

    fn note_appends(
        &mut self,
        before: &BTreeMap<(usize, i32), i64>,
        broker: i32,
        asked_at: Time,
    ) -> Vec<usize> {
        let now = self.now();
        let mut made = Vec::new();
        for ((topic, partition), end) in self.log_ends() {
            let base_offset = before.get(&(topic, partition)).copied().unwrap_or(0);
            if end == base_offset {
                continue;
            }
            self.trace.note(now, "append", &[topic as u64, partition as u64, end as u64]);
            made.push(self.ledger.appends.len());
            self.ledger.appends.push(Append {
                topic,
                life: self.ledger.life(topic),
                partition,
                broker,
                base_offset,
                count: end - base_offset,
                asked_at,
                answered_at: None,
            });
        }
        made
    }

    /// Sends what the broker has to say by now, and looks again when there will be more.
    pub(super) fn broker_output(&mut self, id: u64) {
        let now = self.now();
        loop {
            let Some(link) = self.links.get_mut(&id) else { return };
            let Some(server) = &mut link.server else { return };
            let Some(bytes) = server.take_output(now) else { break };
            let appends = self.told_appends(id, &bytes);
            let Some(link) = self.links.get_mut(&id) else { return };
            link.answered_bytes += bytes.len() as u64;
            link.answers.push_back(Answer { ends_at: link.answered_bytes, appends });
            self.travel_in(id, &bytes);
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(server) = &link.server else { return };
        let next = server.next_output_at();
        if server.is_finished() {
            self.lossy = true;
            link.server = None;
            self.end_soon(id, End::Closed);
        } else if next < Time::NEVER && next != link.output_at {
            link.output_at = next;
            self.at(next, Event::BrokerOutput(id));
        }
    }

    /// The appends of which this answer says, as it was, that they succeeded.
    fn told_appends(&mut self, id: u64, frame: &Bytes) -> Vec<usize> {
        let Some(link) = self.links.get_mut(&id) else { return Vec::new() };
        let correlation_id = frame.get(4..8).and_then(|bytes| bytes.try_into().ok());
        let correlation_id = correlation_id.map(i32::from_be_bytes);
        let found = link.waiting.iter().position(|w| Some(w.correlation_id) == correlation_id);
        let Some(waiting) = found.and_then(|at| link.waiting.remove(at)) else { return Vec::new() };
        let whole = frame.get(..4) == Some(&(frame.len() as u32 - 4).to_be_bytes()[..]);
        if waiting.api != ApiKey::Produce as i16 || waiting.appends.is_empty() || !whole {
            return Vec::new();
        }
        let body = strip_response_header(ApiKey::Produce, waiting.version, frame.slice(4..));
        let response = body.and_then(|body| decode_response(waiting.version, &body));
        let Ok(response) = response else { return Vec::new() };
        let told = |&append: &usize| {
            let append = &self.ledger.appends[append];
            let name = self.options.topics[append.topic].name.as_str();
            let id = self.cluster.topic_id(name).ok();
            response.partitions.iter().any(|partition| {
                let same_topic = match &partition.topic {
                    TopicRef::Name(answered) => &**answered == name,
                    TopicRef::Id(answered) => Some(*answered) == id,
                };
                same_topic
                    && partition.error_code == ErrorCode::NONE.value() as i16
                    && partition.partition == append.partition
                    && partition.base_offset == append.base_offset
            })
        };
        waiting.appends.iter().copied().filter(told).collect()
    }

    /// The broker learns that the client closed.
    pub(super) fn client_gone(&mut self, id: u64) {
        self.links.remove(&id);
    }

    /// Ends, in one way or another, the connections that the brokers have dropped.
    pub(super) fn sweep_dropped(&mut self) {
        let is_dropped = |link: &Link| {
            link.server.as_ref().is_some_and(|server| server.is_dropped(&self.cluster))
        };
        let dropped: Vec<u64> =
            self.links.iter().filter(|(_, link)| is_dropped(link)).map(|(&id, _)| id).collect();
        for id in dropped {
            let way = self.trouble_rng.u32(..10);
            let Some(link) = self.links.get_mut(&id) else { continue };
            link.server = None;
            match way {
                0 => link.silent = !self.healed,
                1..=3 => self.end_soon(id, End::Closed),
                _ => self.end_soon(id, End::Reset),
            }
        }
    }
}
