//! Owns the question "when is the next metadata request due": age, requests for it, and the two
//! backoffs (failed attempts; answers that bring nothing new). Never sends and never waits.
//! Java: `Metadata.timeToNextUpdate`.

use crate::backoff::ExponentialBackoff;
use crate::time::Time;

/// The schedule of metadata requests.
#[derive(Debug)]
pub(super) struct Schedule {
    max_age_ms: u64,
    backoff: ExponentialBackoff,
    random: fastrand::Rng,
    /// All wanted topics are to be asked for, whatever their age.
    full_wanted: bool,
    /// When the oldest full answer gets too old.
    expires_at: Time,
    /// No request for all topics before this time.
    full_not_before: Time,
    /// No request for new topics before this time: only failures move it.
    new_not_before: Time,
    /// Failures since the last success.
    failures: u32,
    /// Answers in a row that changed nothing.
    equivalent_answers: u32,
    in_flight: bool,
    /// Nobody wants to know any more.
    stopped: bool,
}

impl Schedule {
    /// A full update is due at once.
    pub fn new(max_age_ms: u64, backoff: ExponentialBackoff, seed: u64) -> Schedule {
        Schedule {
            max_age_ms,
            backoff,
            random: fastrand::Rng::with_seed(seed),
            full_wanted: true,
            expires_at: Time::ZERO,
            full_not_before: Time::ZERO,
            new_not_before: Time::ZERO,
            failures: 0,
            equivalent_answers: 0,
            in_flight: false,
            stopped: false,
        }
    }

    /// When the next request is due: [`Time::NEVER`] while one is in flight, and after [`Schedule::stop`].
    pub fn due_at(&self, has_new_topics: bool) -> Time {
        if self.in_flight || self.stopped {
            return Time::NEVER;
        }
        let wanted = if self.full_wanted { Time::ZERO } else { self.expires_at };
        let full_at = wanted.max(self.full_not_before);
        let new_at = if has_new_topics { self.new_not_before } else { Time::NEVER };
        full_at.min(new_at)
    }

    /// Asks for a full update as soon as the backoff allows. True if that is news.
    pub fn want_full(&mut self) -> bool {
        !std::mem::replace(&mut self.full_wanted, true)
    }

    /// A topic was wanted for the first time: its request does not wait for any backoff. The others
    /// still do: one topic that never resolves must not be asked for with every new one.
    pub fn new_topic(&mut self) {
        self.new_not_before = Time::ZERO;
        self.equivalent_answers = 0;
    }

    /// Starts over with other servers.
    pub fn rebootstrap(&mut self) {
        self.full_wanted = true;
        self.in_flight = false;
    }

    /// No request is due from now on.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// A request that is due leaves now. True if it is to ask for all topics, false if for new ones.
    pub fn begin(&mut self, now: Time) -> bool {
        self.in_flight = true;
        if self.expires_at <= now {
            // A periodic update that brings nothing new is no reason to slow the next one down.
            self.equivalent_answers = 0;
            self.full_wanted = true;
        }
        let full = self.full_wanted && self.full_not_before <= now;
        self.full_wanted &= !full;
        full
    }

    /// The answer came; `changed` tells whether it brought anything new.
    pub fn succeeded(&mut self, full: bool, changed: bool, now: Time) {
        self.in_flight = false;
        self.failures = 0;
        if full {
            let equivalent = self.equivalent_answers.saturating_add(1);
            self.equivalent_answers = if changed { 0 } else { equivalent };
            self.expires_at = now.plus_ms(self.max_age_ms);
            self.full_not_before = self.backed_off(self.equivalent_answers, now);
        }
    }

    /// The request brought no usable answer.
    pub fn failed(&mut self, full: bool, now: Time) {
        self.in_flight = false;
        self.full_wanted |= full;
        self.failures = self.failures.saturating_add(1);
        self.new_not_before = self.backed_off(self.failures, now);
        self.full_not_before = self.full_not_before.max(self.new_not_before);
    }

