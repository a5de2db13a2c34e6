//! Tests of Fetch.

use kafka_protocol::messages::fetch_request::FetchTopic;
use kafka_protocol::messages::list_offsets_request::ListOffsetsTopic;
use kafka_protocol::messages::TopicName;

use super::*;
use crate::mock::cluster::Reply;
use crate::mock::testing::{batch, transactional, Tester};
use crate::mock::Retention;
use crate::protocol::{ApiKey, StrBytes};

fn name() -> TopicName {
    TopicName(StrBytes::from_static_str("t"))
}

/// Partition 0 of `t` with three batches of offsets 0-1, 2, 3 at times 100-101, 100, 100.
fn filled() -> Tester {
    let mut tester = Tester::with_topic();
    for records in [&[(None, "a"), (None, "b")][..], &[(None, "c")], &[(None, "d")]] {
        assert_eq!(tester.produce(1, 9, 0, &batch(records)).error_code, 0);
    }
    tester
}

fn fetch_request(offset: i64, max_bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(max_bytes);
    let topic = FetchTopic::default().with_topic(name()).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(500)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic])
}

fn fetch(tester: &mut Tester, broker: i32, version: i16, request: &FetchRequest) -> PartitionData {
    let mut response: FetchResponse = tester.call(broker, ApiKey::Fetch, version, request);
    response.responses.remove(0).partitions.remove(0)
}

fn offsets(row: &PartitionData) -> Vec<i64> {
    let bytes = row.records.as_ref().unwrap();
    let batches = batches(bytes).map(|batch| {
        let batch = batch.unwrap();
        batch.verify_crc().unwrap();
        batch
    });
    let records = batches.flat_map(|batch| batch.records());
    records.map(|record| record.unwrap().offset).collect()
}

fn base_offsets(row: &PartitionData) -> Vec<i64> {
    let bytes = row.records.as_ref().unwrap();
    batches(bytes).map(|batch| batch.unwrap().header().base_offset).collect()
}

#[test]
fn every_version_reads_what_was_produced() {
    for version in 4..=12 {
        let mut tester = filled();
        let row = fetch(&mut tester, 1, version, &fetch_request(1, 1 << 20));
        assert_eq!((row.error_code, row.high_watermark, row.last_stable_offset), (0, 4, 4));
        assert_eq!(offsets(&row), [0, 1, 2, 3], "v{version}: whole batches come");
        let row = fetch(&mut tester, 1, version, &fetch_request(2, 1));
        assert_eq!(offsets(&row), [2], "v{version}: one batch comes, however large");
    }
}

