//! A producer's life in C: made, given topics, watched, flushed, closed, freed. Sending is in `send`, taking
//! reports in `poll`.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::capi::callbacks::{ottla_callbacks_t, Armed};
use crate::capi::config::{ottla_config_t, ConfigObject};
use crate::capi::error::ottla_error_t;
use crate::capi::events::Events;
use crate::capi::mock::MockHandle;
use crate::capi::registry::{self, Kind};
use crate::capi::{gate, guard};
use crate::error::{Error, ErrorCode, Result};
use crate::producer::{Producer, ProducerBuilder, Purge, TopicId};

/// A producer. Made by ottla_producer_new(); closed with ottla_producer_close(), freed by the caller
/// with ottla_producer_free(). Every function may be called from any number of threads at once.
/// A forked child may not use it: every call answers OTTLA_ERROR_FORKED.
pub struct ottla_producer_t {
    _opaque: [u8; 0],
}

pub(super) struct ProducerObject {
    pub(super) producer: Producer,
    /// Unlike the handle known before the first callback can run.
    pub(super) identity: u64,
    /// Callbacks in which it may not be sent with, unlike the one for reports.
    pub(super) has_other_callbacks: bool,
    /// No more records are taken.
    pub(super) closed: AtomicBool,
    closing: Mutex<()>,
    pub(super) messages: Mutex<Messages>,
    /// Events that wait to be polled, if log.queue is on.
    pub(super) events: Option<Arc<Events>>,
    /// The handle given out for its embedded cluster.
    pub(super) mock: OnceCell<usize>,
}

impl Kind for ProducerObject {
    type Opaque = ottla_producer_t;
    const NUMBER: usize = 3;
}

impl ProducerObject {
    #[cold]
    pub(super) fn why_closed(&self) -> Error {
        Error::new(ErrorCode::CLOSED, "the producer is closed")
    }

    /// Closes; of several calls at once the shortest time counts, and all return when it is done.
    fn close(&self, timeout: Duration) -> Result<()> {
        self.closed.store(true, Ordering::Relaxed);
        self.producer.begin_close(timeout);
        let _one_at_a_time = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        self.producer.close(timeout)
    }
}

/// Error texts of polled reports, by number. Only the newest are kept.
#[derive(Default)]
pub(super) struct Messages {
    /// Numbers given so far; the newest text has this number.
    newest: u32,
    kept: VecDeque<Arc<str>>,
}

impl Messages {
    const KEPT: usize = 1024;

    /// The number of a text, which is new unless it was the last one.
    pub(super) fn number(&mut self, text: &Arc<str>) -> u32 {
        if self.kept.back().is_some_and(|last| Arc::ptr_eq(last, text) || last == text) {
            return self.newest;
        }
        if self.newest == u32::MAX {
            *self = Messages::default();
        }
        if self.kept.len() == Self::KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(text.clone());
        self.newest += 1;
        self.newest
    }

    /// The text with this number, if it is still kept.
    pub(super) fn get(&self, number: u32) -> Option<Arc<str>> {
        let back = self.newest.checked_sub(number)? as usize;
        let index = self.kept.len().checked_sub(back + 1)?;
        self.kept.get(index).cloned()
    }
}

