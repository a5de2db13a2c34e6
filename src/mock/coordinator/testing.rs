//! What the tests of this folder share: a cluster and one transactional client of either generation.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, EndTxnRequest, EndTxnResponse, GroupId, InitProducerIdRequest,
    InitProducerIdResponse, ProducerId, TopicName, TransactionalId,
};

use super::transaction::Identity;
use super::{CoordinatorKind, TransactionState};
use crate::error::ErrorCode;
use crate::mock::testing::{transactional, Tester};
use crate::mock::Isolation;
use crate::protocol::produce::PartitionResponse;
use crate::protocol::{ApiKey, StrBytes};

pub(super) const ID: &str = "order-shipper";

/// The versions that a client of one generation uses.
#[derive(Copy, Clone, Debug)]
pub(super) struct Client {
    pub(super) produce: i16,
    pub(super) init: i16,
    pub(super) add: i16,
    pub(super) end: i16,
    pub(super) transaction_version: i16,
}

pub(super) const V1: Client =
    Client { produce: 11, init: 5, add: 3, end: 4, transaction_version: 1 };
pub(super) const V2: Client =
    Client { produce: 12, init: 5, add: 3, end: 5, transaction_version: 2 };
/// As Kafka 2.8 knows it: nobody verifies.
pub(super) const OLD: Client =
    Client { produce: 9, init: 4, add: 3, end: 3, transaction_version: 1 };

/// A cluster and one transactional client.
pub(super) struct Bench {
    pub(super) tester: Tester,
    pub(super) client: Client,
    pub(super) held: Identity,
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

impl Bench {
    pub(super) fn new(client: Client) -> Bench {
        let mut tester = Tester::with_topic();
        tester.cluster.set_transaction_version(Some(client.transaction_version));
        if client.produce == OLD.produce {
            tester.cluster.set_kafka_version("2.8").unwrap();
        }
        Bench { tester, client, held: Identity::NONE }
    }

    /// One whose id is initialized.
    pub(super) fn ready(client: Client) -> Bench {
        let mut bench = Bench::new(client);
        bench.held = bench.init(None).unwrap();
        bench
    }

    /// One with a transaction that has two records in partition 0.
    pub(super) fn ongoing(client: Client) -> Bench {
        let mut bench = Bench::ready(client);
        bench.add(&[0]);
        assert_eq!(bench.write(0, 0, 2).error_code, 0);
        bench
    }

    pub(super) fn coordinator(&self) -> i32 {
        self.tester.cluster.coordinator(CoordinatorKind::Transaction, ID).unwrap()
    }

    pub(super) fn advance_ms(&mut self, ms: u64) {
        self.tester.now = self.tester.now.plus_ms(ms);
        self.tester.cluster.advance(self.tester.now);
    }

    pub(super) fn init(&mut self, held: Option<Identity>) -> Result<Identity, ErrorCode> {
        self.init_at(self.client.init, held, 60_000)
    }

    pub(super) fn init_at(
        &mut self,
        version: i16,
        held: Option<Identity>,
        timeout_ms: i32,
    ) -> Result<Identity, ErrorCode> {
        let held = held.unwrap_or(Identity::NONE);
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text(ID))))
            .with_transaction_timeout_ms(timeout_ms);
        let request = match version {
            3.. => request.with_producer_id(ProducerId(held.id)).with_producer_epoch(held.epoch),
            _ => request,
        };
        let broker = self.coordinator();
        let answer: InitProducerIdResponse =
            self.tester.call(broker, ApiKey::InitProducerId, version, &request);
        let given = Identity { id: answer.producer_id.0, epoch: answer.producer_epoch };
        match ErrorCode::from_broker(answer.error_code) {
            ErrorCode::NONE => Ok(given),
            code => {
                assert_eq!(given, Identity::NONE);
                Err(code)
            }
        }
    }

    /// Adds partitions, where the generation does that by request.
    pub(super) fn add(&mut self, partitions: &[i32]) {
        if self.client.transaction_version < 2 {
            let codes = self.add_at(self.client.add, self.held, "t", partitions);
            assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
        }
    }

    pub(super) fn add_at(
        &mut self,
        version: i16,
        held: Identity,
        topic: &str,
        partitions: &[i32],
    ) -> Vec<i16> {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(partitions.to_vec());
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(ID)))
            .with_v3_and_below_producer_id(ProducerId(held.id))
            .with_v3_and_below_producer_epoch(held.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let broker = self.coordinator();
        let answer: AddPartitionsToTxnResponse =
            self.tester.call(broker, ApiKey::AddPartitionsToTxn, version, &request);
        let rows = &answer.results_by_topic_v3_and_below[0].results_by_partition;
        rows.iter().map(|row| row.partition_error_code).collect()
    }

    pub(super) fn add_offsets(&mut self, version: i16, held: Identity) -> i16 {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text(ID)))
            .with_producer_id(ProducerId(held.id))
            .with_producer_epoch(held.epoch)
            .with_group_id(GroupId(text("g")));
        let broker = self.coordinator();
        let answer: AddOffsetsToTxnResponse =
            self.tester.call(broker, ApiKey::AddOffsetsToTxn, version, &request);
        answer.error_code
    }

    pub(super) fn write(&mut self, partition: i32, first: i32, count: usize) -> PartitionResponse {
        self.write_at(self.client.produce, self.held, partition, first, count)
    }

    pub(super) fn write_at(
        &mut self,
        version: i16,
        held: Identity,
        partition: i32,
        first: i32,
        count: usize,
    ) -> PartitionResponse {
        let records = transactional(held.id, held.epoch, first, count);
        self.tester.produce_in(Some(ID), version, partition, &records)
    }

    pub(super) fn end(&mut self, commit: bool) -> Result<Identity, ErrorCode> {
        let ended = self.end_at(self.client.end, self.held, commit)?;
        self.held = ended;
        Ok(ended)
    }

    /// The identity to go on with.
    pub(super) fn end_at(
        &mut self,
        version: i16,
        held: Identity,
        commit: bool,
    ) -> Result<Identity, ErrorCode> {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(ID)))
            .with_producer_id(ProducerId(held.id))
            .with_producer_epoch(held.epoch)
            .with_committed(commit);
        let broker = self.coordinator();
        let answer: EndTxnResponse = self.tester.call(broker, ApiKey::EndTxn, version, &request);
        let next = Identity { id: answer.producer_id.0, epoch: answer.producer_epoch };
        match ErrorCode::from_broker(answer.error_code) {
            ErrorCode::NONE if version >= 5 => Ok(next),
            ErrorCode::NONE => Ok(held),
            code => {
                assert_eq!(next, Identity::NONE);
                Err(code)
            }
        }
    }

    pub(super) fn state(&self) -> TransactionState {
        self.tester.cluster.transaction(ID).unwrap().state
    }

    pub(super) fn committed(&self, partition: i32) -> usize {
        let isolation = Isolation::ReadCommitted;
        self.tester.cluster.records_isolated("t", partition, isolation).unwrap().len()
    }

    /// Bumps the epoch as a client of the first generation does after an error.
    pub(super) fn bumped(held: Identity, by: i16) -> Identity {
        Identity { epoch: held.epoch + by, ..held }
    }
}
