//! The produce codec: v0 to v2 by hand, v3 to v13 against the crate in both directions.

use bytes::{BufMut, Bytes};
use kafka_protocol::messages::produce_request as theirs_request;
use kafka_protocol::messages::produce_response as theirs;
use kafka_protocol::messages::{ApiKey, BrokerId, TopicName, TransactionalId};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorCode;
use crate::protocol::{encode_request, encode_response as encode_theirs, request_header};

/// The pieces put together, with `elsewhere[n]` in the gap of partition n.
fn assembled(pieces: &[Piece], elsewhere: &[Vec<u8>]) -> Vec<u8> {
    let run = |piece: &Piece| match piece {
        Piece::Head(bytes) => bytes.to_vec(),
        Piece::Elsewhere(partition) => elsewhere[*partition].clone(),
    };
    pieces.iter().flat_map(run).collect()
}

fn request(version: i16) -> ProduceRequest<'static> {
    ProduceRequest {
        version,
        correlation_id: 7,
        client_id: "me",
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
    }
}

/// The request of the golden tests: topic "t", partition 5 with "abcd", of which "cd" lies
/// elsewhere.
fn golden_request(version: i16) -> Vec<u8> {
    let mut writer = ProduceWriter::new(&request(version), 1);
    writer.begin_topic("t", Uuid::nil(), 1);
    writer.begin_partition(5, 4);
    writer.records(b"ab");
    writer.records_elsewhere();
    writer.end_partition();
    writer.end_topic();
    assembled(&writer.finish().unwrap(), &[b"cd".to_vec()])
}

#[test]
fn requests_v0_to_v2_by_hand() {
    for version in 0..=2 {
        let expected = [
            &[0, 0, 0, 41][..],        // length
            &[0, 0, 0, version as u8], // Produce
            &[0, 0, 0, 7],             // correlation id
            &[0, 2, b'm', b'e'],       // client id
            &[255, 255],               // acks
            &[0, 0, 0x75, 0x30],       // timeout
            &[0, 0, 0, 1, 0, 1, b't'], // one topic
            &[0, 0, 0, 1, 0, 0, 0, 5], // one partition
            &[0, 0, 0, 4, b'a', b'b', b'c', b'd'],
        ];
        let frame = golden_request(version);
        assert_eq!(frame, expected.concat(), "v{version}");
        let header = request_header(&Bytes::from(frame).slice(4..)).unwrap();
        let view = decode_request(version, header.body).unwrap();
        assert_eq!(view.transactional_id, None);
        assert_eq!((view.acks, view.timeout_ms), (-1, 30_000));
        assert_eq!(view.topics[0].topic, TopicRef::Name("t".into()));
        let records = Some(Bytes::from_static(b"abcd"));
        assert_eq!(view.topics[0].partitions, [PartitionView { partition: 5, records }]);
    }
}

fn answer(topic: TopicRef, partition: i32) -> PartitionResponse {
    PartitionResponse {
        topic,
        partition,
        error_code: 3,
        base_offset: 9,
        log_append_time_ms: -1,
        log_start_offset: -1,
        record_errors: Vec::new(),
        error_message: None,
        current_leader: None,
    }
}

#[test]
fn responses_v0_to_v2_by_hand() {
    let head = [0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9];
    let log_append_time = [0, 0, 0, 0, 0, 0, 1, 0];
    let throttle = [0, 0, 0, 4];
    for (version, body) in [
        (0, head.to_vec()),
        (1, [&head[..], &throttle].concat()),
        (2, [&head[..], &log_append_time, &throttle].concat()),
    ] {
        let mut expected = ProduceResponse::default();
        let mut partition = answer(TopicRef::Name("t".into()), 5);
        if version >= 1 {
            expected.throttle_time_ms = 4;
        }
        if version >= 2 {
            partition.log_append_time_ms = 256;
        }
        expected.partitions.push(partition);
        assert_eq!(decode_response(version, &body).unwrap(), expected, "v{version}");
        let frame = encode_response(version, 7, &expected).unwrap();
        let mut whole = (body.len() as u32 + 4).to_be_bytes().to_vec();
        whole.put_i32(7);
        whole.extend(body);
        assert_eq!(frame, whole, "v{version}");
    }
}

// Requests against the crate.

/// Index, records, whether the end of the records lies elsewhere, and where that end begins.
type TestPartition = (i32, Vec<u8>, bool, usize);
/// Name, id and partitions.
type TestTopic = (String, u128, Vec<TestPartition>);
type Topics = Vec<TestTopic>;

