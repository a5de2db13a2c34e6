"""Cases of bindings/conformance.md that the other files do not have."""

import time
import unittest

from ottla import ErrorCode, KafkaError, KafkaException, Persistence, Producer
from tests.cases import shows


def embedded(**settings):
    return Producer({"test.mock.num.brokers": 1, "linger.ms": 0, **settings})


class Conformance(unittest.TestCase):
    @shows("C05")
    def test_the_same_key_goes_to_the_same_partition(self):
        places = []
        for _ in range(2):
            with embedded() as producer:
                producer.mock_cluster().create_topic("t", 7)
                for key in (b"a", b"b", "ä", b"\0"):
                    producer.produce("t", b"x", key, on_delivery=lambda _, m: places.append(m.partition()))
                producer.flush(20)
                producer.produce("t", b"x", b"a", partition=6, on_delivery=lambda _, m: self.assertEqual(m.partition(), 6))
                producer.flush(20)
        by_key = sorted(places[:4]), sorted(places[4:])
        self.assertEqual(*by_key)

    @shows("C08")
    def test_the_largest_record(self):
        with embedded(**{"max.request.size": 5000}) as producer:
            size = 5000
            while True:
                try:
                    producer.produce("t", bytes(size), partition=0)
                    break
                except KafkaException as refused:
                    self.assertEqual(refused.error, KafkaError.MSG_SIZE_TOO_LARGE)
                    size -= 1
            self.assertGreater(size, 4500)
            self.assertEqual(producer.flush(20), 0)
            with self.assertRaises(KafkaException):
                producer.produce("t", bytes(size + 1), partition=0)
            self.assertEqual([len(m) for m in producer.mock_cluster().records("t", 0)], [size])

    @shows("C22", "C25")
    def test_flush_with_a_deadline_and_purge_in_flight(self):
        seen = []
        with embedded() as producer:
            producer.mock_cluster().create_topic("t", 1)
            producer.produce("t", b"known")
            producer.flush(20)
            producer.mock_cluster().set_delay(60, api_key=0)
            producer.produce("t", b"x", on_delivery=lambda e, m: seen.append((e.status, m.persistence())))
            begun = time.monotonic()
            self.assertEqual(producer.flush(0.5), 1)
            self.assertTrue(0.45 < time.monotonic() - begun < 20)
            while producer.mock_cluster().request_count(0) < 2:
                time.sleep(0.01)
            producer.purge()
            self.assertEqual(producer.flush(20), 0)
            producer.mock_cluster().clear_faults()
        self.assertEqual(seen, [(ErrorCode.PURGED_IN_FLIGHT, Persistence.POSSIBLY_PERSISTED)])

    def flush_until_closed(self, producer):
        try:
            producer.flush(20)
        except RuntimeError:
            pass  # a callback has closed it

    @shows("C42")
    def test_a_callback_may_poll_flush_and_close(self):
        seen = []
        producer = embedded()

        def callback(error, message):
            seen.append(message.value())
            if message.value() == b"0":
                producer.poll(0)
                producer.flush(20)
            if message.value() == b"3":
                producer.close()

        for n in range(4):
            producer.produce("t", b"%d" % n, partition=0, on_delivery=callback)
        self.flush_until_closed(producer)
        self.assertEqual(sorted(seen), [b"0", b"1", b"2", b"3"])
        self.assertTrue(producer.close())

    @shows("C42")
    def test_a_close_in_a_nested_turn_leaves_no_callback_out(self):
        seen = []
        producer = embedded(**{"linger.ms": 200})

        def callback(error, message):
            seen.append(message.value())
            if message.value() == b"0":
                # Another turn inside of this one, with the reports of the second batch.
                producer.produce("t", b"3", partition=0, on_delivery=callback)
                producer.flush(20)
            if message.value() == b"3":
                producer.close()

        for n in range(3):
            producer.produce("t", b"%d" % n, partition=0, on_delivery=callback)
        self.flush_until_closed(producer)
        self.assertEqual(sorted(seen), [b"0", b"1", b"2", b"3"])


if __name__ == "__main__":
    unittest.main()
