"""The jobs of the repository are right, and the first one that a user runs does run."""

import pathlib
import re
import tomllib
import unittest

from nucreg_case import ROOT, NucregCase, read_group, run, DONE

FILES = sorted((ROOT / "jobs").glob("*.toml"))
MAPS = [file for file in FILES if file.name.startswith("well-")]
JOBS = [file for file in FILES if file not in MAPS]


class ShippedJobs(NucregCase):
    def test_all_can_be_planned(self):
        self.assertGreater(len(JOBS), 3)
        for job in JOBS:
            with self.subTest(job.name):
                table = tomllib.loads(job.read_text())
                self.assertEqual(table["job"]["name"], job.stem)
                files = table["problem"].get("files", [])
                images = table["problem"].get("images", {})
                files += images.get("ten", []) + images.get("forty", [])
                # From the top of the tree, as the README tells.
                folder = ROOT
                if any(file.startswith("tiles/") for file in files):
                    self.nucreg("synth", "--to", "tiles")
                    folder = self.dir
                if not all(any(folder.glob(file.removeprefix("../"))) or
                           any(folder.parent.glob(file.removeprefix("../"))) for file in files):
                    self.skipTest(f"skipped: no {files}")
                outcome = run(folder, "plan", job)
                self.assertEqual(outcome.status, DONE, outcome)
                # The size that the head of the job promises is the size.
                size = re.search(r"([\d,]+) configurations x ([\d,]+) trials x (\d+) solvers\s+"
                                 r"=\s+([\d,]+) solves", job.read_text())
                self.assertIsNotNone(size, job)
                configurations, trials, solvers, solves = (int(number.replace(",", ""))
                                                           for number in size.groups())
                self.assertEqual(configurations * trials * solvers, solves)
                self.assertRegex(outcome.out.replace(",", ""),
                                 rf"configurations +{configurations}\n")
                self.assertRegex(outcome.out.replace(",", ""),
                                 rf"solves +{solves} = {configurations * trials} x {solvers}")

    def test_readme_of_the_jobs_knows_them_all(self):
        text = (ROOT / "jobs/README.md").read_text()
        named = set(re.findall(r"\(([\w-]+\.toml)\)", text))
        self.assertEqual(named, {pathlib.Path(job).name for job in FILES})

    def test_the_rendered_well_is_mapped(self):
        self.nucreg("synth", "--well", "--ten", 4, "--to", "well")
        tiles = len(list(self.dir.glob("well/*.tif")))
        head = (ROOT / "jobs/well-synthetic.toml").read_text()
        ten, forty = re.search(r"(\d+) tiles at 10x and (\d+) at 40x", head).groups()
        self.assertEqual(tiles, int(ten) + int(forty))
        outcome = self.nucreg("map", ROOT / "jobs/well-synthetic.toml", ranks=2)
        self.assertIn("results/well-synthetic.h5", outcome.out)
        for fault in ("position_wrong", "empty", "duplicate"):
            self.assertIn(fault, outcome.out)
        self.assertIn("sound", self.nucreg("verify", "results/well-synthetic.h5").out)

    def test_quickstart_runs(self):
        outcome = self.nucreg("run", ROOT / "jobs/quickstart.toml", ranks=2)
        self.assertIn("results/quickstart.h5", outcome.out)
        trials = read_group(self.dir / "results/quickstart.h5", "trials")
        self.assertEqual(len(trials["status"]), 480)
        self.assertLess(trials["tre_px"].max(), 10.0)
        self.assertIn("sound", self.nucreg("verify", "results/quickstart.h5").out)


if __name__ == "__main__":
    unittest.main()
