"""A handful of examples, memorised."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.baseline import OneBatch
from recipe.record.evidence import Shelf
from recipe.render.blocks import Block, Curve, Mark, Pictures, Series, Table, Tone
from recipe.render.stories.entries import Entry, drawn
from recipe.render.wording import number


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


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


_ENTRIES = (Entry("one_batch", OneBatch, "One batch", _one_batch),)
