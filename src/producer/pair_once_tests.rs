//! Idempotence in the scripted world of `pair_support.rs`: numbers, retries, epochs, ids. That nothing is
//! stored twice or out of order whatever happens is shown by `sender/once_tests.rs` and the simulator.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use uuid::Uuid;

use super::builder::Hooks;
use super::pair_support::{Asked, Pair, LINGER_MS};
use crate::delivery::Persistence;
use crate::error::ErrorCode as E;
use crate::producer::TopicId;

/// A producer whose partitions 0 and 1 have one record stored, under number 0 of epoch 0.
fn ready(settings: &[(&str, &str)]) -> (Pair, TopicId) {
    let mut all = vec![("enable.idempotence", "true")];
    all.extend(settings);
    Pair::ready(&all)
}

/// Sends these values to a partition, a batch each; gives the requests.
fn batches(pair: &mut Pair, topic: TopicId, partition: i32, values: &[&str]) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (token, value) in values.iter().enumerate() {
        pair.send(topic, partition, token as u64 + 1, value);
        asked.push(pair.one_asked());
    }
    asked
}

#[test]
fn records_wait_for_an_id_from_any_broker_and_their_time_goes_on() {
    let mut pair = Pair::new(&[("enable.idempotence", "true"), ("delivery.timeout.ms", "40000")]);
    pair.script.lock().mute_init = true;
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(10);
    pair.send(topic, 0, 1, "a");
    pair.run_ms(1_000);
    assert_eq!(pair.script.lock().inits.len(), 1);
    assert!(pair.asked().is_empty());
    // Its request times out, and another broker, or the same over a new connection, is asked.
    pair.run_ms(30_000);
    assert_eq!(pair.script.lock().inits.len(), 2);
    pair.run_ms(10_000);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::EXPIRED, Persistence::NotPersisted));
    assert!(fate.text.contains("producer id"), "{}", fate.text);
    pair.send(topic, 0, 2, "b");
    pair.script.lock().mute_init = false;
    pair.run_ms(30_000);
    let asked = pair.one_asked();
    assert_eq!((asked.values(), asked.numbers()), (vec!["b"], (0, 0)));
    pair.answer(&asked, E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE)]);
    pair.check_clean();
}

#[test]
fn a_refused_id_is_asked_for_again_after_a_pause() {
    let mut pair = Pair::new(&[("enable.idempotence", "true")]);
    pair.script.lock().init_error = Some(E::COORDINATOR_LOAD_IN_PROGRESS);
    let topic = pair.producer.topic("t").unwrap();
    pair.send(topic, 0, 1, "a");
    pair.run_ms(350);
    assert_eq!(pair.script.lock().inits.len(), 4, "at once, and each 100 ms");
    pair.script.lock().init_error = None;
    pair.run_ms(100);
    pair.answer_all(E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    pair.check_clean();
}

#[test]
fn one_request_in_flight_is_enough_for_metadata_id_and_records() {
    let settings = [("max.in.flight.requests.per.connection", "1")];
    let (mut pair, topic) = ready(&settings);
    assert_eq!(pair.script.lock().inits.len(), 1);
    let asked = batches(&mut pair, topic, 0, &["a"]);
    assert_eq!(asked[0].numbers(), (0, 1));
    pair.answer(&asked[0], E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    pair.check_clean();
}

#[test]
fn five_batches_of_a_partition_are_in_flight_and_their_numbers_follow_each_other() {
    let (mut pair, topic) = ready(&[]);
    pair.send(topic, 0, 9, "two");
    let asked = batches(&mut pair, topic, 0, &["a", "b", "c", "d", "e"]);
    let numbers: Vec<_> = asked.iter().map(Asked::numbers).collect();
    assert_eq!(numbers, [(0, 1), (0, 3), (0, 4), (0, 5), (0, 6)], "the first holds two records");
    pair.send(topic, 0, 6, "f");
    pair.run_ms(50);
    assert!(pair.asked().is_empty(), "five are in flight");
    asked.iter().for_each(|asked| pair.answer(asked, E::NONE));
    let last = pair.one_asked();
    assert_eq!((last.values(), last.numbers()), (vec!["f"], (0, 7)));
    pair.answer(&last, E::NONE);
    let tokens: Vec<u64> = pair.codes().into_iter().map(|(token, _)| token).collect();
    assert_eq!(tokens, [9, 1, 2, 3, 4, 5, 6]);
    pair.check_clean();
}

#[test]
fn the_first_batch_of_a_partition_goes_alone() {
    let (mut pair, topic) = ready(&[]);
    let first = batches(&mut pair, topic, 2, &["a"]).remove(0);
    pair.send(topic, 2, 2, "b");
    pair.run_ms(50);
    assert!(pair.asked().is_empty(), "a broker that does not know the producer takes any number");
    pair.answer(&first, E::NOT_LEADER_OR_FOLLOWER);
    pair.run_ms(100);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["a"], (0, 0)));
    pair.answer(&again, E::NONE);
    let second = pair.asked().remove(0);
    assert_eq!(second.numbers(), (0, 1));
}

