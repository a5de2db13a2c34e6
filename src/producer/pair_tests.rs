//! The road of records in the scripted world of `pair_support.rs`: requests, answers, retries,
//! deadlines, topics.

use uuid::Uuid;

use super::pair_support::{Pair, ScriptedTopic, LINGER_MS};
use crate::delivery::Persistence;
use crate::error::ErrorCode as E;
use crate::protocol::produce::TopicRef;

#[test]
fn one_record_makes_one_request_and_its_offset_comes_back() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "a");
    pair.run_ms(LINGER_MS - 1);
    assert!(pair.asked().is_empty(), "it lingers");
    let asked = pair.one_asked();
    assert_eq!((asked.node, asked.acks, asked.values()), (1, -1, vec!["a"]));
    pair.answer(&asked, E::NONE);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.token, fate.code, fate.partition, fate.offset), (1, E::NONE, 0, 100));
    assert_eq!(fate.persistence, Persistence::Persisted);
    pair.check_clean();
}

#[test]
fn one_request_per_node_carries_every_partition_that_is_due() {
    let (mut pair, topic) = Pair::ready(&[]);
    (0..4).for_each(|partition| pair.send(topic, partition, partition as u64, "x"));
    pair.run_ms(LINGER_MS);
    let asked = pair.asked();
    let what: Vec<_> = asked.iter().map(|asked| (asked.node, asked.partitions())).collect();
    assert_eq!(what, [(1, vec![0, 2]), (2, vec![1, 3])]);
    asked.iter().for_each(|asked| pair.answer(asked, E::NONE));
    assert_eq!(pair.fates().len(), 4);
    pair.check_clean();
}

#[test]
fn a_lost_connection_is_retried_until_retries_are_used_up_and_leaves_doubt() {
    let (mut pair, topic) = Pair::ready(&[("retries", "2")]);
    pair.send(topic, 0, 1, "a");
    for _ in 0..3 {
        pair.run_ms(500);
        let asked = pair.asked().remove(0);
        assert_eq!(asked.values(), ["a"]);
        pair.disconnect(&asked);
    }
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::TRANSPORT, Persistence::PossiblyPersisted));
    assert!(fate.text.contains("broker 1") && fate.text.contains("attempt 3"), "{}", fate.text);
    pair.run_ms(1000);
    assert!(pair.asked().is_empty());
    pair.check_clean();
}

#[test]
fn a_record_refused_after_an_attempt_of_unknown_outcome_may_be_stored_all_the_same() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "a");
    let asked = pair.one_asked();
    pair.disconnect(&asked);
    pair.run_ms(500);
    pair.answer_all(E::INVALID_RECORD);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::INVALID_RECORD, Persistence::PossiblyPersisted));
    pair.check_clean();
}

#[test]
fn with_one_in_flight_the_second_batch_waits_also_through_a_leader_change() {
    let (mut pair, topic) = Pair::ready(&[("max.in.flight.requests.per.connection", "1")]);
    pair.send(topic, 0, 1, "first");
    let first = pair.one_asked();
    pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (2, 2));
    pair.producer.refresh_metadata();
    pair.send(topic, 0, 2, "second");
    pair.run_ms(500);
    assert!(pair.asked().is_empty(), "the first is not answered");
    pair.answer(&first, E::NOT_LEADER_OR_FOLLOWER);
    let again = pair.asked().remove(0);
    assert_eq!((again.node, again.values()), (2, vec!["first"]), "at once: the leader moved");
    pair.run_ms(500);
    assert!(pair.asked().is_empty());
    pair.answer(&again, E::NONE);
    let second = pair.asked().remove(0);
    assert_eq!((second.node, second.values()), (2, vec!["second"]));
    pair.answer(&second, E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE), (2, E::NONE)]);
    pair.check_clean();
}

#[test]
fn a_retry_waits_its_backoff_and_other_partitions_do_not() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "a");
    let asked = pair.one_asked();
    let failed_at = pair.now();
    pair.answer(&asked, E::NOT_ENOUGH_REPLICAS);
    pair.send(topic, 2, 2, "b");
    let other = pair.one_asked();
    assert_eq!(other.partitions(), [2]);
    pair.answer(&other, E::NONE);
    while pair.script.lock().now < failed_at.plus_ms(79) {
        pair.run_ms(1);
        assert!(pair.asked().is_empty(), "jitter takes off a fifth at most");
    }
    pair.run_ms(60);
    assert_eq!(pair.asked().remove(0).values(), ["a"]);
}

