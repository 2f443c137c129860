"""The file of a mapped well: read by h5py, shown, verified, exported, refused by what takes runs.

usage: map_file_test.py SAMPLE_MAP, the program that writes tests/support/sample_map.hpp.
"""

import csv
import json
import shutil
import subprocess
import sys
import unittest

import h5py
import numpy as np

from nucreg_case import DONE, INPUT, LEAST_JOB, OUTPUT, ROOT, USAGE, NucregCase, run, texts

# Of the contract; what the file has beyond them is free.
COLUMNS = {
    "tiles": "side tile file width_px height_px pixel_um stage_x_um stage_y_um centre_x_um "
             "centre_y_um centre_sd_um to_well nuclei links match_rate status message",
    "links": "tile_a tile_b pairs log10_significance residual_um closure_um used",
    "nuclei_10x": "tile label x_px y_px x_um y_um object representative unpaired",
    "nuclei_40x": "tile label x_px y_px x_um y_um object representative unpaired",
    "pairs": "ten forty distance_um heldout_distance_um probability q_value margin",
    "model": "camera_10x camera_40x mirrored_10x turn_10x_deg pixel_10x_um k1_10x noise_10x_um "
             "turn_deg shift_x_um shift_y_um magnification deformation solver loss evaluations "
             "wall_s",
    "solvers": "name kind algorithm options",
    "trials": "configuration trial solver status objective wall_s function_evaluations",
}
PAIRS = ("well,tile_10x,label_10x,x_10x_px,y_10x_px,tile_40x,label_40x,x_40x_px,y_40x_px,"
         "distance_um,probability,q_value")
BRIEFLOW = "plate,well,tile,cell_0,i_0,j_0,site,cell_1,i_1,j_1,distance"


