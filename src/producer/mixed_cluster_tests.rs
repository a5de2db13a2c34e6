//! A producer whose brokers are not all of one age, in virtual time: what is decided about idempotence and
//! transactions, when, and what becomes of records that no leader can take.

use super::embedded_support::*;
use crate::error::ErrorCode;
use crate::log::Level;
use crate::mock::CoordinatorKind;
use crate::producer::TopicId;

/// A stage of modern brokers but for these.
fn mixed(old: &[(i32, &str)]) -> Shared {
    let stage = stage(V2, 7);
    for &(broker, release) in old {
        stage.lock().cluster.set_broker_kafka_version(broker, release).unwrap();
    }
    stage
}

/// A producer with no say about idempotence but `settings`.
fn producer(stage: &Shared, settings: &[(&str, &str)], seed: u64) -> (Rig, TopicId) {
    let mut all = vec![("bootstrap.servers", BOOTSTRAP), ("retry.backoff.ms", "100")];
    all.extend(settings);
    let rig = Rig::plain(stage, &all, seed);
    let topic = rig.producer.topic("t").unwrap();
    (rig, topic)
}

fn leader(stage: &Shared, partition: i32) -> i32 {
    stage.lock().cluster.leader("t", partition).unwrap().0.unwrap()
}

/// The partition that this broker leads.
fn partition_of(stage: &Shared, broker: i32) -> i32 {
    (0..3).find(|&partition| leader(stage, partition) == broker).unwrap()
}

fn warnings(rig: &Rig, of: &str) -> Vec<String> {
    let stage = rig.stage.lock();
    let warned =
        stage.lines.iter().filter(|(level, text)| *level <= Level::Warning && text.contains(of));
    warned.map(|(_, text)| text.clone()).collect()
}

#[test]
fn a_default_gives_way_before_the_first_sequence_whichever_broker_is_asked() {
    for (seed, old) in (0..24).zip(["0.10", "0.8", "0.8", "0.10"].into_iter().cycle()) {
        let stage = mixed(&[(3, old)]);
        let linger = [("linger.ms", "50")];
        let (mut rig, topic) = producer(&stage, &linger[..(seed / 4 % 2) as usize], seed);
        // With and without the time to get an id before.
        rig.run_ms(seed % 2 * 3_000);
        for partition in [1, 2, 0] {
            rig.send(topic, partition, "v").unwrap();
            // What lingers still counts, too.
            rig.run_ms(seed / 4 % 2 * 10);
        }
        rig.run_ms(20_000);
        assert_eq!(rig.codes(), [ErrorCode::NONE; 3], "{seed}");
        let told = warnings(&rig, "idempotence is off");
        assert_eq!(told.len(), 1, "{seed}: {told:?}");
        assert!(rig.close(1_000, 2_000));
    }
}

#[test]
fn a_leader_that_cannot_be_heard_holds_the_first_records_up_for_moments_only() {
    for refuses in [false, true] {
        let stage = mixed(&[]);
        match refuses {
            true => stage.lock().down(3),
            false => stage.lock().pause(3, 600_000),
        }
        let (mut rig, topic) = producer(&stage, &[], 7);
        (0..3).for_each(|partition| rig.send(topic, partition, "v").unwrap());
        rig.run_ms(4_000);
        let stored = committed(&stage);
        let mut others = (0..3).filter(|&partition| leader(&stage, partition) != 3);
        assert!(
            others.all(|partition| stored[partition as usize] == ["v"]),
            "{refuses}: {stored:?}"
        );
        assert_eq!(warnings(&rig, "idempotence is off").len(), 0);
    }
}

