//! Ctrl-C and its relatives: the first one asks the running command to come to an end, the second one (or the
//! first, while nothing would be lost) ends the process.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::system::EndSignals;

/// Whether the user asked to end. Cheap to ask, for every record.
#[derive(Clone)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    signal: AtomicI32,
    gentle: AtomicBool,
    told: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Interrupt {
    /// Begins to listen. To be called before any other thread is started.
    pub fn listen() -> Interrupt {
        let shared = Arc::new(Shared::default());
        let signals = EndSignals::block();
        let listener = shared.clone();
        // Without the thread a signal would stay unanswered; that is worth ending for.
        let started = thread::Builder::new().name("ottla-signals".to_owned()).spawn(move || {
            while let Some(signal) = signals.wait() {
                listener.on_signal(signal);
            }
        });
        if let Err(cause) = started {
            eprintln!("ottla: cannot start a thread: {cause}");
            process::exit(1);
        }
        Interrupt { shared }
    }

    /// From now on the first signal only asks.
    pub fn be_gentle(&self) {
        self.shared.gentle.store(true, Ordering::SeqCst);
    }

    /// Whether a signal came.
    #[inline]
    pub fn is_asked(&self) -> bool {
        self.shared.signal.load(Ordering::Relaxed) != 0
    }

    /// The exit code that tells the shell which signal it was.
    pub fn exit_code(&self) -> Option<u8> {
        let signal = self.shared.signal.load(Ordering::SeqCst);
        (signal != 0).then(|| code_of(signal))
    }

    /// Calls `tell` when a signal comes, on the listening thread; at once when one came before.
    pub fn on_ask(&self, tell: impl FnOnce() + Send + 'static) {
        let mut told = self.shared.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_asked() {
            drop(told);
            return tell();
        }
        told.push(Box::new(tell));
    }
}

impl Shared {
    fn on_signal(&self, signal: i32) {
        let first = self.signal.swap(signal, Ordering::SeqCst) == 0;
        if !first || !self.gentle.load(Ordering::SeqCst) {
            process::exit(i32::from(code_of(signal)));
        }
        let tell = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *told)
        };
        tell.into_iter().for_each(|tell| tell());
    }
}

fn code_of(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}
