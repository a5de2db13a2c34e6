//! Transactions as an application sees them. Calls are placed at the desk (`txn/desk.rs`), the sender does
//! them; every wait has a limit, and a call whose time ran out goes on: the same call again takes it up.

use std::time::{Duration, Instant};

use crate::accumulator::inbox::Command;
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{Producer, Shared};
use crate::time::Time;
use crate::txn::desk::Ask;
use crate::txn::group::{GroupMetadata, GroupOffset, GroupOffsets};

/// Transactions: for a producer with `transactional.id`. Everything sent between `begin_transaction` and
/// `commit_transaction`, to whatever partitions, and the offsets given to `send_offsets_to_transaction`, is
/// seen by readers with `isolation.level=read_committed` either as a whole or not at all.
///
/// Errors say what is to be done: [`Error::is_abortable`]: call `abort_transaction`, then begin again.
/// [`Error::is_fatal`]: close this producer. [`Error::is_retriable`] (`TIMED_OUT`): make the same call
/// again; until it has returned with something else, no other of these calls is possible but
/// [`Producer::close`].
///
/// All but `begin_transaction` wait for brokers, so they are refused inside of callbacks of the same
/// producer.
impl Producer {
    /// Gets the producer's id from the coordinator of its `transactional.id`, once, before anything else.
    /// An older producer with the same `transactional.id` is shut out from here on, and what it left open
    /// is aborted.
    ///
    /// # Errors
    /// `TIMED_OUT` after `timeout`; `STATE` without `transactional.id` or when called a second time;
    /// `TRANSACTIONAL_ID_AUTHORIZATION_FAILED`: the call may be made again; fatal ones:
    /// `INVALID_TRANSACTION_TIMEOUT`, `PRODUCER_FENCED`, `UNSUPPORTED_VERSION`; `CLOSED`, `FORKED`,
    /// `IN_CALLBACK`.
    pub fn init_transactions(&self, timeout: Duration) -> Result<()> {
        self.shared.ask(Ask::Initialize, timeout)
    }

    /// Begins a transaction. Does not wait and tells no broker.
    ///
    /// # Errors
    /// `STATE` unless the producer is initialized and without transaction; an abortable or fatal error when
    /// there was one; `CLOSED`, `FORKED`.
    pub fn begin_transaction(&self) -> Result<()> {
        self.shared.check_transactional("begin_transaction")?;
        let begun = Instant::now();
        let outcome = self.shared.desk.begin();
        self.shared.metrics.transaction.begin_ns.add_time(begun.elapsed());
        outcome
    }

    /// Commits a consumer group's offsets with the transaction: they count if and when it is committed.
    /// Call it after the records made from what was read up to `offsets` were sent (each offset is that of
    /// the next record to read). Nothing happens without offsets.
    ///
    /// # Errors
    /// `TIMED_OUT` after `timeout`: call it again with the same arguments, or abort; `STATE` outside of a
    /// transaction; `ARGUMENT` for impossible offsets; abortable ones, among them `ILLEGAL_GENERATION`,
    /// `UNKNOWN_MEMBER_ID` and `FENCED_INSTANCE_ID`, when the partitions have another reader by now
    /// (KIP-447); fatal ones; `CLOSED`, `FORKED`, `IN_CALLBACK`.
    pub fn send_offsets_to_transaction(
        &self,
        offsets: &[GroupOffset],
        group: &GroupMetadata,
        timeout: Duration,
    ) -> Result<()> {
        let offsets = GroupOffsets::new(group, offsets)?;
        if offsets.is_empty() {
            return self.shared.check_transactional("send_offsets_to_transaction");
        }
        self.shared.ask(Ask::SendOffsets(offsets), timeout)
    }

    /// Sends what lingers, waits until every record of the transaction is acknowledged, and has the
    /// coordinator commit. Records that fail make it fail: nothing is committed then.
    ///
    /// # Errors
    /// `TIMED_OUT` after `timeout`: whether it will be committed is open until the same call says so; `STATE`
    /// outside of a transaction; abortable ones when a record or offset failed; fatal ones; `CLOSED`,
    /// `FORKED`, `IN_CALLBACK`.
    pub fn commit_transaction(&self, timeout: Duration) -> Result<()> {
        self.shared.ask(Ask::Commit, timeout)
    }

    /// Gives the transaction up: records that were not sent are reported as failed (`ABORTED`, KIP-654),
    /// those that were are never seen by readers of committed data.
    ///
    /// # Errors
    /// `TIMED_OUT` after `timeout`; `STATE` outside of a transaction; fatal ones; `CLOSED`, `FORKED`,
    /// `IN_CALLBACK`.
    pub fn abort_transaction(&self, timeout: Duration) -> Result<()> {
        self.shared.ask(Ask::Abort, timeout)
    }
}

impl Shared {
    fn check_transactional(&self, call: &str) -> Result<()> {
        self.check_open()?;
        if self.config.identity.transactional_id.is_none() {
            let text = format!("{call}: this producer has no transactional.id");
            return Err(Error::new(ErrorCode::STATE, text));
        }
        Ok(())
    }

    fn ask(&self, ask: Ask, timeout: Duration) -> Result<()> {
        let name = ask.name();
        self.check_transactional(name)?;
        self.refuse_in_callback(name)?;
        let begun = Instant::now();
        let metrics = &self.metrics.transaction;
        let time = match ask {
            Ask::Initialize => &metrics.init_ns,
            Ask::SendOffsets(_) => &metrics.send_offsets_ns,
            Ask::Commit => &metrics.commit_ns,
            Ask::Abort => &metrics.abort_ns,
        };
        let outcome = self.ask_until(ask, name, begun, timeout);
        time.add_time(begun.elapsed());
        outcome
    }

    fn ask_until(&self, ask: Ask, name: &str, begun: Instant, timeout: Duration) -> Result<()> {
        let (call, new) = self.desk.ask(ask)?;
        if new {
            self.accumulator.inbox.send(Command::Transaction, Time::ZERO);
        }
        loop {
            let waited = begun.elapsed();
            let left = timeout.saturating_sub(waited);
            if let Some(outcome) = self.desk.wait(&call, left) {
                return outcome;
            }
            if left.is_zero() {
                let text = format!(
                    "{name}: no outcome within {} ms; it goes on, call it again",
                    waited.as_millis()
                );
                return Err(Error::new(ErrorCode::TIMED_OUT, text));
            }
        }
    }
}
