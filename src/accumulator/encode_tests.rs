//! Tests of compressing a sealed batch: nothing is lost, the checksum is right, memory is accounted for.

use super::*;
use crate::accumulator::admission::Admission;
use crate::accumulator::append::Outgoing;
use crate::accumulator::batch::{AppendContext, Batch, BatchLimits, OpenBatch, Room};
use crate::accumulator::partition::{Appended, Chosen, Partition};
use crate::accumulator::pool::{Needs, Taker};
use crate::accumulator::split::{split, SplitFailure};
use crate::accumulator::topic::TopicId;
use crate::delivery::{Delivery, Door};
use crate::record::{
    encode_batch_header, encode_wrapper_header, entries, Codec, ProducerIdentity, Record,
};
use std::cell::Cell;
use std::time::Duration;

const CODECS: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

pub struct Bench {
    pub pool: Arc<Pool>,
    pub delivery: Arc<Delivery>,
    pub limits: BatchLimits,
    pub admission: Admission,
    pub partition: Partition,
    pub tools: Workbench,
}

impl Bench {
    pub fn new(memory: usize, batch_size_bytes: usize, compression: Compression) -> Bench {
        let mut partition = Partition::new(7, 3, Slot(9));
        partition.compression = TopicCompression::new(compression);
        Bench {
            pool: Pool::new(memory),
            delivery: Delivery::open(Door::Poll, "test").unwrap(),
            limits: BatchLimits { batch_size_bytes, batch_records_max: u32::MAX, timed: false },
            admission: Admission::default(),
            partition,
            tools: Workbench::default(),
        }
    }

    pub fn append(&self, value: &[u8]) -> Appended {
        self.append_chosen(value, &())
    }

    pub fn append_chosen(&self, value: &[u8], chosen: &impl Chosen) -> Appended {
        self.append_record(Record { timestamp_ms: 5, ..Record::value(value) }, chosen)
    }

    pub fn append_record(&self, record: Record<'_>, chosen: &impl Chosen) -> Appended {
        let outgoing = Outgoing { topic: TopicId(7), partition: 3, record, token: 1 };
        self.partition.append(&outgoing, &self.context(), Taker::Caller, chosen)
    }

    fn context(&self) -> AppendContext<'_> {
        AppendContext {
            limits: &self.limits,
            pool: &self.pool,
            delivery: &self.delivery,
            parked: None,
            admission: &self.admission,
            now: &|| Time::from_ms(1),
        }
    }

    pub fn jobs(&self) -> Vec<EncodeJob> {
        self.partition.start_encoding(&self.pool, true, Magic::V2).jobs
    }

    pub fn run(&mut self, job: EncodeJob) {
        let ordinal = job.ordinal;
        let encoded = encode(job, &self.pool, &mut self.tools).unwrap();
        assert!(self.partition.finish_encoding(ordinal, encoded));
    }

    pub fn take(&self) -> Batch {
        self.partition.take(&self.pool, usize::MAX, true).unwrap()
    }

    pub fn finish(&self, mut batch: Batch) {
        batch.promises.take().unwrap().hand_over();
    }
}

fn wire(batch: &Batch) -> Vec<u8> {
    let payload = batch.payload.to_vec();
    let crc = batch.payload_crc.unwrap();
    match (batch.summary.magic, batch.summary.codec) {
        (Magic::V2, _) => {}
        (_, Codec::None) => return payload,
        _ => {
            let header = encode_wrapper_header(&batch.summary, payload.len(), crc).unwrap();
            return [header.as_ref(), &payload].concat();
        }
    }
    let identity = ProducerIdentity::NONE;
    let header = encode_batch_header(&batch.summary, &identity, payload.len(), crc).unwrap();
    [&header[..], &payload].concat()
}

pub fn values(batch: &Batch) -> Vec<Vec<u8>> {
    let bytes = wire(batch);
    let mut values = Vec::new();
    for (entry, index) in entries(&bytes).zip(0..) {
        let entry = entry.unwrap();
        assert_eq!(entry.magic(), batch.summary.magic);
        entry.verify_crc().unwrap();
        let unpacked = entry.unpack(1 << 26).unwrap();
        for record in unpacked.records() {
            let record = record.unwrap();
            assert!(record.offset == values.len() as i64 && index <= record.offset);
            assert_eq!(record.timestamp_ms, if entry.magic() == Magic::V0 { -1 } else { 5 });
            values.push(record.value.unwrap().to_vec());
        }
    }
    values
}

/// Half of it comes again, half is new.
pub fn value(n: u32, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(u64::from(n));
    (0..bytes).map(|at| if at % 16 < 8 { b'x' } else { random.u8(..) }).collect()
}

