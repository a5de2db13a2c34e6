//! Owns when one kind of transactional request may go: one at a time, and after a failure not before its
//! pause is over. Never decides what goes.

use crate::backoff::ExponentialBackoff;
use crate::time::Time;
use crate::txn::transaction::What;

/// A request without an answer.
#[derive(Clone, Debug)]
pub(super) struct Flying {
    pub(super) tag: u64,
    pub(super) what: What,
    pub(super) version: i16,
}

/// One lane.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    flying: Option<Flying>,
    not_before: Time,
    failures: u32,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane { flying: None, not_before: Time::ZERO, failures: 0 }
    }
}

impl Lane {
    pub(super) fn is_free(&self) -> bool {
        self.flying.is_none()
    }

    pub(super) fn not_before(&self) -> Time {
        self.not_before
    }

    pub(super) fn tag(&self) -> Option<u64> {
        self.flying.as_ref().map(|flying| flying.tag)
    }

    pub(super) fn what(&self) -> Option<What> {
        self.flying.as_ref().map(|flying| flying.what)
    }

    pub(super) fn fly(&mut self, flying: Flying) {
        self.flying = Some(flying);
    }

    pub(super) fn land(&mut self) -> Option<Flying> {
        self.flying.take()
    }

    /// What was asked is done, one way or the other.
    pub(super) fn clear(&mut self) {
        (self.failures, self.not_before) = (0, Time::ZERO);
    }

    /// It is to be asked again.
    pub(super) fn pause(
        &mut self,
        backoff: &ExponentialBackoff,
        random: &mut fastrand::Rng,
        now: Time,
    ) {
        self.not_before = now.plus_ms(backoff.delay_ms(self.failures, random));
        self.failures = self.failures.saturating_add(1);
    }

    /// It is not to be asked again before this many milliseconds.
    pub(super) fn lengthen(&mut self, least_ms: u64, now: Time) {
        self.not_before = self.not_before.max(now.plus_ms(least_ms));
    }

    /// It is to be asked again after this many milliseconds at most.
    pub(super) fn shorten(&mut self, most_ms: u64, now: Time) {
        self.not_before = self.not_before.min(now.plus_ms(most_ms));
    }
}
