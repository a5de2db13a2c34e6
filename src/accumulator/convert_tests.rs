//! Tests of batches that take another format: nothing is lost but what has no place there, and memory is
//! accounted for.

use super::*;
use crate::accumulator::encode::encode;
use crate::accumulator::encode::tests::{value, values, Bench};
use crate::accumulator::partition::Appended;
use crate::record::{Header, Record};

/// To every format that knows the codec, and back to the newest.
#[test]
fn a_batch_takes_the_form_that_its_leader_knows_and_loses_nothing_but_headers() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
        for magic in [Magic::V0, Magic::V1] {
            let mut bench = Bench::new(4 << 20, 1 << 20, Compression::new(codec));
            let expected: Vec<Vec<u8>> = (0..700).map(|n| value(n, 150)).collect();
            expected
                .iter()
                .for_each(|value| assert!(matches!(bench.append(value), Appended::Done { .. })));
            bench.partition.seal_open(&bench.pool);
            let mut forms = vec![Magic::V2, magic, Magic::V2, magic];
            if codec != Codec::None {
                // Compressed at once to what the leader knows.
                forms.push(magic);
            }
            for form in forms {
                let mut batch = bench.take();
                if codec == Codec::None {
                    // As the sender does when it takes a batch.
                    batch.payload_crc.get_or_insert(batch.payload.crc32c());
                }
                batch.stale = true;
                bench.partition.put_back(batch);
                assert!(bench.partition.head().unwrap().stale);
                for job in bench.partition.start_encoding(&bench.pool, true, form).jobs {
                    bench.run(job);
                }
                assert!(!bench.partition.head().unwrap().stale);
                let batch = bench.take();
                assert_eq!((batch.summary.magic, batch.summary.codec), (form, codec));
                if form != Magic::V2 {
                    // The lost timestamps of v0 do not come back.
                    assert_eq!(batch.count(), 700);
                }
                if !(form == Magic::V2 && magic == Magic::V0) {
                    assert!(values(&batch) == expected, "{codec} {form:?}");
                }
                bench.partition.put_back(batch);
            }
            let batch = bench.take();
            bench.finish(batch);
            assert_eq!(bench.pool.available_bytes(), 4 << 20, "{codec}");
        }
    }
}

#[test]
fn headers_that_an_old_format_has_no_place_for_are_counted() {
    let mut bench = Bench::new(1 << 20, 1 << 20, Compression::NONE);
    let headers = [Header { key: "a", value: None }, Header { key: "b", value: Some(b"x") }];
    let record = Record { timestamp_ms: 5, headers: &headers, ..Record::value(b"v") };
    bench.append_record(record, &());
    let mut batch = bench.take();
    batch.stale = true;
    bench.partition.put_back(batch);
    let job = bench.partition.start_encoding(&bench.pool, true, Magic::V1).jobs.remove(0);
    let ordinal = job.ordinal;
    let encoded = encode(job, &bench.pool, &mut bench.tools).unwrap();
    assert_eq!(encoded.headers_dropped, 2);
    assert!(bench.partition.finish_encoding(ordinal, encoded));
    let batch = bench.take();
    assert_eq!(values(&batch), [b"v"]);
    bench.finish(batch);
}

/// A queue of these batches of tiny records, sealed, the first of them stale.
fn stale_queue(bench: &Bench, codec: Codec, batches: u32, records: u32) {
    for n in 0..batches * records {
        bench.append(&[n as u8]);
        if n % records == records - 1 {
            bench.partition.seal_open(&bench.pool);
        }
    }
    let mut batch = bench.take();
    if codec == Codec::None {
        batch.payload_crc = Some(batch.payload.crc32c());
        batch.stale = true;
    }
    bench.partition.put_back(batch);
}

