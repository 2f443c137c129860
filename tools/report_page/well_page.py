"""The page of a mapped well: what is said where, in which order."""

from .html_parts import figure, joined, number, table, tag
from .page import MACHINE, document, folded

# The first screens; the rest is folded.
FIRST = ("match", "q", "distances", "residuals", "least", "random")
REST = ("links", "cameras")
MOST_WARNINGS = 20
SIDE_WORDS = (("tiles", "tiles"), ("placed", "of these placed"), ("detections", "detections"),
              ("nuclei", "nuclei"), ("in_both_fields", "of these in both fields"),
              ("paired", "of these paired"))
REASONS = (("no_candidate", "no nucleus there"), ("beaten", "partner taken"),
           ("ambiguous", "ambiguous"), ("merged", "one of two shown as one"),
           ("outside", "outside of the other side's field"))


def digits(value, places, unit=""):
    return "-" if value is None else f"{value:.{places}f}{' ' + unit if unit else ''}"


def banners(a, wells):
    said = []
    if a.get("status") != "complete":
        said.append(joined([tag("strong", "Partial result. "), "The run was stopped early; nucreg "
                                                               "map with --resume continues it."]))
    for well in wells:
        if not well["matched"]:
            said.append(joined([tag("strong", "No match. "),
                                f"{well['well']}: " if len(wells) > 1 else "", well["message"]]))
    warned = (a.get("warnings") or "").splitlines()
    if warned:
        more = [f"and {len(warned) - MOST_WARNINGS} more, in the attribute warnings of the file"]
        said.append(joined([tag("strong", "Warnings. "), tag("ul", joined(
            tag("li", line) for line in
            warned[:MOST_WARNINGS] + more * (len(warned) > MOST_WARNINGS)))]))
    return joined(tag("div", s, class_="banner", role="note") for s in said)


def look_at(overview, index, several):
    well = overview["wells"][index]
    rows = [[f"{t['side']}x", t["tile"], t["what"].replace("_", " "), t["nuclei"], t["match_rate"],
             t["message"], t["file"]] for t in overview["tiles_to_look_at"]
            if not several or t["well"] == well["well"]]
    if not rows:
        return tag("p", "No tile needs a look.")
    return table(f"look-{index}", "Tiles that need a look.",
                 ["side", "tile", "what", "nuclei", "match rate", "what was found", "file"], rows,
                 ("side", "what"))


def sides(well):
    ten, forty = well["sides"]["10x"], well["sides"]["40x"]
    rows = [[words, number(ten[key]), number(forty[key])] for key, words in SIDE_WORDS]
    rows += [[words, number(ten["unpaired"][key]), number(forty["unpaired"][key])]
             for key, words in REASONS]
    if well["matched"]:
        for key, words, places, unit in (("pixel_um", "size of a pixel", 5, "µm"),
                                         ("turn_deg", "turn of the camera", 3, "degrees"),
                                         ("noise_um", "noise of a centroid", 3, "µm")):
            rows.append([words, digits(ten[key], places, unit), digits(forty[key], places, unit)])
        rows.append(["mirrored", *("yes" if s["mirrored"] else "no" for s in (ten, forty))])
        rows.append(["distortion k1", *(digits(s["k1"], 6) for s in (ten, forty))])
    head = tag("tr", joined(tag("th", h, scope="col") for h in ("", "10x", "40x")))
    body = joined(tag("tr", joined([tag("th", words, scope="row"), tag("td", a, class_="number"),
                                    tag("td", b, class_="number")])) for words, a, b in rows)
    return tag("div", tag("table", joined([tag("caption", "Both sides."), tag("thead", head),
                                           tag("tbody", body)])), class_="scroll whole")


def facts(well):
    m = well["model"]
    rows = [("pairs", f"{number(well['pairs'])}; {number(well['pairs_at_q_0.01'])} with a q-value "
                      "of at most 0.01"),
            ("median distance", digits(well["median_distance_um"], 3, "µm")),
            ("links", f"{number(well['links_used'])} of {number(well['links'])} used; median "
                      f"closure {digits(well['median_closure_um'], 3, 'µm')}")]
    if well["matched"]:
        rows += [("between the visits", f"turned by {digits(m['turn_deg'], 4)} degrees, shifted by "
                                        f"{digits(m['shift_um'][0], 1)} and "
                                        f"{digits(m['shift_um'][1], 1, 'µm')}"),
                 ("magnification", digits(m["magnification"], 5)),
                 ("deformation", m["deformation"]),
                 ("global fit", f"{m['solver']}, {m['loss']} loss, {number(m['evaluations'])} "
                                f"evaluations, {digits(m['wall_s'], 3, 's')}"),
                 ("held-out distance", digits(m["heldout_rms_um"], 3, "µm RMS"))]
    return tag("dl", joined(joined([tag("dt", k), tag("dd", v)]) for k, v in rows))


