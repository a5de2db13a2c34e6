//! Owns the way out: correlation ids, the sender's requests and the client's own, and the checks that
//! keep a request off the wire. Never reads a response.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::error::Result;
use crate::metadata::NodeId;
use crate::protocol::{encode_request, ApiKey, Encodable};
use crate::time::Time;

use super::event::{ClientEvent, OutgoingRequest, RequestFailure};
use super::in_flight::{Purpose, Request};
use super::network::Network;
use super::Client;

/// The correlation ids a client uses; the last 8 are left to SASL exchanges, as in Java.
const CORRELATION_IDS: RangeInclusive<i32> = 0..=i32::MAX - 8;

impl<N: Network> Client<N> {
    /// The id for the next request's header.
    pub fn next_correlation_id(&mut self) -> i32 {
        let id = self.next_correlation_id;
        self.next_correlation_id =
            if id == *CORRELATION_IDS.end() { *CORRELATION_IDS.start() } else { id + 1 };
        id
    }

    /// Sends a request to a node that is [`Client::ready`]. Its outcome comes from a later poll as
    /// [`ClientEvent::Response`], exactly once, also when the node is not connected or does not speak
    /// the version; nothing is written then.
    pub fn send(&mut self, node: NodeId, request: OutgoingRequest, now: Time) {
        let OutgoingRequest { api, version, tag, .. } = request;
        let peer = self.peers.get(&node).filter(|peer| peer.phase().is_usable());
        let refusal = match peer.and_then(|peer| peer.versions.as_ref()) {
            Some(versions) if versions.supports(api, version) => {
                let waiting = Request {
                    api,
                    version,
                    correlation_id: request.correlation_id,
                    sent_at: now,
                    deadline: now.plus_ms(u64::from(request.timeout_ms)),
                    purpose: Purpose::Caller { tag },
                };
                return self.hand_over(node, waiting, request.frame, request.expects_response, now);
            }
            Some(_) => RequestFailure::UnsupportedVersion,
            None => {
                let cause = format!("there is no connection to broker {node}");
                RequestFailure::Disconnected { cause, written: false }
            }
        };
        let outcome = Err(refusal);
        self.events.push(ClientEvent::Response { tag, node, api, version, outcome, sent_at: now });
    }

    /// Sends a request of the client itself.
    pub(super) fn send_own<M: Encodable>(
        &mut self,
        node: NodeId,
        api: ApiKey,
        version: i16,
        message: &M,
        purpose: Purpose,
        now: Time,
    ) -> Result<()> {
        let correlation_id = self.next_correlation_id();
        let client_id = &self.settings.client_id;
        let frame: Bytes = encode_request(api, version, correlation_id, client_id, message)?;
        let timeout_ms = match purpose {
            Purpose::ApiVersions => self.versions_patience_ms(node),
            _ => self.settings.request_timeout_ms,
        };
        let deadline = now.plus_ms(u64::from(timeout_ms));
        let request = Request { api, version, correlation_id, sent_at: now, deadline, purpose };
        self.hand_over(node, request, frame.into(), true, now);
        Ok(())
    }

    pub(super) fn hand_over(
        &mut self,
        node: NodeId,
        request: Request,
        frame: crate::protocol::frame::Frame,
        expects_response: bool,
        now: Time,
    ) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let Some(connection) = peer.connection else { return };
        let network_tag = request.correlation_id as u64;
        peer.in_flight.push(request, expects_response);
        self.network.send(connection, frame, network_tag, now);
    }
}
