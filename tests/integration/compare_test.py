"""nucreg compare: what changed between two results of one job, and when that is an error."""

import json
import shutil
import unittest

import h5py
import numpy as np
from scipy import stats

from nucreg_case import DONE, INPUT, LEAST_JOB, ROOT, USAGE, NucregCase, read_group, run

DIFFERENT = 6
JOB = LEAST_JOB.replace("[problem]", "trials = 40\n[problem]\nnoise_px = 1").replace(
    'name = "least"', 'name = "least"\nseed = 3')
JOB += '\n[[solver]]\nname = "B"\nkind = "nlopt"\n'


def reaches(rows, gap):
    """The target, or it is missed by rounding alone: 1e-9 px of each pair."""
    over = rows["objective"] - rows["objective"] / (1 + rows["gap"])
    return (rows["gap"] <= gap) | (over <= 1e-18 * rows["pairs"])


class Compare(NucregCase):
    def setUp(self):
        super().setUp()
        self.a = self.run_job(JOB, output="a.h5")
        with h5py.File(self.a, "a") as f:
            f["trials/timing_valid"][:] = 1  # whatever the machine is doing
        self.rebuild(self.a)
        self.b = self.dir / "b.h5"
        shutil.copy(self.a, self.b)

    def rebuild(self, file):
        """Times of the summary that follow from the rows are not those of the run any more."""
        with h5py.File(file, "a") as f:
            for table in ("summary", "verdict"):
                if table != "summary" and table in f:
                    del f[table]
            solver = f["trials/solver"][:]
            f["trials/cpu_s"][:] = f["trials/wall_s"][:]
            for name in ("wall_s", "cpu_s", "rmsd_px", "objective"):
                for s in (0, 1):
                    values = f[f"trials/{name}"][:][solver == s]
                    for suffix, number in (("count", len(values)), ("mean", values.mean()),
                                           ("std", values.std(ddof=1)),
                                           ("median", np.median(values)),
                                           ("p05", np.percentile(values, 5)),
                                           ("p95", np.percentile(values, 95))):
                        f[f"summary/{name}_{suffix}"][s] = number
            f["summary/timing_valid"][:] = f["summary/count"][:]
            f["summary/expected_s"][:] = f["summary/wall_s_mean"][:] / f["summary/arrival_rate"][:]

    def slow_down(self, factor, solver):
        with h5py.File(self.b, "a") as f:
            rows = f["trials/solver"][:] == solver
            wall = f["trials/wall_s"][:]
            wall[rows] *= factor * np.linspace(0.99, 1.01, rows.sum())
            f["trials/wall_s"][:] = wall
        self.rebuild(self.b)

    def compare(self, status, *more):
        outcome = run(self.dir, "compare", "a.h5", "b.h5", "--json", *more)
        self.assertEqual(outcome.status, status, outcome)
        return json.loads(outcome.out)

    def test_a_run_against_itself(self):
        for change in self.compare(DONE):
            self.assertEqual((change["solves"], change["identical"], change["timed"]), (40, 40, 40))
            self.assertEqual((change["time_ratio"], change["better"], change["worse"]), (1, 0, 0))
        text = self.nucreg("compare", "a.h5", "b.h5").out
        self.assertIn("40 trials are in both, 0 in A only, 0 in B only", text)
        self.assertIn("no difference", text)

    def test_a_slower_solver_is_found_above_the_threshold_only(self):
        self.slow_down(1.3, solver=1)
        first, second = self.compare(DIFFERENT)
        self.assertEqual((first["slower"], second["slower"]), (False, True))
        self.assertAlmostEqual(second["time_ratio"], 1.3, delta=0.01)
        self.assertLess(second["time_ratio_low"], second["time_ratio"])
        self.assertGreater(second["time_ratio_low"], 1.29)
        self.compare(DONE, "--threshold", "0.5")
        self.assertIn("B is worse", run(self.dir, "compare", "a.h5", "b.h5").out)

    def test_a_faster_solver_is_no_error(self):
        self.slow_down(0.5, solver=0)
        self.assertAlmostEqual(self.compare(DONE)[0]["time_ratio"], 0.5, delta=0.01)

    def test_an_interrupted_solve_moves_no_ratio(self):
        self.slow_down(1.0, solver=1)
        with h5py.File(self.b, "a") as f:
            f["trials/wall_s"][15] *= 1e6
        self.rebuild(self.b)
        self.assertAlmostEqual(self.compare(DONE)[1]["time_ratio"], 1.0, delta=0.01)

    def test_a_worse_fit_is_reported_in_px(self):
        with h5py.File(self.b, "a") as f:
            for row in (5, 9):
                f["trials/rmsd_px"][row] += 0.5
                f["trials/objective"][row] *= 1.1
        self.rebuild(self.b)
        first, second = self.compare(DIFFERENT)
        self.assertEqual((first["rmsd_change_px"], first["rmsd_change_px_low"],
                          first["rmsd_change_px_high"], first["results_p"]), (0, 0, 0, None))
        self.assertEqual((second["better"], second["worse"], second["identical"]), (0, 2, 38))
        self.assertAlmostEqual(second["rmsd_change_px"], 1 / 40)
        self.assertEqual(second["rmsd_change_px_low"], 0)  # in most resamples of one solve in 20
        self.assertGreater(second["rmsd_change_px_high"], 1 / 40)
        self.assertAlmostEqual(second["largest_change_px"], 0.5)
        self.assertEqual(second["results_p"], 0.5)  # two of two, by the sign test

    def test_80_columns_hold_all_that_changed(self):
        for columns, whole in ((80, True), (40, False)):
            text = self.nucreg("compare", "a.h5", "b.h5", COLUMNS=str(columns)).out
            self.assertLessEqual(max(map(len, text.splitlines())), columns, text)
            self.assertEqual("too narrow" not in text, whole, text)
            for title in ("time B/A", "worse"):
                self.assertIn(title, text)

    def test_a_solver_without_two_valid_timings_is_not_called_no_worse(self):
        with h5py.File(self.b, "a") as f:
            valid = f["trials/timing_valid"][:]
            valid[f["trials/solver"][:] == 1] = 0
            f["trials/timing_valid"][:] = valid
        self.rebuild(self.b)
        with h5py.File(self.b, "a") as f:
            f["summary/timing_valid"][1] = 0
        first, second = self.compare(DONE)
        self.assertEqual((first["compared"], second["compared"]), (True, False))
        self.assertEqual((second["timed"], second["time_ratio"]), (0, None))
        text = self.nucreg("compare", "a.h5", "b.h5").out
        self.assertIn("speed not compared: B (no two valid", text)
        self.assertNotIn("\nB is not worse", text)

    def test_one_valid_timing_makes_no_interval(self):
        with h5py.File(self.b, "a") as f:
            rows = np.flatnonzero(f["trials/solver"][:] == 1)
            valid = f["trials/timing_valid"][:]
            valid[rows[1:]] = 0
            f["trials/timing_valid"][:] = valid
        self.rebuild(self.b)
        with h5py.File(self.b, "a") as f:
            f["summary/timing_valid"][1] = 1
            for name in ("wall_s", "cpu_s"):
                value = f[f"trials/{name}"][rows[0]]
                for suffix, number in (("count", 1), ("mean", value), ("std", np.nan),
                                       ("median", value), ("p05", value), ("p95", value)):
                    f[f"summary/{name}_{suffix}"][1] = number
            f["summary/expected_s"][1] = (f["summary/wall_s_mean"][1] /
                                          f["summary/arrival_rate"][1])
        second = self.compare(DONE)[1]
        self.assertEqual((second["timed"], second["compared"]), (1, False))
        text = self.nucreg("compare", "a.h5", "b.h5").out
        self.assertIn("speed not compared: B (no two valid", text)
        self.assertNotIn("\nB is not worse", text)

    def test_trials_of_only_one_run_are_left_out(self):
        self.run_job(JOB, "--part", "1/2", output="one.h5")
        self.run_job(JOB, "--part", "2/2", output="two.h5")
        for arguments, counts in ((("a.h5", "one.h5"), "20 in A only, 0 in B only"),
                                  (("two.h5", "a.h5"), "0 in A only, 20 in B only")):
            outcome = self.nucreg("compare", *arguments, "--threshold", "1e6")
            self.assertIn(f"20 trials are in both, {counts}", outcome.out)
            changes = json.loads(
                self.nucreg("compare", *arguments, "--threshold", "1e6", "--json").out)
            self.assertEqual([(c["solves"], c["identical"]) for c in changes], [(20, 20)] * 2)
        self.refused(INPUT, ("compare", "one.h5", "two.h5"), "two.h5",
                     "no trial that is in the other")

    def test_the_p_value_is_scipys(self):
        rng = np.random.default_rng(5)
        with h5py.File(self.b, "a") as f:
            wall = f["trials/wall_s"][:]
            wall *= np.exp(rng.normal(0.02, 0.1, len(wall)))
            f["trials/wall_s"][:] = wall
        self.rebuild(self.b)
        before, after = (read_group(file, "trials") for file in (self.a, self.b))
        for number, change in enumerate(self.compare(DONE, "--threshold", "9")):
            mine = before["solver"] == number
            logs = np.log(after["wall_s"][mine] / before["wall_s"][mine])
            self.assertAlmostEqual(change["time_p"], stats.wilcoxon(logs).pvalue, places=9)

    def test_refusals(self):
        self.run_job(JOB, "--set", "job.seed=4", output="other.h5")
        self.refused(USAGE, ("compare", "a.h5", "other.h5"), "other.h5", "- seed = 3", "+ seed = 4")
        for threshold in ("-1", "nan", "-nan", "inf"):
            self.refused(USAGE, ("compare", "a.h5", "b.h5", f"--threshold={threshold}"),
                         "--threshold")
        self.refused(INPUT, ("compare", "a.h5", "none.h5"), "none.h5", "no such file")
        with h5py.File(self.b, "a") as f:
            f["trials/trial"][5] = 0
        self.refused(INPUT, ("compare", "a.h5", "b.h5"), "b.h5", "not sound")


