"""What is staged is on its way at once, in order, and neither lost nor doubled whatever comes in between."""

import ctypes
import linecache
import sys
import threading
import time
import unittest

from ottla import KafkaError, MockCluster, Producer
from ottla._columns import WIDTH
from tests.cases import shows


def embedded(**settings):
    return Producer({"test.mock.num.brokers": 1, "linger.ms": 0, **settings})


def fill_quickly(producer, count, **arguments):
    """Sends records so fast that they are staged."""
    for n in range(count):
        producer.produce("t", b"%d" % n, partition=-1, **arguments)


class Stage(unittest.TestCase):
    def test_nothing_stays_in_it(self):
        with embedded() as producer:
            producer.mock_cluster().create_topic("t", 1)
            producer.produce("t", b"first")
            producer.flush(20)
            fill_quickly(producer, 700)
            # Nobody polls or flushes: the ticker does it.
            deadline = time.monotonic() + 10
            while producer.mock_cluster().end_offset("t", 0) < 701 and time.monotonic() < deadline:
                time.sleep(0.001)
            stored = [m.value() for m in producer.mock_cluster().records("t", 0)]
        self.assertEqual(stored, [b"first"] + [b"%d" % n for n in range(700)])

    def test_a_record_after_a_pause_goes_at_once(self):
        with embedded() as producer:
            fill_quickly(producer, 100)
            producer.flush(20)
            deadline = time.monotonic() + 10
            while producer._busy and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertFalse(producer._busy)
            producer.produce("t", b"x")
            self.assertEqual(len(producer._stage), 1)

    def test_records_of_every_kind_keep_their_order(self):
        with embedded() as producer:
            producer.mock_cluster().create_topic("t", 1)
            producer.produce("t", b"")
            producer.flush(20)
            for n in range(600):
                value = [b"%d" % n, str(n), bytearray(b"%d" % n), b"%d" % n, (b"%d" % n).ljust(20_000)][n % 5]
                headers = {"n": str(n)} if n % 5 == 3 else None
                producer.produce("t", value, partition=0 if n % 7 == 0 else -1, headers=headers, timestamp=n % 3)
            producer.flush(20)
            got = [(int(m.value()), m.headers()) for m in producer.mock_cluster().records("t", 0)[1:]]
        self.assertEqual(got, [(n, [("n", b"%d" % n)] if n % 5 == 3 else None) for n in range(600)])

    def test_topics_in_turn(self):
        with embedded() as producer:
            for n in range(300):
                producer.produce(f"t{n % 3}", b"%d" % n, partition=0)
            producer.flush(20)
            for topic in range(3):
                stored = [int(m.value()) for m in producer.mock_cluster().records(f"t{topic}", 0)]
                self.assertEqual(stored, list(range(topic, 300, 3)))

    def test_without_room_the_order_is_kept_and_nothing_else_is_taken(self):
        seen = []
        with embedded(**{"queue.buffering.max.messages": 50}) as producer:
            cluster = producer.mock_cluster()
            cluster.create_topic("t", 1)
            producer.produce("t", b"-1", on_delivery=lambda _, m: seen.append(int(m.value())))
            producer.flush(20)
            cluster.set_delay(0.05, api_key=0)
            full = 0
            for n in range(500):
                while True:
                    try:
                        producer.produce("t", b"%d" % n, on_delivery=lambda _, m: seen.append(int(m.value())))
                        break
                    except BufferError:
                        full += 1
                        self.assertLessEqual(len(producer), 50)
                        producer.poll(0.1)
            cluster.clear_faults()
            producer.flush(20)
            stored = [int(m.value()) for m in cluster.records("t", 0)]
        self.assertGreater(full, 0)
        self.assertEqual((stored, seen), (list(range(-1, 500)),) * 2)

    def test_a_place_is_a_records_until_its_report_and_no_longer(self):
        with embedded(**{"queue.buffering.max.messages": 100}) as producer:
            producer.mock_cluster().create_topic("t", 1)
            in_callback = []

            def again(error, message):
                producer.produce("t", b"again")
                in_callback.append(error)

            for n in range(100):
                producer.produce("t", b"%d" % n, on_delivery=again if n % 10 == 0 else None)
            for _ in range(50):
                # Reported or not: what nobody has polled keeps its place, and has only one.
                self.assertRaises(BufferError, producer.produce, "t", b"no")
                before = len(in_callback)
                served = producer.poll(20)
                self.assertGreater(served, 0)
                for n in range(served - (len(in_callback) - before)):
                    producer.produce("t", b"%d" % n, on_delivery=again if n % 10 == 0 else None)
            producer.flush(20)
            self.assertGreater(len(in_callback), 10)
            self.assertEqual(set(in_callback), {None})

    def test_a_batch_takes_the_room_of_the_stage(self):
        with embedded(**{"queue.buffering.max.messages": 100, "linger.ms": 1000}) as producer:
            producer.mock_cluster().create_topic("t", 1)
            producer.mock_cluster().set_delay(60, api_key=0)
            fill_quickly(producer, 3)
            taken = 3 + producer.produce_batch("t", values=[b"x"] * 96)
            with self.assertRaises(BufferError):
                for _ in range(200):
                    producer.produce("t", b"x")
                    taken += 1
            self.assertLessEqual(taken, 100)
            producer.purge()

    def test_block_waits_for_room(self):
        with embedded(**{"queue.buffering.max.messages": 5}) as producer:
            producer.mock_cluster().set_delay(0.05, api_key=0)
            for n in range(50):
                producer.produce("t", b"%d" % n, partition=0, block=20)
            producer.mock_cluster().set_delay(60, api_key=0)
            begun = time.monotonic()
            with self.assertRaises(BufferError):
                for n in range(50):
                    producer.produce("t", b"no", partition=0, block=0.2)
            self.assertLess(time.monotonic() - begun, 10)
            producer.mock_cluster().clear_faults()
            producer.purge()

    def test_a_staged_record_that_is_refused_is_reported(self):
        seen = []
        with embedded() as producer:
            producer.mock_cluster().create_topic("t", 1)
            fill_quickly(producer, 10, on_delivery=lambda e, m: seen.append((e and e.code(), m.value())))
            with producer._lock:
                # What the checks of produce() let through and the library does not.
                producer._stage += (producer._numbers["t"], b"bad", None, lambda e, m: seen.append((e.code(), m.value())),
                                    (7, 0, None))  # fmt: skip
            producer.produce("t", b"last", on_delivery=lambda e, m: seen.append((e and e.code(), m.value())))
            producer.flush(20)
        self.assertEqual(len(seen), 12)
        self.assertIn((KafkaError._UNKNOWN_PARTITION, b"bad"), seen)
        self.assertIn((None, b"last"), seen)

    def test_threads_close_while_others_send(self):
        for _ in range(10):
            counted, accepted = [], [0] * 4
            producer = embedded(**{"linger.ms": 1})
            cluster = MockCluster(1)

            def send(number, producer=producer, counted=counted, accepted=accepted):
                try:
                    while True:
                        producer.produce("t", b"x", on_delivery=lambda *_: counted.append(1))
                        accepted[number] += 1
                except RuntimeError:
                    pass
                except BufferError:
                    pass

            threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.02)
            producer.close()
            for thread in threads:
                thread.join(20)
            cluster.close()
            self.assertEqual(len(counted), sum(accepted))
            self.assertEqual(len(producer._stage), 1)


