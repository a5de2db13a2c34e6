//! Owns the step from settings to a `ProducerConfig`: defaults, units, and what a name means under
//! the chosen profile. What settings forbid each other is in `rules.rs`.

use std::sync::atomic::{AtomicU64, Ordering};

use super::table::{self, Row, Status};
use super::value::{self, Value};
use super::*;
use crate::error::{Error, ErrorCode, Result};

/// Numbers the producers of this process that were given no `client.id`.
static PRODUCERS: AtomicU64 = AtomicU64::new(1);

pub(super) fn resolve(map: &ConfigMap) -> Result<ProducerConfig> {
    let from = Reader { map, compat: map.compat() };
    let mut config = ProducerConfig {
        compat: from.compat,
        bootstrap: bootstrap(&from)?,
        identity: identity(&from)?,
        delivery: delivery(&from)?,
        batching: batching(&from)?,
        memory: memory(&from)?,
        partitioner: partitioner(&from)?,
        retry: retry(&from)?,
        connection: connection(&from)?,
        metadata: metadata(&from)?,
        metrics: metrics(&from)?,
        logging: logging(&from)?,
        warnings: from.ignored(),
    };
    rules::apply(&mut config, &|name| from.is_set(name))?;
    if config.identity.client_id.is_empty() {
        config.identity.client_id = match &config.identity.transactional_id {
            Some(id) => format!("producer-{id}"),
            None => format!("producer-{}", PRODUCERS.fetch_add(1, Ordering::Relaxed)),
        };
    }
    Ok(config)
}

/// Reads settings by the name of their row, defaults included.
struct Reader<'a> {
    map: &'a ConfigMap,
    compat: Compat,
}

impl Reader<'_> {
    fn value(&self, name: &str) -> Result<Value> {
        let (row, _) = table::find(name).ok_or_else(|| mistaken(name))?;
        match self.map.explicit(row) {
            Some((_, value)) => Ok(value.clone()),
            None => value::parse(row, name, row.default_for(self.compat)),
        }
    }

    fn is_set(&self, name: &str) -> bool {
        table::find(name).is_some_and(|(row, _)| self.map.explicit(row).is_some())
    }

    fn is_librdkafka(&self) -> bool {
        self.compat == Compat::Librdkafka
    }

    fn bool(&self, name: &str) -> Result<bool> {
        match self.value(name)? {
            Value::Bool(value) => Ok(value),
            _ => Err(mistaken(name)),
        }
    }

    fn optional(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name)? {
            Value::Int(value) => Ok(Some(value)),
            Value::Unset => Ok(None),
            _ => Err(mistaken(name)),
        }
    }

    /// A whole number in the type of its field; a larger one (on 32-bit machines) is cut to fit.
    fn int<T: TryFrom<i64> + Limit>(&self, name: &str) -> Result<T> {
        let value = self.optional(name)?.ok_or_else(|| mistaken(name))?;
        Ok(T::try_from(value).unwrap_or(T::MAX))
    }

    fn float(&self, name: &str) -> Result<f64> {
        match self.value(name)? {
            Value::Float(value) => Ok(value),
            _ => Err(mistaken(name)),
        }
    }

    fn word(&self, name: &str) -> Result<&'static str> {
        match self.value(name)? {
            Value::Word(word) => Ok(word),
            _ => Err(mistaken(name)),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<String>> {
        match self.value(name)? {
            Value::List(items) => Ok(items),
            Value::Unset => Ok(Vec::new()),
            _ => Err(mistaken(name)),
        }
    }

    fn text(&self, name: &str) -> Result<String> {
        match self.value(name)? {
            Value::Text(text) => Ok(text),
            _ => Err(mistaken(name)),
        }
    }

    /// Milliseconds where a value below `least` means that there is no limit.
    fn limit_ms(&self, name: &str, least: i64) -> Result<u64> {
        let value = self.optional(name)?;
        Ok(value.filter(|ms| *ms >= least).map_or(NEVER_MS, |ms| ms as u64))
    }

    /// A socket buffer, where -1 and 0 leave the system's.
    fn socket_buffer(&self, name: &str) -> Result<Option<usize>> {
        let value = self.optional(name)?;
        Ok(value.and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes > 0))
    }

    /// One warning for each setting that was set for nothing.
    fn ignored(&self) -> Vec<String> {
        let why = |row: &Row| {
            match row.status {
            Status::Ignored(why) => Some(why),
            _ if row.name == "metadata.max.age.ms" && self.is_librdkafka() => Some(
                "metadata does not expire; topic.metadata.refresh.interval.ms says how often it is \
                 refreshed",
            ),
            _ => None,
        }
        };
        let set = |row| self.map.explicit(row).map(|(spelling, _)| spelling);
        table::rows()
            .filter_map(|row| Some((set(row)?, why(row)?)))
            .map(|(spelling, why)| format!("`{spelling}` is accepted but ignored: {why}"))
            .collect()
    }
}

