"""Runtime distributions, performance and data profiles, average runtimes; all from nucreg."""

import numpy as np

from .style import Figure, legend, logarithmic, look, nothing, panels

DRAWN = {
    ("evaluations", "runtime"): "function evaluations",
    ("seconds", "runtime"): "time, {unit}",
    ("evaluations", "performance"): "evaluations / those of the best solver",
    ("seconds", "performance"): "time / that of the best solver",
    ("evaluations", "data"): "function evaluations / (parameters + 1)",
}
MOST_STEPS = 400  # of a curve


def steps(curve):
    """Budgets and percent of a step function; of many steps some, always the first and the last."""
    budget, share = np.asarray(curve["budget"], float), np.asarray(curve["share"], float)
    pick = np.unique(np.linspace(0, len(budget) - 1, min(len(budget), MOST_STEPS)).astype(int))
    return budget[pick], 100 * share[pick]


def profile(profiles, name, title, caption, kind, unit="s", per_second=1):
    """Of one kind: a panel for each target and cost."""
    costs = [cost for cost, shape in DRAWN if shape == kind]
    targets = profiles["targets"]
    drawing, axes = panels(len(costs) * len(targets), 2.2)
    for n, ax in enumerate(axes):
        target, cost = targets[n // len(costs)], costs[n % len(costs)]
        curves = [steps(solver[cost][kind]) for solver in target["solvers"]]
        ends = [b[-1] for b, _ in curves if len(b)]
        scale = per_second if (cost, kind) == ("seconds", "runtime") else 1
        right = 1.15 * max(ends, default=0) or 1  # what needs no evaluation ends at 0
        for s, (solver, (budget, share)) in enumerate(zip(target["solvers"], curves)):
            if len(budget):
                # To the right edge: what was not reached by then was never reached.
                ax.step(scale * np.append(budget, right), np.append(share, share[-1]), where="post",
                        label=solver["solver"],
                        **{**look(s), "markevery": max(1, len(budget) // 6)})
        if any(ends):
            logarithmic(ax, "x")
        elif not ends:
            nothing(ax, "no valid timing" if cost == "seconds" and not profiles["trials_timed"]
                    else "no solve reached the target")
        ax.set(ylim=(-4, 104), xlabel=DRAWN[cost, kind].format(unit=unit), ylabel="trials solved, %",
               title=f"gap ≤ {target['gap']:g}")
    legend(drawing, axes, [s["solver"] for s in targets[0]["solvers"]])
    return Figure(name, title, f"{caption} {used(profiles)}", drawing)


def used(profiles):
    words = f"{profiles['trials_used']:,} of {profiles['trials']:,} trials; in seconds those " \
            f"{profiles['trials_timed']:,} where every timing is valid."
    return words if profiles["trials_used"] == profiles["trials"] else "Sampled: " + words


def without_end(ax, points, name):
    """Arrows to the top, once the axis stands, of ((x, y), colour)."""
    for i, ((x, y), colour) in enumerate(points):
        ax.annotate("", (x, 1), (x, y), xycoords=ax.get_xaxis_transform(), textcoords="data",
                    arrowprops={"arrowstyle": "->", "color": colour, "shrinkA": 0, "shrinkB": 0,
                                "gid": f"mark-without-end-{name}-{i}"})


def average_runtimes(profiles, unit, per_second):
    targets = profiles["targets"]
    drawing, axes = panels(2)
    any_without_end = False
    for ax, (cost, label) in zip(axes, (("evaluations", "average runtime, evaluations"),
                                        ("seconds", f"average runtime, {unit}"))):
        solvers = [s["solver"] for s in targets[0]["solvers"]] if targets else []
        endless = []
        for s, solver in enumerate(solvers):
            points = []
            for t, target in enumerate(targets):
                a = target["solvers"][s][cost]["average"]
                if a["value"] is not None and a["value"] > 0:
                    scale = per_second if cost == "seconds" else 1
                    low = a["low"] if a["low"] is not None else a["value"]
                    high = a["high"] if a["high"] is not None else a["value"]
                    points.append((t + (s - (len(solvers) - 1) / 2) * 0.7 / len(solvers),
                                   scale * a["value"], scale * max(0, a["value"] - low),
                                   scale * max(0, high - a["value"])))
                    if a["high"] is None:
                        endless.append((points[-1][:2], look(s)["color"]))
            if points:
                x, y, low, high = zip(*points)
                ax.errorbar(x, y, yerr=(low, high), label=solver, capsize=3,
                            **{**look(s), "linestyle": "none"})
        if endless:
            any_without_end = True
            ax.set_yscale("log")
            ax.set_ylim(top=1.5 * ax.get_ylim()[1])
        if ax.lines:
            logarithmic(ax, "y")
        else:
            nothing(ax, "no valid timing" if not profiles["trials_timed"] and cost == "seconds"
                    else "no success")
        without_end(ax, endless, cost)
        ax.set_xticks(range(len(targets)), [f"{t['gap']:g}" for t in targets])
        ax.set(xlabel="target: gap to the best known objective", ylabel=label,
               xlim=(-0.5, max(1, len(targets)) - 0.5))
    legend(drawing, axes)
    arrows = " An arrow to the top: the interval has no upper end, as too few trials succeed." \
        if any_without_end else ""
    return Figure("average-runtime", "Average runtime",
                  "All that was spent, failures included, per "
                  f"success; bars: 95 % bootstrap interval.{arrows} {used(profiles)}", drawing)


def figures(profiles, unit, per_second):
    drawn = [
        profile(profiles, "runtime-to-target", "Runtime to target",
                "Share of trials in which the target was reached within a budget; further left and "
                "higher is better.", "runtime", unit, per_second),
        profile(profiles, "performance-profile", "Performance profile",
                "Share of trials in which a solver needs at most so many times what the best one "
                "needs. " + profiles["pitfalls"], "performance"),
        profile(profiles, "data-profile", "Data profile",
                "Evaluations in units of what a simplex gradient costs.", "data"),
        average_runtimes(profiles, unit, per_second),
    ]
    return {figure.name: figure for figure in drawn}
