//! Owns the way back: what the network tells, the matching of responses to requests, ApiVersions and
//! throttling. A response that is not what it must be closes its connection and nothing else.

use bytes::Bytes;

use crate::error::{Error, ErrorCode};
use crate::metadata::NodeId;
use crate::protocol::age::is_age_answer;
use crate::protocol::messages::ApiVersionsRequest;
use crate::protocol::{
    decode_api_versions_response, response_correlation_id, strip_response_header, versions, ApiKey,
    StrBytes,
};
use crate::time::Time;

use super::event::ClientEvent;
use super::in_flight::{Purpose, Request};
use super::network::{ConnectionId, Network, NetworkEvent};
use super::node::{Phase, Step};
use super::question::Question;
use super::versions::{client_must_throttle, NodeApiVersions};
use super::Client;

/// How this library names itself to brokers (KIP-511).
const SOFTWARE_NAME: &str = "ottla";
const SOFTWARE_VERSION: &str = env!("CARGO_PKG_VERSION");

impl<N: Network> Client<N> {
    pub(super) fn receive(&mut self, event: NetworkEvent, now: Time) {
        match event {
            NetworkEvent::Connected(connection) => self.connected(connection, now),
            NetworkEvent::Sent { id, tag } => self.flushed(id, tag, now),
            NetworkEvent::Received { id, bytes } => self.answered(id, bytes, now),
            NetworkEvent::Disconnected { id, cause, unsent } => {
                self.disconnected(id, &cause, &unsent, now);
            }
            NetworkEvent::Resolved { lookup, result } => self.resolved(lookup, result, now),
        }
    }

    /// Keeps a broker's wish for silence (KIP-219): for `throttle_time_ms` nothing is sent to it, and
    /// that time does not count against the requests in flight. Responses of versions that the broker
    /// delayed itself are left out. For responses whose bodies the caller reads.
    pub fn throttle(
        &mut self,
        node: NodeId,
        api: ApiKey,
        version: i16,
        throttle_time_ms: i32,
        now: Time,
    ) {
        let Ok(ms @ 1..) = u32::try_from(throttle_time_ms) else { return };
        if !client_must_throttle(api, version) {
            return;
        }
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let mut until = now.plus_ms(u64::from(ms));
        match peer.phase() {
            Phase::Ready => {}
            Phase::Throttled => until = until.max(peer.until()),
            _ => return,
        }
        peer.step(Step::Throttle, until);
        peer.in_flight.delay(u64::from(ms));
        self.events.push(ClientEvent::Throttled { node, ms });
    }

    /// Asks what the broker speaks, at first with the newest version there is.
    pub(super) fn ask_versions(&mut self, node: NodeId, version: Option<i16>, now: Time) {
        let version = version.unwrap_or(versions::API_VERSIONS.max);
        let mut request = ApiVersionsRequest::default();
        if version >= 3 {
            request.client_software_name = StrBytes::from_static_str(SOFTWARE_NAME);
            request.client_software_version = StrBytes::from_static_str(SOFTWARE_VERSION);
        }
        let api = ApiKey::ApiVersions;
        let sent = self.send_own(node, api, version, &request, Purpose::ApiVersions, now);
        if let Err(error) = sent {
            self.disconnect(node, error.message(), now);
        }
    }

    fn flushed(&mut self, connection: ConnectionId, tag: u64, now: Time) {
        let Some(&node) = self.connections.get(&connection) else { return };
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let Ok(correlation_id) = i32::try_from(tag) else { return };
        if let Some(request) = peer.in_flight.flushed(correlation_id) {
            self.complete(node, request, Bytes::new(), now);
        }
    }

    fn answered(&mut self, connection: ConnectionId, bytes: Bytes, now: Time) {
        let Some(&node) = self.connections.get(&connection) else { return };
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let Some(next) = peer.in_flight.next_answered() else {
            return self.protocol_failure(node, "sent a response that nobody asked for", now);
        };
        let (api, version, expected) = (next.api, next.version, next.correlation_id);
        let body = response_correlation_id(&bytes).and_then(|id| {
            if id != expected {
                let what = format!("sent correlation id {id} where {expected} is due ({api:?})");
                return Err(Error::new(ErrorCode::PROTOCOL, what));
            }
            strip_response_header(api, version, bytes)
        });
        match body {
            Ok(body) => {
                if let Some(request) = peer.in_flight.complete_next() {
                    self.complete(node, request, body, now);
                }
            }
            Err(error) => self.protocol_failure(node, error.message(), now),
        }
    }

    fn complete(&mut self, node: NodeId, request: Request, body: Bytes, now: Time) {
        let Request { api, version, sent_at, .. } = request;
        match request.purpose {
            Purpose::Caller { tag } => {
                let outcome = Ok(body);
                let response = ClientEvent::Response { tag, node, api, version, outcome, sent_at };
                self.events.push(response);
            }
            Purpose::ApiVersions => self.versions_answered(node, version, body, now),
            Purpose::Age if is_age_answer(&body) => self.age_answered(node),
            Purpose::Age => {
                self.protocol_failure(node, "answered a request that no version has", now);
            }
            Purpose::Metadata(update) => {
                self.metadata_answered(node, &update, version, body, now);
            }
        }
        self.drop_if_retired(node, now);
    }

    fn versions_answered(&mut self, node: NodeId, version: i16, body: Bytes, now: Time) {
        let unsupported = (ErrorCode::UNSUPPORTED_VERSION.value() as i16).to_be_bytes();
        let refused = version > 0 && body.starts_with(&unsupported);
        let response = match decode_api_versions_response(version, body) {
            Ok(response) => response,
            // Some brokers refuse with nothing readable behind the error code.
            Err(_) if refused => return self.ask_versions(node, Some(0), now),
            Err(error) => return self.protocol_failure(node, error.message(), now),
        };
        let versions = NodeApiVersions::new(&response);
        match ErrorCode::from_broker(response.error_code) {
            ErrorCode::NONE => {
                self.accept_versions(node, versions, Question::Versions);
                let ms = response.throttle_time_ms;
                self.throttle(node, ApiKey::ApiVersions, version, ms, now);
            }
            ErrorCode::UNSUPPORTED_VERSION if version > 0 => {
                let listed = versions.usable(ApiKey::ApiVersions);
                // Only ever downwards: a broker that refuses what it lists gets version 0.
                let next = listed.filter(|&listed| listed < version).unwrap_or(0);
                self.ask_versions(node, Some(next), now);
            }
            code => {
                let what = format!("ApiVersions failed: {}", code.description());
                self.disconnect(node, &what, now);
            }
        }
    }
}
