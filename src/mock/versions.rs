//! Owns which versions of which request the cluster serves and which it says it serves. Never
//! reads a request.

use std::collections::BTreeMap;

use crate::protocol::ApiKey;

use super::cluster::Cluster;

/// What the handlers can read and write.
const SERVED: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 0, 13),
    (ApiKey::Fetch, 4, 12),
    (ApiKey::ListOffsets, 1, 7),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::AddPartitionsToTxn, 0, 5),
    (ApiKey::AddOffsetsToTxn, 0, 4),
    (ApiKey::EndTxn, 0, 5),
    (ApiKey::TxnOffsetCommit, 0, 5),
];

/// The APIs that the cluster serves.
pub fn served() -> impl Iterator<Item = ApiKey> {
    SERVED.iter().map(|row| row.0)
}

/// What is advertised unless told otherwise; Produce v0 to v2, the message sets of old clients, only on
/// demand.
const PRODUCE_ADVERTISED: (i16, i16) = (3, 13);

/// The advertised ranges, by API key.
#[derive(Debug)]
pub(super) struct Versions {
    advertised: BTreeMap<i16, (i16, i16)>,
}

impl Default for Versions {
    fn default() -> Self {
        let row = |&(api, min, max): &(ApiKey, i16, i16)| (api as i16, (min, max));
        let mut advertised: BTreeMap<i16, (i16, i16)> = SERVED.iter().map(row).collect();
        advertised.insert(ApiKey::Produce as i16, PRODUCE_ADVERTISED);
        Versions { advertised }
    }
}

impl Versions {
    /// What ApiVersions answers: key, lowest and highest version, by key.
    pub(super) fn advertised(&self) -> impl Iterator<Item = (i16, i16, i16)> + '_ {
        self.advertised.iter().map(|(key, (min, max))| (*key, *min, *max))
    }

    /// Advertises nothing newer than `newest`.
    pub(super) fn limit(&mut self, api: ApiKey, newest: i16) {
        if let Some(range) = self.advertised.get_mut(&(api as i16)) {
            range.1 = range.1.min(newest);
        }
    }

    /// The newest version of `api` that is advertised.
    pub(super) fn newest(&self, api: ApiKey) -> Option<i16> {
        self.advertised.get(&(api as i16)).map(|range| range.1)
    }

    /// Whether a request of this version is both advertised and served.
    pub(super) fn accepts(&self, api: ApiKey, version: i16) -> bool {
        let advertised = self.advertised.get(&(api as i16));
        advertised.is_some_and(|(min, max)| (*min..=*max).contains(&version))
            && SERVED.iter().any(|row| row.0 == api && (row.1..=row.2).contains(&version))
    }
}

impl Cluster {
    /// Advertises these versions of `api`, and refuses requests outside of them as a broker does:
    /// the connection closes (ApiVersions alone is answered with UNSUPPORTED_VERSION, KIP-511). A
    /// wider range than the cluster can serve may be advertised; the excess is refused, too.
    pub fn set_api_versions(&mut self, api: ApiKey, min: i16, max: i16) {
        self.versions.advertised.insert(api as i16, (min, max));
    }

    /// Makes the brokers as old as to not know `api` at all.
    pub fn remove_api(&mut self, api: ApiKey) {
        self.versions.advertised.remove(&(api as i16));
    }
}
