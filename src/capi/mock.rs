//! The embedded cluster in C: an own one, or the one of a producer with `test.mock.num.brokers`. Passes
//! orders on; what they mean is the cluster's affair.
#![allow(unsafe_code)]

use std::ffi::{c_char, CString};
use std::ptr;

use crate::capi::error::{c_text, ottla_error_t};
use crate::capi::producer::{ottla_producer_t, ProducerObject};
use crate::capi::record::{ottla_header_t, ottla_record_t};
use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::mock::{MockCluster, OwnedRecord};
use crate::protocol::ApiKey;

/// An embedded Kafka cluster on loopback, to test against. Its brokers have the ids 1, 2, .... Made by
/// ottla_mock_cluster_new() and freed by the caller with ottla_mock_cluster_free(), or borrowed
/// from a producer. Any thread may use it. Orders take effect at once.
pub struct ottla_mock_cluster_t {
    _opaque: [u8; 0],
}

pub(super) struct MockHandle {
    of: Owner,
    bootstrap_servers: CString,
}

enum Owner {
    Us(MockCluster),
    /// The handle of the producer that it is borrowed from.
    Producer(usize),
}

impl Kind for MockHandle {
    type Opaque = ottla_mock_cluster_t;
    const NUMBER: usize = 6;
}

impl MockHandle {
    pub(super) fn borrowed(producer: *mut ottla_producer_t, cluster: &MockCluster) -> MockHandle {
        let bootstrap_servers = c_text(&cluster.bootstrap_servers());
        MockHandle { of: Owner::Producer(producer.addr()), bootstrap_servers }
    }

    pub(super) fn owned(cluster: MockCluster) -> MockHandle {
        let bootstrap_servers = c_text(&cluster.bootstrap_servers());
        MockHandle { of: Owner::Us(cluster), bootstrap_servers }
    }

    pub(super) fn with<T>(&self, use_it: impl FnOnce(&MockCluster) -> Result<T>) -> Result<T> {
        match &self.of {
            Owner::Us(cluster) => use_it(cluster),
            Owner::Producer(handle) => {
                let handle = ptr::without_provenance(*handle);
                let producer = registry::enter::<ProducerObject>(handle);
                match producer.as_ref().and_then(|visit| visit.value.producer.mock_cluster()) {
                    Some(cluster) => use_it(cluster),
                    None => Err(ErrorCode::HANDLE.into()),
                }
            }
        }
    }
}

pub(super) fn on_cluster(
    cluster: *const ottla_mock_cluster_t,
    body: impl FnOnce(&MockCluster) -> Result<()>,
) -> i32 {
    guard::answer(guard::on_running::<MockHandle>(cluster, |handle| handle.with(body)))
}

fn api(key: i16) -> Result<ApiKey> {
    ApiKey::try_from(key)
        .map_err(|()| Error::new(ErrorCode::ARGUMENT, format!("{key} is no Kafka API key")))
}

/// Starts a cluster of `brokers` brokers on free ports of 127.0.0.1. Topics are created when a producer
/// asks for them, with 4 partitions. OTTLA_ERROR_TRANSPORT: the system has no socket, port or thread to give.
///
/// # Safety
/// `cluster_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_new(
    brokers: u32,
    cluster_out: *mut *mut ottla_mock_cluster_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("cluster_out", cluster_out);
        let done = guard::free_standing(|| {
            let place = place?;
            if !(1..=1000).contains(&brokers) {
                let text = format!("brokers: 1 to 1000, not {brokers}");
                return Err(Error::new(ErrorCode::ARGUMENT, text));
            }
            let cluster = MockCluster::start(brokers as usize)?;
            place.write(registry::insert(MockHandle::owned(cluster))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// The embedded cluster of a producer with test.mock.num.brokers, to control it and to read back what it
/// stored. Borrowed: it ends with the producer and is not to be freed; the same handle each time.
/// OTTLA_ERROR_STATE: it has none.
///
/// # Safety
/// `cluster_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_mock_cluster(
    producer: *mut ottla_producer_t,
    cluster_out: *mut *mut ottla_mock_cluster_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("cluster_out", cluster_out);
        let done = guard::on_producer(producer, guard::MOCK_CLUSTER, |object| {
            let place = place?;
            let Some(cluster) = object.producer.mock_cluster() else {
                let text = "this producer has no embedded cluster: set test.mock.num.brokers";
                return Err(Error::new(ErrorCode::STATE, text));
            };
            let make =
                || registry::insert(MockHandle::borrowed(producer, cluster)).map(|h| h.addr());
            let handle = *object.mock.get_or_try_init(make)?;
            place.write(ptr::without_provenance_mut(handle));
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// What to set bootstrap.servers to. Belongs to the cluster handle, valid until that is freed; "" for a
/// wrong handle.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_bootstrap_servers(
    cluster: *const ottla_mock_cluster_t,
) -> *const c_char {
    guard::look::<MockHandle, _>(cluster, c"".as_ptr(), |object| object.bootstrap_servers.as_ptr())
}

/// Creates a topic with so many partitions, each on `replication` brokers.
/// OTTLA_ERROR_TOPIC_ALREADY_EXISTS, _INVALID_TOPIC_EXCEPTION, _INVALID_PARTITIONS,
/// _INVALID_REPLICATION_FACTOR.
///
/// # Safety
/// `topic` is readable for its length.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_create_topic(
    cluster: *mut ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    partitions: u32,
    replication: u32,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let topic = unsafe { gate::text("topic", topic, topic_len) };
    on_cluster(cluster, |c| c.create_topic(topic?, partitions as usize, replication as usize))
}

/// The number of partitions of a topic. OTTLA_ERROR_UNKNOWN_TOPIC.
///
/// # Safety
/// `topic` is readable for its length; `count_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_partition_count(
    cluster: *const ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    count_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (topic, place) =
        unsafe { (gate::text("topic", topic, topic_len), gate::out("count_out", count_out)) };
    on_cluster(cluster, |c| {
        place?.write(c.partition_count(topic?)?);
        Ok(())
    })
}

/// Takes a broker down: its connections close, its partitions get other leaders.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_broker_down(
    cluster: *mut ottla_mock_cluster_t,
    broker: i32,
) -> i32 {
    on_cluster(cluster, |c| c.broker_down(broker))
}

/// Brings a broker back.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_broker_up(
    cluster: *mut ottla_mock_cluster_t,
    broker: i32,
) -> i32 {
    on_cluster(cluster, |c| c.broker_up(broker))
}

