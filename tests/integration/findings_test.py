"""tools/findings: its answer says what the rows of its result say."""

import json
import re
import subprocess
import unittest
from xml.etree import ElementTree

import numpy as np
from nucreg_case import ROOT, NucregCase, read_group, solver_rows

JOB = """
[job]
name = "small"
trials = 6
[problem]
points = [20, 60]
noise_px = 1
outliers = [0, 0.4]
transform = { model = "similarity" }
[fit]
model = "similarity"
loss = ["squared", "cauchy"]
start_error = { turn_deg = [0, 90] }
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
"""


class Findings(NucregCase):
    @classmethod
    def setUpClass(cls):
        cls.out = cls.made_once().run_job(JOB)

    def page(self, out):
        to = self.dir / "FINDINGS.md"
        subprocess.run([ROOT / "tools" / "findings", out, "--to", to], check=True,
                       capture_output=True)
        return to.read_text(encoding="utf-8")

    def test_the_answer_is_counted_from_the_rows(self):
        out = self.out
        page = self.page(out)
        title, _, first = page.splitlines()[:3]
        self.assertTrue(title.startswith("# "), title)
        first = first.removeprefix("**L-BFGS or Levenberg-Marquardt?** ")
        trials, configurations = read_group(out, "trials"), read_group(out, "configurations")
        robust = np.array([v in (b"cauchy", "cauchy") for v in configurations["loss"]])
        robust = robust[trials["configuration"]]
        arrived = (trials["arrived"] > 0 if "arrived" in trials
                   else trials["tre_px"] <= 10.0)
        lm, lbfgs = (solver_rows(out)[name] & robust for name in ("LM", "L-BFGS"))
        self.assertEqual(lm.sum(), 48)
        counts = {"Levenberg-Marquardt": arrived[lm].sum(), "L-BFGS": arrived[lbfgs].sum()}
        both = arrived[lm] & arrived[lbfgs]
        evaluations = trials["function_evaluations"]
        ratio = evaluations[lm][both].sum() / evaluations[lbfgs][both].sum()
        shown = re.search(r"takes ([0-9.]+) times the evaluations", first)
        self.assertAlmostEqual(float(shown[1]), ratio, delta=0.006)
        only_lm = (arrived[lm] & ~arrived[lbfgs]).sum()
        only_lbfgs = (~arrived[lm] & arrived[lbfgs]).sum()
        p = float(re.search(r"sign test, p = ([0-9.e+-]+)\)", first)[1])
        order = sorted(counts, reverse=only_lm >= only_lbfgs)
        verdict, subject = (order[0], "it") if p < 0.05 else ("Either", order[0])
        self.assertTrue(first.startswith(
            f"{verdict}. Under robust losses {subject} arrives in {counts[order[0]]} of 48 trials, "
            f"{order[1]} in {counts[order[1]]} ("), first)
        # consensus has no answer under squared loss, and wrong pairs leave none to the others.
        self.assertRegex(page, r"\| consensus \| \d+ \([^|]+\| - \|")

    def test_it_says_at_which_sizes_the_other_is_faster(self):
        trials = read_group(self.out, "trials")
        configurations = read_group(self.out, "configurations")
        page = self.page(self.out)
        words = next(line for line in page.splitlines() if line.startswith("* Size: "))
        flips = words.partition(" pairs (")[0] if "L-BFGS is the faster one" in words else ""
        of = trials["configuration"]
        lm, lbfgs = (solver_rows(self.out)[name] for name in ("LM", "L-BFGS"))
        for points in (20, 60):
            here = ((configurations["points"][of] == points)
                    & (configurations["loss"][of] == b"cauchy"))
            both = (trials["arrived"][lm & here] > 0) & (trials["arrived"][lbfgs & here] > 0)
            times = trials["wall_s"]
            ratio = np.median(times[lm & here][both] / times[lbfgs & here][both])
            row = re.search(rf"\n\| \w+ \| {points} \|.*\| ([0-9.]+) \|\n", page)
            self.assertAlmostEqual(float(row[1]), ratio, delta=0.006)
            self.assertEqual(bool(re.search(rf"\b{points}\b", flips)), bool(ratio > 1), words)

    def test_what_to_use_is_what_recommend_says(self):
        out = self.out
        page = self.page(out)
        for outliers, row in ((0, "0 %"), (0.4, "40 %")):
            cells = re.search(rf"\n\| {row} \| (.*) \| (.*) \|\n", page).groups()
            for points, cell in zip((20, 60), cells):
                made = json.loads(self.nucreg("recommend", out, "--json", "--model", "similarity",
                                              "--points", points, "--outliers", outliers).out)
                self.assertTrue(cell.startswith(f"{made['solver']}, {made['loss']}"), (cell, made))
                self.assertIn(f": {100 * made['arrival_rate']:.0f} %", cell)
        # Which solver is the fastest of those that arrive depends on the machine; the loss does
        # not.
        self.assertRegex(page, r"\n\| 40 % \| [^|]+, cauchy: [^|]+ \| [^|]+, cauchy: ")
        self.assertIn("tools/findings results/out.h5", page)

    def test_the_picture_shows_the_rates_of_the_rows(self):
        out = self.out
        self.assertIn("](FINDINGS.svg)", self.page(out))
        svg = ElementTree.parse(self.dir / "FINDINGS.svg").getroot()
        words = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("sample turned 90 deg", words)
        trials, of = read_group(out, "trials"), read_group(out, "trials")["configuration"]
        conditions = read_group(out, "configurations")
        rates = []
        for name, rows in solver_rows(out).items():  # cells come column by column, solvers within
            for turn in (0, 90):
                for part in (0, 0.4):
                    keep = (rows & (conditions["loss"][of] == b"cauchy")
                            & (conditions["start_turn_deg"][of] == turn)
                            & (conditions["outliers"][of] == part))
                    rates.append((turn, part, f"{100 * trials['arrived'][keep].mean():.0f}"))
        shown = [w for w in words if re.fullmatch(r"\d+", w)]
        rates.sort(key=lambda r: r[:2])
        self.assertEqual(sorted(shown), sorted(r[2] for r in rates))
        self.assertEqual([sorted(shown[i:i + 3]) for i in range(0, 12, 3)],
                         [sorted(r[2] for r in rates[i:i + 3]) for i in range(0, 12, 3)])

    def test_other_starts_and_names_that_are_markup(self):
        name = 'L|M <i>&'
        out = self.run_job(JOB.replace('"LM"', f'"{name}"').replace("turn_deg = [0, 90]",
                                                                    "turn_deg = 0")
                           .replace("[fit]", '[fit]\nstart = "truth"'))
        page = self.page(out)
        self.assertIn("\n| L\\|M &lt;i&gt;&amp; | ", page)
        words = [node.text for node in ElementTree.parse(self.dir / "FINDINGS.svg").iter()]
        self.assertIn(name, words)
        self.assertTrue(any("cauchy loss, truth start" in (w or "") for w in words), words)

    def test_what_is_no_result_is_refused(self):
        outcome = subprocess.run([ROOT / "tools" / "findings", self.write("x.h5", "no")],
                                 capture_output=True, text=True)
        self.assertNotEqual(outcome.returncode, 0)
        self.assertIn("is no result of nucreg", outcome.stderr)


if __name__ == "__main__":
    unittest.main()
