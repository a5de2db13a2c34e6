//! The way back: takes the answer to a produce request apart and settles each batch by the verdict.
//! Never builds a request.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use crate::accumulator::batch::Batch;
use crate::accumulator::split::{split, SplitFailure};
use crate::accumulator::topic::Slot;
use crate::client::network::Network;
use crate::client::RequestFailure;
use crate::delivery::Persistence;
use crate::error::{Error, ErrorCode};
use crate::metadata::{LeaderHint, Node, NodeId};
use crate::protocol::produce::{decode_response, PartitionResponse, ProduceResponse, TopicRef};
use crate::protocol::ApiKey;
use crate::sender::produce::InFlight;
use crate::sender::verdict::{
    ends_producer, is_out_of_sequence, is_stored, leaves_doubt, verdict, Case, Verdict,
};
use crate::sender::Sender;
use crate::time::Time;
use crate::txn::ENDING_RETRY_MS;

/// How often a batch asks in a hurry whether the transaction before it is over.
const ENDING_SOON_TRIES: u32 = 25;

/// The answer for one batch.
#[derive(Debug)]
struct Answer {
    code: ErrorCode,
    text: Option<Arc<str>>,
    base_offset: i64,
    log_append_time_ms: i64,
    record_errors: Vec<(i32, Option<String>)>,
    unsent: bool,
}

impl Answer {
    fn local(code: ErrorCode, text: String, unsent: bool) -> Answer {
        Answer {
            code,
            text: Some(text.into()),
            base_offset: -1,
            log_append_time_ms: -1,
            record_errors: Vec::new(),
            unsent,
        }
    }
}

impl From<PartitionResponse> for Answer {
    fn from(response: PartitionResponse) -> Answer {
        Answer {
            code: ErrorCode::from_broker(response.error_code),
            text: response.error_message.map(Into::into),
            base_offset: response.base_offset,
            log_append_time_ms: response.log_append_time_ms,
            record_errors: response.record_errors,
            unsent: false,
        }
    }
}

impl<N: Network> Sender<N> {
    pub(super) fn handle_response(
        &mut self,
        tag: u64,
        node: NodeId,
        version: i16,
        outcome: Result<Bytes, RequestFailure>,
        sent_at: Time,
        now: Time,
    ) {
        let Some(request) = self.in_flight.remove(&tag) else { return };
        self.parts.accumulator.requests.fetch_sub(1, Ordering::Relaxed);
        self.parts.metrics.request.latency.record(now.since(sent_at));
        match outcome {
            Ok(_) if !request.acked => {
                self.unacknowledged.insert(node, now);
                self.settle_unacked(request, now);
            }
            Ok(body) => match decode_response(version, &body) {
                Ok(response) => {
                    // The broker has answered already and wants to be left alone now (KIP-219).
                    let ms = response.throttle_time_ms;
                    self.parts.client.throttle(node, ApiKey::Produce, version, ms, now);
                    self.settle_all(request, node, response, now);
                }
                Err(error) => {
                    let text = format!("broker {node} sent a malformed produce response: {error}");
                    self.parts.client.protocol_failure(node, &text, now);
                    self.settle_alike(request, ErrorCode::PROTOCOL, text, false, now);
                }
            },
            Err(failure) => {
                let (code, text, unsent) = explain(&failure, node, now.since(sent_at).as_millis());
                self.settle_alike(request, code, text, unsent, now);
            }
        }
    }

    /// acks=0: the bytes left this process, and no more will be known.
    fn settle_unacked(&mut self, request: InFlight, now: Time) {
        for batch in request.batches {
            let answer = Answer {
                code: ErrorCode::NONE,
                text: None,
                base_offset: -1,
                log_append_time_ms: -1,
                record_errors: Vec::new(),
                unsent: false,
            };
            self.settle(batch, answer, now);
        }
    }

    fn settle_alike(
        &mut self,
        request: InFlight,
        code: ErrorCode,
        text: String,
        unsent: bool,
        now: Time,
    ) {
        if code.refreshes_metadata() || code == ErrorCode::TRANSPORT {
            self.parts.metadata.request_update();
        }
        for batch in request.batches {
            self.settle(batch, Answer::local(code, text.clone(), unsent), now);
        }
    }

    fn settle_all(
        &mut self,
        request: InFlight,
        node: NodeId,
        mut response: ProduceResponse,
        now: Time,
    ) {
        self.apply_leader_hints(&request, &response, now);
        let name = |batch: &Batch| (batch.name.topic, batch.name.partition);
        let keys: Vec<(u32, i32)> = request.batches.iter().map(name).collect();
        let mut batches: Vec<Option<Batch>> = request.batches.into_iter().map(Some).collect();
        let mut guess = 0;
        for partition in std::mem::take(&mut response.partitions) {
            let topic = match &partition.topic {
                TopicRef::Name(name) => self.parts.accumulator.topics.id_of(name),
                TopicRef::Id(id) => {
                    request.topic_ids.iter().find(|(known, _)| known == id).map(|&(_, topic)| topic)
                }
            };
            let key = topic.map(|topic| (topic, partition.partition));
            // Brokers answer mostly in the order of the request.
            let found = find(&keys, guess, key);
            if let Some((at, batch)) = found.and_then(|at| Some((at, batches[at].take()?))) {
                guess = at + 1;
                self.settle(batch, partition.into(), now);
            }
        }
        for batch in batches.into_iter().flatten() {
            let partition = batch.name.partition;
            let topic = self.topic_name(batch.name.topic);
            let text = format!("broker {node} did not answer for partition {partition} of {topic}");
            self.settle(batch, Answer::local(ErrorCode::PROTOCOL, text, false), now);
        }
    }

