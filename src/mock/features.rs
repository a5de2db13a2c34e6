//! Owns the cluster's finalized features as ApiVersions tells them (KIP-584): of them only
//! `transaction.version`. Never decides how a request of a version is treated.

use std::collections::BTreeMap;

use kafka_protocol::messages::api_versions_response::{FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::protocol::StrBytes;

use super::cluster::Cluster;

const NAME: &str = "transaction.version";
/// The newest `transaction.version` that these brokers could have.
const NEWEST: i16 = 2;

/// Levels and their epoch, at one time.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Finalized {
    transaction_version: Option<i16>,
    epoch: i64,
}

/// What is finalized, and what brokers tell that have not heard of it yet.
#[derive(Debug)]
pub(super) struct Features {
    now: Finalized,
    stale: BTreeMap<i32, Finalized>,
}

impl Default for Features {
    fn default() -> Self {
        let now = Finalized { transaction_version: Some(NEWEST), epoch: 1 };
        Features { now, stale: BTreeMap::new() }
    }
}

impl Features {
    /// The level that coordinators go by.
    pub(super) fn transaction_version(&self) -> Option<i16> {
        self.now.transaction_version
    }

    /// Puts what a broker knows into an answer to ApiVersions v3 or later.
    pub(super) fn tell(&self, broker: i32, response: &mut ApiVersionsResponse) {
        let known = self.stale.get(&broker).unwrap_or(&self.now);
        response.finalized_features_epoch = known.epoch;
        let Some(level) = known.transaction_version else { return };
        let name = StrBytes::from_static_str(NAME);
        response.supported_features =
            vec![SupportedFeatureKey::default().with_name(name.clone()).with_max_version(NEWEST)];
        if level > 0 {
            let feature = FinalizedFeatureKey::default()
                .with_name(name)
                .with_min_version_level(level)
                .with_max_version_level(level);
            response.finalized_features = vec![feature];
        }
    }
}

impl Cluster {
    /// Finalizes a `transaction.version`: 2 (KIP-890, also without being told), 1 or 0; `None` is a
    /// cluster that does not know the feature. All brokers tell it from the next ApiVersions on, and
    /// the epoch of the features grows. How brokers treat a request goes by its version, as in
    /// Kafka; the level decides how they abort on their own.
    pub fn set_transaction_version(&mut self, level: Option<i16>) {
        let epoch = self.features.now.epoch + 1;
        self.features.now = Finalized { transaction_version: level, epoch };
    }

    /// Lets a broker tell the features as they are now for as long as this is on, whatever changes.
    pub fn set_features_stale(&mut self, broker: i32, on: bool) {
        let now = self.features.now;
        if on {
            self.features.stale.insert(broker, now);
        } else {
            self.features.stale.remove(&broker);
        }
    }
}
