//! Sending from C: one record of plain arguments, one whole record, many records. The first is the hot path.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::capi::producer::{ottla_producer_t, unknown_flags, ProducerObject};
use crate::capi::record::{ottla_record_t, with_record};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{TopicId, Wait};
use crate::record::Record;

/// Wait neither for memory nor for the topic: OTTLA_ERROR_QUEUE_FULL instead.
pub const OTTLA_SEND_NO_WAIT: u32 = 1;

/// Sends a record; its bytes are copied. NULL is a null key or value, any other pointer with length 0
/// an empty one. Waits up to max.block.ms for memory and, at first, for the topic, unless send.wait is
/// false or it is called in a delivery callback. 0: the record was accepted, and exactly one report will
/// carry its token. Anything else: it was not, and none will; ottla_last_error_message() says why.
/// OTTLA_ERROR_QUEUE_FULL, _TIMED_OUT, _RECORD_TOO_LARGE, _UNKNOWN_PARTITION, _ARGUMENT, _CLOSED, ...
///
/// # Safety
/// `key` and `value` are NULL or readable for their lengths.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_send(
    producer: *mut ottla_producer_t,
    topic: u32,
    partition: i32,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    timestamp_ms: i64,
    token: u64,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (key, value) =
        unsafe { (gate::field("key", key, key_len), gate::field("value", value, value_len)) };
    guard::answer(guard::on_producer(producer, guard::SEND, |object| {
        let record = Record { timestamp_ms, key: key?, value: value?, headers: &[] };
        let producer = &object.producer;
        producer.send_token(TopicId(topic), partition, &record, token, producer.default_wait())
    }))
}

pub(super) fn wait_of(object: &ProducerObject, flags: u32) -> Result<Wait> {
    match flags {
        0 => Ok(object.producer.default_wait()),
        OTTLA_SEND_NO_WAIT => Ok(Wait::Never),
        _ => Err(unknown_flags(flags)),
    }
}

/// As ottla_producer_send(), for a record with headers and with flags: 0 or OTTLA_SEND_NO_WAIT.
///
/// # Safety
/// `record` is readable for its size; its pointers are NULL or readable for their lengths.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_send_record(
    producer: *mut ottla_producer_t,
    record: *const ottla_record_t,
    flags: u32,
) -> i32 {
    guard::answer(guard::on_producer(producer, guard::SEND_RECORD, |object| {
        let wait = wait_of(object, flags)?;
        // SAFETY: as the function's own Safety section says.
        unsafe { send_one(object, record, wait) }
    }))
}

/// # Safety
/// `record` is NULL or readable for its size; its pointers are NULL or readable for their lengths.
unsafe fn send_one(
    object: &ProducerObject,
    record: *const ottla_record_t,
    wait: Wait,
) -> Result<()> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        let given = gate::sized("record", record, ottla_record_t::INIT)?;
        with_record(&given, |record| {
            let topic = TopicId(given.topic);
            object.producer.send_token(topic, given.partition, record, given.token, wait)
        })
    }
}

/// Whether the records behind one that was refused so would be refused, too.
fn ends_the_batch(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::QUEUE_FULL | ErrorCode::TIMED_OUT | ErrorCode::CLOSED | ErrorCode::FATAL
    )
}

