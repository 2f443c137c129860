"""/trace: how the objective fell in each solve, the same on any number of ranks and merged."""

import unittest

import h5py
import numpy as np

from nucreg_case import LEAST_JOB, NucregCase, read_group

JOB = LEAST_JOB.replace("[problem]", "trials = 30\n[problem]\nnoise_px = 1")
JOB += """
[[solver]]
name = "B"
kind = "nlopt"
algorithm = "LN_NELDERMEAD"
[run]
trace = true
"""


class Trace(NucregCase):
    def assert_same_traces(self, one, other):
        left, right = read_group(one, "trace"), read_group(other, "trace")
        for name in ("offsets", "evaluation", "objective"):
            self.assert_same_bits(left[name], right[name], name)

    def test_what_it_holds(self):
        out = self.run_job(JOB)
        rows, trace = read_group(out, "trials"), read_group(out, "trace")
        offsets = trace["offsets"]
        self.assertEqual(len(offsets), len(rows["trial"]) + 1)
        self.assertEqual((offsets[0], offsets[-1]), (0, len(trace["evaluation"])))
        for row, (first, end) in enumerate(zip(offsets, offsets[1:])):
            evaluation = trace["evaluation"][first:end]
            self.assertEqual(evaluation[0], 1)
            self.assertTrue((np.diff(evaluation) > 0).all())
            made = rows["function_evaluations"][row]
            self.assertLessEqual(evaluation[-1], made)
            self.assertGreaterEqual(evaluation[-1], min(made, made / 1.1 - 1))
            objective = trace["objective"][first:end]
            self.assertTrue((np.diff(objective) <= 0).all())
            self.assertGreaterEqual(objective[-1], rows["objective"][row] * (1 - 1e-9))
            if made <= 16:
                self.assertAlmostEqual(objective[-1] / rows["objective"][row], 1, places=9)
            self.assertTrue((np.diff(trace["time_s"][first:end]) >= 0).all())

    def test_ranks_and_parts_do_not_matter(self):
        out = self.run_job(JOB)
        self.assert_same_traces(out, self.run_job(JOB, output="two.h5", ranks=2))
        for part in ("1/2", "2/2"):
            self.run_job(JOB, "--part", part, output=f"part-{part[0]}.h5")
        self.nucreg("merge", "part-1.h5", "part-2.h5", "-o", "merged.h5")
        self.assert_same_traces(out, self.dir / "merged.h5")
        self.nucreg("verify", "merged.h5")

    def test_what_is_finite_in_no_pixels_is_not_a_number(self):
        # Residuals of 1e150 px: their squares are just finite, what the solvers begin with is not.
        out = self.run_job(JOB.replace("noise_px = 1", "noise_px = 1e150\nmagnification = 100"),
                           "--set", "fit.loss=cauchy", "--set", "problem.points=5",
                           "--set", "fit.start=identity", "--set", "fit.max_evaluations=7")
        self.assertFalse(np.isinf(read_group(out, "trace")["objective"]).any())
        self.nucreg("verify", "out.h5")

    def test_nothing_where_it_was_not_asked_for(self):
        with h5py.File(self.run_job(LEAST_JOB)) as f:
            self.assertNotIn("trace", f)


if __name__ == "__main__":
    unittest.main()
