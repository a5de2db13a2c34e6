//! The topics and partitions a producer knows, found without a lock: tables that only grow.
//! A topic is registered once; its partitions appear when metadata tells how many there are.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use once_cell::sync::OnceCell;

use crate::accumulator::encode::TopicCompression;
use crate::accumulator::parked::Gate;
use crate::accumulator::partition::Partition;
use crate::accumulator::sticky::Sticky;
use crate::metadata::NodeId;
use crate::record::compress::Compression;
use crate::sync::atomic::{AtomicU32, AtomicU8, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// The number of a topic within one producer, from [`Producer::topic`](crate::producer::Producer::topic).
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TopicId(pub u32);

/// The place of a partition in the sender's tables.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(pub u32);

/// A table that only grows and is read without a lock: segments of doubling size.
#[derive(Debug)]
pub struct GrowingTable<T> {
    segments: [OnceCell<Box<[OnceCell<T>]>>; SEGMENTS],
    len: AtomicU32,
}

const FIRST_SEGMENT: u32 = 16;
const SEGMENTS: usize = 24;

impl<T> Default for GrowingTable<T> {
    fn default() -> Self {
        let segments = std::array::from_fn(|_| OnceCell::new());
        GrowingTable { segments, len: AtomicU32::new(0) }
    }
}

impl<T> GrowingTable<T> {
    fn place(index: u32) -> (usize, usize) {
        let shifted = index / FIRST_SEGMENT + 1;
        let segment = shifted.ilog2();
        let start = FIRST_SEGMENT * ((1 << segment) - 1);
        (segment as usize, (index - start) as usize)
    }

    /// The element at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: u32) -> Option<&T> {
        let (segment, offset) = Self::place(index);
        self.segments.get(segment)?.get()?.get(offset)?.get()
    }

    /// Number of elements.
    pub fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends. The caller makes sure that nobody else does at the same time (it holds a lock).
    /// `None` when the table is full.
    pub fn push(&self, element: T) -> Option<u32> {
        let index = self.len();
        let (segment, offset) = Self::place(index);
        let cells = self.segments.get(segment)?.get_or_init(|| {
            (0..(FIRST_SEGMENT as usize) << segment).map(|_| OnceCell::new()).collect()
        });
        cells[offset].set(element).ok()?;
        self.len.store(index + 1, Ordering::Release);
        Some(index)
    }

    /// All elements.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// What application threads must know of a topic to choose among its partitions.
#[derive(Clone, Debug, Default)]
pub struct TopicView {
    /// Leader of each partition, if known.
    pub leaders: Vec<Option<NodeId>>,
    /// Whether the leader of each partition is in this client's rack.
    pub same_rack: Vec<bool>,
}

/// How far a topic is known.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TopicState {
    /// No metadata yet: records are parked, or their senders wait.
    Unknown = 0,
    /// Parked records are being promoted: later ones still join them.
    Opening = 1,
    /// Records go straight to a partition.
    Known = 2,
}

/// One topic.
#[derive(Debug)]
pub struct Topic {
    /// Its id in this producer.
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    state: AtomicU8,
    partition_count: AtomicU32,
    partitions: GrowingTable<Arc<Partition>>,
    view: RwLock<Arc<TopicView>>,
    /// Where records without key go.
    pub sticky: Sticky,
    /// Where records wait for metadata.
    pub gate: Gate,
    /// How its batches are compressed.
    pub compression: TopicCompression,
    /// Record headers that went lost because a leader takes only formats without them.
    pub headers_dropped: AtomicUsize,
}

impl Topic {
    /// A topic of which only the name is known.
    pub fn new(id: u32, name: Arc<str>, seed: u64, compression: Compression) -> Topic {
        Topic {
            id,
            name,
            state: AtomicU8::new(TopicState::Unknown as u8),
            partition_count: AtomicU32::new(0),
            partitions: GrowingTable::default(),
            view: RwLock::default(),
            sticky: Sticky::new(seed),
            gate: Gate::default(),
            compression: TopicCompression::new(compression),
            headers_dropped: AtomicUsize::new(0),
        }
    }

    /// How far it is known.
    #[inline]
    pub fn state(&self) -> TopicState {
        match self.state.load(Ordering::Acquire) {
            0 => TopicState::Unknown,
            1 => TopicState::Opening,
            _ => TopicState::Known,
        }
    }

