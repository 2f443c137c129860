"""What the tests of `nucreg map` share: running it, and what of its file they look at."""

import h5py
import numpy as np

from nucreg_case import NucregCase, read_group, texts

# What may differ between two maps of the same tiles.
MEASURED_GROUPS = ("ranks", "rank_samples", "checksum")  # the last covers the others
MEASURED = {"model": ("wall_s", "wall_seconds", "time_s"), "trials": ("wall_s", "cpu_s", "rank",
                                                                     "peak_bytes", "timing_valid")}


def pairs_of(file, well=None):
    """(tile at 10x, label, tile at 40x, label) of each pair."""
    tiles = read_group(file, "tiles")
    names = [int(name) for name in texts(tiles["tile"])]
    of_well = np.ones(len(names), bool) if well is None else np.array(texts(tiles["well"])) == well
    ten, forty, pairs = (read_group(file, g) for g in ("nuclei_10x", "nuclei_40x", "pairs"))
    return [(names[ten["tile"][a]], int(ten["label"][a]), names[forty["tile"][b]],
             int(forty["label"][b]))
            for a, b in zip(pairs["ten"], pairs["forty"]) if of_well[ten["tile"][a]]]


def status_of(file, side):
    """Tile name -> status."""
    tiles = read_group(file, "tiles")
    with h5py.File(file) as h5:
        column = h5["tiles/status"]
        words = (column.asstr()[:] if h5py.check_string_dtype(column.dtype) else
                 [{v: k for k, v in h5py.check_enum_dtype(column.dtype).items()}[x]
                  for x in column[:]])
    return {name: word for name, word, s in zip(texts(tiles["tile"]), words, tiles["side"])
            if s == side}


class Maps(NucregCase):
    def map(self, *arguments, output="out.h5", **options):
        """Must succeed; the outcome."""
        return self.nucreg("map", *arguments, "-o", output, **options)

    def assert_right(self, file, well, min_recall=0.97, min_precision=0.99, name=None):
        found = pairs_of(file, name)
        right = [well.nucleus(10, a, i) for a, i, b, j in found
                 if well.nucleus(10, a, i) == well.nucleus(40, b, j)]
        both = well.seen(10) & well.seen(40)
        self.assertEqual(len(set(right)), len(right), "a nucleus is paired twice")
        self.assertGreaterEqual(len(right), min_precision * len(found))
        self.assertGreaterEqual(len(right), min_recall * len(both))

    def assert_same_map(self, one, other):
        with h5py.File(self.dir / one) as a, h5py.File(self.dir / other) as b:
            self.assertEqual(set(a) - set(MEASURED_GROUPS), set(b) - set(MEASURED_GROUPS))
            for group in set(a) - set(MEASURED_GROUPS):
                self.assertEqual(set(a[group]), set(b[group]))
                for name in a[group]:
                    if name not in MEASURED.get(group, ()):
                        self.assert_same_bits(np.asarray(a[group][name][()]),
                                              np.asarray(b[group][name][()]), f"/{group}/{name}")
