//! Owns the values that pass between the sender and the client. Never holds behaviour.

use bytes::Bytes;

use crate::error::Error;
use crate::metadata::NodeId;
use crate::protocol::frame::Frame;
use crate::protocol::ApiKey;
use crate::time::Time;

/// A request that the sender built.
#[derive(Debug)]
pub struct OutgoingRequest {
    /// The API.
    pub api: ApiKey,
    /// Its version.
    pub version: i16,
    /// The id in the frame's header, from `Client::next_correlation_id`.
    pub correlation_id: i32,
    /// The whole request with its length.
    pub frame: Frame,
    /// False for acks=0: the request is complete when its last byte was flushed.
    pub expects_response: bool,
    /// How long the response may take.
    pub timeout_ms: u32,
    /// Comes back with the response.
    pub tag: u64,
}

/// Why a request has no response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestFailure {
    /// The connection ended first.
    Disconnected {
        /// Why, for people.
        cause: String,
        /// Whether the last byte of the request may have left: if not, no broker can have acted on it.
        written: bool,
    },
    /// No response within the request's time; the connection was closed for it.
    TimedOut {
        /// As for a connection that ended.
        written: bool,
    },
    /// The broker does not speak this version of the API; nothing was sent.
    UnsupportedVersion,
}

/// What the sender must know.
#[derive(Debug)]
pub enum ClientEvent {
    /// The end of a request: exactly one for each that was given to `Client::send`.
    Response {
        /// The request's tag.
        tag: u64,
        /// Where it was sent.
        node: NodeId,
        /// The request's API.
        api: ApiKey,
        /// The request's version, which the body is to be read with.
        version: i16,
        /// The body after the response header (empty when none was expected), or what went wrong.
        outcome: Result<Bytes, RequestFailure>,
        /// When it was handed to the network.
        sent_at: Time,
    },
    /// The node told what it speaks: requests can go there.
    Ready(NodeId),
    /// A connection ended, or could not be made, for a reason worth a line in a log.
    Disconnected {
        /// The node.
        node: NodeId,
        /// Which broker it was and why.
        error: Error,
    },
    /// The broker asked to be left alone (KIP-219).
    Throttled {
        /// The node.
        node: NodeId,
        /// For how long, in milliseconds.
        ms: u32,
    },
    /// A new snapshot is there.
    MetadataUpdated,
    /// A metadata update failed; it will be tried again.
    MetadataFailed(Error),
    /// No broker can be reached: each known one failed and none is connected. Told once until one is
    /// reached again.
    BrokersUnreachable(Error),
}
