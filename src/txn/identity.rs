//! Owns the life of an idempotent producer's id: when to ask for one (InitProducerId), and what an answer
//! means. Never sends. Java: the idempotent half of `TransactionManager`.

use crate::backoff::ExponentialBackoff;
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::messages::InitProducerIdResponse;
use crate::time::Time;

/// Who a batch is from, as brokers know it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ProducerId {
    /// Given by a coordinator; never negative.
    pub id: i64,
    /// Of two batches of one id, the one with the higher epoch is newer.
    pub epoch: i16,
}

/// Whether batches carry an identity.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Idempotence {
    /// They do not.
    Off,
    /// They do if the cluster can take it: nobody asked for it by name.
    ByDefault,
    /// They must: `enable.idempotence=true` was set.
    Demanded,
}

/// How far the producer is with its id.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Batches carry no identity.
    Off,
    /// An id is to be asked for.
    Wanted,
    /// A broker was asked.
    Asked,
    /// There is one that every partition may use.
    Known,
}

/// What may happen to it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Step {
    /// A request goes out.
    Ask,
    /// An id came.
    Accept,
    /// The request failed, or the broker refused.
    Fail,
    /// A partition has used up the epochs of the id.
    Exhaust,
    /// The cluster cannot do it.
    Renounce,
}

/// The table: from, what happens, to. What is not in it cannot happen.
const TRANSITIONS: [(Phase, Step, Phase); 7] = {
    use Phase::*;
    use Step::*;
    [
        (Wanted, Ask, Asked),
        (Asked, Accept, Known),
        (Asked, Fail, Wanted),
        (Known, Exhaust, Wanted),
        // Only as long as that is not decided.
        (Wanted, Renounce, Off),
        (Asked, Renounce, Off),
        (Known, Renounce, Off),
    ]
};

/// What to do about an answer without an id.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    /// Ask again later; nobody needs to know yet.
    Retry(Error),
    /// Those who wait are told; whoever comes later makes the producer ask again (KAFKA-13668).
    TellWaiting(Error),
}

/// The life of the id. See the head of the file.
#[derive(Debug)]
pub struct Identity {
    phase: Phase,
    /// Whether there is idempotence is decided, for ever: before the first sequence is given.
    decided: bool,
    /// The newest id. It stays usable while another is asked for.
    newest: Option<ProducerId>,
    not_before: Time,
    /// After a refusal that was told: when to ask again for those who come later.
    next_demand: Time,
    failures: u32,
    last_error: Option<Error>,
}

impl Identity {
    /// Of a producer that has no id yet.
    pub fn new(mode: Idempotence) -> Identity {
        let phase = match mode {
            Idempotence::Off => Phase::Off,
            _ => Phase::Wanted,
        };
        Identity {
            phase,
            decided: mode != Idempotence::ByDefault,
            newest: None,
            not_before: Time::ZERO,
            next_demand: Time::ZERO,
            failures: 0,
            last_error: None,
        }
    }

    /// Whether batches carry no identity.
    pub fn is_off(&self) -> bool {
        self.phase == Phase::Off
    }

    /// Whether the producer may still step back from idempotence.
    pub fn is_undecided(&self) -> bool {
        !self.decided
    }

    /// The first sequence is about to be given: true when it can be, with an id that is there.
    pub fn decide(&mut self) -> bool {
        self.decided |= self.newest.is_some();
        self.decided
    }

    /// A broker is too old. True when batches carry no identity from now on, for nobody asked for it and it
    /// was not decided.
    pub fn renounce(&mut self) -> bool {
        if self.decided {
            return false;
        }
        self.step(Step::Renounce);
        (self.decided, self.newest) = (true, None);
        true
    }

    /// The id that a partition which needs one takes.
    pub fn newest(&self) -> Option<ProducerId> {
        self.newest.filter(|_| self.decided)
    }

    /// When to ask for an id; [`Time::NEVER`] when there is no need.
    pub fn ask_at(&self) -> Time {
        match self.phase {
            Phase::Wanted => self.not_before,
            _ => Time::NEVER,
        }
    }

    /// A request goes out.
    pub fn asked(&mut self) {
        self.step(Step::Ask);
    }