fn topics() -> impl Strategy<Value = Topics> {
    let partition = (any::<i32>(), vec(any::<u8>(), 0..200), any::<bool>(), 0usize..200);
    vec(("[a-z.é]{0,150}", any::<u128>(), vec(partition, 0..4)), 0..4)
}

fn theirs_of(
    version: i16,
    topics: &Topics,
    acks: i16,
    tid: &Option<String>,
) -> theirs_request::ProduceRequest {
    let topic = |(name, id, partitions): &TestTopic| {
        let partition = |(index, records, ..): &TestPartition| {
            let records = Some(Bytes::copy_from_slice(records));
            theirs_request::PartitionProduceData::default().with_index(*index).with_records(records)
        };
        let data = theirs_request::TopicProduceData::default();
        let data = data.with_partition_data(partitions.iter().map(partition).collect());
        if version >= TOPIC_IDS_SINCE {
            data.with_topic_id(Uuid::from_u128(*id))
        } else {
            data.with_name(TopicName(StrBytes::from_string(name.clone())))
        }
    };
    let tid = tid.clone().map(|tid| TransactionalId(StrBytes::from_string(tid)));
    theirs_request::ProduceRequest::default()
        .with_transactional_id(tid)
        .with_acks(acks)
        .with_timeout_ms(1234)
        .with_topic_data(topics.iter().map(topic).collect())
}

fn written(request: &ProduceRequest<'_>, topics: &Topics) -> (Vec<Piece>, Vec<Vec<u8>>) {
    let mut writer = ProduceWriter::new(request, topics.len());
    let mut elsewhere = Vec::new();
    for (name, id, partitions) in topics {
        writer.begin_topic(name, Uuid::from_u128(*id), partitions.len());
        for (index, records, cut, at) in partitions {
            writer.begin_partition(*index, records.len());
            let at = if *cut { (*at).min(records.len()) } else { records.len() };
            writer.records(&records[..at]);
            writer.records_elsewhere();
            elsewhere.push(records[at..].to_vec());
            writer.end_partition();
        }
        writer.end_topic();
    }
    let bytes = writer.bytes();
    let pieces = writer.finish().unwrap();
    let total = assembled(&pieces, &elsewhere).len();
    assert!(total - bytes <= 1, "{bytes} foretold, {total} written");
    (pieces, elsewhere)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 96 }))]

    #[test]
    fn requests_are_byte_for_byte_the_crate_s(
        topics in topics(),
        acks in -1i16..=1,
        tid in option::of("[a-z]{0,140}"),
        correlation_id in any::<i32>(),
    ) {
        for version in 3..=13 {
            let request = ProduceRequest {
                version,
                correlation_id,
                client_id: "client",
                transactional_id: tid.as_deref(),
                acks,
                timeout_ms: 1234,
            };
            let message = theirs_of(version, &topics, acks, &tid);
            let expected =
                encode_request(ApiKey::Produce, version, correlation_id, "client", &message).unwrap();
            let (pieces, elsewhere) = written(&request, &topics);
            prop_assert!(!pieces.contains(&Piece::Head(Bytes::new())));
            prop_assert_eq!(assembled(&pieces, &elsewhere), &expected[..], "v{}", version);
        }
    }

    #[test]
    fn requests_of_the_crate_are_read(
        topics in topics(),
        acks in -1i16..=1,
        tid in option::of("[a-z]{0,140}"),
        tags in any::<bool>(),
    ) {
        for version in 3..=13 {
            let mut message = theirs_of(version, &topics, acks, &tid);
            if tags && version >= 9 {
                let field = || (9, Bytes::from_static(b"new"));
                message.unknown_tagged_fields.extend([field()]);
                for topic in &mut message.topic_data {
                    topic.unknown_tagged_fields.extend([field()]);
                    for partition in &mut topic.partition_data {
                        partition.unknown_tagged_fields.extend([field()]);
                    }
                }
            }
            let frame = encode_request(ApiKey::Produce, version, 3, "c", &message).unwrap();
            let header = request_header(&frame.slice(4..)).unwrap();
            let view = decode_request(version, header.body).unwrap();
            prop_assert_eq!(&view.transactional_id, &tid);
            prop_assert_eq!((view.acks, view.timeout_ms), (acks, 1234));
            prop_assert_eq!(view.topics.len(), topics.len());
            for (view, (name, id, partitions)) in view.topics.iter().zip(&topics) {
                let expected = if version >= TOPIC_IDS_SINCE {
                    TopicRef::Id(Uuid::from_u128(*id))
                } else {
                    TopicRef::Name(name.as_str().into())
                };
                prop_assert_eq!(&view.topic, &expected);
                prop_assert_eq!(view.partitions.len(), partitions.len());
                for (view, (index, records, ..)) in view.partitions.iter().zip(partitions) {
                    prop_assert_eq!(view.partition, *index);
                    prop_assert_eq!(view.records.as_deref(), Some(&records[..]));
                }
            }
        }
    }
}

