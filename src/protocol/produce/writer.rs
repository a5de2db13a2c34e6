//! Writes a Produce request with any number of partitions into one buffer, and leaves gaps where
//! record bytes that lie elsewhere belong. Never allocates per partition.

use bytes::{BufMut, Bytes};
use kafka_protocol::messages::ApiKey;
use uuid::Uuid;

use super::{FLEXIBLE_SINCE, NEWEST, TOPIC_IDS_SINCE};
use crate::error::{Error, ErrorCode, Result};
use crate::protocol::framing::put_request_header;
use crate::protocol::wire::{put_frame_length, put_length, put_text, put_uvarint};

/// What a Produce request says before its topics.
#[derive(Copy, Clone, Debug)]
pub struct ProduceRequest<'a> {
    /// The version, 0 to 13.
    pub version: i16,
    /// The correlation id.
    pub correlation_id: i32,
    /// `client.id`.
    pub client_id: &'a str,
    /// `transactional.id` of a transactional producer; needs v3.
    pub transactional_id: Option<&'a str>,
    /// 0: the broker does not answer; 1: the leader has it; -1: all in-sync replicas have it.
    pub acks: i16,
    /// How long the broker may wait for the replicas.
    pub timeout_ms: i32,
}

/// A run of the finished request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Bytes that the writer wrote; never empty.
    Head(Bytes),
    /// Here belong the bytes that `records_elsewhere` left out for the n-th partition, counted
    /// from 0 in the order of writing.
    Elsewhere(usize),
}

/// A gap: where in the buffer, and of which partition.
#[derive(Copy, Clone)]
struct Cut {
    at: usize,
    partition: usize,
}

/// Writes one request. Calls nest like the message: `begin_topic`, for each partition
/// (`begin_partition` or `batch`, record bytes, `end_partition`), `end_topic`; at last `finish`,
/// which refuses a message whose counts or lengths are not what was announced.
pub struct ProduceWriter {
    buffer: Vec<u8>,
    cuts: Vec<Cut>,
    version: i16,
    flexible: bool,
    topics_left: usize,
    partitions_left: usize,
    partitions_written: usize,
    /// Bytes of the open partition's records that are not yet placed.
    records_left: usize,
    elsewhere: usize,
    inside: Inside,
    /// The first thing that went wrong; told by `finish`.
    failure: Option<Error>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Inside {
    Message,
    Topic,
    Partition,
}

impl ProduceWriter {
    /// Begins a request with `topics` topics.
    pub fn new(request: &ProduceRequest<'_>, topics: usize) -> ProduceWriter {
        ProduceWriter::with_capacity(request, topics, 512)
    }

    /// Begins a request with `topics` topics whose head will take about `bytes` bytes: the batch
    /// headers, the records that are copied in, and 10 to 20 bytes for each partition.
    pub fn with_capacity(
        request: &ProduceRequest<'_>,
        topics: usize,
        bytes: usize,
    ) -> ProduceWriter {
        let version = request.version;
        let mut writer = ProduceWriter {
            buffer: Vec::with_capacity(bytes),
            cuts: Vec::new(),
            version,
            flexible: version >= FLEXIBLE_SINCE,
            topics_left: topics,
            partitions_left: 0,
            partitions_written: 0,
            records_left: 0,
            elsewhere: 0,
            inside: Inside::Message,
            failure: None,
        };
        if let Err(error) = writer.put_request(request, topics) {
            writer.failure = Some(error);
        }
        writer
    }

