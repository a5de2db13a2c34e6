//! One turn: wait for the network, take in what it brought and what application threads asked for, do
//! what is due. The same code runs in production and in the simulator.

use std::fmt;
use std::sync::Arc;

use crate::client::network::Network;
use crate::client::ClientEvent;
use crate::metrics::ProducerMetrics;
use crate::sender::Sender;
use crate::time::{Clock, Time};

/// Commands taken in one turn, so that a flood of them does not keep the network waiting.
const COMMANDS_PER_TURN: usize = 4096;

/// Runs a sender.
pub struct Driver<N: Network> {
    sender: Sender<N>,
    clock: Arc<dyn Clock>,
    metrics: Arc<ProducerMetrics>,
    events: Vec<ClientEvent>,
}

impl<N: Network> Driver<N> {
    /// A driver of `sender`.
    pub fn new(
        sender: Sender<N>,
        clock: Arc<dyn Clock>,
        metrics: Arc<ProducerMetrics>,
    ) -> Driver<N> {
        Driver { sender, clock, metrics, events: Vec::new() }
    }

    /// The sender.
    pub fn sender(&mut self) -> &mut Sender<N> {
        &mut self.sender
    }

    /// When the next turn is due if nothing happens before.
    pub fn next_deadline(&mut self) -> Time {
        let now = self.clock.now();
        let client = self.sender.client().next_deadline(now);
        self.sender.next_deadline(now).min(client)
    }

    /// One turn. False when the producer is closed and every record reported.
    pub fn turn(&mut self) -> bool {
        let now = self.clock.now();
        let mut deadline = self.sender.next_deadline(now);
        let accumulator = self.sender.accumulator().clone();
        let wake_up = deadline.min(self.sender.client().next_deadline(now));
        if !accumulator.inbox.may_sleep(wake_up) {
            deadline = now;
        }
        let mut events = std::mem::take(&mut self.events);
        let now = self.sender.client().poll(deadline, now, &*self.clock, &mut events);
        accumulator.inbox.awake();
        self.metrics.sender.wakeups.increment();
        for event in events.drain(..) {
            self.sender.handle_event(event, now);
        }
        self.events = events;
        for _ in 0..COMMANDS_PER_TURN {
            let Some(command) = accumulator.inbox.next() else { break };
            self.sender.handle_command(command, now);
        }
        let open = self.sender.work(now);
        self.count_traffic();
        open
    }

    fn count_traffic(&mut self) {
        let totals = self.sender.client().network().totals();
        let connection = &self.metrics.connection;
        connection.open.set(totals.open as i64);
        connection.created.raise_to(totals.connects);
        connection.closed.raise_to(totals.closes);
        connection.failed.raise_to(totals.failed_connects);
        connection.bytes_in.raise_to(totals.bytes_in);
        connection.bytes_out.raise_to(totals.bytes_out);
        connection.operations.raise_to(totals.frames_in + totals.frames_out);
        self.metrics.request.requests.raise_to(totals.frames_out);
        self.metrics.request.responses.raise_to(totals.frames_in);
    }

    /// Fails every record that is left; for the end after a fault.
    pub fn abandon(&mut self, text: &str) {
        let now = self.clock.now();
        self.sender.abandon(text, now);
    }
}

impl<N: Network> fmt::Debug for Driver<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Driver({:?})", self.sender)
    }
}
