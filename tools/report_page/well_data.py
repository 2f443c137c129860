"""What the page draws of the file of a mapped well. What numbers mean is decided by nucreg
(`inspect --json`); here are the rows that are drawn."""

import tomllib

import h5py
import numpy as np

from .result import Unreadable, reading

FORMAT = "nucreg-map"
SIDES = (10, 40)
NUCLEI = ("tile", "label", "x_px", "y_px", "x_um", "y_um", "representative", "unpaired")


def format_of(path):
    """The attribute `format`; None: it cannot be read, which whoever reads the file will report."""
    try:
        with h5py.File(path, "r") as h5:
            return h5.attrs.get("format")
    except (OSError, RuntimeError, KeyError):
        return None


def columns(group, names=None):
    """Texts are those of files and sheets, of any bytes, and lead to the files again."""
    return {name: column.asstr(errors="surrogateescape")[:]
            if h5py.check_string_dtype(column.dtype) else column[:]
            for name, column in group.items() if names is None or name in names}


def channels_of(map_toml, sides):
    """The channel that nuclei of each tile were found in, as `nucreg image --channel` takes it."""
    try:
        images = tomllib.loads(map_toml).get("images", {})
    except (tomllib.TOMLDecodeError, TypeError, AttributeError):
        images = {}
    return np.array([str(images.get(f"channel_{side}x", "0")) for side in sides], object)


class Well:
    """One well of a map: its tiles, links and pairs. Rows of `tiles` are those of /tiles."""

    def __init__(self, index, name, overview, tiles, links, nuclei, pairs, decoys):
        self.index, self.overview = index, overview
        self.name = overview["well"]
        self.tiles = tiles
        self.mine = tiles["well"] == name
        self.links = {k: v[self.mine[links["tile_a"]]] for k, v in links.items()}
        self.nuclei = nuclei
        here = self.mine[nuclei[10]["tile"][pairs["ten"]]] if len(pairs["ten"]) else []
        self.pairs = {k: v[here] for k, v in pairs.items()} if len(here) else pairs
        self.decoys = {k: v[decoys["model"] == index] for k, v in decoys.items()} if decoys else {}

    def rows_of(self, side):
        """Rows of /tiles of this side that are placed."""
        return np.flatnonzero(self.mine & (self.tiles["side"] == side)
                              & np.isfinite(self.tiles["centre_x_um"]))

    def at(self, side, name):
        """A column of the nuclei of a side, per pair."""
        return self.nuclei[side][name][self.pairs["ten" if side == 10 else "forty"]]

    def centres(self):
        """Of all tiles, in um of the well, as to_well has them: rows of /tiles x 2; NaN: none."""
        a, b, tx, c, d, ty = self.tiles["to_well"].T
        x, y = (self.tiles["width_px"] - 1) / 2, (self.tiles["height_px"] - 1) / 2
        there = np.c_[a * x + b * y + tx, c * x + d * y + ty]
        there[~np.isfinite(self.tiles["centre_x_um"])] = np.nan
        return there

    def corners(self, rows):
        """Of tiles, in um of the well: rows x 4 x 2."""
        a, b, tx, c, d, ty = self.tiles["to_well"][rows].T[:, :, None]
        w, h = self.tiles["width_px"][rows, None], self.tiles["height_px"][rows, None]
        x, y = w * np.array([[0, 1, 1, 0]]) - 0.5, h * np.array([[0, 0, 1, 1]]) - 0.5
        return np.stack([a * x + b * y + tx, c * x + d * y + ty], axis=-1)

    def stage_in_well(self, side):
        """Where the recorded positions of this side's tiles are in the well, after the affine map
        that fits those that nothing is wrong with; NaN where there is none. Rows of /tiles."""
        t = self.tiles
        stage = np.c_[t["stage_x_um"], t["stage_y_um"]]
        centre = self.centres()
        good = self.mine & (t["side"] == side) & (t["status"] == "ok") \
            & np.isfinite(stage).all(1) & np.isfinite(centre).all(1)
        if good.sum() < 4:
            return np.full(stage.shape, np.nan)
        known = np.c_[stage, np.ones(len(stage))]
        return known @ np.linalg.lstsq(known[good], centre[good], rcond=None)[0]


class WellMap:
    """`overview`: of `nucreg inspect --json`, which has refused what is no map."""

    def __init__(self, path, overview):
        self.path, self.overview = path, overview
        self.attributes = overview["attributes"]
        with reading(path) as h5:
            tiles = columns(h5["tiles"])
            links = columns(h5["links"])
            nuclei = {side: columns(h5[f"nuclei_{side}x"], NUCLEI) for side in SIDES}
            pairs = columns(h5["pairs"])
            decoys = columns(h5["decoys"]) if "decoys" in h5 else {}
            names = columns(h5["model"], ("well",))["well"]
            tiles["channel"] = channels_of(h5.attrs.get("map_toml", ""), tiles["side"])
            self.reasons = {number: name for name, number in
                            h5py.check_enum_dtype(h5["nuclei_10x/unpaired"].dtype).items()}
        try:
            for side, column in ((10, "ten"), (40, "forty")):
                tiles["side"][nuclei[side]["tile"]], nuclei[side]["tile"][pairs[column]]
            tiles["side"][links["tile_a"]], tiles["side"][links["tile_b"]]
        except IndexError as error:
            raise Unreadable(f"{path}: {error}; nucreg verify names what is damaged") from error
        self.tiles = tiles
        self.wells = [Well(i, name, o, tiles, links, nuclei, pairs, decoys)
                      for i, (name, o) in enumerate(zip(names, overview["wells"], strict=True))]
