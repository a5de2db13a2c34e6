//! Tests of the cluster: topics, leaders, faults.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    FetchRequest, FindCoordinatorRequest, FindCoordinatorResponse, InitProducerIdRequest,
    InitProducerIdResponse, ListOffsetsRequest, MetadataRequest, MetadataResponse, TopicName,
};
use uuid::Uuid;

use super::*;
use crate::mock::testing::{batch, body_of, Tester};
use crate::mock::TopicSettings;
use crate::protocol::{encode_request, StrBytes};

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(Some(TopicName(text(name))))
}

fn metadata(tester: &mut Tester, version: i16, names: &[&str]) -> MetadataResponse {
    let topics = names.iter().map(|name| topic(name)).collect();
    let request = MetadataRequest::default().with_topics(Some(topics));
    tester.call(1, ApiKey::Metadata, version, &request)
}

#[test]
fn metadata_tells_brokers_topics_and_leaders_in_every_version() {
    for version in 0..=13 {
        let mut tester = Tester::with_topic();
        tester.cluster.set_rack(2, Some("r2")).unwrap();
        tester.cluster.set_leader("t", 0, Some(3)).unwrap();
        let response = metadata(&mut tester, version, &["t"]);
        let ids: Vec<i32> = response.brokers.iter().map(|broker| broker.node_id.0).collect();
        assert_eq!(ids, [1, 2, 3], "v{version}");
        assert_eq!(response.brokers[1].port, 9093);
        assert_eq!(response.brokers[1].rack.is_some(), version >= 1);
        let cluster_id = response.cluster_id.as_ref().map(|id| id.len());
        assert_eq!(cluster_id, (version >= 2).then_some(22));
        let topic = &response.topics[0];
        assert_eq!((topic.error_code, topic.partitions.len()), (0, 3));
        let id = tester.cluster.topic_id("t").unwrap();
        assert_eq!(topic.topic_id, if version >= 10 { id } else { Uuid::nil() });
        let first = &topic.partitions[0];
        assert_eq!((first.leader_id.0, first.error_code), (3, 0));
        assert_eq!(first.leader_epoch, if version >= 7 { 1 } else { -1 });
        assert_eq!((first.replica_nodes.len(), first.isr_nodes.len()), (3, 3));
    }
}

#[test]
fn all_topics_or_none() {
    let mut tester = Tester::with_topic();
    let all = MetadataRequest::default().with_topics(None);
    let response: MetadataResponse = tester.call(1, ApiKey::Metadata, 9, &all);
    assert_eq!(response.topics.len(), 1);
    assert_eq!(metadata(&mut tester, 9, &[]).topics.len(), 0);
    assert_eq!(metadata(&mut tester, 0, &[]).topics.len(), 1);
}

#[test]
fn metadata_creates_topics_where_both_sides_allow_it() {
    let mut tester = Tester::new(2);
    let response = metadata(&mut tester, 9, &["new", "bad/name"]);
    assert_eq!((response.topics[0].error_code, response.topics[0].partitions.len()), (0, 4));
    assert_eq!(response.topics[1].error_code, 17);
    tester.cluster.set_auto_create(true, 7);
    assert_eq!(metadata(&mut tester, 1, &["seven"]).topics[0].partitions.len(), 7);

    let polite = MetadataRequest::default()
        .with_topics(Some(vec![topic("unwanted")]))
        .with_allow_auto_topic_creation(false);
    let response: MetadataResponse = tester.call(1, ApiKey::Metadata, 4, &polite);
    assert_eq!(response.topics[0].error_code, 3);
    tester.cluster.set_auto_create(false, 4);
    assert_eq!(metadata(&mut tester, 9, &["unwanted"]).topics[0].error_code, 3);
    assert_eq!(tester.cluster.topic_names(), ["new", "seven"]);

    tester.cluster.set_auto_create(true, 4);
    tester.cluster.set_topic_error("secret", Some(ErrorCode::TOPIC_AUTHORIZATION_FAILED));
    assert_eq!(metadata(&mut tester, 9, &["secret"]).topics[0].error_code, 29);
    assert_eq!(tester.cluster.topic_names(), ["new", "seven"]);
}

#[test]
fn a_topic_may_take_its_time_to_appear() {
    let mut tester = Tester::new(1);
    tester.cluster.set_topic_creation_ms(50);
    assert_eq!(metadata(&mut tester, 9, &["t"]).topics[0].error_code, 5);
    let bytes = batch(&[(None, "1")]);
    assert_eq!(tester.produce(1, 9, 0, &bytes).error_code, 3);
    tester.now = tester.now.plus_ms(50);
    assert_eq!(metadata(&mut tester, 9, &["t"]).topics[0].error_code, 0);
    assert_eq!(tester.produce(1, 9, 0, &bytes).error_code, 0);
}

