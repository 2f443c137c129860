"""Pieces of HTML. All text is escaped here and nowhere else."""

import html
import math

MOST_ROWS = 2000


class Raw(str):
    """HTML already."""


class Marked(float):
    """A number that does not count as others do; shown with a star."""


def text(value):
    return value if isinstance(value, Raw) else Raw(html.escape(str(value)))


def tag(name, content="", **attributes):
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{html.escape(str(v))}"'
                    for k, v in attributes.items())
    return Raw(f"<{name}{given}>{text(content)}</{name}>")


def joined(pieces, between="\n"):
    return Raw(between.join(map(text, pieces)))


def number(value):
    """Three digits of what is measured, all of what is counted."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.0f}" if 1e3 <= abs(value) < 1e15 else f"{value:.3g}"
    return f"{int(value):,}" if abs(value) < 1e15 else f"{value:.3g}"


def _cell(value, numeric):
    if not numeric:
        length = "" if isinstance(value, Raw) else "long" if len(value) > 40 else "short"
        return tag("td", value, class_=length, data_value="" if length == "" else value)
    absent = value is None or (isinstance(value, float) and math.isnan(value))
    star = "*" if isinstance(value, Marked) else ""
    return tag("td", number(value) + star, class_="number",
               data_value="" if absent else repr(value))


def table(name, caption, headings, rows, choices=(), row_of=None):
    """`rows`: lists as long as `headings`, or what `row_of` makes one of; `choices`: columns (by
    heading) to choose a value of. Of more than MOST_ROWS rows the first are shown, and that is
    said."""
    rows = list(rows)
    shown = [row_of(row) if row_of else row for row in rows[:MOST_ROWS]]
    numeric = [not any(isinstance(r[i], str) for r in shown) for i in range(len(headings))]
    if len(rows) > len(shown):
        caption += f" The first {len(shown):,} of {len(rows):,} rows; nucreg export gives all."
    at = {heading: headings.index(heading) for heading in choices}
    selects = [tag("label", joined([f"{heading} ", tag("select", joined(
        [tag("option", "all", value="")] + [tag("option", v, value=v) for v in
                                           dict.fromkeys(r[at[heading]] for r in shown)]),
        data_column=at[heading])])) for heading in choices]
    tools = tag("div", joined(
        [tag("label", Raw('Filter <input type="search" placeholder="words or numbers">')), *selects,
         tag("output")]), class_="tools", data_for=name)
    head = tag("tr", joined(tag("th", tag("button", h, type="button"), scope="col")
                            for h in headings))
    body = joined(tag("tr", joined(_cell(v, n) for v, n in zip(row, numeric))) for row in shown)
    return joined([tools, tag("div", tag("table", joined(
        [tag("caption", caption), tag("thead", head), tag("tbody", body)]), id=name,
        class_="sortable"), class_="scroll", tabindex=0, role="region", aria_label=caption)])


def figure(drawn):
    # The picture is put in by text, not through tag(), as it is not ours to escape.
    svg = drawn.inline()
    head = svg.index(">") + 1
    label = f'<title id="{drawn.name}-title">{html.escape(drawn.title)}</title>' \
            f"<desc>{html.escape(drawn.caption)}</desc>"
    return tag("figure", joined([
        tag("h3", drawn.title), tag("div", Raw(svg[:head] + label + svg[head:]), class_="plot"),
        tag("figcaption", drawn.caption)]), id=drawn.name)
