//! Owns the client's part in metadata updates: when to send one where, what to make of the answer,
//! going back to the bootstrap servers (KIP-899, KIP-1102), and telling that no broker is reachable.
//! The rules of merging and of time are `metadata`'s.

use bytes::Bytes;

use crate::error::{Error, ErrorCode};
use crate::metadata::{NodeId, UpdateRequest};
use crate::protocol::messages::MetadataResponse;
use crate::protocol::{decode_response, ApiKey};
use crate::time::Time;

use super::event::ClientEvent;
use super::in_flight::Purpose;
use super::network::Network;
use super::pick::{retry_at, Pick};
use super::Client;

impl<N: Network> Client<N> {
    /// Sends a metadata update that is due, or does what has to come before it can be sent.
    pub(super) fn update_metadata(&mut self, now: Time) {
        if self.rebootstrap_deadline() <= now {
            let ms = self.settings.rebootstrap_trigger_ms;
            self.rebootstrap(&format!("no metadata update succeeded for {ms} ms"), now);
        }
        if self.metadata.next_update() > now {
            return;
        }
        let mut pick = self.pick(now);
        if pick == Pick::Busy {
            // Room comes with the next answer or when a request is late: until then nothing has failed.
            return;
        }
        self.update_wanted_since.get_or_insert(now);
        if pick == Pick::Unreachable && self.may_rebootstrap() {
            self.rebootstrap("no known broker can be reached", now);
            pick = self.pick(now);
        }
        match pick {
            Pick::Send(node) => self.send_update(node, now),
            Pick::Connect(node) => self.dial(node, now),
            Pick::Wait | Pick::Busy | Pick::Unreachable => {}
        }
    }

    /// The next time at which an update has something to do.
    pub(super) fn update_deadline(&self, now: Time) -> Time {
        let due_at = self.metadata.next_update();
        let next = if due_at > now {
            due_at
        } else {
            let cluster = self.metadata.snapshot();
            retry_at(&cluster, &self.peers, self.settings.max_in_flight, now)
        };
        next.min(self.rebootstrap_deadline())
    }

    fn send_update(&mut self, node: NodeId, now: Time) {
        let update = self.metadata.begin_update(now);
        let lowest = self.metadata.lowest_request_version();
        let usable =
            self.node_versions(node).and_then(|its| its.usable_from(ApiKey::Metadata, lowest));
        let sent = match usable {
            Some(version) => {
                let purpose = Purpose::Metadata(update.clone());
                let message = update.message();
                self.send_own(node, ApiKey::Metadata, version, &message, purpose, now)
            }
            None => {
                let what = format!("broker {node} speaks no Metadata version from {lowest} on");
                Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, what))
            }
        };
        if let Err(error) = sent {
            self.metadata.fail(&update, now);
            self.events.push(ClientEvent::MetadataFailed(error));
        }
    }

    pub(super) fn metadata_answered(
        &mut self,
        node: NodeId,
        update: &UpdateRequest,
        version: i16,
        body: Bytes,
        now: Time,
    ) {
        let answer: MetadataResponse = match decode_response(ApiKey::Metadata, version, body) {
            Ok(answer) => answer,
            Err(error) => {
                self.metadata.fail(update, now);
                self.protocol_failure(node, error.message(), now);
                return self.events.push(ClientEvent::MetadataFailed(error));
            }
        };
        self.throttle(node, ApiKey::Metadata, version, answer.throttle_time_ms, now);
        match self.metadata.apply(update, answer, version, now) {
            Ok(()) => {
                self.update_wanted_since = None;
                self.events.push(ClientEvent::MetadataUpdated);
                self.retire_strangers(now);
            }
            Err(error) => {
                match error.code() {
                    ErrorCode::PROTOCOL => self.protocol_failure(node, error.message(), now),
                    ErrorCode::REBOOTSTRAP_REQUIRED if self.may_rebootstrap() => {
                        self.rebootstrap("a broker asked for it", now);
                    }
                    _ => {}
                }
                self.events.push(ClientEvent::MetadataFailed(error));
            }
        }
    }

    /// Going back to the servers that are in use already would bring nothing.
    fn may_rebootstrap(&self) -> bool {
        self.settings.rebootstrap && !self.metadata.snapshot().is_bootstrap()
    }

    fn rebootstrap_deadline(&self) -> Time {
        match self.update_wanted_since {
            Some(since) if self.may_rebootstrap() => {
                since.plus_ms(self.settings.rebootstrap_trigger_ms)
            }
            _ => Time::NEVER,
        }
    }

    fn rebootstrap(&mut self, why: &str, now: Time) {
        let why = format!("back to the bootstrap servers: {why}");
        let nodes: Vec<NodeId> = self.peers.keys().copied().collect();
        for node in nodes {
            self.leave(node, &why, now);
        }
        self.metadata.rebootstrap();
        self.update_wanted_since = Some(now);
        self.events.push(ClientEvent::MetadataUpdated);
    }

    /// Leaves brokers that are no longer in the metadata, the bootstrap servers above all, as soon as
    /// nothing is in flight to them.
    fn retire_strangers(&mut self, now: Time) {
        let cluster = self.metadata.snapshot();
        for peer in self.peers.values_mut() {
            peer.retired = !cluster.nodes.contains_key(&peer.id);
        }
        let retired: Vec<NodeId> =
            self.peers.values().filter(|peer| peer.retired).map(|peer| peer.id).collect();
        for node in retired {
            self.drop_if_retired(node, now);
        }
    }

    pub(super) fn drop_if_retired(&mut self, node: NodeId, now: Time) {
        let Some(peer) = self.peers.get(&node) else { return };
        if !peer.retired || peer.in_flight.count() > 0 {
            return;
        }
        if peer.connection.is_some() || peer.lookup.is_some() {
            // Comes back here when that is done.
            return self.leave(node, "the broker is no longer part of the cluster", now);
        }
        // A bootstrap server's backoff outlives its connection: it will be asked again.
        if !node.is_bootstrap() {
            self.peers.remove(&node);
        }
    }

    pub(super) fn tell_if_unreachable(&mut self, last: &Error) {
        let cluster = self.metadata.snapshot();
        let failed = |node: &NodeId| {
            self.peers
                .get(node)
                // One that may be too old for ApiVersions is asked for its age first.
                .is_some_and(|peer| {
                    peer.failures > 0 && !peer.may_be_old() && !peer.phase().is_established()
                })
        };
        if self.unreachable_told || !cluster.nodes.keys().all(failed) {
            return;
        }
        self.unreachable_told = true;
        let count = cluster.nodes.len();
        let message = format!("no broker can be reached ({count} tried); last: {}", last.message());
        self.events.push(ClientEvent::BrokersUnreachable(Error::new(last.code(), message)));
    }
}
