"""What tools/faults interrupts: the commands of nucreg that are continued, with inputs of their
own.

Each is started again until it is complete, and then compared with one that nothing disturbed.
"""

import shutil
import subprocess

import h5py
import images_test
import interrupted
import map_case
import nucreg_case as cases
from made_well import MadeWell


class Subject:
    """A command that writes out.h5; `ranks` 0: without mpirun."""

    ranks = 4

    def __init__(self, folder):
        self.folder = folder
        self.out, self.reference = folder / "out.h5", folder / "reference.h5"
        self.prepare()

    def nucreg(self, *arguments):
        subprocess.run([cases.NUCREG, *map(str, arguments)], cwd=self.folder, check=True,
                       capture_output=True, env=cases.environment())

    def prepare(self):
        """Writes the inputs."""

    def is_complete(self):
        if not self.out.exists():
            return False
        with h5py.File(self.out) as file:
            return file.attrs["status"] == "complete"

    def clear(self):
        for path in self.folder.glob("out.h5*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def keep_reference(self):
        self.out.rename(self.reference)

    def compare(self):
        """AssertionError where the outcome differs from the reference."""
        verified = subprocess.run([cases.NUCREG, "verify", self.out], capture_output=True,
                                  text=True, check=False)
        if verified.returncode:
            raise AssertionError(verified.stdout + verified.stderr)
        cases.NucregCase().assert_same_results(self.reference, self.out)


class Runs(Subject):
    def prepare(self):
        (self.folder / "job.toml").write_text(interrupted.with_trials(300), encoding="utf-8")
        self.arguments = ["run", "job.toml", "-o", "out.h5", "--resume"]


class Images(Subject):
    """Finding nuclei and matching before the trials; their cache goes with the output."""

    def prepare(self):
        self.nucreg("synth", "--to", "tiles", "--ten", 2, "--forty", 4)
        (self.folder / "job.toml").write_text(images_test.JOB, encoding="utf-8")
        self.arguments = ["run", "job.toml", "-o", "out.h5", "--resume"]

    def clear(self):
        super().clear()
        shutil.rmtree(self.folder / "image-cache", ignore_errors=True)


class Maps(Subject):
    def prepare(self):
        MadeWell(seed=12).write(self.folder)
        self.arguments = ["map", "ten.csv", "forty.csv", "-o", "out.h5", "--resume"]

    def compare(self):
        case = map_case.Maps()
        case.dir = self.folder
        case.assert_same_map(self.reference.name, self.out.name)
        self.nucreg("verify", self.out)


class Segments(Subject):
    """A folder of tables and label images."""

    def prepare(self):
        self.nucreg("synth", "--to", "tiles", "--ten", 2, "--forty", 5)
        self.out, self.reference = self.folder / "out", self.folder / "reference"
        tiles = sorted(f"tiles/{path.name}" for path in (self.folder / "tiles").glob("*.tif"))
        self.arguments = ["segment", *tiles, "--to", "out", "--resume"]

    def files(self, folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*")
                if path.is_file() and path.suffix in (".csv", ".tif", ".png")}

    def is_complete(self):
        wanted = self.files(self.reference) if self.reference.exists() else None
        return self.out.exists() and (wanted is None or
                                      self.files(self.out).keys() >= wanted.keys())

    def clear(self):
        for path in self.folder.glob("out*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def compare(self):
        one, other = self.files(self.reference), self.files(self.out)
        if one != other:
            names = [str(name) for name in one.keys() | other.keys()
                     if one.get(name) != other.get(name)]
            raise AssertionError(f"files that differ: {', '.join(sorted(names))}")


class Merges(Subject):
    ranks = 0

    def prepare(self):
        (self.folder / "job.toml").write_text(interrupted.JOB, encoding="utf-8")
        for part in (1, 2):
            self.nucreg("run", "job.toml", "--part", f"{part}/2", "-o", f"part{part}.h5")
        self.arguments = ["merge", "part1.h5", "part2.h5", "-o", "out.h5"]


ALL = {"run": Runs, "images": Images, "map": Maps, "segment": Segments, "merge": Merges}
