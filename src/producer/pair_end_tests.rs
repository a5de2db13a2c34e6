//! The ends in the scripted world of `pair_support.rs`: flush, purge, close; and the application's own code.

use std::time::Duration;

use super::pair_support::Pair;
use crate::delivery::Persistence;
use crate::error::ErrorCode as E;
use crate::producer::builder::Hooks;
use crate::producer::close::Purge;
use crate::time::Time;

#[test]
fn a_flush_ends_lingering_and_waits_for_what_was_accepted_before_it() {
    let (mut pair, topic) = Pair::ready(&[("linger.ms", "1000")]);
    pair.send(topic, 0, 1, "before");
    assert_eq!(pair.producer.flush(Duration::ZERO).unwrap_err().code(), E::TIMED_OUT);
    pair.run_ms(0);
    let asked = pair.asked().remove(0);
    pair.send(topic, 0, 2, "after");
    pair.run_ms(500);
    assert!(pair.asked().is_empty(), "what came later lingers");
    pair.answer(&asked, E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    pair.run_ms(500);
    assert_eq!(pair.asked().remove(0).values(), ["after"]);
}

#[test]
fn a_purge_fails_what_it_names_and_the_late_answer_is_ignored() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "in flight");
    let asked = pair.one_asked();
    pair.send(topic, 0, 2, "queued");
    pair.producer.purge(Purge::Queued).unwrap();
    pair.run_ms(0);
    assert_eq!(pair.codes(), [(2, E::PURGED_QUEUE)]);
    pair.producer.purge(Purge::InFlight).unwrap();
    pair.run_ms(0);
    let fate = pair.fates().remove(0);
    assert_eq!(
        (fate.code, fate.persistence),
        (E::PURGED_IN_FLIGHT, Persistence::PossiblyPersisted)
    );
    pair.answer(&asked, E::NONE);
    pair.check_clean();
    pair.send(topic, 0, 3, "next");
    let asked = pair.one_asked();
    pair.answer(&asked, E::NONE);
    assert_eq!(pair.codes(), [(3, E::NONE)]);
}

#[test]
fn a_graceful_close_sends_and_reports_everything_and_takes_nothing_more() {
    let (mut pair, topic) = Pair::ready(&[("linger.ms", "60000")]);
    (0..4).for_each(|token| pair.send(topic, token as i32, token, "x"));
    pair.producer.begin_close(Duration::from_secs(60));
    assert_eq!(pair.try_send(topic, 0, 9, "late").unwrap_err().code(), E::CLOSED);
    pair.run_ms(1);
    assert!(pair.open);
    pair.answer_all(E::NONE);
    assert!(!pair.open, "it ends with the last report");
    assert_eq!(pair.fates().len(), 4);
}

#[test]
fn a_forced_close_fails_what_is_queued_in_flight_and_parked_at_its_time() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "in flight");
    pair.one_asked();
    pair.script.lock().mute_metadata = true;
    let unknown = pair.producer.topic("unknown").unwrap();
    pair.send(unknown, 0, 2, "parked");
    pair.producer.begin_close(Duration::from_millis(100));
    pair.run_ms(99);
    assert!(pair.open && pair.fates().is_empty());
    pair.run_ms(1);
    assert!(!pair.open);
    let mut fates = pair.fates();
    fates.sort_by_key(|fate| fate.token);
    let what: Vec<_> = fates.iter().map(|f| (f.token, f.code, f.persistence)).collect();
    let possibly = (1, E::ABORTED, Persistence::PossiblyPersisted);
    assert_eq!(what, [possibly, (2, E::ABORTED, Persistence::NotPersisted)]);
    let error = pair.producer.close(Duration::ZERO).unwrap_err();
    assert_eq!(error.code(), E::TIMED_OUT);
    assert!(error.message().contains("2 records"), "{error}");
}

