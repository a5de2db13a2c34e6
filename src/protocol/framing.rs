//! What stands around every message: the 4-byte length, the request header (v1, or v2 with tagged
//! fields), the response header (v0, or v1 with tagged fields). Never looks inside a message;
//! that is left to the `kafka-protocol` crate, after `shape` has checked the bytes.

use bytes::{BufMut, Bytes};
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::shape;
use super::wire::{put_frame_length, put_text, put_uvarint, Read, Reader};
use crate::error::{Error, ErrorCode, Result};

/// A request's header, and where its body begins.
#[derive(Clone, Debug)]
pub struct RequestHeader {
    /// Which API is asked.
    pub key: ApiKey,
    /// The version of the body, and of the response that is wanted.
    pub version: i16,
    /// What the response must carry so that the client can tell it.
    pub correlation_id: i32,
    /// The client's name for itself.
    pub client_id: Option<String>,
    /// All that follows the header.
    pub body: Bytes,
}

/// Appends the length (zero for now) and the header of a request.
pub(super) fn put_request_header(
    buffer: &mut Vec<u8>,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Result<()> {
    buffer.put_i32(0);
    buffer.put_i16(key as i16);
    buffer.put_i16(version);
    buffer.put_i32(correlation_id);
    // The client id kept its 2-byte length in header v2, so that every broker can read it.
    put_text(buffer, false, Some(client_id))
        .map_err(|_| Error::new(ErrorCode::CONFIG, "client.id is longer than 32767 bytes"))?;
    if key.request_header_version(version) >= 2 {
        put_uvarint(buffer, 0);
    }
    Ok(())
}

/// Appends the length (zero for now) and the header of a response.
pub(super) fn put_response_header(
    buffer: &mut Vec<u8>,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
) {
    buffer.put_i32(0);
    buffer.put_i32(correlation_id);
    if key.response_header_version(version) >= 1 {
        put_uvarint(buffer, 0);
    }
}

/// A whole request: length, header, message.
pub fn encode_request<M: Encodable>(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    client_id: &str,
    message: &M,
) -> Result<Bytes> {
    let size = message.compute_size(version).map_err(|e| unwritable(key, version, "request", e))?;
    let mut buffer = Vec::with_capacity(size + client_id.len() + 16);
    put_request_header(&mut buffer, key, version, correlation_id, client_id)?;
    message.encode(&mut buffer, version).map_err(|e| unwritable(key, version, "request", e))?;
    finish(buffer, key, version, "request")
}

/// A whole response: length, header, message.
pub fn encode_response<M: Encodable>(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    message: &M,
) -> Result<Bytes> {
    let size =
        message.compute_size(version).map_err(|e| unwritable(key, version, "response", e))?;
    let mut buffer = Vec::with_capacity(size + 16);
    put_response_header(&mut buffer, key, version, correlation_id);
    message.encode(&mut buffer, version).map_err(|e| unwritable(key, version, "response", e))?;
    finish(buffer, key, version, "response")
}

/// Puts the length in front of a frame that is complete.
pub(super) fn finish(mut buffer: Vec<u8>, key: ApiKey, version: i16, what: &str) -> Result<Bytes> {
    put_frame_length(&mut buffer, 0)
        .map_err(|_| unwritable(key, version, what, "longer than a frame can be"))?;
    Ok(Bytes::from(buffer))
}

/// The correlation id of a response, which `bytes` (without the 4-byte length) begin with.
pub fn response_correlation_id(bytes: &[u8]) -> Result<i32> {
    Reader::new(bytes).i32().map_err(|_| {
        let length = bytes.len();
        Error::new(ErrorCode::PROTOCOL, format!("a response of {length} bytes has no header"))
    })
}

/// What follows the header of a response; `bytes` are without the 4-byte length.
pub fn strip_response_header(key: ApiKey, version: i16, bytes: Bytes) -> Result<Bytes> {
    let mut reader = Reader::new(&bytes);
    let mut read = || -> Read<usize> {
        reader.i32()?;
        // ApiVersions always answers with header v0: the client cannot know yet what is spoken.
        if key.response_header_version(version) >= 1 {
            reader.skip_tagged_fields()?;
        }
        Ok(reader.at())
    };
    let header = read().map_err(|found| found.into_error(key, version, "response"))?;
    Ok(bytes.slice(header..))
}

/// The message of a response; `bytes` begin after the header. Bytes left over at the end are let
/// pass, as Kafka's own client does.
pub fn decode_response<M: Decodable>(key: ApiKey, version: i16, mut bytes: Bytes) -> Result<M> {
    shape::check_response(key, version, &bytes)?;
    M::decode(&mut bytes, version).map_err(|e| unreadable(key, version, "response", e))
}

/// The message of an ApiVersions response to a request of `version`; `bytes` begin after the
/// header. A broker that does not know that version answers UNSUPPORTED_VERSION in the form of v0
/// (KIP-511), which this reads too.
pub fn decode_api_versions_response(version: i16, bytes: Bytes) -> Result<ApiVersionsResponse> {
    let refused = bytes.starts_with(&(ErrorCode::UNSUPPORTED_VERSION.value() as i16).to_be_bytes());
    if refused && version > 0 {
        if let Ok(response) = decode_response(ApiKey::ApiVersions, 0, bytes.clone()) {
            return Ok(response);
        }
    }
    decode_response(ApiKey::ApiVersions, version, bytes)
}

/// The header of a request; `bytes` are without the 4-byte length.
pub fn request_header(bytes: &Bytes) -> Result<RequestHeader> {
    let mut reader = Reader::new(bytes);
    let short = |_| Error::new(ErrorCode::PROTOCOL, "a request without a complete header");
    let number = reader.i16().map_err(short)?;
    let version = reader.i16().map_err(short)?;
    let correlation_id = reader.i32().map_err(short)?;
    let key = ApiKey::try_from(number).map_err(|_| {
        Error::new(ErrorCode::PROTOCOL, format!("a request of the unknown API {number}"))
    })?;
    let mut read = || -> Read<(Option<String>, usize)> {
        let client_id = reader.field("client_id").nullable_text(false)?;
        if key.request_header_version(version) >= 2 {
            reader.field("header").skip_tagged_fields()?;
        }
        Ok((client_id.map(str::to_owned), reader.at()))
    };
    let (client_id, at) = read().map_err(|found| found.into_error(key, version, "request"))?;
    Ok(RequestHeader { key, version, correlation_id, client_id, body: bytes.slice(at..) })
}

/// The message of a request, as a broker reads it; `bytes` begin after the header. Bytes left over
/// are an error: only ottla's own tests and programs that ottla tests send to this decoder, and
/// they should hear of it.
pub fn decode_request<M: Decodable>(key: ApiKey, version: i16, mut bytes: Bytes) -> Result<M> {
    shape::check_request(key, version, &bytes)?;
    M::decode(&mut bytes, version).map_err(|e| unreadable(key, version, "request", e))
}

fn unreadable(key: ApiKey, version: i16, what: &str, reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::PROTOCOL, format!("{key:?} {what} v{version}: {reason}"))
}

fn unwritable(key: ApiKey, version: i16, what: &str, reason: impl std::fmt::Display) -> Error {
    let message = format!("{key:?} {what} v{version} cannot be written: {reason}");
    Error::new(ErrorCode::ARGUMENT, message)
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
