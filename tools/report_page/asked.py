"""Asks nucreg for all that is statistics: overview, verdict, profiles."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
USAGE = 2  # exit status as nucreg's
# Of the overview, what came with or after the verdict.
NEEDED = ("solvers", "sentences", "best", "flips", "notes", "comparisons")
# Of the overview of a map.
NEEDED_OF_MAP = ("attributes", "sentence", "wells", "tiles_to_look_at", "trials")


class Refused(Exception):
    """nucreg has refused; `status` is its exit status."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def find_nucreg(given):
    """The path of the program; None where there is none."""
    for place in (given, os.environ.get("NUCREG")):
        if place:
            return shutil.which(place)
    built = ROOT / "build/release/nucreg"
    return str(built) if os.access(built, os.X_OK) else shutil.which("nucreg")


def _ask(nucreg, *arguments):
    process = subprocess.run([nucreg, *map(str, arguments)], capture_output=True, check=False)
    if process.returncode != 0:
        text = process.stderr.decode(errors="replace").strip()
        raise Refused(text.removeprefix("nucreg: "), process.returncode)
    return process.stdout


def overview(nucreg, file, needed=NEEDED):
    answer = json.loads(_ask(nucreg, "inspect", "--json", file))
    missing = [key for key in needed if key not in answer]
    if missing:
        raise Refused(f"{nucreg}: is older than this report, its inspect --json has no "
                      f"{', '.join(missing)}; build it again or name another with --nucreg", USAGE)
    return answer


def profiles(nucreg, file):
    with tempfile.TemporaryDirectory(prefix="nucreg-report-") as folder:
        _ask(nucreg, "export", file, "--to", folder, "--format", "profiles")
        return json.loads((pathlib.Path(folder) / "profiles.json").read_text())
