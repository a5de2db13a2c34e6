//! Decides what is sent when, and what an answer means for each batch: one produce request per node with all
//! its ready partitions. Runs on the sender thread; knows no socket, no byte of a record, no clock.

mod acknowledge;
mod expire;
mod finish;
mod identify;
mod offers;
#[cfg(test)]
mod once_tests;
mod produce;
mod topics;
mod transact;
pub mod verdict;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use uuid::Uuid;

use crate::accumulator::encode::{Encoding, Workbench};
use crate::accumulator::inbox::Command;
use crate::accumulator::schedule::Schedule;
use crate::accumulator::standing::{standing, Facts, Standing};
use crate::accumulator::topic::Slot;
use crate::accumulator::Accumulator;
use crate::backoff::ExponentialBackoff;
use crate::client::network::Network;
use crate::client::{Client, ClientEvent};
use crate::delivery::{Delivery, Report};
use crate::error::Error;
use crate::log::{Level, Log};
use crate::metadata::{ClusterSnapshot, Metadata, NodeId};
use crate::metrics::ProducerMetrics;
use crate::partitioner::Partitioner;
use crate::protocol::versions::{PRODUCE_BATCHES_SINCE, PRODUCE_TIMESTAMPS_SINCE};
use crate::record::Magic;
use crate::sync::atomic::Ordering;
use crate::time::Time;
use crate::txn::desk::Desk;
use crate::txn::identity::{Idempotence, Identity};
use crate::txn::sequences::{Gate, Sequences};
use crate::txn::transaction::{Transaction, TransactionSettings};

/// What is told before records are reported; the application's interceptors.
pub trait Acknowledgements: Send + Sync {
    /// Records reached their end. Must not panic out; the report may not be changed.
    fn on_acknowledgement(&self, report: &Report);
}

/// Settings of the sender.
#[derive(Clone, Debug)]
pub struct SenderSettings {
    /// `client.id`.
    pub client_id: String,
    /// `client.rack`.
    pub client_rack: String,
    /// `acks`.
    pub acks: i16,
    /// The broker's time to have the records acknowledged.
    pub ack_timeout_ms: i32,
    /// Our time to have a response.
    pub request_timeout_ms: u32,
    /// `delivery.timeout.ms`.
    pub delivery_timeout: Duration,
    /// `max.request.size`.
    pub max_request_size_bytes: usize,
    /// `max.in.flight.requests.per.connection` is 1: partitions are muted while in flight.
    pub guarantee_order: bool,
    /// `retries`.
    pub retries_max: u32,
    /// `retry.backoff.ms` and its maximum.
    pub retry_backoff: ExponentialBackoff,
    /// `linger.ms`.
    pub linger: Duration,
    /// `delivery.report.only.error`.
    pub report_only_errors: bool,
    /// `partitioner.availability.timeout.ms`; zero: off.
    pub availability_timeout: Duration,
    /// `enable.idempotence`, unless there are transactions.
    pub idempotence: Idempotence,
    /// Set with `transactional.id`.
    pub transactions: Option<TransactionSettings>,
}

/// What the sender works with besides its settings.
pub struct SenderParts<N: Network> {
    /// Where records wait.
    pub accumulator: Arc<Accumulator>,
    /// The way to the brokers.
    pub client: Client<N>,
    /// The cluster as known.
    pub metadata: Arc<Metadata>,
    /// The way home.
    pub delivery: Arc<Delivery>,
    /// For records that were parked.
    pub partitioner: Arc<Partitioner>,
    /// Interceptors.
    pub acknowledgements: Option<Arc<dyn Acknowledgements>>,
    /// Compresses batches.
    pub encoding: Box<dyn Encoding>,
    /// Counters.
    pub metrics: Arc<ProducerMetrics>,
    /// Lines for people.
    pub log: Arc<Log>,
    /// Set once, when a fatal error ended the producer.
    pub fault: Arc<OnceCell<Error>>,
    /// Where application threads wait for what they ask of transactions.
    pub desk: Arc<Desk>,
}

