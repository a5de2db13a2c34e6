"""Many records in one call: dicts, lists, buffers, numpy, Arrow."""

import array
import unittest

from ottla import KafkaError, KafkaException, Producer
from tests.cases import shows

try:
    import numpy
except ImportError:
    numpy = None
try:
    import pyarrow
except ImportError:
    pyarrow = None


class Batch(unittest.TestCase):
    def setUp(self):
        self.producer = Producer({"test.mock.num.brokers": 1, "linger.ms": 0})
        self.addCleanup(self.producer.close)
        self.cluster = self.producer.mock_cluster()
        self.cluster.create_topic("t", 1)
        # So that the topic is known, and wrong partitions are refused at once.
        self.producer.produce("t", b"first")
        self.producer.flush(20)

    def stored(self, what="value"):
        self.assertEqual(self.producer.flush(20), 0)
        return [getattr(m, what)() for m in self.cluster.records("t", 0)[1:]]

    @shows("C07")
    def test_confluents_dicts(self):
        seen, own = [], []
        messages = [
            {"value": "a", "key": b"k", "unknown": 1},
            {"value": b"b", "partition": 7},
            {"value": None, "headers": {"h": "1"}, "timestamp": 77, "callback": lambda e, m: own.append(m.value())},
            {"value": bytes(2_000_000)},
        ]
        count = self.producer.produce_batch("t", messages, on_delivery=lambda e, m: seen.append(m.value()))
        self.assertEqual(count, 2)
        self.assertEqual(messages[1]["_error"], KafkaError._UNKNOWN_PARTITION)
        self.assertEqual(messages[3]["_error"], KafkaError.MSG_SIZE_TOO_LARGE)
        self.assertNotIn("_error", messages[0])
        self.assertEqual(self.stored(), [b"a", None])
        self.assertEqual((seen, own), ([b"a"], [None]))
        last = self.cluster.records("t", 0)[-1]
        self.assertEqual((last.headers(), last.timestamp()[1]), ([("h", b"1")], 77))
        for wrong in ("text", [1]):
            with self.assertRaises(TypeError):
                self.producer.produce_batch("t", wrong)

    def test_lists_with_everything(self):
        seen = []
        count = self.producer.produce_batch(
            "t", values=[b"a", None, "c", bytearray(b"d")], keys=["k", None, b"", b"x"],
            headers=[{"h": "1"}, None, [("i", None), ("j", b"2")], []], timestamps=[1, 2, 3, 4], partitions=[0, 0, 0, 0],
            on_delivery=lambda e, m: seen.append((e, m.key(), m.value(), m.headers(), m.timestamp(), m.offset())),
        )  # fmt: skip
        self.assertEqual(count, 4)
        self.assertEqual(self.stored(), [b"a", None, b"c", b"d"])
        self.assertEqual(self.stored("key"), [b"k", None, b"", b"x"])
        headers = [[("h", b"1")], None, [("i", None), ("j", b"2")], None]
        self.assertEqual(self.stored("headers"), headers)
        self.assertEqual([when for _, when in self.stored("timestamp")], [1, 2, 3, 4])
        self.assertEqual([s[:3] for s in seen], [(None, b"k", b"a"), (None, None, None), (None, b"", b"c"), (None, b"x", b"d")])
        self.assertEqual([s[3] or None for s in seen], headers)
        self.assertEqual([s[5] for s in seen], [1, 2, 3, 4])
        self.assertEqual(self.producer._chunks, {})

    def test_lists_of_every_shape_one_after_another(self):
        wide = memoryview(array.array("H", [1, 2]))
        lists = [
            [b"aa", b"bb"], [b"a", b"bbb"], [b"", b""], [b"aa", None], [None, None], [b"", None], [b"cc", b"dd"],
            [wide, b"xxxx"], [wide, wide], ["zz", b"yy"], [bytearray(b"1"), b"2"], (b"tt", b"uu"), ["é", "é"], [None, b""],
        ]  # fmt: skip
        expected = []
        for n, values in enumerate(lists):
            keys = lists[-1 - n]
            self.assertEqual(self.producer.produce_batch("t", values=values, keys=keys), 2)
            plain = [[v.encode() if isinstance(v, str) else v and bytes(v) for v in some] for some in (values, keys)]
            expected += zip(*plain)
        self.assertEqual(list(zip(self.stored(), self.stored("key"))), expected)

    @shows("C06")
    def test_the_same_headers_for_all_and_a_large_batch(self):
        values = [b"%d" % n for n in range(20_000)]
        self.assertEqual(self.producer.produce_batch("t", values=values, headers={"a": "b"}), 20_000)
        self.assertEqual(self.stored(), values)
        self.assertEqual(set(map(tuple, self.stored("headers"))), {(("a", b"b"),)})
        self.assertEqual(self.producer._chunks, {})

    def test_after_what_was_staged(self):
        for n in range(50):
            self.producer.produce("t", b"%d" % n)
        self.producer.produce_batch("t", values=[b"50", b"51"])
        self.producer.produce("t", b"52")
        self.assertEqual(self.stored(), [b"%d" % n for n in range(53)])

    @shows("C07")
    def test_what_cannot_be_sent_stops_it(self):
        with self.assertRaises(KafkaException) as caught:
            self.producer.produce_batch("t", values=[b"a", b"b", b"c"], partitions=[0, 9, 0])
        self.assertEqual((caught.exception.error, caught.exception.accepted), (KafkaError._UNKNOWN_PARTITION, 1))
        self.assertEqual(self.stored(), [b"a"])
        for wrong in ({"values": [1]}, {"values": [b"a"], "keys": []}, {}, {"values": [b"a"], "timestamps": ["x"]}):
            with self.assertRaises((TypeError, ValueError)):
                self.producer.produce_batch("t", **wrong)
        self.assertEqual(self.stored(), [b"a"])

    def test_no_room_is_told_by_the_count(self):
        producer = Producer({"test.mock.num.brokers": 1, "linger.ms": 0, "queue.buffering.max.messages": 10})
        self.addCleanup(producer.close)
        producer.mock_cluster().set_delay(0.1, api_key=0)
        seen = []
        first = producer.produce_batch("t", values=[b"x"] * 100, on_delivery=lambda e, m: seen.append(e))
        self.assertEqual(first, 10)
        rest = producer.produce_batch("t", values=[b"x"] * 90, on_delivery=lambda e, m: seen.append(e), block=30)
        self.assertEqual(rest, 90)
        self.assertEqual(producer.flush(20), 0)
        self.assertEqual((seen, producer._chunks), ([None] * 100, {}))

    def test_a_list_that_shrinks_meanwhile_is_told(self):
        producer = Producer({"test.mock.num.brokers": 1, "linger.ms": 0, "queue.buffering.max.messages": 10})
        self.addCleanup(producer.close)
        producer.mock_cluster().create_topic("t", 1)
        values = [b"x" * (n + 1) for n in range(100)]
        seen = []

        def shrink(error, message):
            seen.append(message.value())
            del values[13:]

        with self.assertRaises(ValueError):
            producer.produce_batch("t", values=values, on_delivery=shrink, block=30)
        self.assertEqual(producer.flush(20), 0)
        self.assertEqual(seen, [b"x" * (n + 1) for n in range(len(seen))])

    def test_data_and_offsets(self):
        data = b"aabccc"
        for kind in "iq":
            offsets = array.array(kind, [0, 2, 2, 3, 6])
            self.producer.produce_batch("t", values=(data, offsets), keys=(bytearray(data), offsets))
        self.assertEqual(self.stored(), [b"aa", b"", b"b", b"ccc"] * 2)
        self.assertEqual(self.stored("key"), [b"aa", b"", b"b", b"ccc"] * 2)
        with self.assertRaises(KafkaException):
            self.producer.produce_batch("t", values=(data, array.array("i", [0, 7])))
        with self.assertRaises(TypeError):
            self.producer.produce_batch("t", values=(data, array.array("d", [0])))

    @unittest.skipUnless(numpy, "numpy is not here")
    def test_numpy(self):
        send = self.producer.produce_batch
        send("t", values=numpy.array([b"ab", b"c"]), keys=numpy.array(["ä", "k"]))
        send("t", values=numpy.array([b"x", None, "y"], dtype=object))
        send("t", values=numpy.frombuffer(b"aabbcc", dtype=numpy.uint8).reshape(3, 2))
        send("t", values=numpy.frombuffer(b"aXbXcX", dtype=numpy.uint8).reshape(3, 2)[:, :1])
        when = numpy.array([5, 6], dtype=numpy.int64)
        send("t", values=(numpy.frombuffer(b"pqr", dtype=numpy.uint8), numpy.array([0, 1, 3])), timestamps=when,
             partitions=numpy.zeros(2, dtype=numpy.int32))  # fmt: skip
        self.assertEqual(self.stored(), [b"ab", b"c", b"x", None, b"y", b"aa", b"bb", b"cc", b"a", b"b", b"c", b"p", b"qr"])
        self.assertEqual(self.stored("key")[:2], ["ä".encode(), b"k"])
        self.assertEqual([w for _, w in self.stored("timestamp")[-2:]], [5, 6])

    @unittest.skipUnless(pyarrow, "pyarrow is not here")
    def test_arrow(self):
        seen, wanted = [], []
        plain = [b"a", None, b"", b"a long one that fits into no view"]
        types = [pyarrow.binary(), pyarrow.large_binary(), pyarrow.string(), pyarrow.large_string(), pyarrow.string_view(),
                 pyarrow.binary_view()]  # fmt: skip
        for kind in types:
            column = pyarrow.array(plain, pyarrow.binary()).cast(pyarrow.string()).cast(kind)
            for some in (column, column[1:3], column[1:]):
                self.producer.produce_batch("t", values=some, keys=some, on_delivery=lambda e, m: seen.append(m.value()))
                wanted += [item and item.encode() if isinstance(item, str) else item for item in some.to_pylist()]
        fixed = pyarrow.array([b"ab", None, b"cd"], pyarrow.binary(2))
        self.producer.produce_batch("t", values=fixed[1:])
        chunked = pyarrow.chunked_array([[b"1", None], [], [b"2"]], pyarrow.binary())
        self.producer.produce_batch("t", values=chunked, on_delivery=lambda e, m: seen.append(m.value()))
        self.producer.produce_batch("t", values=pyarrow.nulls(2))
        wanted = [b"" if item == "" else item for item in wanted]
        self.assertEqual(self.stored(), wanted + [None, b"cd", b"1", None, b"2", None, None])
        self.assertEqual(seen, wanted + [b"1", None, b"2"])
        for wrong in (pyarrow.array([1, 2]), pyarrow.array(["a", "a"]).dictionary_encode()):
            with self.assertRaises(TypeError):
                self.producer.produce_batch("t", values=wrong)


if __name__ == "__main__":
    unittest.main()
