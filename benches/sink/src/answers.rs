//! Answers to every request but Produce. Whole bodies are in memory here; they are small.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

use crate::counters::{Shared, Topic};
use crate::wire::{Reader, Writer};

pub const PRODUCE: i16 = 0;
const METADATA: i16 = 3;
const FIND_COORDINATOR: i16 = 10;
const API_VERSIONS: i16 = 18;
const INIT_PRODUCER_ID: i16 = 22;

const HOST: &str = "127.0.0.1";
const UNSUPPORTED_VERSION: i16 = 35;
const UNKNOWN_TOPIC_ID: i16 = 100;
/// "Not asked for" in the fields of authorized operations.
const NO_OPERATIONS: i32 = i32::MIN;

/// What is advertised beside Produce: (API, lowest, highest version). Fetch, ListOffsets and the group APIs are
/// listed because librdkafka infers features (message format v2, lz4, zstd) from them; calling them closes
/// the connection.
const ADVERTISED: [(i16, i16, i16); 12] = [
    (1, 0, 12),
    (2, 0, 7),
    (METADATA, 0, 13),
    (8, 0, 8),
    (9, 0, 8),
    (FIND_COORDINATOR, 0, 4),
    (11, 0, 7),
    (12, 0, 4),
    (13, 0, 4),
    (14, 0, 5),
    (API_VERSIONS, 0, 4),
    (INIT_PRODUCER_ID, 0, 5),
];

/// Whether a request of this version has the flexible form.
pub fn is_flexible(api: i16, version: i16) -> bool {
    match api {
        PRODUCE | METADATA => version >= 9,
        API_VERSIONS => (3..=4).contains(&version),
        INIT_PRODUCER_ID => version >= 2,
        FIND_COORDINATOR => version >= 3,
        _ => false,
    }
}

/// The answer, or `None` to close the connection.
pub fn answer(
    shared: &Shared,
    api: i16,
    version: i16,
    correlation: i32,
    body: &[u8],
) -> Option<Vec<u8>> {
    let flexible = is_flexible(api, version);
    // The header of this answer is never flexible.
    let flexible_header = flexible && api != API_VERSIONS;
    let mut reader = Reader::new(body);
    let mut writer = Writer::begin(Vec::with_capacity(512), correlation, flexible_header, flexible);
    let counted = match api {
        API_VERSIONS => {
            api_versions(shared, version, &mut writer);
            &shared.count.req_api_versions
        }
        METADATA => {
            metadata(shared, version, &mut reader, &mut writer)?;
            &shared.count.req_metadata
        }
        INIT_PRODUCER_ID => {
            init_producer_id(shared, &mut writer);
            &shared.count.req_init_pid
        }
        FIND_COORDINATOR => {
            find_coordinator(shared, version, &mut reader, &mut writer)?;
            &shared.count.req_find_coordinator
        }
        _ => {
            shared.count.req_other.fetch_add(1, Relaxed);
            return None;
        }
    };
    counted.fetch_add(1, Relaxed);
    writer.tags();
    Some(writer.end())
}

fn api_versions(shared: &Shared, version: i16, writer: &mut Writer) {
    // A version beyond ours is answered in version 0.
    let known = (0..=4).contains(&version);
    writer.i16(if known { 0 } else { UNSUPPORTED_VERSION });
    writer.array(ADVERTISED.len() + 1);
    let produce = (PRODUCE, 0, shared.settings.produce_max);
    for (api, lowest, highest) in std::iter::once(produce).chain(ADVERTISED) {
        writer.i16(api);
        writer.i16(lowest);
        writer.i16(highest);
        writer.tags();
    }
    if known && version >= 1 {
        writer.i32(0);
    }
}

enum Wanted {
    Topic(Arc<Topic>),
    UnknownId([u8; 16]),
}