/// Gives a partition to another leader; -1: to none.
///
/// # Safety
/// `topic` is readable for its length.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_set_leader(
    cluster: *mut ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    partition: i32,
    broker: i32,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let topic = unsafe { gate::text("topic", topic, topic_len) };
    on_cluster(cluster, |c| c.set_leader(topic?, partition, (broker >= 0).then_some(broker)))
}

/// Refuses the next requests of an API (Kafka's key: 0 is Produce, 3 Metadata) with these codes, one each;
/// 0 lets one pass, OTTLA_ERROR_TRANSPORT closes the connection. To Produce, OTTLA_ERROR_REQUEST_TIMED_OUT
/// and OTTLA_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND are answered after the append.
///
/// # Safety
/// `codes` is readable for `count` codes.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_push_errors(
    cluster: *mut ottla_mock_cluster_t,
    api_key: i16,
    codes: *const i32,
    count: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let codes = unsafe { gate::array("codes", codes, count) };
    on_cluster(cluster, |c| {
        c.push_errors(api(api_key)?, &error_codes(codes?));
        Ok(())
    })
}

/// Answers the next batches of a partition with these codes, one each, as ottla_mock_cluster_push_errors();
/// but none of them closes the connection.
///
/// # Safety
/// `topic` is readable for its length, `codes` for `count` codes.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_push_partition_errors(
    cluster: *mut ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    partition: i32,
    codes: *const i32,
    count: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (topic, codes) =
        unsafe { (gate::text("topic", topic, topic_len), gate::array("codes", codes, count)) };
    on_cluster(cluster, |c| {
        c.push_partition_errors(topic?, partition, &error_codes(codes?));
        Ok(())
    })
}

fn error_codes(codes: &[i32]) -> Vec<ErrorCode> {
    codes.iter().copied().map(ErrorCode::from_value).collect()
}

/// Holds every answer of a broker (-1: of all) to an API (-1: to all) back for so many milliseconds; 0
/// ends that. The most specific order counts.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_set_delay(
    cluster: *mut ottla_mock_cluster_t,
    broker: i32,
    api_key: i16,
    delay_ms: u64,
) -> i32 {
    on_cluster(cluster, |c| {
        let api = if api_key < 0 { None } else { Some(api(api_key)?) };
        c.set_delay_ms((broker >= 0).then_some(broker), api, delay_ms);
        Ok(())
    })
}

/// Forgets every error and delay that was ordered.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_clear_faults(
    cluster: *mut ottla_mock_cluster_t,
) -> i32 {
    on_cluster(cluster, |c| {
        c.clear_faults();
        Ok(())
    })
}

/// How many requests of an API have arrived at a broker (-1: at all).
///
/// # Safety
/// `count_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_request_count(
    cluster: *const ottla_mock_cluster_t,
    broker: i32,
    api_key: i16,
    count_out: *mut u64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::out("count_out", count_out) };
    on_cluster(cluster, |c| {
        place?.write(c.request_count((broker >= 0).then_some(broker), api(api_key)?));
        Ok(())
    })
}