/// The largest value of a field's type.
trait Limit {
    const MAX: Self;
}

macro_rules! limits {
    ($($type:ty)*) => { $(impl Limit for $type { const MAX: $type = <$type>::MAX; })* };
}
limits!(u8 i32 u32 u64 usize);

/// A mistake in this file or in the table; the tests read every field once.
fn mistaken(name: &str) -> Error {
    Error::new(ErrorCode::PANIC, format!("the table of settings does not fit `{name}`"))
}

fn bootstrap(from: &Reader) -> Result<BootstrapSettings> {
    let Value::Servers(servers) = from.value("bootstrap.servers")? else {
        return Err(mistaken("bootstrap.servers"));
    };
    let dns_lookup = match from.word("client.dns.lookup")? {
        "use_all_dns_ips" => DnsLookup::UseAllDnsIps,
        _ => DnsLookup::ResolveCanonicalBootstrapServersOnly,
    };
    let mock_num_brokers = from.int("test.mock.num.brokers")?;
    Ok(BootstrapSettings { servers, dns_lookup, mock_num_brokers })
}

fn identity(from: &Reader) -> Result<IdentitySettings> {
    let transactional_id = from.text("transactional.id")?;
    Ok(IdentitySettings {
        client_id: from.text("client.id")?,
        client_rack: from.text("client.rack")?,
        software_name: from.text("client.software.name")?,
        software_version: from.text("client.software.version")?,
        idempotence: from.bool("enable.idempotence")?,
        idempotence_demanded: from.is_set("enable.idempotence"),
        transactional_id: (!transactional_id.is_empty()).then_some(transactional_id),
        transaction_timeout_ms: from.int("transaction.timeout.ms")?,
    })
}

fn delivery(from: &Reader) -> Result<DeliverySettings> {
    let acks = match from.word("acks")? {
        "0" => 0,
        "1" => 1,
        _ => -1,
    };
    let shortest = if from.is_librdkafka() { 1 } else { 0 };
    Ok(DeliverySettings {
        acks,
        ack_timeout_ms: from.int("request.timeout.ms")?,
        delivery_timeout_ms: from.limit_ms("delivery.timeout.ms", shortest)?,
        report_timestamps: from.bool("report.timestamps")?,
        report_only_errors: from.bool("delivery.report.only.error")?,
    })
}

fn batching(from: &Reader) -> Result<BatchingSettings> {
    let compression = codec(from.word("compression.type")?).unwrap_or(Compression::None);
    check_built(compression)?;
    Ok(BatchingSettings {
        batch_size_bytes: from.int::<usize>("batch.size")?.max(1),
        batch_num_messages: from.int("batch.num.messages")?,
        linger_us: (from.float("linger.ms")? * 1000.0).round() as u64,
        max_request_size_bytes: from.int("max.request.size")?,
        compression,
        compression_level: compression_level(from, compression)?,
        topic_compression: topic_compression(from)?,
    })
}

fn codec(word: &str) -> Option<Compression> {
    Some(match word {
        "none" => Compression::None,
        "gzip" => Compression::Gzip,
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4,
        "zstd" => Compression::Zstd,
        _ => return None,
    })
}

