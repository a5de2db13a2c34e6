//! Events for programs without callbacks: log lines, errors that no record stands for, throttling. Kept here,
//! the newest ones, until they are polled. Written by threads of the library; never waits for the reader.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::c_char;
use std::ptr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::capi::event::ottla_event_t;
use crate::capi::producer::ottla_producer_t;
use crate::capi::{gate, guard};
use crate::delivery::waiting::Words;
use crate::log::Event;

struct Kept {
    event: ottla_event_t,
    text: Box<str>,
}

/// The newest events of one producer.
#[derive(Default)]
pub(super) struct Events {
    queue: Mutex<(VecDeque<Kept>, u64)>,
    words: OnceLock<&'static Words>,
}

impl Events {
    const KEPT: usize = 256;

    /// Takes events in, for a producer that is being made.
    pub(super) fn sink(self: &Arc<Events>) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let events = self.clone();
        move |event| events.push(event)
    }

    /// The producer is there: from now on its words say whether events wait.
    pub(super) fn attach(&self, words: &'static Words) {
        let (queue, _) = &*self.lock();
        let _ = self.words.set(words);
        words.set_events(!queue.is_empty());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (VecDeque<Kept>, u64)> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: &Event<'_>) {
        let (queue, dropped) = &mut *self.lock();
        if queue.len() == Self::KEPT {
            queue.pop_front();
            *dropped += 1;
        }
        let given = ottla_event_t::of(event);
        queue.push_back(Kept { event: given, text: event.text.into() });
        if let Some(words) = self.words.get() {
            words.set_events(true);
        }
    }

    fn pop(&self) -> Kept {
        let (queue, dropped) = &mut *self.lock();
        let mut kept = queue.pop_front().unwrap_or_else(nothing);
        kept.event.dropped = std::mem::take(dropped);
        if let (true, Some(words)) = (queue.is_empty(), self.words.get()) {
            words.set_events(false);
        }
        kept
    }
}

fn nothing() -> Kept {
    Kept { event: ottla_event_t::NONE, text: "".into() }
}

/// Takes the oldest event of a producer with log.queue=true; kind is OTTLA_EVENT_NONE when there is none. The
/// library keeps the newest 256. The text is copied: at most `capacity` bytes, the last one a NUL.
/// OTTLA_ERROR_TRUNCATED: `text` holds only the beginning.
///
/// # Safety
/// `event_out` is writable for the size that it begins with; `text` is NULL or has room for `capacity` bytes.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_next_event(
    producer: *mut ottla_producer_t,
    event_out: *mut ottla_event_t,
    text: *mut c_char,
    capacity: usize,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let (place, text) = unsafe {
        (gate::sized_out("event_out", event_out), gate::text_out(text, capacity, ptr::null_mut()))
    };
    guard::answer(guard::on_producer(producer, guard::NEXT_EVENT, |object| {
        let (place, text) = (place?, text?);
        let kept = object.events.as_ref().map_or_else(nothing, |events| events.pop());
        let Kept { event, text: line } = kept;
        place.write(event);
        text.write(&line)
    }))
}

/// Where two words are that tell without a call whether something waits, 0 or not: the first for reports,
/// the second for events. They may be read by any thread at any time, even after the producer was freed
/// (then they may be another producer's), and are never written to by the caller. The library writes them
/// meanwhile, so read atomically: `__atomic_load_n(words, __ATOMIC_ACQUIRE)`; or both as one uint64_t, for
/// which they are aligned.
///
/// # Safety
/// `words_out` is writable.
#[no_mangle]
pub unsafe extern "C" fn ottla_producer_waiting(
    producer: *mut ottla_producer_t,
    words_out: *mut *const u32,
) -> i32 {
    // SAFETY: as the function's own Safety section says.
    let place = unsafe { gate::out("words_out", words_out) };
    guard::answer(guard::on_producer(producer, guard::WAITING, |object| {
        place?.write(object.producer.waiting().address());
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::event::{OTTLA_EVENT_LOG, OTTLA_EVENT_NONE};
    use crate::error::ErrorCode;
    use crate::log::{EventKind, Level};

    #[test]
    fn the_newest_are_kept_and_the_others_counted() {
        let events = Events::default();
        for number in 0..Events::KEPT + 3 {
            let text = number.to_string();
            let (kind, level) = (EventKind::Line, Level::Info);
            let code = ErrorCode::NONE;
            events.push(&Event { kind, level, code, broker: -1, throttle_ms: 0, text: &text });
        }
        let Kept { event, text } = events.pop();
        assert_eq!((event.kind, event.dropped, &*text), (OTTLA_EVENT_LOG, 3, "3"));
        for _ in 1..Events::KEPT {
            assert_eq!(events.pop().event.dropped, 0);
        }
        let Kept { event, text } = events.pop();
        assert_eq!((event.kind, &*text), (OTTLA_EVENT_NONE, ""));
    }
}
