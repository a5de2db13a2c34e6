//! Once and in order, whatever the network does: the verdict and the sequence of one partition against a
//! broker of Kafka's rules, with connections that end and whose requests are carried out later all the
//! same. Knows no request and no byte; those come in with the pair tests and the simulator.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use crate::delivery::Persistence;
use crate::error::ErrorCode;
use crate::record::ProducerIdentity;
use crate::sender::verdict::{is_stored, leaves_doubt, verdict, Case, Verdict};
use crate::time::Time;
use crate::txn::sequences::{First, Gate, Sequences, Taken, OUTSTANDING_MAX};
use crate::txn::ProducerId;

/// What a broker keeps of a producer: epoch and the first and last numbers of its last five batches.
#[derive(Clone, Default)]
struct Known {
    epoch: i16,
    last: VecDeque<(i32, i32)>,
}

#[derive(Default)]
struct Broker {
    log: Vec<u64>,
    /// Logs of the topic's earlier lives.
    old_logs: Vec<Vec<u64>>,
    known: BTreeMap<i64, Known>,
    /// Before 2.5 an unknown producer may only begin at 0.
    old: bool,
}

impl Broker {
    /// Kafka's `ProducerAppendInfo` and `ProducerStateEntry`.
    fn append(&mut self, sent: &Sent) -> ErrorCode {
        if sent.life != self.old_logs.len() {
            return ErrorCode::UNKNOWN_TOPIC_ID;
        }
        let ProducerIdentity { producer_id, producer_epoch, base_sequence, .. } = sent.identity;
        let numbers = (base_sequence, sent.identity.after(sent.count - 1).base_sequence);
        let known = self.known.get(&producer_id).cloned();
        match &known {
            Some(known) if producer_epoch < known.epoch => {
                return ErrorCode::INVALID_PRODUCER_EPOCH;
            }
            Some(known) if producer_epoch == known.epoch => {
                if known.last.contains(&numbers) {
                    return ErrorCode::NONE;
                }
                let next = known.last.back().map(|&(_, last)| last.wrapping_add(1) & i32::MAX);
                if next != Some(base_sequence) {
                    return ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER;
                }
            }
            Some(_) if base_sequence != 0 => return ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            None if self.old && base_sequence != 0 => return ErrorCode::UNKNOWN_PRODUCER_ID,
            Some(_) | None => {}
        }
        let same = known.filter(|known| known.epoch == producer_epoch);
        let mut known = same.unwrap_or(Known { epoch: producer_epoch, last: VecDeque::new() });
        known.last.push_back(numbers);
        if known.last.len() > OUTSTANDING_MAX {
            known.last.pop_front();
        }
        self.known.insert(producer_id, known);
        self.log.extend(sent.ordinal..sent.ordinal + u64::from(sent.count));
        ErrorCode::NONE
    }
}

/// One attempt on its way to the broker.
#[derive(Clone, Debug)]
struct Sent {
    ordinal: u64,
    count: u32,
    identity: ProducerIdentity,
    /// Of which life of the topic the request speaks (KIP-516).
    life: usize,
}

#[derive(Clone, Debug)]
struct Queued {
    ordinal: u64,
    count: u32,
    identity: Option<ProducerIdentity>,
    maybe_stored: bool,
    doubtful_since: Time,
    reported: bool,
}

/// How a request that reached the broker ends there.
#[derive(Copy, Clone, Debug)]
enum Mood {
    Takes,
    /// The record is not to the broker's liking.
    Refuses,
    TooLarge,
    NotLeader,
    /// It takes the batch, and then says that it could not.
    TakesAndFails,
}

#[derive(Clone, Debug)]
enum Step {
    Append(u32),
    Send,
    /// The oldest request on a connection, old or present, reaches the broker.
    Reach(usize, Mood),
    /// The oldest answer on the present connection comes back.
    Answer,
    /// The present connection ends; what is on it may still reach the broker.
    Lose,
    /// The present connection ends and nothing that has not reached the broker ever will.
    Cut,
    /// What is queued or in flight runs out of time.
    Expire(usize),
    /// So much time passes that no lost request will reach the broker any more, they say.
    Wait,
    /// The broker forgets the producer, which has nothing under way.
    Forget,
    /// The topic is deleted and made again, and the client may be told at once.
    Recreate(bool),
    /// Metadata tells the client of the topic's present life.
    Learn,
}

