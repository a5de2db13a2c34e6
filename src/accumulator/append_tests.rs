//! Tests of appending: sticky choice, the sender told, memory refused.

use super::*;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::accumulator::batch::BatchLimits;
use crate::accumulator::sticky::StickySettings;
use crate::accumulator::topic::TopicView;
use crate::accumulator::AccumulatorSettings;
use crate::delivery::{Delivery, Door};
use crate::metadata::NodeId;

const BATCH_SIZE_BYTES: usize = 200;

/// Four partitions led by broker 1, nobody, broker 2 and broker 1; broker 2 is near.
fn four_partitions(rack_aware: bool) -> (Arc<Accumulator>, Arc<Topic>) {
    let settings = AccumulatorSettings {
        compression: crate::record::compress::Compression::NONE,
        limits: BatchLimits {
            batch_size_bytes: BATCH_SIZE_BYTES,
            batch_records_max: u32::MAX,
            timed: false,
        },
        sticky: StickySettings { batch_size_bytes: BATCH_SIZE_BYTES, adaptive: true, rack_aware },
        linger: Duration::ZERO,
        buffer_memory_bytes: 64 << 20,
        records_max: None,
        seed: 3,
    };
    let delivery = Delivery::open(Door::Poll, "test").unwrap();
    let accumulator = Accumulator::new(settings, delivery, Box::new(|| {}));
    let topic = accumulator.topics.register("t", 5).unwrap().0.clone();
    accumulator.topics.grow(&topic, 4);
    topic.set_partition_count(4);
    topic.set_view(TopicView {
        leaders: vec![Some(NodeId(1)), None, Some(NodeId(2)), Some(NodeId(1))],
        same_rack: vec![false, false, true, false],
    });
    (accumulator, topic)
}

fn send(
    accumulator: &Accumulator,
    topic: &Arc<Topic>,
    choice: Choice,
) -> Result<(), AppendFailure> {
    let record = Record { timestamp_ms: 5, ..Record::value(&[0; 60]) };
    accumulator.append(topic, choice, &record, 1, Taker::Caller, &|| Time::ZERO)
}

/// The partitions that 400 records without key went to.
fn used(accumulator: &Accumulator, topic: &Arc<Topic>) -> BTreeSet<i32> {
    let records = |topic: &Topic| -> Vec<usize> {
        topic.partitions().iter().map(|partition| partition.queued_records()).collect()
    };
    let before = records(topic);
    for _ in 0..400 {
        send(accumulator, topic, Choice::Sticky).unwrap();
    }
    let after = records(topic);
    (0..4).filter(|&at| after[at as usize] > before[at as usize]).collect()
}

#[test]
fn a_partition_without_leader_gets_no_record_without_key() {
    let (accumulator, topic) = four_partitions(false);
    assert_eq!(used(&accumulator, &topic), BTreeSet::from([0, 2, 3]));
}

#[test]
fn a_node_that_takes_nothing_gets_nothing_unless_there_is_no_other() {
    let (accumulator, topic) = four_partitions(false);
    accumulator.set_unavailable(vec![NodeId(1)]);
    // What was chosen before may be finished first.
    used(&accumulator, &topic);
    assert_eq!(used(&accumulator, &topic), BTreeSet::from([2]));
    accumulator.set_unavailable(vec![NodeId(1), NodeId(2)]);
    assert_eq!(used(&accumulator, &topic), BTreeSet::from([0, 2, 3]));
}

#[test]
fn without_any_leader_all_partitions_take_their_part() {
    let (accumulator, topic) = four_partitions(false);
    topic.set_view(TopicView { leaders: vec![None; 4], same_rack: vec![false; 4] });
    assert_eq!(used(&accumulator, &topic), BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn the_own_rack_is_preferred_when_asked_to() {
    let (accumulator, topic) = four_partitions(true);
    assert_eq!(used(&accumulator, &topic), BTreeSet::from([2]));
}

#[test]
fn a_topic_made_anew_with_fewer_partitions_takes_records_without_key_where_it_has_some() {
    let (accumulator, topic) = four_partitions(false);
    used(&accumulator, &topic);
    topic.set_partition_count(1);
    assert_eq!(used(&accumulator, &topic), BTreeSet::from([0]));
    let failure = send(&accumulator, &topic, Choice::Partition(3));
    assert_eq!(failure, Err(AppendFailure::NoPartition(3)));
    assert_eq!(send(&accumulator, &topic, Choice::Partition(0)), Ok(()));
    assert_eq!(send(&accumulator, &topic, Choice::Random), Ok(()));
}

#[test]
fn many_threads_share_one_sticky_choice_and_lose_no_record() {
    let (accumulator, topic) = four_partitions(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    send(&accumulator, &topic, Choice::Sticky).unwrap();
                }
            });
        }
    });
    assert_eq!(accumulator.queued_records(), 8000);
    // Two records fill a batch: the choice ends at the end of one, so hardly any is sent half empty.
    let batches: u32 = topic.partitions().iter().map(|partition| partition.queued_batches()).sum();
    assert!(batches <= 4100, "{batches} batches for 8000 records");
}
