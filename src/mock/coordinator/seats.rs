//! Owns which broker coordinates which id: as in Kafka the leader of a partition of
//! `__transaction_state` or `__consumer_offsets`, found by the id's hash. Never knows what is
//! coordinated.

use crate::error::{self, Error, ErrorCode};
use crate::time::Time;

use super::super::answer::Call;
use super::super::cluster::Cluster;
use super::super::topic::Partition;

/// `transaction.state.log.num.partitions` and `offsets.topic.num.partitions`.
const SEATS: usize = 50;

/// The topic whose partitions' leaders coordinate groups.
pub(in crate::mock) const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// What a coordinator is asked about (`key_type` of FindCoordinator).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CoordinatorKind {
    /// A consumer group, by its id.
    Group,
    /// A transactional id.
    Transaction,
}

/// A partition of a coordinators' topic.
#[derive(Debug)]
struct Seat {
    partition: Partition,
    /// The leader epoch whose leader has read the partition, and when it has.
    loaded: (i32, Time),
}

/// Who coordinates what.
#[derive(Debug)]
pub(in crate::mock) struct Seats {
    groups: Vec<Seat>,
    transactions: Vec<Seat>,
    load_ms: u64,
}

impl Seats {
    /// Seats on as many brokers as `new_partition` gives replicas.
    pub(in crate::mock) fn new(new_partition: impl Fn(usize) -> Partition) -> Seats {
        let seat = |index| {
            let partition = new_partition(index);
            let loaded = (partition.leader_epoch, Time::ZERO);
            Seat { partition, loaded }
        };
        let seats = || (0..SEATS).map(seat).collect();
        Seats { groups: seats(), transactions: seats(), load_ms: 0 }
    }

    /// Every partition, for what befalls brokers.
    pub(in crate::mock) fn partitions_mut(&mut self) -> impl Iterator<Item = &mut Partition> {
        let seats = self.groups.iter_mut().chain(&mut self.transactions);
        seats.map(|seat| &mut seat.partition)
    }

    /// The partition of `__consumer_offsets` with this number.
    pub(in crate::mock) fn offsets_partition(&mut self, index: i32) -> Option<&mut Partition> {
        let seat = self.groups.get_mut(usize::try_from(index).ok()?)?;
        Some(&mut seat.partition)
    }

    /// The broker that coordinates an id now, and the coordinator's epoch.
    pub(in crate::mock) fn coordinator(
        &self,
        kind: CoordinatorKind,
        key: &str,
    ) -> Option<(i32, i32)> {
        let partition = &self.of(kind)[seat_of(key)].partition;
        Some((partition.leader?, partition.leader_epoch))
    }

    fn of(&self, kind: CoordinatorKind) -> &Vec<Seat> {
        match kind {
            CoordinatorKind::Group => &self.groups,
            CoordinatorKind::Transaction => &self.transactions,
        }
    }

    fn seat_mut(&mut self, kind: CoordinatorKind, key: &str) -> &mut Seat {
        let seats = match kind {
            CoordinatorKind::Group => &mut self.groups,
            CoordinatorKind::Transaction => &mut self.transactions,
        };
        &mut seats[seat_of(key)]
    }

    /// Whether the coordinator of an id has read what there is to know of it. Reading begins when
    /// it is first asked.
    pub(in crate::mock) fn check_loaded(
        &mut self,
        kind: CoordinatorKind,
        key: &str,
        now: Time,
    ) -> Result<(), ErrorCode> {
        let load_ms = self.load_ms;
        let seat = self.seat_mut(kind, key);
        let epoch = seat.partition.leader_epoch;
        if seat.partition.leader.is_none() {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        if seat.loaded.0 != epoch {
            seat.loaded = (epoch, now.plus_ms(load_ms));
        }
        if now < seat.loaded.1 {
            return Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        }
        Ok(())
    }
}

/// The number of the partition that an id belongs to. FNV-1a: any hash will do that stays.
pub(in crate::mock) fn seat_of(key: &str) -> usize {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash % SEATS as u64) as usize
}

impl Cluster {
    /// Whether this broker may answer for an id.
    pub(in crate::mock) fn check_coordinator(
        &mut self,
        call: &Call,
        kind: CoordinatorKind,
        key: &str,
    ) -> Result<(), ErrorCode> {
        match self.seats.coordinator(kind, key) {
            Some((leader, _)) if leader == call.broker => {
                self.seats.check_loaded(kind, key, call.now)
            }
            _ => Err(ErrorCode::NOT_COORDINATOR),
        }
    }

    /// The broker that coordinates a group or a transactional id; `None` while there is none.
    pub fn coordinator(&self, kind: CoordinatorKind, key: &str) -> Option<i32> {
        self.seats.coordinator(kind, key).map(|found| found.0)
    }

    /// Gives a group or a transactional id (and every other that shares its partition of the
    /// coordinators' topic) to another broker, or to none until the next call.
    pub fn set_coordinator(
        &mut self,
        kind: CoordinatorKind,
        key: &str,
        broker: Option<i32>,
    ) -> error::Result<()> {
        if let Some(id) = broker.filter(|id| !self.is_up(*id)) {
            return Err(Error::new(ErrorCode::ARGUMENT, format!("broker {id} is not up")));
        }
        self.seats.seat_mut(kind, key).partition.give_to(broker);
        Ok(())
    }

    /// How long a new coordinator reads its partition and answers COORDINATOR_LOAD_IN_PROGRESS,
    /// from the first question on; 0 unless told.
    pub fn set_coordinator_load_ms(&mut self, ms: u64) {
        self.seats.load_ms = ms;
    }
}
