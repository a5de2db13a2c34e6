//! Owns what the producer knows of brokers as peers: connections, what each of them speaks, requests
//! in flight and their time, and the metadata updates. Sans-IO: time and network are arguments.
//! Never looks into a produce request or response and never retries one: that is the sender's.
//! Java: `NetworkClient`.
//!
//! A turn of the sender: [`Client::ready`] per node with work, [`Client::send`], then [`Client::poll`]
//! until the earlier of its own deadline and [`Client::next_deadline`].
//!
//! Metadata goes first, but never blocks: `ready` and `poll` send a due update to whatever broker has
//! room before anything else may use that room; when no broker has any, produce requests to healthy
//! ones go on. (Java's client refuses all sending while an update is due.)

mod addresses;
mod connect;
mod dispatch;
mod event;
mod in_flight;
pub mod network;
mod node;
mod pick;
mod question;
mod receive;
mod settings;
mod update;
mod versions;

#[cfg(test)]
mod connections_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod requests_tests;
#[cfg(test)]
mod tests_support;
#[cfg(test)]
mod updates_tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::backoff::ExponentialBackoff;
use crate::metadata::Metadata;
use crate::protocol::ApiKey;
use crate::time::{Clock, Time};

pub use crate::metadata::NodeId;
pub use event::{ClientEvent, OutgoingRequest, RequestFailure};
pub use settings::ClientSettings;
pub use versions::NodeApiVersions;

use network::{ConnectionId, LookupId, Network, NetworkEvent};
use node::{Peer, Phase};
use question::FirstQuestion;

/// The connections of one producer to all its brokers.
#[derive(Debug)]
pub struct Client<N: Network> {
    settings: ClientSettings,
    reconnect_backoff: ExponentialBackoff,
    setup_timeout: ExponentialBackoff,
    metadata: Arc<Metadata>,
    network: N,
    random: fastrand::Rng,
    peers: BTreeMap<NodeId, Peer>,
    connections: HashMap<ConnectionId, NodeId>,
    lookups: HashMap<LookupId, NodeId>,
    next_connection: u64,
    next_lookup: u64,
    next_correlation_id: i32,
    /// Since when a metadata update is tried that did not succeed yet.
    update_wanted_since: Option<Time>,
    /// What a broker is asked first that was not asked before.
    first_question: FirstQuestion,
    /// `BrokersUnreachable` was told and no broker was reached since.
    unreachable_told: bool,
    /// What the next poll tells first.
    events: Vec<ClientEvent>,
    arrived: Vec<NetworkEvent>,
}

impl<N: Network> Client<N> {
    /// A client without connections. The first poll begins to ask for metadata.
    pub fn new(settings: ClientSettings, metadata: Arc<Metadata>, network: N, seed: u64) -> Self {
        let ClientSettings { setup_timeout_ms, setup_timeout_max_ms, .. } = settings;
        Client {
            reconnect_backoff: ExponentialBackoff::new(
                settings.reconnect_backoff_ms,
                settings.reconnect_backoff_max_ms,
            ),
            setup_timeout: ExponentialBackoff::new(setup_timeout_ms, setup_timeout_max_ms),
            settings,
            metadata,
            network,
            random: fastrand::Rng::with_seed(seed),
            peers: BTreeMap::new(),
            connections: HashMap::new(),
            lookups: HashMap::new(),
            next_connection: 0,
            next_lookup: 0,
            next_correlation_id: 0,
            update_wanted_since: None,
            first_question: FirstQuestion::default(),
            unreachable_told: false,
            events: Vec::new(),
            arrived: Vec::new(),
        }
    }

    /// Whether a request can be sent to `node` now. If there is no connection and one may be made,
    /// this starts it. A metadata update that is due takes its place first.
    pub fn ready(&mut self, node: NodeId, now: Time) -> bool {
        self.update_metadata(now);
        if self.can_dial(node, now) {
            self.dial(node, now);
        }
        let max_in_flight = self.settings.max_in_flight;
        let left = self.is_left(node);
        let Some(peer) = self.peers.get_mut(&node) else { return false };
        peer.retired = left;
        !left && peer.can_send(max_in_flight)
    }

    /// Whether the node left the cluster. One that left may be back without a metadata answer: a Produce
    /// response can name it as a leader (KIP-951).
    fn is_left(&self, node: NodeId) -> bool {
        let retired = self.peers.get(&node).is_some_and(|peer| peer.retired);
        retired && !self.metadata.snapshot().nodes.contains_key(&node)
    }

    /// When to ask [`Client::ready`] again: [`Time::NEVER`] means that an event will come before it is
    /// worth it.
    pub fn poll_delay(&self, node: NodeId, now: Time) -> Time {
        match self.peers.get(&node).map(|peer| (peer.phase(), peer)) {
            Some(_) if self.is_left(node) => Time::NEVER,
            Some((Phase::BackingOff | Phase::Throttled, peer)) => peer.until().max(now),
            Some((Phase::Ready, peer)) if peer.can_send(self.settings.max_in_flight) => now,
            Some((Phase::Disconnected, _)) | None if self.can_dial(node, now) => now,
            _ => Time::NEVER,
        }
    }

