//! The tables against what the crate writes, for every version.

use std::fmt::Debug;

use kafka_protocol::protocol::{Decodable, Encodable};

use super::*;
use crate::protocol::samples::{self, Visit};

fn encoded<M: Encodable>(version: i16, message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes, version).expect("the sample fits its version");
    bytes
}

/// Every table consumes exactly the bytes that the crate writes.
struct Exact {
    side: Side,
    seen: usize,
}

impl Visit for Exact {
    fn visit<M>(&mut self, key: ApiKey, version: i16, message: M)
    where
        M: Encodable + Decodable + PartialEq + Debug,
    {
        let bytes = encoded(version, &message);
        let left = check(self.side, key, version, &bytes);
        assert_eq!(left.unwrap(), 0, "{key:?} {} v{version}", self.side.name());
        for length in 0..bytes.len() {
            let cut = check(self.side, key, version, &bytes[..length]);
            let code = cut.expect_err("cut short").code();
            assert_eq!(code, ErrorCode::PROTOCOL, "{key:?} {} v{version}", self.side.name());
        }
        self.seen += 1;
    }
}

/// The versions that the tables cover.
fn covered() -> usize {
    (0..=100)
        .filter_map(|key| ApiKey::try_from(key).ok())
        .filter_map(shape)
        .fold(0, |sum, shape| sum + shape.versions.count())
}

#[test]
fn the_tables_of_responses_are_those_of_the_crate() {
    let mut exact = Exact { side: Side::Response, seen: 0 };
    samples::responses(&mut exact);
    assert_eq!(exact.seen, covered(), "a version without a sample");
}

#[test]
fn the_tables_of_requests_are_those_of_the_crate() {
    let mut exact = Exact { side: Side::Request, seen: 0 };
    samples::requests(&mut exact);
    assert_eq!(exact.seen, covered(), "a version without a sample");
}

#[test]
fn every_response_that_ottla_asks_for_has_a_table() {
    for key in (0..=100).filter_map(|key| ApiKey::try_from(key).ok()) {
        let Some(spoken) = crate::protocol::versions::spoken(key) else { continue };
        if key == ApiKey::Produce {
            continue; // its codec is ours
        }
        let described = shape(key).expect("tables").versions;
        // The newest AddPartitionsToTxn are spoken among brokers only.
        let newest = if key == ApiKey::AddPartitionsToTxn { 5 } else { spoken.max };
        assert_eq!(described, spoken.min..=newest, "{key:?}");
    }
}

#[test]
fn a_count_beyond_the_bytes_is_named() {
    // Metadata v0: brokers.
    let error = check_response(ApiKey::Metadata, 0, &[0x7f, 0xff, 0xff, 0xff, 0]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PROTOCOL);
    assert_eq!(
        error.message(),
        "Metadata response v0: more elements than bytes in brokers at byte 4"
    );
}

#[test]
fn a_known_tagged_field_must_have_its_announced_size() {
    // ApiVersions v3: error 0, no keys, throttle 0, one tagged field: tag 1, an int64.
    let head = [0, 0, 1, 0, 0, 0, 0, 1, 1];
    let check = |size: u8, rest: usize| {
        let mut bytes = head.to_vec();
        bytes.push(size);
        bytes.resize(bytes.len() + rest, 0);
        check_response(ApiKey::ApiVersions, 3, &bytes)
    };
    assert!(check(8, 8).is_ok());
    assert!(check(7, 8).is_err(), "the crate would read beyond the field");
    assert!(check(9, 9).is_err(), "the crate would go on in the middle of the field");
}

#[test]
fn what_has_no_table_is_unsupported() {
    for (key, version) in [(ApiKey::JoinGroup, 0), (ApiKey::Metadata, 14), (ApiKey::Metadata, -1)] {
        let error = check_response(key, version, &[]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UNSUPPORTED_VERSION, "{key:?} v{version}");
    }
}
