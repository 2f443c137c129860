"""Solvers that misbehave cost their own rows and nothing else."""

import pathlib
import resource
import sys
import unittest

import h5py
import numpy as np

import nucreg_case
from nucreg_case import NucregCase, read_group, status_codes, solver_rows, texts

JOB = """
[job]
name = "misbehaving"
trials = 3

[problem]
points = 30

[fit]
max_seconds = 0.5

[run]
timing_repeats = 1
"""
SOLVER = """
[[solver]]
name = "{0}"
kind = "{0}"
"""


def job(*kinds):
    return JOB + "".join(SOLVER.format(kind) for kind in kinds)


class Misbehaving(NucregCase):
    def log(self):
        return "".join(path.read_text() for path in (self.dir / "out.h5.logs").iterdir())

    def messages(self, out, kind):
        return set(texts(read_group(out, "trials")["message"][solver_rows(out)[kind]]))

    def assert_only_these_fail(self, out, *kinds):
        status = read_group(out, "trials")["status"]
        codes = status_codes(out)
        for name, rows in solver_rows(out).items():
            expected = codes["failed"] if name in kinds else codes["converged"]
            self.assertEqual(set(status[rows]), {expected}, name)
            self.assertEqual(rows.sum(), 3, name)
        self.nucreg("verify", "out.h5")

    def test_nan_and_exceptions(self):
        kinds = ("answers-nan", "throws-exception", "throws-number")
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                out = self.run_job(job("lm", *kinds), "--force", ranks=ranks)
                self.assert_only_these_fail(out, *kinds)
                self.assertEqual(self.messages(out, "lm"), {""})
                self.assertEqual(self.messages(out, "answers-nan"), {"the answer is not finite"})
                self.assertEqual(self.messages(out, "throws-exception"), {"as badly as I can"})
                self.assertEqual(self.messages(out, "throws-number"),
                                 {"something that is no std::exception"})
                self.assertIn("3 x throws-exception, failed: as badly as I can",
                              self.nucreg("inspect", "out.h5").out)
                log = self.log()
                self.assertEqual(log.count("solver throws-exception threw: as badly as I can"), 3)
                self.assertEqual(log.count("solver throws-number threw: "), 3)

    def skip_under_asan(self):
        if b"__asan_init" in pathlib.Path(nucreg_case.NUCREG).read_bytes():
            self.skipTest("skipped: the sanitizer's allocator refuses nothing")

    def test_memory_beyond_the_limit(self):
        self.skip_under_asan()
        kinds = ("allocates-without-end", "gives-up-without-memory")
        out = self.run_job(job(*kinds, "lm"), "--set", "run.max_solve_bytes=100000000")
        self.assert_only_these_fail(out, *kinds)
        rows = read_group(out, "trials")
        for kind in kinds:
            self.assertEqual(self.messages(out, kind),
                             {"wanted more memory than run.max_solve_bytes = 100000000"})
            peak = rows["peak_bytes"][solver_rows(out)[kind]]
            self.assertTrue(((peak > 3e7) & (peak <= 1e8)).all(), peak)

    def test_solver_that_makes_do_with_less_memory(self):
        # NLopt then keeps fewer vectors and converges all the same, but it is not what was asked.
        self.skip_under_asan()
        quasi_newton = '[[solver]]\nname = "L-BFGS"\nkind = "nlopt"\n'
        out = self.run_job(job("lm") + quasi_newton, "--set", "run.max_solve_bytes=1000")
        self.assertEqual(self.messages(out, "L-BFGS"),
                         {"wanted more memory than run.max_solve_bytes = 1000"})

    def test_memory_of_the_process_ends_first(self):
        self.skip_under_asan()
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (1 << 29, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_DATA, (soft, hard))
        out = self.run_job(job("allocates-without-end", "lm"), "--set", 'run.max_solve_bytes="off"',
                           "--set", "job.trials=1")
        self.assertEqual(self.messages(out, "allocates-without-end"), {"std::bad_alloc"})
        self.assertEqual(self.messages(out, "lm"), {""})

    def test_time_off_the_processor_makes_no_valid_timing(self):
        out = self.run_job(job("naps", "lm"))
        rows = read_group(out, "trials")
        naps = solver_rows(out)["naps"]
        self.assertFalse(rows["timing_valid"][naps].any())
        self.assertGreaterEqual(rows["wall_s"][naps].min(), 0.005)
        self.assertLess(rows["cpu_s"][naps].max(), 0.005)
        self.assertEqual(read_group(out, "summary")["timing_valid"][0], 0)

    def test_repeats_change_no_answer(self):
        # It says that it stalled, at an answer that no step improves.
        out = self.run_job(job("answers-once"), "--set", "run.timing_repeats=4")
        rows = read_group(out, "trials")
        self.assertEqual(set(rows["status"]), {status_codes(out)["converged"]})
        self.assertTrue(np.isfinite(rows["rmsd_px"]).all())
        self.assertEqual(set(rows["repeats"]), {4})

    def test_solve_that_never_returns(self):
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                out = self.run_job(job("never-returns") + SOLVER.format("lm"), "--force", "--set",
                                   "job.trials=1", "--set", "run.hang_seconds=1", "--set",
                                   "fit.max_seconds=0.1", ranks=ranks)
                status = read_group(out, "trials")["status"]
                self.assertEqual(set(status), {status_codes(out)["failed"]})
                self.assertEqual(self.messages(out, "lm"),
                                 {"given up: the ranks that ran this trial hung or died"})
                self.assertIn("configuration 0: trial 0", self.log())
                with h5py.File(out) as h5:
                    warnings = h5.attrs["warnings"]
                self.assertIn("configuration 0: trial 0: given up", warnings)
                self.assertRegex(warnings, r"(?m)^rank 0 on \S+ hung in task 0, .*trial 0$")
                shown = " ".join(self.nucreg("inspect", "out.h5").out.split())
                for line in warnings.splitlines():
                    self.assertIn(f"warning: {line}", shown)
                self.nucreg("verify", "out.h5")


if __name__ == "__main__":
    nucreg_case.NUCREG = sys.argv.pop(1)
    unittest.main()
