//! Owns the answer to Produce: who may write where, and the append. What a batch must look like
//! is `batch_check`'s business.

use bytes::Bytes;

use crate::error::ErrorCode;
use crate::protocol::produce::{
    decode_request, encode_response, NodeEndpoint, PartitionResponse, PartitionView,
    ProduceResponse, TopicRef, TopicView,
};
use crate::protocol::RequestHeader;
use crate::record::BatchHeader;

use super::answer::{wire, Answer, Call};
use super::batch_check::{check, Refusal};
use super::cluster::Cluster;
use super::coordinator::Start;

/// What became of one partition's batch.
#[derive(Debug, Default)]
struct Verdict {
    refusal: Option<Refusal>,
    /// Base offset and log append time, when it is in the log.
    written: Option<(i64, i64)>,
    /// Where the log begins, if the batch got as far as the log.
    log_start_offset: Option<i64>,
    /// Who leads instead (KIP-951).
    current_leader: Option<(i32, i32)>,
}

/// What one partition is to write.
struct Writing<'a> {
    version: i16,
    transactional_id: Option<&'a str>,
    acks: i16,
    topic: &'a str,
    partition: i32,
    records: Option<Bytes>,
    /// The batch's, as far as it has one.
    header: Option<BatchHeader>,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Verdict {
        Verdict { refusal: Some(refusal), ..Verdict::default() }
    }
}

impl From<ErrorCode> for Verdict {
    fn from(code: ErrorCode) -> Verdict {
        Refusal::from(code).into()
    }
}

impl Cluster {
    pub(super) fn produce(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        let version = request.version;
        let asked = decode_request(version, request.body.clone()).ok()?;
        let mut response =
            ProduceResponse { throttle_time_ms: call.throttle_ms, ..ProduceResponse::default() };
        let transactional_id = asked.transactional_id.as_deref();
        let anonymous = transactional_id.is_none() && is_transactional(&asked.topics);
        for topic in asked.topics {
            let name = self.name_of(&topic.topic);
            for PartitionView { partition, records } in topic.partitions {
                let verdict = match &name {
                    // Nobody is authorized for no id at all.
                    _ if anonymous => ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED.into(),
                    Ok(topic) => {
                        let header = header_of(records.as_ref());
                        let acks = asked.acks;
                        let writing = Writing {
                            version,
                            transactional_id,
                            acks,
                            topic,
                            partition,
                            records,
                            header,
                        };
                        self.write(call, &writing)
                    }
                    Err(code) => (*code).into(),
                };
                response.partitions.push(verdict.into_response(topic.topic.clone(), partition));
            }
        }
        if asked.acks == 0 {
            // The client hears of an error by losing the connection: there is no other way.
            let failed = response.partitions.iter().any(|partition| partition.error_code != 0);
            return Some(if failed { Answer::Close } else { Answer::Nothing });
        }
        response.node_endpoints = self.endpoints_of(&response.partitions);
        let frame = encode_response(version, request.correlation_id, &response);
        debug_assert!(frame.is_ok(), "{frame:?}");
        Some(Answer::Frame(frame.ok()?, 0))
    }

    fn name_of(&self, topic: &TopicRef) -> Result<String, ErrorCode> {
        match topic {
            TopicRef::Name(name) => Ok(name.to_string()),
            TopicRef::Id(id) => {
                self.topic_names.get(id).cloned().ok_or(ErrorCode::UNKNOWN_TOPIC_ID)
            }
        }
    }

    /// A broker's checks in their order, and the append.
    fn write(&mut self, call: &Call, writing: &Writing<'_>) -> Verdict {
        let index = writing.partition;
        let ordered = self.faults.next_for_partition(writing.topic, index);
        let ordered = ordered.filter(|code| !code.is_none()).or(call.error);
        let after_append = ordered.filter(|code| is_after_append(*code));
        if let Some(code) = self.topic_errors.get(writing.topic).copied() {
            return code.into();
        }
        if let Some(code) = ordered.filter(|_| after_append.is_none()) {
            return code.into();
        }
        let checked = self
            .check_leads(call, writing)
            .and_then(|()| self.check_transaction(call, writing).map_err(Verdict::from));
        let start = match checked {
            Ok(start) => start,
            Err(verdict) => return verdict,
        };
        let verdict = self.append(call, writing, start);
        match after_append {
            Some(code) if verdict.refusal.is_none() => {
                Verdict { refusal: Some(code.into()), ..verdict }
            }
            _ => verdict,
        }
    }

