//! Owns what the cluster does wrong on purpose: queues of faults for coming requests, error codes
//! for coming batches of one partition, and delays. Never decides what a fault means for an API;
//! the request's handler does.

use std::collections::{BTreeMap, VecDeque};

use crate::error::ErrorCode;
use crate::protocol::ApiKey;

use super::cluster::Cluster;

/// What happens to one coming request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The request is refused with this code. [`ErrorCode::TRANSPORT`] closes the connection
    /// instead, [`ErrorCode::NONE`] lets the request pass. To Produce, REQUEST_TIMED_OUT and
    /// NOT_ENOUGH_REPLICAS_AFTER_APPEND are answered after the append, as a real broker does; every
    /// other code means nothing was written.
    Error(ErrorCode),
    /// The work is not done; the connection closes.
    DropRequest,
    /// The work is done (a batch is in the log), then the connection closes without an answer.
    DropResponse,
    /// The work is done, but no answer is ever sent; the connection stays open.
    Silence,
    /// The answer comes this many milliseconds later than it would.
    DelayMs(u64),
    /// The work is done; the answer carries this `throttle_time_ms`.
    ThrottleMs(i32),
    /// The answer's body is replaced by random bytes.
    Garbage,
    /// The answer's body is cut in half (the frame's length tells the shorter length).
    Truncated,
    /// The answer carries another correlation id.
    WrongCorrelation,
    /// The answer's frame claims a length of 2 GiB - 1.
    InvalidLength,
}

impl Fault {
    /// Whether it changes the bytes of the answer.
    pub(super) fn spoils_the_answer(&self) -> bool {
        use Fault::{Garbage, InvalidLength, Truncated, WrongCorrelation};
        matches!(self, Garbage | Truncated | WrongCorrelation | InvalidLength)
    }
}

/// Everything that was ordered and has not happened yet.
#[derive(Debug, Default)]
pub(super) struct Faults {
    queues: BTreeMap<(Option<i32>, i16), VecDeque<Fault>>,
    partitions: BTreeMap<(String, i32), VecDeque<ErrorCode>>,
    delays_ms: BTreeMap<(Option<i32>, Option<i16>), u64>,
}

impl Faults {
    /// The fault for a request; what was ordered for this very broker comes first.
    pub(super) fn next(&mut self, broker: i32, api: ApiKey) -> Option<Fault> {
        if self.queues.is_empty() {
            return None;
        }
        [(Some(broker), api as i16), (None, api as i16)]
            .iter()
            .find_map(|key| pop(&mut self.queues, key))
    }

    /// The error for the next batch of a partition.
    pub(super) fn next_for_partition(&mut self, topic: &str, partition: i32) -> Option<ErrorCode> {
        if self.partitions.is_empty() {
            return None;
        }
        pop(&mut self.partitions, &(topic.to_owned(), partition))
    }

    /// How long an answer is held back; the most specific order counts.
    pub(super) fn delay_ms(&self, broker: i32, api: ApiKey) -> u64 {
        if self.delays_ms.is_empty() {
            return 0;
        }
        let api = Some(api as i16);
        [(Some(broker), api), (Some(broker), None), (None, api), (None, None)]
            .iter()
            .find_map(|key| self.delays_ms.get(key).copied())
            .unwrap_or(0)
    }
}

/// Takes the front of a queue and forgets the queue when it is empty.
fn pop<K: Ord, V>(queues: &mut BTreeMap<K, VecDeque<V>>, key: &K) -> Option<V> {
    let queue = queues.get_mut(key)?;
    let front = queue.pop_front();
    if queue.is_empty() {
        queues.remove(key);
    }
    front
}

impl Cluster {
    /// Orders faults for the next requests of `api`, one each, in this order: for those that
    /// `broker` receives, or (`None`) for those that any broker receives. What was ordered for one
    /// broker comes before what was ordered for all.
    pub fn push_faults(&mut self, broker: Option<i32>, api: ApiKey, faults: &[Fault]) {
        if !faults.is_empty() {
            let queue = self.faults.queues.entry((broker, api as i16)).or_default();
            queue.extend(faults.iter().cloned());
        }
    }

    /// Refuses the next requests of `api` with these codes ([`Fault::Error`]), whichever broker
    /// receives them.
    pub fn push_errors(&mut self, api: ApiKey, codes: &[ErrorCode]) {
        self.push_broker_errors(None, api, codes);
    }

    /// Refuses the next requests of `api` at `broker` with these codes ([`Fault::Error`]).
    pub fn push_broker_errors(&mut self, broker: Option<i32>, api: ApiKey, codes: &[ErrorCode]) {
        let faults: Vec<Fault> = codes.iter().map(|code| Fault::Error(*code)).collect();
        self.push_faults(broker, api, &faults);
    }