    fn backed_off(&mut self, count: u32, now: Time) -> Time {
        now.plus_ms(self.backoff.delay_ms(count.saturating_sub(1), &mut self.random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_AGE_MS: u64 = 1000;

    fn schedule() -> Schedule {
        Schedule::new(MAX_AGE_MS, ExponentialBackoff::new(100, 10_000), 1)
    }

    fn near(due: Time, from: Time, nominal_ms: u64) {
        let (low, high) = (nominal_ms * 8 / 10, nominal_ms * 12 / 10);
        assert!(
            due >= from.plus_ms(low) && due <= from.plus_ms(high),
            "{due:?}, not ~{nominal_ms}"
        );
    }

    #[test]
    fn the_first_update_is_due_at_once_and_only_one_is_in_flight() {
        let mut schedule = schedule();
        assert_eq!(schedule.due_at(false), Time::ZERO);
        assert!(schedule.begin(Time::ZERO), "a full one");
        assert_eq!(schedule.due_at(true), Time::NEVER);
    }

    #[test]
    fn after_a_success_the_next_update_is_due_at_max_age() {
        let mut schedule = schedule();
        let now = Time::from_ms(50);
        schedule.begin(now);
        schedule.succeeded(true, true, now);
        assert_eq!(schedule.due_at(false), now.plus_ms(MAX_AGE_MS));
    }

    #[test]
    fn an_explicit_request_waits_for_the_backoff_but_a_new_topic_does_not() {
        let mut schedule = schedule();
        let now = Time::from_ms(5000);
        schedule.begin(now);
        schedule.succeeded(true, true, now);
        assert!(schedule.want_full());
        assert!(!schedule.want_full(), "already wanted");
        near(schedule.due_at(false), now, 100);
        schedule.new_topic();
        assert_eq!(schedule.due_at(true), Time::ZERO);
        assert!(!schedule.begin(now), "for the new topic alone");
        schedule.succeeded(false, true, now);
        near(schedule.due_at(false), now, 100);
    }

    #[test]
    fn failures_back_off_exponentially_and_a_success_ends_that() {
        let mut schedule = schedule();
        let mut now = Time::from_ms(7);
        for nominal in [100, 200, 400, 800] {
            now = schedule.due_at(false).max(now);
            assert!(schedule.begin(now), "what failed is still wanted");
            schedule.failed(true, now);
            near(schedule.due_at(false), now, nominal);
        }
        now = schedule.due_at(false);
        schedule.begin(now);
        schedule.succeeded(true, true, now);
        schedule.want_full();
        near(schedule.due_at(false), now, 100);
    }

    #[test]
    fn answers_that_bring_nothing_new_back_off_until_something_changes() {
        let mut schedule = schedule();
        let mut now = Time::from_ms(10);
        let mut update = |changed: bool| {
            schedule.want_full();
            now = now.max(schedule.due_at(false));
            assert!(schedule.begin(now));
            schedule.succeeded(true, changed, now);
            schedule.want_full();
            (schedule.due_at(false), now)
        };
        update(true);
        for nominal in [100, 200, 400, 800] {
            let (due, now) = update(false);
            near(due, now, nominal);
        }
        let (due, now) = update(true);
        near(due, now, 100);
    }

    #[test]
    fn age_ends_the_backoff_of_answers_that_bring_nothing_new() {
        let mut schedule = schedule();
        let mut now = Time::ZERO;
        for _ in 0..6 {
            assert!(schedule.begin(now));
            schedule.succeeded(true, false, now);
            now = now.plus_ms(MAX_AGE_MS);
            schedule.expires_at = now;
        }
        assert_eq!(schedule.equivalent_answers, 1);
    }

    #[test]
    fn a_new_topic_ends_the_backoff_of_answers_that_bring_nothing_new() {
        let mut schedule = schedule();
        for now in (0..4).map(|round| Time::from_ms(round * 2_000)) {
            schedule.expires_at = Time::NEVER;
            schedule.want_full();
            assert!(schedule.begin(now));
            schedule.succeeded(true, false, now);
        }
        assert_eq!(schedule.equivalent_answers, 4);
        schedule.new_topic();
        assert_eq!(schedule.equivalent_answers, 0);
    }

    #[test]
    fn a_partial_answer_does_not_make_the_other_topics_fresh() {
        let mut schedule = schedule();
        schedule.begin(Time::ZERO);
        schedule.succeeded(true, true, Time::ZERO);
        schedule.new_topic();
        let later = Time::from_ms(600);
        assert!(!schedule.begin(later), "a partial one");
        schedule.succeeded(false, true, later);
        assert_eq!(schedule.due_at(false), Time::from_ms(MAX_AGE_MS));
    }

    #[test]
    fn a_request_made_while_one_is_in_flight_is_not_cleared_by_its_answer() {
        let mut schedule = schedule();
        schedule.begin(Time::ZERO);
        assert!(schedule.want_full());
        schedule.succeeded(true, true, Time::ZERO);
        near(schedule.due_at(false), Time::ZERO, 100);
        assert!(schedule.begin(Time::from_ms(120)));
    }
}
