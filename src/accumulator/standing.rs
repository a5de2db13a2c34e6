//! The rule that says what a partition waits for (Java's `ready()`), as a pure function of what is
//! known about it. The schedule applies it to partitions that change; the simulator applies it to all and
//! demands the same answer.

use std::time::Duration;

use crate::accumulator::partition::Head;
use crate::metadata::NodeId;
use crate::time::Time;

/// What a partition waits for. It is in exactly one of these.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// Nothing queued.
    #[default]
    Empty,
    /// The open batch waits for company until this time.
    Lingering(Time),
    /// The first batch is being compressed, or is about to be: then it is to be sealed and submitted.
    Encoding,
    /// The first batch can go to this node.
    Due(NodeId),
    /// The first batch waits after an error until this time.
    BackingOff(Time),
    /// An earlier batch must be answered first (`max.in.flight.requests.per.connection=1`).
    Muted,
    /// Nobody leads the partition, as far as is known.
    WithoutLeader,
    /// The first batch has no place in the producer's sequence yet: an answer, or a producer id, must come.
    Gated,
}

/// What the rule goes by.
#[derive(Copy, Clone, Debug)]
pub struct Facts {
    /// First batch of the queue.
    pub head: Option<Head>,
    /// Leader of the partition.
    pub leader: Option<NodeId>,
    /// An earlier batch must be answered first.
    pub muted: bool,
    /// `linger.ms`.
    pub linger: Duration,
    /// Everything goes now: the producer closes.
    pub hurry: bool,
    /// Batches opened in this flush epoch or before do not linger.
    pub flushed_epoch: Option<u64>,
    /// Batches are compressed, so the first one may not be ready.
    pub encoded_elsewhere: bool,
    /// The producer's sequence does not let the first batch go yet.
    pub gated: bool,
}

/// The rule.
pub fn standing(facts: &Facts, now: Time) -> Standing {
    let Some(head) = facts.head else { return Standing::Empty };
    if facts.muted {
        return Standing::Muted;
    }
    let Some(leader) = facts.leader else { return Standing::WithoutLeader };
    if head.retry_at > now {
        return Standing::BackingOff(head.retry_at);
    }
    let lingers_until = head.created + facts.linger;
    let hurry = facts.hurry || facts.flushed_epoch.is_some_and(|epoch| head.epoch <= epoch);
    if !head.sealed && !hurry && lingers_until > now {
        return Standing::Lingering(lingers_until);
    }
    if head.stale || !head.encoded && facts.encoded_elsewhere {
        return Standing::Encoding;
    }
    if facts.gated {
        return Standing::Gated;
    }
    Standing::Due(leader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            head: Some(Head {
                sealed: false,
                encoded: false,
                stale: false,
                created: Time::from_ms(100),
                retry_at: Time::ZERO,
                epoch: 3,
                ordinal: 0,
                numbered: false,
            }),
            leader: Some(NodeId(1)),
            muted: false,
            linger: Duration::from_millis(5),
            hurry: false,
            flushed_epoch: None,
            encoded_elsewhere: false,
            gated: false,
        }
    }

    #[test]
    fn a_batch_lingers_until_exactly_its_time() {
        let just_before = Time::from_nanos(Time::from_ms(105).as_nanos() - 1);
        assert_eq!(standing(&facts(), just_before), Standing::Lingering(Time::from_ms(105)));
        assert_eq!(standing(&facts(), Time::from_ms(105)), Standing::Due(NodeId(1)));
    }

    #[test]
    fn the_table_of_reasons_in_order() {
        let now = Time::from_ms(101);
        let with = |change: fn(&mut Facts)| {
            let mut changed = facts();
            change(&mut changed);
            standing(&changed, now)
        };
        let sealed = |f: &mut Facts| f.head = f.head.map(|h| Head { sealed: true, ..h });
        assert_eq!(with(|f| f.head = None), Standing::Empty);
        assert_eq!(with(|f| f.muted = true), Standing::Muted);
        assert_eq!(with(|f| f.leader = None), Standing::WithoutLeader);
        assert_eq!(with(sealed), Standing::Due(NodeId(1)));
        assert_eq!(with(|f| f.hurry = true), Standing::Due(NodeId(1)));
        assert_eq!(with(|f| f.flushed_epoch = Some(3)), Standing::Due(NodeId(1)));
        assert_eq!(with(|f| f.flushed_epoch = Some(2)), Standing::Lingering(Time::from_ms(105)));
        let retried = |f: &mut Facts| {
            f.head = f.head.map(|h| Head { sealed: true, retry_at: Time::from_ms(102), ..h });
        };
        assert_eq!(with(retried), Standing::BackingOff(Time::from_ms(102)));
        let compressed = |f: &mut Facts| {
            f.head = f.head.map(|h| Head { sealed: true, ..h });
            f.encoded_elsewhere = true;
        };
        assert_eq!(with(compressed), Standing::Encoding);
        assert!(matches!(with(|f| f.encoded_elsewhere = true), Standing::Lingering(_)));
        let lingered = |f: &mut Facts| {
            f.encoded_elsewhere = true;
            f.hurry = true;
        };
        assert_eq!(with(lingered), Standing::Encoding, "sealed by whoever submits it");
        let encoded = |f: &mut Facts| {
            f.head = f.head.map(|h| Head { sealed: true, encoded: true, ..h });
            f.encoded_elsewhere = true;
        };
        assert_eq!(with(encoded), Standing::Due(NodeId(1)));
        let gated = |f: &mut Facts| (f.gated, f.hurry) = (true, true);
        assert_eq!(with(gated), Standing::Gated);
        assert_eq!(with(|f| f.gated = true), Standing::Lingering(Time::from_ms(105)));
    }
}
