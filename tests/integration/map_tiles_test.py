"""Wells whose tiles are not all alike: other pixels, tables rows twice, blank wells of a plate."""

import unittest
from hashlib import sha256

import h5py
import numpy as np

from made_well import FORTY_PX, FORTY_UM, MadeWell
from map_case import Maps, pairs_of
from nucreg_case import INPUT, read_group, texts


class Tiles(Maps):
    def edit_sheet(self, name, edit):
        """edit(number, fields) of each tile's row."""
        header, *rows = (self.dir / name).read_text().splitlines()
        columns = header.split(",")
        lines = [",".join(map(str, edit(i, dict(zip(columns, row.split(",")))).values()))
                 for i, row in enumerate(rows)]
        self.write(name, "\n".join([header, *lines]) + "\n")

    def assert_sums_of_files(self, path):
        """What was read can be told from the file: `inputs` has what sha256sum prints."""
        with h5py.File(path) as file:
            lines = file.attrs["inputs"].splitlines()
            names = file["tiles/file"].asstr()[:]
        self.assertEqual(len(lines), len(names))
        for line, name in zip(lines, names):
            self.assertIn(f" {name}: read, ", line)
            sum = sha256((self.dir / name).read_bytes()).hexdigest()
            self.assertTrue(line.endswith(f" sha256 {sum}"), line)

    def test_tiles_that_the_camera_binned(self):
        well = MadeWell(seed=31)
        well.write(self.dir)
        self.map("ten.csv", "forty.csv")
        plain = pairs_of(self.dir / "out.h5")
        self.assert_sums_of_files(self.dir / "out.h5")
        binned = range(0, len(well.tiles[40]), 3)

        def bin_tile(number, row):
            if number not in binned:
                return row
            path = self.dir / row["file"]
            header, *lines = path.read_text().splitlines()
            table = np.array([line.split(",") for line in lines], float)
            table[:, 1:3] = (table[:, 1:3] + 0.5) / 2 - 0.5  # centres of pixels are whole numbers
            path.write_text("\n".join([header, *(f"{int(n)},{x:.4f},{y:.4f},{a / 4}"
                                                 for n, x, y, a in table)]) + "\n")
            return row | {"pixel_um": 2 * FORTY_UM, "width_px": FORTY_PX // 2,
                          "height_px": FORTY_PX // 2}

        self.edit_sheet("forty.csv", bin_tile)
        outcome = self.map("ten.csv", "forty.csv", output="b.h5")
        self.assertIn("at 40x have pixels of another size than 0.1625 um", outcome.err)
        self.assertGreater(len(set(pairs_of(self.dir / "b.h5")) & set(plain)), 0.99 * len(plain))
        self.assert_right(self.dir / "b.h5", well)
        # What the file says of a tile is in its own pixels.
        tiles, nuclei = (read_group(self.dir / "b.h5", g) for g in ("tiles", "nuclei_40x"))
        names = [int(name) for name in texts(tiles["tile"])]
        for row in np.flatnonzero(tiles["side"] == 40):
            factor = 2 if names[row] in binned else 1
            self.assertEqual(tiles["width_px"][row], FORTY_PX // factor)
            self.assertAlmostEqual(tiles["pixel_um"][row], factor * FORTY_UM, 9)
            mine = nuclei["tile"] == row
            px = np.c_[nuclei["x_px"][mine], nuclei["y_px"][mine], np.ones(mine.sum())]
            self.assertLess(px[:, :2].max(), FORTY_PX / factor)
            um = px @ tiles["to_well"][row].reshape(2, 3).T
            self.assertLess(np.abs(um - np.c_[nuclei["x_um"][mine], nuclei["y_um"][mine]]).max(), 1)

    def test_rows_that_are_there_twice_count_once(self):
        well = MadeWell(seed=32)
        well.write(self.dir, label=False)
        self.map("ten.csv", "forty.csv")
        for path in self.dir.glob("[14]0x/*.csv"):
            header, *lines = path.read_text().splitlines(True)
            path.write_text("".join([header, *lines, *lines]))
        outcome = self.map("ten.csv", "forty.csv", output="twice.h5")
        self.assertIn("rows are at the very place of another nucleus left out", outcome.err)
        self.assertEqual(pairs_of(self.dir / "twice.h5"), pairs_of(self.dir / "out.h5"))

    def test_rows_that_are_nearly_there_twice_count_once(self):
        well = MadeWell(seed=32)
        well.write(self.dir)
        self.map("ten.csv", "forty.csv")
        for path in self.dir.glob("[14]0x/*.csv"):
            header, *lines = path.read_text().splitlines(True)
            rows = [line.split(",") for line in lines]
            again = [f"{int(label) + len(rows)},{float(x) + 0.05:.3f},{float(y) - 0.06:.3f},{area}"
                     for label, x, y, area in rows]
            path.write_text("".join([header, *lines, *again]))
        outcome = self.map("ten.csv", "forty.csv", output="twice.h5")
        self.assertIn("rows are at the very place of another nucleus left out", outcome.err)
        self.assertEqual(pairs_of(self.dir / "twice.h5"), pairs_of(self.dir / "out.h5"))

    def test_positions_counted_from_the_corner_of_the_well(self):
        well = MadeWell(seed=36)
        for tile in well.tiles[40]:
            tile["px"] = tile["px"] + tile["stage"] / FORTY_UM
        well.write(self.dir)
        whole = {"width_px": 20000, "height_px": 20000}  # so that no nucleus is outside of its tile
        self.edit_sheet("forty.csv", lambda i, row: row | whole)
        self.refused(INPUT, ["map", "ten.csv", "forty.csv", "-o", "out.h5"], "40x tiles",
                     "counted from the corner of the well")
        self.assertFalse((self.dir / "out.h5").exists())

    def test_nuclei_on_a_lattice_are_no_match_in_plain_words(self):
        MadeWell(seed=37, jitter=0.02).write(self.dir)
        outcome = self.map("ten.csv", "forty.csv")
        self.assertIn("no match", outcome.out + outcome.err)
        self.assertIn("the nuclei lie so regularly that", outcome.out + outcome.err)
        self.assertEqual(pairs_of(self.dir / "out.h5"), [])

    def test_two_nuclei_shown_as_one_are_the_reason(self):
        well = MadeWell(seed=38)
        merged = well.merge(10, 0.1, 9.0)
        well.write(self.dir)
        self.map("ten.csv", "forty.csv")
        nuclei = read_group(self.dir / "out.h5", "nuclei_40x")
        names = [int(name) for name in texts(read_group(self.dir / "out.h5", "tiles")["tile"])]
        with h5py.File(self.dir / "out.h5") as file:
            reason = h5py.check_enum_dtype(file["nuclei_40x/unpaired"].dtype)["merged"]
        ids = np.array([well.nucleus(40, names[t], label)
                        for t, label in zip(nuclei["tile"], nuclei["label"])])
        of_merged = np.isin(ids, list(merged))
        called = nuclei["unpaired"] == reason
        self.assertGreater(called[of_merged].mean(), 0.5)
        self.assertLess(called[~of_merged].mean(), 0.01)
        self.assertIn("one of two shown as one", self.nucreg("inspect", "out.h5").out)
        self.nucreg("verify", "out.h5")

    def test_a_blank_well_keeps_the_others_from_nothing(self):
        wells = {"A1": MadeWell(seed=33), "A2": MadeWell(seed=34)}
        for blank, other in (("A1", "A2"), ("A2", "A1")):
            sheets = {"ten.csv": [], "forty.csv": []}
            for name, well in wells.items():
                well.write(self.dir / name, well=name)
                for sheet, lines in sheets.items():
                    header, *tiles = (self.dir / name / sheet).read_text().splitlines(True)
                    lines += [header] * (not lines) + [f"{name}/{line}" for line in tiles]
            for path in (self.dir / blank).glob("40x/*.csv"):
                path.write_text("label,x,y,area_px\n")
            for sheet, lines in sheets.items():
                self.write(sheet, "".join(lines))
            outcome = self.map("ten.csv", "forty.csv", "--force")
            self.assertIn(f"well {blank}: no nuclei at 40x", outcome.err)
            self.assert_right(self.dir / "out.h5", wells[other], name=other)
            self.assertEqual(pairs_of(self.dir / "out.h5", blank), [])
            model = read_group(self.dir / "out.h5", "model")
            self.assertEqual(dict(zip(texts(model["well"]), model["matched"].astype(bool))),
                             {blank: False, other: True})
            self.nucreg("verify", "out.h5")

    def test_nuclei_a_little_beyond_their_tile_make_a_sound_map(self):
        MadeWell(seed=35).write(self.dir)
        self.edit_sheet("forty.csv", lambda i, row: row | {"width_px": int(0.99 * FORTY_PX)})
        self.map("ten.csv", "forty.csv")
        self.nucreg("verify", "out.h5")

    def test_nuclei_beyond_the_size_of_their_tile(self):
        MadeWell(seed=35).write(self.dir)
        self.edit_sheet("forty.csv", lambda i, row: row | {"width_px": 500 if i == 3 else FORTY_PX})
        self.refused(INPUT, ["map", "ten.csv", "forty.csv", "-o", "out.h5"], "forty.csv:5",
                     "width_px", "500", "nuclei reach")
        self.assertFalse((self.dir / "out.h5").exists())
        well = MadeWell(seed=35)
        for tile in well.tiles[40]:
            tile["px"] = tile["px"] - FORTY_PX / 2  # counted from the middle
        well.write(self.dir)
        self.refused(INPUT, ["map", "ten.csv", "forty.csv", "-o", "out.h5"], "forty.csv:2",
                     "nuclei reach x = -", "counted from its own corner")


if __name__ == "__main__":
    unittest.main()
