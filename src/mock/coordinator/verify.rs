//! Owns what a partition's leader asks a transaction's coordinator before the first batch or
//! offset of a transaction (KIP-890), and how the answer looks to a client. Never appends.

use crate::error::ErrorCode;
use crate::protocol::ApiKey;
use crate::record::BatchHeader;

use super::super::answer::Call;
use super::super::batch_check::Refusal;
use super::super::cluster::Cluster;
use super::seats::CoordinatorKind;
use super::transaction::{Identity, TopicPartition};

/// The version of Produce since which partitions join a transaction by being written to.
const PRODUCE_JOINS_SINCE: i16 = 12;
/// The version of Produce whose clients know TRANSACTION_ABORTABLE.
const PRODUCE_ABORTABLE_SINCE: i16 = 11;
/// The same of TxnOffsetCommit.
const OFFSETS_JOIN_SINCE: i16 = 5;
const OFFSETS_ABORTABLE_SINCE: i16 = 4;
/// Brokers that speak this version of AddPartitionsToTxn among each other verify.
const VERIFY_SINCE: i16 = 4;

/// Where a producer of whom the partition knows no batch may begin.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(in crate::mock) enum Start {
    /// Where the age of the brokers allows it.
    ByAge,
    /// At sequence 0: the batch has just joined a transaction (KIP-890, since Produce v12).
    AtZero,
}

impl Cluster {
    /// Whether a transactional batch belongs to an ongoing transaction. Since Produce v12 it does
    /// as soon as it is sent.
    pub(in crate::mock) fn admit_batch(
        &mut self,
        call: &Call,
        version: i16,
        transactional_id: Option<&str>,
        partition: &TopicPartition,
        header: &BatchHeader,
    ) -> Result<Start, Refusal> {
        let held = Identity { id: header.producer_id, epoch: header.producer_epoch };
        let (true, Some(id)) = (header.is_transactional(), transactional_id) else {
            return Ok(Start::ByAge);
        };
        if !self.must_be_verified(call, partition, held) {
            return Ok(Start::ByAge);
        }
        if let Some(found) = self.partition_of(partition) {
            found.producers.note_attempt(held, header.base_sequence);
        }
        let joins = version >= PRODUCE_JOINS_SINCE;
        match self.ask_coordinator(call, id, held, partition, joins) {
            Ok(()) if joins => Ok(Start::AtZero),
            Ok(()) => Ok(Start::ByAge),
            Err(code) => Err(for_produce(code, version)),
        }
    }

    /// The same for offsets that are committed in a transaction.
    pub(super) fn admit_offsets(
        &mut self,
        call: &Call,
        version: i16,
        transactional_id: &str,
        held: Identity,
        partition: &TopicPartition,
    ) -> Result<(), ErrorCode> {
        if !self.must_be_verified(call, partition, held) {
            return Ok(());
        }
        let joins = version >= OFFSETS_JOIN_SINCE;
        let done = self.ask_coordinator(call, transactional_id, held, partition, joins);
        done.map_err(|code| match code {
            ErrorCode::PRODUCER_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH,
            ErrorCode::TRANSACTION_ABORTABLE if version < OFFSETS_ABORTABLE_SINCE => {
                ErrorCode::INVALID_TXN_STATE
            }
            code if is_about_coordinator(code) => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            code => code,
        })
    }

    fn must_be_verified(
        &mut self,
        call: &Call,
        partition: &TopicPartition,
        held: Identity,
    ) -> bool {
        let newest = self.versions_of(call.broker).newest(ApiKey::AddPartitionsToTxn);
        newest.is_some_and(|newest| newest >= VERIFY_SINCE)
            && self.partition_of(partition).is_some_and(|found| !found.producers.is_ongoing(held))
    }

    fn ask_coordinator(
        &mut self,
        call: &Call,
        id: &str,
        held: Identity,
        partition: &TopicPartition,
        joins: bool,
    ) -> Result<(), ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        self.seats.check_loaded(CoordinatorKind::Transaction, id, call.now)?;
        if joins {
            self.add_to_transaction(call, id, held, [partition.clone()])
        } else {
            self.verify(id, held, partition)
        }
    }

    /// Whether a partition is part of a producer's ongoing transaction.
    pub(super) fn verify(
        &self,
        transactional_id: &str,
        held: Identity,
        partition: &TopicPartition,
    ) -> Result<(), ErrorCode> {
        let found = self.transactions.get(transactional_id);
        found.ok_or(ErrorCode::INVALID_PRODUCER_ID_MAPPING)?.verify(held, partition)
    }
}

/// What the coordinator said, in words that clients of Produce know.
fn for_produce(code: ErrorCode, version: i16) -> Refusal {
    let not_added = "the partition was not added to the transaction";
    let unverified = "it cannot be verified that the partition was added to the transaction";
    match code {
        ErrorCode::PRODUCER_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH.into(),
        ErrorCode::TRANSACTION_ABORTABLE if version < PRODUCE_ABORTABLE_SINCE => {
            Refusal::new(ErrorCode::INVALID_TXN_STATE, not_added)
        }
        ErrorCode::CONCURRENT_TRANSACTIONS if version < PRODUCE_JOINS_SINCE => {
            Refusal::new(ErrorCode::NOT_ENOUGH_REPLICAS, unverified)
        }
        code if is_about_coordinator(code) => {
            Refusal::new(ErrorCode::NOT_ENOUGH_REPLICAS, unverified)
        }
        code => code.into(),
    }
}

fn is_about_coordinator(code: ErrorCode) -> bool {
    use ErrorCode as E;
    let codes = [E::COORDINATOR_LOAD_IN_PROGRESS, E::COORDINATOR_NOT_AVAILABLE, E::NOT_COORDINATOR];
    codes.contains(&code)
}
