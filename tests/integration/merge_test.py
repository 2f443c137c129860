"""Parts of a job, run apart and merged, are the job."""

import re
import shutil
import unittest

import h5py
import numpy as np

from nucreg_case import (INPUT, OUTPUT, STOPPED, USAGE, NucregCase, read_group, run)

JOB = """
[job]
name = "parts"
trials = 5

[problem]
points = [20, 30, 40]
noise_px = 1.0

[[solver]]
name = "LM"
kind = "lm"

[[solver]]
name = "L-BFGS"
kind = "nlopt"
"""
TRIALS, PARTS = 15, 4


class Merge(NucregCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.maker = cls.made_once()
        cls.whole = cls.maker.run_job(JOB, output="whole.h5")
        for k in range(1, PARTS + 1):
            cls.maker.nucreg("run", "job.toml", "--part", f"{k}/{PARTS}", ranks=2 if k == 2 else 0)

    def setUp(self):
        super().setUp()
        self.write("job.toml", JOB)
        self.parts = []
        for k in range(1, PARTS + 1):
            name = f"parts.part-{k}-of-{PARTS}.h5"
            self.parts.append(shutil.copy(self.maker.dir / "results" / name, self.dir / name))

    def test_parts_are_disjoint_and_say_what_they_are(self):
        seen = set()
        for k, part in enumerate(self.parts, 1):
            rows = read_group(part, "trials")
            trials = set(zip(rows["configuration"], rows["trial"]))
            self.assertFalse(seen & trials)
            seen |= trials
            with h5py.File(part) as h5:
                self.assertEqual(h5.attrs["part"], f"{k}/{PARTS}")
                self.assertEqual(h5.attrs["status"], "complete")
                self.assertEqual(h5.attrs["trials_planned"], len(trials))
                self.assertEqual(h5.attrs["trials_done"], len(trials))
                self.assertEqual(h5.attrs["trials_of_job"], TRIALS)
            self.nucreg("verify", part)
            self.assertIn(f"part {k}/{PARTS}", self.nucreg("inspect", part).out)
        self.assertEqual(len(seen), TRIALS)

    def test_all_parts_in_any_order_are_the_whole(self):
        order = [self.parts[i] for i in (2, 0, 3, 1)]
        self.nucreg("merge", *order, "-o", "merged.h5")
        merged = self.dir / "merged.h5"
        self.assert_same_results(self.whole, merged)
        self.nucreg("verify", merged)
        with h5py.File(merged) as h5, h5py.File(self.whole) as whole:
            self.assertEqual(h5.attrs["status"], "complete")
            self.assertEqual(set(h5.attrs) - set(whole.attrs), {"merged_from"})
            self.assertEqual(set(whole.attrs) - set(h5.attrs), set())
            self.assertEqual(h5.attrs["trials_planned"], TRIALS)
            self.assertEqual(h5.attrs["mpi_ranks"], PARTS + 1)
            self.assertEqual(list(h5["ranks/rank"][:]), list(range(PARTS + 1)))
            self.assertEqual(sum(h5["ranks/solves"][:]), 2 * TRIALS)
            # Each row still names the rank that did it.
            counts = np.bincount(h5["trials/rank"][:], minlength=PARTS + 1)
            self.assertEqual(list(counts), list(h5["ranks/solves"][:]))
            self.assertEqual(set(h5["rank_samples/rank"][:]), set(range(PARTS + 1)))

    def test_overlapping_files(self):
        outcome = self.nucreg("merge", self.parts[1], self.whole, self.parts[0], self.parts[1],
                              "-o", "merged.h5")
        self.assert_same_results(self.whole, self.dir / "merged.h5")
        self.assertIn("trials were there more than once", outcome.err)
        with h5py.File(self.dir / "merged.h5") as h5:
            # What each rank did, rows that another file has included.
            did = [solves for file in (self.parts[1], self.whole, self.parts[0], self.parts[1])
                   for solves in read_group(file, "ranks")["solves"]]
            self.assertEqual(list(h5["ranks/solves"][:]), did)

    def test_one_trial_twice_is_no_plural(self):
        self.write("job.toml", JOB.replace("trials = 5", "trials = 1")
                   .replace("[20, 30, 40]", "20"))
        self.nucreg("run", "job.toml", "-o", "one.h5")
        outcome = self.nucreg("merge", "one.h5", "one.h5", "-o", "merged.h5")
        self.assertIn(" 1 trial was there more than once,", outcome.err)
        with h5py.File(self.dir / "merged.h5") as h5:
            self.assertEqual(h5.attrs["merged_from"],
                             "one.h5: the whole job, 1 trial, 1 rank from 0\n"
                             "one.h5: the whole job, 1 trial, 1 rank from 1\n")
        self.assertIn("sound: 1 configuration x 1 trial x 2 solvers, 2 records",
                      self.nucreg("verify", "one.h5").out)

    def test_warnings_name_their_file(self):
        def warned(h5):
            h5.attrs["warnings"] = "the clock stood still\nand went"

        self.damaged(warned)
        self.nucreg("merge", self.parts[0], self.parts[1], self.whole, "-o", "merged.h5")
        with h5py.File(self.dir / "merged.h5") as h5:
            lines = h5.attrs["warnings"].splitlines()
        for line in ("the clock stood still", "and went"):
            self.assertIn(f"{self.parts[1]}: {line}", lines)
        shown = "".join(self.nucreg("inspect", "merged.h5").out.split())
        self.assertIn("warning:" + str(self.parts[1]) + ":theclockstoodstill", shown)

    def test_incomplete_set_is_partial_says_what_is_missing_and_resumes(self):
        missing = read_group(self.parts[3], "trials")
        outcome = run(self.dir, "merge", *self.parts[:3], "-o", "merged.h5")
        self.assertEqual(outcome.status, STOPPED, outcome)
        self.assertIn("missing: ", outcome.err)
        for configuration in set(missing["configuration"]):
            self.assertIn(f"configuration {configuration}: trial", outcome.err)
        with h5py.File(self.dir / "merged.h5") as h5:
            self.assertEqual(h5.attrs["status"], "partial")
            self.assertEqual(h5.attrs["trials_done"], TRIALS - len(missing["trial"]) // 2)
        self.nucreg("verify", "merged.h5")
        with h5py.File(self.dir / "merged.h5", "r+") as h5:
            merged_from = h5.attrs["merged_from"]
            warnings = h5.attrs["warnings"].splitlines() + ["the clock stood still", "and went"]
            h5.attrs["warnings"] = "\n".join(warnings)
        self.nucreg("run", "job.toml", "-o", "merged.h5", "--resume")
        self.assert_same_results(self.whole, self.dir / "merged.h5")
        with h5py.File(self.dir / "merged.h5") as h5:
            self.assertEqual(h5.attrs["merged_from"], merged_from)
            kept = h5.attrs["warnings"].splitlines()
        self.assertEqual(kept[:len(warnings)], warnings)
        self.assertEqual(len(kept), len(set(kept)))

    def test_merged_files_merge(self):
        for i, pair in enumerate((self.parts[:2], self.parts[2:])):
            self.assertEqual(run(self.dir, "merge", *pair, "-o", f"{i}.h5").status, STOPPED)
        self.nucreg("merge", "1.h5", "0.h5", "-o", "merged.h5")
        self.assert_same_results(self.whole, self.dir / "merged.h5")

    def test_other_jobs_are_refused_with_the_difference(self):
        for key, line in (("job.seed=2", "+ seed = 2"), ("job.trials=6", "+ trials = 6")):
            with self.subTest(key):
                self.nucreg("run", "job.toml", "-o", "other.h5", "--set", key, "--force")
                self.refused(USAGE, ["merge", self.parts[0], "other.h5", "-o", "merged.h5"],
                             "other.h5", line)

    def damaged(self, change):
        with h5py.File(self.parts[1], "r+") as h5:
            change(h5)

    def test_what_is_not_sound_is_refused(self):
        def other_build(h5):
            h5.attrs["build_identity"] = "nucreg 0.0.1"

        def other_part(h5):
            h5.attrs["part"] = f"1/{PARTS}"

        def no_part(h5):
            h5.attrs["part"] = "9/4"

        def another_result(h5):
            h5["trials/rmsd_px"][0] = 12.5

        for change, status, needle in ((other_build, USAGE, "+ build nucreg"),
                                       (other_part, INPUT, "not of this part"),
                                       (no_part, INPUT, "part"),
                                       (another_result, INPUT, "not sound")):
            with self.subTest(change.__name__):
                self.setUp()
                self.damaged(change)
                self.refused(status, ["merge", *self.parts, "-o", "merged.h5"], "part-2-of-4",
                             needle)

    def test_two_results_of_one_trial_are_refused(self):
        def another_native_code(h5):
            h5["trials/native_code"][0] += 1  # in no summary, so the file itself is sound

        self.damaged(another_native_code)
        self.refused(INPUT, ["merge", self.whole, self.parts[1], "-o", "merged.h5"],
                     "part-2-of-4", "another native_code")

    def test_files_that_cannot_be_read(self):
        self.refused(INPUT, ["merge", self.parts[0], "none.h5", "-o", "merged.h5"], "none.h5")
        text = self.write("text.h5", "no HDF5")
        self.refused(INPUT, ["merge", text, "-o", "merged.h5"], "text.h5")
        with h5py.File(self.dir / "foreign.h5", "w") as h5:
            h5["x"] = [1]
        self.refused(INPUT, ["merge", "foreign.h5", "-o", "merged.h5"], "foreign.h5")
        whole = self.whole.read_bytes()
        cut = self.write("cut.h5", whole[:len(whole) // 2])
        self.refused(INPUT, ["merge", cut, "-o", "merged.h5"], "cut.h5")

    def test_outputs(self):
        self.write("merged.h5", "precious")
        self.refused(OUTPUT, ["merge", *self.parts, "-o", "merged.h5"], "already exists", "--force")
        self.refused(USAGE, ["merge", *self.parts, "-o", self.parts[0], "--force"], "to merge")
        self.refused(OUTPUT, ["merge", *self.parts, "-o", self.dir, "--force"],
                     "not a regular file")
        self.refused(USAGE, ["merge", *self.parts], "--output")
        self.nucreg("merge", *self.parts, "-o", "merged.h5", "--force")
        self.nucreg("merge", *self.parts, "-o", "new/folder/merged.h5")
        self.assert_same_results(self.dir / "merged.h5", self.dir / "new/folder/merged.h5")


class Part(NucregCase):
    def test_parts_that_do_not_exist(self):
        self.write("job.toml", JOB)
        for part in ("0/4", "5/4", "1", "1/0", "a/b", "1/16", "-1/2"):
            with self.subTest(part):
                for command in ("run", "plan"):
                    self.refused(USAGE, [command, "job.toml", f"--part={part}"], "--part")

    def test_plan_of_a_part(self):
        self.write("job.toml", JOB)
        out = self.nucreg("plan", "job.toml", "--part", "4/4").out
        self.assertRegex(out, r"part 4/4 +3 trials, 6 solves\n")

    def test_plan_of_the_file_is_near_the_file(self):
        for trials in (1, 3000):
            path = self.run_job(JOB, "--force", "--set", f"job.trials={trials}", "--set",
                                "run.timing_repeats=1")
            out = self.nucreg("plan", "job.toml", "--set", f"job.trials={trials}").out
            number, unit = re.search(r"result file +about ([\d.]+) (\w+)", out).groups()
            planned = float(number) * {"KiB": 2**10, "MiB": 2**20}[unit]
            self.assertTrue(0.5 < planned / path.stat().st_size < 2.0, (planned, path.stat()))

    def test_a_part_resumes_as_that_part_only(self):
        self.write("job.toml", JOB)
        self.nucreg("run", "job.toml", "--part", "1/4", "-o", "out.h5")
        self.assertIn("complete", self.nucreg("run", "job.toml", "--part", "1/4", "-o", "out.h5",
                                              "--resume").err)
        for other in (["--part", "2/4"], ["--part", "1/3"], []):
            self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--resume", *other],
                         "- part 1/4")


if __name__ == "__main__":
    unittest.main()