#[test]
fn topics_can_be_asked_for_by_id() {
    let mut tester = Tester::with_topic();
    let id = tester.cluster.topic_id("t").unwrap();
    let by_id = |id| MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let request =
        MetadataRequest::default().with_topics(Some(vec![by_id(id), by_id(Uuid::from_u128(5))]));
    let response: MetadataResponse = tester.call(1, ApiKey::Metadata, 12, &request);
    assert_eq!(response.topics[0].name, Some(TopicName(text("t"))));
    assert_eq!((response.topics[1].error_code, &response.topics[1].name), (100, &None));
    tester.cluster.recreate_topic("t").unwrap();
    assert_ne!(tester.cluster.topic_id("t").unwrap(), id);
}

#[test]
fn a_broker_that_is_down_is_gone_and_others_lead() {
    let mut tester = Tester::with_topic();
    let before = tester.cluster.incarnation(1);
    tester.cluster.broker_down(1).unwrap();
    assert_eq!(tester.cluster.incarnation(1), None);
    let request = MetadataRequest::default().with_topics(Some(vec![topic("t")]));
    assert_eq!(tester.ask(1, ApiKey::Metadata, 9, &request), Reply::CloseConnection);
    let response: MetadataResponse = tester.call(2, ApiKey::Metadata, 9, &request);
    assert_eq!((response.brokers.len(), response.controller_id.0), (2, 2));
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.leader_id.0, partition.leader_epoch), (2, 1));
    assert_eq!((partition.isr_nodes.len(), partition.offline_replicas.len()), (2, 1));
    tester.cluster.broker_up(1).unwrap();
    assert_ne!(tester.cluster.incarnation(1), before);
    assert_eq!(tester.cluster.leader("t", 0).unwrap(), (Some(2), 1));
    assert_eq!(tester.cluster.broker_down(9).unwrap_err().code(), ErrorCode::ARGUMENT);
}

#[test]
fn control_of_what_does_not_exist_fails() {
    let mut tester = Tester::with_topic();
    let cluster = &mut tester.cluster;
    let code = |result: crate::error::Result<()>| result.unwrap_err().code();
    assert_eq!(code(cluster.set_leader("x", 0, None)), ErrorCode::UNKNOWN_TOPIC);
    assert_eq!(code(cluster.set_leader("t", 3, None)), ErrorCode::UNKNOWN_PARTITION);
    assert_eq!(code(cluster.set_leader("t", 0, Some(4))), ErrorCode::ARGUMENT);
    assert_eq!(code(cluster.create_topic("t", 1, 1)), ErrorCode::TOPIC_ALREADY_EXISTS);
    assert_eq!(code(cluster.create_topic("u", 0, 1)), ErrorCode::INVALID_PARTITIONS);
    assert_eq!(code(cluster.create_topic("u", 1, 4)), ErrorCode::INVALID_REPLICATION_FACTOR);
    assert_eq!(code(cluster.grow_partitions("t", 2)), ErrorCode::INVALID_PARTITIONS);
    cluster.grow_partitions("t", 5).unwrap();
    assert_eq!(cluster.leader("t", 4).unwrap(), (Some(2), 0));
}

#[test]
fn version_ranges_are_advertised_and_kept() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_api_versions(ApiKey::Metadata, 1, 5);
    tester.cluster.remove_api(ApiKey::InitProducerId);
    for version in 0..=4 {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(text("tester"))
            .with_client_software_version(text("1.0"));
        let response: ApiVersionsResponse = tester.call(1, ApiKey::ApiVersions, version, &request);
        let range = |key: ApiKey| {
            let row = response.api_keys.iter().find(|row| row.api_key == key as i16);
            row.map(|row| (row.min_version, row.max_version))
        };
        assert_eq!(range(ApiKey::Metadata), Some((1, 5)));
        assert_eq!(range(ApiKey::Produce), Some((3, 13)));
        assert_eq!(range(ApiKey::InitProducerId), None);
    }
    let request = MetadataRequest::default();
    assert_eq!(tester.ask(1, ApiKey::Metadata, 6, &request), Reply::CloseConnection);
    let request = InitProducerIdRequest::default();
    assert_eq!(tester.ask(1, ApiKey::InitProducerId, 1, &request), Reply::CloseConnection);
}

