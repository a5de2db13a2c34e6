//! What comes of a transactional request: the answer, judged by the table in `rules.rs`, or none.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, ErrorCode, Result};
use crate::time::Time;
use crate::txn::identity::ProducerId;
use crate::txn::messages::{read, Answer};
use crate::txn::rules::{ruling, Rpc, Ruling};
use crate::txn::state::Step;
use crate::txn::transaction::{Begun, Effect, Protocol, Seat, Stage, Transaction, What};

/// At its begin a transaction may find the one before it still being finished: that takes no time worth a
/// whole pause (Java: `ADD_PARTITIONS_RETRY_BACKOFF_MS`).
pub const ENDING_RETRY_MS: u64 = 20;

/// How often an abort is tried again that may have come too early.
const EARLY_ENDS_MAX: u32 = 40;

/// How many of those go without a whole pause between them.
const EARLY_ENDS_SOON: u32 = 20;

/// The least pause between the others, however short `retry.backoff.ms` is: together they must last longer
/// than markers take.
const EARLY_END_PAUSE_MS: u64 = 500;

/// When an answer comes, and what the brokers want.
pub struct Moment<'a> {
    /// The time.
    pub now: Time,
    /// The finalized level of `transaction.version`.
    pub level: i16,
    /// Chance, for pauses.
    pub random: &'a mut fastrand::Rng,
}

impl Transaction {
    /// A request got an answer. Gives for how many milliseconds the broker wants to be left alone, too.
    ///
    /// # Errors
    /// `PROTOCOL` when it cannot be read; the request then counts as not answered.
    pub fn answered(
        &mut self,
        tag: u64,
        body: Bytes,
        moment: &mut Moment<'_>,
    ) -> Result<(Effect, i32)> {
        let lane = self.lanes.iter().position(|lane| lane.tag() == Some(tag));
        let Some(flying) = lane.and_then(|lane| self.lanes[lane].land()) else {
            return Ok((Effect::None, 0));
        };
        let (answer, throttle_ms) = match read(flying.what.rpc(), flying.version, body) {
            Ok(read) => read,
            Err(error) => {
                self.not_answered(flying.what, true, moment);
                return Err(error);
            }
        };
        let effect = match answer {
            Answer::Coordinator(found) => self.found(flying.what, found, moment),
            Answer::Identity(code, id) => self.initialized(code, id, moment),
            Answer::Partitions(rows) if flying.what == What::AddPartitions => {
                self.joined(&rows, moment)
            }
            Answer::Partitions(rows) => self.offsets_committed(&rows, moment),
            Answer::Whole(code) => self.offsets_joined(code, moment),
            Answer::End(code, next) => self.ended(flying.what, code, next, moment),
        };
        Ok((effect, throttle_ms))
    }

    /// A request got no answer. `written`: a broker may have carried it out, or may still.
    pub fn unanswered(&mut self, tag: u64, written: bool, moment: &mut Moment<'_>) {
        let lane = self.lanes.iter().position(|lane| lane.tag() == Some(tag));
        if let Some(flying) = lane.and_then(|lane| self.lanes[lane].land()) {
            self.not_answered(flying.what, written, moment);
        }
    }

    fn not_answered(&mut self, what: What, written: bool, moment: &mut Moment<'_>) {
        // A copy that is still under way must find the next transaction under another epoch (KIP-890).
        let changes = !matches!(what, What::Find(_) | What::Initialize);
        self.renew |= written && changes && self.renewable;
        if let Some(work) = self.offsets.as_mut().filter(|_| what == What::AddOffsets) {
            work.doubtful |= written;
        }
        if what == What::CommitOffsets && written {
            self.begun_by(ErrorCode::TRANSPORT);
        }
        self.again(what, written, Ruling::Seek, moment);
    }

    /// `what` is to be asked again.
    fn again(&mut self, what: What, doubtful: bool, ruling: Ruling, moment: &mut Moment<'_>) {
        if let Some(seat) = what.seat().filter(|_| ruling == Ruling::Seek) {
            self.seats[seat as usize] = None;
        }
        if what == What::AddPartitions {
            self.members.ask_again(doubtful);
            if self.is_given_up() {
                self.members.close();
            }
        }
        self.drop_abandoned();
        self.lanes[what.lane()].pause(&self.settings.backoff, moment.random, moment.now);
    }

    /// Whether nothing of the transaction is to be committed any more.
    fn is_given_up(&self) -> bool {
        let commits =
            matches!(self.stage, Stage::Drain { commit: true } | Stage::End { commit: true });
        !self.desk.state().takes_records() && !commits
    }

