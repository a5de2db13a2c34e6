"""The process around a producer: Ctrl-C, fork, the exit of the interpreter, finding the library. Each in its own."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import unittest
from tests.cases import shows

PREAMBLE = """
import os, sys, time, threading
from ottla import *
def embedded(**settings):
    return Producer({"test.mock.num.brokers": 1, **settings})
"""


def run(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip


class Process(unittest.TestCase):
    def interrupted(self, call):
        # A shell that runs the tests in the background has them, and so the child, ignore SIGINT.
        script = f"""
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        producer = embedded(**{{"linger.ms": 60000}})
        cluster = producer.mock_cluster()
        producer.wait_ready()
        cluster.set_delay(60)
        producer.produce("t", b"x")
        try:
            print("ready", flush=True)
            {call}
            print("came back", flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        os._exit(0)
        """
        child = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
        )
        with child:
            self.assertEqual(child.stdout.readline(), "ready\n")
            time.sleep(0.3)
            begun = time.monotonic()
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.stdout.readline(), "interrupted\n")
            self.assertLess(time.monotonic() - begun, 20)

    @shows("C82")
    def test_ctrl_c_is_heard_at_once(self):
        for call in ("producer.poll()", "producer.flush()", "producer.close()"):
            with self.subTest(call=call):
                self.interrupted(call)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    @shows("C80")
    def test_a_forked_child_gets_an_error_from_every_call_and_never_hangs(self):
        done = run(
            """
            cluster = MockCluster(1)
            producer = Producer(bootstrap_servers=cluster.bootstrap_servers)
            producer.produce("t", b"x", on_delivery=lambda *_: None)
            busy = threading.Thread(target=producer.poll, args=(5,))
            busy.start()
            child = os.fork()
            if child == 0:
                calls = [lambda: producer.produce("t", b"x"), lambda: producer.poll(), lambda: producer.flush(),
                         lambda: producer.produce("u", b"x"), lambda: len(producer), lambda: producer.purge(),
                         lambda: producer.wait_ready(), lambda: producer.close(),
                         lambda: cluster.create_topic("n"), lambda: cluster.close()]
                codes = set()
                for call in calls:
                    try:
                        call()
                        codes.add("no error")
                    except KafkaException as error:
                        codes.add(error.error.status.name)
                        text = error.error.str()
                with embedded() as own:
                    own.produce("t", b"y")
                    left = own.flush(20)
                print(codes, left, "fork" in text, flush=True)
                sys.exit(0)
            _, status = os.waitpid(child, 0)
            busy.join()
            print(status, producer.flush(20), flush=True)
            """
        )
        self.assertEqual(done.stdout, "{'FORKED'} 0 True\n0 0\n", done.stderr)

    @shows("C81")
    def test_the_interpreter_may_exit_with_everything_open(self):
        done = run(
            """
            cluster = MockCluster(1)
            producer = embedded(**{"linger.ms": 60000})
            other = Producer(bootstrap_servers=cluster.bootstrap_servers)
            other.wait_ready(20)
            producer.produce("t", b"x", on_delivery=lambda *_: None)
            for wait in (producer.poll, other.poll):
                threading.Thread(target=wait, daemon=True).start()
            time.sleep(0.2)
            """
        )
        # A thread that is still polling may say that its producer was closed, or be ended before.
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a producer was not closed: 1 records", done.stderr)

    def test_the_library_is_named_when_it_is_missing_or_wrong(self):
        done = run("", OTTLA_LIBRARY="/nowhere/libottla.so")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("set OTTLA_LIBRARY", done.stderr)
        self.assertIn("/nowhere/libottla.so", done.stderr)


if __name__ == "__main__":
    unittest.main()
