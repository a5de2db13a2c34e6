//! The Produce API, v0 to v13, in both directions: what the sender writes and reads on the hot
//! path, and the other halves for the mock broker. Never copies a record that the caller wants to
//! keep elsewhere, and never looks into one.
//!
//! What the versions changed: v1 `throttle_time_ms`; v2 `log_append_time_ms`; v3
//! `transactional_id`; v5 `log_start_offset`; v8 record errors and a message; v9 compact lengths
//! and tagged fields; v10 the current leader and its address (KIP-951); v13 topic ids instead of
//! names (KIP-516).

mod request;
mod response;
mod writer;

use std::sync::Arc;

use uuid::Uuid;

pub use request::{decode_request, PartitionView, ProduceRequestView, TopicView};
pub use response::{
    decode_response, encode_response, NodeEndpoint, PartitionResponse, ProduceResponse,
};
pub use writer::{Piece, ProduceRequest, ProduceWriter};

/// The first version with compact lengths and tagged fields.
const FLEXIBLE_SINCE: i16 = 9;
/// The first version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;
/// The last version that this codec knows.
const NEWEST: i16 = 13;

/// How a message names a topic: by name up to v12, by id from v13 on.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum TopicRef {
    /// The name.
    Name(Arc<str>),
    /// The id, which a topic made anew under the same name does not share.
    Id(Uuid),
}

#[cfg(test)]
mod tests;
