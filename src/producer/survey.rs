//! Asks the cluster what it has, topics included that this producer does not use. On the calling
//! thread and over a connection of its own, so that the sender neither knows of it nor carries
//! thousands of topics afterwards.

use std::sync::Arc;
use std::time::Duration;

use crate::client::network::Network;
use crate::client::{Client, ClientEvent, OutgoingRequest, RequestFailure};
use crate::error::{Error, ErrorCode, Result};
use crate::metadata::{ClusterSnapshot, Metadata, NodeId};
use crate::producer::open;
use crate::producer::Producer;
use crate::protocol::frame::{Frame, Segment};
use crate::protocol::messages::metadata_request::MetadataRequestTopic;
use crate::protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use crate::protocol::{decode_response, encode_request, ApiKey, StrBytes};
use crate::time::{Clock, SystemClock, Time};

/// Older brokers would create a topic that they are asked about.
const LOWEST_VERSION: i16 = 4;

/// How often it is seen that the producer was closed meanwhile: whoever closes waits for this call.
const LOOK_MS: u64 = 100;

impl Producer {
    /// The cluster's brokers and topics, all or those named; never creates one. A name that the
    /// cluster does not know comes back with an error code in its place. (librdkafka:
    /// `rd_kafka_metadata`.)
    ///
    /// # Errors
    /// Why no broker can be used; `TIMED_OUT` after `timeout`; `CLOSED`, `FORKED`.
    pub fn survey(&self, topics: Option<&[&str]>, timeout: Duration) -> Result<ClusterSnapshot> {
        self.shared.check_open()?;
        let mut config = self.shared.config.clone();
        // To look is not to use: no topic comes into being.
        config.metadata.allow_auto_create_topics = false;
        let config = &config;
        let mock = self.shared.mock.as_ref();
        let metadata = Arc::new(open::metadata_of(config, mock, fastrand::u64(..))?);
        let (network, _) = open::network(config)?;
        let settings = open::client_settings(config);
        let client = Client::new(settings, metadata.clone(), network, fastrand::u64(..));
        let mut survey = Survey {
            client,
            metadata,
            client_id: &config.identity.client_id,
            topics,
            timeout_ms: open::clamp_ms(config.connection.request_timeout_ms),
            last_failure: None,
        };
        let clock = SystemClock::new();
        let still_open = || self.shared.check_open();
        let snapshot = survey.run(clock.now() + timeout, &clock, &still_open);
        let now = clock.now();
        survey.client.close(now, &mut Vec::new());
        snapshot.map_err(|error| match error.code() {
            ErrorCode::TIMED_OUT => {
                let text =
                    format!("no answer about topics within {} ms: {error}", timeout.as_millis());
                Error::new(ErrorCode::TIMED_OUT, text)
            }
            _ => error,
        })
    }
}

struct Survey<'a, N: Network> {
    client: Client<N>,
    metadata: Arc<Metadata>,
    client_id: &'a str,
    topics: Option<&'a [&'a str]>,
    timeout_ms: u32,
    last_failure: Option<String>,
}

impl<N: Network> Survey<'_, N> {
    fn run(
        &mut self,
        deadline: Time,
        clock: &dyn Clock,
        still_open: &dyn Fn() -> Result<()>,
    ) -> Result<ClusterSnapshot> {
        let mut now = clock.now();
        let mut asked = false;
        let mut events = Vec::new();
        while now < deadline {
            if !asked && !self.metadata.snapshot().is_bootstrap() {
                let node = self.client.least_loaded(now);
                if let Some(node) = node.filter(|&node| self.client.ready(node, now)) {
                    self.ask(node, now)?;
                    asked = true;
                }
            }
            still_open()?;
            let look = deadline.min(now + Duration::from_millis(LOOK_MS));
            now = self.client.poll(look, now, clock, &mut events);
            for event in events.drain(..) {
                match event {
                    ClientEvent::Response { version, outcome: Ok(body), .. } => {
                        let answer = decode_response(ApiKey::Metadata, version, body)?;
                        return self.read(answer, version, now);
                    }
                    ClientEvent::Response { outcome: Err(failure), .. } => {
                        self.last_failure = Some(match failure {
                            RequestFailure::Disconnected { cause, .. } => cause,
                            other => format!("{other:?}"),
                        });
                        asked = false;
                    }
                    ClientEvent::BrokersUnreachable(error) => return Err(error),
                    ClientEvent::MetadataFailed(error)
                    | ClientEvent::Disconnected { error, .. } => {
                        self.last_failure = Some(error.to_string());
                    }
                    _ => {}
                }
            }
        }
        let why = self.last_failure.take().unwrap_or_else(|| "no broker has answered".to_owned());
        Err(Error::new(ErrorCode::TIMED_OUT, why))
    }

    fn ask(&mut self, node: NodeId, now: Time) -> Result<()> {
        let versions = self.client.node_versions(node);
        let Some(version) =
            versions.and_then(|its| its.usable_from(ApiKey::Metadata, LOWEST_VERSION))
        else {
            let text = format!("broker {node} speaks no Metadata version from {LOWEST_VERSION} on");
            return Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, text));
        };
        let topic = |name: &&str| {
            let name = TopicName(StrBytes::from_string((*name).to_owned()));
            MetadataRequestTopic::default().with_name(Some(name))
        };
        let message = MetadataRequest::default()
            .with_topics(self.topics.map(|names| names.iter().map(topic).collect()))
            .with_allow_auto_topic_creation(false);
        let correlation_id = self.client.next_correlation_id();
        let bytes =
            encode_request(ApiKey::Metadata, version, correlation_id, self.client_id, &message)?;
        let request = OutgoingRequest {
            api: ApiKey::Metadata,
            version,
            correlation_id,
            frame: Frame::new(vec![Segment::Head(bytes)]),
            expects_response: true,
            timeout_ms: self.timeout_ms,
            tag: 0,
        };
        self.client.send(node, request, now);
        Ok(())
    }

    /// Reads an answer by the rules of the shared metadata, as if every topic in it had been wanted.
    fn read(&self, answer: MetadataResponse, version: i16, now: Time) -> Result<ClusterSnapshot> {
        for topic in &answer.topics {
            if let Some(name) = &topic.name {
                self.metadata.want_topic(name, now);
            }
        }
        let update = self.metadata.begin_update(now);
        self.metadata.apply(&update, answer, version, now)?;
        Ok((*self.metadata.snapshot()).clone())
    }
}
