//! Which partitions the sender must look at, and when: each partition stands in one place, and the cost of a
//! turn follows the partitions that have work (DESIGN 3.6). Owned by the sender thread; holds no records.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use crate::accumulator::standing::Standing;
use crate::accumulator::topic::Slot;
use crate::metadata::NodeId;
use crate::time::Time;

/// The schedule. See the head of the file.
///
/// | from \ to    | place it enters                         | left when                              |
/// |--------------|-----------------------------------------|----------------------------------------|
/// | Empty        | none                                    | a batch is opened or put back          |
/// | Lingering    | FIFO by deadline (linger is one value)  | deadline, full, flush, close, pressure |
/// | Encoding     | none: the worker pool tells             | encoded                                |
/// | Due(node)    | queue of that node, in turn             | drained, leader change, mute           |
/// | BackingOff   | heap by time                            | time, new leader                       |
/// | Muted        | none: the response tells                | unmuted                                |
/// | WithoutLeader| list, looked at when metadata comes     | metadata                               |
///
/// Entries are not removed when a partition moves on: whoever pops one compares it with where the partition stands.
#[derive(Debug, Default)]
pub struct Schedule {
    standing: Vec<Standing>,
    lingering: VecDeque<(Time, Slot)>,
    backing_off: BinaryHeap<Reverse<(Time, Slot)>>,
    due: BTreeMap<NodeId, VecDeque<Slot>>,
    without_leader: Vec<Slot>,
    /// Partitions that do not stand as Empty.
    active: usize,
}

impl Schedule {
    /// Partitions that wait for something.
    pub fn active(&self) -> usize {
        self.active
    }

    /// The partitions that wait for something.
    pub fn active_slots(&self) -> Vec<Slot> {
        let slots = self.standing.iter().enumerate();
        slots.filter(|(_, s)| **s != Standing::Empty).map(|(at, _)| Slot(at as u32)).collect()
    }

    fn change(&mut self, index: usize, standing: Standing) {
        let was = std::mem::replace(&mut self.standing[index], standing);
        self.active += usize::from(standing != Standing::Empty);
        self.active -= usize::from(was != Standing::Empty);
    }

    /// Where a partition stands.
    pub fn standing(&self, slot: Slot) -> Standing {
        self.standing.get(slot.0 as usize).copied().unwrap_or_default()
    }

    /// Moves a partition to where it stands now.
    pub fn set(&mut self, slot: Slot, standing: Standing) {
        let index = slot.0 as usize;
        if self.standing.len() <= index {
            self.standing.resize(index + 1, Standing::Empty);
        }
        if self.standing[index] == standing {
            return;
        }
        self.change(index, standing);
        match standing {
            Standing::Lingering(until) => self.lingering.push_back((until, slot)),
            Standing::BackingOff(until) => self.backing_off.push(Reverse((until, slot))),
            Standing::Due(node) => self.due.entry(node).or_default().push_back(slot),
            Standing::WithoutLeader => self.without_leader.push(slot),
            Standing::Empty | Standing::Encoding | Standing::Muted => {}
        }
    }

    /// The next partition whose time to linger or to back off is over; call until `None`.
    pub fn pop_elapsed(&mut self, now: Time) -> Option<Slot> {
        while let Some(&(until, slot)) = self.lingering.front() {
            let current = self.standing(slot) == Standing::Lingering(until);
            if current && until > now {
                break;
            }
            self.lingering.pop_front();
            if current {
                return Some(slot);
            }
        }
        while let Some(&Reverse((until, slot))) = self.backing_off.peek() {
            let current = self.standing(slot) == Standing::BackingOff(until);
            if current && until > now {
                break;
            }
            self.backing_off.pop();
            if current {
                return Some(slot);
            }
        }
        None
    }

    /// All partitions that linger, oldest first; they are taken off the list.
    pub fn take_lingering(&mut self) -> Vec<Slot> {
        let entries = std::mem::take(&mut self.lingering);
        let current =
            |&(until, slot): &(Time, Slot)| self.standing(slot) == Standing::Lingering(until);
        let slots = entries.iter().filter(|entry| current(entry)).map(|&(_, slot)| slot);
        let slots: Vec<Slot> = slots.collect();
        for slot in &slots {
            self.change(slot.0 as usize, Standing::Empty);
        }
        slots
    }

    /// All partitions without leader; they are taken off the list.
    pub fn take_without_leader(&mut self) -> Vec<Slot> {
        let mut slots = std::mem::take(&mut self.without_leader);
        slots.retain(|&slot| self.standing(slot) == Standing::WithoutLeader);
        slots.sort_unstable();
        slots.dedup();
        for slot in &slots {
            self.change(slot.0 as usize, Standing::Empty);
        }
        slots
    }

    /// Whether any partition waits for a leader.
    pub fn lacks_leaders(&self) -> bool {
        !self.without_leader.is_empty()
    }

    /// Nodes for which some partition may be due.
    pub fn due_nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.due.iter().filter(|(_, queue)| !queue.is_empty()).map(|(&node, _)| node)
    }

    /// The next partition that is due for `node`; it stands as Empty until set again.
    pub fn pop_due(&mut self, node: NodeId) -> Option<Slot> {
        loop {
            let slot = self.due.get_mut(&node)?.pop_front()?;
            if self.standing(slot) == Standing::Due(node) {
                self.change(slot.0 as usize, Standing::Empty);
                return Some(slot);
            }
        }
    }

    /// Puts a partition that did not fit into a request back to the front of its node's queue.
    pub fn return_due(&mut self, node: NodeId, slot: Slot) {
        self.change(slot.0 as usize, Standing::Due(node));
        self.due.entry(node).or_default().push_front(slot);
    }

    /// When the next lingering or backing off partition must be looked at.
    pub fn next_deadline(&self) -> Time {
        // A stale entry in front can only wake too early, once.
        let lingering = self.lingering.front().map_or(Time::NEVER, |&(until, _)| until);
        let backing_off = self.backing_off.peek().map_or(Time::NEVER, |&Reverse((until, _))| until);
        lingering.min(backing_off)
    }

    /// Forgets stale entries in front, so that `next_deadline` is exact.
    pub fn tidy(&mut self) {
        while let Some(&(until, slot)) = self.lingering.front() {
            if self.standing(slot) == Standing::Lingering(until) {
                break;
            }
            self.lingering.pop_front();
        }
        while let Some(&Reverse((until, slot))) = self.backing_off.peek() {
            if self.standing(slot) == Standing::BackingOff(until) {
                break;
            }
            self.backing_off.pop();
        }
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
    fn leaderless_partitions_are_looked_at_once_per_metadata() {
        let mut schedule = Schedule::default();
        schedule.set(A, Standing::WithoutLeader);
        assert!(schedule.lacks_leaders());
        assert_eq!(schedule.take_without_leader(), vec![A]);
        assert!(!schedule.lacks_leaders());
        schedule.set(A, Standing::WithoutLeader);
        assert_eq!(schedule.take_without_leader(), vec![A]);
    }
}
