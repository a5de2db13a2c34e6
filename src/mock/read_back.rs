//! Owns the reading back of logs by tests: records as a consumer of either isolation would get
//! them. Never serves a request.

use crate::error::Result;
use crate::record::{batches, BatchHeader, Entry, Header, RecordView};

use super::batch_check::UNPACKED_BYTES_MAX;
use super::cluster::Cluster;
use super::topic::Partition;

/// What a reader wants to see of transactions (`isolation.level`).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// Everything: also what was aborted, and what is not decided yet.
    ReadUncommitted,
    /// What is committed or was never in a transaction, up to the first record of the first
    /// transaction that is still open.
    ReadCommitted,
}

/// A record read back from a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedRecord {
    /// Its place in the partition.
    pub offset: i64,
    /// Milliseconds since the epoch, -1 for none.
    pub timestamp_ms: i64,
    /// `None` is null.
    pub key: Option<Vec<u8>>,
    /// `None` is null.
    pub value: Option<Vec<u8>>,
    /// In order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Cluster {
    /// A partition's log as a Fetch would give it: batches with their offsets, markers among them.
    pub fn log_bytes(&self, name: &str, partition: i32) -> Result<bytes::Bytes> {
        let log = &self.partition(name, partition)?.log;
        Ok(log.read(log.start_offset(), log.end_offset(), usize::MAX, true).0)
    }

    /// The offset before which every transaction of a partition has ended.
    pub fn last_stable_offset(&self, name: &str, partition: i32) -> Result<i64> {
        Ok(self.partition(name, partition)?.last_stable_offset())
    }

    /// Every record a partition has, whatever became of its transaction. Records before the log
    /// start offset that share a batch with later ones are left out.
    /// Errors: those of the record reader (a batch accepted without `verify`, for example).
    pub fn records(&self, name: &str, partition: i32) -> Result<Vec<OwnedRecord>> {
        self.records_isolated(name, partition, Isolation::ReadUncommitted)
    }

    /// The records that a consumer with this isolation would get by now. Markers are no records.
    /// What is due ([`Cluster::advance`]) and not done yet does not count.
    /// Errors: as [`Cluster::records`].
    pub fn records_isolated(
        &self,
        name: &str,
        partition: i32,
        isolation: Isolation,
    ) -> Result<Vec<OwnedRecord>> {
        let partition = self.partition(name, partition)?;
        let (start, end) = (partition.log.start_offset(), partition.readable_end(isolation));
        let (bytes, _) = partition.log.read(start, end, usize::MAX, true);
        let mut records = Vec::new();
        for batch in batches(&bytes) {
            let batch = batch?;
            if batch.header().is_control() || is_hidden(partition, batch.header(), isolation) {
                continue;
            }
            for record in Entry::Batch(batch).unpack(UNPACKED_BYTES_MAX)?.records() {
                let record = record?;
                if record.offset >= start {
                    records.push(OwnedRecord::of(&record));
                }
            }
        }
        Ok(records)
    }
}

/// Whether a batch below the last stable offset was aborted and the reader does not want to know.
fn is_hidden(partition: &Partition, header: &BatchHeader, isolation: Isolation) -> bool {
    let at = header.base_offset;
    let mut aborted = partition.producers.aborted_between(at, at + 1);
    isolation == Isolation::ReadCommitted
        && header.is_transactional()
        && aborted.any(|aborted| aborted.producer_id == header.producer_id)
}

impl Partition {
    /// The offset up to which a reader sees anything.
    pub(super) fn readable_end(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.log.end_offset(),
            Isolation::ReadCommitted => self.last_stable_offset(),
        }
    }
}

impl OwnedRecord {
    fn of(record: &RecordView<'_>) -> OwnedRecord {
        let header =
            |header: &Header<'_>| (header.key.to_owned(), header.value.map(<[u8]>::to_vec));
        OwnedRecord {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(header).collect(),
        }
    }
}
