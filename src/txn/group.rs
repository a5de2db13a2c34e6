//! What a transaction commits for a consumer group: the group as its consumer knows it, and offsets. Values
//! only.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, ErrorCode, Result};

/// A consumer group's name, and the member of it that has read what the transaction was made from (KIP-447):
/// the group's coordinator refuses offsets of a member that is no longer the reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupMetadata {
    pub(super) group_id: String,
    pub(super) generation_id: i32,
    pub(super) member_id: String,
    pub(super) group_instance_id: Option<String>,
}

impl GroupMetadata {
    /// A group as a consumer's own group metadata names it: `group.id`, generation (or member epoch),
    /// member id, and `group.instance.id` of a static member. A consumer without membership, which assigns
    /// itself partitions, has generation -1 and an empty member id.
    ///
    /// # Errors
    /// `ARGUMENT` for an empty group, a generation below -1, or a generation without a member.
    pub fn new(
        group_id: &str,
        generation_id: i32,
        member_id: &str,
        group_instance_id: Option<&str>,
    ) -> Result<GroupMetadata> {
        let refuse = |text: String| Err(Error::new(ErrorCode::ARGUMENT, text));
        if group_id.is_empty() {
            return refuse("the group id is empty".to_owned());
        }
        if generation_id < -1 {
            return refuse(format!(
                "generation {generation_id}: give the consumer's, or -1 for none"
            ));
        }
        if generation_id > 0 && member_id.is_empty() {
            return refuse(format!("generation {generation_id} without a member id"));
        }
        Ok(GroupMetadata {
            group_id: group_id.to_owned(),
            generation_id,
            member_id: member_id.to_owned(),
            group_instance_id: group_instance_id.map(str::to_owned),
        })
    }

    /// `group.id`.
    pub fn group_id(&self) -> &str {
        &self.group_id
    }

    /// Whether it names more than the group.
    pub(super) fn has_member(&self) -> bool {
        self.generation_id != -1 || !self.member_id.is_empty() || self.group_instance_id.is_some()
    }
}

/// How far a group has come in one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupOffset {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// The next record to read: one more than the last one that was used.
    pub offset: i64,
    /// Epoch of the leader that the last record was read from, if it is known.
    pub leader_epoch: Option<i32>,
    /// Whatever the application wants to keep with the offset.
    pub metadata: Option<String>,
}

impl GroupOffset {
    /// An offset and nothing else.
    pub fn new(topic: &str, partition: i32, offset: i64) -> GroupOffset {
        let topic = topic.to_owned();
        GroupOffset { topic, partition, offset, leader_epoch: None, metadata: None }
    }
}

/// An offset to commit, without its partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) offset: i64,
    pub(super) leader_epoch: Option<i32>,
    pub(super) metadata: Option<String>,
}

/// What one call commits: of each partition one offset, the last given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupOffsets {
    pub(super) group: GroupMetadata,
    pub(super) positions: BTreeMap<(Arc<str>, i32), Position>,
}

impl GroupOffsets {
    /// Puts them together.
    ///
    /// # Errors
    /// `ARGUMENT` for an empty topic, or a partition or an offset below 0.
    pub fn new(group: &GroupMetadata, offsets: &[GroupOffset]) -> Result<GroupOffsets> {
        let mut positions = BTreeMap::new();
        for given in offsets {
            let GroupOffset { topic, partition, offset, leader_epoch, metadata } = given;
            if topic.is_empty() || *partition < 0 || *offset < 0 {
                let text = format!("offset {offset} for partition {partition} of topic {topic:?}");
                return Err(Error::new(ErrorCode::ARGUMENT, text));
            }
            let position = Position {
                offset: *offset,
                leader_epoch: leader_epoch.filter(|&epoch| epoch >= 0),
                metadata: metadata.clone(),
            };
            positions.insert((topic.as_str().into(), *partition), position);
        }
        Ok(GroupOffsets { group: group.clone(), positions })
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_needs_a_name_and_a_generation_a_member() {
        for (group, generation, member) in [("", -1, ""), ("g", -2, "m"), ("g", 2, "")] {
            let error = GroupMetadata::new(group, generation, member, None).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ARGUMENT, "{group} {generation} {member}");
        }
        assert!(!GroupMetadata::new("g", -1, "", None).unwrap().has_member());
        assert!(GroupMetadata::new("g", 3, "m", Some("i")).unwrap().has_member());
    }

    #[test]
    fn the_last_offset_of_a_partition_counts_and_impossible_ones_are_refused() {
        let group = GroupMetadata::new("g", -1, "", None).unwrap();
        let given = [GroupOffset::new("t", 0, 5), GroupOffset::new("t", 0, 7)];
        let offsets = GroupOffsets::new(&group, &given).unwrap();
        assert_eq!(offsets.positions[&("t".into(), 0)].offset, 7);
        for wrong in
            [GroupOffset::new("", 0, 5), GroupOffset::new("t", -1, 5), GroupOffset::new("t", 0, -1)]
        {
            assert!(GroupOffsets::new(&group, &[wrong]).is_err());
        }
        assert!(GroupOffsets::new(&group, &[]).unwrap().is_empty());
    }
}
