"""Every solver on the same points, in turn round after round: bench_solvers and scipy_solvers.py,
each a process on the same processor that fits when it is asked."""

import math
import os
import subprocess
import sys

import numpy as np

import bench

FIELD_PX, NOISE_PX = 1024.0, 2.0
NAMES = {  # as the processes name them, and what reports call them
    "lm": "nucreg lm",
    "lm moments": "nucreg lm, moments",
    "L-BFGS": "nucreg L-BFGS (NLopt)",
    "L-BFGS moments": "nucreg L-BFGS, moments",
    "eigen-lm": "Eigen LM",
    "ceres qr": "Ceres, DENSE_QR",
    "ceres cholesky": "Ceres, normal Cholesky",
    "ceres cholesky undamped": "Ceres, normal Cholesky, first step undamped",
    "gsl qr": "GSL multifit, QR",
    "gsl cholesky": "GSL multifit, Cholesky",
    "scipy lm": "SciPy lm (MINPACK)",
    "scipy lm numerical": "SciPy lm, numerical Jacobian",
    "scipy L-BFGS-B": "SciPy L-BFGS-B",
    "scipy L-BFGS-B numerical": "SciPy L-BFGS-B, numerical gradient",
}
SECONDS = 0.02  # of each fit in each round, at least one
EQUAL = 1e-9  # objectives, relative: one optimum
MOST_POINTS = {"gsl qr": 100_000}  # seven times Ceres; minutes beyond


def make_pairs(count):
    """Pairs as nucreg gives them to its solvers: centred, scaled by powers of two."""
    random = np.random.default_rng([1, count])
    side = FIELD_PX * math.sqrt(max(1.0, count / 2000))
    x10 = random.uniform(0.0, side, (count, 2))
    angle = math.radians(5.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    x40 = 4.0 * x10 @ turn.T + [120.0, 160.0] + random.normal(0.0, NOISE_PX, (count, 2))
    x10 -= np.round(x10.mean(axis=0))
    x40 -= np.round(x40.mean(axis=0))
    scale = 2.0 ** round(math.log2(math.sqrt(np.mean(x10 * x10))))
    return np.hstack([x10 / scale, x40 / (4.0 * scale)])


def objective(pairs, params):
    params = np.reshape(params, (2, 3))
    return float(np.sum((pairs[:, :2] @ params[:, :2].T + params[:, 2] - pairs[:, 2:]) ** 2))


def min_objective(pairs):
    points = np.column_stack([pairs[:, :2], np.ones(len(pairs))])
    return objective(pairs, np.linalg.lstsq(points, pairs[:, 2:], rcond=None)[0].T)


class Process:
    """A bench process, on one processor unless `cpu` is None."""

    def __init__(self, command, cpu):
        variables = bench.environment() | {name: "1" for name in (
            "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables,
            preexec_fn=None if cpu is None else lambda: os.sched_setaffinity(0, {cpu}))

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.command} ended with status {self.process.wait()}")
        return line.split()

    def fit(self, name, seconds=SECONDS):
        """(seconds of a fit, evaluations, whether it says converged, parameters)"""
        took, evaluations, converged, *params = map(float, self.ask("fit", seconds, name))
        return took, int(evaluations), bool(converged), params

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Race:
    """Seconds of each round, and what each solver found, of one number of points."""

    def __init__(self, points):
        self.points = points
        self.seconds = {}  # name: [seconds of each round]
        self.evaluations = {}
        self.off = {}  # name: objective above the least one, relative
        self.converged = {}

    def ratios(self, peer, ours):
        return bench.ratios(self.seconds[peer], self.seconds[ours])

    def fastest(self, names):
        """Of those that reached the optimum; None where none did."""
        arrived = [name for name in names if name in self.seconds and self.arrived(name)]
        return min(arrived, key=lambda name: bench.middle(self.seconds[name]), default=None)

    def arrived(self, name):
        return self.off[name] <= EQUAL


def race(points, rounds, folder):
    found = Race(points)
    pairs = make_pairs(points)
    file = folder / f"pairs_{points}.npy"
    np.save(file, pairs)
    least = min_objective(pairs)
    cpu = max(os.sched_getaffinity(0))  # the first one has the interrupts
    with (
        Process([str(bench.BUILD / "tools/bench/bench_solvers")], cpu) as ours,
        Process(["/usr/bin/python3", "-B", str(bench.HERE / "scipy_solvers.py")], cpu) as scipy,
    ):
        for process in (ours, scipy):
            process.ask("load", file)
        names = [name for name in NAMES if points <= MOST_POINTS.get(name, points)]
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):
                process = scipy if name.startswith("scipy") else ours
                took, evaluations, converged, params = process.fit(name)
                found.seconds.setdefault(name, []).append(took)
                found.evaluations[name] = evaluations
                found.converged[name] = converged
                found.off[name] = abs(objective(pairs, params) / least - 1.0)
            print(f"{points} points: round {number + 1}/{rounds}", file=sys.stderr)
    file.unlink()
    return found


def threads(points, rounds, folder, count=2):
    """Speed-ups of lm and L-BFGS by `count` threads, one of each round; the same bits or an end."""
    file = folder / f"pairs_{points}.npy"
    np.save(file, make_pairs(points))
    program = [str(bench.BUILD / "tools/bench/bench_solvers")]
    speedups = {}
    with Process(program, None) as one, Process(program, None) as many:
        one.ask("load", file)
        many.ask("load", file, count)
        for number in range(rounds):
            for name in ("lm", "L-BFGS"):
                sides = [one, many] if number % 2 == 0 else [many, one]
                answers = {side: side.fit(name, 0.2) for side in sides}
                if answers[one][1:] != answers[many][1:]:
                    sys.exit(f"{name}, {points} points: {count} threads found something else")
                speedups.setdefault(name, []).append(answers[one][0] / answers[many][0])
    file.unlink()
    return speedups
