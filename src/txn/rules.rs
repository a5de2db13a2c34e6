//! Owns the table of what each error means in the answer to each transactional request. Pure.
//! Java: the handlers in `TransactionManager`; KIPs 360, 447, 588, 890.

use crate::error::ErrorCode;

/// The requests of which transactions are made.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rpc {
    /// FindCoordinator.
    Find,
    /// InitProducerId.
    Initialize,
    /// AddPartitionsToTxn, judged per partition.
    AddPartitions,
    /// AddOffsetsToTxn.
    AddOffsets,
    /// TxnOffsetCommit, judged per partition.
    CommitOffsets,
    /// EndTxn.
    End,
}

/// What an error means.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// It is done.
    Done,
    /// Look the coordinator up again, then repeat.
    Seek,
    /// Repeat after a pause.
    Retry,
    /// The transaction can only be aborted.
    Abort,
    /// As `Abort` where the producer can get a new epoch afterwards, as `Die` where not.
    AbortIfRenewable,
    /// The call failed and may be made again; nothing else has happened.
    Refuse,
    /// Somebody else has the transactional id.
    Fence,
    /// The producer can only be closed.
    Die,
}

/// One row: a code, and the ruling in the order of [`Rpc`].
type Row = (ErrorCode, [Ruling; 6]);

/// What the families of the codes do not say by themselves.
const TABLE: [Row; 17] = {
    use ErrorCode as E;
    use Ruling::*;
    [
        //                           Find    Initialize  AddPartitions  AddOffsets  CommitOffsets  End
        (E::REQUEST_TIMED_OUT, [Retry, Retry, Retry, Retry, Seek, Retry]),
        (E::COORDINATOR_NOT_AVAILABLE, [Retry, Seek, Seek, Seek, Seek, Seek]),
        (E::NOT_COORDINATOR, [Retry, Seek, Seek, Seek, Seek, Seek]),
        (E::INVALID_PRODUCER_EPOCH, [Die, Fence, Fence, Fence, Fence, Fence]),
        (E::PRODUCER_FENCED, [Die, Fence, Fence, Fence, Fence, Fence]),
        (E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, [Die, Refuse, Die, Die, Die, Die]),
        (E::CLUSTER_AUTHORIZATION_FAILED, [Die, Refuse, Die, Die, Die, Die]),
        (E::TOPIC_AUTHORIZATION_FAILED, [Die, Die, Abort, Die, Die, Die]),
        (E::GROUP_AUTHORIZATION_FAILED, [Abort, Die, Abort, Abort, Abort, Die]),
        (E::INVALID_TXN_STATE, [Die, Die, Die, Die, Die, Die]),
        (E::INVALID_PRODUCER_ID_MAPPING, [Die, Die, Die, Die, Die, Die]),
        (
            E::UNKNOWN_PRODUCER_ID,
            [Die, Die, AbortIfRenewable, AbortIfRenewable, Die, AbortIfRenewable],
        ),
        (E::ILLEGAL_GENERATION, [Die, Die, Abort, Die, Abort, Die]),
        (E::UNKNOWN_MEMBER_ID, [Die, Die, Abort, Die, Abort, Die]),
        (E::FENCED_INSTANCE_ID, [Die, Die, Abort, Die, Abort, Die]),
        (E::TRANSACTION_ABORTABLE, [Abort, Refuse, Abort, Abort, Abort, Abort]),
        (E::UNSUPPORTED_FOR_MESSAGE_FORMAT, [Die, Die, Abort, Die, Die, Die]),
    ]
};

/// What the answer `code` to `rpc` means.
pub fn ruling(rpc: Rpc, code: ErrorCode) -> Ruling {
    if code == ErrorCode::NONE {
        return Ruling::Done;
    }
    if let Some((_, rulings)) = TABLE.iter().find(|(known, _)| *known == code) {
        return rulings[rpc as usize];
    }
    match rpc {
        _ if code.is_retriable() => Ruling::Retry,
        Rpc::AddPartitions => Ruling::Abort,
        _ => Ruling::Die,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorCode as E;

    const ALL: [Rpc; 6] = [
        Rpc::Find,
        Rpc::Initialize,
        Rpc::AddPartitions,
        Rpc::AddOffsets,
        Rpc::CommitOffsets,
        Rpc::End,
    ];

    #[test]
    fn each_code_stands_once() {
        for (at, (code, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[at + 1..].iter().all(|(other, _)| other != code), "{code:?}");
        }
    }

    #[test]
    fn what_is_retriable_is_retried_everywhere() {
        for rpc in ALL {
            assert_eq!(ruling(rpc, E::NONE), Ruling::Done);
            for code in [
                E::COORDINATOR_LOAD_IN_PROGRESS,
                E::CONCURRENT_TRANSACTIONS,
                E::UNKNOWN_TOPIC_OR_PARTITION,
                E::NOT_LEADER_OR_FOLLOWER,
                E::NETWORK_EXCEPTION,
            ] {
                assert_eq!(ruling(rpc, code), Ruling::Retry, "{rpc:?} {code:?}");
            }
        }
    }

    #[test]
    fn a_lost_coordinator_is_looked_up_by_all_who_need_one() {
        for code in [E::NOT_COORDINATOR, E::COORDINATOR_NOT_AVAILABLE] {
            assert_eq!(ruling(Rpc::Find, code), Ruling::Retry);
            for rpc in &ALL[1..] {
                assert_eq!(ruling(*rpc, code), Ruling::Seek, "{rpc:?}");
            }
        }
    }

    #[test]
    fn old_epochs_are_fenced_under_either_name() {
        for rpc in &ALL[1..] {
            for code in [E::INVALID_PRODUCER_EPOCH, E::PRODUCER_FENCED] {
                assert_eq!(ruling(*rpc, code), Ruling::Fence, "{rpc:?}");
            }
        }
    }

    #[test]
    fn what_nobody_knows_ends_the_producer_but_where_only_a_partition_is_judged() {
        for rpc in ALL {
            let expected = match rpc {
                Rpc::AddPartitions => Ruling::Abort,
                _ => Ruling::Die,
            };
            assert_eq!(ruling(rpc, E::UNKNOWN_SERVER_ERROR), expected);
            assert_eq!(ruling(rpc, E::from_broker(999)), expected);
        }
    }

    #[test]
    fn rulings_that_differ_from_request_to_request() {
        let denied = E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        assert_eq!(ruling(Rpc::Initialize, denied), Ruling::Refuse);
        assert_eq!(ruling(Rpc::End, denied), Ruling::Die);
        assert_eq!(ruling(Rpc::Find, denied), Ruling::Die);
        assert_eq!(ruling(Rpc::CommitOffsets, E::ILLEGAL_GENERATION), Ruling::Abort);
        assert_eq!(ruling(Rpc::CommitOffsets, E::REQUEST_TIMED_OUT), Ruling::Seek);
        assert_eq!(ruling(Rpc::AddPartitions, E::OPERATION_NOT_ATTEMPTED), Ruling::Abort);
        assert_eq!(ruling(Rpc::Initialize, E::INVALID_TRANSACTION_TIMEOUT), Ruling::Die);
        assert_eq!(ruling(Rpc::AddOffsets, E::UNKNOWN_PRODUCER_ID), Ruling::AbortIfRenewable);
        assert_eq!(ruling(Rpc::CommitOffsets, E::UNKNOWN_PRODUCER_ID), Ruling::Die);
        assert_eq!(ruling(Rpc::Find, E::GROUP_AUTHORIZATION_FAILED), Ruling::Abort);
    }
}
