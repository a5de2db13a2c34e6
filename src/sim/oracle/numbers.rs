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
    // Where epochs cannot change, numbers begin anew in a topic that was made again.
    let plan = world.options.transactions.as_ref();
    let by_life = plan.is_some_and(TransactionPlan::is_old);
    let mut given: BTreeMap<(usize, usize, i32, i64, i16, i32), Content> = BTreeMap::new();
    for (place @ &(topic, life, partition), batches) in heads {
        let forgetful = world.forgetful.contains(&(topic, partition));
        let mut before: Option<&BatchHeader> = None;
        for batch in batches.iter().filter(|batch| batch.has_producer_id()) {
            if let Some(before) = before.filter(|_| !forgetful) {
                follows(before, batch).map_err(|what| format!("{what} in {place:?}"))?;
            }
            before = Some(batch);
            for (sequence, offset) in numbers(batch) {
                let record = logs.get(place).and_then(|log| at_offset(log, offset));
                let Some(content) = record.map(content_of) else { continue };
                let life = if by_life { life } else { 0 };
                let key =
                    (topic, life, partition, batch.producer_id, batch.producer_epoch, sequence);
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
