//! The application's transactions: begins, sends (in `workload.rs`), sends offsets, commits or aborts, as a
//! program on one thread would, which waits in a call up to a limit, does other things, and makes the same
//! call again. Writes down what it was told. Never waits itself.

use std::time::Duration;

use fastrand::Rng;

use crate::error::{Error, ErrorCode, Result};
use crate::producer::{GroupMetadata, GroupOffset, Producer};
use crate::sim::ledger::Transaction;
use crate::sim::options::{chance, Options};
use crate::sim::oracle;
use crate::sim::transaction_plan::TRANSACTIONAL_ID;
use crate::sim::world::{Event, World};
use crate::time::Time;

/// The topic that the transactions' inputs come from, and its partitions: one for each offset.
pub(super) const INPUT: &str = "input";
const INPUT_PARTITIONS: usize = 64;
const GROUPS: usize = 3;

/// The group whose members the brokers know.
const GROUP_OF_MEMBERS: &str = "group-0";
const MEMBER: &str = "member";

/// Transactions of which one must get through once everything works: without other epochs, each topic that
/// was made again may cost one.
const PROBES: u32 = 8;

/// What the application knows of its producer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Stand {
    /// It has no id yet.
    Uninitialized,
    /// It can begin a transaction.
    Between,
    /// It takes records.
    Inside,
    /// The transaction can only be aborted.
    Failed,
    /// The producer can only be closed.
    Over,
}

/// A call that may wait.
#[derive(Clone, Debug)]
enum Call {
    Initialize,
    SendOffsets(GroupMetadata, Vec<GroupOffset>),
    Commit,
    Abort,
}

/// A call that has not been answered.
#[derive(Clone, Debug)]
struct Pending {
    call: Call,
    /// When the application gives up waiting.
    until: Time,
    /// It has given up, and makes the call again at this time.
    again_at: Option<Time>,
}

/// How far the application is with transactions.
#[derive(Debug)]
pub(super) struct Transactor {
    rng: Rng,
    pub(super) stand: Stand,
    pending: Option<Pending>,
    /// How often offsets were sent: each time others.
    offsets_sent: usize,
    /// How often what must get through was sent.
    probed: u32,
    /// Another producer has the transactional id.
    pub(super) has_rival: bool,
    /// The generation of the group with members, as the application knows it and as it is.
    generation: (i32, i32),
}

impl Transactor {
    /// One that has not begun.
    pub(super) fn new(options: &Options) -> Transactor {
        Transactor {
            rng: Rng::with_seed(options.seed ^ 15),
            stand: Stand::Uninitialized,
            pending: None,
            offsets_sent: 0,
            probed: 0,
            has_rival: false,
            generation: (1, 1),
        }
    }

    fn next_offsets(&mut self, old: bool) -> Option<(GroupMetadata, Vec<GroupOffset>)> {
        let (group, first) = (self.offsets_sent % GROUPS, self.offsets_sent / GROUPS * 2);
        if first + 1 >= INPUT_PARTITIONS {
            return None;
        }
        self.offsets_sent += 1;
        let offset = |partition| GroupOffset::new(INPUT, partition as i32, 100 + partition as i64);
        let group = match group {
            // Brokers before 2.5 know no members (KIP-447).
            0 if !old => GroupMetadata::new(GROUP_OF_MEMBERS, self.generation.0, MEMBER, None),
            _ => GroupMetadata::new(&format!("group-{group}"), -1, "", None),
        };
        Some((group.ok()?, vec![offset(first), offset(first + 1)]))
    }
}

fn make(producer: &Producer, call: &Call) -> Result<()> {
    let limit = Duration::ZERO;
    match call {
        Call::Initialize => producer.init_transactions(limit),
        Call::SendOffsets(group, offsets) => {
            producer.send_offsets_to_transaction(offsets, group, limit)
        }
        Call::Commit => producer.commit_transaction(limit),
        Call::Abort => producer.abort_transaction(limit),
    }
}

impl World {
    /// Gives the brokers what transactions need.
    pub(super) fn set_up_transactions(&mut self) {
        let Some(plan) = self.options.transactions.clone() else { return };
        self.become_generation(plan.generation);
        let cluster = &mut self.cluster;
        cluster.set_marker_delay_ms(plan.marker_delay_ms);
        cluster.set_coordinator_load_ms(plan.load_ms);
        // No other topic has the name.
        let _ = cluster.create_topic(INPUT, INPUT_PARTITIONS, self.options.replication);
        if !plan.is_old() {
            cluster.set_group_members(GROUP_OF_MEMBERS, 1, &[(MEMBER, None)]);
        }
        if let Some(epoch) = plan.epoch_before {
            cluster.set_transactional_epoch(TRANSACTIONAL_ID, epoch);
        }
        for (index, change) in plan.changes.iter().enumerate() {
            self.after_ms(change.0, Event::Generation(index));
        }
        if let Some(ms) = plan.rival_at_ms {
            self.after_ms(ms, Event::Rival);
        }
    }

