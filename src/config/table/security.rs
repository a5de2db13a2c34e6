//! Owns the rows about the security protocol, TLS and SASL. Secrets are of the kind that is never
//! shown.

use super::{Kind, Row};

const I64: i64 = i64::MAX;

const JVM: &str = "it only means something in a JVM";
const OPENSSL: &str = "it only means something with OpenSSL";
const VALIDATION: &str = "brokers validate tokens, producers do not";

pub(super) static TLS: &[Row] = &[
    Row::new(
        "security.protocol",
        Kind::Words(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]),
        "plaintext",
        "Whether connections use TLS, and whether they authenticate with SASL.",
    )
    .planned(),
    text("ssl.truststore.location", "File or directory with trusted certificates in PEM.")
        .alias(&["ssl.ca.location"])
        .planned(),
    secret("ssl.truststore.certificates", "Trusted certificates in PEM.")
        .alias(&["ssl.ca.pem"])
        .planned(),
    secret("ssl.truststore.password", "Password of the trust store; not allowed with PEM.")
        .planned(),
    store_type("ssl.truststore.type"),
    text("ssl.certificate.location", "File with this client's certificate chain in PEM.").planned(),
    secret("ssl.keystore.certificate.chain", "This client's certificate chain in PEM.")
        .alias(&["ssl.certificate.pem"])
        .planned(),
    text("ssl.key.location", "File with this client's private key in PEM.").planned(),
    secret("ssl.keystore.key", "This client's private key in PEM.")
        .alias(&["ssl.key.pem"])
        .planned(),
    secret("ssl.key.password", "Password of the private key.").planned(),
    text("ssl.keystore.location", "File with certificate and key: PEM or PKCS#12.").planned(),
    secret("ssl.keystore.password", "Password of the key store; not allowed with PEM.").planned(),
    store_type("ssl.keystore.type"),
    Row::new("ssl.cipher.suites", Kind::List, "", "Cipher suites allowed; empty: a safe choice.")
        .planned(),
    text("ssl.curves.list", "Key exchange groups allowed.").planned(),
    text("ssl.sigalgs.list", "Signature algorithms allowed.").planned(),
    Row::new("ssl.enabled.protocols", Kind::List, "TLSv1.2,TLSv1.3", "TLS versions allowed.")
        .planned(),
    Row::new(
        "ssl.endpoint.identification.algorithm",
        Kind::Words(&["https", "none", ""]),
        "https",
        "Check that the certificate names the host; none or empty switches the check off.",
    )
    .planned(),
    Row::new(
        "enable.ssl.certificate.verification",
        Kind::Bool,
        "true",
        "Verify the broker's certificate at all.",
    )
    .planned(),
    text("ssl.crl.location", "File with revoked certificates in PEM.").planned(),
    text("ssl.ca.certificate.stores", "Windows certificate stores to trust.")
        .librdkafka("Root")
        .planned(),
    text("https.ca.location", "Trusted certificates for HTTPS to a token endpoint.").planned(),
    secret("https.ca.pem", "Trusted certificates in PEM for HTTPS to a token endpoint.").planned(),
    Row::new("ssl.protocol", Kind::Text, "TLSv1.3", "TLS context of the JVM.").ignored(JVM),
    text("ssl.provider", "Security provider of the JVM.").ignored(JVM),
    text("ssl.engine.factory.class", "Class that builds TLS engines.").ignored(JVM),
    Row::new("ssl.keymanager.algorithm", Kind::Text, "SunX509", "Key manager of the JVM.")
        .ignored(JVM),
    Row::new("ssl.trustmanager.algorithm", Kind::Text, "PKIX", "Trust manager of the JVM.")
        .ignored(JVM),
    text("ssl.secure.random.implementation", "Source of random numbers of the JVM.").ignored(JVM),
    text("ssl.providers", "OpenSSL providers.").ignored(OPENSSL),
    text("ssl.engine.location", "OpenSSL engine library.").ignored(OPENSSL),
    Row::new("ssl.engine.id", Kind::Text, "dynamic", "OpenSSL engine id.").ignored(OPENSSL),
    text("ssl_engine_callback_data", "Argument of OpenSSL engine callbacks.").ignored(OPENSSL),
];

