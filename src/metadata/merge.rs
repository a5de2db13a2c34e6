//! Owns the rules by which a broker's answer changes the picture of the cluster: leader epochs,
//! topic ids, stale and broken answers. Pure: snapshots in, snapshots out; never publishes.
//! Java: `Metadata.updateLatestMetadata` and `updatePartitionLeadership`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::protocol::messages::metadata_response::{
    MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::MetadataResponse;
use crate::time::Time;

use super::cluster::{ClusterSnapshot, Node, NodeId, PartitionMetadata, TopicMetadata};

/// Brokers number partitions without gaps. A few missing ones are filled as partitions without
/// leader; an index far beyond the entries an answer really has is not believed, because memory is
/// taken for all below it.
const MOST_MISSING_PARTITIONS: usize = 1000;

/// From this Metadata version on leader epochs can be relied upon (Java: `hasReliableLeaderEpochs`).
const RELIABLE_EPOCHS: i16 = 9;

/// A leader that a Produce response named (KIP-951).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct LeaderHint<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The new leader.
    pub leader: NodeId,
    /// Its epoch.
    pub leader_epoch: i32,
}

/// What an answer made of a snapshot.
#[derive(Debug)]
pub(super) struct Merged {
    pub snapshot: ClusterSnapshot,
    /// The answer brought something new about brokers, leaders, epochs, ids or errors.
    pub changed: bool,
    /// The answer leaves something open that another answer may settle.
    pub incomplete: bool,
}

/// Applies `answer`, which was asked with Metadata `version` for the topics `asked`, to `old`.
/// `wanted` gives the shared name of a topic that somebody still wants; others are dropped.
///
/// # Errors
/// `PROTOCOL` when the answer cannot come from a sane broker; `BROKER_NOT_AVAILABLE` when it names
/// no broker, as one that is starting does. The old snapshot then stays.
pub(super) fn merge_answer(
    old: &ClusterSnapshot,
    answer: MetadataResponse,
    version: i16,
    asked: &[Arc<str>],
    wanted: impl Fn(&str) -> Option<Arc<str>>,
) -> Result<Merged> {
    let nodes = read_nodes(&answer)?;
    let controller = Some(NodeId(answer.controller_id.0)).filter(|id| nodes.contains_key(id));
    let cluster_id = answer.cluster_id.as_deref().map(Arc::from).or_else(|| old.cluster_id.clone());
    let lost_nodes = old.nodes.keys().any(|id| !nodes.contains_key(id));
    let mut changed = nodes != old.nodes;
    let mut incomplete = false;

    let mut topics: HashMap<_, _> = old.topics.clone();
    topics.retain(|name, _| wanted(name).is_some());
    let mut answered = HashSet::with_capacity(answer.topics.len());
    for topic in answer.topics {
        // Answers by id alone and topics nobody asked for (v0 tells all of them) are not for us.
        let Some(name) = topic.name.as_deref().and_then(|name| wanted(name)) else { continue };
        let before = topics.get(&name);
        let after = merge_topic(&name, before.map(Arc::as_ref), &topic, version, &nodes)?;
        incomplete |= after.is_incomplete();
        changed |= before.is_none_or(|before| !before.same_leadership(&after));
        if before.is_none_or(|before| **before != after) {
            topics.insert(Arc::clone(&name), Arc::new(after));
        }
        answered.insert(name);
    }
    for name in asked.iter().filter(|name| !answered.contains(*name)) {
        if wanted(name).is_some() {
            incomplete = true;
            topics.entry(Arc::clone(name)).or_insert_with(|| Arc::new(unanswered_topic(name)));
        }
    }
    let version = old.version + 1;
    let mut snapshot = ClusterSnapshot { version, cluster_id, controller, nodes, topics };
    if lost_nodes {
        incomplete |= snapshot.drop_unknown_leaders();
    }
    Ok(Merged { snapshot, changed, incomplete })
}