class Export(NucregCase):
    def setUp(self):
        super().setUp()
        job = JOB.replace('kind = "lm"', 'kind = "lm"', 1) + (
            '\n[fit]\nmodel = ["rigid", "trs", "affine", "projective"]\n')
        self.run_job(job, "--set", "job.trials=3")
        with h5py.File(self.dir / "out.h5") as f:
            self.rows = {name: column[:] for name, column in f["trials"].items()}
            self.models = f["configurations/model"].asstr()[:]

    def test_python_benchmark(self):
        self.nucreg("export", "out.h5", "--to", "x", "--format", "python-benchmark")
        table = np.genfromtxt(self.dir / "x/python_benchmark.csv", delimiter=",", names=True,
                              dtype=None, encoding="utf-8")
        self.assertEqual(table.dtype.names, (
            "trial", "num_points", "noise_level", "outlier_fraction", "optimization", "rmsd",
            "param_error", "time_ms", "memory_kb", "iterations", "a", "b", "tx", "c", "d", "ty"))
        np.testing.assert_array_equal(table["rmsd"], self.rows["rmsd_px"])
        np.testing.assert_allclose(table["time_ms"], 1e3 * self.rows["wall_s"], rtol=1e-15)
        self.assertEqual(set(table["optimization"]), {"LM", "B"})
        model = self.models[self.rows["configuration"]]
        np.testing.assert_array_equal(table["ty"][model == "affine"],
                                      self.rows["params"][model == "affine", 5])
        self.assertTrue(np.isnan(table["a"][model == "projective"]).all())
        summary = (self.dir / "x/python_benchmark_summary.csv").read_text().splitlines()
        self.assertEqual(len(summary), 1 + 4 * 2)
        mean = float(summary[1].split(",")[4])
        self.assertAlmostEqual(mean, self.rows["rmsd_px"][0:6:2].mean(), places=12)
        self.refused(5, ("export", "out.h5", "--to", "x", "--format", "python-benchmark"),
                     "already exists")

    def test_python_benchmark_takes_the_mean_of_valid_times(self):
        first, last = self.rows["solver"] == 0, self.rows["configuration"] == 3
        for invalid, kept in (([0], slice(2, 6, 2)), ([0, 2, 4], slice(0, 6, 2))):
            valid = np.ones(len(first), np.int8)
            valid[invalid] = 0  # of the first configuration and solver
            with h5py.File(self.dir / "out.h5", "a") as f:
                f["trials/timing_valid"][:] = valid
            self.nucreg("export", "out.h5", "--to", "x", "--format", "python-benchmark", "--force")
            table = np.genfromtxt(self.dir / "x/python_benchmark_summary.csv", delimiter=",",
                                  names=True, dtype=None, encoding="utf-8")
            times = 1e3 * self.rows["wall_s"]
            self.assertAlmostEqual(table["time_ms_mean"][0], times[kept].mean(), places=12)
            self.assertAlmostEqual(table["time_ms_std"][0], times[kept].std(ddof=1), places=12)
            self.assertAlmostEqual(table["time_ms_mean"][-1], times[last & ~first].mean(),
                                   places=12)

    def test_profiles(self):
        self.nucreg("export", "out.h5", "--to", "x", "--format", "profiles")
        profiles = json.loads((self.dir / "x/profiles.json").read_text())
        self.assertEqual((profiles["trials"], profiles["trials_used"]), (12, 12))
        self.assertIn("of the whole solve", profiles["costs"])
        evaluations = self.rows["function_evaluations"]
        self.assertEqual([(t["configuration"], t["gap"]) for t in profiles["configurations"]],
                         [(c, gap) for c in range(4) for gap in (1e-1, 1e-3, 1e-6, 1e-9)])
        for target in profiles["configurations"]:
            here = self.rows["configuration"] == target["configuration"]
            self.assertEqual(target["trials_used"], 3)
            for number, solver in enumerate(target["solvers"]):
                mine = here & (self.rows["solver"] == number)
                reached = reaches(self.rows, target["gap"])[mine]
                runtime = solver["evaluations"]["runtime"]
                self.assertEqual(runtime["budget"],
                                 sorted(set(evaluations[mine][reached].tolist())))
                self.assertAlmostEqual(runtime["share"][-1], reached.mean())
                average = solver["evaluations"]["average"]
                self.assertEqual((average["successes"], average["attempts"]), (reached.sum(), 3))
                self.assertAlmostEqual(average["value"], evaluations[mine].sum() / reached.sum())

    def test_profiles_of_points_without_noise_count_no_rounding(self):
        job = (ROOT / "jobs/quickstart.toml").read_text(encoding="utf-8")
        plain = job.replace('kind = "nlopt"', 'kind = "nlopt"\nrounds = 1')  # ends a digit early
        self.assertNotEqual(job, plain)
        self.nucreg("run", self.write("exact.toml", plain), "-o", "exact.h5", "--set",
                    "job.trials=10", "--set", "problem.points=100", "--set", "problem.noise_px=0")
        rows = read_group(self.dir / "exact.h5", "trials")
        self.assertGreater(np.nanmax(rows["gap"]), 1e-9)  # of two that are 0 but for rounding
        self.assertTrue((rows["rmsd_px"] < 1e-9).all())
        self.nucreg("export", "exact.h5", "--to", "e", "--format", "profiles")
        profiles = json.loads((self.dir / "e/profiles.json").read_text())
        for target in profiles["configurations"]:
            for solver in target["solvers"]:
                self.assertEqual(solver["evaluations"]["runtime"]["share"][-1], 1.0)

    def test_profiles_of_two_losses_are_apart(self):
        self.run_job(JOB, "--set", 'fit.loss=["squared","cauchy"]', output="losses.h5")
        self.nucreg("export", "losses.h5", "--to", "l", "--format", "profiles")
        profiles = json.loads((self.dir / "l/profiles.json").read_text())
        kinds = {target["kind"]: target["trials_used"] for target in profiles["targets"]}
        self.assertEqual(list(kinds), ["loss = squared", "loss = cauchy"])
        self.assertEqual(sum(kinds.values()), profiles["trials_used"])

    def test_profiles_of_traces(self):
        self.run_job(JOB.replace('name = "B"\nkind = "nlopt"', 'name = "B"\nkind = "nlopt"\n'
                                 'algorithm = "LN_NELDERMEAD"') + "[run]\ntrace = true\n",
                     "--set", "job.trials=5", output="traced.h5")
        with h5py.File(self.dir / "traced.h5", "a") as f:
            f["trials/timing_valid"][:] = 1  # whatever the machine is doing
            rows = {name: column[:] for name, column in f["trials"].items()}
            trace = {name: column[:] for name, column in f["trace"].items()}
        self.nucreg("export", "traced.h5", "--to", "t", "--format", "profiles")
        profiles = json.loads((self.dir / "t/profiles.json").read_text())
        self.assertIn("from /trace", profiles["costs"])
        for target in profiles["configurations"]:
            here = rows["configuration"] == target["configuration"]
            reached = reaches(rows, target["gap"])
            for number, solver in enumerate(target["solvers"]):
                evaluations, seconds = [], []
                for row in np.flatnonzero(here & reached & (rows["solver"] == number)):
                    points = slice(*trace["offsets"][row:row + 2])
                    best = rows["objective"][row] / (1 + rows["gap"][row])
                    enough = max(rows["objective"][row], best * (1 + target["gap"]),
                                 best + 1e-18 * rows["pairs"][row])
                    there = np.flatnonzero(trace["objective"][points] <= enough)
                    evaluations.append(trace["evaluation"][points][there[0]] if len(there)
                                       else rows["function_evaluations"][row])
                    time = trace["time_s"][points][there[0]] if len(there) else np.inf
                    seconds.append(min(time, rows["wall_s"][row]))
                self.assertEqual(solver["evaluations"]["runtime"]["budget"],
                                 sorted(set(evaluations)))
                self.assertEqual(solver["seconds"]["runtime"]["budget"], sorted(set(seconds)))
                self.assertEqual(solver["evaluations"]["average"]["successes"], len(evaluations))
        solvers = [profiles["configurations"][i]["solvers"][1] for i in (0, 2)]
        coarse, fine = (solver["evaluations"]["average"]["value"] for solver in solvers)
        self.assertLess(coarse, fine)  # not the whole solve's

    def test_maps(self):
        self.nucreg("export", "out.h5", "--to", "x", "--format", "maps")
        maps = json.loads((self.dir / "x/maps.json").read_text())["maps"]
        self.assertEqual(len(maps), len(self.rows["trial"]))
        x, y = 100.0, 700.0
        for row, entry in enumerate(maps):
            p = self.rows["params"][row]
            u, v, w = np.array(entry["matrix"]) @ [x, y, 1]
            v2, u2, w2 = np.array(entry["napari_affine"]) @ [y, x, 1]
            np.testing.assert_allclose([u2, v2, w2], [u, v, w], rtol=1e-15)
            if entry["model"] == "trs":
                dx, dy, angle, sx, sy = entry["trs"]
                np.testing.assert_array_equal(entry["trs"], p[:5])
                a = np.radians(angle)
                np.testing.assert_allclose(
                    [u, v], [sx * (np.cos(a) * x - np.sin(a) * y + dx),
                             sy * (np.sin(a) * x + np.cos(a) * y + dy)], rtol=1e-12)
            if entry["model"] == "rigid":
                self.assertEqual(entry["trs"][3:], [4, 4])
            if entry["model"] == "projective":
                self.assertEqual(entry["matrix"][2], [p[6], p[7], 1])
                self.assertIsNone(entry["trs"])

    def test_scikit_image_takes_the_matrices(self):
        try:
            from skimage import transform
        except ImportError:
            self.skipTest("no python3-skimage")
        self.nucreg("export", "out.h5", "--to", "x", "--format", "maps")
        places = np.array([[0.0, 0.0], [100.0, 700.0], [1023.0, 5.0]])
        for entry in json.loads((self.dir / "x/maps.json").read_text())["maps"]:
            kind = (transform.ProjectiveTransform if entry["model"] == "projective"
                    else transform.AffineTransform)
            # 0.19 wants an array, later ones take the lists.
            moved = kind(matrix=np.array(entry["matrix"]))(places)
            u, v, w = np.array(entry["matrix"]) @ np.c_[places, np.ones(3)].T
            np.testing.assert_allclose(moved, np.c_[u / w, v / w], rtol=1e-12, atol=1e-9)

    def test_parameters_that_are_not_finite_are_no_map(self):
        with h5py.File(self.dir / "out.h5", "a") as f:
            row_model = f["configurations/model"].asstr()[:][f["trials/configuration"][:]]
            for model, value in (("rigid", np.nan), ("trs", np.inf), ("affine", -np.inf),
                                 ("projective", np.nan)):
                f["trials/params"][int(np.flatnonzero(row_model == model)[0]), 0] = value
        self.nucreg("export", "out.h5", "--to", "x", "--format", "maps")
        exported = json.loads((self.dir / "x/maps.json").read_text())
        self.assertEqual(exported["without_map"], 4)
        self.assertEqual(len(exported["maps"]), len(row_model) - 4)
        for entry in exported["maps"]:
            self.assertTrue(np.isfinite(np.array(entry["matrix"], float)).all(), entry)


if __name__ == "__main__":
    unittest.main()
