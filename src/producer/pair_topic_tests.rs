//! Errors of topics in the scripted world of `pair_support.rs`: whom an answer speaks for.

use std::time::Duration;

use super::pair_support::Pair;
use crate::error::ErrorCode as E;
use crate::producer::TopicId;

const FORBIDDEN: i16 = 29;

/// Topic `t` is forbidden, and the answer that says so is on its way.
fn forbidden() -> (Pair, TopicId) {
    let mut pair = Pair::new(&[]);
    pair.change_topic(|topic| topic.error = FORBIDDEN);
    pair.script.lock().mute_metadata = true;
    let topic = pair.producer.topic("t").unwrap();
    pair.send(topic, 0, 1, "early");
    pair.run_ms(10);
    (pair, topic)
}

/// Found by the simulator: the topic was allowed again before the record came, and it failed all the same.
#[test]
fn an_answer_fails_what_was_parked_before_its_question_and_nothing_later() {
    let (mut pair, topic) = forbidden();
    pair.send(topic, 0, 2, "late");
    pair.answer_metadata();
    assert_eq!(pair.codes(), [(1, E::TOPIC_AUTHORIZATION_FAILED)]);
    pair.change_topic(|topic| topic.error = 0);
    pair.script.lock().mute_metadata = false;
    pair.answer_metadata();
    pair.run_ms(300);
    let asked = pair.asked().remove(0);
    assert_eq!(asked.values(), ["late"]);
    pair.answer(&asked, E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE)]);
    pair.check_clean();
}

#[test]
fn what_stays_forbidden_fails_with_the_answer_to_its_own_question() {
    let (mut pair, topic) = forbidden();
    pair.send(topic, 0, 2, "late");
    pair.script.lock().mute_metadata = false;
    pair.answer_metadata();
    pair.run_ms(300);
    let failed = E::TOPIC_AUTHORIZATION_FAILED;
    assert_eq!(pair.codes(), [(1, failed), (2, failed)]);
    pair.check_clean();
}

#[test]
fn a_send_that_waits_is_not_ended_by_the_answer_to_an_older_question() {
    let (mut pair, topic) = forbidden();
    std::thread::scope(|scope| {
        let shared = pair.producer.shared.clone();
        let waiting = scope.spawn(move || {
            let topic = shared.accumulator.topics.get(topic.0).unwrap();
            shared.wait_for_topic(topic, Duration::from_secs(60))
        });
        while pair.producer.shared.accumulator.inbox.is_empty() {
            std::thread::yield_now();
        }
        pair.answer_metadata();
        pair.change_topic(|topic| topic.error = 0);
        pair.script.lock().mute_metadata = false;
        while !waiting.is_finished() {
            pair.answer_metadata();
            pair.run_ms(10);
        }
        assert!(waiting.join().unwrap().is_ok());
    });
}

/// The question that its wish fell into says nothing to it; so another one has to be asked.
#[test]
fn a_send_that_began_to_wait_under_way_is_told_what_is_wrong_with_its_topic() {
    let (mut pair, topic) = forbidden();
    std::thread::scope(|scope| {
        let shared = pair.producer.shared.clone();
        let waiting = scope.spawn(move || {
            let topic = shared.accumulator.topics.get(topic.0).unwrap();
            shared.wait_for_topic(topic, Duration::from_secs(30))
        });
        while pair.producer.shared.accumulator.inbox.is_empty() {
            std::thread::yield_now();
        }
        pair.run_ms(1);
        pair.script.lock().mute_metadata = false;
        while !waiting.is_finished() {
            pair.answer_metadata();
            pair.run_ms(10);
        }
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.code(), E::TOPIC_AUTHORIZATION_FAILED, "{error}");
    });
}

#[test]
fn what_a_smaller_topic_of_the_same_name_has_no_place_for_is_told_so() {
    let settings = [("delivery.timeout.ms", "2000"), ("request.timeout.ms", "1000")];
    let (mut pair, topic) = Pair::ready(&settings);
    pair.change_topic(|topic| topic.leaders[3] = -1);
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    pair.send(topic, 3, 1, "a");
    pair.change_topic(|topic| {
        topic.id = uuid::Uuid::from_u128(2);
        topic.leaders.truncate(2);
    });
    pair.producer.refresh_metadata();
    pair.run_ms(2500);
    let fate = pair.fates().remove(0);
    assert_eq!(fate.code, E::EXPIRED);
    assert!(fate.text.contains("topic t has 2 partitions now, no partition 3"), "{}", fate.text);
    pair.check_clean();
}

/// One whose topic was not used for so long that nobody asks for it any more; `meanwhile` happens before.
fn forgotten(meanwhile: impl FnOnce(&mut Pair)) -> (Pair, TopicId) {
    let settings = [("metadata.max.idle.ms", "5000"), ("metadata.max.age.ms", "500")];
    let (mut pair, topic) = Pair::ready(&settings);
    meanwhile(&mut pair);
    pair.run_ms(10_000);
    assert!(!pair.producer.shared.metadata.wants("t"));
    (pair, topic)
}

fn gets_through(mut pair: Pair, topic: TopicId) {
    pair.send(topic, 0, 1, "after a long time");
    pair.run_ms(200);
    let asked = pair.asked().remove(0);
    assert_eq!((asked.node, asked.values()), (2, vec!["after a long time"]));
}

/// Found by the simulator: the records of a topic that had no leader when it was last asked for were never
/// sent, as nobody asked for it again.
#[test]
fn a_forgotten_topic_without_leaders_is_asked_for_again() {
    let (mut pair, topic) = forgotten(|pair| {
        pair.change_topic(|topic| topic.leaders = vec![-1, -1]);
        pair.run_ms(1_000);
    });
    pair.change_topic(|topic| topic.leaders = vec![2, 2]);
    gets_through(pair, topic);
}

/// Nor those of one whose leader has left the cluster since.
#[test]
fn a_forgotten_topic_whose_leader_has_left_is_asked_for_again() {
    let (mut pair, topic) = forgotten(|_| {});
    pair.script.lock().brokers = vec![2];
    pair.change_topic(|topic| topic.leaders = vec![2, 2]);
    pair.run_ms(2_000);
    gets_through(pair, topic);
}
