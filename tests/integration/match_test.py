"""nucreg match: tables, label images and real images, to a map and pairs; no match is an answer."""

import json
import os
import struct
import unittest

import numpy as np

from label_tiff import label_tiff, two_pages
import table_forms
from nucreg_case import INPUT, LEAST_JOB, OUTPUT, SHARED, USAGE, NucregCase, read_group, run
from tiff_pages import read_page

TURN = np.array([[0.0, -4.0], [-4.0, 0.0]])  # by 90 degrees and mirrored
SHIFT = np.array([1900.0, 2100.0])


def nuclei(count, seed=1):
    """Points of a square field at a distance."""
    random, points = np.random.default_rng(seed), []
    while len(points) < count:
        p = random.uniform(0, 500, 2)
        if all(np.hypot(*(p - q)) > 8 for q in points):
            points.append(p)
    return np.array(points)


class Match(NucregCase):
    def table(self, name, points):
        rows = "".join(f"{x!r},{y!r},30,1000\n" for x, y in points.tolist())
        return self.write(name, "x,y,area_px,mean_intensity\n" + rows)

    def pair_of_tables(self):
        ten = nuclei(300)
        forty = (ten @ TURN.T + SHIFT + np.random.default_rng(2).normal(0, 0.5, ten.shape))[100:]
        return self.table("10x.csv", ten), self.table("40x.csv", forty), ten, forty

    def test_a_name_that_is_not_utf8_is_replaced_in_json(self):
        name = os.fsdecode(b"bad\xff.csv")
        (self.dir / name).write_text("x,y\n1,2\n")
        self.write("ok.csv", "x,y\n1,2\n300,40\n70,600\n")
        outcome = run(self.dir, "match", name, "ok.csv", "--json")
        self.assertIn("bad\ufffd.csv", json.loads(outcome.out)["reason"], outcome)

    def test_tables_to_a_map_and_pairs_that_a_job_takes(self):
        ten_file, forty_file, ten, forty = self.pair_of_tables()
        found = json.loads(self.nucreg("match", ten_file, forty_file, "--json",
                                       "--pairs", "pairs.csv").out)
        self.assertEqual(found["status"], "matched")
        self.assertIs(found["mirrored"], True)
        np.testing.assert_allclose(np.array(found["affine_10x_to_40x"])[:, :2], TURN, atol=0.003)
        np.testing.assert_allclose(np.array(found["affine_10x_to_40x"])[:, 2], SHIFT, atol=0.5)
        self.assertEqual(found["matched"], 200)
        self.assertEqual(found["match_rate"], 1.0)
        self.assertLess(found["chance_rate"], 0.05)
        self.assertLess(found["significance"], 1e-50)
        self.assertGreater(found["heldout_rmsd_px"], 0.4)
        self.assertLess(found["heldout_rmsd_px"], 1.0)
        self.assertLess(found["trs"]["scale_x"] * found["trs"]["scale_y"], 0)

        pairs = np.loadtxt(self.dir / "pairs.csv", delimiter=",", skiprows=1)
        index = np.arange(1, 201)  # of rows, since the tables have no labels
        expected = np.column_stack([ten[100:], forty, index + 100, index])
        self.assertLess(pairs[:, 6].max(), 5.0)
        pairs = pairs[:, :6]
        np.testing.assert_array_equal(pairs[np.lexsort(pairs.T)], expected[np.lexsort(expected.T)])
        result = self.run_job(LEAST_JOB.replace(
            "points = 30", 'source = "pairs"\nfiles = ["pairs.csv"]'))
        np.testing.assert_allclose(read_group(result, "trials")["params"][0].reshape(2, 3)[:, :2],
                                   TURN, atol=0.003)

        self.refused(OUTPUT, ["match", ten_file, forty_file, "--pairs", "pairs.csv"], "pairs.csv",
                     "exists", "--force")
        text = self.nucreg("match", ten_file, forty_file, "--pairs", "pairs.csv", "--force").out
        self.assertTrue(text.startswith("matched; "), text)
        self.assertIn("held-out", text)
        self.assertIn("by chance", text)

    def test_near_narrows_the_search_and_is_not_believed(self):
        # Few of many, and each side lacks a third of them, so that a search everywhere is long.
        random, all_nuclei = np.random.default_rng(2), nuclei(900) * 2
        seen = random.uniform(size=(2, len(all_nuclei))) > 0.35
        near = np.hypot(*(all_nuclei - [300, 700]).T) < 160
        ten, forty = all_nuclei[seen[0]], 4 * all_nuclei[seen[1] & near]
        forty += random.normal(0, 2, forty.shape)
        files = self.table("10x.csv", ten), self.table("40x.csv", forty)
        x, y = (forty.min(axis=0) + forty.max(axis=0)) / 8
        found = {name: json.loads(self.nucreg("match", *files, "--json", *more).out)
                 for name, more in (("free", []), ("right", ["--near", f"{x + 12},{y - 9},40"]),
                                    ("wrong", ["--near", f"{x + 500},{y},40"]),
                                    ("outside", ["--near", "-1e9,1e9,1e-3"]))}
        for name, one in found.items():
            self.assertEqual(one["status"], "matched", name)
            middle = np.array(one["affine_10x_to_40x"]) @ [x, y, 1]
            np.testing.assert_allclose(middle, [4 * x, 4 * y], atol=3, err_msg=name)
        # 200 are tried after a match, which may rival it.
        self.assertLess(found["right"]["hypotheses"] - 200,
                        (found["free"]["hypotheses"] - 200) / 2)
        self.assertAlmostEqual(found["right"]["stage_error_px"], 15, delta=1)
        self.assertAlmostEqual(found["wrong"]["stage_error_px"], 500, delta=2)
        self.assertIsNone(found["free"]["stage_error_px"])
        self.assertIn("at 10x from where it was said",
                      self.nucreg("match", *files, "--near", f"{x},{y},50").out)

    def test_stage_positions_and_the_frame_of_each_side(self):
        self.nucreg("synth", "--to", "tiles", "--field", 300, "--tile", 500, "--nuclei", 220,
                    "--forty", 1)
        ten, forty = "tiles/10x_0.tif", "tiles/40x_0.tif"
        by_stage, free = (json.loads(self.nucreg("match", ten, forty, "--json", *more).out)
                          for more in (["--stage-error", 40], ["--stage-error", 0]))
        self.assertEqual(by_stage["matched"], free["matched"])
        self.assertLess(by_stage["stage_error_px"], 60)
        self.assertIsNone(free["stage_error_px"])

        self.nucreg("image", ten, "--frame", "0", "--channel", "0", "--to", "page.tif")
        page = read_page(self.dir / "page.tif")
        self.write("two.tif", two_pages(np.zeros_like(page).tolist(), page.tolist()))
        for more in (["--frame-10x", 1], ["--frame", 0, "--frame-10x", 1, "--channel-40x", "DAPI"]):
            found = json.loads(self.nucreg("match", "two.tif", forty, "--json", *more).out)
            self.assertEqual(found["matched"], free["matched"])
        outcome = run(self.dir, "match", "two.tif", forty)
        self.assertEqual(outcome.status, INPUT, outcome)
        self.assertTrue(outcome.out.startswith("no match; nuclei: 0 at 10x\n"), outcome)
        self.refused(INPUT, ["match", "two.tif", forty, "--frame", 1], forty, "no frame 1")
        self.refused(INPUT, ["match", "two.tif", forty, "--frame-10x", 2], "two.tif", "no frame 2")
        self.refused(INPUT, ["match", ten, forty, "--channel-40x", "GFP"], forty, '"GFP"')

    def test_options_that_have_no_meaning(self):
        ten, forty, _, _ = self.pair_of_tables()
        (self.dir / "10x.csv").rename(self.dir / "10X.CSV")
        self.assertIn("matched; nuclei: 300 at 10x, 200 at 40x",
                      self.nucreg("match", "10X.CSV", forty).out)
        for option, value in (("--channel", "DAPI"), ("--frame", "0"), ("--channel-10x", "0"),
                              ("--frame-40x", "0"), ("--diameter-10x", "9"), ("--stage-error", "9"),
                              ("--near", "1,2"), ("--near", "1,2,0"), ("--near", "1,nan,3")):
            with self.subTest(option):
                self.refused(USAGE, ["match", "10X.CSV", forty, option, value], option)
        # Before anything is read.
        for more in (["--near", "1,2,0"], ["--stage-error", 9]):
            self.refused(USAGE, ["match", "none.csv", "none.tif", *more], more[0])

    def test_pairs_that_are_an_input_or_cannot_be_looked_at(self):
        ten, forty, _, _ = self.pair_of_tables()
        (self.dir / "link.csv").symlink_to(forty)
        for pairs in (ten, forty, "link.csv"):
            for force in ([], ["--force"]):
                self.refused(USAGE, ["match", ten, forty, "--pairs", pairs, *force], pairs,
                             "--pairs: is one of the inputs")
        self.refused(OUTPUT, ["match", ten, forty, "--pairs", "x" * 300], "x" * 300)

    def test_numpy_points_are_rows_and_columns(self):
        _, forty_file, ten, _ = self.pair_of_tables()
        np.save(self.dir / "10x.npy", ten[:, ::-1])
        found = json.loads(self.nucreg("match", "10x.npy", forty_file, "--json").out)
        self.assertEqual((found["status"], found["matched"]), ("matched", 200))

    def test_tables_of_all_programs_give_the_same_match_and_keep_their_labels(self):
        _, forty_file, ten, _ = self.pair_of_tables()
        ten = np.round(ten, 3)
        rows = None
        for what, name, data, options, labelled in table_forms.forms(ten):
            with self.subTest(what):
                self.write(name, data)
                found = self.nucreg("match", name, forty_file, "--json", "--pairs", "pairs.csv",
                                    "--force", *options)
                pairs = np.genfromtxt(self.dir / "pairs.csv", delimiter=",", names=True)
                if rows is None:  # the plain table
                    plain, rows = found.out, pairs
                self.assertEqual(plain, found.out)
                np.testing.assert_array_equal(pairs["label10"],
                                              rows["label10"] - (0 if labelled else 99))
                for column in ("x10", "y10", "x40", "y40", "label40", "residual_px"):
                    np.testing.assert_array_equal(pairs[column], rows[column], column)
        at = {100.0 + i: p for i, p in enumerate(ten)}
        for row in rows:
            np.testing.assert_array_equal(at[row["label10"]], [row["x10"], row["y10"]])

    def test_how_a_table_was_read_is_said(self):
        ten_file, forty_file, ten, _ = self.pair_of_tables()
        np.save(self.dir / "ten.npy", ten[:, ::-1])
        said = self.nucreg("match", "ten.npy", forty_file).err
        self.assertIn("ten.npy: table, 300 nuclei", said)
        self.assertIn("row (y), column (x); --npy-order xy", said)
        text = self.write("gaps.csv", ten_file.read_text().replace("\n", "\nnan,nan,30,1\n", 1))
        said = self.nucreg("match", text, forty_file).err
        self.assertIn("warning: 1 row without a centroid skipped", said)
        lines = ten_file.read_text().splitlines()
        text = self.write("tiles.csv", "\n".join(
            ["tile," + lines[0], *(f"{i % 3},{line}" for i, line in enumerate(lines[1:]))]))
        self.assertIn("warning: it holds 3 tiles, which are taken for one; to tell them apart: "
                      "nucreg map", self.nucreg("match", text, forty_file).err)

    def test_a_failed_match_names_what_would_have_worked(self):
        ten_file, forty_file, ten, forty = self.pair_of_tables()
        in_um = self.table("um.csv", ten * 0.65)
        for files, needles in (
                ((forty_file, ten_file), ["exchanged"]),
                ((in_um, forty_file), ["6.15 40x px per 10x px", "micrometres", "--magnification"]),
                ((ten_file, self.table("half.csv", forty / 2)), ["at 2 40x px per 10x px"]),
                ((ten_file, self.table("other.csv", nuclei(200, 9))), ["none from 0.1 to 20"])):
            found = json.loads(self.nucreg("match", *files, "--json").out)
            self.assertEqual(found["status"], "no match")
            for needle in needles:
                self.assertIn(needle, found["reason"])

    def test_names_and_options_that_are_none(self):
        ten, forty, _, _ = self.pair_of_tables()
        self.refused(USAGE, ["match", "", forty], 'match: TEN: "" names no file')
        self.refused(USAGE, ["match", ten, forty, "--pairs", ""], 'match: --pairs: ""')
        self.refused(USAGE, ["match", "--foo"], "match: unknown argument --foo")
        self.refused(USAGE, ["match", ten, "--magnifcation", "3"],
                     'did you mean "--magnification"?')
        self.assertNotIn("unknown", self.refused(USAGE, ["match", ten], "FORTY").err)
        pipe = self.dir / "pipe"
        os.mkfifo(pipe)
        self.refused(INPUT, ["match", pipe, forty], "not a regular file but a pipe",
                     "through the pipe")
        pipe.unlink()

    def test_tables_under_names_that_say_nothing(self):
        ten, forty, points, _ = self.pair_of_tables()
        plain = self.nucreg("match", ten, forty, "--json").out
        ten.rename(self.dir / "nuclei of tile 3")
        self.assertEqual(self.nucreg("match", "nuclei of tile 3", forty, "--json").out, plain)
        self.refused(USAGE, ["match", "nuclei of tile 3", forty, "--channel", "0"], "--channel")

    def test_cells_that_could_be_read_wrong(self):
        _, forty, points, _ = self.pair_of_tables()
        points = np.round(points, 2)
        rows = [f'"{x:.2f}","{y:.2f}"'.replace(".", ",") for x, y in points]
        plain = self.nucreg("match", self.table("plain.csv", points), forty, "--json").out
        quoted = self.write("quoted.csv", "x,y\n" + "\n".join(rows) + "\n")
        self.assertEqual(self.nucreg("match", quoted, forty, "--json").out, plain)
        mixed = self.write("mixed.csv", 'x,y\n"1,234",56.5\n' + "12.5,13.5\n" * 5)
        self.refused(INPUT, ["match", mixed, forty], mixed, "both commas and points", '"1,234"')
        twice = self.write("twice.csv", "label,x,y\n" + "".join(
            f"{max(1, i)},{x},{y}\n" for i, (x, y) in enumerate(points.tolist())))
        self.assertIn("warning: label 1 is in lines 2 and 3",
                      self.nucreg("match", twice, forty).err)

    def test_masks_and_labels_the_wrong_way_round(self):
        _, forty, points, _ = self.pair_of_tables()
        labels = np.zeros((510, 510), int)
        for label, (x, y) in enumerate(np.round(points).astype(int), start=1):
            labels[y - 1:y + 2, x - 1:x + 2] = label
        mask = self.write("mask.tif", label_tiff(np.where(labels > 0, 0, 255).tolist(), 8))
        self.assertIn("invert the mask", run(self.dir, "match", mask, forty).err)
        below = (labels - 1) % 65536  # as signed numbers, the background is -1
        tiff = bytearray(label_tiff(below.tolist()))
        at = bytes(tiff).rfind(struct.pack("<HHI", 339, 3, 1))
        tiff[at + 8] = 2
        for name, data in (("below.tif", bytes(tiff)),
                           ("below.npy", table_forms.npy(labels.astype("i4") - 1))):
            self.refused(INPUT, ["match", self.write(name, data), forty], name, "add 1 to all")

    def test_reading_that_the_user_decides(self):
        ten_file, forty_file, ten, _ = self.pair_of_tables()
        points = np.round(ten).astype(int)
        labels = np.zeros((510, 510), int)
        for label, (x, y) in enumerate(points, start=1):
            labels[y - 1:y + 2, x - 1:x + 2] = label
        self.write("labels.tif", label_tiff(labels.tolist()))
        self.write("mask.tif", label_tiff((labels > 0).astype(int).tolist()))
        self.write("mask255.tif", label_tiff(((labels > 0) * 255).tolist()))
        kinds = {}
        for name, options in (("labels.tif", []), ("labels.tif", ["--as-10x", "image"]),
                              ("labels.tif", ["--as", "labels", "--as-40x", "table"]),
                              ("mask.tif", []), ("mask255.tif", []),
                              ("labels.tif", ["--as-10x", "mask"])):
            found = self.nucreg("match", name, forty_file, "--json", *options)
            kinds[name, *options] = found.err.splitlines()[0].split(": ")[2], found.out
        self.assertEqual(kinds["labels.tif",][0], "labels, 300 nuclei")
        self.assertEqual(kinds["labels.tif", "--as", "labels", "--as-40x", "table"],
                         kinds["labels.tif",])
        self.assertTrue(kinds["labels.tif", "--as-10x", "image"][0].startswith("image, "))
        self.assertTrue(kinds["mask.tif",][0].startswith("mask, "))
        self.assertEqual(kinds["mask.tif",], kinds["mask255.tif",])
        self.assertEqual(kinds["labels.tif", "--as-10x", "mask"], kinds["mask.tif",])
        self.refused(INPUT, ["match", "mask.tif", forty_file, "--as-10x", "labels"], "a mask")
        self.refused(INPUT, ["match", ten_file, forty_file, "--as-10x", "image"], "neither ND2")
        self.refused(USAGE, ["match", ten_file, forty_file, "--as", "picture"], "--as", "labels")
        self.refused(USAGE, ["match", ten_file, forty_file, "--npy-order", "x"], "--npy-order")
        self.refused(USAGE, ["match", ten_file, forty_file, "--columns-40x", "q"], "--columns-40x")
        self.refused(USAGE, ["match", ten_file, forty_file, "--pixel-um", "0"], "--pixel-um")

    def test_a_size_of_pixels_without_effect_is_refused(self):
        points = nuclei(60)
        plain, forty = self.table("10x.csv", points), self.table("40x.csv", 4 * points)
        um = self.write("um.csv", "x_um,y_um\n" + "".join(f"{x},{y}\n" for x, y in 2 * points))
        use = ["--pixel-um", "0.5"]
        for arguments, key in ((["--pixel-um-10x", "0.5"],
                                "10x.csv: --pixel-um-10x: has no effect"),
                               (use, "10x.csv: --pixel-um: has no effect")):
            self.refused(USAGE, ["match", plain, forty, *arguments], key, "name no unit",
                         '--columns-10x "x=x,y=y,unit=um"')
        found = self.nucreg("match", plain, um, "--json", *use)
        self.assertIn("warning: " + str(plain) + ": --pixel-um has no effect", found.err)
        self.assertEqual(json.loads(found.out)["status"], "matched")
        self.refused(USAGE, ["match", plain, um, "--pixel-um-10x", "0.5", "--pixel-um-40x", "0.5"],
                     "--pixel-um-10x", "name no unit")

    def test_label_images(self):
        points = nuclei(120, seed=4) * 0.5 + 5
        small = np.zeros((270, 270), int)
        large = np.zeros((1080, 1080), int)
        for label, (x, y) in enumerate(np.round(points).astype(int), start=1):
            small[y - 1:y + 2, x - 1:x + 2] = label
            large[4 * y - 4:4 * y + 5, 4 * x - 4:4 * x + 5] = 121 - label
        self.write("10x.tif", label_tiff(small.tolist()))
        self.write("40x.tif", label_tiff(large.tolist()))
        found = json.loads(self.nucreg("match", "10x.tif", "40x.tif", "--json").out)
        self.assertEqual(found["status"], "matched")
        np.testing.assert_allclose(found["affine_10x_to_40x"], [[4, 0, 0], [0, 4, 0]], atol=0.1)

    def test_no_match_is_an_answer_with_its_reason(self):
        ten, other = self.table("10x.csv", nuclei(200)), self.table("40x.csv", 4 * nuclei(60, 9))
        for arguments in ([], ["--pairs", "pairs.csv"]):
            found = json.loads(self.nucreg("match", ten, other, "--json", *arguments).out)
            self.assertEqual(found["status"], "no match")
            self.assertTrue(found["reason"])
            for key in ("affine_10x_to_40x", "trs", "mirrored", "match_rate", "heldout_rmsd_px"):
                self.assertIsNone(found[key], key)
            self.assertEqual(found["matched"], 0)
            self.assertGreater(found["significance"], 1e-4)
        self.assertFalse((self.dir / "pairs.csv").exists())
        text = self.nucreg("match", ten, other).out
        self.assertIn("no match", text)
        self.assertIn("reason", text)
        three = self.table("three.csv", nuclei(3))
        self.assertIn("at least 4", self.nucreg("match", ten, three).out)

    def test_wrong_input(self):
        ten, forty, _, _ = self.pair_of_tables()
        one = self.table("one.csv", nuclei(1))
        self.no_nuclei(ten, one, "one nucleus")
        self.refused(INPUT, ["match", "none.csv", forty], "none.csv")
        self.refused(INPUT, ["match", ten, "none.tif"], "none.tif")
        bad = self.write("bad.csv", "x,y\n1,2\ninf,3\n")
        self.refused(INPUT, ["match", ten, bad], "bad.csv:3")
        self.no_nuclei(ten, self.write("flat.tif", label_tiff([[7] * 64] * 64)), "no nuclei")
        noise = np.random.default_rng(5).normal(1000, 30, (300, 400)).astype(int)
        self.no_nuclei(ten, self.write("noise.tif", label_tiff(noise.tolist())), "no nuclei")
        self.refused(USAGE, ["match", ten, forty, "--magnification", "5", "3"], "magnification")
        self.refused(USAGE, ["match", ten, forty, "--model", "rigid"], "model", "trs, affine")
        self.refused(USAGE, ["match", ten, forty, "--significance", "0"], "significance")
        self.refused(OUTPUT, ["match", ten, forty, "--pairs", "none/pairs.csv"], "none/pairs.csv")


    def no_nuclei(self, ten, forty, problem):
        """No match, and an input at fault."""
        outcome = run(self.dir, "match", ten, forty, "--json", "--pairs", "none.csv")
        self.assertEqual(outcome.status, INPUT, outcome)
        self.assertIn(f"{forty}: {problem}", outcome.err)
        found = json.loads(outcome.out)
        self.assertEqual((found["status"], found["reason"]), ("no match", f"{problem} in {forty}"))
        self.assertEqual(found["nuclei_40x"], 1 if problem == "one nucleus" else 0)
        self.assertIsNone(found["affine_10x_to_40x"])
        self.assertFalse((self.dir / "none.csv").exists())


