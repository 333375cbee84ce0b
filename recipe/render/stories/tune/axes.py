"""The figures of a search's axes: each alone, the space, which of them matter, two against each other, all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from recipe.record.axis import Axis
from recipe.record.evidence import Unmeasured
from recipe.record.tune import Importance, Searched, Tried
from recipe.render.blocks import Block, Curve, Intervals, Mark, Row, Series, Table, Tone
from recipe.render.stories.tune.points import CURVES, in_state, points, states, told

_TERTILES = 6
"""Finished trials below which good ones are not told from bad ones."""


def slice_of(found: Searched, axis: Axis) -> Block:
    """The objective against one number, whatever the others were."""
    tried = [t for t in found.tried if math.isfinite(t.value) and _place(found, axis, t) is not None]
    series = [points(name, in_state(tried, name), lambda t: _place(found, axis, t) or 0.0) for name in states(tried)]
    top, count = found.best, found.distinct(axis)
    at = f", best at {told(found.value_at(axis, top))}" if top else ""
    marks = [Mark(label="the recipe so far", x=place)] if (place := _at(axis, axis.reference)) is not None else []
    choices = "" if axis.ordered else " Choices: " + ", ".join(f"{k} = {c}" for k, c in enumerate(axis.choices)) + "."
    return Curve(
        title=f"{axis.key} was tried at {count} values{at}",
        name=f"slice-{axis.key.replace('.', '-').replace('_', '-')}",
        caption="Points share this axis only: their spread at one value is what the others make." + choices,
        series=series,
        x_label=axis.key,
        y_label=f"val {found.metric}",
        log_x=axis.scale == "log",
        log_y=all(t.value > 0 for t in tried) and found.direction == "minimize",
        marks=marks,
        checks=("best-inside-range", "distinct-values"),
    )


def space(found: Searched) -> Block:
    """The axes in a table."""
    rows: list[list[Any]] = []
    for axis in found.axes:
        reach = ", ".join(map(told, axis.choices)) if axis.scale == "choice" else f"{axis.low:.3g} … {axis.high:.3g}"
        before = " → ".join(f"{low:.3g} … {high:.3g}" for low, high in filter(None, (axis.wide, axis.narrow)))
        correlation, n = found.trend(axis)
        best = told(found.value_at(axis, found.best)) if found.best else ""
        trend = f"{correlation:+.2f}" if n > 2 and axis.ordered else ""
        rows.append([axis.key, axis.scale, reach, before, found.distinct(axis), told(axis.reference), best, trend])
    return Table(
        title="The space, and how densely it was searched",
        name="space",
        caption="Before: the range until it was narrowed to the best short trials, or widened beyond an end. "
        "Trend: rank correlation of value and loss over finished trials; below 0, higher values are better.",
        columns=["key", "scale", "range", "before", "values tried", "recipe so far", "best", "trend"],
        rows=rows,
        checks=("distinct-values", "best-inside-range"),
    )


def importances(found: Importance | Unmeasured | None) -> list[Block]:
    """What each axis explains by itself; nothing where it was not measured."""
    if not isinstance(found, Importance):
        return []
    matter = [one.key for one in found.axes if one.share.low > 0]
    told = f"{' and '.join(matter[:3])} matter{'s' if len(matter) == 1 else ''}" if matter else "No axis stands out"
    return [
        Intervals(
            title=told,
            name="importance",
            caption=f"Share of the differences in rank between {found.trials} finished trials that each axis explains "
            "by itself (functional ANOVA over a random forest), less what it explains of permuted results, and three "
            "times what chance moves that by. What they leave is joint effects, and noise.",
            label="share explained, beyond chance",
            reference=0.0,
            reference_label="chance",
            rows=[
                Row(label=one.key, interval=one.share, tone="good" if one.share.low > 0 else "plain")
                for one in found.axes
            ],
        )
    ]


def pair(found: Searched, importance: Importance | Unmeasured | None) -> list[Block]:
    """Two axes against each other, good trials beside bad ones: the two that matter most, where that is known."""
    order = [one.key for one in importance.axes] if isinstance(importance, Importance) else []
    place = {key: k for k, key in enumerate(order)}
    axes = sorted(found.axes, key=lambda axis: (place.get(axis.key, len(order)), axis.scale == "choice"))[:2]
    ranked = _by_rank(found)
    if len(axes) < 2 or len(ranked) < _TERTILES:
        return []
    across, up = axes
    third = math.ceil(len(ranked) / 3)
    parts: list[tuple[str, Tone, Sequence[Tried]]] = [
        ("worst third", "quiet", ranked[2 * third :]),
        ("middle", "plain", ranked[third : 2 * third]),
        ("best third", "good", ranked[:third]),
        ("diverged", "bad", [t for t in found.tried if t.status == "diverged"]),
    ]
    series = []
    for name, tone, tried in parts:
        places = [(_place(found, across, t), _place(found, up, t)) for t in tried]
        both = [(x, y) for x, y in places if x is not None and y is not None]
        if both:
            x, y = [x for x, _ in both], [y for _, y in both]
            series.append(Series(name=name, x=x, y=y, style="points", tone=tone))
    return [
        Curve(
            title=f"Where the good trials lie: {across.key} and {up.key}",
            name="pair",
            caption=f"Trials by rank in val {found.metric}, stopped ones last. A slanting cloud: the two have to fit.",
            series=series,
            x_label=across.key,
            y_label=up.key,
            log_x=across.scale == "log",
            log_y=up.scale == "log",
        )
    ]


def together(found: Searched) -> list[Block]:
    """Parallel coordinates: a line a trial over all axes, and its rank at the end."""
    ranked = _by_rank(found)[:CURVES]
    axes = [axis.as_it_was for axis in found.axes]
    if len(axes) < 2 or len(ranked) < _TERTILES:
        return []
    good = math.ceil(len(ranked) / 5)
    series = []
    for rank, t in enumerate(ranked):
        heights = [*(_height(axis, found.value_at(axis, t)) for axis in axes), 1 - rank / (len(ranked) - 1)]
        tone: Tone = "good" if rank < good else "quiet"
        name = {0: "best fifth", good: "others"}.get(rank, "")
        series.append(Series(name=name, x=list(range(len(heights))), y=heights, quiet=rank >= good, tone=tone))
    ends = [f"{axis.name} {_end(axis, 0)} … {_end(axis, -1)}" for axis in axes]
    return [
        Curve(
            title=f"All {len(axes)} axes of {len(ranked)} trials at once",
            name="parallel-coordinates",
            caption="A line a trial, from each axis to the next, each from its low end (0) to its high end (1): "
            + "; ".join(ends)
            + ". The last is the rank, 1 the best.",
            series=series,
            x_label="axis",
            x_names=[*(axis.name for axis in axes), "rank"],
            y_label="place on the axis",
            y_range=(0.0, 1.0),
        )
    ]


def _by_rank(found: Searched) -> list[Tried]:
    """Finished trials of full length, the best first, and after them those that were stopped for being behind."""
    pruned = [t for t in found.tried if t.status == "pruned" and not t.short]
    return [*found.ranked, *sorted(pruned, key=lambda t: found.loss_of(t.value))]


def _height(axis: Axis, value: Any) -> float | None:
    """0 to 1 on an axis; choices that have no order by their place in the list."""
    if axis.ordered:
        place = axis.position(value)
        return min(1.0, max(0.0, place)) if place is not None else None
    return axis.choices.index(value) / max(1, len(axis.choices) - 1) if value in axis.choices else None


def _end(axis: Axis, place: int) -> str:
    if axis.scale == "choice":
        return told((sorted(axis.choices) if axis.ordered else axis.choices)[place])
    return f"{(axis.low, axis.high)[place]:.3g}"


def _place(found: Searched, axis: Axis, tried: Tried) -> float | None:
    return _at(axis, found.value_at(axis, tried))


def _at(axis: Axis, value: Any) -> float | None:
    """Where a value is drawn: numbers where they are, other choices by their place in the list."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return float(axis.choices.index(value)) if value in axis.choices else None
