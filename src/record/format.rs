//! The three things that choose a record format: magic, codec and timestamp type, with the
//! numbers they have on the wire. Never says which of them can be built; the builder does.

/// The version of the message format (Kafka's "magic" byte).
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Magic {
    /// Messages without timestamps (brokers before 0.10).
    V0 = 0,
    /// Messages with timestamps (KIP-32, brokers 0.10).
    V1 = 1,
    /// Record batches with producer identity and headers (KIP-98, KIP-82, brokers since 0.11).
    V2 = 2,
}

impl Magic {
    /// The magic of this number, if there is one.
    pub const fn from_id(id: u8) -> Option<Magic> {
        match id {
            0 => Some(Magic::V0),
            1 => Some(Magic::V1),
            2 => Some(Magic::V2),
            _ => None,
        }
    }
}

/// Whose clock a batch's timestamps come from (`message.timestamp.type`).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Hash)]
pub enum TimestampType {
    /// The producer's: each record keeps its own.
    CreateTime,
    /// The broker's: the batch's max timestamp stands for all its records.
    LogAppendTime,
}

/// How the records of a batch are compressed (`compression.type`).
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Codec {
    /// Not at all.
    None = 0,
    /// gzip.
    Gzip = 1,
    /// snappy in xerial's framing.
    Snappy = 2,
    /// lz4 frames.
    Lz4 = 3,
    /// zstd (KIP-110).
    Zstd = 4,
}

impl Codec {
    /// The codec of this number, if there is one.
    pub const fn from_id(id: u8) -> Option<Codec> {
        match id {
            0 => Some(Codec::None),
            1 => Some(Codec::Gzip),
            2 => Some(Codec::Snappy),
            3 => Some(Codec::Lz4),
            4 => Some(Codec::Zstd),
            _ => None,
        }
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        })
    }
}