# The ways to lay down a square, with pixels.
TURNS = {"turned by 90": np.rot90,
         "turned by 180": lambda p: np.rot90(p, 2),
         "turned by 270": lambda p: np.rot90(p, 3),
         "mirrored": np.fliplr,
         "upside down": np.flipud,
         "transposed": np.transpose,
         "mirrored and turned by 90": lambda p: np.rot90(np.fliplr(p))}


def matrix_of(turn, size):
    """From pixels of a square to those of the turned one."""
    y, x = np.mgrid[:size, :size]
    # Where the turned picture's corners were before.
    before = [[turn(x)[at], turn(y)[at], 1] for at in ((0, 0), (0, -1), (-1, 0))]
    after = np.array([[0, 0, 1], [size - 1, 0, 1], [0, size - 1, 1]])
    return np.linalg.solve(np.array(before, float), after).T


@unittest.skipUnless(SHARED.is_dir(), "skipped: no ../shared")
class RealImages(NucregCase):
    def pixels(self, name):
        self.nucreg("image", self.human / name, "--frame", "0", "--channel", "0", "--to", "p.tif",
                    "--force")
        return read_page(self.dir / "p.tif")

    def setUp(self):
        super().setUp()
        self.human = SHARED.resolve() / "data/pairs/human"
        self.tiles = json.loads((self.human / "truth.json").read_text())["tiles"]

    def test_pixels_turned_and_mirrored(self):
        for number, tile in enumerate(self.tiles):
            pixels = self.pixels(tile["file"])
            # One tile in all ways, the others in two.
            for name in list(TURNS) if number == 2 else list(TURNS)[number::5]:
                with self.subTest(tile["file"], turn=name):
                    image = self.write("t.tif", label_tiff(TURNS[name](pixels).tolist()))
                    matrix = matrix_of(TURNS[name], len(pixels))
                    self.locate(self.human / "10x.tif", image, tile, matrix,
                                np.linalg.det(matrix) < 0)

    def test_another_place_of_the_field_and_noise_do_not_match(self):
        field = self.pixels("10x.tif")
        last = len(field) - 1
        for tile in self.tiles:
            inverse = np.linalg.inv(np.vstack([tile["affine_10x_to_40x"], [0, 0, 1]]))
            corners = inverse @ [[0, 1023, 0, 1023], [0, 0, 1023, 1023], [1] * 4]
            left, top = np.floor(corners.min(axis=1)[:2]).astype(int) - 3
            right, bottom = np.ceil(corners.max(axis=1)[:2]).astype(int) + 4
            self.assertTrue(0 <= left < right <= last and 0 <= top < bottom <= last)
            parts = [field[:top], field[bottom:], field[:, :left], field[:, right:]]
            self.no_match(max(parts, key=np.size), self.human / tile["file"])
        random = np.random.default_rng(3)
        blobs = np.fft.irfft2(np.fft.rfft2(random.normal(size=(1024, 1024))) *
                              np.exp(-np.hypot(np.fft.fftfreq(1024)[:, None],
                                               np.fft.rfftfreq(1024)) ** 2 * 3000))
        forty = self.write("blobs.tif", label_tiff(
            np.clip(2000 + 400 * blobs / blobs.std(), 0, 65535).astype(int).tolist()))
        self.no_match(field, forty)

    def test_sides_exchanged(self):
        for tile in self.tiles:
            tables = []
            for name in (tile["file"], "10x.tif"):
                self.nucreg("segment", self.human / name, "--to", "seg", "--force")
                tables.append(self.dir / "seg" / (name.split(".")[0] + ".csv"))
            for ten, forty in (tables, (self.human / tile["file"], self.human / "10x.tif")):
                found = json.loads(self.nucreg("match", ten, forty, "--json").out)
                self.assertEqual(found["status"], "no match")
                self.assertIn("they match with the files exchanged", found["reason"])

    def test_another_magnification(self):
        field, tile = self.pixels("10x.tif"), self.human / self.tiles[0]["file"]
        halves = (field[::2, ::2].astype(int) + field[1::2, ::2] + field[::2, 1::2]
                  + field[1::2, 1::2]) // 4
        ten = self.write("half.tif", label_tiff(halves.tolist()))
        found = json.loads(self.nucreg("match", ten, tile, "--json").out)
        self.assertEqual(found["status"], "no match")
        self.assertRegex(found["reason"], r"they match at [78]\.?\d* 40x px per 10x px")

    def no_match(self, ten, forty):
        self.write("ten.tif", label_tiff(ten.tolist()))
        found = json.loads(self.nucreg("match", "ten.tif", forty, "--json").out)
        self.assertEqual(found["status"], "no match", found)
        self.assertGreater(found["significance"], 1e-4)

    def test_all_tiles_are_located_from_images_also_turned_and_mirrored(self):
        human = self.human
        self.nucreg("segment", human / "10x.tif", "--to", "10x")
        field = np.loadtxt(self.dir / "10x/10x.csv", delimiter=",", skiprows=1)[:, :2]
        for tile in self.tiles:
            folder = tile["file"].split(".")[0]
            self.nucreg("segment", human / tile["file"], "--to", folder)
            table = next((self.dir / folder).glob("*.csv"))
            pairs = self.locate(human / "10x.tif", human / tile["file"], tile, np.eye(3), False)
            true = np.array(tile["affine_10x_to_40x"])
            inside = field @ true[:, :2].T + true[:, 2]
            inside = np.sum((inside >= 0).all(axis=1) & (inside <= 1023).all(axis=1))
            self.assertGreaterEqual(len(pairs), 0.8 * inside, tile["file"])
            self.assertLess(np.hypot(*(pairs[:, :2] @ true[:, :2].T + true[:, 2]
                                       - pairs[:, 2:4]).T).max(), 12.0)
            columns = np.loadtxt(table, delimiter=",", skiprows=1)[:, :2]
            # Turned by 90 degrees and mirrored: x and y change places.
            swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
            self.locate(human / "10x.tif", self.table("swapped.csv", columns[:, ::-1]), tile, swap,
                        True)

    def table(self, name, points):
        rows = "".join(f"{x!r},{y!r}\n" for x, y in points.tolist())
        return self.write(name, "x,y\n" + rows)

    def locate(self, ten, forty, tile, turn, mirrored):
        found = json.loads(self.nucreg("match", ten, forty, "--json", "--pairs", "pairs.csv",
                                       "--force").out)
        self.assertEqual(found["status"], "matched", found)
        self.assertEqual(found["mirrored"], mirrored)
        true = turn @ np.vstack([tile["affine_10x_to_40x"], [0, 0, 1]])
        map_found = np.vstack([found["affine_10x_to_40x"], [0, 0, 1]])
        # Corners and centre of a tile of 1024 x 1024 px.
        corners = np.array([[0, 0], [1023, 0], [0, 1023], [1023, 1023], [511.5, 511.5]]).T
        at_40x = np.vstack([corners, np.ones(5)])
        error = np.hypot(*((map_found @ np.linalg.inv(true) @ at_40x) - at_40x)[:2])
        self.assertLess(error.max(), 2.0, found)
        self.assertGreaterEqual(found["match_rate"], 0.8, found)
        pairs = np.loadtxt(self.dir / "pairs.csv", delimiter=",", skiprows=1)
        self.assertEqual(len(np.unique(pairs[:, :2], axis=0)), len(pairs))
        self.assertEqual(len(np.unique(pairs[:, 2:4], axis=0)), len(pairs))
        return pairs


if __name__ == "__main__":
    unittest.main()
