//! Where lines for people go: a function that the application gave, or nowhere. Owns the levels and the
//! filter; never writes to a file or a terminal, and never holds a line back.

use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::config::LoggingSettings;

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

/// Takes lines. Called on threads of the library, which wait for it; must call nothing of its producer.
pub type LogSink = Box<dyn Fn(Level, &str) + Send + Sync>;

/// The log of one producer.
#[derive(Default)]
pub struct Log {
    sink: Option<LogSink>,
    least: u8,
    connection_close: bool,
}

impl Log {
    /// A log into `sink` of what `settings` ask for.
    pub fn new(sink: Option<LogSink>, settings: &LoggingSettings) -> Log {
        Log { sink, least: settings.level, connection_close: settings.connection_close }
    }

    /// Whether lost connections are worth a line (`log.connection.close`).
    pub fn wants_connections(&self) -> bool {
        self.connection_close
    }

    /// Writes a line, if anybody wants it. A sink that panics loses the line and nothing else.
    pub fn line(&self, level: Level, text: impl fmt::Display) {
        let Some(sink) = self.sink.as_ref().filter(|_| level as u8 <= self.least) else { return };
        let line = text.to_string();
        let _ = catch_unwind(AssertUnwindSafe(|| sink(level, &line)));
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
        let settings = LoggingSettings { level: 4, debug: Vec::new(), connection_close: false };
        let log = Log::new(Some(sink), &settings);
        log.line(Level::Info, "dropped");
        log.line(Level::Warning, "bad");
        log.line(Level::Error, "kept");
        assert_eq!(*lines.lock().unwrap(), [(Level::Error, "kept".to_string())]);
    }
}
