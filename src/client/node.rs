//! Owns the connection states of one broker, as a table, and what the client keeps per broker.
//! Never touches the network: it says which state follows which.
//! Java: `ClusterConnectionStates`.

use std::sync::Arc;

use crate::metadata::NodeId;
use crate::time::Time;

use super::addresses::Addresses;
use super::in_flight::InFlight;
use super::network::{ConnectionId, LookupId};
use super::question::Question;
use super::versions::NodeApiVersions;

/// Where the connection to a broker stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// There is none; one may be made at once.
    Disconnected,
    /// There is none; the next attempt has to wait.
    BackingOff,
    /// The name is being looked up.
    Resolving,
    /// An attempt is under way.
    Connecting,
    /// It was asked what the broker speaks, and not answered.
    CheckingVersions,
    /// Requests can be sent.
    Ready,
    /// The broker asked for silence (KIP-219): connected, nothing is sent.
    Throttled,
}

/// What may happen to a connection.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A look-up begins.
    Resolve,
    /// An attempt to connect begins, a first one or to the next address.
    Connect,
    /// The attempt succeeded.
    Establish,
    /// That was answered.
    AcceptVersions,
    /// The broker throttles, or throttles longer.
    Throttle,
    /// The throttle time is over.
    Resume,
    /// The look-up, the attempt or the connection failed.
    Fail,
    /// The backoff is over.
    EndBackoff,
    /// The connection ends for no failure: idle, or no longer needed.
    Leave,
}

/// The table: from, what happens, to. What is not in it cannot happen.
const TRANSITIONS: [(Phase, Step, Phase); 23] = {
    use Phase::*;
    use Step::*;
    [
        (Disconnected, Resolve, Resolving),
        (Disconnected, Connect, Connecting),
        (Disconnected, Leave, Disconnected),
        (BackingOff, EndBackoff, Disconnected),
        (BackingOff, Leave, BackingOff),
        (Resolving, Connect, Connecting),
        (Resolving, Fail, BackingOff),
        (Resolving, Leave, Disconnected),
        (Connecting, Connect, Connecting),
        (Connecting, Establish, CheckingVersions),
        (Connecting, Fail, BackingOff),
        (Connecting, Leave, Disconnected),
        (CheckingVersions, AcceptVersions, Ready),
        (CheckingVersions, Fail, BackingOff),
        (CheckingVersions, Leave, Disconnected),
        (Ready, Throttle, Throttled),
        (Ready, Fail, BackingOff),
        (Ready, Leave, Disconnected),
        (Throttled, Throttle, Throttled),
        (Throttled, Resume, Ready),
        (Throttled, Fail, BackingOff),
        (Throttled, Leave, Disconnected),
        // A failure without a connection: an attempt that could not even begin.
        (Disconnected, Fail, BackingOff),
    ]
};

impl Phase {
    /// The phase after `step`; `None` when that cannot happen here.
    pub fn after(self, step: Step) -> Option<Phase> {
        let row = TRANSITIONS.iter().find(|&&(from, what, _)| (from, what) == (self, step));
        row.map(|&(_, _, to)| to)
    }

    /// Whether it is known what is spoken, on a connection that still stands.
    pub fn is_usable(self) -> bool {
        matches!(self, Phase::Ready | Phase::Throttled)
    }

    /// Whether a connection stands.
    pub fn is_established(self) -> bool {
        self.is_usable() || self == Phase::CheckingVersions
    }
}

/// What the client keeps of one broker.
#[derive(Debug)]
pub(super) struct Peer {
    pub id: NodeId,
    /// `broker 3 (host:9092)`: how messages name it.
    pub label: Arc<str>,
    phase: Phase,
    /// When the phase ends by itself: the backoff, the throttle time, the patience for a connect.
    until: Time,
    pub connection: Option<ConnectionId>,
    pub lookup: Option<LookupId>,
    pub addresses: Addresses,
    pub in_flight: InFlight,
    pub versions: Option<NodeApiVersions>,
    /// Connections lost or not made since the broker was last ready.
    pub failures: u32,
    /// Attempts to connect that failed since one succeeded.
    pub setup_failures: u32,
    /// When the last attempt to connect began.
    pub last_attempt: Time,
    /// What the next connection is asked first; `None`: what others of the cluster answered.
    pub question: Option<Question>,
    /// The question of age was asked and not answered.
    pub age_refused: bool,
    /// The broker is no longer in the metadata: leave when nothing is in flight.
    pub retired: bool,
}

