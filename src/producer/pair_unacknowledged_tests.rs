//! acks=0 in the scripted world of `pair_support.rs`: what is reported when, and what a broken
//! connection means.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::pair_support::Pair;
use crate::delivery::Persistence;
use crate::error::ErrorCode as E;
use crate::producer::{Hooks, TopicId};

/// A pair with acks=0, its topic and its log.
fn unacknowledged() -> (Pair, TopicId, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let log =
        Box::new(move |level, text: &str| kept.lock().unwrap().push(format!("{level:?} {text}")));
    let hooks = Hooks { log: Some(log), ..Hooks::default() };
    let mut pair = Pair::with(&[("acks", "0")], hooks);
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1);
    (pair, topic, lines)
}

#[test]
fn without_acknowledgement_a_record_is_done_when_its_bytes_have_left() {
    let (mut pair, topic, _) = unacknowledged();
    pair.send(topic, 0, 1, "a");
    pair.run_ms(10);
    assert_eq!(pair.asked().remove(0).acks, 0);
    let fate = pair.fates().remove(0);
    let possibly = Persistence::PossiblyPersisted;
    assert_eq!((fate.code, fate.offset, fate.persistence), (E::NONE, -1, possibly));
    pair.check_clean();
}

/// Kafka does this when it is not the leader, for example: everything else on the connection is lost, too.
#[test]
fn a_broker_that_refuses_without_acknowledgement_is_told_of_and_metadata_asked_for() {
    let (mut pair, topic, lines) = unacknowledged();
    pair.send(topic, 0, 1, "a");
    pair.run_ms(10);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    let asked = pair.asked().remove(0);
    let questions = pair.script.lock().metadata_requests;
    pair.disconnect(&asked);
    pair.run_ms(300);
    assert!(pair.script.lock().metadata_requests > questions, "the leader may be another one");
    let told = lines.lock().unwrap().join("\n");
    assert!(told.starts_with("Warning broker 1 (10.0.0.1:9092)"), "{told}");
    assert!(told.contains("those that it had not stored are lost"), "{told}");
    pair.send(topic, 0, 2, "b");
    pair.run_ms(10);
    assert_eq!(pair.codes(), [(2, E::NONE)]);
    pair.check_clean();
}

#[test]
fn what_had_not_left_the_process_when_the_connection_ended_is_sent_again_without_acknowledgement() {
    let (mut pair, topic, _) = unacknowledged();
    pair.script.lock().hold_produce = true;
    pair.send(topic, 0, 1, "a");
    pair.run_ms(10);
    assert_eq!(pair.codes(), [], "the bytes are still here");
    let asked = pair.asked().remove(0);
    pair.script.lock().hold_produce = false;
    pair.disconnect(&asked);
    pair.run_ms(300);
    assert_eq!(pair.asked().remove(0).values(), ["a"]);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    pair.check_clean();
}

/// Bytes that arrive at a closed socket reset the connection, and what had not been sent yet is dropped.
#[test]
fn close_waits_for_the_answers_that_are_on_their_way_but_not_for_ever() {
    for answered in [true, false] {
        let (mut pair, topic, _) = unacknowledged();
        pair.send(topic, 0, 1, "a");
        pair.run_ms(10);
        assert_eq!(pair.codes(), [(1, E::NONE)]);
        // Asked of the only broker that is connected.
        pair.script.lock().mute_metadata = true;
        pair.producer.refresh_metadata();
        pair.run_ms(500);
        pair.producer.begin_close(Duration::from_millis(300));
        pair.run_ms(100);
        assert!(pair.open, "an answer is on its way");
        let questions = pair.script.lock().metadata_requests;
        if answered {
            pair.answer_metadata();
        } else {
            pair.run_ms(200);
        }
        assert!(!pair.open);
        assert_eq!(pair.script.lock().metadata_requests, questions, "nothing more is asked");
        assert!(pair.producer.close(Duration::ZERO).is_ok(), "every record was reported");
    }
}
