"""The figures of the baseline, in the order of the post: trust the skeleton, then beat what needs no net."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from recipe.record.baseline import (
    Capacity,
    Determinism,
    DumbBaselines,
    InitialLoss,
    InputControls,
    OneBatch,
    PriorBias,
)
from recipe.record.evidence import Evidence, Shelf, Unmeasured
from recipe.record.report import Report
from recipe.record.skeleton import Dependencies, EvaluationProof, LayersAtStart, LossProof, Metrics, Wiring
from recipe.record.trial import Outcome
from recipe.render import skeleton
from recipe.render.blocks import (
    Bar,
    Bars,
    Block,
    Curve,
    Intervals,
    Mark,
    Pictures,
    Row,
    Series,
    Table,
    Tone,
    missing,
)
from recipe.render.wording import number


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks; where evidence could not be had, a note says why."""
    blocks: list[Block] = []
    for name, kind, title, draw in _PARTS:
        record = shelf.get(name, kind)
        if isinstance(record, kind):
            blocks += draw(record)
        elif isinstance(record, Unmeasured):
            blocks.append(missing(f"{title} was not measured", record))
    return blocks


def _baselines(found: DumbBaselines) -> list[Block]:
    rows = [
        Row(label=r.name, interval=r.score, note="" if r.learns else "does not look at the inputs", tone="quiet")
        for r in found.rivals
    ]
    best = next(r for r in found.rivals if r.name == found.best)
    versus = "ahead of" if found.lead.low > 0 else "behind" if found.lead.high < 0 else "level with"
    note = f"after {found.history.steps} steps"
    return [
        Intervals(
            title=f"{found.metric} {number(found.net.mean)}: {versus} {best.name} with {number(best.score.mean)}",
            name="dumb-baselines",
            caption=f"All trained on the same {found.train_items} items and scored on the same {found.val_items}.",
            rows=[*rows, Row(label="the net", interval=found.net, note=note, tone="good")],
            label=f"val {found.metric}",
            checks=("beats-guessing", "beats-simple-models", "every-class-is-learnt"),
        )
    ]


def _controls(found: InputControls) -> list[Block]:
    real, blank, _ = found.arms
    tones: tuple[Tone, ...] = ("good", "plain", "quiet")
    steps = [[float(i) for i in range(len(arm.curve))] for arm in found.arms]
    marks = [Mark(label="the prior alone", y=found.prior)] if found.prior else []
    return [
        Curve(
            title=f"Val loss {number(fmean(real.val_loss))} with real inputs, {number(fmean(blank.val_loss))} without",
            name="input-controls",
            caption=f"Training losses, mean over {len(found.seeds)} seeds; same weights at the start, same order.",
            series=[
                Series(name=arm.name, x=x, y=arm.curve, tone=tone)
                for arm, x, tone in zip(found.arms, steps, tones, strict=True)
            ],
            x_label="step",
            y_label="training loss",
            marks=marks,
            checks=("real-inputs-win",),
        )
    ]


def _initial_loss(found: InitialLoss) -> list[Block]:
    expected = {"neutral outputs": found.expected, "outputs at the prior": found.expected_prior}
    known = {name: value for name, value in expected.items() if value is not None}
    names = [*known, *(f"seed {seed}" for seed in found.seeds)]
    nothing: list[float | None] = [None] * len(found.seeds)
    title = f"The initial loss is {number(fmean(found.train_mode))}"
    if found.expected is not None:
        title += f", {number(found.expected)} was expected"
    return [
        Bars(
            title=title,
            name="initial-loss",
            caption=f"Fresh nets on {found.items} training items. Expected: {found.derivation}.",
            categories=names,
            bars=[
                Bar(name="expected", values=[*known.values(), *nothing], tone="quiet"),
                Bar(name="measured", values=[*([None] * len(known)), *found.train_mode]),
            ],
            label="loss",
            checks=("init-loss",),
        )
    ]


