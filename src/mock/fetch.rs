//! Owns the answers to Fetch and ListOffsets, so that any Kafka consumer can read the logs.
//! Sessions (KIP-227) are declined: every Fetch names all of its partitions.

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
};
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{
    BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, ProducerId,
};

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;
use crate::record::{batches, Entry, Unpacked};

use super::answer::{read, wire, Answer, Call};
use super::batch_check::UNPACKED_BYTES_MAX;
use super::cluster::Cluster;
use super::read_back::Isolation;
use super::topic::Partition;

/// The longest that a Fetch waits when there is nothing to read. New records do not end the wait,
/// so it is shorter than consumers ask for.
const MAX_EMPTY_FETCH_MS: u64 = 100;

/// Special timestamps of ListOffsets.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

/// What a Fetch still has room for.
struct Wanted {
    isolation: Isolation,
    max_bytes: usize,
    at_least_one: bool,
}

/// Why a partition cannot be read here, and the leader and its epoch where that helps.
type Unreadable = (ErrorCode, Option<(i32, i32)>);

impl Cluster {
    pub(super) fn fetch(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        let asked: FetchRequest = read(request)?;
        let isolation = isolation_of(asked.isolation_level);
        let mut left = usize::try_from(asked.max_bytes).unwrap_or(0);
        let mut found_any = false;
        let mut failed_any = false;
        let mut topics = Vec::with_capacity(asked.topics.len());
        for topic in asked.topics {
            let mut rows = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let wanted = Wanted { isolation, max_bytes: left, at_least_one: !found_any };
                let row = self.fetch_row(call, &topic.topic, partition, &wanted);
                let bytes = row.records.as_ref().map_or(0, Bytes::len);
                left = left.saturating_sub(bytes);
                found_any |= bytes > 0;
                failed_any |= row.error_code != 0;
                rows.push(row);
            }
            let topic = FetchableTopicResponse::default().with_topic(topic.topic);
            topics.push(topic.with_partitions(rows));
        }
        let response =
            FetchResponse::default().with_throttle_time_ms(call.throttle_ms).with_responses(topics);
        match Answer::of(request, &response)? {
            Answer::Frame(bytes, _) if !found_any && !failed_any && asked.min_bytes > 0 => {
                let wait_ms = u64::try_from(asked.max_wait_ms).unwrap_or(0);
                Some(Answer::Frame(bytes, wait_ms.min(MAX_EMPTY_FETCH_MS)))
            }
            answer => Some(answer),
        }
    }

    fn fetch_row(
        &self,
        call: &Call,
        topic: &str,
        asked: &FetchPartition,
        wanted: &Wanted,
    ) -> PartitionData {
        let row = PartitionData::default()
            .with_partition_index(asked.partition)
            .with_high_watermark(-1)
            .with_last_stable_offset(-1)
            .with_log_start_offset(-1)
            .with_records(Some(Bytes::new()));
        let partition =
            match self.readable(call, topic, asked.partition, asked.current_leader_epoch) {
                Ok(partition) => partition,
                Err((code, hint)) => {
                    let leader = hint.map_or_else(LeaderIdAndEpoch::default, |(id, epoch)| {
                        LeaderIdAndEpoch::default()
                            .with_leader_id(BrokerId(id))
                            .with_leader_epoch(epoch)
                    });
                    return row.with_error_code(wire(code)).with_current_leader(leader);
                }
            };
        let log = &partition.log;
        let row = row
            .with_high_watermark(log.end_offset())
            .with_last_stable_offset(partition.last_stable_offset())
            .with_log_start_offset(log.start_offset());
        if !(log.start_offset()..=log.end_offset()).contains(&asked.fetch_offset) {
            return row.with_error_code(wire(ErrorCode::OFFSET_OUT_OF_RANGE));
        }
        let own_max = usize::try_from(asked.partition_max_bytes).unwrap_or(0);
        let (from, end) = (asked.fetch_offset, partition.readable_end(wanted.isolation));
        let (bytes, to) = log.read(from, end, own_max.min(wanted.max_bytes), wanted.at_least_one);
        let aborted = partition.producers.aborted_between(from, to).map(|aborted| {
            AbortedTransaction::default()
                .with_producer_id(ProducerId(aborted.producer_id))
                .with_first_offset(aborted.first_offset)
        });
        let aborted = match wanted.isolation {
            Isolation::ReadCommitted => Some(aborted.collect()),
            Isolation::ReadUncommitted => None,
        };
        row.with_records(Some(bytes)).with_aborted_transactions(aborted)
    }

    /// The partition, if this broker leads it in an epoch that the client knows (-1: the client
    /// does not say); else the error, and who leads.
    fn readable(
        &self,
        call: &Call,
        topic: &str,
        partition: i32,
        known_epoch: i32,
    ) -> Result<&Partition, Unreadable> {
        if let Some(code) = self.topic_errors.get(topic).copied().or(call.error) {
            return Err((code, None));
        }
        let found = self.topics.get(topic).filter(|topic| topic.ready_at <= call.now);
        let Some(found) = found.and_then(|topic| topic.partition(partition)) else {
            return Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, None));
        };
        let hint = found.leader.map(|leader| (leader, found.leader_epoch));
        if found.leader != Some(call.broker) {
            return Err((ErrorCode::NOT_LEADER_OR_FOLLOWER, hint));
        }
        match known_epoch {
            epoch if epoch > found.leader_epoch => Err((ErrorCode::UNKNOWN_LEADER_EPOCH, None)),
            0.. if known_epoch < found.leader_epoch => Err((ErrorCode::FENCED_LEADER_EPOCH, hint)),
            _ => Ok(found),
        }
    }

    pub(super) fn list_offsets(&mut self, call: &Call, request: &RequestHeader) -> Option<Answer> {
        let asked: ListOffsetsRequest = read(request)?;
        let isolation = isolation_of(asked.isolation_level);
        let mut topics = Vec::with_capacity(asked.topics.len());
        for topic in asked.topics {
            let rows = topic
                .partitions
                .iter()
                .map(|row| self.offset_row(call, request.version, &topic.name, row, isolation));
            let rows = rows.collect();
            let topic = ListOffsetsTopicResponse::default().with_name(topic.name.clone());
            topics.push(topic.with_partitions(rows));
        }
        let response = ListOffsetsResponse::default().with_topics(topics);
        let throttle_ms = if request.version >= 2 { call.throttle_ms } else { 0 };
        Answer::of(request, &response.with_throttle_time_ms(throttle_ms))
    }

    fn offset_row(
        &self,
        call: &Call,
        version: i16,
        topic: &str,
        asked: &ListOffsetsPartition,
        isolation: Isolation,
    ) -> ListOffsetsPartitionResponse {
        let index = asked.partition_index;
        let row = ListOffsetsPartitionResponse::default()
            .with_partition_index(index)
            .with_timestamp(-1)
            .with_offset(-1);
        match self.readable(call, topic, index, asked.current_leader_epoch) {
            Err((code, _)) => row.with_error_code(wire(code)),
            Ok(partition) => {
                let (offset, timestamp_ms) = offset_at(partition, asked.timestamp, isolation);
                // The crate refuses to drop the epoch where a version has no place for it.
                let epoch = if version >= 4 { partition.leader_epoch } else { -1 };
                row.with_offset(offset).with_timestamp(timestamp_ms).with_leader_epoch(epoch)
            }
        }
    }
}

