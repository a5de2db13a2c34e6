//! Exactly once whatever happens: a program that reads, makes two records of each input, and commits both
//! with the offset of what it read, in transactions, while brokers fail in every way that the embedded
//! cluster knows, the program is killed, and clocks run. At the end each input has its two records once, in
//! order.

use std::time::Duration;

use super::embedded_support::{committed, stage, Rig, Shared};
use crate::error::{Error, ErrorCode as E, Result};
use crate::mock::{CoordinatorKind, Fault, TRANSACTION_APIS};
use crate::producer::{GroupMetadata, GroupOffset, TopicId};
use crate::protocol::ApiKey;

const INPUTS: i64 = 25;
const GENERATIONS: [(&str, i16); 4] = [("4.1", 2), ("3.9", 1), ("2.8", 1), ("2.1", 1)];

const ERRORS: [E; 6] = [
    E::COORDINATOR_NOT_AVAILABLE,
    E::NOT_COORDINATOR,
    E::COORDINATOR_LOAD_IN_PROGRESS,
    E::CONCURRENT_TRANSACTIONS,
    E::REQUEST_TIMED_OUT,
    E::TRANSACTION_ABORTABLE,
];

const PRODUCE_ERRORS: [E; 7] = [
    E::NOT_LEADER_OR_FOLLOWER,
    E::NOT_ENOUGH_REPLICAS,
    E::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    E::REQUEST_TIMED_OUT,
    E::INVALID_RECORD,
    E::UNKNOWN_TOPIC_OR_PARTITION,
    E::KAFKA_STORAGE_ERROR,
];

/// The program and its world.
struct Run {
    stage: Shared,
    rig: Rig,
    topic: TopicId,
    /// The next input.
    position: i64,
    random: fastrand::Rng,
    old: bool,
    seed: u64,
    lives: u64,
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut random = fastrand::Rng::with_seed(seed);
        let generation = GENERATIONS[random.usize(..GENERATIONS.len())];
        let stage = stage(generation, seed);
        if random.bool() {
            let epoch = i16::MAX - random.i16(0..6);
            stage.lock().cluster.set_transactional_epoch("shipper", epoch);
        }
        let (rig, topic) = Run::life(&stage, seed);
        let old = generation.0 == "2.1";
        Run { stage, rig, topic, position: 0, random, old, seed, lives: 0 }
    }

    fn life(stage: &Shared, seed: u64) -> (Rig, TopicId) {
        let settings = [
            ("delivery.timeout.ms", "40000"),
            ("retry.backoff.ms", "20"),
            ("transaction.timeout.ms", "60000"),
        ];
        let rig = Rig::new(stage, &settings, seed);
        let topic = rig.producer.topic("t").unwrap();
        (rig, topic)
    }

    /// The process is killed, or ends, and another one takes its place.
    fn restart(&mut self) {
        self.lives += 1;
        assert!(self.lives < 500, "seed {}: it gets nowhere", self.seed);
        (self.rig, self.topic) = Run::life(&self.stage, self.seed + self.lives);
        match self.rig.init() {
            Ok(()) => {
                let found = self.stage.lock().cluster.committed_offset("g", "in", 0);
                self.position = found.map_or(0, |found| found.offset);
            }
            Err(error) => {
                assert!(error.is_fatal() != error.is_retriable(), "seed {}: {error:?}", self.seed);
                self.restart();
            }
        }
    }

    fn strike(&mut self) {
        let random = &mut self.random;
        let mut stage = self.stage.lock();
        let broker = random.i32(1..=3);
        let api = TRANSACTION_APIS[random.usize(..TRANSACTION_APIS.len())];
        let fault = match random.u32(..4) {
            0 => Fault::DropRequest,
            1 => Fault::DropResponse,
            2 => Fault::Silence,
            _ => Fault::Error(ERRORS[random.usize(..ERRORS.len())]),
        };
        match random.u32(..14) {
            0..=3 => stage.cluster.push_faults(None, api, &[fault]),
            4 | 5 => {
                let error = PRODUCE_ERRORS[random.usize(..PRODUCE_ERRORS.len())];
                stage.cluster.push_partition_errors("t", random.i32(0..3), &[error]);
            }
            6 if !matches!(fault, Fault::Error(_)) => {
                stage.cluster.push_faults(None, ApiKey::Produce, &[fault]);
            }
            7 => stage.pause(broker, random.u64(..80_000)),
            8 if stage.cluster.is_up(broker) => {
                stage.cluster.set_leader("t", random.i32(0..3), Some(broker)).unwrap();
            }
            9 => {
                let kind =
                    [CoordinatorKind::Transaction, CoordinatorKind::Group][random.usize(..2)];
                let key = ["shipper", "g"][kind as usize % 2];
                let _ = stage.cluster.set_coordinator(kind, key, Some(broker));
            }
            10 => match stage.cluster.is_up(broker) {
                true => stage.down(broker),
                false => stage.cluster.broker_up(broker).unwrap(),
            },
            11 => stage.cluster.set_marker_delay_ms(random.u64(..500)),
            12 => stage.drop_connections(broker),
            13 if !self.old => {
                let level = random.i16(1..=2);
                if stage.cluster.set_kafka_version("4.1").is_ok() {
                    stage.cluster.set_transaction_version(Some(level));
                }
            }
            _ => {}
        }
        let up = (1..=3).filter(|&id| stage.cluster.is_up(id)).count();
        if up < 2 {
            (1..=3).for_each(|id| stage.cluster.broker_up(id).unwrap());
        }
    }

    /// One transaction.
    fn transact(&mut self) -> Result<()> {
        self.rig.producer.begin_transaction()?;
        let until = (self.position + self.random.i64(1..4)).min(INPUTS);
        for input in self.position..until {
            self.rig.send(self.topic, (input % 3) as i32, &input.to_string())?;
            self.rig.send(self.topic, ((input + 1) % 3) as i32, &input.to_string())?;
            if self.random.u32(..6) == 0 {
                let ms = self.random.u64(..50);
                self.rig.run_ms(ms);
            }
            if self.random.u32(..30) == 0 {
                self.rig.run_ms(70_000);
            }
        }
        if self.random.u32(..10) == 0 {
            return self.rig.abort();
        }
        let group = GroupMetadata::new("g", -1, "", None).unwrap();
        let offsets = [GroupOffset::new("in", 0, until)];
        self.rig.wait(600_000, |producer| {
            producer.send_offsets_to_transaction(&offsets, &group, Duration::ZERO)
        })?;
        self.rig.commit()?;
        self.position = until;
        Ok(())
    }

    fn recover(&mut self, error: &Error) {
        let text = format!("seed {}: {error:?}", self.seed);
        assert!(error.is_abortable() != error.is_fatal(), "{text}");
        if error.is_fatal() || self.rig.abort().is_err() {
            self.restart();
        }
    }

    fn heal(&mut self) {
        let mut stage = self.stage.lock();
        stage.cluster.clear_faults();
        stage.cluster.set_marker_delay_ms(0);
        (1..=3).for_each(|id| stage.cluster.broker_up(id).unwrap());
    }
}

