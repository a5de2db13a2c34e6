//! What to do with a batch after the broker's (or the network's) answer, as a pure function.
//! Java: `Sender.completeBatch` and `canRetry`. Never touches a batch.

use crate::delivery::Persistence;
use crate::error::ErrorCode;

/// What the verdict goes by.
#[derive(Copy, Clone, Debug)]
pub struct Case {
    /// The answer for the partition, or the local reason why there is none.
    pub code: ErrorCode,
    /// Records in the batch.
    pub records: u32,
    /// How often the batch was put back already.
    pub attempts: u32,
    /// `retries`.
    pub retries_max: u32,
    /// `delivery.timeout.ms` has passed.
    pub expired: bool,
    /// The records were reported already (expired or purged while in flight).
    pub reported: bool,
    /// No byte of the request can have reached a broker.
    pub unsent: bool,
    /// The answer names an offset, although it names an error.
    pub appended: bool,
    /// An earlier attempt may have stored the records.
    pub maybe_stored: bool,
    /// The batch has a place in the producer's sequence.
    pub numbered: bool,
    /// The batch belongs to a transaction: its epoch is the coordinator's to change.
    pub transactional: bool,
    /// The transaction of the batch has failed or is being aborted: it need not go again.
    pub given_up: bool,
    /// No older batch of the partition is without outcome.
    pub lowest: bool,
    /// An attempt of unknown outcome was so lately that a broker may still come to it.
    pub copies_may_come: bool,
}

/// What to do.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The records are stored.
    Done,
    /// Nothing is left to do: the records were reported before.
    Ignore,
    /// Put the batch back.
    Retry,
    /// Put the batch back, to go under another place in the producer's sequence.
    Renew,
    /// Cut the batch and put the parts back; no attempt is used up (KIP-126).
    Split,
    /// The records failed.
    Fail(Persistence),
}

/// The verdict. Order: success, split, sequence, retry, failure.
pub fn verdict(case: &Case) -> Verdict {
    if case.reported {
        return Verdict::Ignore;
    }
    if is_stored(case.code) {
        return Verdict::Done;
    }
    // Larger than a batch may be, or than a segment of the log (KIP-126).
    let too_large =
        matches!(case.code, ErrorCode::MESSAGE_TOO_LARGE | ErrorCode::RECORD_LIST_TOO_LARGE);
    let ends = case.expired || case.given_up;
    if too_large && case.records > 1 && !ends {
        return Verdict::Split;
    }
    // The transaction before this one is not over: that is no attempt that failed.
    let waits = case.code == ErrorCode::CONCURRENT_TRANSACTIONS;
    if case.attempts >= case.retries_max && !waits || ends {
        return Verdict::Fail(persistence(case));
    }
    match is_out_of_sequence(case) {
        // The one before it has to come first, or a copy of this one that is still under way.
        true if !case.lowest || case.maybe_stored && case.copies_may_come => Verdict::Retry,
        // It is not stored, and nothing of it is under way: the broker's answer proves it.
        true if !case.maybe_stored && !case.transactional => Verdict::Renew,
        false if case.code.is_retriable() => Verdict::Retry,
        _ => Verdict::Fail(persistence(case)),
    }
}

fn persistence(case: &Case) -> Persistence {
    if case.maybe_stored || leaves_doubt(case) {
        Persistence::PossiblyPersisted
    } else {
        Persistence::NotPersisted
    }
}

/// Whether the answer says that the records are in the log. A duplicate is; only its offset is not known.
pub fn is_stored(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::NONE | ErrorCode::DUPLICATE_SEQUENCE_NUMBER)
}

/// Whether the broker refused the batch for its place in the producer's sequence, and nothing else.
pub fn is_out_of_sequence(case: &Case) -> bool {
    let refused = match case.code {
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER | ErrorCode::UNKNOWN_PRODUCER_ID => true,
        // The coordinator ended the transaction, or gave the id to another producer (KIP-588).
        ErrorCode::INVALID_PRODUCER_EPOCH => !case.transactional,
        _ => false,
    };
    refused && case.numbered
}

/// Whether the answer ends an idempotent producer: another one has its id, or it may not be one. With
/// transactions, whatever a coordinator would end it for, too.
pub fn ends_producer(case: &Case) -> bool {
    let ends = match case.code {
        ErrorCode::PRODUCER_FENCED | ErrorCode::CLUSTER_AUTHORIZATION_FAILED => true,
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        | ErrorCode::INVALID_PRODUCER_ID_MAPPING
        | ErrorCode::UNSUPPORTED_VERSION => case.transactional,
        _ => false,
    };
    ends && case.numbered
}

