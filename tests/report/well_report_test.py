"""tools/report on the map of a well. usage: well_report_test.py SAMPLE_MAP"""

import os
import re
import shutil
import subprocess
import sys
import unittest
from unittest import mock

import h5py
import numpy as np

from report_case import PageCase, report  # first: it says where the others are

from nucreg_case import DONE, INPUT, NUCREG, OUTPUT, NucregCase
from report_page import well_crops, well_data, well_figures

FIGURES = {f"well-0-{name}" for name in ("match", "residuals", "links", "distances", "q", "cameras",
                                         "least", "random")}
MARKUP = "<script>alert(1)</script>\"'&"


def replace_texts(h5, path, values):
    attributes = dict(h5[path].attrs)
    del h5[path]
    encoded = [v.encode(errors="surrogateescape") for v in values]
    h5[path] = np.array(encoded, h5py.string_dtype("utf-8", max(map(len, encoded))))
    h5[path].attrs.update(attributes)


class WholePage(PageCase):
    """One page, looked at by all tests of this class. Names in its file are markup."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        file = cls.dir / "map.h5"
        subprocess.run([SAMPLE_MAP, file], check=True)
        with h5py.File(file, "r+") as h5:
            tiles = len(h5["tiles/tile"])
            replace_texts(h5, "tiles/tile", [f"{i}{MARKUP}" for i in range(tiles)])
            replace_texts(h5, "tiles/file", [f"{MARKUP}{i}.csv" for i in range(tiles)])
            replace_texts(h5, "tiles/well", [MARKUP] * tiles)
            replace_texts(h5, "model/well", [MARKUP])
            replace_texts(h5, "tiles/message", [m + MARKUP if m else "" for m in
                                                h5["tiles/message"].asstr()[:]])
            h5.attrs["map_toml"] = MARKUP
            h5.attrs["warnings"] = "\n".join(f"warning {i}{MARKUP}" for i in range(23))
        cls.make_page("map.h5")

    def test_says_nothing_but_the_path(self):
        self.assertEqual((self.made.stdout, self.made.stderr), ("page.html\n", ""))

    def test_begins_with_the_sentence_and_names_the_tiles(self):
        words = re.sub(r"(?s)<(svg|style|script).*?</\1>|<[^>]+>", " ", self.html)
        self.assertRegex(words, r"\d+\.\d % of nuclei in both fields paired, expected wrong \d\.\d "
                                r"%, 3 tiles need a look\.")
        for needle in ("position wrong", "not placed", "The stage position is 812 um", "spline",
                       "Solvers run on this very fit", "Warnings.", "warning 19",
                       "and 3 more, in the attribute warnings"):
            self.assertIn(needle, words)
        self.assertNotIn("warning 20", words)

    def test_names_are_never_markup(self):
        self.assertNotIn("<script>alert", self.html)
        self.assertIn("&lt;script&gt;alert(1)", self.html)
        self.assertEqual(self.html.count("<script>"), 1)  # the page's own

    def test_needs_nothing_from_elsewhere(self):
        self.assertIn("default-src 'none'", self.html)
        self.assertEqual(re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', self.html), [])

    def test_ids_are_unique(self):
        ids = re.findall(r'\sid="([^"]+)"', self.html)
        self.assertEqual(len(ids), len(set(ids)))

    def test_plots_are_files_as_well(self):
        files = {path.name for path in (self.dir / "plots").iterdir()}
        self.assertEqual(files, {f"{n}{suffix}" for n in FIGURES for suffix in (".svg", ".png")})

    def test_figures_are_drawn_and_the_console_is_silent(self):
        driver = self.open()
        self.assertEqual(driver.get_log("browser"), [])
        drawn = driver.execute_script(
            "return Object.fromEntries([...document.querySelectorAll('figure')].map((f) => "
            "[f.id, f.querySelectorAll('svg path, svg use').length]))")
        self.assertEqual(set(drawn), FIGURES)
        self.assertGreater(min(drawn.values()), 20, drawn)

    def test_fits_wide_and_narrow(self):
        for width in (1400, 390):
            driver = self.open(width)
            self.assertLessEqual(driver.execute_script(
                "return document.documentElement.scrollWidth - window.innerWidth"), 0, width)


def sample(folder):
    """The sample's well, with the one thing that figures take from the overview made by hand."""
    path = folder / "map.h5"
    subprocess.run([SAMPLE_MAP, path], check=True)
    overview = {"attributes": {}, "wells": [{
        "well": "A1", "matched": True, "sides": {"10x": {"pixel_um": 1.0}},
        "model": {"magnification": 4.0}}]}
    return well_data.WellMap(path, overview).wells[0]