    /// Forgets offsets that nobody wants, unless the coordinator may know of the group: it must then be asked
    /// until it says so, because a transaction that it knows of must be ended.
    fn drop_abandoned(&mut self) {
        let gone = |work: &super::transaction::OffsetsWork| {
            work.abandoned && (work.joined || !work.doubtful)
        };
        if self.offsets.as_ref().is_some_and(gone) {
            self.offsets = None;
        }
    }

    /// Does what a ruling says that no answer has done.
    fn obey(
        &mut self,
        what: What,
        ruling: Ruling,
        error: Error,
        moment: &mut Moment<'_>,
    ) -> Effect {
        match ruling {
            Ruling::Done => return Effect::None,
            Ruling::Seek | Ruling::Retry => {
                self.again(what, false, ruling, moment);
                return Effect::None;
            }
            // The transaction is being aborted, and there is nothing else to do about it.
            Ruling::AbortIfRenewable if what == (What::End { commit: false }) => {
                self.again(what, false, Ruling::Retry, moment);
                return Effect::None;
            }
            _ => self.lanes[what.lane()].clear(),
        }
        let can_renew = self.is_renewable();
        match ruling {
            // The transaction is being aborted: there is nothing to fall back to.
            Ruling::Abort if what == (What::End { commit: false }) => Effect::Died(error),
            Ruling::Abort => self.give_up(what, error),
            Ruling::AbortIfRenewable if can_renew => {
                self.renew = true;
                self.give_up(what, error)
            }
            Ruling::Refuse if self.stage == Stage::Initialize => self.refuse(error),
            Ruling::Fence => {
                let text = format!(
                    "another producer with the transactional.id {:?} has taken over: {error}",
                    self.settings.transactional_id
                );
                self.fatal(Error::new(ErrorCode::PRODUCER_FENCED, text))
            }
            _ => self.fatal(error),
        }
    }

    fn give_up(&mut self, what: What, error: Error) -> Effect {
        let gone = match what {
            What::AddOffsets | What::CommitOffsets | What::Find(Seat::Group) => self.offsets.take(),
            _ => None,
        };
        if gone.is_some_and(|work| work.doubtful) {
            self.begun = self.begun.max(Begun::Perhaps);
        }
        Effect::Failed(error)
    }

    fn refuse(&mut self, error: Error) -> Effect {
        self.stage = Stage::Idle;
        match self.desk.advance(Step::Refuse) {
            Ok(()) => {
                self.finish_call(Err(error.into_repeatable()));
                Effect::None
            }
            Err(fault) => Effect::Died(fault),
        }
    }

    /// What was committed stays committed, also if the producer cannot go on.
    fn fatal(&mut self, error: Error) -> Effect {
        if self.stage == (Stage::Renew { committed: true }) {
            self.finish_call(Ok(()));
        }
        Effect::Died(error)
    }

    fn found(
        &mut self,
        what: What,
        found: Result<crate::metadata::Node>,
        moment: &mut Moment<'_>,
    ) -> Effect {
        let What::Find(seat) = what else { return Effect::None };
        match found {
            Ok(node) => {
                self.seats[seat as usize] = Some(node.id);
                self.lanes[what.lane()].clear();
                Effect::Found(node)
            }
            Err(error) => {
                let ruling = ruling(Rpc::Find, error.code());
                let error = error.context("FindCoordinator");
                self.obey(what, ruling, error, moment)
            }
        }
    }

    fn initialized(&mut self, code: ErrorCode, id: ProducerId, moment: &mut Moment<'_>) -> Effect {
        let code = match code {
            ErrorCode::NONE if id.id < 0 || id.epoch < 0 => ErrorCode::PROTOCOL,
            code => code,
        };
        if code != ErrorCode::NONE {
            let ruling = ruling(Rpc::Initialize, code);
            let effect = self.obey(What::Initialize, ruling, said(Rpc::Initialize, code), moment);
            if code == ErrorCode::CONCURRENT_TRANSACTIONS && self.stage != Stage::Initialize {
                self.lanes[What::Initialize.lane()].shorten(ENDING_RETRY_MS, moment.now);
            }
            return effect;
        }
        self.lanes[What::Initialize.lane()].clear();
        self.id = Some(id);
        let next = Protocol::of_level(moment.level);
        let done = match self.stage {
            Stage::Initialize => {
                (self.stage, self.protocol) = (Stage::Idle, next);
                self.desk.advance(Step::Initialized).map(|()| self.finish_call(Ok(())))
            }
            Stage::Renew { .. } => self.conclude(next),
            // The producer closes.
            _ => Ok(()),
        };
        done.map_or_else(Effect::Died, |()| Effect::Open)
    }

