//! Scenarios that once found a fault in the core, built by hand so that they keep their point whatever the
//! seeds of `src/sim/options.rs` come to draw. Each runs with several seeds, which only shift what happens
//! when. Every case was seen to fail with the fix in question undone.

use ottla::sim::transaction_plan::{Generation, TransactionPlan};
use ottla::sim::{run, Options, Outcome, Trouble};

/// Runs a scenario with each of `seeds` seeds.
fn passes(seeds: u64, change: impl Fn(&mut Options)) -> Vec<Outcome> {
    let one = |seed| {
        let outcome = run(Options::scenario(seed, &change), false);
        assert_eq!(outcome.failure, None, "{}", Options::scenario(seed, &change));
        outcome
    };
    (0..seeds).map(one).collect()
}

fn stored(outcomes: &[Outcome]) -> usize {
    outcomes.iter().map(|outcome| outcome.stored).sum()
}

/// A record was failed with an error of its topic that had been mended before the record came: first with
/// what was known, later with an answer that was on its way.
#[test]
fn a_topic_that_is_allowed_again_takes_records() {
    let outcomes = passes(60, |options| {
        options.troubles = vec![(Trouble::Forbidden, 500)];
        options.network.delay_min_us = 50_000;
        options.network.delay_max_us = 500_000;
        options.workload.records = 20;
    });
    assert!(stored(&outcomes) > 0);
    let outcomes = passes(200, |options| {
        options.troubles = vec![(Trouble::Forbidden, 5)];
        options.network.delay_min_us = 50_000;
        options.network.delay_max_us = 500_000;
        options.workload.records = 20;
        options.safety_ms = 600;
    });
    assert!(stored(&outcomes) > 0);
}

/// A batch that was first stored without an answer and then refused was reported as surely not stored.
#[test]
fn a_refusal_does_not_take_back_what_an_earlier_attempt_may_have_stored() {
    let outcomes = passes(60, |options| {
        options.troubles = vec![(Trouble::ProduceFault, 20), (Trouble::PartitionError, 20)];
        options.topics[0].partitions = 1;
        options.workload.records = 300;
        options.request_timeout_ms = 200;
    });
    assert!(stored(&outcomes) > 0);
}

/// Parked records for which the pool had no room made the sender turn without a pause.
#[test]
fn parked_records_wait_for_memory_without_turning() {
    let outcomes = passes(20, |options| {
        options.topics[0].created_at_ms = Some(1000);
        options.topics[0].partitions = 16;
        options.buffer_memory_bytes = 64 << 10;
        options.workload.explicit = 1000;
        options.workload.burst_max = 100;
        options.workload.value_max_bytes = 20;
        options.workload.records = 1000;
    });
    assert!(stored(&outcomes) > 0);
}

/// A flush ended before records that were parked when it began were reported.
#[test]
fn a_flush_waits_for_what_is_parked() {
    let outcomes = passes(20, |options| {
        options.topics[0].created_at_ms = Some(1000);
        options.workload.flushes = 200;
    });
    assert!(stored(&outcomes) > 0);
}

/// Answers read behind a spoiled one are not believed, so their batches may be sent again.
#[test]
fn a_batch_behind_a_spoiled_answer_may_be_sent_again() {
    let outcomes = passes(30, |options| {
        options.troubles = vec![(Trouble::ProduceFault, 20)];
        options.network.delay_min_us = 20_000;
        options.network.delay_max_us = 20_000;
    });
    assert!(stored(&outcomes) > 0);
}

/// A large request on a slow connection was cut off for want of metadata that nobody could ask for.
#[test]
fn a_busy_connection_is_not_given_up_for_metadata() {
    let outcomes = passes(10, |options| {
        options.network.send_buffer_bytes = 1000;
        options.network.delay_min_us = 50_000;
        options.network.delay_max_us = 50_000;
        options.workload.value_max_bytes = 40_000;
        options.workload.records = 10;
        options.max_in_flight = 1;
        options.retries = 0;
        options.request_timeout_ms = 30_000;
        options.safety_ms = 20_000;
        options.config.push(("metadata.max.age.ms", "100".to_owned()));
        options.config.push(("metadata.recovery.rebootstrap.trigger.ms", "2000".to_owned()));
    });
    assert!(stored(&outcomes) > 0);
}

/// With acks=0, close let an answer come in behind the records, and TCP dropped what it had not sent.
#[test]
fn closing_loses_nothing_that_was_reported_without_acknowledgement() {
    let outcomes = passes(60, |options| {
        options.acks = 0;
        options.network.delay_min_us = 50_000;
        options.network.delay_max_us = 50_000;
        options.workload.closes_early = Some(5000);
        options.config.push(("metadata.max.age.ms", "20".to_owned()));
    });
    assert!(outcomes.iter().map(|outcome| outcome.appends).sum::<usize>() > 0);
}

/// Without numbers, what one leader gets late may come in behind what the next one got, if the first leads
/// again by then: the oracle for order looks at each leader for itself.
#[test]
fn what_went_to_two_leaders_has_no_order() {
    let outcomes = passes(60, |options| {
        options.brokers = 2;
        options.replication = 2;
        options.retries = 0;
        options.troubles = vec![(Trouble::LeaderMove, 50)];
        options.network.delay_min_us = 5_000;
        options.network.delay_max_us = 100_000;
        options.config.push(("metadata.max.age.ms", "100".to_owned()));
    });
    assert!(stored(&outcomes) > 0);
}

