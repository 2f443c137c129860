"""nucreg match: tables, label images and real images, to a map and pairs; no match is an answer."""

import json
import unittest

import numpy as np

from label_tiff import label_tiff
from nucreg_case import INPUT, LEAST_JOB, OUTPUT, SHARED, USAGE, NucregCase, read_group

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
        expected = np.column_stack([ten[100:], forty])
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

    def test_numpy_points_are_rows_and_columns(self):
        _, forty_file, ten, _ = self.pair_of_tables()
        np.save(self.dir / "10x.npy", ten[:, ::-1])
        found = json.loads(self.nucreg("match", "10x.npy", forty_file, "--json").out)
        self.assertEqual((found["status"], found["matched"]), ("matched", 200))

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
        self.refused(INPUT, ["match", ten, one], "one.csv", "one nucleus")
        self.refused(INPUT, ["match", "none.csv", forty], "none.csv")
        self.refused(INPUT, ["match", ten, "none.tif"], "none.tif")
        bad = self.write("bad.csv", "x,y\n1,2\nnan,3\n")
        self.refused(INPUT, ["match", ten, bad], "bad.csv:3")
        flat = self.write("flat.tif", label_tiff([[7] * 64] * 64))
        self.refused(INPUT, ["match", ten, flat], "flat.tif", "no nuclei")
        self.refused(USAGE, ["match", ten, forty, "--magnification", "5", "3"], "magnification")
        self.refused(USAGE, ["match", ten, forty, "--model", "rigid"], "model", "trs, affine")
        self.refused(USAGE, ["match", ten, forty, "--significance", "0"], "significance")
        self.refused(OUTPUT, ["match", ten, forty, "--pairs", "none/pairs.csv"], "none/pairs.csv")


@unittest.skipUnless(SHARED.is_dir(), "skipped: no ../shared")
class RealImages(NucregCase):
    def test_all_tiles_are_located_from_images_also_turned_and_mirrored(self):
        human = SHARED.resolve() / "data/pairs/human"
        truth = json.loads((human / "truth.json").read_text())
        for tile in truth["tiles"]:
            folder = tile["file"].split(".")[0]
            self.nucreg("segment", human / tile["file"], "--to", folder)
            table = next((self.dir / folder).glob("*.csv"))
            self.locate(human / "10x.tif", human / tile["file"], tile, np.eye(3), False)
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
        self.assertEqual(len(np.unique(pairs[:, 2:], axis=0)), len(pairs))


if __name__ == "__main__":
    unittest.main()
