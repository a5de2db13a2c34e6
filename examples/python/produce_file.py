#!/usr/bin/env python3
"""Sends the lines of a file to Kafka, one record a line, its number as the key.

    usage: produce_file.py FILE [BOOTSTRAP]

Without BOOTSTRAP it runs on an embedded cluster, reads the records back from there and compares them with the
file, byte for byte. The exit status is 0 only if every record was delivered and everything is equal.
"""

import io
import sys
from typing import List, Optional

from ottla import KafkaError, MockCluster, Producer
from ottla import Message as Report

TOPIC = "lines"
FIRST_FEW = 5


class Reports:
    """Prints the first reports, and one line for each batch: the reports of a batch come one after another and
    share partition and latency."""

    def __init__(self) -> None:
        self.delivered = self.failed = 0
        self.batch: List[Report] = []

    def __call__(self, error: Optional[KafkaError], report: Report) -> None:
        line = (report.key() or b"?").decode()
        if error:
            self.failed += 1
            print(f"line {line}: failed, {error.str()}")
            return
        self.delivered += 1
        if self.delivered <= FIRST_FEW:
            print(f"line {line}: partition {report.partition()}, offset {report.offset()}")
        if self.batch and (report.partition(), report.latency()) != (
            self.batch[0].partition(),
            self.batch[0].latency(),
        ):
            self.end_batch()
        self.batch.append(report)

    def end_batch(self) -> None:
        if self.batch:
            first, last = self.batch[0], self.batch[-1]
            ms = (first.latency() or 0) * 1000
            offsets = f"offsets {first.offset()} to {last.offset()}"
            print(f"batch of {len(self.batch)}: partition {first.partition()}, {offsets}, {ms:.1f} ms")
            self.batch.clear()


def send(producer: Producer, lines: List[bytes], reports: Reports) -> None:
    for number, line in enumerate(lines, start=1):
        while True:
            try:
                producer.produce(TOPIC, line, str(number), on_delivery=reports)
                break
            except BufferError:  # the memory for records is full: wait for a report
                producer.poll()
        producer.poll(0)
    producer.flush()
    reports.end_batch()


def read_back(cluster: MockCluster) -> bytes:
    """The records of all partitions in the order of their keys."""
    partitions = range(cluster.partition_count(TOPIC))
    records = [record for p in partitions for record in cluster.records(TOPIC, p)]
    records.sort(key=lambda record: int(record.key() or b"0"))
    return b"".join(record.value() or b"" for record in records)


def main(path: str, bootstrap: Optional[str]) -> int:
    with open(path, "rb") as file:
        data = file.read()
    lines = io.BytesIO(data).readlines()
    reports = Reports()
    settings = {"bootstrap.servers": bootstrap} if bootstrap else {"test.mock.num.brokers": 1}
    with Producer(settings) as producer:
        send(producer, lines, reports)
        print(f"{path}: {len(lines)} lines sent, {reports.delivered} delivered, {reports.failed} failed")
        if reports.delivered != len(lines):
            return 1
        if bootstrap:
            return 0
        if lines and read_back(producer.mock_cluster()) != data:
            print("what was read back is NOT the file")
            return 1
        print(f"what was read back is the file, {len(data)} bytes")
        return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None))
