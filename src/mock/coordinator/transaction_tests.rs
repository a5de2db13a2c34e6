//! Tests of one transactional id: the table at the head of the module, cell by cell.

use super::*;
use TransactionState::{
    CompleteAbort, CompleteCommit, Empty, Ongoing, PrepareAbort, PrepareCommit,
};

const HELD: Identity = Identity { id: 7, epoch: 3 };
const FRESH: i64 = 99;

fn partition() -> TopicPartition {
    ("t".to_owned(), 0)
}

fn held(id: i64, epoch: i16) -> Identity {
    Identity { id, epoch }
}

/// Producer 7 in epoch 3, brought into a state on a legal way.
fn in_state(state: TransactionState) -> Transaction {
    let mut transaction = Transaction::at_epoch(7, 3);
    if state == Empty {
        return transaction;
    }
    assert_eq!(transaction.add(HELD, [partition()]), Ok(true));
    if state == Ongoing {
        return transaction;
    }
    let commit = matches!(state, PrepareCommit | CompleteCommit);
    assert_eq!(end(&mut transaction, 3, commit, Generation::V1), Ok(Ended::Begun));
    if matches!(state, CompleteCommit | CompleteAbort) {
        transaction.marked(&partition());
        transaction.complete();
    }
    assert_eq!(transaction.state(), state);
    transaction
}

/// The same, but the epoch was bumped with the end: the producer had epoch 2 before.
fn bumped(state: TransactionState) -> Transaction {
    let mut transaction = Transaction::at_epoch(7, 2);
    let _ = transaction.add(held(7, 2), [partition()]);
    let commit = matches!(state, PrepareCommit | CompleteCommit);
    assert_eq!(end(&mut transaction, 2, commit, Generation::V2), Ok(Ended::Begun));
    if matches!(state, CompleteCommit | CompleteAbort) {
        transaction.marked(&partition());
        transaction.complete();
    }
    assert_eq!((transaction.state(), transaction.identity()), (state, HELD));
    transaction
}

fn end(
    transaction: &mut Transaction,
    epoch: i16,
    commit: bool,
    generation: Generation,
) -> Result<Ended, ErrorCode> {
    transaction.end(held(7, epoch), commit, generation, || FRESH)
}

const STATES: [TransactionState; 6] =
    [Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort];

#[test]
fn partitions_join_unless_the_transaction_is_ending() {
    for state in STATES {
        let expected = match state {
            PrepareCommit | PrepareAbort => Err(ErrorCode::CONCURRENT_TRANSACTIONS),
            Ongoing => Ok(false),
            _ => Ok(true),
        };
        let mut transaction = in_state(state);
        assert_eq!(transaction.add(HELD, [partition()]), expected, "{state:?}");
        if expected.is_ok() {
            assert_eq!(transaction.state(), Ongoing);
            assert_eq!(transaction.verify(HELD, &partition()), Ok(()));
        }
    }
}

#[test]
fn only_the_holder_may_add_and_be_verified() {
    let mut transaction = in_state(Ongoing);
    for (who, code) in [
        (held(8, 3), ErrorCode::INVALID_PRODUCER_ID_MAPPING),
        (held(7, 2), ErrorCode::PRODUCER_FENCED),
        (held(7, 4), ErrorCode::PRODUCER_FENCED),
    ] {
        assert_eq!(transaction.add(who, [partition()]), Err(code));
        assert_eq!(transaction.verify(who, &partition()), Err(code));
    }
    let other = ("t".to_owned(), 1);
    assert_eq!(transaction.verify(HELD, &other), Err(ErrorCode::TRANSACTION_ABORTABLE));
}

#[test]
fn ends_without_a_bump() {
    use ErrorCode as E;
    for state in STATES {
        for commit in [true, false] {
            let expected = match (state, commit) {
                (Ongoing, _) => Ok(Ended::Begun),
                (CompleteCommit, true) | (CompleteAbort, false) => Ok(Ended::Before),
                (PrepareCommit, true) | (PrepareAbort, false) => Err(E::CONCURRENT_TRANSACTIONS),
                _ => Err(E::INVALID_TXN_STATE),
            };
            let mut transaction = in_state(state);
            let ended = end(&mut transaction, 3, commit, Generation::V1);
            assert_eq!(ended, expected, "{state:?} {commit}");
            assert_eq!(transaction.identity(), HELD, "the epoch lasts");
            for epoch in [2, 4] {
                let ended = end(&mut in_state(state), epoch, commit, Generation::V1);
                assert_eq!(ended, Err(E::PRODUCER_FENCED), "{state:?} {epoch}");
            }
        }
    }
}

