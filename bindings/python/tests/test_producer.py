"""The producer against the embedded cluster: what goes out, what comes back, what is refused."""

import gc
import pickle
import resource
import sys
import threading
import time
import unittest
import warnings

from ottla import (
    TIMESTAMP_CREATE_TIME,
    ErrorCode,
    KafkaError,
    KafkaException,
    Message,
    MockCluster,
    Persistence,
    Producer,
)
from tests.cases import shows


def embedded(**settings):
    return Producer({"test.mock.num.brokers": 1, "linger.ms": 2, **settings})


def stored(producer, topic):
    cluster = producer.mock_cluster()
    partitions = range(cluster.partition_count(topic))
    return [message for p in partitions for message in cluster.records(topic, p)]


class Echo(unittest.TestCase):
    @shows("C01")
    def test_what_is_sent_is_stored_and_reported(self):
        reports = []
        with embedded() as producer:
            producer.produce("t", b"value", b"key", partition=2, on_delivery=lambda *r: reports.append(r))
            self.assertEqual(producer.flush(30), 0)
            [record] = producer.mock_cluster().records("t", 2)
        self.assertEqual((record.key(), record.value()), (b"key", b"value"))
        [(error, message)] = reports
        self.assertIsNone(error)
        self.assertIsNone(message.error())
        self.assertEqual(
            (message.topic(), message.partition(), message.offset(), message.key(), message.value()),
            ("t", 2, 0, b"key", b"value"),
        )
        self.assertEqual(message.timestamp(), (TIMESTAMP_CREATE_TIME, record.timestamp()[1]))
        self.assertEqual(message.persistence(), Persistence.PERSISTED)
        self.assertGreaterEqual(message.latency(), 0)

    @shows("C02")
    def test_null_is_not_empty(self):
        cases = [(None, None), (b"", None), (None, b""), (b"", b""), ("", "ü"), (bytearray(b"a"), memoryview(b"b"))]
        with embedded() as producer:
            for key, value in cases:
                producer.produce("t", value, key, partition=0)
            producer.flush(30)
            got = [(m.key(), m.value()) for m in producer.mock_cluster().records("t", 0)]
        as_bytes = [tuple(x.encode() if isinstance(x, str) else x and bytes(x) for x in c) for c in cases]
        as_bytes = [tuple(b"" if x == b"" else x for x in c) for c in as_bytes]
        self.assertEqual(got[:3], as_bytes[:3])
        self.assertEqual(got[3:], [(b"", b""), (b"", "ü".encode()), (b"a", b"b")])

    @shows("C03")
    def test_headers_keep_order_duplicates_nulls_and_zero_bytes(self):
        headers = [("a", b"1"), ("b", None), ("a", b""), ("", b"\0\xff"), ("ü", "ö")]
        many = [(str(n), b"x" * n) for n in range(40)]
        messages = []
        with embedded() as producer:
            producer.produce("t", b"v", partition=0, headers=headers, on_delivery=lambda _, m: messages.append(m))
            producer.produce("t", b"v", partition=0, headers={"only": "one"})
            producer.produce("t", b"v", partition=0, headers=many)
            producer.produce("t", None, partition=0, headers=[])
            producer.flush(30)
            got = [m.headers() for m in producer.mock_cluster().records("t", 0)]
        wanted = headers[:4] + [("ü", "ö".encode())]
        self.assertEqual(got, [wanted, [("only", b"one")], many, None])
        self.assertEqual(messages[0].headers(), wanted)

    @shows("C04")
    def test_timestamps(self):
        times = []
        with embedded(**{"report.timestamps": True}) as producer:
            before = int(time.time() * 1000)
            for when in (1234, 0, 0):
                producer.produce(
                    "t", b"", partition=0, timestamp=when, on_delivery=lambda _, m: times.append(m.timestamp())
                )
            producer.flush(30)
            records = [m.timestamp()[1] for m in producer.mock_cluster().records("t", 0)]
        self.assertEqual(times, [(TIMESTAMP_CREATE_TIME, when) for when in records])
        self.assertEqual(records[0], 1234)
        self.assertTrue(all(before <= when < before + 60_000 for when in records[1:]), records)

    def test_settings_as_keywords_and_a_default_callback(self):
        reports = []
        producer = Producer(
            {"linger.ms": 1, "client.id": None}, test_mock_num_brokers=1,
            on_delivery=lambda *r: reports.append(r),
        )  # fmt: skip
        with producer:
            producer.produce("t", "x")
            producer.produce("t", "y", on_delivery=lambda *r: None)
            producer.flush(30)
        self.assertEqual([m.value() for _, m in reports], [b"x"])

    @shows("C27")
    def test_unwatched_records_are_counted_by_poll_and_len(self):
        with embedded() as producer:
            self.assertEqual((len(producer), bool(producer)), (0, True))
            for _ in range(10):
                producer.produce("t", b"x")
            self.assertEqual(len(producer), 10)
            served, deadline = 0, time.monotonic() + 30
            while served < 10 and time.monotonic() < deadline:
                served += producer.poll(1)
            self.assertEqual((served, len(producer)), (10, 0))

    @shows("C50")
    def test_a_hundred_thousand_records_of_several_threads(self):
        threads, each = 8, 12_500
        counted, failures = [], []

        def send(producer, number):
            for n in range(each):
                value = b"%d %d" % (number, n)
                while True:
                    try:
                        producer.produce("t", value, on_delivery=check)
                        break
                    except BufferError:
                        producer.poll(0.1)
                if n % 100 == 0:
                    producer.poll(0)

        def check(error, message):
            counted.append(message.value())
            if error:
                failures.append(error)

        with embedded(**{"batch.size": 100_000}) as producer:
            workers = [threading.Thread(target=send, args=(producer, n)) for n in range(threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            self.assertEqual(producer.flush(60), 0)
            got = [m.value() for m in stored(producer, "t")]
        self.assertEqual(failures, [])
        wanted = sorted(b"%d %d" % (t, n) for t in range(threads) for n in range(each))
        self.assertEqual(sorted(got), wanted)
        self.assertEqual(sorted(counted), wanted)


class Refused(unittest.TestCase):
    def refused(self, code, function, *args, **kwargs):
        with self.assertRaises(KafkaException) as caught:
            function(*args, **kwargs)
        error = caught.exception.args[0]
        self.assertEqual(error, code, error)
        return error.str()

    @shows("C10", "C11")
    def test_settings(self):
        text = self.refused(KafkaError._INVALID_ARG, Producer, {"bootsrap.servers": "x"})
        self.assertIn('No such configuration property: "bootsrap.servers"; did you mean "bootstrap.servers"?', text)
        text = self.refused(KafkaError._INVALID_ARG, Producer, {"linger.ms": -5})
        self.assertIn('Configuration property "queue.buffering.max.ms" value -5 is outside allowed range', text)
        with self.assertRaisesRegex(TypeError, "expected configuration dict"):
            Producer()
        self.refused(KafkaError._INVALID_ARG, Producer, {1: 2})
        self.refused(KafkaError._INVALID_ARG, Producer, {"test.mock.num.brokers": 1, "on_delivery": "text"})

    @shows("C13", "C14")
    def test_records(self):
        with embedded() as producer:
            producer.mock_cluster().create_topic("two", 2)
            producer.produce("two", b"x")
            producer.flush(30)
            text = self.refused(ErrorCode.UNKNOWN_PARTITION, producer.produce, "two", b"x", partition=2)
            self.assertIn("2 partitions", text)
            self.refused(ErrorCode.RECORD_TOO_LARGE, producer.produce, "two", bytes(2_000_000))
            self.refused(ErrorCode.ARGUMENT, producer.produce, "no/topic", b"x")
            for arguments in [("two", 5), (b"two", b"x"), ("two", b"x", 1.5), ("two", b"x", None, "0")]:
                with self.assertRaises((TypeError, Exception)) as caught:
                    producer.produce(*arguments, on_delivery=print)
                self.assertIn(type(caught.exception).__name__, ("TypeError", "ArgumentError"))
            with self.assertRaises(TypeError):
                producer.produce("two", b"x", headers=[(5, b"x")])
            self.assertEqual((len(producer), producer._chunks), (0, {}))

    @shows("C20")
    def test_full_memory_is_a_buffer_error_and_poll_makes_room(self):
        with embedded(**{"buffer.memory": 400_000, "linger.ms": 1}) as producer:
            producer.mock_cluster().set_delay(2, api_key=0)
            full = 0
            for _ in range(100):
                while True:
                    try:
                        producer.produce("t", bytes(20_000))
                        break
                    except BufferError:
                        full += 1
                        producer.poll(0.1)
                if full:
                    producer.mock_cluster().clear_faults()
            self.assertEqual(producer.flush(30), 0)
            self.assertGreater(full, 0)
            self.assertEqual(len(stored(producer, "t")), 100)

    def test_error_objects(self):
        with embedded() as producer:
            with self.assertRaises(KafkaException) as caught:
                producer.produce("bad/name", b"x")
        error = caught.exception.error
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((copy, repr(copy)), (error, repr(error)))
        self.assertEqual((error.code(), error.name()), (KafkaError._INVALID_ARG, "_INVALID_ARG"))
        self.assertEqual(error.status, ErrorCode.ARGUMENT)
        self.assertFalse(error.retriable() or error.fatal() or error.txn_requires_abort())
        self.assertEqual({error: 1}[KafkaError._INVALID_ARG], 1)
        self.assertTrue(KafkaError(0) and KafkaError(0) == 0)
        self.assertEqual(KafkaError(77777).name(), "ERR_77777?")
        with self.assertRaises(KafkaError):
            raise error
        self.assertTrue(Message("t") and len(Message("t", value=b"abc")) == 3)


class Closing(unittest.TestCase):
    def test_produce_runs_no_callbacks_unless_it_may_wait(self):
        seen = []
        for settings in ({"buffer.memory": 400_000}, {"queue.buffering.max.messages": 100}):
            with embedded(**settings) as producer:
                def fill(count=100_000, block=None):
                    for _ in range(count):
                        producer.produce("t", b"x" * 100, on_delivery=lambda *_: seen.append(1), block=block)

                self.assertRaises(BufferError, fill)
                time.sleep(0.2)  # reports are there by now, whose memory and places poll() gives back
                self.assertRaises(BufferError, fill)
                self.assertEqual(seen, [])
                fill(5000, block=20)
                self.assertGreater(len(seen), 0)
            seen.clear()

    @shows("C23", "C30", "C31", "C33")
    def test_close_waits_twice_is_once_and_use_after_it_is_an_error(self):
        reports = []
        producer = embedded(**{"linger.ms": 60_000})
        producer.produce("t", b"x", on_delivery=lambda *r: reports.append(r))
        begun = time.monotonic()
        self.assertTrue(producer.close())
        self.assertLess(time.monotonic() - begun, 30)
        self.assertEqual([error for error, _ in reports], [None])
        self.assertTrue(producer.close())
        self.assertEqual(len(producer), 0)
        for call in (
            lambda: producer.produce("t", b"x"),
            lambda: producer.poll(0),
            lambda: producer.flush(0),
            lambda: producer.purge(),
            lambda: producer.wait_ready(1),
            lambda: producer.mock_cluster(),
            lambda: producer.__enter__(),
        ):
            with self.assertRaisesRegex(RuntimeError, "closed"):
                call()

    def test_a_subclass_that_forgot_init(self):
        class Forgetful(Producer):
            def __init__(self):
                pass

        with self.assertRaisesRegex(RuntimeError, "closed"):
            Forgetful().poll(0)

    @shows("C32")
    def test_close_with_a_limit_fails_the_rest(self):
        codes = []
        with MockCluster(1) as cluster:
            producer = Producer(bootstrap_servers=cluster.bootstrap_servers)
            cluster.set_delay(60, api_key=0)
            producer.produce("t", b"x", on_delivery=lambda error, _: codes.append(error.status))
            producer.wait_ready(30)
            begun = time.monotonic()
            self.assertFalse(producer.close(0.2))
            self.assertTrue(producer.close())
            self.assertLess(time.monotonic() - begun, 10)
            cluster.clear_faults()
        self.assertEqual(len(codes), 1)
        self.assertIn(codes[0], (ErrorCode.ABORTED, ErrorCode.CLOSED))

    @shows("C24")
    def test_purge(self):
        codes = []
        with embedded(**{"linger.ms": 60_000}) as producer:
            producer.produce("t", b"x", on_delivery=lambda error, _: codes.append(error.status))
            producer.purge()
            producer.flush(30)
        self.assertEqual(codes, [ErrorCode.PURGED_QUEUE])

    @shows("C36")
    def test_closing_in_one_thread_ends_the_poll_of_another(self):
        producer = embedded()
        seen = []

        def poll():
            try:
                producer.poll()
            except RuntimeError as error:
                seen.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        time.sleep(0.1)
        producer.close()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertEqual(len(seen), 1)

    @shows("C35")
    def test_one_that_is_not_closed_is_freed_and_says_what_was_lost(self):
        with MockCluster(1) as cluster:
            producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "linger.ms": 60_000})
            producer.produce("t", b"x")
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del producer
                gc.collect()
        self.assertEqual(len(caught), 1)
        self.assertIn("1 records were not", str(caught[0].message))

    @shows("C18")
    def test_wait_ready(self):
        with embedded() as producer:
            producer.wait_ready(30)
        with Producer(bootstrap_servers="127.0.0.1:1") as producer:
            begun = time.monotonic()
            with self.assertRaises(KafkaException):
                producer.wait_ready(2)
            self.assertLess(time.monotonic() - begun, 10)


