//! What surrounds every call from C: the handle is looked up, the rule of the function is enforced, a
//! panic is caught, and the error is remembered for the thread. Never converts a pointer (see `gate`).

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::capi::error::{give, ottla_error_t};
use crate::capi::producer::{ottla_producer_t, ProducerObject};
use crate::capi::registry::{self, Kind, Visit};
use crate::error::{Error, ErrorCode, Result};

/// A function that a producer calls and that may call the library.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Callback {
    /// Gets reports, on a thread that nothing waits for.
    Delivery,
    /// Interceptors, the partitioner, the log: in the middle of a send or of the sender's work.
    Other,
}

/// In which callbacks of the same producer a function may be called.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Inside {
    /// In none: it would wait for the thread that it is called on.
    None,
    /// In the delivery callback: it does not wait there, but would lead into the others again.
    Delivery,
    /// In all: it only looks.
    All,
}

impl Inside {
    /// Whether that is so in this callback.
    pub fn allows(self, callback: Callback) -> bool {
        match self {
            Inside::None => false,
            Inside::Delivery => callback == Callback::Delivery,
            Inside::All => true,
        }
    }
}

/// Where a function of a producer may be called.
#[derive(Copy, Clone, Debug)]
pub struct Rule {
    /// The function.
    pub name: &'static str,
    /// Inside a callback of the same producer; else IN_CALLBACK.
    pub inside: Inside,
    /// After `ottla_producer_close`; else CLOSED.
    pub after_close: bool,
    /// After a panic was caught; else PANIC.
    pub after_panic: bool,
}

/// In a forked child none is allowed: FORKED. With a bad handle none is: HANDLE.
macro_rules! rules {
    ($($constant:ident $name:literal $inside:ident $close:literal $panic:literal;)+) => {
        $(pub(super) const $constant: &Rule = &Rule {
            name: $name, inside: Inside::$inside, after_close: $close, after_panic: $panic,
        };)+
        /// Function by function: where it may be called.
        pub static RULES: &[&Rule] = &[$($constant),+];
    };
}

rules! {
    //                                                  inside    after close, after a panic
    TOPIC          "ottla_producer_topic"               Delivery  false false;
    TOPIC_NAME     "ottla_producer_topic_name"          All       true  false;
    SEND           "ottla_producer_send"                Delivery  false false;
    SEND_RECORD    "ottla_producer_send_record"         Delivery  false false;
    SEND_BATCH     "ottla_producer_send_batch"          Delivery  false false;
    SEND_COLUMNS   "ottla_producer_send_columns"        Delivery  false false;
    POLL           "ottla_producer_poll"                Delivery  true  true;
    POLL_RUNS      "ottla_producer_poll_runs"           Delivery  true  true;
    MESSAGE        "ottla_producer_message"             All       true  true;
    WAITING        "ottla_producer_waiting"             All       true  true;
    NEXT_EVENT     "ottla_producer_next_event"          Delivery  true  true;
    EVENT_FD       "ottla_producer_event_fd"            All       true  true;
    OUTSTANDING    "ottla_producer_outstanding"         All       true  true;
    FLUSH          "ottla_producer_flush"               None      true  false;
    INIT_TRANSACTIONS  "ottla_producer_init_transactions"  None     false false;
    BEGIN_TRANSACTION  "ottla_producer_begin_transaction"  Delivery false false;
    SEND_OFFSETS_TO_TRANSACTION "ottla_producer_send_offsets_to_transaction" None false false;
    COMMIT_TRANSACTION "ottla_producer_commit_transaction" None     false false;
    ABORT_TRANSACTION  "ottla_producer_abort_transaction"  None     false false;
    PURGE          "ottla_producer_purge"               Delivery  false false;
    WAIT_READY     "ottla_producer_wait_ready"          None      false false;
    METADATA       "ottla_producer_metadata"            All       true  false;
    SURVEY         "ottla_producer_survey"              None      false false;
    TOPIC_METADATA "ottla_producer_topic_metadata"      None      false false;
    METRICS        "ottla_producer_metrics"             All       true  false;
    MOCK_CLUSTER   "ottla_producer_mock_cluster"        All       true  false;
    CLOSE          "ottla_producer_close"               None      true  true;
    FREE           "ottla_producer_free"                None      true  true;
}

thread_local! {
    static LAST: RefCell<Option<Error>> = const { RefCell::new(None) };
    /// The callbacks that run on this thread, outermost first, and whose they are (by
    /// `ProducerObject::identity`). Several, when one uses another producer that has its own.
    static RUNNING: RefCell<Vec<(u64, Callback)>> = const { RefCell::new(Vec::new()) };
}

/// Runs a callback of the producer with this identity.
pub(super) fn in_callback_of<T>(identity: u64, which: Callback, callback: impl FnOnce() -> T) -> T {
    // Fails only while the thread ends; a send from there is on its own.
    let _ = RUNNING.try_with(|running| running.borrow_mut().push((identity, which)));
    let result = callback();
    let _ = RUNNING.try_with(|running| running.borrow_mut().pop());
    result
}

/// The status of a result; the text of an error is kept for [`last_message`].
#[inline]
pub(super) fn answer(done: Result<()>) -> i32 {
    match done {
        Ok(()) => 0,
        Err(error) => refuse(error),
    }
}

#[cold]
fn refuse(error: Error) -> i32 {
    let status = error.code().value();
    // Fails only while the thread ends: then nobody can ask any more.
    let _ = LAST.try_with(|last| last.replace(Some(error)));
    status
}