#[test]
fn after_an_error_one_partition_goes_one_at_a_time_in_order_and_the_others_as_ever() {
    let (mut pair, topic) = ready(&[]);
    let lost = batches(&mut pair, topic, 0, &["a", "b", "c"]);
    pair.answer(&lost[0], E::NOT_ENOUGH_REPLICAS);
    pair.answer(&lost[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    pair.answer(&lost[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    pair.send(topic, 0, 4, "d");
    pair.send(topic, 1, 5, "elsewhere");
    pair.run_ms(LINGER_MS);
    let elsewhere = pair.asked();
    assert_eq!(elsewhere[0].values(), ["elsewhere"]);
    assert_eq!(elsewhere.len(), 1, "partition 0 backs off");
    for (value, number) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        pair.run_ms(100);
        let mut asked = pair.asked();
        assert_eq!(asked.len(), 1, "one at a time");
        let asked = asked.remove(0);
        assert_eq!((asked.values(), asked.numbers()), (vec![value], (0, number)));
        pair.answer(&asked, E::NONE);
    }
    // Caught up.
    let more = batches(&mut pair, topic, 0, &["f", "g"]);
    assert_eq!(more[1].numbers(), (0, 6));
}

#[test]
fn a_lost_connection_repeats_every_batch_with_its_numbers_and_a_duplicate_is_success() {
    let (mut pair, topic) = ready(&[]);
    let lost = batches(&mut pair, topic, 0, &["a", "b"]);
    pair.disconnect(&lost[0]);
    pair.run_ms(200);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["a"], (0, 1)));
    pair.answer(&again, E::DUPLICATE_SEQUENCE_NUMBER);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["b"], (0, 2)));
    pair.answer(&again, E::NONE);
    let fates = pair.fates();
    assert_eq!((fates[0].token, fates[0].code, fates[0].offset), (1, E::NONE, -1));
    assert_eq!((fates[1].token, fates[1].code, fates[1].offset), (2, E::NONE, 100));
    assert_eq!(batches(&mut pair, topic, 0, &["c"])[0].numbers(), (0, 3), "counted once");
}

/// A broker answers for a batch that it has already with the batch's own time.
#[test]
fn a_repeated_batch_keeps_its_own_times() {
    let (mut pair, topic) = ready(&[("report.timestamps", "true")]);
    for own in [true, false] {
        let lost = batches(&mut pair, topic, 0, &["a"]).remove(0);
        let sent_ms = crate::time::Clock::wall_ms(&pair.script) - LINGER_MS as i64;
        pair.disconnect(&lost);
        pair.run_ms(200);
        let again = pair.asked().remove(0);
        let mut answer = again.answer(E::NONE);
        answer.partitions[0].log_append_time_ms = if own { sent_ms } else { 77 };
        pair.respond(&again, &answer);
        assert_eq!(pair.times(), [if own { sent_ms } else { 77 }]);
    }
}

