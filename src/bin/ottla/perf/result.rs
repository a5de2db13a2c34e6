//! The result of a measurement, for people and as JSON.

use std::time::Duration;

use serde_json::json;

use super::tally::{Counts, Latency};

/// Bytes in a megabyte, as Kafka's own tool counts them.
pub const MB: f64 = 1024.0 * 1024.0;

/// Everything that was measured.
pub struct Summary<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// Threads that sent.
    pub threads: u64,
    /// One record in so many has its latency among `latency_us`.
    pub latency_sample: u64,
    /// From the first send to the last report.
    pub took: Duration,
    /// Processor time in that time, where the system tells it.
    pub cpu: Option<Duration>,
    /// The most memory the process ever had, where the system tells it.
    pub max_resident_bytes: Option<u64>,
    /// Records.
    pub counts: Counts,
    /// Latencies.
    pub latency_us: Latency,
}

impl Summary<'_> {
    fn seconds(&self) -> f64 {
        // Nothing takes no time at all.
        self.took.as_secs_f64().max(1e-9)
    }

    /// How many have come to their end.
    pub fn records(&self) -> u64 {
        self.counts.acked + self.counts.failed
    }

    fn percentile_ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn max_ms(&self) -> f64 {
        self.latency_us.max() as f64 / 1000.0
    }

    /// One JSON object and a newline.
    pub fn json(&self) -> String {
        let object = json!({
            "topic": self.topic,
            "records": self.records(),
            "acked": self.counts.acked,
            "failed": self.counts.failed,
            "bytes": self.counts.bytes,
            "seconds": self.seconds(),
            "records_per_sec": self.counts.acked as f64 / self.seconds(),
            "mb_per_sec": self.counts.bytes as f64 / MB / self.seconds(),
            "cpu_seconds": self.cpu.map(|cpu| cpu.as_secs_f64()),
            "max_rss_bytes": self.max_resident_bytes,
            "threads": self.threads,
            "latency_sample": self.latency_sample,
            "latency_ms": {
                "samples": self.latency_us.len(),
                "mean": self.latency_us.mean() / 1000.0,
                "p50": self.percentile_ms(0.5),
                "p95": self.percentile_ms(0.95),
                "p99": self.percentile_ms(0.99),
                "p999": self.percentile_ms(0.999),
                "max": self.max_ms(),
            },
        });
        format!("{object}\n")
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let Counts { acked, failed, bytes } = self.counts;
        let seconds = self.seconds();
        let (rate, mb) = (acked as f64 / seconds, bytes as f64 / MB / seconds);
        let mut text = format!("{acked} of {} records acknowledged", self.records());
        if failed > 0 {
            text.push_str(&format!(", {failed} failed"));
        }
        text.push_str(&format!("\nin {seconds:.3} s: {rate:.0} records/s, {mb:.2} MB/s\n"));
        text.push_str(&format!(
            "latency in ms: {:.2} mean, {:.2} p50, {:.2} p95, {:.2} p99, {:.2} p99.9, {:.2} max\n",
            self.latency_us.mean() / 1000.0,
            self.percentile_ms(0.5),
            self.percentile_ms(0.95),
            self.percentile_ms(0.99),
            self.percentile_ms(0.999),
            self.max_ms(),
        ));
        if let (Some(cpu), Some(bytes)) = (self.cpu, self.max_resident_bytes) {
            let each = cpu.as_secs_f64() * 1e6 / acked.max(1) as f64;
            text.push_str(&format!(
                "processor: {:.3} s, {each:.2} µs a record; memory at most {:.1} MB\n",
                cpu.as_secs_f64(),
                bytes as f64 / MB,
            ));
        }
        text
    }
}
