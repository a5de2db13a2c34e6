//! Checks each rule between settings once where it holds and once where it does not.

use super::tests::{build, refused};
use super::*;
use crate::error::ErrorCode;

#[test]
fn bootstrap_servers_or_a_mock_cluster_are_required() {
    let none: [(&str, &str); 0] = [];
    for pairs in [&none[..], &[("bootstrap.servers", " , ")]] {
        let error = ProducerConfig::from_pairs(pairs.iter().copied()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CONFIG);
        assert!(error.message().contains("`bootstrap.servers` is required"));
    }
    let mock = ProducerConfig::from_pairs([("test.mock.num.brokers", "3")]).unwrap();
    assert_eq!(mock.bootstrap.mock_num_brokers, 3);
}

#[test]
fn delivery_time_covers_linger_and_one_request() {
    let short = [("linger.ms", "1.5"), ("request.timeout.ms", "100")];
    build(&[short[0], short[1], ("delivery.timeout.ms", "102")]);
    let error = refused(&[short[0], short[1], ("message.timeout.ms", "101")]);
    assert_eq!(error.code(), ErrorCode::CONFIG);
    assert!(error.message().contains("at least"), "{error}");

    let raised = build(&[("request.timeout.ms", "200000")]);
    assert_eq!(raised.delivery.delivery_timeout_ms, 200_005);
    assert_eq!(raised.warnings.len(), 1);
}

#[test]
fn librdkafka_only_wants_more_than_one_linger() {
    let compat = ("compat", "librdkafka");
    let short = build(&[compat, ("message.timeout.ms", "100")]);
    assert_eq!(short.delivery.delivery_timeout_ms, 100);
    let shorter = build(&[compat, ("message.timeout.ms", "3")]);
    assert_eq!(shorter.batching.linger_us, 2900);
    let error = refused(&[compat, ("message.timeout.ms", "3"), ("linger.ms", "3")]);
    assert!(error.message().contains("more than `linger.ms`"), "{error}");
}

#[test]
fn a_reconnect_backoff_set_alone_does_not_grow() {
    let alone = build(&[("reconnect.backoff.ms", "2000")]).connection;
    assert_eq!((alone.reconnect_backoff_ms, alone.reconnect_backoff_max_ms), (2000, 2000));
    let both = build(&[("reconnect.backoff.ms", "20"), ("reconnect.backoff.max.ms", "200")]);
    assert_eq!(both.connection.reconnect_backoff_max_ms, 200);
    let other = build(&[("compat", "librdkafka"), ("reconnect.backoff.ms", "200")]);
    assert_eq!(other.connection.reconnect_backoff_max_ms, 10_000);
}

#[test]
fn a_backoff_above_its_limit_is_constant() {
    let retry = build(&[("retry.backoff.ms", "5000")]);
    assert_eq!((retry.retry.backoff_ms, retry.retry.backoff_max_ms), (1000, 1000));
    assert!(retry.warnings[0].contains("`retry.backoff.ms` is above"));
    let setup = build(&[("socket.connection.setup.timeout.ms", "40000")]);
    assert_eq!(setup.connection.setup_timeout_ms, 30_000);
    assert_eq!(setup.warnings.len(), 1);
}

#[test]
fn a_batch_is_at_least_one_byte_and_fits_the_memory() {
    assert_eq!(build(&[("batch.size", "0")]).batching.batch_size_bytes, 1);
    build(&[("buffer.memory", "16384")]);
    let error = refused(&[("buffer.memory", "16383")]);
    assert_eq!(error.code(), ErrorCode::CONFIG);
    assert!(error.message().contains("less than `batch.size`"), "{error}");

    let compat = ("compat", "librdkafka");
    let small = build(&[compat, ("queue.buffering.max.kbytes", "1")]);
    assert_eq!(small.batching.batch_size_bytes, 1024);
    assert_eq!(small.warnings.len(), 1);
    refused(&[compat, ("queue.buffering.max.kbytes", "1"), ("batch.size", "1025")]);
}

#[test]
fn one_limit_is_set_in_one_way() {
    refused(&[("buffer.memory", "65536"), ("queue.buffering.max.kbytes", "64")]);
    let ages = [("metadata.max.age.ms", "5"), ("topic.metadata.refresh.interval.ms", "5")];
    refused(&ages);
    build(&[ages[0], ages[1], ("compat", "librdkafka")]);
}

#[test]
fn rack_awareness_without_a_rack_is_pointed_out() {
    let without = build(&[("partitioner.rack.aware", "true")]);
    assert!(without.warnings[0].contains("client.rack"));
    let with = build(&[("partitioner.rack.aware", "true"), ("client.rack", "a")]);
    assert!(with.warnings.is_empty());
}

#[test]
fn software_names_must_be_ones_that_brokers_take() {
    build(&[("client.software.name", "my-app.x"), ("client.software.version", "1.2-rc1")]);
    for bad in ["", "-a", "a-", "a b", "ä"] {
        assert_eq!(refused(&[("client.software.name", bad)]).code(), ErrorCode::CONFIG);
    }
}

/// Settings with idempotence on, whatever the profile's default.
fn idempotent(pairs: &[(&str, &str)]) -> ProducerConfig {
    let mut config = build(pairs);
    config.identity.idempotence = true;
    config
}

#[test]
fn default_idempotence_gives_way_to_acks_and_retries() {
    for pair in [("acks", "1"), ("acks", "0"), ("retries", "0")] {
        let mut config = idempotent(&[pair]);
        rules::idempotence(&mut config, &|name| name == pair.0).unwrap();
        assert!(!config.identity.idempotence);
        assert!(config.warnings[0].contains(pair.0), "{:?}", config.warnings);
    }
    let mut config = idempotent(&[]);
    rules::idempotence(&mut config, &|_| false).unwrap();
    assert!(config.identity.idempotence && config.warnings.is_empty());
}

#[test]
fn idempotence_asked_for_does_not_give_way() {
    for pair in [("acks", "1"), ("retries", "0")] {
        let mut config = idempotent(&[pair]);
        let error = rules::idempotence(&mut config, &|_| true).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CONFIG);
        assert!(error.message().contains(pair.0), "{error}");
    }
}

#[test]
fn idempotence_allows_five_requests_in_flight() {
    assert_eq!(refused(&[("max.in.flight", "6")]).code(), ErrorCode::CONFIG);
    build(&[("max.in.flight", "6"), ("acks", "1")]);
    build(&[("max.in.flight", "6"), ("enable.idempotence", "false")]);
    rules::idempotence(&mut idempotent(&[("max.in.flight", "5")]), &|_| false).unwrap();

    let mut librdkafka = idempotent(&[("compat", "librdkafka")]);
    rules::idempotence(&mut librdkafka, &|_| false).unwrap();
    assert_eq!(librdkafka.connection.max_in_flight, 5);
    let mut asked = idempotent(&[("compat", "librdkafka"), ("max.in.flight", "6")]);
    assert!(rules::idempotence(&mut asked, &|_| true).is_err());
}

#[test]
fn transactions_bring_idempotence_along_and_need_it() {
    let transactional = ("transactional.id", "orders");
    for compat in ["java", "librdkafka"] {
        let config = build(&[transactional, ("compat", compat)]);
        assert!(config.identity.idempotence, "{compat}");
        for against in [("enable.idempotence", "false"), ("acks", "1"), ("retries", "0")] {
            let error = refused(&[transactional, ("compat", compat), against]);
            let text = error.message();
            assert!(text.contains("transactional.id") && text.contains(against.0), "{error}");
        }
    }
}
