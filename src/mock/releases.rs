//! Owns what brokers of past Kafka releases speak, so that a cluster can be made as old as one.
//! Everything else about their age follows from it.

use crate::error::{Error, ErrorCode, Result};
use crate::protocol::ApiKey;

use super::cluster::Cluster;
use super::versions::Versions;

/// The APIs of the columns below.
const APIS: [ApiKey; 12] = [
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::FindCoordinator,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::InitProducerId,
    ApiKey::AddPartitionsToTxn,
    ApiKey::AddOffsetsToTxn,
    ApiKey::EndTxn,
    ApiKey::TxnOffsetCommit,
];

/// The release did not know the API.
const NONE: i16 = -1;

/// The newest version of each API since a release.
const RELEASES: &[((u16, u16), [i16; 12])] = &[
    ((0, 8), [0, 0, 0, 0, 0, NONE, NONE, NONE, NONE, NONE, NONE, NONE]),
    ((0, 9), [1, 1, 0, 0, 0, NONE, NONE, NONE, NONE, NONE, NONE, NONE]),
    ((0, 10), [2, 3, 1, 2, 0, 0, 1, NONE, NONE, NONE, NONE, NONE]),
    ((0, 11), [3, 5, 2, 4, 1, 1, 2, 0, 0, 0, 0, 0]),
    ((1, 0), [5, 6, 2, 5, 1, 1, 2, 0, 0, 0, 0, 0]),
    ((1, 1), [5, 7, 2, 5, 1, 1, 2, 0, 0, 0, 0, 0]),
    ((2, 0), [6, 8, 3, 6, 2, 2, 3, 1, 1, 1, 1, 1]),
    ((2, 1), [7, 10, 4, 7, 2, 2, 3, 1, 1, 1, 1, 2]),
    ((2, 3), [7, 11, 5, 8, 2, 2, 3, 1, 1, 1, 1, 2]),
    ((2, 4), [8, 11, 5, 9, 3, 3, 5, 2, 1, 1, 1, 2]),
    ((2, 5), [8, 11, 5, 9, 3, 3, 5, 3, 1, 1, 1, 3]),
    ((2, 7), [8, 12, 5, 9, 3, 3, 6, 4, 2, 2, 2, 3]),
    ((2, 8), [9, 12, 6, 11, 3, 3, 7, 4, 3, 3, 3, 3]),
    ((3, 0), [9, 12, 7, 11, 4, 3, 7, 4, 3, 3, 3, 3]),
    ((3, 5), [9, 15, 8, 12, 4, 3, 7, 4, 4, 3, 3, 3]),
    ((3, 7), [10, 16, 8, 12, 4, 3, 7, 4, 4, 3, 3, 3]),
    ((3, 8), [11, 16, 8, 12, 5, 3, 7, 5, 5, 4, 4, 4]),
    ((3, 9), [11, 17, 9, 12, 6, 4, 7, 5, 5, 4, 4, 4]),
    ((4, 0), [12, 17, 10, 13, 6, 4, 7, 5, 5, 4, 5, 5]),
    ((4, 1), [13, 17, 11, 13, 6, 4, 7, 5, 5, 4, 5, 5]),
];

/// The release that leaves ApiVersions without answer; 0.8 closes the connection.
const SILENT: (u16, u16) = (0, 9);

/// The first release with a `transaction.version` (KIP-890), which was 2.
const TRANSACTION_VERSION_SINCE: (u16, u16) = (4, 0);

impl Cluster {
    /// Makes the brokers speak what those of a Kafka release do (`"2.8"`, from 0.8 on; what has
    /// not been released yet is like the newest), and treat producers and transactions as those
    /// did. Without this call they are of the newest release.
    /// Errors: `ARGUMENT` for anything else.
    pub fn set_kafka_version(&mut self, release: &str) -> Result<()> {
        let (asked, versions) = speaking(release)?;
        self.versions = versions;
        self.broker_versions.clear();
        self.set_transaction_version((asked >= TRANSACTION_VERSION_SINCE).then_some(2));
        Ok(())
    }

