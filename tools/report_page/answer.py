"""The answer in the words of somebody who wants to use a solver; numbers are those of nucreg."""

from .html_parts import number


def percent(part, whole):
    share = 100 * part / whole
    return f"{share:.0f} %" if part in (0, whole) or 1 <= share <= 99 else f"{share:.2g} %"


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


def speed(row, best, other, ratio):
    if row["finding"] == "faster":
        return f"{best} is {times(ratio)} times as fast as {other}" if ratio >= 1 else \
            f"{best} takes {times(1 / ratio)} times as long as {other}"
    if row["finding"] == "same":
        return f"{best} and {other} are equally fast"
    if row["finding"] == "mixed":
        return f"{best} or {other} is faster, depending on whether a typical trial or the sum counts"
    return f"too few timings tell which of {best} and {other} is faster"


def sentence(row, best):
    mine, its, other, ratio = from_best(row, best)
    if row["finding"] == "neither arrives":
        known = row["arrival_known"]
        return (f"Neither {best} nor {other} finds the right map here: {percent(mine, known)} and "
                f"{percent(its, known)} of trials arrive.")
    return f"{speed(row, best, other, ratio)}; {arrivals(row, best, mine, other, its)}."


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
        said = [sentence(row, best) for row in own if best in (row["solver_a"], row["solver_b"])]
        lost = [row for row in own if row["finding"] == "neither arrives"]
        headline = f"Use {best}." if len(lost) < len(own) else "None of these solvers will do."
        found.append((kind, headline, said))
    return found


def best_of(rows, solvers):
    """Who arrives most often; among equals the one that wins most comparisons of time."""
    share = {solver: 0.0 for solver in solvers}
    wins = {solver: 0 for solver in solvers}
    for row in rows:
        for end in "ab":
            if row["arrival_known"]:
                share[row[f"solver_{end}"]] = row[f"arrived_{end}"] / row["arrival_known"]
        for solver in (row["arrives"], row["faster"]):
            if solver in wins:
                wins[solver] += 1
    return max(solvers, key=lambda solver: (round(share[solver], 2), wins[solver]))


def size(result):
    """What it rests on, in one line."""
    count = len(result.solvers)
    return (f"{number(result.attributes.get('trials_done', 0))} trials of "
            f"{len(result.configurations):,} configurations, each solved by {count} "
            f"solver{'s' * (count != 1)}.")
