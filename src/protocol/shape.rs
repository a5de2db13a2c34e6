//! Walks a message by a table of its fields before the `kafka-protocol` crate decodes it, because
//! that crate trusts array counts and allocates for them at once: here a count that the bytes left
//! cannot hold is an error. Never keeps a value; whether a null is allowed or a string is UTF-8 is
//! the crate's to say.

use std::ops::RangeInclusive;

use kafka_protocol::messages::ApiKey;

use super::wire::{Read, Reader};
use super::{shape_requests as requests, shape_responses as responses};
use crate::error::{Error, ErrorCode, Result};

/// The fields of an API's messages in all of its versions, in the order of the wire.
struct Shape {
    /// The first and last version that the tables describe.
    versions: RangeInclusive<i16>,
    /// The first version with compact lengths and tagged fields; `i16::MAX` when there is none.
    flexible_since: i16,
    request: &'static [Field],
    response: &'static [Field],
}

/// The shape of an API's messages; `None` when there are no tables for it.
fn shape(key: ApiKey) -> Option<Shape> {
    let (versions, flexible_since, request, response) = match key {
        ApiKey::Metadata => (0..=13, 9, requests::METADATA, responses::METADATA),
        ApiKey::ApiVersions => (0..=4, 3, requests::API_VERSIONS, responses::API_VERSIONS),
        ApiKey::FindCoordinator => {
            (0..=6, 3, requests::FIND_COORDINATOR, responses::FIND_COORDINATOR)
        }
        ApiKey::InitProducerId => {
            (0..=5, 2, requests::INIT_PRODUCER_ID, responses::INIT_PRODUCER_ID)
        }
        ApiKey::AddPartitionsToTxn => {
            (0..=5, 3, requests::ADD_PARTITIONS_TO_TXN, responses::ADD_PARTITIONS_TO_TXN)
        }
        ApiKey::AddOffsetsToTxn => {
            (0..=4, 3, requests::ADD_OFFSETS_TO_TXN, responses::ADD_OFFSETS_TO_TXN)
        }
        ApiKey::EndTxn => (0..=5, 3, requests::END_TXN, responses::END_TXN),
        ApiKey::TxnOffsetCommit => {
            (0..=5, 3, requests::TXN_OFFSET_COMMIT, responses::TXN_OFFSET_COMMIT)
        }
        ApiKey::SaslHandshake => {
            (0..=1, i16::MAX, requests::SASL_HANDSHAKE, responses::SASL_HANDSHAKE)
        }
        ApiKey::SaslAuthenticate => {
            (0..=2, 2, requests::SASL_AUTHENTICATE, responses::SASL_AUTHENTICATE)
        }
        ApiKey::CreateTopics => (2..=7, 5, requests::CREATE_TOPICS, responses::CREATE_TOPICS),
        ApiKey::ListOffsets => (1..=10, 6, requests::LIST_OFFSETS, responses::LIST_OFFSETS),
        ApiKey::Fetch => (4..=17, 12, requests::FETCH, responses::FETCH),
        _ => return None,
    };
    Some(Shape { versions, flexible_since, request, response })
}

/// Which of an API's messages.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::Request => "request",
            Side::Response => "response",
        }
    }
}

/// One field, and the versions that have it.
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    since: i16,
    until: i16,
    tag: Option<u32>,
}

/// What a field's bytes look like.
#[derive(Copy, Clone)]
pub(super) enum Kind {
    /// So many bytes.
    Fixed(usize),
    /// A string, perhaps null.
    Text,
    /// Bytes, perhaps null.
    Blob,
    /// An array of elements of so many bytes.
    FixedArray(usize),
    /// An array of strings.
    TextArray,
    /// An array of structures.
    Array(&'static [Field]),
    /// A structure.
    Struct(&'static [Field]),
}

pub(super) const BOOLEAN: Kind = Kind::Fixed(1);
pub(super) const INT8: Kind = Kind::Fixed(1);
pub(super) const INT16: Kind = Kind::Fixed(2);
pub(super) const INT32: Kind = Kind::Fixed(4);
pub(super) const INT64: Kind = Kind::Fixed(8);
pub(super) const UUID: Kind = Kind::Fixed(16);
pub(super) const INT32_ARRAY: Kind = Kind::FixedArray(4);

/// A field that every version has.
pub(super) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, since: 0, until: i16::MAX, tag: None }
}

impl Field {
    /// It first appears in `version`.
    pub const fn since(self, version: i16) -> Field {
        Field { since: version, ..self }
    }