    /// What the broker answered. On success the id that is new.
    ///
    /// # Errors
    /// What the refusal means. `at` is when to ask again at the earliest.
    pub fn answered(
        &mut self,
        response: &InitProducerIdResponse,
        at: Time,
    ) -> std::result::Result<ProducerId, Refusal> {
        match read(response) {
            Ok(newest) => {
                self.step(Step::Accept);
                self.newest = Some(newest);
                (self.failures, self.last_error) = (0, None);
                Ok(newest)
            }
            Err(error) => Err(self.refused(error, at)),
        }
    }

    /// The request brought no answer, or none that says something.
    pub fn failed(&mut self, error: Error, at: Time) {
        self.last_error = Some(error);
        self.step(Step::Fail);
        self.failures = self.failures.saturating_add(1);
        (self.not_before, self.next_demand) = (at, at);
    }

    fn refused(&mut self, error: Error, at: Time) -> Refusal {
        self.failed(error.clone(), at);
        if error.code() == ErrorCode::CLUSTER_AUTHORIZATION_FAILED {
            // Asking on would flood the broker's log with the same refusal.
            self.not_before = Time::NEVER;
            return Refusal::TellWaiting(error);
        }
        Refusal::Retry(error)
    }

    /// Why the last request brought no id.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// How long to wait after a failure.
    pub fn pause_ms(&self, backoff: &ExponentialBackoff, random: &mut fastrand::Rng) -> u64 {
        backoff.delay_ms(self.failures, random)
    }

    /// Somebody waits for an id: after a refusal that only others were told of, ask again.
    pub fn demand(&mut self) {
        if self.phase == Phase::Wanted {
            self.not_before = self.not_before.min(self.next_demand);
        }
    }

    /// A partition has used up the epochs of `of`.
    pub fn exhausted(&mut self, of: ProducerId) {
        if self.phase == Phase::Known && self.newest.is_some_and(|newest| newest.id == of.id) {
            self.step(Step::Exhaust);
            (self.not_before, self.next_demand) = (Time::ZERO, Time::ZERO);
        }
    }

    /// No broker that was heard knows InitProducerId. `at` is when to look again. True when batches carry no
    /// identity from now on.
    ///
    /// # Errors
    /// `UNSUPPORTED_VERSION` when idempotence was asked for by name: the producer cannot go on.
    pub fn not_offered(&mut self, at: Time) -> Result<bool> {
        if self.newest.is_some() {
            // Others of the cluster have given one.
            (self.not_before, self.next_demand) = (at, at);
            return Ok(false);
        }
        if self.renounce() {
            return Ok(true);
        }
        (self.not_before, self.next_demand) = (Time::NEVER, Time::NEVER);
        let text =
            "the brokers do not know idempotent producers (InitProducerId, Kafka 0.11); set \
                    enable.idempotence=false to send without";
        Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, text))
    }

    fn step(&mut self, step: Step) {
        let row = TRANSITIONS.iter().find(|&&(from, what, _)| (from, what) == (self.phase, step));
        debug_assert!(row.is_some(), "{step:?} in {:?}", self.phase);
        if let Some(&(_, _, to)) = row {
            self.phase = to;
        }
    }
}

