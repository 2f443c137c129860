"""Jobs of images, from pixels to the verdict: rendered tiles, real ones, and what can be wrong."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import unittest

import h5py
import numpy as np

from label_tiff import two_pages
from nucreg_case import (DONE, INPUT, NUCREG, ROOT, SHARED, USAGE, NucregCase, environment,
                         read_group, run, texts)

JOB = """
[job]
name = "images"
seed = 4
trials = 12

[problem]
source = "images"

[problem.images]
ten = ["tiles/10x_*.tif"]
forty = ["tiles/40x_*.tif"]

[fit]
model = ["trs", "affine"]
start = "closed-form"

[run]
timing_repeats = 1

[[solver]]
name = "LM"
kind = "lm"

[[solver]]
name = "L-BFGS"
kind = "nlopt"
algorithm = "LD_LBFGS"
"""
TABLES = ("images", "nuclei", "matches", "pairs", "scatter", "agreement")


def apply(affine, x, y):
    a, b, tx, c, d, ty = affine
    return np.array([a * x + b * y + tx, c * x + d * y + ty])


def tiff(values):
    """A little-endian grey TIFF of one strip."""
    values = np.ascontiguousarray(values, dtype="<u2")
    height, width = values.shape
    data = values.tobytes()
    entries = [(256, 4, width), (257, 4, height), (258, 3, 16), (259, 3, 1), (262, 3, 1),
               (273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, len(data))]
    out = b"II*\0" + (8 + len(data)).to_bytes(4, "little") + data
    out += len(entries).to_bytes(2, "little")
    for tag, kind, value in entries:
        out += (tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + (1).to_bytes(4, "little") +
                value.to_bytes(4, "little"))
    return out + bytes(4)


def blobs(places, size=128, radius=6):
    y, x = np.mgrid[:size, :size]
    values = np.full((size, size), 100.0) + np.random.default_rng(1).normal(0, 3, (size, size))
    for u, v in places:
        values += 1500.0 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / radius ** 2)
    return tiff(values)


class Images(NucregCase):
    def setUp(self):
        super().setUp()
        self.write("job.toml", JOB)

    def synth(self, *more):
        self.nucreg("synth", "--to", "tiles", "--field", 300, "--tile", 500, "--nuclei", 220,
                    "--forty", 2, *more)

    def images(self, *arguments, **options):
        return run(self.dir, "run", "job.toml", *arguments, **options)

    def assert_same_images(self, one, other):
        self.assert_same_results(self.dir / one, self.dir / other)
        for group in TABLES:
            left, right = (read_group(self.dir / file, group) for file in (one, other))
            self.assertEqual(left.keys(), right.keys())
            for name in left:
                self.assert_same_bits(np.asarray(left[name]), np.asarray(right[name]),
                                      f"/{group}/{name}")


class Path(Images):
    def test_from_pixels_to_the_verdict(self):
        self.synth()
        outcome = self.nucreg("run", "job.toml", "-o", "out.h5", ranks=2)
        self.assertIn("without truth", outcome.out)
        self.assertIn("verdict", outcome.out)
        self.assertIn("3 tiles, 0 from the cache", outcome.err)
        self.assertIn("sound", self.nucreg("verify", "out.h5").out)
        self.check_tables()
        self.check_fits()
        shown = json.loads(self.nucreg("inspect", "out.h5", "--json").out)
        self.assertEqual(len(shown["agreement"]), 4)
        self.assertEqual((len(shown["images"]), len(shown["matches"])), (3, 2))
        # The table of inspect says of each pair what /matches does.
        text = self.nucreg("inspect", "out.h5", COLUMNS="120").out
        matches = read_group(self.dir / "out.h5", "matches")
        count = read_group(self.dir / "out.h5", "images")["nuclei"]
        self.assertIn(f"images: 3 tiles with {count.sum()} nuclei; 2 of 2 pairs tried match", text)
        for row in range(2):
            self.assertRegex(text, rf"tiles/10x_0.tif +tiles/40x_{row}.tif +{count[0]} +"
                             rf"{count[row + 1]} +{matches['pairs'][row]} +"
                             rf"{100 * matches['match_rate'][row]:.1f} +"
                             rf"{100 * matches['chance_rate'][row]:.1f} +"
                             rf"{matches['heldout_rmsd_px'][row]:.3g} +"
                             rf"{matches['stage_error_um'][row]:.3g}\n")
        self.nucreg("export", "out.h5", "--to", "csv")
        # A second run takes everything from the cache, whatever the files are called by then, and
        # gives the same bits on any number of ranks.
        for ranks, file in ((1, "one.h5"), (3, "three.h5")):
            again = self.nucreg("run", "job.toml", "-o", file, ranks=ranks)
            self.assertIn("3 tiles, 3 from the cache", again.err)
            self.assertIn("2 pairs, 2 from the cache", again.err)
            self.assert_same_images("out.h5", file)
        # Without the cache the same is found again.
        shutil.rmtree(self.dir / "image-cache")
        again = self.nucreg("run", "job.toml", "-o", "again.h5", ranks=3)
        self.assertIn("3 tiles, 0 from the cache", again.err)
        self.assert_same_images("out.h5", "again.h5")

    def check_tables(self):
        images, nuclei, matches, pairs = (read_group(self.dir / "out.h5", group)
                                          for group in TABLES[:4])
        files = texts(images["file"])
        self.assertEqual(files, ["tiles/10x_0.tif", "tiles/40x_0.tif", "tiles/40x_1.tif"])
        self.assertEqual(texts(images["sha256"]), [
            hashlib.sha256((self.dir / file).read_bytes()).hexdigest() for file in files])
        np.testing.assert_array_equal(np.diff(nuclei["offsets"]), images["nuclei"])
        self.assertEqual(nuclei["offsets"][-1], len(nuclei["x_px"]))
        np.testing.assert_array_equal(np.diff(pairs["offsets"]), matches["pairs"])
        self.assertTrue(matches["matched"].all())
        # Stages err by 10 um here.
        self.assertGreater(matches["stage_error_um"].min(), 0)
        self.assertLess(matches["stage_error_um"].max(), 60)
        with h5py.File(self.dir / "out.h5") as h5:
            for group in TABLES:
                for name, column in h5[group].items():
                    self.assertNotIn(column.attrs["units"], ("", "?"), f"{group}/{name}")
        # The maps are the true ones to a few pixels of 40x over the whole field.
        truth = json.loads((self.dir / "tiles/truth.json").read_text())
        maps = {(entry["ten"], entry["forty"]): np.ravel(entry["affine_10x_to_40x"])
                for entry in truth["pairs"]}
        self.assertEqual(len(maps), 2)
        for row in range(2):
            names = tuple(files[matches[side][row]].removeprefix("tiles/")
                          for side in ("ten", "forty"))
            found = [matches["affine_" + name][row] for name in ("a", "b", "tx", "c", "d", "ty")]
            first, end = pairs["offsets"][row:row + 2]
            where = nuclei["offsets"][matches["ten"][row]] + pairs["ten"][first:end]
            x, y = nuclei["x_px"][where], nuclei["y_px"][where]
            off = np.hypot(*(apply(found, x, y) - apply(maps[names], x, y)))
            self.assertLess(off.max(), 4.0)

    def check_fits(self):
        trials = read_group(self.dir / "out.h5", "trials")
        self.assertEqual(len(trials["trial"]), 2 * 2 * 12 * 2)
        self.assertTrue(np.isnan(trials["tre_px"]).all())
        self.assertTrue(np.isfinite(trials["heldout_rmsd_px"]).all())
        # What was not fitted fits worse than what was, as it should.
        self.assertGreater(np.mean(trials["heldout_rmsd_px"] ** 2),
                           np.mean(trials["rmsd_px"] ** 2))
        configurations = read_group(self.dir / "out.h5", "configurations")
        scatter, agreement = (read_group(self.dir / "out.h5", group) for group in TABLES[4:])
        # The same from /trials: least squares of two solvers agree, resamples scatter.
        rows = (trials["configuration"] == 1) & (trials["solver"] == 0)
        self.assertEqual(texts(configurations["model"])[1], "affine")
        width, height = (configurations[f"field_{side}_px"][1] for side in ("width", "height"))
        places = [(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)]
        maps = trials["params"][rows][:, :6]
        points = np.array([[apply(m, *place) for place in places] for m in maps])
        expected = np.sqrt((points.var(axis=0, ddof=1).sum(axis=1)).mean())
        row = np.flatnonzero((scatter["configuration"] == 1) & (scatter["solver"] == 0))[0]
        np.testing.assert_allclose(scatter["map_scatter_px"][row], expected, rtol=1e-9)
        np.testing.assert_allclose(scatter["param_scatter_2"][row], maps[:, 2].std(ddof=1),
                                   rtol=1e-9)
        self.assertTrue(np.isnan(scatter["param_scatter_6"]).all())
        other = trials["params"][(trials["configuration"] == 1) & (trials["solver"] == 1)][:, :6]
        apart = np.array([[np.hypot(*(apply(a, *place) - apply(b, *place))) for place in places]
                          for a, b in zip(maps, other)])
        row = np.flatnonzero(agreement["configuration"] == 1)[0]
        np.testing.assert_allclose(agreement["max_px"][row], apart.max(), rtol=1e-6, atol=1e-12)
        self.assertLess(agreement["max_px"].max(), 1e-2)
        self.assertGreater(scatter["map_scatter_px"].min(), 1e-2)

    def test_plan_shows_what_there_is(self):
        self.synth("--stage-error", 100000)
        plan = self.nucreg("plan", "job.toml").out
        for word in ("nan", "points  ", "field_", "noise_px", "transform_model", " \n"):
            self.assertNotIn(word, plan)
        self.assertIn("tiles/10x_0.tif + tiles/40x_1.tif", plan)

    def test_a_file_is_one_tile_under_all_its_names(self):
        self.synth()
        (self.dir / "tiles/link.tif").symlink_to("40x_1.tif")
        self.write("s.csv", "ten,forty\ntiles/10x_0.tif,tiles/40x_0.tif\n"
                            "./tiles/10x_0.tif,tiles/link.tif\n")
        both = ('["tiles/40x_*.tif", "./tiles/40x_0.tif", "tiles/link.tif", '
                '"tiles/../tiles/40x_1.tif"]')
        plan = self.nucreg("plan", "job.toml", "--set", f"problem.images.forty={both}").out
        self.assertIn("1 at 10x, 2 at 40x: 2 pairs can overlap", plan)
        for key in ("ten", "forty"):
            self.assertEqual(JOB.count(f"\n{key} = "), 1)
        job = "\n".join(line for line in JOB.splitlines() if not line.startswith(("ten", "forty")))
        self.write("sheet.toml", job.replace("[problem.images]",
                                             '[problem.images]\nsheets = "s.csv"'))
        self.assertIn("1 at 10x, 2 at 40x: 2 pairs can overlap",
                      self.nucreg("plan", "sheet.toml").out)
        self.refused(USAGE, ["plan", "job.toml", "--set",
                             'problem.images.forty="./tiles/10x_0.tif"'], "among the 10x files")

    def test_parts_are_merged_with_what_was_found(self):
        self.synth()
        self.nucreg("run", "job.toml", "-o", "whole.h5")
        for part in (1, 2):
            self.nucreg("run", "job.toml", "--part", f"{part}/2", "-o", f"{part}.h5")
        self.nucreg("merge", "1.h5", "2.h5", "-o", "merged.h5")
        self.assert_same_images("whole.h5", "merged.h5")

    def test_a_cache_that_cannot_be_written_costs_a_warning(self):
        self.synth()
        self.write("image-cache", "not a folder")
        self.assertIn("cannot be kept", self.nucreg("run", "job.toml", "-o", "one.h5").err)
        (self.dir / "image-cache").unlink()
        self.nucreg("run", "job.toml", "-o", "other.h5")
        self.assert_same_images("one.h5", "other.h5")

    def test_a_cache_on_a_full_disk_costs_a_warning(self):
        self.synth()
        self.nucreg("run", "job.toml", "-o", "whole.h5")
        cache = self.dir / "image-cache"
        shutil.rmtree(cache)
        cache.mkdir()
        self.small_disk(cache, 8)
        outcome = self.nucreg("run", "job.toml", "-o", "out.h5", ranks=2)
        self.assertRegex(outcome.err, "cannot be kept: .*No space left on device")
        self.assertEqual(list(cache.glob(".*")), [])  # nothing torn
        self.assert_same_images("whole.h5", "out.h5")

    def test_two_runs_with_one_cache(self):
        self.synth()
        self.nucreg("run", "job.toml", "-o", "whole.h5")
        shutil.rmtree(self.dir / "image-cache")
        runs = [subprocess.Popen([NUCREG, "run", "job.toml", "-o", output], cwd=self.dir,
                                 env=environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                for output in ("a.h5", "b.h5")]
        for process in runs:
            said = process.communicate()[1].decode()
            self.assertEqual(process.returncode, DONE, said)
            self.assertNotIn("warning", said)
        for output in ("a.h5", "b.h5"):
            self.assert_same_images("whole.h5", output)

    def test_what_killed_writers_left_in_a_cache_goes_after_a_day(self):
        self.synth()
        cache = self.dir / "image-cache"
        cache.mkdir()
        old, young = cache / ".old.cache.partial-1", cache / ".young.cache.partial-2"
        for command in (("run", "job.toml"), ("map", "tiles/10x_*.tif", "tiles/40x_*.tif")):
            with self.subTest(command=command):
                for left in (old, young):
                    left.write_text("half")
                day_ago = time.time() - 25 * 3600
                os.utime(old, (day_ago, day_ago))
                self.nucreg(*command, "-o", "out.h5", "--force")
                self.assertFalse(old.exists())
                self.assertTrue(young.exists())  # somebody may be writing it

    def test_a_damaged_cache_is_made_anew(self):
        self.synth()
        self.nucreg("run", "job.toml", "-o", "out.h5")
        for number, entry in enumerate(sorted((self.dir / "image-cache").iterdir())):
            content = bytearray(entry.read_bytes())
            content[len(content) // 2] ^= 1
            entry.write_bytes([b"", bytes(content), bytes(content[:-1])][number % 3])
        again = self.nucreg("run", "job.toml", "-o", "again.h5", ranks=2)
        self.assertIn("3 tiles, 0 from the cache", again.err)
        self.assert_same_images("out.h5", "again.h5")

    def test_sheets_wells_and_stage_positions(self):
        self.synth()
        quoted = self.dir / "tiles/Well1_Point1_0034_ChannelDAPI,GFP_Seq0034.tif"
        shutil.copy(self.dir / "tiles/10x_0.tif", quoted)
        sheet = f'ten,forty\n"tiles/{quoted.name}",tiles/40x_1.tif\n'
        self.write("sheet.csv", sheet)
        by_sheet = JOB.replace('ten = ["tiles/10x_*.tif"]', 'sheets = ["sheet.csv"]').replace(
            'forty = ["tiles/40x_*.tif"]', "")
        file = self.run_job(by_sheet)
        self.assertEqual(set(texts(read_group(file, "configurations")["file"])),
                         {f"tiles/{quoted.name} + tiles/40x_1.tif"})
        self.assertEqual(read_group(file, "images")["well"][0], 1)
        # Positions that are right narrow the search; another trust in them is another search.
        searched = {}
        for trust_um in (0, 40):
            self.write("job.toml", JOB)
            outcome = self.nucreg("run", "job.toml", "-o", f"{trust_um}.h5", "--set",
                                  f"problem.images.stage_error_um={trust_um}")
            self.assertIn("2 pairs, 0 from the cache", outcome.err)
            matches = read_group(self.dir / f"{trust_um}.h5", "matches")
            self.assertTrue(matches["matched"].all())
            self.assertEqual(np.isnan(matches["stage_error_um"]).all(), trust_um == 0)
            searched[trust_um] = matches["hypotheses"].sum()
        self.assertLess(searched[40], searched[0])
        # Wrong by far, so that they exclude all pairs: the tiles are found all the same.
        self.synth("--force", "--stage-error", 100000)
        self.write("job.toml", JOB)
        plan = self.nucreg("plan", "job.toml").out
        self.assertIn("0 pairs can overlap, 2 more are tried", plan)
        self.assertIn("configurations  4\n", plan)
        file = self.run_job(JOB, output="stage.h5")
        matches = read_group(file, "matches")
        self.assertTrue(matches["matched"].all())
        self.assertEqual(len(matches["ten"]), 2)
        self.assertGreater(matches["stage_error_um"].min(), 5000)
        # Another well cannot overlap.
        shutil.copy(self.dir / "tiles/40x_0.tif", self.dir / "tiles/Well2_Point1_0001_Seq0001.tif")
        job = JOB.replace("tiles/10x_*", "tiles/Well1_*").replace("tiles/40x_*", "tiles/Well2_*")
        self.write("wells.toml", job)
        self.refused(INPUT, ["run", "wells.toml"], "no two tiles can overlap")


class Wrong(Images):
    def setUp(self):
        super().setUp()
        self.synth()

    def set(self, key, value):
        return ["run", "job.toml", "-o", "out.h5", "--set", f"problem.images.{key}={value}"]

    def check(self, name, content, *needles, ranks=(0,)):
        """One tile more that cannot be used: told with its name, and nothing is fitted."""
        path = self.write(f"tiles/{name}", content)
        for count in ranks:
            outcome = run(self.dir, *self.set("forty", f'["tiles/40x_*.tif", "tiles/{name}"]'),
                          ranks=count)
            self.assertEqual(outcome.status, INPUT, outcome)
            for needle in (name, *needles):
                self.assertIn(needle, outcome.err, outcome)
            self.assertNotIn("bug", outcome.err, outcome)
            self.assertFalse((self.dir / "out.h5").exists())
        path.unlink()

    def test_images(self):
        self.check("empty.tif", b"", "empty", ranks=(0, 2))
        self.check("grey.tif", tiff(np.full((64, 64), 700)), "no nuclei")
        noise = np.random.default_rng(2).normal(1000, 30, (128, 128))
        self.check("noise.tif", tiff(noise), "nucle")
        self.check("one.tif", blobs([(60, 60)]), "one nucleus", ranks=(0, 2))
        self.check("text.tif", b"not an image\n")

    def test_all_are_named_at_once(self):
        self.write("tiles/40x_8.tif", tiff(np.zeros((64, 64))))
        self.write("tiles/40x_9.tif", tiff(np.full((64, 64), 9)))
        outcome = self.images(ranks=2)
        self.assertEqual(outcome.status, INPUT, outcome)
        for name in ("40x_8.tif", "40x_9.tif"):
            self.assertIn(f"{name}: no nuclei", outcome.err)

    def test_nd2_that_is_cut_off(self):
        source = next(iter(sorted((SHARED / "data/nd2/made").glob("*.nd2"))), None)
        if source is None:
            self.skipTest(f"skipped: no {SHARED}/data/nd2/made")
        whole = source.read_bytes()
        for part in (0.2, 0.9):
            self.check("cut.nd2", whole[:int(len(whole) * part)])
        self.check("renamed.tif", whole, "holds ND2")

    def test_what_does_not_match_is_not_paired(self):
        places = np.random.default_rng(9).uniform(15, 385, (25, 2))
        self.write("tiles/strange.tif", blobs(places, size=400))
        outcome = run(self.dir, *self.set("forty", '"tiles/strange.tif"'), ranks=2)
        self.assertEqual(outcome.status, INPUT, outcome)
        self.assertIn("no pair of tiles matches, of 1 tried", outcome.err)
        self.assertIn("tiles/10x_0.tif + tiles/strange.tif: ", outcome.err)
        # Beside tiles that do match it is a row without pairs.
        self.nucreg(*self.set("forty", '["tiles/40x_*.tif", "tiles/strange.tif"]'))
        matches, pairs = (read_group(self.dir / "out.h5", group) for group in ("matches", "pairs"))
        self.assertEqual(list(matches["matched"]), [True, True, False])
        self.assertEqual(matches["pairs"][2], 0)
        self.assertEqual(pairs["offsets"][3], pairs["offsets"][2])
        self.assertTrue(texts(matches["reason"])[2])
        # Unless the job says that it must.
        outcome = run(self.dir, *self.set("forty", '"tiles/strange.tif"'), "--force", "--set",
                      'problem.images.pairs="tiles/10x_0.tif + tiles/strange.tif"')
        self.assertEqual(outcome.status, INPUT, outcome)
        self.assertIn("1 of 1 pair of tiles does not match", outcome.err)

    def test_named_files(self):
        self.refused(INPUT, self.set("forty", '"nowhere/*.tif"'), "problem.images.forty",
                     '"nowhere/*.tif" matches no file')
        self.refused(INPUT, self.set("channel_40x", "GFP"), "40x_0.tif", 'no channel "GFP"')
        self.refused(INPUT, self.set("channel_10x", '"1"'), "10x_0.tif", 'no channel "1"', "DAPI")
        self.refused(USAGE, self.set("forty", '"tiles/*.tif"'), "problem.images.forty",
                     "among the 10x files")
        (self.dir / os.fsdecode(b"tiles/40x_\xe9.tif")).write_bytes(
            (self.dir / "tiles/40x_0.tif").read_bytes())
        self.refused(INPUT, self.set("forty", '"tiles/40x_*.tif"'), "tiles/40x_?.tif",
                     "its name is not UTF-8", "rename the file")

    def test_job(self):
        for key, value, *needles in (
                ("match_model", "rigid", "trs, affine"), ("diameter_10x_px", "2", "3 ... 1000"),
                ("diameter_10x_px", "never", "unknown word"), ("magnification", "[5,3]", "lowest"),
                ("significance", "0", "> 0"), ("sheets", '"a.csv"', "named twice"),
                ("ten", "[]", "problem.images.ten"), ("tens", '"a"', "did you mean"),
                ("pairs", '"a + b"', "there is no pair of tiles", "10x_0.tif + ")):
            with self.subTest(f"{key} = {value}"):
                self.refused(USAGE, self.set(key, value), *needles)
                self.refused(USAGE, ["plan", *self.set(key, value)[1:2], "--set",
                                     f"problem.images.{key}={value}"], *needles)
        self.refused(USAGE, ["plan", "job.toml", "--set", "fit.start=truth"], "no known truth")
        self.refused(USAGE, ["plan", "job.toml", "--set", "problem.points=3"], "no meaning")

    def test_different_numbers_of_tiles(self):
        page = [[7, 8] * 20] * 40
        self.write("tiles/two.tif", two_pages(page, page))
        self.write("s.csv", "ten,forty\ntiles/10x_0.tif,tiles/two.tif\n")
        self.write("job.toml", JOB.replace('ten = ["tiles/10x_*.tif"]', 'sheets = "s.csv"').replace(
            'forty = ["tiles/40x_*.tif"]', ""))
        for command in ("run", "plan"):
            self.refused(INPUT, [command, "job.toml"], "s.csv:2",
                         "tiles/10x_0.tif has 1 tile and tiles/two.tif has 2 tiles")

    def test_sheets(self):
        self.write("job.toml", JOB.replace('ten = ["tiles/10x_*.tif"]', 'sheets = "s.csv"').replace(
            'forty = ["tiles/40x_*.tif"]', ""))
        ten = "tiles/10x_0.tif"
        for sheet, *needles in (
                (f"ten,forty\n{ten},\n", "s.csv:2", "10x file without a 40x file"),
                (f"ten,forty\n{ten}\n", "s.csv:2", "1 cell under 2 columns"),
                ("ten,40\na,b\n", "s.csv:1", "no column forty"), ("ten,forty\n", "names no files"),
                ("", "names no files"), (f"ten,forty\n{ten},tiles/none.tif\n", "none.tif")):
            with self.subTest(sheet):
                self.write("s.csv", sheet)
                self.refused(INPUT, ["run", "job.toml"], *needles)


class Real(Images):
    def test_human_tiles(self):
        folder = SHARED / "data/pairs/human"
        if not folder.exists():
            self.skipTest(f"skipped: no {folder}")
        self.nucreg("run", ROOT / "jobs/images.toml", "-o", "out.h5", "--set", "job.trials=3",
                    "--set", f'problem.images.ten="{folder}/10x.tif"',
                    "--set", f'problem.images.forty="{folder}/40x_*.tif"', ranks=2)
        matches = read_group(self.dir / "out.h5", "matches")
        truth = json.loads((folder / "truth.json").read_text())
        self.assertEqual(len(matches["ten"]), len(truth["tiles"]))
        self.assertTrue(matches["matched"].all())
        for row, tile in enumerate(truth["tiles"]):
            found = [matches["affine_" + name][row] for name in ("a", "b", "tx", "c", "d", "ty")]
            right = np.ravel(tile["affine_10x_to_40x"])
            inverse = np.linalg.inv(np.vstack([right.reshape(2, 3), [0, 0, 1]]))
            for x, y in ((0, 0), (1023, 0), (0, 1023), (1023, 1023), (511, 511)):
                u, v, _ = inverse @ [x, y, 1]
                self.assertLess(np.hypot(*(apply(found, u, v) - [x, y])), 2.0)


if __name__ == "__main__":
    unittest.main()
