"""Of jobs of images: where the 40x tiles lie at 10x, how surely they match, what the pairs leave
over."""

import h5py
import numpy as np

from .style import COLOURS, Figure, legend, panels

MAX_TILES = 2  # 10x images that are drawn, those with the most matches
SIDES = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])


class Images:
    """What of /images, /nuclei, /matches and /pairs is drawn."""

    def __init__(self, h5):
        def columns(group, names):
            return {name: h5[group][name][:] for name in names}
        self.images = columns("images", ("width_px", "height_px"))
        self.images["file"] = h5["images/file"].asstr(errors="replace")[:]
        self.nuclei = columns("nuclei", ("x_px", "y_px", "offsets"))
        self.matches = columns("matches", (
            "ten", "forty", "matched", "match_rate", "chance_rate", "affine_a", "affine_b",
            "affine_tx", "affine_c", "affine_d", "affine_ty"))
        self.pairs = columns("pairs", ("residual_px", "heldout_residual_px"))
        self.matched = self.matches["matched"].astype(bool)

    def outline(self, match):
        """Corners of the 40x tile of a match in 10x px."""
        m, forty = self.matches, self.matches["forty"][match]
        linear = np.array([[m["affine_a"][match], m["affine_b"][match]],
                           [m["affine_c"][match], m["affine_d"][match]]])
        shift = np.array([m["affine_tx"][match], m["affine_ty"][match]])
        size = self.images["width_px"][forty], self.images["height_px"][forty]
        return np.linalg.solve(linear, (SIDES * size - shift).T).T


def tiles(read):
    """None if no tile has a match."""
    ten = read.matches["ten"][read.matched]
    shown, count = np.unique(ten, return_counts=True)
    shown = np.sort(shown[np.argsort(-count, kind="stable")[:MAX_TILES]])
    if not len(shown):
        return None
    drawing, axes = panels(len(shown), 4.2)
    for ax, image in zip(axes, shown):
        first, last = read.nuclei["offsets"][image:image + 2]
        ax.plot(read.nuclei["x_px"][first:last], read.nuclei["y_px"][first:last], color="#777777",
                linestyle="none", marker=".", markersize=3, label="nucleus at 10x")
        for match in np.flatnonzero(read.matched & (read.matches["ten"] == image)):
            corners = read.outline(match)
            ax.plot(*corners.T, color=COLOURS[0], linewidth=1.2, label="40x tile")
            ax.annotate(f"{100 * read.matches['match_rate'][match]:.0f} %", corners[:4].mean(0),
                        ha="center", va="center", fontsize=8.5, color=COLOURS[0])
        width, height = read.images["width_px"][image], read.images["height_px"][image]
        ax.set(title=read.images["file"][image][-48:], xlabel="x, 10x px", ylabel="y, 10x px",
               aspect="equal", xlim=(-0.05 * width, 1.05 * width),
               ylim=(1.05 * height, -0.05 * height))
        ax.grid(False)
    legend(drawing, axes)
    cut = f" {len(shown)} of {len(np.unique(ten))} images at 10x, those with the most matches." \
        if len(shown) < len(np.unique(ten)) else ""
    return Figure("image-tiles", "Where the 40x tiles lie", "Each 40x tile that matches, put into "
                  "its 10x image by its map, and the part of its nuclei that have a partner there: "
                  f"the more the better.{cut}", drawing)


def rates(read):
    drawing, (ax,) = panels(1, 3.2)
    for mask, label, colour, marker in ((read.matched, "match", COLOURS[0], "o"),
                                        (~read.matched, "no match", COLOURS[1], "x")):
        ax.plot(100 * read.matches["chance_rate"][mask], 100 * read.matches["match_rate"][mask],
                linestyle="none", marker=marker, color=colour, label=label, alpha=0.8)
    ax.plot([0, 100], [0, 100], color="#555555", linewidth=1, linestyle=(0, (1, 2)), marker="",
            label="as chance")
    ax.set(xlabel="nuclei that would have a partner by chance, %",
           ylabel="nuclei with a partner, %", xlim=(-3, 103), ylim=(-3, 103))
    legend(drawing, [ax])
    return Figure("image-matches", "How surely tiles match",
                  f"A marker is a pair of tiles: {int(read.matched.sum()):,} of "
                  f"{len(read.matched):,} match. Higher above the dotted line is surer.", drawing)


def residuals(read):
    """None if there are no pairs."""
    found = {"of the fit": read.pairs["residual_px"], "held out of it":
             read.pairs["heldout_residual_px"]}
    found = {label: values[np.isfinite(values)] for label, values in found.items()}
    if not any(map(len, found.values())):
        return None
    drawing, (ax,) = panels(1, 2.8)
    top = max(np.percentile(values, 99.5) for values in found.values() if len(values)) or 1.0
    for (label, values), colour, line in zip(found.items(), (COLOURS[0], COLOURS[1]), ("-", "--")):
        count, edges = np.histogram(values, np.linspace(0, top, 41))
        ax.stairs(count, edges, label=f"{label}: median {np.median(values):.2g} px"
                  if len(values) else label, color=colour, linestyle=line, linewidth=1.6)
    ax.set(xlabel="distance of a mapped nucleus from its partner, 40x px", ylabel="pairs of nuclei")
    legend(drawing, [ax])
    return Figure("image-residuals", "How near partners are", "Further left is better. Held out: "
                  "under a fit that did not use the pair; if that is much further, there are too "
                  "few pairs.", drawing)


def figures(path):
    """None of a job without images."""
    with h5py.File(path, "r") as h5:
        if not {"images", "nuclei", "matches", "pairs"} <= set(h5):
            return {}
        read = Images(h5)
    drawn = [tiles(read), rates(read), residuals(read)]
    return {figure.name: figure for figure in drawn if figure}
