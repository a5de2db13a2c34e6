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
        topic_compression: Default::default(),
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
    let outgoing = Outgoing { topic: TopicId(topic.id), partition: -1, record, token: 1 };
    let context = accumulator.append_context(&|| Time::ZERO);
    accumulator.append(&context, topic, choice, &outgoing, Taker::Caller)
}

/// Records sent in one go; Miri takes a thousand times as long for each.
const MANY: usize = if cfg!(miri) { 40 } else { 2000 };

/// The partitions that many records without key went to.
fn used(accumulator: &Accumulator, topic: &Arc<Topic>) -> BTreeSet<i32> {
    let records = |topic: &Topic| -> Vec<usize> {
        topic.partitions().iter().map(|partition| partition.queued_records()).collect()
    };
    let before = records(topic);
    for _ in 0..MANY.min(400) {
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

/// Records without key, as one run or one by one: what is in each partition then, batch by batch.
fn spread(as_run: bool, sizes: &[usize]) -> Vec<Vec<Vec<u64>>> {
    let (accumulator, topic) = four_partitions(false);
    let values: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![0; size]).collect();
    let numbered = (0..).zip(&values);
    let run = numbered.map(|(token, value)| {
        let record = Record { timestamp_ms: 5, ..Record::value(value) };
        Outgoing { topic: TopicId(topic.id), partition: -1, record, token }
    });
    let run: Vec<_> = run.collect();
    let context = accumulator.append_context(&|| Time::ZERO);
    match as_run {
        true => {
            let done = accumulator.append_run(&context, &topic, Choice::Sticky, &run);
            assert_eq!(done, (sizes.len(), None));
        }
        false => run.iter().for_each(|one| {
            let taker = Taker::Caller;
            accumulator.append(&context, &topic, Choice::Sticky, one, taker).unwrap();
        }),
    }
    let partitions = topic.partitions().iter();
    partitions
        .map(|partition| {
            let batches = partition.take_all(&accumulator.pool).into_iter();
            batches.map(|batch| batch.promises.unwrap().tokens().to_vec()).collect()
        })
        .collect()
}

#[test]
fn a_run_without_keys_switches_partitions_where_single_records_would() {
    let mut rng = fastrand::Rng::with_seed(11);
    let (rounds, most) = if cfg!(miri) { (2, 60) } else { (50, 300) };
    for _ in 0..rounds {
        let sizes: Vec<usize> = (0..rng.usize(1..most)).map(|_| rng.usize(0..150)).collect();
        let whole = spread(true, &sizes);
        assert_eq!(whole, spread(false, &sizes));
        let used = whole.iter().filter(|batches| !batches.is_empty()).count();
        assert!(used > 1 || sizes.len() < 40, "{used} partitions for {} records", sizes.len());
    }
}

#[test]
fn a_run_tells_the_sender_whenever_a_batch_is_full() {
    let (accumulator, topic) = four_partitions(false);
    let value = [0; 60];
    let record = Record { timestamp_ms: 5, ..Record::value(&value) };
    let outgoing = Outgoing { topic: TopicId(topic.id), partition: 3, record, token: 1 };
    let context = accumulator.append_context(&|| Time::ZERO);
    let run = [outgoing; 7];
    let choice = Choice::Partition(3);
    assert_eq!(accumulator.append_run(&context, &topic, choice, &run), (7, None));
    let slot = topic.partition(3).unwrap().slot;
    let (mut opened, mut sealed) = (0, 0);
    while let Some(command) = accumulator.inbox.next() {
        match command {
            Command::Opened(at) if at == slot => opened += 1,
            Command::Sealed(at) if at == slot => sealed += 1,
            other => panic!("{other:?}"),
        }
    }
    // Two records fit into a batch; the third seals it and opens the next, of which the sender learns with
    // the seal of the first.
    let batches = topic.partition(3).unwrap().queued_batches();
    assert_eq!((batches, opened, sealed), (4, 3, 3));
    // A partition that is not there: what came before is in, and nothing of this.
    let failure = AppendFailure::NoPartition(9);
    let none = accumulator.append_run(&context, &topic, Choice::Partition(9), &run);
    assert_eq!(none, (0, Some(failure)));
    assert_eq!(accumulator.append_run(&context, &topic, Choice::Random, &run), (7, None));
    let refused = accumulator.append_run(&context, &topic, Choice::Refused(-4), &run);
    assert_eq!(refused, (0, Some(AppendFailure::Refused(-4))));
}

#[test]
fn many_threads_share_one_sticky_choice_and_lose_no_record() {
    let (accumulator, topic) = four_partitions(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..MANY {
                    send(&accumulator, &topic, Choice::Sticky).unwrap();
                }
            });
        }
    });
    assert_eq!(accumulator.accepted_records(), 4 * MANY as u64);
    // Two records fill a batch: the choice ends at the end of one, so hardly any is sent half empty.
    let batches: u32 = topic.partitions().iter().map(|partition| partition.queued_batches()).sum();
    let most = 2 * MANY + 100;
    assert!(batches as usize <= most, "{batches} batches for {} records", 4 * MANY);
}
