"""The verdict as pictures: arrivals, ratios of times with intervals. Nothing is computed."""

from .style import Figure, finite, legend, logarithmic, look, nothing, panels

MOST_REGIONS = 24
MAX_CHARACTERS = 36  # of the name of a region beside a panel


def region(row):
    """Its name; where the row is of one configuration or of two axes, None."""
    return name_of(row) if row["scope"] in ("overall", "axis") else None


def name_of(row):
    """As nucreg writes it."""
    values = [f"{row[axis]} {'' if row[value][:1] in '<>' else '= '}{row[value]}"
              for axis, value in (("axis", "value"), ("axis_2", "value_2")) if row.get(axis)]
    if row["scope"] == "configuration" and not values:
        return f"configuration {row['configuration']}"
    return ", ".join(filter(None, [row["kind"], *values])) or "overall"


def short(names):
    """Names that leave room for the panel: of a long one the middle is left out."""
    return [name if len(name) <= MAX_CHARACTERS else f"{name[:12]}…{name[13 - MAX_CHARACTERS:]}"
            for name in names]


def seen_from(row, solver):
    """Ratio and interval with `solver` as the one that is compared with the other."""
    keys = ("time_ratio", "time_ratio_low", "time_ratio_high")
    ratio, low, high = finite(row[k] for k in keys)
    return (ratio, low, high) if row["solver_b"] == solver else (1 / ratio, 1 / high, 1 / low)


def time_ratios(overview):
    solvers = [s["name"] for s in overview["solvers"]]
    best = overview["best"] or solvers[0]  # of several kinds each may have its own
    rows = [c for c in overview["comparisons"] if region(c) and best in (c["solver_a"],
                                                                         c["solver_b"])]
    regions = list(dict.fromkeys(map(region, rows)))
    shown = regions[:MOST_REGIONS]
    drawing, (ax,) = panels(1, max(2.4, (0.13 * len(solvers) + 0.1) * len(shown) + 0.8),
                            short(shown))
    others = [s for s in solvers if s != best]
    for s in others:
        places, values = [], []
        for row in rows:
            if s not in (row["solver_a"], row["solver_b"]) or region(row) not in shown:
                continue
            if row["time_ratio"] and row["finding"] != "neither arrives":
                y = shown.index(region(row)) + (others.index(s) - (len(others) - 1) / 2) * \
                    0.75 / len(others)
                places.append(y)
                values.append(seen_from(row, best))
        if values:
            ratio, low, high = map(list, zip(*values))
            spans = [[max(0, r - a) if a == a else 0 for r, a in zip(ratio, low)],
                     [max(0, b - r) if b == b else 0 for r, b in zip(ratio, high)]]
            ax.errorbar(ratio, places, xerr=spans, label=s, capsize=2.5,
                        **{**look(solvers.index(s)), "linestyle": "none"})
    ax.axvline(1, color="#555555", linewidth=1)
    if not ax.containers:
        nothing(ax, "no pair of valid timings")
    logarithmic(ax, "x", narrow=True)
    ax.set_yticks(range(len(shown)), short(shown))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set(xlabel=f"time of the other / time of {best}")
    legend(drawing, [ax])
    cut = f" The first {len(shown)} of {len(regions)} regions." if len(shown) < len(regions) else ""
    return Figure("time-ratios", f"Speed-up of {best} over the others",
                  f"Right of 1 {best} is faster. Paired by trial, where both arrive (at equal "
                  "accuracy, if arrival is unknown) and both timings are valid; bars: 95 % "
                  "bootstrap interval. "
                  f"A bar across 1 tells nothing apart.{cut}", drawing)


def arrivals(overview):
    """How often each solver arrives, per region; None where that is unknown."""
    solvers = [s["name"] for s in overview["solvers"]]
    shares = {}  # region: {solver: share}
    for row in overview["comparisons"]:
        name = region(row)
        if not name or not row["arrival_known"]:
            continue
        for side in "ab":
            shares.setdefault(name, {})[row[f"solver_{side}"]] = \
                row[f"arrived_{side}"] / row["arrival_known"]
    if not shares:
        return None
    shown = list(shares)[:MOST_REGIONS]
    drawing, (ax,) = panels(1, max(2.4, 0.3 * len(shown) + 0.9), short(shown))
    for number, solver in enumerate(solvers):
        step = (number - (len(solvers) - 1) / 2) * 0.6 / len(solvers)
        ax.plot([100 * shares[name].get(solver, float("nan")) for name in shown],
                [y + step for y in range(len(shown))], label=solver,
                **{**look(number), "linestyle": "none"})
    ax.set_yticks(range(len(shown)), short(shown))
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(-3, 103)
    ax.set(xlabel="trials that arrive, %")
    legend(drawing, [ax])
    cut = f" The first {len(shown)} of {len(shares)} regions." if len(shown) < len(shares) else ""
    return Figure("arrivals", "How often each solver arrives",
                  "Further right is better. A fit has arrived if its map is near enough to the "
                  "truth to give each nucleus its own partner; without a truth, if pairs held out "
                  f"of the fit lie that near.{cut}", drawing)


def figures(overview):
    if len(overview["solvers"]) < 2:
        return {}
    drawn = [arrivals(overview), time_ratios(overview)]
    return {figure.name: figure for figure in drawn if figure}