#[test]
fn ends_with_a_bump() {
    use ErrorCode as E;
    for state in STATES {
        for commit in [true, false] {
            let expected = match (state, commit) {
                (Ongoing, _) | (Empty | CompleteCommit | CompleteAbort, false) => Ok(Ended::Begun),
                (PrepareCommit | PrepareAbort, _) => Err(E::PRODUCER_FENCED),
                _ => Err(E::INVALID_TXN_STATE),
            };
            let mut transaction = in_state(state);
            assert_eq!(end(&mut transaction, 3, commit, Generation::V2), expected, "{state:?}");
            if expected.is_ok() {
                assert_eq!(transaction.next_identity(), held(7, 4));
                let prepared = if commit { PrepareCommit } else { PrepareAbort };
                assert_eq!(transaction.state(), prepared);
            }
            let ended = end(&mut in_state(state), 4, commit, Generation::V2);
            assert_eq!(ended, Err(E::PRODUCER_FENCED), "{state:?}: an epoch of the future");
        }
    }
}

#[test]
fn a_repeated_end_is_known_by_the_epoch_before() {
    use ErrorCode as E;
    for state in [PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort] {
        for commit in [true, false] {
            let expected = match (state, commit) {
                (CompleteCommit, true) | (CompleteAbort, false) => Ok(Ended::Before),
                (PrepareCommit, true) | (PrepareAbort, false) => Err(E::CONCURRENT_TRANSACTIONS),
                _ => Err(E::INVALID_TXN_STATE),
            };
            let mut transaction = bumped(state);
            assert_eq!(end(&mut transaction, 2, commit, Generation::V2), expected, "{state:?}");
            assert_eq!(transaction.next_identity(), HELD);
            assert_eq!(end(&mut transaction, 1, commit, Generation::V2), Err(E::PRODUCER_FENCED));
            assert_eq!(end(&mut transaction, 2, commit, Generation::V1), Err(E::PRODUCER_FENCED));
        }
    }
    let mut transaction = bumped(CompleteCommit);
    assert_eq!(transaction.add(HELD, [partition()]), Ok(true));
    let late = end(&mut transaction, 2, true, Generation::V2);
    assert_eq!(late, Err(E::PRODUCER_FENCED), "the next transaction has begun");
}

