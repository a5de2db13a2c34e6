//! Owns the bytes of requests and responses: which versions ottla speaks, request and response
//! headers, the produce codec, the frame that a request leaves in, and the check that a message is what it
//! claims before the `kafka-protocol` crate may allocate for it. Never opens a connection and never
//! decides what to send: bytes in, values out, and the other way round.

pub mod age;
pub mod frame;
mod framing;
pub mod produce;
#[cfg(test)]
mod samples;
mod shape;
mod shape_requests;
mod shape_responses;
pub mod versions;
mod wire;

pub use framing::{
    decode_api_versions_response, decode_request, decode_response, encode_request, encode_response,
    request_header, response_correlation_id, strip_response_header, RequestHeader,
};
pub use kafka_protocol::messages::{self, ApiKey};
pub use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
