"""The embedded cluster in Python: topics, faults, and reading back."""

import time
import unittest

from ottla import ErrorCode, KafkaException, MockCluster, Producer
from tests.cases import shows

PRODUCE = 0


class Faults(unittest.TestCase):
    def setUp(self):
        self.cluster = MockCluster(3)
        self.addCleanup(self.cluster.close)
        self.cluster.create_topic("t", 1, 3)
        self.reports = []

    def producer(self, **settings):
        producer = Producer(
            {"bootstrap.servers": self.cluster.bootstrap_servers, "linger.ms": 0, "retry.backoff.ms": 20,
             "reconnect.backoff.ms": 20, **settings},
            on_delivery=lambda error, message: self.reports.append((error, message)),
        )  # fmt: skip
        self.addCleanup(producer.close)
        return producer

    def send(self, producer, *values):
        for value in values:
            producer.produce("t", value)
        self.assertEqual(producer.flush(60), 0)
        return [error and error.status for error, _ in self.reports[-len(values):]]

    @shows("C62")
    def test_topics(self):
        self.assertEqual(self.cluster.partition_count("t"), 1)
        for call, code in [
            (lambda: self.cluster.create_topic("t"), ErrorCode.TOPIC_ALREADY_EXISTS),
            (lambda: self.cluster.create_topic("bad name"), ErrorCode.INVALID_TOPIC_EXCEPTION),
            (lambda: self.cluster.partition_count("missing"), ErrorCode.UNKNOWN_TOPIC),
            (lambda: self.cluster.records("t", 7), ErrorCode.UNKNOWN_PARTITION),
            (lambda: MockCluster(0), ErrorCode.ARGUMENT),
        ]:
            with self.assertRaises(KafkaException) as caught:
                call()
            self.assertEqual(caught.exception.error, code)

    @shows("C15", "C16")
    def test_retriable_errors_are_retried_and_final_ones_reported(self):
        producer = self.producer()
        self.cluster.push_errors(PRODUCE, [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.TRANSPORT])
        self.assertEqual(self.send(producer, b"a"), [None])
        self.cluster.push_partition_errors("t", 0, [ErrorCode.MESSAGE_TOO_LARGE])
        self.assertEqual(self.send(producer, b"b"), [ErrorCode.MESSAGE_TOO_LARGE])
        error, message = self.reports[-1]
        self.assertEqual((message.error(), message.value(), message.offset()), (error, b"b", None))
        self.assertFalse(error.retriable())
        self.assertEqual(self.send(producer, b"c"), [None])
        self.assertEqual([m.value() for m in self.cluster.records("t", 0)], [b"a", b"c"])
        self.assertEqual(self.cluster.end_offset("t", 0), 2)
        self.assertGreaterEqual(self.cluster.request_count(PRODUCE), 4)

    @shows("C60")
    def test_a_broker_goes_down_and_the_records_arrive_in_order_once(self):
        producer = self.producer()
        self.send(producer, b"0")
        for broker in (1, 2):
            self.cluster.broker_down(broker)
        for n in range(1, 50):
            producer.produce("t", str(n))
        self.cluster.set_leader("t", 0, 3)
        self.assertEqual(producer.flush(60), 0)
        for broker in (1, 2):
            self.cluster.broker_up(broker)
        self.assertEqual([m.value() for m in self.cluster.records("t", 0)], [b"%d" % n for n in range(50)])
        self.assertEqual({error for error, _ in self.reports}, {None})

    @shows("C17", "C61")
    def test_a_delay_expires_records(self):
        producer = self.producer(**{"delivery.timeout.ms": 3000, "request.timeout.ms": 1000})
        self.send(producer, b"a")
        self.cluster.set_delay(30, api_key=PRODUCE)
        begun = time.monotonic()
        [code] = self.send(producer, b"b")
        self.assertIn(code, (ErrorCode.EXPIRED, ErrorCode.TIMED_OUT, ErrorCode.REQUEST_TIMED_OUT))
        self.assertLess(time.monotonic() - begun, 20)
        self.cluster.clear_faults()

    def test_a_closed_cluster(self):
        producer = Producer({"test.mock.num.brokers": 2})
        borrowed = producer.mock_cluster()
        self.assertEqual(borrowed.bootstrap_servers.count(","), 1)
        borrowed.close()
        again = producer.mock_cluster()
        producer.close()
        self.cluster.close()
        self.cluster.close()
        for cluster in (borrowed, again, self.cluster):
            for call in (lambda: cluster.bootstrap_servers, lambda: cluster.create_topic("x"), cluster.clear_faults):
                with self.assertRaises(RuntimeError):
                    call()

    def test_a_producer_without_one_says_so(self):
        with self.assertRaises(KafkaException) as caught:
            self.producer().mock_cluster()
        self.assertEqual(caught.exception.error, ErrorCode.STATE)


if __name__ == "__main__":
    unittest.main()