class Interrupted(unittest.TestCase):
    """An exception (Ctrl-C, say) raised at each place of the code in turn: afterwards every record is there once, and
    every callback was called once."""

    where = ""

    def interrupted_at(self, place, body):
        """Runs body; a KeyboardInterrupt comes at the place-th line of this package. Whether it came."""
        lines = 0

        def trace(frame, event, argument):
            nonlocal lines
            name = frame.f_code.co_filename
            if "/ottla/" not in name or name.endswith(("_ticker.py", "_library.py", "message.py")) or "tests" in name:
                return None
            # The interpreter lets nothing come between a lock's release and the line that asks for it; a trace would.
            if event == "line" and not linecache.getline(name, frame.f_lineno).lstrip().startswith("with "):
                lines += 1
                if lines == place:
                    self.where = f"{name}:{frame.f_lineno}"
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            body()
            return False
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(None)

    def run_everywhere(self, body_of):
        place, interrupted = 1, True
        while interrupted:
            seen = []
            with embedded() as producer:
                producer.mock_cluster().create_topic("t", 1)
                producer.produce("t", b"first", on_delivery=lambda _, m: seen.append(m.value()))
                producer.flush(20)
                producer._busy, producer._limit = True, 1 + WIDTH * 512
                for n in range(20):
                    producer.produce("t", b"%d" % n, on_delivery=lambda _, m: seen.append(m.value()))
                self.assertEqual(len(producer._stage), 1 + 20 * WIDTH)
                interrupted = self.interrupted_at(place, body_of(producer))
                self.assertEqual(producer.flush(20), 0)
                stored = [m.value() for m in producer.mock_cluster().records("t", 0)]
                wanted = [b"first"] + [b"%d" % n for n in range(20)]
                self.assertEqual(stored, wanted, self.where)
                self.assertEqual(seen, wanted, self.where)
            place += 1
        self.assertGreater(place, 30)

    def test_emptying_the_stage(self):
        def body_of(producer):
            def body():
                with producer._lock:
                    producer._spill()

            return body

        self.run_everywhere(body_of)

    def test_serving_reports(self):
        def body_of(producer):
            with producer._lock:
                producer._spill()
            self.assertEqual(_native_flush(producer), 0)

            def body():
                while producer._serve():
                    pass

            return body

        self.run_everywhere(body_of)


def _native_flush(producer):
    from ottla._library import lib

    return lib.ottla_producer_flush(producer._handle, 20_000, None)


class Words(unittest.TestCase):
    @shows("C26")
    def test_poll_reads_a_word(self):
        with embedded() as producer:
            producer.produce("t", b"x")
            _native_flush(producer)
            self.assertEqual(ctypes.c_uint32.from_buffer_copy(producer._words).value, 1)
            self.assertEqual(producer.poll(0), 1)
            self.assertEqual(producer._words[0], 0)
            self.assertEqual(producer.poll(0), 0)
        with self.assertRaises(RuntimeError):
            producer.poll(0)


if __name__ == "__main__":
    unittest.main()
