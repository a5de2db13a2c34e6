//! Owns the answer to CreateTopics. Any broker takes it, as behind a KRaft controller.

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::protocol::RequestHeader;

use super::answer::{read, wire, Answer, Call};
use super::cluster::Cluster;
use super::topic::TopicSettings;

impl Cluster {
    pub(super) fn create_topics(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        let asked: CreateTopicsRequest = read(request)?;
        let mut rows = Vec::with_capacity(asked.topics.len());
        for topic in &asked.topics {
            let created = match call.error {
                Some(code) => Err(code.into()),
                None => self.create_asked(call, topic, asked.validate_only),
            };
            let row = CreatableTopicResult::default().with_name(topic.name.clone());
            rows.push(match created {
                Ok((id, partitions, replication)) => {
                    let row = row.with_topic_id(id).with_configs(Some(Vec::new()));
                    row.with_num_partitions(partitions as i32)
                        .with_replication_factor(replication as i16)
                }
                Err(error) => row
                    .with_error_code(wire(error.code()))
                    .with_error_message(Some(StrBytes::from_string(error.message().to_owned())))
                    .with_configs(None),
            });
        }
        let response = CreateTopicsResponse::default();
        Answer::of(request, &response.with_throttle_time_ms(call.throttle_ms).with_topics(rows))
    }

    /// The new topic's id (nil if it was only to be validated), partitions and replication.
    fn create_asked(
        &mut self,
        call: &Call,
        asked: &CreatableTopic,
        validate_only: bool,
    ) -> Result<(Uuid, usize, usize)> {
        if !asked.assignments.is_empty() {
            let message = "replica assignments are not taken";
            return Err(Error::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message));
        }
        let or_default = |asked: i32, default: usize| match asked {
            -1 => default,
            _ => usize::try_from(asked).unwrap_or(0),
        };
        let partitions = or_default(asked.num_partitions, self.defaults.partitions);
        let replication =
            or_default(i32::from(asked.replication_factor), self.defaults.replication);
        let mut settings = self.defaults.settings.clone();
        for config in &asked.configs {
            let value = config.value.as_ref().map_or("", |value| value.as_str());
            set(&mut settings, &config.name, value)?;
        }
        self.check_new_topic(&asked.name, partitions, replication)?;
        if validate_only {
            return Ok((Uuid::nil(), partitions, replication));
        }
        let ready_at = call.now.plus_ms(self.defaults.creation_ms);
        self.create_topic_at(&asked.name, partitions, replication, ready_at)?;
        let topic = self.topic_mut(&asked.name)?;
        topic.settings = settings;
        Ok((topic.id, partitions, replication))
    }
}

/// Takes the settings that change what the cluster does; others are a broker's own business.
fn set(settings: &mut TopicSettings, name: &str, value: &str) -> Result<()> {
    let invalid = || {
        let message = format!("'{value}' is no value of {name}");
        Error::new(ErrorCode::INVALID_CONFIG, message)
    };
    let number = || value.parse::<usize>().map_err(|_| invalid());
    match name {
        "max.message.bytes" => settings.max_message_bytes = number()?,
        "min.insync.replicas" => settings.min_insync_replicas = number()?.max(1),
        "message.timestamp.type" => {
            settings.log_append_time = match value {
                "LogAppendTime" => true,
                "CreateTime" => false,
                _ => return Err(invalid()),
            }
        }
        "cleanup.policy" => settings.compacted = value.split(',').any(|word| word == "compact"),
        _ => {}
    }
    Ok(())
}