/// Sends `count` records, which lie `stride` bytes apart (sizeof of your struct), in order.
///
/// With `statuses_out` NULL it stops at the first record that is refused: `*accepted_out` is its index, so
/// the rest can be sent again from there. With an array of `count` statuses each record gets its own and
/// one that is refused does not hold up the others, unless there is no room or the producer is closed:
/// then all that follow have that same status, and their order is kept. `*accepted_out` counts
/// the accepted ones, each of which will be reported once. Returns the first status that is not 0.
///
/// # Safety
/// `records` holds `count` records as ottla_producer_send_record() wants them; `statuses_out` is NULL or
/// has room for
/// `count` statuses; `accepted_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_send_batch(
    producer: *mut ottla_producer_t,
    records: *const ottla_record_t,
    count: usize,
    stride: usize,
    flags: u32,
    accepted_out: *mut usize,
    statuses_out: *mut i32,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (accepted_place, statuses) = unsafe {
        let wanted = if statuses_out.is_null() { 0 } else { count };
        (gate::out_optional(accepted_out), gate::array_out("statuses_out", statuses_out, wanted))
    };
    let mut accepted = 0;
    let done = guard::on_producer(producer, guard::SEND_BATCH, |object| {
        let (wait, statuses) = (wait_of(object, flags)?, statuses?);
        check_stride(records, count, stride)?;
        // SAFETY: as the function's own Safety section says.
        let send = |index| unsafe { send_one(object, gate::strided(records, stride, index), wait) };
        send_all(count, statuses, &mut accepted, send)
    });
    if let Some(place) = accepted_place {
        place.write(accepted);
    }
    guard::answer(done)
}

fn check_stride(records: *const ottla_record_t, count: usize, stride: usize) -> Result<()> {
    let aligned = stride % align_of::<ottla_record_t>() == 0 && stride > 0;
    if count > 0 && (!aligned || records.is_null() || count > isize::MAX as usize / stride) {
        let text = format!("records: {count} of them cannot lie {stride} bytes apart");
        return Err(Error::new(ErrorCode::ARGUMENT, text));
    }
    Ok(())
}

pub(super) fn send_all(
    count: usize,
    statuses: &mut [MaybeUninit<i32>],
    accepted: &mut usize,
    mut send: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let mut first = Ok(());
    for index in 0..count {
        let sent = send(index);
        let status = sent.as_ref().map_or_else(|error| error.code().value(), |()| 0);
        if let Some(place) = statuses.get_mut(index) {
            place.write(status);
        }
        match sent {
            Ok(()) => *accepted += 1,
            Err(error) => {
                let last = statuses.is_empty() || ends_the_batch(error.code());
                if first.is_ok() {
                    first = Err(error);
                }
                if last {
                    statuses.iter_mut().skip(index).for_each(|place| {
                        place.write(status);
                    });
                    break;
                }
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(code: ErrorCode) -> Result<()> {
        Err(code.into())
    }

    fn run(outcomes: &[ErrorCode], with_statuses: bool) -> (Result<()>, usize, Vec<i32>) {
        let wanted = if with_statuses { outcomes.len() } else { 0 };
        let mut statuses = vec![MaybeUninit::new(77); wanted];
        let mut accepted = 0;
        let done =
            send_all(outcomes.len(), &mut statuses, &mut accepted, |index| match outcomes[index] {
                ErrorCode::NONE => Ok(()),
                code => refuse(code),
            });
        // SAFETY: every place was made with a value.
        let statuses = statuses.iter().map(|place| unsafe { place.assume_init() }).collect();
        (done, accepted, statuses)
    }

    #[test]
    fn a_batch_stops_where_it_must_and_only_there() {
        const OK: ErrorCode = ErrorCode::NONE;
        const BAD: ErrorCode = ErrorCode::ARGUMENT;
        const FULL: ErrorCode = ErrorCode::QUEUE_FULL;
        let (bad, full) = (BAD.value(), FULL.value());
        for (outcomes, with_statuses, status, accepted, statuses) in [
            (&[OK, OK][..], true, 0, 2, &[0, 0][..]),
            (&[OK, BAD, OK], true, bad, 2, &[0, bad, 0]),
            (&[OK, BAD, OK], false, bad, 1, &[]),
            (&[OK, FULL, OK], true, full, 1, &[0, full, full]),
            (&[BAD, FULL, OK], true, bad, 0, &[bad, full, full]),
            (&[OK, FULL, OK], false, full, 1, &[]),
            (&[], true, 0, 0, &[]),
        ] {
            let (done, got_accepted, got) = run(outcomes, with_statuses);
            let got_status = done.err().map_or(0, |error| error.code().value());
            assert_eq!((got_status, got_accepted, &got[..]), (status, accepted, statuses));
        }
    }
}
