//! What readers of committed data find: all of each transaction whose commit was answered without an error,
//! its offsets included, each record once and in the order in which it was sent; nothing of one that was
//! aborted or never committed; all or nothing where the application was not told. No transaction stays open,
//! and no producer fails for good without a reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorCode};
use crate::mock::{Isolation, TransactionState};
use crate::sim::faults::Trouble;
use crate::sim::ledger::{Content, Ledger, Sent, Transaction};
use crate::sim::oracle::stored::content_of;
use crate::sim::transaction_plan::TRANSACTIONAL_ID;
use crate::sim::transactions::{Stand, INPUT};
use crate::sim::world::World;

/// How much of a transaction must be seen.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Verdict {
    All,
    Nothing,
    AllOrNothing,
}

fn verdict(transaction: &Transaction) -> Verdict {
    match transaction {
        Transaction { committed: true, .. } => Verdict::All,
        Transaction { aborted: true, .. } | Transaction { commit_asked: false, .. } => {
            Verdict::Nothing
        }
        _ => Verdict::AllOrNothing,
    }
}

/// What a reader of committed data finds.
#[derive(Default, Debug)]
struct Seen {
    /// By index among what was sent.
    records: BTreeSet<usize>,
    /// Group, partition, offset.
    offsets: BTreeSet<(String, i32, i64)>,
}

/// After the close: a producer that had the time for it left no transaction to its timeout.
pub(in crate::sim) fn nothing_waits_for_its_end(world: &World) -> Result<(), String> {
    let patient = world.options.workload.closes_early.is_none();
    let over = world.application.transactor.stand == Stand::Over;
    if world.options.transactions.is_none() || !patient || over {
        return Ok(());
    }
    match world.cluster.transaction(TRANSACTIONAL_ID) {
        Some(left) if left.state == TransactionState::Ongoing => {
            Err(format!("a transaction was left to its timeout: {left:?}"))
        }
        _ => Ok(()),
    }
}

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World) -> Result<(), String> {
    if world.options.transactions.is_none() {
        return Ok(());
    }
    nothing_is_open(world)?;
    let seen = Seen { records: records(world)?, offsets: offsets(world) };
    // What was in a topic that was deleted is gone.
    judge(&world.ledger, &seen, |topic| world.ledger.life(topic) > 0)?;
    last_one_gets_through(world)
}

fn nothing_is_open(world: &World) -> Result<(), String> {
    for topic in &world.options.topics {
        let count = world.cluster.partition_count(&topic.name).unwrap_or(0);
        for partition in 0..count as i32 {
            let end = world.cluster.log_end_offset(&topic.name, partition);
            let stable = world.cluster.last_stable_offset(&topic.name, partition);
            if end.as_ref().ok() != stable.as_ref().ok() {
                return Err(format!(
                    "a transaction stays open: {} {partition} is stable up to {stable:?} of {end:?}; {:?}",
                    topic.name,
                    world.cluster.transaction(TRANSACTIONAL_ID)
                ));
            }
        }
    }
    Ok(())
}

fn records(world: &World) -> Result<BTreeSet<usize>, String> {
    let sent = world.ledger.sent.iter().enumerate().filter(|(_, sent)| sent.unique);
    let sent: BTreeMap<(usize, &Content), usize> =
        sent.map(|(index, sent)| ((sent.topic, &sent.content), index)).collect();
    let mut seen = BTreeSet::new();
    for (index, topic) in world.options.topics.iter().enumerate() {
        let count = world.cluster.partition_count(&topic.name).unwrap_or(0);
        for partition in 0..count as i32 {
            let committed = Isolation::ReadCommitted;
            let read = world.cluster.records_isolated(&topic.name, partition, committed);
            let mut last = None;
            for record in read.map_err(|error| format!("{} {partition}: {error}", topic.name))? {
                let Some(&found) = sent.get(&(index, &content_of(&record))) else { continue };
                let token = Ledger::token_of(found);
                if !seen.insert(found) {
                    return Err(format!("{token} is seen twice, in {} {partition}", topic.name));
                }
                if last.replace(found).is_some_and(|last| last > found) {
                    return Err(format!("{token} is seen behind what was sent later"));
                }
            }
        }
    }
    Ok(seen)
}