class Numbers(NucregCase):
    def test_residuals_are_means_where_there_are_enough_pairs(self):
        rng = np.random.default_rng(0)
        x, y = rng.uniform(0, 2, (2, 4000))
        at, arrow, count = well_figures.binned(x, y, 0 * x + np.where(x > 1, 3, -1), 2 + 0 * y,
                                               (2, 1), ((0, 2), (0, 2)))
        np.testing.assert_allclose(at, [[0.5, 1], [1.5, 1]])
        np.testing.assert_allclose(arrow, [[-1, 2], [3, 2]])
        self.assertEqual(count.sum(), 4000)
        few = well_figures.binned(x[:9], y[:9], x[:9], y[:9], (1, 1), ((0, 2), (0, 2)))
        self.assertEqual(len(few[0]), 0)

    def test_residuals_without_enough_pairs_are_left_out_and_named(self):
        well = sample(self.dir)
        every = well.pairs
        for count, titles, words in ((600, ["over the well", "10x tile"], ": 40x tile."),
                                     (60, [""], "lens's.")):
            well.pairs = {name: column[:count] for name, column in every.items()}
            with mock.patch.object(well_figures, "Figure") as figure:
                well_figures.residuals(well)
            caption, drawing = figure.call_args.args[2:]
            self.assertEqual([ax.get_title(loc="left") for ax in drawing.axes], titles)
            self.assertTrue(caption.endswith(words), caption)

    def test_magnification_and_turn_of_a_tile_are_those_of_its_pairs(self):
        well = sample(self.dir)
        rows, magnification, turn = well_figures.per_tile(well)
        self.assertGreater(len(rows), 20)
        # Noise of 0.36 um a coordinate over some 150 nuclei, 70 um from the middle.
        self.assertLess(np.abs(magnification - 4).max(), 0.02)
        self.assertLess(np.abs(turn).max(), 0.4)
        row, angle = rows[3], np.radians(2.0)
        mine = well.nuclei[40]["tile"][well.pairs["forty"]] == row
        ten = well.pairs["ten"][mine]
        p = np.c_[well.nuclei[10]["x_um"][ten], well.nuclei[10]["y_um"][ten]]
        turned = (p - p.mean(0)) * 1.05 @ np.array([[np.cos(angle), np.sin(angle)],
                                                    [-np.sin(angle), np.cos(angle)]])
        well.nuclei[10]["x_um"][ten], well.nuclei[10]["y_um"][ten] = (turned + p.mean(0)).T
        again = well_figures.per_tile(well)
        self.assertAlmostEqual(again[1][3] / magnification[3], 1 / 1.05, places=6)
        self.assertAlmostEqual(again[2][3] - turn[3], 2.0, places=3)

    def test_stage_of_a_wrong_tile_is_shown_where_it_is(self):
        well = sample(self.dir)
        place = well.stage_in_well(40)[4 + 20]  # (40, 40) in the sample
        np.testing.assert_allclose(place, [40, 40], atol=2)

    def test_the_least_certain_pairs_are_chosen(self):
        well = sample(self.dir)
        chosen = well_crops.choose(well)
        p = well.pairs["probability"]
        np.testing.assert_array_equal(p[chosen["least"]], np.sort(p)[:10])
        self.assertEqual(len(set(chosen["random"]) - set(chosen["least"])), 10)

    def test_nuclei_of_other_wells_are_not_drawn(self):
        well = sample(self.dir)

        def drawn():
            return (well_crops.spacing(well), *(well_crops.around(well, side, (300, 300), 100)[0]
                                                for side in (10, 40)))
        alone = drawn()
        self.assertGreater(min(map(len, alone[1:])), 20)
        other, well.mine = len(well.mine), np.append(well.mine, False)
        for side, nuclei in well.nuclei.items():
            again = nuclei | {"tile": np.full_like(nuclei["tile"], other)}
            well.nuclei[side] = {k: np.concatenate([nuclei[k], again[k]]) for k in nuclei}
        for before, now in zip(alone, drawn()):
            np.testing.assert_array_equal(now, before)

    def test_crops_come_from_images_at_hand(self):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("python3-pil is not installed")
        well = sample(self.dir)
        row = int(well.rows_of(40)[0])
        size = int(well.tiles["width_px"][row])
        picture = np.zeros((size, size), np.uint16)
        picture[100:104, 200:204] = 5000
        (self.dir / "40x#2").mkdir()
        dark = Image.fromarray(0 * picture)
        dark.save(self.dir / "40x#2/a.tif", save_all=True,
                  append_images=[Image.fromarray(picture)])

        def pictures(file, channel="0"):
            well.tiles["file"] = well.tiles["file"].astype(object)
            well.tiles["file"][row], well.tiles["channel"][row] = file, channel
            return well_crops.Pictures(NUCREG, well.tiles, [self.dir])
        self.assertEqual(pictures("40x#2/a.tif").of(row).max(), 0)  # its first frame
        self.assertIsNone(pictures("40x#2/a.tif#2").of(row))
        self.assertIsNone(pictures("40x#2/a.tif", "GFP").of(row))  # not another channel
        (self.dir / "40x#2/a.tif").rename(self.dir / "40x#2/b#1.tif")
        pictures = pictures("40x#2/b#1.tif#1")
        crop = pictures.crop(row, 201.5, 101.5, 10.0)  # 0.25 um a pixel
        self.assertEqual(crop.shape, (well_crops.PIXELS, well_crops.PIXELS))
        middle = well_crops.PIXELS // 2
        self.assertGreater(crop[middle, middle], 4000)
        self.assertEqual(crop[5, 5], 0)
        self.assertTrue(np.isnan(pictures.crop(row, 2, 2, 10.0)[5, 5]))  # beyond the tile
        self.assertIsNone(pictures.crop(int(well.rows_of(10)[0]), 50, 50, 10.0))  # a table


    def test_decoys_of_which_none_is_paired_are_no_measured_value(self):
        well = sample(self.dir)
        q = np.array([0.001, 0.01, 0.1])
        for pairs, decoy_pairs, lines in (
                (50, [0, 0, 4.0], {"decoys": [0.08], "no decoy paired": [3e-4, 3e-4]}),
                (50, [0, 0, 0], {"no decoy paired": [3e-4] * 3}),
                (50, [1, 2, 3], {"decoys": [0.02, 0.04, 0.06]}), (0, [0, 0, 0], {})):
            well.decoys = {"q_value": q, "pairs": np.full(3, pairs),
                           "decoy_pairs": np.array(decoy_pairs)}
            with mock.patch.object(well_figures, "Figure") as figure:
                well_figures.q_values(well)
            caption, drawing = figure.call_args.args[2:]
            drawn = {line.get_label(): line.get_ydata() for line in drawing.axes[1].lines}
            drawn.pop("equal", None)
            self.assertEqual(drawn.keys(), lines.keys())
            for label, y in lines.items():
                np.testing.assert_allclose(drawn[label], y)
            self.assertEqual("Open markers" in caption, "no decoy paired" in lines)


