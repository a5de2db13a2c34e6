//! Produce requests: the headers of requests and batches are read and checked, records are thrown away.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

use crate::answers::{is_flexible, PRODUCE};
use crate::connection::{Connection, Outcome};
use crate::counters::Topic;
use crate::wire::{Reader, Writer};

const BATCH_HEADER_BYTES: usize = 61;
/// Where the bytes that the checksum covers begin.
const CHECKED_FROM: usize = 21;

const CORRUPT_MESSAGE: i16 = 2;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;

/// The fields of a batch header that matter here.
struct BatchHeader {
    bytes: usize,
    magic: i8,
    checksum: u32,
    codec: i16,
    last_offset_delta: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    count: i32,
}

impl BatchHeader {
    fn read(bytes: &[u8]) -> Option<BatchHeader> {
        let mut reader = Reader::new(bytes);
        reader.take(8)?;
        let length = reader.i32()?;
        reader.take(4)?;
        let magic = reader.i8()?;
        let checksum = u32::from_be_bytes(reader.array()?);
        let codec = reader.i16()? & 7;
        let last_offset_delta = reader.i32()?;
        reader.take(16)?;
        Some(BatchHeader {
            bytes: usize::try_from(i64::from(length) + 12).unwrap_or(0),
            magic,
            checksum,
            codec,
            last_offset_delta,
            producer_id: i64::from_be_bytes(reader.array()?),
            producer_epoch: reader.i16()?,
            base_sequence: reader.i32()?,
            count: reader.i32()?,
        })
    }
}

/// What the record sets of one partition, or of a request, held.
#[derive(Default)]
struct Taken {
    records: u64,
    batches: u64,
    bytes: u64,
}

