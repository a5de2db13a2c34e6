//! Which partitions the sender must look at, and when: each partition stands in one place, and the cost of a
//! turn follows the partitions that have work. Owned by the sender thread; holds no records.

use std::collections::{BTreeMap, BTreeSet};

use crate::accumulator::standing::Standing;
use crate::accumulator::topic::Slot;
use crate::metadata::NodeId;
use crate::time::Time;

/// The schedule. See the head of the file.
///
/// | from \ to    | place it enters                         | left when                              |
/// |--------------|-----------------------------------------|----------------------------------------|
/// | Empty        | none                                    | a batch is opened or put back          |
/// | Lingering    | set by deadline                         | deadline, full, flush, close, pressure |
/// | Encoding     | none: the worker pool tells             | encoded                                |
/// | Due(node)    | queue of that node, in turn             | drained, leader change, mute           |
/// | BackingOff   | set by time                             | time, new leader                       |
/// | Muted        | none: the response tells                | unmuted                                |
/// | WithoutLeader| set, looked at when metadata comes      | metadata                               |
/// | Gated        | set, looked at when a producer id comes | an answer for the partition, an id     |
///
/// A partition that moves on leaves its place at once: deadlines are exact, nothing stale wakes the sender or
/// piles up, and a node without due partitions is not asked for.
#[derive(Debug, Default)]
pub struct Schedule {
    places: Vec<Place>,
    /// Lingers until a batch opened long ago comes to the head, so not in the order of entering.
    lingering: BTreeSet<(Time, Slot)>,
    backing_off: BTreeSet<(Time, Slot)>,
    /// By turn.
    due: BTreeMap<NodeId, BTreeMap<u64, Slot>>,
    next_turn: u64,
    without_leader: BTreeSet<Slot>,
    gated: BTreeSet<Slot>,
    /// Partitions that do not stand as Empty.
    active: usize,
}

#[derive(Copy, Clone, Debug, Default)]
struct Place {
    standing: Standing,
    /// Where it is in the queue of its node, if due; where it was, if it is being drained.
    turn: u64,
}

impl Schedule {
    /// Partitions that wait for something.
    pub fn active(&self) -> usize {
        self.active
    }

    /// The partitions that wait for something.
    pub fn active_slots(&self) -> Vec<Slot> {
        let slots = self.places.iter().enumerate();
        slots
            .filter(|(_, place)| place.standing != Standing::Empty)
            .map(|(at, _)| Slot(at as u32))
            .collect()
    }

    /// Where a partition stands.
    pub fn standing(&self, slot: Slot) -> Standing {
        self.places.get(slot.0 as usize).copied().unwrap_or_default().standing
    }

