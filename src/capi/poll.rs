//! Taking reports without a callback: copied into the caller's arrays, record by record or run by run.
#![allow(unsafe_code)]

use std::ffi::c_char;
use std::sync::PoisonError;

use crate::capi::producer::{ottla_producer_t, ProducerObject};
use crate::capi::report::{ottla_delivery_t, ottla_run_t};
use crate::capi::{gate, guard};
use crate::delivery::Report;
use crate::error::{Error, ErrorCode, Result};

impl ProducerObject {
    fn message_number(&self, report: &Report) -> u32 {
        let Some(text) = &report.message else { return 0 };
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).number(text)
    }

    /// Nothing was there to take: says so if nothing will ever be again.
    fn nothing_more(&self, taken: usize) -> Result<()> {
        if taken == 0 && self.producer.is_finished() {
            return Err(self.why_closed());
        }
        Ok(())
    }
}

/// Takes reports of up to `capacity` records, for producers without a delivery callback. Waits up to
/// `timeout_ms` (below 0: without limit; 0: not at all) if there is none yet; when that time passes it
/// answers 0, and `*count_out` is 0. Several threads may poll: each record is told to one of them.
/// OTTLA_ERROR_STATE: reports go to a callback. OTTLA_ERROR_CLOSED: the producer is closed and all are taken.
///
/// # Safety
/// `deliveries_out` has room for `capacity` entries; `count_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_poll(
    producer: *mut ottla_producer_t,
    deliveries_out: *mut ottla_delivery_t,
    capacity: usize,
    timeout_ms: i64,
    count_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (places, count_place) = unsafe {
        (
            gate::array_out("deliveries_out", deliveries_out, capacity),
            gate::out("count_out", count_out),
        )
    };
    guard::answer(guard::on_producer(producer, guard::POLL, |object| {
        let (places, count_place) = (places?, count_place?);
        let mut filled = 0;
        object.producer.poll(guard::timeout(timeout_ms), &mut |report, from| {
            let places = &mut places[filled..];
            let taken = places.len().min(report.count() - from);
            let message = if taken > 0 { object.message_number(report) } else { 0 };
            for (index, place) in (from..).zip(&mut places[..taken]) {
                place.write(ottla_delivery_t::of(report, index, message));
            }
            filled += taken;
            taken
        })?;
        count_place.write(filled);
        object.nothing_more(filled)
    }))
}

/// Takes reports as runs of records that share their outcome: one entry for a whole batch, its tokens in a
/// second array. Ends when either array is full; a run that does not fit goes on in the next call.
/// Waits and fails as ottla_producer_poll().
///
/// # Safety
/// `runs_out` has room for `run_capacity` entries and `tokens_out` for `token_capacity`;
/// `timestamps_out` is NULL or has room for `token_capacity` times (in milliseconds since 1970; -1 when
/// unknown); the counts are writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_poll_runs(
    producer: *mut ottla_producer_t,
    runs_out: *mut ottla_run_t,
    run_capacity: usize,
    tokens_out: *mut u64,
    timestamps_out: *mut i64,
    token_capacity: usize,
    timeout_ms: i64,
    run_count_out: *mut usize,
    token_count_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (runs, tokens, times, run_count, token_count) = unsafe {
        let times = if timestamps_out.is_null() { 0 } else { token_capacity };
        (
            gate::array_out("runs_out", runs_out, run_capacity),
            gate::array_out("tokens_out", tokens_out, token_capacity),
            gate::array_out("timestamps_out", timestamps_out, times),
            gate::out("run_count_out", run_count_out),
            gate::out("token_count_out", token_count_out),
        )
    };
    guard::answer(guard::on_producer(producer, guard::POLL_RUNS, |object| {
        let (runs, tokens, times) = (runs?, tokens?, times?);
        let (run_count, token_count) = (run_count?, token_count?);
        let (mut run, mut first) = (0, 0);
        object.producer.poll(guard::timeout(timeout_ms), &mut |report, from| {
            let Some(place) = runs.get_mut(run) else { return 0 };
            let taken = (tokens.len() - first).min(report.count() - from);
            if taken == 0 {
                return 0;
            }
            let message = object.message_number(report);
            place.write(ottla_run_t::of(report, from, taken, first, message));
            for (place, token) in tokens[first..].iter_mut().zip(&report.tokens[from..from + taken])
            {
                place.write(*token);
            }
            for (index, place) in (from..from + taken).zip(times.iter_mut().skip(first)) {
                place.write(report.timestamp_ms(index));
            }
            run += 1;
            first += taken;
            taken
        })?;
        run_count.write(run);
        token_count.write(first);
        object.nothing_more(first)
    }))
}

/// Copies the error text of a polled report by the number in its `message`. The library keeps the
/// newest 1024 texts. At most `capacity` bytes are written, the last one a NUL; `buffer` NULL asks for the
/// length alone. OTTLA_ERROR_ARGUMENT: no such text (any more). OTTLA_ERROR_TRUNCATED.
///
/// # Safety
/// `buffer` is NULL or has room for `capacity` bytes; `len_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_message(
    producer: *const ottla_producer_t,
    message: u32,
    buffer: *mut c_char,
    capacity: usize,
    len_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::text_out(buffer, capacity, len_out) };
    guard::answer(guard::on_producer(producer, guard::MESSAGE, |object| {
        let messages = object.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let text = messages.get(message).ok_or_else(|| {
            Error::new(ErrorCode::ARGUMENT, format!("error text {message} is not kept"))
        })?;
        drop(messages);
        place?.write(&text)
    }))
}

/// A descriptor that is readable while reports wait for ottla_producer_poll(), for event loops. It
/// belongs to the producer and lives as long: neither read nor close it.
/// OTTLA_ERROR_UNSUPPORTED: the system has no such descriptors.
///
/// # Safety
/// `fd_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_event_fd(
    producer: *mut ottla_producer_t,
    fd_out: *mut i32,
    error_out: *mut *mut crate::capi::error::ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("fd_out", fd_out);
        let done = guard::on_producer(producer, guard::EVENT_FD, |object| {
            let place = place?;
            place.write(object.producer.event_fd()?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}