pub(super) static SASL: &[Row] = &[
    Row::new(
        "sasl.mechanism",
        Kind::Text,
        "GSSAPI",
        "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI.",
    )
    .alias(&["sasl.mechanisms"])
    .planned(),
    text("sasl.username", "User name for PLAIN and SCRAM.").planned(),
    secret("sasl.password", "Password for PLAIN and SCRAM.").planned(),
    secret("sasl.jaas.config", "JAAS login line with the credentials.").planned(),
    text("sasl.login.class", "Login class of the JVM.").ignored(JVM),
    text("sasl.kerberos.service.name", "Kerberos principal name of the brokers.")
        .librdkafka("kafka")
        .planned(),
    text("sasl.kerberos.principal", "This client's Kerberos principal.")
        .librdkafka("kafkaclient")
        .planned(),
    text("sasl.kerberos.keytab", "File with this client's Kerberos keys.").planned(),
    Row::new(
        "sasl.kerberos.kinit.cmd",
        Kind::Text,
        "/usr/bin/kinit",
        "Command that refreshes the Kerberos ticket.",
    )
    .planned(),
    Row::new(
        "sasl.kerberos.min.time.before.relogin",
        Kind::Int(0, I64),
        "60000",
        "Least milliseconds between two refreshes of the Kerberos ticket.",
    )
    .planned(),
    Row::new(
        "sasl.kerberos.ticket.renew.jitter",
        Kind::Float(0.0, 1.0),
        "0.05",
        "Random share added to the time of renewal.",
    )
    .planned(),
    Row::new(
        "sasl.kerberos.ticket.renew.window.factor",
        Kind::Float(0.0, 1.0),
        "0.8",
        "Share of a ticket's life after which it is renewed.",
    )
    .planned(),
];

