"""A job that lasts long enough to be interrupted, and the means to do so."""

import pathlib
import signal
import subprocess
import time

from nucreg_case import LIMIT_S, command_line, environment

TRIALS = 1000  # some seconds, of which the journal shows the first half after half a second
JOB = f"""
[job]
name = "long"
trials = {TRIALS // 2}

[problem]
points = [40, 60]
noise_px = 1.0

[[solver]]
name = "L-BFGS"
kind = "nlopt"

[[solver]]
name = "LM"
kind = "lm"
"""
# With this much in its journal a run has begun and is far from done.
JOURNAL_BYTES = 60_000


def with_trials(trials):
    """JOB, shorter or longer."""
    return JOB.replace(f"trials = {TRIALS // 2}", f"trials = {trials}")


def start(folder, *arguments, ranks=0, **variables):
    return subprocess.Popen(command_line(arguments, ranks), cwd=folder,
                            env=environment(**variables), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)


def wait_for(condition, what):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.01)


def finish(process):
    """Waits for the end; exit status, standard output and standard error."""
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"hangs\n{out.decode()}\n{err.decode()}") from None
    return process.returncode, out.decode(), err.decode()


def children(process):
    """The ranks under an mpirun, in the order in which they were started."""
    task = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in task.read_text().split()]


def listening(process, ranks, number):
    """Whether nucreg catches that signal, on all its ranks; before, the signal ends it."""
    pids = children(process) if ranks else [process.pid]
    return len(pids) == max(ranks, 1) and all(_catches(pid, number) for pid in pids)


def _catches(pid, number):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return lines["Name"] == "nucreg" and bool(int(lines["SigCgt"], 16) >> (number - 1) & 1)


def size(path):
    return path.stat().st_size if path.exists() else 0
