"""overfit as a page: the ladder first, then the run that was chosen, then how far the rate may go and what is alive."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, median

from recipe.record.evidence import Shelf
from recipe.record.filters import FirstFilters
from recipe.record.history import History
from recipe.record.overfit import CapacityLadder, LearningRateEdge, RateChoice, RateTrial, UnitHealth
from recipe.record.remedies import Remedies
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Bar, Bars, Block, Cell, Curve, Mark, Series, Table, Tone, missing
from recipe.render.stories.plugged import plugged
from recipe.render.stories.sheets import sheet_of

# Points of a raw loss curve, at most: the eye does not see more.
_POINTS = 400
# Pixels from where a filter's shape can be told.
_ROOM = 5


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks, most telling first."""
    return [
        *_ladder(shelf),
        *_remedies(shelf),
        *_run(shelf),
        *_edge(shelf),
        *_rates(shelf),
        *_layers(shelf),
        *_units(shelf),
        *_filters(shelf),
        *plugged(shelf),
    ]


def _ladder(shelf: Shelf) -> Iterator[Block]:
    ladder = shelf.found("capacity_ladder", CapacityLadder)
    if ladder is None:
        yield missing("No ladder was climbed", shelf.get("capacity_ladder", CapacityLadder))
        return
    best = ladder.best
    title = (
        f"{best.name} is the smallest that fits the training set"
        if best.fits and not ladder.own
        else f"{best.name} {'fits the training set' if best.fits else 'does not fit the training set yet'}"
    )
    # The axis is logarithmic: an error of zero stands at half an example.
    least = 0.5 / max(1, ladder.examples)
    rungs = [rung for rung in ladder.rungs if math.isfinite(rung.train_error.mean)]
    if len(rungs) > 1:
        yield Curve(
            title=title,
            name="capacity-ladder",
            caption="Training error of each rung after its run, with its 95 % interval, against the number of weights.",
            checks=("training-set-fits", "capacity-is-used"),
            x_label="parameters",
            y_label="training error",
            log_x=True,
            log_y=True,
            series=[
                Series(
                    name="rungs",
                    x=[rung.parameters for rung in rungs],
                    y=[max(least, rung.train_error.mean) for rung in rungs],
                    low=[max(least, rung.train_error.low) for rung in rungs],
                    high=[max(least, rung.train_error.high) for rung in rungs],
                    style="both",
                )
            ],
            marks=[
                Mark(label="fitted from here down", y=max(least, ladder.ceiling + ladder.tolerance), tone="good"),
                Mark(label="without input", y=ladder.chance),
                Mark(label=best.name, x=best.parameters),
            ],
        )
    yield Table(
        title=title if len(rungs) < 2 else "The rungs, from shallow up",
        name="rungs",
        caption=f"Not climbed: {', '.join(ladder.left)}." if ladder.left else "",
        checks=("training-set-fits",),
        columns=[
            "rung",
            "expected to",
            "parameters",
            "training error",
            f"val {ladder.metric}",
            "epochs",
            "seconds",
            "",
        ],
        rows=[
            [r.name, r.expects, r.parameters, r.train_error, r.val, r.epochs, r.seconds, "fits" if r.fits else r.note]
            for r in ladder.rungs
        ],
        tones=[_tone(rung.fits, place == ladder.chosen) for place, rung in enumerate(ladder.rungs)],
    )


