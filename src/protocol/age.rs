//! The question that tells whether a broker is one before Kafka 0.10, which knows no ApiVersions (KIP-35) and
//! either closes the connection at it (0.8) or never answers (0.9), as any broker may for other reasons.
//! Never decides when to ask.
//!
//! It is a Produce request without records, of a version that no release will ever have. Brokers of 0.8 and
//! 0.9 do not look at that number and answer; from 0.10 on a version that is not known closes the connection
//! (KAFKA-2071 gave Produce to the checked schemas). So an answer proves the age, and nothing else does.

use bytes::{BufMut, Bytes};

use super::wire::{put_frame_length, put_text};
use super::ApiKey;
use crate::error::{Error, ErrorCode, Result};

/// A version of Produce that there will never be.
pub const AGE_VERSION: i16 = i16::MAX;

/// The question: a whole frame. It is acknowledged by the leader alone, and changes nothing.
///
/// Errors: `CONFIG` when `client_id` is longer than a request can say.
pub fn encode_age_question(correlation_id: i32, client_id: &str) -> Result<Bytes> {
    let mut frame = Vec::with_capacity(client_id.len() + 28);
    frame.put_i32(0);
    frame.put_i16(ApiKey::Produce as i16);
    frame.put_i16(AGE_VERSION);
    frame.put_i32(correlation_id);
    let long = |_| Error::new(ErrorCode::CONFIG, "client.id is longer than 32767 bytes");
    put_text(&mut frame, false, Some(client_id)).map_err(long)?;
    let (acks, timeout_ms, topics) = (1, 1000, 0);
    frame.put_i16(acks);
    frame.put_i32(timeout_ms);
    frame.put_i32(topics);
    put_frame_length(&mut frame, 0).map_err(long)?;
    Ok(frame.into())
}

/// Whether this is how a broker before 0.10 answers: no topics, and in 0.9 a throttle time behind them.
/// `body` begins after the header.
pub fn is_age_answer(body: &[u8]) -> bool {
    match body {
        [0, 0, 0, 0] => true,
        [0, 0, 0, 0, highest, _, _, _] => *highest < 0x80,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_the_one_that_was_tried_on_real_brokers() {
        let frame = encode_age_question(7, "ottla").unwrap();
        let expected = b"\0\0\0\x19\0\0\x7f\xff\0\0\0\x07\0\x05ottla\0\x01\0\0\x03\xe8\0\0\0\0";
        assert_eq!(&frame[..], expected);
    }

    #[test]
    fn the_answers_of_0_8_and_0_9_are_known_and_no_others() {
        assert!(is_age_answer(&[0; 4]) && is_age_answer(&[0; 8]));
        assert!(is_age_answer(&[0, 0, 0, 0, 0, 0, 3, 0]), "with a quota passed");
        assert!(!is_age_answer(&[0, 0, 0, 0, 0xff, 0, 0, 0]), "a time below 0");
        for other in [&[][..], &[0; 2], &[0; 10], &[0, 0, 0, 1], &[0, 35, 0, 0, 0, 0]] {
            assert!(!is_age_answer(other), "{other:?}");
        }
    }
}
