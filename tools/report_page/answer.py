"""The answer in the words of somebody who wants to use a solver; numbers are those of nucreg."""

import math

from .asked import USAGE, Refused
from .html_parts import number

NEITHER = "neither arrives"


def percent(part, whole):
    """Two digits, near 100 % of what is missing: never as if it were none or all."""
    share = 100 * part / whole
    if share <= 99 or part == whole:
        return f"{share:.0f} %" if part in (0, whole) or share >= 1 else f"{share:.2g} %"
    places = 1 - math.floor(math.log10(100 - share))
    return f"{share:.{places}f}".rstrip("0").rstrip(".") + " %"


def times(ratio):
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def from_best(row, best):
    """Arrivals of best and of the other, and how many times as fast best is; None: unknown."""
    first = row["solver_a"] == best
    ratio = row["time_ratio"]
    if ratio:
        ratio = 1 / ratio if first else ratio
    ends = ("a", "b") if first else ("b", "a")
    return (*(row[f"arrived_{end}"] for end in ends), row[f"solver_{ends[1]}"], ratio)


def arrivals(row, best, mine, other, its):
    known = row["arrival_known"]
    if not known:
        return "whether they find the right map is not known"
    if mine == its == known:
        return "both always arrive"
    if mine == its:
        return f"both arrive in {percent(mine, known)} of trials"
    return f"{best} arrives in {percent(mine, known)} of trials, {other} in {percent(its, known)}"


def faster(row, best, other, ratio):
    return f"{best} is {times(ratio)} times as fast as {other}" if ratio >= 1 else \
        f"{best} takes {times(1 / ratio)} times as long as {other}"


def dearer(row, best, other, ratio):
    quick, slow = (best, other) if ratio >= 1 else (other, best)
    total = row["total_ratio"]
    total = total if quick == row["solver_a"] else 1 / total
    return (f"{quick} is faster than {slow} in a typical trial, but takes {times(total)} times as "
            "long in total")


def undecided(row, best, other, ratio):
    return f"too few trials to tell which of {best} and {other} is faster"


def unclear(row, best, other, ratio):
    return f"which of {best} and {other} is faster is unclear, and more trials would not tell"


def depends(row, best, other, ratio):
    return f"which of {best} and {other} is faster depends on the conditions"


def untimed(row, best, other, ratio):
    return (f"which of {best} and {other} is faster cannot be told: only {row['timed']:,} of "
            f"{row['equal']:,} trials have valid timings; run again on an idle machine")


def timeless(row, best, other, ratio):
    if row["equal"]:
        return (f"no trial has valid timings of both {best} and {other}, so which is faster cannot "
                "be told; run again on an idle machine")
    return f"there are no times of {best} and {other} to compare"


# What nucreg finds of the times of two solvers, but NEITHER, in words.
SPEED = {
    "faster": faster,
    "no difference": lambda row, best, other, ratio: f"{best} and {other} are equally fast",
    "not enough trials": undecided,
    "unclear": unclear,
    "differs between regions": depends,
    "timings not valid": untimed,
    "faster, but costs more": dearer,
    "no times to compare": timeless,
}


def sentence(row, best):
    mine, its, other, ratio = from_best(row, best)
    if row["finding"] == NEITHER:
        known = row["arrival_known"]
        return (f"Neither {best} nor {other} finds the right map here: {percent(mine, known)} and "
                f"{percent(its, known)} of trials arrive.")
    if row["finding"] not in SPEED:
        raise Refused(f"nucreg finds \"{row['finding']}\" of {best} and {other}, which this report "
                      "does not know; take the report that came with nucreg", USAGE)
    speed = SPEED[row["finding"]](row, best, other, ratio)
    return f"{speed}; {arrivals(row, best, mine, other, its)}."


def answers(overview):
    """[(kind, headline, sentences)]; kinds are models and losses, which are never pooled."""
    rows = [row for row in overview["comparisons"] if row["scope"] == "overall"]
    found = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        solvers = list(dict.fromkeys(row[f"solver_{end}"] for row in own for end in "ab"))
        if len(solvers) < 2:
            continue
        best = overview["best"] if overview["best"] in solvers else best_of(own, solvers)
        said = [sentence(row, first) for row, first in told(own, best)]
        found.append((kind, headline(best, own, overview.get("more_trials")), said))
    return found


def told(rows, best):
    """[(row, solver that it speaks of)]: the best against each other, the nearest first, then the
    two nearest, in the order of nucreg's verdict."""
    def distance(row):
        return abs(math.log(row["time_ratio"])) if row["time_ratio"] else math.inf

    own = sorted((row for row in rows if best in (row["solver_a"], row["solver_b"])), key=distance)
    near = {end for row in own[:2] for end in (row["solver_a"], row["solver_b"])} - {best}
    next_two = [row for row in rows if {row["solver_a"], row["solver_b"]} == near]
    return ([(row, best) for row in own] +
            [(row, row["arrives"] or row["faster"] or row["solver_a"]) for row in next_two])


def headline(best, rows, more):
    """Nobody is recommended whom no test prefers. `more`: what nucreg says that more trials
    decide."""
    if all(row["finding"] == NEITHER for row in rows):
        return "None of these solvers will do."
    own = [row for row in rows if best in (row["solver_a"], row["solver_b"])]
    if any(best in (row["arrives"], row["faster"]) for row in own):
        return f"Use {best}."
    if all(row["finding"] == "no difference" and not row["arrives"] for row in own):
        return "Either will do." if len(own) == 1 else "Any of these solvers will do."
    if more and any(row["finding"] == "not enough trials" for row in own):
        return "Not decided yet: too few trials."
    untold = any(row["finding"] == "timings not valid" or
                 (row["finding"] == "no times to compare" and row["equal"]) for row in own)
    return "Not decided: too few valid timings." if untold else "Not decided."


def best_of(rows, solvers):
    """As nucreg chooses it: with the most declared wins less losses, arrivals counting before
    times; ties to the lower time."""
    wins, logs = dict.fromkeys(solvers, 0), dict.fromkeys(solvers, 0.0)
    for row in rows:
        ends = row["solver_a"], row["solver_b"]
        winner = row["arrives"] or row["faster"]
        for sign, end in zip((1, -1), ends):
            if winner:
                wins[end] += 1 if end == winner else -1
            if row["time_ratio"]:
                logs[end] += sign * math.log(row["time_ratio"])
    return min(solvers, key=lambda solver: (-wins[solver], logs[solver]))


def size(result):
    """What it rests on, in one line."""
    count = len(result.solvers)
    return (f"{number(result.attributes.get('trials_done', 0))} trials of "
            f"{len(result.configurations):,} configurations, each solved by {count} "
            f"solver{'s' * (count != 1)}.")
