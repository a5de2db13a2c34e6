//! Transactions in C: the calls, and the consumer group whose offsets go with a transaction. What they mean
//! is the Rust face's affair.
#![allow(unsafe_code)]

use std::ffi::c_char;
use std::ptr;

use crate::capi::error::ottla_error_t;
use crate::capi::producer::ottla_producer_t;
use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{GroupMetadata, GroupOffset};

/// A consumer group as one of its consumers knows it (KIP-447). Made by ottla_group_metadata_new(), freed
/// by the caller with ottla_group_metadata_free(). It never changes; any thread may use it.
pub struct ottla_group_metadata_t {
    _opaque: [u8; 0],
}

struct GroupObject(GroupMetadata);

impl Kind for GroupObject {
    type Opaque = ottla_group_metadata_t;
    const NUMBER: usize = 8;
}

/// How far a consumer group has come in one partition. Start from OTTLA_GROUP_OFFSET_INIT, which sets
/// `size` and the defaults; fields are only ever added at the end.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ottla_group_offset_t {
    /// sizeof(ottla_group_offset_t).
    pub size: u32,
    /// Partition.
    pub partition: i32,
    /// Name of the topic, UTF-8.
    pub topic: *const c_char,
    /// Its length.
    pub topic_len: usize,
    /// The next record to read: one more than the last one that was used.
    pub offset: i64,
    /// Whatever is to be kept with the offset, UTF-8; NULL for nothing.
    pub metadata: *const c_char,
    /// Its length.
    pub metadata_len: usize,
    /// Epoch of the leader that the last record was read from; -1 when not known.
    pub leader_epoch: i32,
    /// Must be 0.
    pub reserved: i32,
}

impl ottla_group_offset_t {
    /// What OTTLA_GROUP_OFFSET_INIT gives.
    pub(super) const INIT: ottla_group_offset_t = ottla_group_offset_t {
        size: size_of::<ottla_group_offset_t>() as u32,
        partition: 0,
        topic: ptr::null(),
        topic_len: 0,
        offset: 0,
        metadata: ptr::null(),
        metadata_len: 0,
        leader_epoch: -1,
        reserved: 0,
    };
}

