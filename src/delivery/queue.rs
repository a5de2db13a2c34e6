//! The queue of reports on their way to the application and the two doors out of it: a callback on a
//! thread of the library, or a poll. Never drops a report; the records in it stay counted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::delivery::outstanding::Outstanding;
use crate::delivery::report::Report;
use crate::delivery::waiting::{Waiting, Words};
use crate::delivery::wake_fd::WakeFd;
use crate::error::{Error, ErrorCode, Result};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread::{self, JoinHandle, ThreadId};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// Called with reports; see [`Door::Callback`].
pub type ReportSink = Box<dyn FnMut(&[Report]) + Send>;

/// How reports leave the library.
pub enum Door {
    /// The application takes them with [`Delivery::poll`].
    Poll,
    /// A dispatcher thread hands them to this function, several at a time. It may send; it may not flush or
    /// close. A panic in it is caught, counted, and does not lose the other reports.
    Callback(ReportSink),
    /// The thread that ends a record (mostly the sender) hands it to this function, which must be quick and
    /// call nothing of the producer: futures are completed so.
    Inline(InlineSink),
}

/// Called with each report; see [`Door::Inline`].
pub type InlineSink = Box<dyn Fn(&Report) + Send + Sync>;

/// Where reports wait. See the head of the file.
pub struct Delivery {
    state: Mutex<State>,
    arrived: Condvar,
    outstanding: Arc<Outstanding>,
    inline: Option<InlineSink>,
    waiting: Waiting,
    /// Records whose report was taken, ever.
    ended: AtomicU64,
    dispatcher: OnceCell<ThreadId>,
    /// Held while somebody waits for the dispatcher's end, so that every `close` returns after it.
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    reports: VecDeque<Report>,
    records: usize,
    /// Once asked for. Raised and lowered under this lock, so that it says what `reports` says.
    fd: Option<WakeFd>,
    /// Records in the hands of the callback right now.
    in_callback: usize,
    callback_panics: u64,
    callback_time: Duration,
    closed: bool,
}

