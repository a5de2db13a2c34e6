//! Each accepted record is reported exactly once, to who sent it, as what was sent; a refused one never, and
//! none is refused without a reason.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::delivery::Persistence;
use crate::error::{Error, ErrorCode};
use crate::sim::ledger::{Fate, Ledger};
use crate::sim::oracle::deadlines;
use crate::sim::world::World;

/// Takes one record's report into the ledger.
pub(in crate::sim) fn take(
    world: &mut World,
    token: u64,
    fate: Fate,
    topic: u32,
) -> Result<(), String> {
    let Some(index) = world.ledger.index_of(token) else {
        return Err(format!("a report names token {token}, which was never sent"));
    };
    let expected_topic = world.application.topics.get(world.ledger.sent[index].topic).copied();
    let sent = &mut world.ledger.sent[index];
    if !sent.accepted {
        return Err(format!("{token} was refused and is reported all the same: {fate:?}"));
    }
    if let Some(first) = &sent.fate {
        return Err(format!("{token} is reported twice: {first:?}, then {fate:?}"));
    }
    if expected_topic.map(|id| id.0) != Some(topic) {
        return Err(format!("{token} was sent to {expected_topic:?} and is reported for {topic}"));
    }
    let stored = fate.code == ErrorCode::NONE;
    if sent.partition >= 0 && stored && fate.partition != sent.partition {
        return Err(format!("{token} was sent to partition {}: {fate:?}", sent.partition));
    }
    let acknowledged = stored && world.options.acks != 0;
    let unacknowledged = stored && fate.persistence != Persistence::PossiblyPersisted;
    if acknowledged != (fate.persistence == Persistence::Persisted)
        || (unacknowledged && !acknowledged)
    {
        return Err(format!("{token}: code and persistence disagree: {fate:?}"));
    }
    if stored && (fate.offset >= 0) != (world.options.acks != 0) {
        return Err(format!("{token} is stored at an impossible offset: {fate:?}"));
    }
    if fate.code == ErrorCode::PANIC {
        return Err(format!("{token} was lost: {fate:?}"));
    }
    sent.fate = Some(fate);
    world.ledger.reported += 1;
    deadlines::check(world, index)
}

/// Whether the record that was sent last may be refused with this code.
pub(in crate::sim) fn refusal(
    world: &World,
    error: &Error,
    (bytes, with_headers): (usize, bool),
) -> Result<(), String> {
    let Some(sent) = world.ledger.sent.last() else { return Ok(()) };
    let plan = &world.options.workload;
    let open = world.ledger.accepted - world.ledger.reported;
    let small = bytes < world.options.buffer_memory_bytes / 16;
    let transactional = world.options.transactions.is_some();
    let fine = match error.code() {
        // What it means for the application is judged where it does something about it.
        _ if transactional && (error.is_abortable() || error.is_fatal()) => true,
        ErrorCode::UNSUPPORTED => with_headers && world.options.loses_headers(),
        ErrorCode::UNSUPPORTED_VERSION => world.options.may_lack_idempotence(),
        ErrorCode::STATE => transactional && world.application.closed,
        ErrorCode::CLOSED => world.application.closed,
        ErrorCode::QUEUE_FULL => open > 0 || !small,
        ErrorCode::RECORD_TOO_LARGE => bytes > 500,
        ErrorCode::UNKNOWN_PARTITION => sent.partition >= 0,
        ErrorCode::ARGUMENT => plan.partitions_itself && sent.partition < 0,
        _ => false,
    };
    if fine {
        return Ok(());
    }
    Err(format!("{bytes} bytes, {open} records on their way"))
}

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World) -> Result<(), String> {
    if let Some((index, sent)) = world.ledger.open().next() {
        let token = Ledger::token_of(index);
        return Err(format!("{token} is never reported: sent at {:?}", sent.at));
    }
    let Some(acknowledged) = &world.application.acknowledged else { return Ok(()) };
    let seen = acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    for &token in seen.iter() {
        *times.entry(token).or_default() += 1;
    }
    for (index, sent) in world.ledger.sent.iter().enumerate() {
        let token = Ledger::token_of(index);
        let count = times.get(&token).copied().unwrap_or(0);
        if count != usize::from(sent.accepted) {
            return Err(format!("the interceptor saw {token} acknowledged {count} times"));
        }
    }
    Ok(())
}
