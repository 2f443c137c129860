"""Ranks that see other files by the same names, as on hosts whose folders are not the same: said
before anything is read for a result."""

import os
import pathlib
import subprocess
import sys
import unittest

import h5py

from label_tiff import SPOTS
from made_well import MadeWell
from nucreg_case import INPUT, LEAST_JOB, NUCREG, ROOT, USAGE, NucregCase

# Each rank in a folder of its number.
IN_OWN_FOLDER = ("sh", "-c", 'cd "$OMPI_COMM_WORLD_RANK" && exec "$0" "$@"')
JOB_OF_IMAGES = """
[job]
name = "images"

[problem]
source = "images"

[problem.images]
ten = ["tiles/10x_0.tif"]
forty = ["tiles/40x_0.tif"]

[[solver]]
name = "LM"
kind = "lm"
"""


class Builds(NucregCase):
    """A host with a program of its own."""

    def test_another_build(self):
        job = self.write("job.toml", LEAST_JOB)
        self.nucreg("run", job, "-o", "probe.h5")
        with h5py.File(self.dir / "probe.h5") as h5:
            ours = h5.attrs["build_identity"].partition("(sources ")[2].partition(",")[0].encode()
        program = pathlib.Path(NUCREG).read_bytes()
        self.assertEqual(program.count(ours), 1)
        other = self.write("other", program.replace(ours, ours[::-1]))
        other.chmod(0o755)
        by = ("sh", "-c", f'[ $OMPI_COMM_WORLD_RANK = 1 ] && exec {other} "$@"; exec "$0" "$@"')
        for ranks in (2, 3):
            self.refused(USAGE, ["run", job, "-o", "out.h5"],
                         "rank 1 runs another build than rank 0", ours.decode(),
                         ours[::-1].decode(), ranks=ranks, by=by)


class Folders(NucregCase):
    """Other working directories."""

    def setUp(self):
        super().setUp()
        well = MadeWell()
        for rank in "012":
            well.write(self.dir / rank)
        self.arguments = ("map", "ten.csv", "forty.csv", "-o", self.dir / "out.h5")

    def tables(self, rank):
        return sorted(path for path in (self.dir / rank).rglob("*.csv")
                      if path.parent != self.dir / rank)

    def test_the_same_content(self):
        self.nucreg(*self.arguments, ranks=3, by=IN_OWN_FOLDER)

    def test_another_content(self):
        first, other = self.tables("1")[:2]
        name = first.relative_to(self.dir / "1")
        size = first.stat().st_size
        first.write_bytes(other.read_bytes())
        outcome = self.refused(
            INPUT, self.arguments, f"{name}: differs between ranks: rank 0 on ", f"{size:,} bytes",
            "; rank 1 on ", f"{other.stat().st_size:,} bytes", "allowed: one content under one",
            ranks=3, by=IN_OWN_FOLDER)
        self.assertNotIn("more file", outcome.err)

    def test_a_byte(self):
        for table in self.tables("2"):
            content = table.read_bytes()
            table.write_bytes(content[:-3] + b"9\n" if content[-2:-1] != b"9" else
                              content[:-3] + b"8\n")
        more = len(self.tables("2")) - 1
        self.refused(INPUT, self.arguments, "; rank 2 on ", f"(and {more} more files)",
                     ranks=3, by=IN_OWN_FOLDER)

    def test_no_content(self):
        self.tables("1")[0].unlink()
        self.refused(INPUT, self.arguments, "; rank 1 on ", "No such file", ranks=2,
                     by=IN_OWN_FOLDER)