fn offsets(world: &World) -> BTreeSet<(String, i32, i64)> {
    let mut seen = BTreeSet::new();
    for transaction in &world.ledger.transactions {
        for at @ (group, partition, _) in &transaction.offsets {
            let found = world.cluster.committed_offset(group, INPUT, *partition);
            if found.is_some_and(|found| found.offset == at.2) {
                seen.insert(at.clone());
            }
        }
    }
    seen
}

fn judge(ledger: &Ledger, seen: &Seen, is_gone: impl Fn(usize) -> bool) -> Result<(), String> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); ledger.transactions.len()];
    let wanted = |sent: &Sent| sent.accepted && sent.unique && !is_gone(sent.topic);
    for (index, sent) in ledger.sent.iter().enumerate().filter(|(_, sent)| wanted(sent)) {
        let Some(members) = sent.transaction.and_then(|number| members.get_mut(number)) else {
            return Err(format!("{} was taken outside of a transaction", Ledger::token_of(index)));
        };
        members.push(index);
    }
    for (number, (transaction, members)) in ledger.transactions.iter().zip(&members).enumerate() {
        let what = || format!("transaction {number} ({transaction:?})");
        let there = |index: &&usize| seen.records.contains(index);
        let offset_there = |at: &&(String, i32, i64)| seen.offsets.contains(at);
        let (first, missing) =
            (members.iter().find(there), members.iter().find(|index| !there(index)));
        let offset = transaction.offsets.iter().find(offset_there);
        let missing_offset = transaction.offsets.iter().find(|at| !offset_there(at));
        let any = first.is_some() || offset.is_some();
        let all = missing.is_none() && missing_offset.is_none();
        let name = |index: Option<&usize>| index.map(|&index| Ledger::token_of(index));
        let fine = match verdict(transaction) {
            Verdict::All => all,
            Verdict::Nothing => !any,
            Verdict::AllOrNothing => all || !any,
        };
        if !fine {
            return Err(format!(
                "{} must be seen as {:?}; there are record {:?}, offset {offset:?}; \
                 not there are record {:?}, offset {missing_offset:?}",
                what(),
                verdict(transaction),
                name(first),
                name(missing),
            ));
        }
        let failed = |index: &&usize| {
            let fate = ledger.sent[**index].fate.as_ref();
            fate.is_some_and(|fate| !fate.code.is_none())
        };
        if let Some(failed) = members.iter().find(failed).filter(|_| transaction.committed) {
            let failed = Ledger::token_of(*failed);
            return Err(format!("{} was committed, though {failed} failed", what()));
        }
    }
    Ok(())
}

/// Everything works, so the last transaction must be committed, unless something of it could not be.
fn last_one_gets_through(world: &World) -> Result<(), String> {
    let options = &world.options;
    let patient = options.retries >= 1000
        && options.delivery_timeout_ms >= 20_000
        && options.request_timeout_ms <= 5000
        && options.workload.closes_early.is_none();
    let over = world.application.transactor.stand == Stand::Over;
    // The application's own partitioner may refuse a record after it was taken.
    let refused = |sent: &Sent| {
        let code = sent.fate.as_ref().map(|fate| fate.code);
        sent.probe && code == Some(ErrorCode::ARGUMENT)
    };
    let last = world.ledger.transactions.last();
    let committed = last.is_some_and(|last| last.committed);
    if !patient || over || committed || world.ledger.sent.iter().any(refused) {
        return Ok(());
    }
    Err(format!("the last transaction was not committed, though everything works: {last:?}"))
}

