"""Measures against the axes of the job: points, noise and whatever else was varied, one at a
time."""

import functools

import numpy as np

from .conditions import MAX_WORDS, axis_label, spoken, words
from .style import Figure, finite, legend, log_where_positive, look, nothing, panels

# measure: (column of /summary, factor or None: into the unit of times, label, words)
MEASURES = {
    "rmsd": ("rmsd_px", 1, "RMSD, 40x px", "root mean square distance of all pairs"),
    "tre": ("tre_px", 1, "map error (TRE), 40x px",
            "distance between fitted and true map over corners and centre of the field"),
    "parameter-error": ("param_error", 1, "parameter error, px and 1",
                        "norm of fitted minus true parameters, shifts in px and factors together"),
    "time": ("wall_s", None, "time, {unit}", "wall time of one solve"),
    "memory": ("peak_bytes", 1 / 1024, "memory, KiB",
               "most heap memory that the solve itself held at once"),
    "evaluations": ("function_evaluations", 1, "function evaluations",
                    "counted in the objective itself, alike for all solvers"),
}
# Below, an error is one of rounding: 40x px, or the unit of a parameter; KiB; counts.
LINEAR_BELOW = {"rmsd": 1e-3, "tre": 1e-3, "parameter-error": 1e-3, "memory": 1, "evaluations": 1}
TYPICAL = ("A marker is the median over the trials of one configuration; the bar joins their 5th "
           "and 95th percentiles.")


def timing_note(summary):
    valid = sum(row["timing_valid"] for row in summary)
    tried = sum(row["count"] - row["not_applicable"] for row in summary)
    return f" {tried - valid:,} of {tried:,} timings are not valid; a ring marks what has " \
           "none." if valid < tried else ""


class Cells:
    """The summary as columns, and which of its rows a panel draws."""

    def __init__(self, result):
        self.result, self.conditions = result, result.conditions
        summary = result.overview["summary"]
        self.columns = {name: finite(row[name] for row in summary) for name in
                        (summary[0] if summary else {"solver": 0, "configuration": 0})}
        self.solver = self.columns["solver"].astype(int)
        self.place = self.columns["configuration"].astype(int)
        self.axes = self.conditions.axes or ["points"]
        self.timed = self.columns.get("timing_valid", np.empty(0)) > 0
        self.time_note = timing_note(summary)

    def standing(self, *axes):
        return self.conditions.standing(*axes)

    @functools.cache
    def axis(self, name):
        """Of each row of the summary."""
        return np.array(self.conditions.places(name), float)[self.place]

    @functools.cache
    def rows(self, axis, solver):
        """Those of a solver in which `axis` varies alone, along the axis."""
        mine = np.flatnonzero((self.solver == solver) & np.isin(self.place,
                                                                self.conditions.along(axis)))
        return mine[np.argsort(self.axis(axis)[mine], kind="stable")]

    def along(self, axis, column, solver):
        """Positions on the axis and the values of a column there, of one solver."""
        values = self.columns.get(column)
        if values is None:
            return np.empty(0), np.empty(0)
        rows = self.rows(axis, solver)
        rows = rows[np.isfinite(values[rows])]
        return self.axis(axis)[rows], values[rows]

    def ring(self, ax, axis, column, solver, x, y, shift=0.0):
        """Around times of configurations that have no valid timing."""
        if not column.startswith("wall_s"):
            return
        rows = self.rows(axis, solver)
        none = ~np.isin(x, self.axis(axis)[rows[self.timed[rows]]])
        if none.any():
            ax.plot(np.asarray(x)[none] + shift, np.asarray(y)[none], label="no valid timing",
                    marker="o", markersize=12, markerfacecolor="none", markeredgecolor="#555555",
                    linestyle="none")