    /// It last appears in `version`.
    pub const fn until(self, version: i16) -> Field {
        Field { until: version, ..self }
    }

    /// It is a tagged field.
    pub const fn tagged(self, tag: u32) -> Field {
        Field { tag: Some(tag), ..self }
    }

    fn is_in(&self, version: i16) -> bool {
        (self.since..=self.until).contains(&version)
    }
}

/// Fails unless `body` can be a response of this API and version; `Ok` promises that decoding it
/// allocates a bounded multiple of its length. Bytes left over are no error.
pub(super) fn check_response(key: ApiKey, version: i16, body: &[u8]) -> Result<()> {
    check(Side::Response, key, version, body).map(|_left| ())
}

/// The same for a request, whose last byte must be the body's last.
pub(super) fn check_request(key: ApiKey, version: i16, body: &[u8]) -> Result<()> {
    match check(Side::Request, key, version, body)? {
        0 => Ok(()),
        left => {
            let message = format!("{key:?} request v{version}: {left} bytes left over");
            Err(Error::new(ErrorCode::PROTOCOL, message))
        }
    }
}

/// Gives the bytes left over.
fn check(side: Side, key: ApiKey, version: i16, body: &[u8]) -> Result<usize> {
    let what = side.name();
    let Some(shape) = shape(key).filter(|shape| shape.versions.contains(&version)) else {
        let message = format!("{key:?} {what} v{version} is not known");
        return Err(Error::new(ErrorCode::UNSUPPORTED_VERSION, message));
    };
    let walk = Walk { version, flexible: version >= shape.flexible_since };
    let mut reader = Reader::new(body);
    let fields = match side {
        Side::Request => shape.request,
        Side::Response => shape.response,
    };
    walk.fields(&mut reader, fields).map_err(|found| found.into_error(key, version, what))?;
    Ok(reader.left())
}

#[derive(Copy, Clone)]
struct Walk {
    version: i16,
    flexible: bool,
}

impl Walk {
    fn fields(self, reader: &mut Reader<'_>, fields: &'static [Field]) -> Read<()> {
        for field in fields.iter().filter(|field| field.tag.is_none()) {
            if field.is_in(self.version) {
                self.one(reader.field(field.name), field.kind)?;
            }
        }
        if !self.flexible {
            return Ok(());
        }
        // The crate reads a tagged field that it knows without regard to its announced size, so
        // the two must agree; an unknown one it keeps as bytes.
        reader.field("tagged fields").tagged_fields(|tag, inside| {
            let known = |field: &&Field| field.tag == Some(tag) && field.is_in(self.version);
            match fields.iter().find(known) {
                Some(field) => {
                    self.one(inside.field(field.name), field.kind)?;
                    Ok(true)
                }
                None => Ok(false),
            }
        })
    }

    fn one(self, reader: &mut Reader<'_>, kind: Kind) -> Read<()> {
        match kind {
            Kind::Fixed(bytes) => reader.range(bytes).map(drop),
            Kind::Text => reader.text_bytes(self.flexible).map(drop),
            Kind::Blob => reader.blob(self.flexible).map(drop),
            Kind::FixedArray(bytes) => {
                let count = reader.count(self.flexible, bytes)?.unwrap_or(0);
                reader.range(count * bytes).map(drop)
            }
            Kind::TextArray => {
                let count = reader.count(self.flexible, self.smallest(Kind::Text))?;
                for _ in 0..count.unwrap_or(0) {
                    reader.text_bytes(self.flexible)?;
                }
                Ok(())
            }
            Kind::Array(fields) => {
                let count = reader.count(self.flexible, self.smallest(Kind::Struct(fields)))?;
                for _ in 0..count.unwrap_or(0) {
                    self.fields(reader, fields)?;
                }
                Ok(())
            }
            Kind::Struct(fields) => self.fields(reader, fields),
        }
    }

    /// The bytes that a value takes at least.
    fn smallest(self, kind: Kind) -> usize {
        match kind {
            Kind::Fixed(bytes) => bytes,
            Kind::Text if !self.flexible => 2,
            Kind::Blob | Kind::FixedArray(_) | Kind::TextArray | Kind::Array(_)
                if !self.flexible =>
            {
                4
            }
            Kind::Struct(fields) => {
                let untagged = fields.iter().filter(|field| field.tag.is_none());
                let present = untagged.filter(|field| field.is_in(self.version));
                let bytes: usize = present.map(|field| self.smallest(field.kind)).sum();
                bytes + usize::from(self.flexible)
            }
            _ => 1,
        }
    }
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
