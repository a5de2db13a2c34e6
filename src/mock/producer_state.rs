//! Owns what a partition remembers of each producer: its epoch, its last batches and its open
//! transaction (Kafka's `ProducerStateManager`), and which transactions were aborted. Judges
//! whether a batch may follow; never appends.

use std::collections::{BTreeMap, VecDeque};

use crate::error::{self, ErrorCode};
use crate::protocol::ApiKey;
use crate::record::{BatchHeader, NO_PRODUCER_EPOCH};
use crate::time::Time;

use super::cluster::Cluster;
use super::coordinator::{Identity, Start};
use super::marker::Marker;
use super::versions::Versions;

/// How many batches of a producer are remembered, so that a repeated one is known as such. It is
/// the reason why five requests may be in flight (KAFKA-5494).
const BATCHES_KEPT: usize = 5;

/// `producer.id.expiration.ms` (KIP-854).
pub(super) const DEFAULT_EXPIRATION_MS: u64 = 24 * 60 * 60 * 1000;

/// What changed over the years in the treatment of producers, and what is set.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct ProducerRules {
    /// What a first sequence other than 0 gets when the partition does not know the producer:
    /// UNKNOWN_PRODUCER_ID, or since 2.5 success (KIP-360).
    unknown: Option<ErrorCode>,
    /// What it gets when the epoch is known but no batch, as after a marker of a new epoch.
    without_batch: ErrorCode,
    /// Whether a producer is forgotten with its last record: until 2.3 (KAFKA-7190).
    pub(super) forgotten_with_records: bool,
    expiration_ms: u64,
}

impl ProducerRules {
    /// The rules of brokers that speak these versions.
    pub(super) fn of(versions: &Versions, expiration_ms: u64) -> ProducerRules {
        let unknown = ErrorCode::UNKNOWN_PRODUCER_ID;
        let modern = ProducerRules {
            unknown: None,
            without_batch: ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            forgotten_with_records: false,
            expiration_ms,
        };
        match versions.newest(ApiKey::InitProducerId) {
            // Kafka up to 2.3 speaks InitProducerId up to v1, 2.4 up to v2.
            Some(newest @ ..=2) => ProducerRules {
                unknown: Some(unknown),
                without_batch: unknown,
                forgotten_with_records: newest < 2,
                ..modern
            },
            _ => modern,
        }
    }
}

/// A batch as it is remembered.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct KnownBatch {
    first_sequence: i32,
    last_sequence: i32,
    pub(super) base_offset: i64,
    last_offset: i64,
    pub(super) max_timestamp_ms: i64,
}

/// A transaction that was aborted in this partition.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Aborted {
    pub(super) producer_id: i64,
    pub(super) first_offset: i64,
    /// The marker's.
    pub(super) last_offset: i64,
}

/// What a partition remembers of one producer.
#[derive(Clone, Debug)]
struct Producer {
    epoch: i16,
    /// The newest last.
    batches: VecDeque<KnownBatch>,
    /// Where its open transaction begins.
    open_from: Option<i64>,
    /// Of the coordinator that wrote the last marker.
    coordinator_epoch: i32,
    /// When it last wrote.
    seen_at: Time,
}

impl Producer {
    fn new() -> Producer {
        Producer {
            epoch: NO_PRODUCER_EPOCH,
            batches: VecDeque::new(),
            open_from: None,
            coordinator_epoch: -1,
            seen_at: Time::ZERO,
        }
    }

    fn last_sequence(&self) -> Option<i32> {
        self.batches.back().map(|batch| batch.last_sequence)
    }

    fn move_to_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.batches.clear();
        }
    }

    fn known(&self, header: &BatchHeader) -> Option<KnownBatch> {
        let range = (header.base_sequence, last_sequence(header));
        let same = |batch: &&KnownBatch| (batch.first_sequence, batch.last_sequence) == range;
        let found = self.batches.iter().find(same).copied();
        found.filter(|_| header.producer_epoch == self.epoch)
    }

    /// Whether the batch's first sequence follows. (The epoch is not an older one.)
    fn check_sequence(&self, header: &BatchHeader, rules: &ProducerRules) -> Result<(), ErrorCode> {
        let first = header.base_sequence;
        let is_new_epoch = header.producer_epoch != self.epoch;
        match self.last_sequence().filter(|_| !is_new_epoch) {
            Some(last) if first == sequence_plus(last, 1) => Ok(()),
            None if first == 0 => Ok(()),
            None if !is_new_epoch => Err(rules.without_batch),
            _ => Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER),
        }
    }
}

