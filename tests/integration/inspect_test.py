"""The verdict in the file, in inspect and against SciPy; what inspect says of odd files.

usage: inspect_test.py LARGE_RESULT
"""

import json
import math
import re
import resource
import subprocess
import sys
import unittest

import h5py
import numpy as np
from nucreg_case import INPUT, NucregCase, read_group, run, texts
from scipy import stats

LARGE_RESULT = None

JOB = """
[job]
name = "verdict"
trials = 20

[problem]
points = [20, 200]
noise_px = [1, 5]

[[solver]]
name = "L-BFGS"
kind = "nlopt"
algorithm = "LD_LBFGS"

[[solver]]
name = "LM"
kind = "lm"
"""


class Inspect(NucregCase):
    def setUp(self):
        super().setUp()
        self.file = self.run_job(JOB)

    def change(self, column, value):
        with h5py.File(self.file, "r+") as h5:
            h5["trials"][column][...] = value

    def inspect(self, *arguments, **variables):
        return self.nucreg("inspect", self.file, *arguments, **variables).out

    def view(self):
        return json.loads(self.inspect("--json"),
                          parse_constant=lambda word: self.fail(f"{word} is not JSON"))

    def pairs(self):
        """Per configuration, log(time a / time b) of the trials with two valid timings."""
        trials = read_group(self.file, "trials")
        a, b = (trials["solver"] == s for s in (0, 1))
        both = trials["timing_valid"][a] & trials["timing_valid"][b]
        logs = np.log(trials["wall_s"][a] / trials["wall_s"][b])
        return [logs[both & (trials["configuration"][a] == c)] for c in range(4)]

    def test_stored_verdict_is_that_of_scipy(self):
        # Timings that a program chose, so that the expected values do not hang on this machine.
        random = np.random.default_rng(3)
        rows = len(read_group(self.file, "trials")["trial"])
        self.change("wall_s", 1e-4 * random.lognormal(0.0, 0.2, rows))
        self.change("timing_valid", random.random(rows) < 0.9)
        view = self.view()["comparisons"]
        logs = self.pairs()
        every = np.concatenate(logs)
        overall = view[0]
        self.assertEqual((overall["scope"], overall["timed"]), ("overall", len(every)))
        self.assertEqual(overall["left_out"], 80 - len(every))
        self.assertAlmostEqual(math.log(overall["time_ratio"]), every.mean(), delta=0.02)
        p = []
        for row in view:
            if row["scope"] != "configuration":
                continue
            mine = logs[row["configuration"]]
            want = stats.wilcoxon(mine, mode="exact").pvalue
            np.testing.assert_allclose(row["speed_p"], want, rtol=1e-9)
            p.append(want)
        order = np.argsort(p)
        stepped = np.maximum.accumulate(np.array(p)[order] * np.arange(4, 0, -1))
        holm = np.empty(4)
        holm[order] = np.minimum(1, 2 * stepped)  # two families share the error
        np.testing.assert_allclose([r["speed_p_holm"] for r in view
                                    if r["scope"] == "configuration"],
                                   holm, rtol=1e-9)

    def test_stored_is_what_inspect_says(self):
        stored = read_group(self.file, "verdict")
        view = self.view()
        self.assertEqual(len(view["comparisons"]), len(stored["scope"]))
        self.assertEqual(texts(stored["scope"]),
                         ["overall"] + 4 * ["axis"] + 4 * ["configuration"])
        for row, shown in enumerate(view["comparisons"]):
            for name, column in stored.items():
                value = column[row].decode() if column.dtype.kind in "SO" else column[row]
                if isinstance(value, float) and math.isnan(value):
                    value = None
                self.assertEqual(shown[name], value, f"{name}[{row}]")
        with h5py.File(self.file) as h5:
            for column in h5["verdict"].values():
                self.assertEqual(column.attrs["units"], "1")
        self.assertIn(texts(stored["sentence"])[0], self.inspect().replace("\n", " "))

    def test_never_wider_than_the_terminal(self):
        for columns in (25, 40, 60, 80, 137):
            for locale, block in (("C.UTF-8", True), ("C", False)):
                out = self.inspect(COLUMNS=str(columns), LC_ALL=locale)
                self.assertLessEqual(max(map(len, out.splitlines())), columns, out)
                if columns > 100:  # bars come after all numbers
                    self.assertEqual("\u2588" in out, block, out)
                    self.assertEqual("##" in out, not block, out)
        self.assertLessEqual(max(map(len, self.inspect(COLUMNS="wide").splitlines())), 80)

    def test_all_failed(self):
        self.change("status", 4)
        self.change("arrived", 0)
        self.change("objective", np.nan)
        out = self.inspect().replace("\n", " ")
        self.assertIn("neither L-BFGS (nlopt) nor LM arrives (0 of 80 and 0 of 80 trials)", out)
        self.assertIn("failed: L-BFGS (nlopt) in 80 of 80 trials, LM in 80 of 80 trials", out)
        self.assertEqual(self.view()["comparisons"][0]["finding"], "neither arrives")
        self.assertRegex(self.inspect(COLUMNS="80"), r"\noverall +neither arrives +- ")

    def test_nobody_is_best_who_looks_slower(self):
        """In two of four conditions each solver is the faster one, by chance: nothing is
        declared."""
        trials = read_group(self.file, "trials")
        slow = (trials["trial"] + trials["configuration"]) % 2 == trials["solver"]
        self.change("wall_s", np.where(slow, 1.3e-4, 1e-4) *
                    np.where((trials["solver"] == 1) & (trials["configuration"] == 0), 1.001, 1.0))
        self.change("timing_valid", True)
        table = self.inspect(COLUMNS="200").partition("\nwhere")[2].splitlines()[1:]
        rows = [line for line in table if " of " in line]
        self.assertEqual(len(rows), 5)
        for row in rows:
            factor = re.search(r" of \d+ +(\S+)", row).group(1)
            self.assertRegex(factor, r"^\(1(\.\d+)?\)$", row)
        self.assertIn("in brackets", self.inspect())

    def test_nan_everywhere(self):
        for column in ("objective", "wall_s", "cpu_s", "rmsd_px", "tre_px", "gap", "param_error",
                       "params", "true_params"):
            self.change(column, np.nan)
        self.assertIn("both failed in each of 80 trials", self.inspect().replace("\n", " "))
        self.assertIsNone(self.view()["comparisons"][0]["time_ratio"])

    def test_one_row(self):
        file = self.run_job(JOB.replace("trials = 20", "trials = 1").replace("[20, 200]", "20")
                            .replace("[1, 5]", "1").partition("[[solver]]\nname = \"LM\"")[0],
                            output="one.h5")
        self.assertEqual(len(read_group(file, "trials")["trial"]), 1)
        self.assertIn("there is one solver only", self.nucreg("inspect", file).out)
        self.assertEqual(json.loads(self.nucreg("inspect", file, "--json").out)["comparisons"], [])

    def test_partial(self):
        with h5py.File(self.file, "r+") as h5:
            h5.attrs["status"] = "partial"
            h5.attrs["trials_done"] = np.int64(73)
            h5["summary/count"][0:2] = 15
            h5["summary/count"][6:8] = 18
        out = self.inspect()
        self.assertIn("partial, 73 of 80 trials", out)
        self.assertIn("missing: 7 trials of configurations 0 (5), 3 (2)", out)

    def refused_everywhere(self, *needles):
        for arguments in (["inspect"], ["inspect", "--json"], ["verify"], ["export", "--to", "d"]):
            with self.subTest(arguments):
                outcome = run(self.dir, *arguments, self.file.name)
                self.assertEqual(outcome.status, INPUT, outcome)
                for needle in (self.file.name, *needles):
                    self.assertIn(needle, outcome.err + outcome.out)

    def test_newer_format(self):
        with h5py.File(self.file, "r+") as h5:
            h5.attrs["format_version"] = np.int64(99)
        self.refused_everywhere("format_version", "is of format version 99", "allowed: 1")

    def test_missing_columns(self):
        with h5py.File(self.file, "r+") as h5:
            del h5["trials/objective"]
        self.refused_everywhere("/trials", "objective")
        self.run_job(JOB, "--force")
        with h5py.File(self.file, "r+") as h5:
            del h5["solvers/name"]
        self.refused_everywhere("/solvers/name", "missing")
        self.run_job(JOB, "--force")
        with h5py.File(self.file, "r+") as h5:
            del h5["summary/tre_px_median"]
        self.refused(INPUT, ("inspect", self.file.name),
                     f"{self.file.name}: /summary/tre_px_median: is missing")

    def test_rows_that_contradict_the_tables(self):
        self.change("solver", 0)
        outcome = run(self.dir, "inspect", self.file)
        self.assertEqual(outcome.status, INPUT, outcome)
        self.assertIn("out.h5", outcome.err)
        self.assertIn("solver 0 is there twice in configuration 0, trial 0", outcome.err)


