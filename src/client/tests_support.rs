//! A scripted network in virtual time, and a client on it. Owns nothing but what tests say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{BufMut, Bytes, BytesMut};

use crate::config::BootstrapServer;
use crate::error::ErrorCode;
use crate::metadata::{Metadata, MetadataSettings, NodeId};
use crate::protocol::frame::Frame;
use crate::protocol::messages::api_versions_response::ApiVersion;
use crate::protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{
    ApiVersionsResponse, BrokerId, InitProducerIdRequest, MetadataRequest, MetadataResponse,
    TopicName,
};
use crate::protocol::{
    decode_request, encode_request, encode_response, request_header, ApiKey, Encodable,
    RequestHeader, StrBytes,
};
use crate::time::{Clock, Time};

use super::network::{ConnectionId, DisconnectCause, LookupId, Network, NetworkEvent};
use super::{Client, ClientEvent, ClientSettings, OutgoingRequest, RequestFailure};

/// A frame that the client sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub connection: ConnectionId,
    pub tag: u64,
    pub header: RequestHeader,
}

#[derive(Default)]
pub struct World {
    pub now: Time,
    /// Attempts to connect that the script has not looked at.
    pub attempts: Vec<(ConnectionId, SocketAddr)>,
    pub lookups: Vec<(LookupId, String)>,
    pub frames: Vec<Sent>,
    pub closed: Vec<ConnectionId>,
    pub open: BTreeMap<ConnectionId, SocketAddr>,
    pub waiting: Vec<(Time, NetworkEvent)>,
    /// Frames are not flushed by themselves.
    pub hold: bool,
    /// What a connection that the client closes has not written.
    pub unsent: Vec<u64>,
    /// Not even an attempt can be made.
    pub no_descriptors: bool,
    pub polls: usize,
}

/// The script's and the network's view of the same world.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl Clock for Shared {
    fn now(&self) -> Time {
        self.lock().now
    }

    fn wall_ms(&self) -> i64 {
        0
    }
}

pub struct FakeNetwork(Shared);

impl Network for FakeNetwork {
    fn connect(
        &mut self,
        id: ConnectionId,
        address: SocketAddr,
        _now: Time,
    ) -> Result<(), DisconnectCause> {
        let mut world = self.0.lock();
        if world.no_descriptors {
            return Err(DisconnectCause::ConnectFailed("no descriptors".to_owned()));
        }
        world.attempts.push((id, address));
        assert!(world.open.insert(id, address).is_none(), "{id:?} twice");
        Ok(())
    }

    fn send(&mut self, id: ConnectionId, frame: Frame, tag: u64, _now: Time) {
        let mut slices = Vec::new();
        frame.remaining(&mut slices, usize::MAX);
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let header = request_header(&Bytes::from(bytes).slice(4..)).unwrap();
        let mut world = self.0.lock();
        world.frames.push(Sent { connection: id, tag, header });
        if !world.hold && world.open.contains_key(&id) {
            let now = world.now;
            world.waiting.push((now, NetworkEvent::Sent { id, tag }));
        }
    }

    fn close(&mut self, id: ConnectionId) -> Vec<u64> {
        let mut world = self.0.lock();
        world.open.remove(&id);
        world.closed.push(id);
        let about = |event: &NetworkEvent| match event {
            NetworkEvent::Connected(about) => *about == id,
            NetworkEvent::Sent { id: about, .. }
            | NetworkEvent::Received { id: about, .. }
            | NetworkEvent::Disconnected { id: about, .. } => *about == id,
            NetworkEvent::Resolved { .. } => false,
        };
        world.waiting.retain(|(_, event)| !about(event));
        world.unsent.clone()
    }

    fn resolve(&mut self, lookup: LookupId, host: &str, _port: u16) {
        self.0.lock().lookups.push((lookup, host.to_owned()));
    }

