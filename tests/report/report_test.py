"""tools/report: the page in a browser, its files, what it says of odd results and wrong inputs."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest
import warnings
from html import escape
from types import SimpleNamespace
from unittest import mock

import h5py
import numpy as np

from report_case import PageCase, report  # first: it says where the others are

from nucreg_case import (DONE, INPUT, NUCREG, OUTPUT, ROOT, USAGE, NucregCase, read_group, run,
                         status_codes)
from report_page import (answer, axis_figures, page, profile_figures, solve_figures, style,
                         verdict_figures)
from report_page.conditions import Conditions
from report_page.result import Result, Rows

JOB = """
[job]
name = "looks"
trials = 3

[problem]
points = [20, 60]
noise_px = [0, 2]
outliers = [0.0, 0.1]
transform = { model = "affine", a = 4.0, d = 4.0 }

[fit]
model = "affine"

[[solver]]
name = "LM <b>&"
kind = "lm"

[[solver]]
name = "L-BFGS"
kind = "nlopt"
algorithm = "LD_LBFGS"

[[solver]]
name = "closed; form"
kind = "closed-form"

[run]
timing_repeats = 1
trace = true
"""
ONE_ROW = """
[job]
name = "one"

[problem]
points = 20

[[solver]]
name = "LM"
kind = "lm"
"""
# What the page of JOB draws: all that the Python benchmark drew, and more.
FIGURES = {
    "arrivals", "time-ratios", "rmsd", "tre", "parameter-error", "time", "memory", "evaluations",
    "rmsd-map", "ratios", "success", "variation", "time-boxes", "time-accuracy", "time-per-point",
    "growth",
    "complexity", "runtime-to-target", "performance-profile", "data-profile", "average-runtime",
    "parameters", "convergence", "rank-use", "rank-balance"}
# Counts what is drawn into axes: neither frames nor grid nor ticks.
MARKS = """
return Object.fromEntries([...document.querySelectorAll("figure")].map((f) => [f.id,
  [...f.querySelectorAll("svg path, svg use, svg image")].filter((mark) => {
    const group = mark.closest(
      "[id*='line2d_'], [id*='Collection_'], [id*='QuadMesh_'], [id*='mark-']");
    return group && !mark.closest("[id*='matplotlib.axis'], [id*='legend_'], defs");
  }).length]));
