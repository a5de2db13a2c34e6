//! Checks the table against itself, against the lists of the Java producer's 120 keys (4.4) and of
//! librdkafka's settings for producers, and against what readers get to see of it.

use std::collections::HashSet;

use super::table::{find, rows, Kind, Status};
use super::*;

/// The keys of the Java producer 4.4.
const JAVA: &str = "
    acks batch.size bootstrap.resolve.timeout.ms bootstrap.servers buffer.memory
    buffer.memory.allocation.strategy client.dns.lookup client.id client.rack
    compression.gzip.level compression.lz4.level compression.type compression.zstd.level
    config.providers connections.max.idle.ms delivery.timeout.ms enable.idempotence
    enable.metrics.push interceptor.classes key.serializer linger.ms max.block.ms
    max.in.flight.requests.per.connection max.request.size metadata.cluster.check.enable
    metadata.max.age.ms metadata.max.idle.ms metadata.recovery.rebootstrap.trigger.ms
    metadata.recovery.strategy metric.reporters metrics.num.samples metrics.recording.level
    metrics.sample.window.ms partitioner.adaptive.partitioning.enable
    partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys
    partitioner.rack.aware receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms
    request.timeout.ms retries retry.backoff.max.ms retry.backoff.ms
    sasl.client.callback.handler.class sasl.jaas.config sasl.kerberos.kinit.cmd
    sasl.kerberos.min.time.before.relogin sasl.kerberos.service.name
    sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor
    sasl.login.callback.handler.class sasl.login.class sasl.login.connect.timeout.ms
    sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
    sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor
    sasl.login.refresh.window.jitter sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms
    sasl.mechanism sasl.oauthbearer.allow.unverified.audience
    sasl.oauthbearer.allow.unverified.issuer sasl.oauthbearer.assertion.algorithm
    sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds
    sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.claim.jti.include
    sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.sub
    sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.private.key.file
    sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.template.file
    sasl.oauthbearer.client.credentials.client.id
    sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.clock.skew.seconds
    sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
    sasl.oauthbearer.header.urlencode sasl.oauthbearer.jwks.endpoint.refresh.ms
    sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
    sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url
    sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class
    sasl.oauthbearer.scope sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name
    sasl.oauthbearer.token.endpoint.url security.protocol security.providers send.buffer.bytes
    socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms ssl.cipher.suites
    ssl.enabled.protocols ssl.endpoint.identification.algorithm ssl.engine.factory.class
    ssl.key.password ssl.keymanager.algorithm ssl.keystore.certificate.chain ssl.keystore.key
    ssl.keystore.location ssl.keystore.password ssl.keystore.type ssl.protocol ssl.provider
    ssl.secure.random.implementation ssl.trustmanager.algorithm ssl.truststore.certificates
    ssl.truststore.location ssl.truststore.password ssl.truststore.type transaction.timeout.ms
    transaction.two.phase.commit.enable transactional.id value.serializer
";

/// librdkafka's names for what a producer can be told (2.x).
const LIBRDKAFKA: &str = "
    acks request.required.acks allow.auto.create.topics api.version.fallback.ms
    broker.version.fallback api.version.request api.version.request.timeout.ms background_event_cb
    batch.num.messages batch.size bootstrap.servers metadata.broker.list broker.address.family
    broker.address.ttl builtin.features client.dns.lookup client.id client.rack compression.level
    compression.type compression.codec connections.max.idle.ms debug default_topic_conf
    delivery.report.only.error delivery.timeout.ms message.timeout.ms dr_msg_cb dr_cb
    enable.gapless.guarantee enable.idempotence enable.metrics.push enable.random.seed
    enable.sasl.oauthbearer.unsecure.jwt enable.ssl.certificate.verification enabled_events
    error_cb throttle_cb stats_cb log_cb https.ca.location https.ca.pem interceptors
    plugin.library.paths internal.termination.signal linger.ms queue.buffering.max.ms
    log.connection.close log.queue log.thread.name log_level max.in.flight.requests.per.connection
    max.in.flight message.copy.max.bytes message.max.bytes metadata.max.age.ms
    metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy msg_order_cmp
    oauthbearer_token_refresh_cb opaque partitioner partitioner_cb produce.offset.report
    queue.buffering.backpressure.threshold queue.buffering.max.kbytes queue.buffering.max.messages
    queuing.strategy receive.message.max.bytes reconnect.backoff.jitter.ms
    reconnect.backoff.max.ms reconnect.backoff.ms request.timeout.ms retries
    message.send.max.retries retry.backoff.max.ms retry.backoff.ms sasl.kerberos.kinit.cmd
    sasl.kerberos.min.time.before.relogin sasl.kerberos.principal sasl.kerberos.keytab
    sasl.kerberos.service.name sasl.mechanism sasl.mechanisms sasl.oauthbearer.assertion.algorithm
    sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.iss
    sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.claim.exp.seconds
    sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.jti.include
    sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.jwt.template.file
    sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.pem
    sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.client.id
    sasl.oauthbearer.client.secret sasl.oauthbearer.client.credentials.client.id
    sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.config
    sasl.oauthbearer.grant.type sasl.oauthbearer.metadata.authentication.type
    sasl.oauthbearer.method sasl.oauthbearer.scope sasl.oauthbearer.extensions
    sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url sasl.username
    sasl.password security.protocol socket.blocking.max.ms socket.connection.setup.timeout.ms
    socket.keepalive.enable socket.max.fails socket.nagle.disable socket.receive.buffer.bytes
    socket.send.buffer.bytes socket.timeout.ms socket_cb connect_cb closesocket_cb open_cb
    resolve_cb ssl.ca.certificate.stores ssl.ca.location ssl.ca.pem ssl.certificate.location
    ssl.certificate.pem ssl.certificate.verify_cb ssl.cipher.suites ssl.crl.location
    ssl.curves.list ssl.sigalgs.list ssl.endpoint.identification.algorithm ssl.engine.location
    ssl.engine.id ssl_engine_callback_data ssl.key.location ssl.key.pem ssl.key.password
    ssl.keystore.location ssl.keystore.password ssl.providers ssl_key ssl_certificate ssl_ca
    statistics.interval.ms sticky.partitioning.linger.ms topic.blacklist
    topic.metadata.propagation.max.ms topic.metadata.refresh.fast.cnt
    topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.interval.ms
    topic.metadata.refresh.sparse transaction.timeout.ms transactional.id test.mock.num.brokers
    test.mock.broker.rtt enable.sparse.connections client.software.name client.software.version

