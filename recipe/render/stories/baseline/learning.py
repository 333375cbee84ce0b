"""How the net learns: predictions along the way, part by part, and the rates that it bears."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean

from recipe.record.evidence import Shelf
from recipe.record.learning import Dynamics, SimpleToComplex
from recipe.record.overfit import LearningRateEdge
from recipe.render.blocks import Block, Cell, Curve, Heatmap, Mark, Series, Table, Tone
from recipe.render.stories.entries import Entry, drawn
from recipe.render.wording import number

_ITEMS, _LOOKS = 32, 40
"""Rows and columns that the picture of predictions has room for."""


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _dynamics(found: Dynamics) -> list[Block]:
    """Items from the first learnt to the last, from left to right through training."""
    errors = found.kind == "error"
    looks = _spread(len(found.steps), _LOOKS)
    order = sorted(range(len(found.truth)), key=lambda k: -fmean(abs(v) if errors else -v for v in found.truth[k]))
    order = order if errors else order[::-1]
    rows = [order[k] for k in _spread(len(order), _ITEMS)]
    what = "how far off, in deviations of the target" if errors else "the probability of the truth"
    return [
        Heatmap(
            title=f"{found.right[-1]:.0%} of {len(found.items)} watched items are right after {found.steps[-1]} steps",
            name="dynamics",
            caption=f"Each row is a validation item, each column a moment of the training; the colour is {what}. Late "
            f"in training {found.last.flips:.1%} of the predictions change from look to look; {found.forgotten:.2g} "
            "times an item was right and then no longer.",
            rows=[f"{found.items[k].label} · {found.items[k].name}" for k in rows],
            columns=[str(found.steps[t]) for t in looks],
            values=[[found.truth[k][t] for t in looks] for k in rows],
            row_label="item",
            column_label="step",
            diverging=errors,
            checks=("predictions-settle",),
        )
    ]


def _spread(count: int, most: int) -> list[int]:
    """Up to `most` positions at even distances, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})


def _parts(found: SimpleToComplex) -> list[Block]:
    """The loss over all steps, and a row a part."""
    shown = {
        "class": "classes",
        "band": "bands of the target",
        "context": "lengths of the context",
        "label": "labels",
        "clearness": "quarters, the clearest first",
    }[found.unit]
    steps = [float(k) for k in range(len(found.losses))]
    marks = [
        Mark(label=f"{size} {shown}" if not k else str(size), x=float(k * found.steps))
        for k, size in enumerate(found.sizes)
    ]
    rows: list[list[Cell]] = [
        [p.name, p.step + 1, p.items, p.chance, p.learnt, p.at_last, p.right, p.val.right if p.val else None]
        for p in found.parts
    ]
    worst = min(p.at_last for p in found.parts)
    tones: list[Tone] = ["warn" if p.at_last == worst and worst < 0.2 else "plain" for p in found.parts]
    return [
        Curve(
            title=f"From simple to complex: {len(found.parts)} parts in {len(found.sizes)} steps",
            name="simple-to-complex",
            caption="Training loss of one net that is given more of the task at every mark, equally long each time.",
            series=[Series(name="training loss", x=steps, y=found.losses)],
            x_label="step",
            y_label="training loss",
            marks=marks,
            checks=("simple-to-complex",),
        ),
        Table(
            title=f"{number(worst, 2)} of the way is the least that a part has gone",
            name="simple-to-complex-parts",
            caption="Learnt: the share of the way from a guess without inputs to the lowest loss, when the part was "
            "added and after the last step.",
            columns=[
                "part",
                "added at step",
                "items",
                "chance",
                "learnt then",
                "learnt at last",
                "right",
                "right in val",
            ],
            rows=rows,
            tones=tones,
            checks=("simple-to-complex",),
        ),
    ]


def _edge(found: LearningRateEdge) -> list[Block]:
    """The loss that is reached at each rate."""
    runs = sorted(found.runs, key=lambda run: run.rate)
    held = [run for run in runs if not run.diverged]
    lost = [run for run in runs if run.diverged]
    top = max([1.0, *(run.ratio for run in held)])
    marks = [Mark(label="in use", x=found.rate), Mark(label="a start", x=found.start, tone="good")]
    marks += [Mark(label="edge", x=found.edge.mean, tone="bad")] if math.isfinite(found.edge.mean) else []
    return [
        Curve(
            title=f"{found.optimizer} holds up to {number(found.edge.low, 2)}, and diverges from "
            f"{number(found.edge.high, 2)}",
            name="learning-rate-edge",
            caption=f"Runs of {found.steps} steps from the same weights on the same batches, {found.edge.n} seeds, "
            "without clipping: loss over that of the untrained net, second half. Above 1, or not finite, is diverged.",
            series=[
                Series(name="holds", x=[r.rate for r in held], y=[r.ratio for r in held], style="points", tone="good"),
                Series(
                    name="diverges",
                    x=[r.rate for r in lost],
                    y=[min(r.ratio, 1.5 * top) if math.isfinite(r.ratio) else 1.5 * top for r in lost],
                    style="points",
                    tone="bad",
                ),
            ],
            x_label="learning rate",
            y_label="loss / untrained loss",
            log_x=True,
            marks=marks,
            checks=("rate-below-edge",),
        )
    ]


_ENTRIES = (
    Entry("dynamics", Dynamics, "How predictions move", _dynamics),
    Entry("edge", LearningRateEdge, "The edge of the learning rate", _edge),
    Entry("simple_to_complex", SimpleToComplex, "From simple to complex", _parts),
)