    fn become_generation(&mut self, (release, level): (&'static str, i16)) {
        // The release exists.
        let _ = self.cluster.set_kafka_version(release);
        self.cluster.set_transaction_version(Some(level));
    }

    /// All brokers are another generation: they come back one after the other at once.
    pub(super) fn change_generation(&mut self, index: usize) {
        let Some(plan) = &self.options.transactions else { return };
        let generation = plan.changes[index].1;
        self.lossy = true;
        self.trace.note(self.now(), "generation", &[index as u64]);
        self.trace.say(self.now(), || format!("{generation:?}"));
        self.become_generation(generation);
        for broker in self.cluster.broker_ids() {
            let _ = self.cluster.drop_connections(broker);
        }
        self.sweep_dropped();
    }

    /// The group has another generation, of which the application learns when its offsets are refused.
    pub(super) fn rebalance(&mut self) {
        let plan = self.options.transactions.as_ref();
        if plan.is_some_and(|plan| !plan.is_old()) {
            let generation = &mut self.application.transactor.generation;
            generation.1 += 1;
            self.cluster.set_group_members(GROUP_OF_MEMBERS, generation.1, &[(MEMBER, None)]);
        }
    }

    /// Another producer wants the transactional id, and gets it once nothing is open.
    pub(super) fn rival(&mut self) {
        let now = self.now();
        self.cluster.advance(now);
        let took = self.cluster.take_over(TRANSACTIONAL_ID, now);
        self.trace.note(now, "rival", &[u64::from(took)]);
        self.application.transactor.has_rival = true;
        if !took {
            self.after_ms(50, Event::Rival);
        }
    }

    /// Whether the application may send records now; does what leads there.
    pub(super) fn prepare_to_send(&mut self) -> bool {
        if self.options.transactions.is_none() {
            return true;
        }
        let transactor = &self.application.transactor;
        if transactor.pending.is_some() {
            self.do_what_is_refused();
            return false;
        }
        match transactor.stand {
            Stand::Uninitialized => self.place(Call::Initialize),
            Stand::Between => self.begin(),
            Stand::Failed => self.place(Call::Abort),
            Stand::Inside | Stand::Over => {}
        }
        self.application.transactor.stand == Stand::Inside
    }

    /// After records were sent: more of the transaction, or its end.
    pub(super) fn go_on_with_transaction(&mut self) {
        let Some(plan) = self.options.transactions.clone() else { return };
        let transactor = &mut self.application.transactor;
        if transactor.stand != Stand::Inside || !chance(&mut transactor.rng, plan.ends) {
            return;
        }
        if chance(&mut transactor.rng, plan.aborts) {
            return self.place(Call::Abort);
        }
        if chance(&mut transactor.rng, plan.offsets) {
            if let Some((group, offsets)) = transactor.next_offsets(plan.is_old()) {
                self.ledger.note_offsets(group.group_id(), &offsets);
                return self.place(Call::SendOffsets(group, offsets));
            }
        }
        self.place(Call::Commit);
    }

    fn begin(&mut self) {
        let Some(producer) = self.application.producer.clone() else { return };
        let begun = producer.begin_transaction();
        self.note_call("begin", &begun);
        match begun {
            Ok(()) => {
                self.application.transactor.stand = Stand::Inside;
                let begun_at = self.now();
                self.ledger.transactions.push(Transaction::begun(begun_at));
            }
            Err(error) => self.fall(&error),
        }
    }

    /// While a call is not over, another one is refused and changes nothing.
    fn do_what_is_refused(&mut self) {
        let transactor = &mut self.application.transactor;
        if transactor.stand == Stand::Over || !chance(&mut transactor.rng, 300) {
            return;
        }
        let Some(producer) = self.application.producer.clone() else { return };
        let refused = producer.begin_transaction();
        self.note_call("begin", &refused);
        let fine = refused.as_ref().is_err_and(|error| {
            error.code() == ErrorCode::STATE || error.is_abortable() || error.is_fatal()
        });
        if !fine && !self.application.closed {
            self.fail(format!("begin_transaction in the middle of another call: {refused:?}"));
        }
    }

    fn place(&mut self, call: Call) {
        let Some(plan) = &self.options.transactions else { return };
        let until = self.now().plus_ms(plan.limit_ms);
        if let (Call::Commit, Some(open)) = (&call, self.ledger.transactions.last_mut()) {
            open.commit_asked = true;
        }
        self.application.transactor.pending = Some(Pending { call, until, again_at: None });
        self.look_at_call();
    }

    /// The application makes its call again, or looks whether it has ended.
    pub(super) fn look_at_call(&mut self) {
        let now = self.now();
        let Some(plan) = &self.options.transactions else { return };
        let pause_ms = plan.pause_ms;
        let limit_ms = plan.limit_ms;
        let transactor = &mut self.application.transactor;
        let Some(pending) = &mut transactor.pending else { return };
        match pending.again_at {
            Some(at) if now < at => return,
            Some(at) => (pending.until, pending.again_at) = (at.plus_ms(limit_ms), None),
            None => {}
        }
        let (call, until) = (pending.call.clone(), pending.until);
        let Some(producer) = self.application.producer.clone() else { return };
        let result = make(&producer, &call);
        let waits = result.as_ref().is_err_and(|error| error.code() == ErrorCode::TIMED_OUT);
        if !waits {
            return self.answered(&call, result);
        }
        if now >= until {
            self.give_up_waiting(&call, pause_ms);
        }
    }

    /// The call's time has run out: it is made again later, or given up for an abort.
    fn give_up_waiting(&mut self, call: &Call, pause_ms: u64) {
        let now = self.now();
        self.trace.note(now, "call timed out", &[]);
        let transactor = &mut self.application.transactor;
        if matches!(call, Call::SendOffsets(..)) && chance(&mut transactor.rng, 300) {
            transactor.pending = None;
            return self.place(Call::Abort);
        }
        // A program that never waits in a call must not ask without end.
        let at = now.plus_ms(1 + transactor.rng.u64(0..=pause_ms));
        if let Some(pending) = &mut transactor.pending {
            pending.again_at = Some(at);
        }
        self.at(at, Event::CallAgain);
    }

    fn answered(&mut self, call: &Call, result: Result<()>) {
        self.application.transactor.pending = None;
        self.note_call("answer", &result);
        self.trace.say(self.now(), || format!("{call:?}: {result:?}"));
        let open = self.ledger.transactions.last_mut();
        match (call, &result) {
            (Call::Initialize, Ok(())) => self.application.transactor.stand = Stand::Between,
            (Call::Initialize, Err(error)) if error.is_retriable() => {}
            (Call::SendOffsets(..), Ok(())) => self.place(Call::Commit),
            (Call::Commit, Ok(())) => {
                open.into_iter().for_each(|open| open.committed = true);
                self.application.transactor.stand = Stand::Between;
            }
            (Call::Abort, Ok(())) => {
                open.into_iter().for_each(|open| open.aborted = true);
                self.application.transactor.stand = Stand::Between;
            }
            (_, Err(error)) => {
                if error.code() == ErrorCode::ILLEGAL_GENERATION {
                    let generation = &mut self.application.transactor.generation;
                    generation.0 = generation.1;
                }
                self.fall(error);
            }
        }
        if self.healed {
            self.finish_transactions();
        }
    }

    /// A call or a record failed for good.
    pub(super) fn fall(&mut self, error: &Error) {
        let stand = self.application.transactor.stand;
        if self.application.closed && error.code() == ErrorCode::CLOSED {
            return self.application.transactor.stand = Stand::Over;
        }
        if error.is_fatal() {
            let judged = oracle::atomic::fatal(self, error);
            self.application.transactor.stand = Stand::Over;
            return self.check(judged);
        }
        if error.is_abortable() && stand == Stand::Inside {
            return self.application.transactor.stand = Stand::Failed;
        }
        self.fail(format!("an application that is {stand:?} is told {error:?}"));
    }

    /// Everything works: what is open comes to its end, then one transaction must get through.
    pub(super) fn finish_transactions(&mut self) {
        if self.application.closed || self.application.transactor.pending.is_some() {
            return;
        }
        let transactor = &mut self.application.transactor;
        match transactor.stand {
            Stand::Uninitialized => self.place(Call::Initialize),
            Stand::Inside if transactor.rng.bool() => self.place(Call::Commit),
            Stand::Inside | Stand::Failed => self.place(Call::Abort),
            Stand::Between if transactor.probed < PROBES && !self.ledger.has_probed() => {
                transactor.probed += 1;
                self.begin();
                self.probe_topics();
                if self.application.transactor.stand == Stand::Inside {
                    self.place(Call::Commit);
                }
            }
            Stand::Between | Stand::Over => {
                self.after_ms(10, Event::Close(self.options.delivery_timeout_ms + 1000));
            }
        }
    }

    /// After the producer's end nothing waits any more.
    pub(super) fn end_call(&mut self) {
        if let Some(pending) = &mut self.application.transactor.pending {
            pending.again_at = None;
            self.look_at_call();
        }
        if let Some(pending) = &self.application.transactor.pending {
            let text = format!("the producer has ended, and {:?} never returns", pending.call);
            self.fail(text);
        }
    }

    fn note_call(&mut self, what: &str, result: &Result<()>) {
        let code = result.as_ref().err().map_or(0, |error| error.code().value());
        self.trace.note(self.now(), what, &[code as u64]);
    }

    /// Long after the end, everything works again: no transaction is left open.
    pub(super) fn let_transactions_time_out(&mut self) {
        let Some(plan) = self.options.transactions.clone() else { return };
        self.repair();
        self.cluster.set_coordinator_load_ms(0);
        let long_after = self.now().plus_ms(plan.timeout_ms + plan.marker_delay_ms + 60_000);
        // A transaction's markers are due only after it was given up.
        for _ in 0..3 {
            self.cluster.advance(long_after);
        }
    }
}
