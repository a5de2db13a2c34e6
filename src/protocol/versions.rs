//! The versions of each API that ottla speaks, and the choice among them for a broker.
//! Never remembers a broker: what a broker offers is an argument.

use kafka_protocol::messages::ApiKey;

/// The first and the last version of an API, both included.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first version.
    pub min: i16,
    /// The last version.
    pub max: i16,
}

/// The versions of Produce. v0 to v2 carry the older message sets, which not every record can be written
/// as. A 4.x broker advertises Produce from 0 (some clients need to see that) but refuses v0 to v2: the
/// newest common version is taken, so those only where the broker offers nothing newer.
pub const PRODUCE: Range = Range { min: 0, max: 13 };

/// The first version of Produce that carries record batches of format v2 (KIP-98).
pub const PRODUCE_BATCHES_SINCE: i16 = 3;
/// The first version of Produce that carries messages of format v1 (KIP-32).
pub const PRODUCE_TIMESTAMPS_SINCE: i16 = 2;

/// The newest ApiVersions, which is what a first request on a connection is sent as.
pub const API_VERSIONS: Range = Range { min: 0, max: 4 };

/// The versions of `key` that ottla speaks; `None` when it never sends that request.
pub const fn spoken(key: ApiKey) -> Option<Range> {
    let (min, max) = match key {
        ApiKey::Produce => (PRODUCE.min, PRODUCE.max),
        ApiKey::Metadata => (0, 13),
        ApiKey::ApiVersions => (API_VERSIONS.min, API_VERSIONS.max),
        ApiKey::FindCoordinator => (0, 6),
        ApiKey::InitProducerId => (0, 5),
        // From v4 on AddPartitionsToTxn is a request between brokers.
        ApiKey::AddPartitionsToTxn => (0, 3),
        ApiKey::AddOffsetsToTxn => (0, 4),
        ApiKey::EndTxn => (0, 5),
        ApiKey::TxnOffsetCommit => (0, 5),
        ApiKey::SaslHandshake => (0, 1),
        ApiKey::SaslAuthenticate => (0, 2),
        _ => return None,
    };
    Some(Range { min, max })
}

/// The newest version of `key` that both ottla and a broker offering `broker_min` to `broker_max`
/// speak.
pub fn usable(key: ApiKey, broker_min: i16, broker_max: i16) -> Option<i16> {
    let ours = spoken(key)?;
    let newest = ours.max.min(broker_max);
    (newest >= ours.min.max(broker_min)).then_some(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_taken() {
        assert_eq!(usable(ApiKey::Metadata, 0, 12), Some(12));
        assert_eq!(usable(ApiKey::Metadata, 4, 99), Some(13));
        assert_eq!(usable(ApiKey::Produce, 0, 13), Some(13));
        assert_eq!(usable(ApiKey::Produce, 0, 3), Some(3));
        assert_eq!(usable(ApiKey::Produce, 0, 2), Some(2));
    }

    #[test]
    fn no_common_version_is_none() {
        assert_eq!(usable(ApiKey::Produce, 14, 15), None);
        assert_eq!(usable(ApiKey::Metadata, 14, 15), None);
        assert_eq!(usable(ApiKey::Metadata, 5, 4), None, "an empty range");
        assert_eq!(usable(ApiKey::Metadata, -1, -1), None);
        assert_eq!(usable(ApiKey::JoinGroup, 0, 9), None, "never sent");
    }
}
