//! Owns the control of topics and partitions: creation, deletion, leaders, replicas, settings,
//! offsets. Never serves a request.

use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::time::Time;

use super::answer::Call;
use super::broker::Broker;
use super::cluster::Cluster;
use super::coordinator::{TopicPartition, OFFSETS_TOPIC};
use super::topic::{is_valid_name, Partition, Topic, TopicSettings};

/// More partitions in one topic are taken for a mistake.
const MAX_PARTITIONS: usize = 100_000;

impl Cluster {
    /// Creates a topic that is ready at once. Partition `p` has its replicas on `replication`
    /// brokers from the `p`-th on, and the first of them leads.
    /// Errors: `INVALID_TOPIC_EXCEPTION`, `TOPIC_ALREADY_EXISTS`, `INVALID_PARTITIONS`,
    /// `INVALID_REPLICATION_FACTOR`.
    pub fn create_topic(
        &mut self,
        name: &str,
        partitions: usize,
        replication: usize,
    ) -> Result<()> {
        self.create_topic_at(name, partitions, replication, Time::ZERO)
    }

    pub(super) fn create_topic_at(
        &mut self,
        name: &str,
        partitions: usize,
        replication: usize,
        ready_at: Time,
    ) -> Result<()> {
        self.check_new_topic(name, partitions, replication)?;
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let partitions =
            (0..partitions).map(|p| new_partition(&self.brokers, p, replication)).collect();
        let settings = self.defaults.settings.clone();
        self.topic_names.insert(id, name.to_owned());
        self.topics.insert(name.to_owned(), Topic { id, settings, ready_at, partitions });
        Ok(())
    }

    /// Whether such a topic could be created now.
    pub(super) fn check_new_topic(
        &self,
        name: &str,
        partitions: usize,
        replication: usize,
    ) -> Result<()> {
        if !is_valid_name(name) {
            return Err(ErrorCode::INVALID_TOPIC_EXCEPTION.into());
        }
        if self.topics.contains_key(name) {
            let message = format!("Topic '{name}' already exists.");
            return Err(Error::new(ErrorCode::TOPIC_ALREADY_EXISTS, message));
        }
        if !(1..=MAX_PARTITIONS).contains(&partitions) {
            return Err(ErrorCode::INVALID_PARTITIONS.into());
        }
        if !(1..=self.brokers.len()).contains(&replication) {
            return Err(ErrorCode::INVALID_REPLICATION_FACTOR.into());
        }
        Ok(())
    }

    /// Deletes a topic and its records.
    pub fn delete_topic(&mut self, name: &str) -> Result<()> {
        let topic = self.topics.remove(name).ok_or_else(|| unknown_topic(name))?;
        self.topic_names.remove(&topic.id);
        Ok(())
    }

    /// Deletes a topic and creates it again: same name, settings and partition count, another id,
    /// empty logs.
    pub fn recreate_topic(&mut self, name: &str) -> Result<()> {
        let old = self.topic(name)?;
        let settings = old.settings.clone();
        let partitions = old.partitions.len();
        let replication = old.partitions.first().map_or(1, |first| first.replicas.len());
        self.delete_topic(name)?;
        self.create_topic(name, partitions, replication)?;
        self.topic_mut(name)?.settings = settings;
        Ok(())
    }

    /// Adds partitions until the topic has `count`.
    /// Errors: `INVALID_PARTITIONS` when it has more.
    pub fn grow_partitions(&mut self, name: &str, count: usize) -> Result<()> {
        let topic = self.topic(name)?;
        let now = topic.partitions.len();
        if count < now || count > MAX_PARTITIONS {
            return Err(ErrorCode::INVALID_PARTITIONS.into());
        }
        let replication = topic.partitions.first().map_or(1, |first| first.replicas.len());
        let added: Vec<Partition> =
            (now..count).map(|p| new_partition(&self.brokers, p, replication)).collect();
        self.topic_mut(name)?.partitions.extend(added);
        Ok(())
    }

    /// Whether Metadata creates unknown topics (yes unless told), with how many partitions (4).
    pub fn set_auto_create(&mut self, on: bool, partitions: usize) {
        self.defaults.auto_create = on;
        self.defaults.partitions = partitions.max(1);
    }

    /// How long after their creation by a request topics stay without leaders (0 unless told).
    pub fn set_topic_creation_ms(&mut self, ms: u64) {
        self.defaults.creation_ms = ms;
    }

    /// The settings that new topics get.
    pub fn set_default_topic_settings(&mut self, settings: TopicSettings) {
        self.defaults.settings = settings;
    }

    /// A topic's settings.
    pub fn topic_settings(&self, name: &str) -> Result<TopicSettings> {
        Ok(self.topic(name)?.settings.clone())
    }

    /// Changes a topic's settings; what is in its logs stays as it is.
    pub fn set_topic_settings(&mut self, name: &str, settings: TopicSettings) -> Result<()> {
        self.topic_mut(name)?.settings = settings;
        Ok(())
    }

    /// `message.timestamp.type`: the broker's time (`true`) or the client's.
    pub fn set_log_append_time(&mut self, name: &str, on: bool) -> Result<()> {
        self.topic_mut(name)?.settings.log_append_time = on;
        Ok(())
    }

