//! Owns the bytes of a transaction marker: a control batch that ends a transaction in one
//! partition. Never decides when.

use bytes::Bytes;

use crate::error::Result;
use crate::record::{
    crc32c, encode_batch_header, BatchBuilder, BatchHeader, ProducerIdentity, Record, NO_SEQUENCE,
};

use super::partition_log::LogBatch;

/// What a coordinator tells a partition.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Marker {
    pub(super) producer_id: i64,
    pub(super) producer_epoch: i16,
    pub(super) commit: bool,
    pub(super) coordinator_epoch: i32,
    pub(super) timestamp_ms: i64,
}

impl Marker {
    /// The batch with the one record that says so.
    pub(super) fn batch(&self) -> Result<LogBatch> {
        // Key: version 0, type 0 for abort and 1 for commit. Value: version 0, coordinator epoch.
        let key = [0, 0, 0, u8::from(self.commit)];
        let mut value = [0; 6];
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        let record = Record {
            timestamp_ms: self.timestamp_ms,
            key: Some(&key),
            value: Some(&value),
            headers: &[],
        };
        let mut builder = BatchBuilder::new_control();
        let mut payload = Vec::new();
        builder.append_control(&record, &mut payload)?;
        let identity = ProducerIdentity {
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: NO_SEQUENCE,
            transactional: true,
        };
        let crc = crc32c::checksum(&payload);
        let header = encode_batch_header(&builder.summary(), &identity, payload.len(), crc)?;
        Ok(LogBatch { header: BatchHeader::decode(&header)?, payload: Bytes::from(payload) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_has_the_bytes_that_kafka_writes() {
        // The payloads as Kafka 4.4.0 has them on disk for coordinator epoch 0.
        for (commit, payload) in [
            (true, "2000000008000000010c00000000000000"),
            (false, "2000000008000000000c00000000000000"),
        ] {
            let marker = Marker {
                producer_id: 4,
                producer_epoch: 3,
                commit,
                coordinator_epoch: 0,
                timestamp_ms: 77,
            };
            let batch = marker.batch().unwrap();
            let hex: String = batch.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, payload);
            let header = batch.header;
            assert!(header.is_control() && header.is_transactional());
            assert_eq!((header.attributes, header.count, header.base_sequence), (0x30, 1, -1));
            assert_eq!((header.producer_id, header.producer_epoch), (4, 3));
            assert_eq!((header.base_timestamp_ms, header.max_timestamp_ms), (77, 77));
        }
    }
}
