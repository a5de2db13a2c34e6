//! Appending, sealing and draining one partition at the same time.

use loom::thread;

use super::{explore, tokens, Size, World};
use crate::accumulator::pool::Taker;

/// Caught: `drain-two-locks`.
#[test]
fn a_record_is_drained_exactly_once_and_in_order() {
    explore(3, || {
        let world = World::new(Size { batch_records: 2, ..Size::default() });
        let (one, two) = (world.share(), world.share());
        let first = thread::spawn(move || {
            one.append(1, Taker::Caller).unwrap();
            one.append(2, Taker::Caller).unwrap();
        });
        let second = thread::spawn(move || two.append(10, Taker::Caller).unwrap());
        let mut drained = world.drain();
        world.partition().seal_open(&world.accumulator.pool);
        drained.extend(world.drain());
        first.join().unwrap();
        second.join().unwrap();
        drained.extend(world.drain_all());
        let own: Vec<u64> = drained.iter().filter(|&&token| token < 10).copied().collect();
        assert_eq!(own, [1, 2]);
        drained.sort_unstable();
        assert_eq!(drained, [1, 2, 10]);
        assert_eq!(world.partition().queued_batches(), 0);
        world.assert_whole();
    });
}

/// Caught: `put-back-behind`.
#[test]
fn a_batch_that_is_put_back_stands_before_what_came_meanwhile() {
    explore(2, || {
        let world = World::new(Size { batch_records: 1, ..Size::default() });
        world.append(1, Taker::Caller).unwrap();
        let sending = world.share();
        let send = thread::spawn(move || {
            sending.append(2, Taker::Caller).unwrap();
            sending.append(3, Taker::Caller).unwrap();
        });
        let pool = &world.accumulator.pool;
        let batch = world.partition().take(pool, 0, true).unwrap();
        world.partition().put_back(batch);
        let mut drained = world.partition().take(pool, 0, true).map(tokens).unwrap();
        send.join().unwrap();
        drained.extend(world.drain_all());
        assert_eq!(drained, [1, 2, 3]);
        world.assert_whole();
    });
}
