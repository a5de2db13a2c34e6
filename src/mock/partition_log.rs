//! Owns the log of one partition: batches as they came, with the offsets they were given. Never
//! judges a batch; what is appended has been checked.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use crate::record::{crc32c, BatchHeader, BATCH_HEADER_BYTES};

/// How much of its log a partition keeps.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Retention {
    /// Everything.
    #[default]
    All,
    /// The newest batches that fit into this many bytes, and always the last one.
    NewestBytes(u64),
    /// Nothing: offsets grow, bytes are forgotten at once.
    Nothing,
}

/// A batch whose header can still be written again; the payload stays as it came.
#[derive(Clone, Debug)]
pub(super) struct LogBatch {
    pub(super) header: BatchHeader,
    pub(super) payload: Bytes,
}

impl LogBatch {
    /// The broker's time instead of the client's, as `message.timestamp.type=LogAppendTime`
    /// demands.
    pub(super) fn stamp(&mut self, time_ms: i64) {
        self.header.set_log_append_time(time_ms);
        self.header.renew_crc(crc32c::checksum(&self.payload));
    }

    fn bytes(&self) -> usize {
        BATCH_HEADER_BYTES + self.payload.len()
    }

    fn next_offset(&self) -> i64 {
        self.header.base_offset + i64::from(self.header.last_offset_delta) + 1
    }

    fn write(&self, out: &mut BytesMut) {
        out.reserve(self.bytes());
        out.put_slice(&self.header.encode());
        out.put_slice(&self.payload);
    }

    fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.write(&mut out);
        out.freeze()
    }
}

/// The log of one partition.
#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    batches: VecDeque<LogBatch>,
    stored_bytes: u64,
    start_offset: i64,
    end_offset: i64,
}

impl PartitionLog {
    /// The first offset that can be read.
    pub(super) fn start_offset(&self) -> i64 {
        self.start_offset
    }

    /// The offset that the next record will get.
    pub(super) fn end_offset(&self) -> i64 {
        self.end_offset
    }

    /// Appends a checked batch and returns the base offset that it got.
    pub(super) fn append(&mut self, mut batch: LogBatch, retention: Retention) -> i64 {
        let base_offset = self.end_offset;
        batch.header.base_offset = base_offset;
        self.end_offset = batch.next_offset();
        if retention != Retention::Nothing {
            self.stored_bytes += batch.bytes() as u64;
            self.batches.push_back(batch);
        }
        match retention {
            Retention::All => {}
            Retention::Nothing => self.truncate_to(self.end_offset),
            Retention::NewestBytes(limit) => {
                while self.stored_bytes > limit && self.batches.len() > 1 {
                    let next = self.batches[0].next_offset();
                    self.truncate_to(next);
                }
            }
        }
        base_offset
    }

    /// Forgets what lies before `offset` (at most the end): whole batches go, and the start offset
    /// moves.
    pub(super) fn truncate_to(&mut self, offset: i64) {
        self.start_offset = offset.clamp(self.start_offset, self.end_offset);
        while self.batches.front().is_some_and(|batch| batch.next_offset() <= self.start_offset) {
            if let Some(batch) = self.batches.pop_front() {
                self.stored_bytes -= batch.bytes() as u64;
            }
        }
    }

