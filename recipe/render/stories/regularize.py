"""regularize as a page: what each idea costs and gains, what was kept, and what more data would bring."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from recipe.record.evidence import Shelf
from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.regularize import Combination, LearningCurve, Reference, Regularizers
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Block, Cell, Curve, Fact, Facts, Intervals, Mark, Row, Series, Table, Tone, missing

_TONES: dict[str, Tone] = {"kept": "good", "dropped": "quiet", "harmful": "bad", "diverged": "bad"}


def story(shelf: Shelf, _report: Report, trials: Sequence[Outcome]) -> list[Block]:
    """The blocks, most telling first."""
    return [*_facts(shelf), *_ideas(shelf), *_winners(shelf), *_curve(shelf), *_losses(shelf, trials)]


def _facts(shelf: Shelf) -> Iterator[Block]:
    before, after = shelf.found("reference", Reference), shelf.found("combination", Combination)
    if before is None or after is None:
        yield missing("Nothing was regularized", shelf.get("reference", Reference))
        return
    yield Facts(
        title="What regularizing did",
        name="regularize-facts",
        checks=("reference-overfits", "generalization-gap", "regularizer-gain-is-real"),
        facts=[
            Fact(f"val {before.metric}", after.val, _before(before.val, after), "good" if after.change else "plain"),
            Fact(f"train {before.metric}", after.train, _before(before.train, after)),
            Fact("gap", after.gap, _before(before.gap, after)),
            Fact("val loss", after.val_loss, _before(before.val_loss, after)),
        ],
    )


def _before(value: Interval, after: Combination) -> str:
    return f"{value} before" if after.change else "nothing was changed"


def _ideas(shelf: Shelf) -> Iterator[Block]:
    found, reference = shelf.found("regularizers", Regularizers), shelf.found("reference", Reference)
    if found is None or reference is None:
        yield missing("No idea was tried", shelf.get("regularizers", Regularizers))
        return
    kept = [idea for idea in found.ideas if idea.verdict == "kept"]
    curve = shelf.found("learning_curve", LearningCurve)
    yield Intervals(
        title=f"{len(kept)} of {len(found.ideas)} ideas help by more than the noise",
        name="regularizers",
        caption=f"{_compared(found)} The dot is the mean gain, the line its 95 % interval.",
        checks=("regularizer-gain-is-real", "configured-regularizers-help"),
        label=f"gain in val {reference.metric}",
        reference=0.0,
        reference_label="no change",
        rows=[
            *(
                Row(label=i.name, interval=_drawable(i.gain), note=i.verdict, tone=_TONES[i.verdict])
                for i in found.ideas
            ),
            *_data_row(curve, reference),
        ],
    )
    yield Table(
        title="What each idea cost, and what it gained",
        name="regularizer-table",
        caption=f"cost: train {reference.metric} given up; gain: val {reference.metric}; seconds of one training.",
        columns=["idea", "cost in training", "gain", "change in val loss", "seeds", "seconds", "verdict"],
        rows=[
            [i.name, i.cost, i.gain.difference, _negative(i.loss_gain), i.seeds, i.seconds, i.verdict]
            for i in found.ideas
        ],
        tones=[_TONES[idea.verdict] for idea in found.ideas],
    )


def _compared(found: Regularizers) -> str:
    """What the ideas stand beside."""
    if not found.ground:
        return "Each alone against the unregularized net on paired seeds."
    return f"{found.ground}: against the unregularized net; the others with these averages on both sides."


def _winners(shelf: Shelf) -> Iterator[Block]:
    found = shelf.found("combination", Combination)
    if found is None or not found.added:
        return
    rows: list[list[Cell]] = [
        [added.name, added.gain.difference, _negative(added.loss_gain), "kept" if added.kept else "dropped"]
        for added in found.added
    ]
    if found.fresh is not None:
        rows.append(["all of them, on fresh seeds", found.fresh.difference, None, "the final word"])
    yield Table(
        title="The winners, added one at a time",
        name="winners",
        caption="Each on top of those kept before it. Fresh seeds had no part in the choice.",
        checks=("regularizer-gain-is-real",),
        columns=["added", "gain on top", "change in val loss", "verdict"],
        rows=rows,
        tones=["good" if added.kept else "quiet" for added in found.added] + ["plain"] * (len(rows) - len(found.added)),
    )


def _curve(shelf: Shelf) -> Iterator[Block]:
    curve = shelf.found("learning_curve", LearningCurve)
    if curve is None:
        yield missing("What more data would bring is not known", shelf.get("learning_curve", LearningCurve))
        return
    double = next(forecast for forecast in curve.forecasts if forecast.times == 2)
    whole = max(subset.examples for subset in curve.subsets)
    ahead = [(f.times * whole, f.error) for f in curve.forecasts]
    sizes = [whole * 0.05 * 1.15**i for i in range(40) if whole * 0.05 * 1.15**i <= 10 * whole]
    yield Curve(
        title=f"Twice the data would bring the error from {curve.now.mean:.3g} to about {double.error.mean:.3g}",
        name="learning-curve",
        caption="The net without other regularizers on parts of the training data, and the law "
        f"{curve.a:.3g}·n^(-{curve.b:.2g}) + {curve.c:.2g} through the points; the band holds 95 % of the laws that "
        "the noise allows.",
        checks=("generalization-gap",),
        x_label="training examples",
        y_label="validation error",
        log_x=True,
        log_y=all(subset.error.mean > 0 for subset in curve.subsets),
        series=[
            Series(
                name="measured",
                x=[subset.examples for subset in curve.subsets],
                y=[subset.error.mean for subset in curve.subsets],
                low=[max(subset.error.mean / 5, subset.error.low) for subset in curve.subsets],
                high=[subset.error.high for subset in curve.subsets],
                style="points",
            ),
            Series(name="law", x=sizes, y=[curve.a * n**-curve.b + curve.c for n in sizes], dashed=True, quiet=True),
            Series(
                name="forecast",
                x=[n for n, _ in ahead],
                y=[error.mean for _, error in ahead],
                low=[max(error.mean / 5, error.low) for _, error in ahead],
                high=[error.high for _, error in ahead],
                style="both",
                dashed=True,
            ),
        ],
        marks=[Mark(label="all there is", x=whole)],
    )


def _losses(shelf: Shelf, trials: Sequence[Outcome]) -> Iterator[Block]:
    """Validation loss of the unregularized net beside that of the final one, on the first seed."""
    reference, final = shelf.found("reference", Reference), shelf.found("combination", Combination)
    if reference is None or final is None:
        return
    first = [t for t in trials if t.trial.seed == reference.seeds[0] and t.trial.limit is None]
    named = {"unregularized": {}, "regularized": final.change} if final.change else {"unregularized": {}}
    series = []
    for name, change in named.items():
        outcome = next((t for t in first if t.trial.change == change), None)
        points = outcome.history.series("val", "loss") if outcome else []
        if points:
            series.append(Series(name=name, x=[s for s, _ in points], y=[v for _, v in points], style="both"))
    if series:
        yield Curve(
            title="Validation loss over the run",
            name="val-loss",
            caption=f"Seed {reference.seeds[0]}.",
            checks=("best-weights-kept",),
            x_label="step",
            y_label="validation loss",
            log_y=True,
            series=series,
        )


def _data_row(curve: LearningCurve | None, reference: Reference) -> list[Row]:
    """More data beside every other row, where the error is one minus the headline."""
    if curve is None or reference.metric not in ("accuracy", "r2"):
        return []
    double = next(forecast.error for forecast in curve.forecasts if forecast.times == 2)
    now = curve.now.mean
    gain = Interval(now - double.mean, now - double.high, now - double.low, double.n)
    return [Row(label="twice the data (forecast)", interval=gain, note="not tried")]


def _drawable(gain: Gain) -> Interval | None:
    """Nothing is drawn for one seed without an interval, or a run that failed."""
    return gain.difference if math.isfinite(gain.difference.low) and math.isfinite(gain.difference.high) else None


def _negative(gain: Gain | None) -> Interval | None:
    """A gain in loss as a change of the loss."""
    if gain is None:
        return None
    d = gain.difference
    return Interval(-d.mean, -d.high, -d.low, d.n)
