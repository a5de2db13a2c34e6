//! Checks what a user of settings sees: names, parsing, messages, and the typed result. The rules
//! between settings have their own tests in `rules_tests.rs`, the table in `table_tests.rs`.

use proptest::prelude::*;

use super::*;
use crate::error::{Error, ErrorCode};

const SERVERS: (&str, &str) = ("bootstrap.servers", "localhost:9092");

pub(super) fn build(pairs: &[(&str, &str)]) -> ProducerConfig {
    let all = std::iter::once(SERVERS).chain(pairs.iter().copied());
    ProducerConfig::from_pairs(all).unwrap()
}

pub(super) fn refused(pairs: &[(&str, &str)]) -> Error {
    let all = std::iter::once(SERVERS).chain(pairs.iter().copied());
    ProducerConfig::from_pairs(all).unwrap_err()
}

fn servers(text: &str) -> Vec<String> {
    let config = ProducerConfig::from_pairs([("bootstrap.servers", text)]).unwrap();
    config.bootstrap.servers.iter().map(ToString::to_string).collect()
}

#[test]
fn defaults_are_those_of_java() {
    let config = build(&[]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.compat, Compat::Java);
    assert_eq!(config.delivery.acks, -1);
    assert_eq!(config.delivery.delivery_timeout_ms, 120_000);
    assert_eq!(config.delivery.ack_timeout_ms, 30_000);
    assert_eq!(config.connection.request_timeout_ms, 30_000);
    assert_eq!(config.connection.max_in_flight, 5);
    assert_eq!(config.connection.max_idle_ms, 540_000);
    assert_eq!(config.connection.send_buffer_bytes, None);
    assert_eq!(config.batching.batch_size_bytes, 16_384);
    assert_eq!(config.batching.batch_num_messages, 0);
    assert_eq!(config.batching.linger_us, 5_000);
    assert_eq!(config.batching.max_request_size_bytes, 1_048_576);
    assert_eq!(config.memory.buffer_memory_bytes, 33_554_432);
    assert_eq!(config.memory.max_messages, 0);
    assert_eq!(config.retry.retries, i32::MAX as u32);
    assert_eq!(config.metadata.max_age_ms, 300_000);
    assert_eq!(config.metadata.propagation_max_ms, NEVER_MS);
    assert_eq!(config.partitioner.strategy, PartitionerStrategy::BuiltIn);
    assert!(config.memory.send_wait && config.metadata.rebootstrap);
    assert!(config.identity.idempotence && !config.identity.idempotence_demanded);
    assert!(!config.delivery.report_timestamps);
}

#[test]
fn the_librdkafka_profile_has_its_defaults_and_meanings() {
    let config = build(&[("compat", "librdkafka")]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.compat, Compat::Librdkafka);
    assert_eq!(config.identity.client_id, "rdkafka");
    assert_eq!(config.delivery.delivery_timeout_ms, 300_000);
    assert_eq!(config.delivery.ack_timeout_ms, 30_000);
    assert_eq!(config.connection.request_timeout_ms, 60_000);
    assert_eq!(config.connection.max_in_flight, 1_000_000);
    assert_eq!(config.connection.max_idle_ms, NEVER_MS);
    assert_eq!(config.batching.batch_size_bytes, 1_000_000);
    assert_eq!(config.batching.batch_num_messages, 10_000);
    assert_eq!(config.memory.buffer_memory_bytes, 1 << 30);
    assert_eq!(config.memory.max_messages, 100_000);
    assert_eq!(config.metadata.max_age_ms, 300_000);
    assert_eq!(config.metadata.propagation_max_ms, 30_000);
    assert_eq!(config.partitioner.strategy, PartitionerStrategy::ConsistentRandom);

    let names = [("request.timeout.ms", "7000"), ("metadata.max.age.ms", "8000")];
    let java = build(&names);
    assert_eq!((java.connection.request_timeout_ms, java.delivery.ack_timeout_ms), (7000, 7000));
    assert_eq!(java.metadata.max_age_ms, 8000);
    let librdkafka = build(&[names[0], names[1], ("compat", "librdkafka")]);
    assert_eq!(librdkafka.connection.request_timeout_ms, 60_000);
    assert_eq!(librdkafka.delivery.ack_timeout_ms, 7000);
    assert_eq!(librdkafka.metadata.max_age_ms, 300_000);
    assert!(librdkafka.warnings[0].contains("metadata.max.age.ms"));

    let endless = build(&[("message.timeout.ms", "0"), ("compat", "librdkafka")]);
    assert_eq!(endless.delivery.delivery_timeout_ms, NEVER_MS);
    let on_demand =
        build(&[("topic.metadata.refresh.interval.ms", "-1"), ("compat", "librdkafka")]);
    assert_eq!(on_demand.metadata.max_age_ms, NEVER_MS);
}

