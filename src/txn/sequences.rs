//! Owns where one partition stands in the producer's sequence: the next number, the batches that have
//! numbers and no outcome, and whether the next batch may go. Never holds a batch: it knows them by ordinal.
//!
//! Two laws make "once and in order" hold whatever is lost, late or doubled on the way:
//!
//! 1. A batch that may be in the log keeps its producer id, epoch and numbers for ever. Only a batch of
//!    which every attempt was answered with "not stored" (or never left) gets new ones.
//! 2. A number is never given to other records: where one fell out of the sequence, what follows begins
//!    anew at 0 under the next epoch, and only once nothing of the old epoch is under way.

use std::collections::VecDeque;
use std::time::Duration;

use crate::record::ProducerIdentity;
use crate::time::Time;
use crate::txn::identity::ProducerId;

/// Most batches of a partition with numbers and without outcome. A broker knows a repeated batch as such
/// among the last five of a producer (KAFKA-5494), so no more than that may ever be repeated.
pub const OUTSTANDING_MAX: usize = 5;

/// A producer that is silent in a partition for longer may have been forgotten there
/// (`producer.id.expiration.ms`, KIP-854: a day unless somebody shortened it).
const REMEMBERED: Duration = Duration::from_secs(600);

/// The first batch in a partition's queue, as far as it matters here.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct First {
    /// Its place in the partition's order.
    pub ordinal: u64,
    /// It was sent before, with numbers.
    pub numbered: bool,
}

/// Whether the first batch may go.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Gate {
    /// It may.
    Open,
    /// An answer must come first.
    Closed,
    /// A producer id must come first.
    WithoutId,
}

/// What a batch takes with it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// The identity that it has.
    Kept,
    /// Its first.
    Given(ProducerIdentity),
    /// Another, at the begin of a new epoch: all that is queued behind it loses its own.
    Renewed(ProducerIdentity),
}

/// A batch that has numbers and no outcome.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Outstanding {
    ordinal: u64,
    /// Number of its first record.
    number: i32,
    /// A request that holds it has no answer.
    travels: bool,
    /// It came back once.
    again: bool,
    /// An attempt ended without telling whether it is stored.
    doubtful: bool,
    /// The one before it fell out of the sequence, so it cannot follow.
    cut: bool,
}

/// One partition's place in the sequence. See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Sequences {
    /// Under which id and epoch this partition's batches go.
    holder: Option<ProducerId>,
    next: i32,
    /// In the partition's order.
    outstanding: VecDeque<Outstanding>,
    /// The newest batch with numbers fell out of the sequence: the next cannot follow.
    cut: bool,
    /// A batch of this epoch was acknowledged: the broker knows the producer and refuses what does not
    /// follow. From one that it does not know it takes any number, and so a second batch before the first.
    open: bool,
    acknowledged_at: Time,
    /// The first batch whose acknowledgement says so: older ones may be in a log that is no more.
    opens_at: u64,
    /// What fell out of the sequence under this epoch.
    gap: Option<Gap>,
}

/// What fell out of the sequence.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Gap {
    /// The lowest number.
    from: i32,
    /// Some of it may be stored.
    doubtful: bool,
}

impl Sequences {
    /// Begins at this number, as after many records: for tests and the simulator.
    #[cfg(any(test, feature = "sim"))]
    pub fn start_at(&mut self, next: i32) {
        self.next = next;
    }

    /// Whether `first` may go. `newest` is the id that a partition without one takes.
    pub fn gate(&self, first: &First, newest: Option<ProducerId>) -> Gate {
        let follows = match first.numbered {
            true => self.is_lowest(first.ordinal),
            false => self.takes_another(),
        };
        if !follows {
            return Gate::Closed;
        }
        match self.must_renew(first) {
            true if self.outstanding.iter().any(|batch| batch.travels) => Gate::Closed,
            true if self.successor(newest).is_none() => Gate::WithoutId,
            false if self.holder.or(newest).is_none() => Gate::WithoutId,
            _ => Gate::Open,
        }
    }

