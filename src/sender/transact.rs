//! The sender's part in transactions: sends what `txn::transaction` wishes for, hands it the answers, and
//! does to the records what the transaction's state demands. What is asked when, and what answers mean, is
//! `txn`'s.

use bytes::Bytes;

use crate::accumulator::batch::Batch;
use crate::accumulator::partition::Head;
use crate::accumulator::topic::Slot;
use crate::client::network::Network;
use crate::client::{OutgoingRequest, RequestFailure};
use crate::error::{Error, ErrorCode};
use crate::log::Level;
use crate::metadata::NodeId;
use crate::sender::Sender;
use crate::time::Time;
use crate::txn::sequences::{First, Gate};
use crate::txn::transaction::{Effect, Transaction, Wish};
use crate::txn::{Envelope, Moment};

/// The feature whose level says how the brokers do transactions (KIP-890).
const FEATURE: &str = "transaction.version";

impl<N: Network> Sender<N> {
    /// Whether the transaction and its sequence let the first batch of a partition go.
    pub(super) fn transactional_gate(
        &self,
        transaction: &Transaction,
        slot: Slot,
        head: &Head,
    ) -> Gate {
        let first = First { ordinal: head.ordinal, numbered: head.numbered };
        let Some(state) = self.slots.get(slot.0 as usize) else { return Gate::Closed };
        if !transaction.lets_go(slot.0, head.numbered) || state.sequences.is_cut(&first) {
            return Gate::Closed;
        }
        state.sequences.gate(&first, transaction.id())
    }

    /// A partition is looked at: it takes the producer's epoch, and joins the transaction if it has records
    /// and must.
    pub(super) fn keep_up_with_transaction(&mut self, slot: Slot) {
        let Some(transaction) = &mut self.transaction else { return };
        if let (Some(state), Some(id)) = (self.slots.get_mut(slot.0 as usize), transaction.id()) {
            state.sequences.follow(id);
        }
        let accumulator = &self.parts.accumulator;
        let Some(partition) = accumulator.topics.partition(slot) else { return };
        if transaction.is_missing(slot.0) && partition.head().is_some() {
            if let Some(topic) = accumulator.topics.get(partition.topic) {
                transaction.join(slot.0, &topic.name, partition.id);
            }
        }
    }

    /// An application thread asks for something.
    pub(super) fn take_up_call(&mut self, now: Time) {
        let Some(transaction) = &mut self.transaction else { return };
        if transaction.take_up() {
            let text = "the transaction was aborted before the record was sent";
            self.give_up_records(ErrorCode::ABORTED, text, now);
        }
        self.evaluate_active(now);
    }

    /// The producer closes, or is closing: a commit that was under way may have failed since.
    fn close_transaction(&mut self, now: Time) {
        if self.transaction.as_mut().is_some_and(Transaction::close) {
            let text = "the producer was closed, which aborted the transaction";
            self.give_up_records(ErrorCode::ABORTED, text, now);
        }
    }

    /// Nobody will be answered any more.
    pub(super) fn end_transaction_calls(&mut self) {
        if let Some(transaction) = &self.transaction {
            let text = "the producer was closed before the call had finished";
            transaction.desk().end(&Error::new(ErrorCode::CLOSED, text));
        }
    }

    /// Does for the transaction what is due.
    pub(super) fn transact(&mut self, now: Time) {
        if let Some(error) = self.failure.take() {
            self.fail_transaction(error, now);
        }
        if self.closing.is_some() {
            self.close_transaction(now);
        }
        self.end_drained(now);
        let Some(transaction) = &mut self.transaction else { return };
        match transaction.end_unbegun() {
            Ok(true) => self.open_gates(now),
            Ok(false) => {}
            Err(error) => return self.stop(error, now),
        }
        self.forget_nodes_that_left();
        let wishes = self.transaction.as_ref().map(Transaction::wishes).unwrap_or_default();
        for wish in wishes.iter().filter(|wish| wish.at <= now) {
            self.grant(wish, now);
        }
    }

    /// When there is something to do for the transaction if no event comes before.
    pub(super) fn transaction_deadline(&self, now: Time) -> Time {
        let Some(transaction) = &self.transaction else { return Time::NEVER };
        let client = &self.parts.client;
        let at = |wish: &Wish| match wish.node {
            Some(node) => wish.at.max(client.poll_delay(node, now)),
            None => wish.at.max(self.offered_at(
                wish.what.rpc().api(),
                transaction.versions(wish.what).0,
                now,
            )),
        };
        transaction.wishes().iter().map(at).min().unwrap_or(Time::NEVER)
    }

    /// The coordinator may end the transaction once nothing of it waits or is in flight. (Requests of batches
    /// that have expired count: what they carry must not come in behind the end.)
    fn end_drained(&mut self, now: Time) {
        if !self.transaction.as_ref().is_some_and(Transaction::is_draining) {
            return;
        }
        if !self.is_idle(now) {
            return;
        }
        let Some(transaction) = &mut self.transaction else { return };
        if transaction.is_renewable() || self.slots.iter_mut().all(|slot| slot.sequences.rewind()) {
            return transaction.drained();
        }
        let text = "whether records of the aborted transaction are stored is not known, and brokers before \
                    Kafka 2.5 cannot tell them from those of the next one (KIP-360)";
        self.stop(Error::new(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, text), now);
    }

