//! Reads the Produce response, and writes it for the mock broker. Never judges an error code.

use bytes::{BufMut, Bytes};
use kafka_protocol::messages::ApiKey;

use super::request::topic_ref;
use super::{TopicRef, FLEXIBLE_SINCE, NEWEST, TOPIC_IDS_SINCE};
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::framing::{finish, put_response_header};
use crate::protocol::wire::{put_length, put_text, put_uvarint, Read, Reader};

/// The first version that tells of new leaders (KIP-951).
const LEADERS_SINCE: i16 = 10;

/// What a broker answers to a Produce request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProduceResponse {
    /// How long the broker held the answer back, or wants the client to wait (KIP-219), because a
    /// quota was exceeded; 0 before v1.
    pub throttle_time_ms: i32,
    /// One answer for each partition of the request, in the broker's order.
    pub partitions: Vec<PartitionResponse>,
    /// The addresses of the leaders that `current_leader` names; empty before v10.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// What became of one partition's records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionResponse {
    /// The topic.
    pub topic: TopicRef,
    /// The partition.
    pub partition: i32,
    /// 0, or why nothing was appended.
    pub error_code: i16,
    /// The offset of the first record, -1 when not known.
    pub base_offset: i64,
    /// The broker's timestamp for all of the records when the topic is set so, else -1.
    pub log_append_time_ms: i64,
    /// The first offset that the partition still has; -1 before v5.
    pub log_start_offset: i64,
    /// The records that made the broker refuse the batch, by their index in it, each perhaps with
    /// a reason; empty before v8.
    pub record_errors: Vec<(i32, Option<String>)>,
    /// What the broker says about the error.
    pub error_message: Option<String>,
    /// The leader's node id and leader epoch, when the broker asked is not the leader (v10).
    pub current_leader: Option<(i32, i32)>,
}

/// Where a broker listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeEndpoint {
    /// The broker's node id.
    pub node_id: i32,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: i32,
    /// The broker's rack.
    pub rack: Option<String>,
}

/// Reads the body of a Produce response to a request of `version`. Bytes left over are let pass,
/// as Kafka's own client does.
pub fn decode_response(version: i16, body: &[u8]) -> Result<ProduceResponse> {
    check_version(version)?;
    response(&mut Reader::new(body), version)
        .map_err(|found| found.into_error(ApiKey::Produce, version, "response"))
}

fn check_version(version: i16) -> Result<()> {
    if (0..=NEWEST).contains(&version) {
        return Ok(());
    }
    let message = format!("Produce v{version} is not known");
    Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, message))
}

fn response(reader: &mut Reader<'_>, version: i16) -> Read<ProduceResponse> {
    let flexible = version >= FLEXIBLE_SINCE;
    let mut response = ProduceResponse::default();
    // A name or an id, a count, tagged fields.
    let smallest_topic = match version {
        TOPIC_IDS_SINCE.. => 16 + 1 + 1,
        FLEXIBLE_SINCE.. => 1 + 1 + 1,
        _ => 2 + 4,
    };
    for _ in 0..reader.field("responses").count_not_null(flexible, smallest_topic)? {
        let topic = topic_ref(reader, version)?;
        let count = reader
            .field("partition_responses")
            .count_not_null(flexible, smallest_partition(version))?;
        response.partitions.reserve(count);
        for _ in 0..count {
            response.partitions.push(partition(reader, version, &topic)?);
        }
        if flexible {
            reader.field("tagged fields").skip_tagged_fields()?;
        }
    }
    if version >= 1 {
        response.throttle_time_ms = reader.field("throttle_time_ms").i32()?;
    }
    if flexible {
        let endpoints = &mut response.node_endpoints;
        reader.field("tagged fields").tagged_fields(|tag, inside| {
            if tag != 0 || version < LEADERS_SINCE {
                return Ok(false);
            }
            *endpoints = node_endpoints(inside)?;
            Ok(true)
        })?;
    }
    Ok(response)
}

/// The bytes that a partition's answer takes at least.
const fn smallest_partition(version: i16) -> usize {
    let mut bytes = 4 + 2 + 8;
    if version >= 2 {
        bytes += 8;
    }
    if version >= 5 {
        bytes += 8;
    }
    if version >= FLEXIBLE_SINCE {
        bytes + 1 + 1 + 1
    } else if version >= 8 {
        bytes + 4 + 2
    } else {
        bytes
    }
}

fn partition(reader: &mut Reader<'_>, version: i16, topic: &TopicRef) -> Read<PartitionResponse> {
    let flexible = version >= FLEXIBLE_SINCE;
    let mut answer = PartitionResponse {
        topic: topic.clone(),
        partition: reader.field("index").i32()?,
        error_code: reader.field("error_code").i16()?,
        base_offset: reader.field("base_offset").i64()?,
        log_append_time_ms: -1,
        log_start_offset: -1,
        record_errors: Vec::new(),
        error_message: None,
        current_leader: None,
    };
    if version >= 2 {
        answer.log_append_time_ms = reader.field("log_append_time_ms").i64()?;
    }
    if version >= 5 {
        answer.log_start_offset = reader.field("log_start_offset").i64()?;
    }
    if version >= 8 {
        // An index, then a length and tagged fields of a byte each, or a length of two bytes.
        let count = reader.field("record_errors").count_not_null(flexible, 4 + 2)?;
        answer.record_errors.reserve_exact(count);
        for _ in 0..count {
            let index = reader.field("batch_index").i32()?;
            let message = reader.field("batch_index_error_message").message(flexible)?;
            if flexible {
                reader.skip_tagged_fields()?;
            }
            answer.record_errors.push((index, message));
        }
        answer.error_message = reader.field("error_message").message(flexible)?;
    }
    if flexible {
        let leader = &mut answer.current_leader;
        reader.field("tagged fields").tagged_fields(|tag, inside| {
            if tag != 0 || version < LEADERS_SINCE {
                return Ok(false);
            }
            *leader = Some((inside.i32()?, inside.i32()?));
            inside.skip_tagged_fields()?;
            Ok(true)
        })?;
    }
    Ok(answer)
}

