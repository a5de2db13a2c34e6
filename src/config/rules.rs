//! Owns the rules between settings, each one a function: what is refused, what is adjusted, and what
//! is said about it. It never parses text.
//!
//! The rules are those of the Java producer 4.x; where librdkafka judges otherwise, the profile
//! decides.

use super::{Compat, ProducerConfig};
use crate::error::{Error, ErrorCode, Result};

/// Most requests in flight with which brokers can still put a producer's batches in order.
const MAX_IN_FLIGHT_IDEMPOTENT: usize = 5;

/// Whether the user set the setting of this name.
type IsSet<'a> = &'a dyn Fn(&str) -> bool;

/// Applies every rule, in this order.
pub(super) fn apply(config: &mut ProducerConfig, is_set: IsSet) -> Result<()> {
    bootstrap(config)?;
    software(config)?;
    one_name_for_one_limit(config, is_set)?;
    idempotence(config, is_set)?;
    delivery_timeout(config, is_set)?;
    backoffs(config, is_set);
    buffer_memory(config, is_set)?;
    rack(config);
    Ok(())
}

fn refuse(message: String) -> Result<()> {
    Err(Error::new(ErrorCode::CONFIG, message))
}

fn bootstrap(config: &ProducerConfig) -> Result<()> {
    let bootstrap = &config.bootstrap;
    if bootstrap.servers.is_empty() && bootstrap.mock_num_brokers == 0 {
        return refuse("`bootstrap.servers` is required: a list of host:port".to_owned());
    }
    Ok(())
}

/// Brokers drop the connection of a client whose software name they cannot show (KIP-511).
fn software(config: &ProducerConfig) -> Result<()> {
    let shown = |text: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        edge(text.chars().next())
            && edge(text.chars().next_back())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    for (name, text) in [
        ("client.software.name", &config.identity.software_name),
        ("client.software.version", &config.identity.software_version),
    ] {
        if !shown(text) {
            return refuse(format!(
                "`{name}` must be letters and digits, with - and . between them, not `{text}`"
            ));
        }
    }
    Ok(())
}

/// Two settings that state one limit in two ways cannot both be set.
fn one_name_for_one_limit(config: &ProducerConfig, is_set: IsSet) -> Result<()> {
    let java = config.compat == Compat::Java;
    for (one, other, clash) in [
        ("buffer.memory", "queue.buffering.max.kbytes", true),
        ("metadata.max.age.ms", "topic.metadata.refresh.interval.ms", java),
    ] {
        if clash && is_set(one) && is_set(other) {
            return refuse(format!("`{one}` and `{other}` set the same limit; set only one"));
        }
    }
    Ok(())
}

/// Idempotence needs acks=all, retries and at most five requests in flight. By default it gives way
/// to acks and retries; asked for, it does not. Transactions need it, and bring it along where it is off by
/// default.
pub(super) fn idempotence(config: &mut ProducerConfig, is_set: IsSet) -> Result<()> {
    if config.identity.transactional_id.is_some() && !is_set("enable.idempotence") {
        config.identity.idempotence = true;
    }
    let against = match (config.delivery.acks, config.retry.retries) {
        (-1, 1..) => None,
        (-1, 0) => Some("`retries` is 0"),
        _ => Some("`acks` is not all"),
    };
    if let Some(against) = against.filter(|_| config.identity.idempotence) {
        if is_set("enable.idempotence") {
            return refuse(format!("`enable.idempotence` is true, but {against}"));
        }
        if config.identity.transactional_id.is_some() {
            return refuse(format!("`transactional.id` is set, but {against}"));
        }
        config.identity.idempotence = false;
        config.warnings.push(format!("idempotence is off because {against}"));
    }

    let name = "max.in.flight.requests.per.connection";
    let in_flight = config.connection.max_in_flight;
    if config.identity.idempotence && in_flight > MAX_IN_FLIGHT_IDEMPOTENT {
        if config.compat == Compat::Java || is_set(name) {
            return refuse(format!(
                "`{name}` is {in_flight}, but with idempotence at most {MAX_IN_FLIGHT_IDEMPOTENT}"
            ));
        }
        config.connection.max_in_flight = MAX_IN_FLIGHT_IDEMPOTENT;
    }

    if config.identity.transactional_id.is_some() && !config.identity.idempotence {
        return refuse("`transactional.id` is set, but `enable.idempotence` is false".to_owned());
    }
    Ok(())
}