/// Whether the producer had to fail for good.
pub(in crate::sim) fn fatal(world: &World, error: &Error) -> Result<(), String> {
    let Some(plan) = &world.options.transactions else { return Ok(()) };
    let now = world.now();
    let timed_out = |open: &Transaction| now >= open.begun_at.plus_ms(plan.timeout_ms);
    let fenced = world.application.transactor.has_rival
        || world.ledger.transactions.last().is_some_and(timed_out);
    let faulty = world.options.troubles.iter().any(|(kind, _)| *kind == Trouble::TransactionFault);
    let fine = match error.code() {
        ErrorCode::PRODUCER_FENCED | ErrorCode::INVALID_PRODUCER_EPOCH => fenced,
        // After the last epoch the id that the other one got is another one.
        ErrorCode::INVALID_PRODUCER_ID_MAPPING => fenced && plan.epoch_before.is_some(),
        // The answer that brought another id was lost: a fault of brokers, see `mock/coordinator`.
        ErrorCode::UNKNOWN_SERVER_ERROR => {
            plan.epoch_before.is_some() && error.message().contains("InitProducerId")
        }
        // A commit whose answer is lost, then an error that says that there was none.
        ErrorCode::INVALID_TXN_STATE => fenced || faulty,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER | ErrorCode::UNKNOWN_PRODUCER_ID => plan.is_old(),
        _ => false,
    };
    if fine {
        return Ok(());
    }
    Err(format!("the producer failed for good without a reason: {error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn sent(transaction: usize) -> Sent {
        let content = Content { key: None, value: None, headers: Vec::new() };
        Sent {
            topic: 0,
            partition: 0,
            content,
            headers: Vec::new(),
            timestamp_ms: 0,
            at: Time::ZERO,
            accepted: true,
            unique: true,
            probe: false,
            transaction: Some(transaction),
            fate: None,
        }
    }

    fn offset() -> (String, i32, i64) {
        ("group".to_owned(), 3, 103)
    }

    /// One transaction of two records and an offset; what of it is seen.
    fn judged(told: [bool; 3], records: &[usize], with_offset: bool) -> Result<(), String> {
        let mut transaction = Transaction::begun(Time::ZERO);
        transaction.offsets.push(offset());
        [transaction.commit_asked, transaction.committed, transaction.aborted] = told;
        let sent = vec![sent(0), sent(0)];
        let ledger = Ledger { sent, transactions: vec![transaction], ..Ledger::default() };
        let offsets = with_offset.then(offset).into_iter().collect();
        let seen = Seen { records: records.iter().copied().collect(), offsets };
        judge(&ledger, &seen, |_| false)
    }

    const COMMITTED: [bool; 3] = [true, true, false];
    const ABORTED: [bool; 3] = [false, false, true];
    const FAILED: [bool; 3] = [true, false, true];
    const OPEN: [bool; 3] = [false, false, false];
    const UNKNOWN: [bool; 3] = [true, false, false];

    #[test]
    fn what_was_committed_must_be_there_as_a_whole() {
        assert_eq!(judged(COMMITTED, &[0, 1], true), Ok(()));
        assert!(judged(COMMITTED, &[0], true).is_err());
        assert!(judged(COMMITTED, &[0, 1], false).is_err());
        assert!(judged(COMMITTED, &[], false).is_err());
    }

    #[test]
    fn nothing_of_what_was_not_may_be_there() {
        for told in [ABORTED, FAILED, OPEN] {
            assert_eq!(judged(told, &[], false), Ok(()));
            assert!(judged(told, &[1], false).is_err());
            assert!(judged(told, &[], true).is_err());
            assert!(judged(told, &[0, 1], true).is_err());
        }
    }

    #[test]
    fn what_nobody_knows_is_there_as_a_whole_or_not() {
        assert_eq!(judged(UNKNOWN, &[0, 1], true), Ok(()));
        assert_eq!(judged(UNKNOWN, &[], false), Ok(()));
        assert!(judged(UNKNOWN, &[0, 1], false).is_err());
        assert!(judged(UNKNOWN, &[1], true).is_err());
        assert!(judged(UNKNOWN, &[], true).is_err());
    }

    #[test]
    fn a_record_outside_of_transactions_is_noticed() {
        let ledger = Ledger { sent: vec![sent(0)], ..Ledger::default() };
        assert!(judge(&ledger, &Seen::default(), |_| false).is_err());
        assert_eq!(judge(&ledger, &Seen::default(), |_| true), Ok(()));
    }
}