/// The producers of one partition.
#[derive(Debug, Default)]
pub(super) struct ProducerStates {
    producers: BTreeMap<i64, Producer>,
    /// Epoch and lowest sequence of what producers have tried to begin a transaction with, until a
    /// batch of theirs is appended: a later batch must not overtake one whose verification failed.
    attempts: BTreeMap<i64, (i16, i32)>,
    /// By the offsets of their markers.
    aborted: VecDeque<Aborted>,
}

impl ProducerStates {
    /// Whether a batch may be appended now (`None`), or which known batch it repeats.
    pub(super) fn judge(
        &mut self,
        header: &BatchHeader,
        start: Start,
        rules: &ProducerRules,
        now: Time,
    ) -> Result<Option<KnownBatch>, ErrorCode> {
        if !header.has_producer_id() {
            return Ok(None);
        }
        self.expire(header.producer_id, rules, now);
        let producer = self.producers.get(&header.producer_id);
        if let Some(known) = producer.and_then(|producer| producer.known(header)) {
            return Ok(Some(known));
        }
        if producer.is_some_and(|producer| header.producer_epoch < producer.epoch) {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        let first = header.base_sequence;
        let must_be_0 =
            start == Start::AtZero && producer.is_none_or(|producer| producer.batches.is_empty());
        let attempt = self.attempts.get(&header.producer_id);
        let lowest = if must_be_0 { Some(0) } else { attempt.map(|attempt| attempt.1) };
        if lowest.is_some_and(|lowest| first > lowest) {
            return Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        }
        match (producer, rules.unknown) {
            (Some(producer), _) => producer.check_sequence(header, rules)?,
            (None, Some(code)) if first != 0 => return Err(code),
            (None, _) => {}
        }
        let is_open = producer.is_some_and(|producer| producer.open_from.is_some());
        if is_open && !header.is_transactional() {
            return Err(ErrorCode::INVALID_TXN_STATE);
        }
        Ok(None)
    }

    /// Remembers a batch that was appended at `base_offset`.
    pub(super) fn note(&mut self, header: &BatchHeader, base_offset: i64, now: Time) {
        if !header.has_producer_id() {
            return;
        }
        let producer = self.of(header.producer_id);
        producer.move_to_epoch(header.producer_epoch);
        producer.seen_at = now;
        if producer.batches.len() == BATCHES_KEPT {
            producer.batches.pop_front();
        }
        producer.batches.push_back(KnownBatch {
            first_sequence: header.base_sequence,
            last_sequence: last_sequence(header),
            base_offset,
            last_offset: base_offset + i64::from(header.last_offset_delta),
            max_timestamp_ms: header.max_timestamp_ms,
        });
        if header.is_transactional() {
            producer.open_from.get_or_insert(base_offset);
            self.attempts.remove(&header.producer_id);
        }
    }

    fn of(&mut self, producer_id: i64) -> &mut Producer {
        self.producers.entry(producer_id).or_insert_with(Producer::new)
    }

    /// Forgets a producer that has written nothing for `producer.id.expiration.ms` (KIP-854).
    fn expire(&mut self, producer_id: i64, rules: &ProducerRules, now: Time) {
        let expired = |producer: &Producer| {
            producer.open_from.is_none() && producer.seen_at.plus_ms(rules.expiration_ms) <= now
        };
        if self.producers.get(&producer_id).is_some_and(expired) {
            self.producers.remove(&producer_id);
        }
    }

    /// Forgets whoever has no record left in a log that now begins at `start_offset`.
    pub(super) fn forget_before(&mut self, start_offset: i64) {
        self.producers.retain(|_, producer| {
            producer.batches.back().is_some_and(|batch| batch.last_offset >= start_offset)
        });
    }
}

/// Transactions, as one partition sees them.
impl ProducerStates {
    /// Whether this producer, in this epoch, has an open transaction here.
    pub(super) fn is_ongoing(&self, held: Identity) -> bool {
        self.producers
            .get(&held.id)
            .is_some_and(|found| found.open_from.is_some() && found.epoch == held.epoch)
    }

    /// A producer tries to begin a transaction with this sequence.
    pub(super) fn note_attempt(&mut self, held: Identity, sequence: i32) {
        let attempt = self.attempts.entry(held.id).or_insert((held.epoch, sequence));
        if held.epoch > attempt.0 || held.epoch == attempt.0 && sequence < attempt.1 {
            *attempt = (held.epoch, sequence);
        }
    }

