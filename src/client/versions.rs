//! Owns what one broker speaks: the versions of its APIs and the cluster's finalized features.
//! Java: `NodeApiVersions`. Never asks: it is built from an ApiVersions response.

use std::collections::BTreeMap;

use crate::protocol::messages::ApiVersionsResponse;
use crate::protocol::{versions, ApiKey};

/// A broker's answer to ApiVersions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeApiVersions {
    /// API key → lowest and highest version.
    ranges: BTreeMap<i16, (i16, i16)>,
    /// Feature → highest finalized level.
    features: BTreeMap<String, i16>,
    /// -1 when the broker told none.
    features_epoch: i64,
}

impl NodeApiVersions {
    /// From a response without error.
    pub fn new(response: &ApiVersionsResponse) -> NodeApiVersions {
        let range = |key: &crate::protocol::messages::api_versions_response::ApiVersion| {
            (key.api_key, (key.min_version, key.max_version))
        };
        let finalized = response.finalized_features.iter();
        NodeApiVersions {
            ranges: response.api_keys.iter().map(range).collect(),
            features: finalized
                .map(|feature| (feature.name.to_string(), feature.max_version_level))
                .collect(),
            features_epoch: response.finalized_features_epoch,
        }
    }

    /// Of a broker before 0.10, which cannot be asked: what 0.8 and 0.9 have in common.
    pub fn before_0_10() -> NodeApiVersions {
        let ranges = [(ApiKey::Produce, (0, 0)), (ApiKey::Metadata, (0, 0))];
        NodeApiVersions {
            ranges: ranges.into_iter().map(|(api, range)| (api as i16, range)).collect(),
            features: BTreeMap::new(),
            features_epoch: -1,
        }
    }

    /// The newest version of `api` that both sides speak.
    pub fn usable(&self, api: ApiKey) -> Option<i16> {
        let &(min, max) = self.ranges.get(&(api as i16))?;
        versions::usable(api, min, max)
    }

    /// The newest version of `api` that both sides speak, if that is `lowest` or newer.
    pub fn usable_from(&self, api: ApiKey, lowest: i16) -> Option<i16> {
        self.usable(api).filter(|&version| version >= lowest)
    }

    /// Whether the broker speaks this version.
    pub fn supports(&self, api: ApiKey, version: i16) -> bool {
        let range = self.ranges.get(&(api as i16));
        range.is_some_and(|&(min, max)| (min..=max).contains(&version))
    }

    /// The finalized level of a feature, such as `transaction.version`; 0 when there is none.
    pub fn finalized_level(&self, feature: &str) -> i16 {
        self.features.get(feature).copied().unwrap_or(0)
    }

    /// The epoch of the finalized features: of two answers the one with the higher epoch is newer.
    pub fn features_epoch(&self) -> i64 {
        self.features_epoch
    }
}

/// Whether a throttle time in a response of this version asks the client to pause (KIP-219). Before
/// these versions the broker delayed its response instead.
pub(super) fn client_must_throttle(api: ApiKey, version: i16) -> bool {
    let first = match api {
        ApiKey::Produce | ApiKey::Metadata => 6,
        ApiKey::ApiVersions | ApiKey::FindCoordinator => 2,
        _ => 1,
    };
    version >= first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey};

    fn offering(ranges: &[(ApiKey, i16, i16)]) -> NodeApiVersions {
        let key = |&(api, min, max): &(ApiKey, i16, i16)| {
            ApiVersion::default()
                .with_api_key(api as i16)
                .with_min_version(min)
                .with_max_version(max)
        };
        let keys = ranges.iter().map(key).collect();
        NodeApiVersions::new(&ApiVersionsResponse::default().with_api_keys(keys))
    }

    #[test]
    fn the_latest_usable_version_is_the_top_of_the_intersection() {
        let versions = offering(&[
            (ApiKey::Produce, 0, 9),
            (ApiKey::Metadata, 4, 99),
            (ApiKey::InitProducerId, 6, 7),
            (ApiKey::EndTxn, 3, 1),
        ]);
        assert_eq!(versions.usable(ApiKey::Produce), Some(9));
        assert_eq!(versions.usable(ApiKey::Metadata), Some(13));
        assert_eq!(versions.usable(ApiKey::InitProducerId), None, "out of our range");
        assert_eq!(versions.usable(ApiKey::EndTxn), None, "an empty range");
        assert_eq!(versions.usable(ApiKey::FindCoordinator), None, "not offered");
        assert_eq!(versions.usable_from(ApiKey::Produce, 9), Some(9));
        assert_eq!(versions.usable_from(ApiKey::Produce, 10), None);
        assert!(versions.supports(ApiKey::Produce, 0));
        assert!(!versions.supports(ApiKey::Produce, 10));
    }

    #[test]
    fn finalized_features_are_kept() {
        let feature = FinalizedFeatureKey::default()
            .with_name("transaction.version".into())
            .with_max_version_level(2);
        let response = ApiVersionsResponse::default()
            .with_finalized_features(vec![feature])
            .with_finalized_features_epoch(7);
        let versions = NodeApiVersions::new(&response);
        assert_eq!(versions.finalized_level("transaction.version"), 2);
        assert_eq!(versions.finalized_level("kraft.version"), 0);
        assert_eq!(versions.features_epoch(), 7);
        assert_eq!(NodeApiVersions::new(&ApiVersionsResponse::default()).features_epoch(), -1);
    }

    #[test]
    fn old_response_versions_do_not_mute_the_client() {
        assert!(!client_must_throttle(ApiKey::Produce, 5));
        assert!(client_must_throttle(ApiKey::Produce, 6));
        assert!(!client_must_throttle(ApiKey::ApiVersions, 1));
        assert!(client_must_throttle(ApiKey::ApiVersions, 2));
        assert!(client_must_throttle(ApiKey::Metadata, 6));
    }
}
