//! What a producer knows of the cluster, as a snapshot with accessors. Copies the core's snapshot once,
//! with texts as C wants them; never asks the cluster anything.
#![allow(unsafe_code)]

use std::ffi::{c_char, CString};
use std::ptr;

use crate::capi::error::{c_text, ottla_error_t};
use crate::capi::producer::ottla_producer_t;
use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::metadata::{ClusterSnapshot, PartitionMetadata};
use crate::producer::TopicId;

/// The cluster as a producer knew it at one moment; only topics that it uses. Freed by the caller with
/// ottla_metadata_free(). Never changes, so any number of threads may read it; texts that it
/// gives belong to it.
pub struct ottla_metadata_t {
    _opaque: [u8; 0],
}

pub(super) struct MetadataObject {
    cluster_id: CString,
    controller: i32,
    brokers: Vec<Broker>,
    topics: Vec<Topic>,
}

struct Broker {
    id: i32,
    host: CString,
    port: u16,
    rack: Option<CString>,
}

struct Topic {
    name: CString,
    id: [u8; 16],
    error: i32,
    partitions: Vec<PartitionMetadata>,
}

impl Kind for MetadataObject {
    type Opaque = ottla_metadata_t;
    const NUMBER: usize = 4;
}

impl MetadataObject {
    fn of(snapshot: &ClusterSnapshot) -> MetadataObject {
        let known = snapshot.nodes.values().filter(|node| !node.id.is_bootstrap());
        let brokers = known.map(|node| Broker {
            id: node.id.0,
            host: c_text(&node.host),
            port: node.port,
            rack: node.rack.as_deref().map(c_text),
        });
        let topics = snapshot.topics.values().map(|topic| Topic {
            name: c_text(&topic.name),
            id: topic.id.into_bytes(),
            error: topic.error.value(),
            partitions: topic.partitions.clone(),
        });
        let mut topics: Vec<Topic> = topics.collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        MetadataObject {
            cluster_id: c_text(snapshot.cluster_id.as_deref().unwrap_or_default()),
            controller: snapshot.controller.map_or(-1, |node| node.0),
            brokers: brokers.collect(),
            topics,
        }
    }
}

fn no_such(what: &str, index: usize, count: usize) -> Error {
    Error::new(ErrorCode::ARGUMENT, format!("{what} {index}: there are {count}"))
}

