//! What became of each record of the input: counted, and told as the options ask. Fed by the thread
//! that sends and by the library's thread that reports.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ottla::delivery::{Persistence, Report};
use ottla::error::ErrorCode;
use serde_json::json;

use crate::exit::Failure;
use crate::output::{checked, say};

/// What is told, and how.
pub struct LedgerSettings {
    /// The topic's name.
    pub topic: String,
    /// A line for each stored record.
    pub report: bool,
    /// These lines are JSON.
    pub json: bool,
    /// Failed records are only counted.
    pub quiet: bool,
}

/// The fate of the records.
pub struct Ledger {
    settings: LedgerSettings,
    seen: AtomicU64,
    left_out: AtomicU64,
    stored: AtomicU64,
    failed: AtomicU64,
    out: Mutex<Out>,
}

struct Out {
    to: BufWriter<Stdout>,
    /// The first failure to write; what comes after it is not written.
    written: io::Result<()>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(settings: LedgerSettings) -> Ledger {
        let out = Out { to: BufWriter::new(io::stdout()), written: Ok(()) };
        Ledger {
            settings,
            seen: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            stored: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            out: Mutex::new(out),
        }
    }

    /// Counts a record in and returns its number, from 1.
    pub fn begin(&self) -> u64 {
        self.seen.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Records counted in so far.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Records that were not stored, or may not be.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// An empty record was not sent.
    pub fn left_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// A record was not accepted.
    pub fn refused(&self, number: u64, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if !self.settings.quiet {
            say(&format!("ottla: record {number}: {why}"));
        }
    }

    /// The library reports.
    pub fn reported(&self, reports: &[Report]) {
        for report in reports {
            let count = report.count() as u64;
            if report.code == ErrorCode::NONE {
                self.stored.fetch_add(count, Ordering::Relaxed);
                self.tell_stored(report);
            } else {
                self.failed.fetch_add(count, Ordering::Relaxed);
                self.tell_failed(report);
            }
        }
        if self.settings.report {
            let mut out = self.out();
            out.write(|to| to.flush());
        }
    }

    /// Copies a record that was accepted to standard output.
    pub fn tee(&self, record: &[u8], delimiter: &[u8]) {
        self.out().write(|to| to.write_all(record).and_then(|()| to.write_all(delimiter)));
    }

    /// Writes out what is left and says whether everything could be written.
    pub fn written(&self) -> Result<(), Failure> {
        let mut out = self.out();
        out.write(|to| to.flush());
        checked(std::mem::replace(&mut out.written, Ok(())))
    }

    /// All of it in a sentence.
    pub fn summary(&self, took: Duration) -> String {
        let stored = self.stored.load(Ordering::Relaxed);
        let mut text = format!("ottla: {stored} records stored in {:.3} s", took.as_secs_f64());
        let others =
            [(self.failed(), "failed"), (self.left_out.load(Ordering::Relaxed), "empty, left out")];
        for (count, what) in others {
            if count > 0 {
                text.push_str(&format!("; {count} {what}"));
            }
        }
        text
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_stored(&self, report: &Report) {
        if !self.settings.report {
            return;
        }
        let mut out = self.out();
        for (index, &number) in report.tokens.iter().enumerate() {
            let (partition, offset) = (report.partition, report.offset(index));
            if self.settings.json {
                let topic = &self.settings.topic;
                let line = json!({
                    "record": number, "topic": topic, "partition": partition, "offset": offset,
                });
                out.write(|to| writeln!(to, "{line}"));
            } else {
                out.write(|to| writeln!(to, "{number} {partition} {offset}"));
            }
        }
    }

    fn tell_failed(&self, report: &Report) {
        if self.settings.quiet {
            return;
        }
        let why = report.message.as_deref().unwrap_or_else(|| report.code.description());
        let maybe = match report.persistence {
            Persistence::PossiblyPersisted => " (it may be stored all the same)",
            _ => "",
        };
        for number in &report.tokens {
            say(&format!("ottla: record {number}: {}: {why}{maybe}", report.code));
        }
    }
}

impl Out {
    fn write(&mut self, write: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>) {
        if self.written.is_ok() {
            self.written = write(&mut self.to);
        }
    }
}
