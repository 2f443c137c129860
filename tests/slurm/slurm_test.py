"""The shipped scripts, submitted as they are to a Slurm that this test starts.

    slurm_test.py PROGRAM    # nucreg with the solver "sleep"

All jobs go on at the same time; each test waits for its own. Exit status 77 where there is no
Slurm, or no right to start one.
"""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import sys
import time
import unittest

import h5py

from cluster import Cluster, what_is_missing

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from made_well import MadeWell  # noqa: E402

PROGRAM = pathlib.Path(sys.argv.pop(1))
LIMIT_S = 140
# Two nodes for the jobs that no node dies under, six for the two that each lose one and move.
NODES = 8
CALM, DOOMED = "--exclude=node[3-8]", "--exclude=node[1-2]"
RANKS_OF_ONE_NODE = [CALM, "--ntasks=2"]
RANKS_OF_TWO_NODES = ["--nodes=2", "--ntasks-per-node=2"]


def job_text(name, trials):
    return f"""
[job]
name = "{name}"
trials = {trials}

[problem]
points = 20

[[solver]]
name = "sleep"
kind = "sleep"
seconds = 0.05

[run]
timing_repeats = 1
"""


class Checkout:
    """What a user has: the scripts, the program where they expect it, jobs, results."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.folder = cluster.folder / "checkout"
        (self.folder / "build/release").mkdir(parents=True)
        (self.folder / "build/release/nucreg").symlink_to(PROGRAM)
        shutil.copytree(ROOT / "slurm", self.folder / "slurm")

    def sbatch(self, options, script, *arguments):
        said = self.cluster.call("sbatch", "--parsable", *options, f"slurm/{script}.sbatch",
                                 *arguments, cwd=self.folder)
        return int(said)

    def write_job(self, name, trials):
        (self.folder / f"{name}.toml").write_text(job_text(name, trials), encoding="utf-8")
        return f"{name}.toml"

    def submit(self, script, name, options, trials):
        return self.sbatch(options, script, self.write_job(name, trials), "-o", f"{name}.h5")

    def text(self, number):
        return "".join(path.read_text(encoding="utf-8")
                       for path in self.folder.glob(f"nucreg*-{number}.out")) or "(no output)"

    def wait_for_state(self, number, *states, limit_s=LIMIT_S):
        end = time.monotonic() + limit_s
        while (job := self.cluster.job(number))["JobState"] not in states:
            failed = job["JobState"] in ("FAILED", "TIMEOUT", "NODE_FAIL", "COMPLETED")
            if failed or time.monotonic() > end:
                raise AssertionError(f"job {number} is {job}\n{self.text(number)}\n"
                                     f"{self.cluster.logs()}")
            time.sleep(0.2)
        return job

    def wait_until_durable(self, name, bytes_of_records=8000):
        """Until so much has come to the journal."""
        journal = self.folder / f"{name}.h5.journal"
        self.cluster.wait(f"records in {journal}", lambda: journal.exists() and
                          journal.stat().st_size > 24 + bytes_of_records)

    def wait_for_requeue(self, number):
        """And give it all the time that it may want then."""
        while self.cluster.job(number)["Restarts"] == "0":
            self.wait_for_state(number, "PENDING", "RUNNING", "COMPLETING", "CONFIGURING")
            time.sleep(0.2)
        self.cluster.call("scontrol", "update", f"JobId={number}", "TimeLimit=60")

    def complete(self, number, name, trials, resumed, first=0):
        """The job ended well; its result has all trials, and some from before where `resumed`."""
        job = self.wait_for_state(number, "COMPLETED")
        with h5py.File(self.folder / f"{name}.h5") as file:
            rows = list(zip(file["trials/configuration"], file["trials/trial"], strict=True))
            assert file.attrs["status"] == "complete", self.text(number)
            assert rows == [(0, first + trial) for trial in range(trials)], f"{len(rows)} rows"
            assert (file.attrs["trials_resumed"] > 0) == resumed, self.text(number)
            ranks = len(file["ranks/rank"])
        assert not (self.folder / f"{name}.h5.journal").exists()
        assert not list(self.folder.glob(f"*-{number}.status"))
        return job, ranks

    # ---- scenarios ----

    def one_node(self):
        number = self.submit("run-one-node", "one", RANKS_OF_ONE_NODE, 200)
        job, ranks = self.complete(number, "one", 200, resumed=False)
        assert (job["NumNodes"], ranks) == ("1", 2), job

    def many_nodes(self):
        number = self.submit("run-many-nodes", "many", [CALM, *RANKS_OF_TWO_NODES], 400)
        job, ranks = self.complete(number, "many", 400, resumed=False)
        assert (job["NumNodes"], ranks) == ("2", 4), job

    def time_limit(self):
        """A minute, less than the script's notice: the signal comes when Slurm first looks."""
        number = self.submit("run-one-node", "limit", [*RANKS_OF_ONE_NODE, "--time=1"], 1600)
        self.wait_for_requeue(number)
        job, _ = self.complete(number, "limit", 1600, resumed=True)
        text = self.text(number)
        assert "SIGUSR1" in text and "is partial" in text, text
        assert job["Restarts"] == "1", job

    def array(self):
        """Of two parts one runs into its limit, the one whose number is that of the array; the job
        that merges waits for both."""
        number = self.sbatch([*RANKS_OF_ONE_NODE, "--array=1-2", "--time=1"], "run-array",
                             "2", self.write_job("array", 3200))
        merge = self.sbatch([CALM, f"--dependency=afterany:{number}"], "merge", "results/array")
        parts = {f"{number}_{k}": self.wait_for_state(f"{number}_{k}", "RUNNING") for k in (1, 2)}
        limited = next(part for part, job in parts.items() if job["JobId"] == str(number))
        whole = next(part for part in parts if part != limited)
        self.cluster.call("scontrol", "update", f"JobId={whole}", "TimeLimit=60")
        self.wait_for_requeue(limited)
        for part in parts:
            k = int(part[-1])
            job, _ = self.complete(part, f"results/array.part-{k}-of-2", 1600, part == limited,
                                   first=(k - 1) * 1600)
            assert job["Restarts"] == str(int(part == limited)), job
        self.complete(merge, "results/array", 3200, resumed=True)
        assert "merged from 2 files" in self.text(merge), self.text(merge)

    def part_alone(self):
        """A part that is submitted again alone is the same part: the number of parts is in the
        command; a command without it is refused."""
        job = self.write_job("alone", 30)
        number = self.sbatch([*RANKS_OF_ONE_NODE, "--array=3"], "run-array", "5", job)
        self.wait_for_state(f"{number}_3", "COMPLETED")
        files = sorted(path.name for path in self.folder.glob("results/alone*.h5"))
        assert files == ["alone.part-3-of-5.h5"], files
        for arguments, words in (([job], "number of parts comes first"),
                                 (["2", job], "no part 3 of 2")):
            number = self.sbatch([*RANKS_OF_ONE_NODE, "--array=3"], "run-array", *arguments)
            self.wait_for_state(f"{number}_3", "FAILED")
            text = "".join(path.read_text(encoding="utf-8")
                           for path in self.folder.glob(f"nucreg*-{number}_3.out"))
            assert words in text, text

    def cancelled(self):
        number = self.submit("run-one-node", "cancelled", RANKS_OF_ONE_NODE, 400)
        self.wait_until_durable("cancelled")
        self.cluster.call("scancel", number)
        job = self.wait_for_state(number, "CANCELLED")
        assert job["Restarts"] == "0", job
        again = self.submit("run-one-node", "cancelled", RANKS_OF_ONE_NODE, 400)
        self.complete(again, "cancelled", 400, resumed=True)

    def lose_node(self, name, which):
        number = self.submit("run-many-nodes", name, [DOOMED, "--exclusive", *RANKS_OF_TWO_NODES],
                             1600)
        self.wait_until_durable(name)
        nodes = self.cluster.call("scontrol", "show", "hostnames",
                                  self.cluster.job(number)["NodeList"]).split()
        self.cluster.kill_node(nodes[which])
        job, ranks = self.complete(number, name, 1600, resumed=True)
        assert job["Restarts"] == "1" and ranks == 4, job
        assert nodes[which] not in job["NodeList"], job

    def rank_dies(self):
        """On another node than mpirun's: the run goes on, and the job ends with it."""
        number = self.submit("run-many-nodes", "rank", [CALM, *RANKS_OF_TWO_NODES], 600)
        self.wait_until_durable("rank")
        batch_host = self.cluster.job(number)["BatchHost"]
        other = [pid for pid, of in self.cluster.ranks(number).items() if of != batch_host]
        assert len(other) == 2, self.cluster.ranks(number)
        os.kill(other[0], signal.SIGKILL)
        job, ranks = self.complete(number, "rank", 600, resumed=False)
        assert job["Restarts"] == "0" and ranks == 4, job
        assert " died; its trials were run elsewhere" in self.text(number), self.text(number)

    def map_installed(self):
        """From a folder of data, by the scripts and the program that are installed."""
        prefix, data = self.cluster.folder / "prefix", self.cluster.folder / "data"
        (prefix / "bin").mkdir(parents=True)
        (prefix / "bin/nucreg").symlink_to(PROGRAM)
        shutil.copytree(ROOT / "slurm", prefix / "share/nucreg/slurm")
        data.mkdir()
        MadeWell(seed=12).write(data)
        number = int(self.cluster.call(
            "sbatch", "--parsable", *RANKS_OF_ONE_NODE,
            f"--export=ALL,PATH={prefix}/bin:{os.environ['PATH']}",
            str(prefix / "share/nucreg/slurm/map.sbatch"), "ten.csv", "forty.csv", "-o", "map.h5",
            cwd=data))
        self.wait_for_state(number, "COMPLETED")
        with h5py.File(data / "map.h5") as file:
            assert file.attrs["status"] == "complete" and len(file["pairs/ten"]) > 1000

    def first_node_dies(self):
        self.lose_node("first-dies", 0)

    def other_node_dies(self):
        self.lose_node("other-dies", 1)


