"""What a report is made of: tables, figures, pictures and notes, as plain frozen data that every output format draws.

A story (`stories/<stage>.py`) turns evidence into a list of these. Every block has
  title    the finding as a sentence with its number ("Validation loss is lowest at epoch 7"), not "Loss"
  name     kebab-case and unique in the stage; the figure is written to figures/<name>.svg, its numbers to <name>.csv
  caption  what is drawn and how it was measured, one or two plain sentences
  checks   ids of the checks that this block is the evidence for; report and page link them
All text may come from the user's data (class names, columns): give it raw, every output escapes it itself.
Numbers are plain floats; gaps are None or not-a-number. Lists do as well as tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from recipe.record.evidence import Evidence, Unmeasured
from recipe.record.interval import Interval

Tone = Literal["plain", "good", "warn", "bad", "quiet"]
"""How something is meant: it holds, wants a look, is wrong, or is only there for comparison."""

Cell = str | int | float | bool | Interval | None
Number = float | int | None
Numbers = Sequence[Number]


class Block(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all blocks; see the module's docstring for its fields."""

    title: str
    name: str = ""
    caption: str = ""
    checks: Sequence[str] = ()


class Note(Block, frozen=True, kw_only=True):
    """A paragraph.

    Note(title="Labels were not checked for noise", text="The probe needs 20 examples a class.", tone="warn")
    """

    text: str
    tone: Tone = "plain"


class Fact(msgspec.Struct, frozen=True):
    """One key number: what it is, its value, and a word of comparison ("chance 0.1")."""

    label: str
    value: Cell
    note: str = ""
    tone: Tone = "plain"


class Facts(Block, frozen=True, kw_only=True):
    """Key numbers, shown large.

    Facts(title="The data at a glance", facts=[Fact("examples", 1797), Fact("classes", 10, "about 180 each")])
    """

    facts: Sequence[Fact]


class Table(Block, frozen=True, kw_only=True):
    """Rows and columns; columns of numbers align right. tones: one a row (or empty). links: where the first cell of a
    row leads, as seen from the stage's folder, "" for nowhere; a page has them if the file is there.

    Table(title="The net beats every simple model", name="dumb-baselines", columns=["model", "accuracy"],
          rows=[["majority", 0.1], ["1-NN", Interval(0.96, 0.94, 0.98, 270)]], tones=["quiet", "plain"])
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    tones: Sequence[Tone] = ()
    links: Sequence[str] = ()


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a Curve. low, high: ends of its band (or error bars for points), as long as y.

    quiet: drawn pale and thin, behind the others (raw mini-batch losses behind their mean); not named in the legend
    when its name is empty. dashed: a limit or a prediction.
    """

    name: str
    x: Numbers
    y: Numbers
    low: Numbers = ()
    high: Numbers = ()
    style: Literal["line", "step", "points", "both"] = "line"
    quiet: bool = False
    dashed: bool = False
    tone: Tone = "plain"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled straight line at x (vertical) or at y (horizontal): "best step", "chance", "expected at init"."""

    label: str
    x: Number = None
    y: Number = None
    tone: Tone = "quiet"


class Curve(Block, frozen=True, kw_only=True):
    """y against x: losses, learning curves, ladders, rate edges. Labels carry the unit: "seconds", "loss (nats)".

    zero_y: the y axis starts at zero. y_range, x_range fix the axis. x_names: what x = 0, 1, … are, where they are no
    numbers: each has an upright line, and its name in place of a number.

    Curve(title="Training loss falls to 0.02 in 600 steps", name="loss", x_label="step", y_label="loss (nats)",
          series=[Series(name="train", x=steps, y=losses), Series(name="val", x=at, y=val, style="both")],
          log_y=True, marks=[Mark(label="best", x=420, tone="good"), Mark(label="ln 10", y=2.303)])
    """

    series: Sequence[Series]
    x_label: str
    y_label: str
    log_x: bool = False
    log_y: bool = False
    zero_y: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_names: Sequence[str] = ()
    marks: Sequence[Mark] = ()

    def at(self, x: Number) -> Cell:
        """What stands at x: a name, where it has one."""
        named = x is not None and x == int(x) and 0 <= x < len(self.x_names)
        return self.x_names[int(x)] if named and x is not None else x


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One group of bars: a value a category; low, high: ends of the error bars (or empty)."""

    name: str
    values: Numbers
    low: Numbers = ()
    high: Numbers = ()
    tone: Tone = "plain"


