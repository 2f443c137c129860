"""What a user sees on a terminal: a bar that fits it and keeps out of the way of messages."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest

from interrupted import JOB as LONG_JOB
from interrupted import JOURNAL_BYTES, TRIALS, size
from label_tiff import label_tiff
from nucreg_case import (DONE, INPUT, LEAST_JOB, LIMIT_S, STOPPED, NucregCase, command_line,
                         environment)

JOB = LEAST_JOB.replace("[problem]", "trials = 24\n\n[problem]")


class Terminal(NucregCase):
    def shown(self, arguments, ranks=0, columns=80, status=DONE, interrupt_when=None, **variables):
        """What appears on a terminal to which both channels lead."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(command_line(arguments, ranks), cwd=self.dir, stdin=slave,
                                   env=environment(**{"TERM": "xterm", **variables}),
                                   stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        shown, end = b"", time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            if interrupt_when and interrupt_when():
                process.send_signal(signal.SIGINT)
                interrupt_when = None
            if select.select([master], [], [], 0.1)[0]:
                try:
                    shown += os.read(master, 65536)
                except OSError:  # the last process that held the terminal has left
                    break
            elif process.poll() is not None:
                break
        self.assertEqual(process.wait(timeout=LIMIT_S), status, shown)
        return shown.decode().replace("\r\n", "\n")

    def bars(self, shown):
        return re.findall(r"\r([^\r\n]*solves/s[^\r\n]*?)\x1b\[K", shown)

    def test_progress_bar(self):
        self.write("job.toml", JOB)
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                shown = self.shown(["run", "job.toml", "-o", f"{ranks}.h5"], ranks)
                self.assertRegex(self.bars(shown)[-1],
                                 r"^\[#{8,24}\] 100\.0 %  24 of 24 trials  took .* solves/s$")
                self.assertIn(f"result  {ranks}.h5", shown)

    def test_no_bar_wraps(self):
        self.write("job.toml", JOB)
        for ranks, columns in ((0, 80), (0, 60), (2, 40), (0, 20), (0, 1)):
            with self.subTest(columns=columns):
                shown = self.shown(["run", "job.toml", "-o", f"{columns}.h5"], ranks, columns)
                drawn = re.findall(r"\r([^\r\n]*)\x1b\[K\n", shown)
                self.assertTrue(drawn, shown)
                for line in drawn:
                    self.assertLess(len(line), columns, line)
                if columns >= 40:
                    self.assertIn("24 of 24 trials  took", drawn[-1])

    def test_a_terminal_that_cannot_redraw_gets_lines(self):
        self.write("job.toml", JOB)
        shown = self.shown(["run", "job.toml", "-o", "out.h5"], TERM="dumb")
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\r", shown)
        self.assertIn("100.0 %  24 of 24 trials", shown)

    def test_no_colour_where_none_is_wanted(self):
        self.write("job.toml", JOB)
        colour = "\x1b[3"
        self.assertIn(colour, self.shown(["run", "job.toml", "-o", "a.h5"]))
        self.assertNotIn(colour, self.shown(["run", "job.toml", "-o", "b.h5"], NO_COLOR="1"))
        self.assertIn(colour, self.shown(["run", "job.toml", "-o", "c.h5"], NO_COLOR=""))

    def test_messages_take_the_place_of_the_bar(self):
        self.write("job.toml", LONG_JOB)
        journal = self.dir / "out.h5.journal"
        shown = self.shown(["run", "job.toml", "-o", "out.h5"], status=STOPPED,
                           interrupt_when=lambda: size(journal) > JOURNAL_BYTES)
        self.assertTrue(self.bars(shown), shown)
        messages = re.findall(r"([^\n]*)nucreg: (SIGINT: trials in progress|[\d,]+ of "
                              rf"{TRIALS:,} trials are)", shown)
        self.assertEqual(len(messages), 2, shown)
        for before, _ in messages:
            self.assertTrue(before.endswith("\r\x1b[K") or before == "", repr(before))
        # The last lines tell what to type next.
        self.assertRegex(shown, r"\nnext    .*nucreg run job.toml -o out.h5 --resume\n"
                                r" +nucreg inspect out.h5\n")

    def test_segment_ends_its_bar_before_it_prints_anything(self):
        self.nucreg("synth", "--to", "a", "--field", 200, "--nuclei", 60, "--forty", 0)
        self.write("flat.tif", label_tiff([[7] * 40] * 30))
        shown = self.shown(["segment", "a/10x_0.tif", "flat.tif", "--to", "out"], status=INPUT)
        self.assertRegex(shown, r"\r\[#{8,24}\] finding nuclei: 2 of 2 images, took "
                                r"[^\n]*\x1b\[K\n")
        self.assertRegex(shown, r"(\n|\x1b\[K) +nuclei diameter_px +table\n")
        self.assertRegex(shown, r"\n(\r\x1b\[K)?nucreg: \S*flat.tif: no nuclei[^\n]*\n$")

    def test_a_stop_while_looking_into_images_is_reported_on_lines_of_its_own(self):
        self.nucreg("synth", "--to", "tiles", "--field", 300, "--nuclei", 200, "--tile", 500,
                    "--forty", 1)
        tile = (self.dir / "tiles/40x_0.tif").read_bytes()
        for number in range(1, 30):  # of other content each, so that none is in the cache
            self.write(f"tiles/40x_{number}.tif", tile + bytes([number]))
        self.write("job.toml", LEAST_JOB.replace(
            "points = 30", 'source = "images"\nimages.ten = "tiles/10x_*"\n'
            'images.forty = "tiles/40x_*"'))
        cache = self.dir / "image-cache"
        for arguments, tasks, end in (
                (["run", "job.toml", "-o", "out.h5"], "tiles",
                 "stopped while finding nuclei, with"),
                (["segment", *sorted(self.dir.glob("tiles/40x_*")), "--to", cache], "images",
                 "[0-9]+ of 30 images are done")):
            with self.subTest(tasks):
                shown = self.shown(arguments, status=STOPPED,
                                   interrupt_when=lambda: len(list(cache.glob("*"))) > 1)
                for message in (f"SIGINT: {tasks} in progress have", "to continue: .*--resume",
                                end):
                    self.assertRegex(shown, rf"(?m)(^|\r\x1b\[K)nucreg: {message}")
                self.assertRegex(shown, rf"finding nuclei: [0-9]+ of [0-9]+ {tasks}, ")
                shutil.rmtree(cache)

    def test_no_bar_when_only_the_results_are_on_a_terminal(self):
        self.write("job.toml", JOB)
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        with open(self.dir / "err", "wb") as err:
            subprocess.run(command_line(["run", "job.toml", "-o", "out.h5"]), cwd=self.dir,
                           env=environment(TERM="xterm"), stdin=subprocess.DEVNULL, stdout=slave,
                           stderr=err, timeout=LIMIT_S, check=True)
        os.close(slave)
        text = (self.dir / "err").read_text()
        self.assertNotIn("\r", text)
        self.assertNotIn("\x1b", text)


if __name__ == "__main__":
    unittest.main()