def against(cells, name):
    column, factor, label, meaning = MEASURES[name]
    label, factor = label.format(unit=cells.result.time_unit), factor or cells.result.per_second
    drawing, axes = panels(len(cells.axes))
    solvers = cells.result.solvers
    for ax, axis in zip(axes, cells.axes):
        side_by_side = 0.6 / len(solvers) if cells.conditions.categories(axis) else 0.0
        for s, solver in enumerate(solvers):
            shift = (s - (len(solvers) - 1) / 2) * side_by_side
            x, middle = cells.along(axis, f"{column}_median", s)
            _, low = cells.along(axis, f"{column}_p05", s)
            _, high = cells.along(axis, f"{column}_p95", s)
            if len(x) == 0 or not len(x) == len(low) == len(high):
                continue
            span = np.maximum(0, np.vstack([middle - low, high - middle])) * factor
            ax.errorbar(x + shift, middle * factor, yerr=span, label=solver, capsize=3,
                        elinewidth=1, **look(s))
            cells.ring(ax, axis, column, s, x, middle * factor, shift)
        _finish(ax, cells, axis, label, LINEAR_BELOW.get(name))
    legend(drawing, axes)
    what = label.split(",")[0]
    below = f" The scale is linear below {LINEAR_BELOW[name]:g}." if any(
        ax.get_yscale() == "symlog" for ax in axes) else ""
    title = f"{what[:1].upper()}{what[1:]} against {', '.join(map(words, cells.axes))}"
    left_out = cells.time_note if name == "time" else ""
    return Figure(name, title,
                  f"Lower is better. {meaning[:1].upper()}{meaning[1:]}. {TYPICAL}"
                  f"{cells.standing(*cells.axes)}{below}{left_out}",
                  drawing)


def _finish(ax, cells, axis, label, linear_below=None):
    values = np.unique(cells.axis(axis))
    categories = cells.conditions.categories(axis)
    if categories:
        shown = [spoken(c)[-16:] for c in categories] if len(categories) <= MAX_WORDS else \
            range(1, len(categories) + 1)
        step = 1 + len(categories) // 12
        ax.set_xticks(range(0, len(categories), step), list(shown)[::step],
                      rotation=15 if max(len(str(w)) for w in shown) * len(shown) > 48 else 0)
        ax.set_xlim(-0.5, len(categories) - 0.5)
        for line in ax.lines:  # from word to word there is no trend
            if line.get_transform() == ax.transData:
                line.set_linestyle("none")
    else:
        log_where_positive(ax, "x", values)
    if not categories and 0 < len(values) <= 6 and np.isfinite(values).all():
        ax.set_xticks(values, [f"{v:g}" for v in values])
        ax.set_xticks([], minor=True)
    drawn = [y for line in ax.lines for y in np.asarray(line.get_ydata(), float)]
    log_where_positive(ax, "y", drawn, linear_below)
    if not drawn:
        nothing(ax, "no finite value")
    ax.set(xlabel=axis_label(axis), ylabel=label)


def time_per_point(cells):
    drawing, (ax,) = panels(1)
    for s, solver in enumerate(cells.result.solvers):
        x, y = cells.along("points", "wall_s_median", s)
        keep = x > 0
        if keep.any():
            ax.plot(x[keep], 1e9 * y[keep] / x[keep], label=solver, **look(s))
            cells.ring(ax, "points", "wall_s", s, x[keep], 1e9 * y[keep] / x[keep])
    _finish(ax, cells, "points", "time per point, ns")
    legend(drawing, [ax])
    return Figure("time-per-point", "Time per point", "Median time of a solve over its points: "
                  "lower is better; flat where time grows as the points do."
                  f"{cells.standing('points')}{cells.time_note}", drawing)


def growth(cells):
    drawing, axes = panels(2)
    without = []
    for ax, (column, what) in zip(axes, (("wall_s_median", "time"), ("peak_bytes_median",
                                                                     "memory"))):
        for s, solver in enumerate(cells.result.solvers):
            x, y = cells.along("points", column, s)
            if len(x) and y[0] > 0:
                ax.plot(x, y / y[0], label=solver, **look(s))
                cells.ring(ax, "points", column, s, x, y / y[0])
            elif len(x):
                without.append(f"{what} of {solver}")
        x = np.unique(cells.axis("points"))
        x = x[x > 0]
        if len(x) > 1:
            ax.plot(x, x / x[0], color="#777777", linewidth=1, linestyle=(0, (1, 2)),
                    label="as the points")
        _finish(ax, cells, "points", f"relative {what}")
    legend(drawing, axes)
    nothing_yet = f" 0 at the smallest size: {', '.join(without)}." if without else ""
    return Figure("growth", "Growth of time and memory",
                  "Over what the fewest points take; lower is better. The dotted "
                  f"line grows as the number of points does.{nothing_yet}{cells.standing('points')}"
                  f"{cells.time_note}",
                  drawing)