#[test]
fn a_hint_sends_the_retry_to_the_new_leader_at_once_and_without_one_metadata_is_asked() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "a");
    let asked = pair.one_asked();
    let hint = asked.moved(2, 5);
    pair.respond(&asked, &hint);
    let again = pair.asked().remove(0);
    assert_eq!((again.node, again.values()), (2, vec!["a"]));
    pair.answer(&again, E::NONE);
    pair.send(topic, 0, 2, "b");
    let asked = pair.one_asked();
    assert_eq!(asked.node, 2, "older metadata does not undo a hint");
    pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (1, 6));
    let before = pair.script.lock().metadata_requests;
    pair.answer(&asked, E::NOT_LEADER_OR_FOLLOWER);
    pair.run_ms(150);
    assert!(pair.script.lock().metadata_requests > before);
    let again = pair.asked().remove(0);
    assert_eq!((again.node, again.values()), (1, vec!["b"]));
    pair.answer(&again, E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE), (2, E::NONE)]);
    pair.check_clean();
}

#[test]
fn a_small_request_limit_takes_partitions_in_turn_and_starves_none() {
    let settings = [
        ("max.request.size", "2000"),
        ("batch.size", "1500"),
        ("max.in.flight.requests.per.connection", "1"),
    ];
    let (mut pair, topic) = Pair::ready(&settings);
    let value = "v".repeat(1200);
    for token in 0..6 {
        pair.send(topic, (token as i32 % 2) * 2, token, &value);
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        let asked = pair.one_asked();
        order.extend(asked.partitions());
        pair.answer(&asked, E::NONE);
    }
    assert_eq!(order, [0, 2, 0, 2, 0, 2]);
    assert_eq!(pair.fates().len(), 6);
    pair.check_clean();
}

#[test]
fn partitions_without_leader_wait_for_one_and_hold_up_nobody() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (-1, 2));
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    pair.send(topic, 0, 1, "a");
    pair.send(topic, 2, 2, "b");
    let asked = pair.one_asked();
    assert_eq!(asked.partitions(), [2]);
    let (polls, requests) = {
        let script = pair.script.lock();
        (script.polls, script.metadata_requests)
    };
    pair.run_ms(2000);
    assert!(pair.script.lock().polls - polls < 200, "no busy loop");
    assert!(pair.script.lock().metadata_requests > requests, "it keeps asking");
    pair.change_topic(|topic| (topic.leaders[0], topic.epoch) = (2, 3));
    pair.run_ms(300);
    assert_eq!(pair.asked().remove(0).partitions(), [0]);
}

#[test]
fn a_throttled_node_gets_nothing_until_its_time_is_over() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "a");
    let asked = pair.one_asked();
    let mut response = asked.answer(E::NONE);
    response.throttle_time_ms = 300;
    pair.respond(&asked, &response);
    pair.send(topic, 0, 2, "b");
    pair.send(topic, 1, 3, "c");
    pair.run_ms(200);
    let asked = pair.asked();
    assert_eq!(asked.iter().map(|asked| asked.node).collect::<Vec<_>>(), [2]);
    pair.run_ms(99);
    assert!(pair.asked().is_empty());
    pair.run_ms(1);
    assert_eq!(pair.asked().remove(0).values(), ["b"]);
}

#[test]
fn an_unanswered_request_times_out_and_is_sent_again() {
    let (mut pair, topic) = Pair::ready(&[("request.timeout.ms", "1000")]);
    pair.send(topic, 0, 1, "a");
    let late = pair.one_asked();
    pair.run_ms(999);
    assert!(pair.asked().is_empty());
    pair.run_ms(200);
    let again = pair.asked().remove(0);
    pair.answer(&late, E::NONE);
    assert!(pair.fates().is_empty(), "the old connection is gone, and so is what it says");
    pair.answer(&again, E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    pair.check_clean();
}

#[test]
fn a_batch_in_flight_expires_at_its_time_and_keeps_its_memory_until_the_answer() {
    let settings = [("delivery.timeout.ms", "1500"), ("request.timeout.ms", "1400")];
    let (mut pair, topic) = Pair::ready(&settings);
    let total = pair.producer.metrics().get("buffer-available-bytes").unwrap();
    let begun = pair.now();
    pair.send(topic, 0, 1, &"a".repeat(20_000));
    pair.run_ms(200);
    let first = pair.asked().remove(0);
    pair.answer(&first, E::NOT_ENOUGH_REPLICAS);
    pair.run_ms(200);
    let second = pair.asked().remove(0);
    pair.run_ms(begun.plus_ms(1499).since(pair.now()).as_millis() as u64);
    assert!(pair.fates().is_empty());
    pair.run_ms(1);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::EXPIRED, Persistence::PossiblyPersisted));
    assert!(fate.text.contains("1500 ms"), "{}", fate.text);
    let free = pair.producer.metrics().get("buffer-available-bytes").unwrap();
    assert!(total - free >= 20_000.0, "the request still reads it");
    // A late error is neither retried nor split.
    pair.answer(&second, E::MESSAGE_TOO_LARGE);
    pair.run_ms(500);
    assert!(pair.asked().is_empty());
    pair.check_clean();
}

