//! Owns what a partition remembers of each producer: its epoch and its last batches (Kafka's
//! `ProducerStateManager`). Judges whether a batch may follow them; never appends.

use std::collections::{BTreeMap, VecDeque};

use crate::error::{self, ErrorCode};
use crate::protocol::ApiKey;
use crate::record::{BatchHeader, NO_PRODUCER_EPOCH};
use crate::time::Time;

use super::cluster::Cluster;
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

/// What a partition remembers of one producer.
#[derive(Clone, Debug)]
struct Producer {
    epoch: i16,
    /// The newest last.
    batches: VecDeque<KnownBatch>,
    /// When it last wrote.
    seen_at: Time,
}

impl Producer {
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

    fn judge(&self, header: &BatchHeader, rules: &ProducerRules) -> Result<(), ErrorCode> {
        let first = header.base_sequence;
        if header.producer_epoch < self.epoch {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if header.producer_epoch > self.epoch {
            return if first == 0 { Ok(()) } else { Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER) };
        }
        match self.last_sequence() {
            Some(last) if first == sequence_plus(last, 1) => Ok(()),
            Some(_) => Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER),
            None if first == 0 => Ok(()),
            None => Err(rules.without_batch),
        }
    }
}

/// The producers of one partition.
#[derive(Debug, Default)]
pub(super) struct ProducerStates {
    producers: BTreeMap<i64, Producer>,
}

impl ProducerStates {
    /// Whether a batch may be appended now (`None`), or which known batch it repeats.
    pub(super) fn judge(
        &mut self,
        header: &BatchHeader,
        rules: &ProducerRules,
        now: Time,
    ) -> Result<Option<KnownBatch>, ErrorCode> {
        if !header.has_producer_id() {
            return Ok(None);
        }
        self.expire(header.producer_id, rules, now);
        match (self.producers.get(&header.producer_id), rules.unknown) {
            (Some(producer), _) => match producer.known(header) {
                Some(known) => Ok(Some(known)),
                None => producer.judge(header, rules).map(|()| None),
            },
            (None, Some(code)) if header.base_sequence != 0 => Err(code),
            (None, _) => Ok(None),
        }
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
    }

    fn of(&mut self, producer_id: i64) -> &mut Producer {
        self.producers.entry(producer_id).or_insert(Producer {
            epoch: NO_PRODUCER_EPOCH,
            batches: VecDeque::new(),
            seen_at: Time::ZERO,
        })
    }

    /// Forgets a producer that has written nothing for `producer.id.expiration.ms` (KIP-854).
    fn expire(&mut self, producer_id: i64, rules: &ProducerRules, now: Time) {
        let expired = |producer: &Producer| producer.seen_at.plus_ms(rules.expiration_ms) <= now;
        if self.producers.get(&producer_id).is_some_and(expired) {
            self.producers.remove(&producer_id);
        }
    }

    /// Forgets whoever has no record left in a log that now begins at `start_offset`.
    pub(super) fn forget_before(&mut self, start_offset: i64) {
        self.producers.retain(|_, producer| {
            producer.batches.back().is_none_or(|batch| batch.last_offset >= start_offset)
        });
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

    /// Makes a partition forget all producers at once, as if they had expired.
    pub fn forget_producers(&mut self, name: &str, partition: i32) -> error::Result<()> {
        self.partition_mut(name, partition)?.producers = ProducerStates::default();
        Ok(())
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