    /// Answers the next batches produced to a partition with these codes, one each; codes mean
    /// what [`Fault::Error`] says, except that none closes the connection.
    pub fn push_partition_errors(&mut self, topic: &str, partition: i32, codes: &[ErrorCode]) {
        if !codes.is_empty() {
            let queue = self.faults.partitions.entry((topic.to_owned(), partition)).or_default();
            queue.extend(codes.iter().copied());
        }
    }

    /// Closes the connection on which the next request of `api` arrives, before any work.
    pub fn drop_connection_on_next(&mut self, api: ApiKey) {
        self.push_faults(None, api, &[Fault::DropRequest]);
    }

    /// Writes the next Produce request's batches, then loses the answer: the connection closes.
    pub fn fail_append_after_write(&mut self) {
        self.push_faults(None, ApiKey::Produce, &[Fault::DropResponse]);
    }

    /// The next `count` answers of `api` carry this `throttle_time_ms`.
    pub fn throttle_next(&mut self, api: ApiKey, count: usize, throttle_ms: i32) {
        self.push_faults(None, api, &vec![Fault::ThrottleMs(throttle_ms); count]);
    }

    /// Holds every answer back for `ms` milliseconds (0 ends it): those of `broker`, or of all;
    /// those of `api`, or of all. The most specific of several orders counts: broker and API, then
    /// broker, then API, then all.
    pub fn set_delay_ms(&mut self, broker: Option<i32>, api: Option<ApiKey>, ms: u64) {
        self.faults.delays_ms.insert((broker, api.map(|api| api as i16)), ms);
    }

    /// The time between a request's arrival at `broker` and its answer, as a long link would have
    /// it.
    pub fn set_round_trip_ms(&mut self, broker: i32, ms: u64) {
        self.set_delay_ms(Some(broker), None, ms);
    }

    /// Forgets every fault and delay that was ordered.
    pub fn clear_faults(&mut self) {
        self.faults = Faults::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_own_faults_come_first_and_each_counts_once() {
        let mut cluster = Cluster::new(2, 1);
        cluster.push_errors(ApiKey::Produce, &[ErrorCode::NOT_ENOUGH_REPLICAS]);
        cluster.push_faults(Some(2), ApiKey::Produce, &[Fault::Silence, Fault::Garbage]);
        let mut next = |broker| cluster.faults.next(broker, ApiKey::Produce);
        assert_eq!(next(2), Some(Fault::Silence));
        assert_eq!(next(1), Some(Fault::Error(ErrorCode::NOT_ENOUGH_REPLICAS)));
        assert_eq!(next(1), None);
        assert_eq!(next(2), Some(Fault::Garbage));
        assert_eq!(next(2), None);
        assert!(cluster.faults.queues.is_empty(), "an empty queue must not stay");
    }

    #[test]
    fn a_fault_of_one_api_leaves_the_others_alone() {
        let mut cluster = Cluster::new(1, 1);
        cluster.drop_connection_on_next(ApiKey::Metadata);
        assert_eq!(cluster.faults.next(1, ApiKey::Produce), None);
        assert_eq!(cluster.faults.next(1, ApiKey::Metadata), Some(Fault::DropRequest));
    }

    #[test]
    fn the_most_specific_delay_counts() {
        let mut cluster = Cluster::new(2, 1);
        let delay = |cluster: &Cluster, broker| cluster.faults.delay_ms(broker, ApiKey::Produce);
        assert_eq!(delay(&cluster, 1), 0);
        cluster.set_delay_ms(None, None, 1);
        assert_eq!(delay(&cluster, 1), 1);
        cluster.set_delay_ms(None, Some(ApiKey::Produce), 2);
        assert_eq!(delay(&cluster, 1), 2);
        cluster.set_round_trip_ms(1, 3);
        assert_eq!((delay(&cluster, 1), delay(&cluster, 2)), (3, 2));
        cluster.set_delay_ms(Some(1), Some(ApiKey::Produce), 0);
        assert_eq!(delay(&cluster, 1), 0);
    }

    #[test]
    fn partition_errors_belong_to_their_partition() {
        let mut cluster = Cluster::new(1, 1);
        cluster.push_partition_errors("a", 1, &[ErrorCode::CORRUPT_MESSAGE]);
        assert_eq!(cluster.faults.next_for_partition("a", 0), None);
        assert_eq!(cluster.faults.next_for_partition("b", 1), None);
        assert_eq!(cluster.faults.next_for_partition("a", 1), Some(ErrorCode::CORRUPT_MESSAGE));
        cluster.push_partition_errors("a", 1, &[ErrorCode::CORRUPT_MESSAGE]);
        cluster.clear_faults();
        assert_eq!(cluster.faults.next_for_partition("a", 1), None);
    }
}
