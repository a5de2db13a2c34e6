//! Owns one transactional id as its coordinator sees it: who holds it, and where its transaction
//! stands. Decides what a request may do and does it; never looks at a log, a clock or a broker.
//!
//! | state | AddPartitions, AddOffsets | InitProducerId |
//! |---|---|---|
//! | Empty | Ongoing | next epoch |
//! | Ongoing | Ongoing | abort and fence, CONCURRENT_TRANSACTIONS |
//! | Prepare | CONCURRENT_TRANSACTIONS | CONCURRENT_TRANSACTIONS |
//! | Complete | Ongoing | next epoch |
//!
//! EndTxn, by its version and by the epoch that the caller has:
//!
//! | state | v0-v4, same epoch | v5, same epoch | v5, epoch before |
//! |---|---|---|---|
//! | Empty | invalid | abort: Prepare and bump; commit: invalid | fenced |
//! | Ongoing | Prepare | Prepare and bump | fenced |
//! | Prepare | same end: concurrent; else invalid | fenced | as v0-v4 |
//! | Complete | same end: success; else invalid | as Empty | as v0-v4 |
//!
//! (concurrent: CONCURRENT_TRANSACTIONS; invalid: INVALID_TXN_STATE; every epoch that is not named:
//! PRODUCER_FENCED.)
//!
//! The rules are KIP-98, KIP-360 and KIP-890; each row was compared with Kafka 2.8.2, 3.9.2 and
//! 4.4.0.

use std::collections::BTreeSet;

use crate::error::ErrorCode;
use crate::record::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};
use crate::time::Time;

/// The last epoch that a producer gets; one more is left for the coordinator to fence it with.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// Where the transaction of a transactional id stands (Kafka's `TransactionState`).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TransactionState {
    /// The id is known and has had no transaction since its last InitProducerId.
    Empty,
    /// Partitions were added.
    Ongoing,
    /// It will be committed; markers are on their way.
    PrepareCommit,
    /// It will be aborted; markers are on their way.
    PrepareAbort,
    /// It was committed, and every marker is written.
    CompleteCommit,
    /// It was aborted, and every marker is written.
    CompleteAbort,
}

impl TransactionState {
    fn is_prepared(self) -> bool {
        matches!(self, TransactionState::PrepareCommit | TransactionState::PrepareAbort)
    }
}

/// A producer id and its epoch.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::mock) struct Identity {
    pub(in crate::mock) id: i64,
    pub(in crate::mock) epoch: i16,
}

impl Identity {
    pub(in crate::mock) const NONE: Identity =
        Identity { id: NO_PRODUCER_ID, epoch: NO_PRODUCER_EPOCH };
}

/// A partition by topic and number.
pub(in crate::mock) type TopicPartition = (String, i32);

/// How EndTxn and the coordinator's own aborts treat the epoch.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(in crate::mock) enum Generation {
    /// `transaction.version` 0 and 1: the epoch lasts.
    V1,
    /// 2 and later (KIP-890): the epoch grows with every end.
    V2,
}

/// What InitProducerId comes to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(in crate::mock) enum Initialized {
    /// The producer is this one from now on.
    As(Identity),
    /// A transaction has to be aborted first.
    AfterAbort,
}

/// What EndTxn comes to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(in crate::mock) enum Ended {
    /// Markers are to be written now.
    Begun,
    /// It had been done before.
    Before,
}

/// One transactional id.
#[derive(Clone, Debug)]
pub(in crate::mock) struct Transaction {
    identity: Identity,
    /// The epoch before the last bump, if that bump's answer may have been lost; else -1.
    last_epoch: i16,
    /// The producer id before the current one, or -1.
    previous_id: i64,
    /// What the identity becomes when the markers are written, after the last epoch.
    next_id: Option<i64>,
    timeout_ms: u64,
    state: TransactionState,
    /// What is in the transaction; in a prepared one, what still has no marker.
    partitions: BTreeSet<TopicPartition>,
}

impl Transaction {
    /// A new id, whose first InitProducerId is being served.
    pub(in crate::mock) fn new(producer_id: i64) -> Transaction {
        Transaction {
            identity: Identity { id: producer_id, epoch: NO_PRODUCER_EPOCH },
            last_epoch: NO_PRODUCER_EPOCH,
            previous_id: NO_PRODUCER_ID,
            next_id: None,
            timeout_ms: 0,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
        }
    }