#[test]
fn the_transaction_version_is_a_finalized_feature() {
    let mut tester = Tester::new(2);
    let ask = |tester: &mut Tester, broker, version| {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(text("tester"))
            .with_client_software_version(text("1.0"));
        let answer: ApiVersionsResponse =
            tester.call(broker, ApiKey::ApiVersions, version, &request);
        let levels: Vec<(String, i16, i16)> = answer
            .finalized_features
            .iter()
            .map(|one| (one.name.to_string(), one.min_version_level, one.max_version_level))
            .collect();
        (answer.finalized_features_epoch, levels, answer.supported_features.len())
    };
    let at = |level| vec![("transaction.version".to_owned(), level, level)];
    for version in 3..=4 {
        assert_eq!(ask(&mut tester, 1, version), (1, at(2), 1));
    }
    assert_eq!(ask(&mut tester, 1, 2), (-1, vec![], 0), "older answers have no place for it");
    tester.cluster.set_transaction_version(Some(1));
    assert_eq!(ask(&mut tester, 1, 3), (2, at(1), 1));
    tester.cluster.set_transaction_version(None);
    assert_eq!(ask(&mut tester, 1, 3), (3, vec![], 0));
    tester.cluster.set_transaction_version(Some(0));
    assert_eq!(ask(&mut tester, 1, 3), (4, vec![], 1), "known, but not finalized");
    tester.cluster.set_features_stale(2, true);
    tester.cluster.set_transaction_version(Some(2));
    assert_eq!((ask(&mut tester, 1, 3).0, ask(&mut tester, 2, 3).0), (5, 4));
    tester.cluster.set_features_stale(2, false);
    assert_eq!(ask(&mut tester, 2, 3), (5, at(2), 1));
}

#[test]
fn an_unknown_version_of_api_versions_gets_version_0_and_the_list() {
    let mut tester = Tester::with_topic();
    tester.cluster.set_api_versions(ApiKey::ApiVersions, 0, 2);
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("tester"))
        .with_client_software_version(text("1.0"));
    let reply = tester.ask(1, ApiKey::ApiVersions, 3, &request);
    let body = body_of(ApiKey::ApiVersions, 0, reply);
    let response: ApiVersionsResponse =
        crate::protocol::decode_response(ApiKey::ApiVersions, 0, body).unwrap();
    assert_eq!(response.error_code, 35);
    assert!(response.api_keys.len() > 5);
}

#[test]
fn software_names_are_checked() {
    let mut tester = Tester::new(1);
    for (name, code) in [("ottla", 0), ("a-b.c", 0), ("", 42), ("-a", 42), ("a b", 42)] {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(text(name))
            .with_client_software_version(text("1"));
        let response: ApiVersionsResponse = tester.call(1, ApiKey::ApiVersions, 3, &request);
        assert_eq!(response.error_code, code, "{name}");
    }
}

#[test]
fn coordinators_are_live_brokers_and_stay() {
    for version in 0..=6 {
        let mut tester = Tester::new(3);
        let mut request = FindCoordinatorRequest::default();
        if version >= 4 {
            request.coordinator_keys = vec![text("a"), text("b")];
        } else {
            request.key = text("a");
        }
        let response: FindCoordinatorResponse =
            tester.call(1, ApiKey::FindCoordinator, version, &request);
        let node = match version {
            4.. => response.coordinators[0].node_id.0,
            _ => response.node_id.0,
        };
        assert!((1..=3).contains(&node), "v{version}");
        assert_eq!(response.error_code, 0);
        tester
            .cluster
            .push_errors(ApiKey::FindCoordinator, &[ErrorCode::COORDINATOR_LOAD_IN_PROGRESS]);
        let response: FindCoordinatorResponse =
            tester.call(1, ApiKey::FindCoordinator, version, &request);
        let code = response.coordinators.first().map_or(response.error_code, |c| c.error_code);
        assert_eq!(code, 14);
    }
}

#[test]
fn producer_ids_grow() {
    for version in 0..=5 {
        let mut tester = Tester::new(1);
        let request = InitProducerIdRequest::default().with_transactional_id(None);
        let mut next = || -> InitProducerIdResponse {
            tester.call(1, ApiKey::InitProducerId, version, &request)
        };
        let (first, second) = (next(), next());
        assert_eq!(second.producer_id.0, first.producer_id.0 + 1);
        assert_eq!((first.error_code, first.producer_epoch), (0, 0));
    }
}

