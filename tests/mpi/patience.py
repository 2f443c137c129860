"""How long processes had to do what is waited for: a busy machine is not taken for a hang."""

import pathlib
import time

# Of the time that has passed at least this part counts, however busy the machine is.
LEAST_PART = 0.2


def family(pid):
    """That process and all below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [one for child in task.read_text().split() for one in family(int(child))]
        except OSError:  # it is over
            pass
    return found


def _kept_waiting_s(pid):
    """Of its threads, the one that was kept waiting for a processor the longest."""
    waited_ns = 0
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            waited_ns = max(waited_ns, int(task.read_text().split()[1]))
        except (OSError, IndexError):  # it is over
            pass
    return 1e-9 * waited_ns


class Patience:
    """A limit on the time since its construction in which nobody is kept waiting."""

    def __init__(self, limit_s, pids=()):
        self.limit_s = limit_s
        self.begin = time.monotonic()
        self.before = {pid: _kept_waiting_s(pid) for pid in pids}
        self.waited = {}

    def is_over(self, pids):
        """Each of the processes waits for the others, so that their waiting adds up."""
        passed = time.monotonic() - self.begin
        if passed <= self.limit_s:
            return False
        for pid in pids:
            now = _kept_waiting_s(pid) - self.before.get(pid, 0.0)
            self.waited[pid] = max(now, self.waited.get(pid, 0.0))
        return max(passed - sum(self.waited.values()), LEAST_PART * passed) > self.limit_s
