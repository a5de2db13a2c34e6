//! With acks=0 a record that was reported without an error is in the log, unless a connection broke:
//! closing the producer breaks none.

use std::collections::BTreeSet;

use crate::error::ErrorCode;
use crate::sim::ledger::{Content, Ledger};
use crate::sim::oracle::stored::{content_of, Logs};
use crate::sim::world::World;

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World, logs: &Logs) -> Result<(), String> {
    if world.options.acks != 0 || world.lossy {
        return Ok(());
    }
    let in_logs: BTreeSet<(usize, Content)> = logs
        .iter()
        .flat_map(|(&(topic, _, _), records)| records.iter().map(move |r| (topic, content_of(r))))
        .collect();
    for (index, sent) in world.ledger.sent.iter().enumerate() {
        let sent_off = sent.fate.as_ref().is_some_and(|fate| fate.code == ErrorCode::NONE);
        if sent_off && sent.unique && !in_logs.contains(&(sent.topic, sent.content.clone())) {
            let token = Ledger::token_of(index);
            return Err(format!("{token} is lost though every connection held: {:?}", sent.fate));
        }
    }
    Ok(())
}
