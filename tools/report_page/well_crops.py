"""Single pairs, close up: what lies around them at both sides, and the images where they are at
hand."""

import functools
import pathlib
import re
import subprocess
import tempfile

import matplotlib.figure
import numpy as np

from .style import COLOURS, WIDTH, Figure

COUNT = 10
COLUMNS = 3
PIXELS = 120  # of a crop
IMAGES = {".nd2", ".tif", ".tiff", ".png"}


def choose(well):
    """Ten random pairs and the ten least certain, the least certain first; of the well, since
    islands have no place to be drawn at."""
    placed = np.flatnonzero(np.isfinite(well.at(10, "x_um")))
    order = placed[np.argsort(well.pairs["probability"][placed], kind="stable")]
    least = order[:COUNT]
    rest = order[COUNT:]
    drawn = np.random.default_rng(0).choice(rest, min(COUNT, len(rest)), replace=False)
    return {"random": np.sort(drawn), "least": least}


class Pictures:
    """Images of tiles. `folders`: what paths of /tiles/file may be relative to."""

    def __init__(self, program, tiles, folders):
        self.program, self.tiles, self.folders = program, tiles, folders

    @functools.lru_cache(maxsize=24)
    def of(self, row):
        """Pixels of a tile as a float array; None: no image at hand, or none of its size."""
        path, frame = self.find(self.tiles["file"][row])
        if path is None:
            return None
        with tempfile.TemporaryDirectory(prefix="nucreg-report-") as folder:
            plane = pathlib.Path(folder) / "plane.tif"
            if path.suffix.lower() == ".png":  # which nucreg does not read
                plane = path
            elif subprocess.run(
                    [self.program, "image", str(path), "--frame", frame, "--channel",
                     self.tiles["channel"][row], "--to", str(plane)],
                    capture_output=True, check=False).returncode:
                return None
            try:
                from PIL import Image
                Image.MAX_IMAGE_PIXELS = None
                with Image.open(plane) as image:
                    pixels = np.asarray(image, float)
            except (ImportError, OSError, ValueError, SyntaxError):
                return None
        size = int(self.tiles["height_px"][row]), int(self.tiles["width_px"][row])
        return pixels if pixels.shape == size else None

    def find(self, name):
        """Path and frame of an image, as nucreg reads `name#3`; None: it is not at hand."""
        file, mark, frame = name.rpartition("#")
        named = [(name, "0")] + ([(file, frame)] if mark and re.fullmatch("[0-9]+", frame) else [])
        return next(((folder / file, frame) for file, frame in named for folder in self.folders
                     if pathlib.Path(file).suffix.lower() in IMAGES and (folder / file).is_file()),
                    (None, None))

    def crop(self, row, x_px, y_px, reach_um):
        """Around a place of a tile, turned into the axes of the well; None: no image."""
        pixels = self.of(row)
        if pixels is None:
            return None
        a, b, _, c, d, _ = self.tiles["to_well"][row]
        back = np.linalg.inv([[a, b], [c, d]])
        line = np.linspace(-reach_um, reach_um, PIXELS)
        u, v = np.meshgrid(line, line)
        x = x_px + back[0, 0] * u + back[0, 1] * v
        y = y_px + back[1, 0] * u + back[1, 1] * v
        return bilinear(pixels, x, y)


def bilinear(pixels, x, y):
    """NaN outside."""
    h, w = pixels.shape
    inside = (x >= 0) & (y >= 0) & (x <= w - 1) & (y <= h - 1)
    i, j = np.clip(x.astype(int), 0, w - 2), np.clip(y.astype(int), 0, h - 2)
    s, t = x - i, y - j
    value = (pixels[j, i] * (1 - s) * (1 - t) + pixels[j, i + 1] * s * (1 - t)
             + pixels[j + 1, i] * (1 - s) * t + pixels[j + 1, i + 1] * s * t)
    return np.where(inside, value, np.nan)


def in_well(well, side):
    """Nuclei of this well: the frames of all wells begin at the same place."""
    n = well.nuclei[side]
    return well.mine[n["tile"]] & (n["representative"] != 0)


def spacing(well):
    """Typical distance between neighbours at 10x, um, by their density."""
    n = well.nuclei[10]
    keep = in_well(well, 10) & np.isfinite(n["x_um"])
    x, y = n["x_um"][keep], n["y_um"][keep]
    if len(x) < 4:
        return 10.0
    area = np.ptp(x) * np.ptp(y)
    return float(np.sqrt(max(area, 1e-9) / len(x)))


