//! The way out: takes batches of the partitions that are due for a node and makes one request of them.
//! Never answers for a batch; that is `acknowledge.rs`.

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use crate::accumulator::batch::Batch;
use crate::accumulator::topic::Slot;
use crate::client::network::Network;
use crate::client::OutgoingRequest;
use crate::error::{Error, ErrorCode, Result};
use crate::metadata::NodeId;
use crate::protocol::frame::{Frame, Pieces, Segment};
use crate::protocol::produce::{Piece, ProduceRequest, ProduceWriter};
use crate::protocol::ApiKey;
use crate::record::{encode_batch_header, encode_wrapper_header, Codec, Magic};
use crate::sender::Sender;
use crate::time::Time;
use crate::txn::transaction::{Protocol, Transaction};

/// Payloads up to this size are copied into the request: a copy costs less than an entry of a gathering
/// write, and a request with thousands of small batches stays one run of bytes.
const COALESCE_MAX_BYTES: usize = 4 << 10;

/// From this version on topics are named by id (KIP-516).
const TOPIC_IDS_SINCE: i16 = 13;

/// The first version of Produce that has partitions join a transaction.
const TRANSACTIONS_JOIN_SINCE: i16 = 12;

/// The first version of Produce that carries zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;

/// A produce request that has no answer yet. It owns its batches; the frame on the wire shares
/// their payloads.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) batches: Vec<Batch>,
    /// Id of each topic in it, frozen when it was sent: answers come by id (KIP-516).
    pub(super) topic_ids: Vec<(Uuid, u32)>,
    pub(super) acked: bool,
}

impl<N: Network> Sender<N> {
    /// Sends to every node what is due for it, as far as the node takes it.
    pub(super) fn send_due(&mut self, now: Time) {
        let nodes: Vec<NodeId> = self.schedule.due_nodes().collect();
        for node in nodes {
            self.refusing.entry(node).or_insert(now);
            while self.parts.client.ready(node, now) {
                self.refusing.remove(&node);
                let batches = self.drain(node, now);
                if batches.is_empty() {
                    break;
                }
                self.send(node, batches, now);
            }
        }
        if !self.settings.availability_timeout.is_zero() {
            self.publish_unavailable(now);
        }
    }

    /// Tells those who choose sticky partitions which nodes have not taken what was due for them for
    /// longer than
    /// `partitioner.availability.timeout.ms` (KIP-794).
    fn publish_unavailable(&mut self, now: Time) {
        let schedule = &self.schedule;
        self.refusing.retain(|&node, _| schedule.is_due(node));
        let late = self.refusing.iter().filter(|(_, &since)| self.unavailable_at(since) <= now);
        let late: Vec<NodeId> = late.map(|(&node, _)| node).collect();
        self.parts.accumulator.set_unavailable(late);
    }

    /// When a node that has taken nothing since `since` counts as unavailable.
    pub(super) fn unavailable_at(&self, since: Time) -> Time {
        since + self.settings.availability_timeout + Duration::from_nanos(1)
    }

    /// At most one batch of each partition that is due for `node`, up to `max.request.size`; the first is
    /// taken whatever its size. A partition that cannot go now never holds up the others.
    fn drain(&mut self, node: NodeId, now: Time) -> Vec<Batch> {
        let accumulator = self.parts.accumulator.clone();
        let mut batches: Vec<Batch> = Vec::new();
        let mut room = self.settings.max_request_size_bytes;
        let mut drained: Vec<Slot> = Vec::new();
        let magic = self.magic_of(node);
        while let Some(slot) = self.schedule.pop_due(node) {
            let Some(partition) = accumulator.topics.partition(slot) else { continue };
            let first = batches.is_empty();
            match partition.take(&accumulator.pool, room, first) {
                Some(batch) if !goes_as(batch.summary.magic, magic) => {
                    self.reform(node, batch, magic, now);
                    drained.push(slot);
                }
                Some(mut batch) => {
                    room = room.saturating_sub(batch.bytes());
                    if batch.payload_crc.is_none() {
                        batch.payload_crc = Some(batch.payload.crc32c());
                    }
                    self.give_identity(slot, partition, &mut batch, now);
                    batch.drained = now;
                    batch.last_node = Some(node);
                    let guarantee_order = self.settings.guarantee_order;
                    let state = self.slot(slot);
                    state.in_flight.push(batch.created);
                    state.muted |= guarantee_order;
                    batches.push(batch);
                    drained.push(slot);
                }
                None if partition.head().is_some() => {
                    self.schedule.return_due(node, slot);
                    break;
                }
                None => {}
            }
        }
        // Only now, so that a partition with several batches does not come up twice in one request.
        for slot in drained {
            self.evaluate(slot, now);
        }
        batches
    }

