"""Signals end a run in order: what is done is kept, and the command that goes on is told."""

import os
import signal
import unittest

import h5py

from interrupted import (JOB, JOURNAL_BYTES, TRIALS, children, finish, size, start, wait_for,
                         with_trials)
from nucreg_case import BUG, DONE, STOPPED, NucregCase, run

# No trial of it ends by itself in less than half a minute.
ENDLESS = """
[job]
name = "endless"
trials = 2

[problem]
points = 300

[fit]
model = "trs"
max_evaluations = 1000000000
max_seconds = 30
ftol_rel = 0
xtol_rel = 0

[fit.bounds]
scale = [3.0, 5.0]
angle_deg = [-10.0, 10.0]
dx_px = [-100.0, 100.0]
dy_px = [-100.0, 100.0]

[[solver]]
name = "ISRES"
kind = "nlopt"
algorithm = "GN_ISRES"
"""


class Signals(NucregCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls.made_once()
        # It takes all of its grace, and the other tests need not wait for that.
        maker.write("endless.toml", ENDLESS)
        cls.endless = start(maker.dir, "run", "endless.toml", "-o", "endless.h5")
        cls.addClassCleanup(cls.endless.communicate)
        cls.addClassCleanup(cls.endless.kill)
        wait_for(lambda: size(maker.dir / "endless.h5.journal") > 0, "a journal")
        cls.endless.send_signal(signal.SIGUSR1)
        cls.endless_file = maker.dir / "endless.h5"
        cls.reference = maker.run_job(JOB, output="reference.h5")

    def setUp(self):
        super().setUp()
        self.write("job.toml", JOB)
        self.out, self.journal = self.dir / "out.h5", self.dir / "out.h5.journal"

    def begin(self, ranks=0, **variables):
        process = start(self.dir, "run", "job.toml", "-o", "out.h5", ranks=ranks, **variables)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for(lambda: size(self.journal) > JOURNAL_BYTES, "results in the journal")
        return process

    def assert_partial(self, out, err):
        self.assertIn("run job.toml -o out.h5 --resume\n", err)
        self.assertIn("partial", out)
        self.assertTrue(self.journal.exists())
        self.assertIn("partial", self.nucreg("inspect", "out.h5").out)
        self.nucreg("verify", "out.h5")
        with h5py.File(self.out) as h5:
            self.assertEqual(h5.attrs["status"], "partial")
            self.assertEqual(h5.attrs["trials_planned"], TRIALS)
            self.assertLess(0, h5.attrs["trials_done"])
            self.assertLess(h5.attrs["trials_done"], TRIALS)
            self.assertEqual(len(h5["trials/trial"]), 2 * h5.attrs["trials_done"])
            return h5.attrs["trials_done"]

    def assert_resumes(self, earlier=None, **options):
        self.nucreg("run", "job.toml", "-o", "out.h5", "--resume", **options)
        self.assert_same_results(self.reference, self.out)
        with h5py.File(self.out) as h5:
            if earlier is not None:
                self.assertEqual(h5.attrs["trials_resumed"], earlier)
            self.assertLess(0, h5.attrs["trials_resumed"])
        self.assertEqual({path.name for path in self.dir.iterdir()},
                         {"job.toml", "out.h5", "out.h5.logs"})

    def test_each_signal_without_launcher(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            with self.subTest(number):
                process = self.begin()
                process.send_signal(number)
                status, out, err = finish(process)
                self.assertEqual(status, STOPPED, err)
                self.assertIn(number.name, err)
                self.assert_resumes(self.assert_partial(out, err))
                self.out.unlink()

    def test_user_signal_through_the_launcher(self):
        process = self.begin(ranks=2)
        process.send_signal(signal.SIGUSR1)
        status, out, err = finish(process)
        self.assertEqual(status, STOPPED, err)
        self.assertIn("-n 2 ", err)
        self.assert_resumes(self.assert_partial(out, err), ranks=3)

    def test_launcher_that_kills_its_ranks(self):
        # mpirun waits a second before it tells the ranks, and ends with a status of its own.
        longer = with_trials(2000)
        reference = self.run_job(longer, output="longer.h5", ranks=2)
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.begin(ranks=2)
                # Told in its first moments, mpirun ends without telling its ranks.
                wait_for(lambda: size(self.journal) > 4 * JOURNAL_BYTES, "more results")
                process.send_signal(number)
                status, _, err = finish(process)
                self.assertEqual(status, BUG, err)
                # An mpirun that dies of the signal itself tells its ranks nothing: they end the
                # run.
                if "nucreg: SIG" in err or not self.out.exists():
                    self.assertIn("run job.toml -o out.h5 --resume\n", err)
                    self.nucreg("run", "job.toml", "-o", "out.h5", "--resume", ranks=2)
                self.assert_same_results(reference, self.out)
                self.out.unlink()

    def test_signal_to_another_rank_alone_is_ignored(self):
        process = self.begin(ranks=2)
        other = children(process)[1]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            os.kill(other, number)
        status, _, err = finish(process)
        self.assertEqual(status, DONE, err)
        self.assert_same_results(self.reference, self.out)

    def test_second_interrupt_leaves_at_once(self):
        process = self.begin()
        process.send_signal(signal.SIGSTOP)  # so that the two come together
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        status, _, err = finish(process)
        self.assertEqual(status, STOPPED, err)
        self.assert_resumes()

    def test_second_interrupt_during_a_long_solve(self):
        self.write("job.toml", ENDLESS)
        process = start(self.dir, "run", "job.toml", "-o", "out.h5")
        wait_for(lambda: size(self.journal) > 0, "a journal")
        process.send_signal(signal.SIGINT)
        line = process.stderr.readline()
        while line and b"SIGINT: " not in line:
            line = process.stderr.readline()
        self.assertIn(b"have 10", line)
        process.send_signal(signal.SIGINT)
        status, _, err = finish(process)
        self.assertEqual(status, STOPPED, err)
        self.assertIn("leaving at once; what was done a second ago and before is safe in "
                      "out.h5.journal", err)
        self.assertIn("run job.toml -o out.h5 --resume", err.rpartition("leaving at once")[2])
        self.assertFalse(self.out.exists())
        outcome = run(self.dir, "run", "job.toml", "-o", "out.h5", "--resume", "--set",
                      "job.trials=3")
        self.assertIn("+ trials = 3", outcome.err)

    def test_long_solve_outlasts_the_grace(self):
        status, out, err = finish(self.endless)
        self.assertEqual(status, STOPPED, err)
        self.assertIn("0 of 2 trials", out)
        self.nucreg("verify", self.endless_file)

    def test_resume_of_a_partial_file_without_its_journal(self):
        process = self.begin()
        process.send_signal(signal.SIGUSR1)
        _, out, err = finish(process)
        done = self.assert_partial(out, err)
        self.journal.unlink()
        self.assert_resumes(done)


if __name__ == "__main__":
    unittest.main()