#[test]
fn topics_are_created_by_request() {
    for version in 2..=7 {
        let mut tester = Tester::new(3);
        let config = CreatableTopicConfig::default()
            .with_name(text("message.timestamp.type"))
            .with_value(Some(text("LogAppendTime")));
        let topic = |name: &str, partitions, replication| {
            CreatableTopic::default()
                .with_name(TopicName(text(name)))
                .with_num_partitions(partitions)
                .with_replication_factor(replication)
        };
        let topics =
            vec![topic("a", 2, 3).with_configs(vec![config]), topic("b", 1, 4), topic("a", 1, 1)];
        let request = CreateTopicsRequest::default().with_topics(topics);
        let response: CreateTopicsResponse =
            tester.call(1, ApiKey::CreateTopics, version, &request);
        let codes: Vec<i16> = response.topics.iter().map(|row| row.error_code).collect();
        assert_eq!(codes, [0, 38, 36], "v{version}");
        assert_eq!(tester.cluster.partition_count("a").unwrap(), 2);
        let settings = TopicSettings { log_append_time: true, ..Default::default() };
        assert_eq!(tester.cluster.topic_settings("a").unwrap(), settings);
    }
}

#[test]
fn answers_can_be_late_throttled_or_missing() {
    let mut tester = Tester::new(2);
    let request = MetadataRequest::default();
    let mut ask = |cluster: &mut dyn FnMut(&mut Cluster)| {
        cluster(&mut tester.cluster);
        tester.ask(1, ApiKey::Metadata, 9, &request)
    };
    let at = |reply: Reply| match reply {
        Reply::Respond { not_before, .. } => not_before.as_ms(),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(ask(&mut |_| {})), 1000);
    assert_eq!(at(ask(&mut |cluster| cluster.set_round_trip_ms(1, 30))), 1030);
    let late = [Fault::DelayMs(5), Fault::Silence];
    assert_eq!(at(ask(&mut |c| c.push_faults(Some(1), ApiKey::Metadata, &late))), 1035);
    assert_eq!(ask(&mut |_| {}), Reply::None);
    tester.cluster.throttle_next(ApiKey::Metadata, 1, 250);
    for expected in [250, 0] {
        let response: MetadataResponse = tester.call(1, ApiKey::Metadata, 9, &request);
        assert_eq!(response.throttle_time_ms, expected);
    }
}

#[test]
fn every_version_can_express_a_refusal_and_a_throttle() {
    fn each<Q: crate::protocol::Encodable>(key: ApiKey, versions: &[i16], request: &Q) {
        for version in versions[0]..=versions[1] {
            let mut tester = Tester::with_topic();
            let faults = [
                Fault::Error(ErrorCode::UNKNOWN_SERVER_ERROR),
                Fault::Error(ErrorCode::TOPIC_AUTHORIZATION_FAILED),
                Fault::ThrottleMs(9),
            ];
            tester.cluster.push_faults(None, key, &faults);
            for _ in 0..=faults.len() {
                let reply = tester.ask(1, key, version, request);
                assert!(matches!(reply, Reply::Respond { .. }), "{key:?} v{version}: {reply:?}");
            }
        }
    }
    let name = || TopicName(text("t"));
    let software = ApiVersionsRequest::default()
        .with_client_software_name(text("x"))
        .with_client_software_version(text("1"));
    each(ApiKey::ApiVersions, &[0, 2], &ApiVersionsRequest::default());
    each(ApiKey::ApiVersions, &[3, 4], &software);
    let request = MetadataRequest::default().with_topics(Some(vec![topic("t"), topic("new")]));
    each(ApiKey::Metadata, &[0, 13], &request);
    each(ApiKey::InitProducerId, &[0, 5], &InitProducerIdRequest::default());
    each(ApiKey::FindCoordinator, &[0, 3], &FindCoordinatorRequest::default());
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("k")]);
    each(ApiKey::FindCoordinator, &[4, 6], &request);
    let topics = vec![CreatableTopic::default().with_name(TopicName(text("n")))];
    each(ApiKey::CreateTopics, &[2, 7], &CreateTopicsRequest::default().with_topics(topics));
    let partitions = vec![FetchPartition::default().with_current_leader_epoch(-1)];
    let topics = vec![FetchTopic::default().with_topic(name()).with_partitions(partitions)];
    each(ApiKey::Fetch, &[4, 12], &FetchRequest::default().with_topics(topics));
    let partitions = vec![ListOffsetsPartition::default().with_current_leader_epoch(-1)];
    let topics = vec![ListOffsetsTopic::default().with_name(name()).with_partitions(partitions)];
    each(ApiKey::ListOffsets, &[1, 7], &ListOffsetsRequest::default().with_topics(topics));
}

