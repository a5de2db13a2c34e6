#!/usr/bin/env python3
"""Sends the lines of a file to Kafka, one record a line, its number as the key.

    usage: produce_file.py FILE [BOOTSTRAP]

Without BOOTSTRAP it runs on an embedded cluster, reads the records back from there and compares them with the
file, byte for byte. The exit status is 0 only if every line was stored (and, read back, is the same).
"""

import sys
from typing import List, Optional, Tuple

from ottla import KafkaError, MockCluster, Producer
from ottla import Message as Report

TOPIC = "lines"
SHOWN = 5


class Reports:
    """Counts the reports of the lines. Those of one batch come one after another and share partition and latency:
    the first few batches are printed."""

    def __init__(self) -> None:
        self.stored = self.failed = self.batches = 0
        self.batch: List[Report] = []

    def __call__(self, error: Optional[KafkaError], report: Report) -> None:
        if error:
            self.failed += 1
            if self.failed == 1:
                line = (report.key() or b"?").decode()
                print(f"failed, the first is line {line}: {error.str()}", file=sys.stderr)
        else:
            self.stored += 1
        if self.batch and self.shared(self.batch[0]) != self.shared(report):
            self.end_batch()
        self.batch.append(report)

    @staticmethod
    def shared(report: Report) -> Tuple[int, Optional[float], Optional[KafkaError]]:
        return report.partition(), report.latency(), report.error()

    def end_batch(self) -> None:
        if not self.batch:
            return
        self.batches += 1
        first = self.batch[0]
        error = first.error()
        if self.batches <= SHOWN:
            print(
                f"report: partition {first.partition()}, {len(self.batch)} records from offset {first.offset()},"
                f" {error.name() if error else 'NONE'}, {(first.latency() or 0) * 1000:.1f} ms"
            )
        self.batch.clear()


def send(producer: Producer, lines: List[bytes], path: str, reports: Reports) -> None:
    headers = {"file": path}
    for number, line in enumerate(lines, start=1):
        while True:
            try:
                producer.produce(TOPIC, line, str(number), headers=headers, on_delivery=reports)
                break
            except BufferError:  # the memory for records is full: wait for a report
                producer.poll()
        producer.poll(0)
    producer.flush()
    reports.end_batch()


def read_back(cluster: MockCluster, lines: List[bytes]) -> bool:
    """Whether the records of all partitions are the lines, each once."""
    partitions = range(cluster.partition_count(TOPIC)) if lines else range(0)
    records = [record for p in partitions for record in cluster.records(TOPIC, p)]
    records.sort(key=lambda record: int(record.key() or b"0"))
    same = [record.value() for record in records] == lines
    result = "the same, byte for byte" if same else "NOT the same"
    print(f"read back {len(records)} of {len(lines)} lines: {result}")
    return same


def main(path: str, bootstrap: Optional[str]) -> int:
    with open(path, "rb") as file:
        lines = file.readlines()
    reports = Reports()
    settings = {"bootstrap.servers": bootstrap} if bootstrap else {"test.mock.num.brokers": 1}
    with Producer(settings) as producer:
        send(producer, lines, path, reports)
        print(
            f"{len(lines)} lines: {reports.stored} stored, {reports.failed} failed,"
            f" in {reports.batches} reports"
        )
        fine = reports.stored == len(lines)
        if not bootstrap:
            fine = read_back(producer.mock_cluster(), lines) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None))
