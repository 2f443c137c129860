"""The answer at the top of a page of tools/report: words for each finding of nucreg."""

import re
import unittest

import report_case  # noqa: F401  first: it says where the others are

from nucreg_case import ROOT
from report_page import answer, asked, verdict_figures


class Answers(unittest.TestCase):
    """The answer of two solvers, LM and its rival."""

    ROW = {"scope": "overall", "kind": "", "solver_a": "LM", "solver_b": "B", "faster": "",
           "arrives": "", "time_ratio": 0.25, "total_ratio": 0.25, "arrival_known": 400,
           "arrived_a": 400, "arrived_b": 400, "more_trials": 0, "equal": 400, "timed": 400}

    def answer(self, finding, **row):
        overview = {"comparisons": [self.ROW | {"finding": finding} | row], "best": "LM",
                    "more_trials": "--set job.trials=9"}
        (_, headline, (sentence,)), = answer.answers(overview)
        return headline, sentence.rpartition(";")[0] or sentence

    def test_each_finding_has_its_words(self):
        for finding, row, headline, words in (
                ("faster", {"faster": "LM"}, "Use LM.", "LM is 4.0 times as fast as B"),
                ("no difference", {}, "Either will do.", "LM and B are equally fast"),
                ("not enough trials", {"more_trials": 9}, "Not decided yet: too few trials.",
                 "too few trials to tell which of LM and B is faster"),
                ("timings not valid", {"more_trials": 9, "timed": 30},
                 "Not decided: too few valid timings.",
                 "which of LM and B is faster cannot be told: only 30 of 400 trials have valid "
                 "timings; run again on an idle machine"),
                ("differs between regions", {"more_trials": 9}, "Not decided.",
                 "which of LM and B is faster depends on the conditions"),
                ("unclear", {}, "Not decided.",
                 "which of LM and B is faster is unclear, and more trials would not tell"),
                ("faster, but costs more", {"total_ratio": 2.0}, "Not decided.",
                 "LM is faster than B in a typical trial, but takes 2.0 times as long in total"),
                ("no times to compare", {"time_ratio": None, "total_ratio": None, "timed": 0},
                 "Not decided: too few valid timings.",
                 "no trial has valid timings of both LM and B, so which is faster cannot be told; "
                 "run again on an idle machine"),
                ("no times to compare", {"time_ratio": None, "total_ratio": None, "equal": 0},
                 "Not decided.",
                 "there are no times of LM and B to compare"),
                ("neither arrives", {"arrived_a": 1, "arrived_b": 0},
                 "None of these solvers will do.",
                 "Neither LM nor B finds the right map here: 0.25 % and 0 % of trials arrive.")):
            self.assertEqual(self.answer(finding, **row), (headline, words))
        self.assertEqual(self.answer("no difference", arrives="LM")[0], "Use LM.")
        self.assertEqual(self.answer("faster, but costs more", time_ratio=4.0, total_ratio=0.5)[1],
                         "B is faster than LM in a typical trial, but takes 2.0 times as long in "
                         "total")

    def test_of_each_kind_the_best_is_that_of_nucreg(self):
        # B arrives a little more often, which no test declares; LM is declared faster.
        row = self.ROW | {"finding": "faster", "faster": "LM", "kind": "loss = cauchy",
                          "arrived_a": 360, "arrived_b": 372}
        (_, headline, (sentence,)), = answer.answers(
            {"comparisons": [row], "best": "", "more_trials": ""})
        self.assertEqual(headline, "Use LM.")
        self.assertTrue(sentence.startswith("LM is 4.0 times as fast as B; LM arrives in 90 %"))
        self.assertEqual(answer.best_of([row | {"arrives": "B"}], ["LM", "B"]), "B")

    def test_the_two_nearest_to_the_best_are_compared_too(self):
        def row(a, b, ratio):  # time of a / time of b
            return self.ROW | {"finding": "faster", "faster": a if ratio < 1 else b, "solver_a": a,
                               "solver_b": b, "time_ratio": ratio, "total_ratio": ratio}
        rows = [row("L-BFGS", "LM", 3.7), row("L-BFGS", "Eigen", 0.1), row("L-BFGS", "closed", 4.2),
                row("LM", "Eigen", 0.02), row("LM", "closed", 1.1), row("Eigen", "closed", 60.0)]
        (_, headline, said), = answer.answers({"comparisons": rows, "best": "closed"})
        self.assertEqual(headline, "Use closed.")
        self.assertEqual([sentence.partition(";")[0] for sentence in said],
                         ["closed is 1.1 times as fast as LM",
                          "closed is 4.2 times as fast as L-BFGS",
                          "closed is 60 times as fast as Eigen",
                          "LM is 3.7 times as fast as L-BFGS"])

    def test_the_table_names_the_kind_of_each_region(self):
        row = {"scope": "overall", "kind": "loss = tukey", "axis": "", "value": "",
               "configuration": -1}
        self.assertEqual(verdict_figures.name_of(row), "loss = tukey")
        self.assertEqual(verdict_figures.name_of(row | {"kind": ""}), "overall")
        at = row | {"scope": "axis", "axis": "points", "value": "20"}
        self.assertEqual(verdict_figures.name_of(at), "loss = tukey, points = 20")
        self.assertEqual(verdict_figures.name_of(at | {"kind": ""}), "points = 20")
        of_two = at | {"scope": "two axes", "axis_2": "turn_deg", "value_2": "> 30"}
        self.assertEqual(verdict_figures.name_of(of_two),
                         "loss = tukey, points = 20, turn_deg > 30")
        alone = row | {"scope": "configuration", "configuration": 7, "kind": ""}
        self.assertEqual(verdict_figures.name_of(alone), "configuration 7")
        self.assertEqual([verdict_figures.region(r) for r in (of_two, alone)], [None, None])

    def test_findings_are_those_of_nucreg(self):
        source = (ROOT / "src/stats/verdict_table.cpp").read_text()
        body = source.split("const char* finding_name(", 1)[1].split("\n}\n", 1)[0]
        self.assertEqual(set(answer.SPEED) | {answer.NEITHER},
                         set(re.findall('return "(.+)";', body)))
        with self.assertRaises(asked.Refused):
            self.answer("same")

    def test_percent_is_never_rounded_to_all_or_none(self):
        self.assertEqual([answer.percent(part, 400) for part in (0, 1, 4, 390, 399, 400)],
                         ["0 %", "0.25 %", "1 %", "98 %", "99.75 %", "100 %"])
        self.assertEqual(answer.percent(99_999, 100_000), "99.999 %")
        self.assertEqual(answer.percent(995, 1000), "99.5 %")


if __name__ == "__main__":
    unittest.main()