#[test]
fn what_follows_a_refused_batch_begins_anew_and_is_stored() {
    let (mut pair, topic) = ready(&[]);
    let asked = batches(&mut pair, topic, 0, &["bad", "b", "c"]);
    pair.answer(&asked[0], E::INVALID_RECORD);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::INVALID_RECORD, Persistence::NotPersisted));
    pair.answer(&asked[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    pair.run_ms(150);
    assert!(pair.asked().is_empty(), "the third has no answer yet");
    pair.answer(&asked[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    pair.run_ms(150);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["b"], (1, 0)));
    pair.answer(&again, E::NONE);
    pair.run_ms(150);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["c"], (1, 1)));
    pair.answer(&again, E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE), (3, E::NONE)]);
    let elsewhere = batches(&mut pair, topic, 1, &["x"]);
    assert_eq!(elsewhere[0].numbers(), (0, 1), "other partitions notice nothing");
}

/// KAFKA-14034, librdkafka #4953: a new number for what may be stored would store it twice.
#[test]
fn a_batch_that_may_be_stored_keeps_its_numbers_when_a_later_one_is_refused() {
    let (mut pair, topic) = ready(&[("request.timeout.ms", "2000"), ("linger.ms", "0")]);
    pair.send(topic, 0, 1, "a");
    let first = pair.one_asked();
    pair.send(topic, 0, 2, "bad");
    let second = pair.one_asked();
    pair.send(topic, 0, 3, "c");
    let third = pair.one_asked();
    pair.respond(&first, &first.answer_after_append(E::REQUEST_TIMED_OUT));
    pair.answer(&second, E::INVALID_RECORD);
    pair.answer(&third, E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    pair.run_ms(150);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["a"], (0, 1)), "old epoch, old number");
    pair.answer(&again, E::NONE);
    pair.run_ms(150);
    let third = pair.asked().remove(0);
    assert_eq!((third.values(), third.numbers()), (vec!["c"], (1, 0)));
    pair.answer(&third, E::NONE);
    assert_eq!(pair.codes(), [(2, E::INVALID_RECORD), (1, E::NONE), (3, E::NONE)]);
    pair.check_clean();
}

#[test]
fn a_doubtful_batch_that_can_never_come_in_fails_as_possibly_stored_and_the_rest_goes_on() {
    let settings = [("request.timeout.ms", "2000"), ("delivery.timeout.ms", "60000")];
    let (mut pair, topic) = ready(&settings);
    let lost = batches(&mut pair, topic, 0, &["a"]).remove(0);
    pair.disconnect(&lost);
    pair.send(topic, 0, 2, "b");
    let mut attempts = 0;
    while pair.fates().is_empty() {
        pair.run_ms(110);
        for asked in pair.asked() {
            assert_eq!((asked.values(), asked.numbers()), (vec!["a"], (0, 1)));
            attempts += 1;
            pair.answer(&asked, E::OUT_OF_ORDER_SEQUENCE_NUMBER);
        }
        assert!(attempts < 50, "no end");
    }
    assert!(attempts > 10, "its copy may still come to the broker for a while");
    let asked = pair.asked().remove(0);
    assert_eq!((asked.values(), asked.numbers()), (vec!["b"], (1, 0)));
    pair.answer(&asked, E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE)]);
}

#[test]
fn a_gap_at_the_broker_begins_a_new_epoch_of_that_partition_alone() {
    for code in [E::OUT_OF_ORDER_SEQUENCE_NUMBER, E::UNKNOWN_PRODUCER_ID, E::INVALID_PRODUCER_EPOCH]
    {
        let (mut pair, topic) = ready(&[]);
        let asked = batches(&mut pair, topic, 0, &["a", "b"]);
        pair.answer(&asked[0], code);
        pair.answer(&asked[1], code);
        pair.run_ms(150);
        let again = pair.asked().remove(0);
        assert_eq!((again.values(), again.numbers()), (vec!["a"], (1, 0)), "{code:?}");
        pair.answer(&again, E::NONE);
        let again = pair.asked().remove(0);
        assert_eq!((again.values(), again.numbers()), (vec!["b"], (1, 1)));
        pair.answer(&again, E::NONE);
        assert_eq!(pair.codes(), [(1, E::NONE), (2, E::NONE)], "nobody hears of it");
        assert_eq!(pair.producer.metrics().get("producer-epoch-bump-total"), Some(1.0));
        assert_eq!(batches(&mut pair, topic, 1, &["x"])[0].numbers(), (0, 1));
        pair.answer_all(E::NONE);
    }
}

