//! The sender's half of a transactional producer: what the coordinators must be asked, in which order, and
//! what the transaction is waiting for. Pure: it gives wishes and takes answers. What answers mean is in
//! `answers.rs`. Java: `TransactionManager`.
//!
//! Four lanes, each with one request at a time: the two coordinators are looked up beside each other, and
//! partitions join (until KIP-890) beside whatever else is asked, so that no offset commit holds up
//! records. The last lane has the rest, in this order: an id; offsets; the end; the next epoch.

use std::sync::Arc;

use bytes::Bytes;

use crate::backoff::ExponentialBackoff;
use crate::error::{Error, ErrorCode, Result};
use crate::metadata::{Node, NodeId};
use crate::protocol::ApiKey;
use crate::time::Time;
use crate::txn::desk::{Ask, Call, Desk};
use crate::txn::group::GroupOffsets;
use crate::txn::identity::ProducerId;
use crate::txn::lane::{Flying, Lane};
use crate::txn::members::Members;
use crate::txn::messages::{self, Envelope, Signature};
use crate::txn::rules::Rpc;
use crate::txn::state::{State, Step};

/// Settings of transactions.
#[derive(Clone, Debug)]
pub struct TransactionSettings {
    /// `transactional.id`.
    pub transactional_id: String,
    /// `transaction.timeout.ms`.
    pub timeout_ms: i32,
    /// `retry.backoff.ms` and its maximum.
    pub backoff: ExponentialBackoff,
}

/// How the brokers do transactions.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Partitions join by request, an epoch spans transactions.
    V1,
    /// Partitions join with their first records, each transaction has its own epoch (KIP-890).
    V2,
}

impl Protocol {
    /// What the finalized level of the brokers' feature `transaction.version` asks for.
    pub fn of_level(level: i16) -> Protocol {
        if level >= 2 {
            Protocol::V2
        } else {
            Protocol::V1
        }
    }
}

/// A coordinator that somebody must be.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Seat {
    /// Of the transactional id.
    Transaction,
    /// Of the consumer group.
    Group,
}

/// What is to be asked.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Who has a seat.
    Find(Seat),
    /// The producer's id, or its next epoch.
    Initialize,
    /// That partitions join.
    AddPartitions,
    /// That a group's offsets join.
    AddOffsets,
    /// That offsets are committed with the transaction.
    CommitOffsets,
    /// That the transaction ends.
    End {
        /// Its records are to be seen.
        commit: bool,
    },
}

impl What {
    /// The request that asks it.
    pub fn rpc(self) -> Rpc {
        match self {
            What::Find(_) => Rpc::Find,
            What::Initialize => Rpc::Initialize,
            What::AddPartitions => Rpc::AddPartitions,
            What::AddOffsets => Rpc::AddOffsets,
            What::CommitOffsets => Rpc::CommitOffsets,
            What::End { .. } => Rpc::End,
        }
    }

    /// Whose answer it wants; `None`: anybody's.
    pub(super) fn seat(self) -> Option<Seat> {
        match self {
            What::Find(_) => None,
            What::CommitOffsets => Some(Seat::Group),
            _ => Some(Seat::Transaction),
        }
    }

    pub(super) fn lane(self) -> usize {
        match self {
            What::Find(Seat::Transaction) => 0,
            What::Find(Seat::Group) => 1,
            What::AddPartitions => JOIN,
            _ => MAIN,
        }
    }
}

const JOIN: usize = 2;
const MAIN: usize = 3;

/// A request that should go.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// What it asks.
    pub what: What,
    /// Of whom; `None`: of any broker.
    pub node: Option<NodeId>,
    /// Not before this time.
    pub at: Time,
}

/// What the sender must do about a transaction.
#[derive(Debug)]
pub enum Effect {
    /// Nothing.
    None,
    /// The coordinator is here: it may not be known to the cluster's metadata.
    Found(Node),
    /// Partitions may have something to send now.
    Open,
    /// The transaction can only be aborted.
    Failed(Error),
    /// The producer can only be closed.
    Died(Error),
}

