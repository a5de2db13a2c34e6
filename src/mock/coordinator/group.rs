//! Owns the offsets of one consumer group, those of open transactions apart, and who its members
//! are if somebody said so. Never reads a request.

use std::collections::BTreeMap;

use crate::error::ErrorCode;

use super::transaction::TopicPartition;

/// An offset that a group committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommittedOffset {
    /// The next record that the group wants to read.
    pub offset: i64,
    /// The leader epoch of the last one that it has read; -1 for unknown.
    pub leader_epoch: i32,
    /// What the committer wrote beside it.
    pub metadata: Option<String>,
}

/// Who says that it may commit for a group (KIP-447).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Committer {
    /// -1 for none.
    pub(super) generation: i32,
    /// Empty for none.
    pub(super) member: String,
    pub(super) instance: Option<String>,
}

#[derive(Debug)]
struct Membership {
    generation: i32,
    /// Member ids, and the instance ids of static members (KIP-345).
    members: BTreeMap<String, Option<String>>,
}

/// One group.
#[derive(Debug, Default)]
pub(in crate::mock) struct Group {
    committed: BTreeMap<TopicPartition, CommittedOffset>,
    /// By producer id.
    pending: BTreeMap<i64, BTreeMap<TopicPartition, CommittedOffset>>,
    membership: Option<Membership>,
}

impl Group {
    pub(in crate::mock) fn set_members(
        &mut self,
        generation: i32,
        members: &[(&str, Option<&str>)],
    ) {
        let owned =
            |(id, instance): &(&str, Option<&str>)| ((*id).to_owned(), instance.map(str::to_owned));
        let members = members.iter().map(owned).collect();
        self.membership = Some(Membership { generation, members });
    }

    /// Whether the group takes offsets from this member. A group of which nobody said anything
    /// takes them from all.
    pub(super) fn check(&self, by: &Committer) -> Result<(), ErrorCode> {
        let says_nothing = by.generation < 0 && by.member.is_empty() && by.instance.is_none();
        let Some(group) = self.membership.as_ref().filter(|_| !says_nothing) else {
            return Ok(());
        };
        if let Some(instance) = &by.instance {
            let holder = group.members.iter().find(|member| member.1.as_ref() == Some(instance));
            match holder {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
                Some((id, _)) if *id != by.member => return Err(ErrorCode::FENCED_INSTANCE_ID),
                Some(_) => {}
            }
        }
        if !group.members.contains_key(&by.member) {
            Err(ErrorCode::UNKNOWN_MEMBER_ID)
        } else if by.generation != group.generation {
            Err(ErrorCode::ILLEGAL_GENERATION)
        } else {
            Ok(())
        }
    }

    /// Keeps an offset until the producer's transaction ends.
    pub(super) fn hold(&mut self, producer_id: i64, at: TopicPartition, offset: CommittedOffset) {
        self.pending.entry(producer_id).or_default().insert(at, offset);
    }

    /// The producer's transaction has ended.
    pub(super) fn end(&mut self, producer_id: i64, commit: bool) {
        let pending = self.pending.remove(&producer_id).unwrap_or_default();
        if commit {
            self.committed.extend(pending);
        }
    }

    pub(super) fn committed(&self) -> &BTreeMap<TopicPartition, CommittedOffset> {
        &self.committed
    }

    /// Whether an open transaction holds an offset for this partition.
    pub(super) fn is_pending(&self, at: &TopicPartition) -> bool {
        self.pending.values().any(|offsets| offsets.contains_key(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(generation: i32, member: &str, instance: Option<&str>) -> Committer {
        Committer { generation, member: member.to_owned(), instance: instance.map(str::to_owned) }
    }

    #[test]
    fn members_are_checked_as_brokers_do_once_they_are_known() {
        let mut group = Group::default();
        assert_eq!(group.check(&by(7, "anybody", Some("i"))), Ok(()));
        group.set_members(5, &[("m", None), ("s", Some("i"))]);
        for (committer, expected) in [
            (by(-1, "", None), Ok(())),
            (by(5, "m", None), Ok(())),
            (by(5, "s", Some("i")), Ok(())),
            (by(4, "m", None), Err(ErrorCode::ILLEGAL_GENERATION)),
            (by(-1, "m", None), Err(ErrorCode::ILLEGAL_GENERATION)),
            (by(5, "x", None), Err(ErrorCode::UNKNOWN_MEMBER_ID)),
            (by(5, "", None), Err(ErrorCode::UNKNOWN_MEMBER_ID)),
            (by(5, "s", Some("j")), Err(ErrorCode::UNKNOWN_MEMBER_ID)),
            (by(5, "m", Some("i")), Err(ErrorCode::FENCED_INSTANCE_ID)),
        ] {
            assert_eq!(group.check(&committer), expected, "{committer:?}");
        }
    }

    #[test]
    fn offsets_count_when_their_transaction_is_committed() {
        let at = || ("t".to_owned(), 0);
        let offset = |offset| CommittedOffset { offset, leader_epoch: -1, metadata: None };
        let mut group = Group::default();
        group.hold(1, at(), offset(10));
        group.hold(2, at(), offset(20));
        group.hold(1, at(), offset(11));
        assert!(group.is_pending(&at()) && group.committed().is_empty());
        group.end(1, true);
        assert_eq!(group.committed()[&at()].offset, 11);
        group.end(2, false);
        assert_eq!(group.committed()[&at()].offset, 11);
        assert!(!group.is_pending(&at()));
    }
}
