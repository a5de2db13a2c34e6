//! Checks the error tables against themselves, against section 4.1 of the reference (KIP-1050), and
//! against a second list of the brokers' codes: the one in the kafka-protocol crate.

use std::collections::HashSet;

use kafka_protocol::ResponseError;

use super::*;

fn members(test: impl Fn(ErrorCode) -> bool) -> Vec<i32> {
    kafka::ROWS.iter().map(|row| row.value).filter(|v| test(ErrorCode(*v))).collect()
}

#[test]
fn the_tables_are_dense_sorted_and_unique() {
    let broker: Vec<i32> = kafka::ROWS.iter().map(|row| row.value).collect();
    assert_eq!(broker, (-1..=133).collect::<Vec<_>>());
    let local: Vec<i32> = local::ROWS.iter().map(|row| row.value).collect();
    assert_eq!(local, (101..=126).map(|v| -v).collect::<Vec<_>>());

    let rows = kafka::ROWS.iter().chain(local::ROWS);
    let names: HashSet<_> = rows.clone().map(|row| row.name).collect();
    let texts: HashSet<_> = rows.clone().map(|row| row.description).collect();
    assert_eq!(names.len(), rows.clone().count(), "a name twice");
    assert_eq!(texts.len(), rows.clone().count(), "a description twice");
    for row in rows {
        assert!(row.description.ends_with('.'), "{}", row.name);
    }
    assert!(ErrorCode::known().is_sorted());
}

#[test]
fn families_are_those_of_the_reference() {
    let plain = [2, 7, 14, 19, 20, 51, 75, 89];
    let coordinator = [15, 16];
    let metadata = [3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 100, 103];
    // Retriable, but never sent to a producer.
    let others = [41, 70, 71, 78, 84, 88, 106, 122, 123, 133];
    let mut retriable = [&plain[..], &coordinator, &metadata, &others].concat();
    retriable.sort_unstable();
    assert_eq!(members(ErrorCode::is_retriable), retriable);
    assert_eq!(members(ErrorCode::refreshes_metadata), metadata);
    assert_eq!(members(ErrorCode::refreshes_coordinator), coordinator);
    assert_eq!(members(ErrorCode::is_abortable), [120]);
    assert_eq!(members(ErrorCode::is_application_recoverable), [22, 25, 47, 49, 82, 90]);
    assert_eq!(members(ErrorCode::is_fatal), [31, 35, 49, 53, 90]);
    let invalid = [17, 18, 21, 29, 30, 31, 33, 34, 35, 43, 53, 58, 87];
    assert_eq!(members(ErrorCode::is_invalid_configuration), invalid);
}

#[test]
fn broker_codes_agree_with_the_protocol_crate() {
    let squash = |name: &str| name.replace('_', "").to_lowercase();
    let mut differ = Vec::new();
    for code in ErrorCode::known().filter(|code| code.value() > 0) {
        let Some(theirs) = ResponseError::try_from_code(code.value() as i16) else { continue };
        if matches!(theirs, ResponseError::Unknown(_)) {
            continue;
        }
        assert_eq!(squash(code.name()), squash(&format!("{theirs:?}")), "{code:?}");
        if code.is_retriable() != theirs.is_retriable() {
            differ.push(code);
        }
    }
    // The crate's list is older than the one of 4.x, where this became retriable (KIP-890).
    assert_eq!(differ, [ErrorCode::CONCURRENT_TRANSACTIONS]);
}

#[test]
fn a_fatal_code_is_never_retriable_or_abortable() {
    for code in ErrorCode::known().filter(|code| code.is_fatal()) {
        assert!(!code.is_retriable() && !code.is_abortable(), "{code:?}");
    }
}

#[test]
fn unknown_numbers_have_a_name_and_no_family() {
    for value in [i32::MIN, -127, -100, -2, 134, i32::MAX] {
        let code = ErrorCode::from_value(value);
        assert_eq!(code.name(), "UNKNOWN");
        assert!(!code.description().is_empty());
        assert!(!code.is_retriable() && !code.is_fatal());
        assert_eq!(format!("{code:?}"), format!("UNKNOWN ({value})"));
    }
    assert_eq!(ErrorCode::from_broker(134).value(), 134);
    assert_eq!(ErrorCode::from_broker(-101), ErrorCode::UNKNOWN_SERVER_ERROR);
    assert_eq!(ErrorCode::from_broker(i16::MIN), ErrorCode::UNKNOWN_SERVER_ERROR);
}

#[test]
fn an_error_shows_its_message_and_debugs_its_code() {
    let error = Error::new(ErrorCode::QUEUE_FULL, "no memory");
    assert_eq!(error.to_string(), "no memory");
    assert_eq!(format!("{error:?}"), "QUEUE_FULL: no memory");
    assert_eq!(format!("{:?}", ErrorCode::CLOSED), "CLOSED (-101)");
    assert!(error.is_retriable());
    assert_eq!(error.context("topic a").message(), "topic a: no memory");
    assert_eq!(Error::from(ErrorCode::CLOSED).message(), "The producer is closed.");
    assert!(std::mem::size_of::<Error>() <= 32, "errors travel by value");
}

#[test]
fn conversions_move_an_error_to_another_family() {
    let stale = Error::new(ErrorCode::NOT_LEADER_OR_FOLLOWER, "moved").into_abortable();
    assert!(stale.is_abortable() && !stale.is_retriable() && !stale.is_fatal());
    assert_eq!(stale.code(), ErrorCode::NOT_LEADER_OR_FOLLOWER);

    let ended = stale.into_fatal();
    assert!(ended.is_fatal() && !ended.is_abortable());
    assert!(ended.into_abortable().is_fatal(), "nothing undoes fatal");
}
