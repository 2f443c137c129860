"""nucreg synth and segment: from nothing to tables of nuclei, on any number of ranks."""

import csv
import json
import shlex
import signal
import struct
import subprocess
import unittest
import zlib

import numpy as np
from interrupted import finish, start, wait_for
from label_tiff import label_tiff
from nucreg_case import (DONE, INPUT, NUCREG, OUTPUT, SHARED, STOPPED, USAGE, NucregCase,
                         environment, run)

SMALL = ["--field", "200", "--tile", "480", "--nuclei", "60", "--forty", "1"]


def read_table(path):
    with open(path, newline="", encoding="ascii") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["x", "y", "area_px", "mean_intensity", "label"], rows[0]
    return np.array(rows[1:], float).reshape(-1, 5)


def png_size(data):
    """Width and height of a PNG whose chunks and pixels are all sound."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(
            kind + body)
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", body[:10])
            assert (bits, colour) == (8, 2)
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    assert kind == b"IEND"
    assert len(zlib.decompress(packed)) == height * (1 + 3 * width)
    return width, height


class Segment(NucregCase):
    def synth(self, folder, *more):
        self.nucreg("synth", "--to", folder, *SMALL, *more)
        return json.loads((self.dir / folder / "truth.json").read_text())

    def test_without_overlay(self):
        self.synth("a")
        self.nucreg("segment", "a/10x_0.tif", "--to", "out")
        table = (self.dir / "out/10x_0.csv").read_bytes()
        self.nucreg("segment", "a/10x_0.tif", "--to", "out", "--no-overlay", "--force")
        self.assertEqual(sorted(path.name for path in (self.dir / "out").iterdir()),
                         ["10x_0.csv", "10x_0_labels.tif"])
        self.assertEqual((self.dir / "out/10x_0.csv").read_bytes(), table)
        kept = self.nucreg("segment", "a/10x_0.tif", "--to", "out", "--no-overlay", "--resume")
        self.assertIn("1 image was done before", kept.err)
        self.nucreg("segment", "a/10x_0.tif", "--to", "out", "--resume")
        self.assertTrue((self.dir / "out/10x_0_overlay.png").exists())

    def test_synthetic_tiles_from_pixels_to_tables(self):
        truth = self.synth("a", "--turned")
        outcome = self.nucreg("segment", "a/10x_0.tif", "a/40x_0.tif", "--to", "out", ranks=2)
        self.assertIn("out/10x_0.csv", outcome.out)
        for tile in truth["tiles"]:
            stem = tile["file"].removesuffix(".tif")
            found = read_table(self.dir / "out" / f"{stem}.csv")
            size = 200 if stem.startswith("10x") else 480
            self.assertEqual(png_size((self.dir / f"out/{stem}_overlay.png").read_bytes()),
                             (size, size))
            inner = [(x, y) for _, x, y in tile["nuclei_id_x_y"]
                     if 4 < min(x, y) and max(x, y) < size - 5]
            near = [np.hypot(found[:, 0] - x, found[:, 1] - y).min() < size / 100
                    for x, y in inner]
            self.assertGreater(len(inner), 8)
            self.assertGreaterEqual(np.mean(near), 0.85, stem)
            self.assertLessEqual(len(found), 1.15 * len(tile["nuclei_id_x_y"]) + 2)
        # The map between the tiles takes a nucleus of one to the same nucleus of the other.
        (pair,) = truth["pairs"]
        places = [{i: (x, y) for i, x, y in tile["nuclei_id_x_y"]} for tile in truth["tiles"]]
        both = places[0].keys() & places[1].keys()
        self.assertTrue(both)
        for i in both:
            np.testing.assert_allclose(np.dot(pair["affine_10x_to_40x"], [*places[0][i], 1]),
                                       places[1][i], atol=1e-9)

    def test_the_number_of_ranks_changes_nothing(self):
        self.synth("a", "--ten", "2")
        images = [f"a/{name}.tif" for name in ("10x_0", "10x_1", "40x_0")]
        for ranks in (0, 1, 3):
            self.nucreg("segment", *images, "--to", f"out{ranks}", ranks=ranks)
        for path in (self.dir / "out0").iterdir():
            for ranks in (1, 3):
                self.assertEqual(path.read_bytes(),
                                 (self.dir / f"out{ranks}" / path.name).read_bytes(), path.name)
        self.assertEqual(len(list((self.dir / "out0").iterdir())), 9)

    def test_a_seed_gives_the_same_tiles_and_another_gives_others(self):
        for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
            self.synth(folder, "--seed", seed)
        same = [path.name for path in (self.dir / "a").iterdir()
                if path.read_bytes() == (self.dir / "b" / path.name).read_bytes()]
        self.assertEqual(sorted(same), ["10x_0.tif", "40x_0.tif", "truth.json"])
        self.assertNotEqual((self.dir / "a/10x_0.tif").read_bytes(),
                            (self.dir / "c/10x_0.tif").read_bytes())
        shown = json.loads(self.nucreg("image", "a/40x_0.tif", "--json").out)
        self.assertEqual(shown["pixel_size_um"]["x"], 0.1625)

    def test_synth_with_force_leaves_no_tiles_of_a_larger_run_and_deletes_nothing_else(self):
        self.nucreg("synth", "--to", "a", *SMALL[:-1], "2", "--ten", "2")
        old = (self.dir / "a/truth.json").read_text()
        (self.dir / "a/truth.json").write_text(  # names that lead elsewhere, or to nothing of ours
            old.replace('{"file": "10x_0.tif"', '{"file": "10x_/../../mine.tif"'))
        tile = (self.dir / "a/10x_0.tif").read_bytes()
        self.write("mine.tif", tile)
        self.write("a/10x_mine.tif", tile)
        self.write("a/40x_1.tif", label_tiff([[1, 2], [3, 4]]))
        self.synth("a", "--force")
        self.assertEqual(sorted(p.name for p in (self.dir / "a").iterdir()),
                         ["10x_0.tif", "10x_mine.tif", "40x_0.tif", "40x_1.tif", "truth.json"])
        self.assertTrue((self.dir / "mine.tif").exists())

    def test_several_at_once_with_one_folder(self):
        self.synth("a", "--ten", "2")
        images = [f"a/{name}.tif" for name in ("10x_0", "10x_1", "40x_0")]
        self.nucreg("segment", *images, "--to", "whole")
        for attempt in range(3):
            command = [NUCREG, "segment", *images, "--to", f"out{attempt}", "--resume"]
            processes = [subprocess.Popen(command, cwd=self.dir, env=environment(),
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE) for _ in range(4)]
            for process in processes:
                said = process.communicate()[1].decode()
                self.assertEqual(process.returncode, DONE, said)
            for path in (self.dir / "whole").iterdir():
                self.assertEqual(path.read_bytes(),
                                 (self.dir / f"out{attempt}" / path.name).read_bytes())
            self.assertEqual(list((self.dir / f"out{attempt}").glob(".*")), [])

    def test_one_bad_image_among_many(self):
        self.synth("a")
        self.write("bad.tif", (self.dir / "a/10x_0.tif").read_bytes()[:3000])
        self.write("text.tif", "no image")
        for ranks in (0, 2):
            folder = f"out{ranks}"
            outcome = run(self.dir, "segment", "bad.tif", "a/10x_0.tif", "text.tif", "none.tif",
                          "a/40x_0.tif", "--to", folder, ranks=ranks)
            self.assertEqual(outcome.status, INPUT, outcome)
            for name in ("bad.tif", "text.tif", "none.tif"):
                self.assertIn(name, outcome.err, outcome)
            self.assertEqual(sorted(p.name for p in (self.dir / folder).glob("*.csv")),
                             ["10x_0.csv", "40x_0.csv"])
            self.assertEqual(list((self.dir / folder).glob("bad*")), [])

    def test_an_image_without_nuclei_is_an_input_at_fault_and_the_others_are_done(self):
        self.synth("a")
        self.write("flat.tif", label_tiff([[7] * 40] * 30))
        self.write("black.tif", label_tiff([[0] * 40] * 30))
        noise = np.random.default_rng(1).normal(500, 20, (80, 80)).astype(int)
        self.write("noise.tif", label_tiff(noise.tolist()))
        for ranks in (0, 2):
            out = self.dir / f"out{ranks}"
            outcome = run(self.dir, "segment", "flat.tif", "a/10x_0.tif", "noise.tif", "black.tif",
                          "--to", out, ranks=ranks)
            self.assertEqual(outcome.status, INPUT, outcome)
            for name in ("flat", "noise", "black"):
                self.assertIn(f"{name}.tif: no nuclei", outcome.err)
            self.assertEqual(outcome.err.count("one and the same value"), 2, outcome)
            # There is something to look at, and to find again: it is no less at fault then.
            self.assertEqual(len(read_table(out / "flat.csv")), 0)
            self.assertEqual(png_size((out / "flat_overlay.png").read_bytes()), (40, 30))
            self.assertGreater(len(read_table(out / "10x_0.csv")), 20)
            again = run(self.dir, "segment", "flat.tif", "a/10x_0.tif", "--to", out, "--resume",
                        ranks=ranks)
            self.assertEqual(again.status, INPUT, again)
            self.assertIn("flat.tif: no nuclei", again.err)
            self.assertIn("2 images were done before", again.err)

    def test_an_image_whose_pixels_are_elsewhere_is_an_input_at_fault(self):
        data = self.dir / "made.tif"
        self.nucreg("synth", "--nuclei", 5, "--to", "synth")
        made = next(self.dir.glob("synth/*.tif"))
        ome = ('<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:a">'
               '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
               'SizeX="{0}" SizeY="{0}" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0" '
               'PlaneCount="1"><UUID FileName="other.ome.tif">urn:uuid:b</UUID></TiffData></Pixels>'
               '</Image></OME>')
        from PIL import Image, TiffImagePlugin
        with Image.open(made) as image:
            tags = TiffImagePlugin.ImageFileDirectory_v2()
            tags[270] = ome.format(image.size[0])
            image.save(data.with_name("gone.ome.tif"), tiffinfo=tags)
        self.refused(INPUT, ["segment", "gone.ome.tif", "--to", "d"], "gone.ome.tif", "no frame")
        self.assertFalse((self.dir / "d").exists())

    def test_labels_are_not_taken_for_brightness_in_silence(self):
        rows = [[0] * 60 for _ in range(60)]
        for label, (x, y) in enumerate([(5, 5), (25, 8), (45, 30), (10, 45)], 1):
            for dy in range(8):
                rows[y + dy][x:x + 8] = [label] * 8
        (self.dir / "labels.tif").write_bytes(label_tiff(rows))
        self.assertIn("labels.tif: looks like labels of 4 nuclei",
                      self.nucreg("segment", "labels.tif", "--to", "d").err)
        (self.dir / "mask.tif").write_bytes(label_tiff([[int(v > 0) for v in row] for row in rows]))
        self.assertNotIn("labels", self.nucreg("segment", "mask.tif", "--to", "d").err)

    def test_a_set_of_files_is_segmented_each_plane_once(self):
        from PIL import Image, TiffImagePlugin
        self.nucreg("synth", "--nuclei", 5, "--to", "synth")
        made = next(self.dir.glob("synth/*.tif"))
        plane = ('<TiffData FirstC="{0}" FirstT="{1}" IFD="{1}" PlaneCount="1">'
                 '<UUID FileName="c{0}.ome.tif">urn:uuid:{0}</UUID></TiffData>')
        ome = ('<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{0}">'
               '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" '
               'SizeX="{1}" SizeY="{1}" SizeZ="1" SizeC="2" SizeT="2">'
               + "".join(plane.format(c, t) for c in (0, 1) for t in (0, 1)) +
               '</Pixels></Image></OME>')
        with Image.open(made) as image:
            for channel in (0, 1):
                tags = TiffImagePlugin.ImageFileDirectory_v2()
                tags[270] = ome.format(channel, image.size[0])
                # The second time point was not taken any more.
                image.save(self.dir / f"c{channel}.ome.tif", tiffinfo=tags)
        shown = json.loads(self.nucreg("image", "c0.ome.tif", "--json").out)
        self.assertEqual([frame["missing"] for frame in shown["frames"]], [False, True])
        self.nucreg("image", "c0.ome.tif", "--channel", 1, "--to", "other.tif")
        outcome = run(self.dir, "segment", "c0.ome.tif", "c1.ome.tif", "--channel", 1, "--to", "d")
        self.assertEqual(outcome.status, INPUT, outcome)  # nothing of that channel is in c0
        self.assertIn("c0.ome.tif: holds no frame", outcome.err)
        self.assertEqual([p.name for p in (self.dir / "d").glob("*.csv")], ["c1.ome_f0000.csv"])
        self.refused(INPUT, ["image", "c0.ome.tif", "--frame", 1, "--to", "gone.tif"],
                     "frame 1 is missing: the file ends before it")

    def test_one_nucleus_is_a_result(self):
        y, x = np.mgrid[:60, :60]
        spot = 100 + 900 * np.exp(-((x - 30) ** 2 + (y - 28) ** 2) / 60)
        self.write("one.tif", label_tiff(np.rint(spot).astype(int).tolist()))
        self.nucreg("segment", "one.tif", "--to", "out")
        ((x, y, _, _, label),) = read_table(self.dir / "out/one.csv")
        self.assertEqual(label, 1)
        self.assertLess(np.hypot(x - 30, y - 28), 0.2)

    def test_resume_makes_anew_what_was_made_of_other_things(self):
        self.synth("a")
        command = ["segment", "a/10x_0.tif", "a/40x_0.tif", "--to", "out"]
        self.nucreg(*command)

        def times():
            return {p.name: p.stat().st_mtime_ns for p in (self.dir / "out").iterdir()}
        first = times()
        self.assertIn("2 images were done before", self.nucreg(*command, "--resume").err)
        self.assertEqual(times(), first)
        # Another diameter: all anew, as a run without anything there makes it.
        outcome = self.nucreg(*command, "--resume", "--diameter", "14")
        self.assertIn("2 images had been made", outcome.err)
        self.assertNotIn("done before", outcome.err)
        self.nucreg(*command[:-1], "fresh", "--diameter", "14")
        for path in (self.dir / "fresh").iterdir():
            self.assertEqual(path.read_bytes(), (self.dir / "out" / path.name).read_bytes())
        # Other pixels under the same name; the other image stays as it is.
        before = times()
        (self.dir / "a/10x_0.tif").write_bytes((self.dir / "a/40x_0.tif").read_bytes())
        outcome = self.nucreg(*command, "--resume", "--diameter", "14")
        self.assertIn("1 image was done before", outcome.err)
        self.assertIn("1 image had been made", outcome.err)
        changed = {name for name, time in times().items() if time != before[name]}
        self.assertEqual(changed, {"10x_0.csv", "10x_0_labels.tif", "10x_0_overlay.png"})
        # Torn labels are made anew; those of somebody else, and a table without any, stay.
        labels = self.dir / "out/40x_0_labels.tif"
        labels.write_bytes(labels.read_bytes()[:100])
        self.nucreg(*command, "--resume", "--diameter", "14")
        self.assertEqual((self.dir / "fresh/40x_0_labels.tif").read_bytes(), labels.read_bytes())
        labels.write_bytes(label_tiff([[0, 1], [2, 0]]))
        foreign = labels.read_bytes()
        self.refused(OUTPUT, [*command, "--resume", "--diameter", "14"], "40x_0_labels.tif",
                     "not made by nucreg segment", "--force")
        self.assertEqual(foreign, labels.read_bytes())
        labels.unlink()
        for name in ("40x_0.csv", "40x_0_overlay.png"):
            self.refused(OUTPUT, [*command, "--resume", "--diameter", "14"], name,
                         "without the labels", "--force")
            (self.dir / "out" / name).unlink()
        self.nucreg(*command, "--resume", "--diameter", "14")

    def test_a_file_given_twice_by_other_names(self):
        self.synth("a")
        (self.dir / "link.tif").symlink_to("a/10x_0.tif")
        for other in ("./a/10x_0.tif", "a/../a/10x_0.tif", self.dir / "a/10x_0.tif", "link.tif"):
            self.refused(USAGE, ["segment", "a/10x_0.tif", other, "--to", "out"],
                         f"{other}: is the same file as a/10x_0.tif")

    def test_an_image_is_never_taken_for_an_output(self):
        self.synth("a")
        self.write("a/10x_0_labels.tif", (self.dir / "a/40x_0.tif").read_bytes())
        for more in ([], ["--force"], ["--resume"]):
            self.refused(OUTPUT, ["segment", "a/10x_0.tif", "./a/10x_0_labels.tif", "--to", "a",
                                  *more], "10x_0_labels.tif")

    def test_wrong_commands(self):
        self.synth("a")
        tile = "a/10x_0.tif"
        self.refused(INPUT, ["segment", tile, "--to", "out", "--channel", "GFP"],
                     "GFP", "0 or DAPI")
        self.refused(INPUT, ["segment", tile, "--to", "out", "--channel", "1"], tile, "0 or DAPI")
        self.refused(USAGE, ["segment", tile, "--to", "out", "--diameter", "1"],
                     "diameter", "from 3 up to 1000")
        (self.dir / "other").mkdir()
        self.write("other/10x_0.tif", (self.dir / tile).read_bytes())
        self.refused(USAGE, ["segment", tile, "other/10x_0.tif", "--to", "out"], "one name")
        self.refused(USAGE, ["segment", tile], "--to")
        self.refused(USAGE, ["synth", "--to", "b", "--nuclei", "100000"], "--nuclei", "at most")
        self.refused(USAGE, ["synth", "--to", "b", "--missing", "2"], "--missing")
        self.refused(USAGE, ["synth", "--to", "b", "--seed", "-1"], "--seed", "whole number from 0")
        for large in (["--ten", "1000", "--field", "8192", "--nuclei", "100000"],
                      ["--field", "32", "--nuclei", "2", "--ten", "400", "--forty", "10000",
                       "--tile", "8192"]):
            self.refused(USAGE, ["synth", "--to", "b", *large], "nuclei in the tissue",
                         "at most 5000000")
        self.refused(OUTPUT, ["synth", "--to", "a"], "exists", "--force")
        self.write("file", "")
        self.refused(OUTPUT, ["segment", tile, "--to", "file"], "file")

    def test_outputs_are_kept_without_force(self):
        self.synth("a")
        tile = "a/10x_0.tif"
        self.nucreg("segment", tile, "--to", "out", "--channel", "DAPI")
        for ranks in (0, 2):
            outcome = run(self.dir, "segment", tile, "--to", "out", ranks=ranks)
            self.assertEqual(outcome.status, OUTPUT, outcome)
            self.assertIn("--force", outcome.err)
        (self.dir / "out/10x_0.csv").write_text("old")
        self.nucreg("segment", tile, "--to", "out", "--force")
        self.assertGreater(len(read_table(self.dir / "out/10x_0.csv")), 20)

    def test_signals_stop_in_order_and_resume_continues(self):
        self.synth("a")
        images = []
        for i in range(20):
            images.append(f"a/{i:03}.tif")
            (self.dir / images[-1]).hardlink_to(self.dir / "a/40x_0.tif")
        self.nucreg("segment", images[0], "--to", "whole")
        expected = {kind: (self.dir / f"whole/000{kind}").read_bytes()
                    for kind in (".csv", "_labels.tif", "_overlay.png")}
        for number, ranks in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGUSR1, 2)):
            with self.subTest(number.name):
                out = self.dir / number.name
                out.mkdir()
                (out / "019.csv").write_text("old")  # --force must not take it for done
                process = start(self.dir, "segment", *images, "--to", out, "--force", ranks=ranks)
                wait_for(lambda out=out: len(list(out.glob("*.csv"))) > 2, "a third table")
                process.send_signal(number)
                status, shown, err = finish(process)
                self.assertEqual(status, STOPPED, err)
                self.assertIn(f"nucreg: {number.name}: images in progress", err)
                done = {p: p.stat().st_mtime_ns for p in out.glob("*.csv")}
                self.assertLess(len(done), len(images))
                self.assertEqual(len(shown.splitlines()), 1 + len(done))
                self.assertIn(f"{len(done)} of {len(images)} images are done", err)
                self.assertEqual(list(out.glob(".*")), [])
                torn, foreign = out / ".005.csv.partial-77", out / ".other.csv.partial-77"
                torn.write_text("torn")
                foreign.write_text("mine")
                # As a run leaves it that was killed between two outputs.
                (out / "018_labels.tif").write_bytes(b"torn")
                (out / "018.csv").unlink(missing_ok=True)
                done.pop(out / "018.csv", None)
                (line,) = (text.partition("to continue: ")[2] for text in err.splitlines()
                           if "to continue: " in text)
                self.assertNotIn("--force", line)
                on = subprocess.run(shlex.split(line), cwd=self.dir, env=environment(),
                                    capture_output=True, text=True, check=False, timeout=100)
                self.assertEqual(on.returncode, 0, on.stderr)
                self.assertIn(f"{len(done)} images were done before", on.stderr)
                self.assertEqual(list(out.glob(".*")), [foreign])
                for path, time in done.items():
                    self.assertEqual(path.stat().st_mtime_ns, time, path)
                for image in images:
                    for kind, data in expected.items():
                        self.assertEqual((out / (image[2:5] + kind)).read_bytes(), data, image)
        self.refused(USAGE, ["segment", images[0], "--to", "b", "--force", "--resume"], "--resume")

    def test_every_frame_of_a_stack(self):
        stack = SHARED / "data/nd2/zstack.nd2"
        if not stack.exists():
            self.skipTest(f"skipped: no {stack}")
        frames = len(json.loads(self.nucreg("image", stack, "--json").out)["frames"])
        self.nucreg("segment", stack, "--to", "out", ranks=2)
        self.assertEqual(sorted(p.name for p in (self.dir / "out").glob("*.csv")),
                         [f"zstack_f{i:04}.csv" for i in range(frames)])


if __name__ == "__main__":
    unittest.main()
