"""Jobs of images that are watched, stopped, killed or begun twice."""

import os
import shlex
import shutil
import signal
import struct
import subprocess
import unittest
import zlib

import h5py
import numpy as np

from images_test import Images, tiff
from interrupted import finish, size, start, wait_for
from nucreg_case import INPUT, LIMIT_S, OUTPUT, STOPPED, environment, run


def note(journal, kind, text):
    """A frame of a journal that keeps a line about the run."""
    payload = b"".join(struct.pack("<Q", len(part)) + part
                       for part in (kind.encode(), text.encode()))
    head = struct.pack("<IIQiI", 0xF19CB5E7, len(payload), 2**64 - 1, 0, 0)
    identity = journal[24:24 + struct.unpack_from("<I", journal, 12)[0]]
    return head + struct.pack("<I", zlib.crc32(identity + head + payload)) + payload


class BeforeTheFirstTrial(Images):
    def setUp(self):
        super().setUp()
        self.synth()
        # Each of its own content, so that none is in the cache for another.
        tile = (self.dir / "tiles/40x_0.tif").read_bytes()
        for number in range(2, 24):
            self.write(f"tiles/40x_{number}.tif", tile + bytes([number]))
        self.arguments = ["run", "job.toml", "-o", "out.h5", "--set", "job.trials=2"]
        self.status = self.dir / "out.h5.status"

    def cached(self):
        return len(list(self.dir.glob("image-cache/*.cache")))

    def held(self):
        """A run that stands still while it looks into images."""
        process = start(self.dir, *self.arguments)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for(lambda: self.cached() > 0 and self.status.exists(), "the nuclei of a tile")
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        self.assertLess(self.cached(), 25)
        return process

    def test_a_second_run_is_refused_and_resume_waits_for_its_end(self):
        first = self.held()
        resumed = start(self.dir, *self.arguments, "--resume")
        self.addCleanup(resumed.communicate)
        self.addCleanup(resumed.kill)
        for more in ([], ["--force"]):
            self.refused(OUTPUT, [*self.arguments, *more], "out.h5.journal",
                         "is the journal of a run that is under way", "-o")
        # A job without images neither.
        self.write("least.toml", '[job]\nname = "least"\n[problem]\npoints = 30\n'
                                 '[[solver]]\nname = "LM"\nkind = "lm"\n')
        self.refused(OUTPUT, ["run", "least.toml", "-o", "out.h5"], "under way")
        self.assertIsNone(resumed.poll())
        self.assertIn(f" {first.pid} ", self.status.read_text())
        first.kill()
        status, _, err = finish(resumed)
        self.assertEqual(status, 0, err)
        self.assertNotIn(", 0 from the cache", err)
        self.nucreg("verify", "out.h5")
        self.assertEqual({path.name for path in self.dir.glob("out.h5*")},
                         {"out.h5", "out.h5.logs"})

    def test_a_run_that_was_stopped_or_killed_is_gone_on_with_by_what_watch_prints(self):
        journal = self.dir / "out.h5.journal"
        for number in (signal.SIGUSR1, signal.SIGKILL):
            with self.subTest(number.name):
                process = self.held()
                process.send_signal(number)
                process.send_signal(signal.SIGCONT)
                status, _, err = finish(process)
                if number == signal.SIGUSR1:
                    self.assertEqual(status, STOPPED, err)
                    self.assertIn("stopped while finding nuclei", err)
                    self.assertFalse(self.status.exists())
                else:
                    self.status.unlink()  # that it was killed on another host makes no difference
                # A rank was lost, too; and a resume that fails loses nothing of all that.
                with open(journal, "ab") as file:
                    file.write(note(journal.read_bytes(), "warning",
                                    "rank 7 on there died while finding nuclei"))
                shutil.copy(journal, self.dir / "kept")
                flat = self.write("tiles/40x_99.tif", tiff(np.full((64, 64), 700)))
                failed = run(self.dir, *self.arguments, "--resume")
                self.assertEqual(failed.status, INPUT, failed)
                self.assertIn("40x_99.tif: no nuclei", failed.err)
                flat.unlink()
                seen = run(self.dir, "watch", "out.h5")
                self.assertEqual(seen.status, STOPPED, seen)
                self.assertIn("out.h5.journal: the run ended before its first trial; what",
                              seen.out)
                line = seen.out.partition("to continue: ")[2]
                self.assertTrue(line.endswith("--resume\n"), seen)
                on = subprocess.run(shlex.split(line), cwd=self.dir, env=environment(),
                                    capture_output=True, text=True, check=False, timeout=LIMIT_S)
                self.assertEqual(on.returncode, 0, on.stderr)
                self.assertIn("25 tiles, 25 from the cache", on.stderr)
                with h5py.File(self.dir / "out.h5") as h5:
                    self.assertIn("rank 7 on there died while finding nuclei\n",
                                  h5.attrs["warnings"] + "\n")
                self.assertFalse(journal.exists())
                # Without --resume nothing of an earlier run counts.
                shutil.copy(self.dir / "kept", journal)
                self.nucreg(*self.arguments, "--force")
                with h5py.File(self.dir / "out.h5") as h5:
                    self.assertNotIn("rank 7", h5.attrs.get("warnings", ""))
                for path in self.dir.glob("out.h5*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                shutil.rmtree(self.dir / "image-cache")

    def test_watch_sees_a_run_that_looks_into_images(self):
        process = self.held()
        self.assertRegex(self.nucreg("watch", "out.h5", "--once").out,
                         "images: finding nuclei for .* on 1 rank")
        process.send_signal(signal.SIGCONT)
        self.assertEqual(finish(process)[0], 0)
        self.assertFalse(self.status.exists())

    def test_one_that_fails_leaves_nothing(self):
        self.write("tiles/40x_99.tif", b"")
        self.refused(INPUT, self.arguments, "40x_99.tif")
        (self.dir / "tiles/40x_99.tif").unlink()
        self.assertFalse((self.dir / "out.h5.journal").exists())
        (self.dir / "out.h5.journal").mkdir()
        self.refused(OUTPUT, self.arguments, "out.h5.journal")


class AmongTheTrials(Images):
    def test_resume_after_a_kill_does_not_segment_again(self):
        self.synth()
        more = ["--set", "job.trials=250", "--set", "run.timing_repeats=300"]
        arguments = ["run", "job.toml", "-o", "out.h5", "--resume", *more]
        process = start(self.dir, *arguments)
        wait_for(lambda: size(self.dir / "out.h5.journal") > 50_000, "results in the journal")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        again = self.nucreg(*arguments, ranks=2)
        self.assertIn("3 tiles, 3 from the cache", again.err)
        self.assertRegex(again.err, r"trials are done already")
        self.nucreg("run", "job.toml", "-o", "whole.h5", *more, ranks=2)
        self.assert_same_images("out.h5", "whole.h5")
        # What is complete stays as it is.
        self.assertIn("nothing is left to do", self.nucreg(*arguments).err)
        self.assertEqual(self.images("-o", "out.h5").status, OUTPUT)


if __name__ == "__main__":
    unittest.main()
