//! Owns which partitions belong to the transaction, where the coordinator must be told of each before records
//! may go there (AddPartitionsToTxn, until KIP-890). Never sends.

use std::collections::BTreeMap;
use std::sync::Arc;

/// How far a partition is with joining.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Stage {
    /// The coordinator is to be told.
    New,
    /// It was told; there is no answer yet.
    Asked,
    /// It knows.
    Joined,
}

#[derive(Clone, Debug)]
struct Member {
    topic: Arc<str>,
    partition: i32,
    stage: Stage,
    /// A request that names it got no answer: it may have joined.
    doubtful: bool,
}

/// The partitions, by whatever number the caller knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    by_place: BTreeMap<u32, Member>,
}

impl Members {
    /// Has a partition join, if it does not already.
    pub(super) fn add(&mut self, place: u32, topic: &Arc<str>, partition: i32) {
        self.by_place.entry(place).or_insert_with(|| Member {
            topic: topic.clone(),
            partition,
            stage: Stage::New,
            doubtful: false,
        });
    }

    pub(super) fn knows(&self, place: u32) -> bool {
        self.by_place.contains_key(&place)
    }

    pub(super) fn has_joined(&self, place: u32) -> bool {
        self.by_place.get(&place).is_some_and(|member| member.stage == Stage::Joined)
    }

    /// Whether the coordinator is to be told of some.
    pub(super) fn are_waiting(&self) -> bool {
        self.by_place.values().any(|member| member.stage == Stage::New)
    }

    /// Those of which the coordinator is to be told: the request goes out.
    pub(super) fn ask(&mut self) -> Vec<(Arc<str>, i32)> {
        let waiting = self.by_place.values_mut().filter(|member| member.stage == Stage::New);
        let asked = waiting.map(|member| {
            member.stage = Stage::Asked;
            (member.topic.clone(), member.partition)
        });
        asked.collect()
    }

    /// The request is to be repeated.
    pub(super) fn ask_again(&mut self, doubtful: bool) {
        for member in self.by_place.values_mut().filter(|member| member.stage == Stage::Asked) {
            member.stage = Stage::New;
            member.doubtful |= doubtful;
        }
    }

    /// The answer: those in it have joined, the others have not, and never will. True when one of
    /// the latter may have by an earlier request.
    pub(super) fn answered(&mut self, joined: impl Fn(&str, i32) -> bool) -> bool {
        let mut doubt = false;
        self.by_place.retain(|_, member| {
            if member.stage == Stage::Asked {
                if !joined(&member.topic, member.partition) {
                    doubt |= member.doubtful;
                    return false;
                }
                member.stage = Stage::Joined;
            }
            true
        });
        doubt
    }

    /// Nothing more is to join. Those that may have joined stay until that is known.
    pub(super) fn close(&mut self) {
        self.by_place.retain(|_, member| member.stage != Stage::New || member.doubtful);
    }

    /// Those that wait are not to join after all, also if they may have.
    pub(super) fn drop_waiting(&mut self) {
        self.by_place.retain(|_, member| member.stage == Stage::Joined);
    }

    pub(super) fn clear(&mut self) {
        self.by_place.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(count: u32) -> Members {
        let mut members = Members::default();
        for place in 0..count {
            members.add(place, &"t".into(), place as i32);
        }
        members
    }

    #[test]
    fn a_partition_joins_once() {
        let mut members = members(2);
        assert_eq!(members.ask().len(), 2);
        members.add(0, &"t".into(), 0);
        assert!(!members.are_waiting() && !members.has_joined(0) && members.knows(0));
        assert!(!members.answered(|_, partition| partition == 0));
        assert!(members.has_joined(0) && !members.knows(1));
    }

    #[test]
    fn a_refusal_does_not_say_what_an_earlier_request_did() {
        let mut members = members(1);
        members.ask();
        members.ask_again(true);
        members.ask();
        assert!(members.answered(|_, _| false));
    }

    #[test]
    fn what_may_have_joined_is_asked_for_after_the_end_and_the_rest_forgotten() {
        let mut members = members(1);
        members.ask();
        members.ask_again(true);
        members.add(1, &"t".into(), 1);
        members.close();
        assert!(members.knows(0) && !members.knows(1));
        members.ask();
        members.ask_again(false);
        members.close();
        assert!(members.are_waiting(), "the first request may still have been carried out");
    }
}
