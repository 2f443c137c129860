"""Outputs that fail while a run goes on: told, nothing lost, and resumed when the cause is gone."""

import os
import shutil
import subprocess
import unittest

from interrupted import JOB, JOURNAL_BYTES, finish, size, start, wait_for
from nucreg_case import OUTPUT, NucregCase, run


class Outputs(NucregCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls.made_once()
        cls.reference = maker.run_job(JOB, output="reference.h5")

    def setUp(self):
        super().setUp()
        self.write("job.toml", JOB)
        self.sub = self.dir / "sub"
        self.sub.mkdir()
        self.journal = self.sub / "out.h5.journal"

    def begin(self, ranks=0):
        process = start(self.dir, "run", "job.toml", "-o", "sub/out.h5", ranks=ranks)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for(lambda: size(self.journal) > JOURNAL_BYTES, "results in the journal")
        return process

    def assert_told(self, process, *needles):
        status, out, err = finish(process)
        self.assertEqual(status, OUTPUT, err)
        for needle in ("safe in sub/out.h5.journal", "run job.toml -o sub/out.h5 --resume\n",
                       *needles):
            self.assertIn(needle, err)
        self.assertNotIn("bug", err)
        self.assertEqual(out, "")
        self.assertFalse((self.sub / "out.h5").exists())
        self.assertTrue(self.journal.exists())

    def assert_resumes(self, some_done=True):
        outcome = self.nucreg("run", "job.toml", "-o", "sub/out.h5", "--resume")
        self.assertEqual("are done already" in outcome.err, some_done, outcome)
        self.assert_same_results(self.reference, self.sub / "out.h5")
        self.assertEqual({path.name for path in self.sub.iterdir()}, {"out.h5", "out.h5.logs"})

    def small_disk(self, kilobytes):
        if os.geteuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", self.sub],
                capture_output=True).returncode:
            self.skipTest("skipped: only root can mount a small disk")
        self.addCleanup(subprocess.run, ["umount", "-l", self.sub], check=True)

    def larger_disk(self):
        subprocess.run(["mount", "-o", "remount,size=100m", self.sub], check=True)

    def test_disk_that_fills_up(self):
        self.small_disk(200)
        process = start(self.dir, "run", "job.toml", "-o", "sub/out.h5", ranks=2)
        self.assert_told(process, "sub/out.h5.journal: ", "No space left on device")
        outcome = run(self.dir, "run", "job.toml", "-o", "sub/out.h5", "--resume")
        self.assertEqual(outcome.status, OUTPUT, outcome)
        self.assertTrue(self.journal.exists())
        self.larger_disk()
        self.assert_resumes()

    def test_only_the_final_file_fails(self):
        self.small_disk(600)  # enough for the journal and for nothing else
        process = start(self.dir, "run", "job.toml", "-o", "sub/out.h5")
        self.assert_told(process, "sub/out.h5: ", "No space left on device")
        self.larger_disk()
        self.assert_resumes()

    def test_removed_folder(self):
        process = self.begin()
        shutil.rmtree(self.sub)
        self.assert_told(process, "removed", "put back")
        self.assert_resumes()

    def test_removed_journal(self):
        process = self.begin(ranks=2)
        self.journal.unlink()
        self.assert_told(process, "removed", "put back")
        self.assert_resumes()

    def test_folder_that_turned_read_only(self):
        process = self.begin()
        self.lock_folder()
        self.assert_told(process, "sub/out.h5")
        self.unlock_folder()
        self.assert_resumes()

    def lock_folder(self):
        if os.geteuid() != 0:
            self.sub.chmod(0o555)
        elif subprocess.run(["chattr", "+i", self.sub], capture_output=True).returncode:
            self.skipTest("skipped: root writes everywhere and chattr does not work here")
        self.addCleanup(self.unlock_folder)

    def unlock_folder(self):
        if os.geteuid() != 0:
            self.sub.chmod(0o755)
        else:
            subprocess.run(["chattr", "-i", self.sub], check=True)


if __name__ == "__main__":
    unittest.main()
