//! One producer against one scripted cluster in virtual time, on one thread: the test answers Produce
//! requests by hand; connections, ApiVersions and Metadata answer themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use uuid::Uuid;

pub use super::pair_asked::Asked;
use crate::accumulator::encode::InlineEncoding;
use crate::client::network::NetworkTotals;
use crate::client::network::{ConnectionId, DisconnectCause, LookupId, Network, NetworkEvent};
use crate::config::ConfigMap;
use crate::delivery::{Door, Persistence};
use crate::driver::Driver;
use crate::error::{ErrorCode, Result};
use crate::producer::builder::Hooks;
use crate::producer::{assemble, Assembled, Producer, TopicId, Wait, World};
use crate::protocol::frame::Frame;
use crate::protocol::messages::api_versions_response::ApiVersion;
use crate::protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{
    ApiVersionsResponse, BrokerId, InitProducerIdResponse, MetadataRequest, MetadataResponse,
    ProducerId, TopicName,
};
use crate::protocol::produce::{
    decode_request as decode_produce, encode_response as encode_produce, ProduceResponse,
};
use crate::protocol::{
    decode_request, encode_response, request_header, ApiKey, Encodable, RequestHeader, StrBytes,
};
use crate::record::{entries, Entry, ProducerIdentity, Record};
use crate::time::{Clock, Time};

/// A topic as the scripted cluster has it.
#[derive(Clone, Default)]
pub struct ScriptedTopic {
    pub error: i16,
    pub id: Uuid,
    /// Leader of each partition; -1: none.
    pub leaders: Vec<i32>,
    pub epoch: i32,
}

#[derive(Default)]
pub struct Script {
    pub now: Time,
    limit: Time,
    waiting: Vec<(Time, NetworkEvent)>,
    open: BTreeMap<ConnectionId, i32>,
    asked: Vec<Asked>,
    pub topics: BTreeMap<String, ScriptedTopic>,
    pub brokers: Vec<i32>,
    pub produce_max: i16,
    /// Newest InitProducerId; `None`: the brokers do not know it.
    pub init_max: Option<i16>,
    /// What comes to those who ask for a producer id: an error, or the next id with this epoch.
    pub init_error: Option<ErrorCode>,
    pub init_epoch: i16,
    /// They get no answer.
    pub mute_init: bool,
    /// Where they asked.
    pub inits: Vec<i32>,
    /// Nodes that refuse connections.
    pub down: Vec<i32>,
    /// Metadata requests, and whether they are answered.
    pub metadata_requests: usize,
    pub mute_metadata: bool,
    muted: Vec<(ConnectionId, RequestHeader)>,
    /// Frames that somebody still holds, as a socket would that has not written them.
    pub hold_frames: bool,
    held: Vec<Frame>,
    /// The bytes of produce requests stay in the process.
    pub hold_produce: bool,
    pub polls: usize,
}

impl Script {
    fn answer<M: Encodable>(&mut self, id: ConnectionId, header: &RequestHeader, message: &M) {
        let RequestHeader { key, version, correlation_id, .. } = *header;
        let bytes = encode_response(key, version, correlation_id, message).unwrap().slice(4..);
        let now = self.now;
        self.waiting.push((now, NetworkEvent::Received { id, bytes }));
    }

    fn answer_metadata(&mut self, id: ConnectionId, header: &RequestHeader) {
        let (key, version) = (header.key, header.version);
        let request = decode_request(key, version, header.body.clone()).unwrap();
        let message = self.metadata(&request);
        self.answer(id, header, &message);
    }

    fn versions(&self) -> ApiVersionsResponse {
        let mut ranges = vec![
            (ApiKey::Produce, 3, self.produce_max),
            (ApiKey::Metadata, 0, 12),
            (ApiKey::ApiVersions, 0, 4),
        ];
        ranges.extend(self.init_max.map(|max| (ApiKey::InitProducerId, 0, max)));
        let key = |(api, min, max): (ApiKey, i16, i16)| {
            let key = ApiVersion::default().with_api_key(api as i16);
            key.with_min_version(min).with_max_version(max)
        };
        ApiVersionsResponse::default().with_api_keys(ranges.into_iter().map(key).collect())
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let broker = |&id: &i32| {
            let host = StrBytes::from_string(format!("10.0.0.{id}"));
            let broker = MetadataResponseBroker::default().with_node_id(BrokerId(id));
            broker.with_host(host).with_port(9092)
        };
        let topic = |name: TopicName| {
            let unknown = ScriptedTopic { error: 3, ..ScriptedTopic::default() };
            let known = self.topics.get(name.as_str()).unwrap_or(&unknown);
            let partition = |(index, &leader): (usize, &i32)| {
                MetadataResponsePartition::default()
                    .with_partition_index(index as i32)
                    .with_error_code(if leader < 0 { 5 } else { 0 })
                    .with_leader_id(BrokerId(leader))
                    .with_leader_epoch(known.epoch)
            };
            MetadataResponseTopic::default()
                .with_name(Some(name))
                .with_topic_id(known.id)
                .with_error_code(known.error)
                .with_partitions(known.leaders.iter().enumerate().map(partition).collect())
        };
        let asked = request.topics.iter().flatten().filter_map(|topic| topic.name.clone());
        MetadataResponse::default()
            .with_brokers(self.brokers.iter().map(broker).collect())
            .with_topics(asked.map(topic).collect())
    }