    /// Brokers that are not the leader any more say who is (KIP-951).
    fn apply_leader_hints(&mut self, request: &InFlight, response: &ProduceResponse, now: Time) {
        if !response.partitions.iter().any(|partition| partition.current_leader.is_some()) {
            return;
        }
        let mut names = Vec::new();
        for partition in &response.partitions {
            let Some((leader, epoch)) = partition.current_leader else { continue };
            let name: Option<Arc<str>> = match &partition.topic {
                TopicRef::Name(name) => Some(name.clone()),
                TopicRef::Id(id) => {
                    let known = request.topic_ids.iter().find(|(known, _)| known == id);
                    known.map(|&(_, topic)| self.topic_name(topic))
                }
            };
            names.extend(name.map(|name| (name, partition.partition, leader, epoch)));
        }
        let hints: Vec<LeaderHint<'_>> = names
            .iter()
            .map(|(topic, partition, leader, leader_epoch)| LeaderHint {
                topic,
                partition: *partition,
                leader: NodeId(*leader),
                leader_epoch: *leader_epoch,
            })
            .collect();
        let endpoint = |node: &crate::protocol::produce::NodeEndpoint| {
            Node::from_answer(node.node_id, &node.host, node.port, node.rack.as_deref()).ok()
        };
        let endpoints: Vec<Node> = response.node_endpoints.iter().filter_map(endpoint).collect();
        if self.parts.metadata.update_leadership(&hints, &endpoints) {
            self.follow_metadata(now);
        }
    }

    /// Settles one batch.
    fn settle(&mut self, mut batch: Batch, answer: Answer, now: Time) {
        let slot = batch.name.slot;
        self.release_in_flight(&batch);
        let (code, ordinal) = (answer.code, batch.name.ordinal);
        let case = self.case(&batch, &answer, now);
        if leaves_doubt(&case) {
            (batch.maybe_stored, batch.doubtful_since) = (true, now);
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.records_answered(code, answer.unsent);
        }
        if code.refreshes_metadata() || is_out_of_sequence(&case) {
            self.parts.metadata.request_update();
        }
        match verdict(&case) {
            Verdict::Ignore if is_stored(code) => {
                self.slot(slot).sequences.acknowledge(ordinal, now)
            }
            Verdict::Ignore => self.give_up(&batch),
            Verdict::Done => {
                let log_append_time_ms = log_append_time_ms(&batch, &answer);
                self.succeed(batch, answer.base_offset, log_append_time_ms, now);
            }
            Verdict::Retry => self.put_back(batch, code, now),
            Verdict::Renew => {
                self.put_back(batch, code, now);
                self.slot(slot).sequences.refuse(ordinal);
                self.fail_doubtful(slot, code, now);
            }
            Verdict::Split => self.split(batch, now),
            Verdict::Fail(persistence) => {
                self.fail_settled(batch, answer, persistence, now);
            }
        }
        if ends_producer(&case) {
            let text = code.description();
            self.stop(Error::new(code, text), now);
        }
        self.slot(slot).muted = false;
        self.evaluate(slot, now);
    }

    fn case(&self, batch: &Batch, answer: &Answer, now: Time) -> Case {
        let sequences = self.slots.get(batch.name.slot.0 as usize).map(|state| &state.sequences);
        let patience_ms = u64::from(self.settings.request_timeout_ms);
        Case {
            code: answer.code,
            records: batch.count(),
            attempts: batch.attempts,
            retries_max: self.settings.retries_max,
            expired: batch.created + self.settings.delivery_timeout <= now,
            reported: batch.promises.is_none(),
            unsent: answer.unsent,
            appended: answer.base_offset >= 0,
            maybe_stored: batch.maybe_stored,
            numbered: batch.is_numbered(),
            transactional: self.transaction.is_some(),
            given_up: self.is_given_up(batch),
            lowest: sequences.is_none_or(|known| known.is_lowest(batch.name.ordinal)),
            copies_may_come: now < batch.doubtful_since.plus_ms(patience_ms),
        }
    }

