//! The codecs: bytes of records in, bytes for the wire out, and back. Owns their framing, levels and
//! contexts, which are made once and used again; never knows what a record is.
//!
//! One file for each codec, each behind a cargo feature of its name. An [`Encoder`] belongs to one
//! thread; a [`Decoder`] reads hostile bytes: it allocates no more than they account for or a limit
//! allows, and never panics.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "lz4")]
mod lz4_high;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zstd")]
mod zstd;

mod decoder;
mod encoder;

#[cfg(test)]
mod tests;

pub use decoder::{decompress, Decoder};
pub use encoder::Encoder;

use super::format::{Codec, Magic};
use crate::error::{Error, ErrorCode, Result};

/// The lz4 level that means the fast compressor, as in Java's client; every other level searches
/// longer.
pub const LZ4_FAST_LEVEL: i32 = 9;

/// A codec and how hard it tries.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Hash)]
pub struct Compression {
    codec: Codec,
    level: i32,
}

impl Compression {
    /// No compression.
    pub const NONE: Compression = Compression { codec: Codec::None, level: 0 };

    /// `codec` at its default level: gzip 6, lz4 [`LZ4_FAST_LEVEL`], zstd 3.
    pub const fn new(codec: Codec) -> Compression {
        let level = match codec {
            Codec::Gzip => 6,
            Codec::Lz4 => LZ4_FAST_LEVEL,
            Codec::Zstd => 3,
            Codec::None | Codec::Snappy => 0,
        };
        Compression { codec, level }
    }

    /// `codec` at `level` (KIP-390): gzip 0 to 9, lz4 1 to 17 with 9 the fast one, zstd -131072 to
    /// 22. A level beyond these is brought into the range; codecs without levels ignore it.
    pub const fn with_level(codec: Codec, level: i32) -> Compression {
        let (min, max) = match codec {
            Codec::Gzip => (0, 9),
            Codec::Lz4 => (1, 17),
            Codec::Zstd => (-131_072, 22),
            Codec::None | Codec::Snappy => (0, 0),
        };
        let level = match level {
            level if level < min => min,
            level if level > max => max,
            level => level,
        };
        Compression { codec, level }
    }

    /// The codec.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The level, in the codec's own numbers.
    pub const fn level(&self) -> i32 {
        self.level
    }

    /// Whether batches are compressed at all.
    pub const fn is_some(&self) -> bool {
        !matches!(self.codec, Codec::None)
    }

    /// How many bytes more than `plain_bytes` the compressed form can take at the very most, if the
    /// plain bytes come in whatever portions.
    pub const fn growth_max(&self, plain_bytes: usize) -> usize {
        match self.codec {
            Codec::None => 0,
            // The fastest levels know no stored blocks, only codes of nine bits.
            Codec::Gzip => 128 + plain_bytes / 8,
            // A literal of 61 bytes and a far copy of 4 take one byte more than they stand for.
            Codec::Snappy => 128 + plain_bytes / 60,
            Codec::Lz4 | Codec::Zstd => 128 + plain_bytes / 128,
        }
    }
}

impl Codec {
    /// Whether this build can write and read the codec.
    pub const fn is_built(self) -> bool {
        match self {
            Codec::None => true,
            Codec::Gzip => cfg!(feature = "gzip"),
            Codec::Snappy => cfg!(feature = "snappy"),
            Codec::Lz4 => cfg!(feature = "lz4"),
            Codec::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// Whether batches of this format may be compressed so: zstd came after v2 (KIP-110).
    pub const fn fits(self, magic: Magic) -> bool {
        !matches!((self, magic), (Codec::Zstd, Magic::V0 | Magic::V1))
    }
}

fn not_built(codec: Codec) -> Error {
    let message = format!("this build of ottla has no {codec}");
    Error::new(ErrorCode::UNSUPPORTED, message)
}

/// Refuses what no broker could read.
fn check(codec: Codec, magic: Magic) -> Result<()> {
    if !codec.fits(magic) {
        let message = "zstd needs message format v2 (KIP-110)";
        return Err(Error::new(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, message));
    }
    if !codec.is_built() {
        return Err(not_built(codec));
    }
    Ok(())
}