/// Whether records of an attempt that ended so can be in the log all the same.
pub fn leaves_doubt(case: &Case) -> bool {
    match case.code {
        ErrorCode::TRANSPORT
        | ErrorCode::TIMED_OUT
        | ErrorCode::PROTOCOL
        | ErrorCode::REQUEST_TIMED_OUT
        | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | ErrorCode::KAFKA_STORAGE_ERROR
        | ErrorCode::UNKNOWN_SERVER_ERROR => !case.unsent,
        // A leader that loses its place while it waits for the replicas says so with the offset that it
        // gave (Kafka's DelayedProduce): the next leader may have the records.
        code => case.appended && !is_stored(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(code: ErrorCode) -> Case {
        Case {
            code,
            records: 2,
            attempts: 0,
            retries_max: 5,
            expired: false,
            reported: false,
            unsent: false,
            appended: false,
            maybe_stored: false,
            numbered: false,
            transactional: false,
            given_up: false,
            lowest: true,
            copies_may_come: false,
        }
    }

    #[test]
    fn the_table() {
        use ErrorCode as E;
        let not = Verdict::Fail(Persistence::NotPersisted);
        let possibly = Verdict::Fail(Persistence::PossiblyPersisted);
        let rows = [
            (E::NONE, Verdict::Done, Verdict::Done),
            (E::DUPLICATE_SEQUENCE_NUMBER, Verdict::Done, Verdict::Done),
            (E::MESSAGE_TOO_LARGE, Verdict::Split, not),
            (E::RECORD_LIST_TOO_LARGE, Verdict::Split, not),
            (E::NOT_LEADER_OR_FOLLOWER, Verdict::Retry, not),
            (E::UNKNOWN_TOPIC_OR_PARTITION, Verdict::Retry, not),
            (E::UNKNOWN_TOPIC_ID, Verdict::Retry, not),
            (E::NOT_ENOUGH_REPLICAS, Verdict::Retry, not),
            (E::NOT_ENOUGH_REPLICAS_AFTER_APPEND, Verdict::Retry, possibly),
            (E::REQUEST_TIMED_OUT, Verdict::Retry, possibly),
            (E::CORRUPT_MESSAGE, Verdict::Retry, not),
            (E::TRANSPORT, Verdict::Retry, possibly),
            (E::TIMED_OUT, Verdict::Retry, possibly),
            (E::TOPIC_AUTHORIZATION_FAILED, not, not),
            (E::INVALID_RECORD, not, not),
            (E::UNSUPPORTED_VERSION, not, not),
            (E::UNKNOWN_SERVER_ERROR, possibly, possibly),
        ];
        for (code, fresh, expired) in rows {
            assert_eq!(verdict(&case(code)), fresh, "{code:?}");
            let late = Case { expired: true, ..case(code) };
            assert_eq!(verdict(&late), expired, "{code:?} after the deadline");
            let reported = Case { reported: true, ..case(code) };
            assert_eq!(verdict(&reported), Verdict::Ignore, "{code:?} when reported");
        }
    }

    #[test]
    fn retries_end_and_a_single_record_is_not_split() {
        let used_up = Case { attempts: 5, ..case(ErrorCode::TRANSPORT) };
        assert_eq!(verdict(&used_up), Verdict::Fail(Persistence::PossiblyPersisted));
        let never_sent = Case { unsent: true, ..used_up };
        assert_eq!(verdict(&never_sent), Verdict::Fail(Persistence::NotPersisted));
        let twice = Case { maybe_stored: true, ..case(ErrorCode::INVALID_RECORD) };
        assert_eq!(verdict(&twice), Verdict::Fail(Persistence::PossiblyPersisted));
        let single = Case { records: 1, ..case(ErrorCode::MESSAGE_TOO_LARGE) };
        assert_eq!(verdict(&single), Verdict::Fail(Persistence::NotPersisted));
    }

    #[test]
    fn the_table_of_sequence_errors() {
        let possibly = Verdict::Fail(Persistence::PossiblyPersisted);
        for code in [
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            ErrorCode::UNKNOWN_PRODUCER_ID,
            ErrorCode::INVALID_PRODUCER_EPOCH,
        ] {
            let not = Verdict::Fail(Persistence::NotPersisted);
            assert_eq!(verdict(&case(code)), not, "without a number");
            let lowest = Case { numbered: true, ..case(code) };
            assert_eq!(verdict(&lowest), Verdict::Renew);
            assert_eq!(verdict(&Case { lowest: false, ..lowest }), Verdict::Retry);
            let doubtful = Case { maybe_stored: true, ..lowest };
            assert_eq!(
                verdict(&doubtful),
                possibly,
                "it can never come in, and never gets a number"
            );
            assert_eq!(verdict(&Case { copies_may_come: true, ..doubtful }), Verdict::Retry);
            assert_eq!(verdict(&Case { lowest: false, ..doubtful }), Verdict::Retry);
            assert_eq!(verdict(&Case { expired: true, ..lowest }), not);
            assert_eq!(verdict(&Case { attempts: 5, ..doubtful }), possibly);
        }
        for code in [ErrorCode::PRODUCER_FENCED, ErrorCode::CLUSTER_AUTHORIZATION_FAILED] {
            assert!(!ends_producer(&case(code)));
            assert!(ends_producer(&Case { numbered: true, ..case(code) }), "{code:?}");
        }
    }

    #[test]
    fn an_error_with_an_offset_leaves_doubt() {
        for code in [ErrorCode::NOT_LEADER_OR_FOLLOWER, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION] {
            assert!(!leaves_doubt(&case(code)));
            assert!(leaves_doubt(&Case { appended: true, ..case(code) }), "{code:?}");
        }
        assert!(!leaves_doubt(&Case { appended: true, ..case(ErrorCode::NONE) }));
        let unsent = Case { unsent: true, ..case(ErrorCode::TRANSPORT) };
        assert!(!leaves_doubt(&unsent) && leaves_doubt(&Case { unsent: false, ..unsent }));
    }
}
