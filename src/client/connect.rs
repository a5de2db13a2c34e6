//! Owns the making and ending of connections: look-up, addresses in turn, patience, backoff, and what
//! becomes of the requests of a connection that ends. Never reads a response.

use std::sync::Arc;

use crate::error::{Error, ErrorCode};
use crate::metadata::NodeId;
use crate::time::Time;

use super::event::{ClientEvent, RequestFailure};
use super::in_flight::{Purpose, Request};
use super::network::{ConnectionId, DisconnectCause, LookupId, Network};
use super::node::{Peer, Phase, Step};
use super::Client;

/// How a connection ended, as its requests are told.
struct End<'a> {
    error: &'a Error,
    /// The requests of which, as the network told, the last byte had not left.
    unsent: &'a [u64],
    /// The connection was closed because requests were late.
    late: bool,
}

impl<N: Network> Client<N> {
    /// Closes the connection to `node` because of something its user found, and backs off. Without a
    /// connection nothing happens.
    pub fn disconnect(&mut self, node: NodeId, why: &str, now: Time) {
        self.break_off(node, ErrorCode::TRANSPORT, why, now);
    }

    /// Closes the connection to `node` because a response body was not what it should be.
    pub fn protocol_failure(&mut self, node: NodeId, what: &str, now: Time) {
        self.break_off(node, ErrorCode::PROTOCOL, what, now);
    }

    pub(super) fn can_dial(&self, node: NodeId, now: Time) -> bool {
        let free = self.peers.get(&node).is_none_or(|peer| match peer.phase() {
            Phase::Disconnected => true,
            Phase::BackingOff => peer.until() <= now,
            _ => false,
        });
        free && self.metadata.snapshot().nodes.contains_key(&node)
    }

    /// Begins a connection to a node that [`Client::can_dial`].
    pub(super) fn dial(&mut self, node: NodeId, now: Time) {
        let cluster = self.metadata.snapshot();
        let Some(broker) = cluster.nodes.get(&node) else { return };
        let peer = self.peers.entry(node).or_insert_with(|| Peer::new(node));
        peer.settle(now);
        peer.retired = false;
        peer.label = broker.to_string().into();
        peer.last_attempt = now;
        peer.addresses.set_host(&broker.host, broker.port);
        if !peer.addresses.has_next() {
            match peer.addresses.literal() {
                Some(address) => peer.addresses.fill(vec![address]),
                None => return self.look_up(node, &broker.host, broker.port),
            }
        }
        self.connect_next(node, now);
    }

    fn look_up(&mut self, node: NodeId, host: &str, port: u16) {
        let lookup = LookupId(self.next_lookup);
        self.next_lookup += 1;
        if let Some(peer) = self.peers.get_mut(&node) {
            // No patience runs out here: the system's resolver ends by itself, and asking it again
            // before that would only pile up threads.
            peer.step(Step::Resolve, Time::NEVER);
            peer.lookup = Some(lookup);
            self.lookups.insert(lookup, node);
            self.network.resolve(lookup, host, port);
        }
    }

    pub(super) fn resolved(
        &mut self,
        lookup: LookupId,
        result: Result<Vec<std::net::SocketAddr>, String>,
        now: Time,
    ) {
        let Some(node) = self.lookups.remove(&lookup) else { return };
        let Some(peer) = self.peers.get_mut(&node) else { return };
        peer.lookup = None;
        let found = result.and_then(|addresses| {
            if addresses.is_empty() {
                return Err("the name has no address".to_owned());
            }
            Ok(addresses)
        });
        match found {
            Ok(addresses) => {
                peer.addresses.fill(addresses);
                self.connect_next(node, now);
            }
            Err(what) => {
                let message = format!("{}: the host name cannot be resolved: {what}", peer.label);
                self.lose(node, Error::new(ErrorCode::RESOLVE, message), &[], now);
            }
        }
    }