/// When, after the drop of a producer with these settings, its record that no broker answers fails, and how.
fn end_of_a_dropped_producer(settings: &[(&str, &str)]) -> (u64, E) {
    let (mut pair, topic) = Pair::ready(settings);
    pair.send(topic, 0, 1, "in flight");
    pair.one_asked();
    let (delivery, dropped_at) = (pair.producer.shared.delivery.clone(), pair.now());
    drop(std::mem::replace(&mut pair.producer, Pair::new(&[]).producer));
    for _ in 0..600 {
        pair.run_ms(1_000);
        if !pair.open {
            break;
        }
        assert_eq!(delivery.waiting_records(), 0, "not before its time");
    }
    assert!(!pair.open, "it goes on after {:?}", pair.now());
    let mut code = E::NONE;
    let mut take = |report: &crate::delivery::Report, _| {
        code = report.code;
        report.count()
    };
    assert_eq!(delivery.poll(Duration::ZERO, &mut take), 1);
    (pair.now().since(dropped_at).as_millis() as u64, code)
}

#[test]
fn a_drop_waits_for_the_delivery_timeout_but_never_longer_than_two_minutes() {
    let never = [("message.timeout.ms", "0"), ("compat", "librdkafka")];
    assert_eq!(end_of_a_dropped_producer(&never), (120_000, E::ABORTED));
    let long = [("delivery.timeout.ms", "3600000")];
    assert_eq!(end_of_a_dropped_producer(&long), (120_000, E::ABORTED));
    let short = [("delivery.timeout.ms", "40000"), ("request.timeout.ms", "30000")];
    assert_eq!(end_of_a_dropped_producer(&short), (40_000, E::EXPIRED));
}

#[test]
fn a_partitioner_that_panics_on_the_sender_thread_fails_its_record_only() {
    let partitioner: crate::partitioner::CustomPartitioner =
        Box::new(|_, record, _| if record.value == Some(b"bad") { panic!("own") } else { 1 });
    let hooks = Hooks { partitioner: Some(partitioner), ..Hooks::default() };
    let mut pair = Pair::with(&[], hooks);
    let topic = pair.producer.topic("t").unwrap();
    pair.send(topic, -1, 1, "bad");
    pair.send(topic, -1, 2, "good");
    pair.run_ms(50);
    pair.answer_all(E::NONE);
    assert_eq!(pair.codes(), [(1, E::PANIC), (2, E::NONE)]);
    assert_eq!(pair.try_send(topic, -1, 3, "bad").unwrap_err().code(), E::PANIC);
    pair.check_clean();
}

#[test]
fn a_node_counts_as_unavailable_only_after_it_refused_for_so_long() {
    let (mut pair, topic) = Pair::ready(&[("partitioner.availability.timeout.ms", "100")]);
    let unavailable = |pair: &Pair| pair.producer.shared.accumulator.unavailable().to_vec();
    pair.run_ms(60_000);
    let asked = {
        pair.send(topic, 0, 1, "a");
        pair.one_asked()
    };
    assert!(unavailable(&pair).is_empty(), "it was idle, not slow");
    pair.script.lock().down = vec![1];
    pair.disconnect(&asked);
    pair.run_ms(180);
    assert!(unavailable(&pair).is_empty());
    pair.run_ms(150);
    assert_eq!(unavailable(&pair), [crate::metadata::NodeId(1)]);
    pair.script.lock().down.clear();
    pair.run_ms(2_000);
    assert!(unavailable(&pair).is_empty());
}

#[test]
fn an_idle_producer_sleeps() {
    let (mut pair, _) = Pair::ready(&[("metadata.max.age.ms", "600000")]);
    pair.run_ms(200_000);
    let polls = pair.script.lock().polls;
    pair.run_ms(200_000);
    let polls = pair.script.lock().polls - polls;
    assert!(polls < 10, "{polls} turns");
    assert!(pair.now() > Time::from_ms(400_000));
}
