"""Runs nucreg in a directory of its own, with a time limit, and looks at what it did."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

# ctest sets all of them; a test that is started by hand takes the release build.
ROOT = pathlib.Path(os.environ.get("NUCREG_ROOT", pathlib.Path(__file__).resolve().parents[2]))
NUCREG = os.environ.get("NUCREG", str(ROOT / "build/release/nucreg"))
MPIEXEC = os.environ.get("MPIEXEC", "mpiexec")
SHARED = pathlib.Path(os.environ.get("NUCREG_SHARED", ROOT.parent / "shared"))
# A limit that only a program that hangs reaches, also on a busy machine.
LIMIT_S = 100

DONE, BUG, USAGE, INPUT, STOPPED, OUTPUT = range(6)  # exit statuses of the contract

# What may differ between two runs of one job; everything else must be equal to the bit.
MEASURED = ("wall_s", "cpu_s", "peak_bytes", "rank", "timing_valid", "expected_s")

LEAST_JOB = """
[job]
name = "least"

[problem]
points = 30

[[solver]]
name = "LM"
kind = "lm"
"""


class Outcome:
    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def __str__(self):
        return f"{self.command}\nstatus {self.status}\n-- out\n{self.out}\n-- err\n{self.err}"


def environment(**more):
    # Nothing of a launcher that may have started the tests themselves.
    inherited = {k: v for k, v in os.environ.items()
                 if not k.startswith(("OMPI_", "PMIX_", "PMI_"))}
    return inherited | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} | more


def command_line(arguments, ranks=0, by=()):
    """`ranks` 0: without mpirun. `by`: a command that starts each rank."""
    launcher = [MPIEXEC, "--oversubscribe", "-n", str(ranks)] if ranks else []
    return [*launcher, *map(str, by), NUCREG, *map(str, arguments)]


def run(folder, *arguments, ranks=0, by=(), limit_s=LIMIT_S, **variables):
    command = command_line(arguments, ranks, by)
    process = subprocess.Popen(command, cwd=folder, env=environment(**variables),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"hangs: {command}\n{out.decode()}\n{err.decode()}") from None
    return Outcome(command, process.returncode, out.decode(), err.decode())


def read_group(file, group):
    """Columns of a group by name; enumerations as numbers, strings as bytes."""
    with h5py.File(file) as h5:
        return {name: column[()] for name, column in h5[group].items()}


def texts(column):
    return [value.decode() for value in column]


def status_codes(file):
    with h5py.File(file) as h5:
        return h5py.check_enum_dtype(h5["trials/status"].dtype)


def solver_rows(file):
    """Solver name -> mask of its rows of /trials."""
    number = read_group(file, "trials")["solver"]
    return {name: number == i
            for i, name in enumerate(texts(read_group(file, "solvers")["name"]))}


def column_of_configuration(file, name):
    """A column of /configurations, looked up for every row of /trials."""
    return read_group(file, "configurations")[name][read_group(file, "trials")["configuration"]]


class NucregCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="nucreg-test-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    @classmethod
    def made_once(cls):
        """A case whose directory lasts as long as this class: for what all of its tests start
        from."""
        maker = NucregCase()
        maker.setUp()
        cls.addClassCleanup(maker.doCleanups)
        return maker

    def write(self, name, text):
        path = self.dir / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def nucreg(self, *arguments, **options):
        """Must succeed."""
        outcome = run(self.dir, *arguments, **options)
        self.assertEqual(outcome.status, DONE, outcome)
        return outcome

    def run_job(self, text, *arguments, output="out.h5", **options):
        """Must succeed; the path of the result."""
        self.nucreg("run", self.write("job.toml", text), "-o", output, *arguments, **options)
        return self.dir / output

    def small_disk(self, folder, kilobytes):
        """Until the end of the test, in memory."""
        if os.geteuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
                capture_output=True).returncode:
            self.skipTest("skipped: only root can mount a small disk")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], capture_output=True)

    def content(self):
        """Every path in the directory, with the bytes of the files."""
        return {str(path.relative_to(self.dir)): path.read_bytes() if path.is_file() else None
                for path in self.dir.rglob("*")}

    def refused(self, status, arguments, *needles, **options):
        """Must fail with this status, name all needles on standard error and leave no trace."""
        before = self.content()
        outcome = run(self.dir, *arguments, **options)
        self.assertEqual(outcome.status, status, outcome)
        for needle in needles:
            self.assertIn(str(needle), outcome.err, outcome)
        self.assertNotIn("bug", outcome.err, outcome)
        self.assertEqual(outcome.out, "", outcome)
        self.assertEqual(before, self.content(), "the directory has changed")
        return outcome

    def assert_same_bits(self, one, other, what):
        self.assertEqual((one.dtype, one.shape), (other.dtype, other.shape), what)
        if one.tobytes() != other.tobytes():
            rows = [i for i in range(len(one)) if one[i].tobytes() != other[i].tobytes()]
            self.fail(f"{what} differs in rows {rows[:10]}: {one[rows[0]]} and {other[rows[0]]}")

    def assert_same_results(self, one, other):
        """All that the contract calls bit-identical."""
        for group in ("trials", "configurations", "solvers", "summary"):
            left, right = read_group(one, group), read_group(other, group)
            self.assertEqual(left.keys(), right.keys(), group)
            self.assertTrue(left, group)
            for name in left:
                stem = name.rpartition("_")[0] if group == "summary" else name
                if name not in MEASURED and stem not in MEASURED:
                    self.assert_same_bits(np.asarray(left[name]), np.asarray(right[name]),
                                          f"/{group}/{name}")