/// The sender. See the head of the file.
pub struct Sender<N: Network> {
    settings: SenderSettings,
    parts: SenderParts<N>,
    schedule: Schedule,
    slots: Vec<SlotState>,
    /// What a partition begins with.
    fresh_slot: SlotState,
    /// The id under which each topic was last known.
    topic_ids: HashMap<u32, Uuid>,
    in_flight: HashMap<u64, produce::InFlight>,
    next_tag: u64,
    identity: Identity,
    /// The request for a producer id that is under way.
    identity_tag: Option<u64>,
    /// When it is decided at the latest whether idempotence by default stays on, once records wait for that.
    decide_at: Time,
    /// How many connections to a node ended before it had ever said what it speaks.
    mute: BTreeMap<NodeId, u32>,
    /// Set with `transactional.id`; it then takes the place of `identity`.
    transaction: Option<Transaction>,
    /// A record of the transaction failed in this turn.
    failure: Option<Error>,
    random: fastrand::Rng,
    /// One entry per partition that has batches: when its oldest may expire.
    expiry: BinaryHeap<Reverse<(Time, Slot)>>,
    /// Topics with parked records.
    parked_topics: BTreeSet<u32>,
    /// Topics whose parked records are being promoted.
    opening: VecDeque<u32>,
    /// There was no memory to promote what is parked; the pool wakes us when some comes back.
    promotion_waits: bool,
    /// Partitions whose first batch found no memory for another format; the pool wakes us, too.
    short_of_memory: BTreeSet<Slot>,
    metadata_version: u64,
    flushed_epoch: Option<u64>,
    closing: Option<Time>,
    /// Nodes that do not take what is due for them, and since when (KIP-794).
    refusing: BTreeMap<NodeId, Time>,
    reports: Vec<Report>,
    /// What each broker takes, as last heard.
    magics: BTreeMap<NodeId, Magic>,
    /// Topics whose lost record headers were told of.
    told_of_headers: BTreeSet<u32>,
    /// For batches that are split.
    bench: Workbench,
    /// With acks=0: when the last bytes of records left for each node, on the connection that stands.
    unacknowledged: BTreeMap<NodeId, Time>,
}

#[derive(Debug, Default, Clone)]
struct SlotState {
    leader: Option<NodeId>,
    muted: bool,
    expiry_armed: bool,
    /// When each batch in flight was created.
    in_flight: Vec<Time>,
    sequences: Sequences,
}

impl<N: Network> SenderParts<N> {
    fn acknowledge(&self, report: &Report) {
        if let Some(interceptors) = &self.acknowledgements {
            interceptors.on_acknowledgement(report);
        }
    }
}

impl<N: Network> Sender<N> {
    /// A sender that has nothing to do yet.
    pub fn new(settings: SenderSettings, parts: SenderParts<N>, seed: u64) -> Sender<N> {
        let desk = parts.desk.clone();
        let transaction = settings.transactions.clone();
        Sender {
            transaction: transaction.map(|settings| Transaction::new(settings, desk)),
            failure: None,
            identity: Identity::new(settings.idempotence),
            identity_tag: None,
            decide_at: Time::NEVER,
            mute: BTreeMap::new(),
            settings,
            parts,
            schedule: Schedule::default(),
            slots: Vec::new(),
            fresh_slot: SlotState::default(),
            topic_ids: HashMap::new(),
            in_flight: HashMap::new(),
            next_tag: 0,
            random: fastrand::Rng::with_seed(seed),
            expiry: BinaryHeap::new(),
            parked_topics: BTreeSet::new(),
            opening: VecDeque::new(),
            promotion_waits: false,
            short_of_memory: BTreeSet::new(),
            metadata_version: 0,
            flushed_epoch: None,
            closing: None,
            refusing: BTreeMap::new(),
            reports: Vec::new(),
            magics: BTreeMap::new(),
            told_of_headers: BTreeSet::new(),
            bench: Workbench::default(),
            unacknowledged: BTreeMap::new(),
        }
    }

    /// The client, whose poll is the driver's to call.
    pub fn client(&mut self) -> &mut Client<N> {
        &mut self.parts.client
    }

    /// What application threads and the sender share.
    pub fn accumulator(&self) -> &Arc<Accumulator> {
        &self.parts.accumulator
    }

