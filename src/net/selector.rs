//! Serves every connection from one thread (Java's `Selector`): finds the channels that have
//! work, gives each a bounded turn, expires idle ones. Never reads a clock, never retries, and
//! never spends time on a channel without work.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::client::network::{
    ConnectionId, DisconnectCause, LookupId, Network, NetworkEvent, NetworkTotals,
};
use crate::net::channel::{Channel, ConnectionStats, Turn, Workspace};
use crate::net::filter::Filter;
use crate::net::idle::IdleOrder;
use crate::net::receive_budget::{Memory, ReceiveBudget};
use crate::net::sockets::{Polled, SocketToken, Sockets};
use crate::protocol::frame::Frame;
use crate::time::Time;

/// How a selector treats its connections.
#[derive(Clone, Debug)]
pub struct SelectorSettings {
    /// A response above this ends its connection (librdkafka's `receive.message.max.bytes`).
    pub receive_message_max_bytes: usize,
    /// A connection without traffic for this long is closed; negative: never.
    pub connections_max_idle_ms: i64,
    /// Memory for responses; `None`: without limit.
    pub receive_budget: Option<ReceiveBudget>,
}

impl Default for SelectorSettings {
    fn default() -> Self {
        SelectorSettings {
            receive_message_max_bytes: 100_000_000,
            connections_max_idle_ms: 540_000,
            receive_budget: None,
        }
    }
}

/// What happened since the selector was made.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct NetworkStats {
    /// All connections together, those that are gone included.
    pub traffic: ConnectionStats,
    /// Connections that were established.
    pub connects: u64,
    /// Attempts that were not, for whatever reason but `close`.
    pub failed_connects: u64,
    /// Established connections that ended, for whatever reason.
    pub closes: u64,
    /// Connections now, those being established included.
    pub open: usize,
}

/// Makes the filters of a new connection, topmost first.
pub type FilterFactory =
    Box<dyn FnMut(ConnectionId, SocketAddr) -> Vec<Box<dyn Filter>> + Send + 'static>;

/// The connections of one client over some kind of sockets.
pub struct Selector<S: Sockets> {
    sockets: S,
    settings: SelectorSettings,
    make_filters: FilterFactory,
    /// By slot; the slot is the socket's token.
    channels: Vec<Option<Channel>>,
    free: Vec<usize>,
    by_id: HashMap<ConnectionId, usize>,
    /// Slots that have work which no socket event will announce (again).
    due: Vec<usize>,
    serving: Vec<usize>,
    /// Slots whose next frame waits for memory, first come first served.
    starved: VecDeque<usize>,
    idle: IdleOrder,
    polled: Polled,
    workspace: Workspace,
    totals: NetworkStats,
}

impl<S: Sockets> Selector<S> {
    /// A selector whose connections are plain TCP.
    pub fn new(sockets: S, settings: SelectorSettings) -> Selector<S> {
        // An empty vector costs no allocation.
        Selector::with_filters(sockets, settings, Box::new(|_, _| Vec::new()))
    }

    /// A selector whose connections pass through filters.
    pub fn with_filters(
        sockets: S,
        settings: SelectorSettings,
        make_filters: FilterFactory,
    ) -> Selector<S> {
        Selector {
            sockets,
            idle: IdleOrder::new(settings.connections_max_idle_ms),
            settings,
            make_filters,
            channels: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            due: Vec::new(),
            serving: Vec::new(),
            starved: VecDeque::new(),
            polled: Polled::default(),
            workspace: Workspace::new(),
            totals: NetworkStats::default(),
        }
    }

    /// The sockets below.
    pub fn sockets(&self) -> &S {
        &self.sockets
    }

    /// Stops reading a connection. What the sockets report meanwhile is remembered.
    pub fn mute(&mut self, id: ConnectionId) {
        if let Some(slot) = self.slot_of(id) {
            self.with(slot, |channel| channel.set_muted(true));
            // A muted channel must not keep others waiting for memory.
            self.starved.retain(|starved| *starved != slot);
        }
    }

    /// Reads the connection again.
    pub fn unmute(&mut self, id: ConnectionId) {
        if let Some(slot) = self.slot_of(id) {
            self.with(slot, |channel| channel.set_muted(false));
            self.enlist(slot);
        }
    }

