//! Shows how a measurement goes: a moving line on a terminal, else a plain line from time to time.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::say;

use super::tally::{Counts, Tally};

const LIVE_EVERY: Duration = Duration::from_millis(250);
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// A thread that shows progress on standard error until it is told to end.
pub struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins to show how far `tally` is on the way to `total` records, unless `quiet`.
    pub fn start(tally: &Arc<Tally>, total: u64, quiet: bool) -> Progress {
        if quiet {
            return Progress { running: None };
        }
        let (end, ended) = channel::<()>();
        let tally = tally.clone();
        let live = io::stderr().is_terminal();
        let show = move || {
            let bar = live.then(|| bar(total));
            let every = if live { LIVE_EVERY } else { PLAIN_EVERY };
            let mut last = (Instant::now(), Counts::default());
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let now = (Instant::now(), tally.counts());
                let line = line(&tally, last, now);
                match &bar {
                    Some(bar) => {
                        bar.set_position(now.1.acked + now.1.failed);
                        bar.set_message(line);
                    }
                    None => say(&format!("{} of {total} records; {line}", now.1.acked)),
                }
                last = now;
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        // A measurement without progress is better than none.
        let thread = thread::Builder::new().name("ottla-progress".to_owned()).spawn(show);
        Progress { running: thread.ok().map(|thread| (end, thread)) }
    }

    /// Ends and clears the line.
    pub fn end(self) {
        if let Some((end, thread)) = self.running {
            drop(end);
            // It only draws; if it panicked, the measurement is none the worse.
            let _ = thread.join();
        }
    }
}

fn line(tally: &Tally, last: (Instant, Counts), now: (Instant, Counts)) -> String {
    let seconds = (now.0 - last.0).as_secs_f64();
    let rate = (now.1.acked - last.1.acked) as f64 / seconds;
    let mb = (now.1.bytes - last.1.bytes) as f64 / seconds / super::result::MB;
    let (p50, p99) = tally.take_recent();
    let (p50, p99) = (p50 as f64 / 1000.0, p99 as f64 / 1000.0);
    let failed = match now.1.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    format!("{rate:.0} records/s, {mb:.1} MB/s, p50 {p50:.1} ms, p99 {p99:.1} ms{failed}")
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "{percent:>3}% [{bar:24}] {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
