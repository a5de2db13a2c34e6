//! What the tests of this folder share: a client in a few lines, and batches to send.

use bytes::Bytes;

use crate::error::ErrorCode;
use crate::protocol::produce::{
    decode_response, PartitionResponse, Piece, ProduceRequest, ProduceResponse, ProduceWriter,
};
use crate::protocol::{
    self, encode_request, response_correlation_id, strip_response_header, ApiKey, Decodable,
    Encodable,
};
use crate::record::{
    crc32c, encode_batch_header, BatchBuilder, Codec, Magic, ProducerIdentity, Record,
    TimestampType,
};
use crate::time::Time;

use super::cluster::{Cluster, PeerId, Reply};

/// The cluster and a client that speaks to it without a network.
pub(super) struct Tester {
    pub(super) cluster: Cluster,
    pub(super) now: Time,
}

pub(super) const CORRELATION_ID: i32 = 4711;

impl Tester {
    pub(super) fn new(brokers: usize) -> Tester {
        Tester { cluster: Cluster::new(brokers, 42), now: Time::from_ms(1000) }
    }

    /// Three brokers, and topic `t` of three partitions on all of them: broker `p + 1` leads `p`.
    pub(super) fn with_topic() -> Tester {
        let mut tester = Tester::new(3);
        tester.cluster.create_topic("t", 3, 3).unwrap();
        tester
    }

    /// Hands over a whole frame.
    pub(super) fn send(&mut self, broker: i32, frame: &Bytes) -> Reply {
        self.cluster.handle_request(broker, PeerId(1), frame.slice(4..), self.now)
    }

    pub(super) fn ask<Q: Encodable>(
        &mut self,
        broker: i32,
        key: ApiKey,
        version: i16,
        message: &Q,
    ) -> Reply {
        let frame = encode_request(key, version, CORRELATION_ID, "tester", message).unwrap();
        self.send(broker, &frame)
    }

    /// Asks and reads the answer.
    pub(super) fn call<Q: Encodable, A: Decodable>(
        &mut self,
        broker: i32,
        key: ApiKey,
        version: i16,
        message: &Q,
    ) -> A {
        let reply = self.ask(broker, key, version, message);
        let body = body_of(key, version, reply);
        protocol::decode_response(key, version, body).unwrap()
    }

    /// Produces to one partition of `t` at `broker` and reads the answer.
    pub(super) fn produce(
        &mut self,
        broker: i32,
        version: i16,
        partition: i32,
        records: &[u8],
    ) -> PartitionResponse {
        let mut response = self.produce_response(broker, version, partition, records);
        assert_eq!(response.partitions.len(), 1);
        response.partitions.remove(0)
    }

    pub(super) fn produce_response(
        &mut self,
        broker: i32,
        version: i16,
        partition: i32,
        records: &[u8],
    ) -> ProduceResponse {
        let frame = self.produce_frame(version, -1, partition, records);
        let reply = self.send(broker, &frame);
        decode_response(version, &body_of(ApiKey::Produce, version, reply)).unwrap()
    }

    /// The code that a produce to partition 0 of `t` at broker 1 gets.
    pub(super) fn produce_code(&mut self, records: &[u8]) -> ErrorCode {
        ErrorCode::from_broker(self.produce(1, 9, 0, records).error_code)
    }

    pub(super) fn produce_frame(
        &self,
        version: i16,
        acks: i16,
        partition: i32,
        records: &[u8],
    ) -> Bytes {
        let id = self.cluster.topic_id("t").unwrap_or_default();
        produce_frame("t", id, version, acks, partition, records)
    }

    /// Produces to a partition of `t` at its leader, in a transaction.
    pub(super) fn produce_in(
        &mut self,
        transactional_id: Option<&str>,
        version: i16,
        partition: i32,
        records: &[u8],
    ) -> PartitionResponse {
        let id = self.cluster.topic_id("t").unwrap();
        let leader = self.cluster.leader("t", partition).unwrap().0.unwrap();
        let request = ProduceRequest { transactional_id, ..request(version, -1) };
        let reply = self.send(leader, &frame_of(&request, "t", id, partition, records));
        let body = body_of(ApiKey::Produce, version, reply);
        decode_response(version, &body).unwrap().partitions.remove(0)
    }
}