impl Delivery {
    /// A delivery queue with this door; starts the dispatcher thread if the door is a callback.
    pub fn open(door: Door, name: &str) -> Result<Arc<Delivery>> {
        let (sink, inline) = match door {
            Door::Poll => (None, None),
            Door::Callback(sink) => (Some(sink), None),
            Door::Inline(sink) => (None, Some(sink)),
        };
        let delivery = Arc::new(Delivery {
            state: Mutex::default(),
            arrived: Condvar::new(),
            outstanding: Outstanding::new(),
            inline,
            waiting: Waiting::new(),
            ended: AtomicU64::new(0),
            dispatcher: OnceCell::new(),
            thread: Mutex::new(None),
        });
        if let Some(sink) = sink {
            let shared = delivery.clone();
            let builder = thread::Builder::new().name(format!("ottla-dr {name}"));
            let thread = builder.spawn(move || shared.dispatch(sink)).map_err(|cause| {
                Error::new(ErrorCode::STATE, format!("cannot start the dispatcher thread: {cause}"))
            })?;
            // The thread's own id is known before it can deliver anything to anybody.
            let _ = delivery.dispatcher.set(thread.thread().id());
            *delivery.lock_thread() = Some(thread);
        }
        Ok(delivery)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been accepted and not yet reported.
    pub fn outstanding(&self) -> &Arc<Outstanding> {
        &self.outstanding
    }

    /// Whether reports leave through a callback.
    pub fn has_callback(&self) -> bool {
        self.dispatcher.get().is_some()
    }

    /// Whether the calling thread is the one that runs the callback.
    pub fn on_dispatcher(&self) -> bool {
        self.dispatcher.get() == Some(&thread::current().id())
    }

    /// Queues reports for the application.
    pub fn deliver(&self, reports: impl IntoIterator<Item = Report>) {
        if let Some(sink) = &self.inline {
            for report in reports {
                self.pass_over(report.count());
                // A waker of the application's executor that panics must not end the producer.
                let call = std::panic::AssertUnwindSafe(|| sink(&report));
                if std::panic::catch_unwind(call).is_err() {
                    self.lock().callback_panics += 1;
                }
            }
            return;
        }
        let polled = !self.has_callback();
        let mut state = self.lock();
        let was_empty = state.reports.is_empty();
        for mut report in reports {
            state.records += report.count();
            if polled {
                // A flush waits until reports can be taken; with a callback, until they were. Who comes
                // back from it sees that they wait.
                self.waiting.set_reports(true);
                report.ticket = None;
            }
            state.reports.push_back(report);
        }
        if was_empty {
            self.tell(&state);
        }
    }

    /// Lets those who wait know that there are reports.
    fn tell(&self, state: &State) {
        if self.has_callback() {
            self.arrived.notify_all();
            return;
        }
        if !state.reports.is_empty() {
            self.waiting.set_reports(true);
            if let Some(fd) = &state.fd {
                fd.raise();
            }
            self.arrived.notify_all();
        }
    }

    /// Counts records that nobody is told of.
    pub fn pass_over(&self, count: usize) {
        self.ended.fetch_add(count as u64, Ordering::Release);
    }

    /// Records whose report was taken (or that nobody is told of), ever.
    pub fn ended_records(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Records whose report has not been taken yet.
    pub fn waiting_records(&self) -> usize {
        let state = self.lock();
        state.records + state.in_callback
    }

    /// Callbacks that panicked, ever, and the time spent in callbacks.
    pub fn callback_stats(&self) -> (u64, Duration) {
        let state = self.lock();
        (state.callback_panics, state.callback_time)
    }

    /// A descriptor that is readable while reports wait; made at the first call. Owned by the producer:
    /// do not close it, and read nothing from it. Fails where the system has none.
    pub fn wake_fd(&self) -> Result<i32> {
        let mut state = self.lock();
        if let Some(fd) = &state.fd {
            return Ok(fd.raw());
        }
        let fd = WakeFd::new().map_err(|cause| {
            Error::new(ErrorCode::UNSUPPORTED, format!("no wake-up descriptor: {cause}"))
        })?;
        if !state.reports.is_empty() {
            fd.raise();
        }
        Ok(state.fd.insert(fd).raw())
    }

    /// Words that say whether reports wait, and whether events do.
    pub fn waiting(&self) -> &'static Words {
        self.waiting.words()
    }

    /// Waits up to `timeout` for reports and takes from the front of the queue while `take` says that it
    /// has room: `take` gets the report and the index of its first record that was not taken before, and
    /// returns how many records it took. Returns the number of records taken. `take` runs outside the
    /// lock: it may call the producer, and a panic in it loses nothing.
    pub fn poll(&self, timeout: Duration, take: &mut dyn FnMut(&Report, usize) -> usize) -> usize {
        let mut state = self.wait_for_reports(timeout);
        let mut taken = 0;
        while let Some(report) = state.reports.pop_front() {
            drop(state);
            let mut lent = Lent { home: self, report: Some(report) };
            let (count, done) = lent.offer(take);
            // Dropped here, outside the lock: memory of a report that is done goes home, the rest of
            // another goes back to the front.
            drop(lent);
            taken += count;
            state = self.lock();
            state.records -= count;
            self.pass_over(count);
            if !done {
                break;
            }
        }
        if state.reports.is_empty() {
            self.waiting.set_reports(false);
            if let Some(fd) = &state.fd {
                fd.lower();
            }
        }
        taken
    }

    fn wait_for_reports(&self, timeout: Duration) -> MutexGuard<'_, State> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        while state.reports.is_empty() && !state.closed && !timeout.is_zero() {
            state = match deadline {
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let waited = self.arrived.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state
    }

    /// Whether every report was taken and none will come any more.
    pub fn is_finished(&self) -> bool {
        let state = self.lock();
        state.closed && state.reports.is_empty()
    }

    /// No report will come any more. Wakes pollers, and has the dispatcher end once it has handed out
    /// what there is. Does not wait for that.
    pub fn end(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// As [`Delivery::end`], but waits until the dispatcher has handed out what there is, unless
    /// called by it. Each of several calls at a time does.
    pub fn close(&self) {
        self.end();
        if self.on_dispatcher() {
            return;
        }
        let mut slot = self.lock_thread();
        if let Some(thread) = slot.take() {
            // The dispatcher catches panics of the callback, so it ends normally.
            let _ = thread.join();
        }
    }

    fn dispatch(&self, mut sink: ReportSink) {
        loop {
            let mut state = self.wait_for_reports(Duration::MAX);
            let batch: Vec<Report> = std::mem::take(&mut state.reports).into();
            if batch.is_empty() && state.closed {
                return;
            }
            state.in_callback = std::mem::take(&mut state.records);
            drop(state);
            let begun = Instant::now();
            let call = std::panic::AssertUnwindSafe(|| sink(&batch));
            let panicked = std::panic::catch_unwind(call).is_err();
            drop(batch);
            let mut state = self.lock();
            self.pass_over(std::mem::take(&mut state.in_callback));
            state.callback_time += begun.elapsed();
            state.callback_panics += u64::from(panicked);
        }
    }
}

/// A report in the hands of a poll; what was not taken of it goes back to the front of the queue, also
/// when the application's function panics.
struct Lent<'a> {
    home: &'a Delivery,
    report: Option<Report>,
}

impl Lent<'_> {
    /// How many records were taken, and whether that was all of them.
    fn offer(&mut self, take: &mut dyn FnMut(&Report, usize) -> usize) -> (usize, bool) {
        let Some(report) = &mut self.report else { return (0, true) };
        let from = report.taken();
        let count = take(report, from).min(report.count() - from);
        report.advance(count);
        let done = report.taken() == report.count();
        if done {
            self.report = None;
        }
        (count, done)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(report) = self.report.take() {
            let mut state = self.home.lock();
            state.reports.push_front(report);
            self.home.tell(&state);
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        write!(f, "Delivery({} reports, {} records wait)", state.reports.len(), state.records)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