/// The offset that the next record of a partition will get.
///
/// # Safety
/// `topic` is readable for its length; `offset_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_end_offset(
    cluster: *const ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    partition: i32,
    offset_out: *mut i64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (topic, place) =
        unsafe { (gate::text("topic", topic, topic_len), gate::out("offset_out", offset_out)) };
    on_cluster(cluster, |c| {
        place?.write(c.log_end_offset(topic?, partition)?);
        Ok(())
    })
}

/// Frees a cluster that was made by ottla_mock_cluster_new(): it stops serving. NULL is fine.
/// OTTLA_ERROR_STATE: it is borrowed from a producer. OTTLA_ERROR_HANDLE if it was freed before.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_free(cluster: *mut ottla_mock_cluster_t) -> i32 {
    if cluster.is_null() {
        return 0;
    }
    let ours = guard::on_running::<MockHandle>(cluster, |handle| match handle.of {
        Owner::Us(_) => Ok(()),
        Owner::Producer(_) => {
            let text = "this cluster belongs to its producer and is freed with it";
            Err(Error::new(ErrorCode::STATE, text))
        }
    });
    match ours {
        Ok(()) => guard::free::<MockHandle>(cluster),
        Err(error) => guard::answer(Err(error)),
    }
}

/// The records of a partition of the embedded cluster, read back at one moment. Freed by the caller with
/// ottla_mock_records_free(). Never changes, so any number of threads may read it; what it gives
/// belongs to it.
pub struct ottla_mock_records_t {
    _opaque: [u8; 0],
}

pub(super) struct RecordsObject {
    partition: i32,
    records: Vec<OwnedRecord>,
    /// For each record its headers as C wants them; they point into `records`.
    headers: Vec<Vec<ottla_header_t>>,
}

// SAFETY: the pointers in `headers` lead to heap memory that `records` owns and that nobody changes.
unsafe impl Send for RecordsObject {}
// SAFETY: as above.
unsafe impl Sync for RecordsObject {}

impl Kind for RecordsObject {
    type Opaque = ottla_mock_records_t;
    const NUMBER: usize = 7;
}

impl RecordsObject {
    pub(super) fn new(partition: i32, records: Vec<OwnedRecord>) -> RecordsObject {
        let headers = records.iter().map(|r| ottla_header_t::views(&r.headers)).collect();
        RecordsObject { partition, records, headers }
    }

    fn view(&self, index: usize) -> Option<ottla_record_t> {
        let (record, headers) = (self.records.get(index)?, self.headers.get(index)?);
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let view = ottla_record_t::view(record.timestamp_ms, key, value, headers);
        Some(ottla_record_t { partition: self.partition, ..view })
    }
}

/// Reads back every record of a partition, whatever became of its transaction
/// (ottla_mock_cluster_records_isolated() tells them apart). OTTLA_ERROR_UNKNOWN_TOPIC, _UNKNOWN_PARTITION.
///
/// # Safety
/// `topic` is readable for its length; `records_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_records(
    cluster: *const ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    partition: i32,
    records_out: *mut *mut ottla_mock_records_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let (topic, place) =
            (gate::text("topic", topic, topic_len), gate::out("records_out", records_out));
        let done = guard::on_running::<MockHandle>(cluster, |handle| {
            let (topic, place) = (topic?, place?);
            let records = handle.with(|cluster| cluster.records(topic, partition))?;
            place.write(registry::insert(RecordsObject::new(partition, records))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// Number of records.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_records_count(records: *const ottla_mock_records_t) -> usize {
    guard::look::<RecordsObject, _>(records, 0, |object| object.records.len())
}

/// The `index`-th record: its fields point into `records`. Set `record_out->size` first, as
/// OTTLA_RECORD_INIT does; topic and token are 0.
///
/// # Safety
/// `record_out` is writable for the size that it begins with; `offset_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_records_at(
    records: *const ottla_mock_records_t,
    index: usize,
    record_out: *mut ottla_record_t,
    offset_out: *mut i64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (place, offset) =
        unsafe { (gate::sized_out("record_out", record_out), gate::out_optional(offset_out)) };
    guard::answer(guard::on::<RecordsObject>(records, |object| {
        let place = place?;
        let view = object.view(index).ok_or_else(|| {
            let count = object.records.len();
            Error::new(ErrorCode::ARGUMENT, format!("record {index}: there are {count}"))
        })?;
        if let Some(offset) = offset {
            offset.write(object.records[index].offset);
        }
        place.write(view);
        Ok(())
    }))
}

/// Frees records that were read back. NULL is fine. OTTLA_ERROR_HANDLE if they were freed before.
///
/// # Safety
/// What the records gave is not used any more.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_records_free(records: *mut ottla_mock_records_t) -> i32 {
    guard::free::<RecordsObject>(records)
}