fn run(seed: u64) {
    let mut run = Run::new(seed);
    if run.rig.init().is_err() {
        run.restart();
    }
    let mut rounds = 0;
    while run.position < INPUTS {
        rounds += 1;
        assert!(rounds < 3_000, "seed {seed}: it gets nowhere");
        for _ in 0..run.random.u32(..4) {
            run.strike();
        }
        if rounds > 200 {
            run.heal();
        }
        match run.transact() {
            // Killed.
            Ok(()) if run.random.u32(..15) == 0 => run.restart(),
            Err(_) if run.random.u32(..8) == 0 => run.restart(),
            Ok(()) => {}
            Err(error) => run.recover(&error),
        }
    }
    run.heal();
    run.rig.run_ms(100_000);
    let found = committed(&run.stage);
    for partition in 0..3 {
        let belongs = |input: &i64| [input % 3, (input + 1) % 3].contains(&partition);
        let expected: Vec<String> =
            (0..INPUTS).filter(belongs).map(|input| input.to_string()).collect();
        assert_eq!(found[partition as usize], expected, "seed {seed}, partition {partition}");
    }
}

#[test]
fn each_input_has_its_effect_exactly_once() {
    let first = std::env::var("OTTLA_EXACTLY_ONCE_FROM").ok().and_then(|text| text.parse().ok());
    let count = std::env::var("OTTLA_EXACTLY_ONCE_SEEDS").ok().and_then(|text| text.parse().ok());
    let first: u64 = first.unwrap_or(0);
    for seed in first..first + count.unwrap_or(40) {
        // Shown when a seed fails.
        println!("seed {seed}");
        run(seed);
    }
}
