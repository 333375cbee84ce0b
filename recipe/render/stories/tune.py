"""The figures of tune: what was tried on each axis, how the search went on, and who won on fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from recipe.record.evidence import Shelf, Unmeasured
from recipe.record.interval import Interval
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.record.tune import Axis, Contender, Importance, Rerun, Searched, SearchPlan, Tried
from recipe.render.blocks import Block, Curve, Fact, Facts, Intervals, Mark, Row, Series, Table, Tone, missing
from recipe.render.wording import number

_TONES: dict[str, Tone] = {"pruned": "quiet", "diverged": "bad", "failed": "bad"}
_SHORT = "Short ones came first; their values compare with each other only."
_CURVES, _TERTILES = 60, 6
"""Lines that one figure holds; finished trials below which good ones are not told from bad ones."""
_PRUNERS = {
    "median": "Pruned ones were behind the median of earlier ones at the same epoch.",
    "halving": "Pruned ones were not among the best third of earlier ones at a ninth or a third of the run.",
    "hyperband": "Pruned ones were not among the best third at a rung; generations take turns in their rungs.",
}


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks in the order of the stage; what was not measured says so."""
    plan, found = shelf.get("search_plan", SearchPlan), shelf.get("searched", Searched)
    if not isinstance(plan, SearchPlan):
        return [missing("Nothing was planned", plan)]
    if not isinstance(found, Searched):
        return [_plan(plan), missing("Nothing was searched", found)]
    importance = shelf.get("importance", Importance)
    blocks = [_plan(plan), *_progress(plan, found), *[_slice(found, axis) for axis in found.axes], _axes(found)]
    blocks += [*_importance(importance), *_pair(found, importance), *_together(found), *_curves(found)]
    for name, title in (("rerun", "challengers"), ("schedules", "schedules")):
        record = shelf.get(name, Rerun)
        if isinstance(record, Rerun):
            blocks += [_rerun(record, name, title)]
        elif isinstance(record, Unmeasured):
            blocks += [missing(f"No {title} were compared", record)]
    return [*blocks, _best(found)]


def _plan(plan: SearchPlan) -> Block:
    facts = [
        Fact("search", plan.search, f"{plan.trials} trials in generations of {plan.generation}"),
        Fact("judged by", f"{plan.split} {plan.metric}", plan.direction),
        Fact("length of a trial", f"{plan.trial_epochs:.3g} epochs", f"{plan.epochs:.3g} on fresh seeds"),
        *_coarse(plan),
        Fact("fresh seeds", len(plan.fresh_seeds), f"for the best {plan.finalists} and the recipe so far"),
    ]
    if plan.budget:
        facts.append(Fact("budget", f"{plan.budget:.0f} s", "for this stage"))
    checks = ("search-on-validation", "search-direction")
    return Facts(title=f"{plan.trials} trials over {len(plan.axes)} numbers and choices", facts=facts, checks=checks)


def _coarse(plan: SearchPlan) -> list[Fact]:
    part = plan.coarse
    return [Fact("first, short", part.trials, f"{part.epochs:.3g} epochs each, over the whole space")] if part else []


def _progress(plan: SearchPlan, found: Searched) -> list[Block]:
    """Every trial by its number, and the best so far."""
    tried = [t for t in found.tried if math.isfinite(t.value)]
    if not tried:
        return []
    best, line = math.inf, []
    for one in tried:
        best = min(best, found.loss_of(one.value)) if _state(one) == "finished" else best
        line.append((best if found.direction == "minimize" else -best) if math.isfinite(best) else None)
    series = [_points(name, _of(tried, name), lambda t: float(t.number)) for name in _states(tried)]
    series.append(Series(name="best so far", x=[float(t.number) for t in tried], y=line, style="step", tone="good"))
    reference = found.reference
    marks = [Mark(label="the recipe so far", y=reference.value)] if reference and math.isfinite(reference.value) else []
    top = found.best
    title = (
        f"The best of {len(found.tried)} trials reaches val {found.metric} {number(top.value)}"
        if top
        else "No trial finished"
    )
    return [
        Curve(
            title=title,
            name="search",
            caption=" ".join(
                ["Each point is one training.", _PRUNERS.get(plan.pruner or "", ""), _SHORT if plan.coarse else ""]
            ).strip(),
            series=series,
            x_label="trial",
            y_label=f"val {found.metric}",
            log_y=all(t.value > 0 for t in tried) and found.direction == "minimize",
            marks=marks,
            checks=("trials-finished", "validation-tells-trials-apart"),
        )
    ]


