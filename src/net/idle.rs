//! Which connection has been idle longest (Java's `IdleExpiryManager`): an order by last activity
//! in which every step costs the same however many connections there are. Never closes anything.

use crate::time::Time;

const NONE: usize = usize::MAX;

/// The connections by last activity. Slots are small numbers that the selector hands out.
///
/// Activity happens after the selector slept, at a time it does not know; so active slots wait in
/// `fresh` and get the time of the next poll, which follows at once.
#[derive(Debug)]
pub struct IdleOrder {
    /// `None`: nothing ever expires, and nothing is tracked.
    limit_ms: Option<u64>,
    links: Vec<Link>,
    oldest: usize,
    newest: usize,
    fresh: Vec<usize>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Place {
    Absent,
    Fresh,
    Listed,
}

#[derive(Copy, Clone, Debug)]
struct Link {
    place: Place,
    last: Time,
    older: usize,
    newer: usize,
}

const UNLINKED: Link = Link { place: Place::Absent, last: Time::ZERO, older: NONE, newer: NONE };

impl IdleOrder {
    /// Connections expire after `limit_ms` without activity; negative: never.
    pub fn new(limit_ms: i64) -> IdleOrder {
        let limit_ms = u64::try_from(limit_ms).ok();
        IdleOrder { limit_ms, links: Vec::new(), oldest: NONE, newest: NONE, fresh: Vec::new() }
    }

    /// Something happened on `slot` (or it is new).
    pub fn touch(&mut self, slot: usize) {
        if self.limit_ms.is_none() {
            return;
        }
        if slot >= self.links.len() {
            self.links.resize(slot + 1, UNLINKED);
        }
        if self.links[slot].place != Place::Fresh {
            self.forget(slot);
            self.links[slot].place = Place::Fresh;
            self.fresh.push(slot);
        }
    }

    /// Everything touched since the last call was active at `now`.
    pub fn stamp(&mut self, now: Time) {
        for index in 0..self.fresh.len() {
            let slot = self.fresh[index];
            // A slot may have been forgotten, and touched again, since it was pushed.
            if self.links[slot].place == Place::Fresh {
                let link =
                    Link { place: Place::Listed, last: now, older: self.newest, newer: NONE };
                self.links[slot] = link;
                match self.newest {
                    NONE => self.oldest = slot,
                    newest => self.links[newest].newer = slot,
                }
                self.newest = slot;
            }
        }
        self.fresh.clear();
    }

    /// The connection is gone.
    pub fn forget(&mut self, slot: usize) {
        let Some(link) = self.links.get_mut(slot) else { return };
        let Link { place, older, newer, .. } = std::mem::replace(link, UNLINKED);
        if place != Place::Listed {
            return;
        }
        match older {
            NONE => self.oldest = newer,
            older => self.links[older].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.links[newer].older = older,
        }
    }

    /// When the next connection expires, as far as is known before the next `stamp`.
    pub fn deadline(&self) -> Time {
        match (self.limit_ms, self.links.get(self.oldest)) {
            (Some(limit_ms), Some(link)) => link.last.plus_ms(limit_ms),
            _ => Time::NEVER,
        }
    }

    /// The connection that has been idle longest, if its time is over.
    pub fn expired(&self, now: Time) -> Option<usize> {
        (self.deadline() <= now && self.oldest != NONE).then_some(self.oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_ms(ms)
    }

    #[test]
    fn the_least_recently_active_expires_first() {
        let mut idle = IdleOrder::new(100);
        for slot in 0..3 {
            idle.touch(slot);
            idle.stamp(ms(slot as u64));
        }
        assert_eq!(idle.deadline(), ms(100));
        idle.touch(0);
        assert_eq!(idle.deadline(), ms(101), "active again: slot 1 is the oldest now");
        idle.stamp(ms(50));
        assert_eq!(idle.expired(ms(100)), None);
        assert_eq!(idle.expired(ms(101)), Some(1));
        idle.forget(1);
        assert_eq!(idle.expired(ms(102)), Some(2));
        idle.forget(2);
        assert_eq!(idle.deadline(), ms(150));
        idle.forget(0);
        assert_eq!(idle.deadline(), Time::NEVER);
    }

    #[test]
    fn a_slot_used_again_before_the_stamp_is_listed_once() {
        let mut idle = IdleOrder::new(100);
        idle.touch(0);
        idle.forget(0);
        idle.touch(0);
        idle.stamp(ms(5));
        idle.forget(0);
        assert_eq!(idle.deadline(), Time::NEVER);
    }

    #[test]
    fn a_negative_limit_disables() {
        let mut idle = IdleOrder::new(-1);
        idle.touch(0);
        idle.stamp(ms(5));
        assert_eq!((idle.deadline(), idle.expired(Time::NEVER)), (Time::NEVER, None));
    }
}
