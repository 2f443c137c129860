"""Counts the instructions of the hot paths by callgrind; more than 5 % above the stored counts
fails.

usage: instruction_counts.py PROGRAM COUNTS.json [--update]

Counts hold for one compiler, build type and instruction set; on any other the test is skipped.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

GROWTH = 1.05


def measure(program):
    """The machine's key, and instructions by name."""
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "profile"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=count_*",
             "--compress-strings=no", f"--callgrind-out-file={profile}", program],
            capture_output=True, text=True, timeout=200)
        if "Unrecognised instruction" in run.stderr and "hwy::platform::" in run.stderr:
            # Highway reads the clock as it is loaded, by an instruction that not every virtual
            # machine admits to have.
            print("skipped: no valgrind that runs Highway's start on this machine")
            sys.exit(0)
        if run.returncode:
            sys.exit(f"valgrind ended with {run.returncode}:\n{run.stderr}")
        # The line after a call tells what it cost, all that it called included.
        calls = re.findall(r"^cfn=count_(\w+)\ncalls=1 .*\n\S+ (\d+)$",
                           profile.read_text(), re.M)
        counts = {name: int(count) for name, count in calls}
    return run.stdout.strip(), counts


def main():
    program, stored_file = sys.argv[1], pathlib.Path(sys.argv[2])
    if not shutil.which("valgrind"):
        print("skipped: no valgrind")
        return 0
    key, counts = measure(program)
    stored = json.loads(stored_file.read_text()) if stored_file.exists() else {}
    if "--update" in sys.argv[3:]:
        stored[key] = counts
        stored_file.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
        return 0
    if key not in stored:
        print(f"skipped: no counts stored for {key}; they were {counts}")
        return 0
    if counts.keys() != stored[key].keys():
        sys.exit(f"counted {sorted(counts)}, stored are {sorted(stored[key])}")
    grown = 0
    for name, count in sorted(counts.items()):
        ratio = count / stored[key][name]
        grown += ratio > GROWTH
        print(f"{name:<16}{count:>10}  {ratio:.3f} of what is stored")
    if grown:
        sys.exit(f"{grown} grew by more than {GROWTH - 1:.0%}; where that is meant, run this with "
                 "--update and commit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