    /// The traffic of a connection, as long as it exists.
    pub fn connection_stats(&self, id: ConnectionId) -> Option<ConnectionStats> {
        self.channels[self.slot_of(id)?].as_ref().map(Channel::stats)
    }

    /// The traffic of all connections, past and present.
    pub fn totals(&self) -> NetworkStats {
        let mut totals = self.totals;
        totals.open = self.by_id.len();
        for channel in self.channels.iter().flatten() {
            add(&mut totals.traffic, channel.stats());
        }
        totals
    }

    fn slot_of(&self, id: ConnectionId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    fn with<R>(&mut self, slot: usize, action: impl FnOnce(&mut Channel) -> R) -> Option<R> {
        self.channels.get_mut(slot)?.as_mut().map(action)
    }

    /// Puts a channel where its next turn will come from, if a turn can achieve anything.
    fn enlist(&mut self, slot: usize) {
        let Some(channel) = self.channels.get_mut(slot).and_then(Option::as_mut) else { return };
        if channel.is_starved() && !channel.is_muted() && !self.starved.contains(&slot) {
            self.starved.push_back(slot);
        }
        if channel.has_work() && !channel.queued {
            channel.queued = true;
            self.due.push(slot);
        }
    }

    /// Lets waiting frames in, as far as memory was given back.
    fn feed_starved(&mut self) {
        while let Some(slot) = self.starved.front().copied() {
            let budget = self.settings.receive_budget.as_ref();
            let memory = Memory { budget, others_wait: false };
            let channel = self.channels[slot].as_mut();
            if !channel.is_none_or(|channel| channel.admit(memory)) {
                return;
            }
            self.starved.pop_front();
            self.enlist(slot);
        }
    }

    /// One turn for every channel that has work. Work that is left over goes to the next round.
    fn serve(&mut self, events: &mut Vec<NetworkEvent>) {
        std::mem::swap(&mut self.due, &mut self.serving);
        for index in 0..self.serving.len() {
            self.serve_one(self.serving[index], events);
        }
        self.serving.clear();
    }

    fn serve_one(&mut self, slot: usize, events: &mut Vec<NetworkEvent>) {
        let Some(channel) = self.channels[slot].as_mut() else { return };
        channel.queued = false;
        if !channel.has_work() {
            return;
        }
        let was_established = channel.is_established();
        let end = channel.turn(&mut Turn {
            sockets: &mut self.sockets,
            workspace: &mut self.workspace,
            memory: Memory {
                budget: self.settings.receive_budget.as_ref(),
                others_wait: !self.starved.is_empty(),
            },
            events,
        });
        self.totals.connects += u64::from(!was_established && channel.is_established());
        match end {
            None => {
                self.idle.touch(slot);
                self.enlist(slot);
            }
            Some(cause) => self.disconnect(slot, cause, events),
        }
    }

    fn disconnect(&mut self, slot: usize, cause: DisconnectCause, events: &mut Vec<NetworkEvent>) {
        let Some(channel) = self.remove(slot) else { return };
        self.totals.failed_connects += u64::from(!channel.is_established());
        events.push(NetworkEvent::Disconnected { id: channel.id, cause, unsent: channel.unsent() });
    }

    fn remove(&mut self, slot: usize) -> Option<Channel> {
        let mut channel = self.channels[slot].take()?;
        channel.close(&mut self.sockets);
        self.by_id.remove(&channel.id);
        self.starved.retain(|starved| *starved != slot);
        self.due.retain(|due| *due != slot);
        self.idle.forget(slot);
        self.free.push(slot);
        self.totals.closes += u64::from(channel.is_established());
        let stats = ConnectionStats { held_bytes: 0, ..channel.stats() };
        add(&mut self.totals.traffic, stats);
        Some(channel)
    }

    /// At most one per poll, like Java, so that a burst does not look like an outage.
    fn expire_idle(&mut self, now: Time, events: &mut Vec<NetworkEvent>) {
        let Some(slot) = self.idle.expired(now) else { return };
        match self.with(slot, |channel| channel.holds_received()) {
            // It has something to tell that waits for memory or for `unmute`.
            Some(true) => self.idle.touch(slot),
            _ => self.disconnect(slot, DisconnectCause::Idle, events),
        }
    }

    /// The sockets cannot say anything any more, so no connection can go on.
    fn fail_all(&mut self, reason: &str, events: &mut Vec<NetworkEvent>) {
        for slot in 0..self.channels.len() {
            self.disconnect(slot, DisconnectCause::Io(reason.to_owned()), events);
        }
    }
}

impl<S: Sockets> Network for Selector<S> {
    fn totals(&self) -> NetworkTotals {
        let NetworkStats { traffic, connects, failed_connects, closes, open } = self.totals();
        NetworkTotals {
            bytes_in: traffic.bytes_in,
            bytes_out: traffic.bytes_out,
            frames_in: traffic.frames_in,
            frames_out: traffic.frames_out,
            connects,
            failed_connects,
            closes,
            open: open as u64,
        }
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        address: SocketAddr,
        _now: Time,
    ) -> Result<(), DisconnectCause> {
        if self.by_id.contains_key(&id) {
            let reason = format!("connection id {} is in use", id.0);
            return Err(DisconnectCause::ConnectFailed(reason));
        }
        let slot = self.free.last().copied().unwrap_or(self.channels.len());
        let token = SocketToken(slot);
        let at_once = match self.sockets.connect(token, address) {
            Ok(at_once) => at_once,
            Err(error) => {
                self.totals.failed_connects += 1;
                return Err(DisconnectCause::ConnectFailed(error.to_string()));
            }
        };
        let filters = (self.make_filters)(id, address);
        let limit = self.settings.receive_message_max_bytes;
        let mut channel = Channel::new(id, token, filters, limit);
        if at_once {
            channel.connected_at_once();
        }
        match self.free.pop() {
            Some(_) => self.channels[slot] = Some(channel),
            None => self.channels.push(Some(channel)),
        }
        self.by_id.insert(id, slot);
        self.idle.touch(slot);
        self.enlist(slot);
        Ok(())
    }

