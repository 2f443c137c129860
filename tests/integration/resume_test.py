"""A run that was killed goes on where it was, and gives the file that it would have given."""

import shutil
import signal
import struct
import subprocess
import unittest
import zlib

import h5py

import interrupted
from interrupted import size, start, wait_for
from nucreg_case import (DONE, LIMIT_S, OUTPUT, USAGE, NucregCase, environment, read_group, run)

FRAME_BYTES = 28
NO_TASK = 2**64 - 1  # of notes and declarations of stages
# Shorter, since each test does most of it once more.
TRIALS, JOURNAL_BYTES = 600, interrupted.JOURNAL_BYTES // 2
JOB = interrupted.with_trials(TRIALS // 2)


def frames(journal):
    """(begin, end) of each frame of an undamaged journal that is the result of a trial."""
    at = 24 + struct.unpack_from("<I", journal, 12)[0]
    while at < len(journal):
        end = at + FRAME_BYTES + struct.unpack_from("<I", journal, at + 4)[0]
        if struct.unpack_from("<Q", journal, at + 8)[0] != NO_TASK:
            yield at, end
        at = end


class Resume(NucregCase):
    """Starts from one journal of a killed run, which each test damages as it likes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls.made_once()
        cls.reference = maker.run_job(JOB, output="reference.h5")
        killed = start(maker.dir, "run", "job.toml", "-o", "killed.h5")
        journal = maker.dir / "killed.h5.journal"
        wait_for(lambda: size(journal) > JOURNAL_BYTES, "results in the journal")
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        cls.journal = journal.read_bytes()

    def setUp(self):
        super().setUp()
        self.write("job.toml", JOB)
        whole = [end for _, end in frames(self.journal)]
        self.sound = self.journal[:max(end for end in whole if end <= len(self.journal))]
        self.assertLess(10, len(list(frames(self.sound))))
        self.assertLess(len(list(frames(self.sound))), TRIALS)

    def leave(self, journal):
        self.write("out.h5.journal", journal)

    def resumes(self, expected_earlier, *, ranks=0):
        """Completes, with that many trials from before."""
        outcome = self.nucreg("run", "job.toml", "-o", "out.h5", "--resume", ranks=ranks)
        out = self.dir / "out.h5"
        self.assert_same_results(self.reference, out)
        with h5py.File(out) as h5:
            self.assertEqual(h5.attrs["status"], "complete")
            self.assertEqual(h5.attrs["trials_resumed"], expected_earlier)
            self.assertEqual(h5.attrs["trials_done"], TRIALS)
            solves = sum(h5["ranks/solves"][:])
        self.assertEqual(solves, 2 * (TRIALS - expected_earlier), "exactly what was missing")
        self.assertFalse((self.dir / "out.h5.journal").exists())
        self.nucreg("verify", "out.h5")
        return outcome

    def test_exactly_what_is_missing(self):
        for ranks in (0, 2, 3):
            with self.subTest(ranks=ranks):
                self.leave(self.sound)
                self.resumes(len(list(frames(self.sound))), ranks=ranks)
                (self.dir / "out.h5").unlink()

    def test_torn_tail(self):
        begin, end = list(frames(self.sound))[-1]
        earlier = len(list(frames(self.sound))) - 1
        for cut in (begin + 1, end - 1):  # tests of the journal cut at every byte
            with self.subTest(cut=cut):
                self.leave(self.sound[:cut])
                self.resumes(earlier)
                (self.dir / "out.h5").unlink()

    def test_damage_in_the_middle(self):
        all_frames = list(frames(self.sound))
        begin = all_frames[5][0] + 30
        flipped = bytearray(self.sound)
        flipped[begin] ^= 1
        zeroed = bytearray(self.sound)
        zeroed[begin:begin + 4096] = bytes(4096)
        hit = sum(1 for a, b in all_frames if a < begin + 4096 and begin < b)
        for journal, lost in ((flipped, 1), (zeroed, hit)):
            with self.subTest(lost=lost):
                self.leave(bytes(journal))
                outcome = self.resumes(len(all_frames) - lost)
                self.assertIn("damaged", outcome.err)
                (self.dir / "out.h5").unlink()

    def test_trial_that_is_there_twice(self):
        begin, end = list(frames(self.sound))[3]
        self.leave(self.sound + self.sound[begin:end])
        self.resumes(len(list(frames(self.sound))))

    def test_damaged_header_is_set_aside(self):
        self.leave(bytes(100) + self.sound[100:])
        outcome = self.resumes(0)
        self.assertIn("damaged", outcome.err)
        aside = list(self.dir.glob("out.h5.journal.damaged-*"))
        self.assertEqual([path.read_bytes()[100:] for path in aside], [self.sound[100:]])

    def test_header_that_was_never_whole(self):
        for length in (0, 10, 100):
            with self.subTest(length=length):
                self.leave(self.sound[:length])
                self.resumes(0)
                (self.dir / "out.h5").unlink()

    def test_nothing_to_resume_is_a_start(self):
        self.resumes(0)

    def test_complete_output(self):
        shutil.copy(self.reference, self.dir / "out.h5")
        before = (self.dir / "out.h5").read_bytes()
        for ranks in (0, 2):
            # Killed between the rename and the removal of what lay beside it.
            self.leave(self.sound)
            for name in ("out.h5.status", "out.h5.replaced"):
                self.write(name, "left")
            outcome = self.nucreg("run", "job.toml", "-o", "out.h5", "--resume", ranks=ranks)
            self.assertIn("complete", outcome.err)
            self.assertEqual((self.dir / "out.h5").read_bytes(), before)
            self.assertEqual({path.name for path in self.dir.glob("out.h5*")}, {"out.h5"})

    def test_another_job_is_refused_with_the_difference(self):
        self.leave(self.sound)
        outcome = self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--resume", "--set",
                                       "job.seed=2", "--set", "problem.noise_px=[2.5]"],
                               "out.h5.journal", "[job]\n- seed = 1\n+ seed = 2\n", "[problem]",
                               "- noise_px = ", "+ noise_px = ", "2.5")
        self.assertNotIn("trials", outcome.err.partition("(-")[2].partition("--resume")[0])
        self.resumes(len(list(frames(self.sound))))
        self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--resume", "--set",
                             "job.seed=2"], "out.h5", "+ seed = 2")

    def test_another_build_is_refused(self):
        identity_bytes = struct.unpack_from("<I", self.sound, 12)[0]
        identity = self.sound[24:24 + identity_bytes]
        other = identity.replace(b"build nucreg ", b"build nucreg 0.0.1-", 1)
        head = self.sound[:12] + struct.pack("<II", len(other), zlib.crc32(other))
        self.leave(head + struct.pack("<I", zlib.crc32(head)) + other +
                   self.sound[24 + identity_bytes:])
        self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--resume"],
                     "- build nucreg 0.0.1-", "+ build nucreg ")

    def test_without_resume_the_command_is_reported(self):
        self.leave(self.sound)
        outcome = self.refused(OUTPUT, ["run", "job.toml", "-o", "out.h5"], "did not end",
                               "run job.toml -o out.h5 --resume\n")
        offered = next(line for line in outcome.err.splitlines() if line.endswith("--resume"))
        subprocess.run(offered.partition("to continue it: ")[2], shell=True, cwd=self.dir,
                       check=True, env=environment(), capture_output=True, timeout=LIMIT_S)
        self.assert_same_results(self.reference, self.dir / "out.h5")
        self.leave(self.sound)
        outcome = run(self.dir, "run", "job.toml", "-o", "other.h5", ranks=2)
        self.assertEqual(outcome.status, DONE, outcome)

    def test_command_names_the_launcher(self):
        self.leave(self.sound)
        self.refused(OUTPUT, ["run", "job.toml", "-o", "out.h5"],
                     " --oversubscribe -n 2 ", "run job.toml -o out.h5 --resume\n", ranks=2)

    def test_forced_run_that_was_killed(self):
        # The same job again, and another: neither may be taken for the result that was there.
        for more in ([], ["--set", "job.seed=7"]):
            with self.subTest(more):
                want = self.run_job(JOB, *more, output="want.h5") if more else self.reference
                self.nucreg("run", "job.toml", "-o", "out.h5")
                old = (self.dir / "out.h5").read_bytes()
                killed = start(self.dir, "run", "job.toml", "-o", "out.h5", "--force", *more)
                wait_for(lambda: size(self.dir / "out.h5.journal") > JOURNAL_BYTES, "results")
                killed.send_signal(signal.SIGKILL)
                killed.communicate()
                self.assertEqual((self.dir / "out.h5.replaced").read_bytes(), old)
                self.nucreg("run", "job.toml", "-o", "out.h5", "--resume", *more)
                self.assert_same_results(want, self.dir / "out.h5")
                with h5py.File(self.dir / "out.h5") as h5:
                    self.assertLess(0, h5.attrs["trials_resumed"])
                self.assertFalse((self.dir / "out.h5.replaced").exists())
                for name in ("out.h5", "want.h5"):
                    (self.dir / name).unlink(missing_ok=True)

    def test_resume_and_force_exclude_each_other(self):
        self.leave(self.sound)
        self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--resume", "--force"], "--force")

    def test_journal_of_a_run_under_way(self):
        running = start(self.dir, "run", "job.toml", "-o", "out.h5", "--set", "job.trials=100000")
        self.addCleanup(running.communicate)
        self.addCleanup(running.kill)
        wait_for(lambda: size(self.dir / "out.h5.journal") > 0, "a journal")
        for more in ([], ["--force"]):
            outcome = run(self.dir, "run", "job.toml", "-o", "out.h5", *more)
            self.assertEqual(outcome.status, OUTPUT, outcome)
            self.assertIn("under way", outcome.err)

    def test_foreign_output_is_not_touched(self):
        self.leave(self.sound)
        self.write("out.h5", "precious")
        self.refused(OUTPUT, ["run", "job.toml", "-o", "out.h5", "--resume"], "out.h5", "exists")


class ResumeWithInputs(NucregCase):
    JOB = """
[job]
name = "pairs"
trials = 3

[problem]
source = "pairs"
files = ["a.csv"]

[[solver]]
name = "LM"
kind = "lm"
"""

    def test_changed_input_is_refused(self):
        rows = "".join(f"{i},{i * i % 7},{4 * i},{4 * (i * i % 7)}\n" for i in range(20))
        self.write("a.csv", "x10,y10,x40,y40\n" + rows)
        self.run_job(self.JOB)
        self.write("a.csv", "x10,y10,x40,y40\n" + rows + "50,50,200,200\n")
        self.refused(USAGE, ["run", "job.toml", "-o", "out.h5", "--resume"], "out.h5",
                     "- input a.csv: 20 points", "+ input a.csv: 21 points")
        self.write("a.csv", "x10,y10,x40,y40\n" + rows)
        self.nucreg("run", "job.toml", "-o", "out.h5", "--resume")
        self.assertEqual(len(read_group(self.dir / "out.h5", "trials")["trial"]), 3)


if __name__ == "__main__":
    unittest.main()
