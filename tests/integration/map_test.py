"""`nucreg map`: which nucleus is which in whole wells, from sheets to the file."""

import os
import unittest

import h5py
import numpy as np

from label_tiff import label_tiff
from made_well import FORTY_PX, FORTY_UM, TEN_UM, MadeWell
from map_case import Maps, pairs_of, status_of
from nucreg_case import INPUT, OUTPUT, USAGE, read_group, texts


class Sheets(Maps):
    def test_a_well_from_two_sheets_to_its_file(self):
        well = MadeWell()
        well.write(self.dir)
        outcome = self.map("ten.csv", "forty.csv", ranks=2)
        self.assert_right(self.dir / "out.h5", well)
        self.assertRegex(outcome.out, r"\d+\.\d % of nuclei")
        self.assertIn("sound", self.nucreg("verify", "out.h5").out)
        with h5py.File(self.dir / "out.h5") as h5:
            self.assertEqual(h5.attrs["format"], "nucreg-map")
            self.assertEqual(h5.attrs["status"], "complete")
            self.assertIn('ten = "ten.csv"', h5.attrs["map_toml"])
            self.assertEqual(h5.attrs["mpi_ranks"], 2)
            self.assertEqual(h5["ranks/rank"][:].tolist(), [0, 1])
        self.assertEqual({path.name for path in self.dir.glob("out.h5*")}, {"out.h5"})
        tiles = read_group(self.dir / "out.h5", "tiles")
        self.assertEqual(tiles["side"].tolist(), [10] * 4 + [40] * 49)
        for column, key in ((tiles["stage_x_um"], 0), (tiles["stage_y_um"], 1)):
            np.testing.assert_allclose(column, [t["stage"][key] for s in (10, 40)
                                                for t in well.tiles[s]], atol=1e-3)
        model = read_group(self.dir / "out.h5", "model")
        for what in ("wall_s", "objective", "evaluations"):
            self.assertGreater(model[what][0], 0, what)
        self.assertRegex(outcome.out, r"\d evaluations in\s+[\d.]+ m?s")

    def test_nuclei_in_pieces_are_one_object_and_the_file_is_sound(self):
        well = MadeWell(seed=6)
        well.split(40, 0.06, 24.0)
        well.write(self.dir)
        self.map("ten.csv", "forty.csv")
        with h5py.File(self.dir / "out.h5") as h5:
            rows = np.stack([h5["nuclei_40x/object"][:], h5["nuclei_40x/tile"][:]])
        self.assertGreater(rows.shape[1], np.unique(rows, axis=1).shape[1], "none was put together")
        self.assert_right(self.dir / "out.h5", well)
        self.nucreg("verify", "out.h5")

    def test_a_deformation_that_is_not_followed_is_reported(self):
        for wave_um, shown in ((0.0, False), (3.0, True)):
            MadeWell(seed=7, wave_um=wave_um).write(self.dir)
            outcome = self.map("ten.csv", "forty.csv", "--force")
            sentence = r"likely pairs lie \d\.\d\d um from each other or more, \d\.\d times as far"
            (self.assertRegex if shown else self.assertNotRegex)(outcome.err, sentence)

    def test_nuclei_that_touch_are_no_deformation(self):
        well = MadeWell(seed=7, noise_px=(0.05, 0.2))
        random = np.random.default_rng(4)
        for tile in well.tiles[40]:  # their centroids are drawn to each other
            some = random.random(len(tile["px"])) < 0.12
            tile["px"][some] += random.normal(0, 5.0, (int(some.sum()), 2))
        well.write(self.dir)
        self.assertNotIn("likely pairs lie", self.map("ten.csv", "forty.csv").err)

    def test_ranks_make_no_difference(self):
        MadeWell().write(self.dir)
        for ranks in (1, 2, 3):
            self.map("ten.csv", "forty.csv", output=f"{ranks}.h5", ranks=ranks)
        self.map("ten.csv", "forty.csv", output="0.h5")
        for other in ("1.h5", "2.h5", "3.h5"):
            self.assert_same_map("0.h5", other)

    def test_mirrored_and_without_stage_positions(self):
        well = MadeWell(seed=2, mirrored=True, forty_turn_deg=91.0)
        well.write(self.dir, stage=False)
        self.map("ten.csv", "forty.csv")
        self.assert_right(self.dir / "out.h5", well)

    def test_fields_that_nothing_ties_are_paired_each_for_itself(self):
        well = MadeWell(seed=9)
        well.write(self.dir, stage=False)
        fields = {tile["tile"]: tile for tile in well.tiles[10] if tile["tile"] in (0, 3)}
        inside = [tile["tile"] for tile in well.tiles[40] if any(
            np.abs(tile["stage"] - field["stage"]).max() < 180 for field in fields.values())]
        for sheet, kept in (("ten.csv", fields), ("forty.csv", inside)):
            header, *rows = (self.dir / sheet).read_text().splitlines(True)
            kept = [row for row in rows if int(row.split(",")[1]) in kept]
            (self.dir / sheet).write_text(header + "".join(kept))
        outcome = self.map("ten.csv", "forty.csv", ranks=2)
        self.assertIn("its nuclei are paired, its place is unknown", " ".join(outcome.out.split()))
        found = pairs_of(self.dir / "out.h5")
        for number, field in fields.items():
            self.assertGreater(sum(ten == number for ten, *_ in found), 0.5 * len(field["nuclei"]) *
                               len(inside) / 2 * (FORTY_PX * FORTY_UM) ** 2 / 585 ** 2)
        right = sum(well.nucleus(10, a, i) == well.nucleus(40, b, j) for a, i, b, j in found)
        self.assertGreater(right, 0.99 * len(found))
        tiles, ten = (read_group(self.dir / "out.h5", g) for g in ("tiles", "nuclei_10x"))
        placed = np.isfinite(tiles["centre_x_um"])
        self.assertEqual(placed[tiles["side"] == 10].tolist().count(True), 1)
        self.assertEqual(sorted(set(tiles["island"].tolist())), [0, 1])
        np.testing.assert_array_equal(np.isfinite(ten["x_um"]), placed[ten["tile"]])
        self.assertIn("sound", self.nucreg("verify", "out.h5").out)
        self.nucreg("export", "out.h5", "--to", "tables")
        self.nucreg("report", "out.h5")

    def test_positions_in_millimetres_are_found_out_and_said(self):
        well = MadeWell(seed=3)
        well.write(self.dir, unit=1e-3)
        outcome = self.map("ten.csv", "forty.csv")
        self.assert_right(self.dir / "out.h5", well)
        self.assertRegex(outcome.err, "mm|millimet")

    def test_several_wells_in_one_pair_of_sheets(self):
        wells = {"A1": MadeWell(seed=4), "B 2": MadeWell(seed=5)}
        rows = {"ten.csv": [], "forty.csv": []}
        for folder, (name, well) in zip("ab", wells.items()):
            well.write(self.dir / folder, well=name)
            for sheet, lines in rows.items():
                header, *tiles = (self.dir / folder / sheet).read_text().splitlines(True)
                lines += [header] * (not lines) + [f"{folder}/{line}" for line in tiles]
        for sheet, lines in rows.items():
            self.write(sheet, "".join(lines))
        self.map("ten.csv", "forty.csv")
        for name, well in wells.items():
            self.assert_right(self.dir / "out.h5", well, name=name)
        self.assertEqual(texts(read_group(self.dir / "out.h5", "model")["well"]), ["A1", "B 2"])
        # One of them alone gives the same pairs.
        self.map("ten.csv", "forty.csv", "--set", 'map.wells=["B 2"]', output="b.h5")
        self.assertEqual(pairs_of(self.dir / "b.h5"), pairs_of(self.dir / "out.h5", "B 2"))

    def test_globs_of_tables_without_labels_and_sizes(self):
        well = MadeWell(seed=6)
        well.write(self.dir, label=False)
        outcome = self.map("10x/*.csv", "40x/*.csv", "--set", "place.pixel_10x_um=0.65")
        self.assertIn("labels are the numbers of its rows, from 1", outcome.err)
        self.assertIn("the size of tiles at 40x is not known", outcome.err)
        tiles = read_group(self.dir / "out.h5", "tiles")
        self.assertLessEqual(tiles["width_px"].max(), FORTY_PX)
        names = texts(tiles["tile"])
        self.assertEqual(names[:2], ["tile_00", "tile_01"])
        with h5py.File(self.dir / "out.h5", "a") as h5:  # names as numbers, for the comparison
            h5["tiles/tile"][...] = [name.removeprefix("tile_") for name in names]
        self.assert_right(self.dir / "out.h5", well)

    def test_one_long_table_for_each_side(self):
        well = MadeWell(seed=7)
        for side in (10, 40):
            lines = ["tile,label,x,y\n"]
            for tile in well.tiles[side]:
                lines += [f"{tile['tile']},{i + 1},{x:.3f},{y:.3f}\n"
                          for i, (x, y) in enumerate(tile["px"])]
            self.write(f"long{side}.csv", "".join(lines))
        self.map("long10.csv", "long40.csv", ranks=2)
        self.assert_right(self.dir / "out.h5", well)
        # The same with positions, which a sheet gives for each tile of the table.
        for side in (10, 40):
            self.write(f"sheet{side}.csv", "file,tile,x_um,y_um\n" + "".join(
                f"long{side}.csv,{t['tile']},{t['stage'][0]:.3f},{t['stage'][1]:.3f}\n"
                for t in well.tiles[side]))
        self.map("sheet10.csv", "sheet40.csv", output="sheets.h5")
        self.assert_right(self.dir / "sheets.h5", well)

    def test_one_table_in_micrometres_of_both_sides(self):
        """What is said of the table is said, and each side is read with its own size of pixels."""
        well = MadeWell(seed=7)
        lines = ["tile,label,Centroid X um,Centroid Y um\n", "10-0,,,\n"]
        for side, pixel in ((10, TEN_UM), (40, FORTY_UM)):
            for tile in well.tiles[side]:
                lines += [f"{side}-{tile['tile']},{i + 1},{x * pixel:.4f},{y * pixel:.4f}\n"
                          for i, (x, y) in enumerate(tile["px"])]
            self.write(f"sheet{side}.csv", "file,tile,pixel_um\n" + "".join(
                f"both.csv,{side}-{t['tile']},{pixel}\n" for t in well.tiles[side]))
        self.write("both.csv", "".join(lines))
        outcome = self.map("sheet10.csv", "sheet40.csv")
        self.assertIn("1 row without a centroid skipped, in line", outcome.err)
        with h5py.File(self.dir / "out.h5") as h5:
            scale = np.sqrt(abs(np.linalg.det(h5["tiles/to_well"][:].reshape(-1, 2, 3)[:, :, :2])))
            np.testing.assert_allclose(scale, h5["tiles/pixel_um"][:], rtol=0.02)
            self.assertGreater(len(h5["pairs/ten"]), 1000)

    def test_one_tile_at_each_side(self):
        well = MadeWell(seed=8)
        well.write(self.dir)
        self.map("10x/tile_00.csv", "40x/tile_00.csv", "--set", "place.pixel_10x_um=0.65")
        found = read_group(self.dir / "out.h5", "pairs")
        self.assertGreater(len(found["ten"]), 20)
        nuclei = {s: read_group(self.dir / "out.h5", f"nuclei_{s}x") for s in (10, 40)}
        self.assertTrue(all(
            well.nucleus(10, 0, int(nuclei[10]["label"][a])) ==
            well.nucleus(40, 0, int(nuclei[40]["label"][b]))
            for a, b in zip(found["ten"], found["forty"])))

    def test_the_default_output_is_named_after_the_folder_of_ten(self):
        MadeWell().write(self.dir / "plate 7")
        self.nucreg("map", "plate 7/ten.csv", "plate 7/forty.csv")
        self.assertTrue((self.dir / "results/plate_7.h5").exists())
        self.write("map.toml", '[map]\nname = "mine"\nten = "plate 7/ten.csv"\n'
                               'forty = "plate 7/forty.csv"\n')
        self.nucreg("map", "map.toml")
        self.assert_same_map("results/plate_7.h5", "results/mine.h5")


