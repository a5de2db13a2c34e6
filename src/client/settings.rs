//! Owns the plain numbers that the client works with. Never reads configuration: whoever builds a
//! client maps its settings to these.

/// How a client talks to brokers. Times are in milliseconds.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// `client.id`, sent with every request.
    pub client_id: String,
    /// `request.timeout.ms`, for the client's own requests (ApiVersions, Metadata).
    pub request_timeout_ms: u32,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight: usize,
    /// `reconnect.backoff.ms`.
    pub reconnect_backoff_ms: u64,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max_ms: u64,
    /// `socket.connection.setup.timeout.ms`: for a first attempt (KIP-601).
    pub setup_timeout_ms: u64,
    /// `socket.connection.setup.timeout.max.ms`.
    pub setup_timeout_max_ms: u64,
    /// `metadata.recovery.strategy` is `rebootstrap` and not `none` (KIP-899, KIP-1102).
    pub rebootstrap: bool,
    /// `metadata.recovery.rebootstrap.trigger.ms`: so long may updates fail before that.
    pub rebootstrap_trigger_ms: u64,
}

impl Default for ClientSettings {
    /// The defaults of the Java producer.
    fn default() -> ClientSettings {
        ClientSettings {
            client_id: "ottla".to_owned(),
            request_timeout_ms: 30_000,
            max_in_flight: 5,
            reconnect_backoff_ms: 50,
            reconnect_backoff_max_ms: 1_000,
            setup_timeout_ms: 10_000,
            setup_timeout_max_ms: 30_000,
            rebootstrap: true,
            rebootstrap_trigger_ms: 300_000,
        }
    }
}