def complexity(cells):
    drawing, (ax,) = panels(1)
    said = []
    for s, solver in enumerate(cells.result.solvers):
        x, y = cells.along("points", "wall_s_median", s)
        keep = (x > 0) & (y > 0)
        x, y = x[keep], y[keep] * cells.result.per_second
        if len(x) == 0:
            continue
        style = look(s)
        ax.plot(x, y, label=solver, **{**style, "linestyle": "none"})
        cells.ring(ax, "points", "wall_s", s, x, y)
        rows = cells.rows("points", s)
        valid = np.isin(x, cells.axis("points")[rows[cells.timed[rows]]])
        x, y = x[valid], y[valid]
        if len(x) > 1:
            power, level = np.polyfit(np.log(x), np.log(y), 1)
            ax.plot(x, np.exp(level) * x**power, color=style["color"], linestyle=style["linestyle"])
            said.append(f"{solver} n^{power:.2f}")
    _finish(ax, cells, "points", f"time, {cells.result.time_unit}")
    legend(drawing, [ax])
    fitted = f"Least-squares lines in logarithms: time grows as {', '.join(said)}." if said else \
        "No two sizes with valid timings: no growth to fit."
    return Figure("complexity", "Complexity",
                  f"Median time of a configuration against its number of points n; lower is "
                  f"better. {fitted}{cells.standing('points')}{cells.time_note}",
                  drawing)


def ratios(cells):
    """Of each solver over the first one, for each measure."""
    drawing, axes = panels(len(MEASURES))
    first = cells.result.solvers[0]
    axis = cells.axes[0]
    for ax, (column, _, label, _) in zip(axes, MEASURES.values()):
        x0, y0 = cells.along(axis, f"{column}_median", 0)
        base = dict(zip(x0, y0))
        for s, solver in list(enumerate(cells.result.solvers))[1:]:
            x, y = cells.along(axis, f"{column}_median", s)
            pairs = [(a, b / base[a]) for a, b in zip(x, y) if base.get(a, 0) > 0]
            if pairs:
                ax.plot(*zip(*pairs), label=solver, **look(s))
                for each in (0, s):
                    cells.ring(ax, axis, column, each, *zip(*pairs))
        ax.axhline(1, color="#555555", linewidth=1)
        _finish(ax, cells, axis, "ratio", 1e-2)
        ax.set_title(label.split(",")[0])
        drawn = finite(y for line in ax.lines for y in line.get_ydata())
        if (np.abs(drawn - 1) < 0.05).all():  # not a magnified rounding error
            ax.set_ylim(0.9, 1.1)
    legend(drawing, axes)
    return Figure("ratios", f"Each solver over {first}, for each measure",
                  f"Below 1: less than {first}, which is better. "
                  "Ratios of medians; the paired ratio of times with its interval is in the "
                  f"verdict.{cells.standing(axis)}{cells.time_note}", drawing)


def success(cells):
    drawing, axes = panels(len(cells.axes))
    c = cells.columns
    if len(cells.solver):
        tried = c["count"] - c["not_applicable"]
        c["success_percent"] = np.where(tried > 0, 100 * (1 - c["failures"] / np.maximum(tried, 1)),
                                        np.nan)
    for ax, axis in zip(axes, cells.axes):
        for s, solver in enumerate(cells.result.solvers):
            x, y = cells.along(axis, "success_percent", s)
            ax.plot(x, y, label=solver, **{**look(s), "fillstyle": "none", "alpha": 0.9,
                                           "markersize": 6 + 1.5 * s})
        _finish(ax, cells, axis, "solves that did not fail, %")
        ax.set_yscale("linear")
        ax.set_ylim(-4, 108)
    legend(drawing, axes)
    return Figure("success", "Success rate",
                  "Rows that are not failed, of those where the solver is "
                  "applicable; higher is better. Markers grow from solver to solver so that equal "
                  f"ones show.{cells.standing(*cells.axes)}", drawing)


