"""The producer for asyncio: one await per record, room as a wait, cancelling, closing."""

import asyncio
import threading
import unittest

from ottla import KafkaError, KafkaException, MockCluster, Persistence, aio
from ottla.error import ProduceError
from tests.cases import shows


def embedded(**settings):
    return aio.Producer({"test.mock.num.brokers": 1, "linger.ms": 1, **settings})


class Aio(unittest.IsolatedAsyncioTestCase):
    async def test_send_returns_the_stored_record_and_uses_no_thread(self):
        before = set(threading.enumerate())
        async with embedded() as producer:
            message = await producer.send("t", "value", b"key", partition=2, headers={"a": "b"}, timestamp=77)
            self.assertEqual(
                (message.topic(), message.partition(), message.offset(), message.value(), message.key()),
                ("t", 2, 0, b"value", b"key"),
            )
            self.assertEqual((message.headers(), message.timestamp()), ([("a", b"b")], (1, 77)))
            self.assertEqual(message.persistence(), Persistence.PERSISTED)
            [stored] = producer.mock_cluster().records("t", 2)
            self.assertEqual((stored.value(), stored.headers()), (b"value", [("a", b"b")]))
            self.assertEqual(set(threading.enumerate()), before)
        self.assertEqual(len(producer), 0)

    async def test_many_tasks_share_requests(self):
        async with embedded(**{"linger.ms": 5}) as producer:
            await producer.send("t", b"first", partition=0)
            sent = producer.mock_cluster().request_count(0)
            messages = await asyncio.gather(*(producer.send("t", b"%d" % n, partition=0) for n in range(5000)))
            self.assertEqual([m.offset() for m in messages], list(range(1, 5001)))
            self.assertLess(producer.mock_cluster().request_count(0) - sent, 500)
            stored = [m.value() for m in producer.mock_cluster().records("t", 0)]
        self.assertEqual(stored, [b"first"] + [b"%d" % n for n in range(5000)])

    async def test_errors_carry_the_record(self):
        async with embedded(**{"retries": 0}) as producer:
            producer.mock_cluster().create_topic("t", 1)
            await producer.send("t", b"x")
            producer.mock_cluster().push_partition_errors("t", 0, [KafkaError.MSG_SIZE_TOO_LARGE])
            with self.assertRaises(ProduceError) as caught:
                await producer.send("t", b"y", b"k")
            failure = caught.exception
            self.assertEqual((failure.code, failure.name), (10, "MSG_SIZE_TOO_LARGE"))
            self.assertEqual((failure.kafka_message.value(), failure.kafka_message.key()), (b"y", b"k"))
            with self.assertRaises(KafkaException) as refused:
                await producer.send("t", b"x", partition=5)
            self.assertEqual(refused.exception.error, KafkaError._UNKNOWN_PARTITION)
            with self.assertRaises(KafkaException):
                await producer.send("t", bytes(2_000_000))
            with self.assertRaises(TypeError):
                await producer.send("t", 5)

    async def test_no_room_is_a_wait(self):
        async with embedded(**{"queue.buffering.max.messages": 10, "linger.ms": 0}) as producer:
            cluster = producer.mock_cluster()
            await producer.send("t", b"first", partition=0)
            cluster.set_delay(1.0, api_key=0)
            tasks = [asyncio.ensure_future(producer.send("t", b"%d" % n, partition=0)) for n in range(100)]
            await asyncio.sleep(0.05)
            self.assertLessEqual(len(producer), 10)
            with self.assertRaises(BufferError):
                producer.send_nowait("t", b"no")
            cluster.clear_faults()
            await asyncio.wait_for(asyncio.gather(*tasks), 30)
            values = sorted(int(m.value()) for m in cluster.records("t", 0)[1:])
        self.assertEqual(values, list(range(100)))

    async def test_who_stops_waiting_does_not_stop_the_record(self):
        async with embedded(**{"linger.ms": 5000}) as producer:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(producer.send("t", b"x", partition=0), 0.01)
            self.assertEqual(await producer.flush(20), 0)
            self.assertEqual(producer.mock_cluster().end_offset("t", 0), 1)

    async def test_flush_with_a_limit_purge_and_close(self):
        producer = embedded(**{"linger.ms": 60_000})
        cluster = producer.mock_cluster()
        await producer.wait_ready(20)
        futures = [producer.send_nowait("t", b"x", partition=0) for _ in range(3)]
        cluster.set_delay(60, api_key=0)
        self.assertEqual(await producer.flush(1), 3)
        producer.purge()
        results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)
        self.assertEqual({r.code for r in results}, {KafkaError._PURGE_INFLIGHT})
        cluster.clear_faults()
        self.assertTrue(await producer.close())
        self.assertTrue(await producer.close())
        with self.assertRaisesRegex(RuntimeError, "closed"):
            await producer.send("t", b"x")
        with self.assertRaisesRegex(RuntimeError, "closed"):
            await producer.flush()

    async def test_close_with_a_limit_fails_what_is_left(self):
        with MockCluster(1) as cluster:
            producer = aio.Producer(bootstrap_servers=cluster.bootstrap_servers, linger_ms=0)
            await producer.send("t", b"x")
            cluster.set_delay(60, api_key=0)
            future = producer.send_nowait("t", b"y")
            self.assertFalse(await producer.close(0.2))
            with self.assertRaises(ProduceError):
                await future
            cluster.clear_faults()

    async def test_the_cluster_can_be_asked(self):
        async with embedded() as producer:
            producer.mock_cluster().create_topic("one", 3)
            self.assertEqual(len((await producer.list_topics(timeout=20)).topics["one"].partitions), 3)

    def test_one_loop_only(self):
        producer = embedded()

        async def once():
            await producer.send("t", b"x")

        asyncio.run(once())
        with self.assertRaisesRegex(RuntimeError, "another event loop"):
            asyncio.run(once())

    def test_a_callback_makes_no_sense(self):
        with self.assertRaises(TypeError):
            embedded(on_delivery=print)


if __name__ == "__main__":
    unittest.main()
