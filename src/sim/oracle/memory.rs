//! `buffer.memory` is a hard cap, and all of it is there again once everything is reported and taken.

use crate::sim::world::World;

/// After each turn; `ended`: the producer has closed and every report was taken.
pub(in crate::sim) fn check(world: &World, ended: bool) -> Result<(), String> {
    let Some(accumulator) = &world.application.accumulator else { return Ok(()) };
    let (available, total) = (accumulator.pool.available_bytes(), accumulator.pool.total_bytes());
    if available > total {
        return Err(format!(
            "{available} of {total} bytes are available: more was lent than there is"
        ));
    }
    if ended && available != total {
        return Err(format!("{available} of {total} bytes came back after the end"));
    }
    Ok(())
}
