//! Owns the typed settings that the other modules read, grouped by the system that reads them. It
//! never parses text and never checks one setting against another.
//!
//! Durations are `u64` milliseconds; [`NEVER_MS`] stands for "no limit", and `Time::plus_ms` turns
//! it into `Time::NEVER` by itself.

use crate::config::BootstrapServer;

/// A duration without end.
pub const NEVER_MS: u64 = u64::MAX;

/// Everything a producer is told when it is created: checked, complete, and free of text.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// Whose defaults and meanings were used.
    pub compat: Compat,
    /// Where to find the cluster.
    pub bootstrap: BootstrapSettings,
    /// Who the producer says it is.
    pub identity: IdentitySettings,
    /// What counts as delivered, how long to try, and what is reported.
    pub delivery: DeliverySettings,
    /// How records are gathered into batches and requests.
    pub batching: BatchingSettings,
    /// How much may be buffered, and what `send` does when it is full.
    pub memory: MemorySettings,
    /// Which partition a record goes to.
    pub partitioner: PartitionerSettings,
    /// How often and how soon a failed batch is tried again.
    pub retry: RetrySettings,
    /// Connections and requests on them.
    pub connection: ConnectionSettings,
    /// How cluster metadata is kept fresh.
    pub metadata: MetadataSettings,
    /// How metrics are sampled.
    pub metrics: MetricsSettings,
    /// What is logged.
    pub logging: LoggingSettings,
    /// What was accepted but will not do what it says, or was adjusted; one sentence each.
    pub warnings: Vec<String>,
}

/// `compat`: whose defaults and meanings apply.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Compat {
    /// Those of the Java producer 4.x.
    #[default]
    Java,
    /// Those of librdkafka, where its programs can see them.
    Librdkafka,
}

/// Where to find the cluster.
#[derive(Clone, Debug)]
pub struct BootstrapSettings {
    /// `bootstrap.servers`; empty only when `mock_num_brokers` is above 0.
    pub servers: Vec<BootstrapServer>,
    /// `client.dns.lookup`.
    pub dns_lookup: DnsLookup,
    /// `test.mock.num.brokers`: above 0, an embedded cluster takes the place of `servers`.
    pub mock_num_brokers: u32,
}

/// `client.dns.lookup`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DnsLookup {
    /// Try every address of a name.
    UseAllDnsIps,
    /// Replace each bootstrap name by the canonical names of its addresses.
    ResolveCanonicalBootstrapServersOnly,
}

/// Who the producer says it is.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// `client.id`, never empty.
    pub client_id: String,
    /// `client.rack`; empty when not set.
    pub client_rack: String,
    /// `client.software.name`, sent in ApiVersions (KIP-511).
    pub software_name: String,
    /// `client.software.version`, sent in ApiVersions (KIP-511).
    pub software_version: String,
    /// `enable.idempotence`, after the rules that may switch it off.
    pub idempotence: bool,
    /// Somebody asked for it by name: it gives way to nothing.
    pub idempotence_demanded: bool,
    /// `transactional.id`.
    pub transactional_id: Option<String>,
    /// `transaction.timeout.ms`.
    pub transaction_timeout_ms: i32,
}

/// What counts as delivered, how long to try, and what is reported.
#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// `acks`: -1 (all), 0 or 1.
    pub acks: i16,
    /// How long the broker may wait for its replicas; goes into the produce request.
    pub ack_timeout_ms: i32,
    /// `delivery.timeout.ms`: from `send` to the report. [`NEVER_MS`]: no limit.
    pub delivery_timeout_ms: u64,
    /// `report.timestamps`: reports carry each record's time.
    pub report_timestamps: bool,
    /// `delivery.report.only.error`: successes are not reported.
    pub report_only_errors: bool,
}

/// How records are gathered into batches and requests.
#[derive(Clone, Debug)]
pub struct BatchingSettings {
    /// `batch.size`, at least 1.
    pub batch_size_bytes: usize,
    /// `batch.num.messages`; 0: no limit.
    pub batch_num_messages: u32,
    /// `linger.ms` in microseconds.
    pub linger_us: u64,
    /// `max.request.size`, also the limit of one uncompressed record.
    pub max_request_size_bytes: usize,
    /// `compression.type`.
    pub compression: Compression,
    /// The codec's level, in its own numbers; `None`: its default. 9 is lz4's fast compressor.
    pub compression_level: Option<i32>,
    /// `compression.topics`: codec and level of topics that have their own.
    pub topic_compression: Vec<(String, Compression, Option<i32>)>,
}

/// `compression.type`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Batches are sent as they are.
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy in the framing of the Java client.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// RFC 8878.
    Zstd,
}

/// How much may be buffered, and what `send` does when it is full.
#[derive(Clone, Debug)]
pub struct MemorySettings {
    /// `buffer.memory`: a hard cap on everything that records cost.
    pub buffer_memory_bytes: usize,
    /// `queue.buffering.max.messages`: records whose outcome is not known yet; 0: no limit.
    pub max_messages: u32,
    /// `max.block.ms`: longest wait in a call.
    pub max_block_ms: u64,
    /// `send.wait`: whether `send` may wait at all.
    pub send_wait: bool,
}