    /// The producer goes by this id and epoch from now on, given by a coordinator: a partition without
    /// batches under way begins anew under it.
    pub fn follow(&mut self, given: ProducerId) {
        if self.holder != Some(given) && self.outstanding.is_empty() {
            // 0, but for `start_at`.
            let next = if self.holder.is_none() { self.next } else { 0 };
            *self = Sequences { holder: Some(given), next, ..Sequences::default() };
        }
    }

    /// Whether `first` cannot go under any number of this epoch.
    pub fn is_cut(&self, first: &First) -> bool {
        self.must_renew(first)
    }

    /// Whether nothing older has no outcome yet.
    pub fn is_lowest(&self, ordinal: u64) -> bool {
        self.outstanding.front().is_none_or(|lowest| lowest.ordinal >= ordinal)
    }

    /// Whether a batch without numbers may get some. After an error only the lowest goes, until all have
    /// caught up: what would follow a batch that has to be sent again would be refused anyway.
    fn takes_another(&self) -> bool {
        let on_its_way = |batch: &Outstanding| batch.travels && !batch.again && !batch.cut;
        let most = if self.open { OUTSTANDING_MAX } else { 1 };
        self.outstanding.len() < most && self.outstanding.iter().all(on_its_way)
    }

    /// Whether `first` cannot go under the numbers that it has or would get.
    fn must_renew(&self, first: &First) -> bool {
        if !first.numbered {
            return self.cut;
        }
        let cut = self.outstanding.front().is_some_and(|lowest| lowest.cut);
        // With a doubtful batch in the queue, be it itself, it tries its old numbers again: law 1.
        cut && !self.outstanding.iter().any(|batch| batch.doubtful && !batch.travels)
    }

    /// Under what the partition begins anew.
    fn successor(&self, newest: Option<ProducerId>) -> Option<ProducerId> {
        let Some(holder) = self.holder else { return newest };
        match holder.epoch {
            i16::MAX => newest.filter(|newest| newest.id != holder.id),
            epoch => Some(ProducerId { epoch: epoch + 1, ..holder }),
        }
    }

    /// The id whose epochs this partition has used up.
    pub fn exhausted(&self) -> Option<ProducerId> {
        self.holder.filter(|holder| holder.epoch == i16::MAX)
    }

    /// Lets `first`, of `count` records, go. `None` when the gate was not open.
    pub fn take(
        &mut self,
        first: &First,
        count: u32,
        newest: Option<ProducerId>,
        now: Time,
    ) -> Option<Taken> {
        let renews = self.must_renew(first);
        if first.numbered && !renews {
            let batch = self.find(first.ordinal)?;
            (batch.travels, batch.again) = (true, true);
            return Some(Taken::Kept);
        }
        if renews {
            debug_assert!(!self.outstanding.iter().any(|batch| batch.travels || batch.doubtful));
            self.holder = Some(self.successor(newest)?);
            self.outstanding.clear();
            (self.cut, self.open, self.next, self.gap) = (false, false, 0, None);
        }
        if self.outstanding.is_empty() && now.since(self.acknowledged_at) > REMEMBERED {
            self.open = false;
        }
        let holder = self.holder.or(newest)?;
        self.holder = Some(holder);
        let identity = ProducerIdentity {
            producer_id: holder.id,
            producer_epoch: holder.epoch,
            base_sequence: self.next,
            transactional: false,
        };
        self.next = identity.after(count).base_sequence;
        let fresh = Outstanding {
            ordinal: first.ordinal,
            number: identity.base_sequence,
            travels: true,
            again: false,
            doubtful: false,
            cut: false,
        };
        self.outstanding.push_back(fresh);
        Some(if renews { Taken::Renewed(identity) } else { Taken::Given(identity) })
    }

    /// The batch is stored: what follows it has a place to follow, whatever was missing before.
    pub fn acknowledge(&mut self, ordinal: u64, now: Time) {
        let number = self.find(ordinal).map(|batch| batch.number);
        if let (Some(number), Some(_)) = (number, self.remove(ordinal)) {
            self.open |= ordinal >= self.opens_at;
            self.acknowledged_at = now;
            for older in self.outstanding.iter_mut().take_while(|batch| batch.ordinal < ordinal) {
                older.cut = false;
            }
            self.gap = self.gap.filter(|gap| is_before(number, gap.from));
        }
    }