class Large(NucregCase):
    def peak_kib(self, *arguments):
        """Of the largest child so far."""
        self.nucreg(*arguments)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

    def test_memory_does_not_grow_with_the_file(self):
        small, large = self.dir / "small.h5", self.dir / "large.h5"
        for file, rows in ((small, 100_000), (large, 500_000)):
            subprocess.run([LARGE_RESULT, file, str(rows), "1", "2"], check=True)
        for command in (["inspect"], ["verify"], ["export", "--to", "csv", "--force"]):
            with self.subTest(command):
                before = self.peak_kib(*command, small)
                self.assertLess(self.peak_kib(*command, large) - before, 8_000)
        summary = read_group(large, "summary")
        self.assertTrue(summary["sampled"].all())
        trials = read_group(large, "trials")
        wall = trials["wall_s"][(trials["solver"] == 0) & (trials["status"] == 0)]
        # A median of 16,384 values is known to 1.25 / 128 of their spread.
        self.assertLess(abs(summary["wall_s_median"][0] - np.median(wall)), 0.05 * wall.std())
        np.testing.assert_allclose(summary["gap_mean"][0], 0.0)
        self.assertIn("random sample of 16,384 trials",
                      self.nucreg("inspect", large).out.replace("\n", " "))


if __name__ == "__main__":
    LARGE_RESULT = sys.argv.pop(1)
    unittest.main()
