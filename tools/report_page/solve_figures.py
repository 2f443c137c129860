"""Single solves: spread of times, time against accuracy, parameters, convergence."""

import numpy as np

from .style import Figure, legend, log_where_positive, logarithmic, look, nothing, panels

PARAMETERS = {
    "rigid": ["dx_px", "dy_px", "angle_deg"],
    "similarity": ["dx_px", "dy_px", "angle_deg", "scale"],
    "trs": ["dx_px", "dy_px", "angle_deg", "scale_x", "scale_y"],
    "affine": ["a", "b", "tx_px", "c", "d", "ty_px"],
    "projective": ["a", "b", "tx_px", "c", "d", "ty_px", "g", "h"],
}
HATCHES = ["", "//", "..", "xx", "\\\\", "++", "oo"]
MOST_DOTS = 1500  # of each solver


def sampled(result, *besides):
    if result.trials_drawn == result.trials_there:
        return result.conditions.standing(*besides).strip()
    return (f"A random sample is drawn: {result.trials_drawn:,} of {result.trials_there:,} trials, "
            f"the same for all solvers.{result.conditions.standing(*besides)}")


def of_base(result):
    """Rows of the configuration that figures stand at."""
    return result.sample.where(result.sample["configuration"] == result.conditions.base)


def boxes(ax, values, places, solver, width, label=None):
    """Box: quartiles and median; whiskers: 5th and 95th percentile."""
    kept = [i for i, v in enumerate(values) if len(v)]
    if not kept:
        return
    drawn = ax.boxplot([values[i] for i in kept], positions=[places[i] for i in kept], widths=width,
                       whis=(5, 95), showfliers=False, patch_artist=True, manage_ticks=False,
                       medianprops={"color": "#111111"})
    for i, box in enumerate(drawn["boxes"]):
        box.set(facecolor=look(solver)["color"], alpha=0.65, gid=f"mark-box-{solver}-{i}",
                hatch=HATCHES[solver % len(HATCHES)], label=label if i == 0 else None)


def timed(result):
    """Rows of the base whose times count: with a valid timing, and all of a solver that has none;
    and what is to be said of that."""
    rows = of_base(result)
    valid = rows["timing_valid"].astype(bool)
    without = [s for s in range(len(result.solvers)) if not valid[rows["solver"] == s].any()]
    names = ", ".join(result.solvers[s] for s in without)
    return valid | np.isin(rows["solver"], without), "Valid timings only." + (
        f" No timing is valid of {names}: all its times are drawn." if without else "")


def time_boxes(result):
    rows, solvers = of_base(result), result.solvers
    count, said = timed(result)
    drawing, (ax,) = panels(1)
    values = []
    for s in range(len(solvers)):
        time = rows["wall_s"][count & (rows["solver"] == s)] * result.per_second
        values.append(time[np.isfinite(time) & (time > 0)])
        boxes(ax, values[-1:], [s], s, 0.6)
    ax.set_xticks(range(len(solvers)), solvers, rotation=20 if len(solvers) > 6 else 0)
    if any(map(len, values)):
        log_where_positive(ax, "y", np.concatenate(values))
    else:
        nothing(ax, "no finite value")
    ax.set_ylabel(f"time, {result.time_unit}")
    return Figure("time-boxes", "Spread of times over trials", "Lower is better. Box: quartiles "
                  f"and median; whiskers: 5th to 95th percentile. {said} {sampled(result)}",
                  drawing)


def time_accuracy(result):
    rows = of_base(result)
    measure, label = ("tre_px", "TRE, 40x px") if np.isfinite(rows["tre_px"]).any() else \
        ("rmsd_px", "RMSD, 40x px")
    drawing, (ax,) = panels(1, 3.4)
    count, said = timed(result)
    most = 0
    for s, solver in enumerate(result.solvers):
        mine = rows.where(count & (rows["solver"] == s) & np.isfinite(rows[measure]) &
                          (rows["wall_s"] > 0))
        most = max(most, len(mine))
        pick = np.linspace(0, len(mine) - 1, min(len(mine), MOST_DOTS)).astype(int)
        if len(pick):
            style = look(s)
            ax.plot(mine["wall_s"][pick] * result.per_second,
                    np.maximum(mine[measure][pick], 1e-15), label=solver,
                    linestyle="none", marker=style["marker"], color=style["color"], alpha=0.55,
                    markersize=4, markeredgewidth=0)
    if ax.lines:
        log_where_positive(ax, "x", np.concatenate([line.get_xdata() for line in ax.lines]))
        log_where_positive(ax, "y", np.concatenate([line.get_ydata() for line in ax.lines]))
    else:
        nothing(ax, "no finite value")
    ax.set(xlabel=f"time, {result.time_unit}", ylabel=label)
    legend(drawing, [ax])
    fewer = f" Of each solver {MOST_DOTS:,} at most." if most > MOST_DOTS else ""
    return Figure("time-accuracy", "Time against accuracy",
                  "A dot is a solve; left is faster, down is "
                  f"more accurate. {said} {sampled(result)}{fewer}", drawing)


