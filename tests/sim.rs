//! The simulator over a fixed set of seeds, and its own promise: the same seed gives the same trace.

use std::time::{Duration, Instant};

use ottla::sim::{run, Options};

/// Seeds of every test run.
const SEEDS: u64 = 300;
/// A slow machine runs fewer of them rather than for minutes.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The test means nothing with fewer.
const SEEDS_MIN: u64 = 20;

#[test]
fn a_fixed_set_of_seeds_breaks_no_rule() {
    let begun = Instant::now();
    let (mut done, mut events, mut stored) = (0, 0, 0);
    for seed in 0..SEEDS {
        if done >= SEEDS_MIN && begun.elapsed() >= TIME_LIMIT {
            break;
        }
        let outcome = run(Options::draw(seed), false);
        if let Some(what) = outcome.failure {
            let options = Options::draw(seed);
            panic!("{options}\nseed {seed}: {what}\nagain: ottla-sim --seed {seed} --trace");
        }
        done += 1;
        events += outcome.events;
        stored += outcome.stored;
    }
    println!("{done} seeds, {events} events, {stored} records stored in {:?}", begun.elapsed());
    assert!(stored > 0, "a world in which nothing is ever stored proves nothing");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..40 {
        let first = run(Options::draw(seed), false);
        let second = run(Options::draw(seed), false);
        assert_eq!(first.steps, second.steps, "seed {seed}");
        assert_eq!(first.hash, second.hash, "seed {seed}");
    }
}

#[test]
fn different_seeds_give_different_traces() {
    let hash = |seed| run(Options::draw(seed), false).hash;
    assert_ne!(hash(1), hash(2));
}
