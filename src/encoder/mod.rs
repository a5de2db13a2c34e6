//! The threads that compress: one less than the machine has cores, at least one, started with the first
//! compressed batch. Owns them and their queue; what they do with a batch is `accumulator/encode.rs`, and the
//! order of batches is kept by their partition's queue, which they stay in.

use std::fmt;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{available_parallelism, Builder, JoinHandle};

use crossbeam::channel::{unbounded, Receiver, Sender};

use crate::accumulator::encode::{EncodeJob, Encoding, InlineEncoding, Workbench};
use crate::accumulator::Accumulator;

/// A pool of threads for one producer. Dropped, it gives up what is queued, ends the threads and waits for
/// them.
pub struct EncoderThreads {
    accumulator: Arc<Accumulator>,
    name: String,
    started: Option<Started>,
}

enum Started {
    Threads {
        jobs: Sender<EncodeJob>,
        threads: Vec<JoinHandle<()>>,
        ending: Arc<AtomicBool>,
    },
    /// The system gave no thread: better slow than not at all.
    None(Box<InlineEncoding>),
}

impl EncoderThreads {
    /// For the batches of `accumulator`; the threads are called after the producer's `name`.
    pub fn new(accumulator: Arc<Accumulator>, name: &str) -> EncoderThreads {
        EncoderThreads { accumulator, name: name.into(), started: None }
    }

    fn start(&self) -> Started {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let (jobs, queue) = unbounded();
        let ending = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for _ in 0..cores.saturating_sub(1).max(1) {
            let (accumulator, queue) = (self.accumulator.clone(), queue.clone());
            let ending = ending.clone();
            let work = move || work(&accumulator, &queue, &ending);
            let builder = Builder::new().name(format!("ottla-enc {}", self.name));
            threads.extend(builder.spawn(work).ok());
        }
        if threads.is_empty() {
            let inline = InlineEncoding::new(self.accumulator.clone());
            return Started::None(Box::new(inline));
        }
        Started::Threads { jobs, threads, ending }
    }
}

fn work(accumulator: &Accumulator, queue: &Receiver<EncodeJob>, ending: &AtomicBool) {
    let mut bench = Workbench::default();
    while let Ok(job) = queue.recv() {
        if !ending.load(Ordering::Relaxed) {
            accumulator.run_encode_job(job, &mut bench);
        }
    }
}

impl Encoding for EncoderThreads {
    fn submit(&mut self, job: EncodeJob) {
        if self.started.is_none() {
            self.started = Some(self.start());
        }
        match &mut self.started {
            Some(Started::Threads { jobs, .. }) => {
                // The threads hold the other end until this one is dropped.
                let _ = jobs.send(job);
            }
            Some(Started::None(inline)) => inline.submit(job),
            None => {}
        }
    }
}

impl Drop for EncoderThreads {
    fn drop(&mut self) {
        if let Some(Started::Threads { jobs, threads, ending }) = self.started.take() {
            ending.store(true, Ordering::Relaxed);
            drop(jobs);
            for thread in threads {
                // A codec's panic is caught where it is called, so it ends normally.
                let _ = thread.join();
            }
        }
    }
}

impl fmt::Debug for EncoderThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncoderThreads({})", if self.started.is_some() { "running" } else { "idle" })
    }
}