#[test]
fn the_second_answered_before_the_first() {
    let (mut pair, topic) = ready(&[]);
    let asked = batches(&mut pair, topic, 0, &["a", "b", "c"]);
    // Over connections that were replaced, answers may come in any order of the batches.
    pair.answer(&asked[0], E::NOT_LEADER_OR_FOLLOWER);
    pair.answer(&asked[1], E::NONE);
    pair.answer(&asked[2], E::NONE);
    pair.run_ms(150);
    let again = pair.asked().remove(0);
    assert_eq!((again.values(), again.numbers()), (vec!["a"], (0, 1)));
    pair.answer(&again, E::DUPLICATE_SEQUENCE_NUMBER);
    assert_eq!(pair.codes(), [(2, E::NONE), (3, E::NONE), (1, E::NONE)]);
    assert_eq!(batches(&mut pair, topic, 0, &["d"])[0].numbers(), (0, 4));
}

#[test]
fn records_that_expire_unsent_leave_no_gap() {
    let settings = [("delivery.timeout.ms", "2000"), ("request.timeout.ms", "1000")];
    let (mut pair, topic) = ready(&settings);
    pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (-1, 2));
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    pair.send(topic, 0, 1, "a");
    pair.run_ms(2_500);
    assert_eq!(pair.codes(), [(1, E::EXPIRED)]);
    pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (1, 3));
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    assert_eq!(batches(&mut pair, topic, 0, &["b"])[0].numbers(), (0, 1));
}

/// A first attempt that expires in flight leaves its records' fate open until its answer comes.
#[test]
fn after_an_expiry_in_flight_the_answer_decides_how_the_partition_goes_on() {
    let settings = [("delivery.timeout.ms", "3000"), ("request.timeout.ms", "2900")];
    for (late, next) in [(E::NONE, (0, 3)), (E::NOT_ENOUGH_REPLICAS, (1, 0))] {
        let (mut pair, topic) = ready(&settings);
        pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (-1, 2));
        pair.producer.refresh_metadata();
        pair.run_ms(200);
        pair.send(topic, 0, 1, "a");
        pair.run_ms(1_000);
        pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (1, 3));
        pair.run_ms(200);
        let first = pair.asked().remove(0);
        pair.send(topic, 0, 2, "b");
        let second = pair.one_asked();
        pair.run_ms(1_900);
        let fate = pair.fates().remove(0);
        assert_eq!((fate.token, fate.code), (1, E::EXPIRED));
        assert_eq!(fate.persistence, Persistence::PossiblyPersisted);
        pair.answer(&first, late);
        let out_of_order = E::OUT_OF_ORDER_SEQUENCE_NUMBER;
        pair.answer(&second, if late.is_none() { E::NONE } else { out_of_order });
        pair.run_ms(150);
        pair.send(topic, 0, 3, "c");
        pair.run_ms(LINGER_MS);
        let asked = pair.asked().remove(0);
        assert_eq!((asked.values().len(), asked.numbers()), (1, next), "{late:?}");
    }
}

#[test]
fn a_follower_that_is_stored_tells_that_the_expired_one_was() {
    let settings = [("delivery.timeout.ms", "3000"), ("request.timeout.ms", "2500")];
    let (mut pair, topic) = ready(&settings);
    let first = batches(&mut pair, topic, 0, &["a"]).remove(0);
    pair.run_ms(2_000);
    pair.send(topic, 0, 2, "b");
    let second = pair.one_asked();
    pair.answer(&first, E::NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    pair.run_ms(150);
    let again = pair.asked().remove(0);
    assert_eq!(again.numbers(), (0, 1));
    pair.run_ms(1_000);
    assert_eq!(pair.codes(), [(1, E::EXPIRED)], "in flight, for the second time");
    pair.answer(&second, E::NONE);
    pair.answer(&again, E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE)]);
    assert_eq!(batches(&mut pair, topic, 0, &["c"])[0].numbers(), (0, 3), "the same epoch");
}