    fn give_id(&mut self, id: ConnectionId, node: i32, header: &RequestHeader) {
        self.inits.push(node);
        if self.mute_init {
            return;
        }
        let message = InitProducerIdResponse::default();
        let message = match self.init_error {
            None => message
                .with_producer_id(ProducerId(4000 + self.inits.len() as i64))
                .with_producer_epoch(self.init_epoch),
            Some(error) => {
                message.with_error_code(error.value() as i16).with_producer_id(ProducerId(-1))
            }
        };
        self.answer(id, header, &message);
    }

    fn produce(&mut self, connection: ConnectionId, node: i32, header: RequestHeader) {
        let request = decode_produce(header.version, header.body.clone()).unwrap();
        let (mut found, mut identities) = (Vec::new(), Vec::new());
        for topic in request.topics {
            for partition in topic.partitions {
                let bytes = partition.records.unwrap();
                let view = entries(&bytes).next().unwrap().unwrap();
                view.verify_crc().unwrap();
                let unpacked = view.unpack(1 << 24).unwrap();
                identities.push(match &view {
                    Entry::Batch(batch) => batch.header().identity(),
                    Entry::Message(_) => ProducerIdentity::NONE,
                });
                let value = |record: Result<crate::record::RecordView<'_>>| {
                    String::from_utf8(record.unwrap().value.unwrap_or_default().to_vec()).unwrap()
                };
                let values = unpacked.records().map(value).collect();
                found.push((topic.topic.clone(), partition.partition, values));
            }
        }
        let (acks, batches) = (request.acks, found);
        self.asked.push(Asked { node, connection, header, acks, batches, identities });
    }
}

/// The script's and the network's view of the same world.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Script>>);

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }
}

impl Clock for Shared {
    fn now(&self) -> Time {
        self.lock().now
    }
    fn wall_ms(&self) -> i64 {
        1_000_000 + self.lock().now.as_ms() as i64
    }
}

impl Network for Shared {
    fn totals(&self) -> NetworkTotals {
        NetworkTotals::default()
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        to: SocketAddr,
        now: Time,
    ) -> std::result::Result<(), DisconnectCause> {
        let SocketAddr::V4(to) = to else { panic!("{to}") };
        let node = i32::from(to.ip().octets()[3]);
        let mut script = self.lock();
        script.open.insert(id, node);
        let event = if script.down.contains(&node) {
            let cause = DisconnectCause::ConnectFailed("connection refused".to_owned());
            NetworkEvent::Disconnected { id, cause, unsent: Vec::new() }
        } else {
            NetworkEvent::Connected(id)
        };
        script.waiting.push((now, event));
        Ok(())
    }

    fn send(&mut self, id: ConnectionId, frame: Frame, tag: u64, now: Time) {
        let mut slices = Vec::new();
        frame.remaining(&mut slices, usize::MAX);
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let header = request_header(&bytes::Bytes::from(bytes).slice(4..)).unwrap();
        let mut script = self.lock();
        let Some(&node) = script.open.get(&id) else { return };
        if !script.hold_produce || header.key != ApiKey::Produce {
            script.waiting.push((now, NetworkEvent::Sent { id, tag }));
        }
        if script.hold_frames {
            drop(slices);
            script.held.push(frame);
        }
        match header.key {
            ApiKey::ApiVersions => {
                let message = script.versions();
                script.answer(id, &header, &message);
            }
            ApiKey::Metadata => {
                script.metadata_requests += 1;
                match script.mute_metadata {
                    true => script.muted.push((id, header)),
                    false => script.answer_metadata(id, &header),
                }
            }
            ApiKey::InitProducerId => script.give_id(id, node, &header),
            _ => script.produce(id, node, header),
        }
    }

    fn close(&mut self, id: ConnectionId) -> Vec<u64> {
        let mut script = self.lock();
        script.open.remove(&id);
        script.waiting.retain(|(_, event)| match event {
            NetworkEvent::Connected(about)
            | NetworkEvent::Sent { id: about, .. }
            | NetworkEvent::Received { id: about, .. }
            | NetworkEvent::Disconnected { id: about, .. } => *about != id,
            NetworkEvent::Resolved { .. } => true,
        });
        Vec::new()
    }

