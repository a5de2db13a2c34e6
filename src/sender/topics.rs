//! What metadata means for the queues: partitions appear, leaders move, gates open. Promotes records
//! that were parked for a topic, a slice a turn, so that a long queue does not hold up the rest.

use std::sync::Arc;

use crate::accumulator::admission::Admission;
use crate::accumulator::append::{AppendFailure, Outgoing};
use crate::accumulator::batch::AppendContext;
use crate::accumulator::parked::ParkedRecord;
use crate::accumulator::pool::Taker;
use crate::accumulator::topic::{Slot, Topic, TopicId, TopicState, TopicView};
use crate::client::network::Network;
use crate::error::{Error, ErrorCode};
use crate::metadata::{ClusterSnapshot, NodeId, TopicMetadata};
use crate::partitioner::Choice;
use crate::sender::Sender;
use crate::time::Time;

/// Parked records promoted in one turn.
const PROMOTED_PER_TURN: usize = 2000;

/// How far the promotion of a topic's parked records has come.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Promotion {
    /// The gate is open.
    Complete,
    /// The next turn goes on.
    Unfinished,
    /// It goes on when memory comes back.
    NoMemory,
}

impl<N: Network> Sender<N> {
    pub(super) fn want_topic(&mut self, topic: u32, now: Time) {
        let name = self.topic_name(topic);
        let new = self.parts.metadata.want_topic(&name, now);
        let snapshot = self.parts.metadata.snapshot();
        let topics = self.parts.accumulator.clone();
        if let (Some(topic), Some(known)) = (topics.topics.get(topic), snapshot.topic(&name)) {
            if known.partitions.is_empty() {
                // What went wrong the last time may have been mended: whoever asks now gets a new answer.
                self.parts.metadata.request_update();
            } else {
                self.follow_topic(topic, known, &snapshot, now);
            }
        } else if !new {
            // The question that is under way is older than this wish, and so may its answer be.
            self.parts.metadata.request_update();
        }
    }

    /// There are records, and nobody is known to take them. The topic may not have been asked for for long
    /// (`metadata.max.idle.ms`).
    pub(super) fn seek_leader(&mut self, slot: Slot, now: Time) {
        if let Some(partition) = self.parts.accumulator.topics.partition(slot) {
            let name = self.topic_name(partition.topic);
            self.parts.metadata.want_topic(&name, now);
        }
        self.parts.metadata.request_update();
    }

    /// Brings the queues in line with a new snapshot, if there is one.
    pub(super) fn follow_metadata(&mut self, now: Time) {
        let version = self.parts.metadata.version();
        if version == self.metadata_version {
            return;
        }
        self.metadata_version = version;
        let snapshot = self.parts.metadata.snapshot();
        self.forget_brokers_that_left(&snapshot);
        let accumulator = self.parts.accumulator.clone();
        for topic in accumulator.topics.iter() {
            match snapshot.topic(&topic.name) {
                Some(known) => self.follow_topic(topic, known, &snapshot, now),
                None => self.keep_leaders(topic, &snapshot, now),
            }
        }
        for slot in self.schedule.take_without_leader() {
            self.evaluate(slot, now);
        }
        let reached = !snapshot.is_bootstrap();
        self.parts.metrics.metadata.updates.increment();
        self.parts.metrics.metadata.last_update.set(now);
        accumulator.bulletin.post(|news| {
            news.metadata_updates += 1;
            if reached {
                news.cluster_error = None;
                news.unreachable = None;
            }
        });
    }

    fn follow_topic(
        &mut self,
        topic: &Arc<Topic>,
        known: &TopicMetadata,
        snapshot: &ClusterSnapshot,
        now: Time,
    ) {
        if known.partitions.is_empty() {
            self.topic_failed(topic, known.error, known.asked_at);
            return;
        }
        let accumulator = self.parts.accumulator.clone();
        accumulator.topics.grow(topic, known.partitions.len() as u32);
        self.follow_id(topic, known, now);
        self.follow_leaders(topic, known, now);
        topic.set_view(self.view(known, snapshot));
        topic.set_partition_count(known.partitions.len() as u32);
        if topic.state() == TopicState::Unknown {
            topic.set_state(TopicState::Opening);
            self.opening.push_back(topic.id);
        }
        accumulator.bulletin.post(|news| {
            news.topic_errors.remove(&topic.id);
        });
    }

    /// The topic has no partitions: an error that will not pass ends those who waited for it when the
    /// question was asked that it answers. The others may find it mended, and get their own answer.
    fn topic_failed(&mut self, topic: &Arc<Topic>, error: ErrorCode, asked_at: Time) {
        if error == ErrorCode::NONE {
            return;
        }
        let text = format!("topic {}: {}", topic.name, error.description());
        self.parts.accumulator.bulletin.post(|news| {
            news.topic_errors.insert(topic.id, (Error::new(error, text.clone()), asked_at));
        });
        if !error.is_retriable() {
            self.fail_parked(topic, error, &text, asked_at);
            if !topic.gate.lock().is_empty() {
                self.parts.metadata.request_update();
            }
        }
    }

