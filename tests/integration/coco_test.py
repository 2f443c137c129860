"""nucreg export --format coco: read back by a parser of COCO's data format written from its
documentation, and compared with the traces in the result."""

import math
import re
import unittest

import h5py
import numpy as np

from nucreg_case import INPUT, LEAST_JOB, OUTPUT, NucregCase, read_group, texts

JOB = LEAST_JOB.replace("[problem]", "trials = 4\n[problem]\nnoise_px = [0, 1]") + """
[[solver]]
name = "N/M's, a = b"
kind = "nlopt"
algorithm = "LN_NELDERMEAD"

[[solver]]
name = "exact"
kind = "closed-form"

[fit]
loss = ["squared", "huber"]
max_evaluations = 150

[run]
trace = true
"""
HEADER = re.compile(
    r"% f evaluations \| g evaluations \| best noise-free fitness - Fopt \((\S+)\) \+ sum g_i\+ \| "
    r"measured fitness \| best measured fitness or single-digit g-values \| x1 \| x2\.\.\.")
TARGETS, EVALUATIONS, PRECISION = 5, 20, 1e-8  # lines per decade, and the last target
NOTHING = 1e300  # of a run that reached nothing


def data(path):
    """A list with Fopt and an array per run."""
    runs = []
    for line in path.read_text().splitlines():
        if match := HEADER.fullmatch(line):
            runs.append((float(match[1]), []))
        else:
            runs[-1][1].append([float(value) for value in line.split(" ")])
            # cocopp steps down from the largest value by factors: from infinity it never comes
            # down.
            assert np.isfinite(runs[-1][1][-1]).all(), line
    return [(fopt, np.array(lines)) for fopt, lines in runs]


def index(path):
    """Attributes of an .info file, and [instance, evaluations, precision] per run."""
    head, comment, entries = path.read_text().splitlines()
    assert comment.startswith("%"), comment
    # A value in quotes may hold commas and equals signs, and has no way to hold a quote.
    parts = re.findall(r"(\w+) = ('[^']*'|[^',]+)(?:, |$)", head)
    assert ", ".join(" = ".join(part) for part in parts) == head, head
    attributes = dict(parts)
    assert len(attributes) == len(parts), head
    name, *runs = entries.split(", ")
    assert name.endswith(".dat") and "=" not in entries, entries  # else it is read as attributes
    parsed = [re.fullmatch(r"(\d+):(\d+)\|(\S+)", run).groups() for run in runs]
    return attributes, path.parent / name, [(int(i), int(n), float(p)) for i, n, p in parsed]


def target(excess):
    return math.ceil(TARGETS * math.log10(max(excess, PRECISION)) - 1e-9)


def triggers(dimension, most):
    some = {math.floor(10 ** (i / EVALUATIONS)) for i in range(EVALUATIONS * 8)}
    some |= {dimension * factor * 10**i for factor in (1, 2, 5) for i in range(8)}
    return np.array(sorted(number for number in some if number <= most))


