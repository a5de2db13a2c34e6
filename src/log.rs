//! Where lines for people go: a function that the application gave, or nowhere. Owns the levels and the
//! filter; never writes to a file or a terminal, and never holds a line back.

use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::config::LoggingSettings;
use crate::error::{Error, ErrorCode};

/// How important a line is, in syslog's numbers.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// The producer cannot go on, or something was given up.
    Error = 3,
    /// Something is wrong that is worked around.
    Warning = 4,
    /// Worth knowing.
    Info = 6,
}

/// What an [`Event`] tells.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// A line for people.
    Line,
    /// An error that no record and no call stands for.
    Error,
    /// A broker holds this client back (KIP-219).
    Throttled,
}

/// Something that happened, for programs.
#[derive(Copy, Clone, Debug)]
pub struct Event<'a> {
    /// What kind of thing.
    pub kind: EventKind,
    /// How important.
    pub level: Level,
    /// What went wrong; `NONE` but for errors.
    pub code: ErrorCode,
    /// The broker; -1 when it is none or unknown.
    pub broker: i32,
    /// For how long the broker holds this client back.
    pub throttle_ms: u32,
    /// For people.
    pub text: &'a str,
}

/// Takes events. Called as a [`LogSink`].
pub type EventSink = Box<dyn Fn(&Event<'_>) + Send + Sync>;

/// Takes lines. Called on threads of the library, which wait for it; must call nothing of its producer.
pub type LogSink = Box<dyn Fn(Level, &str) + Send + Sync>;

/// The log of one producer.
#[derive(Default)]
pub struct Log {
    sink: Option<LogSink>,
    events: Option<EventSink>,
    least: u8,
    connection_close: bool,
}

impl Log {
    /// A log into `sink` and `events` of what `settings` ask for.
    pub fn new(
        sink: Option<LogSink>,
        events: Option<EventSink>,
        settings: &LoggingSettings,
    ) -> Log {
        Log { sink, events, least: settings.level, connection_close: settings.connection_close }
    }

    /// Whether lost connections are worth a line (`log.connection.close`).
    pub fn wants_connections(&self) -> bool {
        self.connection_close
    }

    /// Writes a line, if anybody wants it. A sink that panics loses the line and nothing else.
    pub fn line(&self, level: Level, text: impl fmt::Display) {
        if level as u8 <= self.least && (self.sink.is_some() || self.events.is_some()) {
            self.write(EventKind::Line, level, ErrorCode::NONE, &text.to_string());
        }
    }

    /// Tells of an error: an event whatever the level, a line if lines of this level are wanted.
    pub fn error(&self, level: Level, error: &Error) {
        if self.sink.is_some() || self.events.is_some() {
            self.write(EventKind::Error, level, error.code(), &error.to_string());
        }
    }

    /// Tells that a broker holds this client back.
    pub fn throttled(&self, broker: i32, throttle_ms: u32) {
        let (kind, level) = (EventKind::Throttled, Level::Info);
        self.event(&Event { kind, level, code: ErrorCode::NONE, broker, throttle_ms, text: "" });
    }

    fn write(&self, kind: EventKind, level: Level, code: ErrorCode, text: &str) {
        if let Some(sink) = self.sink.as_ref().filter(|_| level as u8 <= self.least) {
            let _ = catch_unwind(AssertUnwindSafe(|| sink(level, text)));
        }
        self.event(&Event { kind, level, code, broker: -1, throttle_ms: 0, text });
    }

    fn event(&self, event: &Event<'_>) {
        if let Some(events) = &self.events {
            let _ = catch_unwind(AssertUnwindSafe(|| events(event)));
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({})", if self.sink.is_some() { "on" } else { "off" })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn lines_below_the_level_are_dropped_and_a_panic_stays_inside() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let sink: LogSink = Box::new(move |level, text| {
            assert!(text != "bad", "a sink that panics");
            kept.lock().unwrap().push((level, text.to_string()));
        });
        let settings =
            LoggingSettings { level: 4, debug: Vec::new(), queue: false, connection_close: false };
        let log = Log::new(Some(sink), None, &settings);
        log.line(Level::Info, "dropped");
        log.line(Level::Warning, "bad");
        log.line(Level::Error, "kept");
        assert_eq!(*lines.lock().unwrap(), [(Level::Error, "kept".to_string())]);
    }

    #[test]
    fn errors_are_events_whatever_the_level() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        let events: EventSink = Box::new(move |event| {
            kept.lock().unwrap().push((event.kind, event.code, event.broker, event.throttle_ms));
        });
        let settings =
            LoggingSettings { level: 3, debug: Vec::new(), queue: false, connection_close: false };
        let log = Log::new(None, Some(events), &settings);
        log.line(Level::Warning, "not wanted");
        log.line(Level::Error, "wanted");
        log.error(Level::Info, &ErrorCode::TRANSPORT.into());
        log.throttled(3, 250);
        let none = ErrorCode::NONE;
        let wanted = [
            (EventKind::Line, none, -1, 0),
            (EventKind::Error, ErrorCode::TRANSPORT, -1, 0),
            (EventKind::Throttled, none, 3, 250),
        ];
        assert_eq!(*seen.lock().unwrap(), wanted);
    }
}
