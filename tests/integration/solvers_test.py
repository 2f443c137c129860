"""What rows say about solvers: converged only where it holds, the same words for all, and solvers
in processes of their own."""

import math
import random
import sys
import unittest

import numpy as np
from nucreg_case import ROOT, USAGE, NucregCase, read_group, solver_rows, status_codes, texts

SOLVERS = """
[[solver]]
name = "L-BFGS"
kind = "nlopt"
algorithm = "LD_LBFGS"
[[solver]]
name = "lm"
kind = "lm"
[[solver]]
name = "eigen-lm"
kind = "eigen-lm"
"""

LINES = """
import json, sys
for line in sys.stdin:
    q = json.loads(line)
    if q["solve"] == 2:
        sys.exit(3)
    print(json.dumps({"solve": q["solve"], "params": q["start"], "status": "converged",
                      "seconds": 0.5, "function_evaluations": 1}), flush=True)
"""


class Solvers(NucregCase):
    def rows(self, job):
        out = self.run_job(job + SOLVERS, "--force")
        trials = read_group(out, "trials")
        return out, trials, status_codes(out)

    def pairs(self, name, points, turn, noise, stretch=(1.0, 1.0), offset=0.0):
        draw = random.Random(name)
        c, s = 4 * math.cos(turn), 4 * math.sin(turn)
        lines = ["x10,y10,x40,y40"]
        for _ in range(points):
            x, y = stretch[0] * draw.uniform(0, 1024), stretch[1] * draw.uniform(0, 1024)
            X, Y = c * x - s * y + draw.gauss(0, noise), s * x + c * y + draw.gauss(0, noise)
            lines.append(f"{x + offset!r},{y + offset!r},{X + 4 * offset!r},{Y + 4 * offset!r}")
        self.write(name, "\n".join(lines) + "\n")

    def test_a_plateau_is_no_answer(self):
        _, trials, codes = self.rows("""
[job]
name = "plateau"
trials = 5
[problem]
points = 100
noise_px = 1
transform = { model = "similarity", dx_px = 20, dy_px = 20 }
[fit]
model = "similarity"
loss = "tukey"
""")
        self.assertEqual(set(trials["status"]), {codes["stalled"]})
        self.assertEqual(set(texts(trials["message"])),
                         {"no pair is within loss_scale_px of its partner: the loss is flat there"})

    def test_what_points_do_not_determine_is_the_same_for_all(self):
        _, trials, codes = self.rows("""
[job]
name = "few"
trials = 5
[problem]
points = 3
noise_px = 1
[fit]
model = "projective"
""")
        self.assertEqual(set(trials["status"]), {codes["stalled"]})
        self.assertEqual(set(texts(trials["message"])), {"the pairs do not determine the map"})
        self.assertTrue(np.isnan(trials["gap"]).all())
        self.assertTrue(np.isnan(trials["stationarity"]).all())

    def test_converged_is_near_the_best_of_the_trial(self):
        self.pairs("strip.csv", 60, 0.3, 1.0, stretch=(1.0, 1e-7))
        self.pairs("offset.csv", 40, 2.0, 1.0, offset=1e7)
        for file, model in (("strip.csv", "affine"), ("offset.csv", "trs"),
                            ("offset.csv", "affine")):
            with self.subTest(file=file, model=model):
                _, trials, codes = self.rows(f"""
[job]
name = "far"
[problem]
source = "pairs"
files = ["{file}"]
[fit]
model = "{model}"
""")
                best = trials["objective"].min()
                converged = trials["status"] == codes["converged"]
                self.assertTrue((trials["objective"][converged] <= best * (1 + 1e-4)).all(), trials)
                self.assertTrue((trials["stationarity"][converged] <= 1e-6).all())

    def test_scipy_stops_where_the_job_says(self):
        script = ROOT / "tools/solvers/scipy_solver.py"
        out = self.run_job(f"""
[job]
name = "stops"
trials = 10
[problem]
points = 100
noise_px = 1
transform = {{ model = "similarity", angle_deg = {{ min = 60, max = 180 }} }}
[fit]
model = ["similarity", "projective"]
[[solver]]
name = "L-BFGS-B"
kind = "process"
command = ["{sys.executable}", "{script}", "L-BFGS-B"]
[[solver]]
name = "lm"
kind = "lm"
""")
        trials = read_group(out, "trials")
        self.assertEqual(set(trials["status"]), {status_codes(out)["converged"]})
        self.assertLess(trials["gap"].max(), 1e-10)  # fit.ftol_rel is 1e-12

    def test_start_error_is_where_solvers_begin(self):
        out, trials, codes = self.rows("""
[job]
name = "turned"
trials = 4
[problem]
points = 50
noise_px = 1
[fit]
model = "similarity"
loss_scale_px = "auto"
loss = "cauchy"
max_evaluations = 1
start_error = { turn_deg = [0, 90], scale = 0.1 }
""")
        lm = solver_rows(out)["lm"]
        angle, scale = trials["params"][lm, 2], trials["params"][lm, 3]
        np.testing.assert_allclose(angle[:4], 0.0, atol=1e-9)
        np.testing.assert_allclose(angle[4:], 90.0, atol=1e-9)
        np.testing.assert_allclose(scale, 4.4, rtol=1e-12)
        # Three times the noise of 1 px, as 50 pairs show it.
        self.assertTrue((abs(trials["loss_scale_px"] - 3.0) < 1.2).all(), trials["loss_scale_px"])
        turns = read_group(out, "configurations")["start_turn_deg"]
        self.assertEqual(list(turns), [0.0, 90.0])

    def test_a_process_that_dies_costs_its_row(self):
        script = self.write("solver.py", LINES)
        job = f"""
[job]
name = "process"
trials = 4
[problem]
points = 20
noise_px = 1
[fit]
start = "truth"
[[solver]]
name = "mine"
kind = "process"
command = ["/usr/bin/python3", "{script}"]
[[solver]]
name = "lm"
kind = "lm"
"""
        out = self.run_job(job)
        trials, codes = read_group(out, "trials"), status_codes(out)
        mine, lm = (solver_rows(out)[name] for name in ("mine", "lm"))
        # The truth is not the minimum of noisy pairs: the word converged is not believed.
        self.assertEqual(list(trials["status"][mine]),
                         [codes[s] for s in ("stalled", "failed", "stalled", "stalled")])
        self.assertEqual(texts(trials["message"][mine])[1],
                         "the solver's process ended with status 3")
        np.testing.assert_array_equal(trials["wall_s"][mine][[0, 2, 3]], 0.5)
        self.assertEqual(set(trials["status"][lm]), {codes["converged"]})
        self.nucreg("verify", "out.h5")

    def test_a_program_that_was_changed_is_another_build(self):
        script = self.write("solver.py", LINES)
        self.write("job.toml", f"""
[job]
name = "process"
[problem]
points = 20
[[solver]]
name = "mine"
kind = "process"
command = ["/usr/bin/python3", "{script}"]
""")
        command = ("run", "job.toml", "-o", "out.h5", "--resume")
        self.nucreg(*command)
        self.assertIn("is complete", self.nucreg(*command).err)
        self.write("solver.py", LINES + "# changed\n")
        self.refused(USAGE, command, "belongs to another job, input or build", "solver.py")

    def test_what_cannot_run_is_refused_before(self):
        job = self.write("job.toml", '[job]\nname = "n"\n[[solver]]\nname = "N"\nkind = "nlopt"\n'
                                     'algorithm = "LD_LBFGS_NOCEDAL"\n')
        self.refused(USAGE, ["plan", job], "LD_LBFGS_NOCEDAL", "LD_LBFGS")
        self.assertNotIn("NOCEDAL", self.nucreg("solvers").out)


if __name__ == "__main__":
    unittest.main()
