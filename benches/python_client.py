#!/usr/bin/env python3
"""One run of a load through Python: ottla's package, or confluent_kafka. Started by benches/run, as the C clients are.

Both sides get the same calls of the same API; what differs is the import. For batches each gets its own fastest one: lists of
values and keys, and a list of dicts, made anew for each call as a program makes them.
"""

import argparse
import json
import resource
import sys
import time


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("client", "bootstrap", "topic", "values", "keys", "python", "mode"):
        parser.add_argument("--" + name)
    for name in ("size", "messages", "warmup"):
        parser.add_argument("--" + name, type=int)
    return parser.parse_args()


def pool(path, size):
    with open(path, "rb") as file:
        data = file.read()
    return [data[at : at + size] for at in range(0, len(data), size)]


class Client:
    def __init__(self, given):
        if given.client == "ottla":
            from ottla import Producer, version
        else:
            from confluent_kafka import Producer, version
        self.ottla, self.version = given.client == "ottla", version()
        self.topic = given.topic
        self.values, self.keys = pool(given.values, given.size), pool(given.keys, 10)
        self.acknowledged = self.failed = 0
        settings = {"bootstrap.servers": given.bootstrap, "acks": "all", "linger.ms": 5, "partitioner": "murmur2_random",
                    "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_048_576}  # fmt: skip
        self.producer = Producer(settings)

    def report(self, error, message):
        if error is None:
            self.acknowledged += 1
        else:
            self.failed += 1

    def callback(self, count):
        """produce() with key and callback, and poll(0) after each, as the documentation shows it."""
        produce, poll, topic, report = self.producer.produce, self.producer.poll, self.topic, self.report
        values, keys = self.values, self.keys
        for number in range(count):
            while True:
                try:
                    produce(topic, values[number % len(values)], key=keys[number % len(keys)], on_delivery=report)
                    break
                except BufferError:
                    poll(0.1)
            poll(0)

    def batch(self, count):
        """A thousand records a call, without callbacks."""
        values, keys = self.values, self.keys
        for first in range(0, count, 1000):
            # Slices: what is measured is the call, not how a loop picks values.
            at, other = first % (len(values) - 999), first % (len(keys) - 999)
            some, their = values[at : at + 1000], keys[other : other + 1000]
            if self.ottla:
                accepted = self.producer.produce_batch(self.topic, values=some, keys=their, block=30)
            else:
                messages = [{"value": value, "key": key} for value, key in zip(some, their)]
                accepted = self.producer.produce_batch(self.topic, messages)
            self.acknowledged += accepted
            self.failed += len(some) - accepted
            self.producer.poll(0)

    def run(self, how, count):
        getattr(self, how)(count)
        self.failed += self.producer.flush(60)


def main():
    given = arguments()
    client = Client(given)
    client.run(given.python, given.warmup)
    before, begun, worked = client.acknowledged, time.monotonic(), time.process_time()
    client.run(given.python, given.messages)
    seconds, cpu = time.monotonic() - begun, time.process_time() - worked
    count = client.acknowledged - before
    print(json.dumps({
        "client": given.client, "version": client.version, "mode": "throughput", "failed": client.failed,
        "acknowledged_total": client.acknowledged, "records_per_s": count / seconds, "cpu_ns_per_record": cpu / count * 1e9,
        "mb_per_s": count * (given.size + 10) / seconds / 1e6,
        "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
