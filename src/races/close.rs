//! Closing while others send: what is accepted is seen by the sender's last look.

use std::sync::Arc;

use loom::thread;

use super::gate::park;
use super::{explore, Size, World};
use crate::accumulator::inbox::Command;
use crate::accumulator::pool::Taker;
use crate::accumulator::topic::Topic;
use crate::time::Time;

/// Closes as `Producer::begin_close` does; returns when the sender knows.
pub(super) fn close_and_wait(world: &World) {
    let closing = world.share();
    let close = thread::spawn(move || {
        closing.accumulator.admission.close();
        closing.accumulator.inbox.send(Command::Close(Time::ZERO), Time::ZERO);
    });
    let mut closed = false;
    while !closed {
        world.sleep();
        while let Some(command) = world.accumulator.inbox.next() {
            closed |= matches!(command, Command::Close(_));
        }
    }
    close.join().unwrap();
}

/// Caught: `closed-before-lock`.
#[test]
fn nothing_is_appended_behind_the_sweep_of_a_close() {
    explore(3, || {
        let world = World::new(Size { batch_records: 2, ..Size::default() });
        let sending = world.share();
        let send = thread::spawn(move || {
            let taken = (1..=2).filter(|&token| sending.append(token, Taker::Caller).is_ok());
            taken.collect::<Vec<u64>>()
        });
        close_and_wait(&world);
        let swept = world.drain_all();
        assert_eq!(swept, send.join().unwrap(), "each accepted record is in the sweep");
        world.assert_whole();
    });
}

/// Fails everything behind the gates, as the end of a close does.
fn sweep_gates(world: &World) -> usize {
    let take = |topic: &Arc<Topic>| std::mem::take(&mut *topic.gate.lock());
    let records = world.accumulator.topics.iter().flat_map(take);
    records.map(|record| drop(record.promise.report(super::outcome()))).count()
}

/// Caught: `park-closed-before-lock`.
#[test]
fn nothing_is_parked_behind_the_sweep_of_a_close() {
    explore(3, || {
        let world = World::new(Size::default());
        let sending = world.share();
        let send = thread::spawn(move || usize::from(park(&sending, &sending.topic, 1)));
        close_and_wait(&world);
        let swept = sweep_gates(&world);
        assert_eq!(swept, send.join().unwrap());
        world.assert_whole();
    });
}

/// Caught: `topics-without-lock`.
#[test]
fn no_topic_is_registered_behind_the_sweep_of_a_close() {
    explore(3, || {
        let world = World::new(Size::default());
        let sending = world.share();
        let send = thread::spawn(move || {
            let (topic, _) = sending.accumulator.topics.register("new", 1).unwrap();
            usize::from(park(&sending, topic, 1))
        });
        close_and_wait(&world);
        let swept = sweep_gates(&world);
        assert_eq!(swept, send.join().unwrap());
        world.assert_whole();
    });
}
