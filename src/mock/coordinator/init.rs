//! Owns who may call itself which producer: ids that only grow. Answers InitProducerId.

use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;
#[cfg(any(test, feature = "sim"))]
use crate::time::Time;

use super::super::answer::{read, wire, Answer, Call};
use super::super::cluster::Cluster;
use super::seats::CoordinatorKind;
use super::transaction::{Identity, Initialized, Transaction};

/// `transaction.max.timeout.ms`.
const MAX_TIMEOUT_MS: i32 = 15 * 60 * 1000;

/// The version since which clients know PRODUCER_FENCED (KIP-588).
const FENCED_SINCE: i16 = 4;

/// The ids that were given out.
#[derive(Debug)]
pub(in crate::mock) struct ProducerIds {
    next: i64,
    /// The epoch of the next producer without a transactional id.
    next_epoch: i16,
}

impl Default for ProducerIds {
    fn default() -> Self {
        ProducerIds { next: 1000, next_epoch: 0 }
    }
}

impl ProducerIds {
    /// An id that nobody had.
    pub(in crate::mock) fn fresh(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }
}

/// The code as clients of this version of a request know it.
pub(super) fn fenced_for(code: ErrorCode, version: i16, since: i16) -> ErrorCode {
    if code == ErrorCode::PRODUCER_FENCED && version < since {
        ErrorCode::INVALID_PRODUCER_EPOCH
    } else {
        code
    }
}

impl Cluster {
    pub(in crate::mock) fn init_producer_id(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: InitProducerIdRequest = read(request)?;
        let done = call.error.map_or_else(|| self.initialize(call, &asked), Err);
        let identity = done.unwrap_or(Identity::NONE);
        let code = done.err().map(|code| fenced_for(code, request.version, FENCED_SINCE));
        let response = InitProducerIdResponse::default()
            .with_throttle_time_ms(call.throttle_ms)
            .with_error_code(code.map_or(0, wire))
            .with_producer_id(ProducerId(identity.id))
            .with_producer_epoch(identity.epoch);
        Answer::of(request, &response)
    }

    fn initialize(
        &mut self,
        call: &Call,
        asked: &InitProducerIdRequest,
    ) -> Result<Identity, ErrorCode> {
        let held = match (asked.producer_id.0, asked.producer_epoch) {
            (-1, -1) => None,
            (-1, _) | (_, -1) => return Err(ErrorCode::INVALID_REQUEST),
            (id, epoch) => Some(Identity { id, epoch }),
        };
        let Some(name) = &asked.transactional_id else {
            let epoch = std::mem::take(&mut self.producer_ids.next_epoch);
            return Ok(Identity { id: self.producer_ids.fresh(), epoch });
        };
        if name.is_empty() {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        if !(1..=MAX_TIMEOUT_MS).contains(&asked.transaction_timeout_ms) {
            return Err(ErrorCode::INVALID_TRANSACTION_TIMEOUT);
        }
        self.check_coordinator(call, CoordinatorKind::Transaction, name)?;
        self.initialize_transactional(call, name, held, asked.transaction_timeout_ms as u64)
    }

    fn initialize_transactional(
        &mut self,
        call: &Call,
        name: &str,
        held: Option<Identity>,
        timeout_ms: u64,
    ) -> Result<Identity, ErrorCode> {
        let ids = &mut self.producer_ids;
        if self.transactions.get(name).is_none() {
            self.transactions.insert(name, Transaction::new(ids.fresh()));
        }
        let Some(transaction) = self.transactions.get_mut(name) else {
            return Err(ErrorCode::UNKNOWN_SERVER_ERROR);
        };
        match transaction.initialize(held, timeout_ms, || ids.fresh())? {
            Initialized::As(identity) => Ok(identity),
            Initialized::AfterAbort => {
                self.give_up(name, call.now);
                Err(ErrorCode::CONCURRENT_TRANSACTIONS)
            }
        }
    }

    /// Another producer asks for a transactional id, as with InitProducerId: whether it has it. Not as long
    /// as a transaction must be aborted first, which is begun.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn take_over(&mut self, transactional_id: &str, now: Time) -> bool {
        let call = Call { broker: 0, now, error: None, throttle_ms: 0 };
        self.initialize_transactional(&call, transactional_id, None, 60_000).is_ok()
    }

    /// The epoch that the next idempotent producer begins with (0 unless told), for tests of what
    /// happens near the last one. Real brokers begin with 0.
    pub fn set_next_epoch(&mut self, epoch: i16) {
        self.producer_ids.next_epoch = epoch;
    }

    /// Makes a transactional id known, as if its last InitProducerId had given this epoch: the next
    /// one gives the epoch after it, or after the last (32766) another producer id. Gives the
    /// producer id.
    pub fn set_transactional_epoch(&mut self, transactional_id: &str, epoch: i16) -> i64 {
        let id = self.producer_ids.fresh();
        self.transactions.insert(transactional_id, Transaction::at_epoch(id, epoch));
        id
    }
}