impl Connection<'_> {
    /// The rest of a Produce request, `left` bytes of a frame of `frame`.
    pub fn produce(
        &mut self,
        version: i16,
        correlation: i32,
        mut left: usize,
        frame: usize,
    ) -> Option<Outcome> {
        let flexible = is_flexible(PRODUCE, version);
        let (acks, topics) = self.parse_piece(&mut left, |reader| {
            if version >= 3 {
                reader.string(flexible)?;
            }
            let acks = reader.i16()?;
            reader.i32()?;
            Some((acks, reader.array_len(flexible)?.max(0)))
        })?;
        let spare = std::mem::take(&mut self.spare);
        let mut writer = Writer::begin(spare, correlation, flexible, flexible);
        writer.array(topics as usize);
        let mut all = Taken::default();
        for _ in 0..topics {
            self.topic_data(version, &mut left, &mut writer, &mut all)?;
        }
        self.skip(left)?;
        if version >= 1 {
            writer.i32(0);
        }
        writer.tags();
        let count = &self.shared.count;
        count.req_produce.fetch_add(1, Relaxed);
        count.records.fetch_add(all.records, Relaxed);
        count.batches.fetch_add(all.batches, Relaxed);
        count.record_bytes.fetch_add(all.bytes, Relaxed);
        count.request_bytes.fetch_add(frame as u64, Relaxed);
        count.produce_version_max.fetch_max(version as u64, Relaxed);
        let answer = writer.end();
        if acks == 0 {
            self.spare = answer;
            return Some(Outcome::NoAnswer);
        }
        Some(Outcome::Answer(answer))
    }

    fn topic_data(
        &mut self,
        version: i16,
        left: &mut usize,
        writer: &mut Writer,
        all: &mut Taken,
    ) -> Option<()> {
        let flexible = is_flexible(PRODUCE, version);
        let (shared, last) = (self.shared, self.last_topic.take());
        let (topic, partitions) = self.parse_piece(left, |reader| {
            let topic = if version >= 13 {
                shared.topic_by_id(&reader.array()?)?
            } else {
                let name = reader.string(flexible)??;
                last.filter(|topic| topic.name == name).unwrap_or_else(|| shared.topic(name))
            };
            Some((topic, reader.array_len(flexible)?.max(0)))
        })?;
        if version >= 13 {
            writer.raw(&topic.id);
        } else {
            writer.string(Some(&topic.name));
        }
        writer.array(partitions as usize);
        for _ in 0..partitions {
            self.partition_data(version, &topic, left, writer, all)?;
        }
        if flexible {
            self.parse(left, 16, |reader| reader.tags(true))?;
        }
        writer.tags();
        self.last_topic = Some(topic);
        Some(())
    }

    fn partition_data(
        &mut self,
        version: i16,
        topic: &Arc<Topic>,
        left: &mut usize,
        writer: &mut Writer,
        all: &mut Taken,
    ) -> Option<()> {
        let flexible = is_flexible(PRODUCE, version);
        let (index, bytes) = self.parse(left, 16, |reader| {
            let index = reader.i32()?;
            let bytes = reader.array_len(flexible)?.max(0);
            Some((index, usize::try_from(bytes).ok()?))
        })?;
        *left = left.checked_sub(bytes)?;
        let (taken, mut error) = self.record_sets(topic, index, bytes)?;
        let mut base_offset = -1;
        match usize::try_from(index).ok().and_then(|at| topic.partitions.get(at)) {
            None => error = UNKNOWN_TOPIC_OR_PARTITION,
            Some(partition) if error == 0 => {
                base_offset = partition.next_offset.fetch_add(taken.records, Relaxed) as i64;
                partition.records.fetch_add(taken.records, Relaxed);
                partition.batches.fetch_add(taken.batches, Relaxed);
                partition.bytes.fetch_add(taken.bytes, Relaxed);
                all.records += taken.records;
                all.batches += taken.batches;
                all.bytes += taken.bytes;
            }
            Some(_) => {}
        }
        if flexible {
            self.parse(left, 16, |reader| reader.tags(true))?;
        }
        writer.i32(index);
        writer.i16(error);
        writer.i64(base_offset);
        if version >= 2 {
            writer.i64(-1);
        }
        if version >= 5 {
            writer.i64(0);
        }
        if version >= 8 {
            writer.array(0);
            writer.string(None);
        }
        writer.tags();
        Some(())
    }

    /// Takes the batches of one partition off the stream: what they held, and the error to answer with.
    fn record_sets(&mut self, topic: &Topic, index: i32, bytes: usize) -> Option<(Taken, i16)> {
        let mut taken = Taken { bytes: bytes as u64, ..Taken::default() };
        let (mut rest, mut error) = (bytes, 0);
        while rest >= BATCH_HEADER_BYTES {
            let header = BatchHeader::read(self.peek(BATCH_HEADER_BYTES)?)?;
            if header.magic != 2 {
                self.shared.count.bad_magic.fetch_add(1, Relaxed);
                break;
            }
            if !(BATCH_HEADER_BYTES..=rest).contains(&header.bytes) {
                break;
            }
            let (is_new, wrong) = self.judge(topic, index, &header)?;
            error = if wrong == 0 { error } else { wrong };
            self.skip(header.bytes)?;
            rest -= header.bytes;
            taken.batches += 1;
            if is_new && error == 0 {
                taken.records += header.count.max(0) as u64;
            }
        }
        if rest > 0 {
            self.shared.count.length_errors.fetch_add(1, Relaxed);
            self.skip(rest)?;
            error = CORRUPT_MESSAGE;
        }
        Some((taken, error))
    }

    /// Checks the batch at the front of the stream: whether it is no duplicate, and what is wrong with it.
    fn judge(&mut self, topic: &Topic, index: i32, header: &BatchHeader) -> Option<(bool, i16)> {
        let shared = self.shared;
        let count = &shared.count;
        if header.last_offset_delta != header.count - 1 {
            count.delta_errors.fetch_add(1, Relaxed);
        }
        let codec = match header.codec {
            0 => &count.codec_none,
            1 => &count.codec_gzip,
            2 => &count.codec_snappy,
            3 => &count.codec_lz4,
            4 => &count.codec_zstd,
            _ => &count.codec_unknown,
        };
        codec.fetch_add(1, Relaxed);
        let (mut is_new, mut error) = (true, 0);
        if header.producer_id >= 0 {
            (is_new, error) = self.judge_sequence(topic, index, header);
        }
        if shared.settings.verify {
            let batch = self.peek(header.bytes)?;
            if crc32c::crc32c(&batch[CHECKED_FROM..]) != header.checksum {
                count.crc_errors.fetch_add(1, Relaxed);
                error = CORRUPT_MESSAGE;
            }
        }
        Some((is_new, error))
    }

    fn judge_sequence(&self, topic: &Topic, index: i32, header: &BatchHeader) -> (bool, i16) {
        let count = &self.shared.count;
        count.idempotent_batches.fetch_add(1, Relaxed);
        let first = (header.producer_epoch, 0);
        let mut sequences = self.shared.sequences();
        let known = sequences.entry((header.producer_id, topic.id, index)).or_insert(first);
        if known.0 != header.producer_epoch {
            *known = first;
        }
        let after = (i64::from(header.base_sequence) + i64::from(header.count)) & 0x7fff_ffff;
        if header.base_sequence == known.1 {
            known.1 = after as i32;
            return (true, 0);
        }
        if after == i64::from(known.1) {
            count.seq_duplicates.fetch_add(1, Relaxed);
            return (false, 0);
        }
        count.seq_errors.fetch_add(1, Relaxed);
        (true, OUT_OF_ORDER_SEQUENCE_NUMBER)
    }
}