#[test]
fn what_is_decided_stays_and_records_for_an_old_leader_fail_with_the_remedy() {
    let stage = mixed(&[]);
    let (mut rig, topic) = producer(&stage, &[], 7);
    (0..3).for_each(|partition| rig.send(topic, partition, "v").unwrap());
    rig.run_ms(3_000);
    assert_eq!(rig.codes(), [ErrorCode::NONE; 3]);
    stage.lock().cluster.set_broker_kafka_version(3, "0.10").unwrap();
    stage.lock().drop_connections(3);
    rig.run_ms(1_000);
    (0..3).for_each(|partition| rig.send(topic, partition, "w").unwrap());
    rig.run_ms(3_000);
    let (mut codes, mut texts) = (Vec::new(), Vec::new());
    let take = &mut |report: &crate::delivery::Report, from: usize| {
        codes.push((report.partition, report.code));
        texts.extend(report.message.clone());
        report.count() - from
    };
    rig.producer.poll(std::time::Duration::ZERO, take).unwrap();
    let failed: Vec<_> = codes.iter().filter(|(_, code)| *code != ErrorCode::NONE).collect();
    assert_eq!(
        (codes.len(), failed),
        (3, vec![&(partition_of(&stage, 3), ErrorCode::UNSUPPORTED_VERSION)])
    );
    assert!(
        texts[0].contains("broker 3") && texts[0].contains("enable.idempotence=false"),
        "{texts:?}"
    );
    assert!(warnings(&rig, "idempotence is off").is_empty(), "nothing was stepped back from");
}

#[test]
fn idempotence_that_was_asked_for_takes_its_id_from_a_broker_that_has_one() {
    for (seed, bootstrap) in (0..6).zip(["10.0.0.3:9092", BOOTSTRAP].into_iter().cycle()) {
        let stage = mixed(&[(2, "0.10"), (3, "0.10")]);
        let settings = [("enable.idempotence", "true"), ("bootstrap.servers", bootstrap)];
        let (mut rig, topic) = producer(&stage, &settings, seed);
        rig.send(topic, partition_of(&stage, 1), "v").unwrap();
        rig.run_ms(5_000);
        assert_eq!(rig.codes(), [ErrorCode::NONE], "{seed}");
    }
}

/// Transactions begin with a question that any broker since 0.11 can answer.
#[test]
fn a_transaction_begins_at_whichever_broker_knows_of_them() {
    for (seed, bootstrap) in (0..6).zip(["10.0.0.3:9092", BOOTSTRAP].into_iter().cycle()) {
        let stage = mixed(&[(3, "0.10")]);
        stage
            .lock()
            .cluster
            .set_coordinator(CoordinatorKind::Transaction, "shipper", Some(1))
            .unwrap();
        let mut rig = Rig::new(&stage, &[("bootstrap.servers", bootstrap)], seed);
        rig.init().unwrap_or_else(|error| panic!("{seed}: {error:?}"));
    }
}

#[test]
fn transactions_without_a_broker_that_knows_them_are_a_clear_error() {
    let stage = mixed(&[(1, "0.10"), (2, "0.10"), (3, "0.10")]);
    let mut rig = Rig::new(&stage, &[], 7);
    let error = rig.init().unwrap_err();
    assert!(error.is_fatal() && error.code() == ErrorCode::UNSUPPORTED_VERSION, "{error:?}");
    for part in ["broker ", "0.11", "transactional.id"] {
        assert!(error.message().contains(part), "{error}");
    }
}

/// The only broker that can be asked is away for a moment: that is no reason to give up.
#[test]
fn a_broker_that_knew_transactions_is_waited_for() {
    for seed in 0..6 {
        let stage = mixed(&[(2, "0.10"), (3, "0.10")]);
        let kind = CoordinatorKind::Transaction;
        stage.lock().cluster.set_coordinator(kind, "shipper", Some(1)).unwrap();
        let mut rig = Rig::new(&stage, &[], seed);
        rig.init().unwrap();
        let topic = rig.producer.topic("t").unwrap();
        rig.run_ms(500);
        rig.producer.begin_transaction().unwrap();
        rig.send(topic, partition_of(&stage, 1), "v").unwrap();
        rig.run_ms(200);
        stage.lock().pause(1, 1_000);
        stage.lock().drop_connections(1);
        rig.commit().unwrap_or_else(|error| panic!("{seed}: {error:?}"));
        assert_eq!(all(&rig), ["v"], "{seed}");
    }
}