    /// An id whose last InitProducerId gave this epoch.
    pub(in crate::mock) fn at_epoch(producer_id: i64, epoch: i16) -> Transaction {
        let mut transaction = Transaction::new(producer_id);
        transaction.identity.epoch = epoch.min(LAST_EPOCH);
        transaction
    }

    pub(in crate::mock) fn state(&self) -> TransactionState {
        self.state
    }

    /// Who holds the id; in a prepared transaction with the epoch that the markers get.
    pub(in crate::mock) fn identity(&self) -> Identity {
        self.identity
    }

    /// Who holds the id once the markers are written.
    pub(in crate::mock) fn next_identity(&self) -> Identity {
        self.next_id.map_or(self.identity, |id| Identity { id, epoch: 0 })
    }

    pub(in crate::mock) fn partitions(&self) -> &BTreeSet<TopicPartition> {
        &self.partitions
    }

    /// When an ongoing transaction that began now would be given up.
    pub(in crate::mock) fn deadline(&self, now: Time) -> Time {
        now.plus_ms(self.timeout_ms)
    }

    /// InitProducerId. `held` is who the caller says it is (KIP-360).
    pub(in crate::mock) fn initialize(
        &mut self,
        held: Option<Identity>,
        timeout_ms: u64,
        fresh_id: impl FnOnce() -> i64,
    ) -> Result<Initialized, ErrorCode> {
        if held.is_some_and(|held| self.is_becoming(held)) {
            return Err(ErrorCode::CONCURRENT_TRANSACTIONS);
        }
        if !held.is_none_or(|held| self.may_be_held_by(held)) {
            return Err(ErrorCode::PRODUCER_FENCED);
        }
        if self.state.is_prepared() {
            return Err(ErrorCode::CONCURRENT_TRANSACTIONS);
        }
        if self.state == TransactionState::Ongoing {
            return Ok(Initialized::AfterAbort);
        }
        self.take_next_epoch(held, fresh_id)?;
        self.timeout_ms = timeout_ms;
        self.state = TransactionState::Empty;
        Ok(Initialized::As(self.identity))
    }

    fn may_be_held_by(&self, held: Identity) -> bool {
        self.identity.epoch == NO_PRODUCER_EPOCH
            || held.id == self.identity.id
            || held.id == self.previous_id && held.epoch >= LAST_EPOCH
    }

    fn take_next_epoch(
        &mut self,
        held: Option<Identity>,
        fresh_id: impl FnOnce() -> i64,
    ) -> Result<(), ErrorCode> {
        let epoch = self.identity.epoch;
        let held_epoch = held.map(|held| held.epoch);
        let is_current = held_epoch.is_none_or(|held| held == epoch || epoch == NO_PRODUCER_EPOCH);
        if epoch >= LAST_EPOCH {
            if !is_current {
                // "Cannot allocate any more producer epochs": an exception in the broker.
                return Err(ErrorCode::UNKNOWN_SERVER_ERROR);
            }
            self.rotate(fresh_id());
        } else if is_current {
            self.identity.epoch = epoch + 1;
        } else if held_epoch == Some(self.last_epoch) {
            // The answer to an earlier InitProducerId was lost.
            return Ok(());
        } else {
            return Err(ErrorCode::PRODUCER_FENCED);
        }
        self.last_epoch = if held.is_some() { epoch } else { NO_PRODUCER_EPOCH };
        Ok(())
    }

    fn rotate(&mut self, id: i64) {
        self.previous_id = self.identity.id;
        self.identity = Identity { id, epoch: 0 };
    }

    /// Whether `held` is who the producer will be once the markers are written: after the last epoch EndTxn's
    /// answer has told it already (KAFKA-19367).
    fn is_becoming(&self, held: Identity) -> bool {
        self.next_id == Some(held.id)
    }

