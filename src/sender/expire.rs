//! The end of patience: fails what `delivery.timeout.ms` has overtaken, queued, parked or in flight.
//! A batch in flight keeps its memory until its request is answered (KAFKA-19012).

use std::cmp::Reverse;

use crate::accumulator::parked::ParkedRecord;
use crate::accumulator::partition::Partition;
use crate::accumulator::topic::{Slot, Topic};
use crate::client::network::Network;
use crate::delivery::promises::Outcome;
use crate::error::ErrorCode;
use crate::sender::Sender;
use crate::time::Time;

const QUEUED: &str = "delivery.timeout.ms passed before the record could be sent";
const IN_FLIGHT: &str = "delivery.timeout.ms passed before the broker answered";

impl<N: Network> Sender<N> {
    /// Fails what is overdue and looks again at each partition when its oldest batch will be.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(&Reverse((at, slot))) = self.expiry.peek() {
            if at > now {
                break;
            }
            self.expiry.pop();
            self.expire_partition(slot, now);
        }
        self.expire_parked(now);
    }

    fn expire_partition(&mut self, slot: Slot, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        let timeout = self.settings.delivery_timeout;
        let Some(partition) = accumulator.topics.partition(slot) else { return };
        let gone = || self.partition_missing(partition);
        let unreachable = || {
            let news = self.parts.accumulator.bulletin.read();
            news.unreachable.as_ref().map(|error| error.message().to_owned())
        };
        let why = self.identity_missing(slot, partition).or_else(gone).or_else(unreachable);
        let text = why.map_or(QUEUED.to_owned(), |why| format!("{QUEUED}: {why}"));
        for batch in partition.take_expired(&accumulator.pool, timeout, now) {
            let maybe_stored = batch.maybe_stored;
            self.parts.metrics.batch.batches_expired.increment();
            self.fail(batch, ErrorCode::EXPIRED, &text, maybe_stored, now);
        }
        if self.slot(slot).in_flight.iter().any(|&created| created + timeout <= now) {
            self.expire_in_flight(slot, now);
        }
        self.evaluate(slot, now);
        let in_flight = self.slot(slot).in_flight.iter().copied();
        let oldest = in_flight.filter(|&created| created + timeout > now).chain(partition.oldest());
        let next = oldest.min();
        self.slot(slot).expiry_armed = next.is_some();
        if let Some(created) = next {
            self.expiry.push(Reverse((created + timeout, slot)));
        }
    }

    /// What a topic that was made again with fewer partitions has no place for waits, as in Java, for
    /// one that has: a partition that metadata leaves out may come back. The text says why.
    fn partition_missing(&self, partition: &Partition) -> Option<String> {
        let topic = self.parts.accumulator.topics.get(partition.topic)?;
        let (id, count) = (partition.id, topic.partition_count());
        let gone = u32::try_from(id).is_ok_and(|id| id >= count);
        gone.then(|| format!("topic {} has {count} partitions now, no partition {id}", topic.name))
    }

    fn expire_in_flight(&mut self, slot: Slot, now: Time) {
        let timeout = self.settings.delivery_timeout;
        let mut requests = std::mem::take(&mut self.in_flight);
        let batches = requests.values_mut().flat_map(|request| &mut request.batches);
        for batch in batches.filter(|batch| batch.name.slot == slot) {
            if batch.created + timeout <= now && batch.promises.is_some() {
                self.parts.metrics.batch.batches_expired.increment();
                self.fail_in_flight(batch, ErrorCode::EXPIRED, IN_FLIGHT, now);
            }
        }
        self.in_flight = requests;
    }

    /// When the oldest parked record expires.
    pub(super) fn next_parked_expiry(&self) -> Time {
        let topics = &self.parts.accumulator.topics;
        let oldest = self.parked_topics.iter().filter_map(|&topic| {
            let parked = topics.get(topic)?.gate.lock();
            parked.front().map(|record| record.parked_at + self.settings.delivery_timeout)
        });
        oldest.min().unwrap_or(Time::NEVER)
    }

    fn expire_parked(&mut self, now: Time) {
        let accumulator = self.parts.accumulator.clone();
        let timeout = self.settings.delivery_timeout;
        for topic in self.parked_topics.iter().copied().collect::<Vec<u32>>() {
            let Some(topic) = accumulator.topics.get(topic) else { continue };
            loop {
                let mut parked = topic.gate.lock();
                if parked.front().is_none_or(|record| record.parked_at + timeout > now) {
                    break;
                }
                let record = parked.pop_front();
                drop(parked);
                if let Some(record) = record {
                    let waited = now.since(record.parked_at);
                    let text = accumulator.bulletin.read().no_metadata(topic, waited);
                    self.fail_parked_record(record, ErrorCode::EXPIRED, text);
                }
            }
            if topic.gate.lock().is_empty() {
                self.parked_topics.remove(&topic.id);
            }
        }
    }

    /// Fails every record that has waited for the topic since `parked_until` or longer.
    pub(super) fn fail_parked(
        &mut self,
        topic: &Topic,
        code: ErrorCode,
        text: &str,
        parked_until: Time,
    ) {
        let mut parked = topic.gate.lock();
        let old = parked.iter().take_while(|record| record.parked_at <= parked_until).count();
        let records: Vec<ParkedRecord> = parked.drain(..old).collect();
        if parked.is_empty() {
            self.parked_topics.remove(&topic.id);
        }
        drop(parked);
        for record in records {
            self.fail_parked_record(record, code, format!("{text} (topic {})", topic.name));
        }
    }

    pub(super) fn fail_parked_record(
        &mut self,
        record: ParkedRecord,
        code: ErrorCode,
        text: String,
    ) {
        self.report(record.promise, Outcome::failed(code, text, false));
    }
}
