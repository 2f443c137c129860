"""nucreg image: what real and made ND2 files hold, to the bit, and what it refuses."""

import hashlib
import json
import os
import struct
import subprocess
import unittest
import zlib

import numpy as np
from label_tiff import label_tiff
from nucreg_case import (INPUT, LIMIT_S, OUTPUT, SHARED, USAGE, NucregCase, command_line,
                         environment, run)
from tiff_pages import read_page

ND2 = SHARED.resolve() / "data" / "nd2"
EXPECTED = ND2 / "expected.json"


def expected_files():
    entries = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return {name: entry for name, entry in entries.items() if not name.startswith("_about")}


def frames_of(entry):
    """Both kinds of entries in one form: (coordinates, position, hashes or None if missing)."""
    for frame in entry["frames"]:
        if "per_channel" in frame:
            recorded, planned = frame["stage_recorded_um"], frame["stage_oracle_um"]
            # An array of zeros means that nothing was recorded.
            position = [recorded[axis] or planned[f"{axis.lower()}_um"] for axis in "XY"]
            yield frame["coords"], position, [c["sha256"] for c in frame["per_channel"]]
        else:
            yield frame["coords"], frame["stage_oracle_um"][:2], frame["sha256"]


@unittest.skipUnless(EXPECTED.is_file(), "skipped: no ../shared/data/nd2")
class ExpectedTest(NucregCase):
    def image(self, name):
        return json.loads(self.nucreg("image", ND2 / name, "--json").out)

    def test_everything_that_is_reported_of_a_file(self):
        for name, entry in expected_files().items():
            with self.subTest(name):
                image = self.image(name)
                made = name.startswith("made/")
                version = entry["version"] if made else ".".join(map(str, entry["version"]))
                self.assertEqual(image["format"], "ND2 " + version)
                self.assertEqual(image["sizes"], entry["oracle_sizes" if made else "sizes"])
                self.assertEqual(image["channel_names"], entry["channel_names"])
                size = entry["oracle_pixel_um"] if made else entry["pixel_size_um"]["x"]
                self.assertEqual(image["pixel_size_um"]["x"], size)
                self.assertEqual(image["objective"]["magnification"],
                                 entry["oracle_objective_mag" if made else
                                       "objective_magnification"])
                if not made:
                    self.assertEqual(image["pixel_size_um"]["y"], entry["pixel_size_um"]["y"])
                    if "Z" in entry["sizes"]:
                        self.assertEqual(image["pixel_size_um"]["z_step"],
                                         entry["pixel_size_um"]["z_step"])
                    self.assertEqual(image["objective"]["numerical_aperture"],
                                     entry["numerical_aperture"])
                    self.assertEqual(image["objective"]["name"],
                                     entry["channels"][0]["objective_name"])
                    bits = entry["attributes"]["bitsPerComponentSignificant"]
                    self.assertEqual(image["significant_bits"], bits)

    def test_every_frame_is_where_it_was_taken(self):
        for name, entry in expected_files().items():
            with self.subTest(name):
                frames = self.image(name)["frames"]
                self.assertEqual(len(frames), len(entry["frames"]))
                for frame, (place, position, hashes) in zip(frames, frames_of(entry)):
                    self.assertEqual({k: frame[k] for k in "TPZ" if k in frame}, place)
                    self.assertEqual([frame["x_um"], frame["y_um"]], position)
                    self.assertEqual(frame["missing"], hashes is None)

    def test_focus_and_time_as_the_microscope_recorded_them(self):
        for name, entry in expected_files().items():
            if name.startswith("made/"):
                continue
            with self.subTest(name):
                for frame, expected in zip(self.image(name)["frames"], entry["frames"]):
                    recorded = expected["stage_recorded_um"]["Z"]
                    planned = entry["picture_metadata"]["dZPos"]
                    self.assertEqual(frame["z_um"], recorded or planned)
                    self.assertEqual(frame["time_ms"], expected["time_ms_oracle"])

    def test_every_pixel_of_every_channel_of_every_frame(self):
        count = 0
        for name, entry in expected_files().items():
            for number, (_, _, hashes) in enumerate(frames_of(entry)):
                for channel, sha256 in enumerate(hashes or []):
                    self.nucreg("image", ND2 / name, "--frame", number, "--channel", channel,
                                "--to", "plane.tif", "--force")
                    pixels = read_page(self.dir / "plane.tif").tobytes()
                    self.assertEqual(hashlib.sha256(pixels).hexdigest(), sha256,
                                     (name, number, channel))
                    count += 1
        self.assertGreater(count, 100)

    def test_wrong_inputs(self):
        whole = (ND2 / "made/t2p2z3c2.nd2").read_bytes()
        size = len(whole)
        for length in [*range(0, 160, 13), *range(160, size, size // 20), size - 1]:
            part = self.write("part.nd2", whole[:length])
            self.refused(INPUT, ["image", part], "part.nd2")
        self.write("renamed.tif", whole)
        self.refused(INPUT, ["image", "renamed.tif"], "renamed.tif", "holds ND2")
        self.write("a.nd2", whole)
        self.refused(INPUT, ["image", "a.nd2", "--frame", 12, "--to", "a.tif"],
                     "frame 12", "0 to 11")
        self.refused(INPUT, ["image", "a.nd2", "--channel", 2, "--to", "a.tif"],
                     'no channel "2"', "0 or ")
        self.refused(INPUT, ["image", "a.nd2", "--channel", "none", "--to", "a.tif"],
                     'a.nd2: no channel "none"', "0 or ")
        for number, name in enumerate(expected_files()["made/t2p2z3c2.nd2"]["channel_names"]):
            for channel in (number, name):
                self.nucreg("image", "a.nd2", "--channel", channel, "--to", f"by {channel}.tif")
            self.assertEqual((self.dir / f"by {number}.tif").read_bytes(),
                             (self.dir / f"by {name}.tif").read_bytes())
        missing = ND2 / "made/missing_t4.nd2"
        self.refused(INPUT, ["image", missing, "--frame", 2, "--to", "a.tif"], "frame 2 is missing")


class ImageTest(NucregCase):
    def setUp(self):
        super().setUp()
        self.rows = np.arange(12 * 7).reshape(12, 7) * 771
        self.tiff = self.write("a.tif", label_tiff(self.rows.tolist(), 16))

    def test_a_tiff_is_described_and_written(self):
        out = self.nucreg("image", "a.tif").out
        self.assertIn("7 x 12 px, u16", out)
        self.assertIn("magnification unknown", out)
        image = json.loads(self.nucreg("image", "a.tif", "--json").out)
        self.assertEqual(image["sizes"], {"Y": 12, "X": 7})
        self.assertIsNone(image["objective"]["magnification"])
        self.assertEqual(self.nucreg("image", "a.tif", "--to", "b.tif").out, "b.tif\n")
        np.testing.assert_array_equal(read_page(self.dir / "b.tif"), self.rows)

    def test_pixels_that_are_not_square_keep_their_height(self):
        self.write("flat.tif", label_tiff(self.rows.tolist(), 16, (10000, 5000)))
        self.nucreg("image", "flat.tif", "--to", "b.tif")
        shown = [json.loads(self.nucreg("image", f, "--json").out) for f in ("flat.tif", "b.tif")]
        for image in shown:
            self.assertAlmostEqual(image["pixel_size_um"]["x"], 1.0, 6)
            self.assertAlmostEqual(image["pixel_size_um"]["y"], 2.0, 6)

    def test_an_existing_file_is_overwritten_by_force_only(self):
        self.write("b.tif", "mine")
        self.refused(OUTPUT, ["image", "a.tif", "--to", "b.tif"], "b.tif", "exists", "--force")
        self.nucreg("image", "a.tif", "--to", "b.tif", "--force")
        np.testing.assert_array_equal(read_page(self.dir / "b.tif"), self.rows)

    def test_an_image_never_overwrites_itself(self):
        (self.dir / "link.tif").symlink_to("a.tif")
        os.link(self.dir / "a.tif", self.dir / "hard.tif")
        for to in ("a.tif", "./a.tif", self.dir / "a.tif", "link.tif", "hard.tif"):
            for force in ([], ["--force"]):
                self.refused(USAGE, ["image", "a.tif", "--to", to, *force], to,
                             "--to: is one of the inputs")

    def test_a_picture_that_counts_from_white_to_black_is_turned(self):
        data = bytearray(self.tiff.read_bytes())
        at = data.index(struct.pack("<HHII", 262, 3, 1, 1))  # the tag of it: black is zero
        data[at + 8] = 0
        self.write("white.tif", bytes(data))
        self.assertIn("white is zero", self.nucreg("image", "white.tif").out)
        self.assertNotIn("white is zero", self.nucreg("image", "a.tif").out)
        shown = [json.loads(self.nucreg("image", f, "--json").out) for f in ("a.tif", "white.tif")]
        self.assertEqual([image["white_is_zero"] for image in shown], [False, True])
        self.nucreg("image", "white.tif", "--to", "b.tif")
        np.testing.assert_array_equal(read_page(self.dir / "b.tif"), 65535 - self.rows)

    def test_a_picture_larger_than_the_memory(self):
        # All strips are one and the same zeros, which take hardly any room.
        strip, strips = zlib.compress(bytes(1 << 23)) + bytes(150000), 64
        tags = [(256, 4, 1, 16384), (257, 4, 1, 512 * strips), (258, 3, 1, 8), (259, 3, 1, 8),
                (262, 3, 1, 1), (277, 3, 1, 1), (278, 4, 1, 512)]
        first = 8 + 2 + 12 * (len(tags) + 2) + 4 + 8 * strips
        lists = struct.pack(f"<{strips}I", *[first] * strips) + struct.pack(
            f"<{strips}I", *[len(strip)] * strips)
        places = first - 8 * strips
        tags += [(273, 4, strips, places), (279, 4, strips, places + 4 * strips)]
        tags = sorted(tags)
        self.write("large.tif", b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(
            struct.pack("<HHII", *tag) for tag in tags) + bytes(4) + lists + strip)
        job = '[job]\nname = "a"\n[problem]\nsource = "images"\n[problem.images]\n' \
              'ten = "large.tif"\nforty = "a.tif"\n[[solver]]\nname = "LM"\nkind = "lm"\n'
        for command in (["image", "large.tif", "--to", "b.tif"],
                        ["segment", "large.tif", "--to", "out"],
                        ["match", "large.tif", "a.tif"],
                        ["run", self.write("a.toml", job)]):
            limited = subprocess.run(
                ["sh", "-c", 'ulimit -v 500000; exec "$@"', "sh", *command_line(command)],
                cwd=self.dir, env=environment(), capture_output=True, text=True, check=False,
                timeout=LIMIT_S)
            if "ReserveShadowMemoryRange" in limited.stderr or "AddressSanitizer" in limited.stderr:
                self.skipTest("skipped: this build takes more memory than any limit allows")
            self.assertEqual(limited.returncode, INPUT, limited)
            self.assertIn("large.tif: not enough memory for 16384 x 32768 pixels", limited.stderr)
            self.assertFalse((self.dir / "b.tif").exists())

    def test_what_match_takes_as_nuclei_is_reported(self):
        (self.dir / "t.csv").write_text("label,x,y\n1,5,6\n2,7.5,9\n")
        np.save(self.dir / "points.npy", np.array([[3, 4], [10, 12], [20, 8]]))
        labels = np.zeros((30, 40), np.int32)
        labels[3:9, 3:9], labels[15:22, 20:30] = 1, 2
        np.save(self.dir / "labels.npy", labels)
        for file, reading in (("t.csv", "table, 2 nuclei"), ("points.npy", "table, 3 nuclei"),
                              ("labels.npy", "labels, 2 nuclei")):
            self.assertTrue(self.nucreg("image", file).out.startswith(f"{file}: {reading}\n"))
            shown = json.loads(self.nucreg("image", file, "--json").out)
            self.assertEqual((shown["file"], shown["reading"]), (file, reading))
        self.assertIn("row (y), column (x)", self.nucreg("image", "points.npy").out)
        self.refused(INPUT, ["image", "t.csv", "--to", "t.tif"], "neither ND2 nor TIFF")

    def test_no_images(self):
        self.write("empty.tif", "")
        self.write("one.nd2", "x")
        self.write("legacy.nd2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(400))
        self.write("named.nd2", self.tiff.read_bytes())
        self.write("cut.tif", self.tiff.read_bytes()[:60])
        (self.dir / "folder").mkdir()
        os.mkfifo(self.dir / "pipe")
        for name, needle in {"empty.tif": "is empty", "one.nd2": "neither ND2 nor TIFF",
                             "legacy.nd2": "legacy JPEG2000 ND2 not supported",
                             "named.nd2": "holds TIFF", "cut.tif": "cut.tif",
                             "folder": "directory", "none.tif": "No such file",
                             "pipe": "not a regular file"}.items():
            with self.subTest(name):
                outcome = run(self.dir, "image", name)
                self.assertEqual(outcome.status, INPUT, outcome)
                self.assertIn(name, outcome.err)
                self.assertIn(needle, outcome.err)
                self.assertEqual(outcome.out, "")

    def test_wrong_command_lines(self):
        for arguments in (["image"], ["image", "a.tif", "--frame", "1"],
                          ["image", "a.tif", "--to", "b.tif", "--frame", "-1"],
                          ["image", "a.tif", "--to", "b.tif", "--frame", "x"],
                          ["image", "a.tif", "--channel", "0"],
                          ["image", "a.tif", "--force"], ["image", "a.tif", "--speed"]):
            self.refused(USAGE, arguments)
        negative = self.refused(USAGE, ["image", "a.tif", "--to", "b.tif", "--frame", "-1"],
                                "--frame", "-1", "whole number from 0")
        self.assertLess(len(negative.err), 250)
        self.refused(INPUT, ["image", "a.tif", "--frame", 1, "--to", "b.tif"], "no frame 1")
        self.refused(INPUT, ["image", "a.tif", "--channel", "DAPI", "--to", "b.tif"],
                     'no channel "DAPI"', "allowed: 0")

    def test_output_that_cannot_be_written_leaves_nothing(self):
        self.refused(OUTPUT, ["image", "a.tif", "--to", "none/b.tif"], "b.tif")
        (self.dir / "folder").mkdir()
        self.refused(OUTPUT, ["image", "a.tif", "--to", "folder", "--force"], "folder")

    def test_a_disk_that_gets_full_leaves_nothing(self):
        noise = np.random.default_rng(1).integers(0, 65536, (300, 300))
        self.write("noise.tif", label_tiff(noise.tolist(), 16))
        before = self.content()
        # Beyond the limit a write fails as on a full disk, since the signal is ignored.
        limited = subprocess.run(
            ["sh", "-c", 'trap "" XFSZ; ulimit -f 100; exec "$@"', "sh",
             *command_line(["image", "noise.tif", "--to", "b.tif"])],
            cwd=self.dir, env=environment(), capture_output=True, text=True, check=False,
            timeout=LIMIT_S)
        self.assertEqual(limited.returncode, OUTPUT, limited)
        # Once, and as the user called it.
        self.assertIn("nucreg: b.tif: ", limited.stderr)
        self.assertEqual(limited.stderr.count("b.tif"), 1, limited.stderr)
        self.assertNotIn("partial", limited.stderr)
        self.assertEqual(before, self.content())


if __name__ == "__main__":
    unittest.main()