class Mounts(NucregCase):
    """Other mounts: rank 1 sees the files of `other` in place of those beside it."""

    def setUp(self):
        super().setUp()
        own_mounts = ["unshare", "-m"]
        if os.geteuid() != 0:
            own_mounts += ["--map-current-user", "--keep-caps"]
        if subprocess.run([*own_mounts, "true"], capture_output=True).returncode:
            self.skipTest("skipped: this system allows no mounts of one's own")
        (self.dir / "other").mkdir()
        mounts = self.write("mounts.sh", f"""
test "$OMPI_COMM_WORLD_RANK" = 1 || exec "$@"
exec {" ".join(own_mounts)} sh -c '
for file in $(cd other && find . -type f -o -name "own*"); do
  mount --bind "other/$file" "$file" || exit 99
done
exec "$@"' - "$@"
""")
        self.by = ("sh", mounts)

    def tiles(self, seed, folder):
        self.nucreg("synth", "--to", folder, "--field", 200, "--tile", 480, "--nuclei", 60,
                    "--forty", 1, "--seed", seed)

    def test_images_of_a_run(self):
        self.tiles(1, "tiles")
        self.write("job.toml", JOB_OF_IMAGES)
        arguments = ("run", "job.toml", "-o", "out.h5")
        (self.dir / "other/tiles").mkdir()
        same = (self.dir / "tiles/10x_0.tif").read_bytes()
        self.write("other/tiles/10x_0.tif", same)
        self.nucreg(*arguments, ranks=2, by=self.by)
        self.nucreg("run", "job.toml", "-o", "alone.h5")
        self.assert_same_results(self.dir / "out.h5", self.dir / "alone.h5")
        self.tiles(2, "more")
        self.write("other/tiles/10x_0.tif", (self.dir / "more/10x_0.tif").read_bytes())
        for more in ((), ("--force",)):  # the result that --force would replace stays
            for cache in self.dir.glob("image-cache/*"):
                cache.unlink()
            self.refused(INPUT, (*arguments[:3], "out.h5" if more else "new.h5", *more),
                         f"{self.dir}/tiles/10x_0.tif: differs between ranks", ranks=2, by=self.by)

    def test_images_of_segment(self):
        self.write("spots.tif", SPOTS)
        self.write("other/spots.tif", SPOTS)
        self.nucreg("segment", "spots.tif", "--to", "same", ranks=2, by=self.by)
        self.write("other/spots.tif", SPOTS[:-1])
        self.refused(INPUT, ("segment", "spots.tif", "--to", "out"), "spots.tif: differs between",
                     f"{len(SPOTS):,} bytes", f"{len(SPOTS) - 1:,} bytes", ranks=2, by=self.by)
        self.refused(INPUT, ("segment", "spots.tif", "--to", "same", "--force"),
                     "spots.tif: differs between", ranks=2, by=self.by)

    def test_a_folder_of_outputs_that_is_not_shared(self):
        for folder in ("own", "other/own"):
            (self.dir / folder).mkdir()
        MadeWell().write(self.dir)
        self.write("spots.tif", SPOTS)
        for command, folder in ((("segment", "spots.tif", "--to", "own/out"), "own/out"),
                                (("map", "ten.csv", "forty.csv", "-o", "own/out.h5"),
                                 "own/out.h5.tiles")):
            with self.subTest(command=command):
                self.refused(INPUT, command, f"{self.dir}/{folder}: is another folder for rank 1",
                             "allowed: a folder that all hosts share", ranks=2, by=self.by)

    def test_what_rank_0_alone_reads(self):
        """Jobs and tables of pairs are sent to the other ranks, which open none."""
        pairs = "x10,y10,x40,y40\n" + "".join(
            f"{x},{y},{4 * x + 40},{4 * y + 50}\n" for x in range(8) for y in range(7))
        self.write("pairs.csv", pairs)
        self.write("job.toml", LEAST_JOB.replace("points = 30",
                                                 'source = "pairs"\nfiles = ["pairs.csv"]'))
        self.nucreg("run", "job.toml", "-o", "alone.h5")
        self.write("other/pairs.csv", pairs.replace("40", "41"))
        self.write("other/job.toml", "no job")
        self.nucreg("run", "job.toml", "-o", "out.h5", ranks=2, by=self.by)
        self.assert_same_results(self.dir / "alone.h5", self.dir / "out.h5")

    def test_the_program_of_a_solver(self):
        program = (ROOT / "tools/solvers/scipy_solver.py").read_text()
        self.write("solver.py", program)
        self.write("job.toml", LEAST_JOB + f"""
[[solver]]
name = "own"
kind = "process"
command = ["{sys.executable}", "solver.py"]
""")
        self.write("other/solver.py", program + "# changed\n")
        self.refused(INPUT, ("run", "job.toml", "-o", "out.h5"), "solver.py: differs between ranks",
                     ranks=2, by=self.by)


if __name__ == "__main__":
    unittest.main()
