//! What goes wrong in the safety phase, and how it is mended. Kinds and their density come from the options;
//! where and when exactly from the seed's own chance.

use crate::error::ErrorCode;
use crate::mock::{CoordinatorKind, Fault, TRANSACTION_APIS};
use crate::protocol::ApiKey;
use crate::sim::options::pick;
use crate::sim::oracle;
use crate::sim::transaction_plan::{TransactionPlan, TRANSACTIONAL_ID};
use crate::sim::wire::{End, Phase};
use crate::sim::world::{Event, World};

/// A kind of trouble.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// A connection is reset.
    Reset,
    /// A connection falls silent.
    Silence,
    /// Answers on a connection are lost.
    Deafness,
    /// A broker goes down for a while.
    Restart,
    /// A broker drops its connections.
    Drop,
    /// A partition gets another leader.
    LeaderMove,
    /// A partition has no leader for a while.
    LeaderLoss,
    /// The next Produce request is refused.
    ProduceError,
    /// The next batch of a partition is refused.
    PartitionError,
    /// The next answer to Produce is lost, late or spoiled.
    ProduceFault,
    /// The next Metadata request fails.
    MetadataFault,
    /// The next ApiVersions request fails.
    VersionsFault,
    /// Requests are throttled.
    Throttle,
    /// A broker is slow for a while.
    Slowness,
    /// A topic takes only smaller batches from now on.
    SmallerBatches,
    /// A topic gets more partitions.
    Growth,
    /// A topic is deleted and made again.
    Recreation,
    /// A topic is forbidden for a while.
    Forbidden,
    /// A topic has too few replicas in sync for a while.
    OutOfSync,
    /// A partition forgets the producers that wrote to it.
    Forgetting,
    /// A coordinator is another broker, or for a while none.
    CoordinatorMove,
    /// The next request of one kind of which transactions are made fails.
    TransactionFault,
    /// A consumer group has another generation.
    Rebalance,
    /// A partition gets a marker of its own, whatever becomes of the transaction. No broker does so: for a
    /// case that shows what the oracle sees.
    ForgedMarker,
}

impl Trouble {
    /// Every kind.
    pub const ALL: &'static [Trouble] = &[
        Trouble::Reset,
        Trouble::Silence,
        Trouble::Deafness,
        Trouble::Restart,
        Trouble::Drop,
        Trouble::LeaderMove,
        Trouble::LeaderLoss,
        Trouble::ProduceError,
        Trouble::PartitionError,
        Trouble::ProduceFault,
        Trouble::MetadataFault,
        Trouble::VersionsFault,
        Trouble::Throttle,
        Trouble::Slowness,
        Trouble::SmallerBatches,
        Trouble::Growth,
        Trouble::Recreation,
        Trouble::Forbidden,
        Trouble::OutOfSync,
        Trouble::Forgetting,
    ];

    /// What strikes only where there are transactions.
    pub const OF_TRANSACTIONS: &'static [Trouble] =
        &[Trouble::CoordinatorMove, Trouble::TransactionFault, Trouble::Rebalance];
}

/// The end of a trouble that lasts.
#[derive(Clone, Debug)]
pub(super) enum Mend {
    /// The broker comes back.
    BrokerUp(i32),
    /// The partition gets a leader.
    Leader(String, i32),
    /// The broker is as quick as before.
    Quick(i32),
    /// The topic is allowed again.
    Allowed(String),
    /// The topic needs one replica in sync.
    InSync(String),
    /// The group or transactional id has a coordinator.
    Coordinator(CoordinatorKind, String),
}

/// What a broker answers to Produce now and then; the last four end a batch.
const PRODUCE_ERRORS: &[ErrorCode] = &[
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::REQUEST_TIMED_OUT,
    ErrorCode::NOT_ENOUGH_REPLICAS,
    ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode::CORRUPT_MESSAGE,
    ErrorCode::MESSAGE_TOO_LARGE,
    ErrorCode::INVALID_RECORD,
    ErrorCode::UNKNOWN_SERVER_ERROR,
    ErrorCode::TOPIC_AUTHORIZATION_FAILED,
];

/// What coordinators answer to them now and then, the first only to TxnOffsetCommit.
const TRANSACTION_ERRORS: &[ErrorCode] = &[
    ErrorCode::TRANSACTION_ABORTABLE,
    ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ErrorCode::NOT_COORDINATOR,
    ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode::CONCURRENT_TRANSACTIONS,
    ErrorCode::REQUEST_TIMED_OUT,
];

