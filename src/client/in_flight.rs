//! Owns the requests of one connection that have no outcome yet, first in first out.
//! Java: `InFlightRequests`. Never closes a connection: it tells what is late.

use std::collections::VecDeque;

use crate::metadata::UpdateRequest;
use crate::protocol::ApiKey;
use crate::time::Time;

/// Who waits for a request.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The sender, who gave this tag.
    Caller {
        /// The tag.
        tag: u64,
    },
    /// The client, to learn what the broker speaks.
    ApiVersions,
    /// The client, to learn whether the broker is one before 0.10.
    Age,
    /// The client, to learn about the cluster.
    Metadata(UpdateRequest),
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Request {
    pub api: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    pub sent_at: Time,
    /// When its time is over; moves when the connection is throttled.
    pub deadline: Time,
    pub purpose: Purpose,
}

/// A FIFO that knows the earliest deadline in it without a scan.
#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<Request>,
    /// The deadlines that are earlier than all behind them, in order: the front is the earliest.
    earliest: VecDeque<Time>,
}

impl Queue {
    fn push(&mut self, request: Request) {
        while self.earliest.back().is_some_and(|&last| last > request.deadline) {
            self.earliest.pop_back();
        }
        self.earliest.push_back(request.deadline);
        self.requests.push_back(request);
    }

    fn pop(&mut self) -> Option<Request> {
        let request = self.requests.pop_front()?;
        if self.earliest.front() == Some(&request.deadline) {
            self.earliest.pop_front();
        }
        Some(request)
    }

    fn delay(&mut self, ms: u64) {
        self.requests
            .iter_mut()
            .for_each(|request| request.deadline = request.deadline.plus_ms(ms));
        self.earliest.iter_mut().for_each(|deadline| *deadline = deadline.plus_ms(ms));
    }
}

/// The requests in flight on one connection.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// Those that get a response.
    answered: Queue,
    /// Those that are complete when flushed (acks=0).
    unanswered: Queue,
    /// The newest frame, while its last byte has not left.
    unflushed: Option<i32>,
}

impl InFlight {
    /// Adds the newest request.
    pub fn push(&mut self, request: Request, expects_response: bool) {
        self.unflushed = Some(request.correlation_id);
        let queue = if expects_response { &mut self.answered } else { &mut self.unanswered };
        queue.push(request);
    }

    /// Requests without an outcome.
    pub fn count(&self) -> usize {
        self.answered.requests.len() + self.unanswered.requests.len()
    }

    /// Whether another request may go now: the newest is flushed and the limit is not reached.
    pub fn has_room(&self, max_in_flight: usize) -> bool {
        self.unflushed.is_none() && self.count() < max_in_flight
    }

    /// The next frame in order was flushed; gives its request if that completes it.
    pub fn flushed(&mut self, correlation_id: i32) -> Option<Request> {
        self.note_flushed(correlation_id);
        let next = self.unanswered.requests.front();
        if next.is_some_and(|request| request.correlation_id == correlation_id) {
            return self.unanswered.pop();
        }
        None
    }

    /// The request that the next response must belong to.
    pub fn next_answered(&self) -> Option<&Request> {
        self.answered.requests.front()
    }

    /// Takes the request that the next response belongs to.
    pub fn complete_next(&mut self) -> Option<Request> {
        let request = self.answered.pop()?;
        // What is answered was read to its end, whatever the order in which that is told.
        self.note_flushed(request.correlation_id);
        Some(request)
    }

    fn note_flushed(&mut self, correlation_id: i32) {
        if self.unflushed == Some(correlation_id) {
            self.unflushed = None;
        }
    }

    /// When the first of them is late; [`Time::NEVER`] when there is none.
    pub fn deadline(&self) -> Time {
        let earliest = |queue: &Queue| queue.earliest.front().copied().unwrap_or(Time::NEVER);
        earliest(&self.answered).min(earliest(&self.unanswered))
    }

    /// The broker throttles: that time does not count against the requests' own.
    pub fn delay(&mut self, ms: u64) {
        self.answered.delay(ms);
        self.unanswered.delay(ms);
    }

