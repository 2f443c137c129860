"""Outputs that fail while a run goes on: told, nothing lost, and resumed when the cause is gone."""

import os
import random
import shutil
import subprocess
import sys
import unittest

from interrupted import JOB, JOURNAL_BYTES, finish, size, start, wait_for
from label_tiff import SPOTS, label_tiff
from nucreg_case import DONE, LEAST_JOB, OUTPUT, NucregCase, run

BAD_DISK = ""  # bad_disk.cpp


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

    def assert_reported(self, process, *needles):
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

    def larger_disk(self):
        subprocess.run(["mount", "-o", "remount,size=100m", self.sub], check=True)

    def test_disk_that_fills_up(self):
        self.small_disk(self.sub, 200)
        process = start(self.dir, "run", "job.toml", "-o", "sub/out.h5", ranks=2)
        self.assert_reported(process, "sub/out.h5.journal: ", "No space left on device")
        outcome = run(self.dir, "run", "job.toml", "-o", "sub/out.h5", "--resume")
        self.assertEqual(outcome.status, OUTPUT, outcome)
        self.assertTrue(self.journal.exists())
        self.larger_disk()
        self.assert_resumes()

    def test_only_the_final_file_fails(self):
        self.small_disk(self.sub, 800)  # enough for the journal and for nothing else
        process = start(self.dir, "run", "job.toml", "-o", "sub/out.h5")
        self.assert_reported(process, "sub/out.h5: ", "No space left on device")
        self.larger_disk()
        self.assert_resumes()

    def test_removed_folder(self):
        process = self.begin()
        shutil.rmtree(self.sub)
        self.assert_reported(process, "removed", "put back")
        self.assert_resumes()

    def test_removed_journal(self):
        process = self.begin(ranks=2)
        self.journal.unlink()
        self.assert_reported(process, "removed", "put back")
        self.assert_resumes()

    def test_folder_that_turned_read_only(self):
        process = self.begin()
        self.lock_folder()
        self.assert_reported(process, "sub/out.h5")
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

    def test_each_output_on_a_disk_that_is_full(self):
        """Whatever is there afterwards is whole: as the same command makes it with room enough."""
        shutil.copy(self.reference, self.dir / "whole.h5")
        self.write("spots.tif", SPOTS)
        noise = random.Random(3)
        self.write("noise.tif", label_tiff([[noise.randrange(65536) for _ in range(96)]
                                            for _ in range(96)]))
        points_at = random.Random(4)
        points = [(points_at.uniform(0, 500), points_at.uniform(0, 500)) for _ in range(400)]
        for name, scale in (("ten.csv", 1), ("forty.csv", 4)):
            self.write(name, "x,y\n" + "".join(f"{scale * x},{scale * y}\n" for x, y in points))
        commands = {
            "csv": ("export", "whole.h5", "--to", "{}/csv"),
            "pairs": ("match", "ten.csv", "forty.csv", "--pairs", "{}/pairs.csv"),
            "merged": ("merge", "whole.h5", "-o", "{}/merged.h5"),
            "plane": ("image", "noise.tif", "--to", "{}/plane.tif"),
            "segment": ("segment", "spots.tif", "--to", "{}/segment"),
            "synth": ("synth", "--ten", "1", "--forty", "1", "--field", "200", "--nuclei", "40",
                      "--tile", "200", "--to", "{}/synth")}
        for name, command in commands.items():
            room = self.dir / f"room-{name}"
            room.mkdir()
            self.nucreg(*(word.format(room) for word in command))
            total = sum(path.stat().st_size for path in room.rglob("*") if path.is_file())
            failed = 0
            for kilobytes in sorted({4, total // 4096, total // 2048, total * 9 // 10240}):
                with self.subTest(command=name, kilobytes=kilobytes):
                    self.small_disk(self.sub, max(4, kilobytes))
                    outcome = run(self.dir, *(word.format("sub") for word in command))
                    self.assertIn(outcome.status, (DONE, OUTPUT), outcome)
                    failed += outcome.status == OUTPUT
                    if outcome.status == OUTPUT:
                        self.assertIn("No space left on device", outcome.err)
                        self.assertNotIn("bug", outcome.err)
                    self.whole_as_in(room)
                    subprocess.run(["umount", "-l", self.sub], check=True)
            self.assertGreater(failed, 0, name)

    def test_a_disk_that_says_late_that_it_kept_nothing(self):
        shutil.copy(self.reference, self.dir / "whole.h5")
        self.write("spots.tif", SPOTS)
        commands = {
            "csv": ("export", "whole.h5", "--to", "sub"),
            "merged": ("merge", "whole.h5", "-o", "sub/merged.h5"),
            "plane": ("image", "spots.tif", "--to", "sub/plane.tif"),
            "segment": ("segment", "spots.tif", "--to", "sub"),
            "synth": ("synth", "--ten", "1", "--forty", "1", "--field", "200", "--nuclei", "40",
                      "--tile", "200", "--to", "sub"),
            "run": ("run", self.write("least.toml", LEAST_JOB), "-o", "sub/out.h5")}
        for name, command in commands.items():
            for how in ("late-sync", "late-close"):
                with self.subTest(command=name, how=how):
                    shutil.rmtree(self.sub)
                    self.sub.mkdir()
                    outcome = run(self.dir, *command, LD_PRELOAD=BAD_DISK, BAD_DISK=how)
                    self.assertEqual(outcome.status, OUTPUT, outcome)
                    self.assertIn("Disk quota exceeded", outcome.err)
                    left = {path.name for path in self.sub.rglob("*") if path.is_file()}
                    self.assertLessEqual(left, {"out.h5.journal", "rank-0000.log"})

    def test_a_disk_that_is_slow(self):
        outcome = self.nucreg("run", "job.toml", "-o", "sub/out.h5", ranks=3, LD_PRELOAD=BAD_DISK,
                              BAD_DISK="slow")
        self.assertNotIn("not heard", outcome.err)
        self.assert_same_results(self.reference, self.sub / "out.h5")

    def whole_as_in(self, room):
        for path in self.sub.rglob("*"):
            if path.is_dir():
                continue
            there = room / path.relative_to(self.sub)
            self.assertTrue(there.exists(), f"{path} was left behind")
            if path.suffix == ".h5":
                self.nucreg("verify", path)
            else:
                self.assertEqual(path.read_bytes(), there.read_bytes(), path)


if __name__ == "__main__":
    BAD_DISK = sys.argv.pop(1)
    unittest.main()
