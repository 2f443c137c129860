"""The page: what is said where, in which order."""

import base64
import pathlib
import shlex

from . import answer
from .html_parts import Marked, Raw, figure, joined, number, table, tag
from .verdict_figures import name_of

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {"failed": "failed", "gap": "far from the best known", "slow": "slow"}
MACHINE = ("nucreg_version", "git_revision", "compiler", "cpu_model", "mpi_library", "mpi_ranks",
           "created_utc", "seed", "part")
# The first screens; whatever there is of SECTIONS beyond these is folded.
FIRST = ("image-tiles", "image-residuals", "image-matches", "arrivals", "time-ratios", "time",
         "tre", "time-accuracy", "runtime-to-target")
MAX_FIRST = 6
SECTIONS = (
    ("conditions", "Over conditions", ("rmsd", "tre", "parameter-error", "time", "memory",
                                       "evaluations", "rmsd-map", "ratios", "success",
                                       "variation")),
    ("speed", "Speed", ("time-boxes", "time-accuracy", "time-per-point", "growth", "complexity")),
    ("profiles", "Profiles", ("runtime-to-target", "performance-profile", "data-profile",
                              "average-runtime")),
    ("fits", "Fits", ("parameters", "convergence")),
    ("ranks", "Ranks", ("rank-use", "rank-balance")),
)


def differing(rows):
    """The columns of configurations that are not the same in all, without the number."""
    return [c for c in (rows[0] if rows else {}) if c not in ("configuration", "problem")
            and any(row.get(c) != rows[0][c] for row in rows)]


def conditions(result, columns, number_of):
    row = result.configurations[number_of] if number_of < len(result.configurations) else {}
    return ", ".join(f"{c} {row[c] if isinstance(row[c], str) else number(row[c])}"
                     for c in columns if row.get(c) is not None)


def banners(result):
    a, said = result.attributes, []
    if a.get("status") != "complete":
        done, planned = a.get("trials_done", 0), a.get("trials_planned", 0)
        per = {c["configuration"]: 0 for c in result.configurations}
        for row in result.overview["summary"]:
            per[row["configuration"]] = max(per.get(row["configuration"], 0), row["count"])
        least, most = (min(per.values()), max(per.values())) if per else (0, 0)
        said.append(joined([tag("strong", "Partial result. "), (
            f"{number(done)} of {number(planned)} trials are done, {number(planned - done)} are "
            f"missing: the configurations hold {least} to {most} trials each, and "
            f"{sum(not n for n in per.values())} of {len(per)} none. All below is of what is done. "
            "nucreg run with --resume continues it.")]))
    if "part" in a:
        said.append(joined([tag("strong", "One part of a job. "), f"Part {a['part']}; nucreg merge "
                                                                   "puts parts together."]))
    if not result.overview["records"]:
        said.append(joined([tag("strong", "No rows. "),
                            "The file holds no solve: there is nothing to "
                                                        "draw and to decide."]))
    failures = sum(row["failures"] for row in result.overview["summary"])
    tried = sum(row["count"] - row["not_applicable"] for row in result.overview["summary"])
    if tried and failures == tried:
        said.append(joined([tag("strong", "Every solve failed. "),
                            "There is nothing to compare; the "
                                                                   "reasons are under worst "
                                                                   "trials."]))
    elif tried and not any(row.get("rmsd_px_count") for row in result.overview["summary"]):
        said.append(joined([tag("strong", "No finite RMSD. "), "No solve has an error that is a "
                                                               "number."]))
    valid = sum(row["timing_valid"] for row in result.overview["summary"])
    why = "Ranks shared processors, or solves were interrupted."
    if tried and not valid:
        said.append(joined([tag("strong", "No valid timing. "),
                            f"{why} Times are drawn, but decide nothing."]))
    elif valid < tried:
        said.append(joined([tag("strong", "Timings not valid. "), (
            f"{number(tried - valid)} of {number(tried)} are not valid and left out where there "
            f"are others. {why} What has no valid timing is marked: a ring in figures, * in "
            "tables.")]))
    return joined(tag("div", s, class_="banner", role="note") for s in said)


