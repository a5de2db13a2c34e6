//! Owns the producer's metrics: instruments grouped by the system that feeds them, and a snapshot of
//! all by name. It never reads a clock and never decides anything by a number.
//!
//! Names are those of the Java producer where it has the metric. Totals and sums run since the
//! producer was created: a rate or a windowed average is the difference of two snapshots.

mod instrument;

pub use instrument::{Counter, Distribution, Gauge, LastTime, Timer};

use crate::time::Time;
use instrument::{Instrument, Names};

/// Declares a group: each field has its metric's name beside it, so that the snapshot cannot miss
/// one. A `Distribution` or `Timer` called `x` gives `x-avg`, `x-max`, `x-sum` and `x-count`.
macro_rules! group {
    ($(#[$about:meta])* $group:ident { $($(#[$doc:meta])* $field:ident: $type:ty = $name:literal,)+ }) => {
        $(#[$about])*
        // A cache line (or the pair that is fetched together) of its own: groups are written by
        // different threads.
        #[repr(align(128))]
        #[derive(Debug, Default)]
        pub struct $group {
            $($(#[$doc])* #[doc = concat!("\n\nMetric: `", $name, "`.")] pub $field: $type,)+
        }

        impl $group {
            fn read(&self, now: Time, out: &mut Vec<(&'static str, f64)>) {
                $(self.$field.read(
                    Names {
                        plain: $name,
                        average: concat!($name, "-avg"),
                        max: concat!($name, "-max"),
                        sum: concat!($name, "-sum"),
                        count: concat!($name, "-count"),
                    },
                    now,
                    out,
                );)+
            }
        }
    };
}

group! {
    /// What happens in `send` and `flush`; written by application threads. Feed it once per call or
    /// per batch of records, not per record.
    AppendMetrics {
        /// Records that `send` took.
        records: Counter = "record-append-total",
        /// Records that `send` refused: too large, no memory, closed and so on.
        records_refused: Counter = "record-refused-total",
        /// Records parked until their topic is known.
        records_parked: Counter = "record-parked-total",
        /// Nanoseconds that `send` waited for metadata.
        metadata_wait_ns: Counter = "metadata-wait-time-ns-total",
        /// Nanoseconds spent in `flush`.
        flush_ns: Counter = "flush-time-ns-total",
    }
}

group! {
    /// Time that calls about transactions took; written by application threads.
    TransactionMetrics {
        /// Nanoseconds spent in `init_transactions`.
        init_ns: Counter = "txn-init-time-ns-total",
        /// Nanoseconds spent in `begin_transaction`.
        begin_ns: Counter = "txn-begin-time-ns-total",
        /// Nanoseconds spent in `send_offsets_to_transaction`.
        send_offsets_ns: Counter = "txn-send-offsets-time-ns-total",
        /// Nanoseconds spent in `commit_transaction`.
        commit_ns: Counter = "txn-commit-time-ns-total",
        /// Nanoseconds spent in `abort_transaction`.
        abort_ns: Counter = "txn-abort-time-ns-total",
    }
}

group! {
    /// The memory that records occupy.
    BufferMetrics {
        /// Bytes there are.
        total_bytes: Gauge = "buffer-total-bytes",
        /// Bytes that are free.
        available_bytes: Gauge = "buffer-available-bytes",
        /// Threads that wait for memory now.
        waiting_threads: Gauge = "waiting-threads",
        /// Calls that gave up waiting for memory.
        exhausted: Counter = "buffer-exhausted-total",
        /// Nanoseconds spent waiting for memory, all threads together.
        wait_ns: Counter = "bufferpool-wait-time-ns-total",
    }
}

group! {
    /// What becomes of batches; written by the sender thread.
    BatchMetrics {
        /// Records handed to the network, each attempt counted.
        records_sent: Counter = "record-send-total",
        /// Records that were acknowledged.
        records_acked: Counter = "record-ack-total",
        /// Records that finally failed after `send` took them. Java's number also holds the
        /// refused ones.
        records_failed: Counter = "record-error-total",
        /// Records put back for another attempt.
        records_retried: Counter = "record-retry-total",
        /// Batches handed to the network, each attempt counted.
        batches_sent: Counter = "batch-send-total",
        /// Bytes of record batches handed to the network, headers included.
        bytes_sent: Counter = "byte-total",
        /// Batches split because a broker found them too large.
        batches_split: Counter = "batch-split-total",
        /// Times that a partition began its sequence anew under another epoch (KIP-360).
        epochs_begun: Counter = "producer-epoch-bump-total",
        /// Batches that ran out of delivery time.
        batches_expired: Counter = "batch-expired-total",
        /// Bytes of a batch as sent, header included.
        size_bytes: Distribution = "batch-size",
        /// The largest record of each batch, in bytes.
        record_size_bytes: Distribution = "record-size",
        /// From the creation of a batch to its being drained.
        queue_time: Timer = "record-queue-time",
    }
}

group! {
    /// Requests and their responses; written by the sender thread.
    RequestMetrics {
        /// Requests sent, of every kind.
        requests: Counter = "request-total",
        /// Responses received, of every kind.
        responses: Counter = "response-total",
        /// Requests whose response did not come in time.
        timeouts: Counter = "request-timeout-total",
        /// Requests that wait for their response now.
        in_flight: Gauge = "requests-in-flight",
        /// Bytes of a request.
        size_bytes: Distribution = "request-size",
        /// Records of a produce request.
        records: Distribution = "records-per-request",
        /// From sending a produce request to its response.
        latency: Timer = "request-latency",
        /// How long brokers asked to be left alone because of a quota.
        throttle_time: Timer = "produce-throttle-time",
    }
}

group! {
    /// Connections and the bytes on them; written by the sender thread.
    ConnectionMetrics {
        /// Connections that are open.
        open: Gauge = "connection-count",
        /// Connections made.
        created: Counter = "connection-creation-total",
        /// Connections closed, by either side.
        closed: Counter = "connection-close-total",
        /// Attempts to connect that failed.
        failed: Counter = "connection-failure-total",
        /// Bytes written.
        bytes_out: Counter = "outgoing-byte-total",
        /// Bytes read.
        bytes_in: Counter = "incoming-byte-total",
        /// Frames written and read.
        operations: Counter = "network-io-total",
    }
}

group! {
    /// Knowledge of the cluster; written by the sender thread.
    MetadataMetrics {
        /// When metadata last arrived, in seconds before the snapshot.
        last_update: LastTime = "metadata-age",
        /// Metadata responses used.
        updates: Counter = "metadata-update-total",
        /// Metadata requests that failed.
        failures: Counter = "metadata-failure-total",
    }
}

group! {
    /// How the sender thread spends its time.
    SenderMetrics {
        /// Times it woke up.
        wakeups: Counter = "sender-wakeup-total",
        /// Waits for the network.
        selects: Counter = "select-total",
        /// Nanoseconds spent in those waits.
        io_wait_ns: Counter = "io-wait-time-ns-total",
        /// Nanoseconds spent reading and writing.
        io_ns: Counter = "io-time-ns-total",
    }
}

group! {
    /// Reports on their way to the application.
    DeliveryMetrics {
        /// Reports handed over, one per outcome of a batch.
        reports: Counter = "report-total",
        /// Time spent in the application's callbacks.
        callback_time: Timer = "callback-time",
    }
}

/// All metrics of one producer; shared by its threads.
#[derive(Debug, Default)]
pub struct ProducerMetrics {
    /// `send` and `flush`.
    pub append: AppendMetrics,
    /// Calls about transactions.
    pub transaction: TransactionMetrics,
    /// Memory.
    pub buffer: BufferMetrics,
    /// Batches.
    pub batch: BatchMetrics,
    /// Requests.
    pub request: RequestMetrics,
    /// Connections.
    pub connection: ConnectionMetrics,
    /// Metadata.
    pub metadata: MetadataMetrics,
    /// The sender thread.
    pub sender: SenderMetrics,
    /// Reports.
    pub delivery: DeliveryMetrics,
}

impl ProducerMetrics {
    /// All zero.
    pub fn new() -> ProducerMetrics {
        ProducerMetrics::default()
    }

    /// Every metric by name. Numbers that change meanwhile may be an event apart from each other.
    pub fn snapshot(&self, now: Time) -> MetricsSnapshot {
        let mut samples = Vec::with_capacity(80);
        self.append.read(now, &mut samples);
        self.transaction.read(now, &mut samples);
        self.buffer.read(now, &mut samples);
        self.batch.read(now, &mut samples);
        self.request.read(now, &mut samples);
        self.connection.read(now, &mut samples);
        self.metadata.read(now, &mut samples);
        self.sender.read(now, &mut samples);
        self.delivery.read(now, &mut samples);
        MetricsSnapshot { samples }
    }
}

/// The metrics of one moment.
#[derive(Clone, Debug)]
pub struct MetricsSnapshot {
    samples: Vec<(&'static str, f64)>,
}

impl MetricsSnapshot {
    /// Name and value of every metric, group by group. Averages and maxima of nothing are NaN;
    /// whole numbers are exact up to 2^53.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, f64)> + '_ {
        self.samples.iter().copied()
    }

    /// The value of one metric.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
