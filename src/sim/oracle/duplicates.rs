//! A record is stored twice only when the client could not know that it was stored: it never sends it again
//! after it had read the answer that says so. (An earlier attempt may arrive late.)

use std::collections::BTreeMap;

use crate::sim::ledger::{Append, Content};
use crate::sim::oracle::stored::{content_of, Logs};
use crate::sim::world::World;

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World, logs: &Logs) -> Result<(), String> {
    let unique = world.ledger.sent.iter().filter(|sent| sent.unique && sent.accepted);
    let mut appends: BTreeMap<(usize, Content), Vec<&Append>> =
        unique.map(|sent| ((sent.topic, sent.content.clone()), Vec::new())).collect();
    for append in &world.ledger.appends {
        let log = logs.get(&(append.topic, append.life, append.partition));
        let its = append.base_offset..append.base_offset + append.count;
        let records = log.into_iter().flat_map(|log| log.iter());
        for record in records.filter(|record| its.contains(&record.offset)) {
            if let Some(found) = appends.get_mut(&(append.topic, content_of(record))) {
                found.push(append);
            }
        }
    }
    for found in appends.values() {
        for pair in found.windows(2) {
            // The ledger is in the order of time.
            let [first, second] = pair else { continue };
            if first.answered_at.is_some_and(|answered| answered < second.asked_at) {
                return Err(format!(
                    "a record was sent again after its answer: {first:?}, {second:?}"
                ));
            }
        }
    }
    Ok(())
}