class Coco(NucregCase):
    def export(self, *more):
        listed = self.nucreg("export", "out.h5", "--to", "x", "--format", "coco", *more).out
        return [self.dir / line for line in listed.splitlines()]

    def test_every_line(self):
        out = self.run_job(JOB)
        rows, trace = read_group(out, "trials"), read_group(out, "trace")
        names = texts(read_group(out, "solvers")["name"])
        seen = 0
        for path in self.export():
            attributes, dat, runs = index(path)
            self.assertEqual(attributes["suite"], "'bbob'")
            self.assertEqual(attributes["data_format"], "'bbob-new'")
            self.assertEqual(float(attributes["Precision"]), PRECISION)
            solver = [n.replace("'", "_") for n in names].index(attributes["algId"].strip("'"))
            configuration, dimension = int(attributes["funcId"]) - 1, int(attributes["DIM"])
            self.assertEqual(dimension, 6)
            by_target, by_evaluation = data(dat), data(dat.with_suffix(".tdat"))
            self.assertEqual(len(runs), 4)
            self.assertEqual((len(by_target), len(by_evaluation)), (4, 4))
            for number, (instance, evaluations, reached) in enumerate(runs):
                seen += 1
                mine = (rows["configuration"] == configuration) & (rows["trial"] == instance - 1)
                (row,) = np.flatnonzero(mine & (rows["solver"] == solver))
                self.assertEqual(evaluations, max(1, rows["function_evaluations"][row]))
                points = slice(*trace["offsets"][row:row + 2])
                kept, value = trace["evaluation"][points], trace["objective"][points]
                fopt, lines = by_target[number]
                same, more = by_evaluation[number]
                self.assertEqual(fopt, same)
                objectives = rows["objective"][mine]
                self.assertLessEqual(fopt, np.nanmin(objectives) * (1 + 1e-12))
                self.assertGreaterEqual(fopt, np.nanmin(objectives) * (1 - 1e-6) - 1e-12)
                for part in (lines, more):
                    self.assertEqual(part.shape[1], 5)
                    self.assertEqual(part[0, 0], 1)
                    self.assertTrue((np.diff(part[:, 0]) > 0).all())
                    self.assertTrue((part[:, 1] == 0).all())
                    self.assertTrue((part[:, 2] >= 0).all() and (np.diff(part[:, 2]) <= 0).all())
                    np.testing.assert_array_equal(part[:, 3], part[:, 4])
                    for line in part[np.isin(part[:, 0], kept)]:
                        np.testing.assert_allclose(line[3], value[kept == line[0]][0], rtol=1e-9)
                if not len(kept):  # the closed form, which evaluates nothing
                    self.assertEqual((lines.shape, more.shape), ((1, 5), (1, 5)))
                    self.assertLess(more[0, 2], 1e-6 * fopt + 1e-12)
                    continue
                # Each new target once, at the first point that was kept below it.
                levels = [target(excess) for excess in np.maximum(value - fopt, 0)]
                first = [0] + [i for i in range(1, len(levels)) if levels[i] < min(levels[:i])]
                expected = [kept[i] for i in first]
                there = [line[0] for line in lines if line[0] in kept]
                clear = [e for i, e in zip(first, expected) if value[i] - fopt > 1e-6 * fopt]
                self.assertTrue(set(clear) <= set(there), (clear, there))
                self.assertTrue(all(a > b for a, b in zip(
                    map(target, lines[:, 2]), map(target, lines[1:, 2]))))
                # The first point that was kept at or after each trigger, and the last.
                due = {kept[kept >= t][0] for t in triggers(dimension, kept[-1])}
                self.assertEqual(set(more[:, 0]), due | {evaluations})
                self.assertEqual(more[-1, 0], evaluations)
                np.testing.assert_allclose(more[-1, 2], reached, rtol=0.06)
        # The closed form has no answer for huber: no files, not even empty ones.
        self.assertEqual(seen, 4 * (2 * 3 + 2 * 2))
        self.assertTrue((self.dir / "x/N_M_s__a___b/nucreg_f1.info").exists())

    def test_solvers_whose_names_differ_in_signs_alone_have_folders_of_their_own(self):
        job = LEAST_JOB + "".join(f"""
[[solver]]
name = "{name}"
kind = "nlopt"
algorithm = "LN_NELDERMEAD"
""" for name in ("a b", "a_b_2", "a_b")) + "[run]\ntrace = true\n"
        self.run_job(job)
        folders = {path.parent.name for path in self.export()}
        self.assertTrue({"a_b", "a_b_2", "a_b_3"} <= folders, folders)

    def test_a_solve_without_a_trace_reached_nothing(self):
        out = self.run_job(JOB)
        with h5py.File(out, "a") as f:
            kind = h5py.check_enum_dtype(f["trials/status"].dtype)
            row = int(np.flatnonzero(f["trials/solver"][:] == 1)[-1])
            offsets = f["trace/offsets"][:]
            offsets[row + 1:] = offsets[row]
            f["trace/offsets"][:] = offsets
            for name in ("evaluation", "objective", "time_s"):
                points, units = f["trace"][name][:offsets[-1]], f["trace"][name].attrs["units"]
                del f["trace"][name]
                f["trace"][name] = points
                f["trace"][name].attrs["units"] = units
            f["trials/status"][row] = kind["failed"]
            for name, nothing in (("objective", np.nan), ("gap", np.nan),
                                  ("function_evaluations", 0)):
                f[f"trials/{name}"][row] = nothing
        self.export()
        _, dat, runs = index(self.dir / "x/N_M_s__a___b/nucreg_f4.info")
        self.assertEqual(runs[-1], (4, 1, NOTHING))
        for path in (dat, dat.with_suffix(".tdat")):
            np.testing.assert_array_equal(data(path)[-1][1], [[1, 0, *[NOTHING] * 3]])

    def test_refusals(self):
        self.run_job(LEAST_JOB, output="bare.h5")
        self.refused(INPUT, ("export", "bare.h5", "--to", "y", "--format", "coco"),
                     "bare.h5", "/trace", "run.trace = true")
        self.run_job(JOB)
        self.export()
        self.refused(OUTPUT, ("export", "out.h5", "--to", "x", "--format", "coco"),
                     "already exists")
        self.export("--force")


if __name__ == "__main__":
    unittest.main()
