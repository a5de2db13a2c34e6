//! Owns all transactional ids, and when each of them wants something done: an ongoing transaction
//! to be given up, a prepared one to get its markers. Never does it.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Time;

use super::transaction::Transaction;

#[derive(Debug)]
struct Entry {
    transaction: Transaction,
    due: Time,
}

/// The transactional ids.
#[derive(Debug, Default)]
pub(in crate::mock) struct Transactions {
    entries: BTreeMap<String, Entry>,
    /// Who is due when; without those that never are.
    timeline: BTreeSet<(Time, String)>,
    /// Who was due when, and could not be served.
    put_off: Vec<(Time, String)>,
    /// When to look at those again.
    retry_at: Option<Time>,
    /// How long after the end of a transaction its markers are written.
    pub(in crate::mock) marker_delay_ms: u64,
}

impl Transactions {
    pub(in crate::mock) fn get(&self, id: &str) -> Option<&Transaction> {
        self.entries.get(id).map(|entry| &entry.transaction)
    }

    pub(in crate::mock) fn get_mut(&mut self, id: &str) -> Option<&mut Transaction> {
        self.entries.get_mut(id).map(|entry| &mut entry.transaction)
    }

    pub(in crate::mock) fn insert(&mut self, id: &str, transaction: Transaction) {
        self.remove(id);
        self.entries.insert(id.to_owned(), Entry { transaction, due: Time::NEVER });
    }

    pub(in crate::mock) fn remove(&mut self, id: &str) -> Option<Transaction> {
        self.set_due(id, Time::NEVER);
        self.entries.remove(id).map(|entry| entry.transaction)
    }

    /// When an id wants attention next; instead of what was said before.
    pub(in crate::mock) fn set_due(&mut self, id: &str, due: Time) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        self.put_off.retain(|(_, other)| other != id);
        let before = std::mem::replace(&mut entry.due, due);
        if before != Time::NEVER {
            self.timeline.remove(&(before, id.to_owned()));
        }
        if due != Time::NEVER {
            self.timeline.insert((due, id.to_owned()));
        }
    }

    /// When the first id is due, or those that were put off are to be looked at; [`Time::NEVER`] for none.
    pub(in crate::mock) fn next_due(&self) -> Time {
        let retry_at = self.retry_at.filter(|_| !self.put_off.is_empty());
        self.first_due().min(retry_at.unwrap_or(Time::NEVER))
    }

    fn first_due(&self) -> Time {
        self.timeline.first().map_or(Time::NEVER, |first| first.0)
    }

    /// What was due for these at their time could not be done: they are to be looked at again.
    pub(in crate::mock) fn put_off(&mut self, ids: Vec<(Time, String)>, retry_at: Time) {
        (self.put_off, self.retry_at) = (ids, Some(retry_at));
    }

    /// Those that were put off are due again at the times at which they were.
    pub(in crate::mock) fn resume(&mut self) {
        for (at, id) in std::mem::take(&mut self.put_off) {
            self.set_due(&id, at);
        }
    }

    /// Takes the first id that is due by now; it is not due again until it is said so.
    pub(in crate::mock) fn take_due(&mut self, now: Time) -> Option<(Time, String)> {
        if self.first_due() > now {
            return None;
        }
        let (due, id) = self.timeline.pop_first()?;
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.due = Time::NEVER;
        }
        Some((due, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_up_when_they_are_due_and_once() {
        let mut table = Transactions::default();
        let at = Time::from_ms;
        for id in ["a", "b", "c"] {
            table.insert(id, Transaction::new(1));
        }
        assert_eq!(table.next_due(), Time::NEVER);
        table.set_due("a", at(30));
        table.set_due("b", at(20));
        table.set_due("b", at(40));
        table.set_due("c", at(10));
        table.set_due("unknown", at(1));
        assert_eq!(table.take_due(at(9)), None);
        assert_eq!(table.take_due(at(30)), Some((at(10), "c".to_owned())));
        assert_eq!(table.take_due(at(30)), Some((at(30), "a".to_owned())));
        assert_eq!(table.take_due(at(30)), None);
        assert_eq!(table.next_due(), at(40));
        assert!(table.remove("b").is_some() && table.get("b").is_none());
        assert_eq!(table.next_due(), Time::NEVER);
    }
}