#[test]
fn records_of_a_view_are_shares_of_the_frame() {
    let frame = Bytes::from(golden_request(1));
    let header = request_header(&frame.slice(4..)).unwrap();
    let view = decode_request(1, header.body).unwrap();
    let records = view.topics[0].partitions[0].records.clone().unwrap();
    let within = frame.as_ptr_range();
    assert!(within.contains(&records.as_ptr()), "copied");
}

#[test]
fn a_batch_is_its_header_and_the_payload() {
    for version in [3, 9, 13] {
        let mut writer = ProduceWriter::new(&request(version), 1);
        writer.begin_topic("t", Uuid::max(), 2);
        writer.batch(0, &[1; 61], 100);
        writer.records_elsewhere();
        writer.end_partition();
        writer.batch(1, &[2; 61], 3);
        writer.records(b"xyz");
        writer.end_partition();
        writer.end_topic();
        let pieces = writer.finish().unwrap();
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1], Piece::Elsewhere(0));
        let frame = assembled(&pieces, &[vec![9; 100]]);
        let header = request_header(&Bytes::from(frame).slice(4..)).unwrap();
        let view = decode_request(version, header.body).unwrap();
        let records = |n: usize| view.topics[0].partitions[n].records.clone().unwrap().to_vec();
        assert_eq!(records(0), [&[1; 61][..], &[9; 100]].concat());
        assert_eq!(records(1), [&[2; 61][..], b"xyz"].concat());
    }
}

#[test]
fn the_overheads_are_never_too_small() {
    for version in 0..=13 {
        let name = "n".repeat(249);
        let count = 300;
        let mut writer = ProduceWriter::new(&request(version), 1);
        let before = writer.bytes();
        writer.begin_topic(&name, Uuid::max(), count);
        for partition in 0..count as i32 {
            writer.begin_partition(partition, 0x1000_0000);
            writer.records_elsewhere();
            writer.end_partition();
        }
        writer.end_topic();
        let head = writer.bytes() - before - count * 0x1000_0000;
        let allowed = ProduceWriter::topic_overhead(version, &name)
            + count * ProduceWriter::partition_overhead(version);
        assert!(head <= allowed, "v{version}: {head} > {allowed}");
        assert!(head + count + 16 >= allowed, "v{version}: {head} far below {allowed}");
    }
}

fn failure(build: impl FnOnce(&mut ProduceWriter)) -> ErrorCode {
    let mut writer = ProduceWriter::new(&request(9), 1);
    build(&mut writer);
    writer.finish().expect_err("built wrong").code()
}

#[test]
fn a_request_built_wrong_is_refused() {
    let state = ErrorCode::STATE;
    assert_eq!(failure(|_| {}), state, "no topic");
    assert_eq!(failure(|w| w.begin_topic("t", Uuid::nil(), 0)), state, "topic not ended");
    let topic = |w: &mut ProduceWriter, partitions, rest: fn(&mut ProduceWriter)| {
        w.begin_topic("t", Uuid::nil(), partitions);
        rest(w);
        w.end_topic();
    };
    assert_eq!(failure(|w| topic(w, 1, |_| {})), state, "no partition");
    let empty = |w: &mut ProduceWriter| {
        w.begin_partition(0, 0);
        w.end_partition();
    };
    assert_eq!(failure(|w| topic(w, 0, empty)), state, "a partition too many");
    let short = |w: &mut ProduceWriter| {
        w.begin_partition(0, 2);
        w.records(b"a");
        w.end_partition();
    };
    assert_eq!(failure(|w| topic(w, 1, short)), state, "records too short");
    let long = |w: &mut ProduceWriter| {
        w.begin_partition(0, 2);
        w.records(b"abc");
        w.records_elsewhere();
        w.end_partition();
    };
    assert_eq!(failure(|w| topic(w, 1, long)), state, "records too long");
    assert_eq!(failure(|w| w.end_partition()), state, "no partition open");
    let twice = |w: &mut ProduceWriter| {
        topic(w, 0, |_| {});
        topic(w, 0, |_| {});
    };
    assert_eq!(failure(twice), state, "a topic too many");
}