def _slice(found: Searched, axis: Axis) -> Block:
    """The objective against one number, whatever the others were."""
    tried = [t for t in found.tried if math.isfinite(t.value) and _place(found, axis, t) is not None]
    series = [_points(name, _of(tried, name), lambda t: _place(found, axis, t) or 0.0) for name in _states(tried)]
    top, count = found.best, found.distinct(axis)
    at = f", best at {_told(found.value_at(axis, top))}" if top else ""
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


def _axes(found: Searched) -> Block:
    rows: list[list[Any]] = []
    for axis in found.axes:
        reach = ", ".join(map(_told, axis.choices)) if axis.scale == "choice" else f"{axis.low:.3g} … {axis.high:.3g}"
        before = " → ".join(f"{low:.3g} … {high:.3g}" for low, high in filter(None, (axis.wide, axis.narrow)))
        correlation, n = found.trend(axis)
        best = _told(found.value_at(axis, found.best)) if found.best else ""
        trend = f"{correlation:+.2f}" if n > 2 and axis.ordered else ""
        rows.append([axis.key, axis.scale, reach, before, found.distinct(axis), _told(axis.reference), best, trend])
    return Table(
        title="The space, and how densely it was searched",
        name="space",
        caption="Before: the range until it was narrowed to the best short trials, or widened beyond an end. "
        "Trend: rank correlation of value and loss over finished trials; below 0, higher values are better.",
        columns=["key", "scale", "range", "before", "values tried", "recipe so far", "best", "trend"],
        rows=rows,
        checks=("distinct-values", "best-inside-range"),
    )


def _importance(found: Importance | Unmeasured | None) -> list[Block]:
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


def _pair(found: Searched, importance: Importance | Unmeasured | None) -> list[Block]:
    """Two axes against each other, good trials beside bad ones: the two that matter most, where that is known."""
    order = [one.key for one in importance.axes] if isinstance(importance, Importance) else []
    place = {key: k for k, key in enumerate(order)}
    axes = sorted(found.axes, key=lambda axis: (place.get(axis.key, len(order)), axis.scale == "choice"))[:2]
    ranked = found.ranked
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
            caption=f"Trials by rank in val {found.metric}. Good ones in a slanting cloud: the two have to fit.",
            series=series,
            x_label=across.key,
            y_label=up.key,
            log_x=across.scale == "log",
            log_y=up.scale == "log",
        )
    ]


def _together(found: Searched) -> list[Block]:
    """Parallel coordinates: a line a trial over all axes, and its rank at the end."""
    ranked = found.ranked[:_CURVES]
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
            y_label="place on it",
            y_range=(0.0, 1.0),
            marks=[Mark(label=name, x=k) for k, name in enumerate([*(axis.name for axis in axes), "rank"])],
        )
    ]


def _height(axis: Axis, value: Any) -> float | None:
    """0 to 1 on an axis; choices that have no order by their place in the list."""
    if axis.ordered:
        place = axis.position(value)
        return min(1.0, max(0.0, place)) if place is not None else None
    return axis.choices.index(value) / max(1, len(axis.choices) - 1) if value in axis.choices else None


def _end(axis: Axis, place: int) -> str:
    if axis.scale == "choice":
        return _told((sorted(axis.choices) if axis.ordered else axis.choices)[place])
    return f"{(axis.low, axis.high)[place]:.3g}"


