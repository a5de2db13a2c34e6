//! Owns the rows about records on this side of the wire: batching, memory, partitioning, delivery,
//! retries and transactions.

use super::{Kind, Row};

const I32: i64 = i32::MAX as i64;
const I64: i64 = i64::MAX;

pub(super) static BATCHING: &[Row] = &[
    Row::new(
        "batch.size",
        Kind::Int(0, I32),
        "16384",
        "Bytes of one partition's batch at which it is sent without further waiting. 0 behaves as 1.",
    )
    .librdkafka("1000000"),
    Row::new(
        "batch.num.messages",
        Kind::Int(0, 1_000_000),
        "0",
        "Records in one batch at which it is sent without further waiting. 0 sets no limit.",
    )
    .librdkafka("10000"),
    Row::new(
        "linger.ms",
        Kind::Float(0.0, I32 as f64),
        "5",
        "How long a batch that is not full waits for more records. Fractions of a millisecond count.",
    )
    .alias(&["queue.buffering.max.ms"]),
    Row::new(
        "max.request.size",
        Kind::Int(0, I32),
        "1048576",
        "Largest produce request, and largest single record before compression, in bytes.",
    )
    .alias(&["message.max.bytes"])
    .librdkafka("1000000"),
    Row::new(
        "compression.type",
        Kind::Words(&["none", "gzip", "snappy", "lz4", "zstd"]),
        "none",
        "The codec for whole batches.",
    )
    .alias(&["compression.codec"]),
    Row::new(
        "compression.topics",
        Kind::List,
        "",
        "Topics with another codec than compression.type: topic=codec pairs with commas, such as \
         logs=zstd,images=none. Levels are those of the codec.",
    ),
    Row::new(
        "compression.level",
        Kind::Int(-1, 12),
        "-1",
        "Level of whichever codec is used, in librdkafka's numbers; -1 leaves it to the codec's own setting, \
         which counts first.",
    ),
    Row::new(
        "compression.gzip.level",
        Kind::Int(-1, 9),
        "-1",
        "Level of gzip, 1 to 9 (0 only frames); -1 is its own default, 6.",
    ),
    Row::new(
        "compression.lz4.level",
        Kind::Int(1, 17),
        "9",
        "Level of lz4, 1 to 17; 9 is the fast compressor, every other level searches longer.",
    ),
    Row::new(
        "compression.zstd.level",
        Kind::Int(-131_072, 22),
        "3",
        "Level of zstd; negative levels are faster.",
    ),
    Row::new(
        "buffer.memory",
        Kind::Int(1, I64),
        "33554432",
        "Bytes that unreported records may occupy, their bookkeeping included. When they are used \
         up, send waits (see max.block.ms and send.wait).",
    )
    .librdkafka("1073741824"),
    Row::new(
        "buffer.memory.allocation.strategy",
        Kind::Words(&["full", "incremental"]),
        "full",
        "Both words are accepted and mean the same: a batch starts small and grows in chunks.",
    ),
    Row::new(
        "queue.buffering.max.kbytes",
        Kind::Int(1, I32),
        "",
        "buffer.memory in units of 1024 bytes; only one of the two may be set.",
    ),
    Row::new(
        "queue.buffering.max.messages",
        Kind::Int(0, I32),
        "0",
        "Records that may wait for their report at one time. 0 sets no limit.",
    )
    .librdkafka("100000"),
    Row::new(
        "max.block.ms",
        Kind::Int(0, I64),
        "60000",
        "Longest wait for memory or metadata in send, and for the coordinator in transaction calls.",
    ),
    Row::new(
        "send.wait",
        Kind::Bool,
        "true",
        "Whether send may wait at all; if not, it fails with QUEUE_FULL where it would have waited \
         for memory.",
    ),
    Row::new(
        "message.copy.max.bytes",
        Kind::Int(0, 1_000_000_000),
        "65535",
        "Size above which librdkafka would refer to a payload instead of copying it.",
    )
    .ignored("every payload is copied once, straight into its batch"),
    Row::new(
        "queue.buffering.backpressure.threshold",
        Kind::Int(1, 1_000_000),
        "1",
        "Requests not yet sent to a broker at which librdkafka gathers larger batches.",
    )
    .ignored("batches keep growing while a broker is busy without it"),
    Row::new(
        "sticky.partitioning.linger.ms",
        Kind::Int(0, 900_000),
        "10",
        "How long librdkafka keeps records without key on one partition.",
    )
    .ignored("records without key change partition by bytes, as in Java (KIP-794)"),
    Row::new(
        "queuing.strategy",
        Kind::Words(&["fifo", "lifo"]),
        "fifo",
        "Order in which queued records are sent.",
    )
    .planned(),
    Row::new(
        "partitioner",
        Kind::Words(&[
            "default",
            "uniform_sticky",
            "random",
            "consistent",
            "consistent_random",
            "murmur2",
            "murmur2_random",
            "fnv1a",
            "fnv1a_random",
        ]),
        "default",
        "How a record without explicit partition gets one. default and uniform_sticky are Java's: \
         murmur2 of the key, sticky and load-aware without key; the other words are librdkafka's.",
    )
    .librdkafka("consistent_random"),
    Row::new(
        "partitioner.adaptive.partitioning.enable",
        Kind::Bool,
        "true",
        "Give records without key rather to partitions with short queues (built-in partitioner).",
    ),
    Row::new(
        "partitioner.availability.timeout.ms",
        Kind::Int(0, I64),
        "0",
        "Skip partitions of brokers that took nothing for this long (built-in partitioner). 0 skips \
         none.",
    ),
    Row::new(
        "partitioner.ignore.keys",
        Kind::Bool,
        "false",
        "Choose partitions as if records had no key (built-in partitioner).",
    ),
    Row::new(
        "partitioner.rack.aware",
        Kind::Bool,
        "false",
        "Prefer partitions whose leader is in client.rack for records without key (KIP-1123).",
    ),
];