#[test]
fn aliases_reach_the_same_setting() {
    let config = build(&[
        ("request.required.acks", "1"),
        ("queue.buffering.max.ms", "0.25"),
        ("message.max.bytes", "2000"),
        ("max.in.flight", "2"),
        ("message.send.max.retries", "3"),
        ("socket.send.buffer.bytes", "0"),
        ("socket.receive.buffer.bytes", "4096"),
        ("queue.buffering.max.kbytes", "64"),
        ("socket.timeout.ms", "20000"),
    ]);
    assert_eq!(config.delivery.acks, 1);
    assert_eq!(config.batching.linger_us, 250);
    assert_eq!(config.batching.max_request_size_bytes, 2000);
    assert_eq!(config.connection.max_in_flight, 2);
    assert_eq!(config.retry.retries, 3);
    assert_eq!(config.connection.send_buffer_bytes, None);
    assert_eq!(config.connection.receive_buffer_bytes, Some(4096));
    assert_eq!(config.memory.buffer_memory_bytes, 65_536);
    assert_eq!(config.connection.request_timeout_ms, 20_000);
    assert_eq!(config.delivery.ack_timeout_ms, 30_000);
}

#[test]
fn two_names_of_one_setting_must_agree() {
    let agree = build(&[("linger.ms", "7"), ("queue.buffering.max.ms", "7.0")]);
    assert_eq!(agree.batching.linger_us, 7000);
    let error = refused(&[("linger.ms", "7"), ("queue.buffering.max.ms", "8")]);
    assert_eq!(error.code(), ErrorCode::CONFIG);
    assert!(error.message().contains("linger.ms") && error.message().contains("queue.buffering"));
}

#[test]
fn every_word_means_its_own_value() {
    let words = ["random", "consistent", "consistent_random", "murmur2", "murmur2_random"];
    let words = words.into_iter().chain(["fnv1a", "fnv1a_random", "default"]);
    let strategies: std::collections::HashSet<String> = words
        .map(|word| format!("{:?}", build(&[("partitioner", word)]).partitioner.strategy))
        .collect();
    assert_eq!(strategies.len(), 8);
    let sticky = build(&[("partitioner", "Uniform_Sticky")]);
    assert_eq!(sticky.partitioner.strategy, PartitionerStrategy::BuiltIn);

    for (text, acks) in [("all", -1), ("-1", -1), (" ALL ", -1), ("0", 0), ("1", 1)] {
        assert_eq!(build(&[("acks", text)]).delivery.acks, acks);
    }
    for (text, family) in [("v4", AddressFamily::V4), ("v6", AddressFamily::V6)] {
        assert_eq!(build(&[("broker.address.family", text)]).connection.address_family, family);
    }
    for (text, level) in [("DEBUG", RecordingLevel::Debug), ("trace", RecordingLevel::Trace)] {
        assert_eq!(build(&[("metrics.recording.level", text)]).metrics.recording_level, level);
    }
    let canonical = "resolve_canonical_bootstrap_servers_only";
    assert_eq!(
        build(&[("client.dns.lookup", canonical)]).bootstrap.dns_lookup,
        DnsLookup::ResolveCanonicalBootstrapServersOnly
    );
    assert!(!build(&[("metadata.recovery.strategy", "NONE")]).metadata.rebootstrap);
    build(&[("buffer.memory.allocation.strategy", "INCREMENTAL")]);
}