fn isolation_of(level: i8) -> Isolation {
    match level {
        1 => Isolation::ReadCommitted,
        _ => Isolation::ReadUncommitted,
    }
}

/// The first offset at or after a time, and that record's time; -1 and -1 if there is none.
fn offset_at(partition: &Partition, timestamp_ms: i64, isolation: Isolation) -> (i64, i64) {
    let log = &partition.log;
    let (bytes, wanted_ms) = match timestamp_ms {
        LATEST => return (partition.readable_end(isolation), -1),
        EARLIEST => return (log.start_offset(), -1),
        MAX_TIMESTAMP => match log.batch_of_newest_time() {
            Some((newest_ms, bytes)) => (bytes, newest_ms),
            None => return (-1, -1),
        },
        _ => match log.batch_at_time(timestamp_ms) {
            Some(bytes) => (bytes, timestamp_ms),
            None => return (-1, -1),
        },
    };
    let Some(Ok(batch)) = batches(&bytes).next() else {
        return (-1, -1);
    };
    let unpacked = Entry::Batch(batch).unpack(UNPACKED_BYTES_MAX).ok();
    let mut records = unpacked.iter().flat_map(Unpacked::records).filter_map(Result::ok);
    match records.find(|record| record.timestamp_ms >= wanted_ms) {
        Some(record) => (record.offset, record.timestamp_ms),
        // Compressed by a codec that this build lacks: the batch must do.
        None => (batch.header().base_offset, batch.header().max_timestamp_ms),
    }
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
