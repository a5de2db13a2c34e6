"""A running kafka-dev cluster for the programs of this folder. Knows nothing of what they produce."""
import json
import os
import subprocess
import time

KAFKA_DEV = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka-dev")
# A killed or paused broker loses its leaderships after three seconds instead of nine.
FAST_FAILOVER = ["broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500"]
COMMON = ["log.segment.bytes=268435456", "log.flush.interval.messages=9223372036854775807"]


class Broken(Exception):
    """The cell could not be carried out."""


class Cluster:
    """One running kafka-dev cluster, in a folder of its own."""

    def __init__(self, folder, brokers, version=None, properties=()):
        self.folder = folder
        self.brokers = brokers
        try:
            words = ["start", "--brokers", str(brokers), "--heap", "768m"]
            words += ["--version", version] if version else []
            chosen = COMMON + list(properties) + (FAST_FAILOVER if not version else [])
            self.tool(*words, *[word for setting in chosen for word in ("--prop", setting)])
            self.bootstrap = json.loads(self.tool("env", "--json"))["bootstrap"]["plaintext"]
        except BaseException:
            self.stop()
            raise

    def create(self, topics, partitions):
        self.tool("topic", "create", ",".join(topics), "--partitions", str(partitions),
                  "--config", f"min.insync.replicas={min(2, self.brokers)}",
                  "--config", "retention.ms=-1")       # the formula's timestamps are years old

    def command(self, *words):
        return [KAFKA_DEV, words[0], "--dir", self.folder, *words[1:]]

    def tool(self, *words):
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Broken(f"kafka-dev {' '.join(words)}: {done.stderr[-2000:]}")
        return done.stdout

    def leader(self, topic):
        return str(json.loads(self.tool("topic", "describe", topic))["partitions"][0]["leader"])

    def wait_in_sync(self, topic):
        """Until every replica follows again, so that the next fault meets a whole cluster."""
        deadline = time.time() + 60
        while time.time() < deadline:
            partitions = json.loads(self.tool("topic", "describe", topic))["partitions"]
            if all(len(partition["isr"]) == len(partition["replicas"]) for partition in partitions):
                return
            time.sleep(0.5)
        raise Broken("a replica does not come back into sync")

    def stop(self):
        self.tool("stop", "--purge", "--grace", "1")


def tail(log):
    log.flush()
    log.seek(0)
    return log.read()[-2000:]