/// Applies the leaders that a Produce response named. `None` when nothing is newer than what is
/// known. A hint counts only if its partition is known, its epoch is newer, and its leader is among
/// the endpoints that came with it or the nodes already known.
pub(super) fn merge_leadership(
    old: &ClusterSnapshot,
    hints: &[LeaderHint<'_>],
    endpoints: &[Node],
) -> Option<ClusterSnapshot> {
    let mut new: Option<ClusterSnapshot> = None;
    for hint in hints.iter().filter(|hint| !hint.leader.is_bootstrap()) {
        let current = new.as_ref().unwrap_or(old);
        let endpoint = endpoints.iter().find(|endpoint| endpoint.id == hint.leader);
        let reachable = endpoint.is_some() || current.nodes.contains_key(&hint.leader);
        let newer = current
            .partition(hint.topic, hint.partition)
            .is_some_and(|partition| hint.leader_epoch > partition.leader_epoch);
        if !reachable || !newer {
            continue;
        }
        let snapshot =
            new.get_or_insert_with(|| ClusterSnapshot { version: old.version + 1, ..old.clone() });
        if let Some(endpoint) = endpoint {
            snapshot.nodes.insert(endpoint.id, endpoint.clone());
        }
        if let Some(topic) = snapshot.topics.get_mut(hint.topic) {
            // The index was found in this topic a few lines above.
            if let Some(partition) =
                Arc::make_mut(topic).partitions.get_mut(hint.partition as usize)
            {
                partition.leader = Some(hint.leader);
                partition.leader_epoch = hint.leader_epoch;
                partition.error = ErrorCode::NONE;
            }
        }
    }
    new
}

impl Node {
    /// A broker as an answer names it.
    ///
    /// # Errors
    /// `PROTOCOL` when the id is negative, the host empty or the port not one.
    pub fn from_answer(id: i32, host: &str, port: i32, rack: Option<&str>) -> Result<Node> {
        let sane = id >= 0 && !host.is_empty();
        match u16::try_from(port) {
            Ok(port) if sane && port > 0 => {
                Ok(Node { id: NodeId(id), host: host.into(), port, rack: rack.map(Arc::from) })
            }
            _ => Err(broken(format!("names an impossible broker: id {id} at {host}:{port}"))),
        }
    }
}

impl TopicMetadata {
    /// Whether another answer may tell more.
    fn is_incomplete(&self) -> bool {
        self.error.is_retriable()
            || self
                .partitions
                .iter()
                .any(|partition| partition.leader.is_none() || partition.error.refreshes_metadata())
    }

    /// Whether the other one tells the same about id, leaders, epochs and errors.
    fn same_leadership(&self, other: &TopicMetadata) -> bool {
        let same = |(one, other): (&PartitionMetadata, &PartitionMetadata)| {
            (one.leader, one.leader_epoch, one.error)
                == (other.leader, other.leader_epoch, other.error)
        };
        self.id == other.id
            && self.error == other.error
            && self.partitions.len() == other.partitions.len()
            && self.partitions.iter().zip(&other.partitions).all(same)
    }
}

fn broken(what: String) -> Error {
    Error::new(ErrorCode::PROTOCOL, format!("the Metadata response {what}"))
}

fn read_nodes(answer: &MetadataResponse) -> Result<BTreeMap<NodeId, Node>> {
    let mut nodes = BTreeMap::new();
    for broker in &answer.brokers {
        let rack = broker.rack.as_deref();
        let node = Node::from_answer(broker.node_id.0, &broker.host, broker.port, rack)?;
        if let Some(other) = nodes.insert(node.id, node) {
            return Err(broken(format!("names broker {} twice", other.id)));
        }
    }
    if nodes.is_empty() {
        let what = "the Metadata response names no broker (the cluster may be starting)";
        return Err(Error::new(ErrorCode::BROKER_NOT_AVAILABLE, what));
    }
    Ok(nodes)
}

/// A topic that was asked for and that the answer leaves out.
fn unanswered_topic(name: &Arc<str>) -> TopicMetadata {
    TopicMetadata {
        name: Arc::clone(name),
        id: Uuid::nil(),
        partitions: Vec::new(),
        error: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        asked_at: Time::ZERO,
    }
}

fn merge_topic(
    name: &Arc<str>,
    old: Option<&TopicMetadata>,
    answer: &MetadataResponseTopic,
    version: i16,
    nodes: &BTreeMap<NodeId, Node>,
) -> Result<TopicMetadata> {
    let error = ErrorCode::from_broker(answer.error_code);
    let mut topic = TopicMetadata {
        name: Arc::clone(name),
        id: answer.topic_id,
        partitions: vec![],
        error,
        asked_at: Time::ZERO,
    };
    if error != ErrorCode::NONE {
        // A passing trouble does not make known partitions unknown. A topic that is gone, invalid or
        // forbidden has none.
        if error.is_retriable() && error != ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
            if let Some(old) = old {
                topic.id = old.id;
                topic.partitions = old.partitions.clone();
            }
        }
        return Ok(topic);
    }
    // A new id is a new topic of the old name: nothing that was known of the partitions holds.
    let recreated = !topic.id.is_nil() && old.is_some_and(|old| old.id != topic.id);
    let before = if recreated { None } else { old };
    topic.partitions = merge_partitions(before, answer, version, nodes)?;
    if topic.partitions.is_empty() {
        topic.error = ErrorCode::LEADER_NOT_AVAILABLE;
    }
    Ok(topic)
}

