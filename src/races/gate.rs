//! The gate of a topic that becomes known while records are parked behind it.

use std::sync::Arc;

use loom::thread;

use super::{explore, Size, World, FOREVER};
use crate::accumulator::parked::{ParkedRecord, Parking};
use crate::accumulator::pool::Taker;
use crate::accumulator::topic::{Topic, TopicState};
use crate::delivery::{Lease, Promises};
use crate::record::Record;
use crate::time::Time;

/// Parks a record; false when the producer is closed.
pub(super) fn park(world: &World, topic: &Arc<Topic>, token: u64) -> bool {
    let parking = world.accumulator.park(topic, || {
        let home = world.accumulator.delivery.clone();
        let promise = Promises::of_one(topic.id, 0, token, Lease::nothing(), home);
        let record = Record { timestamp_ms: 1, ..Record::value(b"value") };
        ParkedRecord::new(&record, 0, promise, Time::ZERO)
    });
    if parking == Parking::Open {
        world.append(token, Taker::Caller).unwrap();
    }
    parking != Parking::Closed
}

/// As a send that does not wait.
fn send(world: &World, token: u64) {
    match world.topic.state() {
        TopicState::Known => world.append(token, Taker::Caller).unwrap(),
        _ => assert!(park(world, &world.topic, token)),
    }
}

/// As the sender when metadata has brought the topic.
fn open(world: &World) {
    world.topic.set_state(TopicState::Opening);
    while let Some(record) = world.accumulator.unpark(&world.topic) {
        world.append(record.promise.tokens()[0], Taker::Sender).unwrap();
        record.promise.hand_over();
    }
}

/// Caught: `park-state-before-lock`, `opened-behind-lock`, `opened-with-the-last`.
#[test]
fn records_pass_an_opening_gate_in_their_order() {
    explore(3, || {
        let world = World::new(Size::default());
        let (one, two) = (world.share(), world.share());
        let first = thread::spawn(move || (1..=2).for_each(|token| send(&one, token)));
        let second = thread::spawn(move || send(&two, 10));
        open(&world);
        first.join().unwrap();
        second.join().unwrap();
        assert!(world.topic.gate.lock().is_empty(), "stuck behind an open gate");
        let mut drained = world.drain_all();
        let own: Vec<u64> = drained.iter().filter(|&&token| token < 10).copied().collect();
        assert_eq!(own, [1, 2]);
        drained.sort_unstable();
        assert_eq!(drained, [1, 2, 10]);
        world.assert_whole();
    });
}

/// Caught: `opened-behind-news`.
#[test]
fn whoever_waits_for_a_topic_is_woken_when_its_gate_is_open() {
    explore(3, || {
        let world = World::new(Size::default());
        send(&world, 1);
        let waiting = world.share();
        let wait = thread::spawn(move || {
            let bulletin = &waiting.accumulator.bulletin;
            let mut news = bulletin.read();
            while waiting.topic.state() != TopicState::Known {
                news = bulletin.wait(news, FOREVER);
            }
            drop(news);
            waiting.append(2, Taker::Caller).unwrap();
        });
        open(&world);
        wait.join().unwrap();
        assert_eq!(world.drain_all(), [1, 2]);
        world.assert_whole();
    });
}