    /// `max.message.bytes` of a topic.
    pub fn set_max_message_bytes(&mut self, name: &str, bytes: usize) -> Result<()> {
        self.topic_mut(name)?.settings.max_message_bytes = bytes;
        Ok(())
    }

    /// `min.insync.replicas` of a topic.
    pub fn set_min_insync_replicas(&mut self, name: &str, replicas: usize) -> Result<()> {
        self.topic_mut(name)?.settings.min_insync_replicas = replicas;
        Ok(())
    }

    /// Answers every request about this topic with this code until told otherwise, whether the
    /// topic exists or not: TOPIC_AUTHORIZATION_FAILED, for example.
    pub fn set_topic_error(&mut self, name: &str, code: Option<ErrorCode>) {
        match code {
            Some(code) => self.topic_errors.insert(name.to_owned(), code),
            None => self.topic_errors.remove(name),
        };
    }

    /// Gives a partition to another leader, or to none until the next call; the leader epoch
    /// grows. A leader that is no replica becomes one.
    pub fn set_leader(&mut self, name: &str, partition: i32, leader: Option<i32>) -> Result<()> {
        if let Some(id) = leader.filter(|id| !self.is_up(*id)) {
            return Err(Error::new(ErrorCode::ARGUMENT, format!("broker {id} is not up")));
        }
        self.partition_mut(name, partition)?.give_to(leader);
        Ok(())
    }

    /// Says which replicas are in sync.
    pub fn set_in_sync(&mut self, name: &str, partition: i32, in_sync: &[i32]) -> Result<()> {
        self.partition_mut(name, partition)?.in_sync = in_sync.to_vec();
        Ok(())
    }

    /// Forgets the records before `offset`: the log start offset moves there.
    pub fn delete_records(&mut self, name: &str, partition: i32, offset: i64) -> Result<()> {
        let rules = self.producer_rules();
        self.partition_mut(name, partition)?.delete_records(offset, &rules);
        Ok(())
    }

    /// The names of all topics, sorted.
    pub fn topic_names(&self) -> Vec<String> {
        self.topics.keys().cloned().collect()
    }

    /// A topic's id.
    pub fn topic_id(&self, name: &str) -> Result<Uuid> {
        Ok(self.topic(name)?.id)
    }

    /// How many partitions a topic has.
    pub fn partition_count(&self, name: &str) -> Result<usize> {
        Ok(self.topic(name)?.partitions.len())
    }

    /// Who leads a partition, and in which leader epoch.
    pub fn leader(&self, name: &str, partition: i32) -> Result<(Option<i32>, i32)> {
        let partition = self.partition(name, partition)?;
        Ok((partition.leader, partition.leader_epoch))
    }

    /// The first offset that a partition still has.
    pub fn log_start_offset(&self, name: &str, partition: i32) -> Result<i64> {
        Ok(self.partition(name, partition)?.log.start_offset())
    }

    /// The offset that a partition's next record will get.
    pub fn log_end_offset(&self, name: &str, partition: i32) -> Result<i64> {
        Ok(self.partition(name, partition)?.log.end_offset())
    }

    pub(super) fn topic(&self, name: &str) -> Result<&Topic> {
        self.topics.get(name).ok_or_else(|| unknown_topic(name))
    }

    pub(super) fn topic_mut(&mut self, name: &str) -> Result<&mut Topic> {
        self.topics.get_mut(name).ok_or_else(|| unknown_topic(name))
    }

    /// Whether there is such a partition for a client's request.
    pub(super) fn check_partition(
        &self,
        call: &Call,
        name: &str,
        partition: i32,
    ) -> std::result::Result<(), ErrorCode> {
        let topic = self.topics.get(name).filter(|topic| topic.ready_at <= call.now);
        let found = topic.and_then(|topic| topic.partition(partition));
        found.map(|_| ()).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }

    /// A partition of a topic, or of the groups' coordinators.
    pub(super) fn partition_of(&mut self, at: &TopicPartition) -> Option<&mut Partition> {
        if at.0 == OFFSETS_TOPIC {
            return self.seats.offsets_partition(at.1);
        }
        self.topics.get_mut(&at.0)?.partition_mut(at.1)
    }

    pub(super) fn partition(&self, name: &str, partition: i32) -> Result<&Partition> {
        self.topic(name)?.partition(partition).ok_or_else(|| unknown_partition(name, partition))
    }

    pub(super) fn partition_mut(&mut self, name: &str, partition: i32) -> Result<&mut Partition> {
        let found = self.topic_mut(name)?.partition_mut(partition);
        found.ok_or_else(|| unknown_partition(name, partition))
    }
}

/// A partition whose replicas are on `replication` brokers from the `index`-th on.
pub(super) fn new_partition(brokers: &[Broker], index: usize, replication: usize) -> Partition {
    let ids = brokers.iter().map(|broker| broker.id).cycle();
    let replicas = ids.skip(index % brokers.len()).take(replication).collect();
    Partition::new(replicas, |id| brokers.iter().any(|broker| broker.id == id && broker.up))
}

fn unknown_topic(name: &str) -> Error {
    Error::new(ErrorCode::UNKNOWN_TOPIC, format!("no topic '{name}'"))
}

fn unknown_partition(name: &str, partition: i32) -> Error {
    Error::new(ErrorCode::UNKNOWN_PARTITION, format!("no partition {partition} in '{name}'"))
}
