//! The coordinators of transactions and of groups. `seats` says which broker coordinates which id,
//! `transaction` is one transactional id, `table` all of them, `group` one group's offsets; the
//! other files answer requests (`find`, `init`, `join`, `offsets`, `end`) and partition leaders
//! (`verify`).

mod end;
mod find;
mod group;
mod init;
mod join;
mod offsets;
mod seats;
mod table;
mod transaction;
mod verify;

#[cfg(any(test, feature = "sim"))]
use crate::protocol::ApiKey;

#[cfg(test)]
mod coordinator_tests;
#[cfg(test)]
mod offsets_tests;
#[cfg(test)]
mod testing;

#[cfg(test)]
pub(super) use offsets_tests::with_transactions;

/// The requests of which transactions are made.
#[cfg(any(test, feature = "sim"))]
pub(crate) const APIS: [ApiKey; 6] = [
    ApiKey::FindCoordinator,
    ApiKey::InitProducerId,
    ApiKey::AddPartitionsToTxn,
    ApiKey::AddOffsetsToTxn,
    ApiKey::TxnOffsetCommit,
    ApiKey::EndTxn,
];

pub use end::TransactionDescription;
pub use group::CommittedOffset;
pub use seats::CoordinatorKind;
pub use transaction::TransactionState;

pub(super) use group::Group;
pub(super) use init::ProducerIds;
pub(super) use seats::{Seats, OFFSETS_TOPIC};
pub(super) use table::Transactions;
pub(super) use transaction::{Identity, TopicPartition};
pub(super) use verify::Start;