/// What the producer knows of the cluster now. Does not wait and asks nobody.
///
/// # Safety
/// `metadata_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_metadata(
    producer: *mut ottla_producer_t,
    metadata_out: *mut *mut ottla_metadata_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("metadata_out", metadata_out);
        let done = guard::on_producer(producer, guard::METADATA, |object| {
            let place = place?;
            place.write(registry::insert(MetadataObject::of(&object.producer.cluster()))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// As ottla_producer_metadata(), but waits until the partitions of `topic` are known, at most
/// `timeout_ms` (below 0: without limit). OTTLA_ERROR_TIMED_OUT, or the topic's error.
///
/// # Safety
/// `metadata_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_topic_metadata(
    producer: *mut ottla_producer_t,
    topic: u32,
    timeout_ms: i64,
    metadata_out: *mut *mut ottla_metadata_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("metadata_out", metadata_out);
        let done = guard::on_producer(producer, guard::TOPIC_METADATA, |object| {
            let place = place?;
            let limit = guard::timeout(timeout_ms);
            let snapshot = object.producer.topic_metadata(TopicId(topic), limit)?;
            place.write(registry::insert(MetadataObject::of(&snapshot))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// Asks the cluster for its brokers and for all topics, or for one: `topic`, if it is not NULL; also those
/// that the producer does not use. Never creates a topic: one that is not there comes with its error. On a
/// connection of its own, at most `timeout_ms` (below 0: without limit). (librdkafka: rd_kafka_metadata.)
/// OTTLA_ERROR_TIMED_OUT, or why no broker can be used.
///
/// # Safety
/// `topic` is NULL or readable for its length; `metadata_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_survey(
    producer: *mut ottla_producer_t,
    topic: *const c_char,
    topic_len: usize,
    timeout_ms: i64,
    metadata_out: *mut *mut ottla_metadata_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("metadata_out", metadata_out);
        let name = match topic.is_null() {
            true => Ok(None),
            false => gate::text("topic", topic, topic_len).map(Some),
        };
        let done = guard::on_producer(producer, guard::SURVEY, |object| {
            let (place, name) = (place?, name?);
            let one = name.as_slice();
            let limit = guard::timeout(timeout_ms);
            let snapshot = object.producer.survey(name.map(|_| one), limit)?;
            place.write(registry::insert(MetadataObject::of(&snapshot))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// The cluster's id, or "" when it is not known.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_cluster_id(
    metadata: *const ottla_metadata_t,
) -> *const c_char {
    guard::look::<MetadataObject, _>(metadata, c"".as_ptr(), |object| object.cluster_id.as_ptr())
}

/// The controller's id, or -1 when it is not known.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_controller(metadata: *const ottla_metadata_t) -> i32 {
    guard::look::<MetadataObject, _>(metadata, -1, |object| object.controller)
}

/// Number of brokers; 0 until one has answered.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_broker_count(metadata: *const ottla_metadata_t) -> usize {
    guard::look::<MetadataObject, _>(metadata, 0, |object| object.brokers.len())
}

/// The `index`-th broker: its id, host, port, and rack (NULL when it has none). Places may be NULL.
///
/// # Safety
/// Each place is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_broker(
    metadata: *const ottla_metadata_t,
    index: usize,
    id_out: *mut i32,
    host_out: *mut *const c_char,
    port_out: *mut u16,
    rack_out: *mut *const c_char,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (id, host, port, rack) = unsafe {
        (
            gate::out_optional(id_out),
            gate::out_optional(host_out),
            gate::out_optional(port_out),
            gate::out_optional(rack_out),
        )
    };
    guard::answer(guard::on::<MetadataObject>(metadata, |object| {
        let brokers = &object.brokers;
        let broker = brokers.get(index).ok_or_else(|| no_such("broker", index, brokers.len()))?;
        put(id, broker.id);
        put(host, broker.host.as_ptr());
        put(port, broker.port);
        put(rack, broker.rack.as_ref().map_or(ptr::null(), |rack| rack.as_ptr()));
        Ok(())
    }))
}

fn put<T>(place: Option<&mut std::mem::MaybeUninit<T>>, value: T) {
    if let Some(place) = place {
        place.write(value);
    }
}

/// Number of topics, which are in the order of their names.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_topic_count(metadata: *const ottla_metadata_t) -> usize {
    guard::look::<MetadataObject, _>(metadata, 0, |object| object.topics.len())
}

/// The `index`-th topic: its name, its id (16 bytes, all 0 when unknown), its error (0 for none) and its
/// number of partitions. Places may be NULL.
///
/// # Safety
/// Each place is NULL or writable, `id_out` for 16 bytes.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_topic(
    metadata: *const ottla_metadata_t,
    index: usize,
    name_out: *mut *const c_char,
    id_out: *mut u8,
    error_out: *mut i32,
    partition_count_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (name, id, error, count) = unsafe {
        (
            gate::out_optional(name_out),
            gate::out_optional(id_out.cast::<[u8; 16]>()),
            gate::out_optional(error_out),
            gate::out_optional(partition_count_out),
        )
    };
    guard::answer(guard::on::<MetadataObject>(metadata, |object| {
        let topic = topic_at(object, index)?;
        put(name, topic.name.as_ptr());
        put(id, topic.id);
        put(error, topic.error);
        put(count, topic.partitions.len());
        Ok(())
    }))
}

fn topic_at(object: &MetadataObject, index: usize) -> Result<&Topic> {
    object.topics.get(index).ok_or_else(|| no_such("topic", index, object.topics.len()))
}

/// A partition of the `topic_index`-th topic: its leader (-1: none), the leader's epoch (-1: unknown) and
/// its error (0 for none). Places may be NULL.
///
/// # Safety
/// Each place is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_partition(
    metadata: *const ottla_metadata_t,
    topic_index: usize,
    partition: i32,
    leader_out: *mut i32,
    leader_epoch_out: *mut i32,
    error_out: *mut i32,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (leader, epoch, error) = unsafe {
        (
            gate::out_optional(leader_out),
            gate::out_optional(leader_epoch_out),
            gate::out_optional(error_out),
        )
    };
    guard::answer(guard::on::<MetadataObject>(metadata, |object| {
        let found = partition_at(object, topic_index, partition)?;
        put(leader, found.leader.map_or(-1, |node| node.0));
        put(epoch, found.leader_epoch);
        put(error, found.error.value());
        Ok(())
    }))
}

fn partition_at(
    object: &MetadataObject,
    topic_index: usize,
    partition: i32,
) -> Result<&PartitionMetadata> {
    let partitions = &topic_at(object, topic_index)?.partitions;
    let index = usize::try_from(partition).unwrap_or(usize::MAX);
    partitions.get(index).ok_or_else(|| no_such("partition", index, partitions.len()))
}

/// The brokers that have a partition, and those of them that are in sync: arrays of ids that belong to
/// the snapshot. Places may be NULL.
///
/// # Safety
/// Each place is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_replicas(
    metadata: *const ottla_metadata_t,
    topic_index: usize,
    partition: i32,
    replicas_out: *mut *const i32,
    replica_count_out: *mut usize,
    in_sync_out: *mut *const i32,
    in_sync_count_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (replicas, replica_count, in_sync, in_sync_count) = unsafe {
        (
            gate::out_optional(replicas_out),
            gate::out_optional(replica_count_out),
            gate::out_optional(in_sync_out),
            gate::out_optional(in_sync_count_out),
        )
    };
    guard::answer(guard::on::<MetadataObject>(metadata, |object| {
        let found = partition_at(object, topic_index, partition)?;
        put(replicas, found.replicas.as_ptr());
        put(replica_count, found.replicas.len());
        put(in_sync, found.in_sync.as_ptr());
        put(in_sync_count, found.in_sync.len());
        Ok(())
    }))
}

/// Frees a snapshot. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
///
/// # Safety
/// Texts and arrays of the snapshot are not used any more.
#[no_mangle]
pub unsafe extern "C" fn ottla_metadata_free(metadata: *mut ottla_metadata_t) -> i32 {
    guard::free::<MetadataObject>(metadata)
}
