"""Transactions, synchronous and in asyncio."""

import asyncio
import time
import unittest

from ottla import (
    ConsumerGroupMetadata,
    ErrorCode,
    KafkaError,
    KafkaException,
    MockCluster,
    Producer,
    TopicPartition,
    aio,
)
from tests.cases import shows

PRODUCE, END_TXN = 0, 26


class Transactions(unittest.TestCase):
    def setUp(self):
        self.cluster = MockCluster(3)
        self.addCleanup(self.cluster.close)
        self.cluster.create_topic("t", 1)
        self.cluster.create_topic("in", 2)
        self.reports = []

    def settings(self, **more):
        return {"bootstrap.servers": self.cluster.bootstrap_servers, "transactional.id": "shipper", **more}

    def producer(self, initialized=True, **more):
        producer = Producer(self.settings(**more), on_delivery=self.report)
        self.addCleanup(producer.close, 1)
        if initialized:
            producer.init_transactions(20)
        return producer

    def report(self, error, message):
        self.reports.append((message.value(), error))

    def committed(self):
        return [message.value() for message in self.cluster.records("t", 0, committed=True)]

    def refused(self, function, *arguments):
        with self.assertRaises(KafkaException) as refusal:
            function(*arguments)
        return refusal.exception.error

    @shows("C90", "C91")
    def test_committed_is_seen_and_aborted_is_not(self):
        producer = self.producer()
        producer.begin_transaction()
        for n in range(1000):
            producer.produce("t", b"%d" % n)
        producer.commit_transaction(20)
        self.assertEqual(self.committed(), [b"%d" % n for n in range(1000)])
        self.assertEqual([error for _, error in self.reports], [None] * 1000)
        producer.begin_transaction()
        for n in range(1000):
            producer.produce("t", b"given up")
        producer.abort_transaction(20)
        self.assertEqual(len(self.committed()), 1000)
        self.assertEqual(len(self.reports), 2000)
        self.assertEqual(len(producer), 0)
        self.assertEqual(producer.poll(0), 0)

    @shows("C92")
    def test_offsets_go_with_it(self):
        producer = self.producer()
        positions = [TopicPartition("in", 0, 7), TopicPartition("in", 1, 8, "where", 3), TopicPartition("in", 2)]
        producer.begin_transaction()
        producer.send_offsets_to_transaction(positions, ConsumerGroupMetadata("g"), 20)
        self.assertIsNone(self.cluster.committed_offset("g", "in", 0))
        producer.commit_transaction()
        self.assertEqual([self.cluster.committed_offset("g", "in", p) for p in (0, 1)], [7, 8])
        producer.begin_transaction()
        # As a consumer of confluent_kafka gives it away.
        group = b"CGMDv2:\xff\xff\xff\xffg\0\0\1"
        producer.send_offsets_to_transaction([TopicPartition("in", 0, 1000)], group_metadata=group, timeout=20)
        producer.abort_transaction()
        self.assertEqual(self.cluster.committed_offset("g", "in", 0), 7)
        producer.begin_transaction()
        for wrong in (None, "g", b"g"):
            with self.assertRaises((TypeError, ValueError)):
                producer.send_offsets_to_transaction(positions, wrong)
        with self.assertRaises(TypeError):
            producer.send_offsets_to_transaction("in", group)
        error = self.refused(producer.send_offsets_to_transaction, positions, ConsumerGroupMetadata("g", 5))
        self.assertEqual(error, ErrorCode.ARGUMENT)

    def test_group_metadata_of_a_confluent_consumer_is_read(self):
        read = ConsumerGroupMetadata.from_bytes(b"CGMDv2:\x05\0\0\0my-group\0member-1\0\0inst\0")
        self.assertEqual(repr(read), "ConsumerGroupMetadata('my-group', 5, 'member-1', 'inst')")
        plain = ConsumerGroupMetadata.from_bytes(b"CGMDv2:\xff\xff\xff\xffg\0\0\1")
        self.assertEqual(repr(plain), "ConsumerGroupMetadata('g', -1, '', None)")
        for wrong in (b"", b"CGMDv2:", b"CGMDv2:\0\0\0\0g", b"CGMDv1:\0\0\0\0g\0\0\1", b"CGMDv2:\0\0\0\0g\0m\0\0i"):
            with self.assertRaises(ValueError):
                ConsumerGroupMetadata.from_bytes(wrong)

    @shows("C93")
    def test_the_older_one_is_fenced(self):
        older = self.producer()
        older.begin_transaction()
        older.produce("t", b"older")
        older.flush(20)
        newer = self.producer()
        error = self.refused(older.commit_transaction, 20)
        self.assertEqual(error.code(), KafkaError._FENCED)
        self.assertEqual(error.status, ErrorCode.PRODUCER_FENCED)
        self.assertTrue(error.fatal() and not error.retriable() and not error.txn_requires_abort())
        self.assertTrue(self.refused(older.abort_transaction, 20).fatal())
        for _ in range(10):
            self.assertEqual(self.refused(older.produce, "t", b"later"), ErrorCode.PRODUCER_FENCED)
        with newer.transaction():
            newer.produce("t", b"newer")
        self.assertEqual(self.committed(), [b"newer"])

    @shows("C94")
    def test_a_record_fails(self):
        producer = self.producer()
        producer.begin_transaction()
        self.cluster.push_partition_errors("t", 0, [ErrorCode.INVALID_RECORD])
        producer.produce("t", b"refused")
        error = self.refused(producer.commit_transaction, 20)
        self.assertEqual(error, ErrorCode.INVALID_RECORD)
        self.assertTrue(error.txn_requires_abort() and not error.fatal())
        for _ in range(10):
            self.refused(producer.produce, "t", b"not any more")
        self.assertEqual([(value, str(error.name())) for value, error in self.reports], [(b"refused", "INVALID_RECORD")])
        producer.abort_transaction(20)
        with producer.transaction(20):
            producer.produce("t", b"kept")
        self.assertEqual(self.committed(), [b"kept"])

    @shows("C95")
    def test_the_scope_commits_or_aborts(self):
        producer = self.producer()
        with producer.transaction() as same:
            self.assertIs(same, producer)
            producer.produce("t", b"kept")
        with self.assertRaises(ZeroDivisionError):
            with producer.transaction():
                producer.produce("t", b"given up")
                producer.flush(20)
                raise ZeroDivisionError
        with self.assertRaises(KafkaException) as refusal:
            with producer.transaction():
                self.cluster.push_partition_errors("t", 0, [ErrorCode.INVALID_RECORD])
                producer.produce("t", b"refused")
        self.assertEqual(refusal.exception.error, ErrorCode.INVALID_RECORD)

        # Also a callback that raises.
        def raise_it(error, message):
            raise LookupError

        with self.assertRaises(LookupError):
            with producer.transaction():
                producer.produce("t", b"given up", on_delivery=raise_it)
        with producer.transaction():
            producer.produce("t", b"again")
        self.assertEqual(self.committed(), [b"kept", b"again"])

    @shows("C96")
    def test_calls_that_do_not_fit(self):
        plain = Producer(bootstrap_servers=self.cluster.bootstrap_servers)
        self.addCleanup(plain.close, 1)
        group = ConsumerGroupMetadata("g")
        for function, *arguments in (
            (plain.init_transactions,),
            (plain.begin_transaction,),
            (plain.commit_transaction,),
            (plain.abort_transaction, 1),
            (plain.send_offsets_to_transaction, [], group),
        ):
            self.assertEqual(self.refused(function, *arguments).code(), KafkaError._NOT_CONFIGURED)
        producer = self.producer(initialized=False)
        self.assertEqual(self.refused(producer.begin_transaction).code(), KafkaError._STATE)
        self.assertEqual(self.refused(producer.produce, "t", b"early").code(), KafkaError._STATE)
        producer.init_transactions()
        for function in (producer.init_transactions, producer.commit_transaction, producer.abort_transaction):
            self.assertEqual(self.refused(function).code(), KafkaError._STATE)
        for _ in range(100):
            self.assertEqual(self.refused(producer.produce, "t", b"outside").code(), KafkaError._STATE)
        producer.begin_transaction()
        self.assertEqual(self.refused(producer.begin_transaction).code(), KafkaError._STATE)
        for n in range(100):
            producer.produce("t", b"kept")
        producer.commit_transaction()
        self.assertEqual(self.refused(producer.produce, "t", b"outside").code(), KafkaError._STATE)
        self.assertEqual(self.committed(), [b"kept"] * 100)
        with self.assertRaises(TypeError):
            producer.commit_transaction(timeout=1)
        producer.close()
        for function in (producer.begin_transaction, producer.commit_transaction, producer.abort_transaction):
            self.assertRaises(RuntimeError, function)

    def test_a_call_whose_time_is_over_is_taken_up(self):
        producer = self.producer()
        producer.begin_transaction()
        producer.produce("t", b"kept")
        producer.flush(20)
        self.cluster.set_delay(2, api_key=END_TXN)
        begun = time.monotonic()
        error = self.refused(producer.commit_transaction, 0.1)
        self.assertLess(time.monotonic() - begun, 1.5)
        self.assertEqual(error.code(), KafkaError._TIMED_OUT)
        self.assertTrue(error.retriable() and not error.txn_requires_abort() and not error.fatal())
        producer.commit_transaction(20)
        self.assertEqual(self.committed(), [b"kept"])
        # What cannot be flushed in time stays in the transaction.
        self.cluster.clear_faults()
        self.cluster.set_delay(1, api_key=PRODUCE)
        producer.begin_transaction()
        producer.produce("t", b"late")
        self.assertTrue(self.refused(producer.commit_transaction, 0.1).retriable())
        producer.commit_transaction(20)
        self.assertEqual(self.committed(), [b"kept", b"late"])

    def test_close_ends_what_is_open(self):
        producer = self.producer()
        producer.begin_transaction()
        producer.produce("t", b"given up")
        producer.flush(20)
        self.assertTrue(producer.close(20))
        self.assertEqual(self.cluster.request_count(END_TXN), 1)
        self.assertEqual(self.committed(), [])
        # A commit under way is one all the same.
        producer = self.producer()
        producer.begin_transaction()
        producer.produce("t", b"kept")
        producer.flush(20)
        self.cluster.set_delay(2, api_key=END_TXN)
        self.assertTrue(self.refused(producer.commit_transaction, 0.3).retriable())
        self.assertTrue(producer.close(20))
        self.assertEqual(self.committed(), [b"kept"])
        # One that is settled costs nothing, and no time is no time.
        self.cluster.set_delay(20, api_key=END_TXN)
        producer = self.producer()
        producer.begin_transaction()
        producer.commit_transaction(20)
        begun = time.monotonic()
        producer.close()
        producer = self.producer()
        producer.begin_transaction()
        producer.produce("t", b"given up")
        producer.flush(20)
        producer.close(0)
        self.assertLess(time.monotonic() - begun, 10)

    def test_the_scope_waits_for_a_late_commit(self):
        producer = self.producer()
        self.cluster.set_delay(0.4, api_key=END_TXN)
        with producer.transaction(0.1):
            producer.produce("t", b"late")
            producer.flush(20)
        with producer.transaction():
            producer.produce("t", b"next")
        self.assertEqual(self.committed(), [b"late", b"next"])

    def test_a_record_that_was_too_late_is_no_reason_to_wait(self):
        producer = self.producer(**{"compat": "java", "retries": 1, "request.timeout.ms": 300})
        self.cluster.set_delay(2, api_key=PRODUCE)
        producer.begin_transaction()
        producer.produce("t", b"late")
        begun = time.monotonic()
        error = self.refused(producer.commit_transaction, 20)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertTrue(error.txn_requires_abort() and not error.fatal())
        self.cluster.clear_faults()
        producer.abort_transaction(20)

    def test_older_brokers(self):
        self.cluster.set_kafka_version("2.8")
        producer = self.producer(compat="java")
        for n in range(3):
            with producer.transaction():
                producer.produce("t", b"kept")
            with self.assertRaises(KeyError):
                with producer.transaction():
                    producer.produce("t", b"given up")
                    raise KeyError
        self.assertEqual(self.committed(), [b"kept"] * 3)