class Faults(Maps):
    def test_tiles_that_are_empty_or_cannot_be_read_are_rows_with_a_status(self):
        well = MadeWell(seed=9)
        well.write(self.dir)
        (self.dir / "40x/tile_05.csv").write_text("label,x,y,area_px\n")
        (self.dir / "40x/tile_06.csv").write_bytes(b"")
        sheet = (self.dir / "forty.csv").read_text()
        for table, image in (("07.csv", "broken.tif"), ("08.csv", "zeros.tif"),
                             ("09.csv", "zeros.npy")):
            sheet = sheet.replace(f"40x/tile_{table}", f"40x/{image}")
        self.write("forty.csv", sheet)
        self.write("40x/broken.tif", b"II*\0\x08\0\0\0\xff\xff")
        labels = np.zeros((FORTY_PX, FORTY_PX), np.uint16)
        self.write("40x/zeros.tif", label_tiff(labels.tolist()))
        np.save(self.dir / "40x/zeros.npy", labels)
        outcome = self.map("ten.csv", "forty.csv", ranks=2)
        status = status_of(self.dir / "out.h5", 40)
        self.assertEqual(status["5"], "empty")
        self.assertEqual(status["6"], "unreadable")
        self.assertEqual(status["7"], "unreadable")
        self.assertEqual([status["8"], status["9"]], ["empty", "empty"])
        self.assertIn("broken.tif", outcome.err)
        self.assertEqual(sum(word == "unreadable" for word in status.values()), 2)
        self.assert_right(self.dir / "out.h5", well, min_recall=0.9)

    def test_an_array_of_one_nucleus_is_a_tile_of_one(self):
        well = MadeWell(seed=9)
        well.write(self.dir)
        sheet = (self.dir / "forty.csv").read_text().replace("40x/tile_10.csv", "40x/one.npy")
        self.write("forty.csv", sheet)
        labels = np.zeros((FORTY_PX, FORTY_PX), np.uint16)
        labels[300:330, 700:724] = 7
        np.save(self.dir / "40x/one.npy", labels)
        outcome = self.map("ten.csv", "forty.csv")
        self.assertNotIn("unreadable", outcome.err)
        tiles = read_group(self.dir / "out.h5", "tiles")
        self.assertEqual(tiles["nuclei"][texts(tiles["tile"]).index("10")], 1)
        self.assert_right(self.dir / "out.h5", well, min_recall=0.9)

    def test_another_well_is_no_match_and_no_error(self):
        MadeWell(seed=10).write(self.dir)
        MadeWell(seed=11).write(self.dir / "other", sides=(40,))
        outcome = self.map("ten.csv", "other/forty.csv")
        self.assertIn("no match", outcome.out)
        with h5py.File(self.dir / "out.h5") as h5:
            self.assertEqual(h5.attrs["status"], "complete")
            self.assertEqual(len(h5["pairs/ten"]), 0)
            self.assertFalse(h5["model/matched"][0])
            self.assertTrue(h5["model/message"].asstr()[0])