def verdict(result):
    """The answer in plain words; the sentences of nucreg, with their statistics, are folded."""
    o = result.overview
    found = answer.answers(o)
    pieces = []
    for kind, headline, said in found:
        pieces += [tag("p", f"{kind}: {headline}" if kind else headline, class_="lead"),
                   tag("ul", joined(tag("li", s) for s in said))]
    if o.get("flips"):
        pieces += [tag("p", tag("strong", "Not everywhere")),
                   tag("ul", joined(tag("li", s) for s in o["flips"]))]
    if o.get("more_trials"):
        pieces.append(tag("p", joined(["Trials enough to tell: run again with",
                                       tag("code", o["more_trials"])], " ")))
    exact = [tag("ul", joined(tag("li", s + ".") for s in o["sentences"]))]
    if o.get("fits"):
        exact += [tag("p", tag("strong", "Losses, starts and models")),
                  tag("ul", joined(tag("li", s) for s in o["fits"]))]
    exact += [tag("p", note, class_="soft") for note in o.get("notes", [])]
    if found:
        pieces.append(tag("p", "A solver arrives if its map gives each nucleus its own partner.",
                          class_="soft"))
        pieces.append(tag("details", joined(
            [tag("summary", "How sure: intervals, tests, losses and starts"), *exact])))
    else:
        pieces += exact
    return tag("div", joined(pieces), class_="verdict")


def what_was_run(result):
    a, o = result.attributes, result.overview
    facts = [("solves", f"{o['records']:,}: {number(a.get('trials_done', 0))} trials of "
                        f"{len(result.configurations):,} configurations, {len(result.solvers)} "
                        "solvers"),
             ("status", a.get("status", "?"))]
    varied = differing(result.configurations)
    for column in varied[:8]:
        values = list(dict.fromkeys(row[column] for row in result.configurations))
        facts.append((column, ", ".join(v if isinstance(v, str) else number(v)
                                        for v in values[:12]) +
                      (f" and {len(values) - 12} more" if len(values) > 12 else "")))
    hosts = list(dict.fromkeys(row.get("host", "?") for row in o["ranks"]))
    more = " ..." if len(hosts) > 6 else ""
    facts.append(("hosts", f"{len(hosts)}: {', '.join(hosts[:6])}{more}"))
    facts += [(key, a[key]) for key in MACHINE if a.get(key) not in (None, "")]
    job = base64.b64encode(result.job_text.encode()).decode()
    return joined([
        tag("dl", joined(joined([tag("dt", k.replace("_", " ")), tag("dd", v)]) for k, v in facts)),
        table("solvers-table", "Solvers", ["solver", "kind", "algorithm", "options"],
              [[s["name"], *(s.get(k) or "-" for k in ("kind", "algorithm", "options"))]
               for s in o["solvers"]]),
        tag("details", joined([tag("summary", "The whole job"), tag("pre", result.job_text),
                               tag("p", tag("a", f"Save as {job_name(result)}",
                                            download=job_name(result),
                                            href=f"data:application/toml;base64,{job}"))]))])


def job_name(result):
    return f"{result.attributes.get('job_name', 'job')}.toml"


def rerun(result, row):
    part = result.part_with(row["configuration"], row["trial"])
    if part is None:
        return None, 0
    name, (which, others) = result.attributes.get("job_name", "job"), part
    output = f"{name}-c{row['configuration']}-t{row['trial']}.h5"
    # The line is made to be pasted into a shell: a name from a file is one word of it.
    return shlex.join(["nucreg", "run", job_name(result), "--part", which, "-o", output]), others


def worst(result):
    varied = differing(result.configurations)
    rows, others = [], 0
    for row in result.worst:
        line, more = rerun(result, row)
        others = max(others, more)
        again = tag("details", joined([tag("summary", "Run it alone"), tag("p", joined([
            tag("code", line), tag("button", "Copy", type="button", class_="copy")]))])) \
            if line else "its job is not in the file"
        why = KINDS[row["kind"]] + (f", {row['badness']:.3g} x its median"
                                    if row["kind"] == "slow" else "")
        rows.append([why, result.solvers[row["solver"]], row["configuration"], row["trial"],
                     conditions(result, varied, row["configuration"]),
                     result.status_names.get(row["status"], "?"), row["rmsd_px"], row["gap"],
                     row["wall_s"] * result.per_second, row["message"] or "-", again])
    words = tag("p", joined([
        "The first failures, the largest gaps to the best known answer, and the valid times "
        "furthest above "
        "the median of their configuration, at most 20 of each. A line runs that trial "
        "alone, with the same "
        "points, start and solvers, and gives the same results; only times differ. It wants "
        "the job of "
        "this run: ", tag("a", f"save {job_name(result)}", download=job_name(result),
                          href="data:application/toml;base64," +
                               base64.b64encode(result.job_text.encode()).decode()),
        ". Do not narrow its axes with --set: a trial is seeded by the number of its configuration."
        + (f" A job this large has no part of one trial: up to {others} others run with it."
           if others else "")
        + " Paths of input files in a job are relative to where nucreg runs."],
        between=""))
    if not rows:
        return joined([words, tag("p", "No solve failed, none is further than 1e-6 from the best "
                                       "known answer, and none took 1.5 times its median.")])
    return joined([words, table("worst-table", "Worst trials",
                                ["why", "solver", "configuration", "trial", "conditions", "status",
                                 "RMSD, px", "gap", f"time, {result.time_unit}", "message",
                                 "job line"], rows,
                                ("solver", "status"))])


