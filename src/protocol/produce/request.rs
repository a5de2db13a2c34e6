//! Reads a Produce request, as a broker does. The record sets stay in the frame that brought them.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;

use super::{TopicRef, FLEXIBLE_SINCE, NEWEST, TOPIC_IDS_SINCE};
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::wire::{Read, Reader};

/// A Produce request whose records are shares of the bytes it was read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProduceRequestView {
    /// `transactional.id`; `None` before v3.
    pub transactional_id: Option<String>,
    /// How many replicas must have it: 0 none (no response), 1 the leader, -1 all in sync.
    pub acks: i16,
    /// How long to wait for the replicas.
    pub timeout_ms: i32,
    /// The topics, in the order of the request.
    pub topics: Vec<TopicView>,
}

/// A topic of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicView {
    /// Which topic.
    pub topic: TopicRef,
    /// Its partitions, in the order of the request.
    pub partitions: Vec<PartitionView>,
}

/// A partition of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionView {
    /// Which partition.
    pub partition: i32,
    /// Record batches (v3 and later) or message sets; `None` is null on the wire.
    pub records: Option<Bytes>,
}

/// Reads the body of a Produce request of `version`. Bytes left over at the end are an error.
pub fn decode_request(version: i16, body: Bytes) -> Result<ProduceRequestView> {
    if !(0..=NEWEST).contains(&version) {
        let message = format!("Produce v{version} is not known");
        return Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, message));
    }
    let mut reader = Reader::new(&body);
    request(&mut reader, version, &body)
        .map_err(|found| found.into_error(ApiKey::Produce, version, "request"))
}

fn request(reader: &mut Reader<'_>, version: i16, body: &Bytes) -> Read<ProduceRequestView> {
    let flexible = version >= FLEXIBLE_SINCE;
    let transactional_id = if version >= 3 {
        reader.field("transactional_id").nullable_text(flexible)?.map(str::to_owned)
    } else {
        None
    };
    let acks = reader.field("acks").i16()?;
    let timeout_ms = reader.field("timeout_ms").i32()?;
    // A name or an id, a count, tagged fields.
    let smallest_topic = match version {
        TOPIC_IDS_SINCE.. => 16 + 1 + 1,
        FLEXIBLE_SINCE.. => 1 + 1 + 1,
        _ => 2 + 4,
    };
    let count = reader.field("topic_data").count_not_null(flexible, smallest_topic)?;
    let mut topics = Vec::with_capacity(count);
    for _ in 0..count {
        topics.push(topic(reader, version, body)?);
    }
    if flexible {
        reader.field("tagged fields").skip_tagged_fields()?;
    }
    if reader.left() > 0 {
        return reader.fail("bytes left over");
    }
    Ok(ProduceRequestView { transactional_id, acks, timeout_ms, topics })
}

fn topic(reader: &mut Reader<'_>, version: i16, body: &Bytes) -> Read<TopicView> {
    let flexible = version >= FLEXIBLE_SINCE;
    let topic = topic_ref(reader, version)?;
    // An index, a length, tagged fields.
    let smallest_partition = if flexible { 4 + 1 + 1 } else { 4 + 4 };
    let count = reader.field("partition_data").count_not_null(flexible, smallest_partition)?;
    let mut partitions = Vec::with_capacity(count);
    for _ in 0..count {
        let partition = reader.field("index").i32()?;
        let records = reader.field("records").blob(flexible)?;
        if flexible {
            reader.field("tagged fields").skip_tagged_fields()?;
        }
        let records = records.map(|range| body.slice(range));
        partitions.push(PartitionView { partition, records });
    }
    if flexible {
        reader.field("tagged fields").skip_tagged_fields()?;
    }
    Ok(TopicView { topic, partitions })
}

/// The topic's name or id.
pub(super) fn topic_ref(reader: &mut Reader<'_>, version: i16) -> Read<TopicRef> {
    if version >= TOPIC_IDS_SINCE {
        reader.field("topic_id").uuid().map(TopicRef::Id)
    } else {
        let name = reader.field("name").text(version >= FLEXIBLE_SINCE)?;
        Ok(TopicRef::Name(Arc::from(name)))
    }
}