/// A cluster whose topic `t` has three records in partition 0: one of a committed transaction (with it
/// group `g` committed offset 11 there), one of an aborted, one of an open one.
pub(crate) fn cluster_with_transactions() -> Cluster {
    super::coordinator::with_transactions()
}

pub(super) fn produce_frame(
    topic: &str,
    id: uuid::Uuid,
    version: i16,
    acks: i16,
    partition: i32,
    records: &[u8],
) -> Bytes {
    frame_of(&request(version, acks), topic, id, partition, records)
}

fn request(version: i16, acks: i16) -> ProduceRequest<'static> {
    ProduceRequest {
        version,
        correlation_id: CORRELATION_ID,
        client_id: "tester",
        transactional_id: None,
        acks,
        timeout_ms: 1000,
    }
}

fn frame_of(
    request: &ProduceRequest<'_>,
    topic: &str,
    id: uuid::Uuid,
    partition: i32,
    records: &[u8],
) -> Bytes {
    let mut writer = ProduceWriter::new(request, 1);
    writer.begin_topic(topic, id, 1);
    writer.begin_partition(partition, records.len());
    writer.records(records);
    writer.end_partition();
    writer.end_topic();
    match &writer.finish().unwrap()[..] {
        [Piece::Head(bytes)] => bytes.clone(),
        pieces => panic!("{pieces:?}"),
    }
}

/// The body of an answer that may leave.
pub(super) fn body_of(key: ApiKey, version: i16, reply: Reply) -> Bytes {
    let Reply::Respond { bytes, .. } = reply else {
        panic!("{reply:?}");
    };
    let length = u32::from_be_bytes(bytes[..4].try_into().unwrap());
    assert_eq!(length as usize, bytes.len() - 4);
    assert_eq!(response_correlation_id(&bytes[4..]).unwrap(), CORRELATION_ID);
    strip_response_header(key, version, bytes.slice(4..)).unwrap()
}

/// Keys and values into one batch; timestamps 100, 101, and on.
pub(super) fn batch(records: &[(Option<&str>, &str)]) -> Vec<u8> {
    batch_of(&ProducerIdentity::NONE, records)
}

/// As many records without a key from an idempotent producer.
pub(super) fn sequenced(id: i64, epoch: i16, first: i32, count: usize) -> Vec<u8> {
    batch_of(&identity(id, epoch, first), &vec![(None, "v"); count])
}

/// The same in a transaction.
pub(super) fn transactional(id: i64, epoch: i16, first: i32, count: usize) -> Vec<u8> {
    let identity = ProducerIdentity { transactional: true, ..identity(id, epoch, first) };
    batch_of(&identity, &vec![(None, "v"); count])
}

fn identity(producer_id: i64, producer_epoch: i16, base_sequence: i32) -> ProducerIdentity {
    ProducerIdentity { producer_id, producer_epoch, base_sequence, transactional: false }
}

pub(super) fn batch_of(identity: &ProducerIdentity, records: &[(Option<&str>, &str)]) -> Vec<u8> {
    let mut builder =
        BatchBuilder::new(Magic::V2, Codec::None, TimestampType::CreateTime, 1 << 20).unwrap();
    let mut payload = Vec::new();
    for ((key, value), timestamp_ms) in records.iter().zip(100..) {
        let (key, value) = (key.map(str::as_bytes), Some(value.as_bytes()));
        let record = Record { timestamp_ms, key, value, headers: &[] };
        let size = builder.check(&record).unwrap();
        builder.append(&record, size, &mut payload);
    }
    let crc = crc32c::checksum(&payload);
    let header = encode_batch_header(&builder.summary(), identity, payload.len(), crc);
    [&header.unwrap()[..], &payload].concat()
}

/// Makes the checksum of a batch right again after a change.
pub(super) fn with_right_crc(mut batch: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::checksum(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}
