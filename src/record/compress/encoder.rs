//! Owns the contexts of one thread that compresses: each codec's is made at its first use and kept.
//! Never chooses a codec and never holds more of the input than one block.

use super::{check, Compression};
use crate::error::{Error, ErrorCode, Result};
use crate::record::format::{Codec, Magic};

/// Compresses one batch after the other.
///
/// [`Encoder::begin`], the plain bytes in any portions through [`Encoder::write`], and
/// [`Encoder::finish`]; compressed bytes are appended to `out` as they come.
#[derive(Default)]
pub struct Encoder {
    codec: Option<Codec>,
    #[cfg(feature = "gzip")]
    gzip: super::gzip::GzipEncoder,
    #[cfg(feature = "snappy")]
    snappy: super::snappy::SnappyEncoder,
    #[cfg(feature = "lz4")]
    lz4: super::lz4::Lz4Encoder,
    #[cfg(feature = "zstd")]
    zstd: super::zstd::ZstdEncoder,
}

impl Encoder {
    /// Without any context yet.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// Begins a batch of format `magic` whose records take `plain_bytes`, 0 if that is not known. What was
    /// begun before and
    /// not finished is given up.
    ///
    /// Errors: `UNSUPPORTED` when the codec is not built in, `UNSUPPORTED_COMPRESSION_TYPE` when the
    /// format does not know it, `STATE` when its context cannot be made.
    pub fn begin(
        &mut self,
        compression: Compression,
        magic: Magic,
        plain_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.codec = None;
        let (codec, level) = (compression.codec(), compression.level());
        check(codec, magic)?;
        match codec {
            Codec::None => {}
            #[cfg(feature = "gzip")]
            Codec::Gzip => self.gzip.begin(level),
            #[cfg(feature = "snappy")]
            Codec::Snappy => self.snappy.begin(out),
            #[cfg(feature = "lz4")]
            Codec::Lz4 => self.lz4.begin(level, magic, out),
            #[cfg(feature = "zstd")]
            Codec::Zstd => self.zstd.begin(level, plain_bytes)?,
            #[allow(unreachable_patterns)]
            other => return Err(super::not_built(other)),
        }
        // Which of them is used depends on the features.
        let _ = (level, plain_bytes, &out);
        self.codec = Some(codec);
        Ok(())
    }

    /// Compresses the next bytes.
    ///
    /// Errors: `STATE` without a batch begun, or when the codec fails (out of memory).
    pub fn write(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self.codec {
            None => Err(not_begun()),
            Some(Codec::None) => {
                out.extend_from_slice(plain);
                Ok(())
            }
            #[cfg(feature = "gzip")]
            Some(Codec::Gzip) => self.gzip.write(plain, out),
            #[cfg(feature = "snappy")]
            Some(Codec::Snappy) => self.snappy.write(plain, out),
            #[cfg(feature = "lz4")]
            Some(Codec::Lz4) => self.lz4.write(plain, out),
            #[cfg(feature = "zstd")]
            Some(Codec::Zstd) => self.zstd.write(plain, out),
            #[allow(unreachable_patterns)]
            Some(other) => Err(super::not_built(other)),
        }
    }

    /// Ends the batch.
    ///
    /// Errors: as [`Encoder::write`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self.codec.take() {
            None => Err(not_begun()),
            Some(Codec::None) => Ok(()),
            #[cfg(feature = "gzip")]
            Some(Codec::Gzip) => self.gzip.finish(out),
            #[cfg(feature = "snappy")]
            Some(Codec::Snappy) => self.snappy.finish(out),
            #[cfg(feature = "lz4")]
            Some(Codec::Lz4) => self.lz4.finish(out),
            #[cfg(feature = "zstd")]
            Some(Codec::Zstd) => self.zstd.finish(out),
            #[allow(unreachable_patterns)]
            Some(other) => Err(super::not_built(other)),
        }
    }

    /// Compresses a whole batch, in one call.
    ///
    /// Errors: as [`Encoder::begin`].
    pub fn compress(
        &mut self,
        compression: Compression,
        magic: Magic,
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.begin(compression, magic, plain.len(), &mut out)?;
        self.write(plain, &mut out)?;
        self.finish(&mut out)?;
        Ok(out)
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encoder({:?})", self.codec)
    }
}

fn not_begun() -> Error {
    Error::new(ErrorCode::STATE, "no batch has been begun")
}

/// What a codec says when it cannot go on.
#[cfg(any(feature = "gzip", feature = "snappy", feature = "lz4", feature = "zstd"))]
#[cold]
pub(super) fn failed(codec: Codec, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::STATE, format!("{codec} failed: {what}"))
}
