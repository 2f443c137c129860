"""Arrival: in rows, summary, verdict, compare; and that the verdict answers the right question."""

import json
import math
import os
import pathlib
import subprocess
import sys
import unittest

import h5py
import numpy as np
from scipy.spatial import cKDTree

from nucreg_case import DONE, INPUT, USAGE, NucregCase, read_group, run

ROOT = pathlib.Path(__file__).parents[2]
DIFFERENT = 6
TWO = """
[[solver]]
name = "A"
kind = "lm"
[[solver]]
name = "B"
kind = "lm"
"""
NEAR = """
[job]
name = "near"
trials = 40
[problem]
points = 50
noise_px = 1
[fit]
model = "affine"
"""
LOSSES = """
[job]
name = "losses"
trials = 8
[problem]
points = 60
noise_px = 1
outliers = 0.3
transform = { model = "similarity", dx_px = { min = -30, max = 30 }, dy_px = 5, angle_deg = 2 }
[fit]
model = "similarity"
loss = ["squared", "cauchy"]
"""


class Arrival(NucregCase):
    def verdict(self, file):
        """The sentences, on one line."""
        text = self.nucreg("inspect", file).out
        return " ".join(text.split("\nverdict\n")[1].split("\nwhere")[0].split())

    def retimed(self, file, factor):
        """Gives solver 0 the times of solver 1 times factor(configuration), all of them valid."""
        with h5py.File(file, "a") as f:
            t = f["trials"]
            first = t["solver"][:] == 0  # rows are sorted: solver 0, then solver 1
            wall, objective = t["wall_s"][:], t["objective"][:]
            configurations = t["configuration"][:][first]
            wall[first] = [w * factor(c) for w, c in zip(wall[~first], configurations)]
            objective[first] = objective[~first]
            t["wall_s"][:], t["objective"][:] = wall, objective
            t["timing_valid"][:] = np.ones(len(wall), t["timing_valid"].dtype)
            return wall[first].sum() / wall[~first].sum()

    def test_rows_and_summary(self):
        self.run_job(LOSSES + TWO)
        trials = read_group(self.dir / "out.h5", "trials")
        np.testing.assert_array_equal(trials["arrived"],
                                      trials["tre_px"] <= trials["arrival_px"])
        self.assertEqual(trials["arrived"].dtype.kind, "i")
        loss = trials["configuration"]
        self.assertEqual(trials["arrived"][loss == 0].sum(), 0)  # squared, 30 % outliers
        self.assertGreater(trials["arrived"][loss == 1].mean(), 0.8)
        summary = read_group(self.dir / "out.h5", "summary")
        np.testing.assert_array_equal(summary["arrival_known"], 8)
        np.testing.assert_array_equal(summary["arrival_rate"], summary["arrived"] / 8)
        self.assertTrue(np.isinf(summary["expected_s"][:2]).all())
        evaluations = trials["function_evaluations"][(loss == 1) & (trials["solver"] == 0)]
        self.assertAlmostEqual(summary["expected_evaluations"][2],
                               evaluations.sum() / summary["arrived"][2], places=9)
        text = self.nucreg("inspect", "out.h5", COLUMNS="120").out
        self.assertIn("arrived", text)
        self.assertIn("0 of 8", text)
        overview = json.loads(self.nucreg("inspect", "out.h5", "--json").out)
        self.assertIsNone(overview["summary"][0]["expected_s"])
        self.assertEqual(overview["summary"][0]["arrived"], 0)

    def test_the_threshold_follows_from_the_nuclei_or_the_job(self):
        self.run_job(NEAR + TWO, "--set", "job.trials=2")
        self.nucreg("pairs", "out.h5", "--configuration", "0", "--trial", "1", "--to", "p.csv")
        lines = (self.dir / "p.csv").read_text().splitlines()
        points = np.genfromtxt([line for line in lines if not line.startswith("#")],
                               delimiter=",", names=True)
        places = np.column_stack([points["x40"], points["y40"]])
        nearest = cKDTree(places).query(places, k=2)[0][:, 1]
        self.assertAlmostEqual(read_group(self.dir / "out.h5", "trials")["arrival_px"][2],
                               0.5 * np.quantile(nearest, 0.05), places=9)
        self.run_job(NEAR + "arrival_px = 1e-6\n" + TWO, "--set", "job.trials=2", output="b.h5")
        trials = read_group(self.dir / "b.h5", "trials")
        self.assertEqual((set(trials["arrival_px"]), trials["arrived"].sum()), ({1e-6}, 0))

    def test_nobody_is_faster_where_nobody_arrives(self):
        job = NEAR.replace("noise_px = 1", "noise_px = 1\ntransform = { model = \"affine\", "
                           "tx_px = 100, ty_px = 100 }") + 'loss = "tukey"\n'
        self.run_job(job + TWO)
        verdict = self.verdict("out.h5")
        self.assertIn("neither A (lm) nor B (lm) arrives (0 of 40 and 0 of 40 trials)", verdict)
        self.assertNotIn("times as fast", verdict)

    def test_what_no_points_determine_is_nobodys_loss(self):
        job = NEAR.replace("points = 50", "points = 3").replace("affine", "projective")
        self.run_job(job + TWO.replace('name = "B"\nkind = "lm"', 'name = "B"\nkind = "eigen-lm"'))
        self.assertNotIn("better fit", self.verdict("out.h5"))
        self.assertNotIn("arrives more often", self.verdict("out.h5"))

    def test_a_solver_that_is_rarely_slow_is_not_called_faster(self):
        self.run_job(NEAR + TWO, "--set", "job.trials=100")
        random = np.random.default_rng(1)
        total = self.retimed(self.dir / "out.h5",
                             lambda c: 0.95 * math.exp(random.normal(0, 0.02)) *
                             (100 if random.random() < 0.2 else 1))
        self.assertGreater(total, 5)
        verdict = self.verdict("out.h5")
        self.assertIn("A (lm) takes less time than B (lm) in the typical trial", verdict)
        self.assertIn("times as much in total", verdict)

    def test_losses_that_differ_are_no_lack_of_trials(self):
        self.run_job(NEAR + 'loss = ["squared", "huber"]\n' + TWO)
        random = np.random.default_rng(1)
        self.retimed(self.dir / "out.h5",
                     lambda c: (0.5, 1.95)[c] * math.exp(random.normal(0, 0.05)))
        verdict = self.verdict("out.h5")
        self.assertIn("loss = squared: A (lm) and B (lm) both arrive in all 40 trials; A (lm) is",
                      verdict)
        self.assertNotIn("would tell", verdict)
        self.assertNotIn("run again", verdict)

    def test_every_loss_gets_the_same_points(self):
        self.run_job(LOSSES + TWO, "--set", "job.trials=10")
        trials = read_group(self.dir / "out.h5", "trials")
        half = len(trials["trial"]) // 2
        np.testing.assert_array_equal(trials["true_params"][:half], trials["true_params"][half:])
        for c in (0, 1):
            self.nucreg("pairs", "out.h5", "--configuration", str(c), "--trial", "3",
                        "--to", f"{c}.csv")
        rows = [[line for line in (self.dir / f"{c}.csv").read_text().splitlines()
                 if line[0] != "#"] for c in (0, 1)]
        self.assertEqual(rows[0], rows[1])
        self.assertEqual(sum(row.endswith(",0") for row in rows[0]), 18)  # 30 % of 60
        problems = read_group(self.dir / "out.h5", "configurations")["problem"]
        self.assertEqual(list(problems), [0, 0])
        fits = read_group(self.dir / "out.h5", "fit_verdict")
        self.assertEqual({v.decode() for v in fits["arrives"]}, {"cauchy"})
        self.assertIn("loss by A (lm): arrivals cauchy 10 of 10, squared 0 of 10; cauchy arrives "
                      "more", self.verdict("out.h5"))

    def test_repeated_fits_of_pairs_count_once(self):
        random = np.random.default_rng(3)
        ten = random.uniform(0, 1000, (40, 2))
        forty = 4 * ten + random.normal(0, 1, (40, 2))
        np.savetxt(self.dir / "p.csv", np.hstack([ten, forty]), delimiter=",", comments="",
                   header="x10,y10,x40,y40")
        self.run_job('[job]\nname = "p"\ntrials = 30\n[problem]\nsource = "pairs"\n'
                     'files = ["p.csv"]\n' + TWO)
        self.assertIn("29 trials repeat the fit of another trial", self.verdict("out.h5"))
        self.assertEqual(read_group(self.dir / "out.h5", "verdict")["trials"][0], 1)

    def test_compare_of_other_settings(self):
        self.run_job(LOSSES + TWO, output="a.h5")
        self.run_job(LOSSES + TWO, "--set", "fit.max_evaluations=1", output="b.h5")
        outcome = run(self.dir, "compare", "a.h5", "b.h5", "--threshold", "1e6")
        self.assertEqual(outcome.status, DIFFERENT, outcome)
        for words in ("settings that differ", "- max_evaluations = 1000", "+ max_evaluations = 1",
                      "16 trials are in both", "arrives less often in B"):
            self.assertIn(words, outcome.out)
        # What only one has is left out: another loss, another solver.
        self.run_job(LOSSES.replace('["squared", "cauchy"]', '["cauchy", "huber"]') +
                     TWO.replace('name = "B"', 'name = "C"'), output="c.h5")
        changes = json.loads(self.nucreg("compare", "a.h5", "c.h5", "--json",
                                         "--threshold", "1e6").out)
        self.assertEqual([(c["solver"], c["solves"], c["identical"]) for c in changes],
                         [("A", 8, 8)])
        self.run_job(LOSSES + TWO, "--set", "problem.field_px=[900,900]", output="d.h5")
        self.refused(USAGE, ("compare", "a.h5", "d.h5"), "other points")

    def test_the_points_of_a_trial(self):
        self.run_job(NEAR + TWO, "--set", "job.trials=2")
        self.refused(USAGE, ("pairs", "out.h5", "--trial", "2", "--to", "p.csv"), "0 to 1")
        self.nucreg("pairs", "out.h5", "--to", "p.csv")
        self.refused(5, ("pairs", "out.h5", "--to", "p.csv"), "p.csv")
        self.refused(INPUT, ("pairs", "none.h5", "--to", "q.csv"), "none.h5")

    def test_the_points_of_many_trials(self):
        self.run_job(LOSSES + TWO, "--set", "job.trials=4")
        ones = []
        for c in (0, 1):
            for t in range(4):
                self.nucreg("pairs", "out.h5", "--configuration", str(c), "--trial", str(t),
                            "--to", "p.csv", "--force")
                ones.append((self.dir / "p.csv").read_text())
        for count, which in ((4, slice(None, None, 2)), (8, slice(None)), (100, slice(None))):
            self.nucreg("pairs", "out.h5", "--trials", str(count), "--to", "q.csv", "--force")
            self.assertEqual((self.dir / "q.csv").read_text(), "".join(ones[which]))
        self.refused(USAGE, ("pairs", "out.h5", "--trials", "4", "--trial", "1", "--to", "r.csv"),
                     "--trial")

    def recompute(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "tools/recompute", *arguments], cwd=self.dir,
                              capture_output=True, text=True, check=False, env=os.environ)

    def test_recompute_refuses_what_is_no_result(self):
        self.write("text.h5", "no HDF5")
        with h5py.File(self.dir / "map.h5", "w") as f:
            f.attrs["format"] = "nucreg-map"
        for name in ("absent.h5", "text.h5", "map.h5"):
            done = self.recompute(name)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (INPUT, 1), done)
            self.assertIn(name, done.stderr)

    def test_other_code_computes_the_same(self):
        self.run_job(LOSSES.replace('["squared", "cauchy"]',
                                    '["squared", "huber", "cauchy", "tukey"]') + TWO +
                     '[[solver]]\nname = "closed"\nkind = "closed-form"\n')
        done = self.recompute("out.h5")
        self.assertEqual(done.returncode, DONE, done)
        self.assertIn("points of 32 of 32 trials", done.stdout)
        some = self.recompute("out.h5", "--trials", "17")
        self.assertIn("points of 17 of 32 trials", some.stdout)
        with h5py.File(self.dir / "out.h5", "a") as f:
            f["trials/tre_px"][3] *= 1 + 1e-6
            f["summary/arrival_rate"][0] = 0.5
            f["fit_verdict/only_a"][1] += 1
        done = self.recompute("out.h5")
        self.assertEqual(done.returncode, DIFFERENT, done)
        self.assertLessEqual({"tre_px", "summary: arrivals", "fit verdict: counts"},
                             {line.split("  ")[0] for line in done.stdout.splitlines()
                              if line.endswith("DIFFERS")})


class ShippedJob(unittest.TestCase):
    def test_both_implementations_are_named(self):
        text = (ROOT / "jobs/synthetic.toml").read_text()
        for words in ('name = "LM (fixed size)"\nkind = "lm"', 'name = "LM (Eigen)"',
                      'kind = "closed-form"'):
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