"""


def read_result(path):
    """What the page draws of a result, without drawing."""
    overview = json.loads(run(path.parent, "inspect", "--json", path).out)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return Result(path, overview)


class WholePage(PageCase):
    """One result, one page, looked at by all tests of this class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.dir / "job.toml").write_text(JOB)
        outcome = run(cls.dir, "run", "job.toml", "-o", "out.h5")
        assert outcome.status == DONE, outcome
        cls.result = cls.dir / "out.h5"
        cls.make_page("out.h5")

    def test_says_nothing_but_the_path(self):
        self.assertEqual((self.made.stdout, self.made.stderr), ("page.html\n", ""))

    def test_compares_the_best_of_the_verdict(self):
        overview = json.loads(run(self.dir, "inspect", "--json", "out.h5").out)
        self.assertIn(f"Speed-up of {escape(overview['best'])} over the others", self.html)
        for solver in overview["solvers"]:
            figure = verdict_figures.time_ratios(overview | {"best": solver["name"]})
            self.assertEqual(f"Speed-up of {solver['name']} over the others", figure.title)

    def test_sentences_are_whole(self):
        sentences = json.loads(run(self.dir, "inspect", "--json", "out.h5").out)["sentences"]
        self.assertEqual(len(sentences), 3)  # the others against the best, and each other
        for sentence in sentences:
            self.assertRegex(self.html, f"<(p class=\"lead\"|li)>{re.escape(escape(sentence))}[.<]")

    def test_times_without_a_valid_timing_are_marked(self):
        overview = json.loads(run(self.dir, "inspect", "--json", "out.h5").out)
        for first_valid, marked in ((0, False), (4, True)):
            for row in overview["summary"]:
                row["timing_valid"] = row["count"] * (row["configuration"] >= first_valid)
            with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
                cells = axis_figures.Cells(Result(self.result, overview))
            for figure in (axis_figures.time_per_point(cells), axis_figures.against(cells, "time")):
                self.assertEqual("no valid timing" in figure.svg, marked)
                self.assertEqual("36 of 72 timings are not valid" in figure.caption, marked)

    def test_fetches_nothing(self):
        outside = [url for url in re.findall(r"""(?:src|href)=["']([^"'#]+)""", self.html)
                   if not url.startswith("data:")]
        self.assertEqual(outside, [])
        self.assertFalse("@import" in self.html)
        self.assertTrue("default-src 'none'" in self.html)

    def test_a_closed_form_does_not_empty_the_performance_profile(self):
        run(self.dir, "export", "out.h5", "--to", "profiles", "--format", "profiles")
        profiles = json.loads((self.dir / "profiles/profiles.json").read_text())
        for target in profiles["targets"]:
            for solver in target["solvers"]:
                curve = solver["evaluations"]["performance"]
                self.assertGreater(curve["share"][-1], 0.5, solver)
                self.assertGreaterEqual(curve["budget"][0], 1)

    def test_escapes_names(self):
        self.assertTrue("LM &lt;b&gt;&amp;" in self.html)
        self.assertFalse("LM <b>" in self.html)

    def test_ids_are_unique(self):
        ids = re.findall(r'\sid="([^"]+)"', self.html)
        self.assertEqual(len(ids), len(set(ids)),
                         [i for i in set(ids) if ids.count(i) > 1][:10])

    def test_plots_are_files_as_well(self):
        files = {p.name for p in (self.dir / "plots").iterdir()}
        drawn = {name for name in files if name.endswith(".svg")}
        self.assertLessEqual({f"{name}.svg" for name in FIGURES}, drawn)
        self.assertEqual(files, drawn | {name.replace(".svg", ".png") for name in drawn})
        for name in drawn:
            path = self.dir / "plots" / name
            self.assertIn("<svg", path.read_text())
            self.assertEqual(path.with_suffix(".png").read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_figures_have_marks_and_the_console_is_silent(self):
        driver = self.open()
        self.assertEqual(driver.get_log("browser"), [])
        marks = driver.execute_script(MARKS)
        # Times of a busy machine may all be invalid; a figure without content is left out.
        timed = read_group(self.result, "verdict")["timed"]
        may_be_missing = set() if timed.any() else {"time-ratios"}
        self.assertLessEqual(FIGURES - may_be_missing, marks.keys())
        self.assertEqual([f for f, n in marks.items() if n == 0], [])
        named = driver.execute_script(
            "return [...document.querySelectorAll('figure svg')].every((s) => s.querySelector("
            "'title').textContent && s.getAttribute('role') === 'img')")
        self.assertTrue(named)

    def test_filters_and_sorts(self):
        driver = self.open()
        script = driver.execute_script
        script("""window.rows = () => [...document.querySelectorAll("#summary-table tbody tr")]
                    .filter((r) => !r.hidden).map((r) => [...r.cells].map((c) => c.dataset.value));
                  window.tools = document.querySelector('.tools[data-for="summary-table"]');
                  window.type = (text) => { const i = tools.querySelector("input"); i.value = text;
                    i.dispatchEvent(new Event("input", {bubbles: true})); };""")
        self.assertEqual(len(script("return rows()")), 8 * 3)
        script("type('l-bfgs')")
        self.assertEqual({row[2] for row in script("return rows()")}, {"L-BFGS"})
        self.assertEqual(script("return tools.querySelector('output').textContent"), "8 of 24 rows")
        script("type('l-bfgs nothing-has-this')")
        self.assertEqual(script("return rows()"), [])
        script("""type(''); const s = tools.querySelector("select"); s.value = "closed; form";
                  s.dispatchEvent(new Event("input", {bubbles: true}));""")
        self.assertEqual({row[2] for row in script("return rows()")}, {"closed; form"})
        for heading, column in (("RMSD median, px", 7), ("conditions", 1)):
            values = []
            for order in ("ascending", "descending"):
                script("""[...document.querySelectorAll("#summary-table thead th")].find(
                          (h) => h.textContent === arguments[0]).querySelector("button").click()""",
                       heading)
                self.assertEqual(script("return document.querySelectorAll('#summary-table th')"
                                        "[arguments[0]].getAttribute('aria-sort')", column), order)
                values.append([row[column] for row in script("return rows()")])
            key = float if column == 7 else str
            self.assertEqual(values[0], sorted(values[0], key=key))
            self.assertEqual(sorted(values[1], key=key), values[0])
            self.assertEqual(values[1], sorted(values[0], key=key, reverse=True))

    def test_fits_a_phone(self):
        driver = self.open(width=390)
        driver.execute_script("document.querySelectorAll('details').forEach((d) => d.open = true)")
        self.assertEqual(driver.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth"), 0)
        cut = driver.execute_script(
            "return [...document.querySelectorAll('figure')].filter((f) => f.querySelector('svg')"
            ".getBoundingClientRect().right > f.getBoundingClientRect().right).map((f) => f.id)")
        self.assertEqual(cut, [])

    def test_begins_with_the_answer_and_six_figures(self):
        first = self.html.split('<details id="', 1)[0]
        overview = json.loads(run(self.dir, "inspect", "--json", "out.h5").out)
        (_, headline, said), = answer.answers(overview)
        self.assertIn(f'<p class="lead">{escape(headline)}</p>', first)
        for sentence in said:
            self.assertIn(f"<li>{escape(sentence)}</li>", first)
        self.assertLessEqual(first.count("<figure "), 6)
        self.assertGreater(self.html.count("<figure "), 15)


class Figures(NucregCase):
    def test_a_name_with_an_underscore_is_in_the_legend(self):
        drawing, (ax,) = style.panels(1)
        for s, name in enumerate(("_LM", "B")):
            ax.errorbar([1, 2], [s, 3], yerr=1, label=name, **style.look(s))
        style.legend(drawing, [ax])
        self.assertEqual(re.findall(r">\s*(_\w+|B)</text>", style.Figure("f", "", "", drawing).svg),
                         ["_LM", "B"])

    def test_an_interval_without_an_upper_end_is_an_arrow(self):
        def average(low, high):
            return {"average": {"value": 4.0, "low": low, "high": high}}
        targets = [{"gap": 0.1, "trials_used": 9, "trials_timed": 9, "solvers": [
            {"solver": "LM", "evaluations": average(3.0, None), "seconds": average(3.0, 5.0)}]}]
        for arrows, figure in ((1, profile_figures.average_runtimes(targets, "s", 1)),
                               (0, self.all_finite(targets))):
            self.assertEqual(figure.svg.count("mark-without-end"), arrows)
            self.assertEqual("no upper end" in figure.caption, arrows > 0)

    def all_finite(self, targets):
        targets[0]["solvers"][0]["evaluations"]["average"]["high"] = 5.0
        return profile_figures.average_runtimes(targets, "s", 1)

    def test_solves_without_an_evaluation_are_drawn_silently(self):
        curve = {"runtime": {"budget": [0.0], "share": [0.75]}}
        targets = [{"gap": 0.1, "trials_used": 4, "trials_timed": 4, "solvers": [
            {"solver": "LM", "evaluations": curve, "seconds": curve}]}]
        with warnings.catch_warnings(action="error"):
            figure = profile_figures.profile(targets, "f", "", "", "runtime")
        self.assertFalse(figure.empty)

    def test_errors_of_angles_go_round_the_circle(self):
        rows = Rows({"solver": np.zeros(3, int), "configuration": np.zeros(3, int),
                     "params": np.array([[0, 0, a, 4, 4] for a in (359.5, -179.75, 3.0)]),
                     "true_params": np.array([[0, 0, a, 4, 4] for a in (0, 179.75, 0)])})
        result = SimpleNamespace(sample=rows, configurations=[{"model": "trs"}], solvers=["LM"],
                                 trials=3, trials_there=3, trials_drawn=3,
                                 conditions=Conditions([{"model": "trs"}], []))
        with mock.patch.object(solve_figures, "boxes", wraps=solve_figures.boxes) as boxes:
            solve_figures.parameter_errors(result)
        np.testing.assert_allclose(boxes.call_args.args[1][2], [0.5, 0.5, 3.0])

    def test_conditions_are_not_pooled(self):
        self.run_job(JOB, "--set", 'fit.loss=["squared","cauchy"]', "--set", "run.trace=false",
                     "--set", "problem.noise_px=[0,1,8]")
        result = read_result(self.dir / "out.h5")
        cells = axis_figures.Cells(result)
        base = result.configurations[result.conditions.base]
        self.assertEqual([base[name] for name in ("noise_px", "points", "outliers", "loss")],
                         [1.0, 60.0, 0.1, "cauchy"])
        self.assertEqual(cells.axes, ["points", "noise_px", "outliers", "loss"])
        for axis in cells.axes:
            alike = [c for c in result.configurations if all(
                c[name] == base[name] for name in cells.axes if name != axis)]
            rows = {(row["configuration"], row["solver"]): row
                    for row in result.overview["summary"]}
            for column in ("tre_px_median", "function_evaluations_median", "wall_s_median"):
                places, values = cells.along(axis, column, 1)
                self.assertEqual(len(places), len(alike))
                if axis != "loss":
                    self.assertEqual(list(places), [c[axis] for c in alike])
                self.assertEqual(list(values), [rows[c["configuration"], 1][column] for c in alike])
        figure = axis_figures.against(cells, "tre")
        self.assertIn("One condition varies in each panel; the others stay at number of points 60, "
                      "noise 1 px, outliers 0.1, loss cauchy.", figure.caption)
        self.assertIn("At number of points 60, loss cauchy.", axis_figures.heat_map(cells).caption)

    def test_single_solves_are_those_of_one_condition(self):
        self.run_job(JOB)
        result = read_result(self.dir / "out.h5")
        self.assertEqual(set(result.sample["configuration"]), {result.conditions.base})
        rows = read_group(self.dir / "out.h5", "trials")
        self.assertEqual(len(result.sample),
                         (rows["configuration"] == result.conditions.base).sum())
        self.assertIn("At number of points 60, noise 2 px, outliers 0.",
                      solve_figures.time_boxes(result).caption)

    def test_what_follows_from_another_condition_is_no_axis_of_its_own(self):
        rows = [{"configuration": c, "problem": c // 2, "file": f"{c // 2}.csv",
                 "points": 20.0 + c // 2, "model": ("trs", "affine")[c % 2]} for c in range(6)]
        conditions = Conditions(rows, [])
        self.assertEqual(conditions.axes, ["model", "file"])
        self.assertEqual([rows[c]["model"] for c in conditions.along("file")], ["trs"] * 3)
        self.assertEqual(conditions.said(), "model trs, file 0.csv")
        self.assertEqual(conditions.standing("file"), " At model trs.")

    def test_drawn_conditions_are_compared_by_their_bounds(self):
        rows = [{"configuration": c, "noise_px": None, "noise_px_min": 0.0, "noise_px_max": high,
                 "points": points} for c, (high, points) in enumerate(
                     (high, points) for high in (1.0, 2.0) for points in (20.0, 50.0))]
        conditions = Conditions(rows, [])
        self.assertEqual(conditions.axes, ["points", "noise_px_max"])
        self.assertEqual(len(conditions.along("points")), 2)


class OddResults(NucregCase):
    def page(self, *arguments, file="out.h5"):
        made = report(self.dir, file, "--force", *arguments)
        self.assertEqual(made.returncode, DONE, made)
        self.assertEqual(made.stderr, "")
        return (self.dir / made.stdout.strip()).read_text()

    def assert_says(self, html, *needles):
        words = re.sub(r"(?s)<(svg|style|script).*?</\1>|<[^>]+>", "", html)
        for needle in needles:
            self.assertTrue(needle in words, f"{needle!r} is not in: {words[:3000]}")

    def test_a_job_of_images_shows_tiles_and_pairs_and_nothing_empty(self):
        self.nucreg("synth", "--to", "tiles", "--ten", "1", "--forty", "2", "--nuclei", "150")
        self.nucreg("run", ROOT / "jobs/images-synthetic.toml", "-o", "out.h5",
                    "--set", "job.trials=2", "--set", "run.timing_repeats=1")
        html = self.page()
        drawn = re.findall(r'<figure id="([^"]+)"', html)
        self.assertEqual(drawn[:3], ["image-tiles", "image-residuals", "image-matches"])
        self.assertFalse({"tre", "parameter-error"} & set(drawn))
        self.assertIn("40x tile", html)
        result = read_result(self.dir / "out.h5")
        self.assertEqual(result.conditions.axes, ["model", "file"])

    def test_worst_trial_runs_alone_and_alike(self):
        text = JOB.replace("trials = 3", "trials = 4").replace("trace = true", "trace = false")
        whole = self.run_job(text, "--set", "problem.outliers=0", "--set", "fit.max_evaluations=3",
                             "--set", "fit.bounds.scale=[1, 9]")
        html = page.worst(read_result(whole))
        saved = re.search(r'download="looks.toml" href="data:[^,]+;base64,([^"]+)"', html)
        self.write("looks.toml", base64.b64decode(saved.group(1)))
        lines = re.findall(r"<code>(nucreg run [^<]+)</code>", html)
        self.assertTrue(lines)
        line = shlex.split(lines[0])
        self.nucreg(*line[1:])
        configuration, trial = map(int, re.search(r"-c(\d+)-t(\d+)\.h5$", line[-1]).groups())
        all_rows, alone = read_group(whole, "trials"), read_group(self.dir / line[-1], "trials")
        mine = (all_rows["configuration"] == configuration) & (all_rows["trial"] == trial)
        self.assertEqual(mine.sum(), 3)
        for name in ("configuration", "trial", "solver", "status", "rmsd_px", "objective", "params",
                     "true_params", "function_evaluations"):
            self.assert_same_bits(all_rows[name][mine], alone[name], name)

    def test_one_row_of_a_partial_run_without_a_valid_timing(self):
        path = self.run_job(ONE_ROW)
        with h5py.File(path, "r+") as h5:
            h5.attrs["status"], h5.attrs["trials_planned"] = "partial", 5
            h5["trials/timing_valid"][...] = h5["summary/timing_valid"][...] = 0
        html = self.page()
        self.assert_says(html, "there is one solver only.", "kept no traces", "Partial result.",
                         "1 of 5 trials are done, 4 are missing", "No valid timing.",
                         "1 of 1 timings are not valid")
        self.assertRegex(html, r'<td class="number" data-value="[^"]+">[0-9.e-]+\*</td>')

    def change(self, **columns):
        """`trials/<column>` becomes a value everywhere; the summary is that of these rows."""
        with h5py.File(self.dir / "out.h5", "r+") as h5:
            for name, value in columns.items():
                h5[f"trials/{name}"][...] = value

    def test_all_failed(self):
        path = self.run_job(ONE_ROW)
        self.change(status=status_codes(path)["failed"], rmsd_px=np.nan, tre_px=np.nan,
                    param_error=np.nan, objective=np.nan, gap=np.nan, params=np.nan)
        with h5py.File(path, "r+") as h5:
            h5["summary/failures"][...] = h5["summary/count"][...]
        html = self.page()
        self.assert_says(html, "Every solve failed.", "Run it alone")

    def test_a_failed_solve_reaches_no_target(self):
        path = self.run_job(ONE_ROW)
        with h5py.File(path, "r+") as h5:
            h5["trials/status"][...] = status_codes(path)["failed"]
            self.assertEqual(h5["trials/gap"][0], 0.0)
        self.nucreg("export", "out.h5", "--to", "profiles", "--format", "profiles")
        for target in json.loads((self.dir / "profiles/profiles.json").read_text())[
                "configurations"]:
            self.assertEqual(target["solvers"][0]["evaluations"]["average"]["successes"], 0)

    def test_nan_everywhere(self):
        path = self.run_job(ONE_ROW)
        with h5py.File(path, "r+") as h5:
            for group in ("trials", "summary"):
                for column in h5[group].values():
                    if column.dtype.kind == "f":
                        column[...] = np.nan
            h5["rank_samples/cpu_percent"][...] = np.nan
            for name, column in h5["summary"].items():
                if name.endswith("_count"):
                    column[...] = 0
        self.assert_says(self.page(), "No finite RMSD.")


class LargeResult(NucregCase):
    def test_says_that_it_samples(self):
        subprocess.run([LARGE_RESULT, "large.h5", "20000", "2", "2"], cwd=self.dir, check=True)
        result = read_result(self.dir / "large.h5")
        self.assertEqual(len(result.sample), 2 * 4000)
        self.assertIn("A random sample is drawn: 4,000 of 5,000 trials",
                      solve_figures.time_boxes(result).caption)


class WrongInputs(NucregCase):
    def refused(self, status, *arguments, needles=()):
        before = self.content()
        made = report(self.dir, *arguments)
        self.assertEqual(made.returncode, status, made)
        for needle in needles:
            self.assertIn(needle, made.stderr)
        self.assertNotIn("Traceback", made.stderr)
        self.assertEqual(before, self.content(), "the directory has changed")

    def test_not_ours(self):
        self.write("text.h5", "no HDF5\n")
        with h5py.File(self.dir / "other.h5", "w") as h5:
            h5["x"] = 1
        for name in ("text.h5", "other.h5", "absent.h5"):
            self.refused(INPUT, name, needles=[name])
        self.refused(INPUT, ".", needles=["is a folder"])

    def test_newer_and_damaged(self):
        newer = self.run_job(ONE_ROW)
        damaged = shutil.copy(newer, self.dir / "damaged.h5")
        without = shutil.copy(newer, self.dir / "without.h5")
        with h5py.File(without, "r+") as h5:
            del h5["summary/gap_median"]
        self.refused(INPUT, "without.h5", needles=["without.h5: /summary/gap_median: is missing"])
        with h5py.File(newer, "r+") as h5:
            h5.attrs["format_version"] = 99
        with h5py.File(damaged, "r+") as h5:
            del h5["trials/rmsd_px"]
        self.refused(INPUT, newer.name, needles=["99", newer.name])
        self.refused(INPUT, "damaged.h5", needles=["rmsd_px"])

    def test_outputs_and_command_line(self):
        self.run_job(ONE_ROW)
        self.write("out.html", "precious")
        self.refused(OUTPUT, "out.h5", needles=["out.html", "--force"])
        self.refused(OUTPUT, "out.h5", "-o", "absent/page.html",
                     needles=["report: absent/page.html: there is no folder absent;"])
        self.refused(OUTPUT, "out.h5", "-o", "out.html/page.html", needles=["no folder out.html"])
        self.refused(USAGE, "out.h5", "-o", "out.h5", needles=["result itself"])
        self.refused(USAGE, "out.h5", "--nucreg", "no-such-program", needles=["no-such-program"])
        self.refused(USAGE)

    def test_full_standard_output(self):
        self.run_job(ONE_ROW)
        with open("/dev/full", "wb") as full:
            made = subprocess.run([ROOT / "tools/report", "out.h5", "-o", "full.html"],
                                  cwd=self.dir,
                                  check=False, stdout=full, stderr=subprocess.PIPE, text=True,
                                  env=os.environ | {"NUCREG": NUCREG})
        self.assertEqual(made.returncode, OUTPUT, made)
        self.assertRegex(made.stderr, r"\A[^\n]*standard output[^\n]*No space left[^\n]*\n\Z")

    def test_python_without_what_the_page_needs(self):
        self.run_job(ONE_ROW)
        (self.dir / "bin").mkdir()
        python = self.write("bin/python3", "#!/bin/sh\nexec /usr/bin/python3 -S \"$@\"\n")
        python.chmod(0o755)
        path = f"{python.parent}:{os.environ['PATH']}"
        call = [ROOT / "tools/report", "out.h5"]
        made = subprocess.run(call, cwd=self.dir, check=False, text=True, capture_output=True,
                              env=os.environ | {"NUCREG": NUCREG, "PATH": path})
        self.assertEqual((made.returncode, made.stdout), (DONE, "out.html\n"), made.stderr)
        made = subprocess.run(call, cwd=self.dir, check=False, text=True, capture_output=True,
                              env=os.environ | {"NUCREG": NUCREG, "NUCREG_PYTHON": str(python)})
        self.assertEqual(made.returncode, INPUT)
        self.assertIn("NUCREG_PYTHON", made.stderr)

    def test_older_nucreg(self):
        self.run_job(ONE_ROW)
        older = self.write("older", "#!/bin/sh\necho '{\"solvers\": [], \"verdict\": \"\"}'\n")
        older.chmod(0o755)
        self.refused(USAGE, "out.h5", "--nucreg", older,
                     needles=["older than this report", "sentences", "best"])


if __name__ == "__main__":
    LARGE_RESULT = sys.argv.pop(1)
    unittest.main()