    fn put_request(&mut self, request: &ProduceRequest<'_>, topics: usize) -> Result<()> {
        let ProduceRequest { version, correlation_id, client_id, .. } = *request;
        if !(0..=NEWEST).contains(&version) {
            let message = format!("Produce v{version} is not known");
            return Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, message));
        }
        let buffer = &mut self.buffer;
        put_request_header(buffer, ApiKey::Produce, version, correlation_id, client_id)?;
        if version >= 3 {
            put_text(buffer, self.flexible, request.transactional_id).map_err(|_| {
                Error::new(ErrorCode::CONFIG, "transactional.id is longer than 32767 bytes")
            })?;
        } else if request.transactional_id.is_some() {
            let message = format!("Produce v{version} cannot be transactional; v3 can");
            return Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, message));
        }
        buffer.put_i16(request.acks);
        buffer.put_i32(request.timeout_ms);
        put_length(buffer, self.flexible, topics);
        Ok(())
    }

    /// The bytes that one partition of a request of `version` takes besides its records, at most.
    pub const fn partition_overhead(version: i16) -> usize {
        // Index, length of the records, tagged fields.
        if version >= FLEXIBLE_SINCE {
            4 + 5 + 1
        } else {
            4 + 4
        }
    }

    /// The bytes that one topic of a request of `version` takes besides its partitions, at most.
    pub const fn topic_overhead(version: i16, name: &str) -> usize {
        // Name or id, count of the partitions, tagged fields.
        if version >= TOPIC_IDS_SINCE {
            16 + 5 + 1
        } else if version >= FLEXIBLE_SINCE {
            3 + name.len() + 5 + 1
        } else {
            2 + name.len() + 4
        }
    }

    /// Begins a topic with `partitions` partitions. The version decides whether the name or the id
    /// is written.
    pub fn begin_topic(&mut self, name: &str, id: Uuid, partitions: usize) {
        self.step(Inside::Message, Inside::Topic);
        match self.topics_left.checked_sub(1) {
            Some(left) => self.topics_left = left,
            None => self.fail("more topics than announced"),
        }
        self.partitions_left = partitions;
        if self.version >= TOPIC_IDS_SINCE {
            self.buffer.put_slice(id.as_bytes());
        } else if put_text(&mut self.buffer, self.flexible, Some(name)).is_err() {
            self.fail("a topic name longer than 32767 bytes");
        }
        put_length(&mut self.buffer, self.flexible, partitions);
    }

    /// Begins a partition whose record set takes `records_len` bytes; exactly so many have to be
    /// placed by `records` and `records_elsewhere`.
    #[inline]
    pub fn begin_partition(&mut self, partition: i32, records_len: usize) {
        self.step(Inside::Topic, Inside::Partition);
        match self.partitions_left.checked_sub(1) {
            Some(left) => self.partitions_left = left,
            None => self.fail("more partitions than announced"),
        }
        self.records_left = records_len;
        self.buffer.put_i32(partition);
        put_length(&mut self.buffer, self.flexible, records_len);
    }

    /// Begins a partition with one v2 batch: this header, then `payload_len` bytes, which still
    /// have to be placed.
    #[inline]
    pub fn batch(&mut self, partition: i32, header: &[u8; 61], payload_len: usize) {
        self.begin_partition(partition, payload_len.saturating_add(header.len()));
        self.records(header);
    }

    /// Copies record bytes into the request.
    #[inline]
    pub fn records(&mut self, bytes: &[u8]) {
        self.place(bytes.len());
        self.buffer.put_slice(bytes);
    }

    /// Leaves the rest of the open partition's record bytes out: they stay where they are, and
    /// `finish` says where they belong.
    #[inline]
    pub fn records_elsewhere(&mut self) {
        let rest = self.records_left;
        if rest > 0 {
            self.place(rest);
            self.elsewhere = self.elsewhere.saturating_add(rest);
            self.cuts.push(Cut { at: self.buffer.len(), partition: self.partitions_written });
        }
    }

    /// Ends the open partition.
    #[inline]
    pub fn end_partition(&mut self) {
        self.step(Inside::Partition, Inside::Topic);
        if self.records_left != 0 {
            self.fail("a partition with fewer record bytes than announced");
        }
        self.partitions_written += 1;
        if self.flexible {
            put_uvarint(&mut self.buffer, 0);
        }
    }

    /// Ends the open topic.
    pub fn end_topic(&mut self) {
        self.step(Inside::Topic, Inside::Message);
        if self.partitions_left != 0 {
            self.fail("a topic with fewer partitions than announced");
        }
        if self.flexible {
            put_uvarint(&mut self.buffer, 0);
        }
    }

    /// The bytes of the request so far, those elsewhere included.
    pub fn bytes(&self) -> usize {
        self.buffer.len().saturating_add(self.elsewhere)
    }

    /// The request in pieces, to be sent one after the other.
    pub fn finish(mut self) -> Result<Vec<Piece>> {
        if self.inside != Inside::Message {
            self.fail("an open topic at the end");
        } else if self.topics_left != 0 {
            self.fail("fewer topics than announced");
        }
        if let Some(error) = self.failure {
            return Err(error);
        }
        if self.flexible {
            put_uvarint(&mut self.buffer, 0);
        }
        put_frame_length(&mut self.buffer, self.elsewhere).map_err(|_| {
            Error::new(ErrorCode::RECORD_TOO_LARGE, "a Produce request of 2 GiB or more")
        })?;
        let mut pieces = Vec::with_capacity(2 * self.cuts.len() + 1);
        let mut rest = Bytes::from(self.buffer);
        let mut gone = 0;
        for Cut { at, partition } in self.cuts {
            // Cuts ascend, because the buffer only grows, and something (the partition's index at
            // least) stands between two of them.
            pieces.push(Piece::Head(rest.split_to(at - gone)));
            pieces.push(Piece::Elsewhere(partition));
            gone = at;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Head(rest));
        }
        Ok(pieces)
    }

    #[inline]
    fn step(&mut self, from: Inside, to: Inside) {
        if self.inside != from {
            self.fail("topics and partitions do not nest");
        }
        self.inside = to;
    }

    #[inline]
    fn place(&mut self, bytes: usize) {
        match self.records_left.checked_sub(bytes) {
            Some(left) if self.inside == Inside::Partition => self.records_left = left,
            _ => self.fail("more record bytes than announced"),
        }
    }

    #[cold]
    fn fail(&mut self, reason: &'static str) {
        if self.failure.is_none() {
            let version = self.version;
            let message = format!("Produce request v{version} was built wrong: {reason}");
            self.failure = Some(Error::new(ErrorCode::STATE, message));
        }
    }
}