    /// The topic was deleted and made again: its new log knows no producer. What has numbers keeps them, as
    /// it may be in the old log; nothing new goes before all of that has come to its end and one batch alone
    /// has opened the new log.
    pub fn begin_log(&mut self) {
        self.open = false;
        self.opens_at = self.outstanding.back().map_or(self.opens_at, |newest| newest.ordinal + 1);
    }

    /// The batch goes back into the queue.
    pub fn put_back(&mut self, ordinal: u64, doubtful: bool) {
        if let Some(batch) = self.find(ordinal) {
            batch.travels = false;
            batch.again = true;
            batch.doubtful |= doubtful;
        }
    }

    /// The broker refused this batch, the lowest, for its numbers: it and what follows begin anew.
    pub fn refuse(&mut self, ordinal: u64) {
        if let Some(batch) = self.find(ordinal) {
            batch.cut = true;
        }
    }

    /// The batch came to its end without being known as stored: what follows begins anew. `surely`: it is
    /// known not to be stored.
    pub fn give_up(&mut self, ordinal: u64, surely: bool) {
        let Some(number) = self.find(ordinal).map(|batch| batch.number) else { return };
        let Some(at) = self.remove(ordinal) else { return };
        let gap = self.gap.unwrap_or(Gap { from: number, doubtful: false });
        let from = if is_before(number, gap.from) { number } else { gap.from };
        self.gap = Some(Gap { from, doubtful: gap.doubtful || !surely });
        match self.outstanding.get_mut(at) {
            Some(next) => next.cut = true,
            None => self.cut = true,
        }
    }

    /// The broker has forgotten the producer: what comes next is the first that it sees.
    pub fn forgotten(&mut self) {
        if let Some(batch) = self.outstanding.front_mut() {
            batch.number = 0;
        }
    }

    /// Closes the gap by going back to its first number, where there is no other epoch to go on under and all
    /// batches have come to their end. False when something from there on may be stored (law 2).
    pub fn rewind(&mut self) -> bool {
        match self.gap {
            None => true,
            Some(gap) if gap.doubtful || !self.outstanding.is_empty() => false,
            Some(gap) => {
                (self.next, self.cut, self.gap) = (gap.from, false, None);
                true
            }
        }
    }

    /// The batch was cut into `parts`, each with the ordinal of its first record: they share its numbers.
    pub fn split(&mut self, ordinal: u64, parts: impl DoubleEndedIterator<Item = u64>) {
        let Some(at) = self.place(ordinal) else { return };
        let Some(whole) = self.outstanding.remove(at) else { return };
        for part in parts.rev() {
            let cut = whole.cut && part == ordinal;
            let number = after(whole.number, part - ordinal);
            let part =
                Outstanding { ordinal: part, number, travels: false, again: true, cut, ..whole };
            self.outstanding.insert(at, part);
        }
    }

    fn place(&self, ordinal: u64) -> Option<usize> {
        self.outstanding.iter().position(|batch| batch.ordinal == ordinal)
    }

    fn find(&mut self, ordinal: u64) -> Option<&mut Outstanding> {
        self.outstanding.iter_mut().find(|batch| batch.ordinal == ordinal)
    }

    /// Takes the batch out; gives the place where it was.
    fn remove(&mut self, ordinal: u64) -> Option<usize> {
        let at = self.place(ordinal)?;
        self.outstanding.remove(at)?;
        Some(at)
    }
}

/// The number of the record that comes this many later.
fn after(number: i32, records: u64) -> i32 {
    (number as u32).wrapping_add(records as u32) as i32 & i32::MAX
}

/// Whether a number comes before another one: the shorter way around says so.
fn is_before(one: i32, other: i32) -> bool {
    let ahead = (other as u32).wrapping_sub(one as u32) & i32::MAX as u32;
    ahead < 1 << 30
}

#[cfg(test)]
#[path = "sequences_tests.rs"]
mod tests;
