//! The application of the simulated world: sends records of all kinds, flushes, purges, takes reports and
//! closes, and writes down what it was told. It never waits, as there is only one thread.

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;

use crate::accumulator::inbox::Command;
use crate::accumulator::Accumulator;
use crate::delivery::Report;
use crate::error::Error;
use crate::producer::intercept::{Interceptor, OwnedRecord};
use crate::producer::{Hooks, Outgoing, Producer, Purge, TopicId, Wait, ANY_PARTITION};
use crate::record::{Header, Record};
use crate::sim::ledger::{Content, Ledger, Sent};
use crate::sim::options::{chance, pick, Options};
use crate::sim::oracle;
use crate::sim::transactions::{Stand, Transactor};
use crate::sim::world::{Event, World};
use crate::time::{Clock, Time};

/// What the custom partitioner answers to refuse a record.
const REFUSED: i32 = -7;

/// The application.
pub(super) struct Application {
    pub(super) rng: Rng,
    pub(super) producer: Option<Rc<Producer>>,
    pub(super) accumulator: Option<Arc<Accumulator>>,
    /// Producer's id of each topic of the plan.
    pub(super) topics: Vec<TopicId>,
    pub(super) closed: bool,
    pub(super) purged: bool,
    left: usize,
    pub(super) transactor: Transactor,
    /// Tokens that an interceptor saw acknowledged, if there is one.
    pub(super) acknowledged: Option<Arc<Mutex<Vec<u64>>>>,
}

/// Adds a header to each record, and remembers acknowledgements.
struct Witness {
    acknowledged: Arc<Mutex<Vec<u64>>>,
}

impl Interceptor for Witness {
    fn on_send(&self, _topic: &str, record: &mut OwnedRecord) {
        record.headers.push(witness_header());
    }

    fn on_acknowledgement(&self, report: &Report) {
        let mut seen = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend_from_slice(&report.tokens);
    }
}

fn witness_header() -> (String, Option<Vec<u8>>) {
    ("witness".to_owned(), Some(b"sim".to_vec()))
}

/// A record that is about to be sent.
struct Draft {
    token: u64,
    topic: usize,
    partition: i32,
    given_ms: i64,
    content: Content,
    /// No other is like it.
    unique: bool,
    probe: bool,
}

impl Draft {
    fn headers(&self) -> Vec<Header<'_>> {
        let headers = self.content.headers.iter();
        headers.map(|(key, value)| Header { key, value: value.as_deref() }).collect()
    }

    fn record<'a>(&'a self, headers: &'a [Header<'a>]) -> Record<'a> {
        let (key, value) = (self.content.key.as_deref(), self.content.value.as_deref());
        Record { timestamp_ms: self.given_ms, key, value, headers }
    }
}

/// Where the custom partitioner puts a record.
fn own_partition(record: &Record<'_>, count: u32) -> i32 {
    let bytes = record.value.map_or(3, <[u8]>::len) + record.key.map_or(5, <[u8]>::len);
    match bytes % 13 {
        12 => REFUSED,
        place => (place as u32 % count) as i32,
    }
}

impl Application {
    /// An application that has not begun.
    pub(super) fn new(options: &Options) -> Application {
        Application {
            rng: Rng::with_seed(options.seed ^ 14),
            producer: None,
            accumulator: None,
            topics: Vec::new(),
            closed: false,
            purged: false,
            left: options.workload.records,
            transactor: Transactor::new(options),
            acknowledged: options.workload.intercepts.then(Arc::default),
        }
    }

    /// What the producer is built with besides its settings.
    pub(super) fn hooks(&self, options: &Options) -> Hooks {
        let mut hooks = Hooks { door: Some(crate::delivery::Door::Poll), ..Hooks::default() };
        if let Some(acknowledged) = &self.acknowledged {
            hooks.interceptors.push(Box::new(Witness { acknowledged: acknowledged.clone() }));
        }
        if options.workload.partitions_itself {
            hooks.partitioner = Some(Box::new(|_, record, count| own_partition(record, count)));
        }
        hooks
    }
}

