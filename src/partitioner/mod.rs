//! Which partition a record goes to: the strategies of Java and of librdkafka, or the application's own.
//! Pure but for the sticky choice, which lives with the topic.

pub mod hashes;

use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};

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
    /// The application's partitioner panicked.
    Panicked,
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
            // It may run on the sender thread, which it must not end.
            let call = AssertUnwindSafe(|| custom(topic, record, count));
            return match catch_unwind(call) {
                Ok(partition @ 0..) if (partition as u32) < count => Choice::Partition(partition),
                Ok(partition) => Choice::Refused(partition),
                Err(_) => Choice::Panicked,
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

#[cfg(test)]
mod tests {
    use super::*;
    use PartitionerStrategy as S;

    fn choose(strategy: S, key: Option<&[u8]>) -> Choice {
        let record = Record { key, ..Record::value(b"v") };
        Partitioner::new(strategy, false, None).choose("t", &record, 100)
    }

    #[test]
    fn each_strategy_has_its_own_idea_of_null_and_empty_keys() {
        let (empty, key): (&[u8], &[u8]) = (b"", b"23456");
        let at = |hash: u32| Choice::Partition((hash % 100) as i32);
        let (murmur2, crc32, fnv1a) = (hashes::murmur2, hashes::crc32, hashes::fnv1a);
        let rows = [
            (S::BuiltIn, Choice::Sticky, at(murmur2(empty)), at(murmur2(key))),
            (S::Random, Choice::Random, Choice::Random, Choice::Random),
            (S::Consistent, at(0), at(0), at(crc32(key))),
            (S::ConsistentRandom, Choice::Random, Choice::Random, at(crc32(key))),
            (S::Murmur2, at(murmur2(empty)), at(murmur2(empty)), at(murmur2(key))),
            (S::Murmur2Random, Choice::Random, at(murmur2(empty)), at(murmur2(key))),
            (S::Fnv1a, at(fnv1a(empty)), at(fnv1a(empty)), at(fnv1a(key))),
            (S::Fnv1aRandom, Choice::Random, at(fnv1a(empty)), at(fnv1a(key))),
        ];
        for (strategy, null, of_empty, of_key) in rows {
            assert_eq!(choose(strategy, None), null, "{strategy:?}, null");
            assert_eq!(choose(strategy, Some(empty)), of_empty, "{strategy:?}, empty");
            assert_eq!(choose(strategy, Some(key)), of_key, "{strategy:?}");
        }
        let ignoring = Partitioner::new(S::BuiltIn, true, None);
        assert_eq!(ignoring.choose("t", &Record::keyed(key, b"v"), 100), Choice::Sticky);
    }

    #[test]
    fn the_applications_own_comes_first_and_is_believed_within_bounds_only() {
        for (answer, choice) in [
            (0, Choice::Partition(0)),
            (2, Choice::Partition(2)),
            (3, Choice::Refused(3)),
            (-1, Choice::Refused(-1)),
            (i32::MIN, Choice::Refused(i32::MIN)),
        ] {
            let custom: CustomPartitioner = Box::new(move |topic, record, count| {
                assert_eq!((topic, record.value, count), ("t", Some(&b"v"[..]), 3));
                answer
            });
            let own = Partitioner::new(S::Murmur2, false, Some(custom));
            assert_eq!(own.choose("t", &Record::keyed(b"k", b"v"), 3), choice);
        }
        let own = Partitioner::new(S::Murmur2, false, Some(Box::new(|_, _, _| panic!("own"))));
        assert_eq!(own.choose("t", &Record::value(b"v"), 3), Choice::Panicked);
    }
}
