//! `queue.buffering.max.messages`: counting records in and out, and waiting for room.

use loom::thread;

use super::{explore, Size, World, FOREVER};

fn full() -> World {
    let world = World::new(Size { records_max: Some(1), ..Size::default() });
    assert!(world.accumulator.count_in(1));
    world
}

/// Caught: `counted-in-on-trial`, `count-out-without-fence`, `count-in-without-fence`, `waiter-counted-late`.
#[test]
fn a_record_that_finds_no_room_keeps_nobody_else_out() {
    explore(3, || {
        let world = full();
        let (waiting, trying) = (world.share(), world.share());
        let wait = thread::spawn(move || {
            assert!(waiting.accumulator.count_in_waiting(1, FOREVER));
            waiting.accumulator.count_out(1);
        });
        let attempt = thread::spawn(move || {
            if trying.accumulator.count_in(1) {
                trying.accumulator.count_out(1);
            }
        });
        world.accumulator.count_out(1);
        wait.join().unwrap();
        attempt.join().unwrap();
        assert!(world.accumulator.count_in(1), "the count came back to nothing");
    });
}

/// Caught: `news-behind-notice`.
#[test]
fn a_close_ends_the_wait_for_room() {
    explore(3, || {
        let world = full();
        let waiting = world.share();
        let wait = thread::spawn(move || waiting.accumulator.count_in_waiting(1, FOREVER));
        world.accumulator.bulletin.post(|news| news.closed = true);
        assert!(!wait.join().unwrap());
    });
}