fn read(response: &InitProducerIdResponse) -> Result<ProducerId> {
    let code = ErrorCode::from_broker(response.error_code);
    let id = ProducerId { id: response.producer_id.0, epoch: response.producer_epoch };
    match code {
        ErrorCode::NONE if id.id >= 0 && id.epoch >= 0 => Ok(id),
        ErrorCode::NONE => {
            let text = format!("InitProducerId gave id {} and epoch {}", id.id, id.epoch);
            Err(Error::new(ErrorCode::PROTOCOL, text))
        }
        ErrorCode::CLUSTER_AUTHORIZATION_FAILED => {
            let text = "this client may not be idempotent: brokers before 2.8 want the permission \
                        IdempotentWrite on the cluster; grant it, or set enable.idempotence=false";
            Err(Error::new(code, text))
        }
        code => Err(Error::new(code, format!("InitProducerId failed: {}", code.description()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages;

    fn response(code: ErrorCode, id: i64, epoch: i16) -> InitProducerIdResponse {
        InitProducerIdResponse::default()
            .with_error_code(code.value() as i16)
            .with_producer_id(messages::ProducerId(id))
            .with_producer_epoch(epoch)
    }

    const LATER: Time = Time::from_ms(100);

    #[test]
    fn an_id_is_asked_for_once_and_again_when_its_epochs_are_used_up() {
        let mut identity = Identity::new(Idempotence::Demanded);
        assert_eq!((identity.ask_at(), identity.newest()), (Time::ZERO, None));
        identity.asked();
        assert_eq!(identity.ask_at(), Time::NEVER);
        let first = identity.answered(&response(ErrorCode::NONE, 7, 0), LATER).unwrap();
        assert_eq!((first, identity.ask_at()), (ProducerId { id: 7, epoch: 0 }, Time::NEVER));
        identity.exhausted(ProducerId { id: 6, epoch: i16::MAX });
        assert_eq!(identity.ask_at(), Time::NEVER, "an older id than the newest");
        identity.exhausted(ProducerId { id: 7, epoch: i16::MAX });
        assert_eq!((identity.ask_at(), identity.newest()), (Time::ZERO, Some(first)));
        identity.asked();
        let second = identity.answered(&response(ErrorCode::NONE, 8, 0), LATER).unwrap();
        assert_eq!(identity.newest(), Some(second));
    }

    #[test]
    fn failures_are_retried_later() {
        let mut identity = Identity::new(Idempotence::Demanded);
        for code in [ErrorCode::COORDINATOR_LOAD_IN_PROGRESS, ErrorCode::UNKNOWN_SERVER_ERROR] {
            identity.asked();
            let refusal = identity.answered(&response(code, -1, -1), LATER).unwrap_err();
            assert!(matches!(refusal, Refusal::Retry(error) if error.code() == code));
            assert_eq!(identity.ask_at(), LATER);
        }
        identity.asked();
        let holes = identity.answered(&response(ErrorCode::NONE, -1, 0), LATER).unwrap_err();
        assert!(matches!(holes, Refusal::Retry(error) if error.code() == ErrorCode::PROTOCOL));
        identity.asked();
        identity.failed(ErrorCode::TRANSPORT.into(), LATER);
        assert_eq!((identity.ask_at(), identity.failures), (LATER, 4));
    }

    #[test]
    fn a_missing_permission_is_told_and_asked_for_again_only_when_somebody_waits() {
        let mut identity = Identity::new(Idempotence::ByDefault);
        identity.asked();
        let refused = response(ErrorCode::CLUSTER_AUTHORIZATION_FAILED, -1, -1);
        let refusal = identity.answered(&refused, LATER).unwrap_err();
        let Refusal::TellWaiting(error) = refusal else { panic!("{refusal:?}") };
        assert!(error.message().contains("enable.idempotence=false"));
        assert_eq!(identity.ask_at(), Time::NEVER);
        identity.demand();
        assert_eq!(identity.ask_at(), LATER);
    }

    #[test]
    fn only_a_default_gives_way_to_a_cluster_that_cannot() {
        let mut by_default = Identity::new(Idempotence::ByDefault);
        assert!(by_default.not_offered(LATER).unwrap() && by_default.is_off());
        assert_eq!(by_default.ask_at(), Time::NEVER);
        assert!(!by_default.renounce(), "once");
        let mut demanded = Identity::new(Idempotence::Demanded);
        assert!(!demanded.renounce());
        let error = demanded.not_offered(LATER).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UNSUPPORTED_VERSION);
        demanded.demand();
        assert_eq!(demanded.ask_at(), Time::NEVER, "told once");
    }

    #[test]
    fn a_default_is_decided_once_before_the_first_sequence() {
        let known = || {
            let mut identity = Identity::new(Idempotence::ByDefault);
            assert!(!identity.decide(), "there is no id");
            identity.asked();
            let id = identity.answered(&response(ErrorCode::NONE, 7, 0), LATER).unwrap();
            assert_eq!((identity.newest(), identity.is_undecided()), (None, true));
            (identity, id)
        };
        let (mut stays, id) = known();
        assert!(stays.decide());
        assert_eq!(stays.newest(), Some(id));
        stays.exhausted(id);
        assert!(!stays.renounce() && !stays.not_offered(LATER).unwrap() && !stays.is_off());
        assert_eq!(stays.ask_at(), LATER);
        let (mut goes, _) = known();
        assert!(goes.renounce() && goes.is_off() && goes.decide());
        assert_eq!(goes.newest(), None);
        let mut asked = Identity::new(Idempotence::ByDefault);
        asked.asked();
        assert!(asked.renounce() && asked.ask_at() == Time::NEVER);
    }
}
