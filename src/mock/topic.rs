//! Owns what the cluster knows of one topic: its settings and, per partition, who leads and what
//! is in the log. Never looks at a request.

use uuid::Uuid;

use crate::error::ErrorCode;
use crate::time::Time;

use super::marker::Marker;
use super::partition_log::{LogBatch, PartitionLog, Retention};
use super::producer_state::{ProducerRules, ProducerStates};

/// `message.max.bytes` of a broker that nobody configured: 1 MiB and a v0 entry header.
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 1024 * 1024 + 12;

/// A topic's settings, under Kafka's names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicSettings {
    /// `max.message.bytes`: the largest batch, in bytes.
    pub max_message_bytes: usize,
    /// `min.insync.replicas`: below it, acks=all is refused.
    pub min_insync_replicas: usize,
    /// `message.timestamp.type=LogAppendTime`: the broker's time replaces the client's.
    pub log_append_time: bool,
    /// `cleanup.policy=compact`: records without a key are refused.
    pub compacted: bool,
}

impl Default for TopicSettings {
    fn default() -> Self {
        TopicSettings {
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            min_insync_replicas: 1,
            log_append_time: false,
            compacted: false,
        }
    }
}

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) id: Uuid,
    pub(super) settings: TopicSettings,
    /// Before this time the topic has no partitions that a client could use.
    pub(super) ready_at: Time,
    pub(super) partitions: Vec<Partition>,
}

impl Topic {
    pub(super) fn partition(&self, partition: i32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(partition).ok()?)
    }

    pub(super) fn partition_mut(&mut self, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(usize::try_from(partition).ok()?)
    }
}

#[derive(Debug)]
pub(super) struct Partition {
    pub(super) leader: Option<i32>,
    pub(super) leader_epoch: i32,
    /// Preferred leader first.
    pub(super) replicas: Vec<i32>,
    pub(super) in_sync: Vec<i32>,
    /// Leaderless by order, not because brokers are down: a returning broker does not end it.
    pub(super) leaderless_by_order: bool,
    pub(super) log: PartitionLog,
    pub(super) producers: ProducerStates,
}

impl Partition {
    /// A partition led by the first of its replicas.
    pub(super) fn new(replicas: Vec<i32>, is_up: impl Fn(i32) -> bool) -> Partition {
        let in_sync: Vec<i32> = replicas.iter().copied().filter(|id| is_up(*id)).collect();
        Partition {
            leader: in_sync.first().copied(),
            leader_epoch: 0,
            in_sync: if in_sync.is_empty() { replicas.clone() } else { in_sync },
            replicas,
            leaderless_by_order: false,
            log: PartitionLog::default(),
            producers: ProducerStates::default(),
        }
    }

    pub(super) fn lead(&mut self, leader: Option<i32>) {
        self.leader = leader;
        self.leader_epoch += 1;
    }

    /// Appends a batch that was found right, and returns the base offset that it got.
    pub(super) fn append(
        &mut self,
        mut batch: LogBatch,
        retention: Retention,
        rules: &ProducerRules,
        now: Time,
    ) -> i64 {
        batch.header.partition_leader_epoch = self.leader_epoch;
        let header = batch.header;
        let base_offset = self.log.append(batch, retention);
        self.producers.note(&header, base_offset, now);
        self.forget_producers_without_records(rules);
        base_offset
    }

    /// Ends a producer's transaction in this partition.
    pub(super) fn append_marker(
        &mut self,
        marker: &Marker,
        retention: Retention,
        now: Time,
    ) -> Result<(), ErrorCode> {
        self.producers.check_marker(marker)?;
        let mut batch = marker.batch().map_err(|error| error.code())?;
        batch.header.partition_leader_epoch = self.leader_epoch;
        let offset = self.log.append(batch, retention);
        self.producers.end_transaction(marker, offset, now);
        self.producers.forget_aborted_before(self.log.start_offset());
        Ok(())
    }

    /// Forgets the records before `offset`, and who has no other, if the brokers are that old.
    pub(super) fn delete_records(&mut self, offset: i64, rules: &ProducerRules) {
        self.log.truncate_to(offset);
        self.forget_producers_without_records(rules);
    }