    /// Opens a transaction, if there is none, for something that has no sequence (an offset).
    pub(super) fn join(&mut self, held: Identity, offset: i64, now: Time) -> Result<(), ErrorCode> {
        let producer = self.of(held.id);
        if held.epoch < producer.epoch {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        producer.move_to_epoch(held.epoch);
        producer.seen_at = now;
        producer.open_from.get_or_insert(offset);
        Ok(())
    }

    /// Whether the marker is not from the past.
    pub(super) fn check_marker(&self, marker: &Marker) -> Result<(), ErrorCode> {
        match self.producers.get(&marker.producer_id) {
            Some(found) if marker.producer_epoch < found.epoch => {
                Err(ErrorCode::INVALID_PRODUCER_EPOCH)
            }
            Some(found) if marker.coordinator_epoch < found.coordinator_epoch => {
                Err(ErrorCode::TRANSACTION_COORDINATOR_FENCED)
            }
            _ => Ok(()),
        }
    }

    /// A marker was appended.
    pub(super) fn end_transaction(&mut self, marker: &Marker, offset: i64, now: Time) {
        let producer = self.of(marker.producer_id);
        producer.move_to_epoch(marker.producer_epoch);
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.seen_at = now;
        let open_from = producer.open_from.take();
        if let Some(first_offset) = open_from.filter(|_| !marker.commit) {
            let (producer_id, last_offset) = (marker.producer_id, offset);
            self.aborted.push_back(Aborted { producer_id, first_offset, last_offset });
        }
        self.attempts.remove(&marker.producer_id);
    }

    /// Where the first transaction begins that is still open.
    pub(super) fn first_open(&self) -> Option<i64> {
        self.producers.values().filter_map(|producer| producer.open_from).min()
    }

    /// The aborted transactions that have records from `from` on and before `to`.
    pub(super) fn aborted_between(&self, from: i64, to: i64) -> impl Iterator<Item = &Aborted> {
        let first = self.aborted.partition_point(|aborted| aborted.last_offset < from);
        self.aborted.range(first..).filter(move |aborted| aborted.first_offset < to)
    }

    /// Forgets aborted transactions that a log which now begins at `start_offset` has nothing of.
    pub(super) fn forget_aborted_before(&mut self, start_offset: i64) {
        while self.aborted.front().is_some_and(|aborted| aborted.last_offset < start_offset) {
            self.aborted.pop_front();
        }
    }
}

/// The sequence `count` after `sequence`: behind the last one comes 0.
fn sequence_plus(sequence: i32, count: i32) -> i32 {
    sequence.wrapping_add(count) & i32::MAX
}

fn last_sequence(header: &BatchHeader) -> i32 {
    sequence_plus(header.base_sequence, header.last_offset_delta)
}

impl Cluster {
    pub(super) fn producer_rules(&self) -> ProducerRules {
        ProducerRules::of(&self.versions, self.producer_id_expiration_ms)
    }

    /// `producer.id.expiration.ms`: after how much time without a batch a partition forgets a
    /// producer (KIP-854); a day unless told.
    pub fn set_producer_id_expiration_ms(&mut self, ms: u64) {
        self.producer_id_expiration_ms = ms;
    }

    /// Makes a partition forget at once all producers without an open transaction, as if they had
    /// expired.
    pub fn forget_producers(&mut self, name: &str, partition: i32) -> error::Result<()> {
        let states = &mut self.partition_mut(name, partition)?.producers;
        states.producers.retain(|_, producer| producer.open_from.is_some());
        Ok(())
    }

    /// How many producers a partition knows.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn known_producers(&self, name: &str, partition: i32) -> usize {
        self.partition(name, partition).map_or(0, |found| found.producers.producers.len())
    }

    /// Makes a partition believe that a producer has last written a batch of one record with this
    /// epoch and sequence, where its log ends now: a start near the end of either. (That record
    /// itself is not in the log.)
    pub fn set_producer_state(
        &mut self,
        name: &str,
        partition: i32,
        producer_id: i64,
        (epoch, last_sequence): (i16, i32),
    ) -> error::Result<()> {
        let partition = self.partition_mut(name, partition)?;
        let header = BatchHeader {
            producer_id,
            producer_epoch: epoch,
            base_sequence: last_sequence,
            ..BatchHeader::default()
        };
        partition.producers.of(producer_id).batches.clear();
        partition.producers.note(&header, partition.log.end_offset(), Time::NEVER);
        Ok(())
    }

    /// What a partition remembers of a producer: its epoch, and the sequence of its last record in
    /// that epoch if there is one.
    pub fn producer_state(
        &self,
        name: &str,
        partition: i32,
        producer_id: i64,
    ) -> error::Result<Option<(i16, Option<i32>)>> {
        let producer = self.partition(name, partition)?.producers.producers.get(&producer_id);
        Ok(producer.map(|producer| (producer.epoch, producer.last_sequence())))
    }
}

#[cfg(test)]
#[path = "producer_state_tests.rs"]
mod tests;