    fn poll(&mut self, deadline: Time, now: Time, events: &mut Vec<NetworkEvent>) {
        let mut world = self.0.lock();
        assert_eq!(world.now, now);
        world.polls += 1;
        let next = world.waiting.iter().map(|&(at, _)| at).min().unwrap_or(Time::NEVER);
        let until = deadline.min(next).max(now);
        // With nothing to come a real network would wait for another thread's wake-up.
        if until < Time::NEVER {
            world.now = until;
        }
        let now = world.now;
        let (due, later) = std::mem::take(&mut world.waiting).into_iter().partition(|e| e.0 <= now);
        world.waiting = later;
        let due: Vec<(Time, NetworkEvent)> = due;
        for (_, event) in due {
            if let NetworkEvent::Disconnected { id, .. } = &event {
                world.open.remove(id);
            }
            events.push(event);
        }
    }

    fn next_deadline(&self) -> Time {
        Time::NEVER
    }
}

/// What the scripted brokers answer.
pub struct Cluster {
    pub brokers: Vec<(i32, &'static str, i32)>,
    pub topics: Vec<(&'static str, Vec<i32>)>,
    pub ranges: Vec<(ApiKey, i16, i16)>,
    pub metadata_error: i16,
}

impl Cluster {
    pub fn of(brokers: &[(i32, &'static str, i32)]) -> Cluster {
        let ranges = vec![
            (ApiKey::Produce, 0, 11),
            (ApiKey::Metadata, 0, 13),
            (ApiKey::ApiVersions, 0, 4),
            (ApiKey::InitProducerId, 0, 5),
        ];
        Cluster { brokers: brokers.to_vec(), topics: Vec::new(), ranges, metadata_error: 0 }
    }

    pub fn versions(&self) -> ApiVersionsResponse {
        let key = |&(api, min, max): &(ApiKey, i16, i16)| {
            let key = ApiVersion::default().with_api_key(api as i16);
            key.with_min_version(min).with_max_version(max)
        };
        ApiVersionsResponse::default().with_api_keys(self.ranges.iter().map(key).collect())
    }

    pub fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let broker = |&(id, host, port): &(i32, &'static str, i32)| {
            let broker = MetadataResponseBroker::default().with_node_id(BrokerId(id));
            broker.with_host(StrBytes::from_static_str(host)).with_port(port)
        };
        let topic = |name: TopicName| {
            let known = self.topics.iter().find(|(known, _)| *known == name.as_str());
            let partition = |(index, &leader): (usize, &i32)| {
                MetadataResponsePartition::default()
                    .with_partition_index(index as i32)
                    .with_leader_id(BrokerId(leader))
                    .with_leader_epoch(1)
            };
            let code = if known.is_some() { 0 } else { 3 };
            let leaders = known.map_or(&[][..], |(_, leaders)| leaders);
            MetadataResponseTopic::default()
                .with_name(Some(name))
                .with_error_code(code)
                .with_partitions(leaders.iter().enumerate().map(partition).collect())
        };
        let asked = request.topics.iter().flatten().filter_map(|topic| topic.name.clone());
        MetadataResponse::default()
            .with_brokers(self.brokers.iter().map(broker).collect())
            .with_topics(asked.map(topic).collect())
            .with_error_code(self.metadata_error)
    }
}

/// A client in a scripted world.
pub struct Bench {
    pub client: Client<FakeNetwork>,
    pub metadata: Arc<Metadata>,
    pub world: Shared,
    pub cluster: Cluster,
    pub events: Vec<ClientEvent>,
    /// Frames of the sender that brokers have not answered.
    pub inbox: Vec<Sent>,
}

pub const MAX_AGE_MS: u64 = 300_000;

impl Bench {
    pub fn new(bootstrap: &str, cluster: Cluster) -> Bench {
        Bench::with(bootstrap, cluster, |_, _| {})
    }

    pub fn with(
        bootstrap: &str,
        cluster: Cluster,
        change: impl FnOnce(&mut ClientSettings, &mut MetadataSettings),
    ) -> Bench {
        let mut settings = ClientSettings::default();
        let mut metadata = MetadataSettings {
            max_age_ms: MAX_AGE_MS,
            max_idle_ms: 300_000,
            retry_backoff_ms: 100,
            retry_backoff_max_ms: 1_000,
            allow_auto_topic_creation: true,
        };
        change(&mut settings, &mut metadata);
        let servers = BootstrapServer::parse_list("", bootstrap).unwrap();
        let metadata = Arc::new(Metadata::new(metadata, servers, 1));
        let world = Shared::default();
        world.lock().now = Time::from_ms(1_000);
        let network = FakeNetwork(world.clone());
        let client = Client::new(settings, Arc::clone(&metadata), network, 2);
        Bench { client, metadata, world, cluster, events: Vec::new(), inbox: Vec::new() }
    }

    /// A client that has metadata, and a ready connection to `nodes`.
    pub fn ready(bootstrap: &str, cluster: Cluster, nodes: &[i32]) -> Bench {
        let mut bench = Bench::new(bootstrap, cluster);
        bench.serve();
        nodes.iter().for_each(|&node| bench.make_ready(node));
        bench.events.clear();
        bench
    }

    pub fn make_ready(&mut self, node: i32) {
        for _ in 0..4 {
            if self.is_ready(node) {
                return;
            }
            self.serve();
        }
        panic!("node {node} does not become ready");
    }

    pub fn now(&self) -> Time {
        self.world.lock().now
    }

    pub fn is_ready(&mut self, node: i32) -> bool {
        let now = self.now();
        self.client.ready(NodeId(node), now)
    }

    /// One poll that does not wait.
    pub fn turn(&mut self) {
        let now = self.now();
        self.client.poll(now, now, &self.world.clone(), &mut self.events);
    }

    /// One poll that waits as long as nothing happens.
    pub fn wait(&mut self) {
        let now = self.now();
        self.client.poll(Time::NEVER, now, &self.world.clone(), &mut self.events);
    }

    /// Polls until `ms` have passed, without answering anything.
    pub fn pass_ms(&mut self, ms: u64) {
        let end = self.now().plus_ms(ms);
        for _ in 0..10_000 {
            let now = self.now();
            if now >= end {
                return self.turn();
            }
            self.client.poll(end, now, &self.world.clone(), &mut self.events);
        }
        panic!("the client polls without end");
    }

    /// Lets the brokers answer connects, ApiVersions and Metadata until nothing more comes.
    pub fn serve(&mut self) {
        for _ in 0..50 {
            self.turn();
            let mut world = self.world.lock();
            let attempts = std::mem::take(&mut world.attempts);
            let frames = std::mem::take(&mut world.frames);
            let lookups = std::mem::take(&mut world.lookups);
            drop(world);
            if attempts.is_empty() && frames.is_empty() && lookups.is_empty() {
                return;
            }
            for (lookup, _) in lookups {
                self.resolved(lookup, &["10.0.0.1:9092"]);
            }
            for (id, _) in attempts {
                self.push(NetworkEvent::Connected(id));
            }
            for frame in frames {
                self.answer_by_itself(frame);
            }
        }
        panic!("the client does not come to rest");
    }

    pub fn answer_by_itself(&mut self, frame: Sent) {
        let header = &frame.header;
        match header.key {
            ApiKey::ApiVersions => self.respond(&frame, &self.cluster.versions()),
            ApiKey::Metadata => {
                let request: MetadataRequest =
                    decode_request(header.key, header.version, header.body.clone()).unwrap();
                self.respond(&frame, &self.cluster.metadata(&request));
            }
            _ => self.inbox.push(frame),
        }
    }

    pub fn push(&self, event: NetworkEvent) {
        let mut world = self.world.lock();
        let now = world.now;
        world.waiting.push((now, event));
    }

    pub fn resolved(&self, lookup: LookupId, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.push(NetworkEvent::Resolved { lookup, result: Ok(addresses) });
    }

    pub fn respond<M: Encodable>(&self, to: &Sent, message: &M) {
        let RequestHeader { key, version, correlation_id, .. } = to.header;
        let bytes = encode_response(key, version, correlation_id, message).unwrap().slice(4..);
        self.push(NetworkEvent::Received { id: to.connection, bytes });
    }

    /// A response with any body.
    pub fn respond_raw(&self, to: &Sent, correlation_id: i32, body: &[u8]) {
        let mut bytes = BytesMut::new();
        bytes.put_i32(correlation_id);
        if to.header.key.response_header_version(to.header.version) >= 1 {
            bytes.put_u8(0);
        }
        bytes.put_slice(body);
        self.push(NetworkEvent::Received { id: to.connection, bytes: bytes.freeze() });
    }

    pub fn drop_connection(&self, id: ConnectionId, unsent: &[u64]) {
        let cause = DisconnectCause::ClosedByPeer;
        self.push(NetworkEvent::Disconnected { id, cause, unsent: unsent.to_vec() });
    }

    pub fn refuse(&self, id: ConnectionId) {
        let cause = DisconnectCause::ConnectFailed("connection refused".to_owned());
        self.push(NetworkEvent::Disconnected { id, cause, unsent: vec![] });
    }

    /// Hands over a request with this tag.
    pub fn send(&mut self, node: i32, tag: u64, timeout_ms: u32) {
        self.send_as(node, tag, timeout_ms, 4, true);
    }

    pub fn send_as(&mut self, node: i32, tag: u64, timeout_ms: u32, version: i16, reply: bool) {
        let now = self.now();
        let correlation_id = self.client.next_correlation_id();
        let api = ApiKey::InitProducerId;
        let message = InitProducerIdRequest::default();
        let frame = encode_request(api, 4, correlation_id, "test", &message).unwrap().into();
        let request = OutgoingRequest {
            api,
            version,
            correlation_id,
            frame,
            expects_response: reply,
            timeout_ms,
            tag,
        };
        self.client.send(NodeId(node), request, now);
    }

    pub fn attempts(&self) -> Vec<(ConnectionId, SocketAddr)> {
        std::mem::take(&mut self.world.lock().attempts)
    }

    pub fn frames(&self) -> Vec<Sent> {
        std::mem::take(&mut self.world.lock().frames)
    }

    pub fn lookups(&self) -> Vec<(LookupId, String)> {
        std::mem::take(&mut self.world.lock().lookups)
    }

    /// The outcomes so far: tag and `ok`, `timed out`, `never left` (timed out unwritten), `unsupported`,
    /// `lost` or `unwritten`.
    pub fn outcomes(&mut self) -> Vec<(u64, &'static str)> {
        let outcome = |event: ClientEvent| match event {
            ClientEvent::Response { tag, outcome, .. } => Some(match outcome {
                Ok(_) => (tag, "ok"),
                Err(RequestFailure::TimedOut { written: true }) => (tag, "timed out"),
                Err(RequestFailure::TimedOut { written: false }) => (tag, "never left"),
                Err(RequestFailure::UnsupportedVersion) => (tag, "unsupported"),
                Err(RequestFailure::Disconnected { written: true, .. }) => (tag, "lost"),
                Err(RequestFailure::Disconnected { written: false, .. }) => (tag, "unwritten"),
            }),
            _ => None,
        };
        std::mem::take(&mut self.events).into_iter().filter_map(outcome).collect()
    }

    /// The messages and codes of the connections that ended so far.
    pub fn ends(&self) -> Vec<(ErrorCode, String)> {
        let end = |event: &ClientEvent| match event {
            ClientEvent::Disconnected { error, .. } => {
                Some((error.code(), error.message().to_owned()))
            }
            _ => None,
        };
        self.events.iter().filter_map(end).collect()
    }

    pub fn count(&self, matches: impl Fn(&ClientEvent) -> bool) -> usize {
        self.events.iter().filter(|event| matches(event)).count()
    }
}