#[test]
fn blanks_and_both_spellings_of_booleans_are_taken() {
    assert_eq!(build(&[("batch.size", " 100 ")]).batching.batch_size_bytes, 100);
    for (text, value) in [("TRUE", true), ("t", true), ("1", true), ("False", false), ("0", false)]
    {
        assert_eq!(build(&[("socket.nagle.disable", text)]).connection.no_delay, value);
    }
    assert!(refused(&[("socket.nagle.disable", "yes")]).message().contains("true or false"));
    assert_eq!(build(&[("debug", "broker, topic,,")]).logging.debug, ["broker", "topic"]);
}

#[test]
fn a_bad_value_is_refused_with_key_value_and_range() {
    for (key, text, range) in [
        ("batch.size", "-1", "a whole number from 0 to 2147483647"),
        ("batch.size", "", "a whole number"),
        ("batch.size", "1e3", "a whole number"),
        ("linger.ms", "inf", "a number from 0 to 2147483647"),
        ("linger.ms", "NaN", "a number"),
        ("linger.ms", "-0.5", "a number"),
        ("acks", "2", "one of all, -1, 0, 1"),
        ("metadata.max.idle.ms", "4999", "a whole number from 5000 up"),
        ("queue.buffering.max.ms", "x", "a number"),
    ] {
        let error = refused(&[(key, text)]);
        assert_eq!(error.code(), ErrorCode::CONFIG);
        let wanted = format!("`{key}` must be {range}");
        assert!(error.message().starts_with(&wanted), "{error}");
        assert!(error.message().ends_with(&format!("not `{text}`")), "{error}");
    }
    let long = "9".repeat(1000);
    assert!(refused(&[("batch.size", &long)]).message().len() < 300);
    assert!(refused(&[("acks", &long)]).message().len() < 300);
    assert!(refused(&[("client.id", &long.repeat(33))]).message().contains("32767"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name() {
    for (key, near) in [
        ("linger.msec", Some("linger.ms")),
        ("bootstrap.server", Some("bootstrap.servers")),
        ("acsk", Some("acks")),
        ("max.in.fligth", Some("max.in.flight")),
        ("group.id", None),
        ("no.such.thing.at.all", None),
    ] {
        let error = ConfigMap::new().set(key, "hunter2").unwrap_err();
        assert_eq!(error.code(), ErrorCode::CONFIG);
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        assert_eq!(error.message(), format!("there is no setting `{key}`{hint}"));
    }
}

#[test]
fn each_codec_has_its_level() {
    let level = |settings: &[(&str, &str)]| {
        let batching = build(settings).batching;
        (batching.compression, batching.compression_level)
    };
    for (settings, expected) in [
        (&[][..], (Compression::None, None)),
        (
            &[("compression.codec", "snappy"), ("compression.level", "5")],
            (Compression::Snappy, None),
        ),
        (&[("compression.type", "gzip")], (Compression::Gzip, None)),
        (
            &[("compression.type", "gzip"), ("compression.gzip.level", "1")],
            (Compression::Gzip, Some(1)),
        ),
        (&[("compression.type", "lz4")], (Compression::Lz4, Some(9))),
        (
            &[("compression.type", "lz4"), ("compression.lz4.level", "17")],
            (Compression::Lz4, Some(17)),
        ),
        (&[("compression.type", "zstd")], (Compression::Zstd, Some(3))),
        (
            &[("compression.type", "zstd"), ("compression.zstd.level", "-131072")],
            (Compression::Zstd, Some(-131_072)),
        ),
        (
            &[("compression.type", "zstd"), ("compression.level", "12")],
            (Compression::Zstd, Some(12)),
        ),
        (&[("compression.type", "gzip"), ("compression.level", "0")], (Compression::Gzip, Some(0))),
        // The codec's own row counts before the general one.
        (
            &[
                ("compression.type", "zstd"),
                ("compression.level", "12"),
                ("compression.zstd.level", "1"),
            ],
            (Compression::Zstd, Some(1)),
        ),
        // librdkafka's numbers for lz4: below 3 the fast one, 9 a slow one.
        (&[("compression.type", "lz4"), ("compression.level", "2")], (Compression::Lz4, Some(9))),
        (&[("compression.type", "lz4"), ("compression.level", "3")], (Compression::Lz4, Some(3))),
        (&[("compression.type", "lz4"), ("compression.level", "9")], (Compression::Lz4, Some(10))),
    ] {
        assert_eq!(level(settings), expected, "{settings:?}");
    }
    refused(&[("compression.zstd.level", "23")]);
    refused(&[("compression.lz4.level", "0")]);
}

#[test]
fn a_topic_may_have_its_own_codec() {
    let settings = [
        ("compression.topics", "logs=zstd, images = none,metrics=lz4"),
        ("compression.type", "gzip"),
        ("compression.zstd.level", "7"),
    ];
    let batching = build(&settings).batching;
    assert_eq!(batching.compression, Compression::Gzip);
    let own = |topic: &str, codec, level| (topic.to_owned(), codec, level);
    let expected = [
        own("logs", Compression::Zstd, Some(7)),
        own("images", Compression::None, None),
        own("metrics", Compression::Lz4, Some(9)),
    ];
    assert_eq!(batching.topic_compression, expected);
    for wrong in ["logs", "=zstd", "logs=zip", "logs=", "a=lz4,a=none"] {
        refused(&[("compression.topics", wrong)]);
    }
}

#[test]
fn what_is_not_built_fails_loudly_unless_it_is_off() {
    for (key, on, off) in [
        ("security.protocol", "SASL_SSL", "PLAINTEXT"),
        ("statistics.interval.ms", "1000", "0"),
        ("enable.metrics.push", "true", "false"),
        ("sasl.mechanisms", "PLAIN", "GSSAPI"),
        ("ssl.ca.location", "/etc/ca.pem", ""),
        ("sasl.kerberos.service.name", "broker", "kafka"),
        ("sasl.login.connect.timeout.ms", "10", ""),
    ] {
        let error = refused(&[(key, on)]);
        assert_eq!(error.code(), ErrorCode::UNSUPPORTED, "{key}");
        assert!(error.message().contains(key), "{error}");
        assert!(error.message().contains("not built into this version"), "{error}");
        build(&[(key, off)]);
    }
}

#[test]
fn what_has_no_use_here_is_accepted_with_one_warning() {
    let config = build(&[("ssl.provider", "SunJSSE"), ("api.version.request", "true")]);
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    assert!(config.warnings.iter().any(|w| w.contains("`ssl.provider` is accepted but ignored")));
    let twice = build(&[("queuing.strategy", "fifo"), ("sticky.partitioning.linger.ms", "20")]);
    assert_eq!(twice.warnings.len(), 1, "{:?}", twice.warnings);
}

#[test]
fn a_setting_that_names_code_says_what_to_do() {
    let error = refused(&[("partitioner.class", "org.example.Mine")]);
    assert_eq!(error.code(), ErrorCode::CONFIG);
    assert!(error.message().contains("partitioner function"), "{error}");
    build(&[("partitioner.class", "")]);
}

#[test]
fn servers_are_read_in_every_common_form() {
    assert_eq!(servers("a:1, b:2,,c"), ["a:1", "b:2", "c:9092"]);
    assert_eq!(servers("PLAINTEXT://h-1.x_y:9"), ["h-1.x_y:9"]);
    assert_eq!(servers("[::1]:93,[fe80::1%eth0]"), ["[::1]:93", "[fe80::1%eth0]:9092"]);
    for bad in ["a:0", "a:", "a:65536", ":1", "::1", "[::1", "[::1]9", "ssl://a:1", "a b:1", "ä:1"]
    {
        let error = ConfigMap::new().set("bootstrap.servers", bad).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CONFIG, "{bad}");
    }
}

#[test]
fn get_shows_what_will_be_used() {
    let mut map = ConfigMap::new();
    assert_eq!(map.get("linger.ms").unwrap(), "5");
    assert_eq!(map.get("partitioner").unwrap(), "default");
    map.set("queue.buffering.max.ms", " 2.50 ").unwrap();
    map.set("compat", "librdkafka").unwrap();
    assert_eq!(map.get("linger.ms").unwrap(), "2.5");
    assert_eq!(map.get("queue.buffering.max.ms").unwrap(), "2.5");
    assert_eq!(map.get("partitioner").unwrap(), "consistent_random");
    map.set("bootstrap.servers", "PLAINTEXT://a").unwrap();
    assert_eq!(map.get("metadata.broker.list").unwrap(), "a:9092");
    map.set("sasl.password", "").unwrap();
    assert_eq!(map.get("sasl.password").unwrap(), "[hidden]");
    assert_eq!(map.get("nothing").unwrap_err().code(), ErrorCode::CONFIG);
}

#[test]
fn clients_without_a_name_are_numbered() {
    let (one, two) = (build(&[]).identity.client_id, build(&[]).identity.client_id);
    assert!(one.starts_with("producer-") && two.starts_with("producer-"));
    assert_ne!(one, two);
    assert_eq!(build(&[("client.id", "me")]).identity.client_id, "me");
}

/// Keys that exist, and keys that do not.
fn any_key() -> impl Strategy<Value = String> {
    let known: Vec<&'static str> = table::rows().flat_map(|row| row.spellings()).collect();
    prop_oneof![
        9 => prop::sample::select(known).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// Text near what settings hold, and any other.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "-?[0-9]{0,21}", "[a-z0-9:,. \\[\\]/-]{0,40}", "true|0|all|none"]
}

proptest! {
    #[test]
    fn no_key_or_value_makes_it_panic(pairs in prop::collection::vec((any_key(), any_text()), 0..8)) {
        let mut map = ConfigMap::new();
        for (key, text) in &pairs {
            let _ = map.set(key, text);
            let _ = map.get(key);
        }
        let _ = map.build();
    }

    #[test]
    fn the_order_of_calls_does_not_matter(
        pairs in prop::collection::btree_map(any_key(), any_text(), 0..8),
        librdkafka: bool,
    ) {
        // A name of its own keeps the count of nameless producers out of the comparison.
        let compat = if librdkafka { "librdkafka" } else { "java" };
        let mut pairs = pairs;
        for (key, text) in [SERVERS, ("client.id", "me"), ("compat", compat)] {
            pairs.insert(key.to_owned(), text.to_owned());
        }
        let built = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
            let mut map = ConfigMap::new();
            for (key, text) in pairs {
                let _ = map.set(key, text);
            }
            format!("{:?}", map.build())
        };
        prop_assert_eq!(built(&mut pairs.iter()), built(&mut pairs.iter().rev()));
    }

    #[test]
    fn a_secret_is_never_shown(index: prop::sample::Index, secret in "[A-Z]{12,40}") {
        let rows: Vec<_> = table::rows().filter(|row| row.kind == table::Kind::Secret).collect();
        let row = index.get(&rows);
        let mut map = ConfigMap::new();
        let shown = match map.set(row.name, &secret) {
            Ok(()) => format!("{map:?} {} {:?}", map.get(row.name).unwrap(), map.build()),
            Err(error) => format!("{error:?} {error}"),
        };
        prop_assert!(!shown.contains(&secret), "{}", shown);
        prop_assert_eq!(format!("{:?}", Secret::new(&secret)), "[hidden]");
    }

    #[test]
    fn what_get_shows_can_be_set_again(key in any_key(), text in any_text()) {
        let mut map = ConfigMap::new();
        let secret = table::find(&key).is_some_and(|(row, _)| row.kind == table::Kind::Secret);
        if map.set(&key, &text).is_ok() && !secret {
            let mut again = ConfigMap::new();
            again.set(&key, &map.get(&key).unwrap()).unwrap();
            prop_assert_eq!(map, again);
        }
    }
}
