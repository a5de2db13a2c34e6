//! Sending from C: one record of plain arguments, one whole record, many records. The first is the hot path.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::capi::producer::{ottla_producer_t, unknown_flags, ProducerObject};
use crate::capi::record::{ottla_record_t, record_and_headers, with_record};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{Outgoing, TopicId, Wait};
use crate::record::{Header, Record};

/// Wait neither for memory nor for the topic: OTTLA_ERROR_QUEUE_FULL instead.
pub const OTTLA_SEND_NO_WAIT: u32 = 1;

/// Sends a record to a topic from ottla_producer_topic() and a partition, or OTTLA_PARTITION_ANY. Its bytes
/// are copied. NULL is a null key or value, any other pointer with length 0 an empty one. `timestamp_ms` is
/// the record's time in milliseconds since 1970, or OTTLA_TIMESTAMP_NOW; `token` is any number, which comes
/// back in the report.
///
/// Waits up to max.block.ms for memory and, at first, for the topic, unless send.wait is false or it is
/// called in a delivery callback. 0: the record was accepted, and exactly one report will carry its token.
/// Anything else: it was not, and none will.
/// OTTLA_ERROR_QUEUE_FULL: no room, and it may not wait. OTTLA_ERROR_TIMED_OUT: no room, or the topic is not
/// known, within max.block.ms. OTTLA_ERROR_RECORD_TOO_LARGE: for max.request.size or buffer.memory.
/// OTTLA_ERROR_UNKNOWN_PARTITION: the topic has no such partition (still, after max.block.ms).
/// OTTLA_ERROR_ARGUMENT: no such topic number, a negative partition or time, or the partitioner refused. Or
/// the topic's own error, as OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED or _INVALID_TOPIC_EXCEPTION.
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

/// # Safety
/// `record` is NULL or readable for its size; its pointers are NULL or readable for their lengths for as long
/// as `'r` and `'h`.
unsafe fn outgoing_of<'r, 'h>(
    record: *const ottla_record_t,
    stride: usize,
    headers: &mut Vec<Header<'h>>,
) -> Result<Outgoing<'r>> {
    // SAFETY: the caller's promise is the same.
    let (given, record) = unsafe {
        let given = gate::sized("record", record, ottla_record_t::INIT)?;
        if given.size as usize > stride {
            let text = format!("record: its {} bytes lie only {stride} apart", given.size);
            return Err(Error::new(ErrorCode::ARGUMENT, text));
        }
        (given, record_and_headers(&given, headers)?)
    };
    let (topic, partition, token) = (TopicId(given.topic), given.partition, given.token);
    Ok(Outgoing { topic, partition, record, token })
}

/// Whether the records behind one that was refused so would be refused, too.
fn ends_the_batch(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::QUEUE_FULL | ErrorCode::TIMED_OUT | ErrorCode::CLOSED | ErrorCode::FATAL
    )
}

/// Sends `count` records, which lie `stride` bytes apart (sizeof of your struct), in order, each as
/// ottla_producer_send_record() would. Records in a row that go to the same partition are appended together:
/// one lock and one look at the clock for many.
///
/// With `statuses_out` NULL it stops at the first record that is refused: `*accepted_out` is its index, so
/// the rest can be sent again from there. With an array of `count` statuses each record gets its own and
/// one that is refused does not hold up the others, unless there is no room, max.block.ms is over (for memory
/// or for a topic) or the producer is closed: then all that follow have that same status, whatever their
/// topic, and their order is kept. `*accepted_out` counts
/// the accepted ones, each of which will be reported once. Returns the first status that is not 0.
/// OTTLA_ERROR_ARGUMENT, and no status is written: the array, `stride` or `flags` are not valid.
///
/// # Safety
/// `records` holds `count` records as ottla_producer_send_record() wants them; `statuses_out` is NULL or has
/// room for `count` statuses; `accepted_out` is NULL or writable.
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
        if count == 1 && statuses.is_empty() {
            // SAFETY: as the function's own Safety section says.
            unsafe { send_one(object, records, wait)? };
            accepted = 1;
            return Ok(());
        }
        // SAFETY: as the function's own Safety section says.
        let next = |index, headers: &mut _| unsafe {
            outgoing_of(gate::strided(records, stride, index), stride, headers)
        };
        send_all(object, count, wait, next, Outcome::new(statuses, &mut accepted))
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

/// What is told of a batch.
pub(super) struct Outcome<'a> {
    /// A place for each record, or none at all.
    statuses: &'a mut [MaybeUninit<i32>],
    accepted: &'a mut usize,
    first: Result<()>,
}

impl<'a> Outcome<'a> {
    /// Of a batch whose records are all accepted so far as is known.
    pub(super) fn new(statuses: &'a mut [MaybeUninit<i32>], accepted: &'a mut usize) -> Self {
        statuses.iter_mut().for_each(|place| {
            place.write(0);
        });
        Outcome { statuses, accepted, first: Ok(()) }
    }

    /// The record at `index` was refused. Whether those behind it are to be sent.
    fn refuse(&mut self, index: usize, error: Error) -> bool {
        let go_on = !self.statuses.is_empty() && !ends_the_batch(error.code());
        let places = self.statuses.iter_mut().skip(index);
        places.take(if go_on { 1 } else { usize::MAX }).for_each(|place| {
            place.write(error.code().value());
        });
        if self.first.is_ok() {
            self.first = Err(error);
        }
        go_on
    }
}

/// Records that are converted together, and so many headers at most before the last of them.
const WINDOW: usize = 64;
const WINDOW_HEADERS: usize = 1024;

/// Sends `count` records, which `next` converts, in order: it is given the index, puts the headers behind
/// those that are there, and may refuse.
pub(super) fn send_all<'r, 'h>(
    object: &ProducerObject,
    count: usize,
    wait: Wait,
    mut next: impl FnMut(usize, &mut Vec<Header<'h>>) -> Result<Outgoing<'r>>,
    mut outcome: Outcome<'_>,
) -> Result<()> {
    let mut headers = Vec::new();
    let mut whose = Vec::new();
    let (mut at, mut go_on) = (0, true);
    while at < count && go_on {
        headers.clear();
        whose.clear();
        let mut window = Vec::with_capacity(WINDOW.min(count - at));
        let mut refused = None;
        while window.len() < WINDOW.min(count - at) && headers.len() <= WINDOW_HEADERS {
            let before = headers.len();
            match next(at + window.len(), &mut headers) {
                Ok(outgoing) => window.push(outgoing),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
            if headers.len() > before {
                whose.push((window.len() - 1, before..headers.len()));
            }
        }
        for (index, range) in &whose {
            window[*index].record.headers = &headers[range.clone()];
        }
        let sent = object.producer.send_batch_tokens(&mut window, wait, &mut |index, error| {
            go_on = outcome.refuse(at + index, error);
            go_on
        });
        *outcome.accepted += sent;
        at += window.len();
        if let Some(error) = refused.filter(|_| go_on) {
            go_on = outcome.refuse(at, error);
            at += 1;
        }
    }
    outcome.first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcomes: &[ErrorCode], with_statuses: bool) -> (Result<()>, usize, Vec<i32>) {
        let wanted = if with_statuses { outcomes.len() } else { 0 };
        let mut statuses = vec![MaybeUninit::new(77); wanted];
        let mut accepted = 0;
        let mut outcome = Outcome::new(&mut statuses, &mut accepted);
        for (index, &code) in outcomes.iter().enumerate() {
            if code == ErrorCode::NONE {
                *outcome.accepted += 1;
            } else if !outcome.refuse(index, code.into()) {
                break;
            }
        }
        let done = outcome.first;
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
