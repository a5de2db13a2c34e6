//! Owns the metadata that application threads and the sender thread share: the current snapshot,
//! the topics of interest with their idle expiry, and the schedule of requests. Never blocks on
//! anything but its own short locks, and never wakes anybody: calls that make a request due return
//! true, and the caller wakes the driver.
//! Java: `ProducerMetadata`. KIPs 526, 580, 951, 899/1102.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::backoff::ExponentialBackoff;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::messages::metadata_request::MetadataRequestTopic;
use crate::protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use crate::protocol::StrBytes;
use crate::time::Time;

use super::cluster::{bootstrap_nodes, ClusterSnapshot, Node};
use super::merge::{merge_answer, merge_leadership, LeaderHint};
use super::schedule::Schedule;
use crate::config::BootstrapServer;

/// How metadata is kept.
#[derive(Clone, Debug)]
pub struct MetadataSettings {
    /// `metadata.max.age.ms`: all topics are asked for again after this time.
    pub max_age_ms: u64,
    /// `metadata.max.idle.ms`: a topic that nobody wanted for this long is forgotten.
    pub max_idle_ms: u64,
    /// `retry.backoff.ms`.
    pub retry_backoff_ms: u64,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max_ms: u64,
    /// Whether asking for a topic may create it; false needs brokers with Metadata v4.
    pub allow_auto_topic_creation: bool,
}

/// The shared metadata.
#[derive(Debug)]
pub struct Metadata {
    settings: MetadataSettings,
    servers: Vec<BootstrapServer>,
    snapshot: RwLock<Arc<ClusterSnapshot>>,
    version: AtomicU64,
    /// [`Metadata::next_update`] in nanoseconds, kept beside `work` so that reading it is free.
    due_at: AtomicU64,
    /// Topic → when it is idle for too long, in nanoseconds.
    interest: RwLock<HashMap<Arc<str>, AtomicU64>>,
    /// Taken before any of the locks above by whoever changes them.
    work: Mutex<Work>,
}

#[derive(Debug)]
struct Work {
    schedule: Schedule,
    /// Topics of interest that no answer has covered yet.
    new_topics: HashSet<Arc<str>>,
}

/// A Metadata request that was begun; goes back to [`Metadata`] with the outcome.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    topics: Vec<Arc<str>>,
    full: bool,
    allow_auto_topic_creation: bool,
    begun_at: Time,
}

impl UpdateRequest {
    /// The topics asked for.
    pub fn topics(&self) -> &[Arc<str>] {
        &self.topics
    }

    /// Whether all topics of interest are asked for, and not only new ones.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// The request as it is sent.
    pub fn message(&self) -> MetadataRequest {
        let topic = |name: &Arc<str>| {
            let name = TopicName(StrBytes::from_string(name.to_string()));
            MetadataRequestTopic::default().with_name(Some(name))
        };
        MetadataRequest::default()
            .with_topics(Some(self.topics.iter().map(topic).collect()))
            .with_allow_auto_topic_creation(self.allow_auto_topic_creation)
    }
}

impl Metadata {
    /// Metadata that knows nothing but the bootstrap servers; a first update is due at once.
    pub fn new(settings: MetadataSettings, servers: Vec<BootstrapServer>, seed: u64) -> Metadata {
        let backoff =
            ExponentialBackoff::new(settings.retry_backoff_ms, settings.retry_backoff_max_ms);
        let schedule = Schedule::new(settings.max_age_ms, backoff, seed);
        Metadata {
            snapshot: RwLock::new(Arc::new(ClusterSnapshot::bootstrap(&servers))),
            version: AtomicU64::new(0),
            due_at: AtomicU64::new(schedule.due_at(false).as_nanos()),
            interest: RwLock::new(HashMap::new()),
            work: Mutex::new(Work { schedule, new_topics: HashSet::new() }),
            settings,
            servers,
        }
    }

