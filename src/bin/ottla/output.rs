//! Standard output and error: what is printed for programs goes to the one, what is said to people to the
//! other. A reader that went away (`| head`) is no failure.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ottla::log::Level;

use crate::exit::Failure;

/// Prints all of `text` to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    checked(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What writing to standard output came to.
pub fn checked(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::work(format!("cannot write to standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// Says something to people; nobody is there to tell when that fails.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Where the producer's log goes: to people, what is worth their attention; the same line again and again, as
/// while a broker is down, once.
pub struct Voice {
    quiet: bool,
    last: Mutex<String>,
    started: AtomicBool,
}

impl Voice {
    /// Says nothing if `quiet`.
    pub fn new(quiet: bool) -> Arc<Voice> {
        Arc::new(Voice { quiet, last: Mutex::default(), started: AtomicBool::new(false) })
    }

    /// From now on errors are said, too: before, they end the command, and `main` says why.
    pub fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Takes a line of the log.
    pub fn line(&self, level: Level, line: &str) {
        let early = level == Level::Error && !self.started.load(Ordering::Relaxed);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.quiet || early || level > Level::Warning || *last == line {
            return;
        }
        line.clone_into(&mut last);
        say(&format!("ottla: {}: {line}", if level == Level::Error { "error" } else { "warning" }));
    }
}
