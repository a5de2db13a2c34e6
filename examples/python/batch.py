#!/usr/bin/env python3
"""Many records in one call: lists, and bytes with offsets as numpy and Arrow have them.

    usage: batch.py [BOOTSTRAP]
"""

import sys
from array import array

from ottla import Producer


def main():
    conf = {"bootstrap.servers": sys.argv[1]} if len(sys.argv) > 1 else {"test.mock.num.brokers": 1}
    with Producer(conf) as producer:
        values = [f"measurement {number}".encode() for number in range(10_000)]
        accepted = producer.produce_batch("measurements", values=values, keys=[None] * len(values), block=30)
        print(f"{accepted} of {len(values)} accepted")

        text, offsets = b"onetwothree", array("i", [0, 3, 6, 11])
        producer.produce_batch("numbers", values=(text, offsets), headers={"language": "en"}, block=30)

        if producer.flush(30):
            return 1
        if len(sys.argv) == 1:
            cluster = producer.mock_cluster()
            parts = range(cluster.partition_count("numbers"))
            stored = [record.value() for part in parts for record in cluster.records("numbers", part)]
            print(sorted(stored))
            return 0 if sorted(stored) == [b"one", b"three", b"two"] else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