    /// The current picture; consistent in itself, for as long as the caller keeps it.
    pub fn snapshot(&self) -> Arc<ClusterSnapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The version of the current snapshot: cheap to compare with the one a caller has.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Says that `name`, which must be one that Kafka allows, is in use: it is kept for another
    /// `metadata.max.idle.ms`. The first time it is asked for at once, alone and without regard to
    /// backoff (KIP-526); then the answer is true and the driver must be woken. For a topic that is
    /// already wanted this is a hash look-up under a read lock.
    pub fn want_topic(&self, name: &str, now: Time) -> bool {
        let expires_at = now.plus_ms(self.settings.max_idle_ms).as_nanos();
        let refresh = |interest: &HashMap<Arc<str>, AtomicU64>| {
            let known = interest.get(name);
            known.map(|expiry| expiry.fetch_max(expires_at, Ordering::Relaxed)).is_some()
        };
        if refresh(&self.interest.read().unwrap_or_else(PoisonError::into_inner)) {
            return false;
        }
        let mut work = self.work();
        let mut interest = self.interest.write().unwrap_or_else(PoisonError::into_inner);
        if refresh(&interest) {
            return false;
        }
        let name: Arc<str> = name.into();
        interest.insert(Arc::clone(&name), AtomicU64::new(expires_at));
        work.new_topics.insert(name);
        work.schedule.new_topic();
        self.publish_due(&work);
        true
    }

