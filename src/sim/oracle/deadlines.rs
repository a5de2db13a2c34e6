//! No record is reported later than `delivery.timeout.ms` after it was sent.

use std::time::Duration;

use crate::sim::ledger::Ledger;
use crate::sim::world::World;

/// What a turn may be late beyond the simulated oversleep.
const SLACK: Duration = Duration::from_millis(2);

/// Of the record with this index, which has just been reported.
pub(in crate::sim) fn check(world: &World, index: usize) -> Result<(), String> {
    let sent = &world.ledger.sent[index];
    let Some(fate) = &sent.fate else { return Ok(()) };
    if !world.options.workload.polls_eagerly {
        // The application took it late.
        return Ok(());
    }
    let late = Duration::from_micros(world.network.oversleep_us) + SLACK;
    let limit = Duration::from_millis(world.options.delivery_timeout_ms) + late;
    let took = fate.at.since(sent.at);
    if took <= limit {
        return Ok(());
    }
    let token = Ledger::token_of(index);
    Err(format!("{token} was reported after {} ms: {fate:?}", took.as_millis()))
}
