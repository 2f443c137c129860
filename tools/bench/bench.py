"""What the bench commands share: build, whole-process wall times in interleaved rounds, tables."""

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# NUCREG_BUILD names a build that is there already, with -DNUCREG_BENCH=ON where that is needed.
BUILD = Path(os.environ.get("NUCREG_BUILD", ROOT / "build/bench"))
NUCREG = BUILD / "nucreg"
HERE = Path(__file__).resolve().parent


def build(*targets):
    """The bench preset: optimised as release is, and the programs of this folder."""
    if "NUCREG_BUILD" in os.environ:
        return
    for command in ("cmake --preset bench",
                    " ".join(["cmake --build --preset bench --target nucreg", *targets])):
        if subprocess.run(command.split(), cwd=ROOT, check=False, stdout=sys.stderr).returncode:
            sys.exit(f"{command} failed")


def environment():
    """This process's environment; as root with Open MPI's consent, for the children only."""
    variables = dict(os.environ)
    if os.geteuid() == 0:
        variables |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return variables


def run_job(job, ranks, output, *overrides):
    """The command of one run."""
    command = ["mpirun", "-n", str(ranks), NUCREG, "run", job, "-o", output, "--force"]
    for override in overrides:
        command += ["--set", override]
    return [str(word) for word in command]


def timed(command, folder):
    """Wall seconds from the start of a process to its end, and what it printed."""
    begin = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}exit status {done.returncode}")
    return seconds, done.stdout


def interleaved(sides, rounds, folder):
    """Runs every side once a round, in turn from the front and from the back.

    `sides` maps a name to a command; returns {name: [seconds of each round]} and the output of
    each side's last run.
    """
    seconds = {name: [] for name in sides}
    output = {}
    for number in range(rounds):
        for name in list(sides) if number % 2 == 0 else reversed(sides):
            used, output[name] = timed(sides[name], folder)
            seconds[name].append(used)
            print(f"round {number + 1}/{rounds}: {name}: {used:.2f} s", file=sys.stderr)
    return seconds, output


middle = statistics.median


def spread(values, unit="", digits=2):
    """Median (smallest ... largest)."""
    low, middle, high = (
        f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle}{unit} ({low} ... {high})"


def ratios(numerator, denominator):
    """Of each round, so that a machine that slows down slows both."""
    return [a / b for a, b in zip(numerator, denominator, strict=True)]


def table_lines(header, rows):
    """Markdown, line by line."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def table(header, rows):
    """Prints Markdown."""
    print("\n".join(table_lines(header, rows)))


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0].strip()


def instruction_set():
    """That the passes of nucreg use here."""
    told = subprocess.run([NUCREG, "doctor"], capture_output=True, text=True, check=False).stdout
    return re.search(r"instruction set (\w+)", told)[1]


def machine_text():
    """The machine and the programs."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Model")):
            model = line.split(":", 1)[1].strip()
            break
    cpus = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (f"{model} ({instruction_set()}), {cpus} CPUs, load {load:.1f} at the end; "
            f"{platform.platform()};\n{first_line([NUCREG, '--version'])}; "
            f"{first_line(['mpirun', '--version'])}")


def machine():
    print("\n" + machine_text())