/// How far the work is that spans a whole call.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// There is none.
    Idle,
    /// An id is wanted.
    Initialize,
    /// What was sent is to come to its end.
    Drain { commit: bool },
    /// The coordinator is to end the transaction.
    End { commit: bool },
    /// The transaction has ended; the next epoch is wanted.
    Renew { committed: bool },
}

/// Whether the coordinator knows of the transaction.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Begun {
    /// It does not.
    No,
    /// It may: something was asked that begins one, and the answer does not say.
    Perhaps,
    /// It does.
    Yes,
}

/// Offsets on their way.
#[derive(Clone, Debug)]
pub(super) struct OffsetsWork {
    /// Who wants them.
    pub(super) call: Arc<Call>,
    pub(super) left: GroupOffsets,
    /// The coordinator knows of the group.
    pub(super) joined: bool,
    /// It may know: a request got no answer.
    pub(super) doubtful: bool,
    /// Nobody wants them any more.
    pub(super) abandoned: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Transaction {
    pub(super) settings: TransactionSettings,
    pub(super) desk: Arc<Desk>,
    pub(super) id: Option<ProducerId>,
    pub(super) protocol: Protocol,
    pub(super) seats: [Option<NodeId>; 2],
    /// The group whose coordinator has the second seat, or is being looked for.
    seated_group: String,
    pub(super) members: Members,
    pub(super) offsets: Option<OffsetsWork>,
    pub(super) stage: Stage,
    /// The call that the stage is for.
    pub(super) call: Option<Arc<Call>>,
    pub(super) begun: Begun,
    /// The next transaction needs another epoch.
    pub(super) renew: bool,
    /// The coordinator gives next epochs on demand (InitProducerId v3, KIP-360). Remembered: the
    /// coordinator may be out of reach when it matters.
    pub(super) renewable: bool,
    /// How often the end of this one may have come too early.
    pub(super) early_ends: u32,
    pub(super) lanes: [Lane; 4],
}

impl Transaction {
    /// Of a producer that has no id yet.
    pub fn new(settings: TransactionSettings, desk: Arc<Desk>) -> Transaction {
        Transaction {
            settings,
            desk,
            id: None,
            protocol: Protocol::V1,
            seats: [None, None],
            seated_group: String::new(),
            members: Members::default(),
            offsets: None,
            stage: Stage::Idle,
            call: None,
            begun: Begun::No,
            renew: false,
            renewable: false,
            early_ends: 0,
            lanes: Default::default(),
        }
    }

    /// Where application threads wait.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// `transactional.id`.
    pub fn transactional_id(&self) -> &str {
        &self.settings.transactional_id
    }

    /// Who the producer is.
    pub fn id(&self) -> Option<ProducerId> {
        self.id
    }

    /// How transactions are done.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether the next transaction can have another epoch than this one.
    pub fn is_renewable(&self) -> bool {
        self.renewable || self.protocol == Protocol::V2
    }

    /// Whether nothing is under way that a close should wait for.
    pub fn is_settled(&self) -> bool {
        self.stage == Stage::Idle && !self.desk.state().has_transaction()
    }

    /// Whether what was sent is to come to its end.
    pub fn is_draining(&self) -> bool {
        matches!(self.stage, Stage::Drain { .. })
    }

    /// Whether the transaction is being committed or aborted.
    pub fn is_ending(&self) -> bool {
        !matches!(self.stage, Stage::Idle | Stage::Initialize)
    }

