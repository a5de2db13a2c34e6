#!/usr/bin/env python3
"""Negative control of the sink: it must count good batches and must notice a bad CRC, a sequence gap, a duplicate, a
wrong offset delta and an unknown partition. Speaks the protocol by hand (Produce v7). Usage: selftest.py BINARY"""
import json
import socket
import struct
import subprocess
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def batch(count=3, producer_id=-1, epoch=-1, sequence=-1, corrupt=False, delta=None):
    records = b"".join(bytes([14, 0, 0, 2 * i, 1, 2]) + b"v" + b"\0" for i in range(count))
    delta = count - 1 if delta is None else delta
    tail = struct.pack(">hiqqqhii", 0, delta, 1, 1, producer_id, epoch, sequence, count) + records
    return struct.pack(">qiiBI", 0, len(tail) + 9, 0, 2, crc32c(tail) ^ corrupt) + tail


def produce(stream, records, topic=b"self", partition=0):
    """Sends one batch; returns the error code and the base offset of the answer."""
    request = struct.pack(">hhih", 0, 7, 9, 4) + b"test" + struct.pack(">hhii", -1, -1, 1000, 1)
    request += struct.pack(">h", len(topic)) + topic + struct.pack(">iii", 1, partition, len(records)) + records
    stream.sendall(struct.pack(">i", len(request)) + request)
    size = struct.unpack(">i", stream.recv(4, socket.MSG_WAITALL))[0]
    answer = stream.recv(size, socket.MSG_WAITALL)
    return struct.unpack_from(">ihq", answer, 4 + 4 + 2 + len(topic) + 4)[1:]


def compare(what, got, wanted):
    print("%-20s %s %s" % (what, got, "ok" if got == wanted else "EXPECTED %s" % (wanted,)))
    return got == wanted


def main():
    sink = subprocess.Popen([sys.argv[1], "--port", "0", "--verify", "--max-seconds", "30"], stdout=subprocess.PIPE, text=True)
    port = int(sink.stdout.readline().split()[1])
    stream = socket.create_connection(("127.0.0.1", port))
    good = [compare(what, produce(stream, records, partition=partition), wanted)
            for what, wanted, records, partition in (
                ("good batch", (0, 0), batch(), 0),
                ("second good batch", (0, 3), batch(), 0),
                ("bad CRC", (2, -1), batch(corrupt=True), 0),
                ("unknown partition", (3, -1), batch(), 99),
                ("sequence 0", (0, 6), batch(producer_id=7, epoch=0, sequence=0), 0),
                ("duplicate of it", (0, 9), batch(producer_id=7, epoch=0, sequence=0), 0),
                ("sequence gap", (45, -1), batch(producer_id=7, epoch=0, sequence=9), 0),
                ("sequence 3", (0, 9), batch(producer_id=7, epoch=0, sequence=3), 0),
                ("wrong offset delta", (0, 12), batch(delta=7), 0))]
    sink.terminate()
    stats = json.loads(sink.communicate()[0])
    good += [compare(name, stats[name], wanted) for name, wanted in (
        ("records", 15), ("crc_errors", 1), ("seq_errors", 1), ("seq_duplicates", 1), ("delta_errors", 1),
        ("idempotent_batches", 4))]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
