//! What transactions leave behind in the embedded cluster, in C: records as a reader of either isolation
//! gets them, offsets committed by groups; and how old its brokers are. Passes orders on; what they
//! mean is the cluster's affair.
#![allow(unsafe_code)]

use std::ffi::c_char;

use crate::capi::error::ottla_error_t;
use crate::capi::mock::{
    on_cluster, ottla_mock_cluster_t, ottla_mock_records_t, MockHandle, RecordsObject,
};
use crate::capi::{gate, guard, registry};
use crate::error::{Error, ErrorCode, Result};
use crate::mock::Isolation;

/// Everything, also what was aborted or is not decided yet (isolation.level of Kafka's consumers).
pub const OTTLA_ISOLATION_READ_UNCOMMITTED: i32 = 0;
/// What was committed or never in a transaction, up to the first transaction that is still open.
pub const OTTLA_ISOLATION_READ_COMMITTED: i32 = 1;

fn isolation(value: i32) -> Result<Isolation> {
    match value {
        OTTLA_ISOLATION_READ_UNCOMMITTED => Ok(Isolation::ReadUncommitted),
        OTTLA_ISOLATION_READ_COMMITTED => Ok(Isolation::ReadCommitted),
        _ => Err(Error::new(ErrorCode::ARGUMENT, format!("{value} is no OTTLA_ISOLATION_..."))),
    }
}

/// Reads back the records of a partition that a consumer of this isolation (OTTLA_ISOLATION_...) would get by
/// now. Transaction markers are no records, whatever the isolation. Freed by the caller with
/// ottla_mock_records_free(). OTTLA_ERROR_ARGUMENT: no such isolation; _UNKNOWN_TOPIC, _UNKNOWN_PARTITION.
///
/// # Safety
/// `topic` is readable for its length; `records_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_records_isolated(
    cluster: *const ottla_mock_cluster_t,
    topic: *const c_char,
    topic_len: usize,
    partition: i32,
    isolation_level: i32,
    records_out: *mut *mut ottla_mock_records_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let (topic, place) =
            (gate::text("topic", topic, topic_len), gate::out("records_out", records_out));
        let done = guard::on_running::<MockHandle>(cluster, |handle| {
            let (topic, place, isolation) = (topic?, place?, isolation(isolation_level)?);
            let records = handle.with(|c| c.records_isolated(topic, partition, isolation))?;
            place.write(registry::insert(RecordsObject::new(partition, records))?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// The offset that a consumer group has committed for a partition, as a new consumer of the group would find
/// it: -1 when there is none. Offsets sent to a transaction count once that is committed and its markers
/// are written.
///
/// # Safety
/// `group` and `topic` are readable for their lengths; `offset_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_committed_offset(
    cluster: *const ottla_mock_cluster_t,
    group: *const c_char,
    group_len: usize,
    topic: *const c_char,
    topic_len: usize,
    partition: i32,
    offset_out: *mut i64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (group, topic, place) = unsafe {
        (
            gate::text("group", group, group_len),
            gate::text("topic", topic, topic_len),
            gate::out("offset_out", offset_out),
        )
    };
    on_cluster(cluster, |c| {
        let found = c.committed_offset(group?, topic?, partition);
        place?.write(found.map_or(-1, |found| found.offset));
        Ok(())
    })
}

/// Makes the brokers as old as those of a Kafka release, "2.8" say, from 0.8 on: they speak its versions, and
/// treat producers and transactions as it did. OTTLA_ERROR_ARGUMENT for anything else.
///
/// # Safety
/// `release` is readable for its length.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_set_kafka_version(
    cluster: *mut ottla_mock_cluster_t,
    release: *const c_char,
    release_len: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let release = unsafe { gate::text("release", release, release_len) };
    on_cluster(cluster, |c| c.set_kafka_version(release?))
}

/// Finalizes another `transaction.version` (KIP-890): 2, 1 or 0, or -1 for a cluster that does not know
/// it. It is 2 unless told. Clients hear of it by their next ApiVersions. OTTLA_ERROR_ARGUMENT for other
/// levels.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_set_transaction_version(
    cluster: *mut ottla_mock_cluster_t,
    level: i32,
) -> i32 {
    on_cluster(cluster, |c| {
        let level = i16::try_from(level).ok().filter(|level| (-1..=2).contains(level));
        let Some(level) = level else {
            let text = "a transaction.version is 0 to 2, or -1 for none";
            return Err(Error::new(ErrorCode::ARGUMENT, text));
        };
        c.set_transaction_version((level >= 0).then_some(level));
        Ok(())
    })
}

