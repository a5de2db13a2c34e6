//! Records of topics that are not known yet, kept as raw fields behind the topic's gate until
//! metadata tells its partitions. Every later record of the topic joins them, so order stays.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::accumulator::topic::{Topic, TopicState};
use crate::accumulator::Accumulator;
use crate::delivery::Promises;
use crate::record::{Header, Record};
use crate::sync::atomic::Ordering;
use crate::sync::{Mutex, MutexGuard};
use crate::time::Time;

/// What a parked record costs beside its bytes.
const PARKED_OVERHEAD_BYTES: usize = std::mem::size_of::<ParkedRecord>() + 32;

/// One record that waits for its topic.
#[derive(Debug)]
pub struct ParkedRecord {
    /// The partition it was sent to, or -1.
    pub partition: i32,
    /// What is owed for it; holds the memory it is counted for.
    pub promise: Promises,
    /// When it was sent: its deadline counts from here.
    pub parked_at: Time,
    timestamp_ms: i64,
    key_bytes: i64,
    value_bytes: i64,
    /// Key length and value length (-1: null) of each header.
    headers: Box<[(u32, i64)]>,
    /// Key, value, then each header's key and value.
    body: Box<[u8]>,
}

fn length_of(bytes: Option<&[u8]>) -> i64 {
    bytes.map_or(-1, |bytes| bytes.len() as i64)
}

fn cut<'a>(body: &mut &'a [u8], length: i64) -> Option<&'a [u8]> {
    let length = usize::try_from(length).ok()?;
    let (head, rest) = body.split_at(length);
    *body = rest;
    Some(head)
}

impl ParkedRecord {
    /// Bytes of counted memory that parking `record` takes.
    pub fn cost_bytes(record: &Record<'_>) -> usize {
        let headers: usize = record
            .headers
            .iter()
            .map(|header| 16 + header.key.len() + header.value.map_or(0, <[u8]>::len))
            .sum();
        let key_and_value = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        PARKED_OVERHEAD_BYTES + key_and_value + headers
    }

    /// A copy of `record`.
    pub fn new(record: &Record<'_>, partition: i32, promise: Promises, now: Time) -> ParkedRecord {
        let mut body = Vec::new();
        body.extend_from_slice(record.key.unwrap_or_default());
        body.extend_from_slice(record.value.unwrap_or_default());
        let mut headers = Vec::with_capacity(record.headers.len());
        for header in record.headers {
            headers.push((header.key.len() as u32, length_of(header.value)));
            body.extend_from_slice(header.key.as_bytes());
            body.extend_from_slice(header.value.unwrap_or_default());
        }
        ParkedRecord {
            partition,
            promise,
            parked_at: now,
            timestamp_ms: record.timestamp_ms,
            key_bytes: length_of(record.key),
            value_bytes: length_of(record.value),
            headers: headers.into_boxed_slice(),
            body: body.into_boxed_slice(),
        }
    }

    /// Gives `use_it` the record as it was sent.
    pub fn with_record<T>(&self, use_it: impl FnOnce(&Record<'_>) -> T) -> T {
        let mut body = &self.body[..];
        let key = cut(&mut body, self.key_bytes);
        let value = cut(&mut body, self.value_bytes);
        let mut headers = Vec::with_capacity(self.headers.len());
        for &(key_bytes, value_bytes) in &self.headers {
            let name = cut(&mut body, i64::from(key_bytes)).unwrap_or_default();
            // It was a str when it came in.
            let key = std::str::from_utf8(name).unwrap_or_default();
            headers.push(Header { key, value: cut(&mut body, value_bytes) });
        }
        use_it(&Record { timestamp_ms: self.timestamp_ms, key, value, headers: &headers })
    }
}

/// The records parked for one topic.
#[derive(Debug, Default)]
pub struct Gate {
    parked: Mutex<VecDeque<ParkedRecord>>,
}

impl Gate {
    /// The queue.
    pub fn lock(&self) -> MutexGuard<'_, VecDeque<ParkedRecord>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an attempt to park a record ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Parking {
    /// It stands behind the gate; as the first, so the sender must be told, or behind others.
    Parked {
        /// Nobody stood there.
        first: bool,
    },
    /// The gate is open: append it.
    Open,
    /// The producer is closed.
    Closed,
}

impl Accumulator {
    /// Puts the record that `make` gives behind the topic's gate, if that is not open by now.
    pub fn park(&self, topic: &Topic, make: impl FnOnce() -> ParkedRecord) -> Parking {
        let mut parked = topic.gate.lock();
        // Both are asked under the lock: the sender opens the gate under it, and close sets its flag before
        // it empties the gates.
        if topic.state() == TopicState::Known {
            return Parking::Open;
        }
        if self.admission.is_refused() {
            return Parking::Closed;
        }
        let first = parked.is_empty();
        self.gated.fetch_add(1, Ordering::Release);
        parked.push_back(make());
        Parking::Parked { first }
    }

    /// Takes the first record from behind the gate of a topic that became known. When there is none, the
    /// gate is open from now on.
    pub fn unpark(&self, topic: &Topic) -> Option<ParkedRecord> {
        let mut parked = topic.gate.lock();
        let first = parked.pop_front();
        if first.is_none() {
            // Under the lock: whoever parks looks at the state after taking it.
            topic.set_state(TopicState::Known);
            drop(parked);
            self.bulletin.post(|_| {});
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Delivery, Door, Lease};

    #[test]
    fn null_and_empty_stay_apart_while_parked() {
        let empty: &[u8] = b"";
        for (key, value) in
            [(None, Some(empty)), (Some(empty), None), (Some(&b"k"[..]), Some(&b"v"[..]))]
        {
            let headers = [
                Header { key: "a", value: None },
                Header { key: "", value: Some(empty) },
                Header { key: "å", value: Some(b"xyz") },
            ];
            let record = Record { timestamp_ms: 5, key, value, headers: &headers };
            let home = Delivery::open(Door::Poll, "test").unwrap();
            let promise = Promises::of_one(0, 3, 9, Lease::nothing(), home);
            let parked = ParkedRecord::new(&record, 3, promise, Time::ZERO);
            parked.with_record(|back| {
                assert_eq!((back.key, back.value, back.timestamp_ms), (key, value, 5));
                assert_eq!(back.headers.len(), 3);
                for (left, right) in back.headers.iter().zip(&headers) {
                    assert_eq!((left.key, left.value), (right.key, right.value));
                }
            });
        }
    }
}
