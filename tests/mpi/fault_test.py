#!/usr/bin/env python3
"""Kills, stops and hangs ranks of fault_program under a real mpirun and looks at its journal.

    fault_test.py PROGRAM MPIEXEC [--transport shared|tcp] [--long] [--only NAME]

Each case must end by itself in bounded time, and after a resume where one is needed every task is
in the journal exactly once.
"""
import argparse
import concurrent.futures
import copy
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

from patience import Patience, family

RANKS = 4
TASKS = 400
SLEEP_MS = 10
# Limits count the time in which nobody waits for a processor. Longer than anything that is allowed
# to last: 5 s of silence, a lease of 3 s, start and end.
LIMIT_S = 40
LAUNCHER_LIMIT_S = 60  # of mpirun, once its ranks are gone
ROOT_DEATH_S = 10


FRAME_BYTES = 28

# However late a signal comes on a busy machine, the run is not over.
ROOT_IS_LAST = "slow=0:0"

# What starts the program instead of mpirun itself.
BELOW_A_SHELL = ["sh", "-c", '"$0" "$@"; exit $?']
# Each rank 3 s after the one before, as if one of many on a busy machine; it is not seen before,
# but for a moment, in which root does not look yet.
ONE_AFTER_ANOTHER = ["sh", "-c", """
r=$OMPI_COMM_WORLD_RANK
exec env -u OMPI_COMM_WORLD_RANK sh -c "sleep $((3 * r + 3))
  OMPI_COMM_WORLD_RANK=$r exec \"\$0\" \"\$@\"" "$0" "$@" """]

# The last rank is late, and meanwhile another is not seen for a second.
LATE_AND_HIDDEN = ["sh", "-c", """
r=$OMPI_COMM_WORLD_RANK
case $r in
  0) sleep 3; exec "$0" "$@" ;;
  1) sleep 11; unseen=1 ;;
  2) exec "$0" "$@" ;;
  3) unseen=15 ;;
esac
exec env -u OMPI_COMM_WORLD_RANK sh -c "sleep $unseen
  OMPI_COMM_WORLD_RANK=$r exec \"\$0\" \"\$@\"" "$0" "$@" """]


def journal_tasks(path):
    """Tasks of all frames; the layout is that of nucreg/run/journal.hpp."""
    data = path.read_bytes()
    at = 24 + struct.unpack_from("<I", data, 12)[0]
    magic = data[at:at + 4]
    tasks = []
    while at + FRAME_BYTES <= len(data):
        if data[at:at + 4] != magic:
            raise AssertionError(f"no frame at byte {at} of {len(data)}")
        length, task = struct.unpack_from("<IQ", data, at + 4)
        at += FRAME_BYTES + length
        if at <= len(data):
            tasks.append(task)
    return tasks


class Run:
    def __init__(self, setup, *options, tasks=TASKS, recovery=True, starter=()):
        self.journal = setup.journal
        command = [setup.mpiexec, "-n", str(RANKS), "--oversubscribe"]
        command += ["--enable-recovery"] if recovery else []
        command += ["--mca", "btl", "self,tcp"] if setup.transport == "tcp" else []
        command += [*starter, setup.program, str(setup.journal), str(tasks), str(SLEEP_MS)]
        command += options
        self.text = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=self.text, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL)

    def ranks(self):
        """Process of each rank, by its environment."""
        found = {}
        for folder in pathlib.Path("/proc").iterdir():
            try:
                if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) \
                        != self.process.pid:
                    continue
                pairs = (folder / "environ").read_bytes().split(b"\0")
            except (OSError, ValueError, IndexError):
                continue
            for pair in pairs:
                if pair.startswith(b"OMPI_COMM_WORLD_RANK="):
                    found[int(pair.split(b"=")[1])] = int(folder.name)
        return found

    def wait_until_working(self, frames=40):
        """Until so many results are durable; returns the ranks."""
        patience = Patience(LIMIT_S)
        while not self.journal.exists() or self.journal.stat().st_size < frames * 324:
            assert self.runs_within(patience), self.output()
            time.sleep(0.01)
        ranks = self.ranks()
        assert sorted(ranks) == list(range(RANKS)), ranks
        return ranks

    def runs_within(self, patience):
        return self.process.poll() is None and not patience.is_over(family(self.process.pid))

    def wait(self, limit):
        """Whether it ends within that limit."""
        patience = Patience(limit, family(self.process.pid))
        while self.runs_within(patience):
            time.sleep(0.1)
        return self.process.poll() is not None

    def end(self, limit=LIMIT_S):
        """Status and text once all is over: the ranks within that limit, mpirun when it can.

        Open MPI's mpirun may hang, in a mutex of its own, where a rank is killed as it starts; by
        then nothing of nucreg is there that could end it. Its status is -SIGKILL.
        """
        if not self.wait(limit):
            self.end_launcher(limit)
        return self.process.returncode, self.output()

    def end_launcher(self, limit):
        """On a busy machine mpirun may last longer than its ranks."""
        ranks = self.ranks()
        if not self.wait(0 if ranks else LAUNCHER_LIMIT_S):
            states = {r: pathlib.Path(f"/proc/{p}/stat").read_text().split()[2]
                      for r, p in ranks.items()}
            for pid in ranks.values():
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            if ranks:
                raise AssertionError(f"ranks {states} are there after {limit} s:\n{self.output()}")
            print(f"mpirun hung: killed after {LAUNCHER_LIMIT_S} s without ranks", flush=True)

    def output(self):
        self.text.seek(0)
        return self.text.read()


