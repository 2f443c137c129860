"""Milliseconds per fit over the number of points, all solvers."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import bench

COLOURS = {"nucreg": "#1f4e9c", "Eigen": "#7f7f7f", "Ceres": "#d9731a", "GSL": "#2e8b3a",
           "SciPy": "#b02a5b"}  # fmt: skip
STYLES = ["-", "--", "-.", ":"]


def write(races, names, folder):
    """Writes fits.svg and fits.png; returns their paths. Nothing without races."""
    if not races:
        return []
    figure, axes = plt.subplots(figsize=(8.5, 5.5))
    used = {}
    for name, shown in names.items():
        timed = [race for race in races if name in race.seconds]
        family = shown.replace(",", " ").split()[0]
        style = STYLES[used.setdefault(family, 0) % len(STYLES)]
        used[family] += 1
        axes.plot([race.points for race in timed],
                  [1e3 * bench.middle(race.seconds[name]) for race in timed],
                  style, color=COLOURS[family], marker="o", markersize=3.5, label=shown)
        # An open marker: not at the optimum.
        missed = [race for race in timed if not race.arrived(name)]
        axes.plot([race.points for race in missed],
                  [1e3 * bench.middle(race.seconds[name]) for race in missed],
                  "o", color=COLOURS[family], markerfacecolor="white", markersize=7)
    axes.set(xscale="log", yscale="log", xlabel="point pairs", ylabel="ms per fit",
             title="Affine fit, squared loss, one core (open: not at the optimum)")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=7.5, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    paths = [folder / f"fits.{ending}" for ending in ("svg", "png")]
    for path in paths:
        figure.savefig(path, bbox_inches="tight", dpi=130)
    plt.close(figure)
    return paths