    /// The batches from the one that holds `offset` to the one before `end`, as many as fit into
    /// `max_bytes`; the first even if it is larger when `at_least_one`. With them the offset behind
    /// the last of them (`offset` for none). The offset must lie between start and end of the log.
    pub(super) fn read(
        &self,
        offset: i64,
        end: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> (Bytes, i64) {
        let first = self.batches.partition_point(|batch| batch.next_offset() <= offset);
        let mut out = BytesMut::new();
        let mut next_offset = offset;
        for batch in self.batches.range(first..) {
            let fits = out.len() + batch.bytes() <= max_bytes;
            if batch.header.base_offset >= end || !(fits || at_least_one && out.is_empty()) {
                break;
            }
            batch.write(&mut out);
            next_offset = batch.next_offset();
        }
        (out.freeze(), next_offset)
    }

    /// The first batch with a record at or after this time: its bytes.
    pub(super) fn batch_at_time(&self, timestamp_ms: i64) -> Option<Bytes> {
        let batch =
            self.batches.iter().find(|batch| batch.header.max_timestamp_ms >= timestamp_ms)?;
        Some(batch.to_bytes())
    }

    /// The batch with the largest timestamp: that time and its bytes.
    pub(super) fn batch_of_newest_time(&self) -> Option<(i64, Bytes)> {
        // `max_by_key` would give the last of equals; Kafka gives the first.
        let newest = self.batches.iter().rev().max_by_key(|batch| batch.header.max_timestamp_ms)?;
        Some((newest.header.max_timestamp_ms, newest.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{batches, TimestampType};

    fn batch(count: i32, max_timestamp_ms: i64) -> LogBatch {
        let payload = Bytes::from(vec![5; 39]);
        let header = BatchHeader {
            base_offset: 0,
            length: 88,
            partition_leader_epoch: 7,
            crc32c: 0,
            attributes: 0,
            last_offset_delta: count - 1,
            base_timestamp_ms: 0,
            max_timestamp_ms,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count,
        };
        LogBatch { header, payload }
    }

    fn base_offsets(read: &[u8]) -> Vec<i64> {
        batches(read).map(|batch| batch.unwrap().header().base_offset).collect()
    }

    #[test]
    fn offsets_are_assigned_and_reads_begin_with_the_batch_that_holds_the_offset() {
        let mut log = PartitionLog::default();
        assert_eq!(log.append(batch(3, 10), Retention::All), 0);
        assert_eq!(log.append(batch(2, 30), Retention::All), 3);
        assert_eq!(log.append(batch(1, 20), Retention::All), 5);
        assert_eq!(log.end_offset(), 6);
        let read = |offset, end, max_bytes, at_least_one| {
            let (bytes, next_offset) = log.read(offset, end, max_bytes, at_least_one);
            (base_offsets(&bytes), next_offset)
        };
        assert_eq!(read(4, 6, 1000, true), (vec![3, 5], 6));
        assert_eq!(read(2, 6, 200, true), (vec![0, 3], 5));
        assert_eq!(read(0, 6, 10, true), (vec![0], 3), "the first batch always comes");
        assert_eq!(read(0, 6, 10, false), (vec![], 0));
        assert_eq!(read(6, 6, 1000, true), (vec![], 6));
        assert_eq!(read(0, 5, 1000, true), (vec![0, 3], 5), "up to the end and no further");
        assert_eq!(read(3, 3, 1000, true), (vec![], 3));
        assert_eq!(&log.read(5, 6, 1000, true).0[12..16], 7i32.to_be_bytes());
        assert_eq!(base_offsets(&log.batch_at_time(11).unwrap()), [3]);
        assert!(log.batch_at_time(31).is_none());
        assert_eq!(log.batch_of_newest_time().unwrap().0, 30);
    }

    #[test]
    fn retention_moves_the_start() {
        let mut log = PartitionLog::default();
        for _ in 0..5 {
            log.append(batch(2, 0), Retention::NewestBytes(250));
        }
        assert_eq!((log.start_offset(), log.end_offset()), (6, 10));
        log.append(batch(1, 0), Retention::NewestBytes(10));
        assert_eq!((log.start_offset(), log.batches.len()), (10, 1), "the last batch stays");
        log.append(batch(4, 0), Retention::Nothing);
        assert_eq!((log.start_offset(), log.end_offset()), (15, 15));
        assert_eq!((log.batches.len(), log.stored_bytes), (0, 0));
    }

    #[test]
    fn deleting_records_stops_at_the_end_and_never_goes_back() {
        let mut log = PartitionLog::default();
        log.append(batch(4, 0), Retention::All);
        log.truncate_to(2);
        assert_eq!((log.start_offset(), log.batches.len()), (2, 1));
        log.truncate_to(1);
        assert_eq!(log.start_offset(), 2);
        log.truncate_to(99);
        assert_eq!((log.start_offset(), log.batches.len()), (4, 0));
    }

    #[test]
    fn the_brokers_time_comes_with_a_right_checksum() {
        let mut batch = batch(1, 10);
        batch.stamp(99);
        let bytes = batch.to_bytes();
        let view = batches(&bytes).next().unwrap().unwrap();
        assert!(view.verify_crc().is_ok());
        assert_eq!(view.header().max_timestamp_ms, 99);
        assert_eq!(view.header().timestamp_type(), TimestampType::LogAppendTime);
    }
}