#[test]
fn nothing_to_read_waits_a_little() {
    let mut tester = filled();
    let reply = tester.ask(1, ApiKey::Fetch, 11, &fetch_request(4, 1 << 20));
    let Reply::Respond { not_before, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(not_before, tester.now.plus_ms(MAX_EMPTY_FETCH_MS));
    let reply = tester.ask(1, ApiKey::Fetch, 11, &fetch_request(5, 1 << 20));
    let Reply::Respond { not_before, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(not_before, tester.now, "an error is told at once");
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut tester = filled();
    assert_eq!(fetch(&mut tester, 2, 12, &fetch_request(0, 9)).error_code, 6);
    assert_eq!(fetch(&mut tester, 2, 12, &fetch_request(0, 9)).current_leader.leader_id.0, 1);
    tester.cluster.delete_records("t", 0, 3).unwrap();
    let row = fetch(&mut tester, 1, 12, &fetch_request(2, 9));
    assert_eq!((row.error_code, row.log_start_offset), (1, 3));
    let mut request = fetch_request(3, 1 << 20);
    request.topics[0].partitions[0].current_leader_epoch = 1;
    assert_eq!(fetch(&mut tester, 1, 12, &request).error_code, 75);
    tester.cluster.set_leader("t", 0, Some(1)).unwrap();
    tester.cluster.set_leader("t", 0, Some(1)).unwrap();
    assert_eq!(fetch(&mut tester, 1, 12, &request).error_code, 74);
    request.topics[0].partitions[0].partition = 9;
    assert_eq!(fetch(&mut tester, 1, 12, &request).error_code, 3);
}

#[test]
fn offsets_by_time() {
    for version in 1..=7 {
        let mut tester = filled();
        let mut at = |timestamp_ms: i64| {
            let partition = ListOffsetsPartition::default()
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp_ms);
            let topic =
                ListOffsetsTopic::default().with_name(name()).with_partitions(vec![partition]);
            let request = ListOffsetsRequest::default().with_topics(vec![topic]);
            let response: ListOffsetsResponse =
                tester.call(1, ApiKey::ListOffsets, version, &request);
            let row = &response.topics[0].partitions[0];
            assert_eq!(row.error_code, 0);
            (row.offset, row.timestamp)
        };
        assert_eq!(at(LATEST), (4, -1), "v{version}");
        assert_eq!(at(EARLIEST), (0, -1));
        assert_eq!(at(MAX_TIMESTAMP), (1, 101));
        assert_eq!(at(100), (0, 100));
        assert_eq!(at(101), (1, 101));
        assert_eq!(at(102), (-1, -1));
    }
}

/// Partition 0 of `t`: producer 7 has aborted offset 0 (marker 2) and goes on with 3; producer 8
/// has committed 1 (marker 4); 5 is nobody's.
fn with_transactions() -> Tester {
    use crate::mock::marker::Marker;
    let mut tester = Tester::with_topic();
    tester.cluster.set_api_versions(ApiKey::AddPartitionsToTxn, 0, 3);
    let end = |tester: &mut Tester, producer_id, commit| {
        let marker = Marker {
            producer_id,
            producer_epoch: 0,
            commit,
            coordinator_epoch: 0,
            timestamp_ms: 100,
        };
        let partition = tester.cluster.partition_mut("t", 0).unwrap();
        partition.append_marker(&marker, Retention::All, tester.now).unwrap();
    };
    let write = |tester: &mut Tester, id, first| {
        let answer = tester.produce_in(Some("x"), 9, 0, &transactional(id, 0, first, 1));
        assert_eq!(answer.error_code, 0);
    };
    write(&mut tester, 7, 0);
    write(&mut tester, 8, 0);
    end(&mut tester, 7, false);
    write(&mut tester, 7, 1);
    end(&mut tester, 8, true);
    assert_eq!(tester.produce(1, 9, 0, &batch(&[(None, "5")])).error_code, 0);
    tester
}

fn committed(offset: i64) -> FetchRequest {
    fetch_request(offset, 1 << 20).with_isolation_level(1)
}

#[test]
fn read_committed_ends_before_the_first_open_transaction_and_names_the_aborted() {
    for version in 4..=12 {
        let mut tester = with_transactions();
        let row = fetch(&mut tester, 1, version, &committed(0));
        assert_eq!((row.high_watermark, row.last_stable_offset), (6, 3), "v{version}");
        assert_eq!(base_offsets(&row), [0, 1, 2]);
        let aborted = row.aborted_transactions.unwrap();
        let aborted: Vec<_> = aborted.iter().map(|a| (a.producer_id.0, a.first_offset)).collect();
        assert_eq!(aborted, [(7, 0)]);
        let row = fetch(&mut tester, 1, version, &committed(4));
        assert_eq!((row.error_code, base_offsets(&row)), (0, vec![]));
        let row = fetch(&mut tester, 1, version, &fetch_request(0, 1 << 20));
        assert_eq!((row.high_watermark, row.last_stable_offset), (6, 3));
        assert_eq!(base_offsets(&row), [0, 1, 2, 3, 4, 5]);
        assert_eq!(row.aborted_transactions, None, "a reader of everything need not know");
    }
}

#[test]
fn only_what_was_aborted_among_the_records_is_named() {
    let mut tester = with_transactions();
    let mut aborted = |request: &FetchRequest| {
        let row = fetch(&mut tester, 1, 11, request);
        row.aborted_transactions.unwrap().len()
    };
    assert_eq!(aborted(&committed(2)), 1, "its marker is yet to come");
    assert_eq!(aborted(&committed(3)), 0);
    let mut first_batch_only = committed(1);
    first_batch_only.topics[0].partitions[0].partition_max_bytes = 1;
    assert_eq!(aborted(&first_batch_only), 1, "it began before and has not ended here");
}

#[test]
fn the_latest_offset_depends_on_the_isolation() {
    for version in 2..=7 {
        let mut tester = with_transactions();
        let mut latest = |level| {
            let partition = ListOffsetsPartition::default()
                .with_current_leader_epoch(-1)
                .with_timestamp(LATEST);
            let topic =
                ListOffsetsTopic::default().with_name(name()).with_partitions(vec![partition]);
            let request =
                ListOffsetsRequest::default().with_isolation_level(level).with_topics(vec![topic]);
            let response: ListOffsetsResponse =
                tester.call(1, ApiKey::ListOffsets, version, &request);
            response.topics[0].partitions[0].offset
        };
        assert_eq!((latest(0), latest(1)), (6, 3), "v{version}");
    }
}

#[test]
fn tests_read_back_in_either_isolation() {
    let mut tester = with_transactions();
    let read = |tester: &Tester, isolation| -> Vec<i64> {
        let records = tester.cluster.records_isolated("t", 0, isolation).unwrap();
        records.iter().map(|record| record.offset).collect()
    };
    assert_eq!(read(&tester, Isolation::ReadUncommitted), [0, 1, 3, 5], "without markers");
    assert_eq!(read(&tester, Isolation::ReadCommitted), [1]);
    assert_eq!(tester.cluster.records("t", 0).unwrap().len(), 4);
    assert_eq!(tester.cluster.last_stable_offset("t", 0).unwrap(), 3);
    tester.cluster.delete_records("t", 0, 4).unwrap();
    assert_eq!(tester.cluster.last_stable_offset("t", 0).unwrap(), 4, "never before the start");
    assert_eq!(read(&tester, Isolation::ReadUncommitted), [5]);
    assert!(read(&tester, Isolation::ReadCommitted).is_empty());
}
