//! What application threads tell the sender: one short message per batch or per call, never per
//! record, and a wake-up only when the sender would otherwise sleep too long.

use std::fmt;
use std::sync::Arc;

use crate::accumulator::topic::Slot;
use crate::error::Error;
use crate::sync::atomic::{fence, AtomicU64, Ordering};
use crate::sync::SegQueue;
use crate::time::Time;

/// Wakes the thread that runs the sender, from any thread.
pub trait Wake: Send + Sync {
    /// Makes the current or the next poll of the network return.
    fn wake(&self);
}

impl<F: Fn() + Send + Sync> Wake for F {
    fn wake(&self) {
        self();
    }
}

/// Something the sender must know or do.
#[derive(Debug)]
pub enum Command {
    /// A batch was opened in this partition.
    Opened(Slot),
    /// A batch of this partition is full.
    Sealed(Slot),
    /// A batch of this partition was compressed.
    Encoded(Slot),
    /// The batch of this partition with this ordinal could not be compressed; it is in its queue still.
    EncodingFailed(Slot, u64, Error),
    /// A topic is used for the first time.
    WantTopic(u32),
    /// A record was parked for a topic.
    Parked(u32),
    /// What was accepted in this epoch and before is to be sent without lingering.
    Flush(u64),
    /// A call about transactions was placed.
    Transaction,
    /// Records are to be failed.
    Purge {
        /// Those not sent yet.
        queued: bool,
        /// Those in flight (their outcome stays unknown).
        in_flight: bool,
    },
    /// Somebody waits for memory: time to look at the pool.
    Pressure,
    /// Somebody wants fresh metadata.
    RefreshMetadata,
    /// No more records come; finish until this time, then fail the rest.
    Close(Time),
}

/// The queue and the sleeping sender's alarm time.
pub struct Inbox {
    commands: SegQueue<Command>,
    /// Nanoseconds at which the sender wakes by itself; 0 while it is awake.
    sleeping_until: AtomicU64,
    wake: Arc<dyn Wake>,
}

impl Inbox {
    /// An empty inbox of a sender that is woken by `wake`.
    pub fn new(wake: Arc<dyn Wake>) -> Inbox {
        Inbox { commands: SegQueue::new(), sleeping_until: AtomicU64::new(0), wake }
    }

    /// Tells the sender, which should act at `by` at the latest.
    pub fn send(&self, command: Command, by: Time) {
        self.send_by(command, || by);
    }

    /// As `send`, but asks when the sender should act only after the command is in the queue, and only if the
    /// sender sleeps. What is asked about and changes later comes with a command of its own behind this one.
    pub fn send_by(&self, command: Command, by: impl FnOnce() -> Time) {
        self.commands.push(command);
        // Pairs with the fence in `may_sleep`: either we see the alarm time or the sender sees the command.
        fence(Ordering::SeqCst);
        let alarm = self.sleeping_until.load(Ordering::Relaxed);
        if alarm != 0 && by().as_nanos() < alarm {
            self.wake.wake();
        }
    }

    /// The next command.
    pub fn next(&self) -> Option<Command> {
        self.commands.pop()
    }

    /// Whether there is nothing that the sender does not know yet.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Announces that the sender sleeps until `alarm`. False: do not, there are commands.
    pub fn may_sleep(&self, alarm: Time) -> bool {
        self.sleeping_until.store(alarm.as_nanos().max(1), Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.commands.is_empty() {
            return true;
        }
        self.awake();
        false
    }

    /// Announces that the sender is awake.
    pub fn awake(&self) {
        self.sleeping_until.store(0, Ordering::Relaxed);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} commands)", self.commands.len())
    }
}
