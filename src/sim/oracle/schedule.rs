//! Each partition stands where the naive scan over all partitions would put it.

use crate::client::network::Network;
use crate::driver::Driver;
use crate::time::Time;

/// After a turn.
pub(in crate::sim) fn check<N: Network>(driver: &mut Driver<N>, now: Time) -> Result<(), String> {
    if !driver.sender().accumulator().inbox.is_empty() {
        // Records that were promoted in this turn are news for the next, which follows at once.
        return Ok(());
    }
    match driver.sender().check_schedule(now) {
        None => Ok(()),
        Some(difference) => Err(format!("the schedule is wrong: {difference}")),
    }
}
