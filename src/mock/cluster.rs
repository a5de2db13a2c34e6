//! Owns the state of the embedded cluster and the road of a request through it: header, version,
//! fault, handler, answer. Deterministic: the same seed and the same calls give the same bytes.
//! Never reads a clock, never touches a socket, never waits: an answer says when it may leave.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use crate::error::ErrorCode;
use crate::protocol::{request_header, ApiKey, RequestHeader};
use crate::time::Time;

use super::answer::{spoiled, Answer, Call};
use super::broker::Broker;
use super::coordinator::{Group, ProducerIds, Seats, Transactions};
use super::faults::{Fault, Faults};
use super::features::Features;
use super::partition_log::Retention;
use super::producer_state::DEFAULT_EXPIRATION_MS;
use super::topic::{Topic, TopicSettings};
use super::topology::new_partition;
use super::versions::Versions;

/// Names a client's connection, as the side that serves it counts them.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct PeerId(pub u64);

/// What a broker does about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Nothing is sent (acks=0, or an ordered silence).
    None,
    /// A whole frame, its length included.
    Respond {
        /// The bytes to write.
        bytes: Bytes,
        /// Not to be written before this time, nor before earlier answers of the connection.
        not_before: Time,
    },
    /// The broker closes the connection.
    CloseConnection,
}

/// A request that a broker received, as [`Cluster::take_requests`] lists them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedRequest {
    /// The broker.
    pub broker: i32,
    /// The connection it came by.
    pub peer: PeerId,
    /// Its API key.
    pub api: i16,
    /// Its version.
    pub version: i16,
    /// Its correlation id.
    pub correlation_id: i32,
    /// Who sent it.
    pub client_id: Option<String>,
    /// Bytes behind its header.
    pub body_bytes: usize,
    /// When it was handled.
    pub at: Time,
}

/// A Kafka cluster as one state machine: brokers 1 to N, topics, logs, faults.
#[derive(Debug)]
pub struct Cluster {
    pub(super) rng: fastrand::Rng,
    pub(super) cluster_id: String,
    /// Unix milliseconds at [`Time::ZERO`].
    pub(super) wall_origin_ms: i64,
    pub(super) brokers: Vec<Broker>,
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) topic_names: BTreeMap<Uuid, String>,
    pub(super) topic_errors: BTreeMap<String, ErrorCode>,
    pub(super) defaults: TopicDefaults,
    pub(super) retention: Retention,
    pub(super) verify: bool,
    pub(super) versions: Versions,
    /// Of the brokers that are not as old as the others.
    pub(super) broker_versions: BTreeMap<i32, Versions>,
    pub(super) faults: Faults,
    pub(super) features: Features,
    pub(super) seats: Seats,
    pub(super) transactions: Transactions,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) producer_ids: ProducerIds,
    pub(super) producer_id_expiration_ms: u64,
    counters: BTreeMap<(i32, i16), u64>,
    tracked: Option<Vec<ReceivedRequest>>,
}

/// How topics come into being.
#[derive(Debug)]
pub(super) struct TopicDefaults {
    pub(super) auto_create: bool,
    pub(super) partitions: usize,
    pub(super) replication: usize,
    pub(super) creation_ms: u64,
    pub(super) settings: TopicSettings,
}

impl Cluster {
    /// A cluster of `brokers` brokers (at least one) that are all up, with ids from 1 and the
    /// addresses 127.0.0.1:9092 and on. Ids and garbage are drawn from `seed`.
    pub fn new(brokers: usize, seed: u64) -> Cluster {
        let mut rng = fastrand::Rng::with_seed(seed);
        let cluster_id = (0..22).map(|_| rng.alphanumeric()).collect();
        let count = brokers.clamp(1, 1000);
        let brokers: Vec<Broker> = (1..=count as i32).map(Broker::new).collect();
        let replication = count.min(3);
        let seats = Seats::new(|index| new_partition(&brokers, index, replication));
        Cluster {
            rng,
            cluster_id,
            wall_origin_ms: 0,
            brokers,
            topics: BTreeMap::new(),
            topic_names: BTreeMap::new(),
            topic_errors: BTreeMap::new(),
            defaults: TopicDefaults {
                auto_create: true,
                partitions: 4,
                replication,
                creation_ms: 0,
                settings: TopicSettings::default(),
            },
            retention: Retention::All,
            verify: true,
            versions: Versions::default(),
            broker_versions: BTreeMap::new(),
            faults: Faults::default(),
            features: Features::default(),
            seats,
            transactions: Transactions::default(),
            groups: BTreeMap::new(),
            producer_ids: ProducerIds::default(),
            producer_id_expiration_ms: DEFAULT_EXPIRATION_MS,
            counters: BTreeMap::new(),
            tracked: None,
        }
    }