#[test]
fn what_waits_in_the_queue_expires_at_its_time_and_nothing_wakes_the_sender_needlessly() {
    let (mut pair, topic) = Pair::ready(&[("delivery.timeout.ms", "40000")]);
    pair.script.lock().down = vec![1];
    pair.send(topic, 0, 1, "a");
    let asked = pair.one_asked();
    pair.disconnect(&asked);
    let polls = pair.script.lock().polls;
    pair.run_ms(39_994);
    assert!(pair.fates().is_empty());
    let polls = pair.script.lock().polls - polls;
    assert!(polls < 1_000, "{polls} turns in 40 s");
    pair.run_ms(1);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::EXPIRED, Persistence::PossiblyPersisted));
    pair.check_clean();
}

#[test]
fn in_strict_order_the_next_batch_waits_also_for_one_that_has_expired() {
    let settings = [
        ("max.in.flight.requests.per.connection", "1"),
        ("delivery.timeout.ms", "1500"),
        ("request.timeout.ms", "1450"),
    ];
    let (mut pair, topic) = Pair::ready(&settings);
    pair.run_ms(10);
    pair.send(topic, 0, 1, "first");
    pair.run_ms(100);
    let first = pair.asked().remove(0);
    pair.answer(&first, E::NOT_ENOUGH_REPLICAS);
    pair.run_ms(200);
    // The second attempt may still be answered when the delivery time is over.
    let first = pair.asked().remove(0);
    pair.send(topic, 0, 2, "second");
    pair.run_ms(1250);
    assert_eq!(pair.codes(), [(1, E::EXPIRED)]);
    assert!(pair.asked().is_empty());
    pair.answer(&first, E::NONE);
    assert_eq!(pair.asked().remove(0).values(), ["second"]);
}

#[test]
fn refused_records_get_the_brokers_words_and_the_others_their_own() {
    let (mut pair, topic) = Pair::ready(&[]);
    (0..5).for_each(|token| pair.send(topic, 0, token, "x"));
    let asked = pair.one_asked();
    let mut response = asked.answer(E::INVALID_RECORD);
    let partition = &mut response.partitions[0];
    partition.record_errors = vec![(3, None), (1, Some("bad key".to_owned())), (77, None)];
    partition.error_message = Some("some are bad".to_owned());
    pair.respond(&asked, &response);
    let fates = pair.fates();
    assert_eq!(fates.iter().map(|fate| fate.token).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(fates.iter().all(|fate| fate.code == E::INVALID_RECORD));
    let texts =
        ["sent in a batch", "bad key", "sent in a batch", "some are bad", "sent in a batch"];
    for (fate, text) in fates.iter().zip(texts) {
        assert!(fate.text.starts_with(text), "{}", fate.text);
    }
    // One alone gets the error of the partition.
    (0..2).for_each(|token| pair.send(topic, 0, token, "x"));
    let asked = pair.one_asked();
    let mut response = asked.answer(E::INVALID_TIMESTAMP);
    response.partitions[0].record_errors = vec![(1, None)];
    pair.respond(&asked, &response);
    assert_eq!(pair.codes(), [(0, E::INVALID_RECORD), (1, E::INVALID_TIMESTAMP)]);
    pair.check_clean();
}

#[test]
fn a_batch_too_large_is_split_down_to_the_record_that_is() {
    let (mut pair, topic) = Pair::ready(&[]);
    for token in 0..8 {
        let size = if token == 5 { 3000 } else { 100 };
        pair.send(topic, 0, token, &"v".repeat(size));
    }
    pair.run_ms(LINGER_MS);
    let mut requests = 0;
    loop {
        let asked = pair.asked();
        if asked.is_empty() {
            break;
        }
        for asked in asked {
            requests += 1;
            let bytes: usize = asked.values().iter().map(|value| value.len()).sum();
            let code = if bytes > 2000 { E::MESSAGE_TOO_LARGE } else { E::NONE };
            pair.answer(&asked, code);
        }
        pair.run_ms(1);
    }
    assert!(requests > 3);
    let mut codes = pair.codes();
    codes.sort_by_key(|&(token, _)| token);
    let expected = (0..8).map(|n| (n, if n == 5 { E::MESSAGE_TOO_LARGE } else { E::NONE }));
    assert_eq!(codes, expected.collect::<Vec<_>>());
    pair.check_clean();
}

#[test]
fn a_broker_that_speaks_no_known_version_fails_the_records_clearly() {
    let mut pair = Pair::new(&[]);
    pair.script.lock().produce_max = 2;
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1);
    pair.send(topic, 0, 1, "a");
    pair.run_ms(20);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::UNSUPPORTED_VERSION, Persistence::NotPersisted));
    assert!(fate.text.contains("speaks no version of Produce"), "{}", fate.text);
    pair.check_clean();
}