impl World {
    /// The application does something, and plans to do more.
    pub(super) fn application_step(&mut self) {
        if self.application.closed || self.healed {
            return;
        }
        let plan = self.options.workload.clone();
        let share = self.options.safety_ms * 1_000_000 / (plan.records as u64 + 1);
        if !self.prepare_to_send() {
            let pause = self.application.rng.u64(0..=2 * share);
            return self.at(self.now() + Duration::from_nanos(pause), Event::Step);
        }
        let rng = &mut self.application.rng;
        let burst = rng.usize(1..=plan.burst_max).min(self.application.left);
        let (flushes, purges) = (chance(rng, plan.flushes), chance(rng, plan.purges));
        let mut pause = rng.u64(0..=2 * share * burst.max(1) as u64 * 9 / 10);
        let half = plan.records / 2;
        if self.application.left >= half && self.application.left - burst < half {
            pause += plan.silence_ms * 1_000_000;
        }
        if chance(&mut self.application.rng, plan.batches) {
            self.send_batch(burst);
        } else {
            (0..burst).for_each(|_| self.send_one(false));
        }
        self.application.left -= burst;
        self.go_on_with_transaction();
        if flushes {
            self.begin_flush();
        }
        if purges {
            self.purge();
        }
        if !plan.polls_eagerly {
            let most = self.application.rng.usize(..40);
            self.take_reports(most);
        }
        if let Some(producer) = &self.application.producer {
            // Questions must not disturb.
            let outstanding = producer.outstanding_records();
            self.trace.note(self.clock.now(), "step", &[outstanding as u64]);
        }
        let at = self.now() + Duration::from_nanos(pause);
        self.at(at, Event::Step);
    }

    fn begin_flush(&mut self) {
        let Some(accumulator) = &self.application.accumulator else { return };
        let epoch = accumulator.delivery.outstanding().begin_flush();
        accumulator.inbox.send(Command::Flush(epoch), Time::ZERO);
        self.ledger.flushes.push((epoch, self.ledger.sent.len()));
        self.trace.note(self.now(), "flush", &[epoch]);
    }

    fn purge(&mut self) {
        let all = [Purge::Queued, Purge::InFlight, Purge::All];
        let what = pick(&mut self.application.rng, &all);
        self.trace.note(self.now(), "purge", &[what as u64]);
        self.application.purged = true;
        let purged = self.application.producer.as_ref().map(|producer| producer.purge(what));
        // A producer that has failed for good does nothing any more.
        let may_fail = self.options.may_lack_idempotence() || self.options.transactions.is_some();
        let refused = purged.and_then(Result::err);
        if let Some(error) = refused.filter(|error| !(may_fail && error.is_fatal())) {
            self.fail(format!("purge was refused: {error}"));
        }
    }

    /// One record to each topic that exists: these must get through.
    pub(super) fn probe(&mut self) {
        if self.options.transactions.is_some() {
            return self.finish_transactions();
        }
        self.probe_topics();
        self.begin_flush();
    }

    pub(super) fn probe_topics(&mut self) {
        for topic in 0..self.options.topics.len() {
            if self.cluster.partition_count(&self.options.topics[topic].name).is_ok() {
                self.send_to_topic(topic, true);
            }
        }
    }

    /// The application closes the producer.
    pub(super) fn close_producer(&mut self, patience_ms: u64) {
        self.application.closed = true;
        self.trace.note(self.now(), "close producer", &[patience_ms]);
        if let Some(producer) = &self.application.producer {
            producer.begin_close(Duration::from_millis(patience_ms));
        }
        self.send_one(false);
        let late = Duration::from_micros(self.network.oversleep_us) + Duration::from_millis(2);
        let at = self.now().plus_ms(patience_ms) + late;
        self.at(at, Event::Overdue);
    }

    fn send_one(&mut self, probe: bool) {
        let topic = self.application.rng.usize(..self.options.topics.len());
        self.send_to_topic(topic, probe);
    }

    fn send_to_topic(&mut self, topic: usize, probe: bool) {
        if self.takes_records() {
            let draft = self.draft(topic, self.ledger.next_token(), probe);
            self.send(vec![draft], false);
        }
    }

