//! Records that are appended under one lock: a run, against the sender that seals and drains, and close.

use loom::thread;

use super::close::close_and_wait;
use super::{explore, Size, World};
use crate::accumulator::append::Outgoing;
use crate::accumulator::pool::Taker;
use crate::accumulator::topic::TopicId;
use crate::partitioner::Choice;
use crate::record::Record;
use crate::time::Time;

/// A run of three to partition 0, where a batch takes two; the tokens of those that are in.
fn append_three(world: &World) -> Vec<u64> {
    let now = || Time::from_ms(1);
    let context = world.accumulator.append_context(&now);
    let record = Record { timestamp_ms: 1, ..Record::value(b"value") };
    let topic = TopicId(world.topic.id);
    let run = [1, 2, 3].map(|token| Outgoing { topic, partition: 0, record, token });
    let choice = Choice::Partition(0);
    let (count, _) = world.accumulator.append_run(&context, &world.topic, choice, &run);
    (1..=count as u64).collect()
}

fn world() -> World {
    World::new(Size { batch_records: 2, ..Size::default() })
}

/// Caught: `run-drained-by-two-locks`.
#[test]
fn a_run_is_drained_exactly_once_and_in_order() {
    explore(3, || {
        let world = world();
        let (one, two) = (world.share(), world.share());
        let run = thread::spawn(move || assert_eq!(append_three(&one), [1, 2, 3]));
        let single = thread::spawn(move || two.append(10, Taker::Caller).unwrap());
        let mut drained = world.drain();
        world.partition().seal_open(&world.accumulator.pool);
        drained.extend(world.drain());
        run.join().unwrap();
        single.join().unwrap();
        drained.extend(world.drain_all());
        let own: Vec<u64> = drained.iter().filter(|&&token| token < 10).copied().collect();
        assert_eq!(own, [1, 2, 3]);
        drained.sort_unstable();
        assert_eq!(drained, [1, 2, 3, 10]);
        world.assert_whole();
    });
}

/// The sender would sleep until the end of time: what lingers is not due before, but the first batch is full.
///
/// Caught: `full-run-without-notice`.
#[test]
fn the_sender_is_told_of_each_batch_that_a_run_fills() {
    explore(3, || {
        let world = world();
        let sending = world.share();
        let send = thread::spawn(move || append_three(&sending));
        let mut drained = Vec::new();
        while drained.len() < 2 {
            world.sleep();
            while world.accumulator.inbox.next().is_some() {}
            // As the rule: what is sealed goes, what is open lingers.
            if world.partition().head().is_some_and(|head| head.sealed) {
                drained.extend(world.drain());
            }
        }
        assert_eq!(drained, [1, 2]);
        assert_eq!(send.join().unwrap(), [1, 2, 3]);
        assert_eq!(world.drain_all(), [3]);
        world.assert_whole();
    });
}

/// Caught: `run-closed-before-lock`.
#[test]
fn nothing_of_a_run_is_appended_behind_the_sweep_of_a_close() {
    explore(2, || {
        let world = world();
        let sending = world.share();
        let send = thread::spawn(move || append_three(&sending));
        close_and_wait(&world);
        let swept = world.drain_all();
        assert_eq!(swept, send.join().unwrap(), "each accepted record is in the sweep");
        world.assert_whole();
    });
}
