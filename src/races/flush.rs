//! Flushes: what was accepted before one is sent without lingering, and it ends with the last of it.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::{explore, Size, World, FOREVER};
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::Taker;
use crate::delivery::Outstanding;
use crate::time::Time;

/// The flush may be dealt with before the sender knows of the batch; then the batch must not linger.
///
/// Caught: `linger-through-flush`, `deadline-before-command`.
#[test]
fn a_flush_ends_the_lingering_of_a_batch_that_is_being_opened() {
    explore(3, || {
        let world = World::new(Size::default());
        let (sending, flushing) = (world.share(), world.share());
        let send = thread::spawn(move || sending.append(1, Taker::Caller).unwrap());
        let flush = thread::spawn(move || {
            let outstanding = flushing.accumulator.delivery.outstanding();
            let epoch = outstanding.begin_flush();
            flushing.accumulator.inbox.send(Command::Flush(epoch), Time::ZERO);
            assert!(outstanding.wait(epoch, FOREVER));
            flushing.accumulator.inbox.send(Command::Close(Time::ZERO), Time::ZERO);
        });
        let (mut known, mut flushed, mut closing) = (false, None, false);
        while !closing {
            world.sleep();
            while let Some(command) = world.accumulator.inbox.next() {
                match command {
                    Command::Opened(_) => known = true,
                    Command::Flush(epoch) => flushed = flushed.max(Some(epoch)),
                    _ => closing = true,
                }
            }
            // The rule of `standing`, for the one partition there is.
            let head = world.partition().head().filter(|_| known);
            if head.is_some_and(|head| flushed.is_some_and(|epoch| head.epoch <= epoch)) {
                assert_eq!(world.drain(), [1]);
            }
        }
        send.join().unwrap();
        flush.join().unwrap();
        world.drain_all();
        world.assert_whole();
    });
}

/// Caught: `ticket-without-notice`, `epochs-forgotten`.
#[test]
fn a_flush_sees_the_last_ticket_go() {
    explore(3, || {
        let outstanding = Outstanding::new();
        let before = outstanding.enter();
        let (one, two) = (outstanding.clone(), outstanding.clone());
        let done = Arc::new(AtomicBool::new(false));
        let finished = done.clone();
        let split = thread::spawn(move || {
            let child = before.fork();
            drop(before);
            finished.store(true, Ordering::Relaxed);
            drop(child);
        });
        let other = thread::spawn(move || drop(two.enter()));
        let epoch = one.begin_flush();
        assert!(one.wait(epoch, FOREVER));
        assert!(done.load(Ordering::Relaxed), "flushed with a ticket open");
        split.join().unwrap();
        other.join().unwrap();
        assert_eq!(outstanding.count(), 0);
    });
}
