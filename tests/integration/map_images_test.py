"""`nucreg map` from images: segmented on the way, from folders of `segment`, from labels."""

import json
import pathlib
import unittest

import numpy as np

from label_tiff import two_pages
from map_case import Maps, status_of
from nucreg_case import SHARED, read_group, run, texts
from tiff_pages import read_page


class Images(Maps):
    """From pixels: a rendered well, and what segment wrote of it."""

    def setUp(self):
        super().setUp()
        self.nucreg("synth", "--well", "--ten", 4, "--to", "well", "--field", 400, "--tile", 640,
                    "--nuclei", 240)
        truth = json.loads((self.dir / "well/truth.json").read_text())
        self.truth = {tile["file"]: tile for tile in truth["tiles"]}

    def assert_true_pairs(self, file, min_pairs):
        """Of pairs whose nuclei the truth knows, 99 of 100 are one nucleus."""
        tiles = read_group(file, "tiles")
        files = [pathlib.Path(name).name for name in texts(tiles["file"])]
        nuclei = {side: read_group(file, f"nuclei_{side}x") for side in (10, 40)}
        pairs = read_group(file, "pairs")

        def identity(side, row):
            name = files[nuclei[side]["tile"][row]].replace(".csv", ".tif")
            known = np.array(self.truth[name]["nuclei_id_x_y"])
            at = np.hypot(known[:, 1] - nuclei[side]["x_px"][row],
                          known[:, 2] - nuclei[side]["y_px"][row])
            near = at.argmin()
            return int(known[near, 0]) if at[near] < (3 if side == 10 else 12) else None

        ids = [(identity(10, a), identity(40, b)) for a, b in zip(pairs["ten"], pairs["forty"])]
        known = [(a, b) for a, b in ids if a is not None and b is not None]
        self.assertGreater(len(known), 0.95 * len(ids))
        self.assertGreaterEqual(sum(a == b for a, b in known), 0.99 * len(known))
        self.assertGreater(len(ids), min_pairs)

    def pairs_by_name(self, file):
        """(file at 10x, label, file at 40x, label) -> probability."""
        files = [pathlib.Path(name).name for name in texts(read_group(self.dir / file,
                                                                      "tiles")["file"])]
        ten, forty, pairs = (read_group(self.dir / file, g)
                             for g in ("nuclei_10x", "nuclei_40x", "pairs"))
        return {(files[ten["tile"][a]], ten["label"][a], files[forty["tile"][b]],
                 forty["label"][b]): p
                for a, b, p in zip(pairs["ten"], pairs["forty"], pairs["probability"])}

    def test_images_are_segmented_once_and_faults_are_named(self):
        first = self.map("well/ten.csv", "well/forty.csv", ranks=2)
        self.assert_true_pairs(self.dir / "out.h5", 400)
        status = status_of(self.dir / "out.h5", 40)
        for name, tile in self.truth.items():
            if "fault" in tile:
                number = name.removeprefix("40x_").removesuffix(".tif")
                self.assertEqual(status[number], tile["fault"])
        self.assertEqual(sum(word != "ok" for word in status.values()), 3, first.out)
        cached = sorted(self.dir.glob("image-cache/*"))
        self.assertGreater(len(cached), 20)
        before = [path.stat().st_mtime_ns for path in cached]
        # Positions and sizes are in the images as well: a glob does without sheets.
        self.map("well/10x_*.tif", "well/40x_*.tif", output="glob.h5")
        self.assertEqual([path.stat().st_mtime_ns for path in cached], before)
        # The order of tiles decides only what is as likely as not.
        sheets, glob = (self.pairs_by_name(name) for name in ("out.h5", "glob.h5"))
        for one, other in ((sheets, glob), (glob, sheets)):
            self.assertEqual({pair for pair, likely in one.items() if likely > 0.6} - set(other),
                             set())

    def test_a_file_of_several_frames_is_named_with_the_frame(self):
        pages = [read_page(self.dir / f"well/40x_{i}.tif").tolist() for i in (0, 1)]
        self.write("well/two.tif", two_pages(*pages))
        sheet = (self.dir / "well/forty.csv").read_text().splitlines()
        sheet[1:3] = [line.replace(f"40x_{i}.tif", f"two.tif#{i}")
                      for i, line in enumerate(sheet[1:3])]
        self.write("well/frames.csv", "\n".join(sheet) + "\n")
        self.map("well/ten.csv", "well/frames.csv")
        files = texts(read_group(self.dir / "out.h5", "tiles")["file"])
        self.assertEqual(files[4:7], ["well/two.tif#0", "well/two.tif#1", "well/40x_2.tif"])

    def test_a_size_in_the_sheet_counts_also_where_nuclei_are_kept_from_before(self):
        sheet = self.dir / "well/ten.csv"
        right = sheet.read_text()
        sheet.write_text(right.replace(",400,400", ",420,420"))
        self.map("well/ten.csv", "well/forty.csv")
        self.assertEqual(set(self.ten_widths_px()), {420})
        sheet.write_text(right)
        self.map("well/ten.csv", "well/forty.csv", "--force")
        self.assertEqual(set(self.ten_widths_px()), {400})

    def ten_widths_px(self):
        tiles = read_group(self.dir / "out.h5", "tiles")
        return tiles["width_px"][tiles["side"] == 10]

    def test_a_folder_that_segment_wrote_and_label_images(self):
        for side in ("10x", "40x"):
            images = sorted(str(path) for path in self.dir.glob(f"well/{side}_*.tif"))
            run(self.dir, "segment", *images, "--to", side, ranks=2)
        self.map("10x", "40x")
        self.assert_true_pairs(self.dir / "out.h5", 400)
        tiles = read_group(self.dir / "out.h5", "tiles")
        self.assertTrue(np.isfinite(tiles["stage_x_um"]).all())
        self.assertTrue((tiles["pixel_um"] > 0).all())
        self.map("10x/*_labels.tif", "40x/*_labels.tif", "--set", "place.pixel_10x_um=0.65",
                 output="labels.h5")
        # Without positions two of the four 10x tiles, which share some 20 nuclei with others, stay
        # apart.
        self.assertGreater(len(read_group(self.dir / "labels.h5", "pairs")["ten"]), 300)


class Real(Maps):
    def test_human_tiles_with_turns_of_their_own_are_laid_within_two_pixels(self):
        folder = SHARED.resolve() / "data/pairs/human"
        if not folder.exists():
            self.skipTest(f"skipped: no {folder}")
        outcome = self.map(folder / "10x.tif", f"{folder}/40x_*.tif")
        self.assertIn("turn and magnification of its own", outcome.err)
        tiles = read_group(self.dir / "out.h5", "tiles")
        to_well = {pathlib.Path(name).name: np.vstack([np.reshape(row, (2, 3)), [0, 0, 1]])
                   for name, row in zip(texts(tiles["file"]), tiles["to_well"])}
        for tile in json.loads((folder / "truth.json").read_text())["tiles"]:
            found = np.linalg.inv(to_well[tile["file"]]) @ to_well["10x.tif"]
            true = np.vstack([tile["affine_10x_to_40x"], [0, 0, 1]])
            corners = np.array([[0, 511, 0, 511, 255], [0, 0, 511, 511, 255], [1, 1, 1, 1, 1]])
            off = (found @ np.linalg.inv(true) @ corners - corners)[:2]
            self.assertLess(np.hypot(*off).max(), 2.0, tile["file"])


if __name__ == "__main__":
    unittest.main()