#[test]
fn after_the_last_epoch_comes_another_producer_id() {
    let last = i16::MAX - 1;
    let mut transaction = Transaction::at_epoch(7, last);
    assert_eq!(transaction.add(held(7, last), [partition()]), Ok(true));
    assert_eq!(end(&mut transaction, last, true, Generation::V2), Ok(Ended::Begun));
    assert_eq!(transaction.identity(), held(7, i16::MAX), "as the markers have it");
    assert_eq!(transaction.next_identity(), held(FRESH, 0));
    let again = end(&mut transaction, last, true, Generation::V2);
    assert_eq!(again, Err(ErrorCode::CONCURRENT_TRANSACTIONS));
    // Its answer has told the new id, which must wait for the markers (KAFKA-19367).
    let next = held(FRESH, 0);
    let too_early = Err(ErrorCode::CONCURRENT_TRANSACTIONS);
    assert_eq!(transaction.add(next, [partition()]).map(drop), too_early);
    assert_eq!(transaction.verify(next, &partition()), too_early);
    let ended = transaction.end(next, false, Generation::V2, || 1000);
    assert_eq!(ended.map(drop), too_early);
    assert_eq!(transaction.initialize(Some(next), 1, || 1000).map(drop), too_early);
    transaction.marked(&partition());
    transaction.complete();
    assert_eq!(transaction.identity(), held(FRESH, 0));
    assert_eq!(end(&mut transaction, last, true, Generation::V2), Ok(Ended::Before));
    let other_end = end(&mut transaction, last, false, Generation::V2);
    assert_eq!(other_end, Err(ErrorCode::INVALID_TXN_STATE));
    let before = end(&mut transaction, last - 1, true, Generation::V2);
    assert_eq!(before, Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
    let back = transaction.initialize(Some(held(7, last)), 1, || 1000);
    assert_eq!(back, Ok(Initialized::As(held(FRESH, 0))), "its answer may have been lost");
}

fn initialize(
    transaction: &mut Transaction,
    who: Option<Identity>,
) -> Result<Initialized, ErrorCode> {
    transaction.initialize(who, 1000, || FRESH)
}

#[test]
fn initializing_takes_the_next_epoch_once_nothing_is_open() {
    for state in STATES {
        let expected = match state {
            Ongoing => Ok(Initialized::AfterAbort),
            PrepareCommit | PrepareAbort => Err(ErrorCode::CONCURRENT_TRANSACTIONS),
            _ => Ok(Initialized::As(held(7, 4))),
        };
        assert_eq!(initialize(&mut in_state(state), None), expected, "{state:?}");
        assert_eq!(initialize(&mut in_state(state), Some(HELD)), expected, "{state:?}");
        let other = initialize(&mut in_state(state), Some(held(8, 3)));
        assert_eq!(other, Err(ErrorCode::PRODUCER_FENCED));
        let stale = initialize(&mut in_state(state), Some(held(7, 1)));
        let stale_expected = if expected == Ok(Initialized::As(held(7, 4))) {
            Err(ErrorCode::PRODUCER_FENCED)
        } else {
            expected
        };
        assert_eq!(stale, stale_expected, "{state:?}: an old epoch is noticed late, as in Kafka");
    }
    let mut new = Transaction::new(7);
    assert_eq!(initialize(&mut new, Some(held(1, 1))), Ok(Initialized::As(held(7, 0))));
}

#[test]
fn a_lost_answer_to_initializing_is_given_again() {
    let mut transaction = in_state(Empty);
    let next = Ok(Initialized::As(held(7, 4)));
    assert_eq!(initialize(&mut transaction, Some(HELD)), next);
    assert_eq!(initialize(&mut transaction, Some(HELD)), next, "the epoch before was its own");
    assert_eq!(initialize(&mut transaction, None), Ok(Initialized::As(held(7, 5))));
    let fenced = initialize(&mut transaction, Some(held(7, 4)));
    assert_eq!(fenced, Err(ErrorCode::PRODUCER_FENCED), "somebody else has it now");
}

#[test]
fn epochs_run_out() {
    let last = i16::MAX - 1;
    for who in [None, Some(held(7, last))] {
        let mut transaction = Transaction::at_epoch(7, last);
        assert_eq!(initialize(&mut transaction, who), Ok(Initialized::As(held(FRESH, 0))));
        let again = initialize(&mut transaction, Some(held(7, last)));
        let expected = match who {
            Some(_) => Ok(Initialized::As(held(FRESH, 0))),
            None => Err(ErrorCode::PRODUCER_FENCED),
        };
        assert_eq!(again, expected);
    }
    let mut transaction = Transaction::at_epoch(7, last);
    let stale = initialize(&mut transaction, Some(held(7, last - 1)));
    assert_eq!(stale, Err(ErrorCode::UNKNOWN_SERVER_ERROR), "as Kafka 4.4.0 answers");
}

#[test]
fn who_is_fenced_comes_back_only_since_version_2() {
    for (generation, expected) in [
        (Generation::V1, Err(ErrorCode::PRODUCER_FENCED)),
        (Generation::V2, Ok(Initialized::As(held(7, 4)))),
    ] {
        let mut transaction = in_state(Ongoing);
        transaction.fence(generation, || FRESH);
        assert_eq!((transaction.state(), transaction.identity()), (PrepareAbort, held(7, 4)));
        transaction.marked(&partition());
        transaction.complete();
        assert_eq!(initialize(&mut transaction, Some(HELD)), expected);
        assert_eq!(initialize(&mut transaction, None), Ok(Initialized::As(held(7, 5))));
    }
}

#[test]
fn a_fence_forgets_what_the_fenced_one_could_have_repeated() {
    let mut transaction = Transaction::at_epoch(7, 2);
    assert_eq!(initialize(&mut transaction, Some(held(7, 2))), Ok(Initialized::As(HELD)));
    assert_eq!(transaction.add(HELD, [partition()]), Ok(true));
    transaction.fence(Generation::V1, || FRESH);
    transaction.marked(&partition());
    transaction.complete();
    let repeated = initialize(&mut transaction, Some(held(7, 2)));
    assert_eq!(repeated, Err(ErrorCode::PRODUCER_FENCED));
}

#[test]
fn fencing_the_last_epoch() {
    let last = i16::MAX - 1;
    for generation in [Generation::V1, Generation::V2] {
        let mut transaction = Transaction::at_epoch(7, last);
        assert_eq!(transaction.add(held(7, last), [partition()]), Ok(true));
        transaction.fence(generation, || FRESH);
        assert_eq!(transaction.identity(), held(7, i16::MAX));
        transaction.marked(&partition());
        transaction.complete();
        let next = initialize(&mut transaction, None);
        let epoch = if generation == Generation::V1 { 0 } else { 1 };
        assert_eq!(next, Ok(Initialized::As(held(FRESH, epoch))));
    }
}
