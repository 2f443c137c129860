"""What the page draws of /trials, /trace and /rank_samples, read in chunks into bounded memory.

What a number means is decided by nucreg (`inspect --json`, `export --format profiles`); here are
only the rows that are shown one by one.
"""

import contextlib
import heapq
import math
import tomllib

import h5py
import numpy as np

from .conditions import Conditions
from .style import time_unit

CHUNK = 1 << 16
MOST_TRIALS_DRAWN = 4_000  # whole trials: all solvers of each
MOST_TRACES = 400  # of each solver
MOST_BINS = 240  # of time, in which samples of ranks are averaged
MOST_RANKS = 64  # drawn, evenly among all
WORST = 20  # of each kind
MOST_PARTS = 1_000_000  # that `nucreg run --part` takes

SUMMARY = [f"{measure}_{number}" for measure in ("rmsd_px", "tre_px", "param_error", "wall_s",
                                                 "peak_bytes", "function_evaluations")
           for number in ("count", "mean", "std", "median", "p05", "p95")] + ["gap_median"]
COLUMNS = ("configuration", "trial", "solver", "status", "rmsd_px", "tre_px", "param_error", "gap",
           "wall_s", "timing_valid", "function_evaluations", "message", "params", "true_params")


class Unreadable(Exception):
    """The result file cannot be read."""


@contextlib.contextmanager
def reading(path):
    try:
        with h5py.File(path, "r") as h5:
            yield h5
    except (OSError, KeyError, TypeError, RuntimeError) as error:
        raise Unreadable(f"{path}: {' '.join(str(error).split())}") from error


class Rows:
    """Columns of the same length, by name."""

    def __init__(self, columns):
        self.columns = columns

    def __getitem__(self, name):
        return self.columns[name]

    def __len__(self):
        return len(self.columns["solver"])

    def where(self, mask):
        return Rows({name: column[mask] for name, column in self.columns.items()})


class Result:
    """`overview`: of `nucreg inspect --json`, which has refused what is no result of ours."""

    def __init__(self, path, overview):
        self.overview = overview
        self.solvers = [s["name"] for s in overview["solvers"]]
        self.configurations = overview["configurations"]
        self.attributes = overview["attributes"]
        self.job_text = self.attributes.get("job_toml", "")
        for row in overview["summary"][:1]:
            if missing := [name for name in SUMMARY if name not in row]:
                raise Unreadable(f"{path}: /summary/{missing[0]}: is missing")
        self.conditions = Conditions(self.configurations, overview["summary"])
        self.time_unit, self.per_second = time_unit(
            row.get("wall_s_median") for row in overview["summary"])
        with reading(path) as h5:
            self.status_names = {number: name for name, number in
                                 h5py.check_enum_dtype(h5["trials/status"].dtype).items()}
            self._read_trials(h5["trials"])
            self.traces = self._read_traces(h5)
            self.rank_samples = read_rank_samples(h5)

    def _read_trials(self, trials):
        total, solvers = trials["solver"].shape[0], max(1, len(self.solvers))
        self.trials = math.ceil(total / solvers)
        rng = np.random.default_rng(0)  # the same page of the same file
        # Single solves are drawn of the conditions that figures stand at, and of each model there.
        drawn = np.flatnonzero(np.isin(trials["configuration"][::solvers],
                                       self.conditions.along("model")))
        self.trials_there = len(drawn)
        if len(drawn) > MOST_TRIALS_DRAWN:
            drawn = np.sort(rng.choice(drawn, MOST_TRIALS_DRAWN, replace=False))
        self.trials_drawn = len(drawn)
        kept, numbers, worst = [], [], Worst(self)
        for first in range(0, total, CHUNK):
            rows = Rows({c: trials[c][first:first + CHUNK] for c in COLUMNS if c in trials})
            if "message" not in rows.columns:
                rows.columns["message"] = np.full(len(rows), b"")
            number = np.arange(first, first + len(rows))
            keep = np.isin(number // solvers, drawn, assume_unique=False)
            kept.append(rows.where(keep))
            numbers.append(number[keep])
            worst.add(rows)
        names = kept[0].columns if kept else {}
        self.sample = Rows({c: np.concatenate([k[c] for k in kept]) for c in names} if kept
                           else {c: np.empty(0) for c in COLUMNS})
        self.sample_rows = np.concatenate(numbers) if numbers else np.empty(0, int)
        self.worst = worst.rows()

    def _read_traces(self, h5):
        """Per solver (evaluation, objective) of some of the drawn rows; None: no traces."""
        if "trace" not in h5:
            return None
        trace, traces = h5["trace"], []
        for solver in range(len(self.solvers)):
            rows = self.sample_rows[(self.sample["solver"] == solver) &
                                    (self.sample["configuration"] == self.conditions.base)]
            rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_TRACES)).astype(int)]
            found = []
            for row in rows:
                begin, end = trace["offsets"][row:row + 2]
                if end > begin:
                    found.append((trace["evaluation"][begin:end], trace["objective"][begin:end]))
            traces.append(found)
        return traces

    def trials_of_job(self):
        """Trials of each configuration in the whole job, as its file says."""
        try:
            return int(tomllib.loads(self.job_text)["job"]["trials"])
        except (tomllib.TOMLDecodeError, KeyError):
            return None

    def part_with(self, configuration, trial):
        """("K/N", other trials in it) of the smallest part of the job that holds this trial."""
        trials = self.trials_of_job()
        if trials is None or trials <= trial:
            return None
        configurations = len(self.configurations)
        parts = min(trials * configurations, MOST_PARTS)
        # plan/plan.hpp: what does not divide goes to the parts in turn, configuration by
        # configuration.
        share, rest = divmod(trials, parts)
        place = trial // (share + 1) if trial < rest * (share + 1) else (trial - rest) // share
        return (f"{(place + configuration * rest) % parts + 1}/{parts}",
                math.ceil(trials * configurations / parts) - 1)