SCENARIOS = ("time_limit", "array", "part_alone", "first_node_dies", "other_node_dies", "cancelled",
             "rank_dies", "one_node", "many_nodes", "map_installed")


class SlurmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cluster = Cluster(NODES)
        cls.addClassCleanup(cluster.stop)
        checkout = Checkout(cluster)
        pool = concurrent.futures.ThreadPoolExecutor(len(SCENARIOS))
        cls.addClassCleanup(pool.shutdown)
        cls.under_way = {name: pool.submit(getattr(checkout, name)) for name in SCENARIOS}

    def test_completes_on_one_node(self):
        self.under_way["one_node"].result()

    def test_completes_on_two_nodes(self):
        self.under_way["many_nodes"].result()

    def test_time_limit_requeues_and_resumes(self):
        self.under_way["time_limit"].result()

    def test_array_of_parts_is_merged(self):
        self.under_way["array"].result()

    def test_part_that_is_repeated_alone_is_the_same_part(self):
        self.under_way["part_alone"].result()

    def test_scancel_leaves_a_run_that_is_resumed(self):
        self.under_way["cancelled"].result()

    def test_rank_of_another_node_dies(self):
        self.under_way["rank_dies"].result()

    def test_a_well_is_mapped_from_a_folder_of_data(self):
        self.under_way["map_installed"].result()

    def test_first_node_dies(self):
        self.under_way["first_node_dies"].result()

    def test_other_node_dies(self):
        self.under_way["other_node_dies"].result()


if __name__ == "__main__":
    if reason := what_is_missing():
        print(f"skipped: no Slurm can be started here: {reason}")
        sys.exit(77)
    unittest.main(verbosity=2)