pub(super) static DELIVERY: &[Row] = &[
    Row::new(
        "compat",
        Kind::Words(&["java", "librdkafka"]),
        "java",
        "Whose defaults and meanings apply where Java and librdkafka differ.",
    ),
    Row::new(
        "acks",
        Kind::Words(&["all", "-1", "0", "1"]),
        "all",
        "Acknowledgements a batch needs: all in-sync replicas (all, -1), the leader (1), or none (0). \
         With 0 a record is reported when its bytes have left the process, without offset and as \
         possibly persisted. A broker that cannot take it, a new leader for example, closes the \
         connection, and with it goes what the broker had not read: only a warning in the log tells.",
    )
    .alias(&["request.required.acks"]),
    Row::new(
        "delivery.timeout.ms",
        Kind::Int(0, I32),
        "120000",
        "Longest time from send to the report, retries included.",
    )
    .alias(&["message.timeout.ms"])
    .librdkafka("300000")
    .librdkafka_means("0 sets no limit."),
    Row::new(
        "request.timeout.ms",
        Kind::Int(0, I32),
        "30000",
        "How long to wait for a response before the connection is dropped, and how long the broker \
         may wait for its replicas.",
    )
    .librdkafka_means(
        "Only how long the broker may wait for its replicas; socket.timeout.ms is this side's limit.",
    ),
    Row::new(
        "socket.timeout.ms",
        Kind::Int(10, 300_000),
        "",
        "How long to wait for a response before the connection is dropped; not set, \
         request.timeout.ms says so.",
    )
    .librdkafka("60000"),
    Row::new(
        "retries",
        Kind::Int(0, I32),
        "2147483647",
        "Attempts after the first. Better leave it and limit the time with delivery.timeout.ms.",
    )
    .alias(&["message.send.max.retries"]),
    Row::new(
        "retry.backoff.ms",
        Kind::Int(0, I64),
        "100",
        "Pause before the first retry; it doubles with each one, up to retry.backoff.max.ms.",
    ),
    Row::new(
        "retry.backoff.max.ms",
        Kind::Int(0, I64),
        "1000",
        "Longest pause before a retry.",
    ),
    Row::new(
        "enable.idempotence",
        Kind::Bool,
        "true",
        "Each record is written once and in order in its partition, whatever is retried.",
    )
    .librdkafka("false"),
    Row::new(
        "enable.gapless.guarantee",
        Kind::Bool,
        "false",
        "Treat every lost record as a fatal error.",
    )
    .planned(),
    Row::new(
        "transactional.id",
        Kind::Text,
        "",
        "Name under which the producer has transactions: they outlive the process, and a newer producer \
         of the same name shuts out the older. Needs idempotence.",
    ),
    Row::new(
        "transaction.timeout.ms",
        Kind::Int(1, I32),
        "60000",
        "After this long in a transaction the coordinator aborts it.",
    ),
    Row::new(
        "transaction.two.phase.commit.enable",
        Kind::Bool,
        "false",
        "Let an outside coordinator decide about transactions (KIP-939).",
    )
    .planned(),
    Row::new(
        "report.timestamps",
        Kind::Bool,
        "false",
        "Delivery reports carry the timestamp of each record.",
    ),
    Row::new(
        "delivery.report.only.error",
        Kind::Bool,
        "false",
        "Report failed records only.",
    ),
    Row::new(
        "produce.offset.report",
        Kind::Bool,
        "false",
        "Report the offsets of produced records.",
    )
    .ignored("offsets are always reported"),
];
