"""The figures of what the baseline sees on the objects themselves: loss, metrics, evaluation, layers, wiring."""

from __future__ import annotations

import math

from recipe.record.baseline import Determinism
from recipe.record.skeleton import Dependencies, EvaluationProof, LayersAtStart, LossProof, Metrics, Wiring
from recipe.render.blocks import Block, Cell, Curve, Heatmap, Series, Table, Tone

_PARAMETERS = 40


def dependencies(found: Dependencies) -> list[Block]:
    """B13 as a chart of examples, and a map of the input."""
    names = [str(i) for i in range(found.items)]
    chart = found.gradient or found.forward
    by_gradient, by_exchange = "Length of the gradient on each example", "How far outputs move when one is exchanged"
    way = by_gradient if found.gradient else by_exchange
    blocks: list[Block] = [
        Heatmap(
            title="Which example moves which output",
            name="dependencies",
            caption=f"{way}; only the diagonal should be there.",
            rows=names,
            columns=names,
            values=chart,
            row_label="output of example",
            column_label="example",
            checks=("examples-stay-apart",),
        )
    ]
    if len(found.influence) > 1:
        blocks.append(
            Heatmap(
                title=f"{1 - found.silent_share:.0%} of the input numbers move an output",
                name="influence",
                caption="Mean absolute gradient of the outputs by input position, after a few steps of training.",
                rows=[str(i) for i in range(len(found.influence))],
                columns=[str(i) for i in range(len(found.influence[0]))],
                values=found.influence,
                row_label="row",
                column_label="column",
                checks=("inputs-are-used",),
            )
        )
    return blocks


def layers(found: LayersAtStart) -> list[Block]:
    """A row a layer."""
    rows: list[list[Cell]] = [
        [x.name, x.kind, x.units, x.weight_std, x.weight_std_he, x.out_mean, x.out_std, x.gradient_ratio, x.idle]
        for x in found.layers
    ]
    return [
        Table(
            title="The layers before training",
            name="layers",
            caption=f"On {found.items} training items. He: what keeps the size of a signal through ReLUs. Idle: share "
            "of units that no item gives a gradient.",
            columns=[
                "layer", "kind", "units", "weights' std", "He's", "mean", "std", "gradient / weights", "idle",
            ],
            rows=rows,
            checks=("units-are-alive", "gradients-keep-their-scale", "weights-have-a-sound-scale"),
        )
    ]  # fmt: skip


def loss(found: LossProof) -> list[Block]:
    """The loss from wrong to right."""
    points = [(m, v) for m, v in zip(found.margins, found.values, strict=True) if abs(m) <= 10 and math.isfinite(v)]
    return [
        Curve(
            title=f"{found.name} from wrong to right predictions",
            name="loss-proof",
            caption=f"The loss of {found.items} made-up predictions ({found.form}); 0 is neutral, right on the right.",
            series=[Series(name="loss", x=[m for m, _ in points], y=[v for _, v in points], style="both")],
            x_label="margin",
            y_label="loss",
            checks=("loss-falls-with-quality", "loss-is-finite", "loss-teaches-every-item", "loss-has-a-floor"),
        )
    ]


def metrics(found: Metrics) -> list[Block]:
    """A row a metric."""
    rows: list[list[Cell]] = [[p.name, p.perfect, p.half, p.shuffled, p.constant, p.wrong] for p in found.proofs]
    return [
        Table(
            title="What each metric says about predictions of known quality",
            name="metric-proof",
            columns=["metric", "perfect", "half right", "shuffled", "constant", "wrong"],
            rows=rows,
            checks=("metric-proves-itself",),
        )
    ]


def evaluation(found: EvaluationProof) -> list[Block]:
    """A row a way of evaluating."""
    rows: list[list[Cell]] = [[way, f"{loss:.9g}", f"{found.metrics[way]:.6g}"] for way, loss in found.losses.items()]
    return [
        Table(
            title=f"{found.items} validation items, evaluated in {len(rows)} ways",
            name="evaluation",
            columns=["way", "loss", found.metric],
            rows=rows,
            checks=("evaluation-is-exact",),
        )
    ]


def determinism(found: Determinism) -> list[Block]:
    """A row a run."""
    first = found.runs[0]
    rows: list[list[Cell]] = [
        [
            run.place,
            _same(run.batches == first.batches),
            _same(run.weights_before == first.weights_before),
            f"{run.losses[-1]:.9g}" if run.losses else "–",
            _same(run.weights_after == first.weights_after),
        ]
        for run in found.runs
    ]
    return [
        Table(
            title=f"{len(first.losses)} steps from seed {found.seed}, three times",
            name="determinism",
            columns=["where", "data", "weights at the start", "last loss", "weights at the end"],
            rows=rows,
            checks=("same-seed-same-run",),
        )
    ]


def _same(equal: bool) -> str:
    return "the same bytes" if equal else "different"


def wiring(found: Wiring) -> list[Block]:
    """A row a tensor."""
    rows: list[list[Cell]] = [
        [p.name, p.size, "yes" if p.trainable else "frozen", _yes(p.held), p.gradient, _yes(p.moved)]
        for p in found.parameters[:_PARAMETERS]
    ]  # fmt: skip
    tones: list[Tone] = ["warn" if p.trainable and not (p.held and p.moved) else "plain" for p in found.parameters]
    more = len(found.parameters) - len(rows)
    return [
        Table(
            title=f"{sum(p.moved for p in found.parameters)} of {len(found.parameters)} tensors moved",
            name="wiring",
            caption=f"{more} more are in the evidence." if more > 0 else "",
            columns=["tensor", "numbers", "trains", "in the optimizer", "gradient", "moved"],
            rows=rows,
            tones=tones[:_PARAMETERS],
            checks=("gradients-reach-every-layer", "optimizer-holds-all", "frozen-on-purpose"),
        )
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
