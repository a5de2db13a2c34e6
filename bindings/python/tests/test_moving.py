"""A program as confluent_kafka's users write them does the same with only its import changed (where confluent_kafka is)."""

import importlib.util
import subprocess
import sys
import unittest
from pathlib import Path

from ottla import MockCluster

PROGRAM = Path(__file__).resolve().parents[3] / "examples" / "python" / "callbacks.py"


@unittest.skipUnless(PROGRAM.is_file(), "only in the repository")
class Moving(unittest.TestCase):
    def run_with(self, package):
        source = PROGRAM.read_text(encoding="utf-8")
        changed = source.replace("from ottla import", f"from {package} import")
        self.assertEqual(changed.count(f"from {package} import"), 1)
        with MockCluster(1) as cluster:
            cluster.create_topic("events", 4)
            done = subprocess.run([sys.executable, "-c", changed, cluster.bootstrap_servers], capture_output=True,
                                  text=True, timeout=120)  # fmt: skip
            stored = {
                (record.key(), record.value(), record.partition())
                for partition in range(4)
                for record in cluster.records("events", partition)
            }
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, stored

    def test_the_program_runs(self):
        output, stored = self.run_with("ottla")
        self.assertEqual((output, len(stored)), ("1000 stored, 0 left\n", 1000))

    @unittest.skipUnless(importlib.util.find_spec("confluent_kafka"), "confluent_kafka is not here")
    def test_and_does_what_it_does_with_confluent_kafka(self):
        self.assertEqual(self.run_with("ottla"), self.run_with("confluent_kafka"))


if __name__ == "__main__":
    unittest.main()