class OddMaps(NucregCase):
    def setUp(self):
        super().setUp()
        self.file = self.dir / "map.h5"
        subprocess.run([SAMPLE_MAP, self.file, "400"], check=True)

    def test_no_match(self):
        with h5py.File(self.file, "r+") as h5:
            h5["model/matched"][0] = 0
            replace_texts(h5, "model/message", ["These are different wells."])
            for group in ("pairs", "links"):
                for name, column in list(h5[group].items()):
                    attributes, empty = dict(column.attrs), column[:0]
                    del h5[f"{group}/{name}"]
                    h5[f"{group}/{name}"] = empty
                    h5[f"{group}/{name}"].attrs.update(attributes)
        made = report(self.dir, "map.h5")
        self.assertEqual((made.returncode, made.stderr), (DONE, ""), made)
        html = (self.dir / "map.html").read_text()
        self.assertIn("no match: These are different wells", html)
        self.assertIn('id="well-0-match"', html)

    def test_names_that_are_not_utf8(self):
        name = "\udce9"  # the byte E9
        with h5py.File(self.file, "r+") as h5:
            count = len(h5["tiles/tile"])
            for column in ("tile", "file"):
                replace_texts(h5, f"tiles/{column}", [f"{name}{i}" for i in range(count)])
            replace_texts(h5, "tiles/well", [name] * count)
            replace_texts(h5, "model/well", [name])
        made = report(self.dir, self.file.rename(self.dir / f"{name}.h5"), text=False)
        self.assertEqual((made.returncode, made.stderr), (DONE, b""), made)
        self.assertEqual(made.stdout, os.fsencode(self.dir / f"{name}.html") + b"\n")
        html = (self.dir / f"{name}.html").read_text()
        self.assertEqual(set(re.findall('<figure id="([^"]+)"', html)), FIGURES)

    def test_refused(self):
        damaged = shutil.copy(self.file, self.dir / "damaged.h5")
        with h5py.File(damaged, "r+") as h5:
            del h5["pairs/q_value"]
        made = report(self.dir, "damaged.h5")
        self.assertEqual(made.returncode, INPUT, made)
        self.assertIn("/pairs/q_value", made.stderr)
        self.assertNotIn("Traceback", made.stderr)
        self.write("map.html", "precious")
        made = report(self.dir, "map.h5")
        self.assertEqual(made.returncode, OUTPUT, made)


if __name__ == "__main__":
    SAMPLE_MAP = sys.argv.pop(1)
    unittest.main()