    /// Takes in what the network brought.
    pub fn handle_event(&mut self, event: ClientEvent, now: Time) {
        match event {
            ClientEvent::Response { tag, node, version, outcome, .. }
                if self.identity_tag == Some(tag) =>
            {
                self.handle_identity(node, version, outcome, now);
            }
            ClientEvent::Response { tag, node, version, outcome, .. }
                if self.transaction.as_ref().is_some_and(|known| known.owns(tag)) =>
            {
                self.handle_transactional(tag, node, version, outcome, now);
            }
            ClientEvent::Response { tag, node, version, outcome, sent_at, .. } => {
                self.handle_response(tag, node, version, outcome, sent_at, now);
            }
            ClientEvent::MetadataUpdated => {}
            ClientEvent::MetadataFailed(error) => {
                self.parts.metrics.metadata.failures.increment();
                self.parts.log.error(Level::Warning, &error);
                self.parts.accumulator.bulletin.post(|news| news.cluster_error = Some(error));
            }
            ClientEvent::BrokersUnreachable(error) => {
                self.parts.log.error(Level::Error, &error);
                self.parts.accumulator.bulletin.post(|news| {
                    news.cluster_error = Some(error.clone());
                    news.unreachable = Some(error);
                });
            }
            ClientEvent::Throttled { node, ms } => {
                self.parts.log.throttled(node.0, ms);
                let time = Duration::from_millis(u64::from(ms));
                self.parts.metrics.request.throttle_time.record(time);
            }
            ClientEvent::Disconnected { node, error } => self.disconnected(node, &error, now),
            ClientEvent::Ready(node) => {
                self.unacknowledged.remove(&node);
                self.follow_versions(node, now);
            }
        }
    }

    /// With acks=0 a broker refuses records by closing the connection, and all that it had not read goes with
    /// it: this line is the only trace of that.
    fn disconnected(&mut self, node: NodeId, error: &Error, now: Time) {
        if !self.magics.contains_key(&node) {
            *self.mute.entry(node).or_default() += 1;
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.lost(node);
        }
        let log = &self.parts.log;
        let patience = Duration::from_millis(u64::from(self.settings.request_timeout_ms));
        let written = self.unacknowledged.remove(&node).map(|at| now.since(at));
        if let Some(ago) = written.filter(|&ago| ago < patience) {
            let ms = ago.as_millis();
            let text = format!(
                "{error}; records were sent to it without acknowledgement (acks=0) until {ms} ms \
                 before: those that it had not stored are lost"
            );
            log.error(Level::Warning, &Error::new(error.code(), text));
        } else if log.wants_connections() {
            log.error(Level::Info, error);
        }
    }

    /// Does what application threads asked for.
    pub fn handle_command(&mut self, command: Command, now: Time) {
        match command {
            Command::Opened(slot) => self.evaluate(slot, now),
            Command::Encoded(slot) => {
                self.tell_of_headers(slot);
                self.evaluate(slot, now);
            }
            Command::Sealed(slot) => {
                self.encode(slot, false);
                self.evaluate(slot, now);
            }
            Command::EncodingFailed(slot, ordinal, error) => {
                let accumulator = self.parts.accumulator.clone();
                let partition = accumulator.topics.partition(slot);
                if let Some(batch) = partition.and_then(|found| found.take_unencoded(ordinal)) {
                    let maybe_stored = batch.maybe_stored;
                    self.fail(batch, error.code(), error.message(), maybe_stored, now);
                }
                self.evaluate(slot, now);
            }
            Command::WantTopic(topic) => self.want_topic(topic, now),
            Command::Parked(topic) => {
                self.parked_topics.insert(topic);
                self.want_topic(topic, now);
            }
            Command::Flush(epoch) => {
                self.flushed_epoch = self.flushed_epoch.max(Some(epoch));
                self.evaluate_active(now);
            }
            Command::Transaction => self.take_up_call(now),
            Command::Purge { queued, in_flight } => self.purge(queued, in_flight, now),
            // The turn looks at the pool by itself.
            Command::Pressure => {}
            Command::RefreshMetadata => {
                self.parts.metadata.request_update();
            }
            Command::Close(deadline) => {
                let earlier = self.closing.map_or(deadline, |known| known.min(deadline));
                self.closing = Some(earlier);
                self.evaluate_active(now);
            }
        }
    }

