//! Records of a partition are stored in the order in which they were sent: always with one request in
//! flight, else as long as nothing was sent twice, and by each leader for itself. (A request that is slow to
//! reach a broker which gives up a partition, and gets it back, may come in behind one that went to the
//! leader of the time between: without numbers nobody can tell.)

use std::collections::BTreeMap;

use crate::sim::ledger::Ledger;
use crate::sim::world::World;

/// Once everything has ended; `again`: batches were sent again or cut.
pub(in crate::sim) fn at_end(world: &World, again: bool) -> Result<(), String> {
    let alone = world.options.max_in_flight == 1;
    if again && !alone {
        return Ok(());
    }
    let writers = writers(&world.ledger);
    let mut last: BTreeMap<(usize, i32, Option<i32>), (i64, u64)> = BTreeMap::new();
    for (index, sent) in world.ledger.sent.iter().enumerate() {
        let Some(fate) = sent.fate.as_ref().filter(|fate| fate.offset >= 0) else { continue };
        if world.ledger.life(sent.topic) > 0 {
            // Offsets began again.
            continue;
        }
        let token = Ledger::token_of(index);
        let writer = writer(&writers, sent.topic, fate.partition, fate.offset);
        let place = (sent.topic, fate.partition, writer.filter(|_| !alone));
        if let Some((offset, before)) = last.insert(place, (fate.offset, token)) {
            if offset >= fate.offset {
                return Err(format!(
                    "{token} was sent after {before} and stored before it in {place:?}: \
                     offsets {} and {offset}",
                    fate.offset
                ));
            }
        }
    }
    Ok(())
}

/// The broker that wrote each batch, by topic, partition and base offset.
fn writers(ledger: &Ledger) -> BTreeMap<(usize, i32, i64), i32> {
    let appends = ledger.appends.iter();
    appends
        .map(|append| ((append.topic, append.partition, append.base_offset), append.broker))
        .collect()
}

fn writer(
    writers: &BTreeMap<(usize, i32, i64), i32>,
    topic: usize,
    partition: i32,
    offset: i64,
) -> Option<i32> {
    let first = (topic, partition, 0);
    writers.range(first..=(topic, partition, offset)).next_back().map(|(_, &broker)| broker)
}
