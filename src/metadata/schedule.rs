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
    /// No request before this time.
    not_before: Time,
    /// Failures since the last success.
    failures: u32,
    /// Answers in a row that changed nothing.
    equivalent_answers: u32,
    in_flight: bool,
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
            not_before: Time::ZERO,
            failures: 0,
            equivalent_answers: 0,
            in_flight: false,
        }
    }

    /// When the next request is due: [`Time::NEVER`] while one is in flight.
    pub fn due_at(&self, has_new_topics: bool) -> Time {
        if self.in_flight {
            return Time::NEVER;
        }
        let wanted = if self.full_wanted || has_new_topics { Time::ZERO } else { self.expires_at };
        wanted.max(self.not_before)
    }

    /// Asks for a full update as soon as the backoff allows. True if that is news.
    pub fn want_full(&mut self) -> bool {
        !std::mem::replace(&mut self.full_wanted, true)
    }

    /// A topic was wanted for the first time: its request does not wait for any backoff.
    pub fn new_topic(&mut self) {
        self.not_before = Time::ZERO;
        self.equivalent_answers = 0;
    }

    /// Starts over with other servers.
    pub fn rebootstrap(&mut self) {
        self.full_wanted = true;
        self.in_flight = false;
    }

    /// A request leaves now. True if it is to ask for all topics.
    pub fn begin(&mut self, now: Time) -> bool {
        self.in_flight = true;
        if self.expires_at <= now {
            // A periodic update that brings nothing new is no reason to slow the next one down.
            self.equivalent_answers = 0;
            self.full_wanted = true;
        }
        std::mem::take(&mut self.full_wanted)
    }

    /// The answer came; `changed` tells whether it brought anything new.
    pub fn succeeded(&mut self, full: bool, changed: bool, now: Time) {
        self.in_flight = false;
        self.failures = 0;
        self.equivalent_answers =
            if changed { 0 } else { self.equivalent_answers.saturating_add(1) };
        if full {
            self.expires_at = now.plus_ms(self.max_age_ms);
        }
        self.hold(self.equivalent_answers, now);
    }

    /// The request brought no usable answer.
    pub fn failed(&mut self, full: bool, now: Time) {
        self.in_flight = false;
        self.full_wanted |= full;
        self.failures = self.failures.saturating_add(1);
        self.hold(self.failures.max(self.equivalent_answers), now);
    }

    fn hold(&mut self, count: u32, now: Time) {
        let delay_ms = self.backoff.delay_ms(count.saturating_sub(1), &mut self.random);
        self.not_before = now.plus_ms(delay_ms);
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
    }

    #[test]
    fn failures_back_off_exponentially_and_a_success_ends_that() {
        let mut schedule = schedule();
        let now = Time::from_ms(7);
        for nominal in [100, 200, 400, 800] {
            assert!(schedule.begin(now), "what failed is still wanted");
            schedule.failed(true, now);
            near(schedule.due_at(false), now, nominal);
        }
        schedule.begin(now);
        schedule.succeeded(true, true, now);
        schedule.want_full();
        near(schedule.due_at(false), now, 100);
    }

    #[test]
    fn answers_that_bring_nothing_new_back_off_until_age_or_change_or_a_new_topic() {
        let mut schedule = schedule();
        let now = Time::from_ms(10);
        schedule.begin(now);
        schedule.succeeded(true, true, now);
        for nominal in [100, 200, 400, 800] {
            schedule.want_full();
            schedule.begin(now);
            schedule.succeeded(true, false, now);
            schedule.want_full();
            near(schedule.due_at(false), now, nominal);
        }
        schedule.begin(now);
        schedule.succeeded(true, true, now);
        schedule.want_full();
        near(schedule.due_at(false), now, 100);

        schedule.begin(now);
        schedule.succeeded(true, false, now);
        schedule.begin(now);
        schedule.succeeded(true, false, now);
        let expired = now.plus_ms(MAX_AGE_MS);
        schedule.begin(expired);
        schedule.succeeded(true, false, expired);
        schedule.want_full();
        near(schedule.due_at(false), expired, 100);
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
