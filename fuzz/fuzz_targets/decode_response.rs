//! Bytes of a broken broker: every response that ottla reads, in every version. No input may panic, hang or
//! make the decoder hold much more than came in (the driver's memory limit).
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ottla::protocol::messages::*;
use ottla::protocol::{
    decode_api_versions_response, decode_response, produce, response_correlation_id,
    strip_response_header, ApiKey,
};

fuzz_target!(|data: &[u8]| {
    let [api, version, rest @ ..] = data else { return };
    let version = i16::from(*version % 16) - 1;
    let bytes = Bytes::copy_from_slice(rest);
    // What is done with an answer is the point, not what it says.
    macro_rules! decode {
        ($($number:literal => $key:ident, $message:ident;)*) => {
            match *api % 11 {
                $($number => {
                    let _ = decode_response::<$message>(ApiKey::$key, version, bytes.clone());
                    let _ = strip_response_header(ApiKey::$key, version, bytes);
                })*
                9 => drop(produce::decode_response(version, &bytes)),
                _ => {
                    let _ = response_correlation_id(&bytes);
                    let _ = decode_api_versions_response(version, bytes);
                }
            }
        };
    }
    decode! {
        0 => Metadata, MetadataResponse;
        1 => FindCoordinator, FindCoordinatorResponse;
        2 => InitProducerId, InitProducerIdResponse;
        3 => AddPartitionsToTxn, AddPartitionsToTxnResponse;
        4 => AddOffsetsToTxn, AddOffsetsToTxnResponse;
        5 => EndTxn, EndTxnResponse;
        6 => TxnOffsetCommit, TxnOffsetCommitResponse;
        7 => SaslHandshake, SaslHandshakeResponse;
        8 => SaslAuthenticate, SaslAuthenticateResponse;
    }
});