/// Which partition a record goes to.
#[derive(Clone, Debug)]
pub struct PartitionerSettings {
    /// `partitioner`.
    pub strategy: PartitionerStrategy,
    /// `partitioner.adaptive.partitioning.enable`: prefer partitions with short queues.
    pub adaptive: bool,
    /// `partitioner.availability.timeout.ms`; 0: brokers are never skipped.
    pub availability_timeout_ms: u64,
    /// `partitioner.ignore.keys`.
    pub ignore_keys: bool,
    /// `partitioner.rack.aware`: prefer leaders in `client.rack`.
    pub rack_aware: bool,
}

/// `partitioner`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum PartitionerStrategy {
    /// Java's: murmur2 of the key, sticky without a key (KIP-794).
    BuiltIn,
    /// Any partition, whatever the key.
    Random,
    /// CRC-32 of the key; no key and an empty key share a partition.
    Consistent,
    /// CRC-32 of the key; any partition when the key is missing or empty.
    ConsistentRandom,
    /// murmur2 of the key; no key hashes as an empty one.
    Murmur2,
    /// murmur2 of the key; any partition without a key.
    Murmur2Random,
    /// FNV-1a of the key; no key hashes as an empty one.
    Fnv1a,
    /// FNV-1a of the key; any partition without a key.
    Fnv1aRandom,
}

/// How often and how soon a failed batch is tried again.
#[derive(Clone, Debug)]
pub struct RetrySettings {
    /// `retries`: attempts after the first.
    pub retries: u32,
    /// `retry.backoff.ms`, at most `backoff_max_ms`.
    pub backoff_ms: u64,
    /// `retry.backoff.max.ms`.
    pub backoff_max_ms: u64,
}

/// Connections and requests on them.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// How long this side waits for a response before it drops the connection.
    pub request_timeout_ms: u64,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight: usize,
    /// `connections.max.idle.ms`; [`NEVER_MS`]: idle connections stay open.
    pub max_idle_ms: u64,
    /// `reconnect.backoff.ms`, at most `reconnect_backoff_max_ms`.
    pub reconnect_backoff_ms: u64,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max_ms: u64,
    /// `socket.connection.setup.timeout.ms`, at most the next.
    pub setup_timeout_ms: u64,
    /// `socket.connection.setup.timeout.max.ms`.
    pub setup_timeout_max_ms: u64,
    /// `send.buffer.bytes`; `None`: the system's.
    pub send_buffer_bytes: Option<usize>,
    /// `receive.buffer.bytes`; `None`: the system's.
    pub receive_buffer_bytes: Option<usize>,
    /// `socket.keepalive.enable`.
    pub keepalive: bool,
    /// `socket.nagle.disable`.
    pub no_delay: bool,
    /// `receive.message.max.bytes`: largest response taken.
    pub max_response_bytes: usize,
    /// `broker.address.family`.
    pub address_family: AddressFamily,
}

/// `broker.address.family`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum AddressFamily {
    /// Every address.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// How cluster metadata is kept fresh.
#[derive(Clone, Debug)]
pub struct MetadataSettings {
    /// Longest time between two refreshes; [`NEVER_MS`]: only when needed.
    pub max_age_ms: u64,
    /// `metadata.max.idle.ms`: how long a topic that gets no records is kept.
    pub max_idle_ms: u64,
    /// `metadata.recovery.strategy` is `rebootstrap`.
    pub rebootstrap: bool,
    /// `metadata.recovery.rebootstrap.trigger.ms`.
    pub rebootstrap_trigger_ms: u64,
    /// `allow.auto.create.topics`.
    pub allow_auto_create_topics: bool,
    /// `topic.metadata.propagation.max.ms`: grace before an unknown topic counts as missing;
    /// [`NEVER_MS`] with Java's defaults, where only the record's own time ends the wait.
    pub propagation_max_ms: u64,
}

/// How metrics are sampled.
#[derive(Clone, Debug)]
pub struct MetricsSettings {
    /// `metrics.num.samples`.
    pub num_samples: u32,
    /// `metrics.sample.window.ms`.
    pub sample_window_ms: u64,
    /// `metrics.recording.level`.
    pub recording_level: RecordingLevel,
}

/// `metrics.recording.level`: the highest level that is recorded.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RecordingLevel {
    /// What operators watch.
    Info,
    /// Also what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// What is logged.
#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// `log_level`: syslog's numbers, 0 (emergency) to 7 (debug).
    pub level: u8,
    /// `debug`: the areas that log in detail.
    pub debug: Vec<String>,
    /// `log.queue`: events are kept until they are asked for.
    pub queue: bool,
    /// `log.connection.close`: lost connections are logged.
    pub connection_close: bool,
}
