//! Gives batches their place in the producer's sequence, and gets the producer id that this takes: from
//! any broker, beside all other traffic. What the numbers mean is `txn`'s.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::accumulator::batch::Batch;
use crate::accumulator::partition::{Head, Partition};
use crate::accumulator::standing::Standing;
use crate::accumulator::topic::Slot;
use crate::client::network::Network;
use crate::client::{OutgoingRequest, RequestFailure};
use crate::error::{Error, ErrorCode, Result};
use crate::log::Level;
use crate::metadata::NodeId;
use crate::protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use crate::protocol::{decode_response, encode_request, ApiKey};
use crate::record::ProducerIdentity;
use crate::sender::Sender;
use crate::time::Time;
use crate::txn::identity::Refusal;
use crate::txn::sequences::{First, Gate, Taken};

/// How long the first records wait for a leader to say what it speaks before it is decided without it whether
/// they carry an identity.
const DECISION_PATIENCE_MS: u64 = 2_000;

impl<N: Network> Sender<N> {
    /// Whether the producer's sequence lets the first batch of a partition go.
    pub(super) fn gate(&self, slot: Slot, head: &Head) -> Gate {
        if let Some(transaction) = &self.transaction {
            return self.transactional_gate(transaction, slot, head);
        }
        if self.identity.is_off() {
            return Gate::Open;
        }
        let first = First { ordinal: head.ordinal, numbered: head.numbered };
        match self.slots.get(slot.0 as usize) {
            Some(state) => state.sequences.gate(&first, self.identity.newest()),
            None => Gate::Closed,
        }
    }

    /// The partition is gated: if it is for want of an id, see that one comes.
    pub(super) fn want_identity(&mut self, slot: Slot, head: &Head) {
        if self.gate(slot, head) == Gate::WithoutId {
            if let Some(used_up) = self.slot(slot).sequences.exhausted() {
                self.identity.exhausted(used_up);
            }
            self.identity.demand();
        }
    }

    /// Gives a batch that was just taken from its queue the identity that it travels with.
    pub(super) fn give_identity(
        &mut self,
        slot: Slot,
        partition: &Partition,
        batch: &mut Batch,
        now: Time,
    ) {
        let newest = match &self.transaction {
            Some(transaction) => transaction.id(),
            None if self.identity.is_off() => return,
            None => self.identity.newest(),
        };
        let transactional = self.transaction.is_some();
        let first = First { ordinal: batch.name.ordinal, numbered: batch.is_numbered() };
        match self.slot(slot).sequences.take(&first, batch.count(), newest, now) {
            Some(Taken::Given(identity)) => {
                batch.identity = ProducerIdentity { transactional, ..identity };
            }
            Some(Taken::Renewed(identity)) => {
                batch.identity = identity;
                partition.forget_identities();
                self.parts.metrics.batch.epochs_begun.increment();
            }
            Some(Taken::Kept) | None => {}
        }
    }

    /// When to ask a broker for an id, or to decide without having heard all that count.
    pub(super) fn identity_deadline(&self, now: Time) -> Time {
        let decide_at = self.decision_deadline(now);
        let at = self.identity.ask_at();
        if at > now {
            return at.min(decide_at);
        }
        decide_at.min(self.offered_at(ApiKey::InitProducerId, 0, now))
    }

    fn decision_deadline(&self, now: Time) -> Time {
        let waits = self.identity.is_undecided() && self.decide_at > now;
        if !waits || self.decide_at == Time::NEVER {
            return Time::NEVER;
        }
        let dialled_at = |node: &NodeId| self.parts.client.poll_delay(*node, now);
        let dialled_at =
            self.unheard_leaders(&self.schedule.active_slots()).iter().map(dialled_at).min();
        dialled_at.unwrap_or(Time::NEVER).min(self.decide_at)
    }

    /// Asks for a producer id if one is wanted and a broker can be asked.
    pub(super) fn ask_for_identity(&mut self, now: Time) {
        if self.identity.ask_at() > now {
            return;
        }
        let api = ApiKey::InitProducerId;
        let Some(node) = self.any_that_offers(api, 0, now) else { return };
        let Some(version) = self.parts.client.usable_version(node, api) else {
            return self.identity_not_offered(node, now);
        };
        match self.identity_request(version) {
            Ok(request) => {
                self.identity_tag = Some(request.tag);
                self.identity.asked();
                self.parts.client.send(node, request, now);
            }
            Err(error) => self.stop(error, now),
        }
    }

    /// Whether idempotence that nobody asked for stays on is decided once, before the first sequence: by then
    /// the leaders of all partitions that have records must have said what they speak, unless they cannot be
    /// reached or take too long.
    pub(super) fn decide_on_identity(&mut self, now: Time) {
        if !self.identity.is_undecided() {
            return;
        }
        let waits = |slot: &Slot| self.schedule.standing(*slot) == Standing::Gated;
        let active = self.schedule.active_slots();
        if !active.iter().any(waits) {
            self.decide_at = Time::NEVER;
            return;
        }
        if self.decide_at == Time::NEVER {
            self.decide_at = now.plus_ms(DECISION_PATIENCE_MS);
            // What could not be reached some time ago is tried again.
            self.mute.clear();
        }
        let leaders = self.unheard_leaders(&active);
        if !leaders.is_empty() && now < self.decide_at {
            return self.hear(leaders, now);
        }
        // Else its answer wakes us.
        if self.identity.decide() {
            self.open_gates(now);
        }
    }

    /// Whether connections to a broker of which nothing is known end before it says what it speaks. Once is
    /// not enough: one of 0.8 ends the first, at which it is asked for what it does not know.
    pub(super) fn is_mute(&self, node: &NodeId) -> bool {
        self.mute.get(node).is_some_and(|&ends| ends > 1)
    }