/// Java: a record must have time for one linger and one request. librdkafka: more than one linger.
fn delivery_timeout(config: &mut ProducerConfig, is_set: IsSet) -> Result<()> {
    let timeout_ms = config.delivery.delivery_timeout_ms;
    let linger_us = config.batching.linger_us;
    if config.compat == Compat::Librdkafka {
        let timeout_us = timeout_ms.saturating_mul(1000);
        if timeout_us > linger_us {
            return Ok(());
        }
        if is_set("linger.ms") {
            return refuse(format!(
                "`message.timeout.ms` is {timeout_ms}, but it must be more than `linger.ms`"
            ));
        }
        config.batching.linger_us = timeout_us - 100;
        return Ok(());
    }

    let request_ms = config.connection.request_timeout_ms;
    let needed_ms = linger_us.div_ceil(1000).saturating_add(request_ms);
    if timeout_ms >= needed_ms {
        return Ok(());
    }
    if is_set("delivery.timeout.ms") {
        return refuse(format!(
            "`delivery.timeout.ms` is {timeout_ms}, but it must be at least `linger.ms` plus \
             `request.timeout.ms`, {needed_ms}"
        ));
    }
    config.delivery.delivery_timeout_ms = needed_ms;
    config.warnings.push(format!(
        "`delivery.timeout.ms` is raised to {needed_ms}, `linger.ms` plus `request.timeout.ms`"
    ));
    Ok(())
}

/// A first pause above the limit makes every pause as long as the limit.
fn backoffs(config: &mut ProducerConfig, is_set: IsSet) {
    let connection = &mut config.connection;
    let alone = is_set("reconnect.backoff.ms") && !is_set("reconnect.backoff.max.ms");
    if config.compat == Compat::Java && alone {
        connection.reconnect_backoff_max_ms = connection.reconnect_backoff_ms;
    }
    for (name, first_ms, limit_ms) in [
        ("retry.backoff", &mut config.retry.backoff_ms, config.retry.backoff_max_ms),
        (
            "reconnect.backoff",
            &mut connection.reconnect_backoff_ms,
            connection.reconnect_backoff_max_ms,
        ),
        (
            "socket.connection.setup.timeout",
            &mut connection.setup_timeout_ms,
            connection.setup_timeout_max_ms,
        ),
    ] {
        if *first_ms > limit_ms {
            config.warnings.push(format!(
                "`{name}.ms` is above `{name}.max.ms`: it is always {limit_ms}, without growth"
            ));
            *first_ms = limit_ms;
        }
    }
}

/// Java takes a pool smaller than a batch and then fails every send; librdkafka has no such pool, so
/// its default batch shrinks to what was given.
fn buffer_memory(config: &mut ProducerConfig, is_set: IsSet) -> Result<()> {
    let memory = config.memory.buffer_memory_bytes;
    let batch = &mut config.batching.batch_size_bytes;
    if memory >= *batch {
        return Ok(());
    }
    if config.compat == Compat::Java || is_set("batch.size") {
        return refuse(format!(
            "`buffer.memory` is {memory} bytes, less than `batch.size`, {batch}"
        ));
    }
    *batch = memory;
    config.warnings.push(format!("`batch.size` is lowered to {memory}, all memory there is"));
    Ok(())
}

fn rack(config: &mut ProducerConfig) {
    if config.partitioner.rack_aware && config.identity.client_rack.is_empty() {
        let warning = "`partitioner.rack.aware` has no effect without `client.rack`";
        config.warnings.push(warning.to_owned());
    }
}
