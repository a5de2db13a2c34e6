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
    /// An earlier attempt may have stored the records.
    pub maybe_stored: bool,
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
    /// Cut the batch and put the parts back; no attempt is used up (KIP-126).
    Split,
    /// The records failed.
    Fail(Persistence),
}

/// The verdict. Order: success, split, retry, failure.
pub fn verdict(case: &Case) -> Verdict {
    if case.reported {
        return Verdict::Ignore;
    }
    // A duplicate is stored already; only its offset is not known.
    if matches!(case.code, ErrorCode::NONE | ErrorCode::DUPLICATE_SEQUENCE_NUMBER) {
        return Verdict::Done;
    }
    // Larger than a batch may be, or than a segment of the log (KIP-126).
    let too_large =
        matches!(case.code, ErrorCode::MESSAGE_TOO_LARGE | ErrorCode::RECORD_LIST_TOO_LARGE);
    if too_large && case.records > 1 && !case.expired {
        return Verdict::Split;
    }
    if case.code.is_retriable() && case.attempts < case.retries_max && !case.expired {
        return Verdict::Retry;
    }
    Verdict::Fail(persistence(case))
}

fn persistence(case: &Case) -> Persistence {
    if case.maybe_stored || leaves_doubt(case.code, case.unsent) {
        Persistence::PossiblyPersisted
    } else {
        Persistence::NotPersisted
    }
}

/// Whether records of an attempt that ended so can be in the log all the same.
pub fn leaves_doubt(code: ErrorCode, unsent: bool) -> bool {
    let unknown = matches!(
        code,
        ErrorCode::TRANSPORT
            | ErrorCode::TIMED_OUT
            | ErrorCode::PROTOCOL
            | ErrorCode::REQUEST_TIMED_OUT
            | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
            | ErrorCode::UNKNOWN_SERVER_ERROR
    );
    unknown && !unsent
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
            maybe_stored: false,
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
}