fn merge_partitions(
    old: Option<&TopicMetadata>,
    answer: &MetadataResponseTopic,
    version: i16,
    nodes: &BTreeMap<NodeId, Node>,
) -> Result<Vec<PartitionMetadata>> {
    let name = answer.name.as_deref().map_or("", |name| name);
    let cached = old.map_or(&[][..], |old| &old.partitions);
    // A topic never loses partitions while its id stays: an answer with fewer comes from a broker
    // that lags behind. Without ids it may be a new topic of the old name.
    let same_id = old.is_some_and(|old| !old.id.is_nil() && old.id == answer.topic_id);
    let mut count = if same_id { cached.len() } else { 0 };
    for partition in &answer.partitions {
        let index = usize::try_from(partition.partition_index).ok();
        match index {
            Some(index) if index < answer.partitions.len() + MOST_MISSING_PARTITIONS => {
                count = count.max(index + 1);
            }
            _ => {
                let index = partition.partition_index;
                return Err(broken(format!("names an impossible partition: {name}-{index}")));
            }
        }
    }
    let mut slots: Vec<Option<PartitionMetadata>> = vec![None; count];
    for partition in &answer.partitions {
        let index = partition.partition_index as usize;
        let merged = merge_partition(cached.get(index), partition, version, nodes);
        if slots[index].replace(merged).is_some() {
            return Err(broken(format!("names partition {name}-{index} twice")));
        }
    }
    let fill = |(index, slot): (usize, Option<PartitionMetadata>)| {
        slot.or_else(|| cached.get(index).cloned()).unwrap_or_else(PartitionMetadata::unknown)
    };
    Ok(slots.into_iter().enumerate().map(fill).collect())
}

fn merge_partition(
    old: Option<&PartitionMetadata>,
    answer: &MetadataResponsePartition,
    version: i16,
    nodes: &BTreeMap<NodeId, Node>,
) -> PartitionMetadata {
    let known = |leader: &NodeId| nodes.contains_key(leader);
    let leader_epoch = if version >= RELIABLE_EPOCHS { answer.leader_epoch.max(-1) } else { -1 };
    if let Some(old) = old {
        if leader_epoch >= 0 && leader_epoch < old.leader_epoch {
            return PartitionMetadata { leader: old.leader.filter(known), ..old.clone() };
        }
    }
    PartitionMetadata {
        leader: Some(NodeId(answer.leader_id.0)).filter(known),
        leader_epoch,
        error: ErrorCode::from_broker(answer.error_code),
        replicas: answer.replica_nodes.iter().map(|id| id.0).collect(),
        in_sync: answer.isr_nodes.iter().map(|id| id.0).collect(),
    }
}