def variation(cells):
    drawing, axes = panels(2)
    axis = cells.axes[0]
    for ax, (column, what) in zip(axes, (("wall_s", "time"), ("rmsd_px", "RMSD"))):
        mean, std = (cells.columns.get(f"{column}_{k}", np.empty(0)) for k in ("mean", "std"))
        cells.columns[f"{column}_variation"] = np.where(
            mean > 0, 100 * std / np.where(mean > 0, mean, 1), np.nan)
        for s, solver in enumerate(cells.result.solvers):
            x, y = cells.along(axis, f"{column}_variation", s)
            if len(x):
                ax.plot(x, y, label=solver, **look(s))
                cells.ring(ax, axis, column, s, x, y)
        _finish(ax, cells, axis, f"std / mean of {what}, %")
    legend(drawing, axes)
    return Figure("variation", "Coefficient of variation over trials",
                  "Standard deviation over mean "
                  "of the trials of a configuration; lower is steadier. It holds what differs "
                  "between trials and what the machine adds."
                  f"{cells.standing(axis)}{cells.time_note}", drawing)


def heat_map(cells):
    """RMSD over two axes, noise and outliers if the job varies them; None where fewer than two
    vary."""
    c = cells.conditions
    wanted = [a for a in ("noise_px", "outliers", "points", "missing") if a in cells.axes][:2]
    if len(wanted) < 2:
        return None
    across, up = wanted
    solvers = cells.result.solvers
    xs, ys = cells.axis(across), cells.axis(up)
    columns, rows = np.unique(xs), np.unique(ys)
    value = cells.columns.get("rmsd_px_median", np.empty(0))
    here = np.isin(cells.place, c.along(across, up))
    grids = np.full((len(solvers), max(1, len(rows)), max(1, len(columns))), np.nan)
    for i in np.flatnonzero(here):
        grids[cells.solver[i], np.searchsorted(rows, ys[i]),
              np.searchsorted(columns, xs[i])] = value[i]
    top = np.nanmax(grids) if np.isfinite(grids).any() else 1.0
    drawing, axes = panels(len(solvers), 0.32 * grids.shape[1] + 0.9)
    for s, (ax, solver) in enumerate(zip(axes, solvers)):
        picture = ax.pcolormesh(grids[s], cmap="cividis", vmin=0, vmax=top or 1, edgecolors="white",
                                linewidth=0.5)
        if grids.shape[1] * grids.shape[2] <= 80:
            for i, j in np.ndindex(grids.shape[1:]):
                v = grids[s, i, j]
                said = "-" if np.isnan(v) else "< 0.01" if 0 <= v < 0.005 else f"{v:.3g}"
                ax.text(j + 0.5, i + 0.5, said, ha="center", va="center", fontsize=8,
                        color="#111111" if v > 0.6 * top or np.isnan(v) else "white")
        ax.set_xticks(np.arange(len(columns)) + 0.5, [f"{v:g}" for v in columns])
        ax.set_yticks(np.arange(len(rows)) + 0.5, [f"{v:g}" for v in rows])
        ax.set(title=solver, xlabel=axis_label(across), ylabel=axis_label(up))
        ax.grid(False)
    drawing.colorbar(picture, ax=axes, label="RMSD, 40x px", shrink=0.8)
    return Figure("rmsd-map", f"RMSD over {words(across)} and {words(up)}",
                  "Median RMSD of each configuration; lower is better, one scale for all."
                  f"{c.standing(across, up, each=False)}", drawing)


def measures(result):
    cells = Cells(result)
    return {name: against(cells, name) for name in MEASURES}


def others(result):
    cells = Cells(result)
    drawn = [time_per_point(cells), growth(cells), complexity(cells), heat_map(cells),
             success(cells), variation(cells)]
    if len(result.solvers) > 1:
        drawn.append(ratios(cells))
    return {figure.name: figure for figure in drawn if figure}
