"""The smallest jobs, and more ranks than work."""

import unittest

import numpy as np

from nucreg_case import LEAST_JOB, NucregCase, read_group, status_codes

FEW_POINTS = """
[job]
name = "few"
trials = 3

[problem]
points = [1, 2, 3]
transform = { model = "trs", dx_px = 3.0, angle_deg = { min = -5.0, max = 5.0 } }

[fit]
model = ["rigid", "similarity", "trs", "affine", "projective"]

[[solver]]
name = "L-BFGS"
kind = "nlopt"

[[solver]]
name = "LM"
kind = "lm"

[[solver]]
name = "Eigen LM"
kind = "eigen-lm"

[[solver]]
name = "closed form"
kind = "closed-form"
"""


class Edge(NucregCase):
    def test_one_trial_one_configuration_one_solver(self):
        trials = read_group(self.run_job(LEAST_JOB), "trials")
        self.assertEqual({len(column) for column in trials.values()}, {1})
        self.assertIn("sound", self.nucreg("verify", "out.h5").out)

    def test_more_ranks_than_trials(self):
        alone = self.run_job(LEAST_JOB, "--set", "job.trials=2", output="alone.h5")
        many = self.run_job(LEAST_JOB, "--set", "job.trials=2", ranks=5)
        self.assert_same_results(alone, many)
        self.assertEqual(len(read_group(many, "trials")["trial"]), 2)
        self.assertEqual(sum(read_group(many, "ranks")["solves"]), 2)
        self.assertEqual(len(read_group(many, "ranks")["rank"]), 5)
        self.nucreg("verify", "out.h5")

    def test_more_ranks_than_trials_are_reported(self):
        shown = "more ranks than trials: 3 ranks for 2 trials, so that 1 of them do nothing"
        for trials, expected in ((2, 1), (3, 0)):
            outcome = self.nucreg("run", self.write("job.toml", LEAST_JOB), "-o", f"{trials}.h5",
                                  "--set", f"job.trials={trials}", ranks=3)
            self.assertEqual(outcome.err.count(shown), expected, outcome)

    def test_no_points_are_rows_that_failed(self):
        file = self.run_job(FEW_POINTS, "--set", "problem.missing=0.999", "--set",
                            "problem.points=10")
        trials, codes = read_group(file, "trials"), status_codes(file)
        self.assertEqual(set(trials["pairs"]), {0})
        answered = trials["status"] != codes["not_applicable"]
        self.assertEqual(set(trials["status"][answered]), {codes["failed"]})
        self.assertEqual(set(trials["message"][answered]), {b"there are no pairs"})
        self.assertTrue(np.isnan(trials["objective"]).all())
        self.assertIn("sound", self.nucreg("verify", "out.h5").out)

    def test_too_few_points_are_rows(self):
        file = self.run_job(FEW_POINTS)
        trials, summary = read_group(file, "trials"), read_group(file, "summary")
        codes = status_codes(file)
        self.assertEqual(len(trials["status"]), 3 * 5 * 3 * 4)
        self.nucreg("verify", "out.h5")
        failed = trials["status"] == codes["failed"]
        self.assertFalse(failed.any())
        # Three points determine an affine map, with any solver.
        models = read_group(file, "configurations")["model"][trials["configuration"]]
        three = (models == b"affine") & (trials["pairs"] == 3)
        self.assertEqual(set(trials["status"][three]), {codes["converged"]})
        self.assertLess(trials["tre_px"][three].max(), 1e-6)
        # What fewer leave open is the same for every solver.
        least = {b"rigid": 2, b"similarity": 2, b"trs": 3, b"affine": 3, b"projective": 4}
        few = trials["pairs"] < np.array([least[model] for model in models])
        few &= trials["status"] != codes["not_applicable"]
        self.assertEqual(set(trials["status"][few]), {codes["stalled"]})
        self.assertEqual(set(trials["message"][few]), {b"the pairs do not determine the map"})
        for row in range(len(summary["count"])):
            mine = (trials["configuration"] == summary["configuration"][row]) & \
                (trials["solver"] == summary["solver"][row])
            self.assertEqual(summary["count"][row], 3)
            self.assertEqual(summary["failures"][row], failed[mine].sum())
            self.assertEqual(summary["not_applicable"][row],
                             (trials["status"][mine] == codes["not_applicable"]).sum())
            self.assertEqual(summary["rmsd_px_count"][row],
                             np.isfinite(trials["rmsd_px"][mine]).sum())


if __name__ == "__main__":
    unittest.main()
