"""Runs of solves that do nothing or sleep."""

import h5py
import numpy as np

import bench

JOB = """
[job]
name = "empty"
trials = 1000

[problem]
points = 4
min_distance_px = 0.0
noise_px = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

[fit]
loss = ["huber"]

[[solver]]
name = "nothing"
kind = "sleep"

[run]
timing_repeats = 1
"""


def sleep_run(folder, ranks, length_s, run_s):
    """Seconds in solves, seconds from the first trial to the last, median length of a solve."""
    sleep = 'kind = "sleep"'
    job = JOB.replace(sleep, f"{sleep}\nseconds = {length_s}")
    (folder / "job.toml").write_text(job, encoding="utf-8")
    trials = max(1, round(run_s * ranks / length_s / 10))
    bench.timed(["mpirun", "--oversubscribe", "-n", str(ranks),
                 str(bench.BUILD / "tests/mpi/nucreg_sleeping"), "run", str(folder / "job.toml"),
                 "-o", str(folder / "out.h5"), "--force", "--set", f"job.trials={trials}"],
                folder)
    with h5py.File(folder / "out.h5") as file:
        wall = file["trials/wall_s"][:]
        elapsed = file["ranks/busy_s"][:] + file["ranks/wait_s"][:]
    return float(wall.sum()), float(elapsed.max()), float(np.median(wall))
