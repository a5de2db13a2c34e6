//! Nobody waits for ever once faults stop, nobody gives up on what can be done, and the sender does not
//! turn without need.

use crate::error::ErrorCode;
use crate::sim::ledger::{Fate, Ledger, Sent};
use crate::sim::world::World;
use crate::time::Time;

/// Turns without time passing or anything happening, above which the sender is said to spin.
const IDLE_TURNS_MAX: u32 = 200;

/// Counts turns while the world stands still.
#[derive(Debug, Default)]
pub(in crate::sim) struct Spin {
    since: (Time, u64),
    turns: u32,
}

impl Spin {
    /// After a turn; `done`: how much has happened and was done since the beginning.
    pub(in crate::sim) fn check(&mut self, now: Time, done: u64) -> Result<(), String> {
        if (now, done) != self.since {
            *self = Spin { since: (now, done), turns: 0 };
        }
        self.turns += 1;
        if self.turns <= IDLE_TURNS_MAX {
            return Ok(());
        }
        Err(format!("the sender spins: {} turns at {now:?} in which nothing happened", self.turns))
    }
}

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World) -> Result<(), String> {
    let options = &world.options;
    if options.workload.closes_early.is_some() {
        return Ok(());
    }
    let patient = options.retries >= 1000
        && options.delivery_timeout_ms >= 20_000
        && options.request_timeout_ms <= 5000
        && !world.application.purged;
    for (index, sent) in world.ledger.sent.iter().enumerate() {
        let Some(fate) = &sent.fate else { continue };
        let token = Ledger::token_of(index);
        let by_abort = options.transactions.is_some()
            && fate.message.as_ref().is_some_and(|text| text.contains("was aborted before"));
        if fate.code == ErrorCode::ABORTED && !by_abort {
            return Err(format!("{token} had to be aborted by a patient close: {fate:?}"));
        }
        let refused = options.workload.partitions_itself && fate.code == ErrorCode::ARGUMENT;
        // Of transactions the last one has to get through: see `atomic.rs`.
        let transactional = options.transactions.is_some();
        let lacks = options.loses_headers() && fate.code == ErrorCode::UNSUPPORTED_VERSION;
        let hasty = refused || transactional || lacks || joined_older(world, sent, fate);
        if sent.probe && patient && !hasty && fate.code != ErrorCode::NONE {
            return Err(format!("{token} failed though everything works: {fate:?}"));
        }
        let late = fate.message.as_ref().is_some_and(|text| is_late(world, text));
        if options.is_calm() && is_trouble(fate.code) && !late {
            return Err(format!("{token} failed though nothing was wrong: {fate:?}"));
        }
    }
    Ok(())
}

/// A slow network makes requests late without anything being wrong, and, where five ways (a connect, two
/// questions, two answers) can take the two seconds that are drawn for it, updates of metadata too.
fn is_late(world: &World, text: &str) -> bool {
    let slow = 5 * world.options.network.delay_max_us >= 2_000_000;
    text.contains("a request timed out")
        || (slow && text.contains("no metadata update succeeded for"))
}

/// A record that joins a waiting batch shares the deadline of the batch's first record, which may be near.
fn joined_older(world: &World, sent: &Sent, fate: &Fate) -> bool {
    let timeout_ms = world.options.delivery_timeout_ms;
    let first = |other: &Sent| {
        let theirs = other.fate.as_ref().map(|other| (other.at, other.partition));
        other.topic == sent.topic
            && theirs == Some((fate.at, fate.partition))
            && other.at.plus_ms(timeout_ms) <= fate.at
    };
    fate.code == ErrorCode::EXPIRED && world.ledger.sent.iter().any(first)
}

/// Errors that only come from a network or a broker that does not work.
fn is_trouble(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::TRANSPORT
            | ErrorCode::PROTOCOL
            | ErrorCode::STATE
            | ErrorCode::NOT_LEADER_OR_FOLLOWER
            | ErrorCode::INVALID_RECORD
            | ErrorCode::CORRUPT_MESSAGE
            | ErrorCode::UNKNOWN_SERVER_ERROR
    )
}
