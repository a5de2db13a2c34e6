//! How records end: success, failure, purge, close. Each path takes the promises out of the batch, so a
//! record is reported once; the payload stays with whoever still reads it.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::accumulator::batch::Batch;
use crate::client::network::Network;
use crate::delivery::promises::{Outcome, Promises};
use crate::delivery::{Persistence, Report};
use crate::error::{Error, ErrorCode};
use crate::log::Level;
use crate::sender::Sender;
use crate::time::Time;
use crate::txn::transaction::Transaction;

impl<N: Network> Sender<N> {
    pub(super) fn succeed(
        &mut self,
        mut batch: Batch,
        base_offset: i64,
        log_append_time_ms: i64,
        now: Time,
    ) {
        self.slot(batch.name.slot).sequences.acknowledge(batch.name.ordinal, now);
        let Some(promises) = batch.promises.take() else { return };
        self.parts.metrics.batch.records_acked.add(promises.count() as u64);
        let outcome = Outcome {
            code: ErrorCode::NONE,
            message: None,
            // Without acknowledgements nobody says so, ever (librdkafka: POSSIBLY_PERSISTED, too).
            persistence: match self.settings.acks {
                0 => Persistence::PossiblyPersisted,
                _ => Persistence::Persisted,
            },
            base_offset,
            log_append_time_ms,
            latency_ns: now.since(batch.created).as_nanos() as u64,
        };
        self.report(promises, outcome);
    }

    /// Fails all records of a batch. The text gets the story of the batch added.
    pub(super) fn fail(
        &mut self,
        mut batch: Batch,
        code: ErrorCode,
        text: &str,
        maybe_stored: bool,
        now: Time,
    ) {
        self.give_up(&batch);
        self.fail_promises(&mut batch, code, text, maybe_stored, now);
    }

    pub(super) fn fail_promises(
        &mut self,
        batch: &mut Batch,
        code: ErrorCode,
        text: &str,
        maybe_stored: bool,
        now: Time,
    ) {
        let Some(promises) = batch.promises.take() else { return };
        let story = self.story(batch, now);
        let mut outcome = Outcome::failed(code, format!("{text} ({story})"), maybe_stored);
        outcome.latency_ns = now.since(batch.created).as_nanos() as u64;
        self.report(promises, outcome);
    }

    /// "topic t, partition 3: 20 records, attempt 2, 1200 ms after the first was sent"
    fn story(&self, batch: &Batch, now: Time) -> String {
        let topic = self.topic_name(batch.name.topic);
        let stage = match (batch.attempts, batch.last_node) {
            (0, None) => "never sent".to_string(),
            (attempts, Some(node)) => format!("attempt {}, last to broker {node}", attempts + 1),
            (attempts, None) => format!("attempt {}", attempts + 1),
        };
        format!(
            "topic {topic}, partition {}: {} records, {stage}, {} ms after the first was accepted",
            batch.name.partition,
            batch.count(),
            now.since(batch.created).as_millis()
        )
    }

    /// The broker refused the batch because of some of its records (KIP-467): those get the broker's
    /// words, the others are told that they suffered with them.
    pub(super) fn fail_by_record(
        &mut self,
        mut batch: Batch,
        code: ErrorCode,
        text: &str,
        errors: Vec<(i32, Option<String>)>,
        maybe_stored: bool,
        now: Time,
    ) {
        self.give_up(&batch);
        let latency_ns = now.since(batch.created).as_nanos() as u64;
        let story = self.story(&batch, now);
        let Some(mut rest) = batch.promises.take() else { return };
        let mut guilty: Vec<(usize, Option<String>)> = errors
            .into_iter()
            .filter_map(|(index, text)| Some((usize::try_from(index).ok()?, text)))
            .filter(|&(index, _)| index < rest.count())
            .collect();
        guilty.sort_unstable_by_key(|&(index, _)| index);
        guilty.dedup_by_key(|&mut (index, _)| index);
        let single = guilty.len() == 1;
        let innocent_text: Arc<str> =
            format!("sent in a batch with records that the broker refused ({story})").into();
        let mut innocent = Outcome::failed(ErrorCode::INVALID_RECORD, innocent_text, maybe_stored);
        innocent.latency_ns = latency_ns;
        let mut at = 0;
        for (index, words) in guilty {
            // `rest` begins at record `at`: cut off what stands before the refused record, then itself.
            let mut tail = rest.split_off(index - at);
            self.report_some(rest, innocent.clone());
            let after = tail.split_off(1);
            let own_code = if single { code } else { ErrorCode::INVALID_RECORD };
            let words = words.unwrap_or_else(|| text.to_string());
            let words = format!("{words} ({story})");
            let mut outcome = Outcome::failed(own_code, words, maybe_stored);
            outcome.latency_ns = latency_ns;
            self.report_some(tail, outcome);
            rest = after;
            at = index + 1;
        }
        self.report_some(rest, innocent);
    }

    fn report_some(&mut self, promises: Promises, outcome: Outcome) {
        if promises.count() > 0 {
            self.report(promises, outcome);
        }
    }

    /// Puts the report where the end of the turn takes it from.
    pub(super) fn report(&mut self, promises: Promises, outcome: Outcome) {
        let count = promises.count() as u64;
        if outcome.code != ErrorCode::NONE {
            self.parts.metrics.batch.records_failed.add(count);
            if self.transaction.is_some() && self.failure.is_none() {
                let text = outcome.message.clone().unwrap_or_default();
                self.failure = Some(Error::new(outcome.code, text.to_string()));
            }
        }
        self.parts.accumulator.count_out(count as i64);
        let report = promises.report(outcome);
        self.parts.acknowledge(&report);
        if !self.settings.report_only_errors || report.code != ErrorCode::NONE {
            self.reports.push(report);
        } else {
            self.parts.delivery.pass_over(report.count());
        }
    }