    /// A batch of a format that this leader does not take comes back in one that it does. An idempotent one
    /// cannot lose its identity: it fails, or, sent before, waits for another leader until it expires.
    fn reform(&mut self, node: NodeId, mut batch: Batch, magic: Magic, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        let Some(partition) = accumulator.topics.partition(batch.name.slot) else { return };
        if magic == Magic::V2 || !self.has_identity() {
            batch.stale = true;
        } else if batch.is_numbered() {
            let pause_ms = self.settings.retry_backoff.delay_ms(batch.attempts, &mut self.random);
            batch.retry_at = now.plus_ms(pause_ms.max(1));
        } else {
            let text = match self.transaction {
                Some(_) => format!("broker {node} is older than transactions (Kafka 0.11)"),
                None => format!(
                    "broker {node} is older than idempotence (Kafka 0.11); set enable.idempotence=false to \
                     send without"
                ),
            };
            let maybe_stored = batch.maybe_stored;
            return self.fail(batch, ErrorCode::UNSUPPORTED_VERSION, &text, maybe_stored, now);
        }
        partition.put_back(batch);
    }

    /// zstd came with Produce v7 (KIP-110): a broker that speaks no newer version cannot take it.
    fn refuse_zstd(&mut self, node: NodeId, batches: Vec<Batch>, now: Time) -> Vec<Batch> {
        let old = self.parts.client.produce_version(node).is_some_and(|newest| newest < ZSTD_SINCE);
        let refused = |batch: &Batch| old && batch.summary.codec == Codec::Zstd;
        let (refused, kept): (Vec<Batch>, Vec<Batch>) = batches.into_iter().partition(refused);
        for batch in refused {
            self.release_in_flight(&batch);
            let (slot, maybe_stored) = (batch.name.slot, batch.maybe_stored);
            let text = format!("broker {node} is older than zstd (Kafka 2.1)");
            self.fail(batch, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, &text, maybe_stored, now);
            self.slot(slot).muted = false;
            self.evaluate(slot, now);
        }
        kept
    }

    fn send(&mut self, node: NodeId, batches: Vec<Batch>, now: Time) {
        let mut batches = self.refuse_zstd(node, batches, now);
        if batches.is_empty() {
            return;
        }
        batches.sort_unstable_by_key(|batch| (batch.name.topic, batch.name.partition));
        let topic_ids = self.topic_ids(&batches, now);
        let newest = self.parts.client.produce_version(node).unwrap_or(TOPIC_IDS_SINCE - 1);
        let all_known = topic_ids.iter().all(|(id, _)| !id.is_nil());
        let version = if all_known { newest } else { newest.min(TOPIC_IDS_SINCE - 1) };
        let version = version.min(self.newest_produce());
        let correlation_id = self.parts.client.next_correlation_id();
        match self.frame(version, correlation_id, &batches, &topic_ids) {
            Ok(frame) => {
                self.count_request(&batches, frame.bytes(), now);
                let tag = self.next_tag;
                self.next_tag += 1;
                let expects_response = self.settings.acks != 0;
                self.parts.accumulator.requests.fetch_add(1, Ordering::Relaxed);
                let in_flight = InFlight { batches, topic_ids, acked: expects_response };
                self.in_flight.insert(tag, in_flight);
                let request = OutgoingRequest {
                    api: ApiKey::Produce,
                    version,
                    correlation_id,
                    frame,
                    expects_response,
                    timeout_ms: self.settings.request_timeout_ms,
                    tag,
                };
                self.parts.client.send(node, request, now);
            }
            Err(error) => {
                let text: Arc<str> = error.message().into();
                for batch in batches {
                    self.release_in_flight(&batch);
                    let slot = batch.name.slot;
                    let maybe_stored = batch.maybe_stored;
                    self.fail(batch, error.code(), &text, maybe_stored, now);
                    self.slot(slot).muted = false;
                    self.evaluate(slot, now);
                }
            }
        }
    }

    /// From v12 on a batch joins its partition to the transaction by itself, whatever the brokers' feature
    /// says (KIP-890).
    fn newest_produce(&self) -> i16 {
        match self.transaction.as_ref().map(Transaction::protocol) {
            Some(Protocol::V1) => TRANSACTIONS_JOIN_SINCE - 1,
            _ => i16::MAX,
        }
    }

