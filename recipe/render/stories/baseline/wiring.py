"""What trains, and which input moves which output."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.skeleton import Dependencies, Wiring
from recipe.render.blocks import Block, Cell, Heatmap, Table, Tone
from recipe.render.stories.entries import Entry, drawn

_PARAMETERS = 40


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _wiring(found: Wiring) -> list[Block]:
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


def _dependencies(found: Dependencies) -> list[Block]:
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


_ENTRIES = (
    Entry("wiring", Wiring, "The wiring", _wiring),
    Entry("dependencies", Dependencies, "Dependencies", _dependencies),
)