    fn fail_settled(&mut self, batch: Batch, answer: Answer, stored: Persistence, now: Time) {
        if answer.code == ErrorCode::UNKNOWN_PRODUCER_ID {
            self.slot(batch.name.slot).sequences.forgotten();
        }
        let maybe_stored = stored == Persistence::PossiblyPersisted;
        let text = match answer.text {
            Some(text) => text,
            None => answer.code.description().into(),
        };
        if answer.record_errors.is_empty() {
            self.fail(batch, answer.code, &text, maybe_stored, now);
        } else {
            let errors = answer.record_errors;
            self.fail_by_record(batch, answer.code, &text, errors, maybe_stored, now);
        }
    }

    /// The lowest batch of a partition is refused for its numbers, so what waits behind it cannot come in
    /// under its own; but what may be stored keeps its own for ever.
    fn fail_doubtful(&mut self, slot: Slot, code: ErrorCode, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        let Some(partition) = accumulator.topics.partition(slot) else { return };
        for batch in partition.take_doubtful() {
            self.fail(batch, code, code.description(), true, now);
        }
    }

    /// The batch is no longer in flight.
    pub(super) fn release_in_flight(&mut self, batch: &Batch) {
        let state = self.slot(batch.name.slot);
        if let Some(at) = state.in_flight.iter().position(|&created| created == batch.created) {
            state.in_flight.remove(at);
        }
    }

    fn put_back(&mut self, mut batch: Batch, code: ErrorCode, now: Time) {
        let slot = batch.name.slot;
        let leader = self.slot(slot).leader;
        let moved = leader.is_some() && leader != batch.last_node;
        // A new leader has done nothing to be waited for (KIP-951).
        batch.retry_at = if moved {
            now
        } else {
            let pause_ms = self.settings.retry_backoff.delay_ms(batch.attempts, &mut self.random);
            // The transaction before this one is about to be over; or, after so many tries, is not.
            let hurries =
                code == ErrorCode::CONCURRENT_TRANSACTIONS && batch.attempts < ENDING_SOON_TRIES;
            now.plus_ms(if hurries { pause_ms.min(ENDING_RETRY_MS) } else { pause_ms })
        };
        batch.attempts += 1;
        batch.last_attempt = now;
        self.slot(slot).sequences.put_back(batch.name.ordinal, batch.maybe_stored);
        self.parts.metrics.batch.records_retried.add(u64::from(batch.count()));
        if let Some(partition) = self.parts.accumulator.topics.partition(slot) {
            partition.put_back(batch);
        }
    }

    fn split(&mut self, batch: Batch, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        let (slot, ordinal) = (batch.name.slot, batch.name.ordinal);
        let Some(partition) = accumulator.topics.partition(slot) else { return };
        match split(batch, &accumulator.pool, &partition.compression, &mut self.bench) {
            Ok(parts) => {
                self.parts.metrics.batch.batches_split.increment();
                let ordinals = parts.iter().map(|part| part.name.ordinal);
                self.slot(slot).sequences.split(ordinal, ordinals);
                partition.put_back_parts(parts);
            }
            Err(SplitFailure::NotNow(batch)) => {
                self.put_back(*batch, ErrorCode::MESSAGE_TOO_LARGE, now);
            }
            Err(SplitFailure::Impossible(batch)) => {
                let text: Arc<str> =
                    "the broker finds the batch too large, and it cannot be split".into();
                let maybe_stored = batch.maybe_stored;
                self.fail(*batch, ErrorCode::MESSAGE_TOO_LARGE, &text, maybe_stored, now);
            }
        }
    }
}

/// Brokers give the largest timestamp of a repeated batch as its append time, also where records keep their
/// own (Kafka's `UnifiedLog.append`): what is our own is none.
fn log_append_time_ms(batch: &Batch, answer: &Answer) -> i64 {
    let own = batch.summary.max_timestamp_ms == answer.log_append_time_ms;
    if batch.maybe_stored && own {
        return -1;
    }
    answer.log_append_time_ms
}

/// Index of this topic and partition among the sorted keys: at `guess`, or by binary search.
fn find(keys: &[(u32, i32)], guess: usize, key: Option<(u32, i32)>) -> Option<usize> {
    let key = key?;
    if keys.get(guess) == Some(&key) {
        return Some(guess);
    }
    keys.binary_search(&key).ok()
}

fn explain(failure: &RequestFailure, node: NodeId, after_ms: u128) -> (ErrorCode, String, bool) {
    match failure {
        RequestFailure::Disconnected { cause, written } => {
            let text = format!(
                "the connection to broker {node} ended {after_ms} ms after the request was sent \
                 and before it was answered: {cause}"
            );
            (ErrorCode::TRANSPORT, text, !written)
        }
        RequestFailure::TimedOut { written: true } => {
            let text = format!("broker {node} did not answer the request within {after_ms} ms");
            (ErrorCode::TIMED_OUT, text, false)
        }
        RequestFailure::TimedOut { written: false } => {
            let text = format!("broker {node} did not take the whole request within {after_ms} ms");
            (ErrorCode::TIMED_OUT, text, true)
        }
        RequestFailure::UnsupportedVersion => {
            let text = format!("broker {node} speaks no version of Produce that ottla speaks");
            (ErrorCode::UNSUPPORTED_VERSION, text, true)
        }
    }
}