def around(well, side, centre, reach):
    """Nuclei of a side within a square: places, and whether they are paired."""
    n = well.nuclei[side]
    near = np.flatnonzero((np.abs(n["x_um"] - centre[0]) < reach)
                          & (np.abs(n["y_um"] - centre[1]) < reach) & in_well(well, side))
    return np.c_[n["x_um"], n["y_um"]][near] - centre, n["unpaired"][near] == 0


def draw(well, pictures, rows, name, title, words):
    reach = float(np.clip(2.6 * spacing(well), 8, 120))
    crops = []
    for row in rows:
        ten, forty = well.pairs["ten"][row], well.pairs["forty"][row]
        crops.append([pictures.crop(well.nuclei[s]["tile"][at], well.nuclei[s]["x_px"][at],
                                    well.nuclei[s]["y_px"][at], reach)
                      for s, at in ((10, ten), (40, forty))])
    images = any(c is not None for both in crops for c in both)
    lines = -(-len(rows) // COLUMNS)
    each = 2 if images else 1
    drawing = matplotlib.figure.Figure(figsize=(WIDTH, (1.75 * each + 0.4) * lines + 0.3))
    drawing.set_layout_engine("compressed")
    axes = drawing.subplots(lines * each, COLUMNS, squeeze=False)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[], aspect="equal")
        ax.grid(False)
        ax.set_visible(False)
    for i, row in enumerate(rows):
        for k in range(each):
            ax = axes[i // COLUMNS * each + k, i % COLUMNS]
            ax.set_visible(True)
            picture = crops[i][k] if images else None
            panel(ax, well, row, reach, picture, (10, 40)[k] if images else None)
            if k == 0:
                ax.set_title(f"p {well.pairs['probability'][row]:.3f}, "
                             f"{well.pairs['distance_um'][row]:.2f} µm", fontsize=8.5)
    handles = [matplotlib.lines.Line2D([], [], linestyle="none", marker="o", markersize=7,
                                       markerfacecolor="none", color=COLOURS[0], label="10x"),
               matplotlib.lines.Line2D([], [], linestyle="none", marker="+", markersize=8,
                                       color=COLOURS[1], label="40x"),
               matplotlib.lines.Line2D([], [], linestyle="none", marker="s", markersize=10,
                                       markerfacecolor="none", color="#000000",
                                       label="the pair")]
    drawing.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    background = " Above the 10x image, below the 40x image, each turned into the axes of the " \
                 "well." if images else " No images are at hand: nuclei as they were found."
    return Figure(name, title, f"{words} Squares of {2 * reach:.0f} µm around the 10x nucleus; "
                               "faint: without a partner; white: outside of the tile."
                               f"{background}", drawing)


def panel(ax, well, row, reach, picture, side):
    """`side`: whose image it is; None: neither's."""
    ten, forty = well.pairs["ten"][row], well.pairs["forty"][row]
    centre = np.array([well.nuclei[10]["x_um"][ten], well.nuclei[10]["y_um"][ten]])
    partner = np.array([well.nuclei[40]["x_um"][forty], well.nuclei[40]["y_um"][forty]]) - centre
    if picture is not None and np.isfinite(picture).any():
        offset = partner if side == 40 else np.zeros(2)
        low, high = np.nanpercentile(picture, (1, 99.8))
        ax.imshow(picture, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), origin="upper",
                  extent=(offset[0] - reach, offset[0] + reach, offset[1] + reach,
                          offset[1] - reach))
    for s, marker, colour, size in ((10, "o", COLOURS[0], 7), (40, "+", COLOURS[1], 8)):
        at, paired = around(well, s, centre, reach)
        for keep, alpha in ((paired, 1.0), (~paired, 0.45)):
            ax.plot(*at[keep].T, linestyle="none", marker=marker, markersize=size, alpha=alpha,
                    markerfacecolor="none", color=colour, markeredgewidth=1.3)
    middle = partner / 2
    ax.plot(*middle, linestyle="none", marker="s", markersize=19, markerfacecolor="none",
            color="#ffffff" if picture is not None else "#000000", markeredgewidth=1.1)
    ax.set(xlim=(-reach, reach), ylim=(reach, -reach))


def figures(program, well, folders):
    chosen = choose(well)
    if not len(chosen["least"]):
        return {}
    pictures = Pictures(program, well.tiles, folders)
    drawn = [draw(well, pictures, chosen["least"], f"well-{well.index}-least",
                  "The least certain pairs", "The pairs with the lowest probability of all that "
                                             "were given, the least certain first.")]
    if len(chosen["random"]):
        drawn.append(draw(well, pictures, chosen["random"], f"well-{well.index}-random",
                          "Random pairs", "Drawn at random among all others."))
    return {figure.name: figure for figure in drawn}
