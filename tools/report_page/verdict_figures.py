"""The verdict as pictures: ratios of times with intervals, mean ranks. Nothing is computed."""

from .style import Figure, finite, logarithmic, look, nothing, panels

MOST_REGIONS = 24


def region(row):
    """Its name; where the row is of one configuration, None."""
    if row["scope"] == "overall":
        return "overall"
    if row["scope"] == "configuration":
        return None
    return f"{row['axis']} {'' if row['value'][:1] in '<>' else '= '}{row['value']}"


def seen_from(row, solver):
    """Ratio and interval with `solver` as the one that is compared with the other."""
    keys = ("time_ratio", "time_ratio_low", "time_ratio_high")
    ratio, low, high = finite(row[k] for k in keys)
    return (ratio, low, high) if row["solver_b"] == solver else (1 / ratio, 1 / high, 1 / low)


def time_ratios(overview):
    solvers = [s["name"] for s in overview["solvers"]]
    best = overview["best"]
    rows = [c for c in overview["comparisons"] if region(c) and best in (c["solver_a"],
                                                                         c["solver_b"])]
    regions = list(dict.fromkeys(map(region, rows)))
    shown = regions[:MOST_REGIONS]
    drawing, (ax,) = panels(1, height=max(2.4, (0.13 * len(solvers) + 0.1) * len(shown) + 0.8))
    others = [s for s in solvers if s != best]
    for s in others:
        places, values = [], []
        for row in rows:
            if s not in (row["solver_a"], row["solver_b"]) or region(row) not in shown:
                continue
            if row["time_ratio"]:
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
    logarithmic(ax, "x")
    ax.set_yticks(range(len(shown)), shown)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set(xlabel=f"time of the other solver / time of {best}; right of 1: {best} is faster")
    if ax.containers:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5)
    cut = f" The first {len(shown)} of {len(regions)} regions." if len(shown) < len(regions) else ""
    return Figure("time-ratios", f"How many times as fast {best} is", "Paired by trial, where both "
                  "reached equal accuracy and both timings are valid; bars: 95 % bootstrap "
                  "interval. "
                  f"A bar across 1 tells nothing apart.{cut}", drawing)


def mean_ranks(overview):
    """None where nothing was ranked."""
    ranked = [(r["mean_rank"], r["solver"], r) for r in overview["solver_ranks"]
              if r["mean_rank"] is not None]
    if not ranked:
        return None
    ranked.sort(key=lambda r: r[:2])
    solvers = [s["name"] for s in overview["solvers"]]
    distance = ranked[0][2]["critical_difference"]
    drawing, (ax,) = panels(1, height=0.3 * len(ranked) + 1.0)
    for y, (rank, name, _) in enumerate(ranked):
        style = look(solvers.index(name))
        ax.plot([rank], [y], marker=style["marker"], color=style["color"], markersize=8,
                linestyle="none")
        if distance:
            ax.plot([rank - distance / 2, rank + distance / 2], [y, y], color=style["color"])
    ax.set_yticks(range(len(ranked)), [name for _, name, _ in ranked])
    ax.set_ylim(len(ranked) - 0.5, -0.5)
    ax.set_xlabel("mean rank over trials, 1 is best")
    said = f" Bars are the critical difference ({distance:.2g}) wide: two solvers whose bars do " \
           "not overlap differ (Nemenyi, 5 %)." if distance else ""
    return Figure("mean-ranks", "Mean ranks", f"Over {ranked[0][2]['trials']:,} trials that all "
                  f"solvers took on.{said}", drawing)


def figures(overview):
    if len(overview["solvers"]) < 2:
        return {}
    drawn = [time_ratios(overview), mean_ranks(overview)]
    return {figure.name: figure for figure in drawn if figure}