    /// Leaders of these partitions, which have records, that have not said what they speak, and may.
    fn unheard_leaders(&self, active: &[Slot]) -> BTreeSet<NodeId> {
        let leader = |slot: &Slot| self.slots.get(slot.0 as usize).and_then(|known| known.leader);
        let leaders = active.iter().filter_map(leader);
        leaders.filter(|node| !self.magics.contains_key(node) && !self.is_mute(node)).collect()
    }

    /// Has connections made, which begin with what a broker speaks.
    fn hear(&mut self, nodes: impl IntoIterator<Item = NodeId>, now: Time) {
        for node in nodes {
            let _ = self.parts.client.ready(node, now);
        }
    }

    /// A broker was heard that cannot take what has an identity: a producer that has it only by default, and
    /// has given no number yet, goes on without.
    pub(super) fn step_back(&mut self, node: NodeId, now: Time) {
        if self.identity.renounce() {
            self.tell_of_step_back(node, now);
        }
    }

    fn tell_of_step_back(&mut self, node: NodeId, now: Time) {
        let text = format!(
            "idempotence is off: broker {node} does not know it (Kafka 0.11), and enable.idempotence is not \
             set; retries may store records twice"
        );
        let warning = Error::new(ErrorCode::UNSUPPORTED_VERSION, text);
        self.parts.log.line(Level::Warning, &warning);
        self.open_gates(now);
    }

    fn identity_request(&mut self, version: i16) -> Result<OutgoingRequest> {
        // Without a transaction its timeout means nothing, but it must be a possible one.
        let message = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(i32::MAX);
        let api = ApiKey::InitProducerId;
        let correlation_id = self.parts.client.next_correlation_id();
        let client_id = &self.settings.client_id;
        let frame = encode_request(api, version, correlation_id, client_id, &message)?;
        let tag = self.next_tag;
        self.next_tag += 1;
        Ok(OutgoingRequest {
            api,
            version,
            correlation_id,
            frame: frame.into(),
            expects_response: true,
            timeout_ms: self.settings.request_timeout_ms,
            tag,
        })
    }

    pub(super) fn handle_identity(
        &mut self,
        node: NodeId,
        version: i16,
        outcome: std::result::Result<Bytes, RequestFailure>,
        now: Time,
    ) {
        self.identity_tag = None;
        if self.identity.is_off() {
            return;
        }
        let pause_ms = self.identity.pause_ms(&self.settings.retry_backoff, &mut self.random);
        let at = now.plus_ms(pause_ms);
        let body = match outcome {
            Ok(body) => body,
            Err(failure) => {
                let text = format!("broker {node} did not answer InitProducerId ({failure:?})");
                return self.identity.failed(Error::new(ErrorCode::TRANSPORT, text), at);
            }
        };
        let decoded: Result<InitProducerIdResponse> =
            decode_response(ApiKey::InitProducerId, version, body);
        let response = match decoded {
            Ok(response) => response,
            Err(error) => {
                self.parts.client.protocol_failure(node, error.message(), now);
                return self.identity.failed(error, at);
            }
        };
        let (api, ms) = (ApiKey::InitProducerId, response.throttle_time_ms);
        self.parts.client.throttle(node, api, version, ms, now);
        match self.identity.answered(&response, at) {
            Ok(_) => self.open_gates(now),
            Err(Refusal::Retry(error)) if error.is_retriable() => {}
            Err(Refusal::Retry(error)) => self.parts.log.line(Level::Warning, &error),
            Err(Refusal::TellWaiting(error)) => {
                self.parts.log.line(Level::Error, &error);
                for slot in self.schedule.take_gated() {
                    self.fail_gated(slot, &error, now);
                }
            }
        }
    }

    pub(super) fn open_gates(&mut self, now: Time) {
        for slot in self.schedule.take_gated() {
            self.evaluate(slot, now);
        }
    }

    /// The records of a partition that waits for an id get none.
    fn fail_gated(&mut self, slot: Slot, error: &Error, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        if let Some(partition) = accumulator.topics.partition(slot) {
            let waits = |head: &Head| self.gate(slot, head) == Gate::WithoutId;
            if partition.head().is_some_and(|head| waits(&head)) {
                for batch in partition.take_all(&accumulator.pool) {
                    let maybe_stored = batch.maybe_stored;
                    self.fail(batch, error.code(), error.message(), maybe_stored, now);
                }
            }
        }
        self.evaluate(slot, now);
    }

    fn identity_not_offered(&mut self, node: NodeId, now: Time) {
        let pause_ms = self.identity.pause_ms(&self.settings.retry_backoff, &mut self.random);
        match self.identity.not_offered(now.plus_ms(pause_ms)) {
            Ok(true) => self.tell_of_step_back(node, now),
            Ok(false) => {}
            Err(error) => self.stop(error, now),
        }
    }

    /// Why a partition's records were not sent, if it is for want of an id.
    pub(super) fn identity_missing(&self, slot: Slot, partition: &Partition) -> Option<String> {
        let waits = |head: Head| self.gate(slot, &head) == Gate::WithoutId;
        if !partition.head().is_some_and(waits) {
            return None;
        }
        Some(match self.identity.last_error() {
            Some(error) => format!("no broker gave a producer id: {error}"),
            None => "no broker could be asked for a producer id".to_owned(),
        })
    }

    /// The batch ends without being known as stored: its partition's sequence has to know.
    pub(super) fn give_up(&mut self, batch: &Batch) {
        if batch.is_numbered() {
            self.slot(batch.name.slot).sequences.give_up(batch.name.ordinal, !batch.maybe_stored);
            if let Some(transaction) = &mut self.transaction {
                transaction.lost_number();
            }
        }
    }
}