#[test]
fn what_the_version_cannot_say_is_refused() {
    let finish = |request: &ProduceRequest<'_>| ProduceWriter::new(request, 0).finish();
    let code = |request: &ProduceRequest<'_>| finish(request).unwrap_err().code();
    assert_eq!(code(&request(14)), ErrorCode::UNSUPPORTED_VERSION);
    assert_eq!(code(&request(-1)), ErrorCode::UNSUPPORTED_VERSION);
    let transactional = ProduceRequest { transactional_id: Some("t"), ..request(2) };
    assert_eq!(code(&transactional), ErrorCode::UNSUPPORTED_VERSION);
    let long = "i".repeat(32768);
    let transactional = ProduceRequest { transactional_id: Some(&long), ..request(9) };
    assert_eq!(code(&transactional), ErrorCode::CONFIG);

    let mut writer = ProduceWriter::new(&request(9), 1);
    writer.begin_topic("t", Uuid::nil(), 1);
    writer.begin_partition(0, i32::MAX as usize);
    writer.records_elsewhere();
    writer.end_partition();
    writer.end_topic();
    assert_eq!(writer.finish().unwrap_err().code(), ErrorCode::RECORD_TOO_LARGE);
    assert!(decode_request(14, Bytes::new()).is_err());
    assert!(decode_response(14, &[]).is_err());
    assert!(encode_response(14, 0, &ProduceResponse::default()).is_err());
    let by_name = ProduceResponse {
        partitions: vec![answer(TopicRef::Name("t".into()), 0)],
        ..ProduceResponse::default()
    };
    assert_eq!(encode_response(13, 0, &by_name).unwrap_err().code(), ErrorCode::ARGUMENT);
}

// Responses against the crate.

fn partitions() -> impl Strategy<Value = Vec<PartitionResponse>> {
    let errors = vec((any::<i32>(), option::of("[a-zé]{0,140}")), 0..3);
    let fields = (
        (0u8..4, any::<i32>(), any::<i16>(), any::<i64>()),
        (any::<i64>(), any::<i64>(), errors, option::of(".{0,40}")),
        // (-1, -1) is what the crate takes for no leader at all.
        option::of((0..i32::MAX, any::<i32>())),
    );
    let partition =
        fields.prop_map(|((topic, partition, error_code, base_offset), rest, leader)| {
            let (log_append_time_ms, log_start_offset, record_errors, error_message) = rest;
            PartitionResponse {
                topic: TopicRef::Id(Uuid::from_u128(topic.into())),
                partition,
                error_code,
                base_offset,
                log_append_time_ms,
                log_start_offset,
                record_errors,
                error_message,
                current_leader: leader,
            }
        });
    vec(partition, 0..8)
}

fn endpoints() -> impl Strategy<Value = Vec<NodeEndpoint>> {
    let one = (any::<i32>(), "[a-z.]{0,140}", any::<i32>(), option::of("[a-z]{0,5}"));
    let one =
        one.prop_map(|(node_id, host, port, rack)| NodeEndpoint { node_id, host, port, rack });
    vec(one, 0..4)
}

/// `response` as far as `version` can tell it.
fn restricted(response: &ProduceResponse, version: i16) -> ProduceResponse {
    let mut response = response.clone();
    for partition in &mut response.partitions {
        if let (TopicRef::Id(id), true) = (&partition.topic, version < TOPIC_IDS_SINCE) {
            partition.topic = TopicRef::Name(id.as_u128().to_string().into());
        }
        if version < 5 {
            partition.log_start_offset = -1;
        }
        if version < 8 {
            partition.record_errors.clear();
            partition.error_message = None;
        }
        if version < 10 {
            partition.current_leader = None;
        }
    }
    if version < 10 {
        response.node_endpoints.clear();
    }
    response
}

