"""How long processes had to do what is waited for: a busy machine is not taken for a hang."""

import pathlib
import time

# Of the time that has passed at least this part counts, however busy the machine is.
LEAST_PART = 0.2


def _of_threads(pid, name):
    """What that file says of each of its threads; of those that end meanwhile, nothing."""
    texts = []
    try:
        for file in pathlib.Path(f"/proc/{pid}/task").glob(f"*/{name}"):
            try:
                texts.append(file.read_text())
            except OSError:
                pass
    except OSError:
        pass
    return texts


def family(pid):
    """That process and all below it."""
    found = [pid]
    for task in _of_threads(pid, "children"):
        found += [one for child in task.split() for one in family(int(child))]
    return found


def _kept_waiting_s(pid):
    """Of its threads, the one that was kept waiting for a processor the longest."""
    waits_ns = [int(words[1]) for text in _of_threads(pid, "schedstat")
                if len(words := text.split()) > 1]
    return 1e-9 * max(waits_ns, default=0)


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
