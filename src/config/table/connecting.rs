//! Owns the rows about finding the cluster, following its metadata, and the connections to it.

use super::{Kind, Row};

const I32: i64 = i32::MAX as i64;
const I64: i64 = i64::MAX;

const NO_EFFECT: &str = "librdkafka itself gives it no effect any more";

pub(super) static CLUSTER: &[Row] = &[
    Row::new(
        "bootstrap.servers",
        Kind::Servers,
        "",
        "Brokers to ask first for the cluster's metadata; required. The port may be left out: 9092.",
    )
    .alias(&["metadata.broker.list"]),
    Row::new(
        "bootstrap.resolve.timeout.ms",
        Kind::Int(0, I64),
        "0",
        "How long bootstrap names may fail to resolve after creation (KIP-909).",
    )
    .planned(),
    Row::new(
        "client.dns.lookup",
        Kind::Words(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"]),
        "use_all_dns_ips",
        "Try every address of a broker's name, or first replace bootstrap names by canonical ones.",
    ),
    Row::new(
        "client.id",
        Kind::Text,
        "",
        "Name in requests, quotas and metrics. Empty becomes producer-N, or producer- and the \
         transactional id.",
    )
    .librdkafka("rdkafka"),
    Row::new("client.rack", Kind::Text, "", "The rack this client is in."),
    Row::new(
        "client.software.name",
        Kind::Text,
        "ottla",
        "Name of the client library that brokers see in their metrics (KIP-511); for bindings.",
    ),
    Row::new(
        "client.software.version",
        Kind::Text,
        env!("CARGO_PKG_VERSION"),
        "Version of the client library that brokers see in their metrics (KIP-511); for bindings.",
    ),
    Row::new(
        "metadata.max.age.ms",
        Kind::Int(0, I64),
        "300000",
        "Refresh the metadata at least this often.",
    )
    .librdkafka("900000")
    .librdkafka_means(
        "How long librdkafka trusts cached metadata; accepted without effect. The refresh interval \
         is topic.metadata.refresh.interval.ms.",
    ),
    Row::new(
        "topic.metadata.refresh.interval.ms",
        Kind::Int(-1, 3_600_000),
        "",
        "Refresh the metadata at least this often; -1 only when needed. Not set, metadata.max.age.ms \
         says so.",
    )
    .librdkafka("300000"),
    Row::new(
        "metadata.max.idle.ms",
        Kind::Int(5000, I64),
        "300000",
        "Forget a topic that got no record for this long.",
    ),
    Row::new(
        "metadata.recovery.strategy",
        Kind::Words(&["rebootstrap", "none"]),
        "rebootstrap",
        "What to do when no known broker can be reached: start again from bootstrap.servers, or not.",
    ),
    Row::new(
        "metadata.recovery.rebootstrap.trigger.ms",
        Kind::Int(0, I64),
        "300000",
        "Start again from bootstrap.servers when metadata could not be had for this long.",
    ),
    Row::new(
        "metadata.cluster.check.enable",
        Kind::Bool,
        "false",
        "Tell brokers in ApiVersions which cluster and node they are expected to be.",
    )
    .planned(),
    Row::new(
        "topic.metadata.propagation.max.ms",
        Kind::Int(0, 3_600_000),
        "",
        "How long a topic may stay unknown before its records fail with UNKNOWN_TOPIC. Not set, \
         they wait for their own time limits.",
    )
    .librdkafka("30000"),
    Row::new(
        "allow.auto.create.topics",
        Kind::Bool,
        "true",
        "Let brokers create topics that are asked for, if they are set up to.",
    ),
    Row::new(
        "topic.metadata.refresh.fast.interval.ms",
        Kind::Int(1, 60_000),
        "100",
        "First pause before metadata is asked for again after a leader is lost.",
    )
    .ignored("retry.backoff.ms says how soon metadata is asked for again"),
    Row::new(
        "topic.metadata.refresh.fast.cnt",
        Kind::Int(0, 1000),
        "10",
        "Number of fast refreshes.",
    )
    .ignored(NO_EFFECT),
    Row::new(
        "topic.metadata.refresh.sparse",
        Kind::Bool,
        "true",
        "Ask only for topics in use.",
    )
    .ignored("metadata is always asked for topics in use only"),
    Row::new(
        "topic.blacklist",
        Kind::List,
        "",
        "Hide topics that match one of these patterns.",
    )
    .planned(),
    Row::new(
        "test.mock.num.brokers",
        Kind::Int(0, 10_000),
        "0",
        "Run on an embedded mock cluster with this many brokers instead of bootstrap.servers.",
    ),
    Row::new(
        "test.mock.broker.rtt",
        Kind::Int(0, 3_600_000),
        "0",
        "Round trip time of the embedded brokers, in milliseconds.",
    )
    .planned(),
];

pub(super) static CONNECTIONS: &[Row] = &[
    Row::new(
        "max.in.flight.requests.per.connection",
        Kind::Int(1, I32),
        "5",
        "Requests on a connection that may wait for their response. Above 1, order within a \
         partition is only kept with idempotence, where 5 is the most.",
    )
    .alias(&["max.in.flight"])
    .librdkafka("1000000"),
    Row::new(
        "connections.max.idle.ms",
        Kind::Int(-1, I64),
        "540000",
        "Close a connection that was idle for this long; -1 never.",
    )
    .librdkafka("0")
    .librdkafka_means("0 never closes."),
    Row::new(
        "reconnect.backoff.ms",
        Kind::Int(0, I64),
        "50",
        "Pause before the second attempt to connect to a broker; it doubles, up to \
         reconnect.backoff.max.ms. Set alone (compat=java), it sets both.",
    )
    .librdkafka("100"),
    Row::new(
        "reconnect.backoff.max.ms",
        Kind::Int(0, I64),
        "1000",
        "Longest pause before another attempt to connect to a broker.",
    )
    .librdkafka("10000"),
    Row::new(
        "socket.connection.setup.timeout.ms",
        Kind::Int(1, I64),
        "10000",
        "Time to establish a connection; doubles with each failure in a row.",
    )
    .librdkafka("30000"),
    Row::new(
        "socket.connection.setup.timeout.max.ms",
        Kind::Int(1, I64),
        "30000",
        "Longest time to establish a connection.",
    ),
    Row::new(
        "send.buffer.bytes",
        Kind::Int(-1, I32),
        "-1",
        "SO_SNDBUF; -1 and 0 leave the system's, which adapts to long links (Java: 131072).",
    )
    .alias(&["socket.send.buffer.bytes"]),
    Row::new(
        "receive.buffer.bytes",
        Kind::Int(-1, I32),
        "-1",
        "SO_RCVBUF; -1 and 0 leave the system's, which adapts to long links (Java: 32768).",
    )
    .alias(&["socket.receive.buffer.bytes"]),
    Row::new("socket.keepalive.enable", Kind::Bool, "true", "SO_KEEPALIVE.").librdkafka("false"),
    Row::new("socket.nagle.disable", Kind::Bool, "true", "TCP_NODELAY."),
    Row::new(
        "receive.message.max.bytes",
        Kind::Int(1000, I32),
        "100000000",
        "Largest response taken from a broker; a larger one drops the connection.",
    ),
    Row::new(
        "broker.address.family",
        Kind::Words(&["any", "v4", "v6"]),
        "any",
        "Connect over IPv4 only, over IPv6 only, or over both.",
    ),
    Row::new(
        "broker.address.ttl",
        Kind::Int(0, 86_400_000),
        "1000",
        "How long librdkafka keeps a resolved address.",
    )
    .ignored("names are resolved again when every address they had was tried"),
    Row::new(
        "socket.max.fails",
        Kind::Int(0, 1_000_000),
        "1",
        "Failed requests before librdkafka disconnects.",
    )
    .ignored("a request that times out always drops its connection"),
    Row::new(
        "socket.blocking.max.ms",
        Kind::Int(1, 60_000),
        "1000",
        "Longest time a socket operation may block.",
    )
    .ignored(NO_EFFECT),
    Row::new(
        "reconnect.backoff.jitter.ms",
        Kind::Int(0, 3_600_000),
        "0",
        "Spread of the pause before reconnecting.",
    )
    .ignored(NO_EFFECT),
    Row::new(
        "enable.sparse.connections",
        Kind::Bool,
        "true",
        "Connect only to brokers that are needed.",
    )
    .ignored("brokers are only connected to when they are needed"),
    Row::new("api.version.request", Kind::Bool, "true", "Ask brokers for their versions.")
        .ignored("brokers are always asked for their versions"),
    Row::new(
        "api.version.request.timeout.ms",
        Kind::Int(1, 300_000),
        "10000",
        "How long to wait for a broker's versions.",
    )
    .ignored("the time limits of requests and connection set-up apply"),
    Row::new(
        "api.version.fallback.ms",
        Kind::Int(0, 604_800_000),
        "0",
        "How long to assume broker.version.fallback after a failed version request.",
    )
    .ignored("brokers are always asked for their versions"),
    Row::new(
        "broker.version.fallback",
        Kind::Text,
        "0.10.0",
        "Version to assume of brokers that cannot be asked.",
    )
    .ignored("brokers are always asked for their versions"),
];