def _prior_bias(found: PriorBias) -> list[Block]:
    if not found.plain or not found.prior:
        return []
    curves = {"as it was": found.plain, "prior in the last bias": found.prior}
    return [
        Curve(
            title=f"The prior in the last bias saves {number(found.drop.mean)} of the initial loss",
            name="prior-bias",
            caption="The same training twice: the hockey stick is the net learning how often each target occurs.",
            series=[Series(name=name, x=[float(i) for i in range(len(y))], y=y) for name, y in curves.items()],
            x_label="step",
            y_label="training loss",
            checks=("init-prior",),
        )
    ]


def _one_batch(found: OneBatch) -> list[Block]:
    first = found.attempts[0]
    log = all(value > 0 for a in found.attempts for value in a.losses) and not found.floor
    marks = [Mark(label="lowest achievable", y=found.floor, tone="good")] if found.floor else []
    near = [(n, v) for n, v in found.constants.items() if first.final and v and abs(first.final / v - 1) < 0.1]
    marks += [Mark(label=name.replace("-", " "), y=value, tone="bad") for name, value in near]
    rows = list(zip(found.indices, found.targets, found.predictions, strict=True))
    tones: list[Tone] = ["plain" if target == said else "warn" for _, target, said in rows]
    pictures = [
        Pictures(
            title="The batch, with target and prediction",
            name="one-batch-pictures",
            sheet=found.sheet,
            across=len(rows),
            down=1,
            captions=[f"{target} → {said}" for _, target, said in rows],
            tones=tones,
        )
    ]
    return [
        Curve(
            title=f"{found.items} examples: loss {number(first.final)} at the end, {first.correct} predicted right",
            name="one-batch",
            caption="Always the same batch, without any regularizer.",
            series=[
                Series(name=a.name, x=[float(i) for i in range(len(a.losses))], y=a.losses, quiet=bool(place))
                for place, a in enumerate(found.attempts)
            ],
            x_label="step",
            y_label="loss of the batch",
            log_y=log,
            marks=marks,
            checks=("overfit-one-batch", "train-eval-agree"),
        ),
        Table(
            title="Each example of the batch beside what was predicted for it",
            name="one-batch-items",
            columns=["training item", "target", "prediction"],
            rows=rows,
            tones=tones,
        ),
        *(pictures if found.sheet else []),
    ]


def _capacity(found: Capacity) -> list[Block]:
    return [
        Curve(
            title=f"Training loss after {found.steps} steps falls from {number(fmean(found.losses[0]))} to "
            f"{number(fmean(found.losses[-1]))} with the width",
            name="capacity",
            caption=f"{found.key}, {len(found.seeds)} seeds; the band goes from the lowest to the highest.",
            series=[
                Series(
                    name="training loss",
                    x=[float(width) for width in found.widths],
                    y=[fmean(losses) for losses in found.losses],
                    low=[min(losses) for losses in found.losses],
                    high=[max(losses) for losses in found.losses],
                    style="both",
                )
            ],
            x_label=found.key,
            y_label="training loss",
            log_x=True,
            checks=("more-capacity-helps",),
        )
    ]


_PARTS: tuple[tuple[str, type[Evidence], str, Callable[[Any], list[Block]]], ...] = (
    ("baselines", DumbBaselines, "The comparison with simple models", _baselines),
    ("controls", InputControls, "The input controls", _controls),
    ("one_batch", OneBatch, "One batch", _one_batch),
    ("initial_loss", InitialLoss, "The initial loss", _initial_loss),
    ("prior_bias", PriorBias, "The prior in the bias", _prior_bias),
    ("capacity", Capacity, "Capacity", _capacity),
    ("determinism", Determinism, "Determinism", skeleton.determinism),
    ("evaluation", EvaluationProof, "The evaluation", skeleton.evaluation),
    ("metrics", Metrics, "The metrics", skeleton.metrics),
    ("loss", LossProof, "The loss", skeleton.loss),
    ("layers", LayersAtStart, "The layers", skeleton.layers),
    ("wiring", Wiring, "The wiring", skeleton.wiring),
    ("dependencies", Dependencies, "Dependencies", skeleton.dependencies),
)
"""(evidence, its record, what it is called, how it is drawn), in the order of the page: the answer first."""
