"""The conditions of a job: which of them differ, and those that figures stand at.

Nothing is pooled over conditions: a panel shows one of them vary while all others stay as they are
in one configuration, so that each number is that of one configuration, as `nucreg inspect` prints
it.
"""

import functools

UNITS = {"noise_px": "40x px", "outliers": "fraction", "missing": "fraction",
         "min_distance_px": "10x px", "loss_scale_px": "40x px", "start_turn_deg": "degrees",
         "start_shift_px": "10x px", "arrival_px": "40x px"}
WORDS = {"points": "number of points", "min_distance_px": "minimum distance"}
FIRST = ("points", "noise_px", "outliers", "missing", "model", "loss", "coordinates", "start",
         "file")
KINDS = ("model", "loss")
NUMBERED = ("configuration", "problem")  # names, not quantities
MAX_AXES = 6
MAX_WORDS = 8  # that fit below a panel


def words(axis):
    return WORDS.get(axis, axis.removesuffix("_px").removesuffix("_deg").replace("_", " "))


def axis_label(axis):
    if axis == "file":
        return "file, in the order of the tables"
    return f"{words(axis)}, {UNITS[axis]}" if axis in UNITS else words(axis)


class Conditions:
    """Of `configurations` and `summary` as `nucreg inspect --json` gives them."""

    def __init__(self, configurations, summary):
        self.rows = configurations
        columns = configurations[0] if configurations else {}
        self.values = {name: [row.get(name) for row in configurations] for name in columns
                       if name not in NUMBERED}
        self.varied = [name for name, values in self.values.items() if len(set(values)) > 1]
        self.varied.sort(key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST),
                                           name))
        self.numbers = {name for name, values in self.values.items() if all(
            isinstance(value, (int, float)) for value in values)}
        self.base = self._base(summary)
        self.axes = [axis for axis in self.varied if self._stands_alone(axis) and
                     len(self.along(axis)) > 1][:MAX_AXES]

    def kind(self, configuration=None):
        """Model and loss of a configuration as nucreg names them, "" if the job has one kind
        only."""
        row = self.base if configuration is None else configuration
        return ", ".join(f"{name} = {self.values[name][row]}" for name in KINDS
                         if name in self.varied)

    @functools.cache
    def follows(self, one, other):
        """Whether a value of `other` goes with a single value of `one`."""
        return len(set(zip(self.values[other], self.values[one]))) == len(set(self.values[other]))

    def _stands_alone(self, axis):
        """Whether it can be varied alone: what follows from another one is shown with that."""
        for other in self.varied:
            if other != axis and self.follows(axis, other) and (
                    not self.follows(other, axis) or self._before(other, axis)):
                return False
        return True

    def _before(self, one, other):
        """Of two that say the same the name counts, else the one that comes first."""
        if (one in self.numbers) != (other in self.numbers):
            return other in self.numbers
        return self.varied.index(one) < self.varied.index(other)

    @functools.cache
    def along(self, *axes):
        """The configurations that differ from the base in these axes alone and in what follows from
        them."""
        fixed = [name for name in self.varied if name not in axes and not any(
            axis in self.varied and self.follows(name, axis) for axis in axes)]
        return [row for row in range(len(self.rows)) if all(
            self.values[name][row] == self.values[name][self.base] for name in fixed)]

    def categories(self, axis):
        """The values of an axis of words in their order, None of one of numbers."""
        if axis in self.numbers or axis not in self.values:
            return None
        return list(dict.fromkeys(self.values[axis]))

    def places(self, axis):
        """Where each configuration lies on an axis: its number, or the place of its word."""
        categories = self.categories(axis)
        if categories is None:
            return [float(value) for value in self.values.get(axis, [0.0] * len(self.rows))]
        place = {value: float(i) for i, value in enumerate(categories)}
        return [place[value] for value in self.values[axis]]

    def _base(self, summary):
        """The middle of what the job varies, among the configurations in which solvers arrive, of
        the model and loss whose solves arrive most often."""
        if not self.rows:
            return 0
        rates = {}  # configuration: shares of arrivals
        for row in summary:
            if row.get("count"):
                rates.setdefault(row["configuration"], []).append(row.get("arrival_rate") or 0.0)
        of_kind = {}
        for row in rates:
            of_kind.setdefault(self.kind(row), []).extend(rates[row])
        best = max(of_kind, key=lambda kind: sum(of_kind[kind]) / len(of_kind[kind]), default="")

        distances = []  # of each axis and value
        for name in self.varied:
            values = self.values[name]
            order = sorted(set(values)) if name in self.numbers else list(dict.fromkeys(values))
            middle = len(order) // 2 if name in self.numbers else 0
            distances.append((values, {value: abs(i - middle) / len(order)
                                       for i, value in enumerate(order)}))

        def off(row):
            return sum(distance[values[row]] for values, distance in distances)
        return min(range(len(self.rows)), key=lambda row: (
            row not in rates, self.kind(row) != best, max(rates.get(row, [0.0])) < 0.5, off(row)))

    def said(self, besides=()):
        """"points 500, noise_px 2": the base, without what `besides` names and what follows from
        it."""
        shown = [name for name in self.varied if name not in besides and self._stands_alone(name)]
        return ", ".join(f"{words(name)} {spoken(self.values[name][self.base])}"
                         f"{' px' if name.endswith('_px') else ' degrees' * name.endswith('_deg')}"
                         for name in shown)

    def standing(self, *axes, each=True):
        """What a caption says of conditions that its figure does not vary, or not in `each`
        panel."""
        if each and len(axes) > 1:
            return f" One condition varies in each panel; the others stay at {self.said()}."
        held = self.said(besides=axes)
        return f" At {held}." if held else ""


def spoken(value):
    return value if isinstance(value, str) else "drawn" if value is None else f"{value:,g}"