    /// The newest usable version of an API on a node that has answered ApiVersions.
    pub fn usable_version(&self, node: NodeId, api: ApiKey) -> Option<i16> {
        self.node_versions(node)?.usable(api)
    }

    /// The newest usable version of an API from `lowest` to `highest` on a node that has answered
    /// ApiVersions.
    pub fn version_within(
        &self,
        node: NodeId,
        api: ApiKey,
        lowest: i16,
        highest: i16,
    ) -> Option<i16> {
        let versions = self.node_versions(node)?;
        let version = versions.usable_from(api, lowest)?.min(highest);
        versions.supports(api, version).then_some(version)
    }

    /// The finalized level of a feature, as the broker says that has the newest; 0 when there is none.
    pub fn finalized_level(&self, feature: &str) -> i16 {
        let told = self.peers.values().filter_map(|peer| peer.versions.as_ref());
        let newest = told.max_by_key(|versions| versions.features_epoch());
        newest.map_or(0, |versions| versions.finalized_level(feature))
    }

    /// The newest usable version of Produce on a node that has answered ApiVersions.
    pub fn produce_version(&self, node: NodeId) -> Option<i16> {
        self.usable_version(node, ApiKey::Produce)
    }

    /// What a node that has answered ApiVersions speaks, and its cluster's finalized features.
    pub fn node_versions(&self, node: NodeId) -> Option<&NodeApiVersions> {
        self.peers.get(&node)?.versions.as_ref()
    }

    /// Waits for the network until `deadline`, [`Client::next_deadline`] or an event, does what came
    /// due, and appends what the sender must know. Gives the time after the wait, which is the only
    /// one it reads from `clock`.
    pub fn poll(
        &mut self,
        deadline: Time,
        now: Time,
        clock: &dyn Clock,
        events: &mut Vec<ClientEvent>,
    ) -> Time {
        self.tend(now);
        let deadline = deadline.min(self.next_deadline(now));
        let mut arrived = std::mem::take(&mut self.arrived);
        self.network.poll(deadline, now, &mut arrived);
        let now = clock.now();
        for event in arrived.drain(..) {
            self.receive(event, now);
        }
        self.arrived = arrived;
        self.tend(now);
        events.append(&mut self.events);
        now
    }

    /// The next time at which [`Client::poll`] would do something by itself: a metadata update, the
    /// end of a request's or a connection attempt's time, the end of a backoff that an update waits
    /// for, a rebootstrap, what the network has to do. `now` when there are events to tell.
    pub fn next_deadline(&self, now: Time) -> Time {
        if !self.events.is_empty() {
            return now;
        }
        let peers = self.peers.values().map(Peer::deadline).min().unwrap_or(Time::NEVER);
        peers.min(self.update_deadline(now)).min(self.network.next_deadline())
    }

    /// The node that a request which any broker can answer should go to: [`Client::ready`] is to be
    /// asked about it. `None` while there is none to send or connect to.
    pub fn least_loaded(&mut self, now: Time) -> Option<NodeId> {
        match self.pick(now) {
            pick::Pick::Send(node) | pick::Pick::Connect(node) => Some(node),
            pick::Pick::Wait | pick::Pick::Busy | pick::Pick::Unreachable => None,
        }
    }

    /// When to ask [`Client::least_loaded`] again: [`Time::NEVER`] means that an event will come before
    /// it is worth it.
    pub fn any_node_at(&self, now: Time) -> Time {
        let cluster = self.metadata.snapshot();
        pick::retry_at(&cluster, &self.peers, self.settings.max_in_flight, now)
    }

    /// Requests to `node` without outcome, the client's own included.
    pub fn in_flight(&self, node: NodeId) -> usize {
        self.peers.get(&node).map_or(0, |peer| peer.in_flight.count())
    }

    /// Requests without outcome, the client's own included.
    pub fn total_in_flight(&self) -> usize {
        self.peers.values().map(|peer| peer.in_flight.count()).sum()
    }

    /// The network, for what only its owner knows (its counters, its wake-up).
    pub fn network(&mut self) -> &mut N {
        &mut self.network
    }

    /// Closes every connection; what was in flight fails as disconnected. The client is not to be used
    /// afterwards.
    pub fn close(&mut self, now: Time, events: &mut Vec<ClientEvent>) {
        let nodes: Vec<NodeId> = self.peers.keys().copied().collect();
        for node in nodes {
            self.leave(node, "the client was closed", now);
        }
        events.append(&mut self.events);
    }

    fn pick(&mut self, now: Time) -> pick::Pick {
        let cluster = self.metadata.snapshot();
        pick::pick(&cluster, &self.peers, self.settings.max_in_flight, &mut self.random, now)
    }

    /// Does what time brings: ends what is late, then starts what is due.
    fn tend(&mut self, now: Time) {
        let late = |peers: &BTreeMap<NodeId, Peer>| {
            peers.values().find(|peer| peer.deadline() <= now).map(|peer| peer.id)
        };
        while let Some(node) = late(&self.peers) {
            self.expire(node, now);
        }
        self.peers.values_mut().for_each(|peer| peer.settle(now));
        self.update_metadata(now);
    }
}
