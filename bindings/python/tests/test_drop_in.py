"""What programs written for confluent_kafka see: names, arguments, texts, codes, where callbacks run."""

import logging
import pickle
import threading
import unittest
from unittest import mock

import ottla
from ottla import KafkaError, KafkaException, Message, MockCluster, Producer, SerializingProducer, ThrottleEvent, TopicPartition
from ottla.admin import ClusterMetadata
from ottla.error import KeySerializationError, ProduceError, ValueSerializationError
from ottla.serialization import IntegerSerializer, MessageField, StringSerializer
from tests.cases import shows


def embedded(conf=None, **settings):
    return Producer({"test.mock.num.brokers": 1, "linger.ms": 1, **(conf or {})}, **settings)


class Configuration(unittest.TestCase):
    def refused(self, conf, text, kind=KafkaException, code=KafkaError._INVALID_ARG):
        with self.assertRaises(kind) as caught:
            Producer({"bootstrap.servers": "127.0.0.1:1", **conf})
        if kind is KafkaException:
            self.assertEqual(caught.exception.args[0].code(), code)
            self.assertIn(text, caught.exception.args[0].str())
        else:
            self.assertEqual(str(caught.exception), text)

    def test_texts_of_refusals(self):
        self.refused({"x": 1}, 'No such configuration property: "x"')
        self.refused({1: 2}, 'No such configuration property: "1"')
        self.refused({"linger.ms": "x"}, 'Invalid value for configuration property "queue.buffering.max.ms"')
        self.refused({"linger.ms": -5}, 'Configuration property "queue.buffering.max.ms" value -5 is outside allowed range')
        self.refused({"delivery.report.only.error": "maybe"}, 'Expected bool value for "delivery.report.only.error"')
        self.refused({"log.connection.close": "maybe"}, 'Expected bool value for "log.connection.close": true or false')
        self.refused({"compression.type": "x"}, 'Invalid value "x" for configuration property "compression.codec"')
        self.refused({"linger.ms": 100, "message.timeout.ms": 50}, "`message.timeout.ms` must be greater than `linger.ms`")
        self.refused({"on_delivery": 5}, "on_delivery requires a callable object")
        for name in ("error_cb", "stats_cb", "oauth_cb"):
            for value in (5, None):
                self.refused({name: value}, f"expected {name} property as a callable function", TypeError)
        self.refused({"throttle_cb": 5}, "expected throttle_cb property as a callable function", ValueError)

    @shows("C12")
    def test_what_is_not_built_fails_loudly(self):
        for conf in ({"security.protocol": "SASL_SSL"}, {"ssl.ca.location": "/ca"}, {"statistics.interval.ms": 1000}):
            self.refused(conf, "not built into this version", code=KafkaError._NOT_IMPLEMENTED)
        with embedded() as producer:
            with self.assertRaises(TypeError):
                producer.set_sasl_credentials(None, "x")
            with self.assertRaises(KafkaException) as caught:
                producer.set_sasl_credentials("user", "x")
            self.assertEqual(caught.exception.error, KafkaError._NOT_IMPLEMENTED)

    def test_timeouts(self):
        with embedded() as producer:
            for wait in (producer.flush, producer.poll, lambda t: producer.list_topics("t", t)):
                with self.assertRaisesRegex(TypeError, "timeout must be real number, not str"):
                    wait("5")
            self.assertEqual((producer.flush(1e30), producer.poll(0), producer.flush(None)), (0, 0, 0))
            for forever in (-1, 1e30, float("inf")):
                self.assertIn("t", producer.list_topics("t", forever).topics)

    def test_sources_of_settings(self):
        for arguments in ((), (5,), (None,)):
            with self.assertRaisesRegex(TypeError, "expected configuration dict"):
                Producer(*arguments)
        conf = {"test.mock.num.brokers": 1, "linger.ms": "bad", "client.id": None, "stats_cb": print, "acks": -1}
        before = dict(conf)
        Producer(conf, **{"linger.ms": 5}).close()
        self.assertEqual(conf, before)
        conf = {"test.mock.num.brokers": "1", "default.topic.config": {"acks": "1"}, "log.connection.close": True}
        Producer(conf, linger_ms=3, log_level=3).close()

    def test_settings_of_consumers_are_named_and_ignored(self):
        logger = mock.Mock()
        embedded({"group.id": "g", "auto.offset.reset": "earliest", "logger": logger}).close()
        lines = [call.args[1] % call.args[2:] for call in logger.log.call_args_list]
        self.assertTrue(any("group.id is a consumer property" in line for line in lines), lines)

    def test_the_key_of_a_record_keeps_its_partition(self):
        with embedded() as producer:
            producer.mock_cluster().create_topic("t", 10)
            producer.produce("t", b"x", b"abc")
            producer.flush(20)
            self.assertEqual(producer.mock_cluster().end_offset("t", ottla.consistent(b"abc", 10)), 1)