def solvers(overview):
    rows = [[t["solver"], t["status"].replace("_", " "), t["objective"], t["wall_s"],
             t["function_evaluations"], t["jacobian_evaluations"]] for t in overview["trials"]]
    return table("solvers-table", "Solvers run on this very fit.",
                 ["solver", "status", "objective", "time, s", "function evaluations",
                  "derivative evaluations"], rows)


def worst_links(well, tiles):
    """The links that close worst, 60 of them."""
    k = well.links
    order = sorted(range(len(k["closure_um"])),
                   key=lambda i: -k["closure_um"][i] if k["closure_um"][i] == k["closure_um"][i]
                   else 0.0)[:60]

    def name(row):
        return f"{tiles['side'][row]}x {tiles['tile'][row]}"
    rows = [[name(k["tile_a"][i]), name(k["tile_b"][i]), int(k["pairs"][i]),
             float(k["log10_significance"][i]), float(k["residual_um"][i]),
             float(k["closure_um"][i]), "yes" if k["used"][i] else "no"] for i in order]
    return table(f"links-{well.index}", "The links that close worst.",
                 ["tile", "other tile", "pairs", "log10 significance", "residual, µm",
                  "closure, µm", "used"], rows, ("used",))


def machine(a):
    rows = [(key, a[key]) for key in ("status", *MACHINE) if a.get(key) not in (None, "")]
    pieces = [tag("dl", joined(joined([tag("dt", k.replace("_", " ")), tag("dd", v)])
                               for k, v in rows))]
    for key, words in (("map_toml", "All settings"), ("inputs", "Inputs")):
        if a.get(key):
            pieces.append(tag("details", joined([tag("summary", words), tag("pre", a[key])])))
    return joined(pieces)


def size(wells):
    """What it rests on, in one line."""
    def total(side, key):
        return number(sum(well["sides"][side][key] for well in wells))
    return (f"{number(sum(well['pairs'] for well in wells))} pairs of {total('10x', 'nuclei')} "
            f"nuclei at 10x and {total('40x', 'nuclei')} at 40x, of {total('10x', 'tiles')} and "
            f"{total('40x', 'tiles')} tiles.")


def drawn(figures, well, names):
    wanted = [figures.get(f"well-{well.index}-{name}") for name in names]
    return tag("div", joined(figure(f) for f in wanted if f and not f.empty), class_="figures")


def page(well_map, figures):
    overview, a = well_map.overview, well_map.attributes
    several = len(well_map.wells) > 1
    name = well_map.path.stem
    body = [tag("h1", f"{name}: map of {'wells' if several else 'a well'}"),
            tag("p", size(overview["wells"]), class_="soft")]
    menu = [(f"well-{w.index}", w.name or "Well") for w in well_map.wells]
    menu += [("solvers", "Solvers")] * bool(overview["trials"]) + [("machine", "How it was made")]
    body += [tag("nav", joined(tag("a", words, href=f"#{anchor}") for anchor, words in menu),
                 aria_label="Sections")]
    warned = banners(a, overview["wells"])
    for well in well_map.wells:
        found = well.overview
        body += [tag("h2", f"Well {well.name}" if well.name else "The well",
                     id=f"well-{well.index}"),
                 tag("div", tag("p", found["sentence"] + ".", class_="lead"), class_="verdict"),
                 warned, drawn(figures, well, FIRST), look_at(overview, well.index, several),
                 folded(f"numbers-{well.index}", "Numbers", [facts(found), sides(found)]),
                 folded(f"more-{well.index}", "Links and cameras",
                        [drawn(figures, well, REST), worst_links(well, well_map.tiles)])]
        warned = ""  # after the first answer, once
    if overview["trials"]:
        body.append(folded("solvers", "Solvers", [solvers(overview)]))
    body.append(folded("machine", "How it was made", [machine(a)]))
    return document(f"{name}: nucreg report", body)