fn topic_compression(from: &Reader) -> Result<Vec<(String, Compression, Option<i32>)>> {
    let mut topics: Vec<(String, Compression, Option<i32>)> = Vec::new();
    for pair in from.list("compression.topics")? {
        let parts = pair.split_once('=').map(|(topic, word)| (topic.trim(), codec(word.trim())));
        let Some((topic, Some(compression))) = parts.filter(|(topic, _)| !topic.is_empty()) else {
            let text = format!(
                "`compression.topics` has `{}` where topic=codec is due, with one of none, gzip, snappy, \
                 lz4, zstd",
                value::shorten(&pair)
            );
            return Err(Error::new(ErrorCode::CONFIG, text));
        };
        if topics.iter().any(|(known, ..)| known == topic) {
            let text =
                format!("`compression.topics` names the topic `{}` twice", value::shorten(topic));
            return Err(Error::new(ErrorCode::CONFIG, text));
        }
        check_built(compression)?;
        topics.push((topic.to_owned(), compression, compression_level(from, compression)?));
    }
    Ok(topics)
}

/// Each codec is a cargo feature.
fn check_built(compression: Compression) -> Result<()> {
    let (name, built) = match compression {
        Compression::None => return Ok(()),
        Compression::Gzip => ("gzip", cfg!(feature = "gzip")),
        Compression::Snappy => ("snappy", cfg!(feature = "snappy")),
        Compression::Lz4 => ("lz4", cfg!(feature = "lz4")),
        Compression::Zstd => ("zstd", cfg!(feature = "zstd")),
    };
    if built {
        return Ok(());
    }
    let text = format!(
        "`compression.type` cannot be set to `{name}`: this ottla was built without its cargo feature"
    );
    Err(Error::new(ErrorCode::UNSUPPORTED, text))
}

/// The level in the codec's own numbers: what its own row says, else `compression.level`.
fn compression_level(from: &Reader, compression: Compression) -> Result<Option<i32>> {
    let own = match compression {
        Compression::None | Compression::Snappy => return Ok(None),
        Compression::Gzip => "compression.gzip.level",
        Compression::Lz4 => "compression.lz4.level",
        Compression::Zstd => "compression.zstd.level",
    };
    let general = from.int::<i32>("compression.level")?;
    if from.is_set(own) || general == -1 {
        let level = from.int::<i32>(own)?;
        // gzip's -1 is its default, and no level of its own.
        return Ok(Some(level).filter(|&level| compression != Compression::Gzip || level != -1));
    }
    Ok(Some(match (compression, general) {
        // librdkafka hands the level to lz4's own library, where those below 3 are the fast ones; 9, which
        // is the fast one in Java's numbers, is a slow one there.
        (Compression::Lz4, ..=2) => 9,
        (Compression::Lz4, 9) => 10,
        _ => general,
    }))
}

fn memory(from: &Reader) -> Result<MemorySettings> {
    let kbytes = from.optional("queue.buffering.max.kbytes")?;
    let buffer_memory_bytes = match kbytes {
        Some(kbytes) => usize::try_from(kbytes.saturating_mul(1024)).unwrap_or(usize::MAX),
        None => from.int("buffer.memory")?,
    };
    Ok(MemorySettings {
        buffer_memory_bytes,
        max_messages: from.int("queue.buffering.max.messages")?,
        max_block_ms: from.int("max.block.ms")?,
        send_wait: from.bool("send.wait")?,
    })
}