impl Peer {
    pub fn new(id: NodeId) -> Peer {
        Peer {
            id,
            label: "".into(),
            phase: Phase::Disconnected,
            until: Time::NEVER,
            connection: None,
            lookup: None,
            addresses: Addresses::default(),
            in_flight: InFlight::default(),
            versions: None,
            failures: 0,
            setup_failures: 0,
            last_attempt: Time::ZERO,
            question: None,
            age_refused: false,
            retired: false,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn until(&self) -> Time {
        self.until
    }

    /// Goes where the table says, until `until` (or as long as it takes: [`Time::NEVER`]).
    pub fn step(&mut self, step: Step, until: Time) {
        let next = self.phase.after(step);
        debug_assert!(next.is_some(), "{step:?} while {:?}", self.phase);
        if let Some(next) = next {
            self.phase = next;
            self.until = until;
        }
    }

    /// Whether the broker may be one before 0.10, and was not asked yet.
    pub fn may_be_old(&self) -> bool {
        self.question == Some(Question::Age) && !self.age_refused
    }

    /// Takes the steps that time alone brings.
    pub fn settle(&mut self, now: Time) {
        let step = match self.phase {
            Phase::BackingOff => Step::EndBackoff,
            Phase::Throttled => Step::Resume,
            _ => return,
        };
        if self.until <= now {
            self.step(step, Time::NEVER);
        }
    }

    /// Whether a request can be sent at once.
    pub fn can_send(&self, max_in_flight: usize) -> bool {
        self.phase == Phase::Ready && self.in_flight.has_room(max_in_flight)
    }

    /// When patience with a connection attempt or with a request ends.
    pub fn deadline(&self) -> Time {
        let setup = if self.phase == Phase::Connecting { self.until } else { Time::NEVER };
        setup.min(self.in_flight.deadline())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_stands_in_the_table_once() {
        for (index, &(from, step, _)) in TRANSITIONS.iter().enumerate() {
            let twin = TRANSITIONS[index + 1..].iter().find(|row| (row.0, row.1) == (from, step));
            assert_eq!(twin, None);
        }
    }

    #[test]
    fn the_road_to_ready_and_back() {
        let road = [
            (Step::Resolve, Phase::Resolving),
            (Step::Connect, Phase::Connecting),
            (Step::Connect, Phase::Connecting),
            (Step::Establish, Phase::CheckingVersions),
            (Step::AcceptVersions, Phase::Ready),
            (Step::Throttle, Phase::Throttled),
            (Step::Throttle, Phase::Throttled),
            (Step::Resume, Phase::Ready),
            (Step::Fail, Phase::BackingOff),
            (Step::EndBackoff, Phase::Disconnected),
        ];
        let mut phase = Phase::Disconnected;
        for (step, next) in road {
            phase = phase.after(step).unwrap();
            assert_eq!(phase, next);
        }
    }

    #[test]
    fn every_phase_with_a_connection_can_fail_or_be_left_and_none_is_ready_unchecked() {
        use Phase::*;
        for phase in [Resolving, Connecting, CheckingVersions, Ready, Throttled] {
            assert_eq!(phase.after(Step::Fail), Some(BackingOff));
            assert_eq!(phase.after(Step::Leave), Some(Disconnected));
        }
        assert_eq!(BackingOff.after(Step::Leave), Some(BackingOff), "leaving ends no backoff");
        for phase in [Disconnected, BackingOff, Resolving, Connecting, Ready, Throttled] {
            assert_eq!(phase.after(Step::AcceptVersions), None);
        }
        for phase in [BackingOff, CheckingVersions, Ready, Throttled] {
            assert_eq!(phase.after(Step::Connect), None);
        }
    }

    #[test]
    fn time_ends_backoff_and_throttling_exactly() {
        let mut peer = Peer::new(NodeId(1));
        peer.step(Step::Fail, Time::from_ms(50));
        peer.settle(Time::from_nanos(49_999_999));
        assert_eq!(peer.phase(), Phase::BackingOff);
        peer.settle(Time::from_ms(50));
        assert_eq!(peer.phase(), Phase::Disconnected);
    }
}
