//! Commands to a sender that is about to sleep, or sleeps.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use super::{explore, Bed};
use crate::accumulator::inbox::{Command, Inbox};
use crate::accumulator::topic::Slot;
use crate::time::Time;

/// Caught: `send-without-fence`, `sleep-without-fence`, `weak-fences`, `look-before-alarm`.
#[test]
fn a_command_never_lies_before_a_sleeping_sender() {
    explore(3, || {
        let bed = Arc::new(Notify::new());
        let inbox = Arc::new(Inbox::new(Arc::new(Bed(bed.clone()))));
        let threads: Vec<_> = (0..2)
            .map(|slot| {
                let inbox = inbox.clone();
                thread::spawn(move || inbox.send(Command::Sealed(Slot(slot)), Time::ZERO))
            })
            .collect();
        let mut seen = 0;
        while seen < 2 {
            if inbox.may_sleep(Time::from_ms(1000)) {
                bed.wait();
            }
            inbox.awake();
            while inbox.next().is_some() {
                seen += 1;
            }
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}