def _remedies(shelf: Shelf) -> Iterator[Block]:
    found = shelf.found("remedies", Remedies)
    if found is None:
        return
    yield Table(
        title=f"Why {found.rung} does not fit: {', '.join(cause.name for cause in found.causes) or 'no cause found'}",
        name="causes",
        caption="Causes that the checks name, with what they saw; those that say why come first.",
        columns=["cause", "named by", "evidence"],
        rows=[[cause.name, cause.check, cause.told] for cause in found.causes],
    )
    best = found.best
    rows: list[list[Cell]] = [["none", "", "", found.loss, None, ""]]
    rows += [[one.name, one.cause, one.expects, one.loss, one.seeds, one.why] for one in found.tried]
    edits = [f"{edit.text} (against {edit.cause})" for edit in found.edits]
    left = [f"No room in the plan for {', '.join(found.left)}."] if found.left else []
    by_hand = [f"Not by config: {'; '.join(edits)}."] if edits else []
    yield Table(
        title=f"{best.name} works: {best.why}" if best else f"None of {len(found.tried)} remedies mends it",
        name="remedies",
        caption=" ".join(
            [f"Each alone, {found.steps:,} steps at most; the best was tried on further seeds.", *by_hand, *left]
        ),
        checks=("training-set-fits",),
        columns=["remedy", "against", "expected to", "training loss", "seeds", "obtained"],
        rows=rows,
        tones=["quiet", *(_tone(one.better, one == best) for one in found.tried)],
    )