    fn count_request(&self, batches: &[Batch], bytes: usize, now: Time) {
        let metrics = &self.parts.metrics;
        let records = batches.iter().map(|batch| u64::from(batch.count())).sum();
        metrics.request.size_bytes.record(bytes as u64);
        metrics.request.records.record(records);
        metrics.batch.records_sent.add(records);
        metrics.batch.batches_sent.add(batches.len() as u64);
        for batch in batches {
            metrics.batch.bytes_sent.add(batch.bytes() as u64);
            metrics.batch.size_bytes.record(batch.bytes() as u64);
            metrics.batch.queue_time.record(now.since(batch.created));
        }
    }

    fn topic_ids(&self, batches: &[Batch], now: Time) -> Vec<(Uuid, u32)> {
        let snapshot = self.parts.metadata.snapshot();
        let mut ids: Vec<(Uuid, u32)> = Vec::new();
        for batch in batches {
            if ids.last().is_some_and(|&(_, topic)| topic == batch.name.topic) {
                continue;
            }
            let name = self.topic_name(batch.name.topic);
            self.parts.metadata.want_topic(&name, now);
            let id = snapshot.topic(&name).map_or(Uuid::nil(), |topic| topic.id);
            ids.push((id, batch.name.topic));
        }
        ids
    }

    pub(super) fn topic_name(&self, topic: u32) -> Arc<str> {
        match self.parts.accumulator.topics.get(topic) {
            Some(topic) => topic.name.clone(),
            None => "".into(),
        }
    }

    /// The request: heads written for this attempt, payloads shared.
    fn frame(
        &self,
        version: i16,
        correlation_id: i32,
        batches: &[Batch],
        topic_ids: &[(Uuid, u32)],
    ) -> Result<Frame> {
        let request = ProduceRequest {
            version,
            correlation_id,
            client_id: &self.settings.client_id,
            transactional_id: self.transaction.as_ref().map(Transaction::transactional_id),
            acks: self.settings.acks,
            timeout_ms: self.settings.ack_timeout_ms,
        };
        let mut writer = ProduceWriter::new(&request, topic_ids.len());
        let mut rest = batches;
        for &(id, topic) in topic_ids {
            let count = rest.iter().take_while(|batch| batch.name.topic == topic).count();
            let (here, later) = rest.split_at(count);
            rest = later;
            writer.begin_topic(&self.topic_name(topic), id, count);
            for batch in here {
                write_batch(&mut writer, batch)?;
            }
            writer.end_topic();
        }
        let pieces = writer.finish()?;
        let segments = pieces.into_iter().map(|piece| match piece {
            Piece::Head(bytes) => Segment::Head(bytes),
            Piece::Elsewhere(index) => match batches.get(index) {
                Some(batch) => Segment::Payload(batch.payload.clone()),
                None => Segment::Head(Bytes::new()),
            },
        });
        Ok(Frame::new(segments.collect()))
    }
}

/// Whether a node that speaks `newest` takes a batch in the format `magic`: messages before v2 also in those
/// before its own, which brokers convert themselves (KIP-31).
fn goes_as(magic: Magic, newest: Magic) -> bool {
    magic == newest || magic < newest && newest != Magic::V2
}

fn write_batch(writer: &mut ProduceWriter, batch: &Batch) -> Result<()> {
    let payload = &batch.payload;
    let crc = batch
        .payload_crc
        .ok_or_else(|| Error::new(ErrorCode::STATE, "a batch was drained before it was encoded"))?;
    match (batch.summary.magic, batch.summary.codec) {
        (Magic::V2, _) => {
            let header =
                encode_batch_header(&batch.summary, &batch.identity, payload.bytes(), crc)?;
            writer.batch(batch.name.partition, &header, payload.bytes());
        }
        (_, Codec::None) => writer.begin_partition(batch.name.partition, payload.bytes()),
        _ => {
            let header = encode_wrapper_header(&batch.summary, payload.bytes(), crc)?;
            let bytes = header.as_ref().len() + payload.bytes();
            writer.begin_partition(batch.name.partition, bytes);
            writer.records(header.as_ref());
        }
    }
    if payload.bytes() <= COALESCE_MAX_BYTES {
        for index in 0..payload.count() {
            writer.records(payload.piece(index));
        }
    } else {
        writer.records_elsewhere();
    }
    writer.end_partition();
    Ok(())
}