    /// Takes up what an application thread asked for, once. True when records are to be given up.
    pub fn take_up(&mut self) -> bool {
        let Some(call) = self.desk.open_call() else { return false };
        match &call.ask {
            Ask::SendOffsets(offsets) if self.offsets.is_none() => {
                let (left, joined) = (offsets.clone(), self.protocol == Protocol::V2);
                let work = OffsetsWork { call, left, joined, doubtful: false, abandoned: false };
                self.seat_group(work.left.group.group_id().to_owned());
                self.offsets = Some(work);
                return false;
            }
            Ask::Initialize if self.stage == Stage::Idle => self.stage = Stage::Initialize,
            Ask::Commit if self.stage == Stage::Idle => self.stage = Stage::Drain { commit: true },
            Ask::Abort if self.stage == Stage::Idle => self.begin_abort(),
            _ => return false,
        }
        let aborts = call.ask == Ask::Abort;
        self.call = Some(call);
        aborts
    }

    /// The offsets to come are of this group: whoever coordinates another one has no seat, also if the answer
    /// that names it is still to come.
    fn seat_group(&mut self, group: String) {
        if self.seated_group != group {
            self.seats[Seat::Group as usize] = None;
            let _ = self.lanes[What::Find(Seat::Group).lane()].land();
            self.lanes[What::Find(Seat::Group).lane()].clear();
            self.seated_group = group;
        }
    }

    /// The call that the stage was for has ended.
    pub(super) fn finish_call(&mut self, outcome: Result<()>) {
        if let Some(call) = self.call.take() {
            self.desk.finish(&call, outcome);
        }
    }

    fn begin_abort(&mut self) {
        self.give_up_work();
        self.stage = Stage::Drain { commit: false };
    }

    /// The producer closes: an open transaction is aborted, also one that fails only now; one that is being
    /// committed is committed. True when records are to be given up.
    pub fn close(&mut self) -> bool {
        if self.stage == Stage::Initialize {
            self.stage = Stage::Idle;
        }
        let aborts = self.desk.close();
        if aborts {
            self.begin_abort();
        }
        aborts
    }

    /// Something of the transaction failed. True when it can from now on only be aborted.
    pub fn fail(&mut self, error: &Error) -> bool {
        let new = self.desk.fail(error);
        if new {
            self.give_up_work();
            self.stage = Stage::Idle;
        }
        new
    }

    /// The producer can only be closed.
    pub fn die(&mut self, error: &Error) {
        self.desk.die(error);
        self.stage = Stage::Idle;
        self.members.clear();
        self.offsets = None;
    }

    /// What has not reached the coordinator need not any more.
    fn give_up_work(&mut self) {
        self.members.close();
        if let Some(work) = &mut self.offsets {
            work.abandoned = true;
            let unsure = work.doubtful && !work.joined;
            if self.lanes[MAIN].is_free() && !unsure {
                self.offsets = None;
            }
        }
    }

    /// A batch with numbers ended without being known as stored: the partition has a gap.
    pub fn lost_number(&mut self) {
        self.renew = true;
    }

    /// Records came to an end with this answer (KIP-890: they have begun the transaction, unless they were
    /// told to wait for the one before).
    pub fn records_answered(&mut self, code: ErrorCode, unsent: bool) {
        if self.protocol == Protocol::V2 && !unsent {
            self.begun_by(code);
        }
    }

    pub(super) fn begun_by(&mut self, code: ErrorCode) {
        let tells = match code {
            ErrorCode::NONE | ErrorCode::DUPLICATE_SEQUENCE_NUMBER => Begun::Yes,
            ErrorCode::CONCURRENT_TRANSACTIONS => Begun::No,
            _ => Begun::Perhaps,
        };
        self.begun = self.begun.max(tells);
    }

    /// Whether the first batch of a partition may go as far as the transaction is concerned. `numbered`: it
    /// went before.
    pub fn lets_go(&self, place: u32, numbered: bool) -> bool {
        match self.desk.state() {
            State::InTransaction | State::Committing => {
                self.protocol == Protocol::V2 || self.members.has_joined(place)
            }
            // Where epochs do not change, what a broker has or may have must be known for numbers to go on.
            State::Abortable | State::Aborting => numbered && !self.is_renewable(),
            _ => false,
        }
    }

