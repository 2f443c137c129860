"""How figures look: one colour, marker and line for each solver in all of them."""

import io
import multiprocessing
import os
import re
import warnings

import matplotlib
import matplotlib.collections
import matplotlib.figure
import matplotlib.lines
import matplotlib.patches
import matplotlib.ticker
import numpy as np

# Okabe and Ito's colours without yellow, which is too pale for lines on white.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">"]
LINES = ["-", "--", "-.", ":"]

# A line that breaks is no mistake.
warnings.filterwarnings("ignore", "Warning: converting a masked element to nan", UserWarning)
matplotlib.rcParams.update({
    "svg.fonttype": "none", "text.parse_math": False, "font.family": "sans-serif",
    "font.sans-serif": ["Liberation Sans", "Arial", "Helvetica", "DejaVu Sans"],
    "font.size": 10, "axes.titlesize": 10.5, "axes.labelsize": 10, "legend.fontsize": 9.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e3e3e3", "grid.linewidth": 0.8, "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "text.color": "#111111", "axes.labelcolor": "#111111", "xtick.color": "#222222",
    "ytick.color": "#222222", "lines.linewidth": 1.6, "lines.markersize": 5.5,
    "legend.frameon": False, "axes.unicode_minus": True,
})


def look(solver):
    """Never two alike among the first 252: the periods are coprime."""
    return {"color": COLOURS[solver % 7], "marker": MARKERS[solver % 9],
            "linestyle": LINES[solver % 4]}


class Figure:
    """One picture of the page; `name` is its file and its anchor."""

    def __init__(self, name, title, caption, drawing):
        self.name, self.title, self.caption = name, title, caption
        svg = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": name}):  # ids differ between figures, not runs
            drawing.savefig(svg, format="svg", bbox_inches="tight", transparent=True,
                            metadata={"Date": None, "Creator": None})
        self.svg, self._drawing = svg.getvalue(), drawing
        self.empty = not any(marks(ax) for ax in drawing.axes)

    def __getstate__(self):
        """What a process that has drawn it hands back: no drawing, perhaps its PNG."""
        return self.__dict__ | {"_drawing": None, "_png": self.png() if drawn_apart.png else None}

    def png(self):
        if self._drawing is None:
            return self._png
        png = io.BytesIO()
        self._drawing.savefig(png, format="png", bbox_inches="tight", dpi=160, facecolor="white")
        return png.getvalue()

    def inline(self):
        """For HTML: no XML head, ids of its own, named to those who do not see it."""
        svg = self.svg[self.svg.index("<svg"):]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
        svg = re.sub(r' id="image[0-9a-f]+"', "", svg)  # equal pictures, equal ids
        svg = re.sub(r'\bid="([^"]+)"', rf'id="{self.name}-\1"', svg)
        svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{self.name}-", svg)
        return re.sub(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>',
                      rf'<svg viewBox="\1" role="img" aria-labelledby="{self.name}-title" '
                      r'xmlns:xlink="http://www.w3.org/1999/xlink">', svg, count=1)


# Of a panel, in inches: a drawing is as wide as a phone, and three of them as a desk.
WIDTH, BESIDE, RIGHT, ABOVE, BELOW = 5.2, 0.75, 0.15, 0.3, 0.5
CHARACTER = 0.083  # width of one, in inches


def drawn_apart(makers, png):
    """The figures of `makers`, functions that return them by name: drawn by as many processes as
    there are processors. `png`: png() will be asked for."""
    drawn_apart.makers, drawn_apart.png = makers, png
    with multiprocessing.get_context("fork").Pool(
            min(len(os.sched_getaffinity(0)), len(makers))) as pool:
        drawn = pool.map(_draw, range(len(makers)), chunksize=1)
    return {name: figure for figures in drawn for name, figure in figures.items()}


def _draw(number):
    return drawn_apart.makers[number]()