fn wanted_topics(shared: &Shared, version: i16, reader: &mut Reader<'_>) -> Option<Vec<Wanted>> {
    let flexible = is_flexible(METADATA, version);
    let count = reader.array_len(flexible)?;
    if count < 0 || (count == 0 && version == 0) {
        return Some(shared.topics().into_iter().map(Wanted::Topic).collect());
    }
    let mut wanted = Vec::new();
    for _ in 0..count {
        let id = if version >= 10 { reader.array()? } else { [0; 16] };
        wanted.push(match reader.string(flexible)? {
            Some(name) => Wanted::Topic(shared.topic(name)),
            None => shared.topic_by_id(&id).map_or(Wanted::UnknownId(id), Wanted::Topic),
        });
        reader.tags(flexible)?;
    }
    Some(wanted)
}

fn metadata(
    shared: &Shared,
    version: i16,
    reader: &mut Reader<'_>,
    writer: &mut Writer,
) -> Option<()> {
    let wanted = wanted_topics(shared, version, reader)?;
    if version >= 3 {
        writer.i32(0);
    }
    writer.array(shared.ports.len());
    for (index, port) in shared.ports.iter().enumerate() {
        writer.i32(index as i32 + 1);
        writer.string(Some(HOST));
        writer.i32(i32::from(*port));
        if version >= 1 {
            writer.string(None);
        }
        writer.tags();
    }
    if version >= 2 {
        writer.string(Some("kafka-sink-cluster-aaa"));
    }
    if version >= 1 {
        writer.i32(1);
    }
    writer.array(wanted.len());
    for topic in &wanted {
        match topic {
            Wanted::Topic(topic) => describe(topic, shared.ports.len(), version, writer),
            Wanted::UnknownId(id) => {
                writer.i16(UNKNOWN_TOPIC_ID);
                writer.string(None);
                writer.raw(id);
                writer.i8(0);
                writer.array(0);
                writer.i32(NO_OPERATIONS);
                writer.tags();
            }
        }
    }
    if (8..=10).contains(&version) {
        writer.i32(NO_OPERATIONS);
    }
    if version >= 13 {
        writer.i16(0);
    }
    Some(())
}

fn describe(topic: &Topic, brokers: usize, version: i16, writer: &mut Writer) {
    writer.i16(0);
    writer.string(Some(&topic.name));
    if version >= 10 {
        writer.raw(&topic.id);
    }
    if version >= 1 {
        writer.i8(0);
    }
    writer.array(topic.partitions.len());
    for partition in 0..topic.partitions.len() {
        let leader = (partition % brokers) as i32 + 1;
        writer.i16(0);
        writer.i32(partition as i32);
        writer.i32(leader);
        if version >= 7 {
            writer.i32(0);
        }
        // Replicas, then those in sync.
        for _ in 0..2 {
            writer.array(1);
            writer.i32(leader);
        }
        if version >= 5 {
            writer.array(0);
        }
        writer.tags();
    }
    if version >= 8 {
        writer.i32(NO_OPERATIONS);
    }
    writer.tags();
}

fn init_producer_id(shared: &Shared, writer: &mut Writer) {
    writer.i32(0);
    writer.i16(0);
    writer.i64(shared.next_producer_id.fetch_add(1, Relaxed) as i64);
    writer.i16(0);
}

fn find_coordinator(
    shared: &Shared,
    version: i16,
    reader: &mut Reader<'_>,
    writer: &mut Writer,
) -> Option<()> {
    let flexible = is_flexible(FIND_COORDINATOR, version);
    let port = i32::from(*shared.ports.first()?);
    if version < 4 {
        if version >= 1 {
            writer.i32(0);
        }
        writer.i16(0);
        if version >= 1 {
            writer.string(None);
        }
        writer.i32(1);
        writer.string(Some(HOST));
        writer.i32(port);
        return Some(());
    }
    reader.i8()?;
    let count = reader.array_len(flexible)?.max(0);
    writer.i32(0);
    writer.array(count as usize);
    for _ in 0..count {
        writer.string(reader.string(flexible)?);
        writer.i32(1);
        writer.string(Some(HOST));
        writer.i32(port);
        writer.i16(0);
        writer.string(None);
        writer.tags();
    }
    Some(())
}