def tables(result):
    o, varied = result.overview, differing(result.configurations)
    summary = table(
        "summary-table", "Summary per configuration and solver.",
        ["configuration", "conditions", "solver", "count", "failures", "arrived", "valid timings",
         "RMSD median, px",
         "TRE median, px", "parameter error median", "gap median",
         *(f"time {k}, {result.time_unit}" for k in ("median", "5 %", "95 %")),
         "evaluations median", f"time to an arrival, {result.time_unit}",
         "evaluations to an arrival", "memory median, KiB"],
        o["summary"], ("solver",), lambda r: [
            r["configuration"], conditions(result, varied, r["configuration"]),
            result.solvers[r["solver"]], r["count"], r["failures"], arrived(r), r["timing_valid"],
            r["rmsd_px_median"], r["tre_px_median"], r["param_error_median"], r["gap_median"],
            *(time(result, r, f"wall_s_{k}") for k in ("median", "p05", "p95")),
            r["function_evaluations_median"], time(result, r, "expected_s"),
            r.get("expected_evaluations"), scaled(r["peak_bytes_median"], 1 / 1024)])
    compared = table(
        "comparisons-table",
        "Pairs of solvers per region of conditions; ratio: time of a over time of b.",
        ["where", "a", "b", "finding", "time ratio", "95 % from", "to", "p (Holm)", "trials",
         "timed",
         "left out", "in words"],
        o["comparisons"], ("finding",), lambda c: [
            name_of(c), c["solver_a"], c["solver_b"], c["finding"], c["time_ratio"],
            c["time_ratio_low"], c["time_ratio_high"], c["speed_p_holm"], c["trials"], c["timed"],
            c["left_out"], c["sentence"]])
    if not o["comparisons"]:
        return joined([tag("h3", "Summary"), summary])
    return joined([tag("h3", "Summary"), summary, tag("h3", "Comparisons"), compared])


def arrived(row):
    """None where it is not known."""
    return row["arrived"] if row.get("arrival_known") else None


def time(result, row, column):
    """Marked where no timing of the row is valid."""
    value = scaled(row.get(column), result.per_second)
    return value if value is None or row["timing_valid"] else Marked(value)


def scaled(value, factor):
    return None if value is None else value * factor


def page(result, figures):
    title = f"{result.attributes.get('job_name', 'job')}: nucreg report"
    figures = {name: figure for name, figure in figures.items() if not figure.empty}
    first = [name for name in FIRST if name in figures][:MAX_FIRST]
    shown = [(anchor, words, [name for name in wanted if name in figures and name not in first])
             for anchor, words, wanted in SECTIONS]
    shown = [section for section in shown if section[2] or section[0] == "fits"]
    menu = [("verdict", "Answer"), *(s[:2] for s in shown), ("worst", "Worst trials"),
            ("tables", "Tables"), ("run", "What was run")]
    body = [tag("h1", title), tag("p", answer.size(result), class_="soft"),
            tag("nav", joined(tag("a", words, href=f"#{name}") for name, words in menu),
                aria_label="Sections"),
            tag("h2", "Answer", id="verdict"), verdict(result), banners(result),
            plots(figures, first)]
    for name, words, wanted in shown:
        inside = [plots(figures, wanted)]
        if name == "fits" and "convergence" not in figures:
            inside.append(tag("p", "The run kept no traces, so that there is no convergence to "
                                   "draw: set run.trace = true in the job."))
        body.append(folded(name, words, inside))
    body += [folded("worst", "Worst trials", [worst(result)]),
             folded("tables", "Tables", [tables(result)]),
             folded("run", "What was run", [what_was_run(result)])]
    return document(title, body)


def folded(name, words, inside):
    """A section that opens by a click, by a link to it and for printing."""
    return tag("details", joined([tag("summary", tag("h2", words)), *inside]), id=name,
               class_="section")


def document(title, body):
    """The whole page around `body`, a list of pieces."""
    # Nothing may be fetched from anywhere.
    policy = ("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
              "img-src data:")
    return "<!DOCTYPE html>\n" + tag("html", joined([
        tag("head", joined([
            Raw('<meta charset="utf-8">'),
            Raw(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            Raw('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Raw('<link rel="icon" href="data:,">'), tag("title", title),
            tag("style", Raw((HERE / "page.css").read_text()))])),
        tag("body", joined([tag("main", joined(body)),
                            tag("script", Raw((HERE / "page.js").read_text()))]))]),
        lang="en") + "\n"


def plots(figures, names):
    return tag("div", joined(figure(figures[n]) for n in names if n in figures), class_="figures")