#[test]
fn every_codec_compresses_what_was_appended() {
    for codec in CODECS {
        let mut bench = Bench::new(1 << 20, 1 << 20, Compression::new(codec));
        for n in 0..800 {
            assert!(matches!(bench.append(&value(n, 150)), Appended::Done { .. }));
        }
        for job in bench.jobs() {
            bench.run(job);
        }
        let batch = bench.take();
        assert_eq!(batch.summary.codec, codec);
        assert!(batch.bytes() < batch.plain_bytes * 3 / 4, "{codec}: {}", batch.bytes());
        let expected: Vec<Vec<u8>> = (0..800).map(|n| value(n, 150)).collect();
        assert!(values(&batch) == expected, "{codec}");
        assert!(bench.partition.compression.ratio.get() < 1.0);
        bench.finish(batch);
        assert_eq!(bench.pool.available_bytes(), 1 << 20, "{codec}: all memory is back");
    }
}

#[test]
fn a_batch_that_grows_needs_no_memory_that_it_does_not_have() {
    let noise = |bytes| -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(5);
        (0..bytes).map(|_| random.u8(..)).collect()
    };
    for compression in CODECS.map(Compression::new).into_iter().chain([
        Compression::with_level(Codec::Gzip, 1),
        Compression::with_level(Codec::Gzip, 0),
        Compression::with_level(Codec::Zstd, -1000),
    ]) {
        for bytes in [1, 900, 5000, 70_000] {
            let mut bench = Bench::new(1 << 20, 1 << 20, compression);
            bench.append(&noise(bytes));
            bench.append(&noise(bytes));
            let jobs = bench.jobs();
            // Nothing is left to be had, of the reserve neither.
            let all = Needs { counted_bytes: bench.pool.available_bytes(), ..Needs::default() };
            assert!(bench.pool.try_take(&all, Taker::Sender, &mut Vec::new()));
            for job in jobs {
                bench.run(job);
            }
            let batch = bench.take();
            assert_eq!(values(&batch), [noise(bytes), noise(bytes)]);
            bench.finish(batch);
            bench.pool.release(&mut Vec::new(), all.counted_bytes);
            assert_eq!(bench.pool.available_bytes(), 1 << 20);
        }
    }
}

#[test]
fn batches_keep_their_order_whichever_is_done_first() {
    let mut bench = Bench::new(1 << 20, 1000, Compression::new(Codec::Lz4));
    for n in 0..12 {
        bench.append(&value(n, 400));
    }
    let mut jobs = bench.jobs();
    jobs.extend(bench.jobs());
    assert!(jobs.len() > 2);
    assert!(bench.jobs().is_empty(), "what is away does not go again");
    let waiting = bench.partition.head().unwrap();
    assert!(waiting.sealed && !waiting.encoded);
    while let Some(job) = jobs.pop() {
        bench.run(job);
    }
    assert!(bench.partition.head().unwrap().encoded);
    let mut seen = Vec::new();
    while bench.partition.head().is_some_and(|head| head.encoded) {
        let batch = bench.take();
        seen.extend(values(&batch));
        bench.finish(batch);
    }
    let expected: Vec<Vec<u8>> = (0..seen.len() as u32).map(|n| value(n, 400)).collect();
    assert!(seen == expected && seen.len() > 8);
}

#[test]
fn what_was_failed_meanwhile_is_not_brought_back() {
    let mut bench = Bench::new(1 << 20, 10_000, Compression::new(Codec::Zstd));
    bench.append(&value(1, 400));
    let job = bench.jobs().remove(0);
    let expired =
        bench.partition.take_expired(&bench.pool, Duration::from_millis(5), Time::from_ms(10));
    assert_eq!(expired.len(), 1);
    let ordinal = job.ordinal;
    let encoded = encode(job, &bench.pool, &mut bench.tools).unwrap();
    assert!(!bench.partition.finish_encoding(ordinal, encoded));
    for batch in expired {
        bench.finish(batch);
    }
    assert_eq!(bench.pool.available_bytes(), 1 << 20);
}

#[test]
fn a_codec_that_fails_gives_the_batch_and_its_memory_back() {
    let mut bench = Bench::new(1 << 20, 10_000, Compression::new(Codec::Zstd));
    bench.append(&value(1, 400));
    let mut job = bench.jobs().remove(0);
    // No format before the newest knows zstd.
    job.magic = Magic::V1;
    let ordinal = job.ordinal;
    let error = encode(job, &bench.pool, &mut bench.tools).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    // Until the sender takes it: a close that looks meanwhile must find something left to wait for.
    assert!(bench.partition.head().is_some());
    let batch = bench.partition.take_unencoded(ordinal).unwrap();
    assert!(bench.partition.take_unencoded(ordinal).is_none());
    assert_eq!(bench.partition.queued_batches(), 0);
    bench.finish(batch);
    assert_eq!(bench.pool.available_bytes(), 1 << 20);
}

