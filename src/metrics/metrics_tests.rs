//! Checks that nothing counted is lost, that every instrument shows up, and under which names.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[test]
fn nothing_is_lost_between_threads() {
    let metrics = ProducerMetrics::new();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let metrics = &metrics;
            scope.spawn(move || {
                for i in 1..=1000 {
                    metrics.append.records.increment();
                    metrics.buffer.waiting_threads.add(1);
                    metrics.batch.size_bytes.record(thread * 1000 + i);
                    metrics.buffer.waiting_threads.add(-1);
                }
            });
        }
    });
    assert_eq!(metrics.append.records.get(), 4000);
    assert_eq!(metrics.buffer.waiting_threads.get(), 0);
    let sizes = &metrics.batch.size_bytes;
    assert_eq!((sizes.count(), sizes.max(), sizes.sum()), (4000, 4000, 4000 * 4001 / 2));
}

#[test]
fn names_are_unique_and_hold_those_of_java() {
    let snapshot = ProducerMetrics::new().snapshot(Time::ZERO);
    let names: HashSet<&str> = snapshot.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), snapshot.iter().len(), "a name twice");
    for name in [
        "batch-size-avg",
        "batch-size-max",
        "record-queue-time-avg",
        "record-queue-time-max",
        "request-latency-avg",
        "request-latency-max",
        "record-send-total",
        "records-per-request-avg",
        "record-retry-total",
        "record-error-total",
        "record-size-avg",
        "record-size-max",
        "requests-in-flight",
        "metadata-age",
        "batch-split-total",
        "produce-throttle-time-avg",
        "produce-throttle-time-max",
        "waiting-threads",
        "buffer-total-bytes",
        "buffer-available-bytes",
        "bufferpool-wait-time-ns-total",
        "buffer-exhausted-total",
        "metadata-wait-time-ns-total",
        "flush-time-ns-total",
        "connection-count",
        "connection-creation-total",
        "connection-close-total",
        "network-io-total",
        "request-total",
        "request-size-avg",
        "request-size-max",
        "outgoing-byte-total",
        "response-total",
        "incoming-byte-total",
        "select-total",
        "io-wait-time-ns-total",
        "io-time-ns-total",
    ] {
        assert!(names.contains(name), "{name} is missing");
    }
}

#[test]
fn before_the_first_event_totals_are_zero_and_averages_nan() {
    let snapshot = ProducerMetrics::new().snapshot(Time::from_ms(5));
    for (name, value) in snapshot.iter() {
        let nan = name.ends_with("-avg") || name.ends_with("-max") || name == "metadata-age";
        assert_eq!(value.is_nan(), nan, "{name}");
        assert!(nan || value == 0.0, "{name}");
    }
    assert_eq!(snapshot.get("no-such-metric"), None);
}

#[test]
fn times_are_shown_in_the_units_of_java() {
    let metrics = ProducerMetrics::new();
    metrics.request.latency.record(Duration::from_micros(1500));
    metrics.request.latency.record(Duration::from_micros(500));
    metrics.append.flush_ns.add_time(Duration::from_micros(2));
    metrics.metadata.last_update.set(Time::from_ms(1000));
    let snapshot = metrics.snapshot(Time::from_ms(3500));
    let get = |name| snapshot.get(name).unwrap();
    assert!((get("request-latency-avg") - 1.0).abs() < 1e-9);
    assert!((get("request-latency-max") - 1.5).abs() < 1e-9);
    assert!((get("request-latency-sum") - 2.0).abs() < 1e-9);
    assert_eq!(get("request-latency-count"), 2.0);
    assert_eq!(get("flush-time-ns-total"), 2000.0);
    assert_eq!(get("metadata-age"), 2.5);
    assert_eq!(metrics.request.latency.nanos().max(), 1_500_000);
}

#[test]
fn gauges_may_be_set_and_may_be_negative() {
    let gauge = Gauge::default();
    gauge.set(3);
    gauge.add(-5);
    assert_eq!(gauge.get(), -2);
}

#[test]
fn groups_do_not_share_a_cache_line() {
    assert_eq!(std::mem::align_of::<AppendMetrics>(), 128);
    assert_eq!(std::mem::size_of::<AppendMetrics>() % 128, 0);
}

proptest! {
    #[test]
    fn a_distribution_agrees_with_the_list_of_its_values(
        values in prop::collection::vec(0_u64..1 << 40, 0..100),
    ) {
        let distribution = Distribution::default();
        for value in &values {
            distribution.record(*value);
        }
        prop_assert_eq!(distribution.sum(), values.iter().sum::<u64>());
        prop_assert_eq!(distribution.count(), values.len() as u64);
        prop_assert_eq!(distribution.max(), values.iter().copied().max().unwrap_or(0));
    }
}