class Bars(Block, frozen=True, kw_only=True):
    """Counts or scores by category, grouped. Bars start at zero. horizontal is chosen by itself for long names.

    Bars(title="No class is rarer than 9.7 %", name="class-balance", categories=["0", "1"], label="examples",
         bars=[Bar(name="train", values=[125, 131]), Bar(name="val", values=[27, 28])],
         marks=[Mark(label="even", y=128)])
    """

    categories: Sequence[str]
    bars: Sequence[Bar]
    label: str
    category_label: str = ""
    marks: Sequence[Mark] = ()


class Histogram(Block, frozen=True, kw_only=True):
    """How numbers are distributed: counts (or shares) between edges.

    len(edges) == len(counts) + 1; bins need not be equally wide. Several groups share the edges. marks stand at x.

    Histogram(title="Pixels reach the net in [-1, 1]", name="pixels", edges=[-1, 0, 1], x_label="value",
              y_label="share", groups={"before": [0.9, 0.1], "after": [0.5, 0.5]})
    """

    edges: Sequence[float]
    groups: dict[str, Sequence[float]]
    x_label: str
    y_label: str = "count"
    log_y: bool = False
    marks: Sequence[Mark] = ()


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A small histogram in a grid of many; see Histogram. note: a word beside its title ("skewness 12")."""

    title: str
    edges: Sequence[float]
    counts: Sequence[float]
    note: str = ""
    log_y: bool = False


class Panels(Block, frozen=True, kw_only=True):
    """Small histograms side by side, `across` to a row, each with a scale of its own. heads: names of the columns.

    Panels(title="A log draws in the tail of fares", name="before-after", across=2, heads=["as read", "to the net"],
           panels=[Panel(title="Fare", edges=[0, 256, 512], counts=[880, 11]), Panel(title="log", edges=[-2, 0, 4], …)])
    """

    panels: Sequence[Panel]
    across: int = 2
    heads: Sequence[str] = ()


class Heatmap(Block, frozen=True, kw_only=True):
    """A matrix of numbers, values[row][column]: confusion, disagreement, correlations.

    confusion: the diagonal is right and drawn apart, so that mistakes stand out. diverging: zero is the middle.

    Heatmap(title="4 is taken for 9 five times", name="confusion", rows=classes, columns=classes,
            row_label="true class", column_label="said", values=counts, confusion=True)
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Numbers]
    row_label: str = ""
    column_label: str = ""
    confusion: bool = False
    diverging: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of Intervals: an idea and what it brought. note: a word at the right ("kept", "diverged")."""

    label: str
    interval: Interval | None
    note: str = ""
    tone: Tone = "plain"


class Intervals(Block, frozen=True, kw_only=True):
    """A dot with its 95 % interval a row: regularizers, trials, baselines.

    reference: a line to compare with (0 = no change).

    Intervals(title="Two of six regularizers help", name="regularizers", label="gain in val accuracy", reference=0.0,
              reference_label="no change", rows=[Row(label="dropout 0.25", interval=gain, note="kept", tone="good")])
    """

    rows: Sequence[Row]
    label: str
    reference: float | None = None
    reference_label: str = ""
    log: bool = False


class Pictures(Block, frozen=True, kw_only=True):
    """A sheet of equally large pictures in one PNG: a side file of the stage's shelf, `down` rows of `across` cells.

    Either captions (one a cell, row by row; the cells then flow to the page's width) or row_labels (one a row; the
    rows stay as they are). tones frame cells. count: how many cells are filled, where the last row is not full.

    Pictures(title="Eight samples of each class", name="samples", sheet="samples.png", across=8, down=10,
             row_labels=classes)
    """

    sheet: str
    across: int
    down: int
    captions: Sequence[str] = ()
    row_labels: Sequence[str] = ()
    tones: Sequence[Tone] = ()
    count: int | None = None


def missing(title: str, record: Evidence | None) -> Note:
    """Stands where a figure would be: says that its evidence is not there, and why."""
    reason = record.reason if isinstance(record, Unmeasured) else "it was not measured in this run"
    return Note(title=title, text=f"Nothing to draw: {reason}.", tone="quiet")