    /// Whether a batch is not worth another attempt: its transaction will not be committed, and nothing
    /// hangs on whether it is stored.
    pub fn gives_up(&self, maybe_stored: bool) -> bool {
        let failed = matches!(self.desk.state(), State::Abortable | State::Aborting);
        failed && (self.is_renewable() || !maybe_stored)
    }

    /// Whether a partition with records must join first, and does not yet.
    pub fn is_missing(&self, place: u32) -> bool {
        let open = matches!(self.desk.state(), State::InTransaction | State::Committing);
        open && self.protocol == Protocol::V1 && !self.members.knows(place)
    }

    /// Has a partition join.
    pub fn join(&mut self, place: u32, topic: &Arc<str>, partition: i32) {
        self.members.add(place, topic, partition);
    }

    /// Everything that was sent has come to its end.
    pub fn drained(&mut self) {
        if let Stage::Drain { commit } = self.stage {
            self.stage = Stage::End { commit };
        }
    }

    /// What should be asked now or later.
    pub fn wishes(&self) -> Vec<Wish> {
        let wanted = [self.join_wish(), self.main_wish()];
        let mut wishes: Vec<Wish> = Vec::new();
        for what in wanted.into_iter().flatten() {
            let node = what.seat().and_then(|seat| self.seats[seat as usize]);
            let what = match (what.seat(), node) {
                (Some(seat), None) => What::Find(seat),
                _ => what,
            };
            let lane = &self.lanes[what.lane()];
            if lane.is_free() && !wishes.iter().any(|wish| wish.what == what) {
                wishes.push(Wish { what, node, at: lane.not_before() });
            }
        }
        wishes
    }

    fn join_wish(&self) -> Option<What> {
        let open = self.desk.state() != State::Abortable;
        (open && self.members.are_waiting()).then_some(What::AddPartitions)
    }

    fn main_wish(&self) -> Option<What> {
        if !self.lanes[MAIN].is_free() {
            return None;
        }
        if let Some(work) = &self.offsets {
            let open = self.desk.state() != State::Abortable;
            return open.then_some(match work.joined {
                false => What::AddOffsets,
                true => What::CommitOffsets,
            });
        }
        match self.stage {
            Stage::Initialize | Stage::Renew { .. } => Some(What::Initialize),
            Stage::End { commit } if self.begun > Begun::No && self.is_quiet() => {
                Some(What::End { commit })
            }
            _ => None,
        }
    }

    /// Whether all that the coordinator was asked is answered.
    fn is_quiet(&self) -> bool {
        self.lanes[JOIN].is_free() && !self.members.are_waiting() && self.offsets.is_none()
    }

    /// Ends a transaction of which no coordinator knows: there is nothing to be told. True when it is over.
    ///
    /// # Errors
    /// A fault.
    pub fn end_unbegun(&mut self) -> Result<bool> {
        let Stage::End { commit } = self.stage else { return Ok(false) };
        if self.begun > Begun::No || !self.is_quiet() || !self.lanes[MAIN].is_free() {
            return Ok(false);
        }
        match self.protocol {
            // Records that were refused for the end of the one before may have left a gap.
            Protocol::V2 => self.wind_up(commit, Protocol::V2),
            // Records go only after their partition has joined. A request to join that nobody answered may
            // have begun one after all: another epoch would be taken for a fence of that.
            Protocol::V1 => self.conclude(Protocol::V1).map(|()| true),
        }
    }

    /// The transaction has ended for the coordinator. True when it has for everybody, as no other epoch is
    /// needed: what may still come of it, and numbers that fell out, must not meet the next one.
    ///
    /// # Errors
    /// A fault.
    pub(super) fn wind_up(&mut self, committed: bool, next: Protocol) -> Result<bool> {
        if self.renew && self.renewable {
            self.stage = Stage::Renew { committed };
            return Ok(false);
        }
        self.conclude(next)?;
        Ok(true)
    }