def check_complete(path, tasks=TASKS):
    found = sorted(journal_tasks(path))
    assert found == list(range(tasks)), \
        f"{len(found)} frames, {len(set(found))} different, expected {tasks}"


def check_done(run, lost=None, limit=LIMIT_S, tasks=TASKS):
    status, text = run.end(limit)
    assert status == 0, f"status {status}\n{text}"
    assert "stopped 0" in text, text
    check_complete(run.journal, tasks)
    if lost is not None:
        named = [line for line in text.splitlines() if line.startswith("lost rank")]
        assert sorted(int(line.split()[2]) for line in named) == lost, text
    return text


def check_resumes(setup, tasks=TASKS):
    check_done(Run(setup, "resume", tasks=tasks), tasks=tasks)


def gone(pids, limit):
    patience = Patience(limit, pids)
    while any(pathlib.Path(f"/proc/{pid}/exe").exists() for pid in pids):
        assert not patience.is_over(pids), f"ranks live {limit} s after the kill"
        time.sleep(0.05)


# ---- cases ----------------------------------------------------------------------------------

def nothing(setup):
    check_done(Run(setup), lost=[])


def wrapped(setup):
    """Each rank below a shell of its own that stays, as scripts, perf and time do."""
    run = Run(setup, tasks=4000, starter=BELOW_A_SHELL, recovery=False)
    check_done(run, lost=[], tasks=4000)


def slow_launch(setup):
    check_done(Run(setup, starter=ONE_AFTER_ANOTHER), lost=[])


def hidden_while_another_is_late(setup):
    """No news for long is no reason to miss at once who is not seen for a moment."""
    check_done(Run(setup, starter=LATE_AND_HIDDEN), lost=[])


def root_is_busy(setup):
    """Others do all but what root holds while it is in a task that is longer than all of theirs."""
    check_done(Run(setup, ROOT_IS_LAST), lost=[])
    order = journal_tasks(setup.journal)
    assert order.index(0) > TASKS - 50, f"task 0 came back as number {order.index(0)}"


def kill_one(setup):
    run = Run(setup, ROOT_IS_LAST)
    os.kill(run.wait_until_working()[2], signal.SIGKILL)
    check_done(run, lost=[2])


def root_lingers(setup):
    """Others leave while root writes its result; nothing takes that for the end of the job."""
    for recovery in (True, False):
        setup.journal.unlink(missing_ok=True)
        run = Run(setup, "linger=8", recovery=recovery)
        ranks = run.wait_until_working()
        gone([ranks[r] for r in range(1, RANKS)], 7)
        assert "PMIX" not in check_done(run, lost=[])


def kill_all_others(setup):
    run = Run(setup, ROOT_IS_LAST)
    ranks = run.wait_until_working()
    for rank in range(1, RANKS):
        os.kill(ranks[rank], signal.SIGKILL)
    check_done(run, lost=[1, 2, 3])


def stop_one(setup):
    """It never goes on: the run must still end, mpirun included."""
    run = Run(setup, ROOT_IS_LAST)
    os.kill(run.wait_until_working()[1], signal.SIGSTOP)
    check_done(run, lost=[1])


def stop_one_as_it_leaves(setup):
    """It has said its last word, so that nobody misses it but mpirun."""
    check_done(Run(setup, "stop-at-end=2"), lost=[])


def stop_one_shortly(setup):
    run = Run(setup)
    pid = run.wait_until_working()[1]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(pid, signal.SIGCONT)
    check_done(run, lost=[])


def come_back_late(setup):
    """Lost, its tasks go to others, then it brings its own results all the same."""
    run = Run(setup, tasks=4000)
    pid = run.wait_until_working()[3]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(7)
    os.kill(pid, signal.SIGCONT)
    check_done(run, lost=[3], tasks=4000)


def hang_once(setup):
    text = check_done(Run(setup, "lease=3", "hang=first:150"))
    assert "abandoned 0" in text and text.count("task 150") == 1, text


def hang_everywhere(setup):
    text = check_done(Run(setup, "lease=2", "hang=all:150"))
    assert "abandoned 1" in text, text
    assert text.count("task 150") == 2, text


def hang_without_recovery(setup):
    """No process ends, so mpirun has no reason to end the others, nor to complain at the end."""
    check_done(Run(setup, "lease=2", "hang=all:150", recovery=False))


def die_everywhere_else(setup):
    """A task that ends whoever has it costs ranks, and root is spared while it has company."""
    text = check_done(Run(setup, "die=others:150"), lost=[1, 2, 3])
    assert "abandoned 0" in text, text


def kill_root(setup):
    run = Run(setup)
    ranks = run.wait_until_working()
    os.kill(ranks[0], signal.SIGKILL)
    run.end(ROOT_DEATH_S)
    gone(ranks.values(), 1)
    check_resumes(setup)