    /// Connects to the next address that lets itself be tried.
    fn connect_next(&mut self, node: NodeId, now: Time) {
        let mut last = None;
        while let Some(peer) = self.peers.get_mut(&node) {
            let Some(address) = peer.addresses.next() else { break };
            let connection = ConnectionId(self.next_connection);
            self.next_connection += 1;
            match self.network.connect(connection, address, now) {
                Ok(()) => {
                    let patience_ms =
                        self.setup_timeout.delay_ms(peer.setup_failures, &mut self.random);
                    peer.last_attempt = now;
                    peer.step(Step::Connect, now.plus_ms(patience_ms));
                    peer.connection = Some(connection);
                    self.connections.insert(connection, node);
                    return;
                }
                Err(cause) => {
                    peer.setup_failures = peer.setup_failures.saturating_add(1);
                    last = Some(cause);
                }
            }
        }
        if let (Some(cause), Some(peer)) = (last, self.peers.get(&node)) {
            let error = describe(&peer.label, peer.phase(), &cause);
            self.lose(node, error, &[], now);
        }
    }

    pub(super) fn connected(&mut self, connection: ConnectionId, now: Time) {
        let Some(&node) = self.connections.get(&connection) else { return };
        let Some(peer) = self.peers.get_mut(&node) else { return };
        if peer.phase() != Phase::Connecting {
            return;
        }
        peer.setup_failures = 0;
        peer.step(Step::Establish, Time::NEVER);
        self.ask_first(node, now);
    }

    /// The network lost a connection.
    pub(super) fn disconnected(
        &mut self,
        connection: ConnectionId,
        cause: &DisconnectCause,
        unsent: &[u64],
        now: Time,
    ) {
        let Some(node) = self.connections.remove(&connection) else { return };
        let Some(peer) = self.peers.get_mut(&node) else { return };
        peer.connection = None;
        let error = describe(&peer.label, peer.phase(), cause);
        let connecting = peer.phase() == Phase::Connecting;
        self.note_end(node);
        if *cause == DisconnectCause::Idle {
            self.part(node, &End { error: &error, unsent, late: false }, now);
        } else if connecting {
            self.attempt_failed(node, error, now);
        } else {
            self.lose(node, error, unsent, now);
        }
    }