class Errors(unittest.TestCase):
    def test_the_error(self):
        error = KafkaError(7)
        self.assertEqual((error.code(), error.name(), error.str()), (7, "REQUEST_TIMED_OUT", "Broker: Request timed out"))
        self.assertEqual(repr(error), 'KafkaError{code=REQUEST_TIMED_OUT,val=7,str="Broker: Request timed out"}')
        self.assertEqual(str(error), repr(error))
        self.assertTrue(error == 7 and error == KafkaError(7, "other") and error != 8 and error != "x")
        self.assertTrue(KafkaError(3) < error < 8 and error >= 7 and error <= KafkaError(7))
        self.assertEqual(hash(error), hash(7))
        full = KafkaError(error=-195, reason="why", fatal=True, retriable=True, txn_requires_abort=True)
        self.assertEqual(repr(full), 'KafkaError{FATAL,code=_TRANSPORT,val=-195,str="why"}')
        self.assertTrue(full.fatal() and full.retriable() and full.txn_requires_abort())
        copy = pickle.loads(pickle.dumps(full))
        self.assertEqual((repr(copy), copy.retriable()), (repr(full), True))
        self.assertEqual((KafkaError(12345).name(), KafkaError(12345).str()), ("ERR_12345?", "Err-12345?"))
        with self.assertRaises(TypeError):
            KafkaError("x")
        with self.assertRaises(KafkaError):
            raise error
        self.assertEqual(str(KafkaException(error)), repr(error))

    def test_codes_are_librdkafkas(self):
        wanted = {"_QUEUE_FULL": -184, "_MSG_TIMED_OUT": -192, "_ALL_BROKERS_DOWN": -187, "NO_ERROR": 0, "UNKNOWN": -1,
                  "UNKNOWN_TOPIC_OR_PART": 3, "NOT_LEADER_FOR_PARTITION": 6, "MSG_SIZE_TOO_LARGE": 10, "_FATAL": -150,
                  "_PURGE_INFLIGHT": -151, "INVALID_PRODUCER_EPOCH": 47, "_DESTROY_BROKER": -137}  # fmt: skip
        self.assertEqual({name: getattr(KafkaError, name) for name in wanted}, wanted)

    @shows("C21")
    def test_errors_of_produce(self):
        with embedded({"queue.buffering.max.messages": 2, "linger.ms": 60_000}) as producer:
            producer.mock_cluster().create_topic("t", 2)
            producer.list_topics("t", timeout=20)
            with self.assertRaises(KafkaException) as caught:
                producer.produce("t", bytes(2_000_000))
            error = caught.exception.args[0]
            self.assertEqual(error.code(), KafkaError.MSG_SIZE_TOO_LARGE)
            self.assertIn("Unable to produce message: Broker: Message size too large", error.str())
            producer.produce("t", b"1")
            producer.produce("t", b"2")
            self.assertEqual(len(producer), 2)
            with self.assertRaises(BufferError) as full:
                producer.produce("t", b"3")
            self.assertEqual(str(full.exception), "Local: Queue full")
            producer.purge()
            self.assertEqual(producer.flush(20), 0)
            producer.produce("t", b"4")
            for arguments, text in [
                (("t", 5), "a bytes-like object is required, not 'int'"),
                (("t", b"x", 5), "a bytes-like object is required, not 'int'"),
                (("t", b"x", None, None), "'NoneType' object cannot be interpreted as an integer"),
                (("t", b"x", None, 1.5), "'float' object cannot be interpreted as an integer"),
                (("t", b"x", None, -1, None, None, "1"), "'str' object cannot be interpreted as an integer"),
                (("t", b"x", None, -1, None, None, 0, 5), "expected headers to be dict or list of (key, value) tuples, not int"),
                (("t", b"x", None, -1, None, None, 0, [1]), "Headers are expected to be a list of (key, value) tuples"),
                (("t", b"x", None, -1, None, None, 0, {"a": 1}),
                 "expected header value to be None, binary, or unicode string, not int"),
            ]:
                with self.assertRaises(TypeError) as wrong:
                    producer.produce(*arguments)
                self.assertEqual(str(wrong.exception), text)
            producer.purge()

    def test_no_cluster(self):
        with Producer({"bootstrap.servers": "127.0.0.1:1"}) as producer:
            for call in (lambda: producer.list_topics(timeout=0.5), lambda: producer.cluster_id(0.5)):
                with self.assertRaises(KafkaException) as caught:
                    call()
                self.assertIn(caught.exception.args[0].code(), (KafkaError._TRANSPORT, KafkaError._TIMED_OUT))


