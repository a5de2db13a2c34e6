//! Owns the ends of transactions: the answer to EndTxn, what is given up after its timeout, and
//! the markers in the logs. Nothing happens by itself: [`Cluster::advance`] does what is due.

use std::collections::BTreeSet;

use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse, ProducerId};

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;
use crate::time::Time;

use super::super::answer::{read, wire, Answer, Call};
use super::super::cluster::Cluster;
use super::super::marker::Marker;
use super::init::fenced_for;
use super::seats::{CoordinatorKind, OFFSETS_TOPIC};
use super::transaction::{Ended, Generation, Identity, TopicPartition, TransactionState};

/// The version since which clients know PRODUCER_FENCED (KIP-588).
const FENCED_SINCE: i16 = 2;
/// The version whose clients take the next epoch from the answer (KIP-890).
const BUMPS_SINCE: i16 = 5;

/// What could not be done because a leader or coordinator is missing is tried again after this time, or with
/// the next request.
const WAIT_MS: u64 = 10;

/// What is known of a transactional id (as DescribeTransactions would tell it).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionDescription {
    /// Where its transaction stands.
    pub state: TransactionState,
    /// The producer that holds it.
    pub producer_id: i64,
    /// That producer's epoch; in a prepared transaction the markers'.
    pub producer_epoch: i16,
    /// The partitions of an ongoing transaction, or those of a prepared one that still have no
    /// marker; `__consumer_offsets` among them.
    pub partitions: BTreeSet<(String, i32)>,
}

impl Cluster {
    pub(in crate::mock) fn end_txn(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: EndTxnRequest = read(request)?;
        let generation =
            if request.version >= BUMPS_SINCE { Generation::V2 } else { Generation::V1 };
        let done = call.error.map_or_else(|| self.end(call, &asked, generation), Err);
        let code = done.err().map(|code| fenced_for(code, request.version, FENCED_SINCE));
        let mut response = EndTxnResponse::default()
            .with_throttle_time_ms(call.throttle_ms)
            .with_error_code(code.map_or(0, wire));
        if generation == Generation::V2 {
            let next = done.unwrap_or(Identity::NONE);
            response.producer_id = ProducerId(next.id);
            response.producer_epoch = next.epoch;
        }
        Answer::of(request, &response)
    }

