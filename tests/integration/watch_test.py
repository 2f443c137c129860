"""`nucreg watch`: a run seen from its files alone, alive, dead, ended or never begun."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from interrupted import JOURNAL_BYTES, children, finish, size, start, wait_for, with_trials
from nucreg_case import (DONE, INPUT, LEAST_JOB, LIMIT_S, STOPPED, NucregCase,
                         command_line, environment, run)

LONGER = with_trials(100_000)


class Watch(NucregCase):
    def setUp(self):
        super().setUp()
        self.write("job.toml", LONGER)
        self.status = self.dir / "out.h5.status"

    def begin(self, *more, ranks=0, **variables):
        process = start(self.dir, "run", "job.toml", "-o", "out.h5", *more, ranks=ranks,
                        **variables)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for(lambda: size(self.dir / "out.h5.journal") > JOURNAL_BYTES, "results")
        wait_for(lambda: self.status.exists() and " starting " not in self.status.read_text()
                 and "done 0\n" not in self.status.read_text(), "news of all ranks")
        return process

    def watch(self, *more):
        return run(self.dir, "watch", "out.h5", *more)

    def test_a_run_in_progress(self):
        self.begin(ranks=2)
        outcome = self.watch()
        self.assertEqual(outcome.status, DONE, outcome)
        self.assertEqual(outcome.err, "")
        self.assertNotIn("\x1b", outcome.out)
        self.assertRegex(outcome.out, r"long: running for .* on 2 ranks\n")
        self.assertRegex(outcome.out, r" % +[\d,]+ of 200,000 trials, 0 failed solves\n")
        self.assertRegex(outcome.out, r"solves/s, .* left\n")
        for rank in (0, 1):
            self.assertRegex(outcome.out, rf"(?m)^ +{rank} (configuration \d trial \d+|waits) .*"
                             r" \d+ +\d+ +[\d.]+ MiB +[\d,]+  \S+$")
        first = self.status.read_text()
        wait_for(lambda: self.status.exists() and self.status.read_text() != first, "a heartbeat")

    def test_watching_leaves_no_trace(self):
        process = self.begin()
        process.send_signal(signal.SIGSTOP)
        self.addCleanup(process.send_signal, signal.SIGCONT)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        before = self.content()
        self.assertIn(self.watch("--once").status, (DONE, STOPPED))
        self.assertEqual(before, self.content())

    def test_a_run_whose_root_was_killed(self):
        process = self.begin(ranks=2, OMPI_MCA_orte_enable_recovery="1")
        os.kill(children(process)[0], signal.SIGKILL)
        _, _, err = finish(process)
        self.assertRegex(err, r"rank 0 is not heard any more; nucreg watch /\S+/out.h5 shows how")
        outcome = self.watch()
        self.assertEqual(outcome.status, STOPPED, outcome)
        self.assertRegex(outcome.out, r"the run is dead: rank 0 \(pid \d+ on ")
        self.assertRegex(outcome.out, r"[\d,]+ of the 200,000 trials of the job are safe in ")
        self.assertIn("run job.toml -o out.h5 --resume\n", outcome.out)
        self.assertIn(" -n 2 ", outcome.out)
        # The same without the word of the run.
        self.status.unlink()
        outcome = self.watch()
        self.assertEqual(outcome.status, STOPPED, outcome)
        self.assertRegex(outcome.out, r"[\d,]+ of the 200,000 trials of the job are safe in ")

    def test_a_part_that_was_killed_or_stopped(self):
        for number, left in ((signal.SIGKILL, "are safe in"), (signal.SIGUSR1, "are done")):
            process = self.begin("--part", "2/4", "--force")
            process.send_signal(number)
            process.communicate()
            self.status.unlink(missing_ok=True)  # all that is known is in the journal or the file
            outcome = self.watch()
            self.assertEqual(outcome.status, STOPPED, outcome)
            self.assertRegex(outcome.out, rf"of( the)? 50,000 trials (of part 2/4 )?{left}")
            self.assertRegex(outcome.out, r"to continue: \S+nucreg run job.toml -o out.h5 .*"
                                          r"--part 2/4 --resume\n")

    def test_a_run_of_another_host_that_fell_silent(self):
        process = self.begin()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        text = re.sub(r"(?m)^rank \S+", "rank elsewhere", self.status.read_text())
        self.write("out.h5.status", text)
        self.assertEqual(self.watch().status, DONE, "it may live: only seconds have passed")
        self.write("out.h5.status", re.sub(r"written_s .*", "written_s 1000000000.0", text))
        outcome = self.watch()
        self.assertEqual(outcome.status, STOPPED, outcome)
        self.assertIn("on elsewhere) has not been heard for", outcome.out)

    def test_a_run_that_was_stopped(self):
        process = self.begin()
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(finish(process)[0], STOPPED)
        self.assertFalse(self.status.exists())
        outcome = self.watch()
        self.assertEqual(outcome.status, STOPPED, outcome)
        self.assertRegex(outcome.out,
                         r"out.h5: partial: [\d,]+ of 200,000 trials are done; nothing")
        self.assertIn("--resume\n", outcome.out)

    def test_a_run_that_is_complete(self):
        self.run_job(LEAST_JOB)
        self.assertFalse(self.status.exists())
        outcome = self.nucreg("watch", "out.h5")
        self.assertEqual(outcome.out,
                         "out.h5: complete: 1 of 1 trials are done; nothing is running\n")

    def test_nothing_and_what_is_not_ours(self):
        self.refused(INPUT, ["watch", "out.h5"], "out.h5", "no run of it")
        self.write("text.h5", "text")
        self.refused(INPUT, ["watch", "text.h5"], "text.h5")
        for text in ("", "something else\n", "nucreg-status 1\njob x\nend\n"):
            self.write("out.h5.status", text)
            self.refused(INPUT, ["watch", "out.h5"], "out.h5.status")
        self.write("out.h5.status", "nucreg-status 1\njob x\n")
        self.refused(INPUT, ["watch", "out.h5"], "cut off")

    def test_a_status_that_cannot_be_written_disturbs_no_run(self):
        self.status.mkdir()
        self.write("job.toml", LEAST_JOB)
        outcome = self.nucreg("run", "job.toml", "-o", "out.h5")
        self.assertEqual(outcome.err.count("does not see this run"), 1, outcome)

    def on_terminal(self, keys, columns=50, term="xterm"):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, columns, 0, 0))
        before = termios.tcgetattr(slave)
        process = subprocess.Popen(command_line(["watch", "out.h5"]), cwd=self.dir,
                                   env=environment(TERM=term), stdin=slave, stdout=slave,
                                   stderr=slave, start_new_session=True)
        self.addCleanup(process.kill)
        shown, end, sent = b"", time.monotonic() + LIMIT_S, False
        while time.monotonic() < end and process.poll() is None:
            if select.select([master], [], [], 0.1)[0]:
                shown += os.read(master, 65536)
            if keys and not sent and shown.count(b"running for") > 1:
                sent = True
                process.send_signal(keys) if isinstance(keys, int) else os.write(master, keys)
        while select.select([master], [], [], 0.1)[0]:
            shown += os.read(master, 65536)
        self.assertIsNotNone(process.poll(), shown)
        self.assertEqual(termios.tcgetattr(slave), before, "the terminal is left as it was")
        os.close(slave)
        return process.returncode, shown.decode()

    def test_live_until_a_key_or_a_signal(self):
        run_in_progress = self.begin()
        for keys in (b"q", signal.SIGINT, signal.SIGTERM):
            with self.subTest(keys):
                status, shown = self.on_terminal(keys)
                self.assertEqual(status, DONE, shown)
                self.assertRegex(shown, r"\x1b\[\d+A\r\x1b\[J")
                for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[\d*[A-Z]", "", shown)):
                    self.assertLessEqual(len(line), 50, repr(line))
        self.assertIsNone(run_in_progress.poll(), "the run goes on")

    def test_a_terminal_that_cannot_redraw_gets_one_block(self):
        self.begin()
        status, shown = self.on_terminal(None, term="dumb")
        self.assertEqual(status, DONE, shown)
        self.assertEqual(shown.count("running for"), 1, shown)
        self.assertNotIn("\x1b", shown)

    def test_live_until_the_run_ends(self):
        self.write("job.toml", with_trials(1000))
        self.begin()
        status, shown = self.on_terminal(None)
        self.assertEqual(status, DONE, shown)
        self.assertIn("complete: 2,000 of 2,000 trials are done", shown)


if __name__ == "__main__":
    unittest.main()
