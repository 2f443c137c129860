"""recommend: its numbers are counted from the rows, and map and run use what it writes."""

import hashlib
import json
import tomllib
import unittest

import h5py
import numpy as np
from made_well import MadeWell
from nucreg_case import DONE, INPUT, OUTPUT, USAGE, NucregCase, read_group, run, texts

JOB = """
[job]
name = "evidence"
trials = 8
[problem]
points = [40, 100]
noise_px = { min = 0.5, max = 2 }
outliers = [0, 0.4]
transform = { model = "similarity", angle_deg = 40 }
[fit]
model = ["similarity", "affine"]
loss = ["squared", "cauchy"]
start = ["nominal", "closed-form"]
[[solver]]
name = "LM"
kind = "lm"
[[solver]]
name = "L-BFGS"
kind = "nlopt"
algorithm = "LD_LBFGS"
[[solver]]
name = "consensus"
kind = "consensus"
samples = 500
"""


class Recommend(NucregCase):
    @classmethod
    def setUpClass(cls):
        case = cls.made_once()
        cls.made, cls.evidence = case, case.run_job(JOB)

    def advice(self, *options, status=DONE):
        outcome = run(self.dir, "recommend", self.evidence, *options)
        self.assertEqual(outcome.status, status, outcome)
        return outcome

    def json(self, *options):
        return json.loads(self.advice("--json", *options).out)

    def tallies(self, **wanted):
        """(solver, loss, start) -> trials, arrived, seconds and evaluations, from the rows
        alone."""
        trials, conditions = read_group(self.evidence, "trials"), read_group(
            self.evidence, "configurations")
        solvers = texts(read_group(self.evidence, "solvers")["name"])
        of = trials["configuration"]
        keep = np.ones(len(of), bool)
        for name, values in wanted.items():
            keep &= np.isin(conditions[name][of], values)
        tallies = {}
        for solver in range(len(solvers)):
            for loss in set(conditions["loss"]):
                for start in set(conditions["start"]):
                    one = (keep & (trials["solver"] == solver) & (conditions["loss"][of] == loss)
                           & (conditions["start"][of] == start))
                    # As /summary of valid timings; CPU times where a configuration has none, unless
                    # the solve was shorter than a tick of that clock.
                    seconds = 0.0
                    for c in set(of[one]):
                        rows = one & (of == c)
                        valid = rows & (trials["timing_valid"] > 0)
                        wall, cpu = trials["wall_s"], trials["cpu_s"]
                        least = np.where(cpu > 0, np.minimum(wall, cpu), wall)
                        seconds += (wall[valid].mean() * rows.sum() if valid.any()
                                    else least[rows].sum())
                    tallies[solvers[solver], loss.decode(), start.decode()] = (
                        int(one.sum()), int(trials["arrived"][one].sum()), seconds,
                        int(trials["function_evaluations"][one].sum()))
        return tallies

    def check(self, made, tallies):
        for choice in made["choices"]:
            n, arrived, seconds, evaluations = tallies[
                choice["solver"], choice["loss"], choice["start"]]
            self.assertEqual((choice["trials"], choice["arrived"]), (n, arrived))
            self.assertAlmostEqual(choice["expected_s"], seconds / arrived, delta=1e-9 * seconds)
            self.assertAlmostEqual(choice["expected_evaluations"], evaluations / arrived, places=9)
        best = made["choices"][0]
        top = max(arrived / n for n, arrived, *_ in tallies.values())
        self.assertGreaterEqual(best["arrival_rate"], top - 0.01)
        cheaper = [key for key, (n, arrived, seconds, _) in tallies.items()
                   if arrived == n == best["trials"]
                   and seconds / arrived < best["expected_s"] * (1 - 1e-9)]
        self.assertEqual(cheaper, [])
        for key in ("solver", "loss", "start", "trials", "expected_s"):
            self.assertEqual(made[key], best[key])

    def test_its_numbers_are_those_of_the_rows(self):
        made = self.json("--outliers", "0.4", "--points", "100")
        self.assertTrue(made["reached"])
        self.check(made, self.tallies(outliers=[0.4], points=[100]))
        self.assertEqual(made["loss"], "cauchy")
        self.assertEqual(made["conditions"]["outliers"], "0.4")
        self.assertEqual(made["conditions"]["noise_px"], "0.5..2")
        self.check(self.json("--model", "affine", "--outliers", "0"),
                   self.tallies(outliers=[0.0], model=[b"affine"]))

    def test_regret_is_that_of_halves_by_the_number_of_the_trial(self):
        made = self.json("--outliers", "0.4")
        self.assertEqual(made["regret"]["trials"], 2 * 2 * 8)  # points x models x trials
        self.assertTrue(0.0 <= made["regret"]["arrival"] <= 1.0)
        self.assertGreater(made["regret"]["time"], 0.0)

    def test_what_the_evidence_does_not_reach_is_said(self):
        made = self.json("--points", "5000", "--noise", "9")
        self.assertFalse(made["reached"])
        self.assertIn("No evidence beyond 100 points: this answer is for 100, not 5,000.",
                      made["shortfalls"][0])
        self.assertIn("No evidence beyond noise_px 2: this answer is for 2, not 9.",
                      made["shortfalls"][1])
        between = self.json("--outliers", "0.3")
        self.assertTrue(between["reached"])
        self.assertIn("outliers 0.3 lies between 0 and 0.4", between["notes"][0])
        text = " ".join(self.advice("--model", "projective").out.split())
        self.assertTrue(text.startswith("The evidence has no fit of model projective"), text)
        self.assertIn("nothing can be recommended", text)
        file = self.dir / "none.toml"
        self.advice("--model", "projective", "--to", file, status=INPUT)
        self.assertFalse(file.exists())

    def test_the_text_says_what_the_json_says(self):
        made = self.json("--outliers", "0.4")
        text = " ".join(self.advice("--outliers", "0.4").out.split())
        self.assertIn(f"use {made['solver']} (", text)
        self.assertIn(f"arrives in {made['arrived']} of {made['trials']} trials", text)
        for choice in made["choices"]:
            self.assertIn(choice["solver"], text)

    def test_its_file_is_a_job_that_names_its_evidence(self):
        file = self.dir / "use.toml"
        made = self.json("--outliers", "0.4", "--model", "affine", "--to", file)
        text = file.read_text()
        self.assertIn(hashlib.sha256(self.evidence.read_bytes()).hexdigest(), text)
        job = tomllib.loads(text)
        self.assertEqual([s["name"] for s in job["solver"]], [made["solver"]])
        self.assertEqual((job["fit"]["loss"], job["fit"]["start"]), (made["loss"], made["start"]))
        self.advice("--to", file, status=OUTPUT)  # exists
        self.advice("--to", file, "--force")
        # Another job takes its solver, loss and start, and nothing else.
        other = self.write("other.toml", JOB.replace("evidence", "other"))
        out = self.dir / "other.h5"
        self.nucreg("run", other, "-o", out, "--recommendation", file, "--set", "job.trials=1")
        configurations = read_group(out, "configurations")
        taken = tomllib.loads(file.read_text())
        self.assertEqual(set(texts(configurations["loss"])), {taken["fit"]["loss"]})
        self.assertEqual(set(texts(configurations["start"])), {taken["fit"]["start"]})
        self.assertEqual(set(texts(configurations["model"])), {"similarity", "affine"})
        self.assertEqual(texts(read_group(out, "solvers")["name"]), [taken["solver"][0]["name"]])

    def test_what_is_no_evidence_is_refused(self):
        no = self.write("no.h5", "no")
        self.refused(INPUT, ["recommend", no], "no.h5")
        self.advice("--outliers", "2", status=USAGE)
        self.advice("--model", "cubic", status=USAGE)


