"""The result file as the contract has it, read by h5py; and the commands that read it."""

import csv
import json
import math
import re
import shutil
import tomllib
import unittest

import h5py
import numpy as np

from nucreg_case import (INPUT, OUTPUT, ROOT, NucregCase, column_of_configuration, read_group, run,
                         solver_rows, status_codes, texts)

JOB = """
[job]
name = "contract"
seed = 11
trials = 3

[problem]
points = [20, 40]
noise_px = [0, { min = 1.0, max = 2.0 }]
transform = { model = "trs", dx_px = 30.0, angle_deg = { min = -5.0, max = 5.0 } }

[fit]
model = ["affine", "projective"]
max_evaluations = 100

[[solver]]
name = "L-BFGS, ours"
kind = "nlopt"
vector_storage = 5

[[solver]]
name = "LM"
kind = "lm"

[[solver]]
name = "closed form"
kind = "closed-form"
"""

ATTRIBUTES = {
    "format": str, "format_version": int, "status": str, "job_name": str, "job_toml": str,
    "seed": int, "trials_planned": int, "trials_done": int, "created_utc": str, "mpi_ranks": int,
    "mpi_library": str, "nucreg_version": str, "git_revision": str, "compiler": str,
    "cpu_model": str, "instruction_set": str, "warnings": str}

# Columns of the contract: kind of the dtype (int, float, string, enum) and units.
TRIALS = {
    "configuration": "i 1", "trial": "i 1", "solver": "i 1", "rank": "i 1", "status": "e 1",
    "rmsd_px": "f px", "param_error": "f mixed", "tre_px": "f px", "objective": "f px^2",
    "gap": "f 1", "wall_s": "f s", "cpu_s": "f s", "repeats": "i 1", "peak_bytes": "i B",
    "iterations": "i 1", "function_evaluations": "i 1", "jacobian_evaluations": "i 1",
    "timing_valid": "b 1", "arrived": "i 1", "arrival_px": "f px", "stationarity": "f 1",
    "loss_scale_px": "f px", "params": "f mixed", "true_params": "f mixed"}
GROUPS = {
    "trials": TRIALS,
    "configurations": {"points": "f 1", "noise_px": "f px", "outliers": "f 1", "missing": "f 1",
                       "model": "s 1", "loss": "s 1", "coordinates": "s 1"},
    "solvers": {"solver": "i 1", "name": "s 1", "kind": "s 1", "algorithm": "s 1",
                "options": "s 1"},
    "ranks": {"rank": "i 1", "host": "s 1", "pid": "i 1", "cpus": "s 1", "solves": "i 1",
              "busy_s": "f s", "wait_s": "f s", "cpu_s": "f s", "max_rss_bytes": "i B",
              "voluntary_switches": "i 1", "involuntary_switches": "i 1"},
    "rank_samples": {"rank": "i 1", "time_s": "f s", "cpu_percent": "f %",
                     "system_cpu_percent": "f %", "rss_bytes": "i B", "solves": "i 1"},
    "summary": {"configuration": "i 1", "solver": "i 1", "count": "i 1", "failures": "i 1",
                "arrived": "i 1", "arrival_rate": "f 1", "arrival_low": "f 1",
                "arrival_high": "f 1", "expected_s": "f s", "expected_evaluations": "f 1"} |
               {f"{measure}_{part}": f"f {units}"
                for measure, units in (("rmsd_px", "px"), ("tre_px", "px"), ("wall_s", "s"),
                                       ("cpu_s", "s"), ("param_error", "mixed"), ("gap", "1"))
                for part in ("mean", "std", "median", "p05", "p95")}}

UNITS = {"1", "px", "px^2", "deg", "s", "B", "%", "mixed"}


def kind_of(dtype):
    if names := h5py.check_enum_dtype(dtype):
        return "b" if set(names) == {"FALSE", "TRUE"} else "e"
    return {"u": "i", "S": "s", "O": "s"}.get(dtype.kind, dtype.kind)