    /// A topic that was deleted and made again has another id, and logs that know no producer (KIP-516).
    fn follow_id(&mut self, topic: &Topic, known: &TopicMetadata, now: Time) {
        if known.id.is_nil() {
            return;
        }
        let before = self.topic_ids.insert(topic.id, known.id);
        if before.is_some_and(|before| before != known.id) {
            for partition in topic.partitions().iter() {
                self.slot(partition.slot).sequences.begin_log();
                self.evaluate(partition.slot, now);
            }
        }
    }

    /// The topic is not asked for any more: what was known of its leaders holds as long as they are there.
    fn keep_leaders(&mut self, topic: &Topic, snapshot: &ClusterSnapshot, now: Time) {
        for partition in topic.partitions().iter() {
            let state = self.slot(partition.slot);
            if state.leader.is_some_and(|leader| !snapshot.nodes.contains_key(&leader)) {
                state.leader = None;
                self.evaluate(partition.slot, now);
            }
        }
    }

    fn follow_leaders(&mut self, topic: &Topic, known: &TopicMetadata, now: Time) {
        for partition in topic.partitions().iter() {
            let leader = known.partitions.get(partition.id as usize).and_then(|p| p.leader);
            let state = self.slot(partition.slot);
            if state.leader == leader {
                continue;
            }
            state.leader = leader;
            if let Some(leader) = leader {
                partition.expedite(leader);
            }
            self.evaluate(partition.slot, now);
        }
    }

    fn view(&self, known: &TopicMetadata, snapshot: &ClusterSnapshot) -> TopicView {
        let rack = self.settings.client_rack.as_str();
        let near = |node: NodeId| {
            let found = snapshot.nodes.get(&node).and_then(|node| node.rack.as_deref());
            !rack.is_empty() && found == Some(rack)
        };
        let leaders: Vec<Option<NodeId>> = known.partitions.iter().map(|p| p.leader).collect();
        TopicView {
            same_rack: leaders.iter().map(|leader| leader.is_some_and(near)).collect(),
            leaders,
        }
    }

    /// Moves parked records of topics that became known into their partitions.
    pub(super) fn promote_parked(&mut self) {
        let accumulator = self.parts.accumulator.clone();
        // Until a topic turns up that waits for nothing.
        self.promotion_waits = true;
        for _ in 0..self.opening.len() {
            let Some(id) = self.opening.pop_front() else { return };
            let Some(topic) = accumulator.topics.get(id) else { continue };
            let promotion = self.promote_slice(topic);
            if promotion != Promotion::Complete {
                self.opening.push_back(id);
            }
            self.promotion_waits &= promotion == Promotion::NoMemory;
        }
    }

    fn promote_slice(&mut self, topic: &Arc<Topic>) -> Promotion {
        for _ in 0..PROMOTED_PER_TURN {
            let Some(record) = self.parts.accumulator.unpark(topic) else {
                self.parked_topics.remove(&topic.id);
                return Promotion::Complete;
            };
            if let Some(record) = self.promote(topic, record) {
                topic.gate.lock().push_front(record);
                return Promotion::NoMemory;
            }
        }
        Promotion::Unfinished
    }

    /// Appends one parked record; gives it back when there is no memory just now.
    fn promote(&mut self, topic: &Arc<Topic>, mut record: ParkedRecord) -> Option<ParkedRecord> {
        let accumulator = self.parts.accumulator.clone();
        let count = topic.partition_count();
        let mut held = record.promise.take_lease();
        let token = record.promise.tokens()[0];
        let appended = record.with_record(|fields| {
            let partition = record.partition;
            let choice = match partition {
                -1 => self.parts.partitioner.choose(&topic.name, fields, count),
                partition => Choice::Partition(partition),
            };
            let taker = Taker::Exchange(&mut held);
            let parked = Some(&record.promise);
            // What was accepted before the producer was closed is still sent: here it is never closed.
            // (Whatever is left at the end is failed by the same thread that promotes.)
            let always = Admission::default();
            let now = || record.parked_at;
            let context = accumulator.append_context(&now);
            let context = AppendContext { parked, admission: &always, ..context };
            let topic_id = TopicId(topic.id);
            let outgoing = Outgoing { topic: topic_id, partition, record: *fields, token };
            accumulator.append(&context, topic, choice, &outgoing, taker)
        });
        let (code, text) = match appended {
            Ok(()) => {
                record.promise.hand_over();
                accumulator.passed_gate();
                return None;
            }
            Err(AppendFailure::NoMemory(_)) => {
                record.promise.put_lease(held);
                return Some(record);
            }
            Err(AppendFailure::NoPartition(partition)) => {
                (ErrorCode::UNKNOWN_PARTITION, topic.lacks(partition))
            }
            Err(AppendFailure::Refused(number)) => (
                ErrorCode::ARGUMENT,
                format!("the partitioner returned {number} of {count} partitions"),
            ),
            Err(AppendFailure::Panicked) => {
                (ErrorCode::PANIC, "the application's partitioner panicked".to_string())
            }
            Err(AppendFailure::Closed) => (
                ErrorCode::ABORTED,
                format!("the producer was closed before topic {} was known", topic.name),
            ),
        };
        self.fail_parked_record(record, code, text);
        None
    }
}