    fn send(&mut self, id: ConnectionId, frame: Frame, tag: u64, _now: Time) {
        if let Some(slot) = self.slot_of(id) {
            self.with(slot, |channel| channel.push(frame, tag));
            self.enlist(slot);
        }
    }

    fn close(&mut self, id: ConnectionId) -> Vec<u64> {
        let closed = self.slot_of(id).and_then(|slot| self.remove(slot));
        closed.map(|channel| channel.unsent()).unwrap_or_default()
    }

    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16) {
        self.sockets.resolve(lookup, host, port);
    }

    fn poll(&mut self, deadline: Time, now: Time, events: &mut Vec<NetworkEvent>) {
        self.idle.stamp(now);
        self.feed_starved();
        let before = events.len();
        // First what is known to be possible: a frame sent since the last poll usually leaves here.
        self.serve(events);
        let timeout = if events.len() > before || !self.due.is_empty() {
            Some(Duration::ZERO)
        } else {
            deadline.min(self.next_deadline()).until(now)
        };
        if let Err(error) = self.sockets.poll(timeout, &mut self.polled) {
            self.fail_all(&error.to_string(), events);
        }
        for index in 0..self.polled.ready.len() {
            let readiness = self.polled.ready[index];
            let slot = readiness.token.0;
            if self.with(slot, |channel| channel.note(readiness)).is_some() {
                self.enlist(slot);
            }
        }
        self.polled.ready.clear();
        self.serve(events);
        let resolved = self.polled.resolved.drain(..);
        events.extend(resolved.map(|(lookup, result)| NetworkEvent::Resolved { lookup, result }));
        self.expire_idle(now, events);
    }

    fn next_deadline(&self) -> Time {
        self.idle.deadline()
    }
}

fn add(sum: &mut ConnectionStats, more: ConnectionStats) {
    sum.bytes_in += more.bytes_in;
    sum.bytes_out += more.bytes_out;
    sum.frames_in += more.frames_in;
    sum.frames_out += more.frames_out;
    sum.held_bytes += more.held_bytes;
}

#[cfg(test)]
#[path = "selector_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "selector_limits_tests.rs"]
mod limits_tests;