    /// Makes one broker speak what those of a Kafka release do, from its next request on: a cluster in the
    /// middle of a rolling upgrade or downgrade. What a partition's leader keeps of producers and
    /// transactions stays as the cluster has it.
    /// Errors: as [`Cluster::set_kafka_version`].
    pub fn set_broker_kafka_version(&mut self, broker: i32, release: &str) -> Result<()> {
        let (_, versions) = speaking(release)?;
        self.broker_versions.insert(broker, versions);
        Ok(())
    }
}

/// What the brokers of a release speak, and which it is.
fn speaking(release: &str) -> Result<((u16, u16), Versions)> {
    let asked = parse(release);
    let row = asked.and_then(|asked| RELEASES.iter().rev().find(|row| row.0 <= asked));
    let (Some(asked), Some((found, newest))) = (asked, row) else {
        let message = format!("'{release}' is no Kafka release from 0.8 on");
        return Err(Error::new(ErrorCode::ARGUMENT, message));
    };
    let mut versions = Versions::default();
    for (api, newest) in APIS.into_iter().zip(newest) {
        versions.limit(api, *newest);
    }
    if *found == SILENT {
        versions.fall_silent();
    }
    Ok((asked, versions))
}

/// Major and minor; what follows them does not count.
fn parse(release: &str) -> Option<(u16, u16)> {
    let mut numbers = release.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_release_did_not_know_is_not_advertised() {
        let mut cluster = Cluster::new(2, 1);
        cluster.set_kafka_version("0.10.2.2").unwrap();
        assert!(cluster.versions.accepts(ApiKey::Produce, 2));
        assert!(!cluster.versions.accepts(ApiKey::Produce, 3));
        assert_eq!(cluster.versions.newest(ApiKey::InitProducerId), None);
        cluster.set_broker_kafka_version(2, "0.9.0.1").unwrap();
        assert_eq!(cluster.versions_of(1).newest(ApiKey::ApiVersions), Some(0));
        assert_eq!(cluster.versions_of(2).newest(ApiKey::ApiVersions), None);
    }

    fn newest(cluster: &Cluster, api: ApiKey) -> i16 {
        cluster.versions.newest(api).unwrap()
    }

    #[test]
    fn a_release_is_as_old_as_it_says() {
        let mut cluster = Cluster::new(1, 1);
        for (release, produce, init, transaction_version) in [
            ("1.1.1", 5, 0, None),
            ("2.2", 7, 1, None),
            ("2.6.3", 8, 3, None),
            ("2.8", 9, 4, None),
            ("3.9.2", 11, 5, None),
            ("4.0", 12, 5, Some(2)),
            ("4.4.0", 13, 5, Some(2)),
            ("99.0", 13, 5, Some(2)),
        ] {
            cluster.set_kafka_version(release).unwrap();
            assert_eq!(newest(&cluster, ApiKey::Produce), produce, "{release}");
            assert_eq!(newest(&cluster, ApiKey::InitProducerId), init, "{release}");
            assert_eq!(cluster.features.transaction_version(), transaction_version);
        }
        for wrong in ["", "4", "0.7", "x.y", "-1.2"] {
            assert_eq!(cluster.set_kafka_version(wrong).unwrap_err().code(), ErrorCode::ARGUMENT);
        }
    }

    #[test]
    fn what_is_not_served_is_not_advertised() {
        let mut cluster = Cluster::new(1, 1);
        cluster.set_kafka_version("3.9").unwrap();
        assert_eq!(newest(&cluster, ApiKey::Fetch), 12);
    }

    #[test]
    fn each_release_speaks_at_least_what_the_one_before_did() {
        for pair in RELEASES.windows(2) {
            assert!(pair[0].0 < pair[1].0);
            let grows = pair[0].1.iter().zip(&pair[1].1).all(|(before, after)| before <= after);
            assert!(grows, "{:?}", pair[1].0);
        }
    }
}
