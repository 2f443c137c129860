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
TARGET = ("The target is a gap to the lowest objective known of the trial, relative to it; what "
          "differs from that by rounding alone has reached all.")


def steps(curve):
    """Budgets and percent of a step function; of many steps some, always the first and the last."""
    budget, share = np.asarray(curve["budget"], float), np.asarray(curve["share"], float)
    pick = np.unique(np.linspace(0, len(budget) - 1, min(len(budget), MOST_STEPS)).astype(int))
    return budget[pick], 100 * share[pick]


def profile(targets, name, title, caption, kind, unit="s", per_second=1):
    """A panel for each target and cost of one kind of curve."""
    costs = [cost for cost, shape in DRAWN if shape == kind]
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
            nothing(ax, "no valid timing" if cost == "seconds" and not target["trials_timed"]
                    else "no solve reached the target")
        ax.set(ylim=(-4, 104), xlabel=DRAWN[cost, kind].format(unit=unit),
               ylabel="trials solved, %", title=f"gap ≤ {target['gap']:g}")
    legend(drawing, axes, [s["solver"] for s in targets[0]["solvers"]])
    return Figure(name, title, f"{caption} {used(targets)}", drawing)


def used(targets):
    used, timed = targets[0]["trials_used"], targets[0]["trials_timed"]
    return f"{used:,} trials" + ("." if timed == used else
                                 f"; in seconds those {timed:,} where every timing is valid.")


def without_end(ax, points, name):
    """Arrows to the top, once the axis stands, of ((x, y), colour)."""
    for i, ((x, y), colour) in enumerate(points):
        ax.annotate("", (x, 1), (x, y), xycoords=ax.get_xaxis_transform(), textcoords="data",
                    arrowprops={"arrowstyle": "->", "color": colour, "shrinkA": 0, "shrinkB": 0,
                                "gid": f"mark-without-end-{name}-{i}"})


def average_runtimes(targets, unit, per_second, standing=""):
    drawing, axes = panels(2)
    any_without_end = False
    for ax, (cost, label) in zip(axes, (("evaluations", "evaluations, average"),
                                        ("seconds", f"time, {unit}, average"))):
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
            nothing(ax, "no valid timing" if cost == "seconds" and not targets[0]["trials_timed"]
                    else "no success")
        without_end(ax, endless, cost)
        ax.set_xticks(range(len(targets)), [f"{t['gap']:g}" for t in targets])
        ax.set(xlabel="target: gap to the best known objective", ylabel=label,
               xlim=(-0.5, max(1, len(targets)) - 0.5))
    legend(drawing, axes)
    without = [solver for s, solver in enumerate(solvers) if targets and all(
        target["solvers"][s]["evaluations"]["average"]["value"] == 0 for target in targets)]
    needs = f" Without an evaluation: {', '.join(without)}." if without else ""
    arrows = " An arrow to the top: the interval has no upper end, as too few trials succeed." \
        if any_without_end else ""
    return Figure("average-runtime", "Average runtime",
                  "Lower is better. All that was spent, failures included, per success; bars: 95 % "
                  f"bootstrap interval.{needs}{arrows} {TARGET}{standing} {used(targets)}", drawing)


def figures(profiles, conditions, unit, per_second):
    """Costs are those of the conditions that figures stand at; ratios to the best solver of each
    trial are those of all conditions of their model and loss."""
    here = [t for t in profiles["configurations"] if t["configuration"] == conditions.base]
    kind = conditions.kind()
    alike = [t for t in profiles["targets"] if t["kind"] == kind]
    drawn, standing, over = [], conditions.standing(), ""
    if len(conditions.rows) > 1:
        over = f" Over all conditions of {kind}." if kind else " Over all conditions."
    if profiles["trials_used"] < profiles["trials"]:
        sampled = f" Of a sample of {profiles['trials_used']:,} of {profiles['trials']:,} trials."
        standing, over = standing + sampled, over + sampled
    if here:
        drawn += [
            profile(here, "runtime-to-target", "Runtime to target",
                    "Share of trials in which the target was reached within a budget; further left "
                    f"and higher is better. {TARGET}{standing}", "runtime", unit, per_second),
            average_runtimes(here, unit, per_second, standing)]
    if alike:
        drawn += [
            profile(alike, "performance-profile", "Performance profile",
                    "Share of trials in which a solver needs at most so many times what the best "
                    f"one of the trial needs; higher is better. {profiles['pitfalls']}{over}",
                    "performance"),
            profile(alike, "data-profile", "Data profile",
                    "Evaluations in units of what a simplex gradient costs; further left and "
                    f"higher is better.{over}", "data")]
    return {figure.name: figure for figure in drawn}
