"""One job gives the same bits whatever the number of ranks."""

import os
import re
import shutil
import unittest

import h5py

from nucreg_case import NucregCase, read_group

EVERYTHING = """
[job]
name = "everything"
seed = 7
trials = 2

[problem]
points = [6, { min = 30, max = 50 }]
noise_px = { min = 0.5, max = 2.0 }
outliers = [0.0, 0.1]
missing = 0.1

[problem.transform]
model = "trs"
dx_px = { min = -30.0, max = 30.0 }
dy_px = 40.0
angle_deg = { min = -5.0, max = 5.0 }

[fit]
model = ["affine", "trs", "projective"]
loss = ["squared", "huber", "tukey"]
coordinates = ["normalized", "raw"]
max_evaluations = 200

[[solver]]
name = "L-BFGS"
kind = "nlopt"

[[solver]]
name = "Nelder-Mead"
kind = "nlopt"
algorithm = "LN_NELDERMEAD"

[[solver]]
name = "LM"
kind = "lm"

[[solver]]
name = "Eigen LM"
kind = "eigen-lm"

[[solver]]
name = "closed form"
kind = "closed-form"

[run]
timing_repeats = "auto"
"""

STOCHASTIC = """
[job]
name = "stochastic"
seed = 3
trials = 5

[problem]
points = [10, 20]
noise_px = 1.0
transform = { model = "trs", angle_deg = { min = -5.0, max = 5.0 } }

[fit]
model = ["similarity", "trs"]
max_evaluations = 300
bounds.scale = [3.5, 4.5]
bounds.angle_deg = [-10.0, 10.0]
bounds.dx_px = [-20.0, 20.0]
bounds.dy_px = [-20.0, 20.0]

[[solver]]
name = "CRS"
kind = "nlopt"
algorithm = "GN_CRS2_LM"

[[solver]]
name = "ISRES"
kind = "nlopt"
algorithm = "GN_ISRES"

[[solver]]
name = "MLSL"
kind = "nlopt"
algorithm = "GD_MLSL"
local_algorithm = "LD_LBFGS"

[run]
timing_repeats = 2
"""


# Several blocks of points and what is left of one, and the kinds that EVERYTHING lacks.
MANY_POINTS = """
[job]
name = "many_points"
trials = 2

[problem]
points = [201, 6001]
outliers = 0.2
noise_px = 1.0

[fit]
model = ["affine", "projective"]
loss = ["squared", "huber", "cauchy"]
max_evaluations = 100

[[solver]]
name = "moments"
kind = "lm"
evaluation = "moments"

[[solver]]
name = "L-BFGS"
kind = "nlopt"

[[solver]]
name = "GNC"
kind = "irls"
graduated = "gm"

[[solver]]
name = "consensus"
kind = "consensus"
"""


class BitIdentity(NucregCase):
    def check_job(self, text, counts):
        alone = self.run_job(text, output="alone.h5")
        self.check_ranks(alone, 1)
        for ranks in counts:
            with self.subTest(ranks=ranks):
                result = self.run_job(text, output=f"{ranks}.h5", ranks=ranks)
                self.assert_same_results(alone, result)
                self.check_ranks(result, ranks)
        return alone

    def check_ranks(self, file, ranks):
        table, trials = read_group(file, "ranks"), read_group(file, "trials")
        with h5py.File(file) as h5:
            self.assertEqual(h5.attrs["mpi_ranks"], ranks)
        self.assertEqual(list(table["rank"]), list(range(ranks)))
        self.assertEqual(len(set(table["pid"])), ranks)
        self.assertEqual([sum(trials["rank"] == rank) for rank in range(ranks)],
                         list(table["solves"]))
        if ranks > len(os.sched_getaffinity(0)):
            self.assertFalse(trials["timing_valid"].any())

    def test_all_models_losses_and_kinds(self):
        alone = self.check_job(EVERYTHING, (1, 2, 3, 8))
        trials = read_group(alone, "trials")
        self.assertEqual(len(trials["status"]), 2 * 2 * 3 * 3 * 2 * 2 * 5)
        # The job is worth comparing: its trials differ, and "auto" has repeated.
        self.assertGreater(len(set(trials["objective"])), len(trials["status"]) // 4)
        self.assertGreater(len(set(trials["repeats"])), 3)

    def test_every_instruction_set_that_the_machine_has(self):
        def instruction_set(**variables):
            doctor = self.nucreg("doctor", **variables).out
            return re.search(r"instruction set (\w+)", doctor)[1]

        here = {instruction_set(NUCREG_SIMD=name): name for name in ("baseline", "avx2", "avx512")}
        self.assertIn(instruction_set(), here)
        print("instruction sets compared:", *here)
        for number, job in enumerate((EVERYTHING, MANY_POINTS)):
            widest = self.run_job(job, output=f"{number}.h5")
            for found, name in here.items():
                with self.subTest(job=number, instruction_set=found):
                    self.assert_same_results(
                        widest, self.run_job(job, output=f"{number}_{name}.h5", NUCREG_SIMD=name))

    def test_stochastic_algorithms_within_bounds(self):
        alone = self.check_job(STOCHASTIC, (2, 3))
        trials = read_group(alone, "trials")
        self.assertGreater(len(set(trials["objective"])), 40)
        self.assertEqual(set(trials["repeats"]), {2})

    def test_another_seed_gives_other_numbers(self):
        one = read_group(self.run_job(STOCHASTIC, output="one.h5"), "trials")
        other = read_group(self.run_job(STOCHASTIC, "--set", "job.seed=4", output="other.h5"),
                           "trials")
        self.assertFalse((one["objective"] == other["objective"]).any())

    def test_the_comparison_sees_one_bit(self):
        one, other = self.run_job(STOCHASTIC, output="one.h5"), self.dir / "other.h5"
        for path, measured in (("trials/objective", False), ("trials/params", False),
                               ("configurations/points", False), ("summary/tre_px_p95", False),
                               ("trials/wall_s", True), ("summary/wall_s_mean", True)):
            shutil.copy(one, other)
            with h5py.File(other, "r+") as h5:
                column = h5[path][()]
                column.view("u1").reshape(-1)[-8] ^= 1
                h5[path][...] = column
            with self.subTest(path):
                if measured:
                    self.assert_same_results(one, other)
                else:
                    with self.assertRaises(AssertionError):
                        self.assert_same_results(one, other)


if __name__ == "__main__":
    unittest.main()