    /// Moves a partition to where it stands now. One that becomes due is the last of its node.
    pub fn set(&mut self, slot: Slot, standing: Standing) {
        let index = slot.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, Place::default());
        }
        if self.places[index].standing == standing {
            return;
        }
        self.leave(slot);
        if let Standing::Due(_) = standing {
            self.places[index].turn = self.next_turn;
            self.next_turn += 1;
        }
        self.enter(slot, standing);
    }

    fn leave(&mut self, slot: Slot) {
        let Place { standing, turn } = self.places[slot.0 as usize];
        self.active -= usize::from(standing != Standing::Empty);
        self.places[slot.0 as usize].standing = Standing::Empty;
        match standing {
            Standing::Lingering(until) => {
                self.lingering.remove(&(until, slot));
            }
            Standing::BackingOff(until) => {
                self.backing_off.remove(&(until, slot));
            }
            Standing::Due(node) => {
                let queue = self.due.entry(node).or_default();
                queue.remove(&turn);
                if queue.is_empty() {
                    self.due.remove(&node);
                }
            }
            Standing::WithoutLeader => {
                self.without_leader.remove(&slot);
            }
            Standing::Gated => {
                self.gated.remove(&slot);
            }
            Standing::Empty | Standing::Encoding | Standing::Muted => {}
        }
    }

    fn enter(&mut self, slot: Slot, standing: Standing) {
        let turn = self.places[slot.0 as usize].turn;
        self.active += usize::from(standing != Standing::Empty);
        self.places[slot.0 as usize].standing = standing;
        match standing {
            Standing::Lingering(until) => {
                self.lingering.insert((until, slot));
            }
            Standing::BackingOff(until) => {
                self.backing_off.insert((until, slot));
            }
            Standing::Due(node) => {
                self.due.entry(node).or_default().insert(turn, slot);
            }
            Standing::WithoutLeader => {
                self.without_leader.insert(slot);
            }
            Standing::Gated => {
                self.gated.insert(slot);
            }
            Standing::Empty | Standing::Encoding | Standing::Muted => {}
        }
    }

    /// The next partition whose time to linger or to back off is over; call until `None`. It stands as
    /// Empty until set again.
    pub fn pop_elapsed(&mut self, now: Time) -> Option<Slot> {
        let first = |places: &BTreeSet<(Time, Slot)>| places.first().copied();
        let elapsed = |&(until, _): &(Time, Slot)| until <= now;
        let lingering = first(&self.lingering).filter(elapsed);
        let (_, slot) = lingering.or_else(|| first(&self.backing_off).filter(elapsed))?;
        self.leave(slot);
        Some(slot)
    }

    /// All partitions that linger, oldest first; they stand as Empty until set again.
    pub fn take_lingering(&mut self) -> Vec<Slot> {
        let slots: Vec<Slot> = self.lingering.iter().map(|&(_, slot)| slot).collect();
        slots.iter().for_each(|&slot| self.leave(slot));
        slots
    }

    /// All partitions without leader; they stand as Empty until set again.
    pub fn take_without_leader(&mut self) -> Vec<Slot> {
        let slots: Vec<Slot> = self.without_leader.iter().copied().collect();
        slots.iter().for_each(|&slot| self.leave(slot));
        slots
    }

    /// All partitions that are gated; they stand as Empty until set again.
    pub fn take_gated(&mut self) -> Vec<Slot> {
        let slots: Vec<Slot> = self.gated.iter().copied().collect();
        slots.iter().for_each(|&slot| self.leave(slot));
        slots
    }

    /// Nodes for which some partition is due.
    pub fn due_nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.due.keys().copied()
    }

    /// Whether some partition is due for `node`.
    pub fn is_due(&self, node: NodeId) -> bool {
        self.due.contains_key(&node)
    }

    /// The next partition that is due for `node`; it stands as Empty until set again.
    pub fn pop_due(&mut self, node: NodeId) -> Option<Slot> {
        let (_, &slot) = self.due.get(&node)?.first_key_value()?;
        self.leave(slot);
        Some(slot)
    }

    /// Puts a partition that did not fit into a request back to where `pop_due` took it from.
    pub fn return_due(&mut self, node: NodeId, slot: Slot) {
        self.leave(slot);
        self.enter(slot, Standing::Due(node));
    }

    /// When the next lingering or backing off partition must be looked at.
    pub fn next_deadline(&self) -> Time {
        let first = |places: &BTreeSet<(Time, Slot)>| places.first().map(|&(until, _)| until);
        let lingering = first(&self.lingering).unwrap_or(Time::NEVER);
        lingering.min(first(&self.backing_off).unwrap_or(Time::NEVER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Slot = Slot(0);
    const B: Slot = Slot(1);
    const NODE: NodeId = NodeId(7);

    #[test]
    fn a_partition_that_moved_on_is_not_found_where_it_was() {
        let mut schedule = Schedule::default();
        schedule.set(A, Standing::Lingering(Time::from_ms(5)));
        schedule.set(A, Standing::Due(NODE));
        schedule.set(B, Standing::BackingOff(Time::from_ms(9)));
        assert_eq!(schedule.pop_elapsed(Time::from_ms(6)), None);
        assert_eq!(schedule.next_deadline(), Time::from_ms(9));
        assert_eq!(schedule.pop_due(NODE), Some(A));
        assert_eq!(schedule.pop_due(NODE), None);
        assert_eq!(schedule.pop_elapsed(Time::from_ms(9)), Some(B));
    }

    #[test]
    fn due_partitions_take_turns() {
        let mut schedule = Schedule::default();
        schedule.set(A, Standing::Due(NODE));
        schedule.set(B, Standing::Due(NODE));
        assert_eq!(schedule.pop_due(NODE), Some(A));
        schedule.set(A, Standing::Due(NODE));
        assert_eq!(schedule.pop_due(NODE), Some(B));
        schedule.return_due(NODE, B);
        assert_eq!(schedule.pop_due(NODE), Some(B));
        assert_eq!(schedule.pop_due(NODE), Some(A));
    }

    #[test]
    fn leaderless_partitions_are_looked_at_once_for_each_metadata() {
        let mut schedule = Schedule::default();
        schedule.set(A, Standing::WithoutLeader);
        assert_eq!(schedule.take_without_leader(), vec![A]);
        assert_eq!(schedule.take_without_leader(), vec![]);
        schedule.set(A, Standing::WithoutLeader);
        assert_eq!(schedule.take_without_leader(), vec![A]);
    }

    #[test]
    fn a_batch_opened_long_ago_that_comes_to_the_head_lingers_no_longer_for_it() {
        let mut schedule = Schedule::default();
        schedule.set(A, Standing::Lingering(Time::from_ms(15)));
        schedule.set(B, Standing::Lingering(Time::from_ms(11)));
        assert_eq!(schedule.next_deadline(), Time::from_ms(11));
        assert_eq!(schedule.pop_elapsed(Time::from_ms(11)), Some(B));
        assert_eq!(schedule.pop_elapsed(Time::from_ms(11)), None);
    }

    #[test]
    fn a_node_whose_partitions_moved_away_is_not_asked_for() {
        let mut schedule = Schedule::default();
        schedule.set(A, Standing::Due(NODE));
        schedule.set(A, Standing::Due(NodeId(8)));
        assert_eq!(schedule.due_nodes().collect::<Vec<_>>(), [NodeId(8)]);
    }

    #[test]
    fn what_moved_on_leaves_nothing_behind() {
        let mut schedule = Schedule::default();
        schedule.set(B, Standing::Lingering(Time::from_ms(1)));
        let last = if cfg!(miri) { 50 } else { 10_000 };
        for n in 2..last {
            schedule.set(A, Standing::Lingering(Time::from_ms(n)));
            schedule.set(A, Standing::Due(NODE));
            schedule.set(A, Standing::WithoutLeader);
            schedule.set(A, Standing::Gated);
            schedule.set(A, Standing::BackingOff(Time::from_ms(n)));
        }
        schedule.set(A, Standing::Empty);
        let left = schedule.lingering.len()
            + schedule.backing_off.len()
            + schedule.due.len()
            + schedule.without_leader.len()
            + schedule.gated.len();
        assert_eq!((left, schedule.active()), (1, 1));
    }

    mod against_a_naive_model {
        use super::*;
        use proptest::prelude::*;

        fn standings() -> impl Strategy<Value = Standing> {
            prop_oneof![
                Just(Standing::Empty),
                Just(Standing::Encoding),
                Just(Standing::Muted),
                Just(Standing::WithoutLeader),
                Just(Standing::Gated),
                (0..3i32).prop_map(|node| Standing::Due(NodeId(node))),
                (0..20u64).prop_map(|ms| Standing::Lingering(Time::from_ms(ms))),
                (0..20u64).prop_map(|ms| Standing::BackingOff(Time::from_ms(ms))),
            ]
        }

        #[derive(Clone, Debug)]
        enum Step {
            Set(u32, Standing),
            Elapse(u64),
            Drain(i32),
            Return(i32),
            Lingering,
            Leaders,
            Ids,
        }

        fn steps() -> impl Strategy<Value = Step> {
            prop_oneof![
                8 => (0..6u32, standings()).prop_map(|(slot, to)| Step::Set(slot, to)),
                2 => (0..25u64).prop_map(Step::Elapse),
                2 => (0..3i32).prop_map(Step::Drain),
                1 => (0..3i32).prop_map(Step::Return),
                1 => Just(Step::Lingering),
                1 => Just(Step::Leaders),
                1 => Just(Step::Ids),
            ]
        }

        /// What stands where, and since which step.
        #[derive(Default)]
        struct Model(Vec<(u32, Standing, u64)>);

        impl Model {
            fn set(&mut self, slot: u32, to: Standing, step: u64) {
                if self.0.iter().any(|&(s, at, _)| (s, at) == (slot, to)) {
                    return;
                }
                self.0.retain(|&(s, _, _)| s != slot);
                if to != Standing::Empty {
                    self.0.push((slot, to, step));
                }
            }

            fn first_due(&self, node: i32) -> Option<(u32, u64)> {
                let due = self.0.iter().filter(|(_, at, _)| *at == Standing::Due(NodeId(node)));
                due.min_by_key(|(_, _, step)| *step).map(|&(slot, _, step)| (slot, step))
            }

            fn until(at: Standing) -> Option<Time> {
                match at {
                    Standing::Lingering(until) | Standing::BackingOff(until) => Some(until),
                    _ => None,
                }
            }

            fn take(&mut self, which: impl Fn(Standing) -> bool) -> Vec<Slot> {
                let taken = self.0.iter().filter(|(_, at, _)| which(*at));
                let mut slots: Vec<Slot> = taken.map(|&(slot, _, _)| Slot(slot)).collect();
                self.0.retain(|(_, at, _)| !which(*at));
                slots.sort_unstable();
                slots
            }
        }

        fn sorted(mut slots: Vec<Slot>) -> Vec<Slot> {
            slots.sort_unstable();
            slots
        }

        fn apply(schedule: &mut Schedule, model: &mut Model, step: Step, number: u64) {
            match step {
                Step::Set(slot, to) => {
                    schedule.set(Slot(slot), to);
                    model.set(slot, to, number);
                }
                Step::Elapse(ms) => {
                    let now = Time::from_ms(ms);
                    let mut found = Vec::new();
                    while let Some(slot) = schedule.pop_elapsed(now) {
                        found.push(slot);
                    }
                    let elapsed = |at| Model::until(at).is_some_and(|until| until <= now);
                    assert_eq!(sorted(found), model.take(elapsed));
                }
                Step::Drain(node) => {
                    let first = model.first_due(node);
                    assert_eq!(schedule.pop_due(NodeId(node)), first.map(|(slot, _)| Slot(slot)));
                    first.into_iter().for_each(|(slot, _)| model.set(slot, Standing::Empty, 0));
                }
                Step::Return(node) => {
                    let Some(slot) = schedule.pop_due(NodeId(node)) else { return };
                    schedule.return_due(NodeId(node), slot);
                    assert_eq!(model.first_due(node).map(|(slot, _)| Slot(slot)), Some(slot));
                }
                Step::Lingering => {
                    let lingers = |at| matches!(at, Standing::Lingering(_));
                    assert_eq!(sorted(schedule.take_lingering()), model.take(lingers));
                }
                Step::Leaders => {
                    let lacks = |at| at == Standing::WithoutLeader;
                    assert_eq!(schedule.take_without_leader(), model.take(lacks));
                }
                Step::Ids => {
                    let gated = |at| at == Standing::Gated;
                    assert_eq!(schedule.take_gated(), model.take(gated));
                }
            }
        }

        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

            #[test]
            fn every_question_has_the_answer_of_a_full_scan(
                steps in proptest::collection::vec(steps(), 1..120),
            ) {
                let (mut schedule, mut model) = (Schedule::default(), Model::default());
                for (number, step) in steps.into_iter().enumerate() {
                    apply(&mut schedule, &mut model, step, number as u64 + 1);
                    let next = model.0.iter().filter_map(|&(_, at, _)| Model::until(at)).min();
                    prop_assert_eq!(schedule.next_deadline(), next.unwrap_or(Time::NEVER));
                    prop_assert_eq!(schedule.active(), model.0.len());
                    prop_assert_eq!(schedule.active_slots().len(), model.0.len());
                    for node in 0..3 {
                        let due = schedule.due_nodes().any(|found| found == NodeId(node));
                        prop_assert_eq!(due, model.first_due(node).is_some());
                    }
                }
            }
        }
    }
}