    pub(super) fn hand_over_reports(&mut self) {
        if !self.reports.is_empty() {
            let reports: Vec<Report> = self.reports.drain(..).collect();
            self.parts.delivery.deliver(reports);
        }
    }

    /// Fails what is queued, in flight, or both. What is in flight stays with its request.
    pub(super) fn purge(&mut self, queued: bool, in_flight: bool, now: Time) {
        if queued {
            let text = "purged by the application before it was sent";
            self.fail_all_queued(ErrorCode::PURGED_QUEUE, text, now);
        }
        if in_flight {
            let text = "purged by the application while in flight";
            self.fail_all_in_flight(ErrorCode::PURGED_IN_FLIGHT, text, now);
        }
    }

    fn fail_all_queued(&mut self, code: ErrorCode, text: &str, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        for topic in accumulator.topics.iter() {
            self.fail_parked(topic, code, text, Time::NEVER);
            for partition in topic.partitions().iter() {
                for batch in partition.take_all(&accumulator.pool) {
                    let maybe_stored = batch.maybe_stored;
                    self.fail(batch, code, text, maybe_stored, now);
                }
                self.evaluate(partition.slot, now);
            }
        }
    }

    fn fail_all_in_flight(&mut self, code: ErrorCode, text: &str, now: Time) {
        let mut requests = std::mem::take(&mut self.in_flight);
        for batch in requests.values_mut().flat_map(|request| &mut request.batches) {
            self.fail_in_flight(batch, code, text, now);
        }
        self.in_flight = requests;
    }

    /// Reports a batch whose request has no answer yet; it stays with the request.
    pub(super) fn fail_in_flight(
        &mut self,
        batch: &mut Batch,
        code: ErrorCode,
        text: &str,
        now: Time,
    ) {
        if batch.promises.is_some() {
            self.fail_promises(batch, code, text, true, now);
        }
    }

    /// Fails everything at once, after a fault.
    pub fn abandon(&mut self, text: &str, now: Time) {
        // First, so that no record comes in behind the last look.
        self.parts.accumulator.admission.close();
        self.fail_all_queued(ErrorCode::PANIC, text, now);
        self.fail_all_in_flight(ErrorCode::PANIC, text, now);
        self.hand_over_reports();
    }

    /// An error that no later call can get over: takes no more records and fails those that there are.
    pub(super) fn stop(&mut self, error: Error, now: Time) {
        let error = error.into_fatal();
        self.parts.log.line(Level::Error, &error);
        // The first one counts.
        let _ = self.parts.fault.set(error.clone());
        // Before the records are failed, so that none comes in behind the last look.
        self.parts.accumulator.admission.close();
        self.parts.accumulator.pool.close();
        if let Some(transaction) = &mut self.transaction {
            transaction.die(&error);
        }
        self.fail_all_queued(error.code(), error.message(), now);
        self.fail_all_in_flight(error.code(), error.message(), now);
        self.parts.accumulator.bulletin.post(|news| news.closed = true);
    }

    /// When closing: true once every record is reported. Past the deadline the rest are failed.
    pub(super) fn try_finish(&mut self, now: Time) -> bool {
        let Some(deadline) = self.closing else { return false };
        if now < deadline {
            return self.is_drained(now);
        }
        let text = "the producer was closed before the record was acknowledged";
        let failed = self.parts.metrics.batch.records_failed.get();
        self.fail_all_queued(ErrorCode::ABORTED, text, now);
        self.fail_all_in_flight(ErrorCode::ABORTED, text, now);
        let cut_off = self.parts.metrics.batch.records_failed.get() - failed;
        self.parts.accumulator.cut_off.fetch_add(cut_off as usize, Ordering::Relaxed);
        true
    }

    /// Looks at every partition itself: an append that raced with close may not have been told of yet, but
    /// none can come any more.
    fn is_drained(&mut self, now: Time) -> bool {
        let settled = self.transaction.as_ref().is_none_or(Transaction::is_settled);
        settled && self.is_idle(now) && self.is_silent()
    }

    /// Whether no record waits or is in flight.
    pub(super) fn is_idle(&mut self, now: Time) -> bool {
        if self.schedule.active() > 0 || !self.in_flight.is_empty() {
            return false;
        }
        let accumulator = self.parts.accumulator.clone();
        let slots = (0..accumulator.topics.slot_count()).map(crate::accumulator::topic::Slot);
        for slot in slots {
            self.evaluate(slot, now);
        }
        let parked = accumulator.topics.iter().any(|topic| !topic.gate.lock().is_empty());
        self.schedule.active() == 0 && !parked
    }

    /// With acks=0 the bytes of reported records may still lie in the system's buffers. It goes on sending
    /// them after the socket is closed, unless bytes of the peer were not read or come in then: to those
    /// TCP answers with a reset, and drops what was left. So no answer may be on its way.
    fn is_silent(&mut self) -> bool {
        if self.unacknowledged.is_empty() {
            return true;
        }
        self.parts.metadata.stop();
        let client = &self.parts.client;
        self.unacknowledged.keys().all(|&node| client.in_flight(node) == 0)
    }
}