const PATIENCE: Duration = Duration::from_millis(1);
/// After so long a silence brokers forget producers.
const SILENCE: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct World {
    broker: Broker,
    sequences: Sequences,
    newest: Option<ProducerId>,
    queue: VecDeque<Queued>,
    /// In the order of sending; all on the present connection.
    in_flight: VecDeque<Queued>,
    /// Requests on their way, by connection; the last is the present one.
    ways: Vec<VecDeque<Sent>>,
    answers: VecDeque<(ErrorCode, bool)>,
    next_ordinal: u64,
    /// The life of the topic that the client knows.
    life: usize,
    now: Time,
    stored: BTreeSet<u64>,
    not_stored: BTreeSet<u64>,
    possibly: BTreeSet<u64>,
}

impl World {
    fn new(old: bool, start: i32) -> World {
        let mut world = World { newest: Some(ProducerId { id: 1, epoch: 0 }), ..World::default() };
        world.broker.old = old;
        world.ways.push(VecDeque::new());
        world.now = Time::from_ms(10);
        world.sequences.start_at(start);
        if start > 0 {
            // The broker has seen what came before.
            let known = Known { epoch: 0, last: [(start - 1, start - 1)].into() };
            world.broker.known.insert(1, known);
        }
        world
    }

    fn first(&self) -> Option<First> {
        let head = self.queue.front()?;
        Some(First { ordinal: head.ordinal, numbered: head.identity.is_some() })
    }

    fn send(&mut self) -> bool {
        let Some(first) = self.first() else { return false };
        let room = self.in_flight.len() < OUTSTANDING_MAX;
        if !room || self.sequences.gate(&first, self.newest) != Gate::Open {
            return false;
        }
        let Some(mut batch) = self.queue.pop_front() else { return false };
        match self
            .sequences
            .take(&first, batch.count, self.newest, self.now)
            .expect("the gate is open")
        {
            Taken::Kept => {}
            Taken::Given(identity) => batch.identity = Some(identity),
            Taken::Renewed(identity) => {
                assert!(!batch.maybe_stored, "law 1: {batch:?}");
                batch.identity = Some(identity);
                for queued in &mut self.queue {
                    assert!(!queued.maybe_stored || queued.identity.is_none(), "law 1: {queued:?}");
                    queued.identity = None;
                }
            }
        }
        let identity = batch.identity.unwrap();
        let (ordinal, count, life) = (batch.ordinal, batch.count, self.life);
        let sent = Sent { ordinal, count, identity, life };
        self.ways.last_mut().unwrap().push_back(sent);
        self.in_flight.push_back(batch);
        true
    }

    fn reach(&mut self, way: usize, mood: Mood) -> bool {
        let way = way % self.ways.len();
        let Some(sent) = self.ways[way].pop_front() else { return false };
        let answer = match mood {
            Mood::Takes => (self.broker.append(&sent), false),
            Mood::Refuses => (ErrorCode::INVALID_RECORD, false),
            Mood::TooLarge => (ErrorCode::MESSAGE_TOO_LARGE, false),
            Mood::NotLeader => (ErrorCode::NOT_LEADER_OR_FOLLOWER, false),
            Mood::TakesAndFails => match self.broker.append(&sent) {
                ErrorCode::NONE => (ErrorCode::NOT_LEADER_OR_FOLLOWER, true),
                code => (code, false),
            },
        };
        if way + 1 == self.ways.len() {
            self.answers.push_back(answer);
        }
        true
    }

    fn lose(&mut self) {
        self.answers.clear();
        self.ways.push(VecDeque::new());
        for batch in std::mem::take(&mut self.in_flight) {
            self.settle(batch, ErrorCode::TRANSPORT, false);
        }
    }