class MapUses(NucregCase):
    """map fits all tiles by the solver and loss that are recommended."""

    def test_each_solver_finds_the_same_map(self):
        MadeWell().write(self.dir)
        centres = {}
        for name, solver, loss in (("irls", 'kind = "irls"', "cauchy"),
                                   ("lm", 'kind = "lm"', "huber"),
                                   ("lbfgs", 'kind = "nlopt"\nalgorithm = "LD_LBFGS"', "cauchy")):
            file = self.write(f"{name}.toml", f"""
[job]
name = "recommended"
[fit]
loss = "{loss}"
[[solver]]
name = "x"
{solver}
""")
            out = self.dir / f"{name}.h5"
            self.nucreg("map", "ten.csv", "forty.csv", "-o", out, "--recommendation", file)
            with h5py.File(out) as f:
                centres[name] = np.stack([f["tiles/centre_x_um"][:], f["tiles/centre_y_um"][:]])
                self.assertEqual(f["model/loss"].asstr()[0], loss)
                self.assertIn({"irls": "reweighted", "lm": "Levenberg-Marquardt",
                               "lbfgs": "L-BFGS"}[name], f["model/solver"].asstr()[0])
                self.assertIn(f'solver = "{name}"', f.attrs["map_toml"])
        for name in ("lm", "lbfgs"):
            self.assertLess(np.nanmax(np.abs(centres[name] - centres["irls"])), 0.2, name)

    def test_a_method_that_the_fit_of_all_tiles_lacks_is_refused(self):
        file = self.write("r.toml", '[job]\nname = "r"\n[[solver]]\nname = "x"\nkind = "nlopt"\n'
                                    'algorithm = "LN_BOBYQA"\n')
        self.refused(USAGE, ["map", "a.csv", "b.csv", "--recommendation", file],
                     "r.toml:3: solver.kind: solver x of kind nlopt has no like")


if __name__ == "__main__":
    unittest.main()