    /// Does everything that is due, once. False when the producer is closed and nothing is left.
    pub fn work(&mut self, now: Time) -> bool {
        self.follow_metadata(now);
        self.promote_parked();
        self.relieve_pressure(now);
        for slot in std::mem::take(&mut self.short_of_memory) {
            self.evaluate(slot, now);
        }
        while let Some(slot) = self.schedule.pop_elapsed(now) {
            self.evaluate(slot, now);
        }
        self.expire(now);
        self.ask_for_identity(now);
        self.decide_on_identity(now);
        self.transact(now);
        self.send_due(now);
        let open = self.closing.is_none() || !self.try_finish(now);
        self.hand_over_reports();
        if !open {
            self.end_transaction_calls();
        }
        open
    }

    /// When there is something to do again if no event comes before.
    pub fn next_deadline(&mut self, now: Time) -> Time {
        // What failed on the way out is the transaction's to hear of in the next turn.
        let opens = !self.opening.is_empty() && !self.promotion_waits;
        if opens || self.failure.is_some() {
            return now;
        }
        let mut deadline = self.schedule.next_deadline();
        for node in self.schedule.due_nodes() {
            deadline = deadline.min(self.parts.client.poll_delay(node, now));
        }
        if !self.settings.availability_timeout.is_zero() {
            let late = self.refusing.values().map(|&since| self.unavailable_at(since));
            deadline = deadline.min(late.filter(|&at| at > now).min().unwrap_or(Time::NEVER));
        }
        if let Some(&Reverse((at, _))) = self.expiry.peek() {
            deadline = deadline.min(at);
        }
        deadline = deadline.min(self.identity_deadline(now)).min(self.transaction_deadline(now));
        deadline.min(self.next_parked_expiry()).min(self.closing.unwrap_or(Time::NEVER))
    }

    fn slot(&mut self, slot: Slot) -> &mut SlotState {
        let index = slot.0 as usize;
        if self.slots.len() <= index {
            self.slots.resize(index + 1, self.fresh_slot.clone());
        }
        &mut self.slots[index]
    }

    /// Every partition begins at this number, as after many records.
    #[cfg(any(test, feature = "sim"))]
    pub fn start_numbers_at(&mut self, next: i32) {
        self.fresh_slot.sequences.start_at(next);
    }

    /// Every known partition goes on at this number, whoever it follows.
    #[cfg(test)]
    pub fn go_on_at(&mut self, next: i32) {
        self.slots.iter_mut().for_each(|slot| slot.sequences.start_at(next));
    }

    /// What the rule goes by for one partition.
    fn facts(&self, slot: Slot) -> Facts {
        let state = self.slots.get(slot.0 as usize);
        let partition = self.parts.accumulator.topics.partition(slot);
        let head = partition.and_then(|found| found.head());
        Facts {
            gated: head.is_some_and(|head| self.gate(slot, &head) != Gate::Open),
            head,
            leader: state.and_then(|known| known.leader),
            muted: state.is_some_and(|known| known.muted),
            linger: self.settings.linger,
            hurry: self.closing.is_some()
                || self.transaction.as_ref().is_some_and(Transaction::is_ending),
            flushed_epoch: self.flushed_epoch,
            encoded_elsewhere: partition.is_some_and(|found| found.is_compressed()),
        }
    }

    /// Puts one partition where it belongs now.
    fn evaluate(&mut self, slot: Slot, now: Time) {
        self.slot(slot);
        self.keep_up_with_transaction(slot);
        let facts = self.facts(slot);
        let place = standing(&facts, now);
        match (place, &facts.head) {
            (Standing::WithoutLeader, _) => self.seek_leader(slot, now),
            (Standing::Gated, Some(head)) => self.want_identity(slot, head),
            _ => {}
        }
        if place == Standing::Encoding {
            self.encode(slot, true);
        }
        self.schedule.set(slot, place);
        if let Some(head) = facts.head {
            if !self.slots[slot.0 as usize].expiry_armed {
                self.slots[slot.0 as usize].expiry_armed = true;
                let at = head.created + self.settings.delivery_timeout;
                self.expiry.push(Reverse((at, slot)));
            }
        }
    }

    /// Has compressed what waits for it; with `whole`, also the open batch, if it is the first.
    fn encode(&mut self, slot: Slot, whole: bool) {
        let accumulator = self.parts.accumulator.clone();
        let Some(partition) = accumulator.topics.partition(slot) else { return };
        let leader = self.slots.get(slot.0 as usize).and_then(|known| known.leader);
        // What has an identity can only be v2, whoever leads: see `reform`.
        let leader = leader.filter(|_| !self.has_identity());
        let magic = leader.map_or(Magic::V2, |node| self.magic_of(node));
        let start = partition.start_encoding(&accumulator.pool, whole, magic);
        for job in start.jobs {
            self.parts.encoding.submit(job);
        }
        if start.short_of_memory {
            self.short_of_memory.insert(slot);
        }
    }