class Callbacks(unittest.TestCase):
    @shows("C40")
    def test_an_exception_comes_out_of_poll_and_the_rest_stays(self):
        seen = []

        def callback(error, message):
            seen.append(message.value())
            if message.value() == b"1":
                raise ZeroDivisionError("mine")

        with embedded() as producer:
            for n in range(4):
                producer.produce("t", str(n), partition=0, on_delivery=callback)
            with self.assertRaisesRegex(ZeroDivisionError, "mine"):
                producer.flush(30)
            self.assertEqual((seen, len(producer)), ([b"0", b"1"], 2))
            self.assertEqual(producer.poll(10), 2)
            self.assertEqual((seen, len(producer)), ([b"0", b"1", b"2", b"3"], 0))

    @shows("C34", "C40")
    def test_close_serves_all_and_then_raises_the_first(self):
        seen = []

        def callback(error, message):
            seen.append(message.value())
            raise ValueError(message.value())

        producer = embedded()
        for n in range(3):
            producer.produce("t", str(n), partition=0, on_delivery=callback)
        with self.assertRaisesRegex(ValueError, "0"):
            producer.close()
        self.assertEqual(seen, [b"0", b"1", b"2"])
        self.assertTrue(producer.close())

    @shows("C41")
    def test_a_callback_may_send(self):
        with embedded() as producer:
            def again(error, message):
                count = int(message.value())
                if count:
                    producer.produce("t", str(count - 1), partition=0, on_delivery=again)

            producer.produce("t", "5", partition=0, on_delivery=again)
            self.assertEqual(producer.flush(30), 0)
            self.assertEqual(producer.mock_cluster().end_offset("t", 0), 6)

    @shows("C43", "C70")
    def test_callbacks_and_their_records_are_let_go(self):
        class Witness:
            alive = 0

            def __init__(self):
                Witness.alive += 1

            def __del__(self):
                Witness.alive -= 1

            def __call__(self, error, message):
                pass

        with embedded() as producer:
            for _ in range(100):
                producer.produce("t", b"x", on_delivery=Witness())
            producer.flush(30)
            gc.collect()
            self.assertEqual((Witness.alive, producer._chunks), (0, {}))


class Memory(unittest.TestCase):
    @shows("C71")
    def test_it_does_not_grow_with_the_records(self):
        def peak_kib():
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return peak // 1024 if sys.platform == "darwin" else peak

        with MockCluster(1) as cluster, Producer(bootstrap_servers=cluster.bootstrap_servers, acks=1) as producer:
            def send(count):
                for n in range(count):
                    # Refused by the cluster, so that its log does not grow.
                    producer.produce("t", b"x" * 100, headers={"a": "b"}, on_delivery=lambda *_: None)
                    if n % 500 == 0:
                        producer.flush(30)
                producer.flush(30)

            cluster.push_errors(0, [ErrorCode.INVALID_REQUIRED_ACKS] * 100_000)
            send(10_000)
            before = peak_kib()
            send(40_000)
            self.assertLess(peak_kib() - before, 8 * 1024)


if __name__ == "__main__":
    unittest.main()