fn node_endpoints(reader: &mut Reader<'_>) -> Read<Vec<NodeEndpoint>> {
    // A node id, a length, a port, a length, tagged fields.
    let count = reader.field("node_endpoints").count_not_null(true, 4 + 1 + 4 + 1 + 1)?;
    let mut endpoints = Vec::with_capacity(count);
    for _ in 0..count {
        endpoints.push(NodeEndpoint {
            node_id: reader.i32()?,
            host: reader.text(true)?.to_owned(),
            port: reader.i32()?,
            rack: reader.nullable_text(true)?.map(str::to_owned),
        });
        reader.skip_tagged_fields()?;
    }
    Ok(endpoints)
}

/// A whole response frame: length, header, message. Neighbours in `partitions` that have the same
/// topic become one topic of the message. What `version` has no field for is left out; a topic
/// named in the other way than `version` names topics is an error.
pub fn encode_response(
    version: i16,
    correlation_id: i32,
    response: &ProduceResponse,
) -> Result<Bytes> {
    check_version(version)?;
    let mut buffer = Vec::with_capacity(64 + 64 * response.partitions.len());
    put_response_header(&mut buffer, ApiKey::Produce, version, correlation_id);
    put_response(&mut buffer, version, response)?;
    finish(buffer, ApiKey::Produce, version, "response")
}

fn put_response(buffer: &mut Vec<u8>, version: i16, response: &ProduceResponse) -> Result<()> {
    let flexible = version >= FLEXIBLE_SINCE;
    let topics = || response.partitions.chunk_by(|one, other| one.topic == other.topic);
    put_length(buffer, flexible, topics().count());
    for partitions in topics() {
        match &partitions[0].topic {
            TopicRef::Id(id) if version >= TOPIC_IDS_SINCE => buffer.put_slice(id.as_bytes()),
            TopicRef::Name(name) if version < TOPIC_IDS_SINCE => {
                put_text(buffer, flexible, Some(name))?;
            }
            topic => {
                let message = format!("Produce v{version} cannot name a topic by {topic:?}");
                return Err(Error::new(ErrorCode::ARGUMENT, message));
            }
        }
        put_length(buffer, flexible, partitions.len());
        for partition in partitions {
            put_partition(buffer, version, partition)?;
        }
        if flexible {
            put_uvarint(buffer, 0);
        }
    }
    if version >= 1 {
        buffer.put_i32(response.throttle_time_ms);
    }
    if version >= LEADERS_SINCE && !response.node_endpoints.is_empty() {
        put_node_endpoints(buffer, &response.node_endpoints)?;
    } else if flexible {
        put_uvarint(buffer, 0);
    }
    Ok(())
}

fn put_partition(buffer: &mut Vec<u8>, version: i16, answer: &PartitionResponse) -> Result<()> {
    let flexible = version >= FLEXIBLE_SINCE;
    buffer.put_i32(answer.partition);
    buffer.put_i16(answer.error_code);
    buffer.put_i64(answer.base_offset);
    if version >= 2 {
        buffer.put_i64(answer.log_append_time_ms);
    }
    if version >= 5 {
        buffer.put_i64(answer.log_start_offset);
    }
    if version >= 8 {
        put_length(buffer, flexible, answer.record_errors.len());
        for (index, message) in &answer.record_errors {
            buffer.put_i32(*index);
            put_text(buffer, flexible, message.as_deref())?;
            if flexible {
                put_uvarint(buffer, 0);
            }
        }
        put_text(buffer, flexible, answer.error_message.as_deref())?;
    }
    match answer.current_leader {
        Some((leader, epoch)) if version >= LEADERS_SINCE => {
            // One tagged field: tag 0 of 9 bytes.
            buffer.put_slice(&[1, 0, 9]);
            buffer.put_i32(leader);
            buffer.put_i32(epoch);
            put_uvarint(buffer, 0);
        }
        _ if flexible => put_uvarint(buffer, 0),
        _ => {}
    }
    Ok(())
}

/// The message's tagged fields, which are `endpoints` alone.
fn put_node_endpoints(buffer: &mut Vec<u8>, endpoints: &[NodeEndpoint]) -> Result<()> {
    let mut field = Vec::new();
    put_length(&mut field, true, endpoints.len());
    for endpoint in endpoints {
        field.put_i32(endpoint.node_id);
        put_text(&mut field, true, Some(&endpoint.host))?;
        field.put_i32(endpoint.port);
        put_text(&mut field, true, endpoint.rack.as_deref())?;
        put_uvarint(&mut field, 0);
    }
    buffer.put_slice(&[1, 0]);
    put_uvarint(buffer, field.len() as u32);
    buffer.put_slice(&field);
    Ok(())
}