def panels(count, height=2.5, words_beside=()):
    """A drawing and its `count` axes, one above the other, each `height` inches high with its
    labels. `words_beside`: what stands on the y axis, if it is more than numbers."""
    left = max([BESIDE, *(0.2 + CHARACTER * len(w) for w in words_beside)])
    whole = height * count
    drawing = matplotlib.figure.Figure(figsize=(WIDTH, whole))
    # Placed by hand: matplotlib's layout takes longer than all of the drawing.
    axes = [drawing.add_axes((left / WIDTH, ((count - 1 - i) * height + BELOW) / whole,
                              max(1.5, WIDTH - left - RIGHT) / WIDTH,
                              (height - ABOVE - BELOW) / whole)) for i in range(count)]
    return drawing, axes


def legend(drawing, axes, order=()):
    """One for all panels, above them, whatever panel a solver is in; solvers in their order."""
    entries = dict.fromkeys(order)
    for ax in axes:
        for handle, label in named(ax):
            entries[label] = entries.get(label) or handle
    entries = {label: handle for label, handle in entries.items() if handle}
    if entries:
        beside = int(WIDTH / (0.6 + CHARACTER * max(map(len, entries))))
        drawing.legend(entries.values(), [" " * label.startswith("_") + label for label in entries],
                       loc="lower left",
                       bbox_to_anchor=(0.0, 1.0), ncols=max(1, min(len(entries), beside)))


def named(ax):
    """What is drawn under a name, which matplotlib would hide if it begins with "_" as its own
    do."""
    drawn = [artist for artist in ax.get_children() if isinstance(artist, (
        matplotlib.lines.Line2D, matplotlib.patches.Patch, matplotlib.collections.Collection))]
    for handle in (*drawn, *ax.containers):
        label = handle.get_label()
        if label and not re.fullmatch("_nolegend_|_(child|container)[0-9]+", label):
            yield handle, label


def marks(ax):
    """Whether anything is drawn but lines across all of it."""
    return bool(ax.collections or ax.patches or ax.images or ax.containers or any(
        line.get_transform() == ax.transData for line in ax.lines))


def finite(values):
    """None and what is no number become NaN."""
    return np.array([np.nan if v is None else v for v in values], float)


def log_where_positive(ax, which, values, linear_below=None):
    """Logarithmic where values are positive and span more than a factor of five. `linear_below`:
    where they also come to zero or as good as zero, they are linear from there down."""
    values = finite(values)
    values = values[np.isfinite(values)]
    if not len(values) or values.max() <= max(0, 5 * values.min()):
        return
    if linear_below and 0 <= values.min() < linear_below < values.max():
        getattr(ax, f"set_{which}scale")("symlog", linthresh=linear_below, linscale=0.4)
        getattr(ax, f"{which}axis").set_major_formatter(plain)
        ax.set(**{f"{which}lim": (-0.3 * linear_below, 2 * values.max())})
    elif values.min() > 0:
        logarithmic(ax, which)


def logarithmic(ax, which, narrow=False):
    """To be called after drawing: where there are few powers of ten, 2 and 5 are named as well.
    `narrow`: no room for more."""
    getattr(ax, f"set_{which}scale")("log")
    low, high = sorted(getattr(ax, f"get_{which}lim")())
    few = low > 0 and high / low < 100
    axis = getattr(ax, f"{which}axis")
    axis.set_major_formatter(plain)
    # Ticks without words take longer to draw than all curves.
    axis.set_minor_locator(matplotlib.ticker.LogLocator(
        subs=(2, 5) if high / low > 5 else range(2, 10)) if few else
        matplotlib.ticker.NullLocator())
    if few and narrow and high / low < 10:  # matplotlib would name every half
        axis.set_minor_locator(matplotlib.ticker.FixedLocator([
            m * 10.0 ** k for k in range(-3, 4) for m in (1.2, 1.5, 2, 3, 5)]))
    axis.set_minor_formatter(plain if few else matplotlib.ticker.NullFormatter())


def time_unit(seconds):
    """A unit in which times are easily read, and how many of it are a second."""
    seconds = finite(seconds)
    typical = np.median(seconds[np.isfinite(seconds)]) if np.isfinite(seconds).any() else 1
    return ("µs", 1e6) if typical < 1e-4 else ("ms", 1e3) if typical < 1 else ("s", 1)


@matplotlib.ticker.FuncFormatter
def plain(value, _):
    """100 rather than a power, as far as one can read it."""
    return f"{value:,.6g}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.0e}"


def nothing(ax, words):
    ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes, wrap=True)