impl World {
    /// Plans when the trouble with this index strikes next.
    pub(super) fn schedule_trouble(&mut self, index: usize) {
        let mean_ms = self.options.troubles[index].1;
        let after_ms = self.trouble_rng.u64(0..=2 * mean_ms);
        self.after_ms(after_ms, Event::Trouble(index));
    }

    /// The trouble with this index strikes.
    pub(super) fn strike(&mut self, index: usize) {
        if self.healed {
            return;
        }
        let (kind, _) = self.options.troubles[index];
        self.lossy = true;
        self.trace.note(self.now(), "trouble", &[index as u64]);
        self.trace.say(self.now(), || format!("{kind:?}"));
        match kind {
            Trouble::Reset | Trouble::Silence | Trouble::Deafness => self.trouble_a_link(kind),
            Trouble::Restart | Trouble::Drop | Trouble::Slowness => self.trouble_a_broker(kind),
            Trouble::ProduceFault | Trouble::MetadataFault | Trouble::VersionsFault => {
                self.spoil_a_request(kind);
            }
            Trouble::CoordinatorMove => self.move_coordinator(),
            Trouble::TransactionFault => self.fail_transactional_request(),
            Trouble::Rebalance => self.rebalance(),
            Trouble::ForgedMarker => {
                let partition = self.trouble_rng.i32(0..self.options.topics[0].partitions as i32);
                let name = &self.options.topics[0].name;
                let commit = self.trouble_rng.bool();
                self.cluster.forge_marker(TRANSACTIONAL_ID, (name, partition), commit);
            }
            Trouble::ProduceError => {
                let code = pick(&mut self.trouble_rng, PRODUCE_ERRORS);
                self.cluster.push_errors(ApiKey::Produce, &[code]);
            }
            Trouble::Throttle => {
                let ms = pick(&mut self.trouble_rng, &[1, 50, 1000]);
                self.cluster.throttle_next(ApiKey::Produce, 2, ms);
            }
            _ => self.trouble_a_topic(kind),
        }
        self.sweep_dropped();
        self.schedule_trouble(index);
    }

    /// A broker is stopped and comes back as one of another release.
    pub(super) fn age(&mut self, index: usize) {
        if self.healed {
            return;
        }
        let (_, broker, release) = self.options.ages[index];
        self.lossy = true;
        self.trace.note(self.now(), "age", &[index as u64]);
        self.trace.say(self.now(), || format!("broker {broker} is of {release}"));
        // Broker and release exist.
        let _ = self.cluster.set_broker_kafka_version(broker, release);
        let _ = self.cluster.drop_connections(broker);
        self.sweep_dropped();
    }

    fn trouble_a_link(&mut self, kind: Trouble) {
        let open = self.links.iter().filter(|(_, link)| link.phase == Phase::Open);
        let ids: Vec<u64> = open.map(|(&id, _)| id).collect();
        if ids.is_empty() {
            return;
        }
        let id = pick(&mut self.trouble_rng, &ids);
        let Some(link) = self.links.get_mut(&id) else { return };
        match kind {
            Trouble::Reset => {
                link.server = None;
                self.end_soon(id, End::Reset);
            }
            Trouble::Silence => {
                link.silent = true;
                link.server = None;
            }
            _ => link.deaf = true,
        }
    }

    fn trouble_a_broker(&mut self, kind: Trouble) {
        let broker = self.trouble_rng.i32(1..=self.options.brokers as i32);
        let after_ms = pick(&mut self.trouble_rng, &[10, 300, 3000]);
        // The broker exists, so none of these can fail.
        let mend = match kind {
            Trouble::Restart => {
                let _ = self.cluster.broker_down(broker);
                Mend::BrokerUp(broker)
            }
            Trouble::Drop => {
                let _ = self.cluster.drop_connections(broker);
                return;
            }
            _ => {
                let ms = pick(&mut self.trouble_rng, &[20, 500, 3000]);
                self.cluster.set_round_trip_ms(broker, ms);
                Mend::Quick(broker)
            }
        };
        self.after_ms(after_ms, Event::Mend(mend));
    }

    fn spoil_a_request(&mut self, kind: Trouble) {
        let api = match kind {
            Trouble::ProduceFault => ApiKey::Produce,
            Trouble::MetadataFault => ApiKey::Metadata,
            _ => ApiKey::ApiVersions,
        };
        let late_ms = pick(&mut self.trouble_rng, &[10, 400, 6000]);
        let fault = match self.trouble_rng.u32(..8) {
            0 => Fault::DropRequest,
            1 => Fault::DropResponse,
            2 => Fault::Silence,
            3 => Fault::DelayMs(late_ms),
            4 => Fault::Garbage,
            5 => Fault::Truncated,
            6 => Fault::WrongCorrelation,
            _ => Fault::InvalidLength,
        };
        self.trace.say(self.now(), || format!("{fault:?}"));
        self.cluster.push_faults(None, api, &[fault]);
    }