pub(super) static OAUTHBEARER: &[Row] = &[
    Row::new(
        "sasl.oauthbearer.method",
        Kind::Words(&["default", "oidc"]),
        "default",
        "Tokens come from a callback (default), or from a token endpoint (oidc).",
    )
    .planned(),
    text("sasl.oauthbearer.config", "Text handed to the token callback.").planned(),
    bool_off("enable.sasl.oauthbearer.unsecure.jwt", "Make unsigned tokens, for tests only."),
    text("sasl.oauthbearer.client.credentials.client.id", "OAuth client id.")
        .alias(&["sasl.oauthbearer.client.id"])
        .planned(),
    secret("sasl.oauthbearer.client.credentials.client.secret", "OAuth client secret.")
        .alias(&["sasl.oauthbearer.client.secret"])
        .planned(),
    text("sasl.oauthbearer.scope", "OAuth scope to ask for.").planned(),
    text("sasl.oauthbearer.extensions", "SASL extensions sent to the broker.").planned(),
    text("sasl.oauthbearer.token.endpoint.url", "Where tokens are asked for.").planned(),
    bool_off("sasl.oauthbearer.header.urlencode", "URL-encode id and secret in the header."),
    Row::new(
        "sasl.oauthbearer.grant.type",
        Kind::Words(&["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"]),
        "client_credentials",
        "OAuth grant to ask for a token with.",
    )
    .planned(),
    Row::new(
        "sasl.oauthbearer.metadata.authentication.type",
        Kind::Words(&["none", "azure_imds", "aws_iam"]),
        "none",
        "Cloud service that gives the token.",
    )
    .planned(),
    Row::new("sasl.oauthbearer.scope.claim.name", Kind::Text, "scope", "Claim with the scope.")
        .planned(),
    Row::new("sasl.oauthbearer.sub.claim.name", Kind::Text, "sub", "Claim with the subject.")
        .planned(),
    Row::new(
        "sasl.oauthbearer.assertion.algorithm",
        Kind::Words(&["RS256", "ES256"]),
        "RS256",
        "Algorithm that signs the assertion (KIP-1139).",
    )
    .planned(),
    text("sasl.oauthbearer.assertion.claim.aud", "Audience of the assertion.").planned(),
    seconds(
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        86_400,
        "300",
        "Lifetime of the assertion.",
    ),
    text("sasl.oauthbearer.assertion.claim.iss", "Issuer of the assertion.").planned(),
    bool_off("sasl.oauthbearer.assertion.claim.jti.include", "Give the assertion a unique id."),
    seconds(
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        3600,
        "60",
        "How far in the past the assertion becomes valid.",
    ),
    text("sasl.oauthbearer.assertion.claim.sub", "Subject of the assertion.").planned(),
    text("sasl.oauthbearer.assertion.file", "File with a ready assertion.").planned(),
    text("sasl.oauthbearer.assertion.private.key.file", "File with the key that signs.").planned(),
    secret("sasl.oauthbearer.assertion.private.key.pem", "Key that signs, in PEM.").planned(),
    secret("sasl.oauthbearer.assertion.private.key.passphrase", "Password of that key.").planned(),
    text("sasl.oauthbearer.assertion.template.file", "File with more header fields and claims.")
        .alias(&["sasl.oauthbearer.assertion.jwt.template.file"])
        .planned(),
    Row::new(
        "sasl.login.connect.timeout.ms",
        Kind::Int(0, i32::MAX as i64),
        "",
        "Time to connect to the token endpoint.",
    )
    .planned(),
    Row::new(
        "sasl.login.read.timeout.ms",
        Kind::Int(0, i32::MAX as i64),
        "",
        "Time for the token endpoint to answer.",
    )
    .planned(),
    seconds(
        "sasl.login.refresh.buffer.seconds",
        3600,
        "300",
        "A token is refreshed at least this long before it expires.",
    ),
    seconds(
        "sasl.login.refresh.min.period.seconds",
        900,
        "60",
        "Least time between two token refreshes.",
    ),
    Row::new(
        "sasl.login.refresh.window.factor",
        Kind::Float(0.5, 1.0),
        "0.8",
        "Share of a token's life after which it is refreshed.",
    )
    .planned(),
    Row::new(
        "sasl.login.refresh.window.jitter",
        Kind::Float(0.0, 0.25),
        "0.05",
        "Random share added to the time of refresh.",
    )
    .planned(),
    Row::new(
        "sasl.login.retry.backoff.ms",
        Kind::Int(0, I64),
        "100",
        "First pause between attempts to get a token.",
    )
    .planned(),
    Row::new(
        "sasl.login.retry.backoff.max.ms",
        Kind::Int(0, I64),
        "10000",
        "Longest pause between attempts to get a token.",
    )
    .planned(),
    Row::new("sasl.oauthbearer.allow.unverified.audience", Kind::Bool, "false", "Skip that check.")
        .ignored(VALIDATION),
    Row::new("sasl.oauthbearer.allow.unverified.issuer", Kind::Bool, "false", "Skip that check.")
        .ignored(VALIDATION),
    Row::new(
        "sasl.oauthbearer.clock.skew.seconds",
        Kind::Int(0, i32::MAX as i64),
        "30",
        "Difference of clocks allowed in the check of a token.",
    )
    .ignored(VALIDATION),
    Row::new("sasl.oauthbearer.expected.audience", Kind::List, "", "Audiences accepted.")
        .ignored(VALIDATION),
    text("sasl.oauthbearer.expected.issuer", "Issuer accepted.").ignored(VALIDATION),
    Row::new(
        "sasl.oauthbearer.jwks.endpoint.refresh.ms",
        Kind::Int(0, I64),
        "3600000",
        "How often the keys that verify tokens are fetched.",
    )
    .ignored(VALIDATION),
    Row::new(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        Kind::Int(0, I64),
        "100",
        "First pause between attempts to fetch them.",
    )
    .ignored(VALIDATION),
    Row::new(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        Kind::Int(0, I64),
        "10000",
        "Longest pause between attempts to fetch them.",
    )
    .ignored(VALIDATION),
    text("sasl.oauthbearer.jwks.endpoint.url", "Where they are.").ignored(VALIDATION),
    text("sasl.oauthbearer.jwt.validator.class", "Class that checks tokens.").ignored(JVM),
];

const fn text(name: &'static str, doc: &'static str) -> Row {
    Row::new(name, Kind::Text, "", doc)
}

const fn secret(name: &'static str, doc: &'static str) -> Row {
    Row::new(name, Kind::Secret, "", doc)
}

const fn bool_off(name: &'static str, doc: &'static str) -> Row {
    Row::new(name, Kind::Bool, "false", doc).planned()
}

const fn seconds(name: &'static str, most: i64, default: &'static str, doc: &'static str) -> Row {
    Row::new(name, Kind::Int(0, most), default, doc).planned()
}

/// Java's default, JKS, cannot be read here; PEM takes its place.
const fn store_type(name: &'static str) -> Row {
    let words = Kind::Words(&["PEM", "PKCS12", "JKS"]);
    Row::new(name, words, "PEM", "Format of the store; JKS cannot be read.").planned()
}
