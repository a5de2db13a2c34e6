"""The checker must see every sort of loss, or its silence means nothing."""
import io
import os
import struct
import tempfile
import unittest

import formula
from check import check

COUNT = 300
PARTITIONS = 3


def raw(partition, offset, body):
    return struct.pack(">iqi", partition, offset, len(body)) + body


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.reports = [[n, 0, 2, n % PARTITIONS, n // PARTITIONS] for n in range(COUNT)]
        self.stored = [[n % PARTITIONS, n // PARTITIONS, formula.binary_body(n)] for n in range(COUNT)]
        self.end = COUNT

    def sorts(self, **options):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report")
            with open(path, "w") as out:
                for report in self.reports:
                    out.write(" ".join(str(word) for word in report) + "\n")
                if self.end is not None:
                    out.write(f"end {self.end}\n")
            dump = io.BytesIO(b"".join(raw(*record) for record in self.stored))
            return set(check("binary", path, dump, COUNT, **options).by_sort)

    def test_a_good_run_passes(self):
        self.assertEqual(self.sorts(), set())

    def test_a_good_run_without_offsets_passes(self):
        self.unacknowledge()
        self.assertEqual(self.sorts(with_offsets=False), set())

    def unacknowledge(self):
        self.reports = [[n, 0, 1, n % PARTITIONS, -1] for n in range(COUNT)]

    def test_without_acknowledgement_nobody_can_say_that_a_record_is_stored(self):
        self.assertEqual(self.sorts(with_offsets=False), {"other persistence"})
        self.reports[5][2] = 1
        self.assertEqual(self.sorts(), {"other persistence"})

    def test_a_lost_record(self):
        del self.stored[17]
        self.assertEqual(self.sorts(), {"reported as stored, but missing"})
        self.unacknowledge()
        self.assertEqual(self.sorts(with_offsets=False), {"reported as stored, but missing"})
        self.assertEqual(self.sorts(with_offsets=False, losses_told=True), set())

    def test_a_lost_report(self):
        del self.reports[17]
        self.assertEqual(self.sorts(), {"never reported", "stored, but not reported there"})

    def test_a_second_report(self):
        self.reports.append(self.reports[4][:4] + [5000])
        self.assertEqual(self.sorts(), {"reported twice"})

    def test_two_reports_for_one_place(self):
        self.reports[6][4] = self.reports[3][4]
        self.assertIn("one place, two records", self.sorts())

    def test_a_duplicate_in_the_log(self):
        self.stored.append([0, COUNT, formula.binary_body(3)])
        self.assertIn("stored twice", self.sorts())
        self.assertEqual(self.sorts(once=False), set())

    def test_a_duplicate_alone_is_not_where_its_report_says(self):
        self.stored[17][1] = COUNT
        self.assertEqual(self.sorts(once=False), {"nothing where the report says"})

    def test_without_idempotence_a_lost_record_is_still_seen(self):
        del self.stored[17]
        self.assertEqual(self.sorts(once=False), {"reported as stored, but missing"})
        self.setUp()
        self.reports[9] = [9, -106, 0, 0, -1]
        self.assertIn("stored, but not reported there", self.sorts(once=False))

    def test_reports_of_two_records_exchanged(self):
        self.reports[3][4], self.reports[6][4] = self.reports[6][4], self.reports[3][4]
        self.assertIn("other bytes", self.sorts())

    def test_one_changed_byte_anywhere(self):
        good = self.stored[100][2]
        for at in range(len(good)):
            self.stored[100][2] = good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
            self.assertIn("other bytes", self.sorts(), f"byte {at}")

    def test_order_within_a_partition(self):
        self.stored[0][2], self.stored[3][2] = self.stored[3][2], self.stored[0][2]
        self.reports[0][4], self.reports[3][4] = self.reports[3][4], self.reports[0][4]
        self.assertEqual(self.sorts(), {"out of order"})

    def test_a_failure_is_told(self):
        self.reports[9] = [9, -106, 0, 0, -1]
        self.assertIn("reported as failed", self.sorts())
        self.assertIn("stored, but not reported there", self.sorts())

    def test_a_record_that_may_be_stored_can_be_stored(self):
        self.reports[9] = [9, -106, 1, 0, -1]
        self.assertEqual(self.sorts(), {"reported as failed"})

    def test_a_program_that_stopped_early(self):
        self.end = None
        self.assertEqual(self.sorts(), {"program"})

    def test_a_torn_dump(self):
        with tempfile.NamedTemporaryFile("w") as empty:
            dump = io.BytesIO(raw(*self.stored[0])[:-1])
            self.assertRaises(EOFError, check, "binary", empty.name, dump, 0)

    def test_identities(self):
        for number in range(5000):
            self.assertEqual(formula.binary_identity(formula.binary_body(number)), number)
            self.assertEqual(formula.text_identity(formula.text_body(number)), number)


if __name__ == "__main__":
    unittest.main()
