//! Owns what passes between the cluster and the handlers of its APIs: the call, the answer, and
//! the ways in which an answer's frame is spoiled on order.

use bytes::{Bytes, BytesMut};
use fastrand::Rng;

use crate::error::ErrorCode;
use crate::protocol::{decode_request, encode_response, Decodable, Encodable, RequestHeader};
use crate::time::Time;

use super::faults::Fault;

/// What a handler must know besides the request itself.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) broker: i32,
    pub(super) now: Time,
    /// The code to refuse the request with, as the API expresses that.
    pub(super) error: Option<ErrorCode>,
    pub(super) throttle_ms: i32,
}

/// What a handler has to say.
#[derive(Debug)]
pub(super) enum Answer {
    /// A whole frame, to leave so many milliseconds after the request came.
    Frame(Bytes, u64),
    Nothing,
    Close,
}

impl Answer {
    /// `message` as the answer to `request`; `None` (the connection closes) if its version cannot
    /// express it.
    pub(super) fn of<M: Encodable>(request: &RequestHeader, message: &M) -> Option<Answer> {
        frame(request, request.version, message).map(|bytes| Answer::Frame(bytes, 0))
    }
}

/// Reads a request's body; `None` (the connection closes) if it is malformed.
pub(super) fn read<M: Decodable>(request: &RequestHeader) -> Option<M> {
    decode_request(request.key, request.version, request.body.clone()).ok()
}

/// The frame of a message in this version.
pub(super) fn frame<M: Encodable>(
    request: &RequestHeader,
    version: i16,
    message: &M,
) -> Option<Bytes> {
    let frame = encode_response(request.key, version, request.correlation_id, message);
    debug_assert!(frame.is_ok(), "{frame:?}");
    frame.ok()
}

/// A code as responses carry it; ottla's own codes have no place there.
pub(super) fn wire(code: ErrorCode) -> i16 {
    i16::try_from(code.value()).ok().filter(|code| *code >= -1).unwrap_or(-1)
}

/// The frame as the fault wants it; most faults leave it alone.
pub(super) fn spoiled(frame: Bytes, fault: Option<&Fault>, rng: &mut Rng) -> Bytes {
    /// Length and correlation id.
    const HEAD: usize = 8;
    let Some(fault) = fault.filter(|fault| fault.spoils_the_answer()) else {
        return frame;
    };
    let mut spoiled = BytesMut::from(&frame[..]);
    match fault {
        Fault::Garbage => rng.fill(&mut spoiled[HEAD..]),
        Fault::Truncated => {
            spoiled.truncate(HEAD + (frame.len() - HEAD) / 2);
            let length = (spoiled.len() - 4) as u32;
            spoiled[..4].copy_from_slice(&length.to_be_bytes());
        }
        Fault::WrongCorrelation => spoiled[4] ^= 0x55,
        _ => spoiled[..4].copy_from_slice(&i32::MAX.to_be_bytes()),
    }
    spoiled.freeze()
}