/// Makes a producer. Connecting happens in the background; see ottla_producer_wait_ready(). The
/// settings are copied. `callbacks` may be NULL: reports then wait for ottla_producer_poll().
/// OTTLA_ERROR_CONFIG: a setting is missing or contradicts another one.
///
/// # Safety
/// `callbacks` and `error_out` are NULL or valid; `producer_out` is writable; what `callbacks` says is true.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_new(
    config: *const ottla_config_t,
    callbacks: *const ottla_callbacks_t,
    producer_out: *mut *mut ottla_producer_t,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let place = gate::out("producer_out", producer_out);
        let callbacks = match callbacks.is_null() {
            true => Ok(ottla_callbacks_t::INIT),
            false => gate::sized("callbacks", callbacks, ottla_callbacks_t::INIT),
        };
        let done = guard::on::<ConfigObject>(config, |config| {
            let (place, callbacks) = (place?, callbacks?);
            let settings = config.copy();
            let events = (settings.get("log.queue")? == "true").then(Arc::<Events>::default);
            let builder = ProducerBuilder::from_config(settings);
            place.write(open(builder, &callbacks, events)?);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

fn open(
    builder: ProducerBuilder,
    callbacks: &ottla_callbacks_t,
    events: Option<Arc<Events>>,
) -> Result<*mut ottla_producer_t> {
    static IDENTITIES: AtomicU64 = AtomicU64::new(1);
    if callbacks.reserved != 0 {
        return Err(Error::new(ErrorCode::ARGUMENT, "callbacks: reserved must be 0"));
    }
    let identity = IDENTITIES.fetch_add(1, Ordering::Relaxed);
    let armed = Armed::default();
    let builder = match callbacks.delivery_sink(identity, &armed) {
        Some(sink) => builder.on_delivery(sink),
        None => builder.poll_reports(),
    };
    let builder = match callbacks.log_sink(identity, &armed) {
        Some(sink) => builder.on_log(sink),
        None => builder,
    };
    let builder = match callbacks.interceptor(identity, &armed) {
        Some(interceptor) => builder.interceptor(interceptor),
        None => builder,
    };
    let builder = match callbacks.partitioner(identity, &armed) {
        Some(partitioner) => builder.partitioner(partitioner),
        None => builder,
    };
    let builder = match (callbacks.event_sink(identity, &armed), &events) {
        (Some(sink), _) => builder.on_event(sink),
        (None, Some(events)) => builder.on_event(events.sink()),
        (None, None) => builder,
    };
    let producer = builder.build()?;
    if let Some(events) = &events {
        events.attach(producer.waiting());
    }
    let handle = registry::insert(ProducerObject {
        producer,
        events,
        identity,
        has_other_callbacks: callbacks.has_others(),
        closed: AtomicBool::new(false),
        closing: Mutex::default(),
        messages: Mutex::default(),
        mock: OnceCell::new(),
    })?;
    armed.arm();
    Ok(handle)
}

/// Gives a topic a number, which the sends and reports of this producer use; the same name has the same
/// number. Does not wait: what the cluster knows of the topic is fetched in the background.
/// OTTLA_ERROR_ARGUMENT: not a topic name.
///
/// # Safety
/// `name` is readable for its length; `topic_out` is writable; `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_topic(
    producer: *mut ottla_producer_t,
    name: *const c_char,
    name_len: usize,
    topic_out: *mut u32,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    unsafe {
        let (name, place) = (gate::text("name", name, name_len), gate::out("topic_out", topic_out));
        let done = guard::on_producer(producer, guard::TOPIC, |object| {
            let place = place?;
            place.write(object.producer.topic(name?)?.0);
            Ok(())
        });
        guard::answer_with(done, error_out)
    }
}

/// Copies the name of a topic. At most `capacity` bytes are written, the last one a NUL; `buffer` NULL
/// asks for the length alone. OTTLA_ERROR_TRUNCATED: `buffer` holds only the beginning.
///
/// # Safety
/// `buffer` is NULL or has room for `capacity` bytes; `len_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_topic_name(
    producer: *const ottla_producer_t,
    topic: u32,
    buffer: *mut c_char,
    capacity: usize,
    len_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::text_out(buffer, capacity, len_out) };
    guard::answer(guard::on_producer(producer, guard::TOPIC_NAME, |object| {
        let name = object.producer.topic_name(TopicId(topic)).ok_or_else(|| {
            let text = format!("topic id {topic} was not registered with this producer");
            Error::new(ErrorCode::ARGUMENT, text)
        })?;
        place?.write(&name)
    }))
}

/// Waits until a broker has answered, at most `timeout_ms` (below 0: without limit). Fails at once when
/// every broker refuses, so that wrong addresses show before the first record: with
/// OTTLA_ERROR_RESOLVE, _TRANSPORT, _AUTHENTICATION, ..., whatever the last one said. The producer goes on
/// trying all the same. OTTLA_ERROR_TIMED_OUT.
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_wait_ready(
    producer: *mut ottla_producer_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::WAIT_READY, |object| {
        object.producer.wait_ready(guard::timeout(timeout_ms))
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// How many records were accepted whose reports have not been taken. Looks at every partition: not a call
/// for every record.
///
/// # Safety
/// `count_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_outstanding(
    producer: *const ottla_producer_t,
    count_out: *mut usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::out("count_out", count_out) };
    guard::answer(guard::on_producer(producer, guard::OUTSTANDING, |object| {
        place?.write(object.producer.outstanding_records());
        Ok(())
    }))
}