#[test]
fn without_memory_for_a_larger_format_the_first_batch_waits_and_goes_in_parts() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
        let mut bench = Bench::new(1 << 20, 1 << 20, Compression::new(codec));
        stale_queue(&bench, codec, 1, 2000);
        let free = Needs { counted_bytes: bench.pool.available_bytes(), ..Needs::default() };
        assert!(bench.pool.try_take(&free, Taker::Sender, &mut Vec::new()));
        let start = bench.partition.start_encoding(&bench.pool, true, Magic::V1);
        assert!(start.jobs.is_empty() && start.short_of_memory, "{codec}");
        // Room for some.
        let some = if codec == Codec::None { 30_000 } else { 60_000 };
        bench.pool.release(&mut Vec::new(), some);
        let (mut parts, mut rounds) = (Vec::new(), 0);
        while bench.partition.head().is_some() {
            rounds += 1;
            let start = bench.partition.start_encoding(&bench.pool, true, Magic::V1);
            assert!(start.jobs.len() == 1 && !start.short_of_memory, "{codec} {rounds}");
            start.jobs.into_iter().for_each(|job| bench.run(job));
            let batch = bench.take();
            assert_eq!(batch.summary.magic, Magic::V1);
            assert_eq!(batch.promises.as_ref().unwrap().count(), batch.count() as usize);
            parts.extend(values(&batch));
            bench.finish(batch);
            if bench.partition.head().is_some() {
                let mut rest = bench.take();
                assert_eq!(rest.name.ordinal, parts.len() as u64, "{codec}");
                assert!(rest.summary.magic == Magic::V2 && rest.payload_crc.is_some());
                rest.stale = true;
                bench.partition.put_back(rest);
            }
        }
        assert!(parts.into_iter().eq((0..2000u32).map(|n| vec![n as u8])), "{codec}");
        assert!(rounds > 1, "{codec}");
        bench.pool.release(&mut Vec::new(), free.counted_bytes - some);
        assert_eq!(bench.pool.available_bytes(), 1 << 20, "{codec}");
    }
}

#[test]
fn what_records_share_has_room_in_both_parts() {
    let shared: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(500).collect();
    for codec in [Codec::Gzip, Codec::Lz4] {
        let mut bench = Bench::new(4 << 20, 4 << 20, Compression::new(codec));
        for n in 0..4000u32 {
            bench.append(&[&shared[..], &n.to_be_bytes()].concat());
        }
        bench.partition.seal_open(&bench.pool);
        // As brokers of before 0.11 get it, and then compressed in v2.
        let job = bench.partition.start_encoding(&bench.pool, true, Magic::V2).jobs.remove(0);
        bench.run(job);
        let mut batch = bench.take();
        batch.stale = true;
        bench.partition.put_back(batch);
        let free = Needs { counted_bytes: bench.pool.available_bytes(), ..Needs::default() };
        assert!(bench.pool.try_take(&free, Taker::Sender, &mut Vec::new()));
        let (mut released, step) = (0, 300);
        let job = loop {
            let start = bench.partition.start_encoding(&bench.pool, true, Magic::V1);
            if let Some(job) = start.jobs.into_iter().next() {
                break job;
            }
            bench.pool.release(&mut Vec::new(), step);
            released += step;
        };
        // Little is enough for some records; and what it was not enough for is there, too.
        bench.run(job);
        let batch = bench.take();
        assert!(batch.summary.magic == Magic::V1 && batch.count() < 4000, "{codec}");
        assert_eq!(bench.partition.head().map(|rest| rest.ordinal), Some(u64::from(batch.count())));
        bench.finish(batch);
        bench.partition.take_all(&bench.pool).into_iter().for_each(|batch| bench.finish(batch));
        bench.pool.release(&mut Vec::new(), free.counted_bytes - released);
        assert_eq!(bench.pool.available_bytes(), 4 << 20, "{codec}");
    }
}

#[test]
fn only_the_first_batch_may_convert_from_the_senders_reserve() {
    // Else a batch that has to wait for the first one could hold what that one needs.
    let bench = Bench::new(1 << 20, 1 << 20, Compression::new(Codec::Lz4));
    stale_queue(&bench, Codec::Lz4, 3, 300);
    let reserve = (1 << 20) - bench.pool.caller_limit_bytes();
    let free = bench.pool.available_bytes() - reserve;
    let callers = Needs { counted_bytes: free, ..Needs::default() };
    assert!(bench.pool.try_take(&callers, Taker::Caller, &mut Vec::new()));
    let start = bench.partition.start_encoding(&bench.pool, true, Magic::V1);
    let ordinals: Vec<u64> = start.jobs.iter().map(|job| job.ordinal).collect();
    assert_eq!((ordinals, start.short_of_memory), (vec![0], false));
    bench.pool.release(&mut Vec::new(), free);
    let start = bench.partition.start_encoding(&bench.pool, true, Magic::V1);
    let ordinals: Vec<u64> = start.jobs.iter().map(|job| job.ordinal).collect();
    assert_eq!(ordinals, [300, 600]);
    bench.partition.take_all(&bench.pool).into_iter().for_each(|batch| bench.finish(batch));
}