fn partitioner(from: &Reader) -> Result<PartitionerSettings> {
    let strategy = match from.word("partitioner")? {
        "random" => PartitionerStrategy::Random,
        "consistent" => PartitionerStrategy::Consistent,
        "consistent_random" => PartitionerStrategy::ConsistentRandom,
        "murmur2" => PartitionerStrategy::Murmur2,
        "murmur2_random" => PartitionerStrategy::Murmur2Random,
        "fnv1a" => PartitionerStrategy::Fnv1a,
        "fnv1a_random" => PartitionerStrategy::Fnv1aRandom,
        _ => PartitionerStrategy::BuiltIn,
    };
    Ok(PartitionerSettings {
        strategy,
        adaptive: from.bool("partitioner.adaptive.partitioning.enable")?,
        availability_timeout_ms: from.int("partitioner.availability.timeout.ms")?,
        ignore_keys: from.bool("partitioner.ignore.keys")?,
        rack_aware: from.bool("partitioner.rack.aware")?,
    })
}

fn retry(from: &Reader) -> Result<RetrySettings> {
    Ok(RetrySettings {
        retries: from.int("retries")?,
        backoff_ms: from.int("retry.backoff.ms")?,
        backoff_max_ms: from.int("retry.backoff.max.ms")?,
    })
}

fn connection(from: &Reader) -> Result<ConnectionSettings> {
    let request_timeout_ms = match from.optional("socket.timeout.ms")? {
        Some(ms) => ms as u64,
        None => from.int("request.timeout.ms")?,
    };
    let shortest_idle = if from.is_librdkafka() { 1 } else { 0 };
    let address_family = match from.word("broker.address.family")? {
        "v4" => AddressFamily::V4,
        "v6" => AddressFamily::V6,
        _ => AddressFamily::Any,
    };
    Ok(ConnectionSettings {
        request_timeout_ms,
        max_in_flight: from.int("max.in.flight.requests.per.connection")?,
        max_idle_ms: from.limit_ms("connections.max.idle.ms", shortest_idle)?,
        reconnect_backoff_ms: from.int("reconnect.backoff.ms")?,
        reconnect_backoff_max_ms: from.int("reconnect.backoff.max.ms")?,
        setup_timeout_ms: from.int("socket.connection.setup.timeout.ms")?,
        setup_timeout_max_ms: from.int("socket.connection.setup.timeout.max.ms")?,
        send_buffer_bytes: from.socket_buffer("send.buffer.bytes")?,
        receive_buffer_bytes: from.socket_buffer("receive.buffer.bytes")?,
        keepalive: from.bool("socket.keepalive.enable")?,
        no_delay: from.bool("socket.nagle.disable")?,
        max_response_bytes: from.int("receive.message.max.bytes")?,
        address_family,
    })
}

fn metadata(from: &Reader) -> Result<MetadataSettings> {
    let interval = from.optional("topic.metadata.refresh.interval.ms")?;
    let max_age_ms = match interval {
        Some(_) => from.limit_ms("topic.metadata.refresh.interval.ms", 0)?,
        None => from.int("metadata.max.age.ms")?,
    };
    Ok(MetadataSettings {
        max_age_ms,
        max_idle_ms: from.int("metadata.max.idle.ms")?,
        rebootstrap: from.word("metadata.recovery.strategy")? == "rebootstrap",
        rebootstrap_trigger_ms: from.int("metadata.recovery.rebootstrap.trigger.ms")?,
        allow_auto_create_topics: from.bool("allow.auto.create.topics")?,
        propagation_max_ms: from.limit_ms("topic.metadata.propagation.max.ms", 0)?,
    })
}

fn metrics(from: &Reader) -> Result<MetricsSettings> {
    let recording_level = match from.word("metrics.recording.level")? {
        "debug" => RecordingLevel::Debug,
        "trace" => RecordingLevel::Trace,
        _ => RecordingLevel::Info,
    };
    Ok(MetricsSettings {
        num_samples: from.int("metrics.num.samples")?,
        sample_window_ms: from.int("metrics.sample.window.ms")?,
        recording_level,
    })
}

fn logging(from: &Reader) -> Result<LoggingSettings> {
    let Value::List(debug) = from.value("debug")? else {
        return Err(mistaken("debug"));
    };
    Ok(LoggingSettings {
        level: from.int("log_level")?,
        debug,
        queue: from.bool("log.queue")?,
        connection_close: from.bool("log.connection.close")?,
    })
}