    fn move_coordinator(&mut self) {
        let kinds = [CoordinatorKind::Transaction, CoordinatorKind::Group];
        let kind = pick(&mut self.trouble_rng, &kinds);
        let key = match kind {
            CoordinatorKind::Transaction => TRANSACTIONAL_ID.to_owned(),
            CoordinatorKind::Group => format!("group-{}", self.trouble_rng.u32(..3)),
        };
        let broker = self.trouble_rng.i32(0..=self.options.brokers as i32);
        let (lost, after_ms) = (broker == 0, pick(&mut self.trouble_rng, &[10, 300, 3000]));
        // A broker that is down is refused, which is no trouble.
        let _ = self.cluster.set_coordinator(kind, &key, Some(broker).filter(|_| !lost));
        if lost {
            self.after_ms(after_ms, Event::Mend(Mend::Coordinator(kind, key)));
        }
    }

    fn fail_transactional_request(&mut self) {
        let api = pick(&mut self.trouble_rng, &TRANSACTION_APIS);
        // Where a request before may have begun the transaction, no broker says that there is none.
        let begins = api != ApiKey::TxnOffsetCommit;
        let codes = if begins { &TRANSACTION_ERRORS[1..] } else { TRANSACTION_ERRORS };
        let code = pick(&mut self.trouble_rng, codes);
        let late_ms = pick(&mut self.trouble_rng, &[10, 400, 6000]);
        let fault = match self.trouble_rng.u32(..10) {
            0 => Fault::DropRequest,
            1 | 2 => Fault::DropResponse,
            3 => Fault::Silence,
            4 => Fault::DelayMs(late_ms),
            // Garbage may read as a success that was none.
            5 => Fault::Truncated,
            _ => Fault::Error(code),
        };
        self.trace.say(self.now(), || format!("{api:?}: {fault:?}"));
        self.cluster.push_faults(None, api, &[fault]);
    }

    fn trouble_a_topic(&mut self, kind: Trouble) {
        let index = self.trouble_rng.usize(..self.options.topics.len());
        let name = self.options.topics[index].name.clone();
        let count = self.cluster.partition_count(&name).unwrap_or(0);
        if count == 0 {
            return;
        }
        let partition = self.trouble_rng.i32(0..count as i32);
        let after_ms = pick(&mut self.trouble_rng, &[10, 300, 3000]);
        // The topic and the partition exist; a leader that is down is refused, which is no trouble.
        let mend = match kind {
            Trouble::LeaderMove => {
                let leader = self.trouble_rng.i32(1..=self.options.brokers as i32);
                let _ = self.cluster.set_leader(&name, partition, Some(leader));
                return;
            }
            Trouble::LeaderLoss => {
                let _ = self.cluster.set_leader(&name, partition, None);
                Mend::Leader(name, partition)
            }
            Trouble::PartitionError => {
                let code = pick(&mut self.trouble_rng, PRODUCE_ERRORS);
                self.cluster.push_partition_errors(&name, partition, &[code]);
                return;
            }
            Trouble::Forgetting => {
                self.forgetful.insert((index, partition));
                let before = self.cluster.known_producers(&name, partition);
                let _ = self.cluster.forget_producers(&name, partition);
                self.forgotten += before - self.cluster.known_producers(&name, partition);
                return;
            }
            Trouble::SmallerBatches => {
                let bytes = pick(&mut self.trouble_rng, &[20_000, 3000, 500]);
                let _ = self.cluster.set_max_message_bytes(&name, bytes);
                return;
            }
            Trouble::Growth => {
                let _ = self.cluster.grow_partitions(&name, (count + 1).min(16).max(count));
                return;
            }
            Trouble::Recreation => return self.recreate(index),
            Trouble::Forbidden => {
                let code = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
                self.cluster.set_topic_error(&name, Some(code));
                Mend::Allowed(name)
            }
            _ => {
                let _ = self.cluster.set_min_insync_replicas(&name, self.options.replication + 1);
                Mend::InSync(name)
            }
        };
        self.after_ms(after_ms, Event::Mend(mend));
    }

    /// Deletes a topic and makes it again; the oracles still want to see its logs.
    fn recreate(&mut self, index: usize) {
        let name = self.options.topics[index].name.clone();
        let life = self.ledger.life(index);
        let count = self.cluster.partition_count(&name).unwrap_or(0);
        for partition in 0..count as i32 {
            let records = self.cluster.records(&name, partition).unwrap_or_default();
            self.old_logs.insert((index, life, partition), records);
        }
        let heads = oracle::numbers::heads_of(self, index);
        self.old_heads.extend(heads);
        if self.cluster.recreate_topic(&name).is_ok() {
            self.ledger.lives.insert(index, life + 1);
        }
    }

