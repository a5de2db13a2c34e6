//! The numbers of idempotent batches, as the logs have them: one is never given to two records, in whatever
//! life of the topic; within an epoch they follow each other without a gap; an epoch begins at 0.

use std::collections::BTreeMap;

use crate::record::BatchHeader;
use crate::sim::ledger::Content;
use crate::sim::oracle::stored::{at_offset, content_of, Logs, Place};
use crate::sim::transaction_plan::TransactionPlan;
use crate::sim::world::World;

/// The heads of all batches of each log.
pub(in crate::sim) type Heads = BTreeMap<Place, Vec<BatchHeader>>;

/// Reads them, those of deleted topics included.
pub(in crate::sim) fn heads(world: &World) -> Heads {
    let mut all = world.old_heads.clone();
    for index in 0..world.options.topics.len() {
        all.extend(heads_of(world, index));
    }
    all
}

/// Those of one topic as it is now.
pub(in crate::sim) fn heads_of(world: &World, index: usize) -> Heads {
    let (name, life) = (&world.options.topics[index].name, world.ledger.life(index));
    let count = world.cluster.partition_count(name).unwrap_or(0);
    let heads = |partition| {
        let bytes = world.cluster.log_bytes(name, partition).unwrap_or_default();
        let batches = crate::record::batches(&bytes).filter_map(Result::ok);
        let heads = batches.map(|batch| *batch.header());
        // Markers have no numbers.
        heads.filter(|head| !head.is_control()).collect()
    };
    (0..count as i32).map(|partition| ((index, life, partition), heads(partition))).collect()
}

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World, logs: &Logs, heads: &Heads) -> Result<(), String> {
    if !world.options.idempotent {
        return Ok(());
    }
    // Where epochs cannot change, numbers begin anew where a broker has forgotten the producer.
    let plan = world.options.transactions.as_ref();
    let anew = plan.is_some_and(TransactionPlan::is_old);
    let mut given: BTreeMap<(usize, i32, i64, i16, i32), Content> = BTreeMap::new();
    let begins = [0, world.options.begin_number()];
    for (place @ &(topic, life, partition), batches) in heads {
        if world.options.may_lack_idempotence() && !batches.iter().all(BatchHeader::has_producer_id)
        {
            return Err(format!("what was to be stored once has no numbers in {place:?}"));
        }
        let batches: Vec<BatchHeader> =
            batches.iter().copied().filter(BatchHeader::has_producer_id).collect();
        if !world.forgetful.contains(&(topic, partition)) {
            // What was numbered for an earlier life of the topic keeps its numbers, and so do parts of a
            // batch of which the first was too large by itself.
            let begins = Some(&begins[..]).filter(|_| life == 0 && !world.was_split());
            in_sequence(&batches, begins, anew).map_err(|what| format!("{what} in {place:?}"))?;
        }
        for batch in batches.iter().filter(|_| !anew) {
            for (sequence, offset) in numbers(batch) {
                let record = logs.get(place).and_then(|log| at_offset(log, offset));
                let Some(content) = record.map(content_of) else { continue };
                let key = (topic, partition, batch.producer_id, batch.producer_epoch, sequence);
                let first = given.entry(key).or_insert_with(|| content.clone());
                if *first != content {
                    return Err(format!(
                        "a number was given twice: {key:?}, to {first:?} and to {content:?}"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Whether one batch follows the other, and the first one begins with one of `begins`, if that is known.
/// `anew`: numbers may also begin at 0 again.
fn in_sequence(batches: &[BatchHeader], begins: Option<&[i32]>, anew: bool) -> Result<(), String> {
    if let (Some(first), Some(begins)) = (batches.first(), begins) {
        if !begins.contains(&first.base_sequence) {
            return Err(format!("the first number is {}", first.base_sequence));
        }
    }
    let may_begin = |batch: &BatchHeader| anew && batch.base_sequence == 0;
    let mut pairs = batches.windows(2).filter(|pair| !may_begin(&pair[1]));
    pairs.try_for_each(|pair| follows(&pair[0], &pair[1]))
}

fn follows(before: &BatchHeader, batch: &BatchHeader) -> Result<(), String> {
    if before.producer_id != batch.producer_id {
        return Ok(());
    }
    let same = before.producer_epoch == batch.producer_epoch;
    let last = numbers(before).last().map_or(0, |(sequence, _)| sequence);
    let expected = if same { after(last) } else { 0 };
    if batch.base_sequence == expected && batch.producer_epoch >= before.producer_epoch {
        return Ok(());
    }
    Err(format!(
        "epoch {} number {} follows epoch {} number {last}",
        batch.producer_epoch, batch.base_sequence, before.producer_epoch
    ))
}

/// The number and the offset of each record.
fn numbers(batch: &BatchHeader) -> impl Iterator<Item = (i32, i64)> {
    let (first, base_offset) = (batch.base_sequence, batch.base_offset);
    let number =
        move |delta: i32| (first.wrapping_add(delta) & i32::MAX, base_offset + i64::from(delta));
    (0..=batch.last_offset_delta).map(number)
}

/// From the largest to 0.
fn after(number: i32) -> i32 {
    number.wrapping_add(1) & i32::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of one producer: epoch, first number, count.
    fn log(batches: &[(i16, i32, i32)]) -> Vec<BatchHeader> {
        let head = |&(producer_epoch, base_sequence, count): &(i16, i32, i32)| BatchHeader {
            producer_id: 7,
            producer_epoch,
            base_sequence,
            last_offset_delta: count - 1,
            ..BatchHeader::default()
        };
        batches.iter().map(head).collect()
    }

    fn judged(batches: &[(i16, i32, i32)]) -> Result<(), String> {
        in_sequence(&log(batches), Some(&[0]), false)
    }

    #[test]
    fn numbers_follow_each_other_and_begin_at_0_in_each_epoch() {
        assert_eq!(judged(&[]), Ok(()));
        assert_eq!(judged(&[(3, 0, 2), (3, 2, 1), (4, 0, 5), (6, 0, 1)]), Ok(()));
        let largest = i32::MAX;
        let around = log(&[(0, largest - 1, 3), (0, 1, 1)]);
        assert_eq!(in_sequence(&around, Some(&[0, largest - 1]), false), Ok(()));
        let exact = log(&[(0, largest, 1), (0, 0, 1)]);
        assert_eq!(in_sequence(&exact, None, false), Ok(()));
    }

    #[test]
    fn gaps_repetitions_and_steps_back_are_noticed() {
        for wrong in [
            &[(0, 1, 1)][..],
            &[(0, 0, 2), (0, 3, 1)],
            &[(0, 0, 2), (0, 1, 1)],
            &[(0, 0, 2), (0, 0, 2)],
            &[(0, 0, 2), (1, 2, 1)],
            &[(1, 0, 2), (0, 0, 1)],
        ] {
            assert!(judged(wrong).is_err(), "{wrong:?}");
        }
        let anew = log(&[(0, 0, 2), (0, 0, 1), (0, 1, 1)]);
        assert_eq!(in_sequence(&anew, None, true), Ok(()));
        assert!(in_sequence(&log(&[(0, 0, 2), (0, 3, 1)]), None, true).is_err());
    }

    #[test]
    fn another_producer_begins_where_it_likes() {
        let mut batches = log(&[(5, 0, 2), (0, 9, 1)]);
        batches[1].producer_id = 8;
        assert_eq!(in_sequence(&batches, Some(&[0]), false), Ok(()));
    }
}