/// Answers are lost, leaders move, and epochs are near their end.
fn unsettled(options: &mut Options) {
    options.brokers = 3;
    options.replication = 3;
    options.idempotent = true;
    options.first_epoch = i16::MAX - 1;
    options.first_number = i32::MAX - 20;
    options.workload.records = 300;
    options.request_timeout_ms = 500;
    options.troubles = vec![
        (Trouble::ProduceFault, 30),
        (Trouble::PartitionError, 50),
        (Trouble::LeaderMove, 100),
        (Trouble::Reset, 100),
    ];
}

#[test]
fn with_idempotence_nothing_is_twice_or_out_of_order() {
    assert!(stored(&passes(60, unsettled)) > 0);
}

/// The oracle must see what idempotence prevents, or its silence means nothing.
#[test]
fn without_idempotence_the_same_is_seen_to_go_wrong() {
    let wrong = |seed| {
        let options = Options::scenario(seed, |options| {
            unsettled(options);
            options.config.push(("enable.idempotence", "false".to_owned()));
        });
        let failure = run(options, false).failure.unwrap_or_default();
        failure.contains("is there twice") || failure.contains("which came later")
    };
    assert!((0..60).any(wrong));
}

/// A partition that forgot the producer takes what is sent again a second time: nobody can know, and the
/// oracle looks away from that partition only.
#[test]
fn a_partition_that_forgets_its_producers_stops_nobody() {
    let outcomes = passes(60, |options| {
        unsettled(options);
        options.troubles.push((Trouble::Forgetting, 100));
    });
    assert!(outcomes.iter().all(|outcome| outcome.forgotten > 0));
    assert!(stored(&outcomes) > 0);
}

/// Numbers go over their end, brokers forget the producer while it says nothing, and what comes then is
/// refused, lost and moved about.
#[test]
fn after_a_long_silence_a_partition_begins_alone() {
    let outcomes = passes(30, |options| {
        unsettled(options);
        options.workload.silence_ms = 700_000;
        options.network.delay_max_us = 20_000;
        for (_, mean_ms) in &mut options.troubles {
            *mean_ms = 200;
        }
    });
    assert!(stored(&outcomes) > 0);
}

/// A batch under a new topic's id was stored before an older one that was refused for the old id.
#[test]
fn a_topic_that_is_made_again_has_its_records_in_order() {
    let outcomes = passes(30, |options| {
        options.brokers = 3;
        options.replication = 3;
        options.idempotent = true;
        options.topics[0].partitions = 1;
        options.workload.records = 2000;
        options.workload.burst_max = 1;
        options.safety_ms = 8000;
        options.network.delay_min_us = 1000;
        options.network.delay_max_us = 15_000;
        options.troubles = vec![(Trouble::Recreation, 300)];
        options.config.push(("linger.ms", "0".to_owned()));
        options.config.push(("metadata.max.age.ms", "5".to_owned()));
    });
    assert!(stored(&outcomes) > 0);
}

const GENERATIONS: [Generation; 5] = [("4.1", 2), ("4.1", 1), ("3.9", 1), ("2.8", 1), ("2.1", 1)];

/// Answers are lost, leaders and coordinators move, and epochs are near their end.
fn transactional(options: &mut Options, generation: Generation) {
    unsettled(options);
    options.first_epoch = 0;
    options.transactions = Some(TransactionPlan {
        epoch_before: Some(i16::MAX - 3),
        marker_delay_ms: 20,
        ..TransactionPlan::plain(generation)
    });
    options.troubles.push((Trouble::CoordinatorMove, 100));
    options.troubles.push((Trouble::TransactionFault, 50));
}

#[test]
fn readers_see_all_of_what_was_committed_and_nothing_of_what_was_not() {
    for generation in GENERATIONS {
        assert!(stored(&passes(12, |options| transactional(options, generation))) > 0);
    }
}

#[test]
fn brokers_are_upgraded_between_transactions() {
    for (from, to) in [(4, 0), (3, 0), (2, 0), (1, 0), (0, 1), (4, 2)] {
        let outcomes = passes(6, |options| {
            transactional(options, GENERATIONS[from]);
            let plan = options.transactions.as_mut();
            plan.into_iter().for_each(|plan| plan.changes = vec![(1000, GENERATIONS[to])]);
        });
        assert!(stored(&outcomes) > 0);
    }
}

/// Whether the oracle for transactions says so of one of the seeds.
fn is_seen(words: &str, change: impl Fn(&mut Options)) -> bool {
    let wrong = |seed| {
        let failure = run(Options::scenario(seed, &change), false).failure.unwrap_or_default();
        failure.contains(words)
    };
    (0..60).any(wrong)
}

/// One partition has another end than its transaction: a part of what was committed is missing, or of what
/// was aborted is seen.
#[test]
fn a_marker_that_is_wrong_is_seen() {
    for generation in [GENERATIONS[0], GENERATIONS[2]] {
        for words in ["must be seen as All", "must be seen as Nothing"] {
            assert!(is_seen(words, |options| {
                options.transactions = Some(TransactionPlan::plain(generation));
                options.troubles = vec![(Trouble::ForgedMarker, 20)];
            }));
        }
    }
}