class AsyncTransactions(unittest.IsolatedAsyncioTestCase):
    @shows("C90", "C95")
    async def test_in_asyncio(self):
        with MockCluster(1) as cluster:
            cluster.create_topic("t", 1)
            settings = {"bootstrap.servers": cluster.bootstrap_servers, "transactional.id": "shipper"}
            async with aio.Producer(settings) as producer:
                await producer.init_transactions(20)
                with self.assertRaises(KafkaException):
                    await producer.send("t", b"outside")
                async with producer.transaction():
                    futures = [producer.send_nowait("t", b"%d" % n) for n in range(100)]
                    await producer.send_offsets_to_transaction([TopicPartition("t", 0, 5)], ConsumerGroupMetadata("g"))
                self.assertEqual([future.result().offset() for future in futures], list(range(100)))
                self.assertEqual(cluster.committed_offset("g", "t", 0), 5)
                with self.assertRaises(ZeroDivisionError):
                    async with producer.transaction(20):
                        await producer.send("t", b"given up")
                        raise ZeroDivisionError
                with self.assertRaises(asyncio.CancelledError):
                    async with producer.transaction(20):
                        raise asyncio.CancelledError
                self.assertEqual(len(cluster.records("t", 0, committed=True)), 100)
                cluster.set_delay(1.0, api_key=END_TXN)
                producer.begin_transaction()
                await producer.send("t", b"kept")
                with self.assertRaises(KafkaException) as refusal:
                    await producer.commit_transaction(0.05)
                self.assertTrue(refusal.exception.error.retriable())
                await producer.commit_transaction()
                self.assertEqual(len(cluster.records("t", 0, committed=True)), 101)
                # A commit that is cancelled is one all the same, and one that is late, too.
                producer.begin_transaction()
                await producer.abort_transaction()
                ends = cluster.request_count(END_TXN)
                scope = asyncio.ensure_future(self.scope(producer, None))
                while cluster.request_count(END_TXN) == ends:
                    await asyncio.sleep(0.01)
                scope.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await scope
                await self.scope(producer, 0.1)
                self.assertEqual(len(cluster.records("t", 0, committed=True)), 103)
                # What is open at the end is aborted.
                producer.begin_transaction()
                await producer.send("t", b"given up")
                ends = cluster.request_count(END_TXN)
            self.assertEqual(cluster.request_count(END_TXN), ends + 1)
            async with aio.Producer({"bootstrap.servers": cluster.bootstrap_servers}) as plain:
                with self.assertRaises(KafkaException):
                    await plain.init_transactions()

    async def scope(self, producer, timeout):
        async with producer.transaction(timeout):
            await producer.send("t", b"kept")


if __name__ == "__main__":
    unittest.main()