/// Bytes of the sort that grows most under Snappy: a new literal of 61 bytes, then four bytes from far back.
fn grows_under_snappy(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let far: Vec<[u8; 4]> = (0..64).map(|_| random.u32(..).to_be_bytes()).collect();
    let mut made = Vec::with_capacity(bytes);
    for number in 0.. {
        made.extend((0..61).map(|_| random.u8(..)));
        made.extend(far[number % far.len()]);
        if made.len() >= bytes {
            break;
        }
    }
    made.truncate(bytes);
    made
}

#[test]
fn what_grows_most_is_paid_for() {
    let value = grows_under_snappy(400_000);
    for codec in CODECS {
        let mut bench = Bench::new(4 << 20, 1 << 20, Compression::new(codec));
        bench.append(&value);
        let job = bench.jobs().remove(0);
        bench.run(job);
        let batch = bench.take();
        bench.finish(batch);
        assert_eq!(bench.pool.available_bytes(), 4 << 20, "{codec}");
    }
}

#[test]
fn compressed_batches_are_split_until_each_record_is_alone() {
    for codec in CODECS {
        let mut bench = Bench::new(1 << 20, 1 << 20, Compression::new(codec));
        for n in 0..20 {
            bench.append(&value(n, 300 + 40 * n as usize));
        }
        for job in bench.jobs() {
            bench.run(job);
        }
        let mut batches = vec![bench.take()];
        let mut singles = Vec::new();
        while let Some(batch) = batches.pop() {
            let compression = bench.partition.compression.clone();
            match split(batch, &bench.pool, &compression, &mut bench.tools) {
                Ok(parts) => {
                    assert!(parts.iter().all(|part| part.summary.codec == codec));
                    batches.extend(parts.into_iter().rev());
                }
                Err(SplitFailure::Impossible(single)) => singles.push(*single),
                Err(SplitFailure::NotNow(_)) => panic!("nobody else reads it"),
            }
        }
        let ordinals: Vec<u64> = singles.iter().map(|batch| batch.name.ordinal).collect();
        assert_eq!(ordinals, (0..20).collect::<Vec<u64>>());
        for (n, single) in singles.into_iter().enumerate() {
            assert_eq!(values(&single), [value(n as u32, 300 + 40 * n)]);
            bench.finish(single);
        }
        assert!(bench.partition.compression.ratio.get() > 0.9, "it is not trusted any more");
        assert_eq!(bench.pool.available_bytes(), 1 << 20, "{codec}");
    }
}

/// What was converted for an old leader stays in its format when that leader finds it too large.
#[test]
fn parts_keep_the_format_and_the_codec_of_the_whole() {
    for magic in [Magic::V0, Magic::V1, Magic::V2] {
        for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            if !codec.fits(magic) {
                continue;
            }
            let mut bench = Bench::new(4 << 20, 1 << 20, Compression::new(codec));
            (0..60).for_each(|n| {
                assert!(matches!(bench.append(&value(n, 900)), Appended::Done { .. }))
            });
            let mut batch = bench.take();
            if codec == Codec::None {
                batch.payload_crc = Some(batch.payload.crc32c());
            }
            batch.stale = codec == Codec::None;
            bench.partition.put_back(batch);
            for job in bench.partition.start_encoding(&bench.pool, true, magic).jobs {
                bench.run(job);
            }
            let compression = bench.partition.compression.clone();
            let whole = bench.take();
            let parts = split(whole, &bench.pool, &compression, &mut bench.tools).unwrap();
            assert!(parts.len() > 1);
            let mut found = Vec::new();
            for mut part in parts {
                assert_eq!((part.summary.magic, part.summary.codec), (magic, codec));
                part.payload_crc.get_or_insert_with(|| part.payload.crc32c());
                found.extend(values(&part));
                bench.finish(part);
            }
            assert!(found.into_iter().eq((0..60).map(|n| value(n, 900))), "{magic:?} {codec}");
            assert_eq!(bench.pool.available_bytes(), 4 << 20);
        }
    }
}

