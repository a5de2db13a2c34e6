//! Tests of splitting a batch.

use super::*;
use crate::accumulator::admission::Admission;
use crate::accumulator::batch::{AppendContext, BatchLimits, BatchName, OpenBatch, Room};
use crate::accumulator::topic::Slot;
use crate::delivery::{Delivery, Door};
use crate::metadata::NodeId;
use crate::record::compress::Compression;
use crate::record::{batches, encode_batch_header, Header, ProducerIdentity, Record};
use crate::time::Time;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
struct Plain {
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn plain(value: Vec<u8>) -> Plain {
    Plain { timestamp_ms: 5, key: None, value: Some(value), headers: Vec::new() }
}

struct Bench {
    pool: Arc<Pool>,
    delivery: Arc<Delivery>,
    compression: TopicCompression,
}

impl Bench {
    fn new(memory: usize) -> Bench {
        let delivery = Delivery::open(Door::Poll, "test").unwrap();
        let compression = TopicCompression::new(Compression::NONE);
        Bench { pool: Pool::new(memory), delivery, compression }
    }

    fn split(&self, batch: Batch) -> std::result::Result<Vec<Batch>, SplitFailure> {
        split(batch, &self.pool, &self.compression, &mut Workbench::default())
    }

    /// One sealed batch of these records; tokens count from 0.
    fn batch(&self, records: &[Plain]) -> Batch {
        let name = BatchName { topic: 1, partition: 2, slot: Slot(3), ordinal: 40 };
        let limits =
            BatchLimits { batch_size_bytes: 1 << 30, batch_records_max: u32::MAX, timed: true };
        let now = Time::from_ms(77);
        let admission = Admission::default();
        let context = AppendContext {
            limits: &limits,
            pool: &self.pool,
            delivery: &self.delivery,
            parked: None,
            admission: &admission,
            now: &|| now,
        };
        let mut open = OpenBatch::new(name, &context, &self.compression, 0);
        for (token, record) in records.iter().enumerate() {
            let headers: Vec<Header<'_>> = record
                .headers
                .iter()
                .map(|(key, value)| Header { key, value: value.as_deref() })
                .collect();
            let fields = Record {
                timestamp_ms: record.timestamp_ms,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &headers,
            };
            let room = open.append(&fields, token as u64, &self.pool, Taker::Caller);
            assert_eq!(room, Room::Appended);
        }
        let mut batch = open.seal(&self.pool);
        batch.attempts = 2;
        batch.maybe_stored = true;
        batch.last_node = Some(NodeId(1));
        batch.retry_at = Time::from_ms(500);
        batch.payload_crc = Some(batch.payload.crc32c());
        batch
    }
}

fn read(batch: &Batch) -> Vec<Plain> {
    let payload = batch.payload.to_vec();
    let crc = batch.payload.crc32c();
    let identity = ProducerIdentity::NONE;
    let header = encode_batch_header(&batch.summary, &identity, payload.len(), crc).unwrap();
    let bytes = [&header[..], &payload].concat();
    let view = batches(&bytes).next().unwrap().unwrap();
    let own = |bytes: &[u8]| bytes.to_vec();
    view.records()
        .enumerate()
        .map(|(index, record)| {
            let record = record.unwrap();
            assert_eq!(record.offset, index as i64, "offsets begin anew");
            let record = record.as_record();
            Plain {
                timestamp_ms: record.timestamp_ms,
                key: record.key.map(own),
                value: record.value.map(own),
                headers: record
                    .headers
                    .iter()
                    .map(|header| (header.key.to_string(), header.value.map(own)))
                    .collect(),
            }
        })
        .collect()
}

/// Splits until only single records are left; checks every part against its parent.
fn split_to_the_end(bench: &Bench, records: &[Plain]) {
    let mut waiting = vec![(bench.batch(records), 0usize)];
    let mut singles = Vec::new();
    let mut rounds = 0;
    while let Some((batch, first)) = waiting.pop() {
        rounds += 1;
        assert!(rounds <= 2 * records.len() + 1, "it ends");
        let (bytes, count) = (batch.bytes(), batch.count() as usize);
        if count == 1 {
            assert!(matches!(bench.split(batch), Err(SplitFailure::Impossible(_))));
            singles.push(first);
            continue;
        }
        let parts = bench.split(batch).unwrap();
        assert!(parts.len() >= 2);
        let mut at = first;
        for part in parts {
            let here = part.count() as usize;
            assert!(here == 1 || part.bytes() <= bytes.div_ceil(2), "no larger than half");
            assert_eq!(read(&part), records[at..at + here]);
            let promises = part.promises.as_ref().unwrap();
            let tokens: Vec<u64> = (at as u64..(at + here) as u64).collect();
            assert_eq!(promises.tokens(), tokens);
            assert_eq!(part.name.ordinal, 40 + at as u64);
            assert_eq!((part.created, part.attempts), (Time::from_ms(77), 2));
            assert!(part.maybe_stored && part.payload_crc.is_none());
            assert_eq!((part.retry_at, part.last_node), (Time::ZERO, None));
            waiting.push((part, at));
            at += here;
        }
        assert_eq!(at, first + count);
    }
    singles.sort_unstable();
    assert_eq!(singles, (0..records.len()).collect::<Vec<_>>());
}

/// Every record reported once with its own timestamp, and every byte of memory home.
fn check_the_end(bench: &Bench, records: &[Plain]) {
    let mut seen = Vec::new();
    bench.delivery.poll(Duration::ZERO, &mut |report, _| {
        for (index, &token) in report.tokens.iter().enumerate() {
            assert_eq!(report.timestamp_ms(index), records[token as usize].timestamp_ms);
            seen.push(token);
        }
        report.count()
    });
    seen.sort_unstable();
    assert_eq!(seen, (0..records.len() as u64).collect::<Vec<_>>());
    assert_eq!(bench.pool.available_bytes(), bench.pool.total_bytes());
    assert_eq!(bench.delivery.outstanding().count(), 0);
}

#[test]
fn halves_of_halves_keep_order_headers_timestamps_deadline_and_promises() {
    let records: Vec<Plain> = (0..100)
        .map(|n| Plain {
            timestamp_ms: 1_000 - n,
            key: (n % 3 == 0).then(|| n.to_string().into_bytes()),
            value: (n % 5 != 0).then(|| vec![n as u8; 100 * n as usize]),
            headers: vec![("å".repeat(n as usize % 4), Some(vec![])), (String::new(), None)],
        })
        .collect();
    let bench = Bench::new(8 << 20);
    split_to_the_end(&bench, &records);
    check_the_end(&bench, &records);
}

#[test]
fn records_that_straddle_chunks_come_out_whole() {
    for size in [1000, 1024, 5000, 70_000, 200_000] {
        let records: Vec<Plain> = (0..4).map(|n| plain(vec![n; size])).collect();
        let bench = Bench::new(32 << 20);
        split_to_the_end(&bench, &records);
        check_the_end(&bench, &records);
    }
}

#[test]
fn a_payload_that_a_request_still_reads_is_left_alone() {
    let records = [plain(vec![1; 100]), plain(vec![2; 100])];
    let bench = Bench::new(1 << 20);
    let batch = bench.batch(&records);
    let reader = batch.payload.clone();
    let Err(SplitFailure::NotNow(batch)) = bench.split(batch) else {
        panic!("it was split");
    };
    assert_eq!(read(&batch), records);
    assert!(batch.payload_crc.is_some() && batch.promises.is_some());
    drop(reader);
    assert_eq!(bench.split(*batch).unwrap().len(), 2);
    check_the_end(&bench, &records);
}

#[test]
#[cfg_attr(miri, ignore = "megabytes take minutes there")]
fn a_split_needs_no_memory_that_callers_could_take() {
    let records: Vec<Plain> = (0..40).map(|n| plain(vec![n; 20_000])).collect();
    let bench = Bench::new(4 << 20);
    let batch = bench.batch(&records);
    let free = bench.pool.caller_limit_bytes() + bench.pool.available_bytes() - (4 << 20);
    let rest = Needs { counted_bytes: free, ..Needs::default() };
    assert!(bench.pool.try_take(&rest, Taker::Caller, &mut Vec::new()));
    let parts = bench.split(batch).unwrap();
    let all: Vec<Plain> = parts.iter().flat_map(read).collect();
    assert_eq!(all, records);
    drop(parts);
    bench.pool.release(&mut Vec::new(), free);
    check_the_end(&bench, &records);
}

#[test]
fn without_memory_the_batch_stays_whole_and_is_split_when_some_came_back() {
    let records: Vec<Plain> = (0..20).map(|n| plain(vec![n; 2_000])).collect();
    let bench = Bench::new(128 << 10);
    let batch = bench.batch(&records);
    let rest = Needs { counted_bytes: bench.pool.available_bytes(), ..Needs::default() };
    assert!(bench.pool.try_take(&rest, Taker::Sender, &mut Vec::new()));
    let Err(SplitFailure::NotNow(batch)) = bench.split(batch) else {
        panic!("it was split without memory");
    };
    assert_eq!(read(&batch), records);
    bench.pool.release(&mut Vec::new(), rest.counted_bytes);
    let parts = bench.split(*batch).unwrap();
    assert_eq!(parts.iter().flat_map(read).collect::<Vec<_>>(), records);
    drop(parts);
    check_the_end(&bench, &records);
}

#[test]
#[cfg_attr(miri, ignore = "megabytes take minutes there")]
fn pools_of_any_size_that_callers_filled_let_a_batch_be_split() {
    for memory in [64 << 10, 256 << 10, 512 << 10, 4 << 20] {
        for count in [2, 3, 7, 30] {
            let size = memory / 4 / count;
            let records: Vec<Plain> = (0..count).map(|n| plain(vec![n as u8; size])).collect();
            let bench = Bench::new(memory);
            let batch = bench.batch(&records);
            let reserve = memory - bench.pool.caller_limit_bytes();
            let free = bench.pool.available_bytes() - reserve;
            let rest = Needs { counted_bytes: free, ..Needs::default() };
            assert!(bench.pool.try_take(&rest, Taker::Caller, &mut Vec::new()));
            let parts = bench.split(batch).unwrap();
            assert_eq!(parts.iter().flat_map(read).collect::<Vec<_>>(), records);
            drop(parts);
            bench.pool.release(&mut Vec::new(), free);
            check_the_end(&bench, &records);
        }
    }
}

fn plains() -> impl Strategy<Value = Plain> {
    let bytes = |most: usize| proptest::option::of(proptest::collection::vec(any::<u8>(), 0..most));
    let headers = proptest::collection::vec(("[a-zå]{0,6}", bytes(9)), 0..3);
    (0..1_000_000i64, bytes(40), bytes(6000), headers)
        .prop_map(|(timestamp_ms, key, value, headers)| Plain { timestamp_ms, key, value, headers })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 48 })
    })]

    #[test]
    fn any_batch_splits_down_to_its_records(
        records in proptest::collection::vec(plains(), 1..30),
    ) {
        let bench = Bench::new(4 << 20);
        split_to_the_end(&bench, &records);
        check_the_end(&bench, &records);
    }
}