    /// One line when a topic loses record headers for the first time: what was appended before anybody knew
    /// that the brokers are too old for them (KIP-82). Records with headers are refused from then on.
    fn tell_of_headers(&mut self, slot: Slot) {
        let accumulator = &self.parts.accumulator;
        let partition = accumulator.topics.partition(slot);
        let Some(topic) = partition.and_then(|found| accumulator.topics.get(found.topic)) else {
            return;
        };
        let dropped = topic.headers_dropped.load(Ordering::Relaxed);
        if dropped > 0 && self.told_of_headers.insert(topic.id) {
            let line = format!(
                "topic {}: {dropped} record headers were dropped: a broker takes only message formats before \
                 v2 (Kafka 0.11), which have none",
                topic.name
            );
            self.parts.log.line(Level::Warning, &line);
        }
    }

    /// Whether batches carry a producer's identity, or will once there is one.
    fn has_identity(&self) -> bool {
        self.transaction.is_some() || !self.identity.is_off()
    }

    /// The newest message format that `node` takes; the newest of all while that is not known.
    fn magic_of(&self, node: NodeId) -> Magic {
        match self.parts.client.produce_version(node) {
            Some(..PRODUCE_TIMESTAMPS_SINCE) => Magic::V0,
            Some(..PRODUCE_BATCHES_SINCE) => Magic::V1,
            _ => Magic::V2,
        }
    }

    /// A broker told what it speaks: what every one of them takes is known before records are appended.
    fn follow_versions(&mut self, node: NodeId, now: Time) {
        self.magics.insert(node, self.magic_of(node));
        self.mute.remove(&node);
        self.tell_usable_magic();
        if self.magic_of(node) != Magic::V2 {
            self.step_back(node, now);
        }
    }

    /// Brokers that the cluster no longer has say nothing of what it takes.
    fn forget_brokers_that_left(&mut self, snapshot: &ClusterSnapshot) {
        let before = self.magics.len();
        let stays = |node: NodeId| node.is_bootstrap() || snapshot.nodes.contains_key(&node);
        self.magics.retain(|&node, _| stays(node));
        if self.magics.len() != before {
            self.tell_usable_magic();
        }
    }

    fn tell_usable_magic(&self) {
        let known = self.magics.iter().filter(|(node, _)| !node.is_bootstrap());
        let usable = known.map(|(_, magic)| *magic).min();
        let usable = usable.or_else(|| self.magics.values().copied().min());
        self.parts.accumulator.set_usable_magic(usable.unwrap_or(Magic::V2));
    }

    fn evaluate_active(&mut self, now: Time) {
        for slot in self.schedule.active_slots() {
            self.evaluate(slot, now);
        }
    }

    /// Somebody is short of memory: what lingers goes now, oldest first.
    fn relieve_pressure(&mut self, now: Time) {
        if !self.parts.accumulator.pool.take_pressure() {
            return;
        }
        let accumulator = self.parts.accumulator.clone();
        for slot in self.schedule.take_lingering() {
            if let Some(partition) = accumulator.topics.partition(slot) {
                partition.seal_open(&accumulator.pool);
            }
            self.evaluate(slot, now);
        }
    }

    /// Compares where every partition stands with the rule applied to all of them (a scan like Java's
    /// `ready()`): the first that differs. For the simulator's oracle, between turns.
    pub fn check_schedule(&self, now: Time) -> Option<String> {
        (0..self.parts.accumulator.topics.slot_count()).map(Slot).find_map(|slot| {
            let expected = standing(&self.facts(slot), now);
            let found = self.schedule.standing(slot);
            let same = expected == found;
            (!same).then(|| format!("{slot:?} stands as {found:?}, the rule says {expected:?}"))
        })
    }
}

impl<N: Network> fmt::Debug for Sender<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.schedule.active();
        write!(f, "Sender({active} partitions active, {} requests in flight)", self.in_flight.len())
    }
}