def stop_root(setup):
    """The others leave; root goes on alone when it may."""
    run = Run(setup)
    ranks = run.wait_until_working()
    os.kill(ranks[0], signal.SIGSTOP)
    gone([ranks[r] for r in range(1, RANKS)], ROOT_DEATH_S)
    os.kill(ranks[0], signal.SIGCONT)
    check_done(run, lost=[1, 2, 3])


def kill_mpirun(setup):
    run = Run(setup)
    ranks = run.wait_until_working()
    run.process.kill()
    gone(ranks.values(), ROOT_DEATH_S)
    check_resumes(setup)


def stop_mpirun(setup):
    """MPI does not end without it; the ranks do."""
    run = Run(setup)
    ranks = run.wait_until_working()
    run.process.send_signal(signal.SIGSTOP)
    try:
        gone(ranks.values(), LIMIT_S)
    finally:
        for pid in run.ranks().values():
            os.kill(pid, signal.SIGKILL)
        run.process.kill()
    check_complete(run.journal)


def kill_everything(setup):
    run = Run(setup)
    ranks = run.wait_until_working()
    for pid in [run.process.pid, *ranks.values()]:
        os.kill(pid, signal.SIGKILL)
    run.end()
    check_resumes(setup)


def kill_one_without_recovery(setup):
    run = Run(setup, recovery=False)
    ranks = run.wait_until_working()
    os.kill(ranks[2], signal.SIGKILL)
    status, text = run.end(ROOT_DEATH_S)
    assert status != 0, text
    check_resumes(setup)


def stop_politely(setup):
    tasks = 4 * TASKS
    run = Run(setup, tasks=tasks)
    os.kill(run.wait_until_working()[0], signal.SIGTERM)
    status, text = run.end()
    assert "stopped 1" in text, text
    before = journal_tasks(setup.journal)
    assert len(set(before)) == len(before) and len(before) < tasks
    check_resumes(setup, tasks)


def stop_with_one_hanging(setup):
    run = Run(setup, "grace=1", "hang=2:20")
    os.kill(run.wait_until_working()[0], signal.SIGTERM)
    status, text = run.end(ROOT_DEATH_S)
    assert "stopped 1" in text, text
    check_resumes(setup)


def kill_as_it_starts(setup, rank, delay_s, limit, number=signal.SIGKILL):
    run = Run(setup)
    while rank not in (ranks := run.ranks()):
        assert run.process.poll() is None, run.output()
        time.sleep(0.001)
    time.sleep(delay_s)
    os.kill(ranks[rank], number)
    run.end(limit)
    if setup.journal.exists():
        check_resumes(setup)
    else:
        check_done(Run(setup))


def kill_root_at_start(setup):
    """The others are in MPI_Init then, and nobody ever speaks to them."""
    kill_as_it_starts(setup, 0, 0.0, ROOT_DEATH_S)


def kill_at_start(setup):
    """Before any rank has a task; root may not even have begun."""
    kill_as_it_starts(setup, 0, random.uniform(0, 0.4), ROOT_DEATH_S)
    setup.journal.unlink(missing_ok=True)
    # MPI itself may wait for a rank that died as it started.
    kill_as_it_starts(setup, 1, random.uniform(0, 0.4), LIMIT_S)


def stop_at_start(setup):
    """For ever, where MPI starts: the others and the launcher wait for it."""
    kill_as_it_starts(setup, 3, 0.0, 90, signal.SIGSTOP)


SHORT = [wrapped, slow_launch, hidden_while_another_is_late, root_is_busy, kill_one, stop_one,
         stop_one_as_it_leaves, hang_everywhere, kill_root, kill_root_at_start, kill_mpirun,
         stop_politely]
LONG = [nothing, root_lingers, kill_all_others, stop_one_shortly, come_back_late, hang_once,
        die_everywhere_else, stop_root, stop_mpirun, kill_everything, kill_one_without_recovery,
        stop_with_one_hanging, hang_without_recovery]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("mpiexec")
    parser.add_argument("--transport", choices=["shared", "tcp"], default="shared")
    parser.add_argument("--only", action="append")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    cases = SHORT + (LONG if arguments.long else [])
    if arguments.only:
        cases = [case for case in SHORT + LONG + [kill_at_start, stop_at_start]
                 if case.__name__ in arguments.only]
    if not cases:
        sys.exit("no such case")

    def passes(case):
        with tempfile.TemporaryDirectory() as folder:
            setup = copy.copy(arguments)
            setup.journal = pathlib.Path(folder) / "journal"
            start = time.monotonic()
            try:
                case(setup)
                verdict = "ok"
            except Exception as error:  # of any kind: the others still run, and this one is named
                verdict = f"FAILED: {type(error).__name__}: {error}"
            print(f"{case.__name__:28} {time.monotonic() - start:5.1f} s  {verdict}", flush=True)
            return verdict == "ok"

    # Most of each case is silence that it waits for.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sys.exit(0 if all(list(pool.map(passes, cases))) else 1)


if __name__ == "__main__":
    main()
