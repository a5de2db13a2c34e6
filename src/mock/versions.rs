//! Owns which versions of which request the brokers serve and which they say they serve, and the answer to
//! what is not served. Never does what a request asks for.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::ApiVersionsResponse;

use crate::error::ErrorCode;
use crate::protocol::{ApiKey, RequestHeader};
use crate::time::Time;

use super::answer::{frame, wire};
use super::cluster::{Cluster, Reply};

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
    /// What is not known is not answered, and the connection left open: 0.9 does that.
    silent: bool,
}

impl Default for Versions {
    fn default() -> Self {
        let row = |&(api, min, max): &(ApiKey, i16, i16)| (api as i16, (min, max));
        let mut advertised: BTreeMap<i16, (i16, i16)> = SERVED.iter().map(row).collect();
        advertised.insert(ApiKey::Produce as i16, PRODUCE_ADVERTISED);
        Versions { advertised, silent: false }
    }
}

impl Versions {
    /// What ApiVersions answers: key, lowest and highest version, by key.
    pub(super) fn advertised(&self) -> impl Iterator<Item = (i16, i16, i16)> + '_ {
        self.advertised.iter().map(|(key, (min, max))| (*key, *min, *max))
    }

    /// Advertises nothing newer than `newest`; not the API at all if that leaves nothing.
    pub(super) fn limit(&mut self, api: ApiKey, newest: i16) {
        let key = api as i16;
        let Some(range) = self.advertised.get_mut(&key) else { return };
        range.1 = range.1.min(newest);
        if api == ApiKey::Produce && newest < range.0 {
            range.0 = 0;
        }
        if range.0 > range.1 {
            self.advertised.remove(&key);
        }
    }

    /// Leaves what it does not know without answer, as 0.9 does.
    pub(super) fn fall_silent(&mut self) {
        self.silent = true;
    }

    /// What a request gets that is not accepted: a version 0 answer with the list for ApiVersions
    /// (KIP-511), a closed connection for everything else. Brokers before 0.10 know no ApiVersions, and read
    /// Produce whatever its version says.
    pub(super) fn refuse(&self, request: &RequestHeader, now: Time) -> Reply {
        let asked_age = request.key == ApiKey::Produce && request.body.ends_with(&[0; 4]);
        let frame = match (self.newest(ApiKey::ApiVersions), request.key) {
            (Some(_), ApiKey::ApiVersions) => {
                frame(request, 0, &self.list(ErrorCode::UNSUPPORTED_VERSION))
            }
            (None, _) if asked_age => Some(age_answer(request.correlation_id)),
            (None, _) if self.silent => return Reply::None,
            _ => None,
        };
        match frame {
            Some(bytes) => Reply::Respond { bytes, not_before: now },
            None => Reply::CloseConnection,
        }
    }

    /// The answer to ApiVersions.
    pub(super) fn list(&self, error: ErrorCode) -> ApiVersionsResponse {
        let row = |(key, min, max): (i16, i16, i16)| {
            ApiVersion::default().with_api_key(key).with_min_version(min).with_max_version(max)
        };
        ApiVersionsResponse::default()
            .with_error_code(wire(error))
            .with_api_keys(self.advertised().map(row).collect())
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

/// No topics.
fn age_answer(correlation_id: i32) -> Bytes {
    let mut answer = 8i32.to_be_bytes().to_vec();
    answer.extend(correlation_id.to_be_bytes());
    answer.extend([0; 4]);
    answer.into()
}

impl Cluster {
    /// What `broker` speaks.
    pub(super) fn versions_of(&self, broker: i32) -> &Versions {
        self.broker_versions.get(&broker).unwrap_or(&self.versions)
    }

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
