//! Owns the rows about metrics, logs and events, those that only mean something in another
//! runtime, and those that name code and are therefore given through the API.

use super::{Kind, Row};

const I64: i64 = i64::MAX;

const JVM: &str = "it only means something in a JVM";

pub(super) static OBSERVING: &[Row] = &[
    Row::new(
        "metrics.num.samples",
        Kind::Int(1, i32::MAX as i64),
        "2",
        "Windows kept for each rate and average.",
    ),
    Row::new("metrics.sample.window.ms", Kind::Int(0, I64), "30000", "Length of one window."),
    Row::new(
        "metrics.recording.level",
        Kind::Words(&["info", "debug", "trace"]),
        "info",
        "The most detailed metrics that are recorded.",
    ),
    Row::new(
        "enable.metrics.push",
        Kind::Bool,
        "false",
        "Push metrics to brokers that subscribe to them (KIP-714).",
    )
    .planned(),
    Row::new(
        "statistics.interval.ms",
        Kind::Int(0, 86_400_000),
        "0",
        "Emit statistics as JSON this often; 0 never.",
    )
    .planned(),
    Row::new(
        "log_level",
        Kind::Int(0, 7),
        "6",
        "Least important log lines that are emitted, in syslog's numbers: 3 errors, 6 information, \
         7 debugging.",
    ),
    Row::new(
        "debug",
        Kind::List,
        "",
        "Areas that log in detail, for example broker, topic, msg, all.",
    ),
    Row::new("log.connection.close", Kind::Bool, "true", "Log lost connections."),
    Row::new(
        "log.queue",
        Kind::Bool,
        "false",
        "Keep log lines and other events for ottla_producer_next_event (the newest 256).",
    ),
    Row::new("log.thread.name", Kind::Bool, "true", "Name the thread in log lines.")
        .ignored("one thread does all the work"),
    Row::new("builtin.features", Kind::List, "", "Features that must be compiled in.")
        .ignored("a setting that needs a feature which is missing fails by itself"),
    Row::new("enable.random.seed", Kind::Bool, "true", "Seed the C library's random numbers.")
        .ignored("the C library's random numbers are not used"),
    Row::new(
        "internal.termination.signal",
        Kind::Int(0, 128),
        "0",
        "Signal that librdkafka ends its threads with.",
    )
    .ignored("no thread blocks in a way that needs a signal"),
    Row::new(
        "config.providers",
        Kind::List,
        "",
        "Plugins that resolve references in other settings (KIP-297).",
    )
    .ignored(JVM),
    Row::new("security.providers", Kind::Text, "", "Security providers of the JVM.").ignored(JVM),
];

pub(super) static HOOKS: &[Row] = &[
    Row::hook("key.serializer", "ottla takes bytes: serialize the key before send"),
    Row::hook("value.serializer", "ottla takes bytes: serialize the value before send"),
    Row::hook("partitioner.class", PARTITIONER),
    Row::hook("partitioner_cb", PARTITIONER),
    Row::hook("interceptor.classes", INTERCEPTORS),
    Row::hook("interceptors", INTERCEPTORS),
    Row::hook("plugin.library.paths", INTERCEPTORS),
    Row::hook("metric.reporters", "ask the producer for its metrics as often as they are needed"),
    Row::hook("stats_cb", "ask the producer for its metrics as often as they are needed"),
    Row::hook("sasl.client.callback.handler.class", "give the credentials as settings"),
    Row::hook("sasl.login.callback.handler.class", TOKENS),
    Row::hook("sasl.oauthbearer.jwt.retriever.class", TOKENS),
    Row::hook("oauthbearer_token_refresh_cb", TOKENS),
    Row::hook("dr_cb", REPORTS),
    Row::hook("dr_msg_cb", REPORTS),
    Row::hook("error_cb", EVENTS),
    Row::hook("throttle_cb", EVENTS),
    Row::hook("log_cb", EVENTS),
    Row::hook("background_event_cb", EVENTS),
    Row::hook("enabled_events", EVENTS),
    Row::hook("opaque", "give the pointer together with the callback that needs it"),
    Row::hook("default_topic_conf", "give the settings to the producer; they hold for every topic"),
    Row::hook("msg_order_cmp", "records of a partition are always sent in the order of send"),
    Row::hook("ssl.certificate.verify_cb", "trust certificates through ssl.ca.location"),
    Row::hook("ssl_key", "give the key through ssl.key.location or ssl.key.pem"),
    Row::hook(
        "ssl_certificate",
        "give the certificate through ssl.certificate.location or ssl.certificate.pem",
    ),
    Row::hook("ssl_ca", "give trusted certificates through ssl.ca.location or ssl.ca.pem"),
    Row::hook("socket_cb", SYSTEM),
    Row::hook("connect_cb", SYSTEM),
    Row::hook("closesocket_cb", SYSTEM),
    Row::hook("open_cb", SYSTEM),
    Row::hook("resolve_cb", SYSTEM),
];

const PARTITIONER: &str =
    "give a partitioner function when the producer is created, or choose one \
                           by name with the setting partitioner";
const INTERCEPTORS: &str = "register interceptors when the producer is created";
const TOKENS: &str = "give a token callback when the producer is created";
const REPORTS: &str = "give a delivery callback when the producer is created, or poll for reports";
const EVENTS: &str = "give an event callback when the producer is created, or poll for events";
const SYSTEM: &str = "system calls cannot be replaced; test with test.mock.num.brokers";
