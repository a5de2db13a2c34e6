"""Compares what a producing program reported with what Kafka's own consumer reads there, byte by byte.

Streams both; keeps a byte and two 64-bit numbers per input. Produces nothing and starts nothing.
"""
import array
import struct
from collections import Counter

import formula

UNREPORTED, DELIVERED, FAILED_SURELY, FAILED_MAYBE, REFUSED = range(5)
FOUND, ELSEWHERE = 1, 2                     # bits: where it was reported, or where nothing was
SHOWN = 5                                   # failures shown of each sort


class Verdict:
    """What was counted, and the failures by sort; `ok` when there is none."""

    def __init__(self):
        self.counts = Counter()
        self.failures = []
        self.by_sort = Counter()

    def fail(self, sort, text):
        self.by_sort[sort] += 1
        if self.by_sort[sort] <= SHOWN:
            self.failures.append(f"{sort}: {text}")

    @property
    def ok(self):
        return not self.by_sort


class Reports:
    """The report file: `<input> <code> <persistence> <partition> <offset>` for each report, `<input> refused
    <code>` for each input that was not taken, and at the end `end <inputs taken>`. The command line tool
    writes `<input from 1> <partition> <offset>` for each stored record and nothing else."""

    def __init__(self, path, count, tool, with_offsets, verdict):
        self.state = bytearray(count)
        self.places = {}                    # partition -> offset -> input, or -1
        ended = count if tool else None     # the tool has said so with its exit code
        with open(path) as lines:
            for line in lines:
                words = line.split()
                if tool:
                    self.one([int(words[0]) - 1, 0, 2 if with_offsets else 1, words[1], words[2]],
                             with_offsets, verdict)
                elif words[0] == "end":
                    ended = int(words[1])
                elif words[1] == "refused":
                    self.mark(int(words[0]), REFUSED, verdict)
                    verdict.counts["refused"] += 1
                else:
                    self.one(words, with_offsets, verdict)
        taken = count - verdict.counts["refused"]
        if ended != taken:
            verdict.fail("program", f"says that it handed over {ended} records, expected {taken}")
        for number in find_all(self.state, UNREPORTED):
            verdict.fail("never reported", f"input {number}")

    def mark(self, number, state, verdict):
        if self.state[number] != UNREPORTED:
            verdict.fail("reported twice", f"input {number}")
        self.state[number] = state

    def one(self, words, with_offsets, verdict):
        number, code, persistence, partition, offset = (int(word) for word in words)
        if code != 0:
            self.mark(number, FAILED_MAYBE if persistence else FAILED_SURELY, verdict)
            verdict.counts["failed"] += 1
            verdict.fail("reported as failed", f"input {number}: code {code}, persistence {persistence}")
            return
        self.mark(number, DELIVERED, verdict)
        verdict.counts["delivered"] += 1
        if persistence != (2 if with_offsets else 1):
            verdict.fail("other persistence", f"input {number}: {persistence}")
        if not with_offsets:
            return
        if offset < 0:
            verdict.fail("no offset", f"input {number}, partition {partition}")
            return
        inputs = self.places.setdefault(partition, array.array("q"))
        if offset >= len(inputs):
            inputs.extend([-1] * (offset + 1024 - len(inputs)))
        if inputs[offset] >= 0:
            verdict.fail("one place, two records",
                         f"inputs {inputs[offset]} and {number} at {partition}/{offset}")
        inputs[offset] = number

    def input_at(self, partition, offset):
        inputs = self.places.get(partition)
        return inputs[offset] if inputs is not None and offset < len(inputs) else -1


def find_all(states, wanted):
    at = states.find(wanted)
    while at >= 0:
        yield at
        at = states.find(wanted, at + 1)


def records(stream):
    """(partition, offset, bytes) of each record of `kafka-dev consume --raw`."""
    head = struct.Struct(">iqi")
    while True:
        start = stream.read(head.size)
        if not start:
            return
        partition, offset, length = head.unpack(start)
        body = stream.read(length)
        if len(body) != length:
            raise EOFError("the reader stopped in the middle of a record")
        yield partition, offset, body


def check(kind, report_path, dump, count, with_offsets=True, once=True, losses_told=False):
    """The verdict on `count` inputs of `kind` ("binary" or "text"); `dump` is the reader's output.

    `once` asks for what idempotence promises, or a run without any fault: no record stored twice, and each
    partition in the order of sending. Otherwise a record may also stand where no report says, if sent again.
    `losses_told`: the producer said that a connection broke under records that nobody acknowledges (acks=0): they may
    be missing.
    """
    verdict = Verdict()
    reports = Reports(report_path, count, kind == "text", with_offsets, verdict)
    if kind == "binary":
        expected, identity, skip = formula.binary_body, formula.binary_identity, 0
    else:
        expected, identity, skip = formula.text_body, formula.text_identity, 8
    seen = bytearray(count)
    newest = {}                             # partition -> input of its last record
    for partition, offset, body in records(dump):
        verdict.counts["stored"] += 1
        body = body[skip:]
        number = reports.input_at(partition, offset) if with_offsets else identity(body)
        place = f"{partition}/{offset}"
        found = FOUND
        if number < 0:
            found = ELSEWHERE
            number = identity(body)
            state = reports.state[number] if 0 <= number < count else UNREPORTED
            if state != FAILED_MAYBE and (once or state != DELIVERED):
                verdict.fail("stored, but not reported there", f"{place} holds input {number}")
        if not 0 <= number < count or body != expected(number):
            verdict.fail("other bytes", f"{place}, reported for input {number}")
            continue
        if seen[number]:
            verdict.counts["repeated"] += 1
            if once:
                verdict.fail("stored twice", f"input {number}, again at {place}")
        seen[number] |= found
        if once and number <= newest.get(partition, -1):
            verdict.fail("out of order", f"{place} holds input {number}, after {newest[partition]}")
        newest[partition] = number
    for number in find_all(seen, 0):
        if reports.state[number] == DELIVERED:
            verdict.counts["lost"] += 1
            if not losses_told:
                verdict.fail("reported as stored, but missing", f"input {number}")
    for number in find_all(seen, ELSEWHERE):
        if reports.state[number] == DELIVERED:
            verdict.fail("nothing where the report says", f"input {number}")
    return verdict