/// Sends what lingers and waits until every record accepted before this call has been given to the
/// delivery callback or can be polled, at most `timeout_ms` (below 0: without limit). Records that
/// others send meanwhile are not waited for.
/// After ottla_producer_close() nothing is left to wait for: 0.
/// OTTLA_ERROR_TIMED_OUT: some are still on their way, and stay so. OTTLA_ERROR_IN_CALLBACK.
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_flush(
    producer: *mut ottla_producer_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::FLUSH, |object| {
        object.producer.flush(guard::timeout(timeout_ms))
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// Records that are not in a request yet: surely not stored.
pub const OTTLA_PURGE_QUEUED: u32 = 1;
/// Records in a request whose answer is missing: whether they are stored stays unknown.
pub const OTTLA_PURGE_IN_FLIGHT: u32 = 2;

/// Fails records instead of waiting for them: those of `flags`, OTTLA_PURGE_... values added up.
/// Returns at once; the reports follow, with OTTLA_ERROR_PURGED_QUEUE or OTTLA_ERROR_PURGED_IN_FLIGHT. The
/// sender thread does it: a record that is sent right after this call may be failed, too.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_purge(producer: *mut ottla_producer_t, flags: u32) -> i32 {
    guard::answer(guard::on_producer(producer, guard::PURGE, |object| {
        let what = match flags {
            OTTLA_PURGE_QUEUED => Purge::Queued,
            OTTLA_PURGE_IN_FLIGHT => Purge::InFlight,
            flags if flags == OTTLA_PURGE_QUEUED | OTTLA_PURGE_IN_FLIGHT => Purge::All,
            _ => return Err(unknown_flags(flags)),
        };
        object.producer.purge(what)
    }))
}

pub(super) fn unknown_flags(flags: u32) -> Error {
    Error::new(ErrorCode::ARGUMENT, format!("flags: {flags:#x} are not flags of this call"))
}

/// Takes no more records, waits at most `timeout_ms` (below 0: without limit) for the reports of the
/// others, fails what is left then, and ends the producer's threads. Afterwards reports can still be
/// polled; whatever else would need the threads answers OTTLA_ERROR_CLOSED. A second call changes
/// nothing. OTTLA_ERROR_TIMED_OUT: some had to be failed; the producer is closed all the same.
/// OTTLA_ERROR_IN_CALLBACK.
///
/// # Safety
/// `error_out` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_close(
    producer: *mut ottla_producer_t,
    timeout_ms: i64,
    error_out: *mut *mut ottla_error_t,
) -> i32 {
    let done = guard::on_producer(producer, guard::CLOSE, |object| {
        object.close(guard::timeout(timeout_ms))
    });
    // SAFETY: as the function's own Safety section says.
    unsafe { guard::answer_with(done, error_out) }
}

/// Frees a producer: closes it without waiting for records if it is not closed (with a callback, those are
/// reported as failed before this returns), waits until calls of other threads have left it, and forgets
/// reports that were not polled. Whoever waits inside such a call is woken. NULL is fine. Afterwards every
/// call with it, and with the cluster borrowed from it, answers OTTLA_ERROR_HANDLE.
/// OTTLA_ERROR_IN_CALLBACK.
///
/// # Safety
/// Nothing is asked of the caller: a wrong handle is noticed.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_free(producer: *mut ottla_producer_t) -> i32 {
    if producer.is_null() {
        return 0;
    }
    let mut borrowed = None;
    let done = guard::on_producer(producer, guard::FREE, |object| {
        match object.close(Duration::ZERO) {
            // Some were still on their way: they have been reported as failed.
            Err(error) if error.code() != ErrorCode::TIMED_OUT => return Err(error),
            _ => {}
        }
        borrowed = object.mock.get().copied();
        Ok(())
    });
    guard::answer(done.and_then(|()| {
        guard::free_standing(|| {
            if let Some(handle) = borrowed {
                registry::retire::<MockHandle>(ptr::without_provenance(handle));
            }
            match registry::retire::<ProducerObject>(producer) {
                true => Ok(()),
                false => Err(ErrorCode::HANDLE.into()),
            }
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_numbers_and_only_the_newest_are_kept() {
        let mut messages = Messages::default();
        let first: Arc<str> = "first".into();
        assert_eq!((messages.number(&first), messages.number(&first)), (1, 1));
        assert_eq!(messages.number(&"second".into()), 2);
        assert_eq!(messages.get(1).as_deref(), Some("first"));
        assert_eq!((messages.get(0), messages.get(3)), (None, None));
        for n in 0..Messages::KEPT {
            messages.number(&n.to_string().into());
        }
        assert_eq!((messages.get(1), messages.get(2)), (None, None));
        assert_eq!(messages.get(3).as_deref(), Some("0"));
        assert_eq!(messages.get(2 + Messages::KEPT as u32).as_deref(), Some("1023"));
    }
}
