//! Which partition a record goes to: the strategies of Java and of librdkafka, or the application's own.
//! Pure but for the sticky choice, which lives with the topic.

pub mod hashes;

use std::fmt;

use crate::config::PartitionerStrategy;
use crate::record::Record;

/// An application's partitioner: topic name, record, number of partitions; returns the partition, or a
/// negative number to refuse the record. Called on the thread that sends or, for records that waited for
/// their topic's metadata, on the sender thread; must not call the producer.
pub type CustomPartitioner = Box<dyn Fn(&str, &Record<'_>, u32) -> i32 + Send + Sync>;

/// What the partitioner says.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// This partition.
    Partition(i32),
    /// Where the topic's sticky choice points.
    Sticky,
    /// Any partition, by chance.
    Random,
    /// The application's partitioner refused with this number.
    Refused(i32),
}

/// The partitioner of a producer.
pub struct Partitioner {
    strategy: PartitionerStrategy,
    ignore_keys: bool,
    custom: Option<CustomPartitioner>,
}

impl Partitioner {
    /// A partitioner; `custom` comes before the strategy.
    pub fn new(
        strategy: PartitionerStrategy,
        ignore_keys: bool,
        custom: Option<CustomPartitioner>,
    ) -> Partitioner {
        Partitioner { strategy, ignore_keys, custom }
    }

    /// Where a record without explicit partition goes, of `count` partitions (at least 1).
    #[inline]
    pub fn choose(&self, topic: &str, record: &Record<'_>, count: u32) -> Choice {
        if let Some(custom) = &self.custom {
            let partition = custom(topic, record, count);
            return match u32::try_from(partition) {
                Ok(known) if known < count => Choice::Partition(partition),
                _ => Choice::Refused(partition),
            };
        }
        use PartitionerStrategy as S;
        let key = if self.ignore_keys { None } else { record.key };
        let random_key = key.unwrap_or_default();
        match (self.strategy, key) {
            (S::BuiltIn, None) => Choice::Sticky,
            (S::BuiltIn, Some(key)) => pick(hashes::murmur2(key), count),
            (S::Random, _) => Choice::Random,
            (S::ConsistentRandom, _) if random_key.is_empty() => Choice::Random,
            (S::Murmur2Random | S::Fnv1aRandom, None) => Choice::Random,
            (S::Consistent | S::ConsistentRandom, _) => pick(hashes::crc32(random_key), count),
            (S::Murmur2 | S::Murmur2Random, _) => pick(hashes::murmur2(random_key), count),
            (S::Fnv1a | S::Fnv1aRandom, _) => pick(hashes::fnv1a(random_key), count),
        }
    }
}

#[inline]
fn pick(hash: u32, count: u32) -> Choice {
    Choice::Partition((hash % count) as i32)
}

impl fmt::Debug for Partitioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let custom = if self.custom.is_some() { ", custom" } else { "" };
        write!(f, "Partitioner({:?}{custom})", self.strategy)
    }
}