";

#[test]
fn every_key_of_java_and_librdkafka_is_known() {
    assert_eq!(JAVA.split_whitespace().collect::<HashSet<_>>().len(), 120);
    for key in JAVA.split_whitespace() {
        let (row, _) = find(key).unwrap_or_else(|| panic!("{key} is missing"));
        assert_eq!(row.name, key, "Java's name goes first");
    }
    for key in LIBRDKAFKA.split_whitespace() {
        assert!(find(key).is_some(), "{key} is missing");
    }
}

#[test]
fn no_spelling_stands_for_two_settings() {
    let mut seen = HashSet::new();
    for spelling in rows().flat_map(|row| row.spellings()) {
        assert!(seen.insert(spelling), "{spelling} twice");
    }
}

#[test]
fn every_default_is_a_value_of_its_setting() {
    for row in rows() {
        for compat in [Compat::Java, Compat::Librdkafka] {
            let default = row.default_for(compat);
            let value = value::check(row, row.name, default);
            if row.kind != Kind::Secret {
                assert_eq!(value.unwrap().to_string(), default, "{}", row.name);
            }
        }
        assert_ne!(row.librdkafka_default, Some(row.default), "{}: no difference", row.name);
    }
}

#[test]
fn every_setting_with_a_secret_is_of_the_secret_kind() {
    for row in rows().filter(|row| !matches!(row.status, Status::Hook(_))) {
        let words = ["password", "passphrase", "secret", ".pem", "jaas"];
        if words.iter().any(|word| row.spellings().any(|spelling| spelling.contains(word))) {
            assert_eq!(row.kind, Kind::Secret, "{}", row.name);
        }
    }
}

#[test]
fn distances_are_counted_in_single_edits() {
    for (a, b, distance) in
        [("", "", 0), ("a", "", 1), ("acks", "ack", 1), ("kitten", "sitting", 3)]
    {
        assert_eq!(table::edit_distance(a, b), distance);
        assert_eq!(table::edit_distance(b, a), distance);
    }
    assert_eq!(table::nearest(&"linger.ms".repeat(10_000)), None);
}

#[test]
fn every_row_is_in_the_published_reference() {
    let text = reference::markdown();
    let help = reference::help();
    for row in rows() {
        assert!(row.doc.len() > 5, "{}", row.name);
        let line = text.lines().find(|line| line.starts_with(&format!("| `{}` |", row.name)));
        let line = line.unwrap_or_else(|| panic!("{} is missing", row.name));
        assert!(line.contains(row.doc), "{line}");
        assert_eq!(line.replace("\\|", "").matches('|').count(), 7, "{line}");
        for alias in row.aliases {
            assert!(line.contains(&format!("`{alias}`")), "{line}");
        }
        let built = row.status == Status::Built;
        assert_eq!(help.contains(&format!("\n  {}", row.name)), built, "{}", row.name);
    }
}

#[test]
fn every_difference_between_the_profiles_is_one_row() {
    let text = reference::differences();
    let names: Vec<&str> =
        text.lines().skip(2).map(|line| line.split('`').nth(1).unwrap_or_default()).collect();
    let differs = rows()
        .filter(|row| row.default_for(Compat::Java) != row.default_for(Compat::Librdkafka))
        .map(|row| row.name);
    for name in differs.chain(["request.timeout.ms", "metadata.max.age.ms", "partitioner"]) {
        assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{name}");
    }
    assert!(reference::markdown().ends_with(&text));
}