def _run(shelf: Shelf) -> Iterator[Block]:
    run = shelf.found("run", History)
    if run is None or not run.losses:
        yield missing("No run to look at", shelf.get("run", History))
        return
    every = max(1, len(run.losses) // _POINTS)
    steps = list(range(1, len(run.losses) + 1, every))
    smooth = [fmean(run.losses[max(0, s - 5 * every) : s]) for s in steps]
    val = run.series("val", "loss")
    yield Curve(
        title=f"The training loss falls from {run.losses[0]:.3g} to {smooth[-1]:.3g} in {len(run.losses):,} steps",
        name="run",
        caption="The chosen rung's run: loss of single batches (pale), their running mean, and the validation loss.",
        checks=("loss-falls",),
        x_label="step",
        y_label="loss",
        log_y=min(run.losses) > 0,
        series=[
            Series(name="", x=steps, y=[run.losses[s - 1] for s in steps], quiet=True),
            Series(name="train", x=steps, y=smooth),
            Series(name="val", x=[step for step, _ in val], y=[loss for _, loss in val], style="both"),
        ],
    )
    if max(run.rates, default=0) > 0:
        yield Curve(
            title=f"The rate is {fmean(run.rates) / max(run.rates):.0%} of its peak on average, over the run as it was",
            name="effective-rate",
            caption="Read back from the optimizer at each step.",
            checks=("effective-rate",),
            x_label="step",
            y_label="learning rate",
            zero_y=True,
            series=[Series(name="rate", x=steps, y=[run.rates[s - 1] for s in steps], style="step")],
        )


def _edge(shelf: Shelf) -> Iterator[Block]:
    edge = shelf.found("learning_rate_edge", LearningRateEdge)
    if edge is None:
        yield missing("The learning-rate edge was not looked for", shelf.get("learning_rate_edge", LearningRateEdge))
        return
    seeds = sorted({run.seed for run in edge.runs})
    series = []
    for seed in seeds:
        runs = sorted((r for r in edge.runs if r.seed == seed and math.isfinite(r.ratio)), key=lambda r: r.rate)
        series.append(
            Series(name=f"seed {seed}", x=[r.rate for r in runs], y=[min(r.ratio, 10.0) for r in runs], style="both")
        )
    marks = [Mark(label="in use", x=edge.rate), Mark(label="loss of the untrained net", y=1.0, tone="bad")]
    if edge.edge.low > 0 and math.isfinite(edge.edge.high):
        marks += [Mark(label="edge", x=edge.edge.mean, tone="warn"), Mark(label="a tenth", x=edge.start, tone="good")]
    yield Curve(
        title=f"{edge.optimizer} holds up to a rate of {edge.edge.low:.2g}",
        name="learning-rate-edge",
        caption=f"Loss in the second half of runs of {edge.steps} steps over that of the untrained net on the same "
        "batches, from the same weights each time. Runs that gave no number are left out.",
        checks=("learning-rate-edge",),
        x_label="constant learning rate",
        y_label="loss / untrained",
        log_x=True,
        log_y=True,
        series=series,
        marks=marks,
    )


def _rates(shelf: Shelf) -> Iterator[Block]:
    choice = shelf.found("rate_choice", RateChoice)
    if choice is None:
        return
    rows = [_rate_row(one) for one in (choice.used, *choice.tried)]
    yield Table(
        title=f"The rate {choice.rate:g} is kept"
        if choice.rate == choice.used.rate
        else f"The rate {choice.rate:g} is clearly better",
        name="rates",
        caption=f"{choice.seeds} paired seeds; the training loss after {choice.steps} steps each.",
        columns=["rate", "training loss", "steps to fit", "gain in validation"],
        rows=rows,
        tones=[_tone(one.rate == choice.rate, True) for one in (choice.used, *choice.tried)],
    )


def _rate_row(one: RateTrial) -> list[Cell]:
    gain = one.val.difference if one.val is not None else None
    return [one.rate, one.loss, one.fit, gain]


def _layers(shelf: Shelf) -> Iterator[Block]:
    run = shelf.found("run", History)
    if run is None or not run.samples:
        return
    gradients, updates = run.typical("gradient_norm"), run.typical("update_ratio")
    layers = [name for name in gradients if name in updates]
    if len(layers) > 1:
        yield Table(
            title="Gradients and updates, layer by layer",
            name="layers",
            caption="Medians over the first half of the run; an update of about a thousandth is usual.",
            checks=("gradient-flow", "update-size"),
            columns=["layer", "gradient norm", "update / weights"],
            rows=[[name, gradients[name], updates[name]] for name in layers],
        )


def _units(shelf: Shelf) -> Iterator[Block]:
    health = shelf.found("unit_health", UnitHealth)
    if health is None:
        return
    layers = [layer for layer in health.layers if layer.units and layer.saturated is None]
    if layers:
        yield Bars(
            title="Units that never fire, before and after training",
            name="units",
            caption=f"Share of each layer that is silent on all of {health.examples:,} training examples; after it "
            "also those that fire, and say the same of every example.",
            checks=("units-alive",),
            categories=[layer.layer for layer in layers],
            label="share of units",
            bars=[
                Bar(name="silent before", values=[layer.dead_before / layer.units for layer in layers], tone="quiet"),
                Bar(name="silent after", values=[layer.dead_after / layer.units for layer in layers]),
                Bar(name="constant after", values=[layer.constant / layer.units for layer in layers], tone="bad"),
            ],
        )
    if bounded := [layer for layer in health.layers if layer.saturated is not None]:
        yield Bars(
            title="Activations at the ends of their range, after training",
            name="saturated",
            caption="Share of all answers of a layer whose slope is next to nothing.",
            checks=("units-alive",),
            categories=[layer.layer for layer in bounded],
            label="share of activations",
            bars=[Bar(name="saturated", values=[layer.saturated or 0.0 for layer in bounded])],
        )


def _filters(shelf: Shelf) -> Iterator[Block]:
    found = shelf.found("first_filters", FirstFilters)
    if found is None:
        return
    noise, start = map(_usual, (found.noise, found.noise_at_start))
    height, width = found.shape[-2:]
    yield sheet_of(
        found.sheet,
        "first-filters",
        f"What {found.layer} looks for: noise {noise}, {start} before training",
        f"The {found.sheet.count} loudest of {found.count} filters of {height} × {width} pixels, black and white for "
        "each one's largest weight. The score is about 1 where neighbouring weights have nothing in common and near 0 "
        "where they go together, as in edges and blobs."
        + (" Filters this small have room for little of either." if max(height, width) < _ROOM else ""),
    )


def _usual(noise: Sequence[float]) -> str:
    """The median of those that have a score: filters of one number all over have none."""
    known = [value for value in noise if math.isfinite(value)]
    return f"{median(known):.2f}" if known else "unknown (constant filters)"


def _tone(good: bool, chosen: bool) -> Tone:
    return "good" if good and chosen else "plain" if chosen else "quiet"
