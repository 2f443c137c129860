"""Pictures of a mapped well."""

import matplotlib
import matplotlib.collections
import matplotlib.colors
import matplotlib.lines
import numpy as np

from .style import COLOURS, Figure, legend, logarithmic, nothing, panels, plain

# Marker, colour and words of each status that is not ok: never by colour alone.
STATUSES = {
    "empty": ("o", "#000000", "empty"), "few": ("s", "#000000", "few nuclei"),
    "blurred": ("D", "#CC79A7", "blurred"), "position_wrong": ("X", "#D55E00", "wrong position"),
    "duplicate": ("P", "#56B4E9", "duplicate"), "not_placed": ("v", "#000000", "not placed"),
    "unreadable": ("*", "#000000", "unreadable")}
RATES = "cividis"  # even in brightness, and for the colour-blind
DEVIATIONS = "PuOr"
MIN_PAIRS = 20  # of a tile or a bin: fewer say little
MM = 1e-3
BINS_OF_TILE = 12
MAX_LINKS = 12_000


def field(ax, title):
    """Axes of a well: mm, y down as in images."""
    ax.set(title=title, xlabel="x, mm", ylabel="y, mm", aspect="equal")
    ax.grid(False)


def finish_field(ax, points):
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        return nothing(ax, "no tile is placed")
    low, high = points.min(0) * MM, points.max(0) * MM
    pad = 0.03 * max(*(high - low), 1e-6)
    ax.set(xlim=(low[0] - pad, high[0] + pad), ylim=(high[1] + pad, low[1] - pad))


def tiles_collection(well, rows, values, **look):
    """Polygons coloured by values; what has no value is white."""
    shown = matplotlib.collections.PolyCollection(
        list(well.corners(rows) * MM), array=np.ma.masked_invalid(values), linewidths=0.4,
        edgecolors="#ffffff", **look)
    shown.cmap.set_bad("#ffffff")
    return shown


def cmap(name):
    return matplotlib.colormaps[name].copy()


def match_map(well):
    drawing, axes = panels(2, height=4.6)
    t = well.tiles
    for ax, side in zip(axes, (10, 40)):
        rows = well.rows_of(side)
        field(ax, f"{side}x: {len(rows):,} tile{'s' * (len(rows) != 1)}")
        shown = ax.add_collection(tiles_collection(
            well, rows, t["match_rate"][rows], cmap=cmap(RATES),
            norm=matplotlib.colors.Normalize(0, 1)))
        stage = well.stage_in_well(side)
        for status, (marker, colour, words) in STATUSES.items():
            bad = rows[t["status"][rows] == status]
            if not len(bad):
                continue
            centre = well.centres()[bad] * MM
            ax.plot(*centre.T, linestyle="none", marker=marker, markersize=8, color=colour,
                    markeredgecolor="#ffffff", markeredgewidth=1, label=words)
            if status == "position_wrong":
                for here, there in zip(centre, stage[bad] * MM):
                    ax.plot([here[0], there[0]], [here[1], there[1]], color=colour, linewidth=1.2,
                            linestyle="--")
        finish_field(ax, well.corners(rows).reshape(-1, 2))
    drawing.colorbar(shown, ax=axes, shrink=0.8, label="match rate")
    legend(drawing, axes)
    lost = [f"{int((well.mine & (t['side'] == s)).sum()) - len(well.rows_of(s))} at {s}x"
            for s in (10, 40)]
    return Figure(f"well-{well.index}-match", "Match rate and status of each tile",
                  "Higher is better. Match rate: part of the detections of a tile, in the field of "
                  "both sides, that "
                  "have a partner. White: none is in both fields. A dashed line leads from a tile "
                  "whose stage position is wrong to where the stage says that it is. Not placed "
                  f"and so not drawn: {', '.join(lost)}.", drawing)