    fn joined(&mut self, rows: &[(Arc<str>, i32, ErrorCode)], moment: &mut Moment<'_>) -> Effect {
        let what = What::AddPartitions;
        let Some((ruling, code)) = worst(Rpc::AddPartitions, rows) else {
            let error = said(Rpc::AddPartitions, ErrorCode::PROTOCOL);
            self.settle_members(|_, _| false);
            return self.obey(what, Ruling::Abort, error, moment);
        };
        if code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION && self.is_given_up() {
            // The topic is gone, so whether the partition has joined will never be said. The end says whether
            // there is anything to end.
            self.members.ask_again(true);
            self.members.drop_waiting();
            self.begun = self.begun.max(Begun::Perhaps);
            self.lanes[what.lane()].clear();
            return Effect::None;
        }
        if matches!(ruling, Ruling::Seek | Ruling::Retry) {
            let first = self.begun == Begun::No && code == ErrorCode::CONCURRENT_TRANSACTIONS;
            let effect = self.obey(what, ruling, said(Rpc::AddPartitions, code), moment);
            if first {
                self.lanes[what.lane()].shorten(ENDING_RETRY_MS, moment.now);
            }
            return effect;
        }
        let done = |topic: &str, partition: i32| {
            rows.iter().any(|(t, p, code)| (&**t, *p, *code) == (topic, partition, ErrorCode::NONE))
        };
        if rows.iter().any(|(_, _, code)| *code == ErrorCode::NONE) {
            self.begun = Begun::Yes;
        }
        self.settle_members(done);
        if ruling == Ruling::Done {
            self.lanes[what.lane()].clear();
            return Effect::Open;
        }
        self.obey(what, ruling, refused(Rpc::AddPartitions, code, rows), moment)
    }

    /// The coordinator's last word on partitions that were to join. What it refused may have begun
    /// the transaction by an earlier request, whose answer was lost: then there is something to
    /// end.
    fn settle_members(&mut self, joined: impl Fn(&str, i32) -> bool) {
        if self.members.answered(joined) {
            self.begun = self.begun.max(Begun::Perhaps);
        }
    }

    fn offsets_joined(&mut self, code: ErrorCode, moment: &mut Moment<'_>) -> Effect {
        let what = What::AddOffsets;
        let ruling = ruling(Rpc::AddOffsets, code);
        if ruling == Ruling::Done {
            self.begun = Begun::Yes;
            self.lanes[what.lane()].clear();
            if let Some(work) = &mut self.offsets {
                work.joined = true;
            }
            self.drop_abandoned();
        }
        let first = self.begun == Begun::No && code == ErrorCode::CONCURRENT_TRANSACTIONS;
        let effect = self.obey(what, ruling, said(Rpc::AddOffsets, code), moment);
        if first {
            self.lanes[what.lane()].shorten(ENDING_RETRY_MS, moment.now);
        }
        effect
    }

    fn offsets_committed(
        &mut self,
        rows: &[(Arc<str>, i32, ErrorCode)],
        moment: &mut Moment<'_>,
    ) -> Effect {
        let what = What::CommitOffsets;
        let Some(work) = &mut self.offsets else { return Effect::None };
        for (topic, partition, code) in rows {
            if *code == ErrorCode::NONE {
                work.left.positions.remove(&(topic.clone(), *partition));
            }
        }
        let (left, call) = (!work.left.is_empty(), work.call.clone());
        rows.iter().for_each(|&(_, _, code)| self.begun_by(code));
        let (ruling, code) = match worst(Rpc::CommitOffsets, rows) {
            // It named others than it was asked for.
            None | Some((Ruling::Done, _)) if left => (Ruling::Die, ErrorCode::PROTOCOL),
            None => (Ruling::Done, ErrorCode::NONE),
            Some(worst) => worst,
        };
        if ruling == Ruling::Done {
            self.offsets = None;
            self.lanes[what.lane()].clear();
            self.desk.finish(&call, Ok(()));
            return Effect::None;
        }
        let effect = self.obey(what, ruling, refused(Rpc::CommitOffsets, code, rows), moment);
        if code == ErrorCode::CONCURRENT_TRANSACTIONS {
            self.lanes[what.lane()].shorten(ENDING_RETRY_MS, moment.now);
        }
        effect
    }