/// Names a consumer group, and the member of it whose reading a transaction is made from, so that the group
/// can refuse offsets of a member that is no longer the reader (KIP-447). All from the consumer's own group
/// metadata: `group.id`, the generation (or member epoch), the member id, and `group.instance.id` of a
/// static member, or NULL. A consumer that assigns itself partitions has generation -1 and no member:
/// length 0. OTTLA_ERROR_ARGUMENT: no group, a generation below -1, or one without a member.
///
/// # Safety
/// The texts are readable for their lengths; `group_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_group_metadata_new(
    group_id: *const c_char,
    group_id_len: usize,
    generation: i32,
    member_id: *const c_char,
    member_id_len: usize,
    instance_id: *const c_char,
    instance_id_len: usize,
    group_out: *mut *mut ottla_group_metadata_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let group = gate::text("group_id", group_id, group_id_len);
        let member = gate::text("member_id", member_id, member_id_len);
        let instance = gate::text("instance_id", instance_id, instance_id_len);
        let place = gate::out("group_out", group_out);
        let done = guard::free_standing(|| {
            let instance = Some(instance?).filter(|_| !instance_id.is_null());
            let group = GroupMetadata::new(group?, generation, member?, instance)?;
            place?.write(registry::insert(GroupObject(group))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// Frees a group. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_group_metadata_free(group: *mut ottla_group_metadata_t) -> i32 {
    guard::free::<GroupObject>(group)
}

/// Gets the id of a producer with `transactional.id` from its coordinator: once, before the first
/// transaction. An older producer with the same `transactional.id` is shut out from here on, and what it
/// left open is aborted. Waits at most `timeout_ms` (below 0: without limit).
///
/// What holds for all calls about transactions: ask the error what to do. ottla_error_is_abortable(): call
/// ottla_producer_abort_transaction(), then begin again. ottla_error_is_fatal(): close the producer.
/// OTTLA_ERROR_TIMED_OUT: the call goes on; make the same call again (with the same arguments) to wait on.
/// Until it has returned something else, all others of them answer OTTLA_ERROR_STATE (but
/// ottla_producer_close()). OTTLA_ERROR_STATE also when the call does not fit: without `transactional.id`,
/// before this one, outside of a transaction, inside of one.
///
/// OTTLA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the call may be made again. Fatal here:
/// OTTLA_ERROR_INVALID_TRANSACTION_TIMEOUT, _PRODUCER_FENCED, _UNSUPPORTED_VERSION.
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_init_transactions(
    producer: *mut ottla_producer_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::INIT_TRANSACTIONS, |object| {
        object.producer.init_transactions(guard::timeout(timeout_ms))
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// Begins a transaction: what is sent from now on until it ends belongs to it. Without a transaction a
/// producer with `transactional.id` takes no records (OTTLA_ERROR_STATE). Does not wait.
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_begin_transaction(
    producer: *mut ottla_producer_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::BEGIN_TRANSACTION, |object| {
        object.producer.begin_transaction()
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// Has offsets of a consumer group committed with the transaction, if and when it is. They lie `stride` bytes
/// apart (sizeof of your struct); of a partition that comes twice the last one counts; with none at all
/// nothing happens. Waits at most `timeout_ms` (below 0: without limit).
/// Abortable: OTTLA_ERROR_ILLEGAL_GENERATION, _UNKNOWN_MEMBER_ID, _FENCED_INSTANCE_ID: others read the
/// partitions by now; _GROUP_AUTHORIZATION_FAILED.
///
/// # Safety
/// `offsets` holds `count` offsets whose texts are readable for their lengths; `error_out` is NULL or
/// writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_send_offsets_to_transaction(
    producer: *mut ottla_producer_t,
    offsets: *const ottla_group_offset_t,
    count: usize,
    stride: usize,
    group: *const ottla_group_metadata_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::SEND_OFFSETS_TO_TRANSACTION, |object| {
        // SAFETY: as the function's own Safety section says.
        let offsets = unsafe { offsets_of(offsets, count, stride) }?;
        let mut of = None;
        guard::on::<GroupObject>(group, |group| {
            of = Some(group.0.clone());
            Ok(())
        })?;
        let Some(group) = of else { return Err(ErrorCode::HANDLE.into()) };
        let timeout = guard::timeout(timeout_ms);
        object.producer.send_offsets_to_transaction(&offsets, &group, timeout)
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// Sends what lingers, waits until every record of the transaction is acknowledged, and has it committed:
/// readers with isolation.level=read_committed see all of it, or nothing. If a record has failed, nothing
/// is committed: the error is that record's, and abortable. Reports of records come as ever.
/// Waits at most `timeout_ms` (below 0: without limit); OTTLA_ERROR_TIMED_OUT: whether it will be committed
/// is open.
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_commit_transaction(
    producer: *mut ottla_producer_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::COMMIT_TRANSACTION, |object| {
        object.producer.commit_transaction(guard::timeout(timeout_ms))
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// Gives the transaction up. Records that were not sent are reported with OTTLA_ERROR_ABORTED; those that
/// were sent are never seen by readers with isolation.level=read_committed. Waits at most `timeout_ms`
/// (below 0: without limit).
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_abort_transaction(
    producer: *mut ottla_producer_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::ABORT_TRANSACTION, |object| {
        object.producer.abort_transaction(guard::timeout(timeout_ms))
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// # Safety
/// `offsets` holds `count` offsets, `stride` bytes apart, whose texts are readable for their lengths.
unsafe fn offsets_of(
    offsets: *const ottla_group_offset_t,
    count: usize,
    stride: usize,
) -> Result<Vec<GroupOffset>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let aligned = stride > 0 && stride % align_of::<ottla_group_offset_t>() == 0;
    if !aligned || offsets.is_null() || count > isize::MAX as usize / stride {
        let text = format!("offsets: {count} of them cannot lie {stride} bytes apart");
        return Err(Error::new(ErrorCode::ARGUMENT, text));
    }
    // SAFETY: the caller's promise is the same.
    (0..count).map(|index| unsafe { offset_of(offsets, stride, index) }).collect()
}

/// # Safety
/// As [`offsets_of`]; `index` is below its `count`.
unsafe fn offset_of(
    offsets: *const ottla_group_offset_t,
    stride: usize,
    index: usize,
) -> Result<GroupOffset> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        let place = gate::strided(offsets, stride, index);
        let given = gate::sized("offset", place, ottla_group_offset_t::INIT)?;
        if given.size as usize > stride || given.reserved != 0 {
            let text = format!(
                "offset: its {} bytes lie only {stride} apart, or reserved is not 0",
                given.size
            );
            return Err(Error::new(ErrorCode::ARGUMENT, text));
        }
        let topic = gate::text("topic", given.topic, given.topic_len)?;
        let metadata = gate::text("metadata", given.metadata, given.metadata_len)?;
        Ok(GroupOffset {
            leader_epoch: Some(given.leader_epoch).filter(|&epoch| epoch >= 0),
            metadata: (!given.metadata.is_null()).then(|| metadata.to_owned()),
            ..GroupOffset::new(topic, given.partition, given.offset)
        })
    }
}
