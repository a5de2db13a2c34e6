#!/usr/bin/env python3
"""Every way in which a record or a call can fail in Python, round after round; fails if anything grows.

    usage: leaks.py [RECORDS]

A round makes a cluster, producers and transactions of its own, and gives them up. Compared are the least that tracemalloc and
the system (resident memory) have seen after the rounds of the second fifth and of the last one, and descriptors and threads.

10,017,361 records in 372 rounds, CPython 3.11: traced 102,097 bytes, in the end 134,829 (what the rounds saw is in it: 150 bytes
each); resident 44,863,488 bytes, in the end 46,473,216, with malloc's own number of arenas; 6 descriptors and 2 threads throughout.
"""

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
import tracemalloc

from ottla import ErrorCode, KafkaException, MockCluster, Producer, SerializingProducer, aio

PRODUCE = 0
#: In bytes, over the whole run.
TRACED_LIMIT, RESIDENT_LIMIT = 64 << 10, 6 << 20


class Round:
    """One round; counts the records that it had to do with, and those calls of its callbacks that must come."""

    def __init__(self):
        self.records = 0
        self.reports = 0
        self.cluster = MockCluster(1)
        self.cluster.create_topic("t", 1)

    def producer(self, kind=Producer, **settings):
        settings = {name.replace("_", "."): value for name, value in settings.items()}
        return kind({"bootstrap.servers": self.cluster.bootstrap_servers, "linger.ms": 1, "log_level": 0, **settings})

    def report(self, error, message):
        self.reports += 1

    def raises(self, kinds, function, *arguments, **more):
        try:
            function(*arguments, **more)
        except kinds:
            return
        raise AssertionError(f"{function} did not fail")

    def send(self, producer, count, poll=True, **more):
        for _ in range(count):
            producer.produce("t", b"v" * 100, b"key", headers={"a": "b"}, on_delivery=self.report, **more)
            if poll and self.records % 1000 == 0:
                producer.poll(0)
            self.records += 1

    def run(self):
        steps = [self.stored_and_refused, self.no_room, self.purged, self.too_late, self.raising_callbacks, self.wrong,
                 self.serializers, self.batches, self.transactions, self.forgotten]
        for step in steps:
            step()
        asyncio.run(self.asynchronous())
        self.cluster.close()
        return self.records

    def stored_and_refused(self):
        with self.producer(queue_buffering_max_messages=100_000) as producer:
            self.send(producer, 9000)
            producer.flush(60)
            self.cluster.push_errors(PRODUCE, [ErrorCode.TOPIC_AUTHORIZATION_FAILED] * 10_000)
            before = self.reports
            self.send(producer, 4000)
            producer.flush(60)
            assert self.reports == before + 4000
            self.cluster.clear_faults()
        self.raises(RuntimeError, producer.produce, "t", b"closed")
        self.raises(RuntimeError, producer.poll, 0)
        producer.close()

    def no_room(self):
        self.cluster.set_delay(0.05, api_key=PRODUCE)
        for settings in ({"queue_buffering_max_messages": 500}, {"buffer_memory": 400_000}):
            with self.producer(**settings) as producer:
                self.raises(BufferError, self.send, producer, 100_000, poll=False)
                with contextlib.suppress(BufferError):
                    self.send(producer, 1, block=0.001)
                producer.flush(60)
        self.cluster.clear_faults()

    def purged(self):
        with self.producer(linger_ms=60_000) as producer:
            self.send(producer, 500)
            producer.purge()
            producer.flush(60)
        self.cluster.set_delay(60, api_key=PRODUCE)
        with self.producer() as producer:
            self.send(producer, 500)
            producer.flush(0.02)
            producer.purge()
            producer.flush(60)
            self.send(producer, 500)
            assert not producer.close(0.01)
        self.cluster.clear_faults()

    def too_late(self):
        self.cluster.set_delay(60, api_key=PRODUCE)
        with self.producer(delivery_timeout_ms=60, request_timeout_ms=50) as producer:
            self.send(producer, 500)
            producer.flush(60)
        self.cluster.clear_faults()
        self.raises(KafkaException, Producer(bootstrap_servers="127.0.0.1:1").wait_ready, 0.02)

    def raising_callbacks(self):
        def fail(error, message):
            self.reports += 1
            raise KeyError(message.value())

        with self.producer() as producer:
            before = self.reports
            for _ in range(500):
                producer.produce("t", b"x" * 50, on_delivery=fail)
            self.records += 500
            while self.reports < before + 500:
                self.raises(KeyError, producer.poll, 60)

    def wrong(self):
        with self.producer() as producer:
            producer.list_topics("t", 20)
            self.send(producer, 1)
            producer.flush(20)
            for _ in range(100):
                self.raises(TypeError, producer.produce, "t", 7)
                self.raises(TypeError, producer.produce, "t", b"v", headers={"a": 5})
                self.raises(KafkaException, producer.produce, "no topic!", b"v")
                self.raises(KafkaException, producer.produce, "t", bytes(2_000_000))
                self.raises(KafkaException, producer.produce, "t", b"v", partition=7)
                self.raises(KafkaException, producer.begin_transaction)
                self.records += 5
        for settings in ({"acks": 7}, {"no.such.setting": 1}, {"security.protocol": "ssl"}):
            self.raises(KafkaException, Producer, settings)

    def serializers(self):
        def fail(value, context):
            raise ValueError(value)

        with self.producer(SerializingProducer, value_serializer=fail) as producer:
            for n in range(200):
                self.raises(KafkaException, producer.produce, "t", b"k", n)
                self.records += 1

    def batches(self):
        with self.producer(queue_buffering_max_messages=1000) as producer:
            producer.produce("t", b"known")
            producer.flush(60)
            self.cluster.set_delay(0.05, api_key=PRODUCE)
            for _ in range(5):
                wrong = [{"value": b"x"}, {"value": b"y", "partition": 9}, {"value": 5}]
                self.raises(TypeError, producer.produce_batch, "t", wrong, on_delivery=self.report)
                self.raises(KafkaException, producer.produce_batch, "t", values=[b"a", b"b"], partitions=[0, 9])
                taken = producer.produce_batch("t", values=[b"x"] * 1500, headers={"a": "b"})
                assert taken < 1500
                producer.flush(60)
                self.records += 1505
        self.cluster.clear_faults()

    def transactions(self):
        older = self.producer(transactional_id="shipper")
        older.init_transactions(20)
        older.begin_transaction()
        self.raises(KafkaException, older.begin_transaction)
        self.cluster.push_partition_errors("t", 0, [ErrorCode.INVALID_RECORD])
        with contextlib.suppress(KafkaException):
            self.send(older, 50)  # the first is refused at once, or after the last
        self.raises(KafkaException, older.commit_transaction, 20)
        older.abort_transaction(20)
        self.raises(KeyError, self.broken_scope, older)
        older.begin_transaction()
        self.send(older, 50)
        older.flush(20)
        newer = self.producer(transactional_id="shipper")
        newer.init_transactions(20)
        self.raises(KafkaException, older.commit_transaction, 20)
        self.raises(KafkaException, older.produce, "t", b"fenced")
        older.close()
        newer.begin_transaction()
        self.send(newer, 50)
        newer.close()

    def broken_scope(self, producer):
        with producer.transaction(20):
            self.send(producer, 50)
            raise KeyError

    def forgotten(self):
        producer = self.producer(linger_ms=60_000)
        self.send(producer, 100)
        del producer

    async def asynchronous(self):
        producer = aio.Producer({"bootstrap.servers": self.cluster.bootstrap_servers, "queue.buffering.max.messages": 200})
        async with producer:
            await producer.send("t", b"v")
            for wrong in ({"partition": 9}, {"value": bytes(2_000_000)}):
                try:
                    await producer.send("t", **wrong)
                    raise AssertionError(wrong)
                except KafkaException:
                    pass
            self.cluster.push_errors(PRODUCE, [ErrorCode.TOPIC_AUTHORIZATION_FAILED])
            done = await asyncio.gather(*(producer.send("t", b"v") for _ in range(500)), return_exceptions=True)
            assert any(isinstance(one, KafkaException) for one in done)
            self.cluster.set_delay(60, api_key=PRODUCE)
            waiting = [asyncio.ensure_future(producer.send("t", b"v")) for _ in range(400)]
            await asyncio.sleep(0.02)
            for task in waiting[::2]:
                task.cancel()
            assert not await producer.close(0.02)
            await asyncio.gather(*waiting, return_exceptions=True)
        self.cluster.clear_faults()
        self.records += 903


def seen():
    """(traced bytes, resident bytes, descriptors, threads)."""
    gc.collect()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    return tracemalloc.get_traced_memory()[0], resident, len(os.listdir("/proc/self/fd")), threading.active_count()


def least(rounds):
    return [min(column) for column in zip(*rounds)]


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    tracemalloc.start()
    begun, records, rounds = time.monotonic(), 0, []
    while records < wanted or len(rounds) < 10:
        records += Round().run()
        rounds.append(seen())
    fifth = len(rounds) // 5
    before, after = least(rounds[fifth : 2 * fifth]), least(rounds[-fifth:])
    for name, was, now in zip(("traced bytes", "resident bytes", "descriptors", "threads"), before, after):
        print(f"{name}: {was}, in the end {now}")
    print(f"{records} records in {len(rounds)} rounds and {time.monotonic() - begun:.0f} s")
    grown = [now - was for was, now in zip(before, after)]
    fine = grown[0] <= TRACED_LIMIT and grown[1] <= RESIDENT_LIMIT and grown[2] <= 0 and grown[3] <= 0
    print(f"{int(fine)} passed, {int(not fine)} failed")
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