    fn settle(&mut self, mut batch: Queued, code: ErrorCode, appended: bool) {
        let case = Case {
            code,
            records: batch.count,
            attempts: 0,
            retries_max: u32::MAX,
            expired: false,
            reported: batch.reported,
            unsent: false,
            appended,
            maybe_stored: batch.maybe_stored,
            transactional: false,
            given_up: false,
            numbered: true,
            lowest: self.sequences.is_lowest(batch.ordinal),
            copies_may_come: self.now < batch.doubtful_since + PATIENCE,
        };
        if leaves_doubt(&case) {
            (batch.maybe_stored, batch.doubtful_since) = (true, self.now);
        }
        let ordinal = batch.ordinal;
        match verdict(&case) {
            Verdict::Ignore if is_stored(code) => self.sequences.acknowledge(ordinal, self.now),
            Verdict::Ignore => self.sequences.give_up(ordinal, !batch.maybe_stored),
            Verdict::Done => {
                self.sequences.acknowledge(ordinal, self.now);
                self.stored.extend(ordinal..ordinal + u64::from(batch.count));
            }
            Verdict::Retry => self.put_back(batch),
            Verdict::Renew => {
                self.put_back(batch);
                self.sequences.refuse(ordinal);
                let all = std::mem::take(&mut self.queue);
                for batch in all {
                    match batch.identity.is_some() && batch.maybe_stored {
                        true => self.fail(batch, Persistence::PossiblyPersisted),
                        false => self.queue.push_back(batch),
                    }
                }
            }
            Verdict::Split => self.split(batch),
            Verdict::Fail(persistence) => self.fail(batch, persistence),
        }
    }

    fn put_back(&mut self, batch: Queued) {
        self.sequences.put_back(batch.ordinal, batch.maybe_stored);
        let at = self.queue.partition_point(|other| other.ordinal < batch.ordinal);
        self.queue.insert(at, batch);
    }

    fn split(&mut self, batch: Queued) {
        let half = batch.count / 2;
        let second = batch.ordinal + u64::from(half);
        self.sequences.split(batch.ordinal, [batch.ordinal, second].into_iter());
        let identity = batch.identity.map(|identity| identity.after(half));
        let rest = Queued { ordinal: second, count: batch.count - half, identity, ..batch.clone() };
        for part in [Queued { count: half, ..batch }, rest] {
            let at = self.queue.partition_point(|other| other.ordinal < part.ordinal);
            self.queue.insert(at, part);
        }
    }

    fn fail(&mut self, batch: Queued, persistence: Persistence) {
        self.sequences.give_up(batch.ordinal, !batch.maybe_stored);
        self.report(&batch, persistence);
    }

    fn report(&mut self, batch: &Queued, persistence: Persistence) {
        let records = batch.ordinal..batch.ordinal + u64::from(batch.count);
        match persistence {
            Persistence::NotPersisted => self.not_stored.extend(records),
            _ => self.possibly.extend(records),
        }
    }