    /// Does what `broker` does about a request that arrived by `peer`; `bytes` is a frame without
    /// its 4-byte length.
    pub fn handle_request(&mut self, broker: i32, peer: PeerId, bytes: Bytes, now: Time) -> Reply {
        let Ok(request) = request_header(&bytes) else {
            return Reply::CloseConnection;
        };
        if !self.is_up(broker) {
            return Reply::CloseConnection;
        }
        self.advance(now);
        self.count(broker, peer, &request, now);
        let versions = self.versions_of(broker);
        if !versions.accepts(request.key, request.version) {
            return versions.refuse(&request, now);
        }
        let fault = self.faults.next(broker, request.key);
        let mut call = Call { broker, now, error: None, throttle_ms: 0 };
        let mut hold_ms = self.faults.delay_ms(broker, request.key);
        match fault {
            Some(Fault::DropRequest | Fault::Error(ErrorCode::TRANSPORT)) => {
                return Reply::CloseConnection;
            }
            Some(Fault::Error(code)) if !code.is_none() => call.error = Some(code),
            Some(Fault::ThrottleMs(ms)) => call.throttle_ms = ms,
            Some(Fault::DelayMs(ms)) => hold_ms = hold_ms.saturating_add(ms),
            _ => {}
        }
        let answer = self.answer(&call, &request);
        self.advance(now);
        match (answer, &fault) {
            (None | Some(Answer::Close), _) | (_, Some(Fault::DropResponse)) => {
                Reply::CloseConnection
            }
            (Some(Answer::Nothing), _) | (_, Some(Fault::Silence)) => Reply::None,
            (Some(Answer::Frame(frame, more_ms)), _) => Reply::Respond {
                bytes: spoiled(frame, fault.as_ref(), &mut self.rng),
                not_before: now.plus_ms(hold_ms.saturating_add(more_ms)),
            },
        }
    }

    /// `None`: the body cannot be read.
    fn answer(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        match request.key {
            ApiKey::Produce => self.produce(call, request),
            ApiKey::Fetch => self.fetch(call, request),
            ApiKey::ListOffsets => self.list_offsets(call, request),
            ApiKey::Metadata => self.metadata(call, request),
            ApiKey::FindCoordinator => self.find_coordinator(call, request),
            ApiKey::ApiVersions => self.api_versions(call, request),
            ApiKey::CreateTopics => self.create_topics(call, request),
            ApiKey::InitProducerId => self.init_producer_id(call, request),
            ApiKey::AddPartitionsToTxn => self.add_partitions_to_txn(call, request),
            ApiKey::AddOffsetsToTxn => self.add_offsets_to_txn(call, request),
            ApiKey::EndTxn => self.end_txn(call, request),
            ApiKey::TxnOffsetCommit => self.txn_offset_commit(call, request),
            _ => None,
        }
    }

    fn count(&mut self, broker: i32, peer: PeerId, request: &RequestHeader, now: Time) {
        *self.counters.entry((broker, request.key as i16)).or_default() += 1;
        if let Some(tracked) = &mut self.tracked {
            tracked.push(ReceivedRequest {
                broker,
                peer,
                api: request.key as i16,
                version: request.version,
                correlation_id: request.correlation_id,
                client_id: request.client_id.clone(),
                body_bytes: request.body.len(),
                at: now,
            });
        }
    }

    /// How many requests of `api` arrived, at `broker` or at all brokers; refused ones count, too.
    pub fn request_count(&self, broker: Option<i32>, api: ApiKey) -> u64 {
        let counted = |key: &(i32, i16)| key.1 == api as i16 && broker.is_none_or(|b| b == key.0);
        self.counters.iter().filter(|(key, _)| counted(key)).map(|(_, count)| count).sum()
    }

    /// Begins (or ends, and forgets) the list of received requests.
    pub fn track_requests(&mut self, on: bool) {
        self.tracked = on.then(Vec::new);
    }

    /// The requests received since tracking began or they were last taken, in order.
    pub fn take_requests(&mut self) -> Vec<ReceivedRequest> {
        self.tracked.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Says what the Unix clock (milliseconds) shows at [`Time::ZERO`]; 0 unless told. It gives
    /// log append times.
    pub fn set_wall_origin_ms(&mut self, ms: i64) {
        self.wall_origin_ms = ms;
    }

    /// Whether CRC and structure of produced batches are checked (on unless told). Off, a batch is
    /// believed what its header says.
    pub fn set_verify(&mut self, on: bool) {
        self.verify = on;
    }

    /// How much each partition keeps of what is appended from now on.
    pub fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Keeps the newest `bytes` bytes of each partition.
    pub fn retain(&mut self, bytes: u64) {
        self.set_retention(Retention::NewestBytes(bytes));
    }

    /// Keeps nothing: offsets grow, bytes are forgotten.
    pub fn discard(&mut self) {
        self.set_retention(Retention::Nothing);
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    pub(super) fn wall_ms(&self, now: Time) -> i64 {
        self.wall_origin_ms.saturating_add(i64::try_from(now.as_ms()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