    /// Whether `name` is of interest.
    pub fn wants(&self, name: &str) -> bool {
        self.interest.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Asks for all topics again as soon as the backoff allows: after a retriable error, for a
    /// partition without leader, after a disconnect. True if that was not asked before: then a
    /// thread that is not the driver must wake it.
    pub fn request_update(&self) -> bool {
        let mut work = self.work();
        let news = work.schedule.want_full();
        self.publish_due(&work);
        news
    }

    /// The producer is about to end: no further request becomes due.
    pub fn stop(&self) {
        let mut work = self.work();
        work.schedule.stop();
        self.publish_due(&work);
    }

    /// When the next request is due; [`Time::NEVER`] while one is in flight.
    pub fn next_update(&self) -> Time {
        Time::from_nanos(self.due_at.load(Ordering::Acquire))
    }

    /// The lowest Metadata version that can say what the settings say.
    pub fn lowest_request_version(&self) -> i16 {
        if self.settings.allow_auto_topic_creation {
            0
        } else {
            4
        }
    }

    /// Takes on the request that is due. Until [`Metadata::apply`] or [`Metadata::fail`] is called
    /// with it no other becomes due.
    pub fn begin_update(&self, now: Time) -> UpdateRequest {
        let mut work = self.work();
        let full = work.schedule.begin(now);
        let mut topics: Vec<Arc<str>> = if full {
            let interest = self.interest.read().unwrap_or_else(PoisonError::into_inner);
            interest.keys().cloned().collect()
        } else {
            work.new_topics.iter().cloned().collect()
        };
        // The order of a hash map would make two runs from one seed differ.
        topics.sort_unstable();
        self.publish_due(&work);
        let allow_auto_topic_creation = self.settings.allow_auto_topic_creation;
        UpdateRequest { topics, full, allow_auto_topic_creation, begun_at: now }
    }

    /// Applies the answer to `request`, which was sent with Metadata `version`, and publishes the new
    /// snapshot.
    ///
    /// # Errors
    /// `PROTOCOL` when the answer cannot come from a sane broker, or the error that the answer carries.
    /// The update then counts as failed and the old snapshot stays.
    pub fn apply(
        &self,
        request: &UpdateRequest,
        answer: MetadataResponse,
        version: i16,
        now: Time,
    ) -> Result<()> {
        let mut work = self.work();
        let merged = match answer.error_code {
            0 => self.merge(&mut work, request, answer, version, now),
            code => {
                let code = ErrorCode::from_broker(code);
                let message = format!("the Metadata request failed: {}", code.description());
                Err(Error::new(code, message))
            }
        };
        match merged {
            Ok((changed, incomplete)) => {
                for topic in &request.topics {
                    work.new_topics.remove(topic);
                }
                work.schedule.succeeded(request.full, changed, now);
                if incomplete {
                    work.schedule.want_full();
                }
                if !work.new_topics.is_empty() {
                    // They came while this request was under way and did not have their turn.
                    work.schedule.new_topic();
                }
            }
            Err(_) => work.schedule.failed(request.full, now),
        }
        self.publish_due(&work);
        merged.map(|_| ())
    }

    /// `request` brought no answer.
    pub fn fail(&self, request: &UpdateRequest, now: Time) {
        let mut work = self.work();
        work.schedule.failed(request.full, now);
        self.publish_due(&work);
    }

    /// Goes back to the bootstrap servers. Topics keep their partitions, so that nobody has to wait
    /// for what does not change, but no leader, and no epoch either: the servers may now stand for
    /// another cluster.
    pub fn rebootstrap(&self) {
        let mut work = self.work();
        let mut snapshot = (*self.snapshot()).clone();
        snapshot.version += 1;
        snapshot.controller = None;
        snapshot.nodes = bootstrap_nodes(&self.servers);
        for topic in snapshot.topics.values_mut() {
            for partition in &mut Arc::make_mut(topic).partitions {
                partition.leader = None;
                partition.leader_epoch = -1;
            }
        }
        work.schedule.rebootstrap();
        self.publish_snapshot(snapshot);
        self.publish_due(&work);
    }

    /// Applies the leaders that a Produce response named (KIP-951) and the brokers it named with
    /// them. Only what is newer than the snapshot counts. True if anything was.
    pub fn update_leadership(&self, hints: &[LeaderHint<'_>], endpoints: &[Node]) -> bool {
        let _changing = self.work();
        match merge_leadership(&self.snapshot(), hints, endpoints) {
            Some(snapshot) => {
                self.publish_snapshot(snapshot);
                true
            }
            None => false,
        }
    }

    /// Takes in a broker that an answer about something else named, if it is not known.
    pub fn meet(&self, node: &Node) {
        let _changing = self.work();
        let known = self.snapshot();
        if !node.id.is_bootstrap() && !known.nodes.contains_key(&node.id) {
            let mut snapshot = (*known).clone();
            snapshot.version += 1;
            snapshot.nodes.insert(node.id, node.clone());
            self.publish_snapshot(snapshot);
        }
    }

    fn merge(
        &self,
        work: &mut Work,
        request: &UpdateRequest,
        answer: MetadataResponse,
        version: i16,
        now: Time,
    ) -> Result<(bool, bool)> {
        let mut interest = self.interest.write().unwrap_or_else(PoisonError::into_inner);
        interest.retain(|name, expires_at| {
            work.new_topics.contains(name) || *expires_at.get_mut() > now.as_nanos()
        });
        let wanted = |name: &str| interest.get_key_value(name).map(|(name, _)| Arc::clone(name));
        let mut merged = merge_answer(&self.snapshot(), answer, version, &request.topics, wanted)?;
        for name in &request.topics {
            let found = merged.snapshot.topics.get_mut(name);
            if let Some(failed) = found.filter(|topic| topic.error != ErrorCode::NONE) {
                Arc::make_mut(failed).asked_at = request.begun_at;
            }
        }
        self.publish_snapshot(merged.snapshot);
        Ok((merged.changed, merged.incomplete))
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_due(&self, work: &Work) {
        let due_at = work.schedule.due_at(!work.new_topics.is_empty());
        self.due_at.store(due_at.as_nanos(), Ordering::Release);
    }

    /// Only to be called with `work` locked: versions then never go back.
    fn publish_snapshot(&self, snapshot: ClusterSnapshot) {
        let version = snapshot.version;
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        self.version.store(version, Ordering::Release);
    }
}
