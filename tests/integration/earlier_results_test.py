"""Results that nucreg 0.1 wrote are read by every command; nothing is added to them by this build.

The files in results_of_0.1 are the two parts of a job of 2 x 4 trials x 2 solvers, as its
`run --part` wrote them."""

import csv
import gzip
import pathlib
import unittest

import h5py
import numpy as np

from nucreg_case import DONE, USAGE, NucregCase, read_group

FOLDER = pathlib.Path(__file__).parent / "results_of_0.1"


class EarlierResults(NucregCase):
    def setUp(self):
        super().setUp()
        for part in (1, 2):
            self.write(f"{part}.h5", gzip.decompress((FOLDER / f"part-{part}.h5.gz").read_bytes()))

    def test_they_are_of_0_1(self):
        for part in (1, 2):
            with h5py.File(self.dir / f"{part}.h5") as h5:
                self.assertEqual(h5.attrs["nucreg_version"], "0.1.0")
                self.assertNotIn("build_identity", h5.attrs)

    def test_inspect_verify_export(self):
        for part in (1, 2):
            self.assertIn("LM", self.nucreg("inspect", f"{part}.h5").out)
            self.assertIn('"LM"', self.nucreg("inspect", f"{part}.h5", "--json").out)
            self.assertIn("sound: 2 configurations x 4 trials",
                          self.nucreg("verify", f"{part}.h5").out)
            self.nucreg("export", f"{part}.h5", "--to", f"csv{part}")
            with open(self.dir / f"csv{part}" / "trials.csv", encoding="utf-8") as file:
                self.assertEqual(len(list(csv.DictReader(file))), 8)

    def test_merge_and_compare(self):
        self.nucreg("merge", "1.h5", "2.h5", "-o", "both.h5")
        self.assertEqual(len(read_group(self.dir / "both.h5", "trials")["trial"]), 16)
        self.nucreg("verify", "both.h5")
        with h5py.File(self.dir / "both.h5") as h5:
            self.assertEqual(h5.attrs["status"], "complete")
        self.assertEqual(self.nucreg("compare", "1.h5", "both.h5").status, DONE)
        # This build makes the same rows, but for the last digits of NLopt's L-BFGS: other steps.
        with h5py.File(self.dir / "both.h5") as h5:
            self.write("job.toml", h5.attrs["job_toml"])
            names = list(h5["solvers/name"].asstr())
        self.nucreg("run", "job.toml", "-o", "now.h5")
        old, new = (read_group(self.dir / name, "trials") for name in ("both.h5", "now.h5"))
        own = old["solver"] != names.index("L-BFGS")
        self.assertEqual(list(old["objective"][own]), list(new["objective"][own]))
        np.testing.assert_allclose(new["objective"], old["objective"], rtol=1e-12, atol=1e-18)
        self.nucreg("compare", "both.h5", "now.h5", "--threshold", "1e6")
        # But they are of another build: put together or continued they are not.
        self.refused(USAGE, ["merge", "1.h5", "now.h5", "-o", "mixed.h5"], "- build nucreg 0.1.0",
                     "+ build nucreg ")
        self.refused(USAGE, ["run", "job.toml", "-o", "both.h5", "--resume"],
                     "- build nucreg 0.1.0", "+ build nucreg ")


if __name__ == "__main__":
    unittest.main()