    /// An attempt to connect failed: to the next address at once, or back off when there is none.
    fn attempt_failed(&mut self, node: NodeId, error: Error, now: Time) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        peer.setup_failures = peer.setup_failures.saturating_add(1);
        if peer.addresses.has_next() {
            self.hang_up(node);
            self.connect_next(node, now);
        } else {
            self.lose(node, error, &[], now);
        }
    }

    /// The patience with a connection attempt or a request of `node` is over.
    pub(super) fn expire(&mut self, node: NodeId, now: Time) {
        let Some(peer) = self.peers.get(&node) else { return };
        if peer.phase() == Phase::Connecting {
            let ms = now.since(peer.last_attempt).as_millis();
            let message = format!("{}: no connection within {ms} ms", peer.label);
            self.attempt_failed(node, Error::new(ErrorCode::TRANSPORT, message), now);
        } else {
            let message = format!("{}: a request timed out", peer.label);
            let error = Error::new(ErrorCode::TIMED_OUT, message);
            self.note_end(node);
            self.fall(node, &End { error: &error, unsent: &[], late: true }, now);
        }
    }

    fn break_off(&mut self, node: NodeId, code: ErrorCode, what: &str, now: Time) {
        let Some(peer) = self.peers.get(&node) else { return };
        if peer.connection.is_some() {
            let error = Error::new(code, format!("{}: {what}", peer.label));
            self.note_end(node);
            self.lose(node, error, &[], now);
        }
    }

    /// The connection, or the attempt to make one, failed.
    fn lose(&mut self, node: NodeId, error: Error, unsent: &[u64], now: Time) {
        self.fall(node, &End { error: &error, unsent, late: false }, now);
    }

    fn fall(&mut self, node: NodeId, end: &End<'_>, now: Time) {
        let unsent = self.hang_up(node);
        let Some(peer) = self.peers.get_mut(&node) else { return };
        if peer.phase().is_established() {
            peer.addresses.forget_untried();
        }
        let backoff_ms = self.reconnect_backoff.delay_ms(peer.failures, &mut self.random);
        peer.failures = peer.failures.saturating_add(1);
        peer.step(Step::Fail, now.plus_ms(backoff_ms));
        let requests = peer.in_flight.take_all();
        self.cancel(node, requests, &unsent, end, now);
        self.events.push(ClientEvent::Disconnected { node, error: end.error.clone() });
        self.metadata.request_update();
        self.tell_if_unreachable(end.error);
        self.drop_if_retired(node, now);
    }

    /// Ends the connection to `node` for no failure: no backoff, no event but for its requests.
    pub(super) fn leave(&mut self, node: NodeId, why: &str, now: Time) {
        let Some(peer) = self.peers.get(&node) else { return };
        let error = Error::new(ErrorCode::TRANSPORT, format!("{}: {why}", peer.label));
        self.part(node, &End { error: &error, unsent: &[], late: false }, now);
    }

    fn part(&mut self, node: NodeId, end: &End<'_>, now: Time) {
        let unsent = self.hang_up(node);
        let Some(peer) = self.peers.get_mut(&node) else { return };
        // A backoff that is under way goes on.
        let until = if peer.phase() == Phase::BackingOff { peer.until() } else { Time::NEVER };
        peer.addresses.forget_untried();
        peer.step(Step::Leave, until);
        let requests = peer.in_flight.take_all();
        self.cancel(node, requests, &unsent, end, now);
        self.drop_if_retired(node, now);
    }

    /// Closes what connection or look-up there is; gives the requests of which the last byte had not left.
    fn hang_up(&mut self, node: NodeId) -> Vec<u64> {
        let Some(peer) = self.peers.get_mut(&node) else { return Vec::new() };
        peer.versions = None;
        if let Some(lookup) = peer.lookup.take() {
            self.lookups.remove(&lookup);
        }
        let Some(connection) = peer.connection.take() else { return Vec::new() };
        self.connections.remove(&connection);
        self.network.close(connection)
    }

    fn cancel(
        &mut self,
        node: NodeId,
        requests: Vec<Request>,
        unsent: &[u64],
        end: &End<'_>,
        now: Time,
    ) {
        for request in requests {
            let tag = request.correlation_id as u64;
            let written = !end.unsent.contains(&tag) && !unsent.contains(&tag);
            match request.purpose {
                Purpose::Caller { tag } => {
                    let outcome = if end.late && request.deadline <= now {
                        RequestFailure::TimedOut { written }
                    } else {
                        let cause = end.error.message().to_owned();
                        RequestFailure::Disconnected { cause, written }
                    };
                    self.events.push(ClientEvent::Response {
                        tag,
                        node,
                        api: request.api,
                        version: request.version,
                        outcome: Err(outcome),
                        sent_at: request.sent_at,
                    });
                }
                Purpose::Metadata(update) => {
                    self.metadata.fail(&update, now);
                    self.events.push(ClientEvent::MetadataFailed(end.error.clone()));
                }
                Purpose::ApiVersions | Purpose::Age => {}
            }
        }
    }
}

/// The error for a connection that ended while it was in `phase`.
fn describe(label: &Arc<str>, phase: Phase, cause: &DisconnectCause) -> Error {
    let (code, what) = match cause {
        DisconnectCause::ConnectFailed(what) => {
            (ErrorCode::TRANSPORT, format!("the connection failed: {what}"))
        }
        DisconnectCause::ClosedByPeer if phase == Phase::CheckingVersions => {
            let what = "the broker closed the connection before it told what it speaks";
            (ErrorCode::TRANSPORT, what.to_owned())
        }
        DisconnectCause::ClosedByPeer => {
            (ErrorCode::TRANSPORT, "the broker closed the connection".to_owned())
        }
        DisconnectCause::Io(what) => (ErrorCode::TRANSPORT, what.clone()),
        DisconnectCause::InvalidFrame(what) => (ErrorCode::PROTOCOL, what.clone()),
        DisconnectCause::Idle => {
            (ErrorCode::TRANSPORT, "the connection was idle for too long".to_owned())
        }
    };
    Error::new(code, format!("{label}: {what}"))
}