class MixUps(Maps):
    """A map that fails says what would have worked."""

    def no_match(self, *arguments):
        outcome = self.map(*arguments, "--force")
        self.assertIn("no match", outcome.out)
        with h5py.File(self.dir / "out.h5") as h5:
            return h5["model/message"].asstr()[0], outcome.err

    def without(self, sheet, column):
        """A sheet less one of its columns."""
        rows = [line.split(",") for line in (self.dir / sheet).read_text().splitlines()]
        at = rows[0].index(column)
        return self.write("less_" + sheet,
                          "".join(",".join(row[:at] + row[at + 1:]) + "\n" for row in rows))

    def test_sides_exchanged(self):
        well = MadeWell(seed=12)
        for stage in (True, False):
            well.write(self.dir, stage=stage)
            sheets = [self.without(name, "pixel_um") for name in ("forty.csv", "ten.csv")]
            self.assertIn("they match with the sides exchanged", self.no_match(*sheets)[0])
        message, err = self.no_match("forty.csv", "ten.csv")
        self.assertIn("they match with the sides exchanged", message)
        self.assertIn("pixels are 0.1625 um at 10x and 0.65 um at 40x: are the sides exchanged?",
                      err)

    def test_tables_in_micrometres(self):
        well = MadeWell(seed=13)
        for tile in well.tiles[40]:
            tile["px"] = tile["px"] * FORTY_UM
        well.write(self.dir)
        sheets = [self.without(name, "pixel_um") for name in ("ten.csv", "forty.csv")]
        message = self.no_match(*sheets)[0]
        self.assertRegex(message, r"they match at 0\.6[45]\d* 40x px per 10x px, where 3 to 5 are "
                                  "expected; .* place.magnification .* the unit of a table is "
                                  "wrong")

    def test_a_pixel_size_that_is_wrong_is_reported(self):
        well = MadeWell(seed=14)
        well.write(self.dir)
        for sheet, size in (("ten.csv", 0.65), ("forty.csv", 0.1625)):
            text = (self.dir / sheet).read_text()
            self.write("wrong.csv", text.replace(f",{size},", f",{2 * size},"))
            outcome = self.map(*("wrong.csv" if name == sheet else name
                                 for name in ("ten.csv", "forty.csv")), "--force")
            said = 4 * 2 if sheet == "ten.csv" else 2
            self.assertRegex(outcome.err, r"the nuclei show (3\.9|4)\d* 40x px per 10x px; the "
                                          f"pixel sizes, .* say {said}: one")