    /// Changes how far it is known.
    pub fn set_state(&self, state: TopicState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Number of partitions; 0 while unknown.
    #[inline]
    pub fn partition_count(&self) -> u32 {
        self.partition_count.load(Ordering::Acquire)
    }

    /// Says that the topic has no partition of this number.
    #[cold]
    pub fn lacks(&self, partition: i32) -> String {
        let name = &self.name;
        match self.partition_count() {
            1 => format!("topic {name} has one partition: 0, not {partition}"),
            count => format!(
                "topic {name} has {count} partitions: 0 to {}, not {partition}",
                i64::from(count) - 1
            ),
        }
    }

    /// The partition with this number, if the topic has it.
    #[inline]
    pub fn partition(&self, partition: i32) -> Option<&Arc<Partition>> {
        let partition = u32::try_from(partition).ok()?;
        if partition >= self.partition_count() {
            return None;
        }
        self.partitions.get(partition)
    }

    /// Every partition object there is, also those that a smaller successor of the topic no longer has.
    pub fn partitions(&self) -> &GrowingTable<Arc<Partition>> {
        &self.partitions
    }

    /// Sets the number of partitions once their objects exist.
    pub fn set_partition_count(&self, count: u32) {
        self.partition_count.store(count, Ordering::Release);
    }

    /// Leaders and racks as last heard.
    pub fn view(&self) -> Arc<TopicView> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes leaders and racks.
    pub fn set_view(&self, view: TopicView) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }
}

/// All topics of a producer.
#[derive(Debug)]
pub struct Topics {
    compression: Compression,
    /// Of topics that have their own.
    own_compression: HashMap<String, Compression>,
    table: GrowingTable<Arc<Topic>>,
    names: Mutex<HashMap<Arc<str>, u32>>,
    /// Every partition of every topic, by slot.
    slots: GrowingTable<Arc<Partition>>,
}

impl Topics {
    /// No topics; those to come are compressed so, but for those that have their own way.
    pub fn new(compression: Compression, own: HashMap<String, Compression>) -> Topics {
        Topics {
            compression,
            own_compression: own,
            table: GrowingTable::default(),
            names: Mutex::default(),
            slots: GrowingTable::default(),
        }
    }

    /// The topic with this id.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&Arc<Topic>> {
        self.table.get(id)
    }

    /// The topic with this name, registered now if it was not. `None` when the table is full.
    pub fn register(&self, name: &str, seed: u64) -> Option<(&Arc<Topic>, bool)> {
        let mut names = self.lock_names();
        if let Some(&id) = names.get(name) {
            return Some((self.table.get(id)?, false));
        }
        let id = self.table.len();
        let name: Arc<str> = name.into();
        let seed = seed ^ u64::from(id);
        let compression = *self.own_compression.get(&*name).unwrap_or(&self.compression);
        self.table.push(Arc::new(Topic::new(id, name.clone(), seed, compression)))?;
        names.insert(name, id);
        Some((self.table.get(id)?, true))
    }

    /// The id of a registered name.
    pub fn id_of(&self, name: &str) -> Option<u32> {
        self.lock_names().get(name).copied()
    }

    fn lock_names(&self) -> MutexGuard<'_, HashMap<Arc<str>, u32>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All topics. When a producer is closed, each topic is either among them or registered by a thread that
    /// sees the producer closed: the lock puts the two in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Topic>> {
        let names = self.lock_names();
        let count = self.table.len();
        drop(names);
        (0..count).filter_map(|id| self.table.get(id))
    }

    /// The partition in this slot.
    #[inline]
    pub fn partition(&self, slot: Slot) -> Option<&Arc<Partition>> {
        self.slots.get(slot.0)
    }

    /// Number of slots.
    pub fn slot_count(&self) -> u32 {
        self.slots.len()
    }

    /// Makes sure that `topic` has objects for `count` partitions. Only the sender thread calls this.
    pub fn grow(&self, topic: &Arc<Topic>, count: u32) {
        for partition in topic.partitions.len()..count {
            let slot = Slot(self.slots.len());
            let mut made = Partition::new(topic.id, partition as i32, slot);
            made.compression = topic.compression.clone();
            let made = Arc::new(made);
            if self.slots.push(made.clone()).is_none() || topic.partitions.push(made).is_none() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_table_finds_every_element_and_nothing_else() {
        let table = GrowingTable::default();
        for n in 0..1000u32 {
            assert_eq!(table.push(n), Some(n));
        }
        assert!((0..1000).all(|n| table.get(n) == Some(&n)));
        assert_eq!(table.get(1000), None);
        assert_eq!(table.get(u32::MAX), None);
        assert_eq!(table.iter().count(), 1000);
    }

    #[test]
    fn a_topic_is_registered_once() {
        let topics = Topics::new(Compression::NONE, HashMap::new());
        assert!(topics.register("a", 1).is_some_and(|(topic, new)| topic.id == 0 && new));
        assert!(topics.register("b", 1).is_some_and(|(topic, new)| topic.id == 1 && new));
        assert!(topics.register("a", 1).is_some_and(|(topic, new)| topic.id == 0 && !new));
        assert_eq!(topics.id_of("b"), Some(1));
    }
}