    /// Sends so many records in one call.
    fn send_batch(&mut self, count: usize) {
        let first = self.ledger.next_token();
        let draft = |nth| {
            let topic = self.application.rng.usize(..self.options.topics.len());
            self.draft(topic, first + nth, false)
        };
        let drafts = (0..count as u64).map(draft).collect();
        self.send(drafts, true);
    }

    fn draft(&mut self, topic: usize, token: u64, probe: bool) -> Draft {
        let (content, unique) = self.draw_content(token, probe);
        let plan = &self.options.workload;
        let rng = &mut self.application.rng;
        let partition = match !probe && chance(rng, plan.explicit) {
            true => rng.i32(0..=self.options.topics[topic].partitions as i32),
            false => ANY_PARTITION,
        };
        let given_ms = match rng.u32(..4) {
            0 => 0,
            1 => 1_600_000_000_000 + rng.i64(0..100_000_000_000),
            _ => -1,
        };
        Draft { token, topic, partition, given_ms, content, unique, probe }
    }

    fn send(&mut self, drafts: Vec<Draft>, in_one_call: bool) {
        let Some(producer) = self.application.producer.clone() else { return };
        let mut results: Vec<Result<(), Error>> = drafts.iter().map(|_| Ok(())).collect();
        let headers: Vec<Vec<Header<'_>>> = drafts.iter().map(Draft::headers).collect();
        let topics = &self.application.topics;
        let outgoing = drafts.iter().zip(&headers).map(|(draft, headers)| Outgoing {
            topic: topics[draft.topic],
            partition: draft.partition,
            record: draft.record(headers),
            token: draft.token,
        });
        let mut outgoing: Vec<Outgoing<'_>> = outgoing.collect();
        if in_one_call {
            let refused = &mut |index: usize, error| {
                results[index] = Err(error);
                true
            };
            producer.send_batch_tokens(&mut outgoing, Wait::Never, refused);
        } else {
            for (one, result) in outgoing.iter().zip(&mut results) {
                let Outgoing { topic, partition, record, token } = one;
                *result = producer.send_token(*topic, *partition, record, *token, Wait::Never);
            }
        }
        drop(headers);
        for (draft, result) in drafts.into_iter().zip(results) {
            self.note_sent(draft, result);
        }
    }

    fn note_sent(&mut self, draft: Draft, result: Result<(), Error>) {
        let Draft { token, topic, partition, given_ms, mut content, unique, probe } = draft;
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let bytes = length(&content.key) + length(&content.value);
        if self.options.workload.intercepts {
            content.headers.push(witness_header());
        }
        let with_headers = !content.headers.is_empty();
        let headers = match self.options.loses_headers() {
            true => std::mem::take(&mut content.headers),
            false => content.headers.clone(),
        };
        let code = result.as_ref().err().map_or(0, |error| error.code().value());
        self.trace.note(self.now(), "send", &[token, topic as u64, bytes as u64, code as u64]);
        self.ledger.accepted += usize::from(result.is_ok());
        self.ledger.sent.push(Sent {
            topic,
            partition,
            content,
            headers,
            timestamp_ms: if given_ms < 0 { self.clock.wall_ms() } else { given_ms },
            at: self.now(),
            accepted: result.is_ok(),
            unique,
            probe,
            transaction: self.ledger.transactions.len().checked_sub(1),
            fate: None,
        });
        let Err(error) = result else { return };
        let judged = oracle::reports::refusal(self, &error, (bytes, with_headers));
        self.check(judged.map_err(|why| format!("send of {token} was refused ({error}): {why}")));
        let inside = self.application.transactor.stand == Stand::Inside;
        if inside && (error.is_abortable() || error.is_fatal()) {
            self.fall(&error);
        }
    }

    /// Whether the application has no reason not to send: records outside of transactions are refused.
    fn takes_records(&self) -> bool {
        let inside = self.application.transactor.stand == Stand::Inside;
        self.options.transactions.is_none() || inside || self.application.closed
    }