class WrongInputs(Maps):
    def test_sheets_that_cannot_be_read_twice(self):
        MadeWell(seed=15).write(self.dir)
        os.mkfifo(self.dir / "pipe.csv")
        self.refused(INPUT, ["map", "pipe.csv", "forty.csv"], "pipe.csv", "is not a regular file",
                     "save to a file")
        sheet = self.write("sheet.csv", "file\npipe.csv\n")
        self.refused(INPUT, ["map", sheet, "forty.csv"], "sheet.csv:2", "is not a regular file")
        self.refused(USAGE, ["map", "", "forty.csv"], 'map: TEN: "" names no file')

    def test_sheets_with_decimal_commas_and_under_other_names(self):
        MadeWell(seed=15).write(self.dir)
        self.map("ten.csv", "forty.csv")
        for name in ("ten.csv", "forty.csv"):
            cells = (line.split(",") for line in (self.dir / name).read_text().splitlines())
            self.write(name.removesuffix(".csv"), "\n".join(
                ";".join([row[0], *(cell.replace(".", ",") for cell in row[1:])])
                for row in cells) + "\n")
        self.map("ten", "forty", output="commas.h5")
        self.assertEqual(pairs_of(self.dir / "out.h5"), pairs_of(self.dir / "commas.h5"))

    def test_a_label_that_is_there_twice_in_a_tile(self):
        MadeWell(seed=15).write(self.dir)
        table = self.dir / "40x/tile_03.csv"
        lines = table.read_text().splitlines(True)
        table.write_text("".join(lines[:5] + [lines[1]] + lines[5:]))
        self.refused(INPUT, ["map", "ten.csv", "forty.csv", "-o", "out.h5"], "tile_03.csv:6",
                     "label 1 is there twice, first in line 2", "each label once")
        long = self.write("long.csv", "tile,label,x,y\n1,7,1,2\n2,7,1,2\n1,7,3,4\n")
        self.refused(INPUT, ["map", long, "forty.csv", "-o", "out.h5"], "long.csv:4",
                     "label 7 is there twice in tile 1, first in line 2")

    def test_an_output_that_is_an_input(self):
        MadeWell(seed=15).write(self.dir)
        for output in ("ten.csv", "40x/tile_03.csv"):
            for force in ([], ["--force"]):
                self.refused(USAGE, ["map", "ten.csv", "forty.csv", "-o", output, *force], output,
                             "is one of the inputs")

    def setUp(self):
        super().setUp()
        MadeWell().write(self.dir)

    def edit(self, name, change):
        path = self.dir / name
        path.write_text(change(path.read_text()))

    def refused_map(self, status, *needles, arguments=("ten.csv", "forty.csv"), **options):
        return self.refused(status, ["map", *arguments, "-o", "out.h5"], *needles, **options)

    def test_sheets(self):
        def line(number, change):
            return lambda text: "".join(change(row) if i == number - 1 else row for i, row in
                                        enumerate(text.splitlines(True)))
        original = (self.dir / "forty.csv").read_text()
        for number, change, needles in (
                (1, lambda row: row.replace("file", "name"), ["the sheet has no column file"]),
                (3, lambda row: row.replace("40x/", "41x/"), ["41x/tile_01.csv", "does not exist"]),
                (4, lambda row: row.replace(",2,", ",1,"), ["listed in line 3 already"]),
                (5, lambda row: row.replace("tile_03", "tile_02"), []),
                (6, lambda row: ",".join(["40x/tile_04.csv", "4", "nan", "1", ".1", "9", "9"]) +
                 "\n", ["column x_um", '"nan"']),
                (7, lambda row: ",".join(row.split(",")[:5]) + "\n", ["5 cells"])):
            self.write("forty.csv", line(number, change)(original))
            with self.subTest(number):
                if number == 5:  # the tables of two tiles may be one file, if it has their tiles
                    self.refused_map(INPUT, "forty.csv:4", "column tile")
                else:
                    self.refused_map(INPUT, f"forty.csv:{number}", *needles, ranks=2)

    def test_tables(self):
        self.edit("40x/tile_03.csv", lambda text: text.replace("label,x,y", "label,u,y"))
        self.refused_map(INPUT, "tile_03.csv:1", ranks=2)
        MadeWell().write(self.dir)
        self.edit("40x/tile_03.csv", lambda text: text + "900,1,inf,3\n")
        self.refused_map(INPUT, "tile_03.csv:", "column y")

    def test_a_side_without_tiles_or_nuclei(self):
        self.refused_map(INPUT, "no-*.csv", "matches no file", arguments=("no-*.csv", "forty.csv"))
        self.edit("ten.csv", lambda text: text.splitlines(True)[0])
        self.refused_map(INPUT, "ten.csv", "lists no tiles")
        MadeWell().write(self.dir)
        for path in self.dir.glob("10x/*.csv"):
            path.write_text("label,x,y\n")
        self.refused_map(INPUT, "ten.csv:2", "no nuclei at 10x")

    def test_command_lines_and_map_files(self):
        self.refused(USAGE, ["map", "ten.csv"], "ten.csv", "TEN and FORTY")
        self.refused(USAGE, ["map"], "TEN")
        self.write("map.toml", '[map]\nten = "ten.csv"\nforty = "forty.csv"\n'
                               '[fit]\nloss = "cubic"\n')
        self.refused(USAGE, ["map", "map.toml"], "map.toml:5", "fit.loss")
        self.refused(USAGE, ["map", "ten.csv", "forty.csv", "--set", "map.seed=-1"], "map.seed")
        self.refused(USAGE, ["map", "ten.csv", "forty.csv", "--set", 'map.wells=["C3"]'], "C3")

    def test_an_existing_output_stays_without_force(self):
        self.write("out.h5", b"precious")
        self.refused_map(OUTPUT, "out.h5", "exists", "--force")
        self.map("ten.csv", "forty.csv", "--force")
        self.assertNotEqual((self.dir / "out.h5").read_bytes(), b"precious")
        self.refused_map(OUTPUT, "out.h5", "exists", "--force")


if __name__ == "__main__":
    unittest.main()