class Shapes(unittest.TestCase):
    def test_message(self):
        message = Message("t", 1, 2, b"k", b"v", [("a", b"1")], None, (1, 55), 0.1, 3)
        self.assertEqual(message.timestamp(), (1, 55))
        self.assertEqual((message.offset(), message.headers(), message.latency(), message.leader_epoch()),
                         (2, [("a", b"1")], 0.1, 3))  # fmt: skip
        self.assertEqual(pickle.loads(pickle.dumps(message)), message)
        empty = Message()
        self.assertEqual((empty.topic(), empty.partition(), empty.offset(), empty.key(), empty.value(), len(empty)),
                         (None, None, None, None, None, 0))  # fmt: skip
        self.assertEqual((empty.timestamp(), empty.error(), empty.latency()), ((0, 0), None, None))
        empty.set_value(5), empty.set_key("k"), empty.set_topic("q"), empty.set_headers([]), empty.set_error(KafkaError(1))
        self.assertEqual((empty.value(), empty.key(), empty.topic(), empty.headers(), empty.error()), (5, "k", "q", [], 1))
        with self.assertRaises(TypeError):
            hash(empty)
        self.assertIs(Message[str, bytes], Message)

    def test_a_reports_message_changes_alone(self):
        seen = []
        with embedded() as producer:
            for n in range(3):
                producer.produce("t", b"%d" % n, partition=0, on_delivery=lambda _, m: seen.append(m))
            producer.flush(20)
        seen[1].set_topic("other")
        self.assertEqual([(m.topic(), m.offset(), m.value()) for m in seen], [("t", 0, b"0"), ("other", 1, b"1"), ("t", 2, b"2")])

    def test_topic_partition_and_throttle_event(self):
        one = TopicPartition("t", 1, 5, "meta", 3)
        self.assertEqual(str(one), "TopicPartition{topic=t,partition=1,offset=5,leader_epoch=3,error=None}")
        self.assertTrue(one == TopicPartition("t", 1) and one < TopicPartition("t", 2) < TopicPartition("u"))
        self.assertEqual(len({one, TopicPartition("t", 1)}), 1)
        self.assertEqual(TopicPartition("t").offset, ottla.OFFSET_INVALID)
        self.assertEqual(pickle.loads(pickle.dumps(one)).metadata, "meta")
        self.assertEqual(str(ThrottleEvent("b", 1, 0.5)), "b/1 throttled for 500 ms")

    def test_module(self):
        self.assertEqual((ottla.OFFSET_BEGINNING, ottla.OFFSET_END, ottla.OFFSET_STORED), (-2, -1, -1000))
        self.assertEqual(ottla.libversion()[0], ottla.version())
        self.assertEqual(
            [f(b"abc", 10) for f in (ottla.murmur2, ottla.consistent, ottla.fnv1a)], [7, 8, 1]
        )
        self.assertEqual([ottla.murmur2(b"a" * n, 1000) for n in range(5)], [681, 524, 471, 727, 461])
        with self.assertRaisesRegex(ValueError, "partition_count must be > 0, got 0"):
            ottla.murmur2(b"x", 0)
        with self.assertRaises(TypeError):
            ottla.fnv1a("x", 1)

    @shows("C63")
    def test_list_topics(self):
        with MockCluster(3) as cluster, Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
            cluster.create_topic("t", 2, 3)
            found = producer.list_topics(timeout=20)
            self.assertIsInstance(found, ClusterMetadata)
            self.assertEqual((sorted(found.brokers), found.cluster_id), ([1, 2, 3], producer.cluster_id(20)))
            partition = found.topics["t"].partitions[1]
            self.assertEqual((sorted(partition.replicas), sorted(partition.isrs)), ([1, 2, 3], [1, 2, 3]))
            self.assertIn(partition.leader, (1, 2, 3))
            self.assertIn(found.brokers[1].host, str(found.brokers[1]))
            missing = producer.list_topics("missing", timeout=20).topics["missing"]
            self.assertEqual(missing.error, KafkaError.UNKNOWN_TOPIC_OR_PART)
        with self.assertRaisesRegex(RuntimeError, "Handle has been closed"):
            producer.list_topics(timeout=1)


