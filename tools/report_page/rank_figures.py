"""What each rank did: CPU and memory over time, busy and waiting."""

import numpy as np

from .style import COLOURS, LINES, MARKERS, Figure, finite, legend, nothing, panels

MOST_LINES = 8
MOST_BARS = 64


def over_time(result):
    samples, machine, ranks = result.rank_samples
    few = len(samples) <= MOST_LINES
    drawing, axes = panels(2)
    for ax, column, label in ((axes[0], 1, "CPU, %"), (axes[1], 2, "resident memory, MiB")):
        scale = 1 if column == 1 else 1 / 2**20
        if few:
            for i, (rank, columns) in enumerate(samples.items()):
                ax.plot(columns[0], columns[column] * scale, label=f"rank {rank}",
                        color=COLOURS[i % 7], marker=MARKERS[i % 9], linestyle=LINES[i % 4],
                        markevery=max(1, len(columns[0]) // 12))
            ax.set(xlabel="time since start, s", ylabel=label)
        else:
            _map(drawing, ax, samples, column, scale, label)
    if machine is not None and len(machine[0]) and few:
        axes[0].plot(*machine, color="#555555", linewidth=1, linestyle=(0, (1, 2)), marker=".",
                     label="whole machine")
    if few and samples:
        for ax in axes:
            drawn = finite(y for line in ax.lines for y in line.get_ydata())
            ax.set_ylim(0, 1.08 * (max(drawn[np.isfinite(drawn)], default=0) or 1))
    if not samples:
        nothing(axes[0], "no sample was taken")
        nothing(axes[1], "no sample was taken")
    legend(drawing, axes)
    cut = "" if len(samples) == ranks else f" {len(samples)} of {ranks} ranks are drawn, evenly."
    return Figure("rank-use", "Use of ranks over time",
                  "Samples each run.monitor_seconds, averaged "
                  f"where they are dense. 100 % is one processor; the machine: of all its "
                  f"processors.{cut}", drawing)


def _map(drawing, ax, samples, column, scale, label):
    """A row of colours for each rank."""
    end = max(columns[0][-1] for columns in samples.values())
    grid = np.full((len(samples), 120), np.nan)
    for i, columns in enumerate(samples.values()):
        at = np.minimum((columns[0] / max(end, 1e-9) * 120).astype(int), 119)
        grid[i, at] = columns[column] * scale
        for j in range(1, 120):  # a sample holds until the next one
            if np.isnan(grid[i, j]):
                grid[i, j] = grid[i, j - 1]
    picture = ax.pcolormesh(np.linspace(0, end, 121), np.arange(len(samples) + 1), grid,
                            cmap="cividis", vmin=0, rasterized=True)
    places = np.unique(np.linspace(0, len(samples) - 1, 8).astype(int))
    ax.set_yticks(places + 0.5, [list(samples)[i] for i in places])
    ax.set(xlabel="time since start, s", ylabel="rank")
    ax.grid(False)
    drawing.colorbar(picture, ax=ax, label=label)


def busy(result):
    ranks = result.overview["ranks"]
    pick = np.unique(np.linspace(0, len(ranks) - 1, min(len(ranks), MOST_BARS)).astype(int)) \
        if ranks else []
    rows = [ranks[i] for i in pick]
    names = [f"rank {row.get('rank', i)} ({row.get('host', '?')})" for i, row in zip(pick, rows)]
    drawing, (ax,) = panels(1, min(8.0, 0.24 * max(4, len(rows)) + 0.9), names)
    left = np.zeros(len(rows))
    for i, (column, label, colour, hatch) in enumerate((
            ("busy_s", "solving", COLOURS[5], ""), ("wait_s", "waiting for work",
                                                    "#FFFFFF", "///"))):
        value = np.array([row.get(column) or 0 for row in rows])
        for n, bar in enumerate(ax.barh(range(len(rows)), value, left=left, label=label,
                                        color=colour,
                                        edgecolor="#333333", linewidth=0.6, hatch=hatch)):
            bar.set_gid(f"mark-bar-{i}-{n}")
        left += value
    if not rows:
        nothing(ax, "no rank in the file")
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows),
                                                         24)).astype(int)) if rows else []
    ax.set_yticks(places, [names[i] for i in places])
    ax.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    ax.set_xlabel("s")
    legend(drawing, [ax])
    cut = "" if len(rows) == len(ranks) else \
        f" {len(rows)} of {len(ranks)} ranks are drawn, evenly."
    return Figure("rank-balance", "Balance of ranks",
                  f"Seconds that each rank solved and waited.{cut}",
                  drawing)


def figures(result):
    drawn = [over_time(result), busy(result)]
    return {figure.name: figure for figure in drawn}