#[test]
fn after_the_last_epoch_a_new_id_is_asked_for_and_only_who_needs_it_takes_it() {
    let mut pair = Pair::new(&[("enable.idempotence", "true")]);
    pair.script.lock().init_epoch = i16::MAX;
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(5);
    for partition in 0..2 {
        pair.send(topic, partition, 0, "x");
    }
    pair.run_ms(20);
    pair.answer_all(E::NONE);
    pair.script.lock().init_epoch = 0;
    let asked = batches(&mut pair, topic, 0, &["a"]);
    assert_eq!(asked[0].identities[0].producer_id, 4001);
    pair.answer(&asked[0], E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    pair.run_ms(150);
    let again = pair.asked().remove(0);
    let identity = again.identities[0];
    assert_eq!((identity.producer_id, again.numbers()), (4002, (0, 0)));
    pair.answer(&again, E::NONE);
    let elsewhere = batches(&mut pair, topic, 1, &["y"]);
    let identity = elsewhere[0].identities[0];
    assert_eq!((identity.producer_id, identity.producer_epoch), (4001, i16::MAX));
    pair.answer(&elsewhere[0], E::NONE);
    assert!(pair.codes().iter().all(|(_, code)| *code == E::NONE));
    pair.check_clean();
}

#[test]
fn parts_of_a_split_batch_have_the_numbers_of_their_records() {
    let (mut pair, topic) = ready(&[]);
    let value = "v".repeat(100);
    (0..8).for_each(|token| pair.send(topic, 0, token, &value));
    let whole = pair.one_asked();
    pair.send(topic, 0, 8, "behind");
    let behind = pair.one_asked();
    assert_eq!((whole.numbers(), behind.numbers()), ((0, 1), (0, 9)));
    pair.answer(&whole, E::MESSAGE_TOO_LARGE);
    pair.answer(&behind, E::OUT_OF_ORDER_SEQUENCE_NUMBER);
    let (mut sent, mut refuse) = (Vec::new(), true);
    for _ in 0..8 {
        pair.run_ms(150);
        for asked in pair.asked() {
            let too_large = std::mem::take(&mut refuse);
            pair.answer(&asked, if too_large { E::MESSAGE_TOO_LARGE } else { E::NONE });
            if !too_large {
                sent.push((asked.values().len() as i32, asked.numbers()));
            }
        }
    }
    assert!(sent.len() > 5, "the first part was split again: {sent:?}");
    let mut next = 1;
    for (records, numbers) in sent {
        assert_eq!(numbers, (0, next));
        next += records;
    }
    assert_eq!(next, 10);
    let codes = pair.codes();
    assert_eq!(codes, (0..9).map(|token| (token, E::NONE)).collect::<Vec<_>>());
    pair.check_clean();
}

#[test]
fn without_the_permission_to_be_idempotent_those_who_wait_are_told_and_later_ones_try_again() {
    let mut pair = Pair::new(&[("enable.idempotence", "true")]);
    pair.script.lock().init_error = Some(E::CLUSTER_AUTHORIZATION_FAILED);
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1_000);
    assert_eq!(pair.script.lock().inits.len(), 1, "nobody waits");
    pair.send(topic, 0, 1, "a");
    pair.run_ms(200);
    let fate = pair.fates().remove(0);
    assert_eq!(fate.code, E::CLUSTER_AUTHORIZATION_FAILED);
    assert!(fate.text.contains("IdempotentWrite"), "{}", fate.text);
    assert_eq!(fate.persistence, Persistence::NotPersisted);
    pair.script.lock().init_error = None;
    pair.send(topic, 0, 2, "b");
    pair.run_ms(200);
    pair.answer_all(E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE)]);
    pair.check_clean();
}

#[test]
fn fencing_and_a_lost_permission_end_the_producer_and_reports_stay_exact() {
    for code in [E::PRODUCER_FENCED, E::CLUSTER_AUTHORIZATION_FAILED] {
        let (mut pair, topic) = ready(&[]);
        let asked = batches(&mut pair, topic, 0, &["refused", "in flight"]);
        pair.send(topic, 1, 3, "queued");
        pair.script.lock().hold_frames = true;
        pair.answer(&asked[0], code);
        let fates = pair.fates();
        let fate = |token| fates.iter().find(|fate| fate.token == token).unwrap();
        assert_eq!((fate(1).code, fate(1).persistence), (code, Persistence::NotPersisted));
        assert_eq!((fate(2).code, fate(2).persistence), (code, Persistence::PossiblyPersisted));
        assert_eq!((fate(3).code, fate(3).persistence), (code, Persistence::NotPersisted));
        let refused = pair.try_send(topic, 0, 4, "later").unwrap_err();
        assert!(refused.is_fatal() && refused.code() == code, "{refused:?}");
        pair.answer(&asked[1], E::NONE);
        assert!(pair.fates().is_empty(), "reported once");
        pair.producer.begin_close(Duration::from_secs(1));
        pair.run_ms(5);
        assert!(!pair.open, "a producer that has ended closes at once");
    }
}

