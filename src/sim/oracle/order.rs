//! Records of a partition are stored in the order in which they were sent: always with one request in
//! flight, else as long as nothing was sent twice.

use std::collections::BTreeMap;

use crate::sim::ledger::Ledger;
use crate::sim::world::World;

/// Once everything has ended; `again`: batches were sent again or cut.
pub(in crate::sim) fn at_end(world: &World, again: bool) -> Result<(), String> {
    if world.options.max_in_flight > 1 && again {
        return Ok(());
    }
    let mut last: BTreeMap<(usize, i32), (i64, u64)> = BTreeMap::new();
    for (index, sent) in world.ledger.sent.iter().enumerate() {
        let Some(fate) = sent.fate.as_ref().filter(|fate| fate.offset >= 0) else { continue };
        if world.ledger.life(sent.topic) > 0 {
            // Offsets began again.
            continue;
        }
        let token = Ledger::token_of(index);
        let place = (sent.topic, fate.partition);
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