#[test]
fn answers_are_matched_by_the_id_that_the_request_named_also_after_a_recreation() {
    let mut pair = Pair::new(&[]);
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    pair.script.lock().produce_max = 13;
    pair.change_topic(|topic| topic.id = old);
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1);
    pair.send(topic, 0, 1, "a");
    pair.run_ms(10);
    let asked = pair.asked().remove(0);
    assert_eq!(asked.batches[0].0, TopicRef::Id(old));
    pair.change_topic(|topic| topic.id = new);
    pair.producer.refresh_metadata();
    pair.run_ms(200);
    pair.answer(&asked, E::UNKNOWN_TOPIC_ID);
    pair.run_ms(200);
    let again = pair.asked().remove(0);
    assert_eq!(again.batches[0].0, TopicRef::Id(new));
    pair.answer(&again, E::NONE);
    assert_eq!(pair.codes(), [(1, E::NONE)]);
    pair.check_clean();
}

#[test]
fn partitions_that_an_answer_forgets_fail_and_bytes_that_are_none_close_the_connection() {
    let (mut pair, topic) = Pair::ready(&[]);
    pair.send(topic, 0, 1, "a");
    pair.send(topic, 2, 2, "b");
    let asked = pair.one_asked();
    let mut response = asked.answer(E::NONE);
    response.partitions.remove(0);
    let twice = response.partitions[0].clone();
    response.partitions.push(twice);
    pair.respond(&asked, &response);
    let mut codes = pair.codes();
    codes.sort_by_key(|&(token, _)| token);
    assert_eq!(codes, [(1, E::PROTOCOL), (2, E::NONE)]);
    pair.send(topic, 0, 3, "c");
    let asked = pair.one_asked();
    pair.garble(&asked);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.persistence), (E::PROTOCOL, Persistence::PossiblyPersisted));
    pair.check_clean();
}

#[test]
fn parked_records_come_in_order_and_a_partition_that_is_none_fails() {
    let mut pair = Pair::new(&[]);
    pair.script.lock().topics.clear();
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(50);
    for token in 0..20 {
        pair.send(topic, if token == 7 { 9 } else { 0 }, token, &token.to_string());
    }
    pair.run_ms(1000);
    assert!(pair.fates().is_empty() && pair.asked().is_empty());
    let leaders = vec![1, 2];
    let known = ScriptedTopic { leaders, epoch: 1, ..ScriptedTopic::default() };
    pair.script.lock().topics.insert("t".to_owned(), known);
    pair.run_ms(2000);
    let asked = pair.asked().remove(0);
    let expected: Vec<String> = (0..20).filter(|&n| n != 7).map(|n: i32| n.to_string()).collect();
    assert_eq!(asked.values(), expected);
    pair.answer(&asked, E::NONE);
    let mut codes = pair.codes();
    assert_eq!(codes.remove(0), (7, E::UNKNOWN_PARTITION));
    assert_eq!(codes.len(), 19);
    pair.check_clean();
}

#[test]
fn a_topic_that_never_comes_fails_its_records_at_their_time() {
    let mut pair = Pair::new(&[("delivery.timeout.ms", "31000")]);
    pair.script.lock().topics.clear();
    let topic = pair.producer.topic("t").unwrap();
    pair.send(topic, -1, 1, "a");
    pair.run_ms(30_999);
    assert!(pair.fates().is_empty());
    pair.run_ms(1);
    let fate = pair.fates().remove(0);
    assert_eq!((fate.code, fate.partition), (E::EXPIRED, -1));
    assert!(fate.text.starts_with("no metadata for topic t within 31000 ms: "), "{}", fate.text);
    pair.check_clean();
}

