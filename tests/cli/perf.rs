//! `ottla perf`: what it counts, on the embedded cluster.

use std::io::Write;
use std::time::Instant;

use serde_json::Value;

use crate::run::{dead_port, ottla, Running, EMBEDDED, SOON};

fn perf(args: &[&str]) -> Value {
    let common = ["perf", "--topic", "t", "--json", "-q"];
    let ran = ottla(&[&common[..], &EMBEDDED, args].concat(), b"").ended(0);
    let mut lines = ran.json();
    assert_eq!(lines.len(), 1, "one object: {lines:?}");
    lines.remove(0)
}

fn number(result: &Value, name: &str) -> f64 {
    result.pointer(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("{name} in {result}"))
}

#[test]
fn every_record_is_acknowledged_and_the_numbers_agree() {
    let result = perf(&["--num-records", "20000", "--record-size", "200"]);
    assert_eq!(number(&result, "/records"), 20_000.0);
    assert_eq!(number(&result, "/acked"), 20_000.0);
    assert_eq!(number(&result, "/failed"), 0.0);
    assert_eq!(number(&result, "/bytes"), 4_000_000.0);
    let seconds = number(&result, "/seconds");
    let near = |a: f64, b: f64| (a - b).abs() <= b * 1e-6;
    assert!(near(number(&result, "/records_per_sec"), 20_000.0 / seconds), "{result}");
    let mb = 4_000_000.0 / 1024.0 / 1024.0;
    assert!(near(number(&result, "/mb_per_sec"), mb / seconds), "{result}");
    assert!(number(&result, "/cpu_seconds") > 0.0, "{result}");
    let latency = |name: &str| number(&result, &format!("/latency_ms/{name}"));
    assert_eq!(latency("samples"), 20_000.0);
    let rising = ["p50", "p95", "p99", "p999", "max"].map(latency);
    assert!(rising.is_sorted() && rising[0] > 0.0, "{result}");
    assert!(rising[4] <= seconds * 1000.0 + 1.0, "{result}");
}

#[test]
fn threads_keys_and_warm_up_change_nothing_about_the_count() {
    let result = perf(&["-n", "5003", "--threads", "4", "--keys", "10", "--warmup-records", "777"]);
    assert_eq!(number(&result, "/acked"), 5003.0);
    assert_eq!(number(&result, "/threads"), 4.0);
    let result = perf(&["-n", "100", "--keys", "random", "-p", "1"]);
    assert_eq!(number(&result, "/acked"), 100.0);
}

#[test]
fn the_rate_is_kept() {
    let result = perf(&["-n", "600", "--throughput", "300", "--threads", "2"]);
    let seconds = number(&result, "/seconds");
    // The last record is due after 599 / 300 seconds; a busy machine may be late, never early.
    assert!((1.99..10.0).contains(&seconds), "{result}");
}

#[test]
fn latency_can_be_sampled() {
    let result = perf(&["-n", "1000", "--latency-sample", "100"]);
    assert_eq!(number(&result, "/latency_ms/samples"), 10.0);
    assert_eq!(number(&result, "/latency_sample"), 100.0);
}

#[test]
fn payloads_come_from_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"a\nbb\n\ncccccc\n").unwrap();
    let path = file.path().to_str().unwrap();
    let result = perf(&["-n", "300", "--payload-file", path]);
    // 1, 2 and 6 bytes, 100 times each.
    assert_eq!(number(&result, "/bytes"), 900.0);
    let args = ["perf", "-t", "t", "-n", "1", "--payload-file", "/no/such/file"];
    ottla(&[&args[..], &EMBEDDED].concat(), b"").ended(2).said("/no/such/file");
}

#[test]
fn people_get_text_and_metrics_on_request() {
    let args = ["perf", "-t", "t", "-n", "100", "-q", "--print-metrics"];
    let ran = ottla(&[&args[..], &EMBEDDED].concat(), b"").ended(0);
    assert!(ran.text().starts_with("100 of 100 records acknowledged\n"), "{}", ran.text());
    assert!(ran.text().contains("record-append-total = 100\n"), "{}", ran.text());
}

#[test]
fn failed_records_are_counted_and_named() {
    let limit = ["-X", "max.request.size=1000"];
    let args = ["perf", "-t", "t", "-n", "50", "-s", "2000", "--json", "-q"];
    let ran = ottla(&[&args[..], &EMBEDDED, &limit].concat(), b"").ended(1);
    let result = &ran.json()[0];
    assert_eq!((number(result, "/acked"), number(result, "/failed")), (0.0, 50.0));
    ran.said("50 records failed, RECORD_TOO_LARGE: ");
}

#[test]
fn wrong_options_and_missing_clusters() {
    ottla(&["perf", "-t", "t", "-b", "h:1"], b"").ended(2).said("--num-records");
    ottla(&["perf", "-t", "t", "-n", "1", "--keys", "some"], b"").ended(2).said("keys are");
    ottla(&["perf", "-t", "t", "-n", "1", "-X", "lingr.ms=1"], b"").ended(2).said("`linger.ms`");
    for rate in ["0", "-2", "nan", "1e-300", "x"] {
        let args = ["perf", "-t", "t", "-n", "1", "--throughput", rate];
        ottla(&args, b"").ended(2).said("a rate is");
    }
    let args = ["perf", "-t", "t", "-n", "1", "-s", "99999999999999999", "-b", "h:1"];
    ottla(&args, b"").ended(2).said("a size is");
    ottla(&["perf", "-t", "t", "-n", "-1"], b"").ended(2).said("'-1'");
    let nobody = format!("127.0.0.1:{}", dead_port());
    let ran = ottla(&["perf", "-t", "t", "-n", "1", "-b", &nobody], b"").ended(3).said(&nobody);
    assert_eq!(ran.err.lines().count(), 1, "said once: {}", ran.err);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_a_result() {
    let cluster = Running::start(&["mock", "-t", "t:1:1", "--until-eof"], b"");
    let address = cluster.first_line.as_str();
    let args = ["perf", "-t", "t", "-n", "1000000", "--throughput", "50", "--json", "-q"];
    let perf = Running::spawn(&[&args[..], &["-b", address]].concat());
    // The offsets of one's own records show that others came between.
    let args = ["produce", "-b", address, "-t", "t", "--report"];
    let begun = Instant::now();
    for own in 0.. {
        let ran = ottla(&args, b"v\n").ended(0);
        let offset: i32 = ran.text().trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        if offset > own {
            break;
        }
        assert!(begun.elapsed() < SOON, "no record came");
    }
    perf.signal("INT");
    let ran = perf.wait().ended(130);
    let result = &ran.json()[0];
    let acked = number(result, "/acked");
    assert!((1.0..1_000_000.0).contains(&acked), "{result}");
    assert_eq!(number(result, "/failed"), 0.0, "{result}");
}