class ResultFile(NucregCase):
    @classmethod
    def setUpClass(cls):
        cls.maker = cls.made_once()
        cls.result = cls.maker.run_job(JOB, ranks=2)

    def test_attributes(self):
        with h5py.File(self.result) as h5:
            attributes = dict(h5.attrs)
            for name, column in h5["trials"].items():
                self.assertGreater(len(column.attrs["description"]), 4, name)
            for group in ("trials", "configurations", "summary"):  # of which image the pixels are
                for name, column in h5[group].items():
                    if column.attrs["units"] == "px":
                        self.assertRegex(column.attrs["description"], "(1|4)0x px",
                                         f"{group}/{name}")
        for name, kind in ATTRIBUTES.items():
            value = attributes[name]
            self.assertIsInstance(value, str if kind is str else np.integer, name)
        self.assertEqual(attributes["format"], "nucreg")
        self.assertEqual(attributes["format_version"], 1)
        self.assertEqual(attributes["status"], "complete")
        self.assertEqual(attributes["job_name"], "contract")
        self.assertEqual(attributes["seed"], 11)
        self.assertEqual(attributes["trials_planned"], 2 * 2 * 2 * 3)
        self.assertEqual(attributes["trials_done"], attributes["trials_planned"])
        self.assertEqual(attributes["mpi_ranks"], 2)
        self.assertRegex(attributes["created_utc"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("Open MPI", attributes["mpi_library"])

    def test_five_lines_join_trials_with_their_conditions_in_pandas(self):
        code = re.search(r"```python\n(import h5py, pandas.*?)```",
                         (ROOT / "README.md").read_text(), re.DOTALL)[1]
        self.assertEqual(len(code.splitlines()), 5)
        (self.dir / "results").mkdir()
        shutil.copy(self.result, self.dir / "results" / "synthetic.h5")
        found = {}
        exec(code.replace("results/", f"{self.dir}/results/"), found)  # noqa: S102
        trials = found["trials"]
        self.assertEqual(len(trials), 72)
        own = read_group(self.result, "trials")
        for name in ("points", "model", "loss"):
            wanted = column_of_configuration(self.result, name)
            wanted = [v.decode() if isinstance(v, bytes) else v for v in wanted]
            self.assertEqual(list(trials[name]), wanted)
        np.testing.assert_array_equal(trials["tre_px"], own["tre_px"])
        line = re.search(r'^`(trials\["solver_name"\] = .*?)`',
                         (ROOT / "README.md").read_text(), re.MULTILINE)[1]
        exec(line, found)  # noqa: S102
        names = texts(read_group(self.result, "solvers")["name"])
        self.assertEqual(list(trials["solver_name"]), [names[i] for i in own["solver"]])
        # Strings compare with Python's own.
        loss = texts(column_of_configuration(self.result, "loss"))
        self.assertEqual((trials["loss"] == loss[0]).sum(), loss.count(loss[0]))
        self.assertIsInstance(trials["message"][0], str)
        solvers = found["table"]("solvers")
        self.assertIn("closed form", list(solvers["name"]))

    def test_columns_types_and_units(self):
        with h5py.File(self.result) as h5:
            for group, columns in GROUPS.items():
                for name, wanted in columns.items():
                    column = h5[group][name]
                    kind, units = wanted.split()
                    self.assertEqual(kind_of(column.dtype), kind, column.name)
                    self.assertEqual(column.attrs["units"], units, column.name)
                sizes = {len(column) for column in h5[group].values()}
                self.assertEqual(len(sizes), 1, f"columns of /{group} are of unequal length")
                for column in h5[group].values():
                    self.assertIn(column.attrs["units"], UNITS, column.name)
            self.assertEqual(h5["trials/params"].shape, (72, 8))
            self.assertEqual(h5["trials/true_params"].shape, (72, 8))
            self.assertEqual(len(h5["summary/count"]), 8 * 3)
        names = status_codes(self.result)
        self.assertEqual(sorted(names, key=names.get),
                         ["converged", "max_evaluations", "max_time", "stalled", "failed",
                          "not_applicable"])

    def test_rows_are_sorted_and_complete(self):
        trials = read_group(self.result, "trials")
        keys = list(zip(trials["configuration"], trials["trial"], trials["solver"]))
        self.assertEqual(keys, [(c, t, s) for c in range(8) for t in range(3) for s in range(3)])

    def test_values_fit_together(self):
        trials, codes = read_group(self.result, "trials"), status_codes(self.result)
        model = column_of_configuration(self.result, "model")
        none = trials["status"] == codes["not_applicable"]
        expected = solver_rows(self.result)["closed form"] & (model == b"projective")
        self.assertTrue((none == expected).all())
        self.assertTrue(np.isnan(trials["params"][none]).all())
        good = ~none
        used = np.where(model == b"affine", 6, 8)
        for row in np.flatnonzero(good):
            finite = np.isfinite(trials["params"][row])
            self.assertTrue((finite == (np.arange(8) < used[row])).all())
        # objective and rmsd of squared loss are one number in two units.
        error = np.nansum((trials["params"] - trials["true_params"]) ** 2, axis=1) ** 0.5
        np.testing.assert_allclose(trials["param_error"][good], error[good], rtol=1e-9, atol=1e-12)
        self.assertTrue((trials["wall_s"][good] > 0).all())
        self.assertTrue((trials["repeats"][good] >= 1).all())
        noise = column_of_configuration(self.result, "noise_px")
        self.assertLess(trials["tre_px"][good & (noise == 0)].max(), 1e-6)
        self.assertGreater(trials["rmsd_px"][good & np.isnan(noise)].min(), 0.3)
        low = column_of_configuration(self.result, "noise_px_min")
        self.assertEqual(set(low), {0.0, 1.0})

    def test_summary_is_of_these_rows(self):
        trials, summary = read_group(self.result, "trials"), read_group(self.result, "summary")
        for row in range(len(summary["count"])):
            mine = (trials["configuration"] == summary["configuration"][row]) & \
                (trials["solver"] == summary["solver"][row])
            values = trials["rmsd_px"][mine]
            values = values[np.isfinite(values)]
            self.assertEqual(summary["count"][row], 3)
            self.assertEqual(summary["rmsd_px_count"][row], len(values))
            if not len(values):
                self.assertTrue(math.isnan(summary["rmsd_px_median"][row]))
                continue
            np.testing.assert_allclose(summary["rmsd_px_median"][row], np.median(values))
            np.testing.assert_allclose(summary["rmsd_px_mean"][row], values.mean())
            np.testing.assert_allclose(summary["rmsd_px_std"][row], values.std(ddof=1), rtol=1e-9)

    def test_job_in_the_file_is_the_job(self):
        with h5py.File(self.result) as h5:
            job = h5.attrs["job_toml"]
        table = tomllib.loads(job)
        self.assertEqual(table["job"], {"name": "contract", "seed": 11, "trials": 3})
        self.assertEqual(table["problem"]["min_distance_px"], 10.0)  # a default, written out
        self.assertEqual(table["fit"]["max_evaluations"], 100)
        self.assertEqual([solver["name"] for solver in table["solver"]],
                         ["L-BFGS, ours", "LM", "closed form"])
        again = self.run_job(job)
        self.assert_same_results(self.result, again)
        with h5py.File(again) as h5:
            self.assertEqual(h5.attrs["job_toml"], job)

    def test_overrides_are_in_the_job_of_the_file(self):
        file = self.run_job(JOB, "--set", "problem.points=[7]", "--set", "job.trials=1")
        with h5py.File(file) as h5:
            table = tomllib.loads(h5.attrs["job_toml"])
        self.assertEqual((table["problem"]["points"], table["job"]["trials"]), (7, 1))

    def test_inspect(self):
        out = self.nucreg("inspect", self.result).out
        for needle in ("contract", "complete", "L-BFGS, ours", "closed form", "RMSD", "2 ranks"):
            self.assertIn(needle, out)
        # The verdict is a sentence on a line of its own.
        table = [line for line in out.splitlines() if "times as fast as" not in line]
        self.assertLessEqual(max(map(len, table)), 100)
        self.assertTrue(out.replace("\n", "").isprintable())

    def test_inspect_json(self):
        view = json.loads(self.nucreg("inspect", "--json", self.result).out,
                          parse_constant=lambda word: self.fail(f"{word} is not JSON"))
        self.assertEqual(view["records"], 72)
        with h5py.File(self.result) as h5:
            for name, value in h5.attrs.items():
                self.assertEqual(view["attributes"][name], value)
        for group in ("configurations", "solvers", "summary", "ranks"):
            columns = read_group(self.result, group)
            self.assertEqual(len(view[group]), len(next(iter(columns.values()))))
            for row, shown in enumerate(view[group]):
                self.assertEqual(shown.keys(), columns.keys())
                for name, column in columns.items():
                    value = column[row].decode() if column.dtype.kind in "SO" else column[row]
                    if isinstance(value, float) and not math.isfinite(value):
                        value = None
                    self.assertEqual(shown[name], value, f"/{group}/{name}[{row}]")

    def test_export(self):
        printed = self.nucreg("export", self.result, "--to", "csv").out.split()
        self.assertEqual(printed, ["csv/trials.csv", "csv/summary.csv", "csv/ranks.csv",
                                   "csv/verdict.csv", "csv/fit_verdict.csv"])
        codes = {code: name for name, code in status_codes(self.result).items()}
        for group in ("trials", "summary", "ranks", "verdict", "fit_verdict"):
            columns = read_group(self.result, group)
            with open(self.dir / "csv" / f"{group}.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(len(rows), len(next(iter(columns.values()))))
            for name, column in columns.items():
                if column.ndim == 2:
                    prefix = "true_p" if name == "true_params" else "p"
                    for p in range(column.shape[1]):
                        cells = np.array([float(row[f"{prefix}{p}"]) for row in rows])
                        self.assertEqual(cells.tobytes(), self.plain_nan(column[:, p]).tobytes())
                elif column.dtype.kind == "f":
                    cells = np.array([float(row[name]) for row in rows])
                    self.assertEqual(cells.tobytes(), self.plain_nan(column).tobytes(), name)
                elif column.dtype.kind in "SO":
                    self.assertEqual([row[name] for row in rows], texts(column))
                elif name == "status":
                    self.assertEqual([row[name] for row in rows], [codes[c] for c in column])
                elif column.dtype.kind == "b":
                    self.assertEqual([row[name] for row in rows],
                                     ["true" if value else "false" for value in column])
                elif name != "bounds":
                    self.assertEqual([int(row[name]) for row in rows], list(column), name)
        self.assertEqual({row["solver_name"] for row in self.csv_rows("csv/trials.csv")},
                         {"L-BFGS, ours", "LM", "closed form"})

    def csv_rows(self, name):
        with open(self.dir / name, newline="") as file:
            return list(csv.DictReader(file))

    @staticmethod
    def plain_nan(column):
        """A text has one NaN only."""
        return np.where(np.isnan(column), np.float64("nan"), column)

    def test_export_never_overwrites(self):
        (self.dir / "csv").mkdir()
        self.write("csv/summary.csv", "mine")
        self.refused(OUTPUT, ["export", self.result, "--to", "csv"], "csv/summary.csv", "exists",
                     "--force")
        self.nucreg("export", self.result, "--to", "csv", "--force")
        self.assertNotEqual((self.dir / "csv/summary.csv").read_text(), "mine")
        self.write("file", "")
        self.refused(OUTPUT, ["export", self.result, "--to", "file/csv"], "file")

    def test_verify(self):
        out = self.nucreg("verify", self.result).out
        self.assertIn("sound: 8 configurations x 3 trials x 3 solvers, 72 records", out)

    def test_verify_finds_planted_damage(self):
        def set_value(path, row, value):
            def plant(h5):
                h5[path][row] = value
            return plant

        def attribute(name, value):
            def plant(h5):
                h5.attrs[name] = value
            return plant

        damages = {
            "record twice": (set_value("trials/trial", slice(0, 6), 0), "row 3"),
            "foreign solver": (set_value("trials/solver", 5, 9), "solver"),
            "measure changed": (set_value("trials/rmsd_px", 7, 123.0), "/summary"),
            "summary changed": (set_value("summary/count", 2, 4), "/summary"),
            "negative error": (set_value("trials/rmsd_px", 0, -1.0), "/trials/rmsd_px"),
            "trials lost": (attribute("trials_done", 23), "trials"),
            "other ranks": (attribute("mpi_ranks", 3), "mpi_ranks"),
            "column lost": (lambda h5: h5.__delitem__("trials/objective"), "objective"),
            "table lost": (lambda h5: h5.__delitem__("summary"), "summary")}
        for what, (plant, needle) in damages.items():
            with self.subTest(what):
                damaged = self.dir / "damaged.h5"
                shutil.copy(self.result, damaged)
                with h5py.File(damaged, "r+") as h5:
                    plant(h5)
                outcome = run(self.dir, "verify", "damaged.h5")
                self.assertEqual(outcome.status, INPUT, outcome)
                self.assertIn(needle, outcome.out + outcome.err, outcome)

    def test_cut_off_file(self):
        content = self.result.read_bytes()
        for size in (0, 100, len(content) // 2, len(content) - 1):
            self.write("cut.h5", content[:size])
            for command in (["verify"], ["inspect"], ["export", "--to", "csv"]):
                with self.subTest(size=size, command=command):
                    outcome = run(self.dir, *command, "cut.h5")
                    self.assertEqual(outcome.status, INPUT, outcome)
                    self.assertIn("cut.h5", outcome.out + outcome.err)

    def test_file_of_another_program(self):
        with h5py.File(self.dir / "other.h5", "w") as h5:
            h5["x"] = [1, 2, 3]
        self.refused(INPUT, ["verify", "other.h5"], "other.h5")
        self.refused(INPUT, ["inspect", "other.h5"], "other.h5")


if __name__ == "__main__":
    unittest.main()