    /// Whether the transaction could take what `held` wants to add now.
    fn check_open(&self, held: Identity) -> Result<(), ErrorCode> {
        if self.is_becoming(held) {
            Err(ErrorCode::CONCURRENT_TRANSACTIONS)
        } else if held.id != self.identity.id {
            Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING)
        } else if held.epoch != self.identity.epoch {
            Err(ErrorCode::PRODUCER_FENCED)
        } else if self.state.is_prepared() {
            Err(ErrorCode::CONCURRENT_TRANSACTIONS)
        } else {
            Ok(())
        }
    }

    /// AddPartitionsToTxn and AddOffsetsToTxn. `true` when the transaction begins with it.
    pub(in crate::mock) fn add(
        &mut self,
        held: Identity,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) -> Result<bool, ErrorCode> {
        self.check_open(held)?;
        let begins = self.state != TransactionState::Ongoing;
        self.state = TransactionState::Ongoing;
        self.partitions.extend(partitions);
        Ok(begins)
    }

    /// What a partition's leader asks before the first batch of a transaction (KIP-890).
    pub(in crate::mock) fn verify(
        &self,
        held: Identity,
        partition: &TopicPartition,
    ) -> Result<(), ErrorCode> {
        self.check_open(held)?;
        if self.partitions.contains(partition) {
            Ok(())
        } else {
            Err(ErrorCode::TRANSACTION_ABORTABLE)
        }
    }

    /// EndTxn.
    pub(in crate::mock) fn end(
        &mut self,
        held: Identity,
        commit: bool,
        generation: Generation,
        fresh_id: impl FnOnce() -> i64,
    ) -> Result<Ended, ErrorCode> {
        use TransactionState::{CompleteAbort, CompleteCommit, Empty, Ongoing};
        let after_rotation = generation == Generation::V2
            && held.id == self.previous_id
            && held.epoch == LAST_EPOCH
            && self.identity.epoch == 0;
        if self.is_becoming(held) {
            return Err(ErrorCode::CONCURRENT_TRANSACTIONS);
        }
        if held.id != self.identity.id && !after_rotation {
            return Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
        }
        let is_current = held.id == self.identity.id && held.epoch == self.identity.epoch;
        let is_retry = generation == Generation::V2
            && (after_rotation || held.epoch.checked_add(1) == Some(self.identity.epoch));
        let same_end = self.state.is_end(commit);
        match (generation, self.state) {
            (_, Ongoing) if is_current => {}
            (Generation::V2, Empty | CompleteCommit | CompleteAbort) if is_current && !commit => {}
            (Generation::V2, Empty | CompleteCommit | CompleteAbort) if is_current => {
                return Err(ErrorCode::INVALID_TXN_STATE);
            }
            (Generation::V1, _) if is_current => return same_end,
            (_, Empty | Ongoing) => return Err(ErrorCode::PRODUCER_FENCED),
            (_, _) if is_retry => return same_end,
            _ => return Err(ErrorCode::PRODUCER_FENCED),
        }
        self.prepare(commit, generation, fresh_id);
        Ok(Ended::Begun)
    }

    /// The coordinator itself aborts an ongoing transaction, because of a newer producer or of its
    /// timeout. Its producer is fenced either way; only since `transaction.version` 2 can it come
    /// back with InitProducerId (KIP-588).
    pub(in crate::mock) fn fence(
        &mut self,
        generation: Generation,
        fresh_id: impl FnOnce() -> i64,
    ) {
        self.prepare(false, generation, fresh_id);
        if generation == Generation::V1 {
            self.identity.epoch = self.identity.epoch.saturating_add(1);
            self.last_epoch = NO_PRODUCER_EPOCH;
        }
    }

    fn prepare(&mut self, commit: bool, generation: Generation, fresh_id: impl FnOnce() -> i64) {
        self.state =
            if commit { TransactionState::PrepareCommit } else { TransactionState::PrepareAbort };
        if generation == Generation::V2 {
            let epoch = self.identity.epoch;
            self.last_epoch = epoch;
            self.identity.epoch = epoch.saturating_add(1);
            self.next_id = (epoch >= LAST_EPOCH).then(fresh_id);
        }
    }

    /// A marker is written, or its partition is gone.
    pub(in crate::mock) fn marked(&mut self, partition: &TopicPartition) {
        self.partitions.remove(partition);
    }

    /// All markers are written.
    pub(in crate::mock) fn complete(&mut self) {
        self.state = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            TransactionState::PrepareAbort => TransactionState::CompleteAbort,
            state => state,
        };
        if let Some(id) = self.next_id.take() {
            self.rotate(id);
        }
    }
}

impl TransactionState {
    /// What the end of a transaction that is over, or nearly, comes to when it is asked for again.
    fn is_end(self, commit: bool) -> Result<Ended, ErrorCode> {
        use TransactionState::{CompleteAbort, CompleteCommit, PrepareAbort, PrepareCommit};
        match (self, commit) {
            (CompleteCommit, true) | (CompleteAbort, false) => Ok(Ended::Before),
            (PrepareCommit, true) | (PrepareAbort, false) => {
                Err(ErrorCode::CONCURRENT_TRANSACTIONS)
            }
            _ => Err(ErrorCode::INVALID_TXN_STATE),
        }
    }
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