    /// The lowest version of a request that can say what must be said, and the highest that may be used.
    pub fn versions(&self, what: What) -> (i16, i16) {
        let v1 = self.protocol == Protocol::V1;
        match what {
            // Version 0 knows only groups.
            What::Find(Seat::Transaction) => (1, i16::MAX),
            What::Initialize if self.id.is_some() => (3, i16::MAX),
            // From here on these requests mean the other protocol, whatever the feature says (KIP-890).
            What::CommitOffsets if v1 => (0, 4),
            What::CommitOffsets => (5, i16::MAX),
            What::End { .. } if v1 => (0, 4),
            What::End { .. } => (5, i16::MAX),
            _ => (0, i16::MAX),
        }
    }

    /// The request for a wish, which then goes out: [`Transaction::sent`] follows.
    ///
    /// # Errors
    /// `UNSUPPORTED_VERSION` when this version cannot say it.
    pub fn request(&mut self, what: What, envelope: &Envelope<'_>) -> Result<Bytes> {
        let TransactionSettings { transactional_id, timeout_ms, .. } = &self.settings;
        if let What::Find(Seat::Transaction) = what {
            return messages::find(envelope, transactional_id, 1);
        }
        if what == What::Initialize {
            self.renewable = envelope.version >= 3;
            return messages::initialize(envelope, transactional_id, *timeout_ms, self.id);
        }
        let missing = || Error::new(ErrorCode::STATE, "there is nothing to ask").into_fatal();
        let id = self.id.ok_or_else(missing)?;
        let signature = Signature { transactional_id, id };
        match (what, &self.offsets) {
            (What::AddPartitions, _) => signature.add_partitions(envelope, self.members.ask()),
            (What::End { commit }, _) => signature.end(envelope, commit),
            (What::Find(_), Some(work)) => messages::find(envelope, work.left.group.group_id(), 0),
            (What::AddOffsets, Some(work)) => {
                signature.add_offsets(envelope, work.left.group.group_id())
            }
            (What::CommitOffsets, Some(work)) => signature.commit_offsets(envelope, &work.left),
            _ => Err(missing()),
        }
    }

    /// The request for a wish went out.
    pub fn sent(&mut self, what: What, tag: u64, version: i16) {
        self.lanes[what.lane()].fly(Flying { tag, what, version });
    }

    /// Whether a request is one of this.
    pub fn owns(&self, tag: u64) -> bool {
        self.lanes.iter().any(|lane| lane.tag() == Some(tag))
    }

    /// The API of a request of this.
    pub fn api_of(&self, tag: u64) -> Option<ApiKey> {
        let lane = self.lanes.iter().find(|lane| lane.tag() == Some(tag))?;
        lane.what().map(|what| what.rpc().api())
    }

    /// A broker cannot be reached: whoever sits there may sit elsewhere by now.
    pub fn lost(&mut self, node: NodeId) {
        for seat in &mut self.seats {
            if *seat == Some(node) {
                *seat = None;
            }
        }
    }

    /// The transaction has ended.
    pub(super) fn conclude(&mut self, next: Protocol) -> Result<()> {
        (self.stage, self.protocol) = (Stage::Idle, next);
        (self.begun, self.renew, self.early_ends) = (Begun::No, false, 0);
        self.members.clear();
        self.desk.advance(Step::End)?;
        self.finish_call(Ok(()));
        Ok(())
    }

    /// What a coordinator that lacks `what` is told.
    pub fn not_offered(&self, what: What, node: NodeId) -> Error {
        let api: ApiKey = what.rpc().api();
        let text = match what {
            What::Find(Seat::Transaction) => format!(
                "no broker that can be reached knows transactions (Kafka 0.11): broker {node}, for one, \
                 speaks no version of {api:?} that ottla can use; without transactional.id records can go"
            ),
            _ => format!("broker {node} speaks no version of {api:?} that ottla can use here"),
        };
        Error::new(ErrorCode::UNSUPPORTED_VERSION, text)
    }
}