    fn ended(
        &mut self,
        what: What,
        code: ErrorCode,
        next: Option<ProducerId>,
        moment: &mut Moment<'_>,
    ) -> Effect {
        let ruling = ruling(Rpc::End, code);
        if ruling == Ruling::Fence && self.may_be_too_early(what) {
            // Until the one before it is over, a coordinator takes the end of a transaction that it does not
            // know of for that of an older producer.
            self.again(what, false, Ruling::Retry, moment);
            self.early_ends += 1;
            let lane = &mut self.lanes[what.lane()];
            if self.early_ends < EARLY_ENDS_SOON {
                lane.shorten(ENDING_RETRY_MS, moment.now);
            } else {
                lane.lengthen(EARLY_END_PAUSE_MS, moment.now);
            }
            return Effect::None;
        }
        if ruling != Ruling::Done && !self.says_nothing_began(what, code) {
            return self.obey(what, ruling, said(Rpc::End, code), moment);
        }
        self.lanes[what.lane()].clear();
        let Stage::End { commit } = self.stage else { return Effect::None };
        let protocol = Protocol::of_level(moment.level);
        if next.is_some() {
            // Nothing that is still under way can be taken for the next transaction's.
            (self.id, self.renew) = (next, false);
        } else if self.protocol == Protocol::V1 && protocol == Protocol::V2 {
            // The first transaction of the newer protocol begins with an epoch of its own: its
            // records would else join the one before where they come ahead of its marker. Brokers
            // give one by then, also if those that were asked first did not (KIP-360).
            (self.renew, self.renewable) = (true, true);
        }
        match self.wind_up(commit, protocol) {
            Ok(true) => Effect::Open,
            Ok(false) => Effect::None,
            Err(fault) => Effect::Died(fault),
        }
    }
}

impl Transaction {
    /// Whether an abort was refused because there is nothing to abort, which was in doubt. (What that error
    /// could say besides, an epoch that is over, has its own code.)
    fn says_nothing_began(&self, what: What, code: ErrorCode) -> bool {
        let doubted = self.protocol == Protocol::V1 && self.begun == Begun::Perhaps;
        doubted && what == (What::End { commit: false }) && code == ErrorCode::INVALID_TXN_STATE
    }

    /// Whether the coordinator may not know of the transaction that it was asked to abort.
    fn may_be_too_early(&self, what: What) -> bool {
        let unknown = self.protocol == Protocol::V2 && self.begun == Begun::Perhaps;
        unknown && what == (What::End { commit: false }) && self.early_ends < EARLY_ENDS_MAX
    }
}

/// The ruling that counts among those of several partitions, and its code.
fn worst(rpc: Rpc, rows: &[(Arc<str>, i32, ErrorCode)]) -> Option<(Ruling, ErrorCode)> {
    let weight = |ruling: Ruling| match ruling {
        Ruling::Done => 0,
        Ruling::Retry => 1,
        Ruling::Seek => 2,
        Ruling::Abort | Ruling::Refuse => 3,
        Ruling::AbortIfRenewable => 4,
        Ruling::Die => 5,
        Ruling::Fence => 6,
    };
    // That a partition was left out for the sake of another says nothing by itself.
    let is_left_out = |code: ErrorCode| code == ErrorCode::OPERATION_NOT_ATTEMPTED;
    let has_reason = rows.iter().any(|&(_, _, code)| code != ErrorCode::NONE && !is_left_out(code));
    let counts = |code: &ErrorCode| !has_reason || !is_left_out(*code);
    let judged = rows.iter().map(|&(_, _, code)| code).filter(counts);
    judged.map(|code| (ruling(rpc, code), code)).max_by_key(|&(ruling, _)| weight(ruling))
}

fn said(rpc: Rpc, code: ErrorCode) -> Error {
    Error::new(code, format!("{:?}: {}", rpc.api(), code.description()))
}

/// Names the partitions that were refused.
fn refused(rpc: Rpc, code: ErrorCode, rows: &[(Arc<str>, i32, ErrorCode)]) -> Error {
    let guilty = rows
        .iter()
        .filter(|(_, _, of)| *of != ErrorCode::NONE && *of != ErrorCode::OPERATION_NOT_ATTEMPTED);
    let names: Vec<String> = guilty.map(|(topic, n, of)| format!("{topic}-{n} ({of})")).collect();
    let text = format!("{:?}: {} ({})", rpc.api(), code.description(), names.join(", "));
    Error::new(code, text)
}
