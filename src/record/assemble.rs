//! Whole record sets in one piece, for those who have all the plain bytes at hand: the embedded broker,
//! tests, tools. The producer's own batches keep header and payload apart and never pass here.

use super::batch_header::{encode_batch_header, BatchSummary, ProducerIdentity};
use super::builder::BatchBuilder;
use super::compress::{Compression, Encoder};
use super::crc32c;
use super::format::{Codec, Magic};
use super::legacy::encode_wrapper_header;
use super::record::Record;
use crate::error::Result;

/// The record set of `summary`, whose records' plain bytes are `plain`, compressed as `compression` says.
///
/// Errors: those of [`Encoder::begin`], [`encode_batch_header`] and [`encode_wrapper_header`].
pub fn assemble(
    summary: &BatchSummary,
    identity: &ProducerIdentity,
    plain: &[u8],
    compression: Compression,
    encoder: &mut Encoder,
) -> Result<Vec<u8>> {
    let summary = BatchSummary { codec: compression.codec(), ..*summary };
    let payload = encoder.compress(compression, summary.magic, plain)?;
    Ok(match (summary.magic, summary.codec) {
        (Magic::V2, _) => {
            let crc = crc32c::checksum(&payload);
            let header = encode_batch_header(&summary, identity, payload.len(), crc)?;
            [&header[..], &payload].concat()
        }
        (_, Codec::None) => payload,
        _ => {
            let crc = crc32fast::hash(&payload);
            let header = encode_wrapper_header(&summary, payload.len(), crc)?;
            [header.as_ref(), &payload].concat()
        }
    })
}

/// The record set of format `magic` with these records, as a producer without identity sends it.
///
/// Errors: as [`assemble`], and those of [`BatchBuilder::append_with_offset`].
pub fn assemble_records<'a>(
    magic: Magic,
    compression: Compression,
    records: impl IntoIterator<Item = Record<'a>>,
    encoder: &mut Encoder,
) -> Result<Vec<u8>> {
    let create_time = super::format::TimestampType::CreateTime;
    let mut builder = BatchBuilder::new(magic, compression.codec(), create_time, usize::MAX)?;
    let mut plain = Vec::new();
    for record in records {
        builder.append_with_offset(builder.count(), &record, &mut plain)?;
    }
    assemble(&builder.summary(), &ProducerIdentity::NONE, &plain, compression, encoder)
}