/// The status of a result; an error is also given out as an object if C wants one.
///
/// # Safety
/// `error_out` is NULL or writable.
#[allow(unsafe_code)]
pub(super) unsafe fn answer_with(done: Result<()>, error_out: *mut *mut ottla_error_t) -> i32 {
    if let Err(error) = &done {
        // SAFETY: the caller's promise is the same.
        unsafe { give(error, error_out) };
    }
    answer(done)
}

/// Gives `use_it` the text of the last error on this thread.
pub(super) fn last_message<T>(use_it: impl FnOnce(&str) -> T) -> T {
    LAST.with_borrow(|last| use_it(last.as_ref().map_or("", Error::message)))
}

#[cold]
fn no_handle() -> Error {
    ErrorCode::HANDLE.into()
}

#[cold]
fn panicked() -> Error {
    ErrorCode::PANIC.into()
}

/// Catches a panic in what has no handle.
pub(super) fn free_standing(body: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(panicked()))
}

/// Calls `body` with the object of a handle that is nothing but memory.
pub(super) fn on<T: Kind>(
    handle: *const T::Opaque,
    body: impl FnOnce(&T) -> Result<()>,
) -> Result<()> {
    let visit = registry::enter::<T>(handle).ok_or_else(no_handle)?;
    run(&visit, body)
}

/// Calls `body` with the object of a handle that has threads, which a forked child does not have.
pub(super) fn on_running<T: Kind>(
    handle: *const T::Opaque,
    body: impl FnOnce(&T) -> Result<()>,
) -> Result<()> {
    let visit = registry::enter::<T>(handle).ok_or_else(no_handle)?;
    if visit.fork.is_child() {
        return Err(ErrorCode::FORKED.into());
    }
    run(&visit, body)
}

fn run<T>(visit: &Visit<T>, body: impl FnOnce(&T) -> Result<()>) -> Result<()> {
    if visit.poisoned.load(Ordering::Relaxed) {
        return Err(panicked());
    }
    catch_unwind(AssertUnwindSafe(|| body(&visit.value))).unwrap_or_else(|_| {
        visit.poisoned.store(true, Ordering::Relaxed);
        Err(panicked())
    })
}

/// What an accessor answers: the value, or `otherwise` when there is no such object.
pub(super) fn look<T: Kind, R>(
    handle: *const T::Opaque,
    otherwise: R,
    body: impl FnOnce(&T) -> R,
) -> R {
    let Some(visit) = registry::enter::<T>(handle) else {
        refuse(no_handle());
        return otherwise;
    };
    catch_unwind(AssertUnwindSafe(|| body(&visit.value))).unwrap_or_else(|_| {
        refuse(panicked());
        otherwise
    })
}

/// Frees an object that is nothing but memory. Nothing happens for NULL.
pub(super) fn free<T: Kind>(handle: *mut T::Opaque) -> i32 {
    if handle.is_null() {
        return 0;
    }
    answer(free_standing(|| match registry::retire::<T>(handle) {
        true => Ok(()),
        false => Err(no_handle()),
    }))
}

/// Calls `body` with a producer if `rule` allows that here and now.
#[inline]
pub(super) fn on_producer(
    handle: *const ottla_producer_t,
    rule: &'static Rule,
    body: impl FnOnce(&ProducerObject) -> Result<()>,
) -> Result<()> {
    let visit = registry::enter::<ProducerObject>(handle).ok_or_else(no_handle)?;
    check(&visit, rule)?;
    match catch_unwind(AssertUnwindSafe(|| body(&visit.value))) {
        Ok(done) => done,
        Err(_) => Err(poison(&visit)),
    }
}

#[inline]
fn check(visit: &Visit<ProducerObject>, rule: &'static Rule) -> Result<()> {
    if visit.fork.is_child() {
        return Err(ErrorCode::FORKED.into());
    }
    if !rule.after_panic && visit.poisoned.load(Ordering::Relaxed) {
        return Err(panicked());
    }
    if !rule.after_close && visit.value.closed.load(Ordering::Relaxed) {
        return Err(visit.value.why_closed());
    }
    // A send of a producer that has only a delivery callback does not have to look.
    let asks = match rule.inside {
        Inside::None => true,
        Inside::Delivery => visit.value.has_other_callbacks,
        Inside::All => false,
    };
    if asks && is_inside(&visit.value, rule.inside) {
        let text = format!("{} was called inside a callback of the same producer", rule.name);
        return Err(Error::new(ErrorCode::IN_CALLBACK, text));
    }
    Ok(())
}

/// Whether this thread runs a callback of the producer that does not allow the call.
fn is_inside(object: &ProducerObject, allowed: Inside) -> bool {
    let refuses = |&(identity, callback): &(u64, Callback)| {
        identity == object.identity && !allowed.allows(callback)
    };
    RUNNING.try_with(|running| running.borrow().iter().any(refuses)).unwrap_or(false)
}

/// Nothing is known of the producer's state any more: whatever it still has is failed, later calls are
/// refused.
#[cold]
fn poison(visit: &Visit<ProducerObject>) -> Error {
    visit.poisoned.store(true, Ordering::Relaxed);
    let end = AssertUnwindSafe(|| visit.value.producer.begin_close(Duration::ZERO));
    // A second panic changes nothing: the handle is poisoned already.
    let _ = catch_unwind(end);
    panicked()
}

/// Milliseconds from C: below zero is without limit.
pub(super) fn timeout(timeout_ms: i64) -> Duration {
    // A century is without limit, and can still be added to every clock.
    let century = Duration::from_secs(100 * 365 * 86_400);
    u64::try_from(timeout_ms).map_or(century, |ms| Duration::from_millis(ms).min(century))
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