class CallbacksRun(unittest.TestCase):
    def test_on_the_thread_that_polls(self):
        threads = []
        with embedded(on_delivery=lambda *_: threads.append(threading.get_ident())) as producer:
            producer.produce("t", b"x")
            worker = threading.Thread(target=producer.flush)
            worker.start()
            worker.join()
            self.assertEqual(threads, [worker.ident])

    def test_a_callback_that_is_none_fails_when_it_is_called(self):
        with embedded() as producer:
            producer.produce("t", b"x", callback=5)
            with self.assertRaises(TypeError):
                producer.flush(20)

    def test_only_errors(self):
        seen = []
        conf = {"delivery.report.only.error": True, "retries": 0, "on_delivery": lambda e, m: seen.append((e, m.value()))}
        with embedded(conf) as producer:
            producer.mock_cluster().create_topic("t", 1)
            producer.produce("t", b"good")
            producer.flush(20)
            producer.mock_cluster().push_partition_errors("t", 0, [KafkaError.INVALID_RECORD])
            producer.produce("t", b"bad")
            producer.flush(20)
            self.assertEqual(producer._chunks, {})
        self.assertEqual(seen, [(KafkaError.INVALID_RECORD, b"bad")])

    def test_errors_and_log_lines(self):
        errors, logger = [], mock.Mock()
        conf = {"bootstrap.servers": "127.0.0.1:1", "error_cb": errors.append, "logger": logger}
        with Producer(conf) as producer:
            for _ in range(100):
                producer.poll(0.1)
                if KafkaError._ALL_BROKERS_DOWN in errors:
                    break
        self.assertIn(KafkaError._ALL_BROKERS_DOWN, errors)
        lines = [(call.args[0], call.args[1] % call.args[2:]) for call in logger.log.call_args_list]
        self.assertTrue(any(level == 40 and "127.0.0.1:1" in line and "#producer" in line for level, line in lines), lines)

    def test_log_lines_go_to_logging_without_a_logger(self):
        with self.assertLogs("ottla", logging.WARNING) as lines:
            with Producer({"bootstrap.servers": "127.0.0.1:1"}) as producer:
                for _ in range(200):
                    producer.poll(0.1)
                    if lines.output:
                        break


class Serializing(unittest.TestCase):
    def test_serializers_see_the_topic_and_may_add_headers(self):
        contexts = []

        def value_of(obj, context):
            contexts.append((context.topic, context.field))
            context.headers.append(("added", b"1"))
            return str(obj).encode()

        conf = {"test.mock.num.brokers": 1, "key.serializer": StringSerializer(), "value.serializer": value_of}
        with SerializingProducer(conf) as producer:
            producer.produce("t", "key", 5, 0, headers=[("own", b"2")])
            producer.flush(20)
            [record] = producer.mock_cluster().records("t", 0)
        self.assertEqual((record.key(), record.value()), (b"key", b"5"))
        self.assertEqual((record.headers(), contexts), ([("own", b"2"), ("added", b"1")], [("t", MessageField.VALUE)]))

    def test_failures_name_the_part(self):
        conf = {"test.mock.num.brokers": 1, "key.serializer": IntegerSerializer(), "value.serializer": IntegerSerializer()}
        with SerializingProducer(conf) as producer:
            for arguments, kind, code in [
                (("x", 1), KeySerializationError, KafkaError._KEY_SERIALIZATION),
                ((1, "x"), ValueSerializationError, KafkaError._VALUE_SERIALIZATION),
            ]:
                with self.assertRaises(kind) as caught:
                    producer.produce("t", *arguments)
                self.assertEqual(caught.exception.code, code)
                self.assertIsInstance(caught.exception, ProduceError)
        with self.assertRaises(KafkaException):
            SerializingProducer({"test.mock.num.brokers": 1, "key.serializer": 5})


if __name__ == "__main__":
    unittest.main()