class MapCase(NucregCase):
    @classmethod
    def setUpClass(cls):
        cls.maker = cls.made_once()
        cls.made = cls.maker.dir / "made.h5"
        subprocess.run([SAMPLE_MAP, cls.made], check=True)

    def setUp(self):
        super().setUp()
        self.file = shutil.copy(self.made, self.dir / "map.h5")

    def column(self, path):
        with h5py.File(self.file) as h5:
            return h5[path][()]

    def read_csv(self, path):
        with open(self.dir / path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


class Layout(MapCase):
    def test_columns_of_the_contract_with_units_and_description(self):
        with h5py.File(self.file) as h5:
            self.assertEqual(h5.attrs["format"], "nucreg-map")
            self.assertEqual(h5.attrs["format_version"], 1)
            for group, names in COLUMNS.items():
                self.assertLessEqual(set(names.split()), set(h5[group]), group)
                rows = {len(column) for column in h5[group].values()}
                self.assertEqual(len(rows), 1, group)
                for name, column in h5[group].items():
                    self.assertTrue(column.attrs["units"], f"{group}/{name}")
                    if group != "solvers":
                        self.assertGreater(len(column.attrs["description"]), 4, f"{group}/{name}")
            self.assertEqual(h5["tiles/to_well"].shape[1], 6)
            self.assertEqual(h5["pairs/distance_um"].attrs["units"], "um")
            self.assertEqual(h5["pairs/distance_um"].compression, "gzip")
            self.assertEqual(set(h5["tiles/side"][:]), {10, 40})
            self.assertIn("position_wrong", h5["tiles/status"].asstr()[:])
            self.assertEqual(h5py.check_enum_dtype(h5["nuclei_10x/unpaired"].dtype),
                             {"paired": 0, "outside": 1, "no_candidate": 2, "beaten": 3,
                              "ambiguous": 4, "merged": 5})

    def test_tables_refer_to_each_other(self):
        ten, forty = self.column("pairs/ten"), self.column("pairs/forty")
        for side, rows in (("10x", ten), ("40x", forty)):
            self.assertTrue(self.column(f"nuclei_{side}/representative")[rows].all())
            self.assertFalse(self.column(f"nuclei_{side}/unpaired")[rows].any())
        there = np.hypot(*(self.column(f"nuclei_10x/{axis}")[ten] -
                           self.column(f"nuclei_40x/{axis}")[forty] for axis in ("x_um", "y_um")))
        np.testing.assert_allclose(self.column("pairs/distance_um"), there, atol=1e-9)
        a, b, tx, c, d, ty = self.column("tiles/to_well").T
        middle = [(self.column(f"tiles/{n}_px") - 1) / 2 for n in ("width", "height")]
        placed = np.isfinite(a)
        np.testing.assert_allclose(self.column("tiles/centre_x_um")[placed],
                                   (a * middle[0] + b * middle[1] + tx)[placed])
        np.testing.assert_allclose(self.column("tiles/centre_y_um")[placed],
                                   (c * middle[0] + d * middle[1] + ty)[placed])


class Inspect(MapCase):
    def test_begins_with_the_sentence_and_names_the_tiles(self):
        lines = self.nucreg("inspect", self.file).out.splitlines()
        self.assertRegex(lines[0], r"^\d+\.\d % of nuclei in both fields paired, expected wrong "
                                   r"\d\.\d %, 3 tiles need a look$")
        paired = both = 0
        for side in ("10x", "40x"):
            why = self.column(f"nuclei_{side}/unpaired")[
                self.column(f"nuclei_{side}/representative") != 0]
            paired += (why == 0).sum()
            both += (why != 1).sum()
        wrong = (1 - self.column("pairs/probability")).mean()
        self.assertEqual(lines[0].split(" %")[0], f"{100 * paired / both:.1f}")
        self.assertIn(f"wrong {100 * wrong:.1f} %", lines[0])
        text = "\n".join(lines)
        self.assertRegex(text, r"40x +20 +position_wrong +The stage position is 812 um")
        self.assertRegex(text, r"40x +7 +empty")
        self.assertRegex(text, r"40x +35 +not_placed")
        self.assertLessEqual(max(map(len, lines[1:])), 80)

    def test_words_are_those_of_the_documents(self):
        text = self.nucreg("inspect", self.file).out
        for words in ("no nucleus there", "partner taken", "ambiguous"):
            self.assertIn(words, text)
            self.assertIn(words, (ROOT / "jobs/maps.md").read_text(encoding="utf-8"))

    def test_warnings_are_below_the_sentence(self):
        warned = [f"tile {i}: the table holds nuclei of two times, which are one to this map"
                  for i in range(23)]
        with h5py.File(self.file, "r+") as h5:
            h5.attrs["warnings"] = "\n".join(warned)
        lines = self.nucreg("inspect", self.file).out.splitlines()
        self.assertTrue(lines[1].startswith("warning: tile 0: "), lines)
        self.assertEqual(sum(line.startswith("warning: tile ") for line in lines), 20)
        self.assertIn("warning: and 3 more", "\n".join(lines))
        self.assertLessEqual(max(map(len, lines[1:])), 80)
        shown = json.loads(self.nucreg("inspect", self.file, "--json").out)
        self.assertEqual(shown["warnings"], warned)

    def test_json(self):
        shown = json.loads(self.nucreg("inspect", self.file, "--json").out)
        self.assertEqual(shown["attributes"]["format"], "nucreg-map")
        well = shown["wells"][0]
        self.assertEqual(shown["sentence"], well["sentence"])
        self.assertEqual(well["pairs"], len(self.column("pairs/ten")))
        self.assertEqual(well["sides"]["40x"]["tiles"], 36)
        self.assertEqual(well["sides"]["40x"]["placed"], 35)
        self.assertEqual([(t["side"], t["tile"], t["what"]) for t in shown["tiles_to_look_at"]],
                         [(40, "7", "empty"), (40, "20", "position_wrong"),
                          (40, "35", "not_placed")])
        self.assertEqual([t["solver"] for t in shown["trials"]], ["L-BFGS", "LM"])

    def test_a_tile_with_a_low_match_rate_needs_a_look(self):
        with h5py.File(self.file, "r+") as h5:
            h5["tiles/match_rate"][10] = 0.2
        shown = json.loads(self.nucreg("inspect", self.file, "--json").out)
        self.assertIn((6, "low match rate"),
                      [(int(t["tile"]), t["what"]) for t in shown["tiles_to_look_at"]])
        self.assertIn("4 tiles need a look", shown["sentence"])

    def test_no_match_says_why(self):
        with h5py.File(self.file, "r+") as h5:
            h5["model/matched"][0] = 0
            replace_texts(h5, "model/message", ["The two sides show different wells."])
        self.assertEqual(self.nucreg("inspect", self.file).out.splitlines()[0],
                         "no match: The two sides show different wells; 3 tiles need a look")


def replace_texts(h5, path, values):
    attributes = dict(h5[path].attrs)
    del h5[path]
    h5[path] = np.array([v.encode() for v in values],
                        h5py.string_dtype("utf-8", max(map(len, values))))
    h5[path].attrs.update(attributes)


def first(values, wanted):
    return int(np.flatnonzero(np.asarray(values) == wanted)[0])


class Damage(MapCase):
    """Each change is found, and under its name."""

    def found(self, change, *needles):
        with h5py.File(self.file, "r+") as h5:
            change(h5)
        outcome = run(self.dir, "verify", self.file)
        self.assertEqual(outcome.status, INPUT, outcome)
        for needle in needles:
            self.assertIn(needle, outcome.out + outcome.err, outcome)

    def test_sound(self):
        out = self.nucreg("verify", self.file).out
        self.assertRegex(out, r"map.h5: sound: 40 tiles, [\d,]+ detections, [\d,]+ pairs\n$")

    def test_pair_beyond_the_table(self):
        def change(h5):
            h5["pairs/ten"][3] = len(h5["nuclei_10x/tile"])
        self.found(change, "/pairs/ten is not in the table of nuclei: row 3")

    def test_used_twice(self):
        def change(h5):
            h5["pairs/forty"][3] = h5["pairs/forty"][2]
        self.found(change, "/pairs/forty is paired twice: row 3",
                   "/nuclei_40x/unpaired is paired, but no pair names the nucleus")

    def test_pair_of_no_representative(self):
        def change(h5):
            h5["pairs/ten"][0] = first(h5["nuclei_10x/representative"][:], 0)
        self.found(change, "/pairs/ten is no representative: row 0")

    def test_called_unpaired(self):
        def change(h5):
            row = int(h5["pairs/ten"][5])
            mine = h5["nuclei_10x/object"][:] == h5["nuclei_10x/object"][row]
            h5["nuclei_10x/unpaired"][:] = np.where(mine, 3, h5["nuclei_10x/unpaired"][:])
        self.found(change, "/pairs/ten is called unpaired in its own table: row 5",
                   "/tiles/match_rate is not what the table of nuclei gives")

    def test_q_values_fall(self):
        def change(h5):
            least = int(np.argmin(h5["pairs/probability"][:]))
            h5["pairs/q_value"][least] = 0.0
        self.found(change, "/pairs/q_value falls as the probability falls",
                   "/decoys/pairs is not the number of pairs up to the q-value")

    def test_probability_above_one(self):
        def change(h5):
            h5["pairs/probability"][4] = 1.5
        self.found(change, "/pairs/probability is not within 0 and 1: row 4")

    def test_distance_that_is_none(self):
        def change(h5):
            h5["pairs/distance_um"][4] = np.nan
        self.found(change, "/pairs/distance_um is no finite number >= 0: row 4")

    def test_object_without_and_with_two_representatives(self):
        def change(h5):
            rows = h5["nuclei_40x/representative"][:]
            rows[first(rows, 1)] = 0
            objects, counts = np.unique(h5["nuclei_40x/object"][:], return_counts=True)
            rows[h5["nuclei_40x/object"][:] == objects[counts == 2][-1]] = 1
            h5["nuclei_40x/representative"][:] = rows
        self.found(change, "/nuclei_40x/representative: an object has none",
                   "/nuclei_40x/representative: an object has two")

    def test_object_numbers(self):
        def change(h5):
            objects = h5["nuclei_10x/object"][:]
            objects[objects == objects.max() - 3] = objects.max() + 2
            h5["nuclei_10x/object"][:] = objects
        self.found(change, "/nuclei_10x/object does not count from 0 without a gap")

    def test_object_twice_in_a_tile(self):
        def change(h5):
            h5["nuclei_10x/object"][1] = h5["nuclei_10x/object"][0]
        self.found(change, "/nuclei_10x/object is there twice in one tile: row 1")

    def test_tile_of_a_nucleus(self):
        def change(h5):
            h5["nuclei_10x/tile"][9] = 4000
        self.found(change, "/nuclei_10x/tile is not in /tiles: row 9")

    def test_tile_of_the_other_side(self):
        def change(h5):
            h5["nuclei_10x/tile"][len(h5["nuclei_10x/tile"]) - 1] = 5
        self.found(change, "/nuclei_10x/tile is a tile of the other side",
                   "/tiles/nuclei is not the number of its rows")

    def test_label_twice(self):
        def change(h5):
            h5["nuclei_40x/label"][1] = h5["nuclei_40x/label"][0]
        self.found(change, "/nuclei_40x/label is there twice in one tile")

    def test_place_of_a_nucleus(self):
        def change(h5):
            h5["nuclei_40x/x_um"][2] += 500
            h5["nuclei_40x/x_px"][3] = -50
            h5["nuclei_40x/y_um"][4] = np.nan
        self.found(change, "/nuclei_40x/x_um is far from where to_well of its tile takes it",
                   "/nuclei_40x/x_px or y_px is not within the tile: row 3",
                   "/nuclei_40x/x_um is not finite exactly if its tile is placed: row 4")

    def test_tiles(self):
        def change(h5):
            h5["tiles/links"][0] += 1
            h5["tiles/match_rate"][1] = 2
            replace_texts(h5, "tiles/status", ["empty"] + list(h5["tiles/status"].asstr()[1:]))
        self.found(change, "/tiles/links is not the number of its links that are used: row 0",
                   "/tiles/match_rate is not within 0 and 1: row 1",
                   "/tiles/status is empty, but the tile has nuclei: row 0",
                   "/tiles/message is not there exactly if the status is not ok: row 0")

    def test_unknown_status(self):
        self.found(lambda h5: replace_texts(h5, "tiles/status", ["fine"] * 40),
                   '"fine" is no status of a tile')

    def test_links(self):
        def change(h5):
            h5["links/tile_b"][0] = 999
            for end in ("links/tile_a", "links/tile_b"):
                h5[end][2] = h5[end][1]
            h5["links/log10_significance"][3] = 2
        self.found(change, "/links names a tile that is not in /tiles: row 0",
                   "/links ties two tiles twice: row 2",
                   "/links/log10_significance is above 0: row 3")

    def test_model(self):
        def change(h5):
            h5["model/magnification"][0] = np.nan
            h5["model/camera_40x"][0] = [1, 2, 2, 4]
        self.found(change, "/model/magnification is no finite number > 0",
                   "/model/camera_40x has no inverse")

    def test_well_without_model(self):
        self.found(lambda h5: replace_texts(h5, "model/well", ["B7"]),
                   "/tiles/well is not in /model")

    def test_no_match_with_pairs(self):
        def change(h5):
            h5["model/matched"][0] = 0
        self.found(change, "/pairs is of a well without a match",
                   "/model/message does not say why there is no match")

    def test_decoys_and_trials(self):
        def change(h5):
            h5["decoys/pairs"][1] += 1
            h5["trials/solver"][1] = 7
            h5["deformation/dx_um"][0] = np.inf
        self.found(change, "/decoys/pairs is not the number of pairs up to the q-value: row 1",
                   "/trials/solver is not in /solvers: row 1",
                   "/deformation holds a number that is not finite: row 0")

    def test_attributes(self):
        def change(h5):
            h5.attrs["status"] = "nearly"
            del h5.attrs["map_toml"]
        self.found(change, "attribute status is neither complete nor partial: nearly",
                   "attribute map_toml is missing")

    def test_columns(self):
        def lost(h5):
            del h5["pairs/q_value"]
        self.found(lost, "/pairs/q_value", "is missing")

    def test_column_of_another_length(self):
        def shorter(h5):
            values = h5["pairs/q_value"][:-1]
            del h5["pairs/q_value"]
            h5["pairs/q_value"] = values
        self.found(shorter, "/pairs/q_value", "rows, but the first column has")

    def test_illegal_enumeration(self):
        def change(h5):
            raw = h5["nuclei_10x/unpaired"].id
            codes = h5["nuclei_10x/unpaired"][:]
            codes[6] = 77
            raw.write(h5py.h5s.ALL, h5py.h5s.ALL, codes, mtype=raw.get_type())
        self.found(change, "/nuclei_10x/unpaired", "row 6 holds 77")

    def test_cut_and_overwritten_bytes_never_crash(self):
        whole = self.file.read_bytes()
        for cut in (0, 100, len(whole) // 2, len(whole) - 1):
            self.file.write_bytes(whole[:cut])
            outcome = run(self.dir, "verify", self.file)
            self.assertEqual(outcome.status, INPUT, outcome)
        rng = np.random.default_rng(5)
        for _ in range(20):
            spoilt = bytearray(whole)
            at = int(rng.integers(0, len(whole) - 64))
            spoilt[at:at + 64] = rng.bytes(64)
            self.file.write_bytes(spoilt)
            for command in ("verify", "inspect"):
                outcome = run(self.dir, command, self.file, NUCREG_READ_SECONDS="2")
                self.assertIn(outcome.status, (DONE, INPUT), outcome)


    def test_any_flipped_bit_is_found(self):
        whole = self.file.read_bytes()
        step = len(whole) // 60
        for at in range(step // 2, len(whole), step):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << at % 8
            self.file.write_bytes(damaged)
            outcome = run(self.dir, "verify", self.file, NUCREG_READ_SECONDS="2")
            self.assertEqual(outcome.status, INPUT, f"byte {at}: {outcome}")


class Export(MapCase):
    def test_csv(self):
        out = self.nucreg("export", self.file, "--to", "tables").out
        self.assertEqual(out, "tables/pairs.csv\ntables/tiles.csv\ntables/unpaired.csv\n")
        self.assertEqual((self.dir / "tables/pairs.csv").read_text().splitlines()[0], PAIRS)
        rows = self.read_csv("tables/pairs.csv")
        ten, forty = self.column("pairs/ten"), self.column("pairs/forty")
        names = texts(self.column("tiles/tile"))
        self.assertEqual(len(rows), len(ten))
        for i in (0, 77, len(rows) - 1):
            row = rows[i]
            self.assertEqual(row["well"], "A1")
            for side, at in (("10x", ten[i]), ("40x", forty[i])):
                self.assertEqual(row[f"tile_{side}"], names[self.column(f"nuclei_{side}/tile")[at]])
                self.assertEqual(int(row[f"label_{side}"]), self.column(f"nuclei_{side}/label")[at])
                self.assertEqual(float(row[f"x_{side}_px"]), self.column(f"nuclei_{side}/x_px")[at])
            self.assertEqual(float(row["q_value"]), self.column("pairs/q_value")[i])
        tiles = self.read_csv("tables/tiles.csv")
        self.assertEqual(len(tiles), 40)
        self.assertEqual((tiles[24]["side"], tiles[24]["tile"], tiles[24]["status"]),
                         ("40", "20", "position_wrong"))
        self.assertEqual(tiles[39]["centre_x_um"], "nan")
        unpaired = self.read_csv("tables/unpaired.csv")
        expected = sum(((self.column(f"nuclei_{s}/unpaired") != 0)
                        & (self.column(f"nuclei_{s}/representative") != 0)).sum()
                       for s in ("10x", "40x"))
        self.assertEqual(len(unpaired), expected)
        self.assertEqual({row["reason"] for row in unpaired}, {"no_candidate", "outside"})

    def test_brieflow(self):
        self.nucreg("export", self.file, "--to", "b", "--format", "brieflow")
        self.assertEqual((self.dir / "b/merge.csv").read_text().splitlines()[0], BRIEFLOW)
        row = self.read_csv("b/merge.csv")[11]
        ten, forty = self.column("pairs/ten")[11], self.column("pairs/forty")[11]
        self.assertEqual(float(row["i_0"]), self.column("nuclei_40x/y_px")[forty])
        self.assertEqual(float(row["j_0"]), self.column("nuclei_40x/x_px")[forty])
        self.assertEqual(int(row["cell_1"]), self.column("nuclei_10x/label")[ten])
        self.assertEqual(float(row["i_1"]), self.column("nuclei_10x/y_px")[ten])
        # A pixel at 10x is 1 um.
        self.assertAlmostEqual(float(row["distance"]), self.column("pairs/distance_um")[11])

    def test_napari(self):
        self.nucreg("export", self.file, "--to", "n", "--format", "napari")
        rows = self.read_csv("n/nuclei_40x.csv")
        # What napari takes a CSV of points by (napari_builtins/io/_read.py).
        self.assertEqual(list(rows[0])[:3], ["index", "axis-0", "axis-1"])
        shown = ((self.column("nuclei_40x/representative") != 0)
                 & np.isfinite(self.column("nuclei_40x/x_um")))
        np.testing.assert_array_equal([float(r["axis-0"]) for r in rows],
                                      self.column("nuclei_40x/y_um")[shown])
        np.testing.assert_array_equal([float(r["axis-1"]) for r in rows],
                                      self.column("nuclei_40x/x_um")[shown])
        with h5py.File(self.file) as h5:
            wells = h5["tiles/well"].asstr()[:][h5["nuclei_40x/tile"][:]][shown]
        self.assertEqual([r["well"] for r in rows], list(wells))

    def test_existing_files_and_wrong_formats(self):
        self.nucreg("export", self.file, "--to", "t")
        self.refused(OUTPUT, ["export", self.file, "--to", "t"], "pairs.csv", "--force")
        self.nucreg("export", self.file, "--to", "t", "--force")
        self.refused(USAGE, ["export", self.file, "--to", "u", "--format", "coco"],
                     "is the map of a well", "brieflow")

    def test_two_wells_without_a_name_and_names_that_need_quotes(self):
        with h5py.File(self.file, "r+") as h5:
            replace_texts(h5, "tiles/tile", [f'"{i}", x' for i in range(40)])
        self.nucreg("export", self.file, "--to", "t")
        self.assertEqual(self.read_csv("t/tiles.csv")[3]["tile"], '"3", x')


class AnnData(MapCase):
    """pairs.h5ad against https://anndata.readthedocs.io/en/stable/fileformat-prose.html."""

    def setUp(self):
        super().setUp()
        self.nucreg("export", self.file, "--to", "a", "--format", "h5ad")
        self.h5 = h5py.File(self.dir / "a/pairs.h5ad")
        self.addCleanup(self.h5.close)

    def encoded(self, item):
        return item.attrs["encoding-type"], item.attrs["encoding-version"]

    def check_strings(self, dataset):
        self.assertEqual(self.encoded(dataset), ("string-array", "0.2.0"))
        kind = h5py.check_string_dtype(dataset.dtype)
        self.assertEqual((kind.encoding, kind.length), ("utf-8", None))

    def check_frame(self, frame):
        self.assertEqual(self.encoded(frame), ("dataframe", "0.2.0"))
        index = frame[frame.attrs["_index"]]
        self.check_strings(index)
        self.assertEqual(len(set(index[:])), len(index))
        order = list(frame.attrs["column-order"])
        self.assertEqual(set(order) | {frame.attrs["_index"]}, set(frame))
        for name in order:
            if isinstance(frame[name], h5py.Group):
                self.assertEqual(self.encoded(frame[name]), ("categorical", "0.2.0"))
                self.assertFalse(bool(frame[name].attrs["ordered"]))
                codes, words = frame[name]["codes"], frame[name]["categories"]
                self.check_strings(words)
                self.assertEqual(self.encoded(codes), ("array", "0.2.0"))
                self.assertEqual(codes.dtype.kind, "i")
                self.assertLess(codes[:].max(initial=-1), len(words))
                self.assertEqual(len(codes), len(index))
            else:
                self.assertEqual(self.encoded(frame[name]), ("array", "0.2.0"))
                self.assertEqual(len(frame[name]), len(index))
        return len(index)

    def test_layout(self):
        self.assertEqual(self.encoded(self.h5), ("anndata", "0.1.0"))
        observations = self.check_frame(self.h5["obs"])
        self.assertEqual(observations, len(self.column("pairs/ten")))
        self.assertEqual(self.check_frame(self.h5["var"]), 0)
        for mapping in ("layers", "obsm", "obsp", "uns", "varm", "varp"):
            self.assertEqual(self.encoded(self.h5[mapping]), ("dict", "0.1.0"))
        self.assertEqual(self.encoded(self.h5["obsm/spatial"]), ("array", "0.2.0"))
        self.assertEqual(self.h5["obsm/spatial"].shape, (observations, 2))

    def test_values(self):
        ten = self.column("pairs/ten")
        tile = self.h5["obs/tile_10x"]
        names = tile["categories"].asstr()[:][tile["codes"][:]]
        expected = np.array(texts(self.column("tiles/tile")))[self.column("nuclei_10x/tile")[ten]]
        self.assertEqual(names.tolist(), expected.tolist())
        labels = self.column("nuclei_10x/label")[ten]
        np.testing.assert_array_equal(self.h5["obs/label_10x"][:], labels)
        np.testing.assert_array_equal(self.h5["obs/q_value"][:], self.column("pairs/q_value"))
        self.assertEqual(self.h5["obs/_index"].asstr()[4], f"A1_{expected[4]}_{labels[4]}")
        np.testing.assert_array_equal(self.h5["obsm/spatial"][:, 1],
                                      self.column("nuclei_10x/y_um")[ten])

    def test_anndata_reads_it(self):
        try:
            import anndata
        except ImportError:
            self.skipTest("anndata is not installed; the layout was checked by h5py")
        read = anndata.read_h5ad(self.dir / "a/pairs.h5ad")
        self.assertEqual(read.shape, (len(self.column("pairs/ten")), 0))


class OtherKind(MapCase):
    def test_commands_for_runs_refuse_a_map(self):
        result = self.run_job(LEAST_JOB)
        word = ("is the map of a well (nucreg map) and not the result of a run; "
                "allowed: results of nucreg run")
        for arguments in (["compare", self.file, result], ["compare", result, self.file],
                          ["merge", self.file, result, "-o", "both.h5"], ["recommend", self.file]):
            self.refused(INPUT, arguments, "map.h5", word)
        self.refused(USAGE, ["export", result, "--to", "t", "--format", "h5ad"],
                     "is the result of a run")

    def test_a_newer_map(self):
        with h5py.File(self.file, "r+") as h5:
            h5.attrs["format_version"] = 99
        self.refused(INPUT, ["inspect", self.file], "map.h5", "99")

    def test_a_foreign_file(self):
        with h5py.File(self.dir / "foreign.h5", "w") as h5:
            h5.attrs["format"] = "something"
        self.refused(INPUT, ["inspect", "foreign.h5"], "foreign.h5", "no result of nucreg")


if __name__ == "__main__":
    SAMPLE_MAP = sys.argv.pop(1)
    unittest.main()