def _curves(found: Searched) -> list[Block]:
    """Learning curves of the trials, the pruned ones pale."""
    shown = [t for t in found.tried if len(t.curve) > 1][:_CURVES]
    if not shown:
        return []
    best = found.best
    series = [
        Series(
            name="best" if t is best else "",
            x=[epoch for epoch, _ in t.curve],
            y=[value if math.isfinite(value) else None for _, value in t.curve],
            quiet=t is not best,
            tone="good" if t is best else _TONES.get(t.status, "plain"),
        )
        for t in sorted(shown, key=lambda t: t is best)
    ]
    pruned = sum(t.status == "pruned" for t in found.tried)
    positive = all(value > 0 for t in shown for _, value in t.curve if math.isfinite(value))
    return [
        Curve(
            title=f"{pruned} of {len(found.tried)} trials were stopped before their end",
            name="learning-curves",
            caption="The objective at every evaluation of every trial.",
            series=series,
            x_label="epoch",
            y_label=f"val {found.metric}",
            log_y=positive and found.direction == "minimize",
            checks=("trials-finished",),
        )
    ]


def _rerun(record: Rerun, name: str, title: str) -> Block:
    """Objective over fresh seeds, a row a contender."""
    rows = []
    for index, one in enumerate(record.contenders):
        kept = index == record.winner
        gain = f"gains {number(record.gains[index - 1].mean)}" if index else "reference"
        note = f"{gain}, kept" if kept else gain
        rows.append(Row(label=one.name, interval=_spread(one), note=note, tone="good" if kept else "plain"))
    won = record.adopted.name if record.winner else "nothing beats the recipe so far"
    if name == "schedules" and not record.winner:
        won = f"{record.adopted.name} stays"
    optimism = "" if record.optimism is None else f" The search was {record.optimism:+.2g} too hopeful."
    return Intervals(
        title=f"On {len(record.seeds)} fresh seeds: {won}",
        name=f"fresh-{title}",
        caption=f"Mean, best and worst seed of each. Noise of one seed: {number(record.noise)}.{optimism}",
        rows=rows,
        label=f"val {record.metric}",
        checks=("winner-beats-noise",) if name == "rerun" else ("schedule-beats-noise",),
    )


def _best(found: Searched) -> Block:
    """The ten best trials."""
    names = [axis.name for axis in found.axes]
    rows: list[list[Any]] = [
        [t.number, number(t.value), number(t.headline), *(_told(found.value_at(axis, t)) for axis in found.axes)]
        for t in found.ranked[:10]
    ]
    return Table(
        title="The best trials of the search",
        name="best-trials",
        caption="Trial 0 is the recipe so far. One seed each: differences inside the noise mean nothing.",
        columns=["trial", f"val {found.metric}", f"val {found.headline}", *names],
        rows=rows,
    )


def _spread(one: Contender) -> Interval | None:
    """Mean, lowest and highest over the seeds."""
    values = [value for value in one.objective if math.isfinite(value)]
    return Interval(sum(values) / len(values), min(values), max(values), len(values)) if values else None


def _states(tried: Sequence[Tried]) -> list[str]:
    states = {_state(t) for t in tried}
    return [name for name in ("short", "pruned", "finished", "diverged", "failed") if name in states]


def _state(tried: Tried) -> str:
    return "short" if tried.short and tried.status == "finished" else tried.status


def _of(tried: Sequence[Tried], state: str) -> list[Tried]:
    return [t for t in tried if _state(t) == state]


def _points(name: str, tried: Sequence[Tried], x: Any) -> Series:
    tone = _TONES.get(name, "plain")
    return Series(name=name, x=[x(t) for t in tried], y=[t.value for t in tried], style="points", tone=tone)


def _place(found: Searched, axis: Axis, tried: Tried) -> float | None:
    return _at(axis, found.value_at(axis, tried))


def _at(axis: Axis, value: Any) -> float | None:
    """Where a value is drawn: numbers where they are, other choices by their place in the list."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return float(axis.choices.index(value)) if value in axis.choices else None


def _told(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)
