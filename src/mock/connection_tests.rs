//! Tests of a connection to a broker of the embedded cluster.

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, MetadataRequest, TopicName};

use super::*;
use crate::mock::testing::{batch, Tester};
use crate::protocol::{encode_request, ApiKey, StrBytes};

fn peer(tester: &Tester) -> BrokerConnection {
    BrokerConnection::new(&tester.cluster, 1, PeerId(1)).unwrap()
}

fn metadata() -> Bytes {
    let request = MetadataRequest::default();
    encode_request(ApiKey::Metadata, 9, 1, "x", &request).unwrap()
}

#[test]
fn every_split_of_the_bytes_gives_the_same_answers() {
    let answers = |step: usize| {
        let mut tester = Tester::with_topic();
        let produce = tester.produce_frame(9, -1, 0, &batch(&[(None, "1")]));
        let silent = tester.produce_frame(9, 0, 0, &batch(&[(None, "1")]));
        let stream = [produce, silent, metadata()].concat();
        let mut connection = peer(&tester);
        for portion in stream.chunks(step) {
            connection.feed(portion, &mut tester.cluster, tester.now);
        }
        let mut answers = Vec::new();
        while let Some(answer) = connection.take_output(tester.now) {
            answers.push(answer);
        }
        assert_eq!((answers.len(), connection.output_bytes), (2, 0));
        assert!(!connection.is_finished());
        answers
    };
    let whole = answers(usize::MAX);
    for step in 1..40 {
        assert_eq!(answers(step), whole, "step {step}");
    }
}

#[test]
fn a_late_answer_holds_back_those_behind_it() {
    let mut tester = Tester::new(1);
    let mut connection = peer(&tester);
    assert_eq!(connection.next_output_at(), Time::NEVER);
    tester.cluster.push_faults(None, ApiKey::Metadata, &[crate::mock::Fault::DelayMs(40)]);
    let two = [metadata(), metadata()].concat();
    connection.feed(&two, &mut tester.cluster, tester.now);
    let due = tester.now.plus_ms(40);
    assert_eq!(connection.next_output_at(), due);
    assert_eq!(connection.take_output(tester.now.plus_ms(39)), None);
    assert!(connection.take_output(due).is_some());
    assert_eq!(connection.next_output_at(), due);
    assert!(connection.take_output(due).is_some());
    assert_eq!(connection.take_output(due), None);
}

#[test]
fn a_broken_request_closes_after_what_came_before() {
    for broken in [&[0xff, 0xff, 0xff, 0xff][..], &[0x7f, 0, 0, 0], &[0, 0, 0, 1, 9], &[0; 4]] {
        let mut tester = Tester::new(1);
        let mut connection = peer(&tester);
        let stream = [&metadata()[..], broken, &metadata()[..]].concat();
        connection.feed(&stream, &mut tester.cluster, tester.now);
        assert!(!connection.is_finished(), "{broken:?}: an answer is left");
        assert!(connection.take_output(tester.now).is_some());
        assert!(connection.is_finished(), "{broken:?}");
        connection.feed(&metadata(), &mut tester.cluster, tester.now);
        assert_eq!(connection.take_output(tester.now), None);
    }
}

#[test]
fn connections_end_with_the_life_of_their_broker() {
    let mut tester = Tester::new(2);
    let mut first = peer(&tester);
    tester.cluster.broker_down(2).unwrap();
    assert!(!first.is_dropped(&tester.cluster));
    tester.cluster.drop_connections(1).unwrap();
    assert!(first.is_dropped(&tester.cluster));
    first.feed(&metadata(), &mut tester.cluster, tester.now);
    assert_eq!(
        first.take_output(tester.now),
        None,
        "what comes too late is not served by the next life"
    );
    let second = peer(&tester);
    assert!(!second.is_dropped(&tester.cluster));
    tester.cluster.broker_down(1).unwrap();
    assert!(BrokerConnection::new(&tester.cluster, 1, PeerId(2)).is_none());
    tester.cluster.broker_up(1).unwrap();
    assert!(second.is_dropped(&tester.cluster));
}

#[test]
fn who_does_not_take_answers_is_not_served_without_end() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_max_message_bytes("t", 16 << 20).unwrap();
    let value = "x".repeat(10 << 20);
    tester.produce(1, 9, 0, &batch(&[(None, &value)]));
    let partition =
        FetchPartition::default().with_current_leader_epoch(-1).with_partition_max_bytes(i32::MAX);
    let topic = FetchTopic::default()
        .with_topic(TopicName(StrBytes::from_static_str("t")))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default().with_max_bytes(i32::MAX).with_topics(vec![topic]);
    let fetch = encode_request(ApiKey::Fetch, 11, 1, "x", &request).unwrap();
    let mut connection = peer(&tester);
    connection.feed(&fetch.repeat(10), &mut tester.cluster, tester.now);
    assert!(connection.is_full());
    assert_eq!(tester.cluster.request_count(None, ApiKey::Fetch), 7);
    let mut answers = 0;
    while connection.take_output(tester.now).is_some() {
        answers += 1;
        connection.feed(&[], &mut tester.cluster, tester.now);
    }
    assert_eq!(answers, 10);
}