/// The crate's form of a response that is restricted to `version`.
fn theirs_from(response: &ProduceResponse, tags: bool) -> theirs::ProduceResponse {
    let string = |text: &String| StrBytes::from_string(text.clone());
    let unknown = || tags.then(|| (50, Bytes::from_static(b"new"))).into_iter().collect();
    let partition = |answer: &PartitionResponse| {
        let error = |(index, message): &(i32, Option<String>)| {
            theirs::BatchIndexAndErrorMessage::default()
                .with_batch_index(*index)
                .with_batch_index_error_message(message.as_ref().map(string))
                .with_unknown_tagged_fields(unknown())
        };
        let leader = answer.current_leader.map_or_else(Default::default, |(id, epoch)| {
            theirs::LeaderIdAndEpoch::default()
                .with_leader_id(BrokerId(id))
                .with_leader_epoch(epoch)
                .with_unknown_tagged_fields(unknown())
        });
        theirs::PartitionProduceResponse::default()
            .with_index(answer.partition)
            .with_error_code(answer.error_code)
            .with_base_offset(answer.base_offset)
            .with_log_append_time_ms(answer.log_append_time_ms)
            .with_log_start_offset(answer.log_start_offset)
            .with_record_errors(answer.record_errors.iter().map(error).collect())
            .with_error_message(answer.error_message.as_ref().map(string))
            .with_current_leader(leader)
            .with_unknown_tagged_fields(unknown())
    };
    let topic = |answers: &[PartitionResponse]| {
        let topic = theirs::TopicProduceResponse::default()
            .with_partition_responses(answers.iter().map(partition).collect())
            .with_unknown_tagged_fields(unknown());
        match &answers[0].topic {
            TopicRef::Name(name) => topic.with_name(TopicName(string(&name.to_string()))),
            TopicRef::Id(id) => topic.with_topic_id(*id),
        }
    };
    let endpoint = |endpoint: &NodeEndpoint| {
        theirs::NodeEndpoint::default()
            .with_node_id(BrokerId(endpoint.node_id))
            .with_host(string(&endpoint.host))
            .with_port(endpoint.port)
            .with_rack(endpoint.rack.as_ref().map(string))
            .with_unknown_tagged_fields(unknown())
    };
    let topics = response.partitions.chunk_by(|one, other| one.topic == other.topic);
    theirs::ProduceResponse::default()
        .with_responses(topics.map(topic).collect())
        .with_throttle_time_ms(response.throttle_time_ms)
        .with_node_endpoints(response.node_endpoints.iter().map(endpoint).collect())
        .with_unknown_tagged_fields(unknown())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 96 }))]

    #[test]
    fn responses_are_the_crate_s_both_ways(
        partitions in partitions(),
        node_endpoints in endpoints(),
        throttle_time_ms in any::<i32>(),
        tags in any::<bool>(),
    ) {
        let whole = ProduceResponse { throttle_time_ms, partitions, node_endpoints };
        for version in 3..=13 {
            let response = restricted(&whole, version);
            let message = theirs_from(&response, tags && version >= 9);
            let mut body = Vec::new();
            message.encode(&mut body, version).unwrap();
            prop_assert_eq!(&decode_response(version, &body).unwrap(), &response, "v{}", version);

            // What `version` has no field for is left out, so the whole may be given.
            let mut given = whole.clone();
            for (given, named) in given.partitions.iter_mut().zip(&response.partitions) {
                given.topic = named.topic.clone();
            }
            let ours = encode_response(version, 5, &given).unwrap();
            let message = theirs_from(&response, false);
            let expected = encode_theirs(ApiKey::Produce, version, 5, &message).unwrap();
            prop_assert_eq!(&ours, &expected, "v{}", version);
            let header = if version >= 9 { 9 } else { 8 };
            let read = theirs::ProduceResponse::decode(&mut ours.slice(header..), version).unwrap();
            prop_assert_eq!(read, message);
        }
    }
}

#[test]
fn bytes_left_over_are_an_error_in_requests_only() {
    let response = encode_response(9, 0, &ProduceResponse::default()).unwrap();
    let mut body = response[9..].to_vec();
    body.push(0);
    assert!(decode_response(9, &body).is_ok());
    let mut frame = golden_request(9);
    frame.push(0);
    let header = request_header(&Bytes::from(frame).slice(4..)).unwrap();
    assert_eq!(decode_request(9, header.body).unwrap_err().code(), ErrorCode::PROTOCOL);
}

#[test]
fn a_message_that_is_not_utf_8_is_still_told() {
    let mut expected = answer(TopicRef::Name("t".into()), 0);
    expected.error_message = Some("x?".into());
    let response = ProduceResponse { partitions: vec![expected], ..ProduceResponse::default() };
    let mut body = encode_response(8, 0, &response).unwrap()[8..].to_vec();
    let at = body.iter().rposition(|byte| *byte == b'?').unwrap();
    body[at] = 0xff;
    let read = decode_response(8, &body).unwrap();
    assert_eq!(read.partitions[0].error_message.as_deref(), Some("x\u{fffd}"));
}
