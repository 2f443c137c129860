#!/usr/bin/env python3
"""The job of tools/bench/python_benchmark.toml with SciPy in a pool of processes.

The two optimizers as the Python benchmark calls them: L-BFGS-B on the sum of squares in pixels
and least_squares(method="lm") on the residuals, both with SciPy's finite differences and its
default tolerances, at most 100 iterations (L-BFGS-B) and 100 evaluations (lm). Six-parameter
affine, start scale 4, rest 0. The tracer of allocations that the Python benchmark keeps running
is left out. Points are uniform in the field: no minimum distance is kept, which is work that
nucreg does and this script does not.

Writes one CSV row per fit and prints the seconds that its own imports took.
"""

import os

# Before NumPy is imported: one thread for each worker, not all cores for each.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import time

begin = time.perf_counter()
import argparse
import csv
import math
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
from scipy.optimize import least_squares, minimize

import_seconds = time.perf_counter() - begin

POINTS = (100, 500, 1000, 2000)
NOISE_PX = (0.0, 1.0, 2.0, 5.0, 10.0)
FIELD_PX = 1024.0
START = np.array([4.0, 0.0, 0.0, 0.0, 4.0, 0.0])
ANGLE = math.radians(5.0)
TRUE = np.array([
    4 * math.cos(ANGLE), -4 * math.sin(ANGLE), 120.0,
    4 * math.sin(ANGLE), 4 * math.cos(ANGLE), 160.0,
])  # fmt: skip
COLUMNS = "points noise_px trial solver rmsd_px param_error wall_s evaluations success".split()


def apply(params, x):
    """Maps points (n x 2) by an affine map, column by column as the Python benchmark does."""
    a, b, tx, c, d, ty = params
    mapped = np.zeros_like(x)
    mapped[:, 0] = a * x[:, 0] + b * x[:, 1] + tx
    mapped[:, 1] = c * x[:, 0] + d * x[:, 1] + ty
    return mapped


def make_pairs(points, noise_px, trial):
    """A trial of its own random stream: the same in any order and on any number of workers."""
    random = np.random.default_rng([1, points, int(noise_px), trial])
    x = random.uniform(0.0, FIELD_PX, (points, 2))
    return x, apply(TRUE, x) + random.normal(0.0, noise_px, (points, 2))


def by_lbfgsb(x, y):
    def sum_of_squares(params):
        return np.sum((apply(params, x) - y) ** 2)

    return minimize(sum_of_squares, START, method="L-BFGS-B", options={"maxiter": 100})


def by_lm(x, y):
    def residuals(params):
        return (apply(params, x) - y).flatten()

    return least_squares(residuals, START, method="lm", max_nfev=100)


SOLVERS = {"L-BFGS-B": by_lbfgsb, "LM": by_lm}


def run_trial(task):
    points, noise_px, trial = task
    x, y = make_pairs(points, noise_px, trial)
    rows = []
    for name, solve in SOLVERS.items():
        start = time.perf_counter()
        result = solve(x, y)
        seconds = time.perf_counter() - start
        rmsd = math.sqrt(np.mean(np.sum((apply(result.x, x) - y) ** 2, axis=1)))
        error = float(np.linalg.norm(result.x - TRUE))
        rows.append([*task, name, rmsd, error, seconds, result.nfev, result.success])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200, help="per configuration")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--to", required=True, help="CSV file to write")
    options = parser.parse_args()

    tasks = list(product(POINTS, NOISE_PX, range(options.trials)))
    chunk = max(1, len(tasks) // (options.workers * 50))
    with (
        open(options.to, "w", newline="", encoding="utf-8") as file,
        ProcessPoolExecutor(options.workers) as pool,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for rows in pool.map(run_trial, tasks, chunksize=chunk):
            writer.writerows(rows)
    print(f"import_seconds {import_seconds:.3f}")


if __name__ == "__main__":
    main()
