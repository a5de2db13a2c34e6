//! Reads what any client compressed, from bytes that may be hostile. Owns the choice of the codec's
//! reader; never looks at what comes out.

use std::io::{self, Read};

use super::check;
use crate::error::{Error, ErrorCode, Result};
use crate::record::format::{Codec, Magic};

/// The plain bytes behind compressed ones; `R` gives the latter in any portions.
///
/// Reads fail with `InvalidData` for bytes that the codec did not write, with `UnexpectedEof` for those
/// that were cut off.
pub struct Decoder<R: Read> {
    inner: Inner<R>,
}

enum Inner<R: Read> {
    Plain(R),
    #[cfg(feature = "gzip")]
    Gzip(Box<flate2::read::MultiGzDecoder<R>>),
    #[cfg(feature = "snappy")]
    Snappy(Box<super::snappy::SnappyReader<R>>),
    #[cfg(feature = "lz4")]
    Lz4(Box<super::lz4::Lz4Reader<R>>),
    #[cfg(feature = "zstd")]
    Zstd(Box<super::zstd::ZstdReader<R>>),
}

impl<R: Read> Decoder<R> {
    /// A reader of what a batch of format `magic` holds.
    ///
    /// Errors: `UNSUPPORTED` when the codec is not built in, `UNSUPPORTED_COMPRESSION_TYPE` when the
    /// format does not know it.
    pub fn new(codec: Codec, magic: Magic, compressed: R) -> Result<Decoder<R>> {
        check(codec, magic)?;
        let inner = match codec {
            Codec::None => Inner::Plain(compressed),
            #[cfg(feature = "gzip")]
            Codec::Gzip => Inner::Gzip(Box::new(flate2::read::MultiGzDecoder::new(compressed))),
            #[cfg(feature = "snappy")]
            Codec::Snappy => Inner::Snappy(Box::new(super::snappy::SnappyReader::new(compressed))),
            #[cfg(feature = "lz4")]
            Codec::Lz4 => Inner::Lz4(Box::new(super::lz4::Lz4Reader::new(magic, compressed))),
            #[cfg(feature = "zstd")]
            Codec::Zstd => Inner::Zstd(Box::new(super::zstd::ZstdReader::new(compressed)?)),
            #[allow(unreachable_patterns)]
            other => return Err(super::not_built(other)),
        };
        Ok(Decoder { inner })
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(reader) => reader.read(buffer),
            #[cfg(feature = "gzip")]
            Inner::Gzip(reader) => reader.read(buffer),
            #[cfg(feature = "snappy")]
            Inner::Snappy(reader) => reader.read(buffer),
            #[cfg(feature = "lz4")]
            Inner::Lz4(reader) => reader.read(buffer),
            #[cfg(feature = "zstd")]
            Inner::Zstd(reader) => reader.read(buffer),
        }
    }
}

impl<R: Read> std::fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoder")
    }
}

/// All the plain bytes of `compressed`, if they are no more than `most_bytes`.
///
/// Errors: as [`Decoder::new`]; `CORRUPT_MESSAGE` for bytes that the codec did not write,
/// `RECORD_TOO_LARGE` beyond `most_bytes`.
pub fn decompress(
    codec: Codec,
    magic: Magic,
    compressed: &[u8],
    most_bytes: usize,
) -> Result<Vec<u8>> {
    let reader = Decoder::new(codec, magic, compressed)?;
    let mut plain = Vec::new();
    let limit = most_bytes as u64;
    // One more, to tell a batch of just that size from a larger one.
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|found| Error::new(ErrorCode::CORRUPT_MESSAGE, format!("{codec}: {found}")))?;
    if plain.len() > most_bytes {
        let message = format!("{codec}: decompresses to more than {most_bytes} bytes");
        return Err(Error::new(ErrorCode::RECORD_TOO_LARGE, message));
    }
    Ok(plain)
}

/// Bytes that the codec did not write.
#[cfg(any(feature = "snappy", feature = "lz4", feature = "zstd"))]
#[cold]
pub(super) fn invalid(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Reads exactly `bytes` more into `buffer`, which grows with what is really there.
#[cfg(any(feature = "snappy", feature = "lz4"))]
pub(super) fn read_into<R: Read>(
    reader: &mut R,
    bytes: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    let found = reader.take(bytes as u64).read_to_end(buffer)?;
    if found < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