#[test]
fn hostile_answers_are_what_was_ordered() {
    let mut tester = Tester::new(1);
    let request = MetadataRequest::default();
    let mut ask = |fault: Option<Fault>| {
        let fault: Vec<Fault> = fault.into_iter().collect();
        tester.cluster.push_faults(None, ApiKey::Metadata, &fault);
        match tester.ask(1, ApiKey::Metadata, 9, &request) {
            Reply::Respond { bytes, .. } => bytes,
            other => panic!("{other:?}"),
        }
    };
    let good = ask(None);
    let garbage = ask(Some(Fault::Garbage));
    assert_eq!((garbage.len(), &garbage[..8]), (good.len(), &good[..8]));
    assert_ne!(garbage, good);
    let cut = ask(Some(Fault::Truncated));
    assert_eq!((cut.len(), cut[3] as usize), (8 + (good.len() - 8) / 2, cut.len() - 4));
    let wrong = ask(Some(Fault::WrongCorrelation));
    assert_ne!(wrong[4..8], good[4..8]);
    assert_eq!(wrong[8..], good[8..]);
    assert_eq!(ask(Some(Fault::InvalidLength))[..4], i32::MAX.to_be_bytes());
    assert_eq!(ask(None), good);
}

#[test]
fn requests_are_counted_and_listed() {
    let mut tester = Tester::new(2);
    let request = MetadataRequest::default();
    tester.ask(1, ApiKey::Metadata, 9, &request);
    tester.cluster.track_requests(true);
    tester.ask(2, ApiKey::Metadata, 4, &request);
    assert_eq!(tester.cluster.request_count(None, ApiKey::Metadata), 2);
    assert_eq!(tester.cluster.request_count(Some(2), ApiKey::Metadata), 1);
    assert_eq!(tester.cluster.request_count(None, ApiKey::Produce), 0);
    let listed = tester.cluster.take_requests();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].broker, listed[0].version, listed[0].peer), (2, 4, PeerId(1)));
    assert_eq!(listed[0].client_id.as_deref(), Some("tester"));
    assert!(tester.cluster.take_requests().is_empty());
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let run = |seed| {
        let mut tester = Tester { cluster: Cluster::new(3, seed), now: Time::ZERO };
        let mut replies = Vec::new();
        let request = MetadataRequest::default().with_topics(Some(vec![topic("t"), topic("u")]));
        replies.push(tester.ask(1, ApiKey::Metadata, 12, &request));
        tester.cluster.push_faults(None, ApiKey::Metadata, &[Fault::Garbage]);
        replies.push(tester.ask(2, ApiKey::Metadata, 12, &request));
        let frame = tester.produce_frame(13, -1, 0, &batch(&[(None, "1")]));
        replies.push(tester.send(1, &frame));
        replies
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn hostile_requests_close_and_never_panic() {
    let mut tester = Tester::with_topic();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut frames = vec![tester.produce_frame(9, -1, 0, &batch(&[(Some("a"), "1")]))];
    frames.push(tester.produce_frame(3, -1, 0, &batch(&[(Some("a"), "1")])));
    for version in [0, 4, 12] {
        let request = MetadataRequest::default().with_topics(Some(vec![topic("t")]));
        frames.push(encode_request(ApiKey::Metadata, version, 1, "x", &request).unwrap());
    }
    let topics = vec![CreatableTopic::default().with_name(TopicName(text("q")))];
    let request = CreateTopicsRequest::default().with_topics(topics);
    frames.push(encode_request(ApiKey::CreateTopics, 5, 1, "x", &request).unwrap());
    for _ in 0..20_000 {
        let mut bytes = frames[rng.usize(..frames.len())].slice(4..).to_vec();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..bytes.len());
            bytes[at] = if rng.bool() { 0xff } else { rng.u8(..) };
        }
        bytes.truncate(rng.usize(..=bytes.len() * 2).min(bytes.len()));
        tester.cluster.handle_request(1, PeerId(1), bytes.into(), tester.now);
    }
    for bytes in [&b""[..], b"1234567", &[0xff; 64], &[0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff]] {
        let reply = tester.cluster.handle_request(1, PeerId(1), bytes.to_vec().into(), tester.now);
        assert_eq!(reply, Reply::CloseConnection);
    }
    // A claim of 2^31 - 1 topics in ten bytes.
    let mut claim = encode_request(ApiKey::Metadata, 1, 1, "x", &MetadataRequest::default());
    let mut claim = claim.as_mut().unwrap().to_vec();
    let end = claim.len() - 4;
    claim[end..].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(tester.send(1, &claim.into()), Reply::CloseConnection);
}