/// Its plain bytes are many times what there is.
#[test]
fn a_compressed_batch_is_split_beside_a_pool_that_callers_filled() {
    for codec in CODECS {
        for memory in [256 << 10, 2 << 20] {
            let mut bench = Bench::new(memory, 1 << 30, Compression::new(codec));
            let (count, size) = (40, memory / 80);
            for n in 0..count {
                bench.append(&value(n, size));
            }
            for job in bench.jobs() {
                bench.run(job);
            }
            let batch = bench.take();
            let reserve = memory - bench.pool.caller_limit_bytes();
            let free = bench.pool.available_bytes() - reserve;
            let rest = Needs { counted_bytes: free, ..Needs::default() };
            assert!(bench.pool.try_take(&rest, Taker::Caller, &mut Vec::new()));
            let compression = bench.partition.compression.clone();
            let parts = split(batch, &bench.pool, &compression, &mut bench.tools).unwrap();
            let found: Vec<Vec<u8>> = parts.iter().flat_map(values).collect();
            let expected: Vec<Vec<u8>> = (0..count).map(|n| value(n, size)).collect();
            assert!(found == expected, "{codec} {memory}");
            parts.into_iter().for_each(|part| bench.finish(part));
            bench.pool.release(&mut Vec::new(), free);
            assert_eq!(bench.pool.available_bytes(), memory, "{codec}");
        }
    }
}

/// Upstream's bound: for every mix of records that compress well and badly, fewer than a tenth of the batches
/// come out larger than `batch.size` (`RecordAccumulatorTest.testSplitFrequency`).
#[test]
fn few_batches_come_out_larger_than_they_may_be() {
    for good_percent in (1..100).step_by(14) {
        let mut bench = Bench::new(4 << 20, 1024, Compression::new(Codec::Gzip));
        let mut random = fastrand::Rng::with_seed(good_percent);
        let (mut count, mut large) = (0, 0);
        for n in 0..3000 {
            let value = if random.u64(0..100) < good_percent {
                vec![b'a'; 100]
            } else {
                value(n, 0).into_iter().chain((0..100).map(|_| random.u8(..))).collect()
            };
            bench.append(&value);
            for job in bench.partition.start_encoding(&bench.pool, false, Magic::V2).jobs {
                bench.run(job);
                let batch = bench.take();
                count += 1;
                large += usize::from(batch.bytes() > 1024 + crate::record::BATCH_HEADER_BYTES);
                bench.finish(batch);
            }
        }
        assert!(count > 50 && large * 10 < count, "{good_percent} % good: {large} of {count}");
    }
}

#[test]
fn the_room_of_an_open_batch_follows_what_was_learnt() {
    let bench = Bench::new(1 << 20, 10_000, Compression::new(Codec::Lz4));
    let records = |ratio: f32| {
        let learnt = TopicCompression::new(Compression::new(Codec::Lz4));
        learnt.ratio.reset(ratio);
        if ratio < 1.0 {
            (0..1000).for_each(|_| learnt.ratio.observe(ratio));
        }
        let name = crate::accumulator::batch::BatchName {
            topic: 1,
            partition: 0,
            slot: Slot(0),
            ordinal: 0,
        };
        let mut open = OpenBatch::new(name, &bench.context(), &learnt, 0);
        let mut count = 0;
        while open.append(&Record::value(&[7; 90]), 1, &bench.pool, Taker::Caller) == Room::Appended
        {
            count += 1;
        }
        bench.finish(open.seal(&bench.pool));
        count
    };
    let (whole, half) = (records(1.0), records(0.5));
    assert!(half > whole * 19 / 10, "{whole} and {half}");
}

/// What a choice of partition was told of the bytes that its records take.
#[derive(Default)]
struct Counted(Cell<usize>);

impl Chosen for Counted {
    fn took(&self, bytes: usize, _: bool) {
        self.0.set(self.0.get() + bytes);
    }
}

#[test]
fn a_sticky_partition_counts_what_its_records_will_take_on_the_wire() {
    // Else it would be left after batch.size plain bytes, and its batches never fill.
    let bench = Bench::new(1 << 20, 100_000, Compression::new(CODECS[0]));
    let plain = Counted::default();
    for _ in 0..10 {
        bench.append_chosen(&[b'x'; 1000], &plain);
    }
    assert!(plain.0.get() > 10_000, "nothing is known of the ratio yet");
    let bench = Bench::new(1 << 20, 100_000, Compression::new(CODECS[0]));
    while bench.partition.compression.ratio.get() > 0.1 {
        bench.partition.compression.ratio.observe(0.1);
    }
    let packed = Counted::default();
    for _ in 0..10 {
        bench.append_chosen(&[b'x'; 1000], &packed);
    }
    assert!((1_000..3_000).contains(&packed.0.get()), "{}", packed.0.get());
}