/// How many milliseconds after the end of a transaction its markers are written, from now on: 0 unless told.
/// Until then its records are undecided, and its transactional id answers
/// OTTLA_ERROR_CONCURRENT_TRANSACTIONS.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_mock_cluster_set_marker_delay(
    cluster: *mut ottla_mock_cluster_t,
    delay_ms: u64,
) -> i32 {
    on_cluster(cluster, |c| {
        c.set_marker_delay_ms(delay_ms);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::capi::mock::{
        ottla_mock_cluster_free, ottla_mock_records_count, ottla_mock_records_free,
    };
    use crate::mock::testing::cluster_with_transactions;
    use crate::mock::MockCluster;

    fn handle() -> *mut ottla_mock_cluster_t {
        let cluster = MockCluster::serve(cluster_with_transactions()).unwrap();
        registry::insert(MockHandle::owned(cluster)).unwrap()
    }

    /// How many records of `t` a reader of this isolation gets, and the status.
    fn records(cluster: *mut ottla_mock_cluster_t, partition: i32, isolation: i32) -> (i32, usize) {
        let mut records = ptr::null_mut();
        // SAFETY: the texts and places are of this function.
        unsafe {
            let status = ottla_mock_cluster_records_isolated(
                cluster,
                c"t".as_ptr(),
                1,
                partition,
                isolation,
                &mut records,
                ptr::null_mut(),
            );
            let count = ottla_mock_records_count(records);
            assert_eq!(ottla_mock_records_free(records), 0);
            (status, count)
        }
    }

    fn committed(cluster: *mut ottla_mock_cluster_t, group: &str, partition: i32) -> i64 {
        let mut offset = -7;
        // SAFETY: the texts and places are of this function.
        let status = unsafe {
            let (topic, group_text) = (c"t".as_ptr(), group.as_ptr().cast());
            ottla_mock_cluster_committed_offset(
                cluster,
                group_text,
                group.len(),
                topic,
                1,
                partition,
                &mut offset,
            )
        };
        assert_eq!(status, 0);
        offset
    }

    #[test]
    fn records_and_offsets_are_read_back_as_a_consumer_would() {
        let cluster = handle();
        assert_eq!(records(cluster, 0, OTTLA_ISOLATION_READ_UNCOMMITTED), (0, 3));
        assert_eq!(records(cluster, 0, OTTLA_ISOLATION_READ_COMMITTED), (0, 1));
        assert_eq!(records(cluster, 0, 2).0, ErrorCode::ARGUMENT.value());
        assert_eq!(records(cluster, 9, 1).0, ErrorCode::UNKNOWN_PARTITION.value());
        assert_eq!(committed(cluster, "g", 0), 11);
        assert_eq!((committed(cluster, "g", 1), committed(cluster, "h", 0)), (-1, -1));
        // SAFETY: it is ours.
        assert_eq!(unsafe { ottla_mock_cluster_free(cluster) }, 0);
    }

    #[test]
    fn the_age_of_the_brokers_is_checked() {
        let cluster = handle();
        let wrong = ErrorCode::ARGUMENT.value();
        // SAFETY: the texts are constants, the handle is ours.
        unsafe {
            let age = |text: &str| {
                ottla_mock_cluster_set_kafka_version(cluster, text.as_ptr().cast(), text.len())
            };
            assert_eq!((age("2.8"), age("4"), age("")), (0, wrong, wrong));
            for (level, status) in
                [(-2, wrong), (-1, 0), (0, 0), (2, 0), (3, wrong), (65538, wrong)]
            {
                assert_eq!(ottla_mock_cluster_set_transaction_version(cluster, level), status);
            }
            assert_eq!(ottla_mock_cluster_set_marker_delay(cluster, 5), 0);
            assert_eq!(ottla_mock_cluster_free(cluster), 0);
            let gone = ErrorCode::HANDLE.value();
            assert_eq!(ottla_mock_cluster_set_marker_delay(cluster, 5), gone);
        }
    }
}