    /// A trouble ends.
    pub(super) fn mend(&mut self, mend: Mend) {
        self.trace.say(self.now(), || format!("{mend:?}"));
        // What is named here was there when the trouble began, and may be gone by now.
        match mend {
            Mend::BrokerUp(broker) => {
                let _ = self.cluster.broker_up(broker);
            }
            Mend::Leader(topic, partition) => self.lead_somehow(&topic, partition),
            Mend::Coordinator(kind, key) => self.coordinate_somehow(kind, &key),
            Mend::Quick(broker) => self.cluster.set_round_trip_ms(broker, 0),
            Mend::Allowed(topic) => self.cluster.set_topic_error(&topic, None),
            Mend::InSync(topic) => {
                let _ = self.cluster.set_min_insync_replicas(&topic, 1);
            }
        }
    }

    fn coordinate_somehow(&mut self, kind: CoordinatorKind, key: &str) {
        let up = self.brokers_up();
        if self.cluster.coordinator(kind, key).is_none() && !up.is_empty() {
            let broker = pick(&mut self.trouble_rng, &up);
            // It is up.
            let _ = self.cluster.set_coordinator(kind, key, Some(broker));
        }
    }

    fn brokers_up(&self) -> Vec<i32> {
        let brokers = self.cluster.broker_ids();
        brokers.into_iter().filter(|&id| self.cluster.is_up(id)).collect()
    }

    fn lead_somehow(&mut self, topic: &str, partition: i32) {
        let up = self.brokers_up();
        if !up.is_empty() {
            let leader = pick(&mut self.trouble_rng, &up);
            // The partition may be gone: then nobody has to lead it.
            let _ = self.cluster.set_leader(topic, partition, Some(leader));
        }
    }

    /// The safety phase is over: everything works from now on.
    pub(super) fn heal(&mut self) {
        self.trace.note(self.now(), "heal", &[]);
        self.healed = true;
        self.repair();
        self.heal_network();
        self.after_ms(50, Event::Probe);
        match self.options.transactions {
            None => self.after_ms(200, Event::Close(self.options.delivery_timeout_ms + 1000)),
            Some(_) => {
                // Every call returns after a few requests, and records have their time.
                let few_ms = 10 * self.options.request_timeout_ms;
                let ms = few_ms + 3 * self.options.delivery_timeout_ms + 120_000;
                self.after_ms(ms, Event::Overdue);
            }
        }
    }

    /// Every broker, topic and coordinator works.
    pub(super) fn repair(&mut self) {
        self.cluster.clear_faults();
        let last = self.options.transactions.as_ref().map(TransactionPlan::last_generation);
        for broker in self.cluster.broker_ids() {
            if !self.options.ages.is_empty() {
                let release = last.map_or("4.1", |last| last.0);
                let _ = self.cluster.set_broker_kafka_version(broker, release);
                let _ = self.cluster.drop_connections(broker);
            }
            let _ = self.cluster.broker_up(broker);
        }
        self.cluster.set_marker_delay_ms(0);
        self.coordinate_somehow(CoordinatorKind::Transaction, TRANSACTIONAL_ID);
        for group in 0..3 {
            self.coordinate_somehow(CoordinatorKind::Group, &format!("group-{group}"));
        }
        for index in 0..self.options.topics.len() {
            let name = self.options.topics[index].name.clone();
            self.cluster.set_topic_error(&name, None);
            let count = self.cluster.partition_count(&name).unwrap_or(0);
            let _ = self.cluster.set_min_insync_replicas(&name, 1);
            for partition in 0..count as i32 {
                if self.cluster.leader(&name, partition).is_ok_and(|(leader, _)| leader.is_none()) {
                    self.lead_somehow(&name, partition);
                }
            }
        }
    }

    fn heal_network(&mut self) {
        self.network.delay_min_us = 100;
        self.network.delay_max_us = 200;
        self.network.send_buffer_bytes = 256 << 10;
        self.network.portion_bytes = 1 << 20;
        self.network.refused = 0;
        self.network.unanswered = 0;
        self.network.lookup_fails = 0;
        self.network.dead_address = false;
        self.network.spurious = 0;
        let ids: Vec<u64> = self.links.keys().copied().collect();
        for id in ids {
            self.drained(id, 256 << 10);
            if self.links.get(&id).is_some_and(|link| link.phase == Phase::Dialing) {
                let at = self.arrival();
                self.at(at, Event::Dialed(id));
            }
        }
    }
}