class Worst:
    """The worst solves of three kinds: failed, furthest from the best known, slowest."""

    def __init__(self, result):
        self.result = result
        self.heaps = {"failed": [], "gap": [], "slow": []}
        self.median = {(row["configuration"], row["solver"]): row.get("wall_s_median")
                       for row in result.overview["summary"]}

    def add(self, rows):
        status = rows["status"]
        codes = {name: number for number, name in self.result.status_names.items()}
        failed = status == codes.get("failed", -1)
        self._offer("failed", rows, np.where(failed, -np.arange(len(rows), dtype=float), np.nan),
                    failed)
        arrived = ~failed & (status != codes.get("not_applicable", -1))
        gap = rows["gap"].astype(float)
        # A gap of rounding is no bad answer: where the best is 0 px any ratio is large.
        self._offer("gap", rows, gap, arrived & (gap > 1e-6) & (rows["rmsd_px"] > 1e-6))
        usual = np.array([self.median.get(key) or np.nan for key in
                          zip(rows["configuration"].tolist(), rows["solver"].tolist())], float)
        times = np.divide(rows["wall_s"], usual, where=usual > 0, out=np.full(len(rows), np.nan))
        self._offer("slow", rows, times,
                    arrived & rows["timing_valid"].astype(bool) & (times > 1.5))

    def _offer(self, kind, rows, badness, candidates):
        heap = self.heaps[kind]
        places = np.flatnonzero(candidates & ~np.isnan(badness))
        places = places[np.argsort(-badness[places], kind="stable")[:WORST]]
        for i in places:
            row = {name: rows[name][i].item() for name in
                   ("configuration", "trial", "solver", "status", "rmsd_px", "tre_px", "gap",
                    "wall_s", "timing_valid", "function_evaluations")}
            row |= {"kind": kind, "badness": float(badness[i]),
                    "message": rows["message"][i].decode(errors="replace")}
            order = (row["configuration"], row["trial"], row["solver"])
            if kind == "failed":  # the first ones; all are as bad
                row["badness"] = -float(len(heap))
            item = (row["badness"], tuple(-n for n in order), row)
            if len(heap) < WORST:
                heapq.heappush(heap, item)
            elif kind != "failed":
                heapq.heappushpop(heap, item)

    def rows(self):
        return [item[2] for heap in self.heaps.values()
                for item in sorted(heap, key=lambda i: i[:2], reverse=True)]


def read_rank_samples(h5):
    """Averages over bins of time: {rank: (time_s, cpu_percent, rss_bytes)}, the machine's CPU as
    (time_s, percent), and the number of ranks in the file."""
    group = h5.get("rank_samples")
    count = group["rank"].shape[0] if group else 0
    if count == 0:
        return {}, None, 0
    end, ranks = 0.0, 0
    for first in range(0, count, CHUNK):
        end = max(end, float(np.nanmax(group["time_s"][first:first + CHUNK])))
        ranks = max(ranks, int(group["rank"][first:first + CHUNK].max()) + 1)
    shown = np.unique(np.linspace(0, ranks - 1, min(ranks, MOST_RANKS)).astype(int))
    place = np.full(ranks, -1)
    place[shown] = np.arange(len(shown))
    cells = len(shown) * MOST_BINS
    sums, counts = np.zeros((4, cells)), np.zeros(cells)
    for first in range(0, count, CHUNK):
        part = slice(first, first + CHUNK)
        time = group["time_s"][part]
        where = place[group["rank"][part]]
        bins = np.minimum((time / max(end, 1e-9) * MOST_BINS).astype(int), MOST_BINS - 1)
        inside = (where >= 0) & (bins >= 0)
        cell = where[inside] * MOST_BINS + bins[inside]
        np.add.at(counts, cell, 1)
        for i, column in enumerate(("cpu_percent", "rss_bytes", "system_cpu_percent")):
            np.add.at(sums[i], cell, group[column][part][inside])
        np.add.at(sums[3], cell, time[inside])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (sums / counts).reshape(4, len(shown), MOST_BINS)
    samples = {}
    for i, rank in enumerate(shown):
        seen = ~np.isnan(mean[3, i])
        if seen.any():
            samples[int(rank)] = mean[3, i, seen], mean[0, i, seen], mean[1, i, seen]
    seen = ~np.isnan(mean[3]).all(axis=0)
    machine = np.nanmean(mean[3][:, seen], axis=0), np.nanmean(mean[2][:, seen], axis=0)
    return samples, machine, ranks
