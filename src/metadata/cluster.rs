//! Owns the picture of the cluster at one moment: brokers, topics, partitions and their leaders.
//! Immutable once published; never knows where it came from or when it gets old.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::ErrorCode;
use crate::time::Time;

use crate::config::BootstrapServer;

/// A broker's id. Bootstrap servers, whose ids are not known yet, have -1, -2, ….
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct NodeId(pub i32);

impl NodeId {
    /// Whether this is a bootstrap server and not yet a broker known by its id.
    pub fn is_bootstrap(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A broker and where it listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Host name or address, without brackets.
    pub host: Arc<str>,
    /// TCP port, never 0.
    pub port: u16,
    /// `broker.rack`.
    pub rack: Option<Arc<str>>,
}

impl fmt::Display for Node {
    /// `broker 3 (host:9092)` or `bootstrap server host:9092`: how messages name a broker.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        let Node { id, host, port, .. } = self;
        if id.is_bootstrap() {
            write!(f, "bootstrap server {open}{host}{close}:{port}")
        } else {
            write!(f, "broker {id} ({open}{host}{close}:{port})")
        }
    }
}

/// What is known of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionMetadata {
    /// The leader; `None` while there is none or it is not among the snapshot's nodes.
    pub leader: Option<NodeId>,
    /// The leader's epoch; -1 when unknown.
    pub leader_epoch: i32,
    /// The broker's error for this partition.
    pub error: ErrorCode,
    /// All replicas.
    pub replicas: Vec<i32>,
    /// The replicas in sync.
    pub in_sync: Vec<i32>,
}

impl PartitionMetadata {
    /// A partition of which nothing is known but that it exists.
    pub(super) fn unknown() -> PartitionMetadata {
        PartitionMetadata {
            leader: None,
            leader_epoch: -1,
            error: ErrorCode::LEADER_NOT_AVAILABLE,
            replicas: Vec::new(),
            in_sync: Vec::new(),
        }
    }
}

/// What is known of a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicMetadata {
    /// Its name.
    pub name: Arc<str>,
    /// Its id (KIP-516); nil when unknown.
    pub id: Uuid,
    /// The partitions; the index is the partition number. Empty while the topic is unknown.
    pub partitions: Vec<PartitionMetadata>,
    /// The broker's error for the topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION,
    /// TOPIC_AUTHORIZATION_FAILED, …. With a retriable error partitions may still be known.
    pub error: ErrorCode,
    /// With an error: when the request that it answers was begun. It says nothing about later.
    pub asked_at: Time,
}

/// The cluster as the newest answers told it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterSnapshot {
    /// Grows with every published snapshot.
    pub version: u64,
    /// The cluster's id, once a broker told it.
    pub cluster_id: Option<Arc<str>>,
    /// The controller, when it is among the nodes.
    pub controller: Option<NodeId>,
    /// The brokers, or the bootstrap servers as long as no broker answered.
    pub nodes: BTreeMap<NodeId, Node>,
    /// The wanted topics that were answered at least once.
    pub topics: HashMap<Arc<str>, Arc<TopicMetadata>>,
}

impl ClusterSnapshot {
    /// What is known before any answer: the servers of `bootstrap.servers`.
    pub(super) fn bootstrap(servers: &[BootstrapServer]) -> ClusterSnapshot {
        ClusterSnapshot {
            version: 0,
            cluster_id: None,
            controller: None,
            nodes: bootstrap_nodes(servers),
            topics: HashMap::new(),
        }
    }

    /// Whether no broker has answered since the start or the last rebootstrap.
    pub fn is_bootstrap(&self) -> bool {
        self.nodes.keys().all(|id| id.is_bootstrap())
    }

    /// A topic's metadata, when it was answered.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicMetadata>> {
        self.topics.get(name)
    }

    /// A partition's metadata, when it is known.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionMetadata> {
        let index = usize::try_from(partition).ok()?;
        self.topics.get(topic)?.partitions.get(index)
    }

    /// Takes the leader from every partition whose leader is not among the nodes. True if one was.
    pub(super) fn drop_unknown_leaders(&mut self) -> bool {
        let nodes = &self.nodes;
        let gone = |partition: &PartitionMetadata| {
            partition.leader.is_some_and(|leader| !nodes.contains_key(&leader))
        };
        let mut any = false;
        for topic in self.topics.values_mut() {
            if topic.partitions.iter().any(gone) {
                any = true;
                for partition in &mut Arc::make_mut(topic).partitions {
                    if gone(partition) {
                        partition.leader = None;
                    }
                }
            }
        }
        any
    }
}

/// The nodes -1, -2, … of these servers.
pub(super) fn bootstrap_nodes(servers: &[BootstrapServer]) -> BTreeMap<NodeId, Node> {
    let node = |(id, server): (i32, &BootstrapServer)| {
        let id = NodeId(-id);
        (id, Node { id, host: server.host.as_str().into(), port: server.port, rack: None })
    };
    (1..).zip(servers).map(node).collect()
}