def parameter_errors(result):
    rows = result.sample
    models = sorted({row.get("model") for row in result.configurations} & PARAMETERS.keys())
    model_of = np.array([row.get("model", "") for row in result.configurations])
    count = len(result.solvers)
    drawing, axes = panels(max(1, len(models)), height=2.8)
    for ax, model in zip(axes, models):
        names = PARAMETERS[model]
        mine = rows.where(model_of[rows["configuration"].astype(int)] == model)
        names = names[:mine["params"].shape[1]]
        error = np.abs(mine["params"] - mine["true_params"])
        if "angle_deg" in names:
            turn = names.index("angle_deg")
            error[:, turn] = np.minimum(error[:, turn] % 360, -error[:, turn] % 360)
        drawn = []
        for s, solver in enumerate(result.solvers):
            own = error[mine["solver"] == s]
            values = [np.maximum(column[np.isfinite(column)],
                                 1e-16) for column in own.T[:len(names)]]
            places = [p + (s - (count - 1) / 2) * 0.8 / count for p in range(len(names))]
            boxes(ax, values, places, s, 0.7 / count, solver)
            drawn += values
        if any(map(len, drawn)):
            log_where_positive(ax, "y", np.concatenate(drawn))
        else:
            nothing(ax, "no finite error: no solve arrived, or the truth is not known")
        ax.set_xticks(range(len(names)), names)
        ax.set(title=model, ylabel="|fitted - true|")
    if not models:
        nothing(axes[0], "no configuration")
    legend(drawing, axes)
    return Figure("parameters", "Error of each parameter",
                  "Lower is better. Fitted minus true, absolute, in the unit "
                  "of the parameter (px, degrees or none). Box: quartiles and median; "
                  "whiskers: 5th to "
                  f"95th percentile; 1e-16 stands for less. {sampled(result, 'model')}", drawing)


def convergence(result):
    """None where the run kept no traces."""
    if result.traces is None:
        return None
    drawing, (ax,) = panels(1, 3.2)
    drawn = 0
    for s, (solver, traces) in enumerate(zip(result.solvers, result.traces)):
        curves = []
        last = max((int(e[-1]) for e, _ in traces), default=0)
        grid = np.unique(np.geomspace(1, max(last, 1), 60).astype(int))
        for evaluation, objective in traces:
            if len(objective) == 0 or not np.isfinite(objective).all() or objective[0] <= 0:
                continue
            at = np.searchsorted(evaluation, grid, side="right") - 1
            curves.append(np.where(at >= 0, objective[np.maximum(at, 0)] / objective[0], np.nan))
        if not curves:
            continue
        drawn += len(curves)
        with np.errstate(all="ignore"):
            low, middle, high = np.nanpercentile(np.maximum(curves, 1e-32), (25, 50, 75), axis=0)
        ax.plot(grid, middle, label=solver, **{**look(s), "markevery": max(1, len(grid) // 8)})
        ax.fill_between(grid, low, high, color=look(s)["color"], alpha=0.15, linewidth=0)
    if ax.lines:
        logarithmic(ax, "x")
        logarithmic(ax, "y")
    else:
        nothing(ax, "no trace with a finite objective")
    ax.set(xlabel="function evaluations", ylabel="lowest objective / that of the start")
    legend(drawing, [ax])
    return Figure("convergence", "Convergence", "How the lowest objective so far falls: median and "
                  f"quartiles over {drawn:,} traces; further left and lower is better. A curve "
                  f"ends flat at the noise of its problems.{result.conditions.standing()}", drawing)


def figures(result):
    drawn = [time_boxes(result), time_accuracy(result), parameter_errors(result),
             convergence(result)]
    return {figure.name: figure for figure in drawn if figure}