    fn check_leads(&self, call: &Call, writing: &Writing<'_>) -> Result<(), Verdict> {
        self.check_partition(call, writing.topic, writing.partition)?;
        if !(-1..=1).contains(&writing.acks) {
            return Err(ErrorCode::INVALID_REQUIRED_ACKS.into());
        }
        let found = self.partition(writing.topic, writing.partition);
        let partition = found.map_err(|error| Verdict::from(error.code()))?;
        if partition.leader != Some(call.broker) {
            let current_leader = partition.leader.map(|leader| (leader, partition.leader_epoch));
            return Err(Verdict { current_leader, ..ErrorCode::NOT_LEADER_OR_FOLLOWER.into() });
        }
        Ok(())
    }

    fn check_transaction(&mut self, call: &Call, writing: &Writing<'_>) -> Result<Start, Refusal> {
        let Some(header) = writing.header.filter(BatchHeader::is_transactional) else {
            return Ok(Start::ByAge);
        };
        let at = (writing.topic.to_owned(), writing.partition);
        self.admit_batch(call, writing.version, writing.transactional_id, &at, &header)
    }

    fn append(&mut self, call: &Call, writing: &Writing<'_>, start: Start) -> Verdict {
        let (retention, verify, rules) = (self.retention, self.verify, self.producer_rules());
        let wall_ms = self.wall_ms(call.now);
        let found = self.topics.get_mut(writing.topic).and_then(|topic| {
            let settings = topic.settings.clone();
            topic.partition_mut(writing.partition).map(|partition| (partition, settings))
        });
        let Some((partition, settings)) = found else {
            return ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into();
        };
        let log_start_offset = Some(partition.log.start_offset());
        if writing.acks == -1 && partition.in_sync.len() < settings.min_insync_replicas {
            return Verdict { log_start_offset, ..ErrorCode::NOT_ENOUGH_REPLICAS.into() };
        }
        let mut batch = match check(writing.records.clone(), writing.version, &settings, verify) {
            Ok(batch) => batch,
            Err(refusal) => {
                let log_start_offset = log_start_offset.filter(|_| tells_log_start(refusal.code));
                return Verdict { log_start_offset, ..refusal.into() };
            }
        };
        match partition.producers.judge(&batch.header, start, &rules, call.now) {
            Err(code) => return Verdict { log_start_offset, ..code.into() },
            Ok(Some(known)) => {
                let written = Some((known.base_offset, known.max_timestamp_ms));
                return Verdict { written, log_start_offset, ..Verdict::default() };
            }
            Ok(None) => {}
        }
        let mut log_append_time_ms = -1;
        if settings.log_append_time {
            batch.stamp(wall_ms);
            log_append_time_ms = wall_ms;
        }
        let base_offset = partition.append(batch, retention, &rules, call.now);
        Verdict {
            written: Some((base_offset, log_append_time_ms)),
            log_start_offset: Some(partition.log.start_offset()),
            ..Verdict::default()
        }
    }

    /// Where the leaders that the answers name can be reached, each once.
    fn endpoints_of(&self, partitions: &[PartitionResponse]) -> Vec<NodeEndpoint> {
        let mut leaders: Vec<i32> =
            partitions.iter().filter_map(|p| p.current_leader).map(|leader| leader.0).collect();
        leaders.sort_unstable();
        leaders.dedup();
        let brokers = leaders.into_iter().filter_map(|id| self.broker(id));
        let endpoint = |broker: &super::broker::Broker| NodeEndpoint {
            node_id: broker.id,
            host: broker.host.clone(),
            port: i32::from(broker.port),
            rack: broker.rack.clone(),
        };
        brokers.map(endpoint).collect()
    }
}

impl Verdict {
    fn into_response(self, topic: TopicRef, partition: i32) -> PartitionResponse {
        let (base_offset, log_append_time_ms) = self.written.unwrap_or((-1, -1));
        let (error_code, error_message, record_errors) = match self.refusal {
            None => (0, None, Vec::new()),
            Some(refusal) => (wire(refusal.code), refusal.message, refusal.record_errors),
        };
        PartitionResponse {
            topic,
            partition,
            error_code,
            base_offset,
            log_append_time_ms,
            log_start_offset: self.log_start_offset.unwrap_or(-1),
            record_errors,
            error_message,
            current_leader: self.current_leader,
        }
    }
}

fn header_of(records: Option<&Bytes>) -> Option<BatchHeader> {
    BatchHeader::decode(records?).ok()
}

fn is_transactional(topics: &[TopicView]) -> bool {
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    let mut headers = partitions.filter_map(|partition| header_of(partition.records.as_ref()));
    headers.any(|header| header.is_transactional())
}

/// Whether a broker that finds this in a batch says where its log begins.
fn tells_log_start(code: ErrorCode) -> bool {
    !matches!(code, ErrorCode::CORRUPT_MESSAGE | ErrorCode::MESSAGE_TOO_LARGE)
}

/// Errors that a broker finds when it waits for its followers: the batch is in the log by then.
fn is_after_append(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::REQUEST_TIMED_OUT | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND)
}

#[cfg(test)]
#[path = "produce_tests.rs"]
mod tests;