    /// A record, and whether no other is like it.
    fn draw_content(&mut self, token: u64, probe: bool) -> (Content, bool) {
        let fragile = self.options.loses_headers();
        let alike = self.options.transactions.is_none();
        let plan = &self.options.workload;
        let rng = &mut self.application.rng;
        let key = chance(rng, plan.keyed).then(|| match rng.u32(..10) {
            0 => Vec::new(),
            which => format!("key-{which}").into_bytes(),
        });
        let mark = token.to_be_bytes();
        let anonymous = alike && !probe && chance(rng, 150);
        let length = match rng.u32(..10) {
            _ if probe => 10,
            0 => 0,
            1 => plan.value_max_bytes,
            _ => rng.usize(..=plan.value_max_bytes),
        };
        let mut value: Option<Vec<u8>> = Some((0..length).map(|at| at as u8).collect());
        if length == 0 && rng.bool() {
            value = None;
        }
        let mut headers = Vec::new();
        if chance(rng, 200) {
            headers.push((String::new(), None));
            headers.push(("é".to_owned(), Some(Vec::new())));
        }
        match &mut value {
            _ if anonymous => {}
            Some(value) if length >= mark.len() => value[..mark.len()].copy_from_slice(&mark),
            _ => headers.push(("token".to_owned(), Some(mark.to_vec()))),
        }
        let loses_mark = fragile && headers.iter().any(|(name, _)| name == "token");
        let marked = !(anonymous || loses_mark);
        // What must get through must not be refused for them.
        if fragile && (probe || !self.options.workload.headers_to_old) {
            headers.clear();
        }
        (Content { key, value, headers }, marked)
    }

    /// Takes up to `most` reported records.
    pub(super) fn take_reports(&mut self, most: usize) {
        let Some(producer) = self.application.producer.clone() else { return };
        let now = self.now();
        let mut room = most;
        let mut taken: Vec<(Vec<u64>, Vec<crate::sim::ledger::Fate>, u32)> = Vec::new();
        let polled = producer.poll(Duration::ZERO, &mut |report, from| {
            let count = room.min(report.count() - from);
            room -= count;
            let range = from..from + count;
            let fates = range.clone().map(|index| Ledger::fate_in(report, index, now)).collect();
            taken.push((report.tokens[range].to_vec(), fates, report.topic));
            count
        });
        if let Err(error) = polled {
            self.fail(format!("poll was refused: {error}"));
        }
        for (tokens, fates, topic) in taken {
            for (token, fate) in tokens.into_iter().zip(fates) {
                let numbers = [token, fate.code.value() as u64, fate.offset as u64];
                self.trace.note(now, "report", &numbers);
                self.trace.say(now, || format!("{token}: {:?}", fate.message));
                let result = oracle::reports::take(self, token, fate, topic);
                self.check(result);
            }
        }
    }

    /// A flush that has ended means that everything sent before it can be taken.
    pub(super) fn check_flushes(&mut self) {
        let Some(accumulator) = self.application.accumulator.clone() else { return };
        let outstanding = accumulator.delivery.outstanding();
        while let Some(&(epoch, sent_before)) = self.ledger.flushes.first() {
            if !outstanding.is_flushed(epoch) {
                return;
            }
            self.ledger.flushes.remove(0);
            self.take_reports(usize::MAX);
            let open = self.ledger.open().map(|(index, _)| index).next();
            if let Some(index) = open.filter(|&index| index < sent_before) {
                let token = Ledger::token_of(index);
                self.fail(format!("flush {epoch} ended before {token} was reported"));
            }
        }
    }

    /// Whether batches were sent more than once, or cut.
    pub(super) fn sent_again(&self) -> bool {
        self.counts("record-retry-total") || self.was_split()
    }

    /// Whether batches were cut.
    pub(super) fn was_split(&self) -> bool {
        self.counts("batch-split-total")
    }

    fn counts(&self, metric: &str) -> bool {
        let Some(producer) = &self.application.producer else { return false };
        producer.metrics().get(metric).is_some_and(|value| value > 0.0)
    }
}
