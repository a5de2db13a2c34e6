//! The simulator over a fixed set of seeds, and its own promise: the same seed gives the same trace.

use std::time::{Duration, Instant};

use ottla::sim::transaction_plan::TransactionPlan;
use ottla::sim::{run, Options, Trouble};

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

/// A trouble that strikes nothing proves nothing: three kinds once did, in partitions that were not there.
#[test]
fn every_kind_of_trouble_makes_a_difference() {
    let seen = |kind: Option<Trouble>, transactional: bool, seed| {
        let options = Options::scenario(seed, |options| {
            let plan = TransactionPlan::plain(("4.1", 2));
            options.transactions = transactional.then_some(plan);
            options.brokers = 3;
            options.replication = 3;
            options.idempotent = true;
            options.workload.records = 200;
            options.workload.value_max_bytes = 2000;
            options.workload.burst_max = 20;
            options.request_timeout_ms = 500;
            options.safety_ms = 4000;
            options.troubles = kind.map(|kind| (kind, 50)).into_iter().collect();
            options.config.push(("metadata.max.age.ms", "100".to_owned()));
            options.config.push(("connections.max.idle.ms", "30".to_owned()));
        });
        let outcome = run(options, false);
        assert_eq!(outcome.failure, None, "{kind:?}, seed {seed}");
        (outcome.turns, outcome.appends, outcome.stored)
    };
    // What a partition forgets shows only in what is sent again: see the cases of idempotence.
    for &kind in Trouble::ALL.iter().filter(|&&kind| kind != Trouble::Forgetting) {
        let differs = (0..5).any(|seed| seen(Some(kind), false, seed) != seen(None, false, seed));
        assert!(differs, "{kind:?} changes nothing");
    }
    for &kind in Trouble::OF_TRANSACTIONS {
        let differs = (0..5).any(|seed| seen(Some(kind), true, seed) != seen(None, true, seed));
        assert!(differs, "{kind:?} changes nothing");
    }
}
