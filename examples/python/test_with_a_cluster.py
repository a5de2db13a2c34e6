#!/usr/bin/env python3
"""How an application that sends is tested without a server: an embedded cluster that can be told to fail."""

import unittest

from ottla import KafkaError, MockCluster, Producer


def send_order(producer, order, on_delivery=None):
    """A piece of an application."""
    producer.produce("orders", order, key=order.split(":")[0], on_delivery=on_delivery)


class Orders(unittest.TestCase):
    def setUp(self):
        self.cluster = MockCluster(1)
        self.addCleanup(self.cluster.close)
        self.cluster.create_topic("orders", partitions=1)
        self.producer = Producer({"bootstrap.servers": self.cluster.bootstrap_servers, "linger.ms": 0})
        self.addCleanup(self.producer.close)

    def test_an_order_is_stored(self):
        send_order(self.producer, "7: tea")
        self.assertEqual(self.producer.flush(30), 0)
        [record] = self.cluster.records("orders", 0)
        self.assertEqual((record.key(), record.value()), (b"7", b"7: tea"))

    def test_a_refused_order_is_told(self):
        failures = []
        self.cluster.push_errors(0, [KafkaError.INVALID_RECORD])
        send_order(self.producer, "8: ?", lambda error, message: failures.append(error.name()))
        self.producer.flush(30)
        self.assertEqual(failures, ["INVALID_RECORD"])

    def test_a_broker_that_stumbles_is_asked_again(self):
        self.cluster.push_errors(0, [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.NOT_LEADER_FOR_PARTITION])
        send_order(self.producer, "9: coffee")
        self.assertEqual(self.producer.flush(30), 0)
        self.assertEqual(self.cluster.end_offset("orders", 0), 1)


if __name__ == "__main__":
    unittest.main()