#[test]
fn a_forbidden_topic_fails_what_is_parked_once_and_is_asked_for_anew_each_time() {
    let mut pair = Pair::new(&[]);
    pair.change_topic(|topic| {
        topic.error = E::TOPIC_AUTHORIZATION_FAILED.value() as i16;
        topic.leaders.clear();
    });
    let topic = pair.producer.topic("t").unwrap();
    pair.send(topic, -1, 1, "a");
    pair.run_ms(100);
    assert_eq!(pair.codes(), [(1, E::TOPIC_AUTHORIZATION_FAILED)]);
    pair.change_topic(|topic| (topic.error, topic.leaders) = (0, vec![1]));
    pair.send(topic, 0, 2, "b");
    pair.run_ms(1500);
    pair.answer_all(E::NONE);
    assert_eq!(pair.codes(), [(2, E::NONE)], "the permission came meanwhile");
    pair.check_clean();
}

#[test]
fn memory_for_parked_records_that_is_not_there_is_waited_for_without_turning() {
    let mut pair = Pair::new(&[("buffer.memory", "65536"), ("batch.size", "4000")]);
    pair.script.lock().mute_metadata = true;
    pair.script.lock().hold_frames = true;
    let names: Vec<String> = (0..300).map(|n| format!("topic-{n}")).collect();
    let mut sent = 0;
    for (token, name) in names.iter().enumerate() {
        let topic = pair.producer.topic(name).unwrap();
        sent += u64::from(pair.try_send(topic, 0, token as u64, "x").is_ok());
        let known = ScriptedTopic { leaders: vec![1], epoch: 1, ..ScriptedTopic::default() };
        pair.script.lock().topics.insert(name.clone(), known);
    }
    pair.run_ms(10);
    pair.script.lock().mute_metadata = false;
    let mut done = 0;
    for _ in 0..400 {
        let polls = pair.script.lock().polls;
        pair.run_ms(200);
        assert!(pair.script.lock().polls - polls < 250, "no busy loop");
        pair.drop_held_frames();
        pair.answer_all(E::NONE);
        let codes = pair.codes();
        assert!(codes.iter().all(|&(_, code)| code == E::NONE));
        done += codes.len() as u64;
        if done == sent {
            break;
        }
        // The muted request has to time out first.
        pair.run_ms(1000);
    }
    assert!(sent > 100);
    assert_eq!(done, sent);
    pair.check_clean();
}

#[test]
fn compressed_batches_go_like_others_and_are_split_when_too_large() {
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let (mut pair, topic) = Pair::ready(&[("compression.type", codec), ("batch.size", "5000")]);
        let values: Vec<String> = (0..64).map(|n| format!("{n} {}", "ab".repeat(100))).collect();
        for (token, value) in values.iter().enumerate() {
            pair.send(topic, 0, token as u64, value);
        }
        let mut stored: Vec<String> = Vec::new();
        let mut refused = 0;
        for _ in 0..100 {
            pair.run_ms(LINGER_MS);
            for asked in pair.asked() {
                if asked.values().len() <= 5 {
                    stored.extend(asked.values().iter().map(|value| value.to_string()));
                    pair.answer(&asked, E::NONE);
                    continue;
                }
                refused += 1;
                let code = match refused % 2 {
                    0 => E::MESSAGE_TOO_LARGE,
                    _ => E::RECORD_LIST_TOO_LARGE,
                };
                pair.answer(&asked, code);
            }
        }
        assert!(refused > 2, "{codec}: {refused}");
        stored.sort_by_key(|value| value.split(' ').next().unwrap().parse::<u32>().unwrap());
        assert!(stored == values, "{codec}: {} came", stored.len());
        let fates = pair.fates();
        assert!(fates.len() == 64 && fates.iter().all(|fate| fate.code == E::NONE));
        pair.check_clean();
    }
}

#[test]
fn zstd_to_a_broker_that_does_not_know_it_is_a_clear_error() {
    let mut pair = Pair::new(&[("compression.type", "zstd")]);
    pair.script.lock().produce_max = 6;
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1);
    pair.send(topic, 0, 1, "a");
    pair.run_ms(10 + LINGER_MS);
    assert!(pair.asked().is_empty());
    let fate = pair.fates().remove(0);
    assert_eq!(fate.code, E::UNSUPPORTED_COMPRESSION_TYPE);
    assert!(fate.text.contains("Kafka 2.1"), "{}", fate.text);
    pair.check_clean();
}
