//! Batches and records for the tests of this folder.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// A record that owns its bytes, so that a strategy can make it.
#[derive(Clone, Debug)]
pub(super) struct OwnedRecord {
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl OwnedRecord {
    pub(super) fn headers(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(key, value)| Header { key, value: value.as_deref() }).collect()
    }

    pub(super) fn record<'a>(&'a self, headers: &'a [Header<'a>]) -> Record<'a> {
        Record {
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers,
        }
    }
}

/// Records whose fields lie around the lengths where a varint grows.
pub(super) fn any_record() -> impl Strategy<Value = OwnedRecord> {
    let field = || option::of(prop_oneof![vec(any::<u8>(), 0..4), vec(any::<u8>(), 60..70)]);
    let timestamp_ms = prop_oneof![Just(NO_TIMESTAMP), 0..=i64::MAX, 1_000_000i64..1_000_200];
    let headers = prop_oneof![Just(vec![]), vec(("[a-zé]{0,3}", field()), 1..40)];
    (timestamp_ms, field(), field(), headers).prop_map(|(timestamp_ms, key, value, headers)| {
        OwnedRecord { timestamp_ms, key, value, headers }
    })
}

pub(super) fn builder(write_limit: usize) -> BatchBuilder {
    BatchBuilder::new(Magic::V2, Codec::None, TimestampType::CreateTime, write_limit).unwrap()
}

pub(super) fn plain(timestamp_ms: i64, value: &[u8]) -> Record<'_> {
    Record { timestamp_ms, key: None, value: Some(value), headers: &[] }
}

/// The road of every record: check, size, append.
pub(super) fn append(builder: &mut BatchBuilder, record: &Record<'_>, payload: &mut Vec<u8>) {
    let size = builder.check(record).unwrap();
    assert_eq!(size, builder.size_of(record));
    let (bytes, before) = (builder.bytes(), payload.len());
    assert_eq!(builder.append(record, size, payload), builder.count() - 1);
    assert_eq!(payload.len() - before, size);
    assert_eq!(builder.bytes() - bytes, size);
}

/// The header of what the builder wrote, and the payload behind it.
pub(super) fn finish(
    builder: &BatchBuilder,
    identity: &ProducerIdentity,
    payload: &[u8],
) -> Vec<u8> {
    let crc = crc32c::checksum(payload);
    let header = encode_batch_header(&builder.summary(), identity, payload.len(), crc).unwrap();
    [&header[..], payload].concat()
}

/// A batch of these records.
pub(super) fn batch(records: &[Record<'_>]) -> Vec<u8> {
    let (mut builder, mut payload) = (builder(usize::MAX), Vec::new());
    for record in records {
        append(&mut builder, record, &mut payload);
    }
    finish(&builder, &ProducerIdentity::NONE, &payload)
}

/// A batch that says whatever `change` makes its header say, with a right checksum.
pub(super) fn batch_with_header(payload: &[u8], change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let mut header = BatchHeader::decode(&batch(&[plain(0, b"")])).unwrap();
    header.length = (BATCH_HEADER_BYTES - 12 + payload.len()) as i32;
    change(&mut header);
    header.renew_crc(crc32c::checksum(payload));
    [&header.encode()[..], payload].concat()
}

/// The only batch in `bytes`.
pub(super) fn only(bytes: &[u8]) -> BatchView<'_> {
    let mut all = batches(bytes);
    let batch = all.next().unwrap().unwrap();
    assert!(all.next().is_none());
    batch
}

/// All records of a batch whose checksum is right.
pub(super) fn read(bytes: &[u8]) -> Vec<RecordView<'_>> {
    let batch = only(bytes);
    batch.verify_crc().unwrap();
    batch.records().collect::<crate::error::Result<_>>().unwrap()
}