    fn resolve(&mut self, _lookup: LookupId, host: &str, _port: u16) {
        panic!("{host} is no address");
    }

    fn poll(&mut self, deadline: Time, now: Time, events: &mut Vec<NetworkEvent>) {
        let mut script = self.lock();
        script.polls += 1;
        let next = script.waiting.iter().map(|&(at, _)| at).min().unwrap_or(Time::NEVER);
        script.now = deadline.min(next).min(script.limit).max(now);
        let now = script.now;
        let all = std::mem::take(&mut script.waiting);
        for (at, event) in all {
            if at > now {
                script.waiting.push((at, event));
                continue;
            }
            if let NetworkEvent::Disconnected { id, .. } = &event {
                script.open.remove(id);
            }
            events.push(event);
        }
    }

    fn next_deadline(&self) -> Time {
        Time::NEVER
    }
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    pub token: u64,
    pub code: ErrorCode,
    pub partition: i32,
    pub offset: i64,
    pub persistence: Persistence,
    pub text: String,
}

/// A producer in a scripted world.
pub struct Pair {
    pub producer: Producer,
    pub driver: Driver<Shared>,
    pub script: Shared,
    pub open: bool,
}

pub const LINGER_MS: u64 = 5;

impl Pair {
    /// Brokers 1 and 2; topic `t`, whose even partitions broker 1 leads and whose odd ones broker 2.
    pub fn new(settings: &[(&str, &str)]) -> Pair {
        Pair::with(settings, Hooks::default())
    }

    pub fn with(settings: &[(&str, &str)], mut hooks: Hooks) -> Pair {
        let mut config = ConfigMap::new();
        let defaults = [
            ("bootstrap.servers", "10.0.0.1:9092"),
            ("linger.ms", "5"),
            ("enable.idempotence", "false"),
            ("retry.backoff.ms", "100"),
            ("retry.backoff.max.ms", "100"),
        ];
        for (name, value) in defaults.iter().chain(settings) {
            config.set(name, value).unwrap();
        }
        let script = Shared::default();
        {
            let mut script = script.lock();
            script.now = Time::from_ms(1_000);
            script.brokers = vec![1, 2];
            (script.produce_max, script.init_max) = (11, Some(4));
            let leaders = vec![1, 2, 1, 2];
            let topic = ScriptedTopic { leaders, epoch: 1, ..ScriptedTopic::default() };
            script.topics.insert("t".to_owned(), topic);
        }
        hooks.door.get_or_insert(Door::Poll);
        let clock = Arc::new(script.clone());
        let world = World {
            clock,
            network: script.clone(),
            wake: Box::new(|| {}),
            encoding: Box::new(InlineEncoding::boxed),
            seed: 7,
        };
        let config = config.build().unwrap();
        let Assembled { producer, driver } = assemble(config, hooks, world, None).unwrap();
        Pair { producer, driver, script, open: true }
    }

    /// One that knows topic `t` and is connected to both brokers.
    pub fn ready(settings: &[(&str, &str)]) -> (Pair, TopicId) {
        let mut pair = Pair::new(settings);
        let topic = pair.producer.topic("t").unwrap();
        pair.run_ms(1);
        for partition in 0..2 {
            pair.send(topic, partition, 1_000_000, "hello");
        }
        // Ends the lingering, however long it is set.
        let _ = pair.producer.flush(Duration::ZERO);
        pair.run_ms(10 + LINGER_MS);
        pair.answer_all(ErrorCode::NONE);
        assert_eq!(pair.fates().len(), 2);
        (pair, topic)
    }

    pub fn send(&mut self, topic: TopicId, partition: i32, token: u64, value: &str) {
        self.try_send(topic, partition, token, value).unwrap();
    }

    pub fn try_send(
        &mut self,
        topic: TopicId,
        partition: i32,
        token: u64,
        value: &str,
    ) -> Result<()> {
        let record = Record::value(value.as_bytes());
        self.producer.send_token(topic, partition, &record, token, Wait::Never)
    }

    pub fn now(&self) -> Time {
        self.script.lock().now
    }

