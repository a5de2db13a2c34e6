//! What is owed for the records of one batch: the caller's token of each, kept until it is reported.
//! Turning promises into a report consumes them, so a record cannot be reported twice; dropping them unkept
//! (after a panic, say) reports the records as failed, so none is forgotten either.

use std::sync::Arc;

use crate::delivery::lease::Lease;
use crate::delivery::outstanding::Ticket;
use crate::delivery::queue::Delivery;
use crate::delivery::report::{Persistence, Report};
use crate::error::ErrorCode;

/// Tokens (and, when asked for, timestamps) of records in append order.
#[derive(Debug)]
pub struct Promises {
    /// Topic id as registered with this producer.
    pub topic: u32,
    /// Partition, or -1.
    pub partition: i32,
    tokens: Vec<u64>,
    timestamps_ms: Option<Vec<i64>>,
    lease: Lease,
    ticket: Option<Ticket>,
    home: Arc<Delivery>,
}

/// The part of a report that all records of an outcome share.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// [`ErrorCode::NONE`] when stored.
    pub code: ErrorCode,
    /// For people.
    pub message: Option<Arc<str>>,
    /// Whether the records can be in the log.
    pub persistence: Persistence,
    /// Offset of the first record of the batch, or -1.
    pub base_offset: i64,
    /// Log-append time, or -1.
    pub log_append_time_ms: i64,
    /// Nanoseconds from the creation of the batch.
    pub latency_ns: u64,
}

impl Outcome {
    /// Records that failed with `code`.
    pub fn failed(code: ErrorCode, message: impl Into<Arc<str>>, maybe_stored: bool) -> Outcome {
        let persistence = match maybe_stored {
            true => Persistence::PossiblyPersisted,
            false => Persistence::NotPersisted,
        };
        Outcome {
            code,
            message: Some(message.into()),
            persistence,
            base_offset: -1,
            log_append_time_ms: -1,
            latency_ns: 0,
        }
    }
}

impl Promises {
    /// No promise yet. `lease` is what the tokens are counted with.
    pub fn new(
        topic: u32,
        partition: i32,
        timed: bool,
        lease: Lease,
        ticket: Ticket,
        home: Arc<Delivery>,
    ) -> Promises {
        let timestamps_ms = timed.then(Vec::new);
        let ticket = Some(ticket);
        Promises { topic, partition, tokens: Vec::new(), timestamps_ms, lease, ticket, home }
    }

    /// The promise for one record that has not come into a batch.
    pub fn of_one(
        topic: u32,
        partition: i32,
        token: u64,
        lease: Lease,
        home: Arc<Delivery>,
    ) -> Promises {
        let ticket = home.outstanding().enter();
        let mut promise = Promises::new(topic, partition, false, lease, ticket, home);
        promise.tokens.push(token);
        promise
    }

    /// Number of promises.
    pub fn count(&self) -> usize {
        self.tokens.len()
    }

    /// The flush epoch they belong to.
    pub fn epoch(&self) -> u64 {
        self.ticket.as_ref().map_or(0, Ticket::epoch)
    }

    /// A ticket of the same flush epoch.
    pub fn fork_ticket(&self) -> Ticket {
        match &self.ticket {
            Some(ticket) => ticket.fork(),
            None => self.home.outstanding().enter(),
        }
    }

    /// The tokens in append order.
    pub fn tokens(&self) -> &[u64] {
        &self.tokens
    }

    /// Bytes of counted memory that one more promise needs now, if any, and for how many promises that is.
    #[inline]
    pub fn needs(&self) -> usize {
        if self.tokens.len() < self.tokens.capacity() {
            0
        } else {
            self.growth() * self.bytes_each()
        }
    }

    fn bytes_each(&self) -> usize {
        8 + if self.timestamps_ms.is_some() { 8 } else { 0 }
    }

    fn growth(&self) -> usize {
        self.tokens.capacity().max(8)
    }

    /// Makes room, after `needs()` bytes were counted.
    #[cold]
    pub fn grow(&mut self) {
        let more = self.growth();
        self.lease.grow(more * self.bytes_each());
        self.tokens.reserve_exact(more);
        if let Some(all) = &mut self.timestamps_ms {
            all.reserve_exact(more);
        }
    }

    /// Adds the promise for one more record.
    #[inline]
    pub fn push(&mut self, token: u64, timestamp_ms: i64) {
        self.tokens.push(token);
        if let Some(all) = &mut self.timestamps_ms {
            all.push(timestamp_ms);
        }
    }

    /// Cuts off the promises from `count` on into promises of their own (a batch is split).
    pub fn split_off(&mut self, count: usize) -> Promises {
        let tokens = self.tokens.split_off(count);
        let timestamps_ms = self.timestamps_ms.as_mut().map(|all| all.split_off(count));
        Promises {
            topic: self.topic,
            partition: self.partition,
            lease: self.lease.split_off(tokens.len() * self.bytes_each()),
            tokens,
            timestamps_ms,
            ticket: self.ticket.as_ref().map(Ticket::fork),
            home: self.home.clone(),
        }
    }

    /// The promise is somebody else's now: nothing is owed here any more.
    pub fn hand_over(mut self) {
        self.tokens.clear();
    }

    /// Takes out the memory that the records are counted for, to pay for another place with it.
    pub fn take_lease(&mut self) -> Lease {
        std::mem::replace(&mut self.lease, Lease::nothing())
    }

    /// Puts back what `take_lease` took.
    pub fn put_lease(&mut self, lease: Lease) {
        self.lease = lease;
    }

    /// The one report of all these records.
    pub fn report(mut self, outcome: Outcome) -> Report {
        self.take_report(outcome)
    }

    fn take_report(&mut self, outcome: Outcome) -> Report {
        Report {
            topic: self.topic,
            partition: self.partition,
            code: outcome.code,
            message: outcome.message,
            persistence: outcome.persistence,
            base_offset: outcome.base_offset,
            log_append_time_ms: outcome.log_append_time_ms,
            latency_ns: outcome.latency_ns,
            tokens: std::mem::take(&mut self.tokens),
            timestamps_ms: self.timestamps_ms.take(),
            lease: std::mem::replace(&mut self.lease, Lease::nothing()),
            ticket: self.ticket.take(),
            taken: 0,
        }
    }
}

impl Drop for Promises {
    fn drop(&mut self) {
        if !self.tokens.is_empty() {
            let text = "lost by a fault inside ottla; please report it";
            let report = self.take_report(Outcome::failed(ErrorCode::PANIC, text, true));
            self.home.deliver([report]);
        }
    }
}
