"""nucreg verify on traces and on the verdict: each planted damage is found, and a run that stopped
goes on to the same traces."""

import shutil
import signal
import unittest

import h5py

import interrupted
from nucreg_case import INPUT, NucregCase, read_group, run
from trace_test import JOB


class Verify(NucregCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls.made_once()
        cls.sound = maker.run_job(JOB)
        maker.nucreg("verify", cls.sound)

    def damaged(self, change, *needles):
        """A sound result, changed, is not sound any more and verify says why."""
        shutil.copy(self.sound, self.dir / "out.h5")
        with h5py.File(self.dir / "out.h5", "a") as f:
            change(f)
        outcome = run(self.dir, "verify", "out.h5")
        self.assertEqual(outcome.status, INPUT, outcome)
        for needle in needles:
            self.assertIn(needle, outcome.out + outcome.err, outcome)

    def put(self, name, row, value):
        def change(f):
            f[name][row] = value
        return change

    def test_a_crash_of_the_library_is_an_answer(self):
        # HDF5 1.10 trusts the sizes in the heap that holds the strings of attributes.
        sound = self.sound.read_bytes()
        heap = sound.rindex(b"GCOL")
        crashed = 0
        for damage in range(40):
            content = bytearray(sound)
            content[heap + 8 + 16 * damage] ^= 0x41
            self.write("out.h5", bytes(content))
            outcome = run(self.dir, "verify", "out.h5", NUCREG_READ_SECONDS="2")
            self.assertEqual(outcome.status, INPUT, outcome)
            crashed += "reading it crashed (SIG" in outcome.err
        print(f"{crashed} of 40 damages crash the library")

    def test_offsets(self):
        for row, value in ((5, 10**9), (5, -1), (0, 1), (-1, 3)):
            with self.subTest(row=row, value=value):
                self.damaged(self.put("trace/offsets", row, value), "/trace/offsets")

    def test_points(self):
        for column, value, needle in (
                ("evaluation", 1, "evaluation does not rise"),
                ("evaluation", 10**6, "evaluation is beyond function_evaluations"),
                ("objective", float("inf"), "objective is infinite"),
                ("objective", 1e300, "objective rises"),
                ("time_s", -1.0, "time_s is no finite number"),
                ("time_s", float("nan"), "time_s is no finite number")):
            with self.subTest(column=column, value=value):
                # The last point of the second solve: whatever is wrong there is wrong with it.
                def change(f, column=column, value=value):
                    f[f"trace/{column}"][f["trace/offsets"][2] - 1] = value
                self.damaged(change, f"/trace/{needle}")
        self.damaged(self.put("trace/evaluation", 0, 2), "evaluation does not begin at 1")

    def test_verdict(self):
        for column, value, needle in (("solver_a", "nobody", "names no solver"),
                                      ("solver_b", "", "names no solver"),
                                      ("faster", "nobody", "names no solver"),
                                      ("scope", "galaxy", "is no scope"),
                                      ("finding", "slowish", "is no finding"),
                                      ("configuration", 7, "is none of the file")):
            with self.subTest(column=column):
                self.damaged(self.put(f"verdict/{column}", 0, value), f"/verdict/{column} {needle}")

        def remove(f):
            del f["verdict/time_ratio"]
        self.damaged(remove, "/verdict/time_ratio is missing")

        def retype(f):
            del f["verdict/trials"]
            f["verdict/trials"] = [1.5] * len(f["verdict/scope"])
            f["verdict/trials"].attrs["units"] = "1"
        self.damaged(retype, "/verdict/trials is of another type")

    def test_a_partial_file_continues_to_the_same_traces(self):
        job = interrupted.JOB + "\n[run]\ntrace = true\n"
        whole = self.run_job(job, output="whole.h5")
        stopped = interrupted.start(self.dir, "run", "job.toml", "-o", "part.h5")
        journal = self.dir / "part.h5.journal"
        interrupted.wait_for(lambda: interrupted.size(journal) > interrupted.JOURNAL_BYTES,
                             "results in the journal")
        stopped.send_signal(signal.SIGTERM)
        interrupted.finish(stopped)
        part = self.dir / "part.h5"
        with h5py.File(part) as f:
            self.assertEqual(f.attrs["status"], "partial")
            self.assertEqual(len(f["trace/offsets"]), len(f["trials/trial"]) + 1)
        self.assertIn("partial", self.nucreg("verify", "part.h5").out)
        self.nucreg("run", "job.toml", "-o", "part.h5", "--resume")
        self.nucreg("verify", "part.h5")
        left, right = read_group(whole, "trace"), read_group(part, "trace")
        for name in ("offsets", "evaluation", "objective"):
            self.assert_same_bits(left[name], right[name], name)


if __name__ == "__main__":
    unittest.main()