    /// Lets `ms` pass and everything happen that comes by itself. A producer that turns without end fails.
    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now().plus_ms(ms);
        self.script.lock().limit = end;
        let (mut still, mut last) = (0, self.now());
        for _ in 0..20_000 {
            if !self.open {
                self.script.lock().now = end;
                return;
            }
            self.open = self.driver.turn();
            let now = self.now();
            still = if now == last { still + 1 } else { 0 };
            last = now;
            let due = self.script.lock().waiting.iter().any(|&(at, _)| at <= now);
            if now >= end && !due && still >= 3 {
                return;
            }
            assert!(still < 200, "the sender turns without end at {now:?}");
        }
        panic!("the sender turns too often");
    }

    /// The Produce requests that are not answered yet; they are the caller's to answer.
    pub fn asked(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().asked)
    }

    /// Lets time pass until the linger is over, and takes the only request.
    pub fn one_asked(&mut self) -> Asked {
        self.run_ms(LINGER_MS);
        let mut asked = self.asked();
        let what: Vec<_> = asked.iter().map(|asked| (asked.node, asked.values())).collect();
        assert_eq!(asked.len(), 1, "{what:?}");
        asked.remove(0)
    }

    pub fn respond(&mut self, to: &Asked, response: &ProduceResponse) {
        let RequestHeader { version, correlation_id, .. } = to.header;
        let bytes = encode_produce(version, correlation_id, response).unwrap().slice(4..);
        self.push(NetworkEvent::Received { id: to.connection, bytes });
        self.run_ms(0);
    }

    pub fn answer(&mut self, to: &Asked, code: ErrorCode) {
        self.respond(to, &to.answer(code));
    }

    pub fn answer_all(&mut self, code: ErrorCode) {
        for asked in self.asked() {
            self.answer(&asked, code);
        }
    }

    /// Bytes that are no Produce response.
    pub fn garble(&mut self, to: &Asked) {
        let mut bytes = to.header.correlation_id.to_be_bytes().to_vec();
        bytes.extend([0, 255, 255, 255, 255, 255, 255]);
        self.push(NetworkEvent::Received { id: to.connection, bytes: bytes.into() });
        self.run_ms(0);
    }

    pub fn disconnect(&mut self, of: &Asked) {
        let cause = DisconnectCause::ClosedByPeer;
        self.push(NetworkEvent::Disconnected { id: of.connection, cause, unsent: Vec::new() });
        self.run_ms(0);
    }

    /// Answers the Metadata requests that were not answered while `mute_metadata` was set.
    pub fn answer_metadata(&mut self) {
        {
            let mut script = self.script.lock();
            for (id, header) in std::mem::take(&mut script.muted) {
                script.answer_metadata(id, &header);
            }
        }
        self.run_ms(0);
    }

    fn push(&self, event: NetworkEvent) {
        let mut script = self.script.lock();
        let now = script.now;
        script.waiting.push((now, event));
    }

    pub fn drop_held_frames(&mut self) {
        self.script.lock().held.clear();
    }

    pub fn change_topic(&mut self, change: impl FnOnce(&mut ScriptedTopic)) {
        change(self.script.lock().topics.get_mut("t").unwrap());
    }

    pub fn fates(&mut self) -> Vec<Fate> {
        let mut fates = Vec::new();
        let taken = self.producer.poll(Duration::ZERO, &mut |report, from| {
            for index in from..report.count() {
                fates.push(Fate {
                    token: report.tokens[index],
                    code: report.code,
                    partition: report.partition,
                    offset: report.offset(index),
                    persistence: report.persistence,
                    text: report.message.as_deref().unwrap_or_default().to_owned(),
                });
            }
            report.count() - from
        });
        assert_eq!(taken.unwrap(), fates.len());
        fates
    }

    /// The time of each record that ended, and -1 where the broker's would stand for a record's own.
    pub fn times(&mut self) -> Vec<i64> {
        let mut times = Vec::new();
        let taken = self.producer.poll(Duration::ZERO, &mut |report, from| {
            let own = report.timestamps_ms.clone().unwrap_or_default();
            let told = report.log_append_time_ms;
            times.extend((from..report.count()).map(|index| match told {
                -1 => own[index],
                told => {
                    if own.contains(&told) {
                        -1
                    } else {
                        told
                    }
                }
            }));
            report.count() - from
        });
        assert_eq!(taken.unwrap(), times.len());
        times
    }

    /// Token and code of each record that ended.
    pub fn codes(&mut self) -> Vec<(u64, ErrorCode)> {
        self.fates().into_iter().map(|fate| (fate.token, fate.code)).collect()
    }

    /// Nothing is left: no memory lent, nothing outstanding.
    pub fn check_clean(&mut self) {
        assert!(self.fates().is_empty());
        let metrics = self.producer.metrics();
        assert_eq!(metrics.get("buffer-available-bytes"), metrics.get("buffer-total-bytes"));
        assert_eq!(self.producer.outstanding_records(), 0);
        assert!(self.producer.flush(Duration::ZERO).is_ok());
    }
}