    fn expire(&mut self, which: usize) {
        let queued = self.queue.len();
        if which < queued {
            let Some(batch) = self.queue.remove(which) else { return };
            let persistence = match batch.maybe_stored {
                true => Persistence::PossiblyPersisted,
                false => Persistence::NotPersisted,
            };
            self.fail(batch, persistence);
        } else if let Some(batch) = self.in_flight.get_mut(which - queued) {
            if !batch.reported {
                batch.reported = true;
                let batch = batch.clone();
                self.report(&batch, Persistence::PossiblyPersisted);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Append(count) => {
                self.queue.push_back(Queued {
                    ordinal: self.next_ordinal,
                    count,
                    identity: None,
                    maybe_stored: false,
                    doubtful_since: Time::ZERO,
                    reported: false,
                });
                self.next_ordinal += u64::from(count);
            }
            Step::Send => {
                self.send();
            }
            Step::Reach(way, mood) => {
                self.reach(way, mood);
            }
            Step::Answer => self.answer(),
            Step::Lose => self.lose(),
            Step::Cut => {
                self.ways.last_mut().unwrap().clear();
                self.lose();
            }
            Step::Expire(which) => self.expire(which),
            Step::Wait => self.now = self.now + PATIENCE,
            Step::Forget => {
                let waits = self.queue.iter().any(|batch| batch.identity.is_some());
                let travels = self.ways.iter().any(|way| !way.is_empty());
                if !waits && !travels && self.in_flight.is_empty() {
                    self.broker.known.clear();
                    self.now = self.now + SILENCE;
                }
            }
            Step::Recreate(told) => {
                self.recreate();
                if told {
                    self.learn();
                }
            }
            Step::Learn => self.learn(),
        }
        self.check_log();
    }

    /// Brokers that know no ids are blind to it, as when they forget a producer under way.
    fn recreate(&mut self) {
        if !self.broker.old {
            let log = std::mem::take(&mut self.broker.log);
            self.broker.old_logs.push(log);
            self.broker.known.clear();
        }
    }

    fn learn(&mut self) {
        let life = self.broker.old_logs.len();
        if std::mem::replace(&mut self.life, life) != life {
            self.sequences.begin_log();
        }
    }

    fn answer(&mut self) {
        if let Some((code, appended)) = self.answers.pop_front() {
            let batch = self.in_flight.pop_front().expect("an answer for each request");
            self.settle(batch, code, appended);
        }
    }

    fn check_log(&self) {
        let logs = || self.broker.old_logs.iter().chain([&self.broker.log]);
        for log in logs() {
            let once: BTreeSet<&u64> = log.iter().collect();
            assert_eq!(once.len(), log.len(), "a record is in the log twice: {log:?}");
            // Of a record whose fate is not known nothing is promised, so neither is its place.
            let certain = log.iter().filter(|record| !self.possibly.contains(record));
            assert!(certain.is_sorted(), "the log is not in order: {log:?}");
        }
        let is_there = |record: &u64| logs().any(|log| log.contains(record));
        assert!(self.stored.iter().all(is_there), "stored, but not in the log");
        assert!(!self.not_stored.iter().any(is_there), "not stored, but there");
    }

    /// No more trouble: everything comes to its end, and nothing that was lost on the way breaks it.
    fn heal(&mut self) {
        self.learn();
        for _ in 0..10_000 {
            let sent = self.send();
            let reached = self.reach(self.ways.len() - 1, Mood::Takes);
            let answered = !self.answers.is_empty();
            self.answer();
            if !sent && !reached && !answered {
                break;
            }
            self.now = self.now + PATIENCE;
        }
        assert!(self.queue.is_empty() && self.in_flight.is_empty(), "it does not come to an end");
        for way in 0..self.ways.len() {
            while self.reach(way, Mood::Takes) {
                self.check_log();
            }
        }
        let reported = self.stored.len() + self.not_stored.len() + self.possibly.len();
        assert_eq!(reported as u64, self.next_ordinal, "each record is reported once");
    }
}

fn moods() -> impl Strategy<Value = Mood> {
    prop_oneof![
        8 => Just(Mood::Takes),
        1 => Just(Mood::Refuses),
        1 => Just(Mood::TooLarge),
        1 => Just(Mood::NotLeader),
        1 => Just(Mood::TakesAndFails),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u32..4).prop_map(Step::Append),
        12 => Just(Step::Send),
        10 => (0usize..4, moods()).prop_map(|(way, mood)| Step::Reach(way, mood)),
        10 => Just(Step::Answer),
        2 => Just(Step::Lose),
        1 => Just(Step::Cut),
        2 => (0usize..6).prop_map(Step::Expire),
        1 => Just(Step::Wait),
        1 => Just(Step::Forget),
        2 => any::<bool>().prop_map(Step::Recreate),
        1 => Just(Step::Learn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn each_record_is_in_the_log_once_and_in_order(
        old in any::<bool>(),
        start in prop_oneof![Just(0), (0..20i32).prop_map(|less| i32::MAX - less)],
        steps in proptest::collection::vec(steps(), 1..150),
    ) {
        let mut world = World::new(old, start);
        for step in &steps {
            world.step(step);
        }
        world.heal();
    }
}
