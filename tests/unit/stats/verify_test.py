#!/usr/bin/python3
"""Each damage that h5py plants in a sound result file is found, and nothing else is; what export
writes is what h5py reads.

usage: verify_test.py VERIFY_TOOL
"""
import csv
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

TOOL = None


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="nucreg-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "r.h5"
        self.tool("write", str(self.file))

    def tool(self, *words):
        done = subprocess.run([TOOL, *words], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def rows(self, change):
        """Puts each column of /trials through change(column)."""
        with h5py.File(self.file, "a") as f:
            for name in list(f["trials"]):
                values, attrs = f["trials"][name][()], dict(f["trials"][name].attrs)
                kind = f["trials"][name].dtype
                del f["trials"][name]
                new = f["trials"].create_dataset(name, data=change(values), dtype=kind)
                new.attrs.update(attrs)

    def finds(self, *findings, notes=()):
        """Exactly these lines, each given by its beginning."""
        lines = self.tool("verify", str(self.file)).splitlines()
        want = ["note " + n for n in notes] + ["finding " + f for f in findings]
        self.assertEqual(len(lines), len(want), lines)
        for line, start in zip(lines, want):
            self.assertTrue(line.startswith(start), f"{line!r} is not {start!r}")


class Verify(Case):
    def test_sound(self):
        self.finds()

    def test_partial(self):
        self.tool("partial", str(self.file))
        self.finds(notes=["partial: 10 of 12 trials were done", "2 trials are missing"])

    def test_partial_with_a_torn_trial(self):
        self.tool("partial", str(self.file))
        self.rows(lambda v: np.delete(v, 9, axis=0))
        self.finds("a row is missing in a trial that was done: configuration 1, trial 1, solver 1",
                   "trials_done x solvers is not the number of rows of /trials: 10 x 2, 19 rows",
                   "/summary is not what the rows of /trials give, 17 times, first count, row 3",
                   notes=["partial: 10 of 12", "2 trials are missing"])

    def test_missing_row(self):
        self.rows(lambda v: np.delete(v, 5, axis=0))
        lines = self.tool("verify", str(self.file)).splitlines()
        self.assertEqual(lines[0],
                         "finding a row is missing: configuration 0, trial 2, solver 1")
        self.assertIn("finding trials_done x solvers is not the number of rows of /trials: "
                      "12 x 2, 23 rows", lines)
        self.assertIn("first count, row 1", lines[2])

    def test_missing_first_and_last(self):
        self.rows(lambda v: v[1:-1])
        lines = self.tool("verify", str(self.file)).splitlines()
        self.assertEqual(lines[0], "finding a row is missing, 2 times, first "
                                   "configuration 0, trial 0, solver 0")

    def test_doubled_row(self):
        self.rows(lambda v: np.insert(v, 6, v[5], axis=0))
        self.finds("a row is there twice: row 6 (configuration 0, trial 2, solver 1)",
                   "trials_done x solvers is not the number of rows of /trials: 12 x 2, 25 rows")

    def test_one_row_in_place_of_another(self):
        self.rows(lambda v: np.concatenate([v[:5], v[4:5], v[6:]]))
        self.finds("a row is there twice: row 5 (configuration 0, trial 2, solver 0)")

    def test_unsorted(self):
        order = np.arange(24)
        order[[3, 8]] = order[[8, 3]]
        self.rows(lambda v: v[order])
        self.finds("rows are not sorted by configuration, trial and solver, 5 times, first row 4")

    def test_row_beyond_the_plan(self):
        with h5py.File(self.file, "a") as f:
            f["trials/trial"][23] = 4
        self.finds("a row is not part of the plan: row 23 (configuration 2, trial 4, solver 1)")

    def test_illegal_status(self):
        with h5py.File(self.file, "a") as f:
            f["trials/status"][17] = 6
        self.finds("/trials/status: rows cannot be read: row 17 holds 6")

    def test_many_illegal_values(self):
        with h5py.File(self.file, "a") as f:
            f["trials/bounds"][...] = -3
        self.finds("/trials/bounds: rows cannot be read, 24 times, first row 0 holds -3")

    def test_not_finite(self):
        with h5py.File(self.file, "a") as f:
            f["trials/objective"][0] = np.nan
            f["trials/wall_s"][2] = np.inf
            f["trials/params"][3, 2] = np.nan
            del f["summary"]
        self.finds("/trials/objective is no finite number >= 0 in a row that did not fail: row 0",
                   "/trials/wall_s is no finite number >= 0 in a row that did not fail: row 2",
                   "/trials/params is not finite for each parameter of the model and NaN beyond: "
                   "row 3", "/summary: is missing")

    def test_negative(self):
        with h5py.File(self.file, "a") as f:
            f["trials/rank"][5] = -1
            f["trials/repeats"][6] = -1
            f["trials/iterations"][8] = -2
        self.finds("/trials/rank is negative: row 5", "/trials/repeats is negative: row 6",
                   "/trials/iterations is below -1: row 8")

    def test_changed_measure(self):
        with h5py.File(self.file, "a") as f:
            f["trials/gap"][10] = 1e-9
        self.finds("/summary is not what the rows of /trials give, 3 times, first gap_mean, row 2")

    def test_changed_arrival(self):
        with h5py.File(self.file, "a") as f:
            f["trials/arrived"][6] = 1  # though nobody knows
        self.finds("/trials/arrived does not follow from tre_px, heldout_rmsd_px, arrival_px and "
                   "status: row 6")

    def test_a_file_from_before_arrival(self):
        with h5py.File(self.file, "a") as f:
            for name in ("arrived", "arrival_px"):
                del f["trials"][name]
            for name in list(f["summary"]):
                if name.startswith(("arriv", "expected_")):
                    del f["summary"][name]
        self.finds()

    def test_changed_units(self):
        with h5py.File(self.file, "a") as f:
            f["trials/wall_s"].attrs["units"] = "ms"
            del f["trials/pairs"].attrs["units"]
            f["summary/tre_px_std"].attrs["units"] = "um"
            del f["trials/native_code"]  # as files of earlier versions
        self.finds('/trials/wall_s is of another unit than nucreg writes: "ms" and not "s"',
                   '/trials/pairs is of another unit than nucreg writes: "" and not "1"',
                   '/summary/tre_px_std is of another unit than nucreg writes: "um" and not "px"')

    def test_changed_summary(self):
        with h5py.File(self.file, "a") as f:
            f["summary/failures"][1] = 0
            del f["summary/wall_s_p95"]
        self.finds("/summary is not what the rows of /trials give: failures, row 1",
                   "/summary/wall_s_p95: is missing")

    def test_attributes(self):
        for name, value, finding in (
            ("trials_done", 11, "status is complete, but trials are missing: trials_done 11, "
                                "trials_planned 12"),
            ("status", "done", "attribute status is neither complete nor partial: done"),
            ("seed", "7", "attribute seed is of another type"),
            ("mpi_ranks", 3, "attribute mpi_ranks is not the number of rows of /ranks: 3 and 2"),
        ):
            with self.subTest(name):
                self.tool("write", str(self.file))
                with h5py.File(self.file, "a") as f:
                    f.attrs[name] = value
                lines = self.tool("verify", str(self.file)).splitlines()
                self.assertTrue(lines[0].startswith("finding " + finding), lines)
                self.assertLessEqual(len(lines), 2, lines)

    def test_trials_planned(self):
        for value, finding in (
            (13, "attribute trials_planned is no multiple of the number of configurations"),
            (0, "attribute trials_planned is no multiple"),
            (15, "a row is missing, 6 times, first configuration 0, trial 4, solver 0"),
        ):
            with self.subTest(value):
                self.tool("write", str(self.file))
                with h5py.File(self.file, "a") as f:
                    f.attrs["trials_planned"] = value
                self.assertIn("finding " + finding, self.tool("verify", str(self.file)))

    def test_missing_attributes(self):
        with h5py.File(self.file, "a") as f:
            names = [n for n in f.attrs if n not in ("format", "format_version", "checksum")]
        for name in names:
            with self.subTest(name):
                self.tool("write", str(self.file))
                with h5py.File(self.file, "a") as f:
                    del f.attrs[name]
                self.finds(f"attribute {name} is missing")

    def test_tables(self):
        def set_text(f, name, values):
            del f[name]
            f[name] = values

        for change, finding in (
            (lambda f: set_text(f, "configurations/model", ["affine", "linear", "affine"]),
             "/configurations/model names no model: linear"),
            (lambda f: set_text(f, "configurations/model", ["affine", "affine", "projective"]),
             "/trials/params has fewer columns than a model has parameters: projective"),
            (lambda f: f["configurations/configuration"].__setitem__(1, 7),
             "/configurations/configuration does not count from 0: row 1"),
            (lambda f: set_text(f, "solvers/name", ["LM", "LM"]),
             "/solvers/name is there twice: LM"),
            (lambda f: f["ranks/rank"].__setitem__(1, 0),
             "/ranks/rank does not count from 0: row 1"),
            (lambda f: f["rank_samples/rank"].__setitem__(1, 2),
             "/rank_samples names a rank that is not in /ranks: rank 2"),
        ):
            with self.subTest(finding):
                self.tool("write", str(self.file))
                with h5py.File(self.file, "a") as f:
                    change(f)
                self.assertIn("finding " + finding, self.tool("verify", str(self.file)))

    def test_missing_tables(self):
        for name in ("configurations", "solvers", "ranks", "rank_samples", "summary"):
            with self.subTest(name):
                self.tool("write", str(self.file))
                with h5py.File(self.file, "a") as f:
                    del f[name]
                self.assertIn(f"finding /{name}: is missing", self.tool("verify", str(self.file)))


class Export(Case):
    def table(self, name):
        with open(self.folder / "out" / name, newline="", encoding="utf-8") as f:
            return list(csv.DictReader(f))

    def setUp(self):
        super().setUp()
        self.tool("export", str(self.file), str(self.folder / "out"))

    def test_trials(self):
        table = self.table("trials.csv")
        with h5py.File(self.file) as f:
            names = [n for n in f["trials"] if n not in ("params", "true_params")]
            self.assertEqual(list(table[0]), names + [f"p{p}" for p in range(6)] +
                             [f"true_p{p}" for p in range(6)] +
                             ["solver_name", "points", "noise_px", "noise_px_min", "noise_px_max",
                              "outliers", "model", "loss"])
            self.assertEqual(len(table), 24)
            for name in names:
                column = f["trials"][name]
                enum = h5py.check_enum_dtype(column.dtype)
                text = h5py.check_string_dtype(column.dtype)
                for row, value in zip(table, column[()]):
                    if text:
                        self.assertEqual(row[name], value.decode(), name)
                    elif enum:
                        self.assertEqual(enum[row[name]], value, name)
                    elif column.dtype == bool:
                        self.assertEqual(row[name], str(value).lower(), name)
                    else:
                        np.testing.assert_equal(float(row[name]), float(value), name)
            for p in range(6):
                np.testing.assert_array_equal([float(r[f"p{p}"]) for r in table],
                                              f["trials/params"][:, p])
                np.testing.assert_array_equal([float(r[f"true_p{p}"]) for r in table],
                                              f["trials/true_params"][:, p])
        self.assertEqual(table[0]["solver_name"], 'L-BFGS, "bounded"')
        self.assertEqual(table[23]["points"], "1000000")
        self.assertEqual(table[0]["noise_px"], "0.5")
        self.assertEqual([table[23]["noise_px" + end] for end in ("", "_min", "_max")],
                         ["nan", "1", "2.5"])
        self.assertEqual(table[23]["p0"], "nan")

    def test_summary(self):
        table = self.table("summary.csv")
        with h5py.File(self.file) as f:
            self.assertEqual(len(table), 6)
            for name, column in f["summary"].items():
                truth = {"false": 0.0, "true": 1.0}
                np.testing.assert_array_equal(
                    [truth[r[name]] if column.dtype == bool else float(r[name]) for r in table],
                    column[()], name)
        self.assertEqual([r["solver_name"] for r in table][1::2], ["LM"] * 3)

    def test_summary_is_numpy(self):
        with h5py.File(self.file) as f:
            t, s = f["trials"], f["summary"]
            status = h5py.check_enum_dtype(t["status"].dtype)
            for row in range(6):
                mine = ((t["configuration"][()] == row // 2) & (t["solver"][()] == row % 2) &
                        (t["status"][()] != status["not_applicable"]))
                for name in ("rmsd_px", "tre_px", "param_error", "wall_s", "peak_bytes"):
                    values = t[name][()][mine]
                    values = values[np.isfinite(values)]
                    for suffix, want in (
                        ("count", len(values)), ("mean", values.mean()),
                        ("std", values.std(ddof=1)), ("median", np.median(values)),
                        ("p05", np.percentile(values, 5)), ("p95", np.percentile(values, 95)),
                    ):
                        np.testing.assert_allclose(s[f"{name}_{suffix}"][row], want, rtol=1e-13,
                                                   atol=1e-20, err_msg=f"{name}_{suffix}")


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