    /// Takes all, in the order in which they were sent.
    pub fn take_all(&mut self) -> Vec<Request> {
        let taken = std::mem::take(self);
        let mut requests: Vec<Request> = taken.answered.requests.into();
        requests.extend(taken.unanswered.requests);
        requests.sort_by_key(|request| request.sent_at);
        requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(correlation_id: i32, deadline_ms: u64) -> Request {
        Request {
            api: ApiKey::Produce,
            version: 9,
            correlation_id,
            sent_at: Time::from_ms(correlation_id as u64),
            deadline: Time::from_ms(deadline_ms),
            purpose: Purpose::Caller { tag: correlation_id as u64 },
        }
    }

    fn of(correlation_ids: &[i32]) -> InFlight {
        let mut in_flight = InFlight::default();
        for &id in correlation_ids {
            in_flight.push(request(id, 100), true);
            in_flight.flushed(id);
        }
        in_flight
    }

    #[test]
    fn complete_next_gives_the_oldest_first() {
        let mut in_flight = of(&[1, 2, 3]);
        assert_eq!(in_flight.next_answered().unwrap().correlation_id, 1);
        for id in [1, 2, 3] {
            assert_eq!(in_flight.complete_next().unwrap().correlation_id, id);
        }
        assert!(in_flight.complete_next().is_none());
        assert!(in_flight.next_answered().is_none());
    }

    #[test]
    fn there_is_room_only_below_the_limit_and_behind_a_flushed_frame() {
        let mut in_flight = of(&[1]);
        assert!(in_flight.has_room(2));
        assert!(!in_flight.has_room(1));
        in_flight.push(request(2, 100), true);
        assert!(!in_flight.has_room(9), "not flushed yet");
        assert!(in_flight.flushed(2).is_none(), "its response is still to come");
        assert!(in_flight.has_room(3));
        in_flight.push(request(3, 100), true);
        assert!(in_flight.flushed(2).is_none());
        assert!(!in_flight.has_room(9), "an older one does not count");
    }

    #[test]
    fn an_answer_tells_that_its_request_was_flushed() {
        let mut in_flight = InFlight::default();
        in_flight.push(request(1, 100), true);
        in_flight.complete_next();
        assert!(in_flight.has_room(1));
    }

    #[test]
    fn a_request_without_response_completes_when_flushed() {
        let mut in_flight = of(&[1]);
        in_flight.push(request(2, 100), false);
        in_flight.push(request(3, 100), true);
        assert_eq!(in_flight.count(), 3);
        assert_eq!(in_flight.flushed(2).unwrap().correlation_id, 2);
        assert!(in_flight.flushed(3).is_none());
        assert_eq!(in_flight.complete_next().unwrap().correlation_id, 1);
        assert_eq!(in_flight.complete_next().unwrap().correlation_id, 3);
    }

    #[test]
    fn take_all_clears_in_the_order_of_sending() {
        let mut in_flight = of(&[1, 3]);
        in_flight.push(request(2, 50), false);
        let ids: Vec<i32> = in_flight.take_all().iter().map(|r| r.correlation_id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert_eq!(in_flight.count(), 0);
        assert_eq!(in_flight.deadline(), Time::NEVER);
        assert!(in_flight.has_room(1));
    }

    #[test]
    fn the_deadline_is_the_minimum_of_what_is_left() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut in_flight = InFlight::default();
        let mut left: VecDeque<(i32, u64)> = VecDeque::new();
        for id in 0..2000 {
            if random.u8(..3) > 0 {
                let deadline = random.u64(..50);
                in_flight.push(request(id, deadline), true);
                left.push_back((id, deadline));
            } else {
                let completed = in_flight.complete_next().map(|request| request.correlation_id);
                assert_eq!(completed, left.pop_front().map(|(id, _)| id));
            }
            let least = left.iter().map(|&(_, ms)| Time::from_ms(ms)).min();
            assert_eq!(in_flight.deadline(), least.unwrap_or(Time::NEVER));
        }
    }

    #[test]
    fn throttling_moves_every_deadline() {
        let mut in_flight = of(&[1, 2]);
        in_flight.push(request(3, 80), false);
        in_flight.delay(1000);
        assert_eq!(in_flight.deadline(), Time::from_ms(1080));
        in_flight.flushed(3);
        assert_eq!(in_flight.deadline(), Time::from_ms(1100));
    }
}