    fn end(
        &mut self,
        call: &Call,
        asked: &EndTxnRequest,
        generation: Generation,
    ) -> Result<Identity, ErrorCode> {
        let id = &asked.transactional_id.0;
        if id.is_empty() {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        self.check_coordinator(call, CoordinatorKind::Transaction, id)?;
        let ids = &mut self.producer_ids;
        let Some(transaction) = self.transactions.get_mut(id) else {
            return Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
        };
        let held = Identity { id: asked.producer_id.0, epoch: asked.producer_epoch };
        let ended = transaction.end(held, asked.committed, generation, || ids.fresh())?;
        let next = transaction.next_identity();
        if ended == Ended::Begun {
            self.set_markers_due(id, call.now);
        }
        Ok(next)
    }

    /// Aborts an ongoing transaction and fences its producer.
    pub(super) fn give_up(&mut self, transactional_id: &str, at: Time) {
        let generation = match self.features.transaction_version() {
            Some(2..) => Generation::V2,
            _ => Generation::V1,
        };
        let ids = &mut self.producer_ids;
        if let Some(transaction) = self.transactions.get_mut(transactional_id) {
            transaction.fence(generation, || ids.fresh());
            self.set_markers_due(transactional_id, at);
        }
    }

    fn set_markers_due(&mut self, transactional_id: &str, from: Time) {
        let due = from.plus_ms(self.transactions.marker_delay_ms);
        self.transactions.set_due(transactional_id, due);
    }

    /// Does what has become due by `now`: gives transactions up whose `transaction.timeout.ms` is
    /// over, and writes markers. Every request does it first; who looks at logs or offsets between
    /// requests calls it before. A marker waits for its coordinator and for its partition's leader.
    pub fn advance(&mut self, now: Time) {
        let mut waiting = Vec::new();
        self.transactions.resume();
        while let Some((at, id)) = self.transactions.take_due(now) {
            if !self.advance_one(&id, at, now) {
                waiting.push((at, id));
            }
        }
        self.transactions.put_off(waiting, now.plus_ms(WAIT_MS));
    }

    /// When [`Cluster::advance`] has something to do next; [`Time::NEVER`] for nothing.
    pub fn next_due(&self) -> Time {
        self.transactions.next_due()
    }

    /// Whether what was due at `at` is done.
    fn advance_one(&mut self, id: &str, at: Time, now: Time) -> bool {
        if self.seats.check_loaded(CoordinatorKind::Transaction, id, now).is_err() {
            return false;
        }
        match self.transactions.get(id).map(|transaction| transaction.state()) {
            Some(TransactionState::Ongoing) => {
                self.give_up(id, at);
                true
            }
            Some(TransactionState::PrepareCommit) => self.write_markers(id, true, at),
            Some(TransactionState::PrepareAbort) => self.write_markers(id, false, at),
            _ => true,
        }
    }

    /// Writes the markers that can be; whether none is left to write.
    fn write_markers(&mut self, id: &str, commit: bool, at: Time) -> bool {
        let Some(transaction) = self.transactions.get(id) else { return true };
        let Identity { id: producer_id, epoch: producer_epoch } = transaction.identity();
        let epoch = self.seats.coordinator(CoordinatorKind::Transaction, id);
        let marker = Marker {
            producer_id,
            producer_epoch,
            commit,
            coordinator_epoch: epoch.map_or(-1, |found| found.1),
            timestamp_ms: self.wall_ms(at),
        };
        let partitions: Vec<TopicPartition> = transaction.partitions().iter().cloned().collect();
        for partition in partitions {
            match self.write_marker(&partition, &marker, at) {
                Ok(()) => {
                    if let Some(transaction) = self.transactions.get_mut(id) {
                        transaction.marked(&partition);
                    }
                }
                Err(ErrorCode::NOT_LEADER_OR_FOLLOWER) => {}
                // The partition knows a newer producer: a real coordinator gives up, too, and the
                // transaction stays prepared for ever.
                Err(_) => return true,
            }
        }
        match self.transactions.get_mut(id) {
            Some(transaction) if transaction.partitions().is_empty() => transaction.complete(),
            _ => return false,
        }
        true
    }

    fn write_marker(
        &mut self,
        to: &TopicPartition,
        marker: &Marker,
        at: Time,
    ) -> Result<(), ErrorCode> {
        let retention = self.retention;
        // A partition that was deleted needs no marker.
        let Some(partition) = self.partition_of(to) else { return Ok(()) };
        if partition.leader.is_none() {
            return Err(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        }
        partition.append_marker(marker, retention, at)?;
        if to.0 == OFFSETS_TOPIC {
            self.end_offsets(to.1, marker.producer_id, marker.commit);
        }
        Ok(())
    }

    /// Ends an ongoing transaction in one partition only, behind its coordinator's back: what no broker
    /// does, so that oracles can be seen to notice it.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn forge_marker(&mut self, transactional_id: &str, to: (&str, i32), commit: bool) {
        let Some(transaction) = self.transactions.get(transactional_id) else { return };
        let Identity { id: producer_id, epoch: producer_epoch } = transaction.identity();
        let timestamp_ms = self.wall_origin_ms;
        let marker =
            Marker { producer_id, producer_epoch, commit, coordinator_epoch: 0, timestamp_ms };
        let at = (to.0.to_owned(), to.1);
        if transaction.partitions().contains(&at) {
            // A partition that takes no marker is not hurt.
            let _ = self.write_marker(&at, &marker, Time::ZERO);
        }
    }

    /// How long after a transaction's end its markers are written, from now on (0 unless told: at
    /// once). Until they are, the transaction is prepared and the id answers
    /// CONCURRENT_TRANSACTIONS.
    pub fn set_marker_delay_ms(&mut self, ms: u64) {
        self.transactions.marker_delay_ms = ms;
    }

    /// What is known of a transactional id; `None` for one that has never been initialized, or is
    /// forgotten.
    pub fn transaction(&self, transactional_id: &str) -> Option<TransactionDescription> {
        let transaction = self.transactions.get(transactional_id)?;
        let Identity { id: producer_id, epoch: producer_epoch } = transaction.identity();
        Some(TransactionDescription {
            state: transaction.state(),
            producer_id,
            producer_epoch,
            partitions: transaction.partitions().clone(),
        })
    }

    /// Makes the coordinator forget a transactional id, as after `transactional.id.expiration.ms`:
    /// its producer gets INVALID_PRODUCER_ID_MAPPING until it is initialized again. Nothing happens
    /// to one with a transaction that is not over; whether it is forgotten.
    pub fn forget_transactional_id(&mut self, transactional_id: &str) -> bool {
        use TransactionState::{CompleteAbort, CompleteCommit, Empty};
        let state = self.transactions.get(transactional_id).map(|found| found.state());
        let may_go = matches!(state, Some(Empty | CompleteAbort | CompleteCommit));
        may_go && self.transactions.remove(transactional_id).is_some()
    }
}