    /// A coordinator that the cluster does not have any more will not answer.
    fn forget_nodes_that_left(&mut self) {
        let Some(transaction) = &mut self.transaction else { return };
        let snapshot = self.parts.metadata.snapshot();
        for node in transaction.wishes().iter().filter_map(|wish| wish.node) {
            if !snapshot.nodes.contains_key(&node) {
                transaction.lost(node);
            }
        }
    }

    fn grant(&mut self, wish: &Wish, now: Time) {
        let Some(transaction) = &self.transaction else { return };
        let api = wish.what.rpc().api();
        let (lowest, highest) = transaction.versions(wish.what);
        let node = match wish.node {
            Some(node) => Some(node).filter(|&node| self.parts.client.ready(node, now)),
            None => self.any_that_offers(api, lowest, now),
        };
        let Some(node) = node else { return };
        let Some(transaction) = &mut self.transaction else { return };
        let version = self.parts.client.version_within(node, api, lowest, highest);
        let Some(version) = version else {
            let error = transaction.not_offered(wish.what, node);
            return self.stop(error, now);
        };
        let correlation_id = self.parts.client.next_correlation_id();
        let client_id = &self.settings.client_id;
        let envelope = Envelope { version, correlation_id, client_id };
        match transaction.request(wish.what, &envelope) {
            Ok(frame) => {
                let tag = self.next_tag;
                self.next_tag += 1;
                transaction.sent(wish.what, tag, version);
                let request = OutgoingRequest {
                    api,
                    version,
                    correlation_id,
                    frame: frame.into(),
                    expects_response: true,
                    timeout_ms: self.settings.request_timeout_ms,
                    tag,
                };
                self.parts.client.send(node, request, now);
            }
            Err(error) => self.stop(error, now),
        }
    }

    /// The end of a transactional request.
    pub(super) fn handle_transactional(
        &mut self,
        tag: u64,
        node: NodeId,
        version: i16,
        outcome: Result<Bytes, RequestFailure>,
        now: Time,
    ) {
        let level = self.parts.client.finalized_level(FEATURE);
        let Some(transaction) = &mut self.transaction else { return };
        let mut moment = Moment { now, level, random: &mut self.random };
        let body = match outcome {
            Ok(body) => body,
            Err(failure) => {
                let written = !matches!(
                    failure,
                    RequestFailure::Disconnected { written: false, .. }
                        | RequestFailure::TimedOut { written: false }
                        | RequestFailure::UnsupportedVersion
                );
                return transaction.unanswered(tag, written, &mut moment);
            }
        };
        let Some(api) = transaction.api_of(tag) else { return };
        match transaction.answered(tag, body, &mut moment) {
            Ok((effect, throttle_ms)) => {
                self.parts.client.throttle(node, api, version, throttle_ms, now);
                self.apply(effect, now);
            }
            Err(error) => self.parts.client.protocol_failure(node, error.message(), now),
        }
    }

    fn apply(&mut self, effect: Effect, now: Time) {
        match effect {
            Effect::None => {}
            Effect::Found(node) => self.parts.metadata.meet(&node),
            Effect::Open => self.open_gates(now),
            Effect::Failed(error) => self.fail_transaction(error, now),
            Effect::Died(error) => self.stop(error, now),
        }
    }

    /// The transaction can only be aborted: what of it has not been sent need not be any more.
    fn fail_transaction(&mut self, error: Error, now: Time) {
        let Some(transaction) = &mut self.transaction else { return };
        if transaction.fail(&error) {
            self.parts.log.line(Level::Warning, &error);
            let text = format!("the transaction failed: {}", error.message());
            self.give_up_records(error.code(), &text, now);
        }
    }

    /// Fails what is queued. Where the producer's epoch cannot change, what may be stored goes on until
    /// that is known.
    fn give_up_records(&mut self, code: ErrorCode, text: &str, now: Time) {
        let all = self.transaction.as_ref().is_some_and(Transaction::is_renewable);
        let accumulator = self.parts.accumulator.clone();
        for topic in accumulator.topics.iter() {
            self.fail_parked(topic, code, text, Time::NEVER);
            for partition in topic.partitions().iter() {
                let wanted = |batch: &Batch| all || !batch.maybe_stored;
                for batch in partition.take_where(&accumulator.pool, wanted) {
                    let maybe_stored = batch.maybe_stored;
                    self.fail(batch, code, text, maybe_stored, now);
                }
                self.evaluate(partition.slot, now);
            }
        }
    }

    /// Whether a batch that comes back is not to go again: its transaction will be aborted, and the next one
    /// has another epoch.
    pub(super) fn is_given_up(&self, batch: &Batch) -> bool {
        let gives_up = |known: &Transaction| known.gives_up(batch.maybe_stored);
        self.transaction.as_ref().is_some_and(gives_up)
    }
}
