//! Headers and frames, byte by byte and there and back.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::*;

fn metadata_request() -> MetadataRequest {
    let name = TopicName(StrBytes::from_static_str("t"));
    let topic = MetadataRequestTopic::default().with_name(Some(name));
    MetadataRequest::default().with_topics(Some(vec![topic]))
}

#[test]
fn a_classic_request_has_header_v1() {
    let frame = encode_request(ApiKey::Metadata, 4, 7, "me", &metadata_request()).unwrap();
    let expected = [
        &[0, 0, 0, 20][..],  // length
        &[0, 3, 0, 4],       // Metadata v4
        &[0, 0, 0, 7],       // correlation id
        &[0, 2, b'm', b'e'], // client id
        &[0, 0, 0, 1],       // one topic
        &[0, 1, b't'],       // its name
        &[1],                // allow_auto_topic_creation
    ];
    assert_eq!(frame, expected.concat());
}

#[test]
fn a_flexible_request_has_header_v2_with_a_classic_client_id() {
    let frame = encode_request(ApiKey::Metadata, 9, 7, "me", &metadata_request()).unwrap();
    let expected = [
        &[0, 0, 0, 21][..],  // length
        &[0, 3, 0, 9],       // Metadata v9
        &[0, 0, 0, 7],       // correlation id
        &[0, 2, b'm', b'e'], // client id
        &[0],                // tagged fields of the header
        &[2],                // one topic
        &[2, b't', 0],       // its name, tagged fields
        &[1, 0, 0],          // allow_auto_topic_creation, two authorized operations
        &[0],                // tagged fields
    ];
    assert_eq!(frame, expected.concat());
}

#[test]
fn a_request_comes_back_as_it_was() {
    for version in 0..=13 {
        let sent = metadata_request();
        let frame = encode_request(ApiKey::Metadata, version, 99, "me", &sent).unwrap();
        let header = request_header(&frame.slice(4..)).unwrap();
        assert_eq!(header.key, ApiKey::Metadata);
        assert_eq!((header.version, header.correlation_id), (version, 99));
        assert_eq!(header.client_id.as_deref(), Some("me"));
        let body: MetadataRequest = decode_request(header.key, version, header.body).unwrap();
        assert_eq!(body, sent);
    }
}

#[test]
fn a_response_comes_back_as_it_was() {
    for version in 0..=13 {
        let sent = MetadataResponse::default();
        let frame = encode_response(ApiKey::Metadata, version, -5, &sent).unwrap();
        assert_eq!(frame[..4], (frame.len() as i32 - 4).to_be_bytes());
        let frame = frame.slice(4..);
        assert_eq!(response_correlation_id(&frame).unwrap(), -5);
        let body = strip_response_header(ApiKey::Metadata, version, frame).unwrap();
        let got: MetadataResponse = decode_response(ApiKey::Metadata, version, body).unwrap();
        assert_eq!(got, sent);
    }
}

#[test]
fn a_response_header_v1_may_bring_tagged_fields() {
    let bytes = Bytes::from_static(&[0, 0, 0, 1, 1, 5, 2, b'x', b'y', b'B']);
    let body = strip_response_header(ApiKey::Metadata, 9, bytes.clone()).unwrap();
    assert_eq!(body, &b"B"[..]);
    let classic = strip_response_header(ApiKey::Metadata, 8, bytes.clone()).unwrap();
    assert_eq!(classic, bytes.slice(4..));
    // ApiVersions stays with header v0 in every version.
    for version in 0..=4 {
        let body = strip_response_header(ApiKey::ApiVersions, version, bytes.clone()).unwrap();
        assert_eq!(body, bytes.slice(4..));
    }
    let cut = strip_response_header(ApiKey::Metadata, 9, bytes.slice(..7)).unwrap_err();
    assert_eq!(cut.code(), ErrorCode::PROTOCOL);
}

#[test]
fn a_refused_api_versions_request_is_answered_in_v0() {
    // UNSUPPORTED_VERSION, one key: ApiVersions 0 to 2.
    let refusal = [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 2];
    for version in 0..=4 {
        let body = Bytes::copy_from_slice(&refusal);
        let response = decode_api_versions_response(version, body).unwrap();
        assert_eq!(response.error_code, 35);
        assert_eq!(response.api_keys.len(), 1, "v{version}");
        assert_eq!(response.api_keys[0].max_version, 2);
    }
    // Without keys (KIP-511 lets a broker do that), and a true v3 answer.
    let bare = Bytes::from_static(&[0, 35, 0, 0, 0, 0]);
    assert_eq!(decode_api_versions_response(4, bare).unwrap().api_keys, []);
    let fine = Bytes::from_static(&[0, 0, 2, 0, 3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0]);
    assert_eq!(decode_api_versions_response(3, fine).unwrap().api_keys[0].max_version, 9);
}

#[test]
fn bytes_left_over_are_an_error_in_requests_only() {
    let mut frame =
        encode_request(ApiKey::Metadata, 4, 7, "", &metadata_request()).unwrap().to_vec();
    frame.push(0);
    let header = request_header(&Bytes::from(frame).slice(4..)).unwrap();
    let error = decode_request::<MetadataRequest>(header.key, 4, header.body).unwrap_err();
    assert_eq!(error.message(), "Metadata request v4: 1 bytes left over");

    let mut body =
        encode_response(ApiKey::Metadata, 4, 7, &MetadataResponse::default()).unwrap().to_vec();
    body.push(0);
    let body = Bytes::from(body).slice(8..);
    assert!(decode_response::<MetadataResponse>(ApiKey::Metadata, 4, body).is_ok());
}

#[test]
fn a_null_client_id_is_allowed() {
    let header = request_header(&Bytes::from_static(&[0, 3, 0, 1, 0, 0, 0, 1, 255, 255, 9]));
    let header = header.unwrap();
    assert_eq!(header.client_id, None);
    assert_eq!(header.body, &[9][..]);
}

#[test]
fn headers_that_are_none_are_errors() {
    for bytes in [
        &[][..],
        &[0, 3, 0],
        &[0, 3, 0, 4, 0, 0, 0, 1, 0, 9, b'x'], // client id too short
        &[0, 3, 0, 4, 0, 0, 0, 1, 255, 0],     // negative length
        &[0, 3, 0, 4, 0, 0, 0, 1, 0, 1, 0xff], // not UTF-8
        &[0, 3, 0, 9, 0, 0, 0, 1, 0, 0, 1, 1, 255, 255, 255, 255, 15], // tagged field of 4 GiB
        &[3, 232, 0, 0, 0, 0, 0, 1, 0, 0],     // API 1000
    ] {
        let error = request_header(&Bytes::copy_from_slice(bytes)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PROTOCOL, "{bytes:?}");
    }
    assert_eq!(response_correlation_id(&[0, 0, 1]).unwrap_err().code(), ErrorCode::PROTOCOL);
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let long = "c".repeat(32768);
    let error = encode_request(ApiKey::Metadata, 4, 7, &long, &metadata_request()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CONFIG);
    let error = encode_request(ApiKey::Metadata, 14, 7, "", &metadata_request()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ARGUMENT);
    let newer = MetadataRequest::default().with_include_topic_authorized_operations(true);
    let error = encode_request(ApiKey::Metadata, 4, 7, "", &newer).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ARGUMENT);
}