    /// The offset before which every transaction has ended (the last stable offset).
    pub(super) fn last_stable_offset(&self) -> i64 {
        let first_open = self.producers.first_open().unwrap_or(self.log.end_offset());
        first_open.max(self.log.start_offset())
    }

    fn forget_producers_without_records(&mut self, rules: &ProducerRules) {
        self.producers.forget_aborted_before(self.log.start_offset());
        if rules.forgotten_with_records {
            self.producers.forget_before(self.log.start_offset());
        }
    }

    /// Gives the partition to a leader, or by order to none. A leader that is no replica becomes
    /// one.
    pub(super) fn give_to(&mut self, leader: Option<i32>) {
        self.leaderless_by_order = leader.is_none();
        self.lead(leader);
        for group in [&mut self.replicas, &mut self.in_sync] {
            group.extend(leader.filter(|id| !group.contains(id)));
        }
    }

    /// A broker went away: it leaves the in-sync replicas (the last one never does), and if it
    /// led, the next live in-sync replica takes over.
    pub(super) fn broker_down(&mut self, broker: i32, is_up: impl Fn(i32) -> bool) {
        if self.in_sync.len() > 1 {
            self.in_sync.retain(|id| *id != broker);
        }
        if self.leader == Some(broker) {
            let in_sync = &self.in_sync;
            let next = self.replicas.iter().find(|id| in_sync.contains(id) && is_up(**id));
            self.lead(next.copied());
        }
    }

    /// A broker came back: it is in sync again, and leads only if nobody does and it may (a
    /// replica that was out of sync while the last in-sync one is still away may not).
    pub(super) fn broker_up(&mut self, broker: i32, is_up: impl Fn(i32) -> bool) {
        if !self.replicas.contains(&broker) {
            return;
        }
        if self.leader.is_none() && !self.leaderless_by_order && self.in_sync.contains(&broker) {
            self.lead(Some(broker));
        }
        if self.leader.is_some() {
            let in_sync = std::mem::take(&mut self.in_sync);
            let kept = |id: &i32| in_sync.contains(id) || is_up(*id);
            self.in_sync = self.replicas.iter().copied().filter(kept).collect();
        }
    }
}

/// Whether Kafka accepts this as a topic name: 1 to 249 of `a-z A-Z 0-9 . _ -`, not `.` or `..`.
pub(super) fn is_valid_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=249).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leadership_moves_to_an_in_sync_replica_and_does_not_come_back_by_itself() {
        let mut partition = Partition::new(vec![1, 2, 3], |_| true);
        assert_eq!((partition.leader, partition.leader_epoch), (Some(1), 0));
        partition.broker_down(1, |id| id != 1);
        assert_eq!((partition.leader, partition.leader_epoch), (Some(2), 1));
        assert_eq!(partition.in_sync, [2, 3]);
        partition.broker_up(1, |_| true);
        assert_eq!((partition.leader, partition.leader_epoch), (Some(2), 1));
        assert_eq!(partition.in_sync, [1, 2, 3]);
    }

    #[test]
    fn the_last_in_sync_replica_must_return_before_others_may_lead() {
        let mut partition = Partition::new(vec![1, 2], |_| true);
        partition.broker_down(2, |id| id == 1);
        partition.broker_down(1, |_| false);
        assert_eq!((partition.leader, &partition.in_sync[..]), (None, &[1][..]));
        partition.broker_up(2, |id| id == 2);
        assert_eq!((partition.leader, &partition.in_sync[..]), (None, &[1][..]));
        partition.broker_up(1, |_| true);
        assert_eq!((partition.leader, &partition.in_sync[..]), (Some(1), &[1, 2][..]));
        assert_eq!(partition.leader_epoch, 2);
    }

    #[test]
    fn a_partition_without_leader_by_order_stays_so() {
        let mut partition = Partition::new(vec![1], |_| true);
        partition.leaderless_by_order = true;
        partition.lead(None);
        partition.broker_down(1, |_| false);
        partition.broker_up(1, |_| true);
        assert_eq!(partition.leader, None);
    }

    #[test]
    fn names() {
        for good in ["a", "A.b-c_9", &"x".repeat(249)] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in ["", ".", "..", "a b", "ä", "a/b", &"x".repeat(250)] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }
}
