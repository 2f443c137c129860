"""Maps that are stopped, killed, watched or begun twice."""

import os
import shlex
import shutil
import signal
import subprocess
import time
import unittest

from interrupted import children, finish, listening, start, wait_for
from made_well import MadeWell
from map_case import Maps
from nucreg_case import DONE, LEAST_JOB, LIMIT_S, OUTPUT, STOPPED, USAGE, environment, run


class Interrupted(Maps):
    """Maps that are stopped or killed, at any moment, and continued."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls.made_once()
        MadeWell(seed=12).write(maker.dir)
        began = time.monotonic()
        maker.nucreg("map", "ten.csv", "forty.csv", "-o", "whole.h5")
        cls.whole_s = time.monotonic() - began
        cls.made = maker.dir

    def setUp(self):
        super().setUp()
        shutil.copytree(self.made, self.dir, dirs_exist_ok=True)
        self.arguments = ["map", "ten.csv", "forty.csv", "-o", "out.h5"]

    def left(self):
        return {path.name for path in self.dir.glob("out.h5*")}

    def interrupt(self, number, delay_s, ranks=0):
        """Sends a signal to a map that time after it began; whether it came before the end."""
        process = start(self.dir, *self.arguments, "--resume", ranks=ranks)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        journal = self.dir / "out.h5.journal"
        wait_for(lambda: journal.exists() or process.poll() is not None, "the journal")
        if number == signal.SIGUSR1:  # which ends a process that is still being loaded
            wait_for(lambda: process.poll() is not None or listening(process, ranks, number),
                     "the ranks to listen")
        try:
            process.wait(delay_s)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        status, _, err = finish(process)
        if ranks and number == signal.SIGUSR1 and status == -number:
            # It ends mpirun, which catches it no more once its ranks have ended.
            self.assertTrue((self.dir / "out.h5").exists(), err)
            return False
        if number == signal.SIGUSR1 and status != DONE:
            self.assertEqual(status, STOPPED, err)
            self.assertIn("--resume", err)
        return status != DONE

    def test_a_map_that_is_killed_at_any_moment_is_continued_to_the_same_file(self):
        for ranks in (0, 2):
            for number in (signal.SIGKILL, signal.SIGUSR1):
                with self.subTest(signal=number.name, ranks=ranks):
                    cuts = [self.interrupt(number, self.whole_s * part, ranks)
                            for part in (0.15, 0.4, 0.7, 0.9)]
                    self.assertTrue(any(cuts))
                    self.nucreg(*self.arguments, "--resume", ranks=ranks)
                    self.assert_same_map("whole.h5", "out.h5")
                    self.assertEqual(self.left(), {"out.h5"})
                    (self.dir / "out.h5").unlink()

    def test_what_a_map_left_that_was_killed_in_its_last_moments_is_removed(self):
        self.assertTrue(self.interrupt(signal.SIGKILL, 0.0))
        self.assertIn("out.h5.journal", self.left())
        shutil.copy(self.dir / "whole.h5", self.dir / "out.h5")
        (self.dir / "out.h5.replaced").write_bytes(b"what --force set aside")
        self.assertIn("is complete", self.nucreg(*self.arguments, "--resume").err)
        self.assertEqual(self.left(), {"out.h5"})

    def test_a_disk_that_fills_up_at_the_journal_at_tiles_or_at_the_map(self):
        sub = self.dir / "sub"
        sub.mkdir()
        whole = (self.dir / "whole.h5").stat().st_size // 1024
        self.arguments[-1] = "sub/out.h5"
        for kilobytes in (4, whole // 3, whole - 8):
            with self.subTest(kilobytes=kilobytes):
                self.small_disk(sub, kilobytes)
                outcome = run(self.dir, *self.arguments)
                self.assertEqual(outcome.status, OUTPUT, outcome)
                self.assertIn("No space left on device", outcome.err)
                self.assertFalse((sub / "out.h5").exists())
                subprocess.run(["mount", "-o", "remount,size=100m", sub], check=True)
                self.nucreg(*self.arguments, "--resume")
                self.assert_same_map("whole.h5", "sub/out.h5")
                self.assertEqual({path.name for path in sub.iterdir()}, {"out.h5"})
                subprocess.run(["umount", "-l", sub], check=True)

    def test_a_rank_that_is_killed_costs_nothing(self):
        process = start(self.dir, *self.arguments, ranks=3, OMPI_MCA_orte_enable_recovery="1")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        status = self.dir / "out.h5.status"
        wait_for(lambda: status.exists() or process.poll() is not None, "the map to begin")
        for pid in children(process)[1:2]:
            os.kill(pid, signal.SIGKILL)
        code, _, err = finish(process)
        if not (self.dir / "out.h5").exists():  # the launcher ended all of it
            self.assertNotEqual(code, DONE, err)
            self.nucreg(*self.arguments, "--resume")
        self.assert_same_map("whole.h5", "out.h5")

    def test_watch_and_a_second_map(self):
        process = start(self.dir, *self.arguments)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        journal, status = self.dir / "out.h5.journal", self.dir / "out.h5.status"
        wait_for(lambda: journal.exists() and status.exists(), "the journal")
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        self.assertIn("on 1 rank", self.nucreg("watch", "out.h5", "--once").out)
        self.assertEqual(run(self.dir, *self.arguments, "--force").status, OUTPUT)
        process.kill()
        process.wait()
        self.refused(OUTPUT, self.arguments, "out.h5.journal", "--resume")
        seen = run(self.dir, "watch", "out.h5", "--once")
        self.assertEqual(seen.status, STOPPED, seen)
        line = seen.out.partition("to continue: ")[2]
        on = subprocess.run(shlex.split(line), cwd=self.dir, env=environment(), timeout=LIMIT_S,
                            capture_output=True, text=True, check=False)
        self.assertEqual(on.returncode, DONE, on.stderr)
        self.assert_same_map("whole.h5", "out.h5")
        self.assertIn("complete", self.nucreg("watch", "out.h5", "--once").out)
        again = self.nucreg(*self.arguments, "--resume")
        self.assertIn("nothing is left to do", again.err)

    def test_tiles_that_changed_are_read_again(self):
        self.assertTrue(self.interrupt(signal.SIGKILL, 0.05))
        other = MadeWell(seed=13)
        other.write(self.dir)
        self.nucreg(*self.arguments, "--resume")
        self.assert_right(self.dir / "out.h5", other)

    def test_a_complete_map_says_that_its_tiles_changed(self):
        self.map("ten.csv", "forty.csv")
        again = self.nucreg(*self.arguments, "--resume").err
        self.assertIn("nothing is left to do", again)
        self.assertNotIn("--force", again)
        later = time.time() + 10
        os.utime(self.dir / "40x" / "tile_03.csv", (later, later))
        again = self.nucreg(*self.arguments, "--resume").err
        self.assertIn("tile_03.csv", again)
        self.assertIn("--force", again)

    def test_an_output_that_is_not_this_map_is_not_replaced(self):
        resume = [*self.arguments, "--resume"]
        self.map("ten.csv", "forty.csv")
        self.refused(USAGE, [*resume, "--set", "map.seed=2"], "out.h5", "- seed = 1", "+ seed = 2",
                     "--force")
        for content in (b"precious", self.run_job(LEAST_JOB, output="run.h5").read_bytes()):
            self.write("out.h5", content)
            self.refused(OUTPUT, resume, "out.h5", "already exists and cannot be resumed")
        # Nor is one that came while the map was made, whose journal is there.
        (self.dir / "out.h5").unlink()
        self.assertTrue(self.interrupt(signal.SIGKILL, 0.0))
        for ranks in (0, 2):
            self.write("out.h5", b"precious")
            self.refused(OUTPUT, resume, "out.h5", "already exists and cannot be resumed",
                         ranks=ranks)
            (self.dir / "out.h5").unlink()
        self.nucreg(*resume)
        self.assert_same_map("whole.h5", "out.h5")

    def test_another_map_file_is_not_continued(self):
        process = start(self.dir, *self.arguments)
        self.addCleanup(process.communicate)
        wait_for(lambda: (self.dir / "out.h5.journal").exists(), "the journal")
        process.kill()
        process.wait()
        self.refused(USAGE, [*self.arguments, "--resume", "--set", "map.seed=2"], "seed",
                     "out.h5.journal")


if __name__ == "__main__":
    unittest.main()
