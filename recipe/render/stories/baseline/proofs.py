"""What is proven on objects of known quality: the same run twice, evaluation, metrics, loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from recipe.record.baseline import Determinism
from recipe.record.evidence import Shelf
from recipe.record.skeleton import EvaluationProof, LossProof, Metrics
from recipe.render.blocks import Block, Cell, Curve, Series, Table
from recipe.render.stories.entries import Entry, drawn


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _determinism(found: Determinism) -> list[Block]:
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


def _evaluation(found: EvaluationProof) -> list[Block]:
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


def _metrics(found: Metrics) -> list[Block]:
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


def _loss(found: LossProof) -> list[Block]:
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


_ENTRIES = (
    Entry("determinism", Determinism, "Determinism", _determinism),
    Entry("evaluation", EvaluationProof, "The evaluation", _evaluation),
    Entry("metrics", Metrics, "The metrics", _metrics),
    Entry("loss", LossProof, "The loss", _loss),
)