#[test]
fn a_cluster_that_cannot_is_refused_when_asked_for_and_warned_of_once_by_default() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let log: crate::log::LogSink =
        Box::new(move |_, text| kept.lock().unwrap().push(text.to_owned()));
    let hooks = Hooks { log: Some(log), ..Hooks::default() };
    let mut pair = Pair::with(&[("enable.idempotence", "true")], hooks);
    pair.script.lock().init_max = None;
    let topic = pair.producer.topic("t").unwrap();
    pair.send(topic, 0, 1, "a");
    pair.run_ms(50);
    assert_eq!(pair.codes(), [(1, E::UNSUPPORTED_VERSION)]);
    let refused = pair.try_send(topic, 0, 2, "b").unwrap_err();
    assert!(refused.message().contains("enable.idempotence=false"), "{refused:?}");
    let lines = lines.lock().unwrap();
    assert_eq!(lines.iter().filter(|line| line.contains("idempotent")).count(), 1, "{lines:?}");
}

#[test]
fn a_close_waits_for_the_id_but_not_beyond_its_patience() {
    for (patience_ms, muted) in [(5_000, false), (500, true)] {
        let mut pair = Pair::new(&[("enable.idempotence", "true")]);
        pair.script.lock().init_error = Some(E::COORDINATOR_LOAD_IN_PROGRESS);
        let topic = pair.producer.topic("t").unwrap();
        pair.send(topic, 0, 1, "a");
        pair.run_ms(10);
        pair.producer.begin_close(Duration::from_millis(patience_ms));
        pair.run_ms(50);
        assert!(pair.open);
        if !muted {
            pair.script.lock().init_error = None;
        }
        pair.run_ms(500);
        pair.answer_all(E::NONE);
        assert!(!pair.open);
        let code = if muted { E::ABORTED } else { E::NONE };
        assert_eq!(pair.codes(), [(1, code)]);
    }
}

#[test]
fn purged_batches_leave_a_gap_that_the_next_epoch_closes() {
    let (mut pair, topic) = ready(&[]);
    let asked = batches(&mut pair, topic, 0, &["a", "b"]);
    asked.iter().for_each(|asked| pair.answer(asked, E::NOT_ENOUGH_REPLICAS));
    pair.producer.purge(crate::producer::Purge::Queued).unwrap();
    pair.run_ms(5);
    assert_eq!(pair.codes(), [(1, E::PURGED_QUEUE), (2, E::PURGED_QUEUE)]);
    assert_eq!(batches(&mut pair, topic, 0, &["c"])[0].numbers(), (1, 0));
}

/// The new log knows no producer and takes any number: what follows must not be there before what the
/// broker is about to refuse for the topic's old id.
#[test]
fn nothing_goes_to_a_topic_made_again_before_what_went_to_the_old_one_has_its_answer() {
    let (mut pair, topic) = ready(&[]);
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    pair.script.lock().produce_max = 13;
    pair.change_topic(|topic| topic.id = old);
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    let asked = batches(&mut pair, topic, 0, &["a"]);
    pair.change_topic(|topic| topic.id = new);
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    pair.send(topic, 0, 2, "b");
    pair.run_ms(200);
    assert!(pair.asked().is_empty(), "b may come in before a");
    pair.answer(&asked[0], E::UNKNOWN_TOPIC_ID);
    pair.run_ms(200);
    let again = pair.one_asked();
    assert_eq!((again.values(), again.numbers()), (vec!["a"], asked[0].numbers()));
    pair.answer(&again, E::NONE);
    let next = pair.one_asked();
    assert_eq!(next.values(), ["b"]);
    pair.answer(&next, E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE), (2, E::NONE)]);
    pair.check_clean();
}
