//! With idempotence a record is in its partition's log at most once, and the log has the records in the order
//! in which they were accepted, whatever is retried. Not where brokers were made to forget a producer with
//! batches under way: then nobody can know (KIP-360).

use std::collections::BTreeMap;

use crate::record::BatchHeader;
use crate::sim::ledger::{Content, Ledger};
use crate::sim::oracle::numbers::Heads;
use crate::sim::oracle::stored::{content_of, Logs};
use crate::sim::world::World;

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World, logs: &Logs, heads: &Heads) -> Result<(), String> {
    if !world.options.idempotent {
        return Ok(());
    }
    let unique = world.ledger.sent.iter().enumerate().filter(|(_, sent)| sent.unique);
    let sent: BTreeMap<(usize, &Content), usize> =
        unique.map(|(index, sent)| ((sent.topic, &sent.content), index)).collect();
    for (place, records) in logs {
        let &(topic, life, partition) = place;
        if world.forgetful.contains(&(topic, partition)) {
            continue;
        }
        let blind = if life > 0 && !world.options.names_topics_by_id() {
            first_run(heads.get(place).map_or(&[], Vec::as_slice))
        } else {
            0
        };
        let mut places: BTreeMap<usize, i64> = BTreeMap::new();
        for record in records {
            let content = content_of(record);
            let Some(&index) = sent.get(&(topic, &content)) else { continue };
            let here = format!("{} at {} of {place:?}", Ledger::token_of(index), record.offset);
            if let Some(first) = places.get(&index) {
                return Err(format!("{here} is there twice, first at {first}"));
            }
            let mut later = places.range(index..).map(|(&later, &offset)| (later, offset));
            // What a new log got first, it took without knowing the producer.
            let is_sure = |&(_, offset): &(usize, i64)| offset >= blind || record.offset < blind;
            if let Some((later, offset)) = later.find(is_sure) {
                let later = Ledger::token_of(later);
                return Err(format!("{here} stands behind {later} at {offset}, which came later"));
            }
            places.insert(index, record.offset);
        }
    }
    Ok(())
}

/// Where what was written under the log's first producer id and epoch ends.
fn first_run(heads: &[BatchHeader]) -> i64 {
    let identity = |batch: &BatchHeader| (batch.producer_id, batch.producer_epoch);
    let other = |batch: &&BatchHeader| heads.first().map(identity) != Some(identity(batch));
    heads.iter().find(other).map_or(0, |batch| batch.base_offset)
}