def binned(x, y, dx, dy, bins, limits):
    """Mean arrows over a grid: positions, arrows and counts of bins with MIN_PAIRS."""
    (x0, x1), (y0, y1) = limits
    i = np.clip(((x - x0) / max(x1 - x0, 1e-9) * bins[0]).astype(int), 0, bins[0] - 1)
    j = np.clip(((y - y0) / max(y1 - y0, 1e-9) * bins[1]).astype(int), 0, bins[1] - 1)
    cell = j * bins[0] + i
    size = bins[0] * bins[1]
    count = np.bincount(cell, minlength=size)
    keep = count >= MIN_PAIRS
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = [np.bincount(cell, weights=v, minlength=size) / count for v in (dx, dy)]
    at = np.c_[x0 + (np.arange(size) % bins[0] + 0.5) * (x1 - x0) / bins[0],
               y0 + (np.arange(size) // bins[0] + 0.5) * (y1 - y0) / bins[1]]
    return at[keep], np.c_[mean[0], mean[1]][keep], count[keep]


def arrows(ax, at, arrow, unit, wide=True):
    """Arrows of readable length, and the length of one of them in words."""
    length = np.hypot(*arrow.T)
    typical = np.percentile(length, 95) or 1e-9
    digit = 10.0 ** np.floor(np.log10(typical))
    key = digit * max(m for m in (1, 2, 5) if m * digit <= typical * 1.001)
    span = max(np.ptp(at[:, 0]), np.ptp(at[:, 1]), 1e-9) / max(np.sqrt(len(at)), 2)
    shown = ax.quiver(*at.T, *arrow.T, angles="xy", scale_units="xy", scale=typical / span,
                      color=COLOURS[0], width=0.0045 if wide else 0.009)
    ax.quiverkey(shown, 0.98, 1.03, key, f"{key:g} {unit}", labelpos="W", coordinates="axes")


def likely(well):
    """Pairs with a place in the well: those of islands have none."""
    return (well.pairs["probability"] >= 0.9) & np.isfinite(well.at(10, "x_um"))


def residuals(well):
    keep = likely(well)
    x, y = well.at(10, "x_um")[keep], well.at(10, "y_um")[keep]
    dx, dy = x - well.at(40, "x_um")[keep], y - well.at(40, "y_um")[keep]
    found = [well_residuals(x, y, dx, dy),
             *(tile_residuals(well, keep, side, dx, dy) for side in (10, 40))] if len(x) else []
    shown = [part for part in found if len(part[1])]
    drawing, axes = panels(max(len(shown), 1), height=4.0)
    for ax, (title, at, arrow, wide, finish) in zip(axes, shown):
        finish(ax)
        ax.set_title(title, loc="left")
        arrows(ax, at, arrow, "µm", wide)
    if not shown:
        nothing(axes[0], f"nowhere are there {MIN_PAIRS} likely pairs")
    few = [part[0] for part in found if not len(part[1])] if shown else []
    return Figure(f"well-{well.index}-residuals", "What the fit leaves over",
                  "Shorter is better. Mean vector from the 40x to the 10x nucleus of pairs with a "
                  f"probability of at least 0.9, where there are {MIN_PAIRS}; noise averages out, "
                  "so that what is seen is a map that is not flexible enough. First over the well; "
                  "then over the mean tile of each side, in its own axes: a pattern there is the "
                  "lens's."
                  + f" Not drawn, since no place has {MIN_PAIRS} pairs: {', '.join(few)}."
                  * bool(few),
                  drawing)


def well_residuals(x, y, dx, dy):
    """A panel: title, places, arrows, whether it is wide, and what finishes its axes."""
    bins = int(np.clip(np.sqrt(len(x) / (2 * MIN_PAIRS)), 4, 26))
    at, arrow, _ = binned(x, y, dx, dy, (bins, bins), ((x.min(), x.max()), (y.min(), y.max())))

    def finish(ax):
        field(ax, "")
        finish_field(ax, np.c_[x, y])
    return "over the well", at * MM, arrow, True, finish


def tile_residuals(well, keep, side, dx, dy):
    """The same, over the mean tile of a side."""
    tile = well.at(side, "tile")[keep]
    a, b, _, c, d, _ = well.tiles["to_well"][tile].T
    det = a * d - b * c
    scale = np.sqrt(np.abs(det))  # so that arrows stay um
    u, v = (d * dx - b * dy) / det * scale, (a * dy - c * dx) / det * scale
    w, h = well.tiles["width_px"][tile].max(), well.tiles["height_px"][tile].max()
    at, arrow, _ = binned(well.at(side, "x_px")[keep], well.at(side, "y_px")[keep], u, v,
                          (BINS_OF_TILE, BINS_OF_TILE), ((0, w), (0, h)))

    def finish(ax):
        ax.grid(False)
        ax.set(xlim=(-1, w), ylim=(h, -1), aspect="equal", xlabel="x, px", ylabel="y, px")
    return f"{side}x tile", at, arrow, False, finish


def links(well):
    """Links between tile centres by closure, and closure against significance."""
    t, k = well.tiles, well.links
    drawing, axes = panels(4, height=4.2)
    centre = well.centres() * MM
    sides = t["side"][k["tile_a"]], t["side"][k["tile_b"]]
    used = k["used"].astype(bool)
    top = np.percentile(k["closure_um"][used], 98) if used.any() else 1.0
    norm = matplotlib.colors.Normalize(0, max(top, 1e-9))
    rng = np.random.default_rng(0)
    for ax, (title, mine) in zip(axes, (
            ("within 10x", (sides[0] == 10) & (sides[1] == 10)),
            ("within 40x", (sides[0] == 40) & (sides[1] == 40)),
            ("across", sides[0] != sides[1]))):
        field(ax, f"{title}: {int((mine & used).sum()):,} of {int(mine.sum()):,} used")
        rows = np.flatnonzero(mine & used)
        if len(rows) > MAX_LINKS:
            rows = np.sort(rng.choice(rows, MAX_LINKS, replace=False))
        ends = np.stack([centre[k["tile_a"][rows]], centre[k["tile_b"][rows]]], axis=1)
        shown = ax.add_collection(matplotlib.collections.LineCollection(
            list(ends), array=k["closure_um"][rows], cmap=cmap(RATES).reversed(), norm=norm,
            linewidths=1.6 if len(rows) < 400 else 0.8))
        out = np.flatnonzero(mine & ~used)
        ax.add_collection(matplotlib.collections.LineCollection(
            list(np.stack([centre[k["tile_a"][out]], centre[k["tile_b"][out]]], axis=1)),
            colors=COLOURS[1], linestyles=":", linewidths=1.4))
        finish_field(ax, well.corners(np.r_[well.rows_of(10), well.rows_of(40)]).reshape(-1, 2))
    drawing.colorbar(shown, ax=axes[:3], shrink=0.5, label="closure, µm", extend="max")
    closure_panel(axes[3], k, used)
    return Figure(f"well-{well.index}-links", "Links and how they close",
                  "A link joins two tiles that show the same nuclei. Closure: how far its own "
                  "shift is from that of the global fit; smaller is better. Dotted: not used, as "
                  "it contradicts the others. Last panel: each link by its number of pairs." + (
                      f" Of each panel {MAX_LINKS:,} links are drawn at random."
                      if used.sum() > MAX_LINKS else ""), drawing)


def closure_panel(ax, k, used):
    if not len(used):
        return nothing(ax, "no link")
    for mask, colour, marker, words in ((used, COLOURS[0], ".", "used"),
                                        (~used, COLOURS[1], "x", "not used")):
        ok = mask & (k["closure_um"] > 0)
        if ok.any():
            ax.plot(k["pairs"][ok], k["closure_um"][ok], linestyle="none", marker=marker,
                    color=colour, label=words, rasterized=ok.sum() > 3000,
                    markersize=4 if marker == "." else 5)
    ax.set(xlabel="pairs of the link", ylabel="closure, µm", title="closure by size")
    if ax.lines:
        logarithmic(ax, "x")
        logarithmic(ax, "y")
        ax.legend(loc="best")


def distances(well):
    drawing, (ax,) = panels(1, height=3.6)
    d, p = well.pairs["distance_um"], well.pairs["probability"]
    if not len(d):
        nothing(ax, "no pair")
    else:
        top = max(np.percentile(d, 99.9) * 1.15, 1e-6)
        edges = np.linspace(0, top, 81)
        ax.hist(d, edges, color=COLOURS[5], label="pairs")
        ax.hist(d, edges, weights=1 - p, color=COLOURS[1], label="of these expected by chance")
        held = well.pairs["heldout_distance_um"]
        if np.isfinite(held).any():
            ax.hist(held[np.isfinite(held)], edges, histtype="step", color="#000000",
                    linewidth=1.3, label="held out of the fit")
        ax.set(xlabel="distance, µm", ylabel="pairs", xlim=(0, top))
        ax.set_ylim(bottom=0.5)
        logarithmic(ax, "y")
        ax.legend(loc="upper right")
    return Figure(f"well-{well.index}-distances", "Distances of pairs",
                  "Smaller is better. Each pair by the distance of its nuclei in the well. The "
                  "chance part is the sum of 1 - probability in each bin. Held out: under a fit "
                  "that did not use the pair.",
                  drawing)


def q_values(well):
    drawing, axes = panels(2, height=3.6)
    q = np.sort(well.pairs["q_value"])
    ax = axes[0]
    if len(q):
        ax.plot(q, np.arange(1, len(q) + 1), color=COLOURS[0], drawstyle="steps-post")
        positive = q[q > 0]
        if len(positive) and q[-1] > positive[0]:
            ax.set_xlim(max(positive[0], 1e-6), max(q[-1] * 1.2, 1e-5))
            logarithmic(ax, "x")
        ax.yaxis.set_major_formatter(plain)
    else:
        nothing(ax, "no pair")
    ax.set(xlabel="q-value", ylabel="pairs with at most this q-value")
    ax = axes[1]
    decoys = well.decoys
    keep = (decoys["pairs"] > 0) & (decoys["q_value"] > 0) if decoys else np.empty(0, bool)
    none = False
    if keep.any():
        x = decoys["q_value"][keep]
        y = decoys["decoy_pairs"][keep] / decoys["pairs"][keep]
        some, none = y > 0, (y == 0).any()
        floor = 0.3 * np.append(x, y[some]).min()
        if some.any():
            ax.plot(x[some], y[some], color=COLOURS[0], marker="o", label="decoys")
        if none:
            ax.plot(x[~some], np.full((~some).sum(), floor), color=COLOURS[0], linestyle="none",
                    marker="o", markerfacecolor="none", label="no decoy paired")
        ends = np.array([floor, max(x.max(), y.max()) * 1.5])
        ax.plot(ends, ends, color="#555555", linestyle="--", label="equal")
        logarithmic(ax, "x")
        logarithmic(ax, "y")
        ax.legend(loc="upper left")
    else:
        nothing(ax, "no decoys were made" if not len(keep) else "no pair to compare decoys with")
    ax.set(xlabel="q-value: expected part of wrong pairs", ylabel="part by decoys")
    return Figure(f"well-{well.index}-q", "How sure the pairs are",
                  "Above: how many pairs there are up to a q-value, the part of them that is "
                  "expected to be wrong; further left and higher is better. Below: the same nuclei "
                  "shifted away have no true partner; what is paired of them all the same, beside "
                  "what the q-value promises. On the dashed line both agree; below it the q-value "
                  "is on the safe side." + (" Open markers, at the lower edge: no decoy is paired."
                                            if none
                                  else ""), drawing)


def per_tile(well):
    """Of each 40x tile with enough likely pairs: row, magnification, turn (degrees), by a linear
    fit of its pixels to the 10x nuclei alone."""
    keep = likely(well)
    tile = well.at(40, "tile")[keep]
    if not len(tile):
        return np.empty(0, int), np.empty(0), np.empty(0)
    order = np.argsort(tile, kind="stable")
    px = np.c_[well.at(40, "x_px"), well.at(40, "y_px")][keep][order]
    um = np.c_[well.at(10, "x_um"), well.at(10, "y_um")][keep][order]
    rows, first = np.unique(tile[order], return_index=True)
    found = []
    pixel = well.overview["sides"]["10x"]["pixel_um"] or np.nan
    for row, begin, end in zip(rows, first, np.r_[first[1:], len(order)]):
        if end - begin < MIN_PAIRS:
            continue
        u, v = px[begin:end] - px[begin:end].mean(0), um[begin:end] - um[begin:end].mean(0)
        linear = np.linalg.lstsq(u, v, rcond=None)[0].T
        expected = well.tiles["to_well"][row][[0, 1, 3, 4]].reshape(2, 2)
        relative = linear @ np.linalg.inv(expected)  # close to a small turn and scale
        found.append((row, pixel / np.sqrt(abs(np.linalg.det(linear))),
                      np.degrees(np.arctan2(relative[1, 0] - relative[0, 1],
                                            relative[0, 0] + relative[1, 1]))))
    rows, magnification, turn = zip(*found) if found else ((), (), ())
    return np.array(rows, int), np.array(magnification), np.array(turn)


def cameras(well):
    rows, magnification, turn = per_tile(well)
    drawing, axes = panels(2, height=4.4)
    overall = well.overview["model"]["magnification"] or np.nan
    for ax, values, title, label in (
            (axes[0], 1e3 * (magnification / overall - 1), "magnification", "deviation, ‰"),
            (axes[1], turn, "turn", "deviation, degrees")):
        field(ax, title)
        if not len(rows):
            nothing(ax, f"no tile has {MIN_PAIRS} likely pairs")
            continue
        limit = max(np.nanpercentile(np.abs(values), 98), 1e-9) if np.isfinite(values).any() else 1
        shown = ax.add_collection(tiles_collection(
            well, rows, values, cmap=cmap(DEVIATIONS),
            norm=matplotlib.colors.Normalize(-limit, limit)))
        finish_field(ax, well.corners(rows).reshape(-1, 2))
        drawing.colorbar(shown, ax=ax, shrink=0.8, label=label)
    return Figure(f"well-{well.index}-cameras", "Magnification and turn of each 40x tile",
                  "Each 40x tile fitted alone to its 10x partners, against the camera that the "
                  f"global fit gives all of them (magnification {overall:.4f}). One tile that "
                  "stands out was placed wrongly or paired by chance; a gradient is a deformation "
                  f"between the visits. Tiles with at least {MIN_PAIRS} likely pairs.", drawing)


def figures(well):
    drawn = [match_map(well)]
    if well.overview["matched"]:
        drawn += [residuals(well), links(well), distances(well), q_values(well), cameras(well)]
    elif len(well.links["tile_a"]):
        drawn.append(links(well))
    return {figure.name: figure for figure in drawn}
